"""The solver on problems whose optimum is known exactly, and on problems that have none."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pytest

from skmle._engine.evaluation import Solution
from skmle._engine.solvers import newton
from tests.engine.problems import (
    PROBLEMS,
    TOL,
    WITHOUT_OPTIMUM,
    Objective,
    Problem,
    distance,
    linear_model,
    of_one,
)

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_known_optimum(problem):
    objective = problem.objective()
    solution = newton(objective, problem.start, tol=TOL, max_iter=200)
    assert solution.converged and solution.distance <= TOL
    at = objective.path[-1]
    assert solution.evaluation.value == objective.value(at)
    # The step beyond the point that was found good enough is free and about squares the distance.
    assert solution.coef.tolist() in (at.tolist(), (at + solution.step).tolist())
    limit = 1e-9 if (solution.coef != at).any() else 1.01 * TOL
    assert distance(objective, solution.coef, problem.optimum) <= limit


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_the_best_point_seen_is_kept(problem):
    objective = problem.objective()
    solution = newton(objective, problem.start, tol=TOL, max_iter=200)
    with np.errstate(all="ignore"):
        values = np.array([objective.value(coef) for coef, _ in objective.calls])
    best = np.nanmin(values)
    assert solution.evaluation.value <= best + 64 * np.finfo(float).eps * (1.0 + abs(best))


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_start_at_the_optimum(problem):
    """A closed form is a perfect start: one evaluation, which the standard errors need anyway."""
    objective = problem.objective()
    solution = newton(objective, problem.optimum, tol=TOL)
    assert solution.converged and solution.n_iter == 0
    assert [order for _, order in objective.calls] == [2]


@pytest.mark.parametrize(
    "problem", [p for name, p in PROBLEMS.items() if name.startswith("quadratic")]
)
def test_a_quadratic_takes_one_step(problem):
    objective = problem.objective()
    solution = newton(objective, problem.start, tol=TOL)
    assert solution.n_iter <= 2 and solution.converged


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_evaluations_are_few(problem):
    objective = problem.objective()
    solution = newton(objective, problem.start, tol=TOL, max_iter=200)
    full = sum(order > 0 for _, order in objective.calls)
    assert len(objective.calls) <= 6 * (solution.n_iter + 1) + 20
    assert full <= solution.n_iter + 1 + len(objective.calls) // 4


# ---------------------------------------------------------------- units


def in_units(problem: Problem, unit: np.ndarray) -> tuple[Objective, np.ndarray]:
    """The problem with each coefficient measured in another unit."""
    plain = problem.objective()
    scaled = Objective(
        lambda c: plain.value(c * unit),
        lambda c: plain.gradient(c * unit) * unit,
        lambda c: plain.hessian(c * unit) * np.outer(unit, unit),
        plain.size,
    )
    return scaled, problem.start / unit


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_the_path_does_not_depend_on_units(problem):
    """Powers of two are exact, so every point on the way must be the same to the last bit."""
    plain = problem.objective()
    solution = newton(plain, problem.start, tol=TOL, max_iter=200)
    unit = 2.0 ** (27 * (-1.0) ** np.arange(len(problem.start)))
    objective, start = in_units(problem, unit)
    other = newton(objective, start, tol=TOL, max_iter=200)
    np.testing.assert_array_equal(objective.path * unit, plain.path)
    np.testing.assert_array_equal(other.coef * unit, solution.coef)
    assert (other.distance, other.n_iter) == (solution.distance, solution.n_iter)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("power", [8, -8])
def test_badly_scaled(problem, power):
    unit = 10.0 ** (power * (-1.0) ** np.arange(len(problem.start)))
    objective, start = in_units(problem, unit)
    solution = newton(objective, start, tol=TOL, max_iter=200)
    assert solution.converged
    assert distance(problem.objective(), solution.coef * unit, problem.optimum) <= 1.01 * TOL


@pytest.mark.parametrize("size", [1.0, 1e3, 1e9])
def test_the_tolerance_is_in_standard_errors(size):
    """The same function of more rows is to be solved more closely; the answer says how closely."""
    objective = linear_model("logistic", 3).objective()
    objective.size = size
    solution = newton(objective, np.full(6, 0.5), tol=1e-3)
    at = solution.coef - solution.step
    assert solution.distance <= 1e-3
    np.testing.assert_allclose(
        solution.distance,
        np.sqrt(size * solution.step @ objective.hessian(at) @ solution.step),
        rtol=1e-6,
    )


def claims_an_optimum(solution: Solution) -> bool:
    """What the verdict looks at first: a small decrement, reached by a small step."""
    return solution.converged and float(np.abs(solution.step).max()) <= 1e-2


@pytest.mark.parametrize("objective", WITHOUT_OPTIMUM.values(), ids=WITHOUT_OPTIMUM)
@pytest.mark.parametrize("start", [0.0, 0.7, 5.0])
def test_no_optimum_is_claimed_where_there_is_none(objective, start):
    asked = objective()
    dimension = 2 if asked.hessian(np.zeros(2)).shape == (2, 2) else 1
    solution = newton(asked, np.full(dimension, start), tol=TOL)
    assert not claims_an_optimum(solution)
    assert len(asked.calls) < 2000 and np.isfinite(solution.coef).all()


@pytest.mark.parametrize("name", ["exp", "log-sum", "separated"])
def test_exponential_limits_are_near(name):
    """Where the value tends to a limit exponentially, the solver gets there within few steps, and
    the last one is large.
    """
    objective = WITHOUT_OPTIMUM[name]()
    solution = newton(objective, np.zeros(2 if name == "separated" else 1), tol=TOL)
    assert solution.converged and solution.n_iter <= 25
    assert solution.evaluation.value <= 1e-12
    assert np.abs(solution.step).max() >= 0.5


def test_a_vanished_gradient_does_not_hide_the_way_to_infinity():
    """expit(x) - 1 is exactly zero from x = 37 on, where the curvature still is not."""
    objective = WITHOUT_OPTIMUM["rounded-log-sum"]()
    solution = newton(objective, np.zeros(1), tol=TOL)
    assert not solution.evaluation.gradient.any() and solution.evaluation.hessian[0, 0] > 0.0
    assert np.abs(solution.step).max() >= 0.5
    np.testing.assert_array_equal(solution.coef, objective.path[-1])


def test_a_vanished_gradient_at_an_optimum_leaves_no_step():
    objective = of_one(lambda x: 0.5 * x * x, lambda x: x, lambda x: 1.0)()
    solution = newton(objective, np.array([24.0]), tol=TOL)
    assert solution.converged and solution.coef == 0.0 and solution.step == 0.0


def test_a_stationary_start_that_is_no_minimum():
    solution = newton(WITHOUT_OPTIMUM["saddle"](), np.zeros(2), tol=TOL)
    assert not solution.converged and solution.distance == np.inf


def test_a_saddle_beside_a_minimum_is_left():
    """x^2 - y^2 + y^4 has a saddle at 0 and minima at y^2 = 1/2."""
    objective = Objective(
        lambda c: c[0] ** 2 - c[1] ** 2 + c[1] ** 4,
        lambda c: np.array([2 * c[0], -2 * c[1] + 4 * c[1] ** 3]),
        lambda c: np.diag([2.0, -2.0 + 12.0 * c[1] ** 2]),
    )
    solution = newton(objective, np.array([1.0, 1e-6]), tol=TOL)
    np.testing.assert_allclose(solution.coef, [0.0, np.sqrt(0.5)], atol=1e-9)


# ---------------------------------------------------------------- rounding, holes and limits


@pytest.mark.parametrize("constant", [1e3, 1e8, 1e12])
@pytest.mark.parametrize("name", ["logistic-1", "poisson-2", "rosenbrock-2"])
def test_a_value_that_does_not_resolve_the_steps(constant, name):
    """Under a large constant the value is blind near the optimum, gradient and hessian are not.

    They alone lead on.
    """
    problem = PROBLEMS[name]
    plain = problem.objective()
    blind = Objective(
        lambda c: plain.value(c) + constant, plain.gradient, plain.hessian, plain.size
    )
    near = problem.optimum + 1e-2 * min(1.0, 1e8 / constant) * np.arange(
        1, len(problem.optimum) + 1
    )
    solution = newton(blind, near, tol=TOL)
    assert solution.converged and solution.distance <= TOL
    assert distance(plain, solution.coef, problem.optimum) <= 1e-9


@pytest.mark.parametrize(("noise", "good_enough"), [(1e-5, True), (1e-1, False)])
def test_the_floor_of_rounding(noise, good_enough):
    """A gradient that never vanishes and a value that cannot tell.

    An end with the distance as it is, good enough or not.
    """
    signs = cycle([1.0, -1.0])
    objective = Objective(lambda c: 1e6, lambda c: c + noise * next(signs), lambda c: np.eye(2))
    solution = newton(objective, np.zeros(2), tol=1e-9)
    assert solution.converged == good_enough
    assert noise < solution.distance < 10.0 * noise
    assert solution.n_iter < 20


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("part", ["value", "gradient", "hessian"])
def test_holes_are_stepped_around(bad, part):
    """No value, or no derivative, around the point where the first full step leads."""
    functions = {
        "value": lambda c: np.cosh(c[0] - 3.0),
        "gradient": lambda c: np.sinh(c - 3.0),
        "hessian": lambda c: np.diag(np.cosh(c - 3.0)),
    }
    whole = functions[part]
    functions[part] = lambda c: whole(c) * (bad if 0.9 < c[0] < 1.1 else 1.0)
    objective = Objective(**functions)
    solution = newton(objective, np.zeros(1), tol=TOL)
    assert any(0.9 < coef[0] < 1.1 for coef, _ in objective.calls)
    assert solution.converged
    np.testing.assert_allclose(solution.coef, 3.0, atol=1e-9)


def test_a_step_too_small_to_see_is_not_taken_uphill():
    """Gradient and hessian promise less than the value resolves, and the value rises plainly."""
    start = np.array([1e-6])
    objective = of_one(lambda x: 1e6 + (x != start[0]), lambda x: x, lambda x: 1.0, size=1e14)()
    solution = newton(objective, start, tol=TOL)
    np.testing.assert_array_equal(solution.coef, start)
    assert not solution.converged and solution.distance > TOL


def test_a_long_stride_to_where_no_derivative_is():
    """exp(-x) whose derivatives end at x = 9: what was reached before stands."""
    objective = of_one(
        lambda x: np.exp(-x), lambda x: -np.exp(-x) if x < 9.0 else np.nan, lambda x: np.exp(-x)
    )()
    solution = newton(objective, np.zeros(1), tol=TOL)
    assert np.isfinite(solution.evaluation.gradient).all() and 5.0 < solution.coef[0] < 9.0
    assert not claims_an_optimum(solution)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_start_without_a_value_is_no_optimum(bad):
    objective = Objective(lambda c: bad, lambda c: np.full(2, bad), lambda c: np.full((2, 2), bad))
    solution = newton(objective, np.ones(2), tol=TOL)
    assert not solution.converged
    np.testing.assert_array_equal(solution.coef, np.ones(2))


@pytest.mark.parametrize("max_iter", [0, 1, 2, 5])
def test_max_iter_is_honest(max_iter):
    objective = PROBLEMS["rosenbrock-2"].objective()
    solution = newton(objective, np.array([-1.2, 1.0]), tol=TOL, max_iter=max_iter)
    assert not solution.converged and solution.n_iter == max_iter
    assert solution.distance > TOL
    assert (
        solution.evaluation.value
        == objective.value(solution.coef)
        <= objective.value(np.array([-1.2, 1.0]))
    )


def test_as_many_iterations_as_needed_are_enough():
    problem = PROBLEMS["poisson-far"]
    needed = newton(problem.objective(), problem.start, tol=TOL).n_iter
    assert newton(problem.objective(), problem.start, tol=TOL, max_iter=needed).converged
    assert not newton(problem.objective(), problem.start, tol=TOL, max_iter=needed - 1).converged


def test_no_parameters():
    objective = Objective(lambda c: 1.5, lambda c: np.zeros(0), lambda c: np.zeros((0, 0)))
    solution = newton(objective, np.zeros(0), tol=TOL)
    assert solution.converged and solution.coef.shape == (0,) and solution.distance == 0.0
    assert len(objective.calls) == 1


def test_the_start_is_not_changed():
    start = np.array([-1.2, 1.0])
    newton(PROBLEMS["rosenbrock-2"].objective(), start, tol=TOL)
    np.testing.assert_array_equal(start, [-1.2, 1.0])
