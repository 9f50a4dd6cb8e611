import doctest
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest

# Without this, scikit-learn's estimator checks skip those of the array API. Scipy reads it once,
# when it is first imported, so it is set in the file that pytest loads first, whatever tests are
# run.
os.environ["SCIPY_ARRAY_API"] = "1"

# The helpers that tests share hold assertions; pytest then explains a failed one there as it does
# in a test.
pytest.register_assert_rewrite("tests")


class FencedDocTestParser(doctest.DocTestParser):
    """The doctests of a Markdown page.

    A closing fence ends the expected output, as a blank line does.
    """

    def parse(self, string: str, name: str = "<string>") -> list[Any]:
        return super().parse(re.sub(r"^[ \t]*```.*$", "", string, flags=re.MULTILINE), name)


# pytest has no hook for the parser. It looks this class up for every text file that it collects.
doctest.DocTestParser = FencedDocTestParser


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what a test has drawn: matplotlib warns of more than twenty figures."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")


QUICK_CASES, QUICK_SHARE = 1, 120  # of a test function: at least so many cases, and one of so many


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as quick a case or more of every test function, evenly spread over what is not slow.

    The function's name says which come first, or all functions would take the same families.
    """
    cases = defaultdict(list)
    for item in items:
        if item.path.suffix == ".md":  # a page of the guide runs as a whole
            item.add_marker("slow")
        if item.get_closest_marker("slow") is None:
            cases[item.nodeid.partition("[")[0]].append(item)
    for function, its in cases.items():
        first = crc32(function.rpartition("::")[2].encode())
        count = min(len(its), max(QUICK_CASES, len(its) // QUICK_SHARE))
        for k in range(count):
            its[(first + k * len(its) // count) % len(its)].add_marker("quick")
