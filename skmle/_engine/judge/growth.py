"""How -log q of each row grows along a direction: as its law says, or by the row's own numbers.

Families of known laws state their limits in closed form. The numbers of any other law, a wrapper's
or a user's, are looked at in a few points on the way out.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Array, Looks
from skmle._engine.judge.behind import of_charts
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Family
from skmle.families.ends import towards_limits
from skmle.families.links import Link
from skmle.families.tools.intervals import never_rises

# Absolute eta up to which the origin of the looks may lie: exp(-15) is far out, but its products
# with ordinary numbers still show. As in `limits`.
_MODERATE = 15.0


def growth(family: Family, statistics: Arrays, delta: Arrays, looks: Looks | None = None) -> Array:
    """Return lim f(eta + t delta)/t of each row as t -> inf, f = -log q.

    Of laws that do not state it, it is 0 for rows of which f is seen never to rise, else infinity.
    Rows of which a law states nothing, though it states others, are looked at where `looks` say
    from where. It is nan where the change leads beyond the end of a link's domain.

    Parameters
    ----------
    family : Family
    statistics : tuple of ndarray
    delta : tuple of ndarray of shape (n,)
        A change of linked eta.
    looks : Looks, optional
        From where rows are looked at; by default from zero.
    """
    change = of_charts(family, delta)
    with np.errstate(all="ignore"):  # far out some numbers are beyond the doubles
        result = family.recession(statistics, change)
        if result is None:
            result = _by_numbers(family, statistics, delta, looks)
        elif (unknown := np.isnan(result)).any():
            seen = np.inf if looks is None else _by_numbers(family, statistics, delta, looks)
            result = np.where(unknown, seen, result)
    if not family.relinked:
        return result
    beyond = np.isnan(np.stack(np.broadcast_arrays(*change))).any(axis=0)
    return np.where(beyond, np.nan, result)


def _by_numbers(family: Family, statistics: Arrays, delta: Arrays, looks: Looks | None) -> Array:
    """Return 0 for rows that are seen never to become less likely, else infinity."""
    looks = Looks((0.0,) * len(delta), (1.0,) * len(delta)) if looks is None else looks
    falls = never_rises(
        lambda eta: family.rows(statistics, looks.at(eta), 0).value,
        looks.scaled(delta),
        len(delta[0]),
    )
    # Towards a limit law rows may rise so little that no number shows it.
    falls &= ~towards_limits(family, of_charts(family, delta))
    return np.where(falls, 0.0, np.inf)


def looks_at(family: Family, objective: Objective, coef: Array) -> Looks:
    """Return looks from near some coefficients, but not from far out.

    Eta of links that keep units, as the identity or a power, have a unit that follows from that of
    y, in most laws; other eta are pure numbers.
    """
    terms = range(len(objective.design.terms))
    y = np.zeros(0)
    if not all(family.dimensionless(j) for j in terms):
        y = np.asarray(family.restore(objective.statistics), float)
        y = y[np.isfinite(y)]
    origin, units = [], []
    for j, eta in enumerate(objective.etas(coef)):
        pure = family.dimensionless(j) or not len(y)
        centre, unit = (0.0, 1.0) if pure else _centre_and_unit(family.link(j), y)
        reach = _MODERATE * unit
        mean = float(np.nan_to_num(np.mean(eta)))
        origin.append(float(np.clip(mean, min(centre, 0.0) - reach, max(centre, 0.0) + reach)))
        units.append(unit)
    return Looks(tuple(origin), tuple(units))


def _centre_and_unit(link: Link, y: Array) -> tuple[float, float]:
    """Return the eta of a mean of y, and the change of eta as y changes by its spread."""
    middle, spread = float(np.mean(y)), float(np.std(y) or np.abs(y).max() or 1.0)
    centre, beside, alone = link.eta(np.array([middle, middle + spread, spread]))
    if not np.isfinite(centre):  # the link has no eta there
        centre, beside = 0.0, alone
    unit = abs(beside - centre)
    return float(centre), float(unit) if 0.0 < unit < np.inf else 1.0
