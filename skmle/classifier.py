"""CrossEntropyClassifier: logistic regression as conditional maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_consistent_length

from skmle._engine.fit import fit
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty
from skmle._engine.problem import Coefs, Fit
from skmle._engine.verdict import INTERIOR
from skmle._shared.arrays import in_precision_of
from skmle._shared.callbacks import FitTask, with_callbacks
from skmle._shared.classes import (
    OF_CLASS_WEIGHTS,
    OF_SOFT_LABELS,
    Prepared,
    check_link,
    classes_that_count,
    family_of_present,
    from_each_class,
    observed_classes,
    soft_classes,
    soft_family,
    title_of_classes,
    to_each_class,
    with_absent,
)
from skmle._shared.columns import undetermined
from skmle._shared.estimator import LikelihoodEstimator, check_settings
from skmle._shared.kinds import warn_of_many_classes
from skmle._shared.messages import warn_verdict
from skmle._shared.penalties import penalties_of, strength_of, with_chosen
from skmle._shared.probabilities import Probabilities
from skmle._shared.separated import rows_in_words
from skmle._shared.shares import shares_of
from skmle._shared.tables import coefficients_of_classes
from skmle._shared.validation import checked_data, checked_features
from skmle.families import Family
from skmle.families.links import LOGIT, Link
from skmle.inference import Inference
from skmle.inference.robust import Errors

Array = NDArray[np.float64]


class CrossEntropyClassifier(Probabilities, ClassifierMixin, LikelihoodEstimator):
    """Logistic regression, binary or multinomial, at the maximum of the conditional likelihood.

    The coefficients maximise the mean of log q(y|x) over the rows, that is, they minimise the
    cross-entropy between the labels and the model; `score` is that mean, in nats, and equals
    ``-sklearn.metrics.log_loss``. There is no penalty unless `alpha` asks for one.

    Parameters
    ----------
    link : {"logit", "probit", "cloglog", "loglog", "cauchit"} or Link, default="logit"
        Link of two classes; a `skmle.families.Link` may be your own. More classes take the logit
        alone.
    alpha : float or "loo", default=0.0
        Strength of the penalty, per row, or "loo" as in `MLERegressor`. The fit minimises
        mean(-log q) + alpha * (l1_ratio * sum(abs(coef)) + (1 - l1_ratio)/2 * sum(coef**2)).
        Intercepts are free; the classes of a multinomial model are penalised alike, each by its row
        of `coef_`.
    l1_ratio : float, default=0.0
        Share of the absolute penalty, from 0 (ridge) to 1 (lasso). Where it is positive some
        coefficients are exactly zero, and there are no standard errors.
    penalty : "jeffreys" or object, optional
        "jeffreys" adds half the log-determinant of the expected information to the log-likelihood
        (Firth's regression): the estimates are finite even where classes separate, and free from
        the bias of few rows; up to 300 coefficients. Or a smooth penalty of one's own on the
        coefficients, ``coef_.ravel()``, per row and beside that of `alpha`: an object with the
        methods value, add, product, curvature and restrict, which the page "Add a penalty"
        explains.
    fit_intercept : bool, default=True
    class_weight : dict or "balanced", optional
        Weights of the classes, multiplied with `sample_weight`; 0 leaves a class out.
    tol : float, default=1e-6
        Distance to the optimum, in standard errors, at which a fit may stop: it does not depend on
        units or on n.
    max_iter : int, default=100
        Most iterations of the solver.
    warm_start : bool, default=False
        Whether a second fit starts at the coefficients of the first.
    store_information : {"auto", True, False}, default="auto"
        Whether to keep the covariance of the coefficients for `inference`.
    n_jobs : int or None, default=None
        Threads for long data; None uses the cores at hand. Results do not depend on it, to the
        last bit.
    verbose : bool or int, default=0
        Whether to print a line for each iterate of the solver.

    Attributes
    ----------
    coef_ : ndarray of shape (1, p) or (K, p)
        Log-odds of ``classes_[1]``; for K > 2 classes one row each, which sum to zero. Under an
        absolute penalty they do not: all K rows are penalised, as they stand, and of those with the
        same probabilities the least penalised are returned (for l1_ratio=1 each column has median
        zero). Rounded to the precision of X, as in scikit-learn; predictions and inference are of
        double precision whatever X is.
    intercept_ : ndarray of shape (1,) or (K,)
        Infinite where a class has no row of positive weight and so has probability zero.
    classes_ : ndarray of shape (K,)
    log_likelihood_ : float
        Total log-likelihood of the training data in nats.
    status_, converged_, distance_, n_iter_, n_parameters_, weight_sum_
        As in `MLEDistribution`.
    effective_parameters_, alpha_ : float
        As in `MLERegressor`.
    aliased_ : list of str
        Columns that are combinations of others, exactly or to within 1e-11 of their spread: of the
        coefficients that fit alike, those of least norm in standardised columns are returned
        (without an intercept: in columns divided by their root mean square), without standard
        errors. Of 300 columns or more they are not looked for if all rows are predicted perfectly.
    separated_ : Bunch
        What runs to infinity, as in `MLERegressor`; its `columns` are given for each class.
    n_features_in_, feature_names_in_
        Number and names of the columns of X.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, ch. 4-5.
    Albert & Anderson (1984), On the existence of maximum likelihood estimates in logistic
    regression models, Biometrika 71.

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
        alpha: float | str = 0.0,
        l1_ratio: float = 0.0,
        penalty: Penalty | str | None = None,
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
        y : array-like of shape (n,) or (n, K)
            Labels of any type, at least two different ones; a label whose rows all have weight
            zero is a class of probability zero. Or soft labels: a probability of each of K classes,
            rows that add up to one, or of class 1 of two. A row then counts as K rows with these
            weights.
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
        prepared = with_chosen(self, self._prepare(X, y, sample_weight))
        task = FitTask(
            self, X, y, sample_weight, lambda model, result: model._store(result, prepared)
        )
        result = fit(prepared.problem, task.tell)
        self._store(result, prepared)
        task.done()
        if result.verdict.status != INTERIOR:
            names = [self._feature_names()] * len(result.coefs)
            rows = rows_in_words(result, prepared.y, prepared.mask)
            warn_verdict(result, "CrossEntropyClassifier", names, rows, bool(self._prior))
        return self

    def _prepare(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Prepared:
        """Check settings and data, and return the problem that they state."""
        check_settings(self)
        check_link(self.link)
        what = type(self).__name__
        checks: dict[str, Any] = {
            "accept_sparse": ["csr", "csc"],
            "dtype": [np.float64, np.float32],
        }
        observations: NDArray[Any]
        if y is not None and (soft := shares_of(y, f"{what}, y")) is not None:
            X = checked_features(self, X, **checks)
            check_consistent_length(X, soft.shares)
            found, observations = soft_classes(soft, X, sample_weight, self.class_weight)
            family_of, y, sandwiched = soft_family, None, OF_SOFT_LABELS
        else:
            X, y = checked_data(self, X, y, labels=True, **checks)
            found = classes_that_count(y, X, sample_weight, self.class_weight)
            if sample_weight is None:  # Weighted labels may be a table of counts.
                warn_of_many_classes(y, len(found.classes), what)
            family_of, observations = family_of_present, found.codes
            sandwiched = "" if self.class_weight is None else OF_CLASS_WEIGHTS
        classes, present, codes, mask = found.classes, found.present, found.codes, found.mask
        X = X if mask is None else X[mask]
        y = classes[present][codes] if y is None else y if mask is None else y[mask]
        count = int(present.sum())
        family = family_of(len(classes), count, self.link, absolute=self._selects)
        k, p, numeric = len(family.parameters), X.shape[1], family.observation.numeric
        if numeric:  # two classes
            observations = np.asarray(
                observations[:, 1] if observations.ndim == 2 else observations, np.float64
            )
        penalties, lasso = self._penalties(strength_of(self), family)
        problem = self._problem(
            family=family,
            observed=observed_classes(family, observations, found),
            robust=bool(sandwiched),
            terms=(Term(slice(None), p, self.fit_intercept),) * k,
            X=X.tocsr() if sp.issparse(X) else X,
            penalties=penalties,
            lasso=lasso,
            start=self._start(classes, p) if self.warm_start else None,
        )
        return Prepared(problem, classes, present, y, mask, sandwiched)

    def _penalties(self, alpha: float, family: Family) -> tuple[tuple[Penalty, ...], float]:
        """Return the penalties on the slopes under a strength, and that of the absolute one."""
        k = len(family.parameters)
        # Slopes against a reference class are penalised as those of all classes, once centred.
        labelled = not family.observation.numeric
        classes = k + 1 if labelled and not family.redundant else 0
        return penalties_of(self, alpha, classes)

    @property
    def _selects(self) -> bool:
        """Whether an absolute penalty may hold coefficients at zero."""
        return strength_of(self) * self.l1_ratio > 0.0

    def _start(self, classes: NDArray[Any], p: int) -> Coefs | None:
        """Return the coefficients of the fit before, if it was of the same classes and columns."""
        if not hasattr(self, "coef_") or self.coef_.shape[1] != p:
            return None
        slopes, intercepts = self._coefs()
        if not np.array_equal(classes, self.classes_) or not np.isfinite(intercepts).all():
            return None
        if len(classes) > 2 and not self._selects:
            slopes, intercepts = from_each_class(slopes, intercepts)
        return tuple((w, float(b)) for w, b in zip(slopes, intercepts, strict=True))

    def _store(self, result: Fit, prepared: Prepared) -> None:
        """Store what a fit of the prepared problem found."""
        self._record(result, prepared.problem.observed.counted)
        self._keep([result], [prepared.problem.terms], prepared.sandwiched)
        self.classes_ = prepared.classes
        self._present = present = prepared.present
        self._set([result], prepared.problem.X)
        if result.family.redundant:
            # There is one row more than log-odds: where none of a column's is zero, one follows
            # from the others.
            spare = int((self._coefs()[0] != 0.0).all(axis=0).sum())
            self.n_parameters_ -= spare
            # A smooth penalty has counted them out.
            self.effective_parameters_ -= spare if result.shrunk == 0.0 else 0
        names = self._feature_names() if result.estimable or result.separated else []
        labels = self.classes_[present if len(present) > 2 else slice(1, None)].tolist()
        self._store_separated(result, labels, [names] * len(labels), prepared.mask)
        self.aliased_ = undetermined(result.estimable and result.estimable[:1], [names])

    def _set(self, fits: Sequence[Fit], X: Any) -> None:
        (result,) = fits
        slopes = np.array([w for w, _ in result.coefs]).reshape(-1, self.n_features_in_)
        intercepts = np.array([b for _, b in result.coefs])
        if len(self.classes_) > 2:
            redundant = result.family.redundant
            slopes, intercepts = to_each_class(slopes, intercepts, redundant, self.l1_ratio == 1.0)
        if not self._present.all():
            slopes, intercepts = with_absent(slopes, intercepts, self._present, self.link)
        pairs = in_precision_of(X, slopes), in_precision_of(X, intercepts)
        (self.coef_, self.intercept_), self._rounded_off = zip(*pairs, strict=True)

    # ---------------------------------------------------------------- inference

    def _results_under(self, errors: Errors, confidence_level: float = 0.95) -> Inference:
        # A class that is certain has no coefficients, and neither has one that is absent.
        shown = self._present if self._present.sum() > 1 else self._present & False
        rows = shown if len(shown) > 2 else shown[:1]
        slopes, intercepts = self._coefs()
        lines = coefficients_of_classes(
            slopes=slopes[rows],
            intercepts=intercepts[rows] if self.fit_intercept else None,
            names=self._feature_names(),
            classes=self.classes_[shown],
            covariance=errors.covariances[0],
            beyond=self._beyond,
            link=self.link,
        )
        return self._report(
            title_of_classes(self.classes_, self.link, self._selects),
            lines,
            errors,
            confidence_level,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = self.link in ("logit", LOGIT)
        return tags
