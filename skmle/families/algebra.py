"""Rows of laws made of other laws: a mixture, a sum, a law beside a law, some of the parameters.

Censoring, truncation, zero inflation, hurdles and mixtures are one formula,
f = -log sum_c s_c exp(-f_c) with signs s_c. Its derivatives follow from those of the parts: with
shares r_c = s_c exp(f - f_c),

    f' = sum_c r_c f_c',    f'' = sum_c r_c f_c'' - sum_{c<d} r_c r_d (f_c' - f_d')(f_c' - f_d')^T,

in which nothing cancels where one part has all of the mass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Arrays, Rows, triangle

_ZERO = np.zeros(())

Places = NDArray[np.intp] | slice
"""Where some rows lie among all."""


def mix(
    parts: Sequence[tuple[Rows, Sequence[int]]],
    k: int,
    signs: Sequence[float] | None = None,
    order: int = 2,
) -> Rows:
    """Return the rows of f = -log sum_c s_c exp(-f_c), a function of k etas.

    Parameters
    ----------
    parts : sequence of (Rows, index)
        The rows of each f_c, in those of the k etas that `index` names.
    k : int
    signs : sequence of float, optional
        The s_c; by default all are 1. Where the sum is not positive, f is infinite.
    order : int
        How many derivatives are wanted; the parts must have them.
    """
    with np.errstate(all="ignore"):  # where a part is impossible, or the sum is not positive
        return _mix(parts, k, [1.0] * len(parts) if signs is None else signs, order)


def _mix(
    parts: Sequence[tuple[Rows, Sequence[int]]], k: int, signs: Sequence[float], order: int
) -> Rows:
    value, shares = _whole([np.asarray(rows.value, float) for rows, _ in parts], signs)
    if order < 1:
        return Rows(value)
    gradient: list[Array | None] = [None] * k
    # Where a share is not zero, a product with it is finite as its factors are.
    vanish = [bool(np.any(share == 0.0)) for share in shares]
    for (rows, index), share, some in zip(parts, shares, vanish, strict=True):
        assert rows.gradient is not None
        for j, slope in zip(index, rows.gradient, strict=True):
            gradient[j] = _sum(gradient[j], _times(share, slope, some), 1.0)
    slopes = tuple(_ZERO if entry is None else entry for entry in gradient)
    if order < 2:
        return Rows(value, slopes)
    places = triangle(k)
    curvature: dict[tuple[int, int], Array | None] = dict.fromkeys(places)
    for (rows, index), share, some in zip(parts, shares, vanish, strict=True):
        for (a, b), entry in zip(triangle(len(index)), rows.packed, strict=True):
            if entry is not None:
                i, j = sorted((index[a], index[b]))
                curvature[i, j] = _sum(curvature[i, j], _times(share, entry, some), 1.0)
    each = [dict(zip(index, rows.gradient or (), strict=True)) for rows, index in parts]
    for one, other in combinations(range(len(parts)), 2):
        both, some = shares[one] * shares[other], vanish[one] or vanish[other]
        apart = {j: _sum(each[one].get(j), each[other].get(j), -1.0) for j in range(k)}
        for a, b in places:
            if (left := apart[a]) is not None and (right := apart[b]) is not None:
                curvature[a, b] = _sum(curvature[a, b], _times(both, left * right, some), -1.0)
    return Rows(value, slopes, tuple(curvature.values()))


def summed(rows: Rows) -> Rows:
    """Return the rows of f = -log sum_c exp(-f_c), the f_c along the last axis but one.

    It is `mix` of many parts that one call has evaluated, with the curvature written by the mean
    of the gradients: sum_c r_c f_c'' - sum_c r_c (f_c' - f')(f_c' - f')^T.
    """
    with np.errstate(all="ignore"):  # where a part is impossible
        least = np.min(rows.value, axis=-2, keepdims=True)
        size = np.exp(np.where(np.isfinite(least), least, 0.0) - rows.value)
        total = np.sum(size, axis=-2, keepdims=True)
        share = size / total
        value = np.squeeze(least, -2) - np.log(np.squeeze(total, -2))
        if rows.gradient is None:
            return Rows(value)
        vanish = bool(np.any(share == 0.0))

        def mean(entry: Array) -> Array:
            if np.ndim(entry) < 2:
                return entry
            return np.sum(_times(share, entry, vanish), axis=-2)

        gradient = tuple(map(mean, rows.gradient))
        if rows.curvature is None:
            return Rows(value, gradient)
        away = [
            slope - np.expand_dims(g, -2) if np.ndim(slope) > 1 else _ZERO
            for slope, g in zip(rows.gradient, gradient, strict=True)
        ]
        curvature = tuple(
            (0.0 if bend is None else mean(bend)) - mean(away[a] * away[b])
            for (a, b), bend in zip(triangle(len(gradient)), rows.packed, strict=True)
        )
        return Rows(value, gradient, curvature)


def _whole(values: Sequence[Array], signs: Sequence[float]) -> tuple[Array, list[Array]]:
    """Return f = -log sum_c s_c exp(-f_c) and the shares s_c exp(f - f_c) of the values f_c."""
    least = reduce(np.minimum, values)
    if not np.isfinite(least).all():  # all parts are impossible
        least = np.where(np.isposinf(least), 0.0, least)
    away = [least - value for value in values]
    sizes = [np.exp(a) if s == 1.0 else s * np.exp(a) for s, a in zip(signs, away, strict=True)]
    if min(signs) < 0.0:
        # By expm1 the difference of two parts keeps its digits where they are nearly equal.
        pairs = zip(signs, away, strict=True)
        total = sum((s * np.expm1(a) for s, a in pairs), np.asarray(sum(signs)))
    else:
        total = reduce(np.add, sizes)
    positive = total > 0.0
    if np.all(positive):
        return least - np.log(total), [size / total for size in sizes]
    least, total = np.where(positive, least, 0.0), np.where(positive, total, 0.0)
    shares = [np.where(size == 0.0, 0.0, size / total) for size in sizes]
    return least - np.log(total), shares


def _times(share: Array, slope: Array, vanishes: bool) -> Array:
    """Return share * slope; 0 where the share is zero, which it is somewhere if it `vanishes`."""
    product = share * slope
    if not vanishes or np.isfinite(product).all():
        return product
    return np.where(share == 0.0, 0.0, product)


def add(one: Rows, other: Rows, sign: float = 1.0) -> Rows:
    """Return the rows of f + sign * g, two functions of the same etas."""
    value = one.value + sign * other.value
    if one.gradient is None or other.gradient is None:
        return Rows(value)
    gradient = tuple(g + sign * h for g, h in zip(one.gradient, other.gradient, strict=True))
    if one.curvature is None or other.curvature is None:
        return Rows(value, gradient)
    pairs = zip(one.packed, other.packed, strict=True)
    return Rows(value, gradient, tuple(_sum(g, h, sign) for g, h in pairs))


def _sum(one: Array | None, other: Array | None, sign: float) -> Array | None:
    if other is None:
        return one
    return sign * other if one is None else one + sign * other


def beside(one: Rows, other: Rows) -> Rows:
    """Return the rows of f + g, where f has the first etas and g the others."""
    value = one.value + other.value
    if one.gradient is None or other.gradient is None:
        return Rows(value)
    gradient = (*one.gradient, *other.gradient)
    if one.curvature is None or other.curvature is None:
        return Rows(value, gradient)
    k, first = len(gradient), len(one.gradient)
    known = dict(zip(triangle(first), one.packed, strict=True))
    for (a, b), entry in zip(triangle(k - first), other.packed, strict=True):
        known[a + first, b + first] = entry
    return Rows(value, gradient, tuple(known.get(place) for place in triangle(k)))


def pick(rows: Rows, index: Sequence[int]) -> Rows:
    """Return the rows as a function of some of their etas, the others being held."""
    if rows.gradient is None:
        return rows
    gradient = tuple(rows.gradient[j] for j in index)
    if rows.curvature is None:
        return Rows(rows.value, gradient)
    known = dict(zip(triangle(len(rows.gradient)), rows.packed, strict=True))
    kept = (tuple(sorted((index[a], index[b]))) for a, b in triangle(len(index)))
    return Rows(rows.value, gradient, tuple(known[a, b] for a, b in kept))


def constant_at(places: NDArray[np.bool_], value: Array | float, rows: Rows) -> Rows:
    """Return rows that do not depend on eta at some places, where they have the given values."""

    def entry(one: Array | None) -> Array:
        return np.where(places, 0.0, 0.0 if one is None else one)

    gradient = None if rows.gradient is None else tuple(map(entry, rows.gradient))
    curvature = None if rows.curvature is None else tuple(map(entry, rows.packed))
    return Rows(np.where(places, value, rows.value), gradient, curvature)


def alike(numbers: Array, possible: Iterable[float]) -> Iterator[tuple[float, Places]]:
    """Yield each number that occurs, and the places of its rows, which have a formula of their own.

    Of rows that lie beside each other they are a slice, so that no arrays of them are copied.
    """
    first, n = numbers[0], len(numbers)
    if numbers[-1] == first and (numbers == first).all():
        yield first, slice(0, n)
        return
    left = n
    for number in possible:
        at = np.flatnonzero(numbers == number)
        if len(at):
            low, high = int(at[0]), int(at[-1]) + 1
            yield number, slice(low, high) if high - low == len(at) else at
            left -= len(at)
        if not left:
            return


def of_rows(entries: Arrays, at: Places, n: int | None = None) -> Arrays:
    """Return some rows of arrays; if `n` is given, entries without n rows stay as they are."""

    def some(entry: Array) -> Array:
        # `take` is twice as fast as an index behind an ellipsis.
        return entry[..., at] if isinstance(at, slice) else entry.take(at, axis=-1)

    return tuple(some(e) if n is None or (np.ndim(e) and e.shape[-1] == n) else e for e in entries)


def gather(parts: Sequence[tuple[Places, Rows]], n: int, k: int, order: int) -> Rows:
    """Return the rows of a function of k etas from parts of them, each with the places of its rows.

    Rows of no part are zero.
    """
    if isinstance(at := parts[0][0], slice) and (at.start, at.stop) == (0, n):
        return parts[0][1].upto(order)
    lead = np.broadcast_shapes(*(np.shape(rows.value)[:-1] for _, rows in parts))
    value = np.zeros((*lead, n))
    gradient = [np.zeros_like(value) for _ in range(k if order > 0 else 0)]
    curvature = [np.zeros_like(value) for _ in range(len(triangle(k)) if order > 1 else 0)]
    for at, rows in parts:
        place: Any = (..., at) if lead else at  # without an ellipsis it takes half the time
        value[place] = rows.value
        for whole, slope in zip(gradient, rows.gradient or (), strict=True):
            whole[place] = slope
        for whole, bend in zip(curvature, rows.packed if order > 1 else (), strict=True):
            whole[place] = 0.0 if bend is None else bend
    return Rows(value, tuple(gradient), tuple(curvature)).upto(order)


def chosen(first: NDArray[np.bool_], one: Rows, other: Rows) -> Rows:
    """Return the rows of one function where `first` holds, and those of another elsewhere."""

    def each(a: Array | None, b: Array | None) -> Array:
        zero = np.zeros(())
        return np.where(first, zero if a is None else a, zero if b is None else b)

    value = each(one.value, other.value)
    if one.gradient is None or other.gradient is None:
        return Rows(value)
    gradient = tuple(each(a, b) for a, b in zip(one.gradient, other.gradient, strict=True))
    if one.curvature is None or other.curvature is None:
        return Rows(value, gradient)
    packed = tuple(each(a, b) for a, b in zip(one.packed, other.packed, strict=True))
    return Rows(value, gradient, packed)


def replaced(
    rows: Rows, places: NDArray[np.bool_], eta: Array, formula: Callable[[Rows, Array], Rows]
) -> Rows:
    """Return rows of which another formula makes new ones at some places, from what they are.

    Parameters
    ----------
    rows : Rows
    places : ndarray of bool
        One for each row.
    eta : ndarray
        What the formula needs besides.
    formula : callable
        (rows, eta) -> Rows, row by row. It is asked for the rows of these places alone.
    """
    if not places.any():
        return rows
    slopes, bends = rows.gradient or (), rows.packed if rows.curvature is not None else ()
    entries = [np.zeros(()) if entry is None else entry for entry in (rows.value, *slopes, *bends)]
    shape = np.broadcast_shapes(places.shape, np.shape(eta), *map(np.shape, entries))

    def full(entry: Any) -> Any:  # `broadcast_to` takes as long as a thousand rows
        return entry if np.shape(entry) == shape else np.broadcast_to(entry, shape)

    at = np.nonzero(full(places))

    def some(entry: Array) -> Array:
        return full(entry)[at] if np.ndim(entry) else entry

    def whole(values: Sequence[Array]) -> Rows:
        k = len(slopes)
        gradient = None if rows.gradient is None else tuple(values[1 : k + 1])
        return Rows(values[0], gradient, None if rows.curvature is None else tuple(values[k + 1 :]))

    new = formula(whole([some(entry) for entry in entries]), some(eta))
    found = [np.array(full(entry)) for entry in entries]
    bends = new.packed if rows.curvature is not None else ()
    for entry, value in zip(found, (new.value, *(new.gradient or ()), *bends), strict=True):
        entry[at] = 0.0 if value is None else value
    return whole(found)
