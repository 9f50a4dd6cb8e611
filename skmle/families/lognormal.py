"""The lognormal law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, Shortcuts, Stretch, Support
from skmle.families.law import ByStd
from skmle.families.normal import Normal
from skmle.families.tools.divergences import of_gaussians
from skmle.families.tools.gaussian import Gaussian
from skmle.families.tools.special import LOG_2PI


class Lognormal(ByStd, Gaussian):
    """Law of y > 0 whose logarithm is normal with mean `loc` and standard deviation `scale`.

    q(y) = exp(-z^2/2) / (y scale sqrt(2 pi)), z = (log y - loc)/scale; mean exp(loc + scale^2/2).
    scipy: ``lognorm(s=scale, scale=exp(loc))``; R: ``dlnorm(y, loc, scale)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 14.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("lognormal").fit([[1.0], [2.0], [4.0]])
    >>> round(float(model.params_["loc"]), 4)
    0.6931
    """

    scipy_name = "lognorm"
    support = Support(0.0)
    stretch = Stretch((1.0, 0.0), Normal)
    shortcuts = Shortcuts(starts="maximum", sums="base")

    def statistics(self, y: Array) -> Arrays:
        return (np.log(y),)

    def base(self, statistics: Arrays) -> Array:
        return statistics[0] + 0.5 * LOG_2PI

    def restore(self, statistics: Arrays) -> Array:
        return np.exp(statistics[0])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import lognorm

        loc, scale = theta
        return lognorm(s=scale, scale=np.exp(loc))

    @classmethod
    def from_scipy(cls, s: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (np.log(scale), s))

    def mean(self, theta: Arrays) -> Array:
        loc, scale = theta
        with np.errstate(over="ignore"):
            return np.exp(loc + 0.5 * scale * scale)

    def std(self, theta: Arrays) -> Array:
        loc, scale = theta
        square = np.square(scale)
        with np.errstate(over="ignore", divide="ignore"):
            # log(expm1(square)), in which nothing overflows; square itself where that is small
            growth = square + np.log(-np.expm1(-square))
            return np.exp(loc + 0.5 * (square + growth))

    def known_entropy(self, theta: Arrays) -> Array:
        loc, scale = theta
        return 0.5 * (LOG_2PI + 1.0) + np.log(scale) + loc

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return of_gaussians(*p, *q)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return rng.lognormal(loc, scale, size=size)
