"""Fits under links that do not map onto the whole line, whose maximum may be at the edge.

An example is a risk ratio, by a Bernoulli law with a logarithmic link, where all of one group have
the outcome: their probability is 1, the edge of what the link allows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.judge.barrier import Edges, Units, follow, gradients_of_eta, slacks, units_at
from skmle._engine.judge.face import OnFace, held_at, maximum_on_face
from skmle._engine.judge.growth import looks_at
from skmle._engine.judge.interior import is_interior
from skmle._engine.judge.separation import Span, separates
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.evidence import own_covariance
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.solvers import newton, proximal
from skmle._engine.solvers.cusps import solve_cusps

# Share of a row's slack that the last step to a maximum inside may take, at most: near it steps are
# far smaller than any slack; towards a maximum at the edge each takes nearly all. Chosen between.
_TAKEN = 0.5
# Share of the largest slack below which a slack is rounding. Chosen with a margin.
_NOTHING = 1e-12
# Distance in standard errors to which the problems with barriers are solved, so that each starts
# well. Chosen, not measured.
_TOL = 1e-4
# Height of the barriers that start where the solver has stopped: they move it by little. Chosen.
_NEAR = 1e-3
# How far inside the edge rows are put, in roundings of the terms of their linear predictor, so that
# none is outside however these are summed. Chosen with a margin.
_ROUNDINGS = 16.0
# Weight of the held directions in the Hessian of a face, in units of the largest curvature.
_STIFF = 1e6
# Share of the curvature at a start below which that of a direction has vanished. Chosen: a
# separation is then still to be proved.
_VANISHED = 1e-9
# Which of the smooth laws near one with cusps tells the rows at the edge: steps of Newton's method
# still lead to its maximum from anywhere. Chosen.
_SMOOTH = 2
# Nats a row by which a maximum at the edge may be less likely than where the solver has stopped.
_ROUNDING = 1e-9

# Share of its variance well inside below which a coefficient is determined by the edge. Chosen.
_HELD = 1e-10


class AtEdge(NamedTuple):
    """A maximum at the edge of a domain."""

    solution: Solution
    """Its coefficients are inside by rounding."""
    inverse: Array | None
    """The inverse Hessian on the face."""
    across: Array | None
    """The inverse Hessian well inside: what variances are if the edge determines nothing."""
    reason: str
    rows: int
    """How many of the user's rows stand at the edge."""


def is_off_edge(likelihood: Likelihood, solution: Solution) -> bool:
    """Return whether all rows of a solution are inside, with no step that leads to an edge."""
    domains, objective = likelihood.family.domains, likelihood.objective
    after = slacks(objective, domains, solution.coef)
    before = slacks(objective, domains, solution.coef - solution.step)
    for now, was in zip(after, before, strict=True):
        for slack, earlier in zip(now, was, strict=True):
            least = _NOTHING * np.where(np.isfinite(slack), slack, 0.0).max(initial=0.0)
            if not (slack > least).all() or (slack < _TAKEN * earlier).any():
                return False
    return True


def finish(likelihood: Likelihood, solution: Solution) -> AtEdge | Solution:
    """Return the maximum at the edge, or a solution that has found none there.

    Parameters
    ----------
    solution : Solution
        Whose steps were cut by the edge, or led to it.
    """
    objective = likelihood.objective
    family, start = likelihood.family, likelihood.starts()[0]
    ordinary = looks_at(family, objective, start).units
    units = units_at(objective, family.domains, start, ordinary)
    if family.smoothings():
        return _beside_cusps(likelihood, solution, start, units)
    found: list[AtEdge | Solution | None] = []
    if np.isfinite(objective(solution.coef, 0).value):
        # Domains are convex. Of a likelihood with several maxima, the one where the solver has
        # stopped may be another than that to which high barriers lead.
        found.append(_from(likelihood, solution.coef, units, _NEAR))
        start = 0.5 * (start + solution.coef)
    found.append(_from(likelihood, start, units, np.inf))
    ends = [end for end in found if end is not None and np.isfinite(_value(end))]
    if not ends:  # the solver has stopped at an edge for no reason that was found
        return solution._replace(converged=False)
    return ends[int(np.argmin([_value(end) for end in ends]))]


def _value(found: AtEdge | Solution) -> float:
    solution = found.solution if isinstance(found, AtEdge) else found
    return solution.evaluation.value


def _from(
    likelihood: Likelihood, start: Array, units: Units, highest: float
) -> AtEdge | Solution | None:
    """Return the maximum to which barriers up to a height lead; None if they lead to none."""
    problem, family, objective = likelihood.problem, likelihood.family, likelihood.objective
    solver = newton if objective.lasso is None else proximal

    def minimise(barred: Objective, coef: Array) -> Solution:
        return solver(barred, coef, tol=_TOL, max_iter=problem.max_iter)

    path = follow(family, objective, start, units, minimise, highest)
    if path is None:
        return None
    if not any(code.any() for code in path.edges):
        again = likelihood.solve(start=path.solution.coef)
        return again if again.converged and is_off_edge(likelihood, again) else None
    if objective.lasso is not None:
        return _at(likelihood, path.solution, path.edges)
    found = maximum_on_face(family, objective, path, problem.tol, problem.max_iter)
    if found is None:
        return None
    inside = _put_inside(likelihood, found, path.inside.coef)
    if not is_interior(likelihood, _stiffened(found)):
        return inside
    if (direction := _run_off(likelihood, found, likelihood.starts()[0])) is not None:
        return inside._replace(step=direction)
    inverse = _inverse(found)
    try:
        across = path.inside.evaluation.inverse
    except np.linalg.LinAlgError:
        across = None
    return _at(likelihood, inside, found.edges, inverse, across)


def _beside_cusps(
    likelihood: Likelihood, solution: Solution, start: Array, units: Units
) -> AtEdge | Solution:
    """Return the maximum at the edge of a law with cusps.

    A smooth law near it tells the rows at the edge. On their face, smooth laws lead to the law.
    """
    problem, family, objective = likelihood.problem, likelihood.family, likelihood.objective
    if objective.lasso is not None:
        return solution
    laws = family.smoothings()[_SMOOTH:]
    smooth = [likelihood.objective_of(law) for law in laws]
    tol, most = problem.tol, problem.max_iter

    def minimise(of: Any, coef: Array) -> Solution:
        return newton(of, coef, tol=tol, max_iter=most)

    path = follow(laws[0], smooth[0], start, units, minimise)
    if path is None:
        return solution._replace(converged=False)
    if not any(code.any() for code in path.edges):
        return solution
    first = maximum_on_face(laws[0], smooth[0], path, tol, most)
    if first is None:
        return solution._replace(converged=False)
    place = first.basis, first.solution.coef
    faces: list[Any] = [  # They need not have what only a vertex asks for.
        _Face(held_at(law, of, first.edges), *place)
        for law, of in zip([family, *laws], [objective, *smooth], strict=True)
    ]
    held, origin = faces[0], np.zeros(first.basis.shape[1])
    found = solve_cusps(held, faces[1:], origin, minimise, vertex=False, tol=tol, max_iter=most)
    whole = found._replace(
        coef=held.origin + held.basis @ found.coef,
        step=held.basis @ found.step,
        n_iter=found.n_iter + first.solution.n_iter,
    )
    inside = _put_inside(likelihood, first._replace(solution=whole), path.inside.coef)
    # Where the solver has stopped outside, its value is nan.
    worse = inside.evaluation.value > solution.evaluation.value + _ROUNDING
    if worse or not found.converged:
        return solution._replace(converged=False)
    return _at(likelihood, inside, first.edges)


class _Face(Span):
    """An objective of which rows are held at the edge, as a function on their face."""

    objective: Objective

    def curvature_along(self, coef: Array, step: Array) -> float:
        """Return step' H step for the Hessian at `coef`."""
        basis = self.basis
        return self.objective.curvature_along(self.origin + basis @ coef, basis @ step)


def _run_off(likelihood: Likelihood, found: OnFace, start: Array) -> Array | None:
    """Return a direction along the edge that proves that other rows run to infinity; else None.

    These rows have hardly any curvature left, compared with that at a start.
    """
    objective, basis = likelihood.objective, found.basis
    here, there = found.solution.evaluation.hessian, objective(start).hessian
    assert here is not None and there is not None
    try:
        share, vectors = eigh(basis.T @ here @ basis, basis.T @ there @ basis)
    except (np.linalg.LinAlgError, ValueError):  # the reference is not convex, or not finite
        return None
    flat = basis @ vectors[:, share < _VANISHED]
    direction = flat @ (flat.T @ there @ (found.solution.coef - start))
    family, statistics = likelihood.family, likelihood.statistics
    return direction if separates(family, statistics, objective, direction) else None


def _stiffened(found: OnFace) -> Solution:
    """Return the solution with a Hessian that is stiff in the directions that the edge holds."""
    at = found.solution.evaluation
    assert at.hessian is not None
    stiff = _STIFF * max(float(np.abs(at.hessian).max(initial=0.0)), 1.0)
    hessian = at.hessian + stiff * (found.lines.T @ found.lines)
    return found.solution._replace(evaluation=Evaluation(at.value, at.gradient, hessian))


def _inverse(found: OnFace) -> Array | None:
    """Return the inverse Hessian on the face; None if it is singular."""
    hessian, basis = found.solution.evaluation.hessian, found.basis
    assert hessian is not None
    try:
        return basis @ np.linalg.inv(basis.T @ hessian @ basis) @ basis.T
    except np.linalg.LinAlgError:
        return None


def _put_inside(likelihood: Likelihood, found: OnFace, inside: Array) -> Solution:
    """Return the solution moved inside by so little that only rounding tells it from the edge."""
    objective, domains = likelihood.objective, likelihood.family.domains
    innermost = likelihood.family.innermost
    design, coef = objective.design, found.solution.coef.copy()
    here, there = slacks(objective, domains, coef), slacks(objective, domains, inside)
    shift = np.zeros(design.p) if design.shift is None else np.abs(design.shift)
    for j, (s, term) in enumerate(zip(design.slices, design.terms, strict=True)):
        code = found.edges[j]
        index = np.flatnonzero(code)
        if not index.size:
            continue
        pick = np.ravel(code)[index] < 0
        near = np.where(pick, np.ravel(here[j][0])[index], np.ravel(here[j][1])[index])
        far = np.where(pick, np.ravel(there[j][0])[index], np.ravel(there[j][1])[index])
        size = np.abs(gradients_of_eta(objective, j, index)) @ np.abs(coef)
        if term.columns is not None:
            size += 2.0 * float(np.abs(coef[s]) @ shift[term.columns])
        if j == 0 and design.offset is not None:
            size += np.abs(design.offset[index])
        room = _ROUNDINGS * np.finfo(float).eps * size + np.abs(near)
        # Not even a constant, which is not rounded, stands at the edge itself.
        least = np.where(pick, innermost[j][0] - domains[j][0], domains[j][1] - innermost[j][1])
        own = slice(s.start, s.stop + term.intercept)
        coef[own] += (np.maximum(room, least) / far).max() * (inside[own] - coef[own])
    at = found.solution.evaluation
    value = objective(coef, 0).value
    return found.solution._replace(coef=coef, evaluation=Evaluation(value, at.gradient, at.hessian))


def _at(
    likelihood: Likelihood,
    solution: Solution,
    edges: Edges,
    inverse: Array | None = None,
    across: Array | None = None,
) -> AtEdge:
    """Return the record of a maximum at the edge, with what stands there in words."""
    family, n = likelihood.family, likelihood.design.n
    copies = likelihood.problem.observed.copies
    copies = np.ones(n, np.intp) if copies is None else copies
    parts, rows, most = [], np.zeros(n, bool), 0
    for j, code in enumerate(edges):
        for sign in (-1, 1):
            here = np.broadcast_to(code == sign, (n,))
            if not here.any():
                continue
            rows |= here
            link = family.link(j)
            end = family.domains[j][0 if sign < 0 else 1]
            theta = float(link.theta(np.asarray(end)))
            # A parameter that is constant is so in all rows, of which a density keeps fewer.
            count = likelihood.problem.n if code.ndim == 0 else int(copies[here].sum())
            most = max(most, count)
            stand = "row stands" if count == 1 else "rows stand"
            parts.append(
                f"{count} {stand} at the edge of the domain of link {link.name!r} "
                f"(fitted {family.names[j]} {theta:.6g})"
            )
    count = max(most, int(copies[rows].sum()))
    return AtEdge(solution, inverse, across, " and ".join(parts), count)


def covariance_at_edge(likelihood: Likelihood, found: AtEdge) -> Array | None:
    """Return the covariance along the edge; nan for coefficients that the edge determines."""
    if found.inverse is None or found.across is None:
        return None
    covariance = own_covariance(likelihood, found.solution.coef, found.inverse)
    if covariance is None:
        return None
    covariance = likelihood.masked(covariance)
    whole = likelihood.covariance(found.across)
    with np.errstate(invalid="ignore"):  # coefficients that the data do not determine are nan
        held = np.diag(covariance) <= _HELD * np.abs(np.diag(whole))
    covariance[held], covariance[:, held] = np.nan, np.nan
    return covariance
