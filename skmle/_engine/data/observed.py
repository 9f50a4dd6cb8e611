"""What a fit needs of its observations, which for a density is often much less than all rows.

A density of a family with sufficient statistics needs one row in place of all. A density of another
discrete law needs the distinct values and how often each of them occurs. Such a condensed sample
has the same likelihood. It can be joined with the next batch, so that no other data are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import block_size, keep_heap
from skmle._engine.evaluation import Array
from skmle.families.base import Arrays, Family, Limit

# Blocks of rows that are condensed at once. Computing statistics takes fewer temporary arrays than
# evaluating a law, so that more rows fit into the cache. Chosen, not measured.
_BLOCKS = 4
# Whole numbers are counted by `bincount` if none is larger than the number of rows, or than this
# number. Chosen, not measured.
_FEWEST_COUNTS = 64
_EXACT = 2.0**53  # whole numbers below it are all doubles


class Factors(NamedTuple):
    """The weights of classes, which are factors of the likelihoods of rows."""

    labels: Arrays
    """The statistics of an observation of each class, (K,)."""
    weights: Array
    """(K,), or (G, K) if each of G groups of rows has its own."""

    def repeats(
        self, statistics: Arrays, weight: Array | None, squares: Array | None
    ) -> Array | None:
        """Return how often rows count beside the weights of their classes; None: once.

        `squares` is as in `Observed`: its numbers have the square of a class's weight in them. It
        is None where all classes weigh one.
        """
        if squares is None:
            return weight
        own = sum(
            np.where(statistics[0] == label, weight, 0.0)
            for label, weight in zip(self.labels[0], self.weights, strict=True)
        )
        return np.asarray(squares / np.square(own))


@dataclass(frozen=True)
class Observed:
    """Statistics of observations, and the sums over them that no coefficient changes.

    Parameters
    ----------
    statistics : tuple of ndarrays
        As `Family.statistics` gives them, or fewer rows with the same likelihood.
    weight : ndarray of shape (n,), optional
        Weights of the rows of `statistics`; None if all are 1.
    base : float
        Weighted sum of the terms of -log q that depend on y only.
    equal : bool
        Whether all observations are the same number.
    is_condensed : bool
        Whether the rows are fewer than those observed, with the same likelihood. Only then may
        `closed_form` take the starts of a movable family for its answer.
    copies : ndarray of int of shape (n,), optional
        How many of the user's rows each row replaces, after equal rows were merged; None: one.
    squares : ndarray of shape (n,), optional
        How often the product of each row's gradient with itself counts in the variance of the
        summed gradients, where a weight is a factor of a row's likelihood: its square, summed over
        the rows that each row replaces. None: a weight is that many rows, and counts as it is.
    factors : Factors, optional
        The weights of classes, if those of rows are made of them.
    members : ndarray of int, optional
        For each of the user's rows the number of the row that replaces it; None: its own.
    """

    statistics: Arrays
    weight: Array | None
    base: float
    equal: bool
    is_condensed: bool = False
    copies: NDArray[np.intp] | None = None
    squares: Array | None = None
    factors: Factors | None = None
    members: NDArray[np.intp] | None = None

    @property
    def n(self) -> int:
        """Number of rows of the statistics."""
        return len(self.statistics[0])

    @property
    def counted(self) -> tuple[int, bool]:
        """Number of rows, and whether they have weights."""
        return self.n, self.weight is not None

    @property
    def weights(self) -> Array:
        """The weight of each row."""
        return np.ones(self.n) if self.weight is None else self.weight

    @property
    def mass(self) -> float:
        """Total weight."""
        return float(self.n) if self.weight is None else float(self.weight.sum())

    def statistics_of(self, rows: Any) -> Arrays:
        """Return the statistics of some rows; those that all rows share stay as they are."""
        return tuple(s[rows] if len(s) == self.n else s for s in self.statistics)

    def condensed_for(self, family: Family) -> Observed | None:
        """Return fewer rows with the same likelihood; None if the family needs them all."""
        if self.is_condensed or not family.condensable:
            return self if self.is_condensed else None
        if family.shortcuts.sums != "rows":
            rows, weight = self.statistics, self.weight
            if self.equal:
                # The first of equal numbers is their exact mean; a computed mean is rounded.
                rows, weight = tuple(s[:1] for s in rows), None
            row, mass = family.collapse(rows, weight), self.mass
            base = self.base
            if family.shortcuts.sums == "base":
                base = float(family.base(row).sum()) * mass
            return Observed(row, np.array([mass]), base, self.equal, is_condensed=True)
        # Of labels the statistics are their codes, of numbers they are made of these.
        numbers = family.observation.numeric
        y = family.restore(self.statistics) if numbers else self.statistics[0]
        values, counts = _distinct(y, self.weight)
        rows = family.statistics(values) if numbers else (values,)
        return Observed(rows, counts, self.base, self.equal, is_condensed=True)


def joined(parts: Sequence[Observed]) -> Observed:
    """Return condensed samples of one family as one sample, which may be condensed again."""
    statistics = tuple(
        np.concatenate(columns)
        for columns in zip(*(part.statistics for part in parts), strict=True)
    )
    return Observed(
        statistics,
        np.concatenate([part.weights for part in parts]),
        sum(part.base for part in parts),
        all(part.equal for part in parts) and _all_equal(statistics),
    )


def condense(family: Family, y: Any, weight: Array | None) -> Observed:
    """Return what a density needs of y, condensed if its family allows it.

    Long data are condensed block by block, so that temporary arrays stay in the cache.
    """

    def condensed(block: slice) -> Observed:
        statistics, mass = family.statistics(y[block]), None if weight is None else weight[block]
        if not family.condensable:
            statistics, mass = _arranged(family, statistics, mass)
        observed = _observed(family, statistics, mass, summed=family.shortcuts.sums != "base")
        return observed.condensed_for(family) or observed

    keep_heap()
    size = _BLOCKS * block_size(1)
    if family.shortcuts.sums == "rows" or len(y) <= size:
        return condensed(slice(None))
    together = joined([condensed(slice(low, low + size)) for low in range(0, len(y), size)])
    return together.condensed_for(family) or together


def _arranged(
    family: Family, statistics: Arrays, weight: Array | None
) -> tuple[Arrays, Array | None]:
    """Return rows in an order in which a block mostly has rows of one formula.

    Where a block has rows of several, to gather their values takes longer than to compute them.
    """
    numbers = family.alike(statistics) if len(statistics[0]) > block_size(1) else None
    if numbers is None:
        return statistics, weight
    order = np.argsort(numbers.astype(np.int8), kind="stable")  # a radix sort
    own = {id(s): s for s in statistics}  # several may be the same array
    moved = {key: s.take(order, axis=0) for key, s in own.items()}
    return tuple(moved[id(s)] for s in statistics), None if weight is None else weight[order]


def observe(family: Family, y: Any, weight: Array | None) -> Observed:
    """Return what a family needs of y.

    Parameters
    ----------
    family : Family
    y : array-like of shape (n,) or (n, m)
        Inside the family's support.
    weight : ndarray of shape (n,), optional
    """
    keep_heap()
    return _observed(family, family.statistics(y), weight, summed=True)


def observe_rows(family: Family, statistics: Arrays, weight: Array | None) -> Observed:
    """Return observations of which the statistics are known."""
    return _observed(family, statistics, weight, summed=True)


def observe_as(limit: Limit, observed: Observed) -> Observed | None:
    """Return the same observations for a limit law of their family; None if it forbids some."""
    statistics = limit.observe(observed.statistics)
    if statistics is None:
        return None
    same = observe_rows(limit.family, statistics, observed.weight)
    return replace(same, copies=observed.copies, squares=observed.squares, members=observed.members)


def _observed(family: Family, statistics: Arrays, weight: Array | None, summed: bool) -> Observed:
    base = family.base(statistics) if summed else np.zeros(())
    first = statistics[0]
    if base.ndim == 0:
        total = float(base) * (float(len(first)) if weight is None else float(weight.sum()))
    else:
        total = float(base.sum() if weight is None else weight @ base)
    return Observed(statistics, weight, total, _all_equal(statistics))


def _all_equal(statistics: Arrays) -> bool:
    """Return whether all rows are the same number; those of several numbers in a row never are.

    All statistics are looked at: rows of equally many successes may have unlike numbers of trials.
    """
    if statistics[0].ndim != 1:
        return False
    # The last row differs from the first in almost all data, which ends the search at once.
    return all(s[0] == s[-1] and bool((s == s[0]).all()) for s in statistics)


def _distinct(y: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return (distinct numbers, or pairs of whole ones, in order, the weight of each)."""
    if y.ndim == 1:
        return count_whole(y, weight) or _sort(y, weight)
    width = y[:, 1].max() + 1.0
    codes = y[:, 0] * width + y[:, 1]
    if codes.max() >= _EXACT:  # such numbers are no longer told apart
        rows, index = np.unique(y, axis=0, return_inverse=True)
        return rows, np.bincount(index.ravel(), weight).astype(np.float64)
    values, counts = count_whole(codes, weight) or _sort(codes, weight)
    return np.stack([values // width, values % width], axis=1), counts


def count_whole(values: Array, weight: Array | None) -> tuple[Array, Array] | None:
    """Return (distinct values in order, the weight of each); None if counting is not possible.

    It is possible for whole numbers from zero on that are not much larger than their number.
    """
    if not (0.0 <= values.min() and values.max() <= max(len(values), _FEWEST_COUNTS)):
        return None
    codes = values.astype(np.intp)
    if not np.array_equal(codes, values):
        return None
    seen = np.bincount(codes)
    present = np.flatnonzero(seen)
    counts = seen if weight is None else np.bincount(codes, weight)
    return present.astype(values.dtype), counts[present].astype(np.float64)


def _sort(values: Array, weight: Array | None) -> tuple[Array, Array]:
    """Return (distinct values in order, the weight of each)."""
    distinct, index = np.unique(values, return_inverse=True)
    return distinct, np.bincount(index, weight).astype(np.float64)
