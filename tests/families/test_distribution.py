"""`Distribution` of every family.

scipy's methods and numbers, over rows, scalars and random states.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skmle.families import Distribution
from tests.families.laws import (
    counted,
    draw,
    has_rows,
    in_scipy,
    integrated,
    natural,
    observations,
    points,
    points_in_scipy,
    positions,
    rows_of,
    scipy_log_prob,
)
from tests.subjects import SUBJECTS, every

pytestmark = pytest.mark.filterwarnings("error")


def distribution(family, eta):
    return Distribution(family, dict(zip(family.names, natural(family, eta), strict=True)))


def assert_quantiles(found, expected, tail, q):
    """Compare with scipy's, of which some have lost digits, as its own probabilities show."""
    with np.errstate(divide="ignore"):  # where they are rounded to zero
        closer = np.abs(tail(found) - q) <= np.abs(tail(expected) - q)
    rtol = 1e-10 if integrated(tail.__self__, "_cdf") else 1e-13
    np.testing.assert_allclose(found, np.where(closer, found, expected), rtol=rtol)


def assert_entropy(found, theirs):
    """Compare with scipy's, which integrates where it has no formula, to about 1e-9.

    Where its sum over long tails does not converge it says so. Exact values of such laws are in
    tests/reference/laws.
    """
    rtol = 1e-8 if integrated(theirs, "_entropy") else 1e-10
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        expected = theirs.entropy()
    if not said:
        np.testing.assert_allclose(found, expected, rtol=rtol)


METHODS = ("mean", "var", "std", "median")


@every(SUBJECTS, lambda family: family.observation.columns is not None and in_scipy(family))
def test_distribution_equals_scipy(family, rng):
    q = np.array([1e-3, 0.2, 0.5, 0.9])
    for eta in points_in_scipy(family, 3):
        ours, theirs = distribution(family, eta), family.to_scipy(natural(family, eta))
        name = {True: ("pmf", "logpmf"), False: ("pdf", "logpdf")}[ours.discrete]
        y = draw(family, eta, 20, rng)
        for method in name:
            np.testing.assert_allclose(
                getattr(ours, method)(y),
                getattr(theirs, method)(positions(family, y)),
                rtol=1e-9,
                atol=1e-12,
            )
        at = ours.ppf(q)
        assert_quantiles(positions(family, observations(family, at)), theirs.ppf(q), theirs.cdf, q)
        above = positions(family, observations(family, ours.isf(q)))
        assert_quantiles(above, theirs.isf(q), theirs.sf, q)
        # A continuous law reaches the level itself, which scipy's rounded quantile may miss.
        reached = (theirs.cdf(theirs.ppf(q)), theirs.sf(theirs.ppf(q)))
        below, beyond = reached if ours.discrete else (q, 1.0 - q)
        np.testing.assert_allclose(ours.cdf(at), below, rtol=1e-12)
        np.testing.assert_allclose(ours.sf(at), beyond, rtol=1e-12)
        np.testing.assert_array_equal(ours.interval(0.6), ours.ppf([0.2, 0.8]))
        assert_entropy(ours.entropy(), theirs)
        if family.observation.numeric:
            for method in METHODS:
                with np.errstate(invalid="ignore"):  # scipy's root of a variance below zero
                    found, expected = getattr(ours, method)(), getattr(theirs, method)()
                # Of a moment that does not exist scipy says nan, or a variance below zero, where it
                # may be known to be infinite.
                wrong = np.isnan(expected) | (np.asarray(theirs.var()) < 0.0)
                expected = np.where(wrong & np.isposinf(found), np.inf, expected)
                rtol = 1e-8 if integrated(theirs, "_stats", "_munp") else 1e-10
                np.testing.assert_allclose(found, expected, rtol=rtol)
        # Far out an integral of scipy's has no digits; exact tails are in tests/reference/laws.
        if not counted(family) and not integrated(theirs, "_cdf"):
            with np.errstate(divide="ignore"):  # scipy's, on its way to an infinite quantile
                far = theirs.isf(1e-30)
            assert_quantiles(ours.isf(1e-30), far, theirs.sf, 1e-30)
        assert type(ours.to_scipy()) is type(theirs)


@every(SUBJECTS, lambda family: family.observation.columns is None)
def test_distribution_of_several_columns(family, rng):
    eta = points(family, 1)[0]
    ours, theirs = distribution(family, eta), family.to_scipy(natural(family, eta))
    y = draw(family, eta, 20, rng)
    np.testing.assert_allclose(ours.log_prob(y), scipy_log_prob(family, theirs, y), rtol=1e-10)
    assert ours.log_prob(y[0]) == ours.log_prob(y)[0]
    for name, method in (("entropy", "entropy"), ("mean", "mean"), ("cov", "cov")):
        if hasattr(theirs, name):  # a number or a method
            expected = getattr(theirs, name)
            expected = expected() if callable(expected) else expected
            np.testing.assert_allclose(getattr(ours, method)(), expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(ours.var(), np.diag(ours.cov()))
    with pytest.raises(ValueError, match=r"quantile: .*Allowed: .*Take"):
        ours.ppf(0.5)
    for size, shape in [(None, ()), (4, (4,)), ((2, 3), (2, 3))]:
        assert ours.rvs(size, random_state=0).shape == (*shape, y.shape[1])


@every(SUBJECTS, has_rows)
def test_distribution_is_vectorised_over_rows(family, rng):
    eta, y = rows_of(family, 6, rng)
    rows = distribution(family, eta)
    singles = [distribution(family, tuple(e[i] for e in eta)) for i in range(len(y))]
    assert rows.shape == (6,) and singles[0].shape == ()
    at = y if family.observation.columns == 1 else y[:, 0]
    np.testing.assert_allclose(
        rows.log_prob(y),
        [law.log_prob(one) for law, one in zip(singles, y, strict=True)],
        rtol=1e-12,
        atol=1e-13,
    )
    np.testing.assert_allclose(
        rows.log_prob(y[0]), [law.log_prob(y[0]) for law in singles], rtol=1e-12, atol=1e-13
    )
    for method in ("cdf", "sf"):
        one_by_one = [getattr(law, method)(one) for law, one in zip(singles, at, strict=True)]
        np.testing.assert_allclose(getattr(rows, method)(at), one_by_one, rtol=1e-12)
    for method in METHODS:
        np.testing.assert_allclose(
            getattr(rows, method)(), [getattr(law, method)() for law in singles], rtol=1e-10
        )
    for method in ("ppf", "isf"):
        np.testing.assert_allclose(
            getattr(rows, method)(0.3), [getattr(law, method)(0.3) for law in singles], rtol=1e-12
        )
    low, high = rows.interval(0.9)
    assert low.shape == high.shape == (6,) and np.all(low <= high)
    if family.observation.columns == 1 and family.observation.numeric:
        table = rows.log_prob(y[:, None])
        assert table.shape == (6, 6)
        np.testing.assert_allclose(table, [rows.log_prob(one) for one in y], rtol=1e-12, atol=1e-13)
        outside = rows.log_prob(np.array([[y[0]], [np.inf]]))
        assert outside.shape == (2, 6) and np.all(outside[1] == -np.inf)
        np.testing.assert_allclose(outside[0], rows.log_prob(y[0]), rtol=1e-12)


@every(SUBJECTS)
def test_distribution_scalars(family, rng):
    """One observation of one law is a scalar."""
    eta = points(family, 1)[0]
    law = distribution(family, eta)
    y = draw(family, eta, 3, rng)
    assert np.shape(law.log_prob(y[0])) == ()
    np.testing.assert_allclose(law.log_prob(y[0]), law.log_prob(y)[0], rtol=1e-13)
    np.testing.assert_allclose(law.log_prob(list(y))[0], law.log_prob(y)[0], rtol=1e-13)
    assert law.log_prob(y[:1]).shape == (1,)


@every(SUBJECTS)
def test_distribution_rvs(family, rng):
    eta = points(family, 1)[0]
    law = distribution(family, eta)
    tail = np.shape(draw(family, eta, 2, rng))[1:]
    for size, shape in [(None, ()), (5, (5,)), (np.int64(5), (5,)), ((2, 3), (2, 3)), ((), ())]:
        assert np.shape(law.rvs(size, random_state=1)) == shape + tail
    np.testing.assert_array_equal(law.rvs(7, random_state=4), law.rvs(7, random_state=4))
    np.testing.assert_array_equal(
        law.rvs(7, random_state=np.random.RandomState(4)),
        law.rvs(7, random_state=np.random.RandomState(4)),
    )
    np.testing.assert_array_equal(
        law.rvs(7, random_state=np.random.default_rng(4)),
        law.rvs(7, random_state=np.random.default_rng(4)),
    )
    assert not np.array_equal(law.rvs(50, random_state=4), law.rvs(50, random_state=5))
    assert np.shape(law.rvs(3)) == (3, *tail)
    if has_rows(family):
        rows = distribution(family, rows_of(family, 5, rng)[0])
        assert np.shape(rows.rvs(random_state=0)) == (5, *tail)
        assert np.shape(rows.rvs(2, random_state=0)) == (2, 5, *tail)


@every(SUBJECTS)
def test_distribution_errors(family):
    law = distribution(family, points(family, 1)[0])
    name = type(family).__name__
    wrong = ("pdf", "logpdf") if law.discrete else ("pmf", "logpmf")
    for method in wrong:
        with pytest.raises(AttributeError, match=rf"{method}.*{name} is .*Allowed: .*log_prob"):
            getattr(law, method)(np.zeros(1))
    for confidence in (0.0, 1.0, -1.0, 95):
        with pytest.raises(
            ValueError, match=rf"interval: confidence={confidence}.*between 0 and 1.*0\.95"
        ):
            law.interval(confidence)
    for params in ({}, law.params | {"nope": 1.0}):
        with pytest.raises(
            ValueError,
            match=rf"Distribution\({name}\): got parameters .*Allowed: exactly {family.names[0]}",
        ):
            Distribution(family, params)
    assert repr(law).startswith(f"{name}({family.names[0]}=")
