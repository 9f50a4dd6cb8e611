"""The log-probability of each row under any fitted model, of skmle or of scikit-learn.

`_LAWS`, at the end, lists the kinds of models that tell a law, and how each kind is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import DensityMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.linear_model import PoissonRegressor
from sklearn.neighbors import KernelDensity
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.laws import is_results, law_of, log_prob_of_law, predicts_normal, registered
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.labels import of_labels
from skmle._shared.offset import check_beside
from skmle.families import Distribution, get_family

Array = NDArray[np.float64]


def row_log_prob(model: Any, X: Any, y: Any = None, **offset_or_exposure: ArrayLike) -> Array:
    """Return log q of each row, of shape (n,), in nats.

    Parameters
    ----------
    model : fitted estimator
        Bare: what holds it was taken off by `skmle._any_model.unwrap.unwrap`.
    X, y : array-like
        As the model takes them.
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure`, where they are given beside X.

    Raises
    ------
    TypeError
        If the model does not tell the law of what it predicts, or takes no offset or exposure.
    """
    check_beside("log_prob", model, offset_or_exposure)
    for tells, log_prob in _LAWS:
        if tells(model):
            return np.asarray(log_prob(model, X, y, **offset_or_exposure), float)
    raise TypeError(
        f"{type(model).__name__} does not tell the law of what it predicts, so it has no "
        "likelihood. Allowed: skmle's estimators, classifiers with predict_proba, densities with "
        "score_samples, covariance estimators, PoissonRegressor, regressors with predict(X, "
        "return_std=True), models with predict_dist or pred_dist, results of statsmodels. Use "
        "MLERegressor for a regression, CalibratedClassifierCV around a classifier, or "
        "skmle.register_law."
    )


# ---------------------------------------------------------------- how each kind is asked


def _own(model: Any, X: Any, y: Any, **offset_or_exposure: ArrayLike) -> Array:
    return model.log_prob(X, _given(model, y), **offset_or_exposure)


def _density(model: Any, X: Any, y: Any) -> Array:
    return model.score_samples(X)


def _covariance(model: Any, X: Any, y: Any) -> Array:
    check_is_fitted(model)
    precision = model.get_precision()
    log_determinant = np.linalg.slogdet(precision)[1]
    return 0.5 * (log_determinant - len(precision) * np.log(2.0 * np.pi) - model.mahalanobis(X))


def _classifier(model: Any, X: Any, y: Any) -> Array:
    labels = np.asarray(_given(model, y))
    check_consistent_length(X, labels)
    if labels.size != len(labels):
        raise ValueError(
            f"{type(model).__name__}: y has shape {labels.shape}. Allowed: (n,), one label a row. "
            "Score several targets one by one."
        )
    with np.errstate(divide="ignore"):  # log(0) = -inf is right for an impossible label
        log_proba = (
            model.predict_log_proba(X)
            if hasattr(model, "predict_log_proba")
            else np.log(model.predict_proba(X))
        )
    # ngboost's classifier keeps no classes_: its labels are 0, 1, ...
    classes = getattr(model, "classes_", np.arange(log_proba.shape[1]))
    return of_labels(type(model).__name__, log_proba, classes, labels.ravel())


def _told(model: Any, X: Any, y: Any) -> Array:
    return log_prob_of_law(model, law_of(model, X), _given(model, y))


def _normal_prediction(model: Any, X: Any, y: Any) -> Array:
    # Of a DataFrame some models make a Series.
    loc, scale = map(np.asarray, model.predict(X, return_std=True))
    point = np.flatnonzero(~(scale > 0))
    if len(point):
        raise ValueError(
            f"{type(model).__name__}: the predicted standard deviation is 0 for {len(point)} of "
            f"{scale.size} values (first: value {point[0]}), so y has no density there. Allowed: "
            "standard deviations > 0. Give a Gaussian process a WhiteKernel, or use a model that "
            "estimates the noise."
        )
    law = Distribution(get_family("normal"), {"loc": loc.ravel(), "scale": scale.ravel()})
    # Several targets are independent of each other under a Gaussian process: their rows add up.
    return law.log_prob(_observed(model, y, loc)).reshape(len(loc), -1).sum(axis=1)


def _poisson_prediction(model: Any, X: Any, y: Any) -> Array:
    # The least positive double stands for a mean that has underflowed.
    family, mean = (
        get_family("poisson"),
        np.maximum(np.asarray(model.predict(X)), np.finfo(float).tiny),
    )
    # It takes rates, as skmle's own regression does, and so its score does.
    return family.log_prob(_observed(model, y, mean), family.eta((mean,)), rates=True)


def _given(model: Any, y: Any) -> Any:
    if y is None:
        raise ValueError(
            f"{type(model).__name__}: y is missing, and its law is that of y given X. Allowed: "
            "y=None for densities. Give y."
        )
    return y


def _observed(model: Any, y: Any, prediction: Array) -> Array:
    """Return y as numbers in the order of the prediction, of shape (n,) or (n * targets,)."""
    values = check_array(_given(model, y), ensure_2d=False, dtype=np.float64, input_name="y")
    check_consistent_length(prediction, values)
    if values.size != prediction.size:
        raise ValueError(
            f"{type(model).__name__}: y has shape {values.shape}, the prediction "
            f"{prediction.shape}. Allowed: the same. Give as many values a row as fit was given."
        )
    return values.ravel()


# ---------------------------------------------------------------- who tells a law


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda model: isinstance(model, types)


def _has(*methods: str) -> Callable[[Any], bool]:
    return lambda model: any(hasattr(model, method) for method in methods)


# Pairs of (is the model of this kind?, how it is asked); the first kind that fits counts. Densities
# are recognised by their type, because not every `score_samples` is a log-density: those of
# IsolationForest and BernoulliRBM are not.
_LAWS: tuple[tuple[Callable[[Any], bool], Callable[..., Array]], ...] = (
    (lambda model: registered(model) is not None, _told),
    (_is(DensityMixin, KernelDensity, PCA, FactorAnalysis), _density),
    (_is(LikelihoodEstimator), _own),
    (_is(EmpiricalCovariance), _covariance),
    (_is(PoissonRegressor), _poisson_prediction),
    (_is(TransformedTargetRegressor), _told),
    (_has("predict_log_proba", "predict_proba"), _classifier),
    (_has("predict_dist", "pred_dist"), _told),
    (is_results, _told),
    (predicts_normal, _normal_prediction),
)
