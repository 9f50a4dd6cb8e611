"""Bad shapes and weights, and too little data."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import ScaleWarning
from tests.estimators.refusals import (
    ESTIMATORS,
    LABELS,
    X,
    Y,
    arguments,
    assert_four_parts,
    assert_refused,
    every_estimator,
)

# ---------------------------------------------------------------- shapes


@every_estimator
def test_wrong_shapes_of_x_are_refused(kind):
    model = ESTIMATORS[kind]
    if kind != "density":  # of which it is one column
        says = r"Expected 2D array, got 1D array instead, X of shape \(30,\).* Reshape your data: "
        assert_four_parts(assert_refused(model, *arguments(kind, X[:, 0]), says=says))
    assert_refused(model, *arguments(kind, X[:, :, None]), says="Found array with dim 3")
    assert_refused(model, *arguments(kind, X[:, :0]), says="0 feature")
    assert_refused(model, *arguments(kind, X[:0]), says="0 sample")
    assert_refused(
        model, *arguments(kind, np.full((30, 2), "a")), says=r"holds? text \(row 0: 'a'\)"
    )
    says = "Complex data not supported in X.* Allowed: real numbers"
    assert_four_parts(assert_refused(model, *arguments(kind, X + 1j), says=says))
    fitted = (
        clone(model)
        .set_params(**({"alpha": 0.1} if kind == "classifier" else {}))
        .fit(*arguments(kind))
    )
    with pytest.raises(ValueError, match="X has 1 features, but .* is expecting 2 features"):
        fitted.predict(X[:, :1])


def test_wrong_shapes_of_y_are_refused():
    for model, y in ((MLERegressor(), Y), (CrossEntropyClassifier(), LABELS)):
        assert_refused(model, X, y[:-1], says=r"inconsistent numbers of samples: \[30, 29\]")
        assert_refused(
            model,
            X,
            np.column_stack([y, y]),
            says=r"y should be a 1d array, got an array of shape \(30, 2\)",
        )
        assert_refused(model, X, None, says="requires y to be passed")
    binomial = assert_refused(
        MLERegressor("binomial"),
        X,
        np.ones(30),
        says=r"y has shape \(30,\). Allowed: \(n, 2\), one observation a row",
    )
    assert_four_parts(binomial)
    assert_refused(MLERegressor("binomial"), X, np.ones((30, 3)), says=r"y has shape \(30, 3\)")
    assert_four_parts(
        assert_refused(
            MLEDistribution("binomial"),
            np.ones((30, 3)),
            says="Binomial: X has 3 columns. Allowed: exactly 2",
        )
    )
    assert_refused(
        MLEDistribution(),
        sp.csr_array(X),
        says="Sparse data was passed for X, but dense data is required",
        error=TypeError,
    )
    assert_refused(CrossEntropyClassifier(), X, Y, says="Unknown label type: continuous")
    fitted = CrossEntropyClassifier(alpha=0.1).fit(X, LABELS)
    with pytest.raises(
        ValueError, match=r"y has shape \(29,\), but X has 30 rows. Allowed: shape \(30,\)"
    ):
        fitted.score(X, LABELS[1:])
    with pytest.raises(
        ValueError,
        match="MLERegressor requires y to be passed.*Allowed: one observation a row of X. Give y",
    ):
        MLERegressor().fit(X, Y).score(X)


@pytest.mark.parametrize("what", ["offset", "exposure"])
@pytest.mark.parametrize("given", [np.ones(3), np.ones((30, 2))], ids=["short", "wide"])
def test_wrong_shapes_of_offsets_are_refused(what, given):
    says = rf"{what}: the shape is {re.escape(str(given.shape))}, but X has 30 rows"
    assert_four_parts(
        assert_refused(MLERegressor("poisson"), X, np.arange(30), **{what: given}, says=says)
    )


def test_an_exposure_that_a_scaler_moved_is_told_from_others():
    frame = pd.DataFrame({"x": Y, "years": Y})
    model = MLERegressor("poisson", exposure="years")
    message = assert_refused(model, frame, np.arange(30), says="remainder='passthrough'")
    assert_four_parts(message)


@pytest.mark.parametrize(
    ("settings", "beside", "title"),
    [
        ({"exposure": "years"}, {}, ", exposure years"),
        ({"offset": 0}, {}, ", offset column 0"),
        ({}, {"exposure": np.arange(1.0, 31.0)}, ", exposure beside X"),
        ({"offset": "x"}, {"exposure": 2.0}, ", offset x and exposure beside X"),
        ({}, {}, ""),
    ],
)
def test_tables_name_the_exposure_and_the_offset(settings, beside, title):
    frame = pd.DataFrame({"x": Y, "years": np.arange(1.0, 31.0), "z": Y**2})
    model = MLERegressor("poisson", **settings).fit(frame, np.arange(30) % 4, **beside)
    assert str(model.summary()).splitlines()[0] == f"Poisson regression{title}"


def test_values_that_are_no_counts_are_told():
    with pytest.warns(ScaleWarning, match=r"15 of 30 rows \(row 1: 0.5, .* sample_weight"):
        MLERegressor("poisson").fit(X, np.arange(30) / 2)
    MLERegressor("poisson").fit(X, np.arange(30) / 2, sample_weight=np.full(30, 2.0))


def test_exposures_are_positive_under_a_log_link():
    counts = np.arange(30)
    message = assert_refused(
        MLERegressor("poisson"),
        X,
        counts,
        exposure=Y,
        says=r"exposure: \d+ of 30 rows are not positive .first: row 0: ",
    )
    assert_four_parts(message)
    assert_four_parts(
        assert_refused(
            MLERegressor(),
            X,
            Y,
            exposure=np.ones(30),
            says="has link 'identity'. Allowed: 'log'. Use offset",
        )
    )
    both = MLERegressor("poisson", exposure=1)
    assert_four_parts(
        assert_refused(
            both,
            np.abs(X),
            counts,
            exposure=np.ones(30),
            says="both the column 1 of X and an array were given",
        )
    )


# ---------------------------------------------------------------- weights


@every_estimator
def test_impossible_weights_are_refused(kind):
    model, args = ESTIMATORS[kind], arguments(kind)
    weight = np.ones(30)
    weight[[1, 4]] = -1.0
    says = (
        r"Negative values in data passed to `sample_weight`: 2 of 30 rows \(row 1: -1, row 4: -1\)"
    )
    assert_four_parts(assert_refused(model, *args, sample_weight=weight, says=says))
    assert_four_parts(
        assert_refused(model, *args, sample_weight=np.zeros(30), says="all 30 weights are zero")
    )
    for value in (np.nan, np.inf):
        weight = np.ones(30)
        weight[2] = value
        assert_four_parts(
            assert_refused(
                model,
                *args,
                sample_weight=weight,
                says=rf"Input sample_weight contains .*: 1 of 30 rows \(row 2: {value}\)",
            )
        )
    says = r"sample_weight: the shape is \(3,\), but X has 30 rows"
    assert_four_parts(assert_refused(model, *args, sample_weight=np.ones(3), says=says))
    assert_four_parts(
        assert_refused(model, *args, sample_weight=np.ones((30, 2)), says=r"the shape is \(30, 2\)")
    )
    says = r"sample_weight holds text \(row 0: 'a'\)"
    assert_four_parts(assert_refused(model, *args, sample_weight=["a"] * 30, says=says))


@every_estimator
def test_impossible_weights_of_a_score_are_refused(kind):
    model = (
        clone(ESTIMATORS[kind])
        .set_params(**({"alpha": 0.1} if kind == "classifier" else {}))
        .fit(*arguments(kind))
    )
    for weight, says in (
        (-np.ones(30), "Negative values"),
        (np.zeros(30), "weights are zero"),
        (np.ones(3), "the shape is"),
    ):
        with pytest.raises(ValueError, match=says):
            model.score(*arguments(kind), sample_weight=weight)


def test_impossible_weights_of_classes_are_refused():
    for weights in ({"yes": -1.0, "no": 1.0}, {"yes": 0.0, "no": 0.0}, {"yes": np.inf, "no": 1.0}):
        message = assert_refused(
            CrossEntropyClassifier(class_weight=weights),
            X,
            LABELS,
            says="class_weight=.* is not allowed; give each class",
        )
        assert_four_parts(message)
    assert_refused(
        CrossEntropyClassifier(class_weight={"yes": 1.0, "maybe": 1.0}),
        X,
        LABELS,
        says="The classes, .*'no'.*, are not in class_weight",
    )
    assert_refused(
        CrossEntropyClassifier(class_weight="blanced"),
        X,
        LABELS,
        says="'class_weight' parameter .* Got 'blanced' instead",
    )


# ---------------------------------------------------------------- too little data


def test_no_row_is_refused():
    for kind, model in ESTIMATORS.items():
        says = r"Found array with 0 sample\(s\) .* while a minimum of 1 is required"
        assert_refused(model, *(a[:0] for a in arguments(kind)), says=says)


def test_one_class_is_refused():
    message = assert_refused(
        CrossEntropyClassifier(),
        X,
        np.full(30, "yes"),
        says="y has only one class, 'yes', in its 30 rows",
    )
    assert_four_parts(message)
    assert_refused(
        CrossEntropyClassifier(), X, np.ones(30, int), says="only one class, '1', in its 30 rows"
    )
