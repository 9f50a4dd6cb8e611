"""Soft labels: for each row a probability of each class in place of one label."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._shared.arrays import to_numpy
from skmle._shared.refused import refused

Array = NDArray[np.float64]

_SUM = 1e-6  # by which the shares of a row may differ from 1 in all, as those in single precision


class Shares(NamedTuple):
    """Soft labels as a table."""

    shares: Array
    """(n, K), rows that add up to one."""
    classes: NDArray[Any]
    """Names of the columns of a data frame, or 0, 1, ..., K - 1."""


def shares_of(y: Any, what: str) -> Shares | None:
    """Return soft labels; None if y holds labels.

    Soft labels are a matrix of K > 1 columns, or for two classes fractions between 0 and 1, the
    probabilities of class 1.

    Raises
    ------
    ValueError
        If a matrix has entries outside [0, 1], or rows that do not add up to one.
    """
    table = np.asarray(to_numpy(y, what))
    if table.dtype.kind not in "biuf":
        return None
    if table.ndim == 1:
        fractions = table.dtype.kind == "f" and bool(((table > 0.0) & (table < 1.0)).any())
        if not fractions or not ((table >= 0.0) & (table <= 1.0)).all():
            return None
        second = table.astype(np.float64)
        return Shares(np.column_stack([1.0 - second, second]), np.arange(2))
    if table.ndim != 2 or table.shape[1] < 2:
        return None
    shares = table.astype(np.float64)
    bad = ~((shares >= 0.0) & (shares <= 1.0)).all(axis=1)
    bad |= ~(np.abs(shares.sum(axis=1) - 1.0) <= _SUM)
    if bad.any():
        row = int(np.argmax(bad))
        raise refused(
            f"{what}: y has {table.shape[1]} columns, and {int(bad.sum())} of {len(bad)} rows are "
            f"no probabilities of classes (row {row}: {shares[row].tolist()}, sum "
            f"{shares[row].sum():.6g}). Allowed: entries from 0 to 1 that add up to 1 in each row, "
            "or one label a row. Divide each row by its sum, or give labels.",
            np.flatnonzero(bad),
        )
    columns = getattr(y, "columns", None)
    classes = np.arange(table.shape[1]) if columns is None else np.asarray(columns)
    return Shares(shares / shares.sum(axis=1, keepdims=True), classes)


def log_prob_of_shares(found: Shares, log_proba: Array, classes: NDArray[Any], what: str) -> Array:
    """Return the mean log-probability of each row under its shares, (n,).

    Raises
    ------
    ValueError
        If there are not as many columns as classes, or as many rows.
    """
    if found.shares.shape != log_proba.shape:
        raise ValueError(
            f"{what}: y has shape {found.shares.shape}, but there are {log_proba.shape[0]} rows "
            f"and {len(classes)} classes. Allowed: shape {log_proba.shape}, or one label a row. "
            "Give a column for each class, in the order of classes_."
        )
    with np.errstate(invalid="ignore"):
        return np.where(found.shares > 0.0, found.shares * log_proba, 0.0).sum(axis=1)
