"""How far values are from a uniform law: statistics of goodness of fit.

A value is u = P(Y <= y) under a law. If the law holds, u is uniform. With F the share of the values
up to u (of censored ones, Kaplan and Meier's estimate of it), the statistics are n times the
integral of (F(u) - u)^2 / (u (1 - u)) (Anderson and Darling), n times that of (F(u) - u)^2 (Cramer
and von Mises), and the largest |F(u) - u| (Kolmogorov and Smirnov).

References
----------
Stephens (1974), EDF statistics for goodness of fit and some comparisons, J. American Statistical
Association 69.
Koziol & Green (1976), A Cramer-von Mises statistic for randomly censored data, Biometrika 63.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

STATISTICS = {
    "anderson_darling": "A2",
    "cramer_von_mises": "W2",
    "kolmogorov_smirnov": "D",
    "chi_squared": "chi2",
}

# The nearest to 0 and 1 that a value counts for, so that one of probability zero has a distance.
_LEAST, _MOST = 1e-300, 1.0 - 2.0**-53


def distances(kind: str, u: Array, event: Bools | None = None) -> Array:
    """Return a statistic of each line of values, (G,).

    Parameters
    ----------
    kind : {"anderson_darling", "cramer_von_mises", "kolmogorov_smirnov"}
    u : ndarray of shape (G, n)
        It is sorted in place.
    event : ndarray of bool of shape (G, n), optional
        Whether a value is known, and not only that it is larger; None: all are.
    """
    np.clip(u, _LEAST, _MOST, out=u)
    if event is None or event.all():
        u.sort(axis=1)
        return _OF_ALL[kind](u)
    # Of ties, what is known comes first: a value that is larger was there until then.
    order = np.lexsort((~event, u), axis=1)
    return _of_steps(
        kind, np.take_along_axis(u, order, axis=1), np.take_along_axis(event, order, axis=1)
    )


def _anderson_darling(u: Array) -> Array:
    n = u.shape[1]
    terms = np.log(u)
    terms += np.log1p(-u[:, ::-1])
    return -n - terms @ (2.0 * np.arange(1, n + 1) - 1.0) / n


def _cramer_von_mises(u: Array) -> Array:
    n = u.shape[1]
    middle = (np.arange(n) + 0.5) / n
    return np.asarray(1.0 / (12.0 * n) + ((u - middle) ** 2).sum(axis=1))


def _kolmogorov_smirnov(u: Array) -> Array:
    n = u.shape[1]
    below, above = u - np.arange(n) / n, np.arange(1, n + 1) / n - u
    return np.asarray(np.maximum(below.max(axis=1), above.max(axis=1)))


_OF_ALL = {
    "anderson_darling": _anderson_darling,
    "cramer_von_mises": _cramer_von_mises,
    "kolmogorov_smirnov": _kolmogorov_smirnov,
}


def survival(event: Bools, weight: Array | None = None) -> Array:
    """Return Kaplan and Meier's share of rows that are left after each row, (..., n).

    Parameters
    ----------
    event : ndarray of bool of shape (..., n)
        Whether each row, in the order of time, ends with an event.
    weight : ndarray of shape (..., n), optional
        A weight is a number of equal rows.
    """
    if weight is None:
        share = 1.0 / np.arange(event.shape[-1], 0.0, -1.0)
    else:
        share = weight / np.cumsum(weight[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray(np.cumprod(np.where(event, 1.0 - share, 1.0), axis=-1), np.float64)


def _of_steps(kind: str, u: Array, event: Bools) -> Array:
    """Return the statistic of Kaplan and Meier's estimate, up to the last value of each line.

    Between two values F is a constant c, so that each integral is a sum of differences of
    primitives: of (c - u)^2, -(c - u)^3 / 3; of (c - u)^2 / (u (1 - u)),
    c^2 log u - (1 - c)^2 log(1 - u) - u.
    """
    n = u.shape[1]
    alive = survival(event)
    share = np.concatenate([np.zeros((len(u), 1)), 1.0 - alive], axis=1)
    low = np.concatenate([np.zeros((len(u), 1)), u], axis=1)
    known_to_the_end = event[:, -1:]
    high = np.concatenate([u, np.where(known_to_the_end, 1.0, u[:, -1:])], axis=1)
    if kind == "kolmogorov_smirnov":
        gaps = np.maximum(np.abs(share - low), np.abs(share - high))
        return np.asarray(gaps.max(axis=1))
    if kind == "cramer_von_mises":
        pieces = ((share - low) ** 3 - (share - high) ** 3) / 3.0
        return np.asarray(n * pieces.sum(axis=1))

    def primitive(at: Array) -> Array:
        inner = np.clip(at, _LEAST, _MOST)
        with_zero = np.where(share > 0.0, share**2 * np.log(inner), 0.0)
        return with_zero - np.where(share < 1.0, (1.0 - share) ** 2 * np.log1p(-inner), 0.0) - at

    return np.asarray(n * (primitive(high) - primitive(low)).sum(axis=1))


def chi_squared(observed: Array, expected: Array) -> Array:
    """Return Pearson's statistic of each line of cells, (G,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(observed == expected, 0.0, (observed - expected) ** 2 / expected)
    return np.asarray(terms.sum(axis=1))


def pooled(expected: Array, least: float = 5.0) -> NDArray[np.intp]:
    """Return the last of the values of each cell, so that each cell expects at least some rows.

    Parameters
    ----------
    expected : ndarray of shape (values,)
        How many rows are expected at each value, in order; the last one stands for all above.
    """
    ends, total, rest = [], 0.0, float(expected.sum())
    for place, count in enumerate(expected):
        total += float(count)
        rest -= float(count)
        if total >= least and rest >= least:
            ends.append(place)
            total = 0.0
    return np.array([*ends, len(expected) - 1], np.intp)
