"""X cut into blocks of rows, each in the form whose products are the fastest.

Whoever reads X asks a `Product` of `products.py` and need not know whether it is dense, sparse or
one-hot codes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.data.one_hot import Codes, Table, one_hot_groups
from skmle._engine.data.products import ALL, Coded, Columns, Dense, Product
from skmle._engine.data.sparse import Sparse
from skmle._engine.data.sums import cuts, in_order, is_long, one_blas_thread, strata
from skmle._engine.evaluation import Array

# Share of entries that are not zero above which a block is multiplied as a dense one. At 140
# columns and 327,346 rows of one-hot columns (5 %), X' diag(w) X took 90 ms sparse and 205 ms
# dense.
_SPARSE_DENSITY = 0.1
# Columns' worth of work of a sparse row, for the cut into blocks. Each block has sums of all
# columns to add up, so that few long blocks are best; chosen so that they have 16,384 rows, not
# measured.
_SPARSE_WIDTH = 32
# Rows from which one-hot columns are looked for, and rows of the sample in which they are looked
# for first. Fewer rows are one block, where products are cheap. Chosen, not measured.
_FEWEST_ROWS = 4096
# Numbers of columns between which one-hot columns are looked for. Products with fewer columns are
# cheap as they are. With more, no Hessian is formed, and codes save most in a Hessian. Chosen, not
# measured.
_COLUMNS = (32, 2000)
# Times that groups are proposed, if a row shows that one of the proposed groups is none. Each takes
# about as long as a pass over the rows. Chosen, not measured.
_PROPOSALS = 4
# Rows that are looked at first for columns of zeros and ones: usually they show that there are
# none. Chosen, not measured.
_FIRST_LOOK = 64
# How far rounding takes zeros and ones: columns are shifted, which costs an eps times the shift,
# and sums of a million rows have errors of 1e-10. Chosen above both.
_ROUNDING = 1e-9
# Rows that are encoded at once. They are read three times and should stay in the second-level
# cache: 1,024 rows of 140 columns are 1.1 MB. Chosen, not measured.
_ENCODED = 1024
# Lots of `_ENCODED` rows that are one task of a thread. Chosen so that tasks last milliseconds.
_TASK = 16
# Share of the columns of X up to which those beside the codes are copied; chosen so that the copy
# takes little memory beside X.
_COPIED = 0.05
# Columns' worth of work of the codes of a cross, for the cut into blocks; chosen, not measured.
_CROSS_WIDTH = 4


class Blocks(ABC):
    """Rows of X and their products.

    Parameters
    ----------
    n, p : int
        Rows and columns.
    width : int
        The work that a row is, in columns of a dense array; it decides the cut into blocks.
    """

    def __init__(self, n: int, p: int, width: int) -> None:
        self.n, self.p, self.width = n, p, width

    @abstractmethod
    def block(self, low: int, high: int) -> Product:
        """Return these rows."""

    @abstractmethod
    def take(self, index: NDArray[np.intp]) -> Blocks:
        """Return some rows, gathered."""

    def restrict(self, columns: NDArray[np.intp]) -> Blocks:
        """Return all rows of some columns, gathered."""
        return PlainBlocks(
            np.concatenate(
                [self.block(low, high).array(columns) for low, high in cuts(self.n, self.width)]
            )
        )

    def reach(self) -> Array:
        """Return the largest absolute value of each column, less the shift."""
        return np.max(
            [self.block(low, high).reach() for low, high in cuts(self.n, self.width)], axis=0
        )

    def rarest(self) -> float:
        """Return the number of ones in the column of zeros and ones that has the fewest.

        It is inf if no column has zeros and ones alone.
        """
        first = self.block(0, min(_FIRST_LOOK, self.n))
        values = first.array() if first.shift is None else first.array() + first.shift
        if not (np.abs(values * (values - 1.0)) <= _ROUNDING).all(axis=0).any():
            return np.inf
        sums, squares, largest = np.zeros(self.p), np.zeros(self.p), np.zeros(self.p)
        for low, high in cuts(self.n, self.width):
            block, ones = self.block(low, high), np.ones(high - low)
            square = block.squares()
            sums += block.tdot(ones) + (0.0 if block.shift is None else len(ones) * block.shift)
            squares += square.tdot(ones)
            largest = np.maximum(largest, square.reach())
        binary = (largest <= 1.0) & (np.abs(sums - squares) <= _ROUNDING * squares)
        return float(sums[binary].min(initial=np.inf))


class PlainBlocks(Blocks):
    """Rows of X as they are.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n, p)
        Of float64 or float32; a block is converted when it is used.
    shift : ndarray of shape (p,), optional
        Subtracted from the columns.
    """

    def __init__(self, X: Any, shift: Array | None = None) -> None:
        n, p = X.shape
        sparse = sp.issparse(X) and X.nnz <= _SPARSE_DENSITY * n * p
        super().__init__(n, p, min(p, _SPARSE_WIDTH) if sparse else p)
        self.X = X.tocsr() if sp.issparse(X) else X
        self.shift = shift
        self.sparse = sp.issparse(X)
        # Cutting out sparse rows takes as long as a product with them, and of few rows that are one
        # block all passes need the same.
        self._keeps = self.sparse or not is_long(n, p)
        self._kept: dict[tuple[int, int], Product] = {}

    def block(self, low: int, high: int) -> Product:
        if not self._keeps:
            return self._cut(low, high)
        if (low, high) not in self._kept:
            self._kept[low, high] = self._cut(low, high)
        return self._kept[low, high]

    def _cut(self, low: int, high: int) -> Product:
        if not self.sparse:
            return Dense(np.asarray(self.X[low:high], np.float64), self.shift)
        part = _rows(self.X, low, high)
        dense = part.nnz > _SPARSE_DENSITY * part.shape[0] * part.shape[1]
        if dense:
            return Dense(_array(part), self.shift)
        return Sparse(part, self.shift, again=high - low == self.n)

    def take(self, index: NDArray[np.intp]) -> Blocks:
        return PlainBlocks(self.X[index], self.shift)

    def restrict(self, columns: NDArray[np.intp]) -> Blocks:
        part = self.X[:, columns]
        part = part if sp.issparse(part) else np.asarray(part, np.float64)
        return PlainBlocks(part, None if self.shift is None else self.shift[columns])


def _rows(X: Any, low: int, high: int) -> Any:
    """Return some rows of a CSR array, without a copy of their entries."""
    first, last = X.indptr[low], X.indptr[high]
    return sp.csr_array(
        (X.data[first:last], X.indices[first:last], X.indptr[low : high + 1] - first),
        shape=(high - low, X.shape[1]),
    )


class CodedBlocks(Blocks):
    """Rows of X whose one-hot columns are codes.

    Parameters
    ----------
    table : Table
    codes : list of ndarrays of shape (n,)
        The cell of every row, for each cross of the table.
    X : ndarray
        Array in which the other columns stand. If it is a copy of few columns, Fortran order is
        best, as the work goes down the columns.
    columns : slice or ndarray
        Indices of the other columns in this array.
    shift : ndarray of shape (p,), optional
        Subtracted from the columns.
    """

    def __init__(
        self,
        table: Table,
        codes: Sequence[Codes],
        X: Array,
        columns: Columns,
        shift: Array | None = None,
    ) -> None:
        super().__init__(len(X), table.p, len(table.rest) + _CROSS_WIDTH * len(codes))
        self.table, self.codes, self.X, self.columns, self.shift = table, codes, X, columns, shift

    def block(self, low: int, high: int) -> Product:
        rest = np.asarray(self.X[low:high, self.columns], np.float64)
        return Coded(self.table, [code[low:high] for code in self.codes], rest, self.shift)

    def take(self, index: NDArray[np.intp]) -> Blocks:
        rest = (
            self.X[index, self.columns]
            if isinstance(self.columns, slice)
            else self.X[np.ix_(index, self.columns)]
        )
        return CodedBlocks(
            self.table,
            [code[index] for code in self.codes],
            np.asfortranarray(rest),
            ALL,
            self.shift,
        )


def blocks_of(X: Any, shift: Array | None = None, threads: int = 1) -> Blocks:
    """Return the rows of X, with one-hot columns as codes where there are many."""
    (n, p), (fewest, most) = X.shape, _COLUMNS
    coding = _coding(X, threads) if n >= _FEWEST_ROWS and fewest <= p <= most else None
    if coding is None:
        return PlainBlocks(X, shift)
    table, codes = coding
    rest = table.rest
    adjacent = len(rest) > 0 and rest[-1] - rest[0] == len(rest) - 1
    columns = slice(rest[0], rest[-1] + 1) if adjacent else rest
    if sp.issparse(X) or len(rest) <= _COPIED * table.p:
        return CodedBlocks(table, codes, np.asfortranarray(_array(X[:, columns])), ALL, shift)
    return CodedBlocks(table, codes, X, columns, shift)


def _coding(X: Any, threads: int) -> tuple[Table, list[Codes]] | None:
    """Return the table of the one-hot columns of X and the codes of all rows.

    None is returned if there are few such columns. A sample of rows proposes the groups. If other
    rows show that a group is none, they are added to the sample, which proposes groups again.
    """
    sample = _array(X[strata(X.shape[0], _FEWEST_ROWS)])
    for _ in range(_PROPOSALS):
        table = Table.of(X.shape[1], one_hot_groups(sample))
        if table is None or (sp.issparse(X) and len(table.rest) > _COLUMNS[0]):
            return None
        codes, wrong = _encoded(table, X, threads)
        if not len(wrong):
            return table, codes
        sample = np.concatenate([sample, _array(X[wrong])])
    return None


def _encoded(table: Table, X: Any, threads: int) -> tuple[list[Codes], NDArray[np.intp]]:
    """Return the codes of all rows, and some of the rows in which a group is not one-hot."""
    n = X.shape[0]
    codes = [np.empty(n, np.intp) for _ in table.crosses]

    def encode(start: int) -> NDArray[np.intp]:
        for low in range(start, min(start + _TASK * _ENCODED, n), _ENCODED):
            found, wrong = table.encode(_array(X[low : low + _ENCODED]))
            if len(wrong):
                return wrong[:_TASK] + low
            for code, part in zip(codes, found, strict=True):
                code[low : low + _ENCODED] = part
        return wrong

    with one_blas_thread(is_long(n, table.p)):
        return codes, np.concatenate(in_order(encode, range(0, n, _TASK * _ENCODED), threads))


def _array(x: Any) -> Array:
    return x.toarray() if sp.issparse(x) else np.asarray(x)
