"""Every family as a law.

Mass, moments, entropy, cdf, quantiles and samples agree with each other and with scipy.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skmle.families import Distribution, get_family
from skmle.families.tools.atoms import atoms_of
from tests.families.laws import (
    assert_expectation,
    assert_moments,
    atoms,
    counted,
    draw,
    has_rows,
    in_scipy,
    law_points,
    natural,
    observations,
    points,
    points_in_scipy,
    positions_as_atoms,
    rows_of,
    scipy_log_prob,
)
from tests.subjects import SUBJECTS, every

pytestmark = pytest.mark.filterwarnings("error")


@every(SUBJECTS)
def test_density_sums_to_one(family):
    for eta in points(family):
        y, weight, exact = law_points(family, eta)
        if exact:
            np.testing.assert_allclose(weight.sum(), 1.0, rtol=1e-10)
        else:
            # The mean over the law of another density, relative to its own, is 1.
            other = tuple(e + 0.1 for e in eta)
            ratio = np.exp(
                family.log_prob(y, family.linked(other)) - family.log_prob(y, family.linked(eta))
            )
            assert_expectation(ratio, weight, exact, 1.0)


@every(SUBJECTS)
def test_moments_and_entropy(family):
    for eta in points(family):
        theta = natural(family, eta)
        y, weight, exact = law_points(family, eta)
        log_prob = family.log_prob(y, family.linked(eta))
        assert_expectation(
            -np.where(weight > 0, log_prob, 0.0), weight, exact, family.entropy(theta)
        )
        y = y[:, 0] if family.observation.columns == 2 else np.asarray(y, float)
        mean = family.mean(theta)
        if np.isfinite(mean).all():
            assert_expectation(y, weight, exact, mean)
            if np.isfinite(variance := family.variance(theta)).all():
                assert_expectation((y - mean) ** 2, weight, exact, variance)


@every(SUBJECTS, in_scipy)
def test_log_prob_equals_scipy(family, rng):
    here = points_in_scipy(family)
    for eta in here + [tuple(2.0 * e for e in eta) for eta in here[:3]]:
        y = draw(family, eta, 50, rng)
        law = family.to_scipy(natural(family, eta))
        if not family.support.smooth and not np.isfinite(law.var()):
            continue
        expected = scipy_log_prob(family, law, y)
        np.testing.assert_allclose(
            family.log_prob(y, family.linked(eta)), expected, rtol=1e-10, atol=1e-10
        )


@every(SUBJECTS, lambda family: family.observation.columns is not None)
def test_cdf_and_quantile(family):
    q = np.array([1e-6, 0.01, 0.2, 0.5, 0.77, 0.99, 1.0 - 1e-6])
    for eta in points(family):
        theta = natural(family, eta)
        if counted(family):
            at = atoms(family, theta)
            mass = np.exp(family.log_prob(observations(family, at), family.linked(eta)))
            cdf = family.cdf(at, theta)
            tiny = np.finfo(float).tiny  # smaller numbers have fewer digits
            np.testing.assert_allclose(cdf, np.cumsum(mass), rtol=1e-10, atol=tiny)
            listed = q[q <= cdf[-1]]
            places = at[np.searchsorted(cdf, listed)]
            np.testing.assert_array_equal(family.quantile(listed, theta), places)
            certain = (cdf > tiny) & (np.cumsum(mass) < 1.0 - 1e-8)
            np.testing.assert_array_equal(family.quantile(cdf[certain], theta), at[certain])
            between = (
                at if not family.observation.numeric else np.concatenate([at + 0.5, [at[0] - 1.0]])
            )
        else:
            at = family.quantile(q, theta)
            reached = np.where(np.isin(at, atoms_of(family)), family.cdf(at, theta), q)
            assert (reached >= q).all()
            np.testing.assert_allclose(family.cdf(at, theta), reached, rtol=1e-9)
            y, weight, _ = law_points(family, eta)
            np.testing.assert_allclose(weight[y <= at[3]].sum(), reached[3], rtol=1e-9)
            between = at
        for y in (at, between):
            np.testing.assert_allclose(family.cdf(y, theta) + family.sf(y, theta), 1.0, rtol=1e-13)


@every(SUBJECTS)
def test_samples_follow_the_cdf(family):
    for eta in points(family, 2):
        theta = natural(family, eta)
        y = family.sample(theta, (4000,), np.random.default_rng(5))
        assert family.contains(y).all()
        if family.observation.columns is None:
            # The density is that of the samples where the gradient's mean is zero; the moments of
            # log q tell of its tails.
            assert_moments(family, eta, y)
        elif counted(family):
            at = atoms(family, theta)
            expected = len(y) * np.diff(family.cdf(at, theta), prepend=0.0, append=1.0)
            counts = np.bincount(
                np.searchsorted(at, positions_as_atoms(family, y)), minlength=len(at) + 1
            )
            rare = expected < 5.0
            observed, wanted = (np.append(of[~rare], of[rare].sum()) for of in (counts, expected))
            statistic = ((observed - wanted) ** 2 / np.maximum(wanted, 1e-9)).sum()
            assert stats.chi2.sf(statistic, len(observed) - 1) > 1e-6
        else:
            # At an atom, the probability is any between those below it and up to it.
            mass = np.exp(family.log_prob(y, eta)) * np.isin(y, atoms_of(family))
            within = np.random.default_rng(6).random(len(y))
            assert stats.kstest(family.cdf(y, theta) - within * mass, "uniform").pvalue > 1e-6


@every(SUBJECTS, has_rows)
def test_sample_shapes(family, rng):
    eta, _ = rows_of(family, 5, rng)
    tail = () if family.observation.columns == 1 else (family.observation.columns,)
    theta = natural(family, eta)
    for size in [(5,), (3, 5), (2, 3, 5)]:
        y = family.sample(theta, size, rng)
        assert y.shape == size + tail
        assert family.contains(y).all()
    single = natural(family, points(family, 1)[0])
    for size in [(), (1,), (4,), (2, 3), (0,)]:
        assert np.shape(family.sample(single, size, rng)) == size + tail


@every(SUBJECTS, has_rows)
def test_rows_of_parameters_are_sampled_from_their_own_laws(family):
    """Rows far apart in the first parameter: the means of the columns differ as the laws' do."""
    low, high = points(family, 1)[0], points(family, 2)[1]
    theta = tuple(
        np.stack([a, b]) for a, b in zip(natural(family, low), natural(family, high), strict=True)
    )
    y = family.sample(theta, (20_000, 2), np.random.default_rng(3))
    y = y[..., 0] if family.observation.columns == 2 else y
    for column, eta in enumerate((low, high)):
        law = natural(family, eta)
        expected = family.cdf(np.median(y[:, column]), law)
        share = np.mean(y[:, column] <= np.median(y[:, column]))
        assert abs(expected - share) < 0.02


SUMMED = {
    # Stirling's series, whose next term is -19/(360 mean^3): log(2 pi e mean)/2 - 1/(12 mean) -
    # 1/(24 mean^2).
    "poisson": (
        "poisson",
        {"mean": 1e6},
        0.5 * np.log(2 * np.pi * np.e * 1e6) - 1 / 12e6 - 1 / 24e12,
    ),
    "vast poisson": ("poisson", {"mean": 1e12}, 0.5 * np.log(2 * np.pi * np.e * 1e12) - 1 / 12e12),
    "largest summed": (
        "poisson",
        {"mean": 999.0},
        0.5 * np.log(2 * np.pi * np.e * 999) - 1 / (12 * 999) - 1 / (24 * 999**2),
    ),
    "no poisson": ("poisson", {"mean": 0.0}, 0.0),
    # The sum of the terms up to 200 000 by scipy.stats.nbinom, beyond which there is 1e-90 of the
    # mass.
    "negative binomial": ("negative_binomial", {"mean": 10.0, "dispersion": 50.0}, None),
    "no dispersion": (
        "negative_binomial",
        {"mean": 1e6, "dispersion": 0.0},
        0.5 * np.log(2 * np.pi * np.e * 1e6) - 1 / 12e6 - 1 / 24e12,
    ),
    "beta": ("beta", {"mean": 1 / 11, "precision": 1.1e8}, -9.08565968406593),  # mpmath, 40 digits
}


@pytest.mark.parametrize(("name", "params", "expected"), SUMMED.values(), ids=SUMMED)
def test_entropy_where_scipys_sum_stops_short(name, params, expected):
    law = Distribution(get_family(name), params)
    if expected is None:
        log_mass = law.to_scipy().logpmf(np.arange(200_000))
        expected = -(np.exp(log_mass) * log_mass).sum()
    assert law.entropy() == pytest.approx(expected, rel=1e-10)
    rows = Distribution(
        get_family(name), {key: [value, value, np.nan] for key, value in params.items()}
    ).entropy()
    np.testing.assert_allclose(rows, [expected, expected, np.nan], rtol=1e-10)
