"""More columns than rows, with a ridge penalty: the answer lies in the space of the rows, which is small.

Every slope vector is X' a plus a part that no row sees and the penalty sets to zero (Hastie & Tibshirani 2004). With
X X' = L L', the problem on the n columns of L has the same predictors and the same penalty; its slopes u give b = X' L'^-1 u.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from skmle._engine.data.sums import one_blas_thread
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Fit, Problem


@dataclass(frozen=True)
class RowSpace:
    """The rows that span all rows, and the triangle that makes their coordinates orthonormal."""

    rows: Array
    triangle: Array

    def slopes(self, u: Array) -> Array:
        """Return the slopes of all columns from those of the coordinates."""
        return solve_triangular(self.triangle, u, lower=True, trans="T") @ self.rows


def reduce_columns(problem: Problem) -> tuple[Problem, RowSpace] | None:
    """Return the problem in coordinates of the row space; None where it would not be smaller."""
    X = problem.X
    if (
        X is None
        or sp.issparse(X)
        or problem.alpha == 0.0
        or problem.selects
        or X.shape[1] <= X.shape[0]
        or problem.start is not None
    ):
        return None
    if not all(t.columns is None or isinstance(t.columns, slice) for t in problem.terms):
        return None
    x = np.asarray(X, np.float64)
    gram = x @ x.T
    with one_blas_thread():
        factor, order, rank, _ = dpstrf(gram, lower=True)
    span = order[:rank] - 1
    low = np.tril(factor)[:, :rank]
    coordinates = np.empty_like(low)
    coordinates[order - 1] = low
    terms = tuple(
        t if t.columns is None else Term(slice(None), int(rank), t.intercept) for t in problem.terms
    )
    space = RowSpace(x[span], low[:rank])
    return replace(
        problem, X=coordinates, terms=terms, covariance=False, tell=_told(problem, space)
    ), space


def _told(problem: Problem, space: RowSpace) -> Callable[[Callable[[], Fit]], bool] | None:
    tell = problem.tell
    return None if tell is None else lambda make: tell(lambda: restore_columns(make(), space))


def restore_columns(fit: Fit, space: RowSpace) -> Fit:
    """Return the fit with slopes of the columns."""
    return replace(
        fit, coefs=tuple((space.slopes(u) if len(u) else u, b) for u, b in fit.coefs), moving=None
    )
