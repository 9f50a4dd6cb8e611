"""Bootstrap intervals: scipy's, those of closed forms, and what becomes of fits that fail."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import bootstrap
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import (
    CrossEntropyClassifier,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    families,
    infer,
)
from skmle.exceptions import SeparationWarning
from skmle.inference import BootstrapIntervals
from skmle.inference.resamples import interval_of, quantile

RNG = np.random.default_rng(5)
N = 80
X = RNG.normal(size=(N, 2))
ETA = 0.3 + 0.5 * X[:, 0]
TWO = (RNG.random(N) < 1.0 / (1.0 + np.exp(-ETA))).astype(int)
SKEWED = RNG.gamma(2.0, size=40)

MODELS = {
    "logistic": (CrossEntropyClassifier(), X, TWO),
    "softmax": (CrossEntropyClassifier(), X, RNG.integers(0, 3, N)),
    "ridge": (CrossEntropyClassifier(alpha=0.1), X, TWO),
    "jeffreys": (CrossEntropyClassifier(penalty="jeffreys"), X, TWO),
    "ordinal": (OrdinalClassifier(), X, RNG.integers(0, 4, N)),
    "gamma": (MLERegressor("gamma"), X, np.exp(ETA) * RNG.gamma(2.0, size=N)),
    "scale": (
        MLERegressor("normal", features={"loc": [0], "scale": [1]}),
        X,
        ETA + RNG.normal(size=N),
    ),
    "trials": (
        MLERegressor("binomial"),
        X,
        np.column_stack([some := RNG.binomial(7, 0.4, N), 7 - some]),
    ),
    "density": (MLEDistribution("gamma"), SKEWED[:, None], None),
    "columns": (MLEDistribution("normal"), X, None),
    "several": (MLEDistribution("multivariate_normal"), X, None),
    "mixture": (
        MLEDistribution(families.Mixture(["normal", "normal"])),
        np.r_[RNG.normal(size=30), RNG.normal(6.0, size=30)][:, None],
        None,
    ),
    "labels": (MLEDistribution("categorical"), RNG.integers(0, 3, N)[:, None], None),
}
# Whose observations are no draws of their law.
PAIRS_ALONE = {
    "balanced": (CrossEntropyClassifier(class_weight="balanced"), X, TWO),
    "soft": (CrossEntropyClassifier(), X, RNG.dirichlet(np.ones(3), N)),
    "censored": (
        MLERegressor(families.Censored("weibull")),
        X,
        np.column_stack(
            [life := np.exp(ETA) * RNG.weibull(1.5, N), np.where(life > 2, np.inf, life)]
        ),
    ),
    "rates": (MLERegressor("poisson"), X, RNG.poisson(np.exp(ETA)) / 3.0),
}


def results_of(model, X, y, **settings):
    return (model.fit(X) if y is None else model.fit(X, y)).inference(X, y, **settings)


def mean(model):
    return model.distribution_.mean()


# ---------------------------------------------------------------- against others


@pytest.mark.parametrize("method", ["BCa", "percentile", "basic"])
def test_intervals_of_a_mean_are_those_of_scipy(method):
    """The same generator draws the same rows."""
    result = results_of(MLEDistribution("exponential"), SKEWED[:, None], None)
    own = result.bootstrap(mean, method=method.lower(), random_state=np.random.default_rng(3))
    other = bootstrap((SKEWED,), np.mean, method=method, n_resamples=999, rng=3)
    np.testing.assert_allclose(own.intervals[0], other.confidence_interval, rtol=1e-9)
    np.testing.assert_allclose(own.standard_errors, other.standard_error, rtol=1e-9)
    np.testing.assert_allclose(own.replicates[:, 0], other.bootstrap_distribution, rtol=1e-9)


@pytest.mark.parametrize("kind", ["pairs", "parametric"])
def test_errors_of_a_mean_are_those_of_the_closed_form(kind):
    result = results_of(MLEDistribution("normal"), SKEWED[:, None], None)
    found = result.bootstrap(kind=kind, n_resamples=4000, method="percentile", random_state=0)
    # The error of a standard deviation of 4000 draws is 1.1 %.
    assert found.standard_errors[0] == pytest.approx(SKEWED.std() / np.sqrt(40.0), rel=0.04)
    assert abs(found.bias[0]) < 4.0 * found.standard_errors[0] / np.sqrt(4000.0)


def test_replicates_are_fits_to_rows_drawn_again():
    result = results_of(CrossEntropyClassifier(), X, TWO)
    found = result.bootstrap(n_resamples=39, random_state=np.random.default_rng(8))
    drawn = np.random.default_rng(8).integers(0, N, (39, N))
    for rows, replicate in zip(drawn, found.replicates, strict=True):
        own = LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky").fit(
            X[rows], TWO[rows]
        )
        np.testing.assert_allclose(replicate, [*own.coef_[0], own.intercept_[0]], atol=1e-5)


def test_the_acceleration_of_a_mean_is_a_sixth_of_its_skewness():
    result = results_of(MLEDistribution("exponential"), SKEWED[:, None], None)
    away = SKEWED - SKEWED.mean()
    expected = (away**3).sum() / (6.0 * (away**2).sum() ** 1.5)
    assert result.bootstrap(mean).acceleration[0] == pytest.approx(expected, rel=1e-8)


def test_the_acceleration_of_samples_is_that_of_the_law():
    """A sixth of the skewness of an exponential law, 2, over the root of n."""
    result = results_of(MLEDistribution("exponential"), SKEWED[:, None], None)
    found = result.bootstrap(mean, kind="parametric", random_state=0).acceleration[0]
    assert found == pytest.approx(2.0 / 6.0 / np.sqrt(40.0), rel=0.05)


@pytest.mark.slow
def test_the_acceleration_is_near_that_of_the_jackknife():
    result = results_of(MLERegressor("poisson"), X, y := RNG.poisson(np.exp(ETA)))
    left = [MLERegressor("poisson").fit(np.delete(X, i, 0), np.delete(y, i)) for i in range(N)]
    slopes = np.array([[*model.coef_, model.intercept_] for model in left])
    away = slopes.mean(axis=0) - slopes
    jackknife = (away**3).sum(axis=0) / (6.0 * (away**2).sum(axis=0) ** 1.5)
    np.testing.assert_allclose(result.bootstrap().acceleration, jackknife, atol=0.01)


# ---------------------------------------------------------------- rows, groups, weights


@pytest.mark.slow
def test_groups_of_equal_rows_are_rows():
    """Rows that are all there three times are drawn together, as one is."""
    y = ETA + RNG.normal(size=N)
    alone = results_of(MLERegressor(), X, y).bootstrap(random_state=4)
    thrice, groups = np.repeat(np.arange(N), 3), np.repeat(np.arange(N), 3)
    together = results_of(MLERegressor(), X[thrice], y[thrice])
    by_group = together.bootstrap(groups=groups, random_state=4)
    np.testing.assert_allclose(by_group.replicates, alone.replicates, rtol=1e-8)
    np.testing.assert_allclose(by_group.intervals, alone.intervals, rtol=1e-8)
    assert by_group.kind == "cluster"
    by_row = together.bootstrap(kind="pairs", random_state=4)
    assert (by_row.standard_errors < 0.75 * by_group.standard_errors).all()


def test_groups_of_inference_are_those_of_the_bootstrap():
    y, groups = ETA + RNG.normal(size=N), np.arange(N) // 4
    model = MLERegressor().fit(X, y)
    own = model.inference(X, y, groups=groups).bootstrap(random_state=0)
    given = model.inference(X, y).bootstrap(groups=groups, random_state=0)
    assert own.kind == "cluster"
    np.testing.assert_allclose(own.intervals, given.intervals, rtol=1e-12)


@pytest.mark.slow
def test_a_weight_is_that_many_rows():
    weight = RNG.integers(0, 4, N).astype(float)
    y, rows = RNG.poisson(np.exp(ETA)), np.repeat(np.arange(N), weight.astype(int))
    model = MLERegressor("poisson").fit(X, y, weight)
    settings = {"n_resamples": 1999, "random_state": 0}
    for kind in ("pairs", "parametric"):
        own = model.inference(X, y, weight).bootstrap(kind=kind, **settings)
        other = results_of(MLERegressor("poisson"), X[rows], y[rows])
        many = other.bootstrap(kind=kind, **settings)
        np.testing.assert_allclose(own.acceleration, many.acceleration, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(own.standard_errors, many.standard_errors, rtol=0.08)


def test_a_factor_belongs_to_one_row():
    """The mean of n rows under factors, drawn with replacement; its error by the delta method."""
    factors = RNG.uniform(0.2, 3.0, 40)
    model = MLEDistribution("normal").fit(SKEWED[:, None], sample_weight=factors)
    result = model.inference(SKEWED[:, None], sample_weight=factors, weights="factors")
    found = result.bootstrap(n_resamples=1999, random_state=0)
    away = SKEWED - np.average(SKEWED, weights=factors)
    expected = np.sqrt(((factors * away) ** 2).sum()) / factors.sum()
    assert found.standard_errors[0] == pytest.approx(expected, rel=0.08)


def test_random_state_decides():
    result = results_of(CrossEntropyClassifier(), X, TWO)
    for kind in ("pairs", "parametric"):
        one, same, other = (
            result.bootstrap(kind=kind, n_resamples=50, random_state=seed).replicates
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()


# ---------------------------------------------------------------- all models


@pytest.mark.parametrize("kind", ["pairs", "parametric"])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_intervals(name, kind):
    result = results_of(*MODELS[name])
    found = result.bootstrap(kind=kind, n_resamples=59, random_state=0)
    assert found.replicates.shape == (59, len(result.estimates))
    np.testing.assert_allclose(found.estimates, result.estimates, rtol=1e-9)
    assert (found.intervals[:, 0] < found.estimates).all()
    assert (found.estimates < found.intervals[:, 1]).all()
    assert not found.ends
    # 59 resamples tell an error to within 9 %, and errors by rows are others than by the law.
    ratio = found.standard_errors / result.standard_errors
    assert (ratio > 0.5).all()
    assert (ratio < 2.0).all()


@pytest.mark.parametrize("name", PAIRS_ALONE)
@pytest.mark.filterwarnings("ignore:.*of y not whole:skmle.exceptions.ScaleWarning")
def test_observations_that_are_no_draws_are_drawn_by_row(name):
    result = results_of(*PAIRS_ALONE[name])
    found = result.bootstrap(n_resamples=499, method="percentile", random_state=0)
    sandwich = results_of(*PAIRS_ALONE[name], covariance="HC0").standard_errors
    np.testing.assert_allclose(found.standard_errors, sandwich, rtol=0.25)
    with pytest.raises(
        ValueError, match=r"kind='parametric' draws .* Allowed: .* Use kind='pairs'"
    ):
        result.bootstrap(kind="parametric")


@pytest.mark.slow
def test_a_median_is_drawn_by_row():
    result = results_of(MLEDistribution("laplace"), SKEWED[:, None], None)
    found = result.bootstrap(random_state=0)
    drawn = np.random.default_rng(np.random.RandomState(0).randint(2**31)).integers(
        0, 40, (999, 40)
    )
    np.testing.assert_allclose(found.replicates[:, 0], np.median(SKEWED[drawn], axis=1), atol=1e-6)


def test_functions_are_asked_of_the_pipeline():
    y = ETA + RNG.normal(size=N)
    pipe = make_pipeline(StandardScaler(), MLERegressor()).fit(X, y)
    found = infer(pipe, X, y).bootstrap(
        lambda model: model.predict(X[:2]), names=["a", "b"], n_resamples=99, random_state=0
    )
    alone = results_of(MLERegressor(), X, y)
    expected = alone.bootstrap(lambda model: model.predict(X[:2]), n_resamples=99, random_state=0)
    assert [*found.terms] == ["a", "b"]
    np.testing.assert_allclose(found.intervals, expected.intervals, rtol=1e-8)


# ---------------------------------------------------------------- fits that fail


@pytest.mark.slow
def test_resamples_that_separate_are_infinite_and_told():
    """A column of three ones, of which two have y = 1: many resamples separate."""
    columns = np.column_stack([X[:, 0], np.arange(N) < 3])
    y = np.r_[1, 1, 0, TWO[3:]]
    result = results_of(CrossEntropyClassifier(), columns, y)
    found = result.bootstrap(n_resamples=199, random_state=0)
    assert len(found.replicates) == 199
    slope = found.replicates[:, 1]
    infinite, unknown = np.isinf(slope).sum(), np.isnan(slope).sum()
    # The ones with y = 1 are drawn twice on average, that with y = 0 once; one of them is missing.
    missing = 1.0 - (1.0 - np.exp(-2.0)) * (1.0 - np.exp(-1.0))
    assert (infinite + unknown) / 199 == pytest.approx(missing, abs=0.12)  # 3.4 standard errors
    assert unknown == pytest.approx(199 * np.exp(-3.0), abs=9.0)
    assert found.ends == {
        "have estimates that run to infinity": infinite,
        "do not determine all estimates": unknown,
    }
    assert np.isinf(found.intervals[1]).all()
    assert np.isinf(found.standard_errors[1])
    assert np.isfinite(found.intervals[0]).all()
    assert f"{infinite} of 199 resamples have estimates that run to infinity." in repr(found)


@pytest.mark.slow
def test_resamples_at_an_end_of_a_range_are_there():
    rng = np.random.default_rng(1)
    y = rng.poisson(np.exp(ETA) * rng.gamma(3.0, 1.0 / 3.0, size=N))
    result = results_of(MLERegressor("negative_binomial"), X, y)
    settings = {"n_resamples": 299, "random_state": 0}
    found = result.bootstrap(**settings)
    at_end = (found.replicates[:, -1] == 0.0).sum()
    assert 0 < at_end == found.ends["end where a parameter is at an end of its range"]
    assert np.isfinite(found.replicates).all()
    # Functions see the limit law, too.
    spread = result.bootstrap(lambda model: model.predict_dist(X[:1]).var(), **settings)
    assert np.isfinite(spread.replicates).all()


def test_what_is_not_known_counts_as_beyond_both_ends():
    values = np.r_[np.arange(97.0), np.nan, np.nan, np.inf]
    assert quantile(values, 0.0, -np.inf) == -np.inf
    assert quantile(values, 2.0 / 99.0, -np.inf) == 0.0
    assert quantile(values, 96.0 / 99.0, np.inf) == 96.0
    low, high, _ = interval_of("percentile", values, 48.0, 0.0, 0.9)
    known = np.percentile(np.arange(97.0), [5.0, 95.0])
    assert low < known[0] < known[1] < high
    one_side = interval_of("bca", np.arange(1.0, 100.0), 0.0, 0.0, 0.95)
    assert np.isnan(one_side[:2]).all()


# ---------------------------------------------------------------- results and errors


def test_results_are_a_table():
    result = results_of(CrossEntropyClassifier(), X, TWO)
    found = result.bootstrap(n_resamples=99, method="percentile", random_state=0)
    assert isinstance(found, BootstrapIntervals)
    frame = found.tidy()
    assert [*frame] == [
        *("component", "term", "estimate", "std_error", "bias", "conf_low", "conf_high")
    ]
    np.testing.assert_array_equal(frame["conf_low"], found.intervals[:, 0])
    assert "percentile intervals, 99 resamples of the rows" in repr(found)
    assert "<table>" in found._repr_html_()
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.intervals, found.intervals)
    narrow = result.bootstrap(n_resamples=99, random_state=0, confidence_level=0.5)
    assert narrow.confidence_level == 0.5
    forgotten = pickle.loads(pickle.dumps(result))
    with pytest.raises(ValueError, match="do not know the rows"):
        forgotten.bootstrap()


WRONG = {
    "kind": ({"kind": "pair"}, "kind='pair' is not known.*Did you mean 'pairs'"),
    "method": ({"method": "studentized"}, "method='studentized' is not known.*Allowed: 'bca'"),
    "no groups": ({"kind": "cluster"}, "groups was not given.*Give them"),
    "two kinds": ({"kind": "pairs", "groups": np.arange(N)}, "groups was given.*Leave out"),
    "few groups": ({"groups": np.arange(N - 1)}, r"groups has the shape \(79,\)"),
    "two ways": ({"groups": np.zeros((N, 2))}, r"groups has the shape \(80, 2\)"),
    "one group": ({"groups": np.zeros(N)}, "groups has one group.*Use kind='pairs'"),
    "few": ({"n_resamples": 38}, "n_resamples=38 is too few.*from 39 on"),
    "few for 99 %": ({"n_resamples": 198, "confidence_level": 0.99}, "from 199 on"),
    "a fraction": ({"n_resamples": 99.5}, "n_resamples=99.5"),
    "level": ({"confidence_level": 1.5}, "confidence_level=1.5"),
    "names alone": ({"names": ["a"]}, "without a function.*Leave them out"),
    "names": ({"function": lambda model: model.coef_, "names": ["a"]}, "1 names for 2 values"),
    "no function": ({"function": 3}, "function=3 cannot be called. Allowed"),
    "a shape that changes": (
        {
            "function": lambda model: np.ones(1 + (model.coef_[0, 0] > 0.7)),
            "n_resamples": 39,
            "method": "percentile",
            "random_state": 0,
        },
        "numbers at the estimates and . beside them. Allowed",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_settings_without_meaning_are_refused(name):
    settings, message = WRONG[name]
    result = results_of(CrossEntropyClassifier(), X, TWO)
    with pytest.raises(ValueError, match=message):
        result.bootstrap(**settings)


def test_groups_of_two_ways_are_refused():
    groups = np.column_stack([np.arange(N) // 4, np.arange(N) % 7])
    result = results_of(CrossEntropyClassifier(), X, TWO, groups=groups)
    with pytest.raises(ValueError, match=r"in two ways.*Give it here"):
        result.bootstrap()
    assert result.bootstrap(groups=groups[:, 0], n_resamples=39).kind == "cluster"


def test_weights_that_are_no_numbers_of_rows_are_refused():
    shares = np.linspace(1.0, 2.0, N) / N
    model = CrossEntropyClassifier().fit(X, TWO, shares)
    with pytest.raises(ValueError, match=r"adds up to 1.5.*weights='factors'"):
        model.inference(X, TWO, shares).bootstrap()
    factors = model.inference(X, TWO, shares, weights="factors").bootstrap(random_state=0)
    assert (factors.standard_errors < 1.0).all()


def test_sparse_columns_are_drawn_as_dense_ones_are():
    y = RNG.poisson(np.exp(ETA))
    dense = results_of(MLERegressor("poisson"), X, y).bootstrap(n_resamples=39, random_state=0)
    sparse = results_of(MLERegressor("poisson"), csr_array(X), y)
    for kind in ("pairs", "parametric"):
        found = sparse.bootstrap(kind=kind, n_resamples=39, random_state=0)
        if kind == "pairs":
            np.testing.assert_allclose(found.replicates, dense.replicates, rtol=1e-6)
        assert np.isfinite(found.intervals).all()


def test_results_without_rows_are_refused():
    model = CrossEntropyClassifier().fit(X, TWO)
    with pytest.raises(ValueError, match=r"do not know the rows .* inference\(X, y\)"):
        model.inference().bootstrap()


def test_an_infinite_estimate_is_refused():
    y = (X[:, 0] > 0.0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeparationWarning)
        model = CrossEntropyClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"'x0' is infinite.*Use profile\(\)"):
        model.inference(X, y).bootstrap()


def test_an_absolute_penalty_is_refused():
    """The bootstrap of estimates that are held at zero is not consistent."""
    model = CrossEntropyClassifier(alpha=0.05, l1_ratio=1.0).fit(X, TWO)
    with pytest.raises(ValueError, match="absolute penalty"):
        model.inference(X, TWO)


def test_cusps_without_slope_are_refused_by_bca():
    result = results_of(MLEDistribution("normal"), SKEWED[:, None], None)
    with pytest.raises(ValueError, match="not finite|gives nan"):
        result.bootstrap(lambda model: np.log(-mean(model)))
