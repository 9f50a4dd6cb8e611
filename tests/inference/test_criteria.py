"""AIC and BIC under penalties: how many parameters count, and when the criteria are left out."""

from __future__ import annotations

import numpy as np
import pytest

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from tests.estimators.data import features, labels

X, CODES = labels(300, 3)
NOISE = np.random.default_rng(2).normal(size=300)
LINEAR = X @ [1.0, -0.5, 0.3, 0.0] + NOISE
COUNTS = np.random.default_rng(3).poisson(np.exp(0.3 * X[:, 0]))

PENALISED = {
    "binary": (CrossEntropyClassifier(), CODES > 0),
    "probit": (CrossEntropyClassifier(link="probit"), CODES > 0),
    "multinomial": (CrossEntropyClassifier(), CODES),
    "normal": (MLERegressor(), LINEAR),
    "scale": (MLERegressor(features={"loc": "all", "scale": "all"}), LINEAR),
    "poisson": (MLERegressor("poisson"), COUNTS),
    "gamma": (MLERegressor("gamma"), np.exp(0.3 * LINEAR)),
}
every_penalised = pytest.mark.parametrize("model, y", PENALISED.values(), ids=PENALISED)


def fitted(model, y, X=X, **settings):
    return type(model)(**{**model.get_params(), **settings}).fit(X, y)


@every_penalised
def test_a_penalty_without_end_leaves_the_law_without_features(model, y):
    heavy, empty = fitted(model, y, alpha=1e8), fitted(model, y, X=0.0 * X)
    assert heavy.effective_parameters_ == pytest.approx(empty.n_parameters_, rel=1e-5)
    assert heavy.aic() == pytest.approx(empty.aic(), rel=1e-6)
    assert heavy.bic() == pytest.approx(empty.bic(), rel=1e-6)


@every_penalised
def test_a_weak_penalty_counts_all_parameters_and_a_stronger_one_fewer(model, y):
    free = fitted(model, y)
    assert free.effective_parameters_ == free.n_parameters_
    numbers = [fitted(model, y, alpha=a).effective_parameters_ for a in (1e-8, 0.01, 0.1, 1.0, 10)]
    assert numbers[0] == pytest.approx(free.n_parameters_, rel=1e-5)
    assert (np.diff(numbers) < 0.0).all()


@every_penalised
def test_a_lasso_counts_what_is_not_zero(model, y):
    settings = model.get_params() | {"l1_ratio": 1.0}
    found = skmle.path(type(model)(**settings), X, y, n_alphas=3, eps=0.1)
    for alpha, number in zip(found.alphas[1:], found.n_parameters[1:], strict=True):
        lasso = fitted(model, y, alpha=alpha, l1_ratio=1.0)
        assert lasso.effective_parameters_ == lasso.n_parameters_ == number
        nearly = fitted(model, y, alpha=alpha, l1_ratio=1.0 - 1e-9)
        assert nearly.effective_parameters_ == pytest.approx(number, rel=1e-5)
        mixed = fitted(model, y, alpha=alpha, l1_ratio=0.5)
        assert mixed.effective_parameters_ < mixed.n_parameters_


def test_the_effective_number_is_the_trace_of_the_hat_matrix():
    alpha, n = 0.2, len(X)
    model = MLERegressor(alpha=alpha, fixed={"scale": 1.0}, tol=1e-10).fit(X, LINEAR)
    design = np.column_stack([X, np.ones(n)])
    ridge = n * alpha * np.diag([1.0] * 4 + [0.0])
    hat = design @ np.linalg.solve(design.T @ design + ridge, design.T)
    np.testing.assert_allclose(model.predict(X), hat @ LINEAR, rtol=1e-8, atol=1e-8)
    assert model.effective_parameters_ == pytest.approx(np.trace(hat), rel=1e-9)


def test_the_effective_number_is_that_of_all_classes_whichever_comes_last():
    a = CrossEntropyClassifier(alpha=0.1, tol=1e-9).fit(X, CODES)
    b = CrossEntropyClassifier(alpha=0.1, tol=1e-9).fit(X, (CODES + 1) % 3)
    assert a.effective_parameters_ == pytest.approx(b.effective_parameters_, rel=1e-8)


def test_the_space_of_the_rows_has_the_same_effective_number():
    wide = features(20, 60)
    y = (wide[:, 0] + features(20, 1, 9)[:, 0] > 0).astype(int)
    model = CrossEntropyClassifier(alpha=0.1, tol=1e-9).fit(wide, y)
    p = model.predict_proba(wide)[:, 1]
    design = np.column_stack([wide, np.ones(20)])
    hessian = design.T @ (design * (p * (1 - p))[:, None])
    ridge = 20 * 0.1 * np.diag([1.0] * 60 + [0.0])
    trace = np.trace(np.linalg.solve(hessian + ridge, hessian))
    assert model.effective_parameters_ == pytest.approx(trace, rel=1e-6)


def test_equal_columns_under_a_ridge_count_as_one():
    twice = np.column_stack([X, X[:, 0]])
    y = CODES > 0
    model = CrossEntropyClassifier(alpha=1e-7).fit(twice, y)
    free = CrossEntropyClassifier().fit(X, y)
    assert model.effective_parameters_ == pytest.approx(free.n_parameters_, rel=1e-4)


def test_a_path_has_the_effective_numbers_of_its_fits():
    alphas = [1.0, 0.1, 0.01]
    for ratio in (0.0, 0.5, 1.0):
        model = CrossEntropyClassifier(l1_ratio=ratio)
        found = skmle.path(model, X, CODES > 0, alphas=alphas)
        alone = [fitted(model, CODES > 0, alpha=a).effective_parameters_ for a in alphas]
        np.testing.assert_allclose(found.effective_parameters, alone, rtol=1e-4)


def test_the_number_of_a_law_with_cusps_under_a_ridge_is_not_known():
    model = MLERegressor("laplace", alpha=0.1).fit(X, LINEAR)
    assert np.isnan(model.effective_parameters_)
    for criterion in (model.aic, model.bic):
        with pytest.raises(ValueError, match="no AIC and no BIC, because .* Allowed: .* Set store"):
            criterion()
    table = str(model.summary())
    assert "AIC " not in table.splitlines()[2] and "No AIC and BIC: " in table


def test_weights_of_classes_have_no_criteria():
    model = CrossEntropyClassifier(class_weight="balanced").fit(X, CODES)
    for ask in (model.aic, model.bic):
        for data in ((), (X, CODES)):
            with pytest.raises(ValueError, match=r"no AIC and no BIC, because class_weight makes"):
                ask(*data)
    assert "No AIC and BIC: class_weight makes" in str(model.summary())
    assert MLEDistribution().fit(X).effective_parameters_ == 8.0
