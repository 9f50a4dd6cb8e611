"""The binomial law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from skmle.families.base import (
    LOGIT,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Shortcuts,
    average,
)
from skmle.families.tools.counts import LARGE, binomial_draws, deviance, has_large
from skmle.families.tools.divergences import of_trials
from skmle.families.tools.of_trials import OfTrials, minus_log_choices, stirling_of_trials
from skmle.families.tools.special import LOG_2PI, logistic_kernel, logistic_recession
from skmle.families.tools.tails import log_beta_tail

# Variance from which the entropy is that of its series: what this leaves out is below 1e-12.
_SPREAD = 1e6


class Binomial(OfTrials):
    """Binomial law of counts of successes with their `probability`.

    An observation is a row [successes, failures]. The numbers of trials are the rows' sums and are
    taken as given. scipy: ``binom(trials, probability)``; R:
    ``dbinom(successes, trials, probability)``.

    Parameters
    ----------
    trials : int, default=1
        The number of trials of rows yet to be observed: of `sample`, `mean`, `cdf` and the like.
    links : dict of str to str or Link, optional
        A link for `probability`, in place of the logit.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 4.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> round(float(MLEDistribution("binomial").fit([[3, 1], [2, 2]]).params_["probability"]), 9)
    0.625
    """

    scipy_name = "binom"
    knows_curvature = True
    parameters = (Param("probability", LOGIT),)
    shortcuts = Shortcuts(starts="maximum", sums="base", apart=True)

    def base(self, statistics: Arrays) -> Array:
        # Minus the logarithm of the binomial coefficient; of many trials, without the part that
        # the deviance has in it.
        successes, trials, *more = statistics
        if more:
            return more[1]
        return minus_log_choices(successes, trials)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # The means of successes and trials, the mean deviance of the rows from the share of
        # successes in all, and the mean of `_stirling`.
        successes, trials, *more = statistics
        if more and len(successes) == 1:
            return statistics
        total, mean = average(trials, weight), average(successes, weight)
        share = (mean / total, (total - mean) / total) if total > 0.0 else (0.5, 0.5)
        within, base = more or (np.zeros(()), stirling_of_trials(successes, trials))
        spread = average(_deviance(successes, trials, *share) + within, weight)
        means = (np.array([mean]), np.array([total]), np.array([spread]))
        return (*means, np.array([average(base, weight)]))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        successes, trials, *more = statistics
        rows = logistic_kernel(successes, trials, eta[0], order)
        if not more and not has_large(trials):
            return rows
        t = np.exp(-np.abs(eta[0]))
        low, high = t / (1.0 + t), 1.0 / (1.0 + t)
        up = eta[0] > 0.0
        value = _deviance(successes, trials, np.where(up, high, low), np.where(up, low, high))
        if more:
            return rows._replace(value=value + more[0])
        return rows._replace(value=np.where(trials > LARGE, value, rows.value))

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        successes, trials = self.statistics(y)
        if not has_large(trials):
            return None
        p = theta[0]
        return -(_deviance(successes, trials, p, 1.0 - p) + stirling_of_trials(successes, trials))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        successes, trials = (average(s, weight) for s in statistics[:2])
        if trials == 0.0:
            raise ValueError(
                "Binomial: all rows have zero trials. Allowed: some row with successes + failures "
                "> 0. Give such rows."
            )
        with np.errstate(divide="ignore"):
            return [(np.log(successes) - np.log(trials - successes),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        return logistic_recession(statistics[0], statistics[1], delta[0])

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        from scipy.special import xlog1py, xlogy

        (p,) = theta
        with np.errstate(divide="ignore", invalid="ignore"):
            value = xlogy(y[..., 0], p) + xlog1py(y[..., 1], -p) - self.base(self.statistics(y))
        return np.where(self.contains(y), value, -np.inf)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import binom

        return binom(self._count, theta[0])

    @classmethod
    def from_scipy(cls, n: Array, p: Array, loc: Array) -> tuple[Family, Arrays] | None:
        # One family has one number of trials.
        return None if np.any(loc) or np.ndim(n) else (cls(int(n)), (p,))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        # More than k trials succeed if the one that is (k + 1)-th in a uniform order is below p.
        p, count = theta[0], np.floor(y)
        inside = np.clip(count, 0.0, self._count - 1.0)
        tail = log_beta_tail(inside + 1.0, self._count - inside, p, 1.0 - p, not upper)
        tail = np.where(count < 0.0, 0.0 if upper else -np.inf, tail)
        return np.where(count >= self._count, -np.inf if upper else 0.0, tail)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        sign = -1.0 if upper else 1.0
        return np.rint(self.mean(theta) + sign * ndtri(q) * np.sqrt(self.variance(theta)))

    def known_entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        p = theta[0]
        spread = self.variance(theta)
        large = spread > _SPREAD
        top = np.where(large, spread, 1.0)
        series = 0.5 * (LOG_2PI + 1.0 + np.log(top)) + (4.0 * p * (1.0 - p) - 1.0) / (12.0 * top)
        return np.where(large, series, numerical.entropy(self, (np.where(large, 0.0, p),)))

    def variance(self, theta: Arrays) -> Array:
        return self._count * theta[0] * (1.0 - theta[0])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return self._count * of_trials(p[0], q[0])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        successes = binomial_draws(self._count, theta[0], size, rng)
        return np.stack([successes, self._count - successes], axis=-1)


def _deviance(successes: Array, trials: Array, p: Any, p_bar: Any) -> Array:
    """Return half the deviance of rows of trials of which each succeeds with p = 1 - p_bar."""
    return deviance(successes, trials * p) + deviance(trials - successes, trials * p_bar)
