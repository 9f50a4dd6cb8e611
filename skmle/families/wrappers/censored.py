"""Observations of which only an interval is known: rows [lower, upper]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import of_rows
from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Observation,
    Rows,
    Saturated,
    Shortcuts,
)
from skmle.families.tools import known_rows
from skmle.families.tools.known import (
    EXACT,
    given,
    groups_of,
    known_and_window,
    rows_of_known,
    split,
    statistics_of,
)
from skmle.families.wrappers.base import check_plain
from skmle.families.wrappers.known_values import OfKnown


class Censored(OfKnown):
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

    _exact = 0.5  # learnt: 1 if all rows are exact, 0 if none is, else 1/2

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
    def observations(self) -> str:
        between = f"with a possible value between ({self.inner.observations})"
        window = "or [lower, upper, entry, exit] with such a value above entry and up to exit"
        return f"rows [lower, upper], lower <= upper, {between}, {window}"

    def adapt(self, y: Array) -> Family:
        inner = self.inner
        check_plain(inner, "Censored: an interval is not defined for")
        learnt = self.around(inner.adapt(known_rows.possible(inner, y)))
        known_rows.check_informative(learnt.inner, y)
        exact = y[..., 0] == y[..., 1]
        learnt._exact = 0.5 * (float(exact.any()) + float(exact.all()))
        known_rows.check_restored(inner, y)
        return learnt

    def contains(self, y: Array) -> NDArray[np.bool_]:
        lower, upper, window = split(self.inner.support, y)
        return known_rows.allowed(self.inner, lower, upper, window)

    def takes(self, y: Array) -> NDArray[np.bool_]:
        return self.contains(y)  # an interval of rates has no meaning

    # ---------------------------------------------------------------- statistics

    def statistics(self, y: Array) -> Arrays:
        """Return what is known of each row, and of its window, the interval that can be seen."""
        lower, upper, window = split(self.inner.support, y)
        known = statistics_of(self.inner, lower, upper)
        return (*known, *statistics_of(self.inner, *window)) if window else known

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
        return given(rows, rows_of_known(self.inner, window, eta, order))

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
        return known_rows.centre_and_spread(self.inner, statistics, weight)

    # ---------------------------------------------------------------- verdicts

    def saturated(self, statistics: Arrays) -> Saturated | None:
        some, _, _, kind = groups_of(statistics)
        return self.inner.saturated(some) if (kind == EXACT).all() else None

    def beside(self, statistics: Arrays, first: Array, weight: Array | None) -> Arrays | None:
        return None  # tails have no closed form

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        return known_rows.unbounded(self.inner, statistics, weight)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        return known_rows.recession(self, statistics, delta)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        some, _, _, kind = groups_of(statistics)
        at = np.flatnonzero(kind == EXACT)
        if not len(at):
            return None
        return self.inner.without_bound(of_rows(some, at), of_rows(eta, at, len(kind)))

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        return self.inner.nonregular(eta) if self._exact else ()  # intervals have no densities

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        law, support = self.predicted(theta), self.inner.support
        known = known_rows.log_prob_by_cdf(law, support, *split(support, y))
        return np.where(self.contains(y), known, -np.inf)
