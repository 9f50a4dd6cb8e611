"""Special functions that families need.

They are written with numpy's fast ufuncs where those of scipy.special are slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, zeta

from skmle.families.records import Rows, WithoutValue

Array = NDArray[np.float64]
Number = TypeVar("Number", float, Array)

LOG_2PI = float(np.log(2 * np.pi))
# |x| below which functions of lgamma(1 + x) are power series, whose terms fall like (2 x)^j, and
# how many of them have all digits.
_NEAR_ONE, _TERMS = 0.05, 16

# Binet's function mu for z >= 1: z mu(z), -z^2 mu'(z) and z^3 mu''(z) are Stieltjes functions of
# 1/z^2. Here they are rational functions of 1/z^2 with one denominator, the highest power first.
# The coefficients are a least-squares fit of the relative errors in 60 digits; these errors stay
# below 3e-17, 6e-16 and 9e-15. fmt: off
_DENOMINATOR = (
    0.036077232034642505,
    3.7130775669042078,
    69.34424829542819,
    420.30054542205943,
    1049.2540883193435,
    1211.5425814754465,
    680.7401007627618,
    185.9110722618224,
    22.983380225023836,
    1.0,
)
_NUMERATORS = (
    (
        0.0013149221016510494,
        0.2307183139852293,
        5.057150386452339,
        32.78561711723704,
        84.51948202909273,
        99.20564670137718,
        56.22956762493218,
        15.429540283098204,
        1.9125039076408747,
        0.08333333333333333,
    ),
    (
        -0.00051566144508191,
        -0.15430331621045512,
        -4.10192211554183,
        -29.25942592805036,
        -79.42139933277447,
        -95.93860157310613,
        -55.26612001879506,
        -15.305029440570603,
        -1.9069483520853476,
        -0.08333333333333331,
    ),
    (
        0.0005360232937250709,
        0.20781810483495453,
        6.451722956219483,
        50.660274487342924,
        145.9901504895097,
        182.96852296374288,
        107.77353777656549,
        30.242875559414642,
        3.7972300375061137,
        0.1666666666666653,
    ),
)
# fmt: on


def _polynomial(x: Number, coefficients: tuple[float, ...]) -> Number:
    value = x * coefficients[0]
    value += coefficients[1]
    for coefficient in coefficients[2:]:
        value *= x
        value += coefficient
    return value


def trigamma(x: Array) -> Array:
    """Return psi'(x) for x > 0, by `binet`; relative error 1e-15."""
    curvature = binet(x)[2]
    assert curvature is not None
    return curvature + (1.0 + 0.5 / x) / x


def binet(x: Array, order: int = 2) -> tuple[Array, Array | None, Array | None]:
    """Return mu(x) = lgamma(x) - (x - 1/2) log x + x - log(2 pi)/2 and its first two derivatives.

    A family that is written with mu in place of lgamma has no large terms that cancel. So it keeps
    its accuracy where a shape grows without bound, towards a limit law. mu falls from +inf at 0,
    and like 1/(12 x) for large x.

    Parameters
    ----------
    x : ndarray or 0-d
        Positive.
    order : int
        How many derivatives are wanted; the others are None.
    """
    x = np.asarray(x, float)
    below = x < 1.0
    small = np.flatnonzero(below) if below.any() else None
    z = x
    if small is not None:
        z = x.copy()
        z.reshape(-1)[small] += 1.0
    r: Any = 1.0 / z
    if not x.ndim:
        r = float(r)  # Arithmetic on a Python number takes a twentieth of that on a 0-d array.
    r2 = r * r
    scale = r / _polynomial(r2, _DENOMINATOR)
    jet = []
    for numerator in _NUMERATORS[: order + 1]:
        jet.append(np.asarray(scale * _polynomial(r2, numerator)))
        scale = scale * r
    if small is not None:
        for part, step in zip(jet, _recurrence(x.reshape(-1)[small]), strict=False):
            part.reshape(-1)[small] += step
    value, first, second = (*jet, None, None)[:3]
    assert value is not None
    return value, first, second


def log_gamma_near_one(x: Array) -> Array:
    """Return lgamma(1 + x) for x > -1, with all digits also where it is near zero for small x."""
    near = np.clip(x, -_NEAR_ONE, _NEAR_ONE)
    series = np.zeros_like(near)
    for j in range(_TERMS, 1, -1):
        series = -near * (series + zeta(j) / j)
    series = -near * (series + np.euler_gamma)
    return np.where(np.abs(x) < _NEAR_ONE, series, gammaln(1.0 + x))


def log_gamma_of_twice(x: Array) -> Array:
    """Return lgamma(1 + 2 x) - 2 lgamma(1 + x) for x > -1/2, with all digits for small x.

    It is the sum over j >= 2 of zeta(j) (-x)^j (2^j - 2)/j, where nothing cancels.
    """
    near = np.clip(x, -_NEAR_ONE, _NEAR_ONE)
    series = np.zeros_like(near)
    for j in range(_TERMS, 1, -1):
        series = -near * (series + zeta(j) * (2.0**j - 2.0) / j)
    series = -near * series
    whole = gammaln(1.0 + 2.0 * x) - 2.0 * gammaln(1.0 + x)
    return np.where(np.abs(x) < _NEAR_ONE, series, whole)


def beyond_first(x: Array) -> Array:
    """Return x^2 trigamma(x) - x, which is 1/2 for large x, without cancellation."""
    second = binet(x)[2]
    assert second is not None
    return 0.5 + x * x * second


def bend(x: Array, order: float) -> Array:
    """Return mu(x) - (x - order) mu'(x), the part of Binet's function mu in entropies."""
    value, slope, _ = binet(x, 1)
    assert slope is not None
    return value - (x - order) * slope


def _recurrence(x: Array) -> Iterator[Array]:
    """Yield mu(x) - mu(x + 1) and its derivatives."""
    inverse, after = 1.0 / x, 1.0 / (x + 1.0)
    growth = np.log1p(inverse)
    yield (x + 0.5) * growth - 1.0
    yield growth - 0.5 * (inverse + after)
    yield 0.5 * np.square(inverse * after)


def log_rising(y: Array, r: Array, order: int = 2) -> tuple[Array, Array | None, Array | None]:
    """Return D = lgamma(y + r) - lgamma(r) - y log r and its first two derivatives in t = log r.

    With Binet's function no large terms cancel: the absolute error stays below y * 1e-16 for every
    r. D tends to 0 as r grows, where the negative binomial becomes Poisson and Student's t normal.
    """
    top = y + r
    growth = np.log1p(y / r)
    m0, m1, m2 = binet(top, order)
    n0, n1, n2 = binet(r, order)
    value = (top - 0.5) * growth - y + m0 - n0
    if order < 1:
        return value, None, None
    assert m1 is not None and n1 is not None
    half = 0.5 * y / top
    first = r * growth - y + half + r * (m1 - n1)
    if order < 2:
        return value, first, None
    assert m2 is not None and n2 is not None
    second = r * growth - y * r / top - half * r / top + r * (m1 - n1) + r * (r * (m2 - n2))
    return value, first, second


# Number from which on the series of `log_half_step` has all digits, whose next term is
# 31/(18432 x^9), and its coefficients.
_STEP_FROM = 50.0
_STEP_SERIES = (17.0 / 14336.0, -1.0 / 640.0, 1.0 / 192.0, -1.0 / 8.0)


def log_half_step(x: Array) -> Array:
    """Return log(Gamma(x + 1/2)/Gamma(x)) - log(x)/2 <= 0, of which 1 - exp(2 value) is a variance.

    For large x it is -1/(8 x), with all its digits.
    """
    x = np.asarray(x, float)
    far = x > _STEP_FROM
    near = log_rising(np.asarray(0.5), np.where(far, 1.0, x), 0)[0]
    with np.errstate(divide="ignore"):
        inverse = 1.0 / np.where(far, x, _STEP_FROM)
    return np.where(far, inverse * _polynomial(inverse * inverse, _STEP_SERIES), near)


def log_rising_table(size: int, dispersion: float) -> tuple[Array, Array, Array]:
    """Return `log_rising` for y = 0, 1, ..., size at r = 1/dispersion.

    Cumulated sums give it, which are exact for any dispersion >= 0.
    """
    j = np.arange(size, dtype=float)
    x = j * dispersion
    share = x / (1.0 + x)
    terms = np.log1p(x), -share, share / (1.0 + x)
    value, first, second = (np.concatenate(([0.0], np.cumsum(term))) for term in terms)
    return value, first, second


def logistic_kernel(successes: Array, trials: Array | None, eta: Array, order: int = 2) -> Rows:
    """Return trials * log(1 + exp(eta)) - successes * eta, with derivatives in eta.

    This is -log q of the Bernoulli, binomial and geometric laws. It takes one exp and one log for
    each row, does not overflow, and has absolute errors of 1e-16 in both tails.

    Parameters
    ----------
    successes : ndarray
    trials : ndarray, optional
        None stands for one trial in each row.
    eta : ndarray
        Log-odds of a success.
    order : int
        How many derivatives are wanted; without the value, this is nan.
    """
    t = np.exp(np.copysign(eta, -1.0))
    if trials is not None:
        return _kernel_of_trials(successes, trials, eta, t, order)
    value = np.asarray(np.nan)
    if not isinstance(order, WithoutValue):
        value = np.maximum(eta, 0.0) + np.log1p(t) - successes * eta
    if order < 1:
        return Rows(value)
    q = t / (1.0 + t)
    gradient = (np.copysign(0.5 - q, eta) + 0.5 - successes,)
    return Rows(value, gradient, (q - q * q,)) if order > 1 else Rows(value, gradient)


def _kernel_of_trials(successes: Array, trials: Array, eta: Array, t: Array, order: int) -> Rows:
    """Return `logistic_kernel` of any number of trials, at t = exp(-|eta|).

    It counts the outcomes that are the rarer by eta. Of 1e12 trials with three of these, their
    expected number has all its digits, where that of the others has none behind the point.
    """
    rarer = np.where(eta > 0.0, trials - successes, successes)
    value = np.asarray(np.nan)
    if not isinstance(order, WithoutValue):
        value = trials * np.log1p(t) + rarer * np.abs(eta)
    if order < 1:
        return Rows(value)
    q = t / (1.0 + t)
    gradient = (np.copysign(1.0, eta) * (rarer - trials * q),)
    return Rows(value, gradient, (trials * (q - q * q),)) if order > 1 else Rows(value, gradient)


def logistic_recession(successes: Array, trials: Array, delta: Array) -> Array:
    """Return the slope of `logistic_kernel` far out along `delta`.

    It is the failures times delta upwards, and the successes times |delta| downwards.
    """
    return np.where(delta > 0, (trials - successes) * delta, -successes * delta)


def log_probability(tail: Array, other: Array) -> Array:
    """Return the logarithm of a probability whose complement is `other`.

    Where it is close to one, only its complement has the digits of its logarithm, in which a row
    that runs off to certainty shows that it does.
    """
    return np.where(tail > 0.5, np.log1p(-np.minimum(other, 0.5)), np.log(tail))


def log_complement(log_tail: Array) -> Array:
    """Return log(1 - exp(x)) for x <= 0, with all its digits at both ends."""
    near = log_tail > -np.log(2.0)
    return np.where(near, np.log(-np.expm1(log_tail)), np.log1p(-np.exp(log_tail)))
