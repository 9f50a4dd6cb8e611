"""A closer look at the columns of X, after a fit that has come to no good end."""

from __future__ import annotations

import numpy as np

from skmle._engine.data.survey import SURELY_FULL
from skmle._engine.evaluation import Solution
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
    flat = solution.least_pivot <= SURELY_FULL or unknown
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
