"""The Tweedie law: sums of a Poisson number of gamma values, with exact zeros."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from skmle.families.algebra import add, gather, of_rows
from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Saturated,
    Support,
    average,
)
from skmle.families.links import Link
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.compound_rows import (
    FARTHEST,
    log_rate_of,
    reshaped,
    rows_of_tail,
    rows_of_values,
    rows_of_zeros,
)
from skmle.families.tools.compound_starts import (
    NEAR_MULTIPLES,
    few_of,
    mean_and_spread,
    powers_and_spreads,
)
from skmle.families.tools.compound_tails import AtEnd, parts_of
from skmle.families.tools.gamma_by_dispersion import GammaByDispersion
from skmle.families.tools.screened import best_of_kinds
from skmle.families.wrappers.fixed import Fixed

_COUNTED = 1e15  # largest rate of a Poisson number that is drawn
_SHARES = 1e-6, 1.0 - 1e-6  # of zeros, between which a start takes them
# Logit of power - 1 from which the law is one of multiples, and how far values may be from them.
_NEXT_TO_ONE, _DEVIATIONS = -14.0, 10.0
_NO_MEAN = -200.0  # what a zero's log mean is below the least value's
_NO_DISPERSION = -37.0  # its logarithm: the law is then as narrow as rounding


def _to_logit(power: Array) -> Array:
    return np.log(power - 1.0) - np.log(2.0 - power)


def _from_logit(eta: Array) -> tuple[Array, Array, Array]:
    share, rest = expit(eta), expit(-eta)
    slope = share * rest
    return 1.0 + share, slope, slope * (rest - share)


POWER = Link("logit(power - 1)", _to_logit, _from_logit, domain=(1.0, 2.0))


def _without_zeros(statistics: Arrays) -> Arrays | None:
    return None if (statistics[0] == 0.0).any() else statistics


class Tweedie(ByTails):
    """Tweedie law of y >= 0 with `mean`, `dispersion` and `power` between 1 and 2.

    The variance is dispersion mean^power. It is the law of the sum of a Poisson number of gamma
    values, as of rain or of claims: zero has the mass exp(-rate) with
    rate = mean^(2 - power)/(dispersion (2 - power)), and each value has the shape
    alpha = (2 - power)/(power - 1) and the scale dispersion (power - 1) mean^(power - 1). In
    another unit c y, the mean is c mean and the dispersion c^(2 - power) dispersion. Of a sum over
    an exposure e, the mean is e times as large and the dispersion e^(1 - power) times: let the
    dispersion depend on log e.

    As power -> 2 it is gamma (status "boundary"), unless there are zeros. As power -> 1 it is
    Poisson's law of multiples of the dispersion, whose density grows without bound at the
    observations if they all are such multiples: counts of a unit have no maximum (status
    "no_maximum"). Numbers rounded to many units have one, away from there, which the fit finds;
    the power held, or `Rounded`, excludes the rest. A zero that `ZeroInflated` adds is told from
    the law's own by the amounts alone.

    R: tweedie ``dtweedie(mu=mean, phi=dispersion, power=power)``; statsmodels
    ``GLM(family=Tweedie(var_power=power))`` and scikit-learn's ``TweedieRegressor(alpha=0)`` have
    the same estimates of the mean, and no likelihood.

    References
    ----------
    Dunn & Smyth (2005), Series evaluation of Tweedie exponential dispersion model densities,
    Statistics and Computing 15.
    Jorgensen (1987), Exponential dispersion models, Journal of the Royal Statistical Society B 49.

    Examples
    --------
    >>> from skmle import MLERegressor
    >>> rain = [0.0, 0.0, 2.5, 0.0, 7.1, 0.4, 0.0, 1.2, 3.3, 0.0]
    >>> wet = [[0], [0], [1], [0], [1], [1], [0], [0], [1], [1]]
    >>> model = MLERegressor("tweedie", fixed={"power": 1.5}).fit(wet, rain)
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
        eta = (*eta[:2], np.clip(eta[2], -FARTHEST, FARTHEST))
        zero = statistics[0] == 0.0
        shape = np.broadcast_shapes(zero.shape, *(np.shape(e) for e in eta))
        if len(shape) > 1:
            flat = [np.broadcast_to(part, shape).ravel() for part in (*statistics, *eta)]
            rows = self.evaluate(tuple(flat[:2]), tuple(flat[2:]), order)
            return reshaped(rows, shape)
        if zero.all():
            return rows_of_zeros(eta, order)
        if not zero.any():
            return rows_of_values(statistics, eta, order)
        n, at, rest = len(zero), np.flatnonzero(zero), np.flatnonzero(~zero)
        values = rows_of_values(of_rows(statistics, rest, n), of_rows(eta, rest, n), order)
        parts = [(at, rows_of_zeros(of_rows(eta, at, n), order)), (rest, values)]
        return gather(parts, n, 3, order)

    def rough_start(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...]:
        # The most likely mean is that of y. Of a law with its variance and its share of zeros,
        # exp(-rate), the power is 2 - mean^2/(variance rate).
        y = statistics[0]
        mean, spread = mean_and_spread(y, weight)
        if mean == 0.0:
            return -np.inf, 0.0, 0.0
        zeros = np.clip(average((y == 0.0).astype(float), weight), *_SHARES)
        power = 2.0 - np.clip(-1.0 / (np.log(zeros) * spread), 0.05, 0.95)
        return _start(float(mean), float(np.log(spread)), float(power))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        log_mean, log_dispersion, at = start = self.rough_start(statistics, weight)
        power = float(POWER.theta(np.asarray(at)))
        if power >= NEAR_MULTIPLES or log_mean == -np.inf:
            return [start]
        # Next to power 1 the likelihood has many maxima, and several places are compared.
        mean = float(np.exp(log_mean))
        some = few_of(statistics[0] / mean, weight)  # the mean is about one
        log_spread = log_dispersion - (2.0 - power) * log_mean
        tried = [_start(1.0, s, p) for p, s in powers_and_spreads(some, power, log_spread)]
        ((_, log_spread, at),) = best_of_kinds(
            self, self.statistics(some), None, tried, lambda start: "all"
        )
        return [_start(mean, log_spread, float(POWER.theta(np.asarray(at))))]

    def holding(self, values: Mapping[str, float]) -> Family | None:
        return OfKnownPower(self, dict(values)) if {*values} == {"power"} else None

    def saturated(self, statistics: Arrays) -> Saturated | None:
        y, log_y = statistics
        if not (positive := y > 0.0).any():
            return None
        least = float(log_y[positive].min())
        dispersion = _NO_DISPERSION + 0.5 * least  # of no unit, at a power of 1.5
        first = np.where(positive, log_y, least + _NO_MEAN)
        return Saturated(first, (dispersion, 0.0), "dispersion", power=2.0)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        y, (m, d, h) = statistics[0], (np.asarray(e) for e in eta)
        unit = np.exp(d + expit(h) * m)
        number = np.rint(y / unit)
        # Sums of several values spread by the root of their number over that of their shape.
        near = np.abs(y - number * unit) <= _DEVIATIONS * unit * np.sqrt(number * np.exp(h))
        if not (np.all(h < _NEXT_TO_ONE) and near.all()):
            return None
        what = f"multiples of {unit:g}" if unit.ndim == 0 else "whole multiples of the dispersion"
        way = "around which the density grows without bound as power tends to 1"
        return "power", f"all observations are {what}, {way}"

    # ---------------------------------------------------------------- tails and quantiles

    @property
    def dense(self) -> Family:
        return TweedieAboveZero(links=self.links)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        return rows_of_tail(statistics, eta, upper, order, beside_zero=False)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return -self.tail(self.statistics(y), self.chart(self.eta(theta)), upper, 0).value

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


def _start(mean: float, log_spread: float, power: float) -> tuple[float, ...]:
    """Return the eta of a law of a mean, a squared coefficient of variation and a power."""
    log_mean = float(np.log(mean))
    dispersion = log_spread + (2.0 - power) * log_mean
    return log_mean, dispersion, float(POWER.eta(np.asarray(power)))


class OfKnownPower(Fixed):
    """The Tweedie law with its power held: mean and dispersion start as those of y."""

    unbounded = Family.unbounded

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        mean, spread = mean_and_spread(statistics[0], weight)
        if mean == 0.0:
            return [(-np.inf, 0.0)]
        log_mean = float(np.log(mean))
        return [(log_mean, float(np.log(spread)) + (2.0 - self.values["power"]) * log_mean)]


class TweedieAboveZero(ByTails):
    """The Tweedie law of what is not zero."""

    parameters = Tweedie.parameters
    rounding = 1e-14  # of a sum of many terms
    support = Support(0.0)
    statistics = Tweedie.statistics
    base = Tweedie.base
    rough_start = Tweedie.rough_start
    starts = Tweedie.starts
    at_end = Tweedie.at_end
    limits = Tweedie.limits
    holding = Tweedie.holding
    saturated = Tweedie.saturated
    without_bound = Tweedie.without_bound

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        share = tail_of_log_hazard(log_rate_of(eta, order), above=False)
        return add(rows_of_values(statistics, eta, order), share, -1.0)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        return rows_of_tail(statistics, eta, upper, order, beside_zero=True)

    log_tail = Tweedie.log_tail

    def mean(self, theta: Arrays) -> Array:
        rate, _, _ = parts_of(*theta)
        return theta[0] / -np.expm1(-rate)

    def variance(self, theta: Arrays) -> Array:
        rate, _, _ = parts_of(*theta)
        second = theta[1] * theta[0] ** theta[2] + theta[0] ** 2
        return second / -np.expm1(-rate) - self.mean(theta) ** 2
