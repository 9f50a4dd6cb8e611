"""Starts of laws of which nothing is known but their formula: the best places of coarse grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from skmle.families.records import Array, Arrays, Param
from skmle.families.tools.quantiles import centre_and_spread

_ENOUGH = 256  # rows on which starts are compared
_ROUNDS = 3  # of looking along each parameter in turn
_SHARES = np.linspace(0.02, 0.98, 13)  # of the rows below a location's trials; chosen
_NUMBERS = np.array([-5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0])  # trials of any real number
_LOGS = np.log(np.array([0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0]))
_LOGITS = np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0])


def trials_of(param: Param, y: Array, weight: Array | None) -> Array:
    """Return values of a parameter's eta that are worth a try for observations y.

    Real numbers may be locations and positive ones scales, in units of y, or pure numbers.
    """
    finite = y[np.isfinite(y)]
    centre, spread = centre_and_spread(finite, None) if len(finite) else (0.0, 1.0)
    if param.chart.name == "logit":
        return _LOGITS
    if param.chart.spans_zero:
        places = np.quantile(finite, _SHARES) if len(finite) else np.zeros(0)
        return np.unique(np.concatenate([places, _NUMBERS]))
    units = [spread, abs(centre)] if centre else [spread]
    scaled = [_LOGS + np.log(unit) for unit in units if unit > 0.0]
    return np.unique(np.concatenate([_LOGS, *scaled]))


def best_of_grids(
    value: Callable[[tuple[float, ...]], float],
    grids: Sequence[Array],
    first: tuple[float, ...],
) -> tuple[tuple[float, ...], float]:
    """Return (eta, value) after looking for the least value along each parameter in turn."""
    best, least = list(first), value(first)
    for _ in range(_ROUNDS):
        before = least
        for j, grid in enumerate(grids):
            for trial in grid:
                moved = (*best[:j], float(trial), *best[j + 1 :])
                found = value(moved)
                if found < least or not np.isfinite(least):
                    best, least = list(moved), found
        if not least < before:
            break
    return tuple(best), least


def coarse_starts(
    evaluate: Callable[[Arrays, Arrays], Array],
    parameters: Sequence[Param],
    statistics: Arrays,
    y: Array,
    weight: Array | None,
    firsts: Sequence[tuple[float, ...]] = (),
    count: int = 2,
) -> list[tuple[float, ...]]:
    """Return starts for constant eta, the best first.

    Parameters
    ----------
    evaluate : callable
        It returns -log q of rows, from their statistics and eta.
    parameters : sequence of Param
    statistics : tuple of ndarray
    y : ndarray of shape (n,)
        The observations.
    weight : ndarray of shape (n,), optional
    firsts : sequence of tuple of float
        Guesses to begin with, beside the middle of all grids.
    count : int
        How many starts are returned at most.
    """
    some = slice(None, None, max(1, -(-len(y) // _ENOUGH)))
    rows, share = tuple(s[some] for s in statistics), None if weight is None else weight[some]

    def mean(eta: tuple[float, ...]) -> float:
        with np.errstate(all="ignore"):
            values = evaluate(rows, tuple(np.asarray(e) for e in eta))
            # A row outside the support counts a lot, but less than infinity: starts of which fewer
            # rows are outside are better.
            values = np.where(np.isfinite(values), values, 1e6)
            return float(np.average(np.broadcast_to(values, rows[0].shape), weights=share))

    grids = [trials_of(param, y[some], share) for param in parameters]
    middle = tuple(float(grid[len(grid) // 2]) for grid in grids)
    found = [best_of_grids(mean, grids, first) for first in [*firsts, middle]]
    found.sort(key=lambda pair: pair[1])
    return list(dict.fromkeys(eta for eta, _ in found))[:count]
