"""Fits along which the density of the observations grows without bound.

Either the linear predictor reproduces y, or the scale has vanished.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Solution
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.starts import interpolation

INTERPOLATED = (
    "the linear predictor reproduces every observation, so the density grows without bound around "
    "them (as many coefficients as distinct rows, or y is an exact function of X)"
)
# Logarithm of the scale, in standard deviations of y, below which the scale counts as vanished:
# observations are seldom exact to e^-9 = 1e-4 of their spread. Chosen, not measured.
_VANISHED = -9.0
_SIGNS = {"scale": 1.0, "rate": -1.0}  # how log scale enters an eta, by its parameter's unit


def interpolation_of(likelihood: Likelihood) -> Solution | None:
    """Return where the first eta of each row reproduces y; None if there is no such point.

    The likelihood is unbounded there.
    """
    family, pilot, objective = likelihood.family, likelihood.pilot, likelihood.objective
    known = None
    if likelihood.units.moves and not likelihood.problem.penalised:
        known = likelihood.first_term_fit
    origin = likelihood.units.origin / likelihood.units.unit
    start = interpolation(family, pilot, known, origin)
    if start is not None and pilot is not objective:
        start = interpolation(family, objective, origin=origin)
    if start is None:
        return None
    return Solution(start, objective(start, 0), np.zeros_like(start), np.inf, 1, converged=False)


def vanished_scale(likelihood: Likelihood, solution: Solution) -> str:
    """Return where a location-scale law has shrunk to a point, in words; "" if it has not."""
    count = rows_of_vanished_scale(likelihood, solution)
    if not count:
        return ""
    everywhere = not likelihood.design.terms[1].size
    at = (
        "around equal residuals or"
        if everywhere
        else f"at {count} of {likelihood.problem.n} rows, at"
    )
    return f"the scale runs to zero {at} observations that the location reproduces"


def rows_of_vanished_scale(likelihood: Likelihood, solution: Solution) -> int:
    """Return at how many rows a location-scale law has shrunk to a point."""
    if not likelihood.units.standardised:
        return 0
    etas = likelihood.objective.direction(solution.coef)
    pairs = zip(likelihood.family.parameters, etas, strict=True)
    scales = [_SIGNS[param.unit] * eta for param, eta in pairs if param.unit in _SIGNS]
    log_scale = np.minimum.reduce(np.broadcast_arrays(*scales))
    least = _VANISHED + float(np.log(np.std(likelihood.statistics[0]) or 1.0))
    vanished = np.broadcast_to(log_scale, (likelihood.design.n,)) < least
    copies = likelihood.problem.observed.copies
    return int(vanished.sum() if copies is None else copies[vanished].sum())
