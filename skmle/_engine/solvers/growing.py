"""Newton's method on growing samples, for many more rows than coefficients.

The optimum of a random sample of m rows is about sqrt(d n / m) standard errors from that of all n
rows. So each sample is solved to that accuracy only, and the next one, eight times larger, starts
there. On all rows, gradient steps follow, which the Hessian of the last sample preconditions. Then
one Newton step closes: it squares the distance that is left, and its Hessian gives the covariance,
once the last sample has told how it changes along that step. One more gradient measures the
distance. The answer depends on the samples by less than `tol`. Where they do not lead to it,
Newton's method on all rows takes over.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skmle._engine.evaluation import Array, Evaluation, Solution, WithoutValue
from skmle._engine.likelihood.factor import ROUNDING, Factor
from skmle._engine.solvers.newton import SmoothObjective, newton
from skmle._engine.solvers.pairs import two_loop

# Where no number of a measurement is given, the value was chosen, not measured.
# How many times larger each sample is than the one before. All rows are at least as many times the
# last sample.
_GROWTH = 8
_ROWS_PER_COEFFICIENT = 20  # in the first sample, at least: with fewer its Hessian is mostly noise
_FEWEST_ROWS = 1024  # in the first sample, at least
# Newton steps on a sample, at most: one in which a column is rare may have no maximum. Without this
# bound (and a prior) one sample of real data took 50 steps and 12 s.
_SAMPLE_STEPS = 4
_MOST_PASSES = 24  # gradients on all rows, at most; Newton takes over if more are to be expected
# Distance over sqrt(n) from which the closing Newton step starts, at most: mostly the Hessian there
# is near enough for five digits of the standard errors. And that where a sample of the rows tells
# how it changes along the step.
_NEAR, _NEAR_TOLD = 3e-6, 3e-5
# How much the closing Hessian may change along the step from where it was taken, as the gradients
# on all rows tell, relative to itself. Standard errors changed by 0.04 to 2.2 times this share, and
# mostly 0.2 to 0.6, in 50 regressions with columns from normal to far-out ones. A tolerance below
# the usual one asks for as many more digits.
_FIVE_DIGITS, _USUAL = 5e-6, 1e-6
# Rows of that sample times coefficients, over all rows, at most: its two Hessians then take less
# time than the gradient on all rows that they save. A Hessian of all took d/18 times as long as it.
_CHEAP = 5
# Least pivot of a sample's Hessian from which one of rounded products preconditions as well.
_STEADY = 1e-4
# Least pivot from which the Hessian of rounded products, summed over all rows, gives standard
# errors to five digits: errors of 1e-7 over the pivot were seen.
_STEADIER = 0.03
_INDEPENDENT = 0.7  # least pivot of a Hessian from which its columns count as nearly independent
# Rows that each level must have in the largest sample: a sample shows nothing of a level that it
# hardly has, and a step along its Hessian then leads astray.
_RARE = 20
_MEMORY = 8  # pairs of (step, change of gradient) that are kept; textbooks advise 3 to 20
# If the distance after the expected last step is still this many times the target, the expectation
# was wrong, and Newton takes over.
_MISSED = 10.0
_MOST_SAMPLES = 20  # a bound: 8^20 rows are more than any data have
# A gradient whose value nobody needs: of a logistic law it takes half the time of a row.
_SLOPES, _BENDS = WithoutValue(1), WithoutValue(2)
_MOST_CHORDS = 3  # gradients after the closing Hessian, at most; mostly the first is the last


class Roundable(SmoothObjective, Protocol):
    """An objective whose Hessian can be had faster, with rounded products."""

    def in_single(self) -> SmoothObjective:
        """Return the objective with a rounded Hessian.

        Its entries, on a unit diagonal, may have errors of about 1e-7.
        """


class Sample(Roundable, Protocol):
    """An objective on some of the rows."""

    def rarest(self) -> float:
        """Return the number of ones in the column of zeros and ones that has the fewest.

        It is inf if there is no such column.
        """


class SampledObjective(Roundable, Protocol):
    """What this solver needs of an objective beyond Newton's wants."""

    @property
    def n(self) -> int:
        """Number of rows."""

    def sample(self, m: int) -> Sample:
        """Return the objective on m rows, under a weak prior.

        The prior should matter only for coefficients that the sample does not determine.
        """


def first_sample(n: int, d: int) -> int | None:
    """Return the size of the first sample for n rows and d coefficients.

    It is None if there are too few rows for samples to pay.
    """
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
        Whether the Hessian on all rows is wanted; without it no closing step is taken.

    References
    ----------
    Mokhtari et al. (2016), Adaptive Newton method for empirical risk minimization to statistical
    accuracy. Nocedal & Wright (2006), Numerical Optimization, ch. 7 (limited-memory pairs).
    """
    first = first_sample(objective.n, len(start))
    grown = [] if first is None else [first * _GROWTH**k for k in range(_MOST_SAMPLES)]
    sizes = [size for size in grown if size * _GROWTH <= objective.n]
    if not sizes or objective.sample(sizes[-1]).rarest() < _RARE:
        return newton(objective, start, tol=tol, max_iter=max_iter)
    coef, passes, factor = _by_samples(objective, start, sizes)
    if factor is None or not np.isfinite(coef).all():
        return newton(objective, start, tol=tol, max_iter=max_iter)
    # The closing step squares the distance over sqrt(n), and one more with its Hessian follows.
    m, d, n = sizes[-1], len(start), objective.n
    sample = objective.sample(m) if curvature and m * d <= _CHEAP * n else None
    near = (_NEAR if sample is None else _NEAR_TOLD) * np.sqrt(n)
    target = min(np.cbrt(tol * n), near) if curvature else tol
    found = _descend(objective, coef, factor, target, measured=not curvature)
    if found is None:
        coef = coef if np.isfinite(objective(coef, 0).value) else start
        return newton(objective, coef, tol=tol, max_iter=max_iter)
    found = found._replace(n_iter=passes + found.n_iter)
    if not curvature:
        return found
    steady = factor.least_pivot > _STEADIER
    return _close(objective, sample, steady, found, target, tol, max_iter)


def _by_samples(
    objective: SampledObjective, start: Array, sizes: list[int]
) -> tuple[Array, int, Factor | None]:
    """Solve one sample after another.

    Returns
    -------
    coef : ndarray of shape (d,)
        The last sample's solution.
    passes : int
        Newton steps on all samples.
    factor : Factor or None
        Of the last sample's Hessian; it will precondition that of all rows.
    """
    coef, passes, steady = start, 0, True
    for m in sizes:
        sample = objective.sample(m)
        for law in [sample.in_single(), sample] if steady else [sample]:
            solution = newton(law, coef, tol=np.sqrt(len(start)), max_iter=_SAMPLE_STEPS)
            coef, hessian = solution.coef, solution.evaluation.hessian
            passes += solution.n_iter
            factor = None if hessian is None else _well(hessian)
            if factor is not None and factor.least_pivot > _STEADY:
                break
            steady = False
    if factor is not None and factor.least_pivot > _INDEPENDENT:
        factor = _well(_less_noisy(hessian, m))  # type: ignore[arg-type]
    return coef, passes, factor


def _less_noisy(hessian: Array, m: int) -> Array:
    """Return the Hessian of a sample of m rows, with less of the sample's noise.

    On a unit diagonal each entry has a variance of about 1/m. If there are few rows for each
    coefficient and the columns are nearly independent, this noise spreads the eigenvalues more than
    the columns' true correlations do. So the part off the diagonal is shrunk by the share of it
    that is noise. For dependent columns that would hide the small eigenvalues: do not use it there.

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
    """Return the factor of a Hessian; None if it is singular to rounding."""
    factor = Factor.of(hessian)
    return factor if factor is not None and factor.least_pivot > ROUNDING else None


def _distance(factor: Factor, gradient: Array, size: float) -> float:
    """Return the distance to the optimum in standard errors, sqrt(n g' H^-1 g)."""
    return max(size * float(gradient @ factor.solve(gradient)), 0.0) ** 0.5


def _descend(
    objective: SampledObjective, coef: Array, factor: Factor, target: float, measured: bool
) -> Solution | None:
    """Go down on all rows to within `target` standard errors of the optimum.

    If `measured`, the distance is measured at the point that is returned; else it is enough that it
    can be expected there. None is returned if the way is too long.
    """
    at = objective(coef, _SLOPES)
    assert at.gradient is not None
    pairs: list[tuple[Array, Array]] = []
    first = distance = _distance(factor, at.gradient, objective.size)
    if not np.isfinite(distance):
        return None
    shrinkage = 1.0
    for passes in range(1, _MOST_PASSES + 2):
        objective.accepted(coef, at, distance)
        assert at.gradient is not None
        step = -two_loop(pairs, factor.solve, at.gradient)
        # The next step has one pair more, and is expected to shrink the distance as much as the
        # last.
        expected = distance * shrinkage
        if distance <= target or (not measured and expected <= target):
            if measured:
                at.value = _value(objective, coef, at)
            return Solution(coef if measured else coef + step, at, step, distance, passes, True)
        may_end = measured and expected <= _MISSED * target  # there the value will be wanted
        there = objective(coef + step, 1 if may_end else _SLOPES)
        assert there.gradient is not None and at.gradient is not None
        previous, distance = distance, _distance(factor, there.gradient, objective.size)
        # Close to the optimum values differ by rounding only, so the distance has to grow, too.
        misled = distance > previous and not (
            _value(objective, coef + step, there) <= _value(objective, coef, at)
        )
        if not np.isfinite(distance) or misled:
            # The sample's Hessian misleads here: Newton on all rows is safer than a line search.
            return None
        pairs = [*pairs[1 - _MEMORY :], (step, there.gradient - at.gradient)]
        coef, at, shrinkage = coef + step, there, _share(distance, previous)
        if passes > 1 and distance > target:
            if passes + _passes_left(distance, target, first, passes) > _MOST_PASSES:
                return None
    raise AssertionError("unreachable: more passes than the most are never taken")


def _share(distance: float, before: float) -> float:
    """Return what share a step has left of the distance before, 1 at most."""
    return distance / max(before, distance) if distance > 0.0 else 0.0


def _value(objective: SampledObjective, coef: Array, at: Evaluation) -> float:
    """Return the value of an evaluation at `coef`; it is computed if it was left out."""
    return objective(coef, 0).value if np.isnan(at.value) else at.value


def _passes_left(distance: float, target: float, first: float, passes: int) -> float:
    """Return how many passes it takes from `distance` to `target` at the pace so far."""
    if not distance < first:
        return np.inf
    return np.log(distance / target) / np.log(first / distance) * passes


def _close(
    objective: SampledObjective,
    sample: Sample | None,
    steady: bool,
    found: Solution,
    target: float,
    tol: float,
    max_iter: int,
) -> Solution:
    """Take one Newton step on all rows, then measure the distance.

    While more than `tol` would be left, chord steps follow, that is, steps with the same Hessian.
    If it changes too much on the way for standard errors, it is computed again at the end.
    """
    rounded = objective.in_single() if steady else objective
    coef = found.coef
    at = rounded(coef, _BENDS)
    assert at.hessian is not None and at.gradient is not None
    factor = _well(at.hessian) if np.isfinite(at.gradient).all() else None
    distance = np.inf if factor is None else _distance(factor, at.gradient, objective.size)
    if factor is None or distance > _MISSED * target:
        coef = coef if factor is not None else coef - found.step
        return newton(objective, coef, tol=tol, max_iter=max_iter)
    step = -factor.solve(at.gradient)
    change = np.zeros_like(at.hessian)
    if sample is not None and distance > _NEAR * np.sqrt(objective.n):
        change = _change(sample, coef, step)
    near_enough, most = False, _FIVE_DIGITS * min(tol / _USUAL, 1.0)
    for extra in range(_MOST_CHORDS):
        there = objective(coef + step, 1)
        assert there.gradient is not None
        if not np.isfinite(there.value):
            break
        before, distance = distance, _distance(factor, there.gradient, objective.size)
        left = distance
        if not extra:
            # What gradients change beyond the Hessian is half of its own change along the step.
            bend = 2.0 * (there.gradient - at.gradient - at.hessian @ step) - change @ step
            near_enough = _distance(factor, bend, objective.size) <= most * before
            # One more step with this Hessian leaves about twice the share that this one has left.
            left = min(2.0 * distance * _share(distance, before), distance)
        coef, step = coef + step, -factor.solve(there.gradient)
        if left <= tol:
            end = there.end = coef + step
            there.hessian = at.hessian + change if near_enough else rounded(end, _BENDS).hessian
        objective.accepted(coef, there, left)
        if there.end is not None:
            count, pivot = found.n_iter + extra + 2, factor.least_pivot
            return Solution(there.end, there, step, left, count, True, least_pivot=pivot)
    return newton(objective, coef, tol=tol, max_iter=max_iter)


def _change(sample: Sample, coef: Array, step: Array) -> Array:
    """Return how the Hessian of a sample changes along a step; zeros if that is not finite."""
    before, after = (sample(c, _BENDS).hessian for c in (coef, coef + step))
    assert before is not None and after is not None
    change = after - before
    return change if np.isfinite(change).all() else np.zeros_like(change)
