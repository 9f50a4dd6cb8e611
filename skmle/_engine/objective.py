"""The objective: mean negative log-posterior of a family on a design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skmle._engine.curvature import RowCurvature
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
    penalties : tuple of Ridge
    threads : int
    count : int
        Number of rows that the rows stand for, if more.
    """

    rows: Callable[[Arrays, Arrays, int], Rows]
    statistics: Arrays
    design: Design
    weight: Array | None = None
    penalties: tuple[Ridge, ...] = ()
    threads: int = 1
    count: int = 0
    _samples: dict[int, Objective] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.mass = float(self.design.n if self.weight is None else self.weight.sum())
        # Multiplying all weights by a constant moves no maximum, so it must not move the stopping rule either.
        self.size = max(self.mass, float(self.design.n), float(self.count))

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        """Return value, gradient (order 1) and hessian (order 2) at `coef`; not finite where the model overflows."""
        with np.errstate(all="ignore"):
            design = self.design
            result = total(lambda low, high: self._block(low, high, coef, order), design.n, design.width, design.d, self.threads)
        result *= 1.0 / self.mass
        for penalty in self.penalties:
            penalty.add(result, coef)
        return result

    def _block(self, low: int, high: int, coef: Array, order: int) -> Evaluation:
        weight = None if self.weight is None else self.weight[low:high]
        return self.design.pull(self.design.block(low, high), self.rows_at(low, high, coef, order), weight, high - low, order)

    def rows_at(self, low: int, high: int, coef: Array, order: int) -> Rows:
        """Return -log q of some rows with its derivatives in eta."""
        eta = self.design.eta(self.design.block(low, high), low, high, coef)
        statistics = tuple(s[low:high] if len(s) == self.design.n else s for s in self.statistics)
        return self.rows(statistics, eta, order)  # type: ignore[arg-type]

    def curvature(self, coef: Array) -> RowCurvature:
        """Return the hessian at `coef` as an operator."""
        return RowCurvature(self, coef)

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
            part = self.take(strata(self.n, m))
            part.penalties = (*part.penalties, Ridge(part.design.reach() ** 2 / (25.0 * m)))
            self._samples[m] = part
        return self._samples[m]

    def take(self, index: NDArray[np.intp]) -> Objective:
        """Return the objective on some rows, gathered."""
        statistics = tuple(s[index] if len(s) == self.n else s for s in self.statistics)
        weight = None if self.weight is None else self.weight[index]
        return Objective(self.rows, statistics, self.design.take(index), weight, self.penalties, self.threads)

    def largest_eta(self, step: Array, units: Array) -> float:
        """Return the largest change of any row's eta along `step`, each parameter's in its unit (offsets do not change)."""
        pairs = zip(self.direction(step), units, strict=True)
        return max((float(np.abs(e).max(initial=0.0)) / unit for e, unit in pairs), default=0.0)

    def direction(self, step: Array) -> list[Array]:
        """Return the change of eta along `step`: per parameter (n,), or 0-d for a constant."""
        design, still = self.design, self.design.without_offset()
        bounds = [cut for part in chunks(design.n, design.width, design.d) for cut in part]
        parts = [still.eta(still.block(low, high), low, high, step) for low, high in bounds]
        return [np.asarray(column[0]) if np.ndim(column[0]) == 0 else np.concatenate(column) for column in zip(*parts, strict=True)]
