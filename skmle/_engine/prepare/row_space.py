"""More columns than rows, with a ridge penalty: the answer lies in the space of the rows.

Every vector of slopes is X'a plus a part that changes no prediction, which the penalty sets to zero
(Hastie & Tibshirani 2004). With X X' = L L', the problem on the n columns of L has the same
predictions and the same penalty, and is smaller. Its slopes u give the slopes X' L'^-1 u of X.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from skmle._engine.data.sums import one_blas_thread
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty, Ridge
from skmle._engine.problem import Fit, Problem, Tell


@dataclass(frozen=True)
class RowSpace:
    """Rows of X that span all rows, and the triangle L that makes their coordinates orthonormal."""

    rows: Array
    triangle: Array

    def slopes(self, u: Array) -> Array:
        """Return the slopes of all columns from those of the coordinates."""
        return solve_triangular(self.triangle, u, lower=True, trans="T") @ self.rows

    def told(self, tell: Tell | None) -> Tell | None:
        """Return a `tell` for a fit in these coordinates that shows it in the user's."""
        return None if tell is None else lambda make: tell(lambda: restore_columns(make(), self))


def reduce_columns(problem: Problem) -> tuple[Problem, RowSpace] | None:
    """Return the problem in coordinates of the row space, for more columns than rows.

    None is returned if it would be another problem there, as with an absolute penalty.
    """
    X = problem.X
    if (
        sp.issparse(X)
        or problem.selects
        or not _rotates(problem.penalties)
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
    return replace(problem, X=coordinates, terms=terms, covariance=False), space


def _rotates(penalties: tuple[Penalty, ...]) -> bool:
    """Return whether the penalty is a ridge of one strength.

    Such a sum of squares is the same in all orthonormal coordinates.
    """
    return bool(penalties) and all(
        isinstance(penalty, Ridge) and np.ndim(penalty.strength) == 0 for penalty in penalties
    )


def restore_columns(fit: Fit, space: RowSpace) -> Fit:
    """Return the fit with slopes of all columns in place of those of the coordinates."""
    coefs = tuple((space.slopes(u) if len(u) else u, b) for u, b in fit.coefs)
    return replace(fit, coefs=coefs, separated=None)
