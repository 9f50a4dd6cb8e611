"""docs/parity.md, which `parity.py` writes, says what is computed here."""

from __future__ import annotations

import re

import pytest

from tests.estimators.parity import PAGE, page

NUMBER = re.compile(r"(?<=\| )(?:< )?\d(?:\.\d+)?e[-+]\d+(?= \|)")


@pytest.mark.slow
def test_the_page_of_parity_says_what_is_computed():
    written, found = PAGE.read_text(encoding="utf-8"), page()
    hint = "write it again: python -m tests.estimators.parity"
    assert NUMBER.sub("#", written) == NUMBER.sub("#", found), hint
    for said, now in zip(NUMBER.findall(written), NUMBER.findall(found), strict=True):
        # Rounding differs from one kernel of BLAS to another, and moves the last digits of a fit.
        assert float(now.strip("< ")) <= max(2.0 * float(said.strip("< ")), 1e-8), hint
