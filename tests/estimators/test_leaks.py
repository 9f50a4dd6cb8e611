"""Many fits: no memory that stays, no state of the process that changes, no text that is markup."""

from __future__ import annotations

import gc
import html
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
LABELS = (X[:, 0] + RNG.logistic(size=300) > 0).astype(int)
FITS = {
    "density": (MLEDistribution("gamma"), (np.exp(X[:, :1]),)),
    "regressor": (MLERegressor("normal"), (X, X[:, 0] + RNG.normal(size=300))),
    "classifier": (CrossEntropyClassifier(), (X, LABELS)),
}
SEPARATED = {"separated": (CrossEntropyClassifier(), (X, (X[:, 0] > 0.0).astype(int)))}
# Bytes that 200 more fits may leave behind: less than one fit's arrays, and far less than 200
# times any of them. Caches of Python and numpy take a few thousand.
LEFT = 64_000

every_kind = pytest.mark.parametrize("kind", FITS)


@pytest.mark.parametrize("kind", FITS | SEPARATED)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.SeparationWarning")
@pytest.mark.slow
def test_many_fits_leave_no_memory_behind(kind):
    model, data = (FITS | SEPARATED)[kind]

    def many(count: int) -> int:
        for _ in range(count):
            model.fit(*data)
            model.score(*data)
            with pytest.raises(ValueError, match="contains NaN"):
                model.predict(data[0] * np.nan)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = many(50)
        after = many(200)
    finally:
        tracemalloc.stop()
    assert after - before < LEFT


def state() -> tuple[object, ...]:
    """Return what numpy and Python keep for the whole process."""
    numbers = np.random.get_state()[1].tobytes()  # noqa: NPY002 - the state that is shared
    return np.geterr(), list(warnings.filters), numbers


@every_kind
def test_a_fit_changes_nothing_of_the_process(kind):
    model, data = FITS[kind]
    copies = [array.copy() for array in data]
    before = state()
    model.fit(*data)
    model.predict(data[0])
    assert before == state()
    for array, copy in zip(data, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


NAMES = ["<script>alert(1)</script>", "a&b", '"><img src=x onerror=alert(1)>']


@every_kind
def test_markup_in_names_is_text(kind):
    """In the summary of a notebook, in its diagram, and in the labels of classes."""
    model, (x, *y) = FITS[kind]
    names = NAMES[: x.shape[1]]
    labels = [np.where(part > 0, *NAMES[:2]) for part in y] if kind == "classifier" else y
    model.fit(pd.DataFrame(x, columns=names), *labels)
    for shown in (model.summary()._repr_html_(), model._repr_html_()):
        assert not any(name in shown for name in NAMES[::2])
    if kind != "density":
        page = model.summary()._repr_html_()
        assert all(html.escape(name) in page for name in names)


def test_markup_in_the_names_of_independent_columns_is_text():
    model = MLEDistribution("normal").fit(pd.DataFrame(X, columns=NAMES))
    page = model.summary()._repr_html_()
    assert not any(name in page for name in NAMES[::2])
    assert all(html.escape(name) in page for name in NAMES)
