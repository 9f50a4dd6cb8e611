"""Conditional laws with cusps (Laplace, symmetric or not).

At the maximum of such a law some rows are interpolated: their residual is zero, there is a cusp,
and no derivative can confirm the maximum. The point is a vertex: q rows of zero residual determine
its q coefficients.

1. Smooth laws come ever closer to the law (`Family.smoothings`), and their maxima to the vertex.
2. From there a descent along edges minimises the weighted sum of absolute residuals, which may
   count more on one side than on the other. Each step exchanges one row of the vertex for the row
   at which the sum starts to rise again.
3. A dual solution proves the minimum: at the rows of zero residual, subgradients within their
   bounds balance the gradient of all other rows.

A scale that depends on the row weighs the rows, so vertex and scale take turns until neither moves.
Under a ridge or another link there is no vertex. Then smooth laws are followed until the next one
moves the answer by less than the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.optimize import lsq_linear

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.solvers.newton import SmoothObjective, newton

# These values were chosen, not measured one by one.
_STILL = 1e-2  # distance in standard errors at which a start is the maximum of a smooth law
_NEAR_VERTEX = 4  # smooth laws after which only few exchanges of rows are left to the vertex
# Coefficients up to which a vertex is looked for: each exchange inverts a matrix of this order.
_LARGEST_BASIS = 500
_MOST_TURNS = 100  # of vertex and scale, at most
_CANDIDATES = 4  # rows that are looked at for the first vertex, for each row that it interpolates
_NEAREST = 1e-6  # of the mean absolute residual: all rows within it count as equally near
_INDEPENDENT = 1e-12  # least relative pivot of the rows of a vertex: above rounding, 2e-16
# Exchanges of rows, at most: for each row of the vertex, and besides.
_MOST_EXCHANGES, _MORE_EXCHANGES = 20, 100
# Share of the mean absolute residual below which a residual at the vertex is rounding.
_ZERO = 1e-11
_ROUNDED = 1e-12  # share of the value that counts as rounding, of sums of many rows, too
_BALANCE = 1e-8  # share of the summed absolute gradient that counts as rounding in the proof
# Rows of zero residual, for each coefficient, up to which the proof is tried: with more, their
# balance is a large problem of its own.
_MOST_TIES = 50


class CuspedObjective(SmoothObjective, Protocol):
    """What this solver needs of an objective beyond Newton's wants."""

    design: Any
    statistics: tuple[Array, ...]
    weight: Array | None
    mass: float
    lasso: Any

    def etas(self, coef: Array) -> list[Array]:
        """Return the linear predictors at `coef`."""

    def rows_of_etas(self, low: int, high: int, eta: Any, order: int) -> Any:
        """Return -log q of some rows at given eta, with its derivatives."""

    def curvature_along(self, coef: Array, step: Array) -> float:
        """Return step' H step for the Hessian at `coef`."""


def solve_cusps(
    objective: CuspedObjective,
    smooth: Sequence[CuspedObjective],
    start: Array,
    minimise: Callable[[Any, Array], Solution],
    vertex: bool,
    tol: float,
    max_iter: int,
) -> Solution:
    """Minimise an objective with cusps by way of smooth ones.

    Parameters
    ----------
    objective : CuspedObjective
        That of a law whose -log q is a straight line in eta_0 on each side of y, its first
        statistic.
    smooth : sequence of CuspedObjective
        Smooth objectives, each closer to `objective` than the one before.
    start : ndarray of shape (d,)
        Where the search starts.
    minimise : callable
        (smooth objective, start) -> Solution.
    vertex : bool
        Whether there is a vertex to be found: the first eta is linear in its coefficients, and no
        smooth penalty is on them.
    tol : float
        Tolerated distance in standard errors. Without a vertex, it is the distance by which the
        last smooth objective moved the answer.
    max_iter : int
        Most iterations of Newton's method for the scale, at each vertex.
    """
    coef, step, distance, n_iter = start, np.zeros_like(start), np.inf, 0
    begun = _first_stage(smooth[:_NEAR_VERTEX], start)
    for stage, rounded in enumerate(smooth[begun - 1 :], start=begun):
        solution = minimise(rounded, coef)
        n_iter += solution.n_iter
        if stage <= _NEAR_VERTEX:
            coef = solution.coef
            if (
                vertex
                and coef.size <= _LARGEST_BASIS
                and stage == _NEAR_VERTEX
                and (found := _at_vertex(objective, coef, tol, max_iter)) is not None
            ):
                return found._replace(n_iter=n_iter + found.n_iter)
            continue
        before, value = objective(coef, 0).value, objective(solution.coef, 0).value
        if not (solution.converged and value - before <= _ROUNDED * abs(before)):
            break  # so sharp a law is beyond the solver: the answer of the law before is better
        step, coef = solution.coef - coef, solution.coef
        square = float(objective.size * objective.curvature_along(coef, step))
        # Beside censored rows the objective need not be convex, so this may be no minimum yet.
        distance = square**0.5 if square >= 0.0 else np.inf
        # Where the top is flat, as between two medians, a step of any length changes nothing.
        distance = min(distance, float(np.sqrt(2.0 * objective.size * abs(value - before))))
        if distance <= tol:
            return Solution(coef, objective(coef, 1), step, distance, n_iter, True)
    return Solution(coef, objective(coef, 1), step, distance, n_iter, False)


def _first_stage(smooth: Sequence[CuspedObjective], start: Array) -> int:
    """Return the number of the smooth law whose maximum the start is; 1 if it is none's.

    From there, the way by a smoother law might lead to a lesser maximum.
    """
    for stage in range(len(smooth), 1, -1):
        found = newton(smooth[stage - 1], start, tol=_STILL, max_iter=0)
        if found.converged:
            return stage
    return 1


def _at_vertex(
    objective: CuspedObjective, coef: Array, tol: float, max_iter: int
) -> Solution | None:
    """Return the optimum near a point; None if it could not be proved, as with many ties."""
    length, previous, distance, n_iter = objective.design.terms[0].length, None, np.inf, 0
    for _ in range(_MOST_TURNS):
        vertex = _to_vertex(objective, coef)
        if vertex is None:
            return None
        if previous is not None and np.array_equal(vertex, previous):
            return Solution(coef, objective(coef, 1), np.zeros_like(coef), distance, n_iter, True)
        rest = newton(_Rest(objective, vertex), coef[length:], tol=tol, max_iter=max_iter)
        if not rest.converged:
            return None
        coef, previous = np.concatenate([vertex, rest.coef]), vertex
        distance, n_iter = rest.distance, n_iter + rest.n_iter
    return None


class _Rest:
    """The objective as a function of the other terms' coefficients; those of the first are held."""

    def __init__(self, objective: CuspedObjective, held: Array) -> None:
        self.objective, self.held, self.size = objective, held, objective.size

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        at, held = self.objective(np.concatenate([self.held, coef]), order), len(self.held)
        gradient = None if at.gradient is None else at.gradient[held:]
        hessian = None if at.hessian is None else at.hessian[held:, held:]
        return Evaluation(at.value, gradient, hessian)

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate that was accepted."""
        end = coef if at.end is None else at.end
        whole = np.concatenate([self.held, end])
        self.objective.accepted(whole, Evaluation(at.value), distance)


def _to_vertex(objective: CuspedObjective, coef: Array) -> Array | None:
    """Return the first term's coefficients of the least weighted sum of absolute residuals.

    Each residual is divided by its row's scale at `coef`, on each side of the cusp by its own.
    Absolute penalties are added to the sum.

    References
    ----------
    Barrodale & Roberts (1973), An improved algorithm for discrete l1 linear approximation, SIAM J.
    Numer. Anal. 10.
    """
    design = objective.design
    term = design.terms[0]
    x = _columns(objective)
    y = objective.statistics[0]
    z = y if design.offset is None else y - design.offset
    logs = [np.log(slope) for slope in _slopes(objective, coef)]
    # The mean of the log scale cancels. A constant scale then leaves the weights as they are, so
    # that rounding cannot make a different problem of the same one in the next turn.
    mean = 0.5 * sum(log.mean() for log in logs)
    given = np.ones(design.n) if objective.weight is None else objective.weight
    up, down = (np.exp(log - mean) * given for log in logs)
    if objective.lasso is not None:
        # An absolute penalty is one more residual: that of an observation 0 predicted by the
        # coefficient.
        strength = objective.mass * float(np.exp(-mean)) * objective.lasso.strength[: term.length]
        held = np.flatnonzero(strength)
        x, z = np.vstack([x, np.eye(term.length)[held]]), np.concatenate([z, np.zeros(len(held))])
        up, down = (np.concatenate([weight, strength[held]]) for weight in (up, down))
    problem = _LeastAbsolute(x, z, up, down)
    basis = problem.first_basis(coef[: term.length])
    found = None if basis is None else problem.descend(basis)
    if found is None:
        return None
    vertex, basis = found
    if objective.lasso is not None:
        vertex[held[basis[basis >= design.n] - design.n]] = 0.0
    return vertex


def _slopes(objective: CuspedObjective, coef: Array) -> tuple[Array, Array]:
    """Return how -log q rises by each unit that y is above eta_0, and by each below, (n,) each."""
    n, y, rest = objective.design.n, objective.statistics[0], objective.etas(coef)[1:]
    found = []
    for sign in (1.0, -1.0):
        beside = y - sign * (1.0 + np.abs(y))
        gradient = objective.rows_of_etas(0, n, (beside, *rest), 1).gradient
        found.append(np.broadcast_to(-sign * gradient[0], (n,)))
    return found[0], found[1]


def _columns(objective: CuspedObjective) -> Array:
    """Return the first term's columns, less the shift, and ones for an intercept, as an array."""
    design, term = objective.design, objective.design.terms[0]
    ones = np.ones((design.n, int(term.intercept)))
    if term.columns is None:
        return ones
    return np.hstack([design.block(0, design.n).array(term.columns), ones])


@dataclass
class _LeastAbsolute:
    """Minimise the sum of up (z - x b) where it is positive, and of down (x b - z) elsewhere.

    A vertex is given by its basis: q independent rows of zero residual.
    """

    x: Array
    z: Array
    up: Array
    down: Array

    def pulls(self, residual: Array) -> Array:
        """Return the slope of each row's term in its residual, 0 where that is zero."""
        return np.where(residual > 0.0, self.up, np.where(residual < 0.0, -self.down, 0.0))

    def first_basis(self, b: Array) -> NDArray[np.intp] | None:
        """Return the nearest independent rows, or None if there are none among the candidates.

        They are chosen by pivoting among rows that are scaled by their nearness.
        """
        q = self.x.shape[1]
        residual = np.abs(self.z - self.x @ b)
        near = np.argsort(residual, kind="stable")[: _CANDIDATES * q]
        nearness = 1.0 / (residual[near] + _NEAREST * residual.mean() + np.finfo(float).tiny)
        _, r, order = qr((self.x[near] * nearness[:, None]).T, mode="economic", pivoting=True)
        pivots = np.abs(np.diag(r))
        independent = len(pivots) == q and pivots[-1] > _INDEPENDENT * pivots[0]
        return near[order[:q]] if independent else None

    def descend(self, basis: NDArray[np.intp]) -> tuple[Array, NDArray[np.intp]] | None:
        """Exchange rows of the basis while the objective falls.

        Return the vertex and its basis if it is proved to be the minimum, else None.
        """
        for _ in range(_MOST_EXCHANGES * len(basis) + _MORE_EXCHANGES):
            inverse = np.linalg.inv(self.x[basis])
            b = inverse @ self.z[basis]
            residual = self.z - self.x @ b
            residual[np.abs(residual) <= _ZERO * np.abs(residual).mean()] = 0.0
            residual[basis] = 0.0
            pull = self.pulls(residual) @ self.x
            multipliers = -(inverse.T @ pull)
            bound = np.where(multipliers > 0.0, self.up[basis], self.down[basis])
            excess = np.abs(multipliers) - bound
            for j in np.argsort(-excess):
                if excess[j] <= _BALANCE * bound[j]:
                    return (b, basis) if self._is_proved(residual, pull) else None
                entering = self._turn(residual, -np.sign(multipliers[j]) * inverse[:, j])
                if entering is not None:
                    basis = basis.copy()
                    basis[j] = entering
                    break
            else:
                return (b, basis) if self._is_proved(residual, pull) else None
        return None

    def _turn(self, residual: Array, direction: Array) -> int | None:
        """Return the row at which the objective stops falling along `direction`.

        It is None if the objective does not fall at all, or never stops.
        """
        change = self.x @ direction
        zero = residual == 0.0
        # What leaves a residual of zero goes against its change.
        leaving = np.abs(change) * np.where(change < 0.0, self.up, self.down)
        slope = float(-self.pulls(residual) @ change + leaving[zero].sum())
        if not slope < 0.0:
            return None
        ahead = np.flatnonzero(residual * change > 0.0)
        order = ahead[np.argsort(residual[ahead] / change[ahead], kind="stable")]
        both = self.up[order] + self.down[order]
        slopes = slope + np.cumsum(both * np.abs(change[order]))
        turning = np.flatnonzero(slopes >= 0.0)
        return int(order[turning[0]]) if len(turning) else None

    def _is_proved(self, residual: Array, pull: Array) -> bool:
        """Return whether subgradients at the rows of zero residual can balance all other rows."""
        zero = residual == 0.0
        if zero.sum() > _MOST_TIES * self.x.shape[1]:
            return False
        # In units of what all rows could pull, so that no square overflows.
        weight = np.maximum(self.up, self.down)
        size = weight @ np.abs(self.x)
        size = np.where(size > 0.0, size, 1.0)
        ends, aim = (weight[:, None] * self.x)[zero].T / size[:, None], -pull / size
        low, high = (w[zero] / weight[zero] * (1.0 + _BALANCE) for w in (self.down, self.up))
        balance = lsq_linear(ends, aim, bounds=(-low, high), tol=1e-15)
        return bool(np.all(np.abs(ends @ balance.x - aim) <= _BALANCE))
