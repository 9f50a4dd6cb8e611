"""The groups of rows that users name, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Whole numbers to a row up to which groups are found by a table of all numbers: some ms for a
# million rows, where sorting took 150.
_DENSE = 4


def coded_groups(
    groups: Any,
    n: int,
    mask: NDArray[np.bool_] | None,
    what: str = "inference",
    instead: str = "covariance='HC1'",
    ways_allowed: int = 2,
) -> tuple[NDArray[np.intp], ...]:
    """Return the groups of n rows by numbers from 0 on: one way to group them, or two.

    `mask` says which rows the n are, if there are more; `what` asks, and could use `instead`.

    Raises
    ------
    ValueError
        If there is not one group a row, one is missing, or all rows are of one group.
    """
    labels = np.asarray(groups)
    n = n if mask is None else len(mask)
    if isinstance(groups, str):
        raise ValueError(
            f"{what}: groups={groups!r} is a name. Allowed: the group of each row, shape ({n},). "
            f"Give the column itself, such as frame[{groups!r}]."
        )
    wrong = labels.ndim not in (1, 2) or len(labels) != n
    if wrong or (labels.ndim == 2 and labels.shape[1] > ways_allowed):
        two = f", or ({n}, 2) for two ways to group the rows" if ways_allowed == 2 else ""
        raise ValueError(
            f"{what}: groups has the shape {labels.shape}, but there are {n} rows. Allowed: "
            f"shape ({n},){two}. Give the group of each row."
        )
    if mask is not None:
        labels, n = labels[mask], int(mask.sum())
    ways = []
    for column in labels.reshape(n, -1).T:
        if column.dtype.kind == "f":
            missing = ~np.isfinite(column)
        elif column.dtype.kind in "biu":
            missing = np.zeros(n, bool)
        else:
            missing = np.array([label is None or label != label for label in column.tolist()])
        if missing.any():
            raise ValueError(
                f"{what}: groups has no label in {int(missing.sum())} of {n} rows, the first is "
                f"row {int(np.flatnonzero(missing)[0])}. Allowed: one label a row. Give these rows "
                "groups of their own, or fit without them."
            )
        if column.dtype.kind == "O":
            column = column.astype(str)
        codes = _codes(column)
        if codes.max() == 0:
            raise ValueError(
                f"{what}: groups has one group, {labels.ravel().tolist()[0]!r}, in its {n} rows, "
                "and one group says nothing of how groups differ. Allowed: at least two groups, "
                f"better 30. Use {instead} if the rows are independent."
            )
        ways.append(codes)
    if len(ways) == 2:  # and the groups within both
        ways.append(_codes(ways[0] * (ways[1].max() + 1) + ways[1]))
    return tuple(ways)


def _codes(labels: NDArray[Any]) -> NDArray[np.intp]:
    """Return the places of labels among the different ones."""
    if labels.dtype.kind in "iu":
        low, high = int(labels.min()), int(labels.max())
        if high - low <= _DENSE * len(labels):  # which takes no sorting
            wide = labels if labels.itemsize == 8 else labels.astype(np.int64)
            moved = wide - wide.dtype.type(low)
            there = np.zeros(high - low + 1, bool)
            there[moved] = True
            return np.asarray((np.cumsum(there) - 1)[moved], np.intp)
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.intp)
