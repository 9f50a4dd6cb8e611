"""Leverage: how much of a row's own prediction comes from the row itself.

With J = d eta / d coef of a row and C the curvature of its -log q in eta, both for k parameters,
its leverage is the (k, k) matrix C J A^-1 J', where A is the Hessian of all rows. Of least squares
the first diagonal entry is the familiar x' (X'X)^-1 x. The trace summed over the rows is the number
of coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from skmle._engine.data.sums import (
    blas_threads_harm,
    cuts,
    in_order,
    is_long,
    keep_heap,
    one_blas_thread,
)
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Design
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.scores import Entries, Gradients
from skmle.families.base import Rows, Softmax, triangle

# What is left of a prediction by the other rows, below which they leave nothing: the row is fitted
# exactly, its gradient is zero, and stays so.
_NOTHING = 1e-10
# Numbers of X that are multiplied at once, so that the product is in the cache when it is summed:
# for a million rows of 50 columns 0.17 s against 0.23.
_CACHED = 50_000


def leverages(
    objective: Objective, coef: Array, inverse: Array, parameters: Sequence[int]
) -> Array:
    """Return each row's leverage on some parameters, (n,): the trace of their part of C J A^-1 J'.

    Its sum over the rows is the number of coefficients of these parameters.

    Parameters
    ----------
    objective : Objective
        Its curvature may be the expected one.
    coef : ndarray of shape (d,)
    inverse : ndarray of shape (d, d)
        Inverse Hessian of the total.
    parameters : sequence of int
    """
    result = np.empty(objective.design.n)

    def block(low: int, high: int) -> None:
        _, reach, curvature = _curved(objective, coef, inverse, low, high)
        own = curvature[:, parameters]
        result[low:high] = np.einsum("iab,iba->i", own, reach[:, :, parameters])

    _over_blocks(objective, block)
    return result


def squared_moves(objective: Objective, kernel: Array, entries: Entries) -> Array:
    """Return g' J K J' g of each row, (n,): the squared length, by K, of what its gradient moves.

    Parameters
    ----------
    objective : Objective
    kernel : ndarray of shape (d, d)
        K, which is symmetric.
    entries : callable
        The gradients of rows in eta.
    """
    result = np.empty(objective.design.n)

    def block(low: int, high: int) -> None:
        reach = _reach(objective, kernel, low, high)
        g = np.stack(entries(low, high), axis=1)
        result[low:high] = np.einsum("ia,iab,ib->i", g, reach, g)

    _over_blocks(objective, block)
    if objective.squares is not None:  # The factor is in both gradients, and so far in one.
        assert objective.weight is not None
        result *= objective.squares / objective.weight
    return result


def adjusted(
    objective: Objective,
    coef: Array,
    inverse: Array,
    power: float,
    known: Gradients | None = None,
    reproduced: float | None = None,
) -> Entries:
    """Return what finds (I - C V)^-power g of rows with the gradients g, where V = J A^-1 J'.

    They are the gradients as they would be on average (power 1/2), or exactly (power 1), if the row
    were left out of the fit.

    Parameters
    ----------
    objective, coef, inverse
        As in `leverages`.
    power : float
    known : tuple of ndarray of shape (n,), optional
        Other gradients of the rows in eta than those of their law.
    reproduced : float, optional
        What stands for the gradients of rows that the fit reproduces whatever they are, as without
        them there would be no fit of them. By default, what is left in other directions.

    References
    ----------
    MacKinnon & White (1985), Some heteroskedasticity-consistent covariance matrix estimators with
    improved finite sample properties, Journal of Econometrics 29.
    """

    def entries(low: int, high: int) -> Sequence[Array]:
        rows, reach, curvature = _curved(objective, coef, inverse, low, high)
        given = rows.gradient if known is None else [part[low:high] for part in known]
        assert given is not None
        if len(given) == 1:  # for which matrices of one number take twenty times as long
            left = 1.0 - curvature[:, 0, 0] * reach[:, 0, 0]
            moved = given[0] * _grown(left, power)
            return [moved if reproduced is None else np.where(left > _NOTHING, moved, reproduced)]
        g = np.stack([np.broadcast_to(part, high - low) for part in given], axis=1)
        # C V is similar to the symmetric V^1/2 C V^1/2, whatever the signs of C.
        size, axes = np.linalg.eigh(reach)
        half = axes * np.sqrt(np.maximum(size, 0.0))[:, None, :]
        share, turn = np.linalg.eigh(np.swapaxes(half, 1, 2) @ curvature @ half)
        # (I - C V)^-p = I + C half f(S) half', where f(s) = ((1 - s)^-p - 1) / s.
        left = 1.0 - share
        added = _grown(left, power) - 1.0
        per_share = np.where(np.abs(share) > _NOTHING, added / np.where(share, share, 1.0), power)
        through = half @ turn
        inner = np.einsum("iba,ib->ia", through, g) * per_share
        moved = g + np.einsum("iab,ibc,ic->ia", curvature, through, inner)
        if reproduced is not None:
            moved[(left <= _NOTHING).any(axis=1)] = reproduced
        return list(moved.T)

    return entries


def _grown(left: Array, power: float) -> Array:
    """Return left^-power; zero where nothing is left."""
    gone = left <= _NOTHING
    return np.where(gone, 0.0, np.where(gone, 1.0, left) ** -power)


def curvature_of(rows: Rows, n: int, k: int) -> Array:
    """Return the curvature of n rows in k eta, (n, k, k)."""
    packed = rows.curvature
    assert packed is not None
    entries = packed.packed() if isinstance(packed, Softmax) else packed
    curvature = np.zeros((n, k, k))
    for (a, b), entry in zip(triangle(k), entries, strict=True):
        if entry is not None:
            curvature[:, a, b] = curvature[:, b, a] = entry
    return curvature


def _over_blocks(objective: Objective, work: Callable[[int, int], None]) -> None:
    """Call ``work(low, high)`` for all blocks of rows, on threads where that pays."""
    design = objective.design
    width = design.width + len(design.terms) ** 2
    long = is_long(design.n, width)
    keep_heap()
    with one_blas_thread(blas_threads_harm(design.n, width)):
        bounds = cuts(design.n, width)
        in_order(lambda ends: work(*ends), bounds, objective.threads if long else 1)


def _curved(
    objective: Objective, coef: Array, inverse: Array, low: int, high: int
) -> tuple[Rows, Array, Array]:
    """Return -log q of some rows, and J A^-1 J' and C, both (rows, k, k)."""
    reach = _reach(objective, inverse, low, high)
    rows = objective.rows_at(low, high, coef, 2)
    return rows, reach, curvature_of(rows, *reach.shape[:2])


def _reach(objective: Objective, inverse: Array, low: int, high: int) -> Array:
    """Return J A^-1 J' of some rows, (rows, k, k)."""
    design = objective.design
    reach = np.empty((high - low, len(design.terms), len(design.terms)))
    intercepts = [term.intercept for term in design.terms]
    size = max(_CACHED // max(design.width, 1), 1)
    for start in range(low, high, size):
        stop = min(start + size, high)
        slopes = _slopes_of(design, design.block(start, stop), stop - start)
        reach[start - low : stop - low] = reach_of(slopes, inverse, intercepts)
    if objective.squares is not None:  # Of a weight that is a factor, once.
        assert objective.weight is not None
        reach *= (objective.squares[low:high] / objective.weight[low:high])[:, None, None]
    return reach


def columns_of(design: Design, block: Any, n: int) -> list[Array]:
    """Return the derivatives of each eta in its term's coefficients, for the n rows of a block."""
    pairs = zip(_slopes_of(design, block, n), design.terms, strict=True)
    return [np.hstack([own, np.ones((n, int(term.intercept)))]) for own, term in pairs]


def _slopes_of(design: Design, block: Any, n: int) -> list[Array]:
    """Return the same in the slopes alone, which need no copy of X."""
    columns = [term.columns for term in design.terms]
    return [np.empty((n, 0)) if own is None else block.array(own) for own in columns]


def reach_of(
    columns: Sequence[Array], inverse: Array, intercepts: Sequence[bool] | None = None
) -> Array:
    """Return J A^-1 J' of each row, (rows, k, k), for the inverse of A.

    Parameters
    ----------
    columns : sequence of ndarray, each (rows, q)
        The derivatives of each eta in its coefficients.
    inverse : ndarray of shape (d, d)
    intercepts : sequence of bool, optional
        Whether each eta has one more coefficient, whose derivative is 1.
    """
    k, n = len(columns), len(columns[0])
    ones = [False] * k if intercepts is None else intercepts
    widths = [part.shape[1] for part in columns]
    ends = np.cumsum([0, *(width + one for width, one in zip(widths, ones, strict=True))])
    spans = [slice(a, b) for a, b in pairwise(ends)]
    result = np.empty((n, k, k))
    for a, b in triangle(k):
        own = inverse[spans[a], spans[b]]
        product = columns[a] @ own[: widths[a]]
        if ones[a]:
            product += own[widths[a]]
        pair = np.einsum("ij,ij->i", product[:, : widths[b]], columns[b])
        if ones[b]:
            pair += product[:, widths[b]]
        result[:, a, b] = result[:, b, a] = pair
    return result
