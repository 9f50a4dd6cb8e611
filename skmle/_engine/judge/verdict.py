"""The verdict on a solution: an interior maximum, a limit law, or neither, with the reason.

A small decrement alone does not decide: see `skmle._engine.judge.interior`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.judge.domain import AtEdge, covariance_at_edge, finish, is_off_edge
from skmle._engine.judge.edge import (
    INTERPOLATED,
    concentrated,
    interpolation_of,
    rows_of_vanished_scale,
    vanished_scale,
)
from skmle._engine.judge.freedom import shrunk_by
from skmle._engine.judge.growth import looks_at
from skmle._engine.judge.interior import is_interior, is_vague
from skmle._engine.judge.limit_rows import rows_at_a_limit
from skmle._engine.judge.limits import Refit, far_parameters, likelier_limit
from skmle._engine.judge.polish import polished
from skmle._engine.judge.receding import Receded, recede
from skmle._engine.judge.ridge import columns_of, ends_of, in_words, ridge
from skmle._engine.judge.separated import record
from skmle._engine.judge.separation import cleaned, recedes, separation
from skmle._engine.judge.unused import flat_along, way_untold, ways_of_unused
from skmle._engine.likelihood.watch import RunsOff
from skmle._engine.prepare.evidence import own_covariance
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.modes import way_without_bound
from skmle._engine.problem import Fit
from skmle._engine.verdict import (
    BOUNDARY,
    INTERIOR,
    INTERRUPTED,
    NO_MAXIMUM,
    NON_REGULAR,
    NOT_CONVERGED,
    SEPARATION,
    STALLED,
    Verdict,
)

# Coefficients up to which a fit keeps its covariance: 2,000 take 32 MB. Chosen, not measured.
_LARGEST_COVARIANCE = 2000
# Distance to the maximum, before the last step, from which the Hessian at the maximum gives other
# standard errors: they were off by 1e-7 of themselves at a distance of 1e-6. And rows times
# coefficients up to which it is evaluated there once more, which took 1 to 5 % of the time of such
# fits, but 6 to 10 % at twice as many.
_EXACT, _SHORT = 1e-11, 5_000
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
    if likelihood.family.domains:
        finished = _finished(likelihood, solution)
        if isinstance(finished, AtEdge):
            limit = likelier_limit(likelihood, finished.solution, refit)
            return limit or _at_edge(likelihood, finished)
        solution = finished
    # No step shows that the scale of a law with cusps has vanished.
    cusps = likelihood.family.shortcuts.starts == "final"
    vanished = cusps and rows_of_vanished_scale(likelihood, solution) > 0
    if not vanished and is_interior(likelihood, solution):
        if is_vague(likelihood, solution):
            if (at_limit := _at_a_limit(likelihood, solution)) is not None:
                return at_limit
            if (direction := separation(likelihood, solution)) is not None:
                return separated(likelihood, solution, direction)
            if (found := _by_numbers(likelihood, solution)) is not None:
                return found
        # The curvature of a law with cusps does not show that nothing depends on a parameter.
        if likelihood.family.kinked and (found := _unused(likelihood, solution)) is not None:
            return found
        limit = None
        if likelihood.family.limits and _doubtful(likelihood, solution):
            limit = likelier_limit(likelihood, solution, refit)
        return limit or _at_the_maximum(likelihood, solution)
    limit = likelier_limit(likelihood, solution, refit) or _at_a_limit(likelihood, solution)
    return limit or _without_maximum(likelihood, solution)


def _finished(likelihood: Likelihood, solution: Solution) -> AtEdge | Solution:
    """Return the maximum at the edge of a link's domain if steps were cut by it or led to it."""
    arrived = solution.converged and solution.distance <= likelihood.problem.tol
    if arrived and is_off_edge(likelihood, solution):
        return solution
    with np.errstate(all="ignore"):  # next to an edge, squares are beyond the numbers
        return finish(likelihood, solution)


def _at_edge(likelihood: Likelihood, found: AtEdge) -> Fit:
    """Return the fit of a maximum at the edge, with the covariance of its face."""
    result = outcome(likelihood, found.solution, Verdict(BOUNDARY, found.reason))
    wanted = _wants_covariance(likelihood)
    covariance = covariance_at_edge(likelihood, found) if wanted else None
    return replace(result, covariance=covariance, rows_at_edge=found.rows)


def _at_the_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return the fit of an interior maximum, if the solution is as near to it as was asked."""
    if solution.distance > likelihood.problem.tol:
        better = _polished_to_tol(likelihood, solution)
        if better is None:
            stalled = outcome(likelihood, solution, Verdict(NOT_CONVERGED, STALLED, solution.step))
            return _on_a_ridge(likelihood, solution) or stalled
        solution = better
    status = INTERIOR if _is_regular(likelihood, solution) else NON_REGULAR
    return outcome(likelihood, solution, Verdict(status))


def _is_regular(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether the usual errors hold at a maximum; the rows are asked only where needed."""
    family = likelihood.family
    if family.regular:
        return True
    return not family.nonregular(family.chart(tuple(likelihood.objective.etas(solution.coef))))


def _polished_to_tol(likelihood: Likelihood, solution: Solution) -> Solution | None:
    """Return the maximum to which a fit leads that goes on, if it comes as near as was asked."""
    better = polished(likelihood, solution)
    return None if better is None or better.distance > likelihood.problem.tol else better


def _doubtful(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether a limit law may be more likely than a maximum inside.

    That may happen on few rows, and where a parameter is far out.
    """
    few = likelihood.problem.n <= _FEW
    return few or bool(far_parameters(likelihood.family, likelihood.raw(solution.coef)))


def _at_a_limit(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return a fit some of whose rows are at a limit law; None if none are."""
    if likelihood.watch.spent or (found := rows_at_a_limit(likelihood, solution)) is None:
        return None
    limit, direction, known = found
    verdict = Verdict(BOUNDARY, f"{limit.parameter} tends to {limit.value:g}", direction)
    return _receded(likelihood, solution, known, verdict)


def _without_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return a fit that has come to no maximum, with the reason if one is found."""
    if (direction := separation(likelihood, solution)) is not None:
        return separated(likelihood, solution, direction)
    if (line := interpolation_of(likelihood)) is not None:
        return outcome(likelihood, line, Verdict(NO_MAXIMUM, INTERPOLATED))
    end = way_without_bound(likelihood.family, likelihood.objective, solution.coef)
    if end is not None:
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, end[1]))
    if reason := vanished_scale(likelihood, solution) or concentrated(likelihood, solution):
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason))
    if (found := _by_numbers(likelihood, solution)) is not None:
        return found
    if not solution.converged and (found := _unused(likelihood, solution)) is not None:
        return found
    if (better := _polished_to_tol(likelihood, solution)) is not None:
        return outcome(likelihood, better, Verdict(INTERIOR))
    if (found := _on_a_ridge(likelihood, solution)) is not None:
        return found
    # A penalty of all slopes leaves a maximum, unless a certificate says that it does not.
    held = likelihood.problem.all_held and recedes(
        likelihood.family, likelihood.statistics, likelihood.design.n
    )
    if solution.converged and not held:
        reason = "the likelihood still rises towards infinity"
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason, solution.step))
    reason = STALLED if solution.n_iter < likelihood.problem.max_iter else ""
    return outcome(likelihood, solution, Verdict(NOT_CONVERGED, reason, solution.step))


def _by_numbers(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return a fit of which the numbers of the rows show a way on which none becomes less likely.

    Laws that state where rows run to have been asked before.
    """
    if recedes(likelihood.family, likelihood.statistics, likelihood.design.n):
        return None
    unused = ways_of_unused(likelihood.objective, solution)
    direction = separation(likelihood, solution, by_numbers=True, further=unused)
    if direction is None:
        return None
    found = separated(likelihood, solution, direction, flat_along(likelihood, direction))
    # Slopes that move no row are rounding.
    moves = (np.ptp(e) > 0.0 for e in cleaned(likelihood.objective, direction))
    columns = found.separated is not None and any(moves)
    if columns or found.verdict.reason != SEPARATION:
        return found
    reason = f"the likelihood still rises as {ends_of(likelihood, direction)}"
    return replace(found, verdict=found.verdict._replace(reason=reason))


def _on_a_ridge(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return a fit that has stopped on a way on which the likelihood rises for ever."""
    stated = recedes(likelihood.family, likelihood.statistics, likelihood.design.n)
    if stated or (way := ridge(likelihood, solution)) is None:
        return None
    verdict = Verdict(NO_MAXIMUM, in_words(likelihood, way), way.change)
    return replace(outcome(likelihood, solution, verdict), separated=columns_of(likelihood, way))


def _unused(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return a fit of which the rows do not depend on some parameter around the solution."""
    if (found := way_untold(likelihood, solution)) is None:
        return None
    objective = likelihood.objective
    objective.looks = looks_at(likelihood.family, objective, solution.coef)
    return separated(likelihood, solution, *found)


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
    return _receded(likelihood, solution, known, verdict)


def _receded(likelihood: Likelihood, solution: Solution, found: Receded, verdict: Verdict) -> Fit:
    """Return a fit some of whose rows have run off, with what is known of the rest.

    To go on there is one more step. A fit that may take no more ends where it is.
    """
    known, spent = record(likelihood, found), likelihood.watch.spent
    coef = solution.coef if spent else found.coef
    at_coef = likelihood.objective(coef, 0) if spent else Evaluation(found.reached)
    at = solution._replace(coef=coef, evaluation=at_coef, working=None)
    if not spent:
        likelihood.objective.accepted(coef, at.evaluation, solution.distance)
    result = outcome(likelihood, at, verdict)
    covariance = None
    if found.inverse is not None and not spent and _wants_covariance(likelihood):
        covariance = own_covariance(likelihood, found.coef, found.inverse)
    if covariance is not None:
        loose = np.concatenate(
            [
                np.append(slopes, [intercept] * term.intercept).astype(bool)
                for term, (slopes, intercept) in zip(
                    likelihood.problem.terms, known.loose, strict=True
                )
            ]
        )
        covariance[loose], covariance[:, loose] = np.nan, np.nan
    return replace(result, covariance=covariance, separated=known)


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
    if not _wants_covariance(likelihood) or solution.evaluation.hessian is None:
        return None
    evaluation = solution.evaluation
    design = likelihood.design
    if solution.distance > _EXACT and design.n * design.d <= _SHORT:
        # The Hessian is that of the point before the last step.
        at_the_end = likelihood.objective(solution.coef)
        finite = at_the_end.hessian is not None and np.isfinite(at_the_end.hessian).all()
        evaluation = at_the_end if finite else evaluation
    try:
        return own_covariance(likelihood, solution.coef, evaluation.inverse)
    except np.linalg.LinAlgError:  # a way to infinity on which all curvature is lost
        return None


def _wants_covariance(likelihood: Likelihood) -> bool:
    """Return whether the covariance of the user's coefficients is wanted, and is not too large."""
    raw = sum(t.length for t in likelihood.problem.terms)
    return bool(likelihood.problem.covariance) and raw <= _LARGEST_COVARIANCE
