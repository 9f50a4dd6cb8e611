"""Triangular factors of covariance matrices, from rows or from the matrix itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array

# Share of a column's spread that the columns before leave to it, from which the factor of the
# correlation matrix has ten digits. Below, the factor is found without forming the matrix.
_SAFE = 1e-3


def diagonal(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the diagonals of matrices on the last two axes."""
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def covariance_root(covariance: Array, name: str) -> Array:
    """Return the lower Cholesky factor; ValueError, which names the law, if there is none."""
    try:
        return np.asarray(np.linalg.cholesky(covariance), float)
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(covariance).min()
        raise ValueError(
            f"{name}: a normal law whose covariance has the eigenvalue {smallest:.3g} lives in "
            "fewer dimensions than it has columns and has no density there. Allowed: positive "
            "definite covariances. Leave out the columns that the others determine."
        ) from None


def factor_of(rows: Array) -> Array:
    """Return upper triangular R with R'R = rows'rows, whose columns have the length one."""
    try:
        root = np.linalg.cholesky(rows.T @ rows).T
        if np.diag(root).min() > _SAFE:
            return np.asarray(root, float)
    except np.linalg.LinAlgError:
        pass
    d = rows.shape[1]
    some = rows if len(rows) >= d else np.concatenate([rows, np.zeros((d - len(rows), d))])
    return upper_factor(some)


def upper_factor(matrix: Array) -> Array:
    """Return upper triangular R with R'R = matrix'matrix and a diagonal that is not negative."""
    root = np.asarray(np.linalg.qr(matrix)[1], float)
    return np.where(np.diag(root) < 0.0, -1.0, 1.0)[:, None] * root
