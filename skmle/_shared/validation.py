"""What every estimator asks of its settings and of its data before it fits anything.

Each error says what is wrong, where, what is allowed, and what to do.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from skmle._engine.data.sums import cuts, in_order, thread_count
from skmle._engine.likelihood.penalties import Penalty
from skmle.families import Family

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SHOWN = 5  # rows that a message names, at most; chosen for reading
# From 2^53 on every double is a whole number and neighbours differ by more than one: those below
# can be converted to integers and back without loss.
_WHOLE = 2.0**53
# Arrays of at least so many numbers are searched for nan and infinity on threads. With two cores,
# two threads took as long as one at 2 to 4 million doubles; to start threads costs more below.
_THREADED = 4_000_000
_MEND = "Remove these rows or mend their weights."

# ---------------------------------------------------------------- settings


def check_settings(estimator: BaseEstimator) -> None:
    """Raise ValueError if a constructor argument of the estimator has a value of no meaning."""
    arguments = vars(estimator)
    for name, (allowed, what) in _ALLOWED.items():
        if name in arguments and not allowed(arguments[name]):
            raise ValueError(
                f"{type(estimator).__name__}: {name}={arguments[name]!r} is not allowed; give "
                f"{what}."
            )


def _real(value: Any) -> bool:
    return (
        isinstance(value, numbers.Real)
        and not isinstance(value, bool)
        and bool(np.isfinite(float(value)))
    )


def _whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _fixed(value: Any) -> bool:
    return value is None or (
        isinstance(value, Mapping)
        and all(isinstance(k, str) and _real(v) for k, v in value.items())
    )


# Argument: (whether a value is allowed, what is allowed, in words).
_ALLOWED = {
    "alpha": (
        lambda v: _real(v) and v >= 0,
        "a finite number >= 0 (0: no penalty, the maximum-likelihood estimate)",
    ),
    "l1_ratio": (lambda v: _real(v) and 0 <= v <= 1, "a number from 0 (ridge) to 1 (lasso)"),
    "penalty": (
        lambda v: v is None or isinstance(v, Penalty),
        "None or an object with the methods value, add, product, curvature and restrict",
    ),
    "tol": (lambda v: _real(v) and v > 0, "a positive number of standard errors, such as 1e-6"),
    "max_iter": (lambda v: _whole(v) and v > 0, "a positive whole number"),
    "n_jobs": (
        lambda v: v is None or (_whole(v) and v != 0),
        "None, a positive number of threads, or -1 for all cores",
    ),
    "store_information": (lambda v: _yes_or_no(v) or v == "auto", "'auto', True or False"),
    "fit_intercept": (_yes_or_no, "True or False"),
    "warm_start": (_yes_or_no, "True or False"),
    "verbose": (
        lambda v: _yes_or_no(v) or (_whole(v) and v >= 0),
        "True, False or a whole number >= 0",
    ),
    "fixed": (_fixed, "None or a dict of parameter to finite number, such as {'scale': 1.0}"),
    "features": (
        lambda v: v is None or isinstance(v, Mapping),
        "None or a dict of parameter to columns, such as {'scale': ['age']}",
    ),
}


def check_conditional(family: Family) -> None:
    """Raise ValueError if the family's parameters cannot depend on features."""
    if not family.support.fixed:
        why = "its support depends on its parameters"
    elif family.observation.columns is None:
        why = "its observations are rows of several columns"
    else:
        return
    raise ValueError(
        f"MLERegressor: {family.title} cannot be regressed, because {why}. Allowed: regular "
        "families of one response. Use MLEDistribution."
    )


# ---------------------------------------------------------------- X and y


def checked_features(
    estimator: BaseEstimator,
    X: Any,
    y: Any = "no_validation",
    *,
    finite: bool = True,
    **checks: Any,
) -> Any:
    """Return X (and y, if given) as scikit-learn's `validate_data` does, all finite.

    Parameters
    ----------
    finite : bool
        Whether the observations, y or else X, must be finite; if not, infinite ones may be among
        them, but no missing ones.

    Raises
    ------
    ValueError
        As `validate_data`, and, naming the rows, if values are missing or not finite.
    """
    alone = isinstance(y, str)
    if not alone:
        check_finite(estimator, y, "y", finite=finite)
    if alone or finite:
        result = validate_data(estimator, X, y, ensure_all_finite=False, **checks)
    else:  # scikit-learn lets no infinite y through
        X = validate_data(estimator, X, ensure_all_finite=False, **checks)
        y = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite=False)
        check_consistent_length(X, y)
        result = X, y
    check_finite(
        estimator,
        result if alone else result[0],
        "X",
        getattr(estimator, "feature_names_in_", None),
        finite=finite or not alone,
    )
    return result


def check_finite(
    estimator: BaseEstimator,
    values: Any,
    what: str,
    names: Sequence[str] | None = None,
    *,
    finite: bool = True,
) -> None:
    """Raise ValueError if `values` is None, or holds NaN, infinity or missing labels.

    Infinite numbers are let through unless values are to be `finite`. The message names the first of these rows and counts them all.
    """
    if values is None:
        name = type(estimator).__name__
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None. Allowed: one observation "
            "a row of X. Give y."
        )
    rows, columns, entries, n = _missing(values, getattr(estimator, "n_jobs", None), finite)
    if not len(rows):
        return
    where = [f"row {row}" for row in rows[:_SHOWN]]
    if columns is not None:
        where = [
            f"{row}, column {c if names is None else names[c]}"
            for row, c in zip(where, columns, strict=False)
        ]
    shown = ", ".join(f"{place}: {entry!s}" for place, entry in zip(where, entries, strict=False))
    more = ", ..." if len(rows) > _SHOWN else ""
    kinds, allowed = "NaN, missing or infinite values", "finite numbers, or labels"
    if not finite:
        kinds, allowed = "NaN or missing values", "numbers, -inf and inf"
    raise ValueError(
        f"{type(estimator).__name__}: {what} holds {kinds} in "
        f"{len(np.unique(rows))} of {n} rows ({shown}{more}). Allowed: {allowed}. "
        "Drop these rows, or fill them in, as sklearn.impute does in a pipeline."
    )


def _missing(
    values: Any, n_jobs: int | None, finite: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None, NDArray[Any], int]:
    """Return (rows, columns, values) of the entries that are missing, or not `finite`, and the number of rows.

    Missing labels count, too. `columns` is None unless there are two dimensions.
    """
    none = np.zeros(0, np.intp)
    if sp.issparse(values):
        if _all_finite(values.data, n_jobs):
            return none, none, none, values.shape[0]
        entries = values.tocoo()
        bad = ~np.isfinite(entries.data)
        return entries.row[bad], entries.col[bad], entries.data[bad], values.shape[0]
    array = np.asarray(values)
    if array.dtype.kind == "O":
        bad = (
            np.frompyfunc(lambda entry: _is_missing(entry, finite), 1, 1)(array).astype(bool)
            if array.ndim
            else np.zeros((), bool)
        )
    elif array.dtype.kind == "f" and not _all_finite(array, n_jobs):
        bad = ~np.isfinite(array) if finite else np.isnan(array)
    else:
        return none, none, none, 0
    where = np.nonzero(bad)
    return (
        (where[0] if where else none),
        (where[1] if array.ndim == 2 else None),
        array[bad],
        len(array) if array.ndim else 0,
    )


def _all_finite(array: NDArray[Any], n_jobs: int | None = 1) -> bool:
    def finite(part: NDArray[Any]) -> bool:
        # A finite sum proves it, in less time than to look at each number; but a sum may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(part.sum())) or bool(np.isfinite(part).all())

    if array.size < _THREADED:
        return finite(array)
    parts = [array[low:high] for low, high in cuts(len(array), array[0].size)]
    return all(in_order(finite, parts, thread_count(n_jobs)))


def _is_missing(entry: Any, finite: bool) -> bool:
    if entry is None or type(entry).__name__ in ("NAType", "NaTType"):
        return True
    if not isinstance(entry, numbers.Real):
        return False
    return not np.isfinite(float(entry)) if finite else bool(np.isnan(float(entry)))


def sorted_labels(y: NDArray[Any], what: str) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return (the distinct labels in order, the position of each row's label among them).

    Raises
    ------
    ValueError
        If the labels cannot be ordered, as numbers and strings cannot.
    """
    if (
        y.dtype.kind == "f"
        and (np.abs(y) < _WHOLE).all()
        and ((whole := y.astype(np.int64)) == y).all()
    ):
        labels, codes = sorted_labels(whole, what)
        return labels.astype(y.dtype), codes
    if y.dtype.kind in "iu" and (span := int(y.max()) - int(y.min())) <= len(y):
        # Integers that lie close together are counted, which is many times faster than sorting.
        wide = y if y.dtype.itemsize == 8 else y.astype(np.int64)
        codes = (wide - wide.min()).astype(np.intp)
        present = np.bincount(codes, minlength=span + 1) > 0
        return np.flatnonzero(present).astype(y.dtype) + y.min(), (np.cumsum(present) - 1)[codes]
    try:
        return np.unique(y, return_inverse=True)
    except TypeError:
        raise _mixed(y, what) from None


def adapted(family: Family, y: Any, what: str) -> Family:
    """Return the family with what it learns from the data.

    Raises
    ------
    ValueError
        If the data are labels that cannot be ordered.
    """
    try:
        return family.adapt(y)
    except TypeError:
        raise _mixed(y, what) from None


def _mixed(y: NDArray[Any], what: str) -> ValueError:
    kinds = ", ".join(sorted({type(label).__name__ for label in y.ravel().tolist()}))
    return ValueError(
        f"{what}: the labels are of types {kinds}, which have no common order. Allowed: labels of "
        "one type. Convert them: y.astype(str)."
    )


def check_support(family: Family, y: Any, what: str, mask: Mask | None = None) -> None:
    """Raise ValueError if rows of y lie outside the family's support; it names and counts them.

    Parameters
    ----------
    family : Family
    y : array-like of shape (n, ...)
    what : str
        What y is called in the message.
    mask : ndarray of bool, optional
        The user's rows of which y are those with True: the message has their numbers there.
    """
    support = family.support
    if family.observation.numeric and family.observation.columns == 1 and not support.whole:
        ends = ([y.min()] if support.low > -np.inf else []) + (
            [y.max()] if support.high < np.inf else []
        )
        if family.contains(np.array(ends)).all():
            return  # an interval holds all that lies between its ends
    inside = family.contains(y)
    if inside.all():
        return
    values = np.asarray(y)
    # Of labels and of intervals, the support of their values says nothing by itself.
    numbers_alone = family.observation.numeric and family.observation.finite
    negative = numbers_alone and support.low >= 0 and bool((values < 0).any())
    allowed = family.observations + (" for each value y" if numbers_alone else "")
    raise ValueError(
        f"{'Negative values in data: ' if negative else ''}{family.title}: "
        f"{_rows(~inside, values, mask)} of {what} outside the support. "
        f"Allowed: {allowed}. Remove or mend these rows, or choose a family whose support holds "
        "them."
    )


def _rows(bad: Mask, values: NDArray[Any], mask: Mask | None = None) -> str:
    """Count the bad rows and show the first, by their numbers among the user's rows."""
    numbers_there = np.arange(len(bad)) if mask is None else np.flatnonzero(mask)
    index = np.flatnonzero(bad)
    shown = ", ".join(f"row {numbers_there[i]}: {_text(values[i])}" for i in index[:_SHOWN])
    return f"{len(index)} of {len(values)} rows ({shown}{', ...' if len(index) > _SHOWN else ''})"


def _text(value: Any) -> str:
    if np.ndim(value):
        return f"[{', '.join(map(_text, value))}]"
    return f"{value:.6g}" if isinstance(value, numbers.Real) else repr(str(value))


# ---------------------------------------------------------------- weights


def positive_weights(
    sample_weight: ArrayLike | None, X: Any, class_weight: Array | None = None
) -> tuple[Array | None, Mask | None]:
    """Return (weights of the rows that count, mask of these rows).

    The weights are None if all rows count alike, the mask is None if all rows count.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are zero, or there is not one a row.
    """
    if sample_weight is None and class_weight is None:
        return None, None
    n = X.shape[0]
    if sample_weight is None or isinstance(sample_weight, numbers.Number):
        weight = np.full(n, 1.0 if sample_weight is None else sample_weight, np.float64)
    else:
        weight = check_array(
            sample_weight,
            ensure_2d=False,
            dtype=np.float64,
            ensure_all_finite=False,
            input_name="sample_weight",
        )
    if weight.shape != (n,):
        raise ValueError(
            f"sample_weight: the shape is {weight.shape}, but X has {n} rows. Allowed: shape "
            f"({n},). Give one weight a row."
        )
    if not _all_finite(weight):
        raise ValueError(
            f"sample_weight: NaN or infinity in {_rows(~np.isfinite(weight), weight)}. Allowed: "
            f"finite weights >= 0. {_MEND}"
        )
    if (weight < 0).any():
        raise ValueError(
            f"Negative values in data passed to `sample_weight`: {_rows(weight < 0, weight)}. "
            f"Allowed: weights >= 0. {_MEND}"
        )
    if not (weight > 0).any():
        raise ValueError(
            f"sample_weight: all {n} weights are zero. Allowed: some positive weight. Pass None "
            "to weigh all rows alike."
        )
    if class_weight is not None:
        weight = weight * class_weight
    mask = weight > 0
    return (weight, None) if mask.all() else (weight[mask], mask)


def weighted_mean(values: Array, sample_weight: ArrayLike | None) -> float:
    """Return the (weighted) mean of log-probabilities.

    A row of weight zero does not count, even if it is -inf.

    Raises
    ------
    ValueError
        As `positive_weights`.
    """
    weight, mask = positive_weights(sample_weight, values)
    values = values if mask is None else values[mask]
    # One impossible row makes the data impossible, even beside a row of infinite density.
    return -np.inf if np.isneginf(values).any() else float(np.average(values, weights=weight))
