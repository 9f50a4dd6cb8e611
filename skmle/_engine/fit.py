"""One fit from beginning to end: survey X, start, Newton, verdict, limit laws, back to the user's coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.blocks import blocks_of
from skmle._engine.data.observed import Observed, observe_as
from skmle._engine.data.sums import blas_threads_harm, one_blas_thread
from skmle._engine.data.survey import Basis, Survey, find_basis, surely_independent, survey
from skmle._engine.evaluation import Array, Solution
from skmle._engine.judge.interior import (
    BOUNDARY,
    INTERIOR,
    INTERRUPTED,
    NO_MAXIMUM,
    NOT_CONVERGED,
    STALLED,
    Verdict,
    far_parameters,
    is_interior,
    separation,
)
from skmle._engine.likelihood.coordinates import Coordinates
from skmle._engine.likelihood.design import Design, Term
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Lasso, OnSlopes, Penalty
from skmle._engine.likelihood.watch import Stopped, Watch
from skmle._engine.prepare.closed import Starts, closed_form
from skmle._engine.prepare.merging import merge_rows
from skmle._engine.prepare.row_space import reduce_columns, restore_columns
from skmle._engine.prepare.starts import LeastSquares, interpolation, lead, starting_points
from skmle._engine.problem import Fit, Problem
from skmle._engine.solvers import Working, conjugate, first_sample, growing, proximal
from skmle._engine.solvers.cusps import solve_cusps
from skmle.families.base import Arrays, Rows

_INTERPOLATED = (
    "the linear predictor reproduces every observation, so the density grows without bound around them "
    "(as many coefficients as distinct rows, or y is an exact function of X)"
)
_MOVES = (
    1e-6  # share of the largest move, in standard deviations of the columns, that counts as one
)
_FEW = 100  # rows up to which limit laws are always tried
_VANISHED = (
    -9.0
)  # log scale, in standard deviations of y: no density of real observations is so narrow
_MATRIX = 1500  # coefficients beyond which no hessian is formed
_PRODUCTS, _SEVERAL = (
    500,
    4,
)  # coefficients and modelled parameters (classes) from which products with the hessian cost less
_WIDE = 2  # rows per coefficient below which they do for any number of parameters
_CHEAP = 200  # coefficients up to which the hessian on all rows costs no more than the rest of a fit on samples
_THREADED = 100  # coefficients from which BLAS would use its threads
_LARGEST_COVARIANCE = 2000  # coefficients beyond which no covariance is kept


def fit(problem: Problem) -> Fit:
    """Maximise the likelihood (with a penalty: the posterior) of a problem, and judge the result."""
    if (reduced := reduce_columns(problem)) is not None:
        return restore_columns(fit(reduced[0]), reduced[1])
    if problem.features:
        merged = merge_rows(problem)
        with one_blas_thread(
            blas_threads_harm(problem.observed.n, 0 if problem.X is None else problem.X.shape[1])
        ):
            return Attempt(merged, merged.observed).run()
    condensed = problem.observed.condensed(problem.family)
    density, observed = replace(problem, X=None), condensed or problem.observed
    known = closed_form(density, observed)
    result = known if isinstance(known, Fit) else Attempt(density, observed, known).run()
    return replace(result, condensed=condensed)


class Attempt:
    """One fit in the making: the steps of `run` in order. It may then be run under other penalties."""

    def __init__(self, problem: Problem, observed: Observed, starts: Starts | None = None) -> None:
        self.known_starts = starts
        self.problem, self.family, self.observed, self.weight = (
            problem,
            problem.family,
            observed,
            observed.weight,
        )
        self.survey = self._survey()
        shift = self._shift()
        self.blocks = None if problem.X is None else blocks_of(problem.X, shift, problem.threads)
        self.bases: tuple[Basis | None, ...] = tuple(
            self._basis(t, held) for t, held in zip(problem.terms, problem.held, strict=True)
        )
        terms = tuple(
            t if b is None else _reduced(t, b)
            for t, b in zip(problem.terms, self.bases, strict=True)
        )
        self.origin, self.unit = self._units()
        offset = None if problem.offset is None else problem.offset / self.unit
        self.design = Design(terms, observed.n, problem.X, shift, offset, self.blocks)
        self.statistics = observed.statistics
        if self._standardised:
            self.statistics = self.family.standardise(observed.statistics, self.origin, self.unit)
        moves = tuple(p.unit for p in self.family.parameters) if self._standardised else ()
        self.coordinates = Coordinates(
            problem.terms, self.design, self.bases, self.origin, self.unit, moves
        )
        tell = problem.tell
        self.watch = Watch(
            problem.verbose,
            None if tell is None else lambda make: tell(lambda: self._unfinished(make())),
        )
        self.working: Working[Objective] | None = None
        self.objective = self._objective(self.family.rows)
        # What a sample shows need not be looked for in all rows: starts, and that y is not interpolated.
        guessed = problem.X is not None or self.family.shortcuts.starts == "near"
        m = first_sample(observed.n, self.design.d) if guessed else None
        self.pilot = self.objective if m is None else self.objective.sample(m)

    def under(
        self,
        penalties: tuple[Penalty, ...],
        lasso: float,
        start: tuple[tuple[Array, float], ...] | None,
    ) -> Attempt:
        """Take other penalties, and the coefficients to start from."""
        self.problem = replace(self.problem, penalties=penalties, lasso=lasso, start=start)
        self.objective = self._objective(self.family.rows)
        return self

    def run(self) -> Fit:
        """Return the fit."""
        if (interpolated := self._interpolates()) is not None:
            return interpolated
        try:
            solution = self._solve()
        except (KeyboardInterrupt, Stopped):
            if self.watch.last is None:
                raise
            return self._unfinished(self.watch.last)
        coefs = self.coordinates.raw(solution.coef)
        collapsed = (
            self.family.shortcuts.starts == "final" and self._vanishing_scale(solution) > 0
        )  # at cusps no step tells
        if not collapsed and self._is_interior(solution):
            # On few rows a likelihood may have a lesser maximum inside beside a limit law that is more likely.
            doubtful = self.problem.n <= _FEW or far_parameters(self.family, coefs)
            limit = self._limit(solution) if doubtful else None
            return limit or self._result(solution, Verdict(INTERIOR))
        return self._limit(solution) or self._no_interior(solution)

    def _is_interior(self, solution: Solution) -> bool:
        objective, reach = self.objective, self._reach()
        if (
            self.working is not None
        ):  # slopes that the penalty holds at zero are no part of the question
            objective, solution = self.working.part, self.working.judged(solution)
            reach = None if reach is None else reach[self.working.columns]
        inexact = self._matrix_free and not self.problem.all_held
        return is_interior(objective, solution, self.problem.tol, reach, self._pure, inexact)

    # ---------------------------------------------------------------- before the solver

    def _survey(self) -> Survey | None:
        problem = self.problem
        return (
            survey(problem.X, self.weight, not problem.all_held)
            if problem.X is not None and problem.X.shape[1]
            else None
        )

    def _basis(self, term: Term, held: NDArray[np.bool_]) -> Basis | None:
        if (
            term.columns is None
            or held.all()
            or self.survey is None
            or (self.survey.full_rank and term.intercept)
        ):
            return None
        if self.blocks is None or surely_independent(
            self.blocks, term.columns, term.intercept, self.problem.threads
        ):
            return None
        if not held.any():
            return find_basis(self.problem.X, term.columns, self.weight, term.intercept)
        # A combination of columns goes unnoticed by X and penalties alike only among slopes that no penalty holds.
        columns, free = columns_of(term), np.flatnonzero(~held)
        basis = find_basis(self.problem.X, columns[free], self.weight, term.intercept)
        return None if basis is None else basis.among(free, term.size)

    def _shift(self) -> Array | None:
        intercepts = all(t.intercept for t in self.problem.terms if t.columns is not None)
        return (
            self.survey.centre
            if self.survey is not None and self.survey.far and intercepts
            else None
        )

    def _reach(self) -> Array | None:
        if self.survey is None or not np.all(self.survey.scale > 0.0):
            return None
        # No value of a column is further from its mean than sqrt(n) standard deviations.
        spread = self.survey.scale * np.sqrt(self.problem.n)
        return spread if self.design.shift is not None else spread + np.abs(self.survey.centre)

    @property
    def _standardised(self) -> bool:
        pairs = zip(self.family.parameters, self.problem.terms, strict=True)
        scales = [term.intercept for param, term in pairs if param.unit in ("scale", "rate")]
        return self.family.movable and bool(scales) and all(scales)

    def _located(self, j: int) -> bool:
        """Whether eta of a parameter is measured like the y that the fit has standardised."""
        return self._standardised and self.family.parameters[j].unit == "location"

    def _units(self) -> tuple[float, float]:
        if not self._standardised:
            return 0.0, 1.0
        origin, unit = self.family.centre_and_spread(self.observed.statistics, self.observed.weight)
        pairs = zip(self.family.parameters, self.problem.terms, strict=True)
        free = all(term.intercept for param, term in pairs if param.unit == "location")
        return origin if free else 0.0, unit

    @property
    def _pure(self) -> NDArray[np.bool_]:
        """Which eta are pure numbers: those of a standardised y are."""
        return np.array(
            [
                self.family.dimensionless(j) or self._located(j)
                for j in range(len(self.problem.terms))
            ]
        )

    def _objective(self, rows: Callable[[Arrays, Arrays, int], Rows]) -> Objective:
        problem = self.problem
        slopes = self.coordinates.slopes()
        penalties = tuple(OnSlopes(penalty, slopes) for penalty in problem.penalties)
        lasso = None
        if problem.selects:
            lasso = Lasso.on_slopes(problem.lasso, slopes, self.design.d)
            lasso.strength[self._constants[-1:] if self.family.redundant else []] = np.inf
        return Objective(
            rows,
            self.statistics,
            self.design,
            self.weight,
            penalties,
            problem.threads,
            self.watch,
            lasso,
            problem.n,
        )

    # ---------------------------------------------------------------- starts

    def _interpolates(self) -> Fit | None:
        """Return the fit where the rows of the first parameter reproduce y: the likelihood is unbounded."""
        family, term = self.family, self.design.terms[0]
        if self.observed.equal or (
            not self.problem.penalised and (family.movable or term.length + 1 >= self.design.n)
        ):
            return self._saturated()
        return None  # found after the fit, if it runs off

    @cached_property
    def _lead(self) -> LeastSquares | None:
        """Least squares of a standardised y on its columns, in the pilot."""
        return lead(self.pilot) if self._standardised else None

    def _saturated(self) -> Fit | None:
        known = None if self.problem.penalised else self._lead
        start = interpolation(self.family, self.pilot, known)
        if start is not None and self.pilot is not self.objective:
            start = interpolation(self.family, self.objective)
        if start is None:
            return None
        solution = Solution(start, self.objective(start, 0), np.zeros_like(start), np.inf, 1, False)
        return self._result(solution, Verdict(NO_MAXIMUM, _INTERPOLATED))

    def starts(self) -> list[Array]:
        if self.problem.start is not None and all(basis is None for basis in self.bases):
            return [self._pinned(self.coordinates.fitted(self.problem.start))]
        # Where slopes are selected, the way starts with none; least squares would have all.
        led = None if self.problem.selects else self._lead
        return starting_points(self.family, self.pilot, led, self.known_starts)

    def _pinned(self, coef: Array) -> Array:
        """Return the same laws with a last constant of zero, where a constant added to all eta changes nothing."""
        if self.family.redundant and len(self._constants):
            coef[self._constants] -= coef[self._constants[-1]]
        return coef

    @property
    def _constants(self) -> NDArray[np.intp]:
        """Which coefficients are intercepts or constants."""
        pairs = zip(self.design.slices, self.problem.terms, strict=True)
        return np.array([s.stop for s, term in pairs if term.intercept], np.intp)

    # ---------------------------------------------------------------- solver and verdict

    def _solve(self) -> Solution:
        best: Solution | None = None
        working = self.working
        for start in self.starts():
            if smooth := [self._objective(law.rows) for law in self.family.smoothings()]:
                solution = self._solve_cusps(smooth, start)
            else:
                solution = self._minimise(self.objective, start)
            if best is None or solution.evaluation.value < best.evaluation.value:
                best, working = solution, self.working
        assert best is not None
        self.working = working
        return best

    def _minimise(self, objective: Objective, start: Array) -> Solution:
        tol, max_iter = self.problem.tol, self.problem.max_iter
        if self.problem.selects:
            with one_blas_thread(self.design.d > _THREADED):
                solution, self.working = proximal(
                    objective, start, tol=tol, max_iter=max_iter, working=self._carried(objective)
                )
            return solution
        if objective is not self.objective:
            return growing(objective, start, tol=tol, max_iter=max_iter)
        if self._matrix_free:
            return conjugate(objective, start, tol=tol, max_iter=max_iter)
        return growing(
            objective, start, tol=tol, max_iter=max_iter, curvature=self._wants_covariance
        )

    def _solve_cusps(self, smooth: list[Objective], start: Array) -> Solution:
        # What is piecewise linear in the location, and smooth in all else, has its minimum at a vertex.
        linear = not self.problem.penalties and (
            not self.problem.selects or self.problem.terms[1].columns is None
        )
        vertex = linear and not self.family.relinked
        solution = solve_cusps(
            self.objective,
            smooth,
            start,
            self._minimise,
            vertex,
            self.problem.tol,
            self.problem.max_iter,
        )
        if self.problem.selects:
            self.working = Working.around(self.objective, solution.coef)
            self.working.renew(
                solution.coef[self.working.index]
            )  # the smooth laws' curvature is all in their cusps
            return solution
        return solution._replace(evaluation=self.objective(solution.coef))

    def _carried(self, objective: Objective) -> Working[Objective] | None:
        """Return what the fit under the last penalty has left, if it was one of the same law."""
        return (
            self.working
            if self.working is not None and self.working.objective.rows == objective.rows
            else None
        )

    @property
    def _matrix_free(self) -> bool:
        """Whether products with the hessian, preconditioned term by term, take less time than the hessian.

        With few coefficients not where a maximum may be missing, which Newton's own step shows best, nor where samples shorten the way.
        """
        design = self.design
        dear = len(design.modelled) >= _SEVERAL or design.n < _WIDE * design.d
        pays = (
            dear
            and self.problem.all_held
            and not self._wants_covariance
            and first_sample(design.n, design.d) is None
        )
        return design.d > _MATRIX or (design.d > _PRODUCTS and pays)

    @property
    def _wants_covariance(self) -> bool:
        wanted = self.problem.covariance
        return d <= _CHEAP if (d := self.design.d) and wanted == "auto" else bool(wanted)

    def _limit(self, solution: Solution) -> Fit | None:
        """Return the fit of a limit law that is at least as likely, if the family has one."""
        problem = self.problem
        for limit in self.family.limits:
            j = self.family.names.index(limit.parameter)
            if problem.terms[j].columns is not None:
                continue
            law = limit.family
            terms = tuple(problem.terms[self.family.names.index(name)] for name in law.names)
            other = fit(
                replace(
                    problem,
                    family=law,
                    observed=observe_as(limit, self.observed),
                    terms=terms,
                    start=None,
                )
            )
            current = self._log_likelihood(solution)
            if other.log_likelihood >= current - 1e-9 * other.mass:
                reason = f"the likelihood rises as {limit.parameter} tends to {limit.value:g}, where the law is {law.title}"
                status = (
                    Verdict(BOUNDARY, reason) if other.verdict.status == INTERIOR else other.verdict
                )
                return replace(
                    other, verdict=status, limit=limit, n_iter=other.n_iter + solution.n_iter
                )
        return None

    def _no_interior(self, solution: Solution) -> Fit:
        held = self.objective.held()
        proof = separation(self.family, self.statistics, self.objective, solution, held)
        if proof is not None:
            return self._result(solution, Verdict(NO_MAXIMUM, "separation", proof))
        if (interpolated := self._saturated()) is not None:
            return interpolated
        if (rows := self._vanishing_scale(solution)) > 0:
            where = (
                f"at {rows} of {self.problem.n} rows, at"
                if self.design.terms[1].size
                else "around equal residuals or"
            )
            reason = f"the scale runs to zero {where} observations that the location reproduces"
            return self._result(solution, Verdict(NO_MAXIMUM, reason))
        if solution.converged:
            return self._result(
                solution,
                Verdict(NO_MAXIMUM, "the likelihood still rises towards infinity", solution.step),
            )
        reason = STALLED if solution.n_iter < self.problem.max_iter else ""
        return self._result(solution, Verdict(NOT_CONVERGED, reason, solution.step))

    def _vanishing_scale(self, solution: Solution) -> int:
        """Return at how many rows a location-scale law has shrunk to a point."""
        if not self._standardised:
            return 0
        signs = {"scale": 1.0, "rate": -1.0}
        pairs = zip(self.family.parameters, self.objective.direction(solution.coef), strict=True)
        scales = [signs[param.unit] * eta for param, eta in pairs if param.unit in signs]
        log_scale = np.minimum.reduce(np.broadcast_arrays(*scales))
        least = _VANISHED + float(np.log(np.std(self.statistics[0]) or 1.0))
        vanished = np.broadcast_to(log_scale, (self.design.n,)) < least
        return int(
            vanished.sum() if self.problem.copies is None else self.problem.copies[vanished].sum()
        )

    def _log_likelihood(self, solution: Solution) -> float:
        value = solution.evaluation.value
        value -= sum(penalty.value(solution.coef) for penalty in self.objective.penalties)
        return -value * self.objective.mass - self._log_units() - self.observed.base

    def _log_units(self) -> float:
        """Return what the log-likelihood loses by the unit in which the fit measures y: its logarithm for each density."""
        if not self._standardised:
            return 0.0
        densities = self.family.densities(self.observed.statistics)
        if densities.ndim == 0:
            return float(np.log(self.unit)) * float(densities) * self.objective.mass
        mass = densities.sum() if self.weight is None else densities @ self.weight
        return float(np.log(self.unit)) * float(mass)

    def _unfinished(self, solution: Solution) -> Fit:
        """Return the fit as of an iterate, which may be one of a sample of the rows."""
        on_all = solution._replace(evaluation=self.objective(solution.coef, 0))
        return self._result(on_all, Verdict(INTERRUPTED))

    def _result(self, solution: Solution, verdict: Verdict) -> Fit:
        coefs = self.coordinates.raw(solution.coef)
        estimable = None
        if any(b is not None for b in self.bases):
            pairs = zip(self.problem.terms, self.bases, strict=True)
            estimable = tuple(np.ones(t.size, bool) if b is None else b.estimable for t, b in pairs)
        known = verdict.status == INTERIOR and not self.problem.selects
        covariance = self._covariance(solution, estimable) if known else None
        n_parameters = self.design.d
        if self.objective.lasso is not None:
            n_parameters -= int(
                np.count_nonzero((solution.coef == 0.0) & (self.objective.lasso.strength > 0.0))
            )
        return Fit(
            self.family, coefs, covariance, self._log_likelihood(solution), self.objective.mass, verdict,
            max(1, solution.n_iter), solution.distance, None, estimable, self._moving(verdict), n_parameters,
        )  # fmt: skip

    def _moving(self, verdict: Verdict) -> tuple[NDArray[np.bool_], ...] | None:
        """Return which slopes move along the verdict's direction, each measured by its column's spread."""
        if verdict.direction is None:
            return None
        if self.survey is None:
            return None
        origin = self.coordinates.raw(np.zeros(self.design.d))
        scale = np.where(self.survey.scale > 0.0, self.survey.scale, 1.0)
        sizes, largest = [], 0.0
        for term, here, there in zip(
            self.problem.terms, origin, self.coordinates.raw(verdict.direction), strict=True
        ):
            slopes = (
                np.zeros(0)
                if term.columns is None
                else np.abs(there[0] - here[0]) * scale[term.columns]
            )
            sizes.append(slopes)
            # The predictor of the mean row moves with the intercept.
            mean = (
                0.0
                if term.columns is None
                else float((there[0] - here[0]) @ self.survey.centre[term.columns])
            )
            largest = max(largest, float(slopes.max(initial=0.0)), abs(there[1] - here[1] + mean))
        return tuple(s > _MOVES * largest for s in sizes)

    def _covariance(
        self, solution: Solution, estimable: tuple[NDArray[np.bool_], ...] | None
    ) -> Array | None:
        hessian = solution.evaluation.hessian
        raw = sum(t.length for t in self.problem.terms)
        if hessian is None or raw > _LARGEST_COVARIANCE or not self.problem.covariance:
            return None
        return self.coordinates.covariance(
            solution.evaluation.inverse / self.objective.mass, estimable
        )


def _reduced(term: Term, basis: Basis) -> Term:
    return Term(columns_of(term)[basis.kept], len(basis.kept), term.intercept)


def columns_of(term: Term) -> NDArray[np.intp]:
    """Return the columns of X on which a term depends, one by one."""
    assert term.columns is not None
    return np.arange(term.size) if isinstance(term.columns, slice) else term.columns
