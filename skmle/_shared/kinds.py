"""What data are made of: numbers pass the door, text, categories, dates and masks are named.

scikit-learn turns dates into nanoseconds and texts into whatever number they spell, and ignores
masks; none of these is what a likelihood can mean.
"""

from __future__ import annotations

import datetime
import numbers
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import get_tags
from sklearn.utils.validation import check_array

from skmle._shared.messages import level_outside
from skmle.exceptions import SettingWarning
from skmle.inference.show import printable

Array = NDArray[np.float64]

_SHOWN = 5  # columns that a message names, at most; chosen for reading
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
# numpy's kinds of numbers; complex ones are refused by scikit-learn.
_NUMBERS = "biufc"


# More than so many different numbers, each of which occurs less than so often on average, are
# hardly labels. Digits and codes of products occur more often; chosen, not measured.
_MANY, _OFTEN = 20, 3


# How scikit-learn begins what it says of complex numbers.
_COMPLEX = "Complex data not supported"


class _Found(NamedTuple):
    """A value that is no number, and where it stands."""

    what: str
    row: int
    value: Any

    def __str__(self) -> str:
        return f"{self.what} (row {self.row}: {self.value!r})"


# ---------------------------------------------------------------- one column


@contextmanager
def as_floats(name: str, what: str) -> Iterator[None]:
    """Raise ValueError for numbers that no float can hold, where they are converted."""
    try:
        yield
    except OverflowError:
        raise ValueError(
            f"{name}: Input {what} holds a whole number that is too large for a float. Allowed: "
            "numbers up to 1.8e308. Give it in a larger unit, or as a logarithm."
        ) from None
    except ValueError as error:
        if not str(error).startswith(_COMPLEX):
            raise
        # scikit-learn would print all of them.
        raise ValueError(
            f"{name}: {_COMPLEX} in {what}. Allowed: real numbers. Give real and imaginary parts "
            "as columns of their own, or numpy.real of them."
        ) from None


def as_numbers(values: Any, what: str) -> Array:
    """Return numbers that are given beside X as an array of doubles, (n,) or of another shape.

    Raises
    ------
    ValueError
        If they are text, dates, or masked.
    """
    check_numbers(values, what, "Convert them to numbers.")
    with as_floats("Numbers beside X", what):
        if isinstance(values, numbers.Number) or getattr(values, "ndim", 1) == 0:
            return np.asarray(values, np.float64)
        return check_array(
            values, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name=what
        )


def check_numbers(values: Any, what: str, advice: str) -> None:
    """Raise ValueError if values of any shape are texts, categories, dates or masked.

    `what` is how the message calls them; `advice` says what to do about text and categories.
    """
    found = _in_column(values)
    if found is not None:
        if found.what in _MENDED:
            advice = _MENDED[found.what]
        raise ValueError(f"{what} holds {found}. Allowed: numbers. {advice}")


_MENDED = {
    "dates or durations": (
        "Divide them by a unit: (t - t.min()) / numpy.timedelta64(1, 'D') are days."
    ),
    "masked entries": "Leave these rows out, or fill the entries in.",
}


def _in_column(column: Any, convertible: bool = False) -> _Found | None:
    """Return the first value of a column that is no number; None if there is none.

    Text that spells a number is one if it is `convertible`.
    """
    if isinstance(column, np.ma.MaskedArray) and np.ma.is_masked(column):
        row = int(np.nonzero(np.ma.getmaskarray(column).reshape(len(column), -1))[0][0])
        return _Found("masked entries", row, np.ma.masked)
    dtype = getattr(column, "dtype", None)
    if str(dtype) == "category" and len(column):
        return _Found("categories", 0, np.asarray(column)[:1].tolist()[0])
    array = column if isinstance(column, np.ndarray) else None
    if array is None and getattr(dtype, "kind", "O") not in _NUMBERS:
        array = _as_array(column)
    if array is None or array.dtype.kind in _NUMBERS:
        return None
    if array.dtype.kind in "mM":
        return _Found("dates or durations", 0, str(array.ravel()[0])) if array.size else None
    if convertible and _spells_numbers(array):
        return None
    flat = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
    for row, entries in enumerate(flat.tolist()):
        for entry in entries:
            if isinstance(entry, _DATES):
                return _Found("dates or durations", row, str(entry))
            if isinstance(entry, (str, bytes)) and not (convertible and _is_number(entry)):
                return _Found("text", row, entry)
    return None


def _as_array(values: Any) -> NDArray[Any] | None:
    """Return values of any kind as an array; None if they have no shape, or are sparse."""
    if sp.issparse(values):
        return None
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        return None  # ragged: scikit-learn says so


def _spells_numbers(array: NDArray[Any]) -> bool:
    try:
        array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return False
    return not any(isinstance(entry, _DATES) for entry in array[:1].ravel().tolist())


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_no_measurements(y: Any, what: str, few: int = 0) -> None:
    """Raise ValueError if what are to be labels are measurements or counts: mostly different.

    Up to `few` different numbers are labels all the same. Without `few`, so are whole numbers.
    """
    array = np.asarray(y)
    if array.dtype.kind not in "iuf" or not len(array):
        return
    fraction = np.flatnonzero(array != np.floor(array))
    if not len(fraction) and not few:
        return
    distinct = len(np.unique(array))
    if 2 * distinct > len(array) and distinct > few:
        row = fraction[0] if len(fraction) else 0
        whole = f"not all whole (row {row}" if len(fraction) else f"whole as they are (row {row}"
        raise ValueError(
            f"{what}: {distinct} different numbers in {len(array)} rows, {whole}: "
            f"{array[row]:g}), are measurements or counts, no labels. Allowed: labels that occur "
            "twice on average. Choose a family of numbers, such as 'normal' or 'poisson'."
        )


def warn_of_many_classes(y: NDArray[Any], n_classes: int, what: str) -> None:
    """Warn if numbers are taken as classes each of which occurs a few times only.

    So do measurements and counts, and a fit of so many classes takes long.
    """
    if y.dtype.kind not in "iuf" or n_classes <= _MANY or _OFTEN * n_classes <= len(y):
        return
    warnings.warn(
        f"{what}: {n_classes} different numbers in {len(y)} rows are taken as so many classes. "
        f"Allowed: labels of any kind, but these occur {len(y) / n_classes:.1f} times on average, "
        "as measurements and counts do. For numbers use MLERegressor with a family such as "
        "'normal' or 'poisson'.",
        SettingWarning,
        stacklevel=level_outside(),
    )


# ---------------------------------------------------------------- the columns of X


def as_column(X: Any) -> Any:
    """Return one-dimensional data as a table of one column; all else as it is."""
    if type(X).__name__ == "Series":
        return X.to_frame()
    if isinstance(X, (list, tuple)) or getattr(X, "ndim", 2) == 1:
        array = _as_array(X)
        return X if array is None or array.ndim != 1 else array[:, None]
    return X


def check_columns(estimator: Any, X: Any, numbers: bool = True) -> None:
    """Raise ValueError if X is no table of numbers: it names the column, and the line to paste.

    Sparse tables and whatever has no columns are left to scikit-learn. Unless `numbers` are wanted,
    the columns may hold anything.
    """
    if type(X) is np.ndarray and X.dtype.kind in _NUMBERS and X.ndim == 2:
        return
    if sp.issparse(X):
        return
    name = type(estimator).__name__
    if hasattr(X, "columns") and hasattr(X, "shape"):
        labels = list(X.columns)
        _check_names(name, labels, X.shape)
        pandas = hasattr(X, "iloc")
        columns = [X.iloc[:, j] if pandas else X.to_series(j) for j in range(len(labels))]
    else:
        array = X if isinstance(X, np.ndarray) else _as_array(X)
        if array is None:
            return
        _check_two_dimensions(estimator, array, X)
        if array.dtype.kind in _NUMBERS and not isinstance(array, np.ma.MaskedArray):
            return
        labels, columns = list(range(array.shape[1])), list(array.T)
    if not numbers:
        return
    found = {
        label: one
        for label, column in zip(labels, columns, strict=True)
        if (one := _in_column(column, convertible=True)) is not None
    }
    if found:
        raise _not_numbers(estimator, found)


def _not_numbers(estimator: Any, found: dict[Any, _Found]) -> ValueError:
    """Return the error that names the columns that are no numbers."""
    (label, first), *_ = found.items()
    alike = [other for other, one in found.items() if one.what not in _MENDED]
    if first.what in _MENDED:
        advice = _MENDED[first.what]
    elif get_tags(estimator).estimator_type == "density_estimator":
        advice = "Choose columns of numbers; the law of a column of labels is 'categorical'."
    else:
        shown = ", ".join(_quoted(other) for other in alike[:_SHOWN])
        shown += ", ..." if len(alike) > _SHOWN else ""
        advice = (
            'Put in front, in a pipeline: make_column_transformer((OneHotEncoder(drop="first"), '
            f'[{shown}]), remainder="passthrough").'
        )
    where = repr(printable(label) if isinstance(label, str) else label)
    column = f"column {where} of X holds"
    if len(found) > 1:
        column = f"columns {where} and {len(found) - 1} more of X hold"
    return ValueError(
        f"{type(estimator).__name__}: {column} {first}. Allowed: columns of numbers. {advice}"
    )


def _quoted(label: Any) -> str:
    return f'"{label}"' if isinstance(label, str) and label.isprintable() else repr(label)


def _check_names(name: str, labels: Sequence[Any], shape: tuple[int, ...]) -> None:
    if not labels:
        raise ValueError(
            f"{name}: X is a table of {shape[0]} rows with 0 feature(s), as it has no columns. "
            "Allowed: at least one column. Give the columns that the model is to see; one without "
            "features is MLERegressor(features={parameter: 'none'}) of any columns."
        )
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        places = [j for j, label in enumerate(labels) if label == twice]
        raise ValueError(
            f"{name}: X has {len(places)} columns named {twice!r}, at {str(places)[1:-1]}. "
            "Allowed: each name once. Rename them, or leave out the copies."
        )


def _check_two_dimensions(estimator: Any, array: NDArray[Any], given: Any) -> None:
    if array.ndim != 1:
        return
    advice = (
        "Reshape your data: numpy.reshape(X, (-1, 1)) is one column, numpy.reshape(X, (1, -1)) "
        "one row."
    )
    if type(given).__name__ == "Series":
        advice += " X.to_frame() makes a table of a column."
        names = getattr(estimator, "feature_names_in_", ())
        if len(names) and [*getattr(given, "index", ())] == [*names]:
            # A row of a data frame that was taken out by its number, which is a column no more.
            advice = "X is one row of a table: take frame.iloc[[i]], not frame.iloc[i]."
    raise ValueError(
        f"{type(estimator).__name__}: Expected 2D array, got 1D array instead, X of shape "
        f"{array.shape}. Allowed: (n, p), one observation a row. {advice}"
    )
