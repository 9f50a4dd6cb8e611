"""The objective: the mean negative log-likelihood of a family on a design, plus penalties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import cuts, strata, total
from skmle._engine.evaluation import Array, Evaluation, Looks
from skmle._engine.likelihood.curvature import RowCurvature, times
from skmle._engine.likelihood.design import Design, Weights
from skmle._engine.likelihood.penalties import Lasso, Penalty, Ridge, total_curvature
from skmle._engine.likelihood.watch import Watch
from skmle.families.base import Arrays, Rows

# Weight from which more of it makes no standard error smaller in the distance to the optimum: of
# the mean gradient, doubles hold 1e-16, which is 1e-9 standard errors at this weight.
_LARGEST_SIZE = 1e14
# Share of the largest change of eta up to which two of them are equal but for rounding, as in the
# proofs of separation.
_SAME = 1e-9


@dataclass
class Objective:
    """The function coef -> mean of -log q over the rows, plus the penalties.

    Terms of -log q that depend on y alone are left out.

    Parameters
    ----------
    rows : callable
        A family's formula, (statistics, eta, order) -> Rows.
    statistics : tuple of ndarrays, each (n,) or (n, ...)
    design : Design
    weight : ndarray of shape (n,), optional
    penalties : tuple of Penalty
        On the coefficients of the design.
    threads : int
    watch : Watch, optional
        It is called with each iterate that a solver accepts.
    lasso : Lasso, optional
        A penalty with cusps, which is no part of an evaluation.
    count : int
        Number of the user's rows, if these are fewer because equal rows were merged.
    squares : ndarray of shape (n,), optional
        As in `Observed`.
    alarm : callable, optional
        (coef, at) -> None. It is called with each accepted iterate, and raises an exception if
        no maximum will be found. Objectives on some of the rows have none.
    looks : Looks, optional
        From where the judge looks at where rows run to.
    together : bool
        Whether a constant added to all eta changes nothing, and all but the first are constants.
    apart : bool
        Whether the formula knows the order `WithoutValue`.
    """

    rows: Callable[[Arrays, Arrays, int], Rows]
    statistics: Arrays
    design: Design
    weight: Array | None = None
    penalties: tuple[Penalty, ...] = ()
    threads: int = 1
    watch: Watch | None = None
    lasso: Lasso | None = None
    count: int = 0
    squares: Array | None = field(default=None, repr=False)
    alarm: Callable[[Array, Evaluation], None] | None = field(default=None, repr=False)
    looks: Looks | None = field(default=None, repr=False)
    together: bool = False
    apart: bool = False
    _samples: dict[int, Objective] = field(default_factory=dict, init=False, repr=False)
    _known: tuple[Array, Evaluation] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.mass = float(self.design.n if self.weight is None else self.weight.sum())
        # Multiplying all weights by a constant moves no maximum, so it must not move the stopping
        # rule either.
        self.size = min(max(self.mass, float(self.design.n), float(self.count)), _LARGEST_SIZE)

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        """Return value, gradient (order 1) and Hessian (order 2) at `coef`.

        They are not finite where the law overflows. Of an order that is a `WithoutValue`, the value
        may be nan.
        """
        if self._known is not None:
            (start, at), self._known = self._known, None
            if order == 2 and np.array_equal(start, coef):
                return at
        if not self.apart or (self.watch is not None and self.watch.verbose):
            order = int(order)  # the formula has the value all the same, or it will be printed
        result = self._mean(partial(self._block, coef=coef, order=order), order)
        for penalty in self.penalties:
            penalty.add(result, coef)
        return result

    def remember(self, coef: Array, at: Evaluation) -> None:
        """Take note of an evaluation of order 2, with which the next may be answered."""
        self._known = coef, Evaluation(at.value, at.gradient, at.hessian)

    def _mean(self, block: Callable[[int, int], Evaluation], order: int) -> Evaluation:
        design = self.design
        with np.errstate(all="ignore"):
            result = total(block, design.n, design.width, design.d**order, self.threads)
        result /= self.mass  # which may be so small that it has no reciprocal
        return result

    def _block(self, low: int, high: int, coef: Array, order: int) -> Evaluation:
        block = self.design.block(low, high)
        rows = self._rows_of(block, low, high, coef, order)
        return self.design.pull(block, rows, self.weights(low, high), order)

    def weights(self, low: int, high: int) -> Weights:
        """Return the weights of some rows."""
        return Weights(high - low, None if self.weight is None else self.weight[low:high])

    def rows_at(self, low: int, high: int, coef: Array, order: int) -> Rows:
        """Return -log q of some rows with its derivatives in eta."""
        return self._rows_of(self.design.block(low, high), low, high, coef, order)

    def _rows_of(self, block: Any, low: int, high: int, coef: Array, order: int) -> Rows:
        return self.rows_of_etas(low, high, self.design.eta(block, low, high, coef), order)

    def rows_of_etas(self, low: int, high: int, eta: Sequence[Array] | Array, order: int) -> Rows:
        """Return -log q of some rows at given eta, with its derivatives."""
        statistics = self.statistics
        if high - low < self.design.n:
            statistics = tuple(s[low:high] if len(s) == self.design.n else s for s in statistics)
        return self.rows(statistics, eta, order)  # type: ignore[arg-type]

    def curvature(self, coef: Array) -> RowCurvature:
        """Return the Hessian at `coef` as an operator."""
        return RowCurvature(self, coef)

    def unpenalised(self, value: float, coef: Array) -> float:
        """Return a value at `coef` less the penalties."""
        cost = sum(penalty.value(coef) for penalty in self.penalties)
        if np.isfinite(cost):
            return value - cost
        # The squares of slopes beside columns next to nothing may overflow.
        return replace(self, penalties=())(coef, 0).value

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.design.n

    def sample(self, m: int) -> Objective:
        """Return the objective on m rows, one at random from each of m equal stretches.

        It has a weak prior on the slopes, as strong as one row from which no eta is beyond 5. The
        prior holds the slopes that the sample does not determine: a column that is rare may be zero
        in the sample, or separate the few rows in which it is not.
        """
        if m not in self._samples:
            part = self.take(strata(self.n, m))
            part.penalties = (*part.penalties, Ridge(part.design.reach() ** 2 / (25.0 * m)))
            self._samples[m] = part
        return self._samples[m]

    def in_single(self) -> Objective:
        """Return this objective with Hessians from products in single precision.

        They take half the time. Products are rounded only where their range allows it.
        """
        return replace(self, design=replace(self.design, single=True))

    def rarest(self) -> float:
        """Return the number of ones in the column of zeros and ones that has the fewest.

        It is inf if there is no such column.
        """
        return np.inf if self.design.blocks is None else self.design.blocks.rarest()

    def statistics_of(self, index: NDArray[np.intp]) -> tuple[Array, ...]:
        """Return the statistics of some rows."""
        return tuple(s[index] if len(s) == self.n else s for s in self.statistics)

    def mean_at(self, etas: Sequence[Array]) -> float:
        """Return the mean of -log q where all rows have these linear predictors."""
        with np.errstate(all="ignore"):
            value = self.rows(self.statistics, tuple(etas), 0).value
        weights = self.weights(0, self.n)
        return weights.total(weights.times(np.asarray(value))) / self.mass

    def take(self, index: NDArray[np.intp]) -> Objective:
        """Return the objective on some rows, gathered."""
        statistics = self.statistics_of(index)
        weight = None if self.weight is None else self.weight[index]
        squares = None if self.squares is None else self.squares[index]
        return replace(
            self,
            statistics=statistics,
            design=self.design.take(index),
            weight=weight,
            squares=squares,
            count=0,
            alarm=None,
        )

    def held(self) -> NDArray[np.bool_]:
        """Return which coefficients a penalty holds, so that they cannot run to infinity."""
        held = total_curvature(self.penalties, np.zeros(self.design.d)) > 0.0
        return held if self.lasso is None else held | (self.lasso.strength > 0.0)

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate that a solver has accepted.

        The distance is that to the optimum, in standard errors.
        """
        if self.watch is not None:
            self.watch(coef, at, distance, self.design.n)
        if self.alarm is not None:
            self.alarm(coef, at)

    def restrict(self, columns: NDArray[np.intp]) -> tuple[Objective, NDArray[np.intp]]:
        """Return the objective of some columns, and which coefficients it keeps.

        The slopes of all other columns are zero.
        """
        design, index = self.design.restrict(columns)
        part = replace(self, design=design, penalties=(), lasso=None, alarm=None)
        return part.penalised_as(self, index), index

    def penalised_as(self, whole: Objective, index: NDArray[np.intp]) -> Objective:
        """Return this objective under the penalties of `whole` on the coefficients `index`."""
        penalties = tuple(penalty.restrict(index) for penalty in whole.penalties)
        lasso = None if whole.lasso is None else whole.lasso.restrict(index)
        return replace(self, penalties=penalties, lasso=lasso)

    def likelihood_at(self, part: Objective, coef: Array) -> Evaluation:
        """Return the mean of -log q with its gradient in all coefficients.

        The coefficients that `part` leaves out are zero.
        """
        design = self.design

        def block(low: int, high: int) -> Evaluation:
            rows = part.rows_at(low, high, coef, 1)
            return design.pull(design.block(low, high), rows, self.weights(low, high), 1)

        return self._mean(block, 1)

    def curvature_along(self, coef: Array, step: Array) -> float:
        """Return step' H step for the likelihood's Hessian at `coef`, without forming it."""
        design, still = self.design, self.design.without_offset()

        def block(low: int, high: int) -> Evaluation:
            delta = still.eta(design.block(low, high), low, high, step)
            pushed = times(self.rows_at(low, high, coef, 2).curvature, delta)
            rows = sum(np.asarray(a * b) for a, b in zip(pushed, delta, strict=True)) * np.ones(
                high - low
            )
            return Evaluation(
                float(rows.sum() if self.weight is None else rows @ self.weight[low:high])
            )

        return self._mean(block, 0).value

    def largest_eta(self, step: Array, units: Array) -> float:
        """Return the largest change of any row's eta along `step`, each parameter's in its unit.

        Offsets have no part in it.
        """
        pairs = zip(self.direction(step), units, strict=True)
        return max((float(np.abs(e).max(initial=0.0)) / unit for e, unit in pairs), default=0.0)

    def etas(self, coef: Array) -> list[Array]:
        """Return the linear predictors at `coef`: per parameter (n,), or 0-d for a constant."""
        etas, offset = self._predictors(coef), self.design.offset
        return etas if offset is None else [etas[0] + offset, *etas[1:]]

    def direction(self, step: Array) -> list[Array]:
        """Return the change of eta along `step`: per parameter (n,), or 0-d for a constant.

        Of changes that differ by what changes nothing, it is the one that moves the fewest eta:
        where columns are centred, rows would else seem to move that stand still.
        """
        delta = self._predictors(step)
        if not self.together:
            return delta
        with np.errstate(over="ignore", invalid="ignore"):  # of a step that is not finite
            common = _most_common(np.atleast_1d(delta[0]), np.array(delta[1:]))
            return [change - common for change in delta]

    def _predictors(self, coef: Array) -> list[Array]:
        """Return the linear predictors at `coef` without the offset."""
        design, still = self.design, self.design.without_offset()
        parts = [
            still.eta(still.block(low, high), low, high, coef)
            for low, high in cuts(design.n, design.width)
        ]
        return [
            np.asarray(column[0]) if np.ndim(column[0]) == 0 else np.concatenate(column)
            for column in zip(*parts, strict=True)
        ]


def _most_common(first: Array, constants: Array) -> float:
    """Return the change of a constant that most constants, and the first eta of most rows, have.

    Of several, it is the smallest.
    """
    changes = np.sort(constants)
    slack = _SAME * max(np.abs(first).max(), np.abs(changes).max())
    counts = (np.abs(changes[:, None] - changes) <= slack).sum(axis=1).astype(float)
    place = np.minimum(np.searchsorted(changes, first - slack), len(changes) - 1)
    same = changes[place] <= first + slack
    counts += np.bincount(place[same], minlength=len(changes)) / len(first)
    return float(changes[np.lexsort((np.abs(changes), -counts))[0]])
