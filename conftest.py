import doctest
import os
import re
from typing import Any

import pytest

# scikit-learn's estimator checks skip those of the array API unless this is set, and scipy reads it once, when it is
# first imported. This file is the first that pytest loads, and it is loaded whatever part of the tests is run.
os.environ["SCIPY_ARRAY_API"] = "1"

# The helpers that tests share hold assertions; pytest then explains a failed one there as it does in a test.
pytest.register_assert_rewrite("tests")


class FencedDocTestParser(doctest.DocTestParser):
    """The doctests of a Markdown page: a closing fence ends the expected output, as a blank line does."""

    def parse(self, string: str, name: str = "<string>") -> list[Any]:
        return super().parse(re.sub(r"^[ \t]*```.*$", "", string, flags=re.MULTILINE), name)


# pytest offers no hook for the parser; it looks the class up here for every text file that it collects.
doctest.DocTestParser = FencedDocTestParser
