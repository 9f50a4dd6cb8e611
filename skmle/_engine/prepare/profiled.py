"""The profile of a likelihood: its maximum where a linear function of the coefficients is held.

With the function a'c held at a value t, the minimum f(t) of the objective is one over an affine
subspace, which is searched by Newton's method as the whole space is. A coefficient that is held in
this way is still one of the model's: an offset in its place would hold the slopes of the first
parameter alone, and would take its column out of the information that Jeffreys' penalty is made of.

At the minimum the gradient is a multiple of a, which is the slope of the profile, and its curvature
is 1 / a' H^-1 a. Both come with a fit and cost nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.likelihood.objective import Objective
from skmle._engine.solvers.newton import newton

# Distance in standard errors at which a fit on the way stops: the deviance is off by its square.
_TOL = 1e-7
# Deviance that is none: no fit can be better, even where a flat likelihood stops a search. Chosen.
_NONE = 1e-9
# Largest gradient, in standard errors of each coefficient alone, that is as good as none. Chosen.
_UNSEEN = 1e-6
# Squared pivot of a Hessian on a unit diagonal from which no tangent has digits left. Chosen.
_SINGULAR = 1e-8
_STEPS = 100  # as by default of the estimators


class Point(NamedTuple):
    """A profile where its function has moved so far from the estimate."""

    deviance: float
    """2 (l_max - l); inf where no coefficients are possible; nan if no maximum was found."""
    slope: float
    """Its derivative in the move."""
    curvature: float
    """Its second derivative; nan where the Hessian is singular."""


class Profile:
    """The deviance as a function of how far a'coef is from its estimate.

    Each fit starts from the one before.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
        Where it has its minimum.
    direction : ndarray of shape (d,)
        a.
    start : ndarray of shape (d,), optional
        From where to start, if not from `coef`: where that is on a way to infinity, on which the
        likelihood is flat.
    lowest : float, optional
        The infimum, if that is at no coefficients: moves are then from `coef`.
    """

    def __init__(
        self,
        objective: Objective,
        coef: Array,
        direction: Array,
        start: Array | None = None,
        lowest: float | None = None,
    ) -> None:
        self.objective = replace(objective, watch=None, alarm=None)
        self.direction = direction
        self.fits = 0
        self.coef = coef
        if lowest is None:
            self.fits = 1
            self.coef = newton(self.objective, coef, tol=_TOL * 1e-2, max_iter=_STEPS).coef
        self._at = self.objective(self.coef)
        self.lowest = self._at.value if lowest is None else lowest
        self._place = 0.0, self.coef
        self._first: tuple[tuple[float, Array], Evaluation] | None = None
        if start is not None:
            self._at = self.objective(start)
            self._place = float(direction @ (start - self.coef)), start
            self._first = self._place, self._at
        assert self._at.hessian is not None
        # The coefficient that has the most of the function's variance is the one to follow.
        spread = np.sqrt(np.maximum(self._at.hessian.diagonal(), np.finfo(float).tiny))
        self._pivot = int(np.abs(direction / spread).argmax())

    def __call__(self, move: float) -> Point:
        """Return the deviance with its derivatives where a'coef is its estimate plus `move`."""
        before, coef = self._place
        start = coef + (move - before) * self._tangent()
        held = _Held(self.objective, self.direction, start, self._pivot)
        solution = newton(held, held.free_of(start), tol=_TOL, max_iter=_STEPS)
        self.fits += 1
        if not np.isfinite(solution.evaluation.value):
            return Point(np.inf, np.nan, np.nan)
        mass = self.objective.mass
        rise = 2.0 * mass * (solution.evaluation.value - self.lowest)
        arrived = solution.converged or rise <= _NONE or self._at_infinity(solution)
        if not arrived:
            return Point(np.nan, np.nan, np.nan)
        coef = held.whole(solution.coef)
        at = self._at = self.objective(coef)
        self._place = move, coef
        value = at.value
        assert at.gradient is not None
        slope = float(at.gradient[self._pivot] / self.direction[self._pivot])
        curvature = self._pull()[1]
        if self._first is not None and solution.least_pivot <= _SINGULAR:
            self._place, self._at = self._first  # The others run to infinity: not on from there.
        return Point(
            deviance=2.0 * mass * (value - self.lowest),
            slope=2.0 * mass * slope,
            curvature=2.0 * mass * curvature,
        )

    def _at_infinity(self, solution: Solution) -> bool:
        """Return whether a search has stopped where all that rises is too little to be seen.

        Where others run to infinity, the Hessian is singular there, and no distance is known.
        """
        at = solution.evaluation
        if self._first is None or at.gradient is None or at.hessian is None:
            return False
        scale = np.sqrt(np.maximum(at.hessian.diagonal(), np.finfo(float).tiny))
        seen = np.abs(at.gradient) / scale
        return bool(np.sqrt(self.objective.size) * seen.max(initial=0.0) <= _UNSEEN)

    def _tangent(self) -> Array:
        """Return the derivative of the coefficients in the move: H^-1 a / a' H^-1 a."""
        pulled, curvature = self._pull()
        if np.isnan(curvature):
            return np.asarray(self.direction / (self.direction @ self.direction))
        return pulled * curvature

    def _pull(self) -> tuple[Array, float]:
        """Return H^-1 a and 1 / a' H^-1 a; nan where there is none.

        H need not be definite: it may bend down along the profile.
        """
        try:
            pulled = np.asarray(self._at.inverse @ self.direction)
        except np.linalg.LinAlgError:
            return self.direction, np.nan
        along = float(self.direction @ pulled)
        return pulled, 1.0 / along if np.isfinite(along) and along != 0.0 else np.nan


class _Held:
    """An objective as a function of all coefficients but one, which holds a'coef as it is.

    Parameters
    ----------
    objective : Objective
    direction : ndarray of shape (d,)
        a.
    coef : ndarray of shape (d,)
        Coefficients at which a'coef has the value that is held.
    pivot : int
        The coefficient that follows from the others; a is not zero there.
    """

    def __init__(self, objective: Objective, direction: Array, coef: Array, pivot: int) -> None:
        self.objective, self.size, self.pivot = objective, objective.size, pivot
        self.kept = np.delete(np.arange(len(coef)), self.pivot)
        self.ratios = direction[self.kept] / direction[self.pivot]
        self.level = float(coef[self.pivot] + self.ratios @ coef[self.kept])

    def free_of(self, coef: Array) -> Array:
        """Return the coefficients that are free."""
        return coef[self.kept]

    def whole(self, free: Array) -> Array:
        """Return all coefficients."""
        result = np.empty(len(free) + 1)
        result[self.kept] = free
        result[self.pivot] = self.level - self.ratios @ free
        return result

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        at = self.objective(self.whole(coef), order)
        gradient, hessian = at.gradient, at.hessian
        if gradient is not None:
            gradient = gradient[self.kept] - self.ratios * gradient[self.pivot]
        if hessian is not None:
            across = hessian[self.kept] - np.outer(self.ratios, hessian[self.pivot])
            hessian = across[:, self.kept] - np.outer(across[:, self.pivot], self.ratios)
        return Evaluation(at.value, gradient, hessian)

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take note of an iterate: nobody asks for it."""
