"""Columns by a formula, in pipelines and grids."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skmle
from skmle import CrossEntropyClassifier, FormulaTransformer, MLERegressor


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame(
        {
            "age": rng.uniform(20.0, 70.0, n),
            "city": rng.choice(["Bern", "Oslo", "Rome"], n),
            "years": rng.uniform(0.5, 3.0, n),
        }
    )
    mean = frame.years * np.exp(0.02 * frame.age - 0.5 * (frame.city == "Oslo"))
    return frame.assign(visits=rng.poisson(mean))


@pytest.mark.parametrize(
    "formula", ["age + C(city)", "age * C(city)", "np.log(age) + C(city)", "0 + age + C(city)"]
)
def test_coefficients_are_those_of_statsmodels(frame, formula):
    model = MLERegressor("poisson", fit_intercept=not formula.startswith("0"))
    pipe = make_pipeline(FormulaTransformer(f"visits ~ {formula}"), model).fit(frame, frame.visits)
    own = dict(zip(pipe[0].get_feature_names_out(), pipe[-1].coef_, strict=True))
    other = smf.poisson(f"visits ~ {formula}", frame).fit(disp=0, tol=1e-10)
    expected = other.params.drop("Intercept", errors="ignore")
    assert own == pytest.approx(expected.to_dict(), rel=1e-6)


@pytest.mark.parametrize(("formula", "columns"), [("poly(age, 2)", 2), ("bs(age, df=5)", 5)])
def test_terms_may_have_several_columns(frame, formula, columns):
    found = FormulaTransformer(formula).fit_transform(frame)
    assert found.shape == (len(frame), columns)


@pytest.mark.slow
def test_a_formula_is_a_parameter_of_a_grid(frame):
    pipe = make_pipeline(FormulaTransformer(), MLERegressor("poisson"))
    grid = {"formulatransformer__formula": ["age", "age + C(city)", "poly(age, 6) * C(city)"]}
    search = GridSearchCV(pipe, grid, cv=5, n_jobs=2).fit(frame, frame.visits)
    assert search.best_params_ == {"formulatransformer__formula": "age + C(city)"}
    assert [*skmle.infer(search).terms] == [
        "age",
        "C(city)[T.Oslo]",
        "C(city)[T.Rome]",
        "intercept",
    ]


def test_columns_that_are_kept_are_an_exposure(frame):
    columns = FormulaTransformer("visits ~ age + C(city)", keep="years")
    pipe = make_pipeline(columns, MLERegressor("poisson", exposure="years"))
    pipe.fit(frame, frame.visits)
    other = smf.poisson("visits ~ age + C(city)", frame, exposure=frame.years).fit(disp=0)
    names = ["age", "C(city)[T.Oslo]", "C(city)[T.Rome]"]
    np.testing.assert_allclose(pipe[-1].coef_, other.params[names], rtol=1e-5)


def test_every_kind_of_table_has_the_same_columns(frame):
    formula = "age + C(city)"
    ours = FormulaTransformer(formula, keep=["years"])
    of_pandas = ours.fit_transform(frame)
    of_polars = clone(ours).fit_transform(pl.from_pandas(frame))
    assert isinstance(of_pandas, pd.DataFrame) and isinstance(of_polars, pl.DataFrame)
    assert [*of_pandas.columns] == of_polars.columns == [*ours.get_feature_names_out()]
    np.testing.assert_array_equal(of_pandas.to_numpy(float), of_polars.to_numpy())
    as_polars = clone(ours).set_output(transform="polars").fit_transform(frame)
    assert isinstance(as_polars, pl.DataFrame)
    array = FormulaTransformer("x0 + np.log(x1)").fit_transform(frame[["age", "years"]].to_numpy())
    assert [*array.columns] == ["x0", "np.log(x1)"]


def test_terms_learn_from_the_rows_of_fit_alone(frame):
    ours = FormulaTransformer("scale(age)").fit(frame[:100])
    alone = ours.transform(frame[100:101])
    np.testing.assert_allclose(alone, ours.transform(frame[100:])[:1])
    copy = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(copy.transform(frame), ours.transform(frame))


REFUSED = {
    "a column that is not there": ("age + C(town)", {}, "town"),
    "no formula": ("age +* city", {}, "formula='age"),
    "a left side that is no name": ("log(visits) ~ age", {}, "cannot change y"),
    "a column to keep that is not there": ("age", {"keep": "exposure"}, "'exposure'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(frame, name):
    formula, settings, text = REFUSED[name]
    with pytest.raises(ValueError, match="FormulaTransformer: .*Allowed") as caught:
        FormulaTransformer(formula, **settings).fit(frame)
    assert text in str(caught.value)


def test_a_category_that_was_not_seen_is_refused(frame):
    pipe = make_pipeline(FormulaTransformer("C(city)"), MLERegressor("poisson"))
    pipe.fit(frame, frame.visits)
    with pytest.raises(ValueError, match=r"not seen in original dataset.*'Lima'"):
        pipe.predict(frame.assign(city="Lima"))


@pytest.mark.parametrize("column", ["age", "city"])
def test_missing_values_are_refused(frame, column):
    frame.loc[3, column] = None
    with pytest.raises(ValueError, match=f"{column}.* null"):
        FormulaTransformer("age + C(city)").fit(frame)


def test_without_formulaic_the_message_says_what_to_install(frame, monkeypatch):
    monkeypatch.setitem(sys.modules, "formulaic", None)
    with pytest.raises(ImportError, match=r'pip install "skmle\[formula\]"'):
        FormulaTransformer("age").fit(frame)


def test_a_classifier_takes_it_too(frame):
    labels = np.where(frame.visits > frame.visits.median(), "many", "few")
    pipe = make_pipeline(FormulaTransformer("age + C(city)"), CrossEntropyClassifier())
    pipe.fit(frame, labels)
    assert "C(city)[T.Oslo]" in str(skmle.summary(pipe))
