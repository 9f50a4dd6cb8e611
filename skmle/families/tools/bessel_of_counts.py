"""Modified Bessel functions of whole orders, an order a row, as laws of differences of counts ask.

With w = x^2/4, I_v(x) = (x/2)^v/v! G, G = sum_k v! w^k/(k! (v + k)!), of which the terms are the
probabilities of k, the smaller of two Poisson counts that differ by v, times G. So the first two
derivatives of log G in log w are the mean and the variance of k.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial
from scipy.special import gammaln, xlogy

from skmle.families.records import Array
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.special import LOG_2PI

# s = sqrt(v^2 + x^2) from which Debye's expansion has all digits with so many terms, and the number
# of terms of the power series that are needed below.
_LARGE, _ORDERS, _TERMS = 40.0, 12, 80


class Difference(NamedTuple):
    """-log of the probability of a difference of two Poisson counts, and what it tells of them."""

    value: Array
    above: Array
    """By how much the mean of the first count, given the difference, exceeds its mean."""
    below: Array
    """The same of the second count."""
    variance: Array
    """Var of each of the counts, given the difference."""


def difference(y: Array, first: Array, second: Array) -> Difference:
    """Return -log P(N1 - N2 = y) of Poisson counts with these positive means.

    References
    ----------
    Olver (1997), Asymptotics and Special Functions, ch. 10.7 (Debye's expansion, which in powers of
    1/s holds for all orders from 0 on).
    """
    y, first, second = np.broadcast_arrays(y, first, second)
    large = np.hypot(y, 2.0 * np.sqrt(first) * np.sqrt(second)) >= _LARGE
    if large.all():
        return _far(y, first, second)
    if not large.any():
        return _near(y, first, second)
    found = np.empty((len(Difference._fields), *y.shape))
    for part, formula in ((large, _far), (~large, _near)):
        found[:, part] = np.stack(formula(y[part], first[part], second[part]))
    return Difference(*found)


def _near(y: Array, first: Array, second: Array) -> Difference:
    """Return it by the power series of G."""
    v = np.abs(y)
    w = first * second
    term, total = np.ones(w.shape), np.ones(w.shape)
    mean, square = np.zeros(w.shape), np.zeros(w.shape)
    for k in range(1, _TERMS):
        term = term * (w / (k * (v + k)))
        total += term
        mean += k * term
        square += k * k * term
        if not np.any(term > 1e-18 * total):
            break
    mean, square = mean / total, square / total
    mass = np.where(y < 0.0, second, first)
    value = first + second - xlogy(v, mass) + gammaln(v + 1.0) - np.log(total)
    above = mean + np.maximum(y, 0.0) - first
    below = mean + np.maximum(-y, 0.0) - second
    return Difference(value, above, below, square - mean * mean)


def _far(y: Array, first: Array, second: Array) -> Difference:
    """Return it by Debye's expansion, about the counts p and r that are most likely, about.

    p - r = y and p r is the product of the means, so that p + r = s.
    """
    product = 2.0 * np.sqrt(first) * np.sqrt(second)
    s = np.hypot(y, product)
    away = y - (first - second)
    turn = 0.5 * away * ((y + (first - second)) / (s + (first + second)))
    p_away, r_away = turn + 0.5 * away, turn - 0.5 * away
    larger = 0.5 * (s + np.abs(y))
    smaller = 0.5 * product * (product / (2.0 * larger))
    p, r = np.where(y >= 0.0, larger, smaller), np.where(y >= 0.0, smaller, larger)
    value = _bregman(p, p_away, first) + _bregman(r, r_away, second)
    t = (y / s) ** 2
    rest = (product / s) ** 2  # 1 - t
    sums = [np.zeros(s.shape) for _ in range(3)]
    for polynomials in reversed(_expansion()):
        for total, polynomial in zip(sums, polynomials, strict=True):
            total += polynomial(t)
            total /= s
    value = value + 0.5 * (LOG_2PI + np.log(s)) - sums[0]
    shift = sums[1] - 0.25 * rest
    variance = 0.25 * rest * (s - t) + sums[2]
    return Difference(value, p_away + shift, r_away + shift, variance)


def _bregman(count: Array, away: Array, mean: Array) -> Array:
    """Return count log(count/mean) - count + mean, given count - mean, too."""
    some = np.where(count > 0.0, count, 1.0)
    return np.where(count > 0.0, some * gap_beside(-away / some, mean / some), mean)


@cache
def _expansion() -> list[tuple[Polynomial, Polynomial, Polynomial]]:
    """Return the polynomials C_k in t = (v/s)^2 of log I_v's expansion, and of its derivatives.

    The sum of C_k/s^k, k >= 1, is the logarithm of Debye's sum of u_k. Its derivative in log w
    follows from ds = s (1 - t)/2 and dt = -t (1 - t), per unit of log w.
    """
    x, one = Polynomial([0.0, 1.0]), Polynomial([1.0])
    u = [one]
    for _ in range(_ORDERS):
        slope = 0.5 * x**2 * (one - x**2) * u[-1].deriv()
        u.append(slope + 0.125 * ((one - 5.0 * x**2) * u[-1]).integ())
    # u_k is x^k times a polynomial in x^2.
    of_t = [Polynomial(polynomial.coef[k::2]) for k, polynomial in enumerate(u)]
    logs: list[Polynomial] = [Polynomial([0.0])]
    for k in range(1, _ORDERS + 1):
        less = sum((j * logs[j] * of_t[k - j] for j in range(1, k)), Polynomial([0.0]))
        logs.append(of_t[k] - less / k)

    def derivative(k: int, polynomial: Polynomial) -> Polynomial:
        return -(one - x) * (0.5 * k * polynomial + x * polynomial.deriv())

    found = []
    for k in range(1, _ORDERS + 1):
        slope = derivative(k, logs[k])
        found.append((logs[k], slope, derivative(k, slope)))
    return found
