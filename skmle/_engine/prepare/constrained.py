"""The profile of any smooth function: the maximum of a likelihood where the function is held.

Coefficients are measured in standard errors from the estimates, u, so that half the deviance F is
about |u|^2 / 2; the function h in its own ones. The least F where h is t is sought by sequential
quadratic programming (Nocedal & Wright, Numerical Optimization, 2nd ed., ch. 18): a step minimises
F's quadratic model with the curvature of h in it on the line that h's slope says is t. The Hessian
of F is exact. That of h is learnt from its slopes by the symmetric rank-one formula, and is kept
from one t to the next.

Most ends of intervals are found without it, by Newton's method for the place and the level at once
(Venzon & Moolgavkar, 1988, A method for computing profile-likelihood-based confidence intervals,
Applied Statistics 37), which takes as many steps as a fit.

At the minimum the gradient of F is a multiple of the slope a of h. The multiple is the slope of the
profile; its curvature is 1 / a' B^-1 a, with B the Hessian of the Lagrangian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.profiled import Point
from skmle._engine.solvers.newton import newton

# Distances in standard errors at which searches end: of the estimates, and of a fit on the way,
# whose deviance is then off by their squares.
_TOL_FIRST, _TOL = 1e-9, 1e-7
# Distance in standard errors of the function at which it counts as held, and the same where
# rounding lets no step come nearer. Chosen, not measured.
_HELD, _NEARLY = 1e-11, 1e-7
# Steps of the differences of the function, in standard errors. Their error is about
# _STEP^2 f'''/6, and the deviance is off by its square; rounding adds 1e-16/_STEP of the function
# over its standard error.
_STEP = 5e-3
_MOST, _TRIES = 60, 25  # steps to one fit, and halvings of one of them, at most. Chosen.
# Steps of the search below which the change of the slope is rounding, and share of what they say
# of the curvature that may lie along them: as in Nocedal & Wright, (6.26).
_SHORT, _ALONG = 1e-4, 1e-8
# Squared distance from where steps are taken whole: the quadratic model is then good. Chosen.
_NEAR = 0.1
# Steps to an end at once, at most, after which it is sought fit by fit; the length of one, over z,
# that is too far; and that of the last, whose square is the error. Chosen, not measured.
_MOST_AT_ONCE, _FARTHEST, _LAST = 15, 2.0, 1e-5
_LEAST = 1e-3  # curvature of F across h, of which one is usual, that a step uses. Chosen.


class _Place(NamedTuple):
    """Half the deviance and the function in one point, with their derivatives."""

    u: Array
    value: float
    gradient: Array
    hessian: Array
    level: float
    """How many standard errors the function is from its estimate."""
    slope: Array

    @property
    def multiple(self) -> float:
        """The multiple of the slope of the function that is nearest to the gradient."""
        return float(self.slope @ self.gradient / (self.slope @ self.slope))

    @property
    def across(self) -> Array:
        """An orthonormal basis of the directions in which the function is level, (d, d - 1)."""
        return np.linalg.qr(self.slope[:, None], mode="complete")[0][:, 1:]


class FunctionProfile:
    """The deviance as a function of how far a function is from its estimate, in standard errors.

    Parameters
    ----------
    objectives : sequence of Objective
        Of independent fits.
    coefs : sequence of ndarray
        Where they have their minima.
    function : callable
        Of the coefficients of all of them. It is nan where it has no value.

    Attributes
    ----------
    estimate, error : float
        The function where the likelihood is largest, and its standard error.
    fits, steps : int
        How many fits were made, and how many steps they took.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        coefs: Sequence[Array],
        function: Callable[[Sequence[Array]], float],
    ) -> None:
        self.objectives = [replace(o, watch=None, alarm=None) for o in objectives]
        pairs = zip(self.objectives, coefs, strict=True)
        self.centres = [newton(o, c, tol=_TOL_FIRST, max_iter=_MOST).coef for o, c in pairs]
        every = [o(c) for o, c in zip(self.objectives, self.centres, strict=True)]
        self.lowest = [at.value for at in every]
        self.roots = [
            _root(np.asarray(at.hessian) * o.mass)
            for o, at in zip(self.objectives, every, strict=True)
        ]
        self.cuts = np.cumsum([len(c) for c in self.centres])[:-1]
        self.function = function
        self.fits, self.steps = 1, 0
        zero = np.zeros(sum(map(len, self.centres)))
        self.estimate, self.error = function(self.centres), 1.0
        slope = self._slope(zero)
        self.error = float(np.linalg.norm(slope))
        self.bend = np.zeros((len(zero), len(zero)))
        self._rounding = 8.0 * np.finfo(float).eps * abs(self.estimate)
        self._first = slope / (self.error if self.error > 0.0 else 1.0)
        self.restart()

    def restart(self) -> None:
        """Start the next fit from the maximum."""
        self._move, self._last, self._tangent = 0.0, np.zeros(len(self._first)), self._first

    def __call__(self, move: float) -> Point:
        """Return the deviance with its derivatives where the function is `move` errors away."""
        self.fits += 1
        found = self._search(self._last + (move - self._move) * self._tangent, move)
        if found is None:
            return Point(np.nan, np.nan, np.nan)
        at, multiple = found
        whole = at.hessian - multiple * self.bend
        try:
            pulled: Array = np.asarray(np.linalg.solve(whole, at.slope), np.float64)
        except np.linalg.LinAlgError:
            pulled = at.slope
        along = float(at.slope @ pulled)
        curvature = 2.0 / along if along != 0.0 else np.nan
        self._move, self._last = move, at.u
        self._tangent = pulled / along if along > 0.0 else at.slope / (at.slope @ at.slope)
        return Point(2.0 * at.value, 2.0 * multiple, curvature)

    # ---------------------------------------------------------------- one end, at once

    def end(self, sign: float, z: float) -> float:
        """Return how far the function may move where the deviance is z^2, by one search.

        The place is where the gradient of F is a multiple of the slope of the function, and F is
        z^2/2: Newton's method for both at once (Venzon & Moolgavkar 1988). The move is off by the
        square of the last step. It is nan where this comes to no such place.
        """
        self.fits += 1
        u = sign * z * self._first / np.linalg.norm(self._first)
        before: _Place | None = None
        for _ in range(_MOST_AT_ONCE):
            at = self._place(u)
            if at is None:
                return np.nan
            self.steps += 1
            if before is not None:
                self._learn(before, at)
            step = self._step_at_once(at, sign, 0.5 * z * z)
            if step is None or float(np.linalg.norm(step)) > _FARTHEST * z:
                return np.nan
            u, before = at.u + step, at
            if float(np.linalg.norm(step)) <= _LAST:
                off = self._value(u) - 0.5 * z * z
                move = self._level(u) - off / at.multiple
                return move if abs(off) <= _LAST else np.nan
        return np.nan

    def _step_at_once(self, at: _Place, sign: float, half: float) -> Array | None:
        """Return the step to where F is `half` and least for its level; None if there is none."""
        whole, across = at.hessian - at.multiple * self.bend, at.across
        try:
            np.linalg.cholesky(across.T @ whole @ across)  # a least F, not a saddle
            along, back = np.linalg.solve(whole, np.column_stack([at.slope, at.gradient])).T
        except np.linalg.LinAlgError:
            return None
        # F along multiple * along - back, as a parabola in the multiple.
        bent, tilt = at.hessian @ along, at.gradient @ along
        square, linear = 0.5 * along @ bent, tilt - back @ bent
        rest = at.value - at.gradient @ back + 0.5 * back @ at.hessian @ back - half
        under = linear**2 - 4.0 * square * rest
        if not (under >= 0.0 and square > 0.0):
            return None
        roots = (-linear + np.array([-1.0, 1.0]) * np.sqrt(under)) / (2.0 * square)
        multiple = float(roots[1] if sign > 0.0 else roots[0])
        return multiple * along - back if sign * multiple > 0.0 else None

    # ---------------------------------------------------------------- one fit

    def _search(self, u: Array, target: float) -> tuple[_Place, float] | None:
        """Return where F is least with the function held, and the multiplier; None if not found."""
        at = self._place(u)
        held = max(_HELD, self._rounding / self.error)
        for _ in range(_MOST):
            if at is None:
                return None
            self.steps += 1
            step, multiple, distance = self._step(at, target)
            miss = abs(target - at.level)
            if miss <= held and distance <= _TOL:
                return at, multiple
            after = self._moved(at, step, target, multiple, distance)
            if after is None:
                return (at, multiple) if max(miss, distance) <= _NEARLY else None
            self._learn(at, after)
            at = after
        return None

    def _step(self, at: _Place, target: float) -> tuple[Array, float, float]:
        """Return the step to the least of the quadratic model, its multiplier and its length.

        The length is that across the slope of the function, in standard errors.
        """
        size = float(at.slope @ at.slope)
        whole, across = at.hessian - at.multiple * self.bend, at.across
        towards = at.slope * ((target - at.level) / size)
        sizes, axes = np.linalg.eigh(across.T @ whole @ across)
        axes = across @ axes
        pull = axes.T @ (at.gradient + whole @ towards)
        sizes = np.maximum(np.abs(sizes), _LEAST)  # downwards where F bends down, too
        step = towards - axes @ (pull / sizes)
        multiple = float(at.slope @ (at.gradient + whole @ step)) / size
        return step, multiple, float(np.sqrt((pull**2 / sizes).sum()))

    def _moved(
        self, at: _Place, step: Array, target: float, multiple: float, distance: float
    ) -> _Place | None:
        """Return where a step leads, or a part of it that is better; None if none is.

        Better is less F plus the price of each standard error that the function is off. Near the
        end whole steps are taken, as curved ways would else be followed by small ones.
        """
        miss = abs(target - at.level)
        price = 1.5 * max(abs(multiple), abs(at.multiple))  # with more than both, steps lead down
        cost = at.value + price * miss
        near = distance**2 + miss**2 <= _NEAR
        for halvings in range(_TRIES):
            u = at.u + 0.5**halvings * step
            level = self._level(u)
            if not np.isfinite(level):
                continue
            value = self._value(u)
            off = abs(target - level)
            whole = near and halvings == 0 and off <= miss + distance
            if np.isfinite(value) and (whole or value + price * off < cost):
                return self._place(u, level)
        return None

    def _learn(self, before: _Place, after: _Place) -> None:
        """Put what two slopes say into the Hessian of the function."""
        step = after.u - before.u
        rest = after.slope - before.slope - self.bend @ step
        along, size = float(rest @ step), float(np.linalg.norm(step))
        if size > _SHORT and abs(along) > _ALONG * size * float(np.linalg.norm(rest)):
            self.bend += np.outer(rest, rest) / along

    # ---------------------------------------------------------------- in one point

    def _coefs(self, u: Array) -> list[Array]:
        parts = np.split(u, self.cuts)
        triples = zip(self.centres, self.roots, parts, strict=True)
        return [centre + root @ part for centre, root, part in triples]

    def _level(self, u: Array) -> float:
        return (self.function(self._coefs(u)) - self.estimate) / self.error

    def _slope(self, u: Array) -> Array:
        ways = _STEP * np.eye(len(u))
        return np.array([self._level(u + w) - self._level(u - w) for w in ways]) / (2.0 * _STEP)

    def _value(self, u: Array) -> float:
        pairs = zip(self.objectives, self._coefs(u), self.lowest, strict=True)
        return sum(o.mass * (o(coef, 0).value - least) for o, coef, least in pairs)

    def _place(self, u: Array, level: float | None = None) -> _Place | None:
        """Return all of one point; None if it is not finite."""
        every = [o(coef) for o, coef in zip(self.objectives, self._coefs(u), strict=True)]
        masses = [o.mass for o in self.objectives]
        value = sum(
            m * (at.value - least) for m, at, least in zip(masses, every, self.lowest, strict=True)
        )
        level = self._level(u) if level is None else level
        if not (np.isfinite(value) and np.isfinite(level)):
            return None
        gradients, hessians = [], []
        for mass, at, root in zip(masses, every, self.roots, strict=True):
            assert at.gradient is not None and at.hessian is not None
            gradients.append(mass * (root.T @ at.gradient))
            hessians.append(mass * (root.T @ at.hessian @ root))
        slope = self._slope(u)
        if not (np.isfinite(slope).all() and slope.any()):
            return None
        hessian = np.asarray(block_diag(*hessians), float)
        return _Place(u, value, np.concatenate(gradients), hessian, level, slope)


def _root(hessian: Array) -> Array:
    """Return R with R R' the inverse of a Hessian. LinAlgError is raised if there is none."""
    scale = np.sqrt(hessian.diagonal())
    lower = np.linalg.cholesky(hessian / np.outer(scale, scale))
    inverse = solve_triangular(lower, np.eye(len(scale)), lower=True)
    return np.asarray(inverse.T / scale[:, None], np.float64)
