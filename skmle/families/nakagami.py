"""Nakagami's law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Param, Support
from skmle.families.tools.of_gamma import OfGamma, Product
from skmle.families.tools.special import log_half_step


class Nakagami(OfGamma):
    """Nakagami's law of y > 0 with `scale`, the root mean square, and `shape`.

    q(y) = 2 shape^shape / Gamma(shape) y^(2 shape - 1)/scale^(2 shape) exp(-shape (y/scale)^2):
    y^2 has a gamma law. scipy: ``nakagami(nu=shape, scale=scale)``; R:
    ``VGAM::dnaka(scale=scale^2, shape=shape)``.

    References
    ----------
    Nakagami (1960), The m-distribution, a general formula of intensity distribution of rapid
    fading, in Statistical Methods in Radio Wave Propagation.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("nakagami").fit([[1.0], [2.0], [4.0]])
    >>> round(float(model.params_["scale"]), 6), round(float(model.params_["shape"]), 3)
    (2.645751, 1.028)
    """

    scipy_name = "nakagami"
    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0)
    # No `stretch`: of a threshold far below y, fits keep too few digits.
    unit_moves = (1.0, 0.0)
    power = 2.0
    root = Product(1.0, (1.0, 0.0))
    shape = Product(1.0, (0.0, 1.0))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import nakagami

        scale, shape = theta
        return nakagami(nu=shape, scale=scale)

    @classmethod
    def from_scipy(cls, nu: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, nu))

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        return scale * np.exp(log_half_step(shape))

    def std(self, theta: Arrays) -> Array:
        scale, shape = theta
        return scale * np.sqrt(-np.expm1(2.0 * log_half_step(shape)))
