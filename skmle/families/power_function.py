"""The power-function law on (0, 1)."""

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
    Support,
    average,
)
from skmle.families.law import ByLogTail, ByStd
from skmle.families.tools.divergences import gap
from skmle.families.tools.special import log_complement


class PowerFunction(ByStd, ByLogTail, Family):
    """Power-function law of 0 < y < 1 with `shape`.

    P(Y <= y) = y^shape, and q(y) = shape y^(shape - 1): the beta law with shapes `shape` and 1. It
    is that of the largest of `shape` uniform values, and -log y is exponential with the mean
    1/shape. scipy: ``powerlaw(shape)``; R: ``dbeta(y, shape, 1)``. Observations between other ends
    are divided by them first.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 25.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("power_function").fit([[0.5], [0.7], [0.9]])
    >>> round(float(model.params_["shape"]), 3)
    2.597
    """

    scipy_name = "powerlaw"
    concave = True
    parameters = (Param("shape", LOG),)
    support = Support(0.0, 1.0)
    shortcuts = Shortcuts(starts="maximum", sums="statistics")

    def statistics(self, y: Array) -> Arrays:
        return (-np.log(y),)

    def base(self, statistics: Arrays) -> Array:
        return -statistics[0]

    def restore(self, statistics: Arrays) -> Array:
        return np.exp(-statistics[0])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        share = statistics[0] * np.exp(eta[0])
        rows = Rows(share - eta[0], (share - 1.0,), (share,))
        return rows.upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        with np.errstate(divide="ignore"):
            return [(-np.log(average(statistics[0], weight)),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        # As the shape grows the density of each row vanishes; as it shrinks, like the shape itself.
        return np.where(delta[0] > 0.0, np.inf, -delta[0]) + np.zeros_like(statistics[0])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import powerlaw

        return powerlaw(theta[0])

    @classmethod
    def from_scipy(cls, a: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) or np.any(np.asarray(scale) != 1.0) else (cls(), (a,))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(divide="ignore"):
            below = theta[0] * np.log(np.clip(y, 0.0, 1.0))
            return log_complement(below) if upper else below

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            share = statistics[0] * np.exp(eta[0])
            if not upper:
                return Rows(share, (share,), (share,)).upto(order)
            slope = -share / np.expm1(share)
            curvature = slope * (1.0 - share / -np.expm1(-share))
            return Rows(-log_complement(-share), (slope,), (curvature,)).upto(order)

    def mean(self, theta: Arrays) -> Array:
        shape = theta[0]
        return shape / (shape + 1.0)

    def std(self, theta: Arrays) -> Array:
        shape = theta[0]
        return np.sqrt(shape / (shape + 2.0)) / (shape + 1.0)

    def known_entropy(self, theta: Arrays) -> Array:
        shape = theta[0]
        return 1.0 - 1.0 / shape - np.log(shape)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return gap(q[0] / p[0])  # that of the exponential laws of -log y

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.exp(-rng.standard_exponential(size) / theta[0])
