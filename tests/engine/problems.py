"""Objectives with an exactly known optimum, and objectives without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import rosen, rosen_der, rosen_hess
from scipy.special import expit

from skmle._engine.evaluation import Evaluation

TOL = 1e-6


@dataclass
class Objective:
    """A function with its derivatives that remembers where it was asked for which order."""

    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]
    hessian: Callable[[np.ndarray], np.ndarray]
    size: float = 1.0
    calls: list[tuple[np.ndarray, int]] = field(default_factory=list)

    def __call__(self, coef: np.ndarray, order: int = 2) -> Evaluation:
        self.calls.append((coef.copy(), order))
        with np.errstate(all="ignore"):
            result = Evaluation(float(self.value(coef)))
            if order:
                result.gradient, result.hessian = (
                    np.array(self.gradient(coef), float),
                    np.array(self.hessian(coef), float),
                )
        return result

    def accepted(self, coef: np.ndarray, at: Evaluation, distance: float) -> None:
        """Nobody looks on."""

    @property
    def path(self) -> np.ndarray:
        """The points at which derivatives were taken."""
        return np.array([coef for coef, order in self.calls if order])


@dataclass
class Problem:
    objective: Callable[[], Objective]
    start: np.ndarray
    optimum: np.ndarray


def distance(objective: Objective, coef: np.ndarray, optimum: np.ndarray) -> float:
    """Distance to the optimum in standard errors."""
    gap = coef - optimum
    return float(np.sqrt(objective.size * gap @ objective.hessian(optimum) @ gap))


# ---------------------------------------------------------------- problems with a known optimum


def quadratic(seed: int, d: int, condition: float) -> Problem:
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    h = (q * np.geomspace(1.0, condition, d)) @ q.T
    h = 0.5 * (h + h.T)
    optimum = rng.normal(size=d)

    def objective() -> Objective:
        return Objective(
            lambda c: 0.5 * (c - optimum) @ h @ (c - optimum),
            lambda c: h @ (c - optimum),
            lambda c: h,
            100.0,
        )

    return Problem(objective, rng.normal(size=d) * 10.0, optimum)


# f'' = mean of a linear model's response: with the responses' means as data the coefficients are
# the optimum, exactly.
RESPONSES = {
    "logistic": (lambda e: np.logaddexp(0.0, e), expit, lambda e: expit(e) * expit(-e)),
    "poisson": (np.exp, np.exp, np.exp),
    "cosh": (np.cosh, np.sinh, np.cosh),
    "huber": (
        lambda e: np.sqrt(1 + e * e),
        lambda e: e / np.sqrt(1 + e * e),
        lambda e: (1 + e * e) ** -1.5,
    ),
}


def linear_model(name: str, seed: int, n: int = 60, d: int = 6, spread: float = 0.4) -> Problem:
    potential, response, slope = RESPONSES[name]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) @ (np.eye(d) + 0.8 * rng.normal(size=(d, d)))
    optimum = rng.normal(size=d) * spread / np.sqrt(d)
    y = response(x @ optimum)

    def objective() -> Objective:
        return Objective(
            lambda c: np.mean(potential(x @ c) - y * (x @ c)),
            lambda c: x.T @ (response(x @ c) - y) / n,
            lambda c: (x.T * slope(x @ c)) @ x / n,
            float(n),
        )

    return Problem(objective, np.zeros(d), optimum)


def rosenbrock(d: int, start: np.ndarray) -> Problem:
    return Problem(lambda: Objective(rosen, rosen_der, rosen_hess), start, np.ones(d))


def gamma_law(start: float) -> Problem:
    """-log q of a gamma law's mean on the log scale.

    From far off the curvature is 1e-70, or the value overflows.
    """
    return Problem(
        lambda: Objective(
            lambda c: 3.0 * np.exp(-c[0]) + c[0],
            lambda c: 1.0 - 3.0 * np.exp(-c),
            lambda c: np.diag(3.0 * np.exp(-c)),
            50.0,
        ),
        np.array([start]),
        np.array([np.log(3.0)]),
    )


def barrier(start: float) -> Problem:
    """Finite for positive x only; full steps from x > 2 leave this range."""
    return Problem(
        lambda: Objective(
            lambda c: c[0] - np.log(c[0]), lambda c: 1.0 - 1.0 / c, lambda c: np.diag(1.0 / c**2)
        ),
        np.array([start]),
        np.ones(1),
    )


def cauchy(start: float) -> Problem:
    """log(1 + x^2): not convex beyond 1, where Newton's own step runs away."""
    return Problem(
        lambda: Objective(
            lambda c: np.log1p(c[0] ** 2),
            lambda c: 2 * c / (1 + c * c),
            lambda c: np.diag(2 * (1 - c * c) / (1 + c * c) ** 2),
            30.0,
        ),
        np.array([start]),
        np.zeros(1),
    )


PROBLEMS = {
    **{f"quadratic-{d}-{c:g}": quadratic(d, d, c) for d in (1, 3, 20) for c in (1.0, 1e4, 1e8)},
    **{f"{name}-{seed}": linear_model(name, seed) for name in RESPONSES for seed in range(4)},
    "logistic-far": linear_model("logistic", 9, spread=3.0),
    "poisson-far": linear_model("poisson", 9, spread=2.0),
    "rosenbrock-2": rosenbrock(2, np.array([-1.2, 1.0])),
    "rosenbrock-below": rosenbrock(2, np.array([-3.0, -4.0])),
    "rosenbrock-10": rosenbrock(10, np.linspace(0.5, 1.5, 10)),
    **{f"gamma{start:+g}": gamma_law(start) for start in (-150.0, -30.0, 5.0, 170.0)},
    **{f"barrier-{start:g}": barrier(start) for start in (1e-8, 1.9, 50.0, 1e6)},
    **{f"cauchy-{start:g}": cauchy(start) for start in (0.3, 0.99, 1.0, 3.0, 1e4)},
}


# ---------------------------------------------------------------- no optimum


def of_one(value, first, second, size: float = 100.0) -> Callable[[], Objective]:
    return lambda: Objective(
        lambda c: value(c[0]),
        lambda c: np.array([first(c[0])]),
        lambda c: np.array([[second(c[0])]]),
        size,
    )


def separated() -> Objective:
    """Logistic regression of two separated groups."""
    x, y = (
        np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 1.0], [1.0, 3.0]]),
        np.array([0.0, 0.0, 1.0, 1.0]),
    )
    return Objective(
        lambda c: np.mean(np.logaddexp(0.0, x @ c) - y * (x @ c)),
        lambda c: x.T @ (expit(x @ c) - y) / 4,
        lambda c: (x.T * (expit(x @ c) * expit(-(x @ c)))) @ x / 4,
        4.0,
    )


WITHOUT_OPTIMUM = {
    "exp": of_one(lambda x: np.exp(-x), lambda x: -np.exp(-x), lambda x: np.exp(-x)),
    "exp-above-a-floor": of_one(
        lambda x: 7.0 + np.exp(-x), lambda x: -np.exp(-x), lambda x: np.exp(-x)
    ),
    "log-sum": of_one(
        lambda x: np.logaddexp(0.0, -x), lambda x: -expit(-x), lambda x: expit(x) * expit(-x)
    ),
    "separated": separated,
    "rounded-log-sum": of_one(
        lambda x: np.logaddexp(0.0, -x),
        lambda x: expit(x) - 1.0,
        lambda x: expit(x) * expit(-x),
        1e15,
    ),
    "line": of_one(lambda x: -x, lambda x: -1.0, lambda x: 0.0),
    "logarithm": of_one(
        lambda x: -np.log(1.0 + x), lambda x: -1.0 / (1.0 + x), lambda x: (1.0 + x) ** -2
    ),
    "concave": of_one(lambda x: -x * x - x, lambda x: -2.0 * x - 1.0, lambda x: -2.0),
    "power": of_one(
        lambda x: 1.0 / (1.0 + x) ** 2,
        lambda x: -2.0 / (1.0 + x) ** 3,
        lambda x: 6.0 / (1.0 + x) ** 4,
    ),
    "saddle": lambda: Objective(
        lambda c: c[0] ** 2 - c[1] ** 2,
        lambda c: np.array([2.0, -2.0]) * c,
        lambda c: np.diag([2.0, -2.0]),
    ),
}
