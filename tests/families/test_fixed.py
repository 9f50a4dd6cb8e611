"""Every family with parameters held fixed."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skmle import MLERegressor, families
from skmle.families import get_family
from skmle.families.wrappers.fixed import fix
from tests.families.laws import HELD, check_derivatives, draw, formula_of, points
from tests.subjects import every, has_curvature

pytestmark = pytest.mark.filterwarnings("error")


@every(HELD)
def test_derivatives_of_the_free_parameters(family, rng, assert_derivative):
    for chart_eta in points(family, 2):
        y = draw(family, chart_eta, 8, rng)
        check_derivatives(
            formula_of(family, y, family.rows),
            family.linked(chart_eta),
            has_curvature(family.family),
            len(y),
            assert_derivative,
        )


@every(HELD)
def test_held_parameters_complete_the_law(family, rng):
    whole = family.family
    for chart_eta in points(family, 2):
        eta = family.linked(chart_eta)
        theta = family.natural(eta)
        np.testing.assert_allclose(family.chart(eta), chart_eta, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(family.eta(theta), eta, rtol=1e-11, atol=1e-12)
        law = family.predicted(theta)
        params = law.params
        assert law.family is whole and tuple(params) == whole.names == family.predicted_names
        assert {name: params[name] for name in family.values} == family.values
        assert tuple(params[name] for name in family.names) == theta
        y = draw(family, chart_eta, 8, rng)
        np.testing.assert_allclose(family.log_prob(y, eta), law.log_prob(y), rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(family.mean(theta), whole.mean(tuple(params.values())))
        start = family.starts(family.statistics(y), np.ones(len(y)))
        assert np.shape(start)[1:] == (len(family.parameters),) and np.isfinite(start).all()
    assert set(family.names) | set(family.values) == set(whole.names) and family.contains(y).all()
    assert repr(pickle.loads(pickle.dumps(clone(family)))) == repr(family)


@pytest.mark.parametrize(
    ("family", "values", "parts"),
    [
        ("gamma", {"scale": 1.0}, ["Gamma", "'scale'", "Allowed: mean, shape", "Rename"]),
        (
            "gamma",
            {"shape": -1.0},
            ["shape=-1.0", "Gamma", "Allowed: numbers > 0 that link 'log'", "Give"],
        ),
        ("gamma", {"shape": np.inf}, ["shape=inf", "Gamma", "Allowed: ", "Give"]),
        (
            "beta",
            {"mean": 1.0},
            ["mean=1.0", "Beta", "Allowed: numbers > 0 and < 1 ", "'logit'", "Give"],
        ),
        (
            families.Poisson(links={"mean": "identity"}),
            {"mean": -1.0},
            [
                "mean=-1",
                "Allowed: numbers > 0 that link 'log' and link 'identity' both map",
                "Give",
            ],
        ),
        ("uniform", {"low": 0.0}, ["{'low': 0.0}", "Uniform", "Allowed: regular", "Leave"]),
        (
            families.Categorical().adapt(["a", "b", "c"]),
            {"probabilities": 0.5},
            ["{'probabilities': 0.5}", "Categorical", "Allowed: fixed=None", "Leave"],
        ),
    ],
)
def test_errors_of_fixed_have_four_parts(family, values, parts):
    with pytest.raises(ValueError, match="fixed") as caught:
        fix(get_family(family), values)
    for part in parts:
        assert part in str(caught.value)


def test_nothing_fixed():
    family = families.Gamma()
    assert fix(family, {}) is family


def test_with_its_end_known_a_law_is_regular(rng):
    """log(y/scale) of Pareto's law is exponential, and so is its regression."""
    X = rng.normal(size=(400, 2))
    log_y = rng.exponential(size=400) * np.exp(0.3 * X[:, 0] - 0.5)
    model = MLERegressor("pareto", fixed={"scale": 2.0}).fit(X, 2.0 * np.exp(log_y))
    other = MLERegressor("exponential").fit(X, log_y)
    assert model.status_ == "interior"
    np.testing.assert_allclose(model.coef_, -other.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, -other.intercept_, rtol=1e-9)
    with pytest.raises(ValueError, match="outside the support"):
        MLERegressor("pareto", fixed={"scale": 3.0}).fit(X, 2.0 * np.exp(log_y))
