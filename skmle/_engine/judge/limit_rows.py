"""Rows at a limit law, where a parameter that depends on features runs to an end of its range.

The counts of one group, say, are no more dispersed than Poisson's: the dispersion of this group
tends to zero, and that of all others does not. It is a maximum at the boundary: the rows of the
group have the limit law, and what is left is fitted as usual.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import cuts
from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.receding import Receded, recede
from skmle._engine.judge.separation import vanished
from skmle._engine.prepare.likelihood import Likelihood
from skmle.families.base import Limit
from skmle.families.ends import eta_at, place

# Etas from which a row may be meant to be at its limit, the farthest first: exp(-15) of a
# dispersion is hardly told from none, and whether the limit is likelier is looked at in any case.
# Chosen, not measured.
_FAR = (15.0, 10.0, 6.0)
# Nats a row by which a limit may be less likely than the fit, because both are rounded. As in
# `limits`.
_TIE = 1e-9
# Share of a direction's square below which it moves none of the other rows; as in `receding`.
_GONE = 1e-9


def rows_at_a_limit(
    likelihood: Likelihood, solution: Solution
) -> tuple[Limit, Array, Receded] | None:
    """Return the limit to which a modelled parameter runs in some rows, with what is left.

    The direction of the coefficients is returned with it. None is returned if there is no limit
    that is at least as likely as the solution.
    """
    family, objective = likelihood.family, likelihood.objective
    if objective.lasso is not None or likelihood.problem.jeffreys:
        return None
    for limit in family.limits:
        j = place(family, limit.parameter)
        end = eta_at(family, limit)
        if likelihood.design.terms[j].columns is None or not np.isinf(end):
            continue
        eta = _eta(likelihood, solution.coef, j) * np.sign(end)
        tried = None
        for far in _FAR:
            rows = eta > far
            if not rows.any() or (tried is not None and np.array_equal(rows, tried)):
                continue
            tried = rows
            direction = _towards(likelihood, j, rows, float(np.sign(end)))
            if direction is None:
                continue
            found = recede(likelihood, solution, direction)
            slack = _TIE * (1.0 + abs(found.value))
            if found.inverse is not None and found.value <= solution.evaluation.value + slack:
                return limit, direction, found._replace(certain=rows)
    return None


def _eta(likelihood: Likelihood, coef: Array, j: int) -> Array:
    """Return the eta of one parameter in all rows."""
    eta = likelihood.objective.etas(coef)[j]
    return np.broadcast_to(eta, (likelihood.design.n,))


def _towards(likelihood: Likelihood, j: int, rows: NDArray[np.bool_], sign: float) -> Array | None:
    """Return a direction of one term that moves these rows towards a limit, and no others."""
    design = likelihood.design
    term, s = design.terms[j], design.slices[j]
    parts = [design.block(*cut).array(term.columns) for cut in cuts(design.n, design.width)]
    x = np.concatenate(parts)
    x = np.column_stack([x, np.ones(len(x))]) if term.intercept else x
    stays = x[~rows]
    basis = vanished(stays.T @ stays, x.T @ x, _GONE)
    if not basis.shape[1]:
        return None
    moves = x[rows] @ basis
    own = basis @ np.linalg.lstsq(moves, np.full(len(moves), sign), rcond=None)[0]
    if not (sign * (x[rows] @ own) > _GONE).all():
        return None
    result = np.zeros(design.d)
    result[s.start : s.stop + term.intercept] = own
    return result
