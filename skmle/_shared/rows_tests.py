"""Tests of a fit that need its rows: of further columns, and of the information equality."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.equality import information_gaps
from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Coefs, Problem
from skmle._engine.resampled import Refits, refit_observed
from skmle._engine.verdict import BOUNDARY, INTERIOR
from skmle._shared.drawing import Asked, drawable, drawn, lines_at_once, with_copies
from skmle._shared.functions import by_term
from skmle.inference.robust import Choice, errors_of
from skmle.inference.rows_known import Further, ScoreStep

Array = NDArray[np.float64]

# Singular values, relative to the largest, of gradients and gaps that follow from others.
_RANK = 1e-8
_DRAWN = Asked("information_matrix_test", "replications=0, whose p is rough")


@dataclass(frozen=True)
class KnownRows:
    """The rows of a fit, with the covariance that was asked for.

    Parameters
    ----------
    evidences : sequence of Evidence
        Of each fit.
    choice : Choice
        Which covariance is wanted.
    mask : ndarray of bool of shape (n,), optional
        Which of the user's rows count.
    """

    evidences: Sequence[Evidence]
    choice: Choice
    mask: NDArray[np.bool_] | None

    # ---------------------------------------------------------------- further columns

    def score_step(self, further: Further) -> ScoreStep:
        """Return Newton's step to further columns from the fit without them.

        The other coefficients are at their maximum. So the step of the new ones is
        V^-1 U, with U their gradient and V its variance beside the others; and the Wald statistic
        of the step is that of U. Under a sandwich it is the generalised score test (Boos, 1992, On
        generalized score tests, The American Statistician 46).
        """
        what = "score_test"
        self._check(what)
        if len(self.evidences) > 1 or self.evidences[0].likelihood.family.kinked:
            raise ValueError(
                f"{what}: the fit is of several samples, or of a law with cusps. Allowed: "
                "regressions and classifiers of smooth laws. Use Wald's test in a larger fit."
            )
        evidence, columns = self.evidences[0], self._rows_of(further)
        problem = evidence.likelihood.problem
        names = [param.name for param in problem.family.parameters]
        of_labels = not problem.family.observation.numeric
        if further.parameter is not None and (of_labels or further.parameter not in names):
            allowed = "none, as all classes have the columns" if of_labels else ", ".join(names)
            raise ValueError(
                f"{what}: the law has no parameter {further.parameter!r} for columns. Allowed: "
                f"{allowed}. Leave parameter out, or name one of them."
            )
        first = names[:1] if further.parameter is None else [further.parameter]
        chosen = names if of_labels and problem.family.observation.columns == 1 else first
        width, q = 0 if problem.X is None else problem.X.shape[1], columns.shape[1]
        terms, coefs, places, low = [], [], [], 0
        raw = evidence.likelihood.raw(evidence.coef)
        for name, term, (slopes, intercept) in zip(names, problem.terms, raw, strict=True):
            own = np.zeros(0, np.intp) if term.columns is None else np.arange(width)[term.columns]
            if name in chosen:
                places.append(low + len(own) + np.arange(q))
                own = np.append(own, width + np.arange(q))
                slopes = np.append(slopes, np.zeros(q))
            terms.append(Term(own if len(own) else None, len(own), term.intercept))
            coefs.append((slopes, intercept))
            low += terms[-1].length
        X = _beside(problem.X, columns)
        likelihood = Likelihood(replace(problem, X=X, terms=tuple(terms), start=None))
        larger = Evidence.at(likelihood, tuple(coefs))
        index = np.concatenate(places)
        errors = errors_of([larger], self.choice)
        shown, whole = errors.covariances[0], errors.wholes[0]
        assert shown is not None and whole is not None
        if np.isnan(shown[index, index]).any():
            raise ValueError(
                f"{what}: a further column is a combination of the others and those of the fit. "
                "Allowed: columns that say something new. Leave it out."
            )
        moves = likelihood.coordinates.moved(self._step(larger))
        return ScoreStep(moves[index], np.asarray(whole[np.ix_(index, index)], float), errors.dof)

    def _step(self, larger: Evidence) -> Array:
        """Return Newton's step of the solver's coefficients, by the information that is wanted."""
        gradient = larger.scores().sum(axis=0) / larger.mass
        if self.choice.kind == "expected":
            return -larger.expected_inverse @ gradient
        if self.choice.kind == "outer":
            return -np.linalg.solve(larger.outer() / larger.mass, gradient)
        return -larger.inverse @ gradient

    def _rows_of(self, further: Further) -> Array:
        """Return the further columns of the rows that count."""
        n = self.evidences[0].n
        given = n if self.mask is None else len(self.mask)
        if len(further.columns) != given:
            raise ValueError(
                f"score_test: {len(further.columns)} rows of further columns, but the fit has "
                f"{given}. Allowed: one row for each of X. Give as many."
            )
        columns = further.columns if self.mask is None else further.columns[self.mask]
        if len(columns) != n:
            raise ValueError(
                "score_test: the fit has several rows for one of X, as soft labels have. Allowed: "
                "one observation a row. Use Wald's test in a larger fit."
            )
        return columns

    def _check(self, what: str) -> None:
        if any(e.likelihood.problem.penalised for e in self.evidences):
            raise ValueError(
                f"{what}: the fit has a penalty, so that its gradients are not zero. Allowed: fits "
                "without. Set alpha=0 and penalty=None."
            )

    # ---------------------------------------------------------------- the information equality

    def information_gap(self) -> tuple[float, int]:
        """Return the statistic of the information equality, and its degrees of freedom."""
        what = "information_matrix_test"
        self._check(what)
        parts = [evidence.likelihood for evidence in self.evidences]
        if any(part.problem.robust or part.family.kinked for part in parts):
            raise ValueError(
                f"{what}: the fit has class weights, soft labels or cusps, under which the "
                "equality does not hold, whatever the law. Allowed: fits whose law is trusted. Fit "
                "without."
            )
        return _gap(self.evidences)

    def redrawn_gaps(self, count: int, rng: np.random.Generator) -> list[tuple[float, int]]:
        """Return the same of samples from the fitted law, those that have a regular maximum."""
        coefs = [evidence.likelihood.raw(evidence.coef) for evidence in self.evidences]
        problems = drawable([e.likelihood.problem for e in self.evidences], _DRAWN)
        size, found = lines_at_once(problems[0]), []
        with np.errstate(all="ignore"):
            for low in range(0, count, size):
                lines = min(size, count - low)
                pairs = zip(problems, coefs, strict=True)
                samples = [_Sample.of(one, coef, lines, rng) for one, coef in pairs]
                for line in range(lines):
                    every = [sample.evidence(line) for sample in samples]
                    known = [evidence for evidence in every if evidence is not None]
                    if len(known) < len(every):
                        continue
                    with suppress(np.linalg.LinAlgError):
                        found.append(_gap(known))
        return found


class _Sample(NamedTuple):
    """Samples from the law of a fit, with the fits to them."""

    problem: Problem
    coefs: Coefs
    """Those of the law."""
    y: Array
    """Observations, (count, n, ...)."""
    refits: Refits

    @classmethod
    def of(cls, problem: Problem, coefs: Coefs, count: int, rng: np.random.Generator) -> _Sample:
        """Return samples from the law with some coefficients."""
        y = drawn(problem, coefs, count, rng)
        return cls(problem, coefs, y, refit_observed(problem, y, coefs))

    def evidence(self, line: int) -> Evidence | None:
        """Return the likelihood of a sample at its maximum; None if it has no regular one."""
        posed = with_copies(self.problem, self.y[line : line + 1])
        fit = self.refits.apart.get(line)
        if fit is not None:
            return Evidence.of(posed, fit) if fit.verdict.status in (INTERIOR, BOUNDARY) else None
        coefs = by_term(self.refits.coefs[line], posed.terms, self.coefs)
        return Evidence.at(Likelihood(posed), coefs)


def _gap(evidences: Sequence[Evidence]) -> tuple[float, int]:
    """Return n R^2 of ones on gradients and gaps, and by how many these add to the rank.

    Chesher (1983), The information matrix test: simplified calculation via a score test
    interpretation, Economics Letters 13; Lancaster (1984), The covariance matrix of the information
    matrix test, Econometrica 52.
    """
    first = evidences[0]
    weight = first.objective.weight
    root = np.ones(first.n) if weight is None else np.sqrt(weight)
    sizes = [len(e.coef) * (len(e.coef) + 3) // 2 for e in evidences]
    if sum(sizes) >= first.n:
        raise ValueError(
            f"information_matrix_test: {sum(sizes)} gradients and products of gradients in "
            f"{first.n} rows. Allowed: fewer than rows. Give more rows, or fewer columns."
        )
    gradients = np.hstack([e.scores() / root[:, None] for e in evidences])
    gaps = [information_gaps(e.objective, e.coef) * root[:, None] for e in evidences]
    basis = _span(gradients)
    rest = np.hstack(gaps)
    lengths = np.linalg.norm(rest, axis=0)
    rest = rest - basis @ (basis.T @ rest)
    # What is left of a gap that is a combination of gradients is rounding.
    more = _span(rest, lengths)
    along = np.concatenate([basis.T @ root, more.T @ root])
    return float(along @ along), more.shape[1]


def _span(columns: Array, lengths: Array | None = None) -> Array:
    """Return an orthonormal basis of what columns of these lengths, or their own, span."""
    lengths = np.linalg.norm(columns, axis=0) if lengths is None else lengths
    scaled = columns[:, lengths > 0.0] / lengths[lengths > 0.0]
    axes, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    rank = int((sizes > _RANK * max(float(sizes.max(initial=0.0)), 1.0)).sum())
    return np.asarray(axes[:, :rank], np.float64)


def _beside(X: Any, columns: Array) -> Any:
    """Return X with further columns on its right."""
    if X is None:
        return columns
    if sp.issparse(X):
        return sp.hstack([X, sp.csr_array(columns)], format="csr")
    return np.hstack([X, columns])
