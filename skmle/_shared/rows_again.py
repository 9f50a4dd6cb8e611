"""A fit that is shown its rows again.

Fitted models keep no rows. What needs them, as robust errors and profiles do, gets them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skmle._engine.prepare.evidence import Evidence
from skmle._engine.problem import Fit, Problem
from skmle._engine.verdict import BOUNDARY, INTERIOR, NO_MAXIMUM
from skmle._shared.criteria import Criteria
from skmle._shared.functions import AsFunction
from skmle._shared.penalties import strength_of
from skmle._shared.separated import beyond

Array = NDArray[np.float64]

# Share of the log-likelihood by which that of the rows given for inference may differ from that of
# the fit: sums in another order, and the last step of a fit that ended at a loose `tol`.
_SAME = 1e-6


class RowsAgain(AsFunction, Criteria):
    """A stored fit, which states the likelihood of rows at its estimates."""

    status_: str
    log_likelihood_: float
    weight_sum_: float

    _prepare: Callable[..., Any]
    """(X, y, sample_weight, offset, exposure) -> checked data, with the problem they state."""
    _beyond: list[Array] | None = None
    """What to add to coefficients so that they show where they run to; None: nothing runs off."""
    _no_covariance: Callable[[], str]
    """() -> why there is no covariance, as a message in four parts."""

    def tic(
        self,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        **offset_or_exposure: ArrayLike,
    ) -> float:
        """Return Takeuchi's criterion, 2 k - 2 log-likelihood, in nats; lower is better.

        It is AIC for laws that need not be right: k is the trace of A^-1 K, where A is the
        information and K the sum of the products of the rows' gradients. If the law holds, k is
        about the number of parameters; if rows spread wider than the law has it, more.

        Parameters
        ----------
        X, y, sample_weight : array-like
            The rows of the fit.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure` of a regressor's rows, if fit was given them beside X.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            As `aic`; if the fit has no covariance, or these are not its rows.

        References
        ----------
        Takeuchi (1976), Distribution of information statistics and criteria for adequacy of models,
        Mathematical Sciences 153 (in Japanese); Burnham & Anderson (2002), Model Selection and
        Multimodel Inference, ch. 7.3.
        Shibata (1989), Statistical aspects of model selection (under a penalty).
        """
        check_is_fitted(self)
        self._check_criteria()
        beside = dict(offset_or_exposure)
        asked = f"{type(self).__name__}.tic"
        every, _ = self._evidences(X, y, sample_weight, "repeats", beside, asked)
        try:
            k = sum(evidence.score_trace() for evidence in every)
        except np.linalg.LinAlgError:
            raise ValueError(self._no_covariance()) from None
        return 2.0 * k - 2.0 * self.log_likelihood_

    @property
    def _runs_off(self) -> bool:
        """Whether coefficients run to infinity, as rows separate from others."""
        return self.status_ == NO_MAXIMUM and self._beyond is not None

    def _runs_to(self, fit: Fit) -> list[Array]:
        """Return what to add to coefficients so that they show where those of a fit run to.

        Slopes, then the intercept, of each parameter, or of each class: infinite, zero, or nan for
        what the rows of the fit leave open.
        """
        labelled = not fit.family.observation.numeric and not fit.family.redundant
        count = len(fit.coefs) + labelled
        sizes = [len(slopes) for slopes, _ in fit.coefs]
        open_ = [np.zeros(size + 1) for size in sizes]
        for entry, determined in zip(open_, fit.estimable or (), strict=False):
            entry[~determined] = np.nan
        if labelled:  # what is not known of one class is not known of those that are centred by it
            open_ = [np.sum(open_, axis=0)] * count
        way = beyond(fit, count)
        return open_ if way is None else [one + runs for one, runs in zip(open_, way, strict=True)]

    def _problems(
        self, X: Any, y: Any, sample_weight: Any, beside: dict[str, Any]
    ) -> tuple[list[Problem], NDArray[np.bool_] | None]:
        """Return the problems that rows state, one a fit, and which rows count (None: all)."""
        prepared = self._prepare(X, y, sample_weight, **beside)
        return [prepared.problem], prepared.mask

    def _evidences(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        weights: str,
        beside: dict[str, Any],
        asked: str = "",
        or_else: str = "",
    ) -> tuple[list[Evidence], NDArray[np.bool_] | None]:
        """Return the likelihoods of the rows of the fit at its estimates, and which rows count.

        `asked` and `or_else` are for the error, as in `_check_total`; by default inference asks.

        Raises
        ------
        ValueError
            If the fit has no maximum inside its range, or these are not its rows.
        """
        judged = self.status_ in (INTERIOR, BOUNDARY) or self._runs_off
        if not judged or any(f.rows_at_edge for f in self._fits):
            raise ValueError(self._no_covariance())
        if getattr(self, "l1_ratio", 0.0) * strength_of(self) > 0.0:
            raise ValueError(self._no_covariance())
        problems, mask = copy(self)._problems(X, y, sample_weight, beside)
        found, total = [], 0.0
        for problem, fit in zip(problems, self._fits, strict=True):
            evidence = Evidence.of(problem, fit, factors=weights == "factors")
            if evidence is None:  # The limit law forbids some of these rows.
                total = -np.inf
                continue
            found.append(evidence)
            total += evidence.log_likelihood
        self._check_total(total, asked or f"{type(self).__name__}.inference", or_else)
        return found, mask

    def _check_total(self, total: float, asked: str, or_else: str = "") -> None:
        """Raise ValueError if the log-likelihood of rows at the estimates is not that of the fit.

        Parameters
        ----------
        total : float
            The log-likelihood of the rows.
        asked, or_else : str
            Who asks, and what else can be done with other rows, for the error.
        """
        known = self.log_likelihood_
        if not abs(total - known) <= _SAME * (abs(known) + self.weight_sum_):
            raise ValueError(
                f"{asked}: X and y are not the rows of the fit, as their log-likelihood at its "
                f"estimates is {total:.6g}, and that of the fit {known:.6g}. Allowed: the rows of "
                f"the fit, with their weights and offsets. Give those, or fit to these{or_else}."
            )
