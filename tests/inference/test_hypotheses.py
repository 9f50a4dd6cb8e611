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
        ("age == 2, `age of car`", "age = 2, car = 0"),
        (["age = 2, bmi", "age of car"], "age = 2, bmi = 0, car = 0"),
    ],
)
def test_wald_tests_are_those_of_statsmodels(ours, theirs):
    found = RESULT.test(ours)
    expected = PEER.wald_test(theirs, use_f=False, scalar=True)
    assert found.statistic == pytest.approx(float(expected.statistic), rel=1e-8)
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-6)
    assert found.df == expected.df_denom


FACTORS = {
    "formula": (["C(city)[T.b]", "C(city)[T.c]", "C(city)[T.b]:age", "age"], ["city", "C(city)"]),
    "bare formula": (["city[T.b]", "city[T.c]", "age"], ["city"]),
    "one level": (["C(sex, Treatment('m'))[T.f]", "age", "sexes"], ["sex"]),
    "encoder": (["city_b", "city_c", "age", "cit"], ["city"]),
    "pipeline": (["onehotencoder__city_b", "onehotencoder__city_c", "remainder__age"], ["city"]),
}


@pytest.mark.parametrize("kind", FACTORS)
def test_the_name_of_a_factor_is_all_of_its_columns(kind):
    names, factors = FACTORS[kind]
    columns = RNG.normal(size=(200, len(names)))
    result = MLERegressor().fit(pd.DataFrame(columns, columns=names), Y).inference()
    levels = [n for n in names if "age" not in n and n not in ("sexes", "cit")]
    for factor in factors:
        found, expected = result.test(f"{factor}, intercept"), result.test([*levels, "intercept"])
        assert str(found) == str(expected) and found.df == len(levels) + 1
    with pytest.raises(ValueError, match="'town' names no estimate"):
        result.test("town")


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
        ("age = = 2", "more than one sign of equality.* Allowed"),
        ("(age + bmi = 0", "cannot be read. Allowed"),
        ("2 age = 0", "cannot be read. Allowed"),
        ("age = 1e400", "not finite. Allowed"),
        ("age = 0,", "'' names no estimate. Allowed"),
        ("_0_ = age", "'_0_' names no estimate"),
        ("`age = 0", "cannot be read. Allowed"),
        (
            "of = 0",
            "'of' names no estimate. Allowed: linear equations of .*Did you mean 'age of car'",
        ),
        (3, "3 is no hypothesis. Allowed"),
        (None, "None is no hypothesis. Allowed"),
        ([], "no hypothesis. Allowed"),
        ([3], "no hypothesis. Allowed"),
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


# ---------------------------------------------------------------- names with any sign in them

SIGNS = [
    "x_a=b",
    "x_c:d",
    "x_e, f",
    "x_(g)",
    'x_"q`',
    "x_<é> + 1",
    "x_1.5",
    "1",
    "2.5e3",
    "_0_",
    "-",
]
SIGNED = FRAME[["age"]].join(pd.DataFrame(RNG.normal(size=(200, len(SIGNS))), columns=SIGNS))
CLASSES = np.array(["k=1", "k:2", "<k, 3>"])[np.digitize(Y, [-1.0, 1.0])]
NAMED = {
    "one component": MLERegressor("poisson").fit(SIGNED, np.exp(Y).round()).inference(),
    "no component": CrossEntropyClassifier().fit(SIGNED, Y > 0.0).inference(),
    "three components": CrossEntropyClassifier().fit(SIGNED, CLASSES).inference(),
}


@pytest.mark.parametrize("subject", NAMED)
@pytest.mark.parametrize("name", SIGNS)
def test_names_may_have_any_sign_in_them(subject, name):
    result = NAMED[subject]
    several = "three" in subject
    first, name = (f"class k=1:{term}" if several else term for term in ("age", name))
    i, j = (result._places()[term][0] for term in (first, name))
    variance = result.covariance[i, i] + result.covariance[j, j] - 2.0 * result.covariance[i, j]
    away = result.estimates[i] - result.estimates[j]
    quoted = name if "`" in name else f"`{name}`"
    for text in (f"{first} = {quoted}", [f"{quoted}-{first}==0"], f"({first})-{quoted}"):
        assert result.test(text).statistic == pytest.approx(away**2 / variance), text
    alone = result.estimates[j] ** 2 / result.covariance[j, j]
    for text in (name, [name], f"{name}, {first}"):
        found = result.test(text)
        assert found.df == (2 if text not in (name, [name]) else 1)
        assert found.df == 2 or found.statistic == pytest.approx(alone)
        assert "= 0" in found.hypothesis


def test_a_number_is_the_number_where_a_column_is_called_so():
    result = NAMED["one component"]
    i = result.terms.index("age")
    expected = (result.estimates[i] - 1.0) ** 2 / result.covariance[i, i]
    assert result.test("age = 1").statistic == pytest.approx(expected)
    with pytest.raises(ValueError, match="says nothing of an estimate.* in backticks"):
        result.test("1 = 0")
