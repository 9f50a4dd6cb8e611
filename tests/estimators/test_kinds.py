"""Data that are no numbers, and numbers in every container: one door for all estimators."""

from __future__ import annotations

import datetime
import re
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import ScoreWarning
from skmle.families import Categorical
from tests.estimators.refusals import (
    ESTIMATORS,
    LABELS,
    X,
    Y,
    arguments,
    assert_four_parts,
    assert_refused,
    every_estimator,
)
from tests.subjects import every_class, observations

DAYS = pd.date_range("2020-01-01", periods=30)
CITIES = np.array(["A", "B", "C"] * 10)

# Columns that are no numbers, by what the message calls them.
TEXTS = {
    "numpy text": CITIES,
    "object": CITIES.astype(object),
    "pandas string": pd.Series(CITIES, dtype="string"),
    "mixed with numbers": np.array(["A", 1.5, 2] * 10, object),
    "bytes": CITIES.astype("S"),
}
CATEGORIES = {
    "texts": pd.Series(CITIES, dtype="category"),
    "numbers": pd.Series([1, 2, 3] * 10, dtype="category"),
    "intervals": pd.cut(pd.Series(Y), 3),
}
DATES = {
    "days": DAYS,
    "with a zone": DAYS.tz_localize("UTC"),
    "durations": DAYS - DAYS[0],
    "numpy days": DAYS.to_numpy().astype("datetime64[D]"),
    "objects": np.array([day.date() for day in DAYS], object),
    "times": np.array([datetime.time(i % 24) for i in range(30)], object),
    "missing": pd.Series(DAYS).where(np.arange(30) > 3),
}
WRONG = [
    *((f"text: {name}", "text", column) for name, column in TEXTS.items()),
    *((f"categories: {name}", "categories", column) for name, column in CATEGORIES.items()),
    *((f"dates: {name}", "dates or durations", column) for name, column in DATES.items()),
]
every_wrong_column = pytest.mark.parametrize(
    "what, column", [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)


@every_estimator
@every_wrong_column
def test_columns_that_are_no_numbers_are_named_with_the_line_to_paste(kind, what, column):
    frame = pd.DataFrame({"age": X[:, 0], "city": column})
    says = rf"column 'city' of X holds {what} \(row \d+: "
    message = assert_refused(ESTIMATORS[kind], *arguments(kind, frame), says=says)
    assert_four_parts(message)
    if what == "dates or durations":
        assert "numpy.timedelta64(1, 'D')" in message
        return
    if kind == "density":
        assert "the law of a column of labels is 'categorical'" in message
        return
    line = re.search(r"make_column_transformer\(.*\)(?=\.)", message).group()
    names = {"make_column_transformer": make_column_transformer, "OneHotEncoder": OneHotEncoder}
    front = eval(line, names)
    if frame["city"].map(type).nunique() == 1:  # scikit-learn's encoder wants one type
        weak = {"classifier": {"alpha": 0.1}}.get(kind, {})
        model = clone(ESTIMATORS[kind]).set_params(**weak)
        make_pipeline(front, model).fit(*arguments(kind, frame))


@every_estimator
def test_columns_of_polars_and_of_arrays_are_named_as_well(kind):
    frame = pl.DataFrame({"age": X[:, 0], "city": CITIES, "day": list(DAYS)})
    front = {"density": "'categorical'"}.get(kind, r"\[\"city\"\]")
    says = rf"columns 'city' and 1 more of X hold text \(row 0: 'A'\).*{front}"
    assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, frame), says=says))
    for dates in (frame["day"], frame["day"].cast(pl.Date), frame["day"] - frame["day"][0]):
        with_dates = frame.select("age").with_columns(dates.alias("day"))
        says = "column 'day' of X holds dates or durations"
        assert_refused(ESTIMATORS[kind], *arguments(kind, with_dates), says=says)
    enum = frame.select("age", pl.col("city").cast(pl.Categorical))
    assert_refused(ESTIMATORS[kind], *arguments(kind, enum), says="column 'city' of X holds text")
    array = np.column_stack([X[:, 0].astype(object), CITIES])
    for table in (array, array.tolist()):
        front = {"density": "'categorical'"}.get(kind, r"\[1\]")
        says = rf"column 1 of X holds text \(row 0: 'A'\).*{front}"
        assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, table), says=says))


@every_estimator
def test_a_fitted_model_asks_the_same_of_what_it_predicts(kind):
    weak = {"classifier": {"alpha": 0.1}}.get(kind, {})
    frame = pd.DataFrame(X, columns=["age", "city"])
    model = clone(ESTIMATORS[kind]).set_params(**weak).fit(*arguments(kind, frame))
    with pytest.raises(ValueError, match="column 'city' of X holds text"):
        model.predict(frame.assign(city=CITIES))


@every_wrong_column
def test_no_regression_takes_a_response_that_is_no_number(what, column):
    says = rf"MLERegressor: y holds {what} \(row \d+: "
    message = assert_refused(MLERegressor(), X, column, says=says)
    assert_four_parts(message)
    assert ("CrossEntropyClassifier" in message) == (what != "dates or durations")
    model = MLERegressor().fit(X, Y)
    with pytest.raises(ValueError, match=says):
        model.score(X, column)


def test_numbers_that_are_written_as_text_are_no_response():
    says = "y holds text .row 0: '1'.*For labels use CrossEntropyClassifier"
    assert_refused(MLERegressor(), X, ["1", "2", "3"] * 10, says=says)


@every_wrong_column
@pytest.mark.parametrize("what_for", ["sample_weight", "offset", "exposure"])
def test_no_column_beside_x_takes_what_is_no_number(what_for, what, column):
    message = assert_refused(
        MLERegressor("poisson"),
        X,
        np.arange(30),
        **{what_for: column},
        says=rf"{what_for} holds {what} \(row \d+: ",
    )
    assert_four_parts(message)


@every_estimator
def test_masked_entries_are_refused(kind):
    masked = np.ma.masked_array(X, np.arange(60).reshape(30, 2) == 7)
    says = r"column 1 of X holds masked entries \(row 3"
    assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, masked), says=says))
    assert_refused(MLERegressor(), X, np.ma.masked_less(Y, Y.max()), says="y holds masked entries")


@every_estimator
def test_names_of_columns_are_there_once(kind):
    twice = pd.DataFrame(X, columns=["age", "age"])
    says = "X has 2 columns named 'age', at 0, 1"
    assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, twice), says=says))
    says = r"X is a table of 30 rows with 0 feature\(s\)"
    none = pd.DataFrame(index=range(30))
    assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, none), says=says))


# ---------------------------------------------------------------- measurements as labels


def test_measurements_are_no_labels():
    says = "30 different numbers in 30 rows, not all whole .*Allowed: labels that occur twice"
    assert_four_parts(assert_refused(MLERegressor("categorical"), X, Y, says=says))
    many = np.random.default_rng(0).normal(size=(400, 1))
    says = "400 different numbers in 400 rows, not all whole .*Allowed: labels that occur twice"
    assert_four_parts(assert_refused(MLEDistribution("categorical"), many, says=says))


def test_whole_measurements_are_no_labels_of_a_density():
    lives = np.round(np.random.default_rng(0).weibull(1.5, 400) * 1000)
    says = r"\d+ different numbers in 400 rows, whole as they are .*Allowed: labels that occur"
    assert_four_parts(assert_refused(MLEDistribution("categorical"), lives[:, None], says=says))
    codes = lives.astype(int) % 30
    assert MLEDistribution("categorical").fit(codes).converged_


def test_numbers_that_recur_are_labels_and_so_are_those_of_a_family():
    shoes = np.array([36.0, 36.5, 37.0] * 10)
    assert MLEDistribution("categorical").fit(shoes).params_["probabilities"].shape == (3,)
    MLEDistribution(Categorical([0.5, 1.5, 2.5])).fit([[0.5], [1.5], [2.5]])


# ---------------------------------------------------------------- labels that fit has not seen


@pytest.mark.parametrize(
    "model",
    [
        MLEDistribution("categorical"),
        MLERegressor("categorical"),
        CrossEntropyClassifier(alpha=1.0),
    ],
    ids=["density", "regressor", "classifier"],
)
def test_labels_that_fit_has_not_seen_are_named(model):
    labels = np.arange(30) % 3
    density = isinstance(model, MLEDistribution)
    model = model.fit(*((labels,) if density else (X, labels)))

    def ask(values, question):
        method = getattr(model, question)
        return method(values) if density else method(X[: len(values)], values)

    questions = ["score", "score_samples" if density else "log_prob"]
    for question in questions:
        with pytest.warns(
            ScoreWarning, match=r"1 of 3 rows .*\(row 2: 7(\.0)?\).*Leave these rows out"
        ):
            ask(np.array([0, 1, 7]), question)
        with pytest.warns(ScoreWarning, match="3 of 3 rows .*No label is known"):
            ask(np.array([7, 8, 9]), question)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isfinite(ask(np.array([0, 1, 2]), question)).all()


def test_cross_validation_says_that_a_fold_has_a_label_of_its_own():
    labels = np.array([1] * 5 + [2] * 4 + [3])
    with pytest.warns(ScoreWarning, match="label that fit has not seen .row [01]: 3."):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class")
            scores = cross_val_score(CrossEntropyClassifier(), np.zeros((10, 1)), labels, cv=5)
    assert np.isneginf(scores).sum() == 1


# ---------------------------------------------------------------- one column without a second axis


@every_class(lambda cls: cls.observation.columns == 1)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_family_of_one_column_takes_data_of_one_dimension(cls):
    data = observations(cls)
    expected = MLEDistribution(cls).fit(data[:, None])
    for given in (data, data.tolist(), tuple(data.tolist()), pd.Series(data), pl.Series(data)):
        model = MLEDistribution(cls).fit(given)
        assert model.log_likelihood_ == expected.log_likelihood_
        plain = given.to_numpy() if isinstance(given, (pd.Series, pl.Series)) else given
        assert model.n_features_in_ == 1
        if isinstance(given, (pd.Series, pl.Series)):
            plain = given
        np.testing.assert_array_equal(model.predict(plain), expected.predict(data[:, None]))
        np.testing.assert_array_equal(
            model.score_samples(plain), expected.score_samples(data[:, None])
        )
        assert model.score(plain) == expected.score(data[:, None])
        assert model.aic(plain) == expected.aic(data[:, None])


def test_batches_and_searches_take_data_of_one_dimension():
    batches = MLEDistribution("normal").partial_fit(Y[:10]).partial_fit(Y[10:].tolist())
    assert batches.log_likelihood_ == pytest.approx(MLEDistribution().fit(Y).log_likelihood_)
    search = GridSearchCV(MLEDistribution(), {"family": ["normal", "laplace"]}).fit(Y)
    assert search.best_score_ == cross_val_score(search.best_estimator_, Y).mean()


def test_data_of_one_dimension_are_refused_where_they_are_no_column():
    says = r"Expected 2D array, got 1D array .*Reshape your data"
    for model, args in (
        (MLEDistribution("multivariate_normal"), (Y,)),
        (MLEDistribution(), (Y, Y)),  # beside a y, as scikit-learn's contract wants
        (MLERegressor(), (Y.tolist(), Y)),
        (CrossEntropyClassifier(), (Y, LABELS)),
    ):
        assert_four_parts(assert_refused(model, *args, says=says))
    model = MLEDistribution().fit(X)
    for refit in (Y, X):  # a fit begins anew, whatever the one before was
        clone(model).fit(refit)
        model.fit(refit)
    with pytest.raises(ValueError, match=says):
        model.predict(X[0])


# ---------------------------------------------------------------- numbers in every container

CONTAINERS = {
    "float32": lambda values: values.astype(np.float32).astype(float),
    "list": lambda values: values.tolist(),
    "objects": lambda values: values.astype(object),
    "decimals": lambda values: np.array([Decimal(v) for v in values.tolist()], object),
    "pandas": pd.Series,
    "pandas nullable": lambda values: pd.Series(values, dtype="Float64"),
    "pandas arrow": lambda values: pd.Series(values, dtype="double[pyarrow]"),
    "polars": pl.Series,
}


def table(make, columns):
    """Return columns of a container as a table."""
    first = make(columns[0])
    if isinstance(first, pd.Series):
        return pd.DataFrame({f"x{j}": make(column) for j, column in enumerate(columns)})
    if isinstance(first, pl.Series):
        return pl.DataFrame({f"x{j}": make(column) for j, column in enumerate(columns)})
    if isinstance(first, list):
        return [list(row) for row in zip(*map(make, columns), strict=True)]
    return np.column_stack([make(column) for column in columns])


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_numbers_of_every_container_pass_the_door(make):
    rng = np.random.default_rng(1)
    columns = np.round(rng.normal(size=(2, 40)), 3).astype(np.float32).astype(float)
    weight, time = rng.integers(1, 4, 40).astype(float), rng.integers(1, 9, 40).astype(float)
    counts = rng.poisson(time).astype(float)
    plain = MLERegressor("poisson").fit(columns.T, counts, weight, exposure=time)
    model = MLERegressor("poisson").fit(
        table(make, columns), make(counts), make(weight), exposure=make(time)
    )
    assert model.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    asked = (table(make, columns), make(counts), make(weight))
    expected = plain.score(columns.T, counts, weight, exposure=time)
    assert model.score(*asked, exposure=make(time)) == pytest.approx(expected, rel=1e-12)
    density = MLEDistribution().fit(make(columns[0]), sample_weight=make(weight))
    assert density.params_ == MLEDistribution().fit(columns[0], sample_weight=weight).params_
    codes = (counts > 4).astype(float)
    classifier = CrossEntropyClassifier(alpha=0.1).fit(table(make, columns), codes)
    expected = CrossEntropyClassifier(alpha=0.1).fit(columns.T, codes)
    np.testing.assert_allclose(classifier.coef_, expected.coef_, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "double[pyarrow]", "int64[pyarrow]"])
def test_missing_values_of_nullable_types_are_named(dtype):
    column = pd.Series(range(30), dtype=dtype)
    column[4] = pd.NA
    says = r"Input X contains NaN in 1 of 30 rows \(row 4, column x"
    frame = pd.DataFrame({"a": Y, "x": column})
    for kind, model in ESTIMATORS.items():
        assert_refused(model, *arguments(kind, frame), says=says)
    assert_refused(MLERegressor(), X, column, says=r"Input y contains NaN .*\(row 4: ")
    assert_refused(
        MLERegressor(), X, Y, sample_weight=column, says=r"Input sample_weight contains NaN"
    )
    assert_refused(
        MLERegressor("poisson"),
        X,
        Y**2,
        exposure=column + 1,
        says=r"Input exposure contains NaN.*row 4",
    )
