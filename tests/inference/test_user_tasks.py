"""Six tasks of users, as examples: in as many lines as they say, with the numbers of other tools.

The numbers are those that scipy, scikit-learn and statsmodels print for the same data.
"""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples"
TASKS = {  # how many lines they may take
    "plot_gamma_with_intervals": 2,
    "plot_best_of_ten_laws": 1,
    "plot_p_values_in_a_pipeline": 2,
    "plot_counts_with_exposure": 3,
    "plot_intervals_of_unequal_noise": 3,
    "plot_your_own_likelihood": 2,
}
NUMBERS = {"One": 1, "Two": 2, "Three": 3}


@pytest.mark.parametrize("name", TASKS)
def test_the_task_takes_as_many_lines_as_it_says(name):
    cells = (FOLDER / f"{name}.py").read_text().split("# %%\n")
    found = [(re.match(r"# (One|Two|Three) lines?:", cell), cell) for cell in cells]
    ((said, cell),) = [(match[1], cell) for match, cell in found if match]
    statements = ast.parse(cell).body
    assert len(statements) == NUMBERS[said] == TASKS[name]


def ran(name: str) -> dict[str, object]:
    return runpy.run_path(str(FOLDER / f"{name}.py"))


@pytest.mark.slow
def test_gamma_with_intervals(capsys):
    known = ran("plot_gamma_with_intervals")
    model, scale = known["model"], known["scale"]
    result = model.inference()
    shape = list(result.terms).index("shape")
    assert round(result.estimates[shape], 4) == 2.2184
    assert round(result.standard_errors[shape], 4) == 0.1311
    np.testing.assert_allclose(result.confidence_intervals()[shape], [1.9757, 2.4909], atol=6e-5)
    assert (scale.estimates.round(4), scale.standard_errors.round(4)) == (2.5594, 0.1697)
    np.testing.assert_allclose(scale.confidence_intervals()[0], [2.2475, 2.9145], atol=6e-5)
    assert round(model.log_likelihood_, 3) == -1294.635
    assert "2.22" in capsys.readouterr().out


@pytest.mark.slow
def test_best_of_ten_laws():
    search = ran("plot_best_of_ten_laws")["search"]
    found = dict(
        zip(search.cv_results_["param_family"], search.cv_results_["mean_test_score"], strict=True)
    )
    expected = {
        "gamma": -2.6183,
        "weibull": -2.6314,
        "log_logistic": -2.6445,
        "lognormal": -2.6476,
        "gumbel_r": -2.6513,
        "inverse_gaussian": -2.6915,
        "exponential": -2.7565,
        "logistic": -2.7676,
        "normal": -2.8107,
    }
    for name, score in expected.items():
        assert found[name] == pytest.approx(score, abs=6e-5)
    # scipy stops its fit of Student's t early.
    assert -2.7607 <= found["student_t"] < -2.759
    assert search.best_params_ == {"family": "gamma"}


@pytest.mark.slow
def test_p_values_in_a_pipeline():
    known = ran("plot_p_values_in_a_pipeline")
    result = known["result"]
    order = [result.terms.index(t) for t in ("intercept", "age", "income", "city_B", "city_C")]
    # statsmodels' Logit
    np.testing.assert_array_equal(
        result.estimates[order].round(4), [-0.2218, 0.7634, 0.0034, 0.4454, -0.0129]
    )
    np.testing.assert_array_equal(
        result.standard_errors[order].round(3), [0.125, 0.086, 0.075, 0.182, 0.185]
    )
    np.testing.assert_array_equal(result.p_value[order].round(3), [0.076, 0.0, 0.964, 0.015, 0.944])


@pytest.mark.slow
def test_counts_with_exposure(capsys):
    known = ran("plot_counts_with_exposure")
    search, frame, counts = known["search"], known["frame"], known["counts"]
    assert "[1.396 1.562 1.791]" in capsys.readouterr().out  # scikit-learn's, by hand
    assert round(search.best_score_, 5) == -1.18702
    assert search.best_params_ == {"mleregressor__alpha": 0.001}
    result = known["MLERegressor"]("poisson", exposure="time").fit(frame, counts).inference()
    np.testing.assert_array_equal(result.estimates.round(4), [0.51, -0.3128, 0.0105, -0.4719])
    np.testing.assert_array_equal(result.standard_errors.round(4), [0.0207, 0.0222, 0.0212, 0.0242])


@pytest.mark.slow
def test_intervals_of_unequal_noise():
    known = ran("plot_intervals_of_unequal_noise")
    assert round(known["score"], 4) == -0.8829
    inside, loud = known["inside"], known["loud"]
    coverages = [inside.mean(), inside[~loud].mean(), inside[loud].mean()]
    np.testing.assert_array_equal(np.round(coverages, 3), [0.926, 0.921, 0.931])
    model, X, y = (known[name] for name in ("regression", "X", "y"))
    result = model.inference(X, y, covariance="expected")
    loc, scale = result.standard_errors[:4], result.standard_errors[4:]
    np.testing.assert_array_equal(np.roll(loc, 1).round(4), [0.0155, 0.0079, 0.0086, 0.0079])
    np.testing.assert_array_equal(np.roll(scale, 1).round(4), [0.0183, 0.018, 0.0185, 0.0182])


@pytest.mark.slow
def test_your_own_likelihood():
    model = ran("plot_your_own_likelihood")["model"]
    result = model.inference()
    order = [1, 0, 3, 2]
    np.testing.assert_array_equal(
        result.estimates[order].round(4), [-1.0285, 0.4698, 0.4893, 0.3916]
    )
    np.testing.assert_array_equal(
        result.standard_errors[order].round(4), [0.0766, 0.0709, 0.0219, 0.0193]
    )
    assert round(model.log_likelihood_ / 3000, 5) == -1.45419
