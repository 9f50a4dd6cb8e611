"""Warm starts, columns of parameters, grids, pickles and clones."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import NonRegularWarning
from skmle.families import Distribution, Gamma
from tests.estimators.data import assert_same_fit, counts, labels
from tests.subjects import FAMILIES, as_columns, observations

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(),
        CrossEntropyClassifier(alpha=0.1),
        MLERegressor("poisson"),
        MLERegressor("student_t"),
        MLERegressor("normal", alpha=0.1),
    ],
    ids=repr,
)
def test_a_warm_start_at_the_optimum_ends_there_at_once(model):
    X, y = labels(300, 3)
    y = (
        y + np.random.default_rng(0).standard_t(3.0, 300)
        if getattr(model, "family", "") == "student_t"
        else y
    )
    cold = clone(model).fit(X, y)
    assert cold.n_iter_ > 1
    warm = clone(model).set_params(warm_start=True).fit(X, y)
    first = warm.n_iter_
    warm.fit(X, y)
    assert first == cold.n_iter_ and warm.n_iter_ == 1
    assert_same_fit(cold, warm)
    # Other data of other width start afresh.
    warm.fit(X[:, :2], y)
    assert_same_fit(clone(model).fit(X[:, :2], y), warm)


SPECS = {
    "names": ["b", "d"],
    "indices": [1, 3],
    "negative indices": [1, -1],
    "slice": slice(1, 4, 2),
    "mask": [False, True, False, True],
    "array mask": np.array([False, True, False, True]),
    "selector": make_column_selector(pattern="b|d"),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_columns_of_a_parameter_may_be_named_in_many_ways(spec):
    X, y = labels(300, 3)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    expected = MLERegressor("normal").fit(X[:, [1, 3]], y)
    model = MLERegressor("normal", features={"loc": spec}).fit(frame, y)
    assert_same_fit(expected, model)
    np.testing.assert_allclose(model.predict(frame), expected.predict(X[:, [1, 3]]), rtol=1e-12)
    np.testing.assert_allclose(
        model.predict_dist(frame).std(), expected.predict_dist(X[:, [1, 3]]).std(), rtol=1e-12
    )


def test_columns_of_a_parameter_may_be_one_all_or_none():
    X, y = labels(300, 3)
    frame = pl.DataFrame(X, schema=["a", "b", "c", "d"])
    one = MLERegressor("normal", features={"loc": "c"}).fit(frame, y)
    assert_same_fit(one, MLERegressor("normal", features={"loc": 2}).fit(X, y))
    assert one.coefs_["loc"].shape == (1,)
    both = MLERegressor("normal", features={"loc": "all", "scale": "all"}).fit(frame, y)
    assert both.coefs_["scale"].shape == (4,)
    scale = MLERegressor("normal", features={"loc": "none", "scale": ["a"]}).fit(frame, y)
    assert scale.coefs_["loc"].shape == (0,) and scale.coef_.shape == (0,)
    assert scale.params_.keys() == {"loc"}
    assert both.log_likelihood_ > max(one.log_likelihood_, scale.log_likelihood_)


def test_families_are_compared_by_a_grid_in_one_line():
    y = np.random.default_rng(0).gamma(3.0, 2.0, size=(400, 1))
    search = GridSearchCV(
        MLEDistribution(), {"family": ["normal", "gamma", "exponential", "weibull", "lognormal"]}
    ).fit(y)
    assert search.best_params_ == {"family": "gamma"}
    assert search.best_score_ == pytest.approx(max(search.cv_results_["mean_test_score"]))
    assert search.score(y) == pytest.approx(MLEDistribution("gamma").fit(y).score(y))


def test_a_grid_over_families_and_ridge_runs_through_a_pipeline_with_weights():
    X, time, y = counts()
    pipe = make_pipeline(StandardScaler(), MLERegressor())
    grid = {
        "mleregressor__family": ["normal", "poisson", "negative_binomial"],
        "mleregressor__alpha": [0.0, 0.1],
    }
    search = GridSearchCV(pipe, grid, cv=3).fit(X, y + 0.0, mleregressor__sample_weight=time)
    assert search.best_params_["mleregressor__family"] == "negative_binomial"
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def fitted() -> dict[str, Any]:
    X, y = labels(20_000, 3)
    rng = np.random.default_rng(0)
    time = rng.uniform(1.0, 5.0, len(X))
    return {
        "density": MLEDistribution("logistic").fit(X),
        "multivariate": MLEDistribution("multivariate_normal").fit(X),
        "categorical": MLEDistribution("categorical").fit(np.array(["a", "b", "c"])[y][:, None]),
        "classifier": CrossEntropyClassifier().fit(X, np.array(["a", "b", "c"])[y]),
        "binary": CrossEntropyClassifier(link="probit").fit(X, y > 0),
        "regressor": MLERegressor("gamma", features={"shape": [0]}, exposure=3).fit(
            np.column_stack([X[:, :3], time]), rng.gamma(2.0, time)
        ),
    }


def test_a_pickled_model_is_small_and_answers_as_before():
    X, _ = labels(20_000, 3)
    for name, model in fitted().items():
        stored = pickle.dumps(model)
        assert len(stored) < 20_000, name
        loaded = pickle.loads(stored)
        inputs = np.array([["a"], ["c"]]) if name == "categorical" else np.abs(X[:50])
        np.testing.assert_array_equal(loaded.predict(inputs), model.predict(inputs))
        assert str(loaded.summary()) == str(model.summary())


def test_a_pickle_of_another_version_warns_as_scikit_learns_do(monkeypatch):
    for model in fitted().values():
        with monkeypatch.context() as patch:
            patch.setattr(skmle, "__version__", "0.0.1")
            stored = pickle.dumps(model)
            pickle.loads(stored)
        said = rf"estimator {type(model).__name__} from version 0\.0\.1 of skmle when using version"
        with pytest.warns(InconsistentVersionWarning, match=said):
            loaded = pickle.loads(stored)
        assert vars(loaded).keys() == vars(model).keys()
        pickle.loads(pickle.dumps(loaded))


def test_a_clone_has_the_parameters_and_nothing_fitted():
    for model in fitted().values():
        copy = clone(model)
        assert copy.get_params().keys() == model.get_params().keys()
        assert not [name for name in vars(copy) if name.endswith("_")]
        assert repr(copy) == repr(model)


def test_nested_parameters_of_a_family_are_in_the_grid():
    X, _, y = counts()
    search = GridSearchCV(
        MLERegressor(Gamma()), {"family__links": [None, {"mean": "softplus"}]}, cv=3
    ).fit(X, y + 1.0)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_a_law_by_parameters_equals_the_fitted_one():
    y = as_columns(observations(next(iter(FAMILIES))))
    model = MLEDistribution(FAMILIES[0]).fit(y)
    law = Distribution(FAMILIES[0](), model.params_)
    np.testing.assert_array_equal(law.log_prob(y[:, 0]), model.score_samples(y))
