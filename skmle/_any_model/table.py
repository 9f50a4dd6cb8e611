"""The columns of X in whatever holds them: their names, and X with some of them held constant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from skmle._shared.columns import resolve_column


class Table:
    """X, whose columns can be held constant.

    A column that is held at one of its own values keeps its type and its name, so that every
    pipeline takes the table as before, and learns nothing from the column.

    Parameters
    ----------
    X : array, sparse array or data frame of shape (n, p)
    """

    def __init__(self, X: Any) -> None:
        named = hasattr(X, "columns")
        self.X: Any = X if named else sp.csc_array(X) if sp.issparse(X) else np.asarray(X)
        if (axes := len(self.X.shape)) != 2:
            raise ValueError(
                f"X has {axes} axes. Allowed: 2, rows and columns. Reshape it, a single column by "
                "X.reshape(-1, 1)."
            )
        self.count = int(self.X.shape[1])
        self.given = [*X.columns] if named else None
        self.names = [str(c) for c in self.given] if self.given else self._numbered()

    def _numbered(self) -> list[str]:
        return [f"x{j}" for j in range(self.count)]

    def index(self, column: Any, what: str) -> int:
        """Return the index of a column, by name or index; ValueError if there is none."""
        names: Sequence[str] | None = None if self.given is None else self.names
        return resolve_column(column, what, names, self.count)

    def _column(self, j: int) -> Any:
        """Return one column, of a data frame as its series."""
        if self.given is None:
            return self.X[:, [j]].toarray()[:, 0] if sp.issparse(self.X) else self.X[:, j]
        return self.X.iloc[:, j] if hasattr(self.X, "iloc") else self.X[self.given[j]]

    def varies(self, j: int) -> bool:
        """Return whether a column has two values; a missing one counts as a value."""
        column = self._column(j)
        if hasattr(column, "nunique"):  # pandas
            return int(column.nunique(dropna=False)) > 1
        if hasattr(column, "n_unique"):  # polars
            return int(column.n_unique()) > 1
        missing = column != column
        return not bool(np.all((column == column[0]) | (missing & missing[0])))

    def _present(self, j: int) -> int:
        """Return a row in which a column is not missing, if there is one."""
        column = self._column(j)
        if hasattr(column, "notna"):  # pandas
            return int(np.argmax(column.notna()))
        if hasattr(column, "is_not_null"):  # polars
            return int(column.is_not_null().arg_max() or 0)
        return int(np.argmax(column == column))

    def holding(self, columns: Iterable[int]) -> Any:
        """Return X with some columns held at one of their values."""
        held = sorted(columns)
        if not held:
            return self.X
        at = {j: self._present(j) for j in held}
        if self.given is None:
            return self._array_holding(at)
        # Rows of a column itself keep its type, a categorical one's categories included.
        frame, n = self.X, len(self.X)
        if hasattr(frame, "iloc"):  # pandas
            changed = frame.copy()
            for j, row in at.items():
                changed.isetitem(j, self._column(j).array.take(np.full(n, row)))
            return changed
        return frame.with_columns(self._column(j).gather([row] * n) for j, row in at.items())

    def _array_holding(self, at: dict[int, int]) -> Any:
        if sp.issparse(self.X):
            # What is held at zero needs no room.
            keep = np.ones(self.count)
            keep[[*at]] = 0.0
            held = (self.X @ sp.diags_array(keep, format="csc")).tocsr()
            held.eliminate_zeros()
            return held
        changed = self.X.copy()
        for j, row in at.items():
            changed[:, j] = self.X[row, j]
        return changed
