"""Where a fit starts, and where it need not: y that the linear predictor reproduces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Design
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Penalty, Ridge, total_curvature
from skmle.families.base import Arrays, Family, Rows, average

# No start lies further out in eta: data without a maximum there (all counts zero) have closed forms
# at infinity.
_START = 20.0
_EXACT = (
    1e-8  # residuals below this share of the standard deviation of y are none: the fit interpolates
)


class LeastSquares(NamedTuple):
    """Coefficients of the first term, and what they leave of each row."""

    coef: Array
    residual: Array


def lead(objective: Objective) -> LeastSquares | None:
    """Return penalised least squares of the first statistic on the first term's columns.

    It is None where that is a constant.
    """
    design, z = objective.design, objective.statistics[0]
    if design.terms[0].columns is None:
        return None
    # Of other penalties than a ridge, the quadratic around zero is near enough for a start.
    held = total_curvature(objective.penalties, np.zeros(design.d))[: design.terms[0].length]
    own = (Ridge(held),) if objective.penalties else ()
    return least_squares(objective, z if design.offset is None else z - design.offset, own)


def starting_points(
    family: Family,
    objective: Objective,
    led: LeastSquares | None,
    known: Sequence[tuple[float, ...]] | None = None,
) -> list[Array]:
    """Return the family's starts as coefficients of the objective's design.

    Parameters
    ----------
    led : LeastSquares, optional
        The objective's `lead`, if the first statistic less the first eta is again a sample of the
        family: the other parameters start from its residuals. Otherwise all slopes start at zero.
    known : sequence of tuple, optional
        The family's starts, if they were computed before.
    """
    design, statistics = objective.design, objective.statistics
    if led is not None:
        statistics = (led.residual, *statistics[1:])
    result = []
    for chart_eta in known or family.starts(statistics, objective.weight):
        eta = family.linked(
            tuple(
                np.clip(
                    np.nan_to_num(chart_eta, nan=0.0, posinf=_START, neginf=-_START), -1e300, 1e300
                )
            )
        )
        coef = np.zeros(design.d)
        for e, s, term in zip(eta, design.slices, design.terms, strict=True):
            if term.intercept:
                coef[s.stop] = float(e)
        if led is not None:
            coef[: len(led.coef)] += led.coef
        elif design.offset is not None and design.terms[0].intercept:
            coef[design.slices[0].stop] -= average(design.offset, objective.weight)
        result.append(coef)
    return result


def interpolation(
    family: Family, objective: Objective, led: LeastSquares | None = None
) -> Array | None:
    """Return coefficients with which the first parameter's rows reproduce y; None if none do.

    The scale is almost zero there.

    Parameters
    ----------
    led : LeastSquares, optional
        The objective's `lead`, if known and without penalty: a location that leaves nothing over is
        a saturated law's.
    """
    design = objective.design
    limit = family.saturated(objective.statistics)
    if limit is None or design.terms[0].columns is None:
        return None
    constants = tuple(np.asarray(e) for e in limit.others)
    with np.errstate(all="ignore"):  # under a link that cannot reach y
        z, *others = family.linked((limit.first, *constants))
    if not np.isfinite(z).all():
        return None
    z = z if design.offset is None else z - design.offset
    coef, residual = led or least_squares(objective, z)
    spread = np.sqrt(np.average((z - average(z, objective.weight)) ** 2, weights=objective.weight))
    if np.abs(residual).max() > _EXACT * (spread if spread > 0.0 else 1.0):
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
    for _ in range(2):  # the second step refines the rounding of the first
        at = squares(coef)
        assert at.hessian is not None and at.gradient is not None
        scale = np.sqrt(np.where(np.diag(at.hessian) > 0.0, np.diag(at.hessian), 1.0))
        coef = (
            coef
            - np.linalg.lstsq(
                at.hessian / np.outer(scale, scale), at.gradient / scale, rcond=1e-15
            )[0]
            / scale
        )
    return LeastSquares(coef, z - squares.direction(coef)[0])


def _squares(statistics: Arrays, eta: Arrays, order: int) -> Rows:
    residual = eta[0] - statistics[0]
    return Rows(0.5 * residual * residual, (residual,), (np.ones(()),))
