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
from skmle._engine.verdict import MAXIMUM, NO_MAXIMUM

# Rows times coefficients up to which fits are looked for at once. Of 3000 x 21 they took as long as
# by themselves (logistic 2.9 and 4.2 ms, gamma 5.0 and 4.6), of 20 000 x 21 eight times as long.
_SHORT = 1 << 16
_FOUND = (*MAXIMUM, NO_MAXIMUM)


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

    many = fit_weighted(plain, weights, start) if _is_short(plain) else _none(plain, len(weights))
    return _completed(many, sample, start)


def refit_observed(problem: Problem, y: Array, start: Coefs) -> Refits:
    """Return the fits of a problem's rows with each of G sets of observations, (G, n, ...).

    The problem has no weights; `start` is as in `refit_weighted`.
    """
    plain, family, shape = _plain(problem), problem.family, y.shape[:2]
    together = family.statistics(y.reshape(-1, *y.shape[2:]))
    many = _none(plain, len(y))
    if _is_short(plain) and all(len(s) == shape[0] * shape[1] for s in together):
        statistics = tuple(s.reshape(*shape, *s.shape[1:]) for s in together)
        many = fit_observed(plain, statistics, start)

    def sample(line: int) -> Problem:
        return replace(plain, observed=observe_rows(family, family.statistics(y[line]), None))

    return _completed(many, sample, start)


def _plain(problem: Problem) -> Problem:
    """Return a problem of which the coefficients alone are wanted."""
    return replace(problem, covariance=False, robust=False, verbose=False, start=None)


def _is_short(problem: Problem) -> bool:
    """Return whether fits to many samples take less time at once than one by one."""
    return problem.observed.n * sum(term.length for term in problem.terms) <= _SHORT


def _none(problem: Problem, count: int) -> Many:
    """Return the record of fits that are all to be made one by one."""
    return Many.none(count, sum(term.length for term in problem.terms))


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
