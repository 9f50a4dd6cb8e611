"""Leave-one-out: log q of each row under the fit without it, from one fit.

One step of Newton's leads from the fit of all rows to that without a row, and is near enough for
most. Its error grows as the cube of the distance that the coefficients move; the rows that move
them farthest are fitted again without each, until what is left of the error does not matter.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import _num_samples, check_consistent_length

from skmle._any_model.held_out import Fold, HeldOut
from skmle._any_model.log_prob import row_log_prob
from skmle._any_model.rows import part, without
from skmle._any_model.unwrap import unwrap
from skmle._engine.verdict import BOUNDARY, INTERIOR
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.messages import level_outside
from skmle._shared.offset import check_beside
from skmle._shared.penalties import strength_of
from skmle.exceptions import FitWarning, ScoreWarning
from skmle.inference.show import html_table, text_table

__all__ = ["LeaveOneOut", "loo"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

METHODS = ("approximate", "exact")
_SHOWN = 5  # rows that a warning names, at most; chosen for reading

# The error of a step is estimated as _CUBE d^3 (1 + _LEVER h^2) / sqrt(n), for a distance of d
# standard errors and a leverage h. The factors bound the errors of tests/inference/test_loo.py:
# 13 regressions and classifiers and 7 densities of 50, 100 and 300 rows, of which the Poisson law
# needs 0.5, the gamma law 1 and four classes 2; a leverage of 0.7 on the dispersion of counts 12.
_CUBE, _LEVER = 2.0, 10.0


@dataclass(frozen=True, eq=False, repr=False)
class LeaveOneOut:
    """Rows by their log-likelihood under fits without them.

    ``float(result)`` is the mean.

    Attributes
    ----------
    log_probs : ndarray of shape (n,)
        log q of each row, in nats, under the fit without it.
    log_likelihood : float
        Their (weighted) mean: an estimate of the score of new rows.
    standard_error : float
        Of the mean, the rows being independent.
    effective_parameters : float
        What leaving out costs in all: the log-likelihood of the fit less the sum of `log_probs`.
        If the law holds, it is about the number of parameters.
    distances : ndarray of shape (n,)
        How far leaving out each row moves the coefficients, in standard errors.
    leverages : ndarray of shape (n,)
        Share of the row's own curvature that is the row's.
    refitted : ndarray of int
        The rows for which the model was fitted again.
    """

    log_probs: Array
    log_likelihood: float
    standard_error: float
    effective_parameters: float
    distances: Array = field(repr=False)
    leverages: Array = field(repr=False)
    refitted: Index = field(repr=False)
    title: str = ""

    def __float__(self) -> float:
        return self.log_likelihood

    def _header(self) -> list[str]:
        n, again = len(self.log_probs), len(self.refitted)
        how = "fits without each" if again == n else f"one fit, and {again} without a row"
        return [f"Leave-one-out of {self.title}, nats", f"{n} rows, by {how}"]

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        return ["", "estimate", "s.e."], [
            ["mean log-likelihood", f"{self.log_likelihood:.4f}", f"{self.standard_error:.4f}"],
            ["effective parameters", f"{self.effective_parameters:.2f}", ""],
        ]

    def __repr__(self) -> str:
        return "\n".join([*self._header(), text_table(*self._cells())])

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), caption=" – ".join(self._header()))


def loo(
    estimator: Any,
    X: Any,
    y: Any = None,
    sample_weight: ArrayLike | None = None,
    *,
    method: str = "approximate",
    weights: str = "repeats",
    tol: float = 1e-3,
    **offset_or_exposure: ArrayLike,
) -> LeaveOneOut:
    """Return log q of each row under the fit without it, from the fit of all rows.

    Parameters
    ----------
    estimator : fitted estimator
        One of skmle's, alone, at the end of a Pipeline, in a search or in a FrozenEstimator.
        Transformers before it stay as they were fitted to all rows.
    X, y, sample_weight : array-like
        The rows of the fit.
    method : {"approximate", "exact"}, default="approximate"
        One step of Newton's for each row, and new fits for those that it may not be near enough
        for; or a new fit for each.
    weights : {"repeats", "factors"}, default="repeats"
        Whether a weight is that many rows, of which one is left out, or a factor of one row's
        log-likelihood, which is left out with its factor.
    tol : float, default=1e-3
        In nats. Rows are fitted without until the estimated error of the mean is below it; inf: no
        row is, but where the step leads nowhere.
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure` of a regressor's rows, if fit was given them beside X.

    Returns
    -------
    LeaveOneOut
        Print it; ``float()`` is the mean.

    Raises
    ------
    TypeError
        If the model at the end is not one of skmle's.
    ValueError
        If the fit is at no regular maximum, has an absolute penalty or a law with cusps, for which
        a step says nothing and ``method="exact"`` is the way; if X and y are not the rows of the
        fit.

    Warns
    -----
    FitWarning
        Once, if some of the new fits do not end where that of all rows did.

    See Also
    --------
    compare : Models side by side; ``cv="loo"`` is this.

    Notes
    -----
    The strength `alpha` is that of the fit, per row; so are class weights: those of "balanced"
    would change a little with each row.

    References
    ----------
    Stone (1977), An asymptotic equivalence of choice of model by cross-validation and Akaike's
    criterion, J. R. Stat. Soc. B 39.
    Rad & Maleki (2020), A scalable estimate of the out-of-sample prediction error via approximate
    leave-one-out cross-validation, J. R. Stat. Soc. B 82.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = skmle.MLERegressor("gamma").fit(X, y)
    >>> result = skmle.loo(model, X, y)
    >>> print(round(result.log_likelihood, 4), round(result.standard_error, 4))
    -5.3875 0.037
    >>> print(round(result.effective_parameters, 1), model.n_parameters_, len(result.refitted))
    11.3 12 0
    """
    _check(method, weights, tol)
    model, seen = unwrap(estimator, X)
    if not isinstance(model, LikelihoodEstimator):
        raise TypeError(
            f"loo: {type(model).__name__} has no curvature of its likelihood to step by. Allowed: "
            "skmle's estimators, alone or at the end of a Pipeline. Use skmle.compare(..., "
            "cv='loo'), which fits other models once a row."
        )
    check_beside("loo", model, offset_or_exposure, ("sample_weight", "method", "tol"))
    rows = _Rows(model, seen, y, sample_weight, offset_or_exposure)
    at_fit = row_log_prob(model, seen, y, **offset_or_exposure)
    n = len(at_fit)
    loss, leverages, distances = np.zeros((3, n))
    again = np.flatnonzero(rows.weight > 0.0)
    if method == "approximate":
        counted, found = _steps(rows, weights)
        loss[counted], leverages[counted], distances[counted] = found
        again = counted[_far(found, rows.weight[counted], tol)]
    values = at_fit - loss
    if len(again):
        values[again] = rows.left_out(again, weights == "repeats")
    held = all_at_once(seen, y, None if sample_weight is None else rows.weight)
    with np.errstate(invalid="ignore"):  # of rows that are impossible in any case
        cost = float(rows.weight @ np.where(rows.weight > 0.0, at_fit - values, 0.0))
    return LeaveOneOut(
        log_probs=values,
        log_likelihood=held.mean(values),
        standard_error=held.spread(values, "rows").error,
        effective_parameters=cost,
        distances=distances,
        leverages=leverages,
        refitted=again,
        title=type(model).__name__,
    )


def all_at_once(X: Any, y: Any, weight: Array | None) -> HeldOut:
    """Return rows that are all held out, each alone."""
    check_consistent_length(X, y, weight)
    return HeldOut([Fold(np.zeros(0, np.intp), np.arange(_num_samples(X)))], None, weight)


def _check(method: Any, weights: Any, tol: Any) -> None:
    for name, value, allowed in (
        ("method", method, METHODS),
        ("weights", weights, ("repeats", "factors")),
    ):
        if value not in allowed:
            raise ValueError(
                f"loo: {name}={value!r} is not known. Allowed: {', '.join(map(repr, allowed))}. "
                "Choose one of them."
            )
    if isinstance(tol, bool) or not isinstance(tol, numbers.Real) or not float(tol) > 0.0:
        raise ValueError(
            f"loo: tol={tol!r} is not allowed. Allowed: a positive number of nats, or inf. Leave "
            "it out for 1e-3."
        )


# ---------------------------------------------------------------- by steps


def steps_lead(model: LikelihoodEstimator) -> str:
    """Return why one step of Newton's says nothing of a fitted model; "" if it does."""
    if strength_of(model) * getattr(model, "l1_ratio", 0.0) > 0.0:
        return "an absolute penalty holds coefficients at zero, which a step would leave"
    if any(fit.family.kinked for fit in model._fits):
        return "the law has cusps, where there is no curvature to step by"
    if model.status_ not in (INTERIOR, BOUNDARY):
        return f"the fit has the status {model.status_}, which is no regular maximum"
    return ""


def _steps(rows: _Rows, weights: str) -> tuple[Index, Array]:
    """Return the rows that count, and their losses, leverages and distances, (3, rows)."""
    model = rows.model
    if why := steps_lead(model):
        raise ValueError(
            f"loo: no steps from this {type(model).__name__}, as {why}. Allowed: regular maxima "
            "of smooth laws, with a ridge or without. Set method='exact', which fits once a row."
        )
    try:
        every, mask = model._evidences(
            rows.X, rows.y, rows.given, weights, dict(rows.beside), "loo"
        )
        each = [evidence.left_out() for evidence in every]
    except np.linalg.LinAlgError:
        raise ValueError(
            f"loo: the information matrix of this {type(model).__name__} has no inverse. Allowed: "
            "data that determine all coefficients. Leave out columns, or set method='exact'."
        ) from None
    loss = np.sum([one.loss for one in each], axis=0)
    leverage = np.sum([one.leverage for one in each], axis=0)
    distance = np.sqrt(np.sum([one.distance**2 for one in each], axis=0))
    counted = np.arange(len(loss)) if mask is None else np.flatnonzero(mask)
    return counted, np.stack([loss, leverage, distance])


def _far(found: Array, weight: Array, tol: float) -> Index:
    """Return the rows to be fitted without, so that the error of the mean is below `tol`."""
    _, leverage, distance = found
    mass = float(weight.sum())
    with np.errstate(all="ignore"):
        error = _CUBE * distance**3 * (1.0 + _LEVER * leverage**2) / np.sqrt(mass)
    error = np.where(np.isfinite(found).all(axis=0), error, np.inf)
    order = np.argsort(error, kind="stable")
    near = np.cumsum((error * weight)[order]) / mass <= tol
    near &= np.isfinite(error[order])
    return np.sort(order[~near])


# ---------------------------------------------------------------- by fits


class _Rows(NamedTuple):
    """The rows of a fit, which can be fitted again without one of them."""

    model: Any
    X: Any
    y: Any
    given: ArrayLike | None
    """The weights as they were given."""
    beside: Mapping[str, ArrayLike]
    """Offset and exposure."""

    @property
    def weight(self) -> Array:
        """The weight of each row."""
        n = _num_samples(self.X)
        return np.ones(n) if self.given is None else np.asarray(self.given, float) * np.ones(n)

    def left_out(self, rows: Index, repeats: bool) -> Array:
        """Return log q of some rows under fits without them."""
        blank = clone(self.model).set_params(**_as_fitted(self.model))
        values, ends = np.empty(len(rows)), []
        with warnings.catch_warnings():
            # One warning says it of all.
            warnings.simplefilter("ignore", FitWarning)
            warnings.simplefilter("ignore", ScoreWarning)
            for j, i in enumerate(rows):
                model = self._without(clone(blank), int(i), repeats)
                own = self._some(np.array([i]))
                values[j] = row_log_prob(model, own.X, own.y, **own.beside)[0]
                ends.append(model.status_)
        self._tell(rows, values, ends)
        return values

    def _without(self, model: Any, i: int, repeats: bool) -> Any:
        """Return a model fitted to all rows but one, or to one repeat less of it."""
        given = None if self.given is None else self.weight
        keep, weight = without(i, _num_samples(self.X), given, repeats)
        rest = self._some(keep)
        return model.fit(rest.X, rest.y, sample_weight=weight, **rest.beside)

    def _some(self, rows: Index) -> _Rows:
        beside = {
            name: values if np.ndim(values) == 0 else np.asarray(values)[rows]
            for name, values in self.beside.items()
        }
        return self._replace(X=part(self.X, rows), y=part(self.y, rows), beside=beside)

    def _tell(self, rows: Index, values: Array, ends: Sequence[str]) -> None:
        """Warn once if some fits ended elsewhere than that of all rows, or make rows impossible."""
        usual = self.model.status_
        other = [(int(i), end) for i, end in zip(rows, ends, strict=True) if end != usual]
        impossible = rows[np.isneginf(values)]
        if not other and not len(impossible):
            return
        told = [f"status {end} without row {i}" for i, end in other[:_SHOWN]]
        told += [f"row {i} is impossible without itself" for i in impossible[:_SHOWN]]
        warnings.warn(
            f"loo: of {len(rows)} fits without a row, {len(other)} did not end as that of all "
            f"rows ({usual}), and {len(impossible)} make it impossible: {', '.join(told)}. Allowed "
            "are fits that a single row does not decide. Look at these rows, or set alpha > 0.",
            FitWarning,
            stacklevel=level_outside(),
        )


def _as_fitted(model: Any) -> dict[str, Any]:
    """Return the settings that fit other rows as a model was fitted."""
    held: dict[str, Any] = {}
    if "alpha" in model.get_params(deep=False):
        held["alpha"] = strength_of(model)
    if "warm_start" in model.get_params(deep=False):
        held["warm_start"] = False
    return held
