"""What follows from what is known of each row: which rows are possible, units, and verdicts.

The statistics are those of `skmle.families.tools.known.statistics_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import of_rows
from skmle.families.base import Array, Arrays, Family, Support
from skmle.families.ends import towards_limits
from skmle.families.tools.intervals import never_rises
from skmle.families.tools.known import (
    ABOVE,
    BELOW,
    BETWEEN,
    EXACT,
    NOTHING,
    ends_of,
    groups_of,
    known_and_window,
    known_of,
    mass_at_low,
)

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution
    from skmle.families.wrappers.base import Wrapper

_CHECKED = 100  # rows on whose ends it is seen whether a family restores its observations

# ---------------------------------------------------------------- observations


def possible(inner: Family, y: Array) -> Array:
    """Return the lower end of each row, of open ones the upper end, to learn from."""
    lower, upper = y[..., 0], y[..., 1]
    values = np.where(np.isfinite(lower), lower, upper)
    finite = np.isfinite(values)
    values = values if finite.all() else values[finite]
    inside = inner.contains(values)
    return values if inside.all() or not inside.any() else values[inside]


def check_restored(inner: Family, y: Array) -> None:
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


def check_informative(inner: Family, y: Array) -> None:
    """Raise ValueError if no row tells anything, as where all hold every value of the law."""

    def nothing(rows: Array) -> bool:
        return bool((known_of(inner, rows[..., 0], rows[..., 1]) == NOTHING).all())

    if nothing(y[:_CHECKED]) and nothing(y):  # most data show at once that they tell something
        raise ValueError(
            f"Censored: all {len(y)} rows hold every value of {inner.title}, so they tell "
            "nothing. Allowed: some row with an end inside the support. Leave such rows out."
        )


def allowed(
    inner: Family, lower: Array, upper: Array, window: tuple[Array, ...]
) -> NDArray[np.bool_]:
    """Return for each row whether a possible value lies in it, and can be seen in its window."""
    support = inner.support
    exact = lower == upper
    seen: NDArray[np.bool_] | np.bool_ = np.True_
    if window:
        first, last = window
        above = first <= lower if support.discrete else first < lower
        seen = (first <= last) & (~exact | (above & (lower <= last)))
    first, last = ends_of(support, lower, upper)
    if support.discrete:  # some whole number of the support lies between
        meets = np.maximum(first, support.low) <= np.minimum(last, support.high)
        meets &= ~exact
    else:
        above = upper >= support.low if mass_at_low(inner) else upper > support.low
        meets = (lower < upper) & above & (lower < support.high)
    finite = np.isfinite(lower)
    inside = exact & finite & inner.contains(np.where(finite, lower, 0.0))
    return seen & (inside | meets)


def log_prob_by_cdf(
    law: Distribution, support: Support, lower: Array, upper: Array, window: tuple[Array, ...]
) -> Array:
    """Return log q of values, and the log-probability of intervals, by the cdf of a law."""

    def probability(lower: Array, upper: Array) -> Array:
        first, last = ends_of(support, lower, upper)
        before = first - 1.0 if support.discrete else lower
        return np.log(law.cdf(last) - law.cdf(before))

    with np.errstate(divide="ignore", invalid="ignore"):
        exact = law.log_prob(np.where(np.isfinite(lower), lower, 0.0))
        known = np.where(lower == upper, exact, probability(lower, upper))
        if window:
            known = known - probability(*window)
    return known


def centre_and_spread(
    inner: Family, statistics: Arrays, weight: Array | None
) -> tuple[float, float]:
    """Return the origin and the unit of values inside the intervals.

    At the bounds of intervals many values are nearly equal, so that quartiles may lie next to each
    other although the law is wide. The unit is then the root mean square distance.
    """
    values = groups_of(statistics)[0]
    centre, spread = inner.centre_and_spread(values, weight)
    away = np.abs(values[0] - centre)
    largest = float(away.max())
    if not largest > 0.0:
        return centre, spread
    square = np.average((away / largest) ** 2, weights=weight)  # without overflow
    return centre, max(spread, largest * float(np.sqrt(square)))


# ---------------------------------------------------------------- verdicts


def unbounded(
    inner: Family, statistics: Arrays, weight: Array | None
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
        return inner.unbounded(values, None if weight is None else weight[at])
    if not least < most:
        return None
    ends = [
        float(inner.restore(g)[i])
        for g, i in (
            (low, np.argmax(np.where(bounded_below, low[0], -np.inf))),
            (high, np.argmin(np.where(bounded_above, high[0], np.inf))),
        )
    ]
    point = inner.support.between(
        ends[0] if bounded_below.any() else -np.inf, ends[1] if bounded_above.any() else np.inf
    )
    limit = inner.saturated(inner.statistics(np.array([point])))
    reason = "all intervals have values in common, so the law shrinks to a point among them"
    return None if limit is None else ((float(limit.first[0]), *limit.others), reason)


def recession(law: Wrapper, statistics: Arrays, delta: Arrays) -> Array | None:
    """Return lim f(eta + t delta)/t of each row: see `Family.recession`."""
    some, _, _, kind = groups_of(statistics)
    exact = kind == EXACT
    known, (_, window) = law.inner.recession(some, delta), known_and_window(statistics)
    if known is None or window:
        return None
    if exact.all():
        return known
    falls = never_rises(
        lambda eta: law.evaluate(statistics, eta, 0).value, delta, len(kind), least=0.0
    )
    falls &= ~towards_limits(law, delta)
    return np.where(exact, known, np.where(falls, 0.0, np.inf))
