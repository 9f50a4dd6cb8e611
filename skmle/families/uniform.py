"""The uniform law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import IDENTITY, Array, Arrays, Family, Param, Rows, Shortcuts, Support
from skmle.families.law import ByStd


class Uniform(ByStd, Family):
    """Uniform law on [`low`, `high`].

    Its maximum likelihood is at the smallest and the largest observation. Non-regular: the support
    depends on the parameters, the estimates approach the truth at rate 1/n, no standard errors in
    the usual sense exist, and it cannot be regressed. scipy: ``uniform(low, high - low)``; R:
    ``dunif(y, low, high)``.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, ch. 26.

    Examples
    --------
    >>> import warnings
    >>> from skmle import MLEDistribution
    >>> from skmle.exceptions import NonRegularWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", NonRegularWarning)
    ...     model = MLEDistribution("uniform").fit([[1.0], [2.0], [6.0]])
    >>> float(model.params_["low"]), float(model.params_["high"])
    (1.0, 6.0)
    """

    scipy_name = "uniform"
    parameters = (Param("low", IDENTITY), Param("high", IDENTITY))
    support = Support(fixed=False, smooth=False)
    shortcuts = Shortcuts(starts="final", sums="statistics")

    def statistics(self, y: Array) -> Arrays:
        # The smallest and the largest of the observations that a row stands for.
        return y, y

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        smallest, largest = statistics
        low, high = eta
        with np.errstate(divide="ignore", invalid="ignore"):
            return Rows(np.where((smallest >= low) & (largest <= high), np.log(high - low), np.inf))

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        return np.array([statistics[0].min()]), np.array([statistics[1].max()])

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (low,), (high,) = self.collapse(statistics, weight)
        return [(float(low), float(high))]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        low, high = self.starts(statistics, weight)[0]
        if low < high:
            return None
        return (
            low,
            float(np.nextafter(high, np.inf)),
        ), "all observations are equal, so the interval shrinks to a point"

    def mirrored(self, eta: Arrays) -> Arrays:
        low, high = eta
        return 1.0 - high, 1.0 - low

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import uniform

        low, high = theta
        return uniform(low, high - low)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, loc + scale)

    def std(self, theta: Arrays) -> Array:
        low, high = theta
        return high / np.sqrt(12.0) - low / np.sqrt(12.0)

    def known_entropy(self, theta: Arrays) -> Array:
        low, high = theta
        return np.log(high - low)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (low_p, high_p), (low_q, high_q) = p, q
        inside = (low_q <= low_p) & (high_p <= high_q)
        return np.where(inside, np.log(high_q - low_q) - np.log(high_p - low_p), np.inf)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        low, high = theta
        return rng.uniform(low, high, size=size)
