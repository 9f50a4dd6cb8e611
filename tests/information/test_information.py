"""Entropy, cross-entropy and divergences: all families x their identities, and against sums written here independently."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.special import entr, expit, logit, rel_entr

from skmle.families import (
    Beta,
    Binomial,
    Categorical,
    Distribution,
    Exponential,
    Gamma,
    Laplace,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    Uniform,
    Weibull,
    all_families,
)
from skmle.families.independent import IndependentColumns
from skmle.information import (
    conditional_entropy,
    cross_entropy,
    empirical_cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
    perplexity,
)

LOG_2 = np.log(2.0)
SCALAR = [family for family in all_families() if family.columns == 1 and family.numeric]
DRAWS = {"identity": lambda z: z, "log": lambda z: np.exp(0.6 * z), "logit": lambda z: expit(z)}
DIVERGENCES = [kl_divergence, js_divergence, cross_entropy]

pairs = pytest.mark.parametrize("seed", [0, 1, 2])
families = pytest.mark.parametrize("family", SCALAR, ids=lambda family: family.__name__)


def draw(family, rng):
    """A law of this family with random parameters; again, if they contradict each other (low > high)."""
    while True:
        theta = {p.name: DRAWS[p.chart.name](rng.normal()) for p in family().parameters}
        law = Distribution(family(), theta)
        if not np.isnan(law.to_scipy().support()).any():
            return law


def draw_pair(family, seed):
    rng = np.random.default_rng(seed)
    p, q = draw(family, rng), draw(family, rng)
    if family is Uniform and seed:  # one of three pairs where a part of p is outside q, two inside
        q = Distribution(Uniform(), {"low": p.params["low"] - seed, "high": p.params["high"] + 0.5})
    return p, q


def brute_force(p, q, gain):
    """E_p[gain(log p, log q)] of frozen scipy laws: the whole sum over masses, or one fine composite Gauss rule."""
    if isinstance(p.dist, stats.rv_discrete):
        low, high = p.support()
        top = 64.0
        while p.sf(low + top) > 1e-18 and low + top < high:
            top *= 2.0
        y = np.arange(low, min(low + top, high) + 1.0)
        y = y[p.pmf(y) > 0]
        return float((p.pmf(y) * gain(p.logpmf(y), q.logpmf(y))).sum())
    if (
        p.dist.name == q.dist.name == "beta"
    ):  # floats are coarse next to 1: its half is the mirrored law's
        mirrored = [stats.beta(*law.args[::-1]) for law in (p, q)]
        return composite(p, q, gain, -300.0, 0.0) + composite(*mirrored, gain, -300.0, 0.0)
    return composite(p, q, gain, -300.0, 36.0 if np.isfinite(p.support()).all() else 300.0)


def composite(p, q, gain, first, last):
    """Gauss's rule on 2000 panels in a coordinate t, cut at medians and ends of supports, where densities have kinks."""
    low, high = p.support()
    centre = p.median()
    if np.isinf(low):
        y, slope, t = (lambda t: centre + np.sinh(t)), np.cosh, (lambda y: np.arcsinh(y - centre))
    elif np.isinf(high):
        y, slope, t = (lambda t: low + np.exp(t)), np.exp, (lambda y: np.log(y - low))
    else:
        width = high - low
        y, slope, t = (
            (lambda t: low + width * expit(t)),
            (lambda t: width * expit(t) * expit(-t)),
            (lambda y: logit((y - low) / width)),
        )
    with np.errstate(all="ignore"):
        cuts = t(np.array([*p.support(), *q.support(), p.median(), q.median()]))
        edges = np.unique(
            np.concatenate([np.linspace(first, last, 2001), cuts[(cuts > first) & (cuts < last)]])
        )
        nodes, weights = np.polynomial.legendre.leggauss(10)
        half = 0.5 * np.diff(edges)[:, None]
        at = edges[:-1, None] + half * (1.0 + nodes)
        mass = p.pdf(y(at)) * slope(at)
        terms = half * weights * mass * gain(p.logpdf(y(at)), q.logpdf(y(at)))
    return float(
        np.where((mass > 1e-40) | np.isfinite(terms), terms, 0.0).sum()
    )  # far out, scipy's densities are 0


def surprise(log_p, log_q):
    return -log_p


def ratio(log_p, log_q):
    return log_p - log_q


def mixture(log_p, log_q):
    return LOG_2 - np.logaddexp(0.0, log_q - log_p)


# ---------------------------------------------------------------- every family


@families
@pairs
def test_entropy_is_the_mean_surprise(family, seed):
    p, _ = draw_pair(family, seed)
    assert entropy(p) == pytest.approx(
        brute_force(p.to_scipy(), p.to_scipy(), surprise), rel=1e-9, abs=1e-10
    )


@families
@pairs
def test_kl_is_the_mean_log_ratio(family, seed):
    p, q = draw_pair(family, seed)
    assert kl_divergence(p, q) == pytest.approx(
        brute_force(p.to_scipy(), q.to_scipy(), ratio), rel=1e-9, abs=1e-10
    )


@families
@pairs
def test_closed_forms_agree_with_the_sums_that_laws_without_them_need(family, seed):
    from skmle.information.operands import as_law

    p, q = draw_pair(family, seed)
    one, two = as_law(p, "p"), as_law(q, "q")
    assert entropy(p) == pytest.approx(
        float(one.expect(one, surprise, 0).value), rel=1e-11, abs=1e-12
    )
    assert kl_divergence(p, q) == pytest.approx(
        float(one.expect(two, ratio, 0).value), rel=1e-11, abs=1e-12
    )


@families
@pairs
def test_js_is_the_mean_of_two_divergences_from_the_mixture(family, seed):
    p, q = draw_pair(family, seed)
    one, two = p.to_scipy(), q.to_scipy()
    expected = 0.5 * (brute_force(one, two, mixture) + brute_force(two, one, mixture))
    assert js_divergence(p, q) == pytest.approx(expected, rel=1e-9, abs=1e-10)


@families
@pairs
def test_identities(family, seed):
    p, q = draw_pair(family, seed)
    kl = kl_divergence(p, q)
    assert kl > 0.0
    assert kl_divergence(p, p) == 0.0
    assert js_divergence(p, p) == pytest.approx(0.0, abs=1e-15)
    assert cross_entropy(p, p) == pytest.approx(entropy(p), rel=1e-14)
    if np.isfinite(kl):
        assert cross_entropy(p, q) - entropy(p) == pytest.approx(kl, rel=1e-12, abs=1e-14)
    assert 0.0 < js_divergence(p, q) <= LOG_2
    assert js_divergence(p, q) == pytest.approx(js_divergence(q, p), rel=1e-12)


@families
def test_kl_keeps_its_digits_next_to_zero(family):
    # D(theta || theta + d) = d'I d/2 + O(d^3): halving a small step divides it by 4. Sums without a closed form hold
    # 1e-16 absolutely.
    p = draw(family, np.random.default_rng(3))
    name = family().names[-1]

    def kl(step):
        return kl_divergence(p, Distribution(p.family, p.params | {name: p.params[name] + step}))

    if family is Uniform:  # D is linear in the step
        assert kl(2e-6) / kl(1e-6) == pytest.approx(2.0, rel=1e-5)
    else:
        size = 1e-5 * float(p.params[name])
        assert kl(2.0 * size) / kl(size) == pytest.approx(4.0, rel=1e-3)


@families
def test_scipy_laws_are_recognised(family):
    p, q = draw_pair(family, 1)
    assert kl_divergence(p.to_scipy(), q.to_scipy()) == pytest.approx(
        kl_divergence(p, q), rel=1e-10
    )
    assert kl_divergence(p.to_scipy(), q) == pytest.approx(kl_divergence(p, q), rel=1e-10)
    assert kl_divergence(p, p.to_scipy()) == pytest.approx(0.0, abs=1e-14)


@families
@pytest.mark.parametrize("measure", DIVERGENCES)
def test_rows_of_parameters(family, measure):
    rng = np.random.default_rng(4)
    ps, q = [draw(family, rng) for _ in range(2)], draw(family, rng)
    rows = Distribution(
        family(), {name: [law.params[name] for law in ps] for name in family().names}
    )
    one_by_one = [measure(p, q) for p in ps]
    np.testing.assert_allclose(measure(rows, q), one_by_one, rtol=1e-12)
    np.testing.assert_allclose(measure(q, rows), [measure(q, p) for p in ps], rtol=1e-12)
    np.testing.assert_allclose(
        measure(rows, rows), [measure(p, p) for p in ps], rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(entropy(rows), [entropy(p) for p in ps], rtol=1e-12)


def test_many_rows_are_cut_into_blocks():
    df = np.linspace(2.0, 9.0, 300)
    law = Distribution(StudentT(), {"loc": 0.0, "scale": 1.0, "df": df})
    values = kl_divergence(law, stats.logistic(0, 1))
    assert values.shape == (300,)
    assert values[200] == pytest.approx(
        kl_divergence(stats.t(df[200]), stats.logistic(0, 1)), rel=1e-12
    )


def test_families_broadcast_against_each_other():
    p = Distribution(Gamma(), {"mean": np.array([[1.0], [2.0]]), "shape": 2.0})
    q = Distribution(Exponential(), {"mean": np.array([1.0, 2.0, 3.0])})
    assert kl_divergence(p, q).shape == (2, 3)
    assert kl_divergence(p, q)[1, 2] == pytest.approx(
        kl_divergence(stats.gamma(2, scale=1.0), stats.expon(scale=3.0))
    )


# ---------------------------------------------------------------- other pairs, tails, limits

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


# family, parameters of p and of q, D(p || q) of exactly these floats by mpmath with 60 digits, relative rounding error.
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
    # A sum of 1/50 geometric laws, as it were: their closed form holds. log q(y) is rounded to a few 1e-16 y log y.
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


def categorical(labels, probabilities):
    return Distribution(Categorical(list(labels)), {"probabilities": probabilities})


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


# ---------------------------------------------------------------- probability vectors and tables


@pytest.fixture
def vectors():
    rng = np.random.default_rng(5)
    return rng.dirichlet(np.ones(4), size=(3, 2)), rng.dirichlet(np.ones(4), size=2)


def test_vectors_over_leading_axes(vectors):
    p, q = vectors
    np.testing.assert_allclose(entropy(p), entr(p).sum(-1), rtol=1e-14)
    np.testing.assert_allclose(kl_divergence(p, q), rel_entr(p, q).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(cross_entropy(p, q), -(p * np.log(q)).sum(-1), rtol=1e-14)
    m = 0.5 * (p + q)
    np.testing.assert_allclose(
        js_divergence(p, q), 0.5 * (rel_entr(p, m) + rel_entr(q, m)).sum(-1), rtol=1e-12
    )
    assert isinstance(kl_divergence(p[0, 0].tolist(), q[0].tolist()), float)


def test_zero_log_zero():
    assert entropy([1.0, 0.0]) == 0.0
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == LOG_2
    assert kl_divergence([1.0, 0.0], [1.0, 0.0]) == 0.0
    assert cross_entropy([0.0, 1.0], [0.0, 1.0]) == 0.0


def test_bernoulli_entropy_curve():
    # Cover & Thomas (2006), figure 2.1.
    p = np.linspace(0.0, 1.0, 101)
    curve = entropy(Distribution(Categorical(2), {"probabilities": np.stack([1 - p, p], axis=-1)}))
    np.testing.assert_allclose(entropy(stats.bernoulli(p)), curve, rtol=1e-13, atol=1e-16)
    assert curve[0] == curve[-1] == 0.0
    assert curve.argmax() == 50
    assert curve[50] == pytest.approx(LOG_2, rel=1e-15)
    assert (np.diff(curve, 2) < 0).all()
    assert entropy(stats.bernoulli(0.11), base=2) == pytest.approx(0.499915958164528, rel=1e-12)


def test_cover_and_thomas_example_of_asymmetry():
    # Example 2.3.1 with r = 1/2 and s = 1/4, in bits.
    assert kl_divergence([0.5, 0.5], [0.75, 0.25], base=2) == pytest.approx(
        1 - 0.5 * np.log2(3), rel=1e-14
    )
    assert kl_divergence([0.75, 0.25], [0.5, 0.5], base=2) == pytest.approx(
        0.75 * np.log2(3) - 1, rel=1e-14
    )


def test_vectors_beside_laws_of_numbers():
    p = [0.2, 0.3, 0.5]
    np.testing.assert_allclose(
        kl_divergence(p, stats.poisson(1)),
        rel_entr(p, stats.poisson(1).pmf([0, 1, 2])).sum(),
        rtol=1e-14,
    )
    assert kl_divergence(stats.bernoulli(0.3), [0.2, 0.8]) == pytest.approx(
        kl_divergence([0.7, 0.3], [0.2, 0.8]), rel=1e-14
    )
    assert kl_divergence(p, stats.rv_discrete(values=([5, 6, 7], p))) == 0.0
    assert kl_divergence(
        stats.rv_discrete(values=([1, 4], [0.5, 0.5])), stats.poisson(2)
    ) == pytest.approx(-0.5 * stats.poisson(2).logpmf([1, 4]).sum() - LOG_2, rel=1e-14)
    y = np.arange(60)
    wide = np.zeros(60)
    wide[:3] = p
    mass = stats.poisson(1).pmf(y)
    m = 0.5 * (wide + mass)
    for one, two in ((p, stats.poisson(1)), (stats.poisson(1), p)):
        assert js_divergence(one, two) == pytest.approx(
            0.5 * (rel_entr(wide, m) + rel_entr(mass, m)).sum(), rel=1e-13
        )
    rows = Distribution(Poisson(), {"mean": [1.0, 2.0]})
    assert kl_divergence(np.tile(p, (3, 1, 1)), rows).shape == (3, 2)


def test_categorical_laws_are_aligned_by_their_labels():
    p, q = categorical("ac", [0.5, 0.5]), categorical("abc", [0.25, 0.5, 0.25])
    assert kl_divergence(p, q) == pytest.approx(LOG_2)
    assert (
        js_divergence(p, q)
        == js_divergence(q, p)
        == pytest.approx(js_divergence([0.5, 0.0, 0.5], [0.25, 0.5, 0.25]))
    )
    assert kl_divergence(p, [0.5, 0.5]) == 0.0


@pytest.fixture
def joint():
    return np.random.default_rng(6).dirichlet(np.ones(12), size=2).reshape(2, 3, 4)


def test_chain_rule(joint):
    x, y = joint.sum(-1), joint.sum(-2)
    flat = joint.reshape(2, 12)
    np.testing.assert_allclose(entropy(flat), entropy(x) + conditional_entropy(joint), rtol=1e-14)
    np.testing.assert_allclose(
        entropy(flat), entropy(y) + conditional_entropy(joint.swapaxes(-1, -2)), rtol=1e-14
    )


def test_mutual_information(joint):
    x, y = joint.sum(-1), joint.sum(-2)
    information = mutual_information(joint)
    np.testing.assert_allclose(
        information, entropy(x) - conditional_entropy(joint.swapaxes(-1, -2)), rtol=1e-12
    )
    np.testing.assert_allclose(information, entropy(y) - conditional_entropy(joint), rtol=1e-12)
    product = x[:, :, None] * y[:, None, :]
    np.testing.assert_allclose(
        information, kl_divergence(joint.reshape(2, 12), product.reshape(2, 12)), rtol=1e-12
    )
    np.testing.assert_allclose(mutual_information(product), 0.0, atol=1e-15)
    assert mutual_information(np.eye(4) / 4, base=4) == pytest.approx(1.0, rel=1e-15)
    assert conditional_entropy(np.eye(4) / 4) == 0.0


def test_table_of_cover_and_thomas():
    # Example 2.2.1, in bits: H(X) = 7/4, H(Y) = 2, H(X|Y) = 11/8, H(Y|X) = 13/8, H(X, Y) = 27/8.
    table = np.array([[4, 2, 1, 1], [2, 4, 1, 1], [2, 2, 2, 2], [8, 0, 0, 0]]) / 32
    assert conditional_entropy(table, base=2) == 11 / 8
    assert conditional_entropy(table.T, base=2) == 13 / 8
    assert entropy(table.ravel(), base=2) == 27 / 8
    assert mutual_information(table, base=2) == pytest.approx(3 / 8, rel=1e-14)


# ---------------------------------------------------------------- units


@pytest.mark.parametrize("base", [2, 10, np.e, np.float32(2.0)])
@pytest.mark.parametrize(
    "p, q",
    [
        ([0.2, 0.8], [0.5, 0.5]),
        (stats.norm(0, 1), stats.norm(1, 2)),
        (stats.t(3), stats.norm(0, 1)),
    ],
)
def test_base(p, q, base):
    unit = np.log(float(base))
    for measure in DIVERGENCES:
        assert measure(p, q, base=base) == pytest.approx(measure(p, q) / unit, rel=1e-14)
    assert entropy(p, base=base) == pytest.approx(entropy(p) / unit, rel=1e-14)
    assert (
        perplexity(p, q, base=base)
        == perplexity(p, q)
        == pytest.approx(float(base) ** cross_entropy(p, q, base=base), rel=1e-13)
    )


@pytest.mark.parametrize("base", [0, 1, -2, np.nan, np.inf, "2"])
def test_no_base(base):
    table = [[0.5, 0.0], [0.0, 0.5]]
    calls = [
        lambda: entropy([1.0], base=base),
        lambda: kl_divergence([1.0], [1.0], base=base),
        lambda: cross_entropy([1.0], [1.0], base=base),
        lambda: js_divergence([1.0], [1.0], base=base),
        lambda: perplexity([1.0], base=base),
        lambda: conditional_entropy(table, base=base),
        lambda: mutual_information(table, base=base),
        lambda: empirical_cross_entropy(stats.norm(), [1.0], base=base),
    ]
    for call in calls:
        with pytest.raises(
            ValueError, match="is no base of a logarithm. Allowed: .* Give 2 for bits"
        ):
            call()


@pytest.mark.parametrize("k", [1, 2, 7, 1000])
def test_perplexity_counts_equally_likely_choices(k):
    uniform = np.full(k, 1 / k)
    assert perplexity(uniform) == pytest.approx(k, rel=1e-13)
    assert perplexity(stats.randint(0, k)) == pytest.approx(k, rel=1e-12)
    skewed = np.arange(1.0, k + 1) / np.arange(1.0, k + 1).sum()
    assert perplexity(skewed, uniform) == pytest.approx(k, rel=1e-13)
    assert perplexity(np.tile(uniform, (3, 1))).shape == (3,)


# ---------------------------------------------------------------- several columns


def test_multivariate_normal():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 3, 5))
    p, q = (stats.multivariate_normal(rng.normal(size=3), root @ root.T) for root in (a, b))
    inverse, shift = np.linalg.inv(q.cov), q.mean - p.mean
    expected = 0.5 * (
        np.trace(inverse @ p.cov)
        - 3
        + shift @ inverse @ shift
        + np.linalg.slogdet(q.cov)[1]
        - np.linalg.slogdet(p.cov)[1]
    )
    assert kl_divergence(p, q) == pytest.approx(expected, rel=1e-12)
    assert entropy(p) == pytest.approx(p.entropy(), rel=1e-13)
    assert cross_entropy(p, q) == pytest.approx(p.entropy() + expected, rel=1e-12)
    ours = Distribution(MultivariateNormal(3), {"mean": p.mean, "covariance": p.cov})
    assert kl_divergence(ours, p) == pytest.approx(0.0, abs=1e-15)
    assert kl_divergence(ours, q, return_standard_error=True) == (kl_divergence(p, q), 0.0)


def test_independent_columns_add():
    p = IndependentColumns([Distribution(Normal(), {"loc": 0.0, "scale": s}) for s in (1.0, 2.0)])
    q = IndependentColumns([Distribution(Normal(), {"loc": 1.0, "scale": s}) for s in (1.0, 3.0)])
    together = [
        stats.multivariate_normal([0, 0], np.diag([1.0, 4.0])),
        stats.multivariate_normal([1, 1], np.diag([1.0, 9.0])),
    ]
    assert kl_divergence(p, q) == pytest.approx(kl_divergence(*together), rel=1e-14)
    assert entropy(p) == pytest.approx(entropy(together[0]), rel=1e-14)
    value, error = kl_divergence(p, together[1], return_standard_error=True)
    assert abs(value - kl_divergence(*together)) < 4 * error


MONTE_CARLO = [
    (
        stats.multivariate_t([0, 1], [[1, 0.2], [0.2, 2]], df=1e7),
        stats.multivariate_normal([0, 0], np.eye(2)),
        0.6635276,
    ),
    (
        stats.multinomial(3, [0.2, 0.3, 0.5]),
        stats.multinomial(3, [0.3, 0.3, 0.4]),
        3 * rel_entr([0.2, 0.3, 0.5], [0.3, 0.3, 0.4]).sum(),
    ),
    (
        stats.dirichlet([2.0, 3.0]),
        stats.dirichlet([3.0, 2.0]),
        kl_divergence(stats.beta(2, 3), stats.beta(3, 2)),
    ),
]


@pytest.mark.parametrize("p, q, expected", MONTE_CARLO)
def test_random_averages_state_their_error(p, q, expected):
    value, error = kl_divergence(p, q, return_standard_error=True)
    assert 0.0 < error < 0.01
    assert abs(value - expected) < 4 * error + 1e-6
    assert kl_divergence(p, q) == value  # the seed is fixed
    assert kl_divergence(p, q, random_state=1) != value
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + value, rel=1e-14)
    assert 0.0 < js_divergence(p, q) < LOG_2


# ---------------------------------------------------------------- data


def test_empirical_cross_entropy_of_laws():
    y = np.array([0.5, 1.0, 4.0])
    law = Distribution(Gamma(), {"mean": 2.0, "shape": 1.5})
    expected = -law.log_prob(y).mean()
    for model in (law, law.to_scipy()):
        assert empirical_cross_entropy(model, y) == pytest.approx(expected, rel=1e-13)
        assert empirical_cross_entropy(model, y[:, None], base=2) == pytest.approx(
            expected / LOG_2, rel=1e-13
        )
        assert empirical_cross_entropy(model, y, sample_weight=[1, 2, 0]) == pytest.approx(
            empirical_cross_entropy(model, [0.5, 1.0, 1.0]), rel=1e-13
        )
        assert empirical_cross_entropy(model, [1.0, -1.0]) == np.inf
        assert np.isfinite(empirical_cross_entropy(model, [1.0, -1.0], sample_weight=[1, 0]))


def test_empirical_cross_entropy_of_a_sample_is_the_cross_entropy_of_its_law():
    y = np.repeat([0, 1, 2], [2, 3, 5])
    assert empirical_cross_entropy(stats.poisson(1.3), y) == pytest.approx(
        cross_entropy([0.2, 0.3, 0.5], stats.poisson(1.3)), rel=1e-14
    )
    labels = np.repeat(["a", "b", "c"], [2, 3, 5])
    law = categorical("abc", [0.25, 0.25, 0.5])
    assert empirical_cross_entropy(law, labels) == pytest.approx(
        cross_entropy([0.2, 0.3, 0.5], [0.25, 0.25, 0.5]), rel=1e-14
    )


def test_empirical_cross_entropy_of_laws_of_several_columns():
    x = np.random.default_rng(8).normal(size=(20, 2))
    normal = stats.multivariate_normal([0, 0], np.eye(2))
    columns = IndependentColumns([Distribution(Normal(), {"loc": 0.0, "scale": 1.0})] * 2)
    ours = Distribution(MultivariateNormal(2), {"mean": np.zeros(2), "covariance": np.eye(2)})
    for model in (normal, columns, ours):
        assert empirical_cross_entropy(model, x) == pytest.approx(
            -normal.logpdf(x).mean(), rel=1e-13
        )
    counts = Distribution(Binomial(), {"probability": 0.3})
    assert empirical_cross_entropy(counts, [[1, 2], [0, 4]]) == pytest.approx(
        -stats.binom([3, 4], 0.3).logpmf([1, 0]).mean(), rel=1e-13
    )


def test_fitted_densities_are_laws():
    from skmle import MLEDistribution

    x = np.random.default_rng(9).gamma(2.0, size=(200, 2))
    one, two = (MLEDistribution("gamma").fit(column[:, None]) for column in x.T)
    assert entropy(one) == entropy(one.distribution_)
    assert kl_divergence(one, two) == kl_divergence(one.distribution_, two.distribution_)
    assert kl_divergence(stats.gamma(2.0), one) == pytest.approx(
        kl_divergence(stats.gamma(2.0), one.distribution_.to_scipy()), rel=1e-9
    )
    both = MLEDistribution("gamma").fit(x)
    assert entropy(both) == pytest.approx(entropy(one) + entropy(two), rel=1e-14)


def test_empirical_cross_entropy_is_minus_the_mean_log_likelihood():
    from sklearn.linear_model import LogisticRegression

    from skmle import MLEDistribution

    rng = np.random.default_rng(10)
    x = rng.gamma(2.0, size=(100, 1))
    weight = rng.uniform(size=100)
    model = MLEDistribution("gamma").fit(x)
    assert empirical_cross_entropy(model, x) == pytest.approx(-model.score(x), rel=1e-14)
    assert empirical_cross_entropy(model, x, sample_weight=weight, base=2) == pytest.approx(
        -model.score(x, sample_weight=weight) / LOG_2, rel=1e-14
    )
    y = rng.integers(3, size=100)
    classifier = LogisticRegression().fit(x, y)
    expected = -np.log(classifier.predict_proba(x)[np.arange(100), y]).mean()
    assert empirical_cross_entropy(classifier, x, y) == pytest.approx(expected, rel=1e-12)


# ---------------------------------------------------------------- errors

ERRORS = [
    (
        lambda: entropy([0.5, 0.6]),
        ValueError,
        "p: 1 of 1 probability vectors do not sum to 1; the first sums to 1.1. Allowed: .* divide by",
    ),
    (
        lambda: entropy([[0.5, 0.5], [0.5, 0.4]]),
        ValueError,
        "p: 1 of 2 probability vectors do not sum to 1; the first sums to 0.9",
    ),
    (lambda: entropy([50.0, 50.0]), ValueError, "sums to 100"),
    (
        lambda: entropy([-0.5, 1.5]),
        ValueError,
        r"p: 1 of 2 entries are no probabilities, the first .*-0.5.* at \(0,\)",
    ),
    (lambda: entropy([np.nan, 1.0]), ValueError, "entries are no probabilities"),
    (lambda: entropy([]), ValueError, r"shape \(0,\) holds no probability vector"),
    (
        lambda: entropy(0.5),
        TypeError,
        "which is no law. Allowed: probability vectors, frozen scipy",
    ),
    (lambda: entropy(np.array(0.5)), ValueError, "holds no probability vector"),
    (lambda: entropy(["a"]), TypeError, "no array of numbers"),
    (lambda: entropy("norm"), TypeError, "p: got 'norm' of type str, which is no law"),
    (lambda: entropy(stats.gamma), TypeError, "scipy.stats.gamma without its a. .* Freeze it"),
    (lambda: entropy(stats.norm(0, -1)), ValueError, "scipy.stats.norm has no law with .*scale=-1"),
    (lambda: entropy(stats.vonmises(2.0)), ValueError, "has the mass inf over its support"),
    (
        lambda: entropy(stats.wishart(3, np.eye(2))),
        TypeError,
        r"an observation of wishart has the shape \(2, 2\)",
    ),
    (
        lambda: entropy(stats.multivariate_normal([0, 0], np.ones((2, 2)), allow_singular=True)),
        ValueError,
        "p: .* eigenvalue .* definite",
    ),
    (
        lambda: kl_divergence([0.5, 0.5], stats.norm(0, 1)),
        ValueError,
        "p is discrete .* and q is continuous .*: masses and densities",
    ),
    (
        lambda: js_divergence(stats.norm(0, 1), stats.poisson(1)),
        ValueError,
        "p is continuous .* and q is discrete",
    ),
    (lambda: kl_divergence([0.5, 0.5], [0.2, 0.3, 0.5]), ValueError, "p has 2 entries and q has 3"),
    (
        lambda: kl_divergence(stats.norm(0, 1), stats.multivariate_normal([0, 0])),
        ValueError,
        "p is a law of 1 columns .* and q of 2",
    ),
    (
        lambda: kl_divergence(np.full((2, 2), 0.5), np.full((3, 2), 0.5)),
        ValueError,
        r"rows of shape \(2,\) and q of shape \(3,\)",
    ),
    (
        lambda: kl_divergence(categorical("ab", [0.5, 0.5]), stats.poisson(1)),
        ValueError,
        "labels of a categorical law of 2 entries are not numbers, the first is .*'a'",
    ),
    (
        lambda: conditional_entropy([0.5, 0.5]),
        ValueError,
        r"joint: an array of shape \(2,\) holds no probability table",
    ),
    (
        lambda: mutual_information([[0.5, 0.1], [0.1, 0.1]]),
        ValueError,
        "joint: 1 of 1 probability tables .* the first sums to 0.8",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0], [2.0]),
        ValueError,
        "a law has no target",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [[1.0, 2.0]]),
        ValueError,
        r"X of shape \(1, 2\) does not hold observations",
    ),
    (lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, np.nan]), ValueError, "NaN"),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, 2.0], sample_weight=[1.0]),
        ValueError,
        r"the shape is \(1,\), but X has 2",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, 2.0], sample_weight=[0, 0]),
        ValueError,
        "all 2 weights are zero",
    ),
    (
        lambda: empirical_cross_entropy(stats.norm(0, 1), [1.0, 2.0], sample_weight=[1, -1]),
        ValueError,
        r"1 of 2 rows \(row 1: -1\)",
    ),
    (
        lambda: empirical_cross_entropy(
            Distribution(Poisson(), {"mean": [1.0, 2.0]}), [1.0, 2.0, 3.0]
        ),
        ValueError,
        "does not hold",
    ),
]


@pytest.mark.parametrize("call, kind, match", ERRORS)
def test_errors_say_what_and_what_to_do(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


def test_an_unfitted_estimator_is_no_law():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(TypeError, match="Fit it first"):
        entropy(LogisticRegression())


def test_rounding_of_probabilities_is_let_pass():
    assert entropy([1 / 3, 1 / 3, 1 / 3 + 3e-9]) == pytest.approx(np.log(3), rel=1e-8)


def test_no_warning_leaks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        singular = stats.gamma(0.02), stats.beta(0.05, 30), stats.nbinom(0.01, 1e-5)
        for law in (*singular, stats.t(0.3), stats.lognorm(5.0), stats.poisson(1e12)):
            assert np.isfinite(entropy(law))
            assert js_divergence(law, law) == pytest.approx(0.0, abs=1e-12)
        assert js_divergence(
            Distribution(Laplace(), {"loc": 1e3, "scale": 1e-2}), stats.laplace(0, 1)
        ) == pytest.approx(LOG_2, rel=1e-12)
        assert (
            js_divergence(Distribution(Beta(), {"mean": 1e-3, "precision": 1e4}), stats.beta(1, 1))
            < LOG_2
        )
