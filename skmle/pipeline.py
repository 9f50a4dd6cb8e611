"""Functions that see through a Pipeline: inference and predicted laws of the model at its end.

A Pipeline passes `predict` and `score` on to its last step, but no method that scikit-learn does
not know. These functions take a fitted model: alone, or in a Pipeline, a search such as
GridSearchCV or a FrozenEstimator, in any nesting. They find the model at the end and ask that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.laws import check_quantiles, law_of, no_quantiles, register_law
from skmle._any_model.log_prob import row_log_prob
from skmle._any_model.residuals import residuals_of_law
from skmle._any_model.unwrap import named_model, see_through, unwrap, with_model
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.offset import check_beside
from skmle.families import Distribution
from skmle.inference.show import as_frame

if TYPE_CHECKING:
    from skmle.inference import Inference, Summary

__all__ = [
    "augment",
    "infer",
    "log_prob",
    "predict_dist",
    "predict_interval",
    "predict_quantile",
    "register_law",
    "summary",
]

Array = NDArray[np.float64]


def infer(
    estimator: Any,
    X: Any = None,
    y: Any = None,
    sample_weight: ArrayLike | None = None,
    **settings: Any,
) -> Inference:
    """Return estimates with their errors of the model at the end of a pipeline.

    It is the model's `inference`, for rows as the pipeline takes them. Coefficients have the names
    that the pipeline gives to the model's columns, and a function given to ``estimate`` is asked of
    the pipeline.

    Parameters
    ----------
    estimator : fitted estimator
        One of skmle's, alone, at the end of a Pipeline, in a search or in a FrozenEstimator.
    X, y, sample_weight : array-like, optional
        The rows of the fit; any covariance but that of the fit needs them.
    **settings
        Those of the model's `inference`: covariance, groups, lags, weights, correction,
        distribution, confidence_level, offset, exposure.

    Returns
    -------
    skmle.inference.Inference

    Raises
    ------
    TypeError
        If the model at the end is not one of skmle's.
    ValueError
        As the model's `inference`.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> X = X[["age", "bmi"]]
    >>> pipe = make_pipeline(StandardScaler(), skmle.MLERegressor()).fit(X, y)
    >>> result = skmle.infer(pipe, X, y, covariance="HC1")
    >>> print(*result.terms, result.standard_errors.round(2))
    age bmi intercept scale [3.   2.81 2.96 1.74]
    >>> print(result.estimate(lambda m: m.predict(X[:2])).standard_errors.round(2))
    [5.15 3.81]
    """
    named = named_model(estimator)
    _check_ours("infer", named)
    if X is not None:
        X = unwrap(estimator, X)[1]
    result = named.inference(X, y, sample_weight, **settings)
    _, model = see_through(estimator)
    if model is estimator or result.model is None:
        return result
    # The model itself, as its pipeline gives it columns without names.
    within = result.model._replace(
        at=model._at,
        around=partial(with_model, estimator),
        arriving=partial(_arriving, estimator),
        moving=getattr(model, "_moving", None),
    )
    augmenter = partial(_augmented, estimator, model._augment)
    return replace(result, model=within, augmenter=augmenter)


def _augmented(estimator: Any, augmenter: Callable[..., Any], X: Any, *arguments: Any) -> Any:
    """Return the columns of `Inference.augment` for rows as what holds the model takes them."""
    return augmenter(_arriving(estimator, X), *arguments)


def _arriving(estimator: Any, X: Any) -> Any:
    """Return X as it arrives at the model at the end."""
    return unwrap(estimator, X)[1]


def _check_ours(what: str, model: Any) -> None:
    if not isinstance(model, LikelihoodEstimator):
        raise TypeError(
            f"{what}: {type(model).__name__} keeps no covariance of its estimates. Allowed: "
            "skmle's estimators, alone or at the end of a Pipeline. Put MLERegressor, "
            "CrossEntropyClassifier, OrdinalClassifier or MLEDistribution in its place."
        )


def summary(estimator: Any, confidence_level: float = 0.95) -> Summary:
    """Return the table of estimates of the model at the end of a pipeline.

    Coefficients have the names that the pipeline gives to the model's columns.

    Parameters
    ----------
    estimator : fitted estimator
        One of skmle's, alone, at the end of a Pipeline, in a search or in a FrozenEstimator.
    confidence_level : float, default=0.95
        Coverage of the intervals.

    Returns
    -------
    skmle.inference.Summary
        Print it, or leave it as the last line of a notebook cell; its `inference` has the numbers.

    Raises
    ------
    TypeError
        If the model at the end is not one of skmle's.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> pipe = make_pipeline(StandardScaler(), skmle.CrossEntropyClassifier())
    >>> pipe = pipe.fit(X[["mean radius", "mean texture"]], y)
    >>> print(skmle.summary(pipe))
    Binary cross-entropy classifier, log-odds of class 1
    569 observations, status interior
    log-likelihood -145.5617, AIC 297.12, BIC 310.15
    -------------------------------------------------------------------
                  estimate  s.e.  95 % low  95 % high       z         p
    -------------------------------------------------------------------
    mean radius      -3.72  0.36     -4.42      -3.02  -10.42    <1e-16
    mean texture     -0.94  0.16     -1.25      -0.63   -5.89  3.98e-09
    intercept         0.71  0.15      0.41       1.01    4.66  3.13e-06
    -------------------------------------------------------------------
    s.e.: observed information.
    """
    model = named_model(estimator)
    _check_ours("summary", model)
    return model.summary(confidence_level)


def predict_dist(
    estimator: Any, X: Any, *, dispersion: ArrayLike | None = None, **offset_or_exposure: ArrayLike
) -> Any:
    """Return the law of y for each row, from any model at the end of a pipeline that tells one.

    Parameters
    ----------
    estimator : fitted estimator or results
        Alone, at the end of a Pipeline, in a search or in a FrozenEstimator:

        - `MLERegressor`, and any other with a method `predict_dist`;
        - classifiers with `predict_proba`: a categorical law;
        - regressors with ``predict(X, return_std=True)``, such as BayesianRidge: normal laws;
        - PoissonRegressor; models with ``pred_dist(X)``, such as ngboost's;
        - results of statsmodels: least squares, GLM, and the models of its `discrete`;
        - any regressor beside a `dispersion`;
        - what `register_law` was told.
    X : array-like or sparse matrix of shape (n, p)
        As the pipeline takes it, or the `predict` of statsmodels' results.
    dispersion : float or array-like of shape (n,), optional
        Of a regressor that predicts a mean alone: the variance of y, the law being normal; for
        GammaRegressor and TweedieRegressor the variance over mean^power, the law being gamma
        (power 2) or inverse Gaussian (3).
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure` of a model of skmle's, if fit was given them beside X.

    Returns
    -------
    skmle.families.Distribution
        With parameters of shape (n,); of a law that skmle has not, what the model gave.

    Raises
    ------
    TypeError
        If the model at the end gives no law.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> pipe = make_pipeline(StandardScaler(), skmle.MLERegressor("gamma")).fit(X, y)
    >>> print(skmle.predict_dist(pipe, X[:2]).sf(100.0).round(2))
    [0.94 0.2 ]
    """
    model, X = unwrap(estimator, X)
    if isinstance(model, LikelihoodEstimator) and hasattr(model, "predict_dist"):
        if dispersion is not None:
            raise TypeError(
                f"predict_dist: dispersion was given, but {type(model).__name__} knows its law. "
                "Allowed: for regressors that predict a mean alone. Drop the argument."
            )
        return model.predict_dist(X, **offset_or_exposure)
    check_beside("predict_dist", model, offset_or_exposure)
    return law_of(model, X, dispersion)


def predict_interval(
    estimator: Any, X: Any, coverage: float = 0.95, **offset_or_exposure: ArrayLike
) -> tuple[Array, Array]:
    """Return (low, high), each of shape (n,): the central interval of each row's law of y.

    Parameters
    ----------
    estimator, X
        As in `predict_dist`.
    coverage : float, default=0.95
        Probability that y lies inside, under the fitted law; that the law is estimated is not
        taken into account, unless ``interval="observation"`` is given.
    **offset_or_exposure : array-like of shape (n,)
        As in `predict_dist`; and `interval`, {"law", "observation", "mean"}, as
        `MLERegressor.predict_interval` has it.

    Raises
    ------
    TypeError
        If the model at the end gives no law.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> pipe = make_pipeline(StandardScaler(), skmle.MLERegressor()).fit(X, y)
    >>> low, high = skmle.predict_interval(pipe, X, coverage=0.9)
    >>> print(round(((low <= y) & (y <= high)).mean(), 2))
    0.9
    """
    return _ask("predict_interval", estimator, X, coverage, **offset_or_exposure)


def predict_quantile(
    estimator: Any, X: Any, q: ArrayLike, **offset_or_exposure: ArrayLike
) -> Array:
    """Return quantiles of each row's law of y.

    The shape is (n,) for a number q, and (n, m) for m of them.

    Parameters
    ----------
    estimator, X
        As in `predict_dist`.
    q : float or array-like of shape (m,)
        Probabilities.
    **offset_or_exposure : array-like of shape (n,)
        As in `predict_dist`.

    Raises
    ------
    TypeError
        If the model at the end gives no law.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> pipe = make_pipeline(StandardScaler(), skmle.MLERegressor("gamma")).fit(X, y)
    >>> print(skmle.predict_quantile(pipe, X[:2], [0.1, 0.5, 0.9]).round())
    [[113. 195. 309.]
     [ 43.  73. 116.]]
    """
    return _ask("predict_quantile", estimator, X, q, **offset_or_exposure)


def log_prob(estimator: Any, X: Any, y: Any = None, **offset_or_exposure: ArrayLike) -> Array:
    """Return log q of each row, in nats: of y given x, or of x for a density.

    Parameters
    ----------
    estimator : fitted estimator
        Any that `skmle.metrics.log_likelihood_score`, the mean of this, can judge.
    X : array-like or sparse matrix of shape (n, p)
        As the pipeline takes it.
    y : array-like of shape (n,), optional
        Labels or observations; densities ignore it.
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure`, if fit was given them beside X.

    Returns
    -------
    ndarray of shape (n,)
        -inf for an impossible row.

    Raises
    ------
    TypeError
        If the model does not tell the law of what it predicts.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> pipe = make_pipeline(StandardScaler(), skmle.CrossEntropyClassifier(alpha=0.01)).fit(X, y)
    >>> print(skmle.log_prob(pipe, X[:2], y[:2]).round(3))
    [-0.021 -0.075]
    """
    return row_log_prob(*unwrap(estimator, X), y, **offset_or_exposure)


def augment(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    pit: str = "randomised",
    random_state: Any = 0,
    dispersion: ArrayLike | None = None,
    **offset_or_exposure: ArrayLike,
) -> Any:
    """Return what any fitted model says of each row: fitted value, log q, place in its law.

    It is `Inference.augment` without influence, for models of others, too: whoever
    `predict_dist` asks.

    Parameters
    ----------
    estimator, X
        As in `predict_dist`; of skmle's, densities, too.
    y : array-like of shape (n,), optional
    pit : {"randomised", "mid"}, default="randomised"
        Where between P(Y < y) and P(Y <= y) the place of a count or of one of two labels is.
    random_state : int, RandomState or None, default=0
        Of the draws.
    dispersion
        As in `predict_dist`.
    **offset_or_exposure : array-like of shape (n,)
        As in `predict_dist`.

    Returns
    -------
    DataFrame or dict of ndarray
        Columns as `Inference.augment` has them: fitted, log_prob, pit, quantile_residual,
        pearson_residual, deviance_residual, as far as they have a meaning for the law.

    Raises
    ------
    TypeError
        If the model gives no law, or one that is none of skmle's or scipy's.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> rows = skmle.augment(BayesianRidge().fit(X, y), X, y)
    >>> print(round(float(rows["quantile_residual"].std()), 2))
    0.98
    """
    model, seen = unwrap(estimator, X)
    if isinstance(model, LikelihoodEstimator):
        check_is_fitted(model)
        beside = dict(offset_or_exposure)
        columns = model._augment(seen, y, None, pit, random_state, False, beside)
    else:
        law = predict_dist(estimator, X, dispersion=dispersion, **offset_or_exposure)
        columns = residuals_of_law(model, law, y, pit, random_state)
    return as_frame(columns, beside=X)


def _ask(
    method: str, estimator: Any, X: Any, *arguments: Any, **offset_or_exposure: ArrayLike
) -> Any:
    model, seen = unwrap(estimator, X)
    if isinstance(model, LikelihoodEstimator) and hasattr(model, method):
        return getattr(model, method)(seen, *arguments, **offset_or_exposure)
    check_quantiles(method, model)
    check_beside(method, model, offset_or_exposure)
    law = law_of(model, seen)
    if isinstance(law, Distribution) and not law.family.observation.numeric:
        raise no_quantiles(method, model)
    (given,) = arguments
    if method == "predict_interval":
        if not 0.0 < given < 1.0:
            raise ValueError(
                f"predict_interval: coverage={given!r} is not allowed; give a number between 0 and "
                "1, such as 0.95."
            )
        return law.ppf(0.5 - 0.5 * given), law.ppf(0.5 + 0.5 * given)
    levels = np.asarray(given, float)
    if levels.ndim == 0:
        return np.asarray(law.ppf(levels))
    return np.stack([law.ppf(level) for level in levels], axis=-1)
