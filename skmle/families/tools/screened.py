"""Starts that are compared before a fit, which goes on from every one that it is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from skmle.families.records import Array, Arrays, average

if TYPE_CHECKING:
    from skmle.families.base import Family

# Rows at which starts are compared, at most, about; evenly spread ones are read of more.
_ENOUGH = 8192
# Nats a row by which the best start of a kind may be less likely than the best one of all. Chosen,
# not measured.
_GAP = 0.1


def best_of_kinds(
    family: Family,
    statistics: Arrays,
    weight: Array | None,
    starts: Sequence[tuple[float, ...]],
    kind: Callable[[tuple[float, ...]], Hashable],
) -> list[tuple[float, ...]]:
    """Return the most likely start of each kind, the best first, without those far below it.

    Parameters
    ----------
    family : Family
    statistics : tuple of ndarray of shape (n,)
    weight : ndarray of shape (n,), optional
    starts : sequence of tuple of float
        Constant chart eta.
    kind : callable
        Chart eta -> what kind of start it is, such as the sign of a shape.
    """
    step = -(-len(statistics[0]) // _ENOUGH)
    some = tuple(values[::step] for values in statistics)
    share = None if weight is None else weight[::step]
    n = len(some[0])
    best: dict[Hashable, tuple[float, tuple[float, ...]]] = {}
    for start in starts:
        with np.errstate(all="ignore"):
            rows = family.evaluate(some, tuple(np.asarray(e, float) for e in start), 0)
        value = average(np.broadcast_to(rows.value, (n,)), share)
        if np.isfinite(value) and value < best.get(kind(start), (np.inf,))[0]:
            best[kind(start)] = value, start
    ranked = sorted(best.values()) or [(np.inf, starts[0])]
    return [start for value, start in ranked if value <= ranked[0][0] + _GAP]
