"""A likelihood at its maximum, with the sums over its rows of which covariances are made.

A covariance is bread, or bread @ meat @ bread. The bread is the inverse Hessian: what the estimates
make of the gradients of the rows. The meat is the covariance of the sum of these gradients: by the
law that is fitted it is the Hessian, and the sandwich is the bread; by the rows themselves it holds
whatever their law is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmle._engine.evaluation import Array, Evaluation
from skmle._engine.likelihood import left_out, leverage, scores
from skmle._engine.likelihood.class_weights import outer_by_law
from skmle._engine.likelihood.cusped import (
    gradients_beside_cusps,
    inverse_across_cusps,
    sandwich_across_cusps,
)
from skmle._engine.likelihood.jeffreys import Jeffreys
from skmle._engine.likelihood.objective import Objective
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Coefs, Fit, Problem
from skmle.families.tools.cached import cached_property
from skmle.families.tools.expected import expected_rows, knows_curvature

# Relative difference of coefficients that are the same but for rounding. Chosen, not measured.
_SAME = 1e-9


@dataclass
class Evidence:
    """A likelihood at the solver's coefficients `coef`, (d,), at its maximum."""

    likelihood: Likelihood
    coef: Array
    inside: Likelihood | None = None
    """That of the family that was asked for, where the likelihood is that of a limit law."""
    known_inverse: Array | None = None
    """The inverse Hessian of the mean, if the fit has kept it."""

    @classmethod
    def at(cls, likelihood: Likelihood, coefs: Coefs) -> Evidence:
        """Return the likelihood at the user's coefficients."""
        return cls(likelihood, likelihood.fitted(coefs))

    @classmethod
    def of(cls, problem: Problem, fit: Fit, factors: bool = False) -> Evidence | None:
        """Return the likelihood of a problem's rows at its fit, under the limit law if it has one.

        None is returned if that law forbids some of these rows. `factors` says that weights are
        those of the likelihoods of rows, not repeats.
        """
        limit, posed = fit.limit, problem
        while limit is not None:
            at_limit = posed.at(limit)
            if at_limit is None:
                return None
            posed, limit = at_limit, limit.then
        if factors:
            posed = posed.with_factors()
        inside = None if fit.limit is None else Likelihood(problem)
        likelihood = Likelihood(posed)
        coef, known = likelihood.fitted(fit.coefs), None
        if fit.bread is not None and not likelihood.family.kinked:
            before, inverse = fit.bread
            # Rows in another order may have other coordinates.
            near = _SAME * np.abs(coef).max(initial=0.0)
            if before.shape == coef.shape and (np.abs(before - coef) <= near).all():
                known = inverse
        return cls(likelihood, coef, inside, known)

    @property
    def objective(self) -> Objective:
        """The objective in the solver's coefficients."""
        return self.likelihood.objective

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.likelihood.design.n

    @property
    def mass(self) -> float:
        """Total weight."""
        return self.objective.mass

    @property
    def observations(self) -> float:
        """Number of independent rows: weights that repeat rows count, factors do not."""
        weight, squares = self.objective.weight, self.objective.squares
        return (
            self.mass if weight is None or squares is None else float((weight**2 / squares).sum())
        )

    @property
    def n_modelled(self) -> int:
        """Number of coefficients of the parameters that depend on features, and of the first.

        Collinear columns count once.
        """
        terms = self.likelihood.design.terms
        return sum(t.length for j, t in enumerate(terms) if j == 0 or t.columns is not None)

    @cached_property
    def log_likelihood(self) -> float:
        """Total, in nats, constants included, without the penalty."""
        at = self._at if self.known_inverse is None else self.objective(self.coef, 0)
        return self.likelihood.total(self.objective.unpenalised(at.value, self.coef))

    @cached_property
    def _at(self) -> Evaluation:
        """The objective at the coefficients, with its Hessian."""
        return self.objective(self.coef)

    # ---------------------------------------------------------------- bread

    @cached_property
    def inverse(self) -> Array:
        """The inverse Hessian of the mean; across cusps, of its expectation.

        LinAlgError is raised if there is none.
        """
        if self._kinked:
            return inverse_across_cusps(self.objective, self.coef, self.outer())
        return self._at.inverse if self.known_inverse is None else self.known_inverse

    @cached_property
    def expected_inverse(self) -> Array:
        """The inverse of the expected Hessian of the mean, under the law that is fitted."""
        expected = self._expected
        same_rows = knows_curvature(self.likelihood.family)
        if same_rows and len(expected.penalties) == len(self.objective.penalties):
            return self.inverse
        return expected(self.coef).inverse

    @cached_property
    def augmented_inverse(self) -> Array:
        """The same of the rows to which Jeffreys' penalty adds: each as often as 1 + its leverage.

        R's logistf has its standard errors from there.
        """
        grown = 1.0 + self.leverages()
        weight = self.objective.weight
        weight = grown if weight is None else weight * grown
        # The mean is over the rows as they were.
        augmented = replace(self._expected, weight=weight, squares=None)
        return augmented(self.coef).inverse * (self.mass / augmented.mass)

    @cached_property
    def _expected(self) -> Objective:
        """The objective with the expected curvature of the rows.

        It has the penalties but for that of Jeffreys: that removes bias and adds no information, so
        that Firth's errors are those of the likelihood.
        """
        penalties = tuple(p for p in self.objective.penalties if not isinstance(p, Jeffreys))
        rows = expected_rows(self.likelihood.family)
        return replace(self.objective, rows=rows, penalties=penalties)

    # ---------------------------------------------------------------- meat

    @property
    def _kinked(self) -> bool:
        return self.likelihood.family.kinked

    @cached_property
    def _beside_cusps(self) -> scores.Gradients | None:
        """The gradients of the rows in eta of a law with cusps; None of all others."""
        return gradients_beside_cusps(self.objective, self.coef) if self._kinked else None

    @property
    def _entries(self) -> scores.Entries:
        """What finds the gradients of rows in eta."""
        beside = self._beside_cusps
        return scores.at(self.objective, self.coef) if beside is None else scores.given(beside)

    def adjusted(self, power: float, reproduced: float | None = None) -> scores.Entries:
        """Return what finds the gradients of rows in eta, freed from what the rows pull the fit.

        The power is 1/2 for gradients of the right variance under the law that is fitted, 1 for
        those as if each row had been left out. `reproduced` is as in `leverage.adjusted`.
        """
        inverse = self.expected_inverse / self.mass
        beside = self._beside_cusps
        return leverage.adjusted(self._expected, self.coef, inverse, power, beside, reproduced)

    def outer(self, entries: scores.Entries | None = None) -> Array:
        """Return the sum over the rows of the products of their gradients, (d, d)."""
        return scores.outer(self.objective, entries or self._entries)

    def outer_by_group(self, groups: NDArray[np.intp]) -> Array:
        """Return the sum over groups of the products of their summed gradients, (d, d)."""
        return scores.outer_by_group(self.objective, self.coef, groups, self._beside_cusps)

    def outer_by_law(self) -> Array:
        """Return what the law expects of this sum, (d, d): of rows whose classes have weights."""
        factors = self.likelihood.problem.observed.factors
        assert factors is not None
        return outer_by_law(self.objective, self.coef, factors)

    def scores(self, groups: NDArray[np.intp] | None = None) -> Array:
        """Return the rows' weighted gradients of -log q, (n, d), or their sums by group, (G, d)."""
        return scores.scores(self.objective, self._entries, groups)

    def influences(self, groups: NDArray[np.intp] | None = None) -> Array:
        """Return what each row, or group of rows, adds to the user's coefficients, (n, k).

        It is the first step of the fit by that row: to first order, what its weight is worth. The
        rows together add nothing but what a penalty takes away.
        """
        moves = -(self.scores(groups) @ self.inverse) / self.mass
        return self.likelihood.coordinates.moved(moves)

    def lagged(self, lags: int) -> Array:
        """Return the sum of the products of gradients up to some lags apart, (d, d)."""
        return scores.lagged(self.scores(), lags)

    @property
    def _modelled(self) -> list[int]:
        """The parameters that depend on features, and the first; all, of a density."""
        terms = self.likelihood.design.terms
        if not self.likelihood.problem.features:
            return [*range(len(terms))]
        return [j for j, term in enumerate(terms) if j == 0 or term.columns is not None]

    @property
    def n_influenced(self) -> int:
        """Number of coefficients of these parameters."""
        terms = self.likelihood.design.terms
        return sum(terms[j].length for j in self._modelled)

    def leverages(self) -> Array:
        """Return the leverage of each row, (n,), which add up to `n_influenced`."""
        if self.n_influenced == 0:
            return np.zeros(self.n)
        inverse = self.expected_inverse / self.mass
        return leverage.leverages(self._expected, self.coef, inverse, self._modelled)

    def cooks_distances(self) -> Array:
        """Return Cook's distance of each row, (n,).

        It is the squared length, in standard errors, of what leaving the row out does to the k
        coefficients that `leverages` speaks of, over k: one step of the fit without it.
        """
        if self.n_influenced == 0:
            return np.zeros(self.n)
        inverse = self.expected_inverse / self.mass
        design = self.likelihood.design
        pairs = zip(design.slices, design.terms, strict=True)
        spans = [np.arange(s.start, s.start + t.length) for s, t in pairs]
        own = np.concatenate([spans[j] for j in self._modelled])
        moves = inverse[:, own]
        kernel = moves @ np.linalg.solve(inverse[np.ix_(own, own)], moves.T)
        moves_of_rows = leverage.squared_moves(self.objective, kernel, self.adjusted(1.0))
        return moves_of_rows / len(own)

    def left_out(self) -> left_out.LeftOut:
        """Return what leaving out each row does to its own -log q."""
        assert self._at.hessian is not None
        own = self.likelihood.family.observation.columns is not None
        return left_out.left_out(self.objective, self.coef, self._at.hessian, own)

    def score_trace(self) -> float:
        """Return how many parameters Takeuchi's criterion counts."""
        return left_out.score_trace(self.objective, self.coef, self.inverse, self.outer())

    def moves(self) -> Array:
        """Return what each row does to the user's coefficients, (n, d).

        It is one step from the fit without the row to that with it.
        """
        inverse = self.expected_inverse / self.mass
        pulls = scores.scores(self.objective, self.adjusted(1.0))
        if self.objective.weight is not None:  # one of the rows that a weight stands for
            pulls = pulls / self.objective.weight[:, None]
        return self.likelihood.coordinates.moved(-pulls @ inverse)

    # ---------------------------------------------------------------- covariance

    def covariance(self, inverse: Array, meat: Array | None = None) -> Array:
        """Return the covariance of the user's coefficients, those of least norm."""
        return self.likelihood.covariance(inverse, meat)

    def masked(self, covariance: Array) -> Array:
        """Return a covariance whose entries are nan for what the data do not determine."""
        return self.likelihood.masked(covariance)


def own_covariance(likelihood: Likelihood, coef: Array, inverse: Array) -> Array | None:
    """Return the covariance that a fit keeps, of the user's coefficients, those of least norm.

    It is the inverse information where that holds, else a sandwich; None if rows with cusps are
    too few for one.

    Parameters
    ----------
    likelihood : Likelihood
    coef : ndarray of shape (d,)
        The solver's coefficients at the maximum.
    inverse : ndarray of shape (d, d)
        Inverse Hessian of the objective there, which may be singular.
    """
    if not likelihood.sandwiched:
        return likelihood.covariance(inverse)
    if likelihood.family.kinked:
        parts = sandwich_across_cusps(likelihood.objective, coef)
        return None if parts is None else likelihood.covariance(*parts)
    factors = likelihood.problem.observed.factors
    if factors is not None:
        return likelihood.covariance(inverse, outer_by_law(likelihood.objective, coef, factors))
    entries = scores.at(likelihood.objective, coef)
    return likelihood.covariance(inverse, scores.outer(likelihood.objective, entries))
