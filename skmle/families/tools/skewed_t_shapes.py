"""What the degrees of freedom and the skewness say of Jones and Faddy's skew-t law."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import add
from skmle.families.chain_rules import composed
from skmle.families.records import Array, Rows
from skmle.families.tools.moving_ends import shaped_log
from skmle.families.tools.special import binet

LARGEST_LOG = 600.0
"""Logarithm of df beyond which nothing changes in the last digit of any double."""

LARGEST = 1e90
"""Number from which Binet's function and its derivatives are powers, so that none underflows."""

# Rows up to which what is known of their shapes is kept, as quadratures ask for it again and again.
_FEW = 256
_MINUS, _ZERO, _FLAT = -np.ones(()), np.zeros(()), (None, None, None)


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
        size, root_e = np.abs(q), np.exp(-0.5 * np.clip(log_df, -LARGEST_LOG, LARGEST_LOG))
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


class Known(NamedTuple):
    """All of the formula that does not depend on y."""

    shapes: Shapes
    lean: Rows
    """k, with derivatives in log df and the skewness."""
    constant: Rows
    """c(a, b) less log(2 pi)/2, with the same."""


def known(log_df: Array, skew: Array, order: int) -> Known:
    """Return what is known of the shapes, with derivatives up to an order."""
    if log_df.size > _FEW or skew.size > _FEW:
        return _found(log_df, skew, order)
    return _kept(log_df.tobytes(), log_df.shape, skew.tobytes(), skew.shape, order)


@lru_cache(maxsize=64)
def _kept(
    log_df: bytes, of_df: tuple[int, ...], skew: bytes, of_skew: tuple[int, ...], order: int
) -> Known:
    log_dfs, skews = np.frombuffer(log_df).reshape(of_df), np.frombuffer(skew).reshape(of_skew)
    return _found(log_dfs, skews, order)


def _found(log_df: Array, skew: Array, order: int) -> Known:
    with np.errstate(all="ignore"):
        shapes = Shapes.at(log_df, skew)
        return Known(shapes, _lean(shapes, skew).upto(order), _constant(shapes, skew, order))


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
    part_a, part_b = parts(shapes, q)
    of_a = composed(_of_part(shapes.over_a, order), [part_a])
    of_b = composed(_of_part(shapes.over_b, order), [part_b])
    rest = composed(_of_whole(shapes.e, order), [Rows(-np.log(shapes.e), (_MINUS, _ZERO), _FLAT)])
    return add(add(of_a, of_b), rest, -1.0)


def parts(shapes: Shapes, q: Array) -> tuple[Rows, Rows]:
    """Return 1/a and 1/b with derivatives in log df and the skewness q.

    They are g (g - q)/2 and g (g + q)/2, with g^2 = 4 e + q^2.
    """
    e, root = shapes.e, shapes.root
    along, away = q / root, 4.0 * (e / root / root)  # q/g, and 1 - (q/g)^2
    size = 1.0 + np.abs(along)
    plus, minus = _by_sign(along >= 0.0, size, away / size)  # 1 + q/g, 1 - q/g
    bent, third = 0.5 * e * away * along, 0.5 * along * (2.0 + away)
    a_l, b_l, cross = -e * (1.0 + minus), -e * (1.0 + plus), e * away / root
    return (
        Rows(
            shapes.over_a,
            (a_l, -0.5 * root * minus * minus),
            (bent - a_l, cross, 1.0 - third),
        ),
        Rows(
            shapes.over_b,
            (b_l, 0.5 * root * plus * plus),
            (-bent - b_l, -cross, 1.0 + third),
        ),
    )


def log_odds(shapes: Shapes, q: Array) -> Rows:
    """Return log(a/b), 2 asinh(q/(2 sqrt(e))), with derivatives in log df and the skewness q."""
    e, root = shapes.e, shapes.root
    along, rate = q / root, e / root / root
    value = np.log(shapes.over_b) - np.log(shapes.over_a)
    curvature = (2.0 * rate * along, 4.0 * rate / root, -2.0 * along / root / root)
    return Rows(value, (along, 2.0 / root), curvature)


def _by_sign(up: NDArray[np.bool_], first: Array, second: Array) -> tuple[Array, Array]:
    """Return two arrays, in their turn where `up` holds, and else in the other."""
    return np.where(up, first, second), np.where(up, second, first)


def _of_part(r: Array, order: int) -> Rows:
    """Return mu(1/r) - (1/r - 1/2) log(1 + r/2), mu being Binet's function, with derivatives."""
    x = np.minimum(1.0 / r, LARGEST)
    mu, mu1, mu2 = binet(x, order)
    y = 0.5 * r
    log = shaped_log(np.ones(()), y, order)  # log(1 + y)/y
    value = mu - 0.5 * log.w + 0.5 * np.log1p(y)
    if order < 1:
        return Rows(value)
    assert mu1 is not None and log.by_shape is not None
    rest = 1.0 / (1.0 + y)
    first = -x * (x * mu1) + 0.25 * (rest - log.by_shape)
    if order < 2:
        return Rows(value, (first,))
    assert mu2 is not None and log.bend is not None
    second = x * (x * (x * (x * mu2 + 2.0 * mu1))) - 0.125 * (rest * rest + log.bend)
    return Rows(value, (first,), (second,))


def _of_whole(e: Array, order: int) -> Rows:
    """Return mu(1/e) - (1/e - 1) log(1 + e), with derivatives in log e."""
    s = np.minimum(1.0 / e, LARGEST)
    mu, mu1, mu2 = binet(s, order)
    log = shaped_log(np.ones(()), e, order)
    value = mu - log.w + np.log1p(e)
    if order < 1:
        return Rows(value)
    assert mu1 is not None and log.by_shape is not None
    share = e / (1.0 + e)
    own, slope = s * mu1, e * log.by_shape
    first = share - own - slope
    if order < 2:
        return Rows(value, (first,))
    assert mu2 is not None and log.bend is not None
    second = share / (1.0 + e) + own + s * (s * mu2) - slope - e * (e * log.bend)
    return Rows(value, (first,), (second,))
