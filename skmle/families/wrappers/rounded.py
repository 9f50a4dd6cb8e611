"""Measurements that were rounded to a coarse scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Family, Limit, Observation
from skmle.families.wrappers.censored import Censored


class Rounded(Censored):
    """The law `family` of measurements that were rounded to multiples of `resolution`.

    An observation y stands for all values from y - resolution/2 to y + resolution/2, whose
    probability counts. So a spread is not widened by the rounding, and equal observations are no
    reason for an infinite density. What is predicted is the law of the values before rounding; a
    score is the log-probability of what was observed.

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        A continuous family of one column.
    resolution : float, default=1.0
        Distance between neighbouring rounded values, in units of y.

    References
    ----------
    Heitjan (1989), Inference from grouped continuous data: a review, Statistical Science 4.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> heights = [[172], [168], [175], [171], [169], [173]]  # to the nearest centimetre
    >>> model = MLEDistribution(families.Rounded("normal", resolution=1.0)).fit(heights)
    >>> round(model.params_["scale"], 3)
    2.339
    """

    repeats = True

    def __init__(self, family: Any = "normal", resolution: float = 1.0) -> None:
        super().__init__(family)
        self.resolution = resolution

    def around(self, family: Family) -> Rounded:
        return Rounded(family, self.resolution)

    @property
    def limits(self) -> tuple[Limit, ...]:
        # A law from a free end is not rounded.
        own = (*self.inner.limits_in_place, *self.inner.limits_of_tails)
        return tuple(map(self._around_limit, own))

    @property
    def observation(self) -> Observation:  # type: ignore[override]
        return Observation()

    @property
    def observations(self) -> str:
        return f"y with a value within {self.resolution / 2:g} ({self.inner.observations})"

    def adapt(self, y: Array) -> Family:
        if not (np.isfinite(self.resolution) and self.resolution > 0.0):
            raise ValueError(
                f"Rounded: resolution={self.resolution!r} is not allowed. Allowed: finite numbers "
                "above 0. Give the distance between neighbouring rounded values."
            )
        if self.inner.support.discrete:
            raise ValueError(
                f"Rounded: {self.inner.title} is a law of whole numbers. Allowed: continuous "
                "families. For counts in intervals use Censored."
            )
        return super().adapt(self._rows(y))

    def _rows(self, y: Array) -> Array:
        half = 0.5 * self.resolution
        return np.stack([np.asarray(y, float) - half, np.asarray(y, float) + half], axis=-1)

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return np.isfinite(y) & super().contains(self._rows(y))

    def statistics(self, y: Array) -> Arrays:
        return super().statistics(self._rows(y))

    def restore(self, statistics: Arrays) -> Array:
        """Return the values between the ends, which the statistics are of."""
        return super().restore(statistics)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        return super().log_prob_at_edge(self._rows(y), theta)
