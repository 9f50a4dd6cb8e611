"""The first parameter held at a known value.

Offset and exposure are added to it all the same, and there is a prediction for each row.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from skmle import MLERegressor
from skmle.exceptions import BoundaryWarning
from skmle.families import get_family
from skmle.families.links import LOG
from tests.engine.verdicts import fitted
from tests.estimators.data import assert_same_fit
from tests.subjects import FAMILIES, ends_move, is_conditional, own_name, respond

N = 60
RNG = np.random.default_rng(3)
X = RNG.normal(size=(N, 2))
OFFSET = RNG.normal(scale=0.3, size=N)
HELD = [cls for cls in FAMILIES if is_conditional(cls) and cls().observation.numeric]
VALUES = {"location": 0.2, "": 0.4}  # of a first parameter, by its unit

every_held = pytest.mark.parametrize("cls", HELD, ids=own_name)


@cache
def first_held(cls) -> tuple[str, float]:
    """Return the first parameter and a value at which no other one is at an end of its range."""
    first = cls().parameters[0]
    values = (VALUES.get(first.unit, 1.5), 1.5, 5.0, 0.9, -0.5)
    for value in values:
        model, _ = fitted(
            MLERegressor(own_name(cls), fixed={first.name: value}), X, observations(cls)
        )
        if model.status_ == "interior":
            return first.name, value
    return first.name, values[0]


def observations(cls, shift=None) -> np.ndarray:
    return respond(cls, np.zeros(N) if shift is None else shift, np.random.default_rng(5))


@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
@every_held
def test_the_offset_is_added_to_the_parameter_that_is_held(cls):
    """The law of each row is that of a held parameter moved on the scale of its link."""
    name, value = first_held(cls)
    y = observations(cls, OFFSET)
    model = MLERegressor(own_name(cls), fixed={name: value}).fit(X, y, offset=OFFSET)
    link = cls().link(0)
    moved = link.theta(link.forward(np.asarray(value)) + OFFSET)
    law = model.predict_dist(X, offset=OFFSET)
    np.testing.assert_allclose(law.params[name], moved, rtol=1e-12)
    assert model.params_[name] == value and name not in model.coefs_
    for other in cls().names[1:]:  # nothing else moves with the offset
        assert np.ptp(law.params[other]) == 0.0
    score = model.score(X, y, offset=OFFSET)
    assert score * N == pytest.approx(model.log_likelihood_, rel=1e-9)
    assert f"({name} = {value:g} fixed)" in str(model.summary())


@every_held
def test_a_constant_offset_is_another_value_held(cls):
    name, value = first_held(cls)
    link, y = cls().link(0), observations(cls)
    shift = 0.3
    moved = float(link.theta(link.forward(np.asarray(value)) + shift))
    model = MLERegressor(own_name(cls), fixed={name: value}).fit(X, y, offset=np.full(N, shift))
    other = MLERegressor(own_name(cls), fixed={name: moved}).fit(X, y)
    assert model.status_ == other.status_
    assert model.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-9)
    for parameter in cls().names[1:]:
        assert model.params_[parameter] == pytest.approx(other.params_[parameter], rel=1e-5)


@every_held
def test_an_exposure_multiplies_the_parameter_that_is_held(cls):
    name, value = first_held(cls)
    exposure, y = np.exp(OFFSET), observations(cls, OFFSET)
    model = MLERegressor(own_name(cls), fixed={name: value})
    if cls().link(0) != LOG:
        with pytest.raises(ValueError, match="exposure: the first parameter of .* Allowed: 'log'"):
            model.fit(X, y, exposure=exposure)
        return
    model.fit(X, y, exposure=exposure)
    offset = clone(model).fit(X, y, offset=OFFSET)
    assert_same_fit(model, offset)
    # A model that was fitted without one multiplies it, too.
    plain = clone(model).fit(X, observations(cls))
    np.testing.assert_allclose(
        plain.predict_dist(X, exposure=exposure).params[name], value * exposure, rtol=1e-12
    )


@every_held
@pytest.mark.parametrize("everything", [False, True])
def test_each_row_has_its_prediction(cls, everything):
    name, value = first_held(cls)
    fixed, y = {name: value}, observations(cls)
    family = get_family(own_name(cls)).adapt(y)
    if everything:
        # No end that moves may come among the observations.
        shapes = [param.name for param in family.parameters[1:] if not param.unit]
        wide = dict.fromkeys(shapes, 0.1) if ends_move(cls) else {}
        inside = {p.name: min(2.0, 0.75 * p.chart.domain[1]) for p in family.parameters[1:]}
        fixed |= inside | wide
    model = MLERegressor(own_name(cls), fixed=fixed).fit(X, y)
    assert model.predict(X).shape == (N,) and model.log_prob(X, y).shape == (N,)
    low, high = model.predict_interval(X)
    assert low.shape == high.shape == (N,) == model.predict_quantile(X, 0.3).shape
    assert model.predict_quantile(X, [0.3, 0.6]).shape == (N, 2)
    assert model.sample(X, random_state=0).shape[:1] == (N,)
    assert model.sample(X, 3, random_state=0).shape[:2] == (3, N)
    law = model.predict_dist(X)
    assert law.var().shape == (N,) == law.mean().shape
    with warnings.catch_warnings():  # two thirds of the rows may be likelier at a limit law
        warnings.simplefilter("ignore", BoundaryWarning)
        assert cross_val_predict(clone(model), X, y, cv=3).shape == (N,)
    assert model.n_parameters_ == len(family.parameters) - len(fixed)
    assert type(model.intercept_) is np.float64
