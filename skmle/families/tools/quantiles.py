"""Medians, quartiles and tightest halves of weighted rows, for rough starts."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array

# Rows from which a start's quantiles are found, about; of more rows, evenly spread ones are read.
# Their errors are about 1 % of the spread, which a start need not better; chosen, not measured.
_ENOUGH = 8192
# Shares of the weight that count as equal in spite of rounding: of q n, and of a cumulated sum.
_ROUNDING, _ROUNDING_OF_SUMS = 1e-9, 1e-12


def weighted_quantile(values: Array, weight: Array | None, q: float) -> float:
    """Return the q-quantile: the midpoint of all values that split the weight as q : 1 - q."""
    last = len(values) - 1
    if weight is None:  # found without sorting
        at = q * len(values)
        slack = _ROUNDING * at
        ends = [min(int(end), last) for end in (np.ceil(at - slack) - 1.0, np.floor(at + slack))]
        return float(0.5 * np.partition(values, ends)[ends].sum())
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order])
    target = q * share[-1]
    slack = _ROUNDING_OF_SUMS * share[-1]
    low = int(np.searchsorted(share, target - slack))
    high = int(np.searchsorted(share, target + slack, side="right"))
    return float(0.5 * (values[order[min(low, last)]] + values[order[min(high, last)]]))


def centre_and_spread(values: Array, weight: Array | None) -> tuple[float, float]:
    """Return the median and half the interquartile range.

    Where that is zero, the root mean square distance from the median takes its place; if all values
    are equal, their size, or 1. The two serve as a start and as a unit only, so of long data only
    every k-th row is read.
    """
    step = -(-len(values) // _ENOUGH)
    values, weight = values[::step], None if weight is None else weight[::step]
    centre = weighted_quantile(values, weight, 0.5)
    lower, upper = (weighted_quantile(values, weight, q) for q in (0.25, 0.75))
    spread = 0.5 * (upper - lower)
    if not spread > 0.0:
        away = np.abs(values - centre)
        largest = float(away.max())  # so that no square underflows or overflows
        if largest > 0.0:
            spread = largest * float(np.sqrt(np.average((away / largest) ** 2, weights=weight)))
    return centre, spread if spread > 0.0 else abs(centre) or 1.0


def tightest_half(values: Array, weight: Array | None) -> tuple[float, float]:
    """Return the middle and half the length of the shortest interval with half of the weight.

    It lies in the denser of two clusters, where the median may lie between them. Of long data only
    every k-th row is read, as by `centre_and_spread`.

    References
    ----------
    Rousseeuw (1984), Least median of squares regression, JASA 79.
    """
    step = -(-len(values) // _ENOUGH)
    values, weight = values[::step], None if weight is None else weight[::step]
    order = np.argsort(values, kind="stable")
    values = values[order]
    share = np.cumsum(np.ones(len(values)) if weight is None else weight[order])
    before = np.concatenate([[0.0], share[:-1]])
    # The first row up to which each interval has half of the weight, its own first row included.
    target = before + 0.5 * share[-1] * (1.0 - _ROUNDING_OF_SUMS)
    end = np.searchsorted(share, target)
    start = np.flatnonzero(end < len(values))
    low, high = values[start], values[end[start]]
    best = int(np.argmin(high - low))
    return float(0.5 * (low[best] + high[best])), float(0.5 * (high[best] - low[best]))
