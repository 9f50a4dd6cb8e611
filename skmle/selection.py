"""Choosing among models: held-out log-likelihoods side by side, and criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier

from skmle._any_model.criteria import TITLES, criteria_of
from skmle._any_model.held_out import (
    Fold,
    HeldOut,
    check_kind,
    folds_of,
)
from skmle._any_model.rows import Rows
from skmle._any_model.scales import check_kinds, common_scale, is_conditional
from skmle._any_model.unwrap import last_step, name_of, unwrap
from skmle._loo import all_at_once, loo, steps_lead
from skmle._shared.estimator import LikelihoodEstimator
from skmle.distribution import MLEDistribution
from skmle.families import Family
from skmle.families.tools.numbered import numbered
from skmle.inference.show import as_frame, html_table, printable, text_table
from skmle.regressor import MLERegressor

__all__ = ["Comparison", "compare"]

Array = NDArray[np.float64]
# What `compare` takes beside X, y, weights, offset and exposure.
_KEYWORDS = ("cv", "groups", "std_error", "criteria", "random_state")


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
        "aic", "aicc", "bic", "tic" (Takeuchi's, which need not trust the law) and "weight",
        Akaike's, of the models fitted to all rows; nan for those that have none. Lower is better,
        but for the weight.
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

        Columns: model, log_likelihood, difference, std_error, aic, aicc, bic, tic, weight.
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
        head += [TITLES.get(name, name) for name in known]
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
    sample_weight: ArrayLike | None = None,
    *,
    cv: Any = 5,
    groups: ArrayLike | None = None,
    std_error: str = "rows",
    criteria: bool = True,
    random_state: Any = 0,
    **offset_or_exposure: ArrayLike,
) -> Comparison:
    """Compare models by their log-likelihood of rows held out, the same for all.

    Parameters
    ----------
    models : dict of str to estimator, or sequence of estimators
        Models of y given X, or densities of X: whatever `skmle.log_prob` knows, alone, in a
        Pipeline or in a search. They are cloned and fitted once a fold. Those of a sequence are
        named by their classes. A family, such as "gamma", is its `MLEDistribution`, or beside a y
        its `MLERegressor`.
    X : array-like, sparse matrix or data frame of shape (n, p)
    y : array-like of shape (n,), optional
        None for densities.
    sample_weight : array-like of shape (n,), optional
        Weights, which the fits are given, too; an integer weight is that many equal rows.
    cv : int, splitter, iterable or "loo", default=5
        A number of folds, which are shuffled, and stratified for classifiers; or as in
        scikit-learn. "loo" leaves out each row alone: by `skmle.loo` from one fit where that is
        possible, by a fit a row where it is not, as for models of others.
    groups : array-like of shape (n,), optional
        Rows that belong together. They are kept in one fold, and standard errors are of groups.
    std_error : {"rows", "folds"}, default="rows"
        Whether rows are independent, for stable learners, or the variance between folds counts:
        see `skmle.information.information_gain`.
    criteria : bool, default=True
        Whether to fit each model to all rows, too, for AIC, AICc, BIC, TIC and Akaike's weights.
    random_state : int, default=0
        Seed of the folds.
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure`, given beside X to all models, which are then `MLERegressor`.

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
        Jacobian is not known; if it takes no offset or exposure, and one was given.

    See Also
    --------
    skmle.metrics.log_likelihood_score : The log-likelihood of one model.
    skmle.information.information_gain : What features gain over none.
    skmle.loo : Leave-one-out of one model.

    Notes
    -----
    The rows are hard or easy for all models alike, so the standard error of a difference, taken row
    by row, is far smaller than that of a log-likelihood. A difference of less than two standard
    errors may be one of these rows alone. That the best model is chosen by the same rows makes it
    look better than it is, a little, if there are many models.

    Where `skmle.loo` is used, the transformers of a pipeline, a strength that was chosen, and what
    a search has chosen are those of all rows.

    Of whole numbers, densities beside models of counts are put on their scale: they are asked for
    the probability that their law rounds to each number. They then have no criteria, as their fits
    were of densities: fit `skmle.families.Rounded` to have these.

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
    -----------------------------------------------------------------------------------------
               log-likelihood  difference    s.e.      AIC     AICc      BIC      TIC  weight
    -----------------------------------------------------------------------------------------
        gamma         -5.3805      0.0000          4763.89  4764.62  4812.99  4761.03   1.000
    lognormal         -5.4085      0.0280  0.0088  4785.07  4785.80  4834.17  4782.84   0.000
       normal         -5.4200      0.0395  0.0209  4795.99  4796.71  4845.08  4794.59   0.000
        ridge         -5.4200      0.0395  0.0211
    -----------------------------------------------------------------------------------------
    """
    check_kind(std_error)
    named = _named(models, y)
    about_y = _about_y(named, y)
    y = y if about_y else None
    labels = any(map(is_classifier, named.values()))
    beside, allowed = offset_or_exposure, ("sample_weight", *_KEYWORDS)
    rows = Rows.of("compare", [*named.values()], X, y, sample_weight, beside, allowed)
    one_by_one = isinstance(cv, str) and cv == "loo"
    if one_by_one:
        _check_alone(groups, std_error)
        held = all_at_once(X, y, rows.weight)
        log_probs = _left_out(named, rows)
    else:
        folds = folds_of(cv, X, y, groups=groups, labels=labels, seed=random_state)
        held = HeldOut(folds, None if groups is None else np.asarray(groups), rows.weight)
        log_probs = held.collect(lambda fold: _judged(named, rows, fold))
    means = np.array([held.mean(values) for values in log_probs])
    order = np.argsort(-means, kind="stable")
    with np.errstate(invalid="ignore"):  # of rows that are impossible under all models
        losses = log_probs[order[0]] - log_probs[order]
        differences = means[order[0]] - means[order]
    errors = [held.spread(loss, std_error).error for loss in losses[1:]]
    found = criteria_of(named, rows) if criteria else {}
    how = "each alone" if one_by_one else f"by {len(held.folds)} folds"
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
            f"{held.n_rows} rows held out {how}",
        ],
    )


def _named(models: Any, y: Any) -> dict[str, Any]:
    """Return the models by name; those of a sequence by their classes, numbered if equal."""
    if isinstance(models, Mapping):
        named = {str(name): _of_family(model, y) for name, model in models.items()}
    else:
        each = [models] if isinstance(models, str) else list(models)
        named = numbered((_class_and_family(model), _of_family(model, y)) for model in each)
    if not named:
        raise ValueError(
            "compare: no models were given. Allowed: a dict of name to estimator, or a sequence "
            "of estimators or families. Give two."
        )
    return named


def _of_family(model: Any, y: Any) -> Any:
    """Return the model of a family that was given alone: a density, or a regression of y."""
    if isinstance(model, (str, Family)) or (isinstance(model, type) and issubclass(model, Family)):
        return MLEDistribution(model) if y is None else MLERegressor(model)
    return model


def _class_and_family(model: Any) -> str:
    """Return the name of a model's class, with its family if that is told by name."""
    if isinstance(model, str):
        return model
    if isinstance(model, type):
        return model.__name__
    family = getattr(last_step(model), "family", None)
    return name_of(model) + (f"({family})" if isinstance(family, str) else "")


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
    if about_y:
        check_kinds(named)  # Before the fits: one of numbers as labels takes long.
    if about_y and y is None:
        raise ValueError(
            f"compare: y is missing, and {next(iter(named))} is a model of y given X. Allowed: "
            "y=None for densities of X. Give y."
        )
    return about_y


def _judged(named: Mapping[str, Any], rows: Rows, fold: Fold) -> list[Array]:
    """Return log q of the rows that a fold holds out, under each model fitted to the others."""
    seen, new = rows.some(fold.train), rows.some(fold.test)
    models = {name: seen.fit(model) for name, model in named.items()}
    rounded = common_scale(models, new.X, new.y)
    return [new.log_prob(model, rounded[name]) for name, model in models.items()]


def _check_alone(groups: Any, std_error: str) -> None:
    if groups is not None or std_error != "rows":
        given = "groups" if groups is not None else f"std_error={std_error!r}"
        raise ValueError(
            f"compare: cv='loo' and {given}, but each row is left out alone. Allowed: folds of "
            "groups, or of many rows. Leave out one of the two."
        )


def _left_out(named: Mapping[str, Any], rows: Rows) -> Array:
    """Return log q of each row under each model fitted without it, (models, n)."""
    models = {name: rows.fit(model) for name, model in named.items()}
    rounded = common_scale(models, rows.X, rows.y)
    found = []
    for name, model in models.items():
        inner = unwrap(model, rows.X)[0]
        at_once = isinstance(inner, LikelihoodEstimator) and not steps_lead(inner)
        if at_once and not rounded[name]:
            beside: dict[str, Any] = dict(rows.beside)
            found.append(loo(model, rows.X, rows.y, rows.weight, **beside).log_probs)
        else:
            found.append(rows.left_out_one_by_one(named[name], rounded[name]))
    return np.stack(found)
