"""Rows of data with all that belongs to them, to which models are fitted and by which judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, has_fit_parameter

from skmle._any_model.laws import log_rounded
from skmle._any_model.log_prob import row_log_prob
from skmle._any_model.unwrap import last_step, unwrap
from skmle._shared.offset import check_beside, one_a_row, warn_of_forgotten
from skmle._shared.validation import positive_weights

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Rows(NamedTuple):
    """X and y, and what is known of each of their rows."""

    X: Any
    y: Any = None
    """None for densities of X."""
    weight: Array | None = None
    """How often each row counts; None: once."""
    beside: Mapping[str, Array] = {}
    """Offset and exposure, where they are given beside X."""

    @classmethod
    def of(
        cls,
        asked: str,
        models: Sequence[Any],
        X: Any,
        y: Any,
        sample_weight: Any,
        beside: Mapping[str, Any],
        settings: Sequence[str] = (),
    ) -> Rows:
        """Return the rows that models are to be fitted to, with weights and the like checked.

        Parameters
        ----------
        asked : str
            The function that was called, for messages.
        models : sequence of estimators
            Those that have to take what is given beside X.
        X, y, sample_weight : array-like
        beside : mapping of str
            Keyword arguments that the function does not name.
        settings : sequence of str
            Those that it names, for the message of one that is misspelt.

        Raises
        ------
        TypeError
            If a model takes none of that.
        ValueError
            If the numbers do not fit the rows.

        Warns
        -----
        ScoreWarning
            If a model had been fitted with an offset or exposure that is not given here.
        """
        ends = [_end(model)[1] for model in models]
        for model in ends:
            check_beside(asked, model, beside, settings)
        at_fit = [getattr(model, "_beside", (False, False)) for model in ends]
        if at_fit:
            seen = (any(offset for offset, _ in at_fit), any(exposure for _, exposure in at_fit))
            warn_of_forgotten(seen, beside.get("offset"), beside.get("exposure"))
        n = _num_samples(X)
        known = {name: one_a_row(name, given, n) for name, given in beside.items()}
        return cls(X, y, checked_weight(sample_weight, X), known)

    @property
    def n(self) -> int:
        """How many they are."""
        return int(_num_samples(self.X))

    def some(self, index: Index) -> Rows:
        """Return some of the rows."""
        own = {name: values[index] for name, values in self.beside.items()}
        return Rows(part(self.X, index), part(self.y, index), part(self.weight, index), own)

    def of_y_alone(self) -> Rows:
        """Return y as the rows of a density."""
        return Rows(np.asarray(self.y).reshape(self.n, -1), None, self.weight)

    def fit(self, model: Any) -> Any:
        """Return a clone of a model, fitted to these rows.

        Raises
        ------
        ValueError
            If the model is frozen.
        TypeError
            If it takes no weights.
        """
        last = last_step(model)
        if isinstance(last, FrozenEstimator):
            raise ValueError(
                f"{type(last.estimator).__name__} is frozen: it was fitted to rows that may be "
                "among those held out, or are others. Allowed: models that can be fitted here. "
                "Give the model without FrozenEstimator."
            )
        prefix, end = _end(model)
        given = {f"{prefix}{name}": values for name, values in self.beside.items()}
        if self.weight is not None:
            if not has_fit_parameter(end, "sample_weight"):
                raise TypeError(
                    f"sample_weight was given, but {type(end).__name__} takes none. Allowed: "
                    "models whose fit has that argument. Leave out the weights, or this model."
                )
            given[f"{prefix}sample_weight"] = self.weight
        data = (self.X,) if self.y is None else (self.X, self.y)
        return clone(model).fit(*data, **given)

    def log_prob(self, model: Any, rounded: bool = False) -> Array:
        """Return log q of each row under a fitted model of any kind, in nats.

        Of a density of whole numbers that is to be `rounded`, it is the log-probability of those.

        Raises
        ------
        ValueError
            If it has none for some rows, or several.
        """
        inner, seen = unwrap(model, self.X)
        ask = log_rounded if rounded else row_log_prob
        values = ask(inner, seen, self.y, **self.beside)
        if values.shape != (self.n,):
            raise ValueError(
                f"{type(inner).__name__}: {values.shape} log-probabilities of {self.n} rows. "
                "Allowed: one a row. Leave out the steps that drop or add rows."
            )
        return values

    def left_out_one_by_one(self, model: Any, rounded: bool = False) -> Array:
        """Return log q of each row under a clone fitted without it, or to one repeat less of it."""
        values = np.empty(self.n)
        for i in range(self.n):
            index, weight = without(i, self.n, self.weight)
            found = self.some(index)._replace(weight=weight).fit(model)
            values[i] = self.some(np.array([i])).log_prob(found, rounded)[0]
        return values


def part(values: Any, index: Index) -> Any:
    """Return some rows of X or y; of None, None."""
    return None if values is None else _safe_indexing(values, index)


def checked_weight(sample_weight: Any, X: Any) -> Array | None:
    """Return the weight of each row; ValueError if it is none."""
    if sample_weight is None:
        return None
    positive_weights(sample_weight, X)
    return np.asarray(sample_weight, np.float64) * np.ones(_num_samples(X))


def without(
    i: int, n: int, weight: Array | None, repeats: bool = True
) -> tuple[Index, Array | None]:
    """Return the rows that are left without one of n, and their weights.

    Of a weight above one that repeats its row, one of the repeats is taken.
    """
    rest = np.arange(n)
    if repeats and weight is not None and weight[i] > 1.0:
        return rest, weight - (rest == i)
    rest = np.delete(rest, i)
    return rest, None if weight is None else weight[rest]


def _end(model: Any) -> tuple[str, Any]:
    """Return the model at the end, fitted or not, and what its arguments begin with in `fit`."""
    prefix = ""
    while isinstance(model, (Pipeline, BaseSearchCV)):
        if isinstance(model, BaseSearchCV):
            model = getattr(model, "best_estimator_", model.estimator)
        else:
            step, model = model.steps[-1]
            prefix += f"{step}__"
    return prefix, model
