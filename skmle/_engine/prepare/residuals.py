"""Observations that a linear predictor nearly reproduces are fitted by what is left of them.

Where the scale is a tiny share of y, differences of y and the predictor lose as many digits as the
share has. Least squares, whose residuals are computed once, leaves a problem without that loss.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skmle._engine.evaluation import Array
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.starts import fit_first_term
from skmle._engine.problem import Fit, Problem, Tell

# Largest residual, in spreads of y, that counts as little: half of the digits of y are then left.
# Chosen, not measured: with a residual of 1e-6, Newton's steps still came within 1e-8 of the end.
_LITTLE = 1e-5


class Lead(NamedTuple):
    """What least squares has taken from the observations: slopes and intercept, in units of y."""

    slopes: Array
    intercept: float

    def told(self, tell: Tell | None) -> Tell | None:
        """Return a `tell` for a fit of what is left that shows it in the user's coefficients."""
        return None if tell is None else lambda make: tell(lambda: restored(make(), self))


def without_lead(likelihood: Likelihood) -> tuple[Problem, Lead] | None:
    """Return the problem of the residuals of least squares, if they are little; else None."""
    problem, units = likelihood.problem, likelihood.units
    if not units.located(0) or problem.penalised or problem.start is not None:
        return None
    if not problem.terms[0].intercept or (near := likelihood.first_term_fit) is None:
        return None
    if len(problem.observed.statistics) > 1:
        return None  # Ends of intervals and of windows would have to move row by row, too.
    spread, largest = float(np.std(likelihood.pilot.statistics[0])), np.abs(near.residual).max()
    if not 0.0 < largest <= _LITTLE * spread:
        return None
    whole = fit_first_term(likelihood.objective)
    assert whole is not None
    coef = np.zeros(likelihood.design.d)
    coef[: len(whole.coef)] = whole.coef
    slopes, intercept = likelihood.raw(coef)[0]
    rest = whole.residual * units.unit
    observed = replace(problem.observed, statistics=(rest,), equal=False)
    return replace(problem, observed=observed, offset=None), Lead(slopes, intercept)


def restored(fit: Fit, lead: Lead) -> Fit:
    """Return the fit of the observations from that of what least squares has left of them."""
    (slopes, intercept), *others = fit.coefs
    first = (slopes + lead.slopes, intercept + lead.intercept)
    return replace(fit, coefs=(first, *others))
