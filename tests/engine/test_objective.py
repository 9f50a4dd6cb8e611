"""The objective and its penalty, against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest

from skmle._engine.evaluation import Evaluation
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Ridge
from skmle.families import Poisson

pytestmark = pytest.mark.filterwarnings("error")


def test_the_objective_is_the_mean(assert_derivative):
    rng = np.random.default_rng(0)
    X, y, weight = (
        rng.normal(size=(50, 2)),
        rng.poisson(2.0, 50).astype(float),
        rng.uniform(0.5, 2.0, 50),
    )
    family = Poisson()
    design = Design((Term(slice(None), 2),), 50, X)
    coef = np.array([0.1, -0.2, 0.7])
    objective = Objective(family.rows, family.statistics(y), design, weight)
    eta = X @ coef[:2] + coef[2]
    np.testing.assert_allclose(
        objective(coef).value, np.average(np.exp(eta) - y * eta, weights=weight), rtol=1e-13
    )
    twice = Objective(
        family.rows,
        family.statistics(np.r_[y, y]),
        Design(design.terms, 100, np.vstack([X, X])),
        np.r_[weight, weight],
    )
    np.testing.assert_allclose(twice(coef).hessian, objective(coef).hessian, rtol=1e-12)
    assert twice.mass == 2 * objective.mass
    for j, unit in enumerate(np.eye(3)):
        assert_derivative(
            lambda t, u=unit: np.array(
                [objective(coef + float(v) * u, 0).value for v in np.ravel(t)]
            ),
            np.zeros(1),
            objective(coef).gradient[j],
        )


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_ridge(classes):
    """Value, gradient and hessian.

    For classes, the centred coefficients of all of them, whichever is the reference.
    """
    rng = np.random.default_rng(0)
    q = 3
    k = classes - 1 if classes else 1
    strength = np.tile([0.7, 0.7, 0.0], k)
    ridge = Ridge(strength, classes)
    coef = rng.normal(size=k * q)
    found = ridge.add(Evaluation(0.0, np.zeros(k * q), np.zeros((k * q, k * q))), coef)
    np.testing.assert_allclose(found.hessian, found.hessian.T)
    np.testing.assert_allclose(found.hessian @ coef, found.gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(0.5 * coef @ found.gradient, found.value, rtol=1e-12)
    table = coef.reshape(k, q)
    if classes:
        table = np.vstack([table, np.zeros(q)])
        table = table - table.mean(axis=0)
    np.testing.assert_allclose(found.value, 0.5 * 0.7 * (table[:, :2] ** 2).sum(), rtol=1e-12)
    np.testing.assert_allclose(ridge.value(coef), found.value)
