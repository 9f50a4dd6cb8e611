"""Nats gained per row: what features tell of y, as much as a model can show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier

from skmle._any_model.held_out import (
    Fold,
    HeldOut,
    Spread,
    check_kind,
    folds_of,
)
from skmle._any_model.rows import Rows
from skmle._any_model.scales import is_conditional
from skmle._any_model.table import Table
from skmle._any_model.unwrap import name_of
from skmle.inference.show import as_frame, html_table, printable, text_table
from skmle.inference.wald import checked_level
from skmle.information.marginal import marginal_log_prob
from skmle.information.units import nats_of

__all__ = ["InformationGain", "information_gain"]

Array = NDArray[np.float64]
PER_FEATURE = (None, "left_out", "alone")
# What `information_gain` takes beside X, y, weights, offset and exposure.
_KEYWORDS = (
    "baseline",
    "given",
    "per_feature",
    "cv",
    "groups",
    "std_error",
    "base",
    "random_state",
)


@dataclass(frozen=True, eq=False, repr=False)
class InformationGain:
    """Information gained per row of held-out data, with its standard error.

    ``float(gain)`` is that of all features.

    Attributes
    ----------
    terms : list of str
        "all features", then those of the single features, if they were asked for.
    estimate, standard_errors : ndarray of shape (terms,)
        In nats, or in the unit that was asked for.
    """

    terms: Sequence[str]
    estimate: Array
    standard_errors: Array
    header: Sequence[str]
    _spreads: Sequence[Spread]

    def __float__(self) -> float:
        return float(self.estimate[0])

    def confidence_intervals(self, confidence_level: float = 0.95) -> Array:
        """Return intervals of shape (terms, 2)."""
        tail = 0.5 - 0.5 * checked_level(confidence_level)
        return np.column_stack([self._below(1.0 - tail), self._below(tail)])

    def lower_bounds(self, confidence_level: float = 0.95) -> Array:
        """Return the bounds above which the gains lie with this confidence, (terms,)."""
        return self._below(checked_level(confidence_level))

    def _below(self, level: float) -> Array:
        quantiles = np.array([spread.quantile(level) for spread in self._spreads])
        return self.estimate - quantiles * self.standard_errors

    def tidy(self, confidence_level: float = 0.95) -> Any:
        """Return the table as a DataFrame if pandas is installed, else as a dict of arrays.

        Columns: term, estimate, std_error, conf_low, conf_high.
        """
        low, high = self.confidence_intervals(confidence_level).T
        return as_frame(
            {
                "term": np.array(self.terms, object),
                "estimate": self.estimate,
                "std_error": self.standard_errors,
                "conf_low": low,
                "conf_high": high,
            }
        )

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        low, high = self.confidence_intervals().T
        columns = zip(self.terms, self.estimate, self.standard_errors, low, high, strict=True)
        return ["", "gain", "s.e.", "95 % low", "95 % high"], [
            [printable(term), *(f"{number:.4f}" for number in numbers)]
            for term, *numbers in columns
        ]

    def __repr__(self) -> str:
        return "\n".join([*self.header, text_table(*self._cells())])

    def _repr_html_(self) -> str:
        return html_table(*self._cells(), caption=" – ".join(self.header))


def information_gain(
    model: Any,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    baseline: Any = None,
    given: Any = None,
    per_feature: str | None = None,
    cv: Any = 5,
    groups: ArrayLike | None = None,
    std_error: str = "rows",
    base: float | None = None,
    random_state: Any = 0,
    **offset_or_exposure: ArrayLike,
) -> InformationGain:
    """Return the information per row that a model gains from X on y, on rows held out.

    It is the mean of log q(y | x) - log q0(y), where q is the model and q0 the baseline, both
    fitted to the other folds. It estimates the mutual information I(X; Y) from below: what a model
    misses is lost, and what does not exist is not gained.

    Parameters
    ----------
    model : estimator
        A classifier or regressor whose law of y `skmle.log_prob` knows, alone, in a Pipeline or in
        a search; it is cloned and fitted once a fold.
    X : array-like, sparse matrix or data frame of shape (n, p)
    y : array-like of shape (n,)
    sample_weight : array-like of shape (n,), optional
        Weights, which the fits are given, too; an integer weight is that many equal rows.
    baseline : estimator, optional
        What is to be beaten: a density, which is fitted to y alone, or another model of y given X.
        Default: the frequencies of the classes in the folds fitted; for regressors the same family
        without features, with offset and exposure if there are any.
    given : column name or index, or sequence of them, optional
        Columns that the baseline knows, too. The gain is then that of all others beyond these, an
        estimate of I(X; Y | given); the baseline is the same model with all others held constant.
    per_feature : {None, "left_out", "alone"}
        Also return the gain of each feature that is not `given`: what is lost if it is left out, or
        what it gains beyond `given` alone. A feature that is left out is held constant, so that
        every pipeline takes X as before.
    cv : int, splitter or iterable, default=5
        A number of folds, which are shuffled, and stratified for classifiers; or as in
        scikit-learn.
    groups : array-like of shape (n,), optional
        Rows that belong together. They are kept in one fold, and the standard error is of groups.
    std_error : {"rows", "folds"}, default="rows"
        See Notes.
    base : float, optional
        Base of the logarithm: None for nats, 2 for bits.
    random_state : int, default=0
        Seed of the folds.
    **offset_or_exposure : array-like of shape (n,)
        `offset` and `exposure` of regressors of skmle's, given beside X; a baseline that is a
        regressor knows them, too.

    Returns
    -------
    InformationGain
        Print it; ``float()`` is the gain of all features.

    Raises
    ------
    TypeError
        If the model does not tell the law of what it predicts, or takes no offset or exposure.
    ValueError
        If a column or a setting is unknown, there is no baseline for the model, or a label occurs
        in one fold only, so that its frequency elsewhere is zero.

    See Also
    --------
    mutual_information : Of a table of joint probabilities.
    skmle.compare : The same scale for any number of models.

    Notes
    -----
    In expectation the gain is I(X; Y) + D0 - D1, where D1 is the mean divergence from the law of y
    given x to the fitted model and D0 that from the law of y to the fitted baseline. Frequencies of
    K classes have D0 = (K - 1)/(2n), and every model has estimated more, so that for classes it is
    a lower bound. For a density of y it is one if the baseline can have the shape of y: where y has
    two modes and the default baseline is a normal law, give ``baseline=`` a mixture or a kernel
    density, or D0 counts as information.

    A column that does not vary tells nothing. A model of such columns alone is the baseline, and
    their gain is exactly 0.

    Standard errors are of the paired difference. "rows" takes the rows as independent. In
    cross-validation of a learner that changes by O(1/n) if one row is exchanged, as maximum
    likelihood does, the folds are so weakly correlated that this is exact as n grows (Bayle et al.
    2020); it says how sure the gain of models fitted to so many rows is. "folds" uses the variance
    between folds, corrected by n_test/n_train for the rows that their fits share (Nadeau & Bengio
    2003), with Student's t of folds - 1 degrees. It is for learners that are not stable, and wide.

    A few rows that are predicted badly make the distribution of gains skew. Intervals and bounds by
    "rows" are Hall's (1992), which take the skewness into account; they are not symmetric.

    References
    ----------
    Bayle, Bayle, Janson & Mackey (2020), Cross-validation confidence intervals for test error,
    NeurIPS 33.
    Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52.
    Hall (1992), On the removal of skewness by transformation, J. R. Stat. Soc. B 54.
    Barber & Agakov (2003), The IM algorithm: a variational approach to information maximization,
    NeurIPS 16 (the bound).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skmle.information import information_gain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> X = X[["sepal length (cm)", "petal length (cm)"]].assign(shop=1.0)
    >>> gain = information_gain(LogisticRegression(), X, y, per_feature="left_out", base=2)
    >>> print(gain)
    Information gain of LogisticRegression over class frequencies, bits per row
    150 rows held out by 5 folds
    ------------------------------------------------------
                         gain    s.e.  95 % low  95 % high
    ------------------------------------------------------
         all features  1.3217  0.0278    1.2583     1.3702
    sepal length (cm)  0.0082  0.0070   -0.0039     0.0247
    petal length (cm)  0.6533  0.0518    0.5623     0.7703
                 shop  0.0000  0.0000    0.0000     0.0000
    ------------------------------------------------------
    >>> print(gain.lower_bounds()[0].round(2))  # of log2(3) = 1.58 bits in three equal classes
    1.27
    """
    check_kind(std_error)
    unit, table = nats_of(base), Table(X)
    _check(model, baseline, given, per_feature)
    known = [table.index(c, "given") for c in _listed(given)]
    knowing = [m for m in (model, baseline) if m is not None and is_conditional(m)]
    beside, allowed = offset_or_exposure, ("sample_weight", *_KEYWORDS)
    rows = Rows.of("information_gain", knowing, X, y, sample_weight, beside, allowed)
    folds = folds_of(cv, X, y, groups=groups, labels=is_classifier(model), seed=random_state)
    held = HeldOut(folds, None if groups is None else np.asarray(groups), rows.weight)
    gains = _Gains(model, baseline, table, rows, held, known)
    differences = {"all features": gains.between(gains.varying, known)}
    for j in (j for j in range(table.count) if per_feature and j not in known):
        left = gains.varying - {j}
        pair = (gains.varying, left) if per_feature == "left_out" else ({*known, j}, known)
        differences[table.names[j]] = gains.between(*pair)
    spreads = [held.spread(d, std_error) for d in differences.values()]
    return InformationGain(
        list(differences),
        np.array([held.mean(d) for d in differences.values()]) / unit,
        np.array([spread.error for spread in spreads]) / unit,
        _header(model, baseline, given, base, held),
        spreads,
    )


def _listed(columns: Any) -> list[Any]:
    if columns is None:
        return []
    return [columns] if isinstance(columns, str) or np.ndim(columns) == 0 else list(columns)


def _check(model: Any, baseline: Any, given: Any, per_feature: Any) -> None:
    if not is_conditional(model):
        raise TypeError(
            f"information_gain: {type(model).__name__} is no model of y given X. Allowed: "
            "classifiers and regressors. Of a density take entropy or kl_divergence."
        )
    if baseline is not None and not hasattr(baseline, "fit"):
        raise ValueError(
            f"information_gain: baseline={baseline!r} is no model. Allowed: estimators, which are "
            "fitted to the same rows. For columns that the baseline is to know use given=[...]."
        )
    if baseline is not None and given is not None:
        raise ValueError(
            f"information_gain: baseline={type(baseline).__name__} and given={given!r}. Allowed: "
            "one of them, as the baseline beside given columns is the model itself. Leave one out."
        )
    if per_feature not in PER_FEATURE:
        raise ValueError(
            f"information_gain: per_feature={per_feature!r} is not allowed. Allowed: None, "
            "'left_out' and 'alone'. Give one of them."
        )


def _header(model: Any, baseline: Any, given: Any, base: Any, held: HeldOut) -> list[str]:
    unit = {None: "nats", 2: "bits"}.get(base, f"units of log {base}")
    beside = "class frequencies" if is_classifier(model) else "the law without features"
    if baseline is not None:
        beside = name_of(baseline)
    if given is not None:
        beside = f"itself given {', '.join(printable(c) for c in _listed(given))}"
    return [
        f"Information gain of {name_of(model)} over {beside}, {unit} per row",
        f"{held.n_rows} rows held out by {len(held.folds)} folds",
    ]


class _Gains:
    """The log-probabilities of rows held out under the model with some of its columns.

    That of no column is the baseline.
    """

    def __init__(
        self,
        model: Any,
        baseline: Any,
        table: Table,
        rows: Rows,
        held: HeldOut,
        known: Iterable[int],
    ) -> None:
        self.model, self.baseline = model, baseline
        self.table, self.rows, self.held = table, rows, held
        self.varying = frozenset(j for j in range(table.count) if table.varies(j))
        # No column at all is compared with only where none that varies is known.
        self._with_baseline = self.varying.isdisjoint(known)
        self._found: dict[frozenset[int], Array] = {}

    def between(self, columns: Iterable[int], others: Iterable[int]) -> Array:
        """Return what each row gains by some columns over others."""
        more, less = self.varying & set(columns), self.varying & set(others)
        if more == less:  # Columns that do not vary tell nothing.
            return np.zeros(len(self.held.rows))
        found = self._of(more)
        return found - self._possible(self._of(less))

    def _of(self, columns: frozenset[int]) -> Array:
        if columns not in self._found:
            fitted_to = columns or self.varying  # The baseline is found beside the whole model.
            values = self.held.collect(lambda fold: self._judged(fitted_to, fold))
            self._found |= zip((fitted_to, frozenset()), values, strict=False)
        return self._found[columns]

    def _judged(self, columns: frozenset[int], fold: Fold) -> list[Array]:
        """Return log q of the rows held out by a fold; of the whole model, the baseline's, too."""
        rows = self.rows._replace(X=self.table.holding(self.varying - columns))
        seen, new = rows.some(fold.train), rows.some(fold.test)
        model = seen.fit(self.model)
        values = [new.log_prob(model)]
        if columns != self.varying or not self._with_baseline:
            return values
        if self.baseline is None:
            return [*values, marginal_log_prob(model, seen, new)]
        if not is_conditional(self.baseline):
            seen, new = seen.of_y_alone(), new.of_y_alone()
        return [*values, new.log_prob(seen.fit(self.baseline))]

    def _possible(self, values: Array) -> Array:
        """Return the values of what is to be beaten; ValueError if some row is impossible there."""
        impossible = np.isneginf(values)
        if impossible.any():
            row = int(self.held.rows[np.argmax(impossible)])
            raise ValueError(
                f"information_gain: {int(impossible.sum())} rows are impossible under what is to "
                f"be beaten, the first is row {row}, as where a label is in one fold only. "
                "Allowed: rows of positive probability. Take fewer folds, merge rare labels, or "
                "give another baseline."
            )
        return values
