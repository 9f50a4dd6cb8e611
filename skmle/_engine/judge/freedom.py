"""How many parameters a fit under a penalty has: a penalised one counts for less than a free one.

With the Hessian H of the likelihood and P of the penalty, both per row, the effective number is
trace H (H + P)^-1: each direction counts by the share of the curvature that comes from the data.
Slopes that an absolute penalty holds at zero do not count.

References
----------
Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, ch. 7.6.
Zou, Hastie & Tibshirani (2007), On the "degrees of freedom" of the lasso, Annals of Statistics 35.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Evaluation, Solution
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood

# Coefficients up to which a Hessian is computed for this number alone. Chosen, not measured.
_FEW = 200


def shrunk_by(likelihood: Likelihood, solution: Solution) -> float | None:
    """Return by how many parameters a smooth penalty lowers their effective number.

    None is returned if no Hessian is at hand, or if the law's Hessian says nothing because of its
    cusps.
    """
    objective, coef, at = likelihood.objective, solution.coef, solution.evaluation
    if not objective.penalties or likelihood.problem.jeffreys:
        return 0.0  # Jeffreys' penalty removes bias, and holds no coefficient.
    if likelihood.family.kinked:
        return None
    free = np.ones(len(coef), bool)
    if objective.lasso is not None:
        free = (coef != 0.0) | (objective.lasso.strength == 0.0)
        if free.sum() > _FEW:
            return None
        objective, index = _with_slopes(objective, free)
        coef, free = coef[index], free[index]
        at = objective(coef, 2)
    if at.hessian is None:
        return None
    prior = Evaluation(0.0, None, np.zeros_like(at.hessian))
    for penalty in objective.penalties:
        penalty.add(prior, coef)
    assert prior.hessian is not None
    both = np.ix_(free, free)
    try:
        inverse = Evaluation(0.0, None, at.hessian[both]).inverse if not free.all() else at.inverse
    except np.linalg.LinAlgError:
        return None
    return float(np.sum(inverse * prior.hessian[both]))


def _with_slopes(objective: Objective, free: np.ndarray) -> tuple[Objective, np.ndarray]:
    """Return the objective on the columns with a free slope, and the coefficients that it has."""
    carriers = objective.design.carriers()
    return objective.restrict(np.unique(carriers[(carriers >= 0) & free]))
