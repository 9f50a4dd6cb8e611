"""Gompertz's law of lives whose hazard grows exponentially."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import exp1, exprel

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Saturated,
    Stretch,
    Support,
    average,
)
from skmle.families.exponential import Exponential, ExponentialOfScale
from skmle.families.gumbel import GumbelMin
from skmle.families.law import ByExponent, ByLogTail, ByStd
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.numerical import variance
from skmle.families.tools.quantiles import weighted_quantile

# u from which exp(u) - 1 is exp(u) to the last digit.
_LARGE = 40.0
# Cumulative hazard at the lower quartile, and the logarithms of shapes between which a start lies.
_AT_QUARTER = float(-np.log(0.75))
_LOG_SHAPES = np.linspace(-3.0, 6.0, 73)
# Logarithm of the cumulative hazard of the largest observation at a start, at most: of a million
# draws it is about 2.6. Chosen, not measured.
_LARGEST_RISE = 5.0
# Logarithm of a scale that is zero to the last digit.
_LEAST = -700.0
# Argument from which exp(x) E1(x) is an asymptotic series with all digits, and its terms.
_FAR, _TERMS = 50.0, 30


class Gompertz(ByStd, ByLogTail, ByExponent, Family):
    """Gompertz's law of y >= 0 with `scale` (the 63.2 % quantile) and `shape`.

    P(Y > y) = exp(-(exp(shape y/scale) - 1)/(exp(shape) - 1)): a hazard that grows by the factor
    exp(shape) up to the scale, as that of people's deaths does. As the shape vanishes it is the
    exponential law with the mean `scale`, where the maximum is if the hazard does not grow. scipy:
    ``gompertz(c=1/expm1(shape), scale=scale/shape)``; R:
    ``flexsurv::dgompertz(shape=shape/scale, rate=shape/scale/expm1(shape))``.

    References
    ----------
    Garg, Rao & Redmond (1970), Maximum-likelihood estimation of the parameters of the Gompertz
    survival function, Applied Statistics 19.
    Lenart (2014), The moments of the Gompertz distribution and maximum likelihood estimation of its
    parameters, Scandinavian Actuarial Journal 2014.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("gompertz").fit([[1.0], [2.0], [3.0], [3.5]])
    >>> bool(2.5 < model.params_["scale"] < 3.0)
    True
    """

    scipy_name = "gompertz"
    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0, closed=(True, False))
    stretch = Stretch((1.0, 0.0), GumbelMin)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("shape", 0.0, ExponentialOfScale(links=self.links_of(("scale",)))),)

    # With u = shape y/scale and g(u) = log((exp(u) - 1)/u), which vanishes with u, the cumulative
    # hazard is H = (y/scale) exp(g(u) - g(shape)).

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = H - u + log scale + g(shape)
        log_scale, log_shape = eta
        with np.errstate(all="ignore"):  # a density of zero
            u, level, (by_scale, by_shape), bends = _log_hazard(statistics[0], *eta)
            mid, mid1, mid2 = _log_growth(np.exp(log_shape), order)
            hazard = np.exp(level)
            value = hazard - u + log_scale + mid
            if order < 1:
                return Rows(value)
            gradient = (hazard * by_scale + u + 1.0, hazard * by_shape - u + mid1)
            if order < 2:
                return Rows(value, gradient)
            own, cross, other = bends
            curvature = (
                hazard * (by_scale * by_scale + own) - u,
                hazard * (by_scale * by_shape + cross) + u,
                hazard * (by_shape * by_shape + other) - u + mid2,
            )
            return Rows(value, gradient, curvature)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            _, value, slopes, bends = _log_hazard(statistics[0], *eta)
            return tail_of_log_hazard(Rows(value, slopes, bends).upto(order), upper)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The scale is a quantile, whose ratio to the lower quartile tells the shape.
        y = statistics[0]
        quarter, scale = (weighted_quantile(y, weight, q) for q in (0.25, -np.expm1(-1.0)))
        if scale == 0.0:  # so many of the observations are zero
            with np.errstate(divide="ignore"):
                return [(float(np.log(average(y, weight))), float(_LOG_SHAPES[0]))]
        if np.all(y == y[0]):
            return [(float(np.log(scale)), np.inf)]
        shape = np.exp(_LOG_SHAPES)
        ratios = _at_level(np.asarray(_AT_QUARTER), shape) / shape
        log_shape = np.interp(quarter / scale, ratios, _LOG_SHAPES)
        # So many equal observations do not make the largest one impossible.
        room = max(float(np.max(y)) / scale - 1.0, np.finfo(float).tiny)
        return [(float(np.log(scale)), float(min(log_shape, np.log(_LARGEST_RISE / room))))]

    def saturated(self, statistics: Arrays) -> Saturated:
        # The scale of an observation of zero is zero to the last digit.
        log_y = np.log(np.maximum(statistics[0], np.exp(_LEAST)))
        return Saturated(log_y, (float(np.log(1e8)),), "shape", power=-1.0)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        found = super().unbounded(statistics, weight)
        if found is None or statistics[0][0] > 0.0:
            return found
        # At zero the density is highest where the hazard does not grow.
        return (_LEAST, float(_LOG_SHAPES[0])), found[1]

    # ---------------------------------------------------------------- the law

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):
            eta = self.chart(self.eta(theta))
            return -self.tail((np.maximum(y, 0.0),), eta, upper, 0).value

    def at_exponent(self, exponent: Array, theta: Arrays) -> Array:
        scale, shape = (np.asarray(value, float) for value in theta)
        with np.errstate(all="ignore"):
            ratio = np.where(shape > 0.0, _at_level(exponent, shape) / shape, exponent)
            return scale * ratio

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gompertz

        scale, shape = (np.asarray(value, float) for value in theta)
        if np.all(shape == 0.0):
            return Exponential().to_scipy((scale,))
        with np.errstate(all="ignore"):
            return gompertz(c=1.0 / np.expm1(shape), scale=scale / shape)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        shape = np.log1p(1.0 / c)
        return None if np.any(loc) else (cls(), (scale * shape, shape))

    def mean(self, theta: Arrays) -> Array:
        scale, shape = (np.asarray(value, float) for value in theta)
        with np.errstate(all="ignore"):
            return scale * np.where(shape > 0.0, _mean_of_u(shape) / shape, 1.0)

    def std(self, theta: Arrays) -> Array:
        scale, shape = theta  # the square of a scale may be no number
        return scale * np.sqrt(variance(self, (np.ones_like(scale), shape)))

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = (np.asarray(value, float) for value in theta)
        return 1.0 - _mean_of_u(shape) + np.log(scale) + _log_growth(shape, 0)[0]


def _log_hazard(
    y: Array, log_scale: Array, log_shape: Array
) -> tuple[Array, Array, tuple[Array, Array], tuple[Array, Array, Array]]:
    """Return u, and the logarithm of the cumulative hazard with its derivatives in eta."""
    shape = np.exp(log_shape)
    log_ratio = np.log(y) - log_scale
    u = shape * np.exp(log_ratio)
    (own, own1, own2), (mid, mid1, mid2) = _log_growth(u, 2), _log_growth(shape, 2)
    slopes = (-1.0 - own1, own1 - mid1)
    return u, log_ratio + (own - mid), slopes, (own2, -own2, own2 - mid2)


def _log_growth(u: Array, order: int) -> tuple[Array, Array, Array]:
    """Return g(u) = log((exp(u) - 1)/u) and two derivatives in log u."""
    far = u > _LARGE
    near = np.where(far, 1.0, u)
    value = np.where(far, u - np.log(np.where(far, u, 1.0)), np.log(exprel(near)))
    if order < 1:
        return value, value, value
    # u/(1 - exp(-u)) is one at zero.
    whole = 1.0 / exprel(-near)
    first = np.where(far, u - 1.0, whole - 1.0)
    second = np.where(far, u, whole * (1.0 + near - whole))
    return value, first, second


def _at_level(hazard: Array, shape: Array) -> Array:
    """Return u at which the cumulative hazard has a value."""
    far = shape > 1.0
    low = np.log1p(hazard * np.expm1(np.where(far, 1.0, shape)))
    log_growth = shape + np.log(-np.expm1(-shape))
    return np.where(far, np.logaddexp(0.0, np.log(hazard) + log_growth), low)


def _mean_of_u(shape: Array) -> Array:
    """Return E[u] = exp(c) E1(c) with c = 1/(exp(shape) - 1)."""
    c = 1.0 / np.expm1(shape)
    far = c > _FAR
    near = np.where(far, 1.0, c)
    series, term = np.ones_like(c), np.ones_like(c)
    for k in range(1, _TERMS):
        term = -term * k / np.where(far, c, np.inf)
        series = series + term
    # Of c below the least number, E1 is -log c - gamma.
    tiny = np.where(c > 0.0, np.exp(near) * exp1(near), shape - np.euler_gamma)
    return np.where(far, series / c, tiny)
