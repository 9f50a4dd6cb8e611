"""Limit laws: where the maximum is at the end of a parameter's range, the limit is named and
fitted.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtri

from skmle import MLEDistribution, MLERegressor
from tests.engine.verdicts import RUNS, check_density, check_regression, fitted, judge
from tests.subjects import ONE_EACH

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


def verdict_of_counts(y: np.ndarray, mean: np.ndarray | float) -> str:
    """The score test of the negative binomial law at its Poisson limit.

    Is the variance greater than the mean?
    """
    return "interior" if ((y - mean) ** 2 - y).sum() > 0.0 else "boundary"


def verdict_of_tails(residual: np.ndarray) -> str:
    """The score test of Student's law at its normal limit: is the kurtosis greater than 3?"""
    return "interior" if (residual**4).mean() > 3.0 * (residual**2).mean() ** 2 else "boundary"


def underdispersed(mean: np.ndarray, seed: int, rng: np.random.Generator) -> np.ndarray:
    """Poisson counts, or binomial ones, whose variance is less."""
    return (
        rng.poisson(mean) if seed % 2 else rng.binomial(np.ceil(3.0 * mean).astype(int), 1.0 / 3.0)
    ).astype(float)


@pytest.mark.slow
def test_negative_binomial_on_counts_without_overdispersion():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n = rng.choice([5, 10, 30, 100, 300])
        y = underdispersed(np.full(n, np.exp(rng.normal(0.5, 1.0))), seed, rng)
        model, said = judge(MLEDistribution("negative_binomial"), y[:, None])
        found[said, verdict_of_counts(y, y.mean()) if y.any() else "boundary"] += 1
        if said == "boundary":
            poisson, _ = fitted(MLEDistribution("poisson"), y[:, None])
            assert model.params_ == {"mean": poisson.params_["mean"], "dispersion": 0.0}
            np.testing.assert_allclose(model.log_likelihood_, poisson.log_likelihood_, rtol=1e-10)
            if y.any():
                np.testing.assert_allclose(
                    model.inference().standard_errors,
                    poisson.inference().standard_errors,
                    rtol=1e-10,
                )
        else:
            check_density(model, ONE_EACH["NegativeBinomial"], y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.7 * RUNS
    ), found


@pytest.mark.slow
def test_negative_binomial_regression_on_counts_without_overdispersion():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n, p = rng.choice([30, 100, 300]), rng.integers(1, 5)
        X = rng.normal(size=(n, p))
        y = underdispersed(np.exp(rng.normal(0.5, 0.8) + X @ rng.normal(0.0, 0.3, p)), seed, rng)
        poisson = MLERegressor("poisson").fit(X, y)
        model, said = judge(MLERegressor("negative_binomial"), X, y)
        found[said, verdict_of_counts(y, poisson.predict(X))] += 1
        if said == "boundary":
            np.testing.assert_array_equal(model.coef_, poisson.coef_)
            assert model.params_ == {"dispersion": 0.0} and model.intercept_ == poisson.intercept_
            np.testing.assert_allclose(model.log_likelihood_, poisson.log_likelihood_, rtol=1e-10)
            np.testing.assert_allclose(
                model.inference().covariance, poisson.inference().covariance, rtol=1e-10
            )
            np.testing.assert_array_equal(model.predict_dist(X).var(), model.predict(X))
        else:
            check_regression(model, ONE_EACH["NegativeBinomial"], X, y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.7 * RUNS
    ), found


def light_tails(n: int, seed: int, rng: np.random.Generator) -> np.ndarray:
    return [
        rng.normal(3.0, 2.0, n),
        rng.uniform(0.0, 1.0, n),
        rng.logistic(0.0, 1.0, n),
        rng.normal(0.0, 1e-3, n),
    ][seed % 4]


@pytest.mark.slow
def test_student_t_on_light_tails():
    """The maximum is the normal law exactly if the kurtosis about its fit is at most 3 (samples of
    30 and more).
    """
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        y = light_tails(rng.choice([30, 100, 300]), seed, rng)
        normal = MLEDistribution("normal").fit(y[:, None])
        model, said = judge(MLEDistribution("t"), y[:, None])
        found[said, verdict_of_tails(y - y.mean())] += 1
        if said == "boundary":
            assert (
                model.params_ == {**normal.params_, "df": np.inf}
                and model.log_likelihood_ == normal.log_likelihood_
            )
        else:
            check_density(model, ONE_EACH["StudentT"], y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.5 * RUNS
    ), found


@pytest.mark.slow
def test_student_t_regression_on_light_tails():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n, p = rng.choice([50, 100, 300]), rng.integers(1, 5)
        X = rng.normal(size=(n, p))
        y = X @ rng.normal(size=p) + light_tails(n, seed, rng)
        normal = MLERegressor("normal").fit(X, y)
        model, said = judge(MLERegressor("t"), X, y)
        found[said, verdict_of_tails(y - normal.predict(X))] += 1
        if said == "boundary":
            # The rows of a likelihood with several maxima are summed in an order of their own.
            close = partial(pytest.approx, rel=1e-13)
            np.testing.assert_allclose(model.coef_, normal.coef_, rtol=1e-12)
            assert model.params_ == close({**normal.params_, "df": np.inf})
            assert model.log_likelihood_ == close(normal.log_likelihood_)
        else:
            check_regression(model, ONE_EACH["StudentT"], X, y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.5 * RUNS
    ), found


@pytest.mark.parametrize("excess", [1e-1, 1e-2, 1e-4, 1e-6, 1e-9, 0.0, -1e-6])
def test_a_maximum_that_cannot_be_told_from_its_limit_is_the_limit(excess):
    """A kurtosis of 3 + excess has its maximum at df ~ 6/excess, no more than 1e-9 nats a row above
    the normal law if excess is small.
    """
    x = ndtri((np.arange(400) + 0.5) / 400.0)

    def bent(a: float) -> np.ndarray:
        return x + a * x**3

    def kurtosis(y: np.ndarray) -> float:
        return float(((y - y.mean()) ** 4).mean() / y.var() ** 2)

    y = bent(brentq(lambda a: kurtosis(bent(a)) - 3.0 - excess, 0.0, 0.1))
    model, said = judge(MLEDistribution("t"), y[:, None])
    assert said == ("interior" if excess >= 1e-2 else "boundary")
    if said == "interior":
        check_density(model, ONE_EACH["StudentT"], y)


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
def test_tiny_samples_of_student_t(n):
    """The likelihood has several maxima, and is unbounded.

    Whatever is returned is at least as likely as the normal law.
    """
    found = Counter()
    for seed in range(RUNS // 2):
        y = np.random.default_rng(seed).standard_t(3.0, size=n)
        normal = MLEDistribution("normal").fit(y[:, None])
        model, said = judge(MLEDistribution("t"), y[:, None])
        found[said] += 1
        assert model.log_likelihood_ >= normal.log_likelihood_ - 1e-9
        if said == "interior":
            check_density(model, ONE_EACH["StudentT"], y)
    assert set(found) <= {"interior", "boundary", "no_maximum"}, found


@pytest.mark.parametrize(
    ("df", "expected"), [(3e3, "interior"), (3e4, "interior"), (1e5, "boundary"), (1e6, "boundary")]
)
def test_degrees_of_freedom_that_the_data_do_not_determine_are_infinite(df, expected):
    """At 1e5 of them the standard error of their logarithm is beyond a thousand, and the normal law
    is as likely to 1e-9 a row.
    """
    x = np.linspace(-9.0, 9.0, 4001)
    weight = stats.t(df).pdf(x)
    _, said = judge(MLEDistribution("t"), x[:, None], sample_weight=weight / weight.mean())
    assert said == expected
