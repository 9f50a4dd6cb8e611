"""Logarithms of tails, also where the tail itself is smaller than the least floating-point number.

There the integrand on the logarithmic scale, exp(-f), falls almost like an exponential. Gauss and
Laguerre's points, scaled by its slope, integrate what is left of f.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincc, betaln, gammainc, gammaincc

from skmle.families.base import Array
from skmle.families.tools.special import LOG_2PI, binet, log_probability

# Below, scipy's incomplete gamma and beta functions lose digits. Here the tail is 36 standard
# deviations out or more, where the points below leave relative errors of 1e-12.
_LEAST = 1e-290
_POINTS, _WEIGHTS = np.polynomial.laguerre.laggauss(32)


def log_gamma_tail(a: Array, x: Array, upper: bool) -> Array:
    """Return log P(Y > x) (`upper`) or log P(Y <= x) of the gamma law of shape a and scale one."""
    a, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(x, float))
    above, below = np.asarray(gammaincc(a, x)), np.asarray(gammainc(a, x))
    tail, other = (above, below) if upper else (below, above)
    with np.errstate(all="ignore"):
        far = (tail < _LEAST) & (x > 0.0) & np.isfinite(x) & np.isfinite(a)
        result = np.where(far, 0.0, log_probability(tail, other))
        if far.any():
            result[far] = _far_gamma(a[far], x[far])
    return result


def _far_gamma(a: Array, x: Array) -> Array:
    # This is a log x - x - lgamma(a) by Binet's function. On the scale of log x it falls with the
    # slope x - a.
    excess = (x - a) / a
    growth = np.where(x < 0.5 * a, np.log(x / a), np.log1p(excess))
    log_density = 0.5 * (np.log(a) - LOG_2PI) - binet(a, 0)[0] - a * (excess - growth)
    step = _POINTS / (x - a)[:, None]
    rest = np.exp(-x[:, None] * (np.expm1(step) - step)) @ _WEIGHTS
    return log_density - np.log(np.abs(x - a)) + np.log(rest)


def log_beta_tail(a: Array, b: Array, x: Array, x_bar: Array, upper: bool) -> Array:
    """Return log P(Y > x) (`upper`) or log P(Y <= x) of the beta law with a and b.

    `x_bar` is 1 - x, which has digits of its own where x is close to one.
    """
    arrays = (np.asarray(value, float) for value in (a, b, x, x_bar))
    a, b, x, x_bar = np.broadcast_arrays(*arrays)
    if upper:  # the other end's lower tail
        a, b, x, x_bar = b, a, x_bar, x
    tail = np.where(x <= x_bar, betainc(a, b, x), betaincc(b, a, x_bar))
    other = np.where(x <= x_bar, betaincc(a, b, x), betainc(b, a, x_bar))
    with np.errstate(all="ignore"):
        far = (tail < _LEAST) & (x > 0.0) & np.isfinite(a) & np.isfinite(b)
        result = np.where(far, 0.0, log_probability(tail, other))
        if far.any():
            result[far] = _far_beta(a[far], b[far], x[far], x_bar[far])
    return result


def _far_beta(a: Array, b: Array, x: Array, x_bar: Array) -> Array:
    # On the scale of log(x/(1 - x)) the integrand is x^a (1 - x)^b, and its slope a (1 - x) - b x.
    # The smaller one of x and 1 - x has the digits of both.
    slope = a * x_bar - b * x
    step = -_POINTS / slope[:, None]
    low = x < x_bar
    least, step = np.minimum(x, x_bar)[:, None], np.where(low[:, None], step, -step)
    bend = np.log1p(least * np.expm1(step)) - least * step
    rest = np.exp(-(a + b)[:, None] * bend) @ _WEIGHTS
    log_x = np.where(low, np.log(x), np.log1p(-x_bar))
    log_x_bar = np.where(low, np.log1p(-x), np.log(x_bar))
    return a * log_x + b * log_x_bar - betaln(a, b) - np.log(slope) + np.log(rest)
