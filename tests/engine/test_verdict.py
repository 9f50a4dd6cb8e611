"""No silent non-optimum: what has no maximum says so, once, and returns the limit; what has one raises no false alarm.

Hundreds of random problems a kind, each judged by something else than the fit: score tests at the limit law, the linear
program of separation, differences of the log-likelihood around the answer.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq, linprog
from scipy.special import ndtri

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle._engine.judge.interior import certificate
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.exceptions import (
    BoundaryWarning,
    NoMaximumWarning,
    NonRegularWarning,
    NotConvergedWarning,
    SeparationWarning,
)
from skmle.families import Bernoulli, Categorical, Family, Normal, all_families
from skmle.families.base import IDENTITY, LOG, LOGIT

pytestmark = pytest.mark.filterwarnings("error")

RUNS = 200
SAYS = {
    "interior": (),
    "boundary": (BoundaryWarning,),
    "non_regular": (NonRegularWarning,),
    "no_maximum": (NoMaximumWarning,),
    "separation": (SeparationWarning,),
    "not_converged": (NotConvergedWarning,),
}


def fitted(model, *data, **options):
    """Fit and return the model with the classes of the warnings it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **options)
    return model, tuple(w.category for w in caught)


def verdict(model, warned) -> str:
    """Return what the fit says: its status, or "separation"; fail if status and warnings do not say the same."""
    said = "separation" if warned == (SeparationWarning,) else model.status_
    assert warned == SAYS[said], f"{model.status_} with {warned}"
    assert model.converged_ == (model.status_ in ("interior", "boundary", "non_regular"))
    assert (said == "separation") <= (model.status_ == "no_maximum")
    return said


def judge(model, *data, **options):
    """Return the fitted model and what it says."""
    model, warned = fitted(model, *data, **options)
    return model, verdict(model, warned)


# ---------------------------------------------------------------- the subjects: all families, drawn from at random

CHARTS = {IDENTITY: (0.0, 1.0), LOG: (0.7, 0.5), LOGIT: (0.0, 0.7)}
SLOPE = {IDENTITY: 0.5, LOG: 0.2, LOGIT: 0.4}
LABELS = np.array(["ape", "bee", "cow"])


def subjects() -> dict[str, Family]:
    rng = np.random.default_rng(0)
    found = {}
    for cls in all_families():
        family = cls()
        y = (
            LABELS
            if not family.numeric
            else rng.normal(size=9)
            if family.columns == 1
            else rng.normal(size=(9, family.columns or 2))
        )
        found[cls.__name__] = family.adapt(y)
    return found


SUBJECTS = subjects()
CONTINUOUS = {name: f for name, f in SUBJECTS.items() if not f.support.discrete and f.columns == 1}


def every(table):
    return pytest.mark.parametrize("family", table.values(), ids=table)


def draw(family: Family, n: int, rng: np.random.Generator, p: int = 0):
    """Return (X, y) of the law itself at moderate parameters, the first of which depends on X if p > 0."""
    while True:
        eta = [np.asarray(rng.normal(*CHARTS[q.chart])) for q in family.parameters]
        theta = family.natural(family.linked(tuple(eta)))
        if family.regular or theta[0] < theta[1]:  # low < high
            break
    X = rng.normal(size=(n, p))
    if p:
        eta = [np.full(n, e) for e in eta]
        eta[0] = eta[0] + X @ rng.normal(0.0, SLOPE[family.parameters[0].chart], p)
        theta = family.natural(family.linked(tuple(eta)))
    y = family.sample(theta, (n,), rng)
    inside = family.contains(y)  # a beta law has mass within rounding of 1
    return X[inside], y[inside]


def as_rows(y: np.ndarray) -> np.ndarray:
    return y if y.ndim == 2 else y[:, None]


def score_tests(family: Family, y: np.ndarray, mean: np.ndarray | float) -> str:
    """Return where the maximum is by the score test at the limit law, for families that have one."""
    if not family.regular:
        return "non_regular"
    if not family.numeric:
        return "interior" if set(y) == set(family.labels) else "boundary"
    if type(family).__name__ == "NegativeBinomial":
        return "interior" if ((y - mean) ** 2 - y).sum() > 0.0 else "boundary"
    if type(family).__name__ == "StudentT":
        residual = y - mean
        return "interior" if (residual**4).mean() > 3.0 * (residual**2).mean() ** 2 else "boundary"
    return "interior"


def test_score_tests_cover_all_limits():
    assert {name for name, f in SUBJECTS.items() if f.limits} == {"NegativeBinomial", "StudentT"}


# ---------------------------------------------------------------- is it the optimum? differences of the log-likelihood


SLOPE_STEP, BEND_STEP = 5e-4, 1e-2  # standard errors


def check_optimum(total, at: np.ndarray, covariance: np.ndarray, smooth: bool) -> None:
    """Show that no small move improves `total`, and that `covariance` is its inverse curvature, in standard errors."""
    root = np.linalg.cholesky(covariance)
    here = total(at)
    assert np.isfinite(here)
    if not smooth:
        rng = np.random.default_rng(0)
        directions = np.concatenate([np.eye(len(at)), rng.normal(size=(10, len(at)))])
        for size in (1e-4, 1e-2, 0.1, 1.0):
            for direction in directions:
                for sign in (-size, size):
                    assert total(at + root @ direction * sign) <= here + 1e-9
        return
    for column in root.T:
        unit = min(
            1.0, 1.0 / np.abs(column).max()
        )  # a parameter that is hardly determined bends within a standard error
        slope, bend = (
            np.array([total(at + k * h * unit * column) for k in (-2, -1, 0, 1, 2)])
            for h in (SLOPE_STEP, BEND_STEP)
        )
        slope = (slope @ [1.0, -8.0, 0.0, 8.0, -1.0]) / (12.0 * SLOPE_STEP * unit)
        bend = (bend @ [-1.0, 16.0, -30.0, 16.0, -1.0]) / (12.0 * (BEND_STEP * unit) ** 2)
        assert abs(slope) <= 2e-6, f"the slope is {slope:.3g} a standard error"
        rounding = 64.0 * np.finfo(float).eps * abs(here) / (BEND_STEP * unit) ** 2
        np.testing.assert_allclose(bend, -1.0, rtol=0, atol=1e-4 + rounding)


def check_density(model: MLEDistribution, family: Family, y: np.ndarray) -> None:
    law, eta, covariance = model.distribution_.family, model._eta[0], model._covariances[0]

    def total(e):
        return float(law.log_prob(y, tuple(np.asarray(v) for v in e)).sum())

    np.testing.assert_allclose(model.log_likelihood_, total(eta), rtol=1e-10, atol=1e-10)
    check_optimum(total, eta, covariance, not family.exact)


def check_regression(
    model: MLERegressor, family: Family, X: np.ndarray, y: np.ndarray, modelled: int = 1
) -> None:
    """The first `modelled` parameters depend on all columns of X, the others are constant."""
    p = X.shape[1]

    def total(c):
        slopes, constants = (
            c[: modelled * (p + 1)].reshape(modelled, p + 1),
            c[modelled * (p + 1) :],
        )
        eta = (*(X @ b[:p] + b[p] for b in slopes), *(np.asarray(v) for v in constants))
        return float(model._law.log_prob(y, eta).sum())

    estimate = np.concatenate(
        [[*slopes, model.intercepts_[name]] for name, slopes in model.coefs_.items()]
    )
    np.testing.assert_allclose(model.log_likelihood_, total(estimate), rtol=1e-10, atol=1e-10)
    check_optimum(total, estimate, model._covariance, not family.exact)


# ---------------------------------------------------------------- an interior maximum: no false alarm


@every(SUBJECTS)
def test_densities_of_their_own_law(family):
    """Samples of 30 and 300: interior, no warning, and the optimum; at the boundary where the score test says so."""
    found = Counter()
    for seed in range(RUNS if family.columns else RUNS // 4):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 30 if seed % 2 else 300, rng)
        model, said = judge(MLEDistribution(family), as_rows(y))
        expected = score_tests(
            family, y, y.mean() if family.numeric and family.columns == 1 else 0.0
        )
        found[said, expected] += 1
        if said == "interior":
            check_density(model, family, y)
    assert all(said == expected for said, expected in found), found


REGRESSED = {
    name: f for name, f in SUBJECTS.items() if f.numeric and f.regular and f.columns is not None
}


@every(REGRESSED)
def test_regressions_of_their_own_law(family):
    found = Counter()
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X, y = draw(family, 40 if seed % 2 else 300, rng, p=2)
        model, said = judge(MLERegressor(family), X, y)
        simpler = family.limits[0].family() if family.limits else None
        expected = (
            "interior"
            if simpler is None
            else score_tests(family, y, MLERegressor(simpler).fit(X, y).predict(X))
        )
        found[said, expected] += 1
        if said == "interior":
            check_regression(model, family, X, y)
    assert all(said == expected for said, expected in found), found


DISTRIBUTIONAL = {name: f for name, f in REGRESSED.items() if len(f.parameters) > 1}


def draw_rows(family: Family, n: int, p: int, rng: np.random.Generator):
    """Return (X, y) of laws whose first two parameters depend on all columns."""
    X = rng.normal(size=(n, p))
    eta = [np.full(n, rng.normal(*CHARTS[q.chart])) for q in family.parameters]
    for j in range(2):
        eta[j] = eta[j] + X @ rng.normal(0.0, 0.3 * SLOPE[family.parameters[j].chart], p)
    y = family.sample(family.natural(family.linked(tuple(eta))), (n,), rng)
    inside = family.contains(y)
    return X[inside], y[inside]


def both(family: Family) -> dict[str, str]:
    return {q.name: "all" for q in family.parameters[:2]}


@every(DISTRIBUTIONAL)
def test_two_parameters_on_features(family):
    for seed in range(RUNS // 10):
        X, y = draw_rows(family, 300, 2, np.random.default_rng(seed))
        model, said = judge(MLERegressor(family, features=both(family)), X, y)
        assert said == "interior" or (said == "boundary" and type(family).__name__ == "StudentT")
        if said == "interior":
            check_regression(model, family, X, y, modelled=2)


@every({name: f for name, f in DISTRIBUTIONAL.items() if not f.support.discrete})
def test_some_rows_interpolated(family):
    """20 rows, 9 coefficients for each of two parameters: the law shrinks onto some of the rows."""
    for seed in range(RUNS // 20):
        X, y = draw_rows(family, 20, 8, np.random.default_rng(seed))
        _, said = judge(MLERegressor(family, features=both(family)), X, y)
        assert said == "no_maximum" or (said == "not_converged" and not family.movable)


# ---------------------------------------------------------------- units and weights change no verdict


@every(SUBJECTS)
@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_scale_of_weights_changes_nothing(family, factor):
    for seed in range(RUNS // 50):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 60, rng)
        weight = rng.uniform(0.1, 3.0, len(y))
        model, said = judge(MLEDistribution(family), as_rows(y), sample_weight=weight)
        other, again = judge(MLEDistribution(family), as_rows(y), sample_weight=factor * weight)
        assert said == again
        np.testing.assert_allclose(other.log_likelihood_, factor * model.log_likelihood_, rtol=1e-9)


@every({name: f for name, f in CONTINUOUS.items() if f.support.high == np.inf})
@pytest.mark.parametrize("factor", [1e-100, 1e-6, 1e6, 1e100])
def test_the_unit_of_y_changes_nothing(family, factor):
    for seed in range(RUNS // 50):
        _, y = draw(family, 60, np.random.default_rng(seed))
        model, said = judge(MLEDistribution(family), y[:, None])
        other, again = judge(MLEDistribution(family), factor * y[:, None])
        assert said == again
        np.testing.assert_allclose(
            other.log_likelihood_ + len(y) * np.log(factor),
            model.log_likelihood_,
            rtol=1e-8,
            atol=1e-8,
        )


@every({name: f for name, f in CONTINUOUS.items() if f.support.low == -np.inf})
def test_the_origin_of_y_changes_nothing(family):
    for seed in range(RUNS // 50):
        _, y = draw(family, 60, np.random.default_rng(seed))
        y = np.round(y * 2.0**20) / 2.0**20  # so that y + 1e8 is exact
        model, said = judge(MLEDistribution(family), y[:, None])
        other, again = judge(MLEDistribution(family), y[:, None] + 2.0**27)
        assert said == again
        np.testing.assert_allclose(other.log_likelihood_, model.log_likelihood_, rtol=1e-9)


def test_a_location_under_a_log_link_takes_negative_observations():
    """exp(eta) is positive, y need not be: a maximum like any other."""
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(200, 2))
        y = np.exp(X @ [0.3, -0.2]) + rng.normal(size=200)
        family = Normal(links={"loc": "log"})
        model, said = judge(MLERegressor(family), X, y)
        assert said == "interior"
        check_regression(model, family, X, y)


# ---------------------------------------------------------------- limit laws


def underdispersed(mean: np.ndarray, seed: int, rng: np.random.Generator) -> np.ndarray:
    """Poisson counts, or binomial ones, whose variance is less."""
    return (
        rng.poisson(mean) if seed % 2 else rng.binomial(np.ceil(3.0 * mean).astype(int), 1.0 / 3.0)
    ).astype(float)


def test_negative_binomial_on_counts_without_overdispersion():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n = rng.choice([5, 10, 30, 100, 300])
        y = underdispersed(np.full(n, np.exp(rng.normal(0.5, 1.0))), seed, rng)
        model, said = judge(MLEDistribution("negative_binomial"), y[:, None])
        found[
            said, score_tests(SUBJECTS["NegativeBinomial"], y, y.mean()) if y.any() else "boundary"
        ] += 1
        if said == "boundary":
            poisson, _ = fitted(MLEDistribution("poisson"), y[:, None])
            assert model.params_ == {"mean": poisson.params_["mean"], "dispersion": 0.0}
            np.testing.assert_allclose(model.log_likelihood_, poisson.log_likelihood_, rtol=1e-10)
            if y.any():
                np.testing.assert_allclose(
                    model.inference().standard_errors,
                    poisson.inference().standard_errors,
                    rtol=1e-10,
                )
        else:
            check_density(model, SUBJECTS["NegativeBinomial"], y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.7 * RUNS
    ), found


def test_negative_binomial_regression_on_counts_without_overdispersion():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n, p = rng.choice([30, 100, 300]), rng.integers(1, 5)
        X = rng.normal(size=(n, p))
        y = underdispersed(np.exp(rng.normal(0.5, 0.8) + X @ rng.normal(0.0, 0.3, p)), seed, rng)
        poisson = MLERegressor("poisson").fit(X, y)
        model, said = judge(MLERegressor("negative_binomial"), X, y)
        found[said, score_tests(SUBJECTS["NegativeBinomial"], y, poisson.predict(X))] += 1
        if said == "boundary":
            np.testing.assert_array_equal(model.coef_, poisson.coef_)
            assert model.params_ == {"dispersion": 0.0} and model.intercept_ == poisson.intercept_
            np.testing.assert_allclose(model.log_likelihood_, poisson.log_likelihood_, rtol=1e-10)
            np.testing.assert_allclose(
                model.inference().covariance, poisson.inference().covariance, rtol=1e-10
            )
            np.testing.assert_array_equal(model.predict_dist(X).var(), model.predict(X))
        else:
            check_regression(model, SUBJECTS["NegativeBinomial"], X, y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.7 * RUNS
    ), found


def light_tails(n: int, seed: int, rng: np.random.Generator) -> np.ndarray:
    return [
        rng.normal(3.0, 2.0, n),
        rng.uniform(0.0, 1.0, n),
        rng.logistic(0.0, 1.0, n),
        rng.normal(0.0, 1e-3, n),
    ][seed % 4]


def test_student_t_on_light_tails():
    """The maximum is the normal law exactly if the kurtosis about its fit is at most 3 (samples of 30 and more)."""
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        y = light_tails(rng.choice([30, 100, 300]), seed, rng)
        normal = MLEDistribution("normal").fit(y[:, None])
        model, said = judge(MLEDistribution("t"), y[:, None])
        found[said, score_tests(SUBJECTS["StudentT"], y, y.mean())] += 1
        if said == "boundary":
            assert (
                model.params_ == {**normal.params_, "df": np.inf}
                and model.log_likelihood_ == normal.log_likelihood_
            )
        else:
            check_density(model, SUBJECTS["StudentT"], y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.5 * RUNS
    ), found


def test_student_t_regression_on_light_tails():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n, p = rng.choice([50, 100, 300]), rng.integers(1, 5)
        X = rng.normal(size=(n, p))
        y = X @ rng.normal(size=p) + light_tails(n, seed, rng)
        normal = MLERegressor("normal").fit(X, y)
        model, said = judge(MLERegressor("t"), X, y)
        found[said, score_tests(SUBJECTS["StudentT"], y, normal.predict(X))] += 1
        if said == "boundary":
            np.testing.assert_array_equal(model.coef_, normal.coef_)
            assert (
                model.params_ == {**normal.params_, "df": np.inf}
                and model.log_likelihood_ == normal.log_likelihood_
            )
        else:
            check_regression(model, SUBJECTS["StudentT"], X, y)
    assert (
        all(said == expected for said, expected in found)
        and found["boundary", "boundary"] > 0.5 * RUNS
    ), found


@pytest.mark.parametrize("excess", [1e-1, 1e-2, 1e-4, 1e-6, 1e-9, 0.0, -1e-6])
def test_a_maximum_that_cannot_be_told_from_its_limit_is_the_limit(excess):
    """A kurtosis of 3 + excess has its maximum at df ~ 6/excess, no more than 1e-9 nats a row above the normal law if excess is small."""
    x = ndtri((np.arange(400) + 0.5) / 400.0)

    def bent(a: float) -> np.ndarray:
        return x + a * x**3

    def kurtosis(y: np.ndarray) -> float:
        return float(((y - y.mean()) ** 4).mean() / y.var() ** 2)

    y = bent(brentq(lambda a: kurtosis(bent(a)) - 3.0 - excess, 0.0, 0.1))
    model, said = judge(MLEDistribution("t"), y[:, None])
    assert said == ("interior" if excess >= 1e-2 else "boundary")
    if said == "interior":
        check_density(model, SUBJECTS["StudentT"], y)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_tiny_samples_of_student_t(n):
    """The likelihood has several maxima, and is unbounded: whatever is returned is at least as likely as the normal law."""
    found = Counter()
    for seed in range(RUNS // 2):
        y = np.random.default_rng(seed).standard_t(3.0, size=n)
        normal = MLEDistribution("normal").fit(y[:, None])
        model, said = judge(MLEDistribution("t"), y[:, None])
        found[said] += 1
        assert model.log_likelihood_ >= normal.log_likelihood_ - 1e-9
        if said == "interior":
            check_density(model, SUBJECTS["StudentT"], y)
    assert set(found) <= {"interior", "boundary", "no_maximum"}, found


@pytest.mark.parametrize(
    ("df", "expected"), [(3e3, "interior"), (3e4, "interior"), (1e5, "boundary"), (1e6, "boundary")]
)
def test_degrees_of_freedom_that_the_data_do_not_determine_are_infinite(df, expected):
    """At 1e5 of them the standard error of their logarithm is beyond a thousand, and the normal law is as likely to 1e-9 a row."""
    x = np.linspace(-9.0, 9.0, 4001)
    weight = stats.t(df).pdf(x)
    _, said = judge(MLEDistribution("t"), x[:, None], sample_weight=weight / weight.mean())
    assert said == expected


@pytest.mark.parametrize(
    "y", [[0.4] * 6 + [0.1, 0.2, 0.7, 0.9], [0.3] * 9 + [0.3001], [1.0] * 4 + [5.0]], ids=str
)
def test_ties_make_student_t_unbounded(y):
    """Around m equal values of n the density rises without bound once df < m/(n - m) (Fernandez & Steel 1999)."""
    _, said = judge(MLEDistribution("t"), np.array(y)[:, None])
    assert said == "no_maximum"


def test_a_few_rows_interpolated_by_a_student_t_regression():
    """20 rows and 5 coefficients, in these draws without an interior maximum: the profile over df rises down to zero."""
    for seed in (108, 317, 365):
        rng = np.random.default_rng(seed)
        n, p = rng.choice([20, 50, 100, 300]), rng.integers(1, 5)
        X = rng.normal(size=(n, p))
        noise = rng.normal(0.0, 2.0, n) if seed % 2 else rng.logistic(0.0, 1.0, n)
        _, said = judge(MLERegressor("t"), X, X @ rng.normal(size=p) + noise)
        assert said == "no_maximum"


# ---------------------------------------------------------------- separation


def separable(X: np.ndarray, codes: np.ndarray, classes: int) -> bool:
    """Whether some direction lowers no row's probability and raises one's: a linear program over the margins."""
    Z = np.column_stack([np.ones(len(X)), X / np.abs(X).max(axis=0)])
    margins = []
    for z, code in zip(Z, codes, strict=True):
        for other in set(range(classes)) - {code}:
            row = np.zeros((classes, Z.shape[1]))
            row[code], row[other] = z, -z
            margins.append(row[1:].ravel())  # against class 0
    A = np.array(margins)
    found = linprog(
        -A.sum(axis=0),
        A_ub=-A,
        b_ub=np.zeros(len(A)),
        bounds=[(-1.0, 1.0)] * A.shape[1],
        method="highs",
    )
    assert found.success
    return -found.fun > 1e-7


def labels(X: np.ndarray, classes: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    return (
        X @ rng.normal(size=(X.shape[1], classes)) * strength + rng.gumbel(size=(len(X), classes))
    ).argmax(axis=1)


def small_problem(rng: np.random.Generator, classes: int):
    X = rng.normal(size=(rng.integers(8, 60), rng.integers(1, 7)))
    X = X.round() if rng.random() < 0.3 else X
    return X, labels(X, classes, rng, rng.choice([0.0, 0.5, 2.0, 6.0]))


def problem_with_rare_dummies(rng: np.random.Generator, classes: int):
    n = rng.choice([100, 300])
    dummies = (rng.random((n, 3)) < rng.choice([0.01, 0.03, 0.1])).astype(float)
    X = np.column_stack([rng.normal(size=(n, 2)), dummies])
    return X, labels(X, classes, rng, 0.7)


@pytest.mark.parametrize("problem", [small_problem, problem_with_rare_dummies])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_separation_is_what_the_linear_program_says(problem, classes):
    """Whether there is a maximum: always. That its absence is separation: but for a few in a thousand of nested ones."""
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng([seed, classes])
        X, codes = problem(rng, classes)
        X = X[:, X.std(axis=0) > 0]
        if len(set(codes)) < classes or not X.shape[1]:
            continue
        model, said = judge(CrossEntropyClassifier(), X, codes)
        found[said, "separation" if separable(X, codes, classes) else "interior"] += 1
        np.testing.assert_allclose(
            model.score(X, codes) * len(X), model.log_likelihood_, rtol=1e-9, atol=1e-9
        )
    unnamed = found.pop(("no_maximum", "separation"), 0)
    assert set(found) == {("interior", "interior"), ("separation", "separation")}, found
    assert unnamed <= 1 and min(found.values()) > 20


@pytest.mark.parametrize("classes", [2, 3])
def test_a_ridge_leaves_no_separation(classes):
    for seed in range(RUNS // 4):
        rng = np.random.default_rng([seed, classes])
        X, codes = small_problem(rng, classes)
        if len(set(codes)) == classes:
            _, said = judge(CrossEntropyClassifier(alpha=1e-3), X, codes)
            assert said == "interior"


def overlapping(n: int, rng: np.random.Generator):
    """Features and labels of a logistic regression far from separation."""
    X = rng.normal(size=(n, 3))
    return X, (rng.random(n) < 1.0 / (1.0 + np.exp(-X @ [1.0, -0.5, 0.0]))).astype(int)


@pytest.mark.parametrize("separated", [True, False])
@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-3])
def test_a_certificate_is_cleaned_of_what_rounding_added(noise, separated):
    """Half the rows are told apart by the first column, which is zero in the others, where the classes overlap."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200).astype(float)
    first = np.where(np.arange(200) < 100, 0.0, (2.0 * y - 1.0) * rng.uniform(0.5, 1.0, 200))
    first[150] *= 1.0 if separated else -1.0
    X = np.column_stack([first, rng.normal(size=(200, 2))])
    objective = Objective(Bernoulli().rows, (y,), Design((Term(slice(None), 3),), 200, X))
    seen = np.array([2.0, 0.0, 0.0, 0.0]) + noise * rng.normal(size=4)
    found = certificate(Bernoulli(), (y,), objective, seen)
    if separated:
        np.testing.assert_allclose(found[1:] / found[0], 0.0, atol=1e-12)
    else:
        assert found is None


@pytest.mark.parametrize("flipped", [0, 1], ids=["separates", "one-row-does-not"])
def test_a_rare_dummy(flipped):
    """Eight rows with a dummy and one outcome: its coefficient alone is infinite; the others are those without these rows."""
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X, y = overlapping(500, rng)
        dummy = np.zeros((500, 1))
        dummy[:8] = 1.0
        y[:8] = 1
        y[:flipped] = 0
        model, said = judge(CrossEntropyClassifier(), np.hstack([X, dummy]), y)
        assert said == ("interior" if flipped else "separation")
        if not flipped:
            rest = CrossEntropyClassifier().fit(X[8:], y[8:])
            errors = rest.inference().standard_errors
            assert (
                np.abs(
                    np.append(model.coef_[0, :3], model.intercept_)
                    - np.append(rest.coef_, rest.intercept_)
                )
                <= 1e-6 * errors
            ).all()
            np.testing.assert_allclose(model.log_likelihood_, rest.log_likelihood_, rtol=1e-9)
            assert (model.predict_proba(np.hstack([X, dummy])[:8])[:, 1] > 1.0 - 1e-8).all()


def test_the_warning_names_the_columns_that_separate():
    X, y = overlapping(300, np.random.default_rng(0))
    X = np.column_stack([X, np.arange(300) < 8, np.arange(300) % 2])
    y[:8] = 1
    with pytest.warns(SeparationWarning, match=re.escape("'x3'")) as warned:
        CrossEntropyClassifier().fit(X, y)
    assert len(warned) == 1 and not any(f"'x{j}'" in str(warned[0].message) for j in (0, 1, 2, 4))


@pytest.mark.parametrize("n", [10**4, 10**5])
def test_rare_events_are_no_separation(n):
    """3 events, whose rows are nothing special."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 3)), np.zeros(n, int)
    y[rng.choice(n, 3, replace=False)] = 1
    _, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "interior"


def test_one_row_flipped_among_a_hundred_thousand():
    rng = np.random.default_rng(0)
    X, y = overlapping(10**5, rng)
    dummy = np.zeros(10**5)
    dummy[:8] = 1.0
    for ones, expected in ((8, "separation"), (7, "interior")):
        y[:8] = np.arange(8) < ones
        _, said = judge(CrossEntropyClassifier(), np.column_stack([X, dummy]), y)
        assert said == expected


COUNTS = {name: SUBJECTS[name] for name in ("Poisson", "NegativeBinomial", "Geometric")}


@every(COUNTS)
def test_a_dummy_whose_counts_are_all_at_the_end(family):
    """No count but the smallest in a dummy's rows: its coefficient is infinite, the rest is the fit without these rows."""
    end = family.support.low
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X = np.column_stack([rng.normal(size=(200, 2)), rng.random(200) < 0.1])
        y = rng.negative_binomial(1.0, 0.2, 200) + end
        y[X[:, 2] == 1.0] = end
        model, said = judge(MLERegressor(family), X, y)
        assert said == "separation"
        kept = X[:, 2] == 0.0
        rest, _ = fitted(MLERegressor(family), X[kept, :2], y[kept])
        errors = np.sqrt(np.diag(rest._covariance))
        ours = np.r_[model.coef_[:2], [v for v in model.intercepts_.values()]]
        theirs = np.r_[rest.coef_, [v for v in rest.intercepts_.values()]]
        assert (np.abs(ours - theirs) <= 1e-6 * errors).all()
        np.testing.assert_allclose(model.log_likelihood_, rest.log_likelihood_, rtol=1e-9)
        np.testing.assert_allclose(model.predict(X[~kept]), end, atol=1e-6)


# ---------------------------------------------------------------- unbounded and degenerate data


def unbounded(family: Family) -> bool:
    """Whether the density may grow without bound: it has a scale, or anything that serves as one."""
    return family.regular and not family.support.discrete and len(family.parameters) > 1


UNBOUNDED = {name: f for name, f in CONTINUOUS.items() if unbounded(f)}


@every(CONTINUOUS)
@pytest.mark.parametrize("value", [0.3, 0.7])
def test_constant_data(family, value):
    model, said = judge(MLEDistribution(family), np.full((20, 1), value))
    assert said == ("no_maximum" if unbounded(family) or not family.regular else "interior")
    assert all(np.isfinite(v) for v in model.params_.values())
    np.testing.assert_allclose(model.distribution_.mean(), value, rtol=1e-6)


@every(UNBOUNDED)
def test_a_constant_response(family):
    X = np.random.default_rng(0).normal(size=(30, 2))
    model, said = judge(MLERegressor(family), X, np.full(30, 0.4))
    assert said == "no_maximum"
    np.testing.assert_allclose(model.predict(X), 0.4, rtol=1e-6)


@every(UNBOUNDED)
def test_saturated_regressions(family):
    """As many coefficients as rows, or more: the law shrinks onto the observations."""
    for seed in range(RUNS // 10):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(3, 12))
        X = rng.normal(size=(n, n - 1 + seed % 4))
        y = rng.uniform(0.1, 0.9, n)
        model, said = judge(MLERegressor(family), X, y)
        assert said == "no_maximum"
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


@every(UNBOUNDED)
def test_a_ridge_does_not_bound_a_saturated_regression(family):
    """What interpolates costs a finite penalty, and the density around the observations is without bound all the same."""
    for seed in range(RUNS // 40):
        rng = np.random.default_rng(seed)
        _, said = judge(
            MLERegressor(family, alpha=0.1), rng.normal(size=(8, 10)), rng.uniform(0.1, 0.9, 8)
        )
        assert said == "no_maximum"


@every(UNBOUNDED)
def test_one_coefficient_fewer_than_saturated(family):
    """Two rows more than slopes leave a spread: interior, unless the law itself has another limit."""
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(9, 5)), rng.uniform(0.1, 0.9, 9)
        _, said = judge(MLERegressor(family), X, y)
        assert said == "interior" or (
            type(family).__name__ == "StudentT" and said in ("boundary", "no_maximum")
        )


@every(UNBOUNDED)
def test_an_exact_relation(family):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    eta = X @ [0.3, -0.2] + 0.1
    chart = family.parameters[0].chart
    y = np.exp(eta) if family.support.low == 0.0 and chart is not LOGIT else chart.theta(eta)
    model, said = judge(MLERegressor(family), X, y)
    assert said == "no_maximum"
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


ONE_OUTCOME = [
    ("bernoulli", np.ones((9, 1)), {"probability": 1.0}),
    ("bernoulli", np.zeros((9, 1)), {"probability": 0.0}),
    ("binomial", np.array([[3.0, 0.0]] * 9), {"probability": 1.0}),
    ("binomial", np.array([[0.0, 4.0]] * 9), {"probability": 0.0}),
    ("geometric", np.ones((9, 1)), {"probability": 1.0}),
    ("poisson", np.zeros((9, 1)), {"mean": 0.0}),
    ("negative_binomial", np.zeros((9, 1)), {"mean": 0.0, "dispersion": 0.0}),
]


@pytest.mark.parametrize(
    ("family", "y", "params"), ONE_OUTCOME, ids=[f"{name}-{y[0]}" for name, y, _ in ONE_OUTCOME]
)
def test_one_outcome(family, y, params):
    """All the mass stands on one point: a law at the end of its range, with log-likelihood zero."""
    model, said = judge(MLEDistribution(family), y)
    assert said == "boundary" and model.params_ == params
    np.testing.assert_allclose(model.log_likelihood_, 0.0, atol=1e-12)
    np.testing.assert_allclose(model.score(y), 0.0, atol=1e-12)


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "geometric", "negative_binomial"])
def test_one_outcome_regressed(family):
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.full(
        40,
        max(
            0.0,
            SUBJECTS[
                {"negative_binomial": "NegativeBinomial"}.get(family, family.title())
            ].support.low,
        ),
    )
    model, said = judge(MLERegressor(family), X, y)
    assert said in ("separation", "no_maximum", "boundary")
    np.testing.assert_allclose(model.log_likelihood_, 0.0, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-6)


def test_one_category():
    model, said = judge(MLEDistribution("categorical"), np.array([["ape"]] * 5))
    assert said in ("interior", "boundary") and model.score([["ape"]]) == 0.0
    np.testing.assert_array_equal(model.params_["probabilities"], [1.0])


@pytest.mark.parametrize("absent", LABELS)
@pytest.mark.parametrize("present", [1, 2])
def test_absent_categories(absent, present):
    """A label that the family knows and the data lack has probability zero, whichever it is."""
    kept = [label for label in LABELS if label != absent][:present]
    y = np.array([kept[0], kept[0], kept[-1]])
    model, said = judge(MLEDistribution(Categorical(LABELS)), y[:, None])
    assert said == "boundary"
    np.testing.assert_allclose(
        model.params_["probabilities"],
        [(y == label).mean() for label in LABELS],
        rtol=1e-12,
        atol=0,
    )
    np.testing.assert_allclose(
        model.log_likelihood_, np.log([(y == v).mean() for v in y]).sum(), rtol=1e-12, atol=1e-12
    )


def test_zeros_of_an_exponential_law():
    _, said = judge(MLEDistribution("exponential"), np.zeros((9, 1)))
    assert said == "no_maximum"


def test_singular_multivariate_normal():
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        kind = seed % 4
        n, d = (4, 6) if kind == 0 else (40, 4)
        X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-6, 6, d)
        if kind == 1:
            X[:, 1] = 2.0 * X[:, 0] + 3.0
        if kind == 2:
            X[:, 2] = 1e3
        if kind == 3:
            X[:, 3] = X[:, 0] / np.abs(X[0, 0]) - X[:, 1] / np.abs(X[0, 1])
        model, said = judge(MLEDistribution("multivariate_normal"), X)
        assert said == "no_maximum"
        assert (
            np.abs(model.params_["mean"] - X.mean(axis=0))
            <= 1e-9 * (X.std(axis=0) + np.abs(X.mean(axis=0)))
        ).all()


def test_correlated_but_not_singular_multivariate_normal():
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(50, 3)) * 10.0 ** rng.uniform(-6, 6, 3)
        X[:, 2] = X[:, 0] * (1.0 + 1e-4 * rng.normal(size=50))
        model, said = judge(MLEDistribution("multivariate_normal"), X)
        assert said == "interior"
        size = np.sqrt(np.outer(X.var(axis=0), X.var(axis=0)))
        np.testing.assert_allclose(
            model.params_["covariance"] / size, np.cov(X.T, bias=True) / size, atol=1e-9
        )


@pytest.mark.parametrize("cv", [1e-1, 1e-3, 1e-5])
@every(UNBOUNDED)
def test_small_spread_is_no_limit(family, cv):
    """A coefficient of variation of 1e-3 puts the shape of a gamma law at exp(14): far, and interior."""
    rng = np.random.default_rng(0)
    noise = (
        rng.standard_t(3.0, 300) if type(family).__name__ == "StudentT" else rng.normal(size=300)
    )
    y = 0.5 * (1.0 + cv * np.clip(noise, -8.0, 8.0))
    model, said = judge(MLEDistribution(family), y[:, None])
    assert said == "interior" and model.distance_ <= 1e-4


# ---------------------------------------------------------------- collinear columns


def collinear(rng: np.random.Generator, n: int = 60) -> np.ndarray:
    """Two columns, their difference in two units, a constant, two dummies for two groups; and a column of its own."""
    a, b, group = rng.normal(size=n), rng.normal(size=n), rng.random(n) < 0.4
    return np.column_stack(
        [a, b, a - b, 1e4 * (a - b), np.full(n, 2.0), group, ~group, rng.normal(size=n) + 5.0]
    ).astype(float)


FREE = [0, 1, 5, 7]
ALIASED = [f"x{j}" for j in range(7)]
COLLINEAR = {
    name: REGRESSED[name]
    for name in ("Normal", "Poisson", "Gamma", "Bernoulli", "StudentT", "NegativeBinomial", "Beta")
}


@every(COLLINEAR)
def test_collinear_columns(family):
    """The law is that of independent columns, the rest is named, and only what the data determine has a standard error."""
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 60, rng)
        X = collinear(rng, len(y))
        model, said = judge(MLERegressor(family), X, y)
        smaller, expected = judge(MLERegressor(family), X[:, FREE], y)
        assert said == expected and model.n_parameters_ == smaller.n_parameters_
        assert model.aliased_ == ALIASED and smaller.aliased_ == []
        np.testing.assert_allclose(model.log_likelihood_, smaller.log_likelihood_, rtol=1e-9)
        new = collinear(rng)
        np.testing.assert_allclose(
            model.predict(new), smaller.predict(new[:, FREE]), rtol=1e-6, atol=1e-9
        )
        # Of all that fit alike, the coefficients of least norm in standardised columns: no part in the null space.
        z = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0.0, X.std(axis=0), 1.0)
        weights = model.coef_ * X.std(axis=0)
        np.testing.assert_allclose(
            np.linalg.pinv(z, rcond=1e-9) @ (z @ weights),
            weights,
            atol=1e-9 * np.abs(weights).max(),
        )
        if said == "interior":
            ours, theirs = model.inference(), smaller.inference()
            errors, others = (
                dict(zip(ours.terms, ours.standard_errors, strict=False)),
                dict(zip(theirs.terms, theirs.standard_errors, strict=False)),
            )
            assert all(np.isnan(errors[name]) for name in ALIASED)
            np.testing.assert_allclose(errors["x7"], others["x3"], rtol=1e-6)


@every(COLLINEAR)
def test_collinear_columns_in_other_units_and_repeated(family):
    """Neither units nor the order of columns, nor rows in place of weights, change what a collinear fit predicts."""
    for seed in range(RUNS // 20):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 60, rng)
        X, weight = collinear(rng, len(y)), rng.integers(1, 4, len(y))
        new = collinear(rng)
        model, said = judge(MLERegressor(family), X, y, sample_weight=weight)
        unit, order, rows = (
            10.0 ** rng.integers(-6, 7, X.shape[1]),
            rng.permutation(X.shape[1]),
            np.repeat(np.arange(len(y)), weight),
        )
        for data, target, weights in (
            ((X * unit)[:, order], y, weight),
            ((X * unit)[rows][:, order], y[rows], None),
        ):
            other, again = judge(MLERegressor(family), data, target, sample_weight=weights)
            assert again == said
            np.testing.assert_allclose(other.log_likelihood_, model.log_likelihood_, rtol=1e-9)
            np.testing.assert_allclose(
                other.predict((new * unit)[:, order]), model.predict(new), rtol=1e-6, atol=1e-9
            )
            slopes = np.empty(len(unit))
            slopes[order] = other.coef_
            np.testing.assert_allclose(
                slopes * unit * X.std(axis=0), model.coef_ * X.std(axis=0), rtol=1e-5, atol=1e-7
            )


def test_more_columns_than_rows():
    """A separated logistic regression on 15 rows and 30 columns: the same decisions from weights and from repeated rows."""
    for seed in range(RUNS // 10):
        rng = np.random.default_rng(seed)
        X, y, weight = rng.normal(size=(15, 30)), np.arange(15) % 2, rng.integers(1, 4, 15)
        model, said = judge(CrossEntropyClassifier(), X, y, sample_weight=weight)
        rows = np.repeat(np.arange(15), weight)
        other, again = judge(CrossEntropyClassifier(), X[rows], y[rows])
        assert said == again == "separation"
        np.testing.assert_allclose(
            other.decision_function(X), model.decision_function(X), rtol=1e-7
        )
