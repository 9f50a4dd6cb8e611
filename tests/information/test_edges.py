"""Information measures at the edges: long tails, narrow laws, single precision, data for a law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skmle import Distribution, MLEDistribution
from skmle.families import Binomial
from skmle.information import cross_entropy, entropy, js_divergence, kl_divergence

# log zeta(a) - a zeta'(a)/zeta(a), by mpmath.
ZIPF = {1.1: 12.7445258217000000823844, 1.5: 3.21811293641318710727, 2.0: 1.63762228865981096027}


@pytest.mark.parametrize("exponent", ZIPF)
def test_long_tails_of_counts(exponent):
    """Half of zipf(1.1) lies beyond a thousand, and 2 % beyond the last whole number in doubles."""
    np.testing.assert_allclose(entropy(stats.zipf(exponent)), ZIPF[exponent], rtol=1e-11)


@pytest.mark.parametrize("trials", [10**5, 10**8, 10**10, 10**13, 10**15])
def test_many_trials(trials):
    law = Distribution(Binomial(trials), {"probability": 0.3})
    spread = 0.21 * trials
    series = 0.5 * np.log(2.0 * np.pi * np.e * spread) + (0.84 - 1.0) / (12.0 * spread)
    np.testing.assert_allclose([entropy(law), law.entropy()], series, rtol=1e-11)
    few = Distribution(Binomial(trials), {"probability": 5.0 / trials})
    poisson = Distribution("poisson", {"mean": 5.0})
    np.testing.assert_allclose(few.entropy(), poisson.entropy(), atol=4.0 / trials)


@pytest.mark.parametrize("mean", [1e9, 1e12, 1e15, 1e18])
def test_huge_counts(mean):
    """They are as good as the gamma law of their means, whatever the gaps between doubles."""
    law = Distribution("nbinom", {"mean": mean, "dispersion": 0.5})
    gamma = Distribution("gamma", {"mean": mean, "shape": 2.0})
    np.testing.assert_allclose(law.entropy(), gamma.entropy(), atol=1e-9 + 10.0 / np.sqrt(mean))


def test_single_precision():
    p = np.full(1000, 1e-3, dtype="float32")
    np.testing.assert_allclose(entropy(p), np.log(1000.0), rtol=1e-7)
    assert kl_divergence(p, p) == 0.0
    with pytest.raises(ValueError, match="do not sum to 1"):
        entropy(p * np.float32(1.01))
    with pytest.raises(ValueError, match="do not sum to 1"):
        entropy(p.astype(float))


def test_nearly_equal_vectors():
    p, q = np.array([0.5, 0.5]), np.array([0.5 + 2.0**-30, 0.5 - 2.0**-30])
    np.testing.assert_allclose(kl_divergence(p, q), 2.0 * 2.0**-60, rtol=1e-12)
    np.testing.assert_allclose(js_divergence(p, q), 0.5 * 2.0**-60, rtol=1e-8)


@pytest.mark.parametrize("scale", [1e-2, 1e-5, 1e-8])
def test_a_narrow_law_beside_a_wide_one(scale):
    """Against a sum of logistic functions over a grid that is fine about the narrow law."""
    narrow, wide = stats.norm(0.0, scale), stats.norm(0.0, 1.0)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    near, far = scale * np.linspace(0.0, 12.0, 200), np.geomspace(12.0 * scale, 40.0, 400)
    edges = np.concatenate([near, far])
    half = 0.5 * np.diff(edges)[:, None]
    y = edges[:-1, None] + half * (1.0 + nodes)
    log_p, log_q = narrow.logpdf(y), wide.logpdf(y)
    total = sum(
        np.sum(half * weights * np.exp(a) * (np.log(2.0) - np.logaddexp(0.0, b - a)))
        for a, b in ((log_p, log_q), (log_q, log_p))
    )
    np.testing.assert_allclose(js_divergence(narrow, wide), total, atol=1e-11)


def test_data_in_place_of_a_law():
    X = np.random.default_rng(0).normal(size=(100, 1))
    model = MLEDistribution("normal").fit(X)
    with pytest.raises(ValueError, match=r"take empirical_cross_entropy\(q, p\)"):
        cross_entropy(X, model)


NO_SPREAD = [
    ("normal", {"loc": 0.0, "scale": 0.0}),
    ("t", {"loc": 0.0, "scale": 0.0, "df": 3.0}),
    ("logistic", {"loc": 0.0, "scale": 0.0}),
    ("laplace", {"loc": 0.0, "scale": 0.0}),
    ("gamma", {"mean": 1.0, "shape": np.inf}),
    ("inverse_gaussian", {"mean": 1.0, "shape": np.inf}),
    ("beta", {"mean": 0.5, "precision": np.inf}),
    ("lognormal", {"loc": 0.0, "scale": 0.0}),
]


@pytest.mark.parametrize("name, params", NO_SPREAD, ids=[name for name, _ in NO_SPREAD])
def test_a_density_without_spread(name, params):
    assert Distribution(name, params).entropy() == -np.inf


# By mpmath: log B(a, b) - (a - 1) psi(a) - (b - 1) psi(b) + (a + b - 2) psi(a + b).
BETAS = {(1e12, 5.0): -25.477437959314805, (1e18, 2.0): -39.86931600899129}
BETAS |= {(1e16, 3.0): -34.99378297754172, (1e30, 0.5): -68.98694285990739}


@pytest.mark.parametrize("shapes", BETAS)
def test_shares_next_to_one(shapes):
    """Doubles are coarse there, but the law of the other share is as well known as any."""
    a, b = shapes
    np.testing.assert_allclose(entropy(stats.beta(a, b)), BETAS[shapes], rtol=1e-14)
    for measure in (kl_divergence, cross_entropy):
        here = measure(stats.beta(a, b), stats.beta(a, 2.0 * b))
        assert here == measure(stats.beta(b, a), stats.beta(2.0 * b, a))
    # It is the gamma law of the other share, measured in 1/a.
    gammas = kl_divergence(stats.gamma(b), stats.gamma(2.0 * b))
    np.testing.assert_allclose(here - entropy(stats.beta(a, b)), gammas, rtol=1e-8)
    many = entropy(stats.beta([a, 3.0], [b, 2.0]))
    np.testing.assert_allclose(many, [BETAS[shapes], entropy(stats.beta(2.0, 3.0))], rtol=1e-14)
