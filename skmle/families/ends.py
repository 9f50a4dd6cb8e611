"""Where the likelihood of a law ends: at limit laws, without bound, along separating directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skmle.families.records import Array, Arrays, Saturated

if TYPE_CHECKING:
    from skmle.families.base import Family


def _as_they_are(statistics: Arrays) -> Arrays:
    return statistics


class Limit(NamedTuple):
    """The law that a family tends to where one parameter runs to an end of its range."""

    parameter: str
    value: float
    """The parameter's limit on its own scale, such as 0 or inf."""
    family: Family
    """The limit law; its parameters have the names of the rest of this family's."""
    observe: Callable[[Arrays], Arrays] = _as_they_are
    """The limit law's statistics from those of this family."""


class Ends:
    """What a family says of where its likelihood has no maximum inside."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limit laws, under the links of this one."""
        return ()

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        """Return lim f(eta + t delta)/t of each row as t -> inf, f = -log q.

        None is returned if no limit is known. Along a direction in which no row rises and some fall
        there is no maximum at a finite place: this is separation.
        """
        return None

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Return parameters that nearly interpolate y, where the density grows without bound.

        None is returned if the density is bounded.
        """
        return None

    def alone(self, statistics: Arrays) -> Array | None:
        """Return for each row the chart eta of the first parameter that reproduces it, (n,).

        None is returned if there is none, or if it is not known.
        """
        limit = self.saturated(statistics)
        return None if limit is None else limit.first

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return constant chart eta on the way to an infinite likelihood of a density, and why.

        None is returned if the likelihood is bounded.
        """
        first = statistics[0]
        if first.ndim > 1 or not np.all(first == first[0]):
            return None
        limit = self.saturated(statistics)
        reason = "all observations are equal, so the density grows without bound around them"
        return None if limit is None else ((float(limit.first[0]), *limit.others), reason)
