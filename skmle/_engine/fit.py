"""One fit from beginning to end: survey X, start, Newton, verdict, limit laws, back to the user's coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmle._engine.blocks import blocks_of
from skmle._engine.closed import base_total, closed_form, shorten
from skmle._engine.coordinates import Coordinates
from skmle._engine.cusps import to_vertex
from skmle._engine.design import Design, Term
from skmle._engine.evaluation import Array, Solution
from skmle._engine.merging import merge_rows
from skmle._engine.objective import Objective
from skmle._engine.penalties import Ridge
from skmle._engine.problem import Fit, Problem
from skmle._engine.row_space import reduce_columns, restore_columns
from skmle._engine.rows import one_blas_thread
from skmle._engine.solvers import conjugate, first_sample, growing
from skmle._engine.starts import interpolation, starting_points
from skmle._engine.survey import Basis, Survey, find_basis, surely_independent, survey
from skmle._engine.verdict import (
    BOUNDARY,
    INTERIOR,
    NO_MAXIMUM,
    NOT_CONVERGED,
    Verdict,
    far_parameters,
    is_interior,
    separates,
)
from skmle.families._base import Arrays, Rows, average
from skmle.families._starts import centre_and_spread

_INTERPOLATED = (
    "the linear predictor reproduces every observation, so the density grows without bound around them "
    "(as many coefficients as distinct rows, or y is an exact function of X)"
)
_MOVES = 1e-6  # share of the largest move, in standard deviations of the columns, that counts as one
_NEAR_VERTEX = 4  # smooth laws after which few exchanges of rows are left to the vertex
_CUSP_DISTANCE = 1e-2  # standard errors: what a smooth law can certify of one with cusps, where no vertex is
_FEW = 100  # rows up to which limit laws are always tried
_VANISHED = -9.0  # log scale, in standard deviations of y: no density of real observations is so narrow
_MATRIX = 1500  # coefficients beyond which no hessian is formed
_PRODUCTS, _SEVERAL = 500, 4  # coefficients and modelled parameters (classes) from which products with the hessian cost less
_CHEAP = 200  # coefficients up to which the hessian on all rows costs no more than the rest of a fit on samples
_MANY = 2000  # coefficients beyond which no covariance is kept


def fit(problem: Problem) -> Fit:
    """Maximise the likelihood (with a penalty: the posterior) of a problem, and judge the result."""
    if (reduced := reduce_columns(problem)) is not None:
        return restore_columns(fit(reduced[0]), reduced[1])
    problem = merge_rows(problem)
    family, y = problem.family, problem.y
    statistics, weight = family.statistics(y), problem.weight
    base = base_total(family, y, weight)
    if not problem.features:
        if (known := closed_form(problem, statistics, base)) is not None:
            return known
        statistics, weight = shorten(family, statistics, weight)
    with one_blas_thread(len(y), 0 if problem.X is None else problem.X.shape[1]):
        return _Attempt(problem, statistics, weight, base).run()


class _Attempt:
    """One fit in the making: the steps of `run` in order."""

    def __init__(self, problem: Problem, statistics: Arrays, weight: Array | None, base: float) -> None:
        self.problem, self.family, self.weight, self.base = problem, problem.family, weight, base
        n = len(statistics[0])
        self.survey = self._survey()
        shift = self._shift()
        self.blocks = None if problem.X is None else blocks_of(problem.X, shift, problem.threads)
        self.bases: tuple[Basis | None, ...] = tuple(self._basis(t) for t in problem.terms)
        terms = tuple(t if b is None else _reduced(t, b) for t, b in zip(problem.terms, self.bases, strict=True))
        self.origin, self.unit = self._units(statistics)
        offset = None if problem.offset is None else problem.offset / self.unit
        self.design = Design(terms, n, problem.X, shift, offset, self.blocks)
        self.statistics = ((statistics[0] - self.origin) / self.unit, *statistics[1:]) if self._standardised else statistics
        sign = self.family.spread_sign if self._standardised else 0.0
        self.coordinates = Coordinates(problem.terms, self.design, self.bases, self.origin, self.unit, sign)
        self.objective = self._objective(self.family.rows)
        # What a sample shows need not be looked for in all rows: starts, and that y is not interpolated.
        m = first_sample(n, self.design.d) if problem.X is not None else None
        self.pilot = self.objective if m is None else self.objective.sample(m)

    def run(self) -> Fit:
        """Return the fit."""
        if (interpolated := self._interpolates()) is not None:
            return interpolated
        solution = self._solve()
        coefs = self.coordinates.raw(solution.coef)
        collapsed = self.family.exact and self._vanishing_scale(solution) > 0  # at cusps no step tells
        if not collapsed and is_interior(self.objective, solution, self.problem.tol, self._reach(), self._pure):
            # On few rows a likelihood may have a lesser maximum inside beside a limit law that is more likely.
            doubtful = self.problem.n <= _FEW or far_parameters(self.family, coefs)
            limit = self._limit(solution) if doubtful else None
            return limit or self._result(solution, Verdict(INTERIOR))
        return self._limit(solution) or self._no_interior(solution)

    # ---------------------------------------------------------------- before the solver

    def _survey(self) -> Survey | None:
        problem = self.problem
        return survey(problem.X, problem.weight, problem.alpha == 0.0) if problem.X is not None and problem.X.shape[1] else None

    def _basis(self, term: Term) -> Basis | None:
        if term.columns is None or self.problem.alpha > 0.0 or self.survey is None or (self.survey.full_rank and term.intercept):
            return None
        if self.blocks is None or surely_independent(self.blocks, term.columns, term.intercept, self.problem.threads):
            return None
        return find_basis(self.problem.X, term.columns, self.weight, term.intercept)

    def _shift(self) -> Array | None:
        intercepts = all(t.intercept for t in self.problem.terms if t.columns is not None)
        return self.survey.centre if self.survey is not None and self.survey.far and intercepts else None

    def _reach(self) -> Array | None:
        if self.survey is None or not np.all(self.survey.scale > 0.0):
            return None
        # No value of a column is further from its mean than sqrt(n) standard deviations.
        spread = self.survey.scale * np.sqrt(self.problem.n)
        return spread if self.design.shift is not None else spread + np.abs(self.survey.centre)

    @property
    def _standardised(self) -> bool:
        family, terms = self.family, self.problem.terms
        return family.spread_sign != 0.0 and not family.relinked and len(terms) > 1 and terms[1].intercept

    def _units(self, statistics: Arrays) -> tuple[float, float]:
        if not self._standardised:
            return 0.0, 1.0
        origin, unit = centre_and_spread(statistics[0], np.ones(len(statistics[0])) if self.weight is None else self.weight)
        return origin if self.problem.terms[0].intercept else 0.0, unit

    @property
    def _pure(self) -> NDArray[np.bool_]:
        """Which eta are pure numbers: those of a standardised y are."""
        return np.array([self.family.dimensionless(j) or (j == 0 and self._standardised) for j in range(len(self.problem.terms))])

    def _objective(self, rows: Callable[[Arrays, Arrays, int], Rows]) -> Objective:
        problem = self.problem
        penalties: tuple[Ridge, ...] = ()
        if problem.alpha > 0.0:
            strength = np.zeros(self.design.d)
            for j in self.design.modelled:
                unit = self.unit if j == 0 and self._standardised else 1.0
                strength[self.design.slices[j]] = problem.alpha * unit * unit
            penalties = (Ridge(strength, len(self.design.terms) + 1 if problem.symmetric else 0),)
        return Objective(rows, self.statistics, self.design, self.weight, penalties, problem.threads, problem.n)

    # ---------------------------------------------------------------- starts

    def _interpolates(self) -> Fit | None:
        """Return the fit where the rows of the first parameter reproduce y: the likelihood is unbounded."""
        family, term = self.family, self.design.terms[0]
        first = self.statistics[0]
        constant = first.ndim == 1 and bool(np.all(first == first[0]))
        if constant or (self.problem.alpha == 0.0 and (family.spread_sign or term.length + 1 >= self.design.n)):
            return self._saturated()
        return None  # found after the fit, if it runs off

    def _saturated(self) -> Fit | None:
        if interpolation(self.family, self.pilot) is None:
            return None
        start = interpolation(self.family, self.objective)
        if start is None:
            return None
        solution = Solution(start, self.objective(start, 0), np.zeros_like(start), np.inf, 1, False)
        return self._result(solution, Verdict(NO_MAXIMUM, _INTERPOLATED))

    def _starts(self) -> list[Array]:
        if self.problem.start is not None and all(basis is None for basis in self.bases):
            return [self.coordinates.fitted(self.problem.start)]
        return starting_points(self.family, self.pilot, residuals=self._standardised)

    # ---------------------------------------------------------------- solver and verdict

    def _solve(self) -> Solution:
        best: Solution | None = None
        for start in self._starts():
            if self.family.smoothings():
                solution = self._solve_cusps(start)
            else:
                solution = self._minimise(start)
            if best is None or solution.evaluation.value < best.evaluation.value:
                best = solution
        assert best is not None
        return best

    def _minimise(self, start: Array) -> Solution:
        problem, d = self.problem, self.design.d
        if d > _MATRIX or self._products_pay:
            return conjugate(self.objective, start, tol=problem.tol, max_iter=problem.max_iter)
        return growing(self.objective, start, tol=problem.tol, max_iter=problem.max_iter, curvature=self._wants_covariance)

    @property
    def _products_pay(self) -> bool:
        """Whether products with the hessian, preconditioned term by term, take less time than the hessian.

        Not where a maximum may be missing, which only Newton's own step shows, nor where samples shorten the way.
        """
        design = self.design
        several = len(design.modelled) >= _SEVERAL and design.d > _PRODUCTS and not self._wants_covariance
        return several and self.problem.alpha > 0.0 and first_sample(design.n, design.d) is None

    @property
    def _wants_covariance(self) -> bool:
        wanted = self.problem.covariance
        return d <= _CHEAP if (d := self.design.d) and wanted == "auto" else bool(wanted)

    def _solve_cusps(self, coef: Array) -> Solution:
        """Follow smooth laws to one with cusps, and move to the vertex they approach if that is certified."""
        plain = self.problem.alpha == 0.0 and not self.family.relinked and self.problem.terms[1].columns is None
        smooth, n_iter, vertex = self.objective, 0, None
        for stage, law in enumerate(self.family.smoothings(), start=1):
            smooth = self._objective(law.rows)
            solution = growing(smooth, coef, tol=self.problem.tol, max_iter=self.problem.max_iter)
            coef, n_iter = solution.coef, n_iter + solution.n_iter
            if plain and stage == _NEAR_VERTEX and (vertex := to_vertex(self.objective, coef)) is not None:
                break
        if vertex is not None:
            coef[: len(vertex)] = vertex
            residual = self.objective.statistics[0] - self.objective.direction(coef)[0]
            residual = residual if self.design.offset is None else residual - self.design.offset
            weight = np.ones(len(residual)) if self.weight is None else self.weight
            coef[self.design.slices[1].stop] = np.log(average(np.abs(residual), weight))
        at = self.objective(coef)
        # The smooth law lies above by no less than the duality gap: what a better point could gain.
        gap = 0.0 if vertex is not None else max(smooth(coef, 0).value - at.value, 0.0)
        distance = float(np.sqrt(2.0 * gap * self.objective.size))
        settled = vertex is not None or (solution.converged and distance <= max(self.problem.tol, _CUSP_DISTANCE))
        return Solution(coef, at, np.zeros_like(coef), distance, n_iter, settled)

    def _limit(self, solution: Solution) -> Fit | None:
        """Return the fit of a limit law that is at least as likely, if the family has one."""
        problem = self.problem
        for limit in self.family.limits:
            j = self.family.names.index(limit.parameter)
            if problem.terms[j].columns is not None:
                continue
            kept = limit.family().names
            index = [self.family.names.index(name) for name in kept]
            links = {k: v for k, v in (self.family.links or {}).items() if k in kept}
            law = limit.family(links=links or None)
            if index[0] != 0:
                continue
            other = fit(replace(problem, family=law, terms=tuple(problem.terms[i] for i in index), start=None))
            current = self._log_likelihood(solution)
            if other.log_likelihood >= current - 1e-9 * other.mass:
                reason = f"the likelihood rises as {limit.parameter} tends to {limit.value:g}, where the law is {law.title}"
                status = Verdict(BOUNDARY, reason) if other.verdict.status == INTERIOR else other.verdict
                return replace(other, verdict=status, limit=limit, n_iter=other.n_iter + solution.n_iter)
        return None

    def _no_interior(self, solution: Solution) -> Fit:
        # The last step certifies any separation; where rounding spoils it, the coefficients certify a complete one.
        for direction in (solution.step, solution.coef):
            if separates(self.family, self.statistics, self.objective, direction):
                return self._result(solution, Verdict(NO_MAXIMUM, "separation", direction))
        if (interpolated := self._saturated()) is not None:
            return interpolated
        if (rows := self._vanishing_scale(solution)) > 0:
            where = f"at {rows} of {self.problem.n} rows, at" if self.design.terms[1].size else "around equal residuals or"
            reason = f"the scale runs to zero {where} observations that the location reproduces"
            return self._result(solution, Verdict(NO_MAXIMUM, reason))
        if solution.converged:
            return self._result(solution, Verdict(NO_MAXIMUM, "the likelihood still rises towards infinity", solution.step))
        return self._result(solution, Verdict(NOT_CONVERGED, "", solution.step))

    def _vanishing_scale(self, solution: Solution) -> int:
        """Return at how many rows a location-scale law has shrunk to a point."""
        if not self._standardised:
            return 0
        log_scale = self.family.spread_sign * self.objective.direction(solution.coef)[1]
        least = _VANISHED + float(np.log(np.std(self.statistics[0])))
        vanished = np.broadcast_to(log_scale, (self.design.n,)) < least
        return int(vanished.sum() if self.problem.copies is None else self.problem.copies[vanished].sum())

    def _log_likelihood(self, solution: Solution) -> float:
        value = solution.evaluation.value
        value -= sum(penalty.value(solution.coef) for penalty in self.objective.penalties)
        return -value * self.objective.mass - self.base - self._jacobian

    @property
    def _jacobian(self) -> float:
        return self.objective.mass * float(np.log(self.unit)) if self._standardised else 0.0

    def _result(self, solution: Solution, verdict: Verdict) -> Fit:
        coefs = self.coordinates.raw(solution.coef)
        estimable = None
        if any(b is not None for b in self.bases):
            pairs = zip(self.problem.terms, self.bases, strict=True)
            estimable = tuple(np.ones(t.size, bool) if b is None else b.estimable for t, b in pairs)
        covariance = self._covariance(solution, estimable) if verdict.status == INTERIOR else None
        return Fit(
            self.family, coefs, covariance, self._log_likelihood(solution), self.objective.mass, verdict,
            max(1, solution.n_iter), solution.distance, None, estimable, self._moving(verdict), self.design.d,
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
        for term, here, there in zip(self.problem.terms, origin, self.coordinates.raw(verdict.direction), strict=True):
            slopes = np.zeros(0) if term.columns is None else np.abs(there[0] - here[0]) * scale[term.columns]
            sizes.append(slopes)
            # The predictor of the mean row moves with the intercept.
            mean = 0.0 if term.columns is None else float((there[0] - here[0]) @ self.survey.centre[term.columns])
            largest = max(largest, float(slopes.max(initial=0.0)), abs(there[1] - here[1] + mean))
        return tuple(s > _MOVES * largest for s in sizes)

    def _covariance(self, solution: Solution, estimable: tuple[NDArray[np.bool_], ...] | None) -> Array | None:
        hessian = solution.evaluation.hessian
        raw = sum(t.length for t in self.problem.terms)
        if hessian is None or raw > _MANY or not self.problem.covariance:
            return None
        root = np.sqrt(np.abs(np.diag(hessian)))
        root = np.where(root > 0.0, root, 1.0)
        inverse = np.linalg.inv(hessian / np.outer(root, root)) / np.outer(root, root)
        matrix = self.coordinates.matrix()
        covariance = (inverse if matrix is None else matrix @ inverse @ matrix.T) / self.objective.mass
        if estimable is not None:
            # An intercept is that of all columns zero, which leaves the rows' space with the first undetermined slope.
            pairs = zip(estimable, self.problem.terms, strict=True)
            known = np.concatenate([np.r_[e, [bool(e.all())] * t.intercept] for e, t in pairs])
            covariance[~known.astype(bool)] = np.nan
            covariance[:, ~known.astype(bool)] = np.nan
        return covariance


def _reduced(term: Term, basis: Basis) -> Term:
    columns = np.arange(basis.expand.shape[0]) if isinstance(term.columns, slice) else term.columns
    assert columns is not None
    return Term(columns[basis.kept], len(basis.kept), term.intercept)
