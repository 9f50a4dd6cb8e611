"""The gamma law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Stretch,
    Support,
    average,
)
from skmle.families.exponential import Exponential
from skmle.families.law import ByStd
from skmle.families.normal import Normal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import binet_gap, gap, gap_beside, rise
from skmle.families.tools.special import LOG_2PI, bend, beyond_first, binet
from skmle.families.tools.stretched import InGeometricMean
from skmle.families.tools.tails import log_gamma_tail

# Shape from which nothing may cancel: in y/mean - 1 - log(y/mean) rounding leaves 1e-15, of which
# this shape makes 1e-11.
PRECISE = 1e4
# Shape from which a distance of logarithms that rounding may leave counts: 1e-5 at this shape.
_ENDLESS, _ROUNDING = 1e24, 4e-15
# Mean excess below which it is averaged row by row: as a difference of logarithms it keeps eleven
# digits here.
_NARROW = 1e-3
# Gap of logarithms that stands for none: equal observations have no shape. Doubles that differ in
# the last place have 1e-32.
_LEAST_GAP = 1e-40


class Gamma(InGeometricMean, ByStd, ByTails):
    """Gamma law of y > 0 with `mean` and `shape`; the variance is mean^2/shape.

    q(y) = (shape/mean)^shape y^(shape - 1) exp(-shape y/mean) / Gamma(shape). scipy:
    ``gamma(shape, scale=mean/shape)``; R: ``dgamma(y, shape, shape/mean)``.

    References
    ----------
    Minka (2002), Estimating a gamma distribution (the Newton step on 1/shape of `starts`).

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("gamma").fit([[1.0], [2.0], [6.0]])
    >>> round(float(model.params_["mean"]), 6), round(float(model.params_["shape"]), 3)
    (3.0, 2.0)
    """

    scipy_name = "gamma"
    gradient_tells_mean = True
    parameters = (Param("mean", LOG), Param("shape", LOG))
    support = Support(0.0)
    stretch = Stretch((1.0, 0.0), Normal)
    unit_moves = stretch.moves
    shortcuts = Shortcuts(starts="maximum", sums="base")

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("shape", 1.0, Exponential(links=self.links_of(("mean",)))),)

    def statistics(self, y: Array) -> Arrays:
        return y, np.log(y)

    def base(self, statistics: Arrays) -> Array:
        _, log_y, *more = statistics
        return log_y - more[0] + more[1] if more else log_y

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # The mean and its logarithm; the mean of u - log(1 + u), u = y/mean - 1, which says how far
        # the mean logarithm lies below that of the mean; and the mean of u, by which rounding has
        # missed the mean, for whoever joins such rows. Both are tiny for precise measurements, of
        # which they keep the digits.
        y, log_y, *more = statistics
        if more and len(y) == 1:
            return statistics
        within, missed = more or (np.zeros(()), np.zeros(()))
        mean = average(y, weight)
        log_mean, rest = np.log(mean), 0.0
        spread = log_mean - average(log_y - within + missed if more else log_y, weight)
        if spread < _NARROW:
            mean += average(y - mean + y * missed, weight)
            away, log_mean = (y - mean) / mean, np.log(mean)
            rest = average(away + missed * (1.0 + away), weight)
            spread = average(gap_beside(away, y / mean) + away * missed + within, weight)
        return tuple(np.array([value]) for value in (mean, log_mean, spread, rest))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        y, log_y, *more = statistics
        log_mean, log_shape = eta
        away, shape = log_y - log_mean, np.exp(log_shape)
        if more or np.max(shape) > PRECISE:
            return rows_beside_mean(away, log_shape, more[0] if more else 0.0, order)
        ratio = y * np.exp(-log_mean)
        return _rows(ratio, ratio - 1.0, ratio - 1.0 - away, shape, log_shape, order)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        shape = np.exp(np.asarray(eta[1]))
        return shape, None, beyond_first(shape)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        mean, shape = theta
        if not np.max(shape, initial=0.0) > PRECISE:
            return None
        rest = 0.5 * (np.log(shape) - LOG_2PI) - binet(shape, 0)[0] - np.log(y)
        return rest - shape * gap_beside((y - mean) / mean, y / mean)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The gap is log shape - digamma(shape) at the maximum.
        _, (log_mean,), (gap,), _ = self.collapse(statistics, weight)
        gap = max(gap, _LEAST_GAP)
        shape = (3.0 - gap + np.sqrt((gap - 3.0) ** 2 + 24.0 * gap)) / (12.0 * gap)
        for _ in range(3):  # cubic convergence from 1.5 % off: the third changes nothing
            _, mu1, mu2 = binet(shape)
            assert mu1 is not None and mu2 is not None
            shape = 1.0 / (1.0 / shape - (0.5 / shape - mu1 - gap) / (0.5 + shape * shape * mu2))
        return [(log_mean, np.log(shape))]

    def saturated(self, statistics: Arrays) -> Saturated:
        return Saturated(statistics[1], (float(np.log(1e16)),), "shape")

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gamma

        mean, shape = theta
        return gamma(shape, scale=mean / shape)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        mean, shape = theta
        with np.errstate(divide="ignore"):  # of y = 0
            log_x = np.log(shape) + np.log(y) - np.log(mean)  # x itself may underflow
        return log_gamma_tail(shape, shape * (y / mean), upper, log_x)

    @classmethod
    def from_scipy(cls, a: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (a * scale, a))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        mean, shape = theta
        return mean / np.sqrt(shape)

    def known_entropy(self, theta: Arrays) -> Array:
        # Of scale one it is shape + lgamma(shape) - (shape - 1) digamma(shape).
        mean, shape = theta
        value = 0.5 * (LOG_2PI + 1.0 - np.log(shape)) - 0.5 / shape + bend(shape, 1.0)
        return np.where(np.isinf(shape), -np.inf, value + np.log(mean))

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # A term for the means, two for the shapes, as
        # lgamma(k) = (k - 1/2) log k - k + log(2 pi)/2 + mu(k) with Binet's mu.
        (mean_p, shape_p), (mean_q, shape_q) = p, q
        means = shape_q * gap(mean_p / mean_q)
        return means + 0.5 * gap(shape_q / shape_p) + binet_gap(shape_q, shape_p)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, shape = theta
        return rng.gamma(shape, mean / shape, size=size)


def rows_beside_mean(away: Array, log_shape: Array, within: Array | float, order: int) -> Rows:
    """Return -log q at away = log(y/mean), without log y, in which nothing cancels.

    `within` is the mean of u of the rows that one row stands for: see `Gamma.collapse`.
    """
    shape = np.exp(log_shape)
    if np.max(shape) > _ENDLESS:
        # Here what rounding leaves of a logarithm would count, and a mean that reproduces y would
        # do so or not by the last digit of an offset.
        away = np.where(np.abs(away) < _ROUNDING, 0.0, away)
    beyond = np.expm1(away)
    return _rows(1.0 + beyond, beyond, rise(away) + within, shape, log_shape, order)


def _rows(
    ratio: Array, beyond: Array, gap: Array, shape: Array, log_shape: Array, order: int
) -> Rows:
    # With the ratio y/mean, beyond = y/mean - 1, the gap u = y/mean - 1 - log(y/mean) >= 0 and
    # Binet's mu, -log q = shape u - log(shape/2pi)/2 + mu(shape) + log y.
    excess = shape * gap
    mu, mu1, mu2 = binet(shape, order)
    value = excess - 0.5 * (log_shape - LOG_2PI) + mu
    if order < 1:
        return Rows(value)
    assert mu1 is not None
    pull = -shape * beyond
    gradient = (pull, excess - 0.5 + shape * mu1)
    if order < 2:
        return Rows(value, gradient)
    assert mu2 is not None
    return Rows(
        value, gradient, (shape * ratio, pull, excess + shape * mu1 + shape * (shape * mu2))
    )
