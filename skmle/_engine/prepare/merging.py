"""Equal rows made one that weighs as much: categorical columns leave few distinct rows, and a fit needs no others.

Whether it pays is estimated on a sample. Rows are then sorted by a hash, and rows of equal hash compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.sums import block_size, strata
from skmle._engine.problem import Problem

_FEWEST_ROWS = 20_000  # below which a fit takes no longer than to look
_SAMPLE = 4096
_SHRINK = 4  # times fewer rows, or merging is not worth two passes over X

Hashes = NDArray[np.uint64]


def merge_rows(problem: Problem) -> Problem:
    """Return the problem with equal rows of (X, y, offset) merged into weights, where that leaves few; else as it is."""
    observed, n = problem.observed, problem.observed.n
    if problem.X is None or n < _FEWEST_ROWS or problem.copies is not None:
        return problem
    parts = [
        a
        for a in (*observed.statistics, problem.offset, problem.X)
        if a is not None and a.shape[0] == n
    ]
    index = strata(n, _SAMPLE)
    if any(_distinct(a[index]) * _SHRINK > n for a in parts):
        return problem
    _, first, inverse = np.unique(_hashes(parts), return_index=True, return_inverse=True)
    if len(first) * _SHRINK > len(inverse) or not _equal(parts, first, inverse):
        return problem
    rank = np.empty(len(first), np.intp)
    order = np.argsort(first)  # merged rows stand where the first of them stood
    rank[order] = np.arange(len(first))
    first, inverse = first[order], rank[inverse]
    statistics = tuple(s[first] if len(s) == n else s for s in observed.statistics)
    weight = np.bincount(inverse, observed.weight).astype(np.float64)
    return replace(
        problem,
        X=problem.X[first],
        observed=replace(observed, statistics=statistics, weight=weight),
        offset=None if problem.offset is None else problem.offset[first],
        copies=np.bincount(inverse),
    )


def _distinct(part: Any) -> float:
    """Return an estimate, rather low, of how many distinct rows all data have of which these are a sample.

    References
    ----------
    Chao (1984), Nonparametric estimation of the number of classes in a population, Scand. J. Statist. 11.
    """
    _, counts = np.unique(_hashes([part]), return_counts=True)
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return len(counts) + once * (once - 1) / (2.0 * (twice + 1))


def _hashes(parts: list[Any]) -> Hashes:
    """Return a hash of each row of parts of equally many rows."""
    rng = np.random.default_rng(0)
    result = np.zeros(parts[0].shape[0], np.uint64)
    for part in parts:
        part = part[:, None] if part.ndim == 1 else part
        factors = rng.integers(0, 2**64, part.shape[1], np.uint64) | np.uint64(1)
        result += _sparse_sums(part, factors) if sp.issparse(part) else _dense_sums(part, factors)
    return result


def _bits(values: NDArray[Any]) -> Hashes:
    bits = values.view(f"u{values.dtype.itemsize}").astype(np.uint64, copy=False)
    return bits ^ (
        bits >> np.uint64(52)
    )  # round numbers have their bits at the top, where a product would lose them


def _dense_sums(x: NDArray[Any], factors: Hashes) -> Hashes:
    size = block_size(x.shape[1])
    return np.concatenate(
        [
            np.einsum("ij,j->i", _bits(x[low : low + size]), factors)
            for low in range(0, len(x), size)
        ]
    )


def _sparse_sums(x: Any, factors: Hashes) -> Hashes:
    x = x.tocsr()
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_bits(x.data) * factors[x.indices])])
    return sums[x.indptr[1:]] - sums[x.indptr[:-1]]


def _equal(parts: list[Any], first: NDArray[np.intp], inverse: NDArray[np.intp]) -> bool:
    """Return whether each row equals the first of its hash."""
    for part in parts:
        size = block_size(part.shape[1] if part.ndim == 2 else 1)
        for low in range(0, len(inverse), size):
            rows, others = part[low : low + size], part[first[inverse[low : low + size]]]
            if (rows != others).sum() > 0:
                return False
    return True
