"""Score tests of further columns, and the test of the information equality."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
from scipy.stats import chi2
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier, infer

RNG = np.random.default_rng(2)
N = 200
X, Z = RNG.normal(size=(2, N, 2))
ETA = 0.3 + 0.4 * X[:, 0] + 0.15 * Z[:, 1]
COUNTS = RNG.poisson(np.exp(ETA) * RNG.gamma(3.0, size=N) / 3.0)
POSITIVE = np.exp(ETA) * RNG.gamma(2.0, size=N)
LABELS = np.digitize(ETA + RNG.logistic(size=N), [0.0, 1.0])
ONES = (LABELS > 0).astype(int)
COLUMNS = sm.add_constant(X)
TOL = 1e-10


def numbers_of(theirs) -> tuple[float, float]:
    """Return statistic and p-value of a test of statsmodels, whose older versions give a tuple."""
    statistic, p = theirs[:2] if isinstance(theirs, tuple) else (theirs.statistic, theirs.pvalue)
    return float(np.squeeze(statistic)), float(np.squeeze(p))


def score_test(model, y, X=X, extra=Z, covariance=None, **settings):
    result = model.fit(X, y).inference(X, y, covariance=covariance)
    return result.score_test(extra, **settings)


# ---------------------------------------------------------------- statsmodels


@pytest.mark.parametrize(
    ("model", "other", "y"),
    [
        (MLERegressor("poisson", tol=TOL), sm.Poisson, COUNTS),
        (CrossEntropyClassifier(tol=TOL), sm.Logit, ONES),
        (CrossEntropyClassifier(link="probit", tol=TOL), sm.Probit, ONES),
    ],
    ids=["poisson", "logit", "probit"],
)
def test_it_is_that_of_statsmodels(model, other, y):
    """Its robust one is of gradients less their mean, over n - 1, from which ours follows."""
    fit = other(y, COLUMNS).fit(disp=0, method="newton", tol=1e-14)
    found = score_test(model, y)
    known = numbers_of(fit.score_test(exog_extra=Z))
    np.testing.assert_allclose((found.statistic, found.p_value), known, rtol=1e-7)
    assert found.df == 2
    robust = score_test(model, y, covariance="HC0").statistic
    theirs, _ = numbers_of(fit.score_test(exog_extra=Z, cov_type="HC0"))
    assert robust * (N - 1) / N / (1.0 - robust / N) == pytest.approx(theirs, rel=1e-7)


def test_expected_information_is_that_of_a_glm():
    probit = sm.families.Binomial(sm.families.links.Probit())
    fit = sm.GLM(ONES, COLUMNS, family=probit).fit(tol=1e-14)
    known, _ = numbers_of(fit.score_test(exog_extra=Z, observed=False))
    model = CrossEntropyClassifier(link="probit", tol=TOL)
    found = score_test(model, ONES, covariance="expected")
    assert found.statistic == pytest.approx(known, rel=1e-7)


# ---------------------------------------------------------------- what it must be


def test_robust_ones_are_by_hand():
    """U = sum(g z), less what g x says of it; over its spread by independent groups of rows."""
    groups = np.arange(N) // 4
    model = MLERegressor("poisson", tol=TOL).fit(X, COUNTS)
    settings = {"groups": groups, "correction": "none"}
    found = model.inference(X, COUNTS, **settings).score_test(Z)
    mean = model.predict(X)
    old, new = COLUMNS.T * mean @ COLUMNS, Z.T * mean @ COLUMNS
    rows = (COUNTS - mean)[:, None] * (Z - COLUMNS @ np.linalg.solve(old, new.T))
    sums = np.array([rows[groups == g].sum(axis=0) for g in np.unique(groups)])
    total = sums.sum(axis=0)
    by_hand = total @ np.linalg.solve(sums.T @ sums, total)
    assert found.statistic == pytest.approx(by_hand, rel=1e-7)


MODELS = [
    (MLERegressor("poisson"), COUNTS),
    (MLERegressor("gamma"), POSITIVE),
    (MLERegressor("normal", features={"scale": [0]}), ETA + RNG.normal(size=N)),
    (MLERegressor("negative_binomial"), COUNTS),
    (CrossEntropyClassifier(), LABELS),
    (OrdinalClassifier(), LABELS),
]


@pytest.mark.parametrize(("model", "y"), MODELS, ids=[str(m) for m, _ in MODELS])
def test_it_is_near_the_likelihood_ratio(model, y):
    """Near the hypothesis all three tests agree: of columns that were nearly freed from y."""
    found = score_test(model, y)
    small = model.fit(X, y)
    both = np.hstack([X, Z])
    larger = type(model)(**model.get_params())
    if "features" in larger.get_params() and larger.features:
        larger.set_params(features={"loc": "all", "scale": [0]})
    large = larger.fit(both, y)
    ratio = skmle.likelihood_ratio_test(small, large, both, y, X_smaller=X)
    assert found.df == ratio.df
    assert found.statistic == pytest.approx(ratio.statistic, rel=0.35, abs=0.2)


def test_units_and_forms_do_not_matter():
    plain = score_test(MLERegressor("poisson", tol=TOL), COUNTS).statistic
    other = 1e4 + Z @ [[1e3, 2.0], [0.0, 1.0]]
    moved = score_test(MLERegressor("poisson", tol=TOL), COUNTS, extra=other).statistic
    assert moved == pytest.approx(plain, rel=1e-6)
    sparse = score_test(MLERegressor("poisson", tol=TOL), COUNTS, X=sp.csr_array(X)).statistic
    assert sparse == pytest.approx(plain, rel=1e-8)
    wide = np.column_stack([X, X.sum(axis=1)])
    aliased = score_test(MLERegressor("poisson", tol=TOL), COUNTS, X=wide).statistic
    assert aliased == pytest.approx(plain, rel=1e-7)


def test_weights_are_repeated_rows():
    weight = RNG.integers(0, 3, size=N)
    rows = np.repeat(np.arange(N), weight)
    model = MLERegressor("gamma", tol=TOL).fit(X, POSITIVE, weight)
    one = model.inference(X, POSITIVE, weight).score_test(Z)
    model = MLERegressor("gamma", tol=TOL).fit(X[rows], POSITIVE[rows])
    other = model.inference(X[rows], POSITIVE[rows]).score_test(Z[rows])
    assert one.statistic == pytest.approx(other.statistic, rel=1e-7)


def test_names_and_parameters():
    frame = pd.DataFrame(Z, columns=["age", "dose"])
    model = MLERegressor("gamma")
    assert score_test(model, POSITIVE, extra=frame).hypothesis == "age = 0, dose = 0"
    assert score_test(model, POSITIVE, extra=frame["age"]).hypothesis == "age = 0"
    found = score_test(model, POSITIVE, extra=X[:, 0], parameter="shape", names=["x0"])
    assert str(found).startswith("Score test of shape:x0 = 0: chi2(1) = ")
    pipe = make_pipeline(StandardScaler(), MLERegressor("gamma")).fit(X, POSITIVE)
    seen = infer(pipe, X, POSITIVE).score_test(frame)
    assert seen.statistic == pytest.approx(
        score_test(model, POSITIVE, extra=frame).statistic, rel=1e-5
    )


def test_a_column_in_a_spread_is_the_test_of_breusch_and_pagan():
    """Its first form, half the explained squares of the squared residuals over their mean."""
    y = ETA + RNG.normal(size=N)
    fit = sm.OLS(y, COLUMNS).fit()
    squares = fit.resid**2 / np.mean(fit.resid**2)
    known = 0.5 * sm.OLS(squares, sm.add_constant(Z)).fit().ess
    result = MLERegressor(tol=TOL).fit(X, y).inference(X, y, covariance="expected")
    found = result.score_test(Z, parameter="scale")
    assert found.statistic == pytest.approx(known, rel=1e-7)


def test_bad_input_is_refused():
    result = MLERegressor("gamma").fit(X, POSITIVE).inference(X, POSITIVE)
    for extra, settings, words in (
        (Z[1:], {}, "199 rows of further columns, but the fit has 200"),
        (np.where(Z > 2.0, np.nan, Z), {}, "no finite numbers. Allowed"),
        (X[:, :1], {}, "is a combination of the others"),
        (Z, {"parameter": "scale"}, "no parameter 'scale'.*Allowed: mean, shape"),
        (Z, {"names": ["a"]}, "1 names for 2 columns"),
    ):
        with pytest.raises(ValueError, match=words):
            result.score_test(extra, **settings)
    again = pickle.loads(pickle.dumps(result))
    for unknown in (again, MLERegressor("gamma").fit(X, POSITIVE).inference()):
        with pytest.raises(ValueError, match="score_test: these results do not know the rows"):
            unknown.score_test(Z)
    with pytest.raises(ValueError, match="has a penalty.*Set alpha=0"):
        score_test(MLERegressor("gamma", alpha=0.1), POSITIVE)
    with pytest.raises(ValueError, match="a law with cusps"):
        score_test(MLERegressor("laplace"), POSITIVE)
    with pytest.raises(ValueError, match="none, as all classes have the columns"):
        score_test(CrossEntropyClassifier(), LABELS, parameter="logit[0]")


# ---------------------------------------------------------------- the information equality


def test_of_a_normal_law_it_is_of_skewness_and_kurtosis():
    """Chesher & Spady (1991), from Hermite's polynomials of the residuals."""
    y = POSITIVE[:, None]
    found = MLEDistribution(tol=TOL).fit(y).inference(y).information_matrix_test(replications=0)
    z = (y - y.mean()) / y.std()
    columns = np.hstack([z, z**2 - 1.0, z**3 - 3.0 * z, z**4 - 6.0 * z**2 + 3.0])
    fitted = columns @ np.linalg.lstsq(columns, np.ones(N), rcond=None)[0]
    assert (found.df, found.statistic) == (2.0, pytest.approx(fitted.sum(), rel=1e-8))
    assert found.p_value == pytest.approx(chi2.sf(fitted.sum(), 2), rel=1e-8)


def test_of_counts_it_is_by_hand():
    """Of Poisson's law: (y - mean)^2 - mean by products of columns."""
    model = MLERegressor("poisson", tol=TOL).fit(X, COUNTS)
    found = model.inference(X, COUNTS).information_matrix_test(replications=0)
    mean = model.predict(X)
    i, j = np.triu_indices(3)
    gaps = ((COUNTS - mean) ** 2 - mean)[:, None] * COLUMNS[:, i] * COLUMNS[:, j]
    columns = np.hstack([(COUNTS - mean)[:, None] * COLUMNS, gaps])
    fitted = columns @ np.linalg.lstsq(columns, np.ones(N), rcond=None)[0]
    assert (found.df, found.statistic) == (6.0, pytest.approx(fitted.sum(), rel=1e-8))


def test_weighted_rows_are_repeated_ones():
    weight = RNG.integers(0, 3, size=N)
    rows = np.repeat(np.arange(N), weight)
    model = MLERegressor("gamma", tol=TOL).fit(X, POSITIVE, weight)
    one = model.inference(X, POSITIVE, weight).information_matrix_test(replications=0)
    model = MLERegressor("gamma", tol=TOL).fit(X[rows], POSITIVE[rows])
    other = model.inference(X[rows], POSITIVE[rows]).information_matrix_test(replications=0)
    assert one.df == other.df
    assert one.statistic == pytest.approx(other.statistic, rel=1e-6)


def test_what_is_drawn_is_said():
    result = CrossEntropyClassifier().fit(X, LABELS).inference(X, LABELS)
    found = result.information_matrix_test(replications=9)
    assert ", p by 9 samples of it" in str(found)
    assert found.p_value in np.arange(1, 11) / 10.0
    again = result.information_matrix_test(replications=9)
    assert again == found
    observed = skmle.censored(POSITIVE, event=POSITIVE < 3.0)
    model = MLERegressor(skmle.families.Censored("gamma")).fit(X, observed)
    with pytest.raises(ValueError, match="observed less than these"):
        model.inference(X, observed).information_matrix_test()
    weighted = CrossEntropyClassifier(class_weight="balanced").fit(X, LABELS)
    with pytest.raises(ValueError, match="class weights, soft labels or cusps"):
        weighted.inference(X, LABELS).information_matrix_test()
    with pytest.raises(ValueError, match="no whole number >= 0"):
        result.information_matrix_test(replications=1.5)
    few = MLERegressor().fit(X[:10], ETA[:10]).inference(X[:10], ETA[:10])
    with pytest.raises(ValueError, match="14 gradients and products of gradients in 10 rows"):
        few.information_matrix_test()


@pytest.mark.slow
def test_sizes_by_simulation():
    """Score tests by 300 samples; the information equality by 40, each with 19 drawn from its fit.

    The chi-square of the latter rejects 28 % in place of 5 %.
    """
    rng = np.random.default_rng(0)
    scores, robust, rough = [], [], []
    for _ in range(300):
        x, z = rng.normal(size=(2, 80, 1))
        y = rng.poisson(np.exp(0.5 * x[:, 0]))
        result = MLERegressor("poisson").fit(x, y).inference(x, y)
        scores.append(result.score_test(z).p_value)
        rough.append(result.information_matrix_test(replications=0).p_value)
        y = rng.poisson(np.exp(0.5 * x[:, 0]) * rng.gamma(1.0, size=80))
        model = MLERegressor("poisson").fit(x, y)
        robust.append(model.inference(x, y, covariance="HC0").score_test(z).p_value)
    for p_values in (scores, robust):
        assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.085
    assert np.mean(np.array(rough) < 0.05) > 0.15
    drawn = []
    for seed in range(40):
        x = rng.normal(size=(80, 1))
        y = rng.poisson(np.exp(0.5 * x[:, 0]))
        result = MLERegressor("poisson").fit(x, y).inference(x, y)
        found = result.information_matrix_test(replications=19, random_state=seed)
        drawn.append(found.p_value)
    assert np.mean(np.array(drawn) <= 0.1) <= 0.225
    assert 0.35 <= np.mean(drawn) <= 0.65
