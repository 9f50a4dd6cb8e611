"""The special functions of families, against values of 60 digits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma, gammaln, zeta

from skmle.families.tools.special import (
    LOG_2PI,
    binet,
    log_half_step,
    log_rising,
    log_rising_table,
    logistic_kernel,
    trigamma,
)
from tests.families.laws import jets

pytestmark = pytest.mark.filterwarnings("error")


# Reference values by mpmath 1.3, 60 digits: trigamma: psi(1, x) binet:    mu = loggamma(x) - (x -
# 1/2) log(x) + x - log(2 pi)/2;  psi(0, x) - log(x) + 1/(2 x);  psi(1, x) - 1/x - 1/(2 x^2) rising:
# loggamma(y + r) - loggamma(r) - y log(r) and, with D = psi(0, y + r) - psi(0, r), D r - y;
# (psi(1, y + r) - psi(1, r)) r^2 + D r
TRIGAMMA = [
    (1e-10, 9.9999999999999993e19),
    (0.001, 1000001.6425331958),
    (0.3, 12.245364546107731),
    (1.0, 1.6449340668482264),
    (2.5, 0.49035775610023486),
    (7.999, 0.1331547166131586),
    (8.0, 0.13313701469403143),
    (8.5, 0.12483811891892602),
    (15.0, 0.068938227847683806),
    (100.0, 0.010050166663333571),
    (1e6, 1.0000005000001667e-6),
    (1e14, 1.000000000000005e-14),
]

BINET = [
    (1e-13, 14.04786457125966, -4999999999970.6435, 4.9999999999989997e25),
    (0.001, 2.5422704679670945, -493.66781665282815, 499001.64253319585),
    (0.3, 0.23606490074821559, -0.63188475120753037, 3.3564756572188419),
    (1.0, 0.081061466795327258, -0.077215664901532861, 0.14493406684822644),
    (2.5, 0.033162873519936287, -0.013134091228911878, 0.010357756100234865),
    (8.0, 0.010411265261972096, -0.0013000637242259317, 0.00032451469403142513),
    (15.9, 0.0052403998807561082, -0.00032949816990883927, 4.1429971355514717e-5),
    (16.0, 0.0052076559196096404, -0.00032539391232086928, 4.0658403239361782e-5),
    (17.0, 0.0049013959484347379, -0.00028825102287335892, 3.3900185246282197e-5),
    (100.0, 0.00083333055563491468, -8.3332500039678374e-6, 1.6666333357139525e-7),
    (1e6, 8.3333333333330556e-8, -8.3333333333325e-14, 1.6666666666663333e-19),
    (1e13, 8.3333333333333333e-15, -8.3333333333333333e-28, 1.6666666666666667e-40),
]

# loggamma(x + 1/2) - loggamma(x) - log(x)/2
HALF_STEPS = [
    (1e-10, -10.940560522184157),
    (0.01, -1.7439209671181752),
    (0.5, -0.22579135264472744),
    (3.0, -0.04147972254692593),
    (49.9, -0.002504968107418833),
    (50.0, -0.002499958338331816),
    (50.1, -0.0024949685673253796),
    (1000.0, -0.00012499999479166822),
    (100000000.0, -1.25e-09),
    (1e300, -1.25e-301),
]

RISING = [
    (0.0, 2.0, 0.0, 0.0, 0.0),
    (0.5, 1e-13, -14.394438161536735, 0.49999999999986137, -1.3862943611192327e-13),
    (0.5, 0.7, -0.16790386456561618, 0.15168855997402243, -0.11598069614868502),
    (0.5, 30.0, -0.0041664738296783739, 0.0041660882840862362, -0.0041649321604158815),
    (0.5, 5e12, -2.5e-14, 2.5e-14, -2.5e-14),
    (3.0, 1e-13, 60.560359598405283, -1.99999999999985, 1.49999999999975e-13),
    (3.0, 0.001, 14.510157113898954, -1.9985012488760615, 0.0014975033707551502),
    (3.0, 0.7, 2.2372299119499186, -1.3289760348583878, 0.43425842861957176),
    (3.0, 15.0, 0.18970166409157719, -0.18014705882352941, 0.16239997837370242),
    (3.0, 1e4, 0.00029997500299957507, -0.00029995000899830033, 0.00029990002699320165),
    (3.0, 1e13, 2.99999999999975e-13, -2.9999999999995e-13, 2.999999999999e-13),
    (40.0, 0.2, 170.22098386018967, -38.205916496383702, 0.74439591881322553),
    (40.0, 20.0, 25.364653732090357, -17.690718217172215, 8.5234834558006921),
    (40.0, 1e8, 7.7999989730002028e-6, -7.7999979460006084e-6, 7.7999958920018252e-6),
    (1000.0, 0.01, 10505.860201921212, -998.92531849341531, 0.074519485280875391),
    (1000.0, 5.0, 4327.1532183728887, -972.96936221441318, 21.52245189408556),
    (1000.0, 1e13, 4.9949999998335833e-8, -4.9949999996671665e-8, 4.994999999334333e-8),
    (2.7, 1.3, 1.1915507646736898, -0.84709887551181993, 0.4156736145396184),
]


def test_trigamma():
    x, expected = np.array(TRIGAMMA).T
    np.testing.assert_allclose(trigamma(x), expected, rtol=1e-13)
    np.testing.assert_allclose([trigamma(np.asarray(one)) for one in x], expected, rtol=1e-13)


def test_binet():
    """Absolute errors, in units of the derivatives in log x that families use.

    X mu' and x^2 mu''.
    """
    x, *expected = np.array(BINET).T
    together = binet(x)
    for row, one in enumerate(x):
        alone = binet(np.asarray(one))
        for order, want in enumerate(expected):
            # Below 16 the value is a difference of terms of x log x, each rounded.
            tolerance = (
                1e-15 * max(1.0, one * abs(np.log(one)), one**order * abs(want[row])) / one**order
            )
            assert abs(alone[order] - want[row]) <= tolerance
            assert abs(together[order][row] - want[row]) <= tolerance
    large = x >= 16.0
    for order, want in enumerate(expected):
        np.testing.assert_allclose(together[order][large], want[large], rtol=1e-11)
    assert binet(x, 0)[1:] == (None, None) and binet(x, 1)[2] is None


def test_binet_and_the_gamma_functions():
    """Of all orders of magnitude.

    Lgamma, digamma and trigamma from it are scipy's, up to the rounding of their terms.
    """
    x = np.concatenate([np.logspace(-150, 15, 1651), np.linspace(0.5, 20.0, 391)])
    log_x = np.log(x)
    value, first, second = binet(x)
    terms = np.array([value, (x - 0.5) * log_x, -x, np.full_like(x, 0.5 * LOG_2PI)])
    assert np.all(
        np.abs(terms.sum(axis=0) - gammaln(x)) <= 5e-16 * np.maximum(1.0, np.abs(terms).sum(axis=0))
    )
    terms = np.array([first, log_x, -0.5 / x])
    assert np.all(
        np.abs(terms.sum(axis=0) - digamma(x)) <= 5e-16 * np.maximum(1.0, np.abs(terms).sum(axis=0))
    )
    np.testing.assert_allclose(trigamma(x), zeta(2.0, x), rtol=2e-14)
    for part in (
        value,
        -first,
        second,
    ):  # falling without end, and nowhere a step: not at 1 either, where the formula changes
        assert np.all(part > 0.0)
        assert np.all(np.diff(part[:1651]) < 0.0)
    tiny = np.logspace(-300, -150, 151)
    np.testing.assert_allclose(binet(tiny, 0)[0], -0.5 * np.log(2 * np.pi * tiny), rtol=1e-15)
    np.testing.assert_allclose(binet(tiny, 1)[1], -0.5 / tiny, rtol=1e-15)
    for part, column in zip(
        binet(np.stack([x, x]).T), (value, first, second), strict=True
    ):  # any shape, any order in memory
        np.testing.assert_array_equal(part, np.stack([column, column]).T)


def test_log_rising():
    y, r, *expected = np.array(RISING).T
    for computed in (
        log_rising(y, r),
        zip(*(log_rising(*map(np.asarray, pair)) for pair in zip(y, r, strict=True)), strict=True),
    ):
        for have, want in zip(computed, expected, strict=True):
            np.testing.assert_allclose(have, want, rtol=1e-13, atol=4e-14 + 4e-16 * y.max())
    assert log_rising(y, r, 0)[1:] == (None, None) and log_rising(y, r, 1)[2] is None


@pytest.mark.parametrize(
    ("y", "r", "value", "first", "second"), [row for row in RISING if row[0] == int(row[0])]
)
def test_log_rising_table(y, r, value, first, second):
    table = log_rising_table(int(y), 1.0 / r)
    assert all(column.shape == (int(y) + 1,) for column in table)
    np.testing.assert_allclose(
        [column[int(y)] for column in table], [value, first, second], rtol=1e-12, atol=1e-300
    )


def test_log_rising_table_without_dispersion():
    for column in log_rising_table(5, 0.0):
        np.testing.assert_array_equal(column, np.zeros(6))


def test_logistic_kernel_in_the_tails():
    eta = np.array([-800.0, -40.0, -30.0, 0.0, 30.0, 40.0, 800.0])
    for success in (0.0, 1.0):
        value, gradient, curvature = jets(logistic_kernel(np.full(7, success), None, eta), 1, 7)
        np.testing.assert_allclose(
            value, np.logaddexp(0.0, eta) - success * eta, rtol=1e-15, atol=1e-16
        )
        np.testing.assert_allclose(
            gradient[:, 0], 1.0 / (1.0 + np.exp(-np.maximum(eta, -700.0))) - success, atol=2e-16
        )
        assert np.isfinite(curvature).all() and np.all(curvature >= 0)


@pytest.mark.parametrize("trials", [1.0, 1e6, 1e15, 1e100])
def test_logistic_kernel_counts_the_rarer_outcomes(trials):
    """Of few successes, or few failures, what is left of the expected number has all its digits."""
    for rare in (1.0, 3.0) if trials > 3.0 else (0.0, 1.0):
        for expected in (0.5, 2.0):
            eta = np.log(expected) - np.log(trials)
            share = np.exp(eta) / (1.0 + np.exp(eta))
            value, gradient, curvature = logistic_kernel(
                np.array([rare]), np.array([trials]), np.array([eta])
            )
            right = trials * np.log1p(np.exp(eta)) - rare * eta
            np.testing.assert_allclose(value, right, rtol=1e-14)
            np.testing.assert_allclose(gradient[0], trials * share - rare, rtol=1e-13)
            np.testing.assert_allclose(curvature[0], trials * share * (1.0 - share), rtol=1e-13)
            if trials - (trials - rare) == rare:  # the other way round it is the same, mirrored
                mirrored = logistic_kernel(
                    np.array([trials - rare]), np.array([trials]), np.array([-eta])
                )
                np.testing.assert_allclose(mirrored.value, value, rtol=1e-14)
                np.testing.assert_allclose(mirrored.gradient[0], -gradient[0], rtol=1e-13)
                np.testing.assert_array_equal(mirrored.curvature[0], curvature[0])


@pytest.mark.parametrize(("x", "expected"), HALF_STEPS)
def test_log_half_step(x, expected):
    np.testing.assert_allclose(log_half_step(np.array([x])), expected, rtol=3e-14)
    np.testing.assert_allclose(log_half_step(np.asarray(x)), expected, rtol=3e-14)
