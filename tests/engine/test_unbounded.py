"""Likelihoods without bound and degenerate data.

Ties, interpolation, one outcome, singular columns.
"""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor
from skmle.families import Categorical
from skmle.families.base import LOGIT
from skmle.families.tools.atoms import atoms_of
from tests.engine.verdicts import CONTINUOUS, DISTRIBUTIONAL, RUNS, both, draw_rows, judge
from tests.subjects import (
    ONE_EACH,
    ends_move,
    every,
    is_unbounded,
    may_be_singular,
    middle_of,
    representatives,
    states_a_way,
)

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@pytest.mark.slow
@every(DISTRIBUTIONAL, lambda f: is_unbounded(f) and type(f) in representatives())
def test_some_rows_interpolated(family):
    """20 rows, 9 coefficients for each of two parameters: the law shrinks onto some of the rows."""
    for seed in range(RUNS // 20):
        X, y = draw_rows(family, 20, 8, np.random.default_rng(seed))
        _, said = judge(MLERegressor(family, features=both(family)), X, y)
        slow = not family.movable or ends_move(family)  # shape and scale run off together
        # Rows at a mass beside the density keep the law wide: there may be a maximum away from it.
        inside = said == "interior" and bool(atoms_of(family))
        assert said == "no_maximum" or inside or (said == "not_converged" and slow)


@pytest.mark.parametrize(
    "y", [[0.4] * 6 + [0.1, 0.2, 0.7, 0.9], [0.3] * 9 + [0.3001], [1.0] * 4 + [5.0]], ids=str
)
def test_ties_make_student_t_unbounded(y):
    """Around m equal values of n the density rises without bound once df < m/(n - m) (Fernandez &
    Steel 1999).
    """
    _, said = judge(MLEDistribution("t"), np.array(y)[:, None])
    assert said == "no_maximum"


@pytest.mark.slow
def test_a_few_rows_interpolated_by_a_student_t_regression():
    """20 rows and 5 coefficients, in these draws without an interior maximum.

    The profile over df rises down to zero.
    """
    for seed in (317, 365):
        rng = np.random.default_rng(seed)
        n, p = rng.choice([20, 50, 100, 300]), rng.integers(1, 5)
        X = rng.normal(size=(n, p))
        noise = rng.normal(0.0, 2.0, n) if seed % 2 else rng.logistic(0.0, 1.0, n)
        _, said = judge(MLERegressor("t"), X, X @ rng.normal(size=p) + noise)
        assert said == "no_maximum"


UNBOUNDED = {name: f for name, f in CONTINUOUS.items() if is_unbounded(f)}


@every(CONTINUOUS)
@pytest.mark.parametrize("value", [0.3, 0.7])
def test_constant_data(family, value):
    model, said = judge(MLEDistribution(family), np.full((20, 1), value))
    bounded = "boundary" if family.limits else "interior"
    assert said == ("no_maximum" if is_unbounded(family) or not family.support.smooth else bounded)
    assert all(np.isfinite(v) for v in model.params_.values()) or said == "boundary"
    if said == "no_maximum" or family.gradient_tells_mean:  # else the mean is not what is fitted
        np.testing.assert_allclose(middle_of(model.distribution_), value, rtol=1e-6)


@every(UNBOUNDED)
def test_a_constant_response(family):
    X = np.random.default_rng(0).normal(size=(30, 2))
    model, said = judge(MLERegressor(family), X, np.full(30, 0.4))
    assert said == "no_maximum"
    np.testing.assert_allclose(model.predict(X), 0.4, rtol=1e-6)


@every(UNBOUNDED)
@pytest.mark.slow
def test_saturated_regressions(family):
    """As many coefficients as rows, or more: the law shrinks onto the observations."""
    for seed in range(RUNS // 10):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(3, 12))
        X = rng.normal(size=(n, n - 1 + seed % 4))
        y = rng.uniform(0.1, 0.9, n)
        model, said = judge(MLERegressor(family), X, y)
        assert said == "no_maximum"
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


@every(UNBOUNDED)
@pytest.mark.slow
def test_a_ridge_does_not_bound_a_saturated_regression(family):
    """What interpolates costs a finite penalty, and the density around the observations is without
    bound all the same.
    """
    for seed in range(RUNS // 40):
        rng = np.random.default_rng(seed)
        _, said = judge(
            MLERegressor(family, alpha=0.1), rng.normal(size=(8, 10)), rng.uniform(0.1, 0.9, 8)
        )
        assert said == "no_maximum"


@every(UNBOUNDED)
@pytest.mark.slow
def test_one_coefficient_fewer_than_saturated(family):
    """Two rows more than slopes leave a spread.

    Interior, unless the law itself has another limit, or grows without bound around some rows.
    """
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(9, 5)), rng.uniform(0.1, 0.9, 9)
        _, said = judge(MLERegressor(family), X, y)
        elsewhere = family.limits or family.may_be_unbounded or states_a_way(family)
        ends = ("boundary", "no_maximum", "not_converged")[: 2 + ends_move(family)]
        ends = (*ends, "non_regular") if may_be_singular(family) else ends
        assert said == "interior" or (elsewhere and said in ends)


@every(UNBOUNDED)
def test_an_exact_relation(family):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    eta = X @ [0.3, -0.2] + 0.1
    chart = family.parameters[0].chart
    y = np.exp(eta) if family.support.low == 0.0 and chart is not LOGIT else chart.theta(eta)
    y = family.restore((eta,)) if family.support.high == 1.0 and chart.spans_zero else y
    model, said = judge(MLERegressor(family), X, y)
    assert said == "no_maximum"
    # An observation next to zero, as a law on the whole line has, is met to the size of all of
    # them.
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6, atol=1e-6 * y.std())


ONE_OUTCOME = [
    ("bernoulli", np.ones((9, 1)), {"probability": 1.0}),
    ("bernoulli", np.zeros((9, 1)), {"probability": 0.0}),
    ("binomial", np.array([[3.0, 0.0]] * 9), {"probability": 1.0}),
    ("binomial", np.array([[0.0, 4.0]] * 9), {"probability": 0.0}),
    ("geometric", np.ones((9, 1)), {"probability": 1.0}),
    ("poisson", np.zeros((9, 1)), {"mean": 0.0}),
    ("negative_binomial", np.zeros((9, 1)), {"mean": 0.0, "dispersion": 0.0}),
]


@pytest.mark.parametrize(
    ("family", "y", "params"), ONE_OUTCOME, ids=[f"{name}-{y[0]}" for name, y, _ in ONE_OUTCOME]
)
def test_one_outcome(family, y, params):
    """All the mass stands on one point: a law at the end of its range, with log-likelihood zero."""
    model, said = judge(MLEDistribution(family), y)
    assert said == "boundary" and model.params_ == params
    np.testing.assert_allclose(model.log_likelihood_, 0.0, atol=1e-12)
    np.testing.assert_allclose(model.score(y), 0.0, atol=1e-12)


@every(
    ONE_EACH,
    lambda family: (
        family.support.discrete
        and np.isfinite(family.support.low)
        and family.observation.numeric
        and family.observation.columns == 1
    ),
)
def test_one_outcome_regressed(family):
    """All counts at the lowest of the support."""
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.full(40, family.support.low)
    model, said = judge(MLERegressor(family), X, y)
    assert said in ("separation", "no_maximum", "boundary")
    np.testing.assert_allclose(model.log_likelihood_, 0.0, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-6)


def test_one_category():
    model, said = judge(MLEDistribution("categorical"), np.array([["ape"]] * 5))
    assert said in ("interior", "boundary") and model.score([["ape"]]) == 0.0
    np.testing.assert_array_equal(model.params_["probabilities"], [1.0])


LABELS = np.array(["ape", "bee", "cow"])


@pytest.mark.parametrize("absent", LABELS)
@pytest.mark.parametrize("present", [1, 2])
def test_absent_categories(absent, present):
    """A label that the family knows and the data lack has probability zero, whichever it is."""
    kept = [label for label in LABELS if label != absent][:present]
    y = np.array([kept[0], kept[0], kept[-1]])
    model, said = judge(MLEDistribution(Categorical(LABELS)), y[:, None])
    assert said == "boundary"
    np.testing.assert_allclose(
        model.params_["probabilities"],
        [(y == label).mean() for label in LABELS],
        rtol=1e-12,
        atol=0,
    )
    np.testing.assert_allclose(
        model.log_likelihood_, np.log([(y == v).mean() for v in y]).sum(), rtol=1e-12, atol=1e-12
    )


def test_zeros_of_an_exponential_law():
    model, said = judge(MLEDistribution("exponential"), np.zeros((9, 1)))
    assert said == "no_maximum"
    # The parameters returned are those on the way there, of which the log-likelihood speaks, too.
    np.testing.assert_allclose(9.0 * model.score(np.zeros((2, 1))), model.log_likelihood_)
    assert np.isfinite(model.log_likelihood_) and model.score([[1.0]]) < -1e300
    assert model.predict([[1.0]]) == 0.0


@pytest.mark.slow
def test_singular_multivariate_normal():
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        kind = seed % 4
        n, d = (4, 6) if kind == 0 else (40, 4)
        X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-6, 6, d)
        if kind == 1:
            X[:, 1] = 2.0 * X[:, 0] + 3.0
        if kind == 2:
            X[:, 2] = 1e3
        if kind == 3:
            X[:, 3] = X[:, 0] / np.abs(X[0, 0]) - X[:, 1] / np.abs(X[0, 1])
        model, said = judge(MLEDistribution("multivariate_normal"), X)
        assert said == "no_maximum"
        assert (
            np.abs(model.params_["mean"] - X.mean(axis=0))
            <= 1e-9 * (X.std(axis=0) + np.abs(X.mean(axis=0)))
        ).all()


@pytest.mark.slow
def test_correlated_but_not_singular_multivariate_normal():
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(50, 3)) * 10.0 ** rng.uniform(-6, 6, 3)
        X[:, 2] = X[:, 0] * (1.0 + 1e-4 * rng.normal(size=50))
        model, said = judge(MLEDistribution("multivariate_normal"), X)
        assert said == "interior"
        size = np.sqrt(np.outer(X.var(axis=0), X.var(axis=0)))
        np.testing.assert_allclose(
            model.params_["covariance"] / size, np.cov(X.T, bias=True) / size, atol=1e-9
        )


@pytest.mark.parametrize("cv", [1e-1, 1e-3, 1e-5])
@every(UNBOUNDED)
def test_small_spread_is_no_limit(family, cv):
    """A coefficient of variation of 1e-3 puts the shape of a gamma law at exp(14).

    Far, and interior.
    """
    rng = np.random.default_rng(0)
    noise = rng.standard_t(3.0, 300) if family.limits else rng.normal(size=300)
    y = 0.5 * (1.0 + cv * np.clip(noise, -8.0, 8.0))
    model, said = judge(MLEDistribution(family), y[:, None])
    if ends_move(family) and said == "no_maximum":
        return  # of a law that has no such spread without an end among the observations
    between = family.limits and 0.0 < family.limits[0].value < np.inf
    if between and said == "boundary":
        return  # a power that tells the skewness alone, of which a small spread tells nothing
    assert said == "interior" and model.distance_ <= 1e-4


@pytest.mark.parametrize(("equal", "verdict"), [(4, "interior"), (5, "no_maximum")])
def test_cauchys_scale_vanishes_around_half_of_the_rows(equal, verdict):
    """Copas (1975): the maximum is inside, and the only one, if less than half are equal."""
    y = np.append(np.zeros(equal), np.arange(1.0, 11.0 - equal))
    model, said = judge(MLEDistribution("cauchy"), y[:, None])
    assert said == verdict
    assert verdict == "interior" or model.params_["loc"] == 0.0
