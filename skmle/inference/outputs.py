"""Results for other programs: a line of facts, and the rows beside what the fit says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from skmle.inference.assemble import CONSTANT
from skmle.inference.show import as_frame

Augmenter = Callable[..., dict[str, NDArray[Any]]]

# maketables' names of the columns of `tidy`.
_MAKETABLES = {
    "b": "estimate",
    "se": "std_error",
    "t": "statistic",
    "p": "p_value",
    "ci95l": "conf_low",
    "ci95u": "conf_high",
}


class Outputs:
    """What results hand on."""

    facts: Mapping[str, Any] | None
    augmenter: Augmenter | None
    components: Sequence[str]
    terms: Sequence[str]
    header: Sequence[str]
    origin: str
    summary: Callable[..., Any]
    _columns: Callable[..., dict[str, NDArray[Any]]]

    def glance(self) -> Any:
        """Return the fit in one line: a DataFrame if pandas (or polars) is installed, else a dict.

        Columns: model; n, rows of positive weight; weight, their total; status; log_likelihood; df,
        the effective number of parameters k; aic; aicc, which is aic + 2 k (k + 1)/(n - k - 1);
        bic; dispersion, Pearson's of counts; errors, where they come from. What is not known is
        nan.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmle import MLERegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> line = MLERegressor().fit(X[:, 2:3], y).inference().glance()
        >>> print(*line[["model", "n", "df", "aicc"]].iloc[0])
        Normal regression 442 3.0 4914.093...
        """
        if self.facts is None:
            raise ValueError(
                "glance: these results do not know the fit that they are of. Allowed: results of "
                "a model's inference(). Ask that."
            )
        return as_frame({name: [value] for name, value in self.facts.items()})

    def augment(
        self,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        pit: str = "randomised",
        random_state: Any = 0,
        influence: bool | str = True,
        **offset_or_exposure: ArrayLike,
    ) -> Any:
        """Return what the fit says of each row: fitted values, residuals, leverage, influence.

        Parameters
        ----------
        X, y, sample_weight : array-like
            The rows of the fit; any rows without `influence`.
        pit : {"randomised", "mid"}, default="randomised"
            Where between P(Y < y) and P(Y <= y) the place of a count or a class is: drawn from the
            uniform law there, or the middle. Under the fitted law those that are drawn are uniform.
        random_state : int, RandomState or None, default=0
            Of the draws.
        influence : bool or "coefficients", default=True
            Whether leverage and Cook's distance are wanted, or dfbetas as well.
        **offset_or_exposure : array-like of shape (n,)
            `offset` and `exposure` of a regressor's rows, if fit was given them beside X.

        Returns
        -------
        DataFrame or dict of ndarray
            One line a row of X, in the order of X, rows of weight zero among them: a frame of
            polars if X is one, else of pandas, with the index of X; a dict if neither is installed.
            Its columns are below. A column that has no meaning for a law is left out.

        Raises
        ------
        ValueError
            If X and y are not the rows of the fit.

        Notes
        -----
        fitted
            The mean of the law; its median, if it has no mean. Of two classes, the probability of
            the second; of more, the most probable label.
        log_prob
            In nats.
        pit
            The place in the law, P(Y <= y): uniform, if the law holds. Not of labels without order.
        quantile_residual
            Its normal quantile, which is normal (Dunn & Smyth 1996).
        pearson_residual
            (y - mean)/standard deviation, by the law with all its parameters. statsmodels leaves
            out the scale of a gamma law: multiply by 1/sqrt(shape). Of three and more classes, the
            root of the sum over them.
        deviance_residual
            The root of twice the distance of log q from the highest that a first parameter of the
            row's own could give; the sign is that of y - mean. It has the scale in it, as above.
        leverage
            How much of the prediction comes from the row itself, by the expected information: the
            trace over the parameters that depend on features, and the first (of a density, all),
            so that the sum is the number of their coefficients. A weight is so many rows, whose
            leverage this is. Zero for rows of weight zero.
        cooks_distance
            The squared length, in standard errors, of the step of these k coefficients if the row
            is left out, over k. statsmodels' least squares divides by n - k where a
            maximum-likelihood scale divides by n: multiply by (n - k)/n.
        dfbetas[...]
            How far the row moves each estimate, in its standard errors, by the same step; constant
            parameters on the scale of their links. nan where an estimate is not linear in the
            coefficients, as a covariance.

        SAS's diagnostics of a logistic regression are, with the leverage h, C = k cooks_distance,
        CBAR = C (1 - h), DIFDEV = deviance_residual^2 + CBAR, DIFCHISQ = CBAR/h; its DFBETAS are
        ours.

        With several columns of a density, residuals have the name of the column in brackets.

        References
        ----------
        Dunn & Smyth (1996), Randomized quantile residuals, J. Computational and Graphical
        Statistics 5.
        Cook (1977), Detection of influential observation in linear regression, Technometrics 19.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skmle import MLERegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> X = X[["bmi", "bp"]]
        >>> rows = MLERegressor("gamma").fit(X, y).inference().augment(X, y)
        >>> print(rows[["fitted", "pit", "leverage", "cooks_distance"]].head(2).round(4))
             fitted     pit  leverage  cooks_distance
        0  208.9464  0.2841    0.0061          0.0009
        1  104.5923  0.2787    0.0050          0.0007
        """
        if self.augmenter is None:
            raise ValueError(
                "augment: these results do not know the model that they are of. Allowed: results "
                "of a model's inference(). Ask that."
            )
        columns = self.augmenter(
            X, y, sample_weight, pit, random_state, influence, offset_or_exposure
        )
        return as_frame(columns, beside=X)

    # ---------------------------------------------------------------- tables for documents

    def to_markdown(self, confidence_level: float | None = None) -> str:
        """Return the table of `summary` as Markdown, with names escaped."""
        return self.summary(confidence_level).to_markdown()

    def to_latex(self, confidence_level: float | None = None) -> str:
        """Return the table of `summary` as LaTeX for the package booktabs, with names escaped."""
        return self.summary(confidence_level).to_latex()

    # The hooks of maketables, which puts models side by side: it asks results for these names, as
    # its class PluginExtractor documents.

    @property
    def __maketables_coef_table__(self) -> Any:
        import pandas as pd  # maketables cannot be without it

        columns = self._columns(0.95)
        chosen = {short: columns[name] for short, name in _MAKETABLES.items()}
        names = self._unique_names("{term} ({part})")  # it takes a colon for an interaction
        return pd.DataFrame(chosen, index=pd.Index(names, name="Coefficient"))

    def __maketables_stat__(self, key: str) -> Any:
        facts = dict(self.facts or {})
        known = {"N": facts.get("n"), "ll": facts.get("log_likelihood"), "se_type": self.origin}
        return (facts | known).get(key)

    @property
    def __maketables_depvar__(self) -> str:
        return str(self.header[0]) if self.header else ""

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return ["N", "ll", "aic", "bic", "se_type"]

    def _unique_names(self, form: str = "{part}: {term}") -> list[str]:
        """Return a name of each estimate: its term's, with the component where terms repeat."""
        if len(set(self.terms)) == len(self.terms):
            return [str(term) for term in self.terms]
        shorts = [str(component).partition(" (link ")[0] for component in self.components]
        pairs = zip(shorts, self.terms, strict=True)
        return [str(t) if s in ("", CONSTANT) else form.format(part=s, term=t) for s, t in pairs]
