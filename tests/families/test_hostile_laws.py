"""Hostile input to laws made of others: a clear error, or a fit that says what it is, soon."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

from skmle import MLEDistribution, MLERegressor, censored, families
from skmle.exceptions import FitWarning

SECONDS = 10.0  # of CPU time that no fit may take
N = 20
RNG = np.random.default_rng(5)
POSITIVE = RNG.exponential(size=N) + 0.1
COUNTS = RNG.poisson(2.0, N).astype(float)
REAL = RNG.normal(size=N)
X = np.column_stack([np.arange(N) % 2, RNG.normal(size=N)])
EQUAL = np.full(N, 2.0)
NOTHING = np.full(N, np.inf)
WEIBULL, NORMAL = families.Censored("weibull"), families.Censored("normal")


def rows(*columns):
    return np.column_stack(columns)


def gumbel(y, loc, scale):
    z = (y - loc) / scale
    return -z - np.exp(-z) - np.log(scale)


def added_up(y, loc, scale):
    return np.sum(gumbel(y, loc, scale))


def of_all_rows(y, loc, scale):
    return gumbel(y - np.mean(y), loc, scale)


def not_normalised(y, loc, scale):
    return -np.abs(y - loc) / scale


def not_finite(y, loc, scale):
    return np.full(np.shape(y), np.nan)


def not_vectorised(y, loc, scale):
    return float(y) - loc


def not_numbers(y, loc, scale):
    return np.array(["a"] * len(y))


def failing(y, loc, scale):
    raise RuntimeError("oops")


def own(function):
    return families.FromLogProb(function, {"loc": "identity", "scale": "log"})


# What is refused, with a word of the message.
REFUSED = {
    "nothing is known": (WEIBULL, rows(-NOTHING, NOTHING), "tell nothing"),
    "lower above upper": (WEIBULL, rows(POSITIVE, POSITIVE - 0.05), "outside the support"),
    "entry after time": (
        WEIBULL,
        rows(POSITIVE, POSITIVE, POSITIVE + 1.0, NOTHING),
        "outside the support",
    ),
    "entry at time": (
        WEIBULL,
        rows(POSITIVE, POSITIVE, POSITIVE, NOTHING),
        "outside the support",
    ),
    "an end is nan": (WEIBULL, rows(np.where(COUNTS > 2.0, np.nan, 1.0), EQUAL), "NaN"),
    "one row of a mixture": (families.Mixture("normal"), [3.0], "1 sample"),
    "more parts than rows": (families.Mixture("normal", 30), POSITIVE, "too few"),
    "no part": (families.Mixture([]), POSITIVE, "no family"),
    "less than a part": (families.Mixture("normal", 0), POSITIVE, "no family"),
    "parts of two kinds": (families.Mixture(["normal", "poisson"]), COUNTS, "cannot be mixed"),
    "below the window": (families.Truncated("normal", 0.0), POSITIVE - 1.0, "outside"),
    "ends crossed": (families.Truncated("normal", 2.0, 1.0), POSITIVE, "low < high"),
    "an end of a window is nan": (families.Truncated("normal", np.nan), POSITIVE, "no ends"),
    "no resolution": (families.Rounded("normal", 0.0), POSITIVE, "resolution"),
    "a function adds up": (own(added_up), POSITIVE, "one value a row"),
    "a function of all rows": (own(of_all_rows), POSITIVE, "each row alone"),
    "not normalised": (own(not_normalised), POSITIVE, "integral"),
    "not finite": (own(not_finite), POSITIVE, "not finite"),
    "not vectorised": (own(not_vectorised), POSITIVE, "numpy's functions"),
    "not numbers": (own(not_numbers), POSITIVE, "numpy's functions"),
    "failing": (own(failing), POSITIVE, "oops"),
    "no law of scipy": (families.ScipyFamily("gumbell"), POSITIVE, "no law"),
}

# What is fitted: family, y, weights, and what the fit may say.
NO_MAXIMUM = ("no_maximum",)
FITTED = {
    "all censored from above": (WEIBULL, rows(POSITIVE, NOTHING), None, NO_MAXIMUM),
    "all censored from below": (NORMAL, rows(-NOTHING, POSITIVE), None, NO_MAXIMUM),
    "one censored row": (WEIBULL, [[1.0, np.inf]], None, NO_MAXIMUM),
    "one interval": (NORMAL, [[1.0, 2.0]], None, NO_MAXIMUM),
    "one count of those seen": (families.Truncated("poisson", 0.0), [2.0], None, ("interior",)),
    "one zero": (families.ZeroInflated("poisson"), [0.0], None, ("boundary", "no_maximum")),
    "one value above zero": (families.Hurdle("gamma"), [3.0], None, NO_MAXIMUM),
    "one value of a user's law": (own(gumbel), [3.0], None, NO_MAXIMUM),
    "one value in a window": (families.Truncated("normal", 0.0), [2.0], None, NO_MAXIMUM),
    "equal values in a window": (families.Truncated("gamma", 0.5, 9.0), EQUAL, None, NO_MAXIMUM),
    "equal values at its end": (families.Truncated("normal", 0.0, 2.0), EQUAL, None, NO_MAXIMUM),
    "equal values of a mixture": (families.Mixture("normal"), EQUAL, None, NO_MAXIMUM),
    "equal counts of a mixture": (families.Mixture("poisson"), EQUAL, None, NO_MAXIMUM),
    "equal values or zero": (families.Hurdle("gamma"), EQUAL * (COUNTS > 1.0), None, NO_MAXIMUM),
    "equal values of a user's law": (own(gumbel), EQUAL, None, NO_MAXIMUM),
    "equal values of scipy's law": (families.ScipyFamily("gumbel_r"), EQUAL, None, NO_MAXIMUM),
    "equal sizes": (families.Folded("normal"), EQUAL, None, NO_MAXIMUM),
    "equal pairs": (
        families.Product(["normal", "poisson"]),
        rows(EQUAL, EQUAL),
        None,
        NO_MAXIMUM,
    ),
    "tiny weights": (
        families.Truncated("normal", 0.0),
        POSITIVE,
        np.full(N, 1e-310),
        ("interior", "no_maximum"),
    ),
    "unlike weights": (
        families.Mixture("normal"),
        REAL,
        10.0 ** RNG.uniform(-12.0, 12.0, N),
        ("interior", "no_maximum"),
    ),
    "a coarse resolution": (families.Rounded("normal", 1e9), POSITIVE, None, NO_MAXIMUM),
    "a window far out": (
        families.Truncated("poisson", 1e3),
        1001.0 + COUNTS,
        None,
        ("interior", "no_maximum"),
    ),
    "huge numbers": (
        families.Truncated("normal", 0.0),
        POSITIVE * 1e200,
        None,
        ("interior", "no_maximum"),
    ),
    "no zero before a hurdle": (
        families.Hurdle("gamma"),
        POSITIVE * 1e-300,
        None,
        ("boundary",),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason_and_a_cure(name):
    family, y, word = REFUSED[name]
    y = np.asarray(y)
    with pytest.raises(ValueError, match="Allowed") as refused:
        MLEDistribution(family).fit(y[:, None] if y.ndim == 1 else y)
    assert word in str(refused.value)


@pytest.mark.parametrize("name", FITTED)
def test_it_is_fitted_and_says_what_the_fit_is(name):
    family, y, weight, statuses = FITTED[name]
    y = np.asarray(y)
    start = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = MLEDistribution(family).fit(y[:, None] if y.ndim == 1 else y, sample_weight=weight)
    assert time.process_time() - start < SECONDS
    assert model.status_ in statuses
    assert not np.isnan(model.log_likelihood_)
    verdicts = [w for w in caught if issubclass(w.category, FitWarning)]
    assert len(caught) == len(verdicts) == (model.status_ != "interior")


def test_entries_after_times_are_refused():
    with pytest.raises(ValueError, match="could not have been seen"):
        censored(POSITIVE, entry=POSITIVE + 1.0)


@pytest.mark.parametrize("family", [families.ZeroInflated("poisson"), families.Hurdle("poisson")])
@pytest.mark.slow
def test_more_columns_than_rows(family):
    with pytest.warns(FitWarning):
        model = MLERegressor(family).fit(RNG.normal(size=(N, 30)), COUNTS)
    assert model.status_ in ("no_maximum", "boundary", "not_converged")
