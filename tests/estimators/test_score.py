"""The score is minus the empirical cross-entropy, of every estimator."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import NonRegularWarning
from tests.estimators.data import conditional_data, every_conditional, every_family, labels
from tests.subjects import as_columns, observations

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_score_is_minus_log_loss(link, weighted):
    X, y = labels(300, 2)
    weight = np.random.default_rng(0).integers(0, 4, 300) if weighted else None
    model = CrossEntropyClassifier(link=link).fit(X, y, sample_weight=weight)
    assert model.score(X, y, weight) == pytest.approx(
        -log_loss(y, model.predict_proba(X), sample_weight=weight), rel=1e-12
    )


@pytest.mark.parametrize("classes", [3, 5, 8])
@pytest.mark.parametrize("weighted", [False, True])
def test_multinomial_score_is_minus_log_loss(classes, weighted):
    X, codes = labels(400, classes)
    y = np.array(list("abcdefgh"))[codes]
    weight = np.random.default_rng(0).random(400) if weighted else None
    model = CrossEntropyClassifier().fit(X, y, sample_weight=weight)
    assert model.score(X, y, weight) == pytest.approx(
        -log_loss(y, model.predict_proba(X), sample_weight=weight), rel=1e-12
    )


def test_score_is_minus_the_empirical_cross_entropy_of_a_classifier():
    from skmle.information import empirical_cross_entropy

    X, y = load_iris(return_X_y=True)
    model = CrossEntropyClassifier(alpha=0.01).fit(X, y)
    assert model.score(X, y) == pytest.approx(-empirical_cross_entropy(model, X, y), rel=1e-12)
    assert model.score(X, y) == pytest.approx(-log_loss(y, model.predict_proba(X)), rel=1e-12)


@every_family
def test_score_is_minus_the_empirical_cross_entropy_of_a_density(cls):
    from skmle.information import empirical_cross_entropy

    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    assert model.score(X) == pytest.approx(-empirical_cross_entropy(model, X), rel=1e-12)


@every_conditional
def test_score_is_minus_the_empirical_cross_entropy_of_a_regressor(cls):
    from skmle.information import empirical_cross_entropy

    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    weight = np.random.default_rng(0).random(len(X))
    assert model.score(X, y) == pytest.approx(-empirical_cross_entropy(model, X, y), rel=1e-12)
    assert model.score(X, y, weight) == pytest.approx(
        -empirical_cross_entropy(model, X, y, sample_weight=weight), rel=1e-12
    )


@every_family
def test_the_score_of_the_training_data_is_the_log_likelihood_of_the_fit(cls):
    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    assert model.score(X) * len(X) == pytest.approx(model.log_likelihood_, rel=1e-10)
    assert model.score_samples(X).sum() == pytest.approx(model.log_likelihood_, rel=1e-10)


@every_conditional
def test_the_score_of_the_training_data_is_the_log_likelihood_of_the_regression(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    assert model.score(X, y) * len(X) == pytest.approx(model.log_likelihood_, rel=1e-10)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_score_of_the_training_data_is_the_log_likelihood_of_the_classifier(classes):
    X, y = labels(300, classes)
    model = CrossEntropyClassifier(alpha=0.1).fit(X, y)
    assert model.score(X, y) * 300 == pytest.approx(model.log_likelihood_, rel=1e-12)
