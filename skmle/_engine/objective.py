"""The objective: mean negative log-posterior of a family on a design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skmle._engine.design import Design
from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.penalties import Ridge
from skmle._engine.rows import chunks, strata, total
from skmle.families._base import Arrays, Rows


@dataclass
class Objective:
    """coef -> mean of -log q over the rows, plus the penalty; terms of y alone are left out.

    Parameters
    ----------
    rows : callable
        (statistics, eta, order) -> Rows: a family's formula.
    statistics : tuple of ndarrays, each (n,) or (n, ...)
    design : Design
    weight : ndarray of shape (n,), optional
    penalty : Ridge, optional
    threads : int
    """

    rows: Callable[[Arrays, Arrays, int], Rows]
    statistics: Arrays
    design: Design
    weight: Array | None = None
    penalty: Ridge | None = None
    threads: int = 1
    _samples: dict[int, Objective] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.mass = float(self.design.n if self.weight is None else self.weight.sum())
        # Multiplying all weights by a constant moves no maximum, so it must not move the stopping rule either.
        self.size = max(self.mass, float(self.design.n))

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        """Return value, gradient (order 1) and hessian (order 2) at `coef`; not finite where the model overflows."""
        with np.errstate(all="ignore"):
            result = total(lambda low, high: self._block(low, high, coef, order), self.design.n, self.design.p, self.design.d, self.threads)
        result *= 1.0 / self.mass
        return result if self.penalty is None else self.penalty.add(result, coef)

    def _block(self, low: int, high: int, coef: Array, order: int) -> Evaluation:
        block = self.design.block(low, high)
        eta = self.design.eta(block, low, high, coef)
        statistics = tuple(s[low:high] if len(s) == self.design.n else s for s in self.statistics)
        rows = self.rows(statistics, eta, order)  # type: ignore[arg-type]
        weight = None if self.weight is None else self.weight[low:high]
        return self.design.pull(block, rows, weight, high - low, order)

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.design.n

    def sample(self, m: int) -> Objective:
        """Return the objective on m rows, one at random from each of m equal stretches, under a weak prior on the slopes.

        The prior, as strong as one row that says that no eta is beyond 5, holds what the sample leaves open: a rare column
        may be absent or separate the few rows it has.
        """
        if m not in self._samples:
            self._samples[m] = self._gather(strata(self.n, m))
        return self._samples[m]

    def _gather(self, index: NDArray[np.intp]) -> Objective:
        design, m = self.design.take(index), len(index)
        weak = Ridge(np.diag(design.reach() ** 2 / (25.0 * m)))
        penalty = weak if self.penalty is None else Ridge(weak.matrix + self.penalty.matrix)
        statistics = tuple(s[index] if len(s) == self.n else s for s in self.statistics)
        return Objective(self.rows, statistics, design, None if self.weight is None else self.weight[index], penalty, self.threads)

    def largest_eta(self, step: Array) -> float:
        """Return the largest change of any row's eta along `step` (offsets do not change)."""
        return max((float(np.abs(e).max(initial=0.0)) for e in self.direction(step)), default=0.0)

    def direction(self, step: Array) -> list[Array]:
        """Return the change of eta along `step`: per parameter (n,), or 0-d for a constant."""
        design = self.design
        still = Design(design.terms, design.n, design.X, design.shift, None, design._blocks)
        parts = [still.eta(still.block(low, high), low, high, step) for part in chunks(design.n, design.p, design.d) for low, high in part]
        return [np.asarray(column[0]) if np.ndim(column[0]) == 0 else np.concatenate(column) for column in zip(*parts, strict=True)]
