"""Jones and Faddy's skew-t law as a whole, by the beta variable behind it.

N is the variable of `skmle.families.tools.skewed_t`.
"""

from __future__ import annotations

import numpy as np

from skmle.families.algebra import add, pick
from skmle.families.chain_rules import composed
from skmle.families.records import Array, Rows
from skmle.families.tools import beta_tails
from skmle.families.tools.generators import log_standard_gamma
from skmle.families.tools.skewed_t import normal_behind
from skmle.families.tools.skewed_t_shapes import (
    LARGEST,
    LARGEST_LOG,
    Shapes,
    known,
    log_odds,
    parts,
)
from skmle.families.tools.special import LOG_2PI, bend, log_half_step

# Places of an average over the law, and how far they reach on log-odds, in their spread or in units
# of the slope of the heavier tail; beyond the most, no power of y is a number.
_STEPS, _REACH, _MOST = np.linspace(-1.0, 1.0, 201), 40.0, 1400.0
# h up to which N is drawn as a normal variable.
_NORMAL = 1e-6
# Logarithm of df beyond which no derivative changes in its last digit.
_ENDLESS = float(np.log(1e15))
_ZERO, _ONE, _FLAT = np.zeros(()), np.ones(()), (None, None, None)


def normal_at(log_odds: Array, shapes: Shapes) -> Array:
    """Return N at log(Y/(1 - Y))."""
    away = log_odds - (np.log(shapes.over_b) - np.log(shapes.over_a))
    return 0.5 * (away - _mode_of_log_odds(shapes)) / shapes.h


def _mode_of_log_odds(shapes: Shapes) -> Array:
    """Return how far log(Y/(1 - Y)) is from log(a/b) at the mode of z."""
    return np.log1p(0.5 * shapes.over_a) - np.log1p(0.5 * shapes.over_b)


def away_of(n: Array, shapes: Shapes) -> Array:
    """Return how far the log-odds of the beta variable are from log(a/b)."""
    return 2.0 * (shapes.h * n) + _mode_of_log_odds(shapes)


def log_tail(n: Array, shapes: Shapes, upper: bool) -> Array:
    """Return the logarithm of a tail of N, that of the beta law."""
    a, b = 1.0 / shapes.over_a, 1.0 / shapes.over_b
    return beta_tails.log_tail(away_of(n, shapes), a, b, upper)


def tail_rows(value: Array, z: Array, log_df: Array, skew: Array, upper: bool, order: int) -> Rows:
    """Return -log of a tail, which is known, with derivatives in log df and the skewness."""
    if order < 1:
        return Rows(value)
    log_df, skew = np.clip(log_df, -LARGEST_LOG, _ENDLESS), np.asarray(skew, float)
    shapes, lean, _ = known(log_df, skew, 2)
    normal = normal_behind(z, log_df, shapes.lean, 2)
    own = Rows(log_df, (_ONE, _ZERO), _FLAT)
    n = composed(pick(Rows(normal.value, normal.gradient, normal.curvature), (1, 2)), (own, lean))
    logit, away = log_odds(shapes, skew), away_of(normal.value, shapes)
    beta = beta_tails.rows_of_tail(value, away, logit.value, log_df, upper, order)
    beta = beta_tails.in_spreads(beta, away, logit.value, shapes.root)
    return composed(beta, (_in_spreads(n, shapes, skew), logit, own))


def _in_spreads(n: Rows, shapes: Shapes, q: Array) -> Rows:
    """Return `away_of` over g with derivatives in log df and the skewness.

    The log-odds spread as g does, and h/g is smooth where both vanish: 2 h/g = (1 + e)/sqrt(D) with
    D = 1 + g^2 (2 + e)/4.
    """
    e, g = shapes.e, shapes.root
    d = 1.0 + 0.25 * g * g * (2.0 + e)
    by_e = 2.0 * (1.0 + e) + 0.25 * q * q
    d_l, d_q = -e * by_e / d, 0.5 * (2.0 + e) * q / d  # of log D
    ratio = (1.0 + e) / np.sqrt(d)
    l_, q_ = -e / (1.0 + e) - 0.5 * d_l, -0.5 * d_q
    ll = e / (1.0 + e) ** 2 - 0.5 * (e * (by_e + 2.0 * e) / d - d_l * d_l)
    lq, qq = 0.5 * (0.5 * e * q / d + d_l * d_q), -0.5 * (0.5 * (2.0 + e) / d - d_q * d_q)
    bends = (ratio * (ll + l_ * l_), ratio * (lq + l_ * q_), ratio * (qq + q_ * q_))
    ratios = Rows(ratio, (ratio * l_, ratio * q_), bends)
    product = Rows(ratio * n.value, (n.value, ratio), (None, _ONE, None))
    # How far the mode is from the mean, over g.
    below, above = (composed(_log_of_half(part.value), [part]) for part in parts(shapes, q))
    mode = add(below, above, -1.0)
    g_l, g_q = -2.0 * e / g, q / g
    bends = ((2.0 * e - g_l * g_l) / g, -g_l * g_q / g, (1.0 - g_q * g_q) / g)
    m, rate = mode.value, 1.0 / g
    quotient = Rows(m * rate, (rate, -m * rate**2), (None, -(rate**2), 2.0 * m * rate**3))
    return add(
        composed(product, (ratios, n)), composed(quotient, (mode, Rows(g, (g_l, g_q), bends)))
    )


def _log_of_half(r: Array) -> Rows:
    """Return log(1 + r/2) with its derivatives."""
    rate = 1.0 / (2.0 + r)
    return Rows(np.log1p(0.5 * r), (rate,), (-rate * rate,))


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
    e, over_a, over_b = (np.maximum(x, 1.0 / LARGEST) for x in shapes[:3])
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
