"""Tails of the gamma law, with their derivatives in the log mean and the log shape."""

from __future__ import annotations

import numpy as np
import pytest

from skmle.families.tools.gamma_tails import tail_rows

# By mpmath, with 50 digits: the shape, log(y/mean), the side of the tail, and -log of it with its
# derivatives, first in the log mean.
EXACT = """
0.05 -8.0 above 0.8983982110593 -0.07278216232567 -0.6912900867207
    0.008935130484313 0.01209648446133 0.1820874541612
0.4 -4.0 below 1.848994313797 0.3979113440278 1.545545686267
    0.002084100289672 0.3964219442779 1.311733410948
0.4 0.5 above 1.630769819402 -1.008119990411 -0.1051170494666
    0.7547103625874 -0.497438630181 0.2565282337087
1.7 -0.6 below 1.111926191816 1.169787530749 0.5389843538398
    0.4711521794987 0.9750661161641 0.2967465712029
3.0 0.2 above 1.232577636536 -2.16205476044 0.0973841333402
    3.238426125377 -1.21217701568 0.1687460371683
60.0 -0.05 above 0.4566542808355 -4.525525407967 -0.1269883619344
    33.72312893314 -1.360531414006 -0.02524918430591
60.0 -1.0 below 24.59603856489 38.47916655853 22.55774335056
    21.2379229448 37.95453123485 22.08630938695
2000.0 0.1 above 12.85413823698 -220.0320275631 10.80084232369
    2132.152463809 -211.0212405578 10.37595498853
1.3 -2.0 above 0.08463720010249 -0.106240454545 -0.1660395919628
    0.1307081184813 0.1148410188934 0.2041913664515
0.0025 -42.0 above 2.191183392336 -0.019864483091 -0.9220766026105
    0.0004442588962001 0.0007572834966895 0.0549349443687
0.3 -25.0 below 7.753017031791 0.299999999999 7.510434574639
    9.614730368025e-13 0.2999999999983 7.31251738379
"""
COLUMNS = 9


@pytest.mark.parametrize("row", np.reshape(EXACT.split(), (-1, COLUMNS)), ids=" ".join)
def test_derivatives(row):
    shape, away, *exact = map(float, [*row[:2], *row[3:]])
    rows = tail_rows(np.array([away, 0.0]), np.asarray(np.log(shape)), row[2] == "above", 2)
    found = [float(entry[0]) for entry in (rows.value, *rows.gradient, *rows.packed)]
    # Some are sums in which larger ones cancel.
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12 * max(map(abs, exact)))


@pytest.mark.parametrize("upper", [False, True])
def test_of_all_or_nothing_nothing_changes(upper):
    """Beyond 0 and infinity all of the law lies on one side."""
    rows = tail_rows(np.array([-np.inf, np.inf]), np.asarray(0.3), upper, 2)
    np.testing.assert_array_equal(rows.value, [0.0, np.inf] if upper else [np.inf, 0.0])
    assert not np.any(rows.gradient) and not np.any(rows.packed)


def test_rows_are_the_same_in_any_number():
    """They are averaged in parts, and by the sides of the law on which they lie."""
    rng = np.random.default_rng(0)
    away, log_shape = rng.normal(size=3000), rng.normal(size=3000)
    together = tail_rows(away, log_shape, True, 2)
    for i in (0, 1700, 2999):
        alone = tail_rows(away[i : i + 1], log_shape[i : i + 1], True, 2)
        for one, all_rows in zip(alone.packed, together.packed, strict=True):
            np.testing.assert_allclose(one[0], all_rows[i], rtol=1e-12)
