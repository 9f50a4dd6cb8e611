"""Offset and exposure: the known part of the first linear predictor."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from skmle._shared.columns import own_column
from skmle._shared.validation import as_floats, check_finite
from skmle.exceptions import ScoreWarning
from skmle.families import Family

Array = NDArray[np.float64]


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
    if all(given is None for given in (offset, exposure, estimator.offset, estimator.exposure)):
        return None
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
        picked = X[:, [own_column(estimator, what, column)]]
        return np.asarray(picked.toarray() if sp.issparse(picked) else picked, np.float64).ravel()
    with as_floats(type(estimator).__name__, what):
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


def warn_of_missing(at_fit: tuple[bool, bool], offset: Any, exposure: Any, stacklevel: int) -> None:
    """Warn if offset or exposure was given beside X to the fit, as `at_fit` says, but not here."""
    for what, given, values in zip(("offset", "exposure"), at_fit, (offset, exposure), strict=True):
        if given and values is None:
            message = (
                f"MLERegressor.score: fit was given {what}=, score was not, so rates are compared "
                f"with counts. Allowed: both or neither. Pass {what}= here too, or name a column "
                "of X in the constructor, which every pipeline and split keeps."
            )
            warnings.warn(message, ScoreWarning, stacklevel=stacklevel + 1)
