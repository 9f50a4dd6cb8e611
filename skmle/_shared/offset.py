"""Offset and exposure: the known part of the first linear predictor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from skmle._shared.arrays import to_numpy
from skmle._shared.columns import own_column
from skmle._shared.finite import check_finite
from skmle._shared.kinds import as_numbers
from skmle._shared.messages import level_outside
from skmle._shared.refused import refused
from skmle._spelling import did_you_mean
from skmle.exceptions import ScoreWarning
from skmle.families import Family

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What `inference` takes beside the rows, and an offset or an exposure.
OF_INFERENCE = (
    *("covariance", "groups", "lags", "weights", "correction", "distribution"),
    "confidence_level",
)
# What other programs call some of these.
_ELSEWHERE = {
    "cov_type": "covariance",
    "vcov": "covariance",
    "type": "covariance",
    "cluster": "groups",
    "maxlags": "lags",
    "level": "confidence_level",
    "coverage": "confidence_level",
    "use_t": "distribution",
    "robust": "covariance",
    "vce": "covariance",
}

# What stands for the value of a row that does not count: it changes no linear predictor.
_NEUTRAL = {"offset": 0.0, "exposure": 1.0}


def resolve_offset(
    estimator: Any,
    X: Any,
    offset: ArrayLike | None,
    exposure: ArrayLike | None,
    family: Family,
    counting: Mask | None = None,
) -> Array | None:
    """Return the known part of the first linear predictor, of shape (n,), or None if there is none.

    It is the offset plus the logarithm of the exposure. Each of the two comes from the column of X
    that the estimator names for it, or from the numbers that are given beside X, one a row or one
    for all rows.

    Parameters
    ----------
    estimator : MLERegressor
    X : ndarray or sparse array of shape (n, p)
    offset, exposure : array-like of shape (n,) or number, optional
    family : Family
    counting : ndarray of bool of shape (n,), optional
        The rows of positive weight; the values of the others are not looked at.

    Raises
    ------
    ValueError
        If offset or exposure is given both ways, if its shape or a value does not fit, or if an
        exposure is given while the link is not the logarithm.
    """
    if all(given is None for given in (offset, exposure, estimator.offset, estimator.exposure)):
        return None
    added = _from_column_or_array(estimator, X, "offset", offset, counting)
    exposed = _from_column_or_array(estimator, X, "exposure", exposure, counting)
    if exposed is None:
        return added
    if not (exposed > 0).all():
        bad = np.flatnonzero(~(exposed > 0))
        scaled = estimator.exposure is not None and (exposed < 0).any()
        advice = "Remove them, or give them weight 0."
        if scaled:
            advice = (
                "If a scaler of a pipeline moved them, hand the column on as it is: "
                "make_column_transformer(..., remainder='passthrough')."
            )
        raise refused(
            f"exposure: {len(bad)} of {len(exposed)} rows are not positive (first: row {bad[0]}: "
            f"{exposed[bad[0]]:g}). Allowed: exposure > 0. {advice}",
            bad,
        )
    if family.link(0).name != "log":
        raise ValueError(
            f"exposure: the first parameter of {family.title} has link {family.link(0).name!r}. "
            "Allowed: 'log'. Use offset instead, on the scale of the link."
        )
    return np.log(exposed) if added is None else added + np.log(exposed)


def _from_column_or_array(
    estimator: Any, X: Any, what: str, given: ArrayLike | None, counting: Mask | None
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
        values = np.asarray(picked.toarray() if sp.issparse(picked) else picked, np.float64).ravel()
    else:
        values = one_a_row(what, given, n)
    if counting is not None:
        values = np.where(counting, values, _NEUTRAL[what])
    check_finite(estimator, values, what)
    return values


def one_a_row(what: str, given: ArrayLike, n: int) -> Array:
    """Return numbers that were given beside n rows of X, one a row; one for all is repeated.

    Raises
    ------
    ValueError
        If they are no numbers, or as many as another X has rows.
    """
    values: Array = as_numbers(to_numpy(given, what), what)
    shape: tuple[int, ...] = np.shape(values)
    values = values[:, 0] if shape[1:] == (1,) else values
    values = np.full(n, float(values)) if np.ndim(values) == 0 else values
    if values.shape != (n,):
        raise ValueError(
            f"{what}: the shape is {values.shape}, but X has {n} rows. Allowed: shape ({n},), or "
            "one number for all rows. Give one value a row."
        )
    return values


def check_beside(
    asked: str, model: Any, given: Mapping[str, Any], settings: Sequence[str] = ()
) -> None:
    """Raise TypeError if what is given beside X is no offset or exposure that the model takes.

    Parameters
    ----------
    asked : str
        The function that was called, for the message.
    model : estimator
    given : mapping of str
        Keyword arguments beside those that the function names, `settings`.
    """
    if not given:
        return
    known = model.get_params(deep=False) if hasattr(model, "get_params") else {}
    takes = list(_NEUTRAL) if known.keys() >= _NEUTRAL.keys() else []
    for name in given:
        if name in _NEUTRAL and not takes:
            raise TypeError(
                f"{asked}: {name}= was given, which {type(model).__name__} cannot take into "
                "account. Allowed: for MLERegressor. Drop the argument, or use that."
            )
        if name not in _NEUTRAL:
            allowed = [*settings, *takes]
            ours = _ELSEWHERE.get(name, name)
            hint = did_you_mean(ours, allowed, "Settings are the estimator's.")
            raise TypeError(
                f"{asked}: there is no argument {name!r}. Allowed beside the rows: "
                f"{', '.join(allowed) or 'none'}. {hint}"
            )


def warn_of_forgotten(at_fit: tuple[bool, bool], offset: Any, exposure: Any) -> None:
    """Warn if offset or exposure was given beside X to the fit, as `at_fit` says, but not here."""
    for what, given, values in zip(_NEUTRAL, at_fit, (offset, exposure), strict=True):
        if given and values is None:
            neutral = _NEUTRAL[what]
            message = (
                f"MLERegressor: fit was given {what}= beside X, this call was not: its answer is "
                f"of rows with {what} {neutral:g}. Allowed: {what}= here too, one value a row, or "
                f"{what}={neutral:g} to say so. Pass it, or name a column of X in the "
                "constructor, which every pipeline and split keeps."
            )
            warnings.warn(message, ScoreWarning, stacklevel=level_outside())
