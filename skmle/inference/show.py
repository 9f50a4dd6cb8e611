"""How results are shown and compared: names in one line, plain tables, equality of records."""

from __future__ import annotations

import difflib
import html
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

# Names that an error asks about, and that it lists, at most. Chosen for reading.
_SIMILAR, _OFFERED = 3, 8

# How tables look in HTML on any page: numbers stand apart, names are no headings.
HTML_CELL = 'style="text-align:right;white-space:nowrap;padding-left:0.8em"'
HTML_NAME = 'style="text-align:left;font-weight:normal;white-space:nowrap"'
HTML_INSET = 'style="text-align:left;font-weight:normal;white-space:nowrap;padding-left:1.2em"'
HTML_CAPTION = 'style="text-align:left;white-space:nowrap"'


def printable(name: object) -> str:
    """Return a name as text; one with line breaks or control codes as Python writes it.

    Else a name could forge a line of a table.
    """
    text = str(name)
    return text if text.isprintable() else repr(text)


def offered(name: str, names: Sequence[str]) -> str:
    """Return, for an error, the names that are allowed, and of these the ones that may be meant."""
    plain = [own for own in names if ":" not in own] or list(names)
    asked = names if ":" in name else plain
    near = difflib.get_close_matches(name, asked, n=_SIMILAR)
    near = near or [own for own in asked if name and name.lower() in own.lower()][:_SIMILAR]
    have = ", ".join(map(repr, plain[:_OFFERED])) + (", ..." if len(plain) > _OFFERED else "")
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "Mend the name."
    return f"{have}. {hint}"


def text_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table of cells as text, its columns aligned to the right.

    A first column without a heading has names, and is aligned to the left.
    """
    widths = [max(len(cells[i]) for cells in [head, *lines]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first = f"{cells[0]:{'>' if head[0] else '<'}{widths[0]}}"
        rest = (f"{cell:>{w}}" for cell, w in zip(cells[1:], widths[1:], strict=True))
        return "  ".join([first, *rest])

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([rule, line(head), rule, *map(line, lines), rule])


def html_table(head: Sequence[str], lines: Sequence[Sequence[str]], caption: str) -> str:
    """Return a table of cells as HTML; a first column without a heading has names."""
    named = not head[0]

    def row(cells: Sequence[str]) -> str:
        inner = "".join(f"<td {HTML_CELL}>{html.escape(cell)}</td>" for cell in cells[named:])
        name = f'<th scope="row" {HTML_NAME}>{html.escape(cells[0])}</th>' if named else ""
        return f"<tr>{name}{inner}</tr>"

    top = "".join(f'<th scope="col" {HTML_CELL}>{html.escape(cell)}</th>' for cell in head)
    return (
        f"<table><caption {HTML_CAPTION}>{html.escape(caption)}</caption><thead><tr>{top}</tr>"
        f"</thead><tbody>{''.join(map(row, lines))}</tbody></table>"
    )


def as_frame(columns: dict[str, Any], beside: Any = None) -> Any:
    """Return columns as a frame of pandas, else of polars, else as they are, by what is installed.

    Beside a frame of polars it is polars'; beside one of pandas it has its index.
    """
    library = type(beside).__module__.partition(".")[0]
    for name in ("polars", "pandas") if library == "polars" else ("pandas", "polars"):
        try:
            frames = import_module(name)
        except ImportError:
            continue
        if name == library == "pandas":
            return frames.DataFrame(columns, index=beside.index)
        return frames.DataFrame(columns)
    return columns


def equal(one: Any, other: Any, names: Sequence[str]) -> bool:
    """Return whether two records have the same values by these names; nan is equal to nan."""
    return type(one) is type(other) and all(
        _same(getattr(one, name), getattr(other, name)) for name in names
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and one.dtype.kind == "f":
        return np.array_equal(one, other, equal_nan=True)
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))
