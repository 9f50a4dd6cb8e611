"""The log-likelihood as a score of regressors.

Every one of scikit-learn that tells its law, and skmle's.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import BayesianRidge, PoissonRegressor

import skmle
from skmle import MLERegressor
from skmle.metrics import log_likelihood_score
from tests.any_model.foreign import (
    EXACT,
    REGRESSORS,
    SAYS_ITS_LAW,
    Boosted,
    BoostedClassifier,
    quietly,
)


@pytest.mark.parametrize("name", [n for n in SAYS_ITS_LAW if n != "DummyRegressor"])
def test_law_of_a_regressor_sums_to_one(name, line):
    X, y = line
    noise = {"kernel": RBF() + WhiteKernel()} if name == "GaussianProcessRegressor" else {}
    model = quietly(REGRESSORS[name], X, y, **noise)
    counts = np.arange(200.0)
    grid = counts if name == "PoissonRegressor" else np.linspace(-60.0, 60.0, 4001)
    step = grid[1] - grid[0]
    for row in X[:3]:
        mass = np.exp(skmle.log_prob(model, np.tile(row, (len(grid), 1)), grid)).sum() * step
        np.testing.assert_allclose(mass, 1.0, rtol=1e-8)


@pytest.mark.slow
def test_standard_deviations_are_those_of_an_observation_where_the_model_knows_its_noise(rng):
    # What the docstring says of each: BayesianRidge's contain the noise; a Gaussian process's if
    # its kernel has it.
    X = rng.normal(size=(400, 1))
    y = X[:, 0] + 0.5 * rng.normal(size=400)
    truth = stats.norm(X[:, 0], 0.5).logpdf(y).mean()
    noisy = GaussianProcessRegressor(RBF() + WhiteKernel(0.25), optimizer=None).fit(
        X[:150], y[:150]
    )
    for model in (BayesianRidge().fit(X, y), noisy, MLERegressor().fit(X, y)):
        assert abs(log_likelihood_score(model, X, y) - truth) < 0.05
    latent = GaussianProcessRegressor(RBF(), alpha=0.25, optimizer=None).fit(X[:150], y[:150])
    assert log_likelihood_score(latent, X, y) < truth - 1.0


def test_several_targets_of_a_gaussian_process_add_up(rng):
    X = rng.normal(size=(30, 1))
    Y = np.column_stack([np.sin(X[:, 0]), X[:, 0]]) + 0.1 * rng.normal(size=(30, 2))
    model = GaussianProcessRegressor(RBF() + WhiteKernel(0.01), optimizer=None)
    both = log_likelihood_score(clone(model).fit(X, Y), X, Y)
    np.testing.assert_allclose(
        both, sum(log_likelihood_score(clone(model).fit(X, y), X, y) for y in Y.T), rtol=1e-10
    )


def test_a_standard_deviation_of_zero_is_no_law(line):
    class Sure(BayesianRidge):
        def predict(self, X, return_std=False):
            mean, std = super().predict(X, return_std=True)
            return mean, np.where(np.arange(len(std)) < 2, std, 0.0)

    X, y = line
    with pytest.raises(
        ValueError,
        match=r"Sure: .* standard deviation is 0 for 58 of 60 values \(first: value 2\)"
        r".*Allowed: .* > 0. Give",
    ):
        log_likelihood_score(Sure().fit(X, y), X, y)
    with pytest.raises(ValueError, match=r"DummyRegressor: .* is 0 for 60 of 60"):
        log_likelihood_score(DummyRegressor().fit(X, y), X, y)


def test_poisson_regression_equals_skmle(line):
    X, y = line
    ours = MLERegressor("poisson").fit(X, y)
    theirs = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(
        X, y
    )
    np.testing.assert_allclose(
        log_likelihood_score(theirs, X, y), log_likelihood_score(ours, X, y), rtol=1e-9
    )
    assert log_likelihood_score(theirs, X, y - 100.0) == -np.inf


def test_transformed_targets_are_refused_with_the_reason(line):
    X, y = line
    model = TransformedTargetRegressor(BayesianRidge(), func=np.log1p, inverse_func=np.expm1).fit(
        X, y
    )
    with pytest.raises(
        TypeError, match="TransformedTargetRegressor: .*Jacobian.*Allowed: .*Use MLERegressor"
    ):
        log_likelihood_score(model, X, y)


def test_pred_dist_is_asked(line):
    X, y = line
    np.testing.assert_allclose(
        log_likelihood_score(Boosted().fit(X, y), X, y),
        stats.norm(y.mean()).logpdf(y).mean(),
        **EXACT,
    )
    np.testing.assert_allclose(
        log_likelihood_score(Boosted(stats.poisson).fit(X, y), X, y),
        stats.poisson(y.mean()).logpmf(y).mean(),
        **EXACT,
    )
    labels = (y > 1).astype(int)
    share = labels.mean()
    expected = share * np.log(share) + (1 - share) * np.log(1 - share)
    np.testing.assert_allclose(
        log_likelihood_score(BoostedClassifier().fit(X, labels), X, labels), expected, **EXACT
    )
    with pytest.raises(
        TypeError, match="gives a SimpleNamespace, which has no log-density. Allowed"
    ):
        log_likelihood_score(Boosted(lambda mean: SimpleNamespace()).fit(X, y), X, y)
