"""What a misspelt or foreign name may be meant for, as errors ask and say."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar


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


def named(names: Iterable[str], here: str) -> dict[str, str]:
    """Return lines of a table of names elsewhere, of several that are one here."""
    return dict.fromkeys(names, here)


class SaysWhatIsMeant:
    """Objects that say, of an attribute that they lack, what to take in its place.

    `hasattr` is False all the same, by which scikit-learn asks what an estimator can do.
    """

    _elsewhere: ClassVar[Mapping[str, str]] = {}
    """What other programs, or other classes, call something, and what it is here, as typed."""
    _within: ClassVar[Sequence[tuple[str, type]]] = ()
    """What is had from this one, as typed, and its class: the attribute may be there."""

    if not TYPE_CHECKING:  # A checker of types would take every attribute to be there.

        def __getattr__(self, name: str) -> Any:
            cls = type(self)
            if any(name in vars(base) for base in cls.__mro__):
                # A property, or a method that is not for these settings, has said why.
                return object.__getattribute__(self, name)
            message = f"{cls.__name__!r} object has no attribute {name!r}"
            if name.startswith("_"):
                raise AttributeError(message)
            to_come = name.endswith("_") and not _has_fitted(self)
            if meant := _renamed(cls, name) or ("" if to_come else _held(cls, name)):
                message = f"{cls.__name__} has no attribute {name!r}. In its place take {meant}."
            elif to_come:
                message += ", as it is not fitted. Call fit first."
            raise AttributeError(message)


def _renamed(cls: type[SaysWhatIsMeant], name: str) -> str:
    """Return what a class has in place of an attribute that it lacks; "" if that is not known."""
    tables = (vars(base).get("_elsewhere", {}) for base in cls.__mro__)
    return next((table[name] for table in tables if name in table), "")


def _held(cls: type[SaysWhatIsMeant], name: str) -> str:
    """Return where an attribute is that something within has; "" if it is nowhere."""
    for held, inner in (pair for base in cls.__mro__ for pair in vars(base).get("_within", ())):
        if hasattr(inner, name) or name in getattr(inner, "__dataclass_fields__", {}):
            return f"{held}.{name}"
        if name in (known := vars(inner).get("_elsewhere", {})):
            return f"{held}.{known[name]}"
    return ""


def _has_fitted(estimator: object) -> bool:
    return any(name.endswith("_") and not name.startswith("_") for name in vars(estimator))
