"""Errors that some rows of the data are refused, which know the numbers of these rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def refused(message: str, rows: ArrayLike) -> ValueError:
    """Return the error that some rows cannot be fitted, or asked about.

    Parameters
    ----------
    message : str
    rows : array-like of int
        Their numbers in the data that were given.
    """
    error = ValueError(message)
    error.rows = np.unique(np.asarray(rows, np.intp))  # type: ignore[attr-defined]
    return error


def rows_refused(error: ValueError) -> NDArray[np.intp] | None:
    """Return the numbers of the rows that an error refuses; None if it is about something else."""
    rows: NDArray[np.intp] | None = getattr(error, "rows", None)
    return rows
