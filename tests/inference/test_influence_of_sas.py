"""Influence in logistic regression as SAS prints it: Finney's data on constriction of vessels.

The numbers of PROC LOGISTIC's INFLUENCE option (Pregibon 1981) ship with statsmodels, to four
decimals.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmle import CrossEntropyClassifier, MLERegressor

sm = pytest.importorskip("statsmodels")
RESULTS = Path(sm.__file__).parent / "stats" / "tests" / "results"


@pytest.fixture(scope="module", params=["classifier", "regressor"])
def compared(request):
    data = pd.read_csv(RESULTS / "binary_constrict.csv")
    X, y = data[["log_rate", "log_volumne"]], data["constrict"]
    model = CrossEntropyClassifier() if request.param == "classifier" else MLERegressor("bernoulli")
    rows = model.fit(X, y).inference().augment(X, y, influence="coefficients")
    return rows, pd.read_csv(RESULTS / "results_influence_logit.csv")


def c_of(rows):
    return 3.0 * rows["cooks_distance"]


def c_bar(rows):
    return c_of(rows) * (1.0 - rows["leverage"])


COLUMNS = {
    "hat_matrix_diagonal": lambda r: r["leverage"],
    "resid_pearson": lambda r: r["pearson_residual"],
    "resid_deviance": lambda r: r["deviance_residual"],
    "Cooks C": c_of,
    "Cooks Cbar": c_bar,
    "d_deviance": lambda r: r["deviance_residual"] ** 2 + c_bar(r),
    "d_pearson_chi2": lambda r: c_bar(r) / r["leverage"],
    "dfb_intercept": lambda r: r["dfbetas[intercept]"],
    "dfb_lograte": lambda r: r["dfbetas[log_rate]"],
    "dfb_logvolumne": lambda r: r["dfbetas[log_volumne]"],
}


def test_every_column_is_compared(compared):
    _, theirs = compared
    assert set(theirs.columns) - set(COLUMNS) == {"Case", "LogRate", "LogVolumne"}


@pytest.mark.parametrize("name", COLUMNS)
def test_influence_is_that_of_sas(compared, name):
    rows, theirs = compared
    assert len(rows) == len(theirs) == 39
    np.testing.assert_allclose(COLUMNS[name](rows), theirs[name], rtol=0.0, atol=5.01e-5)


def test_dfbetas_of_least_squares_are_fits_without_the_row():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(25, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=25)
    model = MLERegressor(tol=1e-12).fit(X, y)
    rows = model.inference().augment(X, y, influence="coefficients")
    errors = model.inference().standard_errors
    for i in (0, 7):
        without = MLERegressor(tol=1e-12).fit(np.delete(X, i, axis=0), np.delete(y, i))
        moved = (model.coef_ - without.coef_) / errors[:2]
        np.testing.assert_allclose(rows[["dfbetas[x0]", "dfbetas[x1]"]].iloc[i], moved, rtol=1e-8)


def test_dfbetas_of_several_classes_belong_to_the_lines_of_the_table():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    model = CrossEntropyClassifier(tol=1e-12).fit(X, y)
    result = model.inference()
    rows = result.augment(X, y, influence="coefficients")
    names = [name for name in rows if name.startswith("dfbetas")]
    assert len(names) == len(result.terms) == 9
    i = 3
    without = CrossEntropyClassifier(tol=1e-12).fit(np.delete(X, i, axis=0), np.delete(y, i))
    moved = (result.estimates - without.inference().estimates) / result.standard_errors
    np.testing.assert_allclose(rows[names].iloc[i], moved, atol=0.02)
