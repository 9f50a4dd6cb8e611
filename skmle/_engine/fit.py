"""One fit from beginning to end.

Its steps are an easier problem, if there is one, then the likelihood, its solution and the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from skmle._engine.data.sums import blas_threads_harm, one_blas_thread
from skmle._engine.evaluation import Solution
from skmle._engine.judge.verdict import foregone, judge, unfinished
from skmle._engine.likelihood.watch import Stopped, Watch
from skmle._engine.prepare.closed import Starts, closed_form
from skmle._engine.prepare.columns import Columns
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.merging import merge_rows
from skmle._engine.prepare.row_space import reduce_columns, restore_columns
from skmle._engine.problem import Fit, Problem, Tell
from skmle._engine.solvers import Working


def fit(problem: Problem, tell: Tell | None = None) -> Fit:
    """Maximise the likelihood (with a penalty: the posterior) of a problem, and judge the result.

    Parameters
    ----------
    problem : Problem
    tell : callable, optional
        Is told of each iterate.
    """
    if problem.penalised and (reduced := reduce_columns(problem)) is not None:
        smaller, space = reduced
        return restore_columns(fit(smaller, space.told(tell)), space)
    if not problem.features:
        return fit_density(problem, tell)
    merged = merge_rows(problem)
    n, p = problem.observed.n, 0 if problem.X is None else problem.X.shape[1]
    with one_blas_thread(blas_threads_harm(n, p)):
        return fit_likelihood(merged, tell)


def fit_density(problem: Problem, tell: Tell | None = None) -> Fit:
    """Return the fit of a law that is the same for all rows.

    Its rows are condensed, and it is in closed form where there is one.
    """
    condensed = None if problem.needs_rows else problem.observed.condensed(problem.family)
    density = replace(problem, X=None, observed=condensed or problem.observed, rows=problem.n)
    known = closed_form(density)
    result = known if isinstance(known, Fit) else fit_likelihood(density, tell, known)
    return replace(result, condensed=condensed)


def fit_likelihood(
    problem: Problem,
    tell: Tell | None = None,
    starts: Starts | None = None,
    columns: Columns | None = None,
) -> Fit:
    """Return the fit of a problem as it is."""

    def told(make: Callable[[], Solution]) -> bool:
        assert tell is not None
        return tell(lambda: unfinished(likelihood, make()))

    watch = Watch(problem.verbose, None if tell is None else told)
    likelihood = Likelihood(problem, watch, starts, columns)
    return solve_and_judge(likelihood, tell)[0]


def solve_and_judge(
    likelihood: Likelihood, tell: Tell | None = None, working: Working | None = None
) -> tuple[Fit, Working | None]:
    """Return the fit of a likelihood, and what the solver keeps for another penalty."""

    def refit(problem: Problem, columns: Columns) -> Fit:
        if problem.features:
            return fit_likelihood(problem, tell, columns=columns)
        return fit_density(problem, tell)

    if (known := foregone(likelihood)) is not None:
        return known, working
    try:
        solution = likelihood.solve(working=working)
    except (KeyboardInterrupt, Stopped):
        if likelihood.watch.last is None:
            raise
        return unfinished(likelihood, likelihood.watch.last), working
    return judge(likelihood, solution, refit), solution.working
