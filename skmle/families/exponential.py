"""The exponential law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Shortcuts,
    Stretch,
    Support,
    average,
)
from skmle.families.law import ByLogTail, ByStd
from skmle.families.tools.divergences import gap
from skmle.families.tools.special import log_complement


class Exponential(ByStd, ByLogTail, Family):
    """Exponential law of y >= 0 with the given `mean` (1/rate).

    q(y) = exp(-y/mean)/mean. scipy: ``expon(scale=mean)``; R: ``dexp(y, 1/mean)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 19.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> round(float(MLEDistribution("exponential").fit([[1.0], [2.0], [6.0]]).params_["mean"]), 9)
    3.0
    """

    scipy_name = "expon"
    gradient_tells_mean = True
    parameters = (Param("mean", LOG),)
    support = Support(0.0, closed=(True, False))
    stretch = Stretch((1.0,))
    shortcuts = Shortcuts(starts="maximum", sums="statistics")

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        ratio = statistics[0] * np.exp(-eta[0])
        value = ratio + eta[0]
        if order < 1:
            return Rows(value)
        return Rows(value, (1.0 - ratio,), (ratio,) if order > 1 else None)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        with np.errstate(divide="ignore"):
            return [(np.log(average(statistics[0], weight)),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        (d,) = delta
        return np.where(d < 0, np.where(statistics[0] > 0, np.inf, d), d)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        """Return log q(y) of a mean of zero, all whose mass is at zero, or of an infinite mean."""
        (mean,) = theta
        with np.errstate(all="ignore"):
            inside = -y / mean - np.log(mean)
        edge = np.where((mean == 0.0) & (y == 0.0), np.inf, -np.inf)
        at_edge = (mean == 0.0) | np.isinf(mean)
        return np.where(self.contains(y), np.where(at_edge, edge, inside), -np.inf)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import expon

        return expon(scale=theta[0])

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale,))

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        if not upper:
            return super().tail(statistics, eta, upper, order)
        ratio = statistics[0] * np.exp(-eta[0])
        return Rows(ratio, (-ratio,), (ratio,)).upto(order)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            ratio = np.maximum(y, 0.0) / theta[0]
            return -ratio if upper else log_complement(-ratio)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        return theta[0]

    def known_entropy(self, theta: Arrays) -> Array:
        return 1.0 + np.log(theta[0])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return gap(p[0] / q[0])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.exponential(theta[0], size=size)


class ExponentialOfScale(Exponential):
    """The exponential law whose mean has the name of the scale of which it is the limit."""

    title = "Exponential"
    parameters = (Param("scale", LOG),)


class ExponentialOfTail(Exponential):
    """The exponential law whose mean has the name of the tail of which it is the limit."""

    title = "Exponential"
    parameters = (Param("tail", LOG),)
