"""The skew-normal law in units of its own mean and standard deviation, with derivatives.

Its skewness is most * v^3, v in (-1, 1). Of z = (c v + u)/sqrt(D) with D = 1 + c^2 v^2, the density
is that of Azzalini's law, 2 phi(z) Phi(x) with x = shape z, and shape^2 = (1 + c^2) v^2/(1 - v^2);
u has the mean 0 and the variance 1.

A change of the skewness by t^3 changes log q by t^3 and higher powers, so that the derivative in v
falls like v^2 next to v = 0. It is that in the skewness that has a limit there, as the quotient of
the two. In these quotients terms cancel; they are written down without those terms (`_Near`) where
they would take digits away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr, owens_t

from skmle.families.records import Array, Rows
from skmle.families.tools.normal_tails import minus_log_normal_cdf
from skmle.families.tools.special import LOG_2PI, log_complement

_R = 2.0 / (np.pi - 2.0)  # c^2
_C = float(np.sqrt(_R))
_Q = float(np.sqrt(1.0 + _R))  # shape sqrt(1 - v^2)/v
_ROOT = float(np.sqrt(2.0 / np.pi))  # the derivative of -log Phi at 0, less its sign

MOST_SKEWED = float((2.0 - 0.5 * np.pi) * _R * _C)
"""The skewness of the half-normal law, 0.9953, which is not reached."""

# |v| up to which quotients by v^2 lose digits, and |x| up to which series take their place.
_SMALL, _CLOSE = 0.1, 0.5
# |v| up to which the second derivative in the skewness is that at this one: it tends to infinity
# like skewness^(-2/3), with a mean of zero, and would hide the information where v is estimated.
_FLAT = 1e-4
# What is left of the larger term where the difference of two has lost three digits, and z from
# which a sum of tails is integrated, before it underflows.
_LOST, _FAR = 1e-3, 12.0
# Nats below which nothing is left of an integrand, and Gauss and Legendre's points on (0, 1).
_NOTHING = 45.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_NODES, _WEIGHTS = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS
# Eta beyond which the law is half-normal to the last digit, and beyond which cubes overflow.
_HALF_NORMAL = 100.0
_HALF = 0.5 * LOG_2PI - float(np.log(2.0))  # -log of the half-normal density at its end


def _series(count: int = 26) -> tuple[Array, Array, Array]:
    """Return the coefficients of what the first terms leave of three functions.

    (phi/Phi(x) - b + b^2 x)/x^2, b = phi/Phi(0); expm1(-x^2/2)/x^2; (2 Phi(x) - 1 - b x)/x^3.
    """
    mills = [_ROOT]  # g' = -g (x + g)
    for j in range(count):
        square = sum(mills[i] * mills[j - i] for i in range(j + 1))
        mills.append(-(square + (mills[j - 1] if j else 0.0)) / (j + 1))
    bell, normal = np.zeros(count), np.zeros(count)
    term = 1.0
    for j in range(1, count // 2):
        term *= -0.5 / j
        bell[2 * j - 2], normal[2 * j - 2] = term, _ROOT * term / (2 * j + 1)
    return np.array(mills[2:]), bell, normal


_MILLS, _BELL, _NORMAL = _series()


def _with_slope(x: Array, coefficients: Array) -> tuple[Array, Array]:
    slope = polynomial.polyder(coefficients)
    both = polynomial.polyval(x, coefficients), polynomial.polyval(x, slope)
    return np.asarray(both[0], float), np.asarray(both[1], float)


@dataclass
class Skewing:
    """What depends on the skewness alone: numbers, or one a row."""

    v: Array
    rest: Array
    """1 - v^2, with all its digits."""
    rise: Array
    """The derivative of v^3 in eta, over 3."""

    @classmethod
    def at(cls, eta: Array) -> Skewing:
        """Return it at eta = artanh(v^3)."""
        eta = np.clip(np.asarray(eta, float), -_HALF_NORMAL, _HALF_NORMAL)
        cube = np.tanh(eta)
        fall = np.exp(-2.0 * np.abs(eta))
        slope = 4.0 * fall / np.square(1.0 + fall)  # 1 - cube^2
        v = np.cbrt(cube)
        far = slope < 0.5
        rest = np.where(far, -np.expm1(np.log1p(-np.where(far, slope, 0.0)) / 3.0), 1.0 - v * v)
        return cls(v, rest, slope / 3.0)

    def __post_init__(self) -> None:
        self.k = 1.0 / np.sqrt(self.rest)
        self.d = 1.0 + _R * self.v * self.v
        self.inverse = 1.0 / self.d
        self.s = np.sqrt(self.inverse)

    @property
    def shape(self) -> Array:
        """Azzalini's shape."""
        return _Q * self.v * self.k

    @property
    def away(self) -> Array:
        """How many standard deviations the mean lies above Azzalini's location."""
        return _C * self.v

    @property
    def small(self) -> NDArray[np.bool_]:
        """Where quotients by v^2 lose digits."""
        return np.abs(self.v) < _SMALL

    def take(self, rows: NDArray[np.bool_], like: Array) -> Skewing:
        """Return that of some rows, of as many as `like` has."""
        own = (np.broadcast_to(e, like.shape)[rows] for e in (self.v, self.rest, self.rise))
        return Skewing(*own)


@dataclass
class _Places:
    """z and x at u, with derivatives in v."""

    u: Array
    of: Skewing

    def __post_init__(self) -> None:
        own, u = self.of, self.u
        self.t = own.away + u
        self.m = 1.0 - own.away * u
        self.z = own.s * self.t
        self.z_v = _C * own.s * own.inverse * self.m
        self.x = own.shape * self.z
        self.x_v = _Q * own.k * (np.square(own.k) * self.z + own.v * self.z_v)

    @property
    def z_vv(self) -> Array:
        own = self.of
        bend = 3.0 * _R * own.v * own.inverse * self.m + _C * self.u
        return -_C * own.s * own.inverse * bend

    @property
    def x_vv(self) -> Array:
        own, square = self.of, np.square(self.of.k)
        bend = square * (3.0 * square * own.v * self.z + 2.0 * self.z_v) + own.v * self.z_vv
        return _Q * own.k * bend

    @property
    def z_uv(self) -> Array:
        return -_R * self.of.v * self.of.s * self.of.inverse

    @property
    def x_uv(self) -> Array:
        own = self.of
        return _Q * own.k * (np.square(own.k) * own.s + own.v * self.z_uv)


# ---------------------------------------------------------------- the density


def density_jet(u: Array, eta: Array, order: int) -> Rows:
    """Return -log of the density of u, less log(2 pi)/2, with derivatives in u and eta."""
    own = Skewing.at(eta)
    at = _Places(u, own)
    below, slope, bend = minus_log_normal_cdf(at.x)
    value = 0.5 * at.z * at.z + below - np.log(2.0) + 0.5 * np.log(own.d)
    if order < 1:
        return Rows(value)
    rise = at.z + own.shape * slope
    square = np.maximum(own.v * own.v, np.finfo(float).tiny)
    quotient = (at.z * at.z_v + slope * at.x_v + _R * own.v * own.inverse) / square
    close = own.small & (np.abs(at.x) < _CLOSE)
    near = None
    if close.any():
        near = _Near(_Places(u[close], own.take(close, u)))
        quotient[close] = near.quotient
    gradient = (own.s * rise, own.rise * quotient)
    if order < 2:
        return Rows(value, gradient)
    second = at.z_v * at.z_v + at.z * at.z_vv + bend * at.x_v * at.x_v + slope * at.x_vv
    second = second + _R * np.square(own.inverse) * (1.0 - _R * own.v * own.v)
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = second / square - 2.0 * quotient / own.v
    x_u = own.shape * own.s
    cross = own.s * at.z_v + at.z * at.z_uv + bend * x_u * at.x_v + slope * at.x_uv
    cross = cross / square
    if near is not None:
        turn[close], cross[close] = near.turn, near.cross
    curvature = (
        np.square(own.s) * (1.0 + np.square(own.shape) * bend),
        own.rise * cross,
        _second(own, quotient, turn),
    )
    return Rows(value, gradient, curvature)


def _second(own: Skewing, quotient: Array, turn: Array) -> Array:
    """Return the second derivative in eta, from that in v over v^2 and its derivative in v."""
    square = np.maximum(own.v * own.v, _FLAT * _FLAT)
    return own.rise * (own.rise * turn / square - 2.0 * own.v**3 * quotient)


class _Near:
    """The derivative of -log q in v over v^2, and its own in v and u, next to v = 0 and x = 0."""

    def __init__(self, at: _Places) -> None:
        own, t, m, u = at.of, at.t, at.m, at.u
        v, k2, inverse = own.v, np.square(own.k), own.inverse
        # Quotients by v^2: of g - 1 with g = k sqrt(D), of g^3 - 1, and of k^4 D - 1.
        q2 = _Q * _Q
        g = own.k / own.s
        two = q2 * k2 / (1.0 + g)
        powers = 1.0 + g + g * g
        one, four = two * powers, k2 * (q2 + g * g)
        parts = 2.0 * _R * t + _R * k2 * t * m - t * one
        self._sum = _C * parts + _R * v * (t * t * four - m * two)
        # Their derivatives in v.
        g_v = v * q2 * k2 * k2 / g
        two_v = (2.0 * q2 * v * k2 * k2 - two * g_v) / (1.0 + g)
        one_v = two_v * powers + two * (1.0 + 2.0 * g) * g_v
        four_v = 2.0 * v * k2 * k2 * (q2 + g * g) + 2.0 * k2 * q2 * v * k2 * k2
        parts_v = 2.0 * _R * _C + _R * (2.0 * v * k2 * k2 * t * m + k2 * _C * (m - t * u))
        parts_v -= _C * one + t * one_v
        last = t * t * four - m * two + v * (2.0 * _C * t * four + t * t * four_v)
        last += v * (_C * u * two - m * two_v)
        sum_v = _C * parts_v + _R * last - 4.0 * _R * v * inverse * self._sum
        parts_u = 2.0 * _R + _R * k2 * (m - own.away * t) - one
        sum_u = _C * parts_u + _R * v * (2.0 * t * four + own.away * two)
        # What is left of phi/Phi(x) after two terms, r x^2, meets the derivatives of x.
        r, r_x = _with_slope(at.x, _MILLS)
        y = _Q * own.k * at.z  # x/v
        y_v, y_u = _Q * own.k * (v * k2 * at.z + at.z_v), _Q * own.k * own.s
        x_u = own.shape * own.s
        fourth = inverse * inverse
        self.quotient = fourth * self._sum - r * y * y * at.x_v
        self.turn = fourth * sum_v - y * (
            (r_x * at.x_v * y + 2.0 * r * y_v) * at.x_v + r * y * at.x_vv
        )
        self.cross = fourth * sum_u - y * (
            (r_x * x_u * y + 2.0 * r * y_u) * at.x_v + r * y * at.x_uv
        )


# ---------------------------------------------------------------- the tails


def log_tail(u: Array, eta: Array, upper: bool) -> Array:
    """Return log P(U > u) if `upper`, else log P(U <= u)."""
    own = Skewing.at(eta)
    sign = 1.0 if upper else -1.0
    z, shape = np.broadcast_arrays(sign * own.s * (own.away + u), sign * own.shape)
    # Both tails are sums or differences of these; that of a sum has all its digits.
    with np.errstate(all="ignore"):
        normal, cut = ndtr(-z), 2.0 * owens_t(z, shape)
        tail = normal + cut
        whole = tail > 0.5
        rest = ndtr(z) - cut
        result = np.where(whole, log_complement(np.log(rest)), np.log(tail))
        poor = ~whole & (((shape < 0.0) & (tail < _LOST * normal)) | (z > _FAR))
        if poor.any():
            result[poor] = _integrated(z[poor], shape[poor])
        poor = whole & (((shape > 0.0) & (rest < _LOST * ndtr(z))) | (z < -_FAR))
        if poor.any():
            result[poor] = log_complement(_integrated(-z[poor], -shape[poor]))
    return result


def _integrated(z: Array, shape: Array) -> Array:
    """Return log P(Z > z), z > 0, of Azzalini's law by quadrature, as its density falls from z on.

    It falls like exp(-t^2/2), and for a negative shape, which leaves little there, like
    exp(-(1 + shape^2) t^2/2).
    """
    thin = shape < 0.0
    steep = np.where(thin, np.hypot(1.0, shape), 1.0)
    reach = 2.0 * _NOTHING / (np.sqrt(2.0 * _NOTHING + np.square(steep * z)) + steep * z) / steep
    step = reach[:, None] * _NODES
    fall = 0.5 * np.square(steep[:, None]) * step * (2.0 * z[:, None] + step)
    x = shape[:, None] * (z[:, None] + step)
    share = np.where(x < 0.0, 0.5 * erfcx(np.sqrt(0.5) * np.abs(x)), ndtr(x))
    whole = reach * ((np.exp(-fall) * share) @ _WEIGHTS)
    return np.log(whole) - 0.5 * np.square(steep * z) - _HALF


def tail_jet(value: Array, u: Array, eta: Array, upper: bool, order: int) -> Rows:
    """Return minus the logarithm of a tail, whose `value` is known, with derivatives.

    The upper tail rises with v by q(u) times what is called `lift` here, times v^2.
    """
    if order < 1:
        return Rows(value)
    own = Skewing.at(eta)
    u, value = np.broadcast_arrays(u, value)
    at = _Places(u, own)
    sign = 1.0 if upper else -1.0
    density = density_jet(u, eta, 1)
    assert density.gradient is not None
    hazard = sign * np.exp(value - density.value - 0.5 * LOG_2PI)
    lift, lift_v = _lift(at)
    # It comes with phi(z), and below x = 0 with phi(x), too.
    low = at.x < 0.0
    exponent = value - 0.5 * (at.z * at.z + np.where(low, at.x * at.x, 0.0) + LOG_2PI)
    share = sign * _C * own.inverse * np.exp(exponent)
    moved = own.rise * share * lift
    gradient = (hazard, -moved)
    if order < 2:
        return Rows(value, gradient)
    slope, turn = density.gradient
    fall = at.z * at.z_v + np.where(low, at.x * at.x_v, 0.0) + 2.0 * _R * own.v * own.inverse
    second = _second(own, share * lift, share * (lift_v - fall * lift))
    curvature = (
        hazard * (hazard - slope),
        -hazard * (turn + moved),
        moved * moved - second,
    )
    return Rows(value, gradient, curvature)


def _lift(at: _Places) -> tuple[Array, Array]:
    """Return (k exp(-x^2/2) - 2 m Phi(x)/sqrt(D))/v^2 and its derivative in v.

    Below x = 0, both are without their factor exp(-x^2/2).
    """
    own, x, m = at.of, at.x, at.m
    low = x < 0.0
    bell = np.where(low, 1.0, np.exp(-0.5 * x * x))
    half = erfcx(np.sqrt(0.5) * np.abs(x))
    twice = np.where(low, half, 2.0 - half * np.exp(-0.5 * x * x))
    k3, m_v = own.k**3, -_C * at.u
    sm = own.s * m
    sm_v = own.s * (m_v - _R * own.v * own.inverse * m)
    square = np.maximum(own.v * own.v, np.finfo(float).tiny)
    with np.errstate(all="ignore"):
        lift = (own.k * bell - sm * twice) / square
        grows = bell * (own.v * k3 - own.k * x * at.x_v)
        grows = grows - _ROOT * bell * at.x_v * sm - twice * sm_v
        lift_v = grows / square - 2.0 * lift / own.v
    lift_v = lift_v + np.where(low, x * at.x_v * lift, 0.0)
    close = own.small & (np.abs(x) < _CLOSE)
    if close.any():
        some = _Places(at.u[close], own.take(close, at.u))
        own, x = some.of, some.x
        own_lift, own_lift_v = _near_lift(some)
        factor = np.where(x < 0.0, np.exp(0.5 * x * x), 1.0)
        lift[close], lift_v[close] = factor * own_lift, factor * own_lift_v
    return lift, lift_v


def _near_lift(at: _Places) -> tuple[Array, Array]:
    """Return `_lift` next to v = 0 and x = 0, with the factor exp(-x^2/2)."""
    own, v, u, x, m = at.of, at.of.v, at.u, at.x, at.m
    k2, inverse = np.square(own.k), own.inverse
    slope = _C * u
    root = np.sqrt(own.rest * own.d)
    root_v = ((_R - 1.0) * v - 2.0 * _R * v**3) / root
    part = (1.0 - _R + _R * v * v) / (1.0 + root)
    part_v = (2.0 * _R * v - part * root_v) / (1.0 + root)
    inner = slope * (_R * v + slope) + m * part
    inner_v = slope * (_R - part) + m * part_v
    first = own.k * inverse * inner
    first_v = own.k * inverse * (inner_v + inner * v * (k2 - 2.0 * _R * inverse))
    (bell, bell_x), (rest, rest_x) = _with_slope(x, _BELL), _with_slope(x, _NORMAL)
    y = _Q * own.k * at.z
    y_v = _Q * own.k * (v * k2 * at.z + at.z_v)
    sm, sm_v = own.s * m, -own.s * (slope + _R * v * inverse * m)
    lift = first + own.k * y * y * bell - sm * x * y * y * rest
    lift_v = first_v + own.k * y * (v * k2 * y * bell + 2.0 * y_v * bell + y * bell_x * at.x_v)
    last = sm_v * x * y * rest + sm * (at.x_v * y * rest + 2.0 * x * y_v * rest)
    return lift, lift_v - y * (last + sm * x * y * rest_x * at.x_v)
