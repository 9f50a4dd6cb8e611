"""The logarithm of the normal cdf and its derivatives, with all digits in both tails."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erfcx

from skmle.families.records import Array

_ROOT = float(np.sqrt(2.0 * np.pi))
# Argument from which x + phi/Phi, a difference there, is that of its series in 1/x, and its
# coefficients, of alternating signs: those of 1/a, 1/a^3, ... for a = -x. At 20 the first that is
# left out is 2e-15 of the sum.
_FAR = -20.0
_SERIES = (1.0, 2.0, 10.0, 74.0, 706.0, 8162.0, 110410.0, 1708394.0, 29752066.0)


class NormalTail(NamedTuple):
    """What makes log Phi(x) and its derivatives, of the standard normal law."""

    value: Array
    """log Phi(x); where x < 0, x^2/2 more: the logarithm of the tail beside the density."""
    ratio: Array
    """phi(x)/Phi(x), the first derivative of log Phi."""
    rest: Array
    """x + phi(x)/Phi(x), about 1/|x| far below zero."""
    bend: Array
    """ratio * rest, minus the second derivative of log Phi; it rises to 1 far below zero."""
    left: Array
    """1 - bend, about 1/x^2 far below zero."""


def normal_tail(x: Array) -> NormalTail:
    """Return log Phi and its derivatives.

    Relative errors are below 4e-14; that of `left` comes to 2e-11 next to -20.
    """
    x = np.asarray(x, float)
    low = x < 0.0
    with np.errstate(over="ignore"):
        bell = np.exp(-0.5 * x * x)
    half = 0.5 * erfcx(np.sqrt(0.5) * np.abs(x))  # the smaller tail over the bell
    smaller = half * bell
    with np.errstate(divide="ignore"):  # of a tail beyond the numbers
        value = np.where(low, np.log(half), np.log1p(-smaller))
        ratio = np.where(low, 1.0 / half, bell / (1.0 - smaller)) / _ROOT
    rest = x + ratio
    far = x < _FAR
    if not far.any():
        bend = ratio * rest
        return NormalTail(value, ratio, rest, bend, 1.0 - bend)
    a = np.where(far, -x, 1.0)
    u = np.square(1.0 / a)
    first, second = np.zeros_like(u), np.zeros_like(u)
    for j in range(len(_SERIES) - 1, -1, -1):
        first = _SERIES[j] - u * first
        second = (2 * j + 1) * _SERIES[j] - u * second
    rest = np.where(far, first / a, rest)
    left = np.where(far, u * second, 1.0 - ratio * rest)
    return NormalTail(value, ratio, rest, np.where(far, 1.0 - left, ratio * rest), left)


def minus_log_normal_cdf(x: Array) -> tuple[Array, Array, Array]:
    """Return -log Phi(x) and its first two derivatives."""
    tail = normal_tail(x)
    with np.errstate(over="ignore"):
        value = np.where(x < 0.0, 0.5 * x * x, 0.0) - tail.value
    return value, -tail.ratio, tail.bend
