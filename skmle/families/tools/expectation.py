"""Expectations under a law of one column where no closed form is known.

They are adaptive sums, and densities and masses are treated alike:

1. The line is cut at the median. Each side gets a coordinate t >= 0. For masses t counts whole
   numbers. For densities t is chosen so that usual tails fall at least exponentially in t, and that
   usual singularities at an end of the support become such tails. Points next to the median are
   told from there, those next to an end from the end.
2. Each side is divided into panels: first between quantiles, then of doubling width outwards.
3. Panels are halved until the two halves agree with the whole.
4. Nothing is cut off. The panels reach to where floats end. What lies beyond is the integral of the
   exponential that is found there, which may be infinite.
5. Values at which a law has a mass beside its density are added one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skmle.families.tools.sides import (
    FARTHEST,
    Array,
    Folded,
    Index,
    Sides,
    Univariate,
    first_panels,
    sides_of,
)

Gain = Callable[[Array, Array], Array]
"""What is averaged under p, of log p and log q at the same points."""

# These values follow from double precision where a line says so; the others were chosen, not
# measured one by one. The tests compare the sums with closed forms and with independent rules.
# A panel is settled if it differs from its halves by less than this share of the sum of absolute
# values; the halves are better than that by orders of magnitude.
_AGREEMENT = 1e-11
# Added to the sum of absolute values, so that in a divergence that is nearly zero no digits below
# 1e-16, the product of the two, are looked for.
_FLOOR = 1e-5
# At most: a double has 53 binary digits, so that a kink inside a panel is then isolated to the
# last.
_HALVINGS = 60
# Open panels for each law at which their differences must be rounding errors, which no halving
# cures.
_CROWD = 256
_LAWS = 128  # laws that are treated at once: their panels take 1 to 10 MB
_SHORT = 64  # longest panel of whole numbers that is summed one by one; longer ones take 12 nodes
# Rate of an exponential in t below which it does not fall, but for rounding: the integral diverges.
_SLOWEST = 1e-6
_FAR_PANELS = 256  # of the logarithm of counts beyond: each is about one unit long


def expectation(p: Univariate, q: Univariate, gain: Gain) -> Array:
    """Return E_p[gain(log p(Y), log q(Y))] for each pair of laws; inf if it diverges.

    Parameters
    ----------
    p, q : Univariate
        The same number of laws. The support of p lies in that of q, or `gain` is bounded where q
        is 0.
    gain : callable
        (log p, log q) -> what is averaged.
    """
    with np.errstate(all="ignore"):  # both laws are asked far out in their tails
        if p.size <= _LAWS:
            return _both_ends(p, q, gain)
        results = []
        for start in range(0, p.size, _LAWS):
            part = p.take(slice(start, start + _LAWS))
            other = part if q is p else q.take(slice(start, start + _LAWS))
            results.append(_both_ends(part, other, gain))
        return np.concatenate(results)


def _both_ends(p: Univariate, q: Univariate, gain: Gain) -> Array:
    """Return the expectations; under laws on (0, 1) with points told from both ends."""
    p_mirror, q_mirror = p.mirror(), q.mirror()
    if p_mirror is None or q_mirror is None:
        return _expectation(p, q, gain)
    low, high = p.support()
    inside = (low >= 0.0) & (high <= 1.0)
    upper = p.quantiles((0.5,))[:, 0] > 0.5
    result = np.empty(p.size)
    for rows, fold in (
        (~inside, lambda law, mirror: law),
        (inside & ~upper, Folded),
        (inside & upper, lambda law, mirror: Folded(mirror, law)),
    ):
        if rows.any():
            one = fold(p.take(rows), p_mirror.take(rows))
            two = one if q is p else fold(q.take(rows), q_mirror.take(rows))
            result[rows] = _expectation(one, two, gain)
    return result


def _expectation(p: Univariate, q: Univariate, gain: Gain) -> Array:
    """Return the expectations on both sides of the medians."""
    sides = sides_of(p, (-1.0, 1.0))

    def integrand(side: Index, t: Array) -> Array:
        y, log_slope = sides.place(side, t)
        rows = np.repeat(sides.row[side], t.shape[1])
        log_p = p.take(rows).log_prob(y.ravel()).reshape(t.shape)
        log_q = log_p if q is p else q.take(rows).log_prob(y.ravel()).reshape(t.shape)
        weight = np.exp(log_p + log_slope)
        return np.where(weight > 0.0, weight * gain(log_p, log_q), 0.0)

    rule = count if p.discrete else _gauss
    total, size = adapt(rule, integrand, sides, *first_panels(sides, p, q), p.size)
    return total + _beyond(integrand, sides, size) + _at_atoms(p, q, gain)


def _at_atoms(p: Univariate, q: Univariate, gain: Gain) -> Array:
    """Return what the values add at which the laws have a mass beside their density."""
    total = np.zeros(p.size)
    for value in p.atoms():
        y = np.full(p.size, value)
        log_p = p.log_mass(y)
        log_q = log_p if q is p else q.log_mass(y)
        total += np.where(log_p > -np.inf, np.exp(log_p) * gain(log_p, log_q), 0.0)
    return total


# ---------------------------------------------------------------- rules

Integrand = Callable[[Index, Array], Array]
"""(side, t) -> values (..., panels, nodes): of one function, or of several at once."""


class _Sum(NamedTuple):
    value: Array
    size: Array
    """The sum of the absolute values of the same terms."""


# Gauss's rules for panels of densities, and for long panels of whole numbers, whose nodes are
# rounded to whole numbers.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_LATTICE_NODES = np.polynomial.legendre.leggauss(12)[0]


def _weigh(values: Array, weights: Array) -> _Sum:
    return _Sum((values * weights).sum(axis=-1), (np.abs(values) * weights).sum(axis=-1))


def _gauss(integrand: Integrand, side: Index, low: Array, high: Array) -> _Sum:
    """Integrate over the panels low <= t <= high."""
    half = 0.5 * (high - low)[:, None]
    return _weigh(integrand(side, low[:, None] + half * (1.0 + _NODES)), half * _WEIGHTS)


def count(integrand: Integrand, side: Index, low: Array, high: Array) -> _Sum:
    """Sum over the whole numbers low <= t < high of each panel.

    Short panels are summed one by one. Long ones have a rule of 12 nodes that is exact for
    polynomials.
    """
    length = high - low
    short = length <= _SHORT
    if short.all() or not short.any():
        t, weights = (_each if short.all() else _some)(low, length)
        return _weigh(integrand(side, t), weights)
    parts = [count(integrand, side[part], low[part], high[part]) for part in (short, ~short)]
    order = np.argsort(np.concatenate([np.flatnonzero(short), np.flatnonzero(~short)]))
    value, size = (np.concatenate(both, axis=-1)[..., order] for both in zip(*parts, strict=True))
    return _Sum(value, size)


def rule_of_counts(low: Array, high: Array) -> tuple[Array, Array]:
    """Return whole numbers and their weights for the panels low <= t < high, one panel a row.

    Rows are filled up with numbers of weight 0.
    """
    count = high - low
    t, weights = np.repeat(low[:, None], _SHORT, axis=1), np.zeros((len(low), _SHORT))
    for part, rule in ((count <= _SHORT, _each), (count > _SHORT, _some)):
        if part.any():
            steps, own = rule(low[part], count[part])
            t[part, : own.shape[1]], weights[part, : own.shape[1]] = steps, own
    return t, weights


def _each(low: Array, count: Array) -> tuple[Array, Array]:
    """Return all whole numbers of the panels, with weight 1; to fill up, others with weight 0."""
    steps = np.arange(max(count.max(), 1.0))
    inside = steps < count[:, None]
    return low[:, None] + np.where(inside, steps, 0.0), inside.astype(float)


def _some(low: Array, count: Array) -> tuple[Array, Array]:
    """Return nodes and weights of the rules for the panels' lengths."""
    lengths, which = np.unique(count, return_inverse=True)
    rules = [_lattice_rule(float(length)) for length in lengths]
    steps, weights = (np.array(part, float)[which] for part in zip(*rules, strict=True))
    return low[:, None] + steps, weights


@lru_cache(maxsize=1024)
def _lattice_rule(count: float) -> tuple[Array, Array]:
    """Return nodes and weights of a rule for the sum over 0, 1, ..., count - 1.

    The nodes are Gauss's, rounded to whole numbers. The weights make the rule exact for polynomials
    of degree below 12: for Gram's polynomials, which are orthogonal on these numbers, so that all
    but the first of them sum to zero. They tend to Legendre's as the count grows.
    """
    steps = np.rint(0.5 * count * (1.0 + _LATTICE_NODES) - 0.5)
    x = (2.0 * steps - count + 1.0) / count
    grams = [np.ones_like(x), x]
    for k in range(1, len(x) - 1):
        grams.append(
            ((2 * k + 1) * x * grams[k] - k * (1.0 - (k / count) ** 2) * grams[k - 1]) / (k + 1)
        )
    target = np.zeros(len(x))
    target[0] = count
    return steps, np.asarray(np.linalg.solve(np.array(grams), target), float)


def adapt(
    rule: Callable[[Integrand, Index, Array, Array], _Sum],
    integrand: Integrand,
    sides: Sides,
    side: Index,
    low: Array,
    high: Array,
    n: int,
) -> tuple[Array, Array]:
    """Return for each law the sum over its panels, and the sum of absolute values.

    Panels are halved until they are settled; of several functions, until all are.
    """
    whole = rule(integrand, side, low, high).value
    lead = whole.shape[:-1]
    total, settled = np.zeros((*lead, n)), np.zeros((*lead, n))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        middle = np.floor(middle) if sides.lattice else middle
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        side = np.tile(side, 2)
        half = rule(integrand, side, low, high)
        refined, size = (v.reshape(*lead, 2, -1).sum(axis=-2) for v in half)
        row = sides.row[side[: len(side) // 2]]
        scale = settled + _by_law(row, size, n)
        # Where both are infinite, their difference is nan, and the panel is settled.
        apart = np.abs(refined - whole) > _AGREEMENT * (scale[..., row] + _FLOOR)
        unsettled = apart.any(axis=tuple(range(len(lead))))
        total += _by_law(row[~unsettled], refined[..., ~unsettled], n)
        settled += _by_law(row[~unsettled], size[..., ~unsettled], n)
        keep = np.tile(unsettled, 2)
        side, low, high = side[keep], low[keep], high[keep]
        whole, size = half.value[..., keep], half.size[..., keep]
        if not len(side) or len(side) > _CROWD * n:
            break
    row = sides.row[side]
    return total + _by_law(row, whole, n), settled + _by_law(row, size, n)


def _by_law(row: Index, values: Array, n: int) -> Array:
    """Return the sums of the panels' values, (..., panels), by the law of each, (..., n)."""
    lead = values.shape[:-1]
    several = values.reshape(int(np.prod(lead)), len(row))
    sums = np.array([np.bincount(row, part, minlength=n) for part in several], float)
    return np.asarray(sums.reshape(*lead, n))


def _beyond(integrand: Integrand, sides: Sides, size: Array) -> Array:
    """Return what lies beyond the last panels.

    There the integrand falls like an exponential of t, and for masses like a power of the count,
    that is, an exponential of its logarithm. The rate is found from the last t and an inner one.
    """
    side = np.arange(len(sides.row))
    if sides.lattice:
        return _beyond_counts(integrand, sides, size)
    length = np.minimum(20.0, 0.5 * sides.last)
    values = integrand(side, np.stack([sides.last, sides.last - length], axis=1)).T
    rest = _tail(values[0], values[1], length, sides.last > 0.0, size[sides.row])
    return np.asarray(np.bincount(sides.row, rest, minlength=len(size)), float)


def _tail(value: Array, before: Array, length: Array, open_: Any, size: Array) -> Array:
    """Return the integral beyond `value` of the exponential through it and what is `before`."""
    rate = np.log(np.abs(before / value)) / length
    # What is below the rounding error of the sum does not matter, whatever its rate.
    matters = open_ & (np.abs(value) > 1e-16 * size)
    tail = np.where(rate > _SLOWEST, value / rate, np.copysign(np.inf, value))
    return np.where(matters, tail, 0.0)


def _beyond_counts(integrand: Integrand, sides: Sides, size: Array) -> Array:
    """Return what lies beyond the last panels of counts, which there are as dense as numbers.

    It is integrated over the logarithm of the count, in which a power is an exponential.
    """
    side = np.arange(len(sides.row))
    value = integrand(side, sides.last[:, None])[:, 0] * sides.last
    side = side[np.isinf(sides.end) & (np.abs(value) > 1e-16 * size[sides.row])]
    if not len(side):
        return np.zeros(len(size))
    start = np.log(sides.last[side])[:, None]
    half = 0.5 * (np.log(FARTHEST) - start) / _FAR_PANELS
    total = np.zeros(len(side))
    for panel in range(_FAR_PANELS):
        t = np.exp(start + half * (2.0 * panel + 1.0 + _NODES))
        total += (integrand(side, t) * t * (half * _WEIGHTS)).sum(axis=1)
    ends = FARTHEST * np.array([1.0, np.exp(-1.0)])
    values = (integrand(side, np.broadcast_to(ends, (len(side), 2))) * ends).T
    row = sides.row[side]
    total += _tail(values[0], values[1], np.ones(len(side)), True, size[row])
    return np.asarray(np.bincount(row, total, minlength=len(size)), float)
