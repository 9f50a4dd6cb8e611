"""What a solution is: an interior maximum, a limit law, or neither, with the reason. A small decrement alone does not tell."""

from __future__ import annotations

from skmle._engine.evaluation import Solution
from skmle._engine.judge.edge import interpolated, rows_of_vanished_scale, vanished_scale
from skmle._engine.judge.interior import is_interior
from skmle._engine.judge.limits import Refit, far_parameters, likelier_limit
from skmle._engine.judge.outcome import outcome
from skmle._engine.judge.separation import separation
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Fit
from skmle._engine.verdict import INTERIOR, NO_MAXIMUM, NOT_CONVERGED, STALLED, Verdict

_FEW = 100  # rows up to which limit laws are always tried


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
        # On few rows a likelihood may have a lesser maximum inside beside a limit law that is more likely.
        few = likelihood.problem.n <= _FEW
        doubtful = few or far_parameters(likelihood.family, likelihood.raw(solution.coef))
        limit = likelier_limit(likelihood, solution, refit) if doubtful else None
        return limit or outcome(likelihood, solution, Verdict(INTERIOR))
    limit = likelier_limit(likelihood, solution, refit)
    return limit or _without_maximum(likelihood, solution)


def _collapsed(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether the scale of a law with cusps has vanished, which no step tells."""
    final = likelihood.family.shortcuts.starts == "final"
    return final and rows_of_vanished_scale(likelihood, solution) > 0


def _without_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return the fit with the reason why there is no maximum, as far as one is found."""
    if (direction := separation(likelihood, solution)) is not None:
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, "separation", direction))
    if (found := interpolated(likelihood)) is not None:
        return found
    if reason := vanished_scale(likelihood, solution):
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason))
    if solution.converged:
        reason = "the likelihood still rises towards infinity"
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason, solution.step))
    reason = STALLED if solution.n_iter < likelihood.problem.max_iter else ""
    return outcome(likelihood, solution, Verdict(NOT_CONVERGED, reason, solution.step))
