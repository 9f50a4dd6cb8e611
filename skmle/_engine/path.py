"""Fits under a falling penalty, each starting where the last one ended.

Each fit takes over the coefficients of the last one, its working set of columns and its Hessian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.fit import fit, solve_and_judge
from skmle._engine.likelihood.penalties import Lasso, Penalty
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Fit, Problem
from skmle._engine.solvers import Working, proximal
from skmle._engine.verdict import KEYBOARD


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
        From a strength to the problem's penalties and the strength of its absolute one.
    alphas : ndarray, optional
        Falling strengths; by default a grid from the least under which all slopes are zero.
    """
    if not problem.selects:
        assert alphas is not None
        return alphas, [_whole(fit(problem.under(*penalties(float(alpha))))) for alpha in alphas]
    likelihood = Likelihood(problem)
    working: Working | None
    greatest, working = _greatest(likelihood)
    if alphas is None:
        alphas = grid(greatest, eps, count)
    fits: list[Fit] = []
    start = None
    for alpha in alphas:
        penalised = likelihood.under(*penalties(float(alpha)), start)
        found, working = solve_and_judge(penalised, working=working)
        fits.append(_whole(found))
        # The limit law has fewer coefficients, and the next fit may well be inside.
        start = found.coefs if found.limit is None else None
    return alphas, fits


def _whole(found: Fit) -> Fit:
    """Return the fit; an interrupted one ends the path, as the penalties after it have no fits."""
    if found.verdict.reason == KEYBOARD:
        raise KeyboardInterrupt
    return found


def _greatest(likelihood: Likelihood) -> tuple[float, Working]:
    """Return the least strength under which all slopes are zero, and the working set there."""
    lasso, problem = likelihood.objective.lasso, likelihood.problem
    assert lasso is not None
    strength = lasso.strength
    none = Lasso(np.where(strength > 0.0, np.inf, 0.0))
    null = replace(likelihood.objective, penalties=(), lasso=none)
    solutions = [
        proximal(null, start, tol=problem.tol, max_iter=problem.max_iter)
        for start in likelihood.starts()
    ]
    working = min(solutions, key=lambda solution: solution.evaluation.value).working
    slopes = (strength > 0.0) & np.isfinite(strength)
    pull = np.abs(working.gradient[slopes])
    return float((pull / strength[slopes]).max(initial=0.0)), working
