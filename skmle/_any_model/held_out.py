"""Log-probabilities of rows that a fit has not seen, and how sure their differences are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, check_cv
from sklearn.utils.validation import _num_samples, check_consistent_length

from skmle._shared.validation import weighted_mean

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
