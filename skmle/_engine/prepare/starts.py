"""Where a fit starts, and whether the linear predictor reproduces y, so that no fit is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Design, same
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Penalty, Ridge, total_curvature
from skmle.families.base import Arrays, Family, Rows, average
from skmle.families.tools.location_scale import SPREAD_SIGNS

# Largest absolute eta of a start. Data without a maximum, such as counts that are all zero, have
# starts at infinity, from where no step leads back. Chosen, not measured.
_START = 20.0
# Largest residual, in standard deviations of y, of a linear predictor that reproduces y. Rounding
# leaves 1e-16 times the condition of the columns; chosen far above, not measured.
_EXACT = 1e-12
# Largest residual as a share of the largest |y|: half an eps of y itself is rounding, and as much
# of the predictor.
_EPS = float(np.finfo(float).eps)
_ROUNDED = 2.0 * _EPS


class LeastSquares(NamedTuple):
    """Coefficients of the first term, and the residual of each row."""

    coef: Array
    residual: Array

    def moved(self, objective: Objective, coef: Array) -> LeastSquares:
        """Return the same record of other coefficients on the same rows."""
        change = np.zeros(objective.design.d)
        change[: len(coef)] = coef - self.coef
        return LeastSquares(coef, self.residual - objective.direction(change)[0])


def fit_first_term(objective: Objective) -> LeastSquares | None:
    """Return penalised least squares of the first statistic on the first term's columns.

    It is None where the first term is a constant.
    """
    design, z = objective.design, objective.statistics[0]
    if design.terms[0].columns is None:
        return None
    # A ridge with the curvature that the penalties have at zero is near enough for a start.
    held = total_curvature(objective.penalties, np.zeros(design.d))[: design.terms[0].length]
    own = (Ridge(held),) if objective.penalties else ()
    return least_squares(objective, z if design.offset is None else z - design.offset, own)


def starting_points(
    family: Family,
    objective: Objective,
    first: LeastSquares | None,
    known: Sequence[tuple[float, ...]] | None = None,
) -> list[Array]:
    """Return the family's starts as coefficients of the objective's design.

    Parameters
    ----------
    first : LeastSquares, optional
        The first term's coefficients from `fit_first_term`. The other parameters then start as
        those of its residuals, which must be observations of the family, too. Without it, all
        slopes start at zero.
    known : sequence of tuple, optional
        The family's starts, if they were computed before.
    """
    design, statistics = objective.design, objective.statistics
    narrowest, locations = -np.inf, [param.unit == "location" for param in family.parameters]
    if first is not None and sum(locations) > 1 and is_reproduced(first, statistics[0]):
        first = None  # What is left of y cannot be told apart into parts.
    if first is not None:
        narrowest = float(np.log(_EPS * np.abs(statistics[0]).max()))
        rest = statistics[1:]
        if sum(locations) > 1:
            rest = family.standardise(statistics, statistics[0] - first.residual, 1.0)[1:]
        statistics = (first.residual, *rest)
    result = []
    for chart_eta in known or family.starts(statistics, objective.weight):
        eta = family.linked(_not_narrower(family, finite_start(chart_eta), narrowest))
        coef = np.zeros(design.d)
        for e, s, term in zip(eta, design.slices, design.terms, strict=True):
            if term.intercept:
                coef[s.stop] = float(e)
        if first is not None:
            _add_lead(objective, locations, coef, first.coef)
        elif design.offset is not None and design.terms[0].intercept:
            coef[design.slices[0].stop] -= average(design.offset, objective.weight)
        result.append(coef)
    return result


def finite_start(chart_eta: Sequence[float] | Array, far: float = _START) -> Arrays:
    """Return chart eta of a start as finite numbers; `far` is in the place of infinite ones."""
    finite = np.nan_to_num(chart_eta, nan=0.0, posinf=far, neginf=-far)
    return tuple(np.clip(finite, -1e300, 1e300))


def is_reproduced(first: LeastSquares, y: Array) -> bool:
    """Return whether all that least squares leaves of y is rounding."""
    return bool(np.abs(first.residual).max() <= _EXACT * np.abs(y).max())


def _add_lead(objective: Objective, locations: list[bool], coef: Array, first: Array) -> None:
    """Add the coefficients of least squares to the first term, and what they say to all locations.

    Another location has no offset. Its own columns may differ, and then it gets the mean alone.
    """
    design = objective.design
    own, slopes = design.terms[0], design.slices[0]
    coef[: len(first)] += first
    if sum(locations) < 2 or not own.intercept:
        return
    offset = np.zeros(1) if design.offset is None else design.offset
    lead = objective.direction(np.append(first, np.zeros(design.d - len(first))))[0] + offset
    for s, term, location in zip(design.slices[1:], design.terms[1:], locations[1:], strict=True):
        if not (location and term.intercept):
            continue
        if same(term.columns, own.columns):
            coef[s] += first[slopes]
            coef[s.stop] += first[slopes.stop] + np.mean(offset)
        else:
            coef[s.stop] += np.mean(lead)


def _not_narrower(family: Family, eta: Arrays, least: float) -> Arrays:
    """Return chart eta of a start whose log scale is at least as large as that of rounding.

    A part of a mixture may be narrower, and would lose its rows to the rounding of its location.
    """
    signs = [SPREAD_SIGNS.get(param.unit, 0.0) for param in family.parameters]
    pairs = zip(eta, signs, strict=True)
    return tuple(sign * np.maximum(sign * e, least) if sign else e for e, sign in pairs)


def interpolation(
    family: Family,
    objective: Objective,
    first: LeastSquares | None = None,
    origin: float = 0.0,
) -> Array | None:
    """Return coefficients with which the first eta of each row reproduces y; None if none do.

    The scale, if there is one, is almost zero there.

    Parameters
    ----------
    first : LeastSquares, optional
        What `fit_first_term` has found without a penalty, for laws whose first eta is a location.
    origin : float
        What was subtracted from y beforehand, in the units of y now.
    """
    design = objective.design
    limit = family.saturated(objective.statistics)
    if limit is None or design.terms[0].columns is None:
        return None
    constants = tuple(np.asarray(e) for e in limit.others)
    with np.errstate(all="ignore"):  # a link may not reach y
        z, *others = family.linked((limit.first, *constants))
    if not np.isfinite(z).all():
        return None
    z = z if design.offset is None else z - design.offset
    coef, residual = first or least_squares(objective, z)
    away = np.abs(z - average(z, objective.weight))
    unit = float(away.max())  # so that no square underflows
    unit = unit if unit > 0.0 else 1.0
    spread = unit * np.sqrt(np.average((away / unit) ** 2, weights=objective.weight))
    rounding = _ROUNDED * (float(np.abs(z).max()) + abs(origin))
    if np.abs(residual).max() > max(_EXACT * (spread if spread > 0.0 else 1.0), rounding):
        return None
    result = np.zeros(design.d)
    result[: len(coef)] = coef
    for e, s in zip(others, design.slices[1:], strict=True):
        result[s.stop] = float(e)
    return result


def least_squares(
    objective: Objective, z: Array, penalties: tuple[Penalty, ...] = ()
) -> LeastSquares:
    """Return weighted, penalised least squares of z on the columns of the first term."""
    whole = objective.design
    design = Design(whole.terms[:1], whole.n, whole.X, whole.shift, None, whole.blocks)
    squares = Objective(_squares, (z,), design, objective.weight, penalties, objective.threads)
    coef = np.zeros(design.d)
    for _ in range(2):  # the second step corrects the rounding errors of the first
        at = squares(coef)
        assert at.hessian is not None and at.gradient is not None
        if not (np.isfinite(at.hessian).all() and np.isfinite(at.gradient).all()):
            break  # LAPACK would not return
        diagonal = np.diag(at.hessian)
        scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
        scaled = at.hessian / np.outer(scale, scale)
        coef = coef - np.linalg.lstsq(scaled, at.gradient / scale, rcond=1e-15)[0] / scale
    return LeastSquares(coef, z - squares.direction(coef)[0])


def _squares(statistics: Arrays, eta: Arrays, order: int) -> Rows:
    """Return half the squared residuals with their derivatives, in the form of a family's rows."""
    residual = eta[0] - statistics[0]
    return Rows(0.5 * residual * residual, (residual,), (np.ones(()),))
