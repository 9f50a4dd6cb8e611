"""Derivatives in the coefficients, by way of the linear predictors.

What is said of a row depends on the coefficients b of a linear predictor by eta = x'b alone, so
that its derivatives in them are its derivative in eta, times x. That asks for what is said once for
each predictor and not once for each coefficient, and X is multiplied with coefficients but once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.estimates import Model, directions, slope_in_predictor

Array = NDArray[np.float64]

# Rows that tell the size of a predictor's standard error, to choose the step of a difference: any
# few do. Chosen, not measured.
_FEW = 500


def as_matrix(arrived: Any) -> Any:
    """Return X as it arrives at the model as numbers, dense or sparse; None if it has others."""
    if hasattr(arrived, "toarray"):
        return arrived.tocsr()
    try:
        return np.asarray(arrived, np.float64)
    except (TypeError, ValueError):
        return None


def root_by_predictors(
    values: Callable[[Sequence[float]], Array],
    read: Callable[[Array, Any], Array],
    model: Model,
    matrix: Any,
) -> Array:
    """Return a root of the covariance of what is read off the values of rows, (m, k, d).

    Parameters
    ----------
    values : callable
        What is added to each linear predictor -> (n, k), k values of each row.
    read : callable
        Slopes in a predictor, (n, k), and what each of q coefficients is multiplied by in it,
        (n, q) -> the slopes of m numbers in these coefficients, (m, k, q).
    model : Model
    matrix : array or sparse array of shape (n, p)
        X as it arrives at the model.
    """
    root, low, total = directions(model), 0, np.zeros(())
    n = matrix.shape[0]
    ones = np.ones((n, 1))
    few = np.linspace(0, n - 1, min(n, _FEW)).astype(np.intp)
    for j, part in enumerate(model.parts):
        last = low + part.size
        x = matrix[:, part.columns] if part.size else None
        spread = np.zeros((len(few), root.shape[1]))
        if part.intercept:
            spread = spread + root[last]
        if x is not None:
            spread = spread + x[few] @ root[low:last]
        error = float(np.median(np.sqrt((spread**2).sum(axis=1))))
        if error > 0.0:
            z = slope_in_predictor(values, j, len(model.parts), error)
            if part.intercept:
                total = total + read(z, ones) @ root[last : last + 1]
            if x is not None:
                total = total + read(z, x) @ root[low:last]
        low = last + part.intercept
    return np.asarray(total)
