"""Newton's method without the matrix of the Hessian, for many coefficients.

It has two phases. Limited-memory steps over an approximate inverse come first and take one gradient
each. They go on as long as they are fast, which mostly is until they have arrived. Then come Newton
steps by preconditioned conjugate gradients, where each product of the Hessian with a vector is one
pass over the rows. They measure the distance, and finish where the first phase was slow.

The stopping rule is that of `newton`: the decrement in standard errors, which a step by conjugate
gradients shows as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.solvers.pairs import two_loop

_EPS = float(np.finfo(float).eps)
# These values were chosen, not measured one by one.
_MOST_PRODUCTS = 500  # of the Hessian with vectors in one step; a bound for singular Hessians
# Relative accuracy, at most, to which a step is solved. Steps far from the optimum need no more,
# and neither does a measured distance.
_COARSE = 0.3
# Share of sqrt(n) standard errors within which the Hessian of the point before is kept. The Hessian
# changes by about this share of itself there.
_CLOSE = 1e-3
_BACKTRACKS = 40  # trials of a shorter step before it is given up: it is 1e-12 of what it was
# Share of a step that is tried next, at least. Chosen, not measured.
_SHORTEST = 0.05
_ARMIJO = 1e-4  # share of the predicted fall that a step must achieve; the textbook's value
_MEMORY = 8  # pairs of (step, change of gradient) that are kept; textbooks advise 3 to 20
_MOST_STEPS = 100  # limited-memory steps, at most
_REFRESH = 3  # steps after which the preconditioner is made anew, at a point that is much better
# Share of the first value below which it is not: outcomes may separate then, and the curvature of
# rows that are predicted right has vanished. On the digits of scikit-learn, whose classes do, the
# search then took 140 evaluations to the proof, and with the first preconditioner 13.
_STEEP = 0.25
# Share of the distance that a fast limited-memory step leaves, at most, and the number of slow ones
# on end after which Newton steps take over. On a way to infinity no distance falls, but the value
# does: a step is fast as well that leaves no more than this share of a value above zero.
_FAST, _PATIENCE = 0.9, 4
# Share of the tolerance at which the limited-memory steps stop: they only estimate the distance,
# which conjugate gradients must still find to be below the tolerance.
_NEARLY = 0.5
# If the distance grows by more than this factor, the pairs of the way so far do not fit the Hessian
# here, and are forgotten.
_STALE = 10.0
# Distance at which a fit counts as converged although rounding allows no further step: as in
# `newton`.
_FLOOR = 1e-3


class Curvature(Protocol):
    """The Hessian at one point, as an operator."""

    def product(self, vector: Array) -> Array:
        """Return the Hessian times a vector."""

    def precondition(self, vector: Array) -> Array:
        """Return an approximate inverse of the Hessian times a vector.

        The approximation must be symmetric and positive definite.
        """

    def moved(self, coef: Array) -> Curvature:
        """Return the Hessian at another point, with the approximate inverse of this point."""


class MatrixFreeObjective(Protocol):
    """What this solver needs of an objective."""

    size: float

    def __call__(self, coef: Array, order: int = 1) -> Evaluation: ...

    def curvature(self, coef: Array) -> Curvature:
        """Return the Hessian at `coef`."""

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate that was accepted, and of its distance to the optimum."""


def conjugate(
    objective: MatrixFreeObjective, start: Array, *, tol: float = 1e-6, max_iter: int = 100
) -> Solution:
    """Minimise a convex objective until the Newton decrement is at most `tol` standard errors.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation, with ``curvature(coef)``.
    start : ndarray of shape (d,)
        Where the search starts.
    tol : float
        Distance to the optimum in standard errors.
    max_iter : int
        Most steps, limited-memory and Newton's together.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, ch. 7.1. Eisenstat & Walker (1996), Choosing
    the forcing terms in an inexact Newton method, SIAM J. Sci. Comput. 17. Lin, Weng & Keerthi
    (2008), Trust region Newton method for logistic regression, JMLR 9.
    """
    with np.errstate(all="ignore"):  # on a way to infinity, curvatures underflow
        return _iterate(objective, np.array(start, float), tol, max_iter)._replace(rough=True)


def approach(objective: MatrixFreeObjective, start: Array, *, tol: float, most: int) -> Array:
    """Return where limited-memory steps lead, `most` of them at most, be they fast or slow."""
    with np.errstate(all="ignore"):
        coef = np.array(start, float)
        at = objective(coef, 1)
        return _approach(objective, coef, at, tol, most, patience=most)[0]


def _iterate(objective: MatrixFreeObjective, coef: Array, tol: float, max_iter: int) -> Solution:
    coef, at, pairs, curvature, before = _approach(
        objective, coef, objective(coef, 1), tol, min(_MOST_STEPS, max_iter)
    )
    step, distance = np.zeros_like(coef), np.inf
    if before == max_iter:
        objective.accepted(coef, at, distance)
        return Solution(coef, at, step, distance, before, False)
    for iteration in range(before, max_iter + 1):
        previous, known = step, distance
        if iteration > before and known > _CLOSE * objective.size**0.5:
            curvature = objective.curvature(coef)
        step, pairs = _newton_step(objective, curvature, at, tol, pairs)
        distance = _decrement(objective, at, step)
        if not distance <= _STALE * known:
            step, pairs = _newton_step(objective, curvature, at, tol, [])
            distance = _decrement(objective, at, step)
        if distance <= tol:
            at.end = coef + step
        objective.accepted(coef, at, distance)
        if distance <= tol or iteration == max_iter:
            # Where all derivatives have underflowed, this step is zero. The verdict then needs the
            # step before, which shows in which direction the coefficients run off.
            shown = step if step.any() else previous
            last = coef if at.end is None else at.end
            return Solution(last, at, shown, distance, iteration, distance <= tol)
        found = _backtrack(objective, coef, at, step)
        if found is None:
            return Solution(coef, at, step, distance, iteration, distance <= _FLOOR)
        taken, there = found
        coef, at = coef + taken, there
    raise AssertionError("unreachable: the loop ends by returning")


def _approach(
    objective: MatrixFreeObjective,
    coef: Array,
    at: Evaluation,
    tol: float,
    most: int,
    patience: int = _PATIENCE,
) -> tuple[Array, Evaluation, list[tuple[Array, Array]], Curvature, int]:
    """Take limited-memory steps over the preconditioner as long as they are fast.

    Returns
    -------
    coef, at : the last point, and the objective there
    pairs : list of (step, change of gradient)
    curvature : the Hessian at the last point
    taken : int
        How many steps were taken.
    """
    pairs: list[tuple[Array, Array]] = []
    curvature, distance, known, slow = objective.curvature(coef), np.inf, np.inf, 0
    steep, before = _STEEP * at.value, np.inf
    for taken in range(most):
        assert at.gradient is not None
        if taken == _REFRESH and not 0.0 < at.value < steep:
            curvature = objective.curvature(coef)
        # On a way to infinity all curvatures fall: the last pair shows how far.
        out = 0.0 < at.value < steep and len(pairs) > 0
        inverse = _scaled(curvature, pairs[-1]) if out else curvature.precondition
        step = -two_loop(pairs, inverse, at.gradient)
        distance = _decrement(objective, at, step)
        objective.accepted(coef, at, distance)
        falls = 0.0 < at.value < _FAST * before
        slow = slow + 1 if distance > _FAST * known and not falls else 0
        arrived = distance <= _NEARLY * tol or slow >= patience or not np.isfinite(distance)
        found = None if arrived else _backtrack(objective, coef, at, step)
        if found is None:
            break
        step, there = found
        assert there.gradient is not None
        change = there.gradient - at.gradient
        if float(step @ change) > 0.0:
            pairs = [*pairs, (step, change)][-_MEMORY:]
        coef, at, known, before = coef + step, there, min(known, distance), at.value
    else:
        taken = most
    close = distance <= _CLOSE * objective.size**0.5
    return coef, at, pairs, curvature.moved(coef) if close else objective.curvature(coef), taken


def _scaled(curvature: Curvature, pair: tuple[Array, Array]) -> Callable[[Array], Array]:
    """Return the approximate inverse Hessian in the size that a pair shows.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, formula 7.20.
    """
    step, change = pair
    share = float(step @ change) / float(change @ curvature.precondition(change))
    return lambda vector: share * curvature.precondition(vector)


def _decrement(objective: MatrixFreeObjective, at: Evaluation, step: Array) -> float:
    """Return the distance to the optimum that a Newton step shows, in standard errors.

    It is inf if the step leads up by more than rounding: the Hessian is not positive definite then.
    """
    assert at.gradient is not None
    fall = -float(at.gradient @ step)
    rounding = _EPS * float(np.abs(at.gradient) @ np.abs(step))
    return (objective.size * max(fall, 0.0)) ** 0.5 if fall >= -rounding else np.inf


def _newton_step(
    objective: MatrixFreeObjective,
    curvature: Curvature,
    at: Evaluation,
    tol: float,
    pairs: list[tuple[Array, Array]],
) -> tuple[Array, list[tuple[Array, Array]]]:
    """Return the Newton step -H^-1 gradient, and pairs (vector, H vector).

    A Newton step is worth no more than its quadratic model: at a distance of t standard errors the
    model is wrong by a share of about t / sqrt(n). So the step is solved to that accuracy, in the
    preconditioner's norm. The pairs of the step before improve the preconditioner of this one.

    References
    ----------
    Morales & Nocedal (2000), Automatic preconditioning by limited memory quasi-Newton updating,
    SIAM J. Optim. 10.
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
        curvature_along = float(search @ product)
        if not curvature_along > 0.0:  # not convex here, or only rounding is left
            return (step if step.any() else preconditioned), seen or pairs
        share = energy / curvature_along
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
    """Shorten a step until the value falls; return the step and the point there, or None."""
    assert at.gradient is not None
    slope = float(at.gradient @ step)
    rounding = 32.0 * np.finfo(float).eps * (abs(at.value) + 1.0)
    for _ in range(_BACKTRACKS):
        there = objective(coef + step, 1)
        if np.isfinite(there.value) and there.value <= at.value + _ARMIJO * slope + rounding:
            return step, there
        # The least value of the parabola through what is known is at this share of the step.
        with np.errstate(all="ignore"):
            share = -0.5 * slope / (there.value - at.value - slope)
        share = min(max(share, _SHORTEST), 0.5) if np.isfinite(share) else _SHORTEST
        step, slope = share * step, share * slope
    return None
