"""Hostile data: any input ends in an error that says why, or in a fit that says what it is.

Data are drawn from fixed seeds: columns far out or all alike, weights of any size, y at the ends
of its support, few rows, any family, any penalty. All fits also pass `tests/after_every_fit.py`.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import FitWarning
from tests.subjects import FAMILIES, is_conditional, observations, own_name

SEEDS = range(150)
SECONDS = 10.0  # that no fit may take
ROWS = [1, 2, 3, 5, 12, 30, 80]

Case = tuple[BaseEstimator, tuple, dict]


def column(rng: np.random.Generator, n: int) -> np.ndarray:
    z = rng.normal(size=n)
    kind = rng.integers(9)
    if kind == 0:
        return np.full(n, rng.choice([0.0, 1.0, 1e100, 1e-300]))
    if kind == 1:
        return z * 10.0 ** rng.choice([20, 77, 150, 200, 300])
    if kind == 2:
        return z * 10.0 ** -rng.choice([20.0, 150.0, 300.0, 310.0])
    if kind == 3:
        return z + rng.choice([1e8, 1e12, 1e15])
    if kind == 4:
        return z * 10.0 ** rng.uniform(-150, 150, n)
    if kind == 5:
        return (z > 0).astype(float)
    if kind == 6:
        z[rng.integers(n)] = rng.choice([np.nan, np.inf, 1.7e308])
    return z


def features(rng: np.random.Generator, n: int) -> np.ndarray:
    X = np.column_stack([column(rng, n) for _ in range(rng.integers(1, 7))])
    if rng.random() < 0.2:
        X = np.column_stack([X, X[:, 0]])
    return X


def container(rng: np.random.Generator, X: np.ndarray) -> object:
    """Return X as another kind of table."""
    with np.errstate(all="ignore"):
        return [
            lambda: X,
            lambda: np.asfortranarray(X),
            lambda: X.astype(np.float32),
            lambda: X.astype(object),
            lambda: X.tolist(),
            lambda: pd.DataFrame(X).astype("Float64"),
            lambda: sp.csr_array(X),
            lambda: sp.coo_array(X),
            lambda: X + 0j,
            lambda: X[:, :, None],
        ][rng.integers(10)]()


def weights(rng: np.random.Generator, n: int) -> object:
    w = rng.exponential(size=n)
    choices = [None, None, w, w * 1e150, w * 1e-310, w * 10.0 ** rng.uniform(-12, 12, n)]
    return [*choices, np.zeros(n), -w, rng.integers(0, 2, n), w[:-1], 2.0][rng.integers(11)]


def response(rng: np.random.Generator, cls: type, n: int) -> np.ndarray:
    y = np.array(observations(cls))[rng.integers(200, size=n)]
    change = rng.integers(6)
    if change == 0:
        return np.repeat(y[:1], n, axis=0)
    if y.dtype.kind == "f" and change == 1:
        return y * 10.0 ** rng.choice([-300.0, -100.0, 15.0, 150.0])
    if y.dtype.kind == "f" and change == 2:
        y[rng.integers(n)] = rng.choice([np.nan, np.inf, -1.5, 0.0])
    return y


def labels(rng: np.random.Generator, n: int) -> np.ndarray:
    code = rng.integers(0, rng.integers(1, 5), n)
    return [
        code,
        code.astype(str),
        np.array([10**400 * (int(c) + 1) for c in code], object),
        np.array(["a", 1, None, (1, 2)], object)[code],
        code + 0.5,
        code.astype(object),
        np.array(["<b>", "%s", "{0}", ""])[code],
    ][rng.integers(7)]


def case(seed: int) -> Case:
    rng = np.random.default_rng([11, seed])
    n, kind = int(rng.choice(ROWS)), rng.integers(3)
    settings = {"max_iter": int(rng.choice([0, 2, 100, 100, 100]))}
    fit = {"sample_weight": weights(rng, n)}
    if kind == 0:
        cls = FAMILIES[rng.integers(len(FAMILIES))]
        y = response(rng, cls, n)
        X = y[:, None] if y.ndim == 1 else y
        return MLEDistribution(own_name(cls), **settings), (X,), fit
    if rng.random() < 0.4:
        settings |= {"alpha": float(rng.choice([1e-8, 0.1, 1e10]))}
        settings |= {"l1_ratio": float(rng.choice([0.0, 0.5, 1.0]))}
    settings["fit_intercept"] = bool(rng.random() < 0.8)
    X = container(rng, features(rng, n))
    if kind == 1:
        link = str(rng.choice(["logit", "logit", "probit", "cloglog", "cauchit"]))
        return CrossEntropyClassifier(link=link, **settings), (X, labels(rng, n)), fit
    regular = [cls for cls in FAMILIES if is_conditional(cls)]
    cls = regular[rng.integers(len(regular))]
    if rng.random() < 0.2:
        first = cls().parameters[0].name
        settings["fixed"] = {first: 0.5}
    if rng.random() < 0.2:
        fit["offset"] = rng.normal(size=n) * 10.0 ** rng.choice([0, 3, 10])
    return MLERegressor(own_name(cls), **settings), (X, response(rng, cls, n)), fit


@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_data_end_in_a_clear_error_or_an_honest_fit(seed):
    model, data, fit = case(seed)
    before = set(vars(model))
    start = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(*data, **fit)
        except (ValueError, TypeError) as refused:
            assert len(str(refused)) > 20
            assert not {name for name in set(vars(model)) - before if name == "status_"}
            return
        finally:
            assert time.process_time() - start < SECONDS
    verdicts = [w for w in caught if issubclass(w.category, FitWarning)]
    assert len(verdicts) == (model.status_ != "interior")
    assert not np.isnan(model.log_likelihood_)
    assert str(model.summary()) and model.summary()._repr_html_() and repr(model)
