"""What scipy's parameters are called here, for messages to those who know scipy's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from skmle.families.base import Family

# Values of scipy's parameters by which one of ours is recognised: unlike each other, inside most
# ranges, and no simple multiples; some laws want shapes above one. A number of trials is whole.
_LOC, _SCALE, _SHAPES, _TRIALS = 0.7182, 1.3791, (0.4142, 0.5772), 7
_SHIFTED = "A law that begins elsewhere is families.Shifted(...) around this one."
_MOVE = 0.01  # by which a parameter is moved, to see what depends on it


def in_our_words(family: Family, name: str) -> str:
    """Return what scipy's parameter `name` is in a family and what to do; "" if it is not known.

    It is found by trying, from `Family.from_scipy`.
    """
    values = _accepted(family)
    if name not in values:
        return ""
    ours, moved = _law(family, values), _law(family, values | {name: values[name] + _MOVE})
    if ours is None or moved is None:
        free = f" {_SHIFTED}" if name == "loc" and not family.support.discrete else ""
        return f"scipy's {name!r} is always {values[name]:g} here. Leave it out.{free}"
    depends = [own for own, value in ours.items() if not np.array_equal(value, moved[own])]
    same = [own for own in depends if np.isclose(ours[own], values[name], rtol=1e-9)]
    if same:
        return f"scipy's {name!r} is {same[0]!r} here. Rename the key."
    if not depends:
        return ""
    parts = ", ".join(map(repr, depends))
    return f"scipy's {name!r} has no name here: it is part of {parts}. Rename the key."


def _accepted(family: Family) -> dict[str, Any]:
    """Return values of scipy's parameters by which it has a law of the family; {} if it has none.

    A loc or a scale that the family does not have is the one that changes nothing.
    """
    if not family.scipy_name:
        return {}
    import scipy.stats

    shapes = getattr(getattr(scipy.stats, family.scipy_name), "shapes", None) or ""
    names = [shape.strip() for shape in shapes.split(",") if shape]
    scales = [{}] if family.support.discrete else [{"scale": _SCALE}, {"scale": 1.0}]
    for more in (0.0, 1.0):
        values: dict[str, Any] = {n: s + more for n, s in zip(names, _SHAPES, strict=False)}
        if family.scipy_name == "binom":
            values["n"] = _TRIALS
        for scale in scales:
            for loc in (_LOC, 0.0):
                if _law(family, tried := values | scale | {"loc": loc}) is not None:
                    return tried
    return {}


def _law(family: Family, values: dict[str, Any]) -> dict[str, Any] | None:
    """Return our parameters of scipy's law, by name; None if it is none of the family."""
    try:
        found = type(family).from_scipy(**{name: np.asarray(v) for name, v in values.items()})
    except (TypeError, ValueError):
        return None
    return None if found is None else dict(zip(found[0].names, found[1], strict=True))
