"""Errors say what is wrong and what to do; nothing warns."""

import warnings

import numpy as np
import pytest
from scipy import stats

from skmle.families import Beta, Distribution, Laplace, Poisson
from skmle.information import (
    conditional_entropy,
    empirical_cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
)
from tests.information.laws import LOG_2, categorical

ERRORS = [
    (
        lambda: entropy([0.5, 0.6]),
        ValueError,
        "p: 1 of 1 probability vectors do not sum to 1; the first sums to 1.1. Allowed: .* divide "
        "by",
    ),
    (
        lambda: entropy([[0.5, 0.5], [0.5, 0.4]]),
        ValueError,
        "p: 1 of 2 probability vectors do not sum to 1; the first sums to 0.9",
    ),
    (lambda: entropy([50.0, 50.0]), ValueError, "sums to 100"),
    (
        lambda: entropy([-0.5, 1.5]),
        ValueError,
        r"p: 1 of 2 entries are no probabilities, the first .*-0.5.* at \(0,\)",
    ),
    (lambda: entropy([np.nan, 1.0]), ValueError, "entries are no probabilities"),
    (lambda: entropy([]), ValueError, r"shape \(0,\) holds no probability vector"),
    (
        lambda: entropy(0.5),
        TypeError,
        "which is no law. Allowed: probability vectors, frozen scipy",
    ),
    (lambda: entropy(np.array(0.5)), ValueError, "holds no probability vector"),
    (lambda: entropy(["a"]), TypeError, "no array of numbers"),
    (lambda: entropy("norm"), TypeError, "p: got 'norm' of type str, which is no law"),
    (lambda: entropy(stats.gamma), TypeError, "scipy.stats.gamma without its a. .* Freeze it"),
    (lambda: entropy(stats.norm(0, -1)), ValueError, "scipy.stats.norm has no law with .*scale=-1"),
    (
        lambda: entropy(stats.vonmises(2.0, 0.0, 3.0)),
        ValueError,
        "has the mass inf over its support",
    ),
    (
        lambda: entropy(stats.wishart(3, np.eye(2))),
        TypeError,
        r"an observation of wishart has the shape \(2, 2\)",
    ),
    (
        lambda: entropy(stats.multivariate_normal([0, 0], np.ones((2, 2)), allow_singular=True)),
        ValueError,
        "covariance has the eigenvalue 0 .* Allowed: positive",
    ),
    (
        lambda: kl_divergence([0.5, 0.5], stats.norm(0, 1)),
        ValueError,
        "p is discrete .* and q is continuous .*: masses and densities",
    ),
    (
        lambda: js_divergence(stats.norm(0, 1), stats.poisson(1)),
        ValueError,
        "p is continuous .* and q is discrete",
    ),
    (lambda: kl_divergence([0.5, 0.5], [0.2, 0.3, 0.5]), ValueError, "p has 2 entries and q has 3"),
    (
        lambda: kl_divergence(stats.norm(0, 1), stats.multivariate_normal([0, 0])),
        ValueError,
        "p is a law of 1 columns .* and q of 2",
    ),
    (
        lambda: kl_divergence(np.full((2, 2), 0.5), np.full((3, 2), 0.5)),
        ValueError,
        r"rows of shape \(2,\) and q of shape \(3,\)",
    ),
    (
        lambda: kl_divergence(categorical("ab", [0.5, 0.5]), stats.poisson(1)),
        ValueError,
        "labels of a categorical law of 2 entries are not numbers, the first is .*'a'",
    ),
    (
        lambda: conditional_entropy([0.5, 0.5]),
        ValueError,
        r"joint: an array of shape \(2,\) holds no probability table",
    ),
    (
        lambda: mutual_information([[0.5, 0.1], [0.1, 0.1]]),
        ValueError,
        "joint: 1 of 1 probability tables .* the first sums to 0.8",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0], [2.0]),
        ValueError,
        "a law has no target",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [[1.0, 2.0]]),
        ValueError,
        r"X of shape \(1, 2\) does not hold observations",
    ),
    (lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, np.nan]), ValueError, "NaN"),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, 2.0], sample_weight=[1.0]),
        ValueError,
        r"the shape is \(1,\), but X has 2",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, 2.0], sample_weight=[0, 0]),
        ValueError,
        "all 2 weights are zero",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, 2.0], sample_weight=[1, -1]),
        ValueError,
        r"1 of 2 rows \(row 1: -1\)",
    ),
    (
        lambda: empirical_cross_entropy(
            Distribution(Poisson(), {"mean": [1.0, 2.0]}), [1.0, 2.0, 3.0]
        ),
        ValueError,
        "does not hold",
    ),
]


@pytest.mark.parametrize("call, kind, match", ERRORS)
def test_errors_say_what_and_what_to_do(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


def test_an_unfitted_estimator_is_no_law():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(TypeError, match="Fit it first"):
        entropy(LogisticRegression())


def test_rounding_of_probabilities_is_let_pass():
    assert entropy([1 / 3, 1 / 3, 1 / 3 + 3e-9]) == pytest.approx(np.log(3), rel=1e-8)


@pytest.mark.slow
def test_no_warning_leaks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        singular = stats.gamma(0.02), stats.beta(0.05, 30), stats.nbinom(0.01, 1e-5)
        for law in (*singular, stats.t(0.3), stats.lognorm(5.0), stats.poisson(1e12)):
            assert np.isfinite(entropy(law))
            assert js_divergence(law, law) == pytest.approx(0.0, abs=1e-12)
        assert js_divergence(
            Distribution(Laplace(), {"loc": 1e3, "scale": 1e-2}), stats.laplace(0, 1)
        ) == pytest.approx(LOG_2, rel=1e-12)
        assert (
            js_divergence(Distribution(Beta(), {"mean": 1e-3, "precision": 1e4}), stats.beta(1, 1))
            < LOG_2
        )
