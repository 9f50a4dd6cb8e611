"""Shares of a whole by their log-odds against the last one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Arrays

# The share that stands for one never seen, where it is the reference of the others.
_NEVER = 1e-300


def log_shares(eta: Arrays) -> Array:
    """Return the logarithms of the shares with these log-odds, on a last axis."""
    e = np.stack([*np.broadcast_arrays(*eta, 0.0)], axis=-1)
    e = e - e.max(axis=-1, keepdims=True)
    return np.asarray(e - np.log(np.exp(e).sum(axis=-1, keepdims=True)))


def shares_of(eta: Arrays) -> Array:
    """Return the shares with these log-odds, on a last axis; those never seen are zero."""
    e = np.stack([*np.broadcast_arrays(*eta, 0.0)], axis=-1)
    p = np.exp(e - e.max(axis=-1, keepdims=True))
    p = p / p.sum(axis=-1, keepdims=True)
    return np.where(p > 2.0 * _NEVER, p, 0.0)


def slopes_of_shares(p: Array) -> NDArray[np.float64]:
    """Return the derivatives of all shares in the log-odds, (K, K - 1)."""
    return (np.diag(p) - np.outer(p, p))[:, :-1]


def odds_of(shares: Array) -> Arrays:
    """Return the log-odds of shares, infinite at an end of their range."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(np.asarray(shares, float))
        return tuple(log_p[..., j] - log_p[..., -1] for j in range(log_p.shape[-1] - 1))


def odds_of_counts(counts: Array) -> tuple[float, ...]:
    """Return the log-odds of counts, none of them nan.

    Against a last one never seen, infinite odds would not tell the others apart.
    """
    last = counts[-1] if counts[-1] > 0.0 else _NEVER * counts.sum()
    with np.errstate(divide="ignore"):
        return tuple(float(e) for e in np.log(counts[:-1]) - np.log(last))
