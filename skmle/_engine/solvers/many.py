"""Newton's method for many small problems at once, each with a damping of its own.

The rules are those of `skmle._engine.solvers.newton`, but for its care about problems without a
maximum: what does not come to a clear end here is left to that solver.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array

_EPS = float(np.finfo(float).eps)
# As in `newton`: the least share of the predicted gain, and the first damping.
_ACCEPT, _DAMPING = 1e-3, 1e-3
# Damping of an indefinite Hessian, for its least eigenvalue; chosen, not measured.
_BEYOND = 1.5
# Least damping of a Hessian that is not definite, so that rounding of a curvature of zero makes no
# huge step. Chosen, not measured.
_LEAST_DAMPING = 1e-8
# Share of the problems still on their way from which those that have arrived are carried along:
# to sort them out copies the data of all others. Chosen, not measured.
_CARRIED = 0.7
# As in `newton`: a step is slow if it leaves more than this share of a distance below one, and
# after so many of them a search is on its way to a limit law. That solver then takes no last step.
_SLOW, _FLAT = 0.45, 2


class ManyObjectives(Protocol):
    """What the solver needs of the objectives of many problems."""

    def __call__(self, coef: Array) -> Any: ...

    def take(self, index: NDArray[np.intp]) -> ManyObjectives: ...

    def share_inside(self, coef: Array, step: Array) -> Array: ...


class Ends(NamedTuple):
    """Where each problem has come to."""

    coef: Array
    """(G, d): after the last step, also of a search that has not arrived."""
    value: Array
    """(G,): before it; so is all that follows."""
    hessian: Array
    distance: Array
    """Newton's decrement in standard errors; inf where the search has not arrived."""
    pivot: Array
    """The smallest squared pivot of the Hessian on a unit diagonal."""
    n_iter: NDArray[np.intp]


def newton_of_many(
    objective: ManyObjectives,
    start: Array,
    size: Array,
    *,
    tol: float,
    max_iter: int,
    stop_slow: bool = True,
) -> Ends:
    """Minimise each objective until its Newton decrement is at most `tol` standard errors.

    Parameters
    ----------
    objective : callable
        (coef) -> (values, gradients, Hessians)
    start : ndarray of shape (G, d)
    size : ndarray of shape (G,)
        Each problem's total weight.
    tol : float
    max_iter : int
        Most evaluations beside the first.
    stop_slow : bool
        Whether a search that seems to be on its way to a limit law ends there, not arrived.
    """
    most = _FLAT if stop_slow else max_iter + 1
    count, d = start.shape
    ends = Ends(
        start.copy(),
        np.full(count, np.inf),
        np.zeros((count, d, d)),
        np.full(count, np.inf),
        np.zeros(count),
        np.zeros(count, np.intp),
    )
    index, coef, at = np.arange(count), start, objective(start)
    damping, flat, previous = np.zeros(count), np.zeros(count, np.intp), np.full(count, np.inf)
    for iteration in range(max_iter + 1):
        scale, a, b = _scaled(at)
        factor, pivot = cholesky(a)
        step = -solve(factor, b)
        distance = np.sqrt(np.maximum(-size * (b * step).sum(axis=1), 0.0))
        distance[~(pivot > 0.0) | ~np.isfinite(distance)] = np.inf
        slow = (damping == 0.0) & (distance > _SLOW * previous) & (distance < 1.0)
        slow &= np.isinf(ends.distance[index]) & (distance > tol)
        flat, previous = np.where(flat >= most, flat, np.where(slow, flat + 1, 0)), distance
        arrived = (distance <= tol) & (flat < most) & np.isinf(ends.distance[index])
        if arrived.any():
            _store(ends, index, arrived, coef + step / scale, at, distance, pivot, iteration)
        going = np.isinf(ends.distance[index])
        ends.coef[index[going]] = coef[going]
        going &= np.isfinite(at.value) & (flat < most)
        if iteration == max_iter or not going.any():
            break
        if going.sum() < _CARRIED * len(going):
            kept = np.flatnonzero(going)
            index, coef, at, size = index[kept], coef[kept], at.take(kept), size[kept]
            damping, scale, a, b = damping[kept], scale[kept], a[kept], b[kept]
            step, pivot, flat, previous = step[kept], pivot[kept], flat[kept], previous[kept]
            objective = objective.take(kept)
        step, damping, definite = _damped(a, b, step, damping, pivot)
        share = objective.share_inside(coef, step / scale)
        step = step * share[:, None]
        previous = np.where(share < 1.0, np.inf, previous)  # a step that is cut is not slow
        there = objective(coef + step / scale)
        coef, at, damping = _accepted(coef, at, step, scale, a, b, damping, there, definite)
    return ends


def _scaled(at: Any) -> tuple[Array, Array, Array]:
    """Return the root of the diagonal, and Hessian and gradient on a unit diagonal."""
    diagonal = np.abs(np.einsum("gii->gi", at.hessian))
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    return scale, at.hessian / scale[:, :, None] / scale[:, None], at.gradient / scale


def _damped(
    a: Array, b: Array, step: Array, damping: Array, pivot: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return steps under a damping, the damping, and whether the damped Hessian is definite."""
    definite = pivot > 0.0
    needed = (damping > 0.0) | ~definite
    needed &= np.isfinite(a.sum(axis=(1, 2)) + b.sum(axis=1))
    if not needed.any():
        return step, damping, definite
    values, vectors = np.linalg.eigh(a[needed])
    least = values[:, 0]
    # A damping as small as the curvature leaves a step along a nearly flat direction its length.
    bent = np.maximum(-_BEYOND * least, _LEAST_DAMPING)
    added = np.where(least > 0.0, damping[needed], np.maximum(damping[needed], bent))
    step, damping, definite = step.copy(), damping.copy(), definite | needed
    along = np.einsum("gij,gi->gj", vectors, b[needed]) / (values + added[:, None])
    step[needed], damping[needed] = -np.einsum("gij,gj->gi", vectors, along), added
    return step, damping, definite


def _accepted(
    coef: Array,
    at: Any,
    step: Array,
    scale: Array,
    a: Array,
    b: Array,
    damping: Array,
    there: Any,
    definite: NDArray[np.bool_],
) -> tuple[Array, Any, Array]:
    """Return where the steps that gain enough lead to, and the next damping."""
    predicted = -(b * step).sum(axis=1) - 0.5 * np.einsum("gi,gij,gj->g", step, a, step)
    gain, rounding = at.value - there.value, _EPS * (np.abs(at.value) + 1.0)
    blind = predicted <= 8.0 * rounding  # rounding hides the gain
    enough = np.where(blind, np.abs(gain) <= 32.0 * rounding, gain > _ACCEPT * predicted)
    total = there.value + there.gradient.sum(axis=1) + there.hessian.sum(axis=(1, 2))
    finite = np.isfinite(total)
    taken = enough & finite & definite
    ratio = np.where(blind, 1.0, gain / predicted)
    less = np.where(ratio > 0.75, 0.1 * damping, np.where(ratio > 0.5, 0.5 * damping, damping))
    less = np.where(ratio < 0.25, np.maximum(2.0 * damping, _DAMPING), less)
    more = np.maximum(4.0 * damping, _DAMPING) * np.where(finite, 1.0, 2.5)
    damping = np.where(taken, np.where(less < _DAMPING, 0.0, less), more)
    if taken.all():
        return coef + step / scale, there, damping
    moved = np.where(taken[:, None], coef + step / scale, coef)
    chosen = type(at)(
        np.where(taken, there.value, at.value),
        np.where(taken[:, None], there.gradient, at.gradient),
        np.where(taken[:, None, None], there.hessian, at.hessian),
    )
    return moved, chosen, damping


def _store(
    ends: Ends,
    index: NDArray[np.intp],
    arrived: NDArray[np.bool_],
    coef: Array,
    at: Any,
    distance: Array,
    pivot: Array,
    iteration: int,
) -> None:
    places = index[arrived]
    ends.coef[places], ends.value[places] = coef[arrived], at.value[arrived]
    ends.hessian[places], ends.distance[places] = at.hessian[arrived], distance[arrived]
    ends.pivot[places], ends.n_iter[places] = pivot[arrived], max(iteration, 1)


def cholesky(a: Array) -> tuple[Array, Array]:
    """Return the lower factors of symmetric matrices, (G, d, d), and their least squared pivots.

    A factor is meaningless where the pivot is not positive. NumPy's function would refuse all
    matrices for one of them.
    """
    d = a.shape[1]
    factor, least = np.zeros_like(a), np.full(len(a), np.inf)
    for j in range(d):
        column = a[:, j:, j]
        if j:
            column = column - np.einsum("gik,gk->gi", factor[:, j:, :j], factor[:, j, :j])
        pivot = column[:, 0]
        least = np.minimum(least, np.where(np.isnan(pivot), -np.inf, pivot))
        root = np.sqrt(np.where(pivot > 0.0, pivot, 1.0))
        factor[:, j:, j] = column / root[:, None]
        factor[:, j, j] = root
    return factor, least


def solve(factor: Array, b: Array) -> Array:
    """Return a^-1 b from the lower factors of a, (G, d)."""
    x = np.empty_like(b)
    for j in range(b.shape[1]):
        known = np.einsum("gk,gk->g", factor[:, j, :j], x[:, :j])
        x[:, j] = (b[:, j] - known) / factor[:, j, j]
    for j in reversed(range(b.shape[1])):
        known = np.einsum("gk,gk->g", factor[:, j + 1 :, j], x[:, j + 1 :])
        x[:, j] = (x[:, j] - known) / factor[:, j, j]
    return x
