"""Vuong's and Clarke's tests, by hand, and the law of Vuong's first step."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binomtest, chi2, norm
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmle import (
    CrossEntropyClassifier,
    MLEDistribution,
    MLERegressor,
    clarke_test,
    log_prob,
    vuong_test,
)
from skmle.inference.weighted_chi2 import sign_test, weighted_chi2_sf

RNG = np.random.default_rng(7)
N = 200
X = RNG.normal(size=(N, 2))
COUNTS = RNG.poisson(np.exp(0.3 + 0.4 * X[:, 0]) * RNG.gamma(2.0, 0.5, size=N))
Y = np.exp(0.3 * X[:, 0]) * RNG.gamma(2.0, size=N)
GAMMA, LOGNORMAL = MLERegressor("gamma").fit(X, Y), MLERegressor("lognormal").fit(X, Y)


def on(columns, model):
    """A model of some columns alone, which takes all."""
    return make_pipeline(FunctionTransformer(lambda Z: Z[:, columns]), model)


@pytest.mark.parametrize(("correction", "cost"), [("none", 0.0), ("aic", 2.0), ("bic", np.log(N))])
def test_by_hand(correction, cost):
    """The first model has two coefficients more."""
    small = on([0], MLERegressor("poisson")).fit(X, COUNTS)
    large = MLERegressor("negative_binomial").fit(X, COUNTS)
    each = log_prob(large, X, COUNTS) - log_prob(small, X, COUNTS)
    z = (each.sum() - cost) / (np.sqrt(N) * each.std())
    found = vuong_test(large, small, X, COUNTS, correction=correction)
    np.testing.assert_allclose(found.statistic, z, rtol=1e-10)
    np.testing.assert_allclose(found.p_value, 2.0 * norm.sf(abs(z)), rtol=1e-10)
    again = vuong_test(small, large, X, COUNTS, correction=correction)
    np.testing.assert_allclose(again.statistic, -z, rtol=1e-10)
    assert again.nearer == found.nearer
    signs = clarke_test(large, small, X, COUNTS, correction=correction)
    count = int((each > cost / N).sum())
    assert signs.statistic == count
    assert signs.p_value == pytest.approx(binomtest(count, N).pvalue, rel=1e-10)
    told = clarke_test(large, small, X, COUNTS, correction=correction, n_parameters=(4, 2))
    assert told.p_value == signs.p_value


def test_the_variance_test_is_that_of_statsmodels_gradients():
    """Weights by Vuong's theorem 3.3 from another program's gradients and Hessians."""
    columns = sm.add_constant(X)
    fits = [
        sm.Poisson(COUNTS, columns).fit(disp=0),
        sm.Logit(1 * (COUNTS > 0), columns).fit(disp=0),
    ]
    one, other = sm.Poisson(COUNTS, columns[:, :2]).fit(disp=0), fits[0]
    (s1, s2) = (f.model.score_obs(f.params) for f in (one, other))
    (a1, a2) = (-f.model.hessian(f.params) / N for f in (one, other))
    top = [-s1.T @ s1 / N @ np.linalg.inv(a1), -s1.T @ s2 / N @ np.linalg.inv(a2)]
    low = [s2.T @ s1 / N @ np.linalg.inv(a1), s2.T @ s2 / N @ np.linalg.inv(a2)]
    weights = np.linalg.eigvals(np.block([top, low])).real ** 2
    each = one.model.loglikeobs(one.params) - other.model.loglikeobs(other.params)
    models = [on([0], MLERegressor("poisson", tol=1e-9)), MLERegressor("poisson", tol=1e-9)]
    found = vuong_test(*(m.fit(X, COUNTS) for m in models), X, COUNTS).variance_test
    assert found.statistic == pytest.approx(N * each.var(), rel=1e-8)
    assert found.p_value == pytest.approx(weighted_chi2_sf(N * each.var(), weights), rel=1e-6)


def test_weights_are_repeated_rows():
    weight = RNG.integers(0, 4, size=N)
    rows = np.repeat(np.arange(N), weight)
    pairs = [
        [MLERegressor(f).fit(X, Y, weight) for f in ("gamma", "lognormal")],
        [MLERegressor(f).fit(X[rows], Y[rows]) for f in ("gamma", "lognormal")],
    ]
    for test in (vuong_test, clarke_test):
        weighted = test(*pairs[0], X, Y, weight)
        repeated = test(*pairs[1], X[rows], Y[rows])
        assert weighted.statistic == pytest.approx(repeated.statistic, rel=1e-5)
        assert weighted.p_value == pytest.approx(repeated.p_value, rel=1e-4)
        if test is vuong_test:
            a, b = weighted.variance_test, repeated.variance_test
            assert a.statistic == pytest.approx(b.statistic, rel=1e-5)


def test_any_two_models():
    labels = (X[:, 0] + RNG.logistic(size=N) > 0).astype(int)
    ours = CrossEntropyClassifier().fit(X, labels)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(X, labels)
    found = vuong_test(ours, theirs, X, labels)
    assert found.variance_test is None
    assert "No variance test, as LogisticRegression" in str(found)
    with pytest.raises(ValueError, match=r"correction='aic'.*Give n_parameters"):
        vuong_test(ours, theirs, X, labels, correction="aic")
    balanced = CrossEntropyClassifier(class_weight="balanced").fit(X, labels)
    assert "No variance test, as class weights" in str(vuong_test(ours, balanced, X, labels))
    density, mixture = MLEDistribution("normal").fit(X), GaussianMixture(2, random_state=0).fit(X)
    assert clarke_test(density, mixture, X).names == ("normal", "GaussianMixture")
    assert vuong_test(density, MLEDistribution("logistic").fit(X), X).variance_test is not None


def test_unseen_rows_have_no_variance_test():
    found = vuong_test(GAMMA, LOGNORMAL, X[::2], Y[::2])
    assert found.variance_test is None
    assert "these are not its rows" in found.why_none


def test_what_makes_no_pair_is_refused():
    normal = MLERegressor().fit(X, Y)
    for one, other, y, words in (
        (GAMMA, MLEDistribution().fit(X), Y, "one is a density|two models of one kind"),
        (GAMMA, GAMMA, Y, "nothing varies"),
        (GAMMA, LOGNORMAL, None, "y is missing"),
        (normal, GAMMA, -Y, "row 0 is -inf by gamma|is outside|not rows of"),
    ):
        with pytest.raises(ValueError, match=words):
            vuong_test(one, other, X, y)
    with pytest.raises(ValueError, match="correction='hqc' is not known. Allowed: 'none'"):
        clarke_test(GAMMA, LOGNORMAL, X, Y, correction="hqc")
    with pytest.raises(TypeError, match="does not tell the law"):
        vuong_test(GAMMA, LinearRegression().fit(X, Y), X, Y)


# ---------------------------------------------------------------- laws of statistics


@pytest.mark.parametrize("k", [1, 2, 7, 100])
def test_equal_weights_are_a_chi_square(k):
    for x in (1e-3, 0.5, 3.0, 20.0, 150.0):
        found = weighted_chi2_sf(2.5 * x, np.full(k, 2.5))
        assert found == pytest.approx(chi2.sf(x, k), rel=1e-8, abs=1e-13)


def test_two_pairs_of_weights_are_exponentials():
    """a E + b F with exponential E and F has (a e^(-x/2a) - b e^(-x/2b))/(a - b)."""
    a, b = 3.0, 0.2
    for x in (0.1, 1.0, 10.0, 60.0):
        exact = (a * np.exp(-0.5 * x / a) - b * np.exp(-0.5 * x / b)) / (a - b)
        assert weighted_chi2_sf(x, np.array([a, a, b, b])) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize("count", [5, 20, 101])
def test_the_sign_test_is_exact(count):
    for positive in range(count + 1):
        exact = binomtest(positive, count).pvalue
        assert sign_test(positive, count) == pytest.approx(exact, rel=1e-10)


@pytest.mark.slow
def test_sizes_by_simulation():
    """Two useless columns beside one that is used: the models are the same law.

    And two columns that are as good, so that neither model is nearer; Clarke's test is of models
    that other rows have determined. Of 5 % the standard error is 1.3 %.
    """
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(20_000, 3))
    y = Z[:, 0] + Z[:, 1] + rng.normal(size=len(Z))
    known = [on([j], MLERegressor()).fit(Z, y) for j in (0, 1)]
    same, nearer, signs = [], [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        Z = rng.normal(size=(250, 3))
        y = Z[:, 2] + rng.normal(size=250)
        models = [on([j, 2], MLERegressor()).fit(Z, y) for j in (0, 1)]
        same.append(vuong_test(*models, Z, y).variance_test.p_value)
        y = Z[:, 0] + Z[:, 1] + rng.normal(size=250)
        models = [on([j], MLERegressor()).fit(Z, y) for j in (0, 1)]
        nearer.append(vuong_test(*models, Z, y).p_value)
        signs.append(clarke_test(*known, Z, y).p_value)
    for p_values in (same, nearer, signs):
        assert 0.015 <= np.mean(np.array(p_values) < 0.05) <= 0.085
