"""Separation is looked for on the way, when the likelihood has risen steeply or steps are slow.

Coefficients that predict all rows right prove a complete separation. Where only few rows are not
predicted right, a direction that leaves these as they are may prove a partial one. Both are seen
long before the coefficients have run off. Where few rows run off, the likelihood does not rise
steeply, but steps soon stop shrinking: the step itself is a proof once the rest has converged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.growth import growth
from skmle._engine.judge.lone import lone_columns
from skmle._engine.judge.separation import cleaned, recedes, rounding, separates
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.watch import RunsOff
from skmle._engine.prepare.likelihood import Likelihood
from skmle.families.base import Arrays

# Share of the first value below which it is looked for, and iterates between two looks. A look
# takes one pass over the rows. Chosen, not measured.
_STEEP, _EVERY = 0.25, 4
# Rows that were wrong at the last look and are asked at each iterate: once they are all right, all
# rows may be, and the next look does not wait. And the share of wrong rows up to which they may all
# turn before that. Chosen for the time it takes.
_ASKED, _FEW_WRONG = 64, 0.1
# Share of the largest change of eta below which a row that moves may only not have converged yet.
# Newton's steps square it, from below 1e-5 to rounding. Chosen, not measured.
_CLEAR = 1e-4
# Coefficients up to which Newton's method computes what is left of a fit where rows have run off:
# the directions that no row of it determines take about ten Hessians' time to find. Chosen, not
# measured.
MOST = 1500
# Share of the largest pivot below which a row is a combination of others: rounding leaves about
# 1e-16 times the square root of the number of columns. Chosen, not measured.
_DEPENDENT = 1e-13
# Times that rows are added to those that are left as they are. Chosen, not measured.
_ROUNDS = 5


class Alarm:
    """Called with each iterate; raises `RunsOff` if it finds a proof of separation.

    Parameters
    ----------
    likelihood : Likelihood
    objective : Objective
        That of the likelihood, or what is left of it where rows have run off before.
    behind : Behind, optional
        These rows.
    """

    def __init__(
        self, likelihood: Likelihood, objective: Objective, behind: Behind | None = None
    ) -> None:
        self.likelihood, self.objective, self.behind = likelihood, objective, behind
        self.threshold: float | None = None
        self.waiting = 0
        self.wrong: NDArray[np.bool_] | None = None
        """The rows that were not predicted right at the last look."""

    def __call__(self, coef: Array, at: Evaluation) -> None:
        """Look for a proof if the value is low enough, or the next step does not shrink."""
        if at.ahead is not None and self._is_clear(at.ahead) and self._proves(at.ahead):
            raise RunsOff(at.ahead, coef, at)
        if self.threshold is None:
            self.threshold = _STEEP * at.value
            self._look_at_columns(coef, at)
        self.waiting -= 1
        if not at.value < self.threshold or (self.waiting > 0 and not self._have_turned(coef)):
            return
        self.waiting = _EVERY
        if not self._recedes():
            self.threshold = -np.inf
            return
        if (direction := self._direction(coef)) is not None:
            raise RunsOff(direction, coef, at)

    def _is_clear(self, step: Array) -> bool:
        """Return whether each row moves along a step much or not at all, so that the rest stays.

        Where a parameter may tend to a limit law, or a fit to the edge of a link's domain, that is
        tried at the end of the fit.
        """
        family = self.likelihood.family
        if self.behind is not None or family.limits or family.restricted:
            return False
        moves = np.max([np.abs(e) for e in cleaned(self.objective, step)], axis=0)
        return bool(moves.any()) and bool((moves[moves > 0.0] > _CLEAR * moves.max()).all())

    def _have_turned(self, coef: Array) -> bool:
        """Return whether some rows that were wrong at the last look are all predicted right."""
        if self.wrong is None or self.behind is not None:
            return False
        if np.count_nonzero(self.wrong) > _FEW_WRONG * len(self.wrong):
            return False
        part = self.objective.take(np.flatnonzero(self.wrong)[:_ASKED])
        return not self._wrong(cleaned(part, coef), part.statistics).any()

    def _recedes(self) -> bool:
        likelihood = self.likelihood
        return recedes(likelihood.family, likelihood.statistics, self.objective.design.n)

    def _look_at_columns(self, coef: Array, at: Evaluation) -> None:
        """Raise `RunsOff` if columns alone prove a separation that takes many steps to show."""
        likelihood, objective = self.likelihood, self.objective
        if objective.design.d <= MOST or not self._recedes():
            return
        way = lone_columns(likelihood.family, likelihood.statistics, objective, self.behind)
        if way is not None:
            raise RunsOff(way, coef, at)

    def _direction(self, coef: Array) -> Array | None:
        """Return a direction near the coefficients that proves a separation; None if none does.

        As long as ever more rows are predicted right, all of them may be in the end.
        """
        objective = self.objective
        wrong = self._wrong(cleaned(objective, coef))
        if not wrong.any():
            return coef if self._proves(coef) else None
        known, self.wrong = self.wrong, wrong
        if known is None or not np.array_equal(known, wrong):
            return None
        most, stay = min(term.length for term in objective.design.terms), wrong
        for _ in range(_ROUNDS):
            if stay.sum() >= most:
                return None
            way = self._leaving(np.flatnonzero(stay), coef)
            if self._proves(way):
                return way
            stay = stay | self._wrong(cleaned(objective, way))
        return None

    def _proves(self, way: Array) -> bool:
        family, statistics = self.likelihood.family, self.likelihood.statistics
        return separates(family, statistics, self.objective, way, self.behind)

    def _wrong(self, delta: Arrays, statistics: Arrays | None = None) -> NDArray[np.bool_]:
        """Return the rows that become less likely along a change of eta, or do not move."""
        family = self.likelihood.family
        statistics = self.likelihood.statistics if statistics is None else statistics
        slack = rounding(delta, self.behind)
        still = np.all([e == 0.0 for e in delta], axis=0)
        if self.behind is not None:
            delta, still = self.behind.then(delta), still & ~self.behind.moved
        rises = growth(family, statistics, delta, self.objective.looks)
        return still | ~(np.broadcast_to(rises, still.shape) <= slack)

    def _leaving(self, rows: NDArray[np.intp], coef: Array) -> Array:
        """Return the nearest direction that does not move some rows."""
        design = self.objective.design
        block = design.take(rows).block(0, len(rows))
        result = np.zeros_like(coef)
        held: Array | None = None
        for term, s in zip(design.terms, design.slices, strict=True):
            own = slice(s.start, s.stop + term.intercept)
            if held is None or not design.alike:
                x = np.zeros((len(rows), 0))
                x = x if term.columns is None else block.array(term.columns)
                x = np.column_stack([x, np.ones(len(rows))]) if term.intercept else x
                # A factor takes a tenth of the time of a pseudo-inverse.
                held, factor, _ = qr(x.T, mode="economic", pivoting=True)
                sizes = np.abs(np.diag(factor))
                held = held[:, sizes > _DEPENDENT * sizes.max(initial=0.0)]
            result[own] = coef[own] - held @ (held.T @ coef[own])
        return result


def alarm_of(likelihood: Likelihood) -> Alarm | None:
    """Return the alarm of a fit; None if a penalty or the law leaves nothing to look for."""
    penalised, objective = likelihood.problem.penalised, likelihood.objective
    if penalised or not likelihood.design.modelled:
        return None
    known = recedes(likelihood.family, likelihood.statistics, objective.design.n)
    return Alarm(likelihood, objective) if known else None
