"""The quadratic model with absolute penalties: minimise x'Ax/2 + b'x + sum of kink * abs(x), exactly.

Which coefficients are zero, and the signs of the others, decide everything: given these, the answer is one linear
system. They are found by Newton's method on the condition that no coefficient wants to move by itself, which changes many
at a time and is certified when they repeat; where it cycles, by descent one coefficient at a time, with the same
certificate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs

from skmle._engine.evaluation import Array

_TRIES = 15  # guesses of the set before it is thought to cycle; two to five are usual
_SWEEPS = 500


def solve_quadratic(a: Array, b: Array, kink: Array, x: Array) -> Array | None:
    """Return the minimiser, from a first guess x; None if `a` is not positive definite where it matters.

    Parameters
    ----------
    a : ndarray of shape (s, s)
        Symmetric.
    b, kink, x : ndarray of shape (s,)
        kink is 0 for coefficients without a penalty, inf for those that stay zero.

    References
    ----------
    Hintermüller, Ito & Kunisch (2002), The primal-dual active set strategy as a semismooth Newton method.
    Lee, Battle, Raina & Ng (2006), Efficient sparse coding algorithms.
    """
    if not (np.diag(a) > 0.0).all():
        return None
    z: Array | None = x
    seen = None
    for _ in range(_TRIES):
        assert z is not None
        signs = _signs(a, z, a @ z + b, kink)
        if seen is not None and np.array_equal(signs, seen):
            return z
        seen = signs
        if (z := _at_signs(a, b, kink, signs)) is None:
            return None
    return _descend(a, b, kink, x)


def _signs(a: Array, x: Array, slope: Array, kink: Array) -> NDArray[np.int8]:
    """Return where each x would go by itself: 1, -1, or 0 for zero; 2 for coefficients without a penalty."""
    target = np.diag(a) * x - slope
    signs = np.where(np.abs(target) > kink, np.sign(target), 0.0)
    return np.where(kink > 0.0, signs, 2.0).astype(np.int8)


def _at_signs(a: Array, b: Array, kink: Array, signs: NDArray[np.int8]) -> Array | None:
    """Return the stationary point with these signs taken for granted; None if it is no minimum."""
    result = np.zeros(len(b))
    on = np.flatnonzero(signs)
    if not len(on):
        return result
    # The transpose is the same matrix in the order that LAPACK factors in place.
    factor, info = dpotrf(a[np.ix_(on, on)].T, lower=True, overwrite_a=True, clean=False)
    if info != 0 or not np.isfinite(factor[-1, -1]):
        return None
    result[on] = -dpotrs(factor, b[on] + kink[on] * signs[on], lower=True)[0]
    return result


def _descend(a: Array, b: Array, kink: Array, x: Array) -> Array | None:
    """Return the minimiser by descent: one coefficient at a time, then all that are not zero as far as their signs hold."""
    x = x.copy()
    slope = a @ x + b
    for _ in range(_SWEEPS):
        for j in np.flatnonzero(_signs(a, x, slope, kink)):
            target = a[j, j] * x[j] - slope[j]
            moved = np.sign(target) * max(abs(target) - kink[j], 0.0) / a[j, j] - x[j]
            if moved:
                x[j] += moved
                slope += moved * a[j]
        signs = np.where(kink > 0.0, np.sign(x), 2.0).astype(np.int8)
        z = _at_signs(a, b, kink, signs)
        if z is None:
            return None
        crossing = (kink > 0.0) & (z * x < 0.0)
        share = np.where(crossing, x / np.where(crossing, x - z, 1.0), 1.0)
        stride = float(share.min(initial=1.0))
        x = np.where(crossing & (share <= stride), 0.0, x + stride * (z - x))
        slope = a @ x + b
        if stride == 1.0 and np.array_equal(_signs(a, x, slope, kink), signs):
            return x
    return None
