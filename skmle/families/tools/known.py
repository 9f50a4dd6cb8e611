"""What is known of a value: itself, or an interval; and the likelihood of that.

Rows [lower, upper] say it. A law keeps the statistics of a value inside and of both ends, and what
is known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import add, alike, constant_at, gather, of_rows
from skmle.families.base import Array, Arrays, Family, Rows, Support, triangle
from skmle.families.tools.intervals import between, ordinary
from skmle.families.tools.numerical import finite_eta

EXACT, ABOVE, BELOW, BETWEEN, NOTHING = range(5)
"""A value; that it lies above the lower end, below the upper one, between both; nothing."""

# By the bits: whether the lower side is open, the upper side is open, the ends are equal.
_KNOWN = np.array([BETWEEN, BELOW, ABOVE, NOTHING, *[EXACT] * 4], np.int8)
_BITS = np.array([2, 4], np.int8)  # small integers are added several times as fast
# Times its own size that a mean may lie away from the mean inside: about four of 16 digits are then
# lost in the difference. Chosen, not measured.
_DIGITS = 1e4
# Nats so many that a difference of two such numbers has no digit behind the point.
_NO_DIGIT = 1.0 / np.finfo(float).eps


def ends_of(support: Support, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return the first and the last possible value of intervals, of counts whole numbers."""
    return (np.ceil(lower), np.floor(upper)) if support.discrete else (lower, upper)


def seen_from(support: Support, entry: Array) -> Array:
    """Return the lower end of what is above `entry`: of counts the next whole number."""
    return np.floor(entry) + 1.0 if support.discrete else entry


def within(lower: Array, upper: Array, first: Array, last: Array) -> tuple[Array, Array]:
    """Return the parts of intervals that lie between two ends; a value is itself."""
    exact = lower == upper
    low, high = np.maximum(lower, first), np.minimum(upper, last)
    return np.where(exact, lower, low), np.where(exact, upper, high)


def split(support: Support, y: Array) -> tuple[Array, Array, tuple[Array, ...]]:
    """Return the ends of what is known of each row, and those of its window, or ()."""
    # Columns beside each other: each operation on numbers apart in memory takes longer.
    columns = np.moveaxis(np.asarray(y, float), -1, 0)
    lower, upper, *window = map(np.ascontiguousarray, columns)
    if not window:
        return lower, upper, ()
    entry, leave = window
    first = seen_from(support, entry)
    return *within(lower, upper, first, leave), (first, leave)


def mass_at_low(inner: Family) -> bool:
    """Return whether a law of real numbers has a mass at the lower end of its support."""
    support = inner.support
    if support.discrete or not support.closed[0]:
        return False
    return not inner.densities(inner.statistics(np.array([support.low]))).any()


def known_of(inner: Family, lower: Array, upper: Array) -> NDArray[np.int8]:
    """Return what is known of each row: ends beyond those of the support tell nothing.

    A lower end at that of the support leaves the value there out, which tells nothing unless it has
    a mass. Of counts the ends belong to the interval.
    """
    support = inner.support
    first, last = ends_of(support, lower, upper)
    whole = support.closed[0] if support.discrete else not mass_at_low(inner)
    open_low = first <= support.low if whole else first < support.low
    open_high = last >= support.high
    # `take` is several times as fast as an index.
    return _KNOWN.take(open_low + _BITS[0] * open_high + _BITS[1] * (lower == upper))


def value_inside(inner: Family, lower: Array, upper: Array) -> Array:
    """Return a value of the support that each row allows, for starts and units."""
    value = ordinary(lower, upper)
    if inner.support.discrete:
        value = np.clip(np.floor(value), *ends_of(inner.support, lower, upper))
        value = np.where(lower == upper, lower, value)
    inside = inner.contains(value)
    if inside.all():
        return value
    # A bound itself may be no value of the support, as a beta law's 1 or a count's -1.
    value = np.where(inside, value, np.clip(value, *inner.support.interior))
    for end in (upper, lower):  # one is a value where the middle is in a gap beside a point
        value = np.where(inner.contains(end) & ~inner.contains(value), end, value)
    return value


def known_and_window(statistics: Arrays) -> tuple[Arrays, Arrays]:
    """Return the statistics of what is known and of the window of each row; () if it has none."""
    half = len(statistics) // 2
    # Both have three groups and the kind of each row.
    return (statistics[:half], statistics[half:]) if len(statistics) % 3 == 2 else (statistics, ())


def groups_of(statistics: Arrays) -> tuple[Arrays, Arrays, Arrays, Array]:
    """Return the statistics of values inside, of both ends, and what is known."""
    known, _ = known_and_window(statistics)
    m = (len(known) - 1) // 3
    some, low, high = (known[i * m : (i + 1) * m] for i in range(3))
    return some, low, high, known[-1]


def each_group(change: Callable[[Arrays], Arrays | None], statistics: Arrays) -> Arrays | None:
    """Return statistics of which each group is changed, as to those of a limit law.

    None is returned if some group cannot be.
    """
    known, window = known_and_window(statistics)
    *groups, kind = groups_of(known)
    rest = each_group(change, window) if window else ()
    # Mostly a value inside is the end that there is, so that groups are the same arrays.
    keys = [tuple(map(id, group)) for group in groups]
    found = {key: change(group) for key, group in dict(zip(keys, groups, strict=True)).items()}
    if rest is None or any(group is None for group in found.values()):
        return None
    return (*(entry for key in keys for entry in found[key] or ()), kind, *rest)


# ---------------------------------------------------------------- statistics and likelihood


def statistics_of(inner: Family, lower: Array, upper: Array) -> Arrays:
    """Return the inner statistics of a value inside and of both ends, and what is known."""
    support = inner.support
    kind = known_of(inner, lower, upper)
    first, last = ends_of(support, lower, upper)
    if support.discrete:  # P(Y >= first) = P(Y > first - 1)
        first = np.maximum(first, support.low) - 1.0
    value = value_inside(inner, lower, upper)
    some = inner.statistics(value)
    between = kind == BETWEEN
    # The value inside often is the one end that there is.
    low = _replaced(inner, some, ((kind == ABOVE) | between) & (first != value), first)
    high = _replaced(inner, some, ((kind == BELOW) | between) & (last != value), last)
    return (*some, *low, *high, kind.astype(float))


def _replaced(inner: Family, statistics: Arrays, rows: NDArray[np.bool_], values: Array) -> Arrays:
    """Return statistics of which some rows are replaced by those of other values."""
    at = np.flatnonzero(rows)
    if not len(at):
        return statistics
    found = tuple(entry.copy() for entry in statistics)
    for entry, new in zip(found, inner.statistics(values.take(at)), strict=True):
        entry[at] = new
    return found


def rows_of_known(inner: Family, statistics: Arrays, eta: Arrays, order: int) -> Rows:
    """Return -log of the density of values, and of the probability of intervals, row by row."""
    *groups, kinds = groups_of(statistics)
    n, k = len(kinds), len(eta)
    parts = []
    for kind, at in alike(kinds, _NEEDED):
        if kind != NOTHING:  # those rows stay zero
            needed = [of_rows(groups[j], at) for j in _NEEDED[int(kind)]]
            parts.append((at, _rows(inner, kind, needed, of_rows(eta, at, n), order)))
    if parts:
        return gather(parts, n, k, order)
    zero = np.zeros(np.broadcast_shapes(kinds.shape, *map(np.shape, eta)))
    return Rows(zero, (zero,) * k, (zero,) * len(triangle(k))).upto(order)


# Which of the statistics of a value inside, of the lower end and of the upper one are asked.
_NEEDED = {EXACT: (0,), ABOVE: (1,), BELOW: (2,), BETWEEN: (1, 2)}


def _rows(inner: Family, kind: float, needed: list[Arrays], eta: Arrays, order: int) -> Rows:
    """Return the rows of observations of all of which the same is known, from what it needs."""
    if kind == EXACT:
        return inner.evaluate(needed[0], eta, order)
    if kind == BETWEEN:
        return between(inner, needed[0], needed[1], eta, order)
    return inner.tail(needed[0], eta, kind == ABOVE, order)


def window_of(inner: Family, statistics: Arrays, eta: Arrays, order: int) -> Rows:
    """Return -log of the probability of an interval that is the same for all rows.

    Where eta is the same for all rows, too, so is the probability.
    """
    if not all(np.ndim(e) == 0 for e in eta):
        return rows_of_known(inner, statistics, eta, order)
    row = rows_of_known(inner, tuple(entry[:1] for entry in statistics), eta, order)

    def alone(entry: Array) -> Array:
        return np.asarray(entry if np.ndim(entry) == 0 else entry[..., 0])

    gradient = None if row.gradient is None else tuple(map(alone, row.gradient))
    if row.curvature is None:
        return Rows(alone(row.value), gradient)
    curvature = tuple(None if entry is None else alone(entry) for entry in row.packed)
    return Rows(alone(row.value), gradient, curvature)


def given(rows: Rows, window: Rows) -> Rows:
    """Return -log of what lies in a window, given that it does, from -log of both alone.

    Where the window has next to no probability, nothing is known of the difference of two such
    numbers, and rounding might lead a fit there: it is infinite.
    """
    found, lost = add(rows, window, -1.0), window.value > _NO_DIGIT
    return constant_at(lost, np.inf, found) if lost.any() else found


def mean_between(inner: Family, window: Arrays, theta: Arrays) -> tuple[Array, NDArray[np.bool_]]:
    """Return E[Y | Y in the window] of n laws, and where it has lost its digits.

    The gradient of the truncated law has the mean zero. So where that of the law inside is
    slope * (y - mean), E[Y] = mean + W'/slope, with W = -log P(Y in the window).
    """
    eta = finite_eta(inner, theta)
    with np.errstate(all="ignore"):  # of parameters at an end of their range
        whole = inner.mean(theta)
        other = whole + np.maximum(np.abs(whole), 1.0)
        at = inner.evaluate(inner.statistics(other), eta, 1).gradient
        turn = rows_of_known(inner, window, eta, 1).gradient
        assert at is not None and turn is not None
        mean = whole + turn[0] / at[0] * (other - whole)
    # Far from the window the difference has lost its digits.
    return mean, ~(np.abs(mean - whole) <= _DIGITS * np.abs(mean))


def _tails(inner: Family, y: Array, theta: Arrays) -> tuple[Array, Array]:
    """Return P(Y <= y) and P(Y > y), also of infinite y."""
    inside = np.isfinite(y)
    finite = np.where(inside, y, 0.0)
    below, above = inner.cdf(finite, theta), inner.sf(finite, theta)
    return np.where(inside, below, y > 0.0), np.where(inside, above, y < 0.0)


def share_between(
    inner: Family, ends: tuple[float, float], y: Array, theta: Arrays, upper: bool
) -> Array:
    """Return P(Y <= y | low < Y <= high), or P(Y > y | low < Y <= high) if `upper`.

    All differences are those of the tail of the law inside that is the smaller one there.
    """
    (first, over), (last, beyond) = (_tails(inner, np.asarray(end, float), theta) for end in ends)
    below, above = _tails(inner, np.clip(np.asarray(y, float), *ends), theta)
    whole = np.where(first > 0.5, over - beyond, last - first)
    if upper:
        return np.where(beyond > 0.5, last - below, above - beyond) / whole
    return np.where(first > 0.5, over - above, below - first) / whole


def quantile_between(
    inner: Family, ends: tuple[float, float], q: Array, theta: Arrays, upper: bool
) -> Array:
    """Return the y with P(Y <= y | low < Y <= high) = q, or with P(Y > y | ...) = q if `upper`.

    It is a quantile of the law inside, asked from the side on which less of that law lies.
    """
    (first, over), (last, beyond) = (_tails(inner, np.asarray(end, float), theta) for end in ends)
    q = np.asarray(q, float)
    below, above = (1.0 - q, q) if upper else (q, 1.0 - q)
    share, rest = first + below * (last - first), beyond + above * (over - beyond)
    value = np.where(share > 0.5, inner.upper_quantile(rest, theta), inner.quantile(share, theta))
    return np.where((q >= 0.0) & (q <= 1.0), value, np.nan)
