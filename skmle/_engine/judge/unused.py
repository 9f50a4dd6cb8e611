"""Parameters on which no row depends around a solution, so that no value of them is most likely.

Of a Laplace law above zero only an exponential tail is left where its location is below zero. The
likelihood does not rise there, but it does not fall either: it is flat out to the end of the range.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.separation import cleaned
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood

# Derivative of a row in a parameter that is rounding, and share of the value of a row that is.
# Where rows run off, derivatives from the moderate origin on are larger. Chosen, not measured.
_ROUNDING = 1e-10
_FAR = (5.0, 80.0)  # changes of eta at which rows are compared; as the looks of `never_rises`


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
    with np.errstate(all="ignore"):
        here, near, far = (
            family.rows(likelihood.statistics, looks.at([t / unit * e for e in scaled]), 0).value
            for t in (0.0, *_FAR)
        )
        slack = _ROUNDING * (1.0 + np.abs(here))
        flat = (np.abs(near - here) <= slack).all() and (np.abs(far - here) <= slack).all()
    names = [p.name for p, e in zip(family.parameters, delta, strict=True) if e.any()]
    if not flat:
        return ""
    return f"no observation depends on {' and '.join(names)} there, so that no value is best"
