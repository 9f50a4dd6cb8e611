"""Newton's method under absolute penalties: the quadratic model keeps their cusps, and only columns that matter are in it.

A working set of columns is solved as if it were all; then one gradient tells whether another column wants in. Within the
set each step minimises the quadratic model of the smooth part plus the absolute penalties exactly, under
Levenberg-Marquardt damping. A hessian serves several steps, corrected by what they show of it, as long as this is quicker
than a new one; along a path of penalties it serves the next one too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dger

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.solvers.quadratic import solve_quadratic

_EPS = float(np.finfo(float).eps)
_NUGGET = 1e-11  # damping that never goes: flat directions (equal columns, more columns than rows) need some curvature
_DAMPING = 1e-3  # first damping beyond it
_SLOPE = 1e-3  # share of slope^2/f below which no scale falls
_TRIES = 60  # of the damping
_ACCEPT = 1e-3  # least share of the predicted gain that counts as a real decrease
_FLOOR = 1e-3  # distance at which a value that no longer resolves steps is good enough to stop
_BLIND_STEPS = 4
_LOOSE = 0.1  # distance to which a set of columns is solved that has just grown
_GROWTH = 2  # a set grows by at most so many times its size
_FEWEST = 32  # columns let in at once
_NEARLY = (
    0.6  # share of its penalty from which a column's slope lets it in beside those that must come
)
_OUTSIDE = 1e-9  # share of the penalty by which a zero coefficient's slope may exceed it: rounding
_COST = 130  # columns for which a hessian costs as much as a step without one
_SETTLED = 2  # steps that Newton's method needs with a new hessian


class PenalisedObjective(Protocol):
    """What this solver needs of an objective."""

    size: float
    design: Any
    penalties: Any
    lasso: Any

    def __call__(self, coef: Array, order: int = 2) -> Evaluation: ...

    def restrict(self, columns: NDArray[np.intp]) -> tuple[Self, NDArray[np.intp]]:
        """Return the objective of some columns, and which coefficients it keeps."""

    def penalised_as(self, whole: Any, index: NDArray[np.intp]) -> Self:
        """Return the same objective under another's penalties."""

    def likelihood_at(self, part: Any, coef: Array) -> Evaluation:
        """Return the likelihood with its gradient in all coefficients at a point of a part."""


P = TypeVar("P", bound=PenalisedObjective)


@dataclass
class Working(Generic[P]):
    """The columns in play, and what is known of the objective there: a path hands it from one penalty to the next.

    Parameters
    ----------
    objective : PenalisedObjective
        On all columns.
    columns : ndarray of int
        Those in play: in order of their index.
    """

    objective: P
    columns: NDArray[np.intp]
    end: Array | None = None
    """Where the last search ended, in all coefficients."""
    there: Evaluation | None = None
    """The likelihood there, with its gradient in all coefficients."""
    bend: Array | None = field(default=None, repr=False)
    """Hessian of the likelihood in the coefficients of `part`, from a point nearby."""

    def __post_init__(self) -> None:
        self.part, self.index = self.objective.restrict(self.columns)

    @classmethod
    def around(cls, objective: P, start: Array) -> Working[P]:
        """Return the set of the columns whose slopes are not all zero."""
        carriers = objective.design.carriers()
        return cls(objective, np.unique(carriers[(carriers >= 0) & (start != 0.0)]))

    def under(self, objective: P) -> Working[P]:
        """Take over another objective of the same likelihood: only its penalties are new."""
        self.objective, self.part = objective, self.part.penalised_as(objective, self.index)
        return self

    @property
    def kink(self) -> Array:
        """The absolute penalty of each coefficient of `part`."""
        return self.part.lasso.strength

    @property
    def ridge(self) -> Array:
        """The curvature that the other penalties add to each coefficient of `part`."""
        return sum((penalty.strength for penalty in self.part.penalties), np.zeros(len(self.index)))

    @property
    def gradient(self) -> Array:
        """Of the likelihood, in all coefficients, where the last search ended."""
        assert self.there is not None and self.there.gradient is not None
        return self.there.gradient

    def measure(self, coef: Array) -> None:
        """Take the gradient in all coefficients."""
        self.end, self.there = (
            coef.copy(),
            self.objective.likelihood_at(self.part, coef[self.index]),
        )

    def evaluate(self, coef: Array) -> Evaluation:
        """Return value and gradient of `part`; what the last search has left needs no pass over the rows."""
        if self.end is None or not np.array_equal(self.end[self.index], coef):
            return self.part(coef, 1)
        at = Evaluation(self.there.value, self.gradient[self.index])  # type: ignore[union-attr]
        for penalty in self.part.penalties:
            penalty.add(at, coef)
        return at

    def grow(self) -> bool:
        """Let in columns whose slopes cannot stay zero, and some that hardly can; return whether there were any."""
        kink, carriers = self.objective.lasso.strength, self.objective.design.carriers()
        slopes = carriers >= 0
        urge = np.zeros(self.objective.design.p)
        np.maximum.at(urge, carriers[slopes], np.abs(self.gradient[slopes]) / kink[slopes])
        urge[self.columns] = 0.0
        if not (urge > 1.0 + _OUTSIDE).any():
            return False
        # The hessian of the set is what a step costs, so it may be larger than it must be, but not by much.
        must = min(int((urge > 1.0).sum()), max(_FEWEST, _GROWTH * len(self.columns)))
        first = np.argsort(-urge, kind="stable")[
            : must + max(_FEWEST, (len(self.columns) + must) // 2)
        ]
        self.columns = np.union1d(self.columns, first[urge[first] > _NEARLY])
        self.part, self.index = self.objective.restrict(self.columns)
        self.bend = None
        return True

    def renew(self, coef: Array) -> Evaluation:
        """Take a new hessian; return the evaluation."""
        at = self.part(coef, 2)
        assert at.hessian is not None
        self.bend = at.hessian.copy()
        self.bend[np.diag_indices(len(coef))] -= self.ridge
        return at

    def learn(self, step: Array, change: Array) -> bool:
        """Correct the hessian by the change of gradient along a step; return whether that was convex.

        References
        ----------
        Nocedal & Wright (2006), Numerical Optimization, eq. 6.19 (BFGS).
        """
        assert self.bend is not None
        change = change - self.ridge * step
        product = self.bend @ step
        along, seen = float(step @ product), float(step @ change)
        if not (along > 0.0 and seen > _ACCEPT * along):
            return False
        # In place: the transpose of a symmetric matrix is itself in the order of BLAS.
        dger(1.0 / seen, change, change, a=self.bend.T, overwrite_a=True)
        dger(-1.0 / along, product, product, a=self.bend.T, overwrite_a=True)
        return True

    def judged(self, solution: Solution) -> Solution:
        """Return a solution in the coefficients of `part`, with a hessian in which those at zero stand apart."""
        assert self.bend is not None and solution.evaluation.gradient is not None
        coef = solution.coef[self.index]
        hessian = self.bend + np.diag(self.ridge)
        diagonal = np.diag(hessian) * (1.0 + _NUGGET)
        apart = (coef == 0.0) & (self.kink > 0.0)
        hessian[apart], hessian[:, apart] = 0.0, 0.0
        hessian[np.diag_indices(len(coef))] = np.where(apart & (diagonal <= 0.0), 1.0, diagonal)
        at = Evaluation(
            solution.evaluation.value, solution.evaluation.gradient[self.index], hessian
        )
        return solution._replace(coef=coef, evaluation=at, step=solution.step[self.index])


def proximal(
    objective: P,
    start: Array,
    *,
    tol: float = 1e-6,
    max_iter: int = 100,
    working: Working[P] | None = None,
) -> tuple[Solution, Working[P]]:
    """Minimise an objective with absolute penalties until the step of its quadratic model is at most `tol` standard errors.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation of all but the absolute penalties, which are ``objective.lasso``.
    start : ndarray of shape (d,)
    tol : float
        Distance to the optimum in standard errors; no zero coefficient then wants to leave zero.
    max_iter : int
        Most steps, of all working sets together.
    working : Working, optional
        What a solution nearby has left; `start` is zero outside its columns.

    Returns
    -------
    solution : Solution
        Without hessian.
    working : Working

    References
    ----------
    Lee, Sun & Saunders (2014), Proximal Newton-type methods for minimizing composite functions.
    Massias, Gramfort & Salmon (2018), Celer: a fast solver for the lasso with dual extrapolation.
    Tibshirani et al. (2012), Strong rules for discarding predictors in lasso-type problems.
    """
    coef, steps = np.array(start, float), 0
    working = Working.around(objective, coef) if working is None else working.under(objective)
    grown = working.there is None or working.grow()
    while True:
        goal = max(tol, _LOOSE) if grown else tol
        with np.errstate(
            all="ignore"
        ):  # far off, squares overflow; values that are not finite reject a step
            found = _newton(working, coef[working.index], goal, max_iter - steps)
        steps += found.n_iter
        coef[working.index] = found.coef
        working.measure(coef)
        grown = found.converged and working.grow()
        if not grown and (goal == tol or not found.converged):
            step = np.zeros_like(coef)
            step[working.index] = found.step
            gradient = working.gradient + sum(penalty.pull(coef) for penalty in objective.penalties)
            at = Evaluation(found.evaluation.value, gradient)
            return Solution(coef, at, step, found.distance, steps, found.converged), working


class _Step(NamedTuple):
    """The way to the minimiser of the quadratic model."""

    step: Array
    gain: float
    """Fall of the objective that the model predicts."""
    distance: float
    least: float
    """The least damping worth trying: as large as the curvature along the step."""


class _Taken(NamedTuple):
    """A step that was taken, and where it led."""

    step: Array
    at: Evaluation
    share: float
    """Of the predicted gain; inf where the value cannot resolve it."""
    damping: float


def _newton(working: Working, coef: Array, goal: float, budget: int) -> Solution:
    """Minimise on the working set; the hessian of `working` is renewed where that is quicker than to go on with it."""
    new = working.bend is None
    at = working.renew(coef) if new else working.evaluate(coef)
    damping, blind, previous, iteration, step = 0.0, 0, np.inf, 0, np.zeros_like(coef)
    while True:
        model = _model(working, coef, at, 0.0)
        distance = np.inf if model is None else model.distance
        if not new and (
            model is None or _steps_left(distance, previous, goal) > len(coef) / _COST + _SETTLED
        ):
            at, new, previous = working.renew(coef), True, np.inf
            continue
        step = step if model is None else model.step
        if distance <= goal:
            # The step is free, and squares the distance.
            return Solution(coef + step, at, step, distance, iteration, True)
        if iteration >= budget or blind >= _BLIND_STEPS:
            return Solution(
                coef, at, step, distance, iteration, blind >= _BLIND_STEPS and distance <= _FLOOR
            )
        taken = _search(
            working, coef, at, model, damping if new else 0.0, tries=_TRIES if new else 1
        )
        if taken is None and new:
            return Solution(coef, at, step, distance, iteration + 1, distance <= _FLOOR)
        if taken is None:
            at, new, previous = working.renew(coef), True, np.inf
            continue
        iteration += 1
        blind = blind + 1 if taken.share == np.inf else 0
        convex = working.learn(taken.step, taken.at.gradient - at.gradient)  # type: ignore[operator]
        coef, previous = coef + taken.step, distance
        at, new = (
            (taken.at, False) if convex and taken.damping == 0.0 else (working.renew(coef), True)
        )
        damping = _relax(taken.damping, taken.share, _DAMPING if model is None else model.least)


def _model(working: Working, coef: Array, at: Evaluation, damping: float) -> _Step | None:
    """Minimise the quadratic model around `coef`, damped in units of the curvature; None if it has no minimum."""
    assert working.bend is not None and at.gradient is not None
    kink, ridge = working.kink, working.ridge
    a = working.bend.copy()
    diagonal = np.diag(a) + ridge
    # Excess^2/f has the units of the curvature; without it a start far off, where that underflows, looks like an optimum.
    excess = np.maximum(np.abs(at.gradient) - kink, 0.0)
    scale = np.maximum(np.abs(diagonal), _SLOPE / (1.0 + abs(at.value)) * excess**2)
    scale = np.where(scale > 0.0, scale, 1.0)
    a[np.diag_indices(len(coef))] = diagonal + (_NUGGET + damping) * scale
    if (
        not np.isfinite(a).all()
        or (found := solve_quadratic(a, at.gradient - a @ coef, kink, coef)) is None
    ):
        return None
    move = found - coef
    bend = float(move @ (a @ move))
    gain = _total(kink, coef) - _total(kink, found) - float(at.gradient @ move) - 0.5 * bend
    least = min(_DAMPING, bend / float(scale @ move**2)) if bend > 0.0 else _DAMPING
    return _Step(move, gain, (working.part.size * max(bend, 0.0)) ** 0.5, least)


def _search(
    working: Working, coef: Array, at: Evaluation, model: _Step | None, damping: float, tries: int
) -> _Taken | None:
    """Raise the damping until a step gains what the model predicts; None if none does."""
    least = _DAMPING if model is None else model.least
    for _ in range(tries):
        tried = model if damping == 0.0 else _model(working, coef, at, damping)
        finite = True
        if tried is not None:
            there = working.part(coef + tried.step, 1)
            if (share := _share(working.kink, coef, at, tried, there)) is not None:
                return _Taken(tried.step, there, share, damping)
            finite = bool(np.isfinite(there.value))
        damping = max(4.0 * damping, least) * (1.0 if finite else 2.5)
    return None


def _share(
    kink: Array, coef: Array, at: Evaluation, model: _Step, there: Evaluation
) -> float | None:
    """Return the gain as a share of what was predicted; inf where the value cannot resolve it; None if there is none."""
    if there.gradient is None or not (
        np.isfinite(there.value) and np.isfinite(there.gradient).all()
    ):
        return None
    before, after = _total(kink, coef), _total(kink, coef + model.step)
    gain = at.value - there.value + (before - after)
    blur = _EPS * (abs(at.value) + before + 1.0)
    if model.gain <= 8.0 * blur:
        return np.inf if abs(gain) <= 32.0 * blur else None
    return gain / model.gain if gain > _ACCEPT * model.gain else None


def _total(kink: Array, coef: Array) -> float:
    """Return the absolute penalty; an infinite one of zero is nothing."""
    on = coef != 0.0
    return float(kink[on] @ np.abs(coef[on]))


def _relax(damping: float, share: float, least: float) -> float:
    if share > 0.75:
        damping /= 10.0
    elif share < 0.25:
        damping = 2.0 * damping if damping else least
    return damping if damping >= least else 0.0


def _steps_left(distance: float, previous: float, goal: float) -> float:
    """Return how many more steps the present rate takes to the goal."""
    if not previous < np.inf or distance <= goal:
        return 0.0
    return (
        float(np.log(goal / distance) / np.log(distance / previous))
        if distance < previous
        else np.inf
    )
