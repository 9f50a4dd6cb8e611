"""The chi law."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays
from skmle.families.tools.of_gamma import Product
from skmle.families.tools.of_squares import OfSquares
from skmle.families.tools.special import log_half_step


class Chi(OfSquares):
    """Chi law of y > 0 with the degrees of freedom `df`, which need not be whole.

    q(y) = y^(df - 1) exp(-y^2/2) / (2^(df/2 - 1) Gamma(df/2)): y^2 has the chi-squared law. With a
    scale beside it, it is Nakagami's law. scipy: ``chi(df)``; R: ``chi::dchi(df)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 18.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("chi").fit([[1.0], [2.0], [3.0]])
    >>> round(float(model.params_["df"]), 3)
    4.253
    """

    scipy_name = "chi"
    power = 2.0
    root = Product(1.0, (0.5,))

    def mean(self, theta: Arrays) -> Array:
        (df,) = theta
        return np.sqrt(df) * np.exp(log_half_step(0.5 * df))

    def std(self, theta: Arrays) -> Array:
        (df,) = theta
        return np.sqrt(df * -np.expm1(2.0 * log_half_step(0.5 * df)))
