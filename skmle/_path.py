"""The path of a penalised estimator: one fit for each strength of a falling penalty.

Under an absolute penalty each fit starts where the one before it ended.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skmle._engine.path import fit_path
from skmle._engine.verdict import INTERIOR
from skmle.classifier import CrossEntropyClassifier
from skmle.exceptions import FitWarning
from skmle.inference.show import equal, html_table, text_table
from skmle.regressor import MLERegressor

__all__ = ["Path", "path"]

Array = NDArray[np.float64]

_SHOWN = 5  # penalties that a warning names, at most; chosen for reading


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """The fits of `path`, from the strongest penalty to the weakest.

    Parameters
    ----------
    alphas : ndarray of shape (m,)
        The strengths of the penalty, the largest first.
    coefs : ndarray of shape (m, ...)
        Each fit's `coef_`.
    intercepts : ndarray of shape (m, ...)
        Each fit's `intercept_`.
    log_likelihoods : ndarray of shape (m,)
        In nats, without the penalty.
    n_parameters : ndarray of int of shape (m,)
        How many coefficients are not zero, intercepts and constant parameters included.
    effective_parameters : ndarray of shape (m,)
        Each fit's `effective_parameters_`.
    statuses : list of str
        Each fit's `status_`.
    distances : ndarray of shape (m,)
        Each fit's distance to its optimum, in standard errors.
    n_iters : ndarray of int of shape (m,)
        Each fit's `n_iter_`.
    """

    alphas: Array
    coefs: Array = field(repr=False)
    intercepts: Array = field(repr=False)
    log_likelihoods: Array
    n_parameters: NDArray[np.intp]
    effective_parameters: Array
    statuses: Sequence[str]
    distances: Array
    n_iters: NDArray[np.intp]
    _models: Sequence[Any] = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return equal(self, other, [name for name in self.__dataclass_fields__ if name[0] != "_"])

    __hash__ = None  # type: ignore[assignment]

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the heading and the lines, one a fit, as cells of text."""
        head = ["", "alpha", "log-likelihood", "parameters", "effective", "status", "iterations"]
        columns = zip(
            self.alphas,
            self.log_likelihoods,
            self.n_parameters,
            self.effective_parameters,
            self.statuses,
            self.n_iters,
            strict=True,
        )
        lines = [
            [str(i), f"{a:.4g}", f"{ll:.4f}", str(k), f"{e:.2f}", status, str(n)]
            for i, (a, ll, k, e, status, n) in enumerate(columns)
        ]
        return head, lines

    def __repr__(self) -> str:
        return text_table(*self._cells())

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), caption=f"Path of {len(self.alphas)} fits")

    def estimator(self, index: int) -> Any:
        """Return the fitted estimator at an index of `alphas`; -1 is the weakest penalty."""
        return copy.copy(self._models[index])


def path(
    estimator: CrossEntropyClassifier | MLERegressor,
    X: Any,
    y: Any,
    *,
    alphas: ArrayLike | None = None,
    n_alphas: int = 50,
    eps: float = 1e-3,
    sample_weight: ArrayLike | None = None,
    **offset_or_exposure: ArrayLike,
) -> Path:
    """Fit an estimator under many strengths of its penalty.

    Each fit is the one that ``estimator.set_params(alpha=...).fit(X, y)`` finds, to within `tol`.
    Under an absolute penalty (`l1_ratio` > 0) a fit starts from what the one before it ended with:
    its coefficients, its choice of columns and its hessian.

    Parameters
    ----------
    estimator : CrossEntropyClassifier or MLERegressor
        Its own `alpha` and `warm_start` are not used.
    X : array-like or sparse matrix of shape (n, p)
    y : array-like of shape (n,) or (n, 2)
    alphas : array-like of shape (m,), optional
        Positive strengths, in any order. Default: `n_alphas` strengths in equal ratios; the first
        is the least under which all slopes are zero.
    n_alphas : int, default=50
        Number of the default `alphas`.
    eps : float, default=1e-3
        Ratio of the last of the default `alphas` to the first.
    sample_weight : array-like of shape (n,), optional
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure` of a regressor.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If the estimator has no penalty.
    ValueError
        As the estimator's `fit`; if `alphas`, `n_alphas` or `eps` is out of its range; if `alphas`
        is None and `l1_ratio` is 0, as no strength then makes all slopes zero.

    Warns
    -----
    FitWarning
        Once, if some fits are not at an interior maximum.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via
    coordinate descent, Journal of Statistical Software 33.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> lasso = skmle.CrossEntropyClassifier(l1_ratio=1.0)
    >>> found = skmle.path(lasso, scale(X), y, n_alphas=4, eps=0.01)
    >>> print(found.coefs.shape, found.n_parameters)
    (4, 1, 30) [ 1  5  9 14]
    >>> aic = 2 * found.n_parameters - 2 * found.log_likelihoods
    >>> print(found.estimator(int(aic.argmin())).status_)
    interior
    """
    if not isinstance(estimator, (CrossEntropyClassifier, MLERegressor)):
        raise TypeError(
            f"path: {type(estimator).__name__} has no penalty. Allowed: CrossEntropyClassifier, "
            "MLERegressor. Give one of them, without the pipeline around it."
        )
    strengths = _checked(estimator, alphas, n_alphas, eps)
    blank = clone(estimator).set_params(alpha=1.0, warm_start=False)
    prepared = blank._prepare(X, y, sample_weight, **offset_or_exposure)
    if not any(term.size for term in prepared.problem.terms):
        raise ValueError(
            "path: no parameter depends on a column of X. Allowed: at least one slope. Mend "
            "features."
        )
    values, fits = fit_path(
        prepared.problem,
        lambda alpha: blank._penalties(alpha, prepared.problem.family),
        strengths,
        eps,
        n_alphas,
    )
    models = []
    for alpha, result in zip(values, fits, strict=True):
        model = copy.copy(blank).set_params(alpha=float(alpha), warm_start=estimator.warm_start)
        model._store(result, prepared)
        models.append(model)
    _warn(values, models)
    return Path(
        alphas=values,
        coefs=np.array([model.coef_ for model in models]),
        intercepts=np.array([model.intercept_ for model in models]),
        log_likelihoods=np.array([model.log_likelihood_ for model in models]),
        n_parameters=np.array([model.n_parameters_ for model in models], np.intp),
        effective_parameters=np.array([model.effective_parameters_ for model in models]),
        statuses=[model.status_ for model in models],
        distances=np.array([model.distance_ for model in models]),
        n_iters=np.array([model.n_iter_ for model in models], np.intp),
        _models=models,
    )


def _checked(estimator: Any, alphas: ArrayLike | None, n_alphas: int, eps: float) -> Array | None:
    """Return the strengths given, the largest first; None if the default ones are to be made."""
    if alphas is None:
        if not isinstance(n_alphas, (int, np.integer)) or n_alphas < 1:
            raise ValueError(
                f"path: n_alphas={n_alphas!r} is not allowed; give a positive whole number."
            )
        if not 0.0 < eps < 1.0:
            raise ValueError(
                f"path: eps={eps!r} is not allowed; give a number between 0 and 1, such as 1e-3."
            )
        if estimator.l1_ratio == 0:
            raise ValueError(
                "path: under l1_ratio=0 no alpha makes all slopes zero. Allowed: l1_ratio > 0, or "
                "alphas. Give alphas."
            )
        return None
    values = np.sort(np.asarray(alphas, float).ravel())[::-1]
    if not len(values) or not (np.isfinite(values).all() and values[-1] > 0.0):
        wrong = next((float(v) for v in values if not (np.isfinite(v) and v > 0.0)), "none")
        raise ValueError(
            f"path: alphas holds {wrong}. Allowed: positive, finite numbers. Leave the others out."
        )
    return values


def _warn(alphas: Array, models: Sequence[Any]) -> None:
    """Warn once, if some fits are not at an interior maximum."""
    bad = [
        (alpha, model.status_)
        for alpha, model in zip(alphas, models, strict=True)
        if model.status_ != INTERIOR
    ]
    if not bad:
        return
    shown = ", ".join(f"{status} at alpha = {alpha:.3g}" for alpha, status in bad[:_SHOWN])
    shown += ", ..." if len(bad) > _SHOWN else ""
    warnings.warn(
        f"path: {len(bad)} of {len(models)} fits are not at an interior maximum: {shown}. They "
        "are returned as they are. Leave out the weakest penalties, or fit one alone, to read why.",
        FitWarning,
        stacklevel=3,
    )
