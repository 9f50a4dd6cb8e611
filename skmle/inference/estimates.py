"""Functions of a fitted model, with standard errors: the delta method for anything that it says.

A function is differentiated along the d columns of a root L of the covariance, C = L L'. A step of
one along a column is one standard error, whatever the units of the coefficients. With D the
derivatives, (m, d), the covariance of the m values is D D'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

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
# Spread of slopes over steps, relative to the slope, beyond which a function goes in steps. Of a
# smooth one it is 0.003 times its third derivative along a standard error. And what is rounding, or
# the tolerance of a solver, relative to the value. Standard errors to what is far. All chosen.
_ROUGH, _NOISE, _FAR = 0.2, 1e-6, 2.0
# Moves of a function, the squares of whose slopes, and sums of them, are doubles.
_LARGE = 1e150
# Roots of variances that are smaller, relative to the largest, are rounding.
_RANK = 1e-10


class Part(Protocol):
    """A linear predictor: its columns of X as it arrives, and whether it has an intercept."""

    @property
    def columns(self) -> Any:
        """Its columns: a slice or places; None if there are none."""

    @property
    def size(self) -> int:
        """The number of its slopes."""

    @property
    def intercept(self) -> bool:
        """Whether the last of its coefficients is an intercept."""


def _as_it_is(given: Any) -> Any:
    return given


Moving = Callable[[Any, Mapping[str, Any]], Callable[[Sequence[float]], Any] | None]
"""(X as it arrives, what is given beside it) -> (what is added to each linear predictor -> what is
predicted: the law of each row, or probabilities). None: of such rows there is no such function."""


class Model(NamedTuple):
    """A fitted model as a function of its coefficients, alone or in a pipeline."""

    coefs: Array
    """All coefficients of the fit, (m,)."""
    covariance: Array
    """Theirs, (m, m): of those of least norm, where columns are combinations of others; nan for
    those that run to infinity or are held."""
    at: Callable[[Array], Any]
    """Return the model with other coefficients."""
    idle: Array
    """A change of the coefficients that changes nothing that the data determine, (m,)."""
    parts: Sequence[Part]
    """The linear predictors, in the order of their coefficients."""
    around: Callable[[Any], Any] = _as_it_is
    """Return the pipeline around a model; the model itself if there is none."""
    arriving: Callable[[Any], Any] = _as_it_is
    """Return X as it arrives at the model."""
    moving: Moving | None = None
    """Its predictions as functions of its linear predictors; None if they are none."""
    straight: bool = True
    """Whether columns move the linear predictors by their coefficients alone.

    A column that is the offset or the exposure moves them, too.
    """


class OfModel:
    """The base of results that may know the model that they are of."""

    model: Model | None

    def _known_model(self, what: str) -> Model:
        """Return the model; ValueError in the name of what asks if it is not known."""
        if self.model is None:
            raise ValueError(
                f"{what}: these results do not know the model that they are of. Allowed: results "
                "of a model's inference(). Ask that."
            )
        return self.model


def checked_function(function: Any, what: str) -> Callable[[Any], Any]:
    """Return what a user gave as a function; ValueError if it cannot be called."""
    if not callable(function):
        raise ValueError(
            f"{what}: function={function!r} cannot be called. Allowed: functions of the model, "
            "such as lambda model: model.coef_[0]. Give one."
        )
    return function  # type: ignore[no-any-return]


def value_and_root(
    function: Callable[[Any], Any], model: Model, what: str = "estimate", *, smooth: bool = False
) -> tuple[Any, Array, Array]:
    """Return a function of a model: as it is, flat (m,), and a root of its covariance, (m, d).

    Parameters
    ----------
    function : callable
        Of the model without what is around it.
    model : Model
    what : str
        Who asks, for messages.
    smooth : bool
        Whether to refuse functions that go in steps, as those of users may.

    Raises
    ------
    ValueError
        If the function is not finite, changes its shape, goes in steps, or depends on coefficients
        that the data do not determine.
    """
    whole, value = value_of(function, model, what)
    lines = directions(model).T
    moves = [moves_along(line, function, model, what, value.size) for line in lines]
    every = np.array(moves).reshape(-1, len(_PLACES), value.size)
    if smooth:
        _check_smooth(every, function, model, value, what)
    return whole, value, _slopes(every).T


def value_of(function: Callable[[Any], Any], model: Model, what: str) -> tuple[Any, Array]:
    """Return a function of a model as it is, and flat, (m,)."""
    with np.errstate(all="ignore"):  # what is not finite is refused
        whole = function(model.at(model.coefs))
    value = checked_numbers(whole, what)
    check_determined(function, model, value, what)
    return whole, value


def slope_along(
    line: Array, function: Callable[[Any], Any], model: Model, what: str, size: int
) -> Array:
    """Return the derivative of a function of a model along a standard error's way, (m,)."""
    return _slopes(moves_along(line, function, model, what, size))


def moves_along(
    line: Array, function: Callable[[Any], Any], model: Model, what: str, size: int
) -> Array:
    """Return by how much a function of `size` numbers moves between near and far ends, (3, m).

    The ends are `_PLACES` times `_STEP` standard errors to each side.
    """
    result = []
    for place in _PLACES:
        step = place * _STEP * line
        ends = (model.coefs + step, model.coefs - step)
        ahead, behind = (_asked(function, model, end, what, size) for end in ends)
        result.append(ahead - behind)
    return np.array(result)


def _slopes(moves: Array) -> Array:
    """Return derivatives from moves between ends, (..., 3, m) -> (..., m)."""
    slopes = np.einsum("j,...jm->...m", np.array(_WEIGHTS) / _STEP, moves)
    return np.asarray(slopes, float)


def _check_smooth(
    moves: Array, function: Callable[[Any], Any], model: Model, value: Array, what: str
) -> None:
    """Raise ValueError if a function goes in steps, which have no slope, or beyond the doubles.

    Near the estimates its slopes between near and far ends then differ; or they are zero, but not
    those between ends that are farther away.
    """
    if np.abs(moves).max(initial=0.0) > _LARGE:
        raise ValueError(
            f"{what}: the function gives numbers such as {value[np.abs(value).argmax()]:.3g}, of "
            "which a variance is beyond the doubles. Allowed: numbers that change by up to "
            f"{_LARGE:g} within a standard error. Divide it by a constant, or take its logarithm."
        )
    slopes = moves / (2.0 * _STEP * np.array(_PLACES)[:, None])
    apart = np.sqrt((np.ptp(slopes, axis=1) ** 2).sum(axis=0))
    size = np.sqrt((slopes.mean(axis=1) ** 2).sum(axis=0))
    steps = apart > _ROUGH * size + _NOISE * np.abs(value)
    if (still := ~moves.any(axis=(0, 1))).any():
        for line in directions(model).T:
            for sign in (-_FAR, _FAR):
                with np.errstate(all="ignore"):
                    there = np.asarray(function(model.at(model.coefs + sign * line)), float)
                if there.size == value.size:
                    steps |= still & (np.abs(there.ravel() - value) > _NOISE * np.abs(value))
    if steps.any():
        raise ValueError(
            f"{what}: the function goes in steps (its value here is {value[steps][0]:.6g}), and so "
            "has no standard error. Allowed: functions that are smooth in the coefficients, such "
            "as means and probabilities, not labels or their shares. Take such a function, or "
            "bootstrap(function, method='percentile')."
        )


def slope_in_predictor(
    values: Callable[[Sequence[float]], Array], place: int, count: int, error: float
) -> Array:
    """Return the derivative of values of rows in one of `count` linear predictors.

    Parameters
    ----------
    values : callable
        What is added to each linear predictor -> the values.
    place, count : int
    error : float
        A standard error of the predictor, for the step.
    """
    return central_slope(
        lambda by: values([by if j == place else 0.0 for j in range(count)]), _STEP * error
    )


def central_slope(function: Callable[[float], Array], step: float) -> Array:
    """Return the derivative at zero of a function of a number, by differences of order 6."""
    result = np.zeros(())
    for far, weight in zip(_PLACES, _WEIGHTS, strict=True):
        result = result + weight / step * (function(far * step) - function(-far * step))
    return result


def directions(model: Model) -> Array:
    """Return a root L of the covariance of the coefficients, (m, d): zero for those without."""
    known = np.isfinite(np.diag(model.covariance))
    root = np.zeros((len(known), int(known.sum())))
    root[known] = _root(model.covariance[np.ix_(known, known)])
    return root


def all_determined(model: Model) -> bool:
    """Return whether the data determine all coefficients."""
    return bool(np.isfinite(np.diag(model.covariance)).all()) and not model.idle.any()


def check_determined(function: Callable[[Any], Any], model: Model, value: Array, what: str) -> None:
    """Raise ValueError if a function depends on coefficients that the data do not determine.

    A probability of one, of a row that a column separates from others, depends on the column's
    coefficient: it is one as that has run off. So the function is asked where it has not, too.
    """
    known = np.isfinite(np.diag(model.covariance))
    places = [(model.coefs + model.idle, "columns that are combinations of others (`aliased_`)")]
    if not known.all():
        mend = "rows that columns separate from others (`separated_`), or these columns"
        finite = np.where(np.isfinite(model.coefs), model.coefs, 0.0)
        places += [(np.where(known, finite, there), mend) for there in (0.0, finite + 1.0)]
    for moved, mend in places:
        if (moved == model.coefs).all():
            continue
        there = _asked(function, model, moved, what, value.size)
        if not np.allclose(there, value, rtol=1e-9, atol=0.0):
            raise ValueError(
                f"{what}: the function depends on coefficients that the data do not determine. "
                f"Allowed: functions of the others. Leave out {mend}."
            )


def _asked(
    function: Callable[[Any], Any], model: Model, coefs: Array, what: str, size: int
) -> Array:
    """Return the values of a function of `size` numbers at some coefficients, flat."""
    with np.errstate(all="ignore"):
        return of_size(size, checked_numbers(function(model.at(coefs)), what), what)


def of_size(size: int, value: Array, what: str) -> Array:
    """Return what a function gives beside the estimates, if it is as many numbers as there."""
    if value.size != size:
        raise ValueError(
            f"{what}: the function gives {size} numbers at the estimates and {value.size} beside "
            "them. Allowed: as many wherever it is asked. Let its shape not depend on the "
            "coefficients."
        )
    return value


def checked_numbers(whole: Any, what: str) -> Array:
    """Return numbers, flat, once they are seen to be finite."""
    try:
        if whole is None or np.iscomplexobj(whole):
            raise TypeError
        value = np.asarray(whole, float).ravel()
    except (TypeError, ValueError):
        kind = "complex number" if np.iscomplexobj(whole) else type(whole).__name__
        raise ValueError(
            f"{what}: the function gives a {kind}. Allowed: a number or an array of numbers. "
            "Return one."
        ) from None
    if value.size == 0:
        raise ValueError(
            f"{what}: the function gives no number, but an array of shape {np.shape(whole)}. "
            "Allowed: one number or more. Return some."
        )
    if not np.isfinite(value).all():
        raise ValueError(
            f"{what}: the function gives {value[~np.isfinite(value)][0]} at coefficients within "
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
