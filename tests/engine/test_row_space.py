"""A ridge on more columns than rows: exact whatever the units and the place of a column."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skmle import CrossEntropyClassifier, MLERegressor
from skmle.families import Poisson
from tests.engine.verdicts import judge

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

N, P = 30, 40


def problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P))
    return X, (X[:, 1] + 0.5 * rng.logistic(size=N) > 0.0).astype(int)


MODELS = {
    "logit": lambda: CrossEntropyClassifier(alpha=0.1),
    "normal of known scale": lambda: MLERegressor("normal", alpha=0.1, fixed={"scale": 1.0}),
    "poisson": lambda: MLERegressor("poisson", alpha=0.1),
    "cloglog": lambda: CrossEntropyClassifier(link="cloglog", alpha=0.1),
}


def fitted(make, X: np.ndarray, y: np.ndarray):
    """Return the model, its slopes, and what it predicts for the rows of X."""
    model, said = judge(make(), X, y)
    assert said == "interior" and model.distance_ <= model.tol
    law = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return model, np.ravel(model.coef_), law


@pytest.mark.parametrize("shift", [1e3, 1e7, 1e8, 1.7e9])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_shifted_column_changes_nothing(make, shift):
    X, y = problem()
    far = X.copy()
    far[:, 0] += shift
    X[:, 0] = far[:, 0] - shift  # with the digits that the shift has left
    model, slopes, law = fitted(make, X, y)
    other, moved, same = fitted(make, far, y)
    np.testing.assert_allclose(moved, slopes, atol=1e-9)
    np.testing.assert_allclose(same, law, atol=1e-6)  # slope times column is rounded
    np.testing.assert_allclose(other.log_likelihood_, model.log_likelihood_, rtol=1e-9)


@pytest.mark.parametrize("unit", [1e4, 1e7, 1e8, 1e12, 1e160, 1e290])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_column_in_a_large_unit_is_free_of_the_ridge(make, unit):
    """As it is with as many rows as columns, where no space of rows is taken."""
    X, y = problem()
    X[:, 0] *= unit
    columns = [0, *range(1, 25)]
    rng = np.random.default_rng(1)
    # Columns of zeros take no part, but make the problem wide.
    narrow, wide = X[:, columns], np.zeros((N, P))
    wide[:, rng.permutation(P)[: len(columns)]] = narrow
    place = [int(np.flatnonzero((wide == c[:, None]).all(axis=0))[0]) for c in narrow.T]
    plain, _ = judge(make(), narrow, y)
    other, found, _ = fitted(make, wide, y)
    size = np.where(np.arange(len(columns)) == 0, unit, 1.0)
    np.testing.assert_allclose(found[place] * size, np.ravel(plain.coef_) * size, atol=1e-8)
    np.testing.assert_allclose(other.log_likelihood_, plain.log_likelihood_, rtol=1e-9)


@pytest.mark.parametrize("change", ["none", "shift", "unit", "equal rows", "nearly equal rows"])
@pytest.mark.parametrize("alpha", [1e-8, 1e-3, 1.0])
def test_least_squares_is_that_of_scikit_learn(change, alpha):
    X, _ = problem()
    y = X[:, 1] + np.random.default_rng(1).normal(size=N)
    if change == "shift":
        X[:, 0] += 1e8
    if change == "unit":
        X[:, 0] *= 1e-8
    if change == "equal rows":
        X[1:15] = X[0]
    if change == "nearly equal rows":
        X[1:5] = X[0] + 1e-5 * X[1:5]
    model, _ = judge(MLERegressor("normal", alpha=alpha, fixed={"scale": 1.0}), X, y)
    other = Ridge(alpha=alpha * N, solver="svd").fit(X, y)
    size = np.abs(other.coef_).max()
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-7 * size)


def test_columns_of_all_sizes():
    """Many columns of many sizes: spaces of rows for each size, side by side."""
    rng = np.random.default_rng(0)
    n, p = 12, 90
    unit = 10.0 ** np.repeat([8.0, 0.0, -8.0], p // 3)
    X, y = rng.normal(size=(n, p)) * unit, 1 + rng.poisson(3.0, n)
    model, said = judge(MLERegressor(Poisson(), alpha=1e-2), X, y)
    assert said == "interior" and model.distance_ <= model.tol
    # At the maximum, the gradient of each slope is that of its ridge.
    gradient = X.T @ (np.exp(X @ model.coef_ + model.intercept_) - y) / n + 1e-2 * model.coef_
    np.testing.assert_array_less(np.abs(gradient), 1e-7 * np.maximum(unit, 1e-8))
