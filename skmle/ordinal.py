"""OrdinalClassifier: cumulative-link models of classes that have an order."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skmle._engine.fit import fit
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty, elastic_net
from skmle._engine.problem import Fit
from skmle._engine.verdict import INTERIOR
from skmle._shared.arrays import like
from skmle._shared.callbacks import FitTask, with_callbacks
from skmle._shared.classes import (
    OF_CLASS_WEIGHTS,
    Prepared,
    check_link,
    classes_that_count,
    observed_classes,
)
from skmle._shared.columns import Columns, undetermined
from skmle._shared.elsewhere import OF_ORDERED
from skmle._shared.estimator import LikelihoodEstimator, check_settings
from skmle._shared.labels import label_columns, ordered_categories
from skmle._shared.messages import level_outside, warn_verdict
from skmle._shared.penalties import strength_of, with_chosen
from skmle._shared.probabilities import ClassProbabilities
from skmle._shared.separated import rows_in_words
from skmle._shared.tables import coefficients_of_a_regression
from skmle._shared.validation import checked_data, checked_features
from skmle.exceptions import SettingWarning
from skmle.families import Family
from skmle.families.links import Link, get_link
from skmle.families.ordinal import Ordinal
from skmle.inference import Inference
from skmle.inference.robust import Errors
from skmle.inference.show import printable

Array = NDArray[np.float64]
_NAME = "OrdinalClassifier"
_SHOWN = 5  # classes that a title names, at most; chosen for reading


class OrdinalClassifier(ClassProbabilities, ClassifierMixin, LikelihoodEstimator):
    """Cumulative-link model of ordered classes, at the maximum of the conditional likelihood.

    P(class at most j | x) = F(cut_j - x'coef), F the inverse of the link: proportional odds under
    the logit, an ordered probit under the probit, a grouped proportional-hazards model under the
    complementary log-log. A positive coefficient moves rows to higher classes. The likelihood is
    concave in cut points and coefficients, so that its maximum is the only one.

    Parameters
    ----------
    link : {"logit", "probit", "cloglog", "loglog", "cauchit"} or Link, default="logit"
        Link of the probability of a class and all below it.
    classes : sequence of labels, optional
        All labels in their order, the lowest first: ``classes=["low", "mid", "high"]``. Default:
        the order of y if it is an ordered categorical of pandas, as `pandas.cut` makes them, or an
        Enum of polars; else sorted. Numbers and intervals are sorted rightly, but words by the
        alphabet ("high" < "low" < "mid"), of which a warning tells. Labels of which there is no row
        keep the probability zero.
    alpha : float or "loo", default=0.0
        Strength of the penalty on the coefficients, per row, as in `CrossEntropyClassifier`. Cut
        points are free.
    l1_ratio : float, default=0.0
        Share of the absolute penalty, from 0 (ridge) to 1 (lasso).
    class_weight : dict or "balanced", optional
        Weights of the classes, multiplied with `sample_weight`; 0 leaves a class out.
    tol, max_iter, store_information, n_jobs, verbose
        As in `CrossEntropyClassifier`.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    cut_points_ : ndarray of shape (K - 1,)
        Cut points between neighbouring classes, in rising order. Those beside a class without rows
        are equal, or infinite at the ends.
    classes_ : ndarray of shape (K,)
        Labels in their order.
    log_likelihood_, status_, converged_, distance_, n_iter_, n_parameters_, weight_sum_
        As in `MLEDistribution`.
    effective_parameters_, alpha_, aliased_, separated_
        As in `MLERegressor`.
    n_features_in_, feature_names_in_
        Number and names of the columns of X.

    References
    ----------
    McCullagh (1980), Regression models for ordinal data, Journal of the Royal Statistical Society
    B 42.

    Examples
    --------
    >>> from skmle import OrdinalClassifier
    >>> X = [[1.0], [2.0], [2.5], [3.0], [4.0], [1.5], [3.5], [2.2]]
    >>> y = ["low", "low", "high", "mid", "high", "mid", "mid", "low"]
    >>> model = OrdinalClassifier(classes=["low", "mid", "high"]).fit(X, y)
    >>> print(model.coef_.round(3), model.cut_points_.round(3), model.status_)
    [1.603] [3.214 5.617] interior
    >>> model.predict_proba([[3.0]]).round(3)
    array([[0.169, 0.523, 0.308]])
    """

    def __init__(
        self,
        *,
        link: str | Link = "logit",
        classes: Sequence[Any] | None = None,
        alpha: float | str = 0.0,
        l1_ratio: float = 0.0,
        class_weight: Mapping[Any, float] | str | None = None,
        tol: float = 1e-6,
        max_iter: int = 100,
        store_information: bool | str = "auto",
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.link = link
        self.classes = classes
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.store_information = store_information
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> OrdinalClassifier:
        """Fit the coefficients and the cut points.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p)
        y : array-like of shape (n,)
            Labels, at least two different ones.
        sample_weight : array-like of shape (n,), optional
            Weights; an integer weight is that many equal rows.

        Raises
        ------
        ValueError
            If y has one class or one that is not among `classes`, a weight is negative, all are
            zero, or a value is not finite.

        Warns
        -----
        SeparationWarning
            If some columns separate the classes, so that no maximum exists; the message names them.
        SettingWarning
            If more than two labels are words of which no order is known but the alphabet's.
        """
        prepared = with_chosen(self, self._prepare(X, y, sample_weight))
        task = FitTask(
            self, X, y, sample_weight, lambda model, result: model._store(result, prepared)
        )
        result = fit(prepared.problem, task.tell)
        self._store(result, prepared)
        task.done()
        if result.verdict.status != INTERIOR:
            names = [column.names for column in self._columns.values()]
            rows = rows_in_words(result, prepared.y, prepared.mask)
            warn_verdict(result, _NAME, names, rows, bool(self._prior))
        return self

    def _prepare(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Prepared:
        """Check settings and data, and return the problem that they state."""
        check_settings(self)
        check_link(self.link, _NAME)
        order = self.classes if self.classes is not None else ordered_categories(y)
        X, y = checked_data(
            self, X, y, labels=True, accept_sparse=["csr", "csc"], dtype=[np.float64, np.float32]
        )
        found = classes_that_count(y, X, sample_weight, self.class_weight, _NAME)
        classes, mask = _in_order(found.classes, order), found.mask
        X, y = (X, y) if mask is None else (X[mask], y[mask])
        place = label_columns(classes, y)
        present = np.bincount(place, minlength=len(classes)) > 0
        codes = (np.cumsum(present) - 1)[place].astype(np.float64)
        if found.factors is not None:
            sorted_place = label_columns(found.classes[found.present], classes[present])
            found = found._replace(factors=found.factors[sorted_place])
        family = Ordinal(max(int(present.sum()), 2), self.link)
        penalties, lasso = self._penalties(strength_of(self), family)
        sandwiched = "" if self.class_weight is None else OF_CLASS_WEIGHTS
        location = Term(slice(None), X.shape[1], False)
        problem = self._problem(
            family=family,
            observed=observed_classes(family, codes, found),
            robust=bool(sandwiched),
            terms=(location, *(Term(None, 0),) * (family.levels - 1)),
            X=X.tocsr() if sp.issparse(X) else X,
            penalties=penalties,
            lasso=lasso,
        )
        return Prepared(problem, classes, present, y, mask, sandwiched)

    def _penalties(self, alpha: float, family: Family) -> tuple[tuple[Penalty, ...], float]:
        """Return the penalties on the slopes under a strength, and that of the absolute one."""
        return elastic_net(alpha, float(self.l1_ratio))

    def _store(self, result: Fit, prepared: Prepared) -> None:
        """Store what a fit of the prepared problem found."""
        self._record(result, prepared.problem.observed.counted)
        self._keep([result], [prepared.problem.terms], prepared.sandwiched)
        self._law = result.family
        self.classes_, self._present = prepared.classes, prepared.present
        self._set([result], prepared.problem.X)
        names = self._feature_names()
        location = Columns(np.arange(len(names)), names, all=True, intercept=False)
        constants = {p.name: Columns(None, [], all=False) for p in self._law.parameters[1:]}
        self._columns = {"location": location} | constants
        each = [column.names for column in self._columns.values()]
        self._store_separated(result, [*self._columns], each, prepared.mask)
        self.aliased_ = undetermined(result.estimable, each)

    def _set(self, fits: Sequence[Fit], X: Any) -> None:
        (self.coef_, _), *cuts = fits[0].coefs
        self._cuts = np.array([cut for _, cut in cuts])
        self.cut_points_ = self._all_cuts()

    def _all_cuts(self) -> Array:
        """Return the cut points between all classes, those without rows among them."""
        seen = np.cumsum(self._present)[:-1]  # classes with rows up to each cut
        ends = np.concatenate([[-np.inf], self._cuts, [np.inf]])
        return ends[seen]

    # ---------------------------------------------------------------- use

    _ordered = True
    _elsewhere = OF_ORDERED

    def _location(self, X: Any) -> Array:
        check_is_fitted(self)
        X = checked_features(
            self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
        )
        return np.asarray(X @ self.coef_, np.float64)

    def _moving(
        self, X: Any, beside: Mapping[str, Any]
    ) -> Callable[[Sequence[float]], Array] | None:
        """Return the probabilities as a function of what is added to location and cut points."""
        if not self._present.all():
            return None
        location = self._location(X)

        def probabilities(shifts: Sequence[float]) -> Array:
            cuts = self._cuts + np.asarray(shifts[1:])
            with np.errstate(all="ignore"):  # of probabilities too small for a double
                return np.exp(self._law.log_probabilities(location + shifts[0], cuts))

        return probabilities

    def _log_probabilities(self, X: Any) -> Array:
        location = self._location(X)
        result = np.full((len(location), len(self.classes_)), -np.inf)
        if self._present.sum() == 1:
            result[:, self._present] = 0.0
            return result
        with np.errstate(all="ignore"):  # of probabilities too small for a double
            result[:, self._present] = self._law.log_probabilities(location, self._cuts)
        return result

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row, (n,)."""
        best = self._log_probabilities(X).argmax(axis=1)
        return like(X, self.classes_[best])

    # ---------------------------------------------------------------- inference

    def _results_under(self, errors: Errors, confidence_level: float = 0.95) -> Inference:
        cuts = {f"cut_{j + 1}": cut for j, cut in enumerate(self._cuts)}
        lines = coefficients_of_a_regression(
            law=self._law,
            columns=self._columns,
            slopes={"location": self.coef_} | dict.fromkeys(cuts, np.zeros(0)),
            intercepts={"location": 0.0} | cuts,
            names=getattr(self, "feature_names_in_", None),
            covariance=errors.covariances[0],
            beyond=self._beyond,
        )
        link = get_link(self.link).name
        title = f"Ordinal classifier, {link} link, {_order_in_words(self.classes_)}"
        return self._report(title, lines, errors, confidence_level)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        # scikit-learn's checks ask for an accuracy above 0.83 on classes that have no order.
        tags.classifier_tags.poor_score = True
        return tags


def _in_order(found: NDArray[Any], order: Sequence[Any] | None) -> NDArray[Any]:
    """Return all labels in their order, those found among them."""
    if order is None:
        _warn_of_words(found)
        return found
    labels = list(order)
    if len(set(labels)) < len(labels) or len(labels) < 2:
        raise ValueError(
            f"{_NAME}: classes={labels!r} is no order of labels. Allowed: at least two labels, "
            "each once, the lowest first. Mend the list."
        )
    missing = [label for label in found.tolist() if label not in labels]
    if missing:
        raise ValueError(
            f"{_NAME}: y has the label {missing[0]!r}, which is not among classes={labels!r}. "
            "Allowed: these labels. Add it in its place, or mend y."
        )
    return np.array(labels, dtype=found.dtype if found.dtype.kind != "U" else None)


def _warn_of_words(classes: NDArray[Any]) -> None:
    """Warn if more than two labels are words, of which no order is known but the alphabet's."""
    labels = classes.tolist()
    if len(labels) < 3 or not all(isinstance(label, str) for label in labels):
        return
    listed = ", ".join(_ends([repr(label) for label in labels]))
    warnings.warn(
        f"{_NAME}: the labels are words, and are taken in the order of the alphabet, "
        f"{_order_in_words(classes)}. Allowed: words in an order of their own, the lowest first. "
        f"Give it as classes=[{listed}], with these in their order, or as an ordered categorical "
        "of pandas.",
        SettingWarning,
        stacklevel=level_outside(),
    )


def _order_in_words(classes: NDArray[Any]) -> str:
    """Return the classes from the lowest to the highest; of many, the ends."""
    return " < ".join(_ends([printable(str(label)) for label in classes]))


def _ends(labels: list[str]) -> list[str]:
    """Return some labels; of many, the first and the last."""
    return labels if len(labels) <= _SHOWN else [*labels[: _SHOWN - 1], "...", labels[-1]]
