"""Published examples of separation, with what their authors found: its rows, and the rest."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier, MLERegressor
from skmle.exceptions import BoundaryWarning, SeparationWarning
from skmle.families import Bernoulli

# Correia, Guimaraes & Zylkin, "Statistical separation in Poisson models across different
# statistical packages", the guide of ppmlhdfe: y, then the columns.
TEN_ROWS = """
  0   0   1  0
  0   0   0  0
  0   0   0  0
  0   0   0  0
  0   1   9  0
  2  21  21 21
  3   0   0  0
  5   0   0  0
  7   0   0  0
 10 -18 -18  0
"""
TWELVE_ROWS = """
 0  0  0  2 10
 0  0  0  0 -2
 0  0  0  0  6
 0  0  0  4  5
 0  1  0  0  3
 2  0  0  0  3
 2  0  0  0  4
 2  0  0 -2 15
 2  0  0  0 -7
 4  0  0 -3 15
 6 -3 -3  0  4
 6  0  0  0  4
"""
ALL_ZEROS_ROWS = """
 0 14  4  0 -12
 0  0 35 34  12
 0  0  3  0  17
 0  0  0  0   1
 0  0  0 -2   7
 0  0 25  0  12
 0  0 13  0  60
 0  0 15  0   7
 0  1  0  7 -24
 9  0  0  0  18
 4  2  0  6  -1
 2  1  0  0  -7
"""
# Geyer (2009), Likelihood inference in exponential families and directions of recession, Electronic
# Journal of Statistics 3, example 2.3: counts of a 2^7 table, the first factor running fastest.
TABLE = """
 0 8 7 8 9 7 9 5 0 4 5 10 4 2 6 7 11 6 4 0 6 3 9 5 5 3 5 0 3 3 5 9
 0 5 2 4 3 2 3 5 0 4 3 6 5 6 6 5 12 7 5 0 7 8 3 4 7 6 5 0 3 7 3 9
 0 3 1 2 5 1 4 3 0 5 5 4 1 2 6 1 3 2 5 0 4 2 5 6 3 2 4 0 4 5 6 11
 0 8 3 5 0 1 3 2 0 2 14 10 2 5 8 4 2 4 2 0 3 4 2 3 5 7 5 0 3 6 3 10
"""
# Schwendinger, Gruen & Hornik (2021), in the vignette of detectseparation: a, b, y.
SIX_ROWS = np.array([[1, 2, 0], [0, 1, 0], [3, 1, 0], [2, 4, 1], [3, 6, 1], [4, 8, 1]], float)

# Heinze & Schemper (2002), A solution to the problem of separation in logistic regression,
# Statistics in Medicine 21: NV, PI, EH and HG of 79 patients.
ENDOMETRIAL = """
  0 13 1.64 0, 0 16 2.26 0, 0 8 3.14 0, 0 34 2.68 0, 0 20 1.28 0, 0 5 2.31 0,
  0 17 1.80 0, 0 10 1.68 0, 0 26 1.56 0, 0 17 2.31 0, 0 8 2.01 0, 0 7 1.89 0,
  0 20 3.15 0, 0 10 1.23 0, 0 18 1.27 0, 0 16 1.76 0, 0 18 2.00 0, 0 8 2.64 1,
  0 29 0.88 1, 0 12 1.27 1, 0 20 1.37 1, 1 38 0.97 1, 1 22 1.14 1, 1 7 0.88 1,
  1 25 0.91 1, 1 15 0.58 1, 0 7 0.97 1, 0 28 1.50 0, 0 11 1.33 0, 0 19 2.37 0,
  0 10 1.82 0, 0 10 3.13 0, 0 18 1.31 0, 0 14 1.92 0, 0 21 1.64 0, 0 11 2.01 0,
  0 17 1.88 0, 0 25 1.93 0, 0 16 2.11 0, 0 19 1.29 0, 0 15 1.72 0, 0 33 0.75 0,
  0 24 1.92 0, 0 48 1.84 1, 0 12 1.11 1, 0 19 1.61 1, 0 2 1.18 1, 1 22 1.44 1,
  1 40 1.18 1, 1 5 0.93 1, 1 0 1.17 1, 0 21 1.19 1, 0 15 1.06 1, 0 29 2.02 0,
  0 15 2.29 0, 0 12 2.33 0, 0 3 2.90 0, 0 20 1.70 0, 0 23 1.41 0, 0 12 2.25 0,
  0 22 1.54 0, 0 42 1.97 0, 0 15 1.75 0, 0 13 2.16 0, 0 14 2.57 0, 0 19 1.37 0,
  0 12 3.61 0, 0 13 2.04 0, 0 10 2.17 0, 0 12 1.69 1, 1 49 0.27 1, 0 6 1.84 1,
  0 5 1.30 1, 0 17 0.96 1, 1 11 1.01 1, 1 21 0.98 1, 0 5 0.35 1, 1 19 1.02 1,
  0 33 0.85 1
"""


def counts(text: str) -> tuple[pd.DataFrame, np.ndarray]:
    y, *columns = np.array([line.split() for line in text.split("\n") if line], float).T
    return pd.DataFrame({f"x{j}": column for j, column in enumerate(columns, 1)}), y


def separated(X, y, model=None) -> MLERegressor:
    with pytest.warns(SeparationWarning, match="run to infinity"):
        return (model or MLERegressor("poisson")).fit(X, y)


def line(model, term: str) -> pd.Series:
    return model.inference().tidy().set_index("term").loc[term]


def test_ten_rows_of_which_two_are_separated():
    X, y = counts(TEN_ROWS)
    model = separated(X, y)
    assert model.separated_.rows.tolist() == [0, 4]
    assert line(model, "x3")["estimate"] == pytest.approx(0.066, abs=5e-4)
    assert np.isfinite(line(model, "x3")["std_error"])


def test_a_difference_of_columns_separates_one_row_of_twelve():
    """The other lines are those of R, whose errors ppmlhdfe confirms."""
    X, y = counts(TWELVE_ROWS)
    model = separated(X, y)
    assert model.separated_.rows.tolist() == [4]
    assert model.separated_.columns == {"mean": {"x1": -np.inf, "x2": np.inf}}
    for term, estimate, error in [
        ("intercept", 0.59095, 0.30291),
        ("x3", -0.47085, 0.23117),
        ("x4", -0.03779, 0.04375),
    ]:
        found = line(model, term)
        assert found["estimate"] == pytest.approx(estimate, abs=5e-6)
        assert found["std_error"] == pytest.approx(error, abs=5e-6)
    assert -2.0 * model.log_likelihood_ + 10.0 == pytest.approx(46.991, abs=5e-4)


def test_all_zeros_are_separated_and_the_rest_is_saturated():
    X, y = counts(ALL_ZEROS_ROWS)
    model = separated(X, y)
    assert model.separated_.rows.tolist() == list(range(9))
    assert -2.0 * model.log_likelihood_ + 10.0 == pytest.approx(19.933, abs=5e-4)


def test_a_contingency_table_with_all_interactions_of_three_factors():
    """Geyer: of the cells with a count of zero, sixteen have a mean of zero; one has not."""
    y = np.array(TABLE.split(), float)
    factors = (np.arange(128)[:, None] >> np.arange(7)) & 1
    sets = [s for k in (1, 2, 3) for s in combinations(range(7), k)]
    X = np.column_stack([factors[:, list(s)].prod(axis=1) for s in sets]).astype(float)
    model = separated(X, y)
    corner = (factors[:, [0, 1, 2, 4]] == [0, 0, 0, 0]).all(axis=1)
    corner |= (factors[:, [0, 1, 2, 4]] == [1, 1, 0, 1]).all(axis=1)
    assert corner.sum() == 16 and (y == 0.0).sum() == 17
    np.testing.assert_array_equal(model.separated_.rows, np.flatnonzero(corner))
    rest = MLERegressor("poisson").fit(X[~corner], y[~corner])
    assert model.log_likelihood_ == pytest.approx(rest.log_likelihood_, abs=1e-8)
    np.testing.assert_allclose(model.predict(X[~corner]), rest.predict(X[~corner]), rtol=1e-6)


def test_six_rows_that_the_logit_link_separates_and_the_log_link_does_not():
    X, y = SIX_ROWS[:, :2], SIX_ROWS[:, 2]
    logit = separated(X, y, CrossEntropyClassifier())
    assert logit.separated_.n_rows == 6
    with pytest.warns(BoundaryWarning, match="edge of the domain of link 'log'"):
        log = MLERegressor(Bernoulli(links={"probability": "log"})).fit(X, y)
    assert log.separated_.n_rows == 0 and np.isfinite(log.coef_).all()
    # Maximum of the log-likelihood under X beta <= 0, by a solver of constrained problems.
    assert log.log_likelihood_ == pytest.approx(-2.0103, abs=5e-5)


def test_neovasculation_separates_the_endometrial_cancers():
    """R's other lines and deviance, as the vignette of detectseparation prints them."""
    rows = np.array([line.split() for line in ENDOMETRIAL.replace("\n", "").split(",")], float)
    X = pd.DataFrame(rows[:, :3], columns=["NV", "PI", "EH"])
    model = separated(X, rows[:, 3].astype(int), CrossEntropyClassifier())
    assert model.separated_.columns == {1: {"NV": np.inf}}
    np.testing.assert_array_equal(model.separated_.rows, np.flatnonzero(X["NV"]))
    for term, estimate, error in [
        ("intercept", 4.30452, 1.63730),
        ("PI", -0.04218, 0.04433),
        ("EH", -2.90261, 0.84555),
    ]:
        found = line(model, term)
        assert found["estimate"] == pytest.approx(estimate, abs=5e-6)
        assert found["std_error"] == pytest.approx(error, abs=5e-6)
    assert -2.0 * model.log_likelihood_ == pytest.approx(55.393, abs=5e-4)
