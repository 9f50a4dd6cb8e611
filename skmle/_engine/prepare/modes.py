"""The best of several starts, for likelihoods that may have several maxima.

All starts are ranked by their value on some rows. The first, and those of the best that are far
from its maximum, are tried on a sample of the rows, where that takes little time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skmle._engine.data.sums import strata
from skmle._engine.evaluation import Array, Solution
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.feasible import inside_of, starts_inside, widened
from skmle._engine.prepare.perturbed import with_perturbed
from skmle._engine.prepare.robust import robust_predictors
from skmle._engine.prepare.starts import LeastSquares, starting_points
from skmle._engine.prepare.trials import best_trials
from skmle._engine.solvers.newton import newton
from skmle.families.base import Family
from skmle.families.ends import place

# Starts that are tried beside the first. Of 250 hard samples the two best by their value alone led
# to the best of all maxima found from some fifty starts.
_TRIED = 2
# Distance in standard errors at which a trial ends on all rows, and its most steps: one that needs
# more is on its way to where a scale vanishes. On a sample, a trial ends within the sample's error,
# about the root of the number of coefficients.
_ROUGH, _STEPS = 1e-2, 40
# Nats, in total, by which a maximum must be better than another one to count as another one.
_OTHER = 1e-2
# Nats a row by which the likelihood on a sample of 1024 rows may rank two maxima wrongly: three
# standard errors of a mean whose rows spread by one nat.
_UNSURE = 0.1
# Coefficients up to which starts are tried. With more, or with absolute penalties, a trial would
# take as long as a fit, and the solver itself goes on from the two best. Chosen, not measured.
_MOST_COEFFICIENTS = 200
# Change of a constant eta up to which a trial's end replaces its start. Farther out the likelihood
# is flat, and the maximum on all rows may be far from that on the sample. Chosen, not measured.
_NEAR = 4.0
# Distance of an eta from a special case, below which the law has become it if the information is
# singular there.
_AT_SPECIAL = 0.1
# Rows on which starts are ranked. Of so few rows the best starts are always tried; of more rows
# they are if they are farther than this from the end of each trial, as a root mean square change of
# eta in units of the spread of one row's likelihood. Starts that led to another maximum were 2 to 5
# such units away; on data with one maximum all were within 0.9.
_FEW, _APART = 256, 1.0
# Range of the change of the first eta, a logarithm, up to which a start that has its constants from
# a closed form leads to the end of the trial. Of 300 inverse Gaussian regressions, those that led
# to another maximum were at least 4.1 away, and 75 % of the others within 1.5.
_RANGE = 3.0


def starts_of(
    family: Family,
    sample: Objective,
    whole: Objective,
    first: LeastSquares | None,
    known: Sequence[tuple[float, ...]] | None,
) -> list[Array]:
    """Return one or several vectors of coefficients from which the best maximum is reached.

    Parameters
    ----------
    family : Family
    sample, whole : Objective
        On some of the rows, or on all, and on all.
    first : LeastSquares, optional
        Of the first term on the sample.
    known : sequence of tuple, optional
        The family's starts, if they were computed before.
    """
    if starts_inside(family):
        starts = inside_of(family, whole, sample, known)
    else:
        starts = starting_points(family, sample, first, known)
        if family.several_modes:
            starts = _several_starts(family, sample, whole, first, starts)
    return with_perturbed(family, whole, [widened(family, whole, start) for start in starts])


def _several_starts(
    family: Family,
    sample: Objective,
    whole: Objective,
    first: LeastSquares | None,
    starts: Sequence[Array],
) -> list[Array]:
    """Return the best starts of a law that may have several maxima.

    To those from least squares, or from constants, come others, from robust predictors or trials.
    """
    tried, range_apart = list(starts), 0.0
    if first is not None:
        for coef in robust_predictors(sample, first):
            tried += starting_points(family, sample, first.moved(sample, coef))
        if whole.penalties:
            tried += starting_points(family, sample, None)
    else:
        for trial in best_trials(family, sample):
            range_apart = _RANGE
            others = family.linked((np.zeros(()), *map(np.asarray, trial.others)))[1:]
            tried.append(trial._replace(others=tuple(map(float, others))).start(sample))
    if len(tried) == 1:
        return tried
    return best_starts(sample, tried, sampled=sample is not whole, range_apart=range_apart)


def is_better(family: Family, objective: Objective, one: Solution, other: Solution) -> bool:
    """Return whether a solution is to be preferred: the likelier, but one with a bound first.

    One that has not converged has no bound that is known. Where the law has become a special case
    at which the information is singular, as between the two signs of a skewness, a way may end that
    is no maximum; there the likelier counts alone.
    """
    bounded, other_bounded = (
        solution.converged and way_without_bound(family, objective, solution.coef) is None
        for solution in (one, other)
    )
    if any(at_special_case(family, objective, solution.coef) for solution in (one, other)):
        bounded = other_bounded
    if bounded != other_bounded:
        return bounded
    return one.evaluation.value < other.evaluation.value


def at_special_case(family: Family, objective: Objective, coef: Array) -> bool:
    """Return whether the law at `coef` is a special case whose information is singular."""
    if family.regular:
        return False
    eta = family.chart(tuple(objective.etas(coef)))
    singular = family.nonregular(eta)
    for law in family.special_cases:
        if law.parameter in singular:
            at = place(family, law.parameter)
            value = family.parameters[at].chart.forward(np.asarray(law.value, float))
            if np.all(np.abs(eta[at] - value) < _AT_SPECIAL):
                return True
    return False


def way_without_bound(family: Family, objective: Objective, coef: Array) -> tuple[str, str] | None:
    """Return the parameter on whose way on from `coef` the likelihood has no bound, and why."""
    eta = family.chart(tuple(objective.etas(coef)))
    return family.without_bound(objective.statistics, eta)


def best_starts(
    sample: Objective, starts: Sequence[Array], sampled: bool, range_apart: float = 0.0
) -> list[Array]:
    """Return the starts that lead to the best maxima on a sample of the rows.

    Parameters
    ----------
    sample : Objective
        On some of the rows, or on all.
    starts : sequence of ndarray of shape (d,)
        The first is always tried, and is the answer where no other leads to a better maximum.
    sampled : bool
        Whether the sample has fewer rows than the data. Then maxima that it can hardly tell apart
        are all kept.
    range_apart : float
        The range of the change of the first eta beyond which a start is tried, from the end of
        each trial on.
    """
    quiet = replace(sample, watch=None, alarm=None)
    first, *others = starts
    if quiet.lasso is not None or quiet.design.d > _MOST_COEFFICIENTS:
        return [first, *_ranked(quiet, others)[:1]]
    loose = float(np.sqrt(len(first)))
    tol = loose if sampled else _ROUGH
    at = quiet(first)
    # The fit mostly starts there, too.
    sample.remember(first, at)
    trials = [newton(quiet, first, tol=loose if quiet.n > _FEW else tol, max_iter=_STEPS, at=at)]
    others = [start for start in others if _apart(quiet, trials[0], start, range_apart)]
    if others and trials[0].distance > tol:
        trials = [newton(quiet, trials[0].coef, tol=tol, max_iter=_STEPS)]
    for start in _ranked(quiet, others):
        if len(trials) > _TRIED:
            break
        if all(_apart(quiet, trial, start, range_apart) for trial in trials[1:]):
            trials.append(newton(quiet, start, tol=tol, max_iter=_STEPS))
    return _kept(quiet, first, trials, sampled)


def _ranked(sample: Objective, starts: Sequence[Array]) -> list[Array]:
    """Return the starts whose value on a few rows is finite, the best one first."""
    if not starts:
        return []
    few = sample if sample.n <= _FEW else sample.take(strata(sample.n, _FEW))
    values = np.array([few(start, 0).value for start in starts])
    return [starts[k] for k in np.argsort(values, kind="stable") if np.isfinite(values[k])]


def _apart(sample: Objective, trial: Solution, start: Array, range_apart: float) -> bool:
    """Return whether a start is so far from the end of a trial that it may lead elsewhere."""
    hessian, change = trial.evaluation.hessian, start - trial.coef
    if range_apart > 0.0 and np.ptp(sample.direction(change)[0]) <= range_apart:
        return False
    if sample.n <= _FEW or hessian is None:
        return bool(change.any())
    return not float(change @ hessian @ change) <= _APART**2


def _kept(
    sample: Objective, first: Array, trials: Sequence[Solution], sampled: bool
) -> list[Array]:
    """Return where to start on all rows, after trials on a sample of them."""
    converged = [t for t in trials if t.converged and np.isfinite(t.evaluation.value)]
    if not converged:
        return [first]
    best = min(converged, key=lambda trial: _foreseen(sample, trial))
    least, own = _foreseen(sample, best), np.inf
    if trials[0].converged:
        own = _foreseen(sample, trials[0])
    nats = _OTHER / sample.size
    kept = []
    if own <= least + (_UNSURE if sampled else nats):
        # A fit of all rows shows its way from the start on.
        moved = sampled and _near(sample, trials[0].coef - first)
        kept.append(trials[0].coef if moved else first)
    if least + nats < own:
        kept.append(best.coef)
    return kept


def _foreseen(sample: Objective, trial: Solution) -> float:
    """Return the value that the quadratic model foresees at the maximum near the end of a trial."""
    return trial.evaluation.value - 0.5 * trial.distance**2 / sample.size


def _near(sample: Objective, change: Array) -> bool:
    """Return whether no constant parameter has moved far."""
    pairs = zip(sample.design.slices, sample.design.terms, strict=True)
    constants = [s.stop for s, t in pairs if t.columns is None and t.intercept]
    return bool(np.abs(change[constants]).max(initial=0.0) <= _NEAR)
