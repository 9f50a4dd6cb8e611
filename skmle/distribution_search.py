"""DistributionSearch: the law that a sample has most likely come from, among many families."""

from __future__ import annotations

import numbers
import time
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, MetaEstimatorMixin
from sklearn.utils.validation import check_is_fitted

from skmle._any_model.choosing import CRITERIA, Tried, chosen, tidied, without_equals
from skmle._any_model.held_out import Fold, folds_of
from skmle._any_model.rows import checked_weight, part
from skmle._engine.verdict import INTERIOR, NOT_CONVERGED
from skmle._shared.callbacks import CallbackSupportMixin, SearchTask, with_callbacks
from skmle._shared.elsewhere import OF_SEARCHES
from skmle._shared.kinds import as_column
from skmle._shared.validation import checked_features
from skmle._spelling import SaysWhatIsMeant
from skmle.distribution import MLEDistribution
from skmle.exceptions import FitWarning, ScaleWarning
from skmle.families import Distribution, Family
from skmle.families.candidates import Scale, candidates
from skmle.families.independent import IndependentColumns
from skmle.inference import Inference

__all__ = ["DistributionSearch"]

Array = NDArray[np.float64]


class DistributionSearch(
    MetaEstimatorMixin, DensityMixin, CallbackSupportMixin, SaysWhatIsMeant, BaseEstimator
):
    """Fit many families to a sample and keep the one that describes it best.

    All log-likelihoods that are compared are on one scale. Of whole or rounded numbers they are
    probabilities, also those of continuous laws, which are asked for the interval for which each
    number stands (`skmle.families.Rounded`); of other numbers they are densities.

    Parameters
    ----------
    families : "auto", sequence or dict of str to family, default="auto"
        What to choose from, by name, class or instance, scipy's laws among them. "auto": every
        family of `skmle.families` that suits the sample.
    criterion : {"bic", "aic", "aicc", "held_out"}, default="bic"
        By what the best is chosen. "held_out": the mean log-likelihood of rows held out by `cv`.
    cv : int, splitter or iterable, optional
        Folds, as in scikit-learn. With them, held-out log-likelihoods are computed whatever the
        criterion; "held_out" without them takes 5.
    resolution : float, "auto" or None, default="auto"
        Distance between neighbouring values, if the numbers were rounded; "auto" finds it where
        many values are equal; None takes the numbers as they are.
    time_limit : float, default=10.0
        Seconds of processor time after which the fit of a family is given up.
    n_jobs : int or None, default=None
        Threads; None is one.
    random_state : int, default=0
        Seed of the folds.
    tol, max_iter : float and int
        As in `MLEDistribution`.

    Attributes
    ----------
    results_ : DataFrame, or dict of arrays without pandas
        A line a family, the best first: `family`, `status`, `log_likelihood` (total, in nats),
        `n_parameters`, `aic`, `aicc`, `bic`, `weight` (Akaike's, by the criterion, of those that
        are ranked), `difference` and `std_error` (of the mean log-likelihood of the best minus its
        own, row by row; held out if there are folds), `vuong_p` (two-sided, that neither is
        nearer), `held_out` (mean log-likelihood of rows held out), `seconds`, and `remark`: why it
        is not ranked, or what it is.
    best_estimator_ : MLEDistribution
        Fitted to all rows.
    best_family_ : str
    scale_ : str
        What the log-likelihoods are of.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Warns
    -----
    ScaleWarning
        If the sample repeats values in a way that no scale fits, such as where values were cut off.

    See Also
    --------
    compare : Models of any kind by rows held out.
    goodness_of_fit : Whether the best describes the sample well.

    Notes
    -----
    A fit that stands where its law is another one (Student's t with infinite degrees of freedom is
    normal) is not ranked beside that one. Nor are fits without a maximum. The weights,
    exp(-criterion/2) in shares, are those of the families that were tried.

    References
    ----------
    Burnham & Anderson (2002), Model Selection and Multimodel Inference, 2nd ed.
    Vuong (1989), Likelihood ratio tests for model selection and non-nested hypotheses,
    Econometrica 57.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import DistributionSearch
    >>> x = np.random.default_rng(0).gamma(2.0, 3.0, size=500)
    >>> search = DistributionSearch(["normal", "gamma", "lognormal", "weibull"]).fit(x)
    >>> search.best_family_
    'gamma'
    >>> search.scale_
    'densities'
    """

    _elsewhere = OF_SEARCHES
    _within = (
        ("best_estimator_", MLEDistribution),
        ("distribution_", Distribution),
        ("inference()", Inference),
    )
    _doc_link_module = MLEDistribution._doc_link_module
    _doc_link_template = MLEDistribution._doc_link_template

    def __init__(
        self,
        families: str | Iterable[Any] | Mapping[str, Any] = "auto",
        *,
        criterion: str = "bic",
        cv: Any = None,
        resolution: float | str | None = "auto",
        time_limit: float = 10.0,
        n_jobs: int | None = None,
        random_state: int = 0,
        tol: float = 1e-6,
        max_iter: int = 100,
    ) -> None:
        self.families = families
        self.criterion = criterion
        self.cv = cv
        self.resolution = resolution
        self.time_limit = time_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.tol = tol
        self.max_iter = max_iter

    # ---------------------------------------------------------------- fit

    @with_callbacks
    def fit(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> DistributionSearch:
        """Fit all families that suit the sample, and choose.

        Parameters
        ----------
        X : array-like of shape (n, p), or (n,)
            Observations. Of several columns, families of one column are fitted to each on its own.
        y : None
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Weights; an integer weight is that many equal rows.

        Returns
        -------
        DistributionSearch
            Fitted.

        Raises
        ------
        ValueError
            If no family suits the sample, or none has a maximum.
        """
        self._check()
        X = as_column(X) if y is None else X
        rows = self._checked(X, reset=True)
        weight = checked_weight(sample_weight, rows)
        sample = rows if weight is None else rows[weight > 0.0]
        sample = sample[:, 0] if sample.shape[1] == 1 else sample
        found = candidates(sample, self.families, self.resolution)
        if not found.families:
            self._refuse(len(sample), found.refused)
        if found.scale.note:
            self._warn_of(found.scale)
        counts = np.ones(len(rows)) if weight is None else weight
        folds = self._folds(rows)
        task = SearchTask(self, X, sample_weight, len(found.families))

        def one(item: tuple[str, Family]) -> Tried:
            return task.around(lambda: self._try(*item, rows, weight, folds))

        from sklearn.utils.parallel import Parallel, delayed

        with warnings.catch_warnings():
            # The table says how each fit ended. Filters are those of all threads: set them once.
            warnings.simplefilter("ignore", FitWarning)
            tried = Parallel(self.n_jobs, prefer="threads")(
                delayed(one)(item) for item in found.families.items()
            )
        choice = chosen(without_equals(tried), counts, folds, self.criterion)
        if choice.best is None:
            self._refuse(
                len(rows), {**found.refused, **{line.name: line.remark for line in choice.lines}}
            )
        self.scale_ = str(found.scale)
        self.best_estimator_: MLEDistribution = choice.best.model
        if hasattr(self, "feature_names_in_"):
            self.best_estimator_.feature_names_in_ = self.feature_names_in_
        self.best_family_ = choice.best.name
        self.results_ = tidied(choice, found.refused, self.criterion, float(counts.sum()))
        task.done()
        return self

    def _check(self) -> None:
        """Raise ValueError if a setting has a value of no meaning."""
        if self.criterion not in CRITERIA:
            raise ValueError(
                f"DistributionSearch: criterion={self.criterion!r} is not allowed. Allowed: "
                f"{', '.join(map(repr, CRITERIA))}. Give one of them."
            )
        limit = self.time_limit
        if not (isinstance(limit, numbers.Real) and limit > 0.0):
            raise ValueError(
                f"DistributionSearch: time_limit={limit!r} is not allowed. Allowed: seconds above "
                "0, or inf. Give for example 10.0."
            )
        step = self.resolution
        number = isinstance(step, numbers.Real) and not isinstance(step, bool)
        if not (step is None or step == "auto" or (number and 0.0 < step < np.inf)):
            raise ValueError(
                f"DistributionSearch: resolution={step!r} is not allowed. Allowed: 'auto', None, "
                "or a distance above 0 between neighbouring values. Give one of them."
            )

    def _checked(self, X: Any, reset: bool) -> NDArray[Any]:
        labels = _has_labels(X)
        return checked_features(
            self, X, numbers=not labels, dtype=None if labels else np.float64, reset=reset
        )

    def _folds(self, X: Any) -> list[Fold] | None:
        if self.cv is None and self.criterion != "held_out":
            return None
        cv = 5 if self.cv is None else self.cv
        return folds_of(cv, X, None, groups=None, labels=False, seed=self.random_state)

    def _refuse(self, n: int, why: Mapping[str, str]) -> NoReturn:
        told = "; ".join(f"{name}: {reason}" for name, reason in list(why.items())[:5])
        more = f"; and {len(why) - 5} more" if len(why) > 5 else ""
        raise ValueError(
            f"DistributionSearch: no family describes X of n_samples={n} ({told}{more}). Allowed: "
            "families whose support holds all rows, and rows that differ. Give others as "
            "families=[...]."
        )

    def _warn_of(self, scale: Scale) -> None:
        warnings.warn(
            ScaleWarning(
                f"DistributionSearch: {scale.note}. Compared are {scale}. Allowed: samples in "
                "which values repeat because they were rounded, or hardly repeat. Give "
                "resolution=..., or families that know what was done to the values."
            ),
            stacklevel=4,
        )

    def _try(
        self, name: str, family: Family, X: Any, weight: Array | None, folds: list[Fold] | None
    ) -> Tried:
        """Return the fit of a family, and what it says of rows held out."""
        begun = time.thread_time()
        try:
            model = self._fitted(family, X, weight, begun)
            log_probs = model._log_prob(X, told=False)
            held = None
            if folds is not None:
                held = np.concatenate(
                    [
                        self._fitted(
                            family, part(X, fold.train), part(weight, fold.train), begun
                        )._log_prob(part(X, fold.test), told=False)
                        for fold in folds
                    ]
                )
        except ValueError as refusal:
            return Tried(name, "refused", str(refusal), time.thread_time() - begun)
        remark = "" if model.status_ == INTERIOR else model._fits[0].verdict.reason
        if model.status_ == NOT_CONVERGED and not remark:
            remark = f"no maximum after {model.n_iter_} iterations"
        seconds = time.thread_time() - begun
        return Tried(name, model.status_, remark, seconds, model, log_probs, held)

    def _fitted(
        self, family: Family, X: Any, weight: Array | None, begun: float
    ) -> MLEDistribution:
        model = MLEDistribution(family, tol=self.tol, max_iter=self.max_iter, n_jobs=1)
        model._until = begun + self.time_limit
        model.fit(X, sample_weight=weight)
        del model._until
        return model

    # ---------------------------------------------------------------- the best

    def score_samples(self, X: Any) -> Array:
        """Return the log-density, or log-probability, of each row under the best law, in nats.

        It is on the scale `scale_`.
        """
        return self._best(X).score_samples(X)

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the (weighted) mean log-likelihood of the rows of X under the best law."""
        return self._best(X).score(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """Return the density, or probability, of each row under the best law, (n,)."""
        return self._best(X).predict(X)

    def _best(self, X: Any) -> MLEDistribution:
        check_is_fitted(self)
        self._checked(as_column(X) if self.n_features_in_ == 1 else X, reset=False)
        return self.best_estimator_

    def sample(self, n_samples: int = 1, random_state: Any = None) -> NDArray[Any]:
        """Draw rows from the best law, (n_samples, p)."""
        check_is_fitted(self)
        return self.best_estimator_.sample(n_samples, random_state)

    def inference(self, X: Any = None, y: Any = None, **options: Any) -> Inference:
        """Return the inference of the best fit, as `MLEDistribution.inference`.

        It does not know that the family was chosen by the same rows.
        """
        check_is_fitted(self)
        return self.best_estimator_.inference(X, y, **options)

    def summary(self) -> Any:
        """Return the table of the best fit."""
        check_is_fitted(self)
        return self.best_estimator_.summary()

    @property
    def params_(self) -> dict[str, Any]:
        """The parameters of the best law."""
        return self.best_estimator_.params_

    @property
    def distribution_(self) -> Distribution | IndependentColumns:
        """The best law; that of the values before rounding, where they were rounded."""
        return self.best_estimator_.distribution_

    @property
    def status_(self) -> str:
        """Where the best fit ended."""
        return self.best_estimator_.status_

    @property
    def log_likelihood_(self) -> float:
        """That of the best law, in nats."""
        return self.best_estimator_.log_likelihood_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags


def _has_labels(X: Any) -> bool:
    """Return whether the observations are labels, and no numbers."""
    if hasattr(X, "dtypes"):
        X = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
    array = np.asarray(X)
    return array.dtype.kind in "US" or (
        array.dtype.kind == "O" and any(isinstance(value, str) for value in array.flat)
    )
