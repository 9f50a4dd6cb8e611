"""Weights so small that their sum has no reciprocal, and scales as small as the least numbers."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor, families
from skmle.exceptions import FitWarning, NotConvergedWarning
from tests.engine.verdicts import fitted, judge
from tests.subjects import ONE_EACH, as_columns, every, observations

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@every(ONE_EACH)
def test_weights_whose_sum_has_no_reciprocal(family):
    y = as_columns(observations(type(family), 12))
    plain, expected = judge(MLEDistribution(family), y)
    weight = 1e-310
    model, said = judge(MLEDistribution(family), y, sample_weight=np.full(len(y), weight))
    assert said == expected
    # A weight of 1e-310 has 14 digits.
    np.testing.assert_allclose(model.log_likelihood_, weight * plain.log_likelihood_, rtol=1e-10)


@pytest.mark.parametrize("name", ["normal", "laplace", "logistic", "student_t"])
@pytest.mark.parametrize("unit", [1e-305, 1e-308, 1e-310])
def test_numbers_next_to_the_least_ones(name, unit):
    y = np.array([[-1.5], [-0.7], [-0.2], [0.1], [0.6], [1.8], [2.2]])
    plain, expected = judge(MLEDistribution(name), y)
    model, said = judge(MLEDistribution(name), unit * y)
    assert said == expected
    np.testing.assert_allclose(model.params_["scale"] / unit, plain.params_["scale"], rtol=1e-11)
    moved = plain.log_likelihood_ - len(y) * np.log(unit)
    np.testing.assert_allclose(model.log_likelihood_, moved, rtol=1e-12)


@pytest.mark.parametrize("link", ["identity", "sqrt", "softplus"])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.slow
def test_nothing_lies_beyond_the_end_of_a_links_domain(link, both):
    """All counts are zero: the mean tends to zero, and never goes below."""
    X, y = np.random.default_rng(0).normal(size=(20, 1)), np.zeros(20)
    family = families.NegativeBinomial(links={"mean": link})
    features = dict.fromkeys(family.names, "all") if both else None
    model, _ = fitted(MLERegressor(family, features=features), X, y)
    assert model.status_ in ("no_maximum", "boundary")
    assert -0.5 < model.log_likelihood_ <= 0.0
    assert (model.predict(X) >= 0.0).all()


def test_tiny_numbers_under_an_inverse_link_are_not_reproduced():
    """1/y is 1e-300: its square underflows, and is no sign of an exact fit."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 1)), 1e300 * rng.gamma(3.0, 1.0, 40)
    family = families.LogLogistic(links={"scale": "inverse"})
    model, _ = fitted(MLERegressor(family), X, y)
    assert model.status_ != "no_maximum" and np.isfinite(model.log_likelihood_)


def test_sums_beyond_the_numbers_are_no_maximum():
    """The log-likelihood of values of 5e307 is a sum beyond the doubles."""
    y = 5e307 * np.random.default_rng(0).normal(size=(30, 1))
    with pytest.warns(NotConvergedWarning, match="beyond the range of floating-point numbers"):
        model = MLEDistribution("laplace").fit(y)
    assert model.status_ == "not_converged"


@pytest.mark.slow
def test_a_scale_in_units_of_huge_numbers_ends_in_a_verdict():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), 1e300 * rng.gamma(2.0, 1.0, 50)
    with pytest.warns(FitWarning):
        MLERegressor(families.Logistic(links={"scale": "identity"})).fit(X, y)
