"""Functions of two parameters with their first and second derivatives, and their arithmetic.

A formula that is written with them returns its derivatives, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

PAIRS = ((1, 1), (1, 2), (2, 2))
"""The parts whose parameters the second derivatives are in, which are the parts 3, 4 and 5."""


class TwoJet:
    """A function's value, its derivatives in x and y, and those in xx, xy and yy.

    Parameters
    ----------
    parts : iterable of 1, 3 or 6 arrays
        The value alone, or with the first derivatives, or with all.
    """

    def __init__(self, parts: Iterable[Any]) -> None:
        self.parts = tuple(parts)

    @property
    def value(self) -> Any:
        """The value alone."""
        return self.parts[0]

    def __add__(self, other: TwoJet | Any) -> TwoJet:
        if isinstance(other, TwoJet):
            return TwoJet(f + g for f, g in zip(self.parts, other.parts, strict=True))
        return TwoJet((self.value + other, *self.parts[1:]))

    def __sub__(self, other: TwoJet) -> TwoJet:
        return TwoJet(f - g for f, g in zip(self.parts, other.parts, strict=True))

    def __mul__(self, other: TwoJet | Any) -> TwoJet:
        f = self.parts
        if not isinstance(other, TwoJet):
            return TwoJet(part * other for part in f)
        g = other.parts
        parts = [f[0] * g[0], *(f[0] * b + g[0] * a for a, b in zip(f[1:], g[1:], strict=True))]
        if len(f) > 3:
            for place, (i, j) in enumerate(PAIRS, start=3):
                parts[place] = parts[place] + f[i] * g[j] + f[j] * g[i]
        return TwoJet(parts)

    def of(self, value: Any, slope: Any, bend: Any) -> TwoJet:
        """Return a function of this one, by its value and derivatives here."""
        parts = [value, *(slope * part for part in self.parts[1:])]
        if len(parts) > 3:
            for place, (i, j) in enumerate(PAIRS, start=3):
                parts[place] = parts[place] + bend * (self.parts[i] * self.parts[j])
        return TwoJet(parts)

    def log(self) -> TwoJet:
        """Return the logarithm."""
        rate = 1.0 / self.value
        return self.of(np.log(self.value), rate, -rate * rate)

    def root(self) -> TwoJet:
        """Return the square root."""
        value = np.sqrt(self.value)
        slope = 0.5 / value
        return self.of(value, slope, -0.5 * slope / self.value)

    def inverse(self) -> TwoJet:
        """Return one over it."""
        value = 1.0 / self.value
        square = value * value
        return self.of(value, -square, 2.0 * square * value)
