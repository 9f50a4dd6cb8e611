"""Directions that leave what remains of a likelihood as it is, and rows that stay behind."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import subspace_angles

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.data.sparse import Sparse
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.left import limit_of
from skmle._engine.judge.loose import Loose, kernel
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle.families import Bernoulli
from tests.engine.verdicts import judge

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]


def rows_and_rest(rng, d: int, rank: int, scale: float, near: float):
    """Return rows that are left, of a rank, rows that are gone, and a basis of what is loose."""
    x = rng.normal(size=(3 * d + 5, rank)) @ rng.normal(size=(rank, d))
    gone = rng.normal(size=(d + 3, d))
    if near:  # two columns that nearly depend on each other, in all rows
        for part in (x, gone):
            part[:, -1] = part[:, 0] + near * part[:, -1]
    units = np.exp(rng.uniform(-scale, scale, d))
    x, gone = x * units, gone * units
    _, _, right = np.linalg.svd(x / units)
    return x, gone, right[np.linalg.matrix_rank(x / units, tol=1e-11) :].T / units[:, None]


SIZES = [(4, 1), (6, 5), (9, 4), (30, 29), (30, 2)]
CASES = [(1, 0, 0.0), (1, 1, 0.0), *((*size, near) for size in SIZES for near in (0.0, 1e-2))]


@pytest.mark.parametrize("scale", [0.0, 8.0])
@pytest.mark.parametrize(("d", "rank", "near"), CASES)
def test_a_kernel_spans_what_rows_do_not_determine(d, rank, near, scale):
    x, gone, expected = rows_and_rest(np.random.default_rng([d, rank]), d, rank, scale, near)
    left = x.T @ x
    basis, own = kernel(left, left + gone.T @ gone)
    assert basis.shape == expected.shape
    np.testing.assert_allclose(basis[own], np.eye(len(own)), atol=1e-9)
    unit = np.sqrt(np.mean(np.concatenate([x, gone]) ** 2, axis=0))[:, None]
    if basis.size:
        assert np.max(subspace_angles(basis * unit, expected * unit)) < 1e-7 / (near or 1.0)


def test_columns_that_depend_on_each_other_are_not_loose():
    """They have no curvature of their own, but what they have is all there."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    x[:, 2] = x[:, 1] + 1e-6 * x[:, 2]  # squared, less than the share that counts as gone
    basis, own = kernel(x.T @ x, x.T @ x * 1.5)
    assert basis.shape == (3, 0) and not len(own)


def test_a_curvature_of_rounding_alone_is_gone():
    basis, own = kernel(np.array([[1e-17]]), np.array([[1.0]]))
    np.testing.assert_array_equal(basis, [[1.0]])
    np.testing.assert_array_equal(own, [0])


def test_the_covariance_across_does_not_depend_on_what_is_kept():
    """It is that in an orthonormal basis of what the loose directions do not move."""
    rng = np.random.default_rng(1)
    unit = np.exp(rng.normal(size=6))
    left = (x := rng.normal(size=(40, 4)) @ rng.normal(size=(4, 6))).T @ x
    basis, own = kernel(left, left + np.diag(unit**2))
    loose = Loose(basis, own, unit)
    ours = loose.covariance(np.linalg.inv(left[np.ix_(loose.kept, loose.kept)]))
    q, _ = np.linalg.qr(np.column_stack([basis * unit[:, None], rng.normal(size=(6, 4))]))
    across = q[:, 2:] / unit[:, None]
    theirs = across @ np.linalg.inv(across.T @ left @ across) @ across.T
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * np.abs(theirs).max())
    coef = rng.normal(size=6)
    np.testing.assert_allclose(loose.along(basis), basis, atol=1e-12)
    np.testing.assert_allclose(x @ loose.whole(loose.fixed(coef)), x @ coef, rtol=1e-9)


def test_rows_that_have_run_off_are_not_lost_beside_others_that_go_much_farther():
    behind = Behind.of((np.array([0.0, 1.0, -2.0, 0.0]),))
    further = behind.further((np.array([3e14, 0.0, 0.0, 0.0]),))
    np.testing.assert_array_equal(further.moved, [True, True, True, False])
    np.testing.assert_array_equal(np.sign(further.delta[0]), [1.0, 1.0, -1.0, 0.0])


@pytest.mark.parametrize("offset", [False, True])
def test_certain_rows_stay_where_they_are(offset):
    """Whatever coefficients the other rows lead to."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    X[:9] = [1.0, 0.0]
    X[9:, 0] = 0.0
    y = np.append(np.ones(9), rng.random(51) < 0.5)
    design = Design(
        (Term(np.arange(2), 2, False),), 60, X, offset=rng.normal(size=60) if offset else None
    )
    objective = Objective(Bernoulli().rows, Bernoulli().statistics(y), design)
    limit, certain = limit_of(objective, Behind.of((X[:, 0],)))
    np.testing.assert_array_equal(np.flatnonzero(certain), np.arange(9))
    here, there = limit(np.array([0.0, 0.7])), limit(np.array([-1e4, 0.7]))
    assert here.value == there.value
    np.testing.assert_array_equal(here.hessian, there.hessian)
    rest = Objective(Bernoulli().rows, objective.statistics, design).take(np.arange(9, 60))
    alone = rest(np.array([0.0, 0.7]))
    assert here.value * 60 == pytest.approx(alone.value * 51, rel=1e-12)
    np.testing.assert_allclose(here.gradient * 60, alone.gradient * 51, rtol=1e-12, atol=1e-300)


# ---------------------------------------------------------------- found in few steps


def sparse_rows(n: int, p: int, seed: int):
    rng = np.random.default_rng(seed)
    X = sp.random_array((n, p), density=0.02, rng=rng, data_sampler=rng.normal, format="csr")
    return X, (X @ rng.normal(size=p) > 0.0).astype(int)


@pytest.mark.parametrize("seed", range(3))
def test_few_wrong_rows_are_sent_off_with_the_others(seed, monkeypatch):
    """A proof for most rows becomes one for all of them; no Hessian is formed."""
    orders, call = [], Objective.__call__

    def noted(self, coef, order=2):
        orders.append((order, self.design.d))
        return call(self, coef, order)

    monkeypatch.setattr(Objective, "__call__", noted)
    X, y = sparse_rows(1000, 200, seed)
    model, said = judge(CrossEntropyClassifier(), X, y)
    assert said == "separation" and model.separated_.n_rows == 1000
    assert model.log_likelihood_ > -1e-6
    assert all(order < 2 or d < 200 for order, d in orders)
    np.testing.assert_array_equal(model.predict(X), y)


def test_a_proof_does_not_wait_for_the_other_rows(monkeypatch):
    """Where one row runs off, a fit takes no more steps than that of the others."""
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.normal(size=(4_000, 3)), np.zeros(4_000)])
    X[7, 3] = 1.0
    y = (2.0 * X[:, 0] + rng.logistic(size=len(X)) > 0.0).astype(int)
    y[7] = 1
    model, said = judge(MLERegressor("bernoulli"), X, y)
    rest = MLERegressor("bernoulli").fit(np.delete(X[:, :3], 7, axis=0), np.delete(y, 7))
    assert said == "separation" and list(model.separated_.rows) == [7]
    assert model.n_iter_ <= rest.n_iter_ + 1
    np.testing.assert_allclose(model.coef_[:3], rest.coef_, rtol=1e-8)


def test_products_of_pairs_are_kept_only_for_few():
    X, _ = sparse_rows(300, 200, 0)
    w = np.random.default_rng(0).normal(size=300)
    for block in (Sparse(X), Sparse(X, again=True)):
        np.testing.assert_allclose(block.sandwich(w), (X.T * w) @ X.toarray(), atol=1e-12)
    full = Sparse(sp.csr_array(np.ones((300, 40))), again=True)
    assert full._pairs is None
