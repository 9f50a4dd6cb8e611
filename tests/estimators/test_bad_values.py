"""Bad values: outside the support, NaN, infinities, missing labels, and whatever comes."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import FitWarning, ScoreWarning
from skmle.families import Categorical, Family
from tests.estimators.refusals import (
    ESTIMATORS,
    FRAME,
    LABELS,
    X,
    Y,
    arguments,
    assert_four_parts,
    assert_refused,
    every_estimator,
)
from tests.subjects import FAMILIES, every_class, is_conditional, ordinary_value, own_name

# ---------------------------------------------------------------- values outside the support


def outside(cls: type[Family]) -> list[float]:
    """Return values just outside the support of a family, at each of its ends and between whole
    numbers.
    """
    support = cls.support
    beyond = [
        end + (sign if closed else 0.0)
        for end, closed, sign in zip(
            (support.low, support.high), support.closed, (-1.0, 1.0), strict=True
        )
        if np.isfinite(end)
    ]
    return beyond + [ordinary_value(cls) + 0.5] * support.whole


@every_class(
    lambda cls: cls.observation.columns == 1 and cls.observation.numeric and len(outside(cls)) > 0
)
def test_values_outside_the_support_are_named_and_counted(cls):
    name = own_name(cls)
    for bad in outside(cls):
        inside = np.full(30, ordinary_value(cls))
        y = inside.copy()
        y[[3, 7, 8, 9, 10, 12, 13]] = bad
        allowed = str(cls().adapt(y).support)
        expected = re.escape(
            f"7 of 30 rows (row 3: {bad:g}, row 7: {bad:g}, row 8: {bad:g}, row 9: {bad:g}, row "
            f"10: {bad:g}, ...)"
        )
        columns = pd.DataFrame({"fine": inside, "price": y})
        says = (
            f"{expected} of column price outside the support. Allowed: {re.escape(allowed)} for "
            "each value y"
        )
        assert_four_parts(assert_refused(MLEDistribution(name), columns, says=says))
        if is_conditional(cls) and not cls().takes(np.array([bad])).all():
            says = f"{expected} of y outside the support"
            assert_four_parts(assert_refused(MLERegressor(name), X, y, says=says))


def test_rows_keep_their_numbers_where_others_have_weight_zero():
    y = np.ones(30)
    y[[5, 20]] = -1.0
    weight = np.ones(30)
    weight[:6] = 0.0
    assert_refused(
        MLERegressor("gamma"), X, y, sample_weight=weight, says=r"1 of 24 rows \(row 20: -1\) of y"
    )
    assert_refused(
        MLEDistribution("gamma"),
        y[:, None],
        sample_weight=weight,
        says=r"1 of 24 rows \(row 20: -1\) of column 0",
    )


def test_rows_of_several_columns_are_shown_whole():
    y = np.tile([2.0, 3.0], (30, 1))
    y[4] = [1.5, 2.0]
    message = assert_refused(
        MLERegressor("binomial"),
        X,
        y,
        says=r"Binomial: 1 of 30 rows \(row 4: \[1.5, 2\]\) of y outside the support",
    )
    assert_four_parts(message)
    assert_refused(MLEDistribution("binomial"), y, says=r"row 4: \[1.5, 2\]")


def test_unknown_labels_are_outside_the_support_of_a_categorical_law():
    message = assert_refused(
        MLEDistribution(Categorical(["a", "b"])),
        [["a"], ["b"], ["c"]],
        says="1 of 3 rows .row 2: 'c'. of column 0",
    )
    assert_four_parts(message)


def test_a_row_outside_the_support_of_a_fitted_model_has_score_minus_infinity():
    model = MLEDistribution("gamma").fit(np.exp(X[:, :1]))
    assert model.score_samples([[-1.0], [1.0]])[0] == -np.inf
    assert model.score([[-1.0], [1.0]]) == -np.inf
    assert model.score([[-1.0], [1.0]], sample_weight=[0.0, 1.0]) > -np.inf
    regression = MLERegressor("poisson").fit(X, np.arange(30) % 4)
    assert regression.score(X[:2], [-1.0, 1.0]) == -np.inf
    classifier = CrossEntropyClassifier(alpha=0.1).fit(X, LABELS)
    with pytest.warns(ScoreWarning, match="label that fit has not seen .row 0: 'maybe'."):
        assert classifier.score(X[:2], ["maybe", "yes"]) == -np.inf


# ---------------------------------------------------------------- NaN, infinities, missing labels


@every_estimator
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_of_x_that_are_not_finite_are_named_and_counted(kind, value):
    bad = FRAME.copy()
    bad.iloc[[4, 4, 9], [1, 0, 1]] = value
    says = (
        rf"Input X contains {'NaN' if np.isnan(value) else 'infinity'} in 2 of 30 rows "
        rf"\(row 4, column age: {value}, row 4, column time: {value}, row 9"
    )
    assert_four_parts(assert_refused(ESTIMATORS[kind], *arguments(kind, bad), says=says))
    plain = X.copy()
    plain[4, 1] = value
    assert_refused(
        ESTIMATORS[kind],
        *arguments(kind, plain),
        says=rf"1 of 30 rows \(row 4, column 1: {value}\)",
    )
    if kind != "density":
        assert_refused(
            ESTIMATORS[kind],
            *arguments(kind, sp.csr_array(plain)),
            says=rf"1 of 30 rows \(row 4, column 1: {value}\)",
        )
    model = (
        clone(ESTIMATORS[kind])
        .set_params(**({"alpha": 0.1} if kind == "classifier" else {}))
        .fit(*arguments(kind))
    )
    with pytest.raises(ValueError, match=rf"row 4, column 1: {value}"):
        model.predict(plain)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_of_y_that_are_not_finite_are_named_and_counted(value):
    y = Y.copy()
    y[[5, 6]] = value
    says = (
        rf"Input y contains {'NaN' if np.isnan(value) else 'infinity'} in 2 of 30 rows "
        rf"\(row 5: {value}, row 6: {value}\)"
    )
    for response in (y, y.tolist(), pd.Series(y)):
        assert_four_parts(assert_refused(MLERegressor(), X, response, says="MLERegressor: " + says))
    codes = np.where(np.isfinite(y), y > 0, y)
    assert_four_parts(
        assert_refused(CrossEntropyClassifier(), X, codes, says="CrossEntropyClassifier: " + says)
    )
    model = MLERegressor().fit(X, Y)
    with pytest.raises(ValueError, match=says):
        model.score(X, y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_labels_are_named_and_counted(missing):
    labels = LABELS.astype(object)
    labels[3] = missing
    assert_four_parts(
        assert_refused(
            CrossEntropyClassifier(),
            X,
            labels,
            says=r"Input y contains NaN in 1 of 30 rows \(row 3: ",
        )
    )
    assert_four_parts(
        assert_refused(
            MLEDistribution("categorical"),
            labels[:, None],
            says=r"Input X contains NaN in 1 of 30 rows \(row 3, column 0: ",
        )
    )


def test_labels_without_a_common_order_are_refused():
    labels = LABELS.astype(object)
    labels[3] = 7
    says = "labels are of types int, str, which have no common order"
    assert_four_parts(assert_refused(MLEDistribution("categorical"), labels[:, None], says=says))


@pytest.mark.parametrize("what", ["offset", "exposure"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_offsets_that_are_not_finite_are_named_and_counted(what, value):
    given = np.ones(30)
    given[8] = value
    message = assert_refused(
        MLERegressor("poisson"),
        X,
        np.arange(30),
        **{what: given},
        says=rf"Input {what} contains .* in 1 of 30 rows \(row 8: {value}\)",
    )
    assert_four_parts(message)


# ---------------------------------------------------------------- whatever comes


# Numbers whose squares and quotients are numbers still.
cells = st.one_of(
    st.floats(-1e70, 1e70),
    st.integers(-3, 9).map(float),
    st.sampled_from([0.5, 1e-70, 1e70, np.nan, np.inf]),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    data=st.lists(st.tuples(cells, cells), min_size=2, max_size=12),
    cls=st.sampled_from(
        [cls for cls in FAMILIES if cls.observation.columns == 1 and cls.observation.numeric]
    ),
)
def test_any_numbers_give_a_fit_or_an_error_that_says_why(data, cls):
    numbers = np.array(data)
    fits = [(MLEDistribution(cls), (numbers,))]
    if is_conditional(cls):
        fits.append((MLERegressor(cls), (numbers[:, :1], numbers[:, 1])))
    for model, args in fits:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", FitWarning)
            try:
                model.fit(*args)
            except ValueError as refused:
                assert re.search(r"NaN|infinity|outside the support", str(refused)), refused
                assert not set(vars(model)) - set(model.get_params()) - {"n_features_in_"}
            else:
                assert model.status_ in (
                    "interior",
                    "boundary",
                    "non_regular",
                    "no_maximum",
                    "not_converged",
                )
                assert not np.isnan(model.log_likelihood_)
