"""Newton's method under absolute penalties.

Each step minimises the sum of a quadratic model of the smooth part and the absolute penalties,
which keep their cusps, exactly; Levenberg-Marquardt damping makes it safe. Only a working set of
columns takes part. It is solved as if it were all columns; then one gradient tells whether others
must come in. A hessian serves several steps and is corrected by what they show of it, as long as
that is quicker than a new one. Along a path of penalties it serves the next penalty, too.
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
# As in `newton`: the first damping, in units of the curvature; the share of slope^2 / f below which
# that unit does not fall; the least share of the predicted gain that counts as a decrease; the
# distance that is good enough to stop at when rounding hides what steps gain; and the number of
# such steps on end after which the search stops.
_DAMPING = 1e-3
_SLOPE = 1e-3
_ACCEPT = 1e-3
_FLOOR = 1e-3
_BLIND_STEPS = 4
# The other values were chosen, not measured.
# Damping that always stays: flat directions (equal columns, more columns than rows) need some
# curvature.
_NUGGET = 1e-11
_TRIES = 60  # of damping, each 4 times the one before: 1e36 in all, enough for any units
_LOOSE = 0.1  # distance to which a working set that has just grown is solved
_GROWTH = 2  # a working set grows by at most so many times its size, or by `_FEWEST` columns
_FEWEST = 32
_NEARLY = 0.6  # a column whose slope is this share of its penalty comes in beside those that must
_OUTSIDE = 1e-9  # share of the penalty by which the slope of a zero coefficient may exceed it
# A new hessian is reckoned to take as long as (columns / this) steps without one. That is little:
# on 10,000 rows of a logistic regression, one thread, a hessian of 130 columns took as long as 7
# gradients. The rest of a step, the solution of the quadratic model, does not grow with the rows.
_COST = 130
_SETTLED = 2  # steps that Newton's method usually needs with a new hessian


class PenalisedObjective(Protocol):
    """What this solver needs of an objective."""

    size: float
    design: Any
    penalties: Any
    lasso: Any

    def __call__(self, coef: Array, order: int = 2) -> Evaluation: ...

    def restrict(self, columns: NDArray[np.intp]) -> tuple[Self, NDArray[np.intp]]:
        """Return the objective on some columns, and the indices of the coefficients it keeps."""

    def penalised_as(self, whole: Any, index: NDArray[np.intp]) -> Self:
        """Return the same objective under the penalties that another has on these coefficients."""

    def likelihood_at(self, part: Any, coef: Array) -> Evaluation:
        """Return the likelihood, with its gradient in all coefficients, at a point of a part."""


P = TypeVar("P", bound=PenalisedObjective)


@dataclass
class Working(Generic[P]):
    """The working set of columns, and what is known of the objective on it.

    A path hands it from one penalty to the next.

    Parameters
    ----------
    objective : PenalisedObjective
        The objective on all columns.
    columns : ndarray of int
        Indices of the columns in the set, increasing.
    """

    objective: P
    columns: NDArray[np.intp]
    end: Array | None = None
    """Where the last search ended, in all coefficients."""
    there: Evaluation | None = None
    """The likelihood there, with its gradient in all coefficients."""
    hessian: Array | None = field(default=None, repr=False)
    """Hessian of the likelihood in the coefficients of `part`, at a point nearby."""

    def __post_init__(self) -> None:
        self.part, self.index = self.objective.restrict(self.columns)

    @classmethod
    def around(cls, objective: P, start: Array) -> Working[P]:
        """Return the set of the columns whose slopes are not all zero."""
        carriers = objective.design.carriers()
        return cls(objective, np.unique(carriers[(carriers >= 0) & (start != 0.0)]))

    def under(self, objective: P) -> Working[P]:
        """Take another objective of the same likelihood: only its penalties are new."""
        self.objective, self.part = objective, self.part.penalised_as(objective, self.index)
        return self

    @property
    def kink(self) -> Array:
        """The absolute penalty of each coefficient of `part`."""
        return self.part.lasso.strength

    def ridge(self, coef: Array) -> Array:
        """Return the curvature that the other penalties add to each coefficient of `part`.

        What is not on the diagonal of their Hessian, or concave, counts among that of the likelihood.
        """
        zero = np.zeros(len(self.index))
        return sum((np.maximum(p.curvature(coef), 0.0) for p in self.part.penalties), zero)

    @property
    def gradient(self) -> Array:
        """Gradient of the likelihood, in all coefficients, where the last search ended."""
        assert self.there is not None and self.there.gradient is not None
        return self.there.gradient

    def measure(self, coef: Array) -> None:
        """Compute the gradient in all coefficients, where a search has ended."""
        self.end = coef.copy()
        self.there = self.objective.likelihood_at(self.part, coef[self.index])

    def evaluate(self, coef: Array) -> Evaluation:
        """Return value and gradient of `part`.

        Where the last search ended they are known and need no pass over the rows.
        """
        if self.end is None or not np.array_equal(self.end[self.index], coef):
            return self.part(coef, 1)
        at = Evaluation(self.there.value, self.gradient[self.index])  # type: ignore[union-attr]
        for penalty in self.part.penalties:
            penalty.add(at, coef)
        return at

    def grow(self) -> bool:
        """Let in the columns whose slopes cannot stay zero; return whether there were any.

        Some columns whose slopes hardly can stay zero come in with them.
        """
        kink, carriers = self.objective.lasso.strength, self.objective.design.carriers()
        slopes = carriers >= 0
        urge = np.zeros(self.objective.design.p)
        np.maximum.at(urge, carriers[slopes], np.abs(self.gradient[slopes]) / kink[slopes])
        urge[self.columns] = 0.0
        if not (urge > 1.0 + _OUTSIDE).any():
            return False
        # A step costs what the hessian of the set costs, so the set may be larger than it must be,
        # but not by much.
        must = min(int((urge > 1.0).sum()), max(_FEWEST, _GROWTH * len(self.columns)))
        besides = max(_FEWEST, (len(self.columns) + must) // 2)
        first = np.argsort(-urge, kind="stable")[: must + besides]
        self.columns = np.union1d(self.columns, first[urge[first] > _NEARLY])
        self.part, self.index = self.objective.restrict(self.columns)
        self.hessian = None
        return True

    def renew(self, coef: Array) -> Evaluation:
        """Compute a new hessian; return the evaluation."""
        at = self.part(coef, 2)
        assert at.hessian is not None
        self.hessian = at.hessian.copy()
        self.hessian[np.diag_indices(len(coef))] -= self.ridge(coef)
        return at

    def learn(self, coef: Array, step: Array, change: Array) -> bool:
        """Correct the hessian by the change of gradient along a step from `coef`.

        Return whether the objective was convex along it; if not, nothing is corrected.

        References
        ----------
        Nocedal & Wright (2006), Numerical Optimization, eq. 6.19 (BFGS).
        """
        assert self.hessian is not None
        change = change - self.ridge(coef) * step
        product = self.hessian @ step
        along, seen = float(step @ product), float(step @ change)
        if not (along > 0.0 and seen > _ACCEPT * along):
            return False
        # BLAS works in place on Fortran order, as the transpose has; it is the same symmetric
        # matrix.
        dger(1.0 / seen, change, change, a=self.hessian.T, overwrite_a=True)
        dger(-1.0 / along, product, product, a=self.hessian.T, overwrite_a=True)
        return True

    def judged(self, solution: Solution) -> Solution:
        """Return a solution in the coefficients of `part`, with a hessian.

        In the hessian, coefficients that the absolute penalty holds at zero stand apart.
        """
        assert self.hessian is not None and solution.evaluation.gradient is not None
        coef = solution.coef[self.index]
        hessian = self.hessian + np.diag(self.ridge(coef))
        diagonal = np.diag(hessian) * (1.0 + _NUGGET)
        apart = (coef == 0.0) & (self.kink > 0.0)
        hessian[apart], hessian[:, apart] = 0.0, 0.0
        hessian[np.diag_indices(len(coef))] = np.where(apart & (diagonal <= 0.0), 1.0, diagonal)
        found = solution.evaluation
        at = Evaluation(found.value, solution.evaluation.gradient[self.index], hessian)
        return solution._replace(coef=coef, evaluation=at, step=solution.step[self.index])


def proximal(
    objective: P,
    start: Array,
    *,
    tol: float = 1e-6,
    max_iter: int = 100,
    working: Working[P] | None = None,
) -> Solution:
    """Minimise an objective with absolute penalties.

    The search ends when the step of the quadratic model is at most `tol` standard errors long.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation of all but the absolute penalties, which are
        ``objective.lasso``.
    start : ndarray of shape (d,)
        Where the search starts.
    tol : float
        Distance to the optimum in standard errors, at which no zero coefficient must leave zero.
    max_iter : int
        Most steps of all working sets together.
    working : Working, optional
        The working set of a solution nearby; `start` is zero outside its columns.

    Returns
    -------
    Solution
        It has no hessian, and carries the last working set for the next penalty.

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
        # Far from the optimum squares overflow. No warning is needed: values that are not finite
        # reject a step.
        with np.errstate(all="ignore"):
            found = _newton(working, coef[working.index], goal, max_iter - steps)
        steps += found.n_iter
        coef[working.index] = found.coef
        working.measure(coef)
        grown = found.converged and working.grow()
        if not grown and (goal == tol or not found.converged):
            step = np.zeros_like(coef)
            step[working.index] = found.step
            at = Evaluation(0.0, working.gradient.copy())
            for penalty in objective.penalties:
                penalty.add(at, coef)
            at.value = found.evaluation.value
            return Solution(
                coef=coef,
                evaluation=at,
                step=step,
                distance=found.distance,
                n_iter=steps,
                converged=found.converged,
                working=working,
            )


class _Step(NamedTuple):
    """The way to the minimiser of the quadratic model."""

    step: Array
    gain: float
    """Fall of the objective that the model predicts."""
    distance: float
    """Length of the step in standard errors."""
    least: float
    """The least damping that changes the step: about the curvature along it."""


class _Taken(NamedTuple):
    """A step that was taken, and where it led."""

    step: Array
    at: Evaluation
    share: float
    """The gain as a share of the predicted one; inf where rounding hides it."""
    damping: float


def _newton(working: Working, coef: Array, goal: float, budget: int) -> Solution:
    """Minimise on the working set.

    Its hessian is renewed where that is quicker than to go on with the old one.
    """
    new = working.hessian is None
    at = working.renew(coef) if new else working.evaluate(coef)
    damping, blind, previous, iteration, step = 0.0, 0, np.inf, 0, np.zeros_like(coef)
    while True:
        model = _model(working, coef, at, 0.0)
        distance = np.inf if model is None else model.distance
        left = 0.0 if model is None else _steps_left(distance, previous, goal)
        if not new and (model is None or left > len(coef) / _COST + _SETTLED):
            at, new, previous = working.renew(coef), True, np.inf
            continue
        step = step if model is None else model.step
        if distance <= goal:
            # The last step costs nothing, and squares the distance.
            return Solution(coef + step, at, step, distance, iteration, True)
        if iteration >= budget or blind >= _BLIND_STEPS:
            arrived = blind >= _BLIND_STEPS and distance <= _FLOOR
            return Solution(coef, at, step, distance, iteration, arrived)
        first, tries = (damping, _TRIES) if new else (0.0, 1)
        taken = _search(working, coef, at, model, first, tries)
        if taken is None and new:
            return Solution(coef, at, step, distance, iteration + 1, distance <= _FLOOR)
        if taken is None:
            at, new, previous = working.renew(coef), True, np.inf
            continue
        iteration += 1
        blind = blind + 1 if taken.share == np.inf else 0
        convex = working.learn(coef, taken.step, taken.at.gradient - at.gradient)  # type: ignore[operator]
        coef, previous = coef + taken.step, distance
        new = not (convex and taken.damping == 0.0)
        at = working.renew(coef) if new else taken.at
        damping = _relax(taken.damping, taken.share, _DAMPING if model is None else model.least)


def _model(working: Working, coef: Array, at: Evaluation, damping: float) -> _Step | None:
    """Minimise the quadratic model around `coef`; None if it has no minimum.

    The damping is in units of the curvature.
    """
    assert working.hessian is not None and at.gradient is not None
    kink, ridge = working.kink, working.ridge(coef)
    a = working.hessian.copy()
    diagonal = np.diag(a) + ridge
    # excess^2 / f has the unit of the curvature. Without it a start far from the optimum, where the
    # curvature underflows, would look like an optimum.
    excess = np.maximum(np.abs(at.gradient) - kink, 0.0)
    scale = np.maximum(np.abs(diagonal), _SLOPE / (1.0 + abs(at.value)) * excess**2)
    scale = np.where(scale > 0.0, scale, 1.0)
    a[np.diag_indices(len(coef))] = diagonal + (_NUGGET + damping) * scale
    if not np.isfinite(a).all():
        return None
    found = solve_quadratic(a, at.gradient - a @ coef, kink, coef)
    if found is None:
        return None
    move = found - coef
    along = float(move @ (a @ move))  # the curvature along the step
    gain = _total(kink, coef) - _total(kink, found) - float(at.gradient @ move) - 0.5 * along
    least = min(_DAMPING, along / float(scale @ move**2)) if along > 0.0 else _DAMPING
    return _Step(move, gain, (working.part.size * max(along, 0.0)) ** 0.5, least)


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
    """Return the gain as a share of the predicted one.

    It is inf where rounding hides the gain, and None if there is no gain.
    """
    if there.gradient is None or not np.isfinite(there.value):
        return None
    if not np.isfinite(there.gradient).all():
        return None
    before, after = _total(kink, coef), _total(kink, coef + model.step)
    gain = at.value - there.value + (before - after)
    rounding = _EPS * (abs(at.value) + before + 1.0)
    if model.gain <= 8.0 * rounding:
        return np.inf if abs(gain) <= 32.0 * rounding else None
    return gain / model.gain if gain > _ACCEPT * model.gain else None


def _total(kink: Array, coef: Array) -> float:
    """Return the absolute penalty; an infinite strength times zero is zero."""
    on = coef != 0.0
    return float(kink[on] @ np.abs(coef[on]))


def _relax(damping: float, share: float, least: float) -> float:
    """Return the next damping: less after a step that gained what was predicted, else more."""
    if share > 0.75:
        damping /= 10.0
    elif share < 0.25:
        damping = 2.0 * damping if damping else least
    return damping if damping >= least else 0.0


def _steps_left(distance: float, previous: float, goal: float) -> float:
    """Return how many more steps it takes to the goal at the present rate."""
    if not previous < np.inf or distance <= goal:
        return 0.0
    if not distance < previous:
        return np.inf
    return float(np.log(goal / distance) / np.log(distance / previous))
