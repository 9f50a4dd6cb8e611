"""Rows in other etas, by the chain rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Rows, Softmax, triangle

_ZERO = np.zeros(())


def through_links(inner: Rows, jets: Sequence[tuple[Array, Array, Array] | None]) -> Rows:
    """Return rows whose derivatives are in other etas, each a function of one of `inner`'s.

    Parameters
    ----------
    inner : Rows
    jets : sequence of (value, slope, curve), or None
        For each eta that of `inner` as a function of the other, with its derivatives; None where
        they are the same.
    """
    if inner.gradient is None:
        return inner
    slopes = [np.ones(()) if jet is None else jet[1] for jet in jets]
    gradient = tuple(g * s for g, s in zip(inner.gradient, slopes, strict=True))
    if inner.curvature is None:
        return Rows(inner.value, gradient)
    assert not isinstance(inner.curvature, Softmax)  # Its chart is its only link.
    curvature: list[Array | None] = []
    for (a, b), entry in zip(triangle(len(jets)), inner.curvature, strict=True):
        new = None if entry is None else entry * slopes[a] * slopes[b]
        if a == b and (jet := jets[a]) is not None:
            bend = inner.gradient[a] * jet[2]
            new = bend if new is None else new + bend
        curvature.append(new)
    return Rows(inner.value, gradient, tuple(curvature))


def through_matrix(inner: Rows, matrix: NDArray[np.float64]) -> Rows:
    """Return rows whose derivatives are in other etas, of which `inner`'s are linear functions.

    Parameters
    ----------
    inner : Rows
        In k etas.
    matrix : ndarray of shape (k, m)
        The derivatives of each eta of `inner` in the others.
    """
    flat = (None,) * len(triangle(matrix.shape[1]))
    return composed(inner, [Rows(_ZERO, each, flat) for each in matrix.tolist()])


def composed(outer: Rows, inner: Sequence[Rows]) -> Rows:
    """Return rows of a function of numbers that are functions of other etas.

    Parameters
    ----------
    outer : Rows
        With derivatives in k numbers.
    inner : sequence of k Rows
        These numbers, with derivatives in the etas, up to the order of `outer` at least.
    """
    if outer.gradient is None:
        return outer
    slopes = [rows.gradient or () for rows in inner]
    etas = range(len(slopes[0]))
    gradient = tuple(_combined([slope[a] for slope in slopes], outer.gradient) for a in etas)
    if outer.curvature is None:
        return Rows(outer.value, gradient)
    bends = [rows.packed for rows in inner]
    curvature = []
    for place, (a, b) in enumerate(triangle(len(etas))):
        moves = [
            slopes[i][a] * slopes[j][b] + (slopes[j][a] * slopes[i][b] if i != j else 0.0)
            for i, j in triangle(len(inner))
        ]
        own = _combined(outer.gradient, [bend[place] for bend in bends])
        curvature.append(own + _combined(moves, outer.packed))
    return Rows(outer.value, gradient, tuple(curvature))


def _combined(shares: Sequence[Any], entries: Sequence[Array | None]) -> Array:
    """Return the sum of entries times their shares; None stands for zero."""
    total: Array = np.zeros(())
    for share, entry in zip(shares, entries, strict=True):
        if entry is None or (isinstance(share, float) and share == 0.0):
            continue
        total = total + share * entry
    return total
