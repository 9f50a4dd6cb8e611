"""The table of a fit that people read: as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skmle.inference.numbers import aligned, number_row, p_value, statistic

if TYPE_CHECKING:
    from skmle.inference.results import Inference

_WIDTH = 80  # columns of a terminal


@dataclass(frozen=True)
class Summary:
    """A printable table of an `Inference`; `str` gives text, a notebook shows HTML.

    Estimates and intervals are written to the second digit of the standard error, p-values to three digits; what is
    below 1e-16 is written so.

    Parameters
    ----------
    inference : Inference
        The numbers.
    confidence_level : float, default=0.95
        Coverage of the intervals.
    """

    inference: Inference
    confidence_level: float = 0.95

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the heading and the rows; without the columns that would be empty."""
        result = self.inference
        low, high = result.confidence_intervals(self.confidence_level).T
        level = f"{100 * self.confidence_level:g} %"
        head = ["", "estimate", "s.e.", f"{level} low", f"{level} high", "z", "p"]
        rows = []
        for i, term in enumerate(result.terms):
            numbers = number_row(result.estimate[i], result.standard_errors[i], low[i], high[i])
            if result.reason:
                numbers[1:] = ["" if text == "nan" else text for text in numbers[1:]]
            rows.append(
                [str(term), *numbers, statistic(result.statistic[i]), p_value(result.p_value[i])]
            )
        kept = len(head) if any(row[-1] for row in rows) else 5
        return head[:kept], [row[:kept] for row in rows]

    def _notes(self) -> list[str]:
        result = self.inference
        if result.reason:
            return [*result.footer, *textwrap.wrap(f"No standard errors: {result.reason}", _WIDTH)]
        pairs = zip(result.terms, result.standard_errors, strict=True)
        names = dict.fromkeys(
            term for term, error in pairs if np.isnan(error) and term != "intercept"
        )
        aliased = f"nan: not determined by the data, as {', '.join(names)} are linear combinations of each other or constant."
        return [*result.footer, *([aliased] if names else [])]

    def _grouped(self, rows: list[list[str]]) -> Iterator[tuple[str, list[str]]]:
        """Yield each row, under the name of its component where a new one begins."""
        previous = ""
        for name, row in zip(self.inference.components, rows, strict=True):
            yield (str(name) if name != previous else ""), row
            previous = name

    def __str__(self) -> str:
        result = self.inference
        head, rows = self._cells()
        if rows:
            columns = list(zip(*rows, strict=True))
            rows = [
                list(row)
                for row in zip(columns[0], *map(aligned, columns[1:5]), *columns[5:], strict=True)
            ]
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        indent = "  " if any(result.components) else ""
        widths[0] = max(
            [
                widths[0] + len(indent),
                *(min(len(name), widths[0] + 12) for name in result.components),
            ]
        )

        def line(cells: Sequence[str], start: str) -> str:
            numbers = "".join(
                f"  {cell:>{w}}" for cell, w in zip(cells[1:], widths[1:], strict=True)
            )
            return (f"{start + cells[0]:<{widths[0]}}" + numbers).rstrip()

        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [*result.header, rule, line(head, ""), rule]
        for name, row in self._grouped(rows):
            lines += [name] if name else []
            lines.append(line(row, indent))
        return "\n".join([*lines, rule, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, rows = self._cells()
        cells = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
        body = []
        for name, row in self._grouped(rows):
            if name:
                body.append(
                    f'<tr><th scope="rowgroup" colspan="{len(head)}" style="text-align:left">{html.escape(name)}</th></tr>'
                )
            numbers = "".join(
                f'<td style="text-align:right">{html.escape(cell)}</td>' for cell in row[1:]
            )
            body.append(
                f'<tr><th scope="row" style="text-align:left">{html.escape(row[0])}</th>{numbers}</tr>'
            )
        caption = "<br>".join(html.escape(text) for text in self.inference.header)
        notes = "<br>".join(html.escape(text) for text in self._notes())
        return f"<table><caption>{caption}</caption><thead><tr>{cells}</tr></thead><tbody>{''.join(body)}</tbody></table><p>{notes}</p>"
