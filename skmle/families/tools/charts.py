"""Links onto any interval, as charts of parameters whose range is one."""

from __future__ import annotations

from dataclasses import dataclass

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
