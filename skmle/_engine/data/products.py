"""One block of rows of X: dense or coded, with its products. The sparse kind is in `sparse`.

Only these files and `blocks`, which chooses between them, know the three kinds. Every kind is X
less a shift of its columns, which keeps sums of products of columns far from zero exact. Dense
columns are shifted before they are multiplied. Where that would fill in zeros, the product of the
unshifted columns is corrected instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.one_hot import Cross, Table, in_both
from skmle._engine.evaluation import Array

Columns = NDArray[np.intp] | slice
ALL = slice(None)
# Bytes of a block that are multiplied at once, with as much again for the weighted rows: together
# they stay in a second-level cache of 2 MB. At 50 columns these are 2,621 rows; Hessians were the
# fastest with 2,048 to 4,096 rows at once.
_PART = 1 << 20
# Columns from which products are taken in single precision where that will do. 2,048 rows took
# 0.27 ms instead of 0.50 with 64 columns, but 29 µs instead of 42 with 8, which is no gain beside
# the other work of a block.
_SINGLE_COLUMNS = 32
# Sums of squares for which single precision is trusted: its numbers reach from 1e-38 to 3e38, and
# the factors below them should not be near these ends. Chosen with a margin.
_SINGLE_RANGE = (1e-20, 1e30)
# Columns up to which sums by cell are taken column by column; more by one sparse product. For
# 16,384 rows 4 columns took 0.15 ms against 0.19, and 8 columns 0.30 ms against 0.27.
_FEW = 4


def everything(columns: Any) -> bool:
    """Return whether a selection of columns is all of them."""
    return isinstance(columns, slice) and columns == ALL


def same(a: Any, b: Any) -> bool:
    """Return whether two selections of columns (or None) are surely the same."""
    if isinstance(a, slice) or isinstance(b, slice) or a is None or b is None:
        return a is b or (isinstance(a, slice) and isinstance(b, slice) and a == b)
    return a is b or np.array_equal(a, b)


class Product(ABC):
    """A block of rows of X, and its products.

    Parameters
    ----------
    p : int
        Number of columns.
    shift : ndarray of shape (p,), optional
        Subtracted from the columns.
    """

    def __init__(self, p: int, shift: Array | None) -> None:
        self.p = p
        self.shift = shift

    def dot(self, b: Array, columns: Columns = ALL, constant: Any = 0.0) -> Array:
        """Return the columns times b, plus a constant.

        The result has shape (rows,) for b of shape (q,), and (k, rows) for b of shape (k, q) and
        k constants.
        """
        if everything(columns) or not self._as_a_whole(columns):
            result = self._dot(b, columns)
        else:
            whole = np.zeros((*b.shape[:-1], self.p))
            whole[..., columns] = b
            result = self._dot(whole, ALL)
        if self.shift is not None:
            constant = constant - b @ self.shift[columns]
        result += np.asarray(constant)[..., None]
        return result

    def tdot(self, r: Array, columns: Columns = ALL) -> Array:
        """Return the columns' products with r.

        The result has shape (q,) for r of shape (rows,), and (k, q) for r of shape (k, rows).
        """
        if everything(columns) or not self._as_a_whole(columns):
            result = self._tdot(r, columns)
        else:
            result = self._tdot(r, ALL)[..., columns]
        if self.shift is not None:
            result = result - r.sum(axis=-1)[..., None] * self.shift[columns]
        return result

    def sandwich(
        self, w: Array, left: Columns = ALL, right: Columns = ALL, single: bool = False
    ) -> Array:
        """Return (left columns)' diag(w) (right columns).

        If `single`, single precision will do.
        """
        if everything(left) and everything(right):
            return self._sandwich(w, left, right, single)
        if self._as_a_whole(left) and self._as_a_whole(right):
            return self._sandwich(w, ALL, ALL, single)[left][:, right]
        return self._sandwich(w, left, right, single)

    def _as_a_whole(self, columns: Columns) -> bool:
        """Return whether all columns should be multiplied where some of them are asked for.

        To gather more than half of the columns takes longer than to multiply the others, too.
        """
        return columns == ALL if isinstance(columns, slice) else 2 * len(columns) >= self.p

    cheap_as_array = False
    """Whether the block is an array, so that whoever can use one need not avoid `array`.

    `Design` asks this before it computes the blocks of a Hessian for all pairs of classes together.
    """

    @abstractmethod
    def array(self, columns: Columns = ALL) -> Array:
        """Return the columns as an array."""

    @abstractmethod
    def squares(self) -> Product:
        """Return the squared columns, without a shift."""

    def reach(self) -> Array:
        """Return the largest absolute value of each column."""
        low, high = self._range()
        return (
            np.maximum(np.abs(low), np.abs(high))
            if self.shift is None
            else np.maximum(high - self.shift, self.shift - low)
        )

    @abstractmethod
    def _range(self) -> tuple[Array, Array]:
        """Return the least and the largest value of each column before the shift."""

    @abstractmethod
    def _dot(self, b: Array, columns: Columns) -> Array: ...

    @abstractmethod
    def _tdot(self, r: Array, columns: Columns) -> Array: ...

    @abstractmethod
    def _sandwich(self, w: Array, left: Columns, right: Columns, single: bool) -> Array: ...

    def _expanded(
        self,
        product: Array,
        w: Array,
        sums: Array,
        left: Columns,
        right: Columns,
        shift: Array | None,
    ) -> Array:
        """Return left' diag(w) right of shifted columns.

        It follows from `product`, that of the unshifted columns, and their weighted sums w' X.
        """
        if shift is None:
            return product
        a, b = shift[left], shift[right]
        product += w.sum() * np.outer(a, b) - np.outer(sums[left], b) - np.outer(a, sums[right])
        return product


class Dense(Product):
    """An array of shape (rows, p), float64.

    Products are taken by `np.dot`: with ``@`` numpy keeps the interpreter's lock if fewer than 500
    entries come out, as from r' X, and other threads wait.
    """

    cheap_as_array = True

    def __init__(self, x: Array, shift: Array | None = None) -> None:
        super().__init__(x.shape[1], shift)
        self.x = x

    def array(self, columns: Columns = ALL) -> Array:
        x = self.x[:, columns]
        return x if self.shift is None else x - self.shift[columns]

    def squares(self) -> Product:
        return Dense(self.x * self.x)

    def _range(self) -> tuple[Array, Array]:
        return self.x.min(axis=0), self.x.max(axis=0)

    def _dot(self, b: Array, columns: Columns) -> Array:
        x = self.x[:, columns]
        return np.dot(b, x.T) if b.ndim > 1 else np.dot(x, b)

    def _tdot(self, r: Array, columns: Columns) -> Array:
        x = self.x[:, columns]
        size = _part(x.shape[1])
        if len(x) <= size:
            return np.dot(r, x)
        result = np.zeros((*r.shape[:-1], x.shape[1]))
        # The last rows come first: they were read last and are still in the cache.
        for high in range(len(x), 0, -size):
            result += np.dot(r[..., max(high - size, 0) : high], x[max(high - size, 0) : high])
        return result

    def _sandwich(self, w: Array, left: Columns, right: Columns, single: bool) -> Array:
        alike = same(left, right)
        convex = alike and w.min(initial=0.0) >= 0.0
        factor, peak = (np.sqrt(w) if convex else w)[:, None], 1.0
        rounded = single and alike and self.x[:0, left].shape[1] >= _SINGLE_COLUMNS
        if rounded:
            peak = float(np.abs(factor).max(initial=0.0)) or 1.0
            factor = factor / peak
        sums = self._by_parts(factor, left, right, convex, np.float32 if rounded else np.float64)
        if not rounded:
            return sums
        squares = np.abs(np.diag(sums))
        if not ((squares > _SINGLE_RANGE[0]) & (squares < _SINGLE_RANGE[1])).all():
            return self._sandwich(w, left, right, False)
        return sums * (peak**2 if convex else peak)

    def _by_parts(
        self, factor: Array, left: Columns, right: Columns, convex: bool, precision: Any
    ) -> Array:
        """Return (left columns)' diag(factor) (right columns), or with factor^2 if `convex`.

        The rows are multiplied in parts that stay in the cache. Products have the precision that is
        given; they are added up in double precision.
        """

        def rows(low: int, columns: Columns) -> Array:
            part = self.x[low : low + size, columns]
            return part if self.shift is None else part - self.shift[columns]

        p, q = self.x[:0, left].shape[1], self.x[:0, right].shape[1]
        size, alike = _part(max(p, q)), same(left, right)
        z, result = np.empty((min(size, len(self.x)), q), precision), np.zeros((p, q))
        for low in range(0, len(self.x), size):
            x = rows(low, right)
            # Each product is rounded once, as it is written.
            b = np.multiply(x, factor[low : low + size], out=z[: len(x)], casting="same_kind")
            if convex:  # of an array with itself numpy calls SYRK, half the work of GEMM
                result += np.dot(b.T, b)
            else:
                a = x if alike else rows(low, left)
                result += np.dot(a.astype(precision, copy=False).T, b)
        return result


def _part(p: int) -> int:
    """Return how many rows of p columns are multiplied at once."""
    return max(_PART // (8 * max(p, 1)), 1024)


class Coded(Product):
    """Groups of one-hot columns as codes, and the other columns as a dense array.

    Parameters
    ----------
    table : Table
        How the columns are divided: crosses of groups, and the rest.
    codes : sequence of ndarrays of shape (rows,), intp
        For each cross, the cell of every row.
    rest : ndarray of shape (rows, m)
        The columns of no group.
    shift : ndarray of shape (p,), optional
        Subtracted from the columns.
    """

    def __init__(
        self,
        table: Table,
        codes: Sequence[NDArray[np.intp]],
        rest: Array,
        shift: Array | None = None,
    ) -> None:
        super().__init__(table.p, shift)
        self.table, self.codes = table, codes
        self.rest = Dense(rest, None if shift is None else shift[table.rest])

    def array(self, columns: Columns = ALL) -> Array:
        chosen = np.arange(self.p)[columns]
        x = np.empty((len(self.rest.x), len(chosen)))
        here, own = in_both(chosen, self.table.rest)
        x[:, here] = self.rest.x[:, own]
        for cross, code in zip(self.table.crosses, self.codes, strict=True):
            here, own = in_both(chosen, cross.columns)
            if len(here):
                x[:, here] = cross.member[:, own][code].toarray()
        return x if self.shift is None else x - self.shift[chosen]

    def squares(self) -> Product:
        return Coded(self.table, self.codes, self.rest.x * self.rest.x)

    def _range(self) -> tuple[Array, Array]:
        low, high = np.empty((2, self.p))
        low[self.table.rest], high[self.table.rest] = self.rest._range()
        for cross, code in zip(self.table.crosses, self.codes, strict=True):
            ones = cross.totals @ np.bincount(code, minlength=cross.cells)
            low[cross.columns], high[cross.columns] = ones == len(code), ones > 0
        return low, high

    def _as_a_whole(self, columns: Columns) -> bool:
        return True

    def _dot(self, b: Array, columns: Columns) -> Array:
        if b.ndim > 1:
            return np.array([self._dot(row, columns) for row in b])
        result = self.rest._dot(b[self.table.rest], ALL)
        for cross, code in zip(self.table.crosses, self.codes, strict=True):
            result += (cross.member @ b[cross.columns]).take(code)
        return result

    def _tdot(self, r: Array, columns: Columns) -> Array:
        if r.ndim > 1:
            return np.array([self._tdot(row, columns) for row in r])
        result = np.empty(self.p)
        result[self.table.rest] = self.rest._tdot(r, ALL)
        for cross, code in zip(self.table.crosses, self.codes, strict=True):
            result[cross.columns] = cross.totals @ np.bincount(code, r, cross.cells)
        return result

    def _sandwich(self, w: Array, left: Columns, right: Columns, single: bool) -> Array:
        crosses, rest = self.table.crosses, self.table.rest
        result = np.empty((self.p, self.p))
        result[np.ix_(rest, rest)] = self.rest.sandwich(w, single=single)
        for cross, code in zip(crosses, self.codes, strict=True):
            own = cross.pair_totals @ np.bincount(code, w, cross.cells)
            result[np.ix_(cross.columns, cross.columns)] = own.reshape(len(cross.columns), -1)
            _mirror(result, cross.columns, rest, cross.totals @ self._by_cell(cross, code, w))
        for i, j, part, cell in self.table.joints:
            a, code = crosses[i], self.codes[i]
            joint = code * part.cells + (
                self.codes[j] if cell is None else cell.take(self.codes[j])
            )
            cells = np.bincount(joint, w, a.cells * part.cells).reshape(a.cells, part.cells)
            _mirror(result, a.columns, part.columns, (part.totals @ (a.totals @ cells).T).T)
        if self.shift is None:
            return result
        # Products of the rest are those of shifted columns already.
        sums: Array = self._tdot(w, ALL)
        sums[rest], shift = w @ self.rest.array(), self.shift.copy()
        shift[rest] = 0.0
        return self._expanded(result, w, sums, left, right, shift)

    def _by_cell(self, cross: Cross, code: NDArray[np.intp], w: Array) -> Array:
        """Return the sums of w times the rest over the rows of each cell, of shape (cells, m)."""
        rest = self.rest.array()
        if rest.shape[1] <= _FEW:
            sums = np.array([np.bincount(code, w * column, cross.cells) for column in rest.T])
            return sums.reshape(-1, cross.cells).T
        shape = (cross.cells, len(w))
        return np.asarray(sp.csc_array((w, code, np.arange(len(w) + 1)), shape=shape) @ rest)


def _mirror(
    target: Array, first: NDArray[np.intp], second: NDArray[np.intp], products: Array
) -> None:
    """Write the products of some columns with others into a symmetric matrix, at both places."""
    target[np.ix_(first, second)] = products
    target[np.ix_(second, first)] = products.T
