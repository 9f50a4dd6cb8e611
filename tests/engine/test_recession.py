"""Whether a fit runs off, for all links and families of one eta: as a linear program says.

And what is known of the rest, where it does: as the fit without the rows that run off says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import linprog

from skmle import CrossEntropyClassifier, MLERegressor
from skmle.families import Binomial
from skmle.families.links import LINKS
from tests.engine.verdicts import judge

pytestmark = [pytest.mark.numerics, pytest.mark.filterwarnings("error")]

Array = np.ndarray


class Subject(NamedTuple):
    """A model, draws of its outcomes, and which changes of eta no outcome forbids."""

    model: Callable[[], object]
    draw: Callable[[Array, np.random.Generator], Array]
    may_rise: Callable[[Array], Array]
    may_fall: Callable[[Array], Array]


def trials(eta: Array, rng: np.random.Generator) -> Array:
    n = rng.integers(1, 4, len(eta))
    successes = rng.binomial(n, 1.0 / (1.0 + np.exp(-eta)))
    return np.column_stack([successes, n - successes]).astype(float)


def labels(eta: Array, rng: np.random.Generator) -> Array:
    return (rng.random(len(eta)) < 1.0 / (1.0 + np.exp(-eta))).astype(float)


def counts(eta: Array, rng: np.random.Generator) -> Array:
    return rng.poisson(np.exp(np.clip(eta - 1.0, -20.0, 3.0))).astype(float)


def waits(eta: Array, rng: np.random.Generator) -> Array:
    return rng.geometric(1.0 / (1.0 + np.exp(-np.clip(eta + 1.0, -3.0, 20.0)))).astype(float)


def never(y: Array) -> Array:
    return np.zeros(len(y), bool)


# Every link of a probability whose eta may be any number.
PROBABILITY = [name for name, link in LINKS.items() if link.domain == (0.0, 1.0) and link.onto]
SUBJECTS = {
    **{
        f"classifier-{name}": Subject(
            lambda name=name: CrossEntropyClassifier(link=name),
            labels,
            lambda y: y == 1.0,
            lambda y: y == 0.0,
        )
        for name in PROBABILITY
    },
    **{
        f"binomial-{name}": Subject(
            lambda name=name: MLERegressor(Binomial(links={"probability": name})),
            trials,
            lambda y: y[:, 1] == 0.0,
            lambda y: y[:, 0] == 0.0,
        )
        for name in PROBABILITY
    },
    "poisson": Subject(lambda: MLERegressor("poisson"), counts, never, lambda y: y == 0.0),
    "negative_binomial": Subject(
        lambda: MLERegressor("negative_binomial", fixed={"dispersion": 0.7}),
        counts,
        never,
        lambda y: y == 0.0,
    ),
    "geometric": Subject(lambda: MLERegressor("geometric"), waits, lambda y: y == 1.0, never),
    **{
        name: Subject(
            lambda name=name: MLERegressor(name),
            lambda eta, rng: rng.gamma(2.0, np.exp(eta / 3.0)),
            never,
            never,
        )
        for name in ("gamma", "exponential", "inverse_gaussian")
    },
}


def runs_off(X: Array, rise: Array, fall: Array) -> bool:
    """Return whether some change of the coefficients moves rows, and none that must not move."""
    Z = np.column_stack([np.ones(len(X)), X / np.abs(X).max(axis=0)])
    sides = [Z[~rise], -Z[~fall]]  # eta must not rise there, nor fall there
    gain = Z[rise & ~fall].sum(axis=0) - Z[fall & ~rise].sum(axis=0)
    found = linprog(
        -gain,
        A_ub=np.vstack(sides),
        b_ub=np.zeros(sum(len(side) for side in sides)),
        bounds=[(-1.0, 1.0)] * Z.shape[1],
        method="highs",
    )
    assert found.success
    return -found.fun > 1e-7


def design(rng: np.random.Generator) -> Array:
    """Return columns of numbers and dummies, whose rows overlap, separate, or do so in part."""
    n, p = rng.integers(10, 60), rng.integers(1, 5)
    X = rng.normal(size=(n, p))
    if rng.random() < 0.5:
        X[:, -1] = rng.random(n) < rng.choice([0.05, 0.15, 0.4])
    return X.round() if rng.random() < 0.3 else X


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_fit_runs_off_where_a_linear_program_says_so(name):
    subject, found = SUBJECTS[name], Counter()
    for seed in range(60):
        rng = np.random.default_rng([seed, len(name)])
        X = design(rng)
        X = X[:, X.std(axis=0) > 0.0]
        eta = X @ rng.normal(size=X.shape[1]) * rng.choice([0.0, 1.0, 4.0]) if X.size else X
        if not X.shape[1]:
            continue
        y = subject.draw(eta, rng)
        if (y == y[0]).all():
            continue
        _, said = judge(subject.model(), X, y)
        off = runs_off(X, subject.may_rise(y), subject.may_fall(y))
        found[said, "separation" if off else "interior"] += 1
    assert all(said == expected for said, expected in found), found
    assert found["interior", "interior"] >= 5


def rows_that_stay(X: Array, rise: Array, fall: Array) -> Array:
    """Return the rows that no change of the coefficients sends to infinity, by linear programs.

    Rows that have gone no longer hold the others, so that further ones may go.
    """
    Z = np.column_stack([np.ones(len(X)), X / np.abs(X).max(axis=0)])
    stay = np.ones(len(Z), bool)
    while True:
        held, side = stay & ~rise & ~fall, rise.astype(float) - fall
        free = np.flatnonzero(stay & (side != 0.0))
        m, d = len(free), Z.shape[1]
        if not m:
            return stay
        still = np.hstack([Z[held], np.zeros((held.sum(), m))])
        gain = np.hstack([-Z[free] * side[free, None], np.eye(m)])
        found = linprog(
            np.r_[np.zeros(d), -np.ones(m)],
            A_ub=gain,
            b_ub=np.zeros(m),
            A_eq=still if held.any() else None,
            b_eq=np.zeros(len(still)) if held.any() else None,
            bounds=[(-1e6, 1e6)] * d + [(0.0, 1.0)] * m,
            method="highs",
        )
        assert found.success
        gone = free[found.x[d:] > 0.5]
        if not len(gone):
            return stay
        stay[gone] = False


# Their likelihoods are concave, so that the rest has one maximum.
CONCAVE = ["classifier-logit", "classifier-probit", "binomial-logit", "poisson", "geometric"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CONCAVE)
def test_the_rows_that_run_off_and_the_rest_are_those_of_linear_programs(name):
    subject, found = SUBJECTS[name], 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 77])
        X = design(rng)
        X = np.column_stack([X, rng.random((len(X), 2)) < 0.1])
        X = X[:, X.std(axis=0) > 0.0]
        y = subject.draw(X @ rng.normal(size=X.shape[1]) * rng.choice([0.0, 1.0, 4.0]), rng)
        if (y == y[0]).all():
            continue
        stay = rows_that_stay(X, subject.may_rise(y), subject.may_fall(y))
        model, said = judge(subject.model(), X, y)
        assert (said == "interior") == stay.all()
        if stay.all():
            continue
        np.testing.assert_array_equal(model.separated_.rows, np.flatnonzero(~stay))
        if not stay.any():
            continue
        rest, _ = judge(subject.model(), X[stay], y[stay])
        assert model.log_likelihood_ == pytest.approx(rest.log_likelihood_, abs=1e-8)
        theirs = rest.inference().standard_errors
        if np.nanmax(theirs, initial=0.0) > 1e3:
            continue  # A maximum so flat that rounding decides its errors.
        ours = model.inference().standard_errors
        # Columns that are constant in the rows that stay make their intercept unknown to the rest.
        known = np.isfinite(ours) & np.isfinite(theirs)
        np.testing.assert_array_equal(np.isfinite(ours)[:-1], np.isfinite(theirs)[:-1])
        np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-5)
        found += 1
    assert found >= 10
