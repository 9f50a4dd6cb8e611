"""The quadratic model of an elastic net is solved exactly."""

from __future__ import annotations

import numpy as np
import pytest

from skmle import CrossEntropyClassifier
from skmle._engine.solvers import SOLVERS, quadratic
from skmle._engine.solvers.quadratic import solve_quadratic
from tests.engine.elastic import assert_optimal


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("cycling", [False, True])
def test_the_quadratic_is_solved_exactly(seed, cycling, monkeypatch):
    """Strongly correlated columns.

    `cycling` leaves it to the descent that stands in where the guesses cycle.
    """
    if cycling:
        monkeypatch.setattr(quadratic, "_TRIES", 0)
    rng = np.random.default_rng(seed)
    s = int(rng.integers(2, 30))
    Z = rng.normal(size=(3 * s, s)) + 3.0 * rng.normal(size=(3 * s, 1))
    a = Z.T @ Z
    a /= np.sqrt(np.outer(np.diag(a), np.diag(a)))
    b, kink = rng.normal(size=s), np.where(rng.random(s) < 0.2, 0.0, rng.uniform(0.1, 1.0, s))
    x = solve_quadratic(a, b, kink, rng.normal(size=s) * (rng.random(s) < 0.3))
    slope = a @ x + b
    on = x != 0.0
    np.testing.assert_allclose(slope[on], -kink[on] * np.sign(x[on]), atol=1e-9 * np.abs(x).max())
    assert (np.abs(slope[~on]) <= kink[~on] + 1e-9 * np.abs(x).max(initial=1.0)).all()


def test_an_indefinite_quadratic_has_no_answer():
    assert (
        solve_quadratic(
            np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, -3.0]), np.zeros(2), np.zeros(2)
        )
        is None
    )


def test_columns_join_in_rounds(monkeypatch):
    """A path and a single fit look at few columns; the answer is that of all columns at once."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 200))
    y = (X[:, :5].sum(axis=1) + rng.logistic(size=300) > 0).astype(int)
    seen = []

    plain = SOLVERS["proximal"]

    def proximal(*args, **kwargs):
        solution = plain.solve(*args, **kwargs)
        seen.append(len(solution.working.columns))
        return solution

    monkeypatch.setitem(SOLVERS, "proximal", plain._replace(solve=proximal))
    model = CrossEntropyClassifier(alpha=0.04, l1_ratio=1.0).fit(X, y)
    assert seen[0] < 200
    residual = model.predict_proba(X)[:, 1] - y
    assert_optimal(residual @ X / 300, model.coef_[0], 0.04, 1.0, 1e-9)
