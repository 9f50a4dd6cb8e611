"""The log-logistic law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Param, Stretch, average
from skmle.families.law import ByStd
from skmle.families.logistic import Logistic
from skmle.families.tools.location_scale import LogLocationScale

# Below, tan b - b loses more digits than its series to b^7 leaves out: both are 1e-11 there.
_SMALL_ANGLE = 0.02


class LogLogistic(ByStd, LogLocationScale):
    """Log-logistic (Fisk) law of y > 0 with `scale` (the median) and `shape`.

    P(Y > y) = 1/(1 + (y/scale)^shape). log y is logistic with location log(scale) and scale
    1/shape, so that the odds of Y > y are proportional in a regression of `scale`. scipy:
    ``fisk(c=shape, scale=scale)``; R: ``flexsurv::dllogis(y, shape, scale)``.

    References
    ----------
    Bennett (1983), Log-logistic regression models for survival data, Applied Statistics 32.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("log_logistic").fit([[1.0], [2.0], [4.0]])
    >>> round(float(model.params_["scale"]), 6)
    2.0
    """

    scipy_name = "fisk"
    parameters = (Param("scale", LOG, unit="location"), Param("shape", LOG, unit="rate"))
    stretch = Stretch((1.0, 0.0), Logistic)

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        return Logistic().standard(z, order)

    def log_sf(self, z: Array) -> Array:
        return Logistic().log_sf(z)

    def log_cdf(self, z: Array) -> Array:
        return Logistic().log_cdf(z)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # log y has mean log scale and standard deviation pi/(sqrt 3 shape).
        (log_y,) = statistics
        centre = average(log_y, weight)
        spread = np.sqrt(3.0 * average((log_y - centre) ** 2, weight)) / np.pi
        return [(centre, -np.log(spread))]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import fisk

        scale, shape = theta
        return fisk(c=shape, scale=scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, c))

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.where(y > 0.0, np.exp(self.log_tail(y, theta, False)), 0.0 * y)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return np.where(y > 0.0, np.exp(self.log_tail(y, theta, True)), 1.0 + 0.0 * y)

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return 2.0 + np.log(scale) - np.log(shape)

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(divide="ignore"):
            angle = np.pi / np.asarray(shape, float)
        inside = np.where(angle < np.pi, angle, 1.0)
        ratio = np.where(inside > 0.0, inside / np.sin(np.where(inside > 0.0, inside, 1.0)), 1.0)
        return np.where(angle < np.pi, scale * ratio, np.inf)

    def std(self, theta: Arrays) -> Array:
        # The variance is scale^2 (2 b/sin 2b - b^2/sin^2 b) = (scale b/sin b)^2 (tan b - b)/b with
        # b = pi/shape.
        _, shape = theta
        with np.errstate(divide="ignore"):
            angle = np.pi / np.asarray(shape, float)
        b = np.where(angle < 0.5 * np.pi, angle, 1.0)
        series = b * b * (1.0 / 3.0 + b * b * (2.0 / 15.0 + b * b * (17.0 / 315.0)))
        large = b > _SMALL_ANGLE
        excess = np.where(large, np.tan(b) / np.where(large, b, 1.0) - 1.0, series)
        return np.where(angle < 0.5 * np.pi, self.mean(theta) * np.sqrt(excess), np.inf)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        with np.errstate(
            over="ignore"
        ):  # beyond the floating-point numbers, for a very small shape
            return scale * np.exp(rng.logistic(size=size) / shape)
