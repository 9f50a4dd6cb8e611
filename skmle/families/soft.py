"""Categorical laws of which each observation is a share of every class: soft labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Rows, Softmax
from skmle.families.categorical import Categorical, SymmetricCategorical


class SoftCategorical(Categorical):
    """The categorical law whose observations are shares of the K classes, rows that add up to one.

    -log q is the mean of that of the labels under the shares, as if each row were K rows with its
    shares as weights.

    Parameters
    ----------
    categories : int
        Number of classes.
    """

    def __init__(self, categories: int) -> None:
        super().__init__(categories)

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(y).all(axis=-1))

    def statistics(self, y: Array) -> Arrays:
        return (np.asarray(y, float),)

    def _softmax(self, codes: Array, eta: Arrays, order: int, reference: float) -> Rows:
        e = np.stack(np.broadcast_arrays(*eta)) if len(eta) > 1 else np.asarray(eta[0])[None]
        e = e.reshape(len(eta), -1)
        shares = codes.T[: len(e)]
        top = e.max(axis=0, initial=0.0 if reference else -np.inf)
        p = np.exp(e - top)
        total = p.sum(axis=0) + reference * np.exp(-top)
        # The largest eta less each eta: of certain rows this is exactly zero.
        last = codes.T[len(e) :].sum(axis=0) * top if reference else 0.0
        value = np.log(total) + (shares * (top - e)).sum(axis=0) + last
        if order < 1:
            return Rows(value)
        p /= total
        gradient = p - shares
        return Rows(value, tuple(gradient), Softmax(p) if order > 1 else None)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        mean = np.average(statistics[0], axis=0, weights=weight)
        with np.errstate(divide="ignore"):
            return [tuple(float(e) for e in np.log(mean[:-1]) - np.log(mean[-1]))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        shares = statistics[0]
        d = np.stack(np.broadcast_arrays(*delta, np.zeros(len(shares))))
        return ((d.max(axis=0) - d) * shares.T).sum(axis=0)


class SoftSymmetricCategorical(SymmetricCategorical, SoftCategorical):
    """The same law with an eta for every class, for penalties that have no reference class."""
