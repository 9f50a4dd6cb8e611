"""What the three estimators share: validation, weights, verdicts in words, and inference on the fitted law."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skmle._engine.problem import Fit
from skmle._engine.verdict import BOUNDARY, INTERIOR, NO_MAXIMUM, NON_REGULAR
from skmle.exceptions import BoundaryWarning, FitWarning, NoMaximumWarning, NonRegularWarning, NotConvergedWarning, SeparationWarning
from skmle.families import Family
from skmle.inference import Inference

Array = NDArray[np.float64]

_SHOWN = 5  # rows or columns named in a message


class LikelihoodEstimator(BaseEstimator):
    """Fitted state and inference that all estimators have; the only mixin."""

    _doc_link_module = "skmle"
    _doc_link_template = "https://skmle.readthedocs.io/en/latest/api/{estimator_module}.{estimator_name}.html"

    status_: str
    log_likelihood_: float

    def _record(self, fit: Fit) -> None:
        """Store what a fit found and warn once if it is not an interior maximum."""
        self.status_ = fit.verdict.status
        self.converged_ = fit.verdict.status in (INTERIOR, BOUNDARY, NON_REGULAR)
        self.n_iter_ = fit.n_iter
        self.distance_ = fit.distance
        self.log_likelihood_ = fit.log_likelihood
        self.weight_sum_ = fit.mass

    def _criterion(self, log_likelihood: float | None, penalty: float) -> float:
        value = self.log_likelihood_ if log_likelihood is None else log_likelihood
        return penalty * self.n_parameters_ - 2.0 * value

    n_parameters_: int
    weight_sum_: float

    def aic(self, X: Any = None, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return Akaike's criterion, 2 k - 2 log-likelihood, in nats; lower is better.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            Data on which to take the log-likelihood; by default that of the fit.

        Returns
        -------
        float
            With k = `n_parameters_`, the number of parameters estimated.
        """
        check_is_fitted(self)
        total, _ = self._total(X, y, sample_weight)
        return self._criterion(total, 2.0)

    def bic(self, X: Any = None, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return Schwarz's criterion, k log(n) - 2 log-likelihood, in nats; lower is better.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            Data on which to take the log-likelihood; by default that of the fit. n is the sum of the weights.
        """
        check_is_fitted(self)
        total, mass = self._total(X, y, sample_weight)
        return self._criterion(total, float(np.log(mass)))

    def _total(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> tuple[float | None, float]:
        if X is None:
            return None, self.weight_sum_
        n = X.shape[0] if hasattr(X, "shape") else len(X)
        mass = float(n) if sample_weight is None else float(np.sum(sample_weight))
        return mass * self.score(X, y, sample_weight=sample_weight), mass

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean log-likelihood in nats."""
        raise NotImplementedError

    def inference(self) -> Inference:
        """Return estimates with their covariance, standard errors, intervals and tests.

        Returns
        -------
        skmle.inference.Inference

        Raises
        ------
        ValueError
            If the fit has no covariance: its likelihood has no regular interior maximum.
        """
        raise NotImplementedError

    def summary(self, confidence_level: float = 0.95) -> Any:
        """Return the table of `inference`: print it, or leave it as the last line of a notebook cell.

        Parameters
        ----------
        confidence_level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        skmle.inference.Summary
        """
        return self.inference().summary(confidence_level)


# ---------------------------------------------------------------- validation


def positive_weights(sample_weight: ArrayLike | None, X: Any, class_weight: Array | None = None) -> tuple[Array | None, NDArray[np.bool_] | None]:
    """Return (weights of the rows that count, mask of these rows); None where all rows count alike.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None and class_weight is None:
        return None, None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if (weight < 0).any():
        raise ValueError(f"Negative values in data passed to `sample_weight`: {_rows(weight < 0, weight)}. Allowed: weights >= 0. Remove these rows or mend their weights.")
    if not (weight > 0).any():
        raise ValueError(f"sample_weight: all {len(weight)} weights are zero, so no row counts. Allowed: at least one positive weight. Pass None to weigh all rows alike.")
    if class_weight is not None:
        weight = weight * class_weight
    mask = weight > 0
    return (weight, None) if mask.all() else (weight[mask], mask)


def check_support(family: Family, y: Any, what: str) -> None:
    """Raise ValueError if a row of y lies outside the family's support, naming and counting the rows."""
    inside = family.contains(y)
    if inside.all():
        return
    values = np.asarray(y)
    negative = "Negative values in data: " if family.support.low >= 0 and family.numeric and (values < 0).any() else ""
    raise ValueError(
        f"{negative}{family.title}: {_rows(~inside, values)} of {what} outside the support. Allowed: {family.support}. "
        "Remove or mend these rows, or choose a family whose support holds them."
    )


def _rows(bad: NDArray[np.bool_], values: Array) -> str:
    index = np.flatnonzero(bad)
    named = ", ".join(f"row {i}: {values[i]!s}" for i in index[:_SHOWN])
    more = ", ..." if len(index) > _SHOWN else ""
    return f"{len(index)} of {len(values)} rows ({named}{more})"


# ---------------------------------------------------------------- verdicts in words


def warn_verdict(fit: Fit, what: str, names: Sequence[Sequence[str]], stacklevel: int = 3) -> None:
    """Warn once, in four parts, if a fit is not at an interior maximum.

    Parameters
    ----------
    what : str
        The estimator and family, for the message.
    names : sequence of sequences of str
        For each parameter, the names of its slopes.
    """
    verdict = fit.verdict
    if verdict.status == INTERIOR:
        return
    category: type[FitWarning]
    if verdict.status == BOUNDARY:
        category, text = BoundaryWarning, f"the maximum is at the boundary: {verdict.reason}. The limit law's parameters are returned, with its standard errors. Fit that law to silence this."
    elif verdict.status == NON_REGULAR:
        category, text = NonRegularWarning, "the estimate is the maximum, but the support depends on the parameters, so no standard errors are given. Use the bootstrap if you need them."
    elif verdict.status == NO_MAXIMUM and verdict.reason == "separation":
        columns = moving_columns(fit, names)
        category = SeparationWarning
        text = (
            f"the likelihood has no maximum: the columns {columns} separate the outcomes, so their coefficients run to infinity. "
            "The last iterate is returned, without standard errors. Set alpha > 0, or drop or merge these columns."
        )
    elif verdict.status == NO_MAXIMUM:
        category = NoMaximumWarning
        text = f"the likelihood has no maximum: {verdict.reason}. Parameters on the way there are returned, without standard errors. Use fewer columns or more rows, hold a parameter with fixed=..., or choose another family."
    else:
        category = NotConvergedWarning
        text = (
            f"the solver stopped after {fit.n_iter} iterations at a distance of {fit.distance:.2g} standard errors from the optimum. "
            "The last iterate is returned. Raise max_iter, rescale extreme columns, or choose a simpler model."
        )
    warnings.warn(f"{what}: {text} (status_ = {verdict.status!r})", category, stacklevel=stacklevel + 1)


def moving_columns(fit: Fit, names: Sequence[Sequence[str]]) -> str:
    """Return the names of the columns along which a separated fit runs to infinity."""
    moving: list[str] = []
    for slopes, labels in zip(fit.moving or (), names, strict=False):
        moving += [label for label, moves in zip(labels, slopes, strict=True) if moves and label not in moving]
    shown = ", ".join(map(repr, moving[:_SHOWN])) + (f", ... ({len(moving)} in all)" if len(moving) > _SHOWN else "")
    return shown or "(the intercept alone)"


def check_elastic_net(alpha: float, l1_ratio: float) -> None:
    """Raise ValueError if the penalty's numbers are out of range."""
    if not (np.isfinite(alpha) and alpha >= 0.0):
        raise ValueError(f"alpha={alpha!r} is not allowed; give a finite number >= 0 (0: no penalty, the maximum-likelihood estimate).")
    if l1_ratio != 0.0:
        raise ValueError(f"l1_ratio={l1_ratio!r} is not available in this version. Allowed: 0 (ridge). Set l1_ratio=0.")


def covariance_or_error(estimator: Any, covariance: Array | None) -> Array:
    """Return the stored covariance, or raise ValueError with the reason why there is none."""
    if covariance is None:
        raise ValueError(
            f"{type(estimator).__name__}: no covariance, because status_ = {estimator.status_!r} and store_information={estimator.store_information!r}. "
            "Allowed: a regular maximum with store_information on. Mend the fit first, or use the bootstrap."
        )
    return covariance
