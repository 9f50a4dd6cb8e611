"""The law of zeros alone, to which laws with zeros added tend."""

from __future__ import annotations

import numpy as np

from skmle.families.base import Array, Arrays, Family, Rows, Support


class ZerosAlone(Family):
    """The law of a number that is always zero, which has no parameters."""

    parameters = ()
    support = Support(0.0, 0.0, closed=(True, True), discrete=True, whole=True)
    title = "that of zeros alone"

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return Rows(np.zeros(len(statistics[0])), (), ()).upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [()]

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.where(np.asarray(y) >= 0.0, 1.0, 0.0)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return np.where((np.asarray(q) >= 0.0) & (np.asarray(q) <= 1.0), 0.0, np.nan)

    upper_quantile = quantile

    def mean(self, theta: Arrays) -> Array:
        return np.zeros(())

    variance = mean
    known_entropy = mean

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.zeros(size)
