"""The base of laws of sums of squares, in which the degrees of freedom are all there is."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, polygamma

from skmle.families.base import LOG, Array, Arrays, Family, Param, Saturated, Support
from skmle.families.tools.of_gamma import OfGamma, Product

_STEPS, _DONE = 30, 1e-15  # Newton's method ends after six steps


class OfSquares(OfGamma):
    """Laws of a power of the sum of `df` squares of standard normal numbers: no unit is free."""

    parameters = (Param("df", LOG),)
    support = Support(0.0)
    shape = Product(0.5, (1.0,))

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

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy import stats

        return getattr(stats, self.scipy_name)(theta[0])

    @classmethod
    def from_scipy(cls, df: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) or np.any(scale != 1.0) else (cls(), (df,))
