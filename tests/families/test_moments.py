"""Averages under a law, of any function of y, and the laws of some rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from skmle.families import Distribution
from tests.families.laws import in_scipy, integrated, natural, points, points_in_scipy, rows_of
from tests.subjects import SUBJECTS, every

pytestmark = pytest.mark.filterwarnings("error")

SHARES = (0.3, 0.999)
QUADRATURE = 1.5e-8  # the error that scipy's integrals aim at


def averaged(family) -> bool:
    return family.univariate and family.observation.numeric


def laws_of(family):
    """Return the laws at some points, one a row."""
    theta = [natural(family, eta) for eta in points(family, 4)]
    values = (np.array(column) for column in zip(*theta, strict=True))
    return Distribution(family, dict(zip(family.names, values, strict=True)))


@every(SUBJECTS, averaged)
def test_averages_are_those_known_otherwise(family):
    law = laws_of(family)
    np.testing.assert_allclose(law.expect(np.ones_like), 1.0, rtol=1e-12)
    known = law.mean()
    finite = np.isfinite(known)
    np.testing.assert_allclose(law.expect()[finite], known[finite], rtol=1e-11, atol=1e-14)
    finite &= np.isfinite(law.var())
    variance = law.expect(lambda y: y**2)[finite] - known[finite] ** 2
    np.testing.assert_allclose(variance, law.var()[finite], rtol=1e-8)
    for q in SHARES:
        at = law.ppf(q)
        np.testing.assert_allclose(law.expect(np.ones_like, ub=at), law.cdf(at), rtol=1e-10)
        after = np.nextafter(at, np.inf)  # next to 1 it is farther on to the eye
        above = law.expect(np.ones_like, lb=after)
        np.testing.assert_allclose(above, law.sf(after), rtol=1e-10, atol=1e-15)


@every(SUBJECTS, lambda family: averaged(family) and in_scipy(family))
@pytest.mark.slow
def test_moments_equal_scipy(family):
    for eta in points_in_scipy(family, 3):
        theta = natural(family, eta)
        ours, theirs = Distribution.of(family, theta), family.to_scipy(theta)
        with np.errstate(all="ignore"):  # of moments that do not exist
            expected = theirs.stats("mvsk")
        exist = np.isfinite(ours.stats("mvsk")) & np.isfinite(expected)
        found = np.where(exist, ours.stats("mvsk"), 0.0)
        atol = 1e-9
        if integrated(theirs, "_stats", "_munp"):  # its error is that of quadratures about zero
            root, std = ours.moment(4) ** 0.25 / ours.std(), ours.std()
            sizes = np.array([root * std, (root * std) ** 2, root**3, root**4])
            atol = np.where(np.isfinite(sizes), np.maximum(1e-7, QUADRATURE * sizes), 1e-7)
        expected = np.where(exist, expected, 0.0)
        assert np.all(np.abs(found - expected) <= 1e-8 * np.abs(expected) + atol)


def test_moments_of_a_gamma_law_are_known():
    shape = np.array([0.01, 0.5, 3.0, 1e4])
    law = Distribution("gamma", mean=shape, shape=shape)
    mean, variance, skewness, kurtosis = law.stats("mvsk")
    np.testing.assert_allclose(mean, shape, rtol=1e-15)
    np.testing.assert_allclose(variance, shape, rtol=1e-15)
    np.testing.assert_allclose(skewness, 2.0 / np.sqrt(shape), rtol=1e-10)
    np.testing.assert_allclose(kurtosis, 6.0 / shape, rtol=1e-10, atol=1e-11)
    raw = [law.moment(k) for k in range(5)]
    np.testing.assert_allclose(raw[4], shape * (shape + 1) * (shape + 2) * (shape + 3), rtol=1e-11)
    np.testing.assert_allclose(raw[0], 1.0, rtol=1e-13)


@pytest.mark.parametrize(("df", "order"), [(1.0, 2), (2.0, 2), (2.5, 4), (4.0, 4)])
def test_moments_that_do_not_exist_are_infinite(df, order):
    assert Distribution("student_t", loc=0.0, scale=1.0, df=df).moment(order) == np.inf


@pytest.mark.parametrize(
    ("low", "high"),
    [(-3, 4), (0, 0), (-0.5, 900), (500, 510), (-2000, -1000), (-np.inf, -1), (1, np.inf)],
)
def test_parts_of_counts_are_summed_to_their_very_ends(low, high):
    law = Distribution("poisson", mean=1e6)
    counts = np.arange(np.ceil(max(low, -2e4)), np.floor(min(high, 2e4)) + 1.0) + 1e6
    found = law.expect(np.ones_like, lb=1e6 + low, ub=1e6 + high)
    np.testing.assert_allclose(found, law.pmf(counts).sum(), rtol=1e-11)


def test_averages_over_a_part_end_with_it():
    for law in (stats.t(4.5, 1.0, 2.0), stats.gumbel_r(1.0, 2.0), stats.cauchy()):
        part = Distribution.from_scipy(law).expect(lambda y: 1.0, 0.5, 2.0)
        np.testing.assert_allclose(part, law.cdf(2.0) - law.cdf(0.5), rtol=1e-14)


@every(SUBJECTS, lambda family: family.observation.columns is not None)
def test_rows_of_laws_are_laws(family, rng):
    eta, y = rows_of(family, 5, rng)
    laws = Distribution.of(family, natural(family, eta))
    assert len(laws) == 5
    expected = laws.log_prob(y)
    for rows in (3, slice(1, 4), np.array([4, 0]), np.arange(5) % 2 == 0):
        # Sums of one law may end elsewhere than those of several.
        np.testing.assert_allclose(laws[rows].log_prob(y[rows]), expected[rows], 1e-12, 1e-13)
    each = [law.log_prob(value) for law, value in zip(laws, y, strict=True)]
    np.testing.assert_allclose(each, expected, 1e-12, 1e-13)


def test_rows_share_what_is_given_once():
    law = Distribution("multivariate_normal", mean=np.eye(3)[:, :2], covariance=np.eye(2))
    np.testing.assert_array_equal(law[1:].params["mean"], [[0.0, 1.0], [0.0, 0.0]])
    assert law[2].params["covariance"].shape == (2, 2)
    gamma = Distribution("gamma", mean=[1.0, 2.0], shape=3.0)
    assert gamma[1].params == {"mean": 2.0, "shape": 3.0}


def test_parameters_are_keywords_too():
    law = Distribution("gamma", {"mean": 1.0}, shape=2.0)
    assert law.params == {"mean": 1.0, "shape": 2.0}
    with pytest.raises(ValueError, match=r"got parameters mean\. Allowed: exactly mean, shape"):
        Distribution("gamma", mean=1.0)
    with pytest.raises(ValueError, match=r"mean is given twice"):
        Distribution("gamma", {"mean": 1.0}, mean=2.0, shape=1.0)


def test_averages_say_what_they_cannot_be():
    law = Distribution("gamma", mean=[1.0, 2.0], shape=3.0)
    with pytest.raises(ValueError, match=r"func gives an array of shape .*Allowed: one number"):
        law.expect(lambda y: y[:3])
    for order in (-1, 1.5):
        with pytest.raises(ValueError, match=rf"order={order} is not allowed.*expect"):
            law.moment(order)
    with pytest.raises(ValueError, match=r"moments='x' is not allowed.*'mvsk'"):
        law.stats("x")
    with pytest.raises(ValueError, match=r"laws of one numeric column.*rvs"):
        Distribution("multivariate_normal", mean=[0.0, 0.0], covariance=np.eye(2)).expect()
    with pytest.raises(IndexError, match=r"a single law.*Use the law itself"):
        law[0][0]
    with pytest.raises(TypeError, match="single law"):
        len(law[0])
