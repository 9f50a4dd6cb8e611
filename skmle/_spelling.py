"""What a misspelt name may be meant for, as errors ask."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(given: object, allowed: Iterable[str], otherwise: str, most: int = 1) -> str:
    """Return a question for the allowed names that one is like; `otherwise` if it is like none.

    Parameters
    ----------
    given : object
        What was given in place of a name.
    allowed : iterable of str
    otherwise : str
        A sentence.
    most : int, default=1
        How many names are asked about, at most.
    """
    near = difflib.get_close_matches(str(given), list(allowed), n=most)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else otherwise
