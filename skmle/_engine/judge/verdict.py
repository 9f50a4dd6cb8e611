"""The verdict on a solution: an interior maximum, a limit law, or neither, with the reason.

A small decrement alone does not decide: see `skmle._engine.judge.interior`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.alarm import MOST
from skmle._engine.judge.domain import AtEdge, covariance_at_edge, finish, is_off_edge
from skmle._engine.judge.edge import (
    INTERPOLATED,
    concentrated,
    interpolation_of,
    rows_of_vanished_scale,
    vanished_scale,
)
from skmle._engine.judge.growth import looks_at
from skmle._engine.judge.interior import is_interior, is_vague
from skmle._engine.judge.limit_rows import rows_at_a_limit
from skmle._engine.judge.limits import (
    Refit,
    far_parameters,
    has_closed_limits,
    likelier_limit,
)
from skmle._engine.judge.nearest import nearest_direction
from skmle._engine.judge.outcome import outcome, receded, separated, wants_covariance
from skmle._engine.judge.polish import polished
from skmle._engine.judge.ridge import columns_of, ends_of, in_words, ridge
from skmle._engine.judge.separation import cleaned, recedes, separation
from skmle._engine.judge.unused import flat_along, way_untold, ways_of_unused
from skmle._engine.prepare.closed import constant_fit
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.modes import way_without_bound
from skmle._engine.problem import Fit
from skmle._engine.verdict import (
    BOUNDARY,
    INTERIOR,
    NO_MAXIMUM,
    NON_REGULAR,
    NOT_CONVERGED,
    SEPARATION,
    STALLED,
    Verdict,
)

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
    # No step shows that the scale of a law with cusps vanishes.
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
        # A limit law without a maximum is no reason to leave one.
        if limit is not None and limit.verdict.status != NO_MAXIMUM:
            return limit
        far_out = _likelier_far_out(likelihood, solution)
        return far_out or _at_the_maximum(likelihood, solution)
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
    wanted = wants_covariance(likelihood)
    covariance = covariance_at_edge(likelihood, found) if wanted else None
    return replace(result, covariance=covariance, rows_at_edge=found.rows)


def _at_the_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return the fit of an interior maximum, if the solution is as near to it as was asked."""
    if solution.distance > likelihood.problem.tol:
        better = _polished_to_tol(likelihood, solution)
        if better is None:
            known = _way_without_bound(likelihood, solution) or _on_a_ridge(likelihood, solution)
            stalled = Verdict(NOT_CONVERGED, STALLED, solution.step)
            return known or outcome(likelihood, solution, stalled)
        solution = better
    return outcome(likelihood, solution, _regularity(likelihood, solution))


def _regularity(likelihood: Likelihood, solution: Solution) -> Verdict:
    """Return whether the usual errors hold at a maximum; the rows are asked only where needed."""
    family = likelihood.family
    if family.regular:
        return Verdict(INTERIOR)
    eta = family.chart(tuple(likelihood.objective.etas(solution.coef)))
    if family.nonregular(eta):
        return Verdict(NON_REGULAR)
    found = family.near_singular(eta, likelihood.objective.size)
    return Verdict(INTERIOR) if found is None else Verdict(NON_REGULAR, found[1])


def _polished_to_tol(likelihood: Likelihood, solution: Solution) -> Solution | None:
    """Return the maximum to which a fit leads that goes on, if it comes near enough."""
    better = polished(likelihood, solution)
    return None if better is None or better.distance > likelihood.problem.tol else better


def _doubtful(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether a limit law may be more likely than a maximum inside.

    That may happen on few rows, where a parameter is far out, and where limit laws are so unlike
    that they are always tried.
    """
    family = likelihood.family
    if likelihood.problem.n <= _FEW or has_closed_limits(family):
        return True
    return bool(far_parameters(family, likelihood.raw(solution.coef)))


def _at_a_limit(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return a fit some of whose rows are at a limit law; None if none are."""
    if likelihood.watch.spent or (found := rows_at_a_limit(likelihood, solution)) is None:
        return None
    limit, direction, known = found
    told = likelihood.family.told_first
    if told and (proof := separation(likelihood, solution)) is not None:
        return separated(likelihood, solution, proof)
    verdict = Verdict(BOUNDARY, f"{limit.parameter} tends to {limit.value:g}", direction)
    return receded(likelihood, solution, known, verdict)


def _way_without_bound(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return the fit on a way on which the law itself says that there is no maximum; or None."""
    end = way_without_bound(likelihood.family, likelihood.objective, solution.coef)
    if end is None:
        return None
    verdict = Verdict(NO_MAXIMUM, end[1])
    return _on_that_way(likelihood, verdict) or outcome(likelihood, solution, verdict)


def _without_maximum(likelihood: Likelihood, solution: Solution) -> Fit:
    """Return a fit that has come to no maximum, with the reason if one is found."""
    if (direction := separation(likelihood, solution)) is not None:
        return separated(likelihood, solution, direction)
    nearest = _nearest(likelihood, solution)
    if nearest is not None and nearest.any():
        return separated(likelihood, solution, nearest)
    if (line := interpolation_of(likelihood)) is not None:
        return outcome(likelihood, line, Verdict(NO_MAXIMUM, INTERPOLATED))
    if (found := _way_without_bound(likelihood, solution)) is not None:
        return found
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
    if solution.converged and nearest is None and not held:
        reason = "the likelihood still rises towards infinity"
        return outcome(likelihood, solution, Verdict(NO_MAXIMUM, reason, solution.step))
    reason = STALLED if solution.n_iter < likelihood.problem.max_iter else ""
    return outcome(likelihood, solution, Verdict(NOT_CONVERGED, reason, solution.step))


def _on_that_way(likelihood: Likelihood, verdict: Verdict) -> Fit | None:
    """Return the fit of a density at the place that its data tell; None if they tell none."""
    observed = likelihood.problem.observed
    way = likelihood.problem.family.on_that_way(observed.statistics, observed.weight)
    return None if way is None else _at_constants(likelihood, way, verdict)


def _likelier_far_out(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return the fit of a density next to a supremum far out, if no maximum inside is likelier."""
    observed = likelihood.problem.observed
    known = likelihood.problem.family.supremum(observed.statistics, observed.weight)
    if known is None:
        return None
    found = _at_constants(likelihood, known[0], Verdict(NO_MAXIMUM, known[1]))
    inside = likelihood.log_likelihood(solution)
    return found if found is not None and found.log_likelihood > inside else None


def _at_constants(likelihood: Likelihood, way: tuple[float, ...], verdict: Verdict) -> Fit | None:
    """Return the fit of a density at constant chart eta; None if they are no density's."""
    problem = likelihood.problem
    if problem.penalised or any(t.columns is not None or not t.intercept for t in problem.terms):
        return None
    with np.errstate(all="ignore"):  # a link may not lead there
        found = constant_fit(problem, way, verdict)
    return found if np.isfinite(found.log_likelihood) else None


def _nearest(likelihood: Likelihood, solution: Solution) -> Array | None:
    """Return the nearest direction that proves a separation, or zero if there is a maximum.

    It is None if neither is known.
    """
    family, objective, statistics = likelihood.family, likelihood.objective, likelihood.statistics
    if likelihood.problem.penalised or likelihood.problem.jeffreys or objective.design.d > MOST:
        return None
    if likelihood.problem.max_iter == 0:  # the start is what was asked for
        return None
    if not recedes(family, statistics, objective.design.n, always=True):
        return None
    return nearest_direction(family, statistics, objective, solution.coef)


def _by_numbers(likelihood: Likelihood, solution: Solution) -> Fit | None:
    """Return a fit of which the numbers of the rows show a way on which none becomes less likely.

    Laws that state where rows run to have been asked before.
    """
    if recedes(likelihood.family, likelihood.statistics, likelihood.design.n, always=True):
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
    stated = recedes(likelihood.family, likelihood.statistics, likelihood.design.n, always=True)
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
