"""The profile likelihood of a threshold: where it has maxima, and to which end it rises."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.constants import STEPS, most_likely

if TYPE_CHECKING:
    from skmle.families.base import Family

NEAR, INSIDE, FAR = "near", "inside", "far"
"""Ends of a profile: at the least observation, at none, far below all observations."""

# Distances of the threshold from the least observation, in units of the mean distance of the
# observations from it: from 1e-6, which no data tell from none, to 1e3, where the law is hardly
# told from a location-scale law. Their steps were halved without finding other maxima.
_LOG_DISTANCES = np.arange(-14.0, 7.1, 0.5)
# Rows that are looked at, at most: the lowest, which the threshold depends on, and a sample of the
# others.
_LOWEST, _MOST = 512, 4096


class Profile(NamedTuple):
    """The best local maximum of a profile likelihood, or the end that it rises to."""

    end: str
    """One of NEAR, INSIDE, FAR."""
    distance: float
    """How far the threshold lies below the least observation."""
    eta: tuple[float, ...]
    """The chart eta of the law of the distances from it."""


def profile_of(family: Family, y: Array, weight: Array | None, near_counts: bool) -> Profile:
    """Return where the likelihood of a threshold below y is largest.

    Parameters
    ----------
    family : Family
        The law of y less the threshold.
    y : ndarray of shape (n,)
    weight : ndarray of shape (n,), optional
    near_counts : bool
        Whether the end at the least observation is a maximum like any other. Elsewhere the
        likelihood has no bound there, and it is returned only if there is no other.
    """
    y, weight = _some(y, weight)
    above = y - y.min()
    unit = float(np.average(above, weights=weight))
    if not unit > 0.0:  # all observations are equal
        return Profile(NEAR, float(np.spacing(np.abs(y[0]))), (0.0,) * len(family.parameters))
    distances = unit * np.exp(_LOG_DISTANCES)
    found = [_most_likely(family, above + distance, weight) for distance in distances]
    values = np.array([value for value, _ in found])
    higher = np.concatenate([[near_counts and values[0] > values[1]], values[1:] > values[:-1]])
    lower = np.concatenate([values[:-1] >= values[1:], [True]])
    maxima = np.flatnonzero(higher & lower)
    best = int(maxima[np.argmax(values[maxima])]) if len(maxima) else 0
    end = NEAR if best == 0 else FAR if best == len(distances) - 1 else INSIDE
    return Profile(end, float(distances[best]), found[best][1])


def profile_at(family: Family, y: Array, weight: Array | None, distance: float) -> Profile:
    """Return the most likely law of y above a threshold at a distance below all of it."""
    y, weight = _some(y, weight)
    return Profile(INSIDE, distance, _most_likely(family, y - y.min() + distance, weight)[1])


def _most_likely(
    family: Family, above: Array, weight: Array | None
) -> tuple[float, tuple[float, ...]]:
    """Return the mean log-likelihood of distances from a threshold, and their most likely law."""
    statistics = family.statistics(above)
    start = family.starts(statistics, weight)[0]
    at_once = family.shortcuts.starts == "maximum"
    return most_likely(family, statistics, weight, start, steps=0 if at_once else STEPS)


def _some(y: Array, weight: Array | None) -> tuple[Array, Array | None]:
    """Return the lowest rows and a sample of the others, which then count for more."""
    n = len(y)
    if n <= _MOST:
        return y, weight
    order = np.argsort(y, kind="stable")
    step = -(-(n - _LOWEST) // (_MOST - _LOWEST))
    kept = np.concatenate([order[:_LOWEST], order[_LOWEST::step]])
    times = np.ones(len(kept))
    times[_LOWEST:] = (n - _LOWEST) / (len(kept) - _LOWEST)
    return y[kept], times if weight is None else times * weight[kept]
