"""Tails of the sum of a Poisson number of gamma values, and its law where parameters have ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammainc, gammaincc

from skmle.families.base import Array, Arrays, Rows, triangle
from skmle.families.tools.divergences import bregman
from skmle.families.tools.special import LOG_2PI, binet, log_complement
from skmle.families.tools.tails import log_gamma_tail

# Terms of the sum in a tail, to each side of the largest: in standard deviations of a Poisson
# number. Where one stands for several, there are so many to a deviation of a term, and no more in
# all than `_MOST`.
_REACH, _TO_A_DEVIATION, _MOST = 9.0, 1.5, 4096.0
_FEW = 5.0  # binary logarithm of how many terms take no longer than fewer
_LARGEST = 1e300
# A tail of the gamma law below which, and a shape from which, scipy's functions lose digits.
_LEAST, _LARGE_SHAPE = 1e-280, 1e4
_LARGEST_LOG = 690.0
# Differences in the logarithm of the shape: their step where a tail varies over one unit of it.
_STEP = 0.02
_PLACES = np.arange(-3.0, 4.0)
_SLOPE = np.array([-1.0, 9.0, -45.0, 0.0, 45.0, -9.0, 1.0]) / 60.0
_BEND = np.array([2.0, -27.0, 270.0, -490.0, 270.0, -27.0, 2.0]) / 180.0


def parts_of(mean: Array, dispersion: Array, power: Array) -> tuple[Array, Array, Array]:
    """Return the rate of the values, their shape and their scale."""
    rate = mean ** (2.0 - power) / (dispersion * (2.0 - power))
    scale = dispersion * (power - 1.0) * mean ** (power - 1.0)
    return rate, (2.0 - power) / (power - 1.0), scale


def tail_of_sum(
    log_y: Array, eta: Arrays, above: NDArray[np.bool_], density: Rows | None, order: int
) -> Rows:
    """Return -log P(Y > y) where `above`, else -log P(0 < Y <= y), with derivatives in chart eta.

    Parameters
    ----------
    log_y, above : ndarray of shape (n,)
    eta : tuple of ndarray, each (n,)
        Log mean, log dispersion, logit(power - 1).
    density : Rows, optional
        -log of the density of log y, with its gradient; not needed if `order` is 0.
    order : int
    """
    m, d, h = eta
    q, p = expit(h), expit(-h)  # power - 1 and 2 - power
    log_rate, log_x = p * m - d - np.log(p), log_y - d - np.log(q) - q * m
    if order < 1:
        return Rows(-_moments_of_tails(log_x, log_rate, -h, above)[0])
    assert density is not None and density.gradient is not None
    # The derivatives in the rate are moments of the number, and that in y is the density. Of the
    # incomplete gamma function's in its shape no formula is known.
    (value, by_rate, square), (by_shape, rate_shape, _), (twice_shape, _, _) = _along_shape(
        log_x, log_rate, -h, above
    )
    by_y = np.where(above, -1.0, 1.0) * np.exp(-density.value - value)
    s = q * p
    zero, one = np.zeros_like(h), np.ones_like(h)
    bend = s - s * (p - q) * m
    # The derivatives of log rate, log shape and log x in the three eta.
    of_rate, of_shape, of_x = (p, -one, q - s * m), (zero, zero, -one), (-q, -one, -p - s * m)
    slopes = tuple(
        by_rate * r + by_shape * a + by_y * x
        for r, a, x in zip(of_rate, of_shape, of_x, strict=True)
    )
    if order < 2:
        return Rows(-value, tuple(-slope for slope in slopes))
    g_m, g_d, g_h = (-part for part in density.gradient)
    f_rate = g_m - q * g_d
    f_y = -g_d - f_rate
    f_shape = f_rate * of_rate[2] + f_y * of_x[2] - g_h
    twice_rate = square - np.exp(log_rate) - by_rate * by_rate
    rate_y, shape_y = by_y * (f_rate - by_rate), by_y * (f_shape - by_shape)
    hessian = (
        (twice_rate, rate_shape, rate_y),
        (rate_shape, twice_shape, shape_y),
        (rate_y, shape_y, by_y * (f_y - by_y)),
    )
    moves = of_rate, of_shape, of_x
    own = {(0, 2): -s * (by_rate + by_y), (2, 2): bend * (by_rate + by_y)}
    curvature = []
    for i, j in triangle(3):
        total = own.get((i, j), zero)
        for a in range(3):
            for b in range(3):
                total = total + hessian[a][b] * moves[a][i] * moves[b][j]
        curvature.append(-total)
    return Rows(-value, tuple(-slope for slope in slopes), tuple(curvature))


def what_it_leaves(rows: Rows) -> Rows:
    """Return -log(1 - exp(-f)) from the rows of f, -log of a probability, to all digits."""
    value = -log_complement(-rows.value)
    if rows.gradient is None:
        return Rows(value)
    odds = 1.0 / np.expm1(rows.value)
    slopes = rows.gradient
    gradient = tuple(-odds * slope for slope in slopes)
    if rows.curvature is None:
        return Rows(value, gradient)
    turn = odds * (1.0 + odds)
    curvature = tuple(
        turn * slopes[i] * slopes[j] - (0.0 if bend is None else odds * bend)
        for (i, j), bend in zip(triangle(len(slopes)), rows.packed, strict=True)
    )
    return Rows(value, gradient, curvature)


def _along_shape(log_x: Array, log_rate: Array, log_a: Array, above: NDArray[np.bool_]) -> Array:
    """Return what `_moments_of_tails` does, and two derivatives of it in log a, (3, 3, n).

    The derivatives are differences of sixth order, all of whose places are summed at once.
    """
    number = np.exp(np.minimum(np.maximum(log_rate, log_x - log_a), _LARGEST_LOG))
    step = _STEP / np.sqrt(1.0 + number * np.exp(log_a))
    places = (log_a + step * _PLACES[:, None]).ravel()
    shape = len(_PLACES), len(log_x)
    x, rate = (np.broadcast_to(part, shape).ravel() for part in (log_x, log_rate))
    found = _moments_of_tails(x, rate, places, np.broadcast_to(above, shape).ravel())
    found = found.reshape(3, len(_PLACES), -1)
    slope, bend = (np.einsum("j,ijn->in", weights, found) for weights in (_SLOPE, _BEND))
    return np.array([found[:, len(_PLACES) // 2], slope / step, bend / (step * step)])


def _moments_of_tails(
    log_x: Array, log_rate: Array, log_a: Array, above: NDArray[np.bool_]
) -> Array:
    """Return log P(X > x), or log P(0 < X <= x), and two moments of the number there, (3, n).

    X is the sum in units of the values' scale. Its tail is the average of the gamma laws' tails
    over the number of values; the moments are those of the number less its rate.
    """
    result = np.empty((3, *log_x.shape))
    for side in (False, True):
        if (rows := above == side).any():
            x, rate, a = (part[rows] for part in (log_x, log_rate, log_a))
            result[:, rows] = _of_one_side(x, rate, a, side)
    return result


def _of_one_side(log_x: Array, log_rate: Array, log_a: Array, upper: bool) -> Array:
    with np.errstate(all="ignore"):
        x, rate, a = np.exp(log_x), np.exp(log_rate), np.exp(log_a)
        # The number of values that is most likely beside this sum; the largest term lies between
        # it and the rate, at the end that the tail is on.
        typical = np.exp((log_rate + a * (log_x - log_a)) / (1.0 + a))
        place = np.maximum(rate, typical) if upper else np.minimum(rate, typical)
        place = np.minimum(place, _LARGEST)
        reach = _REACH * np.sqrt(place) + 8.0
        first = np.maximum(np.floor(place - reach), 1.0)
        length = place + reach - first
        stride = np.floor(np.sqrt(place / (1.0 + a)) / _TO_A_DEVIATION)
        stride = np.maximum(np.where(first > 1.0, stride, 1.0), np.ceil(length / _MOST))
        stride = np.maximum(stride, 1.0)
        terms = np.ceil(length / stride) + 1.0
        terms = np.where(np.isfinite(terms), terms, 1.0)  # of what is no law, one
        result = np.empty((3, *x.shape))
        # Rows of about as many terms are summed together.
        size = np.maximum(np.ceil(np.log2(terms)), _FEW)
        for each in np.unique(size):
            at = np.flatnonzero(size == each)
            k = first[at, None] + stride[at, None] * np.arange(terms[at].max())
            some = rate[at, None]
            # log(rate^k exp(-rate)/k!), of which nothing large cancels.
            mass = -bregman(k, some) - binet(k, 0)[0] - 0.5 * (LOG_2PI + np.log(k))
            mass += _log_gamma_tail(k * a[at, None], x[at, None], log_x[at, None], upper)
            largest = mass.max(axis=-1)
            mass = np.exp(mass - largest[:, None])
            total, away = mass.sum(axis=-1), k - some
            result[0, at] = largest + np.log(total * stride[at])
            mass *= away
            result[1, at] = mass.sum(axis=-1) / total
            mass *= away
            result[2, at] = mass.sum(axis=-1) / total
        return result


def _log_gamma_tail(shape: Array, x: Array, log_x: Array, upper: bool) -> Array:
    """Return `log_gamma_tail`, at once where scipy's functions have it.

    They need not tell a probability next to one from one: there are others beside it in a sum.
    """
    x = np.broadcast_to(x, shape.shape)
    tail = gammaincc(shape, x) if upper else gammainc(shape, x)
    result = np.log(tail)
    hard = ~(tail > _LEAST) | (shape > _LARGE_SHAPE)
    if hard.any():
        log_x = np.broadcast_to(log_x, shape.shape)[hard]
        result[hard] = log_gamma_tail(shape[hard], x[hard], upper, log_x)
    return result


class AtEnd:
    """Tweedie's law where parameters stand at an end of their range, as `ByTails` asks for it.

    It is the gamma law of power 2, Poisson's law in units of the dispersion of power 1, and else a
    point: at zero, or at the mean without dispersion.
    """

    def __init__(self, mean: Array, dispersion: Array, power: Array) -> None:
        self.mean, self.dispersion, self.power = np.broadcast_arrays(mean, dispersion, power)

    def _of(self, method: str, argument: Array) -> Array:
        from scipy.stats import gamma, poisson, uniform

        mean, unit = self.mean, self.dispersion
        proper = (mean > 0.0) & np.isfinite(mean) & (unit > 0.0) & np.isfinite(unit)
        some, one = np.where(proper, mean, 1.0), np.where(proper, unit, 1.0)
        point = np.where(unit == 0.0, mean, 0.0)
        places = method in ("ppf", "isf")
        counts = argument if places else np.floor(argument / one)
        of_counts = getattr(poisson(some / one), method)(counts)
        of_point = getattr(uniform(point, 0.0), method)(argument) if places else None
        if of_point is None:
            of_point = (argument >= point) == (method == "cdf")
        else:
            of_point = np.where((argument >= 0.0) & (argument <= 1.0), point, np.nan)
        of_values = getattr(gamma(1.0 / one, scale=one * some), method)(argument)
        return np.where(
            ~proper,
            of_point,
            np.where(self.power <= 1.0, of_counts * (one if places else 1.0), of_values),
        )

    def cdf(self, y: Array) -> Array:
        """Return P(Y <= y)."""
        return self._of("cdf", y)

    def sf(self, y: Array) -> Array:
        """Return P(Y > y)."""
        return self._of("sf", y)

    def ppf(self, q: Array) -> Array:
        """Return the quantile of a level."""
        return self._of("ppf", q)

    def isf(self, q: Array) -> Array:
        """Return the upper quantile of a level."""
        return self._of("isf", q)
