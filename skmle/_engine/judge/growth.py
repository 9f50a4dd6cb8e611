"""How -log q of each row grows along a direction: as its law says, or by the row's own numbers.

Families of known laws state their limits in closed form. The numbers of any other law, a wrapper's
or a user's, are looked at in a few points on the way out.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Array, Looks
from skmle._engine.judge.behind import of_charts
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import IDENTITY, Arrays, Family
from skmle.families.ends import towards_limits
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

    Eta under the identity has the unit of y, in most laws; other eta are pure numbers.
    """
    units = [1.0] * len(objective.design.terms)
    named = [j for j in range(len(units)) if family.link(j) is IDENTITY]
    if named:
        y = np.asarray(family.restore(objective.statistics), float)
        finite = y[np.isfinite(y)]
        spread = float(np.std(finite) or np.abs(finite).max(initial=0.0)) if len(finite) else 1.0
        for j in named:
            units[j] = spread or 1.0
    means = [float(np.mean(eta)) for eta in objective.etas(coef)]
    pairs = zip(means, units, strict=True)
    origin = [u * float(np.clip(np.nan_to_num(m / u), -_MODERATE, _MODERATE)) for m, u in pairs]
    return Looks(tuple(origin), tuple(units))
