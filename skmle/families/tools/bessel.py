"""Modified Bessel functions without over- or underflow: I of any order and size, and K_1.

scipy's `ive` underflows for large orders, and is nan for arguments above 1e9.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial
from scipy.special import i0e, i1e, k0e, k1e

from skmle.families.records import Array
from skmle.families.tools.special import binet

# Order from which Debye's expansion has all digits with so many terms, for every argument.
_LARGE, _TERMS = 40.0, 10
# Steps of the continued fraction, for arguments up to so many times the order: each takes away
# three fifths of the error or more, and the start has one digit.
_STEPS, _NEAR = 40, 2.0
# Argument from which the expansion in its inverse has all digits: the first in units of
# (order + 1)^2, and the number of its terms.
_FAR, _FAR_LEAST, _FAR_TERMS = 8.0, 40.0, 14
# Argument from which the expansion of K_1 in its inverse has all digits, and the coefficients in
# sqrt(2 x/pi) exp(x) K_1(x) = 1 + b_1/x + b_2/x^2 + ..
_K1_FAR = 100.0
_K1 = np.cumprod([(4.0 - (2.0 * k - 1.0) ** 2) / (8.0 * k) for k in range(1, 9)])
_ROUNDS = 60  # of Newton's method, which needs about four; far more than were seen
_SETTLED = 1e-14  # share of the concentration below which a step changes nothing


class LogBessel(NamedTuple):
    """log G(x), G(x) = Gamma(v + 1) (x/2)^-v I_v(x), which is 1 at x = 0, and its derivatives."""

    value: Array
    """log G - x."""
    ratio: Array
    """I_{v+1}(x)/I_v(x), the derivative of log G, from 0 to 1."""
    lack: Array
    """1 - ratio."""
    over: Array
    """ratio/x."""
    slope: Array
    """The derivative of the ratio."""


def log_bessel(order: float, x: Array) -> LogBessel:
    """Return the logarithm of the modified Bessel function of this order and its derivatives.

    Parameters
    ----------
    order : float
        v, at least -1/2.
    x : ndarray or 0-d
        From 0 on.

    References
    ----------
    Olver (1997), Asymptotics and Special Functions, ch. 10.7 (Debye's expansion).
    Amos (1974), Computation of modified Bessel functions and their ratios (the fraction).
    """
    x = np.asarray(x, float)
    top = float(order) + max(int(np.ceil(_LARGE - order)), 1)
    value, ratio = _debye(top, np.maximum(x, _NEAR * top))
    value = np.where(x < _NEAR * top, _debye(top, x)[0], value)
    far = ratio * (2.0 * (top + 1.0) / np.maximum(x, _NEAR * top))
    # s_m = 2 (m + 1)/x I_{m+1}/I_m, which is 1 at x = 0: s_{m-1} = 1/(1 + s_m x^2/(4 m (m + 1))).
    half = 0.5 * np.minimum(x, _NEAR * top)
    s = np.ones_like(x)
    for m in np.arange(top + _STEPS, top, -1.0):
        s = 1.0 / (1.0 + s * (half / m) * (half / (m + 1.0)))
    s = np.where(x < _NEAR * top, s, far)
    half = 0.5 * x
    above = s
    for m in np.arange(top, order + 0.5, -1.0):
        above, s = s, 1.0 / (1.0 + s * (half / m) * (half / (m + 1.0)))
        value = value - np.log(s)
    over = s / (2.0 * (order + 1.0))
    ratio = x * over
    slope = over + ratio * (x * (above / (2.0 * (order + 2.0))) - ratio)
    lack = 1.0 - ratio
    away = np.maximum(x, _FAR * (order + 1.0) ** 2 + _FAR_LEAST)
    far_lack, far_slope = _far(order, 1.0 / away)
    lack, slope = np.where(x < away, lack, far_lack), np.where(x < away, slope, far_slope)
    return LogBessel(value, ratio, lack, over, slope)


def log_bessel_0(x: Array) -> LogBessel:
    """Return `log_bessel` of order 0, by scipy's functions, which are right and quicker there."""
    x = np.asarray(x, float)
    zero = i0e(x)
    ratio = i1e(x) / zero
    over = np.where(x > 0.0, ratio / np.where(x > 0.0, x, 1.0), 0.5)
    lack, slope = 1.0 - ratio, 1.0 - ratio * ratio - over
    far = x > _FAR_LEAST
    if far.any():
        far_lack, far_slope = _far(0.0, 1.0 / np.where(far, x, np.inf))
        lack, slope = np.where(far, far_lack, lack), np.where(far, far_slope, slope)
    return LogBessel(np.log(zero), ratio, lack, over, slope)


class LogBesselK(NamedTuple):
    """log(sqrt(2 x/pi) exp(x) K_1(x)), which tends to 0 like 3/(8 x), and two derivatives."""

    value: Array
    slope: Array
    """The derivative in log x, from 0 for large x to -1/2 for small."""
    bend: Array
    """The second derivative in log x."""


def log_bessel_k1(inverse: Array) -> LogBesselK:
    """Return the logarithm of K_1(x) and its derivatives at x = 1/inverse.

    Parameters
    ----------
    inverse : ndarray or 0-d
        From 0 on.
    """
    inverse = np.asarray(inverse, float)
    near = inverse > 1.0 / _K1_FAR
    if near.all():
        return _k1_near(1.0 / inverse)
    if not near.any():
        return _k1_far(inverse)
    both = zip(
        _k1_near(1.0 / np.where(near, inverse, 1.0)),
        _k1_far(np.where(near, 0.0, inverse)),
        strict=True,
    )
    return LogBesselK(*(np.where(near, one, other) for one, other in both))


def _k1_near(x: Array) -> LogBesselK:
    zero, one = k0e(x), k1e(x)
    ratio = zero / one  # its derivative is ratio^2 + ratio/x - 1
    value = np.log(np.sqrt(2.0 * x / np.pi) * one)
    slope = x * (1.0 - ratio) - 0.5
    bend = x * (1.0 - 2.0 * ratio + x * ((1.0 - ratio) * (1.0 + ratio)))
    return LogBesselK(value, slope, bend)


def _k1_far(inverse: Array) -> LogBesselK:
    rest = fall = turn = np.zeros_like(inverse)  # the sum, and its derivatives in log(1/x)
    for k in range(len(_K1), 0, -1):
        b = _K1[k - 1]
        rest, fall = (rest + b) * inverse, (fall + b * k) * inverse
        turn = (turn + b * k * k) * inverse
    fall, turn = fall / (1.0 + rest), turn / (1.0 + rest)
    return LogBesselK(np.log1p(rest), -fall, turn - fall * fall)


def concentration(dimension: int, lack: float) -> float:
    """Return the concentration at which directions have a mean of length 1 - lack.

    The length is the ratio of Bessel functions: found by Newton's method in the logarithm, from the
    approximation of Banerjee et al. (2005).
    """
    length = 1.0 - lack
    k = length * (dimension - length**2) / (lack * (2.0 - lack))
    for _ in range(_ROUNDS):
        bessel = log_bessel(0.5 * dimension - 1.0, np.asarray(k))
        missing = bessel.lack - lack if length > 0.5 else length - bessel.ratio
        step = float(missing / (k * bessel.slope))
        k = k * np.exp(np.clip(step, -2.0, 2.0))
        if abs(step) < _SETTLED:
            break
    return float(k)


def _debye(order: float, x: Array) -> tuple[Array, Array]:
    """Return log G - x and the ratio by Debye's expansion; the ratio has its digits for large x."""
    z = x / order
    root = np.hypot(1.0, z)
    t = 1.0 / root
    u, v = (polynomial(t) for polynomial in _expansions(order))
    fall = 1.0 / (root + z) - 1.0 - np.log1p(0.5 * z * (z / (1.0 + root)))
    value = order * fall + binet(np.asarray(order), 0)[0] + np.log(u) - 0.5 * np.log(root)
    with np.errstate(divide="ignore", invalid="ignore"):
        return value, (root * (v / u) - 1.0) / z


@cache
def _expansions(order: float) -> tuple[Polynomial, Polynomial]:
    """Return the sums of u_k(t)/order^k and v_k(t)/order^k, of I and of its derivative."""
    t, one = Polynomial([0.0, 1.0]), Polynomial([1.0])
    room = t * (one - t * t)
    u, v, total, slope = one, one, one, one
    for k in range(1, _TERMS + 1):
        turned = 0.5 * t * room * u.deriv() + 0.125 * ((one - 5.0 * t * t) * u).integ()
        v = turned - 0.5 * room * u - t * room * u.deriv()
        u = turned
        total, slope = total + u / order**k, slope + v / order**k
    return total, slope


def _far(order: float, inverse: Array) -> tuple[Array, Array]:
    """Return 1 - ratio and the ratio's derivative as series in 1/x.

    Their coefficients are those by which r' = 1 - r^2 - (2 v + 1) r/x.
    """
    a = [1.0]
    for k in range(1, _FAR_TERMS + 1):
        before = (k - 1.0 - (2.0 * order + 1.0)) * a[k - 1]
        a.append(0.5 * (before - sum(a[i] * a[k - i] for i in range(1, k))))
    lack, slope = np.zeros_like(inverse), np.zeros_like(inverse)
    for k in range(_FAR_TERMS, 0, -1):
        lack = (lack - a[k]) * inverse
        slope = (slope - k * a[k]) * inverse
    return lack, slope * inverse
