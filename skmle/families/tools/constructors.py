"""Constructors that say what an argument of another program is called here."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

_SHOWN = 20  # arguments that a message names, at most; chosen for reading

# An argument of a family as other programs have it: what to give here in its place.
OF_FAMILIES = {
    "lower": "low",
    "upper": "high",
    "minimum": "low",
    "maximum": "high",
    "link": "links, such as links={'mean': 'identity'}",
    "n_components": "components",
    "k": "components",
    "dist": "family",
    "distribution": "family",
    "law": "family",
}


def nearest(given: object, allowed: Iterable[str], otherwise: str) -> str:
    """Return a question for the allowed name that one is like; `otherwise` if it is like none."""
    near = difflib.get_close_matches(str(given), list(allowed), n=1)
    return f"Did you mean {near[0]!r}?" if near else otherwise


def saying_what_is_meant(
    init: Callable[..., None], elsewhere: Mapping[str, str]
) -> Callable[..., None]:
    """Return a constructor that says of an unknown argument what to give in its place.

    Its signature stays, by which scikit-learn finds the settings.
    """
    parameters = inspect.signature(init).parameters
    known = [name for name in parameters if name != "self"]
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return init

    @wraps(init)
    def checked(self: Any, *args: Any, **settings: Any) -> None:
        for name in settings:
            if name not in known:
                raise _unknown(type(self).__name__, name, known, elsewhere)
        init(self, *args, **settings)

    return checked


def _unknown(what: str, name: str, known: list[str], elsewhere: Mapping[str, str]) -> TypeError:
    advice = nearest(name, known, "Leave it out.")
    if name in elsewhere and (elsewhere is not OF_FAMILIES or _begins(elsewhere[name], known)):
        advice = f"In its place give {elsewhere[name]}."
    return TypeError(
        f"{what}() got an unexpected keyword argument {name!r}. Allowed: "
        f"{', '.join(known[:_SHOWN]) or 'none'}. {advice}"
    )


def _begins(advice: str, known: list[str]) -> bool:
    """Return whether the argument that is advised is one of a family."""
    return advice.split(",")[0] in known
