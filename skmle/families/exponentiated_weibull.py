"""The exponentiated Weibull law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows
from skmle.families.tools import numerical
from skmle.families.tools.by_hazard import ByHazard
from skmle.families.tools.special import log_complement
from skmle.families.weibull import Weibull

# Hazard of the Weibull law from which -log(1 - exp(-t)) is exp(-t) to the last digit, and back.
_LARGE = 40.0


class ExponentiatedWeibull(ByHazard):
    """Exponentiated Weibull law of y > 0 with `scale`, `shape` and `power`.

    P(Y <= y) = (1 - exp(-(y/scale)^shape))^power: of a whole power it is the law of the largest of
    so many Weibull variables; with power 1 it is Weibull's. Its hazard may rise, fall, or do both.
    scipy: ``exponweib(a=power, c=shape, scale=scale)``.

    References
    ----------
    Mudholkar & Srivastava (1993), Exponentiated Weibull family for analyzing bathtub failure-rate
    data, IEEE Transactions on Reliability 42.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> from skmle.families import Distribution, ExponentiatedWeibull
    >>> law = Distribution(ExponentiatedWeibull, {"scale": 2.0, "shape": 1.5, "power": 3.0})
    >>> model = MLEDistribution("exponweib").fit(law.rvs(2000, random_state=0))
    >>> bool(1.0 < model.params_["shape"] < 2.0)
    True
    """

    scipy_name = "exponweib"
    falling = True
    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
        Param("power", LOG),
    )

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("power", 1.0, Weibull(links=self.links_of(("scale", "shape")))),)

    # With t = (y/scale)^shape = exp(-u), m = -log(1 - exp(-t)) and g = dm/du = t/(exp(t) - 1):
    # the cumulative hazard of u is power * m.

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        (log_power,) = shapes
        power, t = np.exp(log_power), np.exp(-u)
        # (1 - exp(-t))/t, whose logarithm is u - m: nothing large cancels.
        share = np.where(t > 0.0, -np.expm1(-t) / np.where(t > 0.0, t, 1.0), 1.0)
        m = np.where(t < 1.0, u - np.log(share), -np.log1p(-np.exp(-np.maximum(t, 1.0))))
        value = power * m + np.where(np.isinf(t), 0.0, np.log(share)) + t - log_power
        if order < 1:
            return Rows(value)
        g = _slope(t)
        gradient = (power * g + (1.0 - g) - t, power * m - 1.0)
        if order < 2:
            return Rows(value, gradient)
        bend = (power - 1.0) * np.where(g > 0.0, g * (t + g - 1.0), 0.0) + t
        return Rows(value, gradient, (bend, power * g, power * m))

    def log_hazard(self, u: Array, shapes: Arrays, order: int) -> Rows:
        (log_power,) = shapes
        t = np.exp(-u)
        far = t > _LARGE
        m = np.where(far, 1.0, -log_complement(-np.minimum(t, _LARGE)))
        value = log_power + np.where(far, -t, np.log(m))
        slope = np.where(far, t, _slope(t) / m)
        bend = np.where(far, -t, slope * (t + _slope(t) - 1.0 - slope))
        one, zero = np.ones(()), np.zeros(())
        return Rows(value, (slope, one), (bend, zero, zero)).upto(order)

    def at_hazard(self, hazard: Array, shapes: Arrays) -> Array:
        m = hazard / shapes[0]
        return np.where(m > _LARGE, m, -np.log(-log_complement(-m)))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [(*start, 0.0) for start in Weibull().starts(statistics, weight)]

    def mean(self, theta: Arrays) -> Array:
        return numerical.mean(self, theta)

    def variance(self, theta: Arrays) -> Array:
        return numerical.variance(self, theta)

    def std(self, theta: Arrays) -> Array:
        return np.sqrt(self.variance(theta))

    def entropy(self, theta: Arrays) -> Array:
        return numerical.entropy(self, theta)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import exponweib

        scale, shape, power = theta
        return exponweib(a=power, c=shape, scale=scale)

    @classmethod
    def from_scipy(
        cls, a: Array, c: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, c, a))


def _slope(t: Array) -> Array:
    """Return t/(exp(t) - 1), which is 1 at zero and vanishes far out."""
    some = np.where((t > 0.0) & np.isfinite(t), t, 1.0)
    return np.where(t > 0.0, np.where(np.isinf(t), 0.0, some / np.expm1(some)), 1.0)
