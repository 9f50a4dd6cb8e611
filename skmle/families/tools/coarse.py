"""Starts of laws of which nothing is known but their formula: the best places of coarse grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from skmle.families.records import Array, Arrays, Param
from skmle.families.tools.quantiles import centre_and_spread

if TYPE_CHECKING:
    from skmle.families.base import Family

_ENOUGH = 256  # rows on which starts are compared
_ROUNDS = 3  # of looking along each parameter in turn
_SHARES = np.linspace(0.02, 0.98, 13)  # of the rows below a location's trials; chosen
_NUMBERS = np.array([-5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0])  # trials of any real number
_LOGS = np.log(np.array([0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0]))
_LOGITS = np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0])
# Trials of any chart eta beside parameters that are held: steps of two, from which Newton's method
# arrives, as far as a shape or a scale of data that are not in units of 1e30 times their own
# spread. And the shares of the rows below a location's trials, and the rounds; chosen, not
# measured.
_WIDE = np.arange(-70.0, 71.0, 2.0)
_PLACES = np.linspace(0.0, 1.0, 33)
_ROUNDS_WIDE = 2


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


def best_along(
    values: Callable[[list[float], int, Array], Array],
    grids: Sequence[Array],
    first: Sequence[float],
    rounds: int = _ROUNDS,
) -> tuple[tuple[float, ...], float]:
    """Return (eta, value) after looking for the least value along each parameter in turn.

    Parameters
    ----------
    values : callable
        ``values(eta, j, trials)`` are those with each trial in the place of eta j.
    grids : sequence of ndarray
        The trials of each parameter.
    first : sequence of float
        Where to begin.
    rounds : int
        Of looking along all parameters, at most.
    """

    def finite(eta: list[float], j: int, trials: Array) -> Array:
        found = values(eta, j, trials)
        return np.where(np.isfinite(found), found, np.inf)

    best = list(first)
    least = float(finite(best, 0, np.array(best[:1]))[0])
    for _ in range(rounds):
        before = least
        for j, grid in enumerate(grids):
            found = finite(best, j, grid)
            at = int(np.argmin(found))
            if found[at] < least:
                best[j], least = float(grid[at]), float(found[at])
        if not least < before:
            break
    return tuple(best), least


def best_of_grids(
    value: Callable[[tuple[float, ...]], float],
    grids: Sequence[Array],
    first: tuple[float, ...],
) -> tuple[tuple[float, ...], float]:
    """Return what `best_along` does, of a function of one eta at a time."""

    def values(eta: list[float], j: int, trials: Array) -> Array:
        return np.array([value((*eta[:j], float(t), *eta[j + 1 :])) for t in trials])

    return best_along(values, grids, first)


def improved_start(
    family: Family,
    start: tuple[float, ...],
    statistics: Arrays,
    weight: Array | None,
    moves: Sequence[float] = (),
) -> tuple[float, ...]:
    """Return a start moved along each parameter in turn to the best places of wide grids.

    Parameters
    ----------
    moves : sequence of float, optional
        By how much each eta rises with the logarithm of a factor of y, as in `Stretch`, of a law
        of positive numbers.
    """
    if not start:
        return ()
    n = len(statistics[0])
    some = slice(None, None, -(-n // _ENOUGH))
    rows = tuple(s[some] if len(s) == n else s for s in statistics)
    share = None if weight is None else weight[some]

    def means(eta: list[float], j: int, trials: Array) -> Array:
        moved = [np.asarray(e) for e in eta]
        moved[j] = trials[:, None]
        with np.errstate(all="ignore"):  # most of the grid is far off
            value = family.evaluate(rows, tuple(moved), 0).value
            return np.average(value, axis=-1, weights=share)

    # A location has the unit of the observations: with a scale held, there may be a maximum near
    # each of them.
    places = np.quantile(rows[0], _PLACES)
    log_size = np.log(np.median(family.restore(rows))) if any(moves) else 0.0
    grids = [
        places if param.unit == "location" else _WIDE + move * log_size
        for param, move in zip(family.parameters, moves or [0.0] * len(start), strict=True)
    ]
    finite = [float(e) if np.isfinite(e) else 0.0 for e in start]
    best, _ = best_along(means, grids, finite, _ROUNDS_WIDE)
    # Data at an end of the law's range, such as counts that are all zero, keep a start at infinity.
    return tuple(
        float(own) if found in (grid[0], grid[-1]) and np.isinf(own) else found
        for own, found, grid in zip(start, best, grids, strict=True)
    )


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
