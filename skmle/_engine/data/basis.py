"""A basis of the columns of X, where some are combinations of others, exactly or nearly.

Rank is tested on the centred and scaled columns, never on a Hessian, which separation makes
singular, too. A fit on collinear columns keeps an independent subset of them. Its coefficients are
then spread over all columns: to the solution of least norm in standardised columns, which does not
depend on the subset, on the columns' units or on repeated rows.

Columns that are nearly combinations of others are independent, but their Hessian has lost most of
its digits. A fit takes orthonormal combinations of them instead, computed as if the given numbers
were exact: it is as well conditioned as any other, and so are its standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular, svd

from skmle._engine.data.exact import exact_product, two_sum
from skmle._engine.data.sums import cuts
from skmle._engine.data.survey import dense, real_spread
from skmle._engine.evaluation import Array

# Smallest relative pivot of the QR of standardised rows that counts. Exact collinearity left pivots
# below 7e-16, a pair of columns of condition 1e8 one of 8e-9: a margin of 1,000 or more both ways.
_RANK = 1e-11
# The same in roundings of the numbers themselves, which are larger for a column far from zero: a
# column computed from others by a few operations differs from their combination by so much.
_ROUNDINGS = 8.0 * float(np.finfo(float).eps)
# Smallest relative pivot from which the Hessian of the columns has standard errors to seven digits:
# its square is that of a correlation matrix in `survey`.
_STEEP = 3e-4
# Share of a column that others leave unexplained below which it is named: a little above the least
# pivot, so that all columns of a near dependence are. Chosen, not measured.
_NAMED = 10.0 * _STEEP
# How much less the last column counts than the first when QR chooses among equally good columns:
# much more than rounding, and too little to pass over a column that is clearly better.
_PREFERENCE = 0.01
# A slope is determined if its unit vector lies in the row space, so that the projection there has
# squared length 1 to within this. Rounding turns the space by at most eps / _RANK = 2e-5, and
# changes the squared length by the square of that. Chosen, not measured.
_ESTIMABLE = 1e-8
# Size of a level, relative to the terms of its sum, that is their rounding: combinations of columns
# 1e4 standard deviations from zero leave 1e-12. A larger one tells of a level that is open.
_LEVEL = 1e-10
# Entries up to which sparse columns are made dense to combine them: 80 MB. Chosen, not measured.
_DENSE = 10_000_000

Bounds = list[tuple[int, int]]


class Basis(NamedTuple):
    """How the slopes of all columns of a term follow from those that are fitted."""

    kept: NDArray[np.intp]
    """The columns that are fitted, as indices into the term's columns."""
    expand: Array
    """Matrix of shape (p, r) that makes the slopes of all p columns from those that are fitted.

    Its result has the least norm in standardised columns.
    """
    estimable: NDArray[np.bool_]
    """For each of the p columns, whether the data determine its slope."""
    level: Array
    """What the predictor gains in all rows when slopes are expanded, of shape (r,).

    The intercept takes it back.
    """
    condition: float = 1.0
    """That of the kept columns, standardised, if these are nearly dependent; else 1."""
    dependent: NDArray[np.bool_] | None = None
    """Which of the p columns are nearly combinations of others; None: none."""
    idle: Array | None = None
    """A change of the p slopes that changes no prediction but by a constant, in no special
    direction of all that do so; None: there is none."""
    idle_level: float = 0.0
    """This constant; zero if no such change moves the predictor where all columns are zero, so that
    the data determine an intercept."""

    @property
    def steep(self) -> bool:
        """Whether the kept columns are nearly dependent, so that their Hessian loses digits."""
        return self.condition > 1.0

    def among(self, columns: NDArray[np.intp], shift: Array) -> Basis:
        """Return the basis of all columns of a term, which keeps all but some of the given ones.

        Parameters
        ----------
        columns : ndarray of int
            The columns of this basis.
        shift : ndarray of shape (p,)
            What was subtracted from each column of the term.
        """
        p = len(shift)
        others = np.setdiff1d(np.arange(p), columns)
        kept = np.sort(np.concatenate([others, columns[self.kept]]))
        own, their = np.searchsorted(kept, columns[self.kept]), np.searchsorted(kept, others)
        expand, level = np.zeros((p, len(kept))), np.zeros(len(kept))
        expand[others, their], level[their] = 1.0, shift[others]
        expand[np.ix_(columns, own)], level[own] = self.expand, self.level
        estimable = np.ones(p, bool)
        estimable[columns] = self.estimable
        dependent = None if self.dependent is None else np.zeros(p, bool)
        if dependent is not None:
            dependent[columns] = self.dependent
        idle = None if self.idle is None else np.zeros(p)
        if idle is not None:
            idle[columns] = self.idle
        seen = self.condition, dependent, idle, self.idle_level
        return Basis(kept, expand, estimable, level, *seen)


class Standard(NamedTuple):
    """Columns of X with their means and the factors that standardise them."""

    part: Any
    weight: Array | None
    centre: Array
    inverse: Array
    """1 over the standard deviation; 0 for a constant column."""
    bounds: Bounds
    prior: Array | None
    """The curvature of a penalty in each slope, beside a curvature of one in each row's eta."""

    def rows(self, low: int, high: int) -> Array:
        """Return some rows of the centred and scaled columns, times the root of their weights.

        So a weight and as many repeated rows have the same triangle.
        """
        centred, rest = two_sum(dense(self.part[low:high]), -self.centre)
        z = (centred + rest) * self.inverse
        return z if self.weight is None else z * np.sqrt(self.weight[low:high])[:, None]

    @property
    def mass(self) -> float:
        """Total weight."""
        return float(self.part.shape[0] if self.weight is None else self.weight.sum())

    def triangle(self) -> Array:
        """Return the triangle R of the QR of all rows; a penalty counts as rows of its own."""
        p = len(self.centre)
        r = np.zeros((0, p))
        if self.prior is not None:
            r = np.diag(np.sqrt(self.prior * self.mass) * self.inverse)
        for low, high in self.bounds:
            z = self.rows(low, high)
            r = np.vstack([r, z]) if len(r) + len(z) <= p else _triangle(np.vstack([r, z]))
        return r

    def centred_by(self, one: int) -> Standard:
        """Return the columns centred by one of them, which is constant, as by an intercept."""
        other = standardised(self.part, self.weight, True, self.prior)
        constant = np.arange(len(self.centre)) == one
        return other._replace(
            centre=np.where(constant, 0.0, other.centre),
            inverse=np.where(constant, self.inverse, other.inverse),
        )


def find_basis(
    X: Any, columns: Any, weight: Array | None, intercept: bool, shift: Array | None = None
) -> Basis | None:
    """Return a basis of the columns of X, found from all rows.

    It is None if the columns are independent, and far from being combinations of each other.

    Parameters
    ----------
    X : array or sparse array of shape (n, p)
    columns : slice or ndarray of int
    weight : ndarray of shape (n,), optional
    intercept : bool
    shift : ndarray of shape (p,), optional
        What a fit subtracts from the columns of X.
    """
    given = standardised(_part(X, columns), weight, intercept)
    r = given.triangle()
    rank, order, steep = _rank(r, given)
    p = len(given.centre)
    if rank == p and not steep:
        return None
    kept, spread, estimable = np.arange(p), np.eye(p), np.ones(p, bool)
    idle, idle_level = None, 0.0
    if rank < p:
        first = _first_columns(r, rank) if steep else None
        kept = np.sort(order[:rank]) if first is None else first
        v = svd(r, full_matrices=False)[2][:rank].T
        inverse = np.where(given.inverse > 0.0, given.inverse, 1.0)
        spread = inverse[:, None] * (v @ v[kept].T) / inverse[kept]
        estimable = np.einsum("ij,ij->i", v, v) > 1.0 - _ESTIMABLE
        # What the row space leaves of a random vector.
        any_way = np.random.default_rng(0).normal(size=p)
        idle = np.where(estimable, 0.0, inverse * (any_way - v @ (v.T @ any_way)))
        idle_level = float(_product(given.centre, idle[:, None])[0])
        if abs(idle_level) <= _LEVEL * float(np.abs(given.centre * idle).sum()):
            idle_level = 0.0
    level = _product(given.centre, spread) - given.centre[kept]
    if shift is not None:
        level = level + shift[columns][kept]
    if not steep:
        return Basis(kept, spread, estimable, level, idle=idle, idle_level=idle_level)
    condition, own = _nearly_dependent(r[:, kept])
    dependent = np.zeros(p, bool)
    dependent[kept] = own
    return Basis(kept, spread, estimable, level, condition, dependent, idle, idle_level)


def is_steep(X: Any, columns: Any, weight: Array | None, intercept: bool, prior: Array) -> bool:
    """Return whether columns are nearly dependent although a penalty holds their slopes.

    Parameters are those of `combine`.
    """
    given = standardised(_part(X, columns), weight, intercept, prior)
    return _rank(given.triangle(), given)[2]


def can_combine(X: Any, p: int) -> bool:
    """Return whether combinations of p columns of X take little more memory than X."""
    return not sp.issparse(X) or X.shape[0] * p <= _DENSE


def combine(
    X: Any,
    columns: Any,
    weight: Array | None,
    intercept: bool,
    basis: Basis | None = None,
    prior: Array | None = None,
) -> tuple[Basis, Array]:
    """Return the basis of orthonormal combinations of columns, and these for all rows, (n, r).

    Parameters
    ----------
    X, columns, weight, intercept
        As of `find_basis`.
    basis : Basis, optional
        Which of the columns are fitted; None: all.
    prior : ndarray, optional
        The curvature of a penalty in each slope, beside a curvature of one in each row's eta.
    """
    part = _part(X, columns)
    p = part.shape[1]
    if basis is None:
        basis = Basis(np.arange(p), np.eye(p), np.ones(p, bool), np.zeros(p))
    kept = basis.kept
    own = standardised(part[:, kept], weight, intercept, prior)
    one = None if intercept else _constant_column(own)
    if one is not None:
        own = own.centred_by(one)
    # Powers of two, so that no digit is lost.
    unit = np.ldexp(1.0, np.frexp(own.inverse)[1])
    mix = solve_triangular(_triangle(own.triangle()), np.eye(len(kept))) * np.sqrt(own.mass)
    mix = (own.inverse / unit)[:, None] * mix
    combined = np.empty(own.part.shape)
    for low, high in own.bounds:
        x, rest = two_sum(dense(own.part[low:high]), -own.centre)
        combined[low:high] = exact_product(x * unit, mix, rest * unit)
    slopes = unit[:, None] * mix
    level = _product(own.centre, slopes)
    if one is not None:
        slopes[one] -= level / float(dense(own.part[:1])[0, one])
        level = np.zeros(len(kept))
    if len(kept) < p:
        # All columns take part, and so do all their means.
        slopes = _product(basis.expand, slopes)
        level = _product(standardised(part, weight, intercept).centre, slopes)
    return basis._replace(expand=slopes, level=level), combined


def _part(X: Any, columns: Any) -> Any:
    whole = isinstance(columns, slice) and columns == slice(None)
    return X if whole else X[:, columns]


def standardised(
    part: Any, weight: Array | None, intercept: bool, prior: Array | None = None
) -> Standard:
    """Return columns with their weighted means, if there is an intercept, and their spreads."""
    n, p = part.shape
    mass = float(n) if weight is None else float(weight.sum())
    bounds = cuts(n, p)

    def mean(entries: Callable[[Array], Array]) -> Array:
        sums = np.zeros(p)
        for low, high in bounds:
            block = entries(dense(part[low:high]))
            sums += block.sum(axis=0) if weight is None else weight[low:high] @ block
        return sums / mass

    centre = np.zeros(p)
    if intercept:
        centre = mean(lambda x: x)
        # The rounding error of the mean. If it stayed, equal columns far from zero would differ by
        # it.
        centre = centre + mean(lambda x: x - centre)
    scale = real_spread(np.sqrt(mean(lambda x: (x - centre) ** 2)), centre)
    if prior is not None:
        scale = np.sqrt(scale**2 + prior)
    inverse = np.where(scale > 0.0, 1.0 / np.where(scale > 0.0, scale, 1.0), 0.0)
    return Standard(part, weight, centre, inverse, bounds, prior)


def _triangle(rows: Array) -> Array:
    return np.asarray(qr(rows, mode="r")[0][: rows.shape[1]])


def _rank(r: Array, given: Standard) -> tuple[int, NDArray[np.intp], bool]:
    """Return the rank of a triangle, the order of its pivots, and whether it is nearly less."""
    # Standardised columns all have the same length. Earlier ones count a little more, so that it is
    # not rounding that chooses among them.
    p = r.shape[1]
    preference = 1.0 - _PREFERENCE * np.arange(p) / p
    _, triangle, order = qr(r * preference, mode="economic", pivoting=True)
    pivots = np.abs(np.diag(triangle))
    if not len(pivots) or not pivots[0] > 0.0:
        return 0, order, False
    least = max(_RANK, _ROUNDINGS * float((np.abs(given.centre) * given.inverse).max()))
    rank = int((pivots > least * pivots[0]).sum())
    return rank, order, bool(pivots[rank - 1] <= _STEEP * pivots[0])


def _nearly_dependent(r: Array) -> tuple[float, NDArray[np.bool_]]:
    """Return the condition of columns, and which are nearly combinations of the others.

    Of a column, 1 over the length of its line of R^-1 is what the others leave unexplained.
    """
    inverse = np.linalg.inv(_triangle(r))
    unexplained = 1.0 / np.sqrt(np.einsum("ij,ij->i", inverse, inverse))
    length = np.sqrt(np.einsum("ij,ij->j", r, r))
    values = svd(r, compute_uv=False)
    return float(values[0] / values[-1]), unexplained < _NAMED * length


def _first_columns(r: Array, rank: int) -> NDArray[np.intp] | None:
    """Return the first columns that are independent of those before them; None if not `rank` are.

    So a model that has one more column, but not one more dimension, keeps the columns of the
    smaller model, and its fit.
    """
    kept: list[int] = []
    basis = np.zeros((len(r), 0))
    for j, column in enumerate(r.T):
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)
        size = float(np.sqrt(rest @ rest))
        if size > _RANK * float(np.sqrt(column @ column)):
            basis, kept = np.column_stack([basis, rest / size]), [*kept, j]
    return np.array(kept, np.intp) if len(kept) == rank else None


def _constant_column(own: Standard) -> int | None:
    """Return the first column that has one value, which is not zero, in all rows."""
    first = dense(own.part[:1])[0]
    same = first != 0.0
    for low, high in own.bounds:
        same &= (dense(own.part[low:high]) == first).all(axis=0)
    return int(np.flatnonzero(same)[0]) if same.any() else None


def _product(left: Array, right: Array) -> Array:
    return exact_product(np.atleast_2d(left), right).reshape(*left.shape[:-1], right.shape[1])
