"""Many fits at once are those of a loop of estimators, group by group."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skmle import (
    CrossEntropyClassifier,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    fit_groups,
)
from skmle.exceptions import FitWarning, ScoreWarning
from tests.subjects import FAMILIES, is_conditional, observations, own_name, respond

# What the fits of a group that is found together may differ by from its own, as a share of the
# estimate or of its standard error.
CLOSE = 1e-10
GROUPS, ROWS = 6, 60


def fitted(estimator, X, y=None, **rest):
    """Return the fits of the groups, without a word about those that have no maximum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit_groups(estimator, X, y, **rest)


def alone(estimator, X, y, **rest):
    """Return the estimator fitted by itself; None if it refuses its data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        try:
            return clone(estimator).fit(X, *(() if y is None else (y,)), **rest)
        except ValueError:
            return None


def assert_as_alone(fits, estimator, X, y, groups, errors=CLOSE, **rest):
    """The fits are those of a loop: statuses, estimates, errors, likelihoods."""
    for i, group in enumerate(fits.groups_):
        own = groups == group
        one = alone(
            estimator,
            X[own],
            None if y is None else y[own],
            **{name: values[own] for name, values in rest.items()},
        )
        assert fits.status_[i] == ("not_fitted" if one is None else one.status_)
        if one is None:
            continue
        found, expected = fits.estimator(group)._results(), one._results()
        assert list(found.terms) == list(expected.terms)
        error = np.nan_to_num(expected.standard_errors)
        size = np.maximum(np.abs(expected.estimates), error)
        with np.errstate(invalid="ignore"):  # both may be infinite
            close = np.abs(found.estimates - expected.estimates) <= CLOSE * size
        missing = np.isnan(found.estimates) & np.isnan(expected.estimates)
        assert (close | missing | (found.estimates == expected.estimates)).all()
        np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=errors)
        np.testing.assert_allclose(fits.log_likelihood_[i], one.log_likelihood_, rtol=CLOSE)
        # A fit by itself counts the effective parameters before its last step.
        np.testing.assert_allclose(
            fits.effective_parameters_[i], one.effective_parameters_, rtol=1e-6
        )


def share_together(fits):
    """Return the share of the groups that were found together."""
    return 1.0 - fits._apart.mean()


# ---------------------------------------------------------------- families


def univariate(cls):
    return cls.observation.columns == 1


def cases(keep):
    chosen = [cls for cls in FAMILIES if univariate(cls) and keep(cls)]
    return pytest.mark.parametrize("cls", chosen, ids=own_name)


@cases(lambda cls: True)
@pytest.mark.parametrize("rows", [ROWS, 130], ids=["few", "many"])
def test_densities_are_those_of_a_loop(cls, rows):
    y = observations(cls, GROUPS * rows)
    groups = np.random.default_rng(1).integers(GROUPS, size=len(y))
    model = MLEDistribution(own_name(cls))
    fits = fitted(model, y, groups=groups)
    assert_as_alone(fits, model, y, None, groups)


@cases(is_conditional)
def test_regressions_are_those_of_a_loop(cls):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(GROUPS * 40, 2))
    y = respond(cls, 0.4 * X[:, 0], rng)
    groups = np.repeat(np.arange(GROUPS), 40)
    if not cls.observation.numeric:
        return  # labels are for classifiers
    model = MLERegressor(own_name(cls))
    fits = fitted(model, X, y, groups=groups)
    assert_as_alone(fits, model, X, y, groups)


TOGETHER = ["normal", "weibull", "gamma", "poisson", "logistic", "negative_binomial"]


@pytest.mark.parametrize("name", TOGETHER)
def test_most_groups_are_found_together(name):
    """So the tests of equality do not compare a loop with itself."""
    cls = next(cls for cls in FAMILIES if own_name(cls) == name)
    y = observations(cls, GROUPS * 200)
    fits = fitted(MLEDistribution(name), y, groups=np.arange(len(y)) % GROUPS)
    assert share_together(fits) >= 0.5


# ---------------------------------------------------------------- settings


def logistic_data(n=360, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.normal([0.0, 5.0, 0.0], size=(n, 3))
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-X[:, 0] - 0.3))).astype(int)
    return X, y, rng.integers(GROUPS, size=n), rng


CLASSIFIERS = {
    "plain": CrossEntropyClassifier(),
    "ridge": CrossEntropyClassifier(alpha=0.1),
    "lasso": CrossEntropyClassifier(alpha=0.02, l1_ratio=1.0),
    "no intercept": CrossEntropyClassifier(fit_intercept=False),
    "probit": CrossEntropyClassifier(link="probit"),
    "balanced": CrossEntropyClassifier(class_weight="balanced"),
    "loose": CrossEntropyClassifier(tol=1e-2),
    "one step": CrossEntropyClassifier(max_iter=1),
    "no errors": CrossEntropyClassifier(store_information=False),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_under_their_settings(name, weighted):
    X, y, groups, rng = logistic_data()
    rest = {"sample_weight": rng.integers(0, 3, size=len(y)).astype(float)} if weighted else {}
    fits = fitted(CLASSIFIERS[name], X, y, groups=groups, **rest)
    assert_as_alone(fits, CLASSIFIERS[name], X, y, groups, **rest)


@pytest.mark.parametrize("link", ["probit", "cloglog", "loglog", "cauchit"])
@pytest.mark.slow
def test_links_on_few_rows(link):
    """Under the cauchit there are several maxima, so that a lesser one may be found."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(30), rng.integers(8, 40, size=30))
    X = rng.normal(size=(len(groups), 2))
    y = (rng.random(len(groups)) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 0]))).astype(int)
    model = CrossEntropyClassifier(link=link)
    assert_as_alone(fitted(model, X, y, groups=groups), model, X, y, groups)


def test_softmax_and_ordinal_go_through_the_loop():
    X, y, groups, rng = logistic_data()
    y = y + rng.integers(2, size=len(y))
    for model in (CrossEntropyClassifier(), OrdinalClassifier()):
        assert_as_alone(fitted(model, X, y, groups=groups), model, X, y, groups)


REGRESSORS = {
    "ridge": MLERegressor("poisson", alpha=0.1),
    "ridge of a location": MLERegressor("normal", alpha=0.1),
    "no intercept": MLERegressor("normal", fit_intercept=False),
    "fixed": MLERegressor("normal", fixed={"scale": 1.0}),
    "scale modelled": MLERegressor("normal", features={"loc": "all", "scale": [0]}),
    "shape modelled": MLERegressor("gamma", features={"mean": [0, 1], "shape": [2]}),
    "exposure column": MLERegressor("poisson", exposure=1),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_under_their_settings(name):
    rng = np.random.default_rng(4)
    X = np.abs(rng.normal(size=(720, 3))) + 0.5
    y = rng.poisson(np.exp(0.5 * X[:, 0])) + (0.0 if "poisson" in repr(REGRESSORS[name]) else 0.7)
    groups = rng.integers(GROUPS, size=len(y))
    fits = fitted(REGRESSORS[name], X, y, groups=groups)
    assert share_together(fits) > 0.5
    assert_as_alone(fits, REGRESSORS[name], X, y, groups)


def test_exposure_beside_x():
    rng = np.random.default_rng(5)
    X, years = rng.normal(size=(300, 2)), rng.uniform(0.5, 2.0, 300)
    y = rng.poisson(years * np.exp(X[:, 0]))
    groups = np.arange(300) % 3
    fits = fitted(MLERegressor("poisson"), X, y, groups=groups, exposure=years)
    assert_as_alone(fits, MLERegressor("poisson"), X, y, groups, exposure=years)
    mean = fits.predict(X, groups, exposure=years)
    one = fits.estimator(1).predict(X[groups == 1], exposure=years[groups == 1])
    np.testing.assert_array_equal(mean[groups == 1], one)


def test_fixed_parameters_of_a_density():
    y = np.random.default_rng(6).gamma(2.0, size=300)
    model, groups = MLEDistribution("gamma", fixed={"shape": 2.0}), np.arange(300) % 3
    assert_as_alone(fitted(model, y, groups=groups), model, y, None, groups)


# ---------------------------------------------------------------- groups without a fit


def test_each_bad_group_has_a_status_and_the_others_are_right():
    X, y, _, _ = logistic_data(300)
    groups = np.repeat(["fine", "separated", "one class", "collinear", "one row", "also"], 50)
    y[groups == "separated"] = X[groups == "separated", 0] > 0.0
    y[groups == "one class"] = 1
    X[groups == "collinear", 1] = 2.0 * X[groups == "collinear", 0]
    keep = (groups != "one row") | (np.cumsum(groups == "one row") == 1)
    X, y, groups = X[keep], y[keep], groups[keep]
    with pytest.warns(FitWarning, match="3 of 6 groups are not at an interior maximum"):
        fits = fit_groups(CrossEntropyClassifier(), X, y, groups=groups)
    status = dict(zip(fits.groups_, fits.status_, strict=True))
    assert status["fine"] == status["also"] == "interior"
    assert status["separated"] == "no_maximum"
    assert status["one class"] == status["one row"] == "not_fitted"
    message = dict(zip(fits.groups_, fits.message_, strict=True))
    assert "only one class" in message["one class"]
    assert "separate" in message["separated"]
    assert message["fine"] == ""
    assert_as_alone(fits, CrossEntropyClassifier(), X, y, groups)
    assert fits.estimator("collinear").aliased_
    with pytest.raises(ValueError, match="no fit is known of 'one class'"):
        fits.predict(X, groups)


@pytest.mark.slow
def test_equal_observations_and_few_rows():
    y = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 0.5, 1.5, 0.3, 0.7, 2.2, 5.0])
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2])
    for name in ("normal", "gamma", "weibull", "poisson", "t"):
        values = np.ceil(y) if name == "poisson" else y
        fits = fitted(MLEDistribution(name), values, groups=groups)
        assert_as_alone(fits, MLEDistribution(name), values, None, groups)


@pytest.mark.slow
def test_limit_laws_are_found():
    """Counts that spread less than Poisson's, and normal numbers under Student's t."""
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(8), [30, 60, 90, 120, 150, 30, 60, 200])
    under = rng.binomial(10, 0.5, size=len(groups)).astype(float)
    for name, y in (("negative_binomial", under), ("t", rng.normal(size=len(groups)))):
        fits = fitted(MLEDistribution(name), y, groups=groups)
        assert "boundary" in fits.status_
        assert_as_alone(fits, MLEDistribution(name), y, None, groups)


@pytest.mark.slow
def test_student_t_with_clusters():
    """Samples of several modes end at the same one as by themselves."""
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(12), 40)
    far = rng.random(len(groups)) < np.repeat(np.linspace(0.0, 0.45, 12), 40)
    y = rng.standard_t(2.0, size=len(groups)) + np.where(far, 8.0, 0.0)
    fits = fitted(MLEDistribution("t"), y, groups=groups)
    assert_as_alone(fits, MLEDistribution("t"), y, None, groups)


def test_student_t_is_found_together():
    y, groups = np.random.default_rng(13).standard_t(3.0, size=1000), np.arange(1000) % 5
    fits = fitted(MLEDistribution("t"), y, groups=groups)
    assert share_together(fits) >= 0.5
    assert_as_alone(fits, MLEDistribution("t"), y, None, groups)


def test_unlike_sizes_and_units():
    rng = np.random.default_rng(10)
    groups = np.repeat(np.arange(30), rng.integers(1, 90, size=30))
    X = rng.normal(size=(len(groups), 2)) * [1e-6, 1.0] + [0.0, 1e5]
    y = (3.0 + X[:, 0] * 1e6 + rng.normal(size=len(groups))) * 10.0 ** (groups % 7 - 3.0) + 1e3
    model = MLERegressor("normal")
    fits = fitted(model, X, y, groups=groups)
    statuses = [
        getattr(alone(model, X[groups == g], y[groups == g]), "status_", "not_fitted")
        for g in fits.groups_
    ]
    assert list(fits.status_) == statuses
    assert share_together(fits) > 0.5


def test_categories_without_rows():
    pd = pytest.importorskip("pandas")
    labels = pd.Categorical(["b", "a"] * 20, categories=["b", "none", "a"])
    y = np.random.default_rng(0).normal(size=40)
    fits = fitted(MLEDistribution(), y, groups=labels)
    assert list(fits.groups_) == ["b", "none", "a"]
    assert list(fits.status_) == ["interior", "not_fitted", "interior"]
    assert fits.message_[1] == "the group has no rows"


# ---------------------------------------------------------------- frames, tables, predictions


def test_a_column_of_a_frame_and_its_table():
    pd = pytest.importorskip("pandas")
    X, y, groups, _ = logistic_data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(shop=groups.astype(str))
    fits = fit_groups(CrossEntropyClassifier(), frame, y, groups="shop")
    table = fits.tidy()
    assert list(table.columns[:5]) == ["group", "component", "term", "estimate", "std_error"]
    own = table[table["group"] == "2"]
    alone_table = fits.estimator("2").inference().tidy()
    pd.testing.assert_frame_equal(own.drop(columns="group").reset_index(drop=True), alone_table)
    assert list(own["term"]) == ["a", "b", "c", "intercept"]
    glance = fits.glance()
    assert list(glance["group"]) == [str(g) for g in range(GROUPS)]
    np.testing.assert_array_equal(
        fits.predict(frame), fits.predict(frame.drop(columns="shop"), groups.astype(str))
    )
    np.testing.assert_allclose(fits.predict_proba(frame).sum(axis=1), 1.0)
    np.testing.assert_allclose(fits.score(frame, y) * len(y), fits.log_likelihood_.sum())


def test_answers_are_in_the_order_of_the_rows():
    X, y, groups, rng = logistic_data()
    fits = fit_groups(CrossEntropyClassifier(), X, y, groups=groups)
    order = rng.permutation(len(y))
    np.testing.assert_array_equal(
        fits.log_prob(X, y, groups)[order], fits.log_prob(X[order], y[order], groups[order])
    )
    weight = rng.uniform(size=len(y))
    expected = np.average(fits.log_prob(X, y, groups), weights=weight)
    np.testing.assert_allclose(fits.score(X, y, groups, sample_weight=weight), expected)


def test_columns_are_groups():
    X = np.random.default_rng(11).weibull(2.0, size=(80, 5)) * np.arange(1, 6)
    weight = np.random.default_rng(12).integers(0, 3, size=80).astype(float)
    fits = fit_groups(MLEDistribution("weibull"), X, groups="columns", sample_weight=weight)
    assert share_together(fits) == 1.0
    for j in range(5):
        one = MLEDistribution("weibull").fit(X[:, j], sample_weight=weight)
        np.testing.assert_allclose(
            list(fits.estimator(j).params_.values()), list(one.params_.values()), rtol=CLOSE
        )
    assert fits.log_prob(X).shape == X.shape
    np.testing.assert_allclose(
        fits.score(X, sample_weight=weight) * weight.sum() * 5, fits.log_likelihood_.sum()
    )


def test_fits_are_pickled_without_the_data():
    X, y, groups, _ = logistic_data(6000)
    fits = fit_groups(CrossEntropyClassifier(), X, y, groups=groups)
    text = pickle.dumps(fits)
    assert len(text) < X.nbytes / 4
    np.testing.assert_array_equal(pickle.loads(text).predict(X, groups), fits.predict(X, groups))


# ---------------------------------------------------------------- what is refused


def test_bad_groups_are_named():
    pd = pytest.importorskip("pandas")
    y = np.arange(1.0, 7.0)
    model = MLEDistribution()
    with pytest.raises(ValueError, match=r"groups: the shape is \(5,\).*6 rows.*Allowed.*Give"):
        fit_groups(model, y, groups=[0] * 5)
    with pytest.raises(ValueError, match=r"1 of 6 rows have no group \(row 2: nan\).*Drop"):
        fit_groups(model, y, groups=[0.0, 0.0, np.nan, 1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"1 of 6 rows have no group \(row 1: None\)"):
        fit_groups(model, y, groups=np.array(["a", None, "b", "b", "a", "a"], object))
    frame = pd.DataFrame({"y": y, "shop": list("aaabbb")})
    with pytest.raises(
        ValueError, match="no column 'shops'.*Allowed: y, shop.*Did you mean 'shop'"
    ):
        fit_groups(model, frame, groups="shops")
    with pytest.raises(ValueError, match="as it has no names"):
        fit_groups(model, y, groups="shop")
    with pytest.raises(ValueError, match="groups: None was given"):
        fit_groups(model, y, groups=None)
    fits = fit_groups(model, frame, groups="shop")
    with pytest.raises(ValueError, match="no fit is known of 'z'.*Allowed: 'a', 'b'"):
        fits.log_prob(y, groups=list("aaabbz"))
    with pytest.raises(ValueError, match="no fit is known of 'z'"):
        fits.estimator("z")


def test_bad_data_and_settings_are_refused_at_once():
    X, y, groups, _ = logistic_data()
    with pytest.raises(ValueError, match="row 7"):
        bad = X.copy()
        bad[7, 1] = np.nan
        fit_groups(CrossEntropyClassifier(), bad, y, groups=groups)
    with pytest.raises(ValueError, match="alpha"):
        fit_groups(CrossEntropyClassifier(alpha=-1.0), X, y, groups=groups)
    with pytest.raises(ValueError, match="outside the support"):
        fit_groups(MLEDistribution("gamma"), -np.arange(1.0, 7.0), groups=[0, 0, 0, 1, 1, 1])
    with pytest.raises(TypeError, match=r"none of skmle's estimators.*Allowed"):
        fit_groups(object(), X, y, groups=groups)
    with pytest.raises(ValueError, match="groups='columns'"):
        fit_groups(CrossEntropyClassifier(), X, y, groups="columns")


def test_refused_rows_are_named_with_their_groups():
    X, y, _, _ = logistic_data(60)
    groups = np.repeat(["a", "b", "c"], 20)
    bad = X.copy()
    bad[7, 1], bad[[41, 45], 0] = np.nan, np.inf
    where = r"fit_groups, 2 of 3 groups \('a': row 7; 'c': rows 41, 45\): .*row 7.*Allowed.*Drop"
    with pytest.raises(ValueError, match=where) as refused:
        fit_groups(CrossEntropyClassifier(), bad, y, groups=groups)
    again = pickle.loads(pickle.dumps(refused.value))  # as between processes
    assert str(again) == str(refused.value)
    assert again.rows.tolist() == [7, 41, 45]
    with pytest.raises(ValueError, match=r"1 of 3 groups \('b': row 30\).*outside the support"):
        counts = np.arange(60) % 5
        counts[30] = -9
        fit_groups(MLEDistribution("poisson"), counts, groups=groups)
    weight = np.where(np.arange(60) == 50, -1.0, 1.0)
    with pytest.raises(ValueError, match=r"1 of 3 groups \('c': row 50\).*Allowed: weights >= 0"):
        fit_groups(CrossEntropyClassifier(), X, y, groups=groups, sample_weight=weight)
    with pytest.raises(ValueError, match=r"1 of 3 groups \('a': rows 0, 1\): exposure.*Allowed"):
        fit_groups(MLERegressor("poisson"), X, y, groups=groups, exposure=np.arange(60) - 1.0)
    with pytest.raises(TypeError, match="no argument 'ofset'.*Allowed.*offset"):
        fit_groups(MLERegressor("poisson"), X, y, groups=groups, ofset=y)
    with pytest.raises(TypeError, match="the class MLERegressor is none.*Allowed.*Give"):
        fit_groups(MLERegressor, X, y, groups=groups)


def test_rows_that_are_asked_about_are_named_with_their_groups():
    X, y, _, _ = logistic_data(60)
    groups = np.tile(["a", "b", "c"], 20)
    fits = fitted(CrossEntropyClassifier(alpha=0.1), X, y, groups=groups)
    bad = X.copy()
    bad[31, 0] = np.nan
    with pytest.raises(ValueError, match=r"predict, group 'b', row 31 of all.*row 10, column 0"):
        fits.predict(bad, groups)
    with pytest.raises(ValueError, match=r"no fit is known of 'z' \(rows 3, 4\)"):
        fits.predict(X, np.where(np.isin(np.arange(60), [3, 4]), "z", groups))
    unseen = np.where(np.isin(np.arange(60), [4, 5]), 9, y)
    with pytest.warns(ScoreWarning, match=r"log_prob, 2 of 3 groups \('b', 'c'\).*row 1: 9"):
        assert np.isneginf(fits.log_prob(X, unseen, groups)[[4, 5]]).all()


def test_dates_and_several_keys_are_groups():
    pd = pytest.importorskip("pandas")
    y = np.random.default_rng(14).gamma(2.0, size=60)
    days = pd.Series(pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(60) % 3, unit="D"))
    fits = fit_groups(MLEDistribution("gamma"), y, groups=days)
    assert len(fits) == 3
    assert fits.log_prob(y, groups=days).shape == (60,)
    with pytest.raises(ValueError, match=r"1 of 60 rows have no group \(row 7: NaT\)"):
        fit_groups(MLEDistribution("gamma"), y, groups=days.where(days.index != 7))
    frame = pd.DataFrame({"a": np.arange(60) % 2, "b": np.arange(60) // 30, "y": y})
    keys = pd.MultiIndex.from_frame(frame[["a", "b"]])
    fits = fit_groups(MLEDistribution("gamma"), y, groups=keys)
    assert fits.groups_.tolist() == [(0, 0), (0, 1), (1, 0), (1, 1)]
    with pytest.raises(ValueError, match=r"shape is \(60, 2\).*of several keys make one"):
        fit_groups(MLEDistribution("gamma"), y, groups=frame[["a", "b"]])
    numbered = pd.DataFrame({0: y, 1: np.arange(60) % 2})
    assert len(fit_groups(MLEDistribution("gamma"), numbered, groups="1")) == 2


def test_print_and_html():
    y = np.random.default_rng(15).gamma(2.0, size=130)
    groups = np.array([f"<{g}>" for g in np.arange(130) % 13])
    y[groups == "<3>"] = 1.0
    fits = fitted(MLEDistribution("gamma"), y, groups=groups)
    assert repr(fits).endswith("13 groups: 12 interior, 1 no_maximum)")
    lines = str(fits).splitlines()
    assert lines[0] == repr(fits)
    assert lines[4].split()[:2] == ["<3>", "no_maximum"]  # those without a maximum come first
    assert "... and 3 more groups." in lines
    page = fits._repr_html_()
    assert "&lt;3&gt;" in page
    assert "<3>" not in page
