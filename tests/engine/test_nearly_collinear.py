"""Columns that are nearly combinations of others: solved as any others are, or aliased and named.

The answers are those of the given numbers, exactly: by rational arithmetic, or by a fit on columns
of which the nearly dependent ones are exact combinations.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse as sp

from skmle import CrossEntropyClassifier, MLERegressor
from skmle._engine.data.exact import exact_product
from skmle.exceptions import NotConvergedWarning
from tests.engine.verdicts import REGRESSED, draw, judge
from tests.subjects import every, states_a_way

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

POLYNOMIALS = json.loads(
    (Path(__file__).parents[1] / "reference" / "nist" / "polynomials.json").read_text()
)["cases"]


def powers(x, degree: int, least: int = 1) -> np.ndarray:
    return np.column_stack([np.asarray(x, float) ** k for k in range(least, degree + 1)])


def coefficients(model, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first parameter's slopes and intercept, and their standard errors."""
    table = model.inference()
    count = p + bool(model.fit_intercept)
    estimate = np.r_[np.ravel(model.coef_), model.intercept_][:count]
    return estimate, np.asarray(table.standard_errors)[:count]


# ---------------------------------------------------------------- rational arithmetic


def solved(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """Return A^-1 B of a matrix [A B], by elimination."""
    rows = [list(row) for row in matrix]
    d = len(rows)
    for i in range(d):
        best = max(range(i, d), key=lambda j: abs(rows[j][i]))
        rows[i], rows[best] = rows[best], rows[i]
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for j in range(d):
            if j != i and rows[j][i]:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[d:] for row in rows]


def exact_ridge(X: np.ndarray, y: np.ndarray, alpha: float, scale: float):
    """Return slopes and intercept of a normal law of known scale, and their standard errors."""
    n, p = X.shape
    columns = [[Fraction(float(v)) for v in column] for column in X.T] + [[Fraction(1)] * n]
    z, unit = [Fraction(float(v)) for v in y], Fraction(1, n) / Fraction(scale) ** 2
    system = []
    for i, a in enumerate(columns):
        row = [unit * sum(u * v for u, v in zip(a, b, strict=True)) for b in columns]
        row[i] += Fraction(alpha) if i < p else 0
        pull = unit * sum(u * v for u, v in zip(a, z, strict=True))
        system.append([*row, pull, *(Fraction(int(i == j)) for j in range(p + 1))])
    solution = solved(system)
    estimate = np.array([float(row[0]) for row in solution])
    return estimate, np.array([float(row[1 + i] / n) for i, row in enumerate(solution)]) ** 0.5


def test_products_whose_terms_cancel():
    rng = np.random.default_rng(0)
    for _ in range(20):
        left = np.exp(rng.normal(0.0, 3.0, (6, 5)))
        right = rng.normal(size=(5, 2)) * 10.0 ** rng.integers(-3, 9, (5, 1))
        left[:, 4] = -(left[:, :4] @ right[:4, 0]) / right[4, 0]  # the first result nearly vanishes
        rest = left * rng.uniform(-1e-16, 1e-16, left.shape)
        expected = [
            [
                float(
                    sum(
                        (Fraction(a) + Fraction(e)) * Fraction(b)
                        for a, e, b in zip(row, more, column, strict=True)
                    )
                )
                for column in right.T
            ]
            for row, more in zip(left, rest, strict=True)
        ]
        largest = np.outer(np.abs(left).max(axis=1), np.abs(right).max(axis=0))
        error = np.abs(exact_product(left, right, rest) - expected)
        np.testing.assert_array_less(error, 4e-16 * np.abs(expected) + 2.0**-103 * largest)


# ---------------------------------------------------------------- certified values


@pytest.mark.parametrize("ones", [False, True], ids=["intercept", "column of ones"])
@pytest.mark.parametrize("case", POLYNOMIALS.values(), ids=POLYNOMIALS)
def test_certified_polynomials(case, ones):
    """NIST's fits of powers of x as they are.

    Powers of x are rounded, which moves Filip's coefficients by 2.5e-8 of themselves.
    """
    x, y, degree = np.array(case["x"], float), np.array(case["y"], float), case["degree"]
    X = powers(x, degree, least=0 if ones else 1)
    model, said = judge(MLERegressor("normal", fit_intercept=not ones), X, y)
    assert said == "interior" and model.distance_ <= model.tol and model.aliased_ == []
    estimate, error = coefficients(model, X.shape[1])
    if not ones:
        estimate, error = np.roll(estimate, 1), np.roll(error, 1)
    error = error * np.sqrt(len(y) / (len(y) - degree - 1))
    np.testing.assert_allclose(error, case["error"], rtol=1e-7)
    np.testing.assert_array_less(
        np.abs(estimate - case["estimate"]), 1e-7 * np.abs(case["estimate"]) + 1e-12 * error
    )


@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1e-6, 1.0])
def test_least_squares_to_the_last_digit(alpha):
    """Filip's polynomial under a ridge in its own units, against rational arithmetic."""
    x, y = np.array(POLYNOMIALS["filip"]["x"]), np.array(POLYNOMIALS["filip"]["y"])
    X = powers(x, 10)
    expected, errors = exact_ridge(X, y, alpha, 0.003)
    model, said = judge(MLERegressor("normal", alpha=alpha, fixed={"scale": 0.003}), X, y)
    assert said == "interior" and model.distance_ <= model.tol
    estimate, error = coefficients(model, X.shape[1])
    np.testing.assert_allclose(estimate / errors, expected / errors, atol=1e-10)
    np.testing.assert_allclose(error, errors, rtol=1e-9)


# ---------------------------------------------------------------- all families


class Columns(NamedTuple):
    """Columns of which others are exact combinations, and these: X = plain @ mix."""

    plain: np.ndarray
    mix: np.ndarray

    @property
    def X(self) -> np.ndarray:
        return self.plain @ self.mix


def dyadic(rng: np.random.Generator, n: int, bits: int = 12) -> np.ndarray:
    """Return normal numbers of few bits, whose sums are exact."""
    return np.round(rng.normal(size=n) * 2**bits) / 2**bits


def nearly_equal(rng: np.random.Generator, n: int, exponent: int) -> Columns:
    """A column, the same with a small difference, and one of its own."""
    return Columns(
        np.column_stack([dyadic(rng, n), dyadic(rng, n, 8), dyadic(rng, n)]),
        np.array([[1.0, 1.0, 0.0], [0.0, 2.0**-exponent, 0.0], [0.0, 0.0, 1.0]]),
    )


def nearly_a_sum(rng: np.random.Generator, n: int, exponent: int) -> Columns:
    """Three columns and, but for a small difference, their sum, all in different units."""
    plain = np.column_stack([dyadic(rng, n), dyadic(rng, n), dyadic(rng, n), dyadic(rng, n, 8)])
    mix = np.eye(4)
    mix[:, 3] = [1.0, 1.0, 1.0, 2.0**-exponent]
    return Columns(plain, mix * 2.0 ** np.array([20, -20, 3, 0]))


def far_off(rng: np.random.Generator, n: int, exponent: int) -> Columns:
    """A pair of nearly equal columns far from zero."""
    near = nearly_equal(rng, n, exponent)
    plain = near.plain.copy()
    plain[:, 0] += 64.0
    return Columns(plain, near.mix)


DESIGNS = {f.__name__: f for f in (nearly_equal, nearly_a_sum, far_off)}


@pytest.mark.parametrize("exponent", [14, 22, 30])
@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
@every(REGRESSED)
def test_nearly_collinear_columns_are_solved(family, design, exponent):
    """The fit is that on the columns of which the given ones are combinations, carried over."""
    rng = np.random.default_rng(exponent)
    _, y = draw(family, 60, rng)
    columns = design(rng, len(y), exponent)
    plain, expected = judge(MLERegressor(family), columns.plain, y)
    model, said = judge(MLERegressor(family), columns.X, y)
    assert said == expected and model.aliased_ == []
    assert said != "interior" or model.distance_ <= model.tol
    if said == "no_maximum" and states_a_way(family):
        return  # how far it has come on its way depends on the steps
    np.testing.assert_allclose(model.log_likelihood_, plain.log_likelihood_, rtol=1e-9, atol=1e-8)
    if said not in ("interior", "boundary") or family.smoothings():
        return  # no standard errors
    p, inverse = columns.plain.shape[1], np.linalg.inv(columns.mix)
    estimate, error = coefficients(model, p)
    table = plain.inference()
    index = [*range(p), *([p] if model.fit_intercept else [])]
    carried = np.eye(len(index))
    carried[:p, :p] = inverse
    covariance = carried @ np.asarray(table.covariance)[np.ix_(index, index)] @ carried.T
    errors = np.sqrt(np.diag(covariance))
    there = carried @ np.r_[np.ravel(plain.coef_), plain.intercept_][: len(index)]
    np.testing.assert_allclose(error, errors, rtol=1e-5)
    np.testing.assert_array_less(np.abs(estimate - there), 2e-6 * errors)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_weights_rows_and_sparse_columns(sparse):
    rng = np.random.default_rng(3)
    columns = nearly_equal(rng, 80, 30)
    y, weight = rng.poisson(2.0, 80), rng.integers(1, 4, 80)
    X = sp.csr_array(columns.X) if sparse else columns.X
    model, said = judge(MLERegressor("poisson"), X, y, sample_weight=weight)
    rows = np.repeat(np.arange(80), weight)
    other, again = judge(MLERegressor("poisson"), columns.X[rows], y[rows])
    assert said == again == "interior"
    ours, theirs = coefficients(model, 3), coefficients(other, 3)
    np.testing.assert_allclose(ours[0] / theirs[1], theirs[0] / theirs[1], atol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)


def test_terms_on_different_columns():
    rng = np.random.default_rng(0)
    x = rng.uniform(3.0, 9.0, 300)
    y, u = rng.normal(size=300) * (1.0 + x), (x - 6.0) / 3.0
    for features in (
        {"loc": "all", "scale": "all"},
        {"loc": [0, 1, 2, 3, 4, 5, 6, 7], "scale": [0, 1]},
        {"loc": [0], "scale": [0, 1, 2, 3, 4, 5, 6, 7]},
    ):
        model, said = judge(MLERegressor("normal", features=features), powers(x, 8), y)
        other, again = judge(MLERegressor("normal", features=features), powers(u, 8), y)
        assert said == again == "interior"
        np.testing.assert_allclose(model.log_likelihood_, other.log_likelihood_, rtol=1e-10)


# ---------------------------------------------------------------- never below a smaller model


@pytest.mark.parametrize("model", [CrossEntropyClassifier(), MLERegressor("poisson")], ids=repr)
def test_a_higher_power_never_loses_likelihood(model):
    """Powers of a year: solved, or aliased where rounding has taken what sets them apart."""
    rng = np.random.default_rng(0)
    t = rng.integers(1990, 2021, 2000).astype(float)
    u = t - 2005.0
    eta = 0.05 * u - 0.003 * u**2 + 0.0002 * u**3
    y = (rng.random(2000) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    previous, aliased = -np.inf, 0
    for degree in range(1, 8):
        _, said = judge(model, powers(t, degree), y)
        assert said == "interior" and model.distance_ <= model.tol
        assert model.log_likelihood_ >= previous - 1e-9 * abs(previous)
        assert len(model.aliased_) >= aliased
        previous, aliased = model.log_likelihood_, len(model.aliased_)
        if degree <= 4:
            assert model.aliased_ == []
            smaller, _ = judge(type(model)(**model.get_params()), powers(u / 15.0, degree), y)
            np.testing.assert_allclose(model.log_likelihood_, smaller.log_likelihood_, rtol=1e-9)
    assert aliased


@pytest.mark.parametrize("difference", 10.0 ** -np.arange(4.0, 17.0))
def test_a_column_and_its_copy(difference):
    """Solved or aliased, and never anything between, however small the difference is."""
    rng = np.random.default_rng(7)
    a = rng.lognormal(3.0, 1.0, 300)
    y = 0.1 * a + rng.normal(size=300)
    X = np.column_stack([a, a * (1.0 + difference * rng.uniform(-1.0, 1.0, 300))])
    alone, _ = judge(MLERegressor("normal"), X[:, :1], y)
    model, said = judge(MLERegressor("normal"), X, y)
    assert said == "interior" and model.distance_ <= model.tol
    assert model.log_likelihood_ >= alone.log_likelihood_ - 1e-9 * abs(alone.log_likelihood_)
    assert model.aliased_ in ([], ["x0", "x1"])
    assert (model.aliased_ == []) == (model.n_parameters_ == 4)
    if difference > 1e-10:
        assert model.aliased_ == []
    if difference < 1e-12:
        assert model.aliased_ != []


def test_columns_that_cannot_be_solved_are_named():
    """Of sparse columns that are too many to combine: the columns, their condition, the cure."""
    rng = np.random.default_rng(0)
    near = nearly_equal(rng, 400, 30)
    X = sp.csr_array(np.column_stack([rng.normal(size=400), near.X]))
    y = (rng.logistic(size=400) + near.plain[:, 0] > 0.0).astype(int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skmle._engine.prepare.columns.can_combine", lambda X, p: False)
        model = CrossEntropyClassifier()
        with pytest.warns(
            NotConvergedWarning,
            match=r"'x1', 'x2' are nearly combinations of others \(condition 2e\+09\).*Drop",
        ):
            model.fit(X, y)
    assert model.status_ == "not_converged"
