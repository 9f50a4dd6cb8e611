"""`summary` of a pipeline: the model's numbers under the names of the columns that reach it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from tests.any_model.pipelines import HOLDERS, MODELS, NAMES, prepare

# statsmodels 0.15.0, Logit(y == "yes",
# add_constant(prepare().fit_transform(frame))).fit().summary()
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
        result.estimates,
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
    np.testing.assert_allclose(result.estimates, direct.estimates, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(result.covariance, direct.covariance, rtol=1e-6, atol=1e-9)


def test_columns_of_a_density_have_names(table):
    frame, _ = table
    pipe = make_pipeline(StandardScaler(), MLEDistribution("normal")).fit(frame[["age", "income"]])
    result = skmle.summary(pipe).inference
    assert list(result.components) == ["age", "age", "income", "income"]
    assert list(result.terms) == ["loc", "scale"] * 2
    np.testing.assert_allclose(result.estimates, [0, 1, 0, 1], atol=1e-12)


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
        note = " ".join(text[text.index("nan: not") :].split())
        assert note == (
            "nan: not determined by the data, as city_A, city_B, city_C are linear combinations of "
            "each other or constant. Leave one of them out, as OneHotEncoder(drop='first') does, "
            "or set fit_intercept=False."
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
        match=f"summary: {type(model).__name__} keeps no covariance.*Allowed: .*"
        "Put .* in its place",
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
        match="no covariance, because store_information=False. Allowed: .*"
        "Set store_information=True",
    ):
        pipe[-1].inference()
