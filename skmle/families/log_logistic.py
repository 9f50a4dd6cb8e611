"""The log-logistic law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Param, average
from skmle.families.logistic import Logistic
from skmle.families.tools.location_scale import LogLocationScale


class LogLogistic(LogLocationScale):
    """Log-logistic (Fisk) law of y > 0 with `scale` (the median) and `shape`.

    P(Y > y) = 1/(1 + (y/scale)^shape). log y is logistic with location log(scale) and scale 1/shape, so that
    the odds of Y > y are proportional in a regression of `scale`. scipy: ``fisk(c=shape, scale=scale)``.

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

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return 2.0 + np.log(scale) - np.log(shape)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        with np.errstate(
            over="ignore"
        ):  # beyond the floating-point numbers, for a very small shape
            return scale * np.exp(rng.logistic(size=size) / shape)
