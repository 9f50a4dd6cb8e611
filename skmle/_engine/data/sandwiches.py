"""The products X' diag(w) X for many weights w at once, as the Hessian of many classes needs them.

Each pair of columns is multiplied once. The products of all pairs of columns are the rows of a
matrix Z, and W Z' has the sums for all weights.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array

# Rows, and pairs of columns, that are multiplied at once. Their products, 1 MB, should stay in the
# second-level cache. Chosen, not measured.
_ROWS, _PAIRS = 512, 256


def sandwiches(x: Array, w: Array) -> Array:
    """Return X' diag(w_i) X for each line w_i of w, of shape (r, q, q)."""
    q = x.shape[1]
    sums = np.zeros((len(w), q * (q + 1) // 2))
    for low in range(0, len(x), _ROWS):
        columns, part = np.ascontiguousarray(x[low : low + _ROWS].T), w[:, low : low + _ROWS]
        at = 0
        for lot in _lots(q):
            z = pair_products(columns, lot)
            sums[:, at : at + len(z)] += np.dot(part, z.T)
            at += len(z)
    return sums[:, _pair_table(q)]


def pair_products(a: Array, which: range) -> Array:
    """Return, for each i in `which`, the products of line i of `a` with lines i, i + 1, ..."""
    result = np.empty((sum(len(a) - i for i in which), a.shape[1]))
    at = 0
    for i in which:
        np.multiply(a[i], a[i:], out=result[at : at + len(a) - i])
        at += len(a) - i
    return result


def _lots(q: int) -> list[range]:
    """Divide the numbers below q into ranges, each of which leads to about `_PAIRS` pairs."""
    ends = np.cumsum(np.arange(q, 0, -1)) // _PAIRS
    cuts = [0, *(np.flatnonzero(np.diff(ends)) + 1), q]
    return [range(low, high) for low, high in pairwise(cuts)]


def _pair_table(q: int) -> NDArray[np.intp]:
    """Return at (i, j) and (j, i) the place of that pair in the order of `pair_products`."""
    table = np.zeros((q, q), np.intp)
    table[np.triu_indices(q)] = np.arange(q * (q + 1) // 2)
    return np.maximum(table, table.T)
