"""Values that are among the data only where they lie in a known range."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import constant_at
from skmle.families.base import Array, Arrays, Family, Rows, Support
from skmle.families.tools import numerical
from skmle.families.tools.cut_counts import variance_above
from skmle.families.tools.known import (
    EXACT,
    given,
    groups_of,
    known_and_window,
    mean_between,
    quantile_between,
    rows_of_known,
    seen_from,
    share_between,
    statistics_of,
    window_of,
)
from skmle.families.wrappers.base import Derived, check_plain
from skmle.families.wrappers.known_values import OfKnown


class Truncated(OfKnown, Derived):
    """The law `family` of values that are seen only above `low` and up to `high`.

    The density or mass is divided by P(low < Y <= high), so that counts of which zero is never seen
    are ``Truncated("poisson", low=0)``. What is predicted is the law of what is seen.

    Rows with ends of their own are for `Censored`.

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        A family of one column of numbers.
    low, high : float
        The ends of what is seen; infinite ones leave a side open.

    References
    ----------
    Cohen (1991), Truncated and Censored Samples.
    Cameron & Trivedi (2013), Regression Analysis of Count Data, ch. 4.3.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> visits = [[1], [1], [2], [1], [3], [2]]  # nobody who never came is among them
    >>> model = MLEDistribution(families.Truncated("poisson", low=0)).fit(visits)
    >>> round(model.params_["mean"], 4)  # of all, those who never came among them
    1.1263
    >>> round(float(model.distribution_.mean()), 4)  # of those seen
    1.6667
    """

    def __init__(self, family: Any = "normal", low: float = -np.inf, high: float = np.inf) -> None:
        super().__init__(family)
        self.low = low
        self.high = high

    def around(self, family: Family) -> Truncated:
        return Truncated(family, self.low, self.high)

    # ---------------------------------------------------------------- what can be seen

    def adapt(self, y: Array) -> Family:
        inner = self.inner
        check_plain(inner, "Truncated: no range can be cut out of")
        support = self.support
        if np.isnan(self.low) or np.isnan(self.high):
            raise ValueError(
                f"Truncated: low={self.low} and high={self.high} are no ends. Allowed: numbers, "
                "-inf and inf. Leave out the end of an open side."
            )
        if not (support.low < support.high or (support.discrete and support.low == support.high)):
            raise ValueError(
                f"Truncated: no value of {inner.title} lies above low={self.low:g} and up to "
                f"high={self.high:g}. Allowed: low < high, with such values between. Mend the ends."
            )
        return super().adapt(y)

    @property
    def support(self) -> Support:  # type: ignore[override]
        inner = self.inner.support
        first = float(seen_from(inner, np.asarray(self.low, float)))
        last = float(np.floor(self.high)) if inner.discrete else float(self.high)
        low, high = max(inner.low, first), min(inner.high, last)
        closed = (
            inner.closed[0] if inner.low > first else inner.discrete,
            inner.closed[1] if high == inner.high else True,
        )
        return replace(inner, low=low, high=high, closed=closed, rates=False)

    observations = Family.observations

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return self.inner.contains(y) & self.support.contains(y)

    # ---------------------------------------------------------------- the formula

    def _window(self, n: int) -> Arrays:
        first = seen_from(self.inner.support, np.full(n, self.low, float))
        return statistics_of(self.inner, first, np.full(n, self.high, float))

    def statistics(self, y: Array) -> Arrays:
        """Return what is known of each row, a value, and of the window."""
        return *statistics_of(self.inner, y, y), *self._window(len(y))

    def base(self, statistics: Arrays) -> Array:
        return self.inner.base(groups_of(statistics)[0])

    def densities(self, statistics: Arrays) -> Array:
        return self.inner.densities(groups_of(statistics)[0])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        _, window = known_and_window(statistics)
        rows = self.inner.evaluate(groups_of(statistics)[0], eta, order)
        return given(rows, window_of(self.inner, window, eta, order))

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        y, (_, window) = self.restore(statistics), known_and_window(statistics)
        first = seen_from(self.inner.support, np.full(len(y), self.low, float))
        above = np.minimum(seen_from(self.inner.support, y), self.high)
        ends = (above, np.full(len(y), self.high)) if upper else (first, y)
        known = statistics_of(self.inner, *ends)
        part = rows_of_known(self.inner, known, eta, order)
        value, *_, kind = groups_of(known)
        single = np.where(kind == EXACT, self.inner.base(value), 0.0)  # an interval of one count
        part = part._replace(value=part.value + single)
        if upper:  # nothing is seen above the last value
            part = constant_at(y >= self.high, np.inf, part)
        return given(part, window_of(self.inner, window, eta, order))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return self.inner.starts(groups_of(statistics)[0], weight)

    # ---------------------------------------------------------------- units and limits

    @property
    def movable(self) -> bool:  # type: ignore[override]
        return self.inner.movable

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        return self.inner.centre_and_spread(groups_of(statistics)[0], weight)

    # ---------------------------------------------------------------- the law

    @property
    def _ends(self) -> tuple[float, float]:
        return float(self.low), float(self.high)

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return share_between(self.inner, self._ends, y, theta, upper=False)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return share_between(self.inner, self._ends, y, theta, upper=True)

    def about_quantile(self, q: Array, theta: Arrays, upper: bool = False) -> Array:
        value = quantile_between(self.inner, self._ends, q, theta, upper)
        return np.clip(value, self.support.low, self.support.high)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        about = self.about_quantile(q, theta)
        counted = self.support.discrete  # where rounding may be a step
        return numerical.quantile(self, q, theta, about) if counted else about

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        about = self.about_quantile(q, theta, True)
        counted = self.support.discrete
        return numerical.upper_quantile(self, q, theta, about) if counted else about

    def mean(self, theta: Arrays) -> Array:
        """Return the mean, from the slope of the window's probability if that tells it."""
        if not self.inner.gradient_tells_mean:
            return super().mean(theta)
        values = np.broadcast_arrays(*(np.asarray(value, float) for value in theta))
        flat = tuple(value.ravel() for value in values)
        mean, lost = mean_between(self.inner, self._window(len(flat[0])), flat)
        if lost.any():
            mean[lost] = super().mean(tuple(value[lost] for value in flat))
        return np.clip(mean, self.support.low, self.support.high).reshape(values[0].shape)

    def variance(self, theta: Arrays) -> Array:
        return variance_above(self, self.inner, theta)
