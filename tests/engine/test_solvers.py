"""The other solvers agree with Newton's method."""

from __future__ import annotations

import numpy as np
import pytest

from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle._engine.solvers import conjugate, first_sample, growing, newton
from skmle._engine.solvers.growing import _less_noisy
from skmle.families import Bernoulli, Poisson
from tests.engine.objectives import long_objectives

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@pytest.fixture(scope="module")
def long_logistic():
    rng = np.random.default_rng(0)
    n, p = 60_000, 4
    X = rng.normal(size=(n, p)) * [1.0, 1e3, 1e-3, 1.0]
    y = (
        rng.random(n) < 1.0 / (1.0 + np.exp(-(X / [1.0, 1e3, 1e-3, 1.0]) @ [0.5, -0.5, 0.2, 0.0]))
    ).astype(float)
    family = Bernoulli()
    return Objective(family.rows, family.statistics(y), Design((Term(slice(None), p),), n, X))


def distance(objective: Objective, coef: np.ndarray, optimum: np.ndarray) -> float:
    gap = coef - optimum
    return float(np.sqrt(objective.size * gap @ objective(optimum).hessian @ gap))


@pytest.mark.parametrize("solver", [growing, conjugate])
@pytest.mark.parametrize("start", [0.0, 1.0])
def test_solvers_agree(solver, start, long_logistic):
    assert first_sample(long_logistic.n, 5) is not None
    initial = np.full(5, start) / [1.0, 1e3, 1e-3, 1.0, 1.0]
    optimum = newton(long_logistic, np.zeros(5), tol=1e-10).coef
    solution = solver(long_logistic, initial, tol=1e-6)
    assert solution.converged and solution.distance <= 1e-6
    assert distance(long_logistic, solution.coef, optimum) <= 1e-6


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.5])
def test_what_is_noise_in_a_samples_hessian_is_taken_out(correlation):
    d, m = 60, 1200
    rng = np.random.default_rng(0)
    units = np.outer(scale := 10.0 ** rng.uniform(-4, 4, d), scale)
    truth = np.full((d, d), correlation) + (1.0 - correlation) * np.eye(d)
    z = rng.multivariate_normal(np.zeros(d), truth, m)
    seen = z.T @ z / m
    found = _less_noisy(seen * units, m) / units
    np.testing.assert_allclose(np.diag(found), np.diag(seen), rtol=1e-14)

    def spread(hessian):
        values = np.linalg.eigvals(np.linalg.solve(hessian, truth)).real
        return values.max() / values.min()

    assert spread(found) <= 1.05 * spread(seen)
    if correlation == 0.0:
        assert spread(found) < 0.6 * spread(seen)


def test_a_hessian_without_noise_stays():
    np.testing.assert_array_equal(
        _less_noisy(np.diag([1.0, 2.0, 3.0]), 100), np.diag([1.0, 2.0, 3.0])
    )


@pytest.mark.slow
def test_curvature_as_an_operator(long_logistic):
    rng = np.random.default_rng(0)
    for objective in [long_logistic, *long_objectives().values()]:
        coef, vector = rng.normal(size=(2, objective.design.d)) * 0.05
        expected = objective(coef).hessian @ vector
        elsewhere = objective.curvature(np.zeros_like(coef))
        for curvature in (objective.curvature(coef), elsewhere.moved(coef)):
            np.testing.assert_allclose(
                curvature.product(vector), expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max()
            )
        np.testing.assert_array_equal(
            elsewhere.moved(coef).precondition(vector), elsewhere.precondition(vector)
        )


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_the_closing_hessian_gives_five_digits_of_errors(spread):
    """Also of skewed columns, of whose heaviest rows the samples have few."""
    rng = np.random.default_rng(1)
    X = np.minimum(np.exp(spread * rng.standard_normal((20_000, 3))), 15.0)
    X -= X.mean(axis=0)
    y = rng.poisson(np.exp(0.3 * X.sum(axis=1) / spread)).astype(float)
    design = Design((Term(slice(None), 3),), len(y), X)
    objective = Objective(Poisson().rows, (y,), design)
    found = growing(objective, np.zeros(4))
    exact = newton(objective, found.coef, tol=1e-9)
    assert found.converged
    inverses = (np.linalg.inv(at.hessian) for at in (found.evaluation, exact.evaluation))
    errors, expected = (np.sqrt(np.diag(inverse)) for inverse in inverses)
    np.testing.assert_allclose(errors, expected, rtol=5e-6)
