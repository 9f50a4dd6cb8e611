"""Regressions whose likelihood has several maxima, of which the usual start leads to a lesser one.

Each has few rows, of which one or two are far out. The best maximum is compared with that of an
independent optimiser, which starts from many points and knows the density alone.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from skmle import MLERegressor
from skmle.families import Gamma, InverseGaussian, Normal, Weibull

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

ROWS, STARTS = 14, 40


def positive(X, rng):
    y = np.exp(X @ [0.6, -0.6]) * rng.gamma(2.0, 0.5, ROWS)
    y[0] *= 20.0
    y[1] /= 20.0
    return y


def spread_by_a_column(X, rng):
    y = X @ [1, -1] + np.exp(0.5 * X[:, 0]) * rng.normal(size=ROWS)
    y[0] += 8.0
    return y


def curved(X, rng):
    y = np.exp(X @ [0.6, -0.6]) + 0.3 * rng.normal(size=ROWS)
    y -= min(y.min(), 0.0) - 0.1
    y[0] += 6.0
    return y


def gamma(y, mean, shape):
    return stats.gamma.logpdf(y, shape, scale=mean / shape)


def inverse_gaussian(y, mean, shape):
    return stats.invgauss.logpdf(y, mean / shape, scale=shape)


def identity(eta):
    return eta


# law, how y is drawn, its density, the inverse of the first link, whether the second parameter has
# slopes, the seed, and the log-likelihood that the usual start alone leads to.
CASES = {
    "normal": (Normal(), spread_by_a_column, stats.norm.logpdf, identity, True, 14, -25.890776),
    "normal, logarithm": (
        *(Normal(links={"loc": "log"}), curved, stats.norm.logpdf, np.exp, True, 14, -16.864855),
    ),
    "gamma": (Gamma(), positive, gamma, np.exp, True, 25, -20.490913),
    "gamma, identity": (
        *(Gamma(links={"mean": "identity"}), positive, gamma, identity, False, 9, -12.495703),
    ),
    "inverse Gaussian": (
        *(InverseGaussian(), positive, inverse_gaussian, np.exp, True, 7, -11.987850),
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    law, draw, density, inverse, both, seed, lesser = CASES[request.param]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, 2))
    y = draw(X, rng)
    names = [param.name for param in law.parameters]
    features = {names[0]: "all", names[1]: "all" if both else "none"}
    columns = np.column_stack([X, np.ones(ROWS)])

    def objective(coef):
        first = inverse(np.minimum(columns @ coef[:3], 300.0))
        second = np.exp(np.clip(columns @ coef[3:] if both else coef[3], -30.0, 30.0))
        with np.errstate(all="ignore"):
            value = -density(y, first, np.broadcast_to(second, ROWS)).sum()
        return float(value) if np.isfinite(value) else 1e6

    return law, features, X, y, lesser, objective, 6 if both else 4


@pytest.mark.slow
def test_the_best_of_many_starts(case):
    law, features, X, y, lesser, objective, size = case
    model = MLERegressor(law, features=features).fit(X, y)
    assert model.status_ == "interior"
    assert model.log_likelihood_ > lesser + 0.05
    best, rng = -np.inf, np.random.default_rng(1)
    for _ in range(STARTS):
        start = rng.normal(size=size)
        start[2] += 2.0  # so that the identity of a mean is positive in many rows
        found = optimize.minimize(objective, start, method="BFGS")
        # A scale may vanish at some rows, on whose way a density has no bound: that is no maximum.
        if np.abs(found.x).max() < 12.0:
            best = max(best, -found.fun)
    assert best > lesser + 0.05
    assert model.log_likelihood_ >= best - 1e-5


def test_neither_order_nor_units_matter(case):
    law, features, X, y, *_ = case
    model = MLERegressor(law, features=features).fit(X, y)
    back = MLERegressor(law, features=features).fit(X[::-1], y[::-1])
    np.testing.assert_allclose(back.log_likelihood_, model.log_likelihood_, rtol=1e-9)
    scaled = MLERegressor(law, features=features).fit(1e3 * X, y)
    np.testing.assert_allclose(scaled.log_likelihood_, model.log_likelihood_, rtol=1e-9)


# Times whose scale, under a square, is positive at all rows, and two columns.
TIMES = np.array([9.22, 0.11, 4.5, 0.22, 8.57, 0.12, 150.54, 3.43, 0.08, 0.14, 78.99, 0.59])
COLUMNS = np.column_stack(
    [
        [-1.05, -2.24, 0.38, -0.07, 1.16, -0.54, 0.01, -0.47, 0.07, -0.2, 0.33, 0.85],
        np.isin(np.arange(12), [5, 8, 9]),
        np.ones(12),
    ]
)


@pytest.mark.slow
def test_the_best_of_many_starts_beside_the_end_of_a_domain():
    """Rows next to the end of a domain shorten the steps of a search that does not see it."""

    def objective(coef):
        eta = COLUMNS @ coef[:3]
        if eta.min() <= 0.0:
            return 1e6
        shape = np.exp(coef[3])
        value = -stats.weibull_min.logpdf(TIMES, shape, scale=np.sqrt(eta)).sum()
        return float(value) if np.isfinite(value) else 1e6

    model = MLERegressor(Weibull(links={"scale": "power(2)"})).fit(COLUMNS[:, :2], TIMES)
    assert model.status_ == "interior"
    rng, ends = np.random.default_rng(1), []
    for size in 10.0 ** np.linspace(1.0, 4.0, 6):
        # The third column's coefficient is the eta of the row whose first two are zero.
        start = [*(0.3 * size * rng.normal(size=2)), size, -0.7]
        way = {"maxiter": 1500, "maxfev": 1500, "xatol": 1e-6, "fatol": 1e-8}
        ends.append(optimize.minimize(objective, start, method="Nelder-Mead", options=way).fun)
    assert max(e for e in ends if e < 40.0) > min(ends) + 0.5  # there are several
    assert model.log_likelihood_ >= -min(ends) - 1e-5
