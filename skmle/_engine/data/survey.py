"""A look at X before a fit: columns far from zero, and columns that are combinations of others.

Rank is tested on the centred and scaled columns, never on a Hessian, which separation makes
singular, too. A fit on collinear columns keeps an independent subset of them. Its coefficients are
then spread over all columns: to the solution of least norm in standardised columns, which does not
depend on the subset, on the columns' units or on repeated rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import qr, svd
from scipy.linalg.lapack import dpstrf

from skmle._engine.data.blocks import Blocks
from skmle._engine.data.sums import cuts, keep_heap, strata, total
from skmle._engine.evaluation import Array, Evaluation

# |mean| / sd of a column from which columns are shifted: products of columns as they are lose its
# square, here two of sixteen digits.
_FAR = 10.0
# sd / |mean| up to which a column counts as constant: rounding leaves some eps = 2e-16 of it.
_CONSTANT = 1e-13
# Smallest pivot of a correlation matrix from which columns are surely independent; below it, the QR
# of the rows decides. Exact collinearity left pivots below 2e-15, a pair of columns of condition
# 1e6 one of 6e-13, a polynomial of degree 8 one of 3e-11.
_SURELY_FULL = 1e-10
# Smallest relative pivot of the QR of standardised rows that counts. Exact collinearity left pivots
# below 7e-16, a pair of columns of condition 1e8 one of 8e-9: a margin of 1,000 or more both ways.
_RANK = 1e-11
# How much less the last column counts than the first when QR chooses among equally good columns:
# much more than rounding, and too little to pass over a column that is clearly better.
_PREFERENCE = 0.01
# A slope is determined if its unit vector lies in the row space, so that the projection there has
# squared length 1 to within this. Rounding turns the space by at most eps / _RANK = 2e-5, and
# changes the squared length by the square of that. Chosen, not measured.
_ESTIMABLE = 1e-8
# Rows that the survey looks at, at least, and for each column if the rank matters. Correlations of
# a sample have errors of 1/sqrt(rows), which do not make zero pivots of independent columns.
# Chosen, not measured.
_SAMPLE_ROWS, _SAMPLE_ROWS_PER_COLUMN = 4096, 8


class Basis(NamedTuple):
    """How the slopes of all columns of a term follow from those that are fitted."""

    kept: NDArray[np.intp]
    """The columns that are fitted, as indices into the term's columns."""
    expand: Array
    """Matrix of shape (p, r) that makes the slopes of all p columns from those of the r kept ones.

    Its result has the least norm in standardised columns.
    """
    estimable: NDArray[np.bool_]
    """For each of the p columns, whether the data determine its slope."""

    def among(self, columns: NDArray[np.intp], p: int) -> Basis:
        """Return the basis of p columns, which keeps all columns but some of the given ones."""
        others = np.setdiff1d(np.arange(p), columns)
        kept = np.sort(np.concatenate([others, columns[self.kept]]))
        expand = np.zeros((p, len(kept)))
        expand[others, np.searchsorted(kept, others)] = 1.0
        expand[np.ix_(columns, np.searchsorted(kept, columns[self.kept]))] = self.expand
        estimable = np.ones(p, bool)
        estimable[columns] = self.estimable
        return Basis(kept, expand, estimable)


class Survey(NamedTuple):
    """Centre and scale of the columns of X, found from a sample of rows."""

    centre: Array
    scale: Array
    """Standard deviations; 0 for a column that is constant in the sample."""
    full_rank: bool
    """Whether the columns (and an intercept) are surely independent."""

    @property
    def far(self) -> bool:
        """Whether some column lies many standard deviations from zero."""
        return bool(np.any(np.abs(self.centre) > _FAR * self.scale))


def survey(X: Any, weight: Array | None, rank: bool = True) -> Survey:
    """Look at a stratified sample of rows of X, dense or sparse.

    Parameters
    ----------
    X : array or sparse array of shape (n, p)
    weight : ndarray of shape (n,), optional
    rank : bool
        Whether it matters if the columns are independent; with a penalty it does not.
    """
    keep_heap()
    n, p = X.shape
    m = max(_SAMPLE_ROWS, _SAMPLE_ROWS_PER_COLUMN * p if rank else 0)
    if n > m:
        index = strata(n, m)
        X, weight = X[index], None if weight is None else weight[index]
    if not rank and sp.issparse(X):
        return _sparse_survey(X, weight)
    x = _dense(X)
    centre = x.mean(axis=0) if weight is None else weight @ x / weight.sum()
    z = x - centre
    square = (
        np.einsum("ij,ij->j", z, z) / len(z) if weight is None else weight @ (z * z) / weight.sum()
    )
    scale = _real_spread(np.sqrt(square), centre)
    varied = rank and len(x) > p and bool(np.all(scale > 0.0))
    if varied:
        z /= scale
    return Survey(centre, scale, varied and _smallest_pivot(z.T @ z) > _SURELY_FULL)


def _sparse_survey(X: Any, weight: Array | None) -> Survey:
    """Look at sparse rows without making them dense, where the rank does not matter."""
    w = np.full(X.shape[0], 1.0 / X.shape[0]) if weight is None else weight / weight.sum()
    centre = np.asarray(w @ X, float).ravel()
    square = np.asarray(w @ X.multiply(X).tocsr(), float).ravel()
    return Survey(centre, np.sqrt(np.maximum(square - centre**2, 0.0)), False)


def _real_spread(scale: Array, centre: Array) -> Array:
    """Return the standard deviations, with 0 where they are rounding of a constant column."""
    return np.where(scale > _CONSTANT * np.abs(centre), scale, 0.0)


def _smallest_pivot(gram: Array) -> float:
    """Return the smallest pivot of a matrix of products, scaled to a diagonal of mean one."""
    factor, _, rank, _ = dpstrf(gram / np.trace(gram) * len(gram))
    return float(np.diag(factor)[-1] ** 2) if rank == len(gram) else 0.0


def surely_independent(blocks: Blocks, columns: Any, intercept: bool, threads: int = 1) -> bool:
    """Return whether the correlations of all rows show that the columns are independent.

    With an intercept, they must be independent of that, too. The sample of `survey` may have missed
    rare columns; this is one pass over all rows, and takes a tenth of the time of `find_basis`.
    """

    def block(low: int, high: int) -> Evaluation:
        x, ones = blocks.block(low, high), np.ones(high - low)
        return Evaluation(0.0, x.tdot(ones, columns), x.sandwich(ones, columns, columns))

    sums = total(block, blocks.n, blocks.width, blocks.p**2, threads)
    assert sums.gradient is not None and sums.hessian is not None
    mean = sums.gradient / blocks.n if intercept else np.zeros(len(sums.gradient))
    square = np.diag(sums.hessian) / blocks.n
    spread = square - mean * mean
    if not (len(spread) < blocks.n and np.all(spread > _SURELY_FULL * square)):
        return False
    scale = np.sqrt(spread)
    correlation = (sums.hessian / blocks.n - np.outer(mean, mean)) / np.outer(scale, scale)
    return _smallest_pivot(correlation) > _SURELY_FULL


def find_basis(X: Any, columns: Any, weight: Array | None, intercept: bool) -> Basis | None:
    """Return a basis of the columns of X, found from all rows; None if they are independent."""
    n = X.shape[0]
    part = X[:, columns] if not (isinstance(columns, slice) and columns == slice(None)) else X
    p = part.shape[1]
    mass = float(n) if weight is None else float(weight.sum())
    bounds = cuts(n, p)

    def column_sum(block: Array, low: int, high: int) -> Array:
        return block.sum(axis=0) if weight is None else weight[low:high] @ block

    zero = np.zeros(p)
    centre = (
        sum((column_sum(_dense(part[low:high]), low, high) for low, high in bounds), zero) / mass
        if intercept
        else zero
    )
    # The rounding error of the mean. If it stayed, equal columns far from zero would differ by it.
    rest = (
        sum((column_sum(_dense(part[low:high]) - centre, low, high) for low, high in bounds), zero)
        / mass
        if intercept
        else zero
    )

    def centred(low: int, high: int) -> Array:
        return (_dense(part[low:high]) - centre) - rest

    spread = (
        sum((column_sum(centred(low, high) ** 2, low, high) for low, high in bounds), zero) / mass
    )
    scale = _real_spread(np.sqrt(spread), centre)
    inverse = np.where(scale > 0.0, 1.0 / np.where(scale > 0.0, scale, 1.0), 0.0)
    r = np.zeros((0, p))
    for low, high in bounds:
        z = centred(low, high) * inverse
        # Weighted rows, so that a weight and as many repeated rows choose the same columns.
        z = z if weight is None else z * np.sqrt(weight[low:high])[:, None]
        r = np.vstack([r, z]) if len(r) + len(z) <= p else qr(np.vstack([r, z]), mode="r")[0][:p]
    # Standardised columns all have the same length. Earlier ones count a little more, so that it is
    # not rounding that chooses among them.
    preference = 1.0 - _PREFERENCE * np.arange(p) / p
    _, triangle, order = qr(r * preference, mode="economic", pivoting=True)
    pivots = np.abs(np.diag(triangle))
    rank = int((pivots > _RANK * pivots[0]).sum()) if len(pivots) and pivots[0] > 0.0 else 0
    if rank == p:
        return None
    kept = np.sort(order[:rank])
    v = svd(r, full_matrices=False)[2][:rank].T
    inverse = np.where(inverse > 0.0, inverse, 1.0)
    expand = inverse[:, None] * (v @ v[kept].T) / inverse[kept]
    return Basis(kept, expand, np.einsum("ij,ij->i", v, v) > 1.0 - _ESTIMABLE)


def _dense(x: Any) -> Array:
    return np.asarray(x.toarray() if sp.issparse(x) else x, np.float64)
