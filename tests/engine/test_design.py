"""Designs against a dense Jacobian."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import logsumexp

from skmle import MLERegressor
from skmle._engine.data import sums as sums_module
from skmle._engine.likelihood import design as design_module
from skmle._engine.likelihood.design import Design, Term, Weights
from skmle._engine.likelihood.objective import Objective
from skmle._engine.solvers import conjugate
from skmle.families import Categorical, Poisson
from skmle.families.base import Rows, Softmax
from skmle.families.categorical import SymmetricCategorical
from tests.engine.objectives import (
    LAYOUTS,
    as_dense,
    jacobian,
    long_objectives,
    random_design,
    some,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "alike"])
def test_eta(mixed):
    for seed in LAYOUTS:
        rng = np.random.default_rng(seed)
        design = random_design(rng, mixed)
        coef = rng.normal(size=design.d)
        eta = design.eta(design.block(0, design.n), 0, design.n, coef)
        assert len(eta) == len(design.terms)
        for j, entry in enumerate(eta):
            offset = design.offset if j == 0 and design.offset is not None else 0.0
            np.testing.assert_allclose(
                np.broadcast_to(entry, design.n),
                jacobian(design, j) @ coef + offset,
                rtol=1e-10,
                atol=1e-12,
            )
            assert np.ndim(entry) == (
                design.terms[j].columns is not None or (j == 0 and design.offset is not None)
            )


@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "alike"])
@pytest.mark.slow
def test_pull(mixed):
    """Values, gradients and curvatures of any pattern: constants, rows, exact zeros."""
    for seed in LAYOUTS:
        rng = np.random.default_rng(seed)
        design = random_design(rng, mixed)
        n, k = design.n, len(design.terms)
        weight = rng.uniform(0.1, 3.0, n) if rng.random() < 0.5 else None
        w = np.ones(n) if weight is None else weight
        flat = rng.random() < 0.3
        gradient = tuple(some(rng, n, flat and rng.random() < 0.5) for _ in range(k))
        pairs = list(itertools.combinations_with_replacement(range(k), 2))
        curvature = tuple(
            None
            if rng.random() < 0.2
            else some(rng, n, rng.random() < 0.3, a == b and rng.random() < 0.7)
            for a, b in pairs
        )
        value = some(rng, n, flat)
        rows, weights = Rows(value, gradient, curvature), Weights(n, weight)
        found = design.pull(design.block(0, n), rows, weights, 2)
        jacobians = [jacobian(design, j) for j in range(k)]
        hessian = np.zeros((design.d, design.d))
        for (a, b), entry in zip(pairs, curvature, strict=True):
            if entry is not None:
                part = jacobians[a].T @ (jacobians[b] * (w * entry)[:, None])
                hessian += part if a == b else part + part.T
        np.testing.assert_allclose(found.value, (w * value).sum(), rtol=1e-10, atol=1e-12)
        expected = sum(
            (J.T @ (w * g) for J, g in zip(jacobians, gradient, strict=True)), np.zeros(design.d)
        )
        np.testing.assert_allclose(found.gradient, expected, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(found.hessian, hessian, rtol=1e-9, atol=1e-9)
        less = design.pull(design.block(0, n), rows, weights, 1)
        np.testing.assert_array_equal(less.gradient, found.gradient)
        assert less.hessian is None


@pytest.mark.parametrize("k", [2, 3, 6, 8])
@pytest.mark.parametrize("layout", ["dense", "sparse", "constants"])
def test_softmax(k, layout, monkeypatch):
    """diag(P) - P P' by all pairs together, one by one, and by definition."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        n, p = int(rng.integers(2, 30)), 3
        intercept = bool(seed % 3)
        X = rng.normal(size=(n, p)) + 2.0
        X = sp.csr_array(np.where(np.abs(X) > 4.0, X, 0.0)) if layout == "sparse" else X
        shift = as_dense(X).mean(axis=0) if seed % 2 else None
        terms = (Term(None, 0) if layout == "constants" else Term(slice(None), p, intercept),) * k
        design = Design(terms, n, X, shift)
        weight = rng.uniform(0.1, 3.0, n) if seed % 4 else None
        w = np.ones(n) if weight is None else weight
        logits = rng.normal(size=(k, 1 if layout == "constants" else n))
        P = np.exp(logits) / (1.0 + np.exp(logits).sum(axis=0))
        rows = Rows(np.zeros(()), tuple(P), Softmax(P))
        jacobians = [jacobian(design, j) for j in range(k)]
        full = np.broadcast_to(P, (k, n))
        expected = sum(
            jacobians[a].T @ (jacobians[b] * (w * full[a] * ((a == b) - full[b]))[:, None])
            for a, b in itertools.product(range(k), repeat=2)
        )
        for threshold in (1, 100):
            monkeypatch.setattr(design_module, "_MANY_CLASSES", threshold)
            found = design.pull(design.block(0, n), rows, Weights(n, weight), 2).hessian
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("k", [2, 9])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_blocks_of_terms_alone(k, sparse):
    """Those of k terms and one more on the same columns, by definition."""
    rng = np.random.default_rng(0)
    n, p = 700, 24
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < (0.05 if sparse else 1.0))
    design = Design(
        (Term(slice(None), p),) * k, n, sp.csr_array(X) if sparse else X, X.mean(axis=0)
    )
    varied, x = rng.random((k + 1, n)), jacobian(design, 0)[:, : p + 1]
    constant = np.repeat(varied[:, :1], n, axis=1)
    for w, weight in itertools.product((varied, constant), (None, rng.random(n))):
        found = design.own_blocks(design.block(0, n), list(w), Weights(n, weight))
        for block, row in zip(found, w if weight is None else w * weight, strict=True):
            np.testing.assert_allclose(block, x.T @ (row[:, None] * x), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 300.0, 1e4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_softmax_far_out(scale, order):
    """Values and gradients by logarithms, as exponentials overflow."""
    rng = np.random.default_rng(0)
    eta = np.asarray(rng.normal(size=(4, 50)) * scale, order=order)
    codes = rng.integers(5, size=50)
    for family, full in (
        (Categorical(5), np.vstack([eta, np.zeros(50)])),
        (SymmetricCategorical(4), eta),
    ):
        codes = np.minimum(codes, len(full) - 1)
        log_p = full - logsumexp(full, axis=0)
        rows = family.evaluate((codes,), eta, 1)
        np.testing.assert_allclose(
            rows.value, -log_p[codes, np.arange(50)], rtol=1e-12, atol=1e-12 * scale
        )
        expected = np.exp(log_p) - (codes == np.arange(len(full))[:, None])
        np.testing.assert_allclose(rows.gradient, expected[: len(eta)], rtol=1e-9, atol=1e-12)


def test_few_passes_with_many_classes(monkeypatch):
    """No hessian is formed, and yet few gradients lead from nothing to the tolerance."""
    rng = np.random.default_rng(0)
    n, p, k = 10_000, 30, 30
    X = rng.normal(size=(n, p))
    codes = (X @ (1.5 * rng.normal(size=(p, k)) / np.sqrt(p)) + rng.gumbel(size=(n, k))).argmax(
        axis=1
    )
    family, passes = Categorical(k), [0]
    call = Objective.__call__

    def counted(self, coef, order=2):
        passes[0] += 1
        return call(self, coef, order)

    monkeypatch.setattr(Objective, "__call__", counted)
    objective = Objective(family.rows, (codes,), Design((Term(slice(None), p),) * (k - 1), n, X))
    solution = conjugate(objective, np.zeros(objective.design.d), tol=1e-6)
    assert solution.converged and passes[0] <= 30


@pytest.mark.slow
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_many_blocks_are_one(sparse, monkeypatch):
    """The sum over blocks against all rows in one."""
    for name, objective in long_objectives(sparse, n=5000).items():
        coef = np.random.default_rng(2).normal(size=objective.design.d) * 0.05
        whole = objective(coef)
        monkeypatch.setattr(sums_module, "block_size", lambda p: 700)
        found = objective(coef)
        monkeypatch.undo()
        for part in ("value", "gradient", "hessian"):
            expected = getattr(whole, part)
            np.testing.assert_allclose(
                getattr(found, part),
                expected,
                rtol=1e-9,
                atol=1e-12 * np.abs(expected).max(),
                err_msg=name,
            )


def test_a_first_parameter_without_intercept_beside_one_with():
    """y = b x + noise whose scale depends on x as well.

    The same columns, but only one intercept.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)) + 1.0
    y = X @ [1.0, 2.0] + np.exp(0.3 * X[:, 0]) * rng.normal(size=400)
    features = {"loc": "all", "scale": "all"}
    model = MLERegressor("normal", features=features, fit_intercept=False).fit(X, y)
    assert model.status_ == "interior" and model.intercepts_["loc"] == 0.0
    assert len(model.inference().estimates) == 5
    larger = MLERegressor("normal", features=features).fit(X, y)
    assert -10.0 < model.log_likelihood_ - larger.log_likelihood_ <= 0.0


def test_direction_ignores_offsets():
    rng = np.random.default_rng(0)
    for seed in range(30):
        design = random_design(np.random.default_rng(seed))
        objective = Objective(Poisson().rows, (np.zeros(design.n),), design)
        step = rng.normal(size=design.d)
        for j, change in enumerate(objective.direction(step)):
            np.testing.assert_allclose(
                np.broadcast_to(change, design.n),
                jacobian(design, j) @ step,
                rtol=1e-10,
                atol=1e-12,
            )
