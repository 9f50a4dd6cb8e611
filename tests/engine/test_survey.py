"""The survey of X: what is collinear."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from skmle._engine.data.basis import find_basis
from skmle._engine.data.survey import survey
from tests.engine.objectives import EVERYTHING

pytestmark = pytest.mark.filterwarnings("error")


def independent_cases() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    t = np.linspace(0.0, 1.0, 500)
    near = X.copy()
    near[:, 1] = X[:, 0] + 1e-6 * X[:, 1]
    return {
        "regular": X,
        "correlation .999": np.column_stack([X, X[:, 0] + 0.04 * rng.normal(size=500)]),
        "polynomial of degree 8": t[:, None] ** np.arange(1, 9),
        "a pair of condition 1e6": near,
        "mean/sd 1e7": X + 1e7,
        "units": X * 10.0 ** np.array([-6, -3, 0, 3, 6]),
        "rare dummy": np.column_stack([X, np.arange(500) < 2]),
        "one row more than columns": X[:6],
    }


def collinear_cases() -> dict[str, tuple[np.ndarray, int]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    group = rng.integers(0, 3, 500)
    onehot = (group[:, None] == np.arange(3)).astype(float)
    unit = 10.0 ** np.array([6, -6, 3, -3, 0, 6])
    return {
        "duplicate": (np.column_stack([X, X[:, 1]]), 5),
        "sum": (np.column_stack([X, X.sum(axis=1)]), 5),
        "sum in other units": (np.column_stack([X, X.sum(axis=1)]) * unit, 5),
        "one-hot with intercept": (np.column_stack([X, onehot]), 7),
        "constant column": (np.column_stack([X, np.full(500, 3.7)]), 5),
        "large constant column": (np.column_stack([X, np.full(500, 1e9 / 3)]), 5),
        "far columns, one twice": (np.column_stack([X, X[:, 0]]) + 1e6, 5),
        "more columns than rows": (rng.normal(size=(15, 30)), 14),
        "all constant": (np.ones((20, 3)), 0),
    }


@pytest.mark.parametrize("X", independent_cases().values(), ids=independent_cases())
def test_independent_columns_are_left_alone(X):
    weight = np.random.default_rng(0).uniform(0.1, 3.0, len(X))
    for given, weights in ((X, None), (sp.csr_array(X), None), (X, weight)):
        basis = find_basis(given, EVERYTHING, weights, True)
        assert basis is None or basis.steep
        if basis is not None:
            np.testing.assert_array_equal(basis.expand, np.eye(X.shape[1]))
            assert basis.estimable.all() and not basis.level.any()


@pytest.mark.parametrize(("X", "rank"), collinear_cases().values(), ids=collinear_cases())
@pytest.mark.parametrize("weighted", [False, True])
def test_collinear_columns_are_found(X, rank, weighted):
    weight = np.random.default_rng(1).integers(1, 4, len(X)).astype(float) if weighted else None
    assert not survey(X, weight).full_rank
    basis = find_basis(X, EVERYTHING, weight, True)
    assert len(basis.kept) == rank and basis.expand.shape == (X.shape[1], rank)
    sparse = find_basis(sp.csr_array(X), EVERYTHING, weight, True)
    np.testing.assert_array_equal(sparse.kept, basis.kept)
    np.testing.assert_allclose(sparse.expand, basis.expand, rtol=1e-9, atol=1e-12)
    centre = np.average(X, axis=0, weights=weight)
    spread = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weight))
    spread[spread <= 1e-12 * np.abs(centre)] = 0.0
    z = (X - centre) * np.where(spread > 0.0, 1.0 / np.where(spread > 0.0, spread, 1.0), 0.0)
    # What the kept columns predict, all columns predict with the expanded slopes, up to a constant.
    slopes = np.random.default_rng(2).normal(size=rank) / np.where(
        spread[basis.kept] > 0, spread[basis.kept], 1.0
    )
    ours, theirs = (X - centre) @ (basis.expand @ slopes), (X - centre)[:, basis.kept] @ slopes
    np.testing.assert_allclose(ours, theirs, atol=1e-7 * (np.abs(theirs).max(initial=0.0) + 1e-300))
    # Of least norm in standardised columns: no part in their null space; and a slope is known if
    # that space spares it.
    null = np.eye(X.shape[1]) - np.linalg.pinv(z, rcond=1e-9) @ z
    standard = basis.expand @ slopes * np.where(spread > 0.0, spread, 1.0)
    np.testing.assert_allclose(
        null @ standard, 0.0, atol=1e-7 * (np.abs(standard).max(initial=0.0) + 1e-300)
    )
    np.testing.assert_array_equal(basis.estimable, np.abs(np.diag(null)) < 1e-6)


def test_a_basis_does_not_depend_on_units_or_on_repeating_rows():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(30, 4))
        X = np.column_stack([X, X[:, 0] - X[:, 1], np.ones(30)])
        weight, unit = rng.integers(1, 4, 30), 10.0 ** rng.integers(-6, 7, 6)
        basis = find_basis(X, EVERYTHING, weight.astype(float), True)
        other = find_basis(np.repeat(X * unit, weight, axis=0), EVERYTHING, None, True)
        np.testing.assert_array_equal(other.kept, basis.kept)
        np.testing.assert_array_equal(other.estimable, basis.estimable)
        np.testing.assert_allclose(
            other.expand * unit[:, None] / unit[basis.kept], basis.expand, atol=1e-9
        )


def test_without_an_intercept_a_constant_column_is_one():
    X = np.column_stack([np.random.default_rng(0).normal(size=50), np.ones(50)])
    assert find_basis(X, EVERYTHING, None, False) is None
    assert find_basis(X, EVERYTHING, None, True) is not None
    assert find_basis(X, np.array([0]), None, True) is None


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("weighted", [False, True])
def test_survey(sparse, weighted):
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [rng.normal(5.0, 2.0, 300), rng.random(300) < 0.05, rng.normal(100.0, 1.0, 300)]
    ).astype(float)
    weight = rng.uniform(0.1, 2.0, 300) if weighted else None
    found = survey(sp.csr_array(X) if sparse else X, weight)
    np.testing.assert_allclose(found.centre, np.average(X, axis=0, weights=weight), rtol=1e-12)
    np.testing.assert_allclose(
        found.scale**2, np.average((X - found.centre) ** 2, axis=0, weights=weight), rtol=1e-10
    )
    assert found.full_rank and found.far
    assert not survey(X[:, :2], weight).far


def test_a_survey_of_many_rows_looks_at_a_sample():
    X = np.random.default_rng(0).normal(size=(100_000, 2)) * [1.0, 1e6]
    found = survey(X, None)
    np.testing.assert_allclose(found.scale, [1.0, 1e6], rtol=0.1)
    assert found.full_rank
