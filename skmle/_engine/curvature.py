"""The hessian of an objective at one point as an operator: products in one pass over the rows, and an approximate inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.rows import strata, total
from skmle.families._base import Softmax

if TYPE_CHECKING:
    from skmle._engine.objective import Objective

_BLOCK = 1500  # coefficients of one term up to which its block of the hessian is factored; else the diagonal serves
_ROWS_PER_COEFFICIENT = 20  # of the sample behind these blocks
_NUGGET = 1e-8  # of a unit diagonal: a column may be constant in the sample


class RowCurvature:
    """The hessian as the sum over rows of J' w J, J = d eta / d coef, with the rows' w kept.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
    """

    def __init__(self, objective: Objective, coef: Array) -> None:
        self.objective = objective
        self.kept: dict[int, Any] = {}

        def keep(low: int, high: int) -> Evaluation:
            self.kept[low] = objective.rows_at(low, high, coef, 2).curvature
            return Evaluation(0.0)

        self._sum(keep)
        self.blocks = self._term_blocks(coef)
        self.diagonal = self._diagonal() if self.blocks is None else None

    def _sum(self, block: Any) -> Evaluation:
        design = self.objective.design
        with np.errstate(all="ignore"):
            return total(block, design.n, design.width, 1, self.objective.threads)

    def product(self, vector: Array) -> Array:
        """Return the hessian times a vector."""
        objective, design = self.objective, self.objective.design
        still = design.without_offset()

        def block(low: int, high: int) -> Evaluation:
            x = design.block(low, high)
            pushed = times(self.kept[low], still.eta(x, low, high, vector))
            weight = None if objective.weight is None else objective.weight[low:high]
            return Evaluation(0.0, design.pull_gradient(x, pushed, weight, high - low))

        result = self._sum(block).gradient
        assert result is not None
        result /= objective.mass
        for penalty in objective.penalties:
            result += penalty.pull(vector)
        return result

    def precondition(self, vector: Array) -> Array:
        """Return an approximate inverse hessian times a vector: block by block of the terms, or by the diagonal."""
        if self.blocks is None:
            assert self.diagonal is not None
            return vector / self.diagonal
        result = np.empty_like(vector)
        at = 0
        for factor, scale in self.blocks:
            part = slice(at, at + len(scale))
            result[part] = dpotrs(factor, vector[part] / scale, lower=True)[0] / scale
            at += len(scale)
        return result

    def _diagonal(self) -> Array:
        objective = self.objective
        result = diagonal(objective, lambda low, high: self.kept[low]) + sum(penalty.strength for penalty in objective.penalties)
        return np.where(result > 0.0, result, 1.0)

    def _term_blocks(self, coef: Array) -> list[tuple[Array, Array]] | None:
        """Return Cholesky factors of the terms' own blocks of the hessian, from a sample of rows."""
        objective = self.objective
        lengths = [t.length for t in objective.design.terms]
        if max(lengths) > _BLOCK:
            return None
        m = min(objective.n, max(2048, _ROWS_PER_COEFFICIENT * max(lengths)))
        sample = objective.take(strata(objective.n, m)) if m < objective.n else objective
        curvature = sample.rows_at(0, m, coef, 2).curvature
        x = sample.design.block(0, m)
        result, at = [], 0
        for j, length in enumerate(lengths):
            hessian = sample.design.own_block(x, j, _own(curvature, j), sample.weight, m) / sample.mass
            hessian[np.diag_indices(length)] += sum(penalty.strength[at : at + length] for penalty in objective.penalties)
            scale = np.sqrt(np.where(np.diag(hessian) > 0.0, np.diag(hessian), 1.0))
            scaled = hessian / np.outer(scale, scale)
            scaled[np.diag_indices(length)] += _NUGGET
            factor, info = dpotrf(scaled, lower=True)
            if info:
                return None
            result.append((factor, scale))
            at += length
        return result


def diagonal(objective: Objective, curvature: Callable[[int, int], Any]) -> Array:
    """Return the diagonal of the likelihood's hessian, in one pass over the rows, whose curvature is given."""
    design = objective.design

    def block(low: int, high: int) -> Evaluation:
        x = design.block(low, high)
        weight = None if objective.weight is None else objective.weight[low:high]
        own = [np.broadcast_to(_own(curvature(low, high), j), (high - low,)) for j in range(len(design.terms))]
        return Evaluation(0.0, design.pull_gradient(None if x is None else x.squares(), own, weight, high - low))

    with np.errstate(all="ignore"):
        result = total(block, design.n, design.width, 1, objective.threads).gradient
    assert result is not None
    return result / objective.mass


def times(curvature: Any, eta: Any) -> Any:
    """Return for each a the sum over b of w_ab eta_b."""
    if isinstance(curvature, Softmax):
        p, e = curvature.probabilities, np.asarray(eta)
        pushed = e - np.einsum("kn,kn->n", p, e)  # one array of this size, not three: memory is what takes the time
        pushed *= p
        return pushed
    result: list[Any] = [np.zeros(())] * len(eta)
    packed = iter(curvature)
    for a in range(len(eta)):
        for b in range(a, len(eta)):
            if (w := next(packed)) is not None:
                result[a] = result[a] + w * eta[b]
                if a != b:
                    result[b] = result[b] + w * eta[a]
    return result


def _own(curvature: Any, j: int) -> Array:
    """Return w_jj."""
    if isinstance(curvature, Softmax):
        p = curvature.probabilities[j]
        return p * (1.0 - p)
    k = int(np.sqrt(2 * len(curvature)))
    w = curvature[j * k - j * (j - 1) // 2]
    return np.zeros(()) if w is None else np.asarray(w)
