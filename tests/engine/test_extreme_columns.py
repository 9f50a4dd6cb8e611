"""Columns of 1e300 and 1e-300: their unit changes nothing but the unit of the slope."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from tests.engine.verdicts import REGRESSED, draw, judge
from tests.subjects import every

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

UNITS = [1e29, 1e31, 1e99, 1e155, 1e200, 1e299, 1e-29, 1e-31, 1e-99, 1e-155, 1e-200, 1e-298]

PENALISED = {
    "ridge": {"alpha": 0.1},
    "lasso": {"alpha": 0.01, "l1_ratio": 1.0},
    "elastic net": {"alpha": 0.01, "l1_ratio": 0.5},
}


@pytest.mark.parametrize("unit", UNITS)
@every(REGRESSED)
def test_a_unit_is_the_unit_of_the_slope(family, unit, capfd):
    rng = np.random.default_rng(1)
    X, y = draw(family, 60, rng, p=2)
    unit = 2.0 ** np.round(np.log2(unit))  # a power of two changes no digit
    plain, expected = judge(MLERegressor(family), X, y)
    model, said = judge(MLERegressor(family), X * [unit, 1.0], y)
    assert said == expected and model.aliased_ == []
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-10)
    np.testing.assert_allclose(model.coef_ * [unit, 1.0], plain.coef_, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(
        model.predict(X * [unit, 1.0]), plain.predict(X), rtol=1e-6, atol=1e-6
    )
    if said in ("interior", "boundary") and not family.smoothings():
        errors, others = (np.asarray(m.inference().standard_errors) for m in (model, plain))
        np.testing.assert_allclose(errors[0] * unit, others[0], rtol=1e-5)
        np.testing.assert_allclose(errors[1:], others[1:], rtol=1e-5)
    assert capfd.readouterr() == ("", "")  # LAPACK prints what it is given wrongly


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("n", [60, 6000])
@pytest.mark.parametrize("unit", [1e155, 1e299])
@pytest.mark.parametrize("options", PENALISED.values(), ids=PENALISED)
def test_a_penalty_does_not_hold_a_slope_in_a_large_unit(options, unit, n, sparse):
    """It is a slope that no penalty holds: as one in a unit of 1e6 nearly is."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 3))
    y = (X @ [1.0, 0.5, 0.0] + rng.logistic(size=n) > 0.0).astype(int)
    for make in (CrossEntropyClassifier, lambda **o: MLERegressor("poisson", **o)):
        plain, expected = judge(make(**options), X * [1e9, 1.0, 1.0], y)
        scaled = X * [unit, 1.0, 1.0]
        model, said = judge(make(**options), sp.csr_array(scaled) if sparse else scaled, y)
        assert said == expected == "interior"
        np.testing.assert_allclose(
            np.ravel(model.coef_) * [unit, 1.0, 1.0],
            np.ravel(plain.coef_) * [1e9, 1.0, 1.0],
            atol=1e-6,
        )


@pytest.mark.parametrize("n", [4, 100])
def test_a_ridge_on_huge_numbers_and_zeros_ends_at_once(n):
    rng = np.random.default_rng(n)
    x = np.array([1.0, -1.0, 2.0, 0.1]) if n == 4 else rng.normal(size=n)
    y = np.arange(1.0, 5.0) if n == 4 else rng.normal(size=n)
    model, said = judge(MLERegressor("normal", alpha=1.0), np.c_[np.zeros(n), x * 1e200], y)
    slope, intercept = np.polyfit(x, y, 1)
    assert said == "interior" and model.coef_[0] == 0.0
    np.testing.assert_allclose([model.coef_[1] * 1e200, model.intercept_], [slope, intercept])


MODELS = [
    MLERegressor("normal"),
    MLERegressor("normal", alpha=1.0),
    MLERegressor("normal", alpha=1.0, l1_ratio=1.0),
    MLERegressor("laplace"),
    CrossEntropyClassifier(),
    CrossEntropyClassifier(alpha=1.0),
    CrossEntropyClassifier(alpha=1.0, l1_ratio=0.5),
]


@pytest.mark.parametrize("n", [5, 100, 20_000])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_value_beyond_the_slopes_is_named(model, n):
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc")), np.arange(n) % 2
    X.iloc[3, 1] = -1.7e308
    said = r"X has a value that is too large: row 3, column b: -1.7e\+308. Allowed: .* Divide"
    with pytest.raises(ValueError, match=said):
        model.fit(X, y)
    with pytest.raises(ValueError, match="row 3, column 1: -1.7e"):
        model.fit(sp.csr_array(X.to_numpy()), y)


@pytest.mark.parametrize("n", [100, 20_000])
@pytest.mark.parametrize("model", MODELS[:5], ids=repr)
def test_one_huge_value_is_a_row_of_its_own(model, n):
    """A value of 1e290 leaves nothing of the others in its column: it marks one row."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 2)), np.arange(n) % 2 + 0.0
    marked = X.copy()
    X[:, 1] = marked[:, 1] = 0.0
    X[3, 1], marked[3, 1] = 1e290, 1e9
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        model, said = judge(model, X, y)
    ours = model.log_likelihood_
    other, expected = judge(type(model)(**model.get_params()), marked, y)
    assert said == expected
    np.testing.assert_allclose(ours, other.log_likelihood_, rtol=1e-6)


@pytest.mark.parametrize("weight", [1e-300, 1e-100, 1e100, 1e300])
@every(REGRESSED)
def test_a_unit_of_all_weights_changes_no_estimate(family, weight):
    rng = np.random.default_rng(3)
    X, y = draw(family, 60, rng, p=2)
    plain, expected = judge(MLERegressor(family), X, y)
    model, said = judge(MLERegressor(family), X, y, sample_weight=np.full(len(y), weight))
    assert said == expected
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("weight", [1e-300, 1e-306, 1e-308, 1e-310])
@pytest.mark.parametrize(
    "model",
    [
        MLEDistribution("normal"),
        MLEDistribution("gamma"),
        MLERegressor("normal"),
        MLERegressor("poisson"),
        CrossEntropyClassifier(),
    ],
    ids=repr,
)
def test_errors_are_known_where_variances_are_beyond_the_doubles(model, weight):
    rng = np.random.default_rng(4)
    X, code = rng.normal(size=(60, 2)), np.arange(60) % 2
    data = (np.exp(X[:, 0]),) if isinstance(model, MLEDistribution) else (X, code)
    plain = clone(model).fit(*data).inference()
    light = clone(model).fit(*data, sample_weight=np.full(60, weight))
    assert light.status_ == "interior"
    errors = light.inference().standard_errors * np.sqrt(weight)
    # The weights themselves have lost digits.
    np.testing.assert_allclose(errors, plain.standard_errors, rtol=1e-6)
    assert "nan" not in str(light.summary())
