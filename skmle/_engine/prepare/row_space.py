"""More columns than rows, with a ridge penalty: the answer lies in the space of the rows.

Every vector of slopes is X'a plus a part that changes no prediction, which the penalty sets to zero
(Hastie & Tibshirani 2004). With X X' = L L', the problem on the n columns of L has the same
predictions and the same penalty, and is smaller. Its slopes u give the slopes X' L'^-1 u of X.

The products X X' lose what is small beside the largest column. Where that would be felt, columns
are centred, which a free intercept allows, and only columns of like size share a space of rows,
whose coordinates then come from a QR. All have the same ridge, so that this is still exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular
from scipy.linalg.lapack import dpstrf

from skmle._engine.data.sums import one_blas_thread, strata
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.coordinates import Units
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty, Ridge, total_curvature
from skmle._engine.problem import Fit, Problem, Tell

# Ratio of the largest values of two columns up to which they share a space of rows, and ratio of a
# column's mean to the others' sizes up to which it need not be centred: the products of X lose its
# square, 6 of 16 digits.
_ALIKE = 1e3
# Rows whose values are looked at to compare columns; rows that are larger show in the products.
# Chosen, not measured.
_LOOKED_AT = 32
# Share of the largest product that rounding may take from what is left of the least one and the
# ridge: predictions have as many digits. Chosen, not measured.
_LOST = 1e-9
_EPS = float(np.finfo(float).eps)


class Piece(NamedTuple):
    """Some columns of X, and how their slopes follow from those of coordinates u."""

    columns: NDArray[np.intp] | slice
    size: int
    """Number of coordinates."""
    base: Array | None
    """Matrix whose product with u gives the slopes; None: u are the slopes."""
    triangle: Array | None = None
    """L: the slopes are base @ L'^-1 u."""

    def slopes(self, u: Array) -> Array:
        """Return the slopes of the columns."""
        if self.triangle is not None:
            u = solve_triangular(self.triangle, u, lower=True, trans="T")
        return u if self.base is None else self.base @ u


@dataclass(frozen=True)
class RowSpace:
    """The columns of X in pieces, each with its coordinates.

    Parameters
    ----------
    p : int
        Number of columns of X.
    pieces : tuple of Piece
    centre : ndarray of shape (p,), optional
        What was subtracted from the columns.
    """

    p: int
    pieces: tuple[Piece, ...]
    centre: Array | None = None

    def raw(self, u: Array, intercept: float) -> tuple[Array, float]:
        """Return the slopes of all columns and the intercept from those of the coordinates."""
        slopes, ends = np.empty(self.p), np.cumsum([piece.size for piece in self.pieces])
        for piece, part in zip(self.pieces, np.split(u, ends[:-1]), strict=True):
            slopes[piece.columns] = piece.slopes(part)
        return slopes, intercept if self.centre is None else intercept - float(self.centre @ slopes)

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
    found = _by_products(problem, x) if _alike(x) else None
    coordinates, space = _by_pieces(problem, x) if found is None else found
    terms = tuple(
        t if t.columns is None else Term(slice(None), coordinates.shape[1], t.intercept)
        for t in problem.terms
    )
    return replace(problem, X=coordinates, terms=terms, covariance=False), space


def _alike(x: Array) -> bool:
    """Return whether a few rows show columns of like size, none of them far from zero."""
    part = x[strata(len(x), min(len(x), _LOOKED_AT))]
    low, high = part.min(axis=0), part.max(axis=0)
    with np.errstate(over="ignore"):
        spread = high - low
        varied = spread[spread > 0.0]
        return len(varied) > 0 and bool(
            max(-low.min(), high.max()) <= _ALIKE * float(np.median(varied))
        )


def _by_products(problem: Problem, x: Array) -> tuple[Array, RowSpace] | None:
    """Return coordinates from the products X X'; None if these have lost too much."""
    gram = x @ x.T
    with one_blas_thread():
        factor, order, rank, _ = dpstrf(gram, lower=True)
    diagonal = np.diag(gram)
    if not diagonal.max() <= _ALIKE**2 * np.median(diagonal):
        return None
    least = float(np.diag(factor)[rank - 1] ** 2) if rank == len(gram) else 0.0
    if not _EPS * diagonal.max() <= _LOST * (least + _ridge(problem)):
        return None
    span = order[:rank] - 1
    low = np.tril(factor)[:, :rank]
    coordinates = np.empty_like(low)
    coordinates[order - 1] = low
    piece = Piece(slice(None), int(rank), x[span].T, low[:rank])
    return coordinates, RowSpace(x.shape[1], (piece,))


def _ridge(problem: Problem) -> float:
    """Return the ridge on all rows, in units in which a row's curvature in eta is about one."""
    unit = 1.0
    if problem.family.movable:
        unit = Units.of(problem.family, problem.terms, problem.observed).unit
    zero = np.zeros(sum(t.size for t in problem.terms))
    return unit**2 * problem.observed.n * float(total_curvature(problem.penalties, zero)[0])


def _by_pieces(problem: Problem, x: Array) -> tuple[Array, RowSpace]:
    """Return coordinates of centred columns, those of like size together."""
    centre = None
    if all(t.intercept for t in problem.terms if t.columns is not None):
        centre = x.mean(axis=0)
        x = x - centre
        rest = x.mean(axis=0)
        centre, x = centre + rest, x - rest
    sizes = np.abs(x).max(axis=0)
    order = np.argsort(-sizes, kind="stable")
    pieces, coordinates, at = [], [], 0
    while at < len(order):
        size = max(int((sizes[order[at:]] * _ALIKE >= sizes[order[at]]).sum()), 1)
        columns = np.sort(order[at : at + size])
        part, base = x[:, columns], None
        if size > len(x):
            base, triangle = qr(part.T, mode="economic")
            part = triangle.T
        pieces.append(Piece(columns, part.shape[1], base))
        coordinates.append(part)
        at += size
    return np.hstack(coordinates), RowSpace(x.shape[1], tuple(pieces), centre)


def _rotates(penalties: tuple[Penalty, ...]) -> bool:
    """Return whether the penalty is a ridge of one strength.

    Such a sum of squares is the same in all orthonormal coordinates.
    """
    return bool(penalties) and all(
        isinstance(penalty, Ridge) and np.ndim(penalty.strength) == 0 for penalty in penalties
    )


def restore_columns(fit: Fit, space: RowSpace) -> Fit:
    """Return the fit with slopes of all columns in place of those of the coordinates."""
    coefs = tuple(space.raw(u, b) if len(u) else (u, b) for u, b in fit.coefs)
    return replace(fit, coefs=coefs, separated=None, estimable=None, dependent=None, idle=None)
