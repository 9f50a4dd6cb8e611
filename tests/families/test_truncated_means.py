"""Means and variances of truncated laws in closed form, against sums and integrals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from skmle import families
from skmle.families import Truncated
from tests.subjects import FAMILIES, own_name, typical

CLOSED = [cls for cls in FAMILIES if cls.gradient_tells_mean]
WINDOWS = {"above": (1.0, np.inf), "below": (-np.inf, 4.0), "between": (1.0, 4.0)}
COUNTS = np.arange(0.0, 400.0)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("cls", CLOSED, ids=own_name)
def test_mean_of_what_is_seen(cls, window):
    low, high = WINDOWS[window]
    inner, theta = typical(cls)
    law, eta = Truncated(inner, low, high), inner.eta(theta)

    def density(y: float) -> float:
        return float(np.exp(law.log_prob(np.array([y]), eta))[0])

    if law.support.discrete:
        expected = sum(y * density(y) for y in COUNTS)
    else:
        tails = [float(inner.quantile(q, theta)) for q in (1e-17, 0.5, 0.99)]
        ends = [
            max(low, tails[0]),
            *tails[1:],
            min(high, float(inner.upper_quantile(1e-17, theta))),
        ]
        ends = sorted(np.clip(ends, ends[0], ends[-1]))
        expected = sum(
            quad(lambda y: y * density(y), a, b, epsabs=0.0, epsrel=1e-12, limit=200)[0]
            for a, b in pairwise(ends)
            if a < b
        )
    np.testing.assert_allclose(law.mean(theta), expected, rtol=1e-10)


def test_mean_at_the_end_of_the_range():
    law = Truncated("poisson", low=0.0)
    np.testing.assert_allclose(law.mean((np.array([0.0, 1e-9]),)), [1.0, 1.0], rtol=1e-9)


def test_mean_far_from_the_window():
    law = Truncated("normal", low=0.0)
    # Of Mills' ratio at 30: 1/30 - 2/30^3 + 10/30^5 - 74/30^7 + ...
    expected = 1 / 30 - 2 / 30**3 + 10 / 30**5 - 74 / 30**7 + 706 / 30**9
    np.testing.assert_allclose(law.mean((np.array([-30.0]), np.array([1.0]))), expected, rtol=1e-9)


def test_mean_of_a_hurdle_uses_that_of_what_is_not_zero():
    mean, zeros = np.array([0.7, 3.0]), np.array([0.2, 0.6])
    expected = (1.0 - zeros) * mean / -np.expm1(-mean)
    np.testing.assert_allclose(families.Hurdle("poisson").mean((mean, zeros)), expected, rtol=1e-13)


COUNTED = [cls for cls in CLOSED if cls.support.discrete and np.isinf(cls.support.high)]


@pytest.mark.parametrize("low", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("cls", COUNTED, ids=own_name)
def test_variance_of_counts_of_which_the_least_are_not_seen(cls, low):
    inner, theta = typical(cls)
    law = Truncated(inner, low)
    mass = np.exp(law.log_prob(COUNTS, tuple(np.full(400, e) for e in inner.eta(theta))))
    expected = mass @ (COUNTS - mass @ COUNTS) ** 2
    np.testing.assert_allclose(law.variance(theta), expected, rtol=1e-11)


def test_variance_next_to_the_end_of_the_range():
    """Of a mean m next to 0 all that is seen is 1, but for m/2: the moments have no digits."""
    mean = np.array([1e-9, 1e-6, 0.1, 5.0])
    law, y = Truncated("poisson", low=0.0), np.arange(1.0, 60.0)[:, None]
    mass = np.exp(law.inner.log_prob(y, (np.log(mean),))) / -np.expm1(-mean)
    centre = (y * mass).sum(axis=0)
    expected = ((y - centre) ** 2 * mass).sum(axis=0)
    np.testing.assert_allclose(law.variance((mean,)), expected, rtol=1e-10)
