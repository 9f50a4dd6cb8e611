"""CrossEntropyClassifier: logistic regression as conditional maximum likelihood."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skmle._engine.data.observed import observe
from skmle._engine.data.sums import thread_count
from skmle._engine.fit import fit
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Centred, Penalty, elastic_net
from skmle._engine.problem import Fit, Problem
from skmle._shared.callbacks import FitTask, with_callbacks
from skmle._shared.columns import label_columns
from skmle._shared.estimator import LikelihoodEstimator, warn_verdict
from skmle._shared.validation import (
    check_settings,
    checked_features,
    positive_weights,
    sorted_labels,
    weighted_mean,
)
from skmle.families import Family
from skmle.families.bernoulli import Bernoulli
from skmle.families.categorical import Categorical, SymmetricCategorical
from skmle.families.links import LINKS, LOGIT, Link, get_link
from skmle.inference import Inference
from skmle.inference.assemble import centred_covariance, coefficient_lines

Array = NDArray[np.float64]


class Prepared(NamedTuple):
    """Checked data, ready to be fitted."""

    problem: Problem
    classes: NDArray[Any]


# Those of a probability whose eta may be any number.
_LINKS = tuple(k for k, link in LINKS.items() if link.domain == LOGIT.domain and link.onto)


class CrossEntropyClassifier(ClassifierMixin, LikelihoodEstimator):
    """Logistic regression, binary or multinomial, at the maximum of the conditional likelihood.

    The coefficients maximise the mean of log q(y|x) over the rows, that is, they minimise the cross-entropy between the
    labels and the model; `score` is that mean, in nats, and equals ``-sklearn.metrics.log_loss``. There is no penalty
    unless `alpha` asks for one.

    Parameters
    ----------
    link : {"logit", "probit", "cloglog", "loglog", "cauchit"} or Link, default="logit"
        Link of two classes; a `skmle.families.Link` may be your own. More classes take the logit
        alone.
    alpha : float, default=0.0
        Strength of the penalty, per row: minimises
        mean(-log q) + alpha * (l1_ratio * sum(abs(coef)) + (1 - l1_ratio)/2 * sum(coef**2)). Intercepts are free; the
        classes of a multinomial model are penalised alike, each by its row of `coef_`.
    l1_ratio : float, default=0.0
        Share of the absolute penalty, from 0 (ridge) to 1 (lasso). Where it is positive some coefficients are exactly
        zero, and there are no standard errors.
    penalty : object, optional
        A smooth penalty of one's own on the coefficients, ``coef_.ravel()``, per row and beside
        that of `alpha`: an object with the methods value, add, product, curvature and restrict,
        which the page "Add a penalty" explains.
    fit_intercept : bool, default=True
    class_weight : dict or "balanced", optional
        Weights of the classes, multiplied with `sample_weight`.
    tol : float, default=1e-6
        Distance to the optimum, in standard errors, at which a fit may stop: it does not depend on units or on n.
    max_iter : int, default=100
        Most iterations of the solver.
    warm_start : bool, default=False
        Whether a second fit starts at the coefficients of the first.
    store_information : {"auto", True, False}, default="auto"
        Whether to keep the covariance of the coefficients for `inference`.
    n_jobs : int or None, default=None
        Threads for long data; None uses the cores at hand. Results do not depend on it, to the last bit.
    verbose : bool or int, default=0
        Whether to print a line for each iterate of the solver.

    Attributes
    ----------
    coef_ : ndarray of shape (1, p) or (K, p)
        Log-odds of ``classes_[1]``; for K > 2 classes one row each, which sum to zero. Under an absolute penalty they
        do not: all K rows are penalised, as they stand, and of those with the same probabilities the least penalised
        are returned (for l1_ratio=1 each column has median zero).
    intercept_ : ndarray of shape (1,) or (K,)
    classes_ : ndarray of shape (K,)
    log_likelihood_ : float
        Total log-likelihood of the training data in nats.
    status_, converged_, distance_, n_iter_, n_parameters_, weight_sum_
        As in `MLEDistribution`.
    aliased_ : list of str
        Columns that are combinations of others: their coefficients are those of least norm, without standard errors.
    n_features_in_, feature_names_in_
        Number and names of the columns of X.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 4-5.
    Albert & Anderson (1984), On the existence of maximum likelihood estimates in logistic regression models, Biometrika 71.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmle import CrossEntropyClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = CrossEntropyClassifier(alpha=0.01).fit(X, y)
    >>> print(round(model.score(X, y), 4), model.status_)
    -0.1408 interior
    """

    def __init__(
        self,
        *,
        link: str | Link = "logit",
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        penalty: Penalty | None = None,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        tol: float = 1e-6,
        max_iter: int = 100,
        warm_start: bool = False,
        store_information: bool | str = "auto",
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.link = link
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.store_information = store_information
        self.n_jobs = n_jobs
        self.verbose = verbose

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> CrossEntropyClassifier:
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p)
        y : array-like of shape (n,)
            Labels of any type, at least two different ones with positive weight.
        sample_weight : array-like of shape (n,), optional
            Weights; an integer weight is that many equal rows.

        Raises
        ------
        ValueError
            If y has one class, a weight is negative, all are zero, or a value is not finite.

        Warns
        -----
        SeparationWarning
            If some columns separate the classes, so that no maximum exists; the message names them.
        """
        prepared = self._prepare(X, y, sample_weight)
        task = FitTask(
            self, X, y, sample_weight, lambda model, result: model._complete(result, prepared)
        )
        result = fit(prepared.problem, task.tell)
        self._complete(result, prepared)
        task.done()
        warn_verdict(result, "CrossEntropyClassifier", [self._feature_names()] * len(result.coefs))
        return self

    def _prepare(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Prepared:
        check_settings(self)
        _check_link(self.link)
        X, y = checked_features(
            self, X, y, accept_sparse=["csr", "csc"], dtype=[np.float64, np.float32]
        )
        if (
            y.dtype.kind not in "biuSU"
        ):  # whole numbers and strings are classes; a look at every value is slow
            check_classification_targets(y)
        weight, mask = positive_weights(sample_weight, X)
        if mask is not None:
            X, y = X[mask], y[mask]
        classes, codes = sorted_labels(y, "CrossEntropyClassifier")
        if len(classes) < 2:
            raise ValueError(
                f"CrossEntropyClassifier: y has only one class, {str(classes[0])!r}, in its {len(y)} rows of positive weight. "
                "Allowed: at least two classes. Give rows of another class too."
            )
        if self.class_weight is not None:
            balance = compute_class_weight(
                self.class_weight, classes=classes, y=y, sample_weight=weight
            )
            if not (np.isfinite(balance).all() and (balance > 0).all()):
                raise ValueError(
                    f"CrossEntropyClassifier: class_weight={self.class_weight!r} is not allowed; give each class a positive, finite weight."
                )
            weight, _ = positive_weights(weight, X, balance[codes])
        family = self._family(len(classes))
        k, p = len(family.parameters), X.shape[1]
        terms = tuple(Term(slice(None), p, self.fit_intercept) for _ in range(k))
        start = self._start(classes, p) if self.warm_start else None
        problem = Problem(
            family=family,
            observed=observe(family, codes.astype(np.float64) if k == 1 else codes, weight),
            terms=terms,
            X=X.tocsr() if sp.issparse(X) else X,
            tol=self.tol,
            max_iter=self.max_iter,
            threads=thread_count(self.n_jobs),
            covariance=self.store_information,
            verbose=bool(self.verbose),
            start=start,
        )
        penalties, lasso = self._penalties(float(self.alpha), problem)
        return Prepared(replace(problem, penalties=penalties, lasso=lasso), classes)

    def _penalties(self, alpha: float, problem: Problem) -> tuple[tuple[Penalty, ...], float]:
        """Return the penalties on the slopes of the problem's logits under a strength, and that of the absolute one."""
        reference = len(problem.terms) > 1 and not problem.family.redundant
        classes = len(problem.terms) + 1 if reference else 0
        penalties, lasso = elastic_net(alpha, float(self.l1_ratio), classes)
        if self.penalty is None:
            return penalties, lasso
        own = Centred(self.penalty, classes) if reference else self.penalty
        return (*penalties, own), lasso

    @property
    def _selects(self) -> bool:
        """Whether an absolute penalty may hold coefficients at zero."""
        return self.alpha * self.l1_ratio > 0.0

    def _complete(self, result: Fit, prepared: Prepared) -> None:
        """Store what a fit of the prepared problem found."""
        observed = prepared.problem.observed
        self.classes_ = prepared.classes
        self._store(result)
        self._counted = (observed.n, observed.weight is not None)
        known = (
            np.ones(self.n_features_in_, bool) if result.estimable is None else result.estimable[0]
        )
        self.aliased_ = [
            name for name, ok in zip(self._feature_names(), known, strict=True) if not ok
        ]

    def _family(self, n_classes: int) -> Family:
        if n_classes == 2:
            plain = get_link(self.link) is LOGIT
            return Bernoulli(links=None if plain else {"probability": self.link})
        if get_link(self.link) is not LOGIT:
            raise ValueError(
                f"CrossEntropyClassifier(link={self.link!r}): y has {n_classes} classes. Only binary classification is supported. "
                "Allowed: link='logit' for more than two classes. Set it, or fit two classes."
            )
        # A ridge measures log-odds against a reference by a metric that is blind to it; absolute penalties know no such metric.
        return SymmetricCategorical(n_classes) if self._selects else Categorical(n_classes)

    def _start(self, classes: NDArray[Any], p: int) -> tuple[tuple[Array, float], ...] | None:
        if (
            not hasattr(self, "coef_")
            or self.coef_.shape[1] != p
            or not np.array_equal(classes, self.classes_)
        ):
            return None
        slopes, intercepts = self.coef_, self.intercept_
        if len(classes) > 2 and not self._selects:
            # From one row a class to logits against the last class.
            slopes, intercepts = slopes[:-1] - slopes[-1], intercepts[:-1] - intercepts[-1]
        return tuple((w, float(b)) for w, b in zip(slopes, intercepts, strict=True))

    def _store(self, result: Fit) -> None:
        slopes = np.array([s for s, _ in result.coefs])
        intercepts = np.array([b for _, b in result.coefs])
        self.n_parameters_ = result.n_parameters
        if (
            1 < len(result.coefs) < len(self.classes_)
        ):  # from logits against the last class to one row a class, which sum to zero
            slopes, intercepts = (
                np.vstack([slopes, np.zeros(slopes.shape[1])]),
                np.append(intercepts, 0.0),
            )
            slopes = slopes - slopes.mean(axis=0)
        elif len(result.coefs) > 1:
            slopes = _least_shift(slopes) if self.l1_ratio == 1.0 else slopes
            # One row more than there are log-odds: where none of a column's is zero, one follows from the others.
            self.n_parameters_ -= int((slopes != 0.0).all(axis=0).sum())
        self.coef_, self.intercept_ = (
            slopes,
            intercepts - intercepts.mean() if len(slopes) > 1 else intercepts,
        )
        self._record(result)
        self._covariance = result.covariance

    def _feature_names(self) -> list[str]:
        return [
            str(name)
            for name in getattr(
                self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)]
            )
        ]

    # ---------------------------------------------------------------- use

    def _eta(self, X: Any) -> Array:
        """Return the linear predictors: (n,) for two classes, (n, K) for more."""
        check_is_fitted(self)
        X = checked_features(
            self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
        )
        eta = np.asarray(X @ self.coef_.T, np.float64) + self.intercept_
        return eta[:, 0] if len(self.classes_) == 2 else eta

    def decision_function(self, X: Any) -> Array:
        """Return the linear predictors: (n,) for two classes, (n, K) for more; the largest decides.

        Of two classes the second is predicted where the value is positive: the links cloglog and loglog, which give
        probability 1/2 elsewhere than at zero, have that point subtracted. The sign is turned where
        a link falls as the probability rises.
        """
        eta = self._eta(X)
        if eta.ndim == 2:
            return eta
        return eta - self._even if get_link(self.link).rising else self._even - eta

    @property
    def _even(self) -> float:
        """Linear predictor at which two classes are equally probable."""
        return float(self._family(2).eta((np.asarray(0.5),))[0])

    def predict_log_proba(self, X: Any) -> Array:
        """Return the log-probability of each class, (n, K), in nats and accurate in the tails."""
        eta = self._eta(X)
        if eta.ndim == 2:
            eta = eta - eta.max(axis=1, keepdims=True)
            return eta - np.log(np.exp(eta).sum(axis=1, keepdims=True))
        family = self._family(2)
        entries = (eta,)
        with np.errstate(over="ignore"):
            columns = [
                -family.rows((np.full(len(eta), value),), entries, 0).value for value in (0.0, 1.0)
            ]
        return np.column_stack(columns)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (n, K)."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row, (n,)."""
        scores = self.decision_function(X)
        return self.classes_[
            scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0.0).astype(np.intp)
        ]

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the (weighted) mean log-likelihood of the labels in nats, which is ``-log_loss``; not the accuracy.

        A label that the fit has not seen has probability zero: the score is then -inf.
        """
        return weighted_mean(self.log_prob(X, y), sample_weight)

    def log_prob(self, X: Any, y: Any) -> Array:
        """Return the log-probability of each row's label in nats, (n,); -inf for a label that the fit has not seen."""
        log_proba = self.predict_log_proba(X)
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.shape != (len(log_proba),):
            n = len(log_proba)
            raise ValueError(
                f"CrossEntropyClassifier: y has shape {y.shape}, but X has {n} rows. Allowed: shape ({n},). Give one label a row."
            )
        column = label_columns(self.classes_, y)
        return np.where(column >= 0, log_proba[np.arange(len(y)), column], -np.inf)

    # ---------------------------------------------------------------- inference

    def _results(self) -> Inference:
        k, covariance = len(self.coef_), self._covariance
        if k > 1 and covariance is not None:
            covariance = centred_covariance(covariance, k)
        names = self._feature_names() + (["intercept"] if self.fit_intercept else [])
        estimate = (
            np.column_stack([self.coef_, self.intercept_]) if self.fit_intercept else self.coef_
        )
        labels = [""] if k == 1 else [f"class {label!s}" for label in self.classes_]
        rows = coefficient_lines(
            [label for label in labels for _ in names], names * k, estimate.ravel(), covariance
        )
        return self._report(self._title(), rows, covariance is not None, {})

    def _title(self) -> str:
        if len(self.classes_) > 2:
            rows = "one row a class" if self._selects else "log-odds that sum to zero over classes"
            return f"Multinomial cross-entropy classifier, {rows}"
        label = self.classes_[1]
        name = str(label) if isinstance(label, str) else f"class {label!s}"
        link = get_link(self.link)
        scale = "log-odds" if link is LOGIT else link.name
        return f"Binary cross-entropy classifier, {scale} of {name}"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = self.link in ("logit", LOGIT)
        return tags


def _least_shift(slopes: Array) -> Array:
    """Return the (K, p) slopes of least squares among those of the same probabilities and the same sum of absolute values.

    These have a median of zero, which an even number of classes leaves open between two of them: the limit of l1_ratio -> 1.
    """
    k = len(slopes)
    ordered = np.sort(slopes, axis=0)
    low, high = ordered[(k - 1) // 2], ordered[k // 2]
    shift = np.clip(slopes.mean(axis=0), low, high)
    return slopes - shift


def _check_link(link: str | Link) -> None:
    """Raise ValueError if no classifier has that link."""
    if isinstance(link, Link):
        Bernoulli(links={"probability": link}).check_links()
    elif link not in _LINKS:
        near = difflib.get_close_matches(str(link), _LINKS, n=2)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "Choose one of them."
        raise ValueError(
            f"CrossEntropyClassifier: unknown link {link!r}. Allowed: {', '.join(map(repr, _LINKS))}. {hint}"
        )
