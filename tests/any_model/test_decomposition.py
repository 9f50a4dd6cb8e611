"""The cross-entropy of any classifier is uncertainty - resolution + calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier
from skmle.metrics import cross_entropy_decomposition

CLASSIFIERS = {
    "skmle": CrossEntropyClassifier(alpha=0.01),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "naive Bayes": GaussianNB(),
    "forest": RandomForestClassifier(20, min_samples_leaf=5, random_state=0),
    "neighbours": KNeighborsClassifier(40),
    "calibrated": CalibratedClassifierCV(GaussianNB()),
    "constant": DummyClassifier(strategy="prior"),
}
DATA = {"two classes": load_breast_cancer(return_X_y=True), "three": load_iris(return_X_y=True)}


class Told:
    """A classifier that tells the probabilities that it is given as X."""

    def __init__(self, k):
        self.classes_ = np.arange(k)

    def predict_proba(self, X):
        return np.asarray(X)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("method", ["auto", "logistic"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_parts_add_up_and_none_is_negative(name, method, data):
    X, y = DATA[data]
    model = CLASSIFIERS[name].fit(X[::2], y[::2])
    X, y = X[1::2], y[1::2]
    found = cross_entropy_decomposition(model, X, y, method=method)
    proba = model.predict_proba(X)
    if (proba[np.arange(len(y)), y] > 0.0).all():
        assert found.cross_entropy == pytest.approx(log_loss(y, proba), rel=1e-12)
    assert found.uncertainty == pytest.approx(entropy(np.bincount(y) / len(y)), rel=1e-12)
    assert found.resolution >= 0.0 and found.calibration >= 0.0
    whole = found.uncertainty - found.resolution + found.calibration
    assert whole == pytest.approx(found.cross_entropy, rel=1e-12)
    assert found.method == ("isotonic" if (method, data) == ("auto", "two classes") else "logistic")


def test_a_constant_tells_nothing_and_loses_its_divergence():
    y = np.repeat([0, 1, 1, 1], 25)
    for method in ("isotonic", "logistic"):
        found = cross_entropy_decomposition(Told(2), np.full((100, 2), 0.5), y, method=method)
        assert found.resolution == pytest.approx(0.0, abs=1e-12)
        divergence = entropy([0.25, 0.75], [0.5, 0.5])
        assert found.calibration == pytest.approx(divergence, abs=1e-12)


def test_probabilities_that_hold_lose_little_by_calibration():
    rng = np.random.default_rng(0)
    proba = softmax(rng.normal(size=(20_000, 3)), axis=1)
    y = (proba.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    found = cross_entropy_decomposition(Told(3), proba, y)
    # Half a chi-square of as many coefficients as were fitted, 6, in all.
    assert found.calibration < 10.0 / 20_000
    sharper = proba**2 / (proba**2).sum(axis=1, keepdims=True)
    worse = cross_entropy_decomposition(Told(3), sharper, y)
    # Powers of probabilities are among the recalibrations: nothing is lost but calibration.
    assert worse.resolution == pytest.approx(found.resolution, abs=1e-9)
    assert worse.calibration > 0.05


def test_the_isotonic_one_is_that_of_bins_of_equal_probabilities():
    p = np.repeat([0.1, 0.4, 0.8], 50)
    y = (np.arange(150) % 50 < np.repeat([10, 20, 45], 50)).astype(int)
    found = cross_entropy_decomposition(Told(2), np.column_stack([1 - p, p]), y)
    shares = np.array([0.2, 0.4, 0.9])
    inside = np.mean([entropy([s, 1 - s]) for s in shares])
    told = np.array([0.1, 0.4, 0.8])
    lost = entropy([shares, 1 - shares], [told, 1 - told]).mean()
    assert found.resolution == pytest.approx(found.uncertainty - inside, abs=1e-12)
    assert found.calibration == pytest.approx(lost, abs=1e-12)


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_a_weight_is_a_repeated_row(method, rng):
    X, y = load_breast_cancer(return_X_y=True)
    model = GaussianNB().fit(X[::2], y[::2])
    X, y = X[1::2], y[1::2]
    weight = rng.integers(0, 3, len(y))
    own = cross_entropy_decomposition(model, X, y, weight, method=method)
    again = cross_entropy_decomposition(
        model, np.repeat(X, weight, axis=0), np.repeat(y, weight), method=method
    )
    for part in ("cross_entropy", "uncertainty", "resolution", "calibration"):
        assert getattr(own, part) == pytest.approx(getattr(again, part), abs=1e-9)


def test_an_impossible_label_costs_all_and_only_by_calibration():
    proba = np.array([[1.0, 0.0]] * 5 + [[0.3, 0.7]] * 15)
    y = np.array([0, 0, 0, 0, 1] + [1] * 10 + [0] * 5)
    found = cross_entropy_decomposition(Told(2), proba, y)
    assert found.cross_entropy == found.calibration == np.inf
    assert 0.0 < found.resolution < found.uncertainty


def test_perfect_probabilities_resolve_all():
    y = np.array([0, 1, 2] * 10)
    found = cross_entropy_decomposition(Told(3), np.eye(3)[y], y)
    assert found.cross_entropy == 0.0 and found.calibration == 0.0
    assert found.resolution == found.uncertainty


def test_what_is_not_allowed_is_named():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="LinearRegression has no predict_proba. Allowed"):
        cross_entropy_decomposition(LinearRegression().fit(X, y), X, y)
    two = GaussianNB().fit(X[:100], y[:100])
    with pytest.raises(
        ValueError, match="y has the label 2 in row 100, which the fit has not seen"
    ):
        cross_entropy_decomposition(two, X, y)
    three = GaussianNB().fit(X, y)
    with pytest.raises(ValueError, match="method='isotonic' is not allowed with 3 classes"):
        cross_entropy_decomposition(three, X, y, method="isotonic")


def test_it_is_shown_as_a_sum():
    X, y = load_breast_cancer(return_X_y=True)
    found = cross_entropy_decomposition(GaussianNB().fit(X, y), X, y)
    assert "= cross-entropy" in repr(found) and "<table" in found._repr_html_()
    assert [*found.tidy()] == ["cross_entropy", "uncertainty", "resolution", "calibration"]
