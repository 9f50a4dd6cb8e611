"""No silent non-optimum: what has no maximum says so, once, and returns the limit; what has one raises no false alarm.

Hundreds of random problems a kind, each judged by something else than the fit: score tests at the limit law, the linear
program of separation, differences of the log-likelihood around the answer.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections import Counter

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from skmle import CrossEntropyClassifier, MLEDistribution, MLERegressor
from skmle.exceptions import BoundaryWarning, NoMaximumWarning, NonRegularWarning, NotConvergedWarning, SeparationWarning
from skmle.families import Family, all_families
from skmle.families._base import IDENTITY, LOG, LOGIT

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
        y = LABELS if not family.numeric else rng.normal(size=9) if family.columns == 1 else rng.normal(size=(9, family.columns or 2))
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


SLOPE_STEP, BEND_STEP = 5e-4, 5e-3  # standard errors


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
        slope, bend = (np.array([total(at + k * h * column) for k in (-2, -1, 0, 1, 2)]) for h in (SLOPE_STEP, BEND_STEP))
        slope = (slope @ [1.0, -8.0, 0.0, 8.0, -1.0]) / (12.0 * SLOPE_STEP)
        bend = (bend @ [-1.0, 16.0, -30.0, 16.0, -1.0]) / (12.0 * BEND_STEP**2)
        assert abs(slope) <= 2e-6, f"the slope is {slope:.3g} a standard error"
        np.testing.assert_allclose(bend, -1.0, atol=1e-4)


def check_density(model: MLEDistribution, family: Family, y: np.ndarray) -> None:
    law, eta, covariance = model.distribution_.family, model._eta[0], model._covariances[0]

    def total(e):
        return float(law.log_prob(y, tuple(np.asarray(v) for v in e)).sum())

    np.testing.assert_allclose(model.log_likelihood_, total(eta), rtol=1e-10, atol=1e-10)
    check_optimum(total, eta, covariance, not family.exact)


def check_regression(model: MLERegressor, family: Family, X: np.ndarray, y: np.ndarray) -> None:
    result = model.inference()
    p = X.shape[1]

    def total(c):
        eta = (X @ c[:p] + c[p], *(np.asarray(v) for v in c[p + 1 :]))
        return float(model._law.log_prob(y, eta).sum())

    np.testing.assert_allclose(model.log_likelihood_, total(result.estimate), rtol=1e-10, atol=1e-10)
    check_optimum(total, result.estimate, result.covariance, not family.exact)


# ---------------------------------------------------------------- an interior maximum: no false alarm


@every(SUBJECTS)
def test_densities_of_their_own_law(family):
    """Samples of 30 and 300: interior, no warning, and the optimum; at the boundary where the score test says so."""
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        _, y = draw(family, 30 if seed % 2 else 300, rng)
        model, said = judge(MLEDistribution(family), as_rows(y))
        expected = score_tests(family, y, y.mean() if family.numeric and family.columns == 1 else 0.0)
        found[said, expected] += 1
        if said == "interior":
            check_density(model, family, y)
    assert all(said == expected for said, expected in found), found


REGRESSED = {name: f for name, f in SUBJECTS.items() if f.numeric and f.regular and f.columns is not None}


@every(REGRESSED)
def test_regressions_of_their_own_law(family):
    found = Counter()
    for seed in range(RUNS // 4):
        rng = np.random.default_rng(seed)
        X, y = draw(family, 40 if seed % 2 else 300, rng, p=2)
        model, said = judge(MLERegressor(family), X, y)
        simpler = family.limits[0].family() if family.limits else None
        expected = "interior" if simpler is None else score_tests(family, y, MLERegressor(simpler).fit(X, y).predict(X))
        found[said, expected] += 1
        if said == "interior":
            check_regression(model, family, X, y)
    assert all(said == expected for said, expected in found), found


# ---------------------------------------------------------------- limit laws


def underdispersed(mean: np.ndarray, seed: int, rng: np.random.Generator) -> np.ndarray:
    """Poisson counts, or binomial ones, whose variance is less."""
    return (rng.poisson(mean) if seed % 2 else rng.binomial(np.ceil(3.0 * mean).astype(int), 1.0 / 3.0)).astype(float)


def test_negative_binomial_on_counts_without_overdispersion():
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        n = rng.choice([5, 10, 30, 100, 300])
        y = underdispersed(np.full(n, np.exp(rng.normal(0.5, 1.0))), seed, rng)
        model, said = judge(MLEDistribution("negative_binomial"), y[:, None])
        found[said, score_tests(SUBJECTS["NegativeBinomial"], y, y.mean()) if y.any() else "boundary"] += 1
        if said == "boundary":
            poisson, _ = fitted(MLEDistribution("poisson"), y[:, None])
            assert model.params_ == {"mean": poisson.params_["mean"], "dispersion": 0.0}
            np.testing.assert_allclose(model.log_likelihood_, poisson.log_likelihood_, rtol=1e-10)
            if y.any():
                np.testing.assert_allclose(model.inference().standard_errors, poisson.inference().standard_errors, rtol=1e-10)
        else:
            check_density(model, SUBJECTS["NegativeBinomial"], y)
    assert all(said == expected for said, expected in found) and found["boundary", "boundary"] > 0.7 * RUNS, found


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
            np.testing.assert_allclose(model.inference().covariance, poisson.inference().covariance, rtol=1e-10)
            np.testing.assert_array_equal(model.predict_dist(X).var(), model.predict(X))
        else:
            check_regression(model, SUBJECTS["NegativeBinomial"], X, y)
    assert all(said == expected for said, expected in found) and found["boundary", "boundary"] > 0.7 * RUNS, found


def light_tails(n: int, seed: int, rng: np.random.Generator) -> np.ndarray:
    return [rng.normal(3.0, 2.0, n), rng.uniform(0.0, 1.0, n), rng.logistic(0.0, 1.0, n), rng.normal(0.0, 1e-3, n)][seed % 4]


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
            assert model.params_ == {**normal.params_, "df": np.inf} and model.log_likelihood_ == normal.log_likelihood_
        else:
            check_density(model, SUBJECTS["StudentT"], y)
    assert all(said == expected for said, expected in found) and found["boundary", "boundary"] > 0.5 * RUNS, found


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
            assert model.params_ == {**normal.params_, "df": np.inf} and model.log_likelihood_ == normal.log_likelihood_
        else:
            check_regression(model, SUBJECTS["StudentT"], X, y)
    assert all(said == expected for said, expected in found) and found["boundary", "boundary"] > 0.5 * RUNS, found


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


@pytest.mark.parametrize("y", [[0.4] * 6 + [0.1, 0.2, 0.7, 0.9], [0.3] * 9 + [0.3001], [1.0, 1.0, 1.0, 5.0, -2.0]], ids=str)
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
    found = linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=[(-1.0, 1.0)] * A.shape[1], method="highs")
    assert found.success
    return -found.fun > 1e-7


def labels(X: np.ndarray, classes: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    return (X @ rng.normal(size=(X.shape[1], classes)) * strength + rng.gumbel(size=(len(X), classes))).argmax(axis=1)


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
    found = Counter()
    for seed in range(RUNS):
        rng = np.random.default_rng([seed, classes])
        X, codes = problem(rng, classes)
        X = X[:, X.std(axis=0) > 0]
        if len(set(codes)) < classes or not X.shape[1]:
            continue
        model, said = judge(CrossEntropyClassifier(), X, codes)
        found[said, "separation" if separable(X, codes, classes) else "interior"] += 1
        assert np.isfinite(model.coef_).all()
        np.testing.assert_allclose(model.score(X, codes) * len(X), model.log_likelihood_, rtol=1e-9, atol=1e-9)
        # np.testing.assert_array_less(model.log_likelihood_, 1e-12)
    assert all(said == expected for said, expected in found), found
    assert min(found.values()) > 20
