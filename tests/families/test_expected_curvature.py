"""The expected curvature of every family: it is E[g g'] of the gradients, and what books say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import polygamma
from scipy.stats import nbinom

from skmle.families import Gamma, Laplace, Logistic, NegativeBinomial, Normal, Poisson, StudentT
from skmle.families.ordinal import Ordinal
from tests.families.laws import (
    assert_expectation,
    dense,
    draw,
    has_gradient,
    is_computable,
    jets,
    law_points,
    natural,
    points,
    tail_points,
)
from tests.subjects import SUBJECTS, every


def expected(family, eta, y):
    """Return the (k, k) expected curvature at constant eta, or None."""
    found = family.expected_curvature(family.statistics(y), eta)
    return None if found is None else dense(found, len(eta), len(y))[0]


def knows(family):
    if not has_gradient(family):
        return False
    y = draw(family, points(family, 1)[0], 3, np.random.default_rng(0))
    return expected(family, points(family, 1)[0], y) is not None


def some_points(family):
    """Points in the middle and away from it, of laws that can be computed with."""
    away = [eta for eta in tail_points(family, 2.0) if is_computable(family, natural(family, eta))]
    return points(family) + away


@every(SUBJECTS, knows)
def test_it_is_the_mean_of_the_products_of_gradients(family):
    for eta in some_points(family):
        y, weight, exact = law_points(family, eta)
        _, gradient, _ = jets(family.evaluate(family.statistics(y), eta, 1), len(eta), len(y))
        products = gradient[:, :, None] * gradient[:, None, :]
        # The quadrature of the test has some 1e-9 itself.
        assert_expectation(products, weight, exact, expected(family, eta, y), rtol=1e-8)


@every(SUBJECTS, knows)
def test_rows_and_constants_agree(family):
    laws = points(family)
    columns = tuple(np.array(column) for column in zip(*laws, strict=True))
    y = draw(family, laws[0], len(laws), np.random.default_rng(0))
    together = dense(family.expected_curvature(family.statistics(y), columns), len(columns), len(y))
    for i, eta in enumerate(laws):
        np.testing.assert_allclose(together[i], expected(family, eta, y), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_of_classes_in_order(link):
    """By differences of the probabilities: I = sum_k (dp_k)(dp_k)'/p_k."""
    family, eta = Ordinal(4, link), np.array([0.3, -1.0, 0.2, 1.5])

    def proba(eta):
        return np.exp(family.log_probabilities(eta[:1], eta[1:]))[0]

    slopes = [(proba(eta + h) - proba(eta - h)) / 2e-5 for h in 1e-5 * np.eye(4)]
    known = np.einsum("ak,bk,k->ab", slopes, slopes, 1.0 / proba(eta))
    found = expected(family, tuple(map(np.asarray, eta)), np.array([0.0, 3.0]))
    np.testing.assert_allclose(found, known, rtol=1e-7, atol=1e-8)


# ---------------------------------------------------------------- known


def diagonal(family, theta):
    eta = family.chart(family.eta(tuple(map(np.asarray, theta))))
    return np.diag(expected(family, eta, np.ones(1)))


@pytest.mark.parametrize(
    ("family", "theta", "known"),
    [
        (Poisson(), (7.0,), [7.0]),
        (Normal(), (1.0, 2.0), [0.25, 2.0]),
        (Laplace(), (1.0, 2.0), [0.25, 1.0]),
        (Logistic(), (0.0, 2.0), [1 / 12, (np.pi**2 + 3) / 9]),
        (Gamma(), (3.0, 2.0), [2.0, 4.0 * polygamma(1, 2.0) - 2.0]),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "parameters") else "",
)
def test_textbook_values(family, theta, known):
    np.testing.assert_allclose(diagonal(family, theta), known, rtol=1e-10)


def test_of_students_t():
    # Lange, Little & Taylor (1989), Robust statistical modeling using the t distribution.
    names = StudentT().names
    theta = dict(loc=0.0, scale=2.0, df=5.0)
    own = diagonal(StudentT(), [theta[name] for name in names])[:2]
    np.testing.assert_allclose(own, [6 / 8 / 4, 2 * 5 / 8], rtol=1e-9)


@pytest.mark.parametrize(
    ("mean", "dispersion"), [(50.0, 3.0), (1.0, 1.0), (0.1, 30.0), (300.0, 0.01), (2000.0, 0.5)]
)
def test_of_dispersed_counts_by_their_sum(mean, dispersion):
    """Lawless (1987): the trigamma function summed over scipy's law, to the last count."""
    r = 1.0 / dispersion
    law = nbinom(r, r / (r + mean))
    y = np.arange(law.isf(1e-15) + 1.0)
    total = polygamma(1, r) - law.pmf(y) @ polygamma(1, r + y)
    by_r = total - 1.0 / r + 1.0 / (r + mean)
    known = [mean / (1.0 + dispersion * mean), r * r * by_r]
    found = diagonal(NegativeBinomial(), (mean, dispersion))
    np.testing.assert_allclose(found, known, rtol=1e-8)


@pytest.mark.parametrize("mean", [1e-3, 1.0, 1e5])
def test_counts_of_any_dispersion_are_smooth_in_it(mean):
    """Across dispersion * mean = 0.001 the sum goes over into the integral."""
    near = [diagonal(NegativeBinomial(), (mean, (1e-3 + e) / mean)) for e in (-1e-12, 1e-12)]
    np.testing.assert_allclose(near[0], near[1], rtol=1e-8)
