"""What a solution is: an optimum, a limit, or neither. A small decrement alone does not tell.

Along f = f_inf + c exp(eta) the decrement shrinks by 0.61 an iteration while the Newton step stays -1 for ever: of runs
on problems without a maximum, 60-66 % end with a positive definite hessian and a decrement below 1e-6. So the size of
the last step in eta, and that of the standard errors, decide whether a point is interior; families name the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.likelihood.curvature import diagonal
from skmle._engine.likelihood.objective import Objective
from skmle._engine.solvers.newton import newton
from skmle.families.base import Arrays, Family

INTERIOR = "interior"
BOUNDARY = "boundary"
NO_MAXIMUM = "no_maximum"
NON_REGULAR = "non_regular"
NOT_CONVERGED = "not_converged"
INTERRUPTED = "interrupted"

STALLED = "no step lowers the objective any further, because of rounding"

_LARGEST_STEP = 1e-2  # in eta, of the last step at any row of an interior optimum
_LARGEST_ERROR = (
    1e3  # standard error, in eta, of a constant parameter that the data determine at all
)
_FAR_ETA = 15.0  # beyond, a limit law is tried although all else looks interior
# Share of the curvature at zero below which it has vanished, round by round: rows that run off
# slowly spoil what the first round finds. Of 38 hard problems all but one were proved by the
# fifth round; with 1e-5 throughout, two were not.
_VANISHED = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
_FARTHER = 5.0  # times as far, rows that run off have no curvature (2 and 10 take more rounds)
_STEPS = 30  # of Newton's method in a round: 60 prove no more, 15 fewer
_MARGIN = 1e-9  # of the largest change of eta: rounding in a certificate of separation


class Verdict(NamedTuple):
    """A status with its reason, in words, and the direction in which the fit runs off."""

    status: str
    reason: str = ""
    direction: Array | None = None


def is_interior(
    objective: Objective,
    solution: Solution,
    tol: float,
    reach: Array | None,
    pure: NDArray[np.bool_],
    inexact: bool,
) -> bool:
    """Return whether the solution is an interior maximum.

    Parameters
    ----------
    reach : ndarray of shape (p,), optional
        A bound on the absolute values of each column of X (less its shift), if one is known.
    pure : ndarray of bool of shape (k,)
        Which eta are pure numbers; the size of the others is measured by the curvature.
    inexact : bool
        Whether the step was solved only roughly, so that it need not show where the likelihood is flat.
    """
    if not solution.converged:
        return False
    units = _units(objective, solution, pure)
    limit = min(1e3 * tol, _LARGEST_STEP)
    if (
        _step_bound(objective, solution.step, reach, units) > limit
        and objective.largest_eta(solution.step, units) > limit
    ):
        return False
    design = objective.design
    if solution.evaluation.hessian is None:
        return not (inexact and undetermined(objective, solution.coef).any())
    pairs = zip(design.slices, design.terms, pure, strict=True)
    constants = [s.stop for s, t, number in pairs if t.columns is None and t.intercept and number]
    if not constants:
        return True
    try:
        variances = np.abs(np.diag(solution.evaluation.inverse)) / objective.size
    except np.linalg.LinAlgError:
        return False
    return bool((variances[constants] <= _LARGEST_ERROR**2).all())


def undetermined(objective: Objective, coef: Array) -> NDArray[np.bool_]:
    """Return which slopes have a standard error so large that some row's eta is not determined at all.

    A step solved only roughly need not show a direction in which the likelihood is flat; that of a single column, such as a
    rare level with one outcome, shows on the diagonal.
    """
    variance = (
        diagonal(objective, lambda low, high: objective.rows_at(low, high, coef, 2).curvature)
        * objective.size
    )
    return objective.design.reach() ** 2 > _LARGEST_ERROR**2 * variance


def _units(objective: Objective, solution: Solution, pure: NDArray[np.bool_]) -> Array:
    """Return the unit of each eta: 1 for pure numbers, else the spread of one row's likelihood; inf if that is unknown."""
    design, hessian = objective.design, solution.evaluation.hessian
    units = np.where(pure, 1.0, np.inf)
    for j, (s, term) in enumerate(zip(design.slices, design.terms, strict=True)):
        if not pure[j] and term.intercept and hessian is not None and hessian[s.stop, s.stop] > 0.0:
            units[j] = 1.0 / np.sqrt(hessian[s.stop, s.stop])
    return units


def _step_bound(objective: Objective, step: Array, reach: Array | None, units: Array) -> float:
    """Return an upper bound on any row's change of eta in its units, without a pass over the rows."""
    design = objective.design
    bound = 0.0
    for s, term, unit in zip(design.slices, design.terms, units, strict=True):
        change = abs(step[s.stop]) if term.intercept else 0.0
        if term.columns is not None:
            if reach is None:
                return np.inf
            change += float(np.abs(step[s]) @ reach[term.columns])
        bound = max(bound, change / unit)
    return bound


def far_parameters(family: Family, coefs: tuple[tuple[Array, float], ...]) -> set[str]:
    """Return the constant parameters whose eta is so large that their limit law may be meant."""
    pairs = zip(family.parameters, coefs, strict=True)
    return {
        param.name
        for param, (slopes, intercept) in pairs
        if len(slopes) == 0 and abs(intercept) > _FAR_ETA
    }


def separation(
    family: Family,
    statistics: Arrays,
    objective: Objective,
    solution: Solution,
    held: NDArray[np.bool_],
) -> Array | None:
    """Return a direction that proves that a fit has no finite maximum; None if none is found.

    Parameters
    ----------
    held : ndarray of bool of shape (d,)
        Which coefficients a penalty holds, so that they do not run off whatever the likelihood does.
    """
    design, hessian = objective.design, solution.evaluation.hessian
    if family.recession(statistics, (np.zeros(design.n),) * len(design.terms)) is None:
        return None
    # The last step proves most separations, and the coefficients prove a complete one.
    directions = [solution.step, solution.coef]
    if hessian is None:  # what it would show may still show in the columns that the data leave open
        loose = undetermined(objective, solution.coef)
        directions.append(np.where(loose, solution.coef, 0.0))
    directions = [np.where(held, 0.0, direction) for direction in directions]
    hessian = None if held.any() else hessian
    return certificate(family, statistics, objective, hessian, directions)


def certificate(
    family: Family,
    statistics: Arrays,
    objective: Objective,
    hessian: Array | None,
    directions: Iterable[Array],
) -> Array | None:
    """Return a direction that proves that there is no finite maximum; None if none is found.

    Parameters
    ----------
    hessian : ndarray of shape (d, d), optional
        That at the end of the fit. It shows where else to look if no given direction is a proof.
    directions : iterable of ndarray of shape (d,)
    """
    for direction in chain(directions, _faces(objective, hessian)):
        if separates(family, statistics, objective, direction):
            return direction
    return None


def _faces(objective: Objective, hessian: Array | None) -> Iterator[Array]:
    """Yield directions that move, ever more exactly, only rows that can run off to infinity.

    Rows that have run off have lost their curvature, so the coefficients along which the hessian
    has vanished move only them. There Newton's method starts again from zero: no row has run off
    yet, so that rounding is far away, and if a separation is all there is, the solution proves it.
    If the solver stopped early, some of these rows cannot run off. The hessian far out along the
    solution shows which, and the next round leaves them out.

    References
    ----------
    Geyer (2009), Likelihood inference in exponential families and directions of recession,
    Electronic Journal of Statistics 3.
    """
    if hessian is None:
        return
    at_zero = objective(np.zeros(len(hessian))).hessian
    for least in _VANISHED:
        basis = _vanished(hessian, at_zero, least)
        if not basis.size:
            return
        start = np.zeros(basis.shape[1])
        direction = basis @ newton(_Span(objective, basis), start, max_iter=_STEPS).coef
        yield direction
        hessian = objective(_FARTHER * direction).hessian


def _vanished(hessian: Array | None, reference: Array | None, least: float) -> Array:
    """Return as columns a basis of where less than a share `least` is left of a curvature."""
    assert hessian is not None and reference is not None
    try:
        share, vectors = eigh(hessian, reference)
    except (np.linalg.LinAlgError, ValueError):  # the reference is singular, or not all is finite
        return np.zeros((len(hessian), 0))
    return vectors[:, share < least]


class _Span:
    """The objective as a function on the span of some columns."""

    def __init__(self, objective: Objective, basis: Array) -> None:
        self.objective, self.basis, self.size = objective, basis, objective.size

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        at, basis = self.objective(self.basis @ coef, order), self.basis
        gradient = None if at.gradient is None else basis.T @ at.gradient
        hessian = None if at.hessian is None else basis.T @ at.hessian @ basis
        return Evaluation(at.value, gradient, hessian)

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Take no note: these are no iterates of the fit."""


def separates(family: Family, statistics: Arrays, objective: Objective, step: Array) -> bool:
    """Return whether no row's -log q ever rises along `step` and some row's eta moves: no finite maximum exists."""
    delta = objective.direction(step)
    moved = max((float(np.abs(e).max(initial=0.0)) for e in delta), default=0.0)
    if not moved > 0.0:
        return False
    n = objective.design.n
    slack = _MARGIN * moved
    clean = tuple(np.where(np.abs(np.broadcast_to(e, (n,))) > slack, e, 0.0) for e in delta)
    growth = family.recession(statistics, clean)
    if growth is None or not any(e.any() for e in clean):
        return False
    return bool(np.max(growth) <= slack)
