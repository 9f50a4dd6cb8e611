"""MLEDistribution: a parametric density as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import DensityMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmle._engine.data.observed import Observed, observe
from skmle._engine.fit import fit
from skmle._engine.likelihood.design import Term
from skmle._engine.problem import Fit, Problem, Tell
from skmle._engine.verdict import INTERIOR, INTERRUPTED
from skmle._shared.arrays import like
from skmle._shared.batches import Seen, joined_with, kept, laws_of_samples
from skmle._shared.callbacks import FitTask, with_callbacks
from skmle._shared.elsewhere import OF_DENSITIES
from skmle._shared.estimator import LikelihoodEstimator, check_settings, family_if_known
from skmle._shared.messages import warn_verdict
from skmle._shared.samples import (
    as_table,
    log_prob_of_samples,
    notes_of_samples,
    samples_of,
)
from skmle._shared.tables import (
    fitted_laws,
    parameters_of_columns,
    parameters_of_densities,
)
from skmle._shared.validation import checked_features, positive_weights, weighted_mean
from skmle.families import Distribution, Family, get_family
from skmle.families.independent import IndependentColumns
from skmle.families.tools.generators import generator_of
from skmle.inference import Inference
from skmle.inference.robust import Errors

Array = NDArray[np.float64]

# From best to worst.
_STATUSES = (
    "interior",
    "boundary",
    "non_regular",
    "not_converged",
    "interrupted",
    "no_maximum",
)


def _sums_up(model: MLEDistribution) -> bool:
    """Return whether batches can be added up; AttributeError, which says why, if not."""
    family = family_if_known(model.family)
    if family is None or family.condensable:
        return True
    raise AttributeError(
        f"MLEDistribution({family.title}).partial_fit: no sum of fixed size stands for this "
        "family's data, so batches cannot be added up exactly. Allowed: discrete families, and "
        "those with sufficient statistics, such as normal, gamma or beta. Use fit on all rows."
    )


class MLEDistribution(DensityMixin, LikelihoodEstimator):
    """Fit a parametric distribution by maximum likelihood.

    The parameters maximise the mean of log q(x) over the rows, that is, they minimise the
    cross-entropy between the data and the model. `score` is that mean, in nats.

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        The distribution, by plain or scipy name; see `skmle.families`. A family of one column is
        fitted to each column of X on its own (independent columns); ``"multivariate_normal"`` to
        all together.
    fixed : dict of str to float, optional
        Parameters of the family that are known: ``fixed={"loc": 0.0}``.
    tol : float, default=1e-6
        Distance to the optimum, in standard errors, at which a fit may stop.
    max_iter : int, default=100
        Most iterations of the solver.
    store_information : {"auto", True, False}, default="auto"
        Whether to keep the covariance of the estimates for `inference`; "auto" and True do wherever
        one exists.
    n_jobs : int or None, default=None
        Threads for long data; None uses the cores at hand. Results do not depend on it, to the
        last bit.
    verbose : bool or int, default=0
        Whether to print a line for each iterate.

    Attributes
    ----------
    params_ : dict of str to float or ndarray
        Natural parameters by name; arrays of shape (p,) if X has p > 1 independent columns.
    distribution_ : Distribution or IndependentColumns
        The fitted law, with scipy's method names.
    log_likelihood_ : float
        Total log-likelihood of the training data in nats, constants included.
    status_ : {"interior", "boundary", "non_regular", "no_maximum", "not_converged", "interrupted"}
        Where the fit ended; the worst of all columns. Any but "interior" also warns.
    converged_ : bool
        Whether it is the maximum (in the interior, at a limit law, or non-regular).
    distance_ : float
        Distance to the optimum in standard errors at the last check, before the last step.
    n_iter_ : int
        Iterations; the most of any column.
    n_parameters_ : int
        Number of parameters estimated.
    effective_parameters_ : float
        The same: a density has no penalty.
    weight_sum_ : float
        Number of rows, or the sum of their weights.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X had any.

    See Also
    --------
    MLERegressor : The same families given features.
    skmle.families : The list of families.

    References
    ----------
    Lehmann & Casella (1998), Theory of Point Estimation, ch. 6.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> x = np.random.default_rng(0).gamma(2.0, 3.0, size=(500, 1))
    >>> model = MLEDistribution("gamma").fit(x)
    >>> print(round(model.params_["mean"], 3), round(model.params_["shape"], 3))
    5.678 2.218
    >>> print(round(model.score(x), 4))
    -2.5893
    """

    _elsewhere = OF_DENSITIES
    _within = (("distribution_", Distribution),)

    def __init__(
        self,
        family: str | type[Family] | Family = "normal",
        *,
        fixed: Mapping[str, float] | None = None,
        tol: float = 1e-6,
        max_iter: int = 100,
        store_information: bool | str = "auto",
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.family = family
        self.fixed = fixed
        self.tol = tol
        self.max_iter = max_iter
        self.store_information = store_information
        self.n_jobs = n_jobs
        self.verbose = verbose

    # ---------------------------------------------------------------- fit

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> MLEDistribution:
        """Fit the distribution.

        Parameters
        ----------
        X : array-like of shape (n, p), or (n,) for a family of one column
            Observations; a list, an array of one dimension or a Series counts as one column.
        y : None
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Weights; an integer weight is that many equal rows.

        Returns
        -------
        MLEDistribution
            Fitted.

        Raises
        ------
        ValueError
            If an observation lies outside the family's support, a weight is negative, all weights
            are zero, or a value is not finite.

        Warns
        -----
        FitWarning
            If the fit did not end at an interior maximum; its subclass says how.
        """
        X = as_table(X, y, get_family(self.family))
        return self._fit(X, sample_weight, None)

    @available_if(_sums_up)
    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> MLEDistribution:
        """Fit the distribution to these rows and all that were given before, to `fit` or here.

        The result is exactly that of all rows at once. Families for whose data a sum of fixed size
        stands (as the mean and the spread do for the normal) have this method, and discrete ones,
        whose distinct values are counted; not negative binomial ones beyond 4096 of these.

        Parameters
        ----------
        X : array-like of shape (n, p)
            More observations, one or many.
        y : None
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Weights; an integer weight is that many equal rows.

        Returns
        -------
        MLEDistribution
            Fitted to all rows so far.

        Raises
        ------
        ValueError
            As `fit`; what was fitted stays.

        Warns
        -----
        FitWarning
            As `fit`: a first batch of equal numbers, for one, has no density.
        """
        seen = getattr(self, "_seen", None)
        X = as_table(X, y, get_family(self.family), 1 if seen is None else self.n_features_in_)
        return self._fit(X, sample_weight, seen)

    def _fit(
        self, X: Any, sample_weight: ArrayLike | None, seen: list[Seen] | None
    ) -> MLEDistribution:
        """Fit to X and what has been seen before, if anything."""
        family = get_family(self.family)
        check_settings(self)
        given, X = X, self._rows(X, family, reset=seen is None)
        weight, mask = positive_weights(sample_weight, X)
        rows = X if mask is None else X[mask]
        samples = samples_of(rows, family, getattr(self, "feature_names_in_", None))
        pairs = [
            joined_with(
                None if seen is None else seen[j],
                family=family,
                held=self.fixed or {},
                sample=sample,
                label=label,
                weight=weight,
                mask=mask,
            )
            for j, (sample, label) in enumerate(samples)
        ]
        families = [learnt for learnt, _ in pairs]
        count, weighted = (0, False) if seen is None else self._counted
        counted = count + len(rows), weighted or weight is not None
        task = FitTask(
            self,
            given,
            None,
            sample_weight,
            lambda model, result: model._store(families, [result], counted),
        )
        tell = task.tell if len(pairs) == 1 else None
        fits = [self._fit_one(learnt, observed, tell) for learnt, observed in pairs]
        worst = self._store(families, fits, counted)
        self._notes = notes_of_samples(family.title, families, samples)
        task.done()
        if fits[worst].verdict.status != INTERIOR:
            column = f", {samples[worst][1]}" if len(fits) > 1 else ""
            warn_verdict(fits[worst], f"MLEDistribution({family.title}){column}", ())
        return self

    def _rows(self, X: Any, family: Family, reset: bool) -> Any:
        return checked_features(
            self,
            X,
            numbers=family.observation.numeric,
            dtype=np.float64 if family.observation.numeric else None,
            reset=reset,
            finite=family.observation.finite,
        )

    def _posed(self, family: Family, observed: Observed) -> Problem:
        return self._problem(family, observed, (Term(None, 0),) * len(family.parameters))

    def _fit_one(self, family: Family, observed: Observed, tell: Tell | None) -> Fit:
        result = fit(self._posed(family, observed), tell)
        columns = self.n_features_in_ > 1 and family.observation.columns == 1
        if result.verdict.status == INTERRUPTED and columns:
            raise KeyboardInterrupt  # The columns after this one would have no parameters.
        return result

    def _store(self, families: list[Family], fits: list[Fit], counted: tuple[int, bool]) -> int:
        """Store the fits, one a column or one of all columns, and return which is the worst."""
        worst = max(range(len(fits)), key=lambda j: _STATUSES.index(fits[j].verdict.status))
        self._asked = families
        self._set(fits, None)
        self._record(fits[worst], counted)
        if len(fits) > 1:
            self._at_limit = {}  # A header has no room for the ends of several columns.
        self.log_likelihood_ = float(sum(f.log_likelihood for f in fits))
        self.n_iter_ = max(f.n_iter for f in fits)
        self.distance_ = float(max(f.distance for f in fits))
        self.n_parameters_ = sum(f.n_parameters for f in fits)
        self.effective_parameters_ = float(self.n_parameters_)
        self._keep(fits, [(Term(None, 0),) * len(f.coefs) for f in fits])
        pairs = zip(families, fits, strict=True)
        self._seen = [kept(family, result.condensed) for family, result in pairs]
        return worst

    def _set(self, fits: Sequence[Fit], X: Any) -> None:
        laws, self._observed = zip(*map(fitted_laws, fits), strict=True)
        self.distribution_: Distribution | IndependentColumns = (
            laws[0] if len(laws) == 1 else IndependentColumns(laws)
        )
        self.params_ = parameters_of_columns(self._asked, fits, laws)

    # ---------------------------------------------------------------- use

    def score_samples(self, X: Any) -> Array:
        """Return the log-density (or log-mass) of each row in nats; -inf outside the support."""
        return like(X, self._log_prob(X))

    def _log_prob(self, X: Any, sample_weight: ArrayLike | None = None, told: bool = True) -> Array:
        """Return `score_samples`; of rows of weight zero, no label is called unseen."""
        check_is_fitted(self)
        family = get_family(self.family)
        X = self._rows(as_table(X, None, family, self.n_features_in_), family, reset=False)
        return log_prob_of_samples(self._observed, X, sample_weight, told)

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the (weighted) mean log-likelihood of the rows of X in nats.

        It is minus the empirical cross-entropy.
        """
        return weighted_mean(self._log_prob(X, sample_weight), sample_weight)

    def predict(self, X: Any) -> Array:
        """Return the density (or mass) of each row, (n,)."""
        with np.errstate(over="ignore"):  # a density may be beyond the numbers
            return like(X, np.exp(self._log_prob(X, told=False)))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> NDArray[Any]:
        """Draw rows from the fitted law.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState, Generator or None

        Returns
        -------
        ndarray of shape (n_samples, p)
        """
        check_is_fitted(self)
        draws = self.distribution_.rvs(n_samples, generator_of(random_state))
        return draws[:, None] if draws.ndim == 1 else draws

    # ---------------------------------------------------------------- inference

    def _problems(
        self, X: Any, y: Any, sample_weight: Any, beside: dict[str, Any]
    ) -> tuple[list[Problem], NDArray[np.bool_] | None]:
        family = get_family(self.family)
        X = self._rows(as_table(X, y, family, self.n_features_in_), family, reset=False)
        weight, mask = positive_weights(sample_weight, X)
        rows = X if mask is None else X[mask]
        samples = samples_of(rows, family, getattr(self, "feature_names_in_", None))
        held = self.fixed or {}
        problems = [
            self._posed(law, observe(law, sample, weight))
            for law, sample in laws_of_samples(family, held, samples)
        ]
        return problems, mask

    def _results_under(self, errors: Errors, confidence_level: float = 0.95) -> Inference:
        laws = [fit.family for fit in self._fits]
        several = len(laws) > 1
        lines = parameters_of_densities(
            families=laws,
            etas=[np.array([e for _, e in fit.coefs]) for fit in self._fits],
            covariances=errors.covariances,
            columns=self._feature_names() if hasattr(self, "feature_names_in_") else None,
        )
        titles = " and ".join(dict.fromkeys(law.title for law in laws))
        title = f"{titles} distribution{', independent columns' if several else ''}"
        squares = all(law.least_squares and not law.relinked for law in laws)
        squares_of = 1 if squares else None
        return self._report(title, lines, errors, confidence_level, squares_of, self._notes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if (family := family_if_known(self.family)) is not None:
            tags.input_tags.positive_only = family.support.low >= 0.0
            tags.input_tags.categorical = tags.input_tags.string = not family.observation.numeric
        return tags
