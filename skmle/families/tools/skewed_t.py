"""Jones and Faddy's skew-t law around its mode, with derivatives.

Of a beta variable Y with a and b, the law is that of sinh(logit(Y)/2) in its own location and
scale. Here df = a + b and skew = (a - b)/sqrt(a b df); z is measured from the mode, in a scale by
which -log q has the curvature (df + 1)/df there, as Student's t has. Then

    -log q(z) = (df + 1) (log R - k N) + c(a, b),  R^2 = (1 + k z)^2 + z^2/df,

where N is the integral from 0 to z of dt/R and k = (a - b)/sqrt(df (2 a + 1) (2 b + 1)): N is the
variable that is normal under Johnson's S_U law with the shape df and the skewness k.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np

from skmle.families.records import Array, Arrays, Rows
from skmle.families.tools.divergences import binomial_gap
from skmle.families.tools.johnson import Normal, normal_of, stumpff
from skmle.families.tools.skewed_t_shapes import LARGEST_LOG, Shapes, known

# |h N| below which derivatives are power series.
_SERIES = 2.0
# 1/df from which log R - k N has digits enough to be multiplied by df.
_PLAIN = 0.02
# 1/df below which what df changes is told by its first power alone, where the support goes on; and
# the series of this.
_FAR_OUT = 1e-8
_BEND = [(-1.0) ** k * (2.0**k / 16.0 + (1.0 - k) / 4.0) / factorial(k) for k in range(24, 3, -1)]


def density_jet(z: Array, log_df: Array, skew: Array, order: int) -> Rows:
    """Return -log of the density of z less log(2 pi)/2, with derivatives in z, log df and skew."""
    log_df = np.clip(np.asarray(log_df, float), -LARGEST_LOG, LARGEST_LOG)
    shapes, lean, constant = known(log_df, np.asarray(skew, float), order)
    normal = normal_behind(z, log_df, shapes.lean, order)
    kernel = _plain_kernel if np.min(shapes.e, initial=1.0) > _PLAIN else _kernel
    rows = kernel(shapes, normal, order)
    value = rows.value + constant.value
    if rows.gradient is None or constant.gradient is None:
        return Rows(value)
    assert lean.gradient is not None
    by_z, by_l, by_k = rows.gradient
    (c_l, c_q), (k_l, k_q) = constant.gradient, lean.gradient
    gradient = (by_z, by_l + by_k * k_l + c_l, by_k * k_q + c_q)
    if order < 2:
        return Rows(value, gradient)
    zz, zl, zk, ll, lk, kk = _arrays(rows)
    (k_ll, k_lq, k_qq), (c_ll, c_lq, c_qq) = _arrays(lean), _arrays(constant)
    mixed = lk + kk * k_l
    curvature = (
        zz,
        zl + zk * k_l,
        zk * k_q,
        ll + (lk + mixed) * k_l + by_k * k_ll + c_ll,
        mixed * k_q + by_k * k_lq + c_lq,
        kk * (k_q * k_q) + by_k * k_qq + c_qq,
    )
    return Rows(value, gradient, curvature)


def normal_behind(z: Array, log_df: Array, lean: Array, order: int) -> Normal:
    """Return N and its root with derivatives in z, log df and k."""
    normal = normal_of(z, (0.5 * log_df, lean), order)
    if order < 1:
        return normal
    root = normal.root
    assert root.gradient is not None
    slopes, slopes_of_root = _halved(normal.gradient), _halved(root.gradient)
    if order < 2:
        return Normal(normal.value, slopes, (), Rows(root.value, slopes_of_root))
    bends, bends_of_root = _halved_twice(normal.curvature), _halved_twice(_arrays(root))
    return Normal(normal.value, slopes, bends, Rows(root.value, slopes_of_root, bends_of_root))


def _halved(gradient: Sequence[Array]) -> Arrays:
    return gradient[0], 0.5 * gradient[1], gradient[2]


def _halved_twice(curvature: Arrays) -> Arrays:
    zz, zl, zk, ll, lk, kk = curvature
    return zz, 0.5 * zl, zk, 0.25 * ll, 0.5 * lk, kk


def _arrays(rows: Rows) -> Arrays:
    """Return the curvature of rows of which no entry is zero."""
    return tuple(np.asarray(entry) for entry in rows.packed)


def _plain_kernel(shapes: Shapes, normal: Normal, order: int) -> Rows:
    """Return (df + 1) (log R - k N) as it stands, with derivatives in z, log df and k."""
    df, k, n, root = 1.0 / shapes.e, shapes.lean, normal.value, normal.root
    away = root.value - k * n
    more = df + 1.0
    if root.gradient is None:
        return Rows(more * away)
    z_, l_, k_ = (
        one - k * other for one, other in zip(root.gradient, normal.gradient, strict=True)
    )
    k_ = k_ - n
    gradient = (more * z_, more * l_ + df * away, more * k_)
    if order < 2:
        return Rows(more * away, gradient)
    bends = (one - k * other for one, other in zip(_arrays(root), normal.curvature, strict=True))
    zz, zl, zk, ll, lk, kk = bends
    n_z, n_l, n_k = normal.gradient
    curvature = (
        more * zz,
        more * zl + df * z_,
        more * (zk - n_z),
        more * ll + df * (2.0 * l_ + away),
        more * (lk - n_l) + df * k_,
        more * (kk - 2.0 * n_k),
    )
    return Rows(more * away, gradient, curvature)


def _kernel(shapes: Shapes, normal: Normal, order: int) -> Rows:
    """Return the same for large df, of which all digits would cancel.

    With S = sinh(h N)/h, C = cosh(h N) and B = (N C - S)/h^2, the derivatives of
    M = df (log R - k N) at the same N are S/R in N, M - (N S + k B)/(2 R) in log df and -B/R in k,
    and that of B in h^2 is (N^2 S - 3 B)/(2 h^2).
    """
    e, k, h, n = shapes.e, shapes.lean, shapes.h, normal.value
    log_r = normal.root.value
    # As seen from the side of the longer tail, of which p is the smaller share.
    p = 0.5 * (e / h) / (h + np.abs(k))
    v = np.where(k < 0.0, 2.0, -2.0) * (h * n)
    m = 0.25 * binomial_gap(v, p, log_r + 0.5 * v) / h / h
    more = 1.0 + e
    if order < 1:
        return Rows(more * m)
    s, b, b2, c = _parts(h, n, log_r)
    half = 0.5 * (n * s + k * b)
    fall = m - half  # of M in log df
    if (
        far := e * np.exp(np.abs(2.0 * (k * n))) < _FAR_OUT
    ).any():  # nothing is left of the difference
        fall = np.where(far, 8.0 * e * _bend_far_out(k, n), fall)
    by_n, by_l, by_k = more * s, more * fall - e * m, -more * b
    n_z, n_l, n_k = normal.gradient
    gradient = (by_n * n_z, by_n * n_l + by_l, by_n * n_k + by_k)
    if order < 2:
        return Rows(more * m, gradient)
    nn = more * np.exp(-2.0 * log_r)
    nl = -more * e * (0.5 * b - s * half) - e * s
    nk = -more * (n * s - b * (h * h * s + k * c))
    ll = more * (e * (0.25 * (n * b) + 0.5 * k * b2 - half * half) + fall) - 2.0 * e * fall + e * m
    lk = more * e * (b2 - b * half) + e * b
    kk = -more * (2.0 * k * b2 - b * (s + 2.0 * k * half))
    zz, zl, zk, l2, n_lk, k2 = normal.curvature
    curvature = (
        nn * n_z * n_z + by_n * zz,
        (nn * n_l + nl) * n_z + by_n * zl,
        (nn * n_k + nk) * n_z + by_n * zk,
        (nn * n_l + 2.0 * nl) * n_l + by_n * l2 + ll,
        (nn * n_l + nl) * n_k + nk * n_l + by_n * n_lk + lk,
        (nn * n_k + 2.0 * nk) * n_k + by_n * k2 + kk,
    )
    return Rows(more * m, gradient, curvature)


def _bend_far_out(k: Array, n: Array) -> Array:
    """Return the integral of (S C - t)/(4 h R)^2 from t = 0 to N at an infinite df, where h = k."""
    x = 2.0 * k * n
    near = np.abs(x) < 1.0
    some, small = np.where(near, 1.0, x), np.where(near, x, 0.0)
    gone = np.exp(-some)
    direct = 0.125 * some + 0.0625 * np.expm1(-2.0 * some) + 0.25 * (gone * (1.0 + some) - 1.0)
    return np.square(n * n) * np.where(
        near, np.polyval(_BEND, small), direct / np.square(some * some)
    )


def _parts(h: Array, n: Array, log_r: Array) -> Arrays:
    """Return S, B, its derivative in h^2, and C, over R."""
    v = h * n
    size = np.abs(v)
    unit = np.exp(size - log_r)  # cosh and sinh may be beyond the numbers
    square = np.exp(-2.0 * size)
    c, s = 0.5 * (1.0 + square) * unit, 0.5 * np.copysign(1.0 - square, v) * unit / h
    b = (n * c - s) / h / h
    b2 = 0.5 * (n * n * s - 3.0 * b) / h / h
    if (near := size < _SERIES).any():
        terms = stumpff(np.square(np.where(near, v, 0.0)))
        over = n / np.exp(log_r)
        n2 = n * n
        s = np.where(near, over * terms[1], s)
        b = np.where(near, over * n2 * (terms[2] - terms[3]), b)
        last = terms[3] - 3.0 * terms[4] + 3.0 * terms[5]
        b2 = np.where(near, over * n2 * n2 * (0.5 * last), b2)
    return s, b, b2, c
