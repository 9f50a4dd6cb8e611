"""The pages that the "?" in an estimator's table in a notebook names: docs/api.md makes them.

`.ci/site.py` looks at the built site, where it finds what the links of the parameters seek, too.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import skmle

API = Path(skmle.__file__).parents[1] / "docs/api.md"
ESTIMATORS = [
    cls
    for name in skmle.__all__
    if isinstance(cls := getattr(skmle, name), type) and hasattr(cls, "_get_doc_link")
]


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_every_estimator_names_a_page_of_the_site(cls):
    model = cls()
    pages = re.findall(r"^ {3}~?(skmle\.\S+)$", API.read_text(encoding="utf-8"), re.MULTILINE)
    links = re.findall(r'href="(https?:[^"#]*)', model._repr_html_())
    assert links and len(set(links)) == 1  # its own page, and its parameters on it
    folder, _, page = urlsplit(links[0]).path.rpartition("/")
    assert folder == "/en/latest/generated"  # the folder of every toctree in api.md
    assert page.removesuffix(".html") in pages and page.endswith(".html")


def test_all_pages_of_the_reference_are_in_one_folder():
    assert set(re.findall(r":toctree: (\S+)", API.read_text(encoding="utf-8"))) == {"generated"}
    assert len(ESTIMATORS) >= 5
