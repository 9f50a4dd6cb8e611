"""The scorer in scikit-learn's tools: cross-validation, searches, routing."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import BayesianRidge, PoissonRegressor
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import ScoreWarning
from skmle.metrics import LogLikelihoodScorer, log_likelihood_score, log_likelihood_scorer
from tests.any_model.foreign import EXACT


@pytest.mark.slow
def test_a_forest_and_the_classifier_in_one_cross_validation():
    X, y = load_iris(return_X_y=True, as_frame=True)
    y = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    for model in (
        CrossEntropyClassifier(alpha=0.01),
        RandomForestClassifier(30, min_samples_leaf=5, random_state=0),
    ):
        result = cross_validate(
            model, X, y, cv=cv, scoring=log_likelihood_scorer, return_train_score=True
        )
        several = cross_validate(
            model, X, y, cv=cv, scoring={"ours": log_likelihood_scorer, "theirs": "neg_log_loss"}
        )
        np.testing.assert_array_equal(result["test_score"], several["test_ours"])
        np.testing.assert_allclose(several["test_ours"], several["test_theirs"], **EXACT)
        assert (result["train_score"] > -0.3).all()


@pytest.mark.parametrize(
    "model",
    [CrossEntropyClassifier(alpha=0.01), RandomForestClassifier(10, random_state=0), GaussianNB()],
    ids=repr,
)
def test_a_fold_that_lacks_a_class_is_minus_infinity_and_the_class_is_named(model):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    says = (
        "50 of 50 rows have a label that fit has not seen .row 0: '(setosa|versicolor|virginica)'"
    )
    with pytest.warns(ScoreWarning, match=says) as caught:
        scores = cross_val_score(
            model, X, names, cv=KFold(3), scoring=log_likelihood_scorer
        )  # sorted by class: each fold is one
    assert np.isneginf(scores).all() and len(caught) == 3


@pytest.mark.parametrize("scoring", [None, log_likelihood_scorer], ids=["score", "scorer"])
def test_grid_over_families(scoring, rng):
    x = rng.gamma(3.0, 2.0, size=(300, 1))
    grid = {"mledistribution__family": ["normal", "gamma", "exponential", "lognormal"]}
    pipe = make_pipeline(FunctionTransformer(), MLEDistribution())
    search = GridSearchCV(
        pipe, grid, cv=KFold(3, shuffle=True, random_state=0), scoring=scoring
    ).fit(x)
    assert search.best_params_ == {"mledistribution__family": "gamma"}
    expected = GridSearchCV(
        MLEDistribution(), {"family": grid["mledistribution__family"]}, cv=search.cv
    ).fit(x)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert search.score(x) == log_likelihood_score(search, x)


def test_one_grid_over_models_of_other_libraries(line):
    X, y = line
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MLERegressor()),
        {
            "mleregressor": [
                MLERegressor(),
                BayesianRidge(),
                MLERegressor("poisson"),
                PoissonRegressor(),
            ]
        },
        scoring=log_likelihood_scorer,
        cv=3,
    )
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[2:].min() > scores[:2].max()  # y are Poisson counts


def test_densities_need_no_y(rng):
    x = rng.normal(size=(60, 1))
    for model in (
        MLEDistribution(),
        KernelDensity(),
        GaussianMixture(),
        PCA(1),
        EmpiricalCovariance(),
    ):
        assert np.isfinite(cross_val_score(model, x, cv=3, scoring=log_likelihood_scorer)).all()


def test_the_scorer_in_other_tools(line):
    X, y = line
    model = MLERegressor("poisson").fit(X, y)
    importance = permutation_importance(
        model,
        X,
        y,
        scoring=log_likelihood_scorer,
        n_repeats=3,
        random_state=0,
        sample_weight=np.ones(len(y)),
    )
    assert importance.importances_mean[0] > 0.05 > abs(importance.importances_mean[1])
    _, _, test = learning_curve(
        model, X, y, scoring=log_likelihood_scorer, train_sizes=[20, 40], cv=3
    )
    assert test.shape == (2, 3)


@pytest.mark.parametrize(
    "copy", [clone, lambda s: pickle.loads(pickle.dumps(s))], ids=["clone", "pickle"]
)
def test_the_scorer_copies(copy, line):
    X, y = line
    model = MLERegressor("poisson").fit(X, y)
    assert copy(log_likelihood_scorer)(model, X, y) == model.score(X, y)
    assert (
        copy(log_likelihood_scorer).get_metadata_routing().score.requests
        == log_likelihood_scorer.get_metadata_routing().score.requests
    )
    assert repr(copy(log_likelihood_scorer)) == "LogLikelihoodScorer()"


def weighted_scores(
    model: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray, cv: Any, weighted: bool = True
) -> list[float]:
    fits = [(clone(model).fit(X[a], y[a], sample_weight=weight[a]), b) for a, b in cv.split(X)]
    return [
        log_likelihood_score(fitted, X[b], y[b], weight[b] if weighted else None)
        for fitted, b in fits
    ]


def test_weights_reach_the_score_of_a_search_without_routing(line, rng):
    X, y = line
    weight, cv = rng.integers(1, 5, len(y)), KFold(3)
    for scoring in (log_likelihood_scorer, {"it": log_likelihood_scorer}):
        search = GridSearchCV(
            MLERegressor("poisson"), {"alpha": [0.0]}, scoring=scoring, refit=False, cv=cv
        ).fit(X, y, sample_weight=weight)
        name = "score" if scoring is log_likelihood_scorer else "it"
        got = [search.cv_results_[f"split{j}_test_{name}"][0] for j in range(3)]
        np.testing.assert_array_equal(
            got, weighted_scores(MLERegressor("poisson"), X, y, weight, cv)
        )


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_weights_reach_the_score_with_routing(routing, line, rng):
    X, y = line
    weight, cv = rng.integers(1, 5, len(y)), KFold(3)
    model = MLERegressor("poisson").set_fit_request(sample_weight=True)
    expected = weighted_scores(MLERegressor("poisson"), X, y, weight, cv)
    result = cross_validate(
        model, X, y, cv=cv, params={"sample_weight": weight}, scoring=log_likelihood_scorer
    )
    np.testing.assert_array_equal(result["test_score"], expected)
    for estimator, grid in (
        (model, {"alpha": [0.0]}),
        (make_pipeline(StandardScaler(), model), {"mleregressor__alpha": [0.0]}),
    ):
        if estimator is not model:
            estimator[0].set_fit_request(sample_weight=False)
        for scoring, name in (
            (log_likelihood_scorer, "score"),
            ({"it": log_likelihood_scorer, "r2": "r2"}, "it"),
        ):
            search = GridSearchCV(estimator, grid, scoring=scoring, cv=cv, refit=False)
            if name == "it":
                scoring["r2"] = sklearn.metrics.make_scorer(
                    sklearn.metrics.r2_score
                ).set_score_request(sample_weight=False)
            got = search.fit(X, y, sample_weight=weight).cv_results_
            np.testing.assert_allclose(
                [got[f"split{j}_test_{name}"][0] for j in range(3)], expected, rtol=1e-9
            )
    unweighted = clone(log_likelihood_scorer).set_score_request(sample_weight=False)
    result = cross_validate(
        model, X, y, cv=cv, params={"sample_weight": weight}, scoring=unweighted
    )
    np.testing.assert_array_equal(
        result["test_score"],
        weighted_scores(MLERegressor("poisson"), X, y, weight, cv, weighted=False),
    )


def test_exposure_reaches_the_score_with_routing(routing, line, rng):
    X, y = line
    exposure = rng.uniform(0.5, 2.0, len(y))
    routed = cross_validate(
        MLERegressor("poisson"),
        X,
        y,
        params={"exposure": exposure},
        cv=3,
        scoring=log_likelihood_scorer,
    )
    own = cross_validate(MLERegressor("poisson"), X, y, params={"exposure": exposure}, cv=3)
    column = cross_val_score(
        MLERegressor("poisson", exposure=2),
        np.column_stack([X, exposure]),
        y,
        cv=3,
        scoring=log_likelihood_scorer,
    )
    np.testing.assert_array_equal(routed["test_score"], own["test_score"])
    np.testing.assert_allclose(routed["test_score"], column, rtol=1e-10)


def test_the_request_of_the_scorer_can_be_renamed(routing, line, rng):
    X, y = line
    weight = rng.integers(1, 5, len(y))
    scorer = LogLikelihoodScorer().set_score_request(sample_weight="test_weight")
    result = cross_validate(
        MLERegressor("poisson"), X, y, cv=KFold(3), params={"test_weight": weight}, scoring=scorer
    )
    expected = [
        log_likelihood_score(MLERegressor("poisson").fit(X[a], y[a]), X[b], y[b], weight[b])
        for a, b in KFold(3).split(X)
    ]
    np.testing.assert_array_equal(result["test_score"], expected)
