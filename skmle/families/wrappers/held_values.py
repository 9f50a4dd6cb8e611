"""The values of parameters that are held, in the units in which a fit measures y."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Family, Param
from skmle.families.tools.location_scale import SPREAD_SIGNS
from skmle.families.wrappers.free_parameters import FreeParameters


class HeldValues(FreeParameters):
    """The base of a law some of whose natural parameters are held: what another unit makes of them.

    A location or a scale that is held moves with y, as one that is free does.
    """

    @property
    def unit_moves(self) -> tuple[float, ...]:  # type: ignore[override]
        moves = self.inner.unit_moves
        return tuple(moves[j] for j in self.free) if moves else ()

    def measured(self, origin: float, unit: float) -> Family:
        """Return the law with the values held measured as y is."""
        values = dict(self.values)
        for param, move in zip(self.inner.parameters, self._moves, strict=True):
            if (param.unit or move) and param.name in values:
                eta = param.chart.forward(np.asarray(values[param.name], float))
                if param.unit == "location":
                    eta = (eta - origin) / unit
                else:
                    eta = eta - move * np.log(unit)
                values[param.name] = float(param.chart.theta(eta))
        return type(self)(self.inner.measured(origin, unit), values)

    @property
    def _moves(self) -> tuple[float, ...]:
        """By how much the eta of each parameter rises with the logarithm of the unit of y."""
        units = (SPREAD_SIGNS.get(param.unit, 0.0) for param in self.inner.parameters)
        return self.inner.unit_moves or tuple(units)

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        """Return the location and the scale that are held; for one that is not, that of y.

        Beside a location that is held, the scale is about the distance from there, which may be
        much more than the spread of y.
        """
        origin, unit = self.inner.centre_and_spread(statistics, weight)
        if (loc := self._held_alone("location")) is not None:
            origin = float(loc[1])
            away = self.inner.standardise(statistics, origin, 1.0)
            centre, spread = self.inner.centre_and_spread(away, weight)
            unit = max(abs(centre), spread)
        if (scale := self._held_alone("scale", "rate")) is not None:
            param, eta = scale
            unit = float(np.exp(SPREAD_SIGNS[param.unit] * eta))
        return origin, unit

    def _held_alone(self, *units: str) -> tuple[Param, Array] | None:
        """Return the first parameter held that has such a unit, and its eta, if none is free."""
        if any(param.unit in units for param in self.parameters):
            return None
        held = [param for param in self.inner.parameters if param.name in self.values]
        pairs = zip(held, self._held, strict=True)
        return next((pair for pair in pairs if pair[0].unit in units), None)
