"""The law of a family that is nearest to a given law: pairs of laws, and what holds of each."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import gamma

from skmle import Distribution, MLEDistribution
from skmle.exceptions import BoundaryWarning, NotConvergedWarning
from skmle.families import (
    Binomial,
    Categorical,
    Censored,
    FromLogProb,
    Truncated,
    Uniform,
    get_family,
)
from skmle.information import cross_entropy, entropy, kl_divergence, project
from skmle.information.operands import as_law
from skmle.information.projection import _nearest
from tests.information.laws import brute_force, draw, every_scalar
from tests.subjects import ends_move

# family, law, scipy's law of eta, a start for eta
PAIRS = [
    ("normal", stats.gamma(2.0), lambda a, s: stats.norm(a, np.exp(s)), [1.8, 0.2]),
    ("lognormal", stats.gamma(2.0), lambda a, s: stats.lognorm(np.exp(s), 0, np.exp(a)), [0.3, 0]),
    ("weibull", stats.gamma(2.0), lambda a, s: stats.weibull_min(np.exp(s), 0, np.exp(a)), [1, 0]),
    ("gamma", stats.lognorm(1.2), lambda a, s: stats.gamma(np.exp(s), 0, np.exp(a - s)), [1, 0.1]),
    ("logistic", stats.t(2.5), lambda a, s: stats.logistic(a, np.exp(s)), [0.2, 0.1]),
    ("laplace", stats.skewnorm(3.0), lambda a, s: stats.laplace(a, np.exp(s)), [0.5, -0.5]),
    ("t", stats.skewnorm(3.0), lambda a, s, d: stats.t(np.exp(d), a, np.exp(s)), [0.6, -0.4, 2.5]),
    (
        "beta",
        stats.truncnorm(-1, 1, 0.5, 0.5),
        lambda a, b: stats.beta(np.exp(a), np.exp(b)),
        [0, 0.3],
    ),
    ("exponential", stats.uniform(0, 2), lambda a: stats.expon(0, np.exp(a)), [0.2]),
    (
        "inverse_gaussian",
        stats.gamma(3.0),
        lambda a, s: stats.invgauss(np.exp(a - s), 0, np.exp(s)),
        [0.9, 1.5],
    ),
    (
        "log_logistic",
        stats.lognorm(0.7),
        lambda a, s: stats.fisk(np.exp(s), 0, np.exp(a)),
        [0.1, 1],
    ),
    ("gumbel_r", stats.gamma(3.0), lambda a, s: stats.gumbel_r(a, np.exp(s)), [2.0, 0.1]),
    ("poisson", stats.nbinom(3, 0.4), lambda a: stats.poisson(np.exp(a)), [1.2]),
    ("geometric", stats.logser(0.8), lambda a: stats.geom(1 / (1 + np.exp(-a))), [0.2]),
    (
        "negative_binomial",
        stats.betabinom(40, 1.0, 3.0),
        lambda a, s: stats.nbinom(np.exp(s), 1 / (1 + np.exp(a - s))),
        [2.2, 0.5],
    ),
    (Binomial(trials=10), stats.betabinom(10, 2, 3), lambda a: stats.binom(10, np.exp(a)), [-1]),
]
NAMES = [f"{family}-{law.dist.name}" for family, law, _, _ in PAIRS]
pairs = pytest.mark.parametrize("family, law, made, start", PAIRS, ids=NAMES)


@pytest.mark.slow
@pairs
def test_it_is_what_brute_force_finds(family, law, made, start):
    found = minimize(
        lambda eta: brute_force(law, made(*eta), lambda log_p, log_q: -log_q),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12},
    )
    nearest = project(family, law)
    assert nearest.cross_entropy == pytest.approx(found.fun, abs=1e-8)
    np.testing.assert_allclose(nearest.mean(), made(*found.x).mean(), rtol=1e-5, atol=1e-6)


@pairs
def test_every_law_next_to_it_is_farther(family, law, made, start):
    nearest = project(family, law)
    assert nearest.status == "interior"
    assert nearest.divergence == kl_divergence(law, nearest)
    assert nearest.cross_entropy == cross_entropy(law, nearest)
    for name, value in nearest.params.items():
        for factor in (0.999, 1.001):
            moved = value * factor if abs(value) > 0.01 else value + factor - 1.0
            next_to_it = Distribution(nearest.family, nearest.params | {name: moved})
            assert kl_divergence(law, next_to_it) > nearest.divergence


@pairs
def test_moments_that_suffice_are_matched(family, law, made, start):
    """In families of which the mean is a sufficient statistic, it is that of the law."""
    nearest = project(family, law)
    if get_family(family).shortcuts.starts == "maximum" and "mean" in nearest.params:
        assert nearest.mean() == pytest.approx(law.mean(), rel=1e-10)


@every_scalar
@pytest.mark.parametrize("seed", range(3))
def test_a_law_of_the_family_is_its_own_projection(cls, seed):
    law = draw(cls, np.random.default_rng(seed))
    own = project(law.family, law)
    assert own.divergence == 0.0
    assert own.cross_entropy == entropy(law)
    assert own.params == law.params
    # And the fit finds it, too, without being told.
    if cls is Uniform:
        return  # whose ends scipy rounds
    if ends_move(cls) and law.family.ends(law.theta) != (cls.support.low, cls.support.high):
        return  # found with rounding errors, which may be such that some of the law is cut off
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)
        found, told = _nearest(law.family, None, as_law(law, "law"), law)
    # Next to 1, numbers are too coarse for a beta law that is infinite there; then it says so.
    if not any(category is NotConvergedWarning for category, _ in told):
        assert found.divergence < 1e-9
        assert entropy(found) == pytest.approx(entropy(law), abs=1e-6)


def test_parameters_that_are_known():
    nearest = project("normal", stats.gamma(2.0), fixed={"loc": 1.0})
    assert nearest.params["loc"] == 1.0
    assert nearest.params["scale"] == pytest.approx(np.sqrt(2.0 + 1.0), rel=1e-9)
    assert project("normal", stats.norm(1, 2), fixed={"loc": 1.0}).divergence < 1e-12


@pytest.mark.parametrize(
    "family, law, expected",
    [
        ("bernoulli", [0.3, 0.7], {"probability": 0.7}),
        ("poisson", [0.2, 0.5, 0.3], {"mean": 1.1}),
        ("uniform", stats.beta(0.5, 2.0, 1.0, 3.0), {"low": 1.0, "high": 4.0}),
        ("exponential", Distribution("gamma", {"mean": 2.0, "shape": 3.0}), {"mean": 2.0}),
        ("normal", MLEDistribution("laplace").fit([[0.0], [1.0], [2.0]]), {"loc": 1.0}),
        ("normal", stats.uniform(1e8, 1.0), {"loc": 1e8 + 0.5, "scale": np.sqrt(1 / 12)}),
        ("poisson", stats.nbinom(1e4, 0.01), {"mean": 99e4}),
    ],
    ids=["bernoulli", "poisson", "uniform", "exponential", "normal", "far", "many"],
)
def test_known_values(family, law, expected):
    nearest = project(family, law)
    for name, value in expected.items():
        assert nearest.params[name] == pytest.approx(value, rel=1e-9)


def test_labels():
    law = Distribution(Categorical(["a", "b", "c"]), {"probabilities": [0.2, 0.5, 0.3]})
    nearest = project("categorical", law)
    np.testing.assert_allclose(nearest.params["probabilities"], [0.2, 0.5, 0.3], rtol=1e-12)
    assert nearest.divergence == pytest.approx(0.0, abs=1e-14)


class Hill(stats.rv_continuous):
    def _pdf(self, x):
        return 0.75 * (1.0 - x * x)


def test_laws_known_by_their_density():
    hill = Hill(a=-1.0, b=1.0, name="hill")()
    assert project("normal", hill).params["scale"] == pytest.approx(np.sqrt(0.2), rel=1e-9)
    fourth = FromLogProb(
        lambda y, mu, s: -(((y - mu) / s) ** 4) - np.log(2.0 * s * gamma(1.25)),
        params={"mu": "identity", "s": "log"},
    )
    nearest = project("normal", Distribution(fourth, {"mu": 1.0, "s": 2.0}))
    assert nearest.params["scale"] == pytest.approx(
        2.0 * np.sqrt(gamma(0.75) / gamma(0.25)), rel=1e-9
    )


def test_a_family_around_a_family():
    half = project(Truncated("normal", low=0.0), stats.halfnorm(scale=2.0), fixed={"loc": 0.0})
    assert half.params["scale"] == pytest.approx(2.0, rel=1e-8)
    assert half.divergence == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize(
    "family, law, limit",
    [("t", stats.uniform(-1, 2), "Normal"), ("negative_binomial", stats.binom(9, 0.4), "Poisson")],
)
def test_a_limit_law_may_be_the_nearest(family, law, limit):
    with pytest.warns(BoundaryWarning, match=r"project\("):
        nearest = project(family, law)
    assert type(nearest.family).__name__ == limit
    assert nearest.status == "boundary"
    assert nearest.divergence == pytest.approx(project(limit.lower(), law).divergence, rel=1e-9)


def test_it_is_what_fits_tend_to():
    law = stats.gamma(2.0)
    nearest = project("weibull", law)
    model = MLEDistribution("weibull").fit(law.rvs((100_000, 1), random_state=0))
    errors = model.inference().standard_errors  # near those of a wrong family
    for (name, value), error in zip(nearest.params.items(), errors, strict=True):
        assert abs(model.params_[name] - value) < 4.0 * error
    draws = law.rvs(100_000, random_state=1)
    assert -nearest.logpdf(draws).mean() == pytest.approx(nearest.cross_entropy, abs=0.01)


def test_it_shows_what_it_is():
    assert repr(project("normal", stats.gamma(2.0))) == (
        "Normal(loc=2, scale=1.41421), 0.188296 nats from what it stands for"
    )


@pytest.mark.parametrize(
    "family, law, message",
    [
        ("gamma", stats.norm(100, 1), "a tail beyond y > 0, where the family has none. Allowed: "),
        ("geometric", stats.poisson(3), "the mass 0.0498, such as at 0, where .* Take a family"),
        ("normal", stats.t(1.5), "moments that the family needs do not exist .* heavier tails"),
        ("exponential", stats.pareto(0.9), "infinite at Exponential"),
        ("uniform", stats.norm(), "its support does not hold the whole law. Allowed: "),
        (
            "poisson",
            stats.norm(),
            "is continuous and the family is discrete.* Allowed: a continuous",
        ),
        ("normal", [0.5, 0.5], "is discrete and the family is continuous"),
        ("normal", stats.norm([0.0, 1.0], 1.0), "is 2 laws, of shape .* Allowed: one law. Project"),
        ("normal", stats.multivariate_normal([0.0, 0.0]), "has 2 columns. Allowed: laws and "),
        ("multivariate_normal", stats.norm(), "the family has .* columns. Allowed: "),
        (Censored("normal"), stats.norm(), "the family has 2 or 4 columns. Allowed: "),
    ],
    ids=[
        "tail",
        "mass",
        "moment",
        "mean",
        "ends",
        "continuous",
        "discrete",
        "several",
        "columns",
        "family",
        "censored",
    ],
)
def test_what_cannot_be_projected(family, law, message):
    with pytest.raises(ValueError, match=message):
        project(family, law)


def test_no_law():
    with pytest.raises(TypeError, match="law: got .* which is no law. Allowed: "):
        project("normal", "gamma")
