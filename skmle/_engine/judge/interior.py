"""What a solution is: an optimum, a limit, or neither. A small decrement alone does not tell.

Along f = f_inf + c exp(eta) the decrement shrinks by 0.61 an iteration while the Newton step stays
-1 for ever: of runs on problems without a maximum, 60-66 % end with a positive definite hessian and
a decrement below 1e-6. So the size of the last step in eta, and that of the standard errors, decide
whether a point is interior; families name the rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Solution
from skmle._engine.likelihood.curvature import diagonal
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood

_LARGEST_STEP = 1e-2  # in eta, of the last step at any row of an interior optimum
_LARGEST_ERROR = (
    1e3  # standard error, in eta, of a constant parameter that the data determine at all
)


def is_interior(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether the solution is an interior maximum.

    The last step and the standard errors are small there.
    """
    if not solution.converged:
        return False
    objective, problem = likelihood.objective, likelihood.problem
    reach, pure = likelihood.columns.reach(problem.n), _pure(likelihood)
    if solution.working is not None:
        # Slopes that the penalty holds at zero are no part of the question.
        working = solution.working
        objective, solution = working.part, working.judged(solution)
        reach = None if reach is None else reach[working.columns]
    units = _units(objective, solution, pure)
    limit = min(1e3 * problem.tol, _LARGEST_STEP)
    if (
        _step_bound(objective, solution.step, reach, units) > limit
        and objective.largest_eta(solution.step, units) > limit
    ):
        return False
    if solution.evaluation.hessian is None:
        doubtful = solution.rough and not problem.all_held
        return not (doubtful and undetermined(objective, solution.coef).any())
    return _determined(objective, solution, pure)


def _pure(likelihood: Likelihood) -> NDArray[np.bool_]:
    """Return which eta are pure numbers, as those of a standardised y are.

    The curvature measures the others.
    """
    family, units = likelihood.family, likelihood.units
    count = len(family.parameters)
    return np.array([family.dimensionless(j) or units.located(j) for j in range(count)])


def _determined(objective: Objective, solution: Solution, pure: NDArray[np.bool_]) -> bool:
    """Return whether the data determine all constant parameters whose eta are pure numbers."""
    pairs = zip(objective.design.slices, objective.design.terms, pure, strict=True)
    constants = [s.stop for s, t, number in pairs if t.columns is None and t.intercept and number]
    if not constants:
        return True
    try:
        variances = np.abs(np.diag(solution.evaluation.inverse)) / objective.size
    except np.linalg.LinAlgError:
        return False
    return bool((variances[constants] <= _LARGEST_ERROR**2).all())


def undetermined(objective: Objective, coef: Array) -> NDArray[np.bool_]:
    """Return which slopes have an error so large that some row's eta is not determined at all.

    A step solved only roughly need not show a direction in which the likelihood is flat; that of a
    single column, such as a rare level with one outcome, shows on the diagonal.
    """
    variance = (
        diagonal(objective, lambda low, high: objective.rows_at(low, high, coef, 2).curvature)
        * objective.size
    )
    return objective.design.reach() ** 2 > _LARGEST_ERROR**2 * variance


def _units(objective: Objective, solution: Solution, pure: NDArray[np.bool_]) -> Array:
    """Return the unit of each eta: 1 for pure numbers, else the spread of one row's likelihood.

    It is inf if that is unknown.
    """
    design, hessian = objective.design, solution.evaluation.hessian
    units = np.where(pure, 1.0, np.inf)
    for j, (s, term) in enumerate(zip(design.slices, design.terms, strict=True)):
        if not pure[j] and term.intercept and hessian is not None and hessian[s.stop, s.stop] > 0.0:
            units[j] = 1.0 / np.sqrt(hessian[s.stop, s.stop])
    return units


def _step_bound(objective: Objective, step: Array, reach: Array | None, units: Array) -> float:
    """Return an upper bound on any row's change of eta in its units.

    It takes no pass over the rows.
    """
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
