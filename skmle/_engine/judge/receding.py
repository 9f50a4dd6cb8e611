"""What is known of a fit some of whose rows run off to infinity.

The likelihood that is left where they have run off is constant along the directions that prove it.
Newton's method goes on across them: its maximum there, if there is one, has the coefficients and
the errors of all that does not run off. If there is none, further rows run off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation, Solution, value_at_end
from skmle._engine.judge.alarm import MOST, Alarm
from skmle._engine.judge.behind import Behind
from skmle._engine.judge.interior import LARGEST_ERROR, LARGEST_STEP, is_worth_a_hessian
from skmle._engine.judge.left import Left, left_at, limit_of
from skmle._engine.judge.loose import GONE, Fixed, Loose, loose_directions, units_of
from skmle._engine.judge.nearest import nearest_direction
from skmle._engine.judge.separation import MARGIN, certificate, cleaned, recedes
from skmle._engine.likelihood.curvature import diagonal
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Ridge
from skmle._engine.likelihood.watch import RunsOff
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.solvers.conjugate import approach
from skmle._engine.solvers.newton import newton

# Rounds in which further rows run off, at most. Chosen, not measured.
_ROUNDS = 20
# Steps of Newton's method in a round, and by gradients where there are many coefficients, at most.
# Chosen, not measured.
_STEPS, _BY_GRADIENTS = 50, 100
# Nats a row by which another maximum must be better. Chosen, not measured.
_ROUNDING = 1e-9
# Nats by which the returned log-likelihood may lie below its supremum, and doublings of the way
# there. Chosen, not measured.
_NEAR, _DOUBLINGS = 1e-10, 60
# How many times farther than along a direction rows go along the one before it. Chosen, as in
# `Behind.then`.
_FARTHER = 16.0
# Shares of the way so far that a first step may be: the next is tried where one gains nothing. A
# long one overshoots where other rows have gone farther; a short one may end before the likelihood
# rises, as where a dispersion and a mean grow together. Chosen, not measured.
_SHARES = (1.0, *(8.0**k for j in range(1, 8) for k in (j, -j)))


class Receded(NamedTuple):
    """Where a fit runs off, and the maximum of what is left."""

    directions: tuple[Array, ...]
    """Directions of the solver's coefficients along which rows run off, one after the other."""
    behind: Behind
    certain: NDArray[np.bool_]
    """The rows that are predicted perfectly in the end."""
    free: Array | None
    """Columns that span all directions along which what is left is constant; None: all do."""
    coef: Array
    """Coefficients near the supremum."""
    reached: float
    """The objective there."""
    inverse: Array | None
    """Inverse Hessian of what is left, across the free directions; None if it is not known."""
    value: float
    """Supremum of the objective, with the sign of a minimum."""


def recede(likelihood: Likelihood, solution: Solution, direction: Array) -> Receded:
    """Return what is known of a fit that runs off along a direction."""
    objective, d = likelihood.objective, likelihood.design.d
    start = np.zeros(d)
    behind = Behind.of(cleaned(objective, direction))
    directions = [direction]
    (limit, certain), coef = limit_of(objective, behind), solution.coef
    if certain.all() and not objective.held().any():
        return _nothing_left(objective, limit, certain, coef, directions, behind)
    if objective.lasso is not None or (d > MOST and likelihood.watch.spent):
        here, value = objective(coef, 0).value, limit(coef, 0).value
        return Receded((direction,), behind, certain, None, coef, here, None, value)
    if d > MOST:
        return _by_gradients(likelihood, coef, direction)
    unit, held = units_of(objective), objective.held()
    among = np.flatnonzero(~held) if held.any() else None
    inverse, value, whole = None, np.nan, objective(start)
    for _ in range(_ROUNDS):
        loose = loose_directions(objective, whole, limit, behind, unit, among)
        fixed, at = Fixed(Left(limit, certain), loose), None
        if len(directions) == 1 and solution.evaluation.end is None:
            at = fixed.of(left_at(coef, solution.evaluation, objective, limit, behind))
        found = _maximum(likelihood, fixed, loose.fixed(coef), at)
        coef, value = loose.whole(found.coef), value_at_end(fixed, found)
        step = loose.whole(found.step)
        if found.converged and _is_still(limit, behind, step):
            again = is_worth_a_hessian(objective, found)
            at_the_end = fixed(found.coef) if again else found.evaluation
            inverse = loose.covariance(at_the_end.inverse)
            if (inverse.diagonal() * unit**2 <= LARGEST_ERROR**2 * objective.size).all():
                break
        further = _further(likelihood, limit, behind, coef, step, loose, among)
        if further is None:
            break
        directions.append(further)
        behind = behind.further(cleaned(objective, further))
        (limit, certain), inverse = limit_of(objective, behind), None
        if certain.all() and among is None:
            return _nothing_left(objective, limit, certain, solution.coef, directions, behind)
    else:
        value = limit(coef, 0).value
    # What a proof moves beside the free directions is rounding, but would add up on the way.
    directions = [loose.along(direction) for direction in directions]
    near = _near(objective, coef + loose.along(solution.coef), directions, value)
    return Receded(tuple(directions), behind, certain, loose.basis, *near, inverse, value)


def _further(
    likelihood: Likelihood,
    limit: Objective,
    behind: Behind,
    coef: Array,
    step: Array,
    loose: Loose,
    among: NDArray[np.intp] | None,
) -> Array | None:
    """Return a direction along which further rows run off; None if none is found."""
    family, statistics = likelihood.family, likelihood.statistics
    tried = certificate(family, statistics, limit, None, [step, coef], behind)
    if tried is not None:
        return tried
    if among is None and recedes(family, statistics, limit.design.n, always=True):
        nearest = nearest_direction(family, statistics, limit, coef, behind)
        if nearest is not None:
            return nearest if nearest.any() else None
    return certificate(
        family=family,
        statistics=statistics,
        objective=limit,
        hessian=limit(coef).hessian,
        directions=[],
        behind=behind,
        among=loose.kept if among is None else np.intersect1d(loose.kept, among),
        across=loose.across,
    )


def _nothing_left(
    objective: Objective,
    limit: Objective,
    certain: NDArray[np.bool_],
    coef: Array,
    directions: list[Array],
    behind: Behind,
) -> Receded:
    """Return what is known where all rows have run off, on ways on from these coefficients."""
    value = limit(np.zeros(objective.design.d), 0).value
    near = _near(objective, coef, directions, value)
    return Receded(tuple(directions), behind, certain, None, *near, None, value)


def _maximum(likelihood: Likelihood, span: Fixed, start: Array, at: Evaluation | None) -> Solution:
    """Return where Newton's method ends, with the evaluation at the start if it is known."""
    tol = likelihood.problem.tol
    found = newton(span, start, tol=tol, max_iter=_STEPS, at=at)
    if not likelihood.family.relinked:
        return found
    # The likelihood need not be concave, and another maximum may be better.
    other = newton(span, np.zeros(len(start)), tol=tol, max_iter=_STEPS)
    better = other.evaluation.value < found.evaluation.value - _ROUNDING
    return other if other.converged and better else found


def _by_gradients(likelihood: Likelihood, coef: Array, direction: Array) -> Receded:
    """Return what limited-memory steps show of a fit with many coefficients."""
    objective, problem = likelihood.objective, likelihood.problem
    directions, behind = [direction], Behind.of(cleaned(objective, direction))
    most = min(_BY_GRADIENTS, problem.max_iter)
    for _ in range(_ROUNDS):
        limit, certain = limit_of(objective, behind)
        if certain.all():
            break
        limit.watch = None
        limit.alarm = Alarm(likelihood, limit, behind)
        try:
            coef = approach(_held_where_gone(objective, limit), coef, tol=problem.tol, most=most)
            break
        except RunsOff as proof:
            directions.append(proof.direction)
            coef, behind = proof.coef, behind.further(cleaned(objective, proof.direction))
    limit, certain = limit_of(objective, behind)
    value = limit(coef, 0).value
    near = _near(objective, coef, directions, value)
    return Receded(tuple(directions), behind, certain, None, *near, None, value)


def _held_where_gone(objective: Objective, limit: Objective) -> Objective:
    """Return what is left with a ridge on each coefficient on which it does not depend any more.

    The ridge moves no other coefficient; without it, rounding of their curvature makes huge steps.
    """
    start = np.zeros(objective.design.d)

    def at_start(of: Objective) -> Array:
        return diagonal(of, lambda low, high: of.rows_at(low, high, start, 2).curvature)

    before, left = at_start(objective), at_start(limit)
    ridge = Ridge(np.where(left <= GONE * before, before, 0.0))
    return replace(limit, penalties=(*limit.penalties, ridge))


def _is_still(limit: Objective, behind: Behind, step: Array) -> bool:
    """Return whether a step moves no row by more than an interior maximum allows.

    Rows that have run off are left out, unless all have.
    """
    rows = ~behind.moved
    rows = rows if rows.any() else ~rows
    moves = [np.broadcast_to(e, rows.shape)[rows] for e in limit.direction(step)]
    return max(float(np.abs(e).max(initial=0.0)) for e in moves) <= LARGEST_STEP


def _near(
    objective: Objective, coef: Array, directions: list[Array], supremum: float
) -> tuple[Array, float]:
    """Return coefficients whose objective is the supremum to within rounding, if there are any.

    The objective there is returned with them.

    Rows that ran off first go farthest. The first step is as long as the way so far, since some
    rows may have gone much farther than others. A direction may be of use only when those before it
    have been followed, so that all are tried once more for each of them, and one that goes along
    all of them at once is the last. Those of which only rounding was left, as zeros, lead nowhere.
    """
    every = [(direction, objective.direction(direction)) for direction in directions]
    ways = [(direction, change) for direction, change in every if _largest(change) > 0.0]
    etas, so_far = objective.etas(coef), max(1.0, _largest(objective.direction(coef)))
    # The directions move no coefficient that a penalty holds.
    cost = sum(penalty.value(coef) for penalty in objective.penalties)
    value = objective.mean_at(etas) + cost
    for direction, change in ways[::-1] * len(ways) + _together(ways):
        shares, unit, gained = iter(_SHARES), so_far / _largest(change), False
        step = next(shares) * unit
        for _ in range(_DOUBLINGS):
            if (value - supremum) * objective.mass <= _NEAR:
                return coef, objective(coef, 0).value  # that of eta rounds in its own way
            further = [eta + step * e for eta, e in zip(etas, change, strict=True)]
            with np.errstate(all="ignore"):  # too long a step may lead beyond the numbers
                there = objective.mean_at(further) + cost
            # A gain of less is rounding, which would lead ever farther.
            if (value - there) * objective.mass > _NEAR:
                coef, etas, value = coef + step * direction, further, there
                gained, step = True, 2.0 * step
            elif gained or not (step := next(shares, 0.0) * unit):
                break
    return coef, objective(coef, 0).value


def _together(ways: list[tuple[Array, list[Array]]]) -> list[tuple[Array, list[Array]]]:
    """Return one way along all directions, if there are several: the first ones go farthest.

    A row that ran off first may be led back by a later direction, so that no row goes far on it.
    """
    if len(ways) < 2:
        return []
    direction, change = ways[0]
    for further, more in ways[1:]:
        sizes = np.max(np.abs(np.broadcast_arrays(*change)), axis=0)
        least = float(sizes[sizes > MARGIN * sizes.max()].min())
        far = _FARTHER * _largest(more) / least
        direction = further + far * direction
        change = [e + far * old for e, old in zip(more, change, strict=True)]
    return [(direction, change)]


def _largest(change: Sequence[Array]) -> float:
    """Return the largest change of any row's eta."""
    return max(float(np.abs(e).max(initial=0.0)) for e in change)
