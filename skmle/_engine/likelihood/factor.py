"""Cholesky factors of Hessians that are scaled to a unit diagonal, so that units do not matter."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from skmle._engine.evaluation import Array

# A Hessian on a unit diagonal counts as singular if a squared pivot is smaller than this: its
# rounding errors are some 1e-16 for each coefficient. Chosen with this margin.
ROUNDING = 1e-13


class Factor(NamedTuple):
    """A positive definite matrix, factored."""

    factor: Array
    scale: Array

    @classmethod
    def of(cls, matrix: Array, nugget: float = 0.0) -> Factor | None:
        """Factor a matrix; None if it is not positive definite, or not finite.

        Parameters
        ----------
        matrix : ndarray of shape (d, d)
        nugget : float
            Added to the diagonal, once that is scaled to ones.
        """
        diagonal = matrix.diagonal()
        if not np.isfinite(matrix).all():
            return None
        scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        scaled = matrix / (scale[:, None] * scale)
        if nugget:
            scaled[np.diag_indices(len(scaled))] += nugget
        factor, info = dpotrf(scaled, lower=True)
        return None if info else cls(factor, scale)

    @property
    def least_pivot(self) -> float:
        """The smallest squared pivot; near zero if the matrix is nearly singular."""
        return float(self.factor.diagonal().min(initial=1.0)) ** 2

    def solve(self, vector: Array) -> Array:
        """Return the inverse times a vector."""
        return dpotrs(self.factor, vector / self.scale, lower=True)[0] / self.scale
