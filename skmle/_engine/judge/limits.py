"""Limit laws.

Where a constant parameter runs to an end of its range, the law that remains there may be the
answer: a Poisson law, for instance, where the dispersion of a negative binomial runs to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Solution
from skmle._engine.judge.interior import LARGEST_ERROR
from skmle._engine.prepare.closed import at_limit
from skmle._engine.prepare.columns import Columns
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Coefs, Fit, Problem
from skmle.families.base import Family, Limit
from skmle.families.ends import place, places

# Absolute eta of a constant parameter from which a limit law is tried although the fit looks
# interior: exp(-15) = 3e-7 of a dispersion is hardly told from none. Chosen, not measured.
_FAR_ETA = 15.0
# Nats a row by which a limit law may be less likely than the fit, because both are rounded. Chosen,
# not measured.
TIE = 1e-9
# Nats in total by which it may be less likely, because no data tell the two apart. Where a maximum
# inside is g nats more likely than the limit law, the parameter's log has a standard error of about
# 1/sqrt(2 g). So this bound leaves no gap to LARGEST_ERROR, from which a maximum inside does not
# count as one.
UNTOLD = 1.0 / LARGEST_ERROR**2

Refit = Callable[[Problem, Columns], Fit]
"""(problem, columns) -> Fit; the columns of X were surveyed before."""


def far_parameters(family: Family, coefs: Coefs) -> set[str]:
    """Return the constant parameters whose eta is so large that their limit law may be meant."""
    pairs = zip(family.parameters, coefs, strict=True)
    return {
        param.name
        for param, (slopes, intercept) in pairs
        if len(slopes) == 0 and abs(intercept) > _FAR_ETA
    }


def has_closed_limits(family: Family) -> bool:
    """Return whether the most likely limit law is known without a step, from an end of the rows.

    It is no neighbour of a maximum inside, and may be likelier at any number of rows.
    """
    return any(limit.family.shortcuts.starts == "final" for limit in family.limits)


def likelier_limit(likelihood: Likelihood, solution: Solution, refit: Refit) -> Fit | None:
    """Return the fit of a limit law that is at least as likely, if the family has one.

    It is the first such law, but the likelier one of those at the two ends of one parameter.
    """
    if likelihood.problem.jeffreys:
        return None  # The information is singular there, which the penalty forbids.
    best: tuple[Fit, Limit] | None = None
    for limit in likelihood.problem.family.limits:
        if best is not None and limit.parameter != best[1].parameter:
            continue
        if (posed := _posed(likelihood, limit)) is None:
            continue
        other = refit(*posed)
        here = best[0] if best is not None else _as_fit(likelihood, solution, other)
        problem, size = likelihood.problem, likelihood.objective.size
        gain = (_maximised(problem, here) - _maximised(problem, other)) / other.mass
        if gain <= (max(TIE, UNTOLD / size) if best is None else -TIE):
            best = other, limit
    if best is None:
        return None
    found = at_limit(likelihood.family, best[1], best[0])
    return replace(found, n_iter=max(1, likelihood.watch.count))


def _as_fit(likelihood: Likelihood, solution: Solution, like: Fit) -> Fit:
    """Return a solution as a fit, of the same mass as another one."""
    coefs, value = likelihood.raw(solution.coef), likelihood.log_likelihood(solution)
    return Fit(likelihood.problem.family, coefs, None, value, like.mass, like.verdict)


def _maximised(problem: Problem, fit: Fit) -> float:
    """Return what a fit maximises: its total log-likelihood, less the penalties on its slopes."""
    if not problem.penalised:
        return fit.log_likelihood
    slopes = np.concatenate([slopes for slopes, _ in fit.coefs])
    penalty = sum(penalty.value(slopes) for penalty in problem.penalties)
    return fit.log_likelihood - fit.mass * (penalty + problem.lasso * float(np.abs(slopes).sum()))


def _posed(likelihood: Likelihood, limit: Limit) -> tuple[Problem, Columns] | None:
    """Return the problem of a limit law on the same rows, and its columns.

    None is returned if the parameter that runs to an end of its range depends on features here, or
    another one that must not, or if the law does not allow some row.
    """
    family, problem = likelihood.problem.family, likelihood.problem
    same = [place(family, name) for name in (limit.parameter, *limit.constant)]
    if any(problem.terms[j].columns is not None for j in same):
        return None
    if (posed := problem.at(limit)) is None:
        return None
    return posed, likelihood.columns.of_terms(places(family, limit))
