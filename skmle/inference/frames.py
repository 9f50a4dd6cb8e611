"""Rows as users hold them, pandas, polars or arrays: a column taken out, changed and put back."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]


def checked_frame(X: Any, what: str) -> Any:
    """Return X if it has named columns, else as an array of two dimensions.

    Raises
    ------
    ValueError
        If X is sparse, or has not two dimensions, or no rows.
    """
    if hasattr(X, "toarray"):
        raise ValueError(
            f"{what}: X is sparse. Allowed: data frames and arrays, of which a column can be "
            "changed. Give X.toarray(), or fewer rows of it."
        )
    if getattr(X, "columns", None) is None:
        X = np.asarray(X)
    if len(X.shape) != 2 or not X.shape[0]:
        raise ValueError(
            f"{what}: X has the shape {tuple(X.shape)}. Allowed: rows and columns, at least one "
            "row. Give X as fit was given it."
        )
    return X


def column_names(X: Any) -> list[Hashable]:
    """Return the names of the columns; those of an array are its places."""
    names = getattr(X, "columns", None)
    return list(range(X.shape[1])) if names is None else list(names)


def column_of(X: Any, name: Hashable) -> Any:
    """Return a column."""
    return X[name] if getattr(X, "columns", None) is not None else X[:, name]  # type: ignore[index]


def rows_of(X: Any, rows: Places) -> Any:
    """Return rows, some of them repeatedly."""
    if isinstance(X, np.ndarray):
        return X.take(rows, axis=0)
    by_place = getattr(X, "iloc", None)  # pandas
    return X[rows] if by_place is None else by_place[rows]


def with_column(X: Any, name: Hashable, values: Any) -> Any:
    """Return X with other values in a column."""
    if getattr(X, "with_columns", None) is not None:  # polars
        return X.with_columns(type(X[name])(name, values))
    whole = getattr(X, "columns", None) is None and X.dtype.kind in "iuf"
    result = X.astype(np.float64) if whole else X.copy()
    if getattr(X, "columns", None) is None:
        result[:, name] = values  # type: ignore[index]
    else:
        # As an array, as the rows of a Series would be put in the order of their index.
        result[name] = getattr(values, "array", values)
    return result


def numbers_of(column: Any) -> Array | None:
    """Return a column as numbers; None if it holds levels: words, truths or categories."""
    if _order(column) is not None:
        return None
    values = np.asarray(column)
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    if values.dtype.kind == "O":
        entries = values.tolist()
        numeric = (isinstance(e, numbers.Real) and not isinstance(e, bool) for e in entries)
        if all(numeric):
            return values.astype(np.float64)
    return None


def is_binary(values: Array) -> bool:
    """Return whether numbers are zeros and ones, both among them."""
    return bool(((values == 0.0) | (values == 1.0)).all() and values.min() < values.max())


def levels_of(column: Any) -> dict[Any, int]:
    """Return the levels of a column in their order, each with a row in which it stands.

    The order is that of the categories; of others, that of their values.
    """
    first: dict[Any, int] = {}
    for i, value in enumerate(np.asarray(column, object).tolist()):
        if value is not None and value == value:  # not missing
            first.setdefault(value, i)
    order: Sequence[Any] | None = _order(column)
    if order is None:
        try:
            order = sorted(first)
        except TypeError:  # of several types
            order = sorted(first, key=str)
    return {level: first[level] for level in order if level in first}


def _order(column: Any) -> list[Any] | None:
    """Return the categories of a column; None if it has none."""
    kind = getattr(column, "dtype", None)
    if type(kind).__name__ in ("CategoricalDtype", "Enum"):  # of pandas, of polars
        return list(kind.categories)  # type: ignore[union-attr]
    return None
