"""Laplace's law given features.

Its maximum is at a cusp, where linear programs and directional derivatives judge it.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss

from skmle import MLERegressor
from skmle.exceptions import NotConvergedWarning


def least_absolute(X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Return the least weighted sum of absolute residuals: a linear program."""
    n = len(y)
    scaled = X / np.abs(X).max(axis=0)
    ones = np.column_stack([scaled, np.ones(n)])
    cost = np.r_[np.zeros(ones.shape[1]), weight, weight]
    bounds = [(None, None)] * ones.shape[1] + [(0, None)] * 2 * n
    return linprog(
        cost, A_eq=np.column_stack([ones, np.eye(n), -np.eye(n)]), b_eq=y, bounds=bounds
    ).fun


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(30, 120)), int(rng.integers(1, 6))
    X = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-3, 4, p)
    Z = X / X.std(axis=0)
    return X, 2.0 + Z.sum(axis=1) + np.exp(0.4 * Z[:, 0]) * rng.laplace(size=n)


@pytest.mark.parametrize("seed", range(10))
def test_median_regression_is_the_linear_program(seed):
    X, y = data(seed)
    model = MLERegressor("laplace").fit(X, y)
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    least = least_absolute(X, y, np.ones(len(y)))
    assert np.abs(y - model.predict(X)).sum() == pytest.approx(least, rel=1e-9)
    assert model.params_["scale"] == pytest.approx(least / len(y), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("quantile", [0.03, 0.25, 0.9])
def test_quantile_regression_is_the_linear_program(quantile, seed):
    X, y = data(seed)
    model = MLERegressor("asymmetric_laplace", fixed={"quantile": quantile}).fit(X, y)
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    theirs = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, y)

    def loss(at):
        return mean_pinball_loss(y, at, alpha=quantile)

    at = model.predict_quantile(X, quantile)
    np.testing.assert_allclose(at, X @ model.coef_ + model.intercept_, rtol=1e-12)
    assert loss(at) == pytest.approx(loss(theirs.predict(X)), rel=1e-10)
    assert model.params_["scale"] == pytest.approx(loss(at), rel=1e-10)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0])
def test_a_quantile_lies_between_zero_and_one(level):
    with pytest.raises(ValueError, match="Allowed: numbers between 0 and 1"):
        MLERegressor("asymmetric_laplace", fixed={"quantile": level}).fit([[0.0]] * 3, [1, 2, 4])


@pytest.mark.parametrize("seed", range(10))
def test_a_scale_that_depends_on_the_row_weighs_the_rows(seed):
    """The location is the linear program of rows over their scale.

    In the scale's coefficients the gradient is zero.
    """
    X, y = data(seed)
    model = MLERegressor("laplace", features={"loc": "all", "scale": [0]}).fit(X, y)
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    scale = model.predict_dist(X).params["scale"]
    residual = np.abs(y - model.predict(X))
    assert (residual / scale).sum() == pytest.approx(least_absolute(X, y, 1.0 / scale), rel=1e-9)
    assert (residual < 1e-9 * residual.mean()).sum() == X.shape[1] + 1
    z = X[:, 0] / X[:, 0].std()
    np.testing.assert_allclose(
        [(1.0 - residual / scale).mean(), (z * (1.0 - residual / scale)).mean()], 0.0, atol=1e-7
    )


@pytest.mark.parametrize(
    "settings",
    [{"alpha": 0.1}, {"alpha": 0.01, "features": {"loc": "all", "scale": "all"}}],
    ids=str,
)
@pytest.mark.parametrize("seed", range(4))
def test_under_a_penalty_no_direction_leads_further(seed, settings):
    X, y = data(seed)
    X = X / X.std(axis=0)
    model = MLERegressor("laplace", **settings).fit(X, y)
    assert model.status_ == "interior" and model.distance_ <= 1e-6
    p, k = X.shape[1], model.coefs_["scale"].size
    coef = np.r_[model.coef_, model.intercept_, model.coefs_["scale"], model.intercepts_["scale"]]

    def objective(c: np.ndarray) -> float:
        log_scale = c[-1] + X[:, :k] @ c[p + 1 : -1]
        penalty = 0.5 * model.alpha * (c[:p] @ c[:p] + c[p + 1 : -1] @ c[p + 1 : -1])
        return float(
            (np.abs(y - X @ c[:p] - c[p]) * np.exp(-log_scale) + log_scale).mean() + penalty
        )

    rng = np.random.default_rng(0)
    for size in (1e-2, 1e-3, 1e-4, 1e-5):
        around = min(objective(coef + size * rng.normal(size=len(coef))) for _ in range(50))
        assert around > objective(coef) - 1e-9


def test_stopping_short_of_the_cusp_is_said():
    X, y = data(0)
    with pytest.warns(NotConvergedWarning):
        model = MLERegressor("laplace", alpha=0.1, max_iter=1).fit(X, y)
    assert model.status_ == "not_converged"


@pytest.mark.parametrize("sparse", [False, True])
def test_one_place_beside_a_modelled_scale(sparse):
    """The place of the cusps depends on no column, the scale on all of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = 1.0 + rng.laplace(size=80) * np.exp(0.3 * X[:, 0])
    model = MLERegressor("laplace", features={"loc": "none", "scale": "all"})
    model.fit(sp.csr_array(X) if sparse else X, y)
    assert model.status_ == "interior" and model.params_["loc"] in y

    def value(loc, intercept, *slopes):
        log_scale = intercept + X @ slopes
        return -(np.abs(y - loc) * np.exp(-log_scale) + log_scale + np.log(2.0)).sum()

    at = (model.params_["loc"], model.intercepts_["scale"], *model.coefs_["scale"])
    assert value(*at) == pytest.approx(model.log_likelihood_, rel=1e-12)
    for j in range(4):
        for step in (-1e-3, 1e-3):
            moved = [e + step * (i == j) for i, e in enumerate(at)]
            assert value(*moved) < value(*at)
