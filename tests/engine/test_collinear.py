"""Collinear columns and more columns than rows.

What the data determine is found, the rest is named.
"""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLERegressor
from tests.engine.verdicts import REGRESSED, RUNS, draw, judge
from tests.subjects import every

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


def collinear(rng: np.random.Generator, n: int = 60) -> np.ndarray:
    """Two columns, their difference in two units, a constant, two dummies for two groups.

    And a column of its own.
    """
    a, b, group = rng.normal(size=n), rng.normal(size=n), rng.random(n) < 0.4
    return np.column_stack(
        [a, b, a - b, 1e4 * (a - b), np.full(n, 2.0), group, ~group, rng.normal(size=n) + 5.0]
    ).astype(float)


FREE = [0, 1, 5, 7]

ALIASED = [f"x{j}" for j in range(7)]

KINDS = {"Normal", "Poisson", "Gamma", "Bernoulli", "StudentT", "NegativeBinomial", "Beta"}
COLLINEAR = {name: family for name, family in REGRESSED.items() if name in KINDS}


@every(COLLINEAR)
def test_collinear_columns(family):
    """The law is that of independent columns, the rest is named, and only what the data determine
    has a standard error.
    """
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 60, rng)
        X = collinear(rng, len(y))
        model, said = judge(MLERegressor(family), X, y)
        smaller, expected = judge(MLERegressor(family), X[:, FREE], y)
        assert said == expected and model.n_parameters_ == smaller.n_parameters_
        assert model.aliased_ == ALIASED and smaller.aliased_ == []
        np.testing.assert_allclose(model.log_likelihood_, smaller.log_likelihood_, rtol=1e-9)
        new = collinear(rng)
        np.testing.assert_allclose(
            model.predict(new), smaller.predict(new[:, FREE]), rtol=1e-6, atol=1e-9
        )
        # Of all that fit alike, the coefficients of least norm in standardised columns: no part in
        # the null space.
        z = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0.0, X.std(axis=0), 1.0)
        weights = model.coef_ * X.std(axis=0)
        np.testing.assert_allclose(
            np.linalg.pinv(z, rcond=1e-9) @ (z @ weights),
            weights,
            atol=1e-9 * np.abs(weights).max(),
        )
        if said == "interior":
            ours, theirs = model.inference(), smaller.inference()
            errors, others = (
                dict(zip(ours.terms, ours.standard_errors, strict=False)),
                dict(zip(theirs.terms, theirs.standard_errors, strict=False)),
            )
            assert all(np.isnan(errors[name]) for name in ALIASED)
            np.testing.assert_allclose(errors["x7"], others["x3"], rtol=1e-6)


@every(COLLINEAR)
@pytest.mark.slow
def test_collinear_columns_in_other_units_and_repeated(family):
    """Neither units nor the order of columns, nor rows in place of weights, change what a collinear
    fit predicts.
    """
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 60, rng)
        X, weight = collinear(rng, len(y)), rng.integers(1, 4, len(y))
        new = collinear(rng)
        model, said = judge(MLERegressor(family), X, y, sample_weight=weight)
        unit, order, rows = (
            10.0 ** rng.integers(-6, 7, X.shape[1]),
            rng.permutation(X.shape[1]),
            np.repeat(np.arange(len(y)), weight),
        )
        for data, target, weights in (
            ((X * unit)[:, order], y, weight),
            ((X * unit)[rows][:, order], y[rows], None),
        ):
            other, again = judge(MLERegressor(family), data, target, sample_weight=weights)
            assert again == said
            np.testing.assert_allclose(other.log_likelihood_, model.log_likelihood_, rtol=1e-9)
            np.testing.assert_allclose(
                other.predict((new * unit)[:, order]), model.predict(new), rtol=1e-6, atol=1e-9
            )
            slopes = np.empty(len(unit))
            slopes[order] = other.coef_
            np.testing.assert_allclose(
                slopes * unit * X.std(axis=0), model.coef_ * X.std(axis=0), rtol=1e-5, atol=1e-7
            )


@pytest.mark.slow
def test_more_columns_than_rows():
    """A separated logistic regression on 15 rows and 30 columns.

    The same decisions from weights and from repeated rows.
    """
    for seed in range(RUNS // 10):
        rng = np.random.default_rng(seed)
        X, y, weight = rng.normal(size=(15, 30)), np.arange(15) % 2, rng.integers(1, 4, 15)
        model, said = judge(CrossEntropyClassifier(), X, y, sample_weight=weight)
        rows = np.repeat(np.arange(15), weight)
        other, again = judge(CrossEntropyClassifier(), X[rows], y[rows])
        assert said == again == "separation"
        np.testing.assert_allclose(
            other.decision_function(X), model.decision_function(X), rtol=1e-7
        )


@pytest.mark.slow
def test_many_columns_of_which_some_depend():
    """Whether they do is looked at after a separation is, which it must not hide."""
    rng = np.random.default_rng(0)
    n, p = 700, 310
    X = rng.normal(size=(n, p))
    X[:, 5] = X[:, 0] - X[:, 1]
    y = rng.poisson(np.exp(1.0 + 0.03 * X.sum(axis=1) + 0.2 * X[:, 0]))
    model, said = judge(MLERegressor("poisson"), X, y)
    smaller, _ = judge(MLERegressor("poisson"), np.delete(X, 5, axis=1), y)
    assert said == "interior" and model.aliased_ == ["x0", "x1", "x5"]
    assert model.n_parameters_ == smaller.n_parameters_ == p
    np.testing.assert_allclose(model.log_likelihood_, smaller.log_likelihood_, rtol=1e-10)
    for wide in (X, np.delete(X, 5, axis=1)):
        separated, said = judge(CrossEntropyClassifier(), wide, X[:, 7] > 0.1)
        assert said == "separation" and separated.separated_.n_rows == n


@pytest.mark.parametrize("seed", range(20))
def test_a_constant_of_any_value_is_no_column(seed):
    """Where the mean of a constant is rounded, it leaves a column of rounding errors."""
    rng = np.random.default_rng(seed)
    x, constant = rng.normal(size=(2, 160))
    X = np.column_stack([x, np.full(160, constant[0])])
    y = x + rng.normal(size=160)
    for model, target in ((MLERegressor(), y), (CrossEntropyClassifier(), y > 0.5)):
        alone = type(model)().fit(X[:, :1], target)
        model.fit(X, target)
        assert model.status_ == "interior"
        np.testing.assert_allclose(model.predict(X), alone.predict(X[:, :1]), rtol=1e-7)
        np.testing.assert_allclose(np.ravel(model.coef_), [np.ravel(alone.coef_)[0], 0], rtol=1e-6)
