"""Fits of one model to many samples: the rows under other weights, or with other observations.

Clear maxima are found at once (`skmle._engine.batch`). All other fits are made one by one, from the
coefficients of the fit to the rows as they are, and each has its own verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from skmle._engine.batch import fit_observed, fit_weighted
from skmle._engine.data.observed import observe_rows
from skmle._engine.evaluation import Array
from skmle._engine.fit import fit
from skmle._engine.maxima import Many
from skmle._engine.problem import Coefs, Fit, Problem
from skmle._engine.verdict import BOUNDARY, INTERIOR, NO_MAXIMUM

_FOUND = (INTERIOR, BOUNDARY, NO_MAXIMUM)


@dataclass(frozen=True)
class Refits:
    """The fits to G samples.

    Parameters
    ----------
    coefs : ndarray of shape (G, m)
        Raw coefficients, term by term; those of fits that were made by themselves are zero.
    apart : dict of int to Fit
        The fits that were made by themselves.
    """

    coefs: Array
    apart: dict[int, Fit]


def refit_weighted(problem: Problem, weights: Array, start: Coefs) -> Refits:
    """Return the fits of a problem's rows under each line of weights, (G, n).

    Parameters
    ----------
    problem : Problem
        Not condensed.
    weights : ndarray of shape (G, n)
        Non-negative, some of each line positive.
    start : Coefs
        From where fits by themselves go.
    """
    plain = _plain(problem)

    def sample(line: int) -> Problem:
        rows = weights[line] > 0.0
        statistics = plain.observed.statistics_of(rows)
        return replace(
            plain,
            observed=observe_rows(plain.family, statistics, weights[line, rows]),
            X=None if plain.X is None else plain.X[rows],
            offset=None if plain.offset is None else plain.offset[rows],
        )

    return _completed(fit_weighted(plain, weights), sample, start)


def refit_observed(problem: Problem, y: Array, start: Coefs) -> Refits:
    """Return the fits of a problem's rows with each of G sets of observations, (G, n, ...).

    The problem has no weights; `start` is as in `refit_weighted`.
    """
    plain, family, count = _plain(problem), problem.family, len(y)
    together = family.statistics(y.reshape(-1, *y.shape[2:]))
    many = Many.none(count, sum(term.length for term in plain.terms))
    if all(len(s) == y.shape[0] * y.shape[1] for s in together):
        statistics = tuple(s.reshape(*y.shape[:2], *s.shape[1:]) for s in together)
        many = fit_observed(plain, statistics)

    def sample(line: int) -> Problem:
        return replace(plain, observed=observe_rows(family, family.statistics(y[line]), None))

    return _completed(many, sample, start)


def _plain(problem: Problem) -> Problem:
    """Return a problem of which the coefficients alone are wanted."""
    return replace(
        problem, covariance=False, robust=False, verbose=False, needs_rows=False, start=None
    )


def _completed(many: Many, sample: Callable[[int], Problem], start: Coefs) -> Refits:
    """Return fits that were found at once with those that were not."""
    apart = {}
    for line in np.flatnonzero(~many.clear):
        posed = sample(int(line))
        found = fit(replace(posed, start=start))
        if found.verdict.status not in _FOUND:
            found = fit(posed)
        apart[int(line)] = found
    return Refits(many.coefs, apart)
