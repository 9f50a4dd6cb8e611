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


def apart(p: Array, log_p: Array, q: Array, log_q: Array) -> tuple[Array, Array]:
    """Return log(p/q) and p log(p/q) - p + q >= 0, with all digits where p and q are close."""
    with np.errstate(all="ignore"):  # of shares that are zero, or too small for numbers
        away = (q - p) / p
        close = np.abs(away) < _CLOSE
        lean = np.where(close, -np.log1p(away), log_p - log_q)
        distance = np.where(close, p * gap_beside(away, q / p), p * lean - p + q)
        return lean, np.where(p > 0.0, distance, q)
