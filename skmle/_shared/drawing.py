"""Observations drawn from a fitted law at the rows of the fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.observed import observe_rows
from skmle._engine.problem import Coefs, Problem
from skmle.families import Family
from skmle.families.base import Arrays
from skmle.families.binomial import Binomial
from skmle.families.wrappers.base import Wrapper
from skmle.families.wrappers.censored import Censored
from skmle.families.wrappers.parts import SeveralParts

Array = NDArray[np.float64]

# Weights or observations that are drawn at once: 64 MB of them. Chosen, not measured.
_NUMBERS = 1 << 23


class Asked(NamedTuple):
    """Who asks for observations from a law, as messages say it."""

    what: str
    instead: str


def drawable(
    problems: Sequence[Problem], asked: Asked, observed_less: bool = False
) -> list[Problem]:
    """Return the problems of a fit without weights: each row as often as its weight says.

    Whoever asks for rows that are `observed_less` than their values makes these of the values.

    Raises
    ------
    ValueError
        If observations like these cannot be drawn from the law.
    """
    if any(problem.robust for problem in problems):
        raise ValueError(
            f"{asked.what} draws from the law of the rows, but the fit was under weights that are "
            "those of no law (of classes, or of soft labels). Allowed: fits without. Use "
            f"{asked.instead}."
        )
    laws = [law for problem in problems for law in _within(problem.family)]
    if not observed_less and any(isinstance(law, Censored) for law in laws):
        raise ValueError(
            f"{asked.what} draws values of the law, but the fit observed less than these "
            "(censored or rounded ones), and does not know by which rule. Allowed: fits to values. "
            f"Use {asked.instead}."
        )
    for problem in problems:
        statistics = problem.observed.statistics[0]
        if problem.family.support.whole and (statistics != np.floor(statistics)).any():
            raise ValueError(
                f"{asked.what} draws counts, but the fit was to rates, such as "
                f"{statistics[statistics != np.floor(statistics)][0]:.6g}. Allowed: whole "
                f"observations, with exposure beside them. Use {asked.instead}, or fit to these."
            )
    return [_repeated(problem, asked) for problem in problems]


def _within(family: Family) -> Iterator[Family]:
    """Yield a family and all that it is made of."""
    yield family
    if isinstance(family, SeveralParts):
        for part in family.parts:
            yield from _within(part)
    elif isinstance(family, Wrapper):
        yield from _within(family.inner)


def _repeated(problem: Problem, asked: Asked) -> Problem:
    observed = problem.observed
    weight = observed.weights
    if (weight == 1.0).all():
        times = np.arange(len(weight))
    elif observed.squares is not None or (weight != np.floor(weight)).any():
        raise ValueError(
            f"{asked.what} draws each row as often as its weight, but sample_weight has "
            f"{weight[weight != 1.0][0]:.6g}, which is no number of rows. Allowed: whole weights "
            f"that repeat rows. Use {asked.instead}."
        )
    else:
        times = np.repeat(np.arange(len(weight)), weight.astype(np.intp))
    return _rows(problem, times, observed.statistics_of(times))


def with_copies(problem: Problem, y: Array) -> Problem:
    """Return the rows of a problem as often as they have observations, (count, n, ...)."""
    count, n = y.shape[:2]
    statistics = problem.family.statistics(y.reshape(count * n, *y.shape[2:]))
    return _rows(problem, np.tile(np.arange(n), count), statistics)


def _rows(problem: Problem, rows: NDArray[np.intp], statistics: Arrays) -> Problem:
    """Return some rows of a problem, with other statistics and without weights."""
    return replace(
        problem,
        observed=observe_rows(problem.family, statistics, None),
        X=None if problem.X is None else problem.X[rows],
        offset=None if problem.offset is None else problem.offset[rows],
    )


def lines_at_once(problem: Problem) -> int:
    """Return how many samples of a problem's rows are drawn at once."""
    return max(2, _NUMBERS // problem.observed.n)


def drawn(problem: Problem, coefs: Coefs, count: int, rng: np.random.Generator) -> Array:
    """Return observations drawn from a problem's law at all its rows, (count, n, ...)."""
    family, n = problem.family, problem.observed.n
    law = family.predicted(family.natural(etas_of(problem, coefs)))
    source = law.family
    if isinstance(source, Binomial):  # each row has its own number of trials
        source = copy(source)
        source.trials = problem.observed.statistics[1]
    return np.asarray(source.sample(law.theta, (count, n), rng))


def etas_of(problem: Problem, coefs: Coefs) -> Arrays:
    """Return the linear predictors of the rows, (n,) each; constants of a density are 0-d."""
    result = []
    for term, (slopes, intercept) in zip(problem.terms, coefs, strict=True):
        eta = np.asarray(intercept, float)
        if problem.features:
            eta = np.full(problem.observed.n, float(intercept))
        if term.size:
            eta = eta + np.asarray(problem.X[:, term.columns] @ slopes, float)
        result.append(eta)
    if problem.offset is not None:
        result[0] = result[0] + problem.offset
    return tuple(result)
