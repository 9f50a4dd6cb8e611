"""The Tweedie law: sums of a Poisson number of gamma values, with exact zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from skmle.families.algebra import add, gather, of_rows
from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, Support, average
from skmle.families.links import Link
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.compound import log_sum
from skmle.families.tools.compound_tails import AtEnd, log_sum_of_tails, parts_of
from skmle.families.tools.divergences import rise
from skmle.families.tools.of_gamma import OfGamma, Product
from skmle.families.tools.special import LOG_2PI, log_complement

_COUNTED = 1e15  # largest rate of a Poisson number that is drawn
_FARTHEST = 200.0  # logit of power - 1
_SHARES = 1e-6, 1.0 - 1e-6  # of zeros, between which a start takes them
_LEAST_SPREAD = 1e-6


def _to_logit(power: Array) -> Array:
    return np.log(power - 1.0) - np.log(2.0 - power)


def _from_logit(eta: Array) -> tuple[Array, Array, Array]:
    share = 1.0 / (1.0 + np.exp(-eta))
    rest = 1.0 / (1.0 + np.exp(eta))
    slope = share * rest
    return 1.0 + share, slope, slope * (rest - share)


POWER = Link("logit(power - 1)", _to_logit, _from_logit, domain=(1.0, 2.0))


class GammaByDispersion(OfGamma):
    """Gamma law with `mean` and `dispersion`, the inverse of the shape: Tweedie's of power 2."""

    parameters = (Param("mean", LOG), Param("dispersion", LOG))
    support = Support(0.0)
    power = 1.0
    root = Product(1.0, (1.0, 0.0))
    shape = Product(1.0, (0.0, -1.0))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [
            (log_mean, -log_shape) for log_mean, log_shape in super().starts(statistics, weight)
        ]

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        return theta[0] * np.sqrt(theta[1])


def _without_zeros(statistics: Arrays) -> Arrays | None:
    return None if (statistics[0] == 0.0).any() else statistics


class Tweedie(ByTails):
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

    # ---------------------------------------------------------------- limits and statistics

    @property
    def limits(self) -> tuple[Limit, ...]:
        law = GammaByDispersion(links=self.links_of(("mean", "dispersion")))
        return (Limit("power", 2.0, law, _without_zeros),)

    def statistics(self, y: Array) -> Arrays:
        with np.errstate(divide="ignore"):
            return y, np.where(y > 0.0, np.log(y), 0.0)

    def base(self, statistics: Arrays) -> Array:
        return statistics[1]

    def densities(self, statistics: Arrays) -> Array:
        return (statistics[0] > 0.0).astype(float)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # Far out nothing moves any more: there it is the gamma law, or one of whole multiples.
        eta = (*eta[:2], np.clip(eta[2], -_FARTHEST, _FARTHEST))
        zero = statistics[0] == 0.0
        shape = np.broadcast_shapes(zero.shape, *(np.shape(e) for e in eta))
        if len(shape) > 1:
            flat = [np.broadcast_to(part, shape).ravel() for part in (*statistics, *eta)]
            rows = self.evaluate(tuple(flat[:2]), tuple(flat[2:]), order)
            return _reshaped(rows, shape)
        if zero.all():
            return _of_zeros(eta, order)
        if not zero.any():
            return _of_values(statistics, eta, order)
        parts = []
        for at, form in ((np.flatnonzero(zero), 0), (np.flatnonzero(~zero), 1)):
            own = of_rows(eta, at, len(zero))
            rows = (
                _of_values(of_rows(statistics, at, len(zero)), own, order)
                if form
                else _of_zeros(own, order)
            )
            parts.append((at, rows))
        return gather(parts, len(zero), 3, order)

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

    # ---------------------------------------------------------------- tails and quantiles

    @property
    def dense(self) -> Family:
        return TweedieAboveZero(links=self.links)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        rate, _, _ = parts_of(*theta)
        with np.errstate(divide="ignore"):
            share = np.log(-np.expm1(-rate))
            above, below = (share + self.dense.log_tail(y, theta, side) for side in (True, False))
            below = np.logaddexp(-rate, below)
            tail, other = (above, below) if upper else (below, above)
            return np.where(tail > -np.log(2.0), log_complement(np.minimum(other, 0.0)), tail)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._positive_or_zero(q, theta, False)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._positive_or_zero(q, theta, True)

    def _positive_or_zero(self, q: Array, theta: Arrays, upper: bool) -> Array:
        inside, q = self._inside(theta), np.asarray(q, float)
        law, safe = self.at_end(theta), self._between_ends(theta, inside)
        rate, _, _ = parts_of(*safe)
        level = (q if upper else q - np.exp(-rate)) / -np.expm1(-rate)
        at_zero = (level >= 1.0) if upper else (level <= 0.0)
        positive = self.dense._inverse(np.clip(level, 0.0, 1.0), safe, upper)
        found = np.where(at_zero, 0.0, positive)
        if not inside.all():
            found = np.where(inside, found, law.isf(q) if upper else law.ppf(q))
        return np.where((q >= 0.0) & (q <= 1.0), found, np.nan)[()]

    def at_end(self, theta: Arrays) -> Any:
        return AtEnd(*theta)

    # ---------------------------------------------------------------- the law, whole

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def variance(self, theta: Arrays) -> Array:
        return theta[1] * theta[0] ** theta[2]

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        inside = self._inside(theta)
        if not inside.all():
            at_end = self.at_end(theta).ppf(rng.random(size))
            safe = self._between_ends(theta, inside)
            return np.where(inside, self.sample(safe, size, rng), at_end)
        rate, a, scale = parts_of(*theta)
        number = rng.poisson(np.broadcast_to(np.minimum(rate, _COUNTED), size))
        if np.any(many := rate > _COUNTED):  # a normal number, to all digits
            number = np.where(many, rate + np.sqrt(rate) * rng.standard_normal(size), number)
        return scale * rng.gamma(a * number)


class TweedieAboveZero(ByTails):
    """The Tweedie law of what is not zero."""

    parameters = Tweedie.parameters
    support = Support(0.0)
    statistics = Tweedie.statistics
    base = Tweedie.base
    starts = Tweedie.starts
    at_end = Tweedie.at_end

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        share = tail_of_log_hazard(_log_rate(eta, order), above=False)
        return add(_of_values(statistics, eta, order), share, -1.0)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        y, *rest = np.broadcast_arrays(np.asarray(y, float), *theta)
        rate, a, scale = parts_of(*rest)
        share = -np.expm1(-rate)
        x, above = np.maximum(y, 0.0) / scale, y * share > rest[0]
        result = np.empty(y.shape)
        for side in (False, True):  # the tail on this side of the mean
            rows = above == side
            if rows.any():
                own = log_sum_of_tails(x[rows], rate[rows], a[rows], side) - np.log(share[rows])
                with np.errstate(divide="ignore"):
                    own = np.minimum(own, 0.0)
                    result[rows] = own if side == upper else log_complement(own)
        return result[()]

    def mean(self, theta: Arrays) -> Array:
        rate, _, _ = parts_of(*theta)
        return theta[0] / -np.expm1(-rate)

    def variance(self, theta: Arrays) -> Array:
        rate, _, _ = parts_of(*theta)
        second = theta[1] * theta[0] ** theta[2] + theta[0] ** 2
        return second / -np.expm1(-rate) - self.mean(theta) ** 2


def _log_rate(eta: Arrays, order: int) -> Rows:
    m, d, h = eta
    q, p = expit(h), expit(-h)  # power - 1 and 2 - power
    s, one = q * p, np.ones(())
    gradient = (p, -one, q - s * m)
    curvature = (None, None, -s, None, None, s - s * (p - q) * m)
    return Rows(p * m - d - np.log(p), gradient, curvature).upto(order)


def _of_zeros(eta: Arrays, order: int) -> Rows:
    return tail_of_log_hazard(_log_rate(eta, order), above=True)


def _of_values(statistics: Arrays, eta: Arrays, order: int) -> Rows:
    # -log q = D - log C + h/2 + log 2pi, of which D is half of the deviance over the
    # dispersion, and C the sum over the number of values.
    _, log_y = statistics
    m, d, h = eta
    q, p = expit(h), expit(-h)
    s, s1 = q * p, q * p * (p - q)  # dq/dh, and its derivative
    u = log_y - m
    size = np.exp(p * m - d)
    away = _above(u, q, p) / s
    log_top = np.asarray(p * log_y - d - np.log(p))
    rows = log_sum(log_top, np.asarray(-h, float), order)
    value = size * away - rows.value + 0.5 * h + LOG_2PI
    if order < 1:
        return Rows(value)
    assert rows.gradient is not None
    c_t, c_a = rows.gradient
    t = q - s * log_y  # the derivative of log_top in h
    beyond = np.expm1(u)
    # The first derivative in q of what `_above` returns; then that of `away` in h.
    bent = u * np.expm1(p * u) - rise(u)
    turn = bent - (p - q) * away
    pull = turn - s * m * away
    gradient = (
        -size * beyond,
        c_t - size * away,
        size * pull - (c_t * t - c_a) + 0.5,
    )
    if order < 2:
        return Rows(value, gradient)
    c_tt, c_ta, c_aa = (np.asarray(entry) for entry in rows.packed)
    twice = 2.0 * s * away - (p - q) * turn - s * u * u * np.exp(p * u)
    own = twice - 2.0 * s * m * turn + ((s * m) ** 2 - s1 * m) * away
    c_hh = c_tt * t * t - 2.0 * c_ta * t + c_aa + c_t * (s - s1 * log_y)
    return Rows(
        value,
        gradient,
        (
            size * (1.0 + q * beyond),
            size * beyond,
            s * m * size * beyond,
            size * away - c_tt,
            c_tt * t - c_ta - size * pull,
            size * own - c_hh,
        ),
    )


def _reshaped(rows: Rows, shape: tuple[int, ...]) -> Rows:
    n = int(np.prod(shape))
    value, gradient, curvature = rows

    def each(entries: Any) -> Any:
        if entries is None:
            return None
        return tuple(np.broadcast_to(entry, n).reshape(shape) for entry in entries)

    return Rows(value.reshape(shape), each(gradient), each(curvature))


def _above(u: Array, q: Array, p: Array) -> Array:
    """Return q + p exp(u) - exp(p u) >= 0 of q + p = 1, to full relative accuracy.

    It is what the geometric mean of 1 and exp(u) with these weights is less than the arithmetic.
    """
    near = np.maximum(u, -1.0)
    small = p * rise(u) - rise(p * u)
    mirrored = np.exp(near) * (q * rise(-near) - rise(-q * near))
    low = np.minimum(u, -1.0)
    far = np.exp(p * low) * np.expm1(q * low) - q * np.expm1(low)
    return np.where(q >= 0.5, small, np.where(u < -1.0, far, mirrored))
