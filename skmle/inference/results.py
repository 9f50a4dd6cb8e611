"""The results object of a fit: estimates with their covariance, and all that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle._spelling import SaysWhatIsMeant
from skmle.inference.assemble import TableLines
from skmle.inference.bootstrap import Bootstrapped
from skmle.inference.derived import Derived
from skmle.inference.elsewhere import OF_RESULTS
from skmle.inference.estimates import Model, checked_function, names_of, scale_of
from skmle.inference.outputs import Augmenter, Outputs
from skmle.inference.robust import Errors
from skmle.inference.rows_known import RowsOfFit
from skmle.inference.show import as_frame, equal
from skmle.inference.table import Summary
from skmle.inference.tested import Tested
from skmle.inference.wald import (
    Inverse,
    checked_level,
    interval,
    linked_interval,
    standard_errors,
    wald_test,
)

Array = NDArray[np.float64]


# What tells two results apart: the maps from eta to the estimates follow from the links, which the
# footer names.
_FIELDS = (
    "components",
    "terms",
    "contrasts",
    "estimates",
    "covariance",
    "header",
    "footer",
    "testable",
    "eta",
    "eta_errors",
    "reason",
)


@dataclass(frozen=True, eq=False, repr=False)
# `Derived` before `Bootstrapped`, which only declares the `_known_model` that it has.
class Inference(Tested, Derived, Bootstrapped, Outputs, SaysWhatIsMeant):
    """Estimates and their covariance, with all that follows from them.

    A parameter is tested against zero where zero is a value like any other: slopes and intercepts,
    locations, means and covariances of real numbers. It is not tested where zero is an end of its
    range or outside of it: scales, shapes and variances.

    Parameters
    ----------
    components : sequence of str
        For each estimate, the parameter or the class that it belongs to, or "constant parameters".
    terms : sequence of str
        For each estimate, its name within the component.
    estimates : ndarray of shape (m,)
        Coefficients on the scale of the link; constant parameters on their own scale.
    covariance : ndarray of shape (m, m)
        Inverse of the observed information, in which a weight counts as a repeated row. The delta
        method carries it to parameters on their own scale.
    header : sequence of str
        Lines above the table.
    footer : sequence of str
        Notes below it.
    testable : ndarray of bool of shape (m,), optional
        Where zero is a value like any other, so that z and p are given. Default: everywhere.
    eta, eta_errors : ndarray of shape (m,), optional
        Estimates on the scale of their links, where intervals are symmetric, and their standard
        errors.
    inverses : sequence of (callable or None), optional
        For each estimate, the map from eta to it; None where they are the same.
    reason : str
        Why standard errors are missing; "" where they are not.
    coefficients : bool
        Whether some estimates are coefficients of columns.
    dof : float
        Degrees of freedom of the t distribution of intervals and tests; inf: the normal.
    confidence_level : float
        Coverage of intervals, unless another is asked for.
    origin : str
        Where the covariance comes from, in words.
    model : Model, optional
        The fitted model as a function of its coefficients, for `estimate`.
    facts : mapping of str to value, optional
        What `glance` tells.
    augmenter : callable, optional
        What `augment` asks.
    rows : RowsOfFit, optional
        The rows of the fit, for `profile`, `bootstrap` and `score_test`.
    contrasts : sequence of str, optional
        For each estimate that is an effect of a column, the change of the column.
    ratio_names : sequence of str, optional
        For each estimate, what its exponential is, such as "odds ratio"; "" if nothing.
    on_links : bool
        Whether z and p are those of `eta` against zero, as those of ratios are.
    ends : callable, optional
        From a confidence level to intervals, (m, 2), where they are not Wald's.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmle import MLERegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> result = MLERegressor("normal").fit(X[:, 2:3], y).inference()
    >>> print(*result.terms, result.standard_errors.round(3))
    x0 intercept scale [62.374  2.967  2.098]
    """

    components: Sequence[str]
    terms: Sequence[str]
    estimates: Array
    covariance: Array
    header: Sequence[str] = ()
    footer: Sequence[str] = ()
    testable: NDArray[np.bool_] | None = None
    eta: Array | None = field(default=None, repr=False)
    eta_errors: Array | None = field(default=None, repr=False)
    inverses: Sequence[Inverse | None] | None = field(default=None, repr=False)
    reason: str = ""
    coefficients: bool = True
    dof: float = np.inf
    confidence_level: float = 0.95
    origin: str = ""
    model: Model | None = field(default=None, repr=False)
    facts: Mapping[str, Any] | None = field(default=None, repr=False)
    augmenter: Augmenter | None = field(default=None, repr=False)
    rows: RowsOfFit | None = field(default=None, repr=False)
    contrasts: Sequence[str] | None = None
    ratio_names: Sequence[str] = field(default=(), repr=False)
    on_links: bool = False
    ends: Callable[[float], Array] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # The rows are left out of what is stored.
        return self.__dict__ | {"rows": None}

    def __eq__(self, other: object) -> bool:
        return equal(self, other, _FIELDS)

    _elsewhere = OF_RESULTS
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    @classmethod
    def from_lines(
        cls,
        lines: TableLines,
        header: Sequence[str],
        errors: Errors,
        *,
        prior: str = "",
        reason: str = "",
        notes: Sequence[str] = (),
        confidence_level: float = 0.95,
        model: Model | None = None,
        facts: Mapping[str, Any] | None = None,
        augmenter: Augmenter | None = None,
    ) -> Inference:
        """Return the results made of lines, with a footer that says where the errors come from.

        `prior` names the settings that penalise, as the footer is to have them; `notes` follow.
        """
        no_errors = bool(reason) and bool(np.isnan(lines.eta_errors).all())
        source = [] if no_errors else _footer(errors.origin, sorted(lines.links), prior)
        return cls(
            components=lines.components,
            terms=lines.terms,
            estimates=lines.estimate,
            covariance=lines.covariance,
            header=header,
            footer=[*source, *notes],
            testable=lines.testable,
            eta=lines.eta,
            eta_errors=lines.eta_errors,
            inverses=lines.inverses,
            ratio_names=lines.ratio_names,
            reason=reason,
            coefficients=lines.coefficients,
            dof=errors.dof,
            confidence_level=confidence_level,
            origin=errors.origin,
            model=model,
            facts=facts,
            augmenter=augmenter,
        )

    @property
    def standard_errors(self) -> Array:
        """Standard errors, of shape (m,); nan where the data do not determine the estimate."""
        return standard_errors(self.covariance)

    def confidence_intervals(self, confidence_level: float | None = None) -> Array:
        """Return intervals of shape (m, 2).

        The interval of a parameter on its own scale is taken on the scale of its link and carried
        back, so that it stays in the parameter's range.

        Parameters
        ----------
        confidence_level : float, optional
            Asymptotic coverage; by default that of the results, 0.95.
        """
        level = self.confidence_level if confidence_level is None else confidence_level
        if self.ends is not None:
            return self.ends(level)
        if self.eta is None or self.eta_errors is None or self.inverses is None:
            low, high = interval(self.estimates, self.standard_errors, level, self.dof)
        else:
            ends = self.eta, self.eta_errors, self.inverses
            low, high = linked_interval(*ends, level, self.dof)
        return np.column_stack([low, high])

    @property
    def statistic(self) -> Array:
        """Wald's z, estimate / standard error; nan where a test against zero makes no sense."""
        return self._wald()[0]

    @property
    def p_value(self) -> Array:
        """Two-sided p-values against zero; nan where a test against zero makes no sense."""
        return self._wald()[1]

    def _tested(self) -> tuple[Array, Array]:
        """Return what is tested against zero, with its standard errors."""
        if self.on_links and self.eta is not None and self.eta_errors is not None:
            return self.eta, self.eta_errors
        return self.estimates, self.standard_errors

    def _wald(self) -> tuple[Array, Array]:
        """Return z and p, nan where a test against zero makes no sense."""
        z, p = wald_test(*self._tested(), self.dof)
        testable = np.ones(len(z), bool) if self.testable is None else self.testable
        return np.where(testable, z, np.nan), np.where(testable, p, np.nan)

    def estimate(
        self,
        function: Callable[[Any], Any],
        *,
        names: Sequence[str] | None = None,
        link: str = "identity",
        interval: str = "wald",
    ) -> Inference:
        """Return what a function makes of the fitted model, with standard errors and intervals.

        Parameters
        ----------
        function : callable
            It takes the model (that `inference` was asked of: alone, or the pipeline around it) and
            returns a number or an array of m numbers. It must be smooth in the coefficients: a
            mean, a quantile, a ratio, an average of predictions, not a class or a median of a
            count.
        names : sequence of str, optional
            A name for each number.
        link : {"identity", "log", "logit"}, default="identity"
            The scale on which the intervals are symmetric.
        interval : {"wald", "profile"}, default="wald"
            "profile": by the likelihood. The interval has the values with which, held, the model
            fits nearly as well as without; it is the same on all scales, and `link` only helps to
            find it. It needs the rows of the fit, `inference(X, y)`, and 3 to 15 fits a number.

        Returns
        -------
        Inference
            Of the m numbers.

        Raises
        ------
        ValueError
            If the function is not finite near the estimates, goes in steps there, changes its
            shape, or depends on coefficients that the data do not determine.

        Examples
        --------
        >>> from skmle import MLEDistribution
        >>> lives = [[17.9], [28.9], [33.0], [41.5], [42.1], [45.6], [48.4], [51.8], [52.0], [54.1]]
        >>> model = MLEDistribution("weibull").fit(lives)
        >>> b10 = model.inference().estimate(lambda m: m.distribution_.ppf(0.1), link="log")
        >>> print(b10.estimates.round(1), b10.confidence_intervals().round(1))
        [28.4] [[20.6 39.1]]
        """
        model = self._known_model("estimate")
        checked_function(function, "estimate")

        def asked(inner: Any) -> Any:
            return function(model.around(inner))

        return self._of_function(
            asked, lambda whole: names_of(whole, names), lambda value: link, interval, "estimate"
        )

    def _of(
        self,
        value: Array,
        root: Array,
        labels: Sequence[str],
        *,
        link: str = "identity",
        components: Sequence[str] | None = None,
        contrasts: Sequence[str] | None = None,
        header: Sequence[str] = (),
    ) -> Inference:
        """Return results of m values, a root of whose covariance is known, (m, d)."""
        scale = scale_of(link, value)
        covariance = root @ root.T
        eta, inverse = value, None
        errors = standard_errors(covariance)
        if scale is not None:
            eta, inverse = scale.forward(value), scale.inverse
            errors = errors * np.abs(scale.slope(value))
        through = "delta method" if scale is None else f"delta method, intervals by {link}"
        return Inference(
            components=[""] * len(value) if components is None else components,
            terms=labels,
            contrasts=contrasts,
            estimates=value,
            covariance=covariance,
            header=[*self.header, *header],
            footer=[f"s.e.: {self.origin}, {through}."],
            testable=np.full(len(value), scale is None),
            eta=eta,
            eta_errors=errors,
            inverses=[inverse] * len(value),
            coefficients=False,
            dof=self.dof,
            confidence_level=self.confidence_level,
            origin=self.origin,
        )

    def tidy(self, confidence_level: float | None = None) -> Any:
        """Return the table as a DataFrame of pandas, or of polars, or as a dict of arrays.

        Which one depends on what is installed, in this order.

        Columns: component, term, estimate, std_error, statistic, p_value, conf_low, conf_high.
        Effects have the column contrast behind term.
        """
        return as_frame(self._columns(confidence_level))

    def _columns(self, confidence_level: float | None) -> dict[str, NDArray[Any]]:
        """Return the columns of `tidy`."""
        low, high = self.confidence_intervals(confidence_level).T
        return {
            "component": np.array(self.components, object),
            "term": np.array(self.terms, object),
            **({} if self.contrasts is None else {"contrast": np.array(self.contrasts, object)}),
            "estimate": self.estimates,
            "std_error": self.standard_errors,
            "statistic": self.statistic,
            "p_value": self.p_value,
            "conf_low": low,
            "conf_high": high,
        }

    def summary(self, confidence_level: float | None = None) -> Summary:
        """Return the table for reading."""
        level = self.confidence_level if confidence_level is None else confidence_level
        # A level outside (0, 1) must raise here, not later when the table is printed.
        return Summary(self, checked_level(level))


def _footer(origin: str, links: Sequence[str], prior: str) -> list[str]:
    through = f", delta method; intervals through the link ({', '.join(links)})" if links else ""
    lines = [f"s.e.: {origin}{through}."]
    if prior and "information" in origin:
        lines.append(
            f"With {prior} the penalty is a prior: s.e. and intervals are of the posterior."
        )
    elif prior:
        lines.append(
            f"With {prior} the estimates are drawn to zero: s.e. and intervals are about their own "
            "expectation, not about the truth."
        )
    return lines
