"""Without a hessian: for so many coefficients that the matrix would be dearer than the data.

Limited-memory steps over an approximate inverse, one gradient each, go as far as they go fast, which is mostly to the end.
Newton steps by preconditioned conjugate gradients, each product of the hessian with a vector one pass over the rows, then
measure the distance, and go on from where the others were slow. The stopping rule is that of `newton`: the decrement in
standard errors, read off the same solution.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.solvers.pairs import two_loop

_MOST_PRODUCTS = 500  # of one step
_COARSE = 0.3  # relative accuracy of a step that is far from the optimum, or measures the distance
_CLOSE = 1e-3  # of sqrt(n) standard errors: so close, the curvature stays what it is
_BACKTRACKS = 40
_MEMORY = 8  # pairs
_MOST_STEPS, _REFRESH = (
    100,
    3,
)  # limited-memory steps; after so many the preconditioner is that of a better point
_FAST, _PATIENCE = (
    0.9,
    4,
)  # so many steps on end that leave more of the distance than this share are slow
_NEARLY = 0.5  # of the tolerance: what they estimate, conjugate gradients must confirm
_STALE = 10.0  # times the last distance, beyond which the pairs that led here are to blame


class Curvature(Protocol):
    """The hessian at one point, as an operator."""

    def product(self, vector: Array) -> Array:
        """Return the hessian times a vector."""

    def precondition(self, vector: Array) -> Array:
        """Return an approximate inverse hessian times a vector; symmetric, positive definite."""

    def moved(self, coef: Array) -> Curvature:
        """Return the hessian at another point, with the approximate inverse of this one."""


class MatrixFreeObjective(Protocol):
    """What this solver needs of an objective."""

    size: float

    def __call__(self, coef: Array, order: int = 1) -> Evaluation: ...

    def curvature(self, coef: Array) -> Curvature:
        """Return the hessian at `coef`."""

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate."""


def conjugate(
    objective: MatrixFreeObjective, start: Array, *, tol: float = 1e-6, max_iter: int = 100
) -> Solution:
    """Minimise a convex objective from `start` until the Newton decrement is at most `tol` standard errors.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation, with ``curvature(coef)``.
    start : ndarray of shape (d,)
    tol : float
        Distance to the optimum in standard errors.
    max_iter : int
        Most Newton steps.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, ch. 7.1.
    Eisenstat & Walker (1996), Choosing the forcing terms in an inexact Newton method, SIAM J. Sci. Comput. 17.
    Lin, Weng & Keerthi (2008), Trust region Newton method for logistic regression, JMLR 9.
    """
    with np.errstate(all="ignore"):  # towards infinity curvatures underflow
        return _iterate(objective, np.array(start, float), tol, max_iter)


def _iterate(objective: MatrixFreeObjective, coef: Array, tol: float, max_iter: int) -> Solution:
    coef, at, pairs, curvature, before = _approach(
        objective, coef, objective(coef, 1), tol, min(_MOST_STEPS, max_iter)
    )
    step, distance = np.zeros_like(coef), np.inf
    for iteration in range(before, before + max_iter + 1):
        previous, known = step, distance
        if iteration > before and known > _CLOSE * objective.size**0.5:
            curvature = objective.curvature(coef)
        step, pairs = _newton_step(objective, curvature, at, tol, pairs)
        distance = _decrement(objective, at, step)
        if not distance <= _STALE * known:  # the last pairs are of another curvature altogether
            step, pairs = _newton_step(objective, curvature, at, tol, [])
            distance = _decrement(objective, at, step)
        objective.accepted(coef, at, distance)
        if distance <= tol or iteration == before + max_iter:
            # Where all derivatives have underflowed, the step before tells the verdict where the way led.
            shown = step if step.any() else previous
            return Solution(
                coef + step if distance <= tol else coef,
                at,
                shown,
                distance,
                iteration,
                distance <= tol,
            )
        found = _backtrack(objective, coef, at, step)
        if found is None:
            return Solution(coef, at, step, distance, iteration, distance <= 1e-3)
        taken, there = found
        coef, at = coef + taken, there
    raise AssertionError("unreachable: the loop ends by returning")


def _approach(
    objective: MatrixFreeObjective, coef: Array, at: Evaluation, tol: float, most: int
) -> tuple[Array, Evaluation, list[tuple[Array, Array]], Curvature, int]:
    """Take limited-memory steps over the preconditioner while they go fast; return the point, its pairs and curvature, and how many."""
    pairs: list[tuple[Array, Array]] = []
    curvature, distance, known, slow = objective.curvature(coef), np.inf, np.inf, 0
    for taken in range(most):
        assert at.gradient is not None
        if taken == _REFRESH:
            curvature = objective.curvature(coef)
        step = -two_loop(pairs, curvature.precondition, at.gradient)
        distance = _decrement(objective, at, step)
        objective.accepted(coef, at, distance)
        slow = slow + 1 if distance > _FAST * known else 0
        arrived = distance <= _NEARLY * tol or slow >= _PATIENCE or not np.isfinite(distance)
        found = None if arrived else _backtrack(objective, coef, at, step)
        if found is None:
            break
        step, there = found
        assert there.gradient is not None
        turn = there.gradient - at.gradient
        if float(step @ turn) > 0.0:
            pairs = [*pairs, (step, turn)][-_MEMORY:]
        coef, at, known = coef + step, there, min(known, distance)
    else:
        taken = most
    close = distance <= _CLOSE * objective.size**0.5
    return coef, at, pairs, curvature.moved(coef) if close else objective.curvature(coef), taken


def _decrement(objective: MatrixFreeObjective, at: Evaluation, step: Array) -> float:
    assert at.gradient is not None
    fall = -objective.size * float(at.gradient @ step)
    return max(fall, 0.0) ** 0.5 if np.isfinite(fall) else np.inf


def _newton_step(
    objective: MatrixFreeObjective,
    curvature: Curvature,
    at: Evaluation,
    tol: float,
    pairs: list[tuple[Array, Array]],
) -> tuple[Array, list[tuple[Array, Array]]]:
    """Return -H^-1 gradient, and pairs (vector, H vector).

    It is solved, in the preconditioner's norm, to the accuracy to which a step of its length holds: at a distance of so many
    standard errors the quadratic model is wrong by about that number over sqrt(n). The pairs of the last step improve this
    one's preconditioner (Morales & Nocedal 2000, Automatic preconditioning by limited memory quasi-Newton updating).
    """

    def precondition(vector: Array) -> Array:
        return two_loop(pairs, curvature.precondition, vector)

    assert at.gradient is not None
    step, residual = np.zeros_like(at.gradient), -at.gradient
    seen: list[tuple[Array, Array]] = []
    search = preconditioned = precondition(residual)
    energy = first = float(residual @ preconditioned)
    for _ in range(_MOST_PRODUCTS):
        distance = _decrement(objective, at, step)
        accuracy = min(max(distance / objective.size**0.5, 0.5 * tol / max(distance, tol)), _COARSE)
        if not energy > accuracy**2 * first:
            break
        product = curvature.product(search)
        bend = float(search @ product)
        if not bend > 0.0:  # not convex here, or nothing left but rounding
            return (step if step.any() else preconditioned), seen or pairs
        share = energy / bend
        step = step + share * search
        residual = residual - share * product
        seen.append((search, product))
        preconditioned = precondition(residual)
        previous, energy = energy, float(residual @ preconditioned)
        search = preconditioned + (energy / previous) * search
    return step, [*pairs, *seen][-_MEMORY:]


def _backtrack(
    objective: MatrixFreeObjective, coef: Array, at: Evaluation, step: Array
) -> tuple[Array, Evaluation] | None:
    assert at.gradient is not None
    slope = float(at.gradient @ step)
    blur = 32.0 * np.finfo(float).eps * (abs(at.value) + 1.0)
    for _ in range(_BACKTRACKS):
        there = objective(coef + step, 1)
        if np.isfinite(there.value) and there.value <= at.value + 1e-4 * slope + blur:
            return step, there
        step, slope = 0.5 * step, 0.5 * slope
    return None
