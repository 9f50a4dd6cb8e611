"""Frechet's law of the largest of many values with heavy tails."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from skmle.families.base import LOG, Array, Arrays, Family, Param, Stretch
from skmle.families.gumbel import Gumbel, OfMaxima, divergence_of_minima
from skmle.families.law import ByStd
from skmle.families.tools.location_scale import LogLocationScale
from skmle.families.tools.special import log_gamma_of_twice


class Frechet(ByStd, OfMaxima, LogLocationScale):
    """Frechet law of y > 0 with `scale` (the 36.8 % quantile) and `shape`.

    P(Y <= y) = exp(-(y/scale)^-shape): of the largest of many values whose tail falls like
    y^-shape. log y has Gumbel's law of maxima with location log(scale) and scale 1/shape, and 1/y
    is a Weibull variable. scipy: ``invweibull(c=shape, scale=scale)``; R:
    ``evd::dfrechet(y, 0, scale, shape)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 22.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("frechet").fit([[1.0], [2.0], [6.0]])
    >>> round(float(model.params_["scale"]), 3), round(float(model.params_["shape"]), 3)
    (1.605, 1.663)
    """

    scipy_name = "invweibull"
    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
    )
    stretch = Stretch((1.0, 0.0), Gumbel)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        ((loc, log_scale),) = Gumbel().starts(statistics, weight)
        return [(loc, -log_scale)]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import invweibull

        scale, shape = theta
        return invweibull(c=shape, scale=scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, c))

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self._log_tail(y, theta, False))

    def sf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self._log_tail(y, theta, True))

    def _log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(divide="ignore"):  # below zero the law has nothing
            return self.log_tail(np.maximum(y, 0.0), theta, upper)

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(all="ignore"):
            mean = scale * np.exp(gammaln(1.0 - 1.0 / np.asarray(shape, float)))
            return np.where(np.asarray(shape) > 1.0, mean, np.inf)

    def std(self, theta: Arrays) -> Array:
        # The variance is mean^2 (Gamma(1 + 2 x)/Gamma(1 + x)^2 - 1) with x = -1/shape.
        shape = np.asarray(theta[1], float)
        with np.errstate(all="ignore"):
            std = self.mean(theta) * np.sqrt(np.expm1(log_gamma_of_twice(-1.0 / shape)))
            return np.where(shape > 2.0, std, np.inf)

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return np.euler_gamma * (1.0 + 1.0 / shape) + np.log(scale) - np.log(shape) + 1.0

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # That of their logarithms.
        (scale_p, shape_p), (scale_q, shape_q) = p, q
        return divergence_of_minima(shape_q * np.log(scale_q / scale_p), shape_q / shape_p)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        with np.errstate(over="ignore"):
            return scale * rng.standard_exponential(size) ** (-1.0 / np.asarray(shape))
