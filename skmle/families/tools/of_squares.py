"""The base of laws of sums of squares, in which the degrees of freedom are all there is."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, polygamma

from skmle.families.base import LOG, Array, Arrays, Param, Saturated, Support
from skmle.families.tools.of_gamma import OfGamma

_STEPS, _DONE = 30, 1e-15  # Newton's method ends after six steps


class OfSquares(OfGamma):
    """Laws of a power of the sum of `df` squares of standard normal numbers: no unit is free."""

    parameters = (Param("df", LOG),)
    support = Support(0.0)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The mean logarithm of the gamma variable with scale one is digamma(df/2) at the maximum.
        row = self.collapse(statistics, weight)
        log_y = self.base(row)[0] + np.log(self.power)
        target = self.power * log_y - np.log(2.0)
        # Minka (2000), Estimating a Dirichlet distribution, appendix C: a start within 5 %.
        shape = np.exp(target) + 0.5 if target > -2.22 else -1.0 / (target + np.euler_gamma)
        for _ in range(_STEPS):
            # In log shape the function bends less.
            step = (digamma(shape) - target) / (shape * polygamma(1, shape))
            shape *= np.exp(-step)
            if abs(step) < _DONE:
                break
        return [(float(np.log(2.0 * shape)),)]

    def saturated(self, statistics: Arrays) -> Saturated | None:
        return None  # no parameter is a scale
