"""The rows' gradients, their sums by group and their products.

Standard errors that hold for any law of the data are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.sums import blas_threads_harm, cuts, keep_heap, one_blas_thread, total
from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood.design import Weights
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Rows, triangle

Gradients = tuple[Array, ...]
"""For each parameter, the derivative of each row's -log q in its eta, (n,), without weights."""


Entries = Callable[[int, int], Sequence[Array]]
"""(low, high) -> the same of some rows."""


def at(objective: Objective, coef: Array) -> Entries:
    """Return what finds the gradients of rows in eta."""

    def entries(low: int, high: int) -> Sequence[Array]:
        result = objective.rows_at(low, high, coef, 1).gradient
        assert result is not None
        return result

    return entries


def given(gradients: Gradients) -> Entries:
    """Return what hands out gradients of rows that are known."""
    return lambda low, high: [entry[low:high] for entry in gradients]


def gradients(objective: Objective, coef: Array) -> Gradients:
    """Return the gradients of the rows in eta."""
    design, entries = objective.design, at(objective, coef)
    result = tuple(np.empty(design.n) for _ in design.terms)
    keep_heap()
    with one_blas_thread(blas_threads_harm(design.n, design.width)):
        for low, high in cuts(design.n, design.width):
            for whole, entry in zip(result, entries(low, high), strict=True):
                whole[low:high] = entry
    return result


def scores(objective: Objective, entries: Entries, groups: NDArray[np.intp] | None = None) -> Array:
    """Return the weighted gradient of each row's -log q, or the sums of these by group.

    Parameters
    ----------
    objective : Objective
        Its penalties are those of no row, and have no part.
    entries : callable
        The gradients of rows in eta.
    groups : ndarray of int of shape (n,), optional
        The group of each row, from 0 on.

    Returns
    -------
    ndarray of shape (n, d), or (number of groups, d)
    """
    design = objective.design
    bounds = cuts(design.n, design.width)
    count = design.n if groups is None else int(groups.max()) + 1
    if groups is not None and count <= bounds[0][1] - bounds[0][0]:

        def block(low: int, high: int) -> Evaluation:
            part = entries(low, high)
            return Evaluation(0.0, _sums(objective, part, low, high, groups[low:high], count))

        size = count * design.d
        found = total(block, design.n, design.width, size, objective.threads).gradient
        assert found is not None
        return found
    result = np.zeros((count, design.d))
    for low, high in bounds:
        part = entries(low, high)
        if groups is None:
            result[low:high] = _scores(objective, part, low, high)
        else:  # only the groups of the block: they may be as many as the rows
            own, place = np.unique(groups[low:high], return_inverse=True)
            result[own] += _sums(objective, part, low, high, place, len(own))
    return result


def _scores(objective: Objective, part: Sequence[Array], low: int, high: int) -> Array:
    """Return the weighted gradients of a block's rows, (rows, d)."""
    design, block = objective.design, objective.design.block(low, high)
    result, weights = np.empty((high - low, design.d)), objective.weights(low, high)
    for term, s, entry in zip(design.terms, design.slices, part, strict=True):
        weighted = weights.times(entry)
        if term.columns is not None:
            result[:, s] = weighted[:, None] * block.array(term.columns)
        if term.intercept:
            result[:, s.stop] = weighted
    return result


def _sums(
    objective: Objective,
    part: Sequence[Array],
    low: int,
    high: int,
    place: NDArray[np.intp],
    count: int,
) -> Array:
    """Return the sums by group of the weighted gradients of a block's rows, (count, d)."""
    design, block, m = objective.design, objective.design.block(low, high), high - low
    result, weights = np.empty((count, design.d)), objective.weights(low, high)
    for term, s, entry in zip(design.terms, design.slices, part, strict=True):
        weighted = weights.times(entry)
        if term.columns is not None:
            # One entry a column, so that no sorting is needed.
            by_group = sp.csc_array((weighted, place, np.arange(m + 1)), shape=(count, m))
            result[:, s] = by_group @ block.array(term.columns)
        if term.intercept:
            result[:, s.stop] = np.bincount(place, weighted, count)
    return result


def bent_by(gradient: Sequence[Array]) -> Rows:
    """Return rows whose curvature is g g', of which a Hessian sums the products of gradients."""
    packed = tuple(np.asarray(gradient[a] * gradient[b]) for a, b in triangle(len(gradient)))
    return Rows(np.zeros(()), tuple(gradient), packed)


def outer(objective: Objective, entries: Entries) -> Array:
    """Return the sum over the rows of c g g', g being the gradient of -log q.

    c is the weight, which counts repeated rows; or the row's number in `objective.squares`, where
    weights are factors of the likelihoods of rows.

    The sum is the Hessian of rows whose curvature is g g'. So it takes one pass over the rows, on
    threads, for all families, links and forms of X.

    Parameters
    ----------
    objective : Objective
    entries : callable
        The gradients of rows in eta. They are asked for block by block, in any order, on threads.
    """
    design = objective.design
    counts = objective.weight if objective.squares is None else objective.squares

    def block(low: int, high: int) -> Evaluation:
        bent = bent_by(entries(low, high)).curvature
        assert bent is not None
        weights = Weights(high - low, None if counts is None else counts[low:high])
        return Evaluation(0.0, None, design.pull_hessian(design.block(low, high), bent, weights))

    with np.errstate(all="ignore"):
        found = total(block, design.n, design.width, design.d**2, objective.threads).hessian
    assert found is not None
    return found


def outer_by_group(
    objective: Objective,
    coef: Array,
    groups: NDArray[np.intp],
    known: Gradients | None = None,
) -> Array:
    """Return the sum over groups of s s', s being the sum of the weighted gradients of a group.

    Of groups that are many, the sums are never all there at once: the rows are taken group by
    group.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
    groups : ndarray of int of shape (n,)
        The group of each row, from 0 on.
    known : tuple of ndarray of shape (n,), optional
        Other gradients of the rows in eta.
    """
    design = objective.design
    bounds = cuts(design.n, design.width)
    if int(groups.max()) < bounds[0][1]:
        sums = scores(objective, at(objective, coef) if known is None else given(known), groups)
        return sums.T @ sums
    order = None if (groups[1:] >= groups[:-1]).all() else np.argsort(groups, kind="stable")
    result, open_, last = np.zeros((design.d, design.d)), np.zeros(design.d), -1
    keep_heap()
    with one_blas_thread(blas_threads_harm(design.n, design.width)):
        for low, high in bounds:
            part, ends, rows = objective, (low, high), np.arange(low, high)
            if order is not None:
                rows = order[low:high]
                part, ends = objective.take(rows), (0, high - low)
            entries = at(part, coef)(*ends) if known is None else [g[rows] for g in known]
            own = groups[rows]
            place = np.cumsum(np.diff(own, prepend=own[:1]) != 0)
            sums = _sums(part, entries, *ends, place, int(place[-1]) + 1)
            # The last group of the rows before may go on.
            if own[0] == last:
                sums[0] += open_
            else:
                result += np.outer(open_, open_)
            open_, last = sums[-1], own[-1]
            result += sums[:-1].T @ sums[:-1]
    return result + np.outer(open_, open_)


def lagged(rows: Array, lags: int) -> Array:
    """Return the sum of products of scores up to some lags apart, under Bartlett's weights.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Scores, in the order of time.
    lags : int

    References
    ----------
    Newey & West (1987), A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix, Econometrica 55.
    """
    total = rows.T @ rows
    for lag in range(1, lags + 1):
        product = rows[lag:].T @ rows[:-lag]
        total += (1.0 - lag / (lags + 1.0)) * (product + product.T)
    return total
