"""What is known of a fit some of whose rows run off: all that the other rows determine."""

from __future__ import annotations

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, censored
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.left import Left, certain_rows
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.exceptions import BoundaryWarning, SeparationWarning
from skmle.families import Bernoulli, Censored, Family
from skmle.families.links import LINKS
from tests.engine.verdicts import fitted, judge
from tests.subjects import ONE_EACH, every

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

PROBABILITY = [name for name, link in LINKS.items() if link.domain == (0.0, 1.0) and link.onto]
# Relative agreement of estimates and errors with the fit without the rows that run off: the two
# stop within 1e-6 standard errors of the maximum, and then take one more step, which squares it.
CLOSE = 1e-7


def tabled(model) -> pd.DataFrame:
    """Return the table of a fit by term."""
    return model.inference().tidy().set_index(["component", "term"])


def assert_is_the_rest(model, rest, away) -> None:
    """Assert that the table is that of the rest, but for the terms that run off."""
    ours, theirs = tabled(model), tabled(rest)
    gone = ours.index[~np.isfinite(ours["std_error"])]
    assert {term for _, term in gone} == set(away)
    ours = ours.drop(gone)
    theirs = theirs[theirs.index.isin(ours.index)]
    assert list(ours.index) == list(theirs.index) and len(ours)
    np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=CLOSE)
    gap = (ours["estimate"] - theirs["estimate"]) / theirs["std_error"]
    assert np.abs(gap).max() <= 1e-6
    np.testing.assert_allclose(ours["conf_low"], theirs["conf_low"], rtol=1e-5, atol=1e-6)
    assert model.log_likelihood_ == pytest.approx(rest.log_likelihood_, rel=1e-9)


def with_dummies(rng: np.random.Generator, n: int = 300):
    """Return two columns of numbers, and two rare dummies with their rows."""
    X = pd.DataFrame(rng.normal(size=(n, 2)), columns=["age", "dose"])
    X["up"], X["down"] = np.zeros(n), np.zeros(n)
    up, down = rng.permutation(n)[:12].reshape(2, 6)
    X.loc[up, "up"], X.loc[down, "down"] = 1.0, 1.0
    return X, np.sort(up), np.sort(down)


@pytest.mark.parametrize("store", [np.asarray, pd.DataFrame, sp.csr_array])
@pytest.mark.parametrize("link", PROBABILITY)
def test_two_rare_levels_of_every_link(link, store):
    rng = np.random.default_rng(0)
    X, up, down = with_dummies(rng)
    y = (X["age"].to_numpy() + rng.logistic(size=len(X)) > 0.0).astype(int)
    y[up], y[down] = 1, 0
    data = X if store is pd.DataFrame else store(X)
    model, said = judge(CrossEntropyClassifier(link=link), data, y)
    assert said == "separation"
    names = ["up", "down"] if store is pd.DataFrame else ["x2", "x3"]
    assert model.separated_.columns == {1: {names[0]: np.inf, names[1]: -np.inf}}
    np.testing.assert_array_equal(model.separated_.rows, np.sort(np.r_[up, down]))
    assert model.separated_.n_rows == 12
    kept = np.setdiff1d(np.arange(len(X)), np.r_[up, down])
    columns = X.loc[kept, ["age", "dose"]]
    rest = CrossEntropyClassifier(link=link).fit(
        columns if store is pd.DataFrame else np.asarray(columns), y[kept]
    )
    assert_is_the_rest(model, rest, names)
    assert model.predict_proba(data)[up, 1].min() > 1.0 - 1e-6


def has_an_end(family: Family) -> bool:
    support = family.support
    return (
        support.discrete
        and family.observation.columns == 1
        and family.observation.numeric
        and np.isfinite(support.low)
    )


@pytest.mark.parametrize("sorted_", [True, False])
@every(ONE_EACH, has_an_end)
def test_a_dummy_whose_rows_stand_at_the_end_of_the_support(family, sorted_):
    rng = np.random.default_rng(1)
    X, up, _ = with_dummies(rng)
    theta = family.natural(tuple(np.asarray(0.1) for _ in family.parameters))
    y = np.asarray(family.sample(theta, (len(X),), rng), float)
    y[up] = family.support.low
    columns = ["age", "dose", "up"] if sorted_ else ["up", "dose", "age"]
    model, said = judge(MLERegressor(family), X[columns], y)
    if said == "boundary":  # the sample happens to be at a limit law, whose fit separates
        return
    assert said == "separation"
    (parameter, moving), *others = model.separated_.columns.items()
    assert not others and list(moving) == ["up"] and parameter == family.parameters[0].name
    np.testing.assert_array_equal(model.separated_.rows, up)
    kept = np.setdiff1d(np.arange(len(X)), up)
    rest = MLERegressor(family).fit(X.loc[kept, [c for c in columns if c != "up"]], y[kept])
    assert_is_the_rest(model, rest, ["up"])


@pytest.mark.parametrize("classes", [3, 5])
def test_a_level_in_which_some_classes_never_occur(classes):
    """Nothing is certain in its rows, but all else is known."""
    rng = np.random.default_rng(classes)
    X, up, _ = with_dummies(rng, 600)
    X = X[["age", "dose", "up"]]
    y = rng.integers(0, classes, len(X))
    y[up] = [0, 1, 0, 1, 1, 0]
    model, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "separation" and model.separated_.n_rows == 0
    table = tabled(model)
    lost = table.index.get_level_values("term") == "up"
    assert np.isinf(table.loc[lost, "estimate"]).all()
    assert np.isfinite(table.loc[~lost, ["estimate", "std_error"]]).all().all()
    if classes == 3:
        # A little weight on the class that does not occur there has hardly an influence.
        more, extra = pd.concat([X, X.loc[up]]), np.full(6, 2)
        weight = np.r_[np.ones(600), np.full(6, 1e-9)]
        near = CrossEntropyClassifier().fit(more, np.r_[y, extra], sample_weight=weight)
        for column in ("estimate", "std_error"):
            ours, theirs = (t.loc[~lost, column] for t in (table, tabled(near)))
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_rows_of_several_steps_run_off_one_after_the_other():
    """Nested separations: the second is one only where the rows of the first are gone."""
    rng = np.random.default_rng(3)
    n = 400
    X = rng.normal(size=(n, 4))
    y = (X[:, 0] + rng.logistic(size=n) > 0.0).astype(int)
    X[:, 2:] = 0.0
    X[:40, 2] = np.where(y[:40] == 1, 1.0, -1.0) * rng.uniform(0.5, 1.0, 40)
    X[:40, 3] = rng.normal(size=40)
    X[40:60, 3] = np.where(y[40:60] == 1, 1.0, -1.0)
    model, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "separation"
    np.testing.assert_array_equal(model.separated_.rows, np.arange(60))
    rest = CrossEntropyClassifier().fit(X[60:, :2], y[60:])
    assert_is_the_rest(model, rest, ["x2", "x3"])


# ---------------------------------------------------------------- the columns that are named


@pytest.mark.parametrize("noise", [1, 3, 12])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_one_column_that_tells_the_classes_is_named_alone(noise, classes):
    rng = np.random.default_rng(noise)
    names = ["a", *(f"n{j}" for j in range(noise))]
    X = pd.DataFrame(rng.normal(size=(400, noise + 1)), columns=names)
    y = np.digitize(X["a"], [0.0, 0.9][: classes - 1])
    model, _ = fitted(CrossEntropyClassifier(), X, y)
    for moving in model.separated_.columns.values():
        assert set(moving) <= {"a", "intercept"} and "a" in moving
    assert model.separated_.n_rows == 400


def levels(rng: np.random.Generator, guilty: int, n: int = 600):
    level = rng.integers(0, 7, n)
    y = (rng.random(n) < 0.4).astype(int)
    y[level == guilty] = 0
    names = [f"level_{j}" for j in range(7)]
    return pd.DataFrame(np.eye(7)[level], columns=names), y, np.flatnonzero(level == guilty)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("guilty", [0, 3, 6])
def test_the_guilty_level_of_a_full_one_hot_is_named_alone(guilty, intercept):
    X, y, rows = levels(np.random.default_rng(guilty), guilty)
    model, _ = fitted(CrossEntropyClassifier(fit_intercept=intercept), X, y)
    assert model.separated_.columns == {1: {f"level_{guilty}": -np.inf}}
    np.testing.assert_array_equal(model.separated_.rows, rows)


def test_a_level_of_one_row_of_a_full_one_hot_is_named_alone():
    """Of least norm, the direction moves all levels a little, and the intercept."""
    rng = np.random.default_rng(0)
    levels = [rng.integers(0, k, 5000) for k in (40, 3)]
    levels[0][levels[0] == 11] = 12
    levels[0][7] = 11
    X = sp.csr_array(
        np.hstack([np.eye(k)[level] for k, level in zip((40, 3), levels, strict=True)])
    )
    y = rng.integers(0, 2, 5000)
    y[7] = 1
    model, _ = fitted(CrossEntropyClassifier(), X, y)
    assert model.separated_.columns == {1: {"x11": np.inf}}
    assert model.separated_.rows.tolist() == [7]


def test_the_rows_of_a_reference_level_are_named():
    X, y, rows = levels(np.random.default_rng(0), 0)
    X = X.drop(columns="level_0")
    with pytest.warns(SeparationWarning) as warned:
        model = CrossEntropyClassifier().fit(X, y)
    text = str(warned[0].message)
    assert "rows in which the columns 'level_1', 'level_2'" in text and "are all zero" in text
    assert (
        f"{len(rows)} rows (first: row {rows[0]}, row {rows[1]}, row {rows[2]}) with y = 0" in text
    )
    assert model.separated_.columns[1]["intercept"] == -np.inf
    assert all(model.separated_.columns[1][name] == np.inf for name in X)
    np.testing.assert_array_equal(model.separated_.rows, rows)


# ---------------------------------------------------------------- the rows that are named


def test_rows_are_numbered_as_the_user_numbers_them():
    """Rows of weight zero are left out of the fit, and equal rows are merged."""
    rng = np.random.default_rng(0)
    level = rng.integers(0, 40, 30_000)
    level[level == 7] = 8
    level[[12, 20_000]] = 7
    X = pd.get_dummies(pd.Series(level.astype(str)), dtype=float).drop(columns="0")
    y = (rng.random(len(X)) < 0.3).astype(int)
    y[[12, 20_000]] = 1
    weight = rng.integers(0, 3, len(X)).astype(float)
    weight[12], weight[20_000] = 1.0, 2.0
    for given in (None, weight):
        with pytest.warns(
            SeparationWarning, match=re.escape("2 rows (row 12, row 20000) with y = 1")
        ):
            model = CrossEntropyClassifier().fit(X, y, sample_weight=given)
        assert model.separated_.rows.tolist() == [12, 20_000]
        assert model.separated_.columns == {1: {"7": np.inf}}
        assert len(pickle.dumps(model)) < 40_000  # of 39 coefficients: 12 kB are their covariance


def test_a_single_row_is_named():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=100), np.arange(100) == 12])
    y = rng.permutation(np.repeat(["no", "yes"], 50))
    y[12] = "no"
    with pytest.warns(SeparationWarning, match=re.escape("; 1 row (row 12) with y = no is pred")):
        CrossEntropyClassifier().fit(X, y)


def test_many_rows_are_counted_and_few_kept():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50_000, 2))
    model, _ = fitted(CrossEntropyClassifier(), X, X[:, 0] > 0.1)
    assert model.separated_.n_rows == 50_000 and len(model.separated_.rows) == 1000
    assert len(pickle.dumps(model)) < 20_000


def test_nothing_is_separated_in_other_fits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    model = CrossEntropyClassifier().fit(X, rng.integers(0, 2, 100))
    assert model.separated_.columns == {} and model.separated_.n_rows == 0
    model = MLERegressor().fit(X, rng.normal(size=100))
    assert model.separated_.columns == {} and not len(model.separated_.rows)


def test_the_table_says_what_is_infinite():
    rng = np.random.default_rng(0)
    X, up, _ = with_dummies(rng)
    y = rng.integers(0, 2, len(X))
    y[up] = 0
    model, _ = fitted(CrossEntropyClassifier(), X[["age", "up"]], y)
    for text in (str(model.summary()), model.summary()._repr_html_()):
        assert "-inf" in text and "no finite number is the estimate of up" in text
    table = tabled(model)
    assert table["estimate"].tolist()[1] == -np.inf
    assert np.isnan(
        table.loc[("", "up"), ["std_error", "conf_low", "conf_high"]].to_numpy(float)
    ).all()


def test_a_pipeline_names_the_columns_in_the_table():
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    import skmle

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"city": rng.choice(list("ABCD"), 300), "age": rng.normal(size=300)})
    y = rng.integers(0, 2, 300)
    y[frame["city"] == "C"] = 1
    encode = make_column_transformer(
        (OneHotEncoder(drop="first"), ["city"]), remainder="passthrough"
    )
    for pandas in (False, True):
        encode = (
            encode
            if not pandas
            else make_column_transformer(
                (OneHotEncoder(drop="first", sparse_output=False), ["city"]),
                remainder="passthrough",
            ).set_output(transform="pandas")
        )
        pipe = make_pipeline(encode, CrossEntropyClassifier())
        with pytest.warns(SeparationWarning, match="city_C" if pandas else "'x1'"):
            pipe.fit(frame, y)
        text = str(skmle.summary(pipe))
        assert "no finite number is the estimate of onehotencoder__city_C" in text


# ---------------------------------------------------------------- no false verdict


@pytest.mark.parametrize("link", PROBABILITY)
@pytest.mark.parametrize("weight", [1e-6, 1e-9, 1e-12])
def test_one_row_of_little_weight_is_enough_for_a_maximum(weight, link):
    x = np.r_[np.linspace(-2.0, -1.0, 10), np.linspace(1.0, 2.0, 10), 1.5, -1.5]
    y = np.r_[np.zeros(10), np.ones(10), 0.0, 1.0].astype(int)
    weights = np.r_[np.ones(20), weight, weight]
    model, said = judge(CrossEntropyClassifier(link=link), x[:, None], y, sample_weight=weights)
    assert said == "interior"
    eta = model.coef_[0, 0] * x + model.intercept_[0]
    rows = Bernoulli(links={"probability": link}).rows((y.astype(float),), (eta,), 1)
    gradient = weights * rows.gradient[0]
    # An eta may be off by the largest step to an interior maximum, 0.01.
    for each in (gradient, gradient * x):
        assert abs(each.sum()) < 0.02 * np.abs(each).sum()


def test_a_maximum_with_large_errors_is_one():
    """A single overlapping row far out holds a probit, with errors of thousands."""
    x = np.r_[np.linspace(-3.0, -1.0, 30), np.linspace(1.0, 3.0, 30), 1.5]
    y = np.r_[np.zeros(30), np.ones(30), 0.0].astype(int)
    for weight in (1.0, 1e-5, 1e-8):
        weights = np.r_[np.ones(60), weight]
        model, said = judge(
            CrossEntropyClassifier(link="probit"), x[:, None], y, sample_weight=weights
        )
        assert said == "interior"
    assert model.inference().standard_errors.max() > 100.0


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e7])
@pytest.mark.parametrize("alpha", [0.1, 1e-4, 1e-10])
@pytest.mark.parametrize("max_iter", [5, 100])
def test_a_ridge_leaves_a_maximum_in_any_unit(scale, alpha, max_iter):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = X[:, 0] > 0.0
    model, _ = fitted(
        CrossEntropyClassifier(alpha=alpha, max_iter=max_iter), X * [scale, 1.0, 1.0], y
    )
    assert model.status_ in ("interior", "not_converged")
    if max_iter == 100 and alpha > 1e-5:
        assert model.status_ == "interior"


def test_alpha_is_not_advised_to_who_has_set_it():
    """Only the intercept, which has no penalty, can run off then."""
    X = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.warns(SeparationWarning) as warned:
        model = MLERegressor("poisson", alpha=0.1).fit(X, np.zeros(50))
    assert "alpha" not in str(warned[0].message)
    assert model.separated_.columns == {"mean": {"intercept": -np.inf}}


# ---------------------------------------------------------------- limits in some rows


@pytest.mark.parametrize("group", [0.0, 1.0])
def test_a_dispersion_at_its_limit_in_one_group(group):
    rng = np.random.default_rng(0)
    g = np.repeat([0.0, 1.0], 200)
    y = np.r_[rng.negative_binomial(2, 2 / 7, 200), rng.binomial(20, 0.25, 200)].astype(float)
    y = y if group == 1.0 else y[::-1]
    X = pd.DataFrame({"g": g})
    with pytest.warns(BoundaryWarning) as warned:
        model = MLERegressor(
            "negative_binomial", features={"mean": ["g"], "dispersion": ["g"]}
        ).fit(X, y)
    text = str(warned[0].message)
    where = "is not zero" if group else "is zero"
    assert f"dispersion tends to 0 where the column 'g' {where}, in 200 rows" in text
    assert "separate" not in text and model.converged_
    np.testing.assert_array_equal(model.separated_.rows, np.flatnonzero(g == group))
    alone = [
        MLEDistribution(family).fit(y[g == value, None])
        for family, value in (("poisson", group), ("negative_binomial", 1.0 - group))
    ]
    total = sum(fit.log_likelihood_ for fit in alone)
    assert model.log_likelihood_ == pytest.approx(total, rel=1e-10)
    means = model.predict(pd.DataFrame({"g": [group, 1.0 - group]}))
    np.testing.assert_allclose(means, [fit.params_["mean"] for fit in alone], rtol=1e-7)
    errors = tabled(model)["std_error"].loc["mean (link log)"]
    (poisson, other) = (fit.inference() for fit in alone)
    both = [poisson.standard_errors[0] / means[0], other.standard_errors[0] / means[1]]
    first = both[0] if group == 0.0 else both[1]
    np.testing.assert_allclose(errors["intercept"], first, rtol=1e-6)
    np.testing.assert_allclose(errors["g"], np.hypot(*both), rtol=1e-6)


def test_the_df_of_one_group_at_its_limit():
    rng = np.random.default_rng(0)
    g = np.repeat([0.0, 1.0], 200)
    y = np.r_[rng.standard_t(3.0, 200), rng.uniform(-1.5, 1.5, 200)]
    features = {"loc": [0], "scale": [0], "df": [0]}
    with pytest.warns(BoundaryWarning, match="df tends to inf where the column 'x0' is not zero"):
        model = MLERegressor("student_t", features=features).fit(g[:, None], y)
    alone = [MLEDistribution("t").fit(y[:200, None]), MLEDistribution("normal").fit(y[200:, None])]
    total = sum(fit.log_likelihood_ for fit in alone)
    assert model.log_likelihood_ == pytest.approx(total, rel=1e-10)
    table = tabled(model)
    df = np.log(alone[0].params_["df"])
    assert table.loc[("df (link log)", "intercept"), "estimate"] == pytest.approx(df, rel=1e-6)
    assert table.loc[("df (link log)", "x0"), "estimate"] == np.inf


def test_a_group_without_events_leaves_the_others_known():
    """Censored times, of which one group has no event."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.normal(size=200), "treated": np.repeat([0.0, 1.0], [170, 30])})
    time = rng.weibull(1.5, 200) * np.exp(0.3 * X["age"])
    event = (rng.random(200) < 0.8) & (X["treated"] == 0.0)
    rows = censored(time, event=event)
    model, said = judge(MLERegressor(Censored("weibull")), X, rows)
    assert said == "separation"
    kept = (X["treated"] == 0.0).to_numpy()
    rest = MLERegressor(Censored("weibull")).fit(X.loc[kept, ["age"]], rows[kept])
    assert_is_the_rest(model, rest, ["treated"])


# ---------------------------------------------------------------- found on the way


@pytest.mark.slow
def test_a_complete_separation_is_seen_on_the_way(monkeypatch):
    """Wide tables: by some gradients, without a Hessian of all coefficients."""
    orders, call = [], Objective.__call__

    def noted(self, coef, order=2):
        orders.append((order, self.design.d))
        return call(self, coef, order)

    monkeypatch.setattr(Objective, "__call__", noted)
    rng = np.random.default_rng(0)
    X = sp.random_array((600, 200), density=0.05, rng=rng, format="csr")
    y = rng.integers(0, 5, 600)
    model, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "separation" and model.separated_.n_rows == 600
    assert all(order < 2 or d < 804 for order, d in orders) and len(orders) < 400
    np.testing.assert_array_equal(model.predict(X), y)


@pytest.mark.parametrize("labels", [None, 2])
def test_columns_that_alone_prove_a_separation(labels, monkeypatch):
    """Gradients come to what Newton's method finds, and name the same columns."""
    rng = np.random.default_rng(3)
    X = sp.random_array((800, 60), density=0.03, rng=rng, format="csr")
    y = rng.integers(0, 5, 800) if labels is None else rng.integers(0, labels, 800)
    for column, label in ((3, 0), (3, 1), (7, 1), (9, y.max())):  # never in a class
        y[(X[:, [column]].toarray().ravel() > 0.0) & (y == label)] = (label + 1) % (y.max() + 1)
    by_newton, _ = judge(CrossEntropyClassifier(), X, y)
    monkeypatch.setattr("skmle._engine.judge.alarm.MOST", 0)
    monkeypatch.setattr("skmle._engine.judge.receding.MOST", 0)
    model, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "separation" and model.separated_.columns == by_newton.separated_.columns
    assert model.separated_.n_rows == by_newton.separated_.n_rows
    assert model.log_likelihood_ == pytest.approx(by_newton.log_likelihood_, abs=0.1)


def test_flights():
    """One flight to one destination, among many others: of its shape, not of its size."""
    rng = np.random.default_rng(0)
    n = 30_000
    dest = rng.choice(30, n, p=rng.dirichlet(np.full(30, 2.0)))
    dest[dest == 17] = 3
    dest[777] = 17
    frame = pd.DataFrame({"dest": dest.astype(str), "origin": rng.choice(["EWR", "JFK", "LGA"], n)})
    X = pd.get_dummies(frame, drop_first=True, dtype=float)
    X["hour"] = rng.integers(5, 24, n).astype(float)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(1.0 - 0.05 * X["hour"]))).astype(int)
    y[777] = 0
    model, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "separation" and model.separated_.rows.tolist() == [777]
    assert model.separated_.columns == {1: {"dest_17": -np.inf}}
    others = np.arange(n) != 777
    rest = CrossEntropyClassifier().fit(X.drop(columns="dest_17")[others], y[others])
    assert_is_the_rest(model, rest, ["dest_17"])


@pytest.mark.parametrize("offset", [False, True])
def test_poisson_cells_of_zeros(offset):
    """As ppmlhdfe finds them: effects of two factors, some of whose levels hold zeros alone."""
    rng = np.random.default_rng(5)
    n = 500
    first, second = rng.integers(0, 12, n), rng.integers(0, 8, n)
    x = rng.normal(size=n)
    exposure = rng.uniform(0.5, 2.0, n) if offset else np.ones(n)
    y = rng.poisson(exposure * np.exp(0.4 * x + 0.1 * first)).astype(float)
    y[(first == 4) | (second == 5)] = 0.0
    X = pd.get_dummies(
        pd.DataFrame({"a": first.astype(str), "b": second.astype(str)}),
        drop_first=True,
        dtype=float,
    )
    X["x"] = x
    given = {"exposure": exposure} if offset else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = MLERegressor("poisson").fit(X, y, **given)
    assert [w.category for w in caught] == [SeparationWarning]
    gone = (first == 4) | (second == 5)
    np.testing.assert_array_equal(model.separated_.rows, np.flatnonzero(gone))
    assert model.separated_.columns == {"mean": {"a_4": -np.inf, "b_5": -np.inf}}
    given = {"exposure": exposure[~gone]} if offset else {}
    rest = MLERegressor("poisson").fit(X.drop(columns=["a_4", "b_5"])[~gone], y[~gone], **given)
    assert_is_the_rest(model, rest, ["a_4", "b_5"])


def test_few_rows_that_run_off_cost_few_passes_over_all_rows(monkeypatch):
    """Of what is left, Newton's method knows the first evaluation from that of all rows."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4_000, 3))
    X = np.column_stack([X, np.zeros(len(X))])
    X[7, 3] = 1.0
    y = (X[:, 0] + rng.logistic(size=len(X)) > 0.0).astype(int)
    y[7] = 1
    orders, call = [], Objective.__call__

    def counted(self, coef, order=2):
        if self.n == len(X):
            orders.append(order)
        return call(self, coef, order)

    monkeypatch.setattr(Objective, "__call__", counted)
    model, said = judge(CrossEntropyClassifier(), X, y)
    with_it = orders.count(2)
    orders.clear()
    rest = CrossEntropyClassifier().fit(np.delete(X[:, :3], 7, axis=0), np.delete(y, 7))
    assert said == "separation"
    # Newton's method on the n - 1 rows is not counted: its steps are those before the proof.
    assert with_it <= rest.n_iter_ + 5
    assert_is_the_rest(model, rest, ["x3"])


def test_what_is_left_is_the_same_from_the_rows_that_are_left():
    """Where nearly all rows have run off, the others alone are summed, to the same numbers."""
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(200, 3)), rng.uniform(0.5, 2.0, 200)
    way = np.where(np.arange(200) < 5, 0.0, X[:, 0])
    y = np.where(way == 0.0, rng.random(200) < 0.5, X[:, 0] > 0.0).astype(float)
    observed = Bernoulli().statistics(y)
    terms = (Term(np.arange(3), 3, True),)
    objective = Objective(Bernoulli().rows, observed, Design(terms, 200, X), weight)
    behind = Behind.of((way,))
    limit = behind.limit(objective)
    left = Left(limit, certain_rows(limit, behind))
    assert left.part.n == 5
    coef = rng.normal(size=4)
    ours, all_rows = left(coef), limit(coef)
    assert ours.value == pytest.approx(all_rows.value, rel=1e-12)
    np.testing.assert_allclose(ours.gradient, all_rows.gradient, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(ours.hessian, all_rows.hessian, rtol=1e-11, atol=1e-14)
