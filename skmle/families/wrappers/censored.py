"""Observations of which only an interval is known: rows [lower, upper]."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import gather, of_rows
from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Limit,
    Observation,
    Rows,
    Saturated,
    Shortcuts,
    triangle,
)
from skmle.families.tools.intervals import between, never_rises, ordinary
from skmle.families.wrappers.base import Wrapper

# What is known of a row.
_EXACT, _ABOVE, _BELOW, _BETWEEN, _NOTHING = range(5)


class Censored(Wrapper):
    """The law `family` of a variable of which only an interval [lower, upper] is known.

    Observations are rows [lower, upper].

    Equal ends are an exact observation, whose density or mass counts; -inf or inf leaves one side
    open. Otherwise the probability of the interval counts: P(lower < Y <= upper) of a continuous
    law, P(lower <= Y <= upper) of counts, so that both ends belong to it. `skmle.censored` builds
    such rows.

    Everything else is that of the family inside: its parameters, its links, and what is predicted,
    which is the uncensored variable. A score is the log-likelihood of what was observed.

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        A family of one column of numbers.

    References
    ----------
    Klein & Moeschberger (2003), Survival Analysis, ch. 3.5 (the likelihood).
    Tobin (1958), Estimation of relationships for limited dependent variables, Econometrica 26.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution, censored, families
    >>> time = np.array([2.0, 3.5, 1.2, 5.0, 5.0])
    >>> rows = censored(time, event=[1, 1, 1, 0, 0])  # two were still going on at 5
    >>> model = MLEDistribution(families.Censored("exponential")).fit(rows)
    >>> print(round(model.params_["mean"], 4))  # all time over the number of events
    5.5667
    """

    def __init__(self, family: Any = "normal") -> None:
        super().__init__(family)

    _exact = 0.5  # learnt by `adapt`: the share of exact rows, of which 0 and 1 are told apart

    def around(self, family: Family) -> Censored:
        return Censored(family)

    @property
    def observation(self) -> Observation:  # type: ignore[override]
        return Observation(columns=2, finite=False)

    @property
    def shortcuts(self) -> Shortcuts:  # type: ignore[override]
        return Shortcuts(starts=self.inner.shortcuts.starts if self._exact == 1.0 else "near")

    @property
    def observations(self) -> str:
        between = f"with a possible value between ({self.inner.observations})"
        return f"rows [lower, upper], lower <= upper, {between}"

    def adapt(self, y: Array) -> Family:
        inner = self.inner
        if inner.observation != Observation() or not inner.support.fixed:
            raise ValueError(
                f"Censored: an interval is not defined for {inner.title}. Allowed: families of one "
                "column of numbers whose support is fixed. Choose one of them."
            )
        learnt = self.around(inner)
        if (learnt._known_of(y[..., 0], y[..., 1]) == _NOTHING).all():
            raise ValueError(
                f"Censored: all {len(y)} rows hold every value of {inner.title}, so they tell "
                "nothing. Allowed: some row with an end inside the support. Leave such rows out."
            )
        learnt._exact = float(np.mean(y[..., 0] == y[..., 1]))
        return learnt

    def contains(self, y: Array) -> NDArray[np.bool_]:
        lower, upper = y[..., 0], y[..., 1]
        exact = lower == upper
        support = self.inner.support
        first, last = self._ends(lower, upper)
        if support.discrete:  # some whole number of the support lies between
            meets = np.maximum(first, support.low) <= np.minimum(last, support.high)
        else:
            meets = (lower < upper) & (upper > support.low) & (lower < support.high)
        inside = np.where(np.isfinite(lower), lower, 0.0)
        return np.where(exact, np.isfinite(lower) & self.inner.contains(inside), meets)

    def _ends(self, lower: Array, upper: Array) -> tuple[Array, Array]:
        """Return the first and the last possible value of intervals, of counts whole numbers."""
        return (np.ceil(lower), np.floor(upper)) if self.inner.support.discrete else (lower, upper)

    # ---------------------------------------------------------------- statistics

    def statistics(self, y: Array) -> Arrays:
        """Return the inner statistics of a value inside and of both ends, and what is known."""
        support = self.inner.support
        lower, upper = y[..., 0], y[..., 1]
        kind = self._known_of(lower, upper)
        first, last = self._ends(lower, upper)
        step = 1.0 if support.discrete else 0.0  # P(Y >= first) = P(Y > first - 1)
        some = self._inside(lower, upper)
        low = np.where((kind == _ABOVE) | (kind == _BETWEEN), first - step, some)
        high = np.where((kind == _BELOW) | (kind == _BETWEEN), last, some)
        if support.discrete:
            low = np.maximum(low, support.low - step)
        groups = (self.inner.statistics(value) for value in (some, low, high))
        return (*(entry for group in groups for entry in group), kind.astype(float))

    def _known_of(self, lower: Array, upper: Array) -> NDArray[np.intp]:
        """Return what is known of each row: ends beyond those of the support tell nothing."""
        support = self.inner.support
        first, last = self._ends(lower, upper)
        at_low = (first == support.low) & (support.closed[0] or not support.discrete)
        open_low = (first < support.low) | at_low
        open_high = last >= support.high
        known = [lower == upper, open_low & open_high, open_low, open_high]
        return np.select(known, [_EXACT, _NOTHING, _BELOW, _ABOVE], _BETWEEN)

    def _inside(self, lower: Array, upper: Array) -> Array:
        """Return a value of the support that each row allows, for starts and units."""
        value = ordinary(lower, upper)
        if self.inner.support.discrete:
            value = np.clip(np.floor(value), *self._ends(lower, upper))
            value = np.where(lower == upper, lower, value)
        # A bound itself may be no value of the support, as a beta law's 1 or a count's -1.
        nearby = np.clip(value, *self._interior_ends())
        return np.where(self.inner.contains(value), value, nearby)

    def _interior_ends(self) -> tuple[float, float]:
        support = self.inner.support
        if support.discrete:
            return support.low, support.high
        room = 1e-8 * (support.high - support.low) if np.isfinite(support.high) else 1e-8
        return support.low + room, support.high - room

    def _groups(self, statistics: Arrays) -> tuple[Arrays, Arrays, Arrays, Array]:
        """Return the statistics of values inside, of both ends, and what is known."""
        m = (len(statistics) - 1) // 3
        some, low, high = (statistics[i * m : (i + 1) * m] for i in range(3))
        return some, low, high, statistics[-1]

    def base(self, statistics: Arrays) -> Array:
        some, _, _, kind = self._groups(statistics)
        return np.where(kind == _EXACT, self.inner.base(some), 0.0)

    def densities(self, statistics: Arrays) -> Array:
        some, _, _, kind = self._groups(statistics)
        return np.where(kind == _EXACT, self.inner.densities(some), 0.0)

    # ---------------------------------------------------------------- the formula

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        kinds = self._groups(statistics)[-1]
        k, n = len(eta), len(kinds)
        parts = []
        for kind in (_EXACT, _ABOVE, _BELOW, _BETWEEN, _NOTHING):
            at = np.flatnonzero(kinds == kind)
            if len(at):
                some = of_rows(statistics, at)
                parts.append((at, self._known(kind, some, of_rows(eta, at, n), order)))
        return gather(parts, n, k, order)

    def _known(self, kind: int, statistics: Arrays, eta: Arrays, order: int) -> Rows:
        """Return the rows of observations of all of which the same is known."""
        some, low, high, kinds = self._groups(statistics)
        if kind == _EXACT:
            return self.inner.evaluate(some, eta, order)
        if kind == _ABOVE:
            return self.inner.tail(low, eta, True, order)
        if kind == _BELOW:
            return self.inner.tail(high, eta, False, order)
        if kind == _BETWEEN:
            return between(self.inner, low, high, eta, order)
        zero = np.zeros(np.broadcast_shapes(kinds.shape, *(np.shape(e) for e in eta)))
        return Rows(zero, (zero,) * len(eta), (zero,) * len(triangle(len(eta)))).upto(order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        """Return the tails beyond values inside the intervals."""
        return self.inner.tail(self._groups(statistics)[0], eta, upper, order)

    # ---------------------------------------------------------------- starts and units

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the starts of the family inside for a value inside each interval."""
        some = self._groups(statistics)[0]
        with np.errstate(all="ignore"):  # values that are all equal, though the intervals are not
            found = self.inner.starts(some, weight)
        return [tuple(e if np.isfinite(e) else 0.0 for e in start) for start in found]

    def smoothings(self) -> tuple[Family, ...]:
        return super().smoothings() if self._exact else ()  # a tail has no cusps

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the origin and the unit of values inside the intervals.

        At the bounds of intervals many values are nearly equal, so that quartiles may lie next to
        each other although the law is wide. The unit is then the root mean square distance.
        """
        values = self._groups(statistics)[0]
        centre, spread = self.inner.centre_and_spread(values, weight)
        away = np.abs(values[0] - centre)
        largest = float(away.max())
        if not largest > 0.0:
            return centre, spread
        square = np.average((away / largest) ** 2, weights=weight)  # without overflow
        return centre, max(spread, largest * float(np.sqrt(square)))

    def standardise(self, statistics: Arrays, origin: float, unit: float) -> Arrays:
        *groups, kind = self._groups(statistics)
        moved = (self.inner.standardise(group, origin, unit) for group in groups)
        return (*(entry for group in moved for entry in group), kind)

    # ---------------------------------------------------------------- verdicts

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(
            Limit(
                limit.parameter,
                limit.value,
                self.around(limit.family),
                partial(_each_group, limit.observe),
            )
            for limit in self.inner.limits
        )

    def saturated(self, statistics: Arrays) -> Saturated | None:
        some, _, _, kind = self._groups(statistics)
        return self.inner.saturated(some) if (kind == _EXACT).all() else None

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return the way to where the law shrinks to a point that all rows allow, and why.

        None if it does not. Exact values that are all equal have a density without bound there.
        Without exact values the likelihood tends to one, which no other law reaches.
        """
        some, low, high, kind = self._groups(statistics)
        exact = kind == _EXACT
        bounded_below = (kind == _ABOVE) | (kind == _BETWEEN)
        bounded_above = (kind == _BELOW) | (kind == _BETWEEN)
        # The first statistic grows with the observation.
        least = np.max(low[0], where=bounded_below, initial=-np.inf)
        most = np.min(high[0], where=bounded_above, initial=np.inf)
        if exact.any():
            values = some[0][exact]
            if not (least <= values.min() and values.max() <= most):
                return None
            exact_weight = None if weight is None else weight[exact]
            return self.inner.unbounded(tuple(s[exact] for s in some), exact_weight)
        if not least < most:
            return None
        ends = [
            float(self.inner.restore(g)[i])
            for g, i in (
                (low, np.argmax(np.where(bounded_below, low[0], -np.inf))),
                (high, np.argmin(np.where(bounded_above, high[0], np.inf))),
            )
        ]
        point = self._between_ends(
            ends[0] if bounded_below.any() else -np.inf, ends[1] if bounded_above.any() else np.inf
        )
        limit = self.inner.saturated(self.inner.statistics(np.array([point])))
        reason = "all intervals have values in common, so the law shrinks to a point among them"
        return None if limit is None else ((float(limit.first[0]), *limit.others), reason)

    def _between_ends(self, low: float, high: float) -> float:
        """Return a value of the support between two ends, well inside."""
        low, high = max(low, self.inner.support.low), min(high, self.inner.support.high)
        if np.isfinite(low) and np.isfinite(high):
            return 0.5 * (low + high)
        end = low if np.isfinite(low) else high
        return end + np.copysign(1.0 + abs(end), high - low if np.isfinite(low) else -1.0)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        some, _, _, kind = self._groups(statistics)
        exact = kind == _EXACT
        known = self.inner.recession(some, delta)
        if exact.all():
            return known
        if known is None:  # of an exact row it is only known that it stays where nothing moves
            still = np.all([np.broadcast_to(e, exact.shape) == 0.0 for e in delta], axis=0)
            known = np.where(still, 0.0, np.inf)
        falls = never_rises(partial(self.evaluate, statistics, order=0), delta, len(kind))
        return np.where(exact, known, np.where(falls, 0.0, np.inf))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        law = self.predicted(theta)
        lower, upper = np.asarray(y)[..., 0], np.asarray(y)[..., 1]
        first, last = self._ends(lower, upper)
        before = first - 1.0 if self.inner.support.discrete else lower
        with np.errstate(divide="ignore", invalid="ignore"):
            between = np.log(law.cdf(last) - law.cdf(before))
            exact = law.log_prob(np.where(np.isfinite(lower), lower, 0.0))
        return np.where(self.contains(y), np.where(lower == upper, exact, between), -np.inf)


def _each_group(observe: Any, statistics: Arrays) -> Arrays:
    """Return the statistics of the limit law of all three groups, and what is known."""
    m = (len(statistics) - 1) // 3
    groups = (observe(statistics[i * m : (i + 1) * m]) for i in range(3))
    return (*(entry for group in groups for entry in group), statistics[-1])
