"""Verdicts on laws that state only their formula: what their rows' own numbers say.

Each case has no maximum, by its making, or has one. A user's function, a scipy law and a wrapper
say the same as the family that states where its rows run to.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln

from skmle import MLEDistribution, MLERegressor, families
from skmle._engine.judge.growth import growth
from tests.engine.verdicts import judge

RNG = np.random.default_rng(1)
N = 60
GROUP = (np.arange(N) % 3 == 0).astype(float)
X = np.column_stack([GROUP, RNG.normal(size=N)])
COUNTS = RNG.poisson(2.0, N).astype(float)
POSITIVE = RNG.exponential(size=N) + 0.1
SIDE = (X[:, 1] > 0.0).astype(float)
# In the group nothing, or anything but nothing, is counted.
NONE_THERE = np.where(GROUP > 0.0, 0.0, COUNTS)
SOME_THERE = np.where(GROUP > 0.0, np.maximum(COUNTS, 1.0), COUNTS * (np.arange(N) % 2))
BINARY = families.Support(0.0, 1.0, closed=(True, True), discrete=True, whole=True)


def bernoulli(y, p):
    return np.where(y > 0.5, np.log(p), np.log1p(-p))


def poisson(y, mu):
    return y * np.log(mu) - mu - gammaln(y + 1.0)


def inflated(y, pi, mu):
    zero = np.log(pi + (1.0 - pi) * np.exp(-mu))
    return np.where(y == 0.0, zero, np.log1p(-pi) + poisson(y, mu))


def own(function, params, support):
    return families.FromLogProb(function, params, support=support)


BERNOULLI = own(bernoulli, {"p": "logit"}, BINARY)
POISSON = own(poisson, {"mu": "log"}, "counts")
INFLATED = own(inflated, {"pi": "logit", "mu": "log"}, "counts")
BOTH = {"pi": "all", "mu": "all"}

# Family, y, and which parameters the message names.
DENSITIES = {
    "all ones": (BERNOULLI, np.ones(20), ["p tends to 1"]),
    "no counts": (POISSON, np.zeros(20), ["mu tends to 0"]),
    "no zeros": (INFLATED, COUNTS[COUNTS > 0.0], ["pi tends to 0"]),
    "nothing but zeros": (INFLATED, np.zeros(20), ["depends on"]),
    "a tail alone": (families.Truncated("laplace", low=0.0), POSITIVE, ["depends on loc"]),
    "a tail before a hurdle": (
        families.Hurdle("laplace"),
        np.append(POSITIVE, np.zeros(9)),
        ["depends on loc"],
    ),
    "flat between ends": (
        families.Truncated("normal", 0.0, 1.0),
        np.linspace(0.01, 0.99, 30),
        ["scale"],
    ),
    "a convex density": (
        families.Truncated("normal", low=0.0),
        POSITIVE**1.5,
        ["loc tends to -inf"],
    ),
    "all in two cells": (
        families.Rounded("normal", 1.0),
        np.tile([3.0, 4.0], 5),
        ["depends on scale"],
    ),
    "more than a geometric law": (
        families.Truncated("geometric", high=5.0),
        np.array([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0, 4.0]),
        ["probability tends to 0"],
    ),
}

REGRESSIONS = {
    "a line separates": (BERNOULLI, SIDE, {}, "'x1'"),
    "none in a group": (POISSON, NONE_THERE, {}, "'x0'"),
    "none in a group, by scipy": (families.ScipyFamily("poisson"), NONE_THERE, {}, "'x0'"),
    "no zero in a group": (INFLATED, SOME_THERE, {"features": BOTH}, "'x0'"),
    "one of two columns": (
        families.Product([BERNOULLI, "poisson"]),
        np.column_stack([SIDE, COUNTS]),
        {},
        "'x1'",
    ),
    "zeros in a group": (
        families.ZeroInflated("gamma"),
        np.where(GROUP > 0.0, POSITIVE, POSITIVE * (np.arange(N) % 2)),
        {"features": {"zeros": "all", "mean": "all"}},
        "'x0'",
    ),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_a_density_without_maximum_names_its_parameters(name):
    family, y, words = DENSITIES[name]
    with pytest.warns(Warning) as caught:
        model = MLEDistribution(family).fit(y[:, None])
    (message,) = {str(w.message) for w in caught}
    assert model.status_ == "no_maximum"
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression_without_maximum_names_its_columns(name):
    family, y, settings, column = REGRESSIONS[name]
    model, says = judge(MLERegressor(family, **settings), X, y)
    assert says == "separation"
    assert any(column.strip("'") in columns for columns in model.separated_.columns.values())


@pytest.mark.parametrize(
    ("one", "other", "y"),
    [(BERNOULLI, "bernoulli", SIDE), (POISSON, "poisson", NONE_THERE)],
    ids=["bernoulli", "poisson"],
)
def test_numbers_say_what_the_family_states(one, other, y):
    mine, _ = judge(MLERegressor(one), X, y)
    theirs, _ = judge(MLERegressor(other), X, y)
    assert mine.status_ == theirs.status_
    np.testing.assert_array_equal(mine.separated_.rows, theirs.separated_.rows)
    np.testing.assert_allclose(mine.log_likelihood_, theirs.log_likelihood_, atol=1e-6)
    (a,), (b,) = mine.coefs_.values(), theirs.coefs_.values()
    np.testing.assert_array_equal(np.isinf(a), np.isinf(b))


def test_the_rest_of_a_law_has_its_errors():
    """What is left where zeros are never added is the zero-truncated law's density itself."""
    y = COUNTS[COUNTS > 0.0][:, None]
    with pytest.warns(Warning):
        model = MLEDistribution(INFLATED).fit(y)
    plain = MLEDistribution("poisson").fit(y)
    errors = np.sqrt(np.diagonal(model._covariances[0]))
    np.testing.assert_allclose(model.params_["mu"], plain.params_["mean"], rtol=1e-6)
    np.testing.assert_allclose(errors[1], np.sqrt(plain._covariances[0][0, 0]), rtol=1e-5)
    assert np.isnan(errors[0])


MAXIMA = {
    "Laplace above zero": (families.Truncated("laplace", low=0.0), 3.0 + RNG.laplace(0, 0.5, N)),
    "normal between ends": (families.Truncated("normal", 0.0, 6.0), 3.0 + RNG.normal(size=N)),
    "zeros and counts": (INFLATED, COUNTS * (np.arange(N) % 2)),
    "a share": (BERNOULLI, SIDE),
    "Gumbel": (families.ScipyFamily("gumbel_r"), RNG.gumbel(size=N)),
}


@pytest.mark.parametrize("name", MAXIMA)
def test_what_has_a_maximum_raises_no_alarm(name):
    family, y = MAXIMA[name]
    _, says = judge(MLEDistribution(family), y[family.support.contains(y)][:, None])
    assert says == "interior"


OF_A_MEAN = families.Exponential(links={"mean": "identity"})


@pytest.mark.parametrize("family", [OF_A_MEAN, families.Truncated(OF_A_MEAN, high=9.0)])
def test_a_change_beyond_the_domain_of_a_link_proves_nothing(family):
    """There is no law with a mean below zero, whether the law states its limits or not."""
    statistics = family.statistics(np.array([0.5, 1.0, 2.0]))
    rises = growth(family, statistics, (np.array([0.0, -1.0, -2.0]),))
    np.testing.assert_array_equal(rises, [0.0, np.nan, np.nan])


@pytest.mark.parametrize("law", [families.Normal, families.Logistic])
@pytest.mark.parametrize("link", ["power(2)", "sqrt", "inverse", "softplus"])
@pytest.mark.parametrize("middle", [260.0, 2600.0])
def test_a_maximum_far_from_zero_is_one_under_a_link_that_keeps_units(law, link, middle):
    """Eta under a power has a power of y's unit, in which 70 000 need not be far out."""
    rng = np.random.default_rng(0)
    column, y = rng.normal(size=(60, 1)), middle + 10.0 * rng.normal(size=60)
    model = MLERegressor(law(links={"loc": link})).fit(column, y)
    assert model.status_ == "interior"
