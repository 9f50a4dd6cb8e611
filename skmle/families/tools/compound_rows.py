"""The rows of Tweedie's law, of sums of gamma values: its zeros, its density and its tails.

Chart eta are log mean, log dispersion and logit(power - 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from skmle.families.algebra import add, chosen, mix
from skmle.families.base import Arrays, Rows
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.compound import excess_of_mean, log_sum
from skmle.families.tools.compound_tails import tail_of_sum, what_it_leaves
from skmle.families.tools.divergences import rise
from skmle.families.tools.special import LOG_2PI

FARTHEST = 200.0  # logit of power - 1


def log_rate_of(eta: Arrays, order: int) -> Rows:
    """Return the logarithm of the rate of the values."""
    m, d, h = eta
    q, p = expit(h), expit(-h)  # power - 1 and 2 - power
    s, one = q * p, np.ones(())
    gradient = (p, -one, q - s * m)
    curvature = (None, None, -s, None, None, s - s * (p - q) * m)
    return Rows(p * m - d - np.log(p), gradient, curvature).upto(order)


def rows_of_zeros(eta: Arrays, order: int) -> Rows:
    """Return -log of the mass at zero."""
    return tail_of_log_hazard(log_rate_of(eta, order), above=True)


def rows_of_tail(
    statistics: Arrays, eta: Arrays, upper: bool, order: int, beside_zero: bool
) -> Rows:
    """Return -log of a tail of Tweedie's law, or of its law beside zero."""
    with np.errstate(all="ignore"):  # far out in the tails
        return _tail(statistics, eta, upper, order, beside_zero)


def _tail(statistics: Arrays, eta: Arrays, upper: bool, order: int, beside_zero: bool) -> Rows:
    whole = np.broadcast_arrays(*statistics, *eta[:2], np.clip(eta[2], -FARTHEST, FARTHEST))
    y, log_y, *own = (part.ravel() for part in whole)
    moved, every = tuple(own), range(3)
    rate = log_rate_of(moved, order)
    share, zeros = (tail_of_log_hazard(rate, above=side) for side in (False, True))
    # The tail on this side of the mean, which is the smaller one; the other is what it leaves.
    above = (y > 0.0) & (log_y - share.value > moved[0])
    nothing = Rows(np.full(y.shape, np.inf), (np.zeros(()),) * 3, (None,) * 6)
    rows = nothing if beside_zero else zeros
    if (positive := y > 0.0).any():
        density = rows_of_values((y, log_y), moved, 1) if order > 0 else None
        others = tail_of_sum(log_y, moved, above, density, order)
        if beside_zero:
            others = add(others, share, -1.0)
        else:
            both = mix([(others, every), (zeros, every)], 3, order=order)
            others = chosen(above, others, both)
        rows = chosen(positive, others, rows)
    rows = chosen(above == upper, rows, what_it_leaves(rows)).upto(order)
    return reshaped(rows, whole[0].shape)


def rows_of_values(statistics: Arrays, eta: Arrays, order: int) -> Rows:
    """Return -log of the density of log y, of y > 0."""
    # -log q = D - log C + h/2 + log 2pi, of which D is half of the deviance over the
    # dispersion, and C the sum over the number of values.
    _, log_y = statistics
    m, d, h = eta
    q, p = expit(h), expit(-h)
    s, s1 = q * p, q * p * (p - q)  # dq/dh, and its derivative
    u = log_y - m
    size = np.exp(p * m - d)
    away = excess_of_mean(u, q, p) / s
    log_top = np.asarray(p * log_y - d - np.log(p))
    rows = log_sum(log_top, np.asarray(-h, float), order)
    value = size * away - rows.value + 0.5 * h + LOG_2PI
    if order < 1:
        return Rows(value)
    assert rows.gradient is not None
    c_t, c_a = rows.gradient
    t = q - s * log_y  # the derivative of log_top in h
    beyond = np.expm1(u)
    # The first derivative in q of what `excess_of_mean` returns; then that of `away` in h.
    bent = u * np.expm1(p * u) - rise(u)
    turn = bent - (p - q) * away
    pull = turn - s * m * away
    gradient = (
        -size * beyond,
        c_t - size * away,
        size * pull - (c_t * t - c_a) + 0.5,
    )
    if order < 2:
        return Rows(value, gradient)
    c_tt, c_ta, c_aa = (np.asarray(entry) for entry in rows.packed)
    twice = 2.0 * s * away - (p - q) * turn - s * u * u * np.exp(p * u)
    own = twice - 2.0 * s * m * turn + ((s * m) ** 2 - s1 * m) * away
    c_hh = c_tt * t * t - 2.0 * c_ta * t + c_aa + c_t * (s - s1 * log_y)
    return Rows(
        value,
        gradient,
        (
            size * (1.0 + q * beyond),
            size * beyond,
            s * m * size * beyond,
            size * away - c_tt,
            c_tt * t - c_ta - size * pull,
            size * own - c_hh,
        ),
    )


def reshaped(rows: Rows, shape: tuple[int, ...]) -> Rows:
    """Return the rows of a flat array in another shape."""
    n = int(np.prod(shape))
    value, gradient, curvature = rows

    def each(entries: Any) -> Any:
        if entries is None:
            return None
        return tuple(np.broadcast_to(entry, n).reshape(shape) for entry in entries)

    return Rows(value.reshape(shape), each(gradient), each(curvature))
