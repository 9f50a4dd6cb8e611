"""The base of location-scale laws: give the standard -log density and its two derivatives, the rest follows."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from skmle.families.base import IDENTITY, LOG, Array, Arrays, Family, Param, Rows, Support
from skmle.families.tools.quantiles import centre_and_spread

SPREAD_SIGNS = {"scale": 1.0, "rate": -1.0}
"""Of a parameter's unit: the sign with which log scale enters its eta."""


class LocationScale(Family):
    """Laws of z = (t(y) - loc)/scale with a fixed standard density exp(-rho(z)); t is the identity or the logarithm.

    With s = log scale,  -log q = rho(z) + s,  and all derivatives follow from rho' and rho'':
    d/dloc = -rho'/scale,  d/ds = 1 - z rho',  d2/dloc2 = rho''/scale^2,  d2/dloc ds = (rho' + z rho'')/scale,
    d2/ds2 = z rho' + z^2 rho''.
    """

    parameters: tuple[Param, ...] = (
        Param("loc", IDENTITY, unit="location"),
        Param("scale", LOG, unit="scale"),
    )
    support = Support()

    @property
    def spread_sign(self) -> float:
        """What the second eta is of log scale: 1 for a scale, -1 for its inverse (Weibull's shape)."""
        return SPREAD_SIGNS[self.parameters[1].unit]

    @abstractmethod
    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        """Return rho(z) = -log of the standard density (without constants of y alone), rho' and rho''."""

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        loc, spread = eta
        sign = self.spread_sign
        rate = np.exp(-sign * spread)
        z = (statistics[0] - loc) * rate
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
        bend = z * second
        return Rows(
            value,
            gradient,
            (rate * rate * second, sign * rate * (first + bend), pull + z * bend),
        )

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the origin and the unit in which y is measured inside a fit."""
        return centre_and_spread(statistics[0], weight)

    def standardise(self, statistics: Arrays, origin: float, unit: float) -> Arrays:
        """Return the statistics of (y - origin)/unit."""
        return ((statistics[0] - origin) / unit,)

    def saturated(self, statistics: Arrays) -> tuple[Array, tuple[float, ...]]:
        """Interpolate: the likelihood grows without bound as the scale goes to zero."""
        return statistics[0], (self.spread_sign * np.log(1e-8),)


class LogLocationScale(LocationScale):
    """Location-scale laws of log y, for positive y."""

    support = Support(0.0)

    def statistics(self, y: Array) -> Arrays:
        """Return log y."""
        return (np.log(y),)

    def base(self, statistics: Arrays) -> Array:
        """Return log y, the Jacobian of the logarithm."""
        return statistics[0]
