"""Tails of the beta law with their derivatives in its shapes, by averages over what lies beyond.

Let m = a/(a + b), t = a + b and W be the log-odds of a beta variable Y less those of m. Its density
is proportional to exp(-t D), D = log(1 + m (exp(W) - 1)) - m W, so that of S = P(W > w)

    d log S/d log t = -E[t D | W > w] + constant,

and so for the logit of m, whose derivative is -t (Y - m) + t m (1 - m) W. The second derivatives
have the averages of those of -t D and the covariances of the first. The averages are taken over
V = W - w, whose density at 0 is the hazard h, and h' = h t E[Y - y]. The lower tail is the upper
one of 1 - Y. Nothing cancels in a tail of less than one half, and a larger one is one less the
other.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, expit

from skmle.families.algebra import constant_at
from skmle.families.base import Array, Arrays, Rows
from skmle.families.chain_rules import composed, through_matrix
from skmle.families.tools.divergences import binomial_gap, rise
from skmle.families.tools.special import binet, log_complement
from skmle.families.tools.tails import (
    VERY_LARGE,
    log_beta_tail,
    log_large_beta_tail,
    of_larger_tails,
)

# Gauss's rule, and where it ends: exp(-42) is below 1e-18.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(48))
_NODES = _NODES + 0.5
_END = 42.0
# One panel has all digits up to this length, as (1 + exp(u))^(-t) has its poles at a distance of pi
# from u = 0. A longer tail has one up to where this begins to fall, one of this length, and one in
# which it is an exponential.
_PANEL = 16.0
_STEPS = 12  # Newton steps to the end
_SHARE = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # derivatives where y is held
_ZERO, _ONE = np.zeros(()), np.ones(())
_AT_ONCE = 1024  # rows whose points stay in the cache
_LARGE = 1e4  # a + b up to which a plain difference keeps 12 digits
_FAR = 600.0  # its exponential is a number, and a tail from there on its leading power


def log_tail(away: Array, a: Array, b: Array, upper: bool) -> Array:
    """Return the logarithm of a tail of a beta law, where log-odds are log(a/b) + away."""
    log_odds = np.log(a) - np.log(b) + away
    result = log_beta_tail(a, b, expit(log_odds), expit(-log_odds), upper)
    a, b, result, away, log_odds = np.broadcast_arrays(a, b, result, away, log_odds)
    if (far := np.abs(log_odds) > _FAR).any():  # y or 1 - y may be no number
        above = log_odds > 0.0
        shape = np.where(above, b, a)
        first = np.minimum(-shape * np.abs(log_odds) - np.log(shape) - betaln(a, b), 0.0)
        far_out = np.where(above == upper, first, log_complement(first))
        result = np.where(far, far_out, result)
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


def tail_rows(away: Array, logit: Array, log_precision: Array, upper: bool, order: int) -> Rows:
    """Return -log of a tail of a beta law, with derivatives in all three arguments.

    Parameters
    ----------
    away : ndarray
        w, how far the log-odds of y are from those of the mean.
    logit : ndarray
        log(a/b), the log-odds of the mean.
    log_precision : ndarray
        log(a + b).
    upper : bool
    order : int
    """
    with np.errstate(all="ignore"):  # beyond the floating-point numbers
        precision = np.exp(log_precision)
        a, b = precision * expit(logit), precision * expit(-np.asarray(logit))
        value = -log_tail(away, a, b, upper)
    return rows_of_tail(value, away, logit, log_precision, upper, order)


def rows_of_tail(
    value: Array, away: Array, logit: Array, log_precision: Array, upper: bool, order: int
) -> Rows:
    """Return `tail_rows` where their value is known."""
    if order < 1:
        return Rows(value)
    arrays = (np.asarray(value, float) for value in (value, away, logit, log_precision))
    value, away, logit, log_precision = np.broadcast_arrays(*arrays)
    with np.errstate(all="ignore"):  # beyond the floating-point numbers
        own = value >= np.log(2.0)  # the tail that is asked for is the smaller one
        least = np.where(own, value, -np.log(-np.expm1(-value)))
        sign = np.where(own == upper, 1.0, -1.0)
        rows = _of_smaller(least, sign * away, sign * logit, np.exp(log_precision))
        assert rows.gradient is not None
        by_w, by_m, by_t = rows.gradient
        ww, wm, wt, mm, mt, tt = (np.asarray(entry) for entry in rows.packed)
        gradient = (sign * by_w, sign * by_m, by_t)
        rows = Rows(least, gradient, (ww, wm, sign * wt, mm, sign * mt, tt))
        rows = of_larger_tails(rows, value, own).upto(order)
    return constant_at(~np.isfinite(away), value, rows)


def tail_rows_of_share(
    log_odds: Array, logit: Array, log_precision: Array, upper: bool, order: int
) -> Rows:
    """Return -log of a tail, with derivatives in logit and log precision where y is held."""
    return through_matrix(tail_rows(log_odds - logit, logit, log_precision, upper, order), _SHARE)


def in_spreads(rows: Rows, away: Array, logit: Array, spread: Array) -> Rows:
    """Return `tail_rows` with the first derivative in away/spread, where spread^2 = (a + b)/(a b).

    Of large shapes, when away is narrow, the mean is then told apart from how wide the law is.
    """
    lean, both = np.tanh(-0.5 * logit), expit(logit) * expit(-logit)  # 1 - 2 m and m (1 - m)
    w, unit, flat = 0.5 * away, 0.5 * spread, (None,) * 6
    bends = (-unit * lean, -unit, w * (0.5 * lean * lean + 2.0 * both), 0.5 * w * lean, 0.5 * w)
    moved = Rows(away, (spread, -w * lean, -w), (None, *bends))
    mean = Rows(logit, (_ZERO, _ONE, _ZERO), flat)
    precision = Rows(logit, (_ZERO, _ZERO, _ONE), flat)
    return composed(rows, (moved, mean, precision))


def _of_smaller(value: Array, away: Array, logit: Array, precision: Array) -> Rows:
    """Return -log of an upper tail of less than one half, about, whose value is known, as rows."""
    m, m_bar = expit(logit), expit(-logit)
    a, b, unit = precision * m, precision * m_bar, precision * m * m_bar
    hazard, growth, pull, change, pulls, both, changes, square = _averages(away, logit, a, b)
    # Minus the derivatives of the logarithm of the density, in the mean.
    by_m = unit * _pull(away, logit) + pull
    by_t = unit * _gap(away, logit) - change
    constant_m, constant_t, constant_mm, constant_mt, constant_tt = _constants(a, b, m, m_bar)
    curvature = (
        hazard * growth,
        hazard * pull,
        -hazard * change,
        (m_bar - m) * by_m - square - pulls - constant_mm,
        by_m + both - constant_mt,
        by_t - changes - constant_tt,
    )
    return Rows(value, (hazard, by_m - constant_m, by_t - constant_t), curvature)


def _constants(a: Array, b: Array, m: Array, m_bar: Array) -> Arrays:
    """Return the derivatives of a log m + b log(1 - m) - log B(a, b), in the logit and log t.

    It is log(a b/(2 pi t))/2 - mu(a) - mu(b) + mu(t), mu being Binet's function.
    """
    (a1, a2), (b1, b2), (t1, t2) = (_binet_of_log(x) for x in (a, b, a + b))
    both = m * m_bar
    return (
        0.5 * (m_bar - m) - m_bar * a1 + m * b1,
        0.5 - a1 - b1 + t1,
        both * (a1 + b1 - 1.0) - m_bar * m_bar * a2 - m * m * b2,
        m * b2 - m_bar * a2,
        t2 - a2 - b2,
    )


def _binet_of_log(x: Array) -> tuple[Array, Array]:
    """Return the first two derivatives of Binet's function in log x."""
    _, first, second = binet(x)
    assert first is not None and second is not None
    return x * first, x * first + x * (x * second)


def _pull(w: Array, logit: Array) -> Array:
    """Return (y - m)/(m (1 - m)) - w at log-odds of w beyond those of m."""
    low = logit <= 0.0
    turn, least = np.where(low, w, -w), expit(-np.abs(logit))
    near = np.minimum(turn, _FAR)
    growth = np.expm1(near)
    # The difference of growth/(1 + least growth) and near, which loses no digits of small ones.
    bent = (rise(near) - least * (near * growth)) / (1.0 + least * growth) - (turn - near)
    return np.where(low, bent, -bent)


def _gap(w: Array, logit: Array) -> Array:
    """Return D/(m (1 - m)) at log-odds of w beyond those of m."""
    # From the smaller one of m and 1 - m, of which the other has no digits.
    turn, least = np.where(logit <= 0.0, w, -w), -np.abs(logit)
    log_sum = np.logaddexp(0.0, least + turn) - np.logaddexp(0.0, least)
    return binomial_gap(turn, expit(least), log_sum)


def _averages(away: Array, logit: Array, a: Array, b: Array) -> Array:
    """Return h, h'/h, and averages in the upper tails beyond y.

    They are the means and the variances, with their covariance between, of

    - how much t (Y - m) - t m (1 - m) W, the pull towards the mean, grows from y to Y;
    - how much the logarithm of the density changes;

    and the mean of t (Y - m)^2.
    """
    shape = a.shape
    away, logit, a, b = (value.ravel() for value in (away, logit, a, b))
    log_odds = logit + away
    # How fast the density falls on log-odds, b y - a (1 - y) = t (y - m).
    fall = np.where(
        away > 1.0,
        b * expit(log_odds) - a * expit(-log_odds),
        a * expit(-log_odds) * np.expm1(away),
    )
    end = _ends(log_odds, fall, a, b)
    knee = np.maximum(0.0, -np.log1p(a + b) - log_odds)
    long = end > _PANEL
    found = np.empty((8, len(a)))
    for part, panels in ((~long, _one_panel), (long, _three_panels)):
        rows = np.flatnonzero(part)
        for at in np.split(rows, range(_AT_ONCE, len(rows), _AT_ONCE)):
            if len(at):
                places = panels(knee[at], end[at])
                found[:, at] = _integrated(places, away[at], logit[at], fall[at], a[at], b[at])
    return found.reshape(8, *shape)


def _ends(log_odds: Array, fall: Array, a: Array, b: Array) -> Array:
    """Return v at which the density of V has fallen by exp(-42), or a little less than that."""
    total = a + b
    x = expit(log_odds)
    log_x = -np.logaddexp(0.0, -log_odds)
    # The logarithm of the density is below each of its tangents, and the last one.
    end = np.minimum((_END - total * log_x) / b, np.where(fall > 0.0, _END / fall, np.inf))
    bell = 4.0 * np.sqrt(_END / (total * x * expit(-log_odds)))
    end = np.where(bell < 0.1, np.minimum(end, bell), end)
    for _ in range(_STEPS):
        # It is concave: Newton's steps come from beyond.
        height = a * end + total * (np.logaddexp(0.0, log_odds) - np.logaddexp(0.0, log_odds + end))
        step = (height + _END) / (a - total * expit(log_odds + end))
        end = np.where(height < -_END, end - np.clip(step, 0.0, end), end)
    return end


def _one_panel(knee: Array, end: Array) -> tuple[Array, Array]:
    return np.multiply.outer(_NODES, end), np.multiply.outer(_WEIGHTS, end)


def _three_panels(knee: Array, end: Array) -> tuple[Array, Array]:
    edges = (np.zeros_like(end), np.minimum(knee, end), np.minimum(knee + _PANEL, end), end)
    lows, widths = np.stack(edges[:-1]), np.diff(np.stack(edges), axis=0)
    v = lows[:, None] + widths[:, None] * _NODES[:, None]
    weight = widths[:, None] * _WEIGHTS[:, None]
    return v.reshape(-1, len(end)), weight.reshape(-1, len(end))


def _integrated(
    places: tuple[Array, Array], away: Array, logit: Array, fall: Array, a: Array, b: Array
) -> tuple[Array, ...]:
    v, weight = places
    precision, log_odds = a + b, logit + away
    low = log_odds <= 0.0
    y, y_bar = expit(log_odds), expit(-log_odds)
    # From the smaller one of y and 1 - y, of which the other has no digits.
    least, most = np.minimum(y, y_bar), np.where(low, y_bar, -y)
    turn = np.where(low, v, -v)
    near = np.minimum(turn, _FAR)
    more = least * np.expm1(near)
    log = np.log1p(more) + (turn - near)
    beyond, unit = precision * most * (more / (1.0 + more)), a * (b / precision)  # t (Y - y)
    if precision.max() > _LARGE:
        change = -fall * v - precision * (y * y_bar) * binomial_gap(turn, least, log)
        pull = unit * (_pull(away + v, logit) - _pull(away, logit))
    else:
        change = np.where(low, a, -b) * v - precision * log
        pull = beyond - unit * v
    mass = np.exp(change) * weight
    whole = mass.sum(axis=0)
    mass /= whole
    growth = (mass * beyond).sum(axis=0)
    square = (mass * np.square(fall + beyond)).sum(axis=0) / precision
    mean_pull, mean_change = (mass * pull).sum(axis=0), (mass * change).sum(axis=0)
    pull, change = pull - mean_pull, change - mean_change
    left, right = mass * pull, mass * change
    spread = (left * pull).sum(axis=0), (left * change).sum(axis=0), (right * change).sum(axis=0)
    return 1.0 / whole, growth, mean_pull, mean_change, *spread, square
