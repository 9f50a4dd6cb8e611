"""A class whose rows all have weight zero stays a class: its probability is zero, as the limit."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier

from skmle import CrossEntropyClassifier
from skmle._shared.classes import _LINKS
from tests.estimators.refusals import assert_four_parts, assert_refused

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
LABELS = np.where(X[:, 0] + RNG.logistic(size=60) > 0.0, "left", "right")
LABELS[:3] = "none"
PRESENT = (LABELS != "none").astype(float)
PENALTIES = [{}, {"alpha": 0.1}, {"alpha": 0.1, "l1_ratio": 0.5}, {"alpha": 0.05, "l1_ratio": 1.0}]

every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=str)


@every_penalty
def test_the_fit_is_that_of_the_classes_present(penalty):
    model = CrossEntropyClassifier(**penalty).fit(X, LABELS, PRESENT)
    rows = PRESENT > 0.0
    assert list(model.classes_) == ["left", "none", "right"] and model.status_ == "interior"
    proba = model.predict_proba(X)
    assert proba.shape == (60, 3) and (proba[:, 1] == 0.0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert model.intercept_[1] == -np.inf and not model.coef_[1].any()
    assert model.score(X, LABELS) == -np.inf
    score = model.score(X, LABELS, PRESENT)
    assert score * model.weight_sum_ == pytest.approx(model.log_likelihood_, rel=1e-9)
    if not penalty:
        two = CrossEntropyClassifier().fit(X[rows], LABELS[rows])
        np.testing.assert_allclose(proba[:, [0, 2]], two.predict_proba(X), rtol=1e-9)
        assert model.n_parameters_ == two.n_parameters_
        errors = model.inference().standard_errors
        np.testing.assert_allclose(errors[3:], two.inference().standard_errors / 2.0, rtol=1e-6)


@every_penalty
def test_it_is_the_limit_of_small_weights(penalty):
    """The classes present are penalised as they are beside a class of vanishing weight."""
    absent = CrossEntropyClassifier(**penalty).fit(X, LABELS, PRESENT)
    small = CrossEntropyClassifier(**penalty)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small.fit(X, LABELS, np.where(PRESENT > 0.0, 1.0, 1e-9))
    np.testing.assert_allclose(small.predict_proba(X), absent.predict_proba(X), atol=1e-6)


@every_penalty
def test_a_class_weight_of_zero_leaves_a_class_out(penalty):
    weights = {"left": 1.0, "none": 0.0, "right": 1.0}
    model = CrossEntropyClassifier(class_weight=weights, **penalty).fit(X, LABELS)
    other = CrossEntropyClassifier(**penalty).fit(X, LABELS, PRESENT)
    np.testing.assert_array_equal(model.coef_, other.coef_)
    np.testing.assert_array_equal(model.intercept_, other.intercept_)
    balanced = CrossEntropyClassifier(class_weight="balanced", **penalty)
    balanced.fit(X, LABELS, PRESENT)
    assert balanced.status_ == "interior" and balanced.predict_proba(X)[:, 1].max() == 0.0


def test_no_class_may_be_left():
    says = "class_weight=.* is not allowed; give each class a finite weight >= 0"
    weights = dict.fromkeys(["left", "none", "right"], 0.0)
    model = CrossEntropyClassifier(class_weight=weights)
    assert_four_parts(assert_refused(model, X, LABELS, says=says))
    model = CrossEntropyClassifier(class_weight={"left": 0.0, "none": 1.0, "right": 0.0})
    assert_refused(model, X, LABELS, sample_weight=PRESENT, says="class_weight=.* is not allowed")


@pytest.mark.parametrize("link", _LINKS)
@pytest.mark.parametrize("only", [0, 1])
def test_a_class_that_is_alone_is_certain(link, only):
    model = CrossEntropyClassifier(link=link)
    model.fit([[0.0], [1.0]], [0, 1], sample_weight=[1.0 - only, float(only)])
    assert model.status_ == "interior" and model.n_parameters_ == 0
    assert model.log_likelihood_ == 0.0 == model.score([[5.0]], [only])
    proba = np.eye(2)[[only, only]]
    for fitted in (model, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(fitted.predict_proba([[-3.0], [5.0]]), proba)
        np.testing.assert_array_equal(fitted.predict([[-3.0], [5.0]]), [only, only])
    assert "log-likelihood 0.0000" in str(model.summary())
    model.set_params(warm_start=True).fit([[0.0], [1.0], [2.0]], [0, 1, 0])
    assert np.isfinite(model.intercept_).all()


def test_a_class_of_three_that_is_alone_is_certain():
    model = CrossEntropyClassifier(alpha=0.1).fit(X, LABELS, 1.0 - PRESENT)
    np.testing.assert_array_equal(model.predict_proba(X), np.eye(3)[np.ones(60, int)])
    assert (model.predict(X) == "none").all() and "log-likelihood" in str(model.summary())


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_ensembles_of_a_rare_class(alpha):
    """A bootstrap that misses a class gives it the weight zero."""
    y = np.zeros(60, int)
    y[:2], y[2:20] = 1, 2
    model = CrossEntropyClassifier(alpha=alpha)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bagged = BaggingClassifier(clone(model), n_estimators=20, random_state=0).fit(X, y)
        boosted = AdaBoostClassifier(clone(model), n_estimators=5, random_state=0).fit(X, y)
    absent = [not fitted._present.all() for fitted in bagged.estimators_]
    assert any(absent) and not all(absent)
    for ensemble in (bagged, boosted):
        proba = ensemble.predict_proba(X)
        assert proba.shape == (60, 3) and np.isfinite(proba).all()
