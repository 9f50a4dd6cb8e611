"""Probability vectors and tables."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import entr, rel_entr

from skmle.families import Categorical, Distribution, Poisson
from skmle.information import (
    conditional_entropy,
    cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
)
from tests.information.laws import LOG_2, categorical


@pytest.fixture
def vectors():
    rng = np.random.default_rng(5)
    return rng.dirichlet(np.ones(4), size=(3, 2)), rng.dirichlet(np.ones(4), size=2)


def test_vectors_over_leading_axes(vectors):
    p, q = vectors
    np.testing.assert_allclose(entropy(p), entr(p).sum(-1), rtol=1e-14)
    np.testing.assert_allclose(kl_divergence(p, q), rel_entr(p, q).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(cross_entropy(p, q), -(p * np.log(q)).sum(-1), rtol=1e-14)
    m = 0.5 * (p + q)
    np.testing.assert_allclose(
        js_divergence(p, q), 0.5 * (rel_entr(p, m) + rel_entr(q, m)).sum(-1), rtol=1e-12
    )
    assert isinstance(kl_divergence(p[0, 0].tolist(), q[0].tolist()), float)


def test_zero_log_zero():
    assert entropy([1.0, 0.0]) == 0.0
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == LOG_2
    assert kl_divergence([1.0, 0.0], [1.0, 0.0]) == 0.0
    assert cross_entropy([0.0, 1.0], [0.0, 1.0]) == 0.0


def test_bernoulli_entropy_curve():
    # Cover & Thomas (2006), figure 2.1.
    p = np.linspace(0.0, 1.0, 101)
    curve = entropy(Distribution(Categorical(2), {"probabilities": np.stack([1 - p, p], axis=-1)}))
    np.testing.assert_allclose(entropy(stats.bernoulli(p)), curve, rtol=1e-13, atol=1e-16)
    assert curve[0] == curve[-1] == 0.0
    assert curve.argmax() == 50
    assert curve[50] == pytest.approx(LOG_2, rel=1e-15)
    assert (np.diff(curve, 2) < 0).all()
    assert entropy(stats.bernoulli(0.11), base=2) == pytest.approx(0.499915958164528, rel=1e-12)


def test_cover_and_thomas_example_of_asymmetry():
    # Example 2.3.1 with r = 1/2 and s = 1/4, in bits.
    assert kl_divergence([0.5, 0.5], [0.75, 0.25], base=2) == pytest.approx(
        1 - 0.5 * np.log2(3), rel=1e-14
    )
    assert kl_divergence([0.75, 0.25], [0.5, 0.5], base=2) == pytest.approx(
        0.75 * np.log2(3) - 1, rel=1e-14
    )


def test_vectors_beside_laws_of_numbers():
    p = [0.2, 0.3, 0.5]
    np.testing.assert_allclose(
        kl_divergence(p, stats.poisson(1)),
        rel_entr(p, stats.poisson(1).pmf([0, 1, 2])).sum(),
        rtol=1e-14,
    )
    assert kl_divergence(stats.bernoulli(0.3), [0.2, 0.8]) == pytest.approx(
        kl_divergence([0.7, 0.3], [0.2, 0.8]), rel=1e-14
    )
    assert kl_divergence(p, stats.rv_discrete(values=([5, 6, 7], p))) == 0.0
    assert kl_divergence(
        stats.rv_discrete(values=([1, 4], [0.5, 0.5])), stats.poisson(2)
    ) == pytest.approx(-0.5 * stats.poisson(2).logpmf([1, 4]).sum() - LOG_2, rel=1e-14)
    y = np.arange(60)
    wide = np.zeros(60)
    wide[:3] = p
    mass = stats.poisson(1).pmf(y)
    m = 0.5 * (wide + mass)
    for one, two in ((p, stats.poisson(1)), (stats.poisson(1), p)):
        assert js_divergence(one, two) == pytest.approx(
            0.5 * (rel_entr(wide, m) + rel_entr(mass, m)).sum(), rel=1e-13
        )
    rows = Distribution(Poisson(), {"mean": [1.0, 2.0]})
    assert kl_divergence(np.tile(p, (3, 1, 1)), rows).shape == (3, 2)


def test_categorical_laws_are_aligned_by_their_labels():
    p, q = categorical("ac", [0.5, 0.5]), categorical("abc", [0.25, 0.5, 0.25])
    assert kl_divergence(p, q) == pytest.approx(LOG_2)
    assert (
        js_divergence(p, q)
        == js_divergence(q, p)
        == pytest.approx(js_divergence([0.5, 0.0, 0.5], [0.25, 0.5, 0.25]))
    )
    assert kl_divergence(p, [0.5, 0.5]) == 0.0


@pytest.fixture
def joint():
    return np.random.default_rng(6).dirichlet(np.ones(12), size=2).reshape(2, 3, 4)


def test_chain_rule(joint):
    x, y = joint.sum(-1), joint.sum(-2)
    flat = joint.reshape(2, 12)
    np.testing.assert_allclose(entropy(flat), entropy(x) + conditional_entropy(joint), rtol=1e-14)
    np.testing.assert_allclose(
        entropy(flat), entropy(y) + conditional_entropy(joint.swapaxes(-1, -2)), rtol=1e-14
    )


def test_mutual_information(joint):
    x, y = joint.sum(-1), joint.sum(-2)
    information = mutual_information(joint)
    np.testing.assert_allclose(
        information, entropy(x) - conditional_entropy(joint.swapaxes(-1, -2)), rtol=1e-12
    )
    np.testing.assert_allclose(information, entropy(y) - conditional_entropy(joint), rtol=1e-12)
    product = x[:, :, None] * y[:, None, :]
    np.testing.assert_allclose(
        information, kl_divergence(joint.reshape(2, 12), product.reshape(2, 12)), rtol=1e-12
    )
    np.testing.assert_allclose(mutual_information(product), 0.0, atol=1e-15)
    assert mutual_information(np.eye(4) / 4, base=4) == pytest.approx(1.0, rel=1e-15)
    assert conditional_entropy(np.eye(4) / 4) == 0.0


def test_table_of_cover_and_thomas():
    # Example 2.2.1, in bits: H(X) = 7/4, H(Y) = 2, H(X|Y) = 11/8, H(Y|X) = 13/8, H(X, Y) = 27/8.
    table = np.array([[4, 2, 1, 1], [2, 4, 1, 1], [2, 2, 2, 2], [8, 0, 0, 0]]) / 32
    assert conditional_entropy(table, base=2) == 11 / 8
    assert conditional_entropy(table.T, base=2) == 13 / 8
    assert entropy(table.ravel(), base=2) == 27 / 8
    assert mutual_information(table, base=2) == pytest.approx(3 / 8, rel=1e-14)
