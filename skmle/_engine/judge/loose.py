"""The directions that leave what remains of a likelihood as it is, where rows have run off.

Of the coefficients along them the remaining rows know nothing. As many coordinates may be fixed as
there are such directions, and what is left is a function of the others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular
from scipy.linalg.lapack import dpstrf

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.left import certain_rows, left_at
from skmle._engine.judge.separation import Evaluated, vanished
from skmle._engine.likelihood.curvature import diagonal
from skmle._engine.likelihood.factor import ROUNDING, Factor
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Rows, triangle
from skmle.families.tools.cached import cached_property

# Share of the curvature at zero below which the rows that are left determine nothing of a
# direction. One row of a million has a share of 1e-6; rounding leaves 1e-16 times the condition.
GONE = 1e-9
# Share of the largest entry of a direction that is rounding. Chosen, not measured.
_ROUNDING = 1e-9


class Loose:
    """A basis of the directions that leave a function of d coefficients as it is.

    Parameters
    ----------
    basis : ndarray of shape (d, q)
    own : ndarray of shape (q,)
        A coordinate of each vector of the basis, in which it is one and all others are zero.
    unit : ndarray of shape (d,)
        The units of the coefficients' columns, in which lengths are measured.
    """

    def __init__(self, basis: Array, own: NDArray[np.intp], unit: Array) -> None:
        self.basis, self.own, self.unit = basis, own, unit
        self.kept = np.setdiff1d(np.arange(len(basis)), own)
        """The other coordinates, which determine the function."""

    def fixed(self, coef: Array) -> Array:
        """Return the coefficients at which the function is the same and the own ones are zero."""
        return np.asarray((coef - self.basis @ coef[self.own])[self.kept])

    def whole(self, kept: Array) -> Array:
        """Return all coefficients, given those kept; they have no part along the directions."""
        result = np.zeros(len(self.basis))
        result[self.kept] = kept
        return self.across(result)

    def along(self, coef: Array) -> Array:
        """Return the part of the coefficients, (d,) or (d, m), that lies along these directions."""
        scaled, unit = self._orthonormal, self.unit if coef.ndim == 1 else self.unit[:, None]
        return np.asarray(scaled @ (scaled.T @ (coef * unit)) / unit)

    def across(self, coef: Array) -> Array:
        """Return what is left of the coefficients without the part along these directions."""
        return coef - self.along(coef)

    def covariance(self, kept: Array) -> Array:
        """Return the covariance of `whole`, given that of the kept coordinates."""
        q, units = self._orthonormal, np.outer(self.unit, self.unit)
        result = np.zeros(units.shape)
        result[np.ix_(self.kept, self.kept)] = kept
        result *= units
        result -= q @ (q.T @ result)
        result -= (result @ q) @ q.T
        return result / units

    @cached_property
    def _orthonormal(self) -> Array:
        """The directions, orthonormal in coefficients times their units."""
        return np.asarray(qr(self.basis * self.unit[:, None], mode="economic")[0])


class Fixed:
    """A function of the kept coordinates alone, as its coefficients.

    It is evaluated where the coefficients have no part along the loose directions: rows that have
    run off, to a finite place in numbers, might come back along these.
    """

    def __init__(self, function: Evaluated, loose: Loose) -> None:
        self.function, self.loose, self.size = function, loose, function.size

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        return self.of(self.function(self.loose.whole(coef), order))

    def of(self, at: Evaluation) -> Evaluation:
        """Return an evaluation of the function as one in the kept coordinates."""
        kept = self.loose.kept
        gradient = None if at.gradient is None else at.gradient[kept]
        hessian = None if at.hessian is None else at.hessian[np.ix_(kept, kept)]
        return Evaluation(at.value, gradient, hessian)

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Do nothing: these are no iterates of the fit."""


def loose_directions(
    objective: Objective,
    whole: Evaluation,
    limit: Objective,
    behind: Behind,
    unit: Array,
    among: NDArray[np.intp] | None,
) -> Loose:
    """Return all directions of which the rows that are left know nothing.

    Parameters
    ----------
    objective : Objective
    whole : Evaluation
        Of all rows, with coefficients of zero.
    limit : Objective
        What is left.
    behind : Behind
        The rows that have run off.
    unit : ndarray of shape (d,)
        Those of the coefficients' columns.
    among : ndarray, optional
        The coordinates that the directions may move; by default all.
    """
    start = np.zeros(objective.design.d)
    at_zero, left = whole.hessian, left_at(start, whole, objective, limit, behind).hessian
    if at_zero is None or left is None or not _is_positive(at_zero):
        # Of a law that is not convex at zero, the columns tell, in the rows where an eta still has
        # an influence.
        certain, n = certain_rows(limit, behind), objective.design.n
        at_zero = _gram(objective, [np.ones(n)] * len(behind.delta))
        left = _gram(objective, [(~certain & (e == 0.0)).astype(float) for e in behind.delta])
    if among is None:
        return Loose(*kernel(left, at_zero), unit)
    part, own = kernel(left[np.ix_(among, among)], at_zero[np.ix_(among, among)])
    basis = np.zeros((len(start), len(own)))
    basis[among] = part
    return Loose(basis, among[own], unit)


def kernel(left: Array, reference: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return a basis of where next to nothing is left of a curvature, and its own coordinates.

    A factor with pivoting ends where only rounding is left. If it is more than that in some of the
    directions that it leaves, since the columns nearly depend on each other, eigenvalues decide.

    References
    ----------
    Higham (2002), Accuracy and Stability of Numerical Algorithms, ch. 10.3.
    """
    diagonal = np.abs(reference.diagonal())
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = left * scale
    scaled *= scale[:, None]
    if not np.isfinite(scaled).all():
        return np.zeros((len(left), 0)), np.zeros(0, np.intp)
    factor, order, rank, _ = dpstrf(scaled.T, tol=GONE, lower=True)
    if rank == 1 and factor[0, 0] ** 2 <= GONE:
        rank = 0  # the first pivot is not compared with the tolerance
    kept, own = order[:rank] - 1, order[rank:] - 1
    basis = np.zeros((len(left), len(own)))
    basis[own, np.arange(len(own))] = 1.0
    # The lines of the factor that belong to the own coordinates are combinations of the others.
    basis[kept] = -solve_triangular(
        factor[:rank, :rank], factor[rank:, :rank].T, lower=True, trans="T", check_finite=False
    )
    basis[np.abs(basis) <= _ROUNDING * np.abs(basis).max(axis=0, initial=0.0)] = 0.0
    basis *= scale[:, None] / scale[own]
    share, all_of_it = (np.einsum("ij,ij->j", basis, m @ basis) for m in (left, reference))
    if (np.abs(share) <= GONE * all_of_it).all():
        return basis, own
    return _tidy(vanished(left, reference, GONE))


def _tidy(basis: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return a basis of the same space, in which rounding is zero, and its own coordinates."""
    if not basis.size:
        return basis, np.zeros(0, np.intp)
    basis = basis / np.abs(basis).max(axis=0)
    _, _, order = qr(basis.T, mode="economic", pivoting=True)
    own = order[: basis.shape[1]]
    result = basis @ np.linalg.inv(basis[own])
    result = np.where(np.abs(result) > _ROUNDING * np.abs(result).max(axis=0), result, 0.0)
    return result, own


def _gram(objective: Objective, weights: list[Array]) -> Array:
    """Return the mean of the squares of the columns of each term, under weights of its rows.

    Where a constant added to all eta changes nothing, it is that of all differences of two eta.
    """
    pairs = triangle(len(weights))

    def rows(statistics: Arrays, eta: Arrays, order: int) -> Rows:
        mine = statistics[-len(weights) :]
        curvature = tuple(mine[a] if a == b else None for a, b in pairs)
        if objective.together:
            every = sum(mine)
            curvature = tuple(mine[a] * ((every if a == b else 0.0) - mine[b]) for a, b in pairs)
        return Rows(np.zeros(()), (np.zeros(()),) * len(weights), curvature)

    sums = replace(
        objective,
        rows=rows,
        statistics=(*objective.statistics, *weights),
        penalties=(),
        lasso=None,
    )
    hessian = sums(np.zeros(objective.design.d)).hessian
    assert hessian is not None
    return hessian


def _is_positive(hessian: Array) -> bool:
    """Return whether a Hessian is positive definite, beyond rounding."""
    factor = Factor.of(hessian)
    return factor is not None and factor.least_pivot > ROUNDING


def units_of(objective: Objective) -> Array:
    """Return the root mean square of each coefficient's column."""
    pairs = triangle(len(objective.design.terms))
    ones = tuple(np.ones(()) if a == b else None for a, b in pairs)
    squares = diagonal(objective, lambda low, high: ones)
    return np.sqrt(np.where(squares > 0.0, squares, 1.0))
