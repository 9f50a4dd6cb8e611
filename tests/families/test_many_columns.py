"""The normal law of several columns: columns that almost depend on each other, and any units."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from skmle import Distribution, MLEDistribution
from skmle.information import cross_entropy, entropy, kl_divergence

pytestmark = pytest.mark.numerics


def exact_log_likelihood(X: np.ndarray) -> float:
    """Return the log-likelihood at the maximum, by sums of fractions."""
    n, d = X.shape
    columns = [[Fraction(float(v)) for v in column] for column in X.T]
    means = [sum(column) / n for column in columns]
    pairs = [[v - m for v in column] for column, m in zip(columns, means, strict=True)]
    matrix = [[sum(a * b for a, b in zip(p, q, strict=True)) / n for q in pairs] for p in pairs]
    log_determinant = 0.0
    for i in range(d):  # the pivots of Gauss's elimination
        log_determinant += math.log(matrix[i][i].numerator) - math.log(matrix[i][i].denominator)
        for j in range(i + 1, d):
            share = matrix[j][i] / matrix[i][i]
            matrix[j] = [a - share * b for a, b in zip(matrix[j], matrix[i], strict=True)]
    return -0.5 * n * (d * np.log(2.0 * np.pi) + float(log_determinant) + d)


@pytest.mark.parametrize("residual", [1.0, 1e-2, 1e-4, 1e-5, 3e-6, 1e-6, 1e-7, 1e-8])
def test_a_small_residual_keeps_its_digits(residual):
    rng = np.random.default_rng(0)
    z, e = rng.normal(size=(2, 60))
    X = np.column_stack([z, z + residual * e])
    model = MLEDistribution("multivariate_normal").fit(X)
    assert model.status_ == "interior"
    tolerance = 1e-11 / residual + 1e-10  # the doubles of X have this share of rounding
    expected = exact_log_likelihood(X)
    np.testing.assert_allclose(model.log_likelihood_, expected, rtol=tolerance, atol=1e-9)
    np.testing.assert_allclose(model.score(X) * len(X), expected, rtol=tolerance, atol=1e-9)


def test_columns_that_depend_on_each_other_have_no_density():
    X = np.random.default_rng(0).normal(size=(50, 2))
    X = np.column_stack([X, X @ [2.0, -1.0]])
    with pytest.warns(match="space of 2 dimensions"):
        model = MLEDistribution("multivariate_normal").fit(X)
    assert model.status_ == "no_maximum"


@pytest.mark.slow
def test_the_fitted_law_of_columns_in_any_units():
    """A stock table has spreads from 0.002 to 570; scaled columns have the same law."""
    X = load_breast_cancer().data[:, [3, 19]]
    law = MLEDistribution("multivariate_normal").fit(X).distribution_
    scaled = MLEDistribution("multivariate_normal").fit(X / X.std(axis=0)).distribution_
    shift = np.log(X.std(axis=0)).sum()
    np.testing.assert_allclose(law.entropy(), scaled.entropy() + shift, rtol=1e-12)
    np.testing.assert_allclose(law.to_scipy().entropy(), law.entropy(), rtol=1e-12)
    at = law.mean()
    np.testing.assert_allclose(law.cdf(at), scaled.cdf(scaled.mean()), rtol=1e-6)
    np.testing.assert_allclose(law.sf(at), law.cdf(at), rtol=1e-6)  # both are those of a quarter
    for columns in (X, load_breast_cancer().data):
        model = MLEDistribution("multivariate_normal").fit(columns)
        np.testing.assert_allclose(entropy(model), model.distribution_.to_scipy().entropy())


def test_sf_is_the_probability_above_all_entries():
    law = Distribution("multivariate_normal", {"mean": [0.0, 1.0], "covariance": np.eye(2)})
    one, two = (Distribution("normal", {"loc": m, "scale": 1.0}) for m in (0.0, 1.0))
    np.testing.assert_allclose(law.sf([0.5, 0.7]), one.sf(0.5) * two.sf(0.7), rtol=1e-6)


def test_divergence_from_independent_columns_is_closed():
    X = np.random.default_rng(0).normal(size=(200, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
    joint, apart = (MLEDistribution(name).fit(X) for name in ("multivariate_normal", "normal"))
    for p, q in ((joint, apart), (apart, joint)):
        value, error = kl_divergence(p, q, return_standard_error=True)
        assert error == 0.0 and value > 0.0
        assert cross_entropy(p, q, return_standard_error=True)[1] == 0.0
    correlation = np.corrcoef(X.T)[0, 1]
    np.testing.assert_allclose(
        kl_divergence(joint, apart), -0.5 * np.log1p(-(correlation**2)), rtol=1e-9
    )


@pytest.mark.parametrize(
    "covariance, said",
    [
        ([[1.0, 1.0], [1.0, 1.0]], "eigenvalue"),
        ([[1.0, 0.5], [0.2, 1.0]], r"\[0, 1\] and \[1, 0\]"),
        ([[np.inf, 0.5], [0.5, 1.0]], "not finite"),
        ([[1.0]], "shape"),
    ],
)
def test_covariances_that_are_none(covariance, said):
    with pytest.raises(ValueError, match=rf"{said}[\s\S]*Allowed: [\s\S]*\."):
        Distribution("multivariate_normal", {"mean": [0.0, 0.0], "covariance": covariance})


def test_numbers_whose_squares_are_none():
    X = np.random.default_rng(0).normal(size=(20, 2))
    X[3, 1] = 1.7e308
    with pytest.raises(ValueError, match=r"column 1 reaches 1\.7e\+308\. Allowed: .*\. Drop"):
        MLEDistribution("multivariate_normal").fit(X)


def test_parameters_tell_the_number_of_categories():
    law = Distribution("categorical", {"probabilities": [0.25, 0.25, 0.5]})
    np.testing.assert_allclose(law.log_prob([0, 1, 2]), np.log([0.25, 0.25, 0.5]))
