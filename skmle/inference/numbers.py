"""Numbers as people read them: as many digits as the standard error leaves, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_DIGITS = 2  # significant digits of a standard error, and with it of the interval
_PLAIN = 5  # significant digits of an estimate without standard error
_LARGE, _SMALL = 1e6, 1e-5  # powers of ten are written from here on
_DECIMALS = 10  # at most, before powers of ten are written


def exponent(value: float, digits: int) -> int:
    """Return the power of ten of the first digit of a value as it is written, 0.0996 to two digits being 0.10."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def number_row(estimate: float, error: float, low: float, high: float) -> list[str]:
    """Return the four numbers, all to the place of the standard error's second digit.

    Numbers with powers of ten appear where the largest of the four is at least 1e6 or less than 1e-5.
    """
    known = np.isfinite(error) and error > 0.0
    base, digits = (error, _DIGITS) if known else (estimate, _PLAIN)
    place = exponent(base, digits) - digits + 1 if np.isfinite(base) and base != 0.0 else 0
    sizes = [abs(value) for value in (estimate, error, low, high) if np.isfinite(value)]
    size = max(sizes, default=0.0)
    powers = size >= _LARGE or 0.0 < size < _SMALL or place < -_DECIMALS
    return [_written(value, place, powers) for value in (estimate, error, low, high)]


def _written(value: float, place: int, powers: bool) -> str:
    if not np.isfinite(value):
        return str(float(value))
    if powers and value != 0.0:
        return f"{value:.{min(max(exponent(value, 6) - place, 0), 12)}e}"
    text = f"{value:.{max(-place, 0)}f}"
    return text.lstrip("-") if float(text) == 0.0 else text


def statistic(value: float) -> str:
    """Return z to two decimals; '' for nan."""
    if np.isnan(value):
        return ""
    return f"{value:.2f}" if abs(value) < _LARGE else f"{value:.2e}"


def p_value(value: float) -> str:
    """Return p to three significant digits, never as zero; '' for nan."""
    if np.isnan(value):
        return ""
    return "<1e-16" if value < 1e-16 else f"{value:#.3g}"


def aligned(column: Sequence[str]) -> list[str]:
    """Return a column with blanks behind its numbers, so that decimal points stand below each other, unless some have powers."""
    if any("e" in text for text in column):
        return list(column)
    tails = [len(text) - len(text.partition(".")[0]) for text in column]
    longest = max(tails, default=0)
    return [
        text + " " * (longest - tail) if text else ""
        for text, tail in zip(column, tails, strict=True)
    ]
