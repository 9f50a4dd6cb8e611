"""The group of each row: given beside the data, or as a column of a data frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skmle._shared.finite import missing_rows
from skmle._shared.labels import sorted_labels
from skmle._shared.refused import refused, rows_refused
from skmle._spelling import did_you_mean

Codes = NDArray[np.intp]

_SHOWN = 5  # groups that a message names, at most; chosen for reading


class Grouping(NamedTuple):
    """Rows by group."""

    labels: NDArray[Any]
    """The groups in order, (G,); of a categorical column all of its categories, some without rows.
    """
    codes: Codes
    """The number of each row's group among the labels, (n,)."""
    X: Any
    """The data without the column of the groups."""


def grouping_of(X: Any, groups: Any) -> Grouping:
    """Return the groups of the rows of X.

    Parameters
    ----------
    X : array-like
    groups : array-like of shape (n,) or column name

    Raises
    ------
    ValueError
        If X has no such column, a group is missing, or there is not one a row.
    """
    values, X = group_column(X, groups)
    if type(getattr(values, "dtype", None)).__name__ == "CategoricalDtype":
        labels = np.asarray(values.dtype.categories)
        codes = np.asarray(getattr(values, "cat", values).codes).astype(np.intp)
        _check_shape(codes, X)
        _check_known(np.flatnonzero(codes < 0), np.asarray(values, object))
        return Grouping(labels, codes, X)
    array = _checked(values, X)
    return Grouping(*sorted_labels(array, "fit_groups, groups"), X)


def group_column(X: Any, groups: Any) -> tuple[Any, Any]:
    """Return the groups and the data without them, where a column of X is named.

    Raises
    ------
    ValueError
        If X has no such column.
    """
    if groups is None:
        raise ValueError(
            "groups: None was given. Allowed: one group a row, or the name of a column of X. Give "
            "groups=..."
        )
    if not isinstance(groups, str):
        return groups, X
    columns = getattr(X, "columns", None)
    if columns is None:
        raise ValueError(
            f"groups: X has no column {groups!r}, as it has no names. Allowed: one group a row, or "
            "the name of a column of a data frame. Give an array, or a DataFrame as X."
        )
    names = [str(name) for name in columns]
    if groups not in names:
        hint = did_you_mean(groups, names, "Give one of these.", most=3)
        have = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        raise ValueError(f"groups: X has no column {groups!r}. Allowed: {have}. {hint}")
    label = columns[names.index(groups)]  # which need not be a text
    rest = X.drop(columns=[label]) if hasattr(X, "iloc") else X.drop(label)
    return X[label], rest


def codes_among(labels: NDArray[Any], groups: Any, X: Any, missing: Sequence[int] = ()) -> Codes:
    """Return the number of each row's group among those of a fit.

    Parameters
    ----------
    labels : ndarray of shape (G,)
        The groups of the fit.
    groups : array-like of shape (n,)
    X : array-like
    missing : sequence of int
        Groups that have no fit.

    Raises
    ------
    ValueError
        If a group has no fit.
    """
    array = _checked(groups, X)
    own, inverse = np.unique(array, return_inverse=True)
    position: dict[Hashable, int] = {label: j for j, label in enumerate(labels.tolist())}
    found = np.array([position.get(label, -1) for label in own.tolist()], np.intp)
    without = set(missing)
    if unknown := [own[k] for k, j in enumerate(found) if j < 0 or j in without]:
        raise no_fit_of(unknown, labels, missing, np.flatnonzero(np.isin(array, unknown)))
    return found[inverse]


def no_fit_of(
    unknown: Sequence[Any],
    labels: NDArray[Any],
    missing: Sequence[int] = (),
    rows: Sequence[int] | NDArray[np.intp] = (),
) -> ValueError:
    """Return the error that some groups, which are those of some rows, have no fit."""
    shown = in_words(unknown) + (f" ({rows_in_words(rows)})" if len(rows) else "")
    known = np.delete(labels, list(missing))
    return ValueError(
        f"groups: no fit is known of {shown}. Allowed: {in_words(known)}. Leave these rows out, or "
        "fit their groups (`status_` and `message_` say why a group has no fit)."
    )


def rows_in_words(rows: Sequence[int] | NDArray[np.intp]) -> str:
    """Return the numbers of the first rows, and how many there are."""
    listed = ", ".join(str(int(row)) for row in rows[:_SHOWN])
    more = f", ... ({len(rows)} in all)" if len(rows) > _SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {listed}{more}"


def refused_in_groups(
    error: ValueError, what: str, labels: NDArray[Any], codes: Codes
) -> ValueError:
    """Return an error, with the groups to which the rows belong that it refuses."""
    if (rows := rows_refused(error)) is None:
        return error
    groups = np.unique(codes[rows])
    shown = "; ".join(
        f"{in_words(labels[[g]])}: {rows_in_words(rows[codes[rows] == g])}" for g in groups[:_SHOWN]
    )
    more = "; ..." if len(groups) > _SHOWN else ""
    return refused(f"{what}, {len(groups)} of {len(labels)} groups ({shown}{more}): {error}", rows)


def in_words(labels: Sequence[Any] | NDArray[Any]) -> str:
    """Return the first labels as Python writes them, and how many there are."""
    listed = [np.asarray(label).tolist() for label in labels[:_SHOWN]]
    more = f", ... ({len(labels)} in all)" if len(labels) > _SHOWN else ""
    return ", ".join(map(repr, listed)) + more


def _checked(groups: Any, X: Any) -> NDArray[Any]:
    array = np.asarray(groups)
    _check_shape(array, X)
    _check_known(missing_rows(array), array)
    if array.dtype.kind == "O" and all(type(label) is str for label in array.tolist()):
        array = array.astype(str)
    return array


def _check_known(missing: NDArray[np.intp], groups: NDArray[Any]) -> None:
    """Raise ValueError if there are rows of which no group is known."""
    if not len(missing):
        return
    shown = ", ".join(f"row {row}: {groups[row]}" for row in missing[:_SHOWN])
    more = ", ..." if len(missing) > _SHOWN else ""
    raise refused(
        f"groups: {len(missing)} of {len(groups)} rows have no group ({shown}{more}). Allowed: a "
        "label or a finite number for each row. Drop these rows, or make them a group of their "
        "own, as groups.fillna('unknown') does in pandas.",
        missing,
    )


def _check_shape(array: NDArray[Any], X: Any) -> None:
    n = _num_samples(X)
    if array.shape != (n,):
        raise ValueError(
            f"groups: the shape is {array.shape}, but X has {n} rows. Allowed: shape ({n},), or "
            "the name of a column of a data frame. Give one group a row; of several keys make one, "
            "as X['a'].astype(str) + '/' + X['b'].astype(str) does."
        )


class RowsByGroup(NamedTuple):
    """The data of the user, and where those of each group are."""

    X: Any
    y: Any
    rest: dict[str, Any]
    """Weights, offsets and exposures that are given beside X."""
    order: NDArray[np.intp] | None
    """The rows, group by group; None: the groups are columns."""
    ends: NDArray[np.intp]

    @classmethod
    def by(
        cls, codes: NDArray[np.intp] | None, count: int, X: Any, y: Any, rest: dict[str, Any]
    ) -> RowsByGroup:
        """Return the data by group; by column without codes."""
        if codes is None:
            return cls(X, y, rest, None, np.zeros(0, np.intp))
        order = np.argsort(codes, kind="stable")
        return cls(X, y, rest, order, np.cumsum(np.bincount(codes, minlength=count)))

    def numbers(self, group: int) -> NDArray[np.intp]:
        """Return the numbers of the rows of one group."""
        assert self.order is not None
        return self.order[self.ends[group - 1] if group else 0 : self.ends[group]]

    def is_empty(self, group: int) -> bool:
        """Return whether a group has no rows."""
        return self.order is not None and not len(self.numbers(group))

    def of(self, group: int) -> tuple[Any, Any, dict[str, Any]]:
        """Return X, y and all that is given beside them, of one group."""
        if self.order is None:
            return _safe_indexing(self.X, [group], axis=1), None, self.rest
        index = self.numbers(group)
        y = None if self.y is None else _safe_indexing(self.y, index)
        rest = {
            name: value if np.ndim(value) == 0 else _safe_indexing(value, index)
            for name, value in self.rest.items()
        }
        return _safe_indexing(self.X, index), y, rest
