"""A likelihood: a problem whose X has been looked at and whose y has been put into units.

It needs the rows. Its objective is a function of the solver's coefficients; `raw` and `fitted`
translate between these and the user's.
"""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.sums import one_blas_thread
from skmle._engine.evaluation import Array, Solution, covariance, value_at_end
from skmle._engine.likelihood.coordinates import Coordinates, Units
from skmle._engine.likelihood.design import Design
from skmle._engine.likelihood.jeffreys import Jeffreys
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import Lasso, OnSlopes, Penalty
from skmle._engine.likelihood.watch import Spent, Watch
from skmle._engine.prepare.closed import Starts
from skmle._engine.prepare.columns import Columns, look_at, proven
from skmle._engine.prepare.feasible import may_start
from skmle._engine.prepare.modes import is_better, starts_of
from skmle._engine.prepare.starts import LeastSquares, fit_first_term
from skmle._engine.problem import Coefs, Problem
from skmle._engine.solvers import (
    SOLVERS,
    Solver,
    Task,
    Working,
    approach,
    choose,
    first_sample,
    looking_steps,
)
from skmle._engine.solvers.cusps import solve_cusps
from skmle.families.base import Family
from skmle.families.tools.cached import cached_property

# Coefficients up to which standard errors are kept unless they are declined: one Hessian on all
# rows takes no longer than the rest of a fit on samples. Chosen, not measured.
_CHEAP = 200
# Coefficients from which threads of BLAS slow down the many small systems of a fit with absolute
# penalties. Chosen, not measured.
_THREADED = 100
# Steps from which on `max_iter` bounds those to each of the smooth laws on the way to one with
# cusps, not all together: their default. A ridge beside a modelled scale was seen to need 130.
_EACH = 100
# Largest distance in standard errors at which a solver may stop. The last step to a maximum tells
# it from a way to infinity only if it is small. Near a maximum one step more squares the distance.
_LOOSEST = 1e-3


class Likelihood:
    """The objective of a problem in the solver's coordinates, with the way there and back.

    Parameters
    ----------
    problem : Problem
    watch : Watch, optional
        It is called with each iterate.
    starts : list of tuple, optional
        The family's starts, if they were computed before.
    columns : Columns, optional
        Those of the problem's X, if they were looked at before.
    """

    def __init__(
        self,
        problem: Problem,
        watch: Watch | None = None,
        starts: Starts | None = None,
        columns: Columns | None = None,
    ) -> None:
        self.problem = problem
        self.watch = Watch(problem.verbose) if watch is None else watch
        self.known_starts = starts
        self.columns = columns = look_at(problem) if columns is None else columns
        observed = problem.observed
        # The law of the observations as they are measured here.
        self.family = family = problem.family
        self.units = units = Units.of(family, problem.terms, observed)
        self.statistics = observed.statistics
        if units.moves:
            self.statistics = family.standardise(self.statistics, units.origin, units.unit)
            self.family = family.measured(units.origin, units.unit)
        offset = problem.offset
        if offset is not None and units.located(0):
            offset = offset / units.unit
        self.design = Design(
            columns.terms, observed.n, problem.X, columns.shift, offset, columns.blocks
        )
        self.coordinates = Coordinates(
            problem.terms, self.design, columns.bases, units, columns.unit, problem.carried
        )
        self.objective = self.objective_of(self.family)

    def under(
        self, penalties: tuple[Penalty, ...], lasso: float, start: Coefs | None = None
    ) -> Likelihood:
        """Return the same likelihood under other penalties, with coefficients to start from."""
        result = copy.copy(self)
        result.problem = self.problem.under(penalties, lasso, start)
        result.objective = result.objective_of(self.family)
        return result

    def objective_of(self, law: Family) -> Objective:
        """Return the objective of a law on these rows."""
        problem = self.problem
        penalties: tuple[Penalty, ...] = ()
        lasso = None
        if problem.penalised:
            slopes = self.coordinates.slopes()
            penalties = tuple(OnSlopes(penalty, slopes) for penalty in problem.penalties)
            if problem.selects:
                lasso = Lasso.on_slopes(problem.lasso, slopes, self.design.d)
                if self.family.redundant:
                    # A constant added to all eta changes nothing: the last one is held at zero.
                    lasso.strength[self._constants[-1:]] = np.inf
        result = Objective(
            rows=law.rows,
            statistics=self.statistics,
            design=self.design,
            weight=problem.observed.weight,
            penalties=penalties,
            threads=problem.threads,
            watch=self.watch,
            lasso=lasso,
            count=problem.n,
            squares=problem.observed.squares,
            together=problem.carried,
            apart=law.shortcuts.apart,
        )
        if problem.jeffreys:
            result.penalties = (*penalties, Jeffreys.of(law, result))
        return result

    @property
    def _constants(self) -> NDArray[np.intp]:
        """Indices of the coefficients that are intercepts or constants."""
        pairs = zip(self.design.slices, self.design.terms, strict=True)
        return np.array([s.stop for s, term in pairs if term.intercept], np.intp)

    # ---------------------------------------------------------------- the user's coefficients

    def raw(self, coef: Array) -> Coefs:
        """Return the user's coefficients, (slopes, intercept) of each parameter."""
        return self.coordinates.raw(coef)

    def fitted(self, raw: Coefs) -> Array:
        """Return the solver's coefficients, (d,)."""
        coef = self.coordinates.fitted(raw)
        if self.family.redundant and len(self._constants):
            # A constant added to all eta changes nothing: the last one is held at zero.
            coef[self._constants] -= coef[self._constants[-1]]
        return coef

    def log_likelihood(self, solution: Solution) -> float:
        """Return the total log-likelihood in nats, constants included, without the penalty."""
        value = value_at_end(self.objective, solution)
        return self.total(self.objective.unpenalised(value, solution.coef))

    def total(self, value: float) -> float:
        """Return the total log-likelihood in nats, constants included, for a mean of -log q."""
        total = -value * self.objective.mass
        if self.units.moves:
            total -= self.units.log_volume(self.family, self.problem.observed)
        return total - self._base

    @property
    def _base(self) -> float:
        """The terms of -log q that depend on y only, summed over the rows."""
        observed = self.problem.observed
        if not self.units.by_a_factor:
            return observed.base
        base = np.broadcast_to(self.family.base(self.statistics), observed.n)
        return float(observed.weights @ base)

    # ---------------------------------------------------------------- starts and solvers

    @cached_property
    def pilot(self) -> Objective:
        """The objective on a sample of the rows, or on all rows where these are few.

        A sample is enough for starts near the maximum, and to see that the linear predictor does
        not reproduce y. Starts that are the maximum need all rows.
        """
        near = self.problem.X is not None or self.family.shortcuts.starts == "near"
        m = first_sample(self.design.n, self.design.d) if near else None
        return self.objective if m is None else self.objective.sample(m)

    @cached_property
    def first_term_fit(self) -> LeastSquares | None:
        """Least squares of y on the columns of the first term, in the pilot.

        It is None where the first term is a constant, or no location of a standardised y, which
        alone can be compared with y.
        """
        return fit_first_term(self.pilot) if self.units.located(0) else None

    def starts(self) -> list[Array]:
        """Return one or several vectors of coefficients to start from."""
        problem = self.problem
        if problem.start is not None and all(basis is None for basis in self.columns.bases):
            if may_start(self.family, self.objective, start := self.fitted(problem.start)):
                return [start]
        first = None
        # A fit that selects slopes starts with none, but least squares would have all.
        if self.objective.lasso is None:
            first = self.first_term_fit
        return starts_of(self.family, self.pilot, self.objective, first, self.known_starts)

    def solve(self, start: Array | None = None, working: Working | None = None) -> Solution:
        """Return the best of the solutions from all starts.

        Parameters
        ----------
        start : ndarray of shape (d,), optional
            The only start, if given.
        working : Working, optional
            The working set that the solution under another penalty has left.
        """
        best: Solution | None = None
        wanted = self.problem.covariance
        task = Task(
            n=self.design.n,
            d=self.design.d,
            modelled=len(self.design.modelled),
            kinks=self.objective.lasso is not None,
            convex=self.problem.all_held,
            whole=self.problem.jeffreys,
            hessian=self.design.d <= _CHEAP if wanted == "auto" else bool(wanted),
        )
        # A law has its cusps where the first parameter meets an observation: one that is held has
        # none on the way.
        laws = self.family.smoothings() if self.design.terms[0].length else ()
        smooth = [self.objective_of(law) for law in laws]
        looking = looking_steps(task.n, task.d)
        most: float = self.problem.max_iter
        if smooth and most >= _EACH:
            most = np.inf  # for each of the smooth laws that many are enough
        for coef in self.starts() if start is None else [start]:
            self.watch.begin(most, best)
            try:
                if smooth:
                    solution = self._solve_cusps(smooth, coef)
                else:
                    if self.objective.alarm is not None and looking:
                        coef = approach(self.objective, coef, tol=self.problem.tol, most=looking)
                    self.columns = proven(self.problem, self.columns)
                    solution = self._minimise(self.objective, choose(task), coef, working)
            except Spent:
                self.columns = proven(self.problem, self.columns)
                solution = self._spent()
            working = None  # That of a solution nearby is for the start that it has left.
            if best is None or is_better(self.family, self.objective, solution, best):
                best = solution
        assert best is not None
        return best

    def _spent(self) -> Solution:
        """Return the last point of a search that has taken as many steps as it may."""
        solution = self.watch.last
        assert solution is not None
        solution = solution._replace(evaluation=self.objective(solution.coef, 1), rough=True)
        return self._with_working(solution) if self.problem.selects else solution

    def _with_working(self, solution: Solution) -> Solution:
        """Return a solution of an absolute penalty with the working set around it."""
        working = Working.around(self.objective, solution.coef)
        working.renew(solution.coef[working.index])
        return solution._replace(working=working)

    def _minimise(
        self, objective: Objective, solver: Solver, start: Array, working: Working | None = None
    ) -> Solution:
        options = {"tol": min(self.problem.tol, _LOOSEST), "max_iter": self.problem.max_iter}
        if solver.needs != "kinks":
            return solver.solve(objective, start, **options)
        with one_blas_thread(self.design.d > _THREADED):
            return solver.solve(objective, start, working=working, **options)

    def _solve_cusps(self, smooth: list[Objective], start: Array) -> Solution:
        """Return the solution of a law with cusps, which smooth laws approach."""
        problem = self.problem
        # An objective that is piecewise linear in the location has its minimum at a vertex. That of
        # a law around one with cusps, as of censored observations, is not, and has no final starts.
        linear = self.family.shortcuts.starts == "final"
        scale_is_constant = all(term.columns is None for term in problem.terms[1:])
        linear = linear and (not problem.selects or scale_is_constant)
        solver = SOLVERS["proximal" if problem.selects else "growing"]
        solution = solve_cusps(
            self.objective,
            smooth,
            start,
            minimise=lambda objective, coef: self._minimise(objective, solver, coef),
            vertex=linear and not problem.penalties and not self.family.relinked,
            tol=min(problem.tol, _LOOSEST),
            max_iter=problem.max_iter,
        )
        if not problem.selects:
            return solution._replace(evaluation=self.objective(solution.coef))
        # That of the last smooth law would not do: its curvature is all near the cusps.
        return self._with_working(solution)

    # ---------------------------------------------------------------- for standard errors

    @property
    def sandwiched(self) -> bool:
        """Whether a fit keeps a sandwich, as the inverse information is no covariance."""
        return self.problem.robust or self.family.kinked

    def covariance(self, inverse: Array, meat: Array | None = None) -> Array:
        """Return the covariance of the user's coefficients.

        Where the data do not determine all, they are those of least norm.

        Parameters
        ----------
        inverse : ndarray of shape (d, d)
            Inverse Hessian of the objective.
        meat : ndarray of shape (d, d), optional
            Covariance of the summed gradients, for a sandwich. Without it, the covariance is the
            inverse information.
        """
        fitted = covariance(inverse, self.objective.mass, meat)
        return self.coordinates.covariance(fitted)

    def masked(self, covariance: Array) -> Array:
        """Return a covariance whose entries are nan for what the data do not determine."""
        if self.estimable is None:
            return covariance
        pairs = zip(self.estimable, self.problem.terms, strict=True)
        unknown = ~np.concatenate([known[: t.length] for known, t in pairs])
        result = covariance.copy()
        result[unknown], result[:, unknown] = np.nan, np.nan
        return result

    @cached_property
    def estimable(self) -> tuple[NDArray[np.bool_], ...] | None:
        """Of each term, which slopes the data determine, and whether its constant; None: all."""
        bases = self.columns.bases
        if all(basis is None for basis in bases):
            return None
        # A constant is the predictor where all columns are zero.
        levels = [basis is None or basis.idle_level == 0.0 for basis in bases]
        if self.problem.carried:
            levels = [levels[0]] * len(levels)
        slopes = [
            np.ones(term.size, bool) if basis is None else basis.estimable
            for term, basis in zip(self.problem.terms, bases, strict=True)
        ]
        return tuple(np.append(own, level) for own, level in zip(slopes, levels, strict=True))
