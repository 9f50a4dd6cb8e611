"""Labels: the classes among them, their weights, and the column of each label's probability."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from skmle._shared.arrays import to_numpy
from skmle._shared.kinds import as_floats
from skmle._shared.messages import level_outside
from skmle.exceptions import ScoreWarning

Indices = NDArray[np.intp]

# From 2^53 on every double is a whole number and neighbours differ by more than one: those below
# can be converted to integers and back without loss.
_WHOLE = 2.0**53
_SHOWN = 5  # rows that a message names, at most; chosen for reading
_MOST_CLASSES = 10  # classes that a message lists, at most; chosen for reading


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
        raise mixed_labels(y, what) from None


def ordered_categories(y: Any) -> list[Any] | None:
    """Return the order that labels bring along, the lowest first; None if they bring none.

    pandas has ordered categoricals, polars has Enums.
    """
    kind = getattr(y, "dtype", None)
    if getattr(kind, "ordered", False) or type(kind).__name__ == "Enum":
        return list(kind.categories)  # type: ignore[union-attr]
    return None


def check_labels(y: NDArray[Any], what: str) -> None:
    """Raise ValueError if the labels are no classes, as fractional numbers are not.

    Whole numbers and texts are classes, and to look at each of them would take long. Python's own
    whole numbers are classes, too, of any size, and so are objects of any one type that have an
    order and a hash, such as the intervals of `pandas.cut`.
    """
    if y.dtype.kind in "biuSU":
        return
    if y.dtype.kind == "O":
        kinds = {type(label) for label in y.ravel().tolist()}
        if all(issubclass(kind, numbers.Integral) for kind in kinds):
            return
        if not any(issubclass(kind, numbers.Number) for kind in kinds) and len(kinds) == 1:
            (kind,) = kinds
            ordered = getattr(kind, "__lt__", None) is not getattr(object, "__lt__", None)
            if issubclass(kind, Hashable) and ordered:
                return
        if len(kinds) > 1 and not all(issubclass(kind, numbers.Number) for kind in kinds):
            raise mixed_labels(y, what)
    check_classification_targets(y)


def mixed_labels(y: NDArray[Any], what: str) -> ValueError:
    """Return the error that says of which types the labels are."""
    kinds = ", ".join(sorted({type(label).__name__ for label in y.ravel().tolist()}))
    return ValueError(
        f"{what}: the labels are of types {kinds}, which have no common order. Allowed: labels of "
        "one type. Convert them: y.astype(str)."
    )


def label_columns(classes: Any, labels: Any) -> Indices:
    """Return, for each label, its column of `predict_proba`; -1 for a label that is no class."""
    # Found in a dictionary: labels may be of any type, of another type than the classes, and of
    # types without an order, so they cannot be searched for among sorted classes.
    position = {label: j for j, label in enumerate(np.asarray(classes).tolist())}
    return np.array([position.get(label, -1) for label in np.asarray(labels).tolist()], np.intp)


def of_labels(
    what: str,
    log_proba: NDArray[np.float64],
    classes: Any,
    labels: NDArray[Any],
    counting: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the log-probability of each row's label, (n,), from those of all classes, (n, K).

    That of a label that is no class is -inf, of which a warning tells.
    """
    column = label_columns(classes, labels)
    warn_of_unseen(what, labels, column < 0, f"labels {_in_words(classes)}", counting)
    return np.where(column >= 0, log_proba[np.arange(len(column)), column], -np.inf)


def warn_of_unseen(
    what: str,
    labels: NDArray[Any],
    unseen: NDArray[np.bool_],
    seen: str,
    counting: NDArray[np.bool_] | None = None,
) -> None:
    """Warn if there are labels that the fit has not seen, and name them.

    Parameters
    ----------
    what : str
        The model that was fitted.
    labels : ndarray of shape (n, ...)
    unseen : ndarray of bool of shape (n,)
    seen : str
        What the fit has seen, in words.
    counting : ndarray of bool of shape (n,), optional
        The rows that count; the others may have any label.
    """
    rows = np.flatnonzero(unseen if counting is None else unseen & counting)
    if not len(rows):
        return
    shown = ", ".join(f"row {row}: {_shown(labels[row])}" for row in rows[:_SHOWN])
    shown += ", ..." if len(rows) > _SHOWN else ""
    advice = "Leave these rows out, or fit on rows of every label (StratifiedKFold splits so)."
    if len(rows) == len(labels):
        advice = "No label is known: give labels of the type and spelling that fit was given."
    warnings.warn(
        f"{what}: {len(rows)} of {len(labels)} rows have a label that fit has not seen ({shown}), "
        f"so that their log-probability is -inf. Allowed: {seen}. {advice}",
        ScoreWarning,
        stacklevel=level_outside(),
    )


def _shown(label: Any) -> str:
    """Return a label as it is written in Python: texts with quotes, numbers without their type."""
    return repr(label.tolist() if isinstance(label, (np.generic, np.ndarray)) else label)


def _in_words(classes: Any) -> str:
    """Return the first classes as they are written in Python, and how many there are."""
    shown = [_shown(label) for label in np.asarray(classes)[:_MOST_CLASSES]]
    more = "" if len(classes) <= _MOST_CLASSES else f", ... ({len(classes)} in all)"
    return ", ".join(shown) + more


def one_label_a_row(y: Any, n: int, what: str) -> NDArray[Any]:
    """Return the labels of n rows as an array of shape (n,).

    Raises
    ------
    ValueError
        If there is not one label a row.
    """
    y = np.asarray(to_numpy(y, what))
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (n,):
        raise ValueError(
            f"{what}: y has shape {y.shape}, but X has {n} rows. Allowed: shape ({n},). Give one "
            "label a row."
        )
    return y


def class_weights(
    class_weight: Any, classes: NDArray[Any], y: NDArray[Any], sample_weight: Any
) -> NDArray[np.float64]:
    """Return the weight of each class, as scikit-learn computes them; 0 leaves a class out.

    Raises
    ------
    ValueError
        If one is negative or not finite, or all are zero.
    """
    with as_floats("CrossEntropyClassifier", "class_weight"):
        weights = compute_class_weight(
            class_weight, classes=classes, y=y, sample_weight=sample_weight
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ValueError(
            f"CrossEntropyClassifier: class_weight={class_weight!r} is not allowed; give each "
            "class a finite weight >= 0, and some class a positive one."
        )
    return weights
