"""Intervals of estimates that come from fits and not from a covariance: one table for all."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.inference.show import as_frame, html_table, printable, text_table

Array = NDArray[np.float64]

_SHOWN_AS = {"std_error": "s.e."}


class IntervalTable:
    """The base of such results."""

    components: Sequence[str]
    terms: Sequence[str]
    intervals: Array
    confidence_level: float

    @property
    def _title(self) -> str:
        raise NotImplementedError

    def _numbers(self) -> Mapping[str, Array]:
        """Return the columns before the intervals, each of shape (m,)."""
        raise NotImplementedError

    def _notes(self) -> Sequence[str]:
        """Return the lines below the table."""
        raise NotImplementedError

    def _frame(self) -> Any:
        """Return the columns of `tidy`."""
        return as_frame(
            {
                "component": np.array(self.components, object),
                "term": np.array(self.terms, object),
                **self._numbers(),
                "conf_low": self.intervals[:, 0],
                "conf_high": self.intervals[:, 1],
            }
        )

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the heading and the lines as cells of text."""
        level, several = f"{100 * self.confidence_level:g} %", len(set(self.components)) > 1
        names = [
            printable(f"{component}: {term}" if several and component else str(term))
            for component, term in zip(self.components, self.terms, strict=True)
        ]
        numbers = self._numbers()
        columns = np.column_stack([*numbers.values(), self.intervals])
        lines = [
            [name, *(f"{x:.4g}" for x in line)] for name, line in zip(names, columns, strict=True)
        ]
        shown = [_SHOWN_AS.get(name, name) for name in numbers]
        return ["", *shown, f"{level} low", f"{level} high"], lines

    def __repr__(self) -> str:
        return "\n".join([self._title, text_table(*self._cells()), *self._notes()])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return html_table(*self._cells(), caption=self._title) + notes
