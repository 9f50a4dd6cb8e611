"""Every family far out.

|eta| = 30, limit laws, directions to infinity, ends of supports and of parameters' ranges.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import gammaln
from sklearn.base import clone

from skmle import MLEDistribution, families
from skmle.families import Beta, Distribution, Support, get_family
from skmle.families.base import IDENTITY, LOG
from skmle.families.ends import place, places, towards_limits
from tests.families.laws import (
    assert_moments,
    atoms,
    counted,
    draw,
    frozen,
    has_rows,
    jets,
    natural,
    observations,
    points,
    positions,
    tail_points,
)
from tests.subjects import RELINKED, SUBJECTS, beside_limit, every, law_at_limit, narrows

pytestmark = pytest.mark.filterwarnings("error")


# ---------------------------------------------------------------- far out


@every(SUBJECTS)
@pytest.mark.parametrize("size", [15.0, 30.0])
def test_far_out(family, size, rng):
    """log_prob at |eta| = 30.

    No warning, no nan, and finite unless the density is truly zero to the last bit.
    """
    middle = points(family, 1)[0]
    y = draw(family, middle, 20, rng)
    for eta in tail_points(family, size):
        log_prob = family.log_prob(y, family.linked(eta))
        assert not np.isnan(log_prob).any() and np.all(log_prob < np.inf)
        if not family.support.smooth:
            continue
        if not np.isfinite(log_prob).all():
            with np.errstate(all="ignore"):
                law = frozen(family, natural(family, eta))
                theirs = (law.logpmf if counted(family) else law.logpdf)(positions(family, y))
            assert np.all(np.isfinite(log_prob) | (theirs == -np.inf) | np.isnan(theirs))
        if has_rows(family) and not family.nonregular(eta):
            own, ends = draw(family, eta, 20, rng), family.ends(natural(family, eta))
            if not family.support.fixed:  # an end that moves may round to the other side
                own = own[(ends[0] < own) & (own < ends[1])]
            assert len(own) == 0 or np.isfinite(family.log_prob(own, family.linked(eta))).all()


LIMITS = {
    f"{name}-{limit.parameter}-{limit.value:.3g}": (family, limit)
    for name, family in SUBJECTS.items()
    for limit in (*family.limits, *family.limits_of_tails)
}

every_limit = pytest.mark.parametrize(("family", "limit"), LIMITS.values(), ids=LIMITS)


@every_limit
@pytest.mark.parametrize("far", [30.0, 34.0, 40.0])
def test_limit_law(family, limit, far, rng):
    """At |eta| >= 30 the value, and the derivatives in the other parameters, are the limit law's to
    1e-10.
    """
    index = place(family, limit.parameter)
    chart = family.parameters[index].chart
    end = np.copysign(far, chart.eta(np.asarray(limit.value)))
    others = places(family, limit)
    assert sorted([index, *others]) == [*range(len(family.parameters))]
    assert chart.theta(np.copysign(np.inf, end)) == limit.value
    for eta in points(family):
        eta = tuple(np.asarray(end) if j == index else e for j, e in enumerate(eta))
        law, rest = law_at_limit(family, limit, eta)
        own = [p.name not in limit.constant for p in law.parameters]
        same = np.flatnonzero(own)  # the parameters of one chart
        both = [others[i] for i in same]
        y = draw(law, rest, 40, rng)
        for rows in (False, True) if has_rows(family) else (False,):
            if rows:
                eta, rest = (tuple(np.full(len(y), e) for e in es) for es in (eta, rest))
            np.testing.assert_allclose(
                family.log_prob(y, eta), law.log_prob(y, rest), rtol=1e-10, atol=1e-10
            )
            _, gradient, curvature = jets(
                family.evaluate(family.statistics(y), eta), len(eta), len(y)
            )
            _, wanted, bend = jets(law.evaluate(law.statistics(y), rest), len(rest), len(y))
            np.testing.assert_allclose(gradient[:, both], wanted[:, same], rtol=1e-10, atol=1e-10)
            at = np.arange(len(y))
            np.testing.assert_allclose(
                curvature[np.ix_(at, both, both)], bend[np.ix_(at, same, same)], 1e-10, 1e-10
            )
            np.testing.assert_allclose(gradient[:, index], 0.0, atol=1e-10)
            np.testing.assert_allclose(curvature[:, index], 0.0, atol=1e-10)


@every_limit
@pytest.mark.slow
def test_distribution_at_the_limit(family, limit, rng):
    """A parameter at its limit is a law like any other, as is one a rounding away from it."""
    chart = family.parameters[place(family, limit.parameter)].chart
    near = next(
        float(chart.theta(e)) for e in (-30.0, 30.0) if chart.theta(e * np.inf) == limit.value
    )
    for eta in points(family, 2):
        law, rest = law_at_limit(family, limit, family.linked(eta))
        theirs = Distribution.of(law, law.natural(rest))
        y = theirs.rvs(50, random_state=0)
        for value in (limit.value, near):
            ours = beside_limit(family, limit, theirs, value)
            np.testing.assert_allclose(ours.log_prob(y), theirs.log_prob(y), rtol=1e-10, atol=1e-10)
            if family.observation.columns is None:
                for method in ("mean", "cov", "entropy"):
                    np.testing.assert_allclose(
                        getattr(ours, method)(), getattr(theirs, method)(), rtol=1e-9, atol=1e-12
                    )
                assert_moments(theirs.family, rest, ours.rvs(2000, random_state=0))
                continue
            for method in ("cdf", "sf"):
                found, wanted = getattr(ours, method)(y), getattr(theirs, method)(y)
                # What never happens under the limit law happens once in 1e13 times next to it.
                rare = (wanted == 0.0) & (found < 10.0 * min(near, 1.0 / near))
                np.testing.assert_allclose(np.where(rare, 0.0, found), wanted, rtol=1e-9)
            for method in ("mean", "var", "std", "entropy", "median"):
                found, wanted = getattr(ours, method)(), getattr(theirs, method)()
                if np.isinf(wanted) and value != limit.value:  # it is large next to the limit
                    assert np.abs(found) > 1e9
                else:
                    np.testing.assert_allclose(found, wanted, rtol=1e-9)
            np.testing.assert_allclose(
                ours.ppf([0.01, 0.3, 0.9]), theirs.ppf([0.01, 0.3, 0.9]), rtol=1e-9
            )
            np.testing.assert_allclose(
                ours.isf([0.01, 0.3, 0.9]), theirs.isf([0.01, 0.3, 0.9]), rtol=1e-9
            )
            draws = ours.rvs(2000, random_state=0)
            assert np.isfinite(draws).all()
            if np.isfinite(theirs.var()):
                gap = np.mean(positions(family, draws)) - theirs.mean()
                assert abs(gap) < 5.0 * theirs.std() / np.sqrt(2000)


@every(SUBJECTS)
def test_recession(family, rng):
    """The growth of -log q along a direction, far out.

    Inf where it is faster than any line, or of unknown positive slope; nan of counts where it is
    not known.
    """
    middle = points(family, 1)[0]
    k = len(middle)
    y = draw(family, middle, 12, rng)
    statistics = family.statistics(y)
    # As far out as the numbers reach where eta are logarithms or logits.
    far = 1e3 if all(p.chart is IDENTITY for p in family.parameters) else 1e2
    directions = (
        [d for d in itertools.product((-1.0, 0.0, 1.0), repeat=k) if any(d)] if k <= 3 else []
    )
    directions += [tuple(rng.choice([-2.0, -1.3, -0.6, 0.6, 1.3, 2.0], size=k)) for _ in range(8)]
    for direction in directions:
        delta = tuple(map(np.asarray, direction))
        growth = family.recession(statistics, delta)
        if growth is None:
            return
        growth = np.broadcast_to(growth, len(y))
        in_rows = family.recession(statistics, tuple(np.full(len(y), d) for d in direction))
        np.testing.assert_array_equal(in_rows, growth)

        def value(t, direction=direction):
            return jets(
                family.evaluate(
                    statistics, tuple(e + t * d for e, d in zip(middle, direction, strict=True)), 0
                ),
                k,
                len(y),
            )[0]

        with np.errstate(invalid="ignore"):  # both may be infinite
            quotient = (value(2.0 * far) - value(far)) / far
        finite = np.isfinite(growth)
        np.testing.assert_allclose(quotient[finite], growth[finite], rtol=1e-9, atol=1e-9)
        # Towards a limit law -log q may rise to that of the limit, also where several parameters
        # go there together; the end of that rise is below rounding.
        rises = (quotient > 1e-3) | towards_limits(family, delta) | (value(20.0) > value(10.0))
        unknown = np.isnan(growth) & narrows(family)
        assert np.all(rises[~finite & ~unknown])


# ---------------------------------------------------------------- support


@every(SUBJECTS, lambda family: family.observation.columns == 1 and family.observation.numeric)
def test_support_of_one_column(family):
    support = family.support
    eta = points(family, 1)[0]
    for edge, closed, out in (
        (support.low, support.closed[0], -1.0),
        (support.high, support.closed[1], 1.0),
    ):
        assert not family.contains(np.array([out * np.inf, np.nan])).any()
        if np.isinf(edge):
            assert family.contains(np.array([out * 1e300])).all()
            continue
        beyond = np.nextafter(edge, out * np.inf)
        np.testing.assert_array_equal(
            family.contains(np.array([edge, edge + out, beyond])), [closed, False, False]
        )
        inside = np.array([edge - out * (1.0 if support.whole else 1e-9)])
        assert family.contains(inside).all()
        log_prob = family.log_prob(np.array([edge + out, beyond, edge]), family.linked(eta))
        assert np.all(log_prob[:2] == -np.inf) and np.isfinite(log_prob[2]) == closed
    middle = draw(family, eta, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(family.contains(np.floor(middle) + 0.5) & support.whole, False)


@every(SUBJECTS)
def test_log_prob_outside_the_support(family, rng):
    """-inf without a warning, whether some, all or none of the rows are outside."""
    eta = points(family, 1)[0]
    y = draw(family, eta, 6, rng)
    if not family.observation.numeric:
        outside = np.array([-5])
    elif family.observation.columns == 1:
        outside = np.array(
            [family.support.low - 1.0 if np.isfinite(family.support.low) else np.inf]
        )
    else:
        outside = np.full((1, y.shape[1]), np.inf)
    expected = family.log_prob(y, family.linked(eta))
    assert np.isfinite(expected).all()
    with_them = family.log_prob(np.concatenate([outside, y, outside]), family.linked(eta))
    np.testing.assert_array_equal(with_them, [-np.inf, *expected, -np.inf])
    np.testing.assert_array_equal(
        family.log_prob(np.concatenate([outside, outside]), family.linked(eta)), [-np.inf, -np.inf]
    )
    if has_rows(family):
        full = tuple(np.full(3, e) for e in family.linked(eta))
        # Sums over counts are those of a table where all rows share a law, with other roundings.
        np.testing.assert_allclose(
            family.log_prob(np.concatenate([outside, y[:1], outside]), full),
            [-np.inf, expected[0], -np.inf],
            rtol=1e-13,
        )


@pytest.mark.parametrize(
    ("support", "text"),
    [
        (Support(), "finite real numbers"),
        (Support(0.0), "y > 0"),
        (Support(0.0, closed=(True, False)), "y >= 0"),
        (Support(high=2.0), "y < 2"),
        (Support(0.0, 1.0), "0 < y < 1"),
        (Support(0.0, 1.0, closed=(True, True), whole=True), "0 <= y <= 1, whole numbers"),
        (Support(1.0, closed=(True, False), whole=True), "y >= 1, whole numbers"),
    ],
)
def test_support_in_words(support, text):
    assert str(support) == text


# ---------------------------------------------------------------- ends of parameters' ranges

# Parameters at the edge of their range: family, parameters, observations, expected log-mass.
EDGES = [
    ("poisson", {"mean": 0.0}, [0.0, 1.0, 7.0], [0.0, -np.inf, -np.inf]),
    ("bernoulli", {"probability": 0.0}, [0.0, 1.0], [0.0, -np.inf]),
    ("bernoulli", {"probability": 1.0}, [0.0, 1.0], [-np.inf, 0.0]),
    ("geometric", {"probability": 1.0}, [1.0, 2.0, 9.0], [0.0, -np.inf, -np.inf]),
    (
        "negative_binomial",
        {"mean": 0.0, "dispersion": 2.0},
        [0.0, 1.0, 7.0],
        [0.0, -np.inf, -np.inf],
    ),
    (
        "negative_binomial",
        {"mean": 0.0, "dispersion": 0.0},
        [0.0, 1.0, 7.0],
        [0.0, -np.inf, -np.inf],
    ),
    (
        families.Binomial(4),
        {"probability": 0.0},
        [[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]],
        [0.0, -np.inf, -np.inf],
    ),
    (
        families.Binomial(4),
        {"probability": 1.0},
        [[0.0, 4.0], [3.0, 1.0], [4.0, 0.0]],
        [-np.inf, -np.inf, 0.0],
    ),
    (
        families.Categorical(["a", "b", "c"]),
        {"probabilities": [0.0, 0.25, 0.75]},
        ["a", "b", "c"],
        [-np.inf, np.log(0.25), np.log(0.75)],
    ),
    (
        families.Categorical(["a", "b", "c"]),
        {"probabilities": [1.0, 0.0, 0.0]},
        ["a", "b", "c", "z"],
        [0.0, -np.inf, -np.inf, -np.inf],
    ),
    (
        families.Categorical(2),
        {"probabilities": [[1.0, 0.0], [0.5, 0.5]]},
        [0, 0],
        [0.0, np.log(0.5)],
    ),
]


@pytest.mark.parametrize(
    ("family", "params", "y", "expected"), EDGES, ids=[f"{edge[0]}-{edge[1]}" for edge in EDGES]
)
def test_parameters_at_the_edge(family, params, y, expected):
    law = Distribution(get_family(family), params)
    np.testing.assert_allclose(law.log_prob(y), expected)
    np.testing.assert_allclose(law.pmf(y), np.exp(expected))
    if law.shape == ():
        np.testing.assert_allclose([law.log_prob(one) for one in y], expected)
    if law.family.observation.numeric:
        assert law.var() == law.std() == law.entropy() == 0.0
    if law.family.observation.numeric and law.family.observation.columns == 1:
        assert law.mean() == law.median() == law.isf(0.3) == y[int(np.argmax(expected))]
        assert np.all(law.rvs(5, random_state=0) == law.mean())
        several = Distribution(law.family, {name: [value, 0.5] for name, value in params.items()})
        inside = Distribution(law.family, dict.fromkeys(params, 0.5))
        np.testing.assert_allclose(several.log_prob(y[0]), [expected[0], inside.log_prob(y[0])])
    if law.family.observation.numeric:
        outside = (
            [-1.0, np.inf] if law.family.observation.columns == 1 else [[-1.0, 5.0], [np.inf, 0.0]]
        )
        np.testing.assert_array_equal(law.log_prob(outside), [-np.inf, -np.inf])


@every({name: family for name, family in RELINKED.items() if counted(family)})
def test_edges_do_not_depend_on_links(family):
    """A link that maps the edge to a finite eta (sqrt, identity) changes nothing."""
    plain = clone(family).set_params(links=None)
    params = {p.name: 0.0 if p.chart is LOG else 1.0 for p in family.parameters}
    if family.observation.columns == 1:
        y = atoms(plain, tuple(np.asarray(0.5) for _ in params))[:4]
    else:
        y = observations(family, np.arange(family.trials + 1.0))
    np.testing.assert_array_equal(
        Distribution(family, params).log_prob(y), Distribution(plain, params).log_prob(y)
    )


@pytest.mark.parametrize("mean", [0.0, 1.0])
@pytest.mark.parametrize("precision", [3.0, 1e20])
def test_a_beta_law_of_mean_zero_or_one_is_a_point(mean, precision):
    law = Distribution("beta", {"mean": mean, "precision": precision})
    assert law.entropy() == -np.inf and law.mean() == mean and law.var() == 0.0


@pytest.mark.parametrize("a", [2.0, 1e15, 1e16, 1e20, 1e25])
@pytest.mark.parametrize("b", [1e15, 1e16, 1e20, 1e25])
def test_sharp_beta_laws_have_numbers_only(a, b):
    mean = a / (a + b)
    law = Distribution("beta", {"mean": mean, "precision": a + b})
    assert np.isfinite(law.entropy()) == (0.0 < mean < 1.0)
    if not 0.0 < mean < 1.0:
        return
    for values in (
        law.ppf([1e-10, 0.01, 0.5, 0.99]),
        law.isf([1e-10, 0.5]),
        law.cdf([1e-25, 0.1, 0.5, mean, 1.0]),
        law.sf([1e-25, 0.1, mean]),
        law.logpdf([0.5, mean]),
    ):
        assert not np.isnan(values).any()
    if min(a, b) >= 1e15:  # where the law is normal
        spread = np.sqrt(mean) * np.sqrt(b / (a + b)) / np.sqrt(a + b)
        # The mean is known to within 1e-16 only, and one less the mean to within that.
        assert law.entropy() == pytest.approx(0.5 + 0.5 * np.log(2 * np.pi) + np.log(spread), 1e-7)
        assert law.ppf(0.975) - mean == pytest.approx(1.959964 * spread, abs=1e-6 * spread + 4e-16)


def test_a_beta_law_of_scipy_whose_mean_rounds_to_one_stays_scipys():
    assert Beta.from_scipy(1e20, 2.0, 0.0, 1.0) is None
    assert Beta.from_scipy(2.0, 1e20, 0.0, 1.0) is not None


@pytest.mark.parametrize("unit", [1e-200, 1e-308, 1e-310, 1e-315])
@pytest.mark.parametrize("name", ["laplace", "logistic", "student_t"])
def test_a_denormal_scale_is_one_like_any_other(name, unit):
    x = np.random.default_rng(5).laplace(size=(200, 1))
    plain, small = MLEDistribution(name).fit(x), MLEDistribution(name).fit(x * unit)
    assert small.status_ == "interior"
    # Numbers of 1e-315 have eight digits.
    for part, value in plain.params_.items():
        one = unit if part in ("loc", "scale") else 1.0
        assert small.params_[part] / one == pytest.approx(value, rel=1e-5, abs=1e-6)
    assert small.score(x * unit) + np.log(unit) == pytest.approx(plain.score(x), abs=1e-6)
    cdf = small.distribution_.cdf(x.ravel() * unit)
    np.testing.assert_allclose(cdf, plain.distribution_.cdf(x.ravel()), atol=1e-6)


@pytest.mark.parametrize("scale", [200.0, 1e10])
@pytest.mark.parametrize("shape", [0.003, 0.01])
def test_a_gamma_tail_at_the_least_numbers_is_the_first_term_of_its_series(scale, shape):
    """There y/scale is no number any more: the probability was 0 where it is 6e-4."""
    y = 4.84e-322
    below = np.exp(shape * (np.log(y) - np.log(scale)) - gammaln(1.0 + shape))
    law = Distribution("gamma", mean=shape * scale, shape=shape)
    assert law.cdf(y) == pytest.approx(below, rel=1e-12)
    assert law.sf(y) == pytest.approx(1.0 - below, rel=1e-12)
