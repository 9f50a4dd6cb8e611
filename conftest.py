import doctest
import os
import re
from typing import Any

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
