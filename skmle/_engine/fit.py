"""One fit from beginning to end.

Its steps are an easier problem, if there is one, the likelihood, its solution, and the verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.data.sums import blas_threads_harm, one_blas_thread
from skmle._engine.evaluation import Solution
from skmle._engine.judge.alarm import alarm_of
from skmle._engine.judge.outcome import separated_at, unfinished
from skmle._engine.judge.separation import recedes
from skmle._engine.judge.verdict import foregone, judge
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.watch import RunsOff, Stopped
from skmle._engine.prepare.closed import Starts, closed_form, constant_fit
from skmle._engine.prepare.closer import closer_likelihood
from skmle._engine.prepare.columns import Columns, Dependent, look_at
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.merging import FEWEST_ROWS, in_own_order, merge_rows
from skmle._engine.prepare.perturbed import may_have_several
from skmle._engine.prepare.residuals import restored, without_lead
from skmle._engine.prepare.row_space import reduce_columns, restore_columns
from skmle._engine.problem import Fit, Problem, Tell
from skmle._engine.solvers import Working, looking_steps
from skmle._engine.verdict import (
    BEYOND_NUMBERS,
    BOUNDARY,
    INTERIOR,
    INTERRUPTED,
    KEYBOARD,
    NO_MAXIMUM,
    NON_REGULAR,
    NOT_CONVERGED,
    OUT_OF_TIME,
    Verdict,
)
from skmle.families.base import Density


def fit(problem: Problem, tell: Tell | None = None) -> Fit:
    """Maximise the likelihood of a problem, or the posterior under a penalty; judge the result.

    Parameters
    ----------
    problem : Problem
    tell : callable, optional
        It is called with each iterate, and returns whether to stop.
    """
    # Numbers may leave the doubles on the way. What comes out is judged by whether it is finite.
    with np.errstate(all="ignore"):
        found = _in_time(_fit(problem, _or_late(problem.until, tell)), problem.until)
    if found.verdict.status in (INTERIOR, BOUNDARY) and not np.isfinite(found.log_likelihood):
        return replace(found, covariance=None, verdict=Verdict(NOT_CONVERGED, BEYOND_NUMBERS))
    return found


def _or_late(until: float, tell: Tell | None) -> Tell | None:
    """Return what stops a fit at a time of the processor, too."""
    if np.isinf(until):
        return tell
    return lambda make: time.thread_time() > until or (tell is not None and tell(make))


def _in_time(found: Fit, until: float) -> Fit:
    """Return a fit with the verdict of one that was stopped, if it was, by the time."""
    if found.verdict.status == INTERRUPTED and time.thread_time() > until:
        return replace(found, verdict=Verdict(NOT_CONVERGED, OUT_OF_TIME))
    return found


def _fit(problem: Problem, tell: Tell | None) -> Fit:
    """Return the fit of a problem on the easiest of the ways to it."""
    if not problem.features and not problem.jeffreys:
        return fit_density(problem, tell)
    n, p = problem.observed.n, 0 if problem.X is None else problem.X.shape[1]
    if p > n and problem.penalised and (reduced := reduce_columns(problem)) is not None:
        smaller, space = reduced
        return restore_columns(_fit_rows(smaller, space.told(tell)), space)
    return _fit_rows(problem, tell)


def _fit_rows(problem: Problem, tell: Tell | None) -> Fit:
    """Return the fit of a problem whose columns are taken as they are."""
    n, p = problem.observed.n, 0 if problem.X is None else problem.X.shape[1]
    if problem.X is not None and problem.observed.copies is None:
        if n >= FEWEST_ROWS:
            problem = merge_rows(problem)
        elif problem.family.several_modes or may_have_several(problem.family, problem.terms):
            problem = in_own_order(problem)
    with one_blas_thread(blas_threads_harm(n, p)):
        return fit_likelihood(problem, tell)


def fit_density(problem: Problem, tell: Tell | None = None) -> Fit:
    """Return the fit of a law that is the same for all rows.

    The rows are condensed, and the fit has a closed form where there is one.
    """
    condensed = problem.observed.condensed_for(problem.family)
    if condensed is None and problem.family.repeats:
        problem = merge_rows(problem)
    density = replace(problem, X=None, observed=condensed or problem.observed, rows=problem.n)
    observed, family = density.observed, density.family
    law = None
    if not (observed.equal or problem.by_name):
        law = family.for_density(observed.statistics, observed.weight)
    if law is not None:
        return replace(_fit_in_place(density, law, tell), condensed=condensed)
    known = closed_form(density, fit_density)
    result = known if isinstance(known, Fit) else fit_likelihood(density, tell, known)
    return replace(result, condensed=condensed)


def _fit_in_place(problem: Problem, law: Density, tell: Tell | None) -> Fit:
    """Return the fit of the law that takes the place of a family as a density."""
    terms = (Term(None, 0),) * len(law.family.parameters)
    posed = replace(problem, family=law.family, terms=terms)
    if (foregone := _without_newton(law)) is not None:
        (start,) = law.family.starts(posed.observed.statistics, posed.observed.weight)
        found = constant_fit(posed, start, foregone)
        return replace(found, n_parameters=found.n_parameters + law.found_apart)
    known = closed_form(posed, fit_density)
    if not isinstance(known, Fit):
        known = fit_likelihood(posed, _or_late(law.until, tell), known)
    found = _in_time(known, law.until)
    if law.reason and found.verdict.status == INTERIOR:
        found = replace(found, verdict=Verdict(BOUNDARY, law.reason))
    return replace(found, n_parameters=found.n_parameters + law.found_apart)


def _without_newton(law: Density) -> Verdict | None:
    """Return what the start is, if no step of Newton's goes on from there."""
    if law.unbounded:
        return Verdict(NO_MAXIMUM, law.reason)
    if law.stopped:
        return Verdict(NOT_CONVERGED, law.stopped)
    return Verdict(NON_REGULAR, law.irregular) if law.irregular else None


def fit_likelihood(
    problem: Problem,
    tell: Tell | None = None,
    starts: Starts | None = None,
    columns: Columns | None = None,
) -> Fit:
    """Return the fit of a problem whose rows and columns are taken as they are."""
    if columns is None:
        # Rows that are all predicted right say nothing of columns that depend on each other.
        columns = look_at(problem, later=tell is None and _may_separate(problem))
    try:
        return solve_and_judge(Likelihood(problem, None, starts, columns), tell)[0]
    except Dependent as found:
        return solve_and_judge(Likelihood(problem, None, starts, found.columns), tell)[0]


def _may_separate(problem: Problem) -> bool:
    """Return whether a separation is looked for first."""
    observed, d = problem.observed, sum(term.length for term in problem.terms)
    likely = not problem.penalised and looking_steps(observed.n, d) > 0
    return likely and recedes(problem.family, observed.statistics, observed.n)


def solve_and_judge(
    likelihood: Likelihood, tell: Tell | None = None, working: Working | None = None
) -> tuple[Fit, Working | None]:
    """Return the fit of a likelihood, and the working set for the fit under the next penalty."""

    def refit(problem: Problem, columns: Columns) -> Fit:
        if problem.features:
            return fit_likelihood(problem, columns=columns)
        return fit_density(problem)

    if (known := foregone(likelihood)) is not None:
        return known, working
    if (rest := without_lead(likelihood)) is not None:
        left, lead = rest
        found = fit_likelihood(left, lead.told(tell), columns=likelihood.columns)
        return restored(found, lead), working
    try:
        try:
            solution = _solve(likelihood, tell, working)
            if (closer := closer_likelihood(likelihood, solution)) is not None:
                likelihood = closer
                solution = _solve(likelihood, tell)
        except RunsOff as proof:
            return separated_at(likelihood, proof), working
        return judge(likelihood, solution, refit), solution.working
    except (KeyboardInterrupt, Stopped) as stop:
        if likelihood.watch.last is None:
            raise
        reason = KEYBOARD if isinstance(stop, KeyboardInterrupt) else ""
        return unfinished(likelihood, likelihood.watch.last, reason), working


def _solve(likelihood: Likelihood, tell: Tell | None, working: Working | None = None) -> Solution:
    """Return the solution of a likelihood, whose iterates are told in the user's coordinates."""

    def told(make: Callable[[], Solution]) -> bool:
        assert tell is not None
        return tell(lambda: unfinished(likelihood, make()))

    likelihood.watch.tell = None if tell is None else told
    likelihood.objective.alarm = alarm_of(likelihood)
    solution = likelihood.solve(working=working)
    likelihood.objective.alarm = None
    return solution
