"""The table of a fit that people read: as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skmle._spelling import SaysWhatIsMeant
from skmle.inference.assemble import CONSTANT
from skmle.inference.elsewhere import OF_TABLES
from skmle.inference.numbers import aligned, number_row, p_value, statistic
from skmle.inference.show import HTML_CAPTION, HTML_CELL, HTML_INSET, HTML_NAME, printable
from skmle.inference.wald import interval
from skmle.inference.written import bars, latex_table, markdown_table

if TYPE_CHECKING:
    from skmle.inference.results import Inference

_WIDTH = 80  # columns of a terminal

_APART = (
    "nan: no error is known of {}, which no derivative has found: a whole number, or an end of the "
    "support that stands at an observation."
)


@dataclass(frozen=True)
class Summary(SaysWhatIsMeant):
    """A printable table of an `Inference`; `str` gives text, a notebook shows HTML.

    Estimates and intervals are written to the second digit of the standard error, p-values to
    three digits; p-values below 1e-16 are written "<1e-16".

    Parameters
    ----------
    inference : Inference
        The numbers.
    confidence_level : float, default=0.95
        Coverage of the intervals.
    """

    inference: Inference
    confidence_level: float = 0.95
    _elsewhere = OF_TABLES

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the heading and the lines as cells of text, without columns that are empty."""
        result = self.inference
        low, high = result.confidence_intervals(self.confidence_level).T
        level = f"{100 * self.confidence_level:g} %"
        tested_by = "z" if np.isinf(result.dof) else "t"
        head = ["", "estimate", "s.e.", f"{level} low", f"{level} high", tested_by, "p"]
        values = (result.estimates, result.standard_errors, low, high, *result._wald())
        lines = []
        for term, *row, z, p in zip(result.labels, *(v.tolist() for v in values), strict=True):
            numbers = number_row(*row)
            if result.reason:
                numbers[1:] = ["" if text == "nan" else text for text in numbers[1:]]
            lines.append([printable(term), *numbers, statistic(z), p_value(p)])
        tested = any(cells[-1] for cells in lines)
        kept = len(head) if tested else len(head) - 2  # without z and p
        return head[:kept], [cells[:kept] for cells in lines]

    def _notes(self) -> list[str]:
        result = self.inference
        footer = [line for note in result.footer for line in textwrap.wrap(note, _WIDTH)]
        if result.reason:
            return [*footer, *textwrap.wrap(f"No standard errors: {result.reason}", _WIDTH)]
        lost = ~np.isfinite(result.estimates)
        unknown = np.isnan(result.standard_errors) & ~lost
        lines = zip(result.components, result.terms, unknown, strict=True)
        open_ = [(component, term) for component, term, own in lines if own]
        names = dict.fromkeys(term for _, term in open_ if term != "intercept")
        # Slopes are the cause, where constants are not known beside them.
        slopes = [own for own in names if (CONSTANT, own) not in open_]
        off = dict.fromkeys(t for t, away in zip(result.terms, lost, strict=True) if away)
        runs = (
            f"inf, nan: no finite number is the estimate of {', '.join(map(printable, off))}; see "
            "`separated_` of the fit."
        )
        notes: list[str] = []
        if slopes and result.coefficients:
            notes = _undetermined(slopes, any(term == "intercept" for _, term in open_))
        elif names:
            notes = textwrap.wrap(_APART.format(", ".join(map(printable, names))), _WIDTH)
        return [*footer, *notes, *(textwrap.wrap(runs, _WIDTH) if off else [])]

    def _grouped(self, lines: list[list[str]]) -> Iterator[tuple[str, list[str]]]:
        """Yield each line with the name of its component where that begins, else with ""."""
        previous = ""
        for name, cells in zip(self.inference.components, lines, strict=True):
            yield (printable(name) if name != previous else ""), cells
            previous = name

    def __str__(self) -> str:
        result = self.inference
        head, body = self._cells()
        if body:
            columns = list(zip(*body, strict=True))
            numbers = [aligned(column) for column in columns[1:5]]
            every = zip(columns[0], *numbers, *columns[5:], strict=True)
            body = [list(cells) for cells in every]
        widths = [max(len(cells[i]) for cells in [head, *body]) for i in range(len(head))]
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
        text = [*result.header, rule, line(head, ""), rule]
        for name, cells in self._grouped(body):
            text += [name] if name else []
            text.append(line(cells, indent))
        return "\n".join([*text, rule, *self._notes()])

    __repr__ = __str__

    def to_markdown(self) -> str:
        """Return the table as Markdown, with names escaped.

        Examples
        --------
        >>> from skmle import MLEDistribution
        >>> model = MLEDistribution("gamma").fit([[0.2], [0.9], [4.1], [2.0]])
        >>> print(model.summary().to_markdown().splitlines()[6])
        | mean | 1.80 | 0.84 | 0.72 | 4.48 |
        """
        head, lines = self._cells()
        written = self._grouped(lines)
        return markdown_table(head, written, self.inference.header, self._notes())

    def to_latex(self) -> str:
        r"""Return the table as LaTeX for the package booktabs, with names escaped.

        Examples
        --------
        >>> from skmle import MLEDistribution
        >>> model = MLEDistribution("gamma").fit([[0.2], [0.9], [4.1], [2.0]])
        >>> print(model.summary().to_latex().splitlines()[7])
        mean & 1.80 & 0.84 & 0.72 & 4.48 \\
        """
        head, lines = self._cells()
        return latex_table(head, self._grouped(lines), self.inference.header, self._notes())

    def _bars(self, lines: Sequence[Sequence[str]]) -> list[str]:
        """Return the intervals of the lines as pictures; "" for a parameter that is not tested.

        They are on the scale on which estimates are tested: ratios on that of their logarithms.
        """
        result, level = self.inference, self.confidence_level
        values, errors = result._tested()
        low, high = result.confidence_intervals(level).T
        if result.on_links:
            low, high = interval(values, errors, level, result.dof)
        errors = np.where(np.isnan(result.statistic), np.nan, errors)
        words = [f"{cells[1]}, from {cells[3]} to {cells[4]}" for cells in lines]
        return bars(values, errors, low, high, words)

    def _repr_html_(self) -> str:
        heading, lines = self._cells()
        head = "".join(f'<th scope="col" {HTML_CELL}>{html.escape(cell)}</th>' for cell in heading)
        pictures = self._bars(lines)
        shown = any(pictures)
        if shown:
            head += (
                f'<th scope="col" {HTML_CELL}>s.e. from {1 if self.inference.on_links else 0}</th>'
            )
        body, columns = [], len(heading) + shown
        inset = HTML_INSET if any(self.inference.components) else HTML_NAME
        for (name, cells), picture in zip(self._grouped(lines), pictures, strict=True):
            if name:
                body.append(
                    f'<tr><th scope="rowgroup" colspan="{columns}" style="text-align:left">'
                    f"{html.escape(name)}</th></tr>"
                )
            numbers = "".join(f"<td {HTML_CELL}>{html.escape(cell)}</td>" for cell in cells[1:])
            numbers += f"<td {HTML_CELL}>{picture}</td>" if shown else ""
            body.append(f'<tr><th scope="row" {inset}>{html.escape(cells[0])}</th>{numbers}</tr>')
        caption = "<br>".join(html.escape(text) for text in self.inference.header)
        notes = "<br>".join(html.escape(text) for text in self._notes())
        return (
            f"<table><caption {HTML_CAPTION}>{caption}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(body)}</tbody></table><p>{notes}</p>"
        )


def _undetermined(names: Sequence[str], intercept: bool) -> list[str]:
    """Return the note on columns whose coefficients the data do not determine, and what to do."""
    what, mend = "is constant or a linear combination of other columns", "Leave it out"
    if len(names) > 1:
        what = "are linear combinations of each other or constant"
        mend = "Leave one of them out, as OneHotEncoder(drop='first') does"
    if intercept:
        mend += ", or set fit_intercept=False"
    shown = ", ".join(map(printable, names))
    note = f"nan: not determined by the data, as {shown} {what}. {mend}."
    return textwrap.wrap(note, _WIDTH)
