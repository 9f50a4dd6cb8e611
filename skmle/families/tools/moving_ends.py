"""Laws of w = log(1 + shape z)/shape, such as the generalised Pareto and extreme-value laws.

w is z where the shape is zero, and all its derivatives are smooth there: each is a power of z times
a power series in shape z. Where 1 + shape z is not positive there is no observation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skmle.families.base import Array, Arrays, Rows
from skmle.families.tools.location_scale import LocationScale

# Distance of the end of the support from the largest observation, relative to it or to the spread,
# at which a likelihood without bound is shown. It has to be far above rounding, so that equal data
# in another order lead to equal densities. Chosen, not measured.
NEARLY_MET = 1e-6
# |shape z| below which quotients are replaced by their power series. At this value the second
# derivative has lost a factor of 2500 to rounding, and the terms of the series fall by 50.
_SERIES, _TERMS = 0.02, 11
# And the one below which 1 - shape z/2 has all digits of w/z.
_LINEAR = 1e-8
_BY_SHAPE = [(-1.0) ** k * k / (k + 1.0) for k in range(1, _TERMS)]
_BEND = [(-1.0) ** k * k * (k - 1.0) / (k + 1.0) for k in range(2, _TERMS + 1)]


class ShapedLog(NamedTuple):
    """w, and its derivatives up to the order asked for. Outside of the support w is infinite."""

    w: Array
    slope: Array | None = None
    """dw/dz = 1/(1 + shape z)."""
    by_shape: Array | None = None
    """dw/dshape."""
    bend: Array | None = None
    """d2w/dshape2."""


def shaped_log(z: Array, shape: Array, order: int) -> ShapedLog:
    """Return log(1 + shape z)/shape with its derivatives, which are zero outside of the support."""
    with np.errstate(all="ignore"):  # outside of the support, and where the shape is zero
        x = np.asarray(shape * z)
        w = np.asarray(np.log1p(np.maximum(x, -1.0)) / shape)
        near = np.flatnonzero(np.abs(x) < _SERIES)
        if near.size:
            z_near, x_near = np.broadcast_to(z, x.shape).reshape(-1)[near], x.reshape(-1)[near]
            linear = np.flatnonzero(np.abs(x_near) < _LINEAR)
            w.reshape(-1)[near[linear]] = z_near[linear] * (1.0 - 0.5 * x_near[linear])
        if order < 1:
            return ShapedLog(w)
        outside = x <= -1.0
        off = bool(outside.any())
        slope = np.where(outside, 0.0, 1.0 / (1.0 + x)) if off else 1.0 / (1.0 + x)
        reach = z * slope
        by_shape = np.asarray((reach - w) / shape)
        bend = None if order < 2 else np.asarray(-(reach * reach + 2.0 * by_shape) / shape)
        if off:
            by_shape[outside] = 0.0
            if bend is not None:
                bend[outside] = 0.0
        if near.size:
            square = z_near * z_near
            by_shape.reshape(-1)[near] = square * _polynomial(_BY_SHAPE, x_near)
            if bend is not None:
                bend.reshape(-1)[near] = square * z_near * _polynomial(_BEND, x_near)
        return ShapedLog(w, slope, by_shape, bend)


def _polynomial(coefficients: list[float], x: Array) -> Array:
    result = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result *= x
        result += coefficient
    return result


def unshaped(w: Array, shape: Array) -> Array:
    """Return z = (exp(shape w) - 1)/shape, of which w is the shaped logarithm."""
    with np.errstate(all="ignore"):
        x = np.asarray(shape * w)
        return np.where(np.abs(x) < _LINEAR, w * (1.0 + 0.5 * x), np.expm1(x) / shape)


class Shaped(LocationScale):
    """The base of laws whose w has a fixed density exp(-rho(w)), with a scale and a shape.

    A law states rho and the tails of w, as a `LocationScale` law does those of z. Scale and shape
    come last among the parameters, behind a location, if there is one. With s = log scale,
    -log q = rho(w) + shape w + s, as dy/dw = scale exp(shape w). The support ends at
    location - scale/shape, above for negative shapes.

    For shapes above -1/2 the density falls smoothly enough to that end for the usual errors. From
    -1/2 down it does not. Below -1 it is infinite there, so that the likelihood has no bound, and
    what a fit returns is a local maximum away from there.

    References
    ----------
    Smith (1985), Maximum likelihood estimation in a class of nonregular cases, Biometrika 72.
    """

    regular = False
    may_be_unbounded = True

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        s, shape = eta[-2:]
        with np.errstate(all="ignore"):
            rate = np.exp(-s)
            z = self._in_scales(statistics, eta, rate)
            log = shaped_log(z, shape, order)
            rho, first, second = self.standard(log.w, order)
            value = rho + shape * log.w + s
            if (outside := np.isinf(log.w)).any():
                value = np.where(outside, np.inf, value)
            if order < 1:
                return Rows(value)
            assert first is not None
            second = second if order > 1 else None
            rows = _rows(value, first + shape, second, log, z, rate, shape, len(eta))
            assert rows.gradient is not None
            assert log.slope is not None
            assert log.by_shape is not None
            gradient = (*rows.gradient[:-2], rows.gradient[-2] + 1.0, rows.gradient[-1] + log.w)
            if order < 2:
                return Rows(value, gradient)
            # Those of shape w, where it is the shape that moves.
            *others, of_scale, cross, own = rows.packed
            assert cross is not None and own is not None
            if len(eta) > 2:
                assert others[2] is not None
                others[2] = others[2] - rate * log.slope
            cross, own = cross - z * log.slope, own + 2.0 * log.by_shape
            return Rows(value, gradient, (*others, of_scale, cross, own))

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        s, shape = eta[-2:]
        with np.errstate(all="ignore"):
            rate = np.exp(-s)
            z = self._in_scales(statistics, eta, rate)
            log = shaped_log(z, shape, order)
            value = -(self.log_sf(log.w) if upper else self.log_cdf(log.w))
            if order < 1:
                return Rows(value)
            first, second = self.tail_slopes(log.w, value, upper)
            outside = np.isinf(log.w)
            if outside.any():
                first, second = np.where(outside, 0.0, first), np.where(outside, 0.0, second)
            return _rows(value, first, second if order > 1 else None, log, z, rate, shape, len(eta))

    def _in_scales(self, statistics: Arrays, eta: Arrays, rate: Array) -> Array:
        return (statistics[0] - eta[0]) * rate if len(eta) > 2 else statistics[0] * rate

    def widened(self, eta: Arrays) -> Arrays:
        return (*eta[:-2], eta[-2] + np.log(2.0), 0.5 * eta[-1])

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        # All of them move the end, and each does so where the others are held.
        return self.names if np.min(eta[-1], initial=np.inf) <= -0.5 else ()

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        # Steps may have been cut off by the end of the support before the shape came to -1.
        if np.min(eta[-1], initial=np.inf) > -0.5:
            return None
        return "shape", (
            "as the shape runs to -inf the end of the support comes near to an observation, around "
            "which the density grows without bound, and no local maximum was found away from there"
        )

    # ---------------------------------------------------------------- the law, whole

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        scale, shape = theta[-2:]
        loc = theta[0] if len(theta) > 2 else np.zeros(())
        with np.errstate(divide="ignore", invalid="ignore"):
            end = loc - scale / shape
        low = np.where(shape > 0.0, end, -np.inf) if len(theta) > 2 else np.zeros(np.shape(end))
        return low, np.where(shape < 0.0, end, np.inf)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        scale, shape = theta[-2:]
        with np.errstate(all="ignore"):
            z = ((y - theta[0]) if len(theta) > 2 else np.maximum(y, 0.0)) / scale
            w = shaped_log(z, np.asarray(shape), 0).w
            return self.log_sf(w) if upper else self.log_cdf(w)

    def of_shaped_log(self, w: Array, theta: Arrays) -> Array:
        """Return the value of y at which the shaped logarithm is w."""
        scale, shape = theta[-2:]
        with np.errstate(over="ignore"):
            y = scale * unshaped(w, np.asarray(shape))
        return theta[0] + y if len(theta) > 2 else y


def _rows(
    value: Array,
    first: Array,
    second: Array | None,
    log: ShapedLog,
    z: Array,
    rate: Array,
    shape: Array,
    k: int,
) -> Rows:
    """Return a function of w with its derivatives in k eta, from those in w."""
    slope, by_shape, bend = log.slope, log.by_shape, log.bend
    assert slope is not None and by_shape is not None
    along = first * slope
    pull = z * along
    gradient = (-pull, first * by_shape)
    if k > 2:
        gradient = (-rate * along, *gradient)  # type: ignore[assignment]
    if second is None:
        return Rows(value, gradient)
    assert bend is not None
    steep = slope * slope
    turn = (second - shape * first) * steep
    cross = second * slope * by_shape - first * (z * steep)
    stretch = z * turn
    curvature = (pull + z * stretch, -z * cross, second * by_shape * by_shape + first * bend)
    if k > 2:
        located = (rate * rate * turn, rate * (along + stretch), -rate * cross)
        curvature = (*located, *curvature)  # type: ignore[assignment]
    return Rows(value, gradient, curvature)
