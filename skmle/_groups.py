"""Many fits at once: one estimator fitted to each group of rows."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skmle._any_model.log_prob import check_offset
from skmle._engine.batch import fit_many
from skmle._engine.data.observed import observe
from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Problem
from skmle._engine.verdict import INTERIOR, INTERRUPTED
from skmle._group_fits import GroupFits, Together
from skmle._shared.estimator import LikelihoodEstimator, check_settings
from skmle._shared.grouping import RowsByGroup, grouping_of, in_words
from skmle._shared.samples import as_table, samples_of
from skmle._shared.validation import adapted, check_support, positive_weights
from skmle.classifier import CrossEntropyClassifier
from skmle.distribution import MLEDistribution
from skmle.exceptions import FitWarning
from skmle.families import get_family
from skmle.families.wrappers.fixed import fix
from skmle.regressor import MLERegressor

__all__ = ["GroupFits", "fit_groups"]


def fit_groups(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any,
    sample_weight: ArrayLike | None = None,
    **offset_or_exposure: ArrayLike,
) -> GroupFits:
    """Fit an estimator to each group of rows, all groups at once.

    The fits are those that ``clone(estimator).fit(X[groups == g], y[groups == g])`` finds, with the
    same statuses. Where a group has a clear maximum it is found together with those of the others,
    by Newton's method on all of them, in a small part of the time; every other group is fitted by
    itself. No fit raises an error: `status_` and `message_` say what has become of each group. But
    values that the law refuses, in whatever group, are refused before anything is fitted.

    Parameters
    ----------
    estimator : MLEDistribution, CrossEntropyClassifier, MLERegressor or OrdinalClassifier
        It is not changed. Groups are fitted together if it has no absolute penalty, no penalty of
        one's own, no class weights, at most two classes, a family that learns nothing from the
        data, links that are the family's own or probit, cloglog or loglog, and a `tol` from 1e-9
        to 1e-6; regressions not by Student's t or the inverse Gaussian, and where a second
        parameter has slopes, groups of more than 15 rows a coefficient. Groups of more than 5000
        rows times coefficients are fitted by themselves.
    X : array-like or sparse matrix of shape (n, p)
        Sparse data are fitted group by group.
    y : array-like of shape (n,), optional
    groups : array-like of shape (n,), str, or "columns"
        The group of each row; or the column of a data frame X that holds it, and is then no
        feature. "columns" fits a density to each column of X, unless X has a column of that name.
    sample_weight : array-like of shape (n,), optional
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure` of a regressor.

    Returns
    -------
    GroupFits

    Raises
    ------
    TypeError
        If the estimator is of another kind.
    ValueError
        If the settings or the data of all groups together are refused by the estimator's `fit`, or
        `groups` is.

    Warns
    -----
    FitWarning
        Once, if some groups are not at an interior maximum.

    Examples
    --------
    >>> import numpy as np
    >>> import skmle
    >>> rng = np.random.default_rng(0)
    >>> shop = np.repeat(["north", "south"], 200)
    >>> X = rng.normal(size=(400, 1))
    >>> y = rng.poisson(np.exp(1.0 + np.where(shop == "north", 0.5, -0.2) * X[:, 0]))
    >>> fits = skmle.fit_groups(skmle.MLERegressor("poisson"), X, y, groups=shop)
    >>> print(*fits.status_)
    interior interior
    >>> table = fits.tidy()
    >>> for group, term, estimate in zip(table["group"], table["term"], table["estimate"]):
    ...     print(group, term, round(estimate, 2))
    north x0 0.5
    north intercept 1.01
    south x0 -0.14
    south intercept 0.93
    >>> print(fits.predict([[1.0], [1.0]], ["north", "south"]).round(2))
    [4.52 2.2 ]
    """
    if not isinstance(estimator, LikelihoodEstimator):
        raise TypeError(
            f"fit_groups: {type(estimator).__name__} is none of skmle's estimators. Allowed: "
            "MLEDistribution, CrossEntropyClassifier, MLERegressor, OrdinalClassifier. Give one of "
            "them, without the pipeline around it."
        )
    blank = clone(estimator)
    by = groups if isinstance(groups, str) else None
    by_column = by == "columns" and by not in [str(c) for c in getattr(X, "columns", ())]
    rest: dict[str, Any] = dict(offset_or_exposure)
    if sample_weight is not None:
        rest["sample_weight"] = sample_weight
    codes: NDArray[np.intp] | None = None
    if by_column:
        _check_columns(blank, y)
    else:
        labels, codes, X = grouping_of(blank, X, groups)
    check_offset(blank, offset_or_exposure)
    posed = _posed(blank, X, y, rest, by_column)
    if by_column:
        names = getattr(blank, "feature_names_in_", None)
        labels = np.arange(blank.n_features_in_) if names is None else np.asarray(names)
    together = None
    if posed.problem is not None and not hasattr(estimator, "_skl_callbacks"):
        many = fit_many(posed.problem, _codes_of(posed, codes, len(labels)), len(labels))
        together = Together.of(
            _of_one_column(blank, by_column), many, posed.problem, posed.prepared
        )
    result = GroupFits(blank, labels, together, by, by_column)
    left = range(len(labels)) if together is None else np.flatnonzero(~together.many.clear)
    if len(left):
        _fit_each(result, blank, RowsByGroup.by(codes, len(labels), X, y, rest), left)
    _warn(result)
    return result


def _check_columns(blank: Any, y: Any) -> None:
    """Raise ValueError if the columns of X cannot be groups."""
    if not isinstance(blank, MLEDistribution) or y is not None:
        raise ValueError(
            "fit_groups: groups='columns' was given with a model of y, or X has no column of that "
            "name. Allowed: MLEDistribution without y, of whose X each column is then a group. "
            "Give one group a row."
        )
    if get_family(blank.family).observation.columns != 1:
        raise ValueError(
            f"fit_groups: groups='columns', but an observation of {get_family(blank.family).title} "
            "has several columns. Allowed: families of one column. Give one group a row."
        )


def _of_one_column(blank: Any, by_column: bool) -> Any:
    """Return the estimator as it is for one group: of all columns, or of one that has no name."""
    model = copy.copy(blank)
    if by_column:
        model.n_features_in_ = 1
        vars(model).pop("feature_names_in_", None)
    return model


def _codes_of(posed: _Posed, codes: NDArray[np.intp] | None, count: int) -> NDArray[np.intp]:
    """Return the group of each row of a problem."""
    assert posed.problem is not None
    if codes is None:  # columns, one below the other
        return np.repeat(np.arange(count), posed.problem.observed.n // count)
    return codes if posed.counting is None else codes[posed.counting]


def _fit_each(
    result: GroupFits, blank: Any, rows: RowsByGroup, left: Sequence[int] | NDArray[np.intp]
) -> None:
    """Fit the groups that are left, one by one."""
    for g in map(int, left):
        X, y, rest = rows.of(g)
        if not (X.shape[0] if hasattr(X, "shape") else len(X)):
            result._enter(g, None, "the group has no rows")
            continue
        model = clone(blank)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                model.fit(X, *(() if y is None else (y,)), **rest)
            except ValueError as error:
                result._enter(g, None, str(error))
                continue
        if model.status_ == INTERRUPTED:
            raise KeyboardInterrupt  # The groups after this one would have no fit.
        words = [str(one.message) for one in told if issubclass(one.category, FitWarning)]
        result._enter(g, model, " ".join(words))


def _warn(result: GroupFits) -> None:
    """Warn once, if some groups are not at an interior maximum."""
    bad = np.flatnonzero(result.status_ != INTERIOR)
    if not len(bad):
        return
    counts = ", ".join(f"{n} {status}" for status, n in result._counts() if status != INTERIOR)
    warnings.warn(
        f"fit_groups: {len(bad)} of {len(result)} groups are not at an interior maximum: {counts} "
        f"(groups {in_words(list(result.groups_[bad]))}). They are returned as they are. "
        "`glance()` says why, group by group.",
        FitWarning,
        stacklevel=3,
    )


# ---------------------------------------------------------------- what is asked


class _Posed(NamedTuple):
    """The fits of all groups as one problem of the engine."""

    problem: Problem | None
    """Of all rows that count; None if the groups have to be fitted one by one."""
    counting: NDArray[np.bool_] | None
    """Which rows count; None: all."""
    prepared: Any = None
    """What the estimator has made of its data, if it is no density."""


def _posed(model: Any, X: Any, y: Any, rest: dict[str, Any], by_column: bool) -> _Posed:
    """Return the fits of all groups as one problem, after a check of settings and data."""
    weight = rest.get("sample_weight")
    if isinstance(model, MLEDistribution):
        return _posed_density(model, X, y, weight, by_column)
    if not isinstance(model, (CrossEntropyClassifier, MLERegressor)):
        return _Posed(None, None)
    prepared: Any = model._prepare(X, y, **{"sample_weight": None, **rest})  # type: ignore[arg-type]
    problem = prepared.problem
    if isinstance(model, MLERegressor):
        # A law that learns from its data learns in each group by itself.
        family = get_family(model.family)
        together = family.adapt(np.asarray(prepared.y, np.float64)) is family
    else:
        together = len(prepared.classes) == 2 and bool(prepared.present.all())
        together = together and model.class_weight is None
    return _Posed(problem if together else None, prepared.mask, prepared)


def _posed_density(model: Any, X: Any, y: Any, weight: Any, by_column: bool) -> _Posed:
    family = get_family(model.family)
    check_settings(model)
    X = model._rows(X if by_column else as_table(X, y, family), family, reset=True)
    weight, counting = positive_weights(weight, X)
    rows = X if counting is None else X[counting]
    samples = samples_of(rows, family, getattr(model, "feature_names_in_", None))
    learnt = [adapted(family, sample, f"MLEDistribution, {name}") for sample, name in samples]
    laws = [fix(law, model.fixed) if model.fixed else law for law in learnt]
    for law, (sample, name) in zip(laws, samples, strict=True):
        check_support(law, sample, name, counting)
    if any(law is not family for law in learnt) or (len(samples) > 1 and not by_column):
        return _Posed(None, counting)
    observed = [sample for sample, _ in samples]
    problem = model._problem(
        laws[0],
        observe(
            laws[0],
            observed[0] if len(samples) == 1 else np.concatenate(observed),
            weight if weight is None else np.tile(weight, len(samples)),
        ),
        (Term(None, 0),) * len(laws[0].parameters),
    )
    return _Posed(problem, counting)
