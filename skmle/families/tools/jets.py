"""Functions of two parameters with their first and second derivatives, and their arithmetic.

A formula that is written with them returns its derivatives, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of xx, xy and yy, the one parameter and the other.
_ONE, _OTHER = [0, 0, 1], [0, 1, 1]


class TwoJet:
    """A function's value, its derivatives in x and y, and those in xx, xy and yy.

    Parameters
    ----------
    parts : ndarray of shape (1, ...), (3, ...) or (6, ...)
        The value alone, or with the first derivatives, or with all.
    """

    def __init__(self, parts: NDArray[Any]) -> None:
        self.parts = parts

    @classmethod
    def joined(cls, order: int, *parts: Any) -> TwoJet:
        """Return the function with these parts, of which those up to an order are taken."""
        return cls(np.stack(np.broadcast_arrays(*parts[: (1, 3, 6)[order]])).astype(float))

    @property
    def value(self) -> NDArray[Any]:
        """The value alone."""
        return self.parts[0]

    def __add__(self, other: TwoJet | Any) -> TwoJet:
        if isinstance(other, TwoJet):
            return TwoJet(self.parts + other.parts)
        parts = self.parts.copy()
        parts[0] += other
        return TwoJet(parts)

    def __sub__(self, other: TwoJet) -> TwoJet:
        return TwoJet(self.parts - other.parts)

    def __mul__(self, other: TwoJet | Any) -> TwoJet:
        f = self.parts
        if not isinstance(other, TwoJet):
            return TwoJet(f * other)
        g = other.parts
        parts = f * g[0]
        parts[1:] += f[0] * g[1:]
        if len(parts) > 3:
            df, dg = f[1:3], g[1:3]
            parts[3:] += df[_ONE] * dg[_OTHER] + df[_OTHER] * dg[_ONE]
        return TwoJet(parts)

    def of(self, value: Any, slope: Any, bend: Any) -> TwoJet:
        """Return a function of this one, by its value and derivatives here."""
        parts = self.parts * slope
        parts[0] = value
        if len(parts) > 3:
            slopes = self.parts[1:3]
            parts[3:] += bend * (slopes[_ONE] * slopes[_OTHER])
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
