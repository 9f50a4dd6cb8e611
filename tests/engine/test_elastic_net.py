"""Absolute penalties.

Every fit satisfies the optimality conditions, as seen from outside, and equals scikit-learn's.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.base import clone
from sklearn.linear_model import ElasticNet
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLERegressor, families
from skmle.exceptions import FitWarning, NotConvergedWarning
from tests.engine.elastic import (
    RATIOS,
    N,
    P,
    assert_optimal,
    eta_gradients,
    labels,
    penalty,
    response,
    table,
)
from tests.subjects import every_class, is_smooth

# ---------------------------------------------------------------- optimality, from outside


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
@every_class(is_smooth)
def test_a_regression_is_optimal(cls, ratio, weighted):
    X = table()
    y = response(cls, X)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N) if weighted else np.ones(N)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FitWarning
        )  # the penalised optimum of some laws is their limit
        model = MLERegressor(cls, alpha=0.05, l1_ratio=ratio).fit(
            X, y, sample_weight=weight if weighted else None
        )
    assert model.status_ in ("interior", "boundary")
    first, *rest = eta_gradients(model, X, y)
    share = weight / weight.sum()
    scale = np.abs(X * first[:, None]).mean(axis=0).max()
    assert_optimal(share * first @ X, model.coef_, 0.05, ratio, 1e-7 * scale)
    for g in (first, *rest):
        assert abs(share @ g) <= 1e-7 * max(np.abs(g).mean(), 1e-6)
    assert model.n_parameters_ == np.count_nonzero(model.coef_) + len(model.intercepts_)


@pytest.mark.parametrize("family", ["normal", "gamma", "negative_binomial", "weibull", "student_t"])
@pytest.mark.parametrize("sparse", [False, True])
def test_several_modelled_parameters_are_optimal(family, sparse):
    X = table(n=600)
    y = response(families.get_family(family).__class__, X)
    names = [p.name for p in families.get_family(family).parameters]
    features = {names[0]: "all", names[1]: [0, 2, 3, 7]}
    model = MLERegressor(family, features=features, alpha=0.03, l1_ratio=0.7).fit(
        sp.csr_array(X) if sparse else X, y
    )
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    gradients = eta_gradients(model, X, y)
    for g, (name, coef) in zip(gradients, model.coefs_.items(), strict=True):
        columns = {names[0]: slice(None), names[1]: [0, 2, 3, 7]}.get(name)
        if columns is not None:
            assert_optimal(g @ X[:, columns] / len(X), coef, 0.03, 0.7, 1e-6 * np.abs(g).mean())
    zeros = sum(np.count_nonzero(c == 0.0) for c in model.coefs_.values())
    assert zeros and model.n_parameters_ == sum(map(len, model.coefs_.values())) - zeros + len(
        names
    )


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_classifier_is_optimal(k, ratio, sparse):
    X = table()
    y, weight = labels(X, k), np.random.default_rng(1).uniform(0.5, 2.0, N)
    model = CrossEntropyClassifier(alpha=0.02, l1_ratio=ratio).fit(
        sp.csr_array(X) if sparse else X, y, sample_weight=weight
    )
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    residual = model.predict_proba(X) - (y[:, None] == model.classes_)
    pull = (weight[:, None] * residual).T @ X / weight.sum()
    assert_optimal(pull[-1:] if k == 2 else pull, model.coef_, 0.02, ratio, 1e-8)
    if k > 2:
        assert abs(model.intercept_.sum()) <= 1e-12
        if ratio == 1.0:
            assert (np.median(model.coef_, axis=0) == 0.0).all() or k % 2 == 0
            middle = np.sort(model.coef_, axis=0)[[(k - 1) // 2, k // 2]]
            assert (middle[0] <= 1e-12).all() and (middle[1] >= -1e-12).all()


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_other_links(link):
    X = table()
    y = labels(X, 2)
    model = CrossEntropyClassifier(link=link, alpha=0.03, l1_ratio=1.0).fit(X, y)
    base = -model.score(X, y) + penalty(0.03, 1.0, model.coef_)
    assert 0 < np.count_nonzero(model.coef_) < P
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = clone(model).fit(X, y)
        other.coef_ = model.coef_ + 1e-3 * rng.normal(size=model.coef_.shape) * (
            rng.random(P) < 0.5
        )
        assert -other.score(X, y) + penalty(0.03, 1.0, other.coef_) >= base


# ---------------------------------------------------------------- against scikit-learn


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("k", [2, 3])
def test_saga(saga, k, ratio):
    X = StandardScaler().fit_transform(table()[:, :-1])
    y = labels(X, k)
    alpha = 0.03
    model = CrossEntropyClassifier(alpha=alpha, l1_ratio=ratio).fit(X, y)
    theirs = saga(C=1.0 / (alpha * N), l1_ratio=ratio, tol=1e-11).fit(X, y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=0, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=1e-7)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_the_normal_law_is_the_elastic_net(ratio, unit):
    """Given its scale, -log q is the squared residual over twice its square.

    ElasticNet's penalties are ours times scale**2.

    In other units of y the slopes have other units too, and the two parts of the penalty scale
    differently.
    """
    X = table()
    y = (3.0 * X[:, 0] + 10.0 + np.random.default_rng(0).normal(size=N)) * unit
    absolute, square = 0.1 * ratio / unit, 0.1 * (1.0 - ratio) / unit**2
    alpha = absolute + square
    model = MLERegressor("normal", alpha=alpha, l1_ratio=absolute / alpha).fit(X, y)
    scale = model.params_["scale"]
    reference = ElasticNet(
        alpha=alpha * scale**2, l1_ratio=absolute / alpha, tol=1e-12, max_iter=100_000
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=1e-6 * unit)
    assert np.array_equal(model.coef_ == 0.0, reference.coef_ == 0.0)


# ---------------------------------------------------------------- invariances


def test_little_of_it_is_a_ridge():
    X = table()
    for model, y in (
        (CrossEntropyClassifier(alpha=0.1), labels(X, 2)),
        (CrossEntropyClassifier(alpha=0.1), labels(X, 3)),
        (MLERegressor(alpha=0.1), X[:, 0] + np.random.default_rng(0).normal(size=N)),
    ):
        ridge = clone(model).fit(X, y)
        near = clone(model).set_params(l1_ratio=1e-7).fit(X, y)
        np.testing.assert_allclose(near.coef_, ridge.coef_, rtol=0, atol=1e-6)
        assert near.log_likelihood_ == pytest.approx(ridge.log_likelihood_, rel=1e-6)


def test_no_strength_is_no_penalty():
    X = table()[:, :4]
    y = labels(X, 2)
    with pytest.warns(skmle.exceptions.SettingWarning, match="l1_ratio=1.0 has no effect"):
        a = CrossEntropyClassifier(l1_ratio=1.0).fit(X, y)
    b = CrossEntropyClassifier().fit(X, y)
    assert np.array_equal(a.coef_, b.coef_) and np.array_equal(
        a.inference().covariance, b.inference().covariance
    )


def test_threads_change_no_bit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(70_000, 40))
    y = (X[:, 0] - X[:, 1] + rng.logistic(size=len(X)) > 0).astype(int)
    fits = [CrossEntropyClassifier(alpha=0.01, l1_ratio=0.8, n_jobs=n).fit(X, y) for n in (1, 2)]
    assert (
        np.array_equal(fits[0].coef_, fits[1].coef_)
        and fits[0].log_likelihood_ == fits[1].log_likelihood_
    )


@pytest.mark.parametrize("k", [2, 3])
def test_weights_are_repeats(k):
    X = table()
    y, weight = labels(X, k), np.random.default_rng(0).integers(0, 4, N)
    weighed = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X, y, sample_weight=weight)
    repeated = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    np.testing.assert_allclose(weighed.coef_, repeated.coef_, rtol=0, atol=1e-8)
    assert weighed.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-10)


def test_far_columns_and_single_precision():
    X = table()
    y = labels(X, 3)
    plain = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X, y)
    far = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X + 1e6, y)
    np.testing.assert_allclose(far.coef_, plain.coef_, rtol=0, atol=1e-7)
    single = CrossEntropyClassifier(alpha=0.02, l1_ratio=0.8).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.coef_, plain.coef_, rtol=0, atol=1e-5)


@pytest.mark.parametrize("ratio", RATIOS)
def test_equal_columns_and_more_columns_than_rows(ratio):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 150))
    X[:, 1] = X[:, 0]
    X[:, 2] = 0.0
    y = (X[:, 0] + rng.logistic(size=60) > 0).astype(int)
    model = CrossEntropyClassifier(alpha=0.05, l1_ratio=ratio).fit(X, y)
    residual = model.predict_proba(X)[:, 1] - y
    assert model.status_ == "interior" and model.coef_[0, 2] == 0.0
    assert_optimal(residual @ X / 60, model.coef_[0], 0.05, ratio, 1e-8)


def test_a_warm_start_ends_where_a_cold_one_does():
    X = table()
    setting = {"alpha": 0.02, "l1_ratio": 0.8, "warm_start": True}
    wave = X[:, 0] + np.sin(9.0 * X[:, 1])
    for model, y in (
        (CrossEntropyClassifier(**setting), labels(X, 3)),
        (MLERegressor(**setting), wave),
    ):
        model.fit(X, y)
        cold, steps = model.coef_, model.n_iter_
        model.fit(X, y)
        assert model.n_iter_ <= steps
        np.testing.assert_allclose(model.coef_, cold, rtol=0, atol=1e-7)


def test_a_grid_in_a_pipeline():
    X = table()
    y = labels(X, 2)
    pipe = make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha=0.05))
    search = GridSearchCV(pipe, {"crossentropyclassifier__l1_ratio": [0.0, 0.5, 1.0]}, cv=3).fit(
        X, y
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert "l1_ratio" in clone(search.best_estimator_)[-1].get_params()


# ---------------------------------------------------------------- verdicts and words


def test_too_few_steps_are_said():
    X = table()
    with pytest.warns(NotConvergedWarning, match="stopped after 1 iterations"):
        model = CrossEntropyClassifier(alpha=0.01, l1_ratio=1.0, max_iter=1).fit(X, labels(X, 2))
    assert model.status_ == "not_converged" and not model.converged_


def test_why_there_are_no_standard_errors():
    X = table()
    model = CrossEntropyClassifier(alpha=0.01, l1_ratio=0.5, store_information=True).fit(
        X, labels(X, 2)
    )
    with pytest.raises(
        ValueError,
        match="no covariance, because l1_ratio=0.5 with alpha > 0 .* Allowed: .* Set l1_ratio=0",
    ):
        model.inference()
    assert "No standard errors" in str(model.summary())
    k = model.effective_parameters_  # half of the penalty is a ridge
    assert k < model.n_parameters_
    assert model.aic() == pytest.approx(2 * k - 2 * model.log_likelihood_)


def test_a_limit_law_under_a_penalty():
    """Counts with less spread than Poisson's.

    The negative binomial's maximum is at its limit, whatever the penalty.
    """
    X = table()
    y = np.random.default_rng(0).binomial(8, 0.5, N)
    with pytest.warns(skmle.exceptions.BoundaryWarning):
        model = MLERegressor("negative_binomial", alpha=0.02, l1_ratio=1.0).fit(X, y)
    poisson = MLERegressor("poisson", alpha=0.02, l1_ratio=1.0).fit(X, y)
    np.testing.assert_allclose(model.coef_, poisson.coef_, atol=1e-8)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 2.0])
def test_medians_are_optimal(alpha):
    """Laplace's law has cusps of its own.

    Given its scale, the rest is the linear program of absolute residuals.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6))
    y = X[:, 0] + rng.laplace(size=200)
    model = MLERegressor("laplace", alpha=alpha, l1_ratio=1.0).fit(X, y)
    scale, ones = model.params_["scale"], np.ones(200)
    cost = np.r_[np.full(12, alpha), 0.0, 0.0, np.full(400, 1.0 / (200 * scale))]
    split = np.column_stack([X, -X, ones, -ones, np.eye(200), -np.eye(200)])
    program = linprog(cost, A_eq=split, b_eq=y)
    reached = np.abs(y - model.predict(X)).mean() / scale + alpha * np.abs(model.coef_).sum()
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    assert reached == pytest.approx(program.fun, rel=1e-9)
    assert scale == pytest.approx(np.abs(y - model.predict(X)).mean(), rel=1e-9)


def test_medians_of_many_columns_are_selected():
    """Twenty columns, of which one counts: a vertex where slopes are exactly zero."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 20))
    model = MLERegressor("laplace", alpha=0.1, l1_ratio=1.0).fit(
        X, 2.0 * X[:, 0] + rng.laplace(size=300)
    )
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    assert model.coef_[0] > 1.0 and (model.coef_ == 0.0).sum() >= 10
    assert model.n_parameters_ == (model.coef_ != 0.0).sum() + 2
