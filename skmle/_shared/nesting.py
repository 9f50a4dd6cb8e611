"""Whether one fitted model is a special case of another.

It is one if its law is that of the other, perhaps with parameters held or at an end of their range,
and each of its linear predictors is one that the other can have, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.sums import strata
from skmle._engine.likelihood.design import Term
from skmle.families import Family
from skmle.families.wrappers.fixed import Fixed

Array = NDArray[np.float64]

# Share of a column's length by which it may lie outside of a span: more than rounding leaves of
# columns that were standardised. Chosen, not measured.
_OUTSIDE = 1e-7
# Numbers of a design up to which its span is taken from all rows; of more, from a sample.
_NUMBERS = 10**7


class Law(NamedTuple):
    """A law with the linear predictors of its parameters, as they were stated."""

    family: Family
    terms: Sequence[Term]
    names: Sequence[str]
    """Of all columns of X."""
    n: int = 0
    """Number of rows; 0: columns are known by their names alone."""
    X: Any = None
    offset: Array | None = None


class Nested(NamedTuple):
    """How a model is a special case of another."""

    left_out: tuple[str, ...]
    """The coefficients that it lacks, and the parameters that it holds, as equations."""
    at_end: bool
    """Whether it stands at an end of a parameter's range."""


class Apart(Exception):
    """Why a model is no special case of another, in words."""


class _Match(NamedTuple):
    """How the law of the smaller model is found within that of the larger one."""

    places: Mapping[str, str]
    """For each parameter of the smaller law, the parameter of the larger one that it is."""
    held: Mapping[str, float]
    """The parameters of the larger law that the smaller one holds."""
    at_end: str = ""
    """The one that it holds at an end of its range; "" if there is none."""


def nested(smaller: Law, larger: Law) -> Nested:
    """Return how one model is a special case of another.

    Raises
    ------
    Apart
        If it is none.
    """
    match = _matched(smaller.family, larger.family)
    names = [param.name for param in smaller.family.parameters]
    own = {
        match.places[n]: (j, t) for j, (n, t) in enumerate(zip(names, smaller.terms, strict=True))
    }
    equations: list[str] = []
    # Classes have the same columns, each with slopes of its own.
    several = sum(t.columns is not None for t in larger.terms) > 1
    several = several and larger.family.observation.numeric
    for j, (param, term) in enumerate(zip(larger.family.parameters, larger.terms, strict=True)):
        prefix = f"{param.name}:" if several else ""
        if param.name == match.at_end:
            if term.columns is not None:
                raise Apart(f"at {param.name} = {match.held[param.name]:g} its columns say nothing")
            equations.append(f"{param.name} = {match.held[param.name]:g}")
        elif param.name in match.held:
            value = match.held[param.name]
            eta = float(larger.family.link(j).eta(np.asarray(value)))
            if not term.intercept and eta != 0.0:
                raise Apart(f"{param.name} cannot be {value:g} in all rows without an intercept")
            equations += [f"{prefix}{larger.names[c]} = 0" for c in _columns(larger, term)]
            equations.append(f"{param.name} = {value:g}")
        else:
            place, one = own[param.name]
            _check_span(_Side(smaller, place, one), _Side(larger, j, term), param.name)
            kept = {smaller.names[c] for c in _columns(smaller, one)}
            left = [larger.names[c] for c in _columns(larger, term)]
            left = [name for name in left if name not in kept]
            left += ["intercept"] * (term.intercept and not one.intercept)
            equations += [f"{prefix}{name} = 0" for name in left]
    return Nested(tuple(dict.fromkeys(equations)), bool(match.at_end))


# ---------------------------------------------------------------- laws


def _matched(smaller: Family, larger: Family) -> _Match:
    """Return how one law is a special case of another; raise Apart if it is none."""
    (small, values), (large, known) = _unwrapped(smaller), _unwrapped(larger)
    for law, places, held, end in _cases(large):
        if held.keys() & known.keys() or not same_law(small, law):
            continue
        fixed = {places[name]: value for name, value in values.items()}
        if all(fixed.get(name) == value for name, value in known.items()):
            rest = {name: value for name, value in fixed.items() if name not in known}
            return _Match(places, held | rest, end)
        name = next(n for n, value in known.items() if fixed.get(n) != value)
        raise Apart(f"it has {name} = {fixed.get(name, 'free')}, the larger {known[name]:g}")
    if smaller.title == larger.title:
        raise Apart(f"its law, {smaller.title}, has other links or settings")
    raise Apart(f"its law is {smaller.title}, which is no special case of {larger.title}")


def _cases(law: Family) -> list[tuple[Family, dict[str, str], dict[str, float], str]]:
    """Return a law and its special cases: the law, its parameters, what is held, what at an end."""
    names = [param.name for param in law.parameters]
    found: list[Any] = [(law, dict(zip(names, names, strict=True)), {}, "")]
    for limits, at_end in ((law.limits, True), (law.special_cases, False)):
        for limit in limits:
            own = [param.name for param in limit.family.parameters]
            places = dict(zip(own, limit.places or own, strict=True))
            end = limit.parameter if at_end else ""
            found.append((limit.family, places, {limit.parameter: limit.value}, end))
    return found


def _unwrapped(law: Family) -> tuple[Family, dict[str, float]]:
    """Return a law without the values that are held, and these."""
    return (law.inner, dict(law.values)) if isinstance(law, Fixed) else (law, {})


def same_law(one: Any, other: Any) -> bool:
    """Return whether two families are the same with the same links and settings."""
    if type(one) is not type(other) or len(one.parameters) != len(other.parameters):
        return False
    if any(one.link(j) != other.link(j) for j in range(len(one.parameters))):
        return False
    mine, yours = one.get_params(deep=False), other.get_params(deep=False)
    return all(_same(mine[name], yours[name]) for name in mine if name != "links")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Family) and isinstance(other, Family):
        return same_law(one, other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other))


# ---------------------------------------------------------------- columns


class _Side(NamedTuple):
    """One parameter of one of the models."""

    law: Law
    place: int
    term: Term

    def vectors(self, rows: NDArray[np.intp] | slice) -> Array:
        """Return the columns that its predictor is made of, (rows, k)."""
        X, count = self.law.X, self.law.n
        parts = [np.ones((count, 1))[rows]] * self.term.intercept
        if self.term.columns is not None:
            part = X[rows][:, self.term.columns]
            parts.append(part.toarray() if sp.issparse(part) else np.asarray(part))
        return np.column_stack([np.zeros((count, 0))[rows], *parts]).astype(float)

    def known(self, rows: NDArray[np.intp] | slice) -> Array:
        """Return the part of its predictor that is known, (rows,)."""
        offset = self.law.offset if self.place == 0 else None
        return (np.zeros(self.law.n) if offset is None else offset)[rows]


def _columns(law: Law, term: Term) -> list[int]:
    """Return the places of a term's columns in X."""
    if term.columns is None:
        return []
    return [int(c) for c in np.arange(len(law.names))[term.columns]]


def _check_span(one: _Side, other: _Side, name: str) -> None:
    """Raise Apart unless one predictor is among those that another can be."""
    if one.law.n == 0:
        kept = {other.law.names[c] for c in _columns(other.law, other.term)}
        missing = [one.law.names[c] for c in _columns(one.law, one.term)]
        missing = [c for c in missing if c not in kept]
        if one.term.intercept and not other.term.intercept:
            missing.append("an intercept")
        if missing:
            raise Apart(f"its {name} depends on {', '.join(missing)}, that of the larger does not")
        return
    n, width = one.law.n, one.term.length + other.term.length
    rows = slice(None) if n * width <= _NUMBERS else strata(n, max(_NUMBERS // width, 10 * width))
    basis = other.vectors(rows)
    wanted = np.column_stack([one.vectors(rows), one.known(rows) - other.known(rows)])
    lengths = np.linalg.norm(basis, axis=0)
    basis = basis[:, lengths > 0.0] / lengths[lengths > 0.0]
    sizes = np.linalg.norm(wanted, axis=0)
    wanted = wanted[:, sizes > 0.0] / sizes[sizes > 0.0]
    rest = wanted - basis @ np.linalg.lstsq(basis, wanted, rcond=None)[0]
    outside = np.linalg.norm(rest, axis=0) > _OUTSIDE
    if outside.any():
        raise Apart(
            f"{int(outside.sum())} of the columns, offset included, on which its {name} depends "
            "are no combinations of those of the larger"
        )
