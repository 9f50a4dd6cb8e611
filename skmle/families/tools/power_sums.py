"""Sums of powers of whole numbers, of any exponent and over any range, by Euler and Maclaurin."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import bernoulli, factorial, gammainc

from skmle.families.records import Array

# Terms at each end of a range that are summed one by one, and how many terms the formula has for
# those between. It needs an exponent of up to `STEEP` times the number at which it begins; of a
# larger one, the terms up to there leave exp(-48) of the first.
TERMS, STEEP = 32, 1.5
_CORRECTIONS = (bernoulli(24) / factorial(np.arange(25)))[2::2]
# Exponent below zero, over the first number, of which the first terms are nothing beside the last.
_FAR = 100.0
_LEAST = 1e-100  # rate at which an exponential falls that is the same as none


def corrections(exponent: Array, at: Array, order: int) -> tuple[Array, Array, Array]:
    """Return the end terms of Euler and Maclaurin's formula, in units of the power at the end.

    They are sum B_2j/(2j)! a (a + 1) ... (a + 2j - 2)/at^(2j - 1), with two derivatives in the
    exponent a. Those that are not asked for are zero.
    """
    inverse = 1.0 / at
    p, p1, p2 = exponent * inverse, inverse, np.zeros(())
    value, slope, bend = _CORRECTIONS[0] * p, _CORRECTIONS[0] * p1, np.zeros(())
    for j, coefficient in enumerate(_CORRECTIONS[1:], 1):
        for i in (2 * j - 1, 2 * j):
            factor = (exponent + i) * inverse
            if order > 0:
                p1, p2 = p1 * factor + p * inverse, p2 * factor + 2.0 * p1 * inverse
            p = p * factor
        value = value + coefficient * p
        if order > 0:
            slope, bend = slope + coefficient * p1, bend + coefficient * p2
    return value, slope, bend


def power_sums(
    first: Any, last: Any, origin: Array, exponent: Array, order: int
) -> tuple[Array, ...]:
    """Return the sums of (k/origin)^-exponent log(k/origin)^j, j = 0, ..., order, at most 2.

    They are over k from `first` to `last`, but for k = origin, whose term is 1 for j = 0, else 0.

    Parameters
    ----------
    first, last : ndarray
        Whole numbers from 1 to 2^53, which broadcast with the rest.
    origin : ndarray
        One of the two: the last, unless the exponent is above one.
    exponent : ndarray
        Any finite numbers.
    order : int
    """
    parts = np.broadcast_arrays(*(np.asarray(x, float) for x in (first, last, origin, exponent)))
    shape = parts[0].shape
    first, last, origin, exponent = (part.ravel() for part in parts)
    room = int(min(np.max(last - first, initial=0.0) + 1.0, 2 * TERMS))
    j = np.arange(TERMS)
    low, high = first[:, None] + j[:room], last[:, None] - j[: max(room - TERMS, 0)]
    used = np.hstack([low <= last[:, None], high >= first[:, None] + TERMS])
    k = np.where(used, np.hstack([low, high]), origin[:, None])
    between = last - first >= 2 * TERMS
    with np.errstate(all="ignore"):  # powers that are beyond the numbers
        away = log_ratio(k, origin[:, None])
        term = np.where(k == origin[:, None], 0.0, np.exp(-exponent[:, None] * away))
        sums = [term.sum(axis=1)]
        for _ in range(order):
            term = term * away
            sums.append(term.sum(axis=1))
        if between.any():
            ends = (first + TERMS)[between], (last - TERMS)[between]
            middle = _middle(*ends, origin[between], exponent[between])
            for total, part in zip(sums, middle, strict=False):
                total[between] += part
    return tuple(total.reshape(shape) for total in sums)


def log_ratio(k: Array, origin: Array) -> Array:
    """Return log(k/origin), with its digits where they are neighbours."""
    away = (k - origin) / origin
    return np.where(np.abs(away) < 0.5, np.log1p(away), np.log(k / origin))


def _middle(first: Array, last: Array, origin: Array, exponent: Array) -> tuple[Array, ...]:
    """Return `power_sums` of ranges that begin at `TERMS` or later, j = 0, 1, 2."""
    low, high = log_ratio(first, origin), log_ratio(last, origin)
    # The integral, over v = |log x - log c| from the end c at which x^(1 - exponent) is larger on.
    width = log_ratio(last, first)
    rises = exponent <= 1.0
    centre, sign = np.where(rises, high, low), np.where(rises, -1.0, 1.0)
    rate = np.maximum(np.abs(1.0 - exponent) * width, _LEAST)
    j0, j1, j2 = (
        width ** (m + 1) * gammainc(m + 1, rate) * factorial(m) / rate ** (m + 1) for m in range(3)
    )
    top = np.where(rises, last, first) * np.exp(-exponent * centre)
    sums = [
        top * j0,
        top * (centre * j0 + sign * j1),
        top * (centre * (centre * j0 + 2.0 * sign * j1) + j2),
    ]
    # Half of each end term, and what the formula has of it beside that.
    for at, away, side, least in ((first, low, 1.0, _FAR), (last, high, -1.0, STEEP)):
        some = np.clip(exponent, -least * at, STEEP * at)
        share, slope, bend = (side * part for part in corrections(some, at, 2))
        share, term = share + 0.5, np.exp(-exponent * away)
        sums[0] += term * share
        sums[1] += term * (away * share - slope)
        sums[2] += term * (away * (away * share - 2.0 * slope) + bend)
    return tuple(sums)
