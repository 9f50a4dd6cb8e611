"""The log-likelihood as a score of densities.

Every one of scikit-learn, and skmle's, on one scale.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import KernelDensity

import skmle
from skmle import MLEDistribution
from skmle.metrics import log_likelihood_score
from tests.any_model.foreign import COVARIANCES, DENSITIES, EXACT, SAMPLES, quietly


@pytest.mark.parametrize("name", DENSITIES)
def test_score_of_a_density_is_the_mean_of_a_log_density(name, rng):
    x = rng.normal(1.0, 2.0, size=(80, 1))
    model = SAMPLES[name]().fit(x)
    grid = np.linspace(-40.0, 42.0, 20001)
    mass = np.exp(skmle.log_prob(model, grid[:, None])).sum() * (grid[1] - grid[0])
    if (
        name == "BayesianGaussianMixture"
    ):  # the expectation of a logarithm over its posterior, so less than a log-density
        assert 0.9 < mass < 1.0
    else:
        np.testing.assert_allclose(
            mass, 1.0, rtol=1e-6
        )  # a kernel estimate's own tolerance is 1e-8
    np.testing.assert_allclose(
        log_likelihood_score(model, x), np.mean(model.score_samples(x)), **EXACT
    )
    weight = rng.integers(0, 3, len(x))
    np.testing.assert_allclose(
        log_likelihood_score(model, x, sample_weight=weight),
        log_likelihood_score(model, x.repeat(weight, axis=0)),
        **EXACT,
    )


@pytest.mark.parametrize("name", COVARIANCES)
def test_score_of_a_covariance_estimator_is_that_of_its_normal_law(name, rng):
    X = rng.multivariate_normal(
        [1.0, 2.0, 3.0], [[2.0, 0.6, 0.0], [0.6, 1.0, 0.3], [0.0, 0.3, 1.0]], size=100
    )
    model = quietly(COVARIANCES[name](), X)
    law = stats.multivariate_normal(model.location_, np.linalg.inv(model.get_precision()))
    np.testing.assert_allclose(log_likelihood_score(model, X), law.logpdf(X).mean(), rtol=1e-10)
    if name != "EllipticEnvelope":  # its score is an accuracy
        np.testing.assert_allclose(log_likelihood_score(model, X), model.score(X), rtol=1e-10)
    weight = rng.integers(0, 3, len(X))
    np.testing.assert_allclose(
        log_likelihood_score(model, X, None, weight),
        law.logpdf(X.repeat(weight, axis=0)).mean(),
        rtol=1e-10,
    )


def test_a_kernel_density_scores_a_mean_not_its_own_total(rng):
    x = rng.normal(size=(50, 1))
    model = KernelDensity().fit(x)
    np.testing.assert_allclose(log_likelihood_score(model, x), model.score(x) / 50, **EXACT)


def test_skmle_density_is_its_score(rng):
    X = rng.gamma(2.0, size=(50, 2))
    weight = rng.integers(0, 3, 50)
    model = MLEDistribution("gamma").fit(X)
    assert log_likelihood_score(model, X) == model.score(X)
    assert log_likelihood_score(model, X, None, weight) == model.score(X, sample_weight=weight)
    assert log_likelihood_score(model, -X) == -np.inf
