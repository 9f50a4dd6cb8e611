"""Searches that halve the floating-point numbers, in their order: exact at every scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Support

Ranks = NDArray[np.int64]

_BITS = 64  # halvings after which all floating-point numbers are told apart
_DOUBLINGS = 12  # of steps between counts; all doubles are halved in 64 steps
_WHOLE = 2.0**52  # below it the doubles of counts have no gaps
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
    if support.whole:  # the least of them may be it
        low = low - 1
    with np.errstate(all="ignore"):  # far out in the tails
        for _ in range(_BITS):
            if support.whole and _are_neighbours(low, high):
                return np.floor(number(high))
            middle = between(low, high)
            there = reached(number(middle))
            low, high = np.where(there, low, middle), np.where(there, middle, high)
    return number(high)


def least_near(
    reached: Callable[[Array], NDArray[np.bool_]], start: Array, support: Support
) -> Array:
    """Return the smallest count at which something is reached, which is often near `start`."""
    below = support.low - 1.0
    first = np.where(np.isfinite(start), np.maximum(np.floor(start), below), below)
    there = reached(first)
    # The level is not reached at `low` and is reached at `high`: steps of double length, and then
    # halves. Far away, and where counts have gaps between doubles, all doubles are halved.
    low, high = np.where(there, below, first), np.where(there, first, np.inf)
    closed = np.zeros(first.shape, bool)
    for step in 2.0 ** np.arange(_DOUBLINGS):
        k = np.where(there, np.maximum(first - step, below), first + step)
        yes = reached(k)
        low = np.where(closed | yes, low, k)
        high = np.where(~closed & yes, k, high)
        closed |= yes != there
        if closed.all():
            break
    near = closed & (np.abs(first) < _WHOLE)
    while (near & (high - low > 1.0)).any():
        k = np.floor(0.5 * (low + high))
        yes = reached(k)
        low, high = np.where(near & ~yes, k, low), np.where(near & yes, k, high)
    return high if near.all() else np.where(near, high, least(reached, first.shape, support))


def _are_neighbours(low: Ranks, high: Ranks) -> bool:
    """Whether no whole number lies between numbers, of which the upper one may be whole."""
    return bool((np.floor(number(high)) - np.floor(number(low)) <= 1.0).all())
