"""Single precision in: coefficients are shown in it, and computed, used and judged in double."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from skmle import CrossEntropyClassifier, MLERegressor

RNG = np.random.default_rng(0)
SINGLE = RNG.normal(size=(200, 3)).astype(np.float32)
CODE = (SINGLE[:, 0] + RNG.logistic(size=200) > 0).astype(int)
MORE = CODE + (SINGLE[:, 1] + RNG.logistic(size=200) > 0)
COUNTS = RNG.poisson(np.exp(0.3 * SINGLE[:, 0]))

FITS = {
    "two classes": (CrossEntropyClassifier(), CODE, LogisticRegression()),
    "another link": (CrossEntropyClassifier(link="probit"), CODE, LogisticRegression()),
    "three classes": (CrossEntropyClassifier(), MORE, LogisticRegression()),
    "no intercept": (CrossEntropyClassifier(fit_intercept=False), MORE, LogisticRegression()),
    "counts": (MLERegressor("poisson"), COUNTS, PoissonRegressor()),
    "absolute": (MLERegressor("poisson", alpha=0.05, l1_ratio=1.0), COUNTS, PoissonRegressor()),
    "two parameters": (MLERegressor(features={"scale": "all"}), SINGLE[:, 2] + COUNTS, None),
}
STORED = {
    "array": lambda X: X,
    "frame": lambda X: pd.DataFrame(X, columns=["a", "b", "c"]),
    "sparse": sp.csr_array,
}
every_fit = pytest.mark.parametrize("kind", FITS)


@every_fit
@pytest.mark.parametrize("stored", STORED)
def test_coefficients_have_the_precision_of_the_columns(kind, stored):
    model, y, peer = FITS[kind]
    for X in (SINGLE, SINGLE.astype(float)):
        fit = clone(model).fit(STORED[stored](X), y)
        assert fit.coef_.dtype == fit.intercept_.dtype == X.dtype
        if peer is not None:
            # Some models of scikit-learn before 1.8 are double whatever X is.
            assert peer.fit(STORED[stored](X), y).coef_.dtype in (fit.coef_.dtype, np.float64)


@every_fit
def test_predictions_and_inference_are_of_double_precision(kind):
    model, y, _ = FITS[kind]
    single, double = clone(model).fit(SINGLE, y), clone(model).fit(SINGLE.astype(float), y)
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=1e-6)
    X = SINGLE.astype(float)
    for fit in (single, pickle.loads(pickle.dumps(single))):
        method = "decision_function" if isinstance(model, CrossEntropyClassifier) else "predict"
        expected = getattr(double, method)(X)
        np.testing.assert_allclose(getattr(fit, method)(X), expected, rtol=1e-11, atol=1e-11)
    if not model.l1_ratio:
        estimates = double.inference().estimates
        np.testing.assert_allclose(single.inference().estimates, estimates, rtol=1e-11, atol=1e-12)


def test_a_class_of_probability_zero_has_an_infinite_intercept():
    weight = np.where(MORE == 1, 0.0, 1.0)
    model = CrossEntropyClassifier().fit(SINGLE, MORE, sample_weight=weight)
    assert model.intercept_.dtype == np.float32 and np.isinf(model.intercept_).any()
    assert not np.isnan(model.predict_proba(SINGLE)).any()


@pytest.mark.parametrize("unit", [1e-38, 1e38])
def test_coefficients_that_single_precision_cannot_hold_stay_double(unit):
    x = np.array([[1.0], [2.0], [3.0], [1.5], [2.5], [0.5]]) * 0.1
    X = (x * unit).astype(np.float32)
    y = 1e9 * np.array([1.0, 2.0, 2.0, 1.0, 3.0, 1.0]) ** (1 if unit < 1 else -1)
    y = y if unit < 1 else y * 1e-18
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MLERegressor("normal").fit(X, y)
    assert model.coef_.dtype == np.float64
    assert np.isfinite(model.coef_).all() and model.coef_.all()


def test_assigned_coefficients_are_used():
    model = CrossEntropyClassifier().fit(SINGLE.astype(float), CODE)
    model.coef_ = np.zeros((1, 3))
    np.testing.assert_array_equal(model.decision_function(SINGLE), np.full(200, model.intercept_))
