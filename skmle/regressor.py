"""MLERegressor: any conditional law q(y|x) as a scikit-learn regressor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from skmle._engine.data.observed import observe
from skmle._engine.fit import fit
from skmle._engine.likelihood.penalties import Penalty
from skmle._engine.problem import Fit, Problem
from skmle._engine.verdict import INTERIOR
from skmle._shared.arrays import in_precision_of
from skmle._shared.callbacks import FitTask, with_callbacks
from skmle._shared.columns import (
    KNOWN,
    Columns,
    check_conditional,
    columns_of_law,
    led_by,
    natural_constants,
    resolve_features,
    start_again,
    undetermined,
    with_held,
)
from skmle._shared.estimator import check_settings, family_if_known
from skmle._shared.kinds import warn_of_many_classes
from skmle._shared.messages import warn_verdict
from skmle._shared.offset import resolve_offset
from skmle._shared.penalties import penalties_of, strength_of, with_chosen
from skmle._shared.regression import Regression
from skmle._shared.separated import rows_in_words
from skmle._shared.validation import (
    adapted,
    as_response,
    check_support,
    checked_data,
    positive_weights,
    warn_of_rates,
)
from skmle.families import Family, get_family
from skmle.families.wrappers.fixed import with_lead

Array = NDArray[np.float64]


class Prepared(NamedTuple):
    """Checked data, ready to be fitted."""

    problem: Problem
    columns: dict[str, Columns]
    beside: tuple[bool, bool]
    """Whether an offset and an exposure were given beside X."""
    lead: float | None
    """The eta at which the first parameter is held; None if it is free."""
    title: str
    """The law with what is held of it, in words."""
    y: NDArray[Any]
    mask: NDArray[np.bool_] | None
    """Which of the user's rows are fitted; None: all."""


class MLERegressor(Regression):
    """Fit a conditional law q(y|x), any parameter of which may depend on features.

    Each modelled parameter is link^-1(X @ coef + intercept), the others are constants; all maximise
    the mean of log q(y|x) together. `predict` is the conditional mean, `predict_dist` the whole
    law, `score` the mean log-likelihood in nats (not R^2).

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        The law of y given x, by plain or scipy name; see `skmle.families`.
    features : dict of str to columns, optional
        For some parameters, the columns of X on which they depend: "all", "none", a name, a list of
        names or indices, a slice, a boolean mask or a column selector. Default: the first parameter
        on all columns, the rest constant.
    offset : str or int, optional
        A column of X that is added to the first linear predictor, on the scale of its link, and is
        no feature: under the link log that of log(years); ``exposure="years"`` takes the logarithm
        itself.
    exposure : str or int, optional
        A positive column of X whose logarithm is added so, and is no feature (log link).
    fixed : dict of str to float, optional
        Parameters of the family that are known.
    alpha : float or "loo", default=0.0
        Strength of the penalty on the slopes of all parameters, per row. The fit minimises
        mean(-log q) + alpha * (l1_ratio * sum(abs(coef)) + (1 - l1_ratio)/2 * sum(coef**2)).
        Intercepts are free. "loo": of a ridge, the strength under which rows left out one by one
        are most likely, by `skmle.loo`'s steps, to within 6 %.
    l1_ratio : float, default=0.0
        Share of the absolute penalty, from 0 (ridge) to 1 (lasso). Where it is positive some
        coefficients are exactly zero, and there are no standard errors.
    penalty : "jeffreys" or object, optional
        "jeffreys" adds half the log-determinant of the expected information, as in
        `CrossEntropyClassifier`; for families of one parameter. Or a smooth penalty of one's own on
        all slopes, per row and beside that of `alpha`: see the page "Add a penalty".
    fit_intercept : bool, default=True
        Whether the first parameter has an intercept. The others have one, unless their family says
        that a parameter has none (`skmle.families.Param`).
    tol : float, default=1e-6
        Distance to the optimum, in standard errors, at which a fit may stop.
    max_iter : int, default=100
        Most iterations of the solver.
    warm_start : bool, default=False
        Whether a second fit starts at the coefficients of the first.
    store_information : {"auto", True, False}, default="auto"
        Whether to keep the covariance of the coefficients for `inference`.
    n_jobs : int or None, default=None
        Threads for long data; None uses the cores at hand. Results are the same to the last bit.
    verbose : bool or int, default=0
        Whether to print a line for each iterate of the solver.

    Attributes
    ----------
    coefs_ : dict of str to ndarray
        For each parameter, its slopes, one per column it depends on.
    intercepts_ : dict of str to float
        For each parameter, its intercept, on the scale of the link; 0.0 if it has none.
    coef_, intercept_ : ndarray of shape (p,), float
        Those of the first parameter, rounded to the precision of X; all else is in double.
    params_ : dict of str to float
        Natural values of the parameters that are constant.
    log_likelihood_, status_, converged_, distance_, n_iter_, n_parameters_, weight_sum_
        As in `MLEDistribution`.
    effective_parameters_ : float
        `n_parameters_`, in which those under a smooth penalty count by the share of their curvature
        that comes from the data; nan if it was not computed.
    pearson_dispersion_ : float
        Of counts, the sum of (y - mean)^2/variance over n - k, which is about 1 if they spread as
        the law says; nan of other laws. Of more than 65 536 rows a sample of them is taken.
    alpha_ : float
        The strength that ``alpha="loo"`` has chosen.
    aliased_ : list of str
        Columns that are combinations of others, exactly or to within 1e-11 of their spread: of the
        coefficients that fit alike, those of least norm in standardised columns are returned
        (without an intercept: in columns divided by their root mean square), without standard
        errors.
    separated_ : Bunch
        What runs to infinity where the likelihood has no maximum: `columns`, for each parameter the
        columns whose coefficients do, as {name: inf or -inf}; `rows`, the numbers of the rows that
        are predicted perfectly (the first 1000), and `n_rows`, how many these are.
    n_features_in_, feature_names_in_
        Number and names of the columns of X.

    See Also
    --------
    MLEDistribution : The same families without features.
    CrossEntropyClassifier : Conditional laws of a label.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models.
    Rigby & Stasinopoulos (2005), Generalized additive models for location, scale and shape, Applied
    Statistics 54.

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
        alpha: float | str = 0.0,
        l1_ratio: float = 0.0,
        penalty: Penalty | str | None = None,
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
        offset, exposure : float or array-like of shape (n,), optional
            As the constructor's columns of the same names, given beside X; a number is that of all
            rows. Later calls then need theirs, too, or warn.

        Raises
        ------
        ValueError
            If an observation lies outside the support, a weight is negative, all are zero, a value
            is not finite, or a column or parameter is unknown.

        Warns
        -----
        FitWarning
            If the fit did not end at an interior maximum; its subclass says how.
        """
        prepared = with_chosen(self, self._prepare(X, y, sample_weight, offset, exposure))
        task = FitTask(
            self, X, y, sample_weight, lambda model, result: model._store(result, prepared)
        )
        warn_of_rates(prepared.problem.family, prepared.y, sample_weight is not None)
        result = fit(prepared.problem, task.tell)
        self._store(result, prepared)
        self._measure(result, prepared.problem, prepared.y)
        task.done()
        if result.verdict.status != INTERIOR:
            names = [c.names for c in columns_of_law(prepared.columns, result).values()]
            rows = rows_in_words(result, prepared.y, prepared.mask)
            warn_verdict(result, f"MLERegressor({prepared.title})", names, rows, bool(self._prior))
        return self

    def _prepare(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Prepared:
        """Check settings and data, and return the problem that they state."""
        family, frame = get_family(self.family), X
        check_settings(self)
        check_conditional((self.fixed and family.ended(self.fixed)) or family)
        X, y = checked_data(
            self,
            X,
            y,
            finite=family.observation.finite,
            of_y={"multi_output": family.observation.columns != 1, "y_numeric": True},
            accept_sparse=["csr", "csc"],
            dtype=[np.float64, np.float32],
        )
        y = as_response(y, family)
        weight, mask = positive_weights(sample_weight, X)
        known = resolve_offset(self, X, offset, exposure, family, mask)
        if mask is not None:
            X, y, known = X[mask], y[mask], None if known is None else known[mask]
        family = adapted(family, y, "MLERegressor")
        if weight is None and not family.observation.numeric:
            warn_of_many_classes(y, len(family.parameters) + 1, "MLERegressor")
        family = with_held(self, family)
        check_support(family, y, "y", mask, rates=True)
        columns = resolve_features(self, family, frame)
        title = family.title
        family, columns, known, lead = led_by(family, columns, known)
        penalties, lasso = self._penalties(strength_of(self), family)
        problem = self._problem(
            family=family,
            observed=observe(family, y, weight),
            terms=tuple(columns[param.name].term for param in family.parameters),
            X=X.tocsr() if sp.issparse(X) else X,
            offset=known,
            penalties=penalties,
            lasso=lasso,
            start=start_again(self, family, columns) if self.warm_start else None,
            by_name=True,
        )
        beside = offset is not None, exposure is not None
        return Prepared(problem, columns, beside, lead, title, y, mask)

    def _penalties(self, alpha: float, family: Family) -> tuple[tuple[Penalty, ...], float]:
        """Return the penalties on the slopes under a strength, and that of the absolute one."""
        return penalties_of(self, alpha)

    def _store(self, result: Fit, prepared: Prepared) -> None:
        """Store what a fit of the prepared problem found."""
        self._record(result, prepared.problem.observed.counted)
        self._law, lead = with_lead(result.family)
        self._lead = prepared.lead if lead is None else lead
        self._beside = prepared.beside
        self._title = prepared.title if result.limit is None else result.family.title
        # At a boundary the law is the limit law, which has fewer parameters.
        own = columns_of_law(prepared.columns, result)
        every = prepared.columns | own
        self._own = own
        self._columns = {p.name: every[p.name] for p in self._law.parameters}
        self._keep([result], [[c.term for c in own.values()]])
        self._set([result], prepared.problem.X)
        names = [c.names for c in own.values()]
        self.aliased_ = undetermined(result.estimable, names)
        self._store_separated(result, [*own], names, prepared.mask)
        if self._beyond is not None:  # A parameter that is known has no line in the table.
            pairs = zip(self._beyond, own.values(), strict=True)
            self._beyond = [b for b, column in pairs if column is not KNOWN]

    def _set(self, fits: Sequence[Fit], X: Any) -> None:
        (result,) = fits
        pairs = zip(self._own, result.coefs, strict=True)
        fitted = {name: coefs for name, coefs in pairs if self._own[name] is not KNOWN}
        self.coefs_ = {name: slopes for name, (slopes, _) in fitted.items()}
        self.intercepts_ = {name: np.float64(b) for name, (_, b) in fitted.items()}
        self.coef_, _ = in_precision_of(X, next(iter(self.coefs_.values()), np.zeros(0)))
        first = next(iter(self.intercepts_.values()), np.float64(0.0))
        self.intercept_, _ = in_precision_of(X, first)
        self.params_ = natural_constants(result, self._own, self.fixed or {})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        # scikit-learn's checks ask for R^2 > 0.5, but this score is in nats.
        tags.regressor_tags.poor_score = True
        if (family := family_if_known(self.family)) is not None:
            tags.target_tags.positive_only = family.support.low >= 0.0
            tags.target_tags.multi_output = not family.univariate
            tags.target_tags.single_output = family.univariate
        return tags
