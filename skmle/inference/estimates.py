"""Functions of a fitted model, with standard errors: the delta method for anything that it says.

A function is differentiated along the d columns of a root L of the covariance, C = L L'. A step of
one along a column is one standard error, whatever the units of the coefficients. With D the
derivatives, (m, d), the covariance of the m values is D D'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Steps of the differences, in standard errors. The error of the rule below is about
# (_STEP * nonlinearity)^6/140, where a nonlinearity of one changes the slope by itself within a
# standard error: below 1e-10. Rounding adds 1e-16/_STEP of the value over its standard error.
_STEP = 0.05
# Central differences of order 6: Fornberg (1988), Generation of finite difference formulas on
# arbitrarily spaced grids, Mathematics of Computation 51.
_PLACES, _WEIGHTS = (1, 2, 3), (3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0)
# Roots of variances that are smaller, relative to the largest, are rounding.
_RANK = 1e-10


class Model(NamedTuple):
    """A fitted model as a function of its coefficients."""

    coefs: Array
    """All coefficients of the fit, (m,)."""
    covariance: Array
    """Theirs, (m, m); nan for those that the data do not determine."""
    at: Callable[[Array], Any]
    """Return the model with other coefficients."""


def value_and_root(
    function: Callable[[Any], Any], model: Model, names: Sequence[str] | None
) -> tuple[list[str], Array, Array]:
    """Return names, values and a root of the covariance, (m, d), of a function of a model.

    Raises
    ------
    ValueError
        If the function is not finite, changes its shape, or depends on coefficients that the data
        do not determine.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused
        whole = function(model.at(model.coefs))
    labels, value = names_of(whole, names), _checked(whole)
    known = np.isfinite(np.diag(model.covariance))
    if not known.all():
        moved = model.coefs.copy()
        moved[~known] = np.where(np.isfinite(moved[~known]), moved[~known] + 1.0, 0.0)
        if not np.allclose(_asked(function, model, moved), value, rtol=1e-9, atol=0.0):
            raise ValueError(
                "estimate: the function depends on coefficients that the data do not determine. "
                "Allowed: functions of the others. Leave out columns that are combinations of "
                "others (`aliased_`) or separate the rows (`separated_`)."
            )
    root = np.zeros((len(known), int(known.sum())))
    root[known] = _root(model.covariance[np.ix_(known, known)])
    slopes = np.zeros((value.size, root.shape[1]))
    for j, direction in enumerate(root.T):
        for place, weight in zip(_PLACES, _WEIGHTS, strict=True):
            step = place * _STEP * direction
            ahead, behind = (_asked(function, model, model.coefs + s * step) for s in (1.0, -1.0))
            slopes[:, j] += weight / _STEP * (ahead - behind)
    return labels, value, slopes


def _asked(function: Callable[[Any], Any], model: Model, coefs: Array) -> Array:
    """Return the values of the function at some coefficients, flat."""
    with np.errstate(all="ignore"):
        return _checked(function(model.at(coefs)))


def _checked(whole: Any) -> Array:
    try:
        value = np.asarray(whole, float).ravel()
    except (TypeError, ValueError):
        raise ValueError(
            f"estimate: the function gives a {type(whole).__name__}. Allowed: a number or an array "
            "of numbers. Return one."
        ) from None
    if not np.isfinite(value).all():
        raise ValueError(
            f"estimate: the function gives {value[~np.isfinite(value)][0]} at coefficients within "
            "a standard error of the estimates. Allowed: functions that are finite there. Take a "
            "function that is, such as the logarithm of a ratio."
        )
    return value


def _root(covariance: Array) -> Array:
    """Return L with L L' = covariance, which may be singular."""
    # Variances beyond the doubles have a wider type; errors and correlations are doubles.
    scale = np.sqrt(np.diag(covariance))
    scale = np.where(scale > 0.0, scale, 1.0)
    sizes, axes = np.linalg.eigh(np.asarray(covariance / np.outer(scale, scale), np.float64))
    scale = scale.astype(np.float64)
    kept = sizes > _RANK * sizes[-1]
    result = np.zeros(covariance.shape)
    result[:, : int(kept.sum())] = scale[:, None] * axes[:, kept] * np.sqrt(sizes[kept])
    return result


def names_of(value: Any, names: Sequence[str] | None) -> list[str]:
    """Return a name for each value of a function: those given, or its places.

    Raises
    ------
    ValueError
        If there are not as many names as values.
    """
    shape = np.shape(value)
    count = int(np.prod(shape))
    if names is not None:
        if len(names) != count:
            raise ValueError(
                f"estimate: {len(names)} names for {count} values. Allowed: one name a value. "
                "Give as many, or none."
            )
        return [str(name) for name in names]
    labels = getattr(value, "index", None)  # of a Series; that of a list is a method
    if labels is not None and not callable(labels):
        return [str(label) for label in labels]
    if not shape:
        return ["value"]
    return [", ".join(map(str, index)) for index in np.ndindex(shape)]


class Scale(NamedTuple):
    """A scale on which intervals are symmetric."""

    forward: Callable[[Array], Array]
    inverse: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    """The derivative of `forward`."""


_SCALES = {
    "log": Scale(np.log, np.exp, lambda v: 1.0 / v),
    "logit": Scale(
        lambda v: np.log(v / (1.0 - v)),
        lambda e: 1.0 / (1.0 + np.exp(-e)),
        lambda v: 1.0 / (v * (1.0 - v)),
    ),
}


def scale_of(link: str, value: Array) -> Scale | None:
    """Return the scale of a link; None for the identity.

    Raises
    ------
    ValueError
        If there is no such link, or the values lie outside its range.
    """
    if link == "identity":
        return None
    if link not in _SCALES:
        raise ValueError(
            f"estimate: link={link!r} is not known. Allowed: 'identity', 'log', 'logit'. Choose "
            "one of them."
        )
    inside = (value > 0.0) & ((value < 1.0) | (link == "log"))
    if not inside.all():
        what = "positive values" if link == "log" else "values between 0 and 1"
        raise ValueError(
            f"estimate: link={link!r}, but one value is {value[~inside][0]:.6g}. Allowed: {what}. "
            "Use link='identity'."
        )
    return _SCALES[link]
