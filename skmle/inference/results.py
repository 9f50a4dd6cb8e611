"""The results object of a fit: estimates with standard errors, and the table people read."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.wald import normal_interval, standard_errors, wald_test

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Inference:
    """Estimates and their covariance, with all that follows from them.

    Parameters
    ----------
    components : sequence of str
        For each estimate, what it belongs to: a parameter of the law, or a class.
    terms : sequence of str
        For each estimate, its name within the component.
    estimate : ndarray of shape (m,)
    covariance : ndarray of shape (m, m)
        Inverse observed information, weights counted as repeated rows.
    header : sequence of str
        Lines above the table.
    footer : sequence of str
        Notes below it.
    testable : ndarray of bool of shape (m,), optional
        Where zero is a possible value, so that z and p have a meaning; default: everywhere.
    bounds : callable, optional
        level -> (low, high) where a better interval than the symmetric one is known (through the link).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skmle import MLERegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> result = MLERegressor("normal").fit(X[:, 2:3], y).inference()
    >>> print(result.standard_errors.round(3))
    [62.374  2.967  0.034]
    """

    components: Sequence[str]
    terms: Sequence[str]
    estimate: Array
    covariance: Array
    header: Sequence[str] = ()
    footer: Sequence[str] = ()
    testable: NDArray[np.bool_] | None = None
    bounds: Callable[[float], tuple[Array, Array]] | None = field(default=None, repr=False)

    @property
    def standard_errors(self) -> Array:
        """Standard errors, (m,); nan where the data do not determine the estimate."""
        return standard_errors(self.covariance)

    def confidence_intervals(self, confidence_level: float = 0.95) -> Array:
        """Return intervals of shape (m, 2).

        Those of natural parameters are taken on the scale of their link and so stay in range.
        """
        low, high = normal_interval(self.estimate, self.standard_errors, confidence_level)
        if self.bounds is not None:
            low, high = self.bounds(confidence_level)
        return np.column_stack([low, high])

    @property
    def statistic(self) -> Array:
        """Wald's z, estimate / standard error; nan where zero is no possible value."""
        return self._tested(wald_test(self.estimate, self.standard_errors)[0])

    @property
    def p_value(self) -> Array:
        """Two-sided p-values of the estimates' being zero; nan where it is no possible value."""
        return self._tested(wald_test(self.estimate, self.standard_errors)[1])

    def _tested(self, values: Array) -> Array:
        return values if self.testable is None else np.where(self.testable, values, np.nan)

    def tidy(self, confidence_level: float = 0.95) -> Any:
        """Return the table as a DataFrame if pandas is installed, else as a dict of arrays.

        Columns: component, term, estimate, std_error, statistic, p_value, conf_low, conf_high.
        """
        low, high = self.confidence_intervals(confidence_level).T
        columns = {
            "component": np.array(self.components, object), "term": np.array(self.terms, object), "estimate": self.estimate,
            "std_error": self.standard_errors, "statistic": self.statistic, "p_value": self.p_value, "conf_low": low, "conf_high": high,
        }  # fmt: skip
        try:
            import pandas as pd
        except ImportError:
            return columns
        return pd.DataFrame(columns)

    def summary(self, confidence_level: float = 0.95) -> Summary:
        """Return the table for reading."""
        return Summary(self, confidence_level)


@dataclass(frozen=True)
class Summary:
    """A printable table of an `Inference`; `str` gives text, a notebook shows HTML."""

    inference: Inference
    confidence_level: float = 0.95

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        result = self.inference
        low, high = result.confidence_intervals(self.confidence_level).T
        level = f"{100 * self.confidence_level:g} %"
        head = ["", "estimate", "s.e.", f"{level} low", f"{level} high", "z", "p"]
        values = zip(result.terms, result.estimate, result.standard_errors, low, high, result.statistic, result.p_value, strict=True)
        rows = [[term, *map(_number, (b, se, lo, hi)), _statistic(z), _p_value(p)] for term, b, se, lo, hi, z, p in values]
        if any(row[-1] for row in rows):
            return head, rows
        return head[:-2], [row[:-2] for row in rows]

    def _notes(self) -> list[str]:
        result = self.inference
        pairs = zip(result.terms, result.standard_errors, strict=True)
        unknown = dict.fromkeys(term for term, error in pairs if np.isnan(error) and term != "intercept")
        aliased = f"nan: not determined by the data, as {', '.join(unknown)} are linear combinations of each other or constant."
        return [*result.footer, *([aliased] if unknown else [])]

    def __str__(self) -> str:
        result = self.inference
        head, rows = self._cells()
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        widths[0] = max([widths[0], *(len(c) - 2 for c in result.components)]) + 2

        def line(cells: Sequence[str], indent: str = "  ") -> str:
            numbers = "".join(f"  {cell:>{w}}" for cell, w in zip(cells[1:], widths[1:], strict=True))
            return (f"{indent + cells[0]:<{widths[0]}}" + numbers).rstrip()

        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [*result.header, rule, line(head, ""), rule]
        component = None
        for name, row in zip(result.components, rows, strict=True):
            if name != component and name:
                lines.append(name)
            component = name
            lines.append(line(row, "  " if name else ""))
        return "\n".join([*lines, rule, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        result = self.inference
        head, rows = self._cells()
        cells = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
        body, component = [], None
        for name, row in zip(result.components, rows, strict=True):
            if name != component and name:
                body.append(f'<tr><th scope="rowgroup" colspan="{len(head)}" style="text-align:left">{html.escape(name)}</th></tr>')
            component = name
            numbers = "".join(f'<td style="text-align:right">{html.escape(cell)}</td>' for cell in row[1:])
            body.append(f'<tr><th scope="row" style="text-align:left">{html.escape(row[0])}</th>{numbers}</tr>')
        caption = "<br>".join(html.escape(text) for text in result.header)
        notes = "<br>".join(html.escape(text) for text in self._notes())
        return f"<table><caption>{caption}</caption><thead><tr>{cells}</tr></thead><tbody>{''.join(body)}</tbody></table><p>{notes}</p>"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return str(value)
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3e}"


def _statistic(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _p_value(value: float) -> str:
    if np.isnan(value):
        return ""
    return "<1e-16" if value < 1e-16 else f"{value:.2g}" if value < 1e-3 else f"{value:.3f}"
