"""The normal variable behind an observation of Johnson's S_U law, and the way back.

It is N, the integral from 0 to z of 1/sqrt((1 + skew t)^2 + t^2/shape) dt.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Rows

Part = tuple[Callable[..., Arrays], Arrays]
"""A formula and what it is asked of."""

# |v| below which derivatives are sums of power series, of so many terms: beyond, closed forms lose
# a factor of 100 to cancellation at most.
_SERIES, _TERMS = 2.0, 10
_LAST = [[1.0 / factorial(2 * j + m) for j in range(_TERMS, -1, -1)] for m in (5, 6)]
# |h z| from which v is taken from exp(v) in place of exp(v) - 1.
_NEAR = 0.5
# Logarithms of shapes beyond which nothing changes in the last digit of any double.
_LARGEST = 300.0


class Normal(NamedTuple):
    """The standard normal variable behind an observation, and its derivatives."""

    value: Array
    gradient: Arrays = ()
    """In z, log(shape)/2 and skew."""
    curvature: Arrays = ()
    root: Rows = Rows(np.zeros(()))
    """-log of dN/dz, with derivatives in the same."""


def observed_at(n: Array, theta: Arrays) -> Array:
    """Return y at which the normal variable is n: z = sinh(h n)/h + skew (cosh(h n) - 1)/h^2."""
    loc, scale, shape, skew = theta
    with np.errstate(all="ignore"):
        h = np.hypot(skew, np.asarray(shape) ** -0.5)
        half = 0.5 * h * n
        chord = np.where(h > 0.0, np.sinh(half) / h, 0.5 * n)
        # Of tails that end, the two terms cancel: exp(-h n) is left of them.
        along = np.where(h > 0.0, np.asarray(skew) / h, 0.0)
        lean = np.cosh(half) + along * np.sinh(half)
        opposite = (along * half) < 0.0
        less = np.where(h > 0.0, 1.0 / (np.asarray(shape) * h * h) / (1.0 + np.abs(along)), 1.0)
        kept = np.exp(-np.abs(half)) + less * np.sinh(np.abs(half))
        return loc + scale * (2.0 * chord * np.where(opposite, kept, lean))


def _log_root(z: Array, k: Array, d: Array, r: Array, order: int) -> Rows:
    """Return log r, r = 1/(dN/dz), with derivatives in z, log(shape)/2 and the skewness k."""
    value = np.log(r)
    if order < 1:
        return Rows(value)
    rate = 1.0 / r
    along, away = (1.0 + k * z) * rate, z * rate
    across = d * away
    slope = (k * along + d * across) * rate
    square = across * across
    lean = along * away
    double = 2.0 * slope
    gradient = (slope, -square, lean)
    if order < 2:
        return Rows(value, gradient)
    return Rows(
        value,
        gradient,
        (
            (k * k + d * d) * (rate * rate) - double * slope,
            double * square - 2.0 * d * across * rate,
            (2.0 * along - rate) * rate - double * lean,
            2.0 * square * along * along,
            2.0 * lean * square,
            away * away * (square - along * along),
        ),
    )


def normal_of(z: Array, shapes: Arrays, order: int) -> Normal:
    """Return N with derivatives in z, log(shape)/2 and skew.

    With h and v = h N, z = sinh(v)/h + skew (cosh(v) - 1)/h^2, and the derivatives follow from
    those of this inverse. In k/h, the skewness is taken as positive: else all is mirrored.
    """
    log_root, skew = (np.asarray(e, float) for e in shapes)
    log_d = -np.clip(log_root, -_LARGEST, _LARGEST)
    side = np.where(skew < 0.0, -1.0, 1.0)
    z, k, d = side * z, np.abs(skew), np.exp(log_d)
    h = np.hypot(k, d)
    share = k / h
    more = 1.0 + share
    less = np.exp(2.0 * (log_d - np.log(h))) / more  # 1 - share
    x, r = h * z, np.hypot(1.0 + k * z, d * z)
    beside = x + share
    with np.errstate(all="ignore"):
        near = np.log1p(x * ((r + 1.0 + 2.0 * share + x) / ((r + 1.0) * more)))
        reach = np.log(r + np.abs(beside))
        far = np.where(beside >= 0.0, reach - np.log(more), np.log(less) - reach)
    v = np.where(np.abs(x) <= _NEAR, near, far)
    n = v / h
    root_rows = _log_root(side * z, skew, d, r, order)
    if order < 1:
        return Normal(side * n, root=root_rows)
    log_r = root_rows.value
    # Everything is divided by exp(|v|), which may be beyond the numbers.
    unit = np.exp(-np.abs(v))
    root, inner = np.exp(log_r - np.abs(v)), np.abs(v) < _SERIES
    by_d, by_k, d_n, k_n, dd, dk, kk = _by_rows(
        inner,
        (_series, (n, k, d, h, unit)),
        (_closed, (v, h, share, more, less, root, unit)),
    )
    move_d, move_k = -by_d / root, -by_k / root
    gradient = (1.0 / r, -side * move_d, move_k)
    if order < 2:
        return Normal(side * n, gradient, root=root_rows)
    turn = (k + h * x) * unit  # d2z/dN2
    assert root_rows.gradient is not None
    slope, minus_d, lean = root_rows.gradient
    curvature = (
        -slope / r,
        -minus_d / r,
        -lean / r,
        -side * (dd + (2.0 * d_n + turn * move_d) * move_d) / root,
        (dk + d_n * move_k + k_n * move_d + turn * move_d * move_k) / root,
        -side * (kk + (2.0 * k_n + turn * move_k) * move_k) / root,
    )
    return Normal(side * n, gradient, curvature, root_rows)


def _by_rows(inside: NDArray[np.bool_], one: Part, other: Part) -> Arrays:
    """Return what one formula says of the rows inside, and another one of the rest."""
    if inside.all():
        return one[0](*one[1])
    if not inside.any():
        return other[0](*other[1])
    found = np.empty((7, *inside.shape))
    for rows, (formula, entries) in ((inside, one), (~inside, other)):
        some = [e if np.ndim(e) == 0 else np.broadcast_to(e, rows.shape)[rows] for e in entries]
        found[:, rows] = formula(*some)
    return tuple(found)


def _closed(
    v: Array, h: Array, share: Array, more: Array, less: Array, r: Array, unit: Array
) -> Arrays:
    """Return derivatives of z at N over exp(|v|) in l = -log(shape)/2 and skew: l, k, lN, kN, ...

    Where `less` is tiny, exp(|v|) for v < 0 is in no term without this factor.
    """
    square = unit * unit
    cosh, sinh = 0.5 * (1.0 + square), 0.5 * np.copysign(1.0 - square, v)
    excess = cosh - unit
    up = np.where(v > 0.0, 1.0, square)  # exp(v)
    both = more * less
    turn = 0.5 * (more * up - less * np.where(v > 0.0, square, 1.0))
    b = v * r - sinh - 2.0 * share * excess
    b_v = r + v * turn - cosh - 2.0 * share * sinh
    b_s = v * sinh - 2.0 * excess
    c = unit - up + less * sinh + 2.0 * both * excess + share * v * r
    c_v = -up + less * cosh + 2.0 * both * sinh + share * (r + v * turn)
    c_s = v * r - sinh - 4.0 * share * excess + share * v * sinh
    w = h * h
    return (
        both / h * b,
        c / w,
        both * b_v,
        c_v / h,
        both / h * ((2.0 * share * share - both) * b + both * (v * b_v - share * b_s)),
        both / w * (share * (v * b_v - 3.0 * b) + both * b_s),
        (share * (v * c_v - 2.0 * c) + both * c_s) / (w * h),
    )


def _series(n: Array, k: Array, d: Array, h: Array, unit: Array) -> Arrays:
    """Return the same of small v, by the series c_m = sum of v^2j/(2j + m)!."""
    c = stumpff(np.square(h * n))
    n2 = n * n
    n3, n4 = n2 * n, n2 * n2
    kn = k * n
    w1 = n3 * (0.5 * (c[2] - c[3]) + kn * (0.5 * (c[3] - 2.0 * c[4])))
    w_n = 0.5 * n2 * (c[1] + kn * (c[2] - c[3]))
    k_w = 0.5 * n4 * (c[3] - 2.0 * c[4])
    w_w = 0.25 * n4 * n * (c[3] - 3.0 * c[4] + 3.0 * c[5] + kn * (c[4] - 5.0 * c[5] + 8.0 * c[6]))
    both = 2.0 * d * d
    found = (
        both * w1,
        n2 * c[2] + 2.0 * k * w1,
        both * w_n,
        n * c[1] + 2.0 * k * w_n,
        both * (2.0 * w1 + both * w_w),
        both * (k_w + 2.0 * k * w_w),
        2.0 * w1 + 4.0 * k * (k_w + k * w_w),
    )
    return tuple(value * unit for value in found)


def stumpff(x: Array) -> list[Array]:
    """Return c_0 to c_6 at x, the sums of x^j/(2 j + m)!.

    The last two are found by their series, the others by c_m = 1/m! + x c_(m + 2).
    """
    five, six = np.full_like(x, _LAST[0][0]), np.full_like(x, _LAST[1][0])
    for of_five, of_six in zip(_LAST[0][1:], _LAST[1][1:], strict=True):
        five *= x
        five += of_five
        six *= x
        six += of_six
    found = [six, five]
    for m in range(4, -1, -1):
        found.append(1.0 / factorial(m) + x * found[-2])
    return found[::-1]
