"""Bad settings: unknown names list what there is."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.families import Poisson
from tests.estimators.refusals import (
    ESTIMATORS,
    FRAME,
    LABELS,
    X,
    Y,
    arguments,
    assert_four_parts,
    assert_refused,
    every_estimator,
)


@every_estimator
@pytest.mark.parametrize(
    "setting",
    [
        {"tol": 0.0},
        {"tol": -1.0},
        {"tol": "small"},
        {"tol": np.nan},
        {"max_iter": 2.5},
        {"max_iter": -3},
        {"n_jobs": 0},
        {"n_jobs": "all"},
        {"store_information": "yes"},
        {"alpha": -1.0},
        {"alpha": np.nan},
        {"alpha": "a"},
        {"l1_ratio": -0.1},
        {"l1_ratio": 1.5},
        {"l1_ratio": "all"},
        {"fit_intercept": "no"},
        {"warm_start": 1},
        {"fixed": 3},
        {"fixed": {"scale": "big"}},
        {"fixed": {"loc": np.nan}},
        {"features": "all"},
        {"features": ["age"]},
    ],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(kind, setting):
    name, value = next(iter(setting.items()))
    model = ESTIMATORS[kind]
    if name not in model.get_params():
        with pytest.raises(TypeError, match=name):
            type(model)(**setting)
        return
    says = f"{type(model).__name__}: {name}={re.escape(repr(value))} is not allowed; give "
    assert_four_parts(
        assert_refused(clone(model).set_params(**setting), *arguments(kind), says=says)
    )


@pytest.mark.parametrize(
    "wrong, nearest",
    [("nromal", "normal"), ("possion", "poisson"), ("student", "student_t"), ("gama", "gamma")],
)
def test_an_unknown_family_lists_the_nearest(wrong, nearest):
    says = (
        f"Unknown family '{wrong}'. Allowed: normal, .*multivariate_normal, .*scipy.stats. "
        f"Did you mean .*'{nearest}'"
    )
    for model in (MLEDistribution(wrong), MLERegressor(wrong)):
        args = (X,) if isinstance(model, MLEDistribution) else (X, Y)
        message = assert_refused(model, *args, says=says)
        assert len(message) < 500 and "FromLogProb" in message
    assert_refused(
        MLEDistribution("zzz"),
        X,
        says="Unknown family 'zzz'. Allowed: normal, .* Choose one of them",
    )
    for wrong_type in (3, None, ["normal"]):
        assert_refused(
            MLEDistribution(wrong_type),
            X,
            error=TypeError,
            says="family must be a name, a Family class or a Family; got .* Give for example",
        )


def test_unknown_parameters_and_links_list_what_there_is():
    for model, args in (
        (MLEDistribution(fixed={"sclae": 1.0}), (X,)),
        (MLERegressor(fixed={"sclae": 1.0}), (X, Y)),
    ):
        assert_four_parts(
            assert_refused(
                model, *args, says="Normal has no parameter 'sclae'. Allowed: loc, scale"
            )
        )
    assert_four_parts(
        assert_refused(
            MLERegressor(features={"scael": "all"}),
            X,
            Y,
            says="features: 'scael' is no parameter of the law. Allowed: loc, scale",
        )
    )
    links = {"maen": "log"}
    assert_four_parts(
        assert_refused(
            MLERegressor(Poisson(links=links)), X, Y, says="unknown parameter 'maen'. Allowed: mean"
        )
    )
    assert_refused(
        MLERegressor(Poisson(links={"mean": "lgo"})),
        X,
        Y,
        says="Unknown link 'lgo'. Allowed: .* did you mean 'log'",
    )
    assert_four_parts(
        assert_refused(
            MLERegressor(Poisson(links={"mean": "logit"})),
            X,
            Y,
            says="link 'logit' does not map onto the range of 'mean'",
        )
    )
    assert_four_parts(
        assert_refused(
            CrossEntropyClassifier(link="lgoit"),
            X,
            LABELS,
            says="unknown link 'lgoit'. Allowed: .* Did you mean 'logit'",
        )
    )
    many = np.array(["a", "b", "c"] * 10)
    assert_four_parts(
        assert_refused(
            CrossEntropyClassifier(link="probit"),
            X,
            many,
            says="y has 3 classes. Only binary classification",
        )
    )


def test_parameters_cannot_be_held_outside_their_range():
    for value in (0.0, -1.0):
        assert_four_parts(
            assert_refused(
                MLEDistribution(fixed={"scale": value}),
                X,
                says="fixed: scale=.* is outside the range of Normal's scale",
            )
        )
    says = "parameters of MultivariateNormal cannot be held one by one"
    assert_four_parts(
        assert_refused(MLEDistribution("multivariate_normal", fixed={"mean": 1.0}), X, says=says)
    )


@pytest.mark.parametrize(
    "bounds", [{"low": 5.0}, {"high": -5.0}, {"low": 5.0, "high": 6.0}, {"low": 0.0}], ids=str
)
def test_bounds_that_exclude_data_are_refused(bounds):
    assert_four_parts(
        assert_refused(MLEDistribution("uniform", fixed=bounds), X, says="fixed=.*Uniform")
    )


SPECS = {
    "unknown name": (["tmie"], "X has no column 'tmie'. Allowed: age, time. Did you mean 'time'?"),
    "unknown index": ([5], "X has no column 5. Allowed: 0 to 1."),
    "unknown negative index": ([-3], "X has no column -3. Allowed: 0 to 1."),
    "short mask": ([True], "the mask has 1 entries, but X has 2 columns."),
    "repetition": ([0, "age"], "[0, 'age'] names a column twice."),
    "fraction": ([0.5], "0.5 names no column."),
    "number": (1.5, "1.5 names no column."),
    "empty slice": (slice(5, 9), "slice(5, 9, None) picks none of the 2 columns"),
}


@pytest.mark.parametrize("spec, says", SPECS.values(), ids=SPECS)
def test_columns_that_are_not_there_are_refused(spec, says):
    assert_four_parts(
        assert_refused(
            MLERegressor(features={"loc": spec}),
            FRAME,
            Y,
            says=re.escape(f"features['loc']: {says}"),
        )
    )


@pytest.mark.parametrize("what", ["offset", "exposure"])
def test_offset_columns_that_are_not_there_are_refused(what):
    for column, says in (
        ("tmie", "Allowed: age, time. Did you mean 'time'"),
        (7, "Allowed: 0 to 1"),
    ):
        message = assert_refused(
            MLERegressor("poisson", **{what: column}),
            FRAME,
            np.arange(30),
            says=rf"{what}: X has no column '?{column}'?. {says}",
        )
        assert_four_parts(message)
    assert_four_parts(
        assert_refused(
            MLERegressor("poisson", **{what: "time"}),
            X,
            np.arange(30),
            says="no column 'time', as it has no names",
        )
    )
