"""Conditional laws with cusps (Laplace): their maximum interpolates some rows, where no derivative can confirm it.

Smooth laws lead close to it (`Family.smoothings`). From there, a descent along edges, each row of the vertex exchanged for
the one where the objective turns up again, ends at the least sum of absolute residuals; a dual solution certifies it: at
the rows of zero residual, subgradients within their bounds balance the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.optimize import lsq_linear

from skmle._engine.evaluation import Array
from skmle._engine.objective import Objective

_CANDIDATES = 4  # times as many rows are looked at for the first vertex as it interpolates
_ZERO = 1e-11  # share of the mean absolute residual below which a residual at the vertex is rounding
_BALANCE = 1e-8  # of the summed absolute gradient: rounding in the certificate
_MOST_TIES = 50  # rows of zero residual per coefficient, beyond which their balance is a problem of its own


def to_vertex(objective: Objective, coef: Array) -> Array | None:
    """Return the coefficients of the first term with the least sum of absolute residuals, found from those in `coef`.

    Parameters
    ----------
    objective : Objective
        Of a law whose -log q is |y - eta| but for a constant scale, with y its first statistic.
    coef : ndarray of shape (d,)
        Near the minimum.

    Returns
    -------
    ndarray or None
        None if no vertex could be certified, as with many ties.

    References
    ----------
    Barrodale & Roberts (1973), An improved algorithm for discrete l1 linear approximation, SIAM J. Numer. Anal. 10.
    """
    design = objective.design
    term = design.terms[0]
    x = _columns(objective)
    z = objective.statistics[0] if design.offset is None else objective.statistics[0] - design.offset
    weight = np.ones(design.n) if objective.weight is None else objective.weight
    start = design.slices[0].start
    problem = _LeastAbsolute(x, z, weight)
    basis = problem.first_basis(coef[start : start + term.length])
    return None if basis is None else problem.descend(basis)


def _columns(objective: Objective) -> Array:
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

    def descend(self, basis: NDArray[np.intp]) -> Array | None:
        """Exchange rows of the basis while the objective falls; return the vertex if it is the minimum."""
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
                    return b if self._certified(residual, pull) else None
                entering = self._turn(residual, -np.sign(multipliers[j]) * inverse[:, j])
                if entering is not None:
                    basis = basis.copy()
                    basis[j] = entering
                    break
            else:
                return b if self._certified(residual, pull) else None
        return None

    def _turn(self, residual: Array, direction: Array) -> int | None:
        """Return the row at which the objective stops falling along `direction`; None if it does not fall at all."""
        change = self.x @ direction
        slope = float(-(self.weight * np.sign(residual)) @ change + (self.weight * np.abs(change))[residual == 0.0].sum())
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
