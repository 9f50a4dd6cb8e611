"""Both sides of a law's median, with coordinates in which its tails fall at least exponentially.

They are where `expectation` sums and integrates, and its first panels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Values were chosen, not measured one by one, but where a line says so.
_FAR = 2.0**53  # the last whole number from which doubles resolve the next one
# Levels of the quantiles at which panels begin.
_LEVELS = (1e-8, 1e-4, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1 - 1e-4, 1 - 1e-8)
# Smallest width of a side about the median, absolute and as a share of the median: for laws whose
# quartiles are equal.
_NARROW = 1e-8
# Distances from an end at 0, and from the median towards infinity, at which panels stop: below the
# first doubles lose digits, and the square of the second does not overflow.
_NEAREST, FARTHEST = 1e-300, 1e150
_MANY_WIDTHS = 1e4  # quartile distances of counts within which panels reach at least
_REACHES = 6  # doublings of the outermost quantiles of q at which panels begin, too
_FIRST_STEP = 1e-3  # of t: the shortest doubling panel
_DOUBLINGS = 70  # of the width of panels: more than the 53 binary digits of whole numbers need


class Univariate(Protocol):
    """What an expectation needs of n laws of one column."""

    discrete: bool

    @property
    def size(self) -> int:
        """Number of laws."""

    def take(self, rows: Any) -> Univariate:
        """Return some of the laws."""

    def log_prob(self, y: Array) -> Array:
        """Return log q(y), with one y for each law."""

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Return the quantiles of each law, of shape (n, levels)."""

    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each law."""

    def mirror(self) -> Univariate | None:
        """Return the laws of 1 - Y, if their density is known as exactly; None if not."""

    def atoms(self) -> tuple[float, ...]:
        """Return the values at which all laws have a mass beside their density."""

    def log_mass(self, y: Array) -> Array:
        """Return log P(Y = y) where y is such a value of each law; it is -inf if y is none."""


class Folded:
    """Laws on (0, 1) with medians up to 1/2, whose points are told from the end that is nearer.

    Floats are dense next to 0 and coarse next to 1. So a point y > 1/2 is told as y - 1, which is
    negative, and the law is asked there as that of 1 - Y.

    Parameters
    ----------
    law, mirror : Univariate
        Laws of Y, and those of 1 - Y.
    """

    discrete = False

    def __init__(self, law: Univariate, mirror: Univariate) -> None:
        self.law, self.mirror_ = law, mirror

    @property
    def size(self) -> int:
        """Number of laws."""
        return self.law.size

    def take(self, rows: Any) -> Folded:
        """Return some of the laws."""
        return Folded(self.law.take(rows), self.mirror_.take(rows))

    def log_prob(self, y: Array) -> Array:
        """Return log q(y), with one point for each law."""
        result, beyond = np.empty(len(y)), np.signbit(y)
        for part, law in ((~beyond, self.law), (beyond, self.mirror_)):
            if part.any():
                result[part] = law.take(part).log_prob(np.abs(y[part]))
        return result

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Return the quantiles of each law, of shape (n, levels)."""
        rest = [1.0 - level for level in levels]
        return _folded(self.law.quantiles(levels), self.mirror_.quantiles(rest))

    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each law."""
        ends = np.stack(self.law.support())
        low, high = _folded(ends, 1.0 - ends)
        return low, high

    def mirror(self) -> None:
        """Return None: both ends are seen already."""
        return None

    def atoms(self) -> tuple[float, ...]:
        """Return none: laws that know their mirror are densities."""
        return ()

    def log_mass(self, y: Array) -> Array:
        """Return -inf: there is no value with a mass."""
        return np.full(len(y), -np.inf)


def _folded(y: Array, rest: Array) -> Array:
    """Return points of (0, 1), those above 1/2 by way of 1 - y, as `Folded` tells them."""
    rest = np.where(np.isnan(rest), 1.0 - y, rest)  # of a mirror whose mean has been rounded to 1
    return np.where(y > 0.5, -np.clip(rest, 0.0, 0.5), np.clip(y, 0.0, 0.5))


def unfolded(y: Array) -> Array:
    """Return the points themselves, rounded."""
    return np.where(np.signbit(y), 1.0 + y, y)


@dataclass(frozen=True)
class Sides:
    """The sides of the laws' medians, m of them, each with its coordinate t.

    On a side y = centre + sign * d. With the length R of the side and the width w of the law there,
    e^t = (1 + d/w)/(1 - d/R): t is d/w next to the median, log(d/w) farther out, and log(R/(R - d))
    next to the end, if there is one.
    """

    row: Index
    """The law to which a side belongs."""
    sign: Array
    """1 for an upper side, -1 for a lower one."""
    centre: Array
    """The median."""
    end: Array
    """Where the support ends."""
    reach: Array
    """The length of the side, from the median to the end."""
    width: Array
    """Distance over which t is about linear."""
    last: Array
    """The t beyond which floats do not resolve y."""
    lattice: bool
    """Whether the laws are those of whole numbers, so that t is the distance itself."""
    folded: bool
    """Whether points are told as `Folded` has them."""

    def place(self, side: Index, t: Array) -> tuple[Array, Array]:
        """Return y and log |dy/dt| at t, of shape (panels, nodes)."""
        sign, centre, end, reach, width = (
            v[side][:, None] for v in (self.sign, self.centre, self.end, self.reach, self.width)
        )
        if self.lattice:
            return centre + sign * t, np.zeros(())
        left = 1.0 / reach + np.exp(-t) / width
        distance = -np.expm1(-t) / left
        rest = np.exp(np.log1p(reach / width) - t) / left  # up to the end
        # Told from where it loses fewer digits.
        y = np.where(rest < distance, end - sign * rest, centre + sign * distance)
        return y, np.log(1.0 / width + 1.0 / reach) - t - 2.0 * np.log(left)

    def locate(self, y: Array) -> Array:
        """Return the t of points y of each law; nan where a point is not on the side.

        The points have shape (n, points), their t has shape (m, points).
        """
        y = y[self.row]
        sign, centre, end, reach, width = (
            v[:, None] for v in (self.sign, self.centre, self.end, self.reach, self.width)
        )
        distance = sign * (unfolded(y) - unfolded(centre)) if self.folded else sign * (y - centre)
        if self.lattice:
            return np.where(distance >= 0.0, np.floor(distance), np.nan)
        near = np.signbit(y) == np.signbit(end) if self.folded else np.isfinite(end)
        rest = np.where(near, sign * (end - y), reach - distance)
        left = np.where(rest < 0.5 * reach, np.log(rest / reach), np.log1p(-distance / reach))
        return np.where(distance > 0.0, np.log1p(distance / width) - left, np.nan)


def sides_of(p: Univariate, signs: tuple[float, ...]) -> Sides:
    """Return the sides of the laws' medians that `signs` names."""
    row, sign = np.tile(np.arange(p.size), len(signs)), np.repeat(signs, p.size)
    folded = isinstance(p, Folded)
    plain = unfolded if folded else np.asarray
    low, high = p.support()
    lower, centre, upper = plain(p.quantiles((0.25, 0.5, 0.75)))[row].T
    end = np.where(sign < 0.0, low[row], high[row])
    width = sign * (np.where(sign < 0.0, lower, upper) - centre)
    narrow = np.maximum(_NARROW * np.abs(centre), _NARROW)
    reach = np.abs(plain(end) - centre)
    # A width that is no number, too, has the narrow one in its place.
    width = np.clip(np.where(width > 0.0, width, narrow), 1e-140, 1e140)
    if p.discrete:
        last = np.minimum(reach, np.maximum(_FAR, _MANY_WIDTHS * width))
    else:
        # Next to an end that is not zero, doubles resolve a few units in the last place.
        nearest = np.maximum(_NEAREST, 4.0 * np.spacing(np.abs(end)))
        to_end = np.log(reach) - np.log(nearest) + np.log1p(reach / width)
        last = np.where(np.isfinite(end), to_end, np.log1p(FARTHEST / width))
    last = np.maximum(last, 0.0)
    return Sides(row, sign, centre, end, reach, width, last, p.discrete, folded)


def first_panels(sides: Sides, p: Univariate, q: Univariate) -> tuple[Index, Array, Array]:
    """Return the first panels: for each its side, its beginning and its end."""
    own = sides.locate(p.quantiles(_LEVELS))
    shortest = 1.0 if sides.lattice else _FIRST_STEP
    step = np.fmax(np.nan_to_num(own).max(axis=1, keepdims=True), shortest)
    marks = [own, step * 2.0 ** np.arange(1, _DOUBLINGS)]
    if q is not p:
        theirs = q.quantiles(_LEVELS)
        # Where q is narrow beside p, its tails end within a panel of p.
        middle = theirs[:, len(_LEVELS) // 2, None]
        reach = (theirs[:, [0, -1]] - middle)[:, :, None] * 2.0 ** np.arange(1, _REACHES)
        beyond = middle + reach.reshape(len(theirs), 2 * (_REACHES - 1))
        ends = sides.locate(np.column_stack(q.support()))
        marks += [ends, sides.locate(np.column_stack([theirs, beyond]))]
        if sides.lattice:  # a panel of masses does not include its end
            marks.append(ends + 1.0)
    first, last = np.zeros((len(sides.row), 1)), sides.last[:, None]
    if sides.lattice:
        # The median itself belongs to the upper side.
        first, last = np.where(sides.sign < 0.0, 1.0, 0.0)[:, None], last + 1.0
    edges = np.concatenate([first, np.nan_to_num(np.hstack(marks), nan=0.0), last], axis=1)
    edges = np.sort(np.clip(edges, first, np.maximum(last, first)), axis=1)
    side, at = np.nonzero(edges[:, 1:] > edges[:, :-1])
    return side, edges[side, at], edges[side, at + 1]
