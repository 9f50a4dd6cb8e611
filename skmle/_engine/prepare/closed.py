"""Densities whose fit needs no solver.

Their likelihood is unbounded, their starts are the maximum, or the data lie at an end of the law's
range, such as counts that are all zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, covariance
from skmle._engine.likelihood.cusped import sandwich_across_cusps
from skmle._engine.likelihood.design import Design
from skmle._engine.likelihood.factor import Factor
from skmle._engine.likelihood.objective import Objective
from skmle._engine.problem import Fit, Problem
from skmle._engine.verdict import BOUNDARY, INTERIOR, NO_MAXIMUM, NON_REGULAR, Verdict
from skmle.families.base import Family, Limit
from skmle.families.ends import place, places
from skmle.families.links import LOG, Link
from skmle.families.wrappers.fixed import Fixed, one_by_one

Starts = list[tuple[float, ...]]
Refit = Callable[[Problem], Fit]

# Largest absolute eta at which a law at an end of its range is evaluated: exp(-700) is near the
# least positive number.
_UNDERFLOW = 700.0
# And a smaller one, at which a probability of one less than the rounding of doubles is still below
# one.
_BELOW_ONE = 36.0
# Absolute eta, for a pure number, from which a start counts as infinite: doubles end at exp(709).
# And one for the odds of counts, of which exp(600) do not exist: a label never seen has more.
_END, _END_OF_ODDS = 709.0, 600.0
# Parameters of a density up to which its covariance is kept. Chosen, not measured.
_LARGEST_DENSITY = 500


def closed_form(problem: Problem, refit: Refit) -> Fit | Starts | None:
    """Return the fit of a density if it needs no solver, whether its rows are condensed or not.

    Otherwise its starts are returned, if they were computed on the way, else None. What is left of
    a law some of whose parameters stand at an end of their range is fitted by `refit`.
    """
    family, observed = problem.family, problem.observed
    if not problem.terms:
        return constant_fit(problem, (), Verdict(INTERIOR))
    # Unbounded likelihoods of numbers mostly come from numbers that are all equal. Those of rows of
    # several numbers come from rows that lie in a smaller space, which only the family can tell.
    if observed.equal or family.observation.columns != 1 or family.may_be_unbounded:
        infinite = family.unbounded(observed.statistics, observed.weight)
        if infinite is not None:
            return constant_fit(problem, infinite[0], Verdict(NO_MAXIMUM, infinite[1]))
    if family.shortcuts.starts == "final":
        status = INTERIOR if family.support.smooth else NON_REGULAR
        start = family.starts(observed.statistics, observed.weight)[0]
        if not family.relinked or _has_links(family, start):
            return constant_fit(problem, start, Verdict(status))
    # Starts of a law that moves with y are found in the units of a fit, unless they are its end.
    told = observed.is_condensed or not family.movable
    ended = told and family.shortcuts.starts != "near"
    if family.movable and not ended:
        return None
    if problem.start is not None and family.shortcuts.searched:
        return None
    with np.errstate(all="ignore"):
        starts = family.starts(observed.statistics, observed.weight)
    # A scale of a law that moves with y may be as small as y itself.
    pure = [
        family.dimensionless(j) and param.unit == "" for j, param in enumerate(family.parameters)
    ]
    counted = family.support.discrete
    each = [_END_OF_ODDS if counted and p.chart != LOG else _END for p in family.parameters]
    ends = [end if number else np.inf for end, number in zip(each, pure, strict=True)]
    at_end = [j for j, e in enumerate(starts[0]) if not abs(e) < ends[j]]
    if at_end:
        if len(at_end) == 1 and (known := _of_limit_law(problem, starts[0], at_end[0], refit)):
            return known
        apart = one_by_one(family) and all(family.counted(j) for j in at_end)
        if apart and len(at_end) < len(ends):
            return _beside_ends(problem, starts[0], at_end, refit)
        return _at_infinity(problem, starts[0], refit)
    confirmed = _confirmed(problem, starts[0]) if ended else None
    return confirmed or (None if family.movable else starts)


def _beside_ends(
    problem: Problem, chart_eta: tuple[float, ...], at_end: list[int], refit: Refit
) -> Fit:
    """Return the fit of a density whose law of counts stands at an end of some parameters' range.

    The others are fitted, as those of the other columns where only one column is all zero.
    """
    family = problem.family
    charts = {j: family.parameters[j].chart for j in at_end}
    held = {family.names[j]: _next_to_end(charts[j], chart_eta[j]) for j in at_end}
    law = Fixed(family, held)
    terms = tuple(term for j, term in enumerate(problem.terms) if j not in charts)
    rest = refit(replace(problem, family=law, terms=terms))
    limit = rest.limit
    for j, chart in charts.items():
        end = float(chart.theta(np.asarray(np.copysign(np.inf, chart_eta[j]))))
        limit = Limit(family.names[j], end, rest.family, then=limit)
    verdict = rest.verdict
    if verdict.status == INTERIOR:
        why = f"all counts stand where {', '.join(held)} comes to an end of its range"
        verdict = Verdict(BOUNDARY, why)
    return replace(rest, verdict=verdict, limit=limit, condensed=None)


def _of_limit_law(
    problem: Problem, chart_eta: tuple[float, ...], at_end: int, refit: Refit
) -> Fit | None:
    """Return the fit of the limit law at the end of one parameter; None if none allows the data."""
    family, param = problem.family, problem.family.parameters[at_end]
    for limit in family.limits:
        with np.errstate(all="ignore"):
            end = float(param.chart.forward(np.asarray(limit.value, float)))
        if limit.parameter != param.name or end != chart_eta[at_end]:
            continue
        if (posed := problem.at(limit)) is not None:
            return replace(at_limit(family, limit, refit(posed)), condensed=None)
    return None


def at_limit(family: Family, limit: Limit, found: Fit) -> Fit:
    """Return the fit of a limit law as the boundary of a family."""
    verdict, limit = found.verdict, limit._replace(then=found.limit)
    inside = verdict.status == INTERIOR
    if inside or (verdict.status == BOUNDARY and found.limit is not None):
        ends = " and ".join(f"{name} tends to {value:g}" for name, value in limit.ends.items())
        reason = f"the likelihood rises as {ends}, where the law is {found.family.title}"
        left = {place(family, limit.parameter), *places(family, limit)}
        lost = [p.name for j, p in enumerate(family.parameters) if j not in left]
        if inside and lost:
            reason += f" and no observation depends on {' and '.join(lost)}"
        verdict = Verdict(BOUNDARY, reason)
    return replace(found, verdict=verdict, limit=limit)


def _next_to_end(chart: Link, eta: float) -> float:
    """Return a parameter so near to an end of its range that no sum of rows tells it from there."""
    for size in (_UNDERFLOW, _BELOW_ONE):
        theta = float(chart.theta(np.asarray(np.copysign(size, eta))))
        if np.isfinite(chart.forward(np.asarray(theta))):
            return theta
    raise AssertionError(f"the chart {chart.name} has no numbers next to its end")


def _at_infinity(problem: Problem, chart_eta: tuple[float, ...], refit: Refit) -> Fit:
    """Return the fit of a density whose closed form is at an end of the parameters' range.

    That happens where all counts are zero, for instance, or all trials failed.
    """
    family = problem.family
    for limit in family.limits:
        if (posed := problem.at(limit)) is None:
            continue
        simpler = closed_form(posed, refit)
        if isinstance(simpler, Fit):
            return at_limit(family, limit, simpler)
    near = tuple(float(e) for e in np.clip(chart_eta, -_UNDERFLOW, _UNDERFLOW))
    end = "the data have no spread and stand at an end of the law's range, so"
    if not np.any(family.densities(problem.observed.statistics)):
        verdict = Verdict(BOUNDARY, f"{end} all its mass does too")
    else:
        # The parameters on the way there are returned: at the end there is no density.
        verdict = Verdict(NO_MAXIMUM, f"{end} the density grows without bound there")
        return constant_fit(problem, near, verdict)
    return replace(
        constant_fit(problem, near, verdict),
        coefs=tuple(
            (np.zeros(0), float(e)) for e in family.linked(tuple(np.asarray(e) for e in chart_eta))
        ),
    )


def _confirmed(problem: Problem, chart_eta: tuple[float, ...]) -> Fit | None:
    """Return the fit at a maximum in closed form, if the decrement there confirms it."""
    family = problem.family
    irregular = not family.regular and family.nonregular(tuple(map(np.asarray, chart_eta)))
    verdict = Verdict(NON_REGULAR if irregular else INTERIOR)
    result = constant_fit(problem, chart_eta, verdict, confirm=True)
    return result if result.distance <= problem.tol else None


def _has_links(family: Family, chart_eta: tuple[float, ...]) -> bool:
    """Return whether links lead to an eta, as the logarithm of a location below zero does not."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(family.linked(tuple(map(np.asarray, chart_eta)))).all())


def constant_fit(
    problem: Problem,
    chart_eta: tuple[float, ...],
    verdict: Verdict,
    confirm: bool = False,
) -> Fit:
    """Return the fit of a density at given eta.

    If they are to be confirmed as a maximum, it has their distance from it; else that is zero.
    """
    family, observed = problem.family, problem.observed
    eta = family.linked(tuple(np.asarray(e) for e in chart_eta))
    coefs = tuple((np.zeros(0), float(e)) for e in eta)
    design = Design(problem.terms, observed.n)
    objective = Objective(family.rows, observed.statistics, design, observed.weight)
    usual = family.regular or not family.nonregular(tuple(map(np.asarray, chart_eta)))
    wanted = (
        verdict.status == INTERIOR
        and bool(problem.covariance)
        and design.d <= _LARGEST_DENSITY
        and usual
    )
    coef = np.array([e for _, e in coefs])
    evaluation = objective(coef, 2 if wanted or confirm else 0)
    log_likelihood = -evaluation.value * objective.mass - observed.base
    inverse = _inverse(evaluation, confirm) if evaluation.hessian is not None else None
    # What is final needs no confirmation.
    distance = np.inf if confirm else 0.0
    if confirm and inverse is not None:
        assert evaluation.gradient is not None
        fall = float(evaluation.gradient @ inverse @ evaluation.gradient)
        distance = float(np.sqrt(objective.size * max(fall, 0.0)))
    known = None
    if wanted and inverse is not None:
        parts = sandwich_across_cusps(objective, coef) if family.kinked else (inverse, None)
        known = None if parts is None else covariance(parts[0], objective.mass, parts[1])
    return Fit(
        family,
        coefs,
        known,
        log_likelihood,
        objective.mass,
        verdict,
        distance=distance,
        n_parameters=design.d,
    )


def _inverse(evaluation: Evaluation, definite: bool) -> Array | None:
    """Return the inverse Hessian; None if it has none, or is not `definite` as it should be.

    Only a positive definite Hessian tells a maximum from a saddle or a minimum. Squares of very
    large or small scales are no numbers.
    """
    assert evaluation.hessian is not None and evaluation.gradient is not None
    if not np.isfinite(evaluation.hessian).all() or not np.isfinite(evaluation.gradient).all():
        return None
    if definite and Factor.of(evaluation.hessian) is None:
        return None
    try:
        return evaluation.inverse
    except np.linalg.LinAlgError:
        return None
