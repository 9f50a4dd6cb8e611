"""Laws of t(y) = loc + scale * a standard normal variable.

Among the location-scale laws they are the ones with sufficient statistics.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from skmle.families.base import Array, Arrays, Rows, Shortcuts, average
from skmle.families.tools.location_scale import LocationScale

_SQUARABLE = 1e-140, 1e140  # squares of doubles between these neither underflow nor overflow


class Gaussian(LocationScale):
    """Location-scale laws with -log q = z^2/2 + log scale.

    A row of statistics may stand for many rows. It then has three numbers: their mean, their
    standard deviation, and by how much rounding has missed the mean.
    """

    shortcuts = Shortcuts(starts="maximum", sums="statistics")

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        return 0.5 * z * z, z, np.ones(())

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        if len(statistics) == 1:
            return super().evaluate(statistics, eta, order)
        loc, spread = eta
        rate = np.exp(-spread)
        # Beside a location that is held, what rounding has missed of the mean counts.
        mean, deviation, missed = statistics
        z, within = ((mean - loc) + missed) * rate, deviation * rate
        square = z * z + within * within
        value = 0.5 * square + spread
        if order < 1:
            return Rows(value)
        gradient = (-rate * z, 1.0 - square)
        if order < 2:
            return Rows(value, gradient)
        return Rows(value, gradient, (np.asarray(rate * rate), 2.0 * rate * z, 2.0 * square))

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # By the third number rounding has missed the mean. Whoever joins such rows needs it: of
        # numbers like 1e6 with a spread of 1e-6 it would change the spread in the sixth digit.
        y, *more = statistics
        if more and len(y) == 1:
            return statistics
        within, missed = more or (None, 0.0)
        mean = average(y, weight)
        away = y - mean + missed if more else y - mean
        rest = average(away, weight)
        root = root_mean_square(away, weight)
        if root > 0.0:
            root *= float(np.sqrt(max(1.0 - (rest / root) ** 2, 0.0)))  # about the mean itself
        inside = 0.0 if within is None else root_mean_square(within, weight)
        nearest = mean + rest
        numbers = nearest, np.hypot(root, inside), rest - (nearest - mean)
        return tuple(np.array([number]) for number in numbers)

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        if len(statistics) == 1:
            return super().centre_and_spread(statistics, weight)
        (mean,), (sd,), _ = self.collapse(statistics, weight)
        return float(mean), float(sd) if sd > 0.0 else abs(float(mean)) or 1.0

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        return (statistics[0] - origin) / unit, *(s / unit for s in statistics[1:])

    def log_sf(self, z: Array) -> Array:
        return log_ndtr(-z)

    def log_cdf(self, z: Array) -> Array:
        return log_ndtr(z)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (mean,), (sd,), _ = self.collapse(statistics, weight)
        with np.errstate(divide="ignore"):  # log(0) if all observations are equal
            return [(float(mean), float(np.log(sd)))]


def root_mean_square(values: Array, weight: Array | None) -> float:
    """Return the (weighted) root mean square, also of numbers whose squares are none."""
    with np.errstate(over="ignore"):
        root = np.sqrt(average(values * values, weight))
    if _SQUARABLE[0] < root < _SQUARABLE[1]:
        return float(root)
    largest = float(np.abs(values).max())
    if not largest > 0.0:
        return 0.0
    return largest * float(np.sqrt(average((values / largest) ** 2, weight)))
