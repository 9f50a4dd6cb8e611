"""The base of location-scale laws.

A law states minus the log of its standard density, with two derivatives; the rest follows.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from skmle.families.base import (
    IDENTITY,
    LOG,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Saturated,
    Support,
    triangle,
)
from skmle.families.law import ByLogTail
from skmle.families.tools.expected import expected_curvature
from skmle.families.tools.quantiles import centre_and_spread

# Scale, in spreads of y, at which a law that interpolates all rows is shown: small beside y, and
# far from underflow. Chosen, not measured.
NEARLY_NO_SCALE = 1e-8

SPREAD_SIGNS = {"scale": 1.0, "rate": -1.0}
"""For each unit of a parameter, the sign with which log scale enters its eta."""


class InUnitsOfY(Family):
    """The base of laws of a location and a scale, which are fitted in units of their data."""

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the origin and the unit in which y is measured inside a fit."""
        return centre_and_spread(statistics[0], weight)

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        """Return the statistics of (y - origin)/unit."""
        return ((statistics[0] - origin) / unit,)

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Interpolate y by the location; the density grows without bound as the scale vanishes."""
        _, spread = self.centre_and_spread(statistics, None)
        first, *others = self.parameters
        spreads = [param for param in others if param.unit in SPREAD_SIGNS]
        if first.unit != "location" or len(spreads) != 1:
            return None
        log_scale = float(np.log(NEARLY_NO_SCALE) + np.log(spread))  # the product may be no number
        etas = tuple(SPREAD_SIGNS.get(param.unit, 0.0) * log_scale for param in others)
        sign = SPREAD_SIGNS[spreads[0].unit]
        return Saturated(statistics[0], etas, spreads[0].name, sign, spread=spread)


class LocationScale(ByLogTail, InUnitsOfY):
    """Laws of z = (t(y) - loc)/scale with a fixed standard density exp(-rho(z)).

    Here t is the identity or the logarithm.

    With s = log scale, -log q = rho(z) + s, and all derivatives follow from rho' and rho'':

        d/dloc = -rho'/scale                d/ds = 1 - z rho'
        d2/dloc2 = rho''/scale^2            d2/dloc ds = (rho' + z rho'')/scale
        d2/ds2 = z rho' + z^2 rho''

    For a tail L(z) = -log P(Z > z), the hazard h = q/P(Z > z) gives L' = h and L'' = h (h - rho');
    the lower tail is its mirror. So censored observations need no more than `log_sf` and `log_cdf`.
    """

    parameters: tuple[Param, ...] = (
        Param("loc", IDENTITY, unit="location"),
        Param("scale", LOG, unit="scale"),
    )
    support = Support()

    @property
    def spread_sign(self) -> float:
        """The second eta over log scale: 1 for a scale, -1 for its inverse (Weibull's shape)."""
        return SPREAD_SIGNS[self.parameters[1].unit]

    @abstractmethod
    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        """Return rho(z), rho'(z) and rho''(z), where rho is minus the log of the standard density.

        Terms that depend on y only may be left out.
        """

    def log_sf(self, z: Array) -> Array:
        """Return log P(Z > z) of the standard law; by default scipy's."""
        return self._standard_law.logsf(self.restore((z,)))

    def log_cdf(self, z: Array) -> Array:
        """Return log P(Z <= z) of the standard law; by default scipy's."""
        return self._standard_law.logcdf(self.restore((z,)))

    @property
    def _standard_law(self) -> Any:
        return self.to_scipy(tuple(p.chart.theta(np.zeros(())) for p in self.parameters))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        loc, spread = eta
        sign = self.spread_sign
        rate = np.exp(-sign * spread)
        z = in_scales(statistics[0] - loc, sign * np.asarray(spread), rate)
        rho, first, second = self.standard(z, order)
        value = rho + sign * spread
        if order < 1:
            return Rows(value)
        assert first is not None
        pull = z * first
        gradient = (-rate * first, sign * (1.0 - pull))
        if order < 2:
            return Rows(value, gradient)
        assert second is not None
        turn = z * second
        curvature = (rate * rate * second, sign * rate * (first + turn), pull + z * turn)
        return Rows(value, gradient, curvature)

    def std(self, theta: Arrays) -> Array:
        loc, scale, *shapes = theta  # the square of a scale may be no number
        return scale * np.sqrt(self.variance((np.zeros_like(loc), np.ones_like(scale), *shapes)))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # That of the standard law, in scales.
        _, spread, *shapes = eta
        still = self.standard_curvature((np.zeros(()), np.zeros(()), *shapes))
        rate = np.exp(-self.spread_sign * np.asarray(spread))
        places = triangle(len(eta))
        return tuple(
            entry * rate ** ((a == 0) + (b == 0))
            for (a, b), entry in zip(places, still, strict=True)
        )

    def standard_curvature(self, eta: Arrays) -> Arrays:
        """Return the expected curvature of a law whose location and log scale are 0."""
        return expected_curvature(self, eta)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, spread = self.chart(self.eta(theta))[:2]
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            log_scale = self.spread_sign * np.asarray(spread)
            inside = np.maximum(y, self.support.low)  # of log y there is nothing below zero
            z = in_scales(self.statistics(inside)[0] - loc, log_scale, np.exp(-log_scale))
            return self.log_sf(z) if upper else self.log_cdf(z)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        if len(self.parameters) > 2:  # a shape, in which the tail has to be differenced
            return super().tail(statistics, eta, upper, order)
        loc, spread = eta
        sign = self.spread_sign
        rate = np.exp(-sign * spread)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            z = (statistics[0] - loc) * rate
            value = -(self.log_sf(z) if upper else self.log_cdf(z))
            if order < 1:
                return Rows(value)
            first, second = self.tail_slopes(z, value, upper)
            gradient = (-rate * first, -sign * z * first)
            if order < 2:
                return Rows(value, gradient)
            turn = z * second
            curvature = (rate * rate * second, sign * rate * (first + turn), z * first + z * turn)
            return Rows(value, gradient, curvature)

    @property
    def _constant(self) -> float:
        """-log q(z) less rho(z), of the standard law."""
        return float(np.ravel(self.base((np.zeros(1),)))[0])

    def tail_slopes(self, z: Array, value: Array, upper: bool) -> tuple[Array, Array]:
        """Return the first two derivatives in z of a tail whose value is known."""
        rho, slope, _ = self.standard(z, 1)
        assert slope is not None
        hazard = np.exp(value - rho - self._constant)
        return (
            (hazard, hazard * (hazard - slope)) if upper else (-hazard, hazard * (hazard + slope))
        )


def in_scales(residual: Array, log_scale: Array, rate: Array) -> Array:
    """Return residual * rate, where rate is exp(-log_scale): infinite if the scale is denormal."""
    if np.isinf(rate).any():
        half = np.exp(-0.5 * log_scale)
        return residual * half * half
    return residual * rate


class LogLocationScale(LocationScale):
    """Location-scale laws of log y, for positive y."""

    support = Support(0.0)

    def statistics(self, y: Array) -> Arrays:
        """Return log y."""
        return (np.log(y),)

    def base(self, statistics: Arrays) -> Array:
        """Return log y, the Jacobian of the logarithm."""
        return statistics[0]

    def restore(self, statistics: Arrays) -> Array:
        return np.exp(statistics[0])
