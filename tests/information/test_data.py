"""Empirical cross-entropy: of laws, samples and fitted models."""

import numpy as np
import pytest
from scipy import stats

from skmle.families import Binomial, Distribution, Gamma, MultivariateNormal, Normal
from skmle.families.independent import IndependentColumns
from skmle.information import cross_entropy, empirical_cross_entropy, entropy, kl_divergence
from tests.information.laws import LOG_2, categorical


def test_empirical_cross_entropy_of_laws():
    y = np.array([0.5, 1.0, 4.0])
    law = Distribution(Gamma(), {"mean": 2.0, "shape": 1.5})
    expected = -law.log_prob(y).mean()
    for model in (law, law.to_scipy()):
        assert empirical_cross_entropy(model, y) == pytest.approx(expected, rel=1e-13)
        assert empirical_cross_entropy(model, y[:, None], base=2) == pytest.approx(
            expected / LOG_2, rel=1e-13
        )
        assert empirical_cross_entropy(model, y, sample_weight=[1, 2, 0]) == pytest.approx(
            empirical_cross_entropy(model, [0.5, 1.0, 1.0]), rel=1e-13
        )
        assert empirical_cross_entropy(model, [1.0, -1.0]) == np.inf
        assert np.isfinite(empirical_cross_entropy(model, [1.0, -1.0], sample_weight=[1, 0]))


def test_empirical_cross_entropy_of_a_sample_is_the_cross_entropy_of_its_law():
    y = np.repeat([0, 1, 2], [2, 3, 5])
    assert empirical_cross_entropy(stats.poisson(1.3), y) == pytest.approx(
        cross_entropy([0.2, 0.3, 0.5], stats.poisson(1.3)), rel=1e-14
    )
    labels = np.repeat(["a", "b", "c"], [2, 3, 5])
    law = categorical("abc", [0.25, 0.25, 0.5])
    assert empirical_cross_entropy(law, labels) == pytest.approx(
        cross_entropy([0.2, 0.3, 0.5], [0.25, 0.25, 0.5]), rel=1e-14
    )


def test_empirical_cross_entropy_of_laws_of_several_columns():
    x = np.random.default_rng(8).normal(size=(20, 2))
    normal = stats.multivariate_normal([0, 0], np.eye(2))
    columns = IndependentColumns([Distribution(Normal(), {"loc": 0.0, "scale": 1.0})] * 2)
    ours = Distribution(MultivariateNormal(2), {"mean": np.zeros(2), "covariance": np.eye(2)})
    for model in (normal, columns, ours):
        assert empirical_cross_entropy(model, x) == pytest.approx(
            -normal.logpdf(x).mean(), rel=1e-13
        )
    counts = Distribution(Binomial(), {"probability": 0.3})
    assert empirical_cross_entropy(counts, [[1, 2], [0, 4]]) == pytest.approx(
        -stats.binom([3, 4], 0.3).logpmf([1, 0]).mean(), rel=1e-13
    )


def test_fitted_densities_are_laws():
    from skmle import MLEDistribution

    x = np.random.default_rng(9).gamma(2.0, size=(200, 2))
    one, two = (MLEDistribution("gamma").fit(column[:, None]) for column in x.T)
    assert entropy(one) == entropy(one.distribution_)
    assert kl_divergence(one, two) == kl_divergence(one.distribution_, two.distribution_)
    assert kl_divergence(stats.gamma(2.0), one) == pytest.approx(
        kl_divergence(stats.gamma(2.0), one.distribution_.to_scipy()), rel=1e-9
    )
    both = MLEDistribution("gamma").fit(x)
    assert entropy(both) == pytest.approx(entropy(one) + entropy(two), rel=1e-14)


def test_empirical_cross_entropy_is_minus_the_mean_log_likelihood():
    from sklearn.linear_model import LogisticRegression

    from skmle import MLEDistribution

    rng = np.random.default_rng(10)
    x = rng.gamma(2.0, size=(100, 1))
    weight = rng.uniform(size=100)
    model = MLEDistribution("gamma").fit(x)
    assert empirical_cross_entropy(model, x) == pytest.approx(-model.score(x), rel=1e-14)
    assert empirical_cross_entropy(model, x, sample_weight=weight, base=2) == pytest.approx(
        -model.score(x, sample_weight=weight) / LOG_2, rel=1e-14
    )
    y = rng.integers(3, size=100)
    classifier = LogisticRegression().fit(x, y)
    expected = -np.log(classifier.predict_proba(x)[np.arange(100), y]).mean()
    assert empirical_cross_entropy(classifier, x, y) == pytest.approx(expected, rel=1e-12)
