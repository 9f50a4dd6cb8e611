"""Parameters on which no row depends around a solution, so that no value of them is most likely.

Of a Laplace law above zero only an exponential tail is left where its location is below zero. The
likelihood does not rise there, but it does not fall either: it is flat out to the end of the range.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.growth import looks_at
from skmle._engine.judge.limits import UNTOLD
from skmle._engine.judge.separation import cleaned
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood

# Derivative of a row in a parameter that is rounding, and share of the value of a row that is.
# Where rows run off, derivatives from the moderate origin on are larger. Chosen, not measured.
_ROUNDING = 1e-10
_FAR = (1.0, 5.0, 20.0, 80.0)  # changes of eta at which rows are compared, about as elsewhere


def ways_of_unused(objective: Objective, solution: Solution) -> Iterator[Array]:
    """Yield both directions of each parameter on which no row depends at a solution."""
    design = objective.design
    with np.errstate(all="ignore"):
        gradient = objective.rows_at(0, design.n, solution.coef, 1).gradient
    assert gradient is not None
    for s, term, slope in zip(design.slices, design.terms, gradient, strict=True):
        if term.intercept and bool((np.abs(slope) <= _ROUNDING).all()):
            way = np.zeros(design.d)
            way[s.stop] = 1.0
            yield way
            yield -way


def flat_along(likelihood: Likelihood, direction: Array) -> str:
    """Return of which parameters the likelihood is flat along a direction, in words; "" if not."""
    objective, family = likelihood.objective, likelihood.family
    delta, looks = cleaned(objective, direction), objective.looks
    if looks is None:
        return ""
    scaled = looks.scaled(delta)
    unit = max(float(np.abs(e).max(initial=0.0)) for e in scaled)
    if not unit > 0.0:  # in units of huge numbers, a change may be too small for a number
        return ""
    with np.errstate(all="ignore"):
        here, *there = (
            family.rows(likelihood.statistics, looks.at([t / unit * e for e in scaled]), 0).value
            for t in (0.0, *_FAR)
        )
        slack = _ROUNDING * (1.0 + np.abs(here))
        flat = all(bool((np.abs(value - here) <= slack).all()) for value in there)
    names = [p.name for p, e in zip(family.parameters, delta, strict=True) if e.any()]
    if not flat:
        return ""
    return _in_words(" and ".join(names))


def way_untold(likelihood: Likelihood, solution: Solution) -> tuple[Array, str] | None:
    """Return a way of one parameter on which the data tell no value of it from the solution's.

    Along it the total likelihood does not change. The reason is returned with it.
    """
    objective, family = likelihood.objective, likelihood.family
    looks = looks_at(family, objective, solution.coef)
    value = objective(solution.coef, 0).value
    pairs = zip(objective.design.slices, objective.design.terms, strict=True)
    for j, (s, term) in enumerate(pairs):
        if not term.intercept:
            continue
        outwards = -1.0 if solution.coef[s.stop] < 0.0 else 1.0
        for sign in (outwards, -outwards):
            way = np.zeros(objective.design.d)
            way[s.stop] = sign
            moves = (objective(solution.coef + t * looks.units[j] * way, 0).value for t in _FAR)
            if all(abs(there - value) * objective.size <= UNTOLD for there in moves):
                return way, _in_words(family.parameters[j].name)
    return None


def _in_words(names: str) -> str:
    return f"no observation depends on {names} there, so that no value is best"
