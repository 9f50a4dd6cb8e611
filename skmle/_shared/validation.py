"""What every estimator asks of its data before it fits anything.

Each error says what is wrong, where, what is allowed, and what to do.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _num_samples,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skmle._shared.arrays import to_numpy
from skmle._shared.finite import LARGEST, all_finite, check_finite
from skmle._shared.kinds import (
    as_floats,
    as_numbers,
    check_columns,
    check_no_measurements,
    check_numbers,
)
from skmle._shared.labels import mixed_labels
from skmle._shared.messages import level_outside
from skmle._shared.refused import refused
from skmle.exceptions import ScaleWarning
from skmle.families import Family

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SHOWN = 5  # rows that a message names, at most; chosen for reading
_MEND = "Remove these rows or mend their weights."


# ---------------------------------------------------------------- X and y


def checked_features(
    estimator: BaseEstimator, X: Any, *, finite: bool = True, numbers: bool = True, **checks: Any
) -> Any:
    """Return X as scikit-learn's `validate_data` does.

    Parameters
    ----------
    finite : bool
        Whether X must be finite; if not, infinite numbers may be among it, but no missing ones.
    numbers : bool
        Whether X must be made of numbers.

    Raises
    ------
    ValueError
        As `validate_data` and `check_columns`, and, naming the rows, if values are missing or
        not finite.
    """
    X = to_numpy(X, f"{type(estimator).__name__}, X")
    check_columns(estimator, X, numbers)
    with as_floats(type(estimator).__name__, "X"):
        X = _as_features(estimator, X, **checks)
    names = getattr(estimator, "feature_names_in_", None)
    check_finite(estimator, X, "X", names, finite=finite)
    return X


def _as_features(estimator: BaseEstimator, X: Any, *, reset: bool = True, **checks: Any) -> Any:
    """Return X as scikit-learn's `validate_data` does, infinite and missing numbers included.

    A plain array of doubles, which all estimators take as it is, has only its columns counted: what
    scikit-learn looks for takes a fifth of the time of a small fit.
    """
    plain = type(X) is np.ndarray and X.dtype == np.float64 and X.ndim == 2 and X.size > 0
    known = vars(estimator)
    if plain and reset:
        known.pop("feature_names_in_", None)
        known["n_features_in_"] = X.shape[1]
        return X
    if plain and "feature_names_in_" not in known and known.get("n_features_in_") == X.shape[1]:
        return X
    return validate_data(estimator, X, reset=reset, ensure_all_finite=False, **checks)


def checked_data(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    *,
    finite: bool = True,
    labels: bool = False,
    of_y: Mapping[str, bool] | None = None,
    **checks: Any,
) -> tuple[Any, Any]:
    """Return X and y, one observation a row of X, as scikit-learn's `validate_data` does.

    Parameters
    ----------
    finite : bool
        Whether y must be finite; if not, infinite numbers may be among it, but no missing ones.
    labels : bool
        Whether y may be other than numbers.
    of_y : mapping of str to bool, optional
        Those arguments of `validate_data` that concern y alone.

    Raises
    ------
    ValueError
        As `validate_data`, and, naming the rows, if values are missing or not finite.
    """
    X = to_numpy(X, f"{type(estimator).__name__}, X")
    y = to_numpy(y, f"{type(estimator).__name__}, y")
    if not labels:
        _check_one_column(estimator, y, bool((of_y or {}).get("multi_output")))
    check_finite(estimator, y, "y", finite=finite)
    check_columns(estimator, X)
    if not labels:
        check_numbers(y, f"{type(estimator).__name__}: y", "For labels use CrossEntropyClassifier.")
    plain = type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "biufSU"
    with as_floats(type(estimator).__name__, "X or y"):
        if finite and not plain:
            X, y = validate_data(estimator, X, y, ensure_all_finite=False, **(of_y or {}), **checks)
        else:
            X = _as_features(estimator, X, **checks)
            if not plain:  # scikit-learn would let no infinite y through
                y = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite=False)
            check_consistent_length(X, y)
    names = getattr(estimator, "feature_names_in_", None)
    check_finite(estimator, X, "X", names, most=LARGEST)
    return X, y


def _check_one_column(estimator: BaseEstimator, y: Any, several: bool) -> None:
    """Raise ValueError if y has several columns, unless its observations have `several`."""
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if not several and len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"{type(estimator).__name__}: y should be a 1d array, got an array of shape {shape} "
            "instead. Allowed: (n,), one number a row. Choose a column; of rows [lower, upper], as "
            "skmle.censored makes them, the family is families.Censored(...) around this one."
        )


def as_response(y: NDArray[Any], family: Family) -> Array:
    """Return observations as floats of the shape that a family takes: (n,) or (n, columns).

    Raises
    ------
    ValueError
        If they have another shape.
    """
    columns = family.observation.columns
    if columns == 1:
        return (y if y.ndim == 1 else column_or_1d(y, warn=True)).astype(np.float64)
    if y.ndim != 2 or not family.observation.has(y.shape[1]):
        raise ValueError(
            f"MLERegressor({family.title}): y has shape {y.shape}. Allowed: (n, "
            f"{family.observation.widths}), one observation a row. "
            f"{family.observation.advice}"
        )
    return y.astype(np.float64)


def checked_response(estimator: BaseEstimator, X: Any, y: Any, family: Family) -> Array:
    """Return the observations, one a row of X, about which a fitted family is to be asked.

    Raises
    ------
    ValueError
        As `as_response`, and if values are missing or there is not one a row.
    """
    finite = family.observation.finite
    y = to_numpy(y, f"{type(estimator).__name__}, y")
    _check_one_column(estimator, y, family.observation.columns != 1)
    check_finite(estimator, y, "y", finite=finite)
    check_numbers(y, f"{type(estimator).__name__}: y", "For labels use CrossEntropyClassifier.")
    with as_floats(type(estimator).__name__, "y"):
        y = check_array(
            y, ensure_2d=False, dtype=np.float64, input_name="y", ensure_all_finite=finite
        )
    response = as_response(y, family)
    check_consistent_length(X, response)
    return response


def adapted(family: Family, y: Any, what: str, few: int = 0) -> Family:
    """Return the family with what it learns from the data; `few` as in `check_no_measurements`.

    Raises
    ------
    ValueError
        If the data are labels that cannot be ordered, or measurements that are to be labels.
    """
    try:
        learnt = family.adapt(y)
    except TypeError:
        raise mixed_labels(y, what) from None
    if learnt is not family and not family.observation.numeric:
        check_no_measurements(y, what, few)
    return learnt


def check_support(
    family: Family, y: Any, what: str, mask: Mask | None = None, rates: bool = False
) -> None:
    """Raise ValueError if rows of y lie outside the family's support; it names and counts them.

    Parameters
    ----------
    family : Family
    y : array-like of shape (n, ...)
    what : str
        What y is called in the message.
    mask : ndarray of bool, optional
        The user's rows of which y are those with True: the message has their numbers there.
    rates : bool
        Whether all that a regression takes is allowed (`Family.takes`).
    """
    support, holds, allowed = family.support, family.contains, family.observations
    if rates and support.rates:
        support, holds = replace(support, whole=False), family.takes
        allowed = str(support)
    if family.observation.numeric and family.observation.columns == 1 and not support.whole:
        ends = ([y.min()] if support.low > -np.inf else []) + (
            [y.max()] if support.high < np.inf else []
        )
        if holds(np.array(ends)).all():
            return  # an interval holds all that lies between its ends
    inside = holds(y)
    if inside.all():
        return
    values = np.asarray(y)
    # Of labels and of intervals, the support of their values says nothing by itself.
    numbers_alone = family.observation.numeric and family.observation.finite
    negative = numbers_alone and support.low >= 0 and bool((values < 0).any())
    allowed += " for each value y" if numbers_alone and allowed == str(support) else ""
    advice = family.amiss(values[~inside]) or (
        "Remove or mend these rows, or choose a family whose support holds them."
    )
    if support.whole and support.rates and support.spans(values).all():
        advice = (
            "Choose a continuous family; rates are for MLERegressor, with exposures as "
            "sample_weight."
        )
    raise refused(
        f"{'Negative values in data: ' if negative else ''}{family.title}: "
        f"{_rows(~inside, values, mask)} of {what} outside the support. "
        f"Allowed: {allowed}. {advice}",
        (np.arange(len(inside)) if mask is None else np.flatnonzero(mask))[~inside],
    )


def warn_of_rates(family: Family, y: Any, weighted: bool) -> None:
    """Warn if values that are not whole are taken for counts, as rates have their weights."""
    if weighted or not family.support.rates or (whole := family.contains(y)).all():
        return
    warnings.warn(
        f"{family.title}: {_rows(~whole, np.asarray(y))} of y not whole. A law of counts takes "
        "them as rates, each of as much exposure as its weight, here 1: AIC and standard errors "
        "are right for that alone. Allowed: counts, with exposure=...; rates with the exposures as "
        "sample_weight. Give these; if only the mean is right, ask for covariance='HC0'.",
        ScaleWarning,
        level_outside(),
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
    n = _num_samples(X)
    sample_weight = to_numpy(sample_weight, "sample_weight")
    if sample_weight is None or isinstance(sample_weight, numbers.Number):
        weight = np.full(n, 1.0 if sample_weight is None else sample_weight, np.float64)
    else:
        weight = as_numbers(sample_weight, "sample_weight")
    if weight.shape != (n,):
        raise ValueError(
            f"sample_weight: the shape is {weight.shape}, but X has {n} rows. Allowed: shape "
            f"({n},). Give one weight a row."
        )
    if not all_finite(weight):
        raise refused(
            f"Input sample_weight contains {'NaN' if np.isnan(weight).any() else 'infinity'}: "
            f"{_rows(~np.isfinite(weight), weight)} are not finite. Allowed: "
            f"finite weights >= 0. {_MEND}",
            np.flatnonzero(~np.isfinite(weight)),
        )
    if (weight < 0).any():
        raise refused(
            f"Negative values in data passed to `sample_weight`: {_rows(weight < 0, weight)}. "
            f"Allowed: weights >= 0. {_MEND}",
            np.flatnonzero(weight < 0),
        )
    if not (weight > 0).any():
        raise ValueError(
            f"sample_weight: all {n} weights are zero. Allowed: some positive weight. Pass None "
            "to weigh all rows alike."
        )
    if class_weight is not None:
        weight = weight * class_weight
        if not (weight > 0).any():
            raise ValueError(
                f"class_weight: all {n} rows that count are of classes of weight zero. Allowed: "
                "some row of positive weight. Give one of these classes a positive weight."
            )
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
