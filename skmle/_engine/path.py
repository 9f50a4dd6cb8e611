"""Fits under a falling penalty, each starting where the last one ended: its coefficients, its columns, its hessian."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.fit import Attempt, fit
from skmle._engine.likelihood.penalties import Lasso
from skmle._engine.problem import Fit, Problem
from skmle._engine.solvers import proximal


def grid(greatest: float, eps: float, count: int) -> Array:
    """Return `count` penalties from the greatest down to `eps` times it, in equal ratios."""
    return greatest * np.geomspace(1.0, eps, count) if count > 1 else np.array([greatest])


def fit_path(
    problem: Problem, alphas: Array | None, eps: float, count: int
) -> tuple[Array, list[Fit]]:
    """Return the penalties and the fits under each of them.

    Parameters
    ----------
    alphas : ndarray, optional
        Falling; by default a grid from the least penalty under which all slopes are zero.
    """
    if not problem.selects:
        assert alphas is not None
        return alphas, [fit(replace(problem, alpha=float(alpha))) for alpha in alphas]
    attempt = Attempt(problem, problem.observed)
    greatest = _greatest(attempt)
    if alphas is None:
        alphas = grid(greatest, eps, count)
    fits: list[Fit] = []
    start = None
    for alpha in alphas:
        fits.append(attempt.penalised(float(alpha), start).run())
        # The limit law has fewer coefficients, and the next fit may well be inside.
        start = fits[-1].coefs if fits[-1].limit is None else None
    return alphas, fits


def _greatest(attempt: Attempt) -> float:
    """Return the least penalty under which all slopes are zero; its fit is left to the attempt to go on from."""
    units = attempt.slope_units
    assert attempt.objective.lasso is not None
    null = replace(
        attempt.objective,
        penalties=(),
        lasso=Lasso(np.where(attempt.objective.lasso.strength > 0.0, np.inf, 0.0)),
    )
    solutions = [
        proximal(null, start, tol=attempt.problem.tol, max_iter=attempt.problem.max_iter)
        for start in attempt.starts()
    ]
    attempt.working = min(solutions, key=lambda found: found[0].evaluation.value)[1]
    slopes = units > 0.0
    return (
        float((np.abs(attempt.working.gradient[slopes]) / units[slopes]).max(initial=0.0))
        / attempt.problem.l1_ratio
    )
