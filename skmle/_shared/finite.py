"""Whether all numbers are there, finite, and no larger than a fit can bear."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skmle._engine.data.sums import cuts, in_order, thread_count
from skmle._shared.refused import refused
from skmle.inference.show import printable

_SHOWN = 5  # rows that a message names, at most; chosen for reading
# Arrays of at least so many numbers are searched for nan and infinity on threads. With two cores,
# two threads took as long as one at 2 to 4 million doubles; to start threads costs more below.
_THREADED = 4_000_000
# Largest value of a column of X that a slope belongs to: slopes of larger ones lose digits near the
# least double.
LARGEST = 1e300


def check_finite(
    estimator: BaseEstimator,
    values: Any,
    what: str,
    names: Sequence[str] | None = None,
    *,
    finite: bool = True,
    most: float = np.inf,
) -> None:
    """Raise ValueError if `values` is None, or holds NaN, infinity or missing labels.

    Infinite numbers are let through unless values are to be `finite`, and so are numbers of an
    absolute value above `most`. The message names the first of these rows and counts them all.
    """
    if values is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. "
            "Allowed: one observation a row of X. Give y."
        )
    sparse = sp.issparse(values)
    array = values.data if sparse else np.asarray(values)
    n_jobs = getattr(estimator, "n_jobs", None)
    # Of objects, each may be of another kind, so that each is looked at. Whole numbers, texts and
    # truth values are never missing.
    doubtful = array.dtype.kind == "O" or (
        array.dtype.kind == "f" and not all_finite(array, n_jobs, most)
    )
    if not doubtful:
        return
    missing = _missing_in_sparse(values) if sparse else _missing(array, finite)
    if len(missing.rows):
        raise _not_finite(missing, estimator, what, names, finite)
    if most < np.inf and array.dtype.kind == "f":
        _check_largest(values, f"{type(estimator).__name__}: {what}", names, most)


def _check_largest(values: Any, what: str, names: Sequence[str] | None, most: float) -> None:
    """Raise ValueError if an entry has an absolute value above `most`; name the largest."""
    array = values.data if sp.issparse(values) else np.asarray(values)
    place = np.unravel_index(np.abs(array).argmax(), array.shape)
    if not abs(array[place]) > most:
        return
    if sp.issparse(values):
        entries = values.tocoo()
        row, column = entries.row[place[0]], entries.col[place[0]]
    else:
        row, column = place
    label = column if names is None else printable(names[column])
    raise refused(
        f"{what} has a value that is too large: row {row}, column {label}: {array[place]:.3g}. "
        f"Allowed: absolute values up to {most:g}. Divide the column by a constant, or fill the "
        "value in if it means a missing one.",
        [row],
    )


def missing_rows(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return the numbers of the rows whose label, number or date is missing or infinite."""
    if values.dtype.kind in "mM":
        return np.flatnonzero(np.isnat(values))
    if values.dtype.kind not in "fO":  # whole numbers and texts are never missing
        return np.zeros(0, np.intp)
    return np.unique(_missing(values, finite=True).rows)


class _Missing(NamedTuple):
    """Entries that are missing or not finite."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp] | None
    """None if the data have not two dimensions."""
    entries: NDArray[Any]
    n: int
    """Number of rows of the data."""


def _missing_in_sparse(values: Any) -> _Missing:
    entries = values.tocoo()
    bad = ~np.isfinite(entries.data)
    return _Missing(entries.row[bad], entries.col[bad], entries.data[bad], values.shape[0])


def _missing(array: NDArray[Any], finite: bool) -> _Missing:
    """Return the entries that are missing, or not `finite`; missing labels count, too."""
    if array.dtype.kind != "O":
        bad = ~np.isfinite(array) if finite else np.isnan(array)
    elif array.ndim:
        missing = np.frompyfunc(lambda entry: _is_missing(entry, finite), 1, 1)
        bad = missing(array).astype(bool)
    else:
        bad = np.zeros((), bool)
    where = np.nonzero(bad) if array.ndim else (np.zeros(0, np.intp),)
    columns = where[1] if array.ndim == 2 else None
    return _Missing(where[0], columns, array[bad], len(array) if array.ndim else 0)


def _not_finite(
    missing: _Missing,
    estimator: BaseEstimator,
    what: str,
    names: Sequence[str] | None,
    finite: bool,
) -> ValueError:
    where = [f"row {row}" for row in missing.rows[:_SHOWN]]
    if missing.columns is not None:
        where = [
            f"{row}, column {column if names is None else printable(names[column])}"
            for row, column in zip(where, missing.columns, strict=False)
        ]
    pairs = zip(where, missing.entries, strict=False)
    shown = ", ".join(f"{place}: {entry!s}" for place, entry in pairs)
    more = ", ..." if len(missing.rows) > _SHOWN else ""
    # The words of scikit-learn, which also calls missing values NaN.
    infinite = [isinstance(e, (float, np.floating)) and bool(np.isinf(e)) for e in missing.entries]
    kinds = " and ".join(["NaN"] * (not all(infinite)) + ["infinity"] * any(infinite))
    allowed = "finite numbers, or labels" if finite else "numbers, -inf and inf"
    advice = "Drop these rows, or fill them in, as sklearn.impute does in a pipeline."
    # An open side of an interval is an observation; to drop these rows would bias the fit.
    density = get_tags(estimator).estimator_type == "density_estimator"
    if density and any(infinite) and missing.columns is not None:
        advice = (
            "Mend these rows; if they are [lower, upper], as skmle.censored makes them, the family "
            "is families.Censored(...) around this one."
        )
    return refused(
        f"{type(estimator).__name__}: Input {what} contains {kinds} in "
        f"{len(np.unique(missing.rows))} of {missing.n} rows ({shown}{more}). Allowed: {allowed}. "
        f"{advice}",
        missing.rows,
    )


def all_finite(array: NDArray[Any], n_jobs: int | None = 1, most: float = np.inf) -> bool:
    """Return whether all numbers are finite, and none is larger than `most` by absolute value."""
    if array.size < _THREADED:
        return _finite(array, most)
    parts = [array[low:high] for low, high in cuts(len(array), array[0].size)]
    return all(in_order(partial(_finite, most=most), parts, thread_count(n_jobs)))


def _finite(part: NDArray[Any], most: float = np.inf) -> bool:
    # A finite sum proves it, in less time than to look at each number; but a sum may overflow. A
    # small sum may hide large numbers that cancel; a fit can bear these, too.
    with np.errstate(over="ignore", invalid="ignore"):
        if abs(part.sum()) < most:
            return True
        return bool(np.isfinite(part).all()) and bool((np.abs(part) <= most).all())


def _is_missing(entry: Any, finite: bool) -> bool:
    if entry is None or type(entry).__name__ in ("NAType", "NaTType"):
        return True
    if not isinstance(entry, numbers.Real) or isinstance(entry, numbers.Rational):
        return False  # whole numbers and fractions are finite, even if too large for a float
    return not np.isfinite(float(entry)) if finite else bool(np.isnan(float(entry)))
