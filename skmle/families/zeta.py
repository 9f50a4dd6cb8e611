"""The zeta law, of Zipf, which has no last rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import zetac

from skmle.families.base import LOG, Array, Arrays, Family, Param, Rows, Shortcuts, Support, average
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.power_sums import STEEP, TERMS, corrections
from skmle.families.tools.special import log_complement

_LARGEST = 1e300  # shape at which all counts are 1


class Zeta(ByTails):
    """Zeta law of counts y = 1, 2, ... with `shape`, the exponent of its tail.

    q(y) = y^-(1 + shape)/zeta(1 + shape), Zipf's law of ranks and of frequencies, and the discrete
    Pareto law: P(Y >= y) falls like y^-shape. There is a mean if the shape is above one, and a
    variance if it is above two. As shape -> inf all counts are 1. With a last rank it is `zipfian`.

    scipy: ``zipf(1 + shape)``; R: VGAM ``dzeta(y, shape=shape)``.

    References
    ----------
    Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 11.
    Clauset, Shalizi & Newman (2009), Power-law distributions in empirical data, SIAM Review 51.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("zeta").fit([[1], [1], [1], [2], [5]])
    >>> round(float(model.params_["shape"]), 4)
    1.2
    """

    scipy_name = "zipf"
    parameters = (Param("shape", LOG),)
    shortcuts = Shortcuts(sums="base")
    support = Support(1.0, closed=(True, False), discrete=True, whole=True)

    def statistics(self, y: Array) -> Arrays:
        return y, np.log(y)

    def base(self, statistics: Arrays) -> Array:
        return statistics[1]

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        mean = np.atleast_1d(average(statistics[1], weight))
        return np.exp(mean), mean

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = log zeta(1 + shape) + shape log y, without log y.
        (log_shape,) = eta
        shape = np.exp(np.minimum(log_shape, np.log(_LARGEST)))
        value, slope, bend = _log_sum(np.ones(()), shape, order)
        steep = shape >= 1.0
        value = value - np.where(steep, 0.0, log_shape) + shape * statistics[1]
        if order < 1:
            return Rows(value)
        turn = shape * (slope + statistics[1])
        curve = turn + shape * (shape * bend)
        return Rows(value, (turn - np.where(steep, 0.0, 1.0),), (curve,)).upto(order)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # The mean of log y is minus the slope of log zeta.
        shape = np.exp(np.asarray(eta[0]))
        bend = _log_sum(np.ones(()), shape, 2)[2]
        return (shape * (shape * bend) + np.where(shape >= 1.0, 0.0, 1.0),)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        y, shape = statistics[0], np.exp(eta[0])
        if not upper:
            return super().tail(statistics, eta, upper, order)
        value, slope, bend = _log_tail(np.floor(y) + 1.0, shape, order)
        turn = shape * slope
        return Rows(value, (turn,), (turn + shape * (shape * bend),)).upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # That of a Pareto law of counts that were rounded, or of counts that are 1 or 2.
        mean = average(statistics[1], weight)
        if mean == 0.0:
            return [(np.inf,)]
        rounded, pairs = 1.0 / (mean + np.log(2.0)), np.log2(np.log(2.0) / mean) - 1.0
        return [(float(np.log(max(rounded, pairs))),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        (d,) = delta
        return np.where(d > 0.0, np.where(statistics[1] > 0.0, np.inf, 0.0), -d)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        (shape,) = theta
        between = (shape > 0.0) & (shape < np.inf)
        inside = self.log_prob(y, self.eta((np.where(between, shape, 1.0),)))
        at_end = np.where((shape == np.inf) & (np.asarray(y) == 1.0), 0.0, -np.inf)
        return np.where(between, inside, at_end)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import zipf

        return zipf(1.0 + theta[0])

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import geom

        return geom(np.where(theta[0] == np.inf, 1.0, 0.5))

    @classmethod
    def from_scipy(cls, a: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (a - 1.0,))

    def mean(self, theta: Arrays) -> Array:
        return 1.0 + self._beyond_one(theta)[0]

    def variance(self, theta: Arrays) -> Array:
        first, second = self._beyond_one(theta)
        with np.errstate(invalid="ignore"):
            return np.where(theta[0] > 2.0, second - first * first, np.inf)

    def _beyond_one(self, theta: Arrays) -> tuple[Array, Array]:
        """Return E[Y - 1] and E[(Y - 1)^2], which have digits also where nearly all is at 1."""
        shape = np.minimum(theta[0], _LARGEST)
        with np.errstate(all="ignore"):
            zero, one, two = zetac(1.0 + shape), zetac(shape), zetac(shape - 1.0)
            first, second = (one - zero) / (1.0 + zero), (two - 2.0 * one + zero) / (1.0 + zero)
        return np.where(shape > 1.0, first, np.inf), np.where(shape > 2.0, second, np.inf)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        log_sf = np.where(y < 1.0, 0.0, -_log_tail(np.maximum(np.floor(y), 0.0) + 1.0, theta[0])[0])
        return log_sf if upper else log_complement(log_sf)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        # P(Y > y) is about y^-shape/(shape zeta(1 + shape)) where y is large.
        (shape,) = theta
        log_level = np.log(q) if upper else np.log1p(-q)
        constant = _log_sum(np.ones(()), shape, 0)[0] + np.log(np.maximum(shape, 1.0))
        return np.maximum(np.floor(np.exp(-(log_level + constant) / shape)), 1.0)

    def known_entropy(self, theta: Arrays) -> Array:
        # E[log Y] is minus the slope of log zeta(1 + shape).
        (shape,) = theta
        value, slope, _ = _log_sum(np.ones(()), np.minimum(shape, _LARGEST), 1)
        steep = shape >= 1.0
        log_mean = np.where(steep, 0.0, 1.0 / shape) - slope
        inside = value - np.where(steep, 0.0, np.log(shape)) + (1.0 + shape) * log_mean
        return np.where(shape == np.inf, 0.0, np.where(shape == 0.0, np.inf, inside))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # Devroye (1986), ch. 10: a Pareto variable rounded down, of which some are drawn again.
        shape = np.broadcast_to(theta[0], size).ravel()
        draws, left = np.ones(shape.shape), np.flatnonzero(shape < np.inf)
        while len(left):
            some = shape[left]
            with np.errstate(all="ignore"):  # of a shape near 0 they are beyond the numbers
                y = np.floor((1.0 - rng.random(len(left))) ** (-1.0 / some))
                fall = np.where(y < np.inf, y * -np.expm1(-some * np.log1p(1.0 / y)), some)
                draws[left] = y
                left = left[rng.random(len(left)) * fall > -np.expm1(-some * np.log(2.0))]
        return draws.reshape(size)


def _log_tail(first: Array, shape: Array, order: int = 0) -> tuple[Array, Array, Array]:
    """Return -log P(Y >= first) with its derivatives in the shape, which are zero at a first of 1.

    The derivatives that are not asked for are zero.
    """
    with np.errstate(all="ignore"):  # far out in the tails
        whole = _log_sum(np.ones(()), shape, order)
        some = _log_sum(first, shape, order)
        log_first = np.log(first)
        value, slope, bend = (a - b for a, b in zip(whole, some, strict=True))
        value = np.where(first > 1.0, value + shape * log_first, 0.0)
        return value, np.where(first > 1.0, slope + log_first, 0.0), bend


def _log_sum(first: Array, shape: Array, order: int) -> tuple[Array, Array, Array]:
    """Return log sum first^s k^-(1 + s), over k from `first` on, with two derivatives in s = shape.

    Of a shape below one it is the sum times the shape, which has no pole at zero. The derivatives
    that are not asked for are zero.
    """
    first, s = np.broadcast_arrays(np.asarray(first, float), np.asarray(shape, float))
    zero = np.zeros(())
    with np.errstate(all="ignore"):
        k = np.arange(TERMS)
        start = first[..., None] + k
        away = np.log1p(k / first[..., None])
        term = np.exp(-s[..., None] * away) / start
        last = first + TERMS
        beyond = np.log1p(TERMS / first)
        fall = np.exp(-s * beyond)
        rest, rest1, rest2 = _remainder(np.minimum(s, STEEP * last), last, order)
        steep = s >= 1.0
        # With a sum of terms a, and E for the rest times s, of which `rest` is E - 1, the sum is
        # a + fall E/s, and s a + fall E for small s.
        after, a1, a2 = term[..., 1:].sum(axis=-1), zero, zero
        if order > 0:
            a1, a2 = -(term * away).sum(axis=-1), (term * away * away).sum(axis=-1)
        a = 1.0 / first + after
        quotient = (1.0 + rest) / s
        quotient1 = (rest1 - quotient) / s
        quotient2 = (rest2 - 2.0 * quotient1) / s
        value = np.where(
            steep,
            np.log1p(first * (after + fall * quotient)) - np.log(first),
            np.log1p(s * a + (np.expm1(-s * beyond) + fall * rest)),
        )
        if order < 1:
            return value, zero, zero

        def jet(e: Array, e1: Array, e2: Array) -> tuple[Array, Array]:
            return (
                fall * (e1 - beyond * e),
                fall * (e2 - 2.0 * beyond * e1 + beyond * beyond * e),
            )

        total = np.exp(value)
        b1, b2 = jet(quotient, quotient1, quotient2)
        c1, c2 = jet(1.0 + rest, rest1, rest2)
        slope = np.where(steep, a1 + b1, a + s * a1 + c1) / total
        bend = np.where(steep, a2 + b2, 2.0 * a1 + s * a2 + c2) / total - slope * slope
    return value, slope, bend


def _remainder(s: Array, last: Array, order: int) -> tuple[Array, Array, Array]:
    """Return s last^s times the sum of k^-(1 + s) from `last` on, less one, with two derivatives.

    It is s/last times half the first term and the formula's other end terms.
    """
    end, slope, bend = corrections(1.0 + s, last, order)
    half = 0.5 + end
    return s * half / last, (half + s * slope) / last, (2.0 * slope + s * bend) / last
