"""Draws from laws of counts whose masses are log-concave, by their masses alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skmle.families.records import Array, Arrays, Support


def log_concave_draws(
    log_mass: Callable[[Array, Arrays], Array],
    mode: Array,
    law: Arrays,
    support: Support,
    size: tuple[int, ...],
    rng: np.random.Generator,
) -> Array:
    """Draw whole numbers from laws with log-concave masses, by rejection.

    With p for the mass of the mode m, that of m + k is at most p min(1, exp(1 - p |k|)). At most
    five candidates a draw are looked at, on average.

    Parameters
    ----------
    log_mass : callable
        ``log_mass(y, law)`` with an entry of each of the arrays `law` for each of y.
    mode : ndarray
    law : tuple of ndarray
        What tells the laws; these and the modes broadcast with `size`.
    support : Support
    size : tuple of int
    rng : Generator

    References
    ----------
    Devroye (1987), A simple generator for discrete log-concave distributions, Computing 39.
    """
    mode, *rest = (np.broadcast_to(value, size).ravel() for value in (mode, *law))
    law = tuple(rest)
    top = log_mass(mode, law)
    p = np.exp(top)
    draws, left = np.array(mode, float), np.arange(mode.size)
    while len(left):
        n, level = len(left), p[left]
        flat = 1.0 + 0.5 * level  # half of the width, times p, that the flat part may have
        inside = rng.random(n) * (1.0 + flat) <= flat
        away = np.where(inside, flat * rng.random(n), flat + rng.standard_exponential(n))
        sign = np.where(rng.random(n) < 0.5, -1.0, 1.0)
        y = mode[left] + sign * np.rint(away / level)
        # The exponent of a uniform number is that of its bound, of which it is a share.
        bound = -rng.standard_exponential(n) + np.minimum(0.0, flat - away)
        valid = support.contains(y)
        own = log_mass(np.where(valid, y, mode[left]), tuple(value[left] for value in law))
        taken = valid & (bound <= own - top[left])
        draws[left[taken]] = y[taken]
        left = left[~taken]
    return draws.reshape(size)
