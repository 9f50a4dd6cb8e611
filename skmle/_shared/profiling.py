"""Profiles of the estimates in the table of a fit, which are functions of its coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.profiled import Profile
from skmle._shared.rows_again import RowsAgain
from skmle.families.tools.cached import cached_property
from skmle.inference import Inference
from skmle.inference.profile import Profiled, profile_end
from skmle.inference.robust import Errors

Array = NDArray[np.float64]

# Difference, relative to the change itself, by which twice a step may not be twice a change: more
# than rounding, and far less than what bends. Chosen, not measured.
_BENT = 1e-6
# Change of an estimate, relative to that by all coefficients, that is rounding.
_NOTHING = 1e-9


@dataclass(frozen=True)
class LineProfiler:
    """The profiles of the estimates in a table, on the scales where their intervals are symmetric.

    Parameters
    ----------
    evidences : sequence of Evidence
        Of each fit.
    sizes : sequence of int
        How many coefficients each fit has, as users see them.
    result : Inference
        The table.
    eta : callable
        From coefficients, (k,), to the estimates on their own scales, (m,).
    at : ndarray of shape (k,)
        The coefficients of the fits.
    steps : ndarray of shape (k,)
        By which they are moved to see on what the estimates depend.
    """

    evidences: Sequence[Evidence]
    sizes: Sequence[int]
    result: Inference
    eta: Callable[[Array], Array]
    at: Array
    steps: Array

    @cached_property
    def weights(self) -> Array:
        """The derivatives of each estimate in all coefficients; nan where it is not linear."""
        return weights_of(self.eta, self.at, self.steps)

    def interval(self, i: int, z: float) -> Profiled:
        """Return the interval of estimate i that ends where the deviance is z^2.

        Raises
        ------
        ValueError
            If it is no linear function of the coefficients, or the data do not determine it.
        """
        name, result = str(self.result.terms[i]), self.result
        assert result.eta is not None and result.eta_errors is not None
        if not np.isfinite(result.eta_errors[i]):
            raise ValueError(
                f"profile: the data do not determine {name!r}. Allowed: estimates with a standard "
                "error. Leave it out of terms, or its column out of the fit."
            )
        row = self.weights[i]
        if not np.isfinite(row).all():
            raise ValueError(
                f"profile: {name!r} is no linear function of coefficients under a link, as only "
                "those have profiles. Allowed: coefficients, and parameters of one number. Leave "
                "it out of terms, or use estimate()."
            )
        ends, count = np.cumsum([0, *self.sizes]), 0
        (which,) = {int(np.searchsorted(ends, j, "right")) - 1 for j in np.flatnonzero(row)}
        evidence = self.evidences[which]
        direction = row[ends[which] : ends[which + 1]]
        matrix = evidence.likelihood.coordinates.matrix()
        if matrix is not None:
            direction = direction @ matrix
        moves = []
        for sign in (-1.0, 1.0):
            profile = Profile(evidence.objective, evidence.coef, direction)
            moves.append(profile_end(profile, profile.error, sign, z))
            count += profile.fits
        assert result.inverses is not None
        inverse, eta = result.inverses[i], float(result.eta[i])
        found = [eta + move for move in moves]
        if inverse is not None:
            with np.errstate(over="ignore"):
                found = [float(inverse(np.asarray(end))) for end in found]
        low, high = sorted(found) if not np.isnan(found).any() else found
        return Profiled(low, high, count)


def profiler_of(
    model: RowsAgain, evidences: Sequence[Evidence], result: Inference, errors: Errors
) -> LineProfiler:
    """Return the profiles of the estimates of a fitted model, whose rows are known again."""
    as_function = model._as_function(errors)
    variances = np.diag(as_function.covariance)
    known = np.isfinite(variances) & (variances > 0.0)

    def eta(vector: Array) -> Array:
        found = as_function.at(vector)._results_under(errors).eta
        assert found is not None
        return np.asarray(found, float)

    return LineProfiler(
        evidences=evidences,
        sizes=[len(c) for c in errors.covariances if c is not None],
        result=result,
        eta=eta,
        at=as_function.coefs,
        steps=np.where(known, np.sqrt(np.where(known, variances, 1.0)), 1.0),
    )


def weights_of(eta: Callable[[Array], Array], at: Array, steps: Array) -> Array:
    """Return the derivatives of lines in coefficients, (m, k); nan where a line is not linear.

    Parameters
    ----------
    eta : callable
        From coefficients, (k,), to the lines on their own scales, (m,).
    at : ndarray of shape (k,)
    steps : ndarray of shape (k,)
    """
    here = eta(at)
    moved = np.array([eta(at + step) - here for step in np.diag(steps)]).T
    result = moved / steps
    largest = np.abs(moved).max(axis=1, initial=0.0)
    result[np.abs(moved) <= _NOTHING * largest[:, None]] = 0.0
    every = eta(at + 2.0 * steps) - here
    twice = np.array([eta(at + 2.0 * step) - here for step in np.diag(steps)]).T
    allowed = _BENT * largest
    bent = np.abs(twice - 2.0 * moved).max(axis=1, initial=0.0) > allowed
    bent |= np.abs(every - twice.sum(axis=1)) > allowed
    result[bent] = np.nan
    return result
