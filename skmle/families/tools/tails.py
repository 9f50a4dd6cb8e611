"""Logarithms of tails, also where the tail itself is smaller than the least floating-point number.

There the integrand on the logarithmic scale, exp(-f), falls almost like an exponential. Gauss and
Laguerre's points, scaled by its slope, integrate what is left of f.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincc, betaln, erfcx, gammainc, gammaincc, gammaln

from skmle.families.base import Array, Rows, triangle
from skmle.families.tools.divergences import bregman, gap_beside
from skmle.families.tools.special import LOG_2PI, binet, log_complement, log_probability

# Below, scipy's incomplete gamma and beta functions lose digits. Here the tail is 36 standard
# deviations out or more, where the points below leave relative errors of 1e-12.
_LEAST = 1e-290
_POINTS, _WEIGHTS = np.polynomial.laguerre.laggauss(32)
# Shape of a gamma law from which Temme's expansion is used, and the largest distance from the shape
# as a share of it: scipy's series for the lower tail ends too early there (6e-7 off at 1e6), and
# what the expansion leaves out is below 1e-13. Farther out the tail is below 1e-290.
_LARGE, _NEAR = 1e5, 0.3
# Logarithm of a number that may underflow.
_TINY = -690.0
# The first two functions of Temme's expansion as power series in eta.
_TEMME = (
    (
        -1.0 / 3.0,
        1.0 / 12.0,
        -2.0 / 135.0,
        1.0 / 864.0,
        1.0 / 2835.0,
        -139.0 / 777600.0,
        1.0 / 25515.0,
        -571.0 / 261273600.0,
        -281.0 / 151559100.0,
        8.296711340953086e-7,
    ),
    (
        -1.0 / 540.0,
        -1.0 / 288.0,
        1.0 / 378.0,
        -77.0 / 77760.0,
        2.0576131687242798e-4,
        -4.0187757201646091e-7,
    ),
)

# Least parameter of a beta law from which Temme's expansion is used, whose second term is below
# 1e-15 there, while scipy takes 10 ms. Where its two parts touch, the limit takes the place of
# their difference: at this distance either is off by 1e-13.
VERY_LARGE, _TOUCH = 1e10, 1e-7


def log_gamma_tail(a: Array, x: Array, upper: bool, log_x: Array | None = None) -> Array:
    """Return log P(Y > x) (`upper`) or log P(Y <= x) of the gamma law of shape a and scale one.

    Where x itself may underflow, its logarithm has to be given.
    """
    a, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(x, float))
    above, below = np.asarray(gammaincc(a, x)), np.asarray(gammainc(a, x))
    tail, other = (above, below) if upper else (below, above)
    with np.errstate(all="ignore"):
        far = (tail < _LEAST) & (x > 0.0) & np.isfinite(x) & np.isfinite(a)
        result = np.where(far, 0.0, log_probability(tail, other))
        if far.any():
            result[far] = _far_gamma(a[far], x[far])
        if (large := (a > _LARGE) & (np.abs(x - a) < _NEAR * a)).any():
            result[large] = _large_gamma(a[large], x[large], upper)
        if log_x is not None and (tiny := log_x < _TINY).any():
            lower = a * log_x - gammaln(a + 1.0)  # the first term of its series
            result = np.where(tiny, np.log1p(-np.exp(lower)) if upper else lower, result)
    return result


def _large_gamma(a: Array, x: Array, upper: bool) -> Array:
    away = (x - a) / a
    excess = gap_beside(away, x / a)
    eta = np.copysign(np.sqrt(2.0 * excess), away)
    return log_large_gamma_tail(1.0 / np.sqrt(a), eta, a * excess, away > 0.0, upper)


def log_large_gamma_tail(
    inverse_root: Array,
    eta: Array,
    half_square: Array,
    above: NDArray[np.bool_],
    upper: bool,
) -> Array:
    """Return the logarithm of a tail of a gamma law of a large shape a, uniformly in x.

    Parameters
    ----------
    inverse_root : ndarray
        1/sqrt(a), which may be zero: the law is then normal.
    eta : ndarray
        With the sign of x - a, eta^2/2 = x/a - 1 - log(x/a).
    half_square : ndarray
        a eta^2/2.
    above : ndarray of bool
        Whether x > a.
    upper : bool

    References
    ----------
    Temme (1979), The asymptotic expansion of the incomplete gamma functions, SIAM Journal on
    Mathematical Analysis 10.
    """
    series = [sum(c * eta**j for j, c in enumerate(terms)) for terms in _TEMME]
    correction = (series[0] + series[1] * inverse_root**2) * inverse_root / np.sqrt(2.0 * np.pi)
    # Both terms of the smaller tail have the factor exp(-a eta^2/2).
    bell = 0.5 * erfcx(np.sqrt(half_square)) + np.where(above, correction, -correction)
    smaller = np.log(bell) - half_square
    return np.where(above == upper, smaller, log_complement(np.minimum(smaller, 0.0)))


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
    large = np.minimum(a, b) > VERY_LARGE
    some, more = np.where(large, 1.0, a), np.where(large, 1.0, b)
    tail, other = _beta_tails(some, more, x, x_bar)
    with np.errstate(all="ignore"):
        far = (tail < _LEAST) & (x > 0.0) & np.isfinite(a) & np.isfinite(b) & ~large
        result = np.where(far, 0.0, log_probability(tail, other))
        if far.any():
            result[far] = _far_beta(a[far], b[far], x[far], x_bar[far])
        if large.any():
            result[large] = _large_beta(a[large], b[large], x[large], x_bar[large])
    return result


def _beta_tails(a: Array, b: Array, x: Array, x_bar: Array) -> tuple[Array, Array]:
    """Return P(Y <= x) and P(Y > x) of the beta law, from the smaller one of x and 1 - x.

    scipy's complement takes ten times longer than the probability: it is asked where it is small.
    """
    low = x <= x_bar
    p, q, least = np.where(low, a, b), np.where(low, b, a), np.where(low, x, x_bar)
    one = betainc(p, q, least)
    rest = np.asarray(1.0 - one)
    betaincc(p, q, least, out=rest, where=one > 0.5)
    return np.where(low, one, rest), np.where(low, rest, one)


def _large_beta(a: Array, b: Array, x: Array, x_bar: Array) -> Array:
    """Return the logarithm of the lower tail of large a and b."""
    total = a + b
    p, p_bar = a / total, b / total
    excess = bregman(p, x) + bregman(p_bar, x_bar)
    return log_large_beta_tail(total, (p, p_bar), x * p_bar - p * x_bar, excess, False)


def log_large_beta_tail(
    total: Array, means: tuple[Array, Array], away: Array, excess: Array, upper: bool
) -> Array:
    """Return the logarithm of a tail of a beta law of large a and b, uniformly in x.

    Parameters
    ----------
    total : ndarray
        a + b.
    means : tuple of two ndarray
        a/(a + b) and b/(a + b).
    away : ndarray
        x - a/(a + b).
    excess : ndarray
        The divergence of one trial with the probability a/(a + b) from one with x.
    upper : bool

    References
    ----------
    Temme (1982), The uniform asymptotic expansion of a class of integrals related to cumulative
    distribution functions, SIAM Journal on Mathematical Analysis 13.
    """
    p, p_bar = means
    eta, root = np.copysign(np.sqrt(2.0 * excess), away), np.sqrt(p * p_bar)
    direct = 1.0 / np.where(eta == 0.0, 1.0, eta) - root / np.where(away == 0.0, 1.0, away)
    first = np.where(np.abs(eta) < _TOUCH, (p_bar - p) / (3.0 * root), direct)
    correction = first / np.sqrt(2.0 * np.pi * total)
    above = away > 0.0
    # Both terms of the smaller tail have the factor exp(-total eta^2/2).
    bell = 0.5 * erfcx(np.sqrt(total * excess)) + np.where(above, -correction, correction)
    smaller = np.log(bell) - total * excess
    return np.where(above == upper, smaller, log_complement(np.minimum(smaller, 0.0)))


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


def of_larger_tails(rows: Rows, value: Array, own: NDArray[np.bool_]) -> Rows:
    """Return rows of -log of tails, of which `own` are known and the others are one less these.

    Parameters
    ----------
    rows : Rows
        Those of the known tails, -log S.
    value : ndarray
        -log of the tails that are asked for, S or 1 - S.
    own : ndarray of bool
        Where S is the tail that is asked for.
    """
    if rows.gradient is None:
        return Rows(value)
    k, bends = len(rows.gradient), () if rows.curvature is None else rows.packed
    entries = (0.0 if entry is None else entry for entry in (*rows.gradient, *bends))
    known = np.stack(np.broadcast_arrays(rows.value, *entries))
    _, *found = np.where(own, known, complement(known, k))
    return Rows(value, tuple(found[:k]), tuple(found[k:]) if bends else None)


def complement(tail: Array, k: int) -> Array:
    """Return the value and the derivatives of -log(1 - P) from those of -log P."""
    value, slopes, bends = tail[0], tail[1 : k + 1], tail[k + 1 :]
    odds = 1.0 / np.expm1(np.maximum(value, 0.0))
    found = [-log_complement(-np.maximum(value, 0.0)), *(-odds * slopes)]
    pairs = zip(triangle(k), bends, strict=False)  # of an order below two there are none
    found += [odds * ((1.0 + odds) * slopes[a] * slopes[b] - bend) for (a, b), bend in pairs]
    return np.stack(found)
