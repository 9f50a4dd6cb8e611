"""The half-normal law."""

from __future__ import annotations

import numpy as np
from scipy.special import erf, erfcinv, erfinv, log_ndtr

from skmle.families.base import Array, Arrays, Support
from skmle.families.tools.normal_lengths import NormalLength
from skmle.families.tools.special import log_probability


class HalfNormal(NormalLength):
    """Half-normal law of y >= 0 with `scale`: of the size of a normal number with mean zero.

    q(y) = sqrt(2/pi) exp(-(y/scale)^2/2) / scale; the mean is sqrt(2/pi) scale. scipy:
    ``halfnorm(scale=scale)``; R: ``extraDistr::dhnorm(sigma)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 13.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("half_normal").fit([[1.0], [2.0], [2.0]])
    >>> round(float(model.params_["scale"]), 6)
    1.732051
    """

    scipy_name = "halfnorm"
    support = Support(0.0, closed=(True, False))
    dimension = 1

    def standard_tail(self, z: Array, upper: bool) -> Array:
        below = erf(np.sqrt(0.5) * z)
        above = log_ndtr(-z) + np.log(2.0)
        if upper:
            return np.where(below < 0.5, np.log1p(-np.minimum(below, 0.5)), above)
        return log_probability(below, np.exp(above))

    def standard_quantile(self, q: Array, upper: bool) -> Array:
        return np.sqrt(2.0) * (erfcinv(q) if upper else erfinv(q))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return theta[0] * np.abs(rng.standard_normal(size))
