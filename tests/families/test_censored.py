"""Fits to censored observations of every family of one column."""

from __future__ import annotations

import pickle
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skmle import MLEDistribution, MLERegressor, censored, families
from skmle.families import Censored
from skmle.families.wrappers.fixed import fix
from tests.engine.verdicts import judge
from tests.subjects import (
    every_class,
    has_order,
    has_units,
    middle_of,
    observations,
    respond,
    states_a_way,
)

pytestmark = pytest.mark.filterwarnings("error", "ignore::skmle.exceptions.BoundaryWarning")

LAWS = every_class(lambda cls: has_order(cls) and cls.support.smooth)
HELD = every_class(lambda cls: has_order(cls) and cls.support.smooth and len(cls().parameters) > 1)
MEASURED = every_class(
    lambda cls: (
        has_order(cls) and cls.support.smooth and not cls.support.discrete and has_units(cls)
    )
)


def blur(y: np.ndarray, counted: bool) -> np.ndarray:
    """Return rows in turn exact, right-censored, left-censored, between two ends, and unknown."""
    spread = np.subtract(*np.quantile(y, [0.75, 0.25]))
    spread = max(spread, 4.0) if counted else spread
    low, high = y - 0.4 * spread, y + 0.3 * spread
    rows = np.column_stack([y, y])
    rows[1::5] = np.column_stack([low, np.full(len(y), np.inf)])[1::5]
    rows[2::5] = np.column_stack([np.full(len(y), -np.inf), high])[2::5]
    rows[3::5] = np.column_stack([low, high])[3::5]
    rows[4::20] = [-np.inf, np.inf]
    return rows


@cache
def sample(cls) -> np.ndarray:
    return blur(observations(cls, 120), cls.support.discrete)


@cache
def density(cls) -> MLEDistribution:
    return MLEDistribution(Censored(cls)).fit(sample(cls))


def design(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})


@cache
def regression(cls) -> tuple[pd.DataFrame, np.ndarray, MLERegressor]:
    X = design()
    y = respond(cls, 0.4 * X["a"].to_numpy(), np.random.default_rng(6))
    rows = blur(y, cls.support.discrete)
    return X, rows, MLERegressor(Censored(cls)).fit(X, rows)


def agree(one, other, rtol: float = 1e-7) -> None:
    """Compare the likelihoods, the parameters in standard errors, and these."""
    np.testing.assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=1e-9, atol=1e-9)
    assert distance_between(one, other, rtol) < 2e-6


def distance_between(one, other, rtol: float) -> float:
    """Return how far the estimates are from each other in standard errors, which shall agree.

    Laws with cusps have no errors; their estimates are measured by their size.
    """
    mine, theirs = one._results(), other._results()
    np.testing.assert_allclose(mine.standard_errors, theirs.standard_errors, rtol=rtol)
    size = np.where(
        np.isnan(theirs.standard_errors), np.abs(theirs.estimates), theirs.standard_errors
    )
    return float((np.abs(mine.estimates - theirs.estimates) / size).max())


# ---------------------------------------------------------------- the maximum


@LAWS
def test_no_point_around_a_density_is_more_likely(cls):
    model = density(cls)
    assert model.status_ in ("interior", "boundary")
    law = model._observed[0].family
    rows, best = sample(cls), model.log_likelihood_
    np.testing.assert_allclose(model.score(rows) * len(rows), best, rtol=1e-12)
    if model.status_ == "interior":
        eta = law.eta(model.distribution_.theta)
        for j in range(len(eta)):
            for step in (-1e-3, 1e-3, -1e-1, 1e-1):
                moved = tuple(e + step * (i == j) for i, e in enumerate(eta))
                assert law.log_prob(rows, moved).sum() < best


@LAWS
def test_a_regression_is_at_a_stationary_point(cls):
    X, rows, model = regression(cls)
    assert model.status_ in ("interior", "boundary")
    np.testing.assert_allclose(model.score(X, rows) * len(X), model.log_likelihood_, rtol=1e-12)
    if model.status_ == "interior" and cls.shortcuts.starts != "final":  # at a cusp it is not zero
        found = model.predict_dist(X)
        law = Censored(found.family)
        eta = law.eta(found.theta)
        gradient = law.rows(law.statistics(rows), eta, 1).gradient
        for j, slope in enumerate(gradient):
            columns = [np.ones(len(X)), *(X.to_numpy().T if j == 0 else ())]
            for column in columns:
                pull = slope * column
                assert abs(pull.sum()) < 2e-6 * np.sqrt((pull**2).sum())


@LAWS
def test_weights_are_repeated_rows(cls):
    rows = sample(cls)
    times = np.arange(len(rows)) % 3
    weighted = MLEDistribution(Censored(cls)).fit(rows, sample_weight=times)
    agree(weighted, MLEDistribution(Censored(cls)).fit(rows.repeat(times, axis=0)))
    X, rows, _ = regression(cls)
    weighted = MLERegressor(Censored(cls)).fit(X, rows, sample_weight=times)
    repeated = MLERegressor(Censored(cls)).fit(X.loc[X.index.repeat(times)], rows.repeat(times, 0))
    agree(weighted, repeated, 1e-6)


@LAWS
@pytest.mark.slow
def test_exact_rows_alone_are_the_family_itself(cls):
    y = observations(cls, 120)
    ours, plain = MLEDistribution(Censored(cls)), MLEDistribution(cls)
    same_fit(ours.fit(np.column_stack([y, y])), plain.fit(y[:, None]))
    assert ours.params_.keys() == plain.params_.keys()
    X, _, _ = regression(cls)
    y = respond(cls, 0.4 * X["a"].to_numpy(), np.random.default_rng(6))
    ours = MLERegressor(Censored(cls)).fit(X, np.column_stack([y, y]))
    same_fit(ours, MLERegressor(cls).fit(X, y))


def same_fit(one, other) -> None:
    np.testing.assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=1e-12)
    assert distance_between(one, other, 1e-6) < 1e-6 and one.status_ == other.status_


@MEASURED
@pytest.mark.parametrize(("unit", "origin"), [(1e8, 0.0), (1e-6, 0.0), (1.0, 1e7)])
@pytest.mark.slow
def test_units_change_the_density_of_exact_rows_alone(cls, unit, origin):
    origin = origin if np.isinf(cls.support.low) else 0.0  # a law that starts at zero has no other
    rows, model = sample(cls), density(cls)
    other = MLEDistribution(Censored(cls)).fit(rows * unit + origin)
    exact = (rows[:, 0] == rows[:, 1]).sum()
    moved = model.log_likelihood_ - exact * np.log(unit)
    np.testing.assert_allclose(other.log_likelihood_, moved, rtol=1e-9)
    assert other.status_ == model.status_
    levels = np.array([0.1, 0.5, 0.9])
    quantiles = model.distribution_.ppf(levels)
    found = (other.distribution_.ppf(levels) - origin) / unit
    np.testing.assert_allclose(found, quantiles, rtol=1e-6)
    X, rows, model = regression(cls)
    other = MLERegressor(Censored(cls)).fit(X, rows * unit + origin)
    moved = model.log_likelihood_ - (rows[:, 0] == rows[:, 1]).sum() * np.log(unit)
    np.testing.assert_allclose(other.log_likelihood_, moved, rtol=1e-9)


@LAWS
def test_order_and_columns_change_nothing(cls, rng):
    X, rows, model = regression(cls)
    order = rng.permutation(len(X))
    scaled = X * [1e6, 1e-6]
    other = MLERegressor(Censored(cls)).fit(scaled.iloc[order], rows[order])
    np.testing.assert_allclose(other.log_likelihood_, model.log_likelihood_, rtol=1e-10)
    np.testing.assert_allclose(other.coef_ * [1e6, 1e-6], model.coef_, rtol=1e-4, atol=1e-6)


@LAWS
def test_every_parameter_may_depend_on_features(cls):
    X, rows, model = regression(cls)
    names = Censored(cls).names
    model_of_all = MLERegressor(Censored(cls), features=dict.fromkeys(names, "all"))
    whole, said = judge(model_of_all, X, rows)
    way = said == "no_maximum" and states_a_way(families.get_family(cls))
    assert said in ("interior", "boundary") or way
    assert whole.log_likelihood_ >= model.log_likelihood_ - 1e-9
    np.testing.assert_allclose(whole.score(X, rows) * len(X), whole.log_likelihood_, rtol=1e-12)


@HELD
@pytest.mark.slow
def test_a_parameter_may_be_held(cls):
    """Held at its estimate, inside or outside, it leaves the others where they are."""
    model = density(cls)
    assert model.status_ in ("interior", "boundary")
    for name, value in model.params_.items():
        if not np.isfinite(value):  # at an end of its range
            continue
        within = Censored(fix(families.get_family(cls), {name: value}))
        for held in (MLEDistribution(Censored(cls), fixed={name: value}), MLEDistribution(within)):
            held.fit(sample(cls))
            np.testing.assert_allclose(held.log_likelihood_, model.log_likelihood_, rtol=1e-9)
            for other, found in held.params_.items():
                np.testing.assert_allclose(found, model.params_[other], rtol=1e-5, atol=1e-6)


def test_a_weibull_law_of_shape_one_is_exponential():
    rows = blur(observations(families.Exponential, 60), False)
    held = MLEDistribution(Censored("weibull"), fixed={"shape": 1.0}).fit(rows)
    plain = MLEDistribution(Censored("exponential")).fit(rows)
    np.testing.assert_allclose(held.params_["scale"], plain.params_["mean"], rtol=1e-9)
    np.testing.assert_allclose(held.log_likelihood_, plain.log_likelihood_, rtol=1e-12)


@pytest.mark.parametrize(
    ("cls", "links"),
    [
        (families.Gamma, {"mean": "identity", "shape": "power(-2)"}),
        (families.Poisson, {"mean": "identity"}),
        (families.Exponential, {"mean": "inverse"}),
        (families.Normal, {"scale": "identity"}),
        (families.Beta, {"mean": "cloglog"}),
        (families.Bernoulli, {"probability": "probit"}),
    ],
)
def test_links_do_not_change_a_density(cls, links):
    model = MLEDistribution(Censored(cls(links=links))).fit(sample(cls))
    plain = density(cls)
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-12)
    np.testing.assert_allclose(
        list(model.params_.values()), list(plain.params_.values()), rtol=1e-5
    )
    X, rows, plain = regression(cls)
    other = MLERegressor(Censored(cls(links=links))).fit(X, rows)
    assert other.status_ in ("interior", "boundary")
    np.testing.assert_allclose(other.score(X, rows) * len(X), other.log_likelihood_, rtol=1e-12)


# ---------------------------------------------------------------- predictions, and scikit-learn


@LAWS
def test_predictions_speak_of_the_uncensored_variable(cls):
    X, rows, model = regression(cls)
    law = model.predict_dist(X)
    assert type(law.family) is cls
    np.testing.assert_array_equal(model.predict(X), middle_of(law))
    low, high = model.predict_interval(X, coverage=0.8)
    np.testing.assert_allclose(low, law.ppf(0.1), rtol=1e-12)
    np.testing.assert_allclose(high, law.isf(0.1), rtol=1e-12)
    exact = rows[:, 0] == rows[:, 1]
    scores = Censored(law.family).log_prob(rows, Censored(law.family).eta(law.theta))
    np.testing.assert_allclose(scores[exact], law.log_prob(rows[:, 0])[exact], rtol=1e-12)
    np.testing.assert_allclose(scores.mean(), model.score(X, rows), rtol=1e-12)
    assert density(cls).sample(7, random_state=0).shape == (7, 1)


@LAWS
@pytest.mark.slow
def test_it_is_an_estimator_of_scikit_learn(cls):
    X, rows, model = regression(cls)
    family = Censored(cls())
    copy = clone(model)
    assert repr(copy) == repr(model) and repr(clone(family)) == repr(family)
    assert family.get_params(deep=False).keys() == {"family"}
    assert family.set_params(family="normal").family == "normal"
    saved = pickle.dumps(model)
    assert len(saved) < 20_000
    np.testing.assert_array_equal(pickle.loads(saved).predict(X), model.predict(X))
    frame = pd.DataFrame(rows, columns=["lower", "upper"])
    again = copy.fit(X, frame)
    assert again.log_likelihood_ == model.log_likelihood_
    np.testing.assert_array_equal(again.score(X, frame), model.score(X, rows))
    for other in (rows.tolist(), rows.astype(object)):
        assert clone(model).fit(X, other).log_likelihood_ == model.log_likelihood_
    named = MLEDistribution(Censored(cls))
    named.fit(pd.DataFrame(sample(cls), columns=["lower", "upper"]))
    assert list(named.feature_names_in_) == ["lower", "upper"]
    assert named.log_likelihood_ == density(cls).log_likelihood_
    assert len(pickle.dumps(named)) < 20_000


@pytest.mark.slow
def test_grid_search_and_cross_validation():
    X, rows, _ = regression(families.Weibull)
    choices = [Censored("weibull"), Censored("lognormal"), Censored("log_logistic")]
    search = GridSearchCV(MLERegressor(), {"family": choices}, cv=3).fit(X, rows)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all() and search.best_score_ == scores.max()
    one = cross_val_score(MLERegressor(choices[0]), X, rows, cv=3)
    np.testing.assert_allclose(one.mean(), scores[0], rtol=1e-12)
    alone = GridSearchCV(MLEDistribution(), {"family": choices}, cv=3).fit(rows)
    assert alone.best_params_["family"] in choices and np.isfinite(alone.score(rows))


def test_integers_and_single_precision():
    X, rows, _ = regression(families.Poisson)
    whole = np.where(np.isfinite(rows), rows, [0.0, 99.0]).astype(int)
    other = MLERegressor(Censored("poisson")).fit(X, whole)
    same = MLERegressor(Censored("poisson")).fit(X, whole.astype(float))
    assert other.log_likelihood_ == same.log_likelihood_
    coarse = MLERegressor(Censored("gamma")).fit(X, (rows + 1.0).astype(np.float32))
    assert coarse.status_ == "interior"


def test_counts_include_both_ends():
    """P(1 <= Y <= 2) is the mass of 1 and of 2, wherever between the whole numbers the ends are."""
    law, eta = Censored("poisson"), (np.log(1.7),)
    mass = np.exp(families.Poisson().log_prob(np.array([1.0, 2.0]), eta)).sum()
    for ends in ([1.0, 2.0], [0.5, 2.9], [0.1, 2.0]):
        np.testing.assert_allclose(np.exp(law.log_prob(np.array([ends]), eta)), mass, rtol=1e-14)
    several = np.array([[0.0, 2.0], [-7.0, 2.0], [-np.inf, 2.9]])
    np.testing.assert_allclose(law.log_prob(several, eta), np.log(mass + np.exp(-1.7)), rtol=1e-14)


def test_a_bound_outside_the_support_leaves_the_side_open():
    for name, low, high in (
        ("gamma", 0.0, np.inf),
        ("beta", 0.0, 1.0),
        ("exponential", 0.0, np.inf),
    ):
        law, eta = Censored(name), tuple(np.zeros(()) for _ in Censored(name).parameters)
        rows = np.array(
            [[-3.0, 0.4], [low, 0.4], [-np.inf, 0.4], [0.4, high], [0.4, 7e9], [0.4, np.inf]]
        )
        value = law.log_prob(rows, eta)
        np.testing.assert_allclose(value[:3], value[0], rtol=1e-15)
        np.testing.assert_allclose(value[3:], value[3], rtol=1e-15)
        np.testing.assert_allclose(np.exp(value[[0, 3]]).sum(), 1.0, rtol=1e-14)
        everything = law.log_prob(np.array([[-1.0, np.inf], [0.4, 0.4]]), eta)
        assert everything[0] == 0.0


# ---------------------------------------------------------------- rows with an entry and an exit


@LAWS
def test_probabilities_are_those_of_the_window(cls):
    """log P of a row with ends of what can be seen is that without, less that of the ends."""
    rows = sample(cls)
    support = cls.support
    y = np.sort(observations(cls, 120))
    entry, leave = float(y[5]) - 1.0 * support.discrete, float(y[-5])
    family, fitted = Censored(cls), density(cls)._observed[0]
    law, eta = fitted.family, fitted.family.eta(fitted.theta)
    wide = np.column_stack([rows, np.full(len(rows), entry), np.full(len(rows), leave)])
    inside = family.contains(wide)
    assert inside.sum() > 50
    wide = wide[inside]
    first = np.floor(entry) + 1.0 if support.discrete else entry
    exact = wide[:, 0] == wide[:, 1]
    low = np.where(exact, wide[:, 0], np.maximum(wide[:, 0], first))
    high = np.where(exact, wide[:, 1], np.minimum(wide[:, 1], leave))
    known = law.log_prob(np.column_stack([low, high]), eta)
    window = law.log_prob(np.array([[first, leave]]), eta)
    np.testing.assert_allclose(law.log_prob(wide, eta), known - window, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["weibull", "lognormal", "gamma", "poisson"])
def test_late_entries_do_not_bias_a_fit(name):
    rng = np.random.default_rng(0)
    cls = families.get_family(name)
    y = respond(type(cls), np.zeros(4000), rng)
    entry = rng.choice(np.quantile(y, [0.0, 0.3, 0.6]), len(y)) - 1e-9
    rows = censored(y[y > entry], entry=entry[y > entry])
    model = MLEDistribution(Censored(name)).fit(rows)
    whole = MLEDistribution(name).fit(y[:, None])
    assert model.status_ == "interior"
    errors = model.inference().standard_errors
    apart = np.array(list(model.params_.values())) - np.array(list(whole.params_.values()))
    assert (np.abs(apart) < 4.0 * errors).all()
    ignored = MLEDistribution(name).fit(rows[:, :1])
    assert abs(ignored.distribution_.mean() - y.mean()) > 0.05 * y.mean()


def test_rows_that_could_not_be_seen_are_refused():
    with pytest.raises(ValueError, match="could not have been seen"):
        censored([2.0, 5.0], entry=[3.0, 1.0])
    with pytest.raises(ValueError, match="outside the support"):
        MLEDistribution(Censored("gamma")).fit(np.array([[2.0, 2.0, 3.0, np.inf]] * 5))
