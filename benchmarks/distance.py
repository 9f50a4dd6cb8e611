"""How far an answer is from the optimum, in standard errors, for every model and program alike.

The distance is sqrt(g' H^-1 g), with g the gradient and H the hessian of minus the total penalised
log-likelihood at the answer, in float64 and by the formulas of `laws`. It is the length of the
Newton step in standard errors and does not depend on the units of the data. The system is solved by
conjugate gradients. Their preconditioner is made of the blocks of H that belong to one entry of eta
each. If there is one entry only, as in logistic regression, the block is all of H, and the solution
is direct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from .laws import Derivatives, Law

Array = NDArray[np.float64]

# Chosen, not measured.
_BLOCK_COLUMNS = 2000  # up to which a block of the hessian is factored; else its diagonal is used
_ROWS = 1 << 16  # of X that are multiplied at once, to spare memory
_ACCURACY = 1e-4  # relative accuracy of a distance, which needs no more
_MAX_ITER = 5000  # of conjugate gradients; a bound


@dataclass(frozen=True)
class Solution:
    """Coefficients of any model: for each entry of eta its slopes and its intercept.

    Slopes have shape (p,), or (0,) for an entry that does not depend on features.
    """

    slopes: tuple[Array, ...]
    intercepts: tuple[float, ...]


@dataclass(frozen=True)
class Penalty:
    """alpha per row, times l1_ratio |w|_1 + (1 - l1_ratio)/2 |w|^2, of all slopes w."""

    alpha: float = 0.0
    l1_ratio: float = 0.0


def distance(
    law: Law, X: Any, y: Array, solution: Solution, penalty: Penalty | None = None
) -> float:
    """Return sqrt(g' H^-1 g) of the total penalised log-likelihood at a solution.

    It is inf where g is not finite or H is not positive definite. Under an absolute penalty g is
    the least subgradient, and H is that of the coefficients that are not zero or should not be.

    Parameters
    ----------
    law : Law
    X : ndarray or sparse matrix of shape (n, p), or None
        None if no parameter depends on features.
    y : ndarray of shape (n,)
    solution : Solution
    penalty : Penalty, optional
    """
    penalty = penalty or Penalty()
    n = len(y)
    modelled = [len(slopes) > 0 for slopes in solution.slopes]
    eta = _eta(X, solution)
    rows = law.derivatives(y, eta)
    ridge = n * penalty.alpha * (1.0 - penalty.l1_ratio)
    lasso = n * penalty.alpha * penalty.l1_ratio
    parts, keep = [], np.ones(0 if X is None else X.shape[1], bool)
    for slopes, residual in zip(solution.slopes, rows.gradient, strict=True):
        slope = X.T @ residual + ridge * slopes if len(slopes) else np.zeros(0)
        if lasso:
            slope = _least_subgradient(slope, slopes, lasso)
            keep = (slopes != 0.0) | (slope != 0.0)
            slope = slope[keep]
        parts.append(np.append(slope, residual.sum()))
    if not all(np.isfinite(part).all() for part in parts):
        return float("inf")
    curvature = _Curvature(X if keep.all() else X[:, keep], rows, modelled, ridge)
    return _length(np.concatenate(parts), curvature.product, curvature.preconditioner())


def _eta(X: Any, solution: Solution) -> list[Array]:
    pairs = zip(solution.slopes, solution.intercepts, strict=True)
    return [
        np.asarray(X @ slopes + intercept) if len(slopes) else np.asarray(float(intercept))
        for slopes, intercept in pairs
    ]


def _least_subgradient(smooth: Array, slopes: Array, lasso: float) -> Array:
    """Return the subgradient nearest to zero, from the gradient of the smooth part."""
    at_zero = np.sign(smooth) * np.maximum(np.abs(smooth) - lasso, 0.0)
    return np.where(slopes != 0.0, smooth + lasso * np.sign(slopes), at_zero)


class _Curvature:
    """The hessian J' W J + ridge as an operator.

    J is the derivative of eta in the coefficients, W has the second derivatives of the rows.
    """

    def __init__(self, X: Any, rows: Derivatives, modelled: Sequence[bool], ridge: float) -> None:
        self.X, self.rows, self.modelled, self.ridge = X, rows, modelled, ridge
        lengths = [(X.shape[1] if m else 0) + 1 for m in modelled]
        ends = np.cumsum([0, *lengths])
        self.slices = [slice(a, b) for a, b in pairwise(ends)]

    def product(self, v: Array) -> Array:
        pushed = [
            self.X @ v[s][:-1] + v[s][-1] if m else v[s][-1]
            for s, m in zip(self.slices, self.modelled, strict=True)
        ]
        result = np.empty_like(v)
        for s, m, w in zip(self.slices, self.modelled, self.rows.product(pushed), strict=True):
            result[s] = np.append(self.X.T @ w + self.ridge * v[s][:-1], w.sum()) if m else w.sum()
        return result

    def preconditioner(self) -> Callable[[Array], Array]:
        solves = [self._block(m, w) for m, w in zip(self.modelled, self.rows.diagonal, strict=True)]
        return lambda v: np.concatenate(
            [solve(v[s]) for s, solve in zip(self.slices, solves, strict=True)]
        )

    def _block(self, modelled: bool, w: Array) -> Callable[[Array], Array]:
        """Return the map v -> (J_a' W_aa J_a + ridge)^-1 v, or that of the diagonal alone."""
        if not modelled:
            total = abs(w.sum()) or 1.0
            return lambda v: v / total
        X = self.X
        if X.shape[1] > _BLOCK_COLUMNS:
            squares = X.multiply(X).T @ w if sp.issparse(X) else np.einsum("ij,ij,i->j", X, X, w)
            diagonal = np.append(squares + self.ridge, w.sum())
            return lambda v: v / np.where(diagonal > 0.0, diagonal, 1.0)
        hessian = _gram(X, w)
        hessian[np.diag_indices(X.shape[1])] += self.ridge
        unit = np.sqrt(np.where(np.diag(hessian) > 0.0, np.diag(hessian), 1.0))
        try:
            factor = scipy.linalg.cho_factor(hessian / np.outer(unit, unit))
        except scipy.linalg.LinAlgError:
            return lambda v: v / unit**2
        return lambda v: scipy.linalg.cho_solve(factor, v / unit) / unit


def _gram(X: Any, w: Array) -> Array:
    """Return [X, 1]' diag(w) [X, 1], summed over blocks of rows."""
    p = X.shape[1]
    result = np.zeros((p + 1, p + 1))
    for low in range(0, X.shape[0], _ROWS):
        x, v = X[low : low + _ROWS], w[low : low + _ROWS]
        if sp.issparse(x):
            result[:p, :p] += (x.T @ sp.diags_array(v) @ x).toarray()
        else:
            result[:p, :p] += x.T @ (x * v[:, None])
        result[p, :p] += x.T @ v
    result[:p, p] = result[p, :p]
    result[p, p] = w.sum()
    return result


def _length(
    gradient: Array, product: Callable[[Array], Array], precondition: Callable[[Array], Array]
) -> float:
    """Return sqrt(g' H^-1 g) by preconditioned conjugate gradients.

    It is inf if they find a direction in which H is not positive definite.
    """
    residual = gradient.copy()
    direction = conditioned = precondition(residual)
    first = rest = residual @ conditioned
    total = 0.0  # each step adds its part of g' H^-1 g
    for _ in range(_MAX_ITER):
        if rest <= _ACCURACY**2 * first:
            break
        image = product(direction)
        curvature = direction @ image
        if not curvature > 0.0:
            return float("inf")
        step = rest / curvature
        total += step * rest
        residual = residual - step * image
        conditioned = precondition(residual)
        rest, last = residual @ conditioned, rest
        direction = conditioned + rest / last * direction
    return float(np.sqrt(total))
