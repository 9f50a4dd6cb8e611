"""The fits of many groups: their tables and predictions."""

from __future__ import annotations

import copy
import html
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle._engine.verdict import INTERIOR
from skmle._group_problems import Together
from skmle._shared.grouping import (
    RowsByGroup,
    codes_among,
    group_column,
    in_words,
    no_fit_of,
    rows_in_words,
)
from skmle._shared.messages import level_outside
from skmle._shared.refused import refused, rows_refused
from skmle._shared.validation import weighted_mean
from skmle.distribution import MLEDistribution
from skmle.families import get_family
from skmle.inference.show import as_frame, html_table, printable, text_table

__all__ = ["NOT_FITTED", "GroupFits"]

Array = NDArray[np.float64]

NOT_FITTED = "not_fitted"

_SHOWN = 10  # groups that are printed, at most; chosen for reading


class GroupFits:
    """The fits of `fit_groups`, one a group.

    Attributes have the names that they have in an estimator, and one entry a group.

    Attributes
    ----------
    groups_ : ndarray of shape (G,)
        The groups, in order.
    status_ : ndarray of str of shape (G,)
        As in the estimator, or "not_fitted" where `fit` has refused the group's rows.
    message_ : ndarray of str of shape (G,)
        What the estimator's warning or error says of a group that is not at an interior maximum;
        "" for all others. It numbers rows within the group, in the order in which they were given.
    converged_ : ndarray of bool of shape (G,)
    log_likelihood_, distance_, weight_sum_, effective_parameters_ : ndarray of shape (G,)
        nan where a group is not fitted.
    n_iter_, n_parameters_ : ndarray of int of shape (G,)
    """

    def __init__(
        self,
        blank: Any,
        labels: NDArray[Any],
        together: Sequence[Together],
        by: str | None,
        by_column: bool,
    ) -> None:
        count = len(labels)
        self.groups_ = labels
        self._blank, self._by, self._by_column = blank, by, by_column
        self._together = together
        self._models: dict[int, Any] = {}
        """The estimators of groups that were fitted by themselves."""
        self.status_ = np.full(count, INTERIOR, f"U{len(NOT_FITTED) + 4}")
        self.message_ = np.full(count, "", object)
        self.converged_ = np.ones(count, bool)
        self.log_likelihood_ = np.full(count, np.nan)
        self.distance_ = np.full(count, np.nan)
        self.weight_sum_ = np.full(count, np.nan)
        self.effective_parameters_ = np.full(count, np.nan)
        self.n_iter_, self.n_parameters_ = np.zeros(count, np.intp), np.zeros(count, np.intp)
        self._apart = np.ones(count, bool)
        for many in (one.many for one in together):
            clear = many.clear
            self._apart[clear] = False
            self.log_likelihood_[clear] = many.log_likelihood[clear] + 0.0
            self.distance_[clear] = many.distance[clear]
            self.weight_sum_[clear] = many.mass[clear]
            self.n_iter_[clear] = many.n_iter[clear]
            self.n_parameters_[clear] = many.coefs.shape[1]
            self.effective_parameters_[clear] = many.coefs.shape[1] - many.shrunk[clear]

    def _enter(self, group: int, model: Any, message: str) -> None:
        """Enter what the fit of one group by itself has found; `model` is None if it has failed."""
        self.message_[group] = message
        if model is None:
            self.status_[group], self.converged_[group] = NOT_FITTED, False
            return
        self._models[group] = model
        for name in _ENTERED:
            getattr(self, name)[group] = getattr(model, name)

    def __len__(self) -> int:
        return len(self.groups_)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {status}" for status, n in self._counts())
        return f"GroupFits({self._blank!r}, {len(self)} groups: {counts})"

    def __str__(self) -> str:
        return "\n".join([repr(self), text_table(*self._cells()), *self._more()])

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), repr(self)) + "".join(
            f"<p>{html.escape(line)}</p>" for line in self._more()
        )

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the lines of a table for reading: groups without a maximum first."""
        order = np.argsort(self.status_ == INTERIOR, kind="stable")[:_SHOWN]
        lines = [
            [
                printable(self.groups_[g]),
                str(self.status_[g]),
                f"{self.weight_sum_[g]:.10g}",
                f"{self.log_likelihood_[g]:.4f}",
                str(self.n_iter_[g]),
            ]
            for g in order
        ]
        return ["group", "status", "weight sum", "log-likelihood", "iterations"], lines

    def _more(self) -> list[str]:
        hidden = [f"... and {len(self) - _SHOWN} more groups."] if len(self) > _SHOWN else []
        return [*hidden, "glance() has all groups, tidy() their estimates."]

    def _counts(self) -> list[tuple[str, int]]:
        statuses, counts = np.unique(self.status_, return_counts=True)
        return [(str(statuses[k]), int(counts[k])) for k in np.argsort(-counts, kind="stable")]

    # ---------------------------------------------------------------- one group

    def estimator(self, group: Any) -> Any:
        """Return the fitted estimator of one group.

        Raises
        ------
        ValueError
            If the group has no fit.
        """
        index = np.flatnonzero(self.groups_ == group)
        if len(index) != 1 or self.status_[index[0]] == NOT_FITTED:
            raise no_fit_of([group], self.groups_, self._missing)
        return copy.copy(self._model(int(index[0])))

    @property
    def _missing(self) -> list[int]:
        return [int(g) for g in np.flatnonzero(self.status_ == NOT_FITTED)]

    def _model(self, group: int) -> Any:
        """Return the estimator of a group that has a fit."""
        if group in self._models:
            return self._models[group]
        return next(one for one in self._together if one.many.clear[group]).estimator(group)

    # ---------------------------------------------------------------- tables

    def tidy(self, confidence_level: float = 0.95) -> Any:
        """Return all estimates as a DataFrame if pandas is installed, else as a dict of arrays.

        Columns: group, and those of `skmle.inference.Inference.tidy`: component, term, estimate,
        std_error, statistic, p_value, conf_low, conf_high. Standard errors are nan where a group
        has none, and so is all of a group that is not fitted.

        Parameters
        ----------
        confidence_level : float, default=0.95
            Coverage of the intervals.
        """
        parts = [
            None if status == NOT_FITTED else self._model(g)._results()._columns(confidence_level)
            for g, status in enumerate(self.status_)
        ]
        none = {name: np.zeros(0, object) for name in ("component", "term")}
        none |= {name: np.zeros(0) for name in _NUMBERS}
        first = next(filter(None, parts), none)
        unknown = {
            name: column if name in ("component", "term") else np.full(len(column), np.nan)
            for name, column in first.items()
        }
        tables = [part or unknown for part in parts]
        lengths = [len(table["term"]) for table in tables]
        columns = {"group": np.repeat(self.groups_, lengths)}
        columns |= {name: np.concatenate([t[name] for t in tables]) for name in first}
        return as_frame(columns)

    def glance(self) -> Any:
        """Return one line a group: its status and how well its law fits, as `tidy` returns them."""
        return as_frame(
            {
                "group": self.groups_,
                "status": self.status_.astype(object),
                "weight_sum": self.weight_sum_,
                "log_likelihood": self.log_likelihood_,
                "n_parameters": self.n_parameters_,
                "distance": self.distance_,
                "n_iter": self.n_iter_,
                "message": self.message_,
            }
        )

    # ---------------------------------------------------------------- predictions

    def predict(self, X: Any, groups: Any = None, **offset_or_exposure: ArrayLike) -> Any:
        """Return what each row's own estimator predicts.

        Parameters
        ----------
        X : array-like
        groups : array-like of shape (n,), optional
            The group of each row. Default: the column of X that `fit_groups` was told.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure` of a regressor, if the fit was given them beside X.

        Raises
        ------
        ValueError
            If a group has no fit.
        """
        return self._asked("predict", X, None, groups, offset_or_exposure)

    def predict_proba(self, X: Any, groups: Any = None) -> Array:
        """Return the probability of each class, (n, K), from each row's own classifier.

        Raises
        ------
        ValueError
            If a group has no fit, or the groups have not the same classes.
        """
        models = [self._model(g) for g in range(len(self)) if self.status_[g] != NOT_FITTED]
        if any(not np.array_equal(m.classes_, models[0].classes_) for m in models):
            raise ValueError(
                "predict_proba: the groups have different classes, so that there are no columns "
                "that all share. Allowed: groups with the same labels. Ask "
                "estimator(group).predict_proba(...) of each."
            )
        return np.asarray(self._asked("predict_proba", X, None, groups, {}))

    def log_prob(
        self, X: Any, y: Any = None, groups: Any = None, **offset_or_exposure: ArrayLike
    ) -> Array:
        """Return the log-probability of each row in nats, (n,), under the law of its group.

        If the groups are columns, it is that of each entry, (n, G).
        """
        asked = "score_samples" if isinstance(self._blank, MLEDistribution) else "log_prob"
        return np.asarray(self._asked(asked, X, y, groups, offset_or_exposure))

    def score(
        self,
        X: Any,
        y: Any = None,
        groups: Any = None,
        sample_weight: ArrayLike | None = None,
        **offset_or_exposure: ArrayLike,
    ) -> float:
        """Return the (weighted) mean log-likelihood of all rows, each under the law of its group.

        If the groups are columns, it is the mean of all entries.
        """
        values = self.log_prob(X, y, groups, **offset_or_exposure)
        if values.ndim == 2:
            return float(np.mean([weighted_mean(v, sample_weight) for v in values.T]))
        return weighted_mean(values, sample_weight)

    def _asked(
        self, method: str, X: Any, y: Any, groups: Any, rest: dict[str, Any]
    ) -> NDArray[Any]:
        """Return what the estimators of the groups answer of their rows, in the order of rows."""
        if self._by_column:
            parts = self._of_columns(X, groups)
            return np.column_stack([getattr(model, method)(part) for model, part in parts])
        column = self._by if groups is None else groups
        if column is None:
            raise ValueError(
                f"{method}: groups=None was given, and the fit was told no column. Allowed: one "
                "group a row. Give groups=..."
            )
        values, X = group_column(X, column)
        codes = codes_among(self.groups_, values, X, self._missing)
        rows = RowsByGroup.by(codes, len(self), X, y, rest)
        assert rows.order is not None
        answers, told = [], {}
        for g in map(int, np.unique(codes)):
            part, own, beside = rows.of(g)
            data = (part,) if self._blank_is_density or own is None else (part, own)
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                try:
                    answers.append(np.asarray(getattr(self._model(g), method)(*data, **beside)))
                except ValueError as error:
                    if (own_rows := rows_refused(error)) is None:
                        raise
                    there = rows.numbers(g)[own_rows]
                    raise self._of_its_rows(error, method, g, there) from None
            if said:
                told[g] = said[0]
        self._tell(method, told)
        result = np.concatenate(answers)
        back = np.empty_like(result)
        back[rows.order] = result
        return back

    def _of_its_rows(
        self, error: ValueError, method: str, group: int, rows: NDArray[np.intp]
    ) -> ValueError:
        """Return the error that a group's estimator refuses some of its rows, with their numbers.

        Its own message numbers the rows within the group.
        """
        label = in_words(self.groups_[[group]])
        return refused(
            f"{method}, group {label}, {rows_in_words(rows)} of all, which in the group's own "
            f"numbers are these: {error}",
            rows,
        )

    def _tell(self, method: str, told: dict[int, Any]) -> None:
        """Warn once of what the estimators of some groups have warned of."""
        if told:
            first = next(iter(told.values()))
            warnings.warn(
                f"{method}, {len(told)} of {len(self)} groups "
                f"({in_words(self.groups_[list(told)])}), of which the first says in numbers of "
                f"its own rows: {first.message}",
                first.category,
                stacklevel=level_outside(),
            )

    @property
    def _blank_is_density(self) -> bool:
        return isinstance(self._blank, MLEDistribution)

    def _of_columns(self, X: Any, groups: Any) -> Iterator[tuple[Any, Any]]:
        if groups not in (None, "columns"):
            raise ValueError(
                "groups: the groups of the fit are the columns of X. Allowed: None. Leave groups "
                "out."
            )
        X = self._blank._rows(X, get_family(self._blank.family), reset=False)
        if missing := self._missing:
            raise no_fit_of(list(self.groups_[missing]), self.groups_, missing)
        return ((self._model(g), X[:, [g]]) for g in range(len(self)))


# What is read off an estimator that was fitted to one group.
_ENTERED = (
    "status_",
    "converged_",
    "log_likelihood_",
    "distance_",
    "weight_sum_",
    "effective_parameters_",
    "n_iter_",
    "n_parameters_",
)
_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
