"""Quantiles, moments and entropy of a law that scipy does not have, from `cdf` and `log_prob`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Arrays
from skmle.families.tools import ranks
from skmle.families.tools.averages import FamilyRows
from skmle.families.tools.expectation import expectation

if TYPE_CHECKING:
    from skmle.families.law import Law


def quantile(law: Law, q: Array, theta: Arrays) -> Array:
    """Return the smallest y with P(Y <= y) >= q, to the last digit."""
    return _least(law, q, theta, lambda y, level, parameters: law.cdf(y, parameters) >= level, 0.0)


def upper_quantile(law: Law, q: Array, theta: Arrays) -> Array:
    """Return the smallest y with P(Y > y) <= q, to the last digit."""
    return _least(law, q, theta, lambda y, level, parameters: law.sf(y, parameters) <= level, 1.0)


def _least(
    law: Law,
    q: Array,
    theta: Arrays,
    reached: Callable[[Array, Array, Arrays], NDArray[np.bool_]],
    lowest: float,
) -> Array:
    """Return the smallest y at which a level is reached.

    At the levels 0 and 1 it is an end of the support. The search halves the floating-point numbers,
    in their order, 64 times. So it is exact at every scale, and at the steps of discrete laws, too.
    """
    level, *parameters = np.broadcast_arrays(np.asarray(q, float), *theta)
    result = ranks.least(lambda y: reached(y, level, tuple(parameters)), level.shape, law.support)
    result = np.where(level == lowest, law.support.low, result)
    result = np.where(level == 1.0 - lowest, law.support.high, result)
    unknown = np.isnan(level) | (level < 0.0) | (level > 1.0)
    for parameter in parameters:
        unknown = unknown | np.isnan(parameter)
    return np.where(unknown, np.nan, result)


# ---------------------------------------------------------------- moments and entropy


class _Moment:
    """(y - centre)^power in place of a log-probability, so that `expectation` averages it."""

    def __init__(self, law: FamilyRows, centre: Array, power: int) -> None:
        self.law, self.centre, self.power = law, centre, power
        self.discrete, self.size = law.discrete, law.size

    def take(self, rows: Any) -> _Moment:
        return _Moment(self.law.take(rows), self.centre[rows], self.power)

    def log_prob(self, y: Array) -> Array:
        return (y - self.centre) ** self.power

    def quantiles(self, levels: Sequence[float]) -> Array:
        return self.law.quantiles(levels)

    def support(self) -> tuple[Array, Array]:
        return self.law.support()

    def mirror(self) -> None:
        return None


def _rows(law: Any, theta: Arrays) -> tuple[FamilyRows, tuple[int, ...]]:
    values = np.broadcast_arrays(*(np.asarray(value, float) for value in theta))
    return FamilyRows(law, tuple(value.ravel() for value in values)), values[0].shape


def mean(law: Law, theta: Arrays) -> Array:
    """Return E[y] by summing or integrating y q(y)."""
    rows, shape = _rows(law, theta)
    return _moment(rows, np.zeros(rows.size), 1).reshape(shape)


def variance(law: Law, theta: Arrays) -> Array:
    """Return Var[y] by summing or integrating the squared distance from the mean."""
    rows, shape = _rows(law, theta)
    return _moment(rows, _moment(rows, np.zeros(rows.size), 1), 2).reshape(shape)


def _moment(rows: FamilyRows, centre: Array, power: int) -> Array:
    return expectation(rows, _Moment(rows, centre, power), lambda log_p, moment: moment)


def entropy(law: Law, theta: Arrays) -> Array:
    """Return E[-log q(Y)] by summing or integrating it.

    scipy's own sums are not used, because they end too early where the mean is large.
    """
    rows, shape = _rows(law, theta)
    value = expectation(rows, rows, lambda log_p, log_q: -log_p).reshape(shape)
    unknown = sum(np.isnan(np.asarray(parameter, float)) for parameter in theta)
    return np.where(np.asarray(unknown) > 0, np.nan, value)
