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
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmle
from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor, OrdinalClassifier, families
from skmle.exceptions import NonRegularWarning, SeparationWarning

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
    "the name of a column as groups": (lambda a: a.result(groups="age"), "'age' is a name"),
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
    "a profile of a misspelt term": (
        lambda a: a.result().profile("bmii"),
        "called 'bmii'. Allowed: 'age', 'bmi'.* Did you mean 'bmi'",
    ),
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
    "an effect of a misspelt column": (
        lambda a: a.result().effects(X, ["bmii"]),
        "has no column 'bmii'. Allowed: 'age', 'bmi', 'dose'. Did you mean 'bmi'",
    ),
    "other rows to be left out": (
        lambda a: skmle.loo(a.own, X[::-1], a.y),
        "^loo: X and y are not",
    ),
    "other rows for a likelihood ratio": (
        lambda a: skmle.likelihood_ratio_test(a.of(X**2), a.own, X, a.y),
        "^likelihood_ratio_test: X and y are not.* given as X_smaller",
    ),
    "other rows to be looked at": (
        lambda a: a.result().augment(X[::-1], a.y),
        r"^[A-Za-z]*\.inference\(\)\.augment: X and y are not",
    ),
    "a hypothesis that is no text": (lambda a: a.result().test(3), "3 is no hypothesis"),
    "no hypothesis at all": (lambda a: a.result().test([]), r"\[\] is no hypothesis"),
    "two equalities": (lambda a: a.result().test("age = 0 = 1"), "more than one sign of equality"),
    "a profile of nothing": (lambda a: a.result().profile([]), "names no estimate"),
    "a profile of a number": (lambda a: a.result().profile(3), "terms=3 names no estimate"),
    "no function": (lambda a: a.result().estimate(3), "function=3 cannot be called"),
    "a function of steps": (
        lambda a: a.result().estimate(lambda m: np.round(a.first_coefficient(m), 1)),
        "goes in steps",
    ),
    "a coverage that is none": (lambda a: a.result().predict_interval(X, coverage=2), "coverage=2"),
    "a level in words": (lambda a: a.result(confidence_level="95 %"), "'95 %' is not allowed"),
    "further columns in words": (
        lambda a: a.result().score_test(["a"] * N),
        "entries that are no finite numbers",
    ),
    "a quantity without number": (
        lambda a: a.result().effects(X, ["age"], of=("sf", "a")),
        "is not known of a",
    ),
    "an interval of another program": (
        lambda a: a.result().predict_interval(X, interval="confidence"),
        "interval='confidence' is not known of a",
    ),
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
    assert "bootstrap" not in text  # which does not hold there, either


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_fit_that_failed_is_not_fitted(name):
    model = clone(SUBJECTS[name][0])
    with pytest.raises(ValueError, match="Allowed"):
        model.fit(X, np.full(N, -1.0) if name == "counts" else np.zeros(N))
    for ask in (model.summary, model.inference, lambda: model.inference(X, COUNTS)):
        with pytest.raises(NotFittedError):
            ask()


# ---------------------------------------------------------------- coefficients that run off

SPLIT = X.assign(rare=(np.arange(N) < 5).astype(float))
RUNS_OFF = {
    "counts": (MLERegressor("poisson"), np.where(SPLIT["rare"] == 1.0, 0.0, COUNTS)),
    "two classes": (
        CrossEntropyClassifier(),
        np.where(SPLIT["rare"] == 1.0, 0, LABELS > 0).astype(int),
    ),
    "ordered classes": (OrdinalClassifier(), np.where(SPLIT["rare"] == 1.0, 0, LABELS)),
}


@pytest.mark.parametrize("name", RUNS_OFF)
def test_what_depends_on_a_coefficient_that_runs_off_has_no_interval(name):
    """The mean of the rows that separate is at an end of its range, with more error than none."""
    model, y = RUNS_OFF[name]
    with pytest.warns(SeparationWarning):
        model = clone(model).fit(SPLIT, y)
    assert model.separated_.rows.tolist() == [0, 1, 2, 3, 4]
    result, rest = model.inference(SPLIT, y), SPLIT[5:]
    for ask in (
        lambda: result.predict_interval(SPLIT),
        lambda: result.effects(SPLIT, ["age"]),
        lambda: result.effects(SPLIT, ["rare"]),
        lambda: result.estimate(lambda m: np.ravel(skmle.predict_dist(m, SPLIT[:1]).mean())),
    ):
        with pytest.raises(ValueError, match="do not determine. Allowed: .*separated_") as error:
            ask()
        assert FOUR_PARTS.search(str(error.value))
    with pytest.raises(ValueError, match="run to infinity.* Allowed: 'observed'"):
        model.inference(SPLIT, y, covariance="HC1")
    plain = clone(model).fit(X[5:], y[5:]).inference()
    np.testing.assert_allclose(
        result.predict_interval(rest), plain.predict_interval(X[5:]), rtol=1e-5, atol=1e-9
    )
    ours, theirs = result.effects(rest, ["age"]), plain.effects(X[5:], ["age"])
    np.testing.assert_allclose(ours.standard_errors, theirs.standard_errors, rtol=1e-5)


POSITIVE = X[["age"]] ** 2


@pytest.mark.parametrize("rows", [False, True])
def test_non_regular_parameters_have_no_interval(rows):
    with pytest.warns(NonRegularWarning):
        model = MLEDistribution("uniform").fit(X[["age"]])
    given = (X[["age"]],) if rows else ()
    with pytest.raises(
        ValueError, match="status_ = 'non_regular'.* Allowed: .* Draw samples of the fit"
    ):
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
