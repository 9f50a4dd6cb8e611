"""The chi-squared law."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays
from skmle.families.tools.of_gamma import Product
from skmle.families.tools.of_squares import OfSquares


class ChiSquared(OfSquares):
    """Chi-squared law of y > 0 with the degrees of freedom `df`, which need not be whole.

    q(y) = y^(df/2 - 1) exp(-y/2) / (2^(df/2) Gamma(df/2)); the mean is df. With a scale beside it,
    it is the gamma law. scipy: ``chi2(df)``; R: ``stats::dchisq(df)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 18.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("chi_squared").fit([[1.0], [2.0], [6.0]])
    >>> round(float(model.params_["df"]), 3)
    3.221
    """

    scipy_name = "chi2"
    power = 1.0
    root = Product(1.0, (1.0,))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        return np.sqrt(2.0 * theta[0])
