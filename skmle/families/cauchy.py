"""Cauchy's law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.quantiles import centre_and_spread, weighted_quantile

# Size from which 1 + z^2 is z^2 to the last digit; the square of 1e154 overflows.
_FAR = 1e150
# Share of the weight that counts as a half in spite of rounding.
_HALF = 0.5 - 1e-9


class Cauchy(LocationScale):
    """Cauchy law with median `loc` and half interquartile range `scale`.

    q(y) = 1 / (pi scale (1 + z^2)), z = (y - loc)/scale. It has no mean and no variance. scipy:
    ``cauchy(loc, scale)``. R: ``stats::dcauchy(location, scale)``.

    The likelihood of a location and a scale has one maximum, unless half of the observations or
    more are equal: the scale then runs to zero around them. That of a regression may have several
    maxima, so a fit starts from several places and returns the best one that it finds.

    References
    ----------
    Copas (1975), On the unimodality of the likelihood for the Cauchy distribution, Biometrika 62.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("cauchy").fit([[-1.0], [0.0], [1.0], [1000.0]])
    >>> round(float(model.params_["loc"]), 3), round(float(model.params_["scale"]), 3)
    (0.001, 1.0)
    """

    scipy_name = "cauchy"
    several_modes = True
    may_be_unbounded = True

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        with np.errstate(over="ignore"):
            square = z * z
        rho, share = np.log1p(square), 1.0 / (1.0 + square)
        slope = 2.0 * z * share
        if np.size(z) and np.max(square) > _FAR:
            size = np.abs(z)
            far = size > _FAR
            away = np.where(far, z, 1.0)
            rho = np.where(far, 2.0 * np.log(np.abs(away)), rho)
            slope = np.where(far, 2.0 / away, slope)
        return rho, slope, 2.0 * share * (2.0 * share - 1.0)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        rate = np.exp(-np.asarray(eta[1]))
        return 0.5 * rate * rate, None, np.asarray(0.5)

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(np.log(np.pi))

    def log_sf(self, z: Array) -> Array:
        # The smaller tail is arctan(1/|z|)/pi.
        smaller = np.arctan2(1.0, np.abs(z)) / np.pi
        return np.where(z > 0.0, np.log(smaller), np.log1p(-smaller))

    def log_cdf(self, z: Array) -> Array:
        return self.log_sf(-z)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        centre, spread = centre_and_spread(statistics[0], weight)
        return [(centre, float(np.log(spread)))]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (y,) = statistics
        if (infinite := super().unbounded(statistics, weight)) is not None:
            return infinite
        # A value that has half of the weight is a median, or next to one.
        mass = float(len(y)) if weight is None else float(weight.sum())
        for q in (0.5 - 1e-6, 0.5 + 1e-6):
            value = weighted_quantile(y, weight, q)
            there = y == value
            if (there.sum() if weight is None else weight[there].sum()) >= _HALF * mass:
                limit = self.saturated(statistics)
                assert limit is not None
                return (value, *limit.others), (
                    "half of the observations or more are equal, and the scale shrinks around them"
                )
        return None

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self.sf(-np.asarray(y), (-theta[0], theta[1]))

    def sf(self, y: Array, theta: Arrays) -> Array:
        loc, scale = theta
        return np.arctan2(scale, y - loc) / np.pi

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return -self.upper_quantile(q, (-theta[0], theta[1]))

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        loc, scale = theta
        q = np.asarray(q, float)
        with np.errstate(all="ignore"):
            # Next to 0 and to 1, and next to 1/2.
            z = np.where(np.abs(q - 0.5) < 0.25, np.tan(np.pi * (0.5 - q)), _cotangent(q))
            return np.where((q >= 0.0) & (q <= 1.0), loc + scale * z, np.nan)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import cauchy

        return cauchy(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def known_entropy(self, theta: Arrays) -> Array:
        return np.log(4.0 * np.pi) + np.log(theta[1])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # Chyzak & Nielsen (2019), A closed-form formula for the Kullback-Leibler divergence between
        # Cauchy distributions, arXiv 1905.10965.
        (loc_p, scale_p), (loc_q, scale_q) = p, q
        apart, ratio = (loc_p - loc_q) / scale_q, scale_p / scale_q
        return np.log1p(0.25 * (apart * (apart / ratio) + (1.0 - ratio) * (1.0 / ratio - 1.0)))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return loc + scale * rng.standard_cauchy(size=size)


def _cotangent(q: Array) -> Array:
    """Return cot(pi q) for q from 0 to 1, where it may be infinite at the ends."""
    upper = q > 0.5
    size = 1.0 / np.tan(np.pi * np.where(upper, 1.0 - q, q))
    return np.where(upper, -size, size)
