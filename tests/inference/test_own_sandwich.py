"""Where the information says nothing of how sure estimates are, a fit keeps a sandwich."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier
from skmle._engine.prepare.merging import FEWEST_ROWS
from skmle.families import Censored, Family
from tests.estimators.data import conditional_data, labels
from tests.subjects import as_columns, every_class, is_conditional, observations

X, CODES = labels(200, 3)


def has_cusps(cls: type[Family]) -> bool:
    return cls.cusps


def assert_sandwiched(model, why, by="HC0 sandwich"):
    result = model.inference()
    for numbers in (result.standard_errors, result.confidence_intervals()):
        assert np.isfinite(numbers).all()
    text = str(model.summary())
    assert f"s.e.: {by}, as " in text and why in text
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
    assert_sandwiched(model, "class weights are no repeated rows", "sandwich by the law")
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


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("repeats", [None, np.arange(200) % 3 + 1.0], ids=["once", "repeated"])
def test_gradients_of_weighted_classes_have_the_covariance_that_the_law_says(count, repeats):
    factors = np.array([1.0, 4.0, 0.5])[:count]
    y, r = CODES % count, np.ones(len(X)) if repeats is None else repeats
    model = CrossEntropyClassifier(class_weight=dict(enumerate(factors)), tol=1e-11)
    model.fit(X, y, sample_weight=repeats)
    q = model.predict_proba(X)
    law = q / factors
    law /= law.sum(axis=1, keepdims=True)
    Z = np.column_stack([X, np.ones(len(X))])
    # The gradient of each row in the log-odds against the first class, if its class were k.
    gradients = [
        np.kron(q[:, 1:] - np.eye(count)[k, 1:], np.ones(Z.shape[1])) for k in range(count)
    ]
    gradients = [g * np.tile(Z, count - 1) for g in gradients]
    meat = sum((g.T * (r * law[:, k] * factors[k] ** 2)) @ g for k, g in enumerate(gradients))
    own = r * factors[y]
    hessian = sum((g.T * (own * q[:, k])) @ g for k, g in enumerate(gradients))
    bread = np.linalg.inv(hessian)
    result = model.inference().against(0) if count > 2 else model.inference()
    np.testing.assert_allclose(result.covariance, bread @ meat @ bread, rtol=1e-8)
    if count == 2:  # weights of rows are factors, too, of which the square counts
        meat = sum(
            (g.T * (r**2 * law[:, k] * factors[k] ** 2)) @ g for k, g in enumerate(gradients)
        )
        result = model.inference(X, y, repeats, weights="factors")
        np.testing.assert_allclose(result.covariance, bread @ meat @ bread, rtol=1e-8)


@pytest.mark.parametrize(
    ("cls", "y"), [(CrossEntropyClassifier, CODES > 0), (OrdinalClassifier, CODES)]
)
def test_weights_of_classes_that_are_all_one_leave_the_information(cls, y):
    weights = dict.fromkeys(np.unique(y).tolist(), 1.0)
    found = cls(class_weight=weights, tol=1e-10).fit(X, y).inference().covariance
    plain = cls(tol=1e-10).fit(X, y)
    bread, expected = (
        plain.inference(X, y, covariance=kind).covariance for kind in ("observed", "expected")
    )
    np.testing.assert_allclose(found, bread @ np.linalg.inv(expected) @ bread, rtol=1e-6)


def test_equal_rows_that_are_merged_count_each_under_class_weights():
    n = FEWEST_ROWS // 2
    rows, place = np.repeat(np.eye(2), n, axis=0), np.arange(2 * n)
    y = (place % 5 > 2) ^ (place > 1.2 * n)
    for weights in ({False: 1.0, True: 1.0}, {False: 1.0, True: 3.0}):
        model = CrossEntropyClassifier(class_weight=weights, fit_intercept=False, tol=1e-11)
        q = model.fit(rows, y).predict_proba(rows)[:, 1]
        own = np.where(y, weights[True], weights[False])
        bread = np.linalg.inv((rows.T * (own * q * (1.0 - q))) @ rows)
        meat = weights[True] * (rows.T * (q * (1.0 - q))) @ rows
        found = model.inference().covariance
        np.testing.assert_allclose(found, bread @ meat @ bread, rtol=1e-8)


def test_the_weights_of_ordered_classes_go_with_their_labels():
    names = np.array(["low", "middle", "high"])
    weights = dict(zip(names, [1.0, 3.0, 0.5], strict=True))
    words = OrdinalClassifier(classes=names.tolist(), class_weight=weights).fit(X, names[CODES])
    numbers = OrdinalClassifier(class_weight={0: 1.0, 1: 3.0, 2: 0.5}).fit(X, CODES)
    found, expected = (model.inference().covariance for model in (words, numbers))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_law_of_weighted_classes_is_asked_for_where_there_are_some():
    with pytest.raises(ValueError, match=r"covariance='law'.*none\. Allowed: .* Use "):
        CrossEntropyClassifier().fit(X, CODES).inference(X, CODES, covariance="law")


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
