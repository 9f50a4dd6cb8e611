"""The base of laws of angles in radians, which are the same after a whole turn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import IDENTITY, Array, Arrays, Family, Observation, Param, Support
from skmle.families.law import ByLogTail, ByStd
from skmle.families.links import Link
from skmle.families.tools.special import log_complement

LOG_TURN = float(np.log(2.0 * np.pi))
_LEAST = 1e-150  # length of a vector whose inverse is a number


class Circular(ByLogTail, ByStd, Family):
    """Laws of an angle y in radians, symmetric about `loc`, their mode and mean direction.

    The density is that of an angle: y and y + 2 pi have the same one, and so they have the same
    probabilities. These, the quantiles and the moments are of the turn from loc - pi to loc + pi,
    from which draws come, too.

    An angle has no chart on a line that does not tear the circle somewhere. So the formula is
    written in a vector in the plane, which has the direction `loc` and a length that rises with the
    concentration; at zero is the uniform law.

    Parameters
    ----------
    links : None
        The coordinates of the vector have no other links.
    """

    parameters = (
        Param("pull_cos", IDENTITY),
        Param("pull_sin", IDENTITY),
    )
    support = Support()
    observation = Observation(circular=True)
    not_tried = "numbers do not tell that they are angles: name it if they are"

    @property
    def names(self) -> tuple[str, ...]:
        return ("loc", "concentration")

    @abstractmethod
    def of_length(self, length: Array) -> tuple[Array, Array]:
        """Return the concentration at a length of the vector, and its derivative."""

    @abstractmethod
    def length(self, concentration: Array) -> Array:
        """Return the length of the vector at a concentration."""

    @property
    @abstractmethod
    def chart_of_concentration(self) -> Link:
        """The chart of the concentration's range."""

    def natural(self, eta: Arrays) -> Arrays:
        first, second = np.broadcast_arrays(*(np.asarray(e, float) for e in eta))
        return np.arctan2(second, first), self.of_length(np.hypot(first, second))[0]

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        first, second = (float(e) for e in eta)
        length = max(float(np.hypot(first, second)), _LEAST)
        slope = float(self.of_length(np.asarray(length))[1])
        turn = np.array([-second, first]) / length**2
        return np.vstack([turn, slope * np.array([first, second]) / length])

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        return self.names

    def natural_charts(self) -> tuple[Link, ...]:
        return (IDENTITY, self.chart_of_concentration)

    def eta(self, theta: Arrays) -> Arrays:
        loc, length = np.asarray(theta[0], float), self.length(np.asarray(theta[1], float))
        return length * np.cos(loc), length * np.sin(loc)

    @property
    def observations(self) -> str:
        return f"angles in radians, {self.support}"

    @abstractmethod
    def log_below(self, away: Array, theta: Arrays) -> Array:
        """Return log P(Y - loc <= away) for `away` from -pi to 0."""

    @abstractmethod
    def below(self, q: Array, theta: Arrays) -> Array:
        """Return the value from -pi to 0 that Y - loc is below with a probability q, up to 1/2."""

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        loc = np.asarray(theta[0] + np.zeros(np.shape(theta[1])))
        return loc - np.pi, loc + np.pi

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        away = turned(np.asarray(y, float), theta[0])
        away = -away if upper else away
        with np.errstate(divide="ignore"):
            smaller = self.log_below(-np.abs(away), theta)
            return np.where(away > 0.0, log_complement(np.minimum(smaller, 0.0)), smaller)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return theta[0] + self._quantile(q, theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return theta[0] - self._quantile(q, theta)

    def _quantile(self, q: Array, theta: Arrays) -> Array:
        q = np.asarray(q, float)
        with np.errstate(all="ignore"):  # of levels outside 0..1
            level = np.where((q >= 0.0) & (q <= 1.0), np.minimum(q, 1.0 - q), np.nan)
            away = self.below(level, theta)
        return np.where(q > 0.5, -away, away)

    def mean(self, theta: Arrays) -> Array:
        return np.asarray(theta[0] + np.zeros(np.shape(theta[1])))


def turned(y: Array, loc: Array) -> Array:
    """Return y - loc, whole turns away from it, between -pi and pi: infinite ends count as these.

    No digit is lost of angles that lie there.
    """
    with np.errstate(invalid="ignore"):
        away = np.asarray(y - loc)
        other = np.arctan2(np.sin(away), np.cos(away))
    other = np.where(np.isinf(away), np.copysign(np.pi, away), other)
    return np.where(np.abs(away) <= np.pi, away, other)


def unit_vectors(y: Array) -> Array:
    """Return the vectors of length one that have these angles, (..., 2)."""
    return np.stack([np.cos(y), np.sin(y)], axis=-1)
