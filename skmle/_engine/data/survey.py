"""A look at X before a fit: columns far from zero, and whether columns are surely independent.

Where they may depend on each other, `basis` looks closer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.lapack import dpstrf, spocon, spotrf

from skmle._engine.data.blocks import Blocks
from skmle._engine.data.sums import cuts, keep_heap, one_blas_thread, strata, total
from skmle._engine.evaluation import Array, Evaluation

# |mean| / sd of a column from which columns are shifted: products of columns as they are lose its
# square, here two of sixteen digits.
_FAR = 10.0
# Absolute values and spreads between which high powers, times weights and penalties, surely stay
# among the doubles, which reach from 1e-308 to 1e308. Chosen with a margin.
_LEAST, _MOST = 1e-30, 1e30
# Largest value up to which a column counts as zero: a slope of one in its unit would be beyond the
# largest double.
_NOTHING = 1e-300
# sd / |mean| up to which a column counts as constant: rounding leaves some eps = 2e-16 of it.
_CONSTANT = 1e-13
# Smallest pivot of a correlation matrix from which columns are surely independent, and a Hessian of
# them has standard errors to seven digits or more; below it, the QR of the rows decides. Exact
# collinearity left pivots below 2e-15, a pair of columns of condition 1e6 one of 6e-13, a
# polynomial of degree 8 one of 3e-11. Rounding takes an eps = 2e-16 over the pivot of a result.
SURELY_FULL = 1e-7
# Columns from which their products are first formed in single precision, which takes half the time,
# and reciprocal condition from which that is enough. Of 3000 rows of 2000 columns it was 2e-4 where
# they were independent, and rounding left 1e-6 of it where two of them were the same.
_WIDE, _SINGLE = 300, 3e-5
# Rows that the survey looks at, at least, and for each column if the rank matters. Correlations of
# a sample have errors of 1/sqrt(rows), which do not make zero pivots of independent columns.
# Chosen, not measured.
_SAMPLE_ROWS, _SAMPLE_ROWS_PER_COLUMN = 4096, 8


class Survey(NamedTuple):
    """Centre and scale of the columns of X, found from a sample of rows."""

    centre: Array
    scale: Array
    """Standard deviations; 0 for a column that is constant in the sample."""
    full_rank: bool
    """Whether the columns (and an intercept) are surely independent."""
    extreme: bool = False
    """Whether squares of some column may over- or underflow, so that `units` are needed."""
    open: bool = False
    """Whether it was left open that columns are independent: `full_rank` is likely, not sure."""

    @property
    def far(self) -> bool:
        """Whether some column lies many standard deviations from zero."""
        return bool(np.any(np.abs(self.centre) > _FAR * self.scale))


def survey(X: Any, weight: Array | None, rank: bool = True, later: bool = False) -> Survey:
    """Look at a stratified sample of rows of X, dense or sparse.

    Parameters
    ----------
    X : array or sparse array of shape (n, p)
    weight : ndarray of shape (n,), optional
    rank : bool
        Whether it matters if the columns are independent; with a penalty it does not.
    later : bool
        Whether this may be left open where there are many columns, of which it takes long to see.
    """
    keep_heap()
    n, p = X.shape
    m = max(_SAMPLE_ROWS, _SAMPLE_ROWS_PER_COLUMN * p if rank else 0)
    if n > m:
        index = strata(n, m)
        X, weight = X[index], None if weight is None else weight[index]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # in extreme columns
        if not rank and sp.issparse(X):
            return _sparse_survey(X, weight)
        x = dense(X)
        mass = float(len(x)) if weight is None else float(weight.sum())
        centre = (x.sum(axis=0) if weight is None else weight @ x) / mass
        square = np.zeros(p)
        for low, high in cuts(len(x), p):
            z = x[low:high] - centre
            if weight is None:
                square += np.einsum("ij,ij->j", z, z)
            else:
                square += weight[low:high] @ (z * z)
        square /= mass
    scale = real_spread(np.sqrt(square), centre)
    extreme = _extreme(x, centre, scale)
    varied = rank and len(x) > p and not extreme and bool(np.all(scale > 0.0))
    if varied and later and p >= _WIDE:
        return Survey(centre, scale, True, extreme, open=True)
    return Survey(centre, scale, varied and _independent(x, centre, scale), extreme)


def _sparse_survey(X: Any, weight: Array | None) -> Survey:
    """Look at sparse rows without making them dense, where the rank does not matter."""
    w = np.full(X.shape[0], 1.0 / X.shape[0]) if weight is None else weight / weight.sum()
    centre = np.asarray(w @ X, float).ravel()
    square = np.asarray(w @ X.multiply(X).tocsr(), float).ravel()
    scale = np.sqrt(np.maximum(square - centre**2, 0.0))
    return Survey(centre, scale, False, _extreme(X, centre, scale))


def _extreme(x: Any, centre: Array, scale: Array) -> bool:
    """Return whether squares of some column may over- or underflow."""
    size = np.abs(centre) + scale
    doubtful = ~((scale > _LEAST) & (size < _MOST))
    if not doubtful.any():
        return False
    return bool(out_of_range(largest(x[:, np.flatnonzero(doubtful)])).any())


def largest(x: Any) -> Array:
    """Return the largest absolute value of each column."""
    if not sp.issparse(x):
        return np.abs(np.asarray(x, np.float64)).max(axis=0, initial=0.0)
    # abs(x) would sum up duplicates in the user's own matrix.
    low, high = (side(axis=0).toarray().ravel() for side in (x.min, x.max))
    return np.maximum(-np.asarray(low, np.float64), np.asarray(high, np.float64))


def out_of_range(sizes: Array) -> NDArray[np.bool_]:
    """Return for which largest values of a column squares may over- or underflow.

    A column of zeros is in range, and so is one whose slopes could not be represented.
    """
    return ~(sizes < _MOST) | ((sizes > _NOTHING) & (sizes < _LEAST))


def units(X: Any, small: bool) -> Array:
    """Return powers of two with which the columns of X are to be multiplied.

    Parameters
    ----------
    X : array or sparse array of shape (n, p)
    small : bool
        Whether columns of small numbers need it, too.
    """
    sizes = largest(X)
    wanted = out_of_range(sizes) & (small | (sizes > 1.0))
    return np.where(wanted, np.ldexp(1.0, -np.frexp(sizes)[1]), 1.0)


def in_units(X: Any, unit: Array) -> Any:
    """Return X with each column multiplied by its unit."""
    return X.multiply(unit).tocsr() if sp.issparse(X) else np.asarray(X, np.float64) * unit


def real_spread(scale: Array, centre: Array) -> Array:
    """Return the standard deviations, with 0 where they are rounding of a constant column."""
    return np.where(scale > _CONSTANT * np.abs(centre), scale, 0.0)


def _independent(x: Array, centre: Array, scale: Array) -> bool:
    """Return whether columns are surely independent once they are standardised."""
    if x.shape[1] >= _WIDE:
        single = np.empty(x.shape, np.float32)
        for low, high in cuts(*x.shape):
            single[low:high] = (x[low:high] - centre) / scale
        gram = single.T @ single
        norm = np.abs(gram).sum(axis=0).max()
        # On two threads that wait for each other on a busy machine, this factor of 2000 columns
        # took 1.1 s, not 0.03.
        with one_blas_thread():
            factor, info = spotrf(gram.T, clean=0, overwrite_a=1)
        if info == 0 and spocon(factor, norm)[0] > _SINGLE:
            return True
    z = (x - centre) / scale
    return _smallest_pivot(z.T @ z) > SURELY_FULL


def _smallest_pivot(gram: Array) -> float:
    """Return the smallest pivot of a matrix of products, scaled to a diagonal of mean one."""
    factor, _, rank, _ = dpstrf(gram / np.trace(gram) * len(gram))
    return float(np.diag(factor)[-1] ** 2) if rank == len(gram) else 0.0


def surely_independent(blocks: Blocks, columns: Any, intercept: bool, threads: int = 1) -> bool:
    """Return whether the correlations of all rows show that the columns are independent.

    With an intercept, they must be independent of that, too. The sample of `survey` may have missed
    rare columns; this is one pass over all rows, and takes a tenth of the time of
    `basis.find_basis`.
    """

    def block(low: int, high: int) -> Evaluation:
        x, ones = blocks.block(low, high), np.ones(high - low)
        return Evaluation(0.0, x.tdot(ones, columns), x.sandwich(ones, columns, columns))

    sums = total(block, blocks.n, blocks.width, blocks.p**2, threads)
    assert sums.gradient is not None and sums.hessian is not None
    mean = sums.gradient / blocks.n if intercept else np.zeros(len(sums.gradient))
    square = np.diag(sums.hessian) / blocks.n
    spread = square - mean * mean
    if not (len(spread) < blocks.n and np.all(spread > SURELY_FULL * square)):
        return False
    scale = np.sqrt(spread)
    correlation = (sums.hessian / blocks.n - np.outer(mean, mean)) / np.outer(scale, scale)
    return _smallest_pivot(correlation) > SURELY_FULL


def dense(x: Any) -> Array:
    return np.asarray(x.toarray() if sp.issparse(x) else x, np.float64)
