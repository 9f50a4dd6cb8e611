"""Linear predictors that outlying rows move less than they move least squares.

Least squares follows outlying rows, and from there a robust law may come to a lesser maximum. So a
fit of such a law also starts from the median fit and from the tightest half of the rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skmle._engine.data.sums import strata
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.starts import LeastSquares
from skmle.families.tools.quantiles import weighted_quantile

# Rows on which they are found, at most, and at least for each coefficient. They serve as starts,
# and 256 rows were enough for all of 250 hard samples.
_ROWS, _ROWS_PER_COEFFICIENT = 256, 8
# Columns up to which they are looked for at all, and up to which the rows are halved at the median
# of each column. Chosen, not measured: with more columns, they take as long as a fit.
_MOST_COLUMNS, _MOST_HALVED = 100, 8
# Steps of reweighting towards the median fit, and of concentration on a tightest half: both change
# little after these. Seen on samples with 15 to 45 % outliers.
_REWEIGHTED, _CONCENTRATED = 6, 6
# Sets of as many rows as coefficients. With 20 % outliers and 10 coefficients, one of 40 is free of
# them with a probability of 0.99.
_ELEMENTAL = 40
# Share of the median absolute residual below which a residual counts as this share: it bounds the
# weights. Chosen, not measured.
_LEAST_RESIDUAL = 1e-2
_RIDGE = 1e-10  # of the mean diagonal of X'X, so that dependent columns do no harm


class _Sample(NamedTuple):
    """Some rows: their columns, the residuals of least squares, and weights."""

    x: Array
    z: Array
    weight: Array | None

    def fit(self, factor: Array) -> Array:
        """Return weighted least squares of z, the weights times a factor."""
        weight = factor if self.weight is None else factor * self.weight
        weighted = self.x.T * weight
        gram = weighted @ self.x
        ridge = _RIDGE * gram.trace() / len(gram)
        gram[np.diag_indices(len(gram))] += ridge if ridge > 0.0 else 1.0
        return np.asarray(np.linalg.solve(gram, weighted @ self.z), float)

    def size(self, coef: Array) -> Array:
        """Return the absolute residuals."""
        return np.abs(self.z - self.x @ coef)

    def tightness(self, coef: Array) -> float:
        """Return the absolute residual that half of the weight does not exceed."""
        return weighted_quantile(self.size(coef), self.weight, 0.5)


def robust_predictors(objective: Objective, first: LeastSquares) -> list[Array]:
    """Return coefficients of the first term: the median fit, and tightest halves of the rows.

    There are none for very many columns.
    """
    design = objective.design
    if design.terms[0].length > _MOST_COLUMNS:
        return []
    sample = _sample(objective, first.residual)
    median = _reweighted(sample)
    halves = [np.zeros_like(median), median]
    if others := [*_elemental(sample), *_halved(sample)]:
        halves.append(min(others, key=sample.tightness))
    tight = [_concentrated(sample, coef) for coef in halves]
    tight.sort(key=sample.tightness)
    return [first.coef + coef for coef in (median, *tight[:2])]


def elemental_predictors(objective: Objective, first: LeastSquares) -> list[Array]:
    """Return coefficients of the first term that fit some rows: a few each, or one half.

    There are none for very many columns.
    """
    if objective.design.terms[0].length > _MOST_COLUMNS:
        return []
    sample = _sample(objective, first.residual)
    return [first.coef + coef for coef in (*_elemental(sample), *_halved(sample))]


def _sample(objective: Objective, residual: Array) -> _Sample:
    """Return some rows in the order of their residuals, so that no other order matters."""
    n, term = objective.n, objective.design.terms[0]
    m = max(_ROWS, _ROWS_PER_COEFFICIENT * term.length)
    rows = np.arange(n) if n <= m else strata(n, m)
    part = objective if n <= m else objective.take(rows)
    x = part.design.block(0, len(rows)).array(term.columns)
    if term.intercept:
        x = np.column_stack([x, np.ones(len(rows))])
    order = np.argsort(residual[rows], kind="stable")
    weight = None if part.weight is None else part.weight[order]
    return _Sample(np.asarray(x, float)[order], residual[rows][order], weight)


def _reweighted(sample: _Sample) -> Array:
    """Return nearly the median fit, by least squares with weights 1/|residual|.

    References
    ----------
    Schlossmacher (1973), An iterative technique for absolute deviations curve fitting, JASA 68.
    """
    coef = np.zeros(sample.x.shape[1])
    for _ in range(_REWEIGHTED):
        least = _LEAST_RESIDUAL * sample.tightness(coef)
        if not least > 0.0:
            break
        coef = sample.fit(1.0 / np.maximum(sample.size(coef), least))
    return coef


def _concentrated(sample: _Sample, coef: Array) -> Array:
    """Return least squares on the rows that it fits best, half of the weight.

    References
    ----------
    Rousseeuw & Van Driessen (2006), Computing LTS regression for large data sets.
    """
    # Somewhat more than half: as many rows as there are coefficients fit themselves.
    share = min(1.0, 0.5 * (1.0 + len(coef) / len(sample.z)))
    before = None
    for _ in range(_CONCENTRATED):
        size = sample.size(coef)
        half = size <= weighted_quantile(size, sample.weight, share)
        if before is not None and np.array_equal(half, before):
            break
        coef, before = sample.fit(half.astype(float)), half
    return coef


def _elemental(sample: _Sample) -> list[Array]:
    """Return the coefficients that interpolate some sets of rows, drawn in a fixed way."""
    n, p = sample.x.shape
    if p < 2 or n < 2 * p:
        return []
    drawn = np.random.default_rng(0).random((_ELEMENTAL, n)).argpartition(p, axis=1)[:, :p]
    x = sample.x[drawn]
    turned = x.transpose(0, 2, 1)
    gram = turned @ x
    ridge = _RIDGE * np.trace(gram, axis1=1, axis2=2) / p
    gram += np.where(ridge > 0.0, ridge, 1.0)[:, None, None] * np.eye(p)
    right = turned @ sample.z[drawn][..., None]
    return list(np.linalg.solve(gram, right)[..., 0])


def _halved(sample: _Sample) -> list[Array]:
    """Return least squares on the rows on either side of each column's median.

    A shift of the level at some time, for instance, leaves one side alone.
    """
    n, p = sample.x.shape
    if p > _MOST_HALVED or n < 4 * p:
        return []
    result = []
    for column in sample.x.T:
        low = column <= np.median(column)
        if not low.all():
            result += [sample.fit(low.astype(float)), sample.fit((~low).astype(float))]
    return result
