"""The gamma law by mean and dispersion, as laws that tend to it have it."""

from __future__ import annotations

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Param, Support
from skmle.families.tools.of_gamma import OfGamma, Product


class GammaByDispersion(OfGamma):
    """Gamma law with `mean` and `dispersion`, the inverse of the shape: Tweedie's of power 2."""

    parameters = (Param("mean", LOG), Param("dispersion", LOG))
    support = Support(0.0)
    power = 1.0
    root = Product(1.0, (1.0, 0.0))
    shape = Product(1.0, (0.0, -1.0))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [
            (log_mean, -log_shape) for log_mean, log_shape in super().starts(statistics, weight)
        ]

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        return theta[0] * np.sqrt(theta[1])
