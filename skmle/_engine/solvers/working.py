"""The working set of columns of a fit with absolute penalties, and what was found out on it.

All other columns have slopes of zero. The set grows until no slope outside of it can leave zero. It
has the Hessian of the likelihood at a point nearby, which steps correct by what they show of it,
and the gradient in all coefficients. A path of penalties hands it from one penalty to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dger

from skmle._engine.evaluation import Array, Evaluation, Solution

# All values were chosen, not measured.
# Share of a Hessian's diagonal that is always added: directions in which the likelihood is flat
# (equal columns, more columns than rows) need some curvature. `proximal` adds it to its models.
NUGGET = 1e-11
# Least share of the curvature of the present Hessian along a step that the change of the gradient
# must show, so that the Hessian is corrected by it.
_CURVED = 1e-3
# A working set grows to at most this many times its size, or by `_FEWEST` columns.
_GROWTH = 2
_FEWEST = 32
# Share of its penalty that the slope of the likelihood along a column must have, so that the column
# comes in beside those that must.
_NEARLY = 0.6
# Share of the penalty by which the slope of a coefficient at zero may exceed it, by rounding.
_OUTSIDE = 1e-9


class PenalisedObjective(Protocol):
    """What this solver needs of an objective."""

    size: float
    design: Any
    penalties: Any
    lasso: Any

    def __call__(self, coef: Array, order: int = 2) -> Evaluation: ...

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate and its distance to the optimum."""

    def restrict(self, columns: NDArray[np.intp]) -> tuple[Self, NDArray[np.intp]]:
        """Return the objective on some columns, and the indices of the coefficients it keeps."""

    def penalised_as(self, whole: Any, index: NDArray[np.intp]) -> Self:
        """Return the same objective under the penalties that another has on these coefficients."""

    def likelihood_at(self, part: Any, coef: Array) -> Evaluation:
        """Return the likelihood, with its gradient in all coefficients, at a point of a part."""


P = TypeVar("P", bound=PenalisedObjective)


@dataclass
class Working(Generic[P]):
    """A working set of columns with the objective, its Hessian and its gradient there.

    Parameters
    ----------
    objective : PenalisedObjective
        The objective on all columns.
    columns : ndarray of int
        Indices of the columns in the set, increasing.
    """

    objective: P
    columns: NDArray[np.intp]
    end: Array | None = None
    """Where the last search ended, in all coefficients."""
    there: Evaluation | None = None
    """The likelihood there, with its gradient in all coefficients."""
    hessian: Array | None = field(default=None, repr=False)
    """Hessian of the likelihood in the coefficients of `part`, at a point nearby."""

    def __post_init__(self) -> None:
        self.part, self.index = self.objective.restrict(self.columns)

    @classmethod
    def around(cls, objective: P, start: Array) -> Working[P]:
        """Return the set of the columns whose slopes are not all zero."""
        carriers = objective.design.carriers()
        return cls(objective, np.unique(carriers[(carriers >= 0) & (start != 0.0)]))

    def under(self, objective: P) -> Working[P]:
        """Take another objective of the same likelihood: only its penalties are new."""
        self.objective, self.part = objective, self.part.penalised_as(objective, self.index)
        return self

    @property
    def kink(self) -> Array:
        """The absolute penalty of each coefficient of `part`."""
        return self.part.lasso.strength

    def ridge(self, coef: Array) -> Array:
        """Return the curvature that the other penalties add to each coefficient of `part`.

        Only what is convex and on the diagonal of their Hessian counts here; the rest is part of
        `hessian`, as if it belonged to the likelihood.
        """
        zero = np.zeros(len(self.index))
        return sum((np.maximum(p.curvature(coef), 0.0) for p in self.part.penalties), zero)

    @property
    def gradient(self) -> Array:
        """Gradient of the likelihood, in all coefficients, where the last search ended."""
        assert self.there is not None and self.there.gradient is not None
        return self.there.gradient

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate of `part`, in all coefficients."""
        whole = np.zeros(self.objective.design.d)
        whole[self.index] = coef
        self.objective.accepted(whole, at, distance)

    def measure(self, coef: Array) -> None:
        """Compute the gradient in all coefficients, where a search has ended."""
        self.end = coef.copy()
        self.there = self.objective.likelihood_at(self.part, coef[self.index])

    def evaluate(self, coef: Array) -> Evaluation:
        """Return value and gradient of `part`.

        Where the last search ended they were computed before, and need no pass over the rows.
        """
        if self.end is None or not np.array_equal(self.end[self.index], coef):
            return self.part(coef, 1)
        at = Evaluation(self.there.value, self.gradient[self.index])  # type: ignore[union-attr]
        for penalty in self.part.penalties:
            penalty.add(at, coef)
        return at

    def grow(self) -> bool:
        """Let in the columns whose slopes cannot stay zero; return whether there were any.

        Some columns whose slopes are near to leaving zero come in with them.
        """
        kink, carriers = self.objective.lasso.strength, self.objective.design.carriers()
        slopes = carriers >= 0
        urge = np.zeros(self.objective.design.p)
        np.maximum.at(urge, carriers[slopes], np.abs(self.gradient[slopes]) / kink[slopes])
        urge[self.columns] = 0.0
        if not (urge > 1.0 + _OUTSIDE).any():
            return False
        # A step takes as long as a Hessian of the set, so the set may be larger than it must be,
        # but not by much.
        must = min(int((urge > 1.0).sum()), max(_FEWEST, _GROWTH * len(self.columns)))
        besides = max(_FEWEST, (len(self.columns) + must) // 2)
        first = np.argsort(-urge, kind="stable")[: must + besides]
        self.columns = np.union1d(self.columns, first[urge[first] > _NEARLY])
        self.part, self.index = self.objective.restrict(self.columns)
        self.hessian = None
        return True

    def renew(self, coef: Array) -> Evaluation:
        """Compute a new Hessian; return the evaluation."""
        at = self.part(coef, 2)
        assert at.hessian is not None
        self.hessian = at.hessian.copy()
        self.hessian[np.diag_indices(len(coef))] -= self.ridge(coef)
        return at

    def learn(self, coef: Array, step: Array, change: Array) -> bool:
        """Correct the Hessian by the change of gradient along a step from `coef`.

        Return whether the objective was convex along it; if not, nothing is corrected.

        References
        ----------
        Nocedal & Wright (2006), Numerical Optimization, eq. 6.19 (BFGS).
        """
        assert self.hessian is not None
        change = change - self.ridge(coef) * step
        product = self.hessian @ step
        along, seen = float(step @ product), float(step @ change)
        if not (along > 0.0 and seen > _CURVED * along):
            return False
        # BLAS works in place on Fortran order, as the transpose has; it is the same symmetric
        # matrix.
        dger(1.0 / seen, change, change, a=self.hessian.T, overwrite_a=True)
        dger(-1.0 / along, product, product, a=self.hessian.T, overwrite_a=True)
        return True

    def judged(self, solution: Solution) -> Solution:
        """Return a solution in the coefficients of `part`, with a Hessian.

        In the Hessian, coefficients that the absolute penalty holds at zero stand apart.
        """
        assert self.hessian is not None and solution.evaluation.gradient is not None
        coef = solution.coef[self.index]
        hessian = self.hessian + np.diag(self.ridge(coef))
        diagonal = np.diag(hessian) * (1.0 + NUGGET)
        apart = (coef == 0.0) & (self.kink > 0.0)
        hessian[apart], hessian[:, apart] = 0.0, 0.0
        hessian[np.diag_indices(len(coef))] = np.where(apart & (diagonal <= 0.0), 1.0, diagonal)
        found = solution.evaluation
        at = Evaluation(found.value, solution.evaluation.gradient[self.index], hessian)
        return solution._replace(coef=coef, evaluation=at, step=solution.step[self.index])
