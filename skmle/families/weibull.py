"""The Weibull law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, zeta

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Stretch, average
from skmle.families.exponential import Exponential
from skmle.families.law import ByStd
from skmle.families.tools.divergences import log_gamma_gap, rise
from skmle.families.tools.location_scale import LocationScale, LogLocationScale
from skmle.families.tools.special import log_complement

# Inverse shape below which the variance is that of a power series, whose terms fall like (2 x)^j,
# and how many of them have all digits.
_SERIES, _TERMS = 0.05, 16
# Log hazard below which log(1 - exp(-hazard)) is the log hazard to the last digit: half of e^-40 is
# 2e-18. The hazard itself may be too small for a number there.
_LEAST_HAZARD = -40.0


class Weibull(ByStd, LogLocationScale):
    """Weibull law of y > 0 with `scale` (the 63.2 % quantile) and `shape`.

    P(Y > y) = exp(-(y/scale)^shape). log y is a Gumbel location-scale law with location log(scale)
    and scale 1/shape. scipy: ``weibull_min(c=shape, scale=scale)``.

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
    stretch = Stretch((1.0, 0.0), lambda: SmallestExtreme())

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        chosen = self.links_of(("scale",))
        links = None if chosen is None else {"mean": chosen["scale"]}
        return (Limit("shape", 1.0, Exponential(links=links), places=("scale",)),)

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

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # log y has mean log scale - euler_gamma/shape and standard deviation pi/(sqrt 6 shape).
        (log_y,) = statistics
        centre = average(log_y, weight)
        spread = np.sqrt(6.0 * average((log_y - centre) ** 2, weight)) / np.pi
        return [(centre + np.euler_gamma * spread, -np.log(spread))]

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
        # The variance is mean^2 (Gamma(1 + 2 x)/Gamma(1 + x)^2 - 1) with x = 1/shape. The logarithm
        # of the ratio is the sum over j >= 2 of zeta(j) (-x)^j (2^j - 2)/j, where nothing cancels.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            x = 1.0 / np.asarray(theta[1], float)
            near = np.minimum(x, _SERIES)
            series = np.zeros_like(near)
            for j in range(_TERMS, 1, -1):
                series = -near * (series + zeta(j) * (2.0**j - 2.0) / j)
            series = -near * series
            ratio = np.where(x < _SERIES, series, gammaln(1.0 + 2.0 * x) - 2.0 * gammaln(1.0 + x))
            return self.mean(theta) * np.sqrt(np.expm1(ratio))

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return np.euler_gamma * (1.0 - 1.0 / shape) + np.log(scale) - np.log(shape) + 1.0

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # A power of p's variable has q's law but for its scale: r is the ratio of the shapes, v
        # the logarithm of q's cumulative hazard expected under p.
        (scale_p, shape_p), (scale_q, shape_q) = p, q
        r = shape_q / shape_p
        v = shape_q * np.log(scale_p / scale_q) + gammaln(r + 1.0)
        return rise(v) + log_gamma_gap(r)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        return scale * rng.weibull(shape, size=size)


class SmallestExtreme(LocationScale):
    """Gumbel law of the logarithm of a Weibull variable, with `loc` and `scale`.

    P(Y > y) = exp(-exp((y - loc)/scale)). A Weibull law whose origin lies far below its values
    tends to it. scipy: ``gumbel_l(loc, scale)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 22.
    """

    scipy_name = "gumbel_l"
    standard = Weibull.standard
    log_sf = Weibull.log_sf
    log_cdf = Weibull.log_cdf

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        ((loc, minus_log_scale),) = Weibull().starts(statistics, weight)
        return [(loc, -minus_log_scale)]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gumbel_l

        return gumbel_l(*theta)

    def known_entropy(self, theta: Arrays) -> Array:
        return 1.0 + np.euler_gamma + np.log(theta[1])
