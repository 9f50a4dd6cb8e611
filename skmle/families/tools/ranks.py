"""Searches that halve the floating-point numbers, in their order: exact at every scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Support

Ranks = NDArray[np.int64]

_BITS = 64  # halvings after which all floating-point numbers are told apart
_LEAST = np.iinfo(np.int64).min


def rank(y: Array) -> Ranks:
    """Return the places of numbers in the order of all floating-point numbers."""
    bits = np.asarray(y, float).view(np.int64)
    return np.where(bits >= 0, bits, _LEAST - bits)


def number(place: Ranks) -> Array:
    """Return the floating-point numbers at places of that order."""
    bits = np.where(place >= 0, place, _LEAST - place)
    return bits.view(np.float64)


def between(low: Ranks, high: Ranks) -> Ranks:
    """Return the places in the middle; their sum would overflow."""
    return low // 2 + high // 2 + (low & high & 1)


def ends(support: Support, shape: tuple[int, ...]) -> tuple[Ranks, Ranks]:
    """Return the places of the ends of a support, or of the last finite numbers."""
    largest = np.finfo(float).max
    low = np.full(shape, max(support.low, -largest))
    return rank(low), rank(np.full(shape, min(support.high, largest)))


def least(
    reached: Callable[[Array], NDArray[np.bool_]], shape: tuple[int, ...], support: Support
) -> Array:
    """Return the smallest number of a support at which something is reached and stays so."""
    low, high = ends(support, shape)
    with np.errstate(all="ignore"):  # far out in the tails
        for _ in range(_BITS):
            middle = between(low, high)
            there = reached(number(middle))
            low, high = np.where(there, low, middle), np.where(there, middle, high)
    return number(high)
