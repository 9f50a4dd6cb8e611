"""Profiles of the estimates in the table of a fit, which are functions of its coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import blas_threads_harm, one_blas_thread
from skmle._engine.prepare.constrained import FunctionProfile
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.profiled import Profile
from skmle._shared.profiled_edges import Edge, edges_of
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
    edges : sequence of Edge
        Parameters that stand at an end of their range, which follow the m estimates.
    """

    evidences: Sequence[Evidence]
    sizes: Sequence[int]
    result: Inference
    eta: Callable[[Array], Array]
    at: Array
    steps: Array
    edges: Sequence[Edge] = ()

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
        if i >= len(self.result.terms):
            return self.edges[i - len(self.result.terms)].interval(z)
        line, result = self._line(i), self.result
        assert result.eta is not None and result.eta_errors is not None
        assert result.inverses is not None
        runs_off = np.isinf(result.eta[i])
        design = line.evidence.likelihood.design
        with one_blas_thread(blas_threads_harm(design.n, design.width)):  # as in a fit
            if runs_off:
                found, count = line.bound(float(np.sign(result.eta[i])), z)
            else:
                found, count = line.ends(z * float(result.eta_errors[i]), z)
        if (inverse := result.inverses[i]) is not None:
            with np.errstate(over="ignore"):
                found = [float(inverse(np.asarray(end))) for end in found]
        low, high = sorted(found) if not np.isnan(found).any() else found
        return Profiled(low, high, count)

    def curve(self, i: int, steps: Array) -> tuple[Array, Array]:
        """Return values of estimate i around its maximum, and the deviance at each.

        They are so many steps away, in standard errors on the scale of its link. The deviance is
        nan where no maximum of the others was found.

        Raises
        ------
        ValueError
            As `interval`, and if the estimate has no standard error.
        """
        result = self.result
        if i >= len(result.terms) or not np.isfinite(result.eta_errors[i]):  # type: ignore[index]
            raise ValueError(
                f"profile: {[*result.terms, *(e.name for e in self.edges)][i]!r} has no standard "
                "error, in units of which a curve is drawn. Allowed: estimates with one. Use "
                "profile() for its interval."
            )
        line = self._line(i)
        assert result.eta is not None and result.eta_errors is not None
        assert result.inverses is not None
        moves = np.asarray(steps, float) * float(result.eta_errors[i])
        values = float(result.eta[i]) + moves
        if (inverse := result.inverses[i]) is not None:
            with np.errstate(over="ignore"):
                values = np.asarray(inverse(values), float)
        design = line.evidence.likelihood.design
        with one_blas_thread(blas_threads_harm(design.n, design.width)):
            return values, line.deviances(moves)

    def _line(self, i: int) -> _Line:
        """Return an estimate as a linear function of the coefficients of its fit.

        Raises
        ------
        ValueError
            If it is none, or the data do not determine it.
        """
        name, result = str(self.result.terms[i]), self.result
        assert result.eta is not None and result.eta_errors is not None
        if not (np.isfinite(result.eta_errors[i]) or np.isinf(result.eta[i])):
            raise ValueError(
                f"profile: the data do not determine {name!r}. Allowed: estimates with a standard "
                "error, and those that run to infinity. Leave it out of terms, or its column out "
                "of the fit."
            )
        row = self.weights[i]
        if not (np.isfinite(row).all() and row.any()):
            raise ValueError(
                f"profile: {name!r} is no linear function of coefficients under a link, as only "
                "those have profiles. Allowed: coefficients, and parameters of one number. Leave "
                "it out of terms, or use estimate()."
            )
        ends = np.cumsum([0, *self.sizes])
        (which,) = {int(np.searchsorted(ends, j, "right")) - 1 for j in np.flatnonzero(row)}
        return _Line(
            self.evidences[which],
            row[ends[which] : ends[which + 1]],
            float(self.eta(self.at)[i]),
            separated=bool(np.isinf(result.eta).any()),
        )

    def of_function(self, function: Callable[[Array], float], z: float) -> Profiled:
        """Return the interval of a function of all coefficients, as users see them.

        Raises
        ------
        ValueError
            If coefficients run to infinity.
        """
        if self.result.eta is not None and np.isinf(self.result.eta).any():
            raise ValueError(
                "profile: some coefficients run to infinity, from where no function has a profile. "
                "Allowed: fits with a maximum. Use interval='wald', or profile() of coefficients."
            )
        parts = [evidence.likelihood for evidence in self.evidences]

        def value(coefs: Sequence[Array]) -> float:
            pairs = zip(parts, coefs, strict=True)
            return function(np.concatenate([vector_of(part, coef) for part, coef in pairs]))

        designs = [part.design for part in parts]
        with one_blas_thread(any(blas_threads_harm(d.n, d.width) for d in designs)):
            profile = FunctionProfile(
                [evidence.objective for evidence in self.evidences],
                [evidence.coef for evidence in self.evidences],
                value,
            )
            if not profile.error > 0.0:  # the same whatever the coefficients
                return Profiled(profile.estimate, profile.estimate, profile.fits)
            moves = []
            for sign in (-1.0, 1.0):
                move = profile.end(sign, z)
                if np.isnan(move):  # fit by fit, which is slower and gets farther
                    profile.restart()
                    move = profile_end(profile, z, sign, z)
                moves.append(move)
        low, high = (profile.estimate + profile.error * move for move in moves)
        return Profiled(low, high, profile.fits)


def vector_of(likelihood: Likelihood, coef: Array) -> Array:
    """Return the user's coefficients as one vector."""
    pairs = zip(likelihood.raw(coef), likelihood.problem.terms, strict=True)
    return np.concatenate(
        [part for (slopes, b), term in pairs for part in (slopes, [b] * term.intercept)]
    )


class _Line(NamedTuple):
    """An estimate as a linear function of the coefficients of its fit."""

    evidence: Evidence
    weights: Array
    """Its derivatives in the user's coefficients."""
    value: float
    """Its value at the coefficients of the fit, which are finite even where it is not."""
    separated: bool
    """Whether some coefficients of the fit run to infinity."""

    @property
    def direction(self) -> Array:
        """Its derivatives in the solver's coefficients."""
        matrix = self.evidence.likelihood.coordinates.matrix()
        return self.weights if matrix is None else self.weights @ matrix

    def ends(self, first: float, z: float) -> tuple[list[float], int]:
        """Return both ends, and how many fits they took; `first` is how far away they may be."""
        found, count = [], 0
        start = self.evidence.likelihood.starts()[0] if self.separated else None
        for sign in (-1.0, 1.0):
            profile = Profile(self.evidence.objective, self.evidence.coef, self.direction, start)
            found.append(self._start(profile) + profile_end(profile, first, sign, z))
            count += profile.fits
        return found, count

    def deviances(self, moves: Array) -> Array:
        """Return the deviance where the estimate has moved so far, fit after fit to both sides."""
        result = np.empty(len(moves))
        for side in (np.flatnonzero(moves < 0.0), np.flatnonzero(moves >= 0.0)):
            profile = Profile(self.evidence.objective, self.evidence.coef, self.direction)
            shift = self._start(profile) - self.value
            for j in side[np.argsort(np.abs(moves[side]))]:
                result[j] = profile(float(moves[j]) - shift).deviance
        return result

    def bound(self, infinity: float, z: float) -> tuple[list[float], int]:
        """Return the end of an estimate that runs to infinity, which is the other end.

        The first fit is at zero, where a start of the family is near.
        """
        likelihood = self.evidence.likelihood
        near = likelihood.starts()[0]
        profile = Profile(self.evidence.objective, self.evidence.coef, self.direction, near)
        value = self._start(profile)
        first = infinity * value
        end = value + profile_end(profile, first if first > 0.0 else 1.0, -infinity, z)
        ends = [end, np.inf] if infinity > 0.0 else [-np.inf, end]
        return ends, profile.fits

    def _start(self, profile: Profile) -> float:
        """Return the estimate at the minimum that a profile has found."""
        return self.value + float(self.direction @ (profile.coef - self.evidence.coef))


def profiler_of(
    model: RowsAgain, evidences: Sequence[Evidence], result: Inference, errors: Errors
) -> LineProfiler:
    """Return the profiles of the estimates of a fitted model, whose rows are known again."""
    eta, at, steps = _lines(model, errors)
    return LineProfiler(
        evidences=evidences,
        sizes=[sum(t.length for t in one.likelihood.problem.terms) for one in evidences],
        result=result,
        eta=eta,
        at=at,
        steps=steps,
        edges=edges_of(evidences, model._fits),
    )


def lines_in_coefficients(model: RowsAgain, errors: Errors) -> Array:
    """Return the derivatives of the lines of a table in the coefficients, as `weights_of`."""
    return weights_of(*_lines(model, errors))


def _lines(model: RowsAgain, errors: Errors) -> tuple[Callable[[Array], Array], Array, Array]:
    """Return the lines of a table as a function of the coefficients, these, and steps of them."""

    def eta(vector: Array) -> Array:
        moved = model._at(vector)
        moved._beyond = None  # so that estimates that run off are shown as they are in the vector
        found = moved._results_under(errors).eta
        return np.asarray(found, float)

    return eta, model._vector(), steps_of(model, errors)


def steps_of(model: RowsAgain, errors: Errors) -> Array:
    """Return by how much coefficients are moved to see on what estimates depend: their errors."""
    if not errors.known:
        return np.ones(len(model._vector()))
    variances = np.diag(model._as_function(errors).covariance)
    return np.sqrt(np.where(np.isfinite(variances) & (variances > 0.0), variances, 1.0))


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
