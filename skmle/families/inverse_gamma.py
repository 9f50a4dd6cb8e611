"""The inverse gamma law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Param, Stretch, Support
from skmle.families.normal import Normal
from skmle.families.tools.of_gamma import OfGamma, Product


class InverseGamma(OfGamma):
    """Inverse gamma law of y > 0 with `harmonic_mean` and `shape`: 1/y has a gamma law.

    With scale = harmonic_mean * shape, q(y) = scale^shape y^(-shape - 1) exp(-scale/y)
    / Gamma(shape). The harmonic mean is 1/E[1/y]; the mean is scale/(shape - 1), and endless where
    shape <= 1. In a regression of the harmonic mean the slopes are those of the scale and of the
    mean. scipy: ``invgamma(a=shape, scale=harmonic_mean * shape)``; R:
    ``extraDistr::dinvgamma(alpha=shape, beta=harmonic_mean * shape)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 17 (there
    Pearson's type V).

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("inverse_gamma").fit([[1.0], [2.0], [6.0]])
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'harmonic_mean': 1.8, 'shape': 2.231}
    """

    scipy_name = "invgamma"
    parameters = (Param("harmonic_mean", LOG), Param("shape", LOG))
    support = Support(0.0)
    stretch = Stretch((1.0, 0.0), Normal)
    unit_moves = stretch.moves
    power = -1.0
    root = Product(1.0, (1.0, 0.0))
    shape = Product(1.0, (0.0, 1.0))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import invgamma

        harmonic_mean, shape = theta
        return invgamma(a=shape, scale=harmonic_mean * shape)

    @classmethod
    def from_scipy(cls, a: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale / a, a))

    def mean(self, theta: Arrays) -> Array:
        harmonic_mean, shape = theta
        known = shape > 1.0
        growth = shape / np.where(known, shape - 1.0, 1.0)
        return np.where(known, harmonic_mean * growth, np.inf)

    def std(self, theta: Arrays) -> Array:
        _, shape = theta
        known = shape > 2.0
        root = np.sqrt(np.where(known, shape - 2.0, 1.0))
        return np.where(known, self.mean(theta) / root, np.inf)
