"""Coefficients <-> rows of eta.

A `Term` says on which columns one parameter depends. The coefficients of all terms stand in one vector, term by term:
slopes, then the intercept. Columns are those of X minus `shift`; intercepts are moved back at the end
(`skmle._engine.likelihood.coordinates`). What X is, only its blocks know (`skmle._engine.data.products`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.blocks import Blocks, PlainBlocks
from skmle._engine.data.products import Product, same
from skmle._engine.evaluation import Array, Evaluation
from skmle.families.base import Rows, Softmax

_MANY_CLASSES = (
    6  # from so many modelled logits on, all pairs together take less time than one after the other
)
_ZERO = np.float64(0.0)
_PART, _COLUMNS = 512, 256  # rows, and pairs of columns, of a product that stays in the cache


class Term(NamedTuple):
    """One parameter's linear predictor."""

    columns: NDArray[np.intp] | slice | None
    """Columns of X; None: a constant."""
    size: int
    """Number of slopes."""
    intercept: bool = True

    @property
    def length(self) -> int:
        """Number of coefficients."""
        return self.size + self.intercept


@dataclass
class Design:
    """Rows of X and their terms; for parameters without features X may be None.

    Parameters
    ----------
    terms : sequence of Term
        One per parameter of the family.
    n : int
        Number of rows.
    X : ndarray or sparse array of shape (n, p), optional
    shift : ndarray of shape (p,), optional
        Subtracted from the columns of X, within blocks.
    offset : ndarray of shape (n,), optional
        Added to the first eta.
    blocks : Blocks, optional
        The rows of X less the shift, where they are at hand already.
    single : bool
        Whether products of columns for a hessian may be rounded to single precision before they are summed.
    """

    terms: tuple[Term, ...]
    n: int
    X: Any = None
    shift: Array | None = None
    offset: Array | None = None
    blocks: Blocks | None = None
    single: bool = False

    def __post_init__(self) -> None:
        starts = np.cumsum([0, *(t.length for t in self.terms)])
        self.slices = [
            slice(int(s), int(s) + t.size) for s, t in zip(starts, self.terms, strict=False)
        ]
        self.d = int(starts[-1])
        if self.blocks is None and self.X is not None:
            self.blocks = PlainBlocks(self.X, self.shift)
        self.p = 0 if self.blocks is None else self.blocks.p
        # What one row of a block takes in the cache: its columns, and a few arrays for each of many parameters.
        self.width = (0 if self.blocks is None else self.blocks.width) + (
            4 * len(self.terms) if len(self.terms) > 3 else 0
        )
        self.modelled = [j for j, t in enumerate(self.terms) if t.columns is not None]
        first = self.terms[self.modelled[0]] if self.modelled else None
        # Terms on the same columns share one product with X.
        self.shared = first is not None and all(
            same(self.terms[j].columns, first.columns) for j in self.modelled
        )
        self.alike = (
            self.shared
            and len(self.modelled) == len(self.terms) > 1
            and len({t.intercept for t in self.terms}) == 1
        )

    # ---------------------------------------------------------------- X

    def block(self, low: int, high: int) -> Any:
        """Return these rows of X as a `Product`; None without X."""
        return None if self.blocks is None else self.blocks.block(low, high)

    def take(self, index: NDArray[np.intp]) -> Design:
        """Return the design of some rows, gathered."""
        blocks = None if self.blocks is None else self.blocks.take(index)
        return Design(
            self.terms,
            len(index),
            None,
            self.shift,
            None if self.offset is None else self.offset[index],
            blocks,
        )

    def restrict(self, columns: NDArray[np.intp]) -> tuple[Design, NDArray[np.intp]]:
        """Return the design of some columns of X, gathered, and which coefficients are its own; all constants stay."""
        place = np.full(self.p, -1)
        place[columns] = np.arange(len(columns))
        terms, index = [], []
        for term, s in zip(self.terms, self.slices, strict=True):
            if term.columns is None or _everything(term.columns):
                own = columns if term.columns is not None else np.zeros(0, np.intp)
                terms.append(term._replace(size=len(own)))
            else:
                at = place[term.columns]
                own = np.flatnonzero(at >= 0)
                terms.append(term._replace(columns=at[own], size=len(own)))
            index += [s.start + own, np.arange(s.stop, s.stop + term.intercept)]
        blocks = None if self.blocks is None else self.blocks.restrict(columns)
        return Design(tuple(terms), self.n, None, None, self.offset, blocks), np.concatenate(index)

    def carriers(self) -> NDArray[np.intp]:
        """Return for each coefficient its column of X; -1 for constants."""
        result = np.full(self.d, -1)
        for j in self.modelled:
            result[self.slices[j]] = np.arange(self.p)[self.terms[j].columns]
        return result

    def reach(self) -> Array:
        """Return for each coefficient the largest absolute value of its column (less the shift); 0 for intercepts."""
        result = np.zeros(self.d)
        if self.blocks is None:
            return result
        largest = self.blocks.reach()
        for j in self.modelled:
            values = largest[self.terms[j].columns]
            result[self.slices[j]] = np.where(values > 0.0, values, 1.0)
        return result

    def centre(self, j: int) -> Array | None:
        """Return the shift of term j's columns."""
        return None if self.shift is None else self.shift[self.terms[j].columns]

    # ---------------------------------------------------------------- coefficients -> eta

    def eta(self, block: Any, low: int, high: int, coef: Array) -> tuple[Array, ...] | Array:
        """Return the linear predictors: (rows,) where a term has features or an offset, else 0-d."""
        constants = [
            coef[s.stop] if t.intercept else _ZERO
            for s, t in zip(self.slices, self.terms, strict=True)
        ]
        if self.shared and len(self.modelled) == len(self.terms) > 1:
            slopes = np.stack([coef[s] for s in self.slices])
            eta = block.dot(slopes, self.terms[0].columns, np.array(constants))
            if self.offset is not None:
                eta[0] += self.offset[low:high]
            return eta
        result: list[Array] = list(map(np.asarray, constants))
        for j in self.modelled:
            result[j] = block.dot(coef[self.slices[j]], self.terms[j].columns, constants[j])
        if self.offset is not None:
            result[0] = result[0] + self.offset[low:high]
        return tuple(result)

    # ---------------------------------------------------------------- rows -> sums

    def pull(
        self, block: Any, rows: Rows, weight: Array | None, count: int, order: int
    ) -> Evaluation:
        """Return the weighted sums over a block: value, gradient (d,), hessian (d, d)."""
        mass = float(count) if weight is None else float(weight.sum())

        def weigh(a: Array) -> Array:
            return a if weight is None or a.ndim == 0 else a * weight

        def add_up(a: Array) -> float:
            return float(a.sum()) if a.ndim else float(a) * mass

        result = Evaluation(add_up(weigh(np.asarray(rows.value))))
        if order < 1 or rows.gradient is None:
            return result
        result.gradient = self.pull_gradient(block, rows.gradient, weight, count)
        if order < 2:
            return result
        result.hessian = np.zeros((self.d, self.d))
        if isinstance(rows.curvature, Softmax):
            self._softmax(result.hessian, block, rows.curvature.probabilities, weight, count)
            return result
        assert rows.curvature is not None
        packed = iter(rows.curvature)
        for a in range(len(self.terms)):
            for b in range(a, len(self.terms)):
                entry = next(packed)
                if entry is not None:
                    self._pair(result.hessian, block, a, b, weigh(np.asarray(entry)), weight, count)
        return result

    def pull_gradient(self, block: Any, entries: Any, weight: Array | None, count: int) -> Array:
        """Return (d eta / d coef)' entries, weighted and summed over a block: k entries, each (rows,) or 0-d."""
        if self.alike and all(np.ndim(entry) for entry in entries):
            g = np.asarray(entries) if weight is None else np.asarray(entries) * weight
            slopes = block.tdot(g, self.terms[0].columns)
            return (
                np.column_stack([slopes, g.sum(axis=1)]) if self.terms[0].intercept else slopes
            ).ravel()
        result = np.empty(self.d)
        for j, entry in enumerate(entries):
            g = np.asarray(entry)
            g = g if weight is None or g.ndim == 0 else g * weight
            constant = (
                float(g.sum())
                if g.ndim
                else float(g) * (count if weight is None else float(weight.sum()))
            )
            self._put(result, j, self._tdot(block, j, g, weight, count), constant)
        return result

    def own_blocks(
        self, block: Product, w: Sequence[Array], weight: Array | None, count: int
    ) -> list[Array]:
        """Return the blocks of the hessian of the terms alone, (length, length) each, for the curvatures w of their eta.

        Curvatures beyond those of the terms are of a further one on the columns of the last.
        """
        columns = self.terms[0].columns
        if (
            self.alike
            and columns is not None
            and block.cheap_as_array
            and len(w) > _MANY_CLASSES
            and all(np.ndim(entry) for entry in w)
        ):
            x, own = self._with_ones(block.array(columns)), np.asarray(w)
            if (own == own[:, :1]).all():  # where a fit starts, all rows have one law
                return list(
                    own[:, :1, None]
                    * sandwiches(x, np.ones((1, count)) if weight is None else weight[None])
                )
            return list(sandwiches(x, own if weight is None else own * weight))
        blocks = []
        for j, entry in enumerate(w):
            term, rows = (
                self.terms[min(j, len(self.terms) - 1)],
                Rows(np.zeros(()), (np.zeros(()),), (entry,)),
            )
            blocks.append(Design((term,), self.n).pull(block, rows, weight, count, 2).hessian)
        return blocks  # type: ignore[return-value]

    def without_offset(self) -> Design:
        """Return the same design with no offset: for directions."""
        return (
            self
            if self.offset is None
            else Design(self.terms, self.n, self.X, self.shift, None, self.blocks)
        )

    def _put(self, target: Array, j: int, slopes: Array | None, constant: float) -> None:
        s = self.slices[j]
        if slopes is not None:
            target[s] = slopes
        if self.terms[j].intercept:
            target[s.stop] = constant

    def _tdot(self, block: Any, j: int, r: Array, weight: Array | None, count: int) -> Array | None:
        """Return (columns of term j)' r."""
        if self.terms[j].columns is None:
            return None
        return block.tdot(_full(r, weight, count), self.terms[j].columns)

    def _pair(
        self, hessian: Array, block: Any, a: int, b: int, w: Array, weight: Array | None, count: int
    ) -> None:
        """Add the block (a, b) of the hessian, and its mirror, for the curvature w between eta a and eta b."""
        sa, sb, ta, tb = self.slices[a], self.slices[b], self.terms[a], self.terms[b]
        if ta.columns is not None and tb.columns is not None:
            hessian[sa, sb] = block.sandwich(
                _full(w, weight, count), ta.columns, tb.columns, self.single
            )
        if ta.columns is not None and tb.intercept:
            hessian[sa, sb.stop] = self._tdot(block, a, w, weight, count)
        if tb.columns is not None and ta.intercept and a != b:
            hessian[sa.stop, sb] = self._tdot(block, b, w, weight, count)
        if ta.intercept and tb.intercept:
            hessian[sa.stop, sb.stop] = (
                w.sum() if w.ndim else float(w) * (count if weight is None else weight.sum())
            )
        if a != b:
            rows = slice(sa.start, sa.stop + ta.intercept)
            cols = slice(sb.start, sb.stop + tb.intercept)
            hessian[cols, rows] = hessian[rows, cols].T
        elif ta.intercept:
            hessian[sa.stop, sa] = hessian[sa, sa.stop]

    def _softmax(
        self, hessian: Array, block: Any, p: Array, weight: Array | None, count: int
    ) -> None:
        k = len(self.terms)
        if self.modelled and k >= _MANY_CLASSES and block.cheap_as_array:
            self._together(hessian, block.array(self.terms[0].columns), p, weight)
            return
        for a in range(k):
            for b in range(a, k):
                w = p[a] * ((a == b) - p[b])
                w = w[0] if w.shape[0] == 1 and count != 1 else w  # the same for all rows
                self._pair(
                    hessian,
                    block,
                    a,
                    b,
                    w if weight is None or np.ndim(w) == 0 else w * weight,
                    weight,
                    count,
                )

    def _together(self, hessian: Array, x: Array, p: Array, weight: Array | None) -> None:
        k = len(p)
        w = -_pair_products(p, range(k))
        w[np.cumsum([0, *range(k, 1, -1)])] += p
        found = iter(sandwiches(self._with_ones(x), w if weight is None else w * weight))
        blocks = hessian.reshape(k, len(hessian) // k, k, -1)
        for a in range(k):
            for b in range(a, k):
                blocks[a, :, b] = blocks[b, :, a] = next(found)

    def _with_ones(self, x: Array) -> Array:
        return np.concatenate([x, np.ones((len(x), 1))], axis=1) if self.terms[0].intercept else x


def sandwiches(x: Array, w: Array) -> Array:
    """Return X' diag(w_i) X for each row of w: (r, q, q).

    Each pair of columns occurs once in W Z', the rows of Z being all products of two columns.
    """
    q = x.shape[1]
    sums = np.zeros((len(w), q * (q + 1) // 2))
    for low in range(0, len(x), _PART):
        columns, part = np.ascontiguousarray(x[low : low + _PART].T), w[:, low : low + _PART]
        at = 0
        for lot in _lots(q):
            z = _pair_products(columns, lot)
            sums[:, at : at + len(z)] += np.dot(part, z.T)
            at += len(z)
    return sums[:, _pair_table(q)]


def _pair_products(a: Array, which: range) -> Array:
    """Return row i of `a` times row j for all j from i on, for i in `which`."""
    result = np.empty((sum(len(a) - i for i in which), a.shape[1]))
    at = 0
    for i in which:
        np.multiply(a[i], a[i:], out=result[at : at + len(a) - i])
        at += len(a) - i
    return result


def _lots(q: int) -> list[range]:
    """Return the numbers to q in ranges that lead to some `_COLUMNS` pairs each."""
    ends = np.cumsum(np.arange(q, 0, -1)) // _COLUMNS
    cuts = [0, *(np.flatnonzero(np.diff(ends)) + 1), q]
    return [range(low, high) for low, high in pairwise(cuts)]


def _pair_table(q: int) -> NDArray[np.intp]:
    """Return which of the pairs of q, in the order of `_pair_products`, is (i, j) or (j, i)."""
    table = np.zeros((q, q), np.intp)
    table[np.triu_indices(q)] = np.arange(q * (q + 1) // 2)
    return np.maximum(table, table.T)


def _everything(columns: Any) -> bool:
    return isinstance(columns, slice) and columns == slice(None)


def _full(r: Array, weight: Array | None, count: int) -> Array:
    """Return r on each row (a constant has not been multiplied by the weights yet)."""
    if r.ndim:
        return r
    return np.full(count, float(r)) if weight is None else float(r) * weight
