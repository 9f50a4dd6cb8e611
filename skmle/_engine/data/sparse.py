"""One sparse block of rows of X, with its products."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from skmle._engine.data.products import ALL, Columns, Dense, Product, everything, same
from skmle._engine.evaluation import Array
from skmle.families.tools.cached import cached_property

# Pairs of entries that stand in the same row, in all rows, up to which their products are kept for
# the sums of a Hessian. They take 3 MB. 1,000 rows of 200 columns, 2 % of which were not zero, took
# 0.8 ms by a product of sparse arrays, and 0.04 so; to make them took 1.7.
_PAIRS = 1 << 18


class Sparse(Product):
    """A CSR array of shape (rows, p).

    Parameters
    ----------
    x : sparse array
    shift : ndarray of shape (p,), optional
        Subtracted from the columns.
    again : bool
        Whether the same rows will be multiplied many times.
    """

    def __init__(self, x: Any, shift: Array | None = None, again: bool = False) -> None:
        super().__init__(x.shape[1], shift)
        self.x, self.again = x, again

    def array(self, columns: Columns = ALL) -> Array:
        return Dense(self.x.toarray(), self.shift).array(columns)

    def squares(self) -> Product:
        x = self.x
        if not x.has_canonical_format:
            x = x.copy()
            x.sum_duplicates()
        return Sparse(sp.csr_array((x.data * x.data, x.indices, x.indptr), shape=x.shape))

    def _range(self) -> tuple[Array, Array]:
        return self.x.min(axis=0).toarray().ravel(), self.x.max(axis=0).toarray().ravel()

    def _dot(self, b: Array, columns: Columns) -> Array:
        return np.asarray((self._columns(columns) @ b.T).T)

    def _tdot(self, r: Array, columns: Columns) -> Array:
        if everything(columns):
            return np.asarray((self._turned @ r.T).T)
        return np.asarray(r @ self._columns(columns))

    @cached_property
    def _turned(self) -> Any:
        return self.x.T

    def _columns(self, columns: Columns) -> Any:
        return self.x if everything(columns) else self.x[:, columns]

    def _sandwich(self, w: Array, left: Columns, right: Columns, single: bool) -> Array:
        if everything(left) and everything(right) and self._pairs is not None:
            product = (self._pairs @ w).reshape(self.p, self.p)
        else:
            a = self._columns(left)
            b = a if same(left, right) else self._columns(right)
            data = np.repeat(w, np.diff(a.indptr)) * a.data
            product = (sp.csr_array((data, a.indices, a.indptr), a.shape).T @ b).toarray()
        sums = w @ self.x if self.shift is not None else w
        return self._expanded(product, w, sums, left, right, self.shift)

    @cached_property
    def _pairs(self) -> Any:
        """The products of all pairs of entries of a row, of shape (p * p, rows), or None.

        Row (i, j) has those of the columns i and j. It is None where there are many.
        """
        x, sizes = self.x, np.diff(self.x.indptr).astype(np.intp)
        ends = np.cumsum(np.append(0, sizes * sizes))
        if not self.again or ends[-1] > _PAIRS:
            return None
        # Of each pair, the places of its two entries.
        size, start = (np.repeat(each, sizes * sizes) for each in (sizes, x.indptr[:-1]))
        first, second = np.divmod(np.arange(ends[-1]) - np.repeat(ends[:-1], sizes * sizes), size)
        a, b = start + first, start + second
        cells = x.indices[a].astype(np.intp) * self.p + x.indices[b]
        return sp.csc_array((x.data[a] * x.data[b], cells, ends), shape=(self.p**2, len(sizes)))
