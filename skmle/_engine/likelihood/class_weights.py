"""What the law expects of the products of gradients where classes have weights.

The law q of a fit under class weights w is that of classes of which each occurs w times as often as
it does. The rows themselves have p(k) = q(k)/w_k over the sum of these. Under p, weighted gradients
w_k g_k have the mean zero, as that of g_k under q, and the covariance sum p(k) w_k^2 g_k g_k': of
two classes it is w_0 w_1 times the information of q.

The products of the gradients of the rows as they are, as in HC0, have the same expectation. But
where a class is rare nearly all of their sum is that of its few rows, of which each weighs much.
With 8 ones in 300 rows, 95 % intervals by HC0 hold 85 % of slopes, and those by the law 96 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skmle._engine.data.observed import Factors
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.objective import Objective
from skmle.families.base import Arrays, Rows, triangle

Formula = Callable[[Arrays, Arrays, int], Rows]
"""(statistics, eta, order) -> Rows."""


def expected_products(rows: Formula, factors: Factors) -> Formula:
    """Return rows whose curvature is the covariance of their weighted gradients, by the law."""

    def expected(statistics: Arrays, eta: Arrays, order: int) -> Rows:
        shape, pairs = statistics[0].shape, triangle(len(eta))
        total, mass = [np.zeros(())] * len(pairs), np.zeros(())
        for label, factor in zip(zip(*factors.labels, strict=True), factors.weights, strict=True):
            of_class = rows(tuple(np.broadcast_to(s, shape) for s in label), eta, 1)
            g, chance = of_class.gradient, np.exp(-of_class.value)
            assert g is not None
            mass = mass + chance / factor
            total = [
                entry + chance * factor * g[a] * g[b]
                for entry, (a, b) in zip(total, pairs, strict=True)
            ]
        return Rows(np.zeros(()), g, tuple(entry / mass for entry in total))

    return expected


def outer_by_law(objective: Objective, coef: Array, factors: Factors) -> Array:
    """Return the covariance of the summed weighted gradients of all rows, by the law, (d, d)."""
    repeats = factors.repeats(objective.statistics, objective.weight, objective.squares)
    rows = expected_products(objective.rows, factors)
    sums = replace(objective, rows=rows, weight=repeats, squares=None, penalties=(), lasso=None)
    with np.errstate(all="ignore"):
        hessian = sums(coef, 2).hessian
    assert hessian is not None
    return hessian * sums.mass
