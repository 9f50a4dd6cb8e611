"""The logarithmic series law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval

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
from skmle.families.tools.by_sums import BySums

# Shape below which 1 - shape/(-log(1 - shape)) is a series, whose next term is below 1e-16.
_SMALL = 1e-2
_SERIES = (1 / 2, 1 / 12, 1 / 24, 19 / 720, 3 / 160, 863 / 60480, 275 / 24192)  # of Gregory


class LogarithmicSeries(BySums):
    """Logarithmic series law of counts y >= 1 with `shape` between 0 and 1.

    q(y) = shape^y / (y (-log(1 - shape))). It is the law of the numbers of individuals by species
    in Fisher's model, and that of negative binomial counts that are not zero, as their mean
    tends to zero. As shape -> 0 all counts are 1.

    scipy: ``logser(shape)``; R: VGAM ``dlog(shape=shape)``, gamlss ``LG(mu=shape)``.

    References
    ----------
    Fisher, Corbet & Williams (1943), The relation between the number of species and the number of
    individuals in a random sample of an animal population, Journal of Animal Ecology 12.
    Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 7.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("logarithmic_series").fit([[1], [1], [1], [2], [5]])
    >>> round(float(model.params_["shape"]), 4)
    0.7153
    """

    scipy_name = "logser"
    finer_eta = True  # next to 1 the shape has fewer digits than its logit
    parameters = (Param("shape", LOGIT),)
    shortcuts = Shortcuts(sums="statistics")
    support = Support(1.0, closed=(True, False), discrete=True, whole=True)

    def base(self, statistics: Arrays) -> Array:
        return np.log(statistics[0])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With L = -log(1 - shape) = softplus(eta), -log shape = softplus(-eta).
        y = statistics[0]
        (logit,) = eta
        log_shape, rest = -np.logaddexp(0.0, -logit), np.logaddexp(0.0, logit)
        # Of small shapes log L is log shape, but for a small term.
        value = np.log(rest) - log_shape - (y - 1.0) * log_shape
        if order < 1:
            return Rows(value)
        shape, failing = np.exp(log_shape), np.exp(-rest)
        share = shape / rest
        gradient = (share - failing - (y - 1.0) * failing,)
        if order < 2:
            return Rows(value, gradient)
        bend = shape * failing
        return Rows(value, gradient, (share * (failing - share) + bend + (y - 1.0) * bend,))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        excess = average(statistics[0], weight) - 1.0
        if excess <= 0.0:
            return [(-np.inf,)]
        # The mean less one is shape/2 for small shapes; for large ones it is x/log x, x = shape's
        # odds.
        return [(float(np.log(2.0 * excess) + np.log(1.0 + 0.5 * np.log1p(excess))),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        (d,) = delta
        return np.where(d > 0.0, np.inf, (1.0 - statistics[0]) * d)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        (shape,) = theta
        between = (shape > 0.0) & (shape < 1.0)
        inside = self.log_prob(y, self.eta((np.where(between, shape, 0.5),)))
        at_zero = np.where((shape == 0.0) & (np.asarray(y) == 1.0), 0.0, -np.inf)
        return np.where(between, inside, at_zero)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import logser

        return logser(theta[0])

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import geom

        return geom(np.where(theta[0] == 0.0, 1.0, 0.5))

    @classmethod
    def from_scipy(cls, p: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (p,))

    def mean(self, theta: Arrays) -> Array:
        (shape,) = theta
        with np.errstate(all="ignore"):
            return np.where(shape == 0.0, 1.0, shape / ((1.0 - shape) * -np.log1p(-shape)))

    def variance(self, theta: Arrays) -> Array:
        # E[Y^2] is mean/(1 - shape).
        (shape,) = theta
        mean = self.mean(theta)
        with np.errstate(all="ignore"):
            series = shape * polyval(shape, _SERIES)
            gap = np.where(shape < _SMALL, series, 1.0 - mean * (1.0 - shape))
            return np.where(shape == 1.0, np.inf, mean * gap / (1.0 - shape))

    def known_entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        (shape,) = theta
        between = (shape > 0.0) & (shape < 1.0)
        inside = numerical.entropy(self, (np.where(between, shape, 0.5),))
        return np.where(between, inside, np.where(shape == 0.0, 0.0, np.inf))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # Kemp (1981): given U, a count is geometric.
        shape = np.broadcast_to(theta[0], size)
        with np.errstate(divide="ignore", over="ignore"):
            q = -np.expm1(rng.random(size) * np.log1p(-shape))
            wait = np.log(1.0 - rng.random(size)) / np.log(q)
        return np.where(shape > 0.0, np.floor(1.0 + wait), 1.0)
