"""The sum over the number of values, of the density of a Poisson number of gamma values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from skmle.families.base import Array, Rows
from skmle.families.tools.divergences import gap_beside, rise
from skmle.families.tools.special import binet

# Terms to each side of the largest, in standard deviations of their index: the rest is below 1e-16.
_REACH = 9.0
# From this largest index on, and from this deviation on, the sum is the integral to all digits:
# they differ by exp(-2 pi^2 deviation^2). Gauss's bell needs steps of 2/3 for as much.
_SMOOTH, _WIDE = 128.0, 1.4
_STEP = 2.0 / 3.0
_Z = _STEP * np.arange(-14.0, 17.0)
_LARGEST_LOG_A = 3.5  # up to which rows of about one K may have the same terms; then digits go
_BLOCK = 65536  # terms of several rows that are summed at once, to stay in the cache
_FEW = 16.0  # largest index below which rows are summed apart, having fewer terms
_LARGEST_LOG = 690.0
# Terms of a polynomial in 1/K, and log a from which it has all digits.
_DEGREE, _LEAST_LOG_A = 24, -3.0


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

    def joined(entries: tuple[Any, ...]) -> Array:
        whole = np.empty(log_top.shape)
        for (at, _), entry in zip(parts, entries, strict=True):
            whole[at] = entry
        return whole

    value, gradient, curvature = zip(*(rows for _, rows in parts), strict=True)
    return Rows(
        joined(value),
        None if order < 1 else tuple(joined(each) for each in zip(*gradient, strict=True)),
        None if order < 2 else tuple(joined(each) for each in zip(*curvature, strict=True)),
    )


def _terms(log_top: Array, log_a: Array, order: int) -> Rows:
    """Return the sum itself."""
    if log_a.ndim == 0 and log_a <= _LARGEST_LOG_A:
        return _shared_terms(log_top, float(np.exp(log_a)), order)
    top, a = np.exp(log_top)[..., None], np.exp(log_a)[..., None]
    first, last = _ends(top, a)
    k = first + np.arange((last - first).max(initial=0.0) + 1.0)
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


def _ends(top: Array, a: Array | float) -> tuple[Array, Array]:
    """Return the first and the last term that counts."""
    reach = _REACH * np.sqrt(top / (1.0 + a)) + 8.0
    return np.maximum(np.floor(top - reach), 1.0), np.ceil(top + reach)


def _shared_terms(log_top: Array, a: float, order: int) -> Rows:
    """Return the sum where rows differ in K alone: those of about one K have the same terms."""
    log_k = log_top.ravel()
    rank = np.argsort(log_k)
    terms = 2.0 * _REACH * np.sqrt(np.exp(log_k.max(initial=0.0)) / (1.0 + a)) + 24.0
    blocks = np.array_split(rank, max(1, int(len(rank) * terms / _BLOCK)))
    result = np.empty(((1, 3, 6)[order], len(rank)))
    for block in blocks:
        result[:, block] = _of_one_block(log_k[block], a, order)
    value, *derivatives = result.reshape(-1, *log_top.shape)
    if order < 1:
        return Rows(value)
    gradient = tuple(derivatives[:2])
    return Rows(value, gradient, tuple(derivatives[2:]) if order > 1 else None)


def _of_one_block(log_top: Array, a: float, order: int) -> list[Array]:
    """Return the value and the derivatives of rows in the order of K, each (n,).

    All is told from the middle of the block, so that little cancels where products of averages are
    taken from averages of products.
    """
    top = np.exp(log_top)
    k = np.arange(float(_ends(top[0], a)[0]), float(_ends(top[-1], a)[1]) + 1.0)
    middle = np.rint(0.5 * (top[0] + top[-1])) + 1.0
    from_middle, step = k - middle, log_top - np.log(middle)
    rise = middle * np.expm1(step)  # K - middle
    away = np.multiply.outer(-step, k)
    away += k * np.log1p(from_middle / middle) - from_middle
    away += rise[:, None]
    ka = k * a
    mu, mu1, mu2 = binet(ka, order)
    mass = -(1.0 + a) * away
    mass -= binet(k, 0)[0] + mu
    largest = mass.max(axis=1)
    mass -= largest[:, None]
    np.exp(mass, out=mass)
    total = mass.sum(axis=1)
    result = [largest + np.log(total)]
    if order < 1:
        return result
    assert mu1 is not None
    slope = ka * mu1
    mass /= total[:, None]
    mean_k, mean_slope = (mass @ np.column_stack([from_middle, slope])).T
    mean_away = np.einsum("ij,ij->i", mass, away)
    by_a = -a * mean_away - mean_slope
    result += [(1.0 + a) * (mean_k - rise), by_a]
    if order < 2:
        return result
    assert mu2 is not None
    squares = [from_middle**2, from_middle * slope, slope * slope, ka * (ka * mu2)]
    kk, k_slope, slopes, mean_bend = (mass @ np.column_stack(squares)).T
    mass *= away
    away_k, away_slope = (mass @ np.column_stack([from_middle, slope])).T
    aways = np.einsum("ij,ij->i", mass, away)
    # Variances and covariances of k, of `away` and of the slope.
    kk -= mean_k * mean_k
    k_slope -= mean_k * mean_slope
    slopes -= mean_slope * mean_slope
    away_k -= mean_away * mean_k
    away_slope -= mean_away * mean_slope
    aways -= mean_away * mean_away
    return [
        *result,
        (1.0 + a) * ((1.0 + a) * kk - top),
        a * (mean_k - rise) - (1.0 + a) * (a * away_k + k_slope),
        by_a - mean_bend + a * (a * aways + 2.0 * away_slope) + slopes,
    ]


def _integral(log_top: Array, log_a: Array, order: int) -> Rows:
    """Return the integral over k = K (1 + x), x = z/sqrt(n), n = (1 + a) K, at places z.

    The places are held, so that no large derivatives cancel: dx/dlog n = -x/2.
    """
    if log_a.ndim == 0 and log_a >= _LEAST_LOG_A and log_top.size > 2 * _DEGREE:
        return _interpolated(log_top, log_a, order)
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
    own: tuple[Any, ...] = (np.full(np.shape(half), 0.5), -0.5 * b[..., 0])
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


def _interpolated(log_top: Array, log_a: Array, order: int) -> Rows:
    """Return the integral for many K and one a: but for log K/2 it is a smooth function of 1/K."""
    x = np.exp(-log_top)
    low, high = float(x.min()), float(x.max())
    middle, half = 0.5 * (low + high), max(0.5 * (high - low), np.finfo(float).tiny)
    at = chebyshev.chebpts1(_DEGREE)
    known = _integral(-np.log(middle + half * at), log_a, order)
    entries = [known.value + 0.5 * np.log(middle + half * at)]
    if order > 0:
        entries += [*(known.gradient or ())]
    if order > 1:
        entries += [np.asarray(entry) for entry in known.packed]
    # The inverse of the matrix of the polynomials at their own points is their transpose.
    columns = np.column_stack([np.broadcast_to(entry, at.shape) for entry in entries])
    coefs = 2.0 / _DEGREE * chebyshev.chebvander(at, _DEGREE - 1).T @ columns
    coefs[0] *= 0.5
    place = np.clip((x.ravel() - middle) / half, -1.0, 1.0)
    found = (chebyshev.chebvander(place, _DEGREE - 1) @ coefs).T.reshape(-1, *log_top.shape)
    value = found[0] + 0.5 * log_top
    if order < 1:
        return Rows(value)
    return Rows(value, tuple(found[1:3]), tuple(found[3:]) if order > 1 else None)


def _moments(
    e: Array,
    first: tuple[Array, ...],
    second: tuple[Array, ...],
    constant: Array | float = 0.0,
    own: tuple[Any, ...] = (0.0,) * 5,
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


def excess_of_mean(u: Array, q: Array, p: Array) -> Array:
    """Return q + p exp(u) - exp(p u) >= 0 of q + p = 1, to full relative accuracy.

    It is what the geometric mean of 1 and exp(u) with these weights is less than the arithmetic.
    """
    near = np.maximum(u, -1.0)
    small = p * rise(u) - rise(p * u)
    mirrored = np.exp(near) * (q * rise(-near) - rise(-q * near))
    low = np.minimum(u, -1.0)
    far = np.exp(p * low) * np.expm1(q * low) - q * np.expm1(low)
    return np.where(q >= 0.5, small, np.where(u < -1.0, far, mirrored))
