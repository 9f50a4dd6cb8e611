"""Tails of laws of counts that no formula is known of, as sums of their masses."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families.distribution import Distribution
from skmle.families.records import Array, Arrays, Rows, triangle
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.expectation import adapt, count
from skmle.families.tools.sides import Index, Sides
from skmle.families.tools.tails import complement

# Counts beside the first one at which a sum looks for its largest mass, and for where masses no
# longer matter, as they are this many nats below: 1e-22 of the largest. So many are looked at
# at once; of most laws the first ones tell.
_PROBES = np.concatenate([[0.0], 2.0 ** np.arange(53)])
_NEGLIGIBLE = 50.0
_LOOKS = 10
_SHORTEST = 64.0  # counts that are summed one by one, before the first panel
_TAILS = 512  # tails that are summed at once: their panels take some MB


class BySums(ByTails):
    """Laws of counts whose masses have one maximum; their tails are sums of masses.

    The sums are as those of `expectation`: short panels count by count, long ones by a rule for
    smooth functions, halved until the halves agree. Of two tails the smaller one is summed, so that
    it has all its digits however small it is, and the larger is its complement. The derivatives of
    a tail are averages over the same counts: with -log q = f,

        -log P = -log sum exp(-f),    its gradient E f',    its curvature E f'' - Cov(f', f').
    """

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return -self.summed_tail(y, self.settings(theta), upper).value

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        charts = zip(self.parameters, eta, strict=True)
        settings = self.settings(tuple(p.chart.theta(np.asarray(e, float)) for p, e in charts))
        return self.summed_tail(self.restore(statistics), settings, upper, eta, order)

    def about_quantile(self, q: Array, theta: Arrays) -> Array:
        # Averages only begin there, and each of the tails would be a sum.
        with np.errstate(all="ignore"):
            rough = np.floor(self.rough_quantile(q, theta, False))
        return np.maximum(np.nan_to_num(rough, nan=0.0), self.support.low)

    def settings(self, theta: Arrays) -> Arrays:
        """Return the numbers that a sum tells apart: theta, or more than that."""
        return theta

    def numbered(self, settings: Arrays) -> tuple[Any, Arrays]:
        """Return the law that has these `settings`, and its theta."""
        return self, settings

    def summed_tail(
        self, y: Array, settings: Arrays, upper: bool, eta: Arrays = (), order: int = 0
    ) -> Rows:
        """Return -log P(Y > y) if `upper`, else -log P(Y <= y), equal ones once.

        Derivatives are those in `eta`, by the charts, of which the settings then are.
        """
        moved = eta if order > 0 else ()
        table = np.stack(np.broadcast_arrays(np.floor(y), *settings, *moved))
        shape, k = table.shape[1:], len(moved)
        cases, place = np.unique(table.reshape(len(table), -1), axis=1, return_inverse=True)
        length = 1 + k + (len(triangle(k)) if order > 1 else 0)
        found = np.zeros((length, cases.shape[1]))
        with np.errstate(all="ignore"):  # far out in the tails
            for low in range(0, cases.shape[1], _TAILS):
                part = slice(low, low + _TAILS)
                some = Cases(cases[0, part], cases[1 : len(table) - k, part])
                some = some._replace(eta=cases[len(table) - k :, part])
                found[:, part] = self._tails(some, upper, order)
        value, *rest = found[:, place.ravel()].reshape(length, *shape)
        return Rows(value, tuple(rest[:k]), tuple(rest[k:])).upto(order)

    def _tails(self, cases: Cases, upper: bool, order: int) -> Array:
        """Return the value, gradient and curvature of -log of each tail, one below the other."""
        law, theta = self.numbered(tuple(cases.settings))
        above = cases.y >= law.about_quantile(np.asarray(0.5), theta)
        tail = self._summed(cases, above, order)
        if (large := tail[0] < np.log(2.0)).any():  # the median is elsewhere: the other one
            above = above ^ large
            tail[:, large] = self._summed(cases.take(large), above[large], order)
        return np.where(above == upper, tail, complement(tail, len(cases.eta)))

    def log_masses(self, y: Array, cases: Cases) -> Array:
        """Return log q of counts, one of each case."""
        law, theta = self.numbered(tuple(cases.settings))
        return Distribution.of(law, theta).log_prob(law.observation_of(y))

    def derivatives(self, y: Array, cases: Cases, order: int) -> tuple[Array, Array]:
        """Return the gradient and the curvature of -log q, (k, n) and (k (k + 1)/2, n)."""
        law, _ = self.numbered(tuple(cases.settings))
        rows = law.evaluate(law.statistics(law.observation_of(y)), tuple(cases.eta), order)

        def full(entries: Any) -> Array:
            whole = [np.broadcast_to(0.0 if e is None else e, y.shape) for e in entries]
            return np.reshape(whole, (len(whole), len(y)))

        return full(rows.gradient), full(rows.packed if order > 1 else ())

    def _summed(self, cases: Cases, above: NDArray[np.bool_], order: int) -> Array:
        """Return -log of the sum of the masses above y, or at y and below, and derivatives."""
        law, theta = self.numbered(tuple(cases.settings))
        low, high = law.ends(theta)
        sign = np.where(above, 1.0, -1.0)
        first = np.where(above, cases.y + 1.0, cases.y)
        room = np.where(above, high - first, first - low)
        top, last = self._reach(first, sign, room, cases)
        n, k = len(first), len(cases.eta)
        # Where gradients hardly differ, as far out, it is their differences that have digits.
        centre = self.derivatives(first, cases, 1)[0] if order > 0 else np.zeros((0, n))
        pairs = triangle(k) if order > 1 else []
        sides = Sides(np.arange(n), sign, first, high, room, np.ones(n), last, True, False)

        def terms(side: Index, t: Array) -> Array:
            """Return masses, and those times what the derivatives are averages of."""
            at, own = sides.place(side, t)[0].ravel(), np.repeat(side, t.shape[1])
            some = cases.take(own)
            mass = np.exp(self.log_masses(at, some) - top[own])
            parts = [mass]
            if order > 0:
                gradient, curvature = self.derivatives(at, some, order)
                away = gradient - centre[:, own]
                parts += [mass * slope for slope in away]
                bends = zip(pairs, curvature, strict=True)
                parts += [mass * (bend - away[a] * away[b]) for (a, b), bend in bends]
            found = np.where(mass > 0.0, np.stack(parts), 0.0)
            return found.reshape(len(parts), *t.shape)

        everything = np.arange(n)
        total = count(terms, everything, np.zeros(n), np.minimum(last + 1.0, _SHORTEST)).value
        if (last >= _SHORTEST).any():
            total = total + adapt(count, terms, sides, *_panels(last), n)[0]
        slopes, bends = np.split(total[1:] / total[0], [k])
        spread = [slopes[a] * slopes[b] for a, b in pairs]
        value = -top - np.log(total[0])
        found = np.stack([value, *(centre + slopes), *map(np.add, bends, spread)])
        nothing = (room < 0.0) | ~np.isfinite(top)
        found[:, nothing] = 0.0
        found[0, nothing] = np.inf
        return found

    def _reach(self, first: Array, sign: Array, room: Array, cases: Cases) -> tuple[Array, Array]:
        """Return the largest mass of each sum, and the distance from which masses do not matter."""
        room, column = np.maximum(room, 0.0), np.arange(len(first))

        def look(probes: Array) -> Array:
            some = cases.take(np.tile(column, len(probes)))
            return self.log_masses((first + sign * probes).ravel(), some).reshape(probes.shape)

        bounded = np.isfinite(room)
        end = np.where(bounded, look(np.where(bounded, room, 0.0)[None])[0], -np.inf)
        heights = np.zeros((0, len(first)))
        for some in range(_LOOKS, len(_PROBES) + _LOOKS, _LOOKS):
            probes = np.minimum(_PROBES[:some, None], room)
            heights = np.vstack([heights, look(probes[len(heights) :])])
            top = heights.max(axis=0)
            matters = heights > top - _NEGLIGIBLE
            # Some laws rise again towards the end of their support.
            past = ~matters[-1] & ~(end > heights[-1])
            if ((probes[-1] >= room) | past).all():
                break
        beyond = len(probes) - np.argmax(matters[::-1], axis=0)  # the first that does not
        return top, probes[np.minimum(beyond, len(probes) - 1), column]


class Cases(NamedTuple):
    """Counts, the settings of their laws and the eta of these, one column each."""

    y: Array
    settings: Array
    eta: Array = np.zeros((0, 0))

    def take(self, columns: Any) -> Cases:
        """Return the cases of some columns."""
        return Cases(self.y[columns], self.settings[:, columns], self.eta[:, columns])


def _panels(last: Array) -> tuple[Index, Array, Array]:
    """Return the first panels of each side: for each its side, its beginning and its end."""
    ends = _SHORTEST * 2.0 ** np.arange(48)
    edges = np.minimum(ends, last[:, None] + 1.0)
    side, at = np.nonzero(edges[:, 1:] > edges[:, :-1])
    return side, edges[side, at], edges[side, at + 1]
