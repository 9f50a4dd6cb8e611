"""Expectations under a law of one column where no closed form is known: adaptive sums, the same for densities and masses.

The line is cut at the median. On each side a coordinate t >= 0 turns every usual tail into one that falls at most
exponentially and every usual singularity at an end of the support into such a tail; for masses t counts whole numbers.
Panels between quantiles, doubling in width outwards, are halved until the halves agree with the whole. Nothing is cut
off: panels reach to where floats end, and what lies beyond is the integral of the exponential found there, or infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Gain = Callable[[Array, Array], Array]
"""What is averaged under p, of log p and log q at the same points."""

_AGREEMENT = 1e-11  # of a panel with its halves, relative to the whole; the halves are then better by orders of magnitude
_FLOOR = 1e-5  # added to the whole: no digits beyond 1e-16 are looked for in a divergence that is nearly zero
_HALVINGS = 60  # a kink in the middle of a panel is isolated to the last digit by then
_CROWD = 256  # open panels a row at which differences are taken for rounding errors, which halving does not cure
_ROWS = 128  # rows at a time: 1 to 10 MB of panels
_SHORT = 64  # whole numbers in a panel that are summed one by one; longer panels by 12 of them
_FAR = 2.0**53  # last whole number that floats resolve
_SLOWEST = 1e-6  # rates below it are zero up to rounding: the integral diverges
_LEVELS = (
    1e-8,
    1e-4,
    0.01,
    0.1,
    0.25,
    0.5,
    0.75,
    0.9,
    0.99,
    1 - 1e-4,
    1 - 1e-8,
)  # quantiles to cut at


class Univariate(Protocol):
    """What an expectation needs of a law of one column with n rows of parameters."""

    discrete: bool

    @property
    def size(self) -> int:
        """Number of rows."""

    def take(self, rows: Any) -> Univariate:
        """Return the law with these rows."""

    def log_prob(self, y: Array) -> Array:
        """Return log q(y), one y a row."""

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Return the quantiles of each row, of shape (n, levels)."""

    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each row."""

    def mirror(self) -> Univariate | None:
        """Return the law of 1 - Y, if its density is as well known there."""


def expectation(p: Univariate, q: Univariate, gain: Gain) -> Array:
    """Return E_p[gain(log p(Y), log q(Y))] of each row; inf if it diverges.

    Parameters
    ----------
    p, q : Univariate
        With as many rows; the support of p lies in that of q, or `gain` is bounded where q = 0.
    gain : callable
        Of log p and log q.
    """
    with np.errstate(all="ignore"):  # both laws are asked far out in their tails
        if p.size <= _ROWS:
            return _block(p, q, gain)
        blocks = [slice(start, start + _ROWS) for start in range(0, p.size, _ROWS)]
        pairs = (
            (part, part if q is p else q.take(block))
            for block in blocks
            for part in [p.take(block)]
        )
        return np.concatenate([_block(*pair, gain) for pair in pairs])


def _block(p: Univariate, q: Univariate, gain: Gain) -> Array:
    p_mirror, q_mirror = p.mirror(), q.mirror()
    if p_mirror is None or q_mirror is None:
        return _expectation(p, q, gain, (-1.0, 1.0))
    # Next to an end at 0 floats are fine: the upper side is the mirror's lower side.
    return _expectation(p, q, gain, (-1.0,)) + _expectation(
        p_mirror, p_mirror if q is p else q_mirror, gain, (-1.0,)
    )


def _expectation(p: Univariate, q: Univariate, gain: Gain, signs: tuple[float, ...]) -> Array:
    sides = _sides(p, signs)

    def integrand(side: Index, t: Array) -> Array:
        y, log_slope = sides.place(side, t)
        rows = np.repeat(sides.row[side], t.shape[1])
        log_p = p.take(rows).log_prob(y.ravel()).reshape(t.shape)
        log_q = log_p if q is p else q.take(rows).log_prob(y.ravel()).reshape(t.shape)
        weight = np.exp(log_p + log_slope)
        return np.where(weight > 0.0, weight * gain(log_p, log_q), 0.0)

    total, size = _adapt(
        _count if p.discrete else _gauss, integrand, sides, *_panels(sides, p, q), p.size
    )
    return total + _beyond(integrand, sides, size)


# ---------------------------------------------------------------- coordinates


@dataclass(frozen=True)
class _Sides:
    """Sides of each row's median, m of them: y = centre + sign * distance, distance a function of t >= 0."""

    row: Index
    sign: Array
    centre: Array
    end: Array
    width: Array
    """Distance over which t is about linear, where the side has no end."""
    last: Array
    """The t beyond which floats do not resolve y."""
    lattice: bool

    def place(self, side: Index, t: Array) -> tuple[Array, Array]:
        """Return y and log |dy/dt| at t, of shape (panels, nodes)."""
        sign, centre, end, width = (
            v[side][:, None] for v in (self.sign, self.centre, self.end, self.width)
        )
        if self.lattice:
            return centre + sign * t, np.zeros(())
        reach, ended = np.abs(end - centre), np.isfinite(end)
        y = np.where(ended, end - sign * reach * np.exp(-t), centre + sign * width * np.expm1(t))
        return y, np.where(ended, np.log(reach) - t, np.log(width) + t)

    def locate(self, y: Array) -> Array:
        """Return t of y, of shape (n, marks), as (m, marks); nan where y is not on the side."""
        y = y[self.row]
        sign, centre, end, width = (
            v[:, None] for v in (self.sign, self.centre, self.end, self.width)
        )
        distance = sign * (y - centre)
        if self.lattice:
            return np.where(distance > 0.0, np.floor(distance), np.nan)
        t = np.where(
            np.isfinite(end),
            -np.log1p(-distance / np.abs(end - centre)),
            np.log1p(distance / width),
        )
        return np.where(distance > 0.0, t, np.nan)


def _sides(p: Univariate, signs: tuple[float, ...]) -> _Sides:
    row, sign = np.tile(np.arange(p.size), len(signs)), np.repeat(signs, p.size)
    low, high = p.support()
    lower, centre, upper = p.quantiles((0.25, 0.5, 0.75))[row].T
    end = np.where(sign < 0.0, low[row], high[row])
    width = sign * (np.where(sign < 0.0, lower, upper) - centre)
    width = np.clip(
        np.where(width > 0.0, width, np.maximum(1e-8 * np.abs(centre), 1e-8)), 1e-140, 1e140
    )
    reach = np.abs(end - centre)
    if p.discrete:
        last = np.minimum(reach, _FAR)
    else:
        # Ends: down to 1e-300, or to four units in the last place of an end that is not zero. Tails: up to 1e150, whose
        # square does not overflow.
        last = np.where(
            np.isfinite(end),
            np.log(reach / np.maximum(1e-300, 4.0 * np.spacing(np.abs(end)))),
            np.log1p(1e150 / width),
        )
    return _Sides(row, sign, centre, end, width, np.maximum(last, 0.0), p.discrete)


def _panels(sides: _Sides, p: Univariate, q: Univariate) -> tuple[Index, Array, Array]:
    """Return the side, the beginning and the end of the first panels."""
    own = sides.locate(p.quantiles(_LEVELS))
    step = np.fmax(np.nan_to_num(own).max(axis=1, keepdims=True), 1.0 if sides.lattice else 1e-3)
    marks = [own, step * 2.0 ** np.arange(1, 70)]
    if q is not p:
        marks.append(sides.locate(np.column_stack([*q.support(), q.quantiles(_LEVELS)])))
    # The whole numbers of the median are on its upper side; panels of masses do not include their end.
    first = (
        np.where(sides.sign < 0.0, 1.0, 0.0)[:, None]
        if sides.lattice
        else np.zeros((len(sides.row), 1))
    )
    last = sides.last[:, None] + (1.0 if sides.lattice else 0.0)
    edges = np.concatenate(
        [first, np.nan_to_num(np.concatenate(marks, axis=1), nan=0.0), last], axis=1
    )
    edges = np.sort(np.clip(edges, first, np.maximum(last, first)), axis=1)
    side, at = np.nonzero(edges[:, 1:] > edges[:, :-1])
    return side, edges[side, at], edges[side, at + 1]


# ---------------------------------------------------------------- rules

Integrand = Callable[[Index, Array], Array]


class _Sum(NamedTuple):
    value: Array
    size: Array
    """The same sum of absolute values."""


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_COARSE = np.polynomial.legendre.leggauss(12)[0]


def _weigh(values: Array, weights: Array) -> _Sum:
    return _Sum((values * weights).sum(axis=1), (np.abs(values) * weights).sum(axis=1))


def _gauss(integrand: Integrand, side: Index, low: Array, high: Array) -> _Sum:
    half = 0.5 * (high - low)[:, None]
    return _weigh(integrand(side, low[:, None] + half * (1.0 + _NODES)), half * _WEIGHTS)


def _count(integrand: Integrand, side: Index, low: Array, high: Array) -> _Sum:
    """Sum over the whole numbers low <= t < high: all of them, or a rule with 12 nodes that is exact for polynomials."""
    count = high - low
    value, size = np.zeros(len(side)), np.zeros(len(side))
    for part, rule in ((count <= _SHORT, _each), (count > _SHORT, _some)):
        if part.any():
            t, weights = rule(low[part], count[part])
            value[part], size[part] = _weigh(integrand(side[part], t), weights)
    return _Sum(value, size)


def _each(low: Array, count: Array) -> tuple[Array, Array]:
    steps = np.arange(max(count.max(), 1.0))
    inside = steps < count[:, None]
    return low[:, None] + np.where(inside, steps, 0.0), inside.astype(float)


def _some(low: Array, count: Array) -> tuple[Array, Array]:
    kinds, which = np.unique(count, return_inverse=True)
    rules = [_lattice_rule(float(kind)) for kind in kinds]
    steps, weights = (np.array(part, float)[which] for part in zip(*rules, strict=True))
    return low[:, None] + steps, weights


@lru_cache(maxsize=1024)
def _lattice_rule(count: float) -> tuple[Array, Array]:
    """Return steps and weights of a sum over 0, 1, ..., count - 1: Gauss's nodes rounded, exact for degrees below 12.

    Exactness is stated in the polynomials that are orthogonal on the lattice (Gram's, by their recurrence): all but the
    first sum to zero. They tend to Legendre's for many points.
    """
    steps = np.rint(0.5 * count * (1.0 + _COARSE) - 0.5)
    x = (2.0 * steps - count + 1.0) / count
    grams = [np.ones_like(x), x]
    for k in range(1, len(x) - 1):
        grams.append(
            ((2 * k + 1) * x * grams[k] - k * (1.0 - (k / count) ** 2) * grams[k - 1]) / (k + 1)
        )
    target = np.zeros(len(x))
    target[0] = count
    return steps, np.asarray(np.linalg.solve(np.array(grams), target), float)


def _adapt(
    rule: Callable[[Integrand, Index, Array, Array], _Sum],
    integrand: Integrand,
    sides: _Sides,
    side: Index,
    low: Array,
    high: Array,
    n: int,
) -> tuple[Array, Array]:
    """Return for each row the sum over its panels, and that of absolute values."""
    whole = rule(integrand, side, low, high).value
    total, settled = np.zeros(n), np.zeros(n)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        middle = np.floor(middle) if sides.lattice else middle
        side, low, high = (
            np.tile(side, 2),
            np.concatenate([low, middle]),
            np.concatenate([middle, high]),
        )
        half = rule(integrand, side, low, high)
        refined, size = (v.reshape(2, -1).sum(axis=0) for v in half)
        row = sides.row[side[: len(refined)]]
        scale = settled + np.bincount(row, size, minlength=n)
        unsettled = np.abs(refined - whole) > _AGREEMENT * (
            scale[row] + _FLOOR
        )  # not where both are infinite
        total += np.bincount(row[~unsettled], refined[~unsettled], minlength=n)
        settled += np.bincount(row[~unsettled], size[~unsettled], minlength=n)
        keep = np.tile(unsettled, 2)
        side, low, high, whole, size = (
            side[keep],
            low[keep],
            high[keep],
            half.value[keep],
            half.size[keep],
        )
        if not len(side) or len(side) > _CROWD * n:
            break
    row = sides.row[side]
    return total + np.bincount(row, whole, minlength=n), settled + np.bincount(
        row, size, minlength=n
    )


def _beyond(integrand: Integrand, sides: _Sides, size: Array) -> Array:
    """Return what lies beyond the last panels, where the integrand falls like an exponential of t (a power of a count)."""
    side = np.arange(len(sides.row))
    if sides.lattice:
        open_ended, inner, length = (
            np.isinf(sides.end),
            np.floor(sides.last / 16.0),
            np.full(len(side), np.log(16.0)),
        )
    else:
        length = np.minimum(20.0, 0.5 * sides.last)
        open_ended, inner = sides.last > 0.0, sides.last - length
    value, before = integrand(side, np.stack([sides.last, inner], axis=1)).T
    if sides.lattice:
        value, before = value * sides.last, before * inner  # d t = t d log t
    rate = np.log(np.abs(before / value)) / length
    # Beneath the rounding error of the rest, or nothing: neither its rate nor its value matters.
    matters = open_ended & (np.abs(value) > 1e-16 * size[sides.row])
    rest = np.where(
        matters, np.where(rate > _SLOWEST, value / rate, np.copysign(np.inf, value)), 0.0
    )
    return np.asarray(np.bincount(sides.row, rest, minlength=len(size)), float)
