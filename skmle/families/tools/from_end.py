"""Laws from a free end on, limits of laws of all real numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, Rows, Shortcuts, Support
from skmle.families.tools.location_scale import LocationScale


class FromEnd(Family):
    """A law of size = |y - loc|/scale on one side of `loc`, with the density exp(-rho(size)).

    Its maximum likelihood is at the least, or the largest, of the observations, and there are no
    errors in the usual sense. It is no family of the registry: laws of all real numbers tend to it.

    Parameters
    ----------
    upwards : bool
        Whether y > loc.
    """

    parameters = LocationScale.parameters
    support = Support(fixed=False)
    shortcuts = Shortcuts(starts="final")

    def __init__(self, upwards: bool = True, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.upwards = upwards

    @abstractmethod
    def rho(self, size: Array) -> tuple[Array, Array, Array]:
        """Return rho with two derivatives; its constant is left to `base`."""

    @abstractmethod
    def most_likely_scale(self, size: Array, weight: Array | None) -> float:
        """Return the scale beside distances from the end."""

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        loc, s = eta
        rate, sign = np.exp(-s), 1.0 if self.upwards else -1.0
        size = sign * (statistics[0] - loc) * rate
        value, slope, bend = self.rho(size)
        turn = size * bend
        rows = Rows(
            np.where(size >= 0.0, value + s, np.inf),
            (-sign * rate * slope, 1.0 - size * slope),
            (rate * rate * bend, sign * rate * (slope + turn), size * (slope + turn)),
        )
        return rows.upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        y = statistics[0] if weight is None else statistics[0][weight > 0.0]
        loc = float(y.min() if self.upwards else y.max())
        scale = self.most_likely_scale(np.abs(statistics[0] - loc), weight)
        with np.errstate(divide="ignore"):  # of equal observations
            return [(loc, float(np.log(scale)))]
