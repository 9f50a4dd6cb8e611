"""Leave-one-out from one fit: against fits without each row, and what must hold for all models."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier, loo
from skmle.exceptions import FitWarning

N = 80
RNG = np.random.default_rng(1)
X = RNG.normal(size=(N, 3))
ETA = 0.3 + X @ [0.5, -0.3, 0.0]
NUMBERS = ETA + RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(ETA)).astype(float)
WIDE = RNG.negative_binomial(1.0, 1.0 / (1.0 + 3.0 * np.exp(ETA))).astype(float)
TIMES = RNG.gamma(2.0, np.exp(ETA) / 2.0)
TRUTHS = (RNG.uniform(size=N) < 1.0 / (1.0 + np.exp(-ETA))).astype(int)
LABELS = np.argmax(np.c_[ETA, -ETA, 0.0 * ETA] + RNG.gumbel(size=(N, 3)), axis=1)
LEVELS = np.digitize(ETA + RNG.logistic(size=N), [-1.0, 0.8])
SHARES = np.clip(1.0 / (1.0 + np.exp(-NUMBERS)), 1e-3, 1.0 - 1e-3)
WEIGHT = RNG.integers(1, 4, N).astype(float)

# name: (model, its rows, y, weights)
MODELS = {
    "normal": (MLERegressor(), X, NUMBERS, None),
    "normal, ridge": (MLERegressor(alpha=0.2), X, NUMBERS, None),
    "normal, scale": (MLERegressor(features={"loc": "all", "scale": [0]}), X, NUMBERS, None),
    "poisson": (MLERegressor("poisson"), X, COUNTS, None),
    "poisson, ridge, weights": (MLERegressor("poisson", alpha=0.1), X, COUNTS, WEIGHT),
    "gamma": (MLERegressor("gamma"), X, TIMES, None),
    "negative binomial": (MLERegressor("negative_binomial"), X, WIDE, None),
    "two classes": (CrossEntropyClassifier(), X, TRUTHS, None),
    "two classes, ridge": (CrossEntropyClassifier(alpha=0.05), X, TRUTHS, None),
    "three classes": (CrossEntropyClassifier(), X, LABELS, None),
    "three classes, ridge, weights": (CrossEntropyClassifier(alpha=0.05), X, LABELS, WEIGHT),
    "jeffreys": (CrossEntropyClassifier(penalty="jeffreys"), X, TRUTHS, None),
    "ordinal": (OrdinalClassifier(), X, LEVELS, None),
    "ordinal, ridge": (OrdinalClassifier(alpha=0.05), X, LEVELS, None),
    "normal law": (MLEDistribution(), NUMBERS[:, None], None, None),
    "two gamma laws": (MLEDistribution("gamma"), np.c_[TIMES, SHARES], None, None),
    "student_t law": (MLEDistribution("student_t"), NUMBERS[:, None], None, None),
    "vectors": (MLEDistribution("multivariate_normal"), X, None, None),
    "beta law, weights": (MLEDistribution("beta"), SHARES[:, None], None, WEIGHT),
}
pytestmark = pytest.mark.filterwarnings("ignore::skmle.exceptions.BoundaryWarning")


@pytest.fixture(scope="module")
def exact():
    """Fits without each row, once for all tests."""
    found = {}

    def of(name):
        if name not in found:
            model, rows, y, weight = MODELS[name]
            fit = clone(model).fit(rows, y, sample_weight=weight)
            found[name] = fit, loo(fit, rows, y, weight, method="exact")
        return found[name]

    return of


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
@pytest.mark.parametrize("name", MODELS)
def test_one_fit_is_near_enough(exact, name):
    _, rows, y, weight = MODELS[name]
    fit, known = exact(name)
    found = loo(fit, rows, y, weight)
    assert float(found) == pytest.approx(float(known), abs=1e-3)
    again = found.refitted
    np.testing.assert_array_equal(found.log_probs[again], known.log_probs[again])
    assert len(again) < N
    # By steps alone it is better than the fit of all rows, which does not leave out the row.
    steps = loo(fit, rows, y, weight, tol=np.inf)
    at_fit = float(known) + known.effective_parameters / (N if weight is None else weight.sum())
    assert abs(float(steps) - float(known)) < 0.35 * abs(at_fit - float(known))


@pytest.mark.slow
def test_fits_without_a_row_are_those_of_fit(exact):
    fit, known = exact("two classes, ridge")
    for i in (0, 17, 55):
        rest = np.delete(np.arange(N), i)
        other = clone(fit).fit(X[rest], TRUTHS[rest])
        assert known.log_probs[i] == other.log_prob(X[[i]], TRUTHS[[i]])[0]


def test_least_squares_is_closed():
    """With the scale known, a row left out moves its prediction by r h/(1 - h)."""
    model = MLERegressor(fixed={"scale": 1.3}, tol=1e-12).fit(X, NUMBERS)
    least = sm.OLS(NUMBERS, sm.add_constant(X)).fit()
    away = least.get_influence().resid_press
    known = stats.norm(0.0, 1.3).logpdf(away)
    np.testing.assert_allclose(loo(model, X, NUMBERS, tol=np.inf).log_probs, known, rtol=1e-9)


@pytest.mark.slow
def test_ridge_with_one_row_less_of_penalty_is_exact():
    """The objective is quadratic, so that a step is a fit."""
    model = MLERegressor(fixed={"scale": 1.0}, alpha=0.3, tol=1e-12).fit(X, NUMBERS)
    steps, fits = (
        loo(model, X, NUMBERS, tol=np.inf),
        loo(model, X, NUMBERS, method="exact"),
    )
    np.testing.assert_allclose(steps.log_probs, fits.log_probs, rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["poisson, ridge, weights", "three classes, ridge, weights", "beta law, weights"]
)
def test_a_weight_is_so_many_rows(name):
    model, rows, y, weight = MODELS[name]
    times = weight.astype(int)
    many = np.repeat(rows, times, axis=0), None if y is None else np.repeat(y, times)
    one = clone(model).set_params(tol=1e-10).fit(rows, y, weight)
    one = loo(one, rows, y, weight, tol=np.inf)
    other = loo(clone(model).set_params(tol=1e-10).fit(*many), *many, tol=np.inf)
    for attribute in ("log_likelihood", "standard_error", "effective_parameters"):
        assert getattr(one, attribute) == pytest.approx(getattr(other, attribute), rel=1e-6)
    np.testing.assert_allclose(np.repeat(one.distances, times), other.distances, rtol=1e-5)


def test_a_factor_leaves_with_its_row():
    model = MLERegressor("poisson").fit(X, COUNTS, sample_weight=WEIGHT)
    found = loo(model, X, COUNTS, WEIGHT, weights="factors")
    for i in (3, 30):
        rest = np.delete(np.arange(N), i)
        other = MLERegressor("poisson").fit(X[rest], COUNTS[rest], sample_weight=WEIGHT[rest])
        known = other.log_prob(X[[i]], COUNTS[[i]])[0]
        assert found.log_probs[i] == pytest.approx(known, abs=3e-3)


def test_rows_of_weight_zero_are_left_out_already():
    weight = np.where(np.arange(N) < 60, 1.0, 0.0)
    model = MLERegressor("gamma").fit(X, TIMES, sample_weight=weight)
    found = loo(model, X, TIMES, weight)
    known = loo(clone(model).fit(X[:60], TIMES[:60]), X[:60], TIMES[:60])
    np.testing.assert_allclose(found.log_probs[:60], known.log_probs, rtol=1e-7)
    np.testing.assert_array_equal(found.log_probs[60:], model.log_prob(X[60:], TIMES[60:]))
    assert float(found) == pytest.approx(float(known), rel=1e-8)
    assert found.standard_error == pytest.approx(known.standard_error, rel=1e-6)


@pytest.mark.slow
def test_offsets():
    exposure = RNG.uniform(0.5, 2.0, N)
    model = MLERegressor("poisson").fit(X, COUNTS, exposure=exposure)
    found, known = (
        loo(model, X, COUNTS, exposure=exposure, method=method)
        for method in ("approximate", "exact")
    )
    assert float(found) == pytest.approx(float(known), abs=1e-3)


def test_through_a_pipeline():
    pipe = make_pipeline(StandardScaler(), MLERegressor("gamma")).fit(X, TIMES)
    found = loo(pipe, X, TIMES)
    bare = loo(pipe[-1], pipe[:-1].transform(X), TIMES)
    np.testing.assert_array_equal(found.log_probs, bare.log_probs)
    assert "Leave-one-out of MLERegressor" in repr(found) and "<table" in found._repr_html_()


def test_a_row_that_decides_alone_is_fitted_without():
    """A column that is one in a single row: its leverage is one, and no step leads to the rest."""
    alone = np.column_stack([X, np.arange(N) == 5]).astype(float)
    model = MLERegressor("poisson").fit(alone, COUNTS + 1.0)
    found = loo(model, alone, COUNTS + 1.0, tol=np.inf)
    assert found.refitted.tolist() == [5]
    rest = np.delete(np.arange(N), 5)
    other = MLERegressor("poisson").fit(X[rest], COUNTS[rest] + 1.0)
    known = other.log_prob(X[[5]], COUNTS[[5]] + 1.0)[0]
    assert found.log_probs[5] == pytest.approx(known, rel=1e-6)


def test_a_row_that_separates_is_told():
    x = np.array([[-2.0], [-1.0], [0.5], [-0.5], [1.0], [2.0]])
    y = np.array([0, 0, 0, 1, 1, 1])
    model = CrossEntropyClassifier().fit(x, y)
    with pytest.warns(FitWarning, match=r"loo: of 6 fits without a row, 2 did not end as that"):
        found = loo(model, x, y, method="exact")
    assert np.isfinite(found.log_probs[[0, 1, 4, 5]]).all()


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "model, y, why",
    [
        (MLERegressor("laplace"), NUMBERS, "the law has cusps"),
        (MLERegressor(alpha=0.1, l1_ratio=0.5), NUMBERS, "an absolute penalty holds"),
    ],
)
def test_no_steps(model, y, why):
    model = model.fit(X[:20], y[:20])
    with pytest.raises(ValueError, match=f"{why}.* Allowed: .* Set method='exact'"):
        loo(model, X[:20], y[:20])
    assert np.isfinite(float(loo(model, X[:20], y[:20], method="exact")))


def test_wrong_settings():
    model = MLERegressor().fit(X, NUMBERS)
    for setting in ({"method": "fast"}, {"weights": "x"}, {"tol": 0.0}, {"tol": "small"}):
        with pytest.raises(ValueError, match="^loo: .* Allowed: "):
            loo(model, X, NUMBERS, **setting)
    with pytest.raises(ValueError, match="not the rows of the fit"):
        loo(model, X[::2], NUMBERS[::2])
    with pytest.raises(TypeError, match="StandardScaler has no curvature.*compare"):
        loo(StandardScaler().fit(X), X)


# ---------------------------------------------------------------- compare


@pytest.mark.slow
def test_compare_leaves_out_one():
    models = {"gamma": MLERegressor("gamma"), "median": MLERegressor("laplace")}
    found = skmle.compare(models, X[:40], TIMES[:40], cv="loo")
    folds = skmle.compare(models, X[:40], TIMES[:40], cv=KFold(40))
    assert found.names == folds.names
    np.testing.assert_allclose(found.log_likelihoods, folds.log_likelihoods, atol=1e-3)
    np.testing.assert_allclose(found.standard_errors, folds.standard_errors, rtol=0.02)
    assert "40 rows held out each alone" in repr(found)
    with pytest.raises(ValueError, match="cv='loo' and groups.* Allowed: "):
        skmle.compare(models, X, TIMES, cv="loo", groups=np.arange(N))


def test_takeuchi_counts_as_aic_if_the_law_holds_and_more_if_not():
    x = RNG.normal(size=(4000, 2))
    mean = np.exp(0.5 + x @ [0.3, -0.2])
    right = MLERegressor("poisson")
    y = RNG.poisson(mean).astype(float)
    k = 0.5 * right.fit(x, y).tic(x, y) + right.log_likelihood_
    assert k == pytest.approx(3.0, rel=0.1)
    wide = RNG.negative_binomial(2.0, 2.0 / (2.0 + mean)).astype(float)
    k = 0.5 * right.fit(x, wide).tic(x, wide) + right.log_likelihood_
    theirs = sm.GLM(wide, sm.add_constant(x), family=sm.families.Poisson()).fit(tol=1e-12)
    D = sm.add_constant(x)
    meat = (D * theirs.resid_response[:, None] ** 2).T @ D
    assert k == pytest.approx(np.trace(theirs.normalized_cov_params @ meat), rel=1e-6)
    found = skmle.compare([right], x, wide, criteria=True)
    assert found.criteria["tic"][0] == pytest.approx(right.tic(x, wide), rel=1e-9)


def test_takeuchi_is_leave_one_out_under_a_penalty():
    """To first order in 1/n."""
    x = RNG.normal(size=(3000, 5))
    y = (RNG.uniform(size=3000) < 1.0 / (1.0 + np.exp(-x @ [1.0, -1.0, 0.5, 0.0, 0.0]))).astype(int)
    model = CrossEntropyClassifier(alpha=0.3).fit(x, y)
    k = 0.5 * model.tic(x, y) + model.log_likelihood_
    assert k == pytest.approx(loo(model, x, y).effective_parameters, rel=5e-3)
    assert k < 3.0


def test_aicc_is_that_of_statsmodels():
    from statsmodels.tools.eval_measures import aicc

    model = MLERegressor("poisson").fit(X, COUNTS)
    theirs = sm.GLM(COUNTS, sm.add_constant(X), family=sm.families.Poisson()).fit()
    found = skmle.compare([model], X, COUNTS)
    assert found.criteria["aicc"][0] == pytest.approx(aicc(theirs.llf, N, 4), rel=1e-9)
