"""Tail probabilities and quantiles of a law from its own `log_tail`, where scipy's are not right.

scipy's upper quantiles of counts are those of 1 - q, which is 1 for small q, and some of its
searches end far from the quantile, or not at all.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv, gammaincinv

from skmle.families.base import Array, Arrays, Family
from skmle.families.tools import ranks

# Steps of a search: one after each that has not halved the gap halves the 64 bits in which a
# quantile may lie.
_MOST = 300
# How far a logarithm may be from the one wanted where the search ends; without this, a density that
# has lost its digits far out could end it.
_CLOSE = 1e-3
_ROUNDED = np.finfo(float).eps  # relative size of a gap that is rounding
_EXACT = 4.0 * np.finfo(float).eps  # relative size of a step that changes nothing


class ByTails(Family):
    """Families whose probabilities and quantiles follow from their `log_tail`.

    `rough_quantile` is where the search begins; what it returns has all its digits.
    """

    rounding: ClassVar[float] = _EXACT
    """Relative size of a step of the search that only the rounding of `log_tail` makes."""

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self._log_tail(y, theta, False))

    def sf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self._log_tail(y, theta, True))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._inverse(q, theta, False)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._inverse(q, theta, True)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        """Return about where a quantile lies; nan if that is not known.

        By default it is that of a gamma law with the same mean and variance.
        """
        mean, variance = self.mean(theta), self.variance(theta)
        size = mean * (mean / variance)
        return mean / size * (gammainccinv(size, q) if upper else gammaincinv(size, q))

    def at_end(self, theta: Arrays) -> Any:
        """Return the law where parameters are at an end of their range, as a frozen scipy law.

        Elsewhere it may be any with the same support.
        """
        return self.to_scipy(theta)

    def _log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        """Return `log_tail`; that of `at_end` where parameters are at an end of their range."""
        y = np.asarray(y, float)
        inside = self._inside(theta)
        with np.errstate(all="ignore"):
            if inside.all():
                return np.where(np.isnan(y), np.nan, self._tail_between_ends(y, theta, upper))
            frozen = self.at_end(theta)
            edge = np.log(frozen.sf(y) if upper else frozen.cdf(y))
            at_infinity = np.where((y == np.inf) == upper, -np.inf, 0.0)
            edge = np.where(self.runs_off(theta), at_infinity, edge)
            safe = self._between_ends(theta, inside)
            return np.where(inside, self._tail_between_ends(y, safe, upper), edge)

    def _tail_between_ends(self, y: Array, theta: Arrays, upper: bool) -> Array:
        low, above = self.support.low, y >= self.support.high
        below = (y < low) if self.support.closed[0] else (y <= low)
        known = below | above
        tail = self.log_tail(np.where(known, 1.0, y), theta, upper)
        return np.where(known, np.where(above == upper, -np.inf, 0.0), tail)

    def _inside(self, theta: Arrays) -> NDArray[np.bool_]:
        """Return where no parameter is at an end of its range, where the formulas hold."""
        finite = (np.isfinite(e) for e in self.eta(theta))
        return np.logical_and.reduce(np.broadcast_arrays(*finite))

    def _between_ends(self, theta: Arrays, inside: NDArray[np.bool_]) -> Arrays:
        """Return ordinary parameters in place of those at an end of their range."""
        ordinary = (param.chart.theta(np.zeros(())) for param in self.parameters)
        pairs = zip(theta, ordinary, strict=True)
        return tuple(np.where(inside, value, other) for value, other in pairs)

    def runs_off(self, theta: Arrays) -> NDArray[np.bool_]:
        """Return where parameters at an end of their range leave no probability to any number."""
        return ~self._inside(theta) & (self.mean(theta) == np.inf)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        if (off := self.runs_off(theta)).all():
            return np.full(np.broadcast_shapes(np.shape(y), off.shape), -np.inf)
        return np.where(off, -np.inf, super().log_prob_at_edge(y, theta))

    def _inverse(self, q: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):
            rough = self.rough_quantile(q, theta, upper)
        between = self._inside(theta)
        ends = np.isin(q, (0.0, 1.0))
        if ends.any() or not between.all():  # that of the law at an end of the parameters' range
            frozen, q_end = self.at_end(theta), np.where(between & ~ends, 0.0, q)
            with np.errstate(all="ignore"):
                theirs = frozen.isf(q_end) if upper else frozen.ppf(q_end)
            lowest = self.support.low - float(self.support.discrete)  # as scipy has it
            at_infinity = np.where(q_end == float(upper), lowest, np.inf)
            theirs = np.where(self.runs_off(theta), at_infinity, theirs)
            rough = np.where(between & ~ends, rough, theirs)
        level, start, inside, *parameters = np.broadcast_arrays(
            np.asarray(q, float), rough, between, *theta
        )
        result = np.array(start)
        todo = inside & (level > 0.0) & (level < 1.0)
        if todo.any():
            some = tuple(np.asarray(parameter)[todo] for parameter in parameters)
            search = self._count_at if self.support.discrete else self._point_at
            with np.errstate(all="ignore"):  # far out in the tails
                result[todo] = search(level[todo], some, upper, start[todo])
        return np.where((level >= 0.0) & (level <= 1.0), result, np.nan)[()]

    def _count_at(self, q: Array, theta: Arrays, upper: bool, start: Array) -> Array:
        """Return the smallest count at which the level is reached, which is often near `start`."""

        def reached(k: Array) -> NDArray[np.bool_]:
            return self.sf(k, theta) <= q if upper else self.cdf(k, theta) >= q

        return ranks.least_near(reached, start, self.support)

    def _point_at(self, q: Array, theta: Arrays, upper: bool, start: Array) -> Array:
        """Return where a tail has the probability q: for small q where its logarithm is log q."""
        smaller = q <= 0.5
        result = np.empty_like(q)
        for rows, log_q, side in (
            (smaller, np.log(q), upper),
            (~smaller, np.log1p(-q), not upper),
        ):
            if rows.any():
                some = tuple(value[rows] for value in theta)
                result[rows] = self._newton(log_q[rows], some, side, start[rows])
        return result

    def _newton(self, log_q: Array, theta: Arrays, upper: bool, start: Array) -> Array:
        """Return where the logarithm of a tail is log_q, by Newton's method between two bounds."""
        first, last = ranks.ends(self.support, log_q.shape)
        low, high = np.array(first), np.array(last)
        positive, sign = self.support.low == 0.0, 1.0 if upper else -1.0
        eta = tuple(np.broadcast_to(e, log_q.shape) for e in self.eta(theta))
        middle = ranks.number(ranks.between(low, high))
        y = np.where(np.isfinite(start) & self.contains(start), start, middle)
        todo, before = np.arange(len(y)), np.inf  # of most rows a few steps are enough
        for _ in range(_MOST):
            own, at = tuple(value[todo] for value in theta), y[todo]
            tail = self.log_tail(at, own, upper)
            gap = tail - log_q[todo]
            reached, place = (gap <= 0.0 if upper else gap >= 0.0), ranks.rank(at)
            low[todo] = below = np.where(reached, low[todo], place)
            high[todo] = above = np.where(reached, place, high[todo])
            hazard = np.exp(self.log_prob(at, tuple(e[todo] for e in eta)) - tail)
            step = sign * gap / hazard
            new = at * np.exp(step / at) if positive else at + step
            done = (np.abs(new - at) <= self.rounding * np.abs(at)) & (np.abs(gap) < _CLOSE)
            # A logarithm that differs by its own rounding tells no better place, either.
            done |= (np.abs(gap) <= _ROUNDED * np.abs(log_q[todo])) | (below + 1 >= above)
            if done.all():
                break
            place = ranks.rank(new)
            good = np.isfinite(new) & (place > below) & (place < above)
            good &= np.abs(gap) <= 0.5 * before
            middle = ranks.number(ranks.between(below, above))
            y[todo] = np.where(done, at, np.where(good, new, middle))
            before = np.where(good, np.abs(gap), np.inf)[~done]
            todo = todo[~done]
        # Beyond the numbers that doubles can hold it is the end of the support.
        y = np.where((low == first) & (low + 1 >= high), self.support.low, y)
        return np.where((high == last) & (low + 1 >= high), self.support.high, y)


class ByLawAtEnd(ByTails):
    """Families of counts whose `at_end` tells all of the law at an end of the parameters' range."""

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        inside = self._inside(theta)
        safe = self._between_ends(theta, inside)
        with np.errstate(all="ignore"):
            at_edge = np.where(self.runs_off(theta), -np.inf, self.at_end(theta).logpmf(y))
        return np.where(inside, self.log_prob(y, self.eta(safe)), at_edge)
