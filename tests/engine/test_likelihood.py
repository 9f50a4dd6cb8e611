"""A likelihood by itself: there and back, and the rows apart, for errors that hold for any law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import statsmodels.api as sm

from skmle._engine.data.observed import observe
from skmle._engine.fit import fit, fit_density
from skmle._engine.likelihood import scores as scores_file
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.scores import at, gradients, outer, outer_by_group, scores
from skmle._engine.likelihood.scores import given as known_entries
from skmle._engine.prepare.closed import closed_form
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.merging import merge_rows
from skmle._engine.problem import Problem
from skmle.families import Bernoulli, Categorical, Family, Gamma, Normal, Poisson, StudentT
from skmle.inference.robust import Choice, errors_of
from tests.engine.objectives import long_objectives

pytestmark = pytest.mark.filterwarnings("error")

N = 400
EVERY = Term(slice(None), 3)


def data(seed: int = 0, n: int = N):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) + np.array([0.0, 0.0, 3.0])
    eta = 0.3 + X @ [0.5, -0.4, 0.1]
    outcomes = {
        "poisson": rng.poisson(rng.gamma(2.0, np.exp(eta) / 2.0)).astype(float),
        "normal": 1e3 + 50.0 * (eta + np.exp(0.3 * X[:, 0]) * rng.standard_t(5, size=n)),
        "softmax": np.digitize(eta + rng.logistic(size=n), [0.0, 1.0]),
        "gamma": rng.gamma(2.0, np.exp(eta)),
    }
    return X, outcomes


MODELS: dict[str, tuple[Family, tuple[Term, ...]]] = {
    "poisson": (Poisson(), (EVERY,)),
    "normal": (Normal(), (EVERY, EVERY)),
    "softmax": (Categorical(3), (EVERY, EVERY)),
    "gamma": (Gamma(), (EVERY, Term(None, 0))),
}


def problem(name: str, weight=None, X=None, y=None) -> Problem:
    family, terms = MODELS[name]
    table, outcomes = data()
    y = outcomes[name] if y is None else y
    X = table if X is None else X
    return Problem(family=family, observed=observe(family, y, weight), terms=terms, X=X)


def solved(likelihood: Likelihood):
    solution = likelihood.solve()
    assert solution.converged
    return solution.coef, solution.evaluation.inverse


def sandwich(likelihood: Likelihood, coef: np.ndarray, *groups: np.ndarray) -> np.ndarray:
    choice = Choice("cluster" if groups else "HC0", groups, correction="none")
    (covariance,) = errors_of([Evidence(likelihood, coef)], choice).covariances
    return covariance


def errors(covariance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.diag(covariance))


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("name", MODELS)
def test_coefficients_go_there_and_back(name):
    likelihood = Likelihood(problem(name))
    coef, _ = solved(likelihood)
    raw = likelihood.raw(coef)
    np.testing.assert_allclose(likelihood.fitted(raw), coef, rtol=1e-9, atol=1e-12)
    again = likelihood.solve(start=likelihood.fitted(raw))
    assert again.n_iter == 0
    found = fit(problem(name))  # which may sum the rows in another order
    for (slopes, intercept), (same, constant) in zip(found.coefs, raw, strict=True):
        np.testing.assert_allclose(slopes, same, rtol=1e-13)
        np.testing.assert_allclose(intercept, constant, rtol=1e-13)


def test_another_penalty_leaves_the_first_likelihood_alone():
    likelihood = Likelihood(problem("poisson"))
    before = likelihood.solve().coef
    under = likelihood.under((), 0.5)
    assert under.problem.selects and not likelihood.problem.selects
    assert under.design is likelihood.design
    assert (under.solve().coef == 0.0).any()
    np.testing.assert_array_equal(likelihood.solve().coef, before)


# ---------------------------------------------------------------- the rows apart


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", long_objectives(n=200))
def test_scores_and_their_products_are_sums_over_rows(name, sparse):
    objective = long_objectives(sparse=sparse, n=9_000)[name]
    coef = np.random.default_rng(0).normal(size=objective.design.d) * 0.05
    given = gradients(objective, coef)
    rows = scores(objective, known_entries(given))
    gradient = objective(coef, 1).gradient * objective.mass
    np.testing.assert_allclose(rows.sum(axis=0), gradient, rtol=1e-9, atol=1e-9)
    groups = np.random.default_rng(1).integers(0, 7, objective.n)
    expected = [rows[groups == g].sum(axis=0) for g in range(7)]
    np.testing.assert_allclose(
        scores(objective, known_entries(given), groups), expected, rtol=1e-9, atol=1e-9
    )
    size = np.abs(rows.T @ rows).max()
    factors = replace(objective, squares=objective.weight**2)
    for entries in (at(objective, coef), known_entries(given)):
        np.testing.assert_allclose(outer(factors, entries), rows.T @ rows, atol=1e-12 * size)
    whole = rows / np.sqrt(objective.weight)[:, None]
    found = outer(objective, at(objective, coef))
    np.testing.assert_allclose(found, whole.T @ whole, atol=1e-12 * size)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.slow
@pytest.mark.parametrize("groups", [7, 3_000, 9_000])
@pytest.mark.parametrize("in_order", [False, True])
def test_sums_of_groups_however_many(groups, in_order, sparse, monkeypatch):
    """Also of groups that go on from block to block, and in any order of the rows."""
    n = 9_000
    monkeypatch.setattr(scores_file, "cuts", lambda n, p: [(i, i + 500) for i in range(0, n, 500)])
    codes = np.random.default_rng(1).integers(0, groups, n)
    codes[:2_000] = 0
    codes = np.unique(codes, return_inverse=True)[1]
    codes = np.sort(codes) if in_order else codes
    for objective in long_objectives(sparse=sparse, n=n).values():
        coef = np.random.default_rng(0).normal(size=objective.design.d) * 0.05
        given = gradients(objective, coef)
        sums = scores(objective, known_entries(given), codes)
        size = np.abs(sums.T @ sums).max()
        for known in (None, given):
            found = outer_by_group(objective, coef, codes, known)
            np.testing.assert_allclose(found, sums.T @ sums, atol=1e-12 * size)


@pytest.mark.slow
def test_products_of_scores_are_bit_equal_on_threads():
    for objective in long_objectives().values():
        coef = np.full(objective.design.d, 0.01)
        entries = at(objective, coef)
        one = outer(replace(objective, threads=1), entries)
        np.testing.assert_array_equal(outer(replace(objective, threads=2), entries), one)


# ---------------------------------------------------------------- against statsmodels


def test_robust_errors_of_poisson():
    X, outcomes = data()
    theirs = sm.Poisson(outcomes["poisson"], sm.add_constant(X, prepend=False))
    likelihood = Likelihood(problem("poisson"))
    coef, _ = solved(likelihood)
    robust = theirs.fit(disp=0, method="newton", tol=1e-14, cov_type="HC0")
    np.testing.assert_allclose(
        errors(sandwich(likelihood, coef)), np.asarray(robust.bse), rtol=1e-9
    )
    groups = np.arange(N) % 23
    settings = {"groups": groups, "use_correction": False}
    robust = theirs.fit(disp=0, method="newton", tol=1e-14, cov_type="cluster", cov_kwds=settings)
    found = sandwich(likelihood, coef, groups)
    np.testing.assert_allclose(errors(found), np.asarray(robust.bse), rtol=1e-9)


def test_robust_errors_of_three_classes():
    X, outcomes = data()
    # Their reference is the first class, ours the last.
    theirs = sm.MNLogit(2 - outcomes["softmax"], sm.add_constant(X, prepend=False))
    result = theirs.fit(disp=0, method="newton", tol=1e-14)
    gradient = theirs.score_obs(result.params)
    bread = np.linalg.inv(-theirs.hessian(result.params))
    expected = errors(bread @ (gradient.T @ gradient) @ bread)
    likelihood = Likelihood(problem("softmax"))
    found = errors(sandwich(likelihood, solved(likelihood)[0]))
    np.testing.assert_allclose(found.reshape(2, 4)[::-1].ravel(), expected, rtol=1e-8)


def test_robust_errors_of_a_normal_law_with_a_modelled_scale():
    """From the textbook's gradients, in units of y far from those of the fit."""
    X, outcomes = data()
    likelihood = Likelihood(problem("normal"))
    coef, _ = solved(likelihood)
    (a, a0), (b, b0) = likelihood.raw(coef)
    scale = np.exp(X @ b + b0)
    z = (outcomes["normal"] - X @ a - a0) / scale
    ones = np.column_stack([X, np.ones(N)])
    loc, log_scale = ones / scale[:, None], ones
    gradient = np.hstack([-z[:, None] * loc, (1.0 - z**2)[:, None] * log_scale])
    cross = loc.T @ (2.0 * z[:, None] * log_scale)
    hessian = np.block(
        [[loc.T @ loc, cross], [cross.T, log_scale.T @ (2.0 * z[:, None] ** 2 * log_scale)]]
    )
    bread = np.linalg.inv(hessian)
    expected = errors(bread @ (gradient.T @ gradient) @ bread)
    np.testing.assert_allclose(errors(sandwich(likelihood, coef)), expected, rtol=1e-6)


def few_distinct(weighted: bool, sparse: bool = False):
    rng = np.random.default_rng(0)
    n = 30_000
    X = rng.integers(0, 3, (n, 3)).astype(float)
    y = rng.poisson(np.exp(0.3 * X[:, 0])).astype(float).clip(0, 6)
    weight = rng.integers(1, 4, n).astype(float) if weighted else None
    return problem("poisson", weight, sp.csr_array(X) if sparse else X, y)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_merged_rows_keep_the_squares_of_their_weights(weighted, sparse):
    plain = few_distinct(weighted, sparse)
    for posed in (plain, plain.with_factors()):
        merged = merge_rows(posed)
        assert merged.observed.n < 500
        found = []
        for rows in (posed, merged):
            likelihood = Likelihood(rows)
            found.append(errors(sandwich(likelihood, solved(likelihood)[0])))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


# ---------------------------------------------------------------- densities


def test_a_density_that_is_condensed_has_the_sandwich_of_its_rows():
    y = np.random.default_rng(0).gamma(2.0, size=300)
    family = Gamma()
    terms = (Term(None, 0), Term(None, 0))
    posed = Problem(family=family, observed=observe(family, y, None), terms=terms)
    found = fit(posed)
    assert found.condensed is not None
    likelihood = Likelihood(posed)
    coef, inverse = solved(likelihood)
    np.testing.assert_allclose(
        likelihood.covariance(inverse), found.covariance, rtol=1e-6, atol=1e-12
    )
    rows = Evidence(likelihood, coef).scores()
    bread = inverse / 300
    expected = bread @ rows.T @ rows @ bread
    np.testing.assert_allclose(sandwich(likelihood, coef), expected, rtol=1e-10)


@pytest.mark.parametrize("family", [Poisson(), Bernoulli(), Normal()])
def test_a_closed_form_has_the_covariance_of_a_fit(family):
    y = np.random.default_rng(0).integers(0, 2, 200).astype(float)
    terms = tuple(Term(None, 0) for _ in family.parameters)
    observed = observe(family, y, None).condensed_for(family)
    posed = Problem(family=family, observed=observed, terms=terms)
    likelihood = Likelihood(replace(posed, observed=observe(family, y, None)))
    _, inverse = solved(likelihood)
    np.testing.assert_allclose(
        closed_form(posed, fit_density).covariance,
        likelihood.covariance(inverse),
        rtol=1e-6,
        atol=1e-12,
    )


def test_a_law_that_moves_with_y_is_solved_in_its_units():
    y = 1e7 + 1e5 * np.random.default_rng(0).standard_t(4, size=200)
    family = StudentT()
    terms = tuple(Term(None, 0) for _ in family.parameters)
    likelihood = Likelihood(Problem(family=family, observed=observe(family, y, None), terms=terms))
    assert np.abs(likelihood.statistics[0]).max() < 20.0
    (_, loc), *_ = likelihood.raw(likelihood.solve().coef)
    assert loc == pytest.approx(np.median(y), abs=3e4)
