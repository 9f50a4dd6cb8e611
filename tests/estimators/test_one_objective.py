"""One objective: a density is a regression without features, weights are repeated rows."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import NonRegularWarning
from skmle.families import get_family
from tests.estimators.data import (
    assert_same_fit,
    conditional_data,
    every_conditional,
    every_family,
    features,
    labels,
)
from tests.subjects import as_columns, observations

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@every_conditional
def test_a_density_is_a_regression_without_features(cls):
    y = observations(cls).astype(float)
    density = MLEDistribution(cls).fit(as_columns(y))
    constant = dict.fromkeys(cls().adapt(y).modelled, "none")
    regression = MLERegressor(cls, features=constant).fit(features(len(y)), y)
    assert regression.log_likelihood_ == pytest.approx(density.log_likelihood_, rel=1e-12)
    assert regression.n_parameters_ == density.n_parameters_
    assert all(len(slopes) == 0 for slopes in regression.coefs_.values())
    for name, value in regression.predict_dist(features(2)).params.items():
        np.testing.assert_allclose(value[0], density.params_[name], rtol=1e-9)
    np.testing.assert_allclose(
        np.sqrt(regression._covariances[0][0, 0]), _eta_error(density), rtol=1e-6
    )


def _eta_error(density: MLEDistribution) -> float:
    return float(np.sqrt(density._covariances[0][0, 0]))


@every_family
def test_weights_are_repeated_rows_of_a_density(cls):
    X = as_columns(observations(cls))
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = MLEDistribution(cls).fit(X, sample_weight=weight)
    repeated = MLEDistribution(cls).fit(np.repeat(X, weight, axis=0))
    assert_same_fit(weighted, repeated)
    assert weighted.bic() == pytest.approx(repeated.bic(), rel=1e-9)


@every_conditional
def test_weights_are_repeated_rows_of_a_regression(cls):
    X, y = conditional_data(cls)
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = MLERegressor(cls).fit(X, y, sample_weight=weight)
    repeated = MLERegressor(cls).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    assert_same_fit(weighted, repeated)
    if not get_family(cls).kinked:  # else there are no standard errors
        np.testing.assert_allclose(
            weighted.inference().standard_errors, repeated.inference().standard_errors, rtol=1e-8
        )


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_weights_are_repeated_rows_of_a_classifier(classes, alpha):
    X, y = labels(400, classes)
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = CrossEntropyClassifier(alpha=alpha).fit(X, y, sample_weight=weight)
    repeated = CrossEntropyClassifier(alpha=alpha).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    assert_same_fit(weighted, repeated)
