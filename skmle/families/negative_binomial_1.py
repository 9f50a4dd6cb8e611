"""The negative binomial law whose variance is a multiple of the mean (NB1)."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays
from skmle.families.negative_binomial import NegativeBinomial
from skmle.families.tools.dispersed import Dispersed
from skmle.families.tools.tilted import Tilted


class NegativeBinomialType1(Dispersed, Tilted):
    """Negative binomial law of counts with `mean` and `dispersion`, by a constant variance ratio.

    The variance is mean (1 + dispersion), where that of `NegativeBinomial` is
    mean (1 + dispersion mean): one law is of both kinds, and a regression is not. With
    r = mean/dispersion, q(y) = Gamma(y + r)/(Gamma(r) y!) dispersion^y (1 + dispersion)^-(y + r).
    As dispersion -> 0 it is Poisson, and a fit to counts no more dispersed than that ends there
    (status "boundary"). A regression also takes rates, as that of Poisson does.

    scipy: ``nbinom(mean/dispersion, 1/(1 + dispersion))``; R:
    ``dnbinom(size=mean/dispersion, mu=mean)``, gamlss ``NBII``; statsmodels:
    ``NegativeBinomialP(p=1)`` with ``alpha`` = dispersion.

    References
    ----------
    Cameron & Trivedi (1986), Econometric models based on count data: comparisons and applications
    of some estimators and tests, Journal of Applied Econometrics 1.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("nb1").fit([[0], [1], [8], [3]])
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'mean': 3.0, 'dispersion': 2.98}
    """

    within = NegativeBinomial()
    tilt = -1.0

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The mean is that of the counts: the law is the one inside, of which it is the maximum.
        return [
            (mean, dispersion - self.tilt * mean if np.isfinite(mean) else dispersion)
            for mean, dispersion in self.within.starts(statistics, weight)
        ]
