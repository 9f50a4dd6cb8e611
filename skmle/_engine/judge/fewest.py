"""The fewest columns that prove a separation: those whose coefficients have to be infinite.

A direction that a fit runs off along may move columns that have no part in the proof: noise beside
the column that tells the outcomes apart, or the other levels of a factor with a guilty one. Which
columns are needed is tried out on the columns as the user gave them, some at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import cuts, strata
from skmle._engine.evaluation import Array
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.growth import growth
from skmle._engine.judge.separation import Span, cleaned, rounding, separates, vanished
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Coefs
from skmle._engine.solvers.newton import newton
from skmle.families.base import Arrays

# Share of the largest change of a slope along a direction, in standard deviations of the columns,
# from which a slope counts as moving: well above rounding. Chosen, not measured.
_MOVES = 1e-6
# How much slower than the rows before it each further set of rows is shown to run off. Only that it
# is slower counts.
_LATER = 1e-3
# Columns up to which fewer ones are looked for; of more, only so many that move most are tried.
# Chosen for the time it takes.
_TRIED = 8
# Steps of Newton's method in a try, rows on which it is made first, and times that rows join them.
# Chosen, not measured.
_STEPS, _ROWS, _ROUNDS = 15, 500, 8
# Share of a direction's curvature below which it moves none of the rows that must stay. As in
# `receding`.
_GONE = 1e-9


def way_of(likelihood: Likelihood, directions: tuple[Array, ...]) -> Coefs:
    """Return a direction in which the user's coefficients run to infinity.

    Where different sets of columns prove the same, it is one of few columns.
    """
    objective, terms = likelihood.objective, likelihood.problem.terms
    total = [np.zeros(term.size + 1) for term in terms]
    behind: Behind | None = None
    for level, direction in enumerate(directions):
        moving = _moving(likelihood, direction)
        found = (
            _of_one_parameter(likelihood, direction, moving, behind)
            or _thinned(likelihood, direction, moving, behind)
            or moving
        )
        largest = max(float(np.abs(part).max()) for part in found)
        for sum_, part in zip(total, found, strict=True):
            sum_ += _LATER**level * part / largest
        delta = cleaned(objective, direction)
        behind = Behind.of(delta) if behind is None else behind.further(delta)
    return tuple((part[:-1], float(part[-1])) for part in total)


def _moving(likelihood: Likelihood, direction: Array) -> list[Array]:
    """Return the change of the user's coefficients along a direction, each term's intercept last.

    Slopes are in standard deviations of their columns, and what is rounding is zero.
    """
    here, there = likelihood.raw(np.zeros_like(direction)), likelihood.raw(direction)
    seen = likelihood.columns.survey
    result = []
    for term, (slopes, intercept), (to, up) in zip(
        likelihood.problem.terms, here, there, strict=True
    ):
        change = np.append(to - slopes, up - intercept)
        if term.columns is not None and seen is not None:
            scale = np.where(seen.scale > 0.0, seen.scale, 1.0)[term.columns]
            change[:-1] *= scale
        result.append(change)
    largest = max(float(np.abs(change).max(initial=0.0)) for change in result)
    return [np.where(np.abs(change) > _MOVES * largest, change, 0.0) for change in result]


def _of_one_parameter(
    likelihood: Likelihood, direction: Array, moving: list[Array], behind: Behind | None
) -> list[Array] | None:
    """Return the change along another direction with the same rows, of the parameter told first.

    None is returned if there is none. Else it would depend on rounding which of several parameters
    a verdict names.
    """
    family = likelihood.family
    if family.told_first not in family.names:
        return None
    return _thinned(likelihood, direction, moving, behind, [family.told_first])


def _thinned(
    likelihood: Likelihood,
    direction: Array,
    moving: list[Array],
    behind: Behind | None,
    names: Sequence[str] = (),
) -> list[Array] | None:
    """Return the change along another direction with the same rows, of fewer columns.

    It is one of some parameters, if their `names` are given. None is returned if none is found.
    """
    problem = likelihood.problem
    if problem.X is None or likelihood.objective.held().any():
        return None
    sizes = np.zeros(problem.X.shape[1])
    for term, change in zip(problem.terms, moving, strict=True):
        if term.columns is not None:
            np.maximum.at(sizes, _numbers(term, len(sizes)), np.abs(change[:-1]))
    columns = np.flatnonzero(sizes)
    columns = columns[np.argsort(-sizes[columns], kind="stable")]
    moves = [bool(change.any()) for change in moving]
    if names:
        moves = [name in names for name in likelihood.family.names]
    elif not len(columns):
        return None
    trial = _Trial(likelihood, direction, moves, behind)
    best = None
    if len(columns) == 1 and not names:
        # It may do without the intercept.
        return trial(columns) if any(change[-1] for change in moving) else None
    if len(columns) > _TRIED or names:
        columns = columns[:_TRIED]
        if (best := trial(columns)) is None:
            return None
    for column in columns[::-1]:
        fewer = columns[columns != column]
        if column in columns and (found := trial(fewer)) is not None:
            columns, best = fewer, found
    return best


class _Trial:
    """Whether some columns, with the intercepts, send the same rows to infinity as a direction."""

    def __init__(
        self,
        likelihood: Likelihood,
        direction: Array,
        moves: list[bool],
        behind: Behind | None,
    ) -> None:
        self.likelihood, self.behind, self.moves = likelihood, behind, moves
        delta = cleaned(likelihood.objective, direction)
        moved = np.any([e != 0.0 for e in delta], axis=0)
        self.before = np.zeros(len(moved), bool) if behind is None else behind.moved
        self.gone = moved & ~self.before
        self.stays = ~moved & ~self.before

    def __call__(self, columns: NDArray[np.intp]) -> list[Array] | None:
        """Return the change of the coefficients of these columns; None if they do not."""
        problem = self.likelihood.problem
        x = self._columns(columns)
        zero: NDArray[np.bool_] = ~(x != 0.0).any(axis=1)
        if zero[self.gone].any() and (zero[self.stays].any() or self._are_held(zero & self.gone)):
            return None  # equal rows move alike
        terms, places = [], []
        for term in problem.terms:
            own = np.flatnonzero(np.isin(columns, _numbers(term, problem.X.shape[1])))
            terms.append(Term(own if len(own) else None, len(own), term.intercept))
            places.append(own)
        design = Design(tuple(terms), len(x), x)
        objective = replace(
            self.likelihood.objective, design=design, penalties=(), lasso=None, watch=None
        )
        if not design.d or not self.gone.any() or (basis := self._still(objective)) is None:
            return None
        way = self._separating(objective, basis)
        return None if way is None else self._change(way, design, columns, places)

    def _are_held(self, rows: NDArray[np.bool_]) -> bool:
        """Return whether some rows, which one intercept alone moves, cannot all run off."""
        family, objective = self.likelihood.family, self.likelihood.objective
        if sum(self.moves) > 1:
            return False  # there may be ways of several intercepts
        for sign in (-1.0, 1.0):
            delta: Arrays = tuple(np.where(rows, sign * moves, 0.0) for moves in self.moves)
            slack = rounding(delta, self.behind)
            delta = delta if self.behind is None else self.behind.then(delta)
            rises = growth(family, self.likelihood.statistics, delta, objective.looks)
            if (np.broadcast_to(rises, rows.shape)[rows] <= slack).all():
                return False
        return True

    def _separating(self, objective: Objective, basis: Array) -> Array | None:
        """Return a direction in the span of a basis that sends the same rows to infinity, or None.

        It is looked for on some of the rows, which those that it does not send there join.
        """
        family, statistics = self.likelihood.family, objective.statistics
        rows = np.flatnonzero(self.gone)
        tried = rows[strata(len(rows), _ROWS)] if len(rows) > _ROWS else rows
        for _ in range(_ROUNDS):
            part = objective.take(np.unique(tried))
            found = newton(Span(part, basis), np.zeros(basis.shape[1]), max_iter=_STEPS)
            for way in (basis @ found.step, basis @ found.coef):
                delta = cleaned(objective, way)
                still = np.all([e == 0.0 for e in delta], axis=0) & self.gone
                if not still.any() and separates(family, statistics, objective, way, self.behind):
                    return way
            delta = cleaned(part, way)
            rises = growth(family, part.statistics, delta, objective.looks)
            if len(tried) == len(rows) or not (np.max(rises) <= 0.0):
                return None
            rises = growth(family, statistics, cleaned(objective, way), objective.looks)
            wrong = rows[~(np.broadcast_to(rises, still.shape)[rows] <= 0.0)]
            tried = np.concatenate([tried, wrong[:_ROWS], np.flatnonzero(still)[:_ROWS]])
        return None

    def _columns(self, columns: NDArray[np.intp]) -> Array:
        """Return some columns of X less their shifts, divided by their largest absolute values."""
        blocks = self.likelihood.columns.given.blocks
        assert blocks is not None
        parts = [blocks.block(*cut).array(columns) for cut in cuts(blocks.n, blocks.width)]
        x = np.concatenate(parts)
        unit = np.abs(x).max(axis=0, initial=0.0)
        return x / np.where(unit > 0.0, unit, 1.0)

    def _still(self, objective: Objective) -> Array | None:
        """Return a basis of the coefficients that move none of the rows that stay."""
        design = objective.design
        blocks = []
        for term, moves in zip(design.terms, self.moves, strict=True):
            if not moves:
                blocks.append(np.zeros((term.length, 0)))
                continue
            x = objective.design.X[:, term.columns] if term.size else np.zeros((design.n, 0))
            x = np.column_stack([x, np.ones(design.n)]) if term.intercept else x
            if not x.shape[1]:
                blocks.append(np.zeros((0, 0)))
                continue
            stays = x[self.stays]
            nugget = _GONE**2 * design.n * np.eye(x.shape[1])
            blocks.append(vanished(stays.T @ stays, x.T @ x + nugget, _GONE))
        width = sum(block.shape[1] for block in blocks)
        if not width:
            return None
        basis, row, column = np.zeros((design.d, width)), 0, 0
        for block in blocks:
            high, wide = block.shape
            basis[row : row + high, column : column + wide] = block
            row, column = row + high, column + wide
        return basis

    def _change(
        self,
        way: Array,
        design: Design,
        columns: NDArray[np.intp],
        places: list[NDArray[np.intp]],
    ) -> list[Array]:
        """Return the change of all coefficients of the user's terms."""
        problem = self.likelihood.problem
        largest, result = float(np.abs(way).max()), []
        for whole, term, s, own in zip(
            problem.terms, design.terms, design.slices, places, strict=True
        ):
            change = np.zeros(whole.size + 1)
            if len(own):
                numbers = _numbers(whole, problem.X.shape[1])
                at = {int(column): i for i, column in enumerate(numbers)}
                change[[at[int(c)] for c in columns[own]]] = way[s]
            if term.intercept:
                change[-1] = way[s.stop]
            change[np.abs(change) <= _MOVES * largest] = 0.0
            result.append(change)
        return result


def _numbers(term: Term, p: int) -> NDArray[np.intp]:
    """Return the columns of X on which a term depends, one by one."""
    return np.arange(0) if term.columns is None else np.arange(p)[term.columns]
