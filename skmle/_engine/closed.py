"""Densities whose answer needs no solver: unbounded likelihoods, exact starts, data at an end of the law's range."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skmle._engine.design import Design
from skmle._engine.evaluation import Array
from skmle._engine.objective import Objective
from skmle._engine.problem import Fit, Problem
from skmle._engine.verdict import BOUNDARY, INTERIOR, NO_MAXIMUM, NON_REGULAR, Verdict
from skmle.families._base import Arrays, Family

_UNDERFLOW = 700.0  # exp(-700) is still a positive number, and far below any rounding
_END = 600.0  # odds beyond exp(600) are meant to be infinite
_MANY = 500  # coordinates of a density beyond which no covariance is kept


def closed_form(problem: Problem, statistics: Arrays, base: float) -> Fit | None:
    """Return the fit of a density without features, if it needs no solver; else None."""
    family = problem.family
    weight = np.ones(len(problem.y)) if problem.weight is None else problem.weight
    if not problem.terms:
        return _constant_fit(problem, (), Verdict(INTERIOR), statistics, base)
    if (infinite := family.unbounded(statistics, weight)) is not None:
        return _constant_fit(problem, infinite[0], Verdict(NO_MAXIMUM, infinite[1]), statistics, base)
    if family.exact:
        status = INTERIOR if family.regular else NON_REGULAR
        return _constant_fit(problem, family.starts(statistics, weight)[0], Verdict(status), statistics, base)
    if family.spread_sign:
        return None
    with np.errstate(all="ignore"):
        start = family.starts(statistics, weight)[0]
    ends = [_END if family.dimensionless(j) else np.inf for j in range(len(start))]
    return None if all(abs(e) < end for e, end in zip(start, ends, strict=True)) else _at_infinity(problem, start, base)


def _at_infinity(problem: Problem, chart_eta: tuple[float, ...], base: float) -> Fit:
    """Return the fit of a density whose closed form stands at an end of the parameters: all counts zero, all trials failed."""
    family = problem.family
    statistics = family.statistics(problem.y)
    for limit in family.limits:
        law = limit.family()
        simpler = closed_form(replace(problem, family=law, terms=problem.terms[: len(law.parameters)]), statistics, base)
        if simpler is not None:
            return replace(simpler, limit=limit)
    near = tuple(float(e) for e in np.clip(chart_eta, -_UNDERFLOW, _UNDERFLOW))
    end = "the data have no spread and stand at an end of the law's range, so"
    if family.support.discrete:
        verdict = Verdict(BOUNDARY, f"{end} all its mass does too")
    else:
        verdict = Verdict(NO_MAXIMUM, f"{end} the density grows without bound there")
    result = _constant_fit(problem, near, verdict, statistics, base)
    return replace(result, coefs=tuple((np.zeros(0), float(e)) for e in family.linked(tuple(np.asarray(e) for e in chart_eta))))


def _constant_fit(problem: Problem, chart_eta: tuple[float, ...], verdict: Verdict, statistics: Arrays, base: float) -> Fit:
    """Return the fit of a density whose eta are known."""
    family = problem.family
    eta = family.linked(tuple(np.asarray(e) for e in chart_eta))
    coefs = tuple((np.zeros(0), float(e)) for e in eta)
    shorter, weight = shorten(family, statistics, problem.weight)
    design = Design(problem.terms, len(shorter[0]))
    objective = Objective(family.rows, shorter, design, weight)
    wanted = verdict.status == INTERIOR and bool(problem.covariance) and design.d <= _MANY
    evaluation = objective(np.array([e for _, e in coefs]), 2 if wanted else 0)
    covariance = None
    if evaluation.hessian is not None:
        root = np.sqrt(np.diag(evaluation.hessian))
        covariance = np.linalg.inv(evaluation.hessian / np.outer(root, root)) / np.outer(root, root) / objective.mass
    return Fit(family, coefs, covariance, -evaluation.value * objective.mass - base, objective.mass, verdict, n_parameters=design.d)


def base_total(family: Family, y: Any, weight: Array | None) -> float:
    """Return the sum of the terms of -log q that depend on y only."""
    base = family.base(y)
    mass = float(len(y)) if weight is None else float(weight.sum())
    if base.ndim == 0:
        return float(base) * mass
    return float(base.sum() if weight is None else weight @ base)


def shorten(family: Family, statistics: Arrays, weight: Array | None) -> tuple[Arrays, Array | None]:
    """Return statistics and weights of fewer rows with the same likelihood: their mean, or the distinct values counted."""
    ones = np.ones(len(statistics[0])) if weight is None else weight
    if (collapsed := family.collapse(statistics, ones)) is not None:
        return collapsed, np.array([ones.sum()])
    if family.support.discrete and statistics[0].ndim == 1:
        values, index = np.unique(statistics[0], return_inverse=True)
        if len(values) < len(index):
            return (values,), np.bincount(index, weight).astype(np.float64)
    return statistics, weight
