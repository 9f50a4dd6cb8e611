"""Laws, rows and scores of whole pipelines."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.metrics import log_likelihood_score, log_likelihood_scorer
from tests.any_model.pipelines import NAMES, prepare

# ---------------------------------------------------------------- laws and rows


@pytest.fixture(params=["normal", "gamma", "poisson", "student_t"])
def regression(request, rng) -> tuple[Pipeline, np.ndarray, np.ndarray]:
    X = rng.normal(5.0, 3.0, size=(200, 2))
    mean = np.exp(0.2 * (X[:, 0] - 5.0))
    y = (
        rng.poisson(mean).astype(float)
        if request.param == "poisson"
        else rng.gamma(2.0, mean / 2.0)
    )
    return make_pipeline(StandardScaler(), MLERegressor(request.param)).fit(X, y), X, y


def test_functions_are_the_methods_of_the_last_step(regression):
    pipe, X, y = regression
    model, Z = pipe[-1], pipe[:-1].transform(X)
    np.testing.assert_array_equal(skmle.log_prob(pipe, X, y), model.log_prob(Z, y))
    np.testing.assert_array_equal(skmle.predict_interval(pipe, X), model.predict_interval(Z))
    np.testing.assert_array_equal(
        skmle.predict_interval(pipe, X, 0.5), model.predict_interval(Z, 0.5)
    )
    np.testing.assert_array_equal(
        skmle.predict_quantile(pipe, X, 0.1), model.predict_quantile(Z, 0.1)
    )
    np.testing.assert_array_equal(
        skmle.predict_quantile(pipe, X, [0.1, 0.9]), model.predict_quantile(Z, [0.1, 0.9])
    )
    law, expected = skmle.predict_dist(pipe, X), model.predict_dist(Z)
    assert {name: value.tolist() for name, value in law.params.items()} == {
        name: value.tolist() for name, value in expected.params.items()
    }


def test_rows_laws_and_score_agree(regression):
    pipe, X, y = regression
    rows = skmle.log_prob(pipe, X, y)
    np.testing.assert_allclose(rows, skmle.predict_dist(pipe, X).log_prob(y), rtol=1e-10)
    np.testing.assert_allclose(rows.mean(), pipe.score(X, y), rtol=1e-12)
    low, high = skmle.predict_interval(pipe, X, 0.8)
    np.testing.assert_allclose(
        np.column_stack([low, high]), skmle.predict_quantile(pipe, X, [0.1, 0.9]), rtol=1e-12
    )


def test_exposure_passes_to_the_last_step(rng):
    X = rng.normal(size=(100, 1))
    exposure = rng.uniform(0.5, 2.0, 100)
    y = rng.poisson(exposure * np.exp(X[:, 0]))
    pipe = make_pipeline(StandardScaler(), MLERegressor("poisson")).fit(
        X, y, mleregressor__exposure=exposure
    )
    np.testing.assert_allclose(
        skmle.predict_dist(pipe, X, exposure=exposure).mean(),
        exposure * skmle.predict_dist(pipe, X, exposure=1.0).mean(),
        rtol=1e-12,
    )
    rows = skmle.log_prob(pipe, X, y, exposure=exposure)
    np.testing.assert_allclose(
        rows.mean(), log_likelihood_score(pipe, X, y, exposure=exposure), rtol=1e-12
    )
    assert np.shape(skmle.predict_interval(pipe, X, exposure=exposure)) == (2, 100)
    assert skmle.predict_quantile(pipe, X, [0.5], exposure=exposure).shape == (100, 1)
    with pytest.raises(TypeError, match="exposure= .* LogisticRegression cannot.*Allowed"):
        skmle.log_prob(LogisticRegression().fit(X, y > 0), X, y > 0, exposure=exposure)


def test_log_prob_of_densities_and_classifiers(table):
    frame, y = table
    density = make_pipeline(StandardScaler(), MLEDistribution()).fit(frame[["age", "income"]])
    np.testing.assert_array_equal(
        skmle.log_prob(density, frame[["age", "income"]]),
        density.score_samples(frame[["age", "income"]]),
    )
    for model in (CrossEntropyClassifier(), LogisticRegression()):
        pipe = make_pipeline(prepare(), model).fit(frame, y)
        log_proba = pipe.predict_log_proba(frame)
        np.testing.assert_array_equal(
            skmle.log_prob(pipe, frame, y), np.where(y == "yes", log_proba[:, 1], log_proba[:, 0])
        )


@pytest.mark.parametrize(
    "function",
    [skmle.predict_dist, skmle.predict_interval, lambda p, X: skmle.predict_quantile(p, X, 0.5)],
)
@pytest.mark.parametrize("model", [LinearSVC(), LinearRegression(), MLEDistribution()], ids=repr)
def test_no_law_of_y_is_an_error_in_four_parts(function, model):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(
        TypeError,
        match=f"^predict_.*: {type(model).__name__} gives no law of y. Allowed: MLERegressor"
        ".*Put one",
    ):
        function(make_pipeline(StandardScaler(), model).fit(X, y), X)


# ---------------------------------------------------------------- whole pipelines


def test_sparse_one_hot_columns_pass_through_everything(table, rng):
    frame, y = table
    frame = frame.assign(street=rng.choice([f"street {j}" for j in range(12)], len(frame)))
    prep = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(drop="first"), ["city", "street"]),
    )
    pipe = make_pipeline(prep, CrossEntropyClassifier()).fit(frame, y)
    assert hasattr(pipe[:-1].transform(frame), "toarray")
    terms = skmle.summary(pipe).inference.terms
    assert (
        terms[0] == "standardscaler__age"
        and "onehotencoder__street_street 9" in terms
        and len(terms) == 2 + 2 + 11 + 1
    )
    dense = make_pipeline(
        prep,
        FunctionTransformer(lambda Z: Z.toarray(), accept_sparse=True),
        CrossEntropyClassifier(),
    ).fit(frame, y)
    np.testing.assert_allclose(
        skmle.log_prob(pipe, frame, y), skmle.log_prob(dense, frame, y), atol=1e-6
    )
    assert np.isfinite(cross_val_score(pipe, frame, y, scoring=log_likelihood_scorer, cv=3)).all()


@pytest.mark.parametrize("scoring", [None, log_likelihood_scorer], ids=["score", "scorer"])
def test_a_search_over_families_keeps_names_and_laws(table, targets, scoring):
    frame, _ = table
    y = targets["value"]
    pipe = make_pipeline(prepare(), MLERegressor())
    search = GridSearchCV(
        pipe, {"mleregressor__family": ["normal", "gamma", "exponential"]}, scoring=scoring, cv=3
    ).fit(frame, y)
    assert search.best_params_ == {"mleregressor__family": "gamma"}
    assert list(skmle.summary(search).inference.terms) == [*NAMES, "intercept", "shape"]
    assert skmle.predict_dist(search, frame[:5]).mean().shape == (5,)
    np.testing.assert_allclose(
        skmle.log_prob(search, frame, y).mean(), search.score(frame, y), rtol=1e-12
    )


def test_public_names():
    for name in ("summary", "predict_dist", "predict_interval", "predict_quantile", "log_prob"):
        assert name in skmle.__all__ and name in dir(skmle)
        assert getattr(skmle, name).__module__ == "skmle.pipeline"
