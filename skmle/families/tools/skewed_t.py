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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from skmle.families.records import Array, Arrays, Rows
from skmle.families.tools.divergences import gap_beside, rise
from skmle.families.tools.generators import log_standard_gamma
from skmle.families.tools.johnson import Normal, normal_of, stumpff
from skmle.families.tools.moving_ends import shaped_log
from skmle.families.tools.special import LOG_2PI, bend, binet, log_half_step
from skmle.families.tools.tails import VERY_LARGE, log_beta_tail, log_large_beta_tail

# |v| below which terms of log(1 + p (e^v - 1)) - p v cancel, and above which e^v overflows.
_NEAR, _FAR = 0.3, 600.0
# |h N| below which derivatives are power series.
_SERIES = 2.0
# Logarithm of df beyond which nothing changes in the last digit of any double.
_LARGEST = 600.0
# Number from which Binet's function and its derivatives are powers, of which none may underflow.
_LARGE = 1e90
# Places of an average over the law, and how far they reach on log-odds, in their spread or in units
# of the slope of the heavier tail; beyond the most, no power of y is a number.
_STEPS, _REACH, _MOST = np.linspace(-1.0, 1.0, 201), 40.0, 1400.0
# h up to which N is drawn as a normal variable.
_NORMAL = 1e-6
# 1/df from which log R - k N has digits enough to be multiplied by df.
_PLAIN = 0.02


class Shapes(NamedTuple):
    """What df and skew say of the law."""

    e: Array
    """1/df."""
    over_a: Array
    """1/a."""
    over_b: Array
    """1/b."""
    root: Array
    """g = sqrt(skew^2 + 4/df), of which the square is 1/a + 1/b."""
    lean: Array
    """k, the skewness of Johnson's law whose normal variable is N."""
    h: Array
    """sqrt(k^2 + 1/df)."""

    @classmethod
    def at(cls, log_df: Array, skew: Array) -> Shapes:
        """Return them; an infinite df is taken as the largest one."""
        q = np.asarray(skew, float)
        size, root_e = np.abs(q), np.exp(-0.5 * np.clip(log_df, -_LARGEST, _LARGEST))
        e = root_e * root_e
        root = np.hypot(size, 2.0 * root_e)
        more, less = 0.5 * root * (root + size), 2.0 * e * (root / (root + size))
        lean = q / np.hypot(2.0 * (1.0 + e), np.sqrt(2.0 + e) * q)
        up = q >= 0.0
        return cls(
            e,
            np.where(up, less, more),
            np.where(up, more, less),
            root,
            lean,
            np.hypot(lean, root_e),
        )


def binomial_gap(v: Array, p: Array, log_sum: Array | None = None) -> Array:
    """Return (log(1 + p (e^v - 1)) - p v)/(p (1 - p)) for 0 < p <= 1/2, which is v^2/2 for small v.

    `log_sum` is that logarithm, which is wanted where e^v is beyond the numbers.
    """
    growth = np.expm1(np.minimum(v, _FAR))
    logs = np.log1p(p * growth)
    if log_sum is not None:
        logs = np.where(v > _FAR, log_sum, logs)
    value = logs / p - v
    if (near := np.abs(v) < _NEAR).any():
        value = np.where(near, (rise(v) * p - gap_beside(p * growth, 1.0 + p * growth)) / p, value)
    return value / (1.0 - p)


def log_odds_of(n: Array, shapes: Shapes) -> tuple[Array, Array]:
    """Return log(Y/(1 - Y)) of the beta variable, and how far it is from log(a/b)."""
    away = 2.0 * (shapes.h * n) + _mode_of_log_odds(shapes)
    return np.log(shapes.over_b) - np.log(shapes.over_a) + away, away


def normal_at(log_odds: Array, shapes: Shapes) -> Array:
    """Return N at log(Y/(1 - Y))."""
    away = log_odds - (np.log(shapes.over_b) - np.log(shapes.over_a))
    return 0.5 * (away - _mode_of_log_odds(shapes)) / shapes.h


def _mode_of_log_odds(shapes: Shapes) -> Array:
    """Return how far log(Y/(1 - Y)) is from log(a/b) at the mode of z."""
    return np.log1p(0.5 * shapes.over_a) - np.log1p(0.5 * shapes.over_b)


def log_tail(n: Array, shapes: Shapes, upper: bool) -> Array:
    """Return the logarithm of a tail of N, that of the beta law."""
    a, b = 1.0 / shapes.over_a, 1.0 / shapes.over_b
    log_odds, away = log_odds_of(n, shapes)
    share, rest = expit(log_odds), expit(-log_odds)
    result = log_beta_tail(a, b, share, rest, upper)
    a, b, result, away = np.broadcast_arrays(a, b, result, away)
    if not (large := np.minimum(a, b) > VERY_LARGE).any():
        return result
    # From the smaller one of the shares a and b; the other side's share falls as this one rises.
    total, low = a + b, a <= b
    p, turn = np.minimum(a, b) / total, np.where(low, away, -away)
    growth = np.expm1(turn)
    there = p * (1.0 - p) * growth / (1.0 + p * growth)
    excess = p * (1.0 - p) * binomial_gap(turn, p)
    found = np.empty_like(result)
    for side in (True, False):
        rows = large & (low == side)
        found[rows] = log_large_beta_tail(
            total[rows], (p[rows], 1.0 - p[rows]), there[rows], excess[rows], upper == side
        )
    return np.where(large, found, result)


def mean(shapes: Shapes) -> Array:
    """Return the mean of z: infinite where one tail is too heavy, nan where both are."""
    over_a, over_b, h = shapes.over_a, shapes.over_b, shapes.h
    below, above = over_a >= 2.0, over_b >= 2.0
    growth = np.expm1(_of_first(over_a) + _of_first(over_b))
    value = shapes.lean * (growth / h / h)
    endless = np.where(below, np.where(above, np.nan, -np.inf), np.inf)
    return np.where(below | above, endless, value)


def std(shapes: Shapes) -> Array:
    """Return the standard deviation of z: infinite, or nan, where it does not exist."""
    e, over_a, over_b, h = shapes.e, shapes.over_a, shapes.over_b, shapes.h
    along = 1.0 - 4.0 * (e / shapes.root / shapes.root)  # (skew/g)^2
    growth = -np.expm1(-_of_second(over_a) - _of_second(over_b))
    spread = (e - 2.0 * e * e + along * growth) / h / h
    shares = (1.0 + 0.5 * over_a) / (1.0 - over_a) * (1.0 + 0.5 * over_b) / (1.0 - over_b)
    value = np.sqrt(shares * spread) / (1.0 + e)
    neither = (over_a >= 2.0) & (over_b >= 2.0)
    endless = np.where(neither, np.nan, np.inf)
    return np.where(np.maximum(over_a, over_b) >= 1.0, endless, value)


def _of_first(r: Array) -> Array:
    """Return log(Gamma(x - 1/2) sqrt(x + 1/2)/Gamma(x)), x = 1/r: that of first moments."""
    x = 1.0 / np.minimum(r, 1.99) - 0.5
    return 0.5 * np.log1p(1.0 / x) - log_half_step(x)


def _of_second(r: Array) -> Array:
    """Return log(Gamma(x)^2/(Gamma(x - 1/2)^2 (x - 1))), x = 1/r: that of a variance."""
    x = 1.0 / np.minimum(r, 0.999999)
    return np.log1p(0.5 / (x - 1.0)) + 2.0 * log_half_step(x - 0.5)


def entropy(shapes: Shapes) -> Array:
    """Return the entropy of z."""
    e, over_a, over_b = (np.maximum(x, 1.0 / _LARGE) for x in shapes[:3])
    logs = np.log1p(0.5 * over_a) + np.log1p(0.5 * over_b) - 2.0 * np.log1p(e)
    bent = bend(1.0 / over_a, -0.5) + bend(1.0 / over_b, -0.5) - bend(1.0 / e, -1.0)
    return 0.5 * (LOG_2PI + 1.0) + logs + 0.25 * (over_a + over_b) - 0.5 * e + bent


def nodes(shapes: Shapes) -> tuple[Array, Array]:
    """Return N and weights of dN, on a last axis, by which averages over smooth functions of z are.

    By the trapezoidal rule in t, where the log-odds of the beta variable are those of the mode and
    a multiple of sinh(t): so they are close in the middle, and reach as far as its tails.
    """
    root, h = shapes.root[..., None], shapes.h[..., None]
    unit = 1.0 / (0.5 + 0.5 / root)  # as far apart as the middle is wide, or the kernel
    reach = np.arcsinh(np.minimum(_REACH * np.maximum(root, root * root), _MOST) / unit)
    t = reach * _STEPS
    weight = reach * (_STEPS[1] - _STEPS[0])
    return 0.5 * unit * np.sinh(t) / h, 0.5 * unit * np.cosh(t) * weight / h


def draw(shapes: Shapes, size: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw N."""
    a, b = 1.0 / shapes.over_a, 1.0 / shapes.over_b
    one = log_standard_gamma(rng, a, size) - np.log(a + 0.5)
    other = log_standard_gamma(rng, b, size) - np.log(b + 0.5)
    normal = rng.standard_normal(size)  # where logarithms have lost the digits of their difference
    return np.where(shapes.h > _NORMAL, 0.5 * (one - other) / shapes.h, normal)


def density_jet(z: Array, log_df: Array, skew: Array, order: int) -> Rows:
    """Return -log of the density of z less log(2 pi)/2, with derivatives in z, log df and skew."""
    log_df, q = np.clip(np.asarray(log_df, float), -_LARGEST, _LARGEST), np.asarray(skew, float)
    shapes = Shapes.at(log_df, q)
    normal = _in_log_df(normal_of(z, (0.5 * log_df, shapes.lean), order), order)
    kernel = _plain_kernel if np.min(shapes.e, initial=1.0) > _PLAIN else _kernel
    rows = kernel(shapes, normal, order)
    constant = _constant(shapes, q, order)
    value = rows.value + constant.value
    if rows.gradient is None or constant.gradient is None:
        return Rows(value)
    lean = _lean(shapes, q)
    assert lean.gradient is not None
    by_z, by_l, by_k = rows.gradient
    (c_l, c_q), (k_l, k_q) = constant.gradient, lean.gradient
    gradient = (by_z, by_l + by_k * k_l + c_l, by_k * k_q + c_q)
    if order < 2:
        return Rows(value, gradient)
    zz, zl, zk, ll, lk, kk = rows.packed
    (k_ll, k_lq, k_qq), (c_ll, c_lq, c_qq) = lean.packed, constant.packed
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


def _in_log_df(normal: Normal, order: int) -> Normal:
    """Return N and its root with derivatives in z, log df and k, from those in log(df)/2."""
    if order < 1:
        return normal
    root = normal.root
    assert root.gradient is not None
    slopes, slopes_of_root = _halved(normal.gradient), _halved(root.gradient)
    if order < 2:
        return Normal(normal.value, slopes, (), Rows(root.value, slopes_of_root))
    bends, bends_of_root = _halved_twice(normal.curvature), _halved_twice(root.packed)
    return Normal(normal.value, slopes, bends, Rows(root.value, slopes_of_root, bends_of_root))


def _halved(gradient: Sequence[Array]) -> Arrays:
    return gradient[0], 0.5 * gradient[1], gradient[2]


def _halved_twice(curvature: Sequence[Array | None]) -> Arrays:
    zz, zl, zk, ll, lk, kk = (np.asarray(entry) for entry in curvature)
    return zz, 0.5 * zl, zk, 0.25 * ll, 0.5 * lk, kk


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
    bends = (one - k * other for one, other in zip(root.packed, normal.curvature, strict=True))
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


def _lean(shapes: Shapes, q: Array) -> Rows:
    """Return k with derivatives in log df and the skewness q."""
    # It is q/sqrt(A) with A = 4 (1 + e)^2 + (2 + e) q^2.
    e, k = shapes.e, shapes.lean
    size = np.hypot(2.0 * (1.0 + e), np.sqrt(2.0 + e) * q)
    unit = 1.0 / size
    x = q * unit
    grown = (1.0 + e) * unit
    rate = e * (4.0 * grown * unit + 0.5 * x * x)  # half of the fall of log A in log df
    second = rate + 4.0 * np.square(e * unit)
    by_q = 4.0 * grown * grown * unit
    cross = by_q * (3.0 * rate - 2.0 * e / (1.0 + e))
    own = -3.0 * by_q * ((2.0 + e) * x * unit)
    return Rows(k, (k * rate, by_q), (k * (3.0 * rate * rate - second), cross, own))


def _constant(shapes: Shapes, q: Array, order: int) -> Rows:
    """Return c(a, b) less log(2 pi)/2, with derivatives in log df and the skewness q.

    It is f(1/a) + f(1/b) - f0(1/df), of which nothing is left at an infinite df without skewness.
    """
    e, root = shapes.e, shapes.root
    f_a, f_b = _of_part(shapes.over_a, order), _of_part(shapes.over_b, order)
    rest, rest_1, rest_2 = _of_whole(e, order)
    value = f_a[0] + f_b[0] - rest
    if order < 1:
        return Rows(value)
    # 1/a and 1/b are g (g - q)/2 and g (g + q)/2, with g^2 = 4 e + q^2.
    along, away = q / root, 4.0 * (e / root / root)  # q/g, and 1 - (q/g)^2
    size = 1.0 + np.abs(along)
    plus, minus = _by_sign(along >= 0.0, size, away / size)  # 1 + q/g, 1 - q/g
    a_l, b_l = -e * (1.0 + minus), -e * (1.0 + plus)
    a_q, b_q = -0.5 * root * minus * minus, 0.5 * root * plus * plus
    gradient = (f_a[1] * a_l + f_b[1] * b_l + rest_1, f_a[1] * a_q + f_b[1] * b_q)
    if order < 2:
        return Rows(value, gradient)
    bent = 0.5 * e * away * along
    third = 0.5 * along * (2.0 + away)
    ll = f_a[1] * (bent - a_l) - f_b[1] * (bent + b_l) - rest_2
    lq = (f_a[1] - f_b[1]) * (e * away / root)
    qq = f_a[1] * (1.0 - third) + f_b[1] * (1.0 + third)
    curvature = (
        f_a[2] * a_l * a_l + f_b[2] * b_l * b_l + ll,
        f_a[2] * a_l * a_q + f_b[2] * b_l * b_q + lq,
        f_a[2] * a_q * a_q + f_b[2] * b_q * b_q + qq,
    )
    return Rows(value, gradient, curvature)


def _by_sign(up: NDArray[np.bool_], first: Array, second: Array) -> tuple[Array, Array]:
    """Return two arrays, in their turn where `up` holds, and else in the other."""
    return np.where(up, first, second), np.where(up, second, first)


def _of_part(r: Array, order: int) -> Arrays:
    """Return mu(1/r) - (1/r - 1/2) log(1 + r/2), mu being Binet's function, with derivatives."""
    x = np.minimum(1.0 / r, _LARGE)
    mu, mu1, mu2 = binet(x, order)
    y = 0.5 * r
    log = shaped_log(np.ones(()), y, order)  # log(1 + y)/y
    value = mu - 0.5 * log.w + 0.5 * np.log1p(y)
    if order < 1:
        return value, value, value
    assert mu1 is not None and log.by_shape is not None
    rest = 1.0 / (1.0 + y)
    first = -x * (x * mu1) + 0.25 * (rest - log.by_shape)
    if order < 2:
        return value, first, first
    assert mu2 is not None and log.bend is not None
    second = x * (x * (x * (x * mu2 + 2.0 * mu1))) - 0.125 * (rest * rest + log.bend)
    return value, first, second


def _of_whole(e: Array, order: int) -> Arrays:
    """Return mu(1/e) - (1/e - 1) log(1 + e), with derivatives in log e."""
    s = np.minimum(1.0 / e, _LARGE)
    mu, mu1, mu2 = binet(s, order)
    log = shaped_log(np.ones(()), e, order)
    value = mu - log.w + np.log1p(e)
    if order < 1:
        return value, value, value
    assert mu1 is not None and log.by_shape is not None
    share = e / (1.0 + e)
    own, slope = s * mu1, e * log.by_shape
    first = share - own - slope
    if order < 2:
        return value, first, first
    assert mu2 is not None and log.bend is not None
    return value, first, share / (1.0 + e) + own + s * (s * mu2) - slope - e * (e * log.bend)
