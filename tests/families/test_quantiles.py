"""Quantiles and tails of every family, at all levels: one is the inverse of the other."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skmle import Distribution
from skmle.families import Binomial, Family
from tests.families.laws import points
from tests.subjects import ONE_EACH

# Levels down to the least numbers, and up to the last one below 1.
LEVELS = np.array(
    [1e-300, 1e-251, 1e-100, 1e-30, 1e-17, 1e-10, 1e-3, 0.3, 0.5, 0.7, 0.999, 1 - 1e-10, 1 - 2**-53]
)
INSIDE = [
    family for family in ONE_EACH.values() if family.univariate and family.observation.numeric
]
# Laws at the edges, where scipy's quantiles are nan, on the wrong side, or do not end.
EDGES = [
    *(("inverse_gaussian", {"mean": 1.0, "shape": k}) for k in (1e-3, 5.0, 500.0, 1e12)),
    *(("poisson", {"mean": m}) for m in (1e-5, 10.0, 1e8, 1e11, 1e15, 1e30, 1e300)),
    *(
        ("nbinom", {"mean": m, "dispersion": d})
        for m in (1.0, 1e8, 1e15, 1e242)
        for d in (1e-300, 1e-12, 1e-8, 0.5, 7.0, 1e6)
    ),
    *(("t", {"loc": 0.0, "scale": 1.0, "df": d}) for d in (1.0, 5.0, 1e9)),
    *(("gamma", {"mean": 1.0, "shape": k}) for k in (0.5, 1e6, 1e12)),
    *(("geometric", {"probability": p}) for p in (1e-17, 0.3, 1 - 1e-10)),
    *(("beta", {"mean": m, "precision": 10.0}) for m in (1e-6, 1 - 1e-6)),
    *((Binomial(n), {"probability": p}) for n in (1, 10**6, 10**15) for p in (1e-12, 0.3)),
]


def laws() -> list:
    some = [
        pytest.param(
            Distribution(family, dict(zip(family.names, family.natural(eta), strict=True))),
            id=f"{type(family).__name__}-{i}",
        )
        for family in INSIDE
        for i, eta in enumerate(points(family, 2))
    ]
    edges = [
        pytest.param(Distribution(family, params), id=f"edge-{i}")
        for i, (family, params) in enumerate(EDGES)
    ]
    return some + edges


def next_below(family: Family, y: np.ndarray) -> np.ndarray:
    return np.where(y - 1.0 < y, y - 1.0, np.nextafter(y, -np.inf))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("law", laws())
def test_a_quantile_has_its_level(law, upper):
    """A count is the first to reach it; a number reaches it as exactly as its last digit allows."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = (law.isf if upper else law.ppf)(LEVELS)
    assert not np.isnan(y).any()
    with np.errstate(all="ignore"):  # of scipy's tails far out
        below, above = law.cdf(y), law.sf(y)
        if law.discrete:
            before = next_below(law.family, y)
            first = y <= law.family.support.low
            reached = above <= LEVELS if upper else below >= LEVELS
            early = law.sf(before) <= LEVELS if upper else law.cdf(before) >= LEVELS
            assert reached.all() and (first | ~early).all()
            return
        own, other = (above, below) if upper else (below, above)
        density = np.exp(law.log_prob(y))
    # One step of y, or of the argument of a tail, moves its logarithm by this much.
    step = 8.0 * np.spacing(np.abs(y)) * density
    exact = np.abs(own - LEVELS) <= 1e-9 * LEVELS + step
    exact |= np.abs(other - (1.0 - LEVELS)) <= 1e-9 * (1.0 - LEVELS) + step
    low, high = law.family.support.low, law.family.support.high
    outside = (np.abs(y - low) < 1e-300) | (y >= high) | (np.abs(y) > 1e300)
    assert (exact | outside).all()


@pytest.mark.parametrize("law", laws())
@pytest.mark.filterwarnings("error")
def test_levels_that_are_none(law):
    assert np.isnan(law.ppf([-0.1, 1.1, np.nan])).all()
    assert np.isnan(law.isf([-0.1, 1.1, np.nan])).all()


@pytest.mark.parametrize("law", laws())
def test_logarithms_of_tails(law):
    """They are those of the tails, and go on where these are no numbers any more."""
    y = law.ppf([0.01, 0.5, 0.99])
    np.testing.assert_allclose(np.exp(law.logcdf(y)), law.cdf(y), rtol=1e-8)
    np.testing.assert_allclose(np.exp(law.logsf(y)), law.sf(y), rtol=1e-8)


@pytest.mark.parametrize(
    "family, params, upper, y, right",
    [  # by mpmath, with 60 digits
        ("weibull", {"scale": 1.0, "shape": 2.0}, False, 1e-200, -921.034037197618),
        ("log_logistic", {"scale": 1.0, "shape": 2.0}, False, 1e-200, -921.034037197618),
        ("gamma", {"mean": 1.0, "shape": 2.0}, False, 1e-200, -920.340890017058),
        ("beta", {"mean": 0.5, "precision": 4.0}, False, 1e-200, -919.935424908950),
        ("inverse_gaussian", {"mean": 1.0, "shape": 1.0}, True, 1.1e5, -55016.63817663704),
        ("inverse_gaussian", {"mean": 1e6, "shape": 1.0}, True, 1e13, -22.72818488483029),
        ("inverse_gaussian", {"mean": 1e6, "shape": 1.0}, True, 1e15, -524.4059233974571),
        ("inverse_gaussian", {"mean": 1.0, "shape": 1.0}, True, 1e200, -5e199),
        ("normal", {"loc": 0.0, "scale": 1.0}, True, 1e100, -5e199),
        ("student_t", {"loc": 0.0, "scale": 1.0, "df": 3.0}, True, 1e200, -1381.453332357383),
    ],
)
@pytest.mark.filterwarnings("error")
def test_the_logarithm_of_a_far_tail(family, params, upper, y, right):
    """It has its digits where the tail is smaller than all numbers, or a small difference."""
    law = Distribution(family, params)
    np.testing.assert_allclose((law.logsf if upper else law.logcdf)(y), right, rtol=1e-12)
    np.testing.assert_allclose((law.sf if upper else law.cdf)(y), np.exp(right), rtol=1e-10)


def test_a_beta_law_of_the_least_numbers():
    """Where scipy raises an OverflowError, the search finds its quantiles."""
    law = Distribution("beta", {"mean": 1e-5, "precision": 1e-306})
    np.testing.assert_array_equal(law.ppf([0.5, 0.9]), 0.0)
