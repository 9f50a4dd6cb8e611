"""Where the information says nothing of how sure estimates are, a fit keeps a sandwich."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from skmle.families import Censored, Family
from tests.estimators.data import conditional_data, labels
from tests.subjects import as_columns, every_class, is_conditional, observations

X, CODES = labels(200, 3)


def has_cusps(cls: type[Family]) -> bool:
    return cls.cusps


def assert_sandwiched(model, why):
    result = model.inference()
    for numbers in (result.standard_errors, result.confidence_intervals()):
        assert np.isfinite(numbers).all()
    text = str(model.summary())
    assert "s.e.: HC0 sandwich, as " in text and why in text
    assert "observed information" not in text
    assert why in model.summary()._repr_html_()


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 2.0, 2: 1.0}], ids=str)
@pytest.mark.parametrize("y", [CODES, CODES > 0], ids=["three", "two"])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("cls", [CrossEntropyClassifier, OrdinalClassifier])
def test_weights_of_classes_are_factors(cls, weights, y, alpha):
    if len(np.unique(y)) == 2 and isinstance(weights, dict):
        weights = {False: 2.0, True: 1.0}
    model = cls(class_weight=weights, alpha=alpha).fit(X, y)
    assert_sandwiched(model, "class weights are no repeated rows")
    again = model.inference(X, y)
    np.testing.assert_allclose(again.covariance, model.inference().covariance, rtol=1e-5)


def test_sample_weights_beside_class_weights_repeat_rows():
    rng = np.random.default_rng(0)
    repeats = rng.integers(1, 4, len(X))
    rows = np.repeat(np.arange(len(X)), repeats)
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    model = CrossEntropyClassifier(class_weight=weights, tol=1e-10)
    one = model.fit(X, CODES, sample_weight=repeats).inference().covariance
    other = model.fit(X[rows], CODES[rows]).inference().covariance
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_soft_labels_have_a_sandwich():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([2.0, 2.0, 2.0], size=len(X))
    model = CrossEntropyClassifier().fit(X, shares)
    assert_sandwiched(model, "soft labels are no draws of the law")
    # Labels that are certain draws of the law have the sandwich of the labels themselves.
    soft = CrossEntropyClassifier(tol=1e-10).fit(X, np.eye(3)[CODES])
    hard = CrossEntropyClassifier(tol=1e-10).fit(X, CODES)
    expected = hard.inference(X, CODES, covariance="HC0").covariance
    np.testing.assert_allclose(soft.inference().covariance, expected, rtol=1e-8, atol=1e-12)


@every_class(has_cusps)
def test_a_density_with_cusps_has_a_sandwich(cls):
    assert_sandwiched(MLEDistribution(cls).fit(as_columns(observations(cls))), "cusps")
    two = np.column_stack([observations(cls), observations(cls)[::-1]])
    assert_sandwiched(MLEDistribution(cls).fit(two), "cusps")


@every_class(lambda cls: has_cusps(cls) and is_conditional(cls))
@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("features", [None, {"scale": "all"}], ids=str)
def test_a_regression_with_cusps_has_a_sandwich(cls, alpha, features):
    X, y = conditional_data(cls)
    assert_sandwiched(MLERegressor(cls, alpha=alpha, features=features).fit(X, y), "cusps")


@every_class(lambda cls: has_cusps(cls) and is_conditional(cls))
def test_a_held_place_of_the_cusps_leaves_a_smooth_likelihood(cls):
    y = observations(cls)
    first = cls().names[0]
    model = MLEDistribution(cls, fixed={first: float(np.median(y))}).fit(y)
    assert "observed information" in str(model.summary())
    held = MLERegressor(cls, fixed={"scale": 1.0}).fit(*conditional_data(cls))
    assert_sandwiched(held, "cusps")


@every_class(lambda cls: has_cusps(cls) and is_conditional(cls))
def test_observations_that_are_all_intervals_have_no_cusps(cls):
    y = observations(cls)
    wide = np.column_stack([np.floor(y), np.floor(y) + 1.0])
    model = MLEDistribution(Censored(cls)).fit(wide)
    assert "observed information" in str(model.summary())
    some = np.where(np.arange(len(y))[:, None] % 2, wide, y[:, None])
    assert_sandwiched(MLEDistribution(Censored(cls)).fit(some), "cusps")


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_errors_of_medians_move_with_the_units_of_y(unit):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = X @ [1.0, -1.0] + rng.normal(size=300)
    one = MLERegressor("laplace").fit(X, y).inference()
    other = MLERegressor("laplace").fit(X, unit * y).inference()
    np.testing.assert_allclose(other.standard_errors / unit, one.standard_errors, rtol=1e-6)
