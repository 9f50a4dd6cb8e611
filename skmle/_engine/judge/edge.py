"""Fits along which the density of the observations grows without bound.

Either the linear predictor reproduces y, or the scale has vanished.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Array, Solution
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.starts import interpolation
from skmle.families.base import Arrays, Family, Saturated
from skmle.families.tools.location_scale import NEARLY_NO_SCALE

INTERPOLATED = (
    "the linear predictor reproduces every observation, so the density grows without bound around "
    "them (as many coefficients as distinct rows, or y is an exact function of X)"
)
# Logarithm of the scale, in standard deviations of y, below which the scale counts as vanished:
# observations are seldom exact to e^-9 = 1e-4 of their spread. Chosen, not measured.
_VANISHED = -9.0
# Logarithm of the density of the only value that is observed, per unit of its own size, from which
# the law has shrunk to it: nearly all probability is within 1e-4 of it. As `_VANISHED`.
_CONCENTRATED = 9.0
_SIGNS = {"scale": 1.0, "rate": -1.0}  # how log scale enters an eta, by its parameter's unit


def interpolation_of(likelihood: Likelihood) -> Solution | None:
    """Return where the first eta of each row reproduces y; None if there is no such point.

    The likelihood is unbounded there.
    """
    family, pilot, objective = likelihood.family, likelihood.pilot, likelihood.objective
    known = None
    if not likelihood.problem.penalised:
        known = likelihood.first_term_fit
    origin = likelihood.units.origin / likelihood.units.unit
    start = interpolation(family, pilot, known, origin)
    if start is not None and pilot is not objective:
        start = interpolation(family, objective, origin=origin)
    if start is None:
        return None
    return Solution(start, objective(start, 0), np.zeros_like(start), np.inf, 1, converged=False)


def vanished_scale(likelihood: Likelihood, solution: Solution) -> str:
    """Return where a law has shrunk to a point, in words; "" if it has not."""
    count = rows_of_vanished_scale(likelihood, solution)
    if not count:
        return ""
    names = [param.name for param in likelihood.family.parameters]
    index, named = 1, ("scale", "zero", "location")
    if (limit := _precise_limit(likelihood)) is not None:
        index, named = names.index(limit.runs), (limit.runs, "infinity", names[0])
    everywhere = not likelihood.design.terms[index].size
    at = (
        "around equal residuals or"
        if everywhere
        else f"at {count} of {likelihood.problem.n} rows, at"
    )
    return "the {} runs to {} {at} observations that the {} reproduces".format(*named, at=at)


def rows_of_vanished_scale(likelihood: Likelihood, solution: Solution) -> int:
    """Return at how many rows a law has shrunk to a point."""
    etas = tuple(likelihood.objective.etas(solution.coef))
    scales = _log_scales(likelihood.family, etas) if likelihood.units.standardised else []
    if scales:
        log_scale = np.minimum.reduce(np.broadcast_arrays(*scales))
        values = likelihood.statistics[0]
    elif (limit := _precise_limit(likelihood)) is not None:
        log_scale, values = _log_deviation(likelihood.family, etas, limit), limit.first
    else:
        return 0
    least = _VANISHED + float(np.log(np.std(values) or 1.0))
    vanished = np.broadcast_to(log_scale, (likelihood.design.n,)) < least
    copies = likelihood.problem.observed.copies
    return int(vanished.sum() if copies is None else copies[vanished].sum())


def concentrated(likelihood: Likelihood, solution: Solution) -> str:
    """Return where a law has shrunk to the one value that is observed, in words; "" if it has not.

    That is seen from the density of a law that states no parameter which vanishes there.
    """
    family, objective = likelihood.family, likelihood.objective
    if family.observation.columns != 1 or likelihood.design.modelled:
        return ""
    densities = np.broadcast_to(family.densities(likelihood.statistics), (likelihood.design.n,))
    at = np.flatnonzero(densities > 0.0)
    values = np.asarray(family.restore(likelihood.statistics), float)[at]
    if not len(at) or (values != values[0]).any():
        return ""
    rows = objective.take(at)
    nll = rows.rows_at(0, len(at), solution.coef, 0).value + family.base(rows.statistics)
    if not np.max(nll) < -_CONCENTRATED - np.log(abs(values[0]) or 1.0):
        return ""
    what = "all observations" if len(at) == len(densities) else "all observations with a density"
    return f"{what} are equal, so the density grows without bound around them"


def _precise_limit(likelihood: Likelihood) -> Saturated | None:
    """Return the way to infinity of a law with a shape or precision; None of other laws."""
    limit = likelihood.family.saturated(likelihood.statistics)
    units = {param.name: param.unit for param in likelihood.family.parameters}
    return None if limit is None or units[limit.runs] in _SIGNS else limit


def _log_scales(family: Family, etas: Arrays) -> list[Array]:
    pairs = zip(family.parameters, etas, strict=True)
    return [_SIGNS[param.unit] * eta for param, eta in pairs if param.unit in _SIGNS]


def _log_deviation(family: Family, etas: Arrays, limit: Saturated) -> Array:
    """Return the log standard deviation of y on the scale of the first eta, about.

    It is taken from how far a shape or precision, which goes with the inverse square of the
    standard deviation, still is from where `saturated` puts it.
    """
    index = [param.name for param in family.parameters].index(limit.runs)
    with np.errstate(all="ignore"):  # next to an end of the range
        eta = family.chart(etas)[index]
    return np.log(NEARLY_NO_SCALE) + 0.5 * (limit.others[index - 1] - eta)
