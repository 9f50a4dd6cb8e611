"""X in the form in which a fit uses it: surveyed, in blocks, without dependent columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle._engine.data.blocks import Blocks, blocks_of
from skmle._engine.data.survey import Basis, Survey, find_basis, surely_independent, survey
from skmle._engine.evaluation import Array
from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Problem


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

    def of_terms(self, index: list[int]) -> Columns:
        """Return the same for some of the terms."""
        return self._replace(
            terms=tuple(self.terms[j] for j in index), bases=tuple(self.bases[j] for j in index)
        )

    def reach(self, n: int) -> Array | None:
        """Return a bound on the absolute values of each column of n rows, less its shift.

        It is None if a column was constant in the surveyed sample, or X was not surveyed.
        """
        seen = self.survey
        if seen is None or not np.all(seen.scale > 0.0):
            return None
        # No value of a column is further from its mean than sqrt(n) standard deviations.
        spread = seen.scale * np.sqrt(n)
        return spread if self.shift is not None else spread + np.abs(seen.centre)


def look_at(problem: Problem) -> Columns:
    """Return the columns of a problem's X."""
    X, terms = problem.X, problem.terms
    if X is None or not X.shape[1]:
        blocks = None if X is None else blocks_of(X, None, problem.threads)
        return Columns(terms, (None,) * len(terms), blocks=blocks)
    all_held = problem.all_held
    seen = survey(X, problem.observed.weight, rank=not all_held)
    shift = None
    if seen.far and all(t.intercept for t in terms if t.columns is not None):
        shift = seen.centre
    blocks = blocks_of(X, shift, problem.threads)
    if all_held or (seen.full_rank and all(t.intercept for t in terms)):
        return Columns(terms, (None,) * len(terms), seen, shift, blocks)
    pairs = zip(terms, problem.held, strict=True)
    bases = tuple(_basis(problem, term, held, seen, blocks) for term, held in pairs)
    return Columns(tuple(map(_reduced, terms, bases)), bases, seen, shift, blocks)


def _basis(
    problem: Problem, term: Term, held: NDArray[np.bool_], seen: Survey, blocks: Blocks
) -> Basis | None:
    """Return how a term's slopes follow from those of independent columns.

    It is None if all columns are independent.
    """
    if term.columns is None or held.all() or (seen.full_rank and term.intercept):
        return None
    if surely_independent(blocks, term.columns, term.intercept, problem.threads):
        return None
    weight = problem.observed.weight
    if not held.any():
        return find_basis(problem.X, term.columns, weight, term.intercept)
    # A combination of slopes that a penalty holds is determined by the penalty. So only the columns
    # of the other slopes can be one too many.
    free = np.flatnonzero(~held)
    basis = find_basis(problem.X, _numbers(term)[free], weight, term.intercept)
    return None if basis is None else basis.among(free, term.size)


def _reduced(term: Term, basis: Basis | None) -> Term:
    """Return a term on the columns that are fitted."""
    if basis is None:
        return term
    return Term(_numbers(term)[basis.kept], len(basis.kept), term.intercept)


def _numbers(term: Term) -> NDArray[np.intp]:
    """Return the columns of X on which a term depends, one by one."""
    assert term.columns is not None
    return np.arange(term.size) if isinstance(term.columns, slice) else term.columns
