"""Gumbel's laws of the largest and of the smallest of many values."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import gammaln

from skmle.families.base import Array, Arrays, Family, average
from skmle.families.law import ByStd
from skmle.families.tools.divergences import log_gamma_gap, rise
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.special import log_complement

# Log hazard below which log(1 - exp(-hazard)) is the log hazard to the last digit: half of e^-40 is
# 2e-18. The hazard itself may be too small for a number there.
_LEAST_HAZARD = -40.0
_STANDARD_DEVIATION = np.pi / np.sqrt(6.0)


class OfMinima(LocationScale):
    """The base of laws of z with P(Z > z) = exp(-exp(z)), as of the logarithm of a life."""

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        hazard = np.exp(z)
        return hazard - z, hazard - 1.0, hazard

    def log_sf(self, z: Array) -> Array:
        return -np.exp(z)

    def log_cdf(self, z: Array) -> Array:
        with np.errstate(divide="ignore", over="ignore"):
            return np.where(z < _LEAST_HAZARD, z, log_complement(-np.exp(z)))

    def tail_slopes(self, z: Array, value: Array, upper: bool) -> tuple[Array, Array]:
        # The hazard up to z, exp(z), is its own derivative.
        return (value, value) if upper else super().tail_slopes(z, value, upper)


class OfMaxima(LocationScale):
    """The base of laws of z with P(Z <= z) = exp(-exp(-z)): those of minima, mirrored."""

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        hazard = np.exp(-z)
        return hazard + z, 1.0 - hazard, hazard

    def log_sf(self, z: Array) -> Array:
        return OfMinima.log_cdf(self, -z)  # type: ignore[arg-type]

    def log_cdf(self, z: Array) -> Array:
        return -np.exp(-z)

    def tail_slopes(self, z: Array, value: Array, upper: bool) -> tuple[Array, Array]:
        return super().tail_slopes(z, value, upper) if upper else (-value, value)


class _GumbelLaw(ByStd, LocationScale):
    """What the laws of both ends share."""

    side: ClassVar[float]
    """1 of maxima, -1 of minima: the side on which the longer tail is."""

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The law of the same mean and standard deviation.
        centre = average(statistics[0], weight)
        spread = np.sqrt(average((statistics[0] - centre) ** 2, weight))
        scale = spread / _STANDARD_DEVIATION
        return [(centre - self.side * np.euler_gamma * scale, float(np.log(scale)))]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy import stats

        return getattr(stats, self.scipy_name)(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def mean(self, theta: Arrays) -> Array:
        loc, scale = theta
        return loc + self.side * np.euler_gamma * scale

    def std(self, theta: Arrays) -> Array:
        return _STANDARD_DEVIATION * theta[1]

    def known_entropy(self, theta: Arrays) -> Array:
        return 1.0 + np.euler_gamma + np.log(theta[1])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (loc_p, scale_p), (loc_q, scale_q) = p, q
        moved = self.side * (loc_q - loc_p) / scale_q
        return divergence_of_minima(moved, scale_p / scale_q)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return loc + self.side * scale * rng.gumbel(size=size)


class GumbelMin(OfMinima, _GumbelLaw):
    """Gumbel law of minima with `loc` (the mode) and `scale`.

    P(Y > y) = exp(-exp((y - loc)/scale)), and q(y) = exp(z - exp(z))/scale with
    z = (y - loc)/scale. It is the law of the logarithm of a Weibull variable, and that to which a
    Weibull law tends whose origin lies far below its values. scipy: ``gumbel_l(loc, scale)``; R:
    ``evd::dgumbel(-y, -loc, scale)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 22.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("gumbel_min").fit([[1.0], [2.0], [3.0], [3.5]])
    >>> round(float(model.params_["loc"]), 3), round(float(model.params_["scale"]), 3)
    (2.838, 0.783)
    """

    scipy_name = "gumbel_l"
    side = -1.0


class Gumbel(OfMaxima, _GumbelLaw):
    """Gumbel law of maxima with `loc` (the mode) and `scale`.

    P(Y <= y) = exp(-exp(-z)), and q(y) = exp(-z - exp(-z))/scale with z = (y - loc)/scale: the law
    of the largest of many values whose tail falls like an exponential one. It is the law of -X
    where X is a `GumbelMin` variable, and the generalised extreme-value law of shape 0. scipy:
    ``gumbel_r(loc, scale)``; R: ``evd::dgumbel(y, loc, scale)``.

    References
    ----------
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, ch. 3.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("gumbel").fit([[1.0], [1.5], [2.0], [4.0]])
    >>> round(float(model.params_["loc"]), 3), round(float(model.params_["scale"]), 3)
    (1.615, 0.79)
    """

    scipy_name = "gumbel_r"
    side = 1.0


def divergence_of_minima(moved: Array, ratio: Array) -> Array:
    """Return D(p || q) of two laws of minima.

    `moved` is how far the location of p lies above that of q, in scales of q, and `ratio` the scale
    of p over that of q.
    """
    # The first is the logarithm of q's cumulative hazard expected under p.
    return rise(moved + gammaln(ratio + 1.0)) + log_gamma_gap(ratio)
