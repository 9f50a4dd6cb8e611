"""Tails of the beta law, with their derivatives in its mean and precision."""

from __future__ import annotations

import numpy as np
import pytest

from skmle.families.tools.beta_tails import tail_rows

# By mpmath, with 120 digits: the shapes, how far the log-odds are from those of the mean, the side
# of the tail, and -log of it with its derivatives: in this, the logit of the mean, and log(a + b).
EXACT = """
0.05 0.8 -9.0 above 0.78713245037702 0.059853982680135 -0.62965458415505 -0.6209422033582
    0.0065748059682676 -0.01283706401029 -0.0083591534451283 0.22177419568069 0.18724639963319
    0.13301447756099
0.4 2.5 -3.0 below 1.5017954979493 -0.39347496297047 1.0133457257058 1.1183565114653
    0.0064504689721246 -0.33434494233291 -0.38884231658006 0.52183295132906 0.73842332146455
    0.89760637964172
2.0 0.5 1.5 above 1.0825918744549 0.45660208946236 -0.56761626090473 0.62344136184195
    0.040496143280748 -0.33584367767008 0.42859710141853 0.14241973215392 -0.27489858674744
    0.41101700954783
2.5 3.5 0.4 above 1.1916393256984 1.349590626614 -0.13314297752991 0.26333587496387
    1.0180380693688 -0.070751747795483 0.92774740143482 -0.11129874390587 0.077703429701594
    0.18859146803972
2.5 3.5 -4.0 below 8.5112831162471 -2.4447704372452 3.8886023680657 7.2949528803742
    0.054401930086173 -1.3945747019957 -2.4290062853774 -0.39062229740322 3.4186526145385
    6.8880750506179
0.3 0.02 20.0 above 0.51063958504665 0.019999999999138 -0.46123347086752 0.43946550532931
    8.6218190726883e-13 -0.018749999998345 0.019999999998293 0.38844613641081 -0.39295258961922
    0.42844621652084
30.0 4.0 -0.5 below 2.0386112552822 -3.416068920248 -0.4454268344204 0.71048352561884
    4.4026864914927 1.6505669698601 -2.4967588440462 0.13680184607727 -0.46601329601949
    0.61632382980519
700.0 0.5 3.0 below 0.1942320989753 -0.10542074106014 0.29533181244358 -0.29550321033063
    0.061197827247178 -0.07219217675736 0.07221890519975 0.25467629838171 -0.25458443526811
    0.25466381196004
2000.0 3000.0 0.08 above 5.9082359956665 107.20214149271 0.78567265288132 4.2752273981274
    1123.4723945035 17.526331150134 98.166426579645 -1.9271629152631 0.73422823792633
    3.9174102873664
5.0 4000.0 1.5 above 12.919942782318 18.499314917701 10.238745442196 10.294058129294
    21.974417110002 17.264477797108 17.38823120521 9.7818978079944 9.8867465535267 9.9367486933937
1.3 0.7 -2.0 above 0.088851094565634 0.099508176895613 -0.039547361774561 -0.11496737201898
    0.099289129886232 -0.024650449967239 -0.043694853913137 0.057087250093094 0.05970579547472
    0.057410480590785
"""
COLUMNS = 14


@pytest.mark.parametrize("row", np.reshape(EXACT.split(), (-1, COLUMNS)), ids=" ".join)
def test_derivatives(row):
    a, b, away, *exact = map(float, [*row[:3], *row[4:]])
    logit, log_precision = np.log(a) - np.log(b), np.log(a + b)
    rows = tail_rows(np.array([away, 0.0]), logit, log_precision, row[3] == "above", 2)
    found = [float(entry[0]) for entry in (rows.value, *rows.gradient, *rows.packed)]
    # Some are sums in which larger ones cancel.
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12 * max(map(abs, exact)))


@pytest.mark.parametrize("upper", [False, True])
def test_of_all_or_nothing_nothing_changes(upper):
    """Beyond 0 and 1 all of the law lies on one side."""
    rows = tail_rows(np.array([-np.inf, np.inf]), np.asarray(0.3), np.asarray(1.0), upper, 2)
    np.testing.assert_array_equal(rows.value, [0.0, np.inf] if upper else [np.inf, 0.0])
    assert not np.any(rows.gradient) and not np.any(rows.packed)


def test_rows_are_the_same_in_any_number():
    """They are averaged in parts, and by how long their tails are."""
    rng = np.random.default_rng(0)
    etas = rng.normal(size=(3, 3000)) * 2.0
    together = tail_rows(*etas, True, 2)
    for i in (0, 1700, 2999):
        alone = tail_rows(*etas[:, i : i + 1], True, 2)
        for one, all_rows in zip(alone.packed, together.packed, strict=True):
            np.testing.assert_allclose(one[0], all_rows[i], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(("a", "x"), [(1e6, 3.0), (1e12, 8.0), (1e17, 1.0)])
def test_next_to_a_gamma_law(a, x):
    """As a grows, a (1 - Y) has a gamma law of shape b."""
    from skmle.families.tools import gamma_tails

    b = 4.0
    gamma = gamma_tails.tail_rows(np.array([np.log(x / b)]), np.log(b), True, 2)
    logit, log_precision = np.log(a) - np.log(b), np.log(a + b)
    beta = tail_rows(np.array([-np.log(x / b)]), logit, log_precision, False, 2)
    near = 30.0 / a + 1e-10
    assert float(beta.gradient[0][0]) == pytest.approx(float(gamma.gradient[0][0]), rel=near)
    assert float(beta.packed[0][0]) == pytest.approx(float(gamma.packed[0][0]), rel=near)
