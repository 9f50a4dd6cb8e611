"""alpha="loo": the strength of the ridge under which rows left out are most likely."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLERegressor, OrdinalClassifier, loo

N, P = 120, 8
RNG = np.random.default_rng(2)
X = RNG.normal(size=(N, P))
SLOPES = np.r_[1.0, -0.6, 0.3, np.zeros(P - 3)]
ETA = X @ SLOPES
NUMBERS = ETA + RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(ETA)).astype(float)
TRUTHS = (RNG.uniform(size=N) < 1.0 / (1.0 + np.exp(-ETA))).astype(int)
LABELS = np.argmax(np.c_[ETA, -ETA, 0.0 * ETA] + RNG.gumbel(size=(N, 3)), axis=1)
WEIGHT = RNG.integers(1, 4, N).astype(float)
SUBJECTS = {
    "normal": (MLERegressor(alpha="loo"), NUMBERS),
    "poisson": (MLERegressor("poisson", alpha="loo"), COUNTS),
    "scale": (MLERegressor(features={"loc": "all", "scale": "all"}, alpha="loo"), NUMBERS),
    "two classes": (CrossEntropyClassifier(alpha="loo"), TRUTHS),
    "three classes": (CrossEntropyClassifier(alpha="loo"), LABELS),
    "ordinal": (OrdinalClassifier(alpha="loo"), LABELS),
}
every = pytest.mark.parametrize("name", SUBJECTS)


def at(model, alpha, y, X=X):
    """Return the approximate leave-one-out score under a strength."""
    fit = clone(model).set_params(alpha=alpha, tol=1e-9).fit(X, y)
    return float(loo(fit, X, y, tol=np.inf))


@pytest.mark.slow
@every
def test_no_other_strength_is_better(name):
    model, y = SUBJECTS[name]
    fit = clone(model).fit(X, y)
    best = at(model, fit.alpha_, y)
    # From one of 40 steps of a decade to its neighbours a smooth maximum falls by next to nothing.
    for factor in (0.01, 0.1, 0.3, 0.7, 0.9, 1.1, 1.4, 3.0, 10.0, 100.0):
        assert at(model, factor * fit.alpha_, y) <= best + 1e-6


@every
def test_it_is_the_fit_of_that_strength(name):
    model, y = SUBJECTS[name]
    fit = clone(model).fit(X, y)
    other = clone(model).set_params(alpha=fit.alpha_).fit(X, y)
    assert fit.get_params()["alpha"] == "loo"
    np.testing.assert_array_equal(fit.coef_, other.coef_)
    assert fit.log_likelihood_ == other.log_likelihood_
    assert fit.effective_parameters_ == other.effective_parameters_
    errors = fit.inference(X, y, covariance="HC0").standard_errors
    np.testing.assert_array_equal(errors, other.inference(X, y, covariance="HC0").standard_errors)
    assert "With alpha='loo' the penalty is a prior" in repr(fit.summary())
    assert not hasattr(fit.set_params(alpha=0.5).fit(X, y), "alpha_")


def test_least_squares_is_generalised_to_any_law():
    """With the scale known it is the ridge of the least error of rows left out."""
    model = MLERegressor(alpha="loo", fixed={"scale": 1.0}).fit(X, NUMBERS)
    grid = N * model.alpha_ * 10.0 ** (np.arange(-40, 41) / 40.0)
    # scikit-learn's leave-one-out keeps the penalty of all n rows where a row is left out.
    theirs = RidgeCV(alphas=grid).fit(X, NUMBERS)
    assert theirs.alpha_ == pytest.approx(N * model.alpha_, rel=0.13)


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_units_of_columns_are_those_of_the_strength(factor):
    one = MLERegressor("poisson", alpha="loo").fit(X, COUNTS)
    other = MLERegressor("poisson", alpha="loo").fit(factor * X, COUNTS)
    assert other.alpha_ == pytest.approx(factor**2 * one.alpha_, rel=1e-9)
    np.testing.assert_allclose(factor * other.coef_, one.coef_, rtol=1e-6)


def test_a_weight_is_so_many_rows():
    many = np.repeat(X, WEIGHT.astype(int), axis=0), np.repeat(TRUTHS, WEIGHT.astype(int))
    one = CrossEntropyClassifier(alpha="loo").fit(X, TRUTHS, sample_weight=WEIGHT)
    assert one.alpha_ == pytest.approx(
        CrossEntropyClassifier(alpha="loo").fit(*many).alpha_, rel=1e-9
    )


@pytest.mark.slow
def test_more_columns_than_rows():
    rng = np.random.default_rng(5)
    wide = rng.normal(size=(40, 90))
    y = wide[:, :5].sum(axis=1) + rng.normal(size=40)
    model = MLERegressor(alpha="loo").fit(wide, y)
    best = at(model, model.alpha_, y, wide)
    assert model.status_ == "interior" and best > at(model, 1e3 * model.alpha_, y, wide)
    assert best >= max(at(model, f * model.alpha_, y, wide) for f in (0.8, 2.0)) - 1e-6


def test_nothing_to_choose():
    model = MLERegressor(features={"loc": "none"}, alpha="loo").fit(X, NUMBERS)
    assert model.alpha_ == 0.0
    assert model.params_ == MLERegressor(features={"loc": "none"}).fit(X, NUMBERS).params_


def test_noise_is_penalised_away():
    noise = np.random.default_rng(7).normal(size=(200, 5))
    y = np.random.default_rng(8).normal(size=200)
    model = MLERegressor(alpha="loo").fit(noise, y)
    assert model.effective_parameters_ < 2.0 + 1.5


@pytest.mark.slow
def test_pipelines_and_searches():
    pipe = make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha="loo"))
    assert np.isfinite(cross_val_score(pipe, X, TRUTHS, cv=3)).all()
    grid = {"crossentropyclassifier__alpha": [0.0, 10.0, "loo"]}
    found = GridSearchCV(pipe, grid, cv=3).fit(X, TRUTHS)
    assert found.best_params_ == {"crossentropyclassifier__alpha": "loo"}
    assert skmle.infer(found, X, TRUTHS, covariance="HC1").standard_errors.shape == (P + 1,)
    assert np.isfinite(float(loo(found, X, TRUTHS)))


@pytest.mark.parametrize("estimator", [MLERegressor, CrossEntropyClassifier, OrdinalClassifier])
def test_what_cannot_be_chosen(estimator):
    with pytest.raises(ValueError, match="alpha='loo' and l1_ratio=0.5.* Allowed: l1_ratio=0"):
        estimator(alpha="loo", l1_ratio=0.5).fit(X, TRUTHS)
    with pytest.raises(ValueError, match="alpha='cv' is not allowed; give .* or 'loo'"):
        estimator(alpha="cv").fit(X, TRUTHS)
    with pytest.raises(ValueError, match="fit_groups: .* would choose a strength for each fit"):
        skmle.fit_groups(estimator(alpha="loo"), X, TRUTHS, groups=np.arange(N) % 2)


def test_two_penalties():
    with pytest.raises(ValueError, match="'jeffreys' and alpha='loo' are two penalties"):
        CrossEntropyClassifier(alpha="loo", penalty="jeffreys").fit(X, TRUTHS)
