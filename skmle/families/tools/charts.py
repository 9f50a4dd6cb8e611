"""Links onto any interval, as charts of parameters whose range is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skmle.families.links import IDENTITY, LOG, LOGIT, Link
from skmle.families.records import Array
from skmle.families.tools.probability_links import Jet


@dataclass(frozen=True)
class _Above:
    """eta = log of the distance from one end, above or below it."""

    end: float
    sign: float

    def forward(self, theta: Array) -> Array:
        return np.log(self.sign * (np.asarray(theta, float) - self.end))

    def inverse(self, eta: Array) -> Jet:
        away = self.sign * np.exp(eta)
        return self.end + away, away, away


@dataclass(frozen=True)
class _Between:
    """eta = the logit of the place between two ends."""

    low: float
    high: float

    def forward(self, theta: Array) -> Array:
        theta = np.asarray(theta, float)
        return np.log(theta - self.low) - np.log(self.high - theta)

    def inverse(self, eta: Array) -> Jet:
        share, slope, bend = LOGIT.inverse(eta)
        length = self.high - self.low
        return self.low + length * share, length * slope, length * bend


@dataclass(frozen=True)
class Below:
    """eta of the distance below one end: its logarithm far out from a level above the end.

    With E = exp(eta) the distance is E^2/(E + gap), where the level lies `gap` above the end. Far
    out it is E - gap, so that E is the distance from the level; near the end its logarithm is
    2 eta. So the origin of a law can run to -inf while the law stays where the level is.
    """

    end: float
    gap: float

    def distance(self, eta: Array) -> Jet:
        """Return the distance from the end, and its two derivatives."""
        away = np.exp(eta)
        rest = self.gap / (away + self.gap)
        value = away * (away / (away + self.gap))
        rate = 1.0 + rest
        return value, value * rate, value * (rate * rate - rest * (1.0 - rest))

    def forward(self, theta: Array) -> Array:
        """Return eta of a number below the end."""
        distance = self.end - np.asarray(theta, float)
        with np.errstate(divide="ignore"):  # at the end
            return np.log(0.5 * (distance + np.sqrt(distance * (distance + 4.0 * self.gap))))

    def inverse(self, eta: Array) -> Jet:
        """Return the number, and its two derivatives."""
        value, slope, bend = self.distance(eta)
        return self.end - value, -slope, -bend


@lru_cache(maxsize=256)
def chart_below(end: float, gap: float) -> tuple[Link, Below]:
    """Return the chart of numbers below `end`, as a link and by the distance: see `Below`."""
    where = Below(end, gap)
    domain = (-np.inf, end)
    name = f"log below {end:g}"
    return Link(name, where.forward, where.inverse, domain=domain, pure=True), where


@lru_cache(maxsize=256)
def chart_of(low: float, high: float) -> Link:
    """Return the chart of an open interval: identity, log or logit, of the distance from its ends.

    Parameters
    ----------
    low, high : float
        The ends, of which each may be infinite.
    """
    if np.isinf(low) and np.isinf(high):
        return IDENTITY
    if (low, high) == (0.0, np.inf):
        return LOG
    if (low, high) == (0.0, 1.0):
        return LOGIT
    where: _Above | _Between
    if np.isinf(high):
        where, name = _Above(low, 1.0), f"log above {low:g}"
    elif np.isinf(low):
        where, name = _Above(high, -1.0), f"log below {high:g}"
    else:
        where, name = _Between(low, high), f"logit between {low:g} and {high:g}"
    return Link(name, where.forward, where.inverse, domain=(low, high), pure=True)
