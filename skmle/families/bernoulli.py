"""The Bernoulli law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import entr, xlog1py

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
from skmle.families.tools.divergences import of_trials
from skmle.families.tools.special import logistic_kernel, logistic_recession


class Bernoulli(Family):
    """Bernoulli law of y in {0, 1} with the `probability` of 1.

    As a conditional law it is logistic regression. scipy: ``bernoulli(probability)``; R:
    ``dbinom(y, 1, probability)``.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 4.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("bernoulli").fit([[1], [0], [1], [1]])
    >>> round(float(model.params_["probability"]), 9)
    0.75
    """

    scipy_name = "bernoulli"
    knows_curvature = True
    parameters = (Param("probability", LOGIT),)
    support = Support(0.0, 1.0, closed=(True, True), discrete=True, whole=True)
    shortcuts = Shortcuts(starts="maximum", sums="statistics", apart=True)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return logistic_kernel(statistics[0], None, eta[0], order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        share = average(statistics[0], weight)
        with np.errstate(divide="ignore"):
            return [(np.log(share) - np.log1p(-share),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        return logistic_recession(statistics[0], np.ones(()), delta[0])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import bernoulli

        return bernoulli(theta[0])

    @classmethod
    def from_scipy(cls, p: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (p,))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def variance(self, theta: Arrays) -> Array:
        return theta[0] * (1.0 - theta[0])

    def known_entropy(self, theta: Arrays) -> Array:
        return entr(theta[0]) - xlog1py(1.0 - theta[0], -theta[0])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return of_trials(p[0], q[0])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.binomial(1, theta[0], size=size).astype(float)
