"""Seeing through what holds a model: pipelines, searches, frozen estimators."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline


def see_through(estimator: Any) -> tuple[list[Any], Any]:
    """Return (the transformers that X passes on its way, the model at the end).

    Raises
    ------
    NotFittedError
        If a search has no best estimator.
    """
    transformers: list[Any] = []
    while True:
        if isinstance(estimator, Pipeline):
            # Steps without `transform` leave X alone here: "passthrough", None, and the samplers
            # of imbalanced-learn, which act in `fit` only.
            transformers += [step for _, step in estimator.steps[:-1] if hasattr(step, "transform")]
            estimator = estimator.steps[-1][1]
        elif isinstance(estimator, FrozenEstimator):
            # Asked before searches, as it shows the attributes of what it holds: `best_estimator_`.
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, (GridSearchCV, RandomizedSearchCV)):
            why = "it is not fitted yet" if estimator.refit else f"it has refit={estimator.refit!r}"
            raise NotFittedError(
                f"{type(estimator).__name__} has no best_estimator_, as {why}. Allowed: a search "
                "fitted with refit on. Call 'fit' so."
            )
        else:
            return transformers, estimator


def last_step(model: Any) -> Any:
    """Return the last step of nested pipelines, which need not be fitted."""
    while isinstance(model, Pipeline):
        model = model.steps[-1][1]
    return model


def name_of(model: Any) -> str:
    """Return the name of the class of the last step."""
    return type(last_step(model)).__name__


def unwrap(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return (the model at the end, X as it arrives there)."""
    transformers, model = see_through(estimator)
    for transformer in transformers:
        X = transformer.transform(X)
    return model, X


def named_model(estimator: Any) -> Any:
    """Return the model at the end, with the names that the transformers give to its columns.

    A model behind a transformer is fitted to an array without names. The names are set on a copy
    of the model, so that the fitted one does not change.
    """
    transformers, model = see_through(estimator)
    names = _names_out(transformers)
    if (
        names is None
        or hasattr(model, "feature_names_in_")
        or len(names) != getattr(model, "n_features_in_", None)
    ):
        return model
    model = copy(model)
    model.feature_names_in_ = names
    return model


def _names_out(transformers: list[Any]) -> NDArray[Any] | None:
    names: NDArray[Any] | None = None
    for transformer in transformers:
        try:
            names = np.asarray(transformer.get_feature_names_out(names), object)
        except (AttributeError, ValueError):
            # scikit-learn raises these if this transformer, or one inside it, names no columns.
            names = None
    return names


def with_model(estimator: Any, model: Any) -> Any:
    """Return a copy of what holds a model, with another in its place; the copies are shallow."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        result = copy(estimator)
        result.steps = [*estimator.steps[:-1], (name, with_model(last, model))]
        return result
    if isinstance(estimator, FrozenEstimator):
        return FrozenEstimator(with_model(estimator.estimator, model))
    if hasattr(estimator, "best_estimator_"):
        result = copy(estimator)
        result.best_estimator_ = with_model(estimator.best_estimator_, model)
        return result
    return model
