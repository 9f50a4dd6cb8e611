"""Tails of laws of counts that no formula is known of, as sums of their masses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.distribution import Distribution
from skmle.families.records import Array, Arrays
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.expectation import adapt, count
from skmle.families.tools.sides import Index, Sides
from skmle.families.tools.special import log_complement

# Counts beside the first one at which a sum looks for its largest mass, and for where masses no
# longer matter, as they are this many nats below: 1e-22 of the largest.
_PROBES = np.concatenate([[0.0], 2.0 ** np.arange(53)])
_NEGLIGIBLE = 50.0
_SHORTEST = 64.0  # counts of the first panel, which are summed one by one
_TAILS = 512  # tails that are summed at once: their panels take some MB


class BySums(ByTails):
    """Laws of counts whose masses have one maximum; their tails are sums of masses.

    The sums are as those of `expectation`: short panels count by count, long ones by a rule for
    smooth functions, halved until the halves agree. Of two tails the smaller one is summed, so that
    it has all its digits however small it is, and the larger is its complement.
    """

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return self.summed_tail(y, theta, upper)

    def about_quantile(self, q: Array, theta: Arrays) -> Array:
        # Averages only begin there, and each of the tails would be a sum.
        with np.errstate(all="ignore"):
            rough = np.floor(self.rough_quantile(q, theta, False))
        return np.maximum(np.nan_to_num(rough, nan=0.0), self.support.low)

    def numbered(self, settings: Arrays) -> tuple[Any, Arrays]:
        """Return the law, and its theta, of what a sum tells apart: theta, or more than that."""
        return self, settings

    def summed_tail(self, y: Array, settings: Arrays, upper: bool) -> Array:
        """Return `log_tail` of laws that `numbered` makes of some numbers, equal ones once."""
        table = np.stack(np.broadcast_arrays(np.floor(y), *settings))
        cases, place = np.unique(table.reshape(len(table), -1), axis=1, return_inverse=True)
        parts = [
            self._log_tails(cases[:, low : low + _TAILS], upper)
            for low in range(0, cases.shape[1], _TAILS)
        ]
        found = np.concatenate([*parts, np.zeros(0)])
        return np.asarray(found[place.ravel()].reshape(table.shape[1:]))

    def _log_tails(self, cases: Array, upper: bool) -> Array:
        y = cases[0]
        law, theta = self.numbered(tuple(cases[1:]))
        above = y >= law.mean(theta)
        tail = self._summed(cases, above)
        if (large := tail > np.log(0.5)).any():  # the mean is far from the median: the other one
            above = above ^ large
            tail[large] = self._summed(cases[:, large], above[large])
        return np.where(above == upper, tail, log_complement(np.minimum(tail, 0.0)))

    def _masses(self, y: Array, settings: Arrays) -> Array:
        law, theta = self.numbered(settings)
        return Distribution.of(law, theta).log_prob(law.observation_of(y))

    def _summed(self, cases: Array, above: NDArray[np.bool_]) -> Array:
        """Return the logarithm of the sum of the masses above y, or at y and below."""
        y, settings = cases[0], tuple(cases[1:])
        law, theta = self.numbered(settings)
        low, high = law.ends(theta)
        sign = np.where(above, 1.0, -1.0)
        first = np.where(above, y + 1.0, y)
        room = np.where(above, high - first, first - low)
        probes = np.minimum(_PROBES[:, None], np.maximum(room, 0.0))
        with np.errstate(all="ignore"):
            heights = np.stack([self._masses(first + sign * probe, settings) for probe in probes])
        heights = np.where(room < 0.0, -np.inf, heights)
        top = np.max(heights, axis=0)
        matters = heights > top - _NEGLIGIBLE
        beyond = len(probes) - np.argmax(matters[::-1], axis=0)  # the first that does not
        last = probes[np.minimum(beyond, len(probes) - 1), np.arange(len(y))]
        some = np.isfinite(top)
        row = np.flatnonzero(some)
        place = (first[row], high[row], room[row], np.ones(len(row)), last[row])
        sides = Sides(row, sign[row], *place, lattice=True, folded=False)

        def masses(side: Index, t: Array) -> Array:
            rows = np.repeat(row[side], t.shape[1])
            at = sides.place(side, t)[0].ravel()
            log_q = self._masses(at, tuple(value[rows] for value in settings))
            return np.exp(log_q - top[rows]).reshape(t.shape)

        with np.errstate(all="ignore"):
            total, _ = adapt(count, masses, sides, *_panels(last[row]), len(y))
            return np.where(some, top + np.log(total), -np.inf)


def _panels(last: Array) -> tuple[Index, Array, Array]:
    """Return the first panels of each side: for each its side, its beginning and its end."""
    ends = np.concatenate([[0.0, _SHORTEST], _SHORTEST * 2.0 ** np.arange(1, 48)])
    edges = np.minimum(ends, last[:, None] + 1.0)
    side, at = np.nonzero(edges[:, 1:] > edges[:, :-1])
    return side, edges[side, at], edges[side, at + 1]
