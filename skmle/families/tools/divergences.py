"""The pieces of closed divergences: convex functions above their tangents, to all their digits.

A family writes D(p || q) as a sum of such terms. None of them can be negative and each vanishes at
p = q, so that nothing large cancels: as a difference of two entropies a small divergence would lose
its digits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln

from skmle.families.base import Array
from skmle.families.tools.special import binet, trigamma

# Gauss's rule of ten points has all digits where it is used: x and the point of contact are closer
# to each other than to the singularity at 0.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(10))

# |v| below which terms of log(1 + p (e^v - 1)) - p v cancel, and above which e^v overflows.
_NEAR, _FAR = 0.3, 600.0


def gap(x: Array) -> Array:
    """Return x - 1 - log x >= 0 of x >= 0, to full relative accuracy also next to its zero at 1."""
    return gap_beside(np.asarray(x, float) - 1.0, x)


def gap_beside(d: Array, x: Array) -> Array:
    """Return `gap` of x = 1 + d, where d has digits of its own beside 1, and x beside 0."""
    d, x = np.asarray(d, float), np.asarray(x, float)
    direct = np.where(np.isinf(d), np.inf, d - np.log(x))
    return np.where(np.abs(d) < 0.3, _near(d, d / (2.0 + d)), direct)


def rise(v: Array) -> Array:
    """Return exp(v) - 1 - v >= 0, to full relative accuracy also next to its zero at 0."""
    d = np.expm1(v)
    return np.where(np.abs(d) < 0.3, _near(d, np.tanh(0.5 * v)), np.where(np.isinf(d), d, d - v))


def binomial_gap(v: Array, p: Array, log_sum: Array | None = None) -> Array:
    """Return (log(1 + p (e^v - 1)) - p v)/(p (1 - p)) for 0 < p <= 1/2, which is v^2/2 for small v.

    `log_sum` is that logarithm, which is wanted where e^v is beyond the numbers.
    """
    growth = np.expm1(np.minimum(v, _FAR))
    logs = np.log1p(p * growth)
    if log_sum is not None:
        logs = np.where(v > _FAR, log_sum, logs)
    value = logs / p - v
    if (near := np.abs(v) < _NEAR).any():
        value = np.where(near, (rise(v) * p - gap_beside(p * growth, 1.0 + p * growth)) / p, value)
    return value / (1.0 - p)


def bregman(p: Array, q: Array) -> Array:
    """Return p log(p/q) - p + q >= 0 of p, q >= 0, where 0 log 0 = 0.

    It is the divergence of two Poisson laws, and a share of many others.
    """
    away = np.asarray((q - p) / p)
    # It is infinite where p is zero, or too small beside q to count.
    return np.where(np.isfinite(away), p * gap_beside(away, q / p), q)


def of_trials(p: Array, q: Array) -> Array:
    """Return the divergence of one trial with the probability p of success from one with q."""
    return bregman(p, q) + bregman(1.0 - p, 1.0 - q)


def of_gaussians(mean_p: Array, sd_p: Array, mean_q: Array, sd_q: Array) -> Array:
    """Return the divergence of two normal laws of one number, by means and standard deviations."""
    return 0.5 * (((mean_p - mean_q) / sd_q) ** 2 + gap((sd_p / sd_q) ** 2))


def binet_gap(x: Array, at: Array) -> Array:
    """Return how far Binet's function at x lies above its tangent at `at`."""
    (value, _, _), (touch, slope, _) = binet(x, 0), binet(at, 1)
    assert slope is not None
    return _above_tangent(x, at, value - touch - (x - at) * slope, lambda t: binet(t, 2)[2])


def log_gamma_gap(x: Array) -> Array:
    """Return how far the logarithm of the gamma function at x lies above its tangent at 1."""
    return _above_tangent(x, np.ones(()), gammaln(x) + np.euler_gamma * (x - 1.0), trigamma)


def _near(d: Array, r: Array) -> Array:
    """Return d - log(1 + d) of small d, given also r = d/(2 + d), as log(1 + d) = 2 atanh r."""
    s = r * r
    series = np.zeros_like(s)
    # |r| < 0.18 where this is used, so the first term left out is below 1e-17 of the first.
    for k in range(23, 1, -2):
        series = s * (1.0 / k + series)
    return r * d - 2.0 * r * series


def _above_tangent(
    x: Array, at: Array, direct: Array, second: Callable[[Array], Array | None]
) -> Array:
    """Return how far a convex function at x lies above its tangent at `at`.

    `direct` is the difference itself, which loses its digits where x is close to `at`. There the
    value is the integral of the curvature, (x - at)^2 times the mean of
    (1 - u) f''(at + u (x - at)) over 0 < u < 1, in which nothing cancels.
    """
    close = np.abs(x - at) < 0.5 * at
    step = np.where(close, x - at, 0.0)
    total = np.zeros_like(step)
    for node, weight in zip(0.5 + _NODES, _WEIGHTS, strict=True):
        curvature = second(at + node * step)
        assert curvature is not None
        total = total + weight * (1.0 - node) * curvature
    return np.where(close, step * step * total, direct)
