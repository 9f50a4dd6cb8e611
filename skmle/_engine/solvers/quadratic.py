"""The quadratic model with absolute penalties: minimise x'Ax/2 + b'x + sum of kink * |x|, exactly.

Once it is known which coefficients are zero and which signs the others have, the answer is the
solution of one linear system. Zeros and signs are found by Newton's method on the condition that no
coefficient wants to move by itself. It changes many of them at a time, and the answer is proved
when they repeat. Where it cycles, descent in one coefficient at a time takes over, with the same
proof.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs

from skmle._engine.evaluation import Array

_TRIES = 15  # sets of signs that are tried before they count as a cycle; two to five are usual
_SWEEPS = 500  # over all coefficients in the descent, at most; a bound, chosen, not measured


def solve_quadratic(a: Array, b: Array, kink: Array, x: Array) -> Array | None:
    """Return the minimiser; None if `a` is not positive definite in the coefficients that matter.

    Parameters
    ----------
    a : ndarray of shape (s, s)
        Symmetric.
    b : ndarray of shape (s,)
    kink : ndarray of shape (s,)
        Strengths of the absolute penalties: 0 for coefficients without one, inf for those that stay
        zero.
    x : ndarray of shape (s,)
        Where the search starts.

    References
    ----------
    Hintermüller, Ito & Kunisch (2002), The primal-dual active set strategy as a semismooth Newton
    method. Lee, Battle, Raina & Ng (2006), Efficient sparse coding algorithms.
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
    """Return the sign to which each coefficient would go if the others stayed: 1, -1 or 0.

    Coefficients without a penalty get 2.
    """
    target = np.diag(a) * x - slope
    signs = np.where(np.abs(target) > kink, np.sign(target), 0.0)
    return np.where(kink > 0.0, signs, 2.0).astype(np.int8)


def _at_signs(a: Array, b: Array, kink: Array, signs: NDArray[np.int8]) -> Array | None:
    """Return the stationary point if these are the signs; None if it is no minimum."""
    result = np.zeros(len(b))
    on = np.flatnonzero(signs)
    if not len(on):
        return result
    # LAPACK factors in place what is in Fortran order, as the transpose is; it is the same matrix.
    factor, info = dpotrf(a[np.ix_(on, on)].T, lower=True, overwrite_a=True, clean=False)
    if info != 0 or not np.isfinite(factor[-1, -1]):
        return None
    result[on] = -dpotrs(factor, b[on] + kink[on] * signs[on], lower=True)[0]
    return result


def _descend(a: Array, b: Array, kink: Array, x: Array) -> Array | None:
    """Return the minimiser by descent; None if it was not found.

    A sweep moves one coefficient at a time. Then all that are not zero move together, as far as
    none of them changes its sign.
    """
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
