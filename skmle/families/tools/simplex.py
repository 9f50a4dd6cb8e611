"""Rows of shares: how far they are from a sum of one, and from each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array
from skmle.families.tools.divergences import gap_beside

_ROUNDING = 1e-6  # how far rounding, also to single precision, may take a sum or a length from one

_CLOSE = 0.3  # relative distance up to which `gap_beside` has digits that a difference lacks


def away_from_one(size: Array) -> NDArray[np.bool_]:
    """Return whether sums or lengths miss one by more than rounding."""
    return ~(np.abs(size - 1.0) <= _ROUNDING)


def apart(m: Array, log_m: Array, y: Array) -> tuple[Array, Array]:
    """Return log(m/y) and m log(m/y) - m + y >= 0, with all digits where m and y are close."""
    with np.errstate(all="ignore"):  # of shares that are too small for numbers
        away = (y - m) / m
        close = np.abs(away) < _CLOSE
        lean = np.where(close, -np.log1p(away), log_m - np.log(y))
        return lean, np.where(close, m * gap_beside(away, y / m), m * lean - m + y)
