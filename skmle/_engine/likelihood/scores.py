"""The rows' gradients, their sums by group and their products.

Standard errors that hold for any law of the data are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.sums import cuts
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Rows, triangle

Gradients = tuple[Array, ...]
"""For each parameter, the derivative of each row's -log q in its eta, (n,), without weights."""


def gradients(objective: Objective, coef: Array) -> Gradients:
    """Return the gradients of the rows in eta."""
    design = objective.design
    result = tuple(np.empty(design.n) for _ in design.terms)
    for low, high in cuts(design.n, design.width):
        entries = objective.rows_at(low, high, coef, 1).gradient
        assert entries is not None
        for whole, entry in zip(result, entries, strict=True):
            whole[low:high] = entry
    return result


def scores(objective: Objective, given: Gradients, groups: NDArray[np.intp] | None = None) -> Array:
    """Return the weighted gradient of each row's -log q, or the sums of these by group.

    Parameters
    ----------
    objective : Objective
        Its penalties are those of no row, and have no part.
    given : tuple of ndarray of shape (n,)
        The gradients of the rows in eta.
    groups : ndarray of int of shape (n,), optional
        The group of each row, from 0 on.

    Returns
    -------
    ndarray of shape (n, d), or (number of groups, d)
    """
    design = objective.design
    count = design.n if groups is None else int(groups.max()) + 1
    result = np.zeros((count, design.d))
    for low, high in cuts(design.n, design.width):
        part = [g[low:high] for g in given]
        if groups is None:
            sums = sp.eye_array(high - low, format="csr")
            result[low:high] = _scores_of_block(objective, part, low, high, sums)
        else:
            # Only the groups of the block: they may be as many as the rows.
            own, place = np.unique(groups[low:high], return_inverse=True)
            ones = np.ones(high - low)
            sums = sp.csr_array((ones, (place, np.arange(high - low))), (len(own), high - low))
            result[own] += _scores_of_block(objective, part, low, high, sums)
    return result


def _scores_of_block(
    objective: Objective, given: Sequence[Array], low: int, high: int, sums: sp.csr_array
) -> Array:
    """Return `sums` times the weighted gradients of a block's rows."""
    design, block = objective.design, objective.design.block(low, high)
    result, weights = np.empty((sums.shape[0], design.d)), objective.weights(low, high)
    for term, s, entry in zip(design.terms, design.slices, given, strict=True):
        weighted = sums * weights.times(entry)[None, :]
        if term.columns is not None:
            result[:, s] = weighted @ block.array(term.columns)
        if term.intercept:
            result[:, s.stop] = weighted.sum(axis=1)
    return result


def bent_by(gradient: Sequence[Array]) -> Rows:
    """Return rows whose curvature is g g', of which a Hessian sums the products of gradients."""
    packed = tuple(np.asarray(gradient[a] * gradient[b]) for a, b in triangle(len(gradient)))
    return Rows(np.zeros(()), tuple(gradient), packed)


def outer(objective: Objective, coef: Array, given: Gradients | None = None) -> Array:
    """Return the sum over the rows of c g g', g being the gradient of -log q.

    c is the weight, which counts repeated rows; or the row's number in `objective.squares`, where
    weights are factors of the likelihoods of rows.

    The sum is the Hessian of rows whose curvature is g g'. So it takes one pass over the rows, on
    threads, for all families, links and forms of X.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
    given : tuple of ndarray of shape (n,), optional
        Other gradients of the rows in eta.
    """

    def rows(statistics: Arrays, eta: Arrays, order: int) -> Rows:
        if given is None:
            gradient = objective.rows(statistics, eta, 1).gradient
            assert gradient is not None
        else:
            gradient = tuple(statistics)
        return bent_by(gradient)

    weight = objective.weight if objective.squares is None else objective.squares
    sums = replace(
        objective,
        rows=rows,
        statistics=objective.statistics if given is None else given,
        weight=weight,
        squares=None,
        penalties=(),
        lasso=None,
    )
    with np.errstate(all="ignore"):
        hessian = sums(coef, 2).hessian
    assert hessian is not None
    return hessian * sums.mass


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
