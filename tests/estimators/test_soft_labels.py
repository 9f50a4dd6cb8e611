"""Soft labels: shares of classes in place of labels count as weighted rows of each class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier
from skmle.exceptions import SeparationWarning


def data(k: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(k)
    X = rng.normal(size=(n, 3))
    shares = np.exp(X @ rng.normal(size=(3, k)) + rng.normal(size=(n, k)))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[:20] = np.eye(k)[rng.integers(0, k, 20)]  # some are labels
    return X, shares, rng.exponential(size=n)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.0, 0.0), (0.01, 0.0), (0.01, 0.5)])
def test_shares_are_weighted_rows(k, alpha, l1_ratio):
    X, shares, weight = data(k)
    settings = {"alpha": alpha, "l1_ratio": l1_ratio, "tol": 1e-10}
    soft = CrossEntropyClassifier(**settings).fit(X, shares, sample_weight=weight)
    rows, labels = X.repeat(k, axis=0), np.tile(np.arange(k), len(X))
    weights = (shares * weight[:, None]).ravel()
    hard = CrossEntropyClassifier(**settings).fit(rows, labels, sample_weight=weights)
    np.testing.assert_allclose(soft.coef_, hard.coef_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(soft.log_likelihood_, hard.log_likelihood_, rtol=1e-12)
    score = soft.score(X, shares, sample_weight=weight)
    np.testing.assert_allclose(score * weight.sum(), soft.log_likelihood_, rtol=1e-12)
    if not l1_ratio:
        own = hard.inference().standard_errors
        found = soft.inference(X, shares, weight, covariance="observed").standard_errors
        np.testing.assert_allclose(found, own, rtol=1e-9)


def test_the_score_is_minus_the_cross_entropy():
    X, shares, _ = data(3)
    model = CrossEntropyClassifier().fit(X, shares)
    cross_entropy = -(shares * model.predict_log_proba(X)).sum(axis=1).mean()
    np.testing.assert_allclose(model.score(X, shares), -cross_entropy, rtol=1e-13)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_fractions_of_two_classes(link):
    X, shares, _ = data(2)
    fractions = CrossEntropyClassifier(link=link).fit(X, shares[:, 1])
    table = CrossEntropyClassifier(link=link).fit(X, shares)
    np.testing.assert_allclose(fractions.coef_, table.coef_, rtol=1e-12)
    score = table.score(X, shares)
    np.testing.assert_allclose(fractions.score(X, shares[:, 1]), score, rtol=1e-12)


def test_a_frame_names_the_classes():
    X, shares, _ = data(3)
    model = CrossEntropyClassifier().fit(X, pd.DataFrame(shares, columns=["a", "b", "c"]))
    assert model.classes_.tolist() == ["a", "b", "c"] and set(model.predict(X)) <= {"a", "b", "c"}


def test_certain_shares_separate():
    X = np.linspace(-1.0, 1.0, 40)[:, None]
    shares = np.column_stack([X[:, 0] < 0.0, X[:, 0] >= 0.0, np.zeros(40)]).astype(float)
    with pytest.warns(SeparationWarning, match="'x0' separates"):
        model = CrossEntropyClassifier().fit(X, shares)
    assert model.predict_proba(X)[0].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (np.ones((30, 3)), {}, "add up to 1 in each row"),
        (np.full((30, 2), np.nan), {}, "no probabilities"),
        (np.tile([1.5, -0.5], (30, 1)), {}, "entries from 0 to 1"),
        (np.full(30, 0.3), {"class_weight": "balanced"}, "class_weight was given with soft labels"),
        (np.full((20, 2), 0.5), {}, "inconsistent numbers of samples"),
    ],
)
def test_what_is_no_share_is_refused(y, settings, message):
    with pytest.raises(ValueError, match=message):
        CrossEntropyClassifier(**settings).fit(np.ones((30, 1)) * np.arange(30)[:, None], y)


def test_other_shares_are_not_scored():
    X, shares, _ = data(3)
    model = CrossEntropyClassifier().fit(X, shares)
    with pytest.raises(ValueError, match="Give a column for each class"):
        model.score(X, data(5)[1])
