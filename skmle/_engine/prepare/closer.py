"""A closer look at the columns of X, after a fit that has come to no good end."""

from __future__ import annotations

import numpy as np

from skmle._engine.data.survey import SURELY_FULL
from skmle._engine.evaluation import Solution
from skmle._engine.likelihood.design import Design
from skmle._engine.likelihood.factor import Factor
from skmle._engine.likelihood.penalties import total_curvature
from skmle._engine.prepare.columns import look_closer, look_for_extremes
from skmle._engine.prepare.likelihood import Likelihood


def closer_likelihood(likelihood: Likelihood, solution: Solution) -> Likelihood | None:
    """Return the likelihood on better columns: in other units, or combined; else None.

    Only the end of a fit shows that columns are not good enough where a penalty holds slopes, or
    where the surveyed rows hide it.
    """
    problem, design = likelihood.problem, likelihood.design
    unknown = solution.rough and not solution.converged
    flat = unknown or (solution.least_pivot <= SURELY_FULL and _flat_in_slopes(design, solution))
    if solution.converged and not flat:
        return None
    if (scaled := look_for_extremes(problem, likelihood.columns)) is not None:
        return Likelihood(problem, columns=scaled)
    if not flat or problem.selects:
        return None
    curvature = total_curvature(likelihood.objective.penalties, np.zeros(design.d))
    own = [curvature[s] if curvature[s].any() else None for s in design.slices]
    columns = look_closer(problem, likelihood.columns, own)
    return columns and Likelihood(problem, columns=columns)


def _flat_in_slopes(design: Design, solution: Solution) -> bool:
    """Return whether the Hessian is nearly singular in the slopes of one parameter.

    Where it is so in another one, as next to a limit law, that tells nothing of the columns.
    """
    hessian = solution.evaluation.hessian
    if hessian is None:
        return True
    pairs = zip(design.slices, design.terms, strict=True)
    factors = [Factor.of(hessian[s, s]) for s, term in pairs if term.columns is not None]
    return any(factor is None or factor.least_pivot <= SURELY_FULL for factor in factors)
