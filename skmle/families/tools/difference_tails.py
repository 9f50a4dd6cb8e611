"""Tails of differences of two Poisson counts, as sums of their masses from a cut outward.

With D = N1 - N2 of means a and b, D q(D) = a q(D - 1) - b q(D + 1), so that the ratios of masses
are r(k) = q(k + 1)/q(k) = a/(k + 1 + b r(k + 1)). From far out towards zero no digit is lost.
"""

from __future__ import annotations

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.bessel_of_counts import difference
from skmle.families.tools.special import log_complement


def log_tail(y: Array, first: Array, second: Array, upper: bool) -> Array:
    """Return log P(N1 - N2 > y) if `upper`, else log P(N1 - N2 <= y), by masses one by one.

    The smaller one of the two tails is summed, about, and the other is its complement.
    """
    y, first, second = np.broadcast_arrays(np.floor(y), first, second)
    turned = y < 0.0  # there it is the other tail of N2 - N1
    y = np.where(turned, -y - 1.0, y)
    a, b = np.where(turned, second, first), np.where(turned, first, second)
    below = y < a - b
    tail = np.empty(y.shape)
    for part, summed in ((below, _log_below), (~below, _log_above)):
        if part.any():
            tail[part] = summed(y[part], a[part], b[part])
    return np.where((turned == below) == upper, tail, log_complement(tail))


def _log_above(y: Array, a: Array, b: Array) -> Array:
    """Return log P(D > y) of y >= 0 and y >= a - b."""
    steps, ratio = _far_out(y, a, b)
    total = np.ones(y.shape)  # of the masses from k on, divided by that at k
    for step in range(steps, 0, -1):
        ratio = a / (y + step + 1.0 + b * ratio)
        total = 1.0 + ratio * total
    return np.where(y < np.inf, np.log(total) - difference(y + 1.0, a, b).value, -np.inf)


def _log_below(y: Array, a: Array, b: Array) -> Array:
    """Return log P(D <= y) of 0 <= y < a - b."""
    steps, ratio = _far_out(y, a, b)
    for step in range(steps, -1, -1):
        ratio = a / (y + step + 1.0 + b * ratio)
    term, total, k = np.ones(y.shape), np.ones(y.shape), y
    while np.any(term > 1e-18 * total):
        inverse = (k + b * ratio) / a
        term = np.where(k > 0.0, term * inverse, 0.0)
        total, ratio, k = total + term, 1.0 / inverse, k - 1.0
    from_zero = np.log(total) - difference(y, a, b).value
    return np.logaddexp(from_zero, _log_above(np.zeros(y.shape), b, a))


def _far_out(y: Array, a: Array, b: Array) -> tuple[int, Array]:
    """Return how many steps beyond y masses do not matter any more, and the ratio there, about.

    By Bernstein's inequality they are less than exp(-45) of the sum.
    """
    steps = int(30.0 + 9.5 * np.sqrt(np.max(a + b)))
    k = y + steps + 2.0
    return steps, 2.0 * a / (k + np.hypot(k, 2.0 * np.sqrt(a) * np.sqrt(b)))
