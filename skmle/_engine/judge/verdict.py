"""What a solution is: an interior maximum, a limit law, or neither, with the reason.

A small decrement alone does not tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.edge import (
    INTERPOLATED,
    interpolation_of,
    may_interpolate,
    rows_of_vanished_scale,
    vanished_scale,
)
from skmle._engine.judge.interior import is_interior
from skmle._engine.judge.limits import Refit, far_parameters, likelier_limit
from skmle._engine.judge.separation import separation
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Fit
from skmle._engine.verdict import INTERIOR, INTERRUPTED, NO_MAXIMUM, NOT_CONVERGED, STALLED, Verdict

# Share of the largest move, in standard deviations of the columns, that counts as a move.
_MOVES = 1e-6
_LARGEST_COVARIANCE = 2000  # coefficients beyond which no covariance is kept
_FEW = 100  # rows up to which limit laws are always tried


def foregone(likelihood: Likelihood) -> Fit | None:
    """Return the fit where no step is needed to know that the likelihood is unbounded.

    It is None elsewhere.
    """
    if not may_interpolate(likelihood) or (found := interpolation_of(likelihood)) is None:
        return None
    return outcome(likelihood, found, Verdict(NO_MAXIMUM, INTERPOLATED))


def judge(likelihood: Likelihood, solution: Solution, refit: Refit) -> Fit:
    """Return the fit that a solution is.

    Parameters
    ----------
    likelihood : Likelihood
    solution : Solution
    refit : callable
        (problem, columns) -> Fit, for limit laws.
    """
    if not _collapsed(likelihood, solution) and is_interior(likelihood, solution):
        limit = None
        if likelihood.family.limits and _doubtful(likelihood, solution):
            limit = likelier_limit(likelihood, solution, refit)
        return limit or outcome(likelihood, solution, Verdict(INTERIOR))
    limit = likelier_limit(likelihood, solution, refit)
    return limit or _without_maximum(likelihood, solution)


def _doubtful(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether a limit law may be more likely than a maximum inside.

    It may be on few rows, or far out.
    """
    few = likelihood.problem.n <= _FEW
    return few or bool(far_parameters(likelihood.family, likelihood.raw(solution.coef)))


def _collapsed(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether the scale of a law with cusps has vanished, which no step tells."""
    final = likelihood.family.shortcuts.starts == "final"
    return final and rows_of_vanished_scale(likelihood, solution) > 0


def _without_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return the fit with the reason why there is no maximum, as far as one is found."""
    if (direction := separation(likelihood, solution)) is not None:
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, "separation", direction))
    if (found := interpolation_of(likelihood)) is not None:
        return outcome(likelihood, found, Verdict(NO_MAXIMUM, INTERPOLATED))
    if reason := vanished_scale(likelihood, solution):
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason))
    if solution.converged:
        reason = "the likelihood still rises towards infinity"
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason, solution.step))
    reason = STALLED if solution.n_iter < likelihood.problem.max_iter else ""
    return outcome(likelihood, solution, Verdict(NOT_CONVERGED, reason, solution.step))


# ---------------------------------------------------------------- the record


def outcome(likelihood: Likelihood, solution: Solution, verdict: Verdict) -> Fit:
    """Return the fit, in the user's coordinates; with a covariance at an interior maximum."""
    problem = likelihood.problem
    known = verdict.status == INTERIOR and not problem.selects
    return Fit(
        family=likelihood.family,
        coefs=likelihood.raw(solution.coef),
        covariance=_covariance(likelihood, solution) if known else None,
        log_likelihood=likelihood.log_likelihood(solution),
        mass=likelihood.objective.mass,
        verdict=verdict,
        n_iter=max(1, solution.n_iter),
        distance=solution.distance,
        estimable=likelihood.estimable,
        moving=None if verdict.direction is None else _moving(likelihood, verdict.direction),
        n_parameters=likelihood.design.d - _at_zero(likelihood, solution),
    )


def unfinished(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return the fit as of an iterate, which may be one of a sample of the rows."""
    on_all = solution._replace(evaluation=likelihood.objective(solution.coef, 0))
    return outcome(likelihood, on_all, Verdict(INTERRUPTED))


def _at_zero(likelihood: Likelihood, solution: Solution) -> int:
    """Return how many slopes a penalty holds at zero."""
    lasso = likelihood.objective.lasso
    if lasso is None:
        return 0
    return int(np.count_nonzero((solution.coef == 0.0) & (lasso.strength > 0.0)))


def _covariance(likelihood: Likelihood, solution: Solution) -> Array | None:
    problem = likelihood.problem
    raw = sum(t.length for t in problem.terms)
    wanted = problem.covariance and raw <= _LARGEST_COVARIANCE
    if not wanted or solution.evaluation.hessian is None:
        return None
    return likelihood.covariance(solution.evaluation.inverse)


def _moving(likelihood: Likelihood, direction: Array) -> tuple[NDArray[np.bool_], ...] | None:
    """Return which slopes move along a direction, each measured by its column's spread."""
    seen = likelihood.columns.survey
    if seen is None:
        return None
    scale = np.where(seen.scale > 0.0, seen.scale, 1.0)
    here, there = likelihood.raw(np.zeros_like(direction)), likelihood.raw(direction)
    sizes, largest = [], 0.0
    for term, (slopes, intercept), (to, up) in zip(
        likelihood.problem.terms, here, there, strict=True
    ):
        size, mean = np.zeros(0), 0.0
        if term.columns is not None:
            size = np.abs(to - slopes) * scale[term.columns]
            # The predictor of the mean row moves with the intercept.
            mean = float((to - slopes) @ seen.centre[term.columns])
        sizes.append(size)
        largest = max(largest, float(size.max(initial=0.0)), abs(up - intercept + mean))
    return tuple(s > _MOVES * largest for s in sizes)
