"""The limits of a sample: awkward data of every kind, with the right number and the right verdict.

Each line of `SAMPLES` is a family, what is held of it, the data, the status, and the parameters
and the total log-likelihood at the maximum, found apart from this library: by closed forms, or by
Newton's method in 30 digits with mpmath. To add a sample, add a line.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from skmle import MLEDistribution, MLERegressor, censored
from skmle.families import Censored, Mixture, Truncated, get_family

pytestmark = [
    pytest.mark.numerics,
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning"),
]


class Sample(NamedTuple):
    name: str
    family: str
    held: dict[str, float]
    rows: Any
    status: str
    right: dict[str, float]
    log_likelihood: float | None = None
    rtol: float = 2e-6

    @property
    def title(self) -> str:
        held = "-".join(f"{name}={value:g}" for name, value in self.held.items())
        return f"{self.family}-{self.name}-{held}"


def sentinels() -> np.ndarray:
    """Return a column of 569 measurements with a code for "missing" left in three rows."""
    x = load_breast_cancer().data[:, 19].copy()
    x[:3] = -9999.0
    return x


def normal_at(loc: float, y: list[float]) -> dict[str, float]:
    return {"scale": float(np.sqrt(np.mean((np.array(y) - loc) ** 2)))}


TWOS = [2.0, 2.0, 2.0]
LIGHT = np.random.default_rng(0).weibull(1.5, (100, 1000))[:, 225]
HARDLY = np.random.default_rng(100).poisson(3, (460, 100))[459].astype(float)
RADIAL = np.repeat(
    np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 24]), [20, 24, 38, 110, 115, 26, 17, 24, 132]
)
LN2 = float(np.log(2.0))

SAMPLES = [
    # Equal rows beside a parameter that is held: there is a maximum, as nothing is interpolated.
    Sample("equal", "normal", {"loc": 0.0}, TWOS, "interior", {"scale": 2.0}, -6.3362571412938552),
    Sample("one", "normal", {"loc": 0.0}, [3.0], "interior", {"scale": 3.0}),
    Sample("equal", "laplace", {"loc": 0.0}, TWOS, "interior", {"scale": 2.0}, -6.0 * LN2 - 3.0),
    Sample("equal", "logistic", {"loc": 0.0}, TWOS, "interior", {"scale": 1.2958364580592055}),
    Sample("equal", "lognormal", {"loc": 0.0}, TWOS, "interior", {"scale": LN2}),
    Sample("equal", "weibull", {"scale": 1.0}, TWOS, "interior", {"shape": 1.1634844905303358}),
    Sample("equal", "log_logistic", {"scale": 1.0}, TWOS, "interior", {"shape": 2.226662217930973}),
    Sample("equal", "inverse_gaussian", {"mean": 1.0}, TWOS, "interior", {"shape": 2.0}),
    Sample("equal", "gamma", {"mean": 1.0}, TWOS, "interior", {"shape": 1.7779269141443988}),
    Sample("equal", "t", {"loc": 0.0}, TWOS, "boundary", {"scale": 2.0, "df": np.inf}),
    Sample("equal", "t", {"loc": 0.0, "df": 3.0}, TWOS, "interior", {"scale": 2.0}),
    Sample("far", "laplace", {"loc": 1e6}, [-0.5, 0.5], "interior", {"scale": 1e6}),
    Sample("far", "normal", {"loc": 1e6}, [0.0, 2.0], "interior", normal_at(1e6, [0.0, 2.0])),
    # Equal rows at the value that is held, or with all free: the density grows without bound.
    Sample("equal", "normal", {}, TWOS, "no_maximum", {"loc": 2.0}),
    Sample("equal", "normal", {"loc": 2.0}, TWOS, "no_maximum", {"loc": 2.0}),
    Sample("equal", "logistic", {"loc": 2.0}, TWOS, "no_maximum", {"loc": 2.0}),
    Sample("equal", "gamma", {}, TWOS, "no_maximum", {"mean": 2.0}),
    Sample("equal", "inverse_gaussian", {"mean": 2.0}, TWOS, "no_maximum", {"mean": 2.0}),
    Sample("zeros", "exponential", {}, [0.0, 0.0], "no_maximum", {}),
    # Counts at an end of their range.
    Sample("zeros", "poisson", {}, [0.0, 0.0], "boundary", {"mean": 0.0}, 0.0),
    Sample("zeros", "nbinom", {}, [0.0, 0.0], "boundary", {"mean": 0.0, "dispersion": 0.0}, 0.0),
    # Sentinels and outliers: a law without heavy tails has a maximum, however far they are.
    Sample(
        "sentinels", "logistic", {}, sentinels(), "interior",
        {"loc": -0.55507227543961, "scale": 52.718824968258}, -3609.69611731889,
    ),
    # Just inside a limit law, and beyond it.
    Sample("limit", "t", {}, LIGHT, "boundary", {"loc": LIGHT.mean(), "scale": LIGHT.std()}),
    Sample("limit", "nbinom", {}, HARDLY, "boundary", {"mean": 3.14, "dispersion": 0.0}),
    Sample(
        "limit", "nbinom", {"mean": 3.2}, [3.0, 3.0, 3.0, 4.0, 3.0], "boundary",
        {"dispersion": 0.0}, -7.734678750369272,
    ),
    # Two clusters.
    Sample(
        "clusters", "t", {}, RADIAL, "interior",
        {"loc": 4.519318, "scale": 1.153336, "df": 0.662153}, -1647.504993,
    ),
]  # fmt: skip

# Few outcomes of one kind in very many trials, whose expected number must keep its digits.
MANY_TRIALS = [1e3, 1e9, 1e12, 1e15, 1e30, 1e100]

# Units in which a sample is measured, too: the parameters with a unit move, the verdict does not.
UNITS = [1e-200, 1e-30, 1.0, 1e30, 1e200]
CONTINUOUS = ["normal", "laplace", "logistic", "t", "gamma", "weibull", "lognormal"]
POSITIVE = np.array([0.5, 1.5, 2.0, 2.5, 4.0, 4.5, 9.0, 30.0])


def fitted(family: str, held: dict[str, float], y: Any) -> MLEDistribution:
    rows = np.asarray(y, float)[:, None]
    model = MLEDistribution(family, fixed=held or None)
    return model.fit(rows) if len(rows) > 1 else model.partial_fit(rows)


def check_what_always_holds(model: MLEDistribution, y: Any) -> None:
    """The score is the log-likelihood, no number is nan, the distance is within the tolerance."""
    rows = np.asarray(y, float)[:, None]
    total = model.score(rows) * len(rows)
    np.testing.assert_allclose(total, model.log_likelihood_, rtol=1e-9, atol=1e-9)
    assert not np.isnan(model.predict(rows)).any()
    if model.status_ == "interior":
        assert model.distance_ <= model.tol


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.title)
def test_number_and_verdict(sample):
    model = fitted(sample.family, sample.held, sample.rows)
    assert model.status_ == sample.status
    for name, value in sample.right.items():
        np.testing.assert_allclose(model.params_[name], value, rtol=sample.rtol)
    if sample.log_likelihood is not None:
        np.testing.assert_allclose(model.log_likelihood_, sample.log_likelihood, atol=2e-6)
    check_what_always_holds(model, sample.rows)


@pytest.mark.parametrize("family", CONTINUOUS)
def test_units_do_not_matter(family):
    plain = fitted(family, {}, POSITIVE)
    for unit in UNITS:
        model = fitted(family, {}, unit * POSITIVE)
        assert model.status_ == plain.status_
        moved = plain.log_likelihood_ - len(POSITIVE) * np.log(unit)
        np.testing.assert_allclose(model.log_likelihood_, moved, rtol=1e-9)
        check_what_always_holds(model, unit * POSITIVE)


# What holds parameters of which law: those that move with the unit of y, and those that do not.
HELD = [
    *((family, {name: 1.5}) for family in CONTINUOUS for name in get_family(family).names),
    ("t", {"loc": 1.5, "scale": 1.5}),
    *((Censored(family), {name: 1.5}) for family in CONTINUOUS[:4] for name in ("loc", "scale")),
    *((Truncated("normal", low=0.0), {name: 1.5}) for name in ("loc", "scale")),
    (Mixture("normal"), {"scale_1": 1.5, "scale_2": 9.0}),
    pytest.param(Mixture("normal"), {"loc_1": 1.5}, marks=pytest.mark.slow),
    pytest.param(Mixture("normal"), {"loc_1": 1.5, "scale_2": 9.0}, marks=pytest.mark.slow),
]


def in_unit(family: str, name: str, value: float, unit: float) -> float:
    """Return a parameter's value where y is measured in another unit."""
    if family == "lognormal" and name == "loc":
        return value + float(np.log(unit))
    plain = name.split("_")[0] in ("df", "shape", "share") or family == "lognormal"
    return value if plain else value * unit


@pytest.mark.parametrize("unit", [1e-300, 1e30, 1e300])
@pytest.mark.parametrize("model", [MLEDistribution, MLERegressor], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(("family", "held"), HELD, ids=str)
def test_units_do_not_matter_where_parameters_are_held(family, held, model, unit):
    """What is held is in the unit of y, too: the fit is the same in all units."""
    X = np.random.default_rng(0).normal(size=(len(POSITIVE), 1))
    found = []
    for u in (1.0, unit):
        y = u * POSITIVE
        if isinstance(family, Censored):
            y = censored(y, event=POSITIVE < 9.0)
        values = {name: in_unit(family, name, value, u) for name, value in held.items()}
        law = model(family, fixed=values)
        found.append(law.fit(X, y) if model is MLERegressor else law.fit(y))
    plain, moved = found
    densities = np.sum(POSITIVE < 9.0) if isinstance(family, Censored) else len(POSITIVE)
    assert moved.status_ == plain.status_ != "not_converged"
    expected = plain.log_likelihood_ - densities * np.log(unit)
    np.testing.assert_allclose(moved.log_likelihood_, expected, rtol=0.0, atol=1e-8)
    if moved.status_ == "interior":
        assert moved.distance_ <= moved.tol
    # The square of 1e300 is no number, and laws with cusps have no errors.
    if moved.status_ == "interior" and unit == 1e30 and not get_family(family).cusps:
        before, after = (fit.inference().standard_errors for fit in found)
        same = np.isclose(after, before, rtol=1e-4)
        np.testing.assert_allclose(after[~same], unit * before[~same], rtol=1e-4)


@pytest.mark.parametrize("trials", MANY_TRIALS)
def test_rare_successes(trials):
    """The waits for a success, and few successes among very many trials, have closed forms."""
    rng = np.random.default_rng(0)
    waits, successes = np.ceil(trials * rng.uniform(1, 9, 20)), rng.integers(0, 9, 20).astype(float)
    wait = fitted("geometric", {}, waits)
    share = MLEDistribution("binomial").fit(np.column_stack([successes, waits]))
    expected = successes.sum() / (successes + waits).sum()
    for model, right in ((wait, 20.0 / waits.sum()), (share, expected)):
        assert model.status_ == "interior" and model.distance_ <= model.tol
        np.testing.assert_allclose(model.params_["probability"], right, rtol=1e-12)
    X = rng.normal(size=(20, 1))
    rows = {"geometric": waits, "binomial": np.column_stack([successes, waits])}
    if trials <= 1e15:  # of more, a number of trials does not tell few failures
        rows["failures"] = np.column_stack([waits, successes])
    for name, y in rows.items():
        model = MLERegressor(name if name == "geometric" else "binomial").fit(X, y)
        assert model.status_ == "interior" and model.distance_ <= model.tol
        # At the maximum as many of the rarer outcomes are expected as there are.
        eta = X @ model.coef_ + model.intercept_
        few, many = (successes, waits) if name != "geometric" else (1.0, waits - 1.0)
        left = few - (few + many) / (1.0 + np.exp(np.abs(eta)))
        np.testing.assert_allclose([left.sum(), (X.T @ left)[0]], 0.0, atol=1e-6)


@pytest.mark.parametrize("size", [1e3, 1e100, 1e154, 1e200, 1e250, 1e280, 1e300])
def test_counts_of_any_size(size):
    y = size * np.arange(1.0, 21.0)
    small = fitted("nbinom", {}, 1e6 * np.arange(1.0, 21.0))
    model = fitted("nbinom", {}, y)
    assert model.status_ == "interior"
    np.testing.assert_allclose(model.params_["mean"], y.mean(), rtol=1e-12)
    # The Poisson part of the variance is 1e-3 of it in the smallest sample alone.
    rtol = 1e-2 if size == 1e3 else 1e-5
    dispersion = small.params_["dispersion"]
    np.testing.assert_allclose(model.params_["dispersion"], dispersion, rtol=rtol)


@pytest.mark.parametrize("far", [1e4, 1e5, 1e6, 1e7, 1e9])
@pytest.mark.parametrize("k", [1, 2, 3, 10, 50])
def test_outliers_leave_a_logistic_law_its_maximum(k, far):
    """Its likelihood is log-concave in (1/scale, loc/scale): only equal rows take the maximum away.

    At the maximum the sums of tanh(z/2), and of z tanh(z/2) less the number of rows, are zero.
    """
    y = np.concatenate([np.random.default_rng(k).normal(size=200), np.full(k, far)])
    model = fitted("logistic", {}, y)
    assert model.status_ == "interior" and model.inference().standard_errors.min() > 0.0
    z = (y - model.params_["loc"]) / model.params_["scale"]
    half = np.tanh(0.5 * z)
    np.testing.assert_allclose([half.mean(), (z * half).mean() - 1.0], 0.0, atol=1e-9)


@pytest.mark.parametrize("family", ["t", "nbinom"])
@pytest.mark.slow
def test_there_is_no_gap_before_a_limit_law(family):
    """Samples mixed so that the maximum comes to the limit law and goes beyond it.

    It is inside or at the boundary for every mixture, and never missing.
    """
    rng = np.random.default_rng(1)
    if family == "t":
        one = np.concatenate([rng.normal(size=60), [4.0, -4.0]])
        ends = [one, np.linspace(-1.5, 1.5, 62)]
    else:
        ends = [np.array([0.0, 1, 2, 3, 4, 5, 6, 9, 12, 2, 3, 1]), np.full(12, 4.0)]
    found = []
    low, high = 0.0, 1.0
    for _ in range(40):
        share = 0.5 * (low + high)
        if family == "t":
            model = fitted(family, {}, (1.0 - share) * np.sort(ends[0]) + share * np.sort(ends[1]))
        else:
            weight = np.repeat([1.0 - share, share], [12, 12]) + 1e-12
            rows = np.concatenate(ends)[:, None]
            model = MLEDistribution(family).fit(rows, sample_weight=weight)
        found.append(model.status_)
        low, high = (share, high) if model.status_ == "interior" else (low, share)
    assert set(found) == {"interior", "boundary"}


@pytest.mark.parametrize("tol", [1e-2, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("family", ["logistic", "t", "gamma", "weibull", "nbinom", "beta"])
def test_a_loose_tolerance_does_not_hide_a_maximum(family, tol):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        y = {
            "nbinom": rng.negative_binomial(2, 0.2, 300).astype(float),
            "beta": rng.beta(2.0, 3.0, 300),
        }.get(family, np.abs(rng.standard_t(2.0, 300)) + 0.1)
        model = MLEDistribution(family, tol=tol).fit(y[:, None])
        assert model.status_ == "interior" and model.distance_ <= tol


@pytest.mark.parametrize("tol", [1e-16, 1e-20, 1e-300])
@pytest.mark.parametrize("family", ["logistic", "t", "gamma", "weibull", "nbinom", "poisson"])
def test_a_tolerance_that_rounding_cannot_meet_is_no_way_to_infinity(family, tol):
    """The fit stops at the maximum, and says only that it is not as near as was asked."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    counts, numbers = rng.poisson(np.exp(X[:, 0])), np.exp(X[:, 0]) * rng.gamma(2.0, 1.0, 200)
    y = counts.astype(float) if family in ("nbinom", "poisson") else numbers
    right, model = (MLERegressor(family, tol=t).fit(X, y) for t in (1e-6, tol))
    assert model.status_ != "no_maximum"
    np.testing.assert_allclose(model.log_likelihood_, right.log_likelihood_, rtol=1e-10)


@pytest.mark.parametrize("family", ["normal", "laplace", "logistic", "t", "lognormal"])
@pytest.mark.parametrize("share", [1e-5, 1e-7, 1e-8, 1e-9, 1e-10])
def test_tiny_residuals_keep_their_digits(family, share):
    """A relation that holds but for a tiny share of y is one with a small scale, not an exact one.

    The fit of the residuals of least squares alone, in their own unit, is the right answer.
    """
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(60, 2)), rng.normal(size=60)
    y = 1.0 + X @ [2.0, 3.0] + share * noise
    columns = np.column_stack([np.ones(60), X])
    inverse = np.linalg.pinv(columns)
    exact = y.astype(np.longdouble) - columns.astype(np.longdouble) @ np.array([1, 2, 3], "g")
    left = np.asarray((exact - columns.astype(np.longdouble) @ (inverse @ exact)) / share, float)
    name = "normal" if family == "lognormal" else family
    right = MLERegressor(name).fit(X, left)
    model = MLERegressor(family).fit(X, np.exp(y) if family == "lognormal" else y)
    assert model.status_ == right.status_ != "no_maximum"
    assert model.distance_ <= model.tol
    # What rounding leaves of y is 1e-15 of it, and exp and log leave ten times as much.
    rtol = (1e-14 if family == "lognormal" else 1e-15) / share + 1e-7
    np.testing.assert_allclose(model.params_["scale"], share * right.params_["scale"], rtol=rtol)
    np.testing.assert_allclose(model.coef_, [2.0, 3.0], atol=share)
    if family != "laplace":  # its errors do not hold, so none are given
        errors = np.sqrt(np.diag(model.inference().covariance))[:2]
        wanted = share * np.sqrt(np.diag(right.inference().covariance))[:2]
        np.testing.assert_allclose(errors, wanted, rtol=10.0 * rtol)


@pytest.mark.parametrize("family", ["normal", "laplace", "logistic", "t"])
@pytest.mark.parametrize("origin", [0.0, 1e6])
def test_what_rounding_leaves_is_exact(family, origin):
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = MLERegressor(family).fit(X, origin + X @ [2.0, 3.0])
    assert model.status_ == "no_maximum"
    np.testing.assert_allclose(model.coef_, [2.0, 3.0], rtol=1e-9)


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian", "lognormal"])
@pytest.mark.parametrize("share", [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_precise_measurements_are_regressed(family, share, unit):
    """Of a tiny spread around a level, each of these laws is the normal law of the deviations."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 1))
    away = X[:, 0] + 0.5 * rng.normal(size=100)
    model = MLERegressor(family).fit(X, unit * (1.0 + share * away))
    assert model.status_ == "interior" and model.distance_ <= model.tol
    right = MLERegressor("normal").fit(X, away)
    rtol = 0.3 * share + 1e-7 + 3e-16 / share  # the last is what y is rounded by
    np.testing.assert_allclose(model.coef_ / share, right.coef_, rtol=rtol)
    known = model.params_
    scale = {
        "gamma": lambda: known["shape"] ** -0.5,
        "inverse_gaussian": lambda: (known["shape"] / unit) ** -0.5,
        "lognormal": lambda: known["scale"],
    }[family]()
    np.testing.assert_allclose(scale / share, right.params_["scale"], rtol=rtol)


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian"])
@pytest.mark.parametrize("held", [False, True], ids=["free", "held"])
def test_precise_measurements_of_groups_are_regressed(family, held):
    """Equal rows of X are one row of sums, and the precision may be known."""
    rng, unit, share = np.random.default_rng(1), 1e6, 1e-9
    X = rng.integers(0, 2, (2000, 2)).astype(float)
    away = X[:, 0] + 0.5 * rng.normal(size=2000)
    shape = 4.0 / share**2 * (unit if family == "inverse_gaussian" else 1.0)
    fixed = {"shape": shape} if held else None
    model = MLERegressor(family, fixed=fixed).fit(X, unit * (1.0 + share * away))
    assert model.status_ == "interior" and model.distance_ <= model.tol
    right = MLERegressor("normal").fit(X, away)
    np.testing.assert_allclose(model.coef_ / share, right.coef_, atol=1e-6)
    errors = np.sqrt(np.diag(model.inference().covariance))[:2]
    wanted = 0.5 / np.sqrt(2000.0 / 4.0)
    np.testing.assert_allclose(errors / share, wanted, rtol=0.1)
