"""The base of location-scale laws with shapes: z = (y - loc)/scale has a density of some shapes.

A law states minus the log of the density of z, with its derivatives in z and in the shapes' eta.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from skmle.families.base import Array, Arrays, Rows, triangle
from skmle.families.differences import differences
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.location_scale import LocationScale, in_scales

# Panels of Gauss and Legendre's points on the way out, and what is left out at its end, in nats:
# with 8 times 16 points tails of all laws here have relative errors below 1e-14.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANELS, _NOTHING = 8, 42.0
_PLACES = ((np.arange(_PANELS)[:, None] + 0.5 * (1.0 + _NODES)) / _PANELS).ravel()
_SHARES = np.tile(0.5 * _WEIGHTS / _PANELS, _PANELS)
_DOUBLINGS, _HALVES = 12, 6  # of the way to that end


class Shaped(ByTails, LocationScale):
    """Laws of z = (y - loc)/scale whose density exp(-rho(z, shapes)) has shapes to be fitted.

    All derivatives in location and log scale follow from those of rho in z, as they do for
    `LocationScale`; so do those of the tails.
    """

    @abstractmethod
    def jet(self, z: Array, shapes: Arrays, order: int) -> Rows:
        """Return rho with its derivatives in z and in the chart eta of the shapes, in this order.

        Terms that depend on nothing may be left to `base`.
        """

    @abstractmethod
    def log_tail_of(self, z: Array, shapes: Arrays, upper: bool) -> Array:
        """Return log P(Z > z) if `upper`, else log P(Z <= z), at natural shapes."""

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        raise NotImplementedError(f"{type(self).__name__} has no single standard density; see jet.")

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        loc, s, *shapes = eta
        rate = np.exp(-s)
        z = in_scales(statistics[0] - loc, np.asarray(s), rate)
        rho = self.jet(z, tuple(shapes), order)
        if rho.gradient is None:
            return Rows(rho.value + s)
        slope, *others = rho.gradient
        gradient = (-rate * slope, 1.0 - z * slope, *others)
        if order < 2:
            return Rows(rho.value + s, gradient)
        return Rows(rho.value + s, gradient, _curvature(z, rate, slope, rho.packed))

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        loc, s, *shapes = (np.asarray(e, float) for e in eta)
        rate = np.exp(-s)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            z = in_scales(statistics[0] - loc, s, rate)
            tail = self.tail_jet(z, tuple(shapes), upper, order)
            if tail.gradient is None:
                return tail
            slope, *others = tail.gradient
            gradient = (-rate * slope, -z * slope, *others)
            if order < 2:
                return Rows(tail.value, gradient)
            return Rows(tail.value, gradient, _curvature(z, rate, slope, tail.packed))

    def tail_jet(self, z: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        """Return minus the log of a tail with its derivatives, as `jet` does.

        With the hazard h = q/P(Z > z), -log P(Z > z) has the derivatives h and h (h - rho') in z.
        Those in the shapes are differences.
        """
        sign = 1.0 if upper else -1.0
        constant = float(self.base((np.zeros(1),)))
        known: dict[bytes, Array] = {}  # both functions are asked at the same shapes

        def value(moved: Arrays) -> Array:
            key = b"".join(e.tobytes() for e in moved)
            if key not in known:
                known[key] = -self.log_tail_of(z, self._shapes(moved), upper)
            return known[key]

        def slope(moved: Arrays) -> Array:
            return sign * np.exp(value(moved) - self.jet(z, moved, 0).value - constant)

        own = differences(value, shapes, order)
        if own.gradient is None:
            return own
        first = differences(slope, shapes, order - 1)
        gradient = (first.value, *own.gradient)
        if first.gradient is None:
            return Rows(own.value, gradient)
        rho = self.jet(z, shapes, 1).gradient
        assert rho is not None
        bend = first.value * (first.value - rho[0])
        return Rows(own.value, gradient, (bend, *first.gradient, *own.packed))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, *shapes = theta
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return self.log_tail_of((y - loc) / scale, tuple(shapes), upper)

    def _shapes(self, eta: Arrays) -> Arrays:
        """Return the natural shapes at their chart eta."""
        charts = (param.chart for param in self.parameters[2:])
        return tuple(chart.theta(e) for chart, e in zip(charts, eta, strict=True))

    def entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools.numerical import entropy

        known = self.known_entropy(theta)
        return entropy(self, theta) if known is None else np.asarray(known, float)


def _curvature(
    z: Array, rate: Array, slope: Array, packed: Sequence[Array | None]
) -> tuple[Array, ...]:
    """Return the curvature in (loc, log scale, shapes) from that in (z, shapes)."""
    k = int(np.sqrt(2.0 * len(packed)))
    entries = (np.zeros(()) if entry is None else entry for entry in packed)
    at = dict(zip(triangle(k), entries, strict=True))
    turn = z * at[0, 0]
    shapes = range(1, k)
    return (
        rate * rate * at[0, 0],
        rate * (slope + turn),
        *(-rate * at[0, j] for j in shapes),
        z * (slope + turn),
        *(-z * at[0, j] for j in shapes),
        *(at[i, j] for i in shapes for j in range(i, k)),
    )


def log_upper_integral(rho: Callable[[Array], Array], z: Array, unit: Array) -> Array:
    """Return log of the integral of exp(-rho) from z on, where rho rises beyond z.

    The way out is exp(u) - 1 times the unit, so that tails like a power of t are as good as those
    like an exponential.

    Parameters
    ----------
    rho : callable
        t of shape (..., m) -> minus a log density.
    z : ndarray
    unit : ndarray
        About the length on which rho rises by one beyond z.
    """
    z, unit = z[..., None], unit[..., None]
    start = rho(z)
    beyond = ~np.isfinite(start)  # where nothing is left of the density
    z, start = np.where(beyond, 0.0, z), np.where(beyond, 0.0, start)

    def fall(u: Array) -> Array:
        """Return how far the log of the integrand in u has fallen."""
        return rho(z + unit * np.expm1(u)) - start - u

    low, high = np.zeros_like(z + unit), np.ones_like(z + unit)
    for _ in range(_DOUBLINGS):
        near = fall(high) < _NOTHING
        if not near.any():
            break
        low, high = np.where(near, high, low), np.where(near, 2.0 * high, high)
    for _ in range(_HALVES):
        middle = 0.5 * (low + high)
        near = fall(middle) < _NOTHING
        low, high = np.where(near, middle, low), np.where(near, high, middle)
    values = np.exp(-fall(high * _PLACES))
    total = (unit * high)[..., 0] * (values @ _SHARES)
    return np.where(beyond[..., 0], -np.inf, np.log(total) - start[..., 0])
