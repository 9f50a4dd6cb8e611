"""The base of location-scale laws: give the standard -log density and its two derivatives, the rest follows."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from skmle.families.base import IDENTITY, LOG, Array, Arrays, Family, Param, Rows, Support
from skmle.families.tools.quantiles import centre_and_spread


class LocationScale(Family):
    """Laws of z = (t(y) - loc)/scale with a fixed standard density exp(-rho(z)); t is the identity or the logarithm.

    With s = log scale,  -log q = rho(z) + s,  and all derivatives follow from rho' and rho'':
    d/dloc = -rho'/scale,  d/ds = 1 - z rho',  d2/dloc2 = rho''/scale^2,  d2/dloc ds = (rho' + z rho'')/scale,
    d2/ds2 = z rho' + z^2 rho''.
    """

    parameters: tuple[Param, ...] = (Param("loc", IDENTITY), Param("scale", LOG))
    support = Support()
    spread_sign: ClassVar[float] = 1.0
    """The second eta is spread_sign * log scale: +1 for a scale, -1 for its inverse (Weibull's shape)."""

    @abstractmethod
    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        """Return rho(z) = -log of the standard density (without constants of y alone), rho' and rho''."""

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        loc, spread = eta
        rate = np.exp(-self.spread_sign * spread)
        z = (statistics[0] - loc) * rate
        rho, first, second = self.standard(z, order)
        value = rho + self.spread_sign * spread
        if order < 1:
            return Rows(value)
        assert first is not None
        pull = z * first
        gradient = (-rate * first, self.spread_sign * (1.0 - pull))
        if order < 2:
            return Rows(value, gradient)
        assert second is not None
        bend = z * second
        return Rows(
            value,
            gradient,
            (rate * rate * second, self.spread_sign * rate * (first + bend), pull + z * bend),
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
