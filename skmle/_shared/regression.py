"""What a fitted regression says of itself beside its predictions: its table and its dispersion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from skmle._engine.data.sums import one_blas_thread, strata
from skmle._engine.problem import Fit, Problem
from skmle._shared.columns import KNOWN, Columns, linear_predictors
from skmle._shared.diagnostics import numbers_of, of_numbers
from skmle._shared.elsewhere import OF_REGRESSIONS
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.predictions import Predictions, inside_domains
from skmle._shared.tables import coefficients_of_a_regression
from skmle._shared.validation import checked_response
from skmle.families import Distribution, Family
from skmle.families.law import Law
from skmle.families.tools.expected import variance_of_counts
from skmle.inference import Inference
from skmle.inference.dispersion import Dispersion, dispersion_of, notes_of_dispersion
from skmle.inference.robust import Errors
from skmle.inference.show import printable

# Rows of which the dispersion is taken, at most. Its standard error is then 0.006, a sixteenth of
# what a table calls far; the sample costs no more than a pass over as many rows.
_ROWS = 2**16
# The same where variances have no formula. Its standard error is 0.02; 4096 truncated Poisson laws
# take a fifth of a second.
_ROWS_OF_SUMS = 2**12
_WIDER = "negative_binomial"


class Regression(Predictions, RegressorMixin, LikelihoodEstimator):
    """A regression as a results table shows it."""

    _elsewhere = OF_REGRESSIONS
    _within = (("predict_dist(X)", Distribution),)

    _title: str
    """The law with what is held of it, in words."""
    _own: dict[str, Columns]
    """The columns of each parameter that was fitted."""
    _dispersion: Dispersion | None = None
    """That of counts; None of other laws, or if it is not known."""

    @property
    def pearson_dispersion_(self) -> float:
        """Pearson's statistic of counts over n - k; nan of other laws."""
        return np.nan if self._dispersion is None else self._dispersion.value

    def _measure(self, fit: Fit, problem: Problem, y: NDArray[Any]) -> None:
        """Store the dispersion of counts, by the rows that were fitted or a sample of them."""
        self._dispersion = None
        if not fit.family.support.whole or np.isfinite(fit.family.support.high):
            return
        n, X, weight, offset = len(y), problem.X, problem.observed.weight, problem.offset
        most = _ROWS_OF_SUMS if _by_sums(fit.family) else _ROWS
        if n > most:
            rows = strata(n, most)
            X, y = X[rows], y[rows]
            weight = None if weight is None else weight[rows]
            offset = None if offset is None else offset[rows]
        pairs = list(zip(self._own, fit.coefs, strict=True))
        slopes = {name: own for name, (own, _) in pairs}
        intercepts = {name: constant for name, (_, constant) in pairs}
        # Numbers that leave the doubles are of predictors that run off.
        with np.errstate(all="ignore"), one_blas_thread():
            eta = linear_predictors(X, self._own, slopes, intercepts, offset)
            squares = squares_of_counts(fit.family, y, eta)
        if squares is not None:
            k = _coefficients(fit, self._own)
            self._dispersion = dispersion_of(squares, weight, fit.mass, k)

    def _diagnose(
        self,
        X: Any,
        y: Any,
        share: NDArray[np.float64],
        counting: NDArray[np.bool_] | None,
        beside: Mapping[str, Any],
    ) -> dict[str, NDArray[Any]]:
        law = self._law
        eta = self._eta(X, beside.get("offset"), beside.get("exposure"), counting)
        eta = inside_domains(law, eta)
        y = checked_response(self, X, y, law)
        with np.errstate(over="ignore"):
            log_prob = law.log_prob(y, eta, rates=True)
        return of_numbers(law, y, eta, log_prob, share)

    def _runs_to(self, fit: Fit) -> list[NDArray[np.float64]]:
        # A parameter that is known has no line in the table.
        pairs = zip(super()._runs_to(fit), self._own.values(), strict=True)
        return [way for way, column in pairs if column is not KNOWN]

    def _known_in_words(self) -> str:
        """Return where the known part of the first linear predictor comes from; "" without one."""
        told = []
        for what, given in zip(("offset", "exposure"), self._beside, strict=True):
            column = getattr(self, what)
            if given or column is not None:
                name = printable(column) if isinstance(column, str) else f"column {column}"
                told.append(f"{what} {'beside X' if given else name}")
        return f", {' and '.join(told)}" if told else ""

    def _results_under(self, errors: Errors, confidence_level: float = 0.95) -> Inference:
        lines = coefficients_of_a_regression(
            law=self._law,
            columns=self._columns,
            slopes=self.coefs_,
            intercepts=self.intercepts_,
            names=getattr(self, "feature_names_in_", None),
            covariance=errors.covariances[0],
            beyond=self._beyond,
        )
        _, *others = self._columns
        squares = self._law.least_squares and not self._law.relinked
        squares = squares and all(self._columns[name].columns is None for name in others)
        # The rank of the columns of the mean: what is estimated, without the others.
        rank = self.n_parameters_ - len(self.coefs_.keys() & set(others))
        squares_of = rank if squares else None
        title = f"{self._title} regression{self._known_in_words()}"
        notes = []
        if self._dispersion is not None:
            trusted = errors.known and "sandwich" not in errors.origin
            wider = "" if "dispersion" in self._law.names else _WIDER
            notes = notes_of_dispersion(self._dispersion, self._title, trusted, wider)
        return self._report(title, lines, errors, confidence_level, squares_of, notes)


def squares_of_counts(law: Family, y: NDArray[Any], eta: Any) -> NDArray[np.float64] | None:
    """Return the squares of the Pearson residuals of rows, (n,), under laws of counts.

    None is returned if observations are no counts, or so small that their spread follows from their
    mean: of one trial.
    """
    whole = law.predicted(law.natural(eta))
    told = numbers_of(law, whole, y)
    if told is None:
        return None
    family, counts = told
    if y.ndim == 2 and (y.sum(axis=1) <= 1.0).all():
        return None
    away = counts - family.mean(whole.theta)
    variance = variance_of_counts if _by_sums(family) else type(family).variance
    # A row that is certain to be what it is has no residual.
    theta = tuple(np.broadcast_to(part, away.shape) for part in whole.theta)
    return np.where(away == 0.0, 0.0, away * away / variance(family, theta))


def _by_sums(family: Any) -> bool:
    """Return whether the variance of a law of counts has no formula."""
    return type(family).variance is Law.variance


def _coefficients(fit: Fit, columns: Mapping[str, Columns]) -> int:
    """Return the number of coefficients of the first parameter and of those with features."""
    others = list(columns.values())[1:]
    return fit.n_parameters - sum(own.columns is None and own is not KNOWN for own in others)
