"""Rice's law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import i0e, i1e, iv

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Saturated,
    Support,
    average,
)
from skmle.families.law import ByStd
from skmle.families.rayleigh import Rayleigh
from skmle.families.tools.bessel import LogBessel, log_bessel_0
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.special import log_complement
from skmle.families.tools.stretched import InGeometricMean

# Gauss's rule on (0, 1) for the tails, and minus the logarithm of what they leave out.
_NODES, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(64))
_LEFT_OUT = 42.0
# Half the square of the shape from which the variance is a series with all digits, and its terms.
_FAR, _TERMS = 50.0, 20
# Least shape at which a start lies, and another start where the moments tell none.
_FEW = 1e-2  # probability below which bounds of a tail are nearer than a law of the same moments
_LEAST, _ELSEWHERE = 0.3, 2.0


class Rice(InGeometricMean, ByStd, ByTails):
    """Rice's law of y > 0 with `scale`, the root mean square over sqrt(2), and `shape`.

    It is that of the length of a vector of two normal numbers with standard deviation s whose mean
    has the length m: q(y) = y/s^2 exp(-(y^2 + m^2)/(2 s^2)) I_0(y m/s^2), shape = m/s, and
    scale^2 = s^2 + m^2/2. So are amplitudes of a signal m in noise, as in magnetic resonance. As
    the shape vanishes it is Rayleigh's law with this scale, and as it grows it becomes normal.
    Beside Rayleigh's law data tell the shape by its fourth power alone, whatever stands beside it:
    s and m^2 move the mean of y^2 alike. The likelihood rises from there if the mean of y^4 is less
    than twice the squared mean of y^2; if not, it falls at first. scipy:
    ``rice(b=shape, scale=scale/sqrt(1 + shape**2/2))``; R:
    ``VGAM::drice(y, sigma=scale/sqrt(1 + shape^2/2), vee=shape * sigma)``.

    References
    ----------
    Rice (1945), Mathematical analysis of random noise, Bell System Technical Journal 24.
    Talukdar & Lawing (1991), Estimation of the parameters of the Rice distribution, Journal of the
    Acoustical Society of America 89.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("rice").fit([[1.0], [2.0], [3.0], [2.0]])
    >>> scale, shape = (float(model.params_[name]) for name in ("scale", "shape"))
    >>> s = scale / (1.0 + shape**2 / 2.0) ** 0.5
    >>> round(scale, 6), round(shape * s, 3), round(s, 3)
    (1.5, 1.838, 0.749)
    """

    scipy_name = "rice"
    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0)
    # No `stretch`: of a threshold far below y, fits keep too few digits.
    unit_moves = (1.0, 0.0)

    @property
    def limits(self) -> tuple[Limit, ...]:
        law = Rayleigh(links=self.links_of(("scale",)))
        return (Limit("shape", 0.0, law, observe=_of_rayleigh),)

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        return y, np.log(y)

    def base(self, statistics: Arrays) -> Array:
        return -statistics[1]

    # With b the shape, u = y/s and x = u b it is (u - b)^2/2 - log(exp(-x) I_0(x)) + 2 log s, where
    # s^2 = m scale^2 and m = 1/(1 + b^2/2). Below, r is I_1(x)/I_0(x), and p = 1 - m.

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        with np.errstate(all="ignore"):  # a density of zero
            u, b, m, p = _in_noise(statistics[0], *eta)
            x = u * b
            bessel = log_bessel_0(x)
            away = u - b
            value = 2.0 * eta[0] + np.log(m) + 0.5 * away * away - bessel.value
            if order < 1:
                return Rows(value)
            lack = x * bessel.lack
            by_scale = 2.0 - u * away - lack
            bend = x * (x * bessel.slope)
            by_shape, cross, own = _beside_normal(u, b, m, p, x, lack, bend)
            if np.min(b) < 1.0:
                low = b < 1.0
                near = _beside_rayleigh(u, np.where(low, b, 0.0), m, p, x, bessel)
                pairs = zip(near, (by_shape, cross, own), strict=True)
                by_shape, cross, own = (np.where(low, one, other) for one, other in pairs)
            curvature = (2.0 * u * away + x + lack - bend, cross, own)
            return Rows(value, (by_scale, by_shape), curvature).upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The scale is the most likely one. The variance of y^2 is (1 - p^2) of its squared mean.
        _, log_y = statistics
        centre = float(np.max(log_y))
        square = np.exp(2.0 * (log_y - centre))
        mean = average(square, weight)
        variance = average(np.square(square - mean), weight) / mean**2
        log_scale = centre + 0.5 * float(np.log(0.5 * mean))
        p = np.sqrt(max(1.0 - variance, 0.0))
        with np.errstate(divide="ignore"):
            log_shape = 0.5 * float(np.log(2.0 * p * (1.0 + p)) - np.log(variance))
        if log_shape > np.log(_LEAST):
            return [(log_scale, log_shape)]
        return [(log_scale, float(np.log(shape))) for shape in (_LEAST, _ELSEWHERE)]

    def saturated(self, statistics: Arrays) -> Saturated:
        # There the root mean square is y.
        log_scale = statistics[1] - 0.5 * np.log(2.0)
        return Saturated(log_scale, (float(np.log(1e8)),), "shape", power=-1.0)

    # ---------------------------------------------------------------- tails

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            u, b, m, p = _in_noise(statistics[0], *eta)
            value = -_log_tail(u, b, upper)
            if order < 1:
                return Rows(value)
            # Along log u a tail falls by the hazard g = u q/P, along log b by -k g, k = b r/u.
            bessel = log_bessel_0(u * b)
            g = np.exp(value + 2.0 * np.log(u) - 0.5 * (u - b) ** 2 + bessel.value)
            g = g if upper else -g
            k = b * b * bessel.over
            pull = u * b * bessel.ratio
            along = g * (2.0 - u * u + pull + g)
            cross = g * (pull - b * b - k * g)
            other = -k * g * (1.0 / bessel.over - b * b - k * g)
            # log u = log(y/scale) - log(m)/2
            gradient = (-g, p * g - k * g)
            own = other + 2.0 * p * cross + p * p * along + 2.0 * p * m * g
            return Rows(value, gradient, (along, -cross - p * along, own)).upto(order)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):
            u, b, _, _ = _in_noise(np.asarray(y, float), *(np.log(value) for value in theta))
            return _log_tail(u, b, upper)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        # In units of the noise, a vector is further than r from the mean vector with probability
        # exp(-r^2/2), and next to zero a length is below u with u^2 exp(-b^2/2)/2.
        scale, shape = theta
        reach = np.sqrt(-2.0 * np.log(q))
        short = np.minimum(np.sqrt(2.0 * q) * np.exp(0.25 * shape * shape), 1.0 / shape)
        far = shape + reach if upper else np.maximum(shape - reach, short)
        near = super().rough_quantile(q, theta, upper)
        return np.where(q < _FEW, scale * _noise(shape) * far, near)

    # ---------------------------------------------------------------- the law

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import rice

        scale, shape = theta
        return rice(b=shape, scale=scale * _noise(shape))

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import rayleigh

        return rayleigh(scale=theta[0])  # scipy's quantile of rank zero is above zero

    @classmethod
    def from_scipy(cls, b: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale / _noise(b), b))

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        h, _, bells = _moments(shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.sqrt(2.0) / np.sqrt(1.0 + 1.0 / h) * (1.0 + _rise(h) / h)
        return scale * np.where(h > _FAR, far, np.sqrt(0.5 * np.pi) * _noise(shape) * bells)

    def std(self, theta: Arrays) -> Array:
        scale, shape = theta
        h, near, bells = _moments(shape)
        rise = _rise(h)
        with np.errstate(divide="ignore"):
            far = 2.0 - 2.0 * rise * (2.0 + rise / h)
        direct = 2.0 + 2.0 * near - 0.5 * np.pi * bells * bells
        return scale * _noise(shape) * np.sqrt(np.where(h > _FAR, far, direct))

    def entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools.numerical import entropy

        return entropy(self, theta)  # scipy's own integral has fewer digits

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        return (
            scale * _noise(shape) * np.hypot(shape + rng.normal(size=size), rng.normal(size=size))
        )


def _of_rayleigh(statistics: Arrays) -> Arrays:
    return statistics[:1]


def _noise(shape: Array) -> Array:
    """Return the standard deviation of the normal numbers in units of the scale."""
    return 1.0 / np.hypot(1.0, np.sqrt(0.5) * np.asarray(shape, float))


def _moments(shape: Array) -> tuple[Array, Array, Array]:
    """Return h = shape^2/2, h up to where series take over, and the mean there over sqrt(pi/2)."""
    h = 0.5 * np.square(np.asarray(shape, float))
    near = np.minimum(h, _FAR)
    return h, near, (1.0 + near) * i0e(0.5 * near) + near * i1e(0.5 * near)


def _in_noise(y: Array, log_scale: Array, log_shape: Array) -> Arrays:
    """Return y in units of the standard deviation of the normal numbers, the shape, m and p."""
    shape = np.exp(log_shape)
    noise = _noise(shape)
    share = np.sqrt(0.5) * shape * noise
    return y * np.exp(-log_scale) / noise, shape, noise * noise, share * share


def _beside_normal(
    u: Array, b: Array, m: Array, p: Array, x: Array, lack: Array, bend: Array
) -> Arrays:
    """Return the derivatives in log shape, both, and log shape twice, for large shapes.

    In log of the mean's length f has the slope `pull`, and `push` in log s.
    """
    away = u - b
    pull, push = lack - b * away, 2.0 - away * away - 2.0 * lack
    cross = m * (2.0 * u * u - x) - 2.0 * u * away + (2.0 - m) * (bend - lack)
    own = m * m * (b * b + pull - bend) - 4.0 * p * m * (bend - pull)
    own = own + p * p * (2.0 * away * away + 4.0 * (lack - bend)) - 2.0 * p * m * (pull + push)
    return m * pull - p * push, cross, own


def _beside_rayleigh(u: Array, b: Array, m: Array, p: Array, x: Array, bessel: LogBessel) -> Arrays:
    """Return the same derivatives for small shapes b, of which all terms are as small as b^4."""
    square, turn = b * b, x * bessel.ratio
    # x^2/2 - x r
    small = np.minimum(x, 1.0)
    least = np.where(
        x < 1.0, 0.5 * x * x * iv(2, small) / i0e(x) * np.exp(-x), x * (0.5 * x) - turn
    )
    slope = least + square * (0.5 * square - turn)
    own = (1.0 + p) * (turn * turn) * (1.0 + square) - (1.0 + p) * square * x * x
    own = own + 2.0 * square * (square - turn) - 2.0 * p * slope
    return m * slope, 2.0 * p * x * x - (1.0 + p) * (turn * turn), m * own


def _log_tail(u: Array, b: Array, upper: bool) -> Array:
    """Return the logarithm of a tail of the length u of a vector about b, by the smaller one.

    It is Marcum's Q. Its integrand x I_0(x b) exp(-(x^2 + b^2)/2) is looked at from u on, up to
    where it has fallen by exp(-42).
    """
    u, b = np.broadcast_arrays(u, b)
    away = u - b
    above = u * u > b * b + 2.0 * np.log(2.0)
    sign = np.where(above, 1.0, -1.0)
    rise = np.maximum(-sign * away, 0.0)  # to where the integrand is largest
    fall = np.abs(away)
    root = np.sqrt(fall * fall + 2.0 * _LEFT_OUT)
    length = np.where(rise > 0.0, root + fall, 2.0 * _LEFT_OUT / (root + fall))
    length = np.where(above, length, np.minimum(length, u))
    total = np.zeros_like(u)
    for node, weight in zip(0.5 + _NODES, _WEIGHTS, strict=True):
        step = sign * (length * node)
        share = 1.0 + step / u
        total += weight * share * i0e(u * b * share) * np.exp(-step * (away + 0.5 * step))
    smaller = np.log(u) + np.log(length) + np.log(total) - 0.5 * away * away
    smaller = np.minimum(smaller, 0.0)
    return np.where(above == upper, smaller, log_complement(smaller))


def _rise(h: Array) -> Array:
    """Return h (S - 1) of large h, with S the mean over the length of the mean vector."""
    inverse = 1.0 / np.maximum(h, _FAR)
    total, term = np.zeros_like(inverse), np.ones_like(inverse)
    for k in range(1, _TERMS):
        term = term * (k - 1.5) ** 2 / k
        total = total + term
        term = term * inverse
    return total
