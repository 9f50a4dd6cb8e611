"""What results give beside their estimates: effects, intervals of predictions, ratios, levels."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.inference.changes import SLOPES
from skmle.inference.effects import effects_of
from skmle.inference.estimates import OfModel, scale_of, value_and_root
from skmle.inference.predicted import interval_of_observation, interval_of_quantity
from skmle.inference.profiled_values import ProfiledValues, profiler_for
from skmle.inference.ratios import against_class, ratios_of
from skmle.inference.wald import checked_level

if TYPE_CHECKING:
    from skmle.inference.results import Inference
    from skmle.inference.rows_known import RowsOfFit

Array = NDArray[np.float64]


class Derived(OfModel):
    """The base of results: all that follows from a model that is known with its errors."""

    dof: float
    confidence_level: float
    origin: str
    rows: RowsOfFit | None

    _of: Callable[..., Inference]
    """(value, root, labels, ...) -> results of values, a root of whose covariance is known."""

    def _of_function(
        self,
        function: Callable[[Any], Any],
        labels: Callable[[Any], Sequence[str]],
        link: Callable[[Array], str],
        interval: str,
        what: str,
        **shown: Any,
    ) -> Inference:
        """Return results of what a function makes of the model without what is around it.

        `labels` and `link` are made of its values, and `what` asks, for messages.
        """
        model = self._known_model(what)
        profiler = profiler_for(interval, self.rows, what)
        whole, value, root = value_and_root(function, model, what, smooth=True)
        result = self._of(value, root, labels(whole), link=link(value), **shown)
        if profiler is None:
            return result
        scale = scale_of(link(value), value)
        ends = ProfiledValues(profiler, model, function, value.size, scale)
        footer = [f"s.e.: {self.origin}, delta method. {ends.in_words(self.confidence_level)}"]
        return replace(result, ends=ends, footer=footer, testable=np.zeros(value.size, bool))

    def effects(
        self,
        X: Any,
        columns: Sequence[Hashable] | None = None,
        *,
        of: Any = None,
        at: str | Mapping[Hashable, Any] | None = None,
        slope: str = "dydx",
        change: Mapping[Hashable, Any] | None = None,
        sample_weight: ArrayLike | None = None,
        **offset_or_exposure: ArrayLike,
    ) -> Inference:
        """Return the effects of columns of X on what is predicted, averaged over the rows of X.

        Of a column of numbers it is the slope of the prediction. Of a column of words, truths or
        categories it is the change from the first level to each other one; of zeros and ones that
        from 0 to 1. Columns are those of X as the user has them: of results of a pipeline, a column
        is changed before it enters the pipeline.

        Parameters
        ----------
        X : data frame or array of shape (n, p)
            As the model, or the pipeline around it, takes it.
        columns : sequence of names or places, optional
            Whose effects; by default those of all columns.
        of : str, tuple or callable, optional
            Of a regression "mean" (the default), "sd", "median", ("quantile", q), ("sf", y) for
            P(Y > y), ("cdf", y), or a function of `predict_dist`. Of a classifier "probability" of
            all classes (of two, that of the second), ("probability", label), or a function of the
            probabilities, (n, K).
        at : {"mean", "median"} or dict, optional
            Where: by default at each row, averaged; at one row of means or medians, with levels
            that are most frequent; or averaged over rows in which some columns have these values,
            {"age": [30, 60]}.
        slope : {"dydx", "eydx", "dyex", "eyex"}, default="dydx"
            With e for a relative change: "eyex" is an elasticity. A change of levels under "eydx"
            is that of the logarithm.
        change : dict, optional
            For some columns of numbers "slope", a number to add, or a pair (from, to); for some
            columns of levels the level of reference, or a pair.
        sample_weight : array-like of shape (n,), optional
            Weights in the average.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure`, if fit was given them beside X.

        Returns
        -------
        Inference
            With the column `contrast` in `tidy()`.

        Raises
        ------
        ValueError
            If a setting is not known or means nothing for a column, or predictions depend on
            coefficients that the data do not determine.

        Notes
        -----
        Slopes are central differences of order 6 with steps of 0.002 standard deviations of the
        column; where the prediction bends sharply within these, at knots or bins, they are means
        over them. The rows of X are taken as given.

        Stata's ``margins, dydx(*)`` and statsmodels' ``get_margeff(dummy=True)`` are the default,
        their ``atmeans`` and ``at="mean"`` are ``at="mean"``.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from skmle import CrossEntropyClassifier
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> X = X[["mean radius", "mean texture"]]
        >>> result = CrossEntropyClassifier().fit(X, y).inference().effects(X)
        >>> print(*result.terms, result.estimates.round(4), result.standard_errors.round(4))
        mean radius mean texture [-0.0829 -0.0171] [0.0037 0.0025]
        """
        model = self._known_model("effects")
        settings = columns, of, at, slope, change or {}, sample_weight, offset_or_exposure
        found = effects_of(model, X, *settings)
        where = {"mean": "at the means", "median": "at the medians"}.get(
            at if isinstance(at, str) else "", f"averaged over {np.shape(X)[0]} rows"
        )
        return self._of(
            found.value,
            found.root,
            found.terms,
            components=found.components,
            contrasts=found.contrasts,
            header=[f"Effects on the {found.words}, {SLOPES[slope]}, {where}"],
        )

    def predict_interval(
        self,
        X: Any,
        coverage: float | None = None,
        *,
        interval: Any = None,
        **offset_or_exposure: ArrayLike,
    ) -> tuple[Array, Array]:
        """Return (low, high), each of shape (n,): intervals that know how sure the estimates are.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, p)
            As the model, or the pipeline around it, takes it.
        coverage : float, optional
            By default the confidence level of the results, 0.95.
        interval : str, tuple or callable, optional
            "observation" for where a new y of a regression lies; else of what, as `of` of `effects`
            has it: "mean" (the default), ("quantile", 0.9); "probability" of a classifier.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure`, if fit was given them beside X.

        Returns
        -------
        low, high : ndarray of shape (n,), or (n, K) for K classes

        Raises
        ------
        ValueError
            If the interval is not known, or depends on coefficients that the data do not determine.

        Notes
        -----
        Of a quantity these are Wald's, symmetric on the scale that maps its range onto the line:
        under a log link, say, those of the linear predictor. Of an observation, the distribution
        function is averaged over coefficients that are normal about their estimates.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmle import MLERegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> result = MLERegressor("gamma").fit(X, y).inference()
        >>> print(*(end.round(1) for end in result.predict_interval(X[:2])))
        [185.4  68.9] [225.9  86. ]
        >>> print(*(end.round(1) for end in result.predict_interval(X[:2], interval="observation")))
        [80.8 30.3] [387.1 145.8]
        """
        model = self._known_model("predict_interval")
        level = self.confidence_level
        if coverage is not None:
            level = checked_level(coverage, "coverage")
        if isinstance(interval, str) and interval == "observation":
            return interval_of_observation(model, X, level, offset_or_exposure)
        return interval_of_quantity(model, X, interval, level, self.dof, offset_or_exposure)

    def ratios(self) -> Inference:
        """Return the exponentials of coefficients: odds ratios, rate ratios, hazard ratios.

        Of a link log they are ratios of the parameter, of logit odds ratios, of cloglog hazard
        ratios. The ends of intervals are those of the coefficients, exponentiated; standard errors
        are by the delta method; z and p are those of the coefficients. Intercepts are left out.

        Returns
        -------
        Inference

        Raises
        ------
        ValueError
            If no coefficient is the logarithm of a ratio.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from skmle import CrossEntropyClassifier
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> model = CrossEntropyClassifier().fit(X[["mean radius", "mean texture"]], y)
        >>> odds = model.inference().ratios()
        >>> print(odds.estimates.round(3), odds.confidence_intervals().round(3).tolist())
        [0.347 0.804] [[0.285, 0.424], [0.748, 0.865]]
        """
        return ratios_of(self)  # type: ignore[arg-type]

    def against(self, reference: Any) -> Inference:
        """Return the log-odds of each class against one, as tables of multinomial models have them.

        Parameters
        ----------
        reference : label
            One of three classes or more.

        Returns
        -------
        Inference

        Raises
        ------
        ValueError
            If there are no three classes, or the reference is none of them.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from skmle import CrossEntropyClassifier
        >>> X, y = load_wine(return_X_y=True, as_frame=True)
        >>> result = CrossEntropyClassifier().fit(X[["ash"]], y).inference().against(0)
        >>> print(*result.components, result.estimates.round(2))
        class 1 class 1 class 2 class 2 [-3.36  8.09 -0.3   0.53]
        """
        return against_class(self, reference)  # type: ignore[arg-type]

    def return_level(
        self, period: ArrayLike, X: Any = None, *, rate: float = 1.0, interval: str = "wald"
    ) -> Inference:
        """Return the value that is exceeded once in a period.

        It is the quantile at 1 - 1/(rate period). Its Wald interval is symmetric on the logarithm
        where all levels are positive. Of extremes, profile intervals are nearer to their level:
        they reach farther up than down.

        Parameters
        ----------
        period : float or array-like of shape (m,)
            In observations, or in the unit of time of `rate`.
        X : array-like or data frame of shape (n, p), optional
            Of a regression, the rows at which it is asked.
        rate : float, default=1.0
            Observations in a unit of time, such as the mean number of excesses over a threshold in
            a year, of which the excesses are the observations.
        interval : {"wald", "profile"}, default="wald"
            As in `estimate`.

        Returns
        -------
        Inference
            One level a period; of a regression, all periods of one row after the other.

        Raises
        ------
        ValueError
            If there is not more than one observation in a period, or the model is no continuous law
            of one column.

        References
        ----------
        Coles (2001), An Introduction to Statistical Modeling of Extreme Values.

        Examples
        --------
        >>> import numpy as np
        >>> from skmle import MLEDistribution
        >>> floods = np.random.default_rng(0).gumbel(100.0, 20.0, size=(60, 1))
        >>> result = MLEDistribution("gumbel_r").fit(floods).inference()
        >>> levels = result.return_level([10, 100])
        >>> print(levels.estimates.round(1), levels.confidence_intervals().round(1).tolist())
        [147.4 197. ] [[135.5, 160.4], [176.3, 220.1]]
        """
        periods = np.atleast_1d(np.asarray(period))
        numbers = periods.ndim == 1 and periods.dtype.kind in "iuf"
        if not (numbers and (np.asarray(rate * periods) > 1.0).all()):
            beside = "in observations" if rate == 1.0 else f"times rate={rate:g}, in observations"
            raise ValueError(
                f"return_level: period={period!r} is not allowed. Allowed: numbers above 1, "
                f"{beside}. Give one or several."
            )
        model = self._known_model("return_level")
        upper = 1.0 / (rate * periods)

        def law_of(at: Any) -> Any:
            if X is None:
                return getattr(at, "distribution_", None)
            predict = getattr(model.around(at), "predict_dist", None)
            return None if predict is None else predict(X)

        law = law_of(model.at(model.coefs))
        if getattr(law, "discrete", True) or np.ndim(law.mean()) != (X is not None):
            raise ValueError(
                f"return_level: {type(model.at(model.coefs)).__name__} is no continuous law of one "
                f"column{'' if X is None else ' that is known at X'}. Allowed: results of an "
                "MLEDistribution that is, or of an MLERegressor with X. Through a pipeline use "
                "estimate(lambda m: skmle.predict_quantile(m, X, q))."
            )

        def levels(at: Any) -> Array:
            found = law_of(at)
            return np.array([found.isf(q) for q in upper], float).T.ravel()

        rows = np.size(law.mean())
        return self._of_function(
            levels,
            lambda whole: [f"{p:g}" for p in periods] * rows,
            lambda value: "log" if (value > 0.0).all() else "identity",
            interval,
            "return_level",
            components=None
            if X is None
            else np.repeat([f"row {i}" for i in range(rows)], len(upper)),
            header=["Return levels, by period"],
        )
