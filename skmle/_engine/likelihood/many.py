"""The objectives of many small problems of the same form, evaluated together.

A problem is one entry of the first axis: G problems of n rows each. Rows that all problems share,
as those of bootstrap samples, have a first axis of one; the weights then tell the problems apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.observed import Factors
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.class_weights import expected_products
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.scores import bent_by
from skmle.families.base import Arrays, Rows, triangle

Formula = Callable[[Arrays, Arrays, int], Rows]
"""(statistics, eta, order) -> Rows."""

# Numbers of the products of columns that are made at once: as many as a chunk of groups has
# (`skmle._engine.data.padded`).
_PRODUCTS = 1 << 18
# Share of the way to the end of a domain that a step may take. With nine tenths as many of 50
# hard regressions ended at the best maximum. Without such a share steps crawl next to an end.
_TOWARDS_END = 0.7


class Evaluations(NamedTuple):
    """Values (G,), gradients (G, d) and Hessians (G, d, d), each of one problem."""

    value: Array
    gradient: Array
    hessian: Array

    def take(self, index: NDArray[np.intp]) -> Evaluations:
        """Return those of some problems."""
        return Evaluations(*(part[index] for part in self))


@dataclass
class ManyObjectives:
    """For each problem the mean of -log q over its rows, plus a ridge.

    Parameters
    ----------
    rows : callable
        A family's formula, (statistics, eta, order) -> Rows. It is asked entry by entry, at arrays
        of shape (G, n) and, for constants, (G, 1).
    statistics : tuple of ndarray of shape (G or 1, n)
    terms : tuple of Term
    columns : tuple of (ndarray of shape (G or 1, length, n) or None)
        Of each term the columns of its slopes, then ones for its intercept; None: a constant.
    weight : ndarray of shape (G or 1, n), optional
    offset : ndarray of shape (G or 1, n), optional
        Added to the first eta.
    ridge : ndarray of shape (G or 1, d, d), optional
        The Hessian of a quadratic penalty, per row of data.
    domains : tuple of (low, high), optional
        Of each eta, if a link leaves out a part of the line.
    """

    rows: Formula
    statistics: Arrays
    terms: tuple[Term, ...]
    columns: tuple[Array | None, ...]
    weight: Array | None = None
    offset: Array | None = None
    ridge: Array | None = None
    domains: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        ends = np.cumsum([0, *(term.length for term in self.terms)])
        self.spans = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.d, self.n = int(ends[-1]), self.statistics[0].shape[1]
        self.mass = np.full(1, float(self.n)) if self.weight is None else self.weight.sum(axis=1)

    def __call__(self, coef: Array) -> Evaluations:
        """Return value, gradient and Hessian of each problem at its line of `coef`, (G, d)."""
        shape = len(coef), self.n
        rows = self.rows(self.statistics, self.etas(coef), 2)
        assert rows.gradient is not None
        value = self._mean(rows, coef)
        slopes = [self._weighted(entry, shape) for entry in rows.gradient]
        gradient = np.empty((len(coef), self.d))
        for a, span in enumerate(self.spans):
            gradient[:, span] = self._pulled(slopes[a], a)
        hessian = np.zeros((len(coef), self.d, self.d))
        for (a, b), entry in zip(triangle(len(self.terms)), rows.packed, strict=True):
            if entry is not None and self.terms[a].length and self.terms[b].length:
                block = self._sandwich(self._weighted(entry, shape), a, b)
                hessian[:, self.spans[a], self.spans[b]] = block
                hessian[:, self.spans[b], self.spans[a]] = block.transpose(0, 2, 1)
        gradient, hessian = gradient / self.mass[:, None], hessian / self.mass[:, None, None]
        if self.ridge is not None:
            gradient += self._pull(coef)
            hessian += self.ridge
        return Evaluations(value, gradient, hessian)

    def values(self, coef: Array) -> Array:
        """Return the value of each problem alone, (G,)."""
        return self._mean(self.rows(self.statistics, self.etas(coef), 0), coef)

    def _mean(self, rows: Rows, coef: Array) -> Array:
        total = self._weighted(rows.value, (len(coef), self.n)).sum(axis=1)
        return total / self.mass + self.penalty(coef)

    def etas(self, coef: Array) -> Arrays:
        """Return the linear predictors, each (G, n), or (G, 1) for a constant."""
        result = []
        for span, term, columns in zip(self.spans, self.terms, self.columns, strict=True):
            if columns is not None and len(columns) == 1:
                result.append(coef[:, span] @ columns[0])
            elif columns is not None:
                result.append((coef[:, None, span] @ columns)[:, 0])
            else:
                result.append(coef[:, span] if term.length else np.zeros((len(coef), 1)))
        if self.offset is not None:
            result[0] = result[0] + self.offset
        return tuple(result)

    def penalty(self, coef: Array) -> Array:
        """Return what the ridge adds to each value, (G,)."""
        if self.ridge is None:
            return np.zeros(len(coef))
        return 0.5 * (coef * self._pull(coef)).sum(axis=1)

    def _pull(self, coef: Array) -> Array:
        """Return the gradient of the ridge, (G, d)."""
        assert self.ridge is not None
        return (self.ridge @ coef[..., None])[..., 0]

    def share_inside(self, coef: Array, step: Array) -> Array:
        """Return which share of each step leaves all eta clearly inside their domains, (G,)."""
        share = np.ones(len(coef))
        if not self.domains:
            return share
        pairs = zip(self.etas(coef), self.etas(coef + step), self.domains, strict=True)
        for here, there, ends in pairs:
            for end in filter(np.isfinite, ends):
                way = (there - here) / (end - here)  # one at the end
                with np.errstate(divide="ignore"):
                    least = np.fmin.reduce(_TOWARDS_END / np.maximum(way, 0.0), axis=1)
                share = np.minimum(share, least)
        return share

    def takes_many(self, coef: Array) -> bool:
        """Return whether the formula takes the rows of many problems as it takes those of one.

        Formulas of other makers and of laws that sort their rows may not.
        """
        if len(coef) == 1:  # a table of one line would tell nothing
            coef = np.repeat(coef, 2, axis=0)
        etas = self.etas(coef)
        one = tuple(eta[0] if eta.shape[1] > 1 else eta[0, 0] for eta in etas)
        statistics = tuple(s[0] for s in self.statistics)
        alone = self.rows(statistics, one, 0).value  # type: ignore[arg-type]
        try:
            together = self.rows(self.statistics, etas, 0).value
            together = np.broadcast_to(together, (len(coef), self.n))[0]
        except Exception:  # whatever a formula of another maker says of a table
            return False
        return bool(np.allclose(alone, together, rtol=1e-10, atol=1e-10, equal_nan=True))

    def in_one_table(self) -> ManyObjectives:
        """Return the problems with a formula that is asked at all of their rows in one long table.

        Every family takes that; a table of shape (G, n) is not for each of them.
        """
        return replace(self, rows=partial(_rows_in_one_table, self.rows))

    def weighted(self, weight: Array | None) -> ManyObjectives:
        """Return the problems with these weights of the rows, (G, n), in place of their own."""
        return replace(self, weight=weight)

    def outer(self, coef: Array, squares: Array | None) -> Array:
        """Return the sums over the rows of the products of their gradients, (G, d, d).

        `squares` says how often each counts, (G, n), as in `scores.outer`; None: as the weights.
        """
        known = self.rows

        def rows(statistics: Arrays, eta: Arrays, order: int) -> Rows:
            gradient = known(statistics, eta, 1).gradient
            assert gradient is not None
            return bent_by(gradient)

        weight = self.weight if squares is None else squares
        sums = replace(self, rows=rows, weight=weight, ridge=None)
        return sums(coef).hessian * sums.mass[:, None, None]

    def outer_by_law(self, coef: Array, squares: Array | None, factors: Factors) -> Array:
        """Return the covariances of the summed weighted gradients, by the law, (G, d, d).

        `factors` are the weights of the classes; see `class_weights.outer_by_law`.
        """
        repeats = factors.repeats(self.statistics, self.weight, squares)
        rows = expected_products(self.rows, factors)
        sums = replace(self, rows=rows, weight=repeats, ridge=None)
        return sums(coef).hessian * sums.mass[:, None, None]

    def take(self, index: NDArray[np.intp]) -> ManyObjectives:
        """Return some of the problems."""

        def some(part: Array | None) -> Array | None:
            return part if part is None or len(part) == 1 else part[index]

        # Where all problems look shared, a single one is meant, or rows that all of them share.
        statistics = tuple(s if len(s) == 1 else s[index] for s in self.statistics)
        return replace(
            self,
            statistics=statistics,
            columns=tuple(map(some, self.columns)),
            weight=some(self.weight),
            offset=some(self.offset),
            ridge=some(self.ridge),
        )

    def _weighted(self, entry: Array, shape: tuple[int, int]) -> Array:
        if self.weight is None:
            return np.broadcast_to(entry, shape)
        return np.broadcast_to(entry * self.weight, shape)

    def _pulled(self, weighted: Array, a: int) -> Array:
        """Return the sums over the rows of the columns of a term times one number a row."""
        columns = self.columns[a]
        if columns is None:
            return weighted.sum(axis=1, keepdims=True)[:, : self.terms[a].length]
        if len(columns) == 1:
            return weighted @ columns[0].T
        return (columns @ weighted[..., None])[..., 0]

    def _sandwich(self, weighted: Array, a: int, b: int) -> Array:
        """Return the block of two terms of the Hessians, whose curvature in their etas is given."""
        left, right = self.columns[a], self.columns[b]
        if left is not None and right is not None:
            if len(left) == len(right) == 1:
                return _sandwiches_of_shared(left[0], right[0], weighted)
            return (left * weighted[:, None]) @ right.transpose(0, 2, 1)
        if left is None:
            return self._pulled(weighted, b)[:, None]
        return self._pulled(weighted, a)[..., None]


def _sandwiches_of_shared(left: Array, right: Array, weighted: Array) -> Array:
    """Return left diag(w) right' for each line w of weights, with columns that all lines share.

    Products of columns are made once for all lines, so that one product of matrices does the rest.
    They are made for some rows at once: they need not fit into the memory.
    """
    shape = len(left), len(right)
    symmetric = left is right
    a, b = np.triu_indices(len(left)) if symmetric else np.indices(shape).reshape(2, -1)
    sums = np.zeros((len(weighted), len(a)))
    size = max(1, _PRODUCTS // len(a))
    for low in range(0, weighted.shape[1], size):
        rows = slice(low, low + size)
        sums += weighted[:, rows] @ (left[a, rows] * right[b, rows]).T
    result = np.empty((len(weighted), *shape))
    result[:, a, b] = sums
    if symmetric:
        result[:, b, a] = sums
    return result


def _rows_in_one_table(rows: Formula, statistics: Arrays, eta: Arrays, order: int) -> Rows:
    """Return the rows of many problems, whose formula is asked at one long table of all of them."""
    shape = np.broadcast_shapes(*(e.shape for e in eta), statistics[0].shape[:2])

    def laid_out(part: Array) -> Array:
        rest = part.shape[2:]
        return np.broadcast_to(part, (*shape, *rest)).reshape(-1, *rest)

    def back(entry: Array | None) -> Array | None:
        return entry.reshape(shape) if entry is not None and np.size(entry) > 1 else entry

    found = rows(tuple(map(laid_out, statistics)), tuple(map(laid_out, eta)), order)
    value, slopes = back(found.value), found.gradient
    assert value is not None
    gradient = None if slopes is None else tuple(map(back, slopes))
    curvature = None if found.curvature is None else tuple(map(back, found.packed))
    return Rows(value, gradient, curvature)  # type: ignore[arg-type]
