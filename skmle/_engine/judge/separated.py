"""The record of what runs off: in the user's coefficients and row numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array
from skmle._engine.judge.fewest import way_of
from skmle._engine.judge.receding import Receded
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Coefs, Separated

# Share of a coefficient's terms below which a direction does not move it. Chosen, not measured.
_STILL = 1e-7
# Share of the largest entry of a map between coefficients that is rounding. Chosen, not measured.
_ENTRY = 1e-13
# Numbers of X that are looked at to see whether columns are zero in some rows. Chosen for the time
# it takes.
_LOOKED_AT = 10_000_000


def record(likelihood: Likelihood, found: Receded) -> Separated:
    """Return what runs off in the user's terms."""
    way = way_of(likelihood, found.directions)
    rows, members = np.flatnonzero(found.certain), likelihood.problem.observed.members
    return Separated(
        way=way,
        loose=_loose(likelihood, found.free),
        rows=rows if members is None else np.flatnonzero(found.certain[members]),
        apart=_are_zero(likelihood, way, rows),
    )


def _loose(
    likelihood: Likelihood, free: Array | None
) -> tuple[tuple[NDArray[np.bool_], bool], ...]:
    """Return which of the user's coefficients the free directions move."""
    terms = likelihood.problem.terms
    if free is None:
        return tuple((np.ones(term.size, bool), True) for term in terms)
    matrix = likelihood.coordinates.matrix()
    if matrix is None:
        moved, size = np.abs(free), np.abs(free).max(axis=0, initial=0.0)
    else:
        least = _ENTRY * np.abs(matrix).max(axis=1, keepdims=True)
        matrix = np.where(np.abs(matrix) > least, matrix, 0.0)
        moved, size = np.abs(matrix @ free), np.abs(matrix) @ np.abs(free)
    each = (moved > _STILL * size).any(axis=1)
    result, at = [], 0
    for term in terms:
        own = each[at : at + term.length]
        result.append((own[: term.size].copy(), bool(own[term.size :].any())))
        at += term.length
    return tuple(result)


def _are_zero(likelihood: Likelihood, way: Coefs, rows: NDArray[np.intp]) -> bool:
    """Return whether the columns that run off are zero in some rows, where the intercept does."""
    problem = likelihood.problem
    if problem.X is None or not len(rows) or not any(up for _, up in way):
        return False
    columns = np.unique(
        np.concatenate(
            [
                np.arange(problem.X.shape[1])[term.columns][slopes != 0.0]
                for term, (slopes, _) in zip(problem.terms, way, strict=True)
                if term.columns is not None
            ]
        )
    )
    if not len(columns) or len(columns) * len(rows) > _LOOKED_AT:
        return False
    given = likelihood.columns.given
    blocks, shift = given.blocks, given.shift
    assert blocks is not None
    zero = 0.0 if shift is None else -shift[columns]
    # Where they are not, the first row shows that in most cases.
    return all(
        bool((blocks.take(some).block(0, len(some)).array(columns) == zero).all())
        for some in (rows[:1], rows)
    )
