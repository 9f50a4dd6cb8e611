"""Choosing among models: held-out log-likelihoods side by side, with criteria where there are any.

Each criterion is a function of a fitted model in `_CRITERIA`; a new one is one more line there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import _num_samples

from skmle._any_model.held_out import (
    Fold,
    HeldOut,
    check_kind,
    fitted,
    folds_of,
    log_prob_of_rows,
    part,
)
from skmle._any_model.scales import check_comparable, is_conditional
from skmle._any_model.unwrap import last_step, name_of, unwrap
from skmle._shared.estimator import LikelihoodEstimator
from skmle.inference.show import as_frame, html_table, printable, text_table

__all__ = ["Comparison", "compare"]

Array = NDArray[np.float64]


class Whole(NamedTuple):
    """A model fitted to all rows, as a criterion sees it."""

    aic: float
    log_likelihood: float
    n_rows: int

    @property
    def n_parameters(self) -> float:
        """The effective number of parameters: half of what AIC adds."""
        return 0.5 * self.aic + self.log_likelihood


def _aicc(model: Whole) -> float:
    k, rest = model.n_parameters, model.n_rows - model.n_parameters - 1.0
    return model.aic + 2.0 * k * (k + 1.0) / rest if rest > 0.0 else float("inf")


_CRITERIA: dict[str, Callable[[Whole], float]] = {
    "aic": lambda model: model.aic,
    "aicc": _aicc,
    "bic": lambda model: (
        float(np.log(model.n_rows)) * model.n_parameters - 2.0 * model.log_likelihood
    ),
}
_TITLES = {"aic": "AIC", "aicc": "AICc", "bic": "BIC"}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Models by their held-out log-likelihood, the best first.

    Attributes
    ----------
    names : list of str
    log_likelihoods : ndarray of shape (models,)
        The mean over the rows held out, in nats per row; higher is better.
    differences : ndarray of shape (models,)
        That of the best model minus it, >= 0: the nats per row that are lost by it.
    standard_errors : ndarray of shape (models,)
        Of the differences, row by row; nan for the best.
    criteria : dict of str to ndarray of shape (models,)
        "aic", "aicc", "bic" and "weight", Akaike's, of the models fitted to all rows; nan for those
        that have none. Lower is better, but for the weight.
    log_probs : ndarray of shape (models, values)
        Of each row held out, in the order of `rows`.
    rows : ndarray of int of shape (values,)
        The number of the row of each value.
    """

    names: Sequence[str]
    log_likelihoods: Array
    differences: Array
    standard_errors: Array
    criteria: Mapping[str, Array]
    log_probs: Array = field(repr=False)
    rows: NDArray[np.intp] = field(repr=False)
    header: Sequence[str] = ()

    def tidy(self) -> Any:
        """Return the table as a DataFrame if pandas is installed, else as a dict of arrays.

        Columns: model, log_likelihood, difference, std_error, aic, aicc, bic, weight.
        """
        return as_frame(
            {
                "model": np.array(self.names, object),
                "log_likelihood": self.log_likelihoods,
                "difference": self.differences,
                "std_error": self.standard_errors,
                **self.criteria,
            }
        )

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        known = {name: v for name, v in self.criteria.items() if not np.isnan(v).all()}
        head = ["", "log-likelihood", "difference", "s.e."]
        head += [_TITLES.get(name, name) for name in known]
        places = [4, 4, 4, *(3 if name == "weight" else 2 for name in known)]
        columns = [self.log_likelihoods, self.differences, self.standard_errors, *known.values()]
        lines = []
        for i, name in enumerate(self.names):
            numbers = [_number(v[i], digits) for v, digits in zip(columns, places, strict=True)]
            lines.append([printable(name), *numbers])
        return head, lines

    def __repr__(self) -> str:
        return "\n".join([*self.header, text_table(*self._cells())])

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), caption=" – ".join(self.header))


def _number(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def compare(
    models: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: ArrayLike | None = None,
    *,
    cv: Any = 5,
    groups: ArrayLike | None = None,
    std_error: str = "rows",
    criteria: bool = True,
    random_state: Any = 0,
) -> Comparison:
    """Compare models by their log-likelihood of rows held out, the same for all.

    Parameters
    ----------
    models : dict of str to estimator, or sequence of estimators
        Models of y given X, or densities of X: whatever `skmle.log_prob` knows, alone, in a
        Pipeline or in a search. They are cloned and fitted once a fold. Those of a sequence are
        named by their classes.
    X : array-like, sparse matrix or data frame of shape (n, p)
    y : array-like of shape (n,), optional
        None for densities.
    cv : int, splitter or iterable, default=5
        A number of folds, which are shuffled, and stratified for classifiers; or as in
        scikit-learn.
    groups : array-like of shape (n,), optional
        Rows that belong together. They are kept in one fold, and standard errors are of groups.
    std_error : {"rows", "folds"}, default="rows"
        Whether rows are independent, for stable learners, or the variance between folds counts:
        see `skmle.information.information_gain`.
    criteria : bool, default=True
        Whether to fit each model to all rows, too, for AIC, AICc, BIC and Akaike's weights.
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    Comparison
        Print it, or take `tidy()`.

    Raises
    ------
    ValueError
        If the log-likelihoods are not on one scale: a density of y beside probabilities of labels,
        densities of rows that are transformed differently, densities of X beside models of y. If a
        model is frozen, or gives other rows than it was asked about.
    TypeError
        If a model does not tell the law of what it predicts, as behind a transformed target, whose
        Jacobian is not known.

    See Also
    --------
    skmle.metrics.log_likelihood_score : The log-likelihood of one model.
    skmle.information.information_gain : What features gain over none.

    Notes
    -----
    The rows are hard or easy for all models alike, so the standard error of a difference, taken row
    by row, is far smaller than that of a log-likelihood. A difference of less than two standard
    errors may be one of these rows alone. That the best model is chosen by the same rows makes it
    look better than it is, a little, if there are many models.

    Criteria are of the rows that were fitted. Models behind a search have none, as they do not
    count what was searched. Weights are exp(-AIC/2) in shares, of the models that have an AIC.

    References
    ----------
    Vehtari, Gelman & Gabry (2017), Practical Bayesian model evaluation using leave-one-out
    cross-validation and WAIC, Statistics and Computing 27 (differences row by row).
    Bayle, Bayle, Janson & Mackey (2020), Cross-validation confidence intervals for test error,
    NeurIPS 33.
    Burnham & Anderson (2002), Model Selection and Multimodel Inference, 2nd ed., ch. 2.

    Examples
    --------
    >>> import skmle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> models = {family: skmle.MLERegressor(family) for family in ("normal", "gamma", "lognormal")}
    >>> print(skmle.compare(models | {"ridge": BayesianRidge()}, X, y))
    Log-likelihood of y given X, nats per row
    442 rows held out by 5 folds
    --------------------------------------------------------------------------------
               log-likelihood  difference    s.e.      AIC     AICc      BIC  weight
    --------------------------------------------------------------------------------
        gamma         -5.3805      0.0000          4763.89  4764.62  4812.99   1.000
    lognormal         -5.4085      0.0280  0.0088  4785.07  4785.80  4834.17   0.000
       normal         -5.4200      0.0395  0.0209  4795.99  4796.71  4845.08   0.000
        ridge         -5.4200      0.0395  0.0211
    --------------------------------------------------------------------------------
    """
    check_kind(std_error)
    named = _named(models)
    about_y = _about_y(named, y)
    y = y if about_y else None
    labels = any(map(is_classifier, named.values()))
    folds = folds_of(cv, X, y, groups=groups, labels=labels, seed=random_state)
    held = HeldOut(folds, None if groups is None else np.asarray(groups))
    log_probs = held.collect(lambda fold: _judged(named, X, y, fold))
    means = np.array([held.mean(values) for values in log_probs])
    order = np.argsort(-means, kind="stable")
    with np.errstate(invalid="ignore"):  # of rows that are impossible under all models
        losses = log_probs[order[0]] - log_probs[order]
        differences = means[order[0]] - means[order]
    errors = [held.spread(loss, std_error).error for loss in losses[1:]]
    found = _criteria_of(named, X, y) if criteria else {}
    names = [*named]
    return Comparison(
        names=[names[j] for j in order],
        log_likelihoods=means[order],
        differences=differences,
        standard_errors=np.array([np.nan, *errors]),
        criteria={name: values[order] for name, values in found.items()},
        log_probs=log_probs[order],
        rows=held.rows,
        header=[
            f"Log-likelihood of {'y given X' if about_y else 'X'}, nats per row",
            f"{held.n_rows} rows held out by {len(folds)} folds",
        ],
    )


def _named(models: Any) -> dict[str, Any]:
    """Return the models by name; those of a sequence by their classes, numbered if equal."""
    if isinstance(models, Mapping):
        named = {str(name): model for name, model in models.items()}
    else:
        named = {}
        for model in models:
            name = name_of(model)
            family = getattr(last_step(model), "family", None)
            name += f"({family})" if isinstance(family, str) else ""
            count = sum(other.split(" #")[0] == name for other in named)
            named[f"{name} #{count + 1}" if count else name] = model
    if not named:
        raise ValueError(
            "compare: no models were given. Allowed: a dict of name to estimator, or a sequence "
            "of estimators. Give two."
        )
    return named


def _about_y(named: Mapping[str, Any], y: Any) -> bool:
    """Return whether the models are of y given X; ValueError if some are and some are not."""
    about = {name: is_conditional(model) for name, model in named.items()}
    if len(set(about.values())) > 1:
        of_y, of_x = (
            next(n for n, value in about.items() if value is kind) for kind in (True, False)
        )
        raise ValueError(
            f"compare: {of_y} is a model of y given X, and {of_x} a density of X, so their "
            "log-likelihoods are of different things. Allowed: models of one kind. Compare them "
            "apart; a density of y alone beside models of y is information_gain's baseline."
        )
    about_y = all(about.values())
    if about_y and y is None:
        raise ValueError(
            f"compare: y is missing, and {next(iter(named))} is a model of y given X. Allowed: "
            "y=None for densities of X. Give y."
        )
    return about_y


def _judged(named: Mapping[str, Any], X: Any, y: Any, fold: Fold) -> list[Array]:
    """Return log q of the rows that a fold holds out, under each model fitted to the others."""
    (seen, y_seen), (new, y_new) = ((part(X, rows), part(y, rows)) for rows in fold)
    models = {name: fitted(model, seen, y_seen) for name, model in named.items()}
    check_comparable(models, new, y_new)
    return [log_prob_of_rows(model, new, y_new) for model in models.values()]


# ---------------------------------------------------------------- criteria


def _criteria_of(named: Mapping[str, Any], X: Any, y: Any) -> dict[str, Array]:
    """Return the criteria of each model fitted to all rows, and Akaike's weights."""
    whole = [_whole(model, X, y) for model in named.values()]
    found = {
        name: np.array([np.nan if model is None else rule(model) for model in whole])
        for name, rule in _CRITERIA.items()
    }
    aic = found["aic"]
    if not np.isnan(aic).all():
        share = np.exp(-0.5 * (aic - np.nanmin(aic)))
        found["weight"] = share / np.nansum(share)
    return found


def _whole(model: Any, X: Any, y: Any) -> Whole | None:
    """Return a model fitted to all rows; None if it has no AIC of these rows."""
    last = last_step(model)
    ours = isinstance(last, LikelihoodEstimator)
    # Of scikit-learn, mixtures have an AIC, and only densities are asked.
    if not (ours or (y is None and callable(getattr(last, "aic", None)))):
        return None
    model = fitted(model, X, y)
    inner, seen = unwrap(model, X)
    n = _num_samples(X)
    if ours and inner.weight_sum_ != n:  # a step has left out rows, or has made some
        return None
    try:
        aic = inner.aic() if ours else inner.aic(seen)
    except ValueError:  # class weights, or a penalty whose curvature is not known
        return None
    return Whole(aic, float(log_prob_of_rows(model, X, y).sum()), n)
