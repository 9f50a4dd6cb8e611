"""The estimators of scikit-learn, discovered, and data that they take."""

from __future__ import annotations

import inspect
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import all_estimators, get_tags

EXACT = dict(rtol=1e-12, atol=1e-12)  # two roads to one number: rounding only


def construct(cls: type) -> Any:
    """Return an estimator of the class, with the inner ones that it may need."""
    required = [
        p
        for p in inspect.signature(cls).parameters.values()
        if p.name in ("estimator", "estimators", "final_estimator") or p.default is p.empty
    ]
    inner = LinearRegression() if issubclass(cls, RegressorMixin) else GaussianNB()
    with warnings.catch_warnings(
        action="ignore", category=FutureWarning
    ):  # the class is deprecated
        return cls(
            **{p.name: [("inner", inner)] if p.name == "estimators" else inner for p in required}
        )


def found(kind: str) -> dict[str, Any]:
    return {name: construct(cls) for name, cls in all_estimators(type_filter=kind)}


FEW = {"max_iter": 20, "n_estimators": 20, "cv": 2, "Cs": 2}  # for speed


def quietly(estimator: Any, *data: Any, **params: Any) -> Any:
    """Return a fitted clone, whatever it warns of.

    The data are small, the defaults what they are.
    """
    with warnings.catch_warnings(action="ignore"):
        few = {
            name: number for name, number in FEW.items() if name in estimator.get_params(deep=False)
        }
        return clone(estimator).set_params(**few, **params).fit(*data)


CLASSIFIERS = found("classifier")

MULTI_OUTPUT = [
    name
    for name, estimator in CLASSIFIERS.items()
    if not get_tags(estimator).target_tags.single_output
]

SAYS_PROBABILITIES = [
    name
    for name, e in CLASSIFIERS.items()
    if name not in MULTI_OUTPUT and hasattr(e, "predict_proba")
]

SAYS_LABELS_ONLY = [
    name for name in CLASSIFIERS if name not in SAYS_PROBABILITIES and name not in MULTI_OUTPUT
]


REGRESSORS = found("regressor")

SAYS_ITS_LAW = [
    name
    for name, e in REGRESSORS.items()
    if name == "PoissonRegressor" or "return_std" in inspect.signature(type(e).predict).parameters
]

SAYS_A_NUMBER_ONLY = [name for name in REGRESSORS if name not in SAYS_ITS_LAW]


SAMPLES = {
    name: cls
    for name, cls in all_estimators()
    if hasattr(cls, "score_samples") and "estimator" not in inspect.signature(cls).parameters
}

# Their score_samples is something else, by their documentation: depths, distances, a
# pseudo-likelihood.
NO_DENSITY = [
    "BernoulliRBM",
    "IsolationForest",
    "LocalOutlierFactor",
    "OneClassSVM",
    "SGDOneClassSVM",
]

COVARIANCES = {name: cls for name, cls in all_estimators() if issubclass(cls, EmpiricalCovariance)}

DENSITIES = [name for name in SAMPLES if name not in [*NO_DENSITY, *COVARIANCES, "Pipeline"]]


class Boosted(RegressorMixin, BaseEstimator):
    """What ngboost's regressor looks like.

    pred_dist gives a law, unknown names of which are None, and score is a loss.
    """

    def __init__(self, frozen: Any = stats.norm):
        self.frozen = frozen

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def pred_dist(self, X):
        law = self.frozen(np.full(len(X), self.mean_))
        return SimpleNamespace(
            log_prob=None,
            **{name: getattr(law, name) for name in ("logpdf", "logpmf") if hasattr(law, name)},
        )

    def predict(self, X):
        return np.full(len(X), self.mean_)


class BoostedClassifier(ClassifierMixin, BaseEstimator):
    """What ngboost's classifier looks like.

    No classes_, labels 0, 1, ...; pred_dist gives a law without a log-density.
    """

    def fit(self, X, y):
        self.share_ = np.bincount(y) / len(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.share_, (len(X), 1))

    def pred_dist(self, X):
        return SimpleNamespace(class_probs=lambda: self.predict_proba(X))
