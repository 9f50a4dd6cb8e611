"""What becomes of a solution once it is judged: a fit in the user's coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.judge.freedom import shrunk_by
from skmle._engine.judge.interior import is_worth_a_hessian
from skmle._engine.judge.receding import Receded, recede
from skmle._engine.judge.separated import record
from skmle._engine.likelihood.watch import RunsOff
from skmle._engine.prepare.evidence import own_covariance
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Fit
from skmle._engine.verdict import INTERIOR, INTERRUPTED, NO_MAXIMUM, SEPARATION, Verdict

# Coefficients up to which a fit keeps its covariance: 2,000 take 32 MB. Chosen, not measured.
_LARGEST_COVARIANCE = 2000
# Rows times coefficients from which the inverse Hessian is kept for sandwiches as well: another
# pass over the rows then takes 10 ms. Chosen as an order of magnitude.
_LONG = 1_000_000


def outcome(likelihood: Likelihood, solution: Solution, verdict: Verdict) -> Fit:
    """Return the fit in the user's coordinates, with a covariance at an interior maximum."""
    lasso, n_parameters = likelihood.objective.lasso, likelihood.design.d
    if lasso is not None:
        zero = (solution.coef == 0.0) & (lasso.strength > 0.0)
        n_parameters -= int(np.count_nonzero(zero))
    whole = bread = None
    if verdict.status == INTERIOR and lasso is None:
        whole = _covariance(likelihood, solution)
        if whole is not None and likelihood.design.n * n_parameters > _LONG:
            bread = solution.coef, solution.evaluation.inverse
    idle = likelihood.coordinates.idle()
    return Fit(
        family=likelihood.problem.family,
        coefs=likelihood.raw(solution.coef),
        covariance=None if whole is None else likelihood.masked(whole),
        whole=None if idle is None else whole,
        bread=bread,
        idle=idle,
        log_likelihood=likelihood.log_likelihood(solution),
        mass=likelihood.objective.mass,
        verdict=verdict,
        n_iter=max(likelihood.watch.count, min(1, likelihood.problem.max_iter)),
        distance=solution.distance,
        estimable=likelihood.estimable,
        dependent=likelihood.columns.dependent() if likelihood.columns.condition > 1.0 else None,
        condition=likelihood.columns.condition,
        n_parameters=n_parameters,
        shrunk=shrunk_by(likelihood, solution),
    )


def separated(
    likelihood: Likelihood, solution: Solution, direction: Array, reason: str = ""
) -> Fit:
    """Return a fit that runs off along a direction, with what is known of the rest."""
    known = recede(likelihood, solution, direction)
    verdict = Verdict(NO_MAXIMUM, reason or SEPARATION, direction)
    return receded(likelihood, solution, known, verdict)


def receded(likelihood: Likelihood, solution: Solution, found: Receded, verdict: Verdict) -> Fit:
    """Return a fit some of whose rows have run off, with what is known of the rest.

    To go on there is one more step. A fit that may take no more ends where it is.
    """
    known, spent = record(likelihood, found), likelihood.watch.spent
    stays = spent or not np.isfinite(found.reached)  # Far out the law may be beyond the numbers.
    coef = solution.coef if stays else found.coef
    at_coef = likelihood.objective(coef, 0) if stays else Evaluation(found.reached)
    at = solution._replace(coef=coef, evaluation=at_coef, working=None)
    if not spent:
        likelihood.objective.accepted(coef, at.evaluation, solution.distance)
    result = outcome(likelihood, at, verdict)
    covariance = whole = None
    if found.inverse is not None and not spent and wants_covariance(likelihood):
        whole = own_covariance(likelihood, found.coef, found.inverse)
    if whole is not None:
        loose = np.concatenate(
            [
                np.append(slopes, [intercept] * term.intercept).astype(bool)
                for term, (slopes, intercept) in zip(
                    likelihood.problem.terms, known.loose, strict=True
                )
            ]
        )
        whole[loose], whole[:, loose] = np.nan, np.nan
        covariance = likelihood.masked(whole)
    whole = None if result.idle is None else whole
    return replace(result, covariance=covariance, whole=whole, separated=known)


def separated_at(likelihood: Likelihood, found: RunsOff) -> Fit:
    """Return a fit that was seen to run off on its way."""
    likelihood.objective.alarm = None
    at = Solution(
        coef=found.coef,
        evaluation=found.at,
        step=found.direction,
        distance=np.inf,
        n_iter=likelihood.watch.count,
        converged=False,
    )
    return separated(likelihood, at, found.direction)


def unfinished(likelihood: Likelihood, solution: Solution, reason: str = "") -> Fit:
    """Return the fit at an iterate, which may be one on a sample of the rows."""
    on_all = solution._replace(evaluation=likelihood.objective(solution.coef, 0))
    return outcome(likelihood, on_all, Verdict(INTERRUPTED, reason))


def _covariance(likelihood: Likelihood, solution: Solution) -> Array | None:
    """Return the covariance of the user's coefficients; None if it is not wanted or not known."""
    if not wants_covariance(likelihood) or solution.evaluation.hessian is None:
        return None
    evaluation = solution.evaluation
    if is_worth_a_hessian(likelihood.objective, solution):
        at_the_end = likelihood.objective(solution.coef)
        finite = at_the_end.hessian is not None and np.isfinite(at_the_end.hessian).all()
        evaluation = at_the_end if finite else evaluation
    try:
        return own_covariance(likelihood, solution.coef, evaluation.inverse)
    except np.linalg.LinAlgError:  # a way to infinity on which all curvature is lost
        return None


def wants_covariance(likelihood: Likelihood) -> bool:
    """Return whether the covariance of the user's coefficients is wanted, and is not too large."""
    raw = sum(t.length for t in likelihood.problem.terms)
    return bool(likelihood.problem.covariance) and raw <= _LARGEST_COVARIANCE
