"""The error that some rows of the data are refused, which knows their numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


class RowsRefused(ValueError):
    """Some rows cannot be fitted, or asked about.

    Parameters
    ----------
    message : str
    rows : array-like of int
        Their numbers in the data that were given.
    """

    def __init__(self, message: str, rows: ArrayLike = ()) -> None:
        super().__init__(message)
        self.rows = np.unique(np.asarray(rows, np.intp))
