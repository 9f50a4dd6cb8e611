"""Row by row, by how much the information equality is missed.

If the law that is fitted holds, the products of the gradients of a row have the expectation of its
Hessian. Their differences are thus zero on average, up to what is random.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import triangle


def information_gaps(objective: Objective, coef: Array) -> Array:
    """Return g g' - H of each row's -log q, the upper triangle, of shape (n, d (d + 1)/2)."""
    design = objective.design
    rows = objective.rows_at(0, design.n, coef, 2)
    assert rows.gradient is not None
    block = design.block(0, design.n)
    columns = []
    for term in design.terms:
        own = [np.ones((design.n, 1))] * term.intercept
        if term.columns is not None:
            own.insert(0, block.array(term.columns))
        columns.append(np.hstack([np.zeros((design.n, 0)), *own]))
    found = [np.zeros((design.n, 0))]
    for (a, b), curvature in zip(triangle(len(design.terms)), rows.packed, strict=True):
        gap = rows.gradient[a] * rows.gradient[b] - (0.0 if curvature is None else curvature)
        one, other = columns[a] * np.reshape(gap, (-1, 1)), columns[b]
        if a == b:
            i, j = np.triu_indices(one.shape[1])
            found.append(one[:, i] * other[:, j])
        else:
            found.append((one[:, :, None] * other[:, None, :]).reshape(design.n, -1))
    return np.hstack(found)
