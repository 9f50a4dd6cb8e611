"""What the three estimators share: fitted state, verdicts in words, and inference on the fitted law."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skmle._engine.problem import Fit
from skmle._engine.verdict import BOUNDARY, INTERIOR, INTERRUPTED, NO_MAXIMUM, NON_REGULAR
from skmle._shared.callbacks import CallbackSupportMixin
from skmle.exceptions import (
    BoundaryWarning,
    FitWarning,
    InterruptedWarning,
    NoMaximumWarning,
    NonRegularWarning,
    NotConvergedWarning,
    SeparationWarning,
)
from skmle.inference import Inference
from skmle.inference.assemble import TableLines
from skmle.inference.missing import why_missing

Array = NDArray[np.float64]

_SHOWN = 5  # columns named in a message


class LikelihoodEstimator(CallbackSupportMixin, BaseEstimator):
    """Fitted state and inference that all estimators have; the only mixin."""

    _doc_link_module = "skmle"
    _doc_link_template = (
        "https://skmle.readthedocs.io/en/latest/api/{estimator_module}.{estimator_name}.html"
    )

    status_: str
    log_likelihood_: float
    store_information: bool | str
    _counted: tuple[int, bool]
    """Rows of positive weight, and whether they were given weights."""

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

        Coefficients are on the scale of their links. Parameters that depend on no feature are on their own scale: standard
        errors by the delta method, intervals through the link.

        Returns
        -------
        skmle.inference.Inference

        Raises
        ------
        ValueError
            If the fit has no covariance: no regular maximum, or ``store_information=False``; the message says why.
        """
        check_is_fitted(self)
        result = self._results()
        if result.reason:
            why, mend = self._why_missing()
            raise ValueError(
                f"{type(self).__name__}: no covariance, because {why}. "
                f"Allowed: a regular maximum without absolute penalty, with store_information on. {mend}"
            )
        return result

    def _why_missing(self) -> tuple[str, str]:
        alpha, l1_ratio = getattr(self, "alpha", 0.0), getattr(self, "l1_ratio", 0.0)
        return why_missing(self.status_, self.store_information, l1_ratio if alpha > 0.0 else 0.0)

    def _results(self) -> Inference:
        """Return the results, filled with nan where there is no covariance."""
        raise NotImplementedError

    def _report(
        self, title: str, rows: TableLines, known: bool, limits: Mapping[str, float]
    ) -> Inference:
        """Return the results of rows under a header; `limits` are parameters at an end of their range."""
        count, weighted = self._counted
        weight = f" of total weight {self.weight_sum_:.10g}" if weighted else ""
        at = ", ".join(f"{name} = {value:g}" for name, value in limits.items())
        header = [
            title,
            f"{count} observations{weight}, status {self.status_}" + (f" ({at})" if at else ""),
            f"log-likelihood {self.log_likelihood_:.4f}, AIC {self.aic():.2f}, BIC {self.bic():.2f}",
        ]
        reason = "" if known else "{}. {}".format(*self._why_missing())
        return Inference.from_lines(rows, header, self._prior, reason)

    @property
    def _prior(self) -> str:
        """The settings that penalise, in words; "" if none does."""
        if getattr(self, "alpha", 0.0) > 0.0:
            return "alpha > 0"
        return "penalty=..." if getattr(self, "penalty", None) is not None else ""

    def summary(self, confidence_level: float = 0.95) -> Any:
        """Return the table of `inference`: print it, or leave it as the last line of a notebook cell.

        Of a fit without covariance it has the estimates alone, and says why.

        Parameters
        ----------
        confidence_level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        skmle.inference.Summary
        """
        check_is_fitted(self)
        return self._results().summary(confidence_level)


# ---------------------------------------------------------------- verdicts in words


def warn_verdict(fit: Fit, what: str, names: Sequence[Sequence[str]]) -> None:
    """Warn once, in four parts, if a fit is not at an interior maximum.

    Parameters
    ----------
    what : str
        The estimator and family, for the message.
    names : sequence of sequences of str
        For each parameter, the names of its slopes.
    """
    if fit.verdict.status == INTERIOR:
        return
    category, text = _in_words(fit, names)
    message = f"{what}: {text} (status_ = {fit.verdict.status!r})"
    warnings.warn(message, category, stacklevel=_level_outside())


def _level_outside() -> int:
    """Return the stacklevel, for the function that asks, of the line outside that led to it.

    scikit-learn wraps `fit` into frames of its own, and how many depends on its version.
    """
    frame, level = inspect.currentframe(), 0
    while frame is not None:
        package = frame.f_globals.get("__name__", "").split(".")[0]
        if package not in ("skmle", "sklearn"):
            break
        frame, level = frame.f_back, level + 1
    return level


def _in_words(fit: Fit, names: Sequence[Sequence[str]]) -> tuple[type[FitWarning], str]:
    status, reason = fit.verdict.status, fit.verdict.reason
    if status == BOUNDARY:
        return BoundaryWarning, (
            f"the maximum is at the boundary: {reason}. The limit law's parameters are returned, "
            "with its standard errors where it has any. Fit that law to silence this."
        )
    if status == NON_REGULAR:
        return NonRegularWarning, (
            "the estimate is the maximum, but the support depends on the parameters, so no standard errors are given. "
            "Use the bootstrap if you need them."
        )
    if status == NO_MAXIMUM and reason == "separation":
        return SeparationWarning, (
            f"the likelihood has no maximum: {_separated(_moving_columns(fit, names))}. "
            "The last iterate is returned, without standard errors. Set alpha > 0, or drop or merge columns."
        )
    if status == NO_MAXIMUM:
        return NoMaximumWarning, (
            f"the likelihood has no maximum: {reason}. Parameters on the way there are returned, without standard errors. "
            "Use fewer columns or more rows, hold a parameter with fixed=..., or choose another family."
        )
    if status == INTERRUPTED:
        return InterruptedWarning, (
            f"the fit was stopped after {fit.n_iter} iterates, {_how_far(fit)}. The last iterate is returned, without standard errors. "
            "Fit again, with warm_start=True if the estimator has it, to go on from here."
        )
    stop = f"the solver stopped after {fit.n_iter} iterations, {_how_far(fit)}"
    if reason:  # another iteration would change nothing
        return NotConvergedWarning, (
            f"{stop}: {reason}. The last iterate is returned. Rescale extreme columns, "
            "drop columns that others nearly determine, penalise them (alpha > 0), or choose a simpler model."
        )
    return NotConvergedWarning, (
        f"{stop}. The last iterate is returned. Raise max_iter, rescale extreme columns, or choose a simpler model."
    )


def _how_far(fit: Fit) -> str:
    known = np.isfinite(fit.distance)
    return (
        f"{fit.distance:.2g} standard errors from the optimum"
        if known
        else "where the information matrix is singular"
    )


def _separated(moving: Sequence[str]) -> str:
    if not moving:
        return "all outcomes stand at an end of the law's range, so the intercept runs to infinity"
    shown = ", ".join(map(repr, moving[:_SHOWN])) + (
        f", ... ({len(moving)} in all)" if len(moving) > _SHOWN else ""
    )
    one = len(moving) == 1
    return f"the column{'' if one else 's'} {shown} separate{'s' if one else ''} the outcomes, so the coefficients run to infinity"


def _moving_columns(fit: Fit, names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the columns along which a separated fit runs to infinity."""
    moving: list[str] = []
    for slopes, labels in zip(fit.moving or (), names, strict=False):
        moving += [
            label
            for label, moves in zip(labels, slopes, strict=True)
            if moves and label not in moving
        ]
    return moving
