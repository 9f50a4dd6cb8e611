"""Names of things of which several may have the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


def numbered(pairs: Iterable[tuple[str, Thing]]) -> dict[str, Thing]:
    """Return things by name; from the second one of a name on, with its number."""
    named: dict[str, Thing] = {}
    for name, thing in pairs:
        count = sum(other.split(" #")[0] == name for other in named)
        named[f"{name} #{count + 1}" if count else name] = thing
    return named
