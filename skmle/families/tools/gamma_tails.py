"""Tails of the gamma law with their derivatives in the shape, by averages over what lies beyond.

With U the logarithm of a gamma variable of shape a and scale one, and S = P(U > u),

    d log S/da = E[U | U > u] - psi(a),        d2 log S/da2 = Var[U | U > u] - psi'(a),

and so for the lower tail. The averages are those of V = |U - u|, whose density is integrated by
Gauss's rule. Its height at v = 0 is the hazard h, and h' = h x E[exp(V) - 1]. Nothing cancels in a
tail of less than one half, and a larger one is one less the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import constant_at
from skmle.families.base import Array, Rows
from skmle.families.tools.divergences import rise
from skmle.families.tools.special import binet
from skmle.families.tools.tails import log_gamma_tail

# Gauss's rule, and where it ends: exp(-42) is below 1e-18. Against 40 digits the derivatives are
# within 1e-12, for shapes from 0.001 to 2000.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(48))
_NODES = _NODES + 0.5
_END = 42.0
_AT_ONCE = 1024  # rows whose points stay in the cache
_LARGE = 1e4  # x up to which a plain difference keeps 13 digits
# Lower tails of smaller shapes are a power of x times a series, which is short up to one half, and
# so deep below the mean that the density above is far from smooth.
_SMALL, _TERMS, _DEEP = 1.0, 24, 20.0


def tail_rows(away: Array, log_shape: Array, upper: bool, order: int) -> Rows:
    """Return -log of a tail of a gamma law, with derivatives in its log mean and log shape.

    Parameters
    ----------
    away : ndarray
        log(y/mean).
    log_shape : ndarray
    upper : bool
    order : int
    """
    away, log_a = np.broadcast_arrays(np.asarray(away, float), np.asarray(log_shape, float))
    with np.errstate(all="ignore"):  # beyond the floating-point numbers
        a = np.exp(log_a)
        value = -log_gamma_tail(a, a * np.exp(away), upper, log_a + away)
        if order < 1:
            return Rows(value)
        # By the smaller tail, but by the series as far down as that is short.
        above = ((value >= np.log(2.0)) == upper) & ((a >= _SMALL) | (away > -_DEEP))
        own = above == upper
        least = np.where(own, value, -np.log(-np.expm1(-value)))
        rows = _of_smaller(least, away, log_a, above)
        # From those of g = -log S to those of -log(1 - S), where that is asked.
        odds = np.exp(value - least)
        one, other = np.where(own, 1.0, -odds), np.where(own, 0.0, odds * (1.0 + odds))
        assert rows.gradient is not None
        by_mean, by_shape = rows.gradient
        pairs = (by_mean * by_mean, by_mean * by_shape, by_shape * by_shape)
        gradient = (one * by_mean, one * by_shape)
        bends = zip(rows.packed, pairs, strict=True)
        curvature = tuple(one * np.asarray(b) + other * p for b, p in bends)
        found = Rows(value, gradient, curvature).upto(order)
    return constant_at(~np.isfinite(away), value, found)


def _of_smaller(value: Array, away: Array, log_a: Array, upper: NDArray[np.bool_]) -> Rows:
    """Return -log of a tail of less than one half, about, whose `value` is known, as rows.

    `upper` says of each row whether it is the upper tail.
    """
    a = np.exp(log_a)
    _, mu1, mu2 = binet(a)
    assert mu1 is not None and mu2 is not None
    hazard, mean, variance, growth = _averages(a, a * np.exp(away), upper)
    sign = np.where(upper, 1.0, -1.0)
    # In u = log x and in log a, with psi(a) = log a - 1/(2a) + mu'(a).
    by_u = sign * hazard
    by_a = -a * (away - mu1 + sign * mean) - 0.5
    u_u = hazard * growth
    u_a = -a * hazard * mean
    a_a = by_a + a + 0.5 + a * a * (mu2 - variance)
    # u falls with the log mean, and rises with log a.
    gradient = (-by_u, by_u + by_a)
    return Rows(value, gradient, (u_u, -(u_u + u_a), u_u + 2.0 * u_a + a_a))


def _averages(a: Array, x: Array, upper: NDArray[np.bool_]) -> Array:
    """Return h, E[V], Var[V] and x E|exp(+-V) - 1| in the tails beyond x, (4, ...)."""
    shape = a.shape
    a, x, upper = a.ravel(), x.ravel(), upper.ravel()
    found = np.empty((4, len(a)))
    small = ~upper & (a < _SMALL)
    for part, averages in ((small, _by_series), (~small & ~upper, _below), (upper, _above)):
        rows = np.flatnonzero(part)
        for at in np.split(rows, range(_AT_ONCE, len(rows), _AT_ONCE)):
            if len(at):
                found[:, at] = averages(a[at], x[at])
    return found.reshape(4, *shape)


def _above(a: Array, x: Array) -> tuple[Array, ...]:
    # The density of V is h exp(-(x - a) v - x (exp(v) - 1 - v)).
    end = np.minimum(np.sqrt(2.2 * _END / x) + 1.0 / x, np.log1p((_END + 80.0 * a) / x))
    end = np.where(x > a, np.minimum(end, _END / (x - a)), end)
    return _integrated(a - x, x, end, 1.0)


def _below(a: Array, x: Array) -> tuple[Array, ...]:
    # The density of V is h exp(-(a - x) v - x (exp(-v) - 1 + v)).
    end = (_END + x) / a
    end = np.where(x < a, np.minimum(end, _END / (a - x)), end)
    end = np.minimum(end, np.where(x > 2.8 * _END, np.sqrt(2.8 * _END / x), np.inf))
    return _integrated(x - a, x, end, -1.0)


def _integrated(slope: Array, x: Array, end: Array, sign: float) -> tuple[Array, ...]:
    v = np.multiply.outer(_NODES, end)
    growth = np.expm1(sign * v)
    # The difference loses as many digits as the root of x has.
    beyond = rise(sign * v) if x.max() > _LARGE else growth - sign * v
    mass = np.exp(slope * v - x * beyond) * _WEIGHTS[:, None]
    total = mass.sum(axis=0)
    mass /= total
    mean = (mass * v).sum(axis=0)
    variance = (mass * np.square(v - mean)).sum(axis=0)
    return 1.0 / (total * end), mean, variance, x * np.abs((mass * growth).sum(axis=0))


def _by_series(a: Array, x: Array) -> tuple[Array, ...]:
    # P(U <= u) is x^a times the sum of (-x)^k/(k! (a + k)), up to a factor; exp(-V) adds 1 to a.
    k = np.arange(float(_TERMS))[:, None]
    factors = np.cumprod(np.vstack([np.ones_like(x), -x / k[1:]]), axis=0)
    whole = factors / (a + k)
    total, less = whole.sum(axis=0), (factors / (a + 1.0 + k)).sum(axis=0)
    mean = (whole / (a + k)).sum(axis=0) / total
    square = 2.0 * (whole / (a + k) ** 2).sum(axis=0) / total
    return np.exp(-x) / total, mean, square - mean * mean, x * (1.0 - less / total)
