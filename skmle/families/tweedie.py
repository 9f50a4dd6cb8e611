"""The Tweedie law: sums of a Poisson number of gamma values, with exact zeros."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logsumexp

from skmle.families.algebra import gather, of_rows
from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, Support, average
from skmle.families.gamma import Gamma
from skmle.families.law import ByLogTail
from skmle.families.links import Link
from skmle.families.tools.compound import log_sum
from skmle.families.tools.divergences import bregman, rise
from skmle.families.tools.special import LOG_2PI, binet, log_complement
from skmle.families.tools.tails import log_gamma_tail

# Terms of the sum in a tail, to each side of the largest: in standard deviations of a Poisson
# number. Where one stands for several, there are so many to a deviation of a term, and no more in
# all than `_MOST`.
_REACH, _TO_A_DEVIATION, _MOST = 9.0, 1.5, 4096.0
_LARGEST = 1e300
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


class GammaByDispersion(Gamma):
    """Gamma law with `mean` and `dispersion`, the inverse of the shape: Tweedie's of power 2."""

    parameters = (Param("mean", LOG), Param("dispersion", LOG))
    stretch = None
    unit_moves = ()
    scipy_name = ""
    special_cases = ()

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        rows = super().evaluate(statistics, (eta[0], -eta[1]), order)
        value, gradient, curvature = rows
        if gradient is not None:
            gradient = (gradient[0], -gradient[1])
        if curvature is not None:
            curvature = (curvature[0], -curvature[1], curvature[2])
        return Rows(value, gradient, curvature)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [(mean, -shape) for mean, shape in super().starts(statistics, weight)]


def _without_zeros(statistics: Arrays) -> Arrays | None:
    return None if (statistics[0] == 0.0).any() else statistics


class Tweedie(ByLogTail, Family):
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
        if zero.all():
            return self._of_zeros(eta, order)
        if not zero.any():
            return self._of_values(statistics, eta, order)
        parts = []
        for at, form in ((np.flatnonzero(zero), 0), (np.flatnonzero(~zero), 1)):
            own = of_rows(eta, at, len(zero))
            rows = (
                self._of_values(of_rows(statistics, at, len(zero)), own, order)
                if form
                else self._of_zeros(own, order)
            )
            parts.append((at, rows))
        return gather(parts, len(zero), 3, order)

    def _of_zeros(self, eta: Arrays, order: int) -> Rows:
        m, d, h = eta
        q, p = expit(h), expit(-h)  # power - 1 and 2 - power
        rate, s = np.exp(p * m - d - np.log(p)), q * p
        if order < 1:
            return Rows(rate)
        slope = q - s * m
        gradient = (p * rate, -rate, slope * rate)
        if order < 2:
            return Rows(rate, gradient)
        mixed, own = p * slope - s, slope * slope + s - s * (p - q) * m
        return Rows(
            rate,
            gradient,
            (p * p * rate, -p * rate, mixed * rate, rate, -slope * rate, own * rate),
        )

    def _of_values(self, statistics: Arrays, eta: Arrays, order: int) -> Rows:
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
        assert rows.curvature is not None
        c_tt, c_ta, c_aa = rows.curvature
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

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        own, other = self._log_tail(y, theta, upper), self._log_tail(y, theta, not upper)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(own < -np.log(2.0), own, log_complement(np.minimum(other, 0.0)))

    def _log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        y, *rest = np.broadcast_arrays(np.asarray(y, float), *theta)
        rate, a, scale = _parts(*rest)
        with np.errstate(divide="ignore", over="ignore"):
            log_rate, x = np.log(rate), np.maximum(y, 0.0) / scale
            # The number of values that is most likely beside this sum; the largest term lies
            # between it and the rate, at the end that the tail is on.
            typical = np.exp((log_rate + a * (np.log(x) - np.log(a))) / (1.0 + a))
            place = np.maximum(rate, typical) if upper else np.minimum(rate, typical)
            place = np.minimum(place, _LARGEST)
            reach = _REACH * np.sqrt(place) + 8.0
            first = np.maximum(np.floor(place - reach), 1.0)
            length = place + reach - first
            stride = np.where(
                first > 1.0, np.floor(np.sqrt(place / (1.0 + a)) / _TO_A_DEVIATION), 1.0
            )
            stride = np.maximum(np.maximum(stride, 1.0), np.ceil(length / _MOST))[..., None]
            k = first[..., None] + stride * np.arange(
                np.ceil((length[..., None] / stride).max(initial=1.0)) + 1.0
            )
            # log(rate^k exp(-rate)/k!), of which nothing large cancels.
            mass = -bregman(k, rate[..., None]) - binet(k, 0)[0] - 0.5 * (LOG_2PI + np.log(k))
            inside = log_gamma_tail(k * a[..., None], np.broadcast_to(x[..., None], k.shape), upper)
            some = logsumexp(mass + np.log(stride) + inside, axis=-1)
            if upper:
                return np.where(y < 0.0, 0.0, np.minimum(some, 0.0))
            return np.where(y < 0.0, -np.inf, np.minimum(np.logaddexp(-rate, some), 0.0))

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
