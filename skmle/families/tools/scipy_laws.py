"""What scipy says of its laws: their shapes, the ends of their support, their log density."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skmle.families.links import Link
from skmle.families.records import Array
from skmle.families.tools.charts import chart_of

# Excess of probabilities over 1 that is rounding. Chosen, not measured.
_ROUNDING = 1e-3
_PICKS = 40  # sets of shapes at which the ends of the support are looked at; chosen
ROUND = ("vonmises",)  # laws on a circle, whose density repeats itself, so that no scale is known
_REAL = ("nbinom", "n")  # that scipy calls a whole number, but takes any
FIXED = "fixed"  # an end that no shape is: a number, or a function of the shapes
SHAPES = {  # trials of a shape, on its chart; they span what the fields that use these laws report
    "identity": (-5.0, -1.5, -0.5, 0.1, 0.5, 1.5, 3.0, 5.0),
    "log": tuple(np.log((0.3, 0.7, 1.3, 2.5, 5.0, 12.0, 40.0))),
    "logit": (-3.0, -1.5, -0.5, 0.5, 1.5, 3.0),
}


def scipy_names() -> list[str]:
    """Return the names of the laws of one number in scipy.stats."""
    from scipy import stats

    laws = (stats.rv_continuous, stats.rv_discrete)
    return [name for name, value in vars(stats).items() if isinstance(value, laws)]


def unfrozen(value: Any) -> Any:
    """Return the law of scipy of one number that this is, or is frozen of; None if it is neither.

    Laws that users have written as scipy's are laws of scipy here.
    """
    from scipy import stats

    laws = (stats.rv_continuous, stats.rv_discrete)
    law = value if isinstance(value, laws) else getattr(value, "dist", None)
    return law if isinstance(law, laws) else None


def is_frozen(value: Any) -> bool:
    """Return whether this is a law of scipy of one number, with its numbers."""
    return unfrozen(value) not in (None, value)


def arguments_of(frozen: Any) -> dict[str, Any]:
    """Return a frozen law's arguments by name: shapes, loc and, unless discrete, scale."""
    law = frozen.dist
    args, loc, scale = law._parse_args(*frozen.args, **frozen.kwds)
    shapes = law.shapes.replace(",", " ").split() if law.shapes else []
    place = {"loc": loc} if getattr(law, "logpdf", None) is None else {"loc": loc, "scale": scale}
    return dict(zip(shapes, args, strict=True)) | place


def arguments_given(frozen: Any) -> set[str]:
    """Return the names of those arguments of a frozen law that were given."""
    shapes = frozen.dist.shapes.replace(",", " ").split() if frozen.dist.shapes else []
    names = [name for name, _ in zip([*shapes, "loc", "scale"], frozen.args, strict=False)]
    return {*names, *frozen.kwds}


def trials_of_shape(chart: Link) -> tuple[float, ...]:
    """Return values of a shape's eta that are worth a try."""
    return SHAPES.get(chart.name.split(" ")[0], SHAPES["log"])


class Place(NamedTuple):
    """Where a law is: all of scipy's arguments, and the ends of its support."""

    loc: float
    scale: float
    shapes: dict[str, float]
    standard: tuple[float, float]
    """The ends of the standard support."""
    ends: tuple[float, float] = (np.nan, np.nan)
    """Those ends of the support that gaps give; nan for the others."""


class Ends(NamedTuple):
    """What the two ends of the standard support are."""

    kinds: tuple[str, str]
    """Of both ends: the shape that it is, "fixed", or "" if it is not always finite."""
    numbers: tuple[float | None, float | None]
    """The ends, where no shape moves them; None where one does."""


@lru_cache(maxsize=256)
def shapes_of(law: Any) -> list[tuple[str, Link, bool]]:
    """Return the name, the chart and whether it is a whole number, of each shape of a law."""
    return [
        (
            info.name,
            chart_of(*(_end(float(end)) for end in info.domain)),
            bool(info.integrality) and (law.name, info.name) != _REAL,
        )
        for info in law._shape_info()
    ]


def _end(end: float) -> float:
    """Return an end of a shape's range; scipy moves one that is not allowed to the next double."""
    return float(f"{end:.14g}") if abs(end) > np.finfo(float).tiny else 0.0


def standard_ends(law: Any, shapes: Mapping[str, float]) -> tuple[float, float]:
    """Return the ends of the support of the standard law; nan where the shapes are none of it."""
    with np.errstate(all="ignore"):
        low, high = law.support(**shapes)
    return float(low), float(high)


@lru_cache(maxsize=256)
def ends_of(law: Any, known: tuple[tuple[str, float], ...]) -> Ends:
    """Return what the ends of a law's support are, from looking at many sets of its shapes."""
    rng, held = np.random.default_rng(0), dict(known)
    seen: list[tuple[dict[str, float], tuple[float, float]]] = []
    for _ in range(_PICKS):
        shapes = {
            name: held[name]
            if name in held
            else float(chart.theta(np.asarray(rng.choice(trials_of_shape(chart)))))
            for name, chart, _ in shapes_of(law)
        }
        ends = standard_ends(law, shapes)
        if not np.isnan(ends).any():
            seen.append((shapes, ends))
    found = []
    for side in (0, 1):
        kind = FIXED if seen and all(np.isfinite(ends[side]) for _, ends in seen) else ""
        for name, _, whole in shapes_of(law):
            if kind and name not in held and not whole:
                if all(shapes[name] == ends[side] for shapes, ends in seen):
                    kind = name
        found.append(kind)
    numbers = [{ends[side] for _, ends in seen} for side in (0, 1)]
    low, high = (each.pop() if len(each) == 1 else None for each in numbers)
    return Ends((found[0], found[1]), (low, high))


def log_mass(law: Any, y: Array, **parameters: Any) -> Array:
    """Return log probabilities of scipy's; nan where they are none.

    Far out in their parameters some of scipy's formulas have lost all digits: one probability is
    above 1, or those of the different values are together.
    """
    found = np.asarray(law.logpmf(y, **parameters), float)
    if found.ndim == 1 and all(np.ndim(value) == 0 for value in parameters.values()):
        _, first = np.unique(y, return_index=True)
        if np.exp(found[first]).sum() > 1.0 + _ROUNDING:
            return np.full(found.shape, np.nan)
    return np.where(found > _ROUNDING, np.nan, found)


def log_density(law: Any, z: Array, at: Place) -> Array:
    """Return the standard log density, as `law.logpdf` does, with a third of its overhead.

    Laws of scipy are made by stating these two methods.
    """
    inside = (z >= at.standard[0]) & (z <= at.standard[1])
    shapes = [np.full(len(z), value) for value in at.shapes.values()]
    if not inside.any() or not np.all(law._argcheck(*at.shapes.values())):
        return np.full(len(z), -np.inf)
    if inside.all():
        return np.asarray(law._logpdf(z, *shapes), float)
    found = np.full(len(z), -np.inf)
    found[inside] = law._logpdf(z[inside], *(shape[inside] for shape in shapes))
    return found
