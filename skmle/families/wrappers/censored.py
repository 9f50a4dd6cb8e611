"""Observations of which only an interval is known: rows [lower, upper]."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import add, of_rows
from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Limit,
    Observation,
    Rows,
    Saturated,
    Shortcuts,
)
from skmle.families.tools.intervals import never_rises
from skmle.families.tools.known import (
    ABOVE,
    BELOW,
    BETWEEN,
    EXACT,
    NOTHING,
    each_group,
    ends_of,
    groups_of,
    known_and_window,
    known_of,
    rows_of_known,
    seen_from,
    statistics_of,
    within,
)
from skmle.families.wrappers.base import Observe, Wrapper

_CHECKED = 100  # rows on whose ends it is seen whether a family restores its observations


class Censored(Wrapper):
    """The law `family` of a variable of which only an interval [lower, upper] is known.

    Observations are rows [lower, upper].

    Equal ends are an exact observation, whose density or mass counts; -inf or inf leaves one side
    open. Otherwise the probability of the interval counts: P(lower < Y <= upper) of a continuous
    law, P(lower <= Y <= upper) of counts, so that both ends belong to it. Rows of four numbers,
    [lower, upper, entry, exit], are of values that are seen only if they lie above `entry` and up
    to `exit`, such as lives that had to last until a study began; all probabilities are then
    divided by P(entry < Y <= exit). `skmle.censored` builds such rows.

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
        return Observation(columns=2, finite=False, also=(4,))

    @property
    def shortcuts(self) -> Shortcuts:  # type: ignore[override]
        return Shortcuts(starts=self.inner.shortcuts.starts if self._exact == 1.0 else "near")

    may_be_unbounded = False  # the exact rows do not tell it alone

    @property
    def limits(self) -> tuple[Limit, ...]:
        found = super().limits
        if self._exact < 1.0:
            found = (*found, *(self._around_limit(limit) for limit in self.inner.limits_of_tails))
        return found

    @property
    def observations(self) -> str:
        between = f"with a possible value between ({self.inner.observations})"
        window = "or [lower, upper, entry, exit] with such a value above entry and up to exit"
        return f"rows [lower, upper], lower <= upper, {between}, {window}"

    def adapt(self, y: Array) -> Family:
        inner = self.inner
        if inner.observation != Observation() or not inner.support.fixed:
            raise ValueError(
                f"Censored: an interval is not defined for {inner.title}. Allowed: families of one "
                "column of numbers whose support is fixed. Choose one of them."
            )
        learnt = self.around(inner.adapt(_possible(inner, y)))
        # Most data show at once that they tell something.
        if all((learnt._known(rows) == NOTHING).all() for rows in (y[:_CHECKED], y)):
            raise ValueError(
                f"Censored: all {len(y)} rows hold every value of {inner.title}, so they tell "
                "nothing. Allowed: some row with an end inside the support. Leave such rows out."
            )
        learnt._exact = float(np.count_nonzero(y[..., 0] == y[..., 1]) / len(y))
        _check_restored(inner, y)
        return learnt

    def _known(self, y: Array) -> NDArray[np.intp]:
        """Return what is known of each row, whatever could be seen of it."""
        return known_of(self.inner.support, y[..., 0], y[..., 1])

    def contains(self, y: Array) -> NDArray[np.bool_]:
        support = self.inner.support
        lower, upper, window = self._split(y)
        exact = lower == upper
        seen: NDArray[np.bool_] | np.bool_ = np.True_
        if window:
            first, last = window
            above = first <= lower if support.discrete else first < lower
            seen = (first <= last) & (~exact | (above & (lower <= last)))
        first, last = ends_of(support, lower, upper)
        if support.discrete:  # some whole number of the support lies between
            meets = np.maximum(first, support.low) <= np.minimum(last, support.high)
        else:
            meets = (lower < upper) & (upper > support.low) & (lower < support.high)
        finite = np.isfinite(lower)
        inside = finite & self.inner.contains(np.where(finite, lower, 0.0))
        return seen & ((exact & inside) | (~exact & meets))

    def takes(self, y: Array) -> NDArray[np.bool_]:
        return self.contains(y)  # an interval of rates has no meaning

    # ---------------------------------------------------------------- statistics

    def statistics(self, y: Array) -> Arrays:
        """Return what is known of each row, and of its window, the interval that can be seen."""
        lower, upper, window = self._split(y)
        known = statistics_of(self.inner, lower, upper)
        return (*known, *statistics_of(self.inner, *window)) if window else known

    def _split(self, y: Array) -> tuple[Array, Array, tuple[Array, ...]]:
        """Return the ends of what is known of each row, and those of its window, or ()."""
        lower, upper, *window = np.moveaxis(np.asarray(y, float), -1, 0)
        if not window:
            return lower, upper, ()
        entry, leave = window
        first = seen_from(self.inner.support, entry)
        return *within(lower, upper, first, leave), (first, leave)

    def base(self, statistics: Arrays) -> Array:
        some, _, _, kind = groups_of(statistics)
        return np.where(kind == EXACT, self.inner.base(some), 0.0)

    def alike(self, statistics: Arrays) -> Array | None:
        return groups_of(statistics)[-1]

    def densities(self, statistics: Arrays) -> Array:
        some, _, _, kind = groups_of(statistics)
        return np.where(kind == EXACT, self.inner.densities(some), 0.0)

    # ---------------------------------------------------------------- the formula

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        known, window = known_and_window(statistics)
        rows = rows_of_known(self.inner, known, eta, order)
        if not window:
            return rows
        return add(rows, rows_of_known(self.inner, window, eta, order), -1.0)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        """Return the tails beyond values inside the intervals."""
        return self.inner.tail(groups_of(statistics)[0], eta, upper, order)

    # ---------------------------------------------------------------- starts and units

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the starts of the family inside for a value inside each interval."""
        some = groups_of(statistics)[0]
        with np.errstate(all="ignore"):  # values that are all equal, though the intervals are not
            found = self.inner.starts(some, weight)
        return [tuple(e if np.isfinite(e) else 0.0 for e in start) for start in found]

    def smoothings(self) -> tuple[Family, ...]:
        return super().smoothings() if self._exact else ()  # a tail has no cusps

    @property
    def kinked(self) -> bool:
        return self.inner.kinked and self._exact > 0.0

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the origin and the unit of values inside the intervals.

        At the bounds of intervals many values are nearly equal, so that quartiles may lie next to
        each other although the law is wide. The unit is then the root mean square distance.
        """
        values = groups_of(statistics)[0]
        centre, spread = self.inner.centre_and_spread(values, weight)
        away = np.abs(values[0] - centre)
        largest = float(away.max())
        if not largest > 0.0:
            return centre, spread
        square = np.average((away / largest) ** 2, weights=weight)  # without overflow
        return centre, max(spread, largest * float(np.sqrt(square)))

    def standardise(self, statistics: Arrays, origin: float, unit: float) -> Arrays:
        return each_group(lambda group: self.inner.standardise(group, origin, unit), statistics)

    # ---------------------------------------------------------------- verdicts

    def _at_limit(self, observe: Observe) -> Observe:
        return partial(each_group, observe)

    def saturated(self, statistics: Arrays) -> Saturated | None:
        some, _, _, kind = groups_of(statistics)
        return self.inner.saturated(some) if (kind == EXACT).all() else None

    def beside(self, statistics: Arrays, first: Array, weight: Array | None) -> Arrays | None:
        return None  # tails have no closed form

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return the way to where the law shrinks to a point that all rows allow, and why.

        None if it does not. Exact values that are all equal have a density without bound there.
        Without exact values the likelihood tends to one, which no other law reaches.
        """
        some, low, high, kind = groups_of(statistics)
        bounded_below = (kind == ABOVE) | (kind == BETWEEN)
        bounded_above = (kind == BELOW) | (kind == BETWEEN)
        # The first statistic grows with the observation.
        least = low[0].take(np.flatnonzero(bounded_below)).max(initial=-np.inf)
        most = high[0].take(np.flatnonzero(bounded_above)).min(initial=np.inf)
        at = np.flatnonzero(kind == EXACT)
        if len(at):
            values = of_rows(some, at)
            if not (least <= values[0].min() and values[0].max() <= most):
                return None
            return self.inner.unbounded(values, None if weight is None else weight[at])
        if not least < most:
            return None
        ends = [
            float(self.inner.restore(g)[i])
            for g, i in (
                (low, np.argmax(np.where(bounded_below, low[0], -np.inf))),
                (high, np.argmin(np.where(bounded_above, high[0], np.inf))),
            )
        ]
        point = self.inner.support.between(
            ends[0] if bounded_below.any() else -np.inf, ends[1] if bounded_above.any() else np.inf
        )
        limit = self.inner.saturated(self.inner.statistics(np.array([point])))
        reason = "all intervals have values in common, so the law shrinks to a point among them"
        return None if limit is None else ((float(limit.first[0]), *limit.others), reason)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        some, _, _, kind = groups_of(statistics)
        exact = kind == EXACT
        known, (_, window) = self.inner.recession(some, delta), known_and_window(statistics)
        if known is None or window:
            return None
        if exact.all():
            return known
        falls = never_rises(
            lambda eta: self.evaluate(statistics, eta, 0).value, delta, len(kind), least=0.0
        )
        return np.where(exact, known, np.where(falls, 0.0, np.inf))

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        some, _, _, kind = groups_of(statistics)
        at = np.flatnonzero(kind == EXACT)
        if not len(at):
            return None
        return self.inner.without_bound(of_rows(some, at), of_rows(eta, at, len(kind)))

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        return self.inner.nonregular(eta) if self._exact else ()  # intervals have no densities

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        law = self.predicted(theta)

        def probability(lower: Array, upper: Array) -> Array:
            first, last = ends_of(self.inner.support, lower, upper)
            before = first - 1.0 if self.inner.support.discrete else lower
            return np.log(law.cdf(last) - law.cdf(before))

        lower, upper, window = self._split(y)
        with np.errstate(divide="ignore", invalid="ignore"):
            exact = law.log_prob(np.where(np.isfinite(lower), lower, 0.0))
            known = np.where(lower == upper, exact, probability(lower, upper))
            if window:
                known = known - probability(*window)
        return np.where(self.contains(y), known, -np.inf)


def _possible(inner: Family, y: Array) -> Array:
    """Return the lower end of each row, of open ones the upper end, to learn from."""
    lower, upper = y[..., 0], y[..., 1]
    values = np.where(np.isfinite(lower), lower, upper)
    values = values[np.isfinite(values)]
    inside = inner.contains(values)
    return values[inside] if inside.any() else values


def _check_restored(inner: Family, y: Array) -> None:
    """Raise ValueError if a family does not tell the observations that have its statistics.

    Tails are asked of the statistics, and by default of the observations behind them.
    """
    ends = y[:: max(len(y) // _CHECKED, 1)]
    ends = ends[np.isfinite(ends) & inner.contains(np.where(np.isfinite(ends), ends, 0.0))]
    restored = inner.restore(inner.statistics(ends))
    wrong = ~np.isclose(restored, ends, rtol=1e-9, atol=0.0)
    if wrong.any():
        raise ValueError(
            f"Censored: {inner.title}.restore gives {restored[wrong][0]:g} for the statistics of "
            f"{ends[wrong][0]:g}. Allowed: the observation itself. State `restore`, the inverse of "
            "`statistics`, in the family."
        )
