"""Published fits of laws of extremes: Coles (2001), An Introduction to Statistical Modeling of
Extreme Values, and the R package ismev, which has its data.
"""

from __future__ import annotations

import numpy as np

from skmle import MLEDistribution, MLERegressor

# Coles (2001), section 3.4.1: the highest sea level of each year at Port Pirie, 1923 to 1987.
PORT_PIRIE = np.array(
    """4.03 3.83 3.65 3.88 4.01 4.08 4.18 3.80 4.36 3.96 3.98 4.69 3.85 3.96 3.85 3.93 3.75 3.63
    3.57 4.25 3.97 4.05 4.24 4.22 3.73 4.37 4.06 3.71 3.96 4.06 4.55 3.79 3.89 4.11 3.85 3.86 3.86
    4.21 4.01 4.11 4.24 3.96 4.21 3.74 3.85 3.88 3.66 4.11 3.71 4.18 3.90 3.78 3.91 3.72 4.00 3.66
    3.62 4.33 4.55 3.75 4.08 3.90 3.88 3.94 4.33""".split(),
    float,
)[:, None]


# ismev, `fremantle`: year, highest sea level, and Southern Oscillation Index. Coles (2001), section
# 6.3, counts the years from 1897 on.
FREMANTLE = """
    1897,1.58,-0.67 1898,1.71,0.57 1899,1.40,0.16 1900,1.34,-0.65 1901,1.43,0.06
    1903,1.19,0.47 1904,1.55,0.39 1905,1.34,-1.78 1906,1.37,0.20 1908,1.46,0.28
    1909,1.92,0.28 1912,1.37,-0.97 1914,1.19,-0.92 1915,1.40,0.16 1916,1.28,0.62
    1917,1.52,2.12 1918,1.52,0.05 1919,1.58,-1.09 1920,1.49,0.08 1921,1.65,0.66
    1922,1.37,0.33 1923,1.49,-0.36 1924,1.46,0.33 1925,1.34,-0.24 1927,1.74,0.27
    1928,1.62,0.43 1929,1.46,0.46 1930,1.71,0.03 1931,1.74,0.39 1932,1.55,-0.68
    1933,1.43,0.09 1934,1.62,-0.01 1935,1.49,0.14 1936,1.58,0.03 1937,1.34,0.09
    1938,1.37,0.86 1939,1.62,0.02 1940,1.31,-1.52 1941,1.43,-1.44 1943,1.49,0.35
    1944,1.55,-0.27 1945,1.71,0.42 1946,1.49,-0.79 1947,1.46,0.16 1948,1.52,-0.24
    1949,1.58,-0.21 1950,1.65,1.49 1951,1.49,-0.69 1952,1.52,-0.23 1953,1.52,-0.76
    1954,1.49,0.23 1955,1.62,0.89 1956,1.86,1.00 1957,1.58,-0.45 1958,1.62,-0.50
    1959,1.46,-0.11 1960,1.43,0.28 1961,1.46,-0.01 1962,1.62,0.38 1963,1.68,-0.32
    1964,1.83,0.53 1965,1.62,-0.97 1966,1.46,-0.53 1967,1.58,0.25 1968,1.77,0.19
    1969,1.62,-0.66 1970,1.71,0.28 1971,1.46,1.06 1972,1.60,-0.88 1973,1.50,0.63
    1974,1.60,0.97 1975,1.90,1.32 1976,1.70,0.06 1977,1.40,-1.13 1978,1.80,-0.30
    1979,1.37,-0.08 1980,1.46,-0.43 1981,1.61,0.06 1982,1.43,-1.44 1983,1.67,-0.94
    1984,1.62,-0.14 1985,1.57,-0.07 1986,1.56,-0.32 1987,1.46,-1.47 1988,1.70,0.73
    1989,1.51,0.61"""


def is_printed(values, printed: str) -> bool:
    """Return whether values are those that were printed, to half a unit of their last digits."""
    shown = [len(number.partition(".")[2]) for number in printed.split()]
    pairs = zip(np.ravel(values), printed.split(), shown, strict=True)
    return all(abs(value - float(number)) <= 0.5 * 10.0**-k for value, number, k in pairs)


def test_gumbel_at_port_pirie():
    """Coles (2001), section 3.4.1: 3.87 (0.03) and 0.195 (0.019), log-likelihood 4.22."""
    model = MLEDistribution("gumbel").fit(PORT_PIRIE)
    result = model.inference()
    assert is_printed(result.estimates, "3.87 0.195")
    assert is_printed(result.standard_errors, "0.03 0.019")
    assert is_printed(model.log_likelihood_, "4.22")


def test_extreme_values_at_port_pirie():
    """Coles (2001), section 3.4.1; the ends of profile intervals were read from plots."""
    model = MLEDistribution("gev").fit(PORT_PIRIE)
    result = model.inference(PORT_PIRIE)
    assert is_printed(result.estimates, "3.87 0.198 -0.050")
    assert is_printed(result.standard_errors, "0.028 0.020 0.098")
    assert is_printed(model.log_likelihood_, "4.34")
    levels = result.return_level([10, 100], interval="profile")
    assert is_printed(levels.estimates, "4.30 4.69")
    ends = levels.confidence_intervals()
    np.testing.assert_allclose(ends, [[4.21, 4.45], [4.50, 5.27]], atol=0.011)
    found = result.profile(["shape"]).intervals
    np.testing.assert_allclose(found, [[-0.21, 0.17]], atol=0.011)


def test_extreme_values_at_fremantle():
    """Coles (2001), section 6.3: log-likelihoods 43.6, 49.9 and 53.9 as year and index come in."""
    table = np.array([row.split(",") for row in FREMANTLE.split()], float)
    X, y = table[:, [0, 2]] - [1896.0, 0.0], table[:, 1]
    assert is_printed(MLEDistribution("gev").fit(y[:, None]).log_likelihood_, "43.6")
    assert is_printed(MLERegressor("gev").fit(X[:, :1], y).log_likelihood_, "49.9")
    model = MLERegressor("gev").fit(X, y)
    assert is_printed(model.log_likelihood_, "53.9")
    result = model.inference()
    assert is_printed(result.estimates[1], "0.055")
    assert is_printed(result.standard_errors[1], "0.020")
    levels = result.return_level([10.0, 100.0], X[-1:])
    np.testing.assert_allclose(levels.estimates[0], model.predict_quantile(X[-1:], 0.9)[0])
