"""Cholesky factors of hessians scaled to a unit diagonal, so that units drop out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from skmle._engine.evaluation import Array

ROUNDING = 1e-13  # a smaller squared pivot of a hessian on a unit diagonal is rounding: singular


class Factor(NamedTuple):
    """A positive definite matrix, factored."""

    factor: Array
    scale: Array

    @classmethod
    def of(cls, matrix: Array, nugget: float = 0.0) -> Factor | None:
        """Factor a matrix, with so much added to its unit diagonal; None if it is not positive definite or not finite."""
        diagonal = np.diag(matrix)
        if not np.isfinite(matrix).all():
            return None
        scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        scaled = matrix / np.outer(scale, scale)
        scaled[np.diag_indices(len(scaled))] += nugget
        factor, info = dpotrf(scaled, lower=True)
        return None if info else cls(factor, scale)

    @property
    def least_pivot(self) -> float:
        """The smallest squared pivot: beyond rounding if the matrix is well away from singular."""
        return float(np.diag(self.factor).min()) ** 2

    def solve(self, vector: Array) -> Array:
        """Return the inverse times a vector."""
        return dpotrs(self.factor, vector / self.scale, lower=True)[0] / self.scale
