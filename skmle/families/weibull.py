"""The Weibull law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Stretch
from skmle.families.exponential import Exponential
from skmle.families.gumbel import GumbelMin, OfMinima, divergence_of_minima
from skmle.families.law import ByStd
from skmle.families.tools.location_scale import LogLocationScale
from skmle.families.tools.special import log_gamma_of_twice


class Weibull(ByStd, OfMinima, LogLocationScale):
    """Weibull law of y > 0 with `scale` (the 63.2 % quantile) and `shape`.

    P(Y > y) = exp(-(y/scale)^shape). log y has Gumbel's law of minima with location log(scale) and
    scale 1/shape. scipy: ``weibull_min(c=shape, scale=scale)``; R: ``dweibull(y, shape, scale)``.

    References
    ----------
    Farnum & Booth (1997), Uniqueness of maximum likelihood estimators of the 2-parameter Weibull
    distribution, IEEE Transactions on Reliability 46.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("weibull").fit([[1.0], [2.0], [3.0]])
    >>> round(float(model.params_["shape"]), 3)
    2.739
    """

    scipy_name = "weibull_min"
    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
    )
    stretch = Stretch((1.0, 0.0), GumbelMin)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        chosen = self.links_of(("scale",))
        links = None if chosen is None else {"mean": chosen["scale"]}
        return (Limit("shape", 1.0, Exponential(links=links), places=("scale",)),)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        ((loc, log_scale),) = GumbelMin().starts(statistics, weight)
        return [(loc, -log_scale)]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import weibull_min

        scale, shape = theta
        return weibull_min(c=shape, scale=scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, c))

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(over="ignore", divide="ignore"):
            return scale * np.exp(gammaln(1.0 + 1.0 / shape))

    def std(self, theta: Arrays) -> Array:
        # The variance is mean^2 (Gamma(1 + 2 x)/Gamma(1 + x)^2 - 1) with x = 1/shape.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            ratio = log_gamma_of_twice(1.0 / np.asarray(theta[1], float))
            return self.mean(theta) * np.sqrt(np.expm1(ratio))

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return np.euler_gamma * (1.0 - 1.0 / shape) + np.log(scale) - np.log(shape) + 1.0

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # That of their logarithms.
        (scale_p, shape_p), (scale_q, shape_q) = p, q
        return divergence_of_minima(shape_q * np.log(scale_p / scale_q), shape_q / shape_p)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        return scale * rng.weibull(shape, size=size)
