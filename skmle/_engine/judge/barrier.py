"""Which rows stand at the edge of their links' domains: the way there along a logarithmic barrier.

Each row gets mu times a barrier beside its -log q. The barrier is like -log(slack), where the slack
is the distance of the row's eta from an end of the domain; from a unit on it is zero, so that it
makes no row run to infinity. As mu falls, the slack of a row that the likelihood presses against
the edge falls in proportion; that of any other row stays. This tells the rows without units of eta.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Solution
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Family, Rows, triangle

Domains = tuple[tuple[float, float], ...]
Slacks = list[tuple[Array, Array]]
"""For each parameter, the distances of the eta of its rows from the low and from the high end."""
Edges = tuple[NDArray[np.int8], ...]
"""For each parameter, (n,) or 0-d: -1 at the low end of its domain, 1 at the high end, else 0."""
Units = tuple[tuple[float, float], ...]
Minimise = Callable[[Objective, Array], Solution]

# Nats a row of the barriers, one after the other. The last is so small that rows at an edge are
# told from others, and so large that the Hessian still has digits. Chosen, not measured.
_BARRIERS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
# Which of them gives the point well inside.
_INSIDE = 1e-2
# A barrier ten times lower leaves a tenth of the slack of a row at the edge, and all of another's;
# of a row without a multiplier it leaves 0.32. Chosen between.
_FALLS = 0.5
# Share of an ordinary distance from which a start is at the edge. Chosen, not measured.
_EDGE = 1e-6


class Path(NamedTuple):
    """Where the barriers have led."""

    solution: Solution
    """Under the last barrier."""
    inside: Solution
    """Under a high barrier, well inside the domain, with the Hessian there."""
    edges: Edges
    """Which rows are pressed against an end of a domain."""
    n_iter: int


def slacks(objective: Objective, domains: Domains, coef: Array) -> Slacks:
    """Return the distances of all eta from the ends of their domains."""
    pairs = zip(objective.etas(coef), domains, strict=True)
    return [(eta - low, high - eta) for eta, (low, high) in pairs]


def units_at(
    objective: Objective, domains: Domains, coef: Array, ordinary: Sequence[float]
) -> Units:
    """Return the typical distances from the ends of the domains at a point well inside.

    Parameters
    ----------
    ordinary : sequence of float
        A unit of each eta, which stands for a distance if the point itself is at the edge, as a
        start may be.
    """

    def typical(slack: Array, unit: float) -> float:
        found = float(np.median(slack))
        return found if found > _EDGE * unit else unit

    found = zip(slacks(objective, domains, coef), ordinary, strict=True)
    return tuple((typical(low, unit), typical(high, unit)) for (low, high), unit in found)


def follow(
    family: Family,
    objective: Objective,
    start: Array,
    units: Units,
    minimise: Minimise,
    highest: float = np.inf,
) -> Path | None:
    """Follow the barriers from a point inside; None if they lead nowhere.

    Parameters
    ----------
    units : tuple of pairs
        From `units_at`.
    minimise : callable
        (objective, start) -> Solution.
    highest : float
        Height of the first barrier, at most.
    """
    domains, solution, inside, steps = family.domains, None, None, 0
    coef = start
    before = now = slacks(objective, domains, coef)
    for height in [height for height in _BARRIERS if height <= highest]:
        rows = partial(_with_barrier, family, units, height)
        solution = minimise(replace(objective, rows=rows, watch=None), coef)
        steps += solution.n_iter
        if not np.isfinite(solution.evaluation.value):
            return None
        coef = solution.coef
        before, now = now, slacks(objective, domains, coef)
        inside = solution if height >= _INSIDE or inside is None else inside
    assert solution is not None and inside is not None
    edges = tuple(
        np.where(_pressed(low, was_low), -1, np.where(_pressed(high, was_high), 1, 0)).astype(
            np.int8
        )
        for (low, high), (was_low, was_high) in zip(now, before, strict=True)
    )
    return Path(solution, inside, edges, steps)


def _pressed(now: Array, before: Array) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):  # infinite slacks
        return np.isfinite(now) & (now < _FALLS * before)


def _with_barrier(
    family: Family,
    units: Units,
    height: float,
    statistics: Arrays,
    eta: Arrays,
    order: int,
) -> Rows:
    """Return the rows of a family with a barrier at each end of a domain."""
    rows = family.rows(statistics, eta, order)
    value = rows.value
    gradient = list(rows.gradient or ())
    packed = list(rows.packed) if order > 1 else []
    places = triangle(len(eta))
    for j, ends in enumerate(family.domains):
        for end, unit, sign in zip(ends, units[j], (1.0, -1.0), strict=True):
            if not np.isfinite(end):
                continue
            slack = sign * (eta[j] - end) / unit
            inside = slack > 0.0
            # -log t + (t - 1) - (t - 1)^2/2 has two continuous derivatives at t = 1, where it ends.
            t = np.where(inside, np.minimum(slack, 1.0), 1.0)
            wall = -np.log(t) + (t - 1.0) - 0.5 * (t - 1.0) ** 2
            value = np.where(inside, value + height * wall, np.inf)
            if order > 0:
                gradient[j] = gradient[j] - sign * height / unit * (t - 1.0) ** 2 / t
            if order > 1:
                at = places.index((j, j))
                own = (1.0 / (t * t) - 1.0) * height / unit / unit
                packed[at] = own if packed[at] is None else packed[at] + own  # type: ignore[operator]
    return Rows(value, tuple(gradient), tuple(packed)).upto(order)


def gradients_of_eta(objective: Objective, j: int, index: NDArray[np.intp]) -> Array:
    """Return d eta_j / d coef of some rows, (rows, d)."""
    some = replace(objective, design=objective.design.take(index), statistics=(), weight=None)
    columns = [some.direction(unit)[j] for unit in np.eye(objective.design.d)]
    return np.column_stack([np.broadcast_to(c, index.shape) for c in columns])
