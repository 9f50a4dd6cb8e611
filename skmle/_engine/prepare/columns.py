"""X in the form in which a fit uses it: surveyed, in blocks, without dependent columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.basis import Basis, can_combine, combine, find_basis, is_steep
from skmle._engine.data.blocks import Blocks, blocks_of
from skmle._engine.data.survey import (
    Survey,
    in_units,
    largest,
    out_of_range,
    surely_independent,
    survey,
    units,
)
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Problem


class Dependent(Exception):
    """Raised inside a fit whose columns turn out to depend on each other.

    Parameters
    ----------
    columns : Columns
        These columns.
    """

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self.columns = columns


class Columns(NamedTuple):
    """What was found out about X, and the terms that are fitted."""

    terms: tuple[Term, ...]
    """The terms of the fit, without dependent columns."""
    bases: tuple[Basis | None, ...]
    """How each term's slopes follow from those fitted; None: they are the same."""
    survey: Survey | None = None
    shift: Array | None = None
    """What is subtracted from columns that lie far from zero."""
    blocks: Blocks | None = None
    fitted: Survey | None = None
    """What is known of the columns that are fitted, if these are not those of X."""
    before: Columns | None = None
    """The columns themselves, where combinations of them are fitted in their place."""
    unit: Array | None = None
    """What the columns of X were multiplied with."""
    X: Any = None
    """X in these units."""

    @property
    def open(self) -> bool:
        """Whether it was left open that the columns are independent, as they are taken to be."""
        return self.survey is not None and self.survey.open

    @property
    def given(self) -> Columns:
        """The columns of X, before any were combined."""
        return self if self.before is None else self.before

    @property
    def condition(self) -> float:
        """The condition of columns that are nearly dependent; 1 if none are."""
        return max((basis.condition for basis in self.bases if basis is not None), default=1.0)

    def dependent(self) -> tuple[NDArray[np.bool_], ...]:
        """Return for each term which columns are nearly combinations of others."""
        result = []
        for term, basis in zip(self.terms, self.bases, strict=True):
            none = np.zeros(term.size if basis is None else len(basis.estimable), bool)
            result.append(none if basis is None or basis.dependent is None else basis.dependent)
        return tuple(result)

    def of_terms(self, index: list[int]) -> Columns:
        """Return the same for some of the terms."""
        return self._replace(
            terms=tuple(self.terms[j] for j in index), bases=tuple(self.bases[j] for j in index)
        )

    def reach(self, n: int) -> Array | None:
        """Return a bound on the absolute values of each column of n rows, less its shift.

        It is None if a column was constant in the surveyed sample, or X was not surveyed.
        """
        seen = self.fitted or self.survey
        if seen is None or not np.all(seen.scale > 0.0):
            return None
        # No value of a column is further from its mean than sqrt(n) standard deviations.
        spread = seen.scale * np.sqrt(n)
        return spread if self.shift is not None else spread + np.abs(seen.centre)


def look_at(problem: Problem, extreme: bool = False, later: bool = False) -> Columns:
    """Return the columns of a problem's X.

    Parameters
    ----------
    problem : Problem
    extreme : bool
        Whether squares of a column are known to over- or underflow.
    later : bool
        Whether it may be left to `proven` to show that many columns are independent.
    """
    X, terms = problem.X, problem.terms
    if X is None or not X.shape[1]:
        blocks = None if X is None else blocks_of(X, None, problem.threads)
        return Columns(terms, (None,) * len(terms), blocks=blocks)
    later = later and all(problem.centred)
    seen = survey(X, problem.observed.weight, rank=not problem.all_held, later=later)
    if not extreme and not seen.extreme:
        return _looked_at(problem, seen)
    # The slope of a column of small numbers is large, and a penalty on it, in small units, may be
    # beyond all numbers. As it is, the column has no weight beside the penalty, which is right.
    unit = units(X, small=not problem.penalised)
    scaled = replace(problem, X=in_units(X, unit))
    seen = survey(scaled.X, problem.observed.weight, rank=not problem.all_held, later=later)
    user = seen._replace(centre=seen.centre / unit, scale=seen.scale / unit)
    found = _looked_at(scaled, seen)
    return found._replace(survey=user, fitted=found.fitted or seen, unit=unit)


def _looked_at(problem: Problem, seen: Survey) -> Columns:
    """Return the columns of a problem's X, of which squares are in range."""
    X, terms, all_held = problem.X, problem.terms, problem.all_held
    shift = None
    pairs = list(zip(terms, problem.centred, strict=True))
    if seen.far and all(centred for term, centred in pairs if term.columns is not None):
        shift = seen.centre
    blocks = blocks_of(X, shift, problem.threads)
    if all_held or (seen.full_rank and all(problem.centred)):
        return Columns(terms, (None,) * len(terms), seen, shift, blocks, X=X)
    known: dict[bytes, Basis | None] = {}
    bases = []
    for (term, centred), held in zip(pairs, problem.held, strict=True):
        key = _key(term, centred, held.astype(float))
        if key not in known:
            known[key] = _basis(problem, term, centred, held, seen, shift, blocks)
        bases.append(known[key])
    found = Columns(tuple(map(_reduced, terms, bases)), tuple(bases), seen, shift, blocks, X=X)
    if any(basis is not None and basis.steep for basis in bases):
        return combined(problem, found) or found
    return found


def _basis(
    problem: Problem,
    term: Term,
    centred: bool,
    held: NDArray[np.bool_],
    seen: Survey,
    shift: Array | None,
    blocks: Blocks,
) -> Basis | None:
    """Return how a term's slopes follow from those of independent columns.

    It is None if all columns are independent.
    """
    if term.columns is None or held.all() or (seen.full_rank and centred):
        return None
    # Of a constant column the shift leaves rounding, which looks like a column of its own.
    constant = bool(((seen.scale == 0.0) & (seen.centre != 0.0))[term.columns].any())
    if not constant and surely_independent(blocks, term.columns, centred, problem.threads):
        return None
    weight = problem.observed.weight
    if not held.any():
        return find_basis(problem.X, term.columns, weight, centred, shift)
    # A combination of slopes that a penalty holds is determined by the penalty. So only the columns
    # of the other slopes can be one too many.
    free, numbers = np.flatnonzero(~held), _numbers(term)
    basis = find_basis(problem.X, numbers[free], weight, centred, shift)
    shifts = np.zeros(term.size) if shift is None else shift[numbers]
    return None if basis is None else basis.among(free, shifts)


def proven(problem: Problem, found: Columns) -> Columns:
    """Return columns that are known to be independent, where that was left open before.

    Raises
    ------
    Dependent
        If they are not.
    """
    if not found.open:
        return found
    closer = look_at(problem)
    if any(basis is not None for basis in closer.bases):
        raise Dependent(closer)
    return found._replace(survey=closer.survey)


def look_for_extremes(problem: Problem, found: Columns) -> Columns | None:
    """Return columns in other units, if the survey has missed values that need them; else None."""
    if problem.X is None or found.unit is not None or not out_of_range(largest(problem.X)).any():
        return None
    return look_at(problem, extreme=True)


def look_closer(
    problem: Problem, found: Columns, curvature: Sequence[Array | None]
) -> Columns | None:
    """Return columns that do not nearly depend on each other, after a fit whose Hessian says so.

    It is None if they do not, or cannot be replaced.

    Parameters
    ----------
    problem : Problem
    found : Columns
        What was found out before the fit.
    curvature : sequence of (ndarray or None)
        For each term, the curvature of the penalties in its slopes, if there is any.
    """
    X, weight = found.X, problem.observed.weight
    if X is None or found.before is not None:
        return None
    seen: dict[bytes, tuple[Basis | None, bool]] = {}
    bases, steep = [], False
    for term, centred, basis, prior in zip(
        problem.terms, problem.centred, found.bases, curvature, strict=True
    ):
        key = _key(term, centred, prior)
        if key not in seen:
            if term.columns is None or basis is not None:
                seen[key] = basis, basis is not None and basis.steep
            elif prior is None:
                new = find_basis(X, term.columns, weight, centred, found.shift)
                seen[key] = new, new is not None
            else:
                seen[key] = None, is_steep(X, term.columns, weight, centred, prior)
        bases.append(seen[key][0])
        steep |= seen[key][1]
    closer = found._replace(terms=tuple(map(_reduced, problem.terms, bases)), bases=tuple(bases))
    return combined(problem, closer, curvature) if steep else None


def combined(
    problem: Problem, found: Columns, curvature: Sequence[Array | None] | None = None
) -> Columns | None:
    """Return columns in whose place orthonormal combinations of them are fitted.

    It is None where they cannot be combined. The parameters are those of `look_closer`.
    """
    X, weight = found.X, problem.observed.weight
    sizes = [term.size for term in found.terms if term.columns is not None]
    if not can_combine(X, max(sizes)):
        return None
    known: dict[bytes, tuple[NDArray[np.intp], Basis]] = {}
    parts: list[Array] = []
    terms: list[Term] = []
    bases: list[Basis | None] = []
    priors = [None] * len(problem.terms) if curvature is None else curvature
    for term, centred, basis, prior in zip(
        problem.terms, problem.centred, found.bases, priors, strict=True
    ):
        if term.columns is None:
            terms.append(term)
            bases.append(None)
            continue
        key = _key(term, centred, prior)
        if key not in known:
            made, part = combine(X, term.columns, weight, centred, basis, prior)
            place = sum(other.shape[1] for other in parts) + np.arange(part.shape[1])
            parts.append(part)
            known[key] = place, made
        place, made = known[key]
        terms.append(Term(place, len(place), term.intercept))
        bases.append(made)
    if len(parts) == 1:  # terms on all columns share their products
        terms = [t if t.columns is None else t._replace(columns=slice(None)) for t in terms]
    blocks = blocks_of(np.hstack(parts), None, problem.threads)
    # Combinations have mean zero, or at least no large one, and a standard deviation of at most 1.
    new = Survey(np.zeros(blocks.p), np.ones(blocks.p), True)
    return found._replace(
        terms=tuple(terms),
        bases=tuple(bases),
        shift=None,
        blocks=blocks,
        fitted=new,
        before=found,
    )


def _key(term: Term, centred: bool, prior: Array | None) -> bytes:
    """Return what tells apart terms whose columns are to be combined one by one."""
    if term.columns is None:
        return b""
    own = np.r_[_numbers(term), centred].astype(float)
    return own.tobytes() + (b"" if prior is None else prior.tobytes())


def _reduced(term: Term, basis: Basis | None) -> Term:
    """Return a term on the columns that are fitted."""
    if basis is None:
        return term
    return Term(_numbers(term)[basis.kept], len(basis.kept), term.intercept)


def _numbers(term: Term) -> NDArray[np.intp]:
    """Return the columns of X on which a term depends, one by one."""
    assert term.columns is not None
    return np.arange(term.size) if isinstance(term.columns, slice) else term.columns
