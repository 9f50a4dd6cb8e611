"""Limited-memory pairs: an approximate inverse Hessian, improved by what steps have shown of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skmle._engine.evaluation import Array


def two_loop(
    pairs: Sequence[tuple[Array, Array]], inverse: Callable[[Array], Array], vector: Array
) -> Array:
    """Return an approximate inverse Hessian times a vector.

    Parameters
    ----------
    pairs : sequence of (s, y)
        Steps s and the changes of gradient y = H s that they showed, the oldest first.
    inverse : callable
        A first approximation of the inverse Hessian times a vector, which the pairs improve.
    vector : ndarray of shape (d,)

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, algorithm 7.4.
    """
    q = vector.copy()
    shares = []
    for s, y in reversed(pairs):
        share = (s @ q) / (s @ y)
        shares.append(share)
        q -= share * y
    q = inverse(q)
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        q += (share - (y @ q) / (s @ y)) * s
    return q
