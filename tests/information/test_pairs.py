"""Divergences between laws of different families, in the tails and at limits."""

import numpy as np
import pytest
from scipy import stats

from skmle.families import (
    Beta,
    Distribution,
    Exponential,
    Gamma,
    Laplace,
    NegativeBinomial,
    Poisson,
    StudentT,
    Weibull,
)
from skmle.information import cross_entropy, entropy, js_divergence, kl_divergence, perplexity
from tests.information.laws import LOG_2, brute_force, categorical, ratio, surprise

MIXED = [
    (stats.norm(0.3, 1), stats.laplace(0, 1)),
    (stats.laplace(0, 2), stats.norm(1, 1)),
    (stats.t(2.5), stats.norm(0, 1)),
    (stats.gamma(0.3), stats.lognorm(1.2)),
    (stats.weibull_min(1.7), stats.gamma(2.0, scale=0.5)),
    (stats.gamma(1.5), stats.invgauss(1.0)),
    (stats.beta(0.6, 2.0), stats.uniform(0, 1)),
    (stats.uniform(0, 2), stats.norm(1, 0.3)),
    (stats.skewnorm(3.0), stats.norm(0, 1)),
    (stats.gamma(2.0, loc=1.0), stats.expon()),
    (stats.nbinom(0.02, 1 / 501), stats.poisson(10)),
    (stats.poisson(4), stats.nbinom(3, 0.4)),
    (stats.geom(0.3), stats.poisson(2)),
    (stats.binom(7, 0.3), stats.poisson(2)),
    (stats.binom(5, 0.3), stats.binom(7, 0.6)),
    (stats.betabinom(6, 2.0, 3.0), stats.binom(6, 0.4)),
]


@pytest.mark.parametrize("p, q", MIXED, ids=[f"{p.dist.name}-{q.dist.name}" for p, q in MIXED])
def test_kl_between_families(p, q):
    expected = brute_force(p, q, ratio)
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-9)
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + expected, rel=1e-9)


def test_known_values():
    assert entropy(stats.norm(0, 3)) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 9), rel=1e-15)
    assert kl_divergence(stats.norm(0, 1), stats.norm(1, 2)) == pytest.approx(
        np.log(2) + 2 / 8 - 0.5, rel=1e-15
    )
    # Johnson & Sinanovic's example in every textbook: exponentials of rates 2 and 1.
    assert kl_divergence(stats.expon(scale=0.5), stats.expon()) == pytest.approx(
        np.log(2) - 0.5, rel=1e-15
    )
    assert kl_divergence(stats.norm(0, 1), stats.cauchy()) == pytest.approx(
        0.259244532488862, rel=1e-12
    )  # mpmath, 30 digits
    # Beta entropy where scipy 1.17 has 8 correct digits; mpmath, 40 digits.
    assert entropy(stats.beta(1e7, 1e8)) == pytest.approx(-9.08565968406593, rel=1e-13)


# family, parameters of p and of q, D(p || q) of exactly these floats by mpmath with 60 digits,
# relative rounding error.
FAR_AND_NEAR = [
    (
        Gamma,
        (1365.879366447214, 45.71559165379118),
        (28.50386722489548, 1.4802337184857097e-10),
        23.122286507284983,
        1e-13,
    ),
    (
        Gamma,
        (29.451957205781014, 4.174717420985588e-05),
        (29.451955716263186, 4.174717420660228e-05),
        5.642689628132845e-20,
        1e-6,
    ),
    (
        Weibull,
        (0.14430076903133618, 1.2726909962070416),
        (34.356994680633875, 13.994460736650318),
        78.95923836867428,
        1e-13,
    ),
    (
        Weibull,
        (3.5291158882953068, 0.09865003593784734),
        (3.5291157878814334, 0.09865003433185206),
        2.262845423414387e-16,
        1e-6,
    ),
    (
        Laplace,
        (-9.082755042069707, 0.012854030044780014),
        (0.8994890422897992, 439.47295387986316),
        9.462388197577708,
        1e-13,
    ),
    (
        Beta,
        (0.6218533384380731, 2718.5729898256427),
        (0.6550240380604733, 1.482388096074932e-06),
        16.720252206084027,
        1e-12,
    ),
    (
        Beta,
        (0.04735707892123178, 3.432035097022473),
        (0.04735707902632249, 3.432035095155193),
        1.6807602800485555e-18,
        1e-6,
    ),
    (Poisson, (598382077.969232,), (0.0019067700740458234,), 15242038891.226124, 1e-13),
    (Poisson, (27526.234299863267,), (27526.23430162757,), 5.654180884197693e-17, 1e-5),
    (Exponential, (4.183854147407887e-08,), (575.1277716359009,), 22.344040105128965, 1e-13),
]


@pytest.mark.parametrize("family, p, q, expected, rel", FAR_AND_NEAR)
def test_closed_forms_of_far_and_of_nearly_equal_laws(family, p, q, expected, rel):
    one, two = (
        Distribution(family(), dict(zip(family().names, theta, strict=True))) for theta in (p, q)
    )
    assert kl_divergence(one, two) == pytest.approx(expected, rel=rel, abs=0.0)


def test_no_rows_give_no_values():
    none = Distribution(StudentT(), {"loc": np.zeros(0), "scale": 1.0, "df": 4.0})
    assert (
        entropy(none).shape
        == kl_divergence(none, stats.norm(0, 1)).shape
        == js_divergence(none, none).shape
        == (0,)
    )


@pytest.mark.parametrize("df", [2.0001, 2.01, 2.1, 3.0])
def test_slow_tails_are_continued(df):
    # E y^2 of Student's t, whose integral still has e^-0.03 of itself beyond 1e150 at df = 2.0001.
    expected = 0.5 * np.log(2 * np.pi) + 0.5 * df / (df - 2) - entropy(stats.t(df))
    assert kl_divergence(stats.t(df), stats.norm(0, 1)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mean", [10.0, 1e3, 1e6])
def test_heavy_tails_of_counts(mean):
    law = Distribution(NegativeBinomial(), {"mean": mean, "dispersion": 50.0})
    frozen = law.to_scipy()
    if mean < 1e2:
        assert entropy(law) == pytest.approx(brute_force(frozen, frozen, surprise), rel=1e-9)
    # A sum of 1/50 geometric laws, as it were: their closed form holds. log q(y) is rounded to a
    # few 1e-16 y log y.
    other = Distribution(NegativeBinomial(), {"mean": 3.0 * mean, "dispersion": 50.0})
    p, q = 1 / (1 + 50 * mean), 1 / (1 + 150 * mean)
    rounding = 1e-15 * mean * np.log(50 * mean)
    assert kl_divergence(law, other) == pytest.approx(
        kl_divergence(stats.geom(p), stats.geom(q)) / 50, rel=1e-9, abs=rounding
    )


@pytest.mark.parametrize("mean", [1e3, 1e4, 1e5])
def test_long_sums_of_counts(mean):
    series = (
        0.5 * np.log(2 * np.pi * np.e * mean)
        - 1 / (12 * mean)
        - 1 / (24 * mean**2)
        - 19 / (360 * mean**3)
    )
    assert entropy(stats.poisson(mean)) == pytest.approx(series, rel=1e-10)


INFINITE = [
    (stats.norm(0, 1), stats.gamma(2.0)),
    (stats.uniform(0, 2), stats.uniform(0, 1)),
    (stats.expon(), stats.beta(1, 1)),
    (stats.expon(), stats.gamma(2.0, loc=1.0)),
    (stats.cauchy(), stats.norm(0, 1)),
    (stats.t(2), stats.norm(0, 1)),
    (stats.t(1), stats.laplace(0, 1)),
    (stats.uniform(0, 1), stats.invgauss(1.0)),
    (stats.poisson(3), stats.binom(10, 0.5)),
    (stats.poisson(1), stats.randint(0, 200)),
    (stats.poisson(3), stats.geom(0.5)),
    (stats.poisson(3), stats.poisson(0)),
    (stats.bernoulli(0.5), stats.bernoulli(1.0)),
    (stats.binom(5, 0.3), stats.binom(4, 0.3)),
    (stats.poisson(3), stats.poisson(3, loc=0.5)),
    (stats.poisson(1e-20), [1.0]),
    (stats.randint(10, 20), [0.5, 0.5]),
    ([0.5, 0.5], [1.0, 0.0]),
    ([0.5, 0.5], stats.geom(0.5)),
    (categorical("ab", [0.5, 0.5]), categorical("ac", [0.5, 0.5])),
]


@pytest.mark.parametrize("p, q", INFINITE)
def test_impossible_observations_cost_infinity(p, q):
    assert kl_divergence(p, q) == np.inf  # and no warning: pytest makes errors of them
    assert cross_entropy(p, q) == np.inf
    assert perplexity(p, q) == np.inf
    assert 0.0 <= js_divergence(p, q) <= LOG_2


def test_disjoint_laws():
    assert js_divergence(stats.uniform(0, 1), stats.uniform(2, 1)) == pytest.approx(
        LOG_2, rel=1e-12
    )
    assert js_divergence(stats.norm(0, 1), stats.norm(1e3, 1), base=2) == pytest.approx(
        1.0, rel=1e-12
    )
    assert js_divergence(stats.poisson(3, loc=0.5), stats.poisson(3)) == pytest.approx(
        LOG_2, rel=1e-12
    )
    assert js_divergence(stats.binom(3, 0.5), stats.binom(3, 0.5, loc=10)) == pytest.approx(
        LOG_2, rel=1e-12
    )


def test_parameters_at_an_end_of_their_range():
    zero, one = stats.bernoulli(0.0), stats.bernoulli(1.0)
    assert (
        entropy(zero)
        == entropy(one)
        == entropy(stats.poisson(0))
        == entropy(stats.geom(1.0))
        == entropy(stats.binom(3, 0.0))
        == 0.0
    )
    assert kl_divergence(zero, stats.bernoulli(0.25)) == pytest.approx(-np.log(0.75), rel=1e-15)
    assert kl_divergence(stats.poisson(0), stats.poisson(2)) == 2.0
    assert kl_divergence(stats.poisson(0), stats.nbinom(2, 0.5)) == pytest.approx(
        -2 * np.log(0.5), rel=1e-15
    )
    assert kl_divergence(stats.binom(5, 0.0), stats.binom(4, 0.5)) == pytest.approx(
        4 * LOG_2, rel=1e-15
    )
    assert kl_divergence(stats.geom(1.0), stats.geom(0.5)) == pytest.approx(LOG_2, rel=1e-15)
    assert kl_divergence(zero, zero) == kl_divergence(stats.poisson(0), stats.poisson(0)) == 0.0
    np.testing.assert_allclose(
        entropy(Distribution(Poisson(), {"mean": [0.0, 3.0]})),
        [0.0, entropy(stats.poisson(3))],
        rtol=1e-13,
    )


def test_limit_laws():
    no_dispersion = Distribution(NegativeBinomial(), {"mean": [2.0, 3.0], "dispersion": 0.0})
    np.testing.assert_allclose(
        kl_divergence(no_dispersion, stats.poisson(2.0)),
        [0.0, kl_divergence(stats.poisson(3), stats.poisson(2))],
    )
    assert kl_divergence(stats.t(np.inf, 1, 2), stats.norm(1, 2)) == 0.0


def test_singular_ends_of_beta_laws():
    # The mass within 1e-16 of 1 is 0.03 for b = 0.1; mpmath in logarithms of both tails, 30 digits.
    assert js_divergence(stats.beta(0.5, 0.2), stats.beta(0.5, 0.1)) == pytest.approx(
        0.05169171484151783, rel=1e-11
    )
    assert js_divergence(stats.beta(0.2, 0.5), stats.beta(0.1, 0.5)) == pytest.approx(
        0.05169171484151783, rel=1e-11
    )
