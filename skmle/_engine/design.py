"""Coefficients <-> rows of eta: the only file that knows dense and sparse X.

A `Term` says on which columns one parameter depends. The coefficients of all terms stand in one vector, term by term:
slopes, then the intercept. Columns are those of X minus `shift`, which keeps sums of products of far-off columns exact;
intercepts are moved back at the end (`skmle._engine.coordinates`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.rows import block_size
from skmle.families._base import Rows, Softmax

_SPARSE_DENSITY = 0.1  # above it, a block is cheaper as a dense one
_KRONECKER = 5  # from so many modelled logits on, one product of P x X beats one per pair


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
    X : ndarray or CSR array of shape (n, p), optional
    shift : ndarray of shape (p,), optional
        Subtracted from the columns of X, within blocks.
    offset : ndarray of shape (n,), optional
        Added to the first eta.
    """

    terms: tuple[Term, ...]
    n: int
    X: Any = None
    shift: Array | None = None
    offset: Array | None = None
    _blocks: dict[tuple[int, int], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        starts = np.cumsum([0, *(t.length for t in self.terms)])
        self.slices = [slice(int(s), int(s) + t.size) for s, t in zip(starts, self.terms, strict=False)]
        self.d = int(starts[-1])
        self.p = 0 if self.X is None else self.X.shape[1]
        # What one row of a block takes in the cache: its columns, and a few arrays for each of many parameters.
        self.width = self.p + (4 * len(self.terms) if len(self.terms) > 3 else 0)
        self.modelled = [j for j, t in enumerate(self.terms) if t.columns is not None]
        first = self.terms[self.modelled[0]] if self.modelled else None
        # Terms on the same columns share one product with X.
        self.shared = first is not None and all(_same(self.terms[j].columns, first.columns) for j in self.modelled)

    # ---------------------------------------------------------------- one block of X

    def block(self, low: int, high: int) -> Any:
        """Return these rows of X, in float64, dense or CSR; sparse blocks are cut once."""
        if self.X is None:
            return None
        if not sp.issparse(self.X):
            return np.asarray(self.X[low:high], np.float64)
        if (low, high) not in self._blocks:
            part = self.X[low:high]
            dense = part.nnz > _SPARSE_DENSITY * part.shape[0] * part.shape[1]
            self._blocks[low, high] = part.toarray() if dense else part
        return self._blocks[low, high]

    def take(self, index: NDArray[np.intp]) -> Design:
        """Return the design of some rows, gathered."""
        X = None if self.X is None else self.X[index]
        return Design(self.terms, len(index), X, self.shift, None if self.offset is None else self.offset[index])

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
        X = self.X[:, columns]
        X = X if sp.issparse(X) else np.asarray(X, np.float64)
        shift = None if self.shift is None else self.shift[columns]
        return Design(tuple(terms), self.n, X, shift, self.offset), np.concatenate(index)

    def carriers(self) -> NDArray[np.intp]:
        """Return for each coefficient its column of X; -1 for constants."""
        result = np.full(self.d, -1)
        for j in self.modelled:
            result[self.slices[j]] = np.arange(self.p)[self.terms[j].columns]
        return result

    def reach(self) -> Array:
        """Return for each coefficient the largest absolute value of its column (less the shift); 0 for intercepts."""
        result = np.zeros(self.d)
        if self.X is None:
            return result
        if sp.issparse(self.X):
            largest = np.asarray(abs(self.X).max(axis=0).toarray(), float).ravel()
        else:
            shift = 0.0 if self.shift is None else self.shift
            largest = np.maximum(self.X.max(axis=0) - shift, shift - self.X.min(axis=0))
        for j in self.modelled:
            values = largest[self.terms[j].columns]
            result[self.slices[j]] = np.where(values > 0.0, values, 1.0)
        return result

    def columns(self, block: Any, j: int) -> Any:
        """Return the columns of term j in a block."""
        wanted = self.terms[j].columns
        return block if _everything(wanted) else block[:, wanted]

    def centre(self, j: int) -> Array | None:
        """Return the shift of term j's columns."""
        return None if self.shift is None else self.shift[self.terms[j].columns]

    # ---------------------------------------------------------------- coefficients -> eta

    def eta(self, block: Any, low: int, high: int, coef: Array) -> tuple[Array, ...] | Array:
        """Return the linear predictors: (rows,) where a term has features or an offset, else 0-d."""
        constants = [coef[self.slices[j].stop] if t.intercept else np.float64(0.0) for j, t in enumerate(self.terms)]
        if self.shared and len(self.modelled) == len(self.terms) > 1:
            slopes = np.stack([coef[s] for s in self.slices])
            shifted = [c - self._moved(coef, j) for j, c in enumerate(constants)]
            eta = np.asarray((self.columns(block, 0) @ slopes.T).T if sp.issparse(block) else slopes @ self.columns(block, 0).T)
            eta += np.array(shifted)[:, None]
            if self.offset is not None:
                eta[0] += self.offset[low:high]
            return eta
        result: list[Array] = [np.asarray(c) for c in constants]
        for j in self.modelled:
            result[j] = self.columns(block, j) @ coef[self.slices[j]]
            result[j] += constants[j] - self._moved(coef, j)
        if self.offset is not None:
            result[0] = result[0] + self.offset[low:high]
        return tuple(result)

    def _moved(self, coef: Array, j: int) -> float:
        centre = self.centre(j)
        return 0.0 if centre is None else float(centre @ coef[self.slices[j]])

    # ---------------------------------------------------------------- rows -> sums

    def pull(self, block: Any, rows: Rows, weight: Array | None, count: int, order: int) -> Evaluation:
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
        alike = self.shared and len(self.modelled) == len(self.terms) > 1 and len({t.intercept for t in self.terms}) == 1
        if alike and all(np.ndim(entry) for entry in entries):
            g = np.asarray(entries) if weight is None else np.asarray(entries) * weight
            sums = g.sum(axis=1)
            slopes = np.asarray(g @ self.columns(block, 0))
            centre = self.centre(0)
            slopes = slopes if centre is None else slopes - np.outer(sums, centre)
            return (np.column_stack([slopes, sums]) if self.terms[0].intercept else slopes).ravel()
        result = np.empty(self.d)
        for j, entry in enumerate(entries):
            g = np.asarray(entry)
            g = g if weight is None or g.ndim == 0 else g * weight
            constant = float(g.sum()) if g.ndim else float(g) * (count if weight is None else float(weight.sum()))
            self._put(result, j, self._tdot(block, j, g, weight, count), constant)
        return result

    def own_block(self, block: Any, j: int, w: Array, weight: Array | None, count: int) -> Array:
        """Return the block of the hessian of term j alone, (length, length), for the curvature w of its eta."""
        alone = Design((self.terms[j],), self.n, self.X, self.shift)
        return alone.pull(block, Rows(np.zeros(()), (np.zeros(()),), (w,)), weight, count, 2).hessian  # type: ignore[return-value]

    def without_offset(self) -> Design:
        """Return the same design with no offset: for directions."""
        return self if self.offset is None else Design(self.terms, self.n, self.X, self.shift, None, self._blocks)

    def squares(self) -> Design:
        """Return the same terms for squared columns, which have no shift of their own."""
        return Design(self.terms, self.n, self.X, None)

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
        r = _full(r, weight, count)
        product = np.asarray(r @ self.columns(block, j))
        centre = self.centre(j)
        return product if centre is None else product - r.sum() * centre

    def _pair(self, hessian: Array, block: Any, a: int, b: int, w: Array, weight: Array | None, count: int) -> None:
        """Add the block (a, b) of the hessian, and its mirror, for the curvature w between eta a and eta b."""
        sa, sb, ta, tb = self.slices[a], self.slices[b], self.terms[a], self.terms[b]
        if ta.columns is not None and tb.columns is not None:
            hessian[sa, sb] = self._sandwich(block, a, b, _full(w, weight, count))
        if ta.columns is not None and tb.intercept:
            hessian[sa, sb.stop] = self._tdot(block, a, w, weight, count)
        if tb.columns is not None and ta.intercept:
            hessian[sa.stop, sb] = self._tdot(block, b, w, weight, count)
        if ta.intercept and tb.intercept:
            hessian[sa.stop, sb.stop] = w.sum() if w.ndim else float(w) * (count if weight is None else weight.sum())
        rows, cols = slice(sa.start, sa.start + ta.length), slice(sb.start, sb.start + tb.length)
        hessian[cols, rows] = hessian[rows, cols].T

    def _sandwich(self, block: Any, a: int, b: int, w: Array) -> Array:
        """Return (columns of a)' diag(w) (columns of b)."""
        xa = self.columns(block, a)
        same = _same(self.terms[a].columns, self.terms[b].columns)
        xb = xa if same else self.columns(block, b)
        if sp.issparse(block):
            product = np.asarray((xa.multiply(w[:, None]).tocsr().T @ xb).toarray())
            if self.shift is not None:
                left, right = np.asarray(w @ xa), np.asarray(w @ xb)
                ca, cb = self.centre(a), self.centre(b)
                product += w.sum() * np.outer(ca, cb) - np.outer(left, cb) - np.outer(ca, right)  # type: ignore[arg-type]
            return product
        if self.shift is not None:
            xa = xa - self.centre(a)
            xb = xa if same else xb - self.centre(b)
        if same and w.min() >= 0.0:
            z = xa * np.sqrt(w)[:, None]
            return z.T @ z  # numpy sees the same array twice and calls SYRK: half the work of GEMM
        return xa.T @ (xb * w[:, None])

    def _softmax(self, hessian: Array, block: Any, p: Array, weight: Array | None, count: int) -> None:
        k = len(self.terms)
        if self.modelled and k >= _KRONECKER and not sp.issparse(block):
            self._kronecker(hessian, block, p, weight)
            return
        for a in range(k):
            for b in range(a, k):
                w = p[a] * ((a == b) - p[b])
                w = w[0] if w.shape[0] == 1 and count != 1 else w  # the same for all rows
                self._pair(hessian, block, a, b, w if weight is None or np.ndim(w) == 0 else w * weight, weight, count)

    def _kronecker(self, hessian: Array, block: Any, p: Array, weight: Array | None) -> None:
        # diag(P) - P P' on each row, so H = blockdiag(X' diag(P_a) X) - (P x X)'(P x X), X with its column of ones.
        x = self.columns(block, 0)
        centre = self.centre(0)
        x = x if centre is None else x - centre
        if self.terms[0].intercept:
            x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        k, q = len(p), x.shape[1]
        root = p if weight is None else p * np.sqrt(weight)
        part = max(1024, block_size(k * q) // 4)
        for low in range(0, len(x), part):
            z = (root[:, low : low + part].T[:, :, None] * x[low : low + part, None, :]).reshape(-1, k * q)
            hessian -= z.T @ z
        for a in range(k):
            z = x * np.sqrt(p[a] if weight is None else p[a] * weight)[:, None]
            hessian[a * q : (a + 1) * q, a * q : (a + 1) * q] += z.T @ z


def _everything(columns: Any) -> bool:
    return isinstance(columns, slice) and columns == slice(None)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, slice) or isinstance(b, slice) or a is None or b is None:
        return a is b or (isinstance(a, slice) and isinstance(b, slice) and a == b)
    return a is b or np.array_equal(a, b)


def _full(r: Array, weight: Array | None, count: int) -> Array:
    """Return r on each row (a constant has not been multiplied by the weights yet)."""
    if r.ndim:
        return r
    return np.full(count, float(r)) if weight is None else float(r) * weight
