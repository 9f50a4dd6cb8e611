"""Log-likelihood as a score: one scale, nats per row, for skmle's models and scikit-learn's.

A density, a classifier and a regressor that tell the law of what they predict are judged by the same number, the mean of
log q over rows that the fit has not seen. It is minus the empirical cross-entropy: higher is better, and the difference of
two models is the information per row by which one beats the other.

References
----------
Good (1952), Rational decisions, J. R. Stat. Soc. B 14.
Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, J. Am. Stat. Assoc. 102.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.linear_model import PoissonRegressor
from sklearn.neighbors import KernelDensity
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.metadata_routing import UNUSED

from skmle._estimator import LikelihoodEstimator, positive_weights
from skmle._pipeline import unwrap
from skmle.families import Distribution, get_family

__all__ = ["LogLikelihoodScorer", "log_likelihood_score", "log_likelihood_scorer"]

Array = NDArray[np.float64]


def log_likelihood_score(
    estimator: Any,
    X: Any,
    y: Any = None,
    sample_weight: ArrayLike | None = None,
    *,
    offset: ArrayLike | None = None,
    exposure: ArrayLike | None = None,
) -> float:
    """Return the (weighted) mean log-likelihood of a fitted model, in nats per row.

    Parameters
    ----------
    estimator : fitted estimator
        One of those below, alone, at the end of a Pipeline, in a search such as GridSearchCV or in a FrozenEstimator.

        - skmle's estimators: their `score`;
        - classifiers with `predict_log_proba` or `predict_proba`;
        - densities with `score_samples`: those marked by scikit-learn's `DensityMixin`, such as GaussianMixture, and
          KernelDensity, PCA, FactorAnalysis;
        - scikit-learn's covariance estimators, such as LedoitWolf or GraphicalLasso, as normal laws;
        - regressors with ``predict(X, return_std=True)``, such as BayesianRidge, as normal laws;
        - PoissonRegressor;
        - models whose ``pred_dist(X)`` gives a law, such as ngboost's.
    X : array-like or sparse matrix of shape (n, p)
    y : array-like of shape (n,), optional
        Labels or observations; densities ignore it.
    sample_weight : array-like of shape (n,), optional
        Weights; an integer weight is that many equal rows. Rows of weight zero do not count, impossible ones included.
    offset, exposure : array-like of shape (n,), optional
        Given to `MLERegressor.score`.

    Returns
    -------
    float
        -inf if a row of positive weight is impossible under the model, such as a label that its fit has not seen.

    Raises
    ------
    TypeError
        If the model does not tell the law of what it predicts, or takes no offset or exposure.
    ValueError
        If y is missing or of a wrong shape, a weight is negative or all are zero, or a predicted standard deviation is zero.

    See Also
    --------
    log_likelihood_scorer : The same as ``scoring=``.
    skmle.log_prob : The log-likelihood of each row.
    skmle.information.empirical_cross_entropy : Minus this, in any unit.

    Notes
    -----
    Nothing is clipped. `sklearn.metrics.log_loss` replaces probabilities of zero by 2.2e-16, about -36 nats; here they count
    as what they are. A forest or a nearest-neighbour classifier whose frequencies contain zeros gets -inf as soon as one of
    them is wrong; calibrate it, or ask for larger leaves.

    A density behind transformers is that of the transformed rows: two pipelines are comparable if they transform alike.

    The standard deviation of BayesianRidge and ARDRegression contains the noise of an observation. That of
    GaussianProcessRegressor contains it only as a WhiteKernel in its kernel; its parameter `alpha` is left out.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.metrics import log_loss
    >>> from skmle.metrics import log_likelihood_score
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(min_samples_leaf=5, random_state=0).fit(X, y)
    >>> round(log_likelihood_score(forest, X, y), 12) == round(-log_loss(y, forest.predict_proba(X)), 12)
    True
    """
    weight, counted = positive_weights(sample_weight, X)
    model, X = unwrap(estimator, X)
    lead = {name: values for name, values in (("offset", offset), ("exposure", exposure)) if values is not None}
    if isinstance(model, LikelihoodEstimator):  # asked itself, as it also warns of a missing exposure
        return model.score(X, y, sample_weight=sample_weight, **lead)
    values = row_log_prob(model, X, y, **lead)
    return _mean(values if counted is None else values[counted], weight)


def _mean(values: Array, weight: Array | None) -> float:
    # One impossible row makes the data impossible, even beside a row of infinite density.
    return -np.inf if np.isneginf(values).any() else float(np.average(values, weights=weight))


class LogLikelihoodScorer(BaseEstimator):
    """The type of `log_likelihood_scorer`: `log_likelihood_score` in the form that ``scoring=`` takes.

    With metadata routing on, `sample_weight`, `offset` and `exposure` are asked for without further calls;
    `set_score_request` changes that, on a `sklearn.base.clone` if other code uses the scorer too.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from skmle import CrossEntropyClassifier
    >>> from skmle.metrics import log_likelihood_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> for model in (CrossEntropyClassifier(alpha=0.01), RandomForestClassifier(min_samples_leaf=5, random_state=0)):
    ...     print(type(model).__name__, cross_val_score(model, X, y, scoring=log_likelihood_scorer).mean().round(2))
    CrossEntropyClassifier -0.15
    RandomForestClassifier -0.15
    """

    # `score` below is what the routing reads: all arguments but these and X, y are metadata.
    __metadata_request__score: ClassVar = {"estimator": UNUSED, "sample_weight": True, "offset": True, "exposure": True}

    def __call__(self, estimator: Any, X: Any, y: Any = None, sample_weight: ArrayLike | None = None, **lead: ArrayLike) -> float:
        return self.score(estimator, X, y, sample_weight, **lead)

    def score(
        self,
        estimator: Any,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        """Return `log_likelihood_score` of a fitted estimator."""
        return log_likelihood_score(estimator, X, y, sample_weight, offset=offset, exposure=exposure)

    def _accept_sample_weight(self) -> bool:
        return True  # asked by scikit-learn's searches while metadata routing is off


log_likelihood_scorer = LogLikelihoodScorer()
"""Scorer for cross_validate, GridSearchCV, permutation_importance and all that take ``scoring=``."""


# ---------------------------------------------------------------- who tells its law, and how to ask


def row_log_prob(model: Any, X: Any, y: Any = None, **lead: ArrayLike) -> Array:
    """Return the log-probability or log-density of each row, (n,), in nats; `model` and `X` are unwrapped."""
    if lead and not isinstance(model, LikelihoodEstimator):
        raise TypeError(
            f"{type(model).__name__}: {' and '.join(lead)} given, which it cannot take into account. Allowed: for skmle's regressors. "
            "Drop the argument, or use MLERegressor."
        )
    for tells, log_prob in _LAWS:
        if tells(model):
            return np.asarray(log_prob(model, X, y, **lead), float)
    raise TypeError(
        f"{type(model).__name__} does not tell the law of what it predicts, so it has no likelihood. Allowed: skmle's estimators, "
        "classifiers with predict_proba, densities with score_samples, covariance estimators, PoissonRegressor, regressors with "
        "predict(X, return_std=True), models with pred_dist. Use MLERegressor for a regression, CalibratedClassifierCV around a classifier."
    )


def _of_row(model: Any, X: Any, y: Any, **lead: ArrayLike) -> Array:
    return model.log_prob(X, y, **lead)


def _of_density(model: Any, X: Any, y: Any) -> Array:
    return model.score_samples(X)


def _of_label(model: Any, X: Any, y: Any) -> Array:
    labels = _target(model, X, np.asarray(y)).tolist()
    with np.errstate(divide="ignore"):  # log(0) is meant
        log_proba = model.predict_log_proba(X) if hasattr(model, "predict_log_proba") else np.log(model.predict_proba(X))
    # ngboost's classifier keeps no classes_: its labels are 0, 1, ...
    classes = getattr(model, "classes_", np.arange(log_proba.shape[1]))
    # A dictionary takes labels of any type, also unordered ones and others than the fit's.
    position = {label: j for j, label in enumerate(np.asarray(classes).tolist())}
    column = np.array([position.get(label, -1) for label in labels])
    return np.where(column >= 0, log_proba[np.arange(len(column)), column], -np.inf)


def _of_normal_prediction(model: Any, X: Any, y: Any) -> Array:
    loc, scale = model.predict(X, return_std=True)
    observed = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    point = np.flatnonzero(~(scale > 0))
    if len(point):
        raise ValueError(
            f"{type(model).__name__}: the predicted standard deviation is 0 for {len(point)} of {scale.size} values (first: value "
            f"{point[0]}), so y has no density there. Allowed: standard deviations > 0. Give a Gaussian process a WhiteKernel, or use a "
            "model that estimates the noise."
        )
    law = Distribution(get_family("normal"), {"loc": loc.ravel(), "scale": scale.ravel()})
    # Several targets are independent of each other under a Gaussian process: (n, m) adds up to (n,).
    return law.log_prob(_same_shape(model, observed, loc).ravel()).reshape(len(loc), -1).sum(axis=1)


def _of_count(model: Any, X: Any, y: Any) -> Array:
    mean = model.predict(X)
    counts = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    return Distribution(get_family("poisson"), {"mean": mean}).log_prob(_same_shape(model, counts, mean))


def _of_normal_rows(model: Any, X: Any, y: Any) -> Array:
    precision = model.get_precision()
    log_determinant = np.linalg.slogdet(precision)[1]
    return 0.5 * (log_determinant - len(precision) * np.log(2.0 * np.pi) - model.mahalanobis(X))


def _of_predicted_law(model: Any, X: Any, y: Any) -> Array:
    law = model.pred_dist(X)
    methods = [method for name in ("log_prob", "logpmf", "logpdf") if callable(method := getattr(law, name, None))]
    if not methods:
        raise TypeError(
            f"{type(model).__name__}.pred_dist gives a {type(law).__name__}, which has no log-density. "
            "Allowed: laws with log_prob, logpmf or logpdf. Add one of these methods."
        )
    return methods[0](np.asarray(y))


def _of_transformed_target(model: Any, X: Any, y: Any) -> Array:
    raise TypeError(
        "TransformedTargetRegressor: the law of y would need the Jacobian of the transformation, which it does not know. Allowed: models "
        "of y itself. Use MLERegressor with a family on the scale of y, such as 'lognormal' for normal logarithms."
    )


def _target(model: Any, X: Any, y: NDArray[Any]) -> NDArray[Any]:
    check_consistent_length(X, y) if y.ndim else None
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(
            f"{type(model).__name__}: y has shape {y.shape}. Allowed: (n,), one label a row. Give the labels; score several targets one by one."
        )
    return y


def _same_shape(model: Any, y: Array, prediction: Array) -> Array:
    if y.size != prediction.size or len(y) != len(prediction):
        raise ValueError(
            f"{type(model).__name__}: y has shape {y.shape}, the prediction {prediction.shape}. Allowed: the same. Give one observation a row."
        )
    return y.reshape(prediction.shape)


def _returns_std(model: Any) -> bool:
    return hasattr(model, "predict") and "return_std" in signature(model.predict).parameters


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda model: isinstance(model, types)


def _has(*methods: str) -> Callable[[Any], bool]:
    return lambda model: any(hasattr(model, method) for method in methods)


# In order: the first that knows the model is asked. Not every `score_samples` is a log-density (IsolationForest's and
# BernoulliRBM's are not), and not every `predict_proba` is a classifier's alone (ngboost's has `pred_dist` too).
_LAWS: tuple[tuple[Callable[[Any], bool], Callable[..., Array]], ...] = (
    (_is(DensityMixin, KernelDensity, PCA, FactorAnalysis), _of_density),
    (_is(LikelihoodEstimator), _of_row),
    (_is(EmpiricalCovariance), _of_normal_rows),
    (_is(PoissonRegressor), _of_count),
    (_is(TransformedTargetRegressor), _of_transformed_target),
    (_has("predict_log_proba", "predict_proba"), _of_label),
    (_has("pred_dist"), _of_predicted_law),
    (_returns_std, _of_normal_prediction),
)
