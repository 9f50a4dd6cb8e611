"""The direction nearest to some coefficients along which no row becomes less likely.

Where margins differ by many orders of magnitude, coefficients predict all rows right only after
very many steps of any solver. The directions along which no row becomes less likely are a cone. It
has a face for each row: the gradient of a row's -log q, wherever it is taken, does not point along
any of them if -log q is convex. The point of the cone that is nearest to the coefficients is a
quadratic program, whose steps take as long as products with a few vectors.

References
----------
Goldfarb & Idnani (1983), A numerically stable dual method for solving strictly convex quadratic
programs, Mathematical Programming 27.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, qr_delete, solve_triangular

from skmle._engine.evaluation import Array
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.growth import growth
from skmle._engine.judge.loose import units_of
from skmle._engine.judge.separation import cleaned, rounding, separates
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Family

# How far inside of each face the direction shall be, as a share of its length: farther than
# rounding, and so near that margins of most different sizes all have room. With a share of 1e-4, a
# fit of 1,000 sparse rows to five classes took 1.5 to 4 times as many steps as with 1e-6.
_INSIDE = 1e-6
# Share of that by which the point may lie too near to a face, which is rounding.
_LEFT = 1e-3
# Share of its length up to which a direction may leave a face that others leave it no room to
# leave: it is rounding. It is the margin of the proofs of separation.
_LEAST = 1e-9
# Rows whose faces are added at a time, and steps of the program, at most.
# Chosen for the time they take.
_ADDED, _STEPS = 32, 3000
# Nats by which a row has become less likely where its face is taken. Chosen, not measured.
_FAR, _FARTHEST = 50.0, 1e6


class _Stuck(Exception):
    """Raised if some faces are opposite to each other, so that none of them can be left."""


class _TooLong(Exception):
    """Raised if the program takes too many steps."""


def nearest_direction(
    family: Family,
    statistics: Arrays,
    objective: Objective,
    coef: Array,
    behind: Behind | None = None,
) -> Array | None:
    """Return the direction nearest to some coefficients along which no row becomes less likely.

    It proves a separation. It is zero if no row can move without making one less likely, so that
    there is a maximum. It is None if nothing was proved in the time that this may take.
    """
    unit = units_of(objective)
    program = _Program(coef * unit)
    while True:
        way = program.point / unit
        own = cleaned(objective, way)
        delta, slack = own if behind is None else behind.then(own), rounding(own, behind)
        rises = growth(family, statistics, delta, objective.looks)
        wrong = np.flatnonzero(~(rises <= slack))
        if not len(wrong):
            if not any(e.any() for e in own):
                return np.zeros_like(way)
            return way if separates(family, statistics, objective, way, behind) else None
        wrong = wrong[np.argsort(-rises[wrong], kind="stable")[:_ADDED]]
        here, sizes = rises[wrong], np.max([np.abs(e[wrong]) for e in delta], axis=0)
        far = np.where(np.isfinite(here), _FARTHEST / here, _FAR / sizes)
        part = objective.take(wrong)
        part.statistics = part.statistics[: len(statistics)]
        gradients = _gradients(family, part, tuple(far * e[wrong] for e in delta))
        faces = -gradients / unit
        lengths = np.linalg.norm(faces, axis=1)
        if not (np.isfinite(lengths) & (lengths > 0.0)).all():
            return None
        faces /= lengths[:, None]
        if not program.is_outside(faces):
            return None  # these laws are not convex: the same point would come again
        program.faces = np.vstack([program.faces, faces])
        try:
            program.solve()
        except _TooLong:
            return None


def _gradients(family: Family, part: Objective, eta: Arrays) -> Array:
    """Return the gradient in the coefficients, (rows, d), of each of some rows at their eta."""
    design, n = part.design, part.design.n
    with np.errstate(all="ignore"):
        gradient = family.rows(part.statistics, eta, 1).gradient
    assert gradient is not None
    block, result = design.block(0, n), np.zeros((n, design.d))
    for s, term, entry in zip(design.slices, design.terms, gradient, strict=True):
        each = np.broadcast_to(entry, (n,))
        if term.columns is not None:
            result[:, s] = each[:, None] * block.array(term.columns)
        if term.intercept:
            result[:, s.stop] = each
    return result


class _Program:
    """The point nearest to a target that lies inside of some faces, or on those that are stuck."""

    def __init__(self, target: Array) -> None:
        self.point = target
        self.faces = np.zeros((0, len(target)))
        self.length = float(np.linalg.norm(target))
        self.stuck = np.zeros((0, len(target)))
        """The normals of faces that no direction can leave."""
        self.left = _STEPS
        self._restart()

    def solve(self) -> None:
        """Go to the point; raise `_TooLong` if that takes too many steps."""
        while True:
            try:
                self._solve()
                return
            except _Stuck:
                self._restart()

    def _restart(self) -> None:
        """Go on from the nearest point on the stuck faces, with no other face active."""
        basis, factor, _ = qr(self.stuck.T, mode="economic", pivoting=True)
        sizes = np.abs(np.diag(factor))
        rank = int(np.count_nonzero(sizes > _LEAST * sizes.max(initial=0.0)))
        self.fixed = rank
        self.basis, self.factor = basis[:, :rank].copy(), np.eye(rank)
        for _ in range(2):
            self.point = self.point - self.basis @ (self.basis.T @ self.point)
        length = float(np.linalg.norm(self.point))
        if length <= _LEAST * self.length:
            self.point, length = np.zeros_like(self.point), 0.0
        self.inside = _INSIDE * length
        self.faces = self.faces[self._is_free(self.faces)]
        self.active: list[int] = []
        self.forces = np.zeros(0)

    def _solve(self) -> None:
        while True:
            slack = self._slack(self.faces)
            slack[self.active] = 0.0
            if not len(slack) or not slack.min() < -_LEFT * self.inside:
                return
            self._enter(int(slack.argmin()))

    def is_outside(self, faces: Array) -> bool:
        """Whether the point can and has to move for one of these faces."""
        lacks = self._slack(faces) < -_LEFT * self.inside
        return bool((lacks & self._is_free(faces)).any())

    def _is_free(self, faces: Array) -> NDArray[np.bool_]:
        """Return which faces are not stuck: those that the stuck ones span are, too."""
        basis = self.basis[:, : self.fixed]
        beside = faces - (faces @ basis) @ basis.T
        return np.linalg.norm(beside, axis=1) > _LEAST

    def _slack(self, faces: Array) -> Array:
        return np.asarray(faces @ self.point - self.inside)

    def _enter(self, new: int) -> None:
        """Move until the new face is left behind, and drop faces that push no longer."""
        normal, force = self.faces[new], 0.0
        while True:
            self.left -= 1
            if self.left < 0:
                raise _TooLong
            shares = self.basis.T @ normal
            beside = normal - self.basis @ shares
            again = self.basis.T @ beside
            beside, shares = beside - self.basis @ again, shares + again
            room = float(beside @ beside)
            pull = (
                solve_triangular(self.factor, shares, check_finite=False) if len(shares) else shares
            )
            pull = pull[self.fixed :]
            # Up to which length of the step the forces of all active faces push.
            with np.errstate(divide="ignore", invalid="ignore"):
                ends = np.where(pull > _LEAST, self.forces / pull, np.inf)
            drop = int(ends.argmin()) if len(ends) else -1
            first = float(ends[drop]) if len(ends) else np.inf
            lacks = self.inside - float(normal @ self.point)
            whole = lacks / room if room > _LEAST**2 else np.inf
            step = min(first, whole)
            if step == np.inf:
                opposes = -pull * _LEAST >= room**0.5
                opposite = [self.active[i] for i in np.flatnonzero(opposes & (pull < 0.0))]
                self.stuck = np.vstack([self.stuck, self.faces[[new, *opposite]]])
                raise _Stuck
            if room > _LEAST**2:
                self.point = self.point + step * beside
            self.forces, force = self.forces - step * pull, force + step
            if step == whole:
                self._append(new, force, beside, shares, room)
                return
            left = len(shares) - 1
            basis, factor = qr_delete(
                self.basis, self.factor, self.fixed + drop, which="col", check_finite=False
            )
            # As many columns as coefficients are kept whole.
            self.basis, self.factor = basis[:, :left], factor[:left]
            self.active.pop(drop)
            self.forces = np.delete(self.forces, drop)

    def _append(self, new: int, force: float, beside: Array, shares: Array, room: float) -> None:
        """Take a face among the active ones."""
        q = len(shares)
        factor = np.zeros((q + 1, q + 1))
        factor[:q, :q], factor[:q, q], factor[q, q] = self.factor, shares, room**0.5
        self.basis = np.column_stack([self.basis, beside / room**0.5])
        self.factor = factor
        self.active.append(new)
        self.forces = np.append(self.forces, force)
