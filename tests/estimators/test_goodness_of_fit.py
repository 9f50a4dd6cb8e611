"""Goodness of fit: the statistics against their definitions and scipy's, their size and power."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmle import MLEDistribution, MLERegressor, censored, families, goodness_of_fit
from skmle.exceptions import FitWarning
from skmle.inference.distances import STATISTICS, chi_squared, distances, pooled
from tests.subjects import as_columns, every_class, observations, own_name

OF_VALUES = [kind for kind in STATISTICS if kind != "chi_squared"]
every_distance = pytest.mark.parametrize("kind", OF_VALUES)


# ---------------------------------------------------------------- statistics


@every_distance
def test_a_statistic_is_scipys(kind, rng):
    u = rng.random((3, 40))
    found = distances(kind, u.copy())
    expected = {
        "anderson_darling": lambda x: ad_by_definition(x),
        "cramer_von_mises": lambda x: stats.cramervonmises(x, "uniform").statistic,
        "kolmogorov_smirnov": lambda x: stats.kstest(x, "uniform").statistic,
    }[kind]
    np.testing.assert_allclose(found, [expected(line) for line in u], rtol=1e-9)


def ad_by_definition(u):
    """n times the integral of (F(u) - u)^2 / (u (1 - u))."""
    x = np.sort(u)

    def integrand(t):
        return (np.searchsorted(x, t, side="right") / len(x) - t) ** 2 / (t * (1.0 - t))

    ends = [0.0, *x, 1.0]
    pieces = [quad(integrand, a, b)[0] for a, b in itertools.pairwise(ends)]
    return len(x) * sum(pieces)


@every_distance
def test_censored_values_without_censoring_are_all_values(kind, rng):
    """The sum over the steps of Kaplan and Meier's estimate is the closed form."""
    u = rng.random((2, 30))
    event = np.ones((2, 31), bool)
    event[:, 0] = False  # of a value below all others, which tells nothing
    with_one = np.concatenate([np.full((2, 1), 1e-300), u], axis=1)
    share = 31.0 / 30.0 if kind != "kolmogorov_smirnov" else 1.0
    np.testing.assert_allclose(
        distances(kind, with_one, event) / share, distances(kind, u), rtol=1e-9
    )


def test_cells_expect_at_least_five_rows(rng):
    expected = rng.gamma(1.0, 3.0, 60)
    ends = pooled(expected)
    cells = np.diff(np.concatenate([[0.0], np.cumsum(expected)[ends]]))
    assert ends[-1] == 59 and (cells >= 5.0).all() and cells.sum() == pytest.approx(expected.sum())
    observed = rng.poisson(cells).astype(float)
    found = chi_squared(observed[None], cells[None])[0]
    assert found == pytest.approx(((observed - cells) ** 2 / cells).sum())


# ---------------------------------------------------------------- the test


def is_of_numbers(cls) -> bool:
    return cls.observation.columns == 1 and cls.observation.numeric


@every_class(is_of_numbers)
@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
def test_a_law_fits_its_own_rows(cls):
    """Whatever the law: the p-values of three samples of its own are not all small."""
    x = as_columns(observations(cls, 60))
    model = MLEDistribution(own_name(cls)).fit(x)
    if model._fits[0].limit is not None or model.status_ not in ("interior", "non_regular"):
        return
    found = goodness_of_fit(model, x, resamples=39)
    assert 0.0 < found.p_value <= 1.0 and np.isfinite(found.statistic)
    assert len(found.samples) + found.lost == 39 and found.lost < 20
    assert (found.kind == "chi_squared") == cls().support.discrete


DRAWS = {
    "normal": lambda rng: rng.normal(size=(60, 1)),
    "weibull": lambda rng: rng.weibull(1.5, (60, 1)),
    "gamma": lambda rng: rng.gamma(2.0, 1.0, (60, 1)),
    "poisson": lambda rng: rng.poisson(3.0, (60, 1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWS)
def test_the_size_of_the_test(name):
    """Of samples from the law, a share of 10 % has p <= 0.1, within three standard errors."""
    rng, small, count = np.random.default_rng(3), 0, 150
    for _ in range(count):
        x = DRAWS[name](rng)
        model = MLEDistribution(name).fit(x)
        small += goodness_of_fit(model, x, resamples=99, random_state=rng).p_value <= 0.1
    assert abs(small / count - 0.1) < 3.0 * np.sqrt(0.09 / count)


@every_distance
def test_wrong_laws_are_told(kind, rng):
    x = rng.lognormal(0.0, 1.0, (150, 1))
    wrong = goodness_of_fit(MLEDistribution("normal").fit(x), x, statistic=kind, resamples=199)
    right = goodness_of_fit(MLEDistribution("lognormal").fit(x), x, statistic=kind, resamples=199)
    assert wrong.p_value == 0.005 and right.p_value > 0.01


def test_scipys_bootstrap_says_the_same(rng):
    x = rng.normal(size=80)
    ours = goodness_of_fit(MLEDistribution("normal").fit(x[:, None]), x[:, None], resamples=999)
    theirs = stats.goodness_of_fit(
        stats.norm, x, statistic="ad", n_mc_samples=999, rng=np.random.default_rng(0)
    )
    # scipy's normal fit divides by n - 1.
    assert ours.statistic == pytest.approx(theirs.statistic, rel=0.05)
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.06)


def lives(rng, n=200):
    life, end = rng.weibull(1.5, n), rng.exponential(1.5, n)
    return censored(np.minimum(life, end), event=life <= end)


@every_distance
def test_censored_rows(kind, rng):
    rows = lives(rng)
    right, wrong = (
        MLEDistribution(families.Censored(name)).fit(rows) for name in ("weibull", "exponential")
    )
    assert goodness_of_fit(right, rows, statistic=kind, resamples=199).p_value > 0.02
    assert goodness_of_fit(wrong, rows, statistic=kind, resamples=199).p_value < 0.05


def test_rounded_rows(rng):
    x = rng.normal(size=(200, 1)).round(1)
    model = MLEDistribution(families.Rounded("normal", 0.1)).fit(x)
    found = goodness_of_fit(model, x, resamples=99)
    assert found.kind == "chi_squared" and found.cells > 5 and found.p_value > 0.01
    # A law of values between takes the same numbers for a wrong law: they repeat.
    with pytest.raises(ValueError, match=r"statistic='anderson_darling'.*Allowed.*Leave"):
        goodness_of_fit(model, x, statistic="anderson_darling")


def test_regressions_and_pipelines(rng):
    X = rng.normal(size=(150, 2))
    y = rng.gamma(2.0, np.exp(X[:, 0]) / 2.0)
    right = make_pipeline(StandardScaler(), MLERegressor("gamma")).fit(X, y)
    wrong = MLERegressor("normal").fit(X, y)
    assert goodness_of_fit(right, X, y, resamples=99).p_value > 0.02
    assert goodness_of_fit(wrong, X, y, resamples=99).p_value == 0.01
    counts = rng.poisson(np.exp(1.0 + 0.3 * X[:, 0]))
    model = MLERegressor("poisson").fit(X, counts)
    assert goodness_of_fit(model, X, counts, resamples=99).p_value > 0.02


def test_whole_weights_are_repeated_rows(rng):
    x, times = rng.gamma(2.0, 1.0, (40, 1)), rng.integers(1, 4, 40)
    one = MLEDistribution("gamma").fit(x, sample_weight=times)
    many = np.repeat(x, times, axis=0)
    other = MLEDistribution("gamma").fit(many)
    a = goodness_of_fit(one, x, sample_weight=times, resamples=49)
    b = goodness_of_fit(other, many, resamples=49)
    assert a.statistic == pytest.approx(b.statistic, rel=1e-9)
    with pytest.raises(ValueError, match=r"sample_weight has 0\.5.*Allowed.*Use"):
        half = np.full(40, 0.5)
        model = MLEDistribution("gamma").fit(x, sample_weight=half)
        goodness_of_fit(model, x, sample_weight=half)


@pytest.mark.slow
def test_threads_and_seeds_change_nothing(rng):
    x = rng.gamma(2.0, 1.0, (3000, 1))
    one, two = (MLEDistribution("gamma", n_jobs=n).fit(x) for n in (1, 2))
    a, b = (goodness_of_fit(m, x, resamples=200, random_state=4) for m in (one, two))
    np.testing.assert_array_equal(a.samples, b.samples)


def test_it_prints(rng):
    x = rng.gamma(2.0, 1.0, (50, 1))
    found = goodness_of_fit(MLEDistribution("gamma").fit(x), x, resamples=19)
    assert "Anderson-Darling" in repr(found) and "Gamma" in repr(found)
    assert "<table" in found._repr_html_()
    assert list(found.tidy()) == ["test", "statistic", "p_value", "resamples", "lost"]


@pytest.mark.filterwarnings("ignore::skmle.exceptions.FitWarning")
def test_bad_input(rng):
    x = rng.normal(size=(30, 1))
    model = MLEDistribution("normal").fit(x)
    for settings, message in [
        (dict(statistic="ks"), r"statistic='ks'.*Allowed.*Give"),
        (dict(statistic="chi_squared"), r"not for a continuous law.*Allowed.*Leave"),
        (dict(resamples=0), r"resamples=0.*Allowed.*Give"),
    ]:
        with pytest.raises(ValueError, match=message):
            goodness_of_fit(model, x, **settings)
    with pytest.raises(ValueError, match=r"no law of numbers.*Allowed.*Give"):
        goodness_of_fit(StandardScaler().fit(x), x)
    two = MLEDistribution("normal").fit(np.hstack([x, x]))
    with pytest.raises(ValueError, match=r"not numbers of one column.*Allowed.*Fit"):
        goodness_of_fit(two, np.hstack([x, x]))
    rows = np.stack([x[:, 0], x[:, 0] + 1.0], axis=1)
    between = MLEDistribution(families.Censored("normal")).fit(rows)
    with pytest.raises(ValueError, match=r"rows are intervals.*Allowed.*Leave"):
        goodness_of_fit(between, rows)
    with pytest.warns(FitWarning):
        equal = MLEDistribution("normal").fit(np.ones((5, 1)))
    with pytest.raises(ValueError, match=r"status_ is 'no_maximum'.*Allowed.*See"):
        goodness_of_fit(equal, np.ones((5, 1)))


FORGOTTEN = {
    "other rows": lambda X, y, e: (X[:40], y[:40], {"exposure": e[:40]}),
    "no exposure": lambda X, y, e: (X, y, {}),
    "other weights": lambda X, y, e: (X, y, {"exposure": e, "sample_weight": np.full(80, 2)}),
}


@pytest.mark.parametrize("name", FORGOTTEN)
def test_rows_that_are_not_those_of_the_fit_are_refused(name, rng):
    X, e = rng.normal(size=(80, 1)), rng.uniform(0.5, 2.0, 80)
    y = rng.poisson(3.0 * e)
    model = MLERegressor("poisson").fit(X, y, exposure=e)
    given, observed, beside = FORGOTTEN[name](X, y, e)
    with pytest.raises(ValueError, match=r"goodness_of_fit: X and y are not the rows of the fit"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            goodness_of_fit(model, given, observed, resamples=9, **beside)
    assert goodness_of_fit(model, X, y, resamples=9, exposure=e).lost == 0
