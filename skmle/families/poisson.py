"""The Poisson law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Param, Rows, Shortcuts, Support, average
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.counts import (
    deviance,
    has_large,
    log_factorial,
    poisson_draws,
    stirling,
    surplus,
)
from skmle.families.tools.divergences import bregman
from skmle.families.tools.special import LOG_2PI
from skmle.families.tools.tails import log_gamma_tail

# From this mean on the entropy is that of Stirling's series: what the series leaves out, and what a
# sum over the counts would lose, is below 1e-12.
_LARGE = 1e3


class Poisson(ByTails):
    """Poisson law of counts with the given `mean`.

    q(y) = exp(-mean) mean^y / y!, for whole y >= 0. A regression also takes rates, real numbers
    y >= 0 with their exposure as weight: y! is then Gamma(y + 1). scipy: ``poisson(mean)``; R:
    ``dpois(y, mean)``.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 6.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> round(float(MLEDistribution("poisson").fit([[0], [3], [6]]).params_["mean"]), 9)
    3.0
    """

    scipy_name = "poisson"
    gradient_tells_mean = True
    knows_curvature = True
    parameters = (Param("mean", LOG),)
    support = Support(0.0, closed=(True, False), discrete=True, whole=True, rates=True)
    shortcuts = Shortcuts(starts="maximum", sums="base")

    def base(self, statistics: Arrays) -> Array:
        return log_factorial(statistics[0]) if len(statistics) == 1 else statistics[2]

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # The counts' mean, their mean deviance from it, and the mean of their `stirling`. A row
        # that stands for others has a deviance of its own.
        y, *more = statistics
        if more and len(y) == 1:
            return statistics
        mean = average(y, weight)
        within, base = more or (np.zeros(()), stirling(y))
        spread = average(deviance(y, np.asarray(mean)) + within, weight)
        return np.array([mean]), np.array([spread]), np.array([average(base, weight)])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        y, *more = statistics
        mean = np.exp(eta[0])
        if more and y[0] > 0.0:
            # By the logarithm of the counts' mean, which is the start, so that it is the maximum.
            away = eta[0] - np.log(y)
            beyond = np.expm1(away)
            value = y * (beyond - away) + more[0]
            return Rows(value, (y * beyond,), (mean,)).upto(order)
        if more:
            value = mean + more[0]
        elif has_large(y):
            value = deviance(y, mean) - surplus(y)
        else:
            value = mean - y * eta[0]
        if order < 1:
            return Rows(value)
        return Rows(value, (mean - y,), (mean,) if order > 1 else None)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        if not has_large(y):
            return None
        return -(deviance(y, theta[0]) + stirling(y))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        with np.errstate(divide="ignore"):
            return [(np.log(average(statistics[0], weight)),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        (d,) = delta
        return np.where(d > 0, np.inf, -statistics[0] * d)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import poisson

        return poisson(theta[0])

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        # More than k events happen by the time `mean` if the wait for k + 1 of them is shorter.
        count = np.floor(y)
        tail = log_gamma_tail(np.maximum(count + 1.0, 1.0), theta[0], not upper)
        return np.where(count < 0.0, 0.0 if upper else -np.inf, tail)

    @classmethod
    def from_scipy(cls, mu: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (mu,))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def variance(self, theta: Arrays) -> Array:
        return theta[0]

    def known_entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        (mean,) = theta
        large = mean > _LARGE
        top = np.where(large, mean, 1.0)
        series = (
            0.5 * (LOG_2PI + 1.0 + np.log(top))
            - (1.0 / 12.0 + (1.0 / 24.0 + 19.0 / 360.0 / top) / top) / top
        )
        return np.where(large, series, numerical.entropy(self, (np.where(large, 1.0, mean),)))

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return bregman(p[0], q[0])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return poisson_draws(theta[0], size, rng)
