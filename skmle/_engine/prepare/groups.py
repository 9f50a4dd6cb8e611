"""Groups of rows made ready to be fitted together: gathered, centred, scaled, with their starts.

Groups may also be the same rows under different weights, as those of bootstrap samples. Their rows
are then held once: arrays of them have a first axis of one. Of rows with different observations,
as those that are drawn from a fitted law, X alone is held once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.observed import Factors
from skmle._engine.data.padded import Padded
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.prepare.starts import finite_start
from skmle._engine.problem import Problem
from skmle._engine.solvers.many import cholesky, solve
from skmle.families.base import Arrays, Family


@dataclass(frozen=True)
class Groups:
    """The rows of some groups, one line a group; places that are padded have weight zero."""

    statistics: Arrays
    """(G, n, ...) each; (1, n, ...) where all groups have the same rows."""
    sizes: NDArray[np.intp]
    mass: Array
    weight: Array | None
    """(G, n); None: all rows count alike, and no place is padded."""
    X: Array | None
    """(G, p, n), or (1, p, n)."""
    offset: Array | None
    equal: NDArray[np.bool_]
    """Of which groups all observations are the same."""
    squares: Array | None = None
    """As in `Observed`, (G, n)."""
    factors: Factors | None = None
    """As in `Observed`, its weights (K,) or (K, G, 1)."""

    @classmethod
    def of(cls, problem: Problem, padded: Padded) -> Groups:
        """Return the groups of a problem's rows."""
        observed, rows, sizes = problem.observed, padded.rows, padded.sizes
        statistics = tuple(s[rows] for s in observed.statistics)
        weight = None if observed.weight is None else observed.weight[rows]
        if sizes[0] < rows.shape[1]:
            inside = np.arange(rows.shape[1]) < sizes[:, None]
            weight = inside.astype(float) if weight is None else weight * inside
        squares = None
        if observed.squares is not None:
            assert weight is not None
            squares = np.where(weight > 0.0, observed.squares[rows], 0.0)
        factors = observed.factors
        if factors is not None and factors.weights.ndim == 2:
            own = factors.weights[padded.groups]
            factors = factors._replace(weights=own.T[:, :, None])
        X = None
        if problem.X is not None and any(term.size for term in problem.terms):
            X = np.ascontiguousarray(problem.X[rows].transpose(0, 2, 1), np.float64)
        return cls(
            statistics=statistics,
            sizes=sizes,
            mass=sizes.astype(float) if weight is None else weight.sum(axis=1),
            weight=weight,
            X=X,
            offset=None if problem.offset is None else problem.offset[rows],
            equal=_all_equal(statistics),
            squares=squares,
            factors=factors,
        )

    @classmethod
    def weighted(cls, problem: Problem, weight: Array) -> Groups:
        """Return all rows of a problem under each line of weights, (G, n), as groups."""
        statistics = tuple(s[None] for s in problem.observed.statistics)
        counts = weight > 0.0
        first = counts.argmax(axis=1)
        differ = [(s[0] != s[0, first][:, None]) & counts for s in statistics if s.ndim == 2]
        modelled = problem.X is not None and any(term.size for term in problem.terms)
        return cls(
            statistics=statistics,
            sizes=counts.sum(axis=1),
            mass=weight.sum(axis=1),
            weight=weight,
            X=np.ascontiguousarray(problem.X.T[None], np.float64) if modelled else None,
            offset=None if problem.offset is None else problem.offset[None],
            equal=~np.any(differ, axis=(0, 2)) if differ else np.zeros(len(weight), bool),
        )

    @classmethod
    def observed(cls, problem: Problem, statistics: Arrays) -> Groups:
        """Return the rows of a problem without weights, with others of G observations each.

        `statistics` are of shape (G, n, ...).
        """
        sizes = np.full(statistics[0].shape[0], statistics[0].shape[1])
        modelled = problem.X is not None and any(term.size for term in problem.terms)
        return cls(
            statistics=statistics,
            sizes=sizes,
            mass=sizes.astype(float),
            weight=None,
            X=np.ascontiguousarray(problem.X.T[None], np.float64) if modelled else None,
            offset=None if problem.offset is None else problem.offset[None],
            equal=_all_equal(statistics),
        )

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.sizes)

    @property
    def shared(self) -> bool:
        """Whether all groups have the same rows."""
        return len(self.statistics[0]) < self.count

    def unweighted(self) -> Groups:
        """Return the rows that all groups share as one group, in which all rows count alike."""
        n = self.statistics[0].shape[1]
        one = np.full(1, n)
        equal = _all_equal(self.statistics)
        return replace(self, sizes=one, mass=one.astype(float), weight=None, equal=equal)

    def ask(self, question: Callable[[Arrays], Array]) -> Array:
        """Return what a family answers of each row, (G, n); 0-d if that is the same for all.

        It is asked of all rows in one long table, as every family takes it.
        """
        answer = np.asarray(question(_laid_out(self.statistics)))
        return answer if answer.ndim == 0 else answer.reshape(self.statistics[0].shape[:2])

    @property
    def rows(self) -> Arrays:
        """The statistics of all groups' rows, one below the other."""
        return _laid_out(self.statistics)

    def replaced(self, rows: Arrays) -> Groups:
        """Return the groups with other statistics, those of all rows one below the other."""
        shape = self.statistics[0].shape[:2]
        return replace(self, statistics=tuple(s.reshape(*shape, *s.shape[1:]) for s in rows))

    def mean(self, values: Array) -> Array:
        """Return the weighted mean over the rows, the last axis."""
        if self.weight is None:
            return values.mean(axis=-1)
        weight = self.weight if values.ndim == 2 else self.weight[:, None]
        return (values * weight).sum(axis=-1) / (
            self.mass if values.ndim == 2 else self.mass[:, None]
        )

    def total(self, entry: Array) -> Array:
        """Return the weighted sum over the rows of an entry that may be the same for all, (G,)."""
        if entry.ndim == 0:
            return float(entry) * self.mass
        return (entry if self.weight is None else entry * self.weight).sum(axis=1)

    def base(self, family: Family) -> Array:
        """Return the sums of the terms of -log q that depend on y only, (G,)."""
        return self.total(self.ask(family.base))

    def each(self, statistics: Arrays) -> list[tuple[Arrays, Array | None]]:
        """Return the statistics of each group, and the weights of its rows."""
        return [
            (
                tuple(s[g, :n] for s in statistics),
                None if self.weight is None else self.weight[g, :n],
            )
            for g, n in enumerate(self.sizes)
        ]


def _laid_out(statistics: Arrays) -> Arrays:
    """Return the statistics of the rows of all groups in one long table."""
    return tuple(s.reshape(-1, *s.shape[2:]) for s in statistics)


def _all_equal(statistics: Arrays) -> NDArray[np.bool_]:
    """Return of which groups all observations are the same number.

    Those of several numbers in a row never are, as in a fit by itself.
    """
    if statistics[0].ndim > 2:
        return np.zeros(len(statistics[0]), bool)
    # The last row differs from the first in almost all groups.
    equal = np.all([s[:, 0] == s[:, -1] for s in statistics], axis=0)
    if equal.any():
        equal &= np.all([(s == s[:, :1]).all(axis=1) for s in statistics], axis=0)
    return np.asarray(equal)


def columns_of(
    groups: Groups, terms: tuple[Term, ...]
) -> tuple[tuple[Array | None, ...], tuple[Array | None, ...]]:
    """Return the columns of each term, (G, length, n), and what was subtracted from its slopes'.

    Columns beside an intercept are centred, and a column of ones follows them. Constants have no
    columns.
    """
    columns: list[Array | None] = []
    shifts: list[Array | None] = []
    for j, term in enumerate(terms):
        if not term.size or groups.X is None:
            columns.append(None)
            shifts.append(None)
            continue
        before = [i for i in range(j) if _alike(terms[i], term)]
        if before:
            columns.append(columns[before[0]])
            shifts.append(shifts[before[0]])
            continue
        x, shift = groups.X[:, term.columns], None
        if term.intercept:
            shift = groups.mean(x)
            x = np.concatenate([x - shift[:, :, None], np.ones((len(x), 1, x.shape[2]))], 1)
        columns.append(x)
        shifts.append(shift)
    return tuple(columns), tuple(shifts)


def _alike(one: Term, other: Term) -> bool:
    if one.columns is None or other.columns is None or one.intercept != other.intercept:
        return False
    if isinstance(one.columns, slice) or isinstance(other.columns, slice):
        both = isinstance(one.columns, slice) and isinstance(other.columns, slice)
        return both and bool(one.columns == other.columns)
    return np.array_equal(one.columns, other.columns)


class Scaled(NamedTuple):
    """Groups whose y is measured in units of its own, where the law is movable."""

    groups: Groups
    statistics: Arrays
    offset: Array | None
    origin: Array
    unit: Array
    moves: tuple[str, ...]
    """As in `Units`."""
    first: Array | None
    """Least squares on the columns of the first term, (G, length); None: there are none."""
    residual: Array | None
    """What it leaves of the first statistic, (G, n), with mean zero and root mean square one."""
    usable: NDArray[np.bool_]
    """Which groups have a spread."""


def scaled(
    family: Family, terms: tuple[Term, ...], groups: Groups, columns: tuple[Array | None, ...]
) -> Scaled:
    """Return groups in units of their own; of a law that is not movable, as they are.

    The unit is the root mean square residual of least squares, which leaves one start for all
    groups. Statistics that are no plain numbers have the units that the family gives them.
    """
    count, y = groups.count, groups.statistics[0]
    every = np.ones(count, bool)
    as_they_are = Scaled(
        groups,
        groups.statistics,
        groups.offset,
        np.zeros(count),
        np.ones(count),
        (),
        None,
        None,
        every,
    )
    pairs = list(zip(family.parameters, terms, strict=True))
    scales = [term.intercept for param, term in pairs if param.unit in ("scale", "rate")]
    # A law that holds a location or a scale would be another one for each group.
    holds = family.measured(0.0, 2.0) is not family
    if not family.movable or holds or not all(scales):
        return as_they_are
    free = all(term.intercept for param, term in pairs if param.unit == "location")
    first = residual = None
    if len(groups.statistics) == 1 and family.parameters[0].unit == "location":
        origin = groups.mean(y) * free
        residual = y - origin[:, None]
        residual = residual if groups.offset is None else residual - groups.offset
        if columns[0] is not None:
            first, residual = _least_squares(groups, columns[0], residual)
        elif free:
            first = groups.mean(residual)[:, None]
            residual = residual - first
        unit = np.sqrt(groups.mean(residual * residual))
    else:
        pairs_of = [family.centre_and_spread(*one) for one in groups.each(groups.statistics)]
        origin, unit = np.array(pairs_of).reshape(-1, 2).T
        origin = origin * free
    usable = (unit > 0.0) & np.isfinite(unit)
    unit = np.where(usable, unit, 1.0)
    moves = tuple(param.unit for param in family.parameters)
    shape = groups.statistics[0].shape[:2]
    origins, units = (np.broadcast_to(one[:, None], shape).ravel() for one in (origin, unit))
    return Scaled(
        groups=groups,
        statistics=groups.replaced(
            family.standardise(groups.rows, origins, units)  # type: ignore[arg-type]
        ).statistics,
        offset=None if groups.offset is None else groups.offset / unit[:, None],
        origin=origin,
        unit=unit,
        moves=moves,
        first=None if first is None else first / unit[:, None],
        residual=None if residual is None else residual / unit[:, None],
        usable=usable,
    )


def _least_squares(groups: Groups, x: Array, z: Array) -> tuple[Array, Array]:
    """Return least squares of z on columns, (G, q), and the residuals, (G, n)."""
    weighted = x if groups.weight is None else x * groups.weight[:, None]
    gram = weighted @ x.transpose(0, 2, 1)
    factor, _ = cholesky(gram)
    coef = np.zeros(gram.shape[:2])
    residual = z
    for _ in range(2):  # the second corrects the rounding errors of the first
        coef = coef + solve(factor, (weighted @ residual[..., None])[..., 0])
        residual = z - (coef[:, None] @ x)[:, 0]
    return coef, residual


def starts_of(family: Family, terms: tuple[Term, ...], own: Scaled) -> list[Array]:
    """Return one or several starts of all groups, (G, d) each.

    There are none for laws whose several starts are to be tried one group after the other.
    """
    groups = own.groups
    if own.residual is not None and not family.several_modes:
        # In their own units, groups are so alike that the start of all of them serves for each.
        weight = None if groups.weight is None else groups.weight.ravel()
        first = family.starts((own.residual.ravel(),), weight)[0]
        charted = [np.tile(first, (groups.count, 1))]
    else:
        lists: list[list[tuple[float, ...]]] = []
        for one in groups.each(own.statistics):
            lists.append(family.starts(*one))
            if len(lists[-1]) > 1 and not family.several_modes:
                # From each of them a fit by itself may go its own way to another maximum, as those
                # of mixtures do: two searches with damping parted on a long way.
                return []
        most = max(map(len, lists))  # a group with fewer starts tries its first one again
        charted = [np.array([(f[k:] or f)[0] for f in lists]) for k in range(most)]
    d = sum(term.length for term in terms)
    result = []
    for chart_eta in charted:
        coef, at = np.zeros((groups.count, d)), 0
        etas = family.linked(finite_start(chart_eta.T))
        for eta, term in zip(etas, terms, strict=True):
            at += term.length
            if term.intercept:
                coef[:, at - 1] = eta
        if own.residual is not None and not family.several_modes and own.first is not None:
            coef[:, : own.first.shape[1]] += own.first
        elif own.offset is not None and terms[0].intercept:
            coef[:, terms[0].length - 1] -= groups.mean(own.offset)
        result.append(coef)
    return result
