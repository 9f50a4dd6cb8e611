"""Many fits at once: one estimator fitted to each group of rows."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from skmle._engine.batch import fit_many
from skmle._engine.verdict import INTERIOR, INTERRUPTED
from skmle._group_fits import GroupFits
from skmle._group_problems import Together, posed_by_group
from skmle._shared.estimator import LikelihoodEstimator
from skmle._shared.grouping import RowsByGroup, grouping_of, in_words, refused_in_groups
from skmle._shared.offset import check_beside
from skmle._shared.penalties import check_given
from skmle._shared.refused import rows_refused
from skmle.distribution import MLEDistribution
from skmle.exceptions import FitWarning
from skmle.families import get_family

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
    rows that the law refuses are refused before anything is fitted, with their groups.

    Parameters
    ----------
    estimator : MLEDistribution, CrossEntropyClassifier, MLERegressor or OrdinalClassifier
        It is not changed. Groups are fitted together under any family around any family, any number
        of classes, class weights, ridges, offsets and exposures. They are fitted one by one under
        absolute penalties, penalties of one's own, links other than the family's own, probit,
        cloglog or loglog, and a `tol` outside 1e-9 to 1e-6; and so are laws with cusps or moving
        ends (Laplace, uniform), mixtures, laws of scipy that learn from the data, thresholds
        (`Shifted`), regressions by Student's t or the inverse Gaussian, those with slopes in a
        second parameter in groups of up to 15 rows a coefficient, and groups of more than 5000 rows
        times coefficients.
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
        If the settings or the data of all groups together are refused by the estimator's `fit`,
        `groups` is, or `alpha` is "loo".

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
        is_class = isinstance(estimator, type)
        what = f"the class {estimator.__name__}" if is_class else type(estimator).__name__
        raise TypeError(
            f"fit_groups: {what} is none of skmle's estimators. Allowed: MLEDistribution(...), "
            "CrossEntropyClassifier(...), MLERegressor(...), OrdinalClassifier(...). Give one of "
            "them, without a pipeline around it."
        )
    check_given(estimator, "fit_groups")
    check_beside("fit_groups", estimator, offset_or_exposure, ("groups", "sample_weight"))
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
        labels, codes, X = grouping_of(X, groups)
    count = 0 if codes is None else len(labels)
    rows = RowsByGroup.by(codes, count, X, y, rest)
    try:
        posed = posed_by_group(blank, rows, codes, count)
    except ValueError as error:
        if codes is None or rows_refused(error) is None:  # of columns, the error names them
            raise
        raise refused_in_groups(error, "fit_groups", labels, codes) from None
    if by_column:
        names = getattr(blank, "feature_names_in_", None)
        labels = np.arange(blank.n_features_in_) if names is None else np.asarray(names)
    if hasattr(estimator, "_skl_callbacks"):
        posed = []  # They are told of each fit.
    one = _of_one_column(blank, by_column)
    together = [
        Together.of(one, fit_many(part.problem, part.codes, len(labels)), part) for part in posed
    ]
    result = GroupFits(blank, labels, together, by, by_column)
    _fit_each(result, blank, rows, np.flatnonzero(result._apart))
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


def _fit_each(result: GroupFits, blank: Any, rows: RowsByGroup, left: NDArray[np.intp]) -> None:
    """Fit the groups that are left, one by one."""
    for g in map(int, left):
        if rows.is_empty(g):
            result._enter(g, None, "the group has no rows")
            continue
        X, y, rest = rows.of(g)
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
