"""A fitted regression as it is asked: each row's law, and all that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _num_samples, check_is_fitted

from skmle._engine.likelihood.design import Term
from skmle._shared.arrays import like
from skmle._shared.columns import Columns, linear_predictors
from skmle._shared.labels import warn_of_unseen
from skmle._shared.offset import resolve_offset, warn_of_forgotten
from skmle._shared.validation import (
    checked_features,
    checked_response,
    positive_weights,
    weighted_mean,
)
from skmle.families import Distribution, Family

Array = NDArray[np.float64]

# Share of the largest linear predictor by which one may be outside the domain of its link and still
# counts as at the end of it: some hundred roundings of a sum. Chosen, not measured.
_ROUNDING = 1e-13
_SHOWN = 5  # rows that a message names, at most; chosen for reading


class Predictions:
    """What a fitted regression is asked."""

    coefs_: dict[str, Array]
    intercepts_: dict[str, float]
    _law: Family
    """The law that was fitted, with its first parameter free."""
    _columns: Mapping[str, Columns]
    """The columns of each of its parameters."""
    _lead: float | None
    """The eta at which the first parameter is held; None if it was fitted."""
    _beside: tuple[bool, bool]
    """Whether an offset and an exposure were given beside X."""
    inference: Callable[..., Any]
    _terms: tuple[tuple[Term, ...], ...]
    """Of each fit, a term for each of its linear predictors."""

    def _eta(
        self,
        X: Any,
        offset: ArrayLike | None,
        exposure: ArrayLike | None,
        counting: NDArray[np.bool_] | None = None,
    ) -> tuple[Array, ...]:
        """Return the linear predictor of each parameter, (n,) each.

        Offset and exposure of rows that are not `counting`, if that is given, are not looked at.
        """
        check_is_fitted(self)
        X = checked_features(
            self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
        )
        known = resolve_offset(self, X, offset, exposure, self._law, counting)
        warn_of_forgotten(self._beside, offset, exposure)
        intercepts = self.intercepts_
        if self._lead is not None:
            intercepts = {self._law.names[0]: self._lead, **intercepts}
        return linear_predictors(X, self._columns, self.coefs_, intercepts, known)

    def predict_dist(
        self, X: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Distribution:
        """Return each row's law: a `Distribution` with parameters of shape (n,)."""
        return self._law_at(self._eta(X, offset, exposure), _num_samples(X))

    def _law_at(self, eta: tuple[Array, ...], n: int) -> Distribution:
        """Return the law of each of n rows with these linear predictors."""
        with np.errstate(over="ignore"):
            theta = self._law.natural(inside_domains(self._law, eta))
        if not eta:  # A law of one label has nothing to predict, and is the same for all rows.
            theta = tuple(np.broadcast_to(entry, (n, *entry.shape)) for entry in theta)
        return self._law.predicted(theta)

    def _moving(
        self, X: Any, beside: Mapping[str, Any]
    ) -> Callable[[Sequence[float]], Distribution]:
        """Return the law of each row as a function of what is added to its linear predictors."""
        eta = self._eta(X, beside.get("offset"), beside.get("exposure"))
        held = len(eta) - len(self._terms[0])  # a first parameter that was not fitted
        n = _num_samples(X)

        def law(shifts: Sequence[float]) -> Distribution:
            moved = (e + shift for e, shift in zip(eta[held:], shifts, strict=True))
            return self._law_at((*eta[:held], *moved), n)

        return law

    def predict(
        self, X: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Array:
        """Return the conditional mean of each row, (n,); the median, for a law that has no mean."""
        law = self.predict_dist(X, offset, exposure)
        mean = np.asarray(law.mean(), float)
        if np.isnan(mean).any():
            mean = np.where(np.isnan(mean), law.median(), mean)
        return like(X, mean)

    def predict_quantile(
        self,
        X: Any,
        q: ArrayLike,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Array:
        """Return quantiles of each row: (n,) for a number q, (n, m) for m of them."""
        levels = np.asarray(q, float)
        if not ((levels >= 0) & (levels <= 1)).all():
            raise ValueError(
                f"predict_quantile: q={q!r} is not allowed; give probabilities between 0 and 1."
            )
        law = self.predict_dist(X, offset, exposure)
        if levels.ndim == 0:
            return like(X, law.ppf(levels))
        return like(X, np.stack([law.ppf(level) for level in levels], axis=-1))

    def predict_interval(
        self,
        X: Any,
        coverage: float = 0.95,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
        *,
        interval: Any = "law",
    ) -> tuple[Array, Array]:
        """Return (low, high), each (n,): an interval for each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p)
        coverage : float, default=0.95
        offset, exposure : array-like of shape (n,), optional
            If fit was given them beside X.
        interval : {"law", "observation", "mean"}, default="law"
            "law": for y, under the fitted law, the parameters taken as known; "observation": for y,
            with the errors of the parameters; "mean": for the mean of y. The last two, and others
            that `Inference.predict_interval` knows, have the errors of ``inference()``; under
            another covariance, ask its results.
        """
        if not 0.0 < coverage < 1.0:
            raise ValueError(
                f"predict_interval: coverage={coverage!r} is not allowed; give a number between 0 "
                "and 1, such as 0.95."
            )
        if isinstance(interval, str) and interval == "law":
            return like(X, self.predict_dist(X, offset, exposure).interval(coverage))
        given = {"offset": offset, "exposure": exposure}
        beside = {name: values for name, values in given.items() if values is not None}
        ends = self.inference().predict_interval(X, coverage, interval=interval, **beside)
        return like(X, ends)

    def sample(
        self,
        X: Any,
        n_samples: int | None = None,
        random_state: Any = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Draw y from each row's law: (n,), or (n_samples, n)."""
        return like(X, self.predict_dist(X, offset, exposure).rvs(n_samples, random_state))

    def log_prob(
        self, X: Any, y: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Array:
        """Return log q(y|x) of each row in nats, (n,); -inf outside the support.

        Of a rate, a real number under a law of counts, it is the law's formula, which is no
        log-probability: rates may be compared under count laws, not with densities.
        """
        return like(X, self._log_prob(X, y, offset, exposure))

    def _log_prob(
        self,
        X: Any,
        y: Any,
        offset: ArrayLike | None,
        exposure: ArrayLike | None,
        counting: NDArray[np.bool_] | None = None,
    ) -> Array:
        eta = self._eta(X, offset, exposure, counting)
        y = checked_response(self, X, y, self._law)
        with np.errstate(over="ignore"):
            values = self._law.log_prob(y, eta, rates=True)
        if not self._law.observation.numeric:
            outside = ~self._law.contains(y)
            warn_of_unseen(type(self).__name__, y, outside, self._law.observations, counting)
        return values

    def score(
        self,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        """Return the (weighted) mean log-likelihood in nats; not R^2.

        It is minus the empirical conditional cross-entropy.

        Warns
        -----
        ScoreWarning
            If fit was given an offset or exposure beside X and score is not.
        """
        _, counting = positive_weights(sample_weight, X)
        values = self._log_prob(X, y, offset, exposure, counting)
        return weighted_mean(values, sample_weight)


def inside_domains(law: Family, eta: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return linear predictors that are inside the domains of their links, or at an end.

    Raises
    ------
    ValueError
        If a row is outside by more than rounding.
    """
    result = list(eta)
    for j, (low, high) in enumerate(law.domains):
        slack = _ROUNDING * float(np.abs(eta[j]).max(initial=0.0))
        outside = np.flatnonzero((eta[j] < low - slack) | (eta[j] > high + slack))
        if outside.size:
            shown = ", ".join(map(str, outside[:_SHOWN]))
            more = ", ..." if outside.size > _SHOWN else ""
            raise ValueError(
                f"{law.title}: the linear predictor of {law.names[j]} is outside the domain of "
                f"link {law.link(j).name!r} in {outside.size} of {len(eta[j])} rows (rows {shown}"
                f"{more}), such as {eta[j][outside[0]]:.6g}. Allowed: predictors from {low:g} to "
                f"{high:g}. Leave these rows out, or fit with a link that maps onto the whole line."
            )
        result[j] = np.clip(eta[j], low, high)
    return tuple(result)
