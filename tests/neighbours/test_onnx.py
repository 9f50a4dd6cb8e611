"""Graphs of ONNX compute what the models predict."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import CrossEntropyClassifier, MLERegressor
from skmle.families import Normal

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from skmle.onnx import register_converters  # noqa: E402


@pytest.fixture(autouse=True)
def registered():
    register_converters()


def computed(model, X, **options):
    """Return what the graph of a fitted model gives for the rows of X."""
    graph = skl2onnx.to_onnx(model, X[:1], options=options or None)
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"X": X})


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("data", [load_breast_cancer, load_iris], ids=["two", "three"])
def test_probabilities_and_labels(data, precision):
    X, y = data(return_X_y=True)
    X = X.astype(precision)
    model = make_pipeline(StandardScaler(), CrossEntropyClassifier(alpha=0.01)).fit(X, y)
    labels, probabilities = computed(model, X, zipmap=False)
    np.testing.assert_array_equal(labels, model.predict(X))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    "family", ["normal", "poisson", "negative_binomial", "gamma", Normal(links={"loc": "log"})]
)
def test_means(family):
    X, y = load_diabetes(return_X_y=True)
    model = MLERegressor(family).fit(X, y)
    (found,) = computed(model, X)
    np.testing.assert_allclose(found.ravel(), model.predict(X), rtol=1e-10)
    (found,) = computed(model, X.astype("float32"))
    np.testing.assert_allclose(found.ravel(), model.predict(X), rtol=1e-5)


def test_probabilities_of_a_beta_law():
    X, y = load_diabetes(return_X_y=True)
    model = MLERegressor("beta").fit(X, y / 400.0)
    (found,) = computed(model, X)
    np.testing.assert_allclose(found.ravel(), model.predict(X), rtol=1e-10)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (MLERegressor("weibull"), "scale"),
        (MLERegressor("inverse_gaussian", features={"mean": [0]}), "features"),
        (MLERegressor("gamma", fixed={"mean": 150.0}), "mean"),
    ],
)
def test_models_that_do_not_convert_say_why(model, named):
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(NotImplementedError, match=named):
        computed(model.fit(X, y), X)


def test_a_classifier_of_another_link_says_why():
    X, y = load_breast_cancer(return_X_y=True)
    model = CrossEntropyClassifier(link="probit").fit(X[:, :2], y)
    with pytest.raises(NotImplementedError, match="probit"):
        computed(model, X[:, :2])
