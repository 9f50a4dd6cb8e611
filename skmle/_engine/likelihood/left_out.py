"""What leaving out one row does to the law of that row: one step of Newton's from the fit.

At the maximum of all rows, with the total Hessian A, leaving out a row of gradient g and curvature
C in its eta takes its part from the gradient and from the Hessian. The step of the others,
(A - J'CJ)^-1 J'g, moves the row's own eta by V (I - C V)^-1 g, where V = J A^-1 J' is known from
one pass over the rows. Under a penalty per row, one row less is one penalty less: its gradient is
added to that of the row, its Hessian taken from A.

References
----------
Pregibon (1981), Logistic regression diagnostics, Annals of Statistics 9 (the step).
Rad & Maleki (2020), A scalable estimate of the out-of-sample prediction error via approximate
leave-one-out cross-validation, J. R. Stat. Soc. B 82 (how near it is).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skmle._engine.data.sums import cuts
from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood.jeffreys import Jeffreys
from skmle._engine.likelihood.leverage import columns_of, curvature_of, reach_of
from skmle._engine.likelihood.objective import Objective

# What is left of a prediction by the other rows, below which they leave nothing: as in `leverage`.
_NOTHING = 1e-10


class LeftOut(NamedTuple):
    """What leaving out each row does, (n,) each; not finite where no step leads to it."""

    loss: Array
    """By how much the row's -log q rises, in nats."""
    leverage: Array
    """The trace of C V: the share of the row's own curvature that is the row's."""
    distance: Array
    """How far the coefficients move, in standard errors of the other rows."""


def left_out(
    objective: Objective, coef: Array, hessian: Array, each_its_own: bool = True
) -> LeftOut:
    """Return what leaving out each row does.

    Of a row whose weight repeats it, one of the repeats is left out; where weights are factors, the
    row with its factor.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
        At its minimum.
    hessian : ndarray of shape (d, d)
        Of the mean, there.
    each_its_own : bool
        Whether the law takes another eta for each row; one that does not is asked row by row.

    Raises
    ------
    LinAlgError
        If the Hessian has no inverse.
    """
    design, removed = objective.design, _removed(objective)
    pull, held = _penalty_per_row(objective, coef)
    # One penalty less, as often as a row is on average: rows differ by 1/n of what it does.
    total = objective.mass * hessian - np.mean(removed) * held
    inverse = Evaluation(0.0, None, total).inverse
    pulled = inverse @ pull
    own = float(pull @ pulled)
    result = LeftOut(*(np.empty(design.n) for _ in LeftOut._fields))
    for low, high in cuts(design.n, design.width + len(design.terms) ** 2):
        block = design.block(low, high)
        columns = columns_of(design, block, high - low)
        reach, taken = reach_of(columns, inverse), removed[low:high]
        eta = design.eta(block, low, high, coef)
        rows = objective.rows_of_etas(low, high, eta, 2)
        assert rows.gradient is not None
        curvature = curvature_of(rows, *reach.shape[:2])
        g = np.stack([np.broadcast_to(e, high - low) for e in rows.gradient], axis=1)
        along = _etas_along(columns, pulled)
        share = np.einsum("iab,ibc->iac", reach, curvature) * taken[:, None, None]
        move = _solved(share, taken[:, None] * (np.einsum("iab,ib->ia", reach, g) + along))
        force = taken[:, None] * (g + np.einsum("iab,ib->ia", curvature, move))
        squared = np.einsum("ia,iab,ib->i", force, reach, force)
        squared += 2.0 * taken * (force * along).sum(axis=1) + taken**2 * own
        moved = np.stack([e + m for e, m in zip(eta, move.T, strict=True)])
        after = _values(objective, low, high, moved, each_its_own)
        result.loss[low:high] = after - rows.value
        result.leverage[low:high] = np.trace(share, axis1=1, axis2=2)
        result.distance[low:high] = np.sqrt(np.maximum(squared, 0.0))
    return result


def score_trace(objective: Objective, coef: Array, inverse: Array, outer: Array) -> float:
    """Return the trace of A^-1 K, K the sum of the products of the rows' centred gradients.

    It is the number of parameters that Takeuchi's criterion counts: what leaving out each row costs
    in all, to first order. Under a penalty the gradients have its share, which centres them.

    Parameters
    ----------
    objective : Objective
    coef : ndarray of shape (d,)
        At its minimum.
    inverse : ndarray of shape (d, d)
        Inverse Hessian of the mean.
    outer : ndarray of shape (d, d)
        The sum of the products of the rows' gradients, without the penalty.
    """
    pull, _ = _penalty_per_row(objective, coef)
    return float(np.sum(inverse * outer)) / objective.mass - float(pull @ inverse @ pull)


def _values(objective: Objective, low: int, high: int, eta: Array, each_its_own: bool) -> Array:
    """Return -log q of some rows at eta of shape (k, rows)."""
    with np.errstate(all="ignore"):  # of steps that leave the domain of a link
        if each_its_own:
            return np.asarray(objective.rows_of_etas(low, high, tuple(eta), 0).value)
        one_by_one = (
            objective.rows_of_etas(i, i + 1, tuple(e), 0).value for i, e in enumerate(eta.T, low)
        )
        return np.array([float(np.sum(value)) for value in one_by_one])


def _removed(objective: Objective) -> Array:
    """Return what leaving out each row takes from its weight, (n,)."""
    weight, squares = objective.weight, objective.squares
    if weight is None:
        return np.ones(objective.n)
    unit = np.ones(objective.n) if squares is None else squares / weight
    return np.minimum(unit, weight)


def _penalty_per_row(objective: Objective, coef: Array) -> tuple[Array, Array]:
    """Return gradient and Hessian of the penalties that grow with the rows: all but Jeffreys'."""
    d = len(coef)
    at = Evaluation(0.0, np.zeros(d), np.zeros((d, d)))
    for penalty in objective.penalties:
        if not isinstance(penalty, Jeffreys):
            penalty.add(at, coef)
    assert at.gradient is not None and at.hessian is not None
    return at.gradient, at.hessian


def _etas_along(columns: list[Array], step: Array) -> Array:
    """Return the change of each row's eta along a step, (rows, k)."""
    ends = np.cumsum([part.shape[1] for part in columns])[:-1]
    parts = zip(columns, np.split(step, ends), strict=True)
    return np.stack([part @ own for part, own in parts], axis=1)


def _solved(share: Array, right: Array) -> Array:
    """Return (I - share)^-1 right of each row; nan where a row leaves nothing to the others."""
    system = np.eye(share.shape[1]) - share
    ok = np.asarray(np.isfinite(system).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    ok[ok] = np.abs(np.linalg.det(system[ok])) > _NOTHING
    result = np.full_like(right, np.nan)
    result[ok] = np.linalg.solve(system[ok], right[ok][:, :, None])[:, :, 0]
    return result
