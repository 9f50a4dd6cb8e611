"""Intervals in which observations lie: their probabilities under any family, and values inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import add, alike, gather, mix, of_rows, summed
from skmle.families.base import Array, Arrays, Family, Rows, triangle
from skmle.families.tools.atoms import atoms_of
from skmle.families.tools.quantiles import centre_and_spread

_MEDIAN = float(np.log(2.0))  # -log of one half: a tail beyond it is the smaller one
_FEW = 8  # whole numbers in an interval up to which their masses are summed
# A density that varies by less than `_VARIES` nats over an interval, of which the ends of the
# support are `_AWAY` lengths away, is integrated by eight points. On all families the relative
# error is below 1e-13, and a difference of tails has lost no more than two digits where this stops.
_VARIES, _AWAY = 0.1, 4.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_PLACES, _SHARES = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS
_ORDINARY = 20.0  # half interquartile ranges from the median that an ordinary end is away, at most
# Changes of eta at which a row is looked at on its way out: exp(80) is still a number.
_LOOKS = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)
_ROUNDING = 1e-12  # share of a value that counts as rounding


def ordinary(lower: Array, upper: Array) -> Array:
    """Return a value of each interval: its one end, or the middle of two.

    An end far away, such as one that stands for infinity, counts as the end of what is ordinary.
    """
    bounded, ends = np.isfinite(lower), np.isfinite(upper)
    value = np.where(bounded, lower, upper)
    at = np.flatnonzero((bounded == ends) & (lower < upper))  # two ends, or none
    if len(at):
        finite = np.concatenate([lower[bounded], upper[ends]])
        centre, spread = centre_and_spread(finite, None) if len(finite) else (0.0, 1.0)
        low = np.maximum(lower[at], centre - _ORDINARY * spread)
        high = np.minimum(upper[at], centre + _ORDINARY * spread)
        value[at] = np.clip(0.5 * low + 0.5 * high, lower[at], upper[at])
    return value


def never_rises(
    value: Callable[[Arrays], Array],
    delta: Arrays,
    n: int,
    least: float = -np.inf,
) -> NDArray[np.bool_]:
    """Return of which of n rows the value is seen never to rise along `delta`, out to infinity.

    Parameters
    ----------
    value : callable
        Eta -> -log of a density or a probability of each row.
    delta : tuple of ndarray
    n : int
    least : float
        What no value is below. A row that comes to it in the end never rises from there on.
    """
    size = np.max(np.broadcast_arrays(*map(np.abs, delta), np.zeros(n)), axis=0)
    unit = np.where(size > 0.0, size, 1.0)
    falls: NDArray[np.bool_] = np.ones(n, bool)
    here = np.full(n, np.inf)
    with np.errstate(all="ignore"):
        for t in _LOOKS:
            there = value(tuple(e * (t / unit) for e in delta))
            # An infinite value has no rounding; nan is no value.
            slack = np.where(np.isfinite(here), _ROUNDING * (1.0 + np.abs(here)), 0.0)
            falls &= there <= here + slack
            here = np.broadcast_to(there, (n,))
        falls &= here < np.inf
        return falls | (here <= least + _ROUNDING) | (size == 0.0)


def between(family: Family, low: Arrays, high: Arrays, eta: Arrays, order: int = 2) -> Rows:
    """Return -log P(low < Y <= high) of each row at chart `eta`, with derivatives up to `order`.

    Short intervals are summed or integrated, because the difference of two tails would lose the
    digits of a small probability. The others are such differences.

    Parameters
    ----------
    family : Family
    low, high : tuple of ndarray
        Its statistics of the ends, which lie in the support or, of counts, one below it.
    """
    start, end = family.restore(low), family.restore(high)
    if family.dense is not family:
        return _beside_atom(family, low, high, eta, order)
    counted = family.support.discrete
    short = end - start <= _FEW if counted else _is_flat(family, start, end, eta)
    parts = []
    for kind, at in alike(short.astype(float), (0.0, 1.0)):
        probability = _short if kind else _long
        ends = of_rows(low, at), of_rows(high, at)
        parts.append((at, probability(family, *ends, of_rows(eta, at, len(short)), order)))
    return gather(parts, len(short), len(eta), order)


def _beside_atom(family: Family, low: Arrays, high: Arrays, eta: Arrays, order: int) -> Rows:
    """Return the same of a law with an atom: beside it, that of the density, which has a share."""
    start, end = family.restore(low), family.restore(high)
    (atom,) = atoms_of(family)
    beside = (atom <= start) | (end < atom)
    parts = []
    for kind, at in alike(beside.astype(float), (0.0, 1.0)):
        ends, own = (of_rows(low, at), of_rows(high, at)), of_rows(eta, at, len(beside))
        if kind:
            mass = family.evaluate(family.statistics(np.full(len(start[at]), atom)), own, order)
            both = [(certain(len(eta)), range(len(eta))), (mass, range(len(eta)))]
            share = mix(both, len(eta), [1.0, -1.0], order)
            rows = add(between(family.dense, *ends, own, order), share)
        else:
            rows = _long(family, *ends, own, order)
        parts.append((at, rows))
    return gather(parts, len(beside), len(eta), order)


def _is_flat(family: Family, start: Array, end: Array, eta: Arrays) -> NDArray[np.bool_]:
    """Return over which intervals the density is so flat that few points of it tell all.

    It is looked at the ends, too: a steep fall there may lie beyond all other points.
    """
    support, length = family.support, end - start
    flat = (start - support.low > _AWAY * length) & (support.high - end > _AWAY * length)
    flat &= (length > 0.0) & (not family.cusps)
    for value in family.breaks:
        flat &= ~((start <= value) & (value <= end))
    at = np.flatnonzero(flat)
    if len(at):
        entries = of_rows(eta, at, len(flat))
        places = np.concatenate([[0.0], _PLACES, [1.0]])
        points = start[at] + places[:, None] * (end - start)[at]
        with np.errstate(all="ignore"):
            varies = np.ptp(rows_at(family, points, entries, 0).value, axis=-2)
        flat[at] = (varies < _VARIES).reshape(-1, len(at)).all(axis=0)
    return flat


def rows_at(family: Family, points: Array, eta: Arrays, order: int) -> Rows:
    """Return -log of the density at m points of each row, with derivatives of shape (..., m, n).

    Parameters
    ----------
    family : Family
    points : ndarray of shape (m, n)
    eta : tuple of ndarray
        With n values in the last axis, or one for all rows.
    order : int
    """
    m, n = points.shape
    statistics = family.statistics(points.ravel())

    def repeated(entry: Array) -> Array:
        return np.tile(entry, m) if np.ndim(entry) and entry.shape[-1] == n else entry

    def apart(entry: Array) -> Array:
        if not np.ndim(entry):
            return entry
        lead, last = entry.shape[:-1], entry.shape[-1]
        return entry.reshape(*lead, m, n) if last == m * n else entry.reshape(*lead, 1, last)

    rows = family.evaluate(statistics, tuple(map(repeated, eta)), order)
    value = np.add(rows.value + family.base(statistics), np.zeros(m * n))
    slopes = None if rows.gradient is None else tuple(map(apart, rows.gradient))
    if rows.curvature is None:
        return Rows(apart(value), slopes)
    bends = tuple(None if entry is None else apart(entry) for entry in rows.packed)
    return Rows(apart(value), slopes, bends)


def _short(family: Family, low: Arrays, high: Arrays, eta: Arrays, order: int) -> Rows:
    """Return -log of the sum of masses, or of the integral of the density."""
    start, end = family.restore(low), family.restore(high)
    if family.support.discrete:
        whole = start + np.arange(1.0, _FEW + 1.0)[:, None]
        points, share = np.minimum(whole, end), np.where(whole <= end, 0.0, np.inf)
    else:
        length = end - start
        points, share = start + _PLACES[:, None] * length, -np.log(_SHARES[:, None] * length)
    rows = rows_at(family, points, eta, order)
    return summed(rows._replace(value=rows.value + share))


def certain(k: int) -> Rows:
    """Return -log 1 as a function of k etas."""
    zero = np.zeros(())
    return Rows(zero, (zero,) * k, (zero,) * len(triangle(k)))


def _long(family: Family, low: Arrays, high: Arrays, eta: Arrays, order: int) -> Rows:
    """Return -log of the difference of the tails that are small there."""
    k, every = len(eta), range(len(eta))
    above_low, above_high = (family.tail(end, eta, True, order) for end in (low, high))
    below_low, below_high = (family.tail(end, eta, False, order) for end in (low, high))
    upper = mix([(above_low, every), (above_high, every)], k, [1.0, -1.0], order)
    lower = mix([(below_high, every), (below_low, every)], k, [1.0, -1.0], order)
    parts = [(certain(k), every), (below_low, every), (above_high, every)]
    both = mix(parts, k, [1.0, -1.0, -1.0], order)
    in_upper, in_lower = above_low.value > _MEDIAN, below_high.value > _MEDIAN

    def chosen(one: Any, other: Any, third: Any) -> Array:
        return np.where(in_upper, one, np.where(in_lower, other, third))

    value = chosen(upper.value, lower.value, both.value)
    if order < 1:
        return Rows(value)
    entries = zip(upper.gradient or (), lower.gradient or (), both.gradient or (), strict=True)
    gradient = tuple(chosen(*three) for three in entries)
    if order < 2:
        return Rows(value, gradient)
    packed = zip(upper.packed, lower.packed, both.packed, strict=True)
    return Rows(value, gradient, tuple(chosen(*three) for three in packed))
