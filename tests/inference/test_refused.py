"""What results refuse: subjects are models, alone and in pipelines; properties are bad questions.

Every message says what, which value, what is allowed, and what to do.
"""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier, families
from skmle.exceptions import NonRegularWarning

RNG = np.random.default_rng(0)
N = 120
X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=["age", "bmi", "dose"])
TWICE = X.assign(twice=2.0 * X["age"])
COUNTS = RNG.poisson(np.exp(0.3 * X["age"])).astype(float)
LABELS = np.minimum(COUNTS, 2.0).astype(int)
SUBJECTS = {
    "counts": (MLERegressor("poisson"), COUNTS),
    "two classes": (CrossEntropyClassifier(), (COUNTS > 0).astype(int)),
    "three classes": (CrossEntropyClassifier(), LABELS),
    "ordered classes": (OrdinalClassifier(), LABELS),
}


class Asked:
    """A model with its rows; `of` makes one with other settings or rows."""

    def __init__(self, name: str, held: bool) -> None:
        self.model, self.y = SUBJECTS[name]
        self.held, self.several = held, name == "three classes"
        self.own = self.of()

    def of(self, rows=X, **settings):
        model = clone(self.model).set_params(**settings)
        if self.held:
            model = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(rows, self.y)

    def result(self, **settings):
        return skmle.infer(self.own, X, self.y, **settings)

    def term(self, name):
        """Return a coefficient's name, which several classes share."""
        return f"class 1:{name}" if self.several else name

    def first_coefficient(self, model):
        return np.ravel((model[-1] if self.held else model).coef_)[0]


ABSOLUTE = {"alpha": 0.05, "l1_ratio": 1.0}
QUESTIONS = {
    "groups of another length": (lambda a: a.result(groups=np.arange(5)), r"shape \(5,\)"),
    "the name of a column as groups": (lambda a: a.result(groups="age"), r"shape \(\)"),
    "one cluster": (lambda a: a.result(groups=["a"] * N), "has one group, 'a', in its 120 rows"),
    "a group that is missing": (
        lambda a: a.result(groups=np.where(np.arange(N) == 3, np.nan, 1.0)),
        "no label in 1 of 120 rows, the first is row 3",
    ),
    "a term that is none": (lambda a: a.result().test("weight = 0"), "'weight.*names no estimate"),
    "no term": (lambda a: a.result().test(""), "names no estimate"),
    "no linear hypothesis": (
        lambda a: a.result().test(f"{a.term('age')} * {a.term('bmi')} = 0"),
        "is not linear",
    ),
    "a function that is nan": (lambda a: a.result().estimate(lambda m: np.nan), "gives nan"),
    "a function that is infinite": (lambda a: a.result().estimate(lambda m: np.inf), "gives inf"),
    "a function that gives nothing": (lambda a: a.result().estimate(lambda m: None), "NoneType"),
    "a function that gives words": (lambda a: a.result().estimate(lambda m: "a"), "gives a str"),
    "a sandwich without rows": (
        lambda a: skmle.infer(a.own, covariance="HC1"),
        "needs the rows of the fit",
    ),
    "other rows": (
        lambda a: skmle.infer(a.own, X[::-1], a.y, covariance="HC1"),
        "not the rows of the fit",
    ),
    "a covariance that is none": (lambda a: a.result(covariance="HC7"), "'HC7' is not known"),
    "lags beyond the rows": (lambda a: a.result(covariance="HAC", lags=N), "lags=120 of 120 rows"),
    "a level that is none": (lambda a: a.result(confidence_level=95), "=95 is not allowed"),
    "a profile without rows": (
        lambda a: skmle.infer(a.own).profile("age"),
        "do not know the rows of the fit",
    ),
    "a profile under a sandwich": (
        lambda a: a.result(covariance="HC1").profile("age"),
        "are those of a sandwich",
    ),
    "a profile of no term": (lambda a: a.result().profile("weight"), "called 'weight'"),
    "p-values under an absolute penalty": (
        lambda a: skmle.infer(a.of(**ABSOLUTE)),
        "l1_ratio=1 with alpha > 0 chose",
    ),
    "a sandwich under an absolute penalty": (
        lambda a: skmle.infer(a.of(**ABSOLUTE), X, a.y, covariance="HC1"),
        "l1_ratio=1 with alpha > 0 chose",
    ),
    "a test of an aliased coefficient": (
        lambda a: skmle.infer(a.of(TWICE)).test(a.term("age")),
        "no standard error",
    ),
    "a function of an aliased coefficient": (
        lambda a: skmle.infer(a.of(TWICE)).estimate(a.first_coefficient),
        "the data do not determine",
    ),
    "a profile of an aliased coefficient": (
        lambda a: skmle.infer(a.of(TWICE), TWICE, a.y).profile("age"),
        "the data do not determine",
    ),
    "an effect of an aliased column": (
        lambda a: skmle.infer(a.of(TWICE)).effects(TWICE, ["age"]),
        "the data do not determine",
    ),
    "an effect of no column": (lambda a: a.result().effects(X, ["weight"]), "column 'weight'"),
    "errors that were not kept": (
        lambda a: skmle.infer(a.of(store_information=False)),
        "store_information=False",
    ),
}
FOUR_PARTS = re.compile(r"\. Allowed: [^.]+.*\. [A-Z].*\.$|\. Did you mean .*\?$", re.DOTALL)


@pytest.fixture(scope="module", params=[(n, h) for n in SUBJECTS for h in (False, True)], ids=str)
def asked(request):
    return Asked(*request.param)


@pytest.mark.parametrize("name", QUESTIONS)
def test_bad_questions(asked, name):
    question, words = QUESTIONS[name]
    with pytest.raises(ValueError, match=words) as error:
        question(asked)
    assert FOUR_PARTS.search(str(error.value)), str(error.value)


def test_a_summary_under_an_absolute_penalty_says_why_it_has_no_p_values():
    model = MLERegressor("poisson", **ABSOLUTE).fit(X, COUNTS)
    text = " ".join(str(model.summary()).split())
    assert "No standard errors: l1_ratio=1 with alpha > 0 chose which" in text


POSITIVE = X[["age"]] ** 2


@pytest.mark.parametrize("rows", [False, True])
def test_non_regular_parameters_have_no_interval(rows):
    with pytest.warns(NonRegularWarning):
        model = MLEDistribution("uniform").fit(X[["age"]])
    given = (X[["age"]],) if rows else ()
    with pytest.raises(ValueError, match="status_ = 'non_regular'.* Allowed: .* Use the bootstrap"):
        model.inference(*given)


def test_a_threshold_at_an_observation_has_no_error_and_no_test():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLEDistribution(families.Shifted("exponential")).fit(POSITIVE)
    result = model.inference()
    assert "threshold" not in result.terms
    with pytest.raises(ValueError, match="names no estimate. Allowed: .*'mean'. Mend the name"):
        result.test("threshold = 0")


def test_models_of_others_are_refused():
    with pytest.raises(TypeError, match="StandardScaler keeps no covariance.* Allowed: .* Put "):
        skmle.infer(StandardScaler().fit(X))
