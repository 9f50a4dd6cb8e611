"""Fits of the same rows under many weights are those of each weight by itself."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, families
from skmle._engine.batch import fit_weighted
from skmle._engine.fit import fit
from skmle._engine.likelihood import many
from skmle._engine.maxima import STEPS

N, LINES = 150, 40


def bootstrap(rng, n=N, lines=LINES):
    """Return how often each row is drawn, in each of some bootstrap samples."""
    return rng.multinomial(n, np.full(n, 1.0 / n), size=lines).astype(float)


def data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal([0.0, 4.0, -2.0], size=(N, 3))
    eta = 0.5 * X[:, 0] + 0.3
    return rng, X, eta


def labels(rng, eta):
    return (rng.random(N) < 1.0 / (1.0 + np.exp(-eta))).astype(int)


def gamma(rng, eta):
    return rng.gamma(2.0, np.exp(eta))


def censored(rng, eta):
    y = np.exp(eta) * rng.weibull(1.5, size=N)
    return np.column_stack([y, np.where(y > 2.0, np.inf, y)])


def three(rng, eta):
    return (np.column_stack([eta, -eta, 0.0 * eta]) + rng.gumbel(size=(N, 3))).argmax(axis=1)


REGRESSIONS = {
    "logistic": (CrossEntropyClassifier(), labels),
    "logistic ridge": (CrossEntropyClassifier(alpha=0.1), labels),
    "no intercept": (CrossEntropyClassifier(fit_intercept=False), labels),
    "softmax": (CrossEntropyClassifier(), three),
    "softmax ridge": (CrossEntropyClassifier(alpha=0.1), three),
    "poisson": (MLERegressor("poisson"), lambda rng, eta: rng.poisson(np.exp(eta))),
    "normal": (MLERegressor("normal"), lambda rng, eta: 1e3 * (eta + rng.normal(size=N))),
    "normal ridge": (MLERegressor("normal", alpha=0.1), lambda rng, eta: eta + rng.normal(size=N)),
    "gamma": (MLERegressor("gamma"), gamma),
    "scale modelled": (
        MLERegressor("normal", features={"loc": [0, 1], "scale": [0]}),
        lambda rng, eta: eta + rng.normal(size=N),
    ),
    "censored": (MLERegressor(families.Censored("weibull")), censored),
}


def loop(model, X, y, weights):
    """Return the fits under each line of weights, one by one."""
    return [fit(model._prepare(X, y, weight).problem) for weight in weights]


def assert_alike(found, problem, fits):
    """All that was found together is what the fits by themselves have found."""
    for line, one in enumerate(fits):
        if not found.clear[line]:
            continue
        own = found.fit(problem, line)
        flat = np.concatenate([np.append(w, b) for w, b in own.coefs])
        expected = np.concatenate([np.append(w, b) for w, b in one.coefs])
        np.testing.assert_allclose(flat, expected, rtol=1e-10, atol=1e-10 * np.abs(flat).max())
        assert one.verdict.status == "interior"
        np.testing.assert_allclose(own.log_likelihood, one.log_likelihood, rtol=1e-10)
        np.testing.assert_allclose(own.mass, one.mass)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_regressions_under_many_weights(name):
    model, made = REGRESSIONS[name]
    rng, X, eta = data()
    y, weights = made(rng, eta), bootstrap(rng)
    problem = model._prepare(X, y, None).problem
    found = fit_weighted(problem, weights)
    assert found.clear.mean() > 0.8
    assert_alike(found, problem, loop(model, X, y, weights))


def test_an_offset_is_kept():
    rng, X, eta = data(1)
    years, model = rng.uniform(0.5, 2.0, N), MLERegressor("poisson")
    y, weights = rng.poisson(years * np.exp(eta)), bootstrap(rng)
    problem = model._prepare(X, y, None, exposure=years).problem
    found = fit_weighted(problem, weights)
    assert found.clear.all()
    fits = [fit(model._prepare(X, y, w, exposure=years).problem) for w in weights]
    assert_alike(found, problem, fits)


def test_covariances_are_those_at_the_maximum():
    rng, X, eta = data(2)
    model, weights = CrossEntropyClassifier(), bootstrap(rng, lines=5)
    y = labels(rng, eta)
    problem = model._prepare(X, y, None).problem
    found = fit_weighted(problem, weights)
    for line, one in enumerate(loop(model, X, y, weights)):
        np.testing.assert_allclose(found.covariance[line], one.covariance, rtol=1e-9)


def test_lines_without_a_maximum_are_left():
    """One line has rows of one class alone, one has few rows, one is all zero."""
    rng, X, eta = data(3)
    y = labels(rng, eta)
    weights = bootstrap(rng, lines=6)
    weights[1] *= y
    weights[2, 3:] = 0.0
    weights[3] = 0.0
    found = fit_weighted(CrossEntropyClassifier()._prepare(X, y, None).problem, weights)
    np.testing.assert_array_equal(found.clear, [True, False, False, False, True, True])


@pytest.mark.parametrize("n", [100, 1000])
def test_blocks_and_threads_change_nothing(n, monkeypatch):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, 2))
    y = (X[:, 0] + rng.logistic(size=n) > 0.0).astype(int)
    weights = bootstrap(rng, n, 600)
    found = [
        fit_weighted(CrossEntropyClassifier(n_jobs=jobs)._prepare(X, y, None).problem, weights)
        for jobs in (1, 2)
    ]
    np.testing.assert_array_equal(found[0].coefs, found[1].coefs)
    monkeypatch.setattr(many, "_PRODUCTS", 70)  # products of columns for ten rows at once
    again = fit_weighted(CrossEntropyClassifier()._prepare(X, y, None).problem, weights)
    np.testing.assert_allclose(again.coefs, found[0].coefs, rtol=1e-12, atol=1e-14)
    assert found[0].n_iter.max() < STEPS


def test_densities_under_many_weights():
    rng = np.random.default_rng(5)
    y, model = rng.gamma(2.0, size=N), MLEDistribution("gamma")
    X = rng.normal(size=(N, 1))
    problem = MLERegressor("gamma", features={"mean": "none"})._prepare(X, y, None).problem
    weights = bootstrap(rng)
    found = fit_weighted(problem, weights)
    assert found.clear.all()
    for line in range(0, LINES, 10):
        one = model.fit(y, sample_weight=weights[line])
        np.testing.assert_allclose(np.exp(found.coefs[line]), [*one.params_.values()], rtol=1e-10)
