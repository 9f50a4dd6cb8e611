"""Linear predictors: from coefficients to the eta of each row, and from rows back to sums.

A `Term` says on which columns of X one parameter depends. One vector has the coefficients of all
terms, term by term: the slopes, then the intercept. The columns are those of X less a shift;
`skmle._engine.likelihood.coordinates` corrects the intercepts at the end. Whether X is dense,
sparse or coded, only its blocks know (`skmle._engine.data.products`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.blocks import Blocks, PlainBlocks
from skmle._engine.data.products import Product, everything, same
from skmle._engine.data.sandwiches import pair_products, sandwiches
from skmle._engine.evaluation import Array, Evaluation
from skmle.families.base import Rows, Softmax

# Modelled logits from which the blocks of a Hessian for all pairs of classes are computed together.
# On dense columns that took less time than one pair after the other from about 6 classes on.
_MANY_CLASSES = 6
# Parameters from which the arrays of eta and its derivatives count when rows are cut into blocks,
# and the columns' worth of memory that they are for each parameter. Chosen, not measured.
_MANY_TERMS, _COLUMNS_PER_TERM = 4, 4


class Term(NamedTuple):
    """The linear predictor of one parameter."""

    columns: NDArray[np.intp] | slice | None
    """Columns of X; None: the parameter is a constant."""
    size: int
    """Number of slopes."""
    intercept: bool = True

    @property
    def length(self) -> int:
        """Number of coefficients."""
        return self.size + self.intercept


class Weights(NamedTuple):
    """The weights of some rows, and weighted sums over them.

    An entry of `Rows` has one number for each row, or one number that all rows share.
    """

    n: int
    """Number of rows."""
    each: Array | None = None
    """The weight of each row; None: all weights are 1."""

    def times(self, entry: Array) -> Array:
        """Return the weighted entry; a number that all rows share is not weighted yet."""
        return entry if self.each is None or entry.ndim == 0 else entry * self.each

    def on_rows(self, weighted: Array) -> Array:
        """Return what `times` gives as one number for each row."""
        if weighted.ndim:
            return weighted
        return np.full(self.n, float(weighted)) if self.each is None else weighted * self.each

    def total(self, weighted: Array) -> float:
        """Return the sum over the rows of what `times` gives."""
        if weighted.ndim:
            return float(weighted.sum())
        mass = float(self.n) if self.each is None else float(self.each.sum())
        return float(weighted) * mass


@dataclass
class Design:
    """The rows of X and the terms that depend on them; X may be None where no term does.

    Parameters
    ----------
    terms : tuple of Term
        One per parameter of the family.
    n : int
        Number of rows.
    X : ndarray or sparse array of shape (n, p), optional
    shift : ndarray of shape (p,), optional
        Subtracted from the columns of X, within blocks.
    offset : ndarray of shape (n,), optional
        Added to the first eta.
    blocks : Blocks, optional
        The rows of X less the shift, where they were made before.
    single : bool
        Whether products of columns for a Hessian may be rounded to single precision before they are
        summed. `growing` asks for it, where five digits of the Hessian will do.
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
        # The memory of a row in columns; it decides how rows are cut into blocks.
        self.width = 0 if self.blocks is None else self.blocks.width
        if len(self.terms) >= _MANY_TERMS:
            self.width += _COLUMNS_PER_TERM * len(self.terms)
        self.modelled = [j for j, t in enumerate(self.terms) if t.columns is not None]
        first = self.terms[self.modelled[0]] if self.modelled else None
        # Terms on the same columns share one product with X.
        self.shared = first is not None and all(
            same(self.terms[j].columns, first.columns) for j in self.modelled
        )
        # Whether the terms are those of classes: several, all on the same columns.
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
        return Design(
            terms=self.terms,
            n=len(index),
            shift=self.shift,
            offset=None if self.offset is None else self.offset[index],
            blocks=None if self.blocks is None else self.blocks.take(index),
        )

    def restrict(self, columns: NDArray[np.intp]) -> tuple[Design, NDArray[np.intp]]:
        """Return the design of some columns of X, gathered, and the indices of its coefficients.

        All intercepts and constants stay.
        """
        place = np.full(self.p, -1)
        place[columns] = np.arange(len(columns))
        terms, index = [], []
        for term, s in zip(self.terms, self.slices, strict=True):
            if term.columns is None or everything(term.columns):
                own = columns if term.columns is not None else np.zeros(0, np.intp)
                terms.append(term._replace(size=len(own)))
            else:
                at = place[term.columns]
                own = np.flatnonzero(at >= 0)
                terms.append(term._replace(columns=at[own], size=len(own)))
            index += [s.start + own, np.arange(s.stop, s.stop + term.intercept)]
        blocks = None if self.blocks is None else self.blocks.restrict(columns)
        part = Design(tuple(terms), self.n, offset=self.offset, blocks=blocks)
        return part, np.concatenate(index)

    def carriers(self) -> NDArray[np.intp]:
        """Return the column of X of each coefficient; -1 for intercepts and constants."""
        result = np.full(self.d, -1)
        for j in self.modelled:
            result[self.slices[j]] = np.arange(self.p)[self.terms[j].columns]
        return result

    def reach(self) -> Array:
        """Return the largest absolute value of each coefficient's column, less the shift.

        It is 1 for a column of zeros, and 0 for intercepts and constants.
        """
        result = np.zeros(self.d)
        if self.blocks is None:
            return result
        largest = self.blocks.reach()
        for j in self.modelled:
            values = largest[self.terms[j].columns]
            result[self.slices[j]] = np.where(values > 0.0, values, 1.0)
        return result

    # ---------------------------------------------------------------- from coefficients to eta

    def eta(self, block: Any, low: int, high: int, coef: Array) -> tuple[Array, ...] | Array:
        """Return the linear predictors.

        They have shape (rows,) where a term has features or an offset; else they are 0-d.
        """
        constants = [
            coef[s.stop] if t.intercept else np.float64(0.0)
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

    def without_offset(self) -> Design:
        """Return the same design without the offset, to which directions do not add."""
        return self if self.offset is None else replace(self, offset=None)

    # ---------------------------------------------------------------- from rows to sums

    def pull(self, block: Any, rows: Rows, weights: Weights, order: int) -> Evaluation:
        """Return the weighted sums over a block: value, gradient (d,), Hessian (d, d)."""
        result = Evaluation(weights.total(weights.times(np.asarray(rows.value))))
        if order < 1 or rows.gradient is None:
            return result
        result.gradient = self.pull_gradient(block, rows.gradient, weights)
        if order < 2:
            return result
        assert rows.curvature is not None
        result.hessian = self.pull_hessian(block, rows.curvature, weights)
        return result

    def pull_hessian(
        self, block: Any, curvature: Softmax | Sequence[Any], weights: Weights
    ) -> Array:
        """Return (d eta / d coef)' curvature (d eta / d coef), weighted and summed over a block."""
        hessian = np.zeros((self.d, self.d))
        if isinstance(curvature, Softmax):
            self._softmax(hessian, block, curvature.probabilities, weights)
            return hessian
        packed = iter(curvature)
        for a in range(len(self.terms)):
            for b in range(a, len(self.terms)):
                if (entry := next(packed)) is not None:
                    w = weights.times(np.asarray(entry))
                    self._pair(hessian, block, a, b, w, weights)
        return hessian

    def pull_gradient(self, block: Any, entries: Any, weights: Weights) -> Array:
        """Return (d eta / d coef)' entries, weighted and summed over a block.

        There is an entry for each eta, of shape (rows,) or 0-d.
        """
        if self.alike and all(np.ndim(entry) for entry in entries):
            g = weights.times(np.asarray(entries))
            slopes = block.tdot(g, self.terms[0].columns)
            if self.terms[0].intercept:
                slopes = np.column_stack([slopes, g.sum(axis=1)])
            return slopes.ravel()
        result = np.empty(self.d)
        for term, s, entry in zip(self.terms, self.slices, entries, strict=True):
            w = weights.times(np.asarray(entry))
            if term.columns is not None:
                result[s] = block.tdot(weights.on_rows(w), term.columns)
            if term.intercept:
                result[s.stop] = weights.total(w)
        return result

    def own_blocks(self, block: Product, w: Sequence[Array], weights: Weights) -> list[Array]:
        """Return each term's own block of the Hessian, of shape (length, length).

        Parameters
        ----------
        block : Product
        w : sequence of ndarrays, (rows,) or 0-d
            The curvature in each eta. There may be one more than there are terms; it is that of a
            further term on the columns of the last.
        weights : Weights
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
            if (own == own[:, :1]).all():  # where a fit starts, all rows have the same law
                every = weights.on_rows(np.ones(()))
                return list(own[:, :1, None] * sandwiches(x, every[None]))
            return list(sandwiches(x, weights.times(own)))
        blocks = []
        for j, entry in enumerate(w):
            term = self.terms[min(j, len(self.terms) - 1)]
            blocks.append(Design((term,), self.n).pull_hessian(block, (entry,), weights))
        return blocks

    def _pair(self, hessian: Array, block: Any, a: int, b: int, w: Array, weights: Weights) -> None:
        """Write the block (a, b) of the Hessian and its mirror image.

        w is the weighted curvature between eta a and eta b.
        """
        sa, sb, ta, tb = self.slices[a], self.slices[b], self.terms[a], self.terms[b]
        on_rows = w
        if ta.columns is not None or tb.columns is not None:
            on_rows = weights.on_rows(w)
        if ta.columns is not None and tb.columns is not None:
            hessian[sa, sb] = block.sandwich(on_rows, ta.columns, tb.columns, self.single)
        if ta.columns is not None and tb.intercept:
            hessian[sa, sb.stop] = block.tdot(on_rows, ta.columns)
        if tb.columns is not None and ta.intercept and a != b:
            hessian[sa.stop, sb] = block.tdot(on_rows, tb.columns)
        if ta.intercept and tb.intercept:
            hessian[sa.stop, sb.stop] = weights.total(w)
        if a != b:
            lines = slice(sa.start, sa.stop + ta.intercept)
            columns = slice(sb.start, sb.stop + tb.intercept)
            hessian[columns, lines] = hessian[lines, columns].T
        elif ta.intercept:
            hessian[sa.stop, sa] = hessian[sa, sa.stop]

    def _softmax(self, hessian: Array, block: Any, p: Array, weights: Weights) -> None:
        """Write the Hessian of classes with the probabilities p."""
        k = len(self.terms)
        if self.modelled and k >= _MANY_CLASSES and block.cheap_as_array:
            self._together(hessian, block.array(self.terms[0].columns), p, weights)
            return
        for a in range(k):
            for b in range(a, k):
                w = p[a] * ((a == b) - p[b])
                if w.shape[0] == 1 and weights.n != 1:  # one number that all rows share
                    w = w[0]
                self._pair(hessian, block, a, b, weights.times(w), weights)

    def _together(self, hessian: Array, x: Array, p: Array, weights: Weights) -> None:
        """Write the Hessian of classes, all pairs of classes and of columns at once."""
        k = len(p)
        w = -pair_products(p, range(k))
        w[np.cumsum([0, *range(k, 1, -1)])] += p
        found = iter(sandwiches(self._with_ones(x), weights.times(w)))
        blocks = hessian.reshape(k, len(hessian) // k, k, -1)
        for a in range(k):
            for b in range(a, k):
                blocks[a, :, b] = blocks[b, :, a] = next(found)

    def _with_ones(self, x: Array) -> Array:
        """Return x, with a column of ones if the terms have intercepts."""
        return np.concatenate([x, np.ones((len(x), 1))], axis=1) if self.terms[0].intercept else x
