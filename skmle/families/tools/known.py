"""What is known of a row [lower, upper], and the statistics that a censored law keeps of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Family, Support
from skmle.families.tools.intervals import ordinary

EXACT, ABOVE, BELOW, BETWEEN, NOTHING = range(5)
"""A value; that it lies above the lower end, below the upper one, between both; nothing."""


def ends_of(support: Support, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return the first and the last possible value of intervals, of counts whole numbers."""
    return (np.ceil(lower), np.floor(upper)) if support.discrete else (lower, upper)


def known_of(support: Support, lower: Array, upper: Array) -> NDArray[np.intp]:
    """Return what is known of each row: ends beyond those of the support tell nothing."""
    first, last = ends_of(support, lower, upper)
    at_low = (first == support.low) & (support.closed[0] or not support.discrete)
    open_low = (first < support.low) | at_low
    open_high = last >= support.high
    known = [lower == upper, open_low & open_high, open_low, open_high]
    return np.select(known, [EXACT, NOTHING, BELOW, ABOVE], BETWEEN)


def value_inside(inner: Family, lower: Array, upper: Array) -> Array:
    """Return a value of the support that each row allows, for starts and units."""
    value = ordinary(lower, upper)
    if inner.support.discrete:
        value = np.clip(np.floor(value), *ends_of(inner.support, lower, upper))
        value = np.where(lower == upper, lower, value)
    # A bound itself may be no value of the support, as a beta law's 1 or a count's -1.
    nearby = np.clip(value, *inner.support.interior)
    return np.where(inner.contains(value), value, nearby)


def groups_of(statistics: Arrays) -> tuple[Arrays, Arrays, Arrays, Array]:
    """Return the statistics of values inside, of both ends, and what is known."""
    m = (len(statistics) - 1) // 3
    some, low, high = (statistics[i * m : (i + 1) * m] for i in range(3))
    return some, low, high, statistics[-1]


def each_group(observe: Callable[[Arrays], Arrays], statistics: Arrays) -> Arrays:
    """Return the statistics of the limit law of all three groups, and what is known."""
    m = (len(statistics) - 1) // 3
    groups = (observe(statistics[i * m : (i + 1) * m]) for i in range(3))
    return (*(entry for group in groups for entry in group), statistics[-1])
