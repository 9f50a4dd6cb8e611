"""Whether a solution is an interior maximum. A small decrement alone does not prove it.

Along f = f_inf + c exp(eta) the decrement shrinks by 0.61 an iteration while the Newton step stays
-1 for ever: of runs on problems without a maximum, 60-66 % end with a positive definite Hessian and
a decrement below 1e-6. So the size of the last step in eta, and that of the standard errors, decide
whether a point is interior.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Solution
from skmle._engine.likelihood.curvature import diagonal
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood
from skmle.families.base import Family
from skmle.families.tools.location_scale import SPREAD_SIGNS

# Largest change of any row's eta in the last step to an interior maximum, in eta's unit. On the way
# to infinity the change stays about 1. Chosen between, not measured.
LARGEST_STEP = 1e-2
# Such change that rounding alone may make: on ordinary data it is 1e-15. A smaller `tol` does not
# turn it into a step towards infinity. Chosen, not measured.
_ROUNDING = 1e-10
# Largest standard error, in eta, of a constant parameter that the data determine: exp(1000) is far
# beyond all numbers. Chosen, not measured.
LARGEST_ERROR = 1e3
# Distance to the maximum, before the last step, from which the Hessian at the maximum gives other
# standard errors: they were off by 1e-7 of themselves at a distance of 1e-6. And rows times
# coefficients up to which it is evaluated there once more, which took 1 to 5 % of the time of such
# fits, but 6 to 10 % at twice as many.
_EXACT, _SHORT = 1e-11, 5_000
_FAR = 300.0  # absolute log scale beyond which its exponential, squared, is no number


def is_interior(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether the solution is an interior maximum.

    At such a maximum the last step and the standard errors are small.
    """
    if not solution.converged:
        return False
    objective, problem = likelihood.objective, likelihood.problem
    family, units = likelihood.family, likelihood.units
    reach = likelihood.columns.reach(problem.n)
    # The eta that are pure numbers, and the locations, which are measured in scales of the law. The
    # others are measured by the curvature.
    etas = range(len(family.parameters))
    located = np.array([units.located(j) for j in etas])
    pure = np.array([family.dimensionless(j) for j in etas]) | located
    own = np.where(located, _scales(likelihood, solution) if located.any() else 1.0, 1.0)
    if solution.working is not None:
        # Slopes that the penalty holds at zero do not count.
        working = solution.working
        objective, solution = working.part, working.judged(solution)
        reach = None if reach is None else reach[working.columns]
    spreads = _spreads(objective, solution, pure) * own
    if family.domains:
        spreads = np.minimum(spreads, _ways_so_far(family, objective, solution.coef))
    limit = min(max(1e3 * problem.tol, _ROUNDING), LARGEST_STEP)
    if (
        _step_bound(objective, solution.step, reach, spreads) > limit
        and objective.largest_eta(solution.step, spreads) > limit
    ):
        return False
    if solution.evaluation.hessian is None:
        doubtful = solution.rough and not problem.all_held
        return not (doubtful and undetermined(objective, solution.coef).any())
    return determined(objective, solution, pure, own)


def _scales(likelihood: Likelihood, solution: Solution) -> Array:
    """Return for each eta the scale of its law in units of the fit, a mean where it is modelled.

    The spread of y would not do as a unit of locations: with far outliers it is much less than the
    scale of a law without heavy tails, and of parts that lie far apart it is much more. A location
    goes with the scales that follow it, before the next location.
    """
    design, coef = likelihood.design, solution.coef
    signs = [SPREAD_SIGNS.get(param.unit, 0.0) for param in likelihood.family.parameters]
    if all(t.columns is None for t, sign in zip(design.terms, signs, strict=True) if sign):
        etas = [
            coef[s.stop] if t.intercept else 0.0
            for s, t in zip(design.slices, design.terms, strict=True)
        ]
    else:
        etas = [float(np.mean(eta)) for eta in likelihood.objective.etas(coef)]
    parts = np.cumsum([likelihood.units.located(j) for j in range(len(signs))])
    parts[parts == 0] = 1  # scales that stand before the first location are those of its law
    spreads = np.where(signs, np.multiply(signs, etas), 0.0)
    log_scales = np.bincount(parts, spreads)[parts]
    return np.exp(np.clip(log_scales, -_FAR, _FAR))


def determined(
    objective: Objective, solution: Solution, pure: NDArray[np.bool_], own: Array | None = None
) -> bool:
    """Return whether the data determine all constant parameters whose eta are pure numbers.

    Each eta may be measured in a unit of its own.
    """
    units = np.ones(len(pure)) if own is None else own
    each = list(zip(objective.design.slices, objective.design.terms, pure, units, strict=True))
    known = [
        (s.stop, unit)
        for s, t, number, unit in each
        if t.columns is None and t.intercept and number
    ]
    constants = [index for index, _ in known]
    if not constants:
        return True
    try:
        variances = np.abs(np.diag(solution.evaluation.inverse)) / objective.size
    except np.linalg.LinAlgError:
        return False
    largest = LARGEST_ERROR * np.array([unit for _, unit in known])
    return bool((variances[constants] <= largest**2).all())


def is_vague(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether some coefficient has an error so large that its rows may be running off.

    Where derivatives underflow, as those of complementary log-log links, a fit that runs off comes
    to a stop: neither the decrement nor the step shows it, but the errors do.
    """
    objective, hessian = likelihood.objective, solution.evaluation.hessian
    if hessian is None or objective.lasso is not None:
        return False
    curvature = np.diag(hessian)
    if likelihood.problem.covariance:
        try:
            variance = np.abs(np.diag(solution.evaluation.inverse))
        except np.linalg.LinAlgError:
            return True
    else:
        variance = 1.0 / np.maximum(curvature, np.finfo(float).tiny)
    reach, design = likelihood.columns.reach(likelihood.problem.n), objective.design
    sizes = np.ones(design.d)
    if reach is None:
        sizes = np.maximum(design.reach(), 1.0 * (design.carriers() < 0))
    else:
        for j in design.modelled:
            sizes[design.slices[j]] = reach[design.terms[j].columns]
    return bool((variance * sizes**2 > LARGEST_ERROR**2 * objective.size).any())


def undetermined(objective: Objective, coef: Array) -> NDArray[np.bool_]:
    """Return the slopes whose error is so large that some row's eta is not determined at all.

    A step that was solved only roughly need not show a direction in which the likelihood is flat.
    Where that is the direction of a single column, such as a rare level with one outcome, the
    diagonal of the Hessian shows it.
    """

    def curvature(low: int, high: int) -> Any:
        return objective.rows_at(low, high, coef, 2).curvature

    information = diagonal(objective, curvature) * objective.size
    return objective.design.reach() ** 2 > LARGEST_ERROR**2 * information


def _spreads(objective: Objective, solution: Solution, pure: NDArray[np.bool_]) -> Array:
    """Return the unit of each eta: 1 for pure numbers, else the spread of one row's likelihood.

    It is inf if there is no Hessian, or no intercept, to tell the spread.
    """
    design, hessian = objective.design, solution.evaluation.hessian
    spreads = np.where(pure, 1.0, np.inf)
    for j, (s, term) in enumerate(zip(design.slices, design.terms, strict=True)):
        if not pure[j] and term.intercept and hessian is not None and hessian[s.stop, s.stop] > 0.0:
            spreads[j] = 1.0 / np.sqrt(hessian[s.stop, s.stop])
    return spreads


def _ways_so_far(family: Family, objective: Objective, coef: Array) -> Array:
    """Return the mean size of each eta under a link whose infinite eta is a finite parameter.

    On the way there, as to 1/eta = 0, the likelihood gets ever flatter: no spread of it is a unit
    of the steps any more, but these stay a share of the way. It is inf of the other links.
    """
    sizes = [
        float(np.mean(np.abs(eta))) if family.fades(j) else np.inf
        for j, eta in enumerate(objective.etas(coef))
    ]
    return np.array(sizes)


def _step_bound(objective: Objective, step: Array, reach: Array | None, units: Array) -> float:
    """Return an upper bound of any row's change of eta along a step, in units of each eta.

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


def is_worth_a_hessian(objective: Objective, solution: Solution) -> bool:
    """Return whether to evaluate the Hessian at a maximum, for its standard errors.

    That at hand is of the point before the last step.
    """
    design = objective.design
    return solution.distance > _EXACT and design.n * design.d <= _SHORT
