"""A maximum that the solver took for none: some direction is so flat that it stopped too early.

A single row of a tiny weight, or an outcome that is nearly certain, may be all that keeps a fit
from running off. Its distance is below any tolerance long before the fit is near its maximum.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.interior import LARGEST_STEP, determined, is_interior
from skmle._engine.judge.separation import Span, recedes
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.solvers.newton import newton

# Share of the tolerance to which the fit goes on, and steps of it, at most: on the way to a maximum
# each step squares the distance, on the way to infinity the steps never end. Chosen, not measured.
_FINER, _STEPS = 1e-6, 30
# Share of the largest eta up to which a step counts as small. Chosen, not measured.
_SHARE = 1e-4
# Least share of the largest curvature that is more than rounding. Chosen, not measured.
_LEAST = 1e-18


def polished(likelihood: Likelihood, solution: Solution) -> Solution | None:
    """Return the interior maximum to which a fit leads that goes on; None if it leads to none."""
    objective, hessian = likelihood.objective, solution.evaluation.hessian
    if likelihood.watch.spent:
        return None
    if hessian is None or objective.lasso is not None or not np.isfinite(hessian).all():
        return None
    basis = _own_directions(hessian)
    found = newton(
        Span(objective, basis),
        np.asarray(np.linalg.solve(basis, solution.coef), np.float64),
        tol=_FINER * likelihood.problem.tol,
        max_iter=_STEPS,
    )
    if not found.converged:
        return None
    coef = basis @ found.coef
    better = Solution(
        coef=coef,
        evaluation=objective(coef),
        step=basis @ found.step,
        distance=found.distance,
        n_iter=solution.n_iter + found.n_iter,
        converged=True,
    )
    if not (is_interior(likelihood, better) or _is_still(likelihood, better)):
        return None
    objective.accepted(coef, better.evaluation, better.distance)
    return better


def _is_still(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether the last step, which rounding keeps from ending, is small in its own unit.

    Cauchy's tails hold a fit at an eta of 1e9 by rows of a weight of 1e-9. On the way to infinity
    an eta grows by one in exponential tails, and by half of itself in Cauchy's.
    """
    objective, family = likelihood.objective, likelihood.family
    if not recedes(family, likelihood.statistics, objective.design.n, always=True):
        return False
    units = np.ones(len(family.parameters))
    largest = max(LARGEST_STEP, _SHARE * objective.largest_eta(solution.coef, units))
    return objective.largest_eta(solution.step, units) <= largest and determined(
        objective, solution, np.ones(len(units), bool)
    )


def _own_directions(hessian: Array) -> Array:
    """Return the directions in which a Hessian is diagonal, each in its own unit.

    The solver measures curvatures against those on the diagonal, so that a flat direction that is
    on it does no harm.
    """
    diagonal = np.abs(np.diag(hessian))
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    shares, vectors = eigh(hessian / np.outer(scale, scale))
    unit = np.sqrt(np.maximum(np.abs(shares), _LEAST * np.abs(shares).max(initial=0.0)))
    result: Array = vectors / np.where(unit > 0.0, unit, 1.0) / scale[:, None]
    return result
