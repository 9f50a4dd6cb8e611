"""Levenberg-Marquardt on the observed information, scaled by its diagonal: Newton's method made global.

Of ten schemes tried on 492 cold starts of 14 families this one had no failure, and it does not notice units. The damping
starts at zero, so a start at the optimum ends at its first evaluation, and near a maximum it is Newton's method.
A small decrement is not an optimum: the caller judges the last step (`skmle._engine.judge.interior`).
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.likelihood.factor import ROUNDING

_EPS = float(np.finfo(float).eps)
_ACCEPT = 1e-3  # least share of the predicted gain that counts as a real decrease
_SLOPE = 1e-3  # share of g^2/f below which no scale falls
_DAMPING = 1e-3  # first damping tried, in units of the diagonal
_FLOOR = 1e-3  # distance at which a value that no longer resolves steps is good enough to stop
_BLIND_STEPS = 4
_VISIBLE = (
    1e-13  # fall of the value for which a longer stride pays: beyond, all derivatives are rounding
)
_FLAT = 2  # so many slow steps on end are the way to a limit


class SmoothObjective(Protocol):
    """What the solver needs of an objective."""

    size: float
    """Total weight: turns the mean objective's decrement into standard errors."""

    def __call__(self, coef: Array, order: int = 2) -> Evaluation: ...

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate."""


class _Model(NamedTuple):
    """The scaled quadratic model at one point: H = D A D, g = D b."""

    a: Array
    b: Array
    scale: Array
    step: Array | None
    """Newton's step in scaled coordinates, -A^-1 b; None where A is not positive definite."""
    distance: float
    least: float
    """The least damping worth trying: as large as the curvature along Newton's step."""


def newton(
    objective: SmoothObjective, start: Array, *, tol: float = 1e-6, max_iter: int = 100
) -> Solution:
    """Minimise `objective` from `start` until the Newton decrement is at most `tol` standard errors.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation; non-finite values reject a step.
    start : ndarray of shape (d,)
    tol : float
        Distance to the optimum in standard errors, sqrt(size * g' H^-1 g).
    max_iter : int
        Most steps taken.

    References
    ----------
    More (1978), The Levenberg-Marquardt algorithm: implementation and theory.
    """
    with np.errstate(
        all="ignore"
    ):  # towards infinity squares overflow; values that are not finite reject a step
        return _iterate(objective, np.array(start, float), tol, max_iter)


def _iterate(objective: SmoothObjective, coef: Array, tol: float, max_iter: int) -> Solution:
    at = objective(coef)
    damping, good, flat, blind, strode, previous, known = 0.0, 0, 0, 0, False, np.inf, np.inf
    newton_step = np.zeros_like(coef)
    if not _finite(at):
        return Solution(coef, at, newton_step, np.inf, 0, False)
    for iteration in range(max_iter + 1):
        model = _model(at, objective.size)
        objective.accepted(coef, at, model.distance)
        # On the way to a limit the last step is kept for the verdict where rounding leaves none.
        onward = strode or flat >= _FLAT
        if model.step is not None and (model.step.any() or not onward):
            newton_step = model.step / model.scale
        if model.step is not None and model.distance <= tol:
            # The step is free, and squares the distance; at a limit it leads nowhere better, and may be rounding.
            return Solution(
                coef if onward else coef + newton_step,
                at,
                newton_step,
                model.distance,
                iteration,
                True,
            )
        # Far enough towards a limit the hessian is rounding; what was known before stands.
        known = known if onward and model.step is None else model.distance
        at_floor = blind >= _BLIND_STEPS
        if iteration == max_iter or at_floor:
            return Solution(coef, at, newton_step, known, iteration, at_floor and known <= _FLOOR)
        # At an interior optimum the decrement falls quadratically; towards a limit law it shrinks by a constant factor.
        slow = model.step is not None and damping == 0.0 and 0.45 * previous < model.distance < 1.0
        flat, previous = flat + 1 if slow else 0, model.distance
        found = _search(objective, coef, at, model, damping, trust=good > 0)
        if found is None:
            return Solution(coef, at, newton_step, known, iteration + 1, known <= _FLOOR)
        step, at, ratio, damping, was_blind = found
        coef = coef + step
        blind = blind + 1 if was_blind else 0
        if flat >= _FLAT and damping == 0.0:
            far, at = _stride(objective, coef, at, step)
            coef, strode = far, strode or far is not coef
        good = good + 1 if ratio > 0.75 else 0
        damping = _relax(damping, ratio, good, model.least)
    raise AssertionError("unreachable: the loop ends by returning")


def _model(at: Evaluation, size: float) -> _Model:
    assert at.gradient is not None and at.hessian is not None
    # g^2/f has the units of H_jj; without it a start far off, where H_jj ~ 1e-77, looks like an optimum.
    # No floor relative to the largest entry: that would depend on units.
    root = np.maximum(
        np.sqrt(np.abs(at.hessian.diagonal())),
        (_SLOPE / (1.0 + abs(at.value))) ** 0.5 * np.abs(at.gradient),
    )
    scale = np.where(root > 0.0, root, 1.0)
    a, b = at.hessian / scale / scale[:, None], at.gradient / scale
    step = _solve(a, b, ROUNDING)
    fall = 0.0 if step is None else max(-float(b @ step), 0.0)
    distance = np.inf if step is None else (size * fall) ** 0.5
    # Where some direction is nearly flat, a damping of its own size shortens a step along it, and a larger one would kill it.
    least = _DAMPING if step is None or not fall > 0.0 else min(_DAMPING, fall / float(step @ step))
    return _Model(a, b, scale, step, distance, least)


def _solve(a: Array, b: Array, pivot: float) -> Array | None:
    """Return -a^-1 b by Cholesky; None if a is not positive definite beyond rounding."""
    if not len(b):
        return np.zeros(0)
    factor, info = dpotrf(a, lower=True)
    if info != 0 or not np.isfinite(factor[-1, -1]) or factor.diagonal().min() ** 2 <= pivot:
        return None
    return -dpotrs(factor, b, lower=True)[0]


def _search(
    objective: SmoothObjective,
    coef: Array,
    at: Evaluation,
    model: _Model,
    damping: float,
    trust: bool,
) -> tuple[Array, Evaluation, float, float, bool] | None:
    """Return (step, evaluation there, gain ratio, damping, whether the value was blind); None if no step helps."""
    blur = _EPS * (abs(at.value) + 1.0)
    for attempt in range(60):
        scaled = model.step if damping == 0.0 else None
        while scaled is None:
            damping = max(damping, model.least)
            if damping > 1e30:
                return None
            scaled = _solve(model.a + damping * np.eye(len(coef)), model.b, 0.0)
            damping = damping if scaled is not None else 4.0 * damping
        step = scaled / model.scale
        if (coef + step == coef).all():
            return None
        predicted = -float(model.b @ scaled + 0.5 * scaled @ model.a @ scaled)
        there = objective(coef + step, 2 if trust and attempt == 0 else 0)
        gain = at.value - there.value
        if (
            predicted <= 8.0 * blur
        ):  # the value cannot resolve this step: trust gradient and hessian alone
            good_enough, blind = abs(gain) <= 32.0 * blur, True
        else:
            good_enough, blind = np.isfinite(there.value) and gain > _ACCEPT * predicted, False
        if good_enough:
            there = there if there.hessian is not None else objective(coef + step)
            if _finite(there):
                return step, there, 1.0 if blind else gain / predicted, damping, blind
        damping = max(4.0 * damping, model.least) * (1.0 if np.isfinite(there.value) else 2.5)
    return None


def _finite(at: Evaluation) -> bool:
    # A sum is finite only if all its entries are, and it makes no array of truth values.
    total = at.value
    for part in (at.gradient, at.hessian):
        total += 0.0 if part is None else float(np.add.reduce(part, axis=None))
    return math.isfinite(total)


def _stride(
    objective: SmoothObjective, coef: Array, at: Evaluation, step: Array
) -> tuple[Array, Evaluation]:
    """Double the step while the value falls: reaches a limit law at infinity in a few evaluations.

    Three times at most, as further on all derivatives underflow and nothing is left to judge.
    """
    far, best = coef, at
    for _ in range(3):
        there = objective(far + step, 0)
        if not best.value - there.value > _VISIBLE * (abs(best.value) + 1.0):
            break
        far, best, step = far + step, there, 2.0 * step
    if best.hessian is None and not _finite(best := objective(far)):
        return coef, at
    return far, best


def _relax(damping: float, ratio: float, good: int, least: float) -> float:
    if ratio > 0.75:
        damping /= 10.0 ** min(good, 6)
    elif ratio > 0.5:
        damping /= 2.0
    elif ratio < 0.25:
        damping = 2.0 * damping if damping else least
    return damping if damping >= 0.1 * least else 0.0
