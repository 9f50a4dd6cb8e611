"""The inverse Gaussian (Wald) law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, erfcx

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Stretch,
    Support,
    average,
)
from skmle.families.law import ByStd
from skmle.families.normal import Normal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import gap
from skmle.families.tools.special import LOG_2PI, log_complement
from skmle.families.tools.stretched import InGeometricMean

# Ratio of shape and mean from which y/mean - 1 is taken of the two themselves, or of the difference
# of their logarithms: a rounded quotient leaves 1e-15 in it, of which this ratio makes 1e-11.
_PRECISE = 1e4
# Mean of (y - mean)^2/(mean y) below which it is averaged row by row: as a difference of inverses
# it keeps twelve digits here.
_NARROW = 1e-3
# Ratio of y and mean from which the two terms of the upper tail nearly cancel: their difference has
# lost 1e-11 there, and its first order in 1/ratio is 1e-10 off.
_FAR = 1e5
# Argument of the error function up to which the tails are differences from 1/2: their terms keep
# more than half of their size there.
_NEAR_HALF = 0.5
# Argument from which the derivative of erfcx, itself a difference, is that of its series in 1/x^2:
# what these terms leave out is 2e-12 of it there, and the difference has lost 1e-12.
_LARGE, _TERMS = 50.0, (1.0, -3.0 / 2.0, 15.0 / 4.0, -105.0 / 8.0)


class InverseGaussian(InGeometricMean, ByStd, ByTails):
    """Inverse Gaussian law of y > 0 with `mean` and `shape`; the variance is mean^3/shape.

    q(y) = sqrt(shape/(2 pi y^3)) exp(-shape (y - mean)^2/(2 mean^2 y)). scipy:
    ``invgauss(mean/shape, scale=shape)``; R: ``statmod::dinvgauss(y, mean, shape)``.

    A regression of the mean is a least-squares fit of 1/y by 1/mean, with weights y, that has
    several minima for some data: rows whose mean is far above y hardly count. So a fit starts from
    several linear predictors, and returns the best maximum that it finds, and that one alone.

    References
    ----------
    Tweedie (1957), Statistical properties of inverse Gaussian distributions, Annals of Mathematical
    Statistics 28.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("inverse_gaussian").fit([[1.0], [2.0], [6.0]])
    >>> round(float(model.params_["mean"]), 6), round(float(model.params_["shape"]), 3)
    (3.0, 4.5)
    """

    scipy_name = "invgauss"
    gradient_tells_mean = True
    parameters = (Param("mean", LOG), Param("shape", LOG))
    support = Support(0.0)
    stretch = Stretch((1.0, 1.0), Normal)
    unit_moves = stretch.moves
    shortcuts = Shortcuts(starts="maximum", sums="statistics")
    several_modes = True

    @property
    def title(self) -> str:
        return "Inverse Gaussian"  # a name keeps its capital

    def statistics(self, y: Array) -> Arrays:
        return y, 1.0 / y

    def base(self, statistics: Arrays) -> Array:
        return 1.5 * np.log(statistics[0]) + 0.5 * LOG_2PI

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        y, inverse, *more = super().standardise(statistics, origin, unit)
        return (y, inverse, more[0] * unit, more[1]) if more else (y, inverse)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # The mean and its inverse; the mean of u^2/y, u = y/mean - 1, by which the mean inverse
        # exceeds that of the mean; and the mean of u, by which rounding has missed the mean, for
        # whoever joins such rows. As a difference of inverses the third would have no digits for
        # precise measurements.
        y, inverse, *more = statistics
        if more and len(y) == 1:
            return statistics
        within, missed = more or (np.zeros(()), np.zeros(()))
        mean, rest = average(y, weight), 0.0
        spread = average(inverse + within if more else inverse, weight) - 1.0 / mean
        if spread * mean < _NARROW:
            mean += average(y - mean + y * missed, weight)
            away = (y - mean) / mean
            rest = average(away + missed * (1.0 + away), weight)
            spread = average(away * (away + 2.0 * missed) * inverse + within, weight)
        return tuple(np.array([value]) for value in (mean, 1.0 / mean, spread, rest))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        log_mean, log_shape = map(np.asarray, eta)
        return np.exp(log_shape - log_mean), None, np.asarray(0.5)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # The distance is shape (y/mean - 1)^2/(2 y).
        y, inverse, *more = statistics
        log_mean, log_shape = eta
        shape, rate = np.exp(log_shape), np.exp(-log_mean)
        if more or np.max(shape * rate) > _PRECISE:
            beyond = np.expm1(np.log(y) - log_mean)
            ratio = 1.0 + beyond
        else:
            ratio = y * rate
            beyond = ratio - 1.0
        distance = 0.5 * shape * (beyond * beyond * inverse + (more[0] if more else 0.0))
        value = distance - 0.5 * log_shape
        if order < 1:
            return Rows(value)
        pull = -shape * rate * beyond
        gradient = (pull, distance - 0.5)
        if order < 2:
            return Rows(value, gradient)
        return Rows(value, gradient, (shape * rate * (2.0 * ratio - 1.0), pull, distance))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (mean,), _, (spread,), _ = self.collapse(statistics, weight)
        with np.errstate(divide="ignore"):  # log(0) if all observations are equal
            return [(np.log(mean), -np.log(spread))]

    def beside(self, statistics: Arrays, first: Array, weight: Array | None) -> Arrays | None:
        # With m = 1/mean up to a factor c, the distance of a row is y (c m - 1/y)^2: c is that of
        # least squares, and 1/shape is the mean distance.
        y, inverse, *more = statistics
        low = first.min(axis=0)
        m = np.exp(low - first)
        share = np.full(len(y), 1.0 / len(y)) if weight is None else weight / weight.sum()
        size, square = share @ m, (share * y) @ (m * m)
        inverse = inverse + more[0] if more else inverse
        with np.errstate(divide="ignore", invalid="ignore"):  # no distance is left of exact fits
            return np.log(square / size) - low, -np.log(share @ inverse - size * size / square)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        mean, shape = theta
        if not np.max(shape / mean) > _PRECISE:
            return None
        away = (y - mean) / mean
        return 0.5 * (np.log(shape / y) - LOG_2PI) - np.log(y) - 0.5 * shape * (away * away / y)

    def saturated(self, statistics: Arrays) -> Saturated:
        y = statistics[0]
        return Saturated(np.log(y), (float(np.log(1e16 * y.mean())),), "shape")

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import invgauss

        mean, shape = theta
        return invgauss(mean / shape, scale=shape)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        # P(Y > y) = Phi(-a) - exp(2 shape/mean) Phi(-c). Both terms have the factor exp(-a^2/2),
        # without which neither underflows. The smaller tail is computed, the other is its rest.
        mean, shape = theta
        with np.errstate(all="ignore"):  # of the formulas that do not hold for a row
            root, ratio = np.sqrt(0.5 * shape / y), y / mean
            a, c = root * (ratio - 1.0), root * (ratio + 1.0)
            above = a > 0.0
            both = erfcx(np.abs(a)) + np.where(above, -1.0, 1.0) * erfcx(c)
            log_both = np.where(ratio > _FAR, _log_difference(root, root * ratio), np.log(both))
            smaller = log_both - np.log(2.0) - a * a
            rest = log_complement(np.minimum(smaller, 0.0))
            # Far below the mean of a law that is nearly Levy's both terms are next to 1/2.
            growth = 4.0 * root * (root * ratio)  # 2 shape/mean
            beyond = np.log(0.5 * (np.exp(growth) * erf(c) - erf(a) - np.expm1(growth)))
            wide = (c < _NEAR_HALF) & (ratio <= _FAR)
            beyond = beyond if upper else log_complement(np.minimum(beyond, 0.0))
        return np.where(wide, beyond, np.where(above == upper, smaller, rest))

    @classmethod
    def from_scipy(cls, mu: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (mu * scale, scale))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        mean, shape = theta
        return mean * np.sqrt(mean / shape)

    def runs_off(self, theta: Arrays) -> NDArray[np.bool_]:
        return np.zeros(np.broadcast_shapes(*map(np.shape, theta)), bool)  # it tends to Levy's law

    def known_entropy(self, theta: Arrays) -> Array:
        # By scipy's, of the law with mean one.
        mean, shape = theta
        known = np.isfinite(shape) & (shape > 0.0) & (mean > 0.0) & np.isfinite(mean)
        size = np.where(known, shape / mean, 1.0)
        standard = np.asarray(self.to_scipy((np.ones(()), size)).entropy(), float)
        return np.where(known, standard + np.log(mean), np.where(shape == 0.0, np.nan, -np.inf))

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (mean_p, shape_p), (mean_q, shape_q) = p, q
        means = shape_q * ((mean_p - mean_q) / mean_q) ** 2 / mean_p
        return 0.5 * (means + gap(shape_q / shape_p))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, shape = theta
        return rng.wald(mean, shape, size=size)


def _log_difference(half: Array, x: Array) -> Array:
    """Return log(erfcx(x - half) - erfcx(x + half)) for half much smaller than x."""
    inverse = 1.0 / (x * x)
    series = sum(term * inverse**j for j, term in enumerate(_TERMS))
    far = np.log(series / np.sqrt(np.pi)) - 2.0 * np.log(x)
    near = np.log(2.0 / np.sqrt(np.pi) - 2.0 * x * erfcx(x))
    return np.log(2.0 * half) + np.where(x > _LARGE, far, near)
