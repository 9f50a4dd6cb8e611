"""What families say of themselves and hand to the engine: small records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families.links import Link

if TYPE_CHECKING:
    from skmle.families.base import Family

Array = NDArray[np.float64]
Arrays = tuple[Array, ...]


class WithoutValue(int):
    """An order of derivatives that are wanted alone.

    Families are asked so if their `Shortcuts` say it. The value, which takes time of its own, is
    then nan.
    """


class Rows(NamedTuple):
    """-log q of each row, without the terms that depend on y only, and its derivatives in eta.

    Exactly what the order asks for is there: the value alone (0), the gradient too (1), the
    curvature too (2); the rest is None. Entries are (n,) arrays, or 0-d where they are the same for
    all rows, and the engine broadcasts them. A law whose support is not smooth has the value alone.
    """

    value: Array
    gradient: Sequence[Array] | None = None
    """k entries: the derivative in each eta."""
    curvature: Sequence[Array | None] | Softmax | None = None
    """Second derivatives: the upper triangle, row by row, 00, 01, .., 11, ..; None is zero."""

    def upto(self, order: int) -> Rows:
        """Return the rows up to an order of derivatives, for formulas that make all at once."""
        gradient = self.gradient if order > 0 else None
        return Rows(self.value, gradient, self.curvature if order > 1 else None)

    @property
    def packed(self) -> Sequence[Array | None]:
        """The curvature as an upper triangle, for whoever combines it with another."""
        assert self.curvature is not None
        return self.curvature.packed() if isinstance(self.curvature, Softmax) else self.curvature


class Softmax(NamedTuple):
    """The curvature diag(P) - P P' of a categorical row, by its K - 1 probabilities.

    Its k(k+1)/2 arrays are not formed unless `packed` asks for them.
    """

    probabilities: Array
    """(k, n), or (k, 1) where they are the same for all rows."""

    def packed(self) -> tuple[Array, ...]:
        """Return the upper triangle, row by row."""
        p = self.probabilities
        return tuple(p[a] * (float(a == b) - p[b]) for a, b in triangle(len(p)))


def triangle(k: int) -> list[tuple[int, int]]:
    """Return the places of a packed upper triangle in their order: 00, 01, .., 11, .."""
    return [(a, b) for a in range(k) for b in range(a, k)]


def average(values: Array, weight: Array | None) -> float:
    """Return the (weighted) mean of the rows of one statistic.

    That of ones is exactly 1, so that data at an edge are recognised; that of one row is its value.
    """
    if len(values) == 1:
        return float(values[0])
    if weight is None:
        return float(values.sum() / len(values))
    return float((values * weight).sum() / weight.sum())


class Param(NamedTuple):
    """A parameter of a family: its name, and how the eta of the family's formula is read."""

    name: str
    chart: Link
    """The link on whose eta the formula is written."""
    unit: str = ""
    """How eta moves when y, or the first statistic of y, is measured as (y - origin)/unit.

    "location": eta = (eta - origin)/unit; "scale": eta - log unit; "rate": eta + log unit; "": not
    at all. A fit of a law with a location measures y in units of its own spread.
    """
    modelled: bool = False
    """Whether a regression lets it depend on all features unless told otherwise.

    If no parameter of a family says so, the first does.
    """
    intercept: bool = True
    """Whether its linear predictor in a regression has an intercept.

    Without one, a location that moves all cut points of an ordinal law, say, would not be
    determined.
    """


class Observation(NamedTuple):
    """What one observation of a family is."""

    columns: int | None = 1
    """How many columns it has; None: any number."""
    numeric: bool = True
    """Whether it is made of numbers; else it is a label of any type."""
    finite: bool = True
    """Whether its numbers are finite; else infinite ones are let through to `Family.contains`."""
    also: tuple[int, ...] = ()
    """Other numbers of columns that it may have."""
    rowwise: bool = False
    """Whether rows of any number of columns may have parameters of their own, as a regression's."""
    single: str = ""
    """Of a law of several columns, what to do with data of one column, in a sentence."""
    circular: bool = False
    """Whether it is an angle, the same after a whole turn.

    No wrapper takes such a law: angles have no order, so that it has no intervals and no tails.
    """

    def has(self, columns: int) -> bool:
        """Return whether an observation may have so many columns."""
        return self.columns is None or columns == self.columns or columns in self.also

    @property
    def widths(self) -> str:
        """How many columns it may have, in words."""
        if self.columns is None:
            return "2 or more"
        return " or ".join(str(count) for count in (self.columns, *self.also))

    @property
    def advice(self) -> str:
        """How to come by these columns, in words."""
        given = "Give these columns." if self.finite else "Make such rows by skmle.censored."
        return f"{given} {self.single}".strip()


class Shortcuts(NamedTuple):
    """What the engine may leave out in fits of a family; the defaults are right for all."""

    starts: Literal["near", "maximum", "final"] = "near"
    """What `starts` are for a density.

    They are "near" its maximum; the "maximum", which the engine confirms by the derivatives there;
    or the "final" maximum, which no derivative can confirm (cusps, edges).
    """
    sums: Literal["rows", "statistics", "base"] = "rows"
    """What a density needs of its data.

    It needs all "rows"; or one row, which `collapse` makes of the "statistics", as where `evaluate`
    is affine in them; or this row alone also for the sum of `base`, which `collapse` then keeps in
    it. A wrong claim makes the fit of a density wrong.
    """
    searched: bool = False
    """Whether `starts` take as long as a fit to find, and are never at an end of the law's range.

    Then nobody asks for them where a fit begins at coefficients that are known.
    """
    apart: bool = False
    """Whether `evaluate` knows the order `WithoutValue`, as the value takes much of its time."""


class Saturated(NamedTuple):
    """Chart eta on the way to where a density grows without bound around the observations."""

    first: Array
    """(n,): the eta of the first parameter that reproduces each observation."""
    others: tuple[float, ...]
    """The etas of the other parameters."""
    runs: str
    """The parameter that runs to an end of its range there, such as the scale."""
    power: float = -2.0
    """How its eta goes with the log standard deviation of y: 1 of a scale, -2 of a precision."""
    beside: tuple[str, ...] = ()
    """Parameters of which `first` depends on the values that `others` give them."""
    spread: float = 1.0
    """The spread of y beside which `others` let the law vanish."""


class Stretch(NamedTuple):
    """How a law of positive numbers answers to another unit of y, and to an origin far below y."""

    moves: tuple[float, ...]
    """By how much each chart eta rises with the logarithm of a factor of y."""
    far: Callable[[], Family] | None = None
    """The location-scale family to which y, centred and scaled, tends as its spread vanishes.

    Its parameters follow in the order of the family's. None if there is none.
    """


@dataclass(frozen=True)
class Support:
    """The set of possible observations: an interval, or the whole numbers in it."""

    low: float = -np.inf
    high: float = np.inf
    closed: tuple[bool, bool] = (False, False)
    discrete: bool = False
    whole: bool = False
    """Whether y must be a whole number."""
    rates: bool = False
    """Whether a regression also takes the real numbers between the whole ones.

    They are rates, counts divided by their exposure, with the exposure as weight. The law itself
    gives them no mass.
    """
    fixed: bool = True
    """Whether it is the same for all parameters."""
    smooth: bool = True
    """Whether -log q has derivatives in the parameters wherever it is finite.

    A support that moves may end where the density falls to zero smoothly enough for that. Outside,
    -log q is infinite, and a fit stays inside. Without derivatives, a law is fitted by its ends.
    """

    def contains(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row whether it lies in the support."""
        inside = self.spans(y)
        return inside & (y == np.floor(y)) if self.whole else inside

    def spans(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row whether it lies between the ends of the support."""
        inside = (y >= self.low) if self.closed[0] else (y > self.low)
        return inside & ((y <= self.high) if self.closed[1] else (y < self.high))

    @property
    def interior(self) -> tuple[float, float]:
        """The least and the largest value that are surely inside; of whole numbers, the ends."""
        if self.discrete:
            return self.low, self.high
        room = 1e-8 * (self.high - self.low) if np.isfinite(self.high) else 1e-8
        return self.low + room, self.high - room

    def with_point(self, point: float) -> Support:
        """Return the interval that reaches to a point, too."""
        low, high = min(self.low, point), max(self.high, point)
        closed = self.closed[0] or low == point, self.closed[1] or high == point
        return replace(self, low=low, high=high, closed=closed, rates=False)

    @property
    def somewhere(self) -> float:
        """A value inside, of whole numbers one of them."""
        value = self.between(*self.interior)
        return float(np.ceil(value)) if self.discrete else value

    def between(self, low: float, high: float) -> float:
        """Return a value well inside between two ends, of which one may be infinite."""
        low, high = max(low, self.low), min(high, self.high)
        if np.isfinite(low) and np.isfinite(high):
            return 0.5 * (low + high)
        return low + 1.0 + abs(low) if np.isfinite(low) else high - 1.0 - abs(high)

    def __str__(self) -> str:
        if not (np.isfinite(self.low) or np.isfinite(self.high)):
            return "whole numbers" if self.whole else "finite real numbers"
        signs = [" <= " if closed else " < " for closed in self.closed]
        left = f"{self.low:g}{signs[0]}" if np.isfinite(self.low) and np.isfinite(self.high) else ""
        right = (
            f"{signs[1]}{self.high:g}"
            if np.isfinite(self.high)
            else f"{signs[0].replace('<', '>')}{self.low:g}"
        )
        return f"{left}y{right}" + (", whole numbers" if self.whole else "")


class Density(NamedTuple):
    """The law that is fitted in place of a family where no parameter depends on features."""

    family: Family
    """Its natural parameters are those of the family; its starts are near the maximum."""
    reason: str = ""
    """Why the maximum is at the boundary, or why there is none; "" where it is inside."""
    unbounded: bool = False
    """Whether the likelihood grows without bound along the way on which the start is."""
    stopped: str = ""
    """Why the start, though not the maximum, is the answer; "" if the fit goes on from there."""
    irregular: str = ""
    """Why the start is a maximum that no derivatives confirm; "" if they do."""
    until: float = np.inf
    """The processor time, of `time.thread_time`, at which the fit ends at the latest."""
    found_apart: int = 0
    """How many parameters were estimated on the way, without a derivative."""
