"""Conditional laws with cusps (Laplace): their maximum interpolates some rows, where no derivative can confirm it.

Smooth laws lead close to it (`Family.smoothings`). From there, a descent along edges, each row of the vertex exchanged for
the one where the objective turns up again, ends at the least weighted sum of absolute residuals; a dual solution certifies
it: at the rows of zero residual, subgradients within their bounds balance the rest. A scale that depends on the row weighs
the rows, so vertex and scale take turns until neither moves. Under a ridge or another link there is no vertex: smooth
laws are followed until the next one moves the answer by less than the tolerance.
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

_NEAR_VERTEX = 4  # smooth laws after which few exchanges of rows are left to the vertex
_LARGEST_BASIS = 500  # coefficients up to which a vertex is looked for: each exchange inverts a matrix of their number
_MOST_TURNS = 100  # of vertex and scale
_CANDIDATES = 4  # times as many rows are looked at for the first vertex as it interpolates
_ZERO = (
    1e-11  # share of the mean absolute residual below which a residual at the vertex is rounding
)
_BALANCE = 1e-8  # of the summed absolute gradient: rounding in the certificate
_MOST_TIES = (
    50  # rows of zero residual per coefficient, beyond which their balance is a problem of its own
)


class CuspedObjective(SmoothObjective, Protocol):
    """What this solver needs of an objective beyond Newton's wants."""

    design: Any
    statistics: tuple[Array, ...]
    weight: Array | None
    mass: float
    lasso: Any

    def direction(self, step: Array) -> list[Array]:
        """Return the change of each eta along a step, (n,), or 0-d for a constant."""

    def bend(self, coef: Array, step: Array) -> float:
        """Return step' H step for the hessian at `coef`."""


def solve_cusps(
    objective: CuspedObjective,
    smooth: Sequence[CuspedObjective],
    start: Array,
    minimise: Callable[[Any, Array], Solution],
    vertex: bool,
    tol: float,
    max_iter: int,
) -> Solution:
    """Follow smooth objectives to one with cusps.

    Parameters
    ----------
    objective : CuspedObjective
        Of a law whose -log q is |y - eta_0| exp(-eta_1) + eta_1, with y its first statistic.
    smooth : sequence of CuspedObjective
        Ever closer to `objective`.
    start : ndarray of shape (d,)
    minimise : callable
        (smooth objective, start) -> Solution.
    vertex : bool
        Whether a vertex is to be looked for: the first eta is linear in its coefficients, and nothing penalises them.
    tol : float
        Distance to the optimum in standard errors: that by which the last smooth objective moved the answer.
    max_iter : int
        Most iterations at a vertex.
    """
    coef, n_iter = start, 0
    for stage, rounded in enumerate(smooth, start=1):
        solution = minimise(rounded, coef)
        n_iter += solution.n_iter
        if stage > _NEAR_VERTEX and not solution.converged:
            break  # so sharp a law is beyond the solver: the one before is nearer
        step, coef = solution.coef - coef, solution.coef
        if (
            vertex
            and coef.size <= _LARGEST_BASIS
            and stage == _NEAR_VERTEX
            and (found := _at_vertex(objective, coef, tol, max_iter)) is not None
        ):
            return found._replace(n_iter=n_iter + found.n_iter)
        distance = float(objective.size * objective.bend(coef, step)) ** 0.5
        if stage > _NEAR_VERTEX and distance <= tol:
            return Solution(coef, objective(coef, 1), step, distance, n_iter, True)
    return Solution(coef, objective(coef, 1), step, distance, n_iter, False)


def _at_vertex(
    objective: CuspedObjective, coef: Array, tol: float, max_iter: int
) -> Solution | None:
    """Return the optimum found from a point near it; None if it could not be certified, as with many ties."""
    lead, previous, distance, n_iter = objective.design.terms[0].length, None, np.inf, 0
    for _ in range(_MOST_TURNS):
        vertex = _to_vertex(objective, coef)
        if vertex is None:
            return None
        if previous is not None and np.array_equal(vertex, previous):
            return Solution(coef, objective(coef, 1), np.zeros_like(coef), distance, n_iter, True)
        rest = newton(_Rest(objective, vertex), coef[lead:], tol=tol, max_iter=max_iter)
        if not rest.converged:
            return None
        coef, previous = np.concatenate([vertex, rest.coef]), vertex
        distance, n_iter = rest.distance, n_iter + rest.n_iter
    return None


class _Rest:
    """The objective as a function of all coefficients but the first term's, which are held."""

    def __init__(self, objective: CuspedObjective, held: Array) -> None:
        self.objective, self.held, self.size = objective, held, objective.size

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        at, lead = self.objective(np.concatenate([self.held, coef]), order), len(self.held)
        gradient = None if at.gradient is None else at.gradient[lead:]
        return Evaluation(
            at.value, gradient, None if at.hessian is None else at.hessian[lead:, lead:]
        )

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate."""
        self.objective.accepted(np.concatenate([self.held, coef]), at, distance)


def _to_vertex(objective: CuspedObjective, coef: Array) -> Array | None:
    """Return the first term's coefficients with the least (penalised) sum of absolute residuals, each over its row's scale in `coef`.

    References
    ----------
    Barrodale & Roberts (1973), An improved algorithm for discrete l1 linear approximation, SIAM J. Numer. Anal. 10.
    """
    design = objective.design
    term = design.terms[0]
    x = _columns(objective)
    z = (
        objective.statistics[0]
        if design.offset is None
        else objective.statistics[0] - design.offset
    )
    log_scale = objective.direction(coef)[1]
    # Of a constant scale nothing is left: rounding must not tell the same problem from itself.
    mean = log_scale.mean()
    weight = np.exp(mean - log_scale) * (
        np.ones(design.n) if objective.weight is None else objective.weight
    )
    if objective.lasso is not None:
        # A penalised coefficient is one more residual, of an observation of zero.
        strength = objective.mass * float(np.exp(mean)) * objective.lasso.strength[: term.length]
        held = np.flatnonzero(strength)
        x, z = np.vstack([x, np.eye(term.length)[held]]), np.concatenate([z, np.zeros(len(held))])
        weight = np.concatenate([weight, strength[held]])
    problem = _LeastAbsolute(x, z, weight)
    basis = problem.first_basis(coef[: term.length])
    found = None if basis is None else problem.descend(basis)
    if found is None:
        return None
    vertex, basis = found
    if objective.lasso is not None:
        vertex[held[basis[basis >= design.n] - design.n]] = 0.0
    return vertex


def _columns(objective: CuspedObjective) -> Array:
    """Return the first term's columns, less the shift, with the intercept's ones, dense."""
    design = objective.design
    x = design.block(0, design.n).array(design.terms[0].columns)
    return np.column_stack([x, np.ones(len(x))]) if design.terms[0].intercept else x


@dataclass
class _LeastAbsolute:
    """Minimise sum of weight |z - x b|; a vertex is a basis, q independent rows of zero residual."""

    x: Array
    z: Array
    weight: Array

    def first_basis(self, b: Array) -> NDArray[np.intp] | None:
        """Return the nearest independent rows: pivoting among rows weighted by their nearness."""
        q = self.x.shape[1]
        residual = np.abs(self.z - self.x @ b)
        near = np.argsort(residual, kind="stable")[: _CANDIDATES * q]
        nearness = 1.0 / (residual[near] + 1e-6 * residual.mean() + np.finfo(float).tiny)
        _, r, order = qr((self.x[near] * nearness[:, None]).T, mode="economic", pivoting=True)
        pivots = np.abs(np.diag(r))
        return near[order[:q]] if len(pivots) == q and pivots[-1] > 1e-12 * pivots[0] else None

    def descend(self, basis: NDArray[np.intp]) -> tuple[Array, NDArray[np.intp]] | None:
        """Exchange rows of the basis while the objective falls; return the vertex and its basis if it is the minimum."""
        for _ in range(20 * len(basis) + 100):
            inverse = np.linalg.inv(self.x[basis])
            b = inverse @ self.z[basis]
            residual = self.z - self.x @ b
            residual[np.abs(residual) <= _ZERO * np.abs(residual).mean()] = 0.0
            residual[basis] = 0.0
            pull = (self.weight * np.sign(residual)) @ self.x
            multipliers = -(inverse.T @ pull)
            excess = np.abs(multipliers) - self.weight[basis]
            for j in np.argsort(-excess):
                if excess[j] <= _BALANCE * self.weight[basis[j]]:
                    return (b, basis) if self._certified(residual, pull) else None
                entering = self._turn(residual, -np.sign(multipliers[j]) * inverse[:, j])
                if entering is not None:
                    basis = basis.copy()
                    basis[j] = entering
                    break
            else:
                return (b, basis) if self._certified(residual, pull) else None
        return None

    def _turn(self, residual: Array, direction: Array) -> int | None:
        """Return the row at which the objective stops falling along `direction`; None if it does not fall at all."""
        change = self.x @ direction
        slope = float(
            -(self.weight * np.sign(residual)) @ change
            + (self.weight * np.abs(change))[residual == 0.0].sum()
        )
        if not slope < 0.0:
            return None
        ahead = np.flatnonzero(residual * change > 0.0)
        order = ahead[np.argsort(residual[ahead] / change[ahead], kind="stable")]
        slopes = slope + np.cumsum(2.0 * self.weight[order] * np.abs(change[order]))
        turning = np.flatnonzero(slopes >= 0.0)
        return int(order[turning[0]]) if len(turning) else None

    def _certified(self, residual: Array, pull: Array) -> bool:
        zero = residual == 0.0
        if zero.sum() > _MOST_TIES * self.x.shape[1]:
            return False
        bound = self.weight[zero] * (1.0 + _BALANCE)
        balance = lsq_linear(self.x[zero].T, -pull, bounds=(-bound, bound), tol=1e-15)
        size = self.weight @ np.abs(self.x)
        return bool(np.all(np.abs(self.x[zero].T @ balance.x + pull) <= _BALANCE * size))
