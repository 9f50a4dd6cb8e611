"""The negative binomial law (NB2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scipy.special import gammaln

from skmle.families._base import LOG, Array, Arrays, Family, Limit, Param, Rows, Support, average
from skmle.families._special import log_rising, log_rising_table
from skmle.families.poisson import Poisson


class NegativeBinomial(Family):
    """Negative binomial law of counts with `mean` and `dispersion`; the variance is mean + dispersion mean^2.

    As dispersion -> 0 it is Poisson, and a fit to counts no more dispersed than that ends there (status "boundary").
    Real y >= 0 are accepted. scipy: ``nbinom(1/dispersion, 1/(1 + dispersion mean))``.

    References
    ----------
    Lawless (1987), Negative binomial and mixed Poisson regression, Canadian Journal of Statistics 15.
    Aragon, Eberly & Eberly (1992), Existence and uniqueness of the maximum likelihood estimators for the two-parameter
    negative binomial distribution, Statistics & Probability Letters 15.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("negative_binomial").fit([[0], [1], [8], [3]])
    >>> round(float(model.params_["mean"]), 6)
    3.0
    """

    parameters = (Param("mean", LOG), Param("dispersion", LOG))
    support = Support(0.0, closed=(True, False), discrete=True)
    limits = (Limit("dispersion", 0.0, Poisson),)

    def base(self, y: Array) -> Array:
        return gammaln(y + 1.0)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With r = 1/dispersion, x = dispersion mean, and D = log_rising(y, r) = lgamma(y + r) - lgamma(r) - y log r:
        # -log q = (y + r) log(1 + x) - y log mean - D. Nothing large cancels as r -> inf.
        (y,) = statistics
        log_mean, log_dispersion = eta
        dispersion = np.exp(log_dispersion)
        x = np.exp(log_mean + log_dispersion)
        r = 1.0 / dispersion
        growth, share = np.log1p(x), x / (1.0 + x)
        rise, rise1, rise2 = _rising(y, dispersion, order)
        value = (y + r) * growth - y * log_mean - rise
        if order < 1:
            return Rows(value)
        assert rise1 is not None
        push = (y + r) * share
        gradient = (push - y, push - r * growth + rise1)
        if order < 2:
            return Rows(value, gradient)
        assert rise2 is not None
        bend = push / (1.0 + x)
        curvature = (bend, bend - r * share, bend - 2.0 * r * share + r * growth - rise2)
        return Rows(value, gradient, curvature)

    def starts(self, statistics: Arrays, weight: Array) -> list[tuple[float, ...]]:
        (y,) = statistics
        mean = average(y, weight)
        excess = average((y - mean) ** 2, weight) - mean
        return [(np.log(mean), np.log(max(excess, 0.05 * mean) / mean**2))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        mean, dispersion = delta
        return np.where(dispersion > 0, np.inf, np.where(mean > 0, np.inf, -statistics[0] * mean))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import nbinom

        mean, dispersion = theta
        return nbinom(1.0 / dispersion, 1.0 / (1.0 + dispersion * mean))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, dispersion = theta
        return rng.poisson(mean * dispersion * rng.gamma(np.broadcast_to(1.0 / dispersion, size))).astype(float)


def _rising(y: Array, dispersion: Array, order: int) -> tuple[Array, Array | None, Array | None]:
    """Return `log_rising` of y at r = 1/dispersion: by table where one dispersion serves few distinct whole numbers."""
    if dispersion.ndim == 0 and y.size and (top := float(y.max())) <= max(y.size, 64):
        codes = y.astype(np.intp)
        if np.array_equal(codes, y):
            value, first, second = log_rising_table(int(top), float(dispersion))
            return value.take(codes), first.take(codes), second.take(codes)
    return log_rising(y, 1.0 / dispersion, order)
