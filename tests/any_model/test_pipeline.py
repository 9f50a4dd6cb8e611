"""Functions that see through a Pipeline: names of terms, predicted laws, log-probabilities of rows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.metrics import log_likelihood_score, log_likelihood_scorer


@pytest.fixture
def table() -> tuple[pd.DataFrame, np.ndarray]:
    """The data of user task 3: ages, incomes, cities, and labels "yes" and "no"."""
    rng = np.random.default_rng(0)
    n = 800
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "income": rng.lognormal(3, 0.5, n),
            "city": rng.choice(list("ABC"), n),
        }
    )
    eta = 0.08 * (frame.age - 40) + 0.5 * (frame.city == "B") - 0.3
    return frame, np.where(rng.uniform(size=n) < 1 / (1 + np.exp(-eta)), "yes", "no")


def prepare(**encoder: Any) -> ColumnTransformer:
    return make_column_transformer(
        (StandardScaler(), ["age", "income"]),
        (OneHotEncoder(drop="first", **encoder), ["city"]),
        verbose_feature_names_out=False,
    )


NAMES = ["age", "income", "city_B", "city_C"]


# ---------------------------------------------------------------- the reference

# statsmodels 0.15.0, Logit(y == "yes", add_constant(prepare().fit_transform(frame))).fit().summary()
STATSMODELS = """
const         -0.2218      0.125     -1.775      0.076      -0.467       0.023
age            0.7634      0.086      8.925      0.000       0.596       0.931
income         0.0034      0.075      0.045      0.964      -0.144       0.151
city_B         0.4454      0.182      2.444      0.015       0.088       0.803
city_C        -0.0129      0.185     -0.070      0.944      -0.376       0.350
"""


@pytest.mark.parametrize("sparse_output", [False, True])
@pytest.mark.parametrize(
    "frame_type",
    [pd.DataFrame, lambda frame: pl.DataFrame(frame.to_dict("list"))],
    ids=["pandas", "polars"],
)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_two_lines_give_the_table_of_statsmodels_with_real_names(
    table, sparse_output, frame_type, output
):
    frame, y = table
    if sparse_output and output == "pandas":
        sparse_output = False  # scikit-learn allows no sparse frames
    prep = prepare(sparse_output=sparse_output).set_output(transform=output)
    prep.sparse_threshold = 1.0
    pipe = make_pipeline(prep, CrossEntropyClassifier()).fit(frame_type(frame), y)
    result = skmle.summary(pipe).inference
    assert list(result.terms) == [*NAMES, "intercept"]
    columns = [
        result.estimate,
        result.standard_errors,
        result.statistic,
        result.p_value,
        *result.confidence_intervals().T,
    ]
    ours = dict(zip(result.terms, np.column_stack(columns), strict=True))
    for name, *numbers in map(str.split, STATSMODELS.strip().splitlines()):
        digits = [len(number.partition(".")[2]) for number in numbers]
        got = ours["intercept" if name == "const" else name]
        assert [f"{value:.{d}f}" for value, d in zip(got, digits, strict=True)] == numbers, name


def test_printed_table_has_the_names_the_label_and_the_p_values(table):
    frame, y = table
    text = str(
        skmle.summary(
            make_pipeline(prepare(), CrossEntropyClassifier()).fit(frame, y), confidence_level=0.9
        )
    )
    assert "log-odds of yes" in text and "90 % low" in text
    assert re.search(r"^age +0\.763 +0\.086 .* 8\.9\d +<1e-16$", text, re.MULTILINE)
    assert "x0" not in text


# ---------------------------------------------------------------- names, for every estimator and every way to hold it

HOLDERS = {
    "pipeline": lambda prep, model: make_pipeline(prep, model),
    "nested": lambda prep, model: make_pipeline(
        prep,
        make_pipeline("passthrough", FunctionTransformer(feature_names_out="one-to-one"), model),
    ),
    "search": lambda prep, model: GridSearchCV(make_pipeline(prep, model), {}, cv=2),
    "pipeline of a search": lambda prep, model: make_pipeline(prep, GridSearchCV(model, {}, cv=2)),
    "frozen": lambda prep, model: make_pipeline(prep, model),
    "frozen transformer": lambda prep, model: make_pipeline(prep, model),
}
MODELS = {
    "classifier": (
        CrossEntropyClassifier(),
        "label",
        2 * ["age", "income", "city_B", "city_C", "intercept"],
    ),
    "regressor": (MLERegressor("gamma"), "value", [*NAMES, "intercept", "shape"]),
    "features": (
        MLERegressor("gamma", features={"mean": [3, 0], "shape": slice(1, 3)}),
        "value",
        ["city_C", "age", "intercept", "income", "city_B", "intercept"],
    ),
    "offset": (
        MLERegressor("gamma", offset=1),
        "value",
        ["age", "city_B", "city_C", "intercept", "shape"],
    ),
    "no intercept": (MLERegressor("normal", fit_intercept=False), "value", [*NAMES, "scale"]),
}


@pytest.fixture
def targets(table, rng) -> dict[str, np.ndarray]:
    frame, y = table
    value = rng.gamma(3.0, np.exp(0.3 * (frame.city == "B") + 0.01 * frame.age))
    return {"label": y, "value": value}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", MODELS)
def test_names_are_those_of_the_pipeline_and_numbers_those_of_the_model(
    table, targets, holder, kind
):
    frame, _ = table
    model, target, names = MODELS[kind]
    y = targets[target]
    if kind == "classifier":  # three classes, so components: the terms repeat
        y = np.where(np.arange(len(y)) % 3 == 0, "perhaps", y)
        names = names + names[:5]
    prep = prepare()
    held = HOLDERS[holder](
        FrozenEstimator(prep.fit(frame)) if holder == "frozen transformer" else prep, clone(model)
    ).fit(frame, y)
    held = FrozenEstimator(held) if holder == "frozen" else held
    result = skmle.summary(held).inference
    named = pd.DataFrame(prep.fit_transform(frame), columns=NAMES)
    direct = clone(model).fit(named, y).inference()
    assert list(result.terms) == list(direct.terms) == names
    assert list(result.components) == list(direct.components)
    np.testing.assert_allclose(result.estimate, direct.estimate, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(result.covariance, direct.covariance, rtol=1e-6, atol=1e-9)


def test_columns_of_a_density_have_names(table):
    frame, _ = table
    pipe = make_pipeline(StandardScaler(), MLEDistribution("normal")).fit(frame[["age", "income"]])
    result = skmle.summary(pipe).inference
    assert list(result.components) == ["age", "age", "income", "income"]
    assert list(result.terms) == ["loc", "scale"] * 2
    np.testing.assert_allclose(result.estimate, [0, 1, 0, 1], atol=1e-12)


def test_names_follow_transformers_that_make_and_drop_columns(table):
    frame, y = table
    numbers = frame[["age", "income"]]
    pipe = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        SelectKBest(k=3),
        CrossEntropyClassifier(),
    ).fit(numbers, y)
    names = list(pipe[:-1].get_feature_names_out())
    assert list(skmle.summary(pipe).inference.terms) == [*names, "intercept"]
    assert "age" in names
    pipe = make_pipeline(PCA(2), CrossEntropyClassifier()).fit(numbers, y)
    assert list(skmle.summary(pipe).inference.terms) == ["pca0", "pca1", "intercept"]


class Nameless(TransformerMixin, BaseEstimator):
    """A user's transformer of the simplest kind."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X)


@pytest.mark.parametrize(
    "nameless",
    [
        Nameless(),
        FunctionTransformer(np.asarray),
        make_column_transformer((Nameless(), ["age", "income"])),
    ],
    ids=repr,
)
def test_without_names_the_columns_are_numbered(table, nameless):
    frame, y = table
    pipe = make_pipeline(nameless, CrossEntropyClassifier()).fit(frame[["age", "income"]], y)
    assert list(skmle.summary(pipe).inference.terms) == ["x0", "x1", "intercept"]
    pipe = make_pipeline(nameless, StandardScaler(), CrossEntropyClassifier()).fit(
        frame[["age", "income"]], y
    )
    assert list(skmle.summary(pipe).inference.terms) == ["x0", "x1", "intercept"]


def test_aliased_columns_are_named_in_the_note(table, targets):
    frame, y = table
    prep = make_column_transformer(
        (StandardScaler(), ["age"]), (OneHotEncoder(), ["city"]), verbose_feature_names_out=False
    )
    for model, target in ((CrossEntropyClassifier(), y), (MLERegressor("gamma"), targets["value"])):
        text = str(skmle.summary(make_pipeline(prep, model).fit(frame, target)))
        assert text.splitlines()[-1].startswith(
            "nan: not determined by the data, as city_A, city_B, city_C are"
        )
        assert (
            "city_A, city_B, city_C"
            in skmle.summary(make_pipeline(prep, model).fit(frame, target))._repr_html_()
        )


def test_summary_changes_nothing_fitted(table):
    frame, y = table
    pipe = make_pipeline(prepare(), CrossEntropyClassifier()).fit(frame, y)
    before = dict(vars(pipe[-1]))
    skmle.summary(pipe)
    assert vars(pipe[-1]).keys() == before.keys() and all(
        value is before[name] for name, value in vars(pipe[-1]).items()
    )
    assert list(pipe[-1].inference().terms) == ["x0", "x1", "x2", "x3", "intercept"]
    pipe.predict(frame)  # would warn of names


@pytest.mark.parametrize("model", [LogisticRegression(), GaussianMixture()], ids=repr)
def test_summary_of_another_library_is_an_error_in_four_parts(model):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(
        TypeError,
        match=f"summary: {type(model).__name__} keeps no covariance.*Allowed: .*Put .* in its place",
    ):
        skmle.summary(make_pipeline(StandardScaler(), model).fit(X, y))


@pytest.mark.parametrize(
    ("refit", "why"), [(True, "not fitted yet"), (False, "it has refit=False")]
)
def test_a_search_without_its_best_estimator_says_why(refit, why):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha=0.1)), {}, refit=refit
    )
    if not refit:
        search.fit(*load_iris(return_X_y=True))
    for function in (
        skmle.summary,
        lambda model: skmle.predict_dist(model, np.zeros((1, 4))),
        lambda model: skmle.log_prob(model, [[0.0] * 4], [0]),
    ):
        with pytest.raises(
            NotFittedError,
            match=f"GridSearchCV has no best_estimator_, as .*{why}. Allowed: .*Call 'fit'",
        ):
            function(search)


def test_summary_of_a_fit_without_covariance_says_why(table):
    frame, y = table
    pipe = make_pipeline(prepare(), CrossEntropyClassifier(store_information=False)).fit(frame, y)
    assert "No standard errors: store_information=False. Set store_information=True" in str(
        skmle.summary(pipe)
    )
    with pytest.raises(
        ValueError,
        match="no covariance, because store_information=False. Allowed: .*Set store_information=True",
    ):
        pipe[-1].inference()


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
        exposure * skmle.predict_dist(pipe, X).mean(),
        rtol=1e-12,
    )
    rows = skmle.log_prob(pipe, X, y, exposure=exposure)
    np.testing.assert_allclose(
        rows.mean(), log_likelihood_score(pipe, X, y, exposure=exposure), rtol=1e-12
    )
    assert np.shape(skmle.predict_interval(pipe, X, exposure=exposure)) == (2, 100)
    assert skmle.predict_quantile(pipe, X, [0.5], exposure=exposure).shape == (100, 1)
    with pytest.raises(TypeError, match="LogisticRegression: exposure was given.*Allowed"):
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
@pytest.mark.parametrize(
    "model", [LogisticRegression(), CrossEntropyClassifier(alpha=0.1), MLEDistribution()], ids=repr
)
def test_no_law_of_y_is_an_error_in_four_parts(function, model):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(
        TypeError,
        match=f"^predict_.*: {type(model).__name__} gives no law of y. Allowed: MLERegressor.*Put one",
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
