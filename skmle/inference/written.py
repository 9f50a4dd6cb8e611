"""Tables for documents: Markdown, LaTeX, and bars of intervals in HTML; all names are escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Line = tuple[str, Sequence[str]]
"""The heading above a line ("" if there is none), and the line's cells."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]|~$#])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": "$<$",
    ">": "$>$",
    # Behind a line's end these two would be taken for arguments of it.
    "[": "{[}",
    "*": "{*}",
    **{sign: f"\\{sign}" for sign in "{}$&#_%"},
}
_NUMBER = re.compile(r"-?\d")
# Pixels of a bar, and standard errors from zero beyond which it ends at the edge; for looks.
_WIDTH, _HEIGHT, _FARTHEST = 96.0, 12.0, 12.0


def markdown_text(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return html.escape(_MARKDOWN.sub(r"\\\1", text), quote=False)


def latex_text(text: str) -> str:
    """Return a text that LaTeX shows as it is; numbers get a true minus."""
    sign = "$-$" if text.startswith("-") and _NUMBER.match(text) else ""
    return sign + "".join(_LATEX.get(letter, letter) for letter in text[bool(sign) :])


def markdown_table(
    head: Sequence[str], lines: Iterable[Line], above: Sequence[str], below: Sequence[str]
) -> str:
    """Return a table of cells as Markdown, between lines of text."""

    def row(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    table = [row(map(markdown_text, head)), row([":--", *["--:"] * (len(head) - 1)])]
    for name, cells in lines:
        if name:
            table.append(row([f"**{markdown_text(name)}**", *[""] * (len(head) - 1)]))
        table.append(row(map(markdown_text, cells)))
    parts = ["  \n".join(map(markdown_text, above)), "\n".join(table)]
    parts.append("  \n".join(map(markdown_text, below)))
    return "\n\n".join(part for part in parts if part)


def latex_table(
    head: Sequence[str], lines: Iterable[Line], above: Sequence[str], below: Sequence[str]
) -> str:
    """Return a table of cells as LaTeX, for the package booktabs, between lines of text."""
    end, columns = r" \\", len(head)

    def row(cells: Iterable[str]) -> str:
        return " & ".join(map(latex_text, cells)) + end

    def across(text: str, style: str = "") -> str:
        return rf"\multicolumn{{{columns}}}{{l}}{{{style}{latex_text(text)}}}" + end

    table = [across(text) for text in above] + [r"\toprule", row(head), r"\midrule"]
    for name, cells in lines:
        table += [across(name, r"\itshape ")] if name else []
        table.append(row(cells))
    table += [r"\bottomrule", *(across(text, r"\footnotesize ") for text in below)]
    begin = rf"\begin{{tabular}}{{l{'r' * (columns - 1)}}}"
    return "\n".join([begin, *table, r"\end{tabular}"])


def bars(
    estimate: Array,
    error: Array,
    low: Array,
    high: Array,
    words: Sequence[str],
) -> list[str]:
    """Return estimates and intervals as small pictures, one a line; "" where one is not known.

    All are in standard errors from zero, the thin line, so that they have one scale whatever their
    units. They have the colour of the text, which is legible on any ground.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.array([estimate, low, high]) / error
    known = np.asarray(np.isfinite(ends).all(axis=0))
    if not known.any():
        return [""] * len(words)
    reach = min(float(np.abs(ends[:, known]).max()), _FARTHEST) or 1.0
    places = (np.clip(ends / reach, -1.0, 1.0) * 0.46 + 0.5) * _WIDTH
    return [
        _bar(at, start, end, word) if there else ""
        for (at, start, end), word, there in zip(places.T.tolist(), words, known, strict=True)
    ]


def _bar(at: float, low: float, high: float, words: str) -> str:
    middle = _HEIGHT / 2.0
    stroke = 'stroke="currentColor"'
    return (
        f'<svg role="img" aria-label="{html.escape(words)}" width="{_WIDTH:g}" '
        f'height="{_HEIGHT:g}"><title>{html.escape(words)}</title>'
        f'<line x1="{_WIDTH / 2:g}" x2="{_WIDTH / 2:g}" y1="0" y2="{_HEIGHT:g}" {stroke} '
        'stroke-opacity="0.4"></line>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle:g}" y2="{middle:g}" {stroke} '
        'stroke-width="2"></line>'
        f'<circle cx="{at:.1f}" cy="{middle:g}" r="3" fill="currentColor"></circle></svg>'
    )
