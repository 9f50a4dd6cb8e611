"""Every model that tells its law is asked about tables of pandas and polars as about arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import skmle
from skmle.metrics import log_likelihood_score, log_likelihood_scorer
from tests.any_model.foreign import (
    CLASSIFIERS,
    COVARIANCES,
    DENSITIES,
    REGRESSORS,
    SAMPLES,
    SAYS_ITS_LAW,
    SAYS_PROBABILITIES,
    quietly,
)

FRAMES = {
    "pandas": (pd.DataFrame, pd.Series),
    "polars": (lambda X, columns: pl.DataFrame(X, schema=columns), pl.Series),
}
MODELS = {
    **{name: (CLASSIFIERS[name], "labels") for name in SAYS_PROBABILITIES},
    **{name: (REGRESSORS[name], "counts") for name in SAYS_ITS_LAW if name != "DummyRegressor"},
    **{name: (SAMPLES[name](), None) for name in DENSITIES},
    **{name: (COVARIANCES[name](), None) for name in COVARIANCES},
}


# Their own predict with return_std multiplies polars columns in a way that newer versions of polars
# refuse.
NOT_OF_POLARS = ("ARDRegression", "BayesianRidge")


def responses():
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(60, 2)))  # some classifiers take counts
    y = rng.poisson(np.exp(0.5 * X[:, 0]))
    return X, {"labels": (y > 1).astype(int), "counts": y.astype(float), None: None}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", FRAMES)
def test_tables_are_scored_as_arrays_are(name, kind):
    model, response = MODELS[name]
    X, known = responses()
    y, (frame, series) = known[response], FRAMES[kind]
    table = frame(X, columns=["a", "b"])
    answer = None if y is None else series(y)
    seed = {"random_state": 0} if "random_state" in model.get_params(deep=False) else {}
    plain = quietly(model, X, y, **seed)
    named = quietly(model, table, answer, **seed)
    if kind == "polars" and name in NOT_OF_POLARS:
        try:
            named.predict(table, return_std=True)
        except pl.exceptions.PolarsError:
            return
    settings = dict(rtol=1e-9, atol=1e-9)
    expected = skmle.log_prob(plain, X, y)
    np.testing.assert_allclose(skmle.log_prob(named, table, answer), expected, **settings)
    weight = np.arange(60) % 3
    if np.isfinite(expected).all():
        for score in (log_likelihood_score, log_likelihood_scorer):
            np.testing.assert_allclose(
                score(named, table, answer, weight), score(plain, X, y, weight), **settings
            )
