"""Censored observations without a maximum, at ends of the support, and beside other programs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skmle import MLEDistribution, MLERegressor, families
from skmle.exceptions import NoMaximumWarning, SeparationWarning
from skmle.families import Censored
from skmle.families.wrappers.fixed import fix

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

LIFETIMES = ["weibull", "lognormal", "exponential", "gamma", "inverse_gaussian", "log_logistic"]
COUNTS = ["poisson", "negative_binomial", "geometric"]


def times(n: int = 30) -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, 1.0, size=n)


def counts(n: int = 30) -> np.ndarray:
    return np.random.default_rng(0).poisson(3.0, size=n) + 1.0


def right(y: np.ndarray) -> np.ndarray:
    return np.column_stack([y, np.full(len(y), np.inf)])


def left(y: np.ndarray) -> np.ndarray:
    return np.column_stack([np.full(len(y), -np.inf), y])


# ---------------------------------------------------------------- no maximum


@pytest.mark.parametrize(
    "name", [*LIFETIMES, "normal", "logistic", "laplace", "student_t", *COUNTS]
)
@pytest.mark.parametrize("side", [right, left])
def test_rows_that_are_all_censored_on_one_side_have_no_maximum(name, side):
    with pytest.warns(NoMaximumWarning) as warned:
        model = MLEDistribution(Censored(name)).fit(side(counts() if name in COUNTS else times()))
    assert len(warned) == 1 and model.status_ == "no_maximum"
    assert -1e-9 < model.log_likelihood_ <= 0.0  # the supremum is zero


@pytest.mark.parametrize(
    "name",
    [
        "weibull",
        "lognormal",
        "exponential",
        "gamma",
        "inverse_gaussian",
        "normal",
        "poisson",
        "geometric",
    ],
)
def test_a_group_without_events_is_named(name):
    y = counts() if name in COUNTS else times()
    X = pd.DataFrame(
        {"age": np.sin(np.arange(30.0)), "treated": np.arange(30) % 3 == 0}, dtype=float
    )
    rows = np.where((X["treated"] == 1.0).to_numpy()[:, None], right(y), y[:, None])
    with pytest.warns(SeparationWarning) as warned:
        model = MLERegressor(Censored(name)).fit(X, rows)
    assert len(warned) == 1 and model.status_ == "no_maximum"
    assert "'treated'" in str(warned[0].message) and "'age'" not in str(warned[0].message)
    # All others are fitted as they are alone, but for a law whose tail tends to less than one.
    rest = (X["treated"] == 0.0).to_numpy()
    alone = MLERegressor(Censored(name)).fit(X.loc[rest, ["age"]], rows[rest])
    assert model.log_likelihood_ < alone.log_likelihood_ + 1e-9
    if name != "inverse_gaussian":
        np.testing.assert_allclose(model.log_likelihood_, alone.log_likelihood_, rtol=1e-6)


@pytest.mark.parametrize(
    "rows",
    [
        np.full((5, 2), 1.5),
        np.tile([1.0, 2.0], (5, 1)),
        [[1.5, 1.5]] * 4 + [[1.0, 2.0]] * 3,
        [[1.5, 1.5]] * 4 + [[1.5, np.inf]] * 3,
        [[1.5, 1.5]] * 4 + [[0.0, 1.5]] * 3,
        [[1.5, 1.5]] + [[1.0, np.inf]] * 3,
        [[1.0, 2.0], [1.5, np.inf], [-np.inf, 1.7]],
    ],
)
@pytest.mark.parametrize("name", ["gamma", "weibull", "lognormal", "normal", "inverse_gaussian"])
def test_rows_with_a_value_in_common_have_no_maximum(name, rows):
    with pytest.warns(NoMaximumWarning) as warned:
        model = MLEDistribution(Censored(name)).fit(np.array(rows))
    assert len(warned) == 1 and model.status_ == "no_maximum"
    shrunk = "equal" in str(warned[0].message) or "values in common" in str(warned[0].message)
    assert shrunk or "the scale runs to zero" in str(warned[0].message)


@pytest.mark.parametrize("name", LIFETIMES)
def test_a_value_next_to_others_has_a_maximum(name):
    """One exact row outside the bounds of another is enough of a spread."""
    model = MLEDistribution(Censored(name)).fit(np.array([[1.0, 1.0], [2.5, np.inf], [0.0, 2.0]]))
    assert model.status_ == "interior"


def test_where_only_one_share_is_known_no_separation_is_claimed():
    """P(Y <= 1) alone is known: all laws with this share are equally likely, none at an end."""
    rows = np.array([[0.0, 1.0], [1.0, np.inf]])
    with pytest.warns() as warned:
        model = MLEDistribution(Censored("weibull")).fit(rows)
    assert not any(issubclass(w.category, SeparationWarning) for w in warned)
    np.testing.assert_allclose(model.log_likelihood_, -2.0 * np.log(2.0), rtol=1e-9)


@pytest.mark.slow
def test_parameters_beyond_the_numbers_are_infinite_without_a_warning_of_numpy():
    rows = np.array([[1.83360037, np.inf], [0.0, 0.84250914]])
    with pytest.warns() as warned:
        MLEDistribution(Censored("weibull")).fit(rows)
    assert len(warned) == 1 and not issubclass(warned[0].category, RuntimeWarning)


def test_values_bunched_at_a_limit_leave_the_law_wide():
    """Quartiles of the bounds lie next to each other, so they are no measure of the spread."""
    rows = [[1.62721977, 1.62721977], [4.07203293, 4.07203293], *[[-np.inf, 1.62467554]] * 6]
    model = MLEDistribution(Censored("logistic")).fit(np.array(rows))
    assert model.status_ == "interior"
    np.testing.assert_allclose(model.params_["loc"], 0.3213529, atol=1e-6)


# ---------------------------------------------------------------- ends and sizes


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("gamma", [-3.0, 2.0], [-np.inf, 2.0]),
        ("weibull", [0.0, 2.0], [-np.inf, 2.0]),
        ("exponential", [0.0, 2.0], [-1.0, 2.0]),
        ("normal", [2.0, 1e300], [2.0, np.inf]),
        ("lognormal", [2.0, 1e300], [2.0, np.inf]),
        ("poisson", [-5.0, 2.0], [0.0, 2.7]),
        ("geometric", [-5.0, 2.0], [1.0, 2.7]),
    ],
)
def test_rows_of_the_same_meaning(name, one, other):
    y = counts() if name in COUNTS else times()
    models = [
        MLEDistribution(Censored(name)).fit(np.vstack([np.column_stack([y, y]), [ends] * 5]))
        for ends in (one, other)
    ]
    first, second = models
    np.testing.assert_allclose(first.log_likelihood_, second.log_likelihood_, rtol=1e-12)
    for key, value in first.params_.items():
        np.testing.assert_allclose(second.params_[key], value, rtol=1e-7)


@pytest.mark.parametrize("name", ["normal", "student_t", "weibull", "lognormal", "laplace"])
@pytest.mark.parametrize("size", [1e150, 1e-300])
def test_huge_and_tiny_numbers(name, size):
    rows = np.column_stack([times(), times()])
    rows[::3, 1] = np.inf
    plain = MLEDistribution(Censored(name)).fit(rows)
    other = MLEDistribution(Censored(name)).fit(rows * size)
    assert other.status_ == plain.status_ == "interior"
    found = other.distribution_.ppf([0.1, 0.9]) / size
    np.testing.assert_allclose(found, plain.distribution_.ppf([0.1, 0.9]), rtol=1e-7)


def test_an_outlier_beyond_the_numbers_has_a_likelihood():
    """P(Y >= 1000) of the start is below the least number, and the fit goes on from there."""
    rows = np.array([[1.0, 1.0]] * 999 + [[1000.0, np.inf]])
    model = MLEDistribution(Censored("poisson")).fit(rows)
    assert model.status_ == "interior" and np.isfinite(model.log_likelihood_)


def test_weights_of_zero_leave_rows_out():
    rows = np.column_stack([times(), times()])
    rows[::3, 1] = np.inf
    weight = np.arange(30) % 4 > 0
    one = MLEDistribution(Censored("gamma")).fit(rows, sample_weight=weight)
    other = MLEDistribution(Censored("gamma")).fit(rows[weight])
    assert one.params_ == other.params_
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-14)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([2.0, 1.0], ["row 3: [2, 1]", "Allowed: rows [lower, upper]", "y > 0"]),
        ([np.inf, np.inf], ["row 3: [inf, inf]", "Allowed: ", "Remove"]),
        ([-np.inf, -np.inf], ["row 3: [-inf, -inf]", "Allowed: ", "Remove"]),
        ([np.inf, -np.inf], ["row 3: [inf, -inf]", "Allowed: ", "Remove"]),
        ([-2.0, 0.0], ["row 3: [-2, 0]", "Allowed: ", "Remove"]),
        ([0.0, 0.0], ["row 3: [0, 0]", "Allowed: ", "Remove"]),
        ([np.nan, 1.0], ["NaN", "row 3, column 0", "Allowed: numbers, -inf and inf", "Drop"]),
    ],
)
def test_rows_that_are_no_interval(rows, parts):
    y = np.column_stack([times(), times()])
    y[3] = rows
    X = np.ones((30, 1))
    for fit in (
        lambda: MLEDistribution(Censored("gamma")).fit(y),
        lambda: MLERegressor(Censored("gamma")).fit(X, y),
    ):
        with pytest.raises(ValueError, match="1 of 30 rows") as caught:
            fit()
        for part in parts:
            assert part in str(caught.value)


@pytest.mark.parametrize("columns", [1, 3])
def test_other_numbers_of_columns(columns):
    y = np.tile(times()[:, None], (1, columns))
    with pytest.raises(ValueError, match=r"Allowed: exactly 2 or 4.*choose"):
        MLEDistribution(Censored("gamma")).fit(y)
    for wrong in (y, times()):
        with pytest.raises(ValueError, match=r"Allowed: \(n, 2 or 4\).*Make"):
            MLERegressor(Censored("gamma")).fit(np.ones((30, 1)), wrong)


@pytest.mark.parametrize(
    "family",
    [
        Censored("gamma"),
        "binomial",
        "uniform",
        "multivariate_normal",
        "categorical",
        families.Binomial(3),
    ],
)
def test_families_without_intervals(family):
    y = np.column_stack([counts(), counts() + 1.0])
    with pytest.raises(ValueError, match=r"Censored: an interval is not defined.*Allowed.*Choose"):
        MLEDistribution(Censored(family)).fit(y)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("normal", [-np.inf, np.inf]),
        ("gamma", [0.0, np.inf]),
        ("beta", [0.0, 1.0]),
        ("poisson", [-1.0, np.inf]),
        ("bernoulli", [0.0, 1.0]),
    ],
)
def test_rows_that_tell_nothing(name, row):
    with pytest.raises(ValueError, match="5 rows hold every value") as caught:
        MLEDistribution(Censored(name)).fit(np.tile(row, (5, 1)))
    assert "Allowed: " in str(caught.value) and "Leave such rows out" in str(caught.value)


def test_names_of_held_parameters():
    law = Censored(fix(families.Gamma(), {"shape": 2.0}))
    assert law.names == ("mean",) and law.title == "Censored gamma (shape = 2 fixed)"
    rows = np.column_stack([times(), times()])
    message = r"no parameter 'shap'.*Allowed: mean, shape.*Did you mean 'shape'"
    with pytest.raises(ValueError, match=message):
        MLEDistribution(Censored("gamma"), fixed={"shap": 2.0}).fit(rows)


# ---------------------------------------------------------------- scipy


@pytest.mark.parametrize("name", ["weibull", "lognormal", "gamma", "normal", "logistic"])
def test_scipy_finds_nothing_more_likely(name):
    y = times(60)
    rows = np.column_stack([y, y])
    rows[::4, 1] = np.inf
    rows[1::4, 0], rows[1::4, 1] = -np.inf, y[1::4] + 0.3
    rows[2::8] = np.column_stack([0.7 * y, y + 0.3])[2::8]
    model = MLEDistribution(Censored(name)).fit(rows)
    low, high = rows.T
    exact, above, below = low == high, np.isinf(high), np.isinf(low)
    data = stats.CensoredData(
        uncensored=low[exact],
        right=low[above],
        left=high[below],
        interval=rows[~(exact | above | below)],
    )
    family = families.get_family(name)
    law = getattr(stats, family.scipy_name)
    positive = family.support.low == 0.0
    found = law.fit(data, **({"floc": 0.0} if positive else {}))
    _, theta = family.from_scipy(*map(np.asarray, found))
    theirs = Censored(name).log_prob(rows, family.eta(theta)).sum()
    assert model.status_ == "interior"
    assert theirs - 1e-9 < model.log_likelihood_ < theirs + 1e-3
