"""Information gain: models, kinds of X, and what holds of every gain."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from scipy import stats
from sklearn.base import is_classifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import (
    BayesianRidge,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, KFold, RepeatedKFold, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks.information_gain import CASES, coverage
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle._any_model.held_out import Spread
from skmle.information import information_gain

MODELS = {
    "cross-entropy": CrossEntropyClassifier(),
    "logistic": LogisticRegression(),
    "bayes": GaussianNB(),
    "tree": DecisionTreeClassifier(min_samples_leaf=20, random_state=0),
    "forest": RandomForestClassifier(10, min_samples_leaf=20, random_state=0),
    "normal": MLERegressor(),
    "poisson": MLERegressor("poisson"),
    "both parameters": MLERegressor("normal", features={"loc": "all", "scale": "all"}),
    "penalised": MLERegressor("poisson", alpha=0.1),
    "ridge": BayesianRidge(),
    "counts": PoissonRegressor(alpha=0.01),
    "pipeline": make_pipeline(StandardScaler(), MLERegressor("poisson")),
    "search": GridSearchCV(MLERegressor("poisson"), {"alpha": [0.0, 0.1]}, cv=2),
}
SLOW = ("logistic", "forest", "counts", "search", "both parameters")
every_model = pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, model in MODELS.items()
    ],
)


@pytest.fixture
def data(rng):
    X = np.column_stack([rng.normal(size=(120, 2)), np.full(120, rng.normal())])
    counts = rng.poisson(np.exp(0.5 + 0.6 * X[:, 0])).astype(float)
    return X, counts


def target(model, counts):
    return np.minimum(counts, 2.0).astype(int) if is_classifier(model) else counts


# ---------------------------------------------------------------- every model


@every_model
def test_a_constant_gains_nothing(model, data):
    X, counts = data
    y = target(model, counts)
    alone = information_gain(model, X[:, 2:], y, per_feature="alone")
    assert alone.estimate.tolist() == alone.standard_errors.tolist() == [0.0, 0.0]
    for kind in ("left_out", "alone"):
        gain = information_gain(model, X, y, per_feature=kind, cv=3)
        assert gain.terms == ["all features", "x0", "x1", "x2"]
        assert (gain.estimate[3], gain.standard_errors[3]) == (0.0, 0.0)
        assert gain.estimate[1] > max(0.0, gain.estimate[2])
    assert float(information_gain(model, X, y, given=[0, 1], cv=3)) == 0.0


@every_model
def test_the_parts_of_a_gain_add_up(model, data):
    """I(X0; Y) + I(X1; Y | X0) = I(X0, X1; Y), to the last digits of the estimates, too."""
    X, counts = data
    y = target(model, counts)
    settings = {"cv": KFold(4, shuffle=True, random_state=1)}
    whole = information_gain(model, X, y, per_feature="alone", **settings)
    rest = information_gain(model, X, y, given=0, **settings)
    assert whole.estimate[1] + float(rest) == pytest.approx(float(whole), abs=1e-12)
    left = information_gain(model, X, y, per_feature="left_out", **settings)
    assert left.estimate[2] == pytest.approx(float(rest), abs=1e-12)


def test_it_is_the_difference_of_held_out_scores(data):
    X, y = data
    splits = [*KFold(5, shuffle=True, random_state=0).split(X)]
    expected = np.empty(len(y))
    for train, test in splits:
        model = MLERegressor("poisson").fit(X[train, :1], y[train])
        marginal = MLEDistribution("poisson").fit(y[train])
        expected[test] = model.log_prob(X[test, :1], y[test]) - marginal.score_samples(y[test])
    gain = information_gain(MLERegressor("poisson"), X[:, :1], y)
    assert float(gain) == pytest.approx(expected.mean(), rel=1e-9)
    error = expected.std(ddof=1) / np.sqrt(len(y))
    assert gain.standard_errors[0] == pytest.approx(error, rel=1e-6)
    # Nadeau & Bengio (2003), corrected by the ratio of the folds' sizes, 1/4.
    means = [expected[test].mean() for _, test in splits]
    folds = information_gain(MLERegressor("poisson"), X[:, :1], y, std_error="folds")
    error = np.sqrt((1 / 5 + 1 / 4) * np.var(means, ddof=1))
    assert folds.standard_errors[0] == pytest.approx(error, rel=1e-6)
    ((low, high),) = folds.confidence_intervals()
    assert (high - low) / 2 == pytest.approx(2.7764451 * error, rel=1e-6)  # t, 4 degrees, 97.5 %


def test_exposure_is_known_to_the_baseline(rng):
    time = rng.uniform(0.5, 10.0, 200)
    X = np.column_stack([rng.normal(size=200), time])
    y = rng.poisson(2.0 * time).astype(float)
    model = MLERegressor("poisson", exposure=1)
    assert abs(float(information_gain(model, X, y))) < 0.02
    assert float(information_gain(MLERegressor("poisson"), X, y)) > 0.3
    beyond = information_gain(model, X, y, given=[1], per_feature="alone")
    assert beyond.terms == ["all features", "x0"]
    assert abs(beyond.estimate[1]) < 0.02


# ---------------------------------------------------------------- every kind of X


def mixed(rng, n=150):
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "city": pd.Categorical(rng.choice(["A", "B", "C"], n)),
            "flag": pd.array(rng.choice([True, False], n), dtype="boolean"),
            "same": "x",
        }
    )
    y = 0.1 * frame["age"].to_numpy() + 2.0 * (frame["city"] == "B") + rng.normal(size=n)
    return frame, np.asarray(y)


def behind_columns(model):
    encoder = OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer((StandardScaler(), ["age"]), (encoder, ["city", "flag", "same"])),
        model,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_names_lead_through_a_pipeline(rng, kind):
    frame, y = mixed(rng)
    frame = frame if kind == "pandas" else pl.from_pandas(frame)
    gain = information_gain(behind_columns(MLERegressor()), frame, y, per_feature="left_out")
    assert gain.terms == ["all features", "age", "city", "flag", "same"]
    assert (gain.lower_bounds()[:3] > 0.0).all()
    assert gain.estimate[3] < 0.02 and gain.estimate[4] == 0.0
    beyond = information_gain(behind_columns(MLERegressor()), frame, y, given="city", cv=4)
    assert 0.2 < float(beyond) < float(gain)


@pytest.mark.slow
def test_sparse_and_listed_rows(data):
    X, counts = data
    X = np.where(X > 0.5, X, 0.0)
    gains = [
        information_gain(MLERegressor("poisson"), kind(X), counts, per_feature="left_out")
        for kind in (np.asarray, sp.csr_array, sp.csc_matrix, np.ndarray.tolist)
    ]
    for other in gains[1:]:
        np.testing.assert_allclose(other.estimate, gains[0].estimate, rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------- baselines, folds, groups


def test_a_baseline_of_the_right_shape(rng):
    """Of two modes a normal law would miss much, which is no information."""
    x = rng.integers(2, size=400)
    X, y = x[:, None].astype(float), 8.0 * x + rng.normal(size=400)
    right = information_gain(MLERegressor(), X, y, baseline=GaussianMixture(2, random_state=0))
    assert float(right) == pytest.approx(np.log(2.0), abs=0.03)
    assert float(information_gain(MLERegressor(), X, y)) > 1.2
    itself = information_gain(MLERegressor(), X, y, baseline=MLERegressor())
    assert (float(itself), itself.standard_errors[0]) == (0.0, 0.0)


@pytest.mark.slow
def test_folds_of_all_kinds(data):
    X, y = data
    model = MLERegressor("poisson")
    one = information_gain(model, X, y, cv=KFold(5, shuffle=True, random_state=0))
    assert one.estimate == information_gain(model, X, y).estimate
    pairs = [*KFold(5, shuffle=True, random_state=0).split(X)]
    assert information_gain(model, X, y, cv=pairs).estimate == one.estimate
    again = information_gain(model, X, y, cv=RepeatedKFold(n_splits=5, n_repeats=3, random_state=0))
    assert "120 rows held out by 15 folds" in repr(again)
    # Repeats do not make more rows.
    assert again.standard_errors[0] == pytest.approx(one.standard_errors[0], rel=0.1)
    some = information_gain(model, X, y, cv=ShuffleSplit(2, test_size=0.2, random_state=0))
    assert some.standard_errors[0] > one.standard_errors[0]


def test_rows_of_a_group_stay_together(data):
    X, y = data
    three = np.repeat(np.arange(40), 3)
    X, y = X[three], y[three]
    grouped = information_gain(MLERegressor("poisson"), X, y, groups=three)
    plain = information_gain(MLERegressor("poisson"), X, y)
    assert grouped.standard_errors[0] > 1.4 * plain.standard_errors[0]  # by about sqrt(3)


@pytest.mark.parametrize("name", ["cross-entropy", "poisson", "pipeline"])
def test_a_weight_is_so_many_rows(data, rng, name):
    """Where the repeats of a row are in the same fold."""
    X, y = data
    weight, last = rng.integers(0, 3, 120), np.arange(120) > 70
    y = np.minimum(y, 2.0)
    many = [np.repeat(part, weight, axis=0) for part in (X, y, last)]
    folds = [[(~mask, mask), (mask, ~mask)] for mask in (last, many[2])]
    one = information_gain(MODELS[name], X, y, weight, cv=folds[0], per_feature="left_out")
    other = information_gain(MODELS[name], *many[:2], cv=folds[1], per_feature="left_out")
    if name != "pipeline":  # Its scaler is not given the weights; no prediction depends on it.
        np.testing.assert_allclose(one.lower_bounds(), other.lower_bounds(), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-5, atol=1e-9)


def test_units(data):
    X, y = data
    nats, bits = (information_gain(MLERegressor("poisson"), X, y, base=b) for b in (None, 2))
    assert float(bits) == pytest.approx(float(nats) / np.log(2.0), rel=1e-14)
    np.testing.assert_allclose(bits.lower_bounds(), nats.lower_bounds() / np.log(2.0))


def test_it_prints_and_escapes(data):
    X, y = data
    frame = pd.DataFrame(X, columns=["<b>", "b", "c"])
    gain = information_gain(MLERegressor("poisson"), frame, y, per_feature="alone", cv=2)
    assert list(gain.tidy()) == ["term", "estimate", "std_error", "conf_low", "conf_high"]
    assert "Information gain of MLERegressor over the law without features, nats per row" in repr(
        gain
    )
    assert "<b>" not in gain._repr_html_() and "&lt;b&gt;" in gain._repr_html_()


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"per_feature": "each"}, "per_feature='each' is not allowed. Allowed: None, 'left_out'"),
        ({"std_error": "naive"}, "std_error='naive' is not allowed. Allowed: 'rows'"),
        ({"cv": 1}, "cv=1 is not allowed, n_samples=120. Allowed: a number of folds from 2"),
        ({"given": "age"}, "given: X has no column 'age'"),
        ({"given": 7}, "given: X has no column 7. Allowed: 0 to 2"),
        ({"given": 0, "baseline": MLERegressor()}, "Allowed: one of them.* Leave one out"),
        ({"baseline": ["age"]}, r"baseline=\['age'\] is no model. Allowed: estimators.* given="),
        ({"base": -1}, "base=-1 is no base"),
    ],
    ids=str,
)
def test_settings_that_cannot_be(data, settings, message):
    with pytest.raises(ValueError, match=message):
        information_gain(MLERegressor("poisson"), *data, **settings)


def test_models_that_cannot_be(data):
    X, y = data
    with pytest.raises(TypeError, match="does not tell the law"):
        information_gain(LinearRegression(), X, y)
    with pytest.raises(TypeError, match="MLEDistribution is no model of y given X. Allowed: "):
        information_gain(MLEDistribution(), X, y)
    with pytest.raises(ValueError, match=r"X has 1 axes. Allowed: 2"):
        information_gain(MLERegressor(), X[:, 0], y)


class Told(LinearRegression):
    """A model of a law that only it knows."""

    def pred_dist(self, X):
        return stats.norm(self.predict(X), 1.0)


def test_a_law_of_y_that_is_not_known_is_to_be_given(data):
    X, y = data
    with pytest.raises(ValueError, match="no law of y alone .* Give baseline=, such as"):
        information_gain(Told(), X, y)
    assert information_gain(Told(), X, y, given=0).estimate.shape == (1,)
    gain = information_gain(Told(), X, y, baseline=MLEDistribution("normal", fixed={"scale": 1.0}))
    assert float(gain) > 0.0


@pytest.mark.filterwarnings("ignore:The least populated class", "ignore::UserWarning")
def test_a_label_in_one_fold_only():
    X, y = np.arange(20.0)[:, None], np.array([0, 1] * 9 + [0, 2])
    with pytest.raises(ValueError, match="the first is row 19, as where a label is in one fold"):
        information_gain(GaussianNB(), X, y)


def test_an_impossible_prediction_is_an_infinite_loss(data):
    X, counts = data
    gain = information_gain(
        DecisionTreeClassifier(random_state=0), X, np.minimum(counts, 2).astype(int)
    )
    assert float(gain) == -np.inf
    assert np.isnan(gain.standard_errors[0])


def test_a_process_is_normal(data):
    X, y = data
    process = GaussianProcessRegressor(alpha=1.0, normalize_y=False)
    assert np.isfinite(float(information_gain(process, X, y, cv=2)))


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize("skew", [-8.0, -0.5, 0.0, 1e-5, 3.0])
@pytest.mark.parametrize("level", [0.025, 0.5, 0.95])
def test_intervals_take_out_the_skewness(skew, level):
    """The quantile is the inverse of Hall's transformation."""
    n = 200
    t = Spread(1.0, skew, n).quantile(level)
    a = skew / np.sqrt(n)
    expected = stats.norm.ppf(level)
    assert t + a * t**2 / 3.0 + a**2 * t**3 / 27.0 + a / 6.0 == pytest.approx(expected, abs=1e-9)


def test_bounds_and_intervals_agree(data):
    X, y = data
    for kind in ("rows", "folds"):
        gain = information_gain(MLERegressor("poisson"), X, y, std_error=kind)
        ((low, high),) = gain.confidence_intervals(0.9)
        assert gain.lower_bounds(0.95)[0] == pytest.approx(low, rel=1e-12)
        assert low < float(gain) < high
    with pytest.raises(ValueError, match="confidence_level=95 is not allowed"):
        gain.lower_bounds(95)


# ---------------------------------------------------------------- known information


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_the_information(name):
    """Of 60 samples 95 % are 57, with an error of 1.7."""
    found = coverage(CASES[name], 400, 60, seed=1)
    assert 60 * found.bound >= 52
    if CASES[name].information > 0.0:
        # Where nothing is to be gained, the gain is below zero by the cost of the coefficients.
        assert 60 * found.interval >= 50
    assert found.gain == pytest.approx(CASES[name].information, abs=0.03)
