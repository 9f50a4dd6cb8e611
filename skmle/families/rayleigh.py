"""The Rayleigh law."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Support
from skmle.families.tools.normal_lengths import NormalLength
from skmle.families.tools.special import log_complement


class Rayleigh(NormalLength):
    """Rayleigh law of y > 0 with `scale`: of the length of a vector of two normal numbers.

    q(y) = y/scale^2 exp(-(y/scale)^2/2); the mean is sqrt(pi/2) scale. It is the Weibull law of
    shape 2 and scale sqrt(2) scale. scipy: ``rayleigh(scale=scale)``; R:
    ``extraDistr::drayleigh(sigma)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 18.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("rayleigh").fit([[1.0], [2.0], [5.0]])
    >>> round(float(model.params_["scale"]), 6)
    2.236068
    """

    scipy_name = "rayleigh"
    support = Support(0.0)
    dimension = 2

    def standard_tail(self, z: Array, upper: bool) -> Array:
        above = -0.5 * z * z
        return above if upper else log_complement(above)

    def standard_quantile(self, q: Array, upper: bool) -> Array:
        return np.sqrt(-2.0 * (np.log(q) if upper else np.log1p(-q)))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.rayleigh(theta[0], size)
