"""Sums over the whole numbers of laws of counts, of long tails, too."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skmle.families import Family

LONGEST = 2**14  # numbers that are summed one by one; beyond, panels are longer than this
LAST_NUMBER = 1e150  # its square is a number, too
GROWTH = 8.0  # from one panel's end to the next: a power has all its digits in 24 nodes
FAR = 1e100  # beyond, the masses of a law without a variance are hardly numbers
NODES = np.polynomial.legendre.leggauss(24)[0]


def reached(family: Family, theta) -> tuple[np.ndarray, float]:
    """Return the whole numbers that a law reaches, at most about `LONGEST`, and the last of all."""
    low, high = family.ends(theta)
    tail = np.asarray(1e-17)
    mean, std = float(family.mean(theta)), float(family.std(theta))
    beyond = 100.0 * std + 50.0 if np.isfinite(std) else np.inf
    first = max(float(low), np.floor(min(mean - beyond, float(family.quantile(tail, theta)))))
    last = min(float(high), max(mean + beyond, float(family.upper_quantile(tail, theta))))
    if last - first > LONGEST:  # what lies beyond may matter to moments
        return np.arange(first, first + LONGEST), min(float(high), LAST_NUMBER)
    return np.arange(first, last + 1.0), last


def all_of(y: np.ndarray, last: float) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers up to the last, and how many each stands for: beyond `y` many."""
    ends, end = [y[-1] + 1.0], np.floor(last) + 1.0
    while ends[-1] < end:
        ends.append(min(np.floor(GROWTH * ends[-1]), end))
    panels = [(y, np.ones(len(y))), *(panel(low, high) for low, high in pairwise(ends))]
    numbers, weight = (np.concatenate(part) for part in zip(*panels, strict=True))
    return numbers, weight


def panel(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights for low, low + 1, ..., high - 1.

    The nodes are Gauss's, rounded; the weights sum Legendre's polynomials exactly, but for terms of
    the fourth order in 1/(high - low).
    """
    if high - low <= len(NODES):
        return np.arange(low, high), np.ones(int(high - low))
    half, middle = 0.5 * (high - low), 0.5 * (high - 1.0 + low)
    y = np.unique(np.rint(middle + half * NODES))
    degrees = np.arange(len(y))
    sums = np.where(degrees % 2 == 0, -degrees * (degrees + 1.0) / (24.0 * half), 0.0)
    sums[0] = 2.0 * half
    legendre = np.polynomial.legendre.legvander((y - middle) / half, len(y) - 1)
    return y, np.linalg.solve(legendre.T, sums)


def decided_far_out(family: Family, theta) -> bool:
    """Whether finite moments depend on counts so rare that their masses are hardly numbers."""
    rare = family.sf(np.asarray(FAR), theta)
    moments = (family.mean(theta), family.variance(theta))
    return any(np.isfinite(m) and rare * FAR**j > 1e-14 * m for j, m in enumerate(moments, 1))
