"""What X is like before any fit: far-off columns to be shifted, and columns that are combinations of others.

Rank is tested on the centred and scaled columns, never on a hessian, which separation makes singular too. A fit on
collinear columns keeps an independent subset; the coefficients are then spread to the solution of least norm in
standardised columns, which no choice of subset, unit or repetition of rows can change.
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

_FAR = 10.0  # mean/sd from which products of uncentred columns lose digits that matter (two of sixteen)
_CONSTANT = 1e-13  # sd/mean of a column whose spread is rounding
_SURELY_FULL = 1e-10  # smallest pivot of a correlation matrix that no rounding can have made of zero; else look again by QR
_RANK = 1e-11  # smallest relative pivot of the QR of standardised rows: exact collinearity stays below 1e-15


class Basis(NamedTuple):
    """How the slopes of a term follow from those that are fitted."""

    kept: NDArray[np.intp]
    """The columns fitted, among the term's columns."""
    expand: Array
    """(p, r): slopes of all p columns from those of the r kept ones, of least norm in standardised columns."""
    estimable: NDArray[np.bool_]
    """(p,): whether the data determine this slope."""


class Survey(NamedTuple):
    """Centre and scale of the columns of X, from a sample of rows."""

    centre: Array
    scale: Array
    """Standard deviations; 0 where the sample is constant."""
    full_rank: bool
    """Whether the columns (and the intercept) are surely independent."""

    @property
    def far(self) -> bool:
        """Whether some column lies many standard deviations from zero."""
        return bool(np.any(np.abs(self.centre) > _FAR * self.scale))


def survey(X: Any, weight: Array | None, rank: bool = True) -> Survey:
    """Look at a stratified sample of rows of X, dense or sparse.

    Parameters
    ----------
    rank : bool
        Whether it matters if the columns are independent (with a penalty it does not).
    """
    keep_heap()
    n, p = X.shape
    m = max(4096, 8 * p if rank else 0)
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
    w = np.full(X.shape[0], 1.0 / X.shape[0]) if weight is None else weight / weight.sum()
    centre = np.asarray(w @ X, float).ravel()
    square = np.asarray(w @ X.multiply(X).tocsr(), float).ravel()
    return Survey(centre, np.sqrt(np.maximum(square - centre**2, 0.0)), False)


def _real_spread(scale: Array, centre: Array) -> Array:
    # Rounding leaves a constant column a standard deviation of about eps times its mean.
    return np.where(scale > _CONSTANT * np.abs(centre), scale, 0.0)


def _smallest_pivot(gram: Array) -> float:
    factor, _, rank, _ = dpstrf(gram / np.trace(gram) * len(gram))
    return float(np.diag(factor)[-1] ** 2) if rank == len(gram) else 0.0


def surely_independent(blocks: Blocks, columns: Any, intercept: bool, threads: int = 1) -> bool:
    """Return whether the correlations of all rows show the columns (and the intercept) to be independent.

    One pass over the rows, a tenth of what `find_basis` takes: rare columns may be missing from the sample of `survey`.
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
    """Return the basis of the given columns of X from all rows; None if they are independent."""
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
    # The mean's own rounding, which would tell equal columns far from zero apart.
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
        # Weights decide which of equally good columns are kept as repeated rows would.
        z = z if weight is None else z * np.sqrt(weight[low:high])[:, None]
        r = np.vstack([r, z]) if len(r) + len(z) <= p else qr(np.vstack([r, z]), mode="r")[0][:p]
    # Standardised columns are all of one length, and rounding must not choose among them: earlier columns count a little more.
    _, triangle, order = qr(r * (1.0 - 0.01 * np.arange(p) / p), mode="economic", pivoting=True)
    pivots = np.abs(np.diag(triangle))
    rank = int((pivots > _RANK * pivots[0]).sum()) if len(pivots) and pivots[0] > 0.0 else 0
    if rank == p:
        return None
    kept = np.sort(order[:rank])
    v = svd(r, full_matrices=False)[2][:rank].T
    inverse = np.where(inverse > 0.0, inverse, 1.0)
    expand = inverse[:, None] * (v @ v[kept].T) / inverse[kept]
    return Basis(kept, expand, np.einsum("ij,ij->i", v, v) > 1.0 - 1e-8)


def _dense(x: Any) -> Array:
    return np.asarray(x.toarray() if sp.issparse(x) else x, np.float64)
