"""Fits of one model to many groups of rows, by Newton's method on all of them at once.

Kept are clear maxima alone: the distance is down to rounding, the Hessian well conditioned, every
standard error ordinary, and no limit law or second maximum near. Whoever fits such a group by
itself comes to the same maximum and to the same verdict. All other groups are left to `fit`, one by
one, so that each verdict is its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.padded import Padded, padded_groups
from skmle._engine.evaluation import Array
from skmle._engine.judge.interior import LARGEST_ERROR
from skmle._engine.judge.limits import TIE, UNTOLD
from skmle._engine.likelihood.coordinates import LOG_UNITS
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.many import ManyObjectives
from skmle._engine.likelihood.penalties import Ridge
from skmle._engine.prepare.groups import Groups, Scaled, columns_of, scaled, starts_of
from skmle._engine.prepare.perturbed import CLEAR, CONCAVE, may_have_several
from skmle._engine.problem import Coefs, Fit, Problem
from skmle._engine.solvers.many import newton_of_many
from skmle._engine.verdict import INTERIOR, Verdict
from skmle.families.base import Family

# Distance in standard errors at which a fit has arrived: its errors then have ten digits.
_ARRIVED = 1e-10
# Tolerances under which a fit by itself comes to within rounding of the maximum, too: its last step
# squares its distance.
_TOLERANCES = 1e-9, 1e-6
# Steps, at most. A fit that needs more is seldom a clear one. Chosen, not measured.
_STEPS = 40
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
# Rows times coefficients up to which a fit by itself has its covariance from the Hessian at the
# maximum, and rows up to which it tries limit laws (`skmle._engine.judge.verdict`).
_SHORT, _FEW = 5_000, 100
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


def fit_many(problem: Problem, codes: NDArray[np.intp], count: int) -> Many:
    """Return the fits of a problem's rows by group, as far as they are clear maxima.

    Parameters
    ----------
    problem : Problem
        Of all rows together, not condensed.
    codes : ndarray of int of shape (n,)
        The group of each row, from 0 on.
    count : int
        Number of groups; some may have no rows.
    """
    m = sum(term.length for term in problem.terms)
    result = Many.none(count, m)
    result.sizes[:] = np.bincount(codes, minlength=count)
    if not _covers(problem) or not m:
        return result
    with np.errstate(all="ignore"):  # What is not finite is not clear.
        for padded in padded_groups(codes, count, m + len(problem.observed.statistics) + 2):
            n = padded.rows.shape[1]
            if m + 1 < n and n * m <= _SHORT:
                groups = Groups.of(problem, padded)
                _enter(result, padded, _maxima(problem, problem.family, problem.terms, groups))
    return result


def _covers(problem: Problem) -> bool:
    """Return whether the groups of a problem may be fitted here."""
    family, observed = problem.family, problem.observed
    smooth = family.support.fixed and family.shortcuts.starts != "final" and not family.kinked
    plain = smooth and not (family.restricted or family.redundant or family.smoothings())
    numbers = all(s.ndim == 1 and len(s) == observed.n for s in observed.statistics)
    ridge = all(
        isinstance(p, Ridge) and np.ndim(p.strength) == 0 and not p.classes
        for p in problem.penalties
    )
    settings = (
        _TOLERANCES[0] <= problem.tol <= _TOLERANCES[1]
        and problem.max_iter >= _STEPS
        and not (problem.verbose or problem.needs_rows or problem.start)
    )
    linked = all(
        family.link(j) is param.chart or family.link(j) in CONCAVE
        for j, param in enumerate(family.parameters)
    )
    modelled = any(term.size for term in problem.terms)
    return (
        plain
        and numbers
        and family.observation.numeric
        and not observed.is_condensed
        and ridge
        and linked
        and problem.lasso == 0.0
        and settings
        and (problem.X is None or isinstance(problem.X, np.ndarray))
        and problem.terms[0].length > 0
        # Many starts have to be tried then, one group after the other.
        and not (family.several_modes and modelled)
    )


def _enter(result: Many, padded: Padded, found: Many) -> None:
    """Write what was found of some groups into the record of all."""
    for whole, part in zip(result[:-1], found[:-1], strict=True):
        whole[padded.groups] = part


def _maxima(problem: Problem, family: Family, terms: tuple[Term, ...], groups: Groups) -> Many:
    """Return the fits of a law to some groups, as far as they are clear maxima."""
    m = sum(term.length for term in terms)
    result = Many.none(groups.count, m)
    columns, shifts = columns_of(groups, terms)
    own = scaled(family, terms, groups, columns)
    starts = starts_of(family, terms, own)
    strength = 0.0
    for penalty in problem.penalties:
        assert isinstance(penalty, Ridge)
        strength += float(penalty.strength)
    objective = ManyObjectives(
        rows=family.rows,
        statistics=own.statistics,
        terms=terms,
        columns=columns,
        weight=groups.weight,
        offset=own.offset,
        ridge=_ridge(terms, own, strength) if strength > 0.0 else None,
    )
    size = np.maximum(groups.mass, groups.sizes)
    if not starts or not objective.takes_many(starts[0]):
        return result
    ends = [newton_of_many(objective, s, size, tol=_ARRIVED, max_iter=_STEPS) for s in starts]
    end = ends[0]
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
    clear &= _near(family, terms, own, end.coef)
    raw, jacobian = _raw(terms, own, shifts, end.coef)
    clear &= np.isfinite(raw).all(axis=1) & _near_limits(family, terms, raw, error)
    log_likelihood = -(end.value - objective.penalty(end.coef)) * groups.mass
    log_likelihood -= own.log_volume + groups.base(family)
    ridge = np.zeros(1) if objective.ridge is None else objective.ridge
    found = Many(
        clear=clear & np.isfinite(log_likelihood),
        coefs=raw,
        covariance=jacobian @ (inverse / groups.mass[:, None, None]) @ jacobian.transpose(0, 2, 1),
        log_likelihood=log_likelihood,
        mass=groups.mass,
        distance=end.distance,
        n_iter=end.n_iter,
        shrunk=(np.einsum("gii->gi", inverse) * ridge).sum(axis=1),
        sizes=groups.sizes,
    )
    return found._replace(clear=found.clear & _above_limits(problem, family, terms, groups, found))


def _ridge(terms: tuple[Term, ...], own: Scaled, strength: float) -> Array:
    """Return the strength of the ridge on each coefficient of the fit, (G, d)."""
    parts = []
    for j, term in enumerate(terms):
        unit = own.unit if own.moves and own.moves[j] == "location" else np.ones(len(own.unit))
        parts.append(np.repeat(strength * unit[:, None] ** 2, term.size, axis=1))
        parts.append(np.zeros((len(unit), int(term.intercept))))
    return np.concatenate(parts, axis=1)


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


def _near(family: Family, terms: tuple[Term, ...], own: Scaled, coef: Array) -> NDArray[np.bool_]:
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
    for name, term in zip(family.names, terms, strict=True):
        at += term.length
        if limited and term.size == 0 and term.intercept:
            near &= np.abs(raw[:, at - 1]) < _FAR
            if name in limited:
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


def _above_limits(
    problem: Problem,
    family: Family,
    terms: tuple[Term, ...],
    groups: Groups,
    found: Many,
) -> NDArray[np.bool_]:
    """Return which groups are likelier under a law than under its limit laws, beyond doubt.

    That is asked of few rows alone, as in a fit by itself.
    """
    above = np.ones(groups.count, bool)
    few = groups.sizes <= _FEW
    if not few.any():
        return above
    for limit in family.limits:
        if terms[family.names.index(limit.parameter)].columns is not None:
            continue
        statistics = limit.observe(groups.statistics)
        if statistics is None or not limit.family.parameters:  # equal rows are fitted one by one
            continue
        index = [family.names.index(name) for name in limit.family.names]
        rows = replace(groups, statistics=statistics)
        other = _maxima(problem, limit.family, tuple(terms[i] for i in index), rows)
        size = np.maximum(groups.mass, groups.sizes)
        # A penalty may weigh on the two differently: such groups are compared one by one.
        gain = (found.log_likelihood - other.log_likelihood) / groups.mass
        least = _LIKELIER * np.maximum(TIE, UNTOLD / size)
        likelier = other.clear & (gain > least) & (not problem.penalised)
        above &= likelier | ~few
    return above
