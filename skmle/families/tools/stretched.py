"""Laws of positive numbers that are still of their family in another unit: see `Stretch`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, Rows, average, triangle

# Factor of its own scale at which a law is asked how its density leaves zero: of a Weibull shape of
# 0.1, a power of y, less than 1e-9 is left there.
_AT_ZERO = 1e-100
# By how much a power of y may miss a whole number: the rounding of a logarithm of 1e-100 leaves
# 1e-12.
ROUNDING = 1e-6


class InGeometricMean(Family):
    """The base of laws whose regressions measure y in its geometric mean.

    Their first statistic is y. The logarithm of a mean of 1e6 has two digits less after the point
    than the differences of precise measurements need; about 0 it has them all.
    """

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        return 0.0, float(np.exp(average(np.log(statistics[0]), weight)))

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        y, _, *more = statistics
        return (*self.statistics((y - origin) / unit), *more)


def with_factor(
    rows: Rows, moves: Sequence[float], jet: tuple[Array, Array], densities: float
) -> Rows:
    """Return rows with derivatives in one more variable, in which log y has those given.

    A factor of y moves each eta by its `moves`, and -log of a density by the factor's logarithm
    more. So f_l = densities - sum of moves f_j is the derivative in l = log y.

    Parameters
    ----------
    rows : Rows
    moves : sequence of float
        Those of the law's `Stretch`.
    jet : tuple of two ndarrays
        The first and the second derivative of log y in the variable.
    densities : float
        1 if the rows are -log of densities, 0 if they are of probabilities.
    """
    if rows.gradient is None:
        return rows
    k, (share, curve) = len(rows.gradient), jet
    along = densities - sum(m * g for m, g in zip(moves, rows.gradient, strict=True))
    gradient = (*rows.gradient, share * along)
    if rows.curvature is None:
        return Rows(rows.value, gradient)
    known = dict(zip(triangle(k), rows.packed, strict=True))
    cross: list[Any] = [np.zeros(())] * k  # the derivatives of f_l in each eta
    for (a, b), entry in known.items():
        if entry is not None:
            cross[a] = cross[a] - moves[b] * entry
            cross[b] = cross[b] - (moves[a] * entry if a != b else 0.0)
    bend = -sum(m * c for m, c in zip(moves, cross, strict=True))
    for j in range(k):
        known[j, k] = share * cross[j]
    known[k, k] = share * share * bend + curve * along
    return Rows(rows.value, gradient, tuple(known[place] for place in triangle(k + 1)))


def power_at_zero(family: Family, eta: Arrays) -> Array:
    """Return the power a with which a density leaves zero, as y^(a - 1): infinite if smoothly."""
    # Where all parameters are held, the mean tells the unit.
    size = np.exp(np.asarray(eta[0], float)) if eta else family.predicted(()).mean()
    unit = _AT_ZERO * size

    def value(y: Array) -> Array:
        statistics = family.statistics(np.atleast_1d(y))
        return family.evaluate(statistics, eta, 0).value + family.base(statistics)

    with np.errstate(all="ignore"):
        found = 1.0 + (value(unit) - value(np.e * unit))
    return np.where(np.isnan(found), np.inf, found)


def starts_at_once(family: Family) -> bool:
    """Return whether a density is a positive number at zero, whatever its parameters are."""
    tried = ((np.asarray(e),) * len(family.parameters) for e in (-1.0, 0.0, 1.0))
    return all(abs(float(power_at_zero(family, eta)[0]) - 1.0) < ROUNDING for eta in tried)
