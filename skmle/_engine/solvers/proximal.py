"""Newton's method under absolute penalties.

Each step minimises the sum of a quadratic model of the smooth part and the absolute penalties,
which keep their cusps, exactly; Levenberg-Marquardt damping makes it safe. Only a working set of
columns takes part. It is solved as if it were all columns; then one gradient tells whether others
must come in. A Hessian serves several steps and is corrected by what they show of it, as long as
that is quicker than a new one. Along a path of penalties it serves the next penalty, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.solvers.quadratic import solve_quadratic
from skmle._engine.solvers.working import NUGGET, P, Working

_EPS = float(np.finfo(float).eps)
# These have the values of `newton`: the first damping, in units of the curvature; the share of
# slope^2 / f below which that unit does not fall; the least share of the predicted gain that counts
# as a decrease; the distance at which the fit counts as converged when rounding hides what steps
# gain; and the number of such steps on end after which the search stops.
_DAMPING = 1e-3
_SLOPE = 1e-3
_ACCEPT = 1e-3
_FLOOR = 1e-3
_BLIND_STEPS = 4
# The other values were chosen, not measured.
_TRIES = 60  # of damping, each 4 times the one before: 1e36 in all, enough for any units
_LOOSE = 0.1  # distance to which a working set that has just grown is solved
# A new Hessian is reckoned to take as long as (columns / this) steps without one. That is little:
# on 10,000 rows of a logistic regression, one thread, a Hessian of 130 columns took as long as 7
# gradients. The rest of a step, the solution of the quadratic model, does not grow with the rows.
_COST = 130
_SETTLED = 2  # steps that Newton's method usually needs with a new Hessian


def proximal(
    objective: P,
    start: Array,
    *,
    tol: float = 1e-6,
    max_iter: int = 100,
    working: Working[P] | None = None,
) -> Solution:
    """Minimise an objective with absolute penalties.

    The search ends when the step of the quadratic model is at most `tol` standard errors long.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation of all but the absolute penalties, which are
        ``objective.lasso``.
    start : ndarray of shape (d,)
        Where the search starts.
    tol : float
        Distance to the optimum in standard errors, at which no zero coefficient must leave zero.
    max_iter : int
        Most steps of all working sets together.
    working : Working, optional
        The working set of a solution nearby; `start` is zero outside its columns.

    Returns
    -------
    Solution
        It has no Hessian, and carries the last working set for the next penalty.

    References
    ----------
    Lee, Sun & Saunders (2014), Proximal Newton-type methods for minimizing composite functions.
    Massias, Gramfort & Salmon (2018), Celer: a fast solver for the lasso with dual extrapolation.
    Tibshirani et al. (2012), Strong rules for discarding predictors in lasso-type problems.
    """
    coef, steps = np.array(start, float), 0
    working = Working.around(objective, coef) if working is None else working.under(objective)
    grown = working.there is None or working.grow()
    while True:
        goal = max(tol, _LOOSE) if grown else tol
        # Far from the optimum squares overflow. No warning is needed: values that are not finite
        # reject a step.
        with np.errstate(all="ignore"):
            found = _newton(working, coef[working.index], goal, max_iter - steps)
        steps += found.n_iter
        coef[working.index] = found.coef
        working.measure(coef)
        grown = found.converged and working.grow()
        if not grown and (goal == tol or not found.converged):
            step = np.zeros_like(coef)
            step[working.index] = found.step
            assert working.there is not None
            at = Evaluation(working.there.value, working.gradient.copy())
            for penalty in objective.penalties:
                penalty.add(at, coef)
            return Solution(
                coef=coef,
                evaluation=at,
                step=step,
                distance=found.distance,
                n_iter=steps,
                converged=found.converged,
                working=working,
            )


class _Step(NamedTuple):
    """The way to the minimiser of the quadratic model."""

    step: Array
    gain: float
    """Fall of the objective that the model predicts."""
    distance: float
    """Length of the step in standard errors."""
    least: float
    """The least damping that changes the step: about the curvature along it."""


class _Taken(NamedTuple):
    """A step that was taken, and where it led."""

    step: Array
    at: Evaluation
    share: float
    """The gain as a share of the predicted one; inf where rounding hides it."""
    damping: float


def _newton(working: Working, coef: Array, goal: float, budget: int) -> Solution:
    """Minimise on the working set.

    Its Hessian is renewed where that is quicker than to go on with the old one.
    """
    new = working.hessian is None
    at = working.renew(coef) if new else working.evaluate(coef)
    damping, blind, previous, iteration, step = 0.0, 0, np.inf, 0, np.zeros_like(coef)
    while True:
        model = _model(working, coef, at, 0.0)
        distance = np.inf if model is None else model.distance
        left = 0.0 if model is None else _steps_left(distance, previous, goal)
        if not new and (model is None or left > len(coef) / _COST + _SETTLED):
            at, new, previous = working.renew(coef), True, np.inf
            continue
        step = step if model is None else model.step
        if distance <= goal:
            # The last step costs nothing, and squares the distance.
            working.accepted(coef + step, at, distance)
            return Solution(coef + step, at, step, distance, iteration, True)
        working.accepted(coef, at, distance)
        if iteration >= budget or blind >= _BLIND_STEPS:
            arrived = blind >= _BLIND_STEPS and distance <= _FLOOR
            return Solution(coef, at, step, distance, iteration, arrived)
        first, tries = (damping, _TRIES) if new else (0.0, 1)
        taken = _search(working, coef, at, model, first, tries)
        if taken is None and new:
            return Solution(coef, at, step, distance, iteration + 1, distance <= _FLOOR)
        if taken is None:
            at, new, previous = working.renew(coef), True, np.inf
            continue
        iteration += 1
        blind = blind + 1 if taken.share == np.inf else 0
        change = taken.at.gradient - at.gradient  # type: ignore[operator]
        convex = working.learn(coef, taken.step, change)
        coef, previous = coef + taken.step, distance
        new = not (convex and taken.damping == 0.0)
        at = working.renew(coef) if new else taken.at
        damping = _relax(taken.damping, taken.share, _DAMPING if model is None else model.least)


def _model(working: Working, coef: Array, at: Evaluation, damping: float) -> _Step | None:
    """Minimise the quadratic model around `coef`; None if it has no minimum.

    The damping is in units of the curvature.
    """
    assert working.hessian is not None and at.gradient is not None
    kink, ridge = working.kink, working.ridge(coef)
    a = working.hessian.copy()
    diagonal = np.diag(a) + ridge
    # excess^2 / f has the unit of the curvature. Without it a start far from the optimum, where the
    # curvature underflows, would look like an optimum.
    excess = np.maximum(np.abs(at.gradient) - kink, 0.0)
    scale = np.maximum(np.abs(diagonal), _SLOPE / (1.0 + abs(at.value)) * excess**2)
    scale = np.where(scale > 0.0, scale, 1.0)
    a[np.diag_indices(len(coef))] = diagonal + (NUGGET + damping) * scale
    if not np.isfinite(a).all():
        return None
    found = solve_quadratic(a, at.gradient - a @ coef, kink, coef)
    if found is None:
        return None
    move = found - coef
    along = float(move @ (a @ move))  # the curvature along the step
    if along < -_EPS * float(np.abs(move) @ np.abs(a) @ np.abs(move)):
        return None
    gain = _total(kink, coef) - _total(kink, found) - float(at.gradient @ move) - 0.5 * along
    least = min(_DAMPING, along / float(scale @ move**2)) if along > 0.0 else _DAMPING
    return _Step(move, gain, (working.part.size * max(along, 0.0)) ** 0.5, least)


def _search(
    working: Working, coef: Array, at: Evaluation, model: _Step | None, damping: float, tries: int
) -> _Taken | None:
    """Raise the damping until a step gains what the model predicts; None if none does."""
    least = _DAMPING if model is None else model.least
    for _ in range(tries):
        tried = model if damping == 0.0 else _model(working, coef, at, damping)
        finite = True
        if tried is not None:
            there = working.part(coef + tried.step, 1)
            if (share := _share(working.kink, coef, at, tried, there)) is not None:
                return _Taken(tried.step, there, share, damping)
            finite = bool(np.isfinite(there.value))
        damping = max(4.0 * damping, least) * (1.0 if finite else 2.5)
    return None


def _share(
    kink: Array, coef: Array, at: Evaluation, model: _Step, there: Evaluation
) -> float | None:
    """Return the gain as a share of the predicted one.

    It is inf where rounding hides the gain, and None if there is no gain.
    """
    if there.gradient is None or not np.isfinite(there.value):
        return None
    if not np.isfinite(there.gradient).all():
        return None
    before, after = _total(kink, coef), _total(kink, coef + model.step)
    gain = at.value - there.value + (before - after)
    rounding = _EPS * (abs(at.value) + before + 1.0)
    if model.gain <= 8.0 * rounding:
        return np.inf if abs(gain) <= 32.0 * rounding else None
    return gain / model.gain if gain > _ACCEPT * model.gain else None


def _total(kink: Array, coef: Array) -> float:
    """Return the absolute penalty; an infinite strength times zero is zero."""
    on = coef != 0.0
    return float(kink[on] @ np.abs(coef[on]))


def _relax(damping: float, share: float, least: float) -> float:
    """Return the next damping: less after a step that gained what was predicted, else more."""
    if share > 0.75:
        damping /= 10.0
    elif share < 0.25:
        damping = 2.0 * damping if damping else least
    return damping if damping >= least else 0.0


def _steps_left(distance: float, previous: float, goal: float) -> float:
    """Return how many more steps it takes to the goal at the present rate."""
    if not previous < np.inf or distance <= goal:
        return 0.0
    if not distance < previous:
        return np.inf
    return float(np.log(goal / distance) / np.log(distance / previous))
