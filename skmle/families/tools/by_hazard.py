"""The base of laws of log y = loc + scale z of which one tail is closed and has shapes.

A law states the logarithm of its cumulative hazard, and minus the log of its density, with their
derivatives in z and in the shapes; the rest follows.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from skmle.families.base import Array, Arrays, Rows, triangle
from skmle.families.law import ByExponent
from skmle.families.tools.log_shaped import LogShaped
from skmle.families.tools.special import log_complement

# Logarithm of a hazard below which log(1 - exp(-hazard)) is that logarithm to the last digit.
_LEAST = -40.0


class ByHazard(ByExponent, LogShaped):
    """Laws of u = (log y - loc)/scale, or of u = -(log y - loc)/scale, with P(U > u) = exp(-H(u)).

    With l = log H, tails and their derivatives are those of exp(l), or of its complement. Where u
    falls with y, H is the logarithm of 1/P(Y <= y).
    """

    @abstractmethod
    def log_hazard(self, u: Array, shapes: Arrays, order: int) -> Rows:
        """Return log H(u), with derivatives in u and in the chart eta of the shapes."""

    @abstractmethod
    def at_hazard(self, hazard: Array, shapes: Arrays) -> Array:
        """Return u at which H(u) is `hazard`, at natural shapes."""

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            u, rate = self.places(statistics, eta)
            log_hazard = self.log_hazard(u, eta[2:], order)
            above = upper != self.falling
            return self.moved(tail_of_log_hazard(log_hazard, above), u, rate)

    # ---------------------------------------------------------------- the law

    def _shapes(self, theta: Arrays) -> Arrays:
        """Return the chart eta of the shapes."""
        return self.chart(self.eta(theta))[2:]

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):
            u, _ = self.places((np.log(np.maximum(y, 0.0)),), self.chart(self.eta(theta)))
            log_hazard = self.log_hazard(u, self._shapes(theta), 0)
            return -tail_of_log_hazard(log_hazard, upper != self.falling).value

    def at_exponent(self, exponent: Array, theta: Arrays) -> Array:
        loc, spread = self.chart(self.eta(theta))[:2]
        scale = np.exp(self.spread_sign * np.asarray(spread))
        with np.errstate(all="ignore"):
            u = self.at_hazard(np.asarray(exponent, float), theta[2:])
            return np.exp(loc + (-scale if self.falling else scale) * u)


def tail_of_log_hazard(log_hazard: Rows, above: bool) -> Rows:
    """Return -log of the tail exp(-exp(l)), or of its complement, from l with its derivatives."""
    hazard = np.exp(log_hazard.value)
    tiny = log_hazard.value < _LEAST
    value = (
        hazard
        if above
        else -np.where(tiny, log_hazard.value, log_complement(-np.where(tiny, 1.0, hazard)))
    )
    if log_hazard.gradient is None:
        return Rows(value)
    first, second = hazard, hazard
    if not above:
        share = np.where(tiny, 1.0, hazard / np.expm1(hazard))
        back = np.where(tiny, 1.0, -hazard / np.expm1(-hazard))
        first = np.where(np.isinf(hazard), 0.0, -share)
        second = np.where(np.isinf(hazard), 0.0, share * (back - 1.0))
    slopes = log_hazard.gradient
    gradient = tuple(first * slope for slope in slopes)
    if log_hazard.curvature is None:
        return Rows(value, gradient)
    places = triangle(len(slopes))
    curvature = tuple(
        second * slopes[i] * slopes[j] + (0.0 if bend is None else first * bend)
        for (i, j), bend in zip(places, log_hazard.packed, strict=True)
    )
    return Rows(value, gradient, curvature)
