"""Maxima at which some rows stand at the edge of their links' domains.

Rows at the edge hold some combinations of coefficients. On what is left, a face of the domain,
Newton's method goes on as anywhere else, and the standard errors are those of the face. The face is
the right one if the gradient there is a sum of the rows' inward directions with multipliers that
are not negative. Otherwise rows that would rather be inside are let go, and rows that Newton's
method has run into are taken in.

References
----------
Nocedal & Wright (2006), Numerical Optimization, ch. 12.3 (multipliers) and 16.5 (active sets).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.barrier import Edges, Path, gradients_of_eta, slacks
from skmle._engine.judge.separation import Span
from skmle._engine.likelihood.objective import Objective
from skmle._engine.solvers import newton
from skmle.families.base import Arrays, Family, Rows, triangle

# Share of the largest singular value below which directions of rows count as dependent. Chosen.
_RANK = 1e-10
# How far from the edge, as a share of the way to a point well inside, multipliers are taken: the
# derivative at an edge itself may not exist. Half of the digits are left.
_ASIDE = 1e-8
# Distance in standard errors that multipliers may leave of the gradient: rounding leaves 1e-8 or
# less, and a row on the wrong side of its edge much more than this. Chosen between.
_LEFT = 1e-5
# Share of the slack well inside below which Newton's method has run into a row's edge, and share of
# the largest change of eta that lets go of a row. Chosen, not measured.
_BLOCKED, _MOVED = 1e-6, 1e-9
_MOST_FACES = 40  # tried; each but the last is better than the one before
_HALVINGS = 40  # of a step to the next face; a bound


class OnFace(NamedTuple):
    """The maximum on a face."""

    solution: Solution
    """Its step and its distance are those on the face, its Hessian that of the rows' free eta."""
    edges: Edges
    basis: Array
    """(d, f): the directions of the face."""
    lines: Array
    """(m, d): the inward directions of the rows at the edge, each once."""
    across: Array
    """(d - f, d): what the edge holds, orthonormal in the coordinates of the Hessian inside."""


def maximum_on_face(
    family: Family, objective: Objective, path: Path, tol: float, max_iter: int
) -> OnFace | None:
    """Return the maximum on the face to which the barriers have led; None if there is none.

    Parameters
    ----------
    path : Path
        From `follow`, with some rows at an edge.
    """
    hessian = path.inside.evaluation.hessian
    if hessian is None or not np.isfinite(hessian).all():
        return None
    factor = _factor(hessian)
    coef, edges, steps = path.solution.coef, path.edges, path.n_iter
    for _ in range(_MOST_FACES):
        found = _on(family, objective, edges, coef, factor, tol, max_iter)
        steps += found.solution.n_iter
        if not found.solution.converged:
            run_into = _run_into(family, objective, found, path)
            if run_into is None:
                return None
            edges, coef = run_into, found.solution.coef
            continue
        away = _away(objective, found, path, factor)
        if away is None:
            return found._replace(solution=found.solution._replace(n_iter=steps))
        released = _release(family, objective, found, away)
        if released is None:
            return None
        edges, coef = released
    return None


def _factor(hessian: Array) -> Array:
    """Return the Cholesky factor of a Hessian, whose negative curvatures count as positive.

    It serves as a unit of the coefficients, for which any curvature will do.
    """
    root = np.sqrt(np.abs(np.diag(hessian)))
    root = np.where(root > 0.0, root, 1.0)
    values, vectors = np.linalg.eigh(hessian / np.outer(root, root))
    sizes = np.maximum(np.abs(values), _RANK * np.abs(values).max(initial=0.0))
    unit = (vectors * sizes) @ vectors.T
    return np.asarray(np.linalg.cholesky(unit) * root[:, None], float)


# ---------------------------------------------------------------- Newton's method on a face


def _on(
    family: Family,
    objective: Objective,
    edges: Edges,
    coef: Array,
    factor: Array,
    tol: float,
    max_iter: int,
) -> OnFace:
    """Return where Newton's method ends on the face of some rows at the edge."""
    lines, gaps = _lines(objective, family, edges, coef)
    # In the coordinates of the Hessian, so that units of columns do not matter.
    scaled = solve_triangular(factor, lines.T, lower=True).T
    u, values, v = np.linalg.svd(scaled, full_matrices=True)
    rank = int((values > _RANK * values.max(initial=0.0)).sum())
    back = solve_triangular(factor, v.T, lower=True, trans="T")
    basis = back[:, rank:]
    origin = coef - back[:, :rank] @ ((u.T[:rank] @ gaps) / values[:rank])
    held = held_at(family, objective, edges)
    found = newton(Span(held, basis, origin), np.zeros(basis.shape[1]), tol=tol, max_iter=max_iter)
    last = origin + basis @ found.coef
    at = held(last)
    solution = found._replace(coef=last, step=basis @ found.step, evaluation=at)
    return OnFace(solution, edges, basis, lines, v[:rank])


def held_at(family: Family, objective: Objective, edges: Edges) -> Objective:
    """Return the objective with rows held at the edge: their eta there is no variable."""
    codes = tuple(np.atleast_1d(code) for code in edges)
    return replace(
        objective,
        rows=partial(_held_rows, family, family.innermost),
        statistics=(*objective.statistics, *codes),  # type: ignore[arg-type]
        watch=None,
    )


def _held_rows(
    family: Family,
    places: tuple[tuple[float, float], ...],
    statistics: Arrays,
    eta: Arrays,
    order: int,
) -> Rows:
    """Return the rows of a family; an eta at the edge stands at its place and has no derivative."""
    k = len(eta)
    codes = [code if np.ndim(e) else code[0] for code, e in zip(statistics[-k:], eta, strict=True)]
    moved = tuple(
        np.where(code < 0, low, np.where(code > 0, high, e))
        for e, code, (low, high) in zip(eta, codes, places, strict=True)
    )
    rows = family.rows(statistics[:-k], moved, order)
    free = [code == 0 for code in codes]
    if rows.gradient is None:
        return rows
    gradient = tuple(np.where(f, g, 0.0) for f, g in zip(free, rows.gradient, strict=True))
    if rows.curvature is None:
        return Rows(rows.value, gradient)
    packed = tuple(
        None if entry is None else np.where(free[a] & free[b], entry, 0.0)
        for (a, b), entry in zip(triangle(k), rows.packed, strict=True)
    )
    return Rows(rows.value, gradient, packed)


def _lines(objective: Objective, family: Family, edges: Edges, coef: Array) -> tuple[Array, Array]:
    """Return the inward directions of the rows at the edge, and their slacks, each line once.

    The largest entry of each line is 1.
    """
    found = [np.zeros((0, objective.design.d + 1))]
    distances = slacks(objective, family.domains, coef)
    for j, (code, (low, high)) in enumerate(zip(edges, distances, strict=True)):
        index = np.flatnonzero(code)
        if not index.size:
            continue
        own = gradients_of_eta(objective, j, index)
        sign = -np.ravel(code)[index]
        slack = np.where(sign > 0, np.ravel(low)[index], np.ravel(high)[index])
        found.append(np.column_stack([sign[:, None] * own, slack]))
    lines = np.concatenate(found)
    largest = np.abs(lines[:, :-1]).max(axis=1, initial=0.0)
    lines = lines[largest > 0.0] / largest[largest > 0.0, None]
    # Equal rows of X are one constraint; 12 digits are equal up to rounding.
    lines = lines[np.unique(np.round(lines[:, :-1], 12), axis=0, return_index=True)[1]]
    return lines[:, :-1], lines[:, -1]


# ---------------------------------------------------------------- the right face


def _away(objective: Objective, found: OnFace, path: Path, factor: Array) -> Array | None:
    """Return a direction that leads down and inward; None if multipliers show that there is none.

    The least squares of what multipliers leave of the gradient give both.
    """
    from scipy.optimize import nnls  # not above: it imports all of scipy's optimisers

    coef = found.solution.coef
    # The way inside, as far as it leads across the face.
    across = found.across.T @ (found.across @ (factor.T @ (path.inside.coef - coef)))
    inward_step = solve_triangular(factor, across, lower=True, trans="T")
    gradient = objective(coef + _ASIDE * inward_step, 1).gradient
    assert gradient is not None
    if not np.isfinite(gradient).all():
        return None
    target = solve_triangular(factor, gradient, lower=True)
    # Along the face the gradient is zero, but it may not be aside of it.
    target = found.across.T @ (found.across @ target)
    inward = solve_triangular(factor, found.lines.T, lower=True)
    lengths = np.linalg.norm(inward, axis=0)
    multipliers = nnls(inward / lengths, target)[0] / lengths
    left = target - inward @ multipliers
    if np.sqrt(objective.size) * np.linalg.norm(left) <= _LEFT:
        return None
    return -solve_triangular(factor, left, lower=True, trans="T")


def _release(
    family: Family, objective: Objective, found: OnFace, away: Array
) -> tuple[Edges, Array] | None:
    """Return the rows that stay at the edge along a direction inward, and a lower point there."""
    change = objective.direction(away)
    least = _MOVED * max(float(np.abs(delta).max(initial=0.0)) for delta in change)
    edges = tuple(
        np.where(-code * delta > least, 0, code).astype(np.int8)
        for code, delta in zip(found.edges, change, strict=True)
    )
    held, coef = held_at(family, objective, edges), found.solution.coef
    share = 1.0
    for _ in range(_HALVINGS):
        if held(coef + share * away, 0).value < found.solution.evaluation.value:
            return edges, coef + share * away
        share *= 0.5
    return None


def _run_into(family: Family, objective: Objective, found: OnFace, path: Path) -> Edges | None:
    """Return the rows at the edge with those that Newton's method has run into; None if with none.

    Where even the start was outside, these are the rows outside.
    """
    here = slacks(objective, family.domains, found.solution.coef)
    there = slacks(objective, family.domains, path.inside.coef)
    edges, more = [], False
    for code, (low, high), (far_low, far_high) in zip(found.edges, here, there, strict=True):
        with np.errstate(invalid="ignore"):  # infinite slacks
            new = np.where(
                (code == 0) & (low < _BLOCKED * far_low),
                -1,
                np.where((code == 0) & (high < _BLOCKED * far_high), 1, code),
            ).astype(np.int8)
        more = more or bool((new != code).any())
        edges.append(new)
    return tuple(edges) if more else None
