"""The most likely constants of a law, for families that look for starts of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from skmle.families.records import Array, Arrays, Rows, triangle

if TYPE_CHECKING:
    from skmle.families.base import Family

STEPS = 30  # of Newton's method, at most; starts near the maximum take about five
_HALVINGS = 12  # of a step that does not lower the value; then the search ends
# Fall, in nats a row, that the next step promises where the search ends: starts are compared by
# their likelihood, which need not be more exact.
_CLOSE = 1e-10


def most_likely(
    family: Family,
    statistics: Arrays,
    weight: Array | None,
    start: tuple[float, ...],
    steps: int = STEPS,
) -> tuple[float, tuple[float, ...]]:
    """Return (mean log-likelihood, chart eta) after some damped steps of Newton's method.

    The value is -inf if the start is outside of the law's range.
    """
    base = family.base(statistics)
    n = len(statistics[0])

    def mean(entry: Array | None) -> float:
        values = np.broadcast_to(0.0 if entry is None else entry, (n,))
        return float(np.average(values, weights=weight))

    def value(eta: Array) -> float:
        return mean(family.evaluate(statistics, _as_entries(eta), 0).value + base)

    with np.errstate(all="ignore"):  # far steps are tried, too
        eta = np.asarray(start, float)
        least = value(eta)
        for _ in range(steps):
            if not np.isfinite(least):
                return -np.inf, start
            step, fall = _step(family.evaluate(statistics, _as_entries(eta), 2), mean, len(eta))
            if not fall > _CLOSE:
                break
            before = least
            eta, least = _lower(value, eta, step, before)
            if not least < before:
                break
    return -least, tuple(float(e) for e in eta)


def _as_entries(eta: Array) -> Arrays:
    return tuple(np.asarray(e) for e in eta)


def _step(rows: Rows, mean: Callable[[Array | None], float], k: int) -> tuple[Array, float]:
    """Return Newton's step, by absolute curvatures, and the fall that it promises."""
    assert rows.gradient is not None
    gradient = np.array([mean(entry) for entry in rows.gradient])
    hessian = np.zeros((k, k))
    for (a, b), entry in zip(triangle(k), rows.packed, strict=True):
        hessian[a, b] = hessian[b, a] = mean(entry)
    if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        return np.zeros(k), 0.0
    curvature, axes = np.linalg.eigh(hessian)
    size = np.maximum(np.abs(curvature), 1e-10 * np.abs(curvature).max(initial=1e-300))
    step = -axes @ ((axes.T @ gradient) / size)
    return step, float(-gradient @ step)


def _lower(
    value: Callable[[Array], float], eta: Array, step: Array, least: float
) -> tuple[Array, float]:
    """Return the first point, on the way back from a step, that is lower; else where it began."""
    for _ in range(_HALVINGS):
        moved = value(eta + step)
        if moved < least:
            return eta + step, moved
        step = 0.5 * step
    return eta, least
