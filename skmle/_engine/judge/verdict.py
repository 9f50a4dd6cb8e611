"""The verdict on a solution: an interior maximum, a limit law, or neither, with the reason.

A small decrement alone does not decide: see `skmle._engine.judge.interior`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.edge import (
    INTERPOLATED,
    interpolation_of,
    rows_of_vanished_scale,
    vanished_scale,
)
from skmle._engine.judge.freedom import shrunk_by
from skmle._engine.judge.interior import is_interior
from skmle._engine.judge.limits import Refit, far_parameters, likelier_limit
from skmle._engine.judge.separation import separation
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Fit
from skmle._engine.verdict import INTERIOR, INTERRUPTED, NO_MAXIMUM, NOT_CONVERGED, STALLED, Verdict

# Share of the largest change of a slope along a direction, in standard deviations of the columns,
# from which a slope counts as moving: well above rounding. Chosen, not measured.
_MOVES = 1e-6
# Coefficients up to which a fit keeps its covariance: 2,000 take 32 MB. Chosen, not measured.
_LARGEST_COVARIANCE = 2000
# Rows up to which limit laws are always tried: on few rows a lesser maximum inside may lie beside a
# likelier limit law. Chosen, not measured.
_FEW = 100


def foregone(likelihood: Likelihood) -> Fit | None:
    """Return the fit if the likelihood is seen to be unbounded before any step; else None.

    That is looked for only where the first eta is likely to reproduce y. Elsewhere it is found
    after the fit, if the fit runs to infinity.
    """
    problem, design = likelihood.problem, likelihood.design
    likely = likelihood.family.movable or design.terms[0].length + 1 >= design.n
    if not problem.observed.equal and (problem.penalised or not likely):
        return None
    found = interpolation_of(likelihood)
    return found and outcome(likelihood, found, Verdict(NO_MAXIMUM, INTERPOLATED))


def judge(likelihood: Likelihood, solution: Solution, refit: Refit) -> Fit:
    """Return the fit that a solution is.

    Parameters
    ----------
    likelihood : Likelihood
    solution : Solution
    refit : callable
        (problem, columns) -> Fit, for limit laws.
    """
    # No step shows that the scale of a law with cusps has vanished.
    cusps = likelihood.family.shortcuts.starts == "final"
    vanished = cusps and rows_of_vanished_scale(likelihood, solution) > 0
    if not vanished and is_interior(likelihood, solution):
        limit = None
        if likelihood.family.limits and _doubtful(likelihood, solution):
            limit = likelier_limit(likelihood, solution, refit)
        return limit or outcome(likelihood, solution, Verdict(INTERIOR))
    limit = likelier_limit(likelihood, solution, refit)
    return limit or _without_maximum(likelihood, solution)


def _doubtful(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether a limit law may be more likely than a maximum inside.

    That may happen on few rows, and where a parameter is far out.
    """
    few = likelihood.problem.n <= _FEW
    return few or bool(far_parameters(likelihood.family, likelihood.raw(solution.coef)))


def _without_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return a fit that has come to no maximum, with the reason if one is found."""
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
    """Return the fit in the user's coordinates, with a covariance at an interior maximum."""
    lasso, n_parameters = likelihood.objective.lasso, likelihood.design.d
    if lasso is not None:
        zero = (solution.coef == 0.0) & (lasso.strength > 0.0)
        n_parameters -= int(np.count_nonzero(zero))
    covariance = None
    if verdict.status == INTERIOR and lasso is None:
        covariance = _covariance(likelihood, solution)
    return Fit(
        family=likelihood.family,
        coefs=likelihood.raw(solution.coef),
        covariance=covariance,
        log_likelihood=likelihood.log_likelihood(solution),
        mass=likelihood.objective.mass,
        verdict=verdict,
        n_iter=max(likelihood.watch.count, min(1, likelihood.problem.max_iter)),
        distance=solution.distance,
        estimable=likelihood.estimable,
        moving=None if verdict.direction is None else _moving(likelihood, verdict.direction),
        n_parameters=n_parameters,
        shrunk=shrunk_by(likelihood, solution),
    )


def unfinished(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return the fit at an iterate, which may be one on a sample of the rows."""
    on_all = solution._replace(evaluation=likelihood.objective(solution.coef, 0))
    return outcome(likelihood, on_all, Verdict(INTERRUPTED))


def _covariance(likelihood: Likelihood, solution: Solution) -> Array | None:
    """Return the covariance of the user's coefficients; None if it is not wanted or not known."""
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
