"""Intervals from resamples: of percentiles, of percentiles of bias and acceleration, and basic.

With G the distribution of an estimate over the resamples, the interval of percentiles ends at
G^-1(a) and G^-1(1 - a), and the basic one at 2 t - G^-1(1 - a) and 2 t - G^-1(a). BCa corrects a by
the median bias z0 of the resamples, and by the acceleration, a sixth of the skewness of what the
rows add to the estimate, so that its coverage is right to a second order.

An estimate may be infinite in a resample, and counts as larger or smaller than all others. One that
is not known, nan, counts as beyond both ends: as the smallest for the lower one and as the largest
for the upper one, so that nothing is gained by a fit that fails.

References
----------
Efron (1987), Better bootstrap confidence intervals, J. American Statistical Association 82.
DiCiccio & Efron (1996), Bootstrap confidence intervals, Statistical Science 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]


class Resamples(NamedTuple):
    """The fits of a model to resamples of its rows."""

    coefs: Array
    """(B, k): all coefficients, in the order of those of `Model`, finite; nan: not found."""
    eta: Array
    """(B, m): the estimates of the table, on the scales where their intervals are symmetric."""
    ends: Mapping[str, int]
    """How many fits ended otherwise than at a regular maximum, by what they did."""


class Influences(NamedTuple):
    """What independent units, rows or groups, add to the coefficients of a fit."""

    moves: Array
    """(u, k); of a row that is repeated, times the root of how often."""
    repeats: Array
    """(u,)."""


class Resampler(Protocol):
    """What knows the rows of a fit: it can draw them again."""

    @property
    def grouped(self) -> bool:
        """Whether groups of rows were given for inference."""

    def influences(self, kind: str, groups: Any) -> Influences:
        """Return what rows, or groups of rows, add to the coefficients."""

    def eta(self, coefs: Array) -> Array:
        """Return the estimates of the table at other coefficients, (m,)."""

    def resamples(self, kind: str, groups: Any, count: int, random_state: Any) -> Resamples:
        """Return fits to resamples of the rows."""


def spread_of(influences: Influences) -> tuple[Array, Array]:
    """Return L, (k, d), with L L' the sum of the products of moves, and P, (u, d), moves = P L'.

    A step along a column of L is a standard error by the rows.
    """
    moves = influences.moves
    scale = np.sqrt((moves * moves).sum(axis=0))
    scale[~(scale > 0.0)] = 1.0
    standard = moves / scale
    sizes, axes = np.linalg.eigh(standard.T @ standard)
    # Roots that are smaller, relative to the largest, are rounding.
    kept = sizes > 1e-10 * sizes[-1]
    root = axes[:, kept] * np.sqrt(sizes[kept])
    return scale[:, None] * root, standard @ (root / sizes[kept])


def accelerations(influences: Influences, units: Array, slopes: Array) -> Array:
    """Return the acceleration of some estimates, (m,).

    Parameters
    ----------
    influences : Influences
    units : ndarray of shape (u, d)
        P of `spread_of`.
    slopes : ndarray of shape (d, m)
        The derivatives of the estimates along the columns of L.
    """
    moves = units @ slopes
    third = (moves**3 / np.sqrt(influences.repeats)[:, None]).sum(axis=0)
    second = (moves * moves).sum(axis=0)
    result = np.zeros(len(second))
    moved = second > 0.0
    result[moved] = third[moved] / (6.0 * second[moved] ** 1.5)
    return result


def quantile(values: Array, level: float, unknown: float) -> float:
    """Return a quantile of resamples, between the two nearest; nan counts as `unknown`."""
    ordered = np.sort(np.where(np.isnan(values), unknown, values))
    at = level * (len(ordered) - 1)
    if np.isnan(at):
        return np.nan
    low = ordered[int(np.floor(at))]
    high = ordered[int(np.ceil(at))]
    share = at - np.floor(at)
    if low == high or share == 0.0:
        return float(low)
    if np.isinf(low) and np.isinf(high):
        return float(low if share < 0.5 else high)
    return float(low + share * (high - low))


def interval_of(
    method: str, values: Array, estimate: float, acceleration: float, level: float
) -> tuple[float, float, bool]:
    """Return the ends of an interval, and whether one lies among the outermost resamples.

    Parameters
    ----------
    method : {"bca", "percentile", "basic"}
    values : ndarray of shape (B,)
        The estimate in each resample.
    estimate : float
    acceleration : float
    level : float
        Coverage.
    """
    if np.isnan(estimate):
        return np.nan, np.nan, False
    tail = 0.5 * (1.0 - level)
    levels = np.array([tail, 1.0 - tail])
    if method == "bca":
        levels = _corrected(values, estimate, acceleration, levels)
    low, high = quantile(values, levels[0], -np.inf), quantile(values, levels[1], np.inf)
    least = 1.0 / (len(values) + 1.0)
    outermost = bool(levels[0] < least or levels[1] > 1.0 - least)
    if method == "basic":
        low, high = 2.0 * estimate - high, 2.0 * estimate - low
    return low, high, outermost


def _corrected(values: Array, estimate: float, acceleration: float, levels: Array) -> Array:
    """Return the levels of BCa; nan if all resamples lie on one side of the estimate."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(2, np.nan)
    share = 0.5 * ((known < estimate).mean() + (known <= estimate).mean())
    if not 0.0 < share < 1.0:
        return np.full(2, np.nan)
    bias, z = ndtri(share), ndtri(levels)
    return np.asarray(ndtr(bias + (bias + z) / (1.0 - acceleration * (bias + z))))
