"""All verdicts of a family survive when some of its parameters are held at known values."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import NoMaximumWarning
from skmle.families import Distribution
from skmle.families.ends import place
from skmle.families.tools.atoms import atoms_of
from tests.engine.verdicts import fitted, judge
from tests.subjects import SUBJECTS, ends_move, every, has_links, is_unbounded

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


def can_be_held(family) -> bool:
    one_column = family.observation.columns == 1 and family.observation.numeric
    several = len(family.parameters) > 1 and has_links(family)
    return one_column and family.support.smooth and several


def continuous(family) -> bool:
    return can_be_held(family) and is_unbounded(family)


def held_value(family, y: float) -> float:
    """The first parameter at which the law shrinks to a point at y."""
    limit = family.saturated(family.statistics(np.array([y])))
    return float(family.parameters[0].chart.theta(limit.first[0]))


@every(SUBJECTS, continuous)
def test_equal_observations_at_the_held_value_have_no_maximum(family):
    y = 0.3 if family.support.high == 1.0 else 7.0
    fixed = {family.names[0]: held_value(family, y)}
    with pytest.warns(NoMaximumWarning, match="all observations are equal"):
        model = MLEDistribution(family, fixed=fixed).fit(np.full((20, 1), y))
    assert model.status_ == "no_maximum"


@every(SUBJECTS, continuous)
def test_equal_observations_elsewhere_have_one(family):
    """The law cannot shrink to a point that it is held away from.

    The likelihood has a bound: a maximum, or a supremum of laws that jump at the held value.
    """
    y, elsewhere = (0.3, 0.45) if family.support.high == 1.0 else (7.0, 5.0)
    fixed = {family.names[0]: held_value(family, elsewhere)}
    model, said = judge(MLEDistribution(family, fixed=fixed), np.full((20, 1), y))
    # Its end may come near to them all the same, or they are multiples of a unit, on which a law of
    # sums with a mass at zero may come to lie.
    if ends_move(family) or len(atoms_of(family)):
        assert said == "no_maximum"
        return
    at_infinity = "towards a finite supremum" in model._fits[0].verdict.reason
    assert said in ("interior", "boundary") or (said == "no_maximum" and at_infinity)
    spread = [name for name in model.params_ if name not in fixed]
    best = model.log_likelihood_
    for name in spread:
        for factor in (0.99, 1.01):
            moved = dict(model.params_)
            low, high = family.link(place(family, name)).domain
            if low < factor * moved[name] < high:
                moved[name] *= factor
                other = Distribution(family, moved).log_prob(np.full(20, y)).sum()
                assert other <= best + 1e-9 * abs(best)


@every(SUBJECTS, continuous)
def test_equal_observations_under_a_held_spread_have_one(family):
    """A law that cannot shrink has a bounded density."""
    y = 0.3 if family.support.high == 1.0 else 7.0
    runs = family.saturated(family.statistics(np.array([y]))).runs
    if len(family.parameters) > 2:
        return  # a free df
    # A value at which no law has a singular information, as Birnbaum and Saunders's has at 2.
    model, said = judge(MLEDistribution(family, fixed={runs: 1.5}), np.full((20, 1), y))
    assert said == "interior" and model.params_[runs] == 1.5


def test_student_t_with_its_location_held_ends_at_the_normal_with_its_location_held():
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (400, 1))
    model, said = judge(MLEDistribution("student_t", fixed={"loc": 0.0}), x)
    limit = MLEDistribution("normal", fixed={"loc": 0.0}).fit(x)
    assert said == "boundary" and model.params_["df"] == np.inf
    assert model.params_["scale"] == pytest.approx(limit.params_["scale"], rel=1e-12)
    assert model.log_likelihood_ == pytest.approx(limit.log_likelihood_, rel=1e-14)
    errors = model.inference().standard_errors
    np.testing.assert_allclose(errors, limit.inference().standard_errors, rtol=1e-10)


def test_student_t_regression_with_its_scale_held_ends_at_the_normal():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 2))
    y = X @ [1.0, -1.0] + rng.uniform(-1.5, 1.5, 300)
    model, said = judge(MLERegressor("student_t", fixed={"scale": 1.0}), X, y)
    limit = MLERegressor("normal", fixed={"scale": 1.0}).fit(X, y)
    assert said == "boundary"
    np.testing.assert_allclose(model.coef_, limit.coef_, rtol=1e-10)
    np.testing.assert_allclose(
        model.inference().standard_errors, limit.inference().standard_errors, rtol=1e-8
    )


def test_negative_binomial_with_its_mean_held_ends_at_poisson():
    y = np.random.default_rng(0).binomial(6, 0.5, (200, 1)).astype(float)
    model, said = judge(MLEDistribution("negative_binomial", fixed={"mean": 3.0}), y)
    assert said == "boundary" and model.params_ == {"mean": 3.0, "dispersion": 0.0}


@pytest.mark.parametrize("fixed", [None, {"dispersion": 0.5}])
def test_separation_is_named_with_the_dispersion_held(fixed):
    X = np.repeat([0.0, 1.0], 20)[:, None]
    y = np.where(X[:, 0] == 0.0, 0.0, np.random.default_rng(0).poisson(3.0, 40))
    model, warned = fitted(MLERegressor("negative_binomial", fixed=fixed), X, y)
    assert model.status_ == "no_maximum" and [c.__name__ for c in warned] == ["SeparationWarning"]
    with pytest.warns(Warning, match="the column 'x0' separates"):
        MLERegressor("negative_binomial", fixed=fixed).fit(X, y)


@every(SUBJECTS, can_be_held)
def test_a_law_of_its_own_is_interior_with_any_parameter_held_at_its_own_value(family):
    rng = np.random.default_rng(3)
    whole = MLEDistribution(family).fit(own_sample(family, rng))
    y = own_sample(family, np.random.default_rng(3))
    for name, value in whole.params_.items():
        model, said = judge(MLEDistribution(family, fixed={name: value}), y)
        assert said == "interior", name
        assert model.log_likelihood_ == pytest.approx(whole.log_likelihood_, rel=1e-10)
        for other, expected in whole.params_.items():
            assert model.params_[other] == pytest.approx(expected, rel=1e-5)


def own_sample(family, rng) -> np.ndarray:
    theta = tuple(np.asarray(p.chart.theta(np.asarray(0.4))) for p in family.parameters)
    y = family.sample(theta, (300,), rng)
    return y[family.contains(y)][:, None]


def test_a_median_regression_with_its_scale_held_is_that_with_a_free_one():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(101, 2))
    y = X @ [1.0, -2.0] + rng.laplace(size=101)
    free = MLERegressor("laplace").fit(X, y)
    model, said = judge(MLERegressor("laplace", fixed={"scale": 0.7}), X, y)
    assert said == "interior"
    np.testing.assert_allclose(model.coef_, free.coef_, rtol=1e-9)
