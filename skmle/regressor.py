"""MLERegressor: any conditional law q(y|x) as a scikit-learn regressor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from skmle._engine.data.observed import observe
from skmle._engine.data.sums import thread_count
from skmle._engine.fit import fit
from skmle._engine.likelihood.design import Term
from skmle._engine.likelihood.penalties import Penalty, elastic_net
from skmle._engine.problem import Fit, Problem
from skmle._shared.callbacks import FitTask, with_callbacks
from skmle._shared.columns import Columns, held_out, resolve_features, resolve_offset
from skmle._shared.estimator import LikelihoodEstimator, warn_verdict
from skmle._shared.validation import (
    adapted,
    check_conditional,
    check_finite,
    check_settings,
    check_support,
    checked_features,
    positive_weights,
    weighted_mean,
)
from skmle.exceptions import ScoreWarning
from skmle.families import Distribution, Family, get_family
from skmle.families.wrappers.fixed import fix
from skmle.inference import Inference
from skmle.inference.assemble import Part, regression_lines

Array = NDArray[np.float64]


class Prepared(NamedTuple):
    """Checked data, ready to be fitted."""

    problem: Problem
    columns: dict[str, Columns]
    lead_given: tuple[bool, bool]
    """Whether an offset and an exposure were given beside X."""


class MLERegressor(RegressorMixin, LikelihoodEstimator):
    """Fit a conditional law q(y|x) by maximum likelihood: any parameter of any family may depend on features.

    Each modelled parameter is link^-1(X @ coef + intercept), the others are constants; all maximise the mean of
    log q(y|x) together. `predict` is the conditional mean, `predict_dist` the whole law, `score` the mean
    log-likelihood in nats (not R^2).

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        The law of y given x, by plain or scipy name; see `skmle.families`.
    features : dict of str to columns, optional
        For some parameters, the columns of X on which they depend: "all", "none", a name, a list of names or indices, a
        slice, a boolean mask or a column selector. Default: the first parameter on all columns, the rest constant.
    offset : str or int, optional
        A column of X that is added to the first linear predictor and is no feature.
    exposure : str or int, optional
        A positive column of X whose logarithm is added to the first linear predictor (log link) and is no feature.
    fixed : dict of str to float, optional
        Parameters of the family that are known.
    alpha : float, default=0.0
        Strength of the penalty on the slopes of all parameters, per row: minimises
        mean(-log q) + alpha * (l1_ratio * sum(abs(coef)) + (1 - l1_ratio)/2 * sum(coef**2)). Intercepts are free.
    l1_ratio : float, default=0.0
        Share of the absolute penalty, from 0 (ridge) to 1 (lasso). Where it is positive some coefficients are exactly
        zero, and there are no standard errors.
    penalty : object, optional
        A smooth penalty of one's own on the slopes of all parameters, one after the other, per row
        and beside that of `alpha`: an object with the methods value, add, product, curvature and
        restrict, which the page "Add a penalty" explains.
    fit_intercept : bool, default=True
        Whether the first parameter has an intercept; the others always have one.
    tol : float, default=1e-6
        Distance to the optimum, in standard errors, at which a fit may stop.
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
    coefs_ : dict of str to ndarray
        For each parameter, its slopes, one per column it depends on.
    intercepts_ : dict of str to float
        For each parameter, its intercept, on the scale of the link.
    coef_, intercept_ : ndarray of shape (p,), float
        Those of the first parameter.
    params_ : dict of str to float
        Natural values of the parameters that are constant.
    log_likelihood_, status_, converged_, distance_, n_iter_, n_parameters_, weight_sum_
        As in `MLEDistribution`.
    aliased_ : list of str
        Columns that are combinations of others: their coefficients are those of least norm, without standard errors.
    n_features_in_, feature_names_in_
        Number and names of the columns of X.

    See Also
    --------
    MLEDistribution : The same families without features.
    CrossEntropyClassifier : Conditional laws of a label.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models.
    Rigby & Stasinopoulos (2005), Generalized additive models for location, scale and shape, Applied Statistics 54.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLERegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> y = rng.normal(1.0 + X[:, 0], np.exp(0.5 * X[:, 1]))
    >>> model = MLERegressor("normal", features={"loc": [0], "scale": [1]}).fit(X, y)
    >>> print(model.coefs_["loc"].round(2), model.coefs_["scale"].round(2))
    [1.01] [0.46]
    >>> low, high = model.predict_interval(X[:1], coverage=0.9)
    >>> print(low.round(2), high.round(2))
    [-0.38] [2.74]
    """

    # With metadata routing on, these need no set_*_request call.
    __metadata_request__fit: ClassVar = {"offset": True, "exposure": True}
    __metadata_request__score: ClassVar = {"offset": True, "exposure": True}
    __metadata_request__predict: ClassVar = {"offset": True, "exposure": True}

    def __init__(
        self,
        family: str | type[Family] | Family = "normal",
        *,
        features: Mapping[str, Any] | None = None,
        offset: str | int | None = None,
        exposure: str | int | None = None,
        fixed: Mapping[str, float] | None = None,
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        penalty: Penalty | None = None,
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 100,
        warm_start: bool = False,
        store_information: bool | str = "auto",
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.family = family
        self.features = features
        self.offset = offset
        self.exposure = exposure
        self.fixed = fixed
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.store_information = store_information
        self.n_jobs = n_jobs
        self.verbose = verbose

    # ---------------------------------------------------------------- fit

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> MLERegressor:
        """Fit the coefficients of all parameters.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p)
        y : array-like of shape (n,), or (n, 2) for the binomial family
            Observations inside the family's support.
        sample_weight : array-like of shape (n,), optional
            Weights; an integer weight is that many equal rows.
        offset, exposure : array-like of shape (n,), optional
            As the constructor's columns of the same names, given beside X.

        Raises
        ------
        ValueError
            If an observation lies outside the support, a weight is negative, all are zero, a value is not finite, a
            column or parameter is unknown, or there are fewer than two rows.

        Warns
        -----
        FitWarning
            If the fit did not end at an interior maximum; its subclass says how.
        """
        prepared = self._prepare(X, y, sample_weight, offset, exposure)
        task = FitTask(
            self, X, y, sample_weight, lambda model, result: model._complete(result, prepared)
        )
        result = fit(prepared.problem, task.tell)
        self._complete(result, prepared)
        task.done()
        names = [prepared.columns[p.name].names for p in result.family.parameters]
        warn_verdict(result, f"MLERegressor({prepared.problem.family.title})", names)
        return self

    def _prepare(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Prepared:
        family = get_family(self.family)
        check_settings(self)
        check_conditional(family)
        frame, (X, y) = X, self._validated(X, y, family)
        lead = resolve_offset(self, X, offset, exposure, family)
        weight, mask = positive_weights(sample_weight, X)
        if mask is not None:
            X, y, lead = X[mask], y[mask], None if lead is None else lead[mask]
        family = fix(adapted(family, y, "MLERegressor"), self.fixed or {})
        check_support(family, y, "y", mask)
        columns = self._resolve(family, frame)
        terms = tuple(
            Term(c.selection, c.size, self.fit_intercept if j == 0 else True)
            if c.columns is not None
            else Term(None, 0)
            for j, c in enumerate(columns.values())
        )
        previous = (
            tuple((self.coefs_[n], self.intercepts_[n]) for n in columns)
            if self._can_continue(columns)
            else None
        )
        problem = Problem(
            family=family,
            observed=observe(family, y, weight),
            terms=terms,
            X=X.tocsr() if sp.issparse(X) else X,
            offset=lead,
            tol=self.tol,
            max_iter=self.max_iter,
            threads=thread_count(self.n_jobs),
            covariance=self.store_information,
            verbose=bool(self.verbose),
            start=previous,
        )
        penalties, lasso = self._penalties(float(self.alpha), problem)
        problem = replace(problem, penalties=penalties, lasso=lasso)
        return Prepared(problem, columns, (offset is not None, exposure is not None))

    def _penalties(self, alpha: float, problem: Problem) -> tuple[tuple[Penalty, ...], float]:
        """Return the penalties on the slopes under a strength, and that of the absolute one."""
        penalties, lasso = elastic_net(alpha, float(self.l1_ratio))
        return penalties if self.penalty is None else (*penalties, self.penalty), lasso

    def _complete(self, result: Fit, prepared: Prepared) -> None:
        """Store what a fit of the prepared problem found."""
        self._store(result, prepared.columns)
        self._counted = (prepared.problem.observed.n, prepared.problem.observed.weight is not None)
        self._lead_given = prepared.lead_given

    def _validated(self, X: Any, y: Any, family: Family) -> tuple[Any, Any]:
        checks: dict[str, Any] = {
            "accept_sparse": ["csr", "csc"],
            "dtype": [np.float64, np.float32],
            "ensure_min_samples": 2,
        }
        if family.observation.finite:
            checks |= {"multi_output": family.observation.columns != 1, "y_numeric": True}
        X, y = checked_features(self, X, y, finite=family.observation.finite, **checks)
        return X, self._response(y, family)

    def _response(self, y: Any, family: Family) -> Array:
        if family.observation.columns == 1:
            return column_or_1d(y, warn=True).astype(np.float64)
        y = check_array(
            y, dtype=np.float64, ensure_2d=False, ensure_all_finite=family.observation.finite
        )
        if y.ndim != 2 or (
            family.observation.columns is not None and y.shape[1] != family.observation.columns
        ):
            raise ValueError(
                f"MLERegressor({family.title}): y has shape {y.shape}. Allowed: (n, {family.observation.columns}), one observation a row. "
                "Give these columns."
            )
        return y

    def _resolve(self, family: Family, frame: Any) -> dict[str, Columns]:
        names = getattr(self, "feature_names_in_", None)
        parameters = tuple(p.name for p in family.parameters)
        return resolve_features(
            self.features,
            parameters,
            family.modelled,
            names,
            self.n_features_in_,
            held_out(self),
            frame,
        )

    def _can_continue(self, columns: Mapping[str, Columns]) -> bool:
        if not (self.warm_start and hasattr(self, "coefs_")):
            return False
        same = {name: len(slopes) for name, slopes in self.coefs_.items()} == {
            name: c.size for name, c in columns.items()
        }
        return same and all(np.isfinite([*self.intercepts_.values()]))

    def _store(self, result: Fit, columns: Mapping[str, Columns]) -> None:
        fitted = {
            p.name: pair for p, pair in zip(result.family.parameters, result.coefs, strict=True)
        }
        self._law = result.family
        self._columns = {name: columns[name] for name in fitted}
        self.coefs_ = {name: slopes for name, (slopes, _) in fitted.items()}
        self.intercepts_ = {name: intercept for name, (_, intercept) in fitted.items()}
        self.coef_, self.intercept_ = next(iter(fitted.values()), (np.zeros(0), 0.0))
        constant = {
            name: result.family.link(j)
            for j, name in enumerate(fitted)
            if columns[name].columns is None
        }
        theta = {
            name: float(link.theta(np.asarray(self.intercepts_[name])))
            for name, link in constant.items()
        }
        self.params_ = theta | {k: float(v) for k, v in (self.fixed or {}).items()}
        if result.limit is not None:
            self.params_[result.limit.parameter] = float(result.limit.value)
        self._record(result)
        self.n_parameters_ = result.n_parameters
        self._covariance = result.covariance
        known = result.estimable or [np.ones(columns[name].size, bool) for name in fitted]
        pairs = [
            pair
            for name, k in zip(fitted, known, strict=True)
            for pair in zip(columns[name].names, k, strict=True)
        ]
        self.aliased_ = list(dict.fromkeys(label for label, ok in pairs if not ok))

    # ---------------------------------------------------------------- use

    def _eta(
        self, X: Any, offset: ArrayLike | None, exposure: ArrayLike | None
    ) -> tuple[Array, ...]:
        check_is_fitted(self)
        X = checked_features(
            self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
        )
        if sp.issparse(X):
            X = X.tocsr()
        lead = resolve_offset(self, X, offset, exposure, self._law)
        result = []
        for j, (name, columns) in enumerate(self._columns.items()):
            eta = np.full(X.shape[0], self.intercepts_[name])
            if columns.columns is not None:
                part = X if columns.all else X[:, columns.columns]
                eta = eta + np.asarray(part @ self.coefs_[name], np.float64)
            result.append(eta + lead if j == 0 and lead is not None else eta)
        return tuple(result)

    def predict_dist(
        self, X: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Distribution:
        """Return the conditional law of each row: a `Distribution` with parameters of shape (n,)."""
        eta = self._eta(X, offset, exposure)
        with np.errstate(over="ignore"):
            return self._law.predicted(self._law.natural(eta))

    def predict(
        self, X: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Array:
        """Return the conditional mean of each row, (n,) (the location, for a law that has no mean)."""
        law = self.predict_dist(X, offset, exposure)
        mean = np.asarray(law.mean(), float)
        return np.where(np.isnan(mean), law.median(), mean) if np.isnan(mean).any() else mean

    def predict_quantile(
        self,
        X: Any,
        q: ArrayLike,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Array:
        """Return quantiles of each row: (n,) for a number q, (n, m) for m of them."""
        levels = np.asarray(q, float)
        if not ((levels >= 0) & (levels <= 1)).all():
            raise ValueError(
                f"predict_quantile: q={q!r} is not allowed; give probabilities between 0 and 1."
            )
        law = self.predict_dist(X, offset, exposure)
        return (
            law.ppf(levels)
            if levels.ndim == 0
            else np.stack([law.ppf(level) for level in levels], axis=-1)
        )

    def predict_interval(
        self,
        X: Any,
        coverage: float = 0.95,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> tuple[Array, Array]:
        """Return (low, high), each (n,): the central interval of each row's law (of y, not of its mean)."""
        return self.predict_dist(X, offset, exposure).interval(coverage)

    def log_prob(
        self, X: Any, y: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Array:
        """Return log q(y|x) of each row in nats, (n,); -inf outside the support."""
        eta = self._eta(X, offset, exposure)
        finite = self._law.observation.finite
        check_finite(self, y, "y", finite=finite)
        y = check_array(
            y, ensure_2d=False, dtype=np.float64, input_name="y", ensure_all_finite=finite
        )
        y = self._response(y, self._law)
        check_consistent_length(X, y)
        with np.errstate(over="ignore"):
            return self._law.log_prob(y, eta)

    def score(
        self,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        """Return the (weighted) mean log-likelihood in nats: minus the empirical conditional cross-entropy; not R^2.

        Warns
        -----
        ScoreWarning
            If fit was given an offset or exposure beside X and score is not.
        """
        values = self.log_prob(X, y, offset, exposure)
        for what, at_fit, now in zip(
            ("offset", "exposure"), self._lead_given, (offset, exposure), strict=True
        ):
            if at_fit and now is None:
                warnings.warn(
                    f"MLERegressor.score: fit was given {what}=, score was not, so rates are compared with counts. "
                    f"Allowed: both or neither. Pass {what}= here too, "
                    "or name a column of X in the constructor, which every pipeline and split keeps.",
                    ScoreWarning, stacklevel=2,
                )  # fmt: skip
        return weighted_mean(values, sample_weight)

    def sample(
        self,
        X: Any,
        n_samples: int | None = None,
        random_state: Any = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Draw y from each row's law: (n,), or (n_samples, n)."""
        return self.predict_dist(X, offset, exposure).rvs(n_samples, random_state)

    # ---------------------------------------------------------------- inference

    def _results(self) -> Inference:
        parts = []
        for j, (name, columns) in enumerate(self._columns.items()):
            constant = columns.columns is None
            own = constant or j > 0 or self.fit_intercept
            terms = [*self._labels(columns), *(["intercept"] if own else [])]
            coefs = (
                np.append(self.coefs_[name], self.intercepts_[name]) if own else self.coefs_[name]
            )
            real = self._law.parameters[j].chart.spans_zero
            parts.append(Part(name, self._law.link(j), terms, coefs, constant, real))
        limits = {
            n: v
            for n, v in self.params_.items()
            if n not in self._columns and n not in (self.fixed or {})
        }
        rows = regression_lines(parts, self._covariance)
        return self._report(
            f"{self._law.title} regression", rows, self._covariance is not None, limits
        )

    def _labels(self, columns: Columns) -> list[str]:
        names = getattr(
            self, "feature_names_in_", None
        )  # asked now, as a pipeline gives them after the fit
        return (
            columns.names
            if names is None or columns.columns is None
            else [str(names[i]) for i in columns.columns]
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.regressor_tags.poor_score = (
            True  # scikit-learn's checks ask for R^2 > 0.5; this score is in nats
        )
        try:
            family = get_family(self.family)
        except (
            ValueError,
            TypeError,
        ):  # tags are asked for before parameters are checked; fit explains what is wrong
            return tags
        tags.target_tags.positive_only = family.support.low >= 0.0
        return tags
