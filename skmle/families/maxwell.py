"""Maxwell's law."""

from __future__ import annotations

import numpy as np
from scipy.special import gammainccinv, gammaincinv

from skmle.families.base import Array, Arrays, Support
from skmle.families.tools.normal_lengths import NormalLength
from skmle.families.tools.tails import log_gamma_tail


class Maxwell(NormalLength):
    """Maxwell's law of y > 0 with `scale`: of the length of a vector of three normal numbers.

    q(y) = sqrt(2/pi) y^2/scale^3 exp(-(y/scale)^2/2); the mean is 2 sqrt(2/pi) scale. So are
    speeds of molecules. scipy: ``maxwell(scale=scale)``; R: ``shotGroups::dMaxwell(sigma)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 17 and 18.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("maxwell").fit([[1.0], [2.0], [2.0]])
    >>> round(float(model.params_["scale"]), 6)
    1.0
    """

    scipy_name = "maxwell"
    support = Support(0.0)
    dimension = 3

    def standard_tail(self, z: Array, upper: bool) -> Array:
        return log_gamma_tail(np.asarray(1.5), 0.5 * z * z, upper)

    def standard_quantile(self, q: Array, upper: bool) -> Array:
        return np.sqrt(2.0 * (gammainccinv(1.5, q) if upper else gammaincinv(1.5, q)))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return theta[0] * np.sqrt(rng.chisquare(3.0, size))
