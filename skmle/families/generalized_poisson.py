"""The generalised Poisson law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Rows, average
from skmle.families.negative_binomial import NegativeBinomial
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.by_sums import BySums
from skmle.families.tools.counts import has_large, poisson_draws, stirling, surplus
from skmle.families.tools.dispersed import Dispersed
from skmle.families.tools.divergences import gap_beside

_LARGEST_LOG = 600.0  # log(dispersion/mean) from which log(1 + u) is log u, to the last digit
# Dispersion from which draws are quantiles: below, the generations that they count end soon.
_SLOW = 1e3
_LEAST = 0.02  # dispersion from which a fit to counts of no more variance than mean starts


class GeneralizedPoisson(Dispersed, BySums):
    """Generalised Poisson law of counts with `mean` and `dispersion`.

    The variance is mean (1 + dispersion)^2. With theta = mean/(1 + dispersion) and
    lambda = dispersion/(1 + dispersion), q(y) = theta (theta + lambda y)^(y - 1)
    exp(-theta - lambda y)/y!. It counts all descendants of a Poisson number of ancestors of whom
    each, as each of their descendants, has a Poisson number of children, lambda on average. So its
    tail is heavier than that of a negative binomial law of the same mean and variance. As
    dispersion -> 0 it is Poisson, and a fit to counts no more dispersed than that ends there
    (status "boundary"). Laws with lambda < 0 are left out: their masses do not sum to one.

    statsmodels: ``GeneralizedPoisson(p=1)`` with ``alpha`` = dispersion; with p=2 the dispersion is
    alpha mean, which is the same law with another model of a regression. R: VGAM ``genpoisson1``,
    whose ``dispind`` is (1 + dispersion)^2.

    References
    ----------
    Consul & Jain (1973), A generalization of the Poisson distribution, Technometrics 15.
    Consul & Famoye (1992), Generalized Poisson regression model, Communications in Statistics:
    Theory and Methods 21.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("generalized_poisson").fit([[0], [1], [8], [3]])
    >>> {name: round(float(value), 4) for name, value in model.params_.items()}
    {'mean': 3.0, 'dispersion': 1.0833}
    """

    title = "Generalized Poisson"

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With u = dispersion y/mean and w = theta + lambda y, which lies between y and the mean,
        # -log q = log(1 + u) + (y log(y/w) - y + w) + stirling(y): see `counts.deviance`.
        (y,) = statistics
        log_mean, log_dispersion = eta
        dispersion = np.exp(log_dispersion)
        rest = 1.0 / (1.0 + dispersion)
        mean = np.exp(log_mean)
        theta, share = mean * rest, 1.0 / (1.0 + np.exp(-log_dispersion))
        log_ratio = log_dispersion - log_mean
        ratio = np.exp(np.minimum(log_ratio, _LARGEST_LOG))
        u = ratio * y
        growth = np.log1p(u)
        if np.any(far := np.maximum(log_ratio - _LARGEST_LOG, 0.0)):
            growth = growth + np.where(y > 0.0, far, 0.0)
        w = theta + share * y
        away = (mean - y) * rest
        if has_large(y):
            some = np.where(y > 0.0, y, 1.0)
            gap = np.where(y > 0.0, y * gap_beside(away / some, w / some), w)
            value = growth + gap - surplus(y)
        else:
            value = w + y * np.log1p(dispersion) - (y - 1.0) * growth - y * log_mean
        if order < 1:
            return Rows(value)
        one = 1.0 / (1.0 + u)
        v = u * one
        pull = away * ratio * one  # away * dispersion/(mean + dispersion y)
        gradient = (one * away - v, v - away * pull)
        if order < 2:
            return Rows(value, gradient)
        both = v * (away + 1.0)
        curvature = (
            one * (both + theta),
            -one * (both + share * away),
            v * one - away * pull * (one - 2.0 * share),
        )
        return Rows(value, gradient, curvature)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # By the shifts q(y; theta) y (y - 1)/(theta + lambda y)^2 = theta/(theta + 2 lambda)
        # q(y - 2; theta + 2 lambda).
        log_mean, log_dispersion = eta
        rest, share = 1.0 / (1.0 + np.exp(log_dispersion)), 1.0 / (1.0 + np.exp(-log_dispersion))
        theta = np.exp(log_mean) * rest
        part = theta / (theta + 2.0 * share)
        own = 2.0 * share * share * part
        return part * (theta * rest + 2.0 * share), -own, own

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # That of zero, which a law without zeros asks for, is known: P(Y = 0) = exp(-theta).
        (y,) = statistics
        if not upper or np.any(y != 0.0):
            return super().tail(statistics, eta, upper, order)
        log_mean, log_dispersion = eta
        with np.errstate(over="ignore"):
            rest, part = 1.0 / (1.0 + np.exp(log_dispersion)), 1.0 / (1.0 + np.exp(-log_dispersion))
            log_theta = log_mean - np.logaddexp(0.0, log_dispersion)
            rows = Rows(log_theta, (np.ones(()), -part), (None, None, -part * rest))
            return tail_of_log_hazard(rows.upto(order), above=False)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        if not has_large(y):
            return None
        rows = self.evaluate((y,), tuple(np.log(value) for value in theta), 0)
        return -(rows.value + surplus(y) + stirling(y))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The most likely mean is that of the counts. The dispersion is between that of the variance
        # and that of the share of zeros, exp(-mean/(1 + dispersion)): it saves one step in six.
        (y,) = statistics
        mean = average(y, weight)
        if mean == 0.0:
            return [(-np.inf, 0.0)]
        ratio = mean * average((y / mean - 1.0) ** 2, weight)
        dispersion = max(np.sqrt(ratio) - 1.0, _LEAST)
        zeros = average((y == 0.0).astype(float), weight)
        if 0.0 < zeros < 1.0:
            by_zeros = mean / -np.log(zeros) - 1.0
            dispersion = np.sqrt(dispersion * by_zeros) if by_zeros > 0.0 else dispersion
        return [(np.log(mean), np.log(dispersion))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        # Far out it is as the negative binomial law whose variance is mean (1 + dispersion).
        mean, dispersion = delta
        return NegativeBinomial().recession(statistics, (mean, dispersion - mean))

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import poisson

        mean, dispersion = theta
        return poisson(np.where(dispersion == np.inf, 0.0, mean))

    def std(self, theta: Arrays) -> Array:
        mean, dispersion = theta
        return np.sqrt(mean) * (1.0 + dispersion)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, dispersion = (np.broadcast_to(value, size) for value in theta)
        with np.errstate(all="ignore"):
            share = np.where(dispersion == np.inf, 1.0, dispersion / (1.0 + dispersion))
            alive = poisson_draws(np.where(share < 1.0, mean * (1.0 - share), 0.0), size, rng)
        slow = dispersion > _SLOW
        total = alive.copy()
        at = np.flatnonzero((alive > 0.0) & ~slow)
        alive, share = alive.ravel()[at], share.ravel()[at]
        while len(at):  # one generation after the other
            alive = poisson_draws(alive * share, alive.shape, rng)
            total.ravel()[at] += alive
            more = alive > 0.0
            at, alive, share = at[more], alive[more], share[more]
        if slow.any():
            slow &= np.isfinite(dispersion)
            total[slow] = self.quantile(rng.random(int(slow.sum())), (mean[slow], dispersion[slow]))
        return total
