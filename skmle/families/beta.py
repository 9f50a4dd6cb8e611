"""The beta law."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit

from skmle.families.base import (
    LOG,
    LOGIT,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Support,
    average,
)
from skmle.families.law import ByStd
from skmle.families.tools.beta_tails import tail_rows_of_share
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import binet_gap, gap, gap_beside, of_trials
from skmle.families.tools.numerical import quantile, upper_quantile
from skmle.families.tools.special import LOG_2PI, bend, beyond_first, binet
from skmle.families.tools.tails import VERY_LARGE, log_beta_tail

# Precision from which nothing may cancel: where y is the mean, rounding leaves 1e-16 in log(y/mean)
# and its mirror, of which this precision makes 1e-11.
_PRECISE = 1e4
# Differences of mean logarithms below which they are averaged row by row: as differences they keep
# eleven digits here.
_NARROW = 1e-3

_POLISH = 2  # Newton steps from a start with an error of 1e-3: their squares end below rounding
_LARGEST_EXPONENT = 700.0  # its exponential is near the largest number


class Beta(ByStd, ByTails):
    """Beta law of 0 < y < 1 with `mean` and `precision`.

    The variance is mean (1 - mean)/(1 + precision). In the usual letters
    a = mean precision, b = (1 - mean) precision. scipy: ``beta(a, b)``; R: ``dbeta(y, a, b)``.

    References
    ----------
    Ferrari & Cribari-Neto (2004), Beta regression for modelling rates and proportions, Journal of
    Applied Statistics 31.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("beta").fit([[0.2], [0.4], [0.5]])
    >>> round(float(model.params_["mean"]), 3)
    0.365
    """

    scipy_name = "beta"
    turned = ("a", "b")
    parameters = (Param("mean", LOGIT), Param("precision", LOG))
    support = Support(0.0, 1.0)
    shortcuts = Shortcuts(starts="maximum", sums="base")

    def statistics(self, y: Array) -> Arrays:
        return np.log(y), np.log1p(-y), y

    def base(self, statistics: Arrays) -> Array:
        log_y, log_1y, _, *more = statistics
        return log_y + log_1y - (more[0] + more[1]) if more else log_y + log_1y

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # The logarithms of the mean share m and of its rest; the mean itself; by how much the mean
        # logarithms of shares and rests lie below these; and by how much rounding has missed the
        # mean, for whoever joins such rows. Of precise shares the last three are tiny, and
        # averaged row by row.
        log_y, log_1y, y, *more = statistics
        if more and len(log_y) == 1:
            return statistics
        zero = np.zeros(())
        within, within_bar, missed = more or (zero, zero, zero)
        mean, rest = average(y, weight), 0.0
        logs = np.log(mean), np.log1p(-mean)
        gap = logs[0] - average(log_y - within if more else log_y, weight)
        gap_bar = logs[1] - average(log_1y - within_bar if more else log_1y, weight)
        if max(gap, gap_bar) < _NARROW:
            mean += average(y - mean + missed, weight)
            logs = np.log(mean), np.log1p(-mean)
            away, away_bar = (y - mean) / mean, (mean - y) / (1.0 - mean)
            rest = average(y - mean + missed, weight)
            gap = average(gap_beside(away, y / mean) + away * (missed / y) + within, weight)
            turn = away_bar * (missed / (1.0 - y))
            gap_bar = average(
                gap_beside(away_bar, (1.0 - y) / (1.0 - mean)) - turn + within_bar, weight
            )
        return tuple(np.array([value]) for value in (*logs, mean, gap, gap_bar, rest))

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        mean, precision = theta
        if not np.max(precision, initial=0.0) > _PRECISE:
            return None
        a, b = mean * precision, (1.0 - mean) * precision
        rest = 0.5 * (np.log(a) + np.log1p(-mean) - LOG_2PI)
        for sign, value in ((-1.0, a), (-1.0, b), (1.0, precision)):
            rest = rest + sign * binet(value, 0)[0]
        return rest - precision * of_trials(mean, y) - np.log(y) - np.log1p(-y)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # With t(x) = x^2 trigamma(x) - x = 1/2 + x^2 mu''(x), which does not cancel.
        m, m_bar = expit(eta[0]), expit(-np.asarray(eta[0]))
        precision = np.exp(eta[1])
        a, b = precision * m, precision * m_bar
        t_a, t_b, t_c = (beyond_first(x) for x in (a, b, precision))
        return (
            m_bar * m_bar * (a + t_a) + m * m * (b + t_b),
            m_bar * t_a - m * t_b,
            t_a + t_b - t_c,
        )

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # lgamma by Binet's mu: -log q = log(y (1-y)) + precision KL((m, 1-m) : (y, 1-y))
        # - log(precision m (1-m)/2pi)/2 + mu(a) + mu(b) - mu(a+b).
        log_y, log_1y, y, *more = statistics
        logit, log_precision = eta
        precision = np.exp(log_precision)
        low = np.minimum(logit, 0.0)
        high = low - logit
        left, right = np.exp(low), np.exp(high)  # one of them is 1, their sum 1 + exp(-|logit|)
        share = 1.0 / (left + right)
        m, m_bar = left * share, right * share
        growth = np.log1p(left * right)
        log_m, log_m_bar = low - growth, high - growth
        a, b = precision * m, precision * m_bar
        (mu_a, mu_a1, mu_a2), (mu_b, mu_b1, mu_b2), (mu_c, mu_c1, mu_c2) = (
            binet(x, order) for x in (a, b, precision)
        )
        lean, lean_bar = log_m - log_y, log_m_bar - log_1y
        apart = lean - lean_bar
        if np.max(precision) > _PRECISE:
            apart = logit - (log_y - log_1y)
            divergence = precision * _divergence(y, apart, m, m_bar)
        else:
            divergence = a * lean + b * lean_bar
        if more:
            within, within_bar, _ = more
            apart = apart + within - within_bar
            divergence = divergence + a * within + b * within_bar
        value = (
            divergence - 0.5 * ((log_precision - LOG_2PI) + log_m + log_m_bar) + mu_a + mu_b - mu_c
        )
        if order < 1:
            return Rows(value)
        assert mu_a1 is not None and mu_b1 is not None and mu_c1 is not None
        # In a and b at fixed precision the derivatives are lean - 1/(2 a) + mu'(a) and its mirror;
        # d log m = m_bar d logit.
        v, skew = a * m_bar, m_bar - m
        gradient0 = v * (apart + (mu_a1 - mu_b1)) - 0.5 * skew
        gradient1 = divergence + a * mu_a1 + b * mu_b1 - 0.5 - precision * mu_c1
        if order < 2:
            return Rows(value, (gradient0, gradient1))
        assert mu_a2 is not None and mu_b2 is not None and mu_c2 is not None
        # a^2 and b^2 times their second derivatives, less a and b (these cancel) and 1/2.
        turn_a, turn_b = a * (a * mu_a2), b * (b * mu_b2)  # a * a may overflow
        turn_am, turn_bm = m_bar * (0.5 + turn_a), m * (0.5 + turn_b)
        curvature = (
            v + m_bar * turn_am + m * turn_bm + skew * gradient0,
            gradient0 + turn_am - turn_bm,
            gradient1 + 0.5 + turn_a + turn_b - precision * (precision * mu_c2),
        )
        return Rows(value, (gradient0, gradient1), curvature)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        row = self.collapse(statistics, weight)
        _, _, (mean,), (gap,), (gap_bar,), _ = row
        if max(gap, gap_bar) < _NARROW:
            # Where the precision is large, the mean logarithms lie (1 - m)/(2 a) and m/(2 b) below.
            with np.errstate(divide="ignore"):  # all observations are equal
                precision = 0.5 / (mean * gap + (1.0 - mean) * gap_bar)
            start = float(np.log(mean) - np.log1p(-mean)), float(np.log(precision))
            return [self._polished(row, start)]
        left, right = np.log(mean) - gap, np.log1p(-mean) - gap_bar
        return [_interior_start(left, right)]

    def _polished(self, row: Arrays, start: tuple[float, float]) -> tuple[float, float]:
        """Return the maximum that is next to a start, by Newton's method on the one row."""
        eta = np.array(start)
        for _ in range(_POLISH if np.isfinite(eta).all() else 0):
            rows = self.evaluate(row, tuple(np.asarray(e) for e in eta))
            assert rows.gradient is not None
            a, b, c = (float(entry[0]) for entry in rows.packed if entry is not None)
            gradient = np.array([float(g[0]) for g in rows.gradient])
            eta = eta - np.linalg.solve(np.array([[a, b], [b, c]]), gradient)
        return float(eta[0]), float(eta[1])

    def saturated(self, statistics: Arrays) -> Saturated:
        return Saturated(statistics[0] - statistics[1], (float(np.log(1e16)),), "precision")

    def restore(self, statistics: Arrays) -> Array:
        return statistics[2]

    def mirrored(self, eta: Arrays) -> Arrays:
        logit, log_precision = eta
        return -logit, log_precision

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import beta

        mean, precision = theta
        return beta(mean * precision, (1.0 - mean) * precision)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._of_sharp_too(super().quantile, theta, partial(quantile, self), q)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._of_sharp_too(super().upper_quantile, theta, partial(upper_quantile, self), q)

    def _of_sharp_too(
        self,
        by_newton: Callable[[Array, Arrays], Array],
        theta: Arrays,
        by_bisection: Callable[[Array, Arrays], Array],
        q: Array,
    ) -> Array:
        """Return quantiles, by bisection of laws so sharp that Newton's steps have no digits."""
        mean, precision = theta
        sharp = np.minimum(mean, 1.0 - mean) * precision > VERY_LARGE
        if not sharp.any():
            return by_newton(q, theta)
        found = by_newton(q, (np.where(sharp, 0.5, mean), np.where(sharp, 1.0, precision)))
        with np.errstate(all="ignore"):
            return np.where(sharp, by_bisection(q, theta), found)[()]

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        logit, log_precision = eta
        log_odds = statistics[0] - statistics[1]
        return tail_rows_of_share(log_odds, logit, log_precision, upper, order)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        mean, precision = theta
        return log_beta_tail(mean * precision, (1.0 - mean) * precision, y, 1.0 - y, upper)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        frozen = self.to_scipy(theta)
        try:
            return np.asarray(frozen.isf(q) if upper else frozen.ppf(q), float)
        except OverflowError:  # scipy's, of the least numbers as shapes
            return np.nan * (q + theta[0] + theta[1])

    def _inverse(self, q: Array, theta: Arrays, upper: bool) -> Array:
        # The search takes fifty times as long as scipy's, which is nan for small q and a or b.
        with np.errstate(all="ignore"):
            theirs = self.rough_quantile(q, theta, upper)
        lost = np.isnan(theirs) & (q > 0.0) & (q < 1.0)
        return super()._inverse(q, theta, upper) if lost.any() else theirs[()]

    @classmethod
    def from_scipy(
        cls, a: Array, b: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if np.any(loc) or np.any(scale != 1.0):
            return None
        precision = a + b
        mean = a / precision
        if np.any(mean == 1.0):  # rounding has lost b, and with it the law
            return None
        return cls(), (mean, precision)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        mean, precision = theta
        return np.sqrt(mean) * np.sqrt((1.0 - mean) / (1.0 + precision))

    def known_entropy(self, theta: Arrays) -> Array:
        # lgamma(x) - (x - 1) digamma(x) by Binet's function, whose remainder for large x scipy's
        # own formula truncates.
        mean, total = theta
        a, b = mean * total, (1.0 - mean) * total
        logs = 0.5 * (np.log(a) + np.log(b)) - 1.5 * np.log(total)
        rest = 1.0 / total - 0.5 / a - 0.5 / b + bend(a, 1.0) + bend(b, 1.0) - bend(total, 2.0)
        point = np.isinf(total) | (a == 0.0) | (b == 0.0)
        return np.where(point, -np.inf, 0.5 * (LOG_2PI + 1.0) + logs + rest)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (mean_p, total_p), (mean_q, total_q) = p, q
        a, b = mean_p * total_p, (1.0 - mean_p) * total_p
        c, d = mean_q * total_q, (1.0 - mean_q) * total_q
        means = total_q * of_trials(mean_q, mean_p)
        shapes = 0.5 * (gap(c / a) + gap(d / b) - gap(total_q / total_p))
        return means + shapes + binet_gap(c, a) + binet_gap(d, b) - binet_gap(total_q, total_p)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, precision = theta
        return rng.beta(mean * precision, (1.0 - mean) * precision, size=size)


def _divergence(y: Array, apart: Array, m: Array, m_bar: Array) -> Array:
    """Return m log(m/y) + (1 - m) log((1 - m)/(1 - y)), of which the logits are `apart`.

    It is written for the smaller one of y and 1 - y, so that the two terms are as small as it.
    """
    low = y < 0.5
    share = np.where(low, y, 1.0 - y)
    turn = np.minimum(np.where(low, apart, -apart), _LARGEST_EXPONENT)
    return np.where(low, m, m_bar) * turn - np.log1p(share * np.expm1(turn))


def _interior_start(left: float, right: float) -> tuple[float, float]:
    """Return logit and log precision with the mean logarithms `left` of y and `right` of 1 - y.

    It is Newton's method on digamma(a) - digamma(a + b) = left and its mirror (Gnanadesikan et al.
    1967), from their approximation by logarithms; the search in log a, log b stays in range.
    """
    geometric, geometric_bar = np.exp(left), np.exp(right)
    room = -np.expm1(right) - geometric if left < right else -np.expm1(left) - geometric_bar
    a, b = 0.5 + 0.5 * geometric / room, 0.5 + 0.5 * geometric_bar / room
    for _ in range(30):
        c = a + b
        (mu_a1, mu_a2), (mu_b1, mu_b2), (mu_c1, mu_c2) = (_slopes(x) for x in (a, b, c))
        # Differences from the terms at c, which are of its size where one of a and b is small.
        rest = -np.log1p(b / a) - 0.5 * b / a / c + (mu_a1 - mu_c1) - left
        rest_bar = -np.log1p(a / b) - 0.5 * a / b / c + (mu_b1 - mu_c1) - right
        own = b / c * (1.0 + 0.5 / a + 0.5 / c) + a * (mu_a2 - mu_c2)
        own_bar = a / c * (1.0 + 0.5 / b + 0.5 / c) + b * (mu_b2 - mu_c2)
        shared = (1.0 + 0.5 / c) / c + mu_c2  # trigamma(c)
        determinant = own * own_bar - (a * shared) * (b * shared)
        step = (own_bar * rest + b * shared * rest_bar) / determinant
        step_bar = (a * shared * rest + own * rest_bar) / determinant
        step, step_bar = (min(max(s, -2.0), 2.0) for s in (step, step_bar))
        a, b = a * np.exp(-step), b * np.exp(-step_bar)
        if max(abs(step), abs(step_bar)) < 1e-8:  # the next step would be its square
            break
    return float(np.log(a) - np.log(b)), float(np.log(a + b))


def _slopes(x: float) -> tuple[float, float]:
    """Return the first two derivatives of Binet's function."""
    _, first, second = binet(np.asarray(x))
    assert first is not None and second is not None
    return float(first), float(second)
