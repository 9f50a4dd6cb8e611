"""Tails and intervals of every family of one column, against quadrature or sums; derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr

from skmle import families
from skmle.families import Censored, Family
from skmle.families.links import etas_of
from skmle.families.tools.tails import log_beta_tail, log_gamma_tail
from tests.families.laws import HELD, jets, natural, points
from tests.families.probabilities import log_probability
from tests.subjects import RELINKED, SUBJECTS, every, has_order

pytestmark = pytest.mark.filterwarnings("error")


def one_column(family: Family) -> bool:
    return has_order(family) and family.support.smooth


def intervals(family: Family, eta) -> dict[str, tuple[float, float]]:
    """Return an interval of each kind: one- and two-sided, in the middle, far out and narrow."""
    theta = natural(family, eta)

    def low(q: float) -> float:
        return float(family.quantile(q, theta))

    def high(q: float) -> float:
        return float(family.upper_quantile(q, theta))

    spread = high(0.25) - low(0.25)
    spread = max(spread, 1.0) if family.support.discrete else spread
    far = high(1e-6)
    found = {
        "right": (high(0.3), np.inf),
        "right far": (high(1e-12), np.inf),
        "left": (-np.inf, low(0.2)),
        "left far": (-np.inf, low(1e-10)),
        "interval": (low(0.2), high(0.3)),
        "interval far up": (high(1e-8), high(1e-10)),
        "interval far down": (low(1e-10), low(1e-8)),
        "narrow": (high(0.4), high(0.4) + 1e-3 * spread),
        "narrow far up": (far, far + max(1e-3 * spread, 1e-6 * far)),
        "narrow far down": (low(1e-6), low(1e-6) + 1e-4 * spread),
    }
    if not family.support.fixed:  # no differences over an end of the support
        found = {name: ends for name, ends in found.items() if "far" not in name}
    # Where an end lies next to one of the support, nothing or all of the law is inside.
    near = np.nextafter(family.support.high, -np.inf, dtype=float) - 1e-3
    return {
        name: (a, b)
        for name, (a, b) in found.items()
        if Censored(family).contains(np.array([[a, b]]))[0] and a != b and not a > near
    }


@every(SUBJECTS, one_column)
def test_probabilities(family):
    law = Censored(family)
    for eta in points(family, 3):
        for name, (low, high) in intervals(family, eta).items():
            found = law.log_prob(np.array([[low, high]]), law.linked(eta))[0]
            expected = log_probability(family, eta, low, high)
            assert abs(found - expected) < 1e-9, (name, low, high, found - expected)


@every(HELD, lambda family: one_column(family) and not family.relinked)
def test_probabilities_beside_held_parameters(family):
    """The law of an interval is that of the whole family, some of whose parameters are known."""
    for eta in points(family, 2):
        rows = np.array(list(intervals(family, eta).values()))
        whole = family.inner
        theta = family.predicted(natural(family, eta)).theta
        np.testing.assert_allclose(
            Censored(family).log_prob(rows, family.linked(eta)),
            Censored(whole).log_prob(rows, whole.eta(theta)),
            rtol=1e-11,
            atol=1e-11,
        )


EIGHTH = (4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0)  # central differences of order eight


def slope(function, at, h: float):
    return (
        sum(c * (function(at + m * h) - function(at - m * h)) for m, c in enumerate(EIGHTH, 1)) / h
    )


def check(law: Family, rows, eta, gradient_error: float, curvature_error: float) -> None:
    """Compare the derivatives of all rows with differences of values and of gradients."""
    statistics, k, n = law.statistics(rows), len(eta), len(rows)
    _, gradient, curvature = jets(law.rows(statistics, eta), k, n)
    for j in range(k):

        def moved(e, order, j=j):
            at = (*eta[:j], np.asarray(e), *eta[j + 1 :])
            return jets(law.rows(statistics, at, order), k, n)[order]

        size = 1.0 + np.abs(gradient)
        low, high = etas_of(law.link(j), law.parameters[j].chart)
        h = min(2e-2, float(min(eta[j] - low, high - eta[j])) / 16.0)  # inside the link's domain
        miss = np.abs(slope(lambda e, f=moved: f(e, 0), eta[j], h) - gradient[:, j])
        assert (miss / size[:, j]).max() < gradient_error
        miss = np.abs(slope(lambda e, f=moved: f(e, 1), eta[j], h) - curvature[:, :, j])
        assert (miss / (size + np.abs(curvature[:, :, j]))).max() < curvature_error


@every(SUBJECTS, one_column)
def test_derivatives(family):
    """They hold seven digits, also where tails are differenced in a shape."""
    for eta in points(family, 3):
        rows = np.array(list(intervals(family, eta).values()))
        check(Censored(family), rows, eta, 1e-8, 2e-7)


@every(
    {name: law for name, law in RELINKED.items() if name.endswith("-all")} | HELD,
    one_column,
)
def test_derivatives_under_other_links_and_beside_held_parameters(family):
    eta = points(family, 1)[0]
    rows = np.array(list(intervals(family, eta).values()))
    check(Censored(family), rows, family.linked(eta), 1e-6, 1e-5)


@every(SUBJECTS, one_column)
def test_intervals_add_up(family, rng):
    """The line is cut in three: the probabilities of the parts have the sum one."""
    for eta in points(family, 3):
        theta = natural(family, eta)
        low, high = (float(family.quantile(q, theta)) for q in (0.3, 0.8))
        step = 1.0 if family.support.discrete else 0.0
        parts = np.array([[-np.inf, low], [low + step, high], [high + step, np.inf]])
        inside = Censored(family).contains(parts)
        value = Censored(family).log_prob(parts[inside], family.linked(eta))
        assert abs(np.exp(value).sum() - 1.0) < 1e-12


# ---------------------------------------------------------------- tails beyond the numbers


# a, x, log P(Y <= x), log P(Y > x) of a gamma law, by mpmath 1.3 with 40 digits.
GAMMA = [
    (0.5, 1e-300, -345.26698171147161, -1.1283791670955126e-150),
    (0.5, 2.0, -0.046567912292390164, -3.0900371531220866),
    (0.5, 900.0, 0.0, -903.97411711064388),
    (3.0, 1e-120, -830.7223929470845, 0.0),
    (3.0, 1000.0, 0.0, -986.87563662392701),
    (33.0, 1e-12, -996.87816384322458, 0.0),
    (1000.0, 100.0, -1406.8527552662533, 0.0),
    (1000.0, 3500.0, 0.0, -1252.5267811836557),
    (1000000.0, 950000.0, -1298.1257288046005, 0.0),
    (1000000.0, 1050000.0, 0.0, -1214.6672117582427),
    (1000000.0, 1000300.0, -0.48122296587121957, -0.96240562417023109),
]
# a, b, x, log P(Y <= x) of a beta law, likewise.
BETA = [
    (0.5, 0.5, 0.3, -0.99693121102077808),
    (3.0, 2.0, 1e-150, -1034.7769974862007),
    (200.0, 0.5, 0.001, -1384.7727066618451),
    (5000.0, 0.5, 0.7, -1787.6039529809402),
    (800.0, 900.0, 0.125, -612.59534309307408),
    (100000.0, 10.0, 0.96875, -3115.2437098907561),
    (20.0, 100000.0, 2.5e-19, -668.73172798509117),
]


# mean, shape, y, log P(Y <= y), log P(Y > y) of an inverse Gaussian law, likewise.
INVERSE_GAUSSIAN = [
    (2.0, 3.0, 0.001, -1502.7296829428967, 0.0),
    (2.0, 3.0, 1.5, -0.70180429579691712, -0.68456436817888528),
    (2.0, 3.0, 4000.0, 0.0, -1510.3312511824744),
    (1.0, 100000000.0, 1.01, 0.0, -4956.0192720796323),
    (1.0, 100000000.0, 0.99, -5056.0292703309755, 0.0),
    (1.0, 0.0001, 50.0, -0.0010318338492478723, -6.8769334962381962),
]


@pytest.mark.parametrize(("a", "x", "below", "above"), GAMMA)
def test_log_tails_of_the_gamma_law(a, x, below, above):
    np.testing.assert_allclose(log_gamma_tail(a, x, False), below, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(log_gamma_tail(a, x, True), above, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("a", "b", "x", "below"), BETA)
def test_log_tails_of_the_beta_law(a, b, x, below):
    np.testing.assert_allclose(log_beta_tail(a, b, x, 1.0 - x, False), below, rtol=1e-12)
    np.testing.assert_allclose(log_beta_tail(b, a, 1.0 - x, x, True), below, rtol=1e-12)


@pytest.mark.parametrize(("mean", "shape", "y", "below", "above"), INVERSE_GAUSSIAN)
def test_log_tails_of_the_inverse_gaussian_law(mean, shape, y, below, above):
    law, theta = families.InverseGaussian(), (np.asarray(mean), np.asarray(shape))
    np.testing.assert_allclose(law.log_tail(y, theta, False), below, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(law.log_tail(y, theta, True), above, rtol=1e-12, atol=1e-15)


def test_log_tails_tend_to_those_of_the_limit_laws():
    z = np.array([-60.0, -40.0, -3.0, 3.0, 40.0, 60.0])
    one, zero = np.ones(()), np.zeros(())
    for upper in (True, False):
        normal = log_ndtr(-z if upper else z)
        nearly = families.StudentT().log_tail(z, (zero, one, np.asarray(1e18)), upper)
        np.testing.assert_allclose(nearly, normal, rtol=1e-12)
        counts = np.array([-1.0, 0.0, 3.0, 50.0, 1000.0])
        poisson = families.Poisson().log_tail(counts, (np.asarray(5.0),), upper)
        nearly = families.NegativeBinomial().log_tail(
            counts, (np.asarray(5.0), np.asarray(1e-16)), upper
        )
        np.testing.assert_allclose(nearly, poisson, rtol=1e-11)
        assert np.isfinite(poisson[1:]).all()


@pytest.mark.parametrize("scale", [399.4778, 399.45, 399.0])
def test_a_fall_next_to_the_end_of_an_interval_is_seen(scale):
    """The density falls from one value to nothing within a millionth of an interval's length."""
    law = families.GeneralizedGamma()
    eta = law.eta((np.asarray(scale), np.asarray(1187.1), np.asarray(1262.2)))
    ends = np.concatenate([[0.0], np.arange(0.5, 402.0)])
    found = Censored(law).log_prob(np.column_stack([ends[:-1], ends[1:]]), eta)
    np.testing.assert_allclose(np.exp(found).sum(), 1.0, rtol=1e-11)
