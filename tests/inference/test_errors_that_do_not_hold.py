"""Where the information says nothing of how sure estimates are, the table says so."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.families import Censored, Family
from tests.estimators.data import conditional_data, labels
from tests.subjects import as_columns, every_class, is_conditional, observations

X, CODES = labels(200, 3)


def has_cusps(cls: type[Family]) -> bool:
    return cls.cusps


def assert_left_out(model, why):
    with pytest.raises(ValueError, match=f"no covariance, because .*{why}.* Allowed: .*bootstrap"):
        model.inference()
    result = model.summary().inference
    assert why in result.reason
    for numbers in (
        result.standard_errors,
        result.confidence_intervals(),
        result.statistic,
        result.p_value,
    ):
        assert np.isnan(numbers).all()
    assert np.isfinite(result.estimate).all()
    text = str(model.summary())
    assert "No standard errors: " in text and "s.e.: observed information" not in text
    assert "No standard errors: " in model.summary()._repr_html_()


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 2.0, 2: 1.0}], ids=str)
@pytest.mark.parametrize("y", [CODES, CODES > 0], ids=["three", "two"])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_weights_of_classes_are_no_repeated_rows(weights, y, alpha):
    if len(np.unique(y)) == 2 and isinstance(weights, dict):
        weights = {False: 2.0, True: 1.0}
    model = CrossEntropyClassifier(class_weight=weights, alpha=alpha).fit(X, y)
    assert_left_out(model, "class_weight")


@every_class(has_cusps)
def test_a_density_with_cusps_has_no_errors(cls):
    assert_left_out(MLEDistribution(cls).fit(as_columns(observations(cls))), "cusps")
    two = np.column_stack([observations(cls), observations(cls)[::-1]])
    assert_left_out(MLEDistribution(cls).fit(two), "cusps")


@every_class(lambda cls: has_cusps(cls) and is_conditional(cls))
@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("features", [None, {"scale": "all"}], ids=str)
def test_a_regression_with_cusps_has_no_errors(cls, alpha, features):
    X, y = conditional_data(cls)
    assert_left_out(MLERegressor(cls, alpha=alpha, features=features).fit(X, y), "cusps")


@every_class(lambda cls: has_cusps(cls) and is_conditional(cls))
def test_a_held_place_of_the_cusps_leaves_a_smooth_likelihood(cls):
    y = observations(cls)
    first = cls().names[0]
    model = MLEDistribution(cls, fixed={first: float(np.median(y))}).fit(y)
    assert np.isfinite(model.inference().standard_errors).all()
    held = MLERegressor(cls, fixed={"scale": 1.0}).fit(*conditional_data(cls))
    assert_left_out(held, "cusps")


@every_class(lambda cls: has_cusps(cls) and is_conditional(cls))
def test_observations_that_are_all_intervals_have_no_cusps(cls):
    y = observations(cls)
    wide = np.column_stack([np.floor(y), np.floor(y) + 1.0])
    model = MLEDistribution(Censored(cls)).fit(wide)
    assert np.isfinite(model.inference().standard_errors).all()
    some = np.where(np.arange(len(y))[:, None] % 2, wide, y[:, None])
    assert_left_out(MLEDistribution(Censored(cls)).fit(some), "cusps")
