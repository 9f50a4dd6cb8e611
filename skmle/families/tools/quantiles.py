"""Rough starts from the data: medians and quartiles of rows with weights."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array

_ENOUGH = 8192  # rows beyond which a start's quantiles are read off evenly spread rows


def weighted_quantile(values: Array, weight: Array | None, q: float) -> float:
    """Return the q-quantile: the midpoint of all values that split the weight as q : 1 - q."""
    if weight is None:  # without sorting
        at = q * len(values)
        ends = [
            min(int(end), len(values) - 1)
            for end in (np.ceil(at - 1e-9 * at) - 1.0, np.floor(at + 1e-9 * at))
        ]
        return float(0.5 * np.partition(values, ends)[ends].sum())
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order])
    target = q * share[-1]
    slack = 1e-12 * share[-1]
    low = int(np.searchsorted(share, target - slack))
    high = int(np.searchsorted(share, target + slack, side="right"))
    last = len(values) - 1
    return float(0.5 * (values[order[min(low, last)]] + values[order[min(high, last)]]))


def centre_and_spread(values: Array, weight: Array | None) -> tuple[float, float]:
    """Return the median and half the interquartile range; the standard deviation where that is zero, 1 if all are equal.

    A start and a unit of measurement only: of long data it reads every k-th row.
    """
    step = -(-len(values) // _ENOUGH)
    values, weight = values[::step], None if weight is None else weight[::step]
    centre = weighted_quantile(values, weight, 0.5)
    spread = 0.5 * (
        weighted_quantile(values, weight, 0.75) - weighted_quantile(values, weight, 0.25)
    )
    if not spread > 0.0:
        spread = float(np.sqrt(np.average((values - centre) ** 2, weights=weight)))
    return centre, spread if spread > 0.0 else 1.0
