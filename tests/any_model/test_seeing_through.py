"""The score sees through pipelines, searches and samplers; weights; errors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LogisticRegression, PoissonRegressor
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import ScoreWarning
from skmle.metrics import log_likelihood_score
from tests.any_model.foreign import EXACT, Boosted

WRAPPERS = {
    "alone": lambda model: model,
    "pipeline": lambda model: make_pipeline(StandardScaler(), model),
    "pipeline of one": lambda model: make_pipeline(model),
    "passthrough": lambda model: make_pipeline("passthrough", StandardScaler(), None, model),
    "nested": lambda model: make_pipeline(
        StandardScaler(), make_pipeline(FunctionTransformer(), model)
    ),
    "search": lambda model: GridSearchCV(model, {}, cv=2),
    "search of a pipeline": lambda model: GridSearchCV(
        make_pipeline(StandardScaler(), model), {}, cv=2
    ),
    "pipeline of a search": lambda model: make_pipeline(
        StandardScaler(), GridSearchCV(model, {}, cv=2)
    ),
}

MODELS = [
    CrossEntropyClassifier(),
    LogisticRegression(),
    MLERegressor(),
    BayesianRidge(),
    MLEDistribution(),
    GaussianMixture(),
    PCA(1),
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("freeze", [False, True])
def test_score_sees_through(wrapper, model, freeze, rng):
    X = rng.normal(3.0, 2.0, size=(40, 2))
    y = (X[:, 0] + rng.normal(size=40) > 3.0).astype(int)
    scaled = ("ipeline" in wrapper and wrapper != "pipeline of one") or wrapper in (
        "passthrough",
        "nested",
    )
    fitted = WRAPPERS[wrapper](clone(model)).fit(X, y)
    Z = StandardScaler().fit_transform(X) if scaled else X
    direct = clone(model).fit(Z, y)
    np.testing.assert_allclose(
        log_likelihood_score(FrozenEstimator(fitted) if freeze else fitted, X, y),
        log_likelihood_score(direct, Z, y),
        rtol=1e-9,
    )


def test_a_sampler_of_imbalanced_learn_passes_rows_on(rng):
    class Sampler(BaseEstimator):
        def fit_resample(self, X, y):
            return X, y

    X = rng.normal(size=(20, 1))
    pipe = make_pipeline(StandardScaler(), MLEDistribution()).fit(X)
    pipe.steps.insert(1, ("sampler", Sampler()))
    assert log_likelihood_score(pipe, X) == log_likelihood_score(
        make_pipeline(StandardScaler(), MLEDistribution()).fit(X), X
    )


@pytest.mark.parametrize(
    "model",
    [*MODELS, PoissonRegressor(), EmpiricalCovariance(), KernelDensity(), RandomForestClassifier()],
    ids=repr,
)
def test_unfitted_says_so(model):
    for estimator in (
        model,
        GridSearchCV(model, {}),
        make_pipeline(StandardScaler(), model),
        FrozenEstimator(model),
    ):
        with pytest.raises(NotFittedError, match="not fitted"):
            log_likelihood_score(estimator, np.zeros((2, 2)), np.zeros(2))


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_weights_are_repeats_and_bad_ones_an_error(model, rng):
    X = rng.normal(size=(40, 2))
    y = (X[:, 0] + rng.normal(size=40) > 0).astype(int)
    model = clone(model).fit(X, y)
    weight = rng.integers(0, 3, 40)
    repeated = log_likelihood_score(model, X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(log_likelihood_score(model, X, y, weight), repeated, **EXACT)
    np.testing.assert_allclose(log_likelihood_score(model, X, y, 1e-3 * weight), repeated, **EXACT)
    for bad, message in (
        (-weight, "Negative values.*Allowed"),
        (0 * weight, "all 40 weights are zero.*Allowed"),
        (weight[:-1], "(?i)sample_weight"),
    ):
        with pytest.raises(ValueError, match=message):
            log_likelihood_score(model, X, y, bad)


@pytest.mark.parametrize(
    "model", [LogisticRegression(), BayesianRidge(), PoissonRegressor(), Boosted()], ids=repr
)
def test_a_missing_y_is_named(model, line):
    X, y = line
    model = model.fit(X, y > 1)
    with pytest.raises(ValueError, match="y is missing.*Allowed: .*Give y"):
        log_likelihood_score(model, X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples|broadcast"):
        log_likelihood_score(model, X, y[:-1])


def test_offset_and_exposure_reach_the_regressor_and_no_other(line, rng):
    X, y = line
    exposure = rng.uniform(0.5, 2.0, len(y))
    model = MLERegressor("poisson").fit(X, y, exposure=exposure)
    assert log_likelihood_score(model, X, y, exposure=exposure) == model.score(
        X, y, exposure=exposure
    )
    assert log_likelihood_score(model, X, y, offset=exposure, exposure=exposure) == model.score(
        X, y, offset=exposure, exposure=exposure
    )
    with pytest.warns(ScoreWarning, match="exposure"):
        log_likelihood_score(model, X, y)
    for other in (
        PoissonRegressor(),
        MLEDistribution(),
        CrossEntropyClassifier(),
        GaussianMixture(),
    ):
        for function in (log_likelihood_score, skmle.log_prob):
            with pytest.raises(
                TypeError, match=f"exposure= .* {type(other).__name__} cannot.*Drop"
            ):
                function(clone(other).fit(X, y > 1), X, y > 1, exposure=exposure)
