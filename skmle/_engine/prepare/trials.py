"""Starts of laws whose constants have a closed form beside a linear predictor.

Where each of many linear predictors may lead to the best maximum, that form compares them at once,
in about the time of one step of a fit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skmle._engine.data.sums import strata
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.robust import elemental_predictors
from skmle._engine.prepare.starts import least_squares
from skmle.families.base import Family

# Rows on which trials are compared, at most. They serve as starts. Chosen, not measured.
_ROWS = 256
# Multiples of the slopes of least squares that are tried beside predictors through a few rows: on
# data with a steeper maximum, least squares may be flat, or have the other sign.
_STRETCHED = (1.0, 2.0, 4.0, -1.0)
# Trials that are kept, and by how much the slopes' share of eta of one of them must differ in some
# row from those before. Of 291 inverse Gaussian regressions, of which a fit from the constant law
# alone missed the best maximum 10 times, a fit that chose among 3 more starts missed it once, and
# one that chose among 6 never.
_KEPT, _APART = 6, 1.0


class Trial(NamedTuple):
    """A start in chart eta: coefficients of the first term, and the other constants."""

    coef: Array
    others: tuple[float, ...]

    def start(self, objective: Objective) -> Array:
        """Return the start as coefficients of the objective's design."""
        design = objective.design
        result = np.zeros(design.d)
        result[: len(self.coef)] = self.coef
        for e, s, term in zip(self.others, design.slices[1:], design.terms[1:], strict=True):
            if term.intercept:
                result[s.stop] = e
        return result


def best_trials(family: Family, objective: Objective) -> list[Trial]:
    """Return the best of many linear predictors whose slopes differ.

    There are none where constants have no closed form, or where the first parameter has no slopes
    or no intercept.
    """
    design = objective.design
    term = design.terms[0]
    if not term.size or not term.intercept or objective.lasso is not None:
        return []
    some = _some(objective)
    x = np.asarray(some.design.block(0, some.n).array(term.columns), float)
    known = 0.0 if some.design.offset is None else some.design.offset[:, None]
    if family.beside(some.statistics, np.zeros((some.n, 1)), some.weight) is None:
        return []
    z = family.alone(objective.statistics)
    if z is None or not np.isfinite(z).all():
        return []
    z = z if design.offset is None else z - design.offset
    first = least_squares(objective, z)
    slopes = np.outer(first.coef[:-1], _STRETCHED)
    if predictors := elemental_predictors(objective, first):
        slopes = np.column_stack([slopes, np.column_stack(predictors)[:-1]])
    led = x @ slopes
    found = family.beside(some.statistics, led + known, some.weight)
    assert found is not None
    added, *others = found
    rows = tuple(s[:, None] for s in some.statistics)
    value = family.evaluate(rows, (led + known + added, *others), 0).value
    mean = np.average(np.broadcast_to(value, led.shape), axis=0, weights=some.weight)
    kept: list[int] = []
    for k in np.argsort(mean, kind="stable"):
        if len(kept) == _KEPT or not np.isfinite(mean[k]):
            break
        if all(np.ptp(led[:, k] - led[:, j]) > _APART for j in kept):
            kept.append(int(k))
    return [
        Trial(np.append(slopes[:, k], added[k]), tuple(float(e[k]) for e in others)) for k in kept
    ]


def _some(objective: Objective) -> Objective:
    """Return the objective on at most so many rows as trials are compared on."""
    n = objective.n
    return objective if n <= _ROWS else objective.take(strata(n, _ROWS))
