"""The log-likelihood as a score of classifiers.

Every one of scikit-learn, and skmle's, on one scale.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags

import skmle
from skmle import CrossEntropyClassifier
from skmle.exceptions import ScoreWarning
from skmle.information import empirical_cross_entropy
from skmle.metrics import log_likelihood_score
from tests.any_model.foreign import (
    CLASSIFIERS,
    EXACT,
    MULTI_OUTPUT,
    NO_DENSITY,
    REGRESSORS,
    SAMPLES,
    SAYS_A_NUMBER_ONLY,
    SAYS_LABELS_ONLY,
    SAYS_PROBABILITIES,
    quietly,
)


@pytest.mark.parametrize("name", SAYS_PROBABILITIES)
def test_score_of_a_classifier_is_minus_its_log_loss(name, counts):
    X, y = counts
    if not get_tags(CLASSIFIERS[name]).classifier_tags.multi_class:
        X, y = X[:60], y[:60]
    model = quietly(CLASSIFIERS[name], X, y)
    proba = model.predict_proba(X)
    own = proba[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    seen = own > 1e-15  # log_loss clips smaller ones
    weight = np.random.default_rng(0).integers(1, 4, seen.sum())
    assert seen.any()
    np.testing.assert_allclose(
        log_likelihood_score(model, X[seen], y[seen], weight),
        -log_loss(y[seen], proba[seen], sample_weight=weight, labels=model.classes_),
        **EXACT,
    )


@pytest.mark.parametrize("name", SAYS_LABELS_ONLY + SAYS_A_NUMBER_ONLY + NO_DENSITY)
def test_who_does_not_tell_a_law_is_refused_in_four_parts(name):
    model = (CLASSIFIERS | REGRESSORS)[name] if name not in NO_DENSITY else SAMPLES[name]()
    with pytest.raises(TypeError, match=rf"^{name}.*law.*Allowed: .*Use MLERegressor"):
        log_likelihood_score(model, np.zeros((3, 2)), np.zeros(3))


@pytest.mark.parametrize("name", MULTI_OUTPUT)
def test_several_labels_a_row_are_refused(name):
    with pytest.raises(ValueError, match=r"y has shape \(3, 2\). Allowed: \(n,\)"):
        log_likelihood_score(CLASSIFIERS[name], np.zeros((3, 2)), np.zeros((3, 2)))


@pytest.mark.parametrize(
    "model",
    [
        CrossEntropyClassifier(alpha=0.01),
        CrossEntropyClassifier(link="probit"),
        CrossEntropyClassifier(link="cloglog"),
    ],
    ids=repr,
)
def test_score_of_the_classifier_is_minus_log_loss_and_minus_cross_entropy(model, rng):
    X, y = load_breast_cancer(return_X_y=True)
    X, weight = X[:, :4], rng.integers(0, 3, len(X))
    model = make_pipeline(StandardScaler(), model).fit(X, y)
    for w in (None, weight):
        score = log_likelihood_score(model, X, y, w)
        np.testing.assert_allclose(
            score, -log_loss(y, model.predict_proba(X), sample_weight=w), **EXACT
        )
        np.testing.assert_allclose(
            score, -empirical_cross_entropy(model, X, y, sample_weight=w), **EXACT
        )
        np.testing.assert_allclose(
            score,
            model.score(X, y) if w is None else model[-1].score(model[:-1].transform(X), y, w),
            **EXACT,
        )


PAIRS = [(0, 1), (-1, 1), (False, True), (1.0, 2.0), ("no", "yes"), ("long label", "x"), ("ä", "ß")]

CONTAINERS = [
    np.asarray,
    list,
    tuple,
    lambda y: np.array(y, object),
    lambda y: np.array(y)[:, None],
    pd.Series,
    lambda y: pd.Series(y, dtype="category"),
    lambda y: pd.Series(y).convert_dtypes(),
    lambda y: pd.DataFrame({"y": y}),
    pl.Series,
    lambda y: pl.DataFrame({"y": y}),
]


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), GaussianNB()], ids=repr)
@pytest.mark.parametrize("pair", PAIRS, ids=repr)
def test_labels_of_any_type_in_any_container_score_alike(model, pair, rng):
    code = np.arange(40) % 2
    X = rng.normal(size=(40, 2)) + code[:, None]
    y = [pair[c] for c in code]
    model = clone(model).fit(X, y)
    scores = [log_likelihood_score(model, X, container(y)) for container in CONTAINERS]
    np.testing.assert_allclose(scores, -log_loss(y, model.predict_proba(X)), **EXACT)


@pytest.mark.parametrize(
    "model",
    [CrossEntropyClassifier(alpha=0.01), GaussianNB(), RandomForestClassifier(10, random_state=0)],
    ids=repr,
)
@pytest.mark.parametrize("pair", PAIRS, ids=repr)
@pytest.mark.parametrize("alien", [["other"], [7], [2.5], [None], ["other", 7, None]], ids=repr)
def test_an_unseen_label_scores_minus_infinity_unless_its_weight_is_zero(model, pair, alien, rng):
    code = np.arange(12) % 2
    X = rng.normal(size=(12, 2)) + 0.1 * code[:, None]
    y = [pair[c] for c in code]
    model = quietly(model, X, y)
    mixed = np.array([*y[: -len(alien)], *alien], object)
    known = np.arange(12) < 12 - len(alien)
    says = rf"{len(alien)} of 12 rows have a label that fit has not seen .row {12 - len(alien)}: "
    with pytest.warns(ScoreWarning, match=says + re.escape(repr(alien[0]))) as caught:
        assert log_likelihood_score(model, X, mixed) == -np.inf
        np.testing.assert_array_equal(np.isneginf(skmle.log_prob(model, X, mixed)), ~known)
    assert len(caught) == 2
    np.testing.assert_allclose(
        log_likelihood_score(model, X, mixed, known.astype(float)),
        log_likelihood_score(model, X[known], [pair[c] for c in code[known]]),
        **EXACT,
    )


def test_zero_probability_of_a_seen_label_is_minus_infinity_not_a_clipped_number():
    X = [[0.0], [0.0], [1.0], [1.0]]
    tree = DecisionTreeClassifier().fit(X, [0, 0, 1, 1])
    assert log_likelihood_score(tree, X, [0, 0, 1, 1]) == 0.0
    assert log_likelihood_score(tree, X, [0, 0, 1, 0]) == -np.inf
    assert np.isfinite(-log_loss([0, 0, 1, 0], tree.predict_proba(X)))


def test_log_probabilities_beyond_the_underflow_of_probabilities_are_exact():
    X = np.array([[-50.0], [-49.0], [49.0], [50.0]])
    model = GaussianNB().fit(X, [0, 0, 1, 1])
    assert model.predict_proba([[50.0]])[0, 0] == 0.0
    assert -np.inf < log_likelihood_score(model, [[50.0]], [0]) < -700.0
