"""The law of ordered classes: cut points on a line, and where on it a row stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.algebra import alike, chosen, gather, mix, of_rows
from skmle.families.base import (
    IDENTITY,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Support,
)
from skmle.families.bernoulli import Bernoulli
from skmle.families.links import LOGIT, Link, get_link

_MEDIAN = float(np.log(2.0))  # -log of one half: a tail beyond it is the smaller one
_LEAST = 1e-3  # share that stands for a class never seen, where a fit starts


class Ordinal(Family):
    """Cumulative-link law of the classes 0, 1, ..., levels - 1, which have an order.

    P(Y <= j) = F(cut_j - location), where F is the inverse of the link. The cut points are
    parameters as they stand, under which -log q is convex; where they are out of order, it is
    infinite. A location of a regression has no intercept, which would move all cut points.

    Parameters
    ----------
    levels : int
        Number of classes, at least two.
    cumulative_link : str or Link, default="logit"
        Link of the probability of a class and all below it.

    References
    ----------
    McCullagh (1980), Regression models for ordinal data, Journal of the Royal Statistical Society
    B 42.
    Pratt (1981), Concavity of the log likelihood, Journal of the American Statistical Association
    76.
    """

    moves_together = True

    def __init__(self, levels: int, cumulative_link: str | Link = "logit") -> None:
        super().__init__()
        self.levels = levels
        self.cumulative_link = cumulative_link

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        cuts = (Param(f"cut_{j + 1}", IDENTITY) for j in range(self.levels - 1))
        return (Param("location", IDENTITY, modelled=True, intercept=False), *cuts)

    @property
    def support(self) -> Support:  # type: ignore[override]
        top = float(self.levels - 1)
        return Support(0.0, top, closed=(True, True), discrete=True, whole=True)

    def dimensionless(self, index: int) -> bool:
        return True  # F gives the line its unit

    @property
    def _binary(self) -> Family:
        """The law of whether a class is at most j, by the distance of its cut point."""
        link = get_link(self.cumulative_link)
        return Bernoulli(links=None if link is LOGIT else {"probability": link})

    # ---------------------------------------------------------------- the formula

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        code, n, k = statistics[0], len(statistics[0]), len(eta)
        parts = []
        for level, at in alike(code, range(self.levels)):
            (some,) = of_rows((code,), at)
            parts.append((at, self._level(int(level), len(some), of_rows(eta, at, n), order)))
        return gather(parts, n, k, order)

    def _level(self, level: int, n: int, eta: Arrays, order: int) -> Rows:
        """Return -log q of one class, a difference of the two tails that are small there."""
        k, location = len(eta), np.asarray(eta[0])
        if level == 0:
            return self._below(1, location, eta, n, order)
        if level == self.levels - 1:
            return self._above(level, location, eta, n, order)
        every = range(k)
        low = [self._below(c, location, eta, n, order) for c in (level + 1, level)]
        high = [self._above(c, location, eta, n, order) for c in (level, level + 1)]
        by_low = mix([(rows, every) for rows in low], k, [1.0, -1.0], order)
        by_high = mix([(rows, every) for rows in high], k, [1.0, -1.0], order)
        return chosen(low[0].value > _MEDIAN, by_low, by_high)

    def _below(self, cut: int, location: Array, eta: Arrays, n: int, order: int) -> Rows:
        """Return -log P(Y <= cut - 1), by all eta."""
        return self._tail(1.0, cut, location, eta, n, order)

    def _above(self, cut: int, location: Array, eta: Arrays, n: int, order: int) -> Rows:
        """Return -log P(Y > cut - 1), by all eta."""
        return self._tail(0.0, cut, location, eta, n, order)

    def _tail(
        self, outcome: float, cut: int, location: Array, eta: Arrays, n: int, order: int
    ) -> Rows:
        distance = np.broadcast_to(
            eta[cut] - location, np.broadcast_shapes((n,), *map(np.shape, eta))
        )
        rows = self._binary.rows((np.full(n, outcome),), (distance,), order)
        if rows.gradient is None:
            return rows
        (slope,) = rows.gradient
        zero = np.zeros(())
        gradient = [zero] * len(eta)
        gradient[0], gradient[cut] = -slope, slope
        if rows.curvature is None:
            return Rows(rows.value, tuple(gradient))
        (bend,) = rows.packed
        assert bend is not None
        known = {(0, 0): bend, (0, cut): -bend, (cut, cut): bend}
        places = ((a, b) for a in range(len(eta)) for b in range(a, len(eta)))
        return Rows(rows.value, tuple(gradient), tuple(known.get(place, zero) for place in places))

    def log_probabilities(self, location: Array, cuts: Array) -> Array:
        """Return log q of each class, (n, levels), at locations (n,) and cut points."""
        eta = (np.asarray(location, float), *map(np.asarray, cuts))
        n = len(location)
        return -np.column_stack(
            [self._level(level, n, eta, 0).value for level in range(self.levels)]
        )

    # ---------------------------------------------------------------- starts and verdicts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        counts = np.bincount(statistics[0].astype(int), weight, self.levels)
        shares = np.maximum(counts / counts.sum(), _LEAST / self.levels)
        below = np.cumsum(shares / shares.sum())[:-1]
        return [(0.0, *(float(e) for e in self._binary.eta((below,))[0]))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        code = statistics[0].astype(int)
        shape = np.broadcast_shapes(code.shape, *(np.shape(d) for d in delta))
        moves = np.stack([np.broadcast_to(d - delta[0], shape) for d in delta[1:]], axis=-1)
        top, bottom = np.minimum(code, self.levels - 2), np.maximum(code - 1, 0)
        upper = np.where(code < self.levels - 1, _taken(moves, top), np.inf)
        lower = np.where(code > 0, _taken(moves, bottom), -np.inf)
        rise = np.maximum(np.where(np.isinf(upper), 0.0, -upper), 0.0)
        rise = rise + np.maximum(np.where(np.isinf(lower), 0.0, lower), 0.0)
        return np.where(upper < lower, np.inf, rise)

    # ---------------------------------------------------------------- the law

    def cdf(self, y: Array, theta: Arrays) -> Array:
        location, *cuts = theta
        place = np.floor(np.asarray(y, float))
        found = np.where(place < 0.0, 0.0, 1.0)
        binary = self._binary
        for j, cut in enumerate(cuts):
            found = np.where(place == j, binary.natural((np.asarray(cut - location),))[0], found)
        return found


def _taken(moves: Array, place: Any) -> Array:
    return np.take_along_axis(moves, place[..., None], axis=-1)[..., 0]
