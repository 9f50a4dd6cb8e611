"""Observations of which only an interval is known: rows [lower, upper]."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import mix
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
from skmle.families.wrappers.base import Wrapper

# What is known of a row.
_EXACT, _ABOVE, _BELOW, _BETWEEN, _NOTHING = range(5)
_MEDIAN = float(np.log(2.0))  # -log of one half: a tail beyond it is the smaller one
_FAR = 40.0  # how far out a slope is taken, in units of the longest step: exp(80) is still a number


class Censored(Wrapper):
    """The law `family` of a variable of which only an interval is known: observations are rows [lower, upper].

    Equal ends are an exact observation, whose density or mass counts; -inf or inf leaves one side
    open. Otherwise the probability of the interval counts: P(lower < Y <= upper) of a continuous law,
    P(lower <= Y <= upper) of counts, so that both ends belong to it. `skmle.censored` builds such rows.

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

    def around(self, family: Family) -> Censored:
        return Censored(family)

    @property
    def observation(self) -> Observation:  # type: ignore[override]
        return Observation(columns=2, finite=False)

    @property
    def shortcuts(self) -> Shortcuts:  # type: ignore[override]
        return Shortcuts()

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
        if np.isinf(y).all():
            raise ValueError(
                f"Censored: all {len(y)} rows are open on both sides, so they tell nothing. Allowed: some row with "
                "a finite end. Leave such rows out."
            )
        return self.around(inner)

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
        """Return the inner statistics of a value inside, of the lower and of the upper end, and what is known."""
        support = self.inner.support
        lower, upper = y[..., 0], y[..., 1]
        exact = lower == upper
        first, last = self._ends(lower, upper)
        step = 1.0 if support.discrete else 0.0  # P(Y >= first) = P(Y > first - 1)
        open_low = (first < support.low) | (first == support.low) & (
            support.closed[0] or step == 0.0
        )
        open_high = last >= support.high
        known = [exact, open_low & open_high, open_low, open_high]
        kind = np.select(known, [_EXACT, _NOTHING, _BELOW, _ABOVE], _BETWEEN)
        some = self._inside(lower, upper, kind)
        low = np.where((kind == _ABOVE) | (kind == _BETWEEN), first - step, some)
        high = np.where((kind == _BELOW) | (kind == _BETWEEN), last, some)
        if support.discrete:
            low = np.maximum(low, support.low - step)
        groups = (self.inner.statistics(value) for value in (some, low, high))
        return (*(entry for group in groups for entry in group), kind.astype(float))

    def _inside(self, lower: Array, upper: Array, kind: NDArray[Any]) -> Array:
        """Return for each row a value of the support that it allows, or that is near."""
        support = self.inner.support
        with np.errstate(invalid="ignore"):
            middle = 0.5 * (np.maximum(lower, support.low) + np.minimum(upper, support.high))
        known = [kind == _EXACT, kind == _ABOVE, kind == _BELOW]
        value = np.select(known, [lower, lower, upper], middle)
        value = np.where(np.isfinite(value), value, np.where(np.isfinite(lower), lower, upper))
        anything = 0.0 if self.inner.contains(np.zeros(1))[0] else 0.5
        value = np.where(np.isfinite(value), value, anything)
        if support.discrete:
            value = np.where(kind == _EXACT, value, np.floor(value))
        # Where the bound itself is no value of the support (a beta law's 1, a count's -1), take one inside.
        nearby = np.clip(value, *self._interior_ends())
        return np.where(self.inner.contains(value), value, nearby)

    def _interior_ends(self) -> tuple[float, float]:
        support = self.inner.support
        if support.discrete:
            return support.low, support.high
        room = 1e-8 * (support.high - support.low) if np.isfinite(support.high) else 1e-8
        return support.low + room, support.high - room

    def _groups(self, statistics: Arrays) -> tuple[Arrays, Arrays, Arrays, Array]:
        """Return the statistics of a value inside, of the lower and of the upper ends, and what is known."""
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
        value = np.zeros(np.broadcast_shapes((n,), *(np.shape(e) for e in eta)))
        gradient = [np.zeros_like(value) for _ in range(k if order > 0 else 0)]
        curvature = [np.zeros_like(value) for _ in range(len(triangle(k)) if order > 1 else 0)]
        for kind in (_EXACT, _ABOVE, _BELOW, _BETWEEN):
            at = np.flatnonzero(kinds == kind)
            if not len(at):
                continue
            part = tuple(s[at] for s in statistics)
            entries = tuple(e[..., at] if np.ndim(e) and e.shape[-1] == n else e for e in eta)
            rows = self._known(kind, part, entries, order)
            value[..., at] = rows.value
            for whole, slope in zip(gradient, rows.gradient or (), strict=True):
                whole[..., at] = slope
            for whole, bend in zip(curvature, rows.packed if order > 1 else (), strict=True):
                whole[..., at] = 0.0 if bend is None else bend
        return Rows(value, tuple(gradient), tuple(curvature)).upto(order)

    def _known(self, kind: int, statistics: Arrays, eta: Arrays, order: int) -> Rows:
        """Return the rows of observations of all of which the same is known."""
        some, low, high, _ = self._groups(statistics)
        if kind == _EXACT:
            return self.inner.evaluate(some, eta, order)
        if kind == _ABOVE:
            return self.inner.tail(low, eta, True, order)
        if kind == _BELOW:
            return self.inner.tail(high, eta, False, order)
        return self._between(low, high, eta, order)

    def _between(self, low: Arrays, high: Arrays, eta: Arrays, order: int) -> Rows:
        """Return -log P(low < Y <= high), from the tails that are small there, whose difference keeps its digits."""
        k, every = len(eta), range(len(eta))
        above_low, below_high = (
            self.inner.tail(low, eta, True, order),
            self.inner.tail(high, eta, False, order),
        )
        above_high, below_low = (
            self.inner.tail(high, eta, True, order),
            self.inner.tail(low, eta, False, order),
        )
        zero = np.zeros(())
        certain = Rows(zero, (zero,) * k, (zero,) * len(triangle(k)))
        upper = mix([(above_low, every), (above_high, every)], k, [1.0, -1.0], order)
        lower = mix([(below_high, every), (below_low, every)], k, [1.0, -1.0], order)
        parts = [(certain, every), (below_low, every), (above_high, every)]
        both = mix(parts, k, [1.0, -1.0, -1.0], order)
        in_upper, in_lower = above_low.value > _MEDIAN, below_high.value > _MEDIAN

        def chosen(one: Any, other: Any, third: Any) -> Array:
            return np.where(in_upper, one, np.where(in_lower, other, third))

        value = chosen(upper.value, lower.value, both.value)
        if order < 1:
            return Rows(value)
        entries = zip(upper.gradient or (), lower.gradient or (), both.gradient or (), strict=True)
        gradient = tuple(chosen(*three) for three in entries)
        if order < 2:
            return Rows(value, gradient)
        packed = zip(upper.packed, lower.packed, both.packed, strict=True)
        return Rows(value, gradient, tuple(chosen(*three) for three in packed))

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

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        return self.inner.centre_and_spread(self._groups(statistics)[0], weight)

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
        """Return the way to where the law shrinks to a point that all rows allow, and why; None if it does not.

        Exact values that are all equal have a density without bound there. Without exact values the likelihood
        tends to one, which is no less.
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
            if not (least < values.min() and values.max() <= most):
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
        # The law of an interval has no formula far out, so its slope is taken there.
        longest = max(float(np.abs(e).max(initial=0.0)) for e in delta) or 1.0
        ends = (tuple(e * (t / longest) for e in delta) for t in (_FAR, 2.0 * _FAR))
        with np.errstate(all="ignore"):
            near, far = (self.evaluate(statistics, eta, 0).value for eta in ends)
            slope = np.where(np.isfinite(far), (far - near) * (longest / _FAR), np.inf)
        return np.where(exact, known, slope)

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
