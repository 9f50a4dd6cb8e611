"""Jones and Faddy's skew-t law as a whole, by the beta variable behind it.

N is the variable of `skmle.families.tools.skewed_t`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from skmle.families.records import Array
from skmle.families.tools.divergences import binomial_gap
from skmle.families.tools.generators import log_standard_gamma
from skmle.families.tools.skewed_t_shapes import LARGEST, Shapes
from skmle.families.tools.special import LOG_2PI, bend, log_half_step
from skmle.families.tools.tails import VERY_LARGE, log_beta_tail, log_large_beta_tail

# Places of an average over the law, and how far they reach on log-odds, in their spread or in units
# of the slope of the heavier tail; beyond the most, no power of y is a number.
_STEPS, _REACH, _MOST = np.linspace(-1.0, 1.0, 201), 40.0, 1400.0
# h up to which N is drawn as a normal variable.
_NORMAL = 1e-6


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
