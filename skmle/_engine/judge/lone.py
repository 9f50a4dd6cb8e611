"""Columns that alone prove a separation.

A word that is never in the documents of a class makes that class impossible wherever the word is.
Counts of sparse columns show this before the first step; the steps of a solver hide it among those
of all other columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sparse import Sparse
from skmle._engine.data.sums import cuts
from skmle._engine.evaluation import Array
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.growth import growth
from skmle._engine.judge.separation import separates
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Family

# Rows times the square of the number of parameters, up to which columns are looked at. Chosen for
# the time it takes.
_LOOKED_AT = 20_000_000


def lone_columns(
    family: Family, statistics: Arrays, objective: Objective, behind: Behind | None = None
) -> Array | None:
    """Return a direction along all columns that are proofs, each on its own; None if none is.

    Parameters
    ----------
    behind : Behind, optional
        Along which directions rows have run off before; `objective` is the limit there.
    """
    design = objective.design
    n, count = design.n, len(design.terms)
    if n * count**2 > _LOOKED_AT or not design.shared or objective.held().any():
        return None
    assert design.blocks is not None
    blocks = [design.block(low, high) for low, high in cuts(n, design.width)]
    if not all(isinstance(block, Sparse) and block.shift is None for block in blocks):
        return None
    # Against a reference class, all others move together.
    ways = np.vstack([np.eye(count)[design.modelled], *[np.ones(count)] * design.alike])
    against = np.column_stack(
        [_grows(family, statistics, sign * way, n, behind) for sign in (1, -1) for way in ways]
    ).astype(float)
    shape = design.p, 2 * len(ways)
    wrong, moved = np.zeros(shape), np.zeros((design.p, 1))
    other_way = np.roll(against, len(ways), axis=1)
    for (low, high), block in zip(cuts(n, design.width), blocks, strict=True):
        for part, rows in ((block.x > 0.0, against), (block.x < 0.0, other_way)):
            counts = part.astype(float).T
            wrong += counts @ rows[low:high]
            moved += counts @ np.ones((high - low, 1))
    proofs = ((wrong == 0.0) & (moved > 0.0)) / np.maximum(design.blocks.reach(), 1e-300)[:, None]
    slopes = (proofs[:, : len(ways)] - proofs[:, len(ways) :]) @ ways
    result = np.zeros(design.d)
    for j in design.modelled:
        result[design.slices[j]] = slopes[design.terms[j].columns, j]
    return result if separates(family, statistics, objective, result, behind) else None


def _grows(
    family: Family, statistics: Arrays, way: Array, n: int, behind: Behind | None
) -> NDArray[np.bool_]:
    """Return which rows become less likely along a change of eta that is the same in all rows."""
    delta: Arrays = tuple(np.full(n, change) for change in way)
    delta = delta if behind is None else behind.then(delta)
    return np.broadcast_to(~(growth(family, statistics, delta) <= 0.0), (n,))
