"""The hyperbolic secant law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, average
from skmle.families.tools.location_scale import LocationScale

_SMALL = 1e-9  # below it, arctan(t) is t to the last digit


class HyperbolicSecant(LocationScale):
    """Hyperbolic secant law with mean `loc` and `scale` (standard deviation pi scale/2).

    q(y) = 1 / (pi scale cosh(z)), z = (y - loc)/scale. Its tails lie between those of the logistic
    law and of Laplace's. scipy: ``hypsecant(loc, scale)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 23.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("hypsecant").fit([[-1.0], [0.0], [1.0]])
    >>> abs(float(model.params_["loc"])) < 1e-9
    True
    """

    scipy_name = "hypsecant"

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        # log cosh z = |z| + log1p(exp(-2 |z|)) - log 2; rho' = tanh z, rho'' = 1 - rho'^2.
        size = np.abs(z)
        t = np.exp(-2.0 * size)
        slope = np.copysign((1.0 - t) / (1.0 + t), z)
        return size + np.log1p(t), slope, 4.0 * t / (1.0 + t) ** 2

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(np.log(0.5 * np.pi))

    def log_sf(self, z: Array) -> Array:
        # P(Z > z) = 2/pi arctan(exp(-z)), whose logarithm goes on below the least number.
        t = np.exp(-np.abs(z))
        angle = np.arctan(t)
        far = t < _SMALL
        log_angle = np.where(far, -z, np.log(np.where(far, 1.0, angle)))
        return np.where(z > 0.0, log_angle + np.log(2.0 / np.pi), np.log1p(-2.0 / np.pi * angle))

    def log_cdf(self, z: Array) -> Array:
        return self.log_sf(-z)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc = average(y, weight)
        return [(loc, 0.5 * np.log(4.0 / np.pi**2 * average((y - loc) ** 2, weight)))]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import hypsecant

        return hypsecant(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def known_entropy(self, theta: Arrays) -> Array:
        return np.log(2.0 * np.pi) + np.log(theta[1])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # It is the law of the logarithm of the size of a Cauchy variable.
        loc, scale = theta
        return loc + scale * np.log(np.abs(rng.standard_cauchy(size=size)))
