"""The clear maxima of many groups of rows, by Newton's method on all of them at once.

Kept are clear maxima alone: the distance is down to rounding, the Hessian well conditioned, every
standard error ordinary, and no limit law or second maximum near. Whoever fits such a group by
itself comes to the same maximum and to the same verdict.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.judge.interior import LARGEST_ERROR
from skmle._engine.judge.limits import TIE, UNTOLD
from skmle._engine.likelihood.coordinates import LOG_UNITS
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.many import ManyObjectives
from skmle._engine.prepare.groups import Groups, Scaled, columns_of, scaled, starts_of
from skmle._engine.prepare.perturbed import CLEAR, may_have_several
from skmle._engine.problem import Coefs, Fit, Problem
from skmle._engine.solvers.many import Ends, newton_of_many
from skmle._engine.verdict import INTERIOR, Verdict
from skmle.families.base import Family
from skmle.families.ends import place, places

# Distance in standard errors at which a fit has arrived, as in `skmle._engine.judge.interior`: the
# errors, whose relative change is some times the distance, then have ten digits.
_ARRIVED = 1e-11
# Steps, at most. A fit that needs more is seldom a clear one. Chosen, not measured.
STEPS = 40
# Least squared pivot of the Hessian on a unit diagonal. A fit by itself looks closer at columns
# below 1e-7, and rounding takes an eps over the pivot of a result.
_PIVOT = 1e-5
# Share of the standard error from which a fit by itself counts as vague, and absolute eta of a
# constant parameter up to which no limit law is near: a fit by itself asks from 15 on, and for a
# vanished scale from -9. Margins, chosen and not measured.
_VAGUE, _FAR, _NARROW = 0.1, 14.0, -8.0
# Standard error of a parameter with a limit law from which a fit by itself may come to its maximum
# slowly, and then stops within its tolerance: Student's log df with an error of 1.8 was off by 4e-8
# of it.
_LOOSE = 1.0
# Rows up to which a fit by itself tries limit laws (`skmle._engine.judge.verdict`).
_FEW = 100
# Nats by which a maximum inside must be likelier than its limit law, as a multiple of what a fit by
# itself asks for; and largest distance between the ends of several starts that are one maximum, in
# standard errors. Margins, chosen and not measured.
_LIKELIER, _SAME = 10.0, 1e-6


class Many(NamedTuple):
    """Fits of many groups. What is not `clear` is to be fitted by itself."""

    clear: NDArray[np.bool_]
    """(G,)."""
    coefs: Array
    """(G, m): raw coefficients, term by term, slopes then intercept."""
    covariance: Array
    """(G, m, m)."""
    log_likelihood: Array
    mass: Array
    distance: Array
    n_iter: NDArray[np.intp]
    shrunk: Array
    """By how many a ridge lowers each effective number of parameters."""
    sizes: NDArray[np.intp]
    """Rows of each group."""

    @classmethod
    def none(cls, count: int, m: int) -> Many:
        """Return the record of fits of which none is clear."""
        zeros, whole = np.zeros(count), np.zeros(count, np.intp)
        return cls(
            np.zeros(count, bool),
            np.zeros((count, m)),
            np.zeros((count, m, m)),
            zeros.copy(),
            zeros.copy(),
            zeros.copy(),
            whole.copy(),
            zeros.copy(),
            whole.copy(),
        )

    def enter(self, groups: NDArray[np.intp], found: Many) -> None:
        """Write what was found of some groups into this record of all."""
        for whole, part in zip(self[:-1], found[:-1], strict=True):
            whole[groups] = part

    def fit(self, problem: Problem, group: int) -> Fit:
        """Return the fit of one group that is clear."""
        coefs: list[tuple[Array, float]] = []
        at = 0
        for term in problem.terms:
            slopes = self.coefs[group, at : at + term.size]
            at += term.length
            coefs.append((slopes.copy(), float(self.coefs[group, at - 1]) * term.intercept))
        wanted = bool(problem.covariance)
        raw: Coefs = tuple(coefs)
        return Fit(
            family=problem.family,
            coefs=raw,
            covariance=self.covariance[group].copy() if wanted else None,
            log_likelihood=float(self.log_likelihood[group]),
            mass=float(self.mass[group]),
            verdict=Verdict(INTERIOR),
            n_iter=int(self.n_iter[group]),
            distance=float(self.distance[group]),
            n_parameters=self.coefs.shape[1],
            shrunk=float(self.shrunk[group]),
        )


def maxima_of(problem: Problem, groups: Groups, start: Coefs | None = None) -> Many:
    """Return the fits of a problem's law to some groups, as far as they are clear maxima.

    `start` are raw coefficients, from which alone all of them are searched.
    """
    return _maxima(problem, problem.family, problem.terms, groups, start)


class _Search(NamedTuple):
    """What a search for the maxima of one law in many groups starts from."""

    family: Family
    terms: tuple[Term, ...]
    groups: Groups
    own: Scaled
    shifts: tuple[Array | None, ...]
    objective: ManyObjectives
    robust: bool
    """Whether covariances are to be sandwiches."""

    @property
    def size(self) -> Array:
        """The total weight of each group, or its number of rows if that is larger."""
        return np.maximum(self.groups.mass, self.groups.sizes)


def _maxima(
    problem: Problem,
    family: Family,
    terms: tuple[Term, ...],
    groups: Groups,
    start: Coefs | None = None,
) -> Many:
    """Return the fits of a law to some groups, as far as they are clear maxima."""
    m = sum(term.length for term in terms)
    none = Many.none(groups.count, m)
    if not m:  # a limit law of which all parameters are held
        return none
    # Rows that all groups share are measured, and their columns centred, alike in all of them.
    rows = groups.unweighted() if groups.shared else groups
    columns, shifts = columns_of(rows, terms)
    own = scaled(family, terms, rows, columns)
    if start is None:
        starts = starts_of(family, terms, own)
    else:
        starts = [_in_units(terms, own, shifts, start)]
    if not starts:
        return none
    objective = ManyObjectives(
        rows=family.rows,
        statistics=own.statistics,
        terms=terms,
        columns=columns,
        weight=rows.weight,
        offset=own.offset,
        ridge=_ridge(problem, terms, own),
    )
    if not objective.takes_many(starts[0]):
        objective = objective.in_one_table()
    if groups.shared:
        # The maximum under equal weights is near those under others.
        (end,) = _ends(objective, starts[:1], rows.mass)
        starts = [np.repeat(end.coef, groups.count, axis=0)]
        objective = objective.weighted(groups.weight)
    search = _Search(family, terms, groups, own, shifts, objective, problem.robust)
    found = _judged(search, _ends(objective, starts, search.size))
    return found._replace(clear=found.clear & _above_limits(problem, search, found))


def _judged(search: _Search, ends: list[Ends]) -> Many:
    """Return the ends of a search as fits, with which of them are clear maxima."""
    family, terms, groups, own, shifts, objective, _ = search
    m, size, end = objective.d, search.size, ends[0]
    clear = (end.distance <= _ARRIVED) & (end.pivot > _PIVOT) & ~groups.equal & own.usable
    # As in a fit by itself: on fewer rows, other starts may lead to a better maximum.
    clear &= groups.sizes > (CLEAR * m if may_have_several(family, terms) else m + 1)
    inverse = np.full_like(end.hessian, np.nan)
    inverse[clear] = _inverse(end.hessian[clear])
    variance = np.einsum("gii->gi", inverse) / size[:, None]
    error = np.sqrt(variance)
    clear &= (error * _reach(objective, groups) <= _VAGUE * LARGEST_ERROR).all(axis=1)
    for other in ends[1:]:
        clear &= (np.abs(other.coef - end.coef) <= _SAME * error).all(axis=1)
    clear &= _near(terms, own, end.coef)
    raw, jacobian = _raw(terms, own, shifts, end.coef)
    clear &= np.isfinite(raw).all(axis=1) & _near_limits(family, terms, raw, error)
    log_likelihood = -(end.value - objective.penalty(end.coef)) * groups.mass
    log_likelihood -= groups.base(family)
    if own.moves:
        log_likelihood -= np.log(own.unit) * groups.total(groups.ask(family.densities))
    ridge = np.zeros((1, m, m)) if objective.ridge is None else objective.ridge
    spread = inverse / groups.mass[:, None, None]
    if search.robust and groups.factors is not None:
        meat = objective.outer_by_law(end.coef, groups.squares, groups.factors)
        spread = spread @ meat @ spread
    elif search.robust:
        spread = spread @ objective.outer(end.coef, groups.squares) @ spread
    return Many(
        clear=clear & np.isfinite(log_likelihood),
        coefs=raw,
        covariance=jacobian @ spread @ jacobian.transpose(0, 2, 1),
        log_likelihood=log_likelihood,
        mass=groups.mass,
        distance=end.distance,
        n_iter=end.n_iter,
        shrunk=(inverse * ridge).sum(axis=(1, 2)),
        sizes=groups.sizes,
    )


def _ends(objective: ManyObjectives, starts: list[Array], size: Array) -> list[Ends]:
    """Return where Newton's method leads from each of some starts of all problems."""
    return [newton_of_many(objective, s, size, tol=_ARRIVED, max_iter=STEPS) for s in starts]


def _ridge(problem: Problem, terms: tuple[Term, ...], own: Scaled) -> Array | None:
    """Return the Hessian of the ridges in the coefficients of the fit, (G or 1, d, d)."""
    ends = np.cumsum([term.length for term in terms])
    pairs = list(zip(terms, ends, strict=True))
    index = np.concatenate([np.arange(term.size) + end - term.length for term, end in pairs])
    if not problem.penalties or not len(index):
        return None
    index = index.astype(np.intp)
    stated = Evaluation(0.0, None, np.zeros((len(index), len(index))))
    for penalty in problem.penalties:
        penalty.add(stated, np.zeros(len(index)))
    assert stated.hessian is not None
    located = [bool(own.moves) and own.moves[j] == "location" for j in range(len(terms))]
    units = np.where(np.repeat(located, [term.size for term in terms]), own.unit[:, None], 1.0)
    result = np.zeros((len(units), int(ends[-1]), int(ends[-1])))
    result[:, index[:, None], index] = stated.hessian * units[:, :, None] * units[:, None]
    return result


def _inverse(hessian: Array) -> Array:
    """Return the inverses of definite matrices, computed on a unit diagonal."""
    root = np.sqrt(np.einsum("gii->gi", hessian))
    units = root[:, :, None] * root[:, None]
    result: Array = np.linalg.inv(hessian / units) / units
    return result


def _reach(objective: ManyObjectives, groups: Groups) -> Array:
    """Return a bound on the columns of each coefficient, (G, d); 1 for constants."""
    reach = np.ones((groups.count, objective.d))
    for span, columns in zip(objective.spans, objective.columns, strict=True):
        if columns is not None:
            spread = np.sqrt(np.einsum("gin,gin->gi", columns, columns))
            reach[:, span] = np.maximum(spread, 1e-300)
    for span, term in zip(objective.spans, objective.terms, strict=True):
        if term.intercept:
            reach[:, span.stop - 1] = 1.0
    return reach


def _near(terms: tuple[Term, ...], own: Scaled, coef: Array) -> NDArray[np.bool_]:
    """Return which groups have scales that are not next to nothing beside the spread of y."""
    near, at = np.ones(len(coef), bool), 0
    for j, term in enumerate(terms):
        at += term.length
        if own.moves and own.moves[j] in ("scale", "rate"):
            sign = LOG_UNITS[own.moves[j]]
            lowest = sign * coef[:, at - 1]
            near &= lowest > _NARROW
    return near


def _near_limits(
    family: Family, terms: tuple[Term, ...], raw: Array, error: Array
) -> NDArray[np.bool_]:
    """Return which groups have no constant so far out, or so vague, that a limit law is near."""
    near, at = np.ones(len(raw), bool), 0
    limited = {limit.parameter for limit in family.limits}
    for param, term in zip(family.parameters, terms, strict=True):
        at += term.length
        if limited and term.size == 0 and term.intercept:
            near &= np.abs(raw[:, at - 1]) < _FAR
            if param.name in limited:
                near &= error[:, at - 1] < _LOOSE
    return near


def _raw(
    terms: tuple[Term, ...], own: Scaled, shifts: tuple[Array | None, ...], coef: Array
) -> tuple[Array, Array]:
    """Return the user's coefficients, (G, m), and their derivatives in those of the fit."""
    count, d = coef.shape
    jacobian, constant = np.zeros((count, d, d)), np.zeros((count, d))
    at = 0
    for j, (term, shift) in enumerate(zip(terms, shifts, strict=True)):
        unit, added = np.ones(count), np.zeros(count)
        if own.moves and own.moves[j] == "location":
            unit, added = own.unit, own.origin
        elif own.moves:
            added = LOG_UNITS[own.moves[j]] * np.log(own.unit)
        places = range(at, at + term.length)
        jacobian[:, places, places] = unit[:, None]
        at += term.length
        if term.intercept:
            constant[:, at - 1] = added
            if shift is not None:
                jacobian[:, at - 1, at - term.length : at - 1] = -shift * unit[:, None]
    return (jacobian @ coef[..., None])[..., 0] + constant, jacobian


def _in_units(
    terms: tuple[Term, ...], own: Scaled, shifts: tuple[Array | None, ...], coefs: Coefs
) -> Array:
    """Return raw coefficients, one set for all groups, as the fit of each has them, (G, d)."""
    pairs = zip(coefs, terms, strict=True)
    raw = np.concatenate([np.append(slopes, [c] * term.intercept) for (slopes, c), term in pairs])
    constant, jacobian = _raw(terms, own, shifts, np.zeros((len(own.unit), len(raw))))
    return np.asarray(np.linalg.solve(jacobian, (raw - constant)[..., None])[..., 0], float)


def _above_limits(problem: Problem, search: _Search, found: Many) -> NDArray[np.bool_]:
    """Return which groups are likelier under a law than under its limit laws, beyond doubt.

    That is asked of few rows alone, as in a fit by itself.
    """
    family, terms, groups = search.family, search.terms, search.groups
    above = np.ones(groups.count, bool)
    few = groups.sizes <= _FEW
    if not few.any():
        return above
    for limit in family.limits:
        if terms[place(family, limit.parameter)].columns is not None:
            continue
        index = places(family, limit)
        observed = limit.observe(groups.rows)
        if observed is None or not limit.family.parameters:  # equal rows are fitted one by one
            continue
        rows = groups.replaced(observed)
        other = _maxima(problem, limit.family, tuple(terms[i] for i in index), rows)
        # A penalty may weigh on the two differently: such groups are compared one by one.
        gain = (found.log_likelihood - other.log_likelihood) / groups.mass
        least = _LIKELIER * np.maximum(TIE, UNTOLD / search.size)
        likelier = other.clear & (gain > least) & (not problem.penalised)
        above &= likelier | ~few
    return above
