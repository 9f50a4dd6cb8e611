"""Separation: a direction along which no row becomes less likely.

Such a direction proves that there is no finite maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.growth import growth, looks_at
from skmle._engine.judge.interior import undetermined
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.solvers.newton import newton
from skmle.families.base import Arrays, Family

# Share of the curvature at zero below which it has vanished, round by round: rows that run off
# slowly spoil what the first round finds. Of 38 hard problems all but one were proved by the
# fifth round; with 1e-5 throughout, two were not.
_VANISHED = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
# How many times farther along a direction the next round looks at the curvature: rows that run off
# have none there. With 2 and with 10 more rounds were needed.
_FARTHER = 5.0
# Steps of Newton's method in a round: 60 proved no more problems, 15 fewer.
_STEPS = 30
# Share of the largest change of eta that counts as rounding in a proof. Chosen, not measured.
MARGIN = 1e-9
# Rows times the square of the coefficients up to which ways are looked for by numbers of rows.
# Chosen for the time it takes.
_LOOKED_AT = 20_000_000


def separation(
    likelihood: Likelihood,
    solution: Solution,
    by_numbers: bool = False,
    further: Iterable[Array] = (),
) -> Array | None:
    """Return a direction that proves that a fit has no finite maximum; None if none is found.

    Parameters
    ----------
    likelihood : Likelihood
    solution : Solution
    by_numbers : bool
        Whether to look at the numbers of rows whose law does not state where they run to.
    further : iterable of ndarray of shape (d,)
        Other directions to try.
    """
    objective, hessian = likelihood.objective, solution.evaluation.hessian
    if likelihood.problem.jeffreys:
        return None  # Rows that run off take all information with them, which the penalty forbids.
    if not recedes(likelihood.family, likelihood.statistics, objective.design.n):
        if not by_numbers:
            return None
        objective.looks = looks_at(likelihood.family, objective, solution.coef)
        if objective.design.n * objective.design.d**2 > _LOOKED_AT:
            hessian = None  # The directions at hand are tried, and no others.
    # The last step proves most separations. The coefficients prove a complete one.
    directions = [solution.step, solution.coef, *further]
    if hessian is None:
        # Without a Hessian, the coefficients of columns that the data do not determine may be a
        # proof.
        loose = undetermined(objective, solution.coef)
        directions.append(np.where(loose, solution.coef, 0.0))
    # A coefficient that a penalty holds does not run to infinity.
    held = objective.held()
    directions = [np.where(held, 0.0, direction) for direction in directions]
    family, statistics = likelihood.family, likelihood.statistics
    if family.told_first in family.names:
        # Elsewhere rows may tell nothing of other parameters, so that no curvature leads there.
        own = _of_parameter(objective, family.names.index(family.told_first)) & ~held
        alone = certificate(family, statistics, objective, hessian, (), among=np.flatnonzero(own))
        if alone is not None:
            return alone
    among = np.flatnonzero(~held) if held.any() else None
    return certificate(family, statistics, objective, hessian, directions, among=among)


def _of_parameter(objective: Objective, j: int) -> NDArray[np.bool_]:
    """Return which coefficients are those of one parameter."""
    design, result = objective.design, np.zeros(objective.design.d, bool)
    start = design.slices[j].start
    result[start : start + design.terms[j].length] = True
    return result


def recedes(family: Family, statistics: Arrays, n: int, always: bool = False) -> bool:
    """Return whether the family states of n rows what becomes of them far out.

    It may do so of some rows and changes alone, unless it is to do so `always`.
    """
    if not always:  # one row tells it
        statistics, n = tuple(s[:1] for s in statistics), 1
    change = (np.ones(n),) * len(family.parameters)
    with np.errstate(all="ignore"):
        found = family.recession(statistics, change)
    return found is not None and not (always and bool(np.isnan(found).any()))


def certificate(
    family: Family,
    statistics: Arrays,
    objective: Objective,
    hessian: Array | None,
    directions: Iterable[Array],
    behind: Behind | None = None,
    among: NDArray[np.intp] | None = None,
    across: Callable[[Array], Array] | None = None,
) -> Array | None:
    """Return a direction that proves that there is no finite maximum; None if none is found.

    Parameters
    ----------
    hessian : ndarray of shape (d, d), optional
        The Hessian at the end of the fit. It shows where else to look if no given direction is a
        proof.
    directions : iterable of ndarray of shape (d,)
    behind : Behind, optional
        Along which directions rows have run off before; `objective` is the limit there.
    among : ndarray, optional
        The coordinates by which other directions are found; by default all.
    across : callable, optional
        Coefficients (d, m) -> the same without their parts along directions that move no row of the
        objective.
    """
    for direction in chain(directions, _faces(objective, hessian, among, across)):
        if separates(family, statistics, objective, direction, behind):
            return direction
    return None


def _faces(
    objective: Objective,
    hessian: Array | None,
    among: NDArray[np.intp] | None,
    across: Callable[[Array], Array] | None,
) -> Iterator[Array]:
    """Yield directions that move, ever more exactly, only rows that can run off to infinity.

    Rows that have run off have lost their curvature, so the coefficients along which the Hessian
    has vanished move only them. There Newton's method starts again from zero: no row has run off
    yet, so that rounding is far away, and if a separation is all there is, the solution proves it.
    If the solver stopped early, some of these rows cannot run off. The Hessian far out along the
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
        basis = vanished(hessian, at_zero, least, among)
        if not basis.size:
            return
        basis = basis if across is None else across(basis)
        start = np.zeros(basis.shape[1])
        direction = basis @ newton(Span(objective, basis), start, max_iter=_STEPS).coef
        yield direction
        hessian = objective(_FARTHER * direction).hessian


def vanished(
    hessian: Array | None,
    reference: Array | None,
    least: float,
    among: NDArray[np.intp] | None = None,
) -> Array:
    """Return as columns a basis of where less than a share `least` is left of a curvature."""
    assert hessian is not None and reference is not None
    d = len(hessian)
    if among is not None:
        hessian, reference = (matrix[np.ix_(among, among)] for matrix in (hessian, reference))
    try:
        share, vectors = eigh(hessian, reference)
    except (np.linalg.LinAlgError, ValueError):  # the reference is singular, or not all is finite
        return np.zeros((d, 0))
    found = vectors[:, np.abs(share) < least]
    if among is None:
        return found
    basis = np.zeros((d, found.shape[1]))
    basis[among] = found
    return basis


class Evaluated(Protocol):
    """What can be evaluated at coefficients."""

    size: float

    def __call__(self, coef: Array, order: int = 2) -> Evaluation: ...


class Span:
    """The objective as a function on origin + the span of some columns."""

    def __init__(self, objective: Evaluated, basis: Array, origin: Array | float = 0.0) -> None:
        self.objective, self.basis, self.origin = objective, basis, origin
        self.size = objective.size

    def __call__(self, coef: Array, order: int = 2) -> Evaluation:
        return self.along(self.objective(self.origin + self.basis @ coef, order))

    def along(self, at: Evaluation) -> Evaluation:
        """Return an evaluation of the objective as one in the coordinates of the span."""
        basis = self.basis
        gradient = None if at.gradient is None else basis.T @ at.gradient
        hessian = None if at.hessian is None else basis.T @ at.hessian @ basis
        return Evaluation(at.value, gradient, hessian)

    def accepted(self, coef: Array, at: Evaluation, distance: float) -> None:
        """Do nothing: these are no iterates of the fit."""


def separates(
    family: Family,
    statistics: Arrays,
    objective: Objective,
    step: Array,
    behind: Behind | None = None,
) -> bool:
    """Return whether no row's -log q ever rises along `step`, and some row's eta moves.

    Then no finite maximum exists.
    """
    clean = cleaned(objective, step)
    if not any(e.any() for e in clean):
        return False
    slack = rounding(clean, behind)
    if behind is not None:
        clean = behind.then(clean)
    return bool(np.max(growth(family, statistics, clean, objective.looks)) <= slack)


def rounding(delta: Arrays, behind: Behind | None = None) -> float:
    """Return up to which size the growth of -log q along a change of eta is rounding.

    Where one eta moves it is a product, with all its digits, and of several eta it is a difference.
    """
    if behind is None and sum(bool(e.any()) for e in delta) < 2:
        return 0.0
    return MARGIN * max(float(np.abs(e).max(initial=0.0)) for e in delta)


def cleaned(objective: Objective, step: Array) -> Arrays:
    """Return the change of each eta along a step, (n,) each, with zero for what is rounding."""
    delta, n = objective.direction(step), objective.design.n
    moved = max((float(np.abs(e).max(initial=0.0)) for e in delta), default=0.0)
    slack = MARGIN * moved
    return tuple(np.where(np.abs(np.broadcast_to(e, (n,))) > slack, e, 0.0) for e in delta)
