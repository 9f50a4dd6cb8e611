"""Every law of one column under every kind of observation, against quadrature or sums.

Rows are exact, open to the left or the right, between two ends, each seen from an entry on, up to
an exit, or between both, and rounded; under one law for all rows, as in a density, and under one
law a row, as in a regression.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from skmle import families
from skmle.families import Censored, Family, Rounded
from skmle.families.wrappers.fixed import Fixed
from tests.families.laws import jets, natural, points
from tests.families.probabilities import log_probability, masses, quartiles_of
from tests.families.test_intervals import EIGHTH, one_column
from tests.families.test_made_of_others import MADE, data
from tests.families.test_wrappers import found_wrappers
from tests.subjects import FAMILIES, SUBJECTS, observations, own_name, representatives

pytestmark = pytest.mark.filterwarnings("error")

# A rounded value is an interval already, of which no interval can be known. Of the laws inside
# wrappers, whose own tails are those of the laws alone, one of each kind is enough.
REPRESENTED = {own_name(cls) for cls in FAMILIES} - {own_name(cls) for cls in representatives()}
LAWS = {name: family for name, family in SUBJECTS.items() if one_column(family)} | {
    name: family
    for name, family in MADE.items()
    if not isinstance(family, Rounded) and not REPRESENTED & set(name.split("-"))
}
# How each wrapper is put around a law, of those that make another one of a law of one column.
AROUND = {
    families.Truncated: lambda law: families.Truncated(law, 0.2, 3.0),
    families.Mixture: lambda law: families.Mixture((law, "weibull")),
}
OTHERS = {
    families.Censored: "the tests put it around all laws",
    families.Rounded: "the tests put it around all laws",
    Fixed: "the law inside, with fewer parameters",
    families.Product: "it has several columns",
}


def nested() -> dict[str, Family]:
    """Return what every wrapper makes of every other one, where it takes that."""
    found = {}
    wrappers = [cls for cls in found_wrappers() if cls not in OTHERS]
    for outer, inner in product(wrappers, wrappers):
        family = AROUND.get(outer, outer)(AROUND.get(inner, inner)("weibull"))
        try:
            family.adapt(np.array([1.1, 1.4, 2.5]))
        except ValueError:  # some refuse others, or their values
            continue
        found[f"{outer.__name__}-around-{inner.__name__}"] = family
    return found


NESTED = nested()
NAMES = [*LAWS, *(pytest.param(name, marks=pytest.mark.slow) for name in NESTED)]
EVERY = pytest.mark.parametrize("name", LAWS)
NESTED_TOO = pytest.mark.parametrize("name", NAMES)
WHOLE = (-np.inf, np.inf)
SPREAD = 0.05  # of the eta of different rows


def data_of(name: str) -> np.ndarray:
    """Return observations that the law can have, with zeros if these have a mass."""
    if name not in NESTED:
        return data(name)
    y = observations(families.Weibull, 60) + name.startswith("Transformed")
    if "ZeroInflated" in name or "Hurdle" in name:
        y = np.append(y, np.zeros(20))
    return y[NESTED[name].contains(y)]


def law_of(name: str) -> tuple[Family, list[tuple[np.ndarray, ...]]]:
    """Return a law that has learnt what it must, and constant chart eta."""
    family = NESTED[name] if name in NESTED else LAWS[name]
    if name in SUBJECTS:
        return family, points(family, 1)
    y = data_of(name)
    learnt = family.adapt(y)
    start = learnt.starts(learnt.statistics(y), None)[0]
    return learnt, [tuple(np.asarray(e) for e in start)]


def rows_of(family: Family, eta) -> np.ndarray:
    """Return rows [lower, upper, entry, exit] of every kind."""
    theta = natural(family, eta)
    quantiles = (0.05, 0.25, 0.4, 0.6, 0.75, 0.97)
    first, low, here, there, high, last = (float(family.quantile(q, theta)) for q in quantiles)
    known = [(y, y) for y in (here, there)]
    known += [(-np.inf, low), (-np.inf, there), (here, np.inf), (high, np.inf), (low, high)]
    windows = [WHOLE, (first, np.inf), (-np.inf, last), (first, last)]
    rows = np.array([(*ends, *window) for ends in known for window in windows])
    rows = rows[Censored(family).contains(rows)]
    assert len(rows) >= 4
    return rows


def expected_of(family: Family, eta, row: np.ndarray, quartiles) -> float:
    """Return log q of what is known of a row, less that of what could be seen of it."""
    lower, upper, entry, leave = row
    counted = family.support.discrete
    first = np.floor(entry) + 1.0 if counted else entry
    seen = 0.0
    if (entry, leave) != WHOLE:
        seen = log_probability(family, eta, first, leave, quartiles)
    if lower == upper:
        return float(family.log_prob(np.array([lower]), family.linked(eta))[0]) - seen
    low, high = max(lower, first), min(upper, leave)
    atom = family.support.closed[0] and low == family.support.low  # which the interval leaves out
    if not counted and not (atom or low > family.support.low or high < family.support.high):
        return -seen
    return log_probability(family, eta, low, high, quartiles) - seen


def varied(eta, n: int) -> tuple[np.ndarray, ...]:
    """Return eta of one law a row, near those of one for all."""
    steps = np.linspace(-1.0, 1.0, n)
    return tuple(e + SPREAD * np.roll(steps, 5 * j) for j, e in enumerate(eta))


def row_by_row(family: Family, eta, n: int) -> list[tuple[np.ndarray, ...]]:
    return [tuple(np.asarray(e) if np.ndim(e) == 0 else e[i] for e in eta) for i in range(n)]


def both(eta, n: int) -> list[tuple[np.ndarray, ...]]:
    """Return the eta of a density and of a regression."""
    return [eta, varied(eta, n)]


@NESTED_TOO
@pytest.mark.slow
def test_log_likelihoods_of_every_row(name):
    family, etas = law_of(name)
    law = Censored(family)
    for constant in etas:
        rows, quartiles = rows_of(family, constant), quartiles_of(family, constant)
        for eta in both(constant, len(rows)):
            found = law.log_prob(rows, law.linked(eta))
            each = zip(row_by_row(family, eta, len(rows)), rows, strict=True)
            known = np.array([expected_of(family, own, row, quartiles) for own, row in each])
            np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-9)


@EVERY
def test_cdf_quantiles_and_mean(name):
    family, etas = law_of(name)
    if family.support.discrete:
        return  # summed elsewhere
    for eta in etas:
        theta, quartiles = natural(family, eta), quartiles_of(family, eta)
        y, log_mass = masses(family, eta, -np.inf, np.inf, quartiles)
        np.testing.assert_allclose(np.exp(log_mass).sum(), 1.0, rtol=1e-9)
        mean, size = np.exp(log_mass) @ y, np.exp(log_mass) @ np.abs(y)
        if np.isfinite(family.variance(theta)):  # else more of the mean lies where no sum reaches
            np.testing.assert_allclose(family.mean(theta), mean, rtol=1e-9, atol=1e-9 * size)
        for q in (0.1, 0.6, 0.9):
            at = float(family.quantile(q, theta))
            below = np.exp(log_probability(family, eta, -np.inf, at, quartiles))
            np.testing.assert_allclose(family.cdf(at, theta), below, rtol=1e-9)
            np.testing.assert_allclose(family.sf(at, theta), 1.0 - below, rtol=1e-8, atol=1e-12)
            assert at == 0.0 or abs(below - q) < 1e-9


@EVERY
def test_log_likelihoods_of_rounded_values(name):
    family, etas = law_of(name)
    if family.support.discrete:
        return  # counts in intervals are censored
    for constant in etas:
        theta = natural(family, constant)
        low, high = (float(family.quantile(q, theta)) for q in (0.2, 0.8))
        step = 0.2 * (high - low)
        y, quartiles = np.linspace(low, high, 5), quartiles_of(family, constant)
        law = Rounded(family, resolution=step)
        for eta in both(constant, len(y)):
            found = law.log_prob(y, law.linked(eta))
            each = zip(row_by_row(family, eta, len(y)), y, strict=True)
            ends = [(own, value - 0.5 * step, value + 0.5 * step) for own, value in each]
            known = [log_probability(family, own, a, b, quartiles) for own, a, b in ends]
            np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-9)


@NESTED_TOO
@pytest.mark.slow
def test_derivatives_of_every_row(name):
    family, etas = law_of(name)
    if family.cusps:
        return  # differences across a cusp tell nothing
    law = Censored(family)
    for constant in etas:
        rows = rows_of(family, constant)
        statistics, k, n = law.statistics(rows), len(constant), len(rows)
        # Of laws made of others one law a row is enough.
        for eta in both(constant, n) if name in SUBJECTS else [varied(constant, n)]:
            value, gradient, curvature = jets(law.evaluate(statistics, eta), k, n)
            assert np.isfinite(value).all()
            for j, param in enumerate(family.parameters):
                # A location has units of y, in which a law may be narrow; those fitted to data are.
                h = 2e-2 if name in SUBJECTS else 1e-3
                h = min(h, 2e-3) if param.unit == "location" else h

                def moved(step, order, eta=eta, j=j):
                    at = (*eta[:j], eta[j] + step, *eta[j + 1 :])
                    return jets(law.evaluate(statistics, at, order), k, n)[order]  # noqa: B023

                size = 1.0 + np.abs(gradient)
                miss = np.abs(slope(lambda s, f=moved: f(s, 0), h) - gradient[:, j])
                assert (miss / size[:, j]).max() < 1e-8
                miss = np.abs(slope(lambda s, f=moved: f(s, 1), h) - curvature[:, :, j])
                assert (miss / (size + np.abs(curvature[:, :, j]))).max() < 2e-7


def slope(function, h: float) -> np.ndarray:
    """Return a derivative at zero by differences of order eight, with steps h."""
    pairs = enumerate(EIGHTH, 1)
    return sum(c * (function(m * h) - function(-m * h)) for m, c in pairs) / h
