"""Offset and exposure: as a column, as an argument, by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skmle import MLERegressor
from skmle.exceptions import NonRegularWarning, ScoreWarning
from tests.estimators.data import assert_same_fit, counts

# Of the uniform law, whose maximum has no standard errors: to say so is right, in every fit.
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{NonRegularWarning.__module__}.{NonRegularWarning.__qualname__}"
)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "gamma"])
def test_exposure_as_a_column_as_an_argument_and_by_hand(family):
    X, time, y = counts()
    y = y + 0.5 if family == "gamma" else y
    by_hand = MLERegressor(family).fit(X, y, offset=np.log(time))
    argument = MLERegressor(family).fit(X, y, exposure=time)
    beside = np.column_stack([X, time])
    column = MLERegressor(family, exposure=2).fit(beside, y)
    frame = pd.DataFrame(beside, columns=["a", "b", "time"])
    named = MLERegressor(family, exposure="time").fit(frame, y)
    logs = MLERegressor(family, offset=2).fit(np.column_stack([X, np.log(time)]), y)
    sparse = MLERegressor(family, exposure=2).fit(sp.csr_array(beside), y)
    expected = by_hand.predict(X, offset=np.log(time))
    for other in (argument, column, named, logs, sparse):
        assert_same_fit(by_hand, other)
        assert other.coef_.shape == (2,)
    np.testing.assert_allclose(argument.predict(X, exposure=time), expected, rtol=1e-9)
    np.testing.assert_allclose(column.predict(beside), expected, rtol=1e-9)
    np.testing.assert_allclose(named.predict(frame), expected, rtol=1e-9)
    np.testing.assert_allclose(argument.predict(X) * time, expected, rtol=1e-9)
    assert column.score(beside, y) == pytest.approx(argument.score(X, y, exposure=time), rel=1e-12)
    assert column.score(beside, y) * len(y) == pytest.approx(column.log_likelihood_, rel=1e-9)
    np.testing.assert_array_equal(column.predict_dist(beside).mean(), column.predict(beside))
    np.testing.assert_allclose(
        column.sample(beside, random_state=1),
        argument.sample(X, exposure=time, random_state=1),
        rtol=1e-9,
    )


def test_a_poisson_model_of_counts_with_exposure_is_one_of_rates_with_weights():
    X, time, y = counts()
    exposed = MLERegressor("poisson").fit(X, y, exposure=time)
    rates = MLERegressor("poisson").fit(X, y / time, sample_weight=time)
    np.testing.assert_allclose(rates.coef_, exposed.coef_, rtol=1e-9)
    assert rates.intercept_ == pytest.approx(exposed.intercept_, rel=1e-9)


def test_score_warns_if_fit_saw_an_exposure_and_it_does_not():
    X, time, y = counts()
    model = MLERegressor("poisson").fit(X, y, exposure=time)
    with pytest.warns(ScoreWarning, match="fit was given exposure=, score was not"):
        model.score(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.score(X, y, exposure=time)
