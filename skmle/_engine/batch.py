"""Many fits of one model, by Newton's method on all of them at once.

They are those of groups of rows, or of the same rows under many weights or with many observations.
What is found is a clear maximum (`skmle._engine.maxima`). All other fits are left to `fit`, one by
one, so that each verdict is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.padded import CHUNK, Padded, padded_groups
from skmle._engine.data.sums import in_order, one_blas_thread
from skmle._engine.evaluation import Array
from skmle._engine.judge.limits import has_closed_limits
from skmle._engine.likelihood.penalties import Ridge
from skmle._engine.maxima import STEPS, Many, maxima_of
from skmle._engine.prepare.feasible import starts_inside
from skmle._engine.prepare.groups import Groups
from skmle._engine.prepare.perturbed import CONCAVE
from skmle._engine.problem import Coefs, Problem
from skmle.families.base import Arrays

Block = TypeVar("Block")

# Tolerances under which a fit by itself comes to within rounding of the maximum, too: its last step
# squares its distance.
_TOLERANCES = 1e-9, 1e-6
# Rows times coefficients up to which a fit by itself has its covariance from the Hessian at the
# maximum (`skmle._engine.judge.verdict`).
_SHORT = 5_000


def fit_many(problem: Problem, codes: NDArray[np.intp], count: int) -> Many:
    """Return the fits of a problem's rows by group, as far as they are clear maxima.

    Parameters
    ----------
    problem : Problem
        Of all rows together, not condensed.
    codes : ndarray of int of shape (n,)
        The group of each row, from 0 on.
    count : int
        Number of groups; some may have no rows.
    """
    m = sum(term.length for term in problem.terms)
    result = Many.none(count, m)
    result.sizes[:] = np.bincount(codes, minlength=count)
    if not covers(problem) or not m:
        return result

    def enter(padded: Padded) -> None:
        n = padded.rows.shape[1]
        if m + 1 < n and n * m <= _SHORT:
            groups = Groups.of(problem, padded)
            result.enter(padded.groups, maxima_of(problem, groups))

    _in_blocks(problem, enter, list(padded_groups(codes, count, _width(problem, m))))
    return result


def fit_weighted(problem: Problem, weights: Array, start: Coefs | None = None) -> Many:
    """Return the fits of a problem's rows under each of many weights, as far as they are clear.

    They are those of bootstrap samples, for instance. The rows are held once: beside them, each of
    the blocks that are fitted at once needs some numbers a row and line of weights.

    Parameters
    ----------
    problem : Problem
        Not condensed. Its own weights are not asked for.
    weights : ndarray of shape (G, n)
        Non-negative; a row of weight zero does not count.
    start : tuple of (ndarray, float), optional
        As in `fit_observed`.

    Returns
    -------
    Many
        Its covariances are those at the maxima. A fit by itself of more than 5000 rows times
        coefficients has that of the point before its last step.
    """
    m = sum(term.length for term in problem.terms)
    result = Many.none(len(weights), m)
    result.sizes[:] = (weights > 0.0).sum(axis=1)
    # With other weights, another one of several modes may be the best.
    searched = start is not None or not problem.family.several_modes
    if not covers(problem, start) or not m or not searched or len(weights) < 2:
        return result

    def enter(lines: NDArray[np.intp]) -> None:
        groups = Groups.weighted(problem, np.asarray(weights[lines], np.float64))
        result.enter(lines, maxima_of(problem, groups, start))

    _in_blocks(problem, enter, _lines(problem, len(weights)))
    return result


def fit_observed(problem: Problem, statistics: Arrays, start: Coefs | None = None) -> Many:
    """Return the fits of a problem's rows with each of many sets of observations, if clear.

    They are those of samples from a fitted law, for instance.

    Parameters
    ----------
    problem : Problem
        Not condensed, and without weights. Its own observations are not asked for.
    statistics : tuple of ndarray of shape (G, n, ...)
    start : tuple of (ndarray, float), optional
        Raw coefficients near all maxima, from which alone each search goes; by default each has the
        starts of its law.

    Returns
    -------
    Many
        Its covariances are those at the maxima, as those of `fit_weighted`.
    """
    count, m = len(statistics[0]), sum(term.length for term in problem.terms)
    result = Many.none(count, m)
    result.sizes[:] = statistics[0].shape[1]
    weighted = problem.observed.weight is not None
    if not covers(problem, start) or weighted or not m or count < 2:
        return result

    def enter(lines: NDArray[np.intp]) -> None:
        groups = Groups.observed(problem, tuple(s[lines] for s in statistics))
        result.enter(lines, maxima_of(problem, groups, start))

    _in_blocks(problem, enter, _lines(problem, count))
    return result


def _lines(problem: Problem, count: int) -> list[NDArray[np.intp]]:
    """Return blocks of the numbers of some fits of the same rows."""
    # Numbers a row and line: its own, and what the formula makes of them.
    width = _width(problem, len(problem.terms))
    size = max(2, CHUNK // (problem.observed.n * width))
    return np.array_split(np.arange(count), max(1, count // size))


def _width(problem: Problem, columns: int) -> int:
    """Return how many numbers a fit needs of each row, about, beside some columns."""
    statistics = problem.observed.statistics
    return columns + sum(s.shape[1] if s.ndim > 1 else 1 for s in statistics) + 2


def _in_blocks(problem: Problem, enter: Callable[[Block], None], blocks: Sequence[Block]) -> None:
    """Fit some problems at once, block by block, on the threads of the problem."""

    def quietly(block: Block) -> None:
        with np.errstate(all="ignore"):  # What is not finite is not clear.
            enter(block)

    with one_blas_thread():
        in_order(quietly, blocks, problem.threads)


def covers(problem: Problem, start: Coefs | None = None) -> bool:
    """Return whether many fits of a problem may be found here; `start` is that of all, if any."""
    family, observed = problem.family, problem.observed
    smooth = family.support.smooth and family.shortcuts.starts != "final" and not family.kinked
    plain = smooth and family.regular and not (family.restricted or family.redundant)
    settings = (
        _TOLERANCES[0] <= problem.tol <= _TOLERANCES[1]
        and problem.max_iter >= STEPS
        and not (problem.verbose or problem.start)
    )
    linked = all(
        family.link(j) is param.chart or family.link(j) in CONCAVE
        for j, param in enumerate(family.parameters)
    )
    modelled = any(term.size for term in problem.terms)
    # Each group has its own supremum far out, if its law knows any.
    inside = modelled or family.supremum(observed.statistics, observed.weight) is None
    inside = inside and not has_closed_limits(family)
    return (
        plain
        and inside
        and not family.smoothings()
        and not starts_inside(family)
        and not observed.is_condensed
        and all(len(s) == observed.n for s in observed.statistics)
        and all(isinstance(p, Ridge) for p in problem.penalties)
        and linked
        and problem.lasso == 0.0
        and not problem.jeffreys
        and settings
        and (problem.X is None or isinstance(problem.X, np.ndarray))
        and problem.terms[0].length > 0
        # Many starts have to be tried then, one group after the other.
        and not (family.several_modes and modelled and start is None)
    )
