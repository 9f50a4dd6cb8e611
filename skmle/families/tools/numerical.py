"""What follows numerically of a law that scipy does not have, from `cdf`, `log_prob` and formula.

These are quantiles, moments, entropy, and the law where parameters stand at an end of their range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Arrays, Support
from skmle.families.tools import ranks
from skmle.families.tools.averages import FamilyRows
from skmle.families.tools.expectation import expectation

if TYPE_CHECKING:
    from skmle.families.base import Family
    from skmle.families.law import Law

# Eta of a parameter at an end of its range: exp(-700) is near the least positive number. Between
# half of it and this, what tends to infinity moves by a multiple of 350.
_END, _MOVES = 700.0, 100.0


def quantile(law: Law, q: Array, theta: Arrays, start: Array | None = None) -> Array:
    """Return the smallest y with P(Y <= y) >= q, to the last digit; of counts near `start`."""

    def reached(y: Array, level: Array, parameters: Arrays) -> NDArray[np.bool_]:
        return law.cdf(y, parameters) >= level

    return _least(law, q, theta, reached, 0.0, start)


def upper_quantile(law: Law, q: Array, theta: Arrays, start: Array | None = None) -> Array:
    """Return the smallest y with P(Y > y) <= q, to the last digit; of counts near `start`."""

    def reached(y: Array, level: Array, parameters: Arrays) -> NDArray[np.bool_]:
        return law.sf(y, parameters) <= level

    return _least(law, q, theta, reached, 1.0, start)


def _least(
    law: Law,
    q: Array,
    theta: Arrays,
    reached: Callable[[Array, Array, Arrays], NDArray[np.bool_]],
    lowest: float,
    start: Array | None,
) -> Array:
    """Return the smallest y at which a level is reached.

    At the levels 0 and 1 it is an end of the support. The search halves the floating-point numbers,
    in their order, 64 times. So it is exact at every scale, and at the steps of discrete laws, too.
    Counts are searched about a start.
    """
    level, *parameters = np.broadcast_arrays(np.asarray(q, float), *theta)

    def there(y: Array) -> NDArray[np.bool_]:
        return reached(y, level, tuple(parameters))

    if start is None:
        result = ranks.least(there, level.shape, law.support)
    else:
        with np.errstate(all="ignore"):  # far out in the tails
            result = ranks.least_near(there, np.broadcast_to(start, level.shape), law.support)
    result = np.where(level == lowest, law.support.low, result)
    result = np.where(level == 1.0 - lowest, law.support.high, result)
    unknown = np.isnan(level) | (level < 0.0) | (level > 1.0)
    for parameter in parameters:
        unknown = unknown | np.isnan(parameter)
    return np.where(unknown, np.nan, result)


# ---------------------------------------------------------------- moments and entropy


class _Function:
    """A function of y in place of a log-probability, so that `expectation` averages it."""

    def __init__(
        self,
        law: FamilyRows,
        function: Callable[..., Array],
        parameters: Sequence[Array],
        between: tuple[Array, Array] | None = None,
    ) -> None:
        self.law, self.function, self.parameters = law, function, parameters
        self.between = between
        self.discrete, self.size = law.discrete, law.size

    def take(self, rows: Any) -> _Function:
        low, high = self.support()
        parameters = [p[rows] for p in self.parameters]
        return _Function(self.law.take(rows), self.function, parameters, (low[rows], high[rows]))

    def log_prob(self, y: Array) -> Array:
        value = self.function(y, *self.parameters)
        if self.between is None:
            return value
        low, high = self.between
        return np.where((low <= y) & (y <= high), value, 0.0)

    def quantiles(self, levels: Sequence[float]) -> Array:
        return self.law.quantiles(levels)

    def support(self) -> tuple[Array, Array]:
        return self.law.support() if self.between is None else self.between

    def mirror(self) -> None:
        return None

    def atoms(self) -> tuple[float, ...]:
        return self.law.atoms()

    def log_mass(self, y: Array) -> Array:
        return self.log_prob(y)


def _rows(law: Any, theta: Arrays) -> tuple[FamilyRows, tuple[int, ...]]:
    values = np.broadcast_arrays(*(np.asarray(value, float) for value in theta))
    return FamilyRows(law, tuple(value.ravel() for value in values)), values[0].shape


def average(
    law: Law,
    theta: Arrays,
    function: Callable[..., Array],
    *parameters: Array,
    between: tuple[Array, Array] | None = None,
) -> Array:
    """Return E[function(y, *parameters)] by summing or integrating; inf if it diverges.

    Parameters
    ----------
    law : Law
    theta : tuple of ndarray
        Natural parameters, which broadcast.
    function : callable
        Asked for one y for each law, with the parameters of this law beside it.
    parameters : ndarray
        Numbers on which the function depends, which broadcast with the laws.
    between : tuple of ndarray, optional
        The least and the largest y that count, which broadcast with the laws; all count without.
    """
    rows, shape = _rows(law, theta)

    def spread(value: Array) -> Array:
        return np.broadcast_to(np.asarray(value, float), shape).ravel()

    ends = None if between is None else (spread(between[0]), spread(between[1]))
    gain = _Function(rows, function, [spread(p) for p in parameters], ends)
    return expectation(rows, gain, lambda log_p, value: value).reshape(shape)


def mean(law: Law, theta: Arrays) -> Array:
    """Return E[y] by summing or integrating y q(y)."""
    return average(law, theta, lambda y: y)


def variance(law: Law, theta: Arrays) -> Array:
    """Return Var[y] by summing or integrating the squared distance from the mean."""
    return average(law, theta, lambda y, centre: (y - centre) ** 2, mean(law, theta))


def entropy(law: Law, theta: Arrays) -> Array:
    """Return E[-log q(Y)] by summing or integrating it.

    scipy's own sums are not used, because they end too early where the mean is large.
    """
    rows, shape = _rows(law, theta)
    value = expectation(rows, rows, lambda log_p, log_q: -log_p).reshape(shape)
    unknown = sum(np.isnan(np.asarray(parameter, float)) for parameter in theta)
    return np.where(np.asarray(unknown) > 0, np.nan, value)


# ---------------------------------------------------------------- parameters at an end


def finite_eta(family: Family, theta: Arrays, end: float = _END) -> Arrays:
    """Return chart eta, of parameters at an end of their range those far out."""
    with np.errstate(all="ignore"):
        charts = [p.chart.forward(value) for p, value in zip(family.parameters, theta, strict=True)]
    return tuple(np.where(np.isinf(eta), np.copysign(end, eta), eta) for eta in charts)


def log_prob_at_edge(family: Family, y: Array, theta: Arrays) -> Array:
    """Return log q(y) of one column where some parameter stands at an end of its range.

    It is the limit that the formula shows: its value far out, and infinite where that still moves.
    """
    rows = np.atleast_1d(np.asarray(y, float))
    inside = family.contains(rows)
    shape = np.broadcast_shapes(np.shape(y), *map(np.shape, theta))
    if not inside.any():
        return np.full(shape, -np.inf)
    statistics = family.statistics(np.where(inside, rows, rows[inside][0]))
    with np.errstate(all="ignore"):
        near, far = (
            -family.evaluate(statistics, finite_eta(family, theta, end), 0).value
            for end in (0.5 * _END, _END)
        )
        moves = far - near
        value = np.where(np.abs(moves) > _MOVES, np.sign(moves) * np.inf, far)
        value = np.where(inside, value - family.base(statistics), -np.inf)
    return value.reshape(shape)


# ---------------------------------------------------------------- grids


def wide_grid(support: Support, places: Sequence[float]) -> Array:
    """Return numbers of every size, from the finite ends of a support, or about some places."""
    low, high = (float(np.clip(end, -1e150, 1e150)) for end in (support.low, support.high))
    sizes = np.logspace(-12.0, 12.0, 481)
    if np.isfinite(support.low) and np.isfinite(support.high):
        return low + (high - low) * (np.arange(1, 2000) / 2000.0)
    if np.isfinite(support.low):
        return low + sizes
    if np.isfinite(support.high):
        return high - sizes[::-1]
    grid = np.concatenate([-sizes[::-1], [0.0], sizes])
    return np.unique(np.concatenate([grid, *(place + grid for place in places)]))
