"""Every solver of the registry on problems with a known optimum, and on problems that have none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import expit, softmax

import skmle._engine.prepare.likelihood as likelihood_module
from skmle._engine import solvers
from skmle._engine.data.observed import observe
from skmle._engine.fit import fit
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Lasso, Ridge
from skmle._engine.problem import Problem
from skmle._engine.solvers import SOLVERS, Task, choose
from skmle._engine.verdict import INTERIOR
from skmle.families import Bernoulli, Categorical, Normal, Poisson

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

TOL = 1e-6
SHORT, LONG = 300, 10_000  # too few rows for samples, and enough of them
P = 4


@dataclass
class Known:
    """An objective and where its minimum is."""

    objective: Objective
    optimum: np.ndarray

    def distance(self, coef: np.ndarray) -> float:
        """Distance to the optimum in standard errors."""
        gap = coef - self.optimum
        hessian = self.objective(self.optimum).hessian
        return float(np.sqrt(max(self.objective.size * gap @ hessian @ gap, 0.0)))


def table(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, P)) @ (np.eye(P) + 0.5 * rng.normal(size=(P, P)))


def means(family, response, n: int, scale: np.ndarray) -> Known:
    """Observations that are the means of the model themselves, in columns of mixed units."""
    X = table(n)
    optimum = np.r_[np.linspace(-0.4, 0.4, P), 0.3]
    y = response(X @ optimum[:-1] + optimum[-1])
    design = Design((Term(slice(None), P),), n, X * scale)
    return Known(Objective(family.rows, (y,), design), optimum / np.r_[scale, 1.0])


def normal(n: int) -> Known:
    """Residuals that are orthogonal to all columns, of mean square 1."""
    X, rng = table(n), np.random.default_rng(1)
    optimum = np.r_[np.linspace(-1.0, 1.0, P), 0.5, 0.0]
    columns = np.linalg.qr(np.column_stack([X, np.ones(n)]))[0]
    residual = rng.normal(size=n)
    residual -= columns @ (columns.T @ residual)
    residual *= np.sqrt(n) / np.linalg.norm(residual)
    design = Design((Term(slice(None), P), Term(None, 0)), n, X)
    y = X @ optimum[:P] + optimum[P] + residual
    return Known(Objective(Normal().rows, (y,), design), optimum)


def three_classes(n: int) -> Known:
    """Each row once with each label, weighing as much as the label is probable."""
    X = np.repeat(table(n // 3), 3, axis=0)
    optimum = np.random.default_rng(2).normal(size=2 * (P + 1)) * 0.5
    logits = X @ optimum.reshape(2, -1)[:, :-1].T + optimum.reshape(2, -1)[:, -1]
    p = softmax(np.column_stack([logits, np.zeros(len(X))]), axis=1)
    labels = np.tile([0, 1, 2], len(X) // 3)
    design = Design((Term(slice(None), P),) * 2, len(X), X)
    family, weight = Categorical(3), p[np.arange(len(X)), labels]
    return Known(Objective(family.rows, family.statistics(labels), design, weight), optimum)


def ridge(n: int) -> Known:
    """A ridge beside means that are off by what it pulls."""
    known = means(Poisson(), np.exp, n, np.ones(P))
    design, (y,) = known.objective.design, known.objective.statistics
    strength = np.r_[np.full(P, 0.1), 0.0]
    columns = np.column_stack([design.X, np.ones(n)])
    y = y + n * columns @ np.linalg.solve(columns.T @ columns, strength * known.optimum)
    objective = replace(known.objective, statistics=(y,), penalties=(Ridge(strength),))
    return Known(objective, known.optimum)


MIXED = 10.0 ** np.linspace(-3, 3, P)
KNOWN = {
    f"{name}, {n} rows": (make, n)
    for n in (SHORT, LONG)
    for name, make in {
        "logistic": lambda n: means(Bernoulli(), expit, n, np.ones(P)),
        "logistic, mixed units": lambda n: means(Bernoulli(), expit, n, MIXED),
        "poisson": lambda n: means(Poisson(), np.exp, n, np.ones(P)),
        "normal": normal,
        "three classes": three_classes,
        "ridge": ridge,
    }.items()
}


def every_solver(function):
    return pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)(function)


def offering(solver: solvers.Solver, objective: Objective) -> Objective:
    """Return the objective with what the solver needs: a kink too slight to move the optimum."""
    if solver.needs != "kinks":
        return objective
    carriers = objective.design.carriers()
    return replace(objective, lasso=Lasso(np.where(carriers >= 0, 1e-13, 0.0)))


@every_solver
@pytest.mark.parametrize("name", KNOWN)
def test_a_known_optimum(solver, name):
    make, n = KNOWN[name]
    known = make(n)
    objective = offering(solver, known.objective)
    start = np.zeros(objective.design.d)
    solution = solver.solve(objective, start, tol=TOL, max_iter=200)
    assert solution.converged and solution.distance <= TOL
    assert known.distance(solution.coef) <= 2 * TOL
    assert known.distance(start) > 1.0  # there was a way to go
    assert (solution.evaluation.hessian is not None) >= solver.hessian
    if solver.hessian:
        expected = objective(known.optimum).hessian
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        np.testing.assert_allclose(solution.evaluation.hessian / size, expected / size, atol=1e-4)


@every_solver
@pytest.mark.parametrize("name", ["logistic, 300 rows", "logistic, 10000 rows"])
def test_too_few_steps_are_said(solver, name):
    make, n = KNOWN[name]
    known = make(n)
    objective = offering(solver, known.objective)
    solution = solver.solve(objective, np.full(P + 1, 3.0), tol=1e-12, max_iter=1)
    assert not solution.converged or known.distance(solution.coef) <= 1e-9


@every_solver
def test_the_start_stays_what_it_is(solver):
    known = KNOWN["logistic, 300 rows"][0](SHORT)
    start = np.zeros(P + 1)
    solver.solve(offering(solver, known.objective), start, tol=TOL, max_iter=200)
    assert not start.any()


def without_maximum(kind: str, n: int) -> Problem:
    X = table(n)
    family, y = Poisson(), np.zeros(n)  # the intercept runs off, whatever is penalised
    if kind == "separated":
        family, y = Bernoulli(), (X[:, 0] > 0.2).astype(float)
    if kind == "rare level":
        X[:, 3] = np.arange(n) < 6
        family, y = Bernoulli(), (np.arange(n) % 2).astype(float)
        y[:6] = 1.0
    return Problem(
        family=family, observed=observe(family, y, None), terms=(Term(slice(None), P),), X=X
    )


# An absolute penalty, which is what kinks are, ends any separation; it leaves the intercept free.
ENDLESS = [
    (name, kind)
    for name, solver in SOLVERS.items()
    for kind in ("separated", "rare level", "no events")
    if solver.needs != "kinks" or kind == "no events"
]


@pytest.mark.parametrize("n", [SHORT, LONG])
@pytest.mark.parametrize(("name", "kind"), ENDLESS)
def test_no_maximum_is_no_interior_one(name, kind, n, monkeypatch):
    problem, solver = without_maximum(kind, n), SOLVERS[name]
    if solver.needs == "kinks":
        problem = problem.under((), 0.01)
    monkeypatch.setattr(likelihood_module, "choose", lambda task: solver)
    assert fit(problem).verdict.status != INTERIOR


# ---------------------------------------------------------------- the choice

CHOICES = {
    "newton": [Task(n=50, d=3), Task(n=8000, d=20), Task(n=400, d=600)],
    "growing": [Task(n=10**6, d=20)],
    "sampled": [Task(n=10**6, d=20, hessian=False)],
    "conjugate": [
        Task(n=4000, d=3000),
        Task(n=1000, d=600, convex=True, hessian=False),
        Task(n=5000, d=600, modelled=9, convex=True, hessian=False),
    ],
    "proximal": [Task(n=50, d=3, kinks=True), Task(n=10**6, d=5000, kinks=True)],
}


@pytest.mark.parametrize("name", CHOICES)
def test_the_choice(name):
    assert all(choose(task) is SOLVERS[name] for task in CHOICES[name])


@pytest.mark.parametrize("n", [20, 2000, 10**6])
@pytest.mark.parametrize("d", [1, 300, 1400])
@pytest.mark.parametrize("convex", [False, True])
def test_a_wanted_hessian_is_had(n, d, convex):
    assert choose(Task(n=n, d=d, convex=convex, hessian=True)).hessian
