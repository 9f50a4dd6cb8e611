"""Newton's method on growing samples: for many more rows than coefficients.

A random sample of m rows holds all but the last sqrt(d n/m) standard errors of the answer, so each sample is solved only
to its own accuracy and the next, eight times larger, starts there. On all rows, the last sample's curvature
preconditions gradient steps; one closing Newton step, whose hessian is the covariance, squares what distance is left, and
one more gradient measures it. The answer depends on the samples by less than `tol`; if they lead nowhere, Newton takes over.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution
from skmle._engine.likelihood.factor import ROUNDING, Factor
from skmle._engine.solvers.newton import SmoothObjective, newton
from skmle._engine.solvers.pairs import two_loop

_GROWTH = 8
_ROWS_PER_COEFFICIENT = 20
_FEWEST_ROWS = 1024
_SAMPLE_STEPS = 4  # a sample in which some column is rare could go on for ever
_MOST_PASSES = 24
_INFORMATION = 3e-6  # distance over sqrt(n) at which standard errors have five digits, as a hessian moves as fast as its point
_STEADY = 1e-4  # least pivot from which a hessian of rounded products preconditions as well
_STEADIER = 0.03  # and from which, summed over all rows, it gives standard errors to five digits (errors of 1e-7 over the pivot were seen)
_INDEPENDENT = 0.7  # least pivot of the hessian of columns that are nearly independent
_RARE = 20  # rows of a level in the largest sample
_MEMORY = 8
_MISSED = 10.0  # times the target, beyond which what was to be expected has not come


class Roundable(SmoothObjective, Protocol):
    """An objective whose hessian can be had for less."""

    def in_single(self) -> SmoothObjective:
        """Return the objective with a hessian whose entries, on a unit diagonal, have errors of about 1e-7."""


class Sample(Roundable, Protocol):
    """An objective on some of the rows."""

    def rarest(self) -> float:
        """Return how many rows the rarest level has, of columns of zeros and ones; inf if there is none."""


class SampledObjective(Roundable, Protocol):
    """What this solver needs of an objective beyond Newton's wants."""

    @property
    def n(self) -> int:
        """Number of rows."""

    def sample(self, m: int) -> Sample:
        """Return the objective on m rows, under a prior too weak to matter but for coefficients the sample does not determine."""


def first_sample(n: int, d: int) -> int | None:
    """Return the size of the first sample for n rows and d coefficients; None if all rows are few enough."""
    m = max(_ROWS_PER_COEFFICIENT * d, _FEWEST_ROWS)
    return m if n >= _GROWTH * m else None


def growing(
    objective: SampledObjective,
    start: Array,
    *,
    tol: float = 1e-6,
    max_iter: int = 100,
    curvature: bool = True,
) -> Solution:
    """Minimise `objective` from `start` by samples of its rows.

    Parameters
    ----------
    objective : callable
        (coef, order) -> Evaluation, with ``n`` rows and ``sample(m)``.
    start : ndarray of shape (d,)
    tol : float
        Distance to the optimum in standard errors.
    max_iter : int
        Most iterations of Newton's method, where it takes over.
    curvature : bool
        Whether the hessian on all rows is wanted; without it no closing step is taken.

    References
    ----------
    Mokhtari et al. (2016), Adaptive Newton method for empirical risk minimization to statistical accuracy.
    Nocedal & Wright (2006), Numerical Optimization, ch. 7 (limited-memory pairs).
    """
    m = first_sample(objective.n, len(start))
    sizes = (
        []
        if m is None
        else [m * _GROWTH**k for k in range(20) if m * _GROWTH ** (k + 1) <= objective.n]
    )
    # Of a level that a sample hardly has, it shows nothing, and steps along its curvature lead astray.
    if not sizes or objective.sample(sizes[-1]).rarest() < _RARE:
        return newton(objective, start, tol=tol, max_iter=max_iter)
    coef, passes, factor = _by_samples(objective, start, sizes)
    if factor is None or not np.isfinite(coef).all():
        return newton(objective, start, tol=tol, max_iter=max_iter)
    # The closing step squares the distance; its hessian is that of the point before, and must serve the standard errors.
    root = np.sqrt(objective.n)
    target = min(0.5 * np.sqrt(tol * root), _INFORMATION * root) if curvature else tol
    found = _descend(objective, coef, factor, target, measured=not curvature)
    if found is None:
        return newton(
            objective,
            coef if np.isfinite(objective(coef, 0).value) else start,
            tol=tol,
            max_iter=max_iter,
        )
    found = found._replace(n_iter=passes + found.n_iter)
    if not curvature:
        return found
    return _close(objective, factor.least_pivot > _STEADIER, found, target, tol, max_iter)


def _by_samples(
    objective: SampledObjective, start: Array, sizes: list[int]
) -> tuple[Array, int, Factor | None]:
    """Return (the last sample's solution, Newton steps taken, the factor of its hessian, to precondition that of all rows)."""
    coef, passes, steady = start, 0, True
    for m in sizes:
        sample = objective.sample(m)
        for law in [sample.in_single(), sample] if steady else [sample]:
            solution = newton(law, coef, tol=np.sqrt(len(start)), max_iter=_SAMPLE_STEPS)
            coef, passes, hessian = (
                solution.coef,
                passes + solution.n_iter,
                solution.evaluation.hessian,
            )
            factor = None if hessian is None else _well(hessian)
            if factor is not None and factor.least_pivot > _STEADY:
                break
            steady = False
    if factor is not None and factor.least_pivot > _INDEPENDENT:
        factor = _well(_less_noisy(hessian, m))  # type: ignore[arg-type]
    return coef, passes, factor


def _less_noisy(hessian: Array, m: int) -> Array:
    """Return the hessian of a sample of m rows with its off-diagonal part shrunk by the share of it that is the sample's noise.

    On a unit diagonal each entry has a variance of about 1/m. With few rows a coefficient, that spreads the eigenvalues of
    nearly independent columns further than all there is to precondition; of dependent ones it would hide the small eigenvalues.

    References
    ----------
    Schaefer & Strimmer (2005), A shrinkage approach to large-scale covariance matrix estimation.
    """
    diagonal = np.diag(hessian).copy()
    d, root = len(hessian), np.sqrt(diagonal)
    squares = float(((hessian / np.outer(root, root)) ** 2).sum()) - d
    shrunk = hessian * (1.0 - min(1.0, d * (d - 1) / (m * squares)) if squares > 0.0 else 1.0)
    shrunk[np.diag_indices(d)] = diagonal
    return shrunk


def _well(hessian: Array) -> Factor | None:
    """Return the factor of a hessian; None if it is singular to rounding."""
    factor = Factor.of(hessian)
    return factor if factor is not None and factor.least_pivot > ROUNDING else None


def _distance(factor: Factor, gradient: Array, size: float) -> float:
    return max(size * float(gradient @ factor.solve(gradient)), 0.0) ** 0.5


def _descend(
    objective: SampledObjective, coef: Array, factor: Factor, target: float, measured: bool
) -> Solution | None:
    """Return a point within `target` standard errors, so `measured` or to be expected; None if the way there is too long."""
    at = objective(coef, 1)
    assert at.gradient is not None
    pairs: list[tuple[Array, Array]] = []
    first = distance = np.inf
    if np.isfinite(at.value):
        first = distance = _distance(factor, at.gradient, objective.size)
    if not np.isfinite(distance):
        return None
    shrinkage = 1.0
    for passes in range(1, _MOST_PASSES + 2):
        objective.accepted(coef, at, distance)
        assert at.gradient is not None
        step = -two_loop(pairs, factor.solve, at.gradient)
        # With more pairs the next step shrinks the distance at least as much as the last.
        if distance <= target or (not measured and distance * shrinkage <= target):
            return Solution(coef if measured else coef + step, at, step, distance, passes, True)
        there = objective(coef + step, 1)
        assert there.gradient is not None and at.gradient is not None
        previous, distance = distance, _distance(factor, there.gradient, objective.size)
        # Close to the optimum values are equal to rounding, and only the distance tells.
        if not np.isfinite(there.value) or (there.value > at.value and distance > previous):
            return None  # the sample's curvature misleads here: full Newton is safer than a search along it
        pairs = [*pairs[1 - _MEMORY :], (step, there.gradient - at.gradient)]
        coef, at, shrinkage = coef + step, there, min(distance / previous, 1.0)
        if (
            passes > 1
            and distance > target
            and passes + _passes_left(distance, target, first, passes) > _MOST_PASSES
        ):
            return None
    raise AssertionError("unreachable: more passes than the most are never taken")


def _passes_left(distance: float, target: float, first: float, passes: int) -> float:
    """Return how many passes it takes from `distance` to `target` at the pace so far."""
    return (
        np.log(distance / target) / np.log(first / distance) * passes
        if distance < first
        else np.inf
    )


def _close(
    objective: SampledObjective,
    steady: bool,
    found: Solution,
    target: float,
    tol: float,
    max_iter: int,
) -> Solution:
    """Take one Newton step on all rows, then measure the distance, with chord steps while it is too large."""
    coef = found.coef
    at = (objective.in_single() if steady else objective)(coef, 2)
    assert at.hessian is not None and at.gradient is not None
    factor = _well(at.hessian) if _finite(at) else None
    if factor is None or _distance(factor, at.gradient, objective.size) > _MISSED * target:
        return newton(
            objective,
            coef if np.isfinite(at.value) else coef - found.step,
            tol=tol,
            max_iter=max_iter,
        )
    hessian, step = at.hessian, -factor.solve(at.gradient)
    for extra in range(3):
        coef = coef + step
        there = objective(coef, 1)
        assert there.gradient is not None
        distance = (
            _distance(factor, there.gradient, objective.size)
            if np.isfinite(there.value)
            else np.inf
        )
        objective.accepted(coef, there, distance)
        step = -factor.solve(there.gradient)
        if distance <= tol:
            there.hessian = hessian
            return Solution(coef + step, there, step, distance, found.n_iter + extra + 2, True)
    return newton(objective, coef, tol=tol, max_iter=max_iter)


def _finite(at: Evaluation) -> bool:
    return bool(np.isfinite(at.value)) and bool(np.isfinite(at.gradient).all())  # type: ignore[arg-type]
