"""Laws of a mean and a dispersion that are other such laws, whose dispersion goes with the mean.

The dispersion inside is dispersion * mean^tilt. For one law this is another name of it, but in a
regression another model: the same features then act on another relation of variance and mean.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from skmle.families.base import Array, Arrays, Family, Rows
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails


class Tilted(ByStd, ByTails):
    """A law of `mean` and `dispersion`, both positive, by another law of a mean and a dispersion.

    A subclass states `within` and `tilt`.
    """

    within: ClassVar[Family]
    """The other law, whose parameters are a mean and a dispersion on the chart log."""
    tilt: ClassVar[float]
    """The power of the mean by which the dispersion is multiplied inside."""

    def _inner_eta(self, eta: Arrays) -> Arrays:
        return eta[0], eta[1] + self.tilt * eta[0]

    def _inner(self, theta: Arrays) -> Arrays:
        mean, dispersion = theta
        # At an end of the mean's range the law inside does not depend on its dispersion.
        ends = (mean == 0.0) | (mean == np.inf)
        return mean, dispersion * np.where(ends, 1.0, mean) ** self.tilt

    def base(self, statistics: Arrays) -> Array:
        return self.within.base(statistics)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        value, gradient, curvature = self.within.evaluate(statistics, self._inner_eta(eta), order)
        if gradient is None:
            return Rows(value)
        mean, dispersion = gradient
        tilted = (mean + self.tilt * dispersion, dispersion)
        return Rows(value, tilted, None if curvature is None else self._bent(curvature))

    def _bent(self, curvature: Any) -> Arrays:
        mean, both, dispersion = (np.zeros(()) if e is None else e for e in curvature)
        across = both + self.tilt * dispersion
        return mean + self.tilt * (both + across), across, dispersion

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        return self._bent(self.within.expected_curvature(statistics, self._inner_eta(eta)))

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        return self.within.recession(statistics, self._inner_eta(delta))

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        return self.within.log_prob_of(y, self._inner(theta))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        return self.within.log_prob_at_edge(y, self._inner(theta))

    def to_scipy(self, theta: Arrays) -> Any:
        return self.within.to_scipy(self._inner(theta))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        return self.within.std(self._inner(theta))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return self.within.log_tail(y, self._inner(theta), upper)

    def known_entropy(self, theta: Arrays) -> Array | None:
        return self.within.known_entropy(self._inner(theta))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.within.sample(self._inner(theta), size, rng)
