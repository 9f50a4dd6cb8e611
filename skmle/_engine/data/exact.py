"""Products of matrices whose terms cancel, right to the last digits of the result.

Each factor is cut into slices of so few bits that products of slices are exact, in whatever order
BLAS adds them up. Only the sum of these products rounds, and it carries its rounding errors along.
So a combination of nearly dependent columns has as many digits as if it were computed from the
given numbers by hand.

References
----------
Ozaki, Ogita, Oishi & Rump (2012), Error-free transformations of matrix multiplication by using fast
routines of matrix multiplication and its applications, Numerical Algorithms 59.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skmle._engine.evaluation import Array

_BITS = 53  # of a double's significand
# Bits to which a product is exact, relative to the largest possible sum of its terms: 53 for the
# result and 53 that may cancel.
_EXACT_BITS = 106


def exact_product(left: Array, right: Array, rest: Array | None = None) -> Array:
    """Return (left + rest) @ right, with about as many digits as the result can hold.

    Parameters
    ----------
    left : ndarray of shape (n, p)
    right : ndarray of shape (p, r)
    rest : ndarray of shape (n, p), optional
        What rounding has taken from `left`.
    """
    p = left.shape[1]
    bits = (_BITS - max(p - 1, 1).bit_length()) // 2
    count = -(-_EXACT_BITS // bits)
    columns = list(_slices(right, 0, bits, count))
    high, low = np.zeros((2, len(left), right.shape[1]))
    rows = list(_slices(left, 1, bits, count))
    for order in range(count):  # the largest products first
        for i in range(order + 1):
            high, error = two_sum(high, rows[i] @ columns[order - i])
            low += error
    return high + (low if rest is None else low + rest @ right)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a + b, rounded, and what rounding has taken from it (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _slices(matrix: Array, axis: int, bits: int, count: int) -> Iterator[Array]:
    """Yield matrices of few bits that add up to a matrix, the largest first.

    All entries along an axis have the same last bit.
    """
    for _ in range(count):
        exponent = np.frexp(np.abs(matrix).max(axis=axis, keepdims=True, initial=0.0))[1]
        # To add a number so large rounds all bits below the wanted ones away.
        rounder = np.ldexp(0.75, exponent + _BITS - bits)
        head = (matrix + rounder) - rounder
        yield head
        matrix = matrix - head
