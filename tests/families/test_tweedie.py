"""The Tweedie law, which has a mass at zero beside its density."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtri, wright_bessel
from sklearn.linear_model import TweedieRegressor

from skmle import MLEDistribution, MLERegressor
from skmle.exceptions import BoundaryWarning, FitWarning
from skmle.families import Family, Hurdle, ZeroInflated
from skmle.families.differences import differences
from skmle.families.tweedie import Tweedie

LAWS = [(2.0, 1.2, 1.4), (5.0, 0.3, 1.7), (0.5, 2.0, 1.1), (100.0, 0.01, 1.5)]
FAMILY = Tweedie()
NORMAL = ndtri((np.arange(100) + 0.5) / 100)  # scores of positive numbers with a longer tail

every_law = pytest.mark.parametrize("law", LAWS, ids=str)


def theta(law):
    return tuple(map(np.asarray, law))


def drawn(law, n, seed=0):
    return FAMILY.sample(theta(law), (n,), np.random.default_rng(seed))


@pytest.mark.parametrize("law", LAWS[:3], ids=str)
def test_density_by_wrights_function(law):
    y = drawn(law, 200)
    found = FAMILY.log_prob(y, FAMILY.eta(theta(law)))
    np.testing.assert_allclose(found, by_wrights_function(y, *law), rtol=1e-11)


@every_law
def test_derivatives(law):
    statistics = FAMILY.statistics(drawn(law, 50))
    for rows in (False, True):
        eta = FAMILY.eta(theta(law))
        if rows:
            eta = tuple(np.full(50, e) for e in eta)
        found = FAMILY.evaluate(statistics, eta)
        known = differences(lambda e: FAMILY.evaluate(statistics, e, 0).value, eta, 2)
        size = 1.0 + np.abs(found.value)
        for ours, theirs in zip(found.gradient, known.gradient, strict=True):
            np.testing.assert_allclose(ours / size, theirs / size, rtol=1e-7, atol=1e-7)
        for ours, theirs in zip(found.packed, known.packed, strict=True):
            np.testing.assert_allclose(ours / size, theirs / size, rtol=1e-4, atol=1e-4)


@every_law
@pytest.mark.parametrize("upper", [True, False])
def test_derivatives_of_tails(law, upper):
    for family in (FAMILY, FAMILY.dense):
        y = drawn(law, 30)
        y = y[family.contains(y)]
        statistics, eta = family.statistics(y), FAMILY.eta(theta(law))
        found, known = (
            family.tail(statistics, eta, upper),
            Family.tail(family, statistics, eta, upper),
        )
        np.testing.assert_allclose(found.value, known.value, rtol=1e-12)
        for ours, theirs in zip(found.gradient, known.gradient, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)
        for ours, theirs in zip(found.packed, known.packed, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@every_law
def test_both_parts_are_all_of_the_law(law):
    eta, y = FAMILY.eta(theta(law)), 1.1 * law[0]

    def density(x):
        return float(np.exp(FAMILY.log_prob(np.array([x]), eta))[0])

    cuts = (0.0, y / 100.0, y / 2.0, y)
    pieces = [quad(density, a, b, limit=400, epsabs=1e-13)[0] for a, b in pairwise(cuts)]
    below = float(np.exp(FAMILY.log_prob(np.zeros(1), eta))[0]) + sum(pieces)
    np.testing.assert_allclose(FAMILY.cdf(y, theta(law)), below, rtol=1e-9)
    np.testing.assert_allclose(FAMILY.sf(y, theta(law)), 1.0 - below, atol=1e-9)


def by_wrights_function(y, mean, dispersion, power):
    rate = mean ** (2.0 - power) / (dispersion * (2.0 - power))
    shape = (2.0 - power) / (power - 1.0)
    scale = dispersion * (power - 1.0) * mean ** (power - 1.0)
    some = np.where(y > 0.0, y, 1.0)
    series = wright_bessel(shape, 0.0, rate * (some / scale) ** shape)
    return np.where(y > 0.0, np.log(series / some) - some / scale, 0.0) - rate


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_density_in_any_unit(unit):
    y = drawn(LAWS[0], 1000)
    model = MLEDistribution(Tweedie()).fit(unit * y[:, None])
    assert model.status_ == "interior"
    mean, dispersion, power = (model.params_[name] for name in FAMILY.names)
    # The most likely mean is that of the data, as of every exponential dispersion model.
    np.testing.assert_allclose(mean, unit * y.mean(), rtol=1e-7)
    dispersion *= unit ** (power - 2.0)
    best = by_wrights_function(y, mean / unit, dispersion, power).sum()
    counts = np.count_nonzero(y) * np.log(unit)
    np.testing.assert_allclose(model.log_likelihood_ + counts, best, rtol=1e-10)
    for factor in (0.995, 1.005):
        assert by_wrights_function(y, mean / unit, factor * dispersion, power).sum() < best
        moved = 1.0 + factor * (power - 1.0)
        adjusted = dispersion * (mean / unit) ** (power - moved)
        assert by_wrights_function(y, mean / unit, adjusted, moved).sum() < best


def regression(n=500):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    mean = np.exp(0.5 + 0.3 * X[:, 0])
    return X, FAMILY.sample((mean, np.full(n, 1.2), np.full(n, 1.6)), (n,), rng)


def test_mean_is_that_of_other_programs():
    """With the power held, quasi-likelihood has the same mean; the dispersion may have a model."""
    sm = pytest.importorskip("statsmodels.api")
    X, y = regression()
    model = MLERegressor(Tweedie(), fixed={"power": 1.5}, tol=1e-10).fit(X, y)
    law = sm.families.Tweedie(link=sm.families.links.Log(), var_power=1.5)
    theirs = sm.GLM(y, sm.add_constant(X), family=law).fit(tol=1e-14, maxiter=200)
    np.testing.assert_allclose([model.intercept_, *model.coef_], theirs.params, rtol=1e-8)
    glm = TweedieRegressor(power=1.5, alpha=0.0, link="log", solver="newton-cholesky", tol=1e-12)
    glm.fit(X, y)
    ours, theirs = [model.intercept_, *model.coef_], [glm.intercept_, *glm.coef_]
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)
    free = MLERegressor(Tweedie()).fit(X, y)
    more = MLERegressor(Tweedie(), features={"mean": [0, 1], "dispersion": [0]}).fit(X, y)
    assert model.log_likelihood_ < free.log_likelihood_ < more.log_likelihood_


def test_affairs_as_in_r():
    """R's glm with statmod's tweedie(1.5, 0), as statsmodels prints it (FairTweedieLog15)."""
    sm = pytest.importorskip("statsmodels.api")
    fair = sm.datasets.fair.load_pandas().data
    X, y = fair[["rate_marriage", "age", "yrs_married"]], fair["affairs"]
    model = MLERegressor("tweedie", fixed={"power": 1.5}, fit_intercept=False).fit(X, y)
    printed = [-0.389168171340452, 0.0670222370664611, -0.0970852004566712]
    np.testing.assert_allclose(model.coef_, printed, rtol=2e-5)
    fitted = [1.10897954981504, 0.537938133372725, 0.722602160018842]
    np.testing.assert_allclose(model.predict(X)[:3], fitted, rtol=2e-5)


def test_exposure_moves_the_mean():
    X, y = regression()
    years = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    whole = np.column_stack([X, years])
    model = MLERegressor("tweedie", exposure=2, fixed={"power": 1.5}).fit(whole, y)
    doubled = MLERegressor("tweedie", exposure=2, fixed={"power": 1.5})
    doubled.fit(np.column_stack([X, 2.0 * years]), y)
    np.testing.assert_allclose(doubled.coef_, model.coef_, rtol=1e-6)
    np.testing.assert_allclose(doubled.intercept_, model.intercept_ - np.log(2.0), rtol=1e-6)


# ---------------------------------------------------------------- verdicts


def fitted(y, **settings):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", FitWarning)
        model = MLEDistribution("tweedie", **settings).fit(np.asarray(y, float)[:, None])
    return model, "".join(str(warning.message) for warning in told)


@pytest.mark.parametrize(("mean", "unit"), [(0.5, 1.0), (2.0, 1e-6), (30.0, 0.1)])
@pytest.mark.slow
def test_counts_of_a_unit(mean, unit):
    """The density of multiples of a unit grows without bound as power tends to 1."""
    y = unit * np.random.default_rng(0).poisson(mean, 200)
    model, told = fitted(y)
    assert model.status_ == "no_maximum"
    assert f"all observations are multiples of {unit:g}" in told
    np.testing.assert_allclose(model.params_["dispersion"], unit, rtol=1e-3)
    assert fitted(y, fixed={"power": 1.5})[0].status_ == "interior"


def test_rounded_amounts_have_a_maximum():
    """Those are multiples, too, but of too many units to be counts of them."""
    y = drawn(LAWS[0], 500)
    exact, rounded = fitted(y)[0], fitted(np.round(y, 2))[0]
    assert exact.status_ == rounded.status_ == "interior"
    np.testing.assert_allclose(rounded.params_["power"], exact.params_["power"], atol=0.02)


@pytest.mark.slow
def test_few_values():
    model, told = fitted(np.zeros(20))
    assert model.status_ == "boundary" and "all its mass" in told
    assert abs(model.log_likelihood_) < 1e-100 and model.params_["mean"] == 0.0
    for y in (np.full(20, 3.0), np.repeat([0.0, 3.0], 10), np.repeat([0.0, 1.0, 2.0], 10)):
        model, told = fitted(y)
        assert model.status_ == "no_maximum" and "without bound" in told
    assert fitted(np.repeat([0.0, 3.0], 10), fixed={"power": 1.5})[0].status_ == "interior"
    assert fitted(np.full(20, 3.0), fixed={"power": 1.5})[0].status_ == "no_maximum"


def test_without_zeros_the_gamma_law_may_be_likelier():
    y = np.exp(0.6 * NORMAL)
    model, told = fitted(y)
    gamma = MLEDistribution("gamma").fit(y[:, None])
    assert model.status_ == "boundary" and "power tends to 2" in told
    np.testing.assert_allclose(model.log_likelihood_, gamma.log_likelihood_, rtol=1e-12)
    np.testing.assert_allclose(model.params_["dispersion"], 1.0 / gamma.params_["shape"], rtol=1e-6)


@pytest.mark.parametrize("wrapper", [ZeroInflated, Hurdle])
def test_zeros_of_two_kinds(wrapper):
    """Where all zeros are added ones, what is left is the gamma law."""
    y = np.append(np.exp(0.3 * NORMAL), np.zeros(50))
    with pytest.warns(BoundaryWarning, match="power tends to 2"):
        model = MLEDistribution(wrapper("tweedie")).fit(y[:, None])
    alone = MLEDistribution(wrapper("gamma")).fit(y[:, None])
    np.testing.assert_allclose(model.log_likelihood_, alone.log_likelihood_, rtol=1e-12)


def test_zeros_may_be_told_apart():
    """The amounts tell how many zeros are the law's own: the others are added."""
    y = np.append(drawn((2.0, 1.2, 1.4), 20_000), np.zeros(5000))
    model = MLEDistribution(ZeroInflated("tweedie")).fit(y[:, None])
    assert model.status_ == "interior"
    errors = np.sqrt(np.diag(model.inference().covariance))
    assert (errors < 0.1).all()
    np.testing.assert_allclose(model.params_["zeros"], 0.2, atol=0.02)
    np.testing.assert_allclose(model.params_["power"], 1.4, atol=0.02)


@pytest.mark.parametrize("power", [1.02, 1.05])
def test_clusters_around_multiples(power):
    """The likelihood has a maximum for each of several units: the fit is at the best of them."""
    law = (1.0, 0.5, power)
    for seed in range(5):
        y = drawn(law, 30, seed)
        truth = FAMILY.log_prob(y, FAMILY.eta(theta(law))).sum()
        assert fitted(y)[0].log_likelihood_ >= truth
