"""Fits along which the density of the observations grows without bound.

Either the linear predictor reproduces y, or the scale has vanished.
"""

from __future__ import annotations

import numpy as np

from skmle._engine.evaluation import Array, Solution
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.starts import interpolation
from skmle.families.base import Arrays, Family, Saturated
from skmle.families.tools.concentrated import is_concentrated
from skmle.families.tools.location_scale import NEARLY_NO_SCALE

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
    if (limit := _limit_in_units_of_y(likelihood)) is not None:
        end = "zero" if limit.power > 0.0 else "infinity"
        index, named = names.index(limit.runs), (limit.runs, end, names[0])
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
    elif (limit := _limit_in_units_of_y(likelihood)) is not None:
        log_scale, values = _log_deviation(likelihood.family, etas, limit), limit.first
    else:
        return 0
    least = _VANISHED + float(np.log(np.std(values) or 1.0))
    vanished = np.broadcast_to(log_scale, (likelihood.design.n,)) < least
    copies = likelihood.problem.observed.copies
    return int(vanished.sum() if copies is None else copies[vanished].sum())


def concentrated(likelihood: Likelihood, solution: Solution) -> str:
    """Return where a law has shrunk to each of the observations, in words; "" if it has not."""
    family, objective = likelihood.family, likelihood.objective
    if family.observation.columns != 1:
        return ""
    densities = np.broadcast_to(family.densities(likelihood.statistics), (likelihood.design.n,))
    at = np.flatnonzero(densities > 0.0)
    values = np.asarray(family.restore(likelihood.statistics), float)[at]
    if not len(at):
        return ""
    rows = objective.take(at)
    nll = rows.rows_at(0, len(at), solution.coef, 0).value + family.base(rows.statistics)
    if not is_concentrated(nll, values):
        return ""
    what = "all observations" if len(at) == len(densities) else "all observations with a density"
    how = "differ, but the law shrinks to each" if (values != values[0]).any() else "are equal"
    return f"{what} {how}, so the density grows without bound around them"


def _limit_in_units_of_y(likelihood: Likelihood) -> Saturated | None:
    """Return the way to infinity of a law that is fitted in units of y itself; None of others.

    None is returned, too, of one whose spread is told by other parameters than the one that runs.
    """
    if likelihood.units.standardised:
        return None
    limit = likelihood.family.saturated(likelihood.statistics)
    return None if limit is None or limit.beside else limit


def _log_scales(family: Family, etas: Arrays) -> list[Array]:
    """Return the log scales each of which, if it vanishes, shrinks the law to a point.

    Those at whose end the family has a limit law do so only together.
    """
    pairs = zip(family.parameters, etas, strict=True)
    scales = {p.name: _SIGNS[p.unit] * eta for p, eta in pairs if p.unit in _SIGNS}
    limited = {limit.parameter for limit in family.limits}
    together = [scale for name, scale in scales.items() if name in limited]
    alone = [scale for name, scale in scales.items() if name not in limited]
    if together:
        alone.append(np.maximum.reduce(np.broadcast_arrays(*together)))
    return alone


def _log_deviation(family: Family, etas: Arrays, limit: Saturated) -> Array:
    """Return the log standard deviation of y on the scale of the first eta, about.

    It is taken from how far the parameter that runs still is from where `saturated` puts it.
    """
    index = [param.name for param in family.parameters].index(limit.runs)
    with np.errstate(all="ignore"):  # next to an end of the range
        eta = family.chart(etas)[index]
    log_scale = np.log(NEARLY_NO_SCALE) + np.log(limit.spread)
    return log_scale + (eta - limit.others[index - 1]) / limit.power
