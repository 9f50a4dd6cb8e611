"""Fits to many sets of observations are those to each by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skmle import (
    CrossEntropyClassifier,
    MLEDistribution,
    MLERegressor,
    OrdinalClassifier,
    families,
)
from skmle._engine import resampled
from skmle._engine.batch import fit_observed
from skmle._engine.data.observed import observe_rows
from skmle._engine.fit import fit
from skmle._engine.resampled import refit_observed, refit_weighted
from skmle._shared.drawing import drawn
from tests.engine.test_weighted import assert_alike

N, LINES = 120, 25
RNG = np.random.default_rng(11)
X = RNG.normal([0.0, 4.0, -2.0], size=(N, 3))
ETA = 0.5 * X[:, 0] + 0.3
SHAPE = LINES, N

DRAWN = {
    "logistic": (
        CrossEntropyClassifier(),
        (RNG.random(SHAPE) < 1 / (1 + np.exp(-ETA))).astype(int),
    ),
    "softmax": (CrossEntropyClassifier(), RNG.integers(0, 3, SHAPE)),
    "ordinal": (OrdinalClassifier(), RNG.integers(0, 4, SHAPE)),
    "poisson": (MLERegressor("poisson"), RNG.poisson(np.exp(ETA), SHAPE)),
    "offset": (MLERegressor("poisson", offset=2), RNG.poisson(np.exp(ETA + X[:, 2]), SHAPE)),
    "normal": (MLERegressor("normal"), 1e3 * (ETA + RNG.normal(size=SHAPE))),
    "ridge": (MLERegressor("normal", alpha=0.1), ETA + RNG.normal(size=SHAPE)),
    "scale modelled": (
        MLERegressor("normal", features={"loc": [0, 1], "scale": [0]}),
        ETA + RNG.normal(size=SHAPE),
    ),
    "no intercept": (MLERegressor("normal", fit_intercept=False), ETA + RNG.normal(size=SHAPE)),
    "weibull": (MLERegressor("weibull"), np.exp(ETA) * RNG.weibull(1.5, size=SHAPE)),
}


def statistics_of(family, y):
    together = family.statistics(y.ravel() if y.dtype.kind == "i" else y.astype(float).ravel())
    return tuple(s.reshape(*SHAPE, *s.shape[1:]) for s in together)


@pytest.mark.parametrize("name", DRAWN)
def test_many_responses_at_once_are_each_by_itself(name):
    model, y = DRAWN[name]
    problem = model._prepare(X, y[0], None).problem
    found = fit_observed(problem, statistics_of(problem.family, y))
    assert found.clear.mean() > 0.9
    assert_alike(found, problem, [fit(model._prepare(X, line, None).problem) for line in y])


def test_what_is_not_clear_is_fitted_by_itself():
    """A law with cusps is fitted one by one, and lines that separate have their verdicts."""
    model, y = MLERegressor("laplace"), ETA + RNG.normal(size=(3, N))
    problem = model._prepare(X, y[0], None).problem
    start = fit(problem).coefs
    found = refit_observed(problem, y, start)
    assert [*found.apart] == [0, 1, 2]
    for line, one in found.apart.items():
        alone = fit(model._prepare(X, y[line], None).problem)
        assert one.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-9)

    classifier, labels = CrossEntropyClassifier(), DRAWN["logistic"][1][0]
    problem = classifier._prepare(X, labels, None).problem
    weights = np.ones((3, N))
    weights[1] = (labels == 1) == (X[:, 0] > 0.0)  # rows that a line separates
    refits = refit_weighted(problem, weights, fit(problem).coefs)
    assert [*refits.apart] == [1]
    assert refits.apart[1].verdict.status == "no_maximum"


def test_statistics_that_all_rows_share_stay_as_they_are():
    rows = RNG.normal(size=(40, 2))
    model = MLEDistribution("multivariate_normal").fit(rows)
    (problem,), _ = model._problems(rows, None, None, {})
    weights = RNG.multinomial(40, np.full(40, 1 / 40), size=2).astype(float)
    found = refit_weighted(problem, weights, model._fits[0].coefs)
    for line, one in found.apart.items():
        again = MLEDistribution("multivariate_normal").fit(rows, sample_weight=weights[line])
        assert one.log_likelihood == pytest.approx(again.log_likelihood_)


def test_long_data_are_fitted_one_by_one(monkeypatch):
    model, y = DRAWN["poisson"]
    problem = model._prepare(X, y[0], None).problem
    start, weights = fit(problem).coefs, RNG.integers(0, 3, SHAPE).astype(float)
    several = refit_weighted(problem, weights, start), refit_observed(problem, y * 1.0, start)
    monkeypatch.setattr(resampled, "_SHORT", 1)
    alone = refit_weighted(problem, weights, start), refit_observed(problem, y * 1.0, start)
    for many, ones in zip(several, alone, strict=True):
        assert not many.apart
        assert len(ones.apart) == LINES
        for line, one in ones.apart.items():
            ((slopes, intercept),) = one.coefs
            np.testing.assert_allclose([*slopes, intercept], many.coefs[line], atol=1e-8)


ONE_BY_ONE = {
    "triangular": ("triangular", RNG.triangular(0.0, 3.0, 10.0, N)),
    "uniform": ("uniform", RNG.random(N)),
    "laplace": ("laplace", RNG.laplace(size=N)),
}


# Laws whose likelihood may have several maxima: a refit has one start, the fit of the rows.
MANY = 400
MIXED = np.r_[RNG.normal(size=280), RNG.normal(6, 1, 120)]
TABLE = RNG.normal(size=(MANY, 2))
SEVERAL_MODES = {
    "student_t": (MLEDistribution("student_t"), RNG.standard_t(3, MANY)),
    "cauchy": (MLEDistribution("cauchy"), RNG.standard_cauchy(MANY)),
    "johnson_su": (MLEDistribution("johnson_su"), np.sinh(RNG.normal(1.0, 1.2, MANY))),
    "exponentially modified normal": (
        MLEDistribution("exponentially_modified_normal"),
        RNG.normal(size=MANY) + RNG.exponential(2.0, MANY),
    ),
    "inverse_gaussian": (MLEDistribution("inverse_gaussian"), RNG.wald(1.0, 2.0, MANY)),
    "mixture": (MLEDistribution(families.Mixture("normal")), MIXED),
    "mixture of positive laws": (MLEDistribution(families.Mixture("gamma")), np.exp(MIXED / 2.0)),
    "student_t regression": (MLERegressor("student_t"), TABLE[:, 0] + RNG.standard_t(3, MANY)),
    "inverse_gaussian regression": (
        MLERegressor("inverse_gaussian"),
        np.exp(TABLE[:, 0]) * RNG.wald(1.0, 4.0, MANY),
    ),
}


@pytest.mark.parametrize("resampling", ["rows", "law"])
@pytest.mark.parametrize("name", SEVERAL_MODES)
def test_laws_with_several_modes_are_refitted_at_once_from_one_start(name, resampling):
    model, rows = SEVERAL_MODES[name]
    given = (rows, None) if isinstance(model, MLEDistribution) else (TABLE, rows)
    model = model.fit(*given)
    (problem,), _ = model._problems(*given, None, {})
    family, start = problem.family, model._fits[0].coefs
    if resampling == "rows":
        weights = RNG.multinomial(MANY, np.full(MANY, 1 / MANY), size=LINES).astype(float)
        found = refit_weighted(problem, weights, start)
        observed = [observe_rows(family, problem.observed.statistics, w) for w in weights]
    else:
        again = drawn(problem, start, LINES, np.random.default_rng(0))
        found = refit_observed(problem, again, start)
        observed = [observe_rows(family, family.statistics(y), None) for y in again]
    assert len(found.apart) <= 0.2 * LINES
    for line in set(range(LINES)) - set(found.apart):
        one = fit(replace(problem, observed=observed[line], start=start))
        expected = [
            number
            for (slopes, constant), term in zip(one.coefs, problem.terms, strict=True)
            for number in [*slopes, *[constant] * term.intercept]
        ]
        np.testing.assert_allclose(found.coefs[line], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_a_sample_is_fitted_once(name, monkeypatch):
    family, rows = ONE_BY_ONE[name]
    model = MLEDistribution(family).fit(rows)
    (problem,), _ = model._problems(rows, None, None, {})
    y = model.sample(4 * N, random_state=0).reshape(4, N)
    fits = []

    def counted(posed):
        fits.append(posed)
        return fit(posed)

    monkeypatch.setattr(resampled, "fit", counted)
    found = refit_observed(problem, y, model._fits[0].coefs)
    assert len(fits) == len(found.apart) == 4
    for line, one in found.apart.items():
        again = MLEDistribution(family).fit(y[line])
        assert one.log_likelihood == pytest.approx(again.log_likelihood_, rel=1e-9)


def test_starts_of_a_mixture_are_not_searched_where_one_is_known(monkeypatch):
    model = MLEDistribution(families.Mixture("normal")).fit(MIXED)
    (problem,), _ = model._problems(MIXED, None, None, {})
    monkeypatch.setattr(families.Mixture, "starts", None)
    found = refit_observed(problem, MIXED[None], model._fits[0].coefs)
    assert found.apart[0].log_likelihood == pytest.approx(model.log_likelihood_, rel=1e-12)
