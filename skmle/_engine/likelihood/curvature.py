"""The Hessian of an objective at one point as an operator, without forming the matrix.

A product with a vector is one pass over the rows. An approximate inverse comes from a sample of
rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import strata, total
from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood.design import Design, Weights
from skmle._engine.likelihood.factor import Factor
from skmle._engine.likelihood.penalties import Penalty, total_curvature
from skmle.families.base import Rows, Softmax
from skmle.families.tools.cached import cached_property

# These values were chosen, not measured one by one.
# Coefficients of one term up to which its block of the Hessian is factored, for the approximate
# inverse. With more, the diagonal is used.
_BLOCK = 1500
# With more coefficients than the first number, and fewer rows for each than the second, factoring
# the blocks takes longer than the products that it saves. The diagonal is used there, too.
_SMALL_BLOCK, _DEAR = 200, 5
# Passes over the rows that factoring the blocks may take. They decide how many rows the sample
# behind the blocks has, but for these bounds.
_PASSES = 2
_ROWS_PER_COEFFICIENT = (20, 80)
_FEWEST_ROWS = 2048
# Share of the diagonal that is added to it: a column may be constant in the sample.
_NUGGET = 1e-8


class RowObjective(Protocol):
    """What the operator needs of an objective.

    `skmle._engine.likelihood.objective.Objective` has it.
    """

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
    """The Hessian as the sum over the rows of J' w J.

    J = d eta / d coef, and w is the curvature of the row's -log q, which is kept.

    Parameters
    ----------
    objective : RowObjective
    coef : ndarray of shape (d,)
    known : RowCurvature, optional
        The Hessian at another point, whose approximate inverse will do here.
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
            self.blocks, self.reference = known.blocks, known.reference
            self.diagonal = known.diagonal

    def moved(self, coef: Array) -> RowCurvature:
        """Return the Hessian at another point, with the approximate inverse of this one."""
        return RowCurvature(self.objective, coef, self)

    @cached_property
    def kept(self) -> dict[int, Any]:
        """The curvatures w of the rows, by the first row of each block."""
        kept: dict[int, Any] = {}

        def keep(low: int, high: int) -> Evaluation:
            kept[low] = self.objective.rows_at(low, high, self.coef, 2).curvature
            return Evaluation(0.0)

        self._sum(keep)
        return kept

    def _sum(self, block: Callable[[int, int], Evaluation]) -> Evaluation:
        """Return the sum of ``block(low, high)`` over all blocks of rows."""
        design = self.objective.design
        with np.errstate(all="ignore"):
            return total(block, design.n, design.width, 1, self.objective.threads)

    def product(self, vector: Array) -> Array:
        """Return the Hessian times a vector."""
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
        """Return an approximate inverse Hessian times a vector.

        It consists of the inverse blocks of the terms, or of the inverse diagonal.
        """
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
        # By (diag(p) - p p')^-1 = diag(1/p) + 1 1'/p_K, the inverse has a part that all classes
        # share; it is made of the block of the reference class.
        shared = self.reference.solve(vector.reshape(len(parts), -1).sum(axis=0))
        return np.concatenate([part + shared for part in parts])

    def _diagonal(self) -> Array:
        objective = self.objective
        kept = self.kept
        result = diagonal(objective, lambda low, high: kept[low])
        result += total_curvature(objective.penalties, self.coef)
        return np.where(result > 0.0, result, 1.0)

    def _term_blocks(self, coef: Array) -> tuple[list[Factor] | None, Factor | None]:
        """Return the factors of the terms' own blocks of the Hessian, from a sample of rows.

        The second result is that of a reference class, if the terms are those of classes. Both are
        None if the diagonal should be used.
        """
        objective = self.objective
        terms = objective.design.terms
        longest = max(t.length for t in terms)
        if longest > _BLOCK or (longest > _SMALL_BLOCK and objective.n < _DEAR * longest):
            return None, None
        fewest, most = (count * longest for count in _ROWS_PER_COEFFICIENT)
        # A row of the sample takes about as long as (longest / 4) rows of a pass.
        affordable = min(most, _PASSES * 4 * objective.n // longest)
        m = min(objective.n, max(_FEWEST_ROWS, fewest, affordable))
        sample = objective.take(strata(objective.n, m)) if m < objective.n else objective
        curvature = sample.rows_at(0, m, coef, 2).curvature
        x = sample.design.block(0, m)
        own = [np.asarray(_own(curvature, j)) for j in range(len(terms))]
        strength = total_curvature(objective.penalties, coef)
        strengths = np.split(strength, np.cumsum([t.length for t in terms])[:-1])
        shared = objective.design.alike and isinstance(curvature, Softmax)
        if shared:
            assert isinstance(curvature, Softmax)
            # The reference class is penalised like the first.
            last = 1.0 - curvature.probabilities.sum(axis=0)
            own, strengths = [*own, last * (1.0 - last)], [*strengths, strengths[0]]
        blocks = []
        hessians = sample.design.own_blocks(x, own, sample.weights(0, m))
        for hessian, part in zip(hessians, strengths, strict=True):
            hessian /= sample.mass
            hessian[np.diag_indices(len(hessian))] += part
            if (factor := Factor.of(hessian, _NUGGET)) is None:
                return None, None
            blocks.append(factor)
        return (blocks[:-1], blocks[-1]) if shared else (blocks, None)


def diagonal(objective: RowObjective, curvature: Callable[[int, int], Any]) -> Array:
    """Return the diagonal of the likelihood's Hessian, in one pass over the rows.

    Parameters
    ----------
    objective : RowObjective
    curvature : callable
        (low, high) -> curvature of these rows, as `Rows.curvature`.
    """
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
    """Return for each eta a the sum over b of w_ab eta_b, w being the curvature of the rows."""
    if isinstance(curvature, Softmax):
        p, e = curvature.probabilities, np.asarray(eta)
        # One array of this size is made, not three, because most of the time goes into memory.
        pushed = e - np.einsum("kn,kn->n", p, e)
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
    """Return the entry (j, j) of the curvature of the rows."""
    if isinstance(curvature, Softmax):
        p = curvature.probabilities[j]
        return p * (1.0 - p)
    k = int(np.sqrt(2 * len(curvature)))
    w = curvature[j * k - j * (j - 1) // 2]
    return np.zeros(()) if w is None else np.asarray(w)
