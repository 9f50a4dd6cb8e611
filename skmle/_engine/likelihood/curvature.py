"""The hessian of an objective at one point as an operator: products in one pass over the rows, and an approximate inverse."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import strata, total
from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood.design import Design, Weights
from skmle._engine.likelihood.factor import Factor
from skmle._engine.likelihood.penalties import Penalty, total_curvature
from skmle.families.base import Rows, Softmax

_BLOCK = 1500  # coefficients of one term up to which its block of the hessian is factored; else the diagonal serves
_SMALL_BLOCK, _DEAR = (
    200,
    5,
)  # beyond so many coefficients, with fewer rows for each, factoring costs more than products
_PASSES = 2  # that factoring the blocks may cost, which sets the rows of the sample behind them within these bounds
_ROWS_PER_COEFFICIENT = (20, 80)
_NUGGET = 1e-8  # of a unit diagonal: a column may be constant in the sample


class RowObjective(Protocol):
    """What the operator needs of an objective: `skmle._engine.likelihood.objective.Objective` is one."""

    design: Design
    penalties: tuple[Penalty, ...]
    threads: int
    mass: float

    @property
    def n(self) -> int:
        """Number of rows."""

    def rows_at(self, low: int, high: int, coef: Array, order: int) -> Rows:
        """Return -log q of some rows with its derivatives in eta."""

    def weights(self, low: int, high: int) -> Weights:
        """Return the weights of some rows."""

    def take(self, index: NDArray[np.intp]) -> Self:
        """Return the objective on some rows, gathered."""


class RowCurvature:
    """The hessian as the sum over rows of J' w J, J = d eta / d coef, with the rows' w kept.

    Parameters
    ----------
    objective : RowObjective
    coef : ndarray of shape (d,)
    known : RowCurvature, optional
        One whose approximate inverse is good enough.
    """

    def __init__(
        self, objective: RowObjective, coef: Array, known: RowCurvature | None = None
    ) -> None:
        self.objective, self.coef = objective, coef
        self.blocks: list[Factor] | None
        self.reference: Factor | None
        self.diagonal: Array | None
        if known is None:
            self.blocks, self.reference = self._term_blocks(coef)
            self.diagonal = self._diagonal() if self.blocks is None else None
        else:
            self.blocks, self.reference, self.diagonal = (
                known.blocks,
                known.reference,
                known.diagonal,
            )

    def moved(self, coef: Array) -> RowCurvature:
        """Return the hessian at another point, with the approximate inverse of this one."""
        return RowCurvature(self.objective, coef, self)

    @cached_property
    def kept(self) -> dict[int, Any]:
        """The rows' w, by the first row of each block."""
        kept: dict[int, Any] = {}

        def keep(low: int, high: int) -> Evaluation:
            kept[low] = self.objective.rows_at(low, high, self.coef, 2).curvature
            return Evaluation(0.0)

        self._sum(keep)
        return kept

    def _sum(self, block: Any) -> Evaluation:
        design = self.objective.design
        with np.errstate(all="ignore"):
            return total(block, design.n, design.width, 1, self.objective.threads)

    def product(self, vector: Array) -> Array:
        """Return the hessian times a vector."""
        objective, design, kept = self.objective, self.objective.design, self.kept
        still = design.without_offset()

        def block(low: int, high: int) -> Evaluation:
            x = design.block(low, high)
            pushed = times(kept[low], still.eta(x, low, high, vector))
            return Evaluation(0.0, design.pull_gradient(x, pushed, objective.weights(low, high)))

        result = self._sum(block).gradient
        assert result is not None
        result /= objective.mass
        for penalty in objective.penalties:
            result += penalty.product(self.coef, vector)
        return result

    def precondition(self, vector: Array) -> Array:
        """Return an approximate inverse hessian times a vector: block by block of the terms, or by the diagonal."""
        if self.blocks is None:
            assert self.diagonal is not None
            return vector / self.diagonal
        ends = np.cumsum([len(block.scale) for block in self.blocks])
        parts = [
            block.solve(part)
            for block, part in zip(self.blocks, np.split(vector, ends[:-1]), strict=True)
        ]
        if self.reference is None:
            return np.concatenate(parts)
        # (diag(p) - p p')^-1 = diag(1/p) + 1 1'/p_K: what all classes share is the reference class's.
        shared = self.reference.solve(vector.reshape(len(parts), -1).sum(axis=0))
        return np.concatenate([part + shared for part in parts])

    def _diagonal(self) -> Array:
        objective = self.objective
        kept = self.kept
        result = diagonal(objective, lambda low, high: kept[low])
        result += total_curvature(objective.penalties, self.coef)
        return np.where(result > 0.0, result, 1.0)

    def _term_blocks(self, coef: Array) -> tuple[list[Factor] | None, Factor | None]:
        """Return the terms' own blocks of the hessian, factored, from a sample of rows, and that of a reference class."""
        objective = self.objective
        terms = objective.design.terms
        longest = max(t.length for t in terms)
        if longest > _BLOCK or (longest > _SMALL_BLOCK and objective.n < _DEAR * longest):
            return None, None
        fewest, most = (count * longest for count in _ROWS_PER_COEFFICIENT)
        m = min(objective.n, max(2048, fewest, min(most, _PASSES * 4 * objective.n // longest)))
        sample = objective.take(strata(objective.n, m)) if m < objective.n else objective
        curvature = sample.rows_at(0, m, coef, 2).curvature
        x = sample.design.block(0, m)
        own = [np.asarray(_own(curvature, j)) for j in range(len(terms))]
        strength = total_curvature(objective.penalties, coef)
        strengths = np.split(strength, np.cumsum([t.length for t in terms])[:-1])
        shared = objective.design.alike and isinstance(curvature, Softmax)
        if shared:
            assert isinstance(curvature, Softmax)
            last = 1.0 - curvature.probabilities.sum(
                axis=0
            )  # of the reference class, which is penalised like the first
            own, strengths = [*own, last * (1.0 - last)], [*strengths, strengths[0]]
        blocks = []
        for hessian, part in zip(
            sample.design.own_blocks(x, own, sample.weights(0, m)), strengths, strict=True
        ):
            hessian /= sample.mass
            hessian[np.diag_indices(len(hessian))] += part
            if (factor := Factor.of(hessian, _NUGGET)) is None:
                return None, None
            blocks.append(factor)
        return (blocks[:-1], blocks[-1]) if shared else (blocks, None)


def diagonal(objective: RowObjective, curvature: Callable[[int, int], Any]) -> Array:
    """Return the diagonal of the likelihood's hessian, in one pass over the rows, whose curvature is given."""
    design = objective.design

    def block(low: int, high: int) -> Evaluation:
        x = design.block(low, high)
        w = curvature(low, high)
        own = [np.broadcast_to(_own(w, j), (high - low,)) for j in range(len(design.terms))]
        squares = None if x is None else x.squares()
        return Evaluation(0.0, design.pull_gradient(squares, own, objective.weights(low, high)))

    with np.errstate(all="ignore"):
        result = total(block, design.n, design.width, 1, objective.threads).gradient
    assert result is not None
    return result / objective.mass


def times(curvature: Any, eta: Any) -> Any:
    """Return for each a the sum over b of w_ab eta_b."""
    if isinstance(curvature, Softmax):
        p, e = curvature.probabilities, np.asarray(eta)
        pushed = e - np.einsum(
            "kn,kn->n", p, e
        )  # one array of this size, not three: memory is what takes the time
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
