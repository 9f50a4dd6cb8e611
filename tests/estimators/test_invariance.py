"""What a fit does not depend on: order, units, weights' scale, threads, storage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, families
from skmle.exceptions import NonRegularWarning
from skmle.families import Family, Poisson, get_family
from tests.estimators.data import (
    assert_same_fit,
    conditional_data,
    every_conditional,
    every_family,
    features,
    labels,
    parameters,
)
from tests.subjects import as_columns, every_class, has_units, observations

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@every_family
def test_a_density_does_not_depend_on_the_order_of_rows_nor_on_the_scale_of_weights(cls):
    X = as_columns(observations(cls))
    model = MLEDistribution(cls).fit(X)
    assert_same_fit(
        model, MLEDistribution(cls).fit(X[np.random.default_rng(0).permutation(len(X))])
    )
    for scale in (1e-6, 1e6):
        other = MLEDistribution(cls).fit(X, sample_weight=np.full(len(X), scale))
        np.testing.assert_allclose(parameters(other), parameters(model), rtol=1e-9)
        assert other.log_likelihood_ / scale == pytest.approx(model.log_likelihood_, rel=1e-9)


def changes_of_units(cls: type[Family]) -> bool:
    support = cls.support
    return (
        cls.observation.numeric
        and not support.discrete
        and support.low in (-np.inf, 0.0)
        and support.high == np.inf
        and (cls.observation.columns != 1 or has_units(cls))
    )


@every_class(changes_of_units)
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_a_density_does_not_depend_on_the_unit_of_measurement(cls, unit):
    X = as_columns(observations(cls))
    model, other = MLEDistribution(cls).fit(X), MLEDistribution(cls).fit(X * unit)
    assert other.log_likelihood_ + X.size * np.log(unit) == pytest.approx(
        model.log_likelihood_, rel=1e-9
    )
    assert other.status_ == model.status_


@every_conditional
def test_a_regression_does_not_depend_on_rows_weights_or_units(cls):
    X, y = conditional_data(cls)
    model = MLERegressor(cls).fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    assert_same_fit(model, MLERegressor(cls).fit(X[order], y[order]))
    columns = np.array([2, 0, 1])
    moved = MLERegressor(cls).fit(X[:, columns], y)
    assert moved.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
    np.testing.assert_allclose(moved.coef_, model.coef_[columns], rtol=1e-8)
    for scale in (1e-6, 1e6):
        weighted = MLERegressor(cls).fit(X, y, sample_weight=np.full(len(X), scale))
        assert weighted.log_likelihood_ / scale == pytest.approx(model.log_likelihood_, rel=1e-9)
        for j in range(3):
            units = np.where(np.arange(3) == j, scale, 1.0)
            other = MLERegressor(cls).fit(X * units, y)
            assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
            np.testing.assert_allclose(other.coef_ * units, model.coef_, rtol=1e-8)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_does_not_depend_on_rows_classes_weights_or_units(classes):
    X, y = labels(400, classes)
    model = CrossEntropyClassifier().fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    assert_same_fit(model, CrossEntropyClassifier().fit(X[order], y[order]))
    names = np.array(["d", "a", "c", "b"])[:classes]
    renamed = CrossEntropyClassifier().fit(X, names[y])
    assert renamed.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)
    probability = renamed.predict_proba(X)[:, np.searchsorted(renamed.classes_, names)]
    np.testing.assert_allclose(probability, model.predict_proba(X), rtol=1e-9)
    for scale in (1e-6, 1e6):
        weighted = CrossEntropyClassifier().fit(X, y, sample_weight=np.full(len(X), scale))
        assert weighted.log_likelihood_ / scale == pytest.approx(model.log_likelihood_, rel=1e-9)
        for j in range(4):
            units = np.where(np.arange(4) == j, scale, 1.0)
            other = CrossEntropyClassifier().fit(X * units, y)
            assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-9)


def test_the_verdict_does_not_depend_on_units():
    X, y = features(200, 2), np.random.default_rng(0).normal(size=200)
    for unit in (1e-6, 1e6):
        known = MLEDistribution(fixed={"scale": unit}).fit(y[:, None] * unit)
        assert known.status_ == "interior"
        assert known.params_["loc"] == pytest.approx(y.mean() * unit, rel=1e-9)
        assert MLERegressor(fixed={"scale": unit}).fit(X, y * unit).status_ == "interior"
        assert MLERegressor(fit_intercept=False).fit(X, y * unit).status_ == "interior"
        assert MLERegressor(warm_start=True).fit(X, y * unit).fit(X, y * unit).status_ == "interior"
        assert MLEDistribution("multivariate_normal").fit(X * [unit, 1.0]).status_ == "interior"
    many = np.random.default_rng(0).poisson(1e9, size=(50, 1))
    assert MLEDistribution(Poisson(links={"mean": "identity"})).fit(many).status_ == "interior"


SEVERAL_MAXIMA = {
    "mixture of counts": MLERegressor(families.Mixture("poisson")),
    "mixture": MLERegressor(families.Mixture("normal")),
    "scale modelled": MLERegressor("normal", features={"scale": "all"}),
    "student_t": MLERegressor("student_t"),
    "another link": CrossEntropyClassifier(link="cauchit"),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # with 15 rows most of them have no maximum
@pytest.mark.parametrize("columns", [3, 30])
@pytest.mark.parametrize("model", SEVERAL_MAXIMA.values(), ids=SEVERAL_MAXIMA)
def test_a_weight_leads_to_the_maximum_of_repeats_among_several(model, columns, rng):
    """Also on the way to infinity, where only equal rounding stops at the same place."""
    n = 15
    for _ in range(3):
        X, weight = rng.random((n, columns)), rng.integers(0, 5, n)
        y = rng.permutation(np.arange(n) % 3 % (3 if model.__class__ is MLERegressor else 2))
        many = X.repeat(weight, axis=0), y.repeat(weight)
        place = rng.permutation(n)
        repeated = clone(model).fit(*many)
        weighted = clone(model).fit(X[place], y[place], sample_weight=weight[place])
        assert repeated.status_ == weighted.status_
        assert repeated.log_likelihood_ == weighted.log_likelihood_
        np.testing.assert_array_equal(parameters(repeated), parameters(weighted))


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    shift=st.floats(-1e6, 1e6),
    exponent=st.integers(-6, 6),
    column=st.integers(0, 2),
    seed=st.integers(0, 2**16),
    family=st.sampled_from(["normal", "poisson", "gamma", "bernoulli", "student_t"]),
)
@pytest.mark.slow
def test_moving_and_stretching_a_column_does_not_change_the_likelihood(
    shift, exponent, column, seed, family
):
    cls = type(get_family(family))
    X, y = conditional_data(cls)
    y = y[np.random.default_rng(seed).permutation(len(y))]
    model = MLERegressor(family).fit(X, y)
    X = X.copy()
    X[:, column] = X[:, column] * 10.0**exponent + shift * 10.0**exponent
    assert MLERegressor(family).fit(X, y).log_likelihood_ == pytest.approx(
        model.log_likelihood_, rel=1e-9
    )


LONG = 50_000, 40  # long and wide enough for the pool of threads to be used


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(),
        MLERegressor("normal"),
        MLERegressor("poisson"),
        MLERegressor("normal", features={"scale": slice(0, 3)}),
    ],
    ids=repr,
)
@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_threads_to_the_last_bit(model):
    X = features(*LONG)
    y = np.random.default_rng(0).poisson(np.exp(0.1 * X[:, 0]))
    y = np.minimum(y, 2) if isinstance(model, CrossEntropyClassifier) else y
    fits = [clone(model).set_params(n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2, 3)]
    for other in fits[1:]:
        assert other.log_likelihood_ == fits[0].log_likelihood_
        assert other.distance_ == fits[0].distance_
        if isinstance(model, CrossEntropyClassifier):
            np.testing.assert_array_equal(other.coef_, fits[0].coef_)
            np.testing.assert_array_equal(other.intercept_, fits[0].intercept_)
        else:
            np.testing.assert_array_equal(parameters(other), parameters(fits[0]))
        np.testing.assert_array_equal(other.inference().covariance, fits[0].inference().covariance)


def layouts(X: np.ndarray, folder: Any) -> dict[str, Any]:
    """Return the same numbers, stored in every way."""
    path = folder / "x.npy"
    np.save(path, X)
    return {
        "C": np.ascontiguousarray(X),
        "F": np.asfortranarray(X),
        "float32": X.astype(np.float32),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "csr": sp.csr_array(X),
        "csc": sp.csc_array(X),
        "csr matrix": sp.csr_matrix(X),
        "read-only memmap": np.load(path, mmap_mode="r"),
        "list": X.tolist(),
        "pandas": pd.DataFrame(X, columns=["a", "b", "c", "d"]),
        "polars": pl.DataFrame(X, schema=["a", "b", "c", "d"]),
    }


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(),
        MLERegressor("poisson"),
        MLERegressor("normal", features={"scale": [1, 3]}),
    ],
    ids=repr,
)
def test_storage_does_not_change_the_likelihood(model, tmp_path):
    X, y = labels(500, 3)
    X = (
        np.where(np.abs(X) < 1.0, 0.0, X).astype(np.float32).astype(np.float64)
    )  # sparse, and exact in single precision
    reference = clone(model).fit(X, y)
    for name, stored in layouts(X, tmp_path).items():
        fit = clone(model).fit(stored, y)
        assert fit.log_likelihood_ == pytest.approx(reference.log_likelihood_, rel=1e-9), name
        assert fit.score(stored, y) == pytest.approx(reference.score(X, y), rel=1e-9), name


def test_storage_does_not_change_the_likelihood_of_a_density(tmp_path):
    X = np.random.default_rng(0).standard_t(3.0, (300, 4)).astype(np.float32).astype(np.float64)
    reference = MLEDistribution("student_t").fit(X)
    for name, stored in layouts(X, tmp_path).items():
        if not sp.issparse(stored):
            assert MLEDistribution("student_t").fit(stored).log_likelihood_ == pytest.approx(
                reference.log_likelihood_, rel=1e-9
            ), name
    column = pd.Series(X[:, 0], name="x")
    assert MLEDistribution().fit(column).feature_names_in_.tolist() == ["x"]
    assert (
        MLEDistribution().fit(pl.Series("x", X[:, 0])).params_
        == MLEDistribution().fit(X[:, :1]).params_
    )
