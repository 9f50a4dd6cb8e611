"""What a model says of a row: a mean, a spread, a quantile, the chance of a tail or a class."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.inference.show import printable

Array = NDArray[np.float64]

# Of laws; names that need a number are given with it, ("quantile", 0.9).
_OF_LAWS = {"mean": "mean", "sd": "std", "median": "median"}
_WITH_NUMBER = {"quantile": "ppf", "sf": "sf", "cdf": "cdf"}
# What other programs call an interval of the mean, and one of an observation.
_ELSEWHERE = {"confidence": "mean", "prediction": "observation"}
_ALLOWED = "'mean', 'sd', 'median', ('quantile', q), ('sf', y), ('cdf', y) or a function of the law"


class Quantity(NamedTuple):
    """A quantity of each row."""

    words: str
    components: Sequence[str]
    """A name for each of its k values; "" for one that needs none."""
    ask: Callable[[Any, Any, Mapping[str, Any]], Array]
    """(model, X as it arrives there, what is given beside X) -> (n, k)."""
    read: Callable[[Any], Array]
    """What the model predicts, the law of each row or probabilities of classes -> (n, k)."""
    range: tuple[float, float]
    """Where it lies."""


def quantity_of(model: Any, of: Any, what: str, setting: str = "of") -> Quantity:
    """Return what is asked of a model, by the setting of a method that messages name.

    Raises
    ------
    ValueError
        If the model does not know it.
    """
    if getattr(model, "predict_proba", None) is not None:
        return _of_classes(model, of, what, setting)
    check_regression(model, what, "results of a regression or of a classifier")
    return _of_law(of, what, setting)


def check_regression(model: Any, what: str, allowed: str = "results of a regression") -> None:
    """Raise ValueError if a model gives no law of y for each row."""
    if getattr(model, "predict_dist", None) is None:
        raise ValueError(
            f"{what}: {type(model).__name__} gives no law of y for a row of X. Allowed: {allowed}. "
            "For functions of other models use estimate(function)."
        )


def _of_classes(model: Any, of: Any, what: str, setting: str) -> Quantity:
    """Return the probabilities of classes: of two classes that of the second."""
    labels = model.classes_.tolist()
    shown = list(range(len(labels))) if len(labels) > 2 else [1]
    words = "probability" if len(labels) > 2 else f"probability of class {printable(labels[1])}"
    if isinstance(of, tuple) and len(of) == 2 and of[0] == "probability" and of[1] in labels:
        shown, words = [labels.index(of[1])], f"probability of class {printable(of[1])}"
    elif callable(of):
        words = "function"
    elif of not in (None, "probability"):
        raise ValueError(
            f"{what}: {setting}={of!r} is not known of a classifier. Allowed: 'probability', "
            "('probability', label) or a function of the probabilities, (n, K). Choose one."
        )

    def read(predicted: Any) -> Array:
        values = np.asarray(predicted, float)
        return _columns(of(values)) if callable(of) else values[:, shown]

    def ask(model: Any, X: Any, beside: Mapping[str, Any]) -> Array:
        return read(model.predict_proba(X, **beside))

    several = len(shown) > 1 and not callable(of)
    names = [f"class {printable(labels[j])}" for j in shown] if several else [""]
    return Quantity(words, names, ask, read, (-np.inf, np.inf) if callable(of) else (0.0, 1.0))


def _of_law(of: Any, what: str, setting: str) -> Quantity:
    """Return a quantity of the law of each row."""
    of = "mean" if of is None else of
    with_number = isinstance(of, tuple) and len(of) == 2 and of[0] in _WITH_NUMBER
    with_number = with_number and isinstance(of[1], numbers.Real)
    if not (callable(of) or with_number or (isinstance(of, str) and of in _OF_LAWS)):
        raise _unknown(of, what, setting)
    words = of if isinstance(of, str) else "function"
    if with_number:
        name, number = of[0], float(of[1])
        words = {"sf": f"P(y > {number:g})", "cdf": f"P(y <= {number:g})"}.get(
            name, f"quantile {number:g}"
        )
        if name == "quantile" and not 0.0 < number < 1.0:
            raise ValueError(
                f"{what}: {setting}={of!r} is no quantile. Allowed: probabilities between 0 and 1. "
                "Give one, such as ('quantile', 0.9)."
            )

    def ask(model: Any, X: Any, beside: Mapping[str, Any]) -> Array:
        return read(model.predict_dist(X, **beside))

    def read(law: Any) -> Array:
        if callable(of):
            return _columns(of(law))
        if (of == "median" or (with_number and name == "quantile")) and law.discrete:
            raise ValueError(
                f"{what}: the {words} of a law of whole numbers goes in steps, of which there is "
                f"no slope. Allowed: {_ALLOWED}, that are smooth. Ask for the mean or for a tail."
            )
        if with_number:
            return _columns(getattr(law, _WITH_NUMBER[name])(number))
        return _columns(getattr(law, _OF_LAWS[of])())

    ends = (-np.inf, np.inf)
    if with_number and of[0] != "quantile":
        ends = (0.0, 1.0)
    elif of == "sd":
        ends = (0.0, np.inf)
    return Quantity(words, [""], ask, read, ends)


def _unknown(of: Any, what: str, setting: str) -> ValueError:
    """Return the error of what is no quantity of a law."""
    allowed, advice = _ALLOWED, "Choose one."
    if setting == "interval":
        allowed = f"'law' of the model itself, 'observation', {_ALLOWED}"
        if isinstance(of, str) and of in _ELSEWHERE:
            advice = f"Did you mean {_ELSEWHERE[of]!r}?"
        elif isinstance(of, numbers.Real):
            advice = f"A probability is the coverage: predict_interval(X, coverage={of!r})."
    return ValueError(
        f"{what}: {setting}={of!r} is not known of a law. Allowed: {allowed}. {advice}"
    )


def _columns(values: Any) -> Array:
    """Return the values of rows, (n,) or (n, k), as columns."""
    values = np.asarray(values, float)
    return values.reshape(len(values), -1)
