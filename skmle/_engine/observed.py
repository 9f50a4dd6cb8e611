"""What a fit needs of its observations; of a density's, often much less than the rows.

A density of a family with sufficient statistics needs one row that stands for all, one of a discrete law the distinct
values and how often they came. Such a condensed sample can be joined with the next batch, and is all that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmle._engine.evaluation import Array
from skmle.families._base import Arrays, Family


@dataclass(frozen=True)
class Observed:
    """Statistics of observations, with all that is summed over them once.

    Parameters
    ----------
    statistics : tuple of ndarrays
        As `Family.statistics` gives them, or fewer rows with the same likelihood.
    weight : ndarray of shape (n,), optional
        Of the rows of `statistics`.
    base : float
        Weighted sum of the terms of -log q that depend on y only.
    equal : bool
        Whether all observations are the same number.
    count : int
        Number of observations.
    """

    statistics: Arrays
    weight: Array | None
    base: float
    equal: bool
    count: int

    @property
    def n(self) -> int:
        """Number of rows of the statistics."""
        return len(self.statistics[0])

    @property
    def weights(self) -> Array:
        """The weight of each row."""
        return np.ones(self.n) if self.weight is None else self.weight

    @property
    def mass(self) -> float:
        """Total weight."""
        return float(self.n) if self.weight is None else float(self.weight.sum())

    def condensed(self, family: Family) -> Observed | None:
        """Return fewer rows with the same likelihood of a density; None if the family needs them all."""
        if not family.condensable:
            return None
        if family.collapsible:
            # Of equal numbers one stands for all, exactly, which no mean of them could promise.
            rows, weight = (tuple(s[:1] for s in self.statistics), None) if self.equal else (self.statistics, self.weight)
            return self._shorter(family.collapse(rows, weight), np.array([self.mass]))
        values, counts = _tally(self.statistics[0], self.weight)
        return self._shorter((values,), counts)

    def _shorter(self, statistics: Arrays, weight: Array) -> Observed:
        return Observed(statistics, weight, self.base, self.equal, self.count)

    def joined(self, other: Observed) -> Observed:
        """Return both samples of one family together; both are condensed."""
        pairs = list(zip(self.statistics, other.statistics, strict=True))
        equal = self.equal and other.equal and bool(self.statistics[0][0] == other.statistics[0][0])
        weight = np.concatenate([self.weights, other.weights])
        return Observed(tuple(np.concatenate(pair) for pair in pairs), weight, self.base + other.base, equal, self.count + other.count)


def observe(family: Family, y: Any, weight: Array | None) -> Observed:
    """Return what a family needs of y, (n,) or (n, m), inside its support."""
    statistics, base = family.statistics(y), family.base(y)
    first = statistics[0]
    if base.ndim == 0:
        total = float(base) * (float(len(y)) if weight is None else float(weight.sum()))
    else:
        total = float(base.sum() if weight is None else weight @ base)
    equal = first.ndim == 1 and bool(first[0] == first[-1]) and bool((first == first[0]).all())
    return Observed(statistics, weight, total, equal, len(y))


def observe_as(law: Family, observed: Observed) -> Observed:
    """Return the same observations for a limit law of their family, whose only statistic is y itself."""
    return observe(law, observed.statistics[0], observed.weight)


def _tally(values: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return (distinct values in order, the weight of each); whole numbers from zero on are counted, not sorted."""
    codes = values.astype(np.intp) if 0.0 <= values.min() and values.max() <= max(len(values), 64) else None
    if codes is None or not np.array_equal(codes, values):
        distinct, index = np.unique(values, return_inverse=True)
        return distinct, np.bincount(index, weight).astype(np.float64)
    seen = np.bincount(codes)
    present = np.flatnonzero(seen)
    counts = seen if weight is None else np.bincount(codes, weight)
    return present.astype(values.dtype), counts[present].astype(np.float64)
