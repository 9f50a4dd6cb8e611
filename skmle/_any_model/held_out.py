"""Log-probabilities of rows that a fit has not seen, and how sure their differences are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_consistent_length, has_fit_parameter

from skmle._any_model.laws import log_rounded
from skmle._any_model.log_prob import row_log_prob
from skmle._any_model.unwrap import last_step, unwrap
from skmle._shared.validation import positive_weights, weighted_mean

Array = NDArray[np.float64]
Index = NDArray[np.intp]

STD_ERRORS = ("rows", "folds")

# Skewness over the root of the rows up to which the first term of a series, which leaves out its
# square, is better than a cube root near one.
_STRAIGHT = 1e-6


class Fold(NamedTuple):
    """Numbers of the rows that a fit sees, and of those that it is judged by."""

    train: Index
    test: Index


def folds_of(cv: Any, X: Any, y: Any, *, groups: Any, labels: bool, seed: Any) -> list[Fold]:
    """Return the folds, the same for all models.

    A number of folds means shuffled ones; they keep the shares of the classes if y are
    `labels`, and groups together if there are any.

    Raises
    ------
    ValueError
        If the number of folds is below 2 or above the number of rows.
    """
    check_consistent_length(X, y, groups)
    n = _num_samples(X)
    if isinstance(cv, Integral):
        if not 2 <= int(cv) <= n:
            raise ValueError(
                f"cv={cv!r} is not allowed, n_samples={n}. Allowed: a number of folds from 2 to "
                "that of rows, a splitter such as RepeatedKFold, or pairs (train, test). Give 5."
            )
        kind = StratifiedKFold if labels and np.ndim(y) == 1 else KFold
        kind = kind if groups is None else GroupKFold
        cv = kind(int(cv), shuffle=True, random_state=seed)
    splitter = check_cv(cv, y, classifier=labels)
    # A user's own pairs may be masks.
    return [Fold(*map(_numbers, pair)) for pair in splitter.split(X, y, groups)]


def _numbers(rows: Any) -> Index:
    index = np.asarray(rows)
    return np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)


def part(values: Any, rows: Index) -> Any:
    """Return some rows of X or y; of None, None."""
    return None if values is None else _safe_indexing(values, rows)


def checked_weight(sample_weight: Any, X: Any) -> Array | None:
    """Return the weight of each row; ValueError if it is none."""
    if sample_weight is None:
        return None
    positive_weights(sample_weight, X)
    return np.asarray(sample_weight, np.float64) * np.ones(_num_samples(X))


def fitted(model: Any, X: Any, y: Any, weight: Array | None = None) -> Any:
    """Return a clone fitted to rows, with their weights if these are given.

    Raises
    ------
    ValueError
        If the model is frozen.
    TypeError
        If it takes no weights.
    """
    last = last_step(model)
    if isinstance(last, FrozenEstimator):
        raise ValueError(
            f"{type(last.estimator).__name__} is frozen: it was fitted to rows that may be among "
            "those held out, or are others. Allowed: models that can be fitted here. Give the "
            "model without FrozenEstimator."
        )
    given = {} if weight is None else {_weight_name(model): weight}
    data = (X,) if y is None else (X, y)
    return clone(model).fit(*data, **given)


def _weight_name(model: Any) -> str:
    """Return the name by which `fit` hands weights on to the model at the end."""
    name = ""
    while isinstance(model, (Pipeline, BaseSearchCV)):
        if isinstance(model, BaseSearchCV):
            model = model.estimator
        else:
            step, model = model.steps[-1]
            name += f"{step}__"
    if not has_fit_parameter(model, "sample_weight"):
        raise TypeError(
            f"sample_weight was given, but {type(model).__name__} takes none. Allowed: models "
            "whose fit has that argument. Leave out the weights, or this model."
        )
    return f"{name}sample_weight"


def left_out_one_by_one(
    model: Any, X: Any, y: Any, weight: Array | None, rounded: bool = False
) -> Array:
    """Return log q of each row under a clone fitted to all others, or to one repeat less of it."""
    n = _num_samples(X)
    values = np.empty(n)
    for i in range(n):
        (rest, own), new = without(i, n, weight), np.array([i])
        found = fitted(model, part(X, rest), part(y, rest), own)
        values[i] = log_prob_of_rows(found, part(X, new), part(y, new), rounded)[0]
    return values


def without(
    i: int, n: int, weight: Array | None, repeats: bool = True
) -> tuple[Index, Array | None]:
    """Return the rows that are left without one of n, and their weights.

    Of a weight above one that repeats its row, one of the repeats is taken.
    """
    rest = np.arange(n)
    if repeats and weight is not None and weight[i] > 1.0:
        return rest, weight - (rest == i)
    rest = np.delete(rest, i)
    return rest, None if weight is None else weight[rest]


def log_prob_of_rows(model: Any, X: Any, y: Any, rounded: bool = False) -> Array:
    """Return log q of each row under a fitted model of any kind, in nats.

    Of a density of whole numbers that is to be `rounded`, it is the log-probability of those.

    Raises
    ------
    ValueError
        If it has none for some rows, or several.
    """
    inner, seen = unwrap(model, X)
    values = log_rounded(inner, seen, y) if rounded else row_log_prob(inner, seen, y)
    if values.shape != (n := (_num_samples(X),)):
        raise ValueError(
            f"{type(inner).__name__}: {values.shape} log-probabilities of {n[0]} rows. Allowed: "
            "one a row. Leave out the steps that drop or add rows."
        )
    return values


class HeldOut(NamedTuple):
    """Values of rows held out, fold by fold; a row may be held out by several folds."""

    folds: Sequence[Fold]
    groups: NDArray[Any] | None
    weight: Array | None = None
    """Of all rows: how often each counts; None: once."""

    @property
    def rows(self) -> Index:
        """The row of each value."""
        return np.concatenate([fold.test for fold in self.folds])

    @property
    def n_rows(self) -> int:
        """How many rows were held out."""
        return len(np.unique(self.rows))

    def collect(self, of_fold: Callable[[Fold], Sequence[Array]]) -> Array:
        """Return the values of all folds, (m, values), of a function that gives m rows of them."""
        return np.concatenate([np.stack(of_fold(fold)) for fold in self.folds], axis=1)

    def by_row(self, values: Array) -> tuple[Index, Array]:
        """Return the rows of positive weight that were held out, and the mean value of each."""
        rows, place, count = np.unique(self.rows, return_inverse=True, return_counts=True)
        if (count == 1).all():
            each = values[np.argsort(self.rows, kind="stable")]
        else:
            each = np.bincount(place, values) / count
        counting = self._weights(rows) > 0.0
        return rows[counting], each[counting]

    def _weights(self, rows: Index) -> Array:
        return np.ones(len(rows)) if self.weight is None else self.weight[rows]

    def mean(self, values: Array) -> float:
        """Return the mean over the rows that were held out."""
        rows, each = self.by_row(values)
        return weighted_mean(each, None if self.weight is None else self.weight[rows])

    def spread(self, values: Array, kind: str) -> Spread:
        """Return how sure the `mean` of paired differences is, by a kind of `STD_ERRORS`.

        "rows": rows, or groups of them, are independent; a weight is that many rows. The folds of a
        stable learner are as good as independent, and the error is exact as the rows become many
        (Bayle et al. 2020).

        "folds": the means of folds vary with the rows that were fitted, too, and share most of
        these, for which their variance is corrected (Nadeau & Bengio 2003). It is the wider.
        """
        rows, each = self.by_row(values)
        if not np.isfinite(each).all() or len(self.folds if kind == "folds" else values) < 2:
            return Spread(float("nan"))
        if kind == "folds":
            return self._spread_of_folds(values)
        weight = self._weights(rows)
        mass = float(weight.sum())
        away, count = each - weighted_mean(each, weight), mass
        if self.groups is not None:
            _, codes = np.unique(self.groups[rows], return_inverse=True)
            away = np.bincount(codes, away * weight).astype(np.float64)
            weight = np.ones(len(away))
            count = float(len(away))
        if not count > 1.0:
            return Spread(float("nan"))
        squares = float(weight @ away**2)
        skew = 0.0
        if squares > 0.0:
            skew = float(weight @ away**3 / count / (squares / count) ** 1.5)
        return Spread(np.sqrt(count / (count - 1.0) * squares) / mass, skew, count)

    def _spread_of_folds(self, values: Array) -> Spread:
        lengths = [len(fold.test) for fold in self.folds]
        parts = np.split(values, np.cumsum(lengths)[:-1])
        means, ratios = [], []
        for fold, part_of in zip(self.folds, parts, strict=True):
            new = self._weights(fold.test)
            means.append(weighted_mean(part_of, new))
            ratios.append(new.sum() / self._weights(fold.train).sum())
        error = np.sqrt((1.0 / len(means) + np.mean(ratios)) * np.var(means, ddof=1))
        return Spread(float(error), freedom=len(means) - 1)


class Spread(NamedTuple):
    """The standard error of a mean, and the shape of what it is the mean of."""

    error: float
    skew: float = 0.0
    size: float = 1.0
    """How many rows, or groups, it is the mean of."""
    freedom: float = np.inf
    """Student's degrees of freedom."""

    def quantile(self, level: float) -> float:
        """Return the number of errors by which a mean lies above the truth at most, at a level.

        Few rows that are predicted badly make gains skew to the left, and normal intervals of 200
        rows hold 85 % in place of 95 %. Hall's transformation takes the skewness s of n rows out of
        Student's t, t + s t^2/(3 sqrt n) + s^2 t^3/(27 n) + s/(6 sqrt n), which is monotone. This
        is its inverse (Hall 1992, On the removal of skewness by transformation, J. R. Stat. Soc. B
        54).
        """
        z = float(stdtrit(self.freedom, level) if np.isfinite(self.freedom) else ndtri(level))
        slope = self.skew / np.sqrt(self.size)
        if abs(slope) < _STRAIGHT:
            return z - slope * (z * z / 3.0 + 1.0 / 6.0)
        return float(3.0 / slope * (np.cbrt(1.0 + slope * (z - slope / 6.0)) - 1.0))


def check_kind(kind: Any) -> None:
    """Raise ValueError unless `kind` is one of `STD_ERRORS`."""
    if kind not in STD_ERRORS:
        raise ValueError(
            f"std_error={kind!r} is not allowed. Allowed: 'rows', for learners of which a few rows "
            "more or less change little, and 'folds', for all others. Give one of them."
        )
