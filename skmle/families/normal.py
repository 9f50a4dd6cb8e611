"""The normal (Gaussian) law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family
from skmle.families.tools.divergences import of_gaussians
from skmle.families.tools.gaussian import Gaussian
from skmle.families.tools.special import LOG_2PI


class Normal(Gaussian):
    """Normal law with mean `loc` and standard deviation `scale`.

    q(y) = exp(-z^2/2) / (scale sqrt(2 pi)), z = (y - loc)/scale. As a conditional law its maximum
    likelihood is least squares. scipy: ``norm(loc, scale)``; R: ``dnorm(y, loc, scale)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 13.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("normal").fit([[1.0], [2.0], [6.0]])
    >>> round(float(model.params_["loc"]), 3), round(float(model.params_["scale"]), 3)
    (3.0, 2.16)
    """

    scipy_name = "norm"
    gradient_tells_mean = True
    least_squares = True

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import norm

        return norm(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def variance(self, theta: Arrays) -> Array:
        return np.square(theta[1])

    def known_entropy(self, theta: Arrays) -> Array:
        return 0.5 * (LOG_2PI + 1.0) + np.log(theta[1])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return of_gaussians(*p, *q)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return rng.normal(loc, scale, size=size)
