"""Fits under a falling penalty, each starting where the last one ended: its coefficients, its columns, its hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.fit import Attempt, fit
from skmle._engine.likelihood.penalties import Lasso, Penalty
from skmle._engine.problem import Fit, Problem
from skmle._engine.solvers import proximal


def grid(greatest: float, eps: float, count: int) -> Array:
    """Return `count` penalties from the greatest down to `eps` times it, in equal ratios."""
    return greatest * np.geomspace(1.0, eps, count) if count > 1 else np.array([greatest])


def fit_path(
    problem: Problem,
    penalties: Callable[[float], tuple[tuple[Penalty, ...], float]],
    alphas: Array | None,
    eps: float,
    count: int,
) -> tuple[Array, list[Fit]]:
    """Return the strengths of the penalty and the fits under each of them.

    Parameters
    ----------
    problem : Problem
        With the penalties of strength 1.
    penalties : callable
        strength -> the problem's penalties, and the strength of its absolute one.
    alphas : ndarray, optional
        Falling; by default a grid from the least penalty under which all slopes are zero.
    """
    if not problem.selects:
        assert alphas is not None
        pairs = [penalties(float(alpha)) for alpha in alphas]
        return alphas, [fit(replace(problem, penalties=p, lasso=lasso)) for p, lasso in pairs]
    attempt = Attempt(problem, problem.observed)
    greatest = _greatest(attempt)
    if alphas is None:
        alphas = grid(greatest, eps, count)
    fits: list[Fit] = []
    start = None
    for alpha in alphas:
        fits.append(attempt.under(*penalties(float(alpha)), start).run())
        # The limit law has fewer coefficients, and the next fit may well be inside.
        start = fits[-1].coefs if fits[-1].limit is None else None
    return alphas, fits


def _greatest(attempt: Attempt) -> float:
    """Return the least penalty under which all slopes are zero; its fit is left to the attempt to go on from."""
    assert attempt.objective.lasso is not None
    strength = attempt.objective.lasso.strength
    slopes = (strength > 0.0) & np.isfinite(strength)
    null = replace(
        attempt.objective, penalties=(), lasso=Lasso(np.where(strength > 0.0, np.inf, 0.0))
    )
    solutions = [
        proximal(null, start, tol=attempt.problem.tol, max_iter=attempt.problem.max_iter)
        for start in attempt.starts()
    ]
    attempt.working = min(solutions, key=lambda found: found[0].evaluation.value)[1]
    pull = np.abs(attempt.working.gradient[slopes])
    return float((pull / strength[slopes]).max(initial=0.0))
