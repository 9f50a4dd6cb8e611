"""Separation is looked for on the way, when the likelihood has risen steeply or steps are slow.

Coefficients that predict all rows right prove a complete separation. Where only few rows are not
predicted right, a direction that leaves these as they are may prove a partial one. Both are seen
long before the coefficients have run off. Where few rows run off, the likelihood does not rise
steeply, but steps soon stop shrinking: the step itself is a proof once the rest has converged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.judge.behind import of_charts
from skmle._engine.judge.separation import MARGIN, cleaned, recedes, separates
from skmle._engine.likelihood.watch import RunsOff
from skmle._engine.prepare.likelihood import Likelihood
from skmle.families.base import Arrays

# Share of the first value below which it is looked for, and iterates between two looks. A look
# takes one pass over the rows. Chosen, not measured.
_STEEP, _EVERY = 0.25, 4
# Share of the largest change of eta below which a row that moves may only not have converged yet.
# Newton's steps square it, from below 1e-5 to rounding. Chosen, not measured.
_CLEAR = 1e-4
# Times that rows are added to those that are left as they are. Chosen, not measured.
_ROUNDS = 5


class Alarm:
    """Called with each iterate; raises `RunsOff` if it finds a proof of separation."""

    def __init__(self, likelihood: Likelihood) -> None:
        self.likelihood = likelihood
        self.threshold: float | None = None
        self.waiting = 0
        self.wrong: NDArray[np.bool_] | None = None
        """The rows that were not predicted right at the last look."""

    def __call__(self, coef: Array, at: Evaluation) -> None:
        """Look for a proof if the value is low enough, or the next step does not shrink."""
        if at.ahead is not None and self._is_clear(at.ahead) and self._proves(at.ahead):
            raise RunsOff(at.ahead, coef)
        if self.threshold is None:
            self.threshold = _STEEP * at.value
        self.waiting -= 1
        if not at.value < self.threshold or self.waiting > 0:
            return
        self.waiting = _EVERY
        likelihood = self.likelihood
        if not recedes(likelihood.family, likelihood.statistics, likelihood.objective):
            self.threshold = -np.inf
            return
        if (direction := self._direction(coef)) is not None:
            raise RunsOff(direction, coef)

    def _is_clear(self, step: Array) -> bool:
        """Return whether each row moves along a step much or not at all, so that the rest stays.

        Where a parameter may tend to a limit law, that is tried at the end of the fit.
        """
        if self.likelihood.family.limits:
            return False
        moves = np.max([np.abs(e) for e in cleaned(self.likelihood.objective, step)], axis=0)
        return bool(moves.any()) and bool((moves[moves > 0.0] > _CLEAR * moves.max()).all())

    def _direction(self, coef: Array) -> Array | None:
        """Return a direction near the coefficients that proves a separation; None if none does.

        As long as ever more rows are predicted right, all of them may be in the end.
        """
        objective = self.likelihood.objective
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
        likelihood = self.likelihood
        return separates(likelihood.family, likelihood.statistics, likelihood.objective, way)

    def _wrong(self, delta: Arrays) -> NDArray[np.bool_]:
        """Return the rows that become less likely along a change of eta, or do not move."""
        family, statistics = self.likelihood.family, self.likelihood.statistics
        growth = np.asarray(family.recession(statistics, of_charts(family, delta)))
        largest = max(float(np.abs(e).max(initial=0.0)) for e in delta)
        still = np.all([e == 0.0 for e in delta], axis=0)
        return still | ~(np.broadcast_to(growth, still.shape) <= MARGIN * largest)

    def _leaving(self, rows: NDArray[np.intp], coef: Array) -> Array:
        """Return the nearest direction that does not move some rows."""
        design = self.likelihood.objective.design
        block = design.take(rows).block(0, len(rows))
        result = np.zeros_like(coef)
        x, before = np.zeros((0, 0)), None
        for term, s in zip(design.terms, design.slices, strict=True):
            own = slice(s.start, s.stop + term.intercept)
            if before is None or not design.alike:
                x = np.zeros((len(rows), 0))
                x = x if term.columns is None else block.array(term.columns)
                x = np.column_stack([x, np.ones(len(rows))]) if term.intercept else x
                before = np.linalg.pinv(x)
            result[own] = coef[own] - before @ (x @ coef[own])
        return result


def alarm_of(likelihood: Likelihood) -> Alarm | None:
    """Return the alarm of a fit; None if a penalty or a constant law leaves nothing to look for."""
    penalised = likelihood.problem.penalised
    return Alarm(likelihood) if likelihood.design.modelled and not penalised else None
