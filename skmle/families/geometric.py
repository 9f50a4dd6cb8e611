"""The geometric law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlog1py

from skmle.families.base import (
    LOGIT,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Shortcuts,
    Support,
    average,
)
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import of_trials
from skmle.families.tools.special import log_complement, logistic_kernel, logistic_recession

# Least probability of which numpy draws: its counts have 64 bits, which rarer successes exceed.
_DRAWN = 1e-16


class Geometric(ByStd, ByTails):
    """Geometric law of the number of trials, y >= 1, up to the first success.

    Each trial succeeds with the given `probability`.

    q(y) = probability (1 - probability)^(y - 1). scipy: ``geom(probability)``; R:
    ``dgeom(y - 1, probability)``.

    References
    ----------
    Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 5.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> round(float(MLEDistribution("geometric").fit([[1], [3], [4]]).params_["probability"]), 9)
    0.375
    """

    scipy_name = "geom"
    gradient_tells_mean = True
    parameters = (Param("probability", LOGIT),)
    support = Support(1.0, closed=(True, False), discrete=True, whole=True)
    shortcuts = Shortcuts(starts="maximum", sums="statistics", apart=True)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # One success in y trials: the binomial kernel.
        return logistic_kernel(np.ones(()), statistics[0], eta[0], order)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # That of one row is y times p (1 - p), and the mean of y is 1 / p.
        return (expit(-np.asarray(eta[0])),)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        with np.errstate(divide="ignore"):
            return [(-np.log(average(statistics[0], weight) - 1.0),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        return logistic_recession(np.ones(()), statistics[0], delta[0])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import geom

        return geom(theta[0])

    @classmethod
    def from_scipy(cls, p: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (p,))

    def mean(self, theta: Arrays) -> Array:
        with np.errstate(divide="ignore"):
            return 1.0 / theta[0]

    def std(self, theta: Arrays) -> Array:
        with np.errstate(over="ignore", divide="ignore"):
            return np.sqrt(1.0 - theta[0]) / theta[0]

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(divide="ignore"):  # certain success
            log_sf = np.where(y < 1.0, 0.0, np.maximum(np.floor(y), 1.0) * np.log1p(-theta[0]))
            return log_sf if upper else log_complement(log_sf)

    def _inside(self, theta: Arrays) -> NDArray[np.bool_]:
        # Certain success is no end here: the tail's formula holds, and scipy's quantiles do not.
        return np.asarray(theta[0] > 0.0)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        # About so many trials all fail with the probability of the upper tail.
        with np.errstate(all="ignore"):
            failing = np.log(q) if upper else np.log1p(-q)
            return np.maximum(np.ceil(failing / np.log1p(-theta[0])), 1.0)

    def known_entropy(self, theta: Arrays) -> Array:
        (p,) = theta
        failures = np.where(p > 0.0, xlog1py(1.0 - p, -p) / p, -1.0)  # 1/p trials are expected
        return -np.log(p) - failures

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return of_trials(p[0], q[0]) / p[0]  # 1/p trials are expected

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        p = np.broadcast_to(theta[0], size)
        draws = np.asarray(rng.geometric(np.maximum(p, _DRAWN)), float)
        if (rare := p < _DRAWN).any():  # the wait is exponential, to the last digit of a draw
            with np.errstate(divide="ignore"):
                draws = np.where(rare, np.ceil(rng.standard_exponential(size) / p), draws)
        return draws
