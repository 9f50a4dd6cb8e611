"""The saturated likelihood of rows: what log q is at most if a row had a first parameter alone."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Family

# Steps by which the first eta goes away from the fit, each twice as far as the one before, and ends
# of its way: on a logarithmic scale a mean of exp(-700) is zero to the last digit.
_STEPS, _END = 64, 700.0
_HALVES = 90  # of the way between two ends, at most: more than the bits of a double
# What -log q may fall between two ends, at which the search for its least value is over: it is
# bounded by the slopes there, and falls by four with each half.
_FLAT = 1e-18
# Share of the value of -log q below which a difference of two of them is rounding.
_ROUNDING = 4.0 * np.finfo(float).eps


def half_deviance(law: Family, y: Array, eta: Arrays) -> tuple[Array, Array] | None:
    """Return how far -log q of each row is above its least, and where that is, (n,) each.

    The first eta varies, the others are held: of means it is half the deviance of generalised
    linear models, times the inverse of their scale. Where the law has several modes in the first
    eta it is the next one. None is returned if the law has no derivatives.

    Parameters
    ----------
    law : Family
    y : ndarray of shape (n,) or (n, m)
    eta : tuple of ndarray of shape (n,)
        Chart eta.

    Returns
    -------
    tuple of ndarray of shape (n,), optional
        Half the deviance, and the sign of the way of the first eta to the least value.
    """
    statistics, n = law.statistics(y), len(y)
    here, rest = np.array(np.broadcast_to(eta[0], (n,)), float), eta[1:]

    def at(first: Array) -> tuple[Array, Array | None]:
        rows = law.evaluate(statistics, (first, *rest), 1)
        slope = None if rows.gradient is None else np.broadcast_to(rows.gradient[0], (n,))
        return np.broadcast_to(rows.value, (n,)), slope

    with np.errstate(all="ignore"):  # far out
        value, slope = at(here)
        if slope is None:
            return None
        way = -np.sign(slope)
        end = np.inf if law.parameters[0].chart.name == "identity" else _END
        near, far = here, here
        falling = way != 0.0
        for j in range(_STEPS):
            ahead = np.clip(far + 2.0**j * way, -end, end)
            falling = falling & (ahead != far)
            if not falling.any():
                break
            near, far = np.where(falling, far, near), np.where(falling, ahead, far)
            falling = falling & (_slope(at(far)) * way < 0.0)
        before, after = _slope(at(near)), _slope(at(far))
        # Where it falls up to the end, the least value is there.
        near = np.where(after * way < 0.0, far, near)
        for _ in range(_HALVES):
            fall = np.abs(far - near) * np.fmax(np.abs(before), np.abs(after))
            if not (fall > _FLAT).any():
                break
            middle = 0.5 * (near + far)
            there = _slope(at(middle))
            falls = there * way < 0.0
            near, before = np.where(falls, middle, near), np.where(falls, there, before)
            far, after = np.where(falls, far, middle), np.where(falls, after, there)
        least = np.fmin(np.fmin(at(near)[0], at(far)[0]), value)
        height = value - least
        return np.where(height <= _ROUNDING * np.abs(value), 0.0, height), way


def _slope(found: tuple[Array, Array | None]) -> Array:
    slope = found[1]
    assert slope is not None
    return slope
