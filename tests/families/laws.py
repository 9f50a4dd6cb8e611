"""What tests ask of a law.

Points in the space of its parameters, observations, jets of its formula, expectations.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import cache

import numpy as np
from scipy import stats
from scipy.special import expit, logit

from skmle.families import Distribution, Family, Support
from skmle.families.base import IDENTITY, LOG, Softmax
from skmle.families.tools.atoms import atoms_of
from skmle.families.wrappers.fixed import fix
from tests.families.whole_numbers import all_of, decided_far_out, reached
from tests.subjects import RELINKED, STEPS_TOWARDS, SUBJECTS, calm, has_links


def has_gradient(family: Family) -> bool:
    rng = np.random.default_rng(0)
    eta = points(family, 1)[0]
    return family.evaluate(family.statistics(draw(family, eta, 3, rng)), eta).gradient is not None


# Where the parameters are drawn from, on the eta of a chart: positive ones from about 0.6 to 7.
CHART_DRAWS = defaultdict(lambda: (0.0, 1.0), {LOG: (0.7, 0.6)})


def points(family: Family, count: int = 4) -> list[tuple[np.ndarray, ...]]:
    """Return constant chart eta, `count` points in the space of the parameters."""
    return list(drawn_points(family)[:count])


@cache  # a hundred tests ask
def drawn_points(family: Family) -> tuple[tuple[np.ndarray, ...], ...]:
    """Return eta drawn for each parameter from its chart and kept if they are a law that can be
    computed with.

    Where a link takes positive values only, so does its parameter. Kept are laws (low < high) of
    finite entropy of which nothing to speak of lies between the last floating-point number and an
    upper end (beta close to 1), or beyond the numbers at which the quadrature looks. Where ends
    move, they do not spoil the usual errors.
    """
    rng = np.random.default_rng(7)
    only_positive = [
        p.chart is IDENTITY and family.link(j).name != "identity"
        for j, p in enumerate(family.parameters)
    ]
    kept: list[tuple[np.ndarray, ...]] = []
    while len(kept) < 4:
        drawn = calm(
            family, [rng.normal(*CHART_DRAWS.get(p.chart, (0.0, 1.0))) for p in family.parameters]
        )
        eta = tuple(
            np.asarray(abs(e) if positive else e)
            for e, positive in zip(drawn, only_positive, strict=True)
        )
        if family in STEPS_TOWARDS.values() or is_computable(family, natural(family, eta)):
            kept.append(eta)
    return tuple(kept)


# The least positive number at which the quadrature below looks; its reciprocal is the largest.
LEAST = np.exp(-340.0)


def is_computable(family: Family, theta) -> bool:
    with np.errstate(invalid="ignore"):
        if not np.isfinite(family.entropy(theta)).all():
            return False
    if family.nonregular(family.chart(family.eta(theta))):
        return False
    low, high = family.support.low, family.support.high
    if family.support.discrete:
        counts = family.observation.columns == 1 and family.observation.numeric
        return not (counts and decided_far_out(family, theta))
    if family.observation.columns is None:
        return True
    if family.observation.circular:  # all of a turn lies at ordinary numbers
        return True
    at_low = np.exp(family.log_prob(np.array(atoms_of(family)), family.eta(theta))).sum()
    return not (
        (np.isfinite(high) and family.sf(np.nextafter(high, -np.inf), theta) > 1e-14)
        or (low == 0.0 and family.cdf(np.asarray(LEAST), theta) - at_low > 1e-14)
        or (np.isinf(high) and family.sf(np.asarray(1.0 / LEAST), theta) > 1e-14)
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


def frozen(family: Family, theta):
    """Return the law under scipy's method names: scipy's own where scipy has it, else ours."""
    theirs = family.to_scipy(theta)
    return Distribution.of(family, theta) if theirs is None else theirs


def in_scipy(family: Family) -> bool:
    """Whether scipy has the law."""
    return family.to_scipy(natural(family, points(family, 1)[0])) is not None


# ---------------------------------------------------------------- parameters held fixed


def held():
    """Return every family, under its own and other links, with each parameter in turn held."""
    found = {}
    for name, family in (
        SUBJECTS | {name: family for name, family in RELINKED.items() if name.endswith("-all")}
    ).items():
        if len(family.parameters) > 1 and family.support.smooth and has_links(family):
            theta = natural(family, points(family, 1)[0])
            found |= {
                f"{name}-{p}": fix(family, {p: float(value)})
                for p, value in zip(family.names, theta, strict=True)
            }
    return found


HELD = held()


# ---------------------------------------------------------------- observations


def draw(family: Family, eta, n, rng):
    """Observations of the law at constant chart eta, short of where they leave the floating-point
    numbers.
    """
    if family in STEPS_TOWARDS.values():
        return eta[0] + np.exp(eta[1]) * rng.standard_t(3.0, size=n)
    y = family.sample(natural(family, eta), (n,), rng)
    inside = family.contains(y)
    return y[
        inside & (np.abs(y) < 1e100)
        if family.observation.numeric and family.observation.columns == 1
        else inside
    ]


def rows_of(family: Family, n, rng):
    """Return eta with one row an observation, and observations of these laws."""
    columns = calm(
        family,
        [rng.normal(*CHART_DRAWS.get(p.chart, (0.0, 1.0)), size=n) for p in family.parameters],
    )
    if not family.support.smooth:
        columns = list(np.sort(columns, axis=0))
    eta = tuple(columns)
    if family in STEPS_TOWARDS.values():
        return eta, eta[0] + np.exp(eta[1]) * rng.standard_t(3.0, size=n)
    return eta, family.sample(natural(family, eta), (n,), rng)


def has_rows(family: Family) -> bool:
    """Whether each observation may have parameters of its own.

    A law of any number of columns is one law for all.
    """
    return family.observation.columns is not None


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
    """Return the points that `cdf` and `quantile` speak of.

    Whole numbers or labels, as far as any probability reaches; of long tails the first ones.
    """
    if not family.observation.numeric:
        return np.asarray(family.labels)
    return reached(family, theta)[0]


def every_row(family: Family) -> np.ndarray:
    """Return all rows of counts that a law of several columns draws."""
    counts = np.indices((family.trials + 1,) * family.dimension).reshape(family.dimension, -1).T
    return counts[counts.sum(axis=1) == family.trials].astype(float)


def observations(family: Family, at: np.ndarray) -> np.ndarray:
    """Return the observations for atoms; of two columns, [successes, failures]."""
    return np.stack([at, family.trials - at], axis=-1) if family.observation.columns == 2 else at


def positions(family: Family, y: np.ndarray) -> np.ndarray:
    """Return what the scipy law calls an observation.

    A label's position, the number of successes, itself.
    """
    if not family.observation.numeric:
        return np.searchsorted(family.labels, y)
    return y[..., 0] if family.observation.columns == 2 else y


def scipy_log_prob(family: Family, law, y: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of observations under a law of scipy's.

    Its laws of several columns differ in their axes, so they are asked row by row.
    """
    log_prob = law.logpmf if counted(family) else law.logpdf
    if family.observation.columns is None:
        return np.array([float(np.squeeze(log_prob(row))) for row in y])
    return log_prob(positions(family, y))


LEVELS = np.concatenate(
    [10.0 ** -np.arange(9.0, 2.0, -1.0), [0.01, 0.03], np.linspace(0.08, 0.5, 8)]
)

HALVES = 0.5 ** np.arange(1.0, 30.0)
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)


def quadrature(family: Family, eta):
    """Gauss-Legendre panels between quantiles and on outwards, in a coordinate t over the whole
    line: observations, weights of dy.
    """
    law = frozen(family, natural(family, eta))
    to, back, slope = coordinate(family.support, law.median(), law.ppf(0.75) - law.ppf(0.25))
    low, high = family.ends(natural(family, eta))
    edges = [
        edge
        for edge in (low, high)
        if np.isfinite(edge) and edge not in (family.support.low, family.support.high)
    ]
    if family.cusps:
        edges.append(natural(family, eta)[0])
    if "mode" in family.names and not family.support.smooth:  # a peak between two lines
        edges.append(natural(family, eta)[family.names.index("mode")])
    at = np.concatenate([law.ppf(LEVELS), law.isf(LEVELS[::-1]), edges])
    ends = np.unique(to(at[~np.isin(at, np.array(atoms_of(family)))]))
    for edge in to(np.array(edges, float)):  # the density is not smooth there: ever finer panels
        for near in (*ends[ends < edge][-1:], *ends[ends > edge][:1]):
            ends = np.unique(np.append(ends, edge + (near - edge) * HALVES))
    sides = []
    for edge, neighbour in ((ends[0], ends[1]), (ends[-1], ends[-2])):
        far = edge + np.sign(edge - neighbour) * min(abs(edge - neighbour), 1.0) * np.arange(
            1.0, 700.0
        )
        far = far[np.abs(far) < 340.0]
        far = far[(low <= back(far)) & (back(far) <= high)]  # an angle has no more than a turn
        y = back(far)
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
    moves = not family.support.fixed and family.support.smooth
    if moves:  # next to an end that moves, derivatives are beyond the numbers
        inside &= family.log_prob(y, family.linked(eta)) > -200.0
    beside = np.array(atoms_of(family))
    return (
        np.concatenate([beside, y[inside]]),
        np.concatenate([np.ones(len(beside)), weight[inside]]),
    )


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
    """Return observations, their probability weights, and whether these are exact or sampled."""
    theta = natural(family, eta)
    if counted(family):
        several = family.observation.columns is None
        y = every_row(family) if several else observations(family, atoms(family, theta))
        weight = np.ones(len(y))
        if family.observation.numeric and family.observation.columns == 1:
            y, weight = all_of(*reached(family, theta))
        return y, weight * np.exp(family.log_prob(y, family.linked(eta))), True
    if family.observation.columns == 1:
        y, weight = quadrature(family, eta)
        return y, weight * np.exp(family.log_prob(y, family.linked(eta))), True
    y = family.sample(theta, (draws,), np.random.default_rng(11))
    return y, np.full(draws, 1.0 / draws), False


FEW_DECIDE = 0.01  # share of a sum of thousands of draws that one has, at most


def assert_expectation(values, weight, exact, expected, rtol=1e-9):
    """Compare weighted sums of rows with `expected`.

    To rounding by quadrature, within 5 standard errors by sampling.
    """
    values = values.reshape(len(weight), -1)
    mean = weight @ values
    size = weight @ np.abs(values) + 1e-12
    band = (
        rtol * size if exact else 5.0 * np.sqrt(weight @ (values - mean) ** 2 / len(weight)) + 1e-12
    )
    # Where a few draws decide an average, as of an infinite variance, its error is not known.
    told = exact | ((weight[:, None] * np.abs(values)).max(axis=0) <= FEW_DECIDE * size)
    miss = np.where(told, np.abs(mean - np.ravel(expected)) / band, 0.0)
    assert miss.max() <= 1.0, (
        f"{miss.max():.3g} times the tolerance off: {mean} against {np.ravel(expected)}"
    )


def assert_moments(family, eta, y):
    """Compare means, covariances and scores of draws from a law of several columns with its own."""
    theta, weight = natural(family, eta), np.full(len(y), 1.0 / len(y))
    mean, covariance = family.mean(theta), family.covariance(theta)
    if np.isfinite(covariance).all():
        assert_expectation(y, weight, False, mean)
        away = y - mean
        products = away[:, :, None] * away[:, None, :]
        assert_expectation(products, weight, False, covariance)
    gradient = family.evaluate(family.statistics(y), eta).gradient
    scores = np.stack(np.broadcast_arrays(*gradient), axis=-1)
    assert_expectation(scores, weight, False, np.zeros(len(eta)))


# ---------------------------------------------------------------- the formula and its derivatives


def check_derivatives(formula, eta, has_curvature, n, assert_derivative):
    """Compare gradient and curvature of `formula(eta, order)` (jets of n rows) with differences of
    value and gradient.
    """
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


def positions_as_atoms(family, y):
    return y[:, 0] if family.observation.columns == 2 else y


def integrated(theirs, *methods):
    """Whether scipy integrates all of these, having no formula of its own."""
    law = type(getattr(theirs, "dist", theirs))
    return all(getattr(law, m, None) is getattr(stats.rv_continuous, m) for m in methods)
