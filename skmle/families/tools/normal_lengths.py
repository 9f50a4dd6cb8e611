"""The base of laws of the length of a vector of independent normal numbers with one scale."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from scipy.special import digamma, gammaln

from skmle.families.base import LOG, Array, Arrays, Family, Param, Rows, Shortcuts, Stretch
from skmle.families.law import ByStd
from skmle.families.tools.divergences import gap
from skmle.families.tools.gaussian import root_mean_square


class NormalLength(ByStd, Family):
    """Laws of z = y/scale > 0 with -log q = z^2/2 - (d - 1) log z + log scale + constant.

    Such is the length of a vector of d normal numbers with mean zero and standard deviation
    `scale`. The most likely scale is the root mean square of y, divided by sqrt(d).
    """

    parameters = (Param("scale", LOG),)
    stretch = Stretch((1.0,))
    shortcuts = Shortcuts(starts="maximum", sums="statistics")
    concave = True
    dimension: ClassVar[int]

    @abstractmethod
    def standard_tail(self, z: Array, upper: bool) -> Array:
        """Return log P(Z > z) or log P(Z <= z) of scale one."""

    @abstractmethod
    def standard_quantile(self, q: Array, upper: bool) -> Array:
        """Return where a tail of the law of scale one has the probability q, 0 <= q <= 1."""

    @property
    def _constant(self) -> float:
        half = 0.5 * self.dimension
        return float((half - 1.0) * np.log(2.0) + gammaln(half))

    def base(self, statistics: Arrays) -> Array:
        if self.dimension == 1:
            return np.asarray(self._constant)
        return self._constant - (self.dimension - 1.0) * np.log(statistics[0])

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        return (np.array([root_mean_square(statistics[0], weight)]),)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        z = statistics[0] * np.exp(-eta[0])
        with np.errstate(over="ignore"):  # a density of zero
            square = z * z
        rows = Rows(0.5 * square + self.dimension * eta[0])
        if order < 1:
            return rows
        return rows._replace(
            gradient=(self.dimension - square,),
            curvature=(2.0 * square,) if order > 1 else None,
        )

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        return (np.asarray(2.0 * self.dimension),)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (root,) = self.collapse(statistics, weight)[0]
        with np.errstate(divide="ignore"):  # all observations are zero
            return [(float(np.log(root) - 0.5 * np.log(self.dimension)),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        (d,) = delta
        return np.where((d < 0) & (statistics[0] > 0), np.inf, self.dimension * d)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        """Return log q(y) of a scale of zero, all whose mass is at zero, or of an endless scale."""
        (scale,) = theta
        inside = (scale > 0.0) & np.isfinite(scale)
        at_zero = (scale == 0.0) & (y == 0.0) & self.contains(y)
        edge = np.where(at_zero, np.inf, -np.inf)
        with np.errstate(all="ignore"):
            safe = self.log_prob(y, self.eta((np.where(inside, scale, 1.0),)))
        return np.where(inside, safe, edge)

    # ---------------------------------------------------------------- the law

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return self.standard_tail(y / theta[0], upper)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # In w = log z the slope of a tail L is that of its hazard, r = z q/P, and that of log r is
        # d - z^2 less or plus r.
        with np.errstate(all="ignore"):
            z = statistics[0] * np.exp(-eta[0])
            value = -self.standard_tail(z, upper)
            if order < 1:
                return Rows(value)
            sign = 1.0 if upper else -1.0
            log_slope = self.dimension * np.log(z) - 0.5 * z * z - self._constant
            slope = sign * np.exp(value + log_slope)
            curve = slope * (self.dimension - z * z + slope)
            return Rows(value, (-slope,), (curve,) if order > 1 else None)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy import stats

        return getattr(stats, self.scipy_name)(scale=theta[0])

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale,))

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self.log_tail(np.maximum(y, 0.0), theta, False))

    def sf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self.log_tail(np.maximum(y, 0.0), theta, True))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._quantile(q, theta, False)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._quantile(q, theta, True)

    def _quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        possible = (q >= 0.0) & (q <= 1.0)
        with np.errstate(divide="ignore"):  # at the ends
            standard = self.standard_quantile(np.where(possible, q, 0.5), upper)
        return theta[0] * np.where(possible, standard, np.nan)

    @property
    def _standard_mean(self) -> float:
        half = 0.5 * self.dimension
        return float(np.sqrt(2.0) * np.exp(gammaln(half + 0.5) - gammaln(half)))

    def mean(self, theta: Arrays) -> Array:
        return self._standard_mean * theta[0]

    def std(self, theta: Arrays) -> Array:
        return np.sqrt(self.dimension - self._standard_mean**2) * theta[0]

    def known_entropy(self, theta: Arrays) -> Array:
        half = 0.5 * self.dimension
        mean_log = 0.5 * (np.log(2.0) + digamma(half))
        return self._constant + half - (self.dimension - 1.0) * mean_log + np.log(theta[0])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        return 0.5 * self.dimension * gap(np.square(p[0] / q[0]))
