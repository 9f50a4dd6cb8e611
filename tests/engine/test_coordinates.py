"""Coordinates: back to the user's scale."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from skmle._engine.data.basis import find_basis
from skmle._engine.likelihood.coordinates import Coordinates, Units
from skmle._engine.likelihood.design import Design, Term
from tests.engine.objectives import EVERYTHING, as_dense

pytestmark = pytest.mark.filterwarnings("error")


def random_coordinates(rng: np.random.Generator):
    """Terms on collinear or independent columns, shifted or not, of a standardised y or not."""
    n = 30
    X = rng.normal(size=(n, 3)) + rng.choice([0.0, 100.0])
    X = np.column_stack([X, X[:, 0] + X[:, 1] + 7.0]) if rng.random() < 0.6 else X
    p = X.shape[1]
    terms = tuple(Term(EVERYTHING, p) if rng.random() < 0.6 else Term(None, 0) for _ in range(2))
    shift = as_dense(X).mean(axis=0) if rng.random() < 0.5 else None
    bases = tuple(
        None if t.columns is None else find_basis(X, t.columns, None, True, shift) for t in terms
    )
    fitted = tuple(
        t if b is None else Term(np.arange(p)[b.kept], len(b.kept))
        for t, b in zip(terms, bases, strict=True)
    )
    X = sp.csr_array(X) if rng.random() < 0.3 else X
    design = Design(fitted, n, X, shift)
    if rng.random() < 0.5:
        return Coordinates(terms, design, bases, Units())
    moves = ("location", str(rng.choice(["scale", "rate"])))
    units = Units(rng.normal(), float(np.exp(rng.normal())), moves)
    return Coordinates(terms, design, bases, units)


def flat(raw) -> np.ndarray:
    return np.concatenate([np.r_[slopes, intercept] for slopes, intercept in raw])


def test_coordinates_give_the_same_predictors():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coordinates = random_coordinates(rng)
        design, coef = coordinates.design, rng.normal(size=coordinates.design.d)
        eta = design.eta(design.block(0, design.n), 0, design.n, coef)
        expected = [np.broadcast_to(e, design.n) for e in eta]
        if coordinates.units.moves:
            sign = {"scale": 1.0, "rate": -1.0}[coordinates.units.moves[1]]
            expected[0] = expected[0] * coordinates.units.unit + coordinates.units.origin
            expected[1] = expected[1] + sign * np.log(coordinates.units.unit)
        for (slopes, intercept), term, e in zip(
            coordinates.raw(coef), coordinates.terms, expected, strict=True
        ):
            X = as_dense(design.X) if term.columns is not None else np.zeros((design.n, 0))
            np.testing.assert_allclose(X @ slopes + intercept, e, rtol=1e-9, atol=1e-9)


def test_the_matrix_of_coordinates():
    """raw = matrix @ coef + constant: exactly, as the map is affine."""
    seen = {True: 0, False: 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coordinates = random_coordinates(rng)
        d = coordinates.design.d
        matrix = coordinates.matrix()
        seen[matrix is None] += 1
        here, there = rng.normal(size=(2, d))
        moved = flat(coordinates.raw(there)) - flat(coordinates.raw(here))
        np.testing.assert_allclose(
            (np.eye(d) if matrix is None else matrix) @ (there - here), moved, rtol=1e-9, atol=1e-9
        )
    assert all(seen.values())


def test_coordinates_round_trip():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coordinates = random_coordinates(rng)
        if all(basis is None for basis in coordinates.bases):
            coef = rng.normal(size=coordinates.design.d)
            np.testing.assert_allclose(
                coordinates.fitted(coordinates.raw(coef)), coef, rtol=1e-9, atol=1e-9
            )
