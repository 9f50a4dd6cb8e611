"""Likelihood-ratio tests of fitted models: which are nested, and the law of the statistic."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skmle import (
    CrossEntropyClassifier,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    families,
    likelihood_ratio_test,
)
from skmle.exceptions import BoundaryWarning, FitWarning, SeparationWarning

RNG = np.random.default_rng(11)
N = 150
X = RNG.normal(size=(N, 3))
FRAME = pd.DataFrame(X, columns=["age", "bmi", "dose"])
COUNTS = RNG.poisson(np.exp(0.3 * X[:, 0]) * RNG.gamma(2.0, 0.5, size=N))
Y = 1.0 + X[:, 0] + RNG.normal(size=N)
LABELS = np.digitize(X[:, 0] + RNG.logistic(size=N), [0.0, 1.0])
POSITIVE = np.exp(0.3 * X[:, 0]) * RNG.gamma(1.5, size=N)


def fitted(family, y, X=X, **settings):
    return MLERegressor(family, **settings).fit(X, y)


# ---------------------------------------------------------------- other programs


def test_it_is_that_of_statsmodels():
    small = sm.OLS(Y, sm.add_constant(X[:, :1])).fit()
    statistic, p, df = sm.OLS(Y, sm.add_constant(X)).fit().compare_lr_test(small)
    one = fitted("normal", Y, features={"loc": [0]}, tol=1e-9)
    found = likelihood_ratio_test(one, fitted("normal", Y, tol=1e-9))
    assert found.df == df == 2
    np.testing.assert_allclose([found.statistic, found.p_value], [statistic, p], rtol=1e-8)


def test_poisson_within_negative_binomial_has_half_a_chi_square():
    columns = sm.add_constant(X)
    small = sm.Poisson(COUNTS, columns).fit(disp=0)
    large = sm.NegativeBinomial(COUNTS, columns).fit(disp=0, maxiter=200)
    found = likelihood_ratio_test(fitted("poisson", COUNTS), fitted("negative_binomial", COUNTS))
    assert found.statistic == pytest.approx(2.0 * (large.llf - small.llf), rel=1e-6)
    assert found.p_value == pytest.approx(0.5 * chi2.sf(found.statistic, 1), rel=1e-12)
    text = f"Likelihood-ratio test of dispersion = 0: (chi2(0) + chi2(1))/2 = {found.statistic:.2f}"
    assert str(found).startswith(text)


def test_ends_and_columns_at_once():
    """Half of chi-square of two degrees of freedom, half of three."""
    small = fitted("poisson", COUNTS, features={"mean": [0]})
    found = likelihood_ratio_test(small, fitted("negative_binomial", COUNTS))
    half = 0.5 * chi2.sf(found.statistic, 2) + 0.5 * chi2.sf(found.statistic, 3)
    assert found.p_value == pytest.approx(half, rel=1e-12)
    assert found.hypothesis == "x1 = 0, x2 = 0, dispersion = 0"


# ---------------------------------------------------------------- which models are nested

ALL, SOME = X, X[:, :2]
SPANNED = np.column_stack([X[:, 0] + 2.0 * X[:, 1], 3.0 - X[:, 1]])
NESTED = [
    (MLERegressor("normal"), SOME, MLERegressor("normal"), ALL, Y, 1),
    (MLERegressor("normal"), SPANNED, MLERegressor("normal"), ALL, Y, 1),
    (MLERegressor("normal", fixed={"scale": 2.0}), ALL, MLERegressor("normal"), ALL, Y, 1),
    (MLERegressor("normal", fixed={"loc": 0.5}), ALL, MLERegressor("normal"), ALL, Y, 4),
    (MLERegressor("normal"), SOME, MLERegressor("normal", features={"scale": [2]}), ALL, Y, 2),
    (MLERegressor("normal"), SOME, MLERegressor("student_t"), ALL, Y, 2),
    (MLERegressor("exponential"), SOME, MLERegressor("gamma"), ALL, POSITIVE, 2),
    (MLERegressor("exponential"), SOME, MLERegressor("weibull"), ALL, POSITIVE, 2),
    (
        MLERegressor("poisson"),
        SOME,
        MLERegressor(families.ZeroInflated("poisson")),
        ALL,
        COUNTS,
        2,
    ),
    (CrossEntropyClassifier(), SOME, CrossEntropyClassifier(), ALL, LABELS, 2),
    (CrossEntropyClassifier(fit_intercept=False), SOME, CrossEntropyClassifier(), ALL, LABELS, 4),
    (OrdinalClassifier(), SOME, OrdinalClassifier(), ALL, LABELS, 1),
    (MLEDistribution("exponential"), None, MLEDistribution("weibull"), None, POSITIVE, 1),
    (
        MLEDistribution("gamma", fixed={"shape": 2.0}),
        None,
        MLEDistribution("gamma"),
        None,
        POSITIVE,
        1,
    ),
]


@pytest.mark.parametrize(("small", "own", "large", "every", "y", "df"), NESTED)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.BoundaryWarning")
def test_special_cases(small, own, large, every, y, df):
    if own is None:
        own = every = y[:, None]
        y = None
    small, large = small.fit(own, y), large.fit(every, y)
    found = likelihood_ratio_test(small, large, every, y, X_smaller=own)
    assert found.df == df
    gain = 2.0 * (large.log_likelihood_ - small.log_likelihood_)
    assert found.statistic == pytest.approx(max(gain, 0.0), abs=1e-6)
    assert 0.0 <= found.p_value <= 1.0
    with pytest.raises(ValueError, match=r"no special case of the larger.*Allowed: nested models"):
        likelihood_ratio_test(large, small, own, y, X_smaller=every)


def test_names_of_frames_are_enough():
    large = fitted("normal", Y, FRAME)
    found = likelihood_ratio_test(fitted("normal", Y, FRAME[["bmi", "age"]]), large)
    assert found.hypothesis == "dose = 0"
    other = fitted("normal", Y, FRAME[["bmi"]].rename(columns={"bmi": "weight"}))
    with pytest.raises(ValueError, match="its loc depends on weight"):
        likelihood_ratio_test(other, large)


def test_pipelines_are_seen_through():
    small = make_pipeline(StandardScaler(), MLERegressor()).fit(FRAME, Y)
    large = make_pipeline(PolynomialFeatures(2), MLERegressor(fit_intercept=False)).fit(FRAME, Y)
    found = likelihood_ratio_test(small, large, FRAME, Y)
    assert found.df == 6
    with pytest.raises(ValueError, match=r"have passed transformers.*Give X and y"):
        likelihood_ratio_test(small, large)


def test_dependent_columns_count_once():
    wide = np.column_stack([X, X.sum(axis=1)])
    small, large = fitted("normal", Y, X[:, :2]), fitted("normal", Y, wide)
    assert likelihood_ratio_test(small, large, wide, Y, X_smaller=X[:, :2]).df == 1


def test_weights_are_repeated_rows():
    weight = RNG.integers(0, 3, size=N)
    small, large = (MLERegressor("poisson") for _ in range(2))
    small.fit(X[:, :2], COUNTS, weight), large.fit(X, COUNTS, weight)
    found = likelihood_ratio_test(small, large, X, COUNTS, weight, X_smaller=X[:, :2])
    rows = np.repeat(np.arange(N), weight)
    small, large = (
        fitted("poisson", COUNTS[rows], X[rows, :2]),
        fitted("poisson", COUNTS[rows], X[rows]),
    )
    again = likelihood_ratio_test(small, large, X[rows], COUNTS[rows], X_smaller=X[rows, :2])
    assert found.statistic == pytest.approx(again.statistic, rel=1e-6)


def test_offsets_are_compared():
    exposure = RNG.uniform(1.0, 2.0, size=N)
    large = MLERegressor("poisson").fit(X, COUNTS, exposure=exposure)
    small = MLERegressor("poisson", features={"mean": [0]}).fit(X, COUNTS, exposure=exposure)
    assert likelihood_ratio_test(small, large, X, COUNTS, exposure=exposure).df == 2
    with pytest.raises(ValueError, match="offsets were given beside X"):
        likelihood_ratio_test(small, large)


def test_a_larger_model_at_the_end_gains_nothing():
    even = np.tile([1, 2], N // 2)
    with pytest.warns(BoundaryWarning):
        large = fitted("negative_binomial", even)
    found = likelihood_ratio_test(fitted("poisson", even), large, X, even)
    assert (found.df, found.p_value) == (1, 1.0)
    assert found.statistic == pytest.approx(0.0, abs=1e-6)


def test_separated_rows_have_a_supremum():
    rare = np.column_stack([np.arange(N) % 5 == 0, X[:, 1]]).astype(float)
    y = np.where(rare[:, 0] > 0, 1, LABELS > 0).astype(int)
    with pytest.warns(SeparationWarning):
        large = CrossEntropyClassifier().fit(rare, y)
    small = CrossEntropyClassifier().fit(rare[:, 1:], y)
    found = likelihood_ratio_test(small, large, rare, y, X_smaller=rare[:, 1:])
    assert found.df == 1
    assert found.p_value < 1e-3


# ---------------------------------------------------------------- what is refused


def test_what_is_no_likelihood_is_refused():
    large = fitted("normal", Y)
    classes = CrossEntropyClassifier(class_weight="balanced").fit(X, LABELS)
    for small, words in (
        (fitted("normal", Y, alpha=0.1), "has alpha > 0.*Set alpha=0"),
        (fitted("poisson", COUNTS, penalty="jeffreys"), "penalty='jeffreys'.*profile"),
        (fitted("laplace", Y), "cusps.*Use Wald's test with robust errors"),
        (classes, "class weights.*covariance='HC1'"),
        (fitted("normal", Y[1:], X[1:]), "149 rows of weight 149 and 150 rows.*Fit both"),
        (CrossEntropyClassifier().fit(X, LABELS), "CrossEntropyClassifier and MLERegressor"),
        (fitted("normal", Y, X[:, :1]), "columns have no names.*X_smaller"),
        (large, "0 degrees of freedom"),
    ):
        with pytest.raises(ValueError, match=words):
            likelihood_ratio_test(small, large)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        stopped = fitted("poisson", COUNTS, max_iter=1)
    with pytest.raises(ValueError, match="status_ = 'not_converged'"):
        likelihood_ratio_test(stopped, fitted("negative_binomial", COUNTS))
    with pytest.raises(TypeError, match=re.escape("a LinearRegression")):
        from sklearn.linear_model import LinearRegression

        likelihood_ratio_test(LinearRegression().fit(X, Y), large)


def test_other_rows_are_refused():
    small, large = fitted("normal", Y, features={"loc": [0]}), fitted("normal", Y)
    with pytest.raises(ValueError, match="are not the rows of the fit"):
        likelihood_ratio_test(small, large, X, Y[::-1])
    other = fitted("normal", Y[::-1])
    with pytest.raises(ValueError, match=r"larger model is less likely|not the rows of the fit"):
        likelihood_ratio_test(small, other)


def test_links_must_agree():
    small = fitted(families.Gamma(links={"mean": "inverse"}), POSITIVE, features={"mean": [0]})
    with pytest.raises(ValueError, match="its law, Gamma, has other links"):
        likelihood_ratio_test(small, fitted("gamma", POSITIVE))


# ---------------------------------------------------------------- size


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmle.exceptions.BoundaryWarning")
def test_size_at_the_end_of_a_range():
    """Of 5 % the standard error is 1.1 % here; a whole chi-square would reject 2.5 %."""
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(400):
        y = rng.poisson(3.0, size=(200, 1))
        small, large = (
            MLEDistribution("poisson").fit(y),
            MLEDistribution("negative_binomial").fit(y),
        )
        p_values.append(likelihood_ratio_test(small, large, y).p_value)
    assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.075
    assert 0.4 <= np.mean(np.array(p_values) == 1.0) <= 0.62
