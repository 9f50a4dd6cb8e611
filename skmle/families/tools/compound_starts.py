"""Where fits of sums of a Poisson number of gamma values start: moments, or the best of several."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, average

_LEAST_SPREAD = 1e-6
# Below this power, values cluster at the multiples of one, and several such units may do: the start
# is the best of some, of a mean of one, on as many of the data.
NEAR_MULTIPLES, _FEW = 1.25, 100
_POWERS = np.array([1.01, 1.03, 1.1])
_FACTORS = np.linspace(-0.6, 0.6, 17)  # logarithms, of the squared coefficient of variation
# Most units in the least value of data that are taken as multiples of one, the rounding of these
# multiples, and the shape of a value over their number at which the density falls by exp(-5)
# between them.
_MOST_UNITS, _ROUNDED, _APART = 64, 1e-9, 40.0


def mean_and_spread(y: Array, weight: Array | None) -> tuple[float, float]:
    """Return the mean and the squared coefficient of variation."""
    mean = average(y, weight)
    spread = average((y / mean - 1.0) ** 2, weight) if mean > 0.0 else 0.0  # without overflow
    return mean, max(spread, _LEAST_SPREAD)


def powers_and_spreads(y: Array, power: float, log_spread: float) -> list[tuple[float, float]]:
    """Return powers and log dispersions of a law of the mean one, the best of which is a start.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Observations whose mean is about one.
    power, log_spread : float
        What moments say, which come first.
    """
    tried = [(power, log_spread)]
    tried += [(float(p), log_spread + f) for p in _POWERS for f in map(float, _FACTORS)]
    if (multiples := _multiples_of(y[y > 0.0])) is not None:
        unit, number = multiples
        shape = _APART * number
        tried.append((1.0 + 1.0 / (1.0 + shape), float(np.log(unit * (1.0 + 1.0 / shape)))))
    return tried


def few_of(y: Array, weight: Array | None) -> Array:
    """Return some values that have about the distribution of all."""
    order = np.argsort(y)
    below = np.arange(1.0, len(y) + 1.0) if weight is None else np.cumsum(weight[order])
    levels = (np.arange(_FEW) + 0.5) / _FEW * below[-1]
    return y[order[np.searchsorted(below, levels)]]


def _multiples_of(y: Array) -> tuple[float, float] | None:
    """Return the largest number of which all y are multiples of few, and the mean multiple."""
    units = float(y.min()) / np.arange(1.0, _MOST_UNITS + 1.0)
    number = y / units[:, None]
    found = np.flatnonzero((np.abs(number - np.rint(number)) <= _ROUNDED * number).all(axis=1))
    return (float(units[found[0]]), float(number[found[0]].mean())) if len(found) else None
