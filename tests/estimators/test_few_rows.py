"""Few rows of small numbers, where many are equal: however they are given, the fit is one.

Rows, rows with weights, batches and a regression without features have the same likelihood.
"""

from __future__ import annotations

import itertools
import pickle
import warnings

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import FitWarning
from tests.subjects import ONE_EACH, as_columns, is_conditional, own_name, taken_in_turn

LATTICE = {1: [0.0, 1.0, 2.0], 2: [(1.0, 9.0), (1.0, 3.0), (0.0, 2.0), (2.0, 2.0)]}
NUMERIC = [cls for cls in map(type, ONE_EACH.values()) if cls.observation.numeric]
COUNTED = [cls for cls in NUMERIC if cls.observation.columns in LATTICE]


def samples(cls, n: int) -> list[np.ndarray]:
    family = ONE_EACH[cls.__name__]
    values = LATTICE[cls.observation.columns]
    if not family.support.discrete:
        high = family.support.high
        values = [0.25 + 0.125 * v if np.isfinite(high) else 1.0 + v for v in values]
    found = [np.array(x) for x in itertools.combinations_with_replacement(values, n)]
    return [as_columns(x) for x in found if family.contains(x).all()]


def fitted(model, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return model.fit(*arguments, **options)


def assert_same(one, other, X):
    assert one.status_ == other.status_
    if one.status_ not in ("interior", "boundary"):
        return
    for name, value in one.params_.items():
        np.testing.assert_allclose(value, other.params_[name], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("cls", COUNTED, ids=own_name)
@pytest.mark.slow
def test_equal_rows_are_a_weight(cls, n):
    name = own_name(cls)
    for X in taken_in_turn(samples(cls, n), 3, name):
        try:
            model = fitted(MLEDistribution(name), X)
        except ValueError:
            assert X.sum() == 0.0 or cls.observation.columns == 2
            continue
        distinct, counts = np.unique(X, axis=0, return_counts=True)
        if len(distinct) > 1:
            weighted = fitted(MLEDistribution(name), distinct, sample_weight=counts)
            assert_same(model, weighted, X)
        turned = fitted(MLEDistribution(name), X[::-1])
        assert_same(model, turned, X)
        if model.status_ == "interior":
            total = model.score(X) * len(X)
            np.testing.assert_allclose(total, model.log_likelihood_, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("cls", [c for c in COUNTED if c().condensable], ids=own_name)
def test_batches_are_rows(cls):
    name = own_name(cls)
    for X in samples(cls, 3):
        try:
            model = fitted(MLEDistribution(name), X)
        except ValueError:
            continue
        parts = MLEDistribution(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            try:
                for row in X:
                    parts.partial_fit(row[None])
            except ValueError:
                continue  # a first batch without trials
        assert_same(model, parts, X)


def test_equal_successes_of_unequal_trials():
    """All trials count, in a density and in a regression without features."""
    for rows, right in (
        ([[1, 9], [1, 19], [1, 3], [1, 99]], 4 / 134),
        ([[2, 1], [2, 3], [2, 40]], 0.12),
    ):
        Y = np.array(rows, float)
        density = fitted(MLEDistribution("binomial"), Y)
        np.testing.assert_allclose(density.params_["probability"], right, rtol=1e-12)
        regression = MLERegressor("binomial", features={"probability": "none"})
        regression = fitted(regression, np.zeros((len(Y), 1)), Y)
        np.testing.assert_allclose(
            regression.predict_dist(np.zeros((1, 1))).params["probability"], right, rtol=1e-9
        )


@pytest.mark.parametrize("cls", [c for c in NUMERIC if is_conditional(c)], ids=own_name)
def test_what_a_pickle_holds_does_not_grow(cls):
    """The distinct counts that a few batches leave are a table of 64 kB at most."""
    rng = np.random.default_rng(0)
    n = 20_000
    y = 1e6 + np.floor(1e6 * rng.random(n)) if cls.support.discrete else 0.1 + 0.8 * rng.random(n)
    if np.isfinite(cls.support.high):
        y = np.floor(2.0 * rng.random(n)) if cls.support.discrete else y
    X = np.column_stack([y, np.ones(n)]) if cls.observation.columns == 2 else y[:, None]
    model = fitted(MLEDistribution(own_name(cls)), X)
    assert len(pickle.dumps(model)) < 70_000


def test_many_distinct_counts_are_not_kept_for_more_batches():
    y = np.arange(5000.0)[:, None]
    model = fitted(MLEDistribution("negative_binomial"), y)
    with pytest.raises(ValueError, match="4096 distinct counts.*Use fit on all rows"):
        model.partial_fit(y[:10])
