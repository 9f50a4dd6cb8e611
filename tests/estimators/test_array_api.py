"""Arrays of other libraries: taken with and without dispatch, and given back under it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
LABELS = (X[:, 0] + RNG.logistic(size=80) > 0).astype(int) + (X[:, 1] > 1.0)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0]))
WEIGHT = RNG.uniform(0.5, 2.0, 80)

FITS = {
    "density": (MLEDistribution(), (X,)),
    "regressor": (MLERegressor("poisson", alpha=0.1), (X, COUNTS)),
    "classifier": (CrossEntropyClassifier(alpha=0.1), (X, LABELS)),
}
METHODS = {
    "density": ["predict", "score_samples"],
    "regressor": ["predict", "predict_interval", "predict_quantile", "sample", "log_prob"],
    "classifier": [
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
        "log_prob",
    ],
}
MORE = {"predict_quantile": {"q": [0.2, 0.7]}, "sample": {"random_state": 0}}

every_kind = pytest.mark.parametrize("kind", FITS)


class Foreign:
    """An array of another library: it has the array API's marks, and nothing of numpy."""

    def __init__(self, values: np.ndarray, device: str = "cpu") -> None:
        self.values, self.device = np.asarray(values), device
        self.shape, self.ndim, self.dtype = values.shape, values.ndim, values.dtype

    def __array_namespace__(self, api_version=None):
        return Library

    def __array__(self, dtype=None, copy=None):
        if self.device != "cpu":
            raise RuntimeError(f"Can't convert array on the {self.device!r} device")
        return np.asarray(self.values, dtype)

    def __len__(self) -> int:
        return len(self.values)


class Library:
    """The namespace of these arrays, with what skmle asks of one."""

    __name__ = "foreign"
    float32 = np.dtype(np.float32)

    @staticmethod
    def asarray(values: np.ndarray, device: str | None = None) -> Foreign:
        return Foreign(np.asarray(values), device or "cpu")


@pytest.fixture(params=["here", "strict"])
def library(request, monkeypatch):
    """One that is always there, and array_api_strict where it is installed."""
    if request.param == "strict":
        try:
            import array_api_strict
        except ImportError:
            monkeypatch.setattr("skmle._shared.arrays.get_namespace", lambda array: (Library, True))
            return Library
        return array_api_strict
    monkeypatch.setattr("skmle._shared.arrays.get_namespace", lambda array: (Library, True))
    return Library


def asked(model, kind: str, method: str, data: tuple):
    extra = (data[1],) if method == "log_prob" else ()
    return getattr(model, method)(data[0], *extra, **MORE.get(method, {}))


def parts(result) -> tuple:
    return result if isinstance(result, tuple) else (result,)


@every_kind
@pytest.mark.parametrize("dispatch", [False, True])
def test_the_fit_is_that_of_numpy(kind, dispatch, library):
    model, data = FITS[kind]
    expected = clone(model).fit(*data, sample_weight=WEIGHT)
    foreign = tuple(map(library.asarray, data))
    with config_context(array_api_dispatch=dispatch):
        fitted = clone(model).fit(*foreign, sample_weight=library.asarray(WEIGHT))
        assert fitted.log_likelihood_ == expected.log_likelihood_
        score = fitted.score(*foreign, sample_weight=library.asarray(WEIGHT))
        assert score == expected.score(*data, sample_weight=WEIGHT)
        for method in METHODS[kind]:
            found = parts(asked(fitted, kind, method, foreign))
            for part, value in zip(found, parts(asked(expected, kind, method, data)), strict=True):
                assert (type(part) is np.ndarray) != dispatch
                if dispatch:
                    assert type(part) is type(foreign[0]) and part.device == foreign[0].device
                np.testing.assert_array_equal(np.asarray(part), value)


@every_kind
def test_single_precision_is_given_back_as_such(kind, library):
    model, (x, *y) = FITS[kind]
    small = library.asarray(x.astype(np.float32))
    with config_context(array_api_dispatch=True):
        fitted = clone(model).fit(small, *map(library.asarray, y))
        assert fitted.predict(small).dtype in (library.float32, library.asarray(COUNTS).dtype)


@every_kind
@pytest.mark.parametrize("dispatch", [False, True])
@pytest.mark.parametrize("which", ["X", "y", "sample_weight"])
def test_an_array_out_of_reach_is_an_error_that_says_what_to_do(kind, dispatch, which, monkeypatch):
    monkeypatch.setattr("skmle._shared.arrays.get_namespace", lambda array: (Library, True))
    model, data = FITS[kind]
    far = [
        Foreign(values, "gpu") if which == name else values
        for name, values in zip("Xy", data, strict=False)
    ]
    weight = Foreign(WEIGHT, "gpu") if which == "sample_weight" else WEIGHT
    if which == "y" and kind == "density":
        return
    says = f"{which}: numpy cannot read this array of .* on the device gpu .*Allowed: .*Move"
    with config_context(array_api_dispatch=dispatch), pytest.raises(TypeError, match=says):
        clone(model).fit(*far, sample_weight=weight)


def test_labels_that_are_texts_stay_those_of_numpy(library):
    with config_context(array_api_dispatch=True):
        model = CrossEntropyClassifier(alpha=0.1)
        model.fit(library.asarray(X), np.array(["a", "b", "c"])[LABELS])
        assert set(model.predict(library.asarray(X))) <= {"a", "b", "c"}
