"""
Extremes with a trend
=====================

The highest sea level of each year at Fremantle, Australia. An extreme-value law describes them; its
location may depend on the year and on the Southern Oscillation Index. The fit is that of Coles
(2001, An Introduction to Statistical Modeling of Extreme Values, section 6.3), to printed digits.
"""

# %%
# Years, levels in metres, and the index.

import matplotlib.pyplot as plt
import numpy as np

from skmle import MLERegressor

DATA = """
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
year, level, index = np.array([row.split(",") for row in DATA.split()], float).T
X = np.column_stack([year - 1900.0, index])

# %%
# Three models. Twice the difference of the log-likelihoods is a chi-square number.

for name, columns in {"no trend": [], "year": [0], "year and index": [0, 1]}.items():
    used = X[:, columns] if columns else np.zeros((len(year), 1))
    features = {"loc": "all" if columns else "none"}
    fit = MLERegressor("gev", features=features).fit(used, level)
    print(f"{name:15s} {fit.log_likelihood_:.1f}")
print(fit.summary())

# %%
# The level that is passed once in 100 years rises by two millimetres a year.

model = MLERegressor("gev").fit(X[:, :1], level)
band = model.predict_quantile(X[:, :1], [0.05, 0.5, 0.95, 0.99])
fig, ax = plt.subplots(layout="constrained")
ax.plot(year, level, "o", color="0.4", markersize=4)
ax.fill_between(year, band[:, 0], band[:, 2], color="#0072B2", alpha=0.2, label="90 % of years")
ax.plot(year, band[:, 1], color="#0072B2", label="median")
ax.plot(year, band[:, 3], color="#D55E00", label="once in 100 years")
ax.set(xlabel="year", ylabel="highest sea level in metres")
ax.legend(frameon=False)
plt.show()
