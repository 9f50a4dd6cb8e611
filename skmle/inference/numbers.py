"""Numbers as people read them: as many digits as the standard error leaves, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# How numbers are written: chosen for reading, not measured. Two digits of a standard error are a
# common convention: its own relative error is about 1 / sqrt(2 n), still 1 % at n = 5,000.
_DIGITS = 2  # significant digits of a standard error; estimate and interval end at the same place
_DIGITS_ALONE = 5  # significant digits of an estimate that has no standard error
_LARGE, _SMALL = 1e6, 1e-5  # numbers beyond these two are written with powers of ten
_MOST_DECIMALS = 10  # numbers that need more decimals are written with powers of ten, too
_MOST_DIGITS = 12  # decimals before the power of ten, at most
_SMALLEST_P = 1e-16  # smaller p-values are written "<1e-16"; close to one rounding of a double


def exponent(value: float, digits: int) -> int:
    """Return the power of ten of the first digit of a value once it is rounded to `digits`.

    0.0996 to two digits is 0.10, so its exponent is -1.
    """
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def number_row(estimate: float, error: float, low: float, high: float) -> list[str]:
    """Return the four numbers as text, each to the place of the error's second digit.

    Powers of ten are written where the largest of the four is at least 1e6 or less than 1e-5.
    """
    known = np.isfinite(error) and error > 0.0
    base, digits = (error, _DIGITS) if known else (estimate, _DIGITS_ALONE)
    place = exponent(base, digits) - digits + 1 if np.isfinite(base) and base != 0.0 else 0
    sizes = [abs(value) for value in (estimate, error, low, high) if np.isfinite(value)]
    size = max(sizes, default=0.0)
    powers = size >= _LARGE or 0.0 < size < _SMALL or place < -_MOST_DECIMALS
    numbers = [_written(value, place, powers) for value in (estimate, error)]
    return [*numbers, *(_end(value, low * high > 0.0, place, powers) for value in (low, high))]


def _end(value: float, one_sided: bool, place: int, powers: bool) -> str:
    """Return an end of an interval as text, which is no zero if the interval is `one_sided`.

    A ratio's lower end is far nearer to zero than its error tells: it has two digits of its own.
    """
    text = _written(value, place, powers)
    if not (one_sided and np.isfinite(value)):
        return text
    first = exponent(value, _DIGITS)
    if float(text) != 0.0 and not (powers and first < place):
        return text
    own = first - _DIGITS + 1
    return _written(value, own, powers or own < -_MOST_DECIMALS)


def _written(value: float, place: int, powers: bool) -> str:
    if not np.isfinite(value):
        return str(float(value))
    if powers and value != 0.0:
        return f"{value:.{min(max(exponent(value, 6) - place, 0), _MOST_DIGITS)}e}"
    text = f"{value:.{max(-place, 0)}f}"
    return text.lstrip("-") if float(text) == 0.0 else text


def statistic(value: float) -> str:
    """Return z as text with two decimals; "" for nan."""
    if np.isnan(value):
        return ""
    return f"{value:.2f}" if abs(value) < _LARGE else f"{value:.2e}"


def p_value(value: float) -> str:
    """Return p as text with three significant digits, never as zero; "" for nan."""
    if np.isnan(value):
        return ""
    return f"<{_SMALLEST_P:.0e}" if value < _SMALLEST_P else f"{value:#.3g}"


def aligned(column: Sequence[str]) -> list[str]:
    """Return a column with blanks behind its numbers, so that their decimal points are aligned.

    A column in which some numbers have powers of ten stays as it is.
    """
    if any("e" in text for text in column):
        return list(column)
    tails = [len(text) - len(text.partition(".")[0]) for text in column]
    longest = max(tails, default=0)
    return [
        text + " " * (longest - tail) if text else ""
        for text, tail in zip(column, tails, strict=True)
    ]
