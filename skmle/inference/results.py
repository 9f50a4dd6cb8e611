"""The results object of a fit: estimates with their covariance, and all that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.assemble import TableLines
from skmle.inference.robust import Errors
from skmle.inference.show import as_frame, equal
from skmle.inference.table import Summary
from skmle.inference.wald import (
    Inverse,
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
    "estimate",
    "covariance",
    "header",
    "footer",
    "testable",
    "eta",
    "eta_errors",
    "reason",
)


@dataclass(frozen=True, eq=False, repr=False)
class Inference:
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
    estimate : ndarray of shape (m,)
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
    estimate: Array
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

    def __eq__(self, other: object) -> bool:
        return equal(self, other, _FIELDS)

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
    ) -> Inference:
        """Return the results made of lines, with a footer that says where the errors come from.

        `prior` names the settings that penalise, as the footer is to have them; `notes` follow.
        """
        no_errors = bool(reason) and bool(np.isnan(lines.eta_errors).all())
        source = [] if no_errors else _footer(errors.origin, sorted(lines.links), prior)
        return cls(
            components=lines.components,
            terms=lines.terms,
            estimate=lines.estimate,
            covariance=lines.covariance,
            header=header,
            footer=[*source, *notes],
            testable=lines.testable,
            eta=lines.eta,
            eta_errors=lines.eta_errors,
            inverses=lines.inverses,
            reason=reason,
            coefficients=lines.coefficients,
            dof=errors.dof,
            confidence_level=confidence_level,
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
        if self.eta is None or self.eta_errors is None or self.inverses is None:
            low, high = interval(self.estimate, self.standard_errors, level, self.dof)
        else:
            ends = self.eta, self.eta_errors, self.inverses
            low, high = linked_interval(*ends, level, self.dof)
        return np.column_stack([low, high])

    @property
    def statistic(self) -> Array:
        """Wald's z, estimate / standard error; nan where a test against zero makes no sense."""
        return self._tested(wald_test(self.estimate, self.standard_errors, self.dof)[0])

    @property
    def p_value(self) -> Array:
        """Two-sided p-values against zero; nan where a test against zero makes no sense."""
        return self._tested(wald_test(self.estimate, self.standard_errors, self.dof)[1])

    def _tested(self, values: Array) -> Array:
        return values if self.testable is None else np.where(self.testable, values, np.nan)

    def tidy(self, confidence_level: float | None = None) -> Any:
        """Return the table as a DataFrame if pandas is installed, else as a dict of arrays.

        Columns: component, term, estimate, std_error, statistic, p_value, conf_low, conf_high.
        """
        return as_frame(self._columns(confidence_level))

    def _columns(self, confidence_level: float | None) -> dict[str, NDArray[Any]]:
        """Return the columns of `tidy`."""
        low, high = self.confidence_intervals(confidence_level).T
        return {
            "component": np.array(self.components, object),
            "term": np.array(self.terms, object),
            "estimate": self.estimate,
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
        interval(self.estimate, self.estimate, level)
        return Summary(self, level)


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
