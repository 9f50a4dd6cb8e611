"""The Tweedie law: sums of a Poisson number of gamma values, with exact zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, psi

from skmle.families.base import LOG, Array, Arrays, Family, Param, Rows, Support, average
from skmle.families.links import Link
from skmle.families.tools.special import trigamma

# Terms of the series to each side of the largest, in standard deviations of their index: what is
# left out is below 1e-16. A stride of this many terms to a deviation leaves out exp(-2 pi^2 2.25).
_REACH, _TO_A_DEVIATION = 9.0, 1.5
_SHARED = 128.0  # largest index up to which all rows have the same terms
_SHARES = 1e-6, 1.0 - 1e-6  # of zeros, between which a start takes them
_LEAST_SPREAD = 1e-6
_LARGEST_LOG = 300.0  # of the index of the largest term


def _to_logit(power: Array) -> Array:
    return np.log(power - 1.0) - np.log(2.0 - power)


def _from_logit(eta: Array) -> tuple[Array, Array, Array]:
    share = 1.0 / (1.0 + np.exp(-eta))
    rest = 1.0 / (1.0 + np.exp(eta))
    slope = share * rest
    return 1.0 + share, slope, slope * (rest - share)


POWER = Link("logit(power - 1)", _to_logit, _from_logit, domain=(1.0, 2.0))


class Tweedie(Family):
    """Tweedie law of y >= 0 with `mean`, `dispersion` and `power` between 1 and 2.

    The variance is dispersion mean^power. It is the law of the sum of a Poisson number of gamma
    values, as of rain or of claims: zero has the mass exp(-rate) with
    rate = mean^(2 - power)/(dispersion (2 - power)), and each value has the shape
    alpha = (2 - power)/(power - 1) and the scale dispersion (power - 1) mean^(power - 1).

    R: tweedie ``dtweedie(mu=mean, phi=dispersion, power=power)``; statsmodels:
    ``GLM(family=Tweedie(var_power=power))`` has the same estimates of the mean.

    References
    ----------
    Dunn & Smyth (2005), Series evaluation of Tweedie exponential dispersion model densities,
    Statistics and Computing 15.
    Jorgensen (1987), Exponential dispersion models, Journal of the Royal Statistical Society B 49.

    Examples
    --------
    >>> from skmle import MLERegressor
    >>> from skmle.families.tweedie import Tweedie
    >>> rain = [0.0, 0.0, 2.5, 0.0, 7.1, 0.4, 0.0, 1.2, 3.3, 0.0]
    >>> wet = [[0], [0], [1], [0], [1], [1], [0], [0], [1], [1]]
    >>> model = MLERegressor(Tweedie(), fixed={"power": 1.5}).fit(wet, rain)
    >>> print(model.coef_.round(3), round(float(model.intercept_), 3))
    [2.405] -1.427
    """

    parameters = (Param("mean", LOG), Param("dispersion", LOG), Param("power", POWER))
    support = Support(0.0, closed=(True, False))
    breaks = (0.0,)

    def statistics(self, y: Array) -> Arrays:
        with np.errstate(divide="ignore"):
            return y, np.where(y > 0.0, np.log(y), 0.0)

    def base(self, statistics: Arrays) -> Array:
        return statistics[1]

    def densities(self, statistics: Arrays) -> Array:
        return (statistics[0] > 0.0).astype(float)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With a = alpha, and k for the number of values,
        # -log q = rate + y/scale - log sum_k exp(k t - log k! - log Gamma(k a)), where
        # t = log rate + a log(y/scale). Rate, scale and a are functions of eta.
        y, log_y = statistics
        m, d, h = eta
        p1, p1_bar = 1.0 / (1.0 + np.exp(-h)), 1.0 / (1.0 + np.exp(h))  # power - 1 and 2 - power
        a = np.exp(-h)
        log_rate = p1_bar * m - d - np.log(p1_bar)
        log_scale = d + np.log(p1) + p1 * m
        rate, some = np.exp(log_rate), y > 0.0
        x = y * np.exp(-log_scale)
        s = p1 * p1_bar  # d p1/dh = -d p1_bar/dh
        t = log_rate + a * (log_y - log_scale)
        log_w, jet = _wright(t, a, order, some)
        value = rate + x - np.where(some, log_w, 0.0)
        if order < 1:
            return Rows(value)
        # Derivatives of log rate, log scale and t in (m, d, h), and second ones, of which those in
        # m or d with h and in h twice are not zero.
        l1 = (p1_bar, -1.0, p1 - s * m)
        g1 = (p1, 1.0, p1_bar + s * m)
        a1 = (0.0, 0.0, -a)
        away = log_y - log_scale
        t1 = tuple(l1[i] + a1[i] * away - a * g1[i] for i in range(3))
        s1 = s * (p1_bar - p1)
        zero = 0.0
        l2 = (zero, zero, -s, zero, zero, s - s1 * m)
        g2 = (zero, zero, s, zero, zero, -s + s1 * m)
        pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
        w_t, w_a, w_tt, w_ta, w_aa = jet
        gradient = tuple(
            rate * l1[i] - x * g1[i] - np.where(some, w_t * t1[i] + w_a * a1[i], 0.0)
            for i in range(3)
        )
        if order < 2:
            return Rows(value, gradient)
        curvature = []
        for j, (i, k) in enumerate(pairs):
            a2 = a if j == 5 else 0.0
            t2 = l2[j] + a2 * away - a1[i] * g1[k] - a1[k] * g1[i] - a * g2[j]
            bent = w_tt * t1[i] * t1[k] + w_ta * (t1[i] * a1[k] + t1[k] * a1[i])
            bent = bent + w_aa * a1[i] * a1[k] + w_t * t2 + w_a * a2
            own = rate * (l1[i] * l1[k] + l2[j]) + x * (g1[i] * g1[k] - g2[j])
            curvature.append(own - np.where(some, bent, 0.0))
        return Rows(value, gradient, tuple(curvature))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The most likely mean is that of y. Of a law with its variance and its share of zeros,
        # exp(-rate), the power is 2 - mean^2/(variance rate).
        y = statistics[0]
        mean = average(y, weight)
        if mean == 0.0:
            return [(-np.inf, 0.0, 0.0)]
        spread = average((y / mean - 1.0) ** 2, weight)  # without overflow
        zeros = np.clip(average((y == 0.0).astype(float), weight), *_SHARES)
        power = 2.0 - np.clip(-1.0 / (np.log(zeros) * max(spread, _LEAST_SPREAD)), 0.05, 0.95)
        log_mean = float(np.log(mean))
        dispersion = np.log(max(spread, _LEAST_SPREAD)) + (2.0 - power) * log_mean
        return [(log_mean, float(dispersion), float(POWER.eta(np.asarray(power))))]

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self._tail(y, theta, gammainc)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self._tail(y, theta, gammaincc)

    def _tail(self, y: Array, theta: Arrays, share: Any) -> Array:
        """Return the sum over the number of values of the masses of both parts."""
        y, *rest = np.broadcast_arrays(np.asarray(y, float), *theta)
        rate, a, scale = _parts(*rest)
        x = np.where(y > 0.0, y, 0.0) / scale
        with np.errstate(divide="ignore"):
            typical = np.exp((np.log(rate) + a * np.log(x) - a * np.log(a)) / (1.0 + a))
        # Beyond, a Poisson number has no probability that doubles could hold.
        typical = np.minimum(typical, rate + 40.0 * np.sqrt(rate) + 400.0)
        low, high = np.minimum(rate, typical), np.maximum(rate, typical)
        first = np.floor(low - _REACH * np.sqrt(low) - 8.0)
        last = high + _REACH * np.sqrt(high) + 8.0
        stride = _stride(np.sqrt(low / (1.0 + a)), first)
        first = np.maximum(first, 1.0)
        count = int(np.ceil(((last - first) / stride).max(initial=1.0))) + 1
        k = first[..., None] + stride[..., None] * np.arange(count)
        mass = stride[..., None] * np.exp(
            k * np.log(rate)[..., None] - rate[..., None] - gammaln(k + 1.0)
        )
        some = (mass * share(k * a[..., None], x[..., None])).sum(axis=-1)
        if share is gammaincc:
            return np.where(y < 0.0, 1.0, some)
        return np.where(y < 0.0, 0.0, np.exp(-rate) + some)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def variance(self, theta: Arrays) -> Array:
        return theta[1] * theta[0] ** theta[2]

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        rate, a, scale = _parts(*theta)
        number = rng.poisson(np.broadcast_to(rate, size))
        return scale * rng.gamma(a * number)


def _parts(mean: Array, dispersion: Array, power: Array) -> tuple[Array, Array, Array]:
    """Return the rate of the values, their shape and their scale."""
    rate = mean ** (2.0 - power) / (dispersion * (2.0 - power))
    scale = dispersion * (power - 1.0) * mean ** (power - 1.0)
    return rate, (2.0 - power) / (power - 1.0), scale


def _stride(deviation: Array, first: Array) -> Array:
    """Return how many terms one stands for: one, where they do not vanish before the first."""
    return np.where(first < 1.0, 1.0, np.maximum(np.floor(deviation / _TO_A_DEVIATION), 1.0))


def _wright(t: Array, a: Array, order: int, some: Any) -> tuple[Array, tuple[Array, ...]]:
    """Return log sum_k exp(k t - log k! - log Gamma(k a)), k from 1 on, and its derivatives.

    They are means, variances and covariances of k and of k psi(k a) under these terms: in t, a, tt,
    ta, aa. The terms are log-concave, and smooth: where they are many, some stand for all.
    """
    t = np.where(some, t, 0.0)
    # The largest term is near k = exp((t - a log a)/(1 + a)), their deviation sqrt(k/(1 + a)).
    middle = np.exp(np.clip((t - a * np.log(a)) / (1.0 + a), 0.0, _LARGEST_LOG))
    deviation = np.sqrt(middle / (1.0 + a))
    reach = _REACH * deviation + 8.0
    if a.ndim == 0 and (last := float((middle + reach).max(initial=1.0))) <= _SHARED:
        # The same terms serve all rows, and only their powers of exp(t) differ.
        k, stride = np.arange(1.0, last + 1.0), np.ones(())
        ka = k * a
    else:
        first = np.floor(middle - reach)
        stride, first = _stride(deviation, first), np.maximum(first, 1.0)
        count = int(np.ceil(((middle + reach - first) / stride).max(initial=1.0))) + 1
        k = first[..., None] + stride[..., None] * np.arange(count)
        ka = k * np.asarray(a)[..., None]
    terms = k * t[..., None] - (gammaln(k + 1.0) + gammaln(ka))
    top = terms.max(axis=-1)
    mass = np.exp(terms - top[..., None])
    total = mass.sum(axis=-1)
    log_w = top + np.log(total * stride)
    if order < 1:
        return log_w, (np.zeros(()),) * 5

    def mean(values: Array) -> Array:
        if values.ndim == 1:
            return np.asarray(mass @ values / total)
        return np.asarray((mass * values).sum(axis=-1) / total)

    turn = k * psi(ka)
    number, slope = mean(k), mean(turn)
    if order < 2:
        return log_w, (number, -slope, number, number, number)
    dk, dturn = k - number[..., None], turn - slope[..., None]
    return log_w, (
        number,
        -slope,
        mean(dk * dk),
        -mean(dk * dturn),
        mean(dturn * dturn) - mean(k * k * trigamma(ka)),
    )
