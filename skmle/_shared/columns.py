"""Which columns are meant: a parameter's features, offset and exposure, and labels' probabilities.

Columns of X are given by names, indices, slices, masks or selectors.
"""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from skmle._shared.validation import check_finite
from skmle.families import Family

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_SHOWN = 10  # column names that a message lists, at most; chosen for reading


class Columns(NamedTuple):
    """The columns of one parameter."""

    columns: Indices | None
    """Indices into the columns of X; None if the parameter is a constant."""
    names: list[str]
    all: bool
    """Whether they are all columns of X, in order."""

    @property
    def size(self) -> int:
        """Number of columns."""
        return 0 if self.columns is None else len(self.columns)

    @property
    def selection(self) -> Indices | slice | None:
        """The columns as an index of X; a slice if they are all, so that nothing is copied."""
        return slice(None) if self.all else self.columns


def resolve_column(
    column: str | int, what: str, names: Sequence[str] | None, n_columns: int
) -> int:
    """Return the index of one column, by name or index.

    Raises
    ------
    ValueError
        If X has no such column.
    """
    span = f"0 to {n_columns - 1}"
    if isinstance(column, str):
        known = [] if names is None else [str(n) for n in names]
        if column in known:
            return known.index(column)
        if not known:
            raise ValueError(
                f"{what}: X has no column {column!r}, as it has no names. Allowed: {span}. Give "
                "an index, or a DataFrame."
            )
        near = difflib.get_close_matches(column, known, n=3)
        hint = (
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else "Give one of these names, or an index."
        )
        have = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        raise ValueError(f"{what}: X has no column {column!r}. Allowed: {have}. {hint}")
    if not isinstance(column, numbers.Integral):
        raise ValueError(
            f"{what}: {column!r} names no column. Allowed: names, and indices from {span}. Give "
            "one of them."
        )
    index = int(column)
    if not -n_columns <= index < n_columns:
        raise ValueError(
            f"{what}: X has no column {column!r}. Allowed: {span}. Give an index in this range."
        )
    return index % n_columns


def resolve_features(
    features: Mapping[str, Any] | None,
    parameters: Sequence[str],
    modelled: Sequence[str],
    names: Sequence[str] | None,
    n_columns: int,
    held_out: Sequence[int],
    frame: Any,
) -> dict[str, Columns]:
    """Return the columns of each parameter.

    Parameters
    ----------
    features : mapping of parameter to columns, optional
        As in `MLERegressor`.
    parameters : sequence of str
        Names of the family's parameters, in order.
    modelled : sequence of str
        Names of those that depend on all columns unless `features` says otherwise.
    names : sequence of str, optional
        Names of the columns of X.
    n_columns : int
        Number of columns of X.
    held_out : sequence of int
        Columns that are offset or exposure, which "all" leaves out.
    frame : array-like
        X as the user gave it, for column selectors.
    """
    unknown = [name for name in features or {} if name not in parameters]
    if unknown:
        raise ValueError(
            f"features: the law has no parameter {unknown[0]!r}. Allowed: "
            f"{', '.join(parameters)}. Rename the key."
        )
    labels = [f"x{j}" for j in range(n_columns)] if names is None else [str(n) for n in names]
    result = {}
    for parameter in parameters:
        spec = (features or {}).get(parameter, "all" if parameter in modelled else "none")
        index = _indices(spec, parameter, names, n_columns, held_out, frame)
        whole = index is not None and np.array_equal(index, np.arange(n_columns))
        result[parameter] = Columns(
            index, [] if index is None else [labels[i] for i in index], whole
        )
    return result


def _indices(
    spec: Any,
    parameter: str,
    names: Sequence[str] | None,
    n_columns: int,
    held_out: Sequence[int],
    frame: Any,
) -> Indices | None:
    what = f"features[{parameter!r}]"
    if callable(spec):
        spec = list(spec(frame))
    if spec is None or (isinstance(spec, str) and spec == "none"):
        return None
    if isinstance(spec, str) and spec == "all":
        return np.setdiff1d(np.arange(n_columns), held_out).astype(np.intp)
    if isinstance(spec, slice):
        picked = np.arange(n_columns)[spec].astype(np.intp)
        if not len(picked):
            raise ValueError(
                f"{what}: {spec!r} picks none of the {n_columns} columns of X. Allowed: some "
                "column. Mend it, or say 'none'."
            )
        return picked
    if isinstance(spec, str) or not isinstance(spec, Iterable):
        spec = [spec]
    spec = list(spec)
    if spec and all(isinstance(s, (bool, np.bool_)) for s in spec):
        if len(spec) != n_columns:
            raise ValueError(
                f"{what}: the mask has {len(spec)} entries, but X has {n_columns} columns. "
                "Allowed: one entry a column. Mend its length."
            )
        return np.flatnonzero(spec).astype(np.intp) if any(spec) else None
    index = np.array([resolve_column(s, what, names, n_columns) for s in spec], np.intp)
    if len(set(index.tolist())) < len(index):
        raise ValueError(
            f"{what}: {spec!r} names a column twice. Allowed: each column once. Drop the "
            "repetition."
        )
    return index if len(index) else None


# ---------------------------------------------------------------- offset and exposure


def held_out(estimator: Any) -> list[int]:
    """Return the columns of X that are the estimator's offset or exposure, and so no features."""
    given = (("offset", estimator.offset), ("exposure", estimator.exposure))
    return [_own_column(estimator, what, column) for what, column in given if column is not None]


def resolve_offset(
    estimator: Any, X: Any, offset: ArrayLike | None, exposure: ArrayLike | None, family: Family
) -> Array | None:
    """Return the known part of the first linear predictor, of shape (n,), or None if there is none.

    It is the offset plus the logarithm of the exposure. Each of the two comes from the column of X
    that the estimator names for it, or from the array that is given beside X.

    Raises
    ------
    ValueError
        If offset or exposure is given both ways, if its shape or a value does not fit, or if an
        exposure is given while the link is not the logarithm.
    """
    added = _from_column_or_array(estimator, X, "offset", offset)
    exposed = _from_column_or_array(estimator, X, "exposure", exposure)
    if exposed is None:
        return added
    if not (exposed > 0).all():
        bad = np.flatnonzero(~(exposed > 0))
        raise ValueError(
            f"exposure: {len(bad)} of {len(exposed)} rows are not positive (first: row {bad[0]}: "
            f"{exposed[bad[0]]:g}). Allowed: exposure > 0. Remove these rows."
        )
    if family.link(0).name != "log":
        raise ValueError(
            f"exposure: the first parameter of {family.title} has link {family.link(0).name!r}. "
            "Allowed: 'log'. Use offset instead, on the scale of the link."
        )
    return np.log(exposed) if added is None else added + np.log(exposed)


def _from_column_or_array(
    estimator: Any, X: Any, what: str, given: ArrayLike | None
) -> Array | None:
    """Return the values of offset or exposure (`what`), one a row; None if there are none."""
    column, n = getattr(estimator, what), X.shape[0]
    if column is None and given is None:
        return None
    if column is not None and given is not None:
        raise ValueError(
            f"{what}: both the column {column!r} of X and an array were given. Allowed: one of "
            f"them. Drop the array, or set {what}=None."
        )
    if given is None:
        picked = X[:, [_own_column(estimator, what, column)]]
        return np.asarray(picked.toarray() if sp.issparse(picked) else picked, np.float64).ravel()
    values = check_array(
        given, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name=what
    )
    check_finite(estimator, values, what)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.shape != (n,):
        raise ValueError(
            f"{what}: the shape is {values.shape}, but X has {n} rows. Allowed: shape ({n},). "
            "Give one value a row."
        )
    return values


def _own_column(estimator: Any, what: str, column: str | int) -> int:
    return resolve_column(
        column, what, getattr(estimator, "feature_names_in_", None), estimator.n_features_in_
    )


# ---------------------------------------------------------------- labels


def label_columns(classes: Any, labels: Any) -> Indices:
    """Return, for each label, its column of `predict_proba`; -1 for a label that is no class."""
    # Found in a dictionary: labels may be of any type, of another type than the classes, and of
    # types without an order, so they cannot be searched for among sorted classes.
    position = {label: j for j, label in enumerate(np.asarray(classes).tolist())}
    return np.array([position.get(label, -1) for label in np.asarray(labels).tolist()], np.intp)
