"""The Tweedie law, which has a mass at zero beside its density."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import wright_bessel

from skmle import MLEDistribution, MLERegressor
from skmle.families.differences import differences
from skmle.families.tweedie import Tweedie

LAWS = [(2.0, 1.2, 1.4), (5.0, 0.3, 1.7), (0.5, 2.0, 1.1), (100.0, 0.01, 1.5)]
FAMILY = Tweedie()

every_law = pytest.mark.parametrize("law", LAWS, ids=str)


def theta(law):
    return tuple(map(np.asarray, law))


def drawn(law, n, seed=0):
    return FAMILY.sample(theta(law), (n,), np.random.default_rng(seed))


@pytest.mark.parametrize("law", LAWS[:3], ids=str)
def test_density_by_wrights_function(law):
    y = drawn(law, 200)
    found = FAMILY.log_prob(y, FAMILY.eta(theta(law)))
    np.testing.assert_allclose(found, by_wrights_function(y, *law), rtol=1e-11)


@every_law
def test_derivatives(law):
    statistics = FAMILY.statistics(drawn(law, 50))
    for rows in (False, True):
        eta = FAMILY.eta(theta(law))
        if rows:
            eta = tuple(np.full(50, e) for e in eta)
        found = FAMILY.evaluate(statistics, eta)
        known = differences(lambda e: FAMILY.evaluate(statistics, e, 0).value, eta, 2)
        size = 1.0 + np.abs(found.value)
        for ours, theirs in zip(found.gradient, known.gradient, strict=True):
            np.testing.assert_allclose(ours / size, theirs / size, rtol=1e-7, atol=1e-7)
        for ours, theirs in zip(found.packed, known.packed, strict=True):
            np.testing.assert_allclose(ours / size, theirs / size, rtol=1e-4, atol=1e-4)


@every_law
def test_both_parts_are_all_of_the_law(law):
    eta, y = FAMILY.eta(theta(law)), 1.1 * law[0]

    def density(x):
        return float(np.exp(FAMILY.log_prob(np.array([x]), eta))[0])

    cuts = (0.0, y / 100.0, y / 2.0, y)
    pieces = [quad(density, a, b, limit=400, epsabs=1e-13)[0] for a, b in pairwise(cuts)]
    below = float(np.exp(FAMILY.log_prob(np.zeros(1), eta))[0]) + sum(pieces)
    np.testing.assert_allclose(FAMILY.cdf(y, theta(law)), below, rtol=1e-9)
    np.testing.assert_allclose(FAMILY.sf(y, theta(law)), 1.0 - below, atol=1e-9)


def by_wrights_function(y, mean, dispersion, power):
    rate = mean ** (2.0 - power) / (dispersion * (2.0 - power))
    shape = (2.0 - power) / (power - 1.0)
    scale = dispersion * (power - 1.0) * mean ** (power - 1.0)
    some = np.where(y > 0.0, y, 1.0)
    series = wright_bessel(shape, 0.0, rate * (some / scale) ** shape)
    return np.where(y > 0.0, np.log(series / some) - some / scale, 0.0) - rate


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_density_in_any_unit(unit):
    y = drawn(LAWS[0], 1000)
    model = MLEDistribution(Tweedie()).fit(unit * y[:, None])
    assert model.status_ == "interior"
    mean, dispersion, power = (model.params_[name] for name in FAMILY.names)
    # The most likely mean is that of the data, as of every exponential dispersion model.
    np.testing.assert_allclose(mean, unit * y.mean(), rtol=1e-7)
    dispersion *= unit ** (power - 2.0)
    best = by_wrights_function(y, mean / unit, dispersion, power).sum()
    counts = np.count_nonzero(y) * np.log(unit)
    np.testing.assert_allclose(model.log_likelihood_ + counts, best, rtol=1e-10)
    for factor in (0.995, 1.005):
        assert by_wrights_function(y, mean / unit, factor * dispersion, power).sum() < best
        moved = 1.0 + factor * (power - 1.0)
        adjusted = dispersion * (mean / unit) ** (power - moved)
        assert by_wrights_function(y, mean / unit, adjusted, moved).sum() < best


def test_mean_is_that_of_statsmodels():
    """With the power held, quasi-likelihood has the same mean; the dispersion may have a model."""
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    mean = np.exp(0.5 + 0.3 * X[:, 0])
    y = FAMILY.sample((mean, np.full(500, 1.2), np.full(500, 1.6)), (500,), rng)
    model = MLERegressor(Tweedie(), fixed={"power": 1.5}).fit(X, y)
    law = sm.families.Tweedie(link=sm.families.links.Log(), var_power=1.5)
    theirs = sm.GLM(y, sm.add_constant(X), family=law).fit(tol=1e-12)
    np.testing.assert_allclose([model.intercept_, *model.coef_], theirs.params, rtol=1e-6)
    free = MLERegressor(Tweedie()).fit(X, y)
    more = MLERegressor(Tweedie(), features={"mean": [0, 1], "dispersion": [0]}).fit(X, y)
    assert model.log_likelihood_ < free.log_likelihood_ < more.log_likelihood_
