"""What a solution is: an optimum, a limit, or neither. A small decrement alone does not tell.

Along f = f_inf + c exp(eta) the decrement shrinks by 0.61 an iteration while the Newton step stays -1 for ever: of runs
on problems without a maximum, 60-66 % end with a positive definite hessian and a decrement below 1e-6. So the size of
the last step in eta, and that of the standard errors, decide whether a point is interior; families name the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Solution
from skmle._engine.likelihood.curvature import diagonal
from skmle._engine.likelihood.design import Design
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Family

INTERIOR = "interior"
BOUNDARY = "boundary"
NO_MAXIMUM = "no_maximum"
NON_REGULAR = "non_regular"
NOT_CONVERGED = "not_converged"
INTERRUPTED = "interrupted"

_LARGEST_STEP = 1e-2  # in eta, of the last step at any row of an interior optimum
_LARGEST_ERROR = (
    1e3  # standard error, in eta, of a constant parameter that the data determine at all
)
_FAR_ETA = 15.0  # beyond, a limit law is tried although all else looks interior
_STILL = (
    1e-1,
    1e-2,
    1e-3,
    1e-4,
    1e-6,
)  # of the largest change of eta: of rows that should not move at all
_RANK = 1e-9  # least relative singular value of their columns that is not rounding
_FEW = 10**7  # rows times squared coefficients up to which to find that out takes no time
_MARGIN = 1e-9  # of the largest change of eta: rounding in a certificate of separation


class Verdict(NamedTuple):
    """A status with its reason, in words, and the direction in which the fit runs off."""

    status: str
    reason: str = ""
    direction: Array | None = None


def is_interior(
    objective: Objective,
    solution: Solution,
    tol: float,
    reach: Array | None,
    pure: NDArray[np.bool_],
    inexact: bool,
) -> bool:
    """Return whether the solution is an interior maximum.

    Parameters
    ----------
    reach : ndarray of shape (p,), optional
        A bound on the absolute values of each column of X (less its shift), if one is known.
    pure : ndarray of bool of shape (k,)
        Which eta are pure numbers; the size of the others is measured by the curvature.
    inexact : bool
        Whether the step was solved only roughly, so that it need not show where the likelihood is flat.
    """
    if not solution.converged:
        return False
    units = _units(objective, solution, pure)
    limit = min(1e3 * tol, _LARGEST_STEP)
    if (
        _step_bound(objective, solution.step, reach, units) > limit
        and objective.largest_eta(solution.step, units) > limit
    ):
        return False
    design = objective.design
    if solution.evaluation.hessian is None:
        return not (inexact and undetermined(objective, solution.coef).any())
    pairs = zip(design.slices, design.terms, pure, strict=True)
    constants = [s.stop for s, t, number in pairs if t.columns is None and t.intercept and number]
    if not constants:
        return True
    try:
        variances = np.abs(np.diag(solution.evaluation.inverse)) / objective.size
    except np.linalg.LinAlgError:
        return False
    return bool((variances[constants] <= _LARGEST_ERROR**2).all())


def undetermined(objective: Objective, coef: Array) -> NDArray[np.bool_]:
    """Return which slopes have a standard error so large that some row's eta is not determined at all.

    A step solved only roughly need not show a direction in which the likelihood is flat; that of a single column, such as a
    rare level with one outcome, shows on the diagonal.
    """
    variance = (
        diagonal(objective, lambda low, high: objective.rows_at(low, high, coef, 2).curvature)
        * objective.size
    )
    return objective.design.reach() ** 2 > _LARGEST_ERROR**2 * variance


def _units(objective: Objective, solution: Solution, pure: NDArray[np.bool_]) -> Array:
    """Return the unit of each eta: 1 for pure numbers, else the spread of one row's likelihood; inf if that is unknown."""
    design, hessian = objective.design, solution.evaluation.hessian
    units = np.where(pure, 1.0, np.inf)
    for j, (s, term) in enumerate(zip(design.slices, design.terms, strict=True)):
        if not pure[j] and term.intercept and hessian is not None and hessian[s.stop, s.stop] > 0.0:
            units[j] = 1.0 / np.sqrt(hessian[s.stop, s.stop])
    return units


def _step_bound(objective: Objective, step: Array, reach: Array | None, units: Array) -> float:
    """Return an upper bound on any row's change of eta in its units, without a pass over the rows."""
    design = objective.design
    bound = 0.0
    for s, term, unit in zip(design.slices, design.terms, units, strict=True):
        change = abs(step[s.stop]) if term.intercept else 0.0
        if term.columns is not None:
            if reach is None:
                return np.inf
            change += float(np.abs(step[s]) @ reach[term.columns])
        bound = max(bound, change / unit)
    return bound


def far_parameters(family: Family, coefs: tuple[tuple[Array, float], ...]) -> set[str]:
    """Return the constant parameters whose eta is so large that their limit law may be meant."""
    pairs = zip(family.parameters, coefs, strict=True)
    return {
        param.name
        for param, (slopes, intercept) in pairs
        if len(slopes) == 0 and abs(intercept) > _FAR_ETA
    }


def certificate(
    family: Family, statistics: Arrays, objective: Objective, direction: Array
) -> Array | None:
    """Return a direction near the given one that proves that there is no finite maximum; None if there is none at hand.

    Rounding lets rows move a little that the true direction leaves alone: few rows are looked at again without that.
    """
    if separates(family, statistics, objective, direction):
        return direction
    design = objective.design
    if design.blocks is None or design.n * design.d**2 > _FEW:
        return None
    moves = objective.direction(direction)
    largest = max(float(np.abs(e).max(initial=0.0)) for e in moves)
    for share in _STILL:
        cleaned = _without_small_moves(objective.design, direction, moves, share * largest)
        if separates(family, statistics, objective, cleaned):
            return cleaned
    return None


def _without_small_moves(
    design: Design, direction: Array, moves: list[Array], least: float
) -> Array:
    """Return the direction less what moves each eta in the rows where it changes by at most `least`."""
    result, x = direction.copy(), design.block(0, design.n)
    for j in design.modelled:
        term, own = (
            design.terms[j],
            slice(design.slices[j].start, design.slices[j].stop + design.terms[j].intercept),
        )
        rows = x.array(term.columns)[np.abs(moves[j]) <= least]
        rows = np.column_stack([rows, np.ones(len(rows))]) if term.intercept else rows
        _, scale, basis = np.linalg.svd(rows, full_matrices=False)
        basis = basis[scale > _RANK * scale.max(initial=0.0)]
        result[own] -= basis.T @ (basis @ result[own])
    return result


def separates(family: Family, statistics: Arrays, objective: Objective, step: Array) -> bool:
    """Return whether no row's -log q ever rises along `step` and some row's eta moves: no finite maximum exists."""
    delta = objective.direction(step)
    moved = max((float(np.abs(e).max(initial=0.0)) for e in delta), default=0.0)
    if not moved > 0.0:
        return False
    n = objective.design.n
    slack = _MARGIN * moved
    clean = tuple(np.where(np.abs(np.broadcast_to(e, (n,))) > slack, e, 0.0) for e in delta)
    growth = family.recession(statistics, clean)
    if growth is None or not any(e.any() for e in clean):
        return False
    return bool(np.max(growth) <= slack)
