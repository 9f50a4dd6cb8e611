"""AIC and BIC of a fit: what it costs to have estimated so many parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skmle.inference.missing import why_no_criteria
from skmle.inference.robust import Errors


class Criteria:
    """Information criteria of an estimator."""

    log_likelihood_: float
    effective_parameters_: float
    weight_sum_: float
    status_: str
    _counted: tuple[int, bool]
    """Rows of positive weight, and whether they were given weights."""

    def aic(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        **offset_or_exposure: ArrayLike,
    ) -> float:
        """Return Akaike's criterion, 2 k - 2 log-likelihood, in nats; lower is better.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            Data on which to take the log-likelihood; by default that of the fit.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure` of a regressor's rows, if fit was given them beside X.

        Returns
        -------
        float
            With k = `effective_parameters_`: the number of parameters estimated, in which those
            under a smooth penalty count by the share of their curvature that comes from the data.

        Raises
        ------
        ValueError
            If the estimate maximises no likelihood (class weights), or k is not known.
        """
        check_is_fitted(self)
        self._check_criteria()
        total, _ = self._total(X, y, sample_weight, offset_or_exposure)
        return 2.0 * self.effective_parameters_ - 2.0 * total

    def bic(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        **offset_or_exposure: ArrayLike,
    ) -> float:
        """Return Schwarz's criterion, k log(n) - 2 log-likelihood, in nats; lower is better.

        Parameters
        ----------
        X, y, sample_weight : array-like, optional
            Data on which to take the log-likelihood; by default that of the fit. n is the sum of
            the weights.
        **offset_or_exposure : array-like of shape (n,)
            As in `aic`.

        Raises
        ------
        ValueError
            As `aic`.
        """
        check_is_fitted(self)
        self._check_criteria()
        total, mass = self._total(X, y, sample_weight, offset_or_exposure)
        return float(np.log(mass)) * self.effective_parameters_ - 2.0 * total

    def _facts(self, title: str, errors: Errors) -> dict[str, Any]:
        """Return what `Inference.glance` tells: the fit in one line."""
        n, k = self.weight_sum_, self.effective_parameters_
        known = self._without_criteria() is None
        aic = self.aic() if known else np.nan
        # Hurvich & Tsai (1989), Regression and time series model selection in small samples,
        # Biometrika 76.
        small = 2.0 * k * (k + 1.0) / (n - k - 1.0) if n - k > 1.0 else np.nan
        return {
            "model": title,
            "n": self._counted[0],
            "weight": n,
            "status": self.status_,
            "log_likelihood": self.log_likelihood_,
            "df": k,
            "aic": aic,
            "aicc": aic + small,
            "bic": self.bic() if known else np.nan,
            "dispersion": getattr(self, "pearson_dispersion_", np.nan),
            "errors": errors.origin if errors.known else "",
        }

    def _without_criteria(self) -> tuple[str, str] | None:
        """Return why there are no AIC and BIC, and what to do; None if there are."""
        return why_no_criteria(self._weighs_classes, self.effective_parameters_)

    def _check_criteria(self) -> None:
        """Raise ValueError if there are no AIC and BIC."""
        if (missing := self._without_criteria()) is not None:
            why, mend = missing
            raise ValueError(
                f"{type(self).__name__}: no AIC and no BIC, because {why}. Allowed: "
                "fits that maximise the likelihood, or that and a penalty whose curvature is "
                f"known. {mend}"
            )

    @property
    def _weighs_classes(self) -> bool:
        return getattr(self, "class_weight", None) is not None

    def _total(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        offset_or_exposure: Mapping[str, ArrayLike],
    ) -> tuple[float, float]:
        """Return the log-likelihood and the sum of the weights: of these data, or of the fit's."""
        if X is None:
            return self.log_likelihood_, self.weight_sum_
        n = X.shape[0] if hasattr(X, "shape") else len(X)
        mass = float(n) if sample_weight is None else float(np.sum(sample_weight))
        score: Any = self.score  # That of a regressor takes an offset and an exposure.
        return mass * score(X, y, sample_weight=sample_weight, **offset_or_exposure), mass

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean log-likelihood in nats."""
        raise NotImplementedError
