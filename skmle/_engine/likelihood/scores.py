"""The rows' gradients, their sums by group and their products.

Standard errors that hold for any law of the data are made of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import cuts
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Rows


def scores(objective: Objective, coef: Array, groups: NDArray[np.intp] | None = None) -> Array:
    """Return the weighted gradient of each row's -log q, or the sums of these by group.

    Parameters
    ----------
    objective : Objective
        Its penalties are those of no row, and have no part.
    coef : ndarray of shape (d,)
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
        part = _scores_of_block(objective, coef, low, high)
        if groups is None:
            result[low:high] = part
        else:
            np.add.at(result, groups[low:high], part)
    return result


def _scores_of_block(objective: Objective, coef: Array, low: int, high: int) -> Array:
    design, block = objective.design, objective.design.block(low, high)
    gradient = objective.rows_at(low, high, coef, 1).gradient
    assert gradient is not None
    result, weights = np.empty((high - low, design.d)), objective.weights(low, high)
    for term, s, entry in zip(design.terms, design.slices, gradient, strict=True):
        g = weights.times(np.broadcast_to(entry, (high - low,)))
        if term.columns is not None:
            result[:, s] = block.array(term.columns) * g[:, None]
        if term.intercept:
            result[:, s.stop] = g
    return result


def outer(objective: Objective, coef: Array, power: int = 2) -> Array:
    """Return the sum over the rows of weight^power g g', g being the gradient of -log q.

    It is the Hessian of rows whose curvature is g g'. So it takes one pass over the rows, on
    threads, for all families, links and forms of X. The squared weights of merged rows were summed
    when they were merged.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
    power : {1, 2}
        2: each row is one observation, and its weight is a factor of its likelihood, which is what
        the meat of a sandwich wants. 1: a weight is that many observations.
    """

    def rows(statistics: Arrays, eta: Arrays, order: int) -> Rows:
        gradient = objective.rows(statistics, eta, 1).gradient
        assert gradient is not None
        pairs = ((a, b) for a in range(len(gradient)) for b in range(a, len(gradient)))
        packed = tuple(np.asarray(gradient[a] * gradient[b]) for a, b in pairs)
        return Rows(np.zeros(()), gradient, packed)

    weight = objective.weight if power == 1 else _squares(objective)
    sums = replace(objective, rows=rows, weight=weight, penalties=(), lasso=None)
    with np.errstate(all="ignore"):
        hessian = sums(coef, 2).hessian
    assert hessian is not None
    return hessian * sums.mass


def _squares(objective: Objective) -> Array | None:
    if objective.squares is not None or objective.weight is None:
        return objective.squares
    return objective.weight**2
