"""A start from the best of many quick fits, for likelihoods that may have several maxima.

Each quick fit begins where a fit of the rows under random weights has come to: other weights move
the lesser maxima or have none of them. All are fitted at once, on some of the rows.

References
----------
Elidan, Ninio, Friedman & Schuurmans (2002), Data perturbation for escaping local maxima in
learning, Proceedings of the 18th National Conference on Artificial Intelligence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from skmle._engine.data.sums import strata
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.many import ManyObjectives
from skmle._engine.likelihood.objective import Objective
from skmle._engine.likelihood.penalties import total_curvature
from skmle._engine.solvers.many import Ends, newton_of_many
from skmle.families.base import Family
from skmle.families.links import CLOGLOG, LOGLOG, PROBIT

# Rows on which the quick fits are compared, and coefficients up to which there are any. They serve
# as starts. Chosen, not measured.
_ROWS, _MOST_COEFFICIENTS = 256, 40
# Quick fits, at least and at most, and rows times fits: on few rows, many take hardly longer than
# one.
_FEWEST, _MOST, _ENTRIES = 16, 48, 4096
# Weights are this power of exponential variables. With the third power a few rows count most; of
# 33 regressions of 8 to 80 rows whose first start leads to a lesser maximum, 48 fits found the best
# of all, 24 fits of 25.
_POWER = 3
# Which of the smooth laws that approach one with cusps stands for it: the last before its vertices
# are looked for.
_SMOOTH = 3
# Steps under random weights, and from there on: with 30, 4 of these 33 missed the best maximum.
_PERTURBED_STEPS, _STEPS = 8, 60
# Distance in standard errors at which a quick fit has arrived, and the least squared pivot of a
# Hessian there that tells a maximum from a way to infinity. Chosen, not measured.
_ARRIVED, _PIVOT = 1e-2, 1e-7
# Nats, in total, by which a maximum must be better than another one to count as another one.
_OTHER = 1e-2
# Rows for each coefficient from which a likelihood counts as having one maximum. Of 570 regressions
# of 100 rows or more, under all laws and links, one missed the best: it had 10. Those of laws known
# to have several maxima missed it with 50.
CLEAR = 15
# Rows a coefficient below which no maximum is looked for: then y is mostly reproduced. With two,
# two of these 33 missed the best.
_THIN = 1
# Points at which curvatures are looked at; their reach, in logarithms of the way to an end of the
# domain, or in eta; and the share of a squared slope that is rounding. Chosen, not measured.
_POINTS, _REACH, _ROUNDING = 17, 8.0, 1e-8
# Links beside the charts under which likelihoods have one maximum, as densities of these shapes are
# log-concave. Under others, as the cauchit, a fit may end at another maximum than from other
# starts: of 150 groups of 4 to 60 rows, 4 did.
CONCAVE = (PROBIT, CLOGLOG, LOGLOG)


def may_have_several(family: Family, terms: Sequence[Term]) -> bool:
    """Return whether a likelihood may have several maxima, whatever its law.

    It may where a parameter beside the first one has slopes, or where the first one has them under
    a link that is not the law's own; not if the law is known to be concave.
    """
    if family.concave and not family.relinked:
        return False
    first, *others = terms
    if any(term.size for term in others):
        return True
    return bool(first.size) and family.link(0) not in (family.parameters[0].chart, *CONCAVE)


def with_perturbed(family: Family, objective: Objective, starts: list[Array]) -> list[Array]:
    """Return the starts, or in their place the best end of quick fits where that is better.

    Parameters
    ----------
    family : Family
    objective : Objective
        On all rows.
    starts : list of ndarray of shape (d,)
    """
    terms, n, d = objective.design.terms, objective.n, objective.design.d
    if not may_have_several(family, terms) or d > _MOST_COEFFICIENTS:
        return starts
    if n < _THIN * d or (n > CLEAR * d and not family.several_modes):
        return starts
    few = objective if n <= _ROWS else objective.take(strata(n, _ROWS))
    laws = family.smoothings()
    # A scale with slopes may vanish at some rows, where densities have no bound.
    bounded = family.support.discrete or not any(term.size for term in terms[1:])
    many = _many(laws[_SMOOTH] if laws else family, few)
    if many is None or few.lasso is not None or not many.takes_many(np.array([starts[0]] * 2)):
        return starts
    if _is_convex(family, few, starts[0]):
        return starts
    drawn = _weights(few)
    begun = np.repeat(starts[:1], len(drawn), axis=0)
    perturbed = _climb(many, begun, few.size, _PERTURBED_STEPS, drawn)
    ends = _climb(many, np.concatenate([starts, perturbed.coef]), few.size, _STEPS)
    arrived = (ends.distance <= _ARRIVED) & (ends.pivot > _PIVOT)
    value = many.values(ends.coef)
    value = np.where((arrived | bounded) & ~np.isnan(value), value, np.inf)
    best = int(np.argmin(value))
    better = value[best] + _OTHER / few.size < value[0]
    if not np.isfinite(value[best]) or not (better or len(starts) > 1):
        return starts
    # On all rows, a start that has arrived needs no further fit beside a best end that has, too.
    done = arrived & (arrived[best] and few is objective and not laws)
    return [*(start for start, d in zip(starts, done, strict=False) if not d), ends.coef[best]]


def _is_convex(family: Family, objective: Objective, start: Array) -> bool:
    """Return whether -log q of each row is seen to be convex in the only eta that has slopes.

    Then there is one maximum beside each value of the constants.
    """
    first, *others = objective.etas(start)
    if any(term.size for term in objective.design.terms[1:]):
        return False
    domain = family.domains[0] if family.domains else family.link(0).domain
    grid = _grid(domain, float(np.mean(first)))
    rows = family.rows(tuple(s[:, None] for s in objective.statistics), (grid, *others), 2)
    assert rows.gradient is not None
    curvature, slope = rows.packed[0], rows.gradient[0]
    return curvature is not None and bool((curvature >= -_ROUNDING * slope * slope).all())


def _grid(domain: tuple[float, float], middle: float) -> Array:
    """Return values of eta over the whole of a link's domain."""
    steps = np.linspace(-_REACH, _REACH, _POINTS)
    low, high = domain
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * expit(steps)
    if np.isfinite(low):
        return low + (middle - low) * np.exp(steps)
    if np.isfinite(high):
        return high - (high - middle) * np.exp(-steps)
    return middle + steps


def _many(law: Family, objective: Objective) -> ManyObjectives | None:
    """Return an objective as one of many on the same rows; None if it has another form."""
    design = objective.design
    if law.redundant or any(s.ndim != 1 for s in objective.statistics):
        return None
    block = design.block(0, design.n)
    columns: list[Array | None] = []
    for term in design.terms:
        if term.columns is None:
            columns.append(None)
            continue
        x = np.asarray(block.array(term.columns), float)
        if term.intercept:
            x = np.column_stack([x, np.ones(design.n)])
        columns.append(x.T[None])
    curvature = total_curvature(objective.penalties, np.zeros(design.d))
    return ManyObjectives(
        rows=law.rows,
        statistics=tuple(s[None] for s in objective.statistics),
        terms=design.terms,
        columns=tuple(columns),
        weight=None if objective.weight is None else objective.weight[None],
        offset=None if design.offset is None else design.offset[None],
        ridge=np.diag(curvature)[None] if objective.penalties else None,
        domains=law.domains,
    )


def _weights(objective: Objective) -> Array:
    """Return random weights of the rows, one line a fit; rows with like y have like weights.

    Rows in another order have the same weights where `merge_rows` has put them in its own.
    """
    n = objective.n
    order = np.argsort(objective.statistics[0], kind="stable")
    fits = min(max(_ENTRIES // n, _FEWEST), _MOST)
    result = np.empty((fits, n))
    result[:, order] = np.random.default_rng(0).exponential(size=(fits, n)) ** _POWER
    return result if objective.weight is None else result * objective.weight


def _climb(
    many: ManyObjectives, starts: Array, size: float, steps: int, weight: Array | None = None
) -> Ends:
    """Return where quick fits from these starts have come to."""
    if weight is not None:
        many = many.weighted(weight)
    sizes = np.full(len(starts), size)
    return newton_of_many(many, starts, sizes, tol=_ARRIVED, max_iter=steps, stop_slow=False)
