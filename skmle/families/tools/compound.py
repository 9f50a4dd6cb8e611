"""The sum over the number of values, of the density of a Poisson number of gamma values."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Rows
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.special import binet

# Terms to each side of the largest, in standard deviations of their index: the rest is below 1e-16.
_REACH = 9.0
# From this largest index on, and from this deviation on, the sum is the integral to all digits:
# they differ by exp(-2 pi^2 deviation^2). Gauss's bell needs steps of 2/3 for as much.
_SMOOTH, _WIDE = 128.0, 1.4
_STEP = 2.0 / 3.0
_Z = _STEP * np.arange(-14.0, 17.0)
# Largest index and shape up to which all rows have the same terms, of which no digits are lost.
_SHARED, _SMALL = 128.0, 32.0
_FEW = 16.0  # largest index below which rows are summed apart, having fewer terms
_LARGEST_LOG = 690.0


def log_sum(log_top: Array, log_a: Array, order: int) -> Rows:
    """Return log sum_k exp(-(1 + a) K h(k/K) - mu(k) - mu(k a)) over k = 1, 2, ..., by row.

    Here h(v) = v log v - v + 1, mu is Binet's function, K = exp(log_top) is about the index of the
    largest term, and sqrt(K/(1 + a)) is about the standard deviation of the index. Derivatives are
    those in log K and log a.
    """
    log_top = np.minimum(log_top, _LARGEST_LOG)
    top, a = np.exp(log_top), np.exp(log_a)
    wide = (top >= _SMOOTH) & (top >= _WIDE**2 * (1.0 + a))
    few = ~wide & (top < _FEW)
    kinds = ((few, _terms), (~wide & ~few, _terms), (wide, _integral))
    for at, form in kinds:
        if at.all():
            return form(log_top, log_a, order)
    log_a = log_a if log_a.ndim == 0 else np.broadcast_to(log_a, wide.shape)
    log_top = np.broadcast_to(log_top, wide.shape)
    parts = [
        (at, form(log_top[at], log_a[at] if log_a.ndim else log_a, order))
        for at, form in kinds
        if at.any()
    ]

    def joined(entries: list[Array]) -> Array:
        whole = np.empty(log_top.shape)
        for (at, _), entry in zip(parts, entries, strict=True):
            whole[at] = entry
        return whole

    value, gradient, curvature = zip(*(rows for _, rows in parts), strict=True)
    return Rows(
        joined(value),
        None if order < 1 else tuple(map(joined, zip(*gradient, strict=True))),
        None if order < 2 else tuple(map(joined, zip(*curvature, strict=True))),
    )


def _terms(log_top: Array, log_a: Array, order: int) -> Rows:
    """Return the sum itself."""
    top, a = np.exp(log_top)[..., None], np.exp(log_a)[..., None]
    reach = _REACH * np.sqrt(top / (1.0 + a)) + 8.0
    last = float((top + reach).max(initial=1.0))
    if a.size == 1 and a <= _SMALL and last <= _SHARED:
        # The same terms serve all rows.
        k = np.arange(1.0, last + 1.0)
        away = k * np.log(k) - k - k * log_top[..., None] + top
    else:
        first = np.maximum(np.floor(top - reach), 1.0)
        count = int(np.ceil((top + reach - first).max(initial=1.0))) + 1
        k = first + np.arange(count)
        away = k * gap_beside((top - k) / k, top / k)
    ka = k * a
    mu, mu1, mu2 = binet(ka, order)
    e = -(1.0 + a) * away - (binet(k, 0)[0] + mu)
    if order < 1:
        return _moments(e, (), ())
    assert mu1 is not None
    slope = -a * away - ka * mu1
    first_ones = ((1.0 + a) * (k - top), slope)
    if order < 2:
        return _moments(e, first_ones, ())
    assert mu2 is not None
    second = (-(1.0 + a) * top, a * (k - top), slope - ka * (ka * mu2))
    return _moments(e, first_ones, second)


def _integral(log_top: Array, log_a: Array, order: int) -> Rows:
    """Return the integral over k = K (1 + x), x = z/sqrt(n), n = (1 + a) K, at places z.

    The places are held, so that no large derivatives cancel: dx/dlog n = -x/2.
    """
    log_top, a = np.broadcast_arrays(log_top, np.exp(log_a))
    b = a / (1.0 + a)  # dlog n/dlog a
    turn = b / (1.0 + a)
    half = 0.5 * (log_top - np.log1p(a))  # the logarithm of the deviation, of dk/dz
    b, turn = b[..., None], turn[..., None]
    n = ((1.0 + a) * np.exp(log_top))[..., None]
    x = _Z / np.sqrt(n)
    k = np.exp(log_top)[..., None] * (1.0 + x)
    ka = k * a[..., None]
    away = n * (1.0 + x) * gap_beside(-x / (1.0 + x), 1.0 / (1.0 + x))
    (m, m1, m2), (w, w1, w2) = binet(k, order), binet(ka, order)
    constant = half + np.log(_STEP)
    if order < 1:
        return _moments(-away - m - w, (), (), constant)
    assert m1 is not None and w1 is not None
    pull = n * x * np.log1p(x)
    g1 = away - 0.5 * pull  # the first derivative of `away` in log n
    c1 = -0.5 * x / (1.0 + x)  # that of log(1 + x)
    m1, w1 = k * m1, ka * w1
    s1 = m1 + w1
    first = (-g1 - (1.0 + c1) * s1, -b * (g1 + c1 * s1) - w1)
    own = (np.full(np.shape(half), 0.5), -0.5 * b[..., 0])
    if order < 2:
        return _moments(-away - m - w, first, (), constant, own)
    assert m2 is not None and w2 is not None
    g2 = away - pull + 0.25 * n * x * (np.log1p(x) + x / (1.0 + x))
    c2 = 0.25 * x / (1.0 + x) ** 2
    m2, w2 = m1 + k * (k * m2), w1 + ka * (ka * w2)
    second = (
        -g2 - c2 * s1 - (1.0 + c1) ** 2 * (m2 + w2),
        -b * (g2 + c2 * s1) - (1.0 + c1) * (b * c1 * m2 + (1.0 + b * c1) * w2),
        -turn * (g1 + c1 * s1)
        - b * b * (g2 + c2 * s1)
        - (b * c1) ** 2 * m2
        - (1.0 + b * c1) ** 2 * w2,
    )
    own = (*own, np.zeros(()), np.zeros(()), -0.5 * turn[..., 0])
    return _moments(-away - m - w, first, second, constant, own)


def _moments(
    e: Array,
    first: tuple[Array, ...],
    second: tuple[Array, ...],
    constant: Array | float = 0.0,
    own: tuple[Array, ...] = (0.0,) * 5,  # type: ignore[assignment]
) -> Rows:
    """Return log sum exp(e) along the last axis, from the derivatives of e, and what is beside."""
    largest = e.max(axis=-1, keepdims=True)
    mass = np.exp(e - largest)
    total = mass.sum(axis=-1)
    value = largest[..., 0] + np.log(total) + constant
    if not first:
        return Rows(value)
    mass /= total[..., None]

    def mean(values: Array) -> Array:
        if values.shape[-1] == 1:
            return np.broadcast_to(values[..., 0], total.shape)
        return np.asarray((mass * values).sum(axis=-1))

    slopes = [mean(part) for part in first]
    gradient = tuple(slope + beside for slope, beside in zip(slopes, own, strict=False))
    if not second:
        return Rows(value, gradient)
    away = [part - slope[..., None] for part, slope in zip(first, slopes, strict=True)]
    pairs = ((0, 0), (0, 1), (1, 1))
    curvature = tuple(
        mean(part) + mean(away[i] * away[j]) + beside
        for part, (i, j), beside in zip(second, pairs, own[2:], strict=True)
    )
    return Rows(value, gradient, curvature)
