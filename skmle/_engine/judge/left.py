"""What is left of a likelihood where rows have run off, from no more rows than are needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.judge.behind import Behind
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Rows, Softmax

# Share of the rows up to which a sum over those that have run off takes less time than one over
# all. Chosen, not measured.
_FEW_OF_ALL = 0.1
# Derivative of a row at zero that is rounding. Chosen, not measured.
_ROUNDING = 1e-9


def limit_of(objective: Objective, behind: Behind) -> tuple[Objective, NDArray[np.bool_]]:
    """Return the objective that is left where rows have run off, and the certain rows.

    Certain rows stay where they are, whatever the coefficients. The others are so far out that only
    coefficients of hundreds would bring them back.
    """
    limit = behind.limit(objective)
    certain = certain_rows(limit, behind)
    if not certain.any():
        return limit, certain
    inner, offset, n = limit.rows, objective.design.offset, objective.design.n

    def rows(statistics: Arrays, eta: Arrays, order: int) -> Rows:
        *own, still, first = statistics
        etas = [np.where(still == 0.0, e, 0.0) for e in eta]
        etas[0] = etas[0] + first
        return inner(tuple(own), tuple(etas), order)

    first = np.where(certain, np.zeros(n) if offset is None else offset, 0.0)
    statistics = (*limit.statistics, certain.astype(float), first)
    return replace(limit, rows=rows, statistics=statistics), certain


class Left:
    """What is left, as a sum over the rows on which a coefficient still has an influence.

    The others add a constant. Where many are left, or penalties, the sum is over all rows.
    """

    def __init__(self, limit: Objective, certain: NDArray[np.bool_]) -> None:
        self.part, self.size, self.share, self.rest = limit, limit.size, 1.0, 0.0
        if limit.penalties or certain.all() or certain.mean() < 1.0 - _FEW_OF_ALL:
            return
        self.part = limit.take(np.flatnonzero(~certain))
        others = limit.take(np.flatnonzero(certain))
        self.share = self.part.mass / limit.mass
        at_zero = others(np.zeros(limit.design.d), 0)
        self.rest = at_zero.value * others.mass / limit.mass

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        result = self.part(coef, order)
        result *= self.share
        result.value += self.rest
        return result


def left_at(
    coef: Array, whole: Evaluation, objective: Objective, limit: Objective, behind: Behind
) -> Evaluation:
    """Return the evaluation of what is left, given that of all rows at the same coefficients.

    They differ in the rows that have run off. Where these are few, to sum over them is enough.
    """
    moved = np.flatnonzero(behind.moved)
    if whole.hessian is None or len(moved) > _FEW_OF_ALL * objective.n:
        return limit(coef)
    before, after = (replace(of.take(moved), penalties=()) for of in (objective, limit))
    less, result = before(coef), after(coef)
    less *= -1.0
    result += less
    result *= before.mass / objective.mass
    result += whole
    return result


def certain_rows(limit: Objective, behind: Behind) -> NDArray[np.bool_]:
    """Return the rows that have run off and on which no coefficient has an influence any more.

    At coefficients of zero an influence would show, by a slope or, at a maximum, by a curvature.
    """
    moved = np.flatnonzero(behind.moved)
    result = np.zeros(limit.design.n, bool)
    if len(moved):
        etas = [np.zeros(len(moved)) for _ in limit.design.terms]
        if limit.design.offset is not None:
            etas[0] = limit.design.offset[moved]
        with np.errstate(all="ignore"):
            rows = limit.rows(limit.statistics_of(moved), tuple(etas), 2)
        assert rows.gradient is not None and rows.curvature is not None
        # A class without slope has no curvature.
        bends = () if isinstance(rows.curvature, Softmax) else rows.packed
        derivatives = [*rows.gradient, *(entry for entry in bends if entry is not None)]
        still = [np.broadcast_to(np.abs(e) <= _ROUNDING, (len(moved),)) for e in derivatives]
        result[moved] = np.all(still, axis=0)
    return result
