"""The laws of Burr, type XII, and of Dagum, which is that of its reciprocal."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, gammaln, polygamma

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows
from skmle.families.frechet import Frechet
from skmle.families.law import ByStd
from skmle.families.log_logistic import LogLogistic
from skmle.families.tools.by_hazard import ByHazard
from skmle.families.tools.log_moments import mean_variance_skewness
from skmle.families.tools.special import binet
from skmle.families.weibull import Weibull

# log(1 + e^x) is e^x to the last digit below this x.
_LEAST = -37.0
# A power that stands for an infinite one in moments.
_LARGEST = 1e300
# Logarithms of shape and 1/power beyond which a fit without a maximum has come near to the law of
# a power of y. Chosen, not measured.
_FAR = 7.0
# Logarithms of the powers between which a start lies, with steps fine enough for one.
_LOG_POWERS = np.linspace(-3.0, 5.0, 41)


class _Burr(ByStd, ByHazard):
    """The base of both laws: with k the power, H(u) = k log(1 + e^u/k)."""

    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
        Param("power", LOG),
    )

    limit_law: ClassVar[type[Family]]
    """The law of infinite power, of the same scale and shape."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("power", np.inf, self.limit_law(links=self.links_of(("scale", "shape")))),)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("power", 1.0, LogLogistic(links=self.links_of(("scale", "shape")))),)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # With x = u - log k, L = log(1 + e^x) and p = dL/dx, it is (k + 1) L - u, where L - u is
        # log(1 + e^-x) - log k, in which nothing large cancels.
        (log_power,) = shapes
        power, x = np.exp(log_power), u - log_power
        low = x < _LEAST
        level = np.logaddexp(0.0, x)
        hazard = np.where(low, np.exp(u), power * level)
        value = hazard + np.where(low, -u, np.logaddexp(0.0, -x) - log_power)
        if order < 1:
            return Rows(value)
        p, rest = expit(x), expit(-x)
        pull = np.where(low, hazard, power * p)
        excess = hazard - pull
        gradient = (pull - rest, excess - p)
        if order < 2:
            return Rows(value, gradient)
        bend = rest * (pull + p)
        cross = pull - bend
        return Rows(value, gradient, (bend, cross, excess - cross))

    def log_hazard(self, u: Array, shapes: Arrays, order: int) -> Rows:
        (log_power,) = shapes
        x = u - log_power
        low = x < _LEAST
        level = np.where(low, 1.0, np.logaddexp(0.0, x))
        value = np.where(low, u, np.log(level) + log_power)
        share = np.where(low, 1.0, expit(x) / level)
        bend = np.where(low, 0.0, share * (expit(-x) - share))
        return Rows(value, (share, 1.0 - share), (bend, -bend, bend)).upto(order)

    def at_hazard(self, hazard: Array, shapes: Arrays) -> Array:
        (power,) = shapes
        level = hazard / power
        growth = np.where(level > 1.0, level + np.log(-np.expm1(-level)), np.log(np.expm1(level)))
        return np.where(level < np.exp(_LEAST), np.log(hazard), growth + np.log(power))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # u - log k is the log of a ratio of gamma variables of shapes 1 and k: so are its mean, its
        # variance and its skewness, which tells k.
        log_y = self._sign * statistics[0]
        centre, variance, skewness = mean_variance_skewness(log_y, weight)
        k = np.exp(_LOG_POWERS)
        spread = polygamma(1, 1.0) + polygamma(1, k)
        known = (polygamma(2, 1.0) - polygamma(2, k)) / spread**1.5
        log_power = float(np.interp(-skewness, -known, _LOG_POWERS))
        with np.errstate(divide="ignore"):
            log_shape = 0.5 * np.log(np.interp(log_power, _LOG_POWERS, spread) / variance)
        mean = -np.euler_gamma + self._beyond(np.exp(log_power))
        loc = centre - (mean * np.exp(-log_shape) if np.isfinite(log_shape) else 0.0)
        return [(float(self._sign * loc), float(log_shape), log_power)]

    def _beyond(self, power: Array) -> Array:
        """Return log k - digamma(k), which vanishes for large k."""
        power = np.minimum(power, _LARGEST)
        slope = binet(power, 1)[1]
        assert slope is not None
        return 0.5 / power - slope

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        # With shape * power = t the density of exp(u) beyond one is that of a power in the end,
        # and there is nothing below.
        _, log_shape, log_power = eta
        if np.min(log_shape) < _FAR or np.max(log_power) > -_FAR:
            return None
        side = "below the largest" if self.falling else "above the least"
        return "shape", (
            f"the likelihood rises towards a finite supremum, that of a power of y {side} "
            "observation, as shape tends to inf and power to 0"
        )

    # ---------------------------------------------------------------- scipy's law

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy import stats

        scale, shape, power = theta
        if np.all(np.isinf(power)):
            return self.limit_law().to_scipy((scale, shape))
        with np.errstate(over="ignore"):  # a scale may be beyond the numbers
            theirs = scale * power ** (self._sign / shape)
        return getattr(stats, self.scipy_name)(c=shape, d=power, scale=theirs)

    @classmethod
    def from_scipy(
        cls, c: Array, d: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale * d ** (-cls()._sign / c), c, d))

    # ---------------------------------------------------------------- moments

    @property
    def _sign(self) -> float:
        return -1.0 if self.falling else 1.0

    def _log_moment(self, r: Array, power: Array) -> Array:
        """Return log E[exp(r u)]; inf where it is endless."""
        known = (r > -1.0) & (r < power)
        r, power = np.where(known, r, 0.0), np.where(known, np.minimum(power, _LARGEST), 1.0)
        rest = power - r
        ratio = (rest - 0.5) * np.log1p(-r / power) + r + binet(rest, 0)[0] - binet(power, 0)[0]
        return np.where(known, gammaln(1.0 + r) + ratio, np.inf)

    def mean(self, theta: Arrays) -> Array:
        scale, shape, power = theta
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return scale * np.exp(self._log_moment(self._sign / shape, power))

    def std(self, theta: Arrays) -> Array:
        _, shape, power = theta
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            r = self._sign / shape
            first, second = self._log_moment(r, power), self._log_moment(2.0 * r, power)
            ratio = np.expm1(second - 2.0 * np.where(np.isinf(first), 0.0, first))
            return np.where(np.isinf(second), np.inf, self.mean(theta) * np.sqrt(ratio))

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape, power = theta
        mean = self._beyond(power) - np.euler_gamma  # of u
        way = self._sign / shape - 1.0
        return np.log(scale) - np.log(shape) + way * mean + 1.0 + 1.0 / power


class BurrXII(_Burr):
    """Burr's law of type XII of y > 0 with `scale`, `shape` and `power`.

    P(Y > y) = (1 + (y/scale)^shape/power)^-power: a Weibull law whose hazard is multiplied by a
    gamma variable with mean one and variance 1/power, a frailty. As the power grows it is Weibull's
    law with this scale and shape; with power 1 it is log-logistic. Moments exist below
    shape * power. Where the shape grows and the power vanishes it tends to Pareto's law from the
    least observation on. scipy: ``burr12(c=shape, d=power, scale=scale * power**(1/shape))``; R:
    ``actuar::dburr(shape1=power, shape2=shape, scale=scale * power^(1/shape))``.

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
    >>> law = Distribution(BurrXII, {"scale": 2.0, "shape": 3.0, "power": 0.5})
    >>> model = MLEDistribution("burr12").fit(law.rvs(2000, random_state=0))
    >>> bool(2.5 < model.params_["shape"] < 3.5)
    True
    """

    scipy_name = "burr12"
    limit_law = Weibull


class Dagum(_Burr):
    """Dagum's law of y > 0 (Burr's of type III) with `scale`, `shape` and `power`.

    P(Y <= y) = (1 + (scale/y)^shape/power)^-power: the reciprocal has Burr's law of type XII. As
    the power grows it is Frechet's law with this scale and shape; with power 1 it is log-logistic.
    Where the shape grows and the power vanishes it tends to the law of a power below the largest
    observation. scipy: ``burr(c=shape, d=power, scale=scale * power**(-1/shape))``; R:
    ``VGAM::ddagum(scale * power^(-1/shape), shape1.a=shape, shape2.p=power)``.

    References
    ----------
    Kleiber (2008), A guide to the Dagum distributions, in Modeling Income Distributions and Lorenz
    Curves.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> from skmle.families import Dagum, Distribution
    >>> law = Distribution(Dagum, {"scale": 2.0, "shape": 3.0, "power": 0.5})
    >>> model = MLEDistribution("dagum").fit(law.rvs(2000, random_state=0))
    >>> bool(2.5 < model.params_["shape"] < 3.5)
    True
    """

    scipy_name = "burr"
    limit_law = Frechet
    falling = True
