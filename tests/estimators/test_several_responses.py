"""Regressions of rows of several numbers: shares, counts, directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from scipy.special import gammaln

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from tests.subjects import every_class, typical

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]
every_rowwise = every_class(lambda cls: cls.observation.rowwise)


def data(cls, n: int = 240):
    """Return features of rows and observations, of which the first eta depends on the first."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, 2))
    family, theta = typical(cls)
    eta = [np.full(n, float(e)) for e in family.eta(theta)]
    eta[0] = eta[0] + 0.4 * X[:, 0]
    return X, family.sample(family.natural(tuple(eta)), (n,), rng)


@every_rowwise
def test_a_regression_without_features_is_the_density(cls):
    X, y = data(cls)
    density = MLEDistribution(cls).fit(y)
    names = [p.name for p in typical(cls)[0].parameters]
    features = dict.fromkeys(names, "none")
    model = MLERegressor(cls, features=features).fit(X, y)
    assert model.log_likelihood_ == pytest.approx(density.log_likelihood_, rel=1e-9)
    np.testing.assert_allclose(model.predict(X[:2])[1], density.distribution_.mean(), rtol=1e-5)


@every_rowwise
def test_a_regression_has_its_maximum_and_predicts_its_mean(cls):
    X, y = data(cls)
    model = MLERegressor(cls, tol=1e-9).fit(X, y)
    assert model.status_ == "interior"
    assert model.log_likelihood_ == pytest.approx(model.score(X, y) * len(y), rel=1e-10)
    law = model.predict_dist(X)
    np.testing.assert_allclose(law.log_prob(y), model.log_prob(X, y), rtol=1e-10)
    np.testing.assert_allclose(law.mean(), model.predict(X), rtol=1e-12)
    family = law.family
    scores = np.array(family.evaluate(family.statistics(y), family.eta(law.theta)).gradient)
    sums = scores @ np.column_stack([np.ones(len(X)), X])
    modelled = [p.modelled for p in family.parameters]
    assert np.abs(sums[modelled]).max() < 1e-4 and np.abs(sums[:, 0]).max() < 1e-4
    assert model.sample(X[:5], random_state=0).shape == (5, y.shape[1])
    with pytest.raises(ValueError, match=r"a law of several columns has none. Allowed: .*Take"):
        model.predict_quantile(X, 0.5)


@every_rowwise
def test_weights_are_repeated_rows(cls):
    X, y = data(cls)
    weight = np.random.default_rng(1).integers(0, 3, len(X))
    one = MLERegressor(cls).fit(X, y, sample_weight=weight)
    other = MLERegressor(cls).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-9)


def test_shares_have_the_maximum_that_another_solver_finds():
    X, y = data(next(cls for cls in every_rowwise.args[1] if cls.__name__ == "Dirichlet"))
    rows = np.column_stack([np.ones(len(X)), X])

    def value(coef):
        a = np.exp(rows @ coef.reshape(3, 3))
        return -(gammaln(a.sum(1)) - gammaln(a).sum(1) + ((a - 1) * np.log(y)).sum(1)).sum()

    found = optimize.minimize(value, np.zeros(9), method="BFGS")
    model = MLERegressor("dirichlet").fit(X, y)
    assert model.log_likelihood_ == pytest.approx(-found.fun, rel=1e-9)


def test_counts_are_soft_labels_with_weights():
    rng = np.random.default_rng(0)
    X, n = rng.normal(size=(200, 2)), rng.integers(1, 20, 200)
    odds = np.column_stack([0.5 * X[:, 0], 0.5 + 0.3 * X[:, 1], np.zeros(200)])
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    y = np.array([rng.multinomial(k, q) for k, q in zip(n, p, strict=True)], float)
    model = MLERegressor("multinomial", tol=1e-10).fit(X, y)
    peer = CrossEntropyClassifier(tol=1e-10).fit(X, y / n[:, None], sample_weight=n)
    odds = [model.coefs_[f"logit[{j}]"] for j in range(2)]
    np.testing.assert_allclose(odds, peer.coef_[:2] - peer.coef_[2], rtol=1e-6)
