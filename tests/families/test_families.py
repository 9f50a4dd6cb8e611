"""Every family, every property a family promises; the families are those of the registry."""

from __future__ import annotations

import inspect
import itertools
import pickle
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import digamma, expit, gammaln, logit, zeta
from sklearn.base import clone

from skmle import families
from skmle.families import REGISTRY, Distribution, Family, Support, all_families, get_family
from skmle.families.base import IDENTITY, LOG, LOGIT, Softmax
from skmle.families.links import allowed_links, get_link
from skmle.families.tools.special import (
    LOG_2PI,
    binet,
    log_rising,
    log_rising_table,
    logistic_kernel,
    trigamma,
)
from skmle.families.wrappers.fixed import fix

pytestmark = pytest.mark.filterwarnings("error")

# ---------------------------------------------------------------- the subjects

WIDTH = 3  # columns of a family of any number of columns
LABELS = np.array([2, 3, 7])
TRIALS = 6  # whatever a constructor's whole number counts


def data_for(family: Family) -> np.ndarray:
    """Data of the right shape and type, to learn a dimension or categories from."""
    if not family.numeric:
        return np.repeat(LABELS, 4)
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=12)
        if family.columns == 1
        else rng.normal(size=(12, family.columns or WIDTH))
    )


def subjects() -> dict[str, Family]:
    """Return one instance of every family of the registry, and one more for every whole number that it is made with."""
    found = {}
    for cls in all_families():
        family = found[cls.__name__] = cls().adapt(data_for(cls()))
        counts = [name for name, value in cls().get_params().items() if type(value) is int]
        found |= {
            f"{cls.__name__}-{name}": clone(family).set_params(**{name: TRIALS}) for name in counts
        }
    return found


SUBJECTS = subjects()
STEPS_TOWARDS = {
    f"{name}-smooth{i}": law
    for name, family in SUBJECTS.items()
    for i, law in enumerate(family.smoothings()[:2])
}


def every(table, keep=lambda family: True):
    chosen = {name: family for name, family in table.items() if keep(family)}
    assert chosen
    return pytest.mark.parametrize("family", chosen.values(), ids=chosen)


def has_gradient(family: Family) -> bool:
    rng = np.random.default_rng(0)
    eta = points(family, 1)[0]
    return family.evaluate(family.statistics(draw(family, eta, 3, rng)), eta).gradient is not None


# Where the parameters are drawn from, on the eta of each chart: positive ones from about 0.6 to 7.
CHART_DRAWS = {IDENTITY: (0.0, 1.0), LOG: (0.7, 0.6), LOGIT: (0.0, 1.0)}


def points(family: Family, count: int = 4) -> list[tuple[np.ndarray, ...]]:
    """Return constant chart eta, `count` points in the space of the parameters."""
    return list(drawn_points(family)[:count])


@cache  # a hundred tests ask
def drawn_points(family: Family) -> tuple[tuple[np.ndarray, ...], ...]:
    """Return eta drawn for each parameter from its chart and kept if they are a law that can be computed with.

    Where a link takes positive values only, so does its parameter. Kept are laws (low < high) of finite entropy of which
    nothing to speak of lies between the last floating-point number and an upper end (beta close to 1).
    """
    rng = np.random.default_rng(7)
    only_positive = [
        p.chart is IDENTITY and family.link(j).name != "identity"
        for j, p in enumerate(family.parameters)
    ]
    kept: list[tuple[np.ndarray, ...]] = []
    while len(kept) < 4:
        drawn = [rng.normal(*CHART_DRAWS[p.chart]) for p in family.parameters]
        eta = tuple(
            np.asarray(abs(e) if positive else e)
            for e, positive in zip(drawn, only_positive, strict=True)
        )
        if family in STEPS_TOWARDS.values() or is_computable(family, natural(family, eta)):
            kept.append(eta)
    return tuple(kept)


def is_computable(family: Family, theta) -> bool:
    with np.errstate(invalid="ignore"):
        if not np.isfinite(family.entropy(theta)).all():
            return False
    high = family.support.high
    return (
        family.support.discrete
        or not np.isfinite(high)
        or family.sf(np.nextafter(high, -np.inf), theta) < 1e-14
    )


def tail_points(family: Family, size: float) -> list[tuple[np.ndarray, ...]]:
    """Return chart eta with one entry at each tail, and (of few parameters) with all."""
    middle = points(family, 1)[0]
    singles = [
        tuple(np.asarray(end if i == j else e) for i, e in enumerate(middle))
        for j in range(len(middle))
        for end in (-size, size)
    ]
    corners = itertools.product((-size, size), repeat=len(middle)) if 1 < len(middle) <= 3 else []
    return singles + [tuple(map(np.asarray, corner)) for corner in corners]


def natural(family: Family, eta):
    """Theta at chart eta."""
    return family.natural(family.linked(eta))


def draw(family: Family, eta, n, rng):
    """Observations of the law at constant chart eta, short of where they leave the floating-point numbers."""
    if family in STEPS_TOWARDS.values():
        return eta[0] + np.exp(eta[1]) * rng.standard_t(3.0, size=n)
    y = family.sample(natural(family, eta), (n,), rng)
    inside = family.contains(y)
    return y[inside & (np.abs(y) < 1e100) if family.numeric and family.columns == 1 else inside]


def rows_of(family: Family, n, rng):
    """Return eta with one row an observation, and observations of these laws."""
    columns = [rng.normal(*CHART_DRAWS[p.chart], size=n) for p in family.parameters]
    if not family.regular:
        columns = list(np.sort(columns, axis=0))
    eta = tuple(columns)
    if family in STEPS_TOWARDS.values():
        return eta, eta[0] + np.exp(eta[1]) * rng.standard_t(3.0, size=n)
    return eta, family.sample(natural(family, eta), (n,), rng)


def has_rows(family: Family) -> bool:
    """Whether each observation may have parameters of its own; a law of any number of columns is one law for all."""
    return family.columns is not None


def dense(curvature, k, n):
    """Curvature as an array (n, k, k)."""
    if isinstance(curvature, Softmax):
        p = np.broadcast_to(curvature.probabilities, (k, n)).T
        return np.eye(k) * p[:, None, :] - p[:, :, None] * p[:, None, :]
    full = np.zeros((n, k, k))
    for (a, b), entry in zip(
        itertools.combinations_with_replacement(range(k), 2), curvature, strict=True
    ):
        if entry is not None:
            full[:, a, b] = full[:, b, a] = entry
    return full


def jets(rows, k, n):
    """Value (n,), gradient (n, k), curvature (n, k, k) of Rows, broadcast; None where not there."""
    value, gradient, curvature = rows
    if gradient is not None:
        gradient = np.array([np.broadcast_to(g, n) for g in gradient]).reshape(k, n).T
    return (
        np.broadcast_to(value, n),
        gradient,
        None if curvature is None else dense(curvature, k, n),
    )


# ---------------------------------------------------------------- expectations under a law


def counted(family: Family) -> bool:
    """Whether the law has atoms that can be listed."""
    return family.support.discrete


def atoms(family: Family, theta) -> np.ndarray:
    """Return the points that `cdf` and `quantile` speak of: whole numbers or labels, as far as any probability reaches."""
    if not family.numeric:
        return np.asarray(family.labels)
    law = family.to_scipy(theta)
    low, high = law.support()
    return np.arange(low, min(high, law.mean() + 100.0 * law.std() + 50.0) + 1.0)


def observations(family: Family, at: np.ndarray) -> np.ndarray:
    """Return the observations for atoms; of two columns, [successes, failures]."""
    return np.stack([at, family.trials - at], axis=-1) if family.columns == 2 else at


def positions(family: Family, y: np.ndarray) -> np.ndarray:
    """Return what the scipy law calls an observation: a label's position, the number of successes, itself."""
    if not family.numeric:
        return np.searchsorted(family.labels, y)
    return y[..., 0] if family.columns == 2 else y


LEVELS = np.concatenate(
    [10.0 ** -np.arange(9.0, 2.0, -1.0), [0.01, 0.03], np.linspace(0.08, 0.5, 8)]
)
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)


def quadrature(family: Family, eta):
    """Gauss-Legendre panels between quantiles and on outwards, in a coordinate t over the whole line: observations, weights of dy."""
    law = family.to_scipy(natural(family, eta))
    to, back, slope = coordinate(family.support, law.median(), law.ppf(0.75) - law.ppf(0.25))
    edges = [
        edge
        for edge in law.support()
        if np.isfinite(edge) and edge not in (family.support.low, family.support.high)
    ]
    ends = np.unique(to(np.concatenate([law.ppf(LEVELS), law.isf(LEVELS[::-1]), edges])))
    sides = []
    for edge, neighbour in ((ends[0], ends[1]), (ends[-1], ends[-2])):
        far = edge + np.sign(edge - neighbour) * min(abs(edge - neighbour), 1.0) * np.arange(
            1.0, 700.0
        )
        y = back(far[np.abs(far) < 340.0])
        log_prob = family.log_prob(y, family.linked(eta))
        sides.append(far[: len(y)][log_prob > -700.0])
    ends = np.sort(np.concatenate([ends, *sides]))
    gaps = np.ceil(np.diff(ends)).astype(int)
    ends = np.unique(
        np.concatenate(
            [
                np.linspace(a, b, gap + 1)
                for a, b, gap in zip(ends[:-1], ends[1:], gaps, strict=True)
            ]
        )
    )
    half = 0.5 * np.diff(ends)[:, None]
    t = 0.5 * (ends[1:] + ends[:-1])[:, None] + half * NODES
    y, weight = back(t).ravel(), (half * NODE_WEIGHTS * slope(t)).ravel()
    inside = family.contains(y)
    return y[inside], weight[inside]


def coordinate(support: Support, centre, spread):
    """Return t(y), y(t) and dy/dt: logit, log or asinh, by the ends of the support."""
    if np.isfinite(support.low) and np.isfinite(support.high):
        return logit, expit, lambda t: expit(t) * expit(-t)
    if np.isfinite(support.low):
        return np.log, np.exp, np.exp
    return (
        lambda y: np.arcsinh((y - centre) / spread),
        lambda t: centre + spread * np.sinh(t),
        lambda t: spread * np.cosh(t),
    )


def law_points(family: Family, eta, draws=20_000):
    """Return observations, their probability weights, and whether these are exact (else a sample)."""
    theta = natural(family, eta)
    if counted(family):
        y = observations(family, atoms(family, theta))
        return y, np.exp(family.log_prob(y, family.linked(eta))), True
    if family.columns == 1:
        y, weight = quadrature(family, eta)
        return y, weight * np.exp(family.log_prob(y, family.linked(eta))), True
    y = family.sample(theta, (draws,), np.random.default_rng(11))
    return y, np.full(draws, 1.0 / draws), False


def assert_expectation(values, weight, exact, expected, rtol=1e-9):
    """Compare weighted sums of rows with `expected`: to rounding by quadrature, within 5 standard errors by sampling."""
    values = values.reshape(len(weight), -1)
    mean = weight @ values
    size = weight @ np.abs(values) + 1e-12
    band = (
        rtol * size if exact else 5.0 * np.sqrt(weight @ (values - mean) ** 2 / len(weight)) + 1e-12
    )
    miss = np.abs(mean - np.ravel(expected)) / band
    assert miss.max() <= 1.0, (
        f"{miss.max():.3g} times the tolerance off: {mean} against {np.ravel(expected)}"
    )


# ---------------------------------------------------------------- the formula and its derivatives


def check_derivatives(formula, eta, has_curvature, n, assert_derivative):
    """Compare gradient and curvature of `formula(eta, order)` (jets of n rows) with differences of value and gradient."""
    k = len(eta)
    value, gradient, curvature = formula(eta, 2)
    assert np.isfinite(value).all()
    noise = 1.0 + np.abs(value)

    for j in range(k):
        # A constant entry moves as 0-d: all rows take the same step.
        def moved(order, j=j):
            return lambda e: formula((*eta[:j], e, *eta[j + 1 :]), order)[order].T

        assert_derivative(moved(0), eta[j], gradient[:, j], atol=1e-10 * noise)
        if has_curvature:
            level = noise[:, None] + np.abs(gradient)
            assert_derivative(moved(1), eta[j], curvature[:, :, j].T, atol=1e-10 * level.T)


def formula_of(family, y, evaluate=None):
    statistics, n = family.statistics(y), len(y)

    def formula(eta, order):
        return jets((evaluate or family.evaluate)(statistics, eta, order), len(eta), n)

    return formula


DIFFERENTIABLE = {
    name: family for name, family in (SUBJECTS | STEPS_TOWARDS).items() if has_gradient(family)
}


@every(DIFFERENTIABLE)
def test_derivatives_at_constants(family, rng, assert_derivative):
    for eta in points(family):
        y = draw(family, eta, 12, rng)
        check_derivatives(formula_of(family, y), eta, not family.exact, len(y), assert_derivative)


@every(DIFFERENTIABLE, has_rows)
def test_derivatives_at_rows(family, rng, assert_derivative):
    eta, y = rows_of(family, 12, rng)
    check_derivatives(formula_of(family, y), eta, not family.exact, len(y), assert_derivative)


@every(DIFFERENTIABLE)
def test_derivatives_in_the_tails(family, rng, assert_derivative):
    """At eta = -8 and 8, of observations from there and of observations from the middle."""
    middle = points(family, 1)[0]
    for eta in tail_points(family, 8.0):
        y = np.concatenate([draw(family, eta, 6, rng), draw(family, middle, 6, rng)])
        with np.errstate(over="ignore"):
            value = formula_of(family, y)(eta, 0)[0]
        y = y[value < 1e12]  # beyond, a row has no meaningful differences (Weibull's exp(z))
        if len(y):
            check_derivatives(
                formula_of(family, y), eta, not family.exact, len(y), assert_derivative
            )


@every(SUBJECTS | STEPS_TOWARDS)
def test_orders_agree(family, rng):
    for eta in points(family, 2) + tail_points(family, 3.0)[:4]:
        y = draw(family, points(family, 1)[0], 9, rng)
        by_order = [
            jets(family.evaluate(family.statistics(y), eta, order), len(eta), len(y))
            for order in (0, 1, 2)
        ]
        for value, *_ in by_order:
            np.testing.assert_array_equal(value, by_order[2][0])
        if by_order[2][1] is not None:
            np.testing.assert_array_equal(by_order[1][1], by_order[2][1])
            assert by_order[2][2] is not None


@every(SUBJECTS | STEPS_TOWARDS, has_rows)
def test_constants_and_rows_of_eta_agree(family, rng):
    """Whichever entries of eta are 0-d: values, gradients and curvatures are those of the full rows."""
    eta = points(family, 1)[0]
    y = draw(family, eta, 9, rng)
    statistics = family.statistics(y)
    full = jets(
        family.evaluate(statistics, tuple(np.full(len(y), e) for e in eta)), len(eta), len(y)
    )
    for constant in itertools.product((True, False), repeat=len(eta)):
        mixed = tuple(
            e if is_constant else np.full(len(y), e)
            for e, is_constant in zip(eta, constant, strict=True)
        )
        for a, b in zip(
            jets(family.evaluate(statistics, mixed), len(eta), len(y)), full, strict=True
        ):
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


@every(SUBJECTS | STEPS_TOWARDS)
def test_one_row_is_many_rows(family, rng):
    if has_rows(family):
        eta, y = rows_of(family, 15, rng)
    else:
        eta = points(family, 1)[0]
        y = draw(family, eta, 15, rng)
    together = jets(family.evaluate(family.statistics(y), eta), len(eta), len(y))
    for i in range(len(y)):
        own = tuple(e if e.ndim == 0 else e[i : i + 1] for e in eta)
        alone = jets(family.evaluate(family.statistics(y[i : i + 1]), own), len(eta), 1)
        for a, b in zip(alone, together, strict=True):
            if a is not None:
                np.testing.assert_allclose(a[0], b[i], rtol=1e-12, atol=1e-12)
    base = np.broadcast_to(family.base(family.statistics(y)), len(y))
    for i in range(len(y)):
        np.testing.assert_allclose(
            np.broadcast_to(family.base(family.statistics(y[i : i + 1])), 1)[0],
            base[i],
            rtol=1e-13,
            atol=1e-13,
        )


@every(SUBJECTS)
def test_inputs_are_not_changed(family, rng):
    eta = points(family, 1)[0]
    y = draw(family, eta, 9, rng)
    if has_rows(family):
        eta = tuple(np.full(len(y), e) for e in eta)
    statistics = family.statistics(y)
    before = [a.copy() for a in (y, *statistics, *eta)]
    family.evaluate(statistics, eta)
    family.log_prob(y, family.linked(eta))
    family.starts(statistics, np.ones(len(y)))
    for a, b in zip((y, *statistics, *eta), before, strict=True):
        np.testing.assert_array_equal(a, b)


# ---------------------------------------------------------------- links


def links_of(chart):
    names = allowed_links(chart)
    return [name for name in names if name != "power(p)"] + (
        ["power(1.5)", "power(-2)"] if "power(p)" in names else []
    )


def relinked():
    """Every family with every allowed link of each parameter in turn, and with other links for all parameters at once."""
    found = {}
    for name, family in SUBJECTS.items():
        if family.names != tuple(p.name for p in family.parameters):
            continue  # coordinates, not parameters: no links (test_families_without_links)
        for p in family.parameters:
            for link in links_of(p.chart):
                found[f"{name}-{p.name}-{link}"] = clone(family).set_params(links={p.name: link})
        links = {p.name: links_of(p.chart)[3 + j] for j, p in enumerate(family.parameters)}
        found[f"{name}-all"] = clone(family).set_params(links=links)
    return found


RELINKED = relinked()


@every(RELINKED)
def test_links_round_trip(family):
    for chart_eta in points(family):
        eta = family.linked(chart_eta)
        theta = family.natural(eta)
        np.testing.assert_allclose(family.chart(eta), chart_eta, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(family.eta(theta), eta, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(family.natural(family.eta(theta)), theta, rtol=1e-11)
        for j, p in enumerate(family.parameters):
            np.testing.assert_allclose(theta[j], p.chart.theta(chart_eta[j]), rtol=1e-11)


@every(RELINKED, lambda family: has_gradient(family))
def test_derivatives_through_links(family, rng, assert_derivative):
    for chart_eta in points(family, 2):
        y = draw(family, chart_eta, 8, rng)
        check_derivatives(
            formula_of(family, y, family.rows),
            family.linked(chart_eta),
            not family.exact,
            len(y),
            assert_derivative,
        )


@every(RELINKED)
def test_links_do_not_change_the_law(family, rng):
    plain = clone(family).set_params(links=None)
    for chart_eta in points(family, 2):
        y = draw(plain, chart_eta, 8, rng)
        expected = plain.log_prob(y, chart_eta)
        np.testing.assert_allclose(
            family.log_prob(y, family.linked(chart_eta)), expected, rtol=1e-10, atol=1e-10
        )
        full = tuple(np.full(len(y), e) for e in family.linked(chart_eta))
        np.testing.assert_allclose(family.log_prob(y, full), expected, rtol=1e-10, atol=1e-10)


@every(SUBJECTS)
def test_natural_parameters_round_trip(family):
    for eta in points(family):
        theta = natural(family, eta)
        assert len(theta) == len(family.names)
        np.testing.assert_allclose(family.eta(theta), eta, rtol=1e-11, atol=1e-11)


@every(SUBJECTS | RELINKED)
def test_natural_jacobian(family, assert_derivative):
    def flat(eta):
        values = np.concatenate([np.ravel(t) for t in family.natural(eta)])
        if len(values) == len(family.natural_labels()):
            return values
        return np.concatenate(
            [
                t[np.tril_indices(len(t))] if t.ndim == 2 else np.ravel(t)
                for t in family.natural(eta)
            ]
        )

    for chart_eta in points(family, 2):
        eta = family.linked(chart_eta)
        jacobian = family.natural_jacobian(eta)
        assert jacobian.shape == (len(family.natural_labels()), len(eta))
        for j in range(len(eta)):
            assert_derivative(
                lambda e, j=j, eta=eta: flat((*eta[:j], np.asarray(e), *eta[j + 1 :])),
                eta[j],
                jacobian[:, j],
                atol=1e-11,
            )


def test_families_without_links():
    for family in SUBJECTS.values():
        if family.names == tuple(p.name for p in family.parameters):
            continue
        with pytest.raises(ValueError, match=r"links=.*Allowed: None.*"):
            get_family(clone(family).set_params(links={family.names[0]: "log"}))
        with pytest.raises(ValueError, match=r"links=.*Allowed: None.*"):
            get_family(type(family)(links={family.names[0]: "log"}))


# ---------------------------------------------------------------- the law


@every(SUBJECTS)
def test_density_sums_to_one(family):
    for eta in points(family):
        y, weight, exact = law_points(family, eta)
        if exact:
            np.testing.assert_allclose(weight.sum(), 1.0, rtol=1e-10)
        else:
            # The mean over the law of another density, relative to its own, is 1.
            other = tuple(e + 0.1 for e in eta)
            ratio = np.exp(
                family.log_prob(y, family.linked(other)) - family.log_prob(y, family.linked(eta))
            )
            assert_expectation(ratio, weight, exact, 1.0)


@every(SUBJECTS, lambda family: family.regular and has_gradient(family))
def test_expected_gradient_and_information(family):
    """E[gradient] = 0 and E[gradient gradient'] = E[curvature]."""
    for eta in points(family):
        y, weight, exact = law_points(family, eta)
        _, gradient, curvature = jets(family.evaluate(family.statistics(y), eta), len(eta), len(y))
        assert_expectation(gradient, weight, exact, np.zeros(len(eta)))
        outer = gradient[:, :, None] * gradient[:, None, :]
        if exact:
            assert_expectation(outer, weight, exact, np.tensordot(weight, curvature, 1))
        else:
            assert_expectation(outer - curvature, weight, exact, np.zeros(len(eta) ** 2))


@every(SUBJECTS)
def test_moments_and_entropy(family):
    for eta in points(family):
        theta = natural(family, eta)
        y, weight, exact = law_points(family, eta)
        log_prob = family.log_prob(y, family.linked(eta))
        assert_expectation(
            -np.where(weight > 0, log_prob, 0.0), weight, exact, family.entropy(theta)
        )
        y = y[:, 0] if family.columns == 2 else np.asarray(y, float)
        mean = family.mean(theta)
        if np.isfinite(mean).all():
            assert_expectation(y, weight, exact, mean)
            if np.isfinite(variance := family.variance(theta)).all():
                assert_expectation((y - mean) ** 2, weight, exact, variance)


@every(SUBJECTS)
def test_log_prob_equals_scipy(family, rng):
    for eta in points(family) + [tuple(2.0 * e for e in eta) for eta in points(family, 3)]:
        y = draw(family, eta, 50, rng)
        law = family.to_scipy(natural(family, eta))
        if not family.regular and not np.isfinite(law.var()):
            continue
        expected = (law.logpmf if counted(family) else law.logpdf)(positions(family, y))
        np.testing.assert_allclose(
            family.log_prob(y, family.linked(eta)), expected, rtol=1e-10, atol=1e-10
        )


@every(SUBJECTS, lambda family: family.columns is not None)
def test_cdf_and_quantile(family):
    q = np.array([1e-6, 0.01, 0.2, 0.5, 0.77, 0.99, 1.0 - 1e-6])
    for eta in points(family):
        theta = natural(family, eta)
        if counted(family):
            at = atoms(family, theta)
            mass = np.exp(family.log_prob(observations(family, at), family.linked(eta)))
            cdf = family.cdf(at, theta)
            np.testing.assert_allclose(cdf, np.cumsum(mass), rtol=1e-10)
            np.testing.assert_array_equal(family.quantile(q, theta), at[np.searchsorted(cdf, q)])
            certain = np.cumsum(mass) < 1.0 - 1e-8
            np.testing.assert_array_equal(family.quantile(cdf[certain], theta), at[certain])
            between = at if not family.numeric else np.concatenate([at + 0.5, [at[0] - 1.0]])
        else:
            at = family.quantile(q, theta)
            np.testing.assert_allclose(family.cdf(at, theta), q, rtol=1e-9)
            y, weight, _ = law_points(family, eta)
            np.testing.assert_allclose(weight[y <= at[3]].sum(), 0.5, rtol=1e-9)
            between = at
        for y in (at, between):
            np.testing.assert_allclose(family.cdf(y, theta) + family.sf(y, theta), 1.0, rtol=1e-13)


@every(SUBJECTS)
def test_samples_follow_the_cdf(family):
    for eta in points(family, 2):
        theta = natural(family, eta)
        y = family.sample(theta, (4000,), np.random.default_rng(5))
        assert family.contains(y).all()
        if family.columns is None:  # squared Mahalanobis distances, and each column
            centred = y - theta[0]
            distance = (centred @ np.linalg.inv(theta[1]) * centred).sum(axis=1)
            assert stats.kstest(distance, stats.chi2(y.shape[1]).cdf).pvalue > 1e-6
            for j in range(y.shape[1]):
                assert (
                    stats.kstest(y[:, j], stats.norm(theta[0][j], theta[1][j, j] ** 0.5).cdf).pvalue
                    > 1e-6
                )
        elif counted(family):
            at = atoms(family, theta)
            expected = len(y) * np.diff(family.cdf(at, theta), prepend=0.0)
            counts = np.bincount(
                np.searchsorted(at, positions_as_atoms(family, y)), minlength=len(at)
            )
            rare = expected < 5.0
            observed, wanted = (np.append(of[~rare], of[rare].sum()) for of in (counts, expected))
            statistic = ((observed - wanted) ** 2 / np.maximum(wanted, 1e-9)).sum()
            assert stats.chi2.sf(statistic, len(observed) - 1) > 1e-6
        else:
            assert stats.kstest(y, lambda v, theta=theta: family.cdf(v, theta)).pvalue > 1e-6


def positions_as_atoms(family, y):
    return y[:, 0] if family.columns == 2 else y


@every(SUBJECTS, has_rows)
def test_sample_shapes(family, rng):
    eta, _ = rows_of(family, 5, rng)
    tail = () if family.columns == 1 else (family.columns,)
    theta = natural(family, eta)
    for size in [(5,), (3, 5), (2, 3, 5)]:
        y = family.sample(theta, size, rng)
        assert y.shape == size + tail
        assert family.contains(y).all()
    single = natural(family, points(family, 1)[0])
    for size in [(), (1,), (4,), (2, 3), (0,)]:
        assert np.shape(family.sample(single, size, rng)) == size + tail


@every(SUBJECTS, has_rows)
def test_rows_of_parameters_are_sampled_from_their_own_laws(family):
    """Rows far apart in the first parameter: the means of the columns differ as the laws' do."""
    low, high = points(family, 1)[0], points(family, 2)[1]
    theta = tuple(
        np.stack([a, b]) for a, b in zip(natural(family, low), natural(family, high), strict=True)
    )
    y = family.sample(theta, (20_000, 2), np.random.default_rng(3))
    y = y[..., 0] if family.columns == 2 else y
    for column, eta in enumerate((low, high)):
        law = natural(family, eta)
        expected = family.cdf(np.median(y[:, column]), law)
        share = np.mean(y[:, column] <= np.median(y[:, column]))
        assert abs(expected - share) < 0.02


# ---------------------------------------------------------------- starts, collapse, weights


def sample_with_weights(family, rng, n=60):
    y = draw(family, points(family, 1)[0], n, rng)
    weight = rng.integers(1, 5, size=len(y)).astype(float)
    return y, weight, np.repeat(y, weight.astype(int), axis=0)


def mean_jets(family, statistics, weight, eta):
    """Weighted means of value, gradient and curvature."""
    eta = tuple(map(np.asarray, eta))
    of_rows = jets(family.evaluate(statistics, eta), len(eta), len(weight))
    return tuple(
        None if jet is None else np.tensordot(weight, jet, 1) / weight.sum() for jet in of_rows
    )


def closed_form(family: Family) -> bool:
    return not family.guessed and not family.exact


@every(SUBJECTS, closed_form)
def test_starts_are_the_maximum(family, rng):
    for eta in points(family) + (tail_points(family, 6.0) if has_rows(family) else []):
        y = draw(family, eta, 60, rng)
        if len(y) < 60:
            continue  # a law that leaves the floating-point numbers
        statistics, weight = family.statistics(y), rng.uniform(0.5, 2.0, len(y))
        for start in family.starts(statistics, weight):
            if not np.isfinite(start).all():
                continue  # all observations at an end of the support
            _, gradient, curvature = mean_jets(family, statistics, weight, start)
            np.testing.assert_allclose(gradient, 0.0, atol=1e-9)
            assert np.linalg.eigvalsh(curvature).min() > 0
        if family.collapsible:
            collapsed = family.collapse(statistics, weight)
            np.testing.assert_allclose(
                family.starts(collapsed, np.ones(1)),
                family.starts(statistics, weight),
                rtol=1e-10,
                atol=1e-12,
            )


@every(SUBJECTS, lambda family: family.exact)
def test_exact_starts_are_the_maximum(family, rng):
    """No derivative can confirm them: no point around them, near or far, has a higher likelihood."""
    y = draw(family, points(family, 1)[0], 61, rng)
    statistics, weight = family.statistics(y), np.ones(len(y))
    (start,) = family.starts(statistics, weight)
    best = mean_jets(family, statistics, weight, start)[0]
    for scale in (1e-6, 1e-3, 0.1, 1.0):
        for _ in range(100):
            other = tuple(start + scale * rng.normal(size=len(start)))
            assert mean_jets(family, statistics, weight, other)[0] >= best - 1e-14


@every(SUBJECTS, lambda family: family.guessed)
def test_guessed_starts_lead_to_the_maximum(family, rng):
    for eta in points(family):
        y = draw(family, eta, 400, rng)
        statistics, weight = family.statistics(y), np.ones(len(y))
        for start in family.starts(statistics, weight):
            assert np.isfinite(start).all()
            truth = mean_jets(family, statistics, weight, eta)[0]
            assert mean_jets(family, statistics, weight, start)[0] < truth + 1.0
            result = optimize.minimize(
                lambda e, s=statistics, w=weight: mean_jets(family, s, w, e)[0],
                start,
                jac=lambda e, s=statistics, w=weight: mean_jets(family, s, w, e)[1],
                hess=lambda e, s=statistics, w=weight: mean_jets(family, s, w, e)[2],
                method="trust-exact",
                options={"gtol": 1e-8},
            )
            assert result.fun <= truth
            at_limit = any(
                abs(result.x[family.names.index(limit.parameter)]) > 3.0 for limit in family.limits
            )
            assert np.abs(result.jac).max() < 1e-7 or at_limit


@every(SUBJECTS)
def test_starts_of_repeats(family, rng):
    """A weight of w counts as w equal rows."""
    y, weight, repeated = sample_with_weights(family, rng)
    y[0] = y[1] if family.regular else y[0]
    weighted = family.starts(family.statistics(y), weight)
    expanded = family.starts(
        family.statistics(np.repeat(y, weight.astype(int), axis=0)), np.ones(len(repeated))
    )
    np.testing.assert_allclose(weighted, expanded, rtol=1e-10, atol=1e-12)
    scaled = family.starts(family.statistics(y), 7.5 * weight)
    np.testing.assert_allclose(scaled, weighted, rtol=1e-10, atol=1e-12)


@every(SUBJECTS, lambda family: family.collapsible)
def test_collapse(family, rng):
    """One row for all gives the weighted means of value, gradient and curvature; and so does one of two such rows."""
    y, weight, repeated = sample_with_weights(family, rng)
    statistics = family.statistics(y)
    collapsed = family.collapse(statistics, weight)
    halves = [
        family.collapse(family.statistics(y[half]), weight[half])
        for half in (slice(None, 7), slice(7, None))
    ]
    masses = np.array([weight[:7].sum(), weight[7:].sum()])
    for whole, parts in zip(
        collapsed,
        family.collapse(tuple(map(np.concatenate, zip(*halves, strict=True))), masses),
        strict=True,
    ):
        np.testing.assert_allclose(whole, parts, rtol=1e-12, atol=1e-13)
    again = family.collapse(family.statistics(repeated), np.ones(len(repeated)))
    for a, b in zip(collapsed, again, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    for eta in points(family):
        for one, many in zip(
            mean_jets(family, collapsed, np.ones(1), eta),
            mean_jets(family, statistics, weight, eta),
            strict=True,
        ):
            if many is not None:  # a law without derivatives
                np.testing.assert_allclose(one, many, rtol=1e-12, atol=1e-12)


def test_families_affine_in_their_statistics_are_collapsible(rng):
    """The flag is not forgotten."""
    for family in SUBJECTS.values():
        if family.columns is None or not family.numeric or not has_gradient(family):
            continue
        y = draw(family, points(family, 1)[0], 40, rng)
        statistics, weight = family.statistics(y), np.ones(len(y))
        mean = tuple(np.atleast_1d(s.mean()) for s in statistics)
        gaps = [
            abs(
                mean_jets(family, mean, np.ones(1), e)[0]
                - mean_jets(family, statistics, weight, e)[0]
            )
            for e in points(family)
        ]
        assert family.collapsible or max(gaps) > 1e-12, type(family).__name__


@every(SUBJECTS)
def test_starts_at_the_edge_are_silent(family):
    """All observations at an end of the support: the maximum is at the edge of the parameters, and nothing warns or is nan."""
    edges = [
        edge
        for edge, closed in zip(
            (family.support.low, family.support.high), family.support.closed, strict=True
        )
        if closed
    ]
    rows = [np.full(5, edge) for edge in edges]
    if family.columns == 2:
        rows = [observations(family, at) for at in (np.zeros(5), np.full(5, float(family.trials)))]
    if not family.numeric:
        rows = [np.full(5, label) for label in family.labels]
    for y, weight in itertools.product(rows, [np.ones(5), np.array([0.1, 0.7, 1.3, 0.3, 1.1])]):
        statistics = family.statistics(y)
        short = (
            [(family.collapse(statistics, weight), np.array([weight.sum()]))]
            if family.collapsible
            else []
        )
        for rows_of_y, mass in [(statistics, weight), *short]:
            for start in family.starts(rows_of_y, mass):
                assert not np.isnan(start).any()
                if family.numeric:
                    assert not np.isfinite(start[0]), (
                        "no rounding of weights hides that the data are at the edge"
                    )


@every(SUBJECTS, lambda family: family.numeric)
def test_equal_observations(family, rng):
    """Either `unbounded` says so, with a law of very high density and a reason, or the start is fine."""
    y = np.repeat(draw(family, points(family, 1)[0], 4, rng)[:1], 6, axis=0)
    statistics, weight = family.statistics(y), np.ones(6)
    verdict = family.unbounded(statistics, weight)
    if verdict is None:
        assert counted(family) or len(family.parameters) == 1
        assert not np.isnan(family.starts(statistics, weight)).any()
        return
    eta, reason = verdict
    at = family.log_prob(y[:1], family.linked(tuple(map(np.asarray, eta))))
    assert at[0] > 8.0, "a high density"
    assert "without bound" in reason or "shrinks to a point" in reason


@every(SUBJECTS, lambda family: family.numeric)
def test_distinct_observations_are_bounded(family, rng):
    y = draw(family, points(family, 1)[0], 40, rng)
    assert family.unbounded(family.statistics(y), np.ones(len(y))) is None


@every(SUBJECTS)
def test_saturated(family, rng):
    """Each row at its own saturated eta: a density out of all proportion to that of the best constant law."""
    y = draw(family, points(family, 1)[0], 30, rng)
    statistics = family.statistics(y)
    limit = family.saturated(statistics)
    if limit is None:
        assert (
            counted(family)
            or not family.regular
            or family.columns is None
            or len(family.parameters) == 1
        )
        return
    first, rest = limit
    assert first.shape == (len(y),) and len(rest) == len(family.parameters) - 1
    at = family.log_prob(y, family.linked((first, *map(np.asarray, rest))))
    start = tuple(map(np.asarray, family.starts(statistics, np.ones(len(y)))[0]))
    assert np.all(at > family.log_prob(y, family.linked(start)) + 8.0)


# ---------------------------------------------------------------- far out


@every(SUBJECTS)
@pytest.mark.parametrize("size", [15.0, 30.0])
def test_far_out(family, size, rng):
    """log_prob at |eta| = 30: no warning, no nan, and finite unless the density is truly zero to the last bit."""
    middle = points(family, 1)[0]
    y = draw(family, middle, 20, rng)
    for eta in tail_points(family, size):
        log_prob = family.log_prob(y, family.linked(eta))
        assert not np.isnan(log_prob).any() and np.all(log_prob < np.inf)
        if not family.regular:
            continue
        if not np.isfinite(log_prob).all():
            with np.errstate(all="ignore"):
                law = family.to_scipy(natural(family, eta))
                theirs = (law.logpmf if counted(family) else law.logpdf)(positions(family, y))
            assert np.all(np.isfinite(log_prob) | (theirs == -np.inf))
        if has_rows(family):
            own = draw(family, eta, 20, rng)
            assert len(own) == 0 or np.isfinite(family.log_prob(own, family.linked(eta))).all()


LIMITS = {
    f"{name}-{limit.parameter}": (family, limit)
    for name, family in SUBJECTS.items()
    for limit in family.limits
}
every_limit = pytest.mark.parametrize(("family", "limit"), LIMITS.values(), ids=LIMITS)


@every_limit
@pytest.mark.parametrize("far", [30.0, 34.0, 40.0])
def test_limit_law(family, limit, far, rng):
    """At |eta| >= 30 the value, and the derivatives in the other parameters, are the limit law's to 1e-10."""
    law = limit.family()
    index = family.names.index(limit.parameter)
    end = far if limit.value == np.inf else -far
    others = [j for j in range(len(family.parameters)) if j != index]
    assert [family.names[j] for j in others] == list(law.names)
    assert limit.value == np.inf or family.parameters[index].chart.theta(-np.inf) == limit.value
    for eta in points(family):
        eta = tuple(np.asarray(end) if j == index else e for j, e in enumerate(eta))
        rest = tuple(eta[j] for j in others)
        y = draw(law, rest, 40, rng)
        for rows in (False, True):
            if rows:
                eta, rest = (tuple(np.full(len(y), e) for e in es) for es in (eta, rest))
            np.testing.assert_allclose(
                family.log_prob(y, eta), law.log_prob(y, rest), rtol=1e-10, atol=1e-10
            )
            _, gradient, curvature = jets(
                family.evaluate(family.statistics(y), eta), len(eta), len(y)
            )
            _, wanted, bend = jets(law.evaluate(law.statistics(y), rest), len(rest), len(y))
            np.testing.assert_allclose(gradient[:, others], wanted, rtol=1e-10, atol=1e-10)
            np.testing.assert_allclose(
                curvature[np.ix_(np.arange(len(y)), others, others)], bend, rtol=1e-10, atol=1e-10
            )
            np.testing.assert_allclose(gradient[:, index], 0.0, atol=1e-10)
            np.testing.assert_allclose(curvature[:, index], 0.0, atol=1e-10)


@every_limit
def test_distribution_at_the_limit(family, limit, rng):
    """A parameter at its limit is a law like any other, as is one a rounding away from it."""
    for eta in points(family, 2):
        params = dict(zip(family.names, natural(family, eta), strict=True))
        near = {np.inf: 1e13, 0.0: 1e-13}[limit.value]
        del params[limit.parameter]
        theirs = Distribution(limit.family(), params)
        y = theirs.rvs(50, random_state=0)
        for value in (limit.value, near):
            ours = Distribution(family, params | {limit.parameter: value})
            np.testing.assert_allclose(ours.log_prob(y), theirs.log_prob(y), rtol=1e-10, atol=1e-10)
            for method in ("cdf", "sf"):
                np.testing.assert_allclose(
                    getattr(ours, method)(y), getattr(theirs, method)(y), rtol=1e-9
                )
            for method in ("mean", "var", "std", "entropy", "median"):
                np.testing.assert_allclose(
                    getattr(ours, method)(), getattr(theirs, method)(), rtol=1e-9
                )
            np.testing.assert_allclose(
                ours.ppf([0.01, 0.3, 0.9]), theirs.ppf([0.01, 0.3, 0.9]), rtol=1e-9
            )
            np.testing.assert_allclose(
                ours.isf([0.01, 0.3, 0.9]), theirs.isf([0.01, 0.3, 0.9]), rtol=1e-9
            )
            draws = ours.rvs(2000, random_state=0)
            assert np.isfinite(draws).all()
            assert abs(np.mean(draws) - theirs.mean()) < 5.0 * theirs.std() / np.sqrt(2000)


@every(SUBJECTS)
def test_recession(family, rng):
    """The growth of -log q along a direction, far out; inf where it is faster than any line, or of unknown positive slope."""
    middle = points(family, 1)[0]
    k = len(middle)
    y = draw(family, middle, 12, rng)
    statistics = family.statistics(y)
    directions = (
        [d for d in itertools.product((-1.0, 0.0, 1.0), repeat=k) if any(d)] if k <= 3 else []
    )
    directions += [tuple(rng.choice([-2.0, -1.3, -0.6, 0.6, 1.3, 2.0], size=k)) for _ in range(8)]
    for direction in directions:
        delta = tuple(map(np.asarray, direction))
        growth = family.recession(statistics, delta)
        if growth is None:
            return
        growth = np.broadcast_to(growth, len(y))
        in_rows = family.recession(statistics, tuple(np.full(len(y), d) for d in direction))
        np.testing.assert_array_equal(in_rows, growth)

        def value(t, direction=direction):
            return jets(
                family.evaluate(
                    statistics, tuple(e + t * d for e, d in zip(middle, direction, strict=True)), 0
                ),
                k,
                len(y),
            )[0]

        quotient = (value(200.0) - value(100.0)) / 100.0
        finite = np.isfinite(growth)
        np.testing.assert_allclose(quotient[finite], growth[finite], rtol=1e-9, atol=1e-9)
        assert np.all(quotient[~finite] > 1e-3)


# ---------------------------------------------------------------- support


@every(SUBJECTS, lambda family: family.columns == 1 and family.numeric)
def test_support_of_one_column(family):
    support = family.support
    eta = points(family, 1)[0]
    for edge, closed, out in (
        (support.low, support.closed[0], -1.0),
        (support.high, support.closed[1], 1.0),
    ):
        assert not family.contains(np.array([out * np.inf, np.nan])).any()
        if np.isinf(edge):
            assert family.contains(np.array([out * 1e300])).all()
            continue
        beyond = np.nextafter(edge, out * np.inf)
        np.testing.assert_array_equal(
            family.contains(np.array([edge, edge + out, beyond])), [closed, False, False]
        )
        inside = np.array([edge - out * (1.0 if support.whole else 1e-9)])
        assert family.contains(inside).all()
        log_prob = family.log_prob(np.array([edge + out, beyond, edge]), family.linked(eta))
        assert np.all(log_prob[:2] == -np.inf) and np.isfinite(log_prob[2]) == closed
    middle = draw(family, eta, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(family.contains(np.floor(middle) + 0.5) & support.whole, False)


@every(SUBJECTS)
def test_log_prob_outside_the_support(family, rng):
    """-inf without a warning, whether some, all or none of the rows are outside."""
    eta = points(family, 1)[0]
    y = draw(family, eta, 6, rng)
    if not family.numeric:
        outside = np.array([-5])
    elif family.columns == 1:
        outside = np.array(
            [family.support.low - 1.0 if np.isfinite(family.support.low) else np.inf]
        )
    else:
        outside = np.full((1, y.shape[1]), np.inf)
    expected = family.log_prob(y, family.linked(eta))
    assert np.isfinite(expected).all()
    with_them = family.log_prob(np.concatenate([outside, y, outside]), family.linked(eta))
    np.testing.assert_array_equal(with_them, [-np.inf, *expected, -np.inf])
    np.testing.assert_array_equal(
        family.log_prob(np.concatenate([outside, outside]), family.linked(eta)), [-np.inf, -np.inf]
    )
    if has_rows(family):
        full = tuple(np.full(3, e) for e in family.linked(eta))
        np.testing.assert_array_equal(
            family.log_prob(np.concatenate([outside, y[:1], outside]), full),
            [-np.inf, expected[0], -np.inf],
        )


@pytest.mark.parametrize(
    ("support", "text"),
    [
        (Support(), "finite real numbers"),
        (Support(0.0), "y > 0"),
        (Support(0.0, closed=(True, False)), "y >= 0"),
        (Support(high=2.0), "y < 2"),
        (Support(0.0, 1.0), "0 < y < 1"),
        (Support(0.0, 1.0, closed=(True, True), whole=True), "0 <= y <= 1, whole numbers"),
        (Support(1.0, closed=(True, False), whole=True), "y >= 1, whole numbers"),
    ],
)
def test_support_in_words(support, text):
    assert str(support) == text


# ---------------------------------------------------------------- registry, parameters, pickling


def test_every_file_is_registered():
    """Whatever file of the folder has a family that needs no other to be made is in the registry, and nothing else is."""
    found = set()
    for path in Path(families.__file__).parent.glob("[a-z]*.py"):
        module = import_module(f"skmle.families.{path.stem}")
        for cls in vars(module).values():
            if (
                isinstance(cls, type)
                and issubclass(cls, Family)
                and cls.__module__ == module.__name__
                and not inspect.isabstract(cls)
                and is_made_of_nothing(cls)
            ):
                found.add(path.stem)
    assert found == {file for file, _ in REGISTRY.values()}
    assert [cls.__name__ for cls in all_families()] == list(REGISTRY)
    assert set(REGISTRY) <= set(families.__all__) == set(dir(families))


def is_made_of_nothing(cls) -> bool:
    return all(p.default is not p.empty for p in signature(cls).parameters.values())


def test_aliases_resolve():
    seen = set()
    for name, (_, aliases) in REGISTRY.items():
        for alias in aliases:
            assert alias not in seen
            seen.add(alias)
            for spelling in (
                alias,
                alias.upper(),
                alias.replace("_", "-"),
                alias.replace("_", " "),
            ):
                assert type(get_family(spelling)).__name__ == name
        cls = getattr(families, name)
        assert type(get_family(cls)) is cls
        instance = cls()
        assert get_family(instance) is instance


def test_scipy_names_resolve():
    """Of every family whose law has one name in scipy."""
    for family in SUBJECTS.values():
        law = family.to_scipy(natural(family, points(family, 1)[0]))
        name = getattr(getattr(law, "dist", None), "name", None)
        if name is not None and hasattr(stats, name):
            assert type(get_family(name)) is type(family)


def test_misspelt_family():
    for name, near in [
        ("gama", "'gamma'"),
        ("weibul", "'weibull'"),
        ("neg_binomial", "'negative_binomial'"),
        ("Guassian", "'gaussian'"),
    ]:
        with pytest.raises(
            ValueError, match=r"Unknown family .*Allowed: normal, .*did you mean"
        ) as caught:
            get_family(name)
        assert near in str(caught.value) and repr(name) in str(caught.value)
    with pytest.raises(ValueError, match=r"Unknown family 'qqq'.*Allowed: .*choose one of them"):
        get_family("qqq")


@pytest.mark.parametrize("wrong", [3, None, int, LOG])
def test_not_a_family(wrong):
    with pytest.raises(TypeError, match=r"family must be .*; got .*Give for example 'normal'"):
        get_family(wrong)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'Gama'"):
        families.Gama  # noqa: B018


@every(SUBJECTS, lambda family: family.names == tuple(p.name for p in family.parameters))
def test_link_errors_have_four_parts(family):
    name, first = type(family).__name__, family.parameters[0]
    with pytest.raises(
        ValueError,
        match=rf"{name}\(links=.*unknown parameter 'nope'.*Allowed: .*{first.name}.*Rename",
    ):
        get_family(clone(family).set_params(links={"nope": "log"}))
    with pytest.raises(ValueError, match=r"Unknown link 'nope'.*Allowed: .*choose one"):
        get_family(clone(family).set_params(links={first.name: "nope"}))
    foreign = (
        "identity" if first.chart is None else "probit" if first.chart is not LOGIT else "sqrt"
    )
    with pytest.raises(
        ValueError,
        match=rf"{name}\(links=.*'{foreign}'.*'{first.name}'.*Allowed: .*{first.chart.name}.*Choose",
    ):
        get_family(clone(family).set_params(links={first.name: foreign}))


@every(SUBJECTS | RELINKED)
def test_pickle_and_clone(family, rng):
    (chart_eta,) = points(family, 1)
    eta = family.linked(chart_eta)
    y = draw(family, chart_eta, 5, rng)
    expected = family.log_prob(y, eta)
    for again in (
        pickle.loads(pickle.dumps(family)),
        clone(family),
        type(family)(**family.get_params(deep=False)),
    ):
        assert type(again) is type(family) and again is not family
        assert repr(again) == repr(family)
        assert again.relinked == family.relinked
        np.testing.assert_array_equal(again.log_prob(y, eta), expected)
        for name, value in family.get_params().items():
            np.testing.assert_array_equal(again.get_params()[name], value)


@every(SUBJECTS | RELINKED)
def test_repr_makes_the_family_again(family):
    again = eval(
        repr(family), {name: getattr(families, name) for name in REGISTRY} | {"array": np.array}
    )
    assert repr(again) == repr(family)
    assert type(again) is type(family)


@every(SUBJECTS)
def test_adapt_is_idempotent(family):
    again = family.adapt(data_for(family))
    assert repr(again) == repr(family)


def test_relinked_by_a_link_itself():
    family = families.Gamma(links={"mean": get_link("log"), "shape": "log"})
    assert not family.relinked and get_family(family) is family
    assert families.Gamma(links={"mean": get_link("sqrt")}).relinked


# ---------------------------------------------------------------- parameters held fixed


def held():
    """Return every family, with its own links and with others, with each of its parameters in turn held fixed."""
    found = {}
    for name, family in (
        SUBJECTS | {name: family for name, family in RELINKED.items() if name.endswith("-all")}
    ).items():
        if (
            len(family.parameters) > 1
            and family.regular
            and family.names == tuple(p.name for p in family.parameters)
        ):
            theta = natural(family, points(family, 1)[0])
            found |= {
                f"{name}-{p}": fix(family, {p: float(value)})
                for p, value in zip(family.names, theta, strict=True)
            }
    return found


HELD = held()


@every(HELD)
def test_derivatives_of_the_free_parameters(family, rng, assert_derivative):
    for chart_eta in points(family, 2):
        y = draw(family, chart_eta, 8, rng)
        check_derivatives(
            formula_of(family, y, family.rows),
            family.linked(chart_eta),
            not family.family.exact,
            len(y),
            assert_derivative,
        )


@every(HELD)
def test_held_parameters_complete_the_law(family, rng):
    whole = family.family
    for chart_eta in points(family, 2):
        eta = family.linked(chart_eta)
        theta = family.natural(eta)
        np.testing.assert_allclose(family.chart(eta), chart_eta, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(family.eta(theta), eta, rtol=1e-11, atol=1e-12)
        law, params = family.law(theta)
        assert law is whole and tuple(params) == whole.names
        assert {name: params[name] for name in family.values} == family.values
        assert tuple(params[name] for name in family.names) == theta
        y = draw(family, chart_eta, 8, rng)
        np.testing.assert_allclose(
            family.log_prob(y, eta), Distribution(law, params).log_prob(y), rtol=1e-11, atol=1e-11
        )
        np.testing.assert_allclose(family.mean(theta), whole.mean(tuple(params.values())))
        start = family.starts(family.statistics(y), np.ones(len(y)))
        assert np.shape(start) == (1, len(family.parameters)) and np.isfinite(start).all()
    assert set(family.names) | set(family.values) == set(whole.names) and family.contains(y).all()
    assert repr(pickle.loads(pickle.dumps(clone(family)))) == repr(family)


@pytest.mark.parametrize(
    ("family", "values", "parts"),
    [
        ("gamma", {"scale": 1.0}, ["Gamma", "'scale'", "Allowed: mean, shape", "Rename"]),
        ("gamma", {"shape": -1.0}, ["shape=-1.0", "Gamma", "Allowed: ", "'log'", "Give"]),
        ("gamma", {"shape": np.inf}, ["shape=inf", "Gamma", "Allowed: ", "Give"]),
        ("beta", {"mean": 1.0}, ["mean=1.0", "Beta", "Allowed: ", "'logit'", "Give"]),
        ("uniform", {"low": 0.0}, ["{'low': 0.0}", "Uniform", "Allowed: regular", "Leave"]),
        (
            SUBJECTS["Categorical"],
            {"probabilities": 0.5},
            ["{'probabilities': 0.5}", "Categorical", "Allowed: fixed=None", "Leave"],
        ),
    ],
)
def test_errors_of_fixed_have_four_parts(family, values, parts):
    with pytest.raises(ValueError, match="fixed") as caught:
        fix(get_family(family), values)
    for part in parts:
        assert part in str(caught.value)


def test_nothing_fixed():
    family = families.Gamma()
    assert fix(family, {}) is family


# ---------------------------------------------------------------- Distribution


def distribution(family, eta):
    return Distribution(family, dict(zip(family.names, natural(family, eta), strict=True)))


METHODS = ("mean", "var", "std", "median", "entropy")


@every(SUBJECTS, lambda family: family.columns is not None)
def test_distribution_equals_scipy(family, rng):
    q = np.array([1e-3, 0.2, 0.5, 0.9])
    for eta in points(family, 3):
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
        np.testing.assert_array_equal(positions(family, observations(family, at)), theirs.ppf(q))
        np.testing.assert_array_equal(
            positions(family, observations(family, ours.isf(q))), theirs.isf(q)
        )
        np.testing.assert_allclose(ours.cdf(at), theirs.cdf(theirs.ppf(q)), rtol=1e-12)
        np.testing.assert_allclose(ours.sf(at), theirs.sf(theirs.ppf(q)), rtol=1e-12)
        np.testing.assert_array_equal(ours.interval(0.6), ours.ppf([0.2, 0.8]))
        np.testing.assert_allclose(ours.entropy(), theirs.entropy(), rtol=1e-10)
        if family.numeric:
            for method in METHODS:
                np.testing.assert_allclose(
                    getattr(ours, method)(), getattr(theirs, method)(), rtol=1e-10
                )
        if not counted(family):
            np.testing.assert_array_equal(ours.isf(1e-30), theirs.isf(1e-30))
        assert type(ours.to_scipy()) is type(theirs)


@every(SUBJECTS, lambda family: family.columns is None)
def test_distribution_of_several_columns(family, rng):
    eta = points(family, 1)[0]
    ours, theirs = distribution(family, eta), family.to_scipy(natural(family, eta))
    y = draw(family, eta, 20, rng)
    np.testing.assert_allclose(ours.logpdf(y), theirs.logpdf(y), rtol=1e-10)
    np.testing.assert_allclose(ours.logpdf(y[0]), theirs.logpdf(y[0]), rtol=1e-10)
    np.testing.assert_allclose(ours.entropy(), theirs.entropy(), rtol=1e-10)
    np.testing.assert_array_equal(ours.mean(), theirs.mean)
    np.testing.assert_array_equal(ours.var(), np.diag(theirs.cov))
    np.testing.assert_allclose(ours.cdf(y[0]) + ours.sf(y[0]), 1.0, rtol=1e-4)
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
    at = y if family.columns == 1 else y[:, 0]
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
    if family.columns == 1 and family.numeric:
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


def test_labels_may_be_words():
    family = families.Categorical(["a", "b", "c"])
    law = Distribution(family, {"probabilities": [0.2, 0.3, 0.5]})
    np.testing.assert_allclose(law.pmf(["c", "a", "z"]), [0.5, 0.2, 0.0])
    np.testing.assert_allclose(law.pmf(["z", "y"]), [0.0, 0.0])
    np.testing.assert_allclose(law.pmf("b"), 0.3)
    np.testing.assert_allclose(law.cdf(["a", "b", "c"]), [0.2, 0.5, 1.0])
    np.testing.assert_array_equal(law.ppf([0.1, 0.5, 0.51]), ["a", "b", "c"])
    assert set(law.rvs(100, random_state=0)) == {"a", "b", "c"}
    with pytest.raises(ValueError, match=r"mean: .*labels.*Allowed: .*numbers"):
        law.mean()
    with pytest.raises(ValueError, match=r"variance: .*labels.*Allowed: .*numbers"):
        law.var()
    assert (
        repr(pickle.loads(pickle.dumps(family)))
        == repr(family)
        == "Categorical(categories=['a', 'b', 'c'])"
    )


@pytest.mark.parametrize("labels", [["b", "a"], [1, 2, 2], [3, 1]])
def test_labels_out_of_order(labels):
    """They would be taken for one another."""
    first, second = labels[-2:]
    with pytest.raises(
        ValueError, match=rf"categories=.*{first!r}.* before .*{second!r}.*Allowed: rising .*Sort"
    ):
        families.Categorical(labels).labels  # noqa: B018


def test_dimension_of_the_data():
    with pytest.raises(
        ValueError,
        match=r"MultivariateNormal\(dimension=3\): the data have 2 columns. Allowed: .*Give",
    ):
        families.MultivariateNormal(3).adapt(np.zeros((4, 2)))


def test_columns_that_depend_on_each_other(rng):
    """The normal law of several columns is unbounded on the space in which they lie, in whatever units."""
    y = rng.normal(size=(20, 2))
    y = np.column_stack([y, y @ [1.0, -2.0]]) * [1.0, 1e6, 1e-6]
    family = families.MultivariateNormal(3)
    eta, reason = family.unbounded(family.statistics(y), np.ones(20))
    assert "a space of 2 dimensions" in reason and "3 columns" in reason
    best = family.log_prob(y[:, [0, 1, 2]], tuple(map(np.asarray, eta))).mean()
    independent = tuple(map(np.asarray, family.eta((y.mean(axis=0), np.diag(y.var(axis=0))))))
    assert best > family.log_prob(y, independent).mean() + 5.0


def test_a_single_label(rng):
    """Data of one label have a law without parameters."""
    family = families.Categorical().adapt(np.array(["a", "a"]))
    statistics = family.statistics(np.array(["a", "a"]))
    assert family.parameters == () and family.starts(statistics, np.ones(2)) == [()]
    for order in (0, 1, 2):
        np.testing.assert_array_equal(
            jets(family.evaluate(statistics, (), order), 0, 2)[0], np.zeros(2)
        )
    np.testing.assert_array_equal(family.recession(statistics, ()), 0.0)
    assert family.natural(()) == (np.ones(1),)
    law = Distribution(family, {"probabilities": [1.0]})
    np.testing.assert_array_equal(law.log_prob(["a", "b"]), [0.0, -np.inf])
    assert law.rvs(3, random_state=0).tolist() == ["a", "a", "a"]


def test_unadapted_families_say_what_they_lack():
    for name in SUBJECTS:
        family = (
            get_family(name.split("-")[0].lower())
            if name.lower() in families._BY_NAME
            else getattr(families, name.split("-")[0])()
        )
        try:
            family.parameters  # noqa: B018
        except ValueError as error:
            assert "learnt from data by fit. Allowed: " in str(error) and "give " in str(error)
            assert get_family(family) is family


# Parameters at the edge of their range: family, parameters, observations, expected log-mass.
EDGES = [
    ("poisson", {"mean": 0.0}, [0.0, 1.0, 7.0], [0.0, -np.inf, -np.inf]),
    ("bernoulli", {"probability": 0.0}, [0.0, 1.0], [0.0, -np.inf]),
    ("bernoulli", {"probability": 1.0}, [0.0, 1.0], [-np.inf, 0.0]),
    ("geometric", {"probability": 1.0}, [1.0, 2.0, 9.0], [0.0, -np.inf, -np.inf]),
    (
        "negative_binomial",
        {"mean": 0.0, "dispersion": 2.0},
        [0.0, 1.0, 7.0],
        [0.0, -np.inf, -np.inf],
    ),
    (
        "negative_binomial",
        {"mean": 0.0, "dispersion": 0.0},
        [0.0, 1.0, 7.0],
        [0.0, -np.inf, -np.inf],
    ),
    (
        families.Binomial(4),
        {"probability": 0.0},
        [[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]],
        [0.0, -np.inf, -np.inf],
    ),
    (
        families.Binomial(4),
        {"probability": 1.0},
        [[0.0, 4.0], [3.0, 1.0], [4.0, 0.0]],
        [-np.inf, -np.inf, 0.0],
    ),
    (
        families.Categorical(["a", "b", "c"]),
        {"probabilities": [0.0, 0.25, 0.75]},
        ["a", "b", "c"],
        [-np.inf, np.log(0.25), np.log(0.75)],
    ),
    (
        families.Categorical(["a", "b", "c"]),
        {"probabilities": [1.0, 0.0, 0.0]},
        ["a", "b", "c", "z"],
        [0.0, -np.inf, -np.inf, -np.inf],
    ),
    (
        families.Categorical(2),
        {"probabilities": [[1.0, 0.0], [0.5, 0.5]]},
        [0, 0],
        [0.0, np.log(0.5)],
    ),
]


@pytest.mark.parametrize(
    ("family", "params", "y", "expected"), EDGES, ids=[f"{edge[0]}-{edge[1]}" for edge in EDGES]
)
def test_parameters_at_the_edge(family, params, y, expected):
    law = Distribution(get_family(family), params)
    np.testing.assert_allclose(law.log_prob(y), expected)
    np.testing.assert_allclose(law.pmf(y), np.exp(expected))
    if law.shape == ():
        np.testing.assert_allclose([law.log_prob(one) for one in y], expected)
    if law.family.numeric:
        assert law.var() == law.std() == law.entropy() == 0.0
    if law.family.numeric and law.family.columns == 1:
        assert law.mean() == law.median() == law.isf(0.3) == y[int(np.argmax(expected))]
        assert np.all(law.rvs(5, random_state=0) == law.mean())
        several = Distribution(law.family, {name: [value, 0.5] for name, value in params.items()})
        inside = Distribution(law.family, dict.fromkeys(params, 0.5))
        np.testing.assert_allclose(several.log_prob(y[0]), [expected[0], inside.log_prob(y[0])])
    if law.family.numeric:
        outside = [-1.0, np.inf] if law.family.columns == 1 else [[-1.0, 5.0], [np.inf, 0.0]]
        np.testing.assert_array_equal(law.log_prob(outside), [-np.inf, -np.inf])


@every({name: family for name, family in RELINKED.items() if counted(family)})
def test_edges_do_not_depend_on_links(family):
    """A link that maps the edge to a finite eta (sqrt, identity) changes nothing."""
    plain = clone(family).set_params(links=None)
    params = {p.name: 0.0 if p.chart is LOG else 1.0 for p in family.parameters}
    if family.columns == 1:
        y = atoms(plain, tuple(np.asarray(0.5) for _ in params))[:4]
    else:
        y = observations(family, np.arange(family.trials + 1.0))
    np.testing.assert_array_equal(
        Distribution(family, params).log_prob(y), Distribution(plain, params).log_prob(y)
    )


# ---------------------------------------------------------------- special functions

# Reference values by mpmath 1.3, 60 digits:
#     trigamma: psi(1, x)
#     binet:    mu = loggamma(x) - (x - 1/2) log(x) + x - log(2 pi)/2;  psi(0, x) - log(x) + 1/(2 x);  psi(1, x) - 1/x - 1/(2 x^2)
#     rising:   loggamma(y + r) - loggamma(r) - y log(r) and, with D = psi(0, y + r) - psi(0, r),
#               D r - y;  (psi(1, y + r) - psi(1, r)) r^2 + D r
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
    """Absolute errors, in units of the derivatives in log x that families use: x mu' and x^2 mu''."""
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
    """Of all orders of magnitude: lgamma, digamma and trigamma from it are scipy's, up to the rounding of their terms."""
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


# ---------------------------------------------------------------- observations in words, entropies that are sums


def test_observations_in_words():
    for family in SUBJECTS.values():
        assert family.observations == (
            str(family.support) if family.numeric else "the labels that the family was made with"
        )
    assert get_family("categorical").observations == "any labels"


SUMMED = {
    # Stirling's series, whose next term is -19/(360 mean^3): log(2 pi e mean)/2 - 1/(12 mean) - 1/(24 mean^2).
    "poisson": (
        "poisson",
        {"mean": 1e6},
        0.5 * np.log(2 * np.pi * np.e * 1e6) - 1 / 12e6 - 1 / 24e12,
    ),
    "vast poisson": ("poisson", {"mean": 1e12}, 0.5 * np.log(2 * np.pi * np.e * 1e12) - 1 / 12e12),
    "largest summed": (
        "poisson",
        {"mean": 999.0},
        0.5 * np.log(2 * np.pi * np.e * 999) - 1 / (12 * 999) - 1 / (24 * 999**2),
    ),
    "no poisson": ("poisson", {"mean": 0.0}, 0.0),
    # The sum of the terms up to 200 000 by scipy.stats.nbinom, beyond which there is 1e-90 of the mass.
    "negative binomial": ("negative_binomial", {"mean": 10.0, "dispersion": 50.0}, None),
    "no dispersion": (
        "negative_binomial",
        {"mean": 1e6, "dispersion": 0.0},
        0.5 * np.log(2 * np.pi * np.e * 1e6) - 1 / 12e6 - 1 / 24e12,
    ),
    "beta": ("beta", {"mean": 1 / 11, "precision": 1.1e8}, -9.08565968406593),  # mpmath, 40 digits
}


@pytest.mark.parametrize(("name", "params", "expected"), SUMMED.values(), ids=SUMMED)
def test_entropy_where_scipys_sum_stops_short(name, params, expected):
    law = Distribution(get_family(name), params)
    if expected is None:
        log_mass = law.to_scipy().logpmf(np.arange(200_000))
        expected = -(np.exp(log_mass) * log_mass).sum()
    assert law.entropy() == pytest.approx(expected, rel=1e-10)
    rows = Distribution(
        get_family(name), {key: [value, value, np.nan] for key, value in params.items()}
    ).entropy()
    np.testing.assert_allclose(rows, [expected, expected, np.nan], rtol=1e-10)
