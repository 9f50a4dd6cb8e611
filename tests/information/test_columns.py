"""Laws of several columns."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import rel_entr

from skmle.families import Distribution, MultivariateNormal, Normal
from skmle.families.independent import IndependentColumns
from skmle.information import cross_entropy, entropy, js_divergence, kl_divergence
from tests.information.laws import LOG_2


def test_multivariate_normal():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 3, 5))
    p, q = (stats.multivariate_normal(rng.normal(size=3), root @ root.T) for root in (a, b))
    inverse, shift = np.linalg.inv(q.cov), q.mean - p.mean
    expected = 0.5 * (
        np.trace(inverse @ p.cov)
        - 3
        + shift @ inverse @ shift
        + np.linalg.slogdet(q.cov)[1]
        - np.linalg.slogdet(p.cov)[1]
    )
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-12)
    assert entropy(p) == pytest.approx(p.entropy(), rel=1e-13)
    assert cross_entropy(p, q) == pytest.approx(p.entropy() + expected, rel=1e-12)
    ours = Distribution(MultivariateNormal(3), {"mean": p.mean, "covariance": p.cov})
    assert kl_divergence(ours, p) == pytest.approx(0.0, abs=1e-15)
    assert kl_divergence(ours, q, return_standard_error=True) == (kl_divergence(p, q), 0.0)


def test_independent_columns_add():
    p = IndependentColumns([Distribution(Normal(), {"loc": 0.0, "scale": s}) for s in (1.0, 2.0)])
    q = IndependentColumns([Distribution(Normal(), {"loc": 1.0, "scale": s}) for s in (1.0, 3.0)])
    together = [
        stats.multivariate_normal([0, 0], np.diag([1.0, 4.0])),
        stats.multivariate_normal([1, 1], np.diag([1.0, 9.0])),
    ]
    assert kl_divergence(p, q) == pytest.approx(kl_divergence(*together), rel=1e-14)
    assert entropy(p) == pytest.approx(entropy(together[0]), rel=1e-14)
    value, error = kl_divergence(p, together[1], return_standard_error=True)
    assert error == 0.0 and value == pytest.approx(kl_divergence(*together), rel=1e-14)


MONTE_CARLO = [
    (
        stats.multivariate_t([0, 1], [[1, 0.2], [0.2, 2]], df=1e7),
        stats.multivariate_normal([0, 0], np.eye(2)),
        0.6635276,
    ),
    (
        stats.multinomial(3, [0.2, 0.3, 0.5]),
        stats.multinomial(3, [0.3, 0.3, 0.4]),
        3 * rel_entr([0.2, 0.3, 0.5], [0.3, 0.3, 0.4]).sum(),
    ),
    (
        stats.dirichlet([2.0, 3.0]),
        stats.dirichlet([3.0, 2.0]),
        kl_divergence(stats.beta(2, 3), stats.beta(3, 2)),
    ),
]


@pytest.mark.parametrize("p, q, expected", MONTE_CARLO)
def test_random_averages_state_their_error(p, q, expected):
    value, error = kl_divergence(p, q, return_standard_error=True)
    assert 0.0 < error < 0.01
    assert abs(value - expected) < 4 * error + 1e-6
    assert kl_divergence(p, q) == value  # the seed is fixed
    assert kl_divergence(p, q, random_state=1) != value
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + value, rel=1e-14)
    assert 0.0 < js_divergence(p, q) < LOG_2
