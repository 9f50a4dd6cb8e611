"""Separation is looked for on the way, when the likelihood has risen steeply or steps are slow.

Coefficients that predict all rows right prove a complete separation. Where only few rows are not
predicted right, a direction that leaves these as they are may prove a partial one. Both are seen
long before the coefficients have run off. Where few rows run off, the likelihood does not rise
steeply, but steps soon stop shrinking: the step itself is a proof once the rest has converged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.growth import growth
from skmle._engine.judge.lone import lone_columns
from skmle._engine.judge.loose import kernel
from skmle._engine.judge.nearest import nearest_direction
from skmle._engine.judge.separation import cleaned, recedes, rounding, separates
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.watch import RunsOff
from skmle._engine.prepare.likelihood import Likelihood

# Share of the first value below which it is looked for, and iterates between two looks. A look
# takes one pass over the rows. Chosen, not measured.
_STEEP, _EVERY = 0.25, 4
# Rows that were wrong at the last look and are asked at each iterate: once they are all right, all
# rows may be, and the next look does not wait. And the share of wrong rows up to which they may all
# turn before that. Chosen for the time it takes.
_ASKED, _FEW_WRONG = 64, 0.1
# Share of the largest change of eta below which a row that moves may only not have converged yet,
# and share above which it moves much. Chosen, not measured.
_CLEAR, _MUCH = 1e-4, 1e-2
# Coefficients up to which Newton's method computes what is left of a fit where rows have run off:
# the directions that no row of it determines take about ten Hessians' time to find. Chosen, not
# measured.
MOST = 1500
# Share of the largest pivot below which a row is a combination of others: rounding leaves about
# 1e-16 times the square root of the number of columns. Chosen, not measured.
_DEPENDENT = 1e-13
# Times that rows are added to those that are left as they are. Chosen, not measured.
_ROUNDS = 5
# Share of the coefficients of a term up to which wrong rows are left as they are before it is known
# that they stay wrong. Of 1,000 separable rows of 200 columns this was a proof after 4 steps in
# place of 20, with 21 rows wrong.
_FEW_LEFT = 0.25
# Iterates after which the nearest direction is looked for, once: half of all fits have come to
# their maximum after 6, and of separable ones most are proved after 8. Chosen, not measured.
_PATIENCE = 12
# Shares of the way to the next row that would turn wrong which are tried. Chosen, not measured.
_SHARES = (0.5, 0.05, 0.005)


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
        self.patience: float = _PATIENCE
        self.wrong: NDArray[np.bool_] | None = None
        """The rows that were not predicted right at the last look."""
        self.asked: Objective | None = None
        """Some of these rows, if they are few."""

    def __call__(self, coef: Array, at: Evaluation) -> None:
        """Look for a proof if the value is low enough, or the next step does not shrink."""
        if at.ahead is not None and (way := self._cleared(coef, at, at.ahead)) is not None:
            raise RunsOff(way, coef, at)
        if self.threshold is None:
            self._look_at_columns(coef, at)
        if self.threshold is None or np.isnan(self.threshold):  # no value was asked for yet
            self.threshold = _STEEP * at.value
        self.waiting -= 1
        self.patience -= 1
        if not at.value < self.threshold or (self.waiting > 0 and not self._have_turned(coef)):
            return
        self.waiting = _EVERY
        if not self._recedes():
            self.threshold = -np.inf
            return
        direction = self._direction(coef)
        if direction is None and self.patience < 0:
            self.patience = np.inf
            direction = self._nearest(coef)
        if direction is not None:
            raise RunsOff(direction, coef, at)

    def _cleared(self, coef: Array, at: Evaluation, step: Array) -> Array | None:
        """Return a proof next to a step along which each row moves much or next to not at all.

        Where a parameter may tend to a limit law, or a fit to the edge of a link's domain, that is
        tried at the end of the fit.
        """
        family, objective = self.likelihood.family, self.objective
        if self.behind is not None or family.limits or family.restricted or at.hessian is None:
            return None
        moves = np.max([np.abs(e) for e in cleaned(objective, step)], axis=0)
        far = moves > _CLEAR * moves.max(initial=0.0)
        if not far.any() or (moves[far] < _MUCH * moves.max()).any():
            return None
        if (moves[~far] > 0.0).any():
            # The rest has not converged yet. Of several eta it matters which of them move alike,
            # which shows only at the end.
            several = len(objective.design.modelled) > 1
            if several or np.count_nonzero(far) > _FEW_WRONG * len(far):
                return None
            part = objective.take(np.flatnonzero(far))
            here, start = part(coef).hessian, part(np.zeros_like(coef)).hessian
            assert here is not None and start is not None
            share = part.mass / objective.mass
            left = at.hessian - share * here
            basis, own = kernel(left, left + share * start)
            step = basis @ step[own]
        return step if self._proves(step) else None

    def _have_turned(self, coef: Array) -> bool:
        """Return whether some rows that were wrong at the last look are all predicted right."""
        part = self.asked
        if part is None:
            return False
        return not self._look(coef, part).wrong.any()

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
        look = self._look(coef)
        wrong = look.wrong
        if not wrong.any():
            return coef if look.proves else None
        known, self.wrong = self.wrong, wrong
        if self.behind is None and np.count_nonzero(wrong) <= _FEW_WRONG * len(wrong):
            self.asked = objective.take(np.flatnonzero(wrong)[:_ASKED])
        most, stay = min(term.length for term in objective.design.terms), wrong
        if known is None or not np.array_equal(known, wrong):
            most = int(_FEW_LEFT * most)
        for _ in range(_ROUNDS):
            if np.count_nonzero(stay) >= most:
                return None
            rows = np.flatnonzero(stay)
            spans = self._spans(rows)
            way = self._leaving(spans, coef)
            look = self._look(way)
            if look.proves:
                joined = self._joined(way, rows, spans, coef)
                return way if joined is None else joined
            stay = stay | look.wrong
        return None

    def _nearest(self, coef: Array) -> Array | None:
        """Return the nearest direction that proves a separation, if nearly all rows are right."""
        objective, wrong = self.objective, self.wrong
        if wrong is None or np.count_nonzero(wrong) > _FEW_WRONG * len(wrong):
            return None
        if self.behind is not None or objective.design.d > MOST:
            return None
        family, statistics = self.likelihood.family, self.likelihood.statistics
        way = nearest_direction(family, statistics, objective, coef)
        return way if way is not None and way.any() else None

    def _joined(
        self, way: Array, rows: NDArray[np.intp], spans: list[_Span], coef: Array
    ) -> Array | None:
        """Return a direction next to a proof that sends the rows that this leaves off, too.

        They are sent where each of them becomes likelier, if they are independent. None is returned
        if some of the others would come back.
        """
        objective = self.objective
        gradient = objective.take(rows).rows_at(0, len(rows), coef, 1).gradient
        assert gradient is not None
        turn = np.zeros_like(coef)
        for (own, span), entry in zip(spans, gradient, strict=True):
            turn[own] = span.with_moves(-np.broadcast_to(entry, (len(rows),)))
        there = np.abs(cleaned(objective, way))
        largest = max(float(np.abs(e).max(initial=0.0)) for e in objective.direction(turn))
        room = there[there > 0.0].min() / largest if largest > 0.0 else 0.0
        for share in _SHARES:
            joined = way + share * room * turn
            look = self._look(joined)
            if look.proves and not look.wrong.any():
                return joined
        return None

    def _proves(self, way: Array) -> bool:
        family, statistics = self.likelihood.family, self.likelihood.statistics
        return separates(family, statistics, self.objective, way, self.behind)

    def _look(self, coef: Array, objective: Objective | None = None) -> _Look:
        """Return what becomes of the rows far out along some coefficients."""
        objective = self.objective if objective is None else objective
        delta = cleaned(objective, coef)
        slack = rounding(delta, self.behind)
        still = np.all([e == 0.0 for e in delta], axis=0)
        moves = not bool(still.all())
        if self.behind is not None:
            delta, still = self.behind.then(delta), still & ~self.behind.moved
        statistics = objective.statistics[: len(self.likelihood.statistics)]
        rises = growth(self.likelihood.family, statistics, delta, objective.looks)
        lost = ~(np.broadcast_to(rises, still.shape) <= slack)
        return _Look(still | lost, moves and not lost.any())

    def _spans(self, rows: NDArray[np.intp]) -> list[_Span]:
        """Return for each term its coefficients, and what some rows determine of them."""
        design = self.objective.design
        block = design.take(rows).block(0, len(rows))
        result: list[_Span] = []
        for term, s in zip(design.terms, design.slices, strict=True):
            own = slice(s.start, s.stop + term.intercept)
            if result and design.alike:
                result.append((own, result[0][1]))
                continue
            x = np.zeros((len(rows), 0))
            x = x if term.columns is None else block.array(term.columns)
            x = np.column_stack([x, np.ones(len(rows))]) if term.intercept else x
            result.append((own, RowSpan.of(x)))
        return result

    def _leaving(self, spans: list[_Span], coef: Array) -> Array:
        """Return the nearest direction that does not move some rows, given their spans."""
        result = np.zeros_like(coef)
        for own, span in spans:
            result[own] = coef[own] - span.basis @ (span.basis.T @ coef[own])
        return result


class _Look(NamedTuple):
    """What becomes of rows far out in a direction."""

    wrong: NDArray[np.bool_]
    """Which rows become less likely, or do not move."""
    proves: bool
    """Whether no row becomes less likely and some do move."""


class RowSpan(NamedTuple):
    """The coefficients that some rows determine: those in the span of these rows."""

    basis: Array
    """(p, r), orthonormal."""
    factor: Array
    """(r, r), lower triangular: r of the rows are this factor times the basis."""
    chosen: NDArray[np.intp]
    """These rows."""

    @classmethod
    def of(cls, x: Array) -> RowSpan:
        """Return the span of the rows of x, of shape (rows, p)."""
        # A factor takes a tenth of the time of a pseudo-inverse.
        basis, factor, order = qr(x.T, mode="economic", pivoting=True)
        sizes = np.abs(np.diag(factor))
        rank = int(np.count_nonzero(sizes > _DEPENDENT * sizes.max(initial=0.0)))
        return cls(basis[:, :rank], factor[:rank, :rank].T, order[:rank])

    def with_moves(self, moves: Array) -> Array:
        """Return the least coefficients by which the chosen rows move as given for all rows."""
        wanted = moves[self.chosen]
        return np.asarray(self.basis @ solve_triangular(self.factor, wanted, lower=True))


_Span = tuple[slice, RowSpan]


def alarm_of(likelihood: Likelihood) -> Alarm | None:
    """Return the alarm of a fit; None if a penalty or the law leaves nothing to look for."""
    penalised, objective = likelihood.problem.penalised, likelihood.objective
    if penalised or not likelihood.design.modelled:
        return None
    known = recedes(likelihood.family, likelihood.statistics, objective.design.n)
    return Alarm(likelihood, objective) if known else None
