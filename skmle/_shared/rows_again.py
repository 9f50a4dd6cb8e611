"""A fit that is shown its rows again, and the same fit at other coefficients.

Fitted models keep no rows. What needs them, as robust errors and profiles do, gets them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmle._engine.prepare.evidence import Evidence
from skmle._engine.prepare.likelihood import Likelihood
from skmle._engine.problem import Fit, Problem
from skmle._engine.verdict import BOUNDARY, INTERIOR, NO_MAXIMUM
from skmle._shared.criteria import Criteria
from skmle.inference.estimates import Model
from skmle.inference.robust import Errors

Array = NDArray[np.float64]

# Share of the log-likelihood by which that of the rows given for inference may differ from that of
# the fit: sums in another order, and the last step of a fit that ended at a loose `tol`.
_SAME = 1e-6


class RowsAgain(Criteria):
    """A stored fit, which states the likelihood of rows at its estimates."""

    status_: str
    log_likelihood_: float
    weight_sum_: float

    _prepare: Callable[..., Any]
    """(X, y, sample_weight, offset, exposure) -> checked data, with the problem they state."""
    _fits: tuple[Fit, ...]
    """What inference needs of each fit."""
    _constants: tuple[tuple[bool, ...], ...]
    """Of each fit and each parameter, whether it has an intercept."""
    _set: Callable[..., None]
    """(fits, X) -> None: store the coefficients of fits, in the precision of X."""
    _beyond: list[Array] | None = None
    """What to add to coefficients so that they show where they run to; None: nothing runs off."""
    _no_covariance: Callable[[], str]
    """() -> why there is no covariance, as a message in four parts."""

    @property
    def _runs_off(self) -> bool:
        """Whether coefficients run to infinity, as rows separate from others."""
        return self.status_ == NO_MAXIMUM and self._beyond is not None

    def _problems(
        self, X: Any, y: Any, sample_weight: Any, beside: dict[str, Any]
    ) -> tuple[list[Problem], NDArray[np.bool_] | None]:
        """Return the problems that rows state, one a fit, and which rows count (None: all)."""
        prepared = self._prepare(X, y, sample_weight, **beside)
        return [prepared.problem], prepared.mask

    def _evidences(
        self, X: Any, y: Any, sample_weight: Any, weights: str, beside: dict[str, Any]
    ) -> tuple[list[Evidence], NDArray[np.bool_] | None]:
        """Return the likelihoods of the rows of the fit at its estimates, and which rows count.

        Raises
        ------
        ValueError
            If the fit has no maximum inside its range, or these are not its rows.
        """
        judged = self.status_ in (INTERIOR, BOUNDARY) or self._runs_off
        if not judged or any(f.rows_at_edge for f in self._fits):
            raise ValueError(self._no_covariance())
        if getattr(self, "l1_ratio", 0.0) > 0.0 and getattr(self, "alpha", 0.0) > 0.0:
            raise ValueError(self._no_covariance())
        problems, mask = copy(self)._problems(X, y, sample_weight, beside)
        found, total = [], 0.0
        for problem, fit in zip(problems, self._fits, strict=True):
            limit = fit.limit
            posed: Problem | None = problem
            while limit is not None and posed is not None:
                posed, limit = posed.at(limit), limit.then
            if posed is None:  # The limit law forbids some of these rows.
                total = -np.inf
                continue
            if weights == "factors":
                posed = posed.with_factors()
            inside = None if fit.limit is None else Likelihood(problem)
            found.append(Evidence.at(Likelihood(posed), fit.coefs, inside))
            total += found[-1].log_likelihood
        known = self.log_likelihood_
        if not abs(total - known) <= _SAME * (abs(known) + self.weight_sum_):
            raise ValueError(
                f"{type(self).__name__}.inference: X and y are not the rows of the fit, as their "
                f"log-likelihood at its estimates is {total:.6g}, and that of the fit "
                f"{known:.6g}. Allowed: the rows of the fit, with their weights and offsets. Give "
                "those, or fit to these."
            )
        return found, mask

    def _as_function(self, errors: Errors) -> Model:
        """Return this model as a function of its coefficients."""
        covariances = [c for c in errors.covariances if c is not None]
        covariance = block_diag(*covariances) if covariances else np.zeros((0, 0))
        return Model(self._vector(), np.asarray(covariance, float), self._at)

    def _vector(self) -> Array:
        """Return all coefficients of the fits, in the order of their covariances."""
        parts = [
            np.append(slopes, [b] * has_constant)
            for fit, own in zip(self._fits, self._constants, strict=True)
            for (slopes, b), has_constant in zip(fit.coefs, own, strict=True)
        ]
        return np.concatenate([np.zeros(0), *parts])

    def _at(self, vector: Array) -> Any:
        """Return a copy of this model with other coefficients."""
        fits, low = [], 0
        for fit, own in zip(self._fits, self._constants, strict=True):
            coefs = []
            for (slopes, b), has_constant in zip(fit.coefs, own, strict=True):
                high = low + len(slopes)
                coefs.append((vector[low:high], vector[high] if has_constant else b))
                low = high + has_constant
            fits.append(replace(fit, coefs=tuple(coefs)))
        model = copy(self)
        model._fits = tuple(fits)
        model._set(fits, getattr(self, "coef_", None))
        return model
