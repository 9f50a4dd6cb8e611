"""The strength of a ridge under which rows that the fit has not seen are most likely.

Leave-one-out is one pass over the rows beside each fit (`likelihood.left_out`). It is climbed on
the logarithm of the strength: by decades from a strength of the size of the columns, then by a
golden section of the decades beside the best. Fits start where one under a strength nearby ended,
if rows are many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.evaluation import Evaluation
from skmle._engine.fit import solve_and_judge
from skmle._engine.likelihood.penalties import Penalty
from skmle._engine.prepare.columns import Dependent
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.prepare.row_space import reduce_columns
from skmle._engine.problem import Coefs, Problem
from skmle._engine.verdict import BOUNDARY, INTERIOR, KEYBOARD
from skmle.families.base import Arrays, Rows, triangle

Under = Callable[[float], tuple[tuple[Penalty, ...], float]]
"""From a strength to the problem's penalties and the strength of its absolute one."""

# Strengths are this many to a decade: 6 % apart, of which at a smooth maximum no one is to be told
# from its neighbours. On a grid the choice does not hang on rounding.
_STEPS = 40
# Decades without a better strength after which a climb ends, and how far it goes at most: there the
# penalty is nothing, or all. Two maxima were seen within two decades, of few rows. Chosen.
_PATIENCE, _FARTHEST = 3, 12
# Nats in all that a decade must add to count as better, as less is no evidence: towards no penalty,
# or nothing but the penalty, the likelihood becomes flat, and goes on rising by next to nothing.
# There the decade is near enough.
_BETTER = 1e-2
# Rows a coefficient from which columns are far from reproducing y. Chosen, not measured.
_COLUMNS = 2
# Distance to the optimum of each fit: leave-one-out moves in proportion to it.
_CLOSE = 1e-9


def choose_strength(problem: Problem, under: Under) -> float:
    """Return the strength of the greatest approximate leave-one-out log-likelihood.

    Parameters
    ----------
    problem : Problem
        Under any penalties.
    under : callable
    """
    # Of strength 1, whose curvature is the unit of strengths.
    problem = problem.under(*under(1.0))
    n, p = problem.observed.n, 0 if problem.X is None else problem.X.shape[1]
    if p > n and (reduced := reduce_columns(problem)) is not None:
        problem = reduced[0]
    climb = _Climb(replace(problem, tol=min(problem.tol, _CLOSE)), under)
    for way in (-1, 1):
        last = 0
        for decade in range(1, _FARTHEST + 1):
            if climb(way * decade * _STEPS) > climb(climb.best) + _BETTER / climb.mass:
                climb.best = last = way * decade * _STEPS
            # Under too weak a penalty there may be no maximum at all.
            found = way < 0 or np.isfinite(climb(climb.best))
            if found and decade - abs(last) // _STEPS >= _PATIENCE:
                break
    best, level = climb.best, climb(climb.best) - _BETTER / climb.mass
    # Two decades of the same height are an end, one may be the other side of a peak.
    sides = [[best + way * _STEPS * decade for decade in (1, 2)] for way in (-1, 1)]
    if any(min(map(climb, side)) > level for side in sides):
        return climb.strength(best)
    return climb.strength(_golden(climb, best - _STEPS, best + _STEPS))


def _golden(value: Callable[[int], float], low: int, high: int) -> int:
    """Return the whole number between two of the greatest value, if there is one maximum."""
    ratio = 0.5 * (np.sqrt(5.0) - 1.0)
    while high - low > 3:
        inner = round(high - ratio * (high - low)), round(low + ratio * (high - low))
        if inner[0] == inner[1]:
            inner = inner[0], inner[0] + 1
        if value(inner[0]) < value(inner[1]):
            low = inner[0]
        else:
            high = inner[1]
    return max(range(low, high + 1), key=value)


class _Climb:
    """Leave-one-out as a function of the step of the strength; what is known is kept."""

    def __init__(self, problem: Problem, under: Under) -> None:
        self.under, self.best = under, 0
        self.likelihood = Likelihood(problem)
        # Where columns can reproduce y, a law with a scale has a density without bound beside its
        # local maximum, and which of the two a fit finds depends on its start. The fit under the
        # strength that is chosen starts anew, and so do those that lead to it.
        self.warm = _COLUMNS * self.likelihood.design.d < self.likelihood.design.n
        self.mass = self.likelihood.objective.mass
        self.unit = _size(self.likelihood)
        self.known: dict[int, float] = {}
        self.ends: dict[int, Coefs] = {}

    def strength(self, step: int) -> float:
        return float(self.unit * 10.0 ** (step / _STEPS))

    def __call__(self, step: int) -> float:
        """Return the mean log-likelihood of rows left out; -inf if there is no maximum."""
        if step not in self.known:
            with np.errstate(all="ignore"):
                self.known[step] = self._found(step)
        return self.known[step]

    def _found(self, step: int) -> float:
        start = None
        if self.ends and self.warm:
            start = self.ends[min(self.ends, key=lambda other: abs(other - step))]
        asked = self.under(self.strength(step))
        posed = self.likelihood.under(*asked, start)
        try:
            fit, _ = solve_and_judge(posed)
        except Dependent as found:
            self.likelihood = Likelihood(posed.problem, None, None, found.columns)
            posed = self.likelihood.under(*asked)
            fit, _ = solve_and_judge(posed)
        if fit.verdict.reason == KEYBOARD:
            raise KeyboardInterrupt
        if fit.verdict.status not in (INTERIOR, BOUNDARY):
            return -np.inf
        if fit.limit is None:
            self.ends[step] = fit.coefs
        evidence = Evidence.of(posed.problem, fit)
        if evidence is None:
            return -np.inf
        try:
            loss = evidence.left_out().loss
        except np.linalg.LinAlgError:
            return -np.inf
        weight = evidence.objective.weight
        lost = float(loss.sum() if weight is None else weight @ loss)
        value = (evidence.log_likelihood - lost) / self.mass
        return value if np.isfinite(value) else -np.inf


def _size(likelihood: Likelihood) -> float:
    """Return the strength whose curvature is, on average, that of the columns.

    It is in the units of the strength, whatever those of X are.
    """
    objective = likelihood.objective
    d = objective.design.d

    def unit(statistics: Arrays, eta: Arrays, order: int) -> Rows:
        one, none = np.ones(()), np.zeros(())
        k = len(objective.design.terms)
        packed = tuple(one if a == b else none for a, b in triangle(k))
        return Rows(none, (none,) * k, packed)

    plain = replace(objective, rows=unit, penalties=(), alarm=None)
    columns = plain(np.zeros(d), 2).hessian
    prior = Evaluation(0.0, None, np.zeros((d, d)))
    for penalty in objective.penalties:
        penalty.add(prior, np.zeros(d))
    assert columns is not None and prior.hessian is not None
    held = prior.hessian.diagonal() > 0.0
    both = np.ix_(held, held)
    size = float(np.mean(np.linalg.solve(prior.hessian[both], columns[both]).diagonal()))
    return size if np.isfinite(size) and size > 0.0 else 1.0
