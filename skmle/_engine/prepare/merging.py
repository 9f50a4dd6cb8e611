"""Equal rows are merged into one row that has their total weight.

Data of categorical columns have few distinct rows, and a fit needs no others. A sample tells
whether merging will pay. Rows are then sorted by a hash, and rows of the same hash are compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.sums import block_size, strata
from skmle._engine.problem import Problem

# Rows from which equal ones are looked for: with fewer, a fit takes no longer than the search.
# Chosen, not measured.
FEWEST_ROWS = 20_000
# Rows of the sample from which the number of distinct rows is estimated. Chosen, not measured.
_SAMPLE = 4096
# Merging must leave this many times fewer rows, because it takes as long as about two passes over
# X. Chosen, not measured.
_SHRINK = 4

Hashes = NDArray[np.uint64]


def merge_rows(problem: Problem) -> Problem:
    """Return the problem with equal rows of (X, y, offset) merged, if that leaves few rows.

    Otherwise the problem is returned as it is. Ask only where there are `FEWEST_ROWS` rows, or
    where equal ones are the rule.
    """
    parts, n = _parts(problem), problem.observed.n
    index = strata(n, _SAMPLE)
    if any(_distinct(a[index]) * _SHRINK > n for a in parts):
        return problem
    _, first, inverse = np.unique(_hashes(parts), return_index=True, return_inverse=True)
    if len(first) * _SHRINK > n or not _equal(parts, first, inverse):
        return problem
    rank = np.empty(len(first), np.intp)
    order = np.argsort(first)  # a merged row takes the place of the first of its rows
    rank[order] = np.arange(len(first))
    return _merged(problem, first[order], rank[inverse])


def in_own_order(problem: Problem) -> Problem:
    """Return the problem with equal rows merged, in an order that only they themselves decide.

    So a fit of a likelihood with several maxima comes to the same one from rows in another order,
    and from a weight as from so many equal rows: many of its starts are drawn row by row, and on
    the way to infinity rounding alone may decide where it stops.
    """
    parts = _parts(problem)
    _, first, inverse = np.unique(_hashes(parts), return_index=True, return_inverse=True)
    return _merged(problem, first, inverse) if _equal(parts, first, inverse) else problem


def _parts(problem: Problem) -> list[Any]:
    """Return the arrays that have a line for each row."""
    parts = (*problem.observed.statistics, problem.offset, problem.X)
    return [a for a in parts if a is not None and a.shape[0] == problem.observed.n]


def _merged(problem: Problem, first: NDArray[np.intp], inverse: NDArray[np.intp]) -> Problem:
    """Return the problem with the rows `first`, each for all those that `inverse` says."""
    observed, n = problem.observed, problem.observed.n
    copies, weight, squares = np.bincount(inverse), None, None
    if observed.weight is not None:
        weight = np.bincount(inverse, observed.weight).astype(np.float64)
    elif len(first) < n:
        weight = copies.astype(np.float64)
    if observed.squares is not None:
        squares = np.bincount(inverse, observed.squares).astype(np.float64)
    merged = replace(
        observed,
        statistics=tuple(s[first] if len(s) == n else s for s in observed.statistics),
        weight=weight,
        copies=copies,
        squares=squares,
        members=inverse,
    )
    return replace(
        problem,
        X=None if problem.X is None else problem.X[first],
        observed=merged,
        offset=None if problem.offset is None else problem.offset[first],
        rows=n,
    )


def _distinct(part: Any) -> float:
    """Estimate from a sample of rows how many distinct rows all the data have.

    The estimate is a lower bound.

    References
    ----------
    Chao (1984), Nonparametric estimation of the number of classes in a population, Scand. J.
    Statist. 11.
    """
    _, counts = np.unique(_hashes([part]), return_counts=True)
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return len(counts) + once * (once - 1) / (2.0 * (twice + 1))


def _hashes(parts: list[Any]) -> Hashes:
    """Return a hash of each row of all parts together; the parts have the same number of rows."""
    rng = np.random.default_rng(0)
    result = np.zeros(parts[0].shape[0], np.uint64)
    for part in parts:
        part = part[:, None] if part.ndim == 1 else part
        factors = rng.integers(0, 2**64, part.shape[1], np.uint64) | np.uint64(1)
        result += _sparse_sums(part, factors) if sp.issparse(part) else _dense_sums(part, factors)
    return result


def _bits(values: NDArray[Any]) -> Hashes:
    """Return the bits of numbers as integers, mixed so that a product does not lose them."""
    bits = values.view(f"u{values.dtype.itemsize}").astype(np.uint64, copy=False)
    # The bits of round numbers are at the top, where products of integers overflow.
    return bits ^ (bits >> np.uint64(52))


def _dense_sums(x: NDArray[Any], factors: Hashes) -> Hashes:
    size = block_size(x.shape[1])
    parts = [x[low : low + size] for low in range(0, len(x), size)]
    return np.concatenate([np.einsum("ij,j->i", _bits(part), factors) for part in parts])


def _sparse_sums(x: Any, factors: Hashes) -> Hashes:
    x = x.tocsr()
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_bits(x.data) * factors[x.indices])])
    return sums[x.indptr[1:]] - sums[x.indptr[:-1]]


def _equal(parts: list[Any], first: NDArray[np.intp], inverse: NDArray[np.intp]) -> bool:
    """Return whether each row equals the first row of the same hash."""
    for part in parts:
        size = block_size(part.shape[1] if part.ndim == 2 else 1)
        for low in range(0, len(inverse), size):
            rows, others = part[low : low + size], part[first[inverse[low : low + size]]]
            if (rows != others).sum() > 0:
                return False
    return True
