"""The logistic law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, average
from skmle.families.tools.location_scale import LocationScale


class Logistic(LocationScale):
    """Logistic law with mean `loc` and `scale` (standard deviation pi scale/sqrt 3).

    q(y) = exp(-z) / (scale (1 + exp(-z))^2), z = (y - loc)/scale. scipy: ``logistic(loc, scale)``;
    R: ``dlogis(y, loc, scale)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 23.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("logistic").fit([[-1.0], [0.0], [1.0]])
    >>> abs(float(model.params_["loc"])) < 1e-9
    True
    """

    scipy_name = "logistic"

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        # rho = |z| + 2 log(1 + exp(-|z|)), rho' = tanh(z/2), rho'' = (1 - rho'^2)/2 without its
        # cancellation.
        size = np.abs(z)
        t = np.exp(-size)
        slope = np.copysign((1.0 - t) / (1.0 + t), z)
        return size + 2.0 * np.log1p(t), slope, 2.0 * t / (1.0 + t) ** 2

    def log_sf(self, z: Array) -> Array:
        return -np.logaddexp(0.0, z)

    def log_cdf(self, z: Array) -> Array:
        return -np.logaddexp(0.0, -z)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc = average(y, weight)
        return [(loc, 0.5 * np.log(3.0 / np.pi**2 * average((y - loc) ** 2, weight)))]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import logistic

        return logistic(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def known_entropy(self, theta: Arrays) -> Array:
        return 2.0 + np.log(theta[1])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return rng.logistic(loc, scale, size=size)
