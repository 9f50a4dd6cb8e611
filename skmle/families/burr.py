"""The laws of Burr, type XII, and of Dagum, which is that of its reciprocal."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, gammaln, polygamma

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, average
from skmle.families.frechet import Frechet
from skmle.families.law import ByStd
from skmle.families.log_logistic import LogLogistic
from skmle.families.tools.by_hazard import ByHazard
from skmle.families.tools.special import binet
from skmle.families.weibull import Weibull

# log(1 + e^x) is e^x to the last digit below this x.
_LEAST = -37.0
# Logarithms of the powers between which a start lies, with steps fine enough for one.
_LOG_POWERS = np.linspace(-3.0, 5.0, 41)


class _Burr(ByStd, ByHazard):
    """The base of both laws: with d = 1/dispersion, H(u) = d log(1 + e^u/d)."""

    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
        Param("dispersion", LOG),
    )

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("dispersion", 1.0, LogLogistic(links=self.links_of(("scale", "shape")))),)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # With k = 1/dispersion, x = u - log k, L = log(1 + e^x) and p = dL/dx, it is (k + 1) L - u,
        # where L - u is log(1 + e^-x) - log k, in which nothing large cancels.
        (log_dispersion,) = shapes
        power, x = np.exp(-log_dispersion), u + log_dispersion
        level = np.logaddexp(0.0, x)
        value = power * level + np.logaddexp(0.0, -x) + log_dispersion
        if order < 1:
            return Rows(value)
        p, rest = expit(x), expit(-x)
        gradient = (power * p - rest, power * (p - level) + p)
        if order < 2:
            return Rows(value, gradient)
        bend = (power + 1.0) * p * rest
        cross = bend - power * p
        return Rows(value, gradient, (bend, cross, power * (level - p) + cross))

    def log_hazard(self, u: Array, shapes: Arrays, order: int) -> Rows:
        (log_dispersion,) = shapes
        x = u + log_dispersion
        low = x < _LEAST
        level = np.where(low, 1.0, np.logaddexp(0.0, x))
        value = np.where(low, x, np.log(level)) - log_dispersion
        share = np.where(low, 1.0, expit(x) / level)
        bend = np.where(low, 0.0, share * (expit(-x) - share))
        return Rows(value, (share, share - 1.0), (bend, bend, bend)).upto(order)

    def at_hazard(self, hazard: Array, shapes: Arrays) -> Array:
        (dispersion,) = shapes
        level = hazard * dispersion
        growth = np.where(level > 1.0, level + np.log(-np.expm1(-level)), np.log(np.expm1(level)))
        return growth - np.log(dispersion)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # u - log k is the log of a ratio of gamma variables of shapes 1 and k: so are its mean, its
        # variance and its skewness, which tells k.
        log_y = self._sign * statistics[0]
        centre = average(log_y, weight)
        away = log_y - centre
        variance = np.float64(average(away * away, weight))
        with np.errstate(divide="ignore", invalid="ignore"):  # all observations are equal
            skewness = average(away**3, weight) / variance**1.5
        k = np.exp(_LOG_POWERS)
        spread = polygamma(1, 1.0) + polygamma(1, k)
        known = (polygamma(2, 1.0) - polygamma(2, k)) / spread**1.5
        fall = -skewness if np.isfinite(skewness) else 0.0
        log_power = float(np.interp(fall, -known, _LOG_POWERS))
        with np.errstate(divide="ignore"):
            log_shape = 0.5 * np.log(np.interp(log_power, _LOG_POWERS, spread) / variance)
        mean = -np.euler_gamma + self._beyond(np.exp(log_power))
        loc = centre - (mean * np.exp(-log_shape) if np.isfinite(log_shape) else 0.0)
        return [(float(self._sign * loc), float(log_shape), -log_power)]

    def _beyond(self, power: Array) -> Array:
        """Return log k - digamma(k), which vanishes for large k."""
        slope = binet(power, 1)[1]
        assert slope is not None
        return 0.5 / power - slope

    # ---------------------------------------------------------------- moments

    @property
    def _sign(self) -> float:
        return -1.0 if self.falling else 1.0

    def _log_moment(self, r: Array, power: Array) -> Array:
        """Return log E[exp(r u)]; inf where it is endless."""
        known = (r > -1.0) & (r < power)
        r, power = np.where(known, r, 0.0), np.where(known, power, 1.0)
        rest = power - r
        ratio = (rest - 0.5) * np.log1p(-r / power) + r + binet(rest, 0)[0] - binet(power, 0)[0]
        return np.where(known, gammaln(1.0 + r) + ratio, np.inf)

    def mean(self, theta: Arrays) -> Array:
        scale, shape, dispersion = theta
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return scale * np.exp(self._log_moment(self._sign / shape, 1.0 / dispersion))

    def std(self, theta: Arrays) -> Array:
        _, shape, dispersion = theta
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            r, power = self._sign / shape, 1.0 / dispersion
            first, second = self._log_moment(r, power), self._log_moment(2.0 * r, power)
            ratio = np.expm1(second - 2.0 * np.where(np.isinf(first), 0.0, first))
            return np.where(np.isinf(second), np.inf, self.mean(theta) * np.sqrt(ratio))

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape, dispersion = theta
        mean = self._beyond(1.0 / dispersion) - np.euler_gamma  # of u
        way = self._sign / shape - 1.0
        return np.log(scale) - np.log(shape) + way * mean + 1.0 + dispersion


class BurrXII(_Burr):
    """Burr's law of type XII of y > 0 with `scale`, `shape` and `dispersion`.

    P(Y > y) = (1 + dispersion (y/scale)^shape)^(-1/dispersion): a Weibull law whose hazard is
    multiplied by a gamma variable with mean one and this variance, a frailty. As the dispersion
    vanishes it is Weibull's law with this scale and shape; with dispersion 1 it is log-logistic.
    Moments exist below shape/dispersion. With d = 1/dispersion, scipy:
    ``burr12(c=shape, d=d, scale=scale * d**(1/shape))``; R:
    ``actuar::dburr(shape1=d, shape2=shape, scale=scale * d^(1/shape))``.

    References
    ----------
    Tadikamalla (1980), A look at the Burr and related distributions, International Statistical
    Review 48.
    Shao (2004), Notes on maximum likelihood estimation for the three-parameter Burr XII
    distribution, Computational Statistics & Data Analysis 45 (when there is no maximum inside).

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> from skmle.families import BurrXII, Distribution
    >>> law = Distribution(BurrXII, {"scale": 2.0, "shape": 3.0, "dispersion": 2.0})
    >>> model = MLEDistribution("burr12").fit(law.rvs(2000, random_state=0))
    >>> bool(2.5 < model.params_["shape"] < 3.5)
    True
    """

    scipy_name = "burr12"

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("dispersion", 0.0, Weibull(links=self.links_of(("scale", "shape")))),)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import burr12

        scale, shape, dispersion = theta
        unit = scale * dispersion ** (-1.0 / shape)
        return burr12(c=shape, d=1.0 / dispersion, scale=unit)

    @classmethod
    def from_scipy(
        cls, c: Array, d: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale * d ** (-1.0 / c), c, 1.0 / d))


class Dagum(_Burr):
    """Dagum's law of y > 0 (Burr's of type III) with `scale`, `shape` and `dispersion`.

    P(Y <= y) = (1 + dispersion (scale/y)^shape)^(-1/dispersion): the reciprocal has Burr's law of
    type XII. As the dispersion vanishes it is Frechet's law with this scale and shape; with
    dispersion 1 it is log-logistic. With d = 1/dispersion, scipy:
    ``burr(c=shape, d=d, scale=scale * d**(-1/shape))``; R:
    ``VGAM::ddagum(scale * d^(-1/shape), shape1.a=shape, shape2.p=d)``.

    References
    ----------
    Kleiber (2008), A guide to the Dagum distributions, in Modeling Income Distributions and Lorenz
    Curves.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> from skmle.families import Dagum, Distribution
    >>> law = Distribution(Dagum, {"scale": 2.0, "shape": 3.0, "dispersion": 2.0})
    >>> model = MLEDistribution("dagum").fit(law.rvs(2000, random_state=0))
    >>> bool(2.5 < model.params_["shape"] < 3.5)
    True
    """

    scipy_name = "burr"
    falling = True

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("dispersion", 0.0, Frechet(links=self.links_of(("scale", "shape")))),)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import burr

        scale, shape, dispersion = theta
        return burr(c=shape, d=1.0 / dispersion, scale=scale * dispersion ** (1.0 / shape))

    @classmethod
    def from_scipy(
        cls, c: Array, d: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale * d ** (1.0 / c), c, 1.0 / d))
