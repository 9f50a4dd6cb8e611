"""Where the search of every family starts.

At the maximum, or where it leads there; collapse, saturation, lack of bounds.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import optimize

from skmle.families import Family, Triangular
from skmle.families.base import average
from skmle.families.ends import place
from skmle.families.tools.atoms import atoms_of
from tests.families.laws import (
    counted,
    draw,
    has_gradient,
    has_rows,
    jets,
    observations,
    points,
    tail_points,
)
from tests.subjects import SUBJECTS, every, is_unbounded

pytestmark = pytest.mark.filterwarnings("error")

# Logarithms of the distances of a triangular law's ends from the outermost rows.
STARTING = ([-1.0, -1.0], [-4.0, 0.0])


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
    return family.shortcuts.starts != "near" and family.shortcuts.starts != "final"


@every(SUBJECTS, closed_form)
def test_starts_are_the_maximum(family, rng):
    for eta in points(family) + (tail_points(family, 6.0) if has_rows(family) else []):
        y = draw(family, eta, 60, rng)
        if family.nonregular(eta):
            continue  # the likelihood may have no maximum
        if len(y) < 60:
            continue  # a law that leaves the floating-point numbers
        statistics, weight = family.statistics(y), rng.uniform(0.5, 2.0, len(y))
        for start in family.starts(statistics, weight):
            if not np.isfinite(start).all():
                continue  # all observations at an end of the support
            _, gradient, curvature = mean_jets(family, statistics, weight, start)
            np.testing.assert_allclose(gradient, 0.0, atol=1e-9)
            assert np.linalg.eigvalsh(curvature).min() > 0
        if family.shortcuts.sums != "rows":
            collapsed = family.collapse(statistics, weight)
            np.testing.assert_allclose(
                family.starts(collapsed, np.ones(1)),
                family.starts(statistics, weight),
                rtol=1e-10,
                atol=1e-12,
            )


@every(SUBJECTS, lambda family: family.shortcuts.starts == "final")
def test_exact_starts_are_the_maximum(family, rng):
    """No derivative can confirm them.

    No point around them, near or far, has a higher likelihood.
    """
    y = draw(family, points(family, 1)[0], 61, rng)
    statistics, weight = family.statistics(y), np.ones(len(y))
    (start,) = family.starts(statistics, weight)
    best = mean_jets(family, statistics, weight, start)[0]
    for scale in (1e-6, 1e-3, 0.1, 1.0):
        for _ in range(100):
            other = tuple(start + scale * rng.normal(size=len(start)))
            assert mean_jets(family, statistics, weight, other)[0] >= best - 1e-14


@every(SUBJECTS, lambda family: family.shortcuts.starts == "near")
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
                abs(result.x[place(family, limit.parameter)]) > 3.0 for limit in family.limits
            )
            assert np.abs(result.jac).max() < 1e-7 or at_limit


@every(SUBJECTS)
def test_starts_of_repeats(family, rng):
    """A weight of w counts as w equal rows."""
    y, weight, repeated = sample_with_weights(family, rng)
    y[0] = y[1] if family.support.smooth else y[0]
    weighted = family.starts(family.statistics(y), weight)
    expanded = family.starts(
        family.statistics(np.repeat(y, weight.astype(int), axis=0)), np.ones(len(repeated))
    )
    np.testing.assert_allclose(weighted, expanded, rtol=1e-10, atol=1e-12)
    scaled = family.starts(family.statistics(y), 7.5 * weight)
    np.testing.assert_allclose(scaled, weighted, rtol=1e-10, atol=1e-12)


@every(SUBJECTS, lambda family: family.shortcuts.sums != "rows")
def test_collapse(family, rng):
    """One row for all gives the weighted means of value, gradient and curvature.

    And so does one of two such rows.
    """
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
        value, *slopes = mean_jets(family, collapsed, np.ones(1), eta)
        mean, *means = mean_jets(family, statistics, weight, eta)
        if family.shortcuts.sums == "base":  # one row tells of the terms that depend on y only, too
            value = value + average(family.base(collapsed), np.ones(1))
            mean = mean + average(family.base(statistics), weight)
        np.testing.assert_allclose(value, mean, rtol=1e-12, atol=1e-12)
        for one, many in zip(slopes, means, strict=True):
            if many is not None:  # a law without derivatives
                np.testing.assert_allclose(one, many, rtol=1e-12, atol=1e-12)


def test_families_affine_in_their_statistics_are_collapsible(rng):
    """The flag is not forgotten."""
    for family in SUBJECTS.values():
        if (
            family.observation.columns is None
            or not family.observation.numeric
            or not has_gradient(family)
        ):
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
        assert family.shortcuts.sums != "rows" or max(gaps) > 1e-12, type(family).__name__


@every(SUBJECTS)
def test_starts_at_the_edge_are_silent(family):
    """All observations at an end of the support.

    The maximum is at the edge of the parameters, and nothing warns or is nan.
    """
    edges = [
        edge
        for edge, closed in zip(
            (family.support.low, family.support.high), family.support.closed, strict=True
        )
        if closed
    ]
    rows = [np.full(5, edge) for edge in edges]
    if family.observation.columns == 2:
        rows = [observations(family, at) for at in (np.zeros(5), np.full(5, float(family.trials)))]
    if family.observation.columns is None:
        rows = []  # the ends are those of each number, not of all
    if not family.observation.numeric:
        rows = [np.full(5, label) for label in family.labels]
    for y, weight in itertools.product(rows, [np.ones(5), np.array([0.1, 0.7, 1.3, 0.3, 1.1])]):
        statistics = family.statistics(y)
        short = (
            [(family.collapse(statistics, weight), np.array([weight.sum()]))]
            if family.shortcuts.sums != "rows"
            else []
        )
        for rows_of_y, mass in [(statistics, weight), *short]:
            for start in family.starts(rows_of_y, mass):
                assert not np.isnan(start).any()
                if family.observation.numeric:
                    assert not np.isfinite(start[0]), (
                        "no rounding of weights hides that the data are at the edge"
                    )


@every(SUBJECTS, lambda family: family.observation.numeric)
def test_equal_observations(family, rng):
    """Either `unbounded` says so, with a law of very high density and a reason, or the start is
    fine.
    """
    y = np.repeat(draw(family, points(family, 1)[0], 4, rng)[:1], 6, axis=0)
    statistics, weight = family.statistics(y), np.ones(6)
    verdict = family.unbounded(statistics, weight)
    if verdict is None:
        at_mass = bool(np.isin(y[0], atoms_of(family)).all())  # a row of it is likely enough
        assert counted(family) or at_mass or not is_unbounded(family)
        assert not np.isnan(family.starts(statistics, weight)).any()
        return
    eta, reason = verdict
    at = family.log_prob(y[:1], family.linked(tuple(map(np.asarray, eta))))
    if counted(family):
        assert at[0] > -1e-12 and "rises" in reason
        return
    assert at[0] > 8.0, "a high density"
    assert "without bound" in reason or "shrinks to a point" in reason


@every(SUBJECTS, lambda family: family.observation.numeric)
def test_distinct_observations_are_bounded(family, rng):
    y = draw(family, points(family, 1)[0], 40, rng)
    assert family.unbounded(family.statistics(y), np.ones(len(y))) is None


@every(SUBJECTS)
def test_saturated(family, rng):
    """Each row at its own saturated eta.

    A density out of all proportion to that of the best constant law.
    """
    y = draw(family, points(family, 1)[0], 30, rng)
    statistics = family.statistics(y)
    limit = family.saturated(statistics)
    if limit is None:
        assert (
            counted(family)
            or not family.support.fixed
            or family.observation.columns is None
            or not is_unbounded(family)
        )
        return
    first, rest, runs, power, *_ = limit
    assert runs in family.names[1:]
    assert first.shape == (len(y),) and len(rest) == len(family.parameters) - 1
    at = family.log_prob(y, family.linked((first, *map(np.asarray, rest))))
    start = tuple(map(np.asarray, family.starts(statistics, np.ones(len(y)))[0]))
    dense = ~np.isin(y, atoms_of(family))
    assert np.all(at[dense] > family.log_prob(y, family.linked(start))[dense] + 8.0)
    # A density there is in inverse proportion to the standard deviation, which goes with the power.
    back = [e + power * (name == runs) for name, e in zip(family.names[1:], rest, strict=True)]
    wider = family.log_prob(y, family.linked((first, *map(np.asarray, back))))
    np.testing.assert_allclose((at - wider)[dense], 1.0, atol=1e-3)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.slow
def test_the_mode_of_a_triangular_law_is_the_best_of_all(seed):
    """Each value is tried as the mode, with the best ends beside it."""
    rng = np.random.default_rng(seed)
    y = [rng.triangular(0.0, 3.0, 10.0, 60), rng.exponential(size=60), rng.normal(size=60)][
        seed % 3
    ]
    law = Triangular()
    (start,) = law.starts((y,), None)

    def nll(eta):
        return float(np.sum(law.evaluate((y,), tuple(map(np.asarray, eta)), 0).value))

    def beside(mode):
        def of_distances(logs):
            low, high = y.min() - np.exp(logs[0]), y.max() + np.exp(logs[1])
            return min(nll((low, mode, high)), 1e10)

        tries = [optimize.minimize(of_distances, at, method="Nelder-Mead") for at in STARTING]
        return min(found.fun for found in tries)

    assert nll(start) <= min(beside(mode) for mode in y) + 1e-6
