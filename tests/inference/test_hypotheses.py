"""Linear hypotheses as people write them, against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from skmle import CrossEntropyClassifier, MLERegressor

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(200, 3)), columns=["age", "bmi", "age of car"])
Y = FRAME["age"].to_numpy() + 0.2 * FRAME["bmi"].to_numpy() + RNG.normal(size=200)
RESULT = MLERegressor(tol=1e-10).fit(FRAME, Y).inference(FRAME, Y, covariance="HC0")
PEER = sm.OLS(Y, sm.add_constant(FRAME.rename(columns={"age of car": "car"}))).fit(cov_type="HC0")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("age = 1", "age = 1"),
        ("age = 0, bmi = 2 * age", "age = 0, bmi = 2 * age"),
        ("age of car", "car = 0"),
        (["age of car", "bmi"], "car = 0, bmi = 0"),
        ("-(age - bmi)/2 + 1 = age of car*3", "-age/2 + bmi/2 - 3*car = -1"),
        ("loc:age = loc:bmi, intercept", "age = bmi, const = 0"),
        ("2 = age", "age = 2"),
    ],
)
def test_wald_tests_are_those_of_statsmodels(ours, theirs):
    found = RESULT.test(ours)
    expected = PEER.wald_test(theirs, use_f=False, scalar=True)
    assert found.statistic == pytest.approx(float(expected.statistic), rel=1e-8)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-6)
    assert found.df == expected.df_denom


def test_tests_by_t_are_f_tests():
    by_t = MLERegressor(tol=1e-10).fit(FRAME, Y)
    by_t = by_t.inference(FRAME, Y, covariance="HC1", distribution="t")
    columns = sm.add_constant(FRAME.rename(columns={"age of car": "car"}))
    expected = sm.OLS(Y, columns).fit(cov_type="HC1", use_t=True).f_test("age = 0, car = bmi")
    found = by_t.test("age = 0, age of car = bmi")
    assert found.statistic == pytest.approx(float(expected.fvalue), rel=1e-8)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-6)
    assert str(found).startswith("Wald test of age = 0, age of car = bmi: F(2, 196) = ")


@pytest.mark.parametrize(
    ("hypothesis", "message"),
    [
        ("ag = 0", "'ag' names no estimate. Allowed: linear equations of 'age'"),
        ("age * bmi = 0", "is not linear. Allowed: sums"),
        ("log(age) = 0", "is not linear. Allowed: sums"),
        ("3 = 4", "says nothing of an estimate. Allowed"),
        ("age = = 2", "names no estimate"),
        ("age = 0, 2 * age = 0", "one follows from the others.* Allowed"),
        ("age / 0 = 1", "is not linear"),
    ],
)
def test_bad_hypotheses(hypothesis, message):
    with pytest.raises(ValueError, match=message):
        RESULT.test(hypothesis)


def test_estimates_of_one_name():
    y = np.digitize(Y, [-1.0, 1.0])
    result = CrossEntropyClassifier().fit(FRAME, y).inference()
    with pytest.raises(ValueError, match="name of 3 estimates. Allowed: 'class 0:age'"):
        result.test("age = 0")
    test = result.test("class 0:age = class 2:age")
    i, j = 0, 8
    away = result.estimates[i] - result.estimates[j]
    c = result.covariance
    assert test.statistic == pytest.approx(away**2 / (c[i, i] + c[j, j] - 2.0 * c[i, j]))


def test_estimates_without_errors():
    twice = FRAME.assign(twin=FRAME["age"])
    result = MLERegressor().fit(twice, Y).inference()
    assert result.test("bmi = 0").p_value < 1.0
    with pytest.raises(ValueError, match="no standard error. Allowed"):
        result.test("twin = 0")
