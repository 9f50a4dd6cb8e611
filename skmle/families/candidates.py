"""Which families suit a sample, and on which scale their log-likelihoods can be compared.

A density is one per unit of y and moves with that unit; a mass is a number without one. So the
log-likelihood of a continuous law is no better than that of a count law by being larger. Whatever
is compared here is on one scale: a continuous law of whole or rounded numbers is asked for the
probability of the interval for which each number stands, by `Rounded`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Family
from skmle.families.tools.atoms import atoms_of
from skmle.families.tools.numbered import numbered
from skmle.families.wrappers.hurdle import Hurdle
from skmle.families.wrappers.rounded import Rounded

# Rows up to which equal values are no sign of anything.
_FEW = 20
# Share of the rows above which one value is a mass of its own, if the others hardly repeat.
_MASS = 0.05
# The last decimal place that is looked at; a number of a table has rarely more.
_LAST_PLACE = -12


class Scale(NamedTuple):
    """What the log-likelihoods of a sample's candidates are of."""

    kind: Literal["labels", "whole", "rounded", "mass at zero", "densities"]
    resolution: float | None = None
    """Distance between neighbouring values, of whole and rounded ones."""
    note: str = ""
    """What is to be said of the sample; "" if nothing."""

    def __str__(self) -> str:
        if self.kind == "rounded":
            return f"probabilities of values rounded to {self.resolution:g}"
        return {
            "labels": "probabilities of labels",
            "whole": "probabilities of whole numbers",
            "mass at zero": "a probability of zero, and densities of the other values",
            "densities": "densities",
        }[self.kind]


def scale_of(x: NDArray[Any], resolution: float | str | None = "auto") -> Scale:
    """Return the scale on which laws of a sample can be compared.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Numbers, or labels.
    resolution : float, "auto" or None, default="auto"
        Distance between neighbouring values if x was rounded; None: it was not, whatever it looks
        like.

    Returns
    -------
    Scale

    Examples
    --------
    >>> import numpy as np
    >>> from skmle.families.candidates import scale_of
    >>> rng = np.random.default_rng(0)
    >>> print(scale_of(rng.normal(size=100)))
    densities
    >>> print(scale_of(rng.poisson(3.0, size=100)))
    probabilities of whole numbers
    >>> print(scale_of(rng.normal(size=100).round(1)))
    probabilities of values rounded to 0.1
    """
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        return Scale("labels")
    values, counts = np.unique(x.astype(float), return_counts=True)
    if isinstance(resolution, (int, float)) and not isinstance(resolution, bool):
        whole = resolution == 1.0 and np.all(values == np.floor(values))
        return Scale("whole" if whole else "rounded", float(resolution))
    if resolution is None:
        return Scale("densities")
    if np.all(values == np.floor(values)):
        step = _decimal_step(values) if len(x) >= _FEW else 1.0
        return Scale("rounded", step) if step > 1.0 else Scale("whole", 1.0)
    return _scale_of_fractions(values, counts)


# Angles from minus a turn to a turn are some; what spreads further are no radians.
TURNS = 4.0 * np.pi
# Rows of a sample that tells whether values repeat.
_LOOKED_AT = 2000


def note_of_repeats(law: Family, x: NDArray[Any]) -> str:
    """Return what is to be said of a density of numbers of which most repeat; "" if nothing."""
    if law.support.discrete or law.repeats or not law.univariate or x.ndim > 1:
        return ""
    looked_at = _some_of(x)
    n, different = len(looked_at), len(np.unique(looked_at))
    if n < _FEW or 4 * different > n:
        return ""
    step = scale_of(looked_at).resolution
    how = "" if step is None else f", resolution={step:g}"
    return (
        f"{different} different values in {n} rows: their density says little beside how they were "
        f"rounded. families.Rounded({type(law).__name__}{how}) gives probabilities, which can be "
        "compared."
    )


def _some_of(x: NDArray[Any]) -> NDArray[Any]:
    """Return rows of a sample that tell whether values repeat."""
    return x[:: max(1, len(x) // _LOOKED_AT)]


def misread(law: Family, x: NDArray[Any], repeats: bool) -> str:
    """Return how a density takes numbers for what they are not; "" where nothing shows that.

    `repeats` is whether `note_of_repeats` has something to say of them.
    """
    if law.observation.circular and np.ptp(x) > TURNS:
        return (
            f"the angles run from {x.min():g} to {x.max():g}, which is more than two turns. "
            "Allowed: angles in radians, of which y and y + 2 pi are one. Give degrees as "
            "numpy.radians(degrees), hours as hours * 2 * numpy.pi / 24; other numbers need "
            "another law, with whose log-likelihood that of angles cannot be compared."
        )
    if not repeats or len(values := np.unique(_some_of(x))) != 2 or len(atoms_of(law)):
        return ""
    return (
        f"the rows have two values, {values[0]:g} and {values[1]:g}, of which a density says "
        "nothing: it can be as large as you like. Allowed: laws of counts or labels, such as "
        "'bernoulli', with whose log-likelihood that of a density cannot be compared. Choose one "
        "of them, or DistributionSearch, which compares on one scale."
    )


def _scale_of_fractions(values: Array, counts: NDArray[np.intp]) -> Scale:
    """Return the scale of numbers of which some are not whole."""
    n = int(counts.sum())
    if n < _FEW or len(values) > n / 2:
        often, most = values[counts.argmax()], int(counts.max())
        if n >= _FEW and most > max(_MASS * n, 2.0):
            return _with_mass(values, float(often), most, n)
        return Scale("densities")
    others = n - int(counts.max())
    if len(values) - 1 > others / 2:
        return _with_mass(values, float(values[counts.argmax()]), int(counts.max()), n)
    step = _decimal_step(values)
    if np.isfinite(step):
        return Scale("rounded", step)
    note = (
        f"{len(values)} different values in {n} rows, on no decimal grid: a density of repeated "
        "values says as much of their repetition as of their law"
    )
    return Scale("densities", note=note)


def _with_mass(values: Array, often: float, most: int, n: int) -> Scale:
    """Return the scale of a sample in which one value is a mass of its own."""
    if often == 0.0 and values[0] == 0.0:
        return Scale("mass at zero")
    note = f"{most} of {n} rows are {often:g}"
    if often in (values[0], values[-1]):
        end = "least" if often == values[0] else "largest"
        note += f", the {end} value: if they were cut off there, use families.Censored"
    return Scale("densities", note=note)


def _decimal_step(values: Array) -> float:
    """Return the largest power of ten of which all values are multiples; inf if there is none."""
    largest = np.abs(values).max()
    first = int(np.floor(np.log10(largest))) if largest > 0.0 else 0
    with np.errstate(over="ignore", invalid="ignore"):
        for place in range(first, _LAST_PLACE - 1, -1):
            multiples = values / 10.0**place if place >= 0 else values * 10.0**-place
            # A decimal number is its double to half a unit of the last digit.
            off = np.abs(multiples - np.round(multiples))
            if np.all(off <= 4.0 * np.finfo(float).eps * np.abs(multiples)):
                return 10.0**place
    return np.inf


# ---------------------------------------------------------------- candidates


class Candidates(NamedTuple):
    """Families for one sample whose log-likelihoods are on one scale."""

    families: Mapping[str, Family]
    """By name; wrapped where that puts them on the scale."""
    refused: Mapping[str, str]
    """Why others are none, by name."""
    scale: Scale


def candidates(
    x: NDArray[Any],
    families: Iterable[Any] | Mapping[str, Any] | str = "auto",
    resolution: float | str | None = "auto",
) -> Candidates:
    """Return the families that suit a sample, all on one scale.

    Parameters
    ----------
    x : ndarray of shape (n,) or (n, p)
        A sample; of several columns, one observation a row.
    families : "auto", sequence or dict of str to family, default="auto"
        What to choose from; "auto": every family of `skmle.families` but those
        of which `not_tried` says why.
    resolution : float, "auto" or None, default="auto"
        As in `scale_of`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle.families.candidates import candidates
    >>> found = candidates(np.array([0.0, 1.0, 1.0, 0.0]), ["uniform", "bernoulli", "gamma"])
    >>> list(found.families)
    ['bernoulli', 'gamma (rounded)']
    >>> found.refused["uniform"]
    'its support moves with its parameters, so that it cannot be rounded'
    """
    scale = scale_of(x, resolution) if x.ndim == 1 else _scale_of_columns(x, resolution)
    spare = isinstance(families, str) and families == "auto"
    found: dict[str, Family] = {}
    refused: dict[str, str] = {}
    for name, family in _named(families).items():
        law, why = _on_scale(family, x, scale, spare)
        if law is None or (spare and family.not_tried):
            refused[name] = why or family.not_tried
        else:
            found[name if law is family else f"{name} ({_words(law)})"] = law
    return Candidates(found, refused, scale)


def _scale_of_columns(x: NDArray[Any], resolution: float | str | None) -> Scale:
    """Return the scale of all columns; they have to share one."""
    each = [scale_of(column, resolution) for column in x.T]
    first, kinds = each[0], {(scale.kind, scale.resolution) for scale in each}
    if len(kinds) == 1:
        return first._replace(note=next((scale.note for scale in each if scale.note), ""))
    told = ", ".join(dict.fromkeys(map(str, each)))
    return Scale("densities", note=f"columns are of several kinds ({told}): search each by itself")


def _named(families: Iterable[Any] | Mapping[str, Any] | str) -> dict[str, Family]:
    from skmle.families import REGISTRY, all_families, get_family

    if isinstance(families, str) and families == "auto":
        return {REGISTRY[cls.__name__][1][0]: cls() for cls in all_families()}
    if isinstance(families, Mapping):
        return {str(name): get_family(family) for name, family in families.items()}
    chosen = [families] if isinstance(families, str) else list(families)
    laws = [get_family(one) for one in chosen]
    pairs = zip(chosen, laws, strict=True)
    return numbered((one if isinstance(one, str) else name_of(law), law) for one, law in pairs)


def name_of(family: Family) -> str:
    """Return the registry's name of a family as it stands there, else how it prints."""
    from skmle.families import REGISTRY

    plain = type(family).__name__ in REGISTRY and repr(family) == repr(type(family)())
    return REGISTRY[type(family).__name__][1][0] if plain else repr(family)


def _words(law: Family) -> str:
    return "rounded" if isinstance(law, Rounded) else "with zeros"


def _on_scale(
    family: Family, x: NDArray[Any], scale: Scale, spare: bool
) -> tuple[Family | None, str]:
    """Return a family, or what a wrapper makes of it, whose likelihood is on the scale; or why not.

    The law that is returned is not adapted to the data, as a fit does that. If it is to `spare`,
    no law is wrapped that has enough parameters to repeat the share of each value.
    """
    columns = 1 if x.ndim == 1 else x.shape[1]
    if columns == 1 and family.observation.columns is None:
        return None, "it is a law of several columns"
    if columns > 1 and family.observation.columns == 1:  # each column is fitted on its own
        return _on_scale_of_each(family, x, scale, spare)
    if not family.observation.has(columns):
        return None, f"its observations have {family.observation.widths} columns, not {columns}"
    if family.observation.numeric == (scale.kind == "labels"):
        kinds = ("numbers", "labels") if family.observation.numeric else ("labels", "numbers")
        return None, f"it is a law of {kinds[0]}, and these are {kinds[1]}"
    if family.support.whole and scale.kind == "rounded":
        return None, f"it is a law of whole numbers, and what is compared here are {scale}"
    why = ""
    for law in (family, *_wrapped(family, scale)):
        try:
            learnt = law.adapt(x)
        except ValueError as refusal:
            why = why or str(refusal)
            continue
        inside = learnt.contains(x)
        if not inside.all():
            outside = x[~inside][0]
            why = why or f"it allows {learnt.observations}, and {outside} is none"
            continue
        few = len(np.unique(x)) <= len(learnt.parameters) + 1
        if spare and law is not family and few:
            why = why or "it has a parameter for each different value but one"
            continue
        given = np.broadcast_to(learnt.densities(learnt.statistics(x)), len(x))
        if np.array_equal(given, _wanted(x, scale)):
            return law, ""
        why = why or _why_other_scale(family, scale)
    return None, why


def _on_scale_of_each(
    family: Family, x: NDArray[Any], scale: Scale, spare: bool
) -> tuple[Family | None, str]:
    law: Family | None = None
    for column in x.T:
        law, why = _on_scale(family, column, scale, spare)
        if law is None:
            return None, why
    return law, ""


def _wrapped(family: Family, scale: Scale) -> list[Family]:
    """Return what may put a continuous family on the scale."""
    plain = not family.support.discrete and family.observation.columns == 1
    if not plain or family.breaks:
        return []
    if scale.resolution is not None and family.support.fixed:
        return [Rounded(family, scale.resolution)]
    if scale.kind == "mass at zero" and family.support.low == 0.0:
        return [Hurdle(family)]
    return []


def _wanted(x: NDArray[Any], scale: Scale) -> Array:
    """Return for each row whether it shall have a density, 1, or a mass, 0."""
    if scale.kind == "mass at zero":
        return (x != 0.0).astype(float)
    return np.full(len(x), float(scale.kind == "densities"))


def _why_other_scale(family: Family, scale: Scale) -> str:
    if not family.support.fixed and scale.resolution is not None:
        return "its support moves with its parameters, so that it cannot be rounded"
    gives = "masses" if family.support.discrete else "densities"
    return f"it gives {gives}, and what is compared here are {scale}"
