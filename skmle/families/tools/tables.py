"""Probabilities of a law of one number of which nothing is known but log q.

First the law is found: the highest places of log q on a wide grid, each looked at ever more closely
until log q is flat there, however narrow the law is. From these places, and from finite ends of the
support, a density is integrated over panels that grow geometrically on both sides, so that tails
and singularities at an end are met at their own size. Panels are halved until the halves agree with
the whole. Whole numbers are summed outwards from the highest place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Support
from skmle.families.tools.numerical import wide_grid

LogQ = Callable[[Array], Array]
"""log q of numbers, an array of any one length; -inf where the law has none."""

# Where no origin is given, a value was chosen, not measured.
_HIGHEST = 8  # local maxima of a wide grid that are looked at
_ZOOM, _ZOOMS = 17, 120  # points of a closer look, and looks at most: each is 8 times closer
_FLAT = 0.5  # nats by which log q may vary where it counts as flat
_NEAREST, _FARTHEST = 1e-300, 1e150  # distances from a place: about where squares leave the doubles
_A_DECADE = 3  # panels for each factor of ten of the distance
_NEGLIGIBLE = 60.0  # nats below the largest panel from which a panel is left out: 1e-26
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(15)
# Share of the whole by which a panel may differ from its halves, which are better by far; and
# halvings after which a jump inside a panel is isolated to the last digit.
_AGREEMENT, _HALVINGS = 1e-13, 60
_CROWD = 4096  # open panels at which their differences are rounding, which no halving cures
_SLOWEST = 1e-6  # power of a tail below which it does not fall, but for rounding
_ROUNDING = 4.0 * float(np.finfo(float).eps)
_NEWTON = 80  # steps to a quantile at most, each of which may halve the interval
# Whole numbers that are summed at first on each side, and at most; and the share of the whole that
# the last half of them may hold.
_FIRST, _MOST, _LEFT = 64, 2**20, 1e-17


class Table(Protocol):
    """What is known of a law by its table."""

    total: float
    """The probability of everything, which is one of a law."""

    def cdf(self, y: Array) -> Array:
        """Return P(Y <= y)."""

    def sf(self, y: Array) -> Array:
        """Return P(Y > y)."""

    def quantile(self, q: Array) -> Array:
        """Return the smallest y with P(Y <= y) >= q."""

    def upper_quantile(self, q: Array) -> Array:
        """Return the smallest y with P(Y > y) <= q."""

    def moment(self, centre: float, power: int) -> float:
        """Return E[(Y - centre)^power]; inf or nan where it does not exist."""

    def entropy(self) -> float:
        """Return E[-log q(Y)]."""


def tabulate(log_q: LogQ, support: Support, places: Sequence[float]) -> Table:
    """Return the table of a law.

    Parameters
    ----------
    log_q : callable
    support : Support
    places : sequence of float
        Numbers about which the law may be, such as its parameters.
    """
    with np.errstate(all="ignore"):
        if support.discrete:
            return _Counts(log_q, support, places)
        return _Panels(log_q, support, places)


def _highest(log_q: LogQ, grid: Array, whole: bool) -> list[tuple[float, float]]:
    """Return where log q has its highest local maxima, and how far it is flat around each."""
    values = np.concatenate([[-np.inf], log_q(grid), [-np.inf]])
    inner = values[1:-1]
    peaks = np.flatnonzero((inner > values[:-2]) & (inner >= values[2:]))
    found = []
    for at in peaks[np.argsort(-inner[peaks], kind="stable")][:_HIGHEST]:
        low, high = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
        found.append(_closely(log_q, float(grid[at]), float(low), float(high), whole))
    return found


def _closely(log_q: LogQ, best: float, low: float, high: float, whole: bool) -> tuple[float, float]:
    """Return the highest place between two numbers, and how far log q is flat around it."""
    for _ in range(_ZOOMS):
        points = np.linspace(low, high, _ZOOM)
        points = np.unique(np.round(points) if whole else np.append(points, best))
        values = log_q(points)
        at = int(np.argmax(values))
        best = float(points[at])
        low, high = points[max(at - 1, 0)], points[min(at + 1, len(points) - 1)]
        if np.ptp(values) < _FLAT or len(points) < (_ZOOM if whole else 4):
            break
    return best, high - low


def _beyond(log_q: LogQ, edge: float, out: float, power: int) -> float:
    """Return what is beyond an edge of E[Z^power] of Z = Y - centre, by the power of the tail.

    The tail is that of a power as the density at the edge, `out` from the centre, and twice as far
    tells it; lighter tails leave nothing.
    """
    near, far = log_q(np.array([edge, edge + out]))
    if not np.isfinite(near):
        return 0.0
    rate = (near - far) / np.log(2.0) - 1.0 - power
    if not rate > _SLOWEST:
        return float(np.sign(out) ** power * np.inf)
    return float(np.sign(out) ** power * np.exp(near + (1 + power) * np.log(np.abs(out))) / rate)


def _unknown(q: Array, support: Support, found: Array, low_at: float) -> Array:
    """Return quantiles with those of the levels 0 and 1, and nan for what is no level."""
    found = np.where(q == low_at, support.low, np.where(q == 1.0 - low_at, support.high, found))
    return np.where((q >= 0.0) & (q <= 1.0), found, np.nan)


class _Panels:
    """The table of a density: panels, with the probability of each, below it and above it."""

    def __init__(self, log_q: LogQ, support: Support, places: Sequence[float]) -> None:
        self.log_q, self.support = log_q, support
        grid = wide_grid(support, places)
        points = self._points(grid, _highest(log_q, grid, whole=False))
        values = log_q(points)
        values[np.isposinf(values)] = -np.inf  # at an end; the other one tells the panel's size
        low, high = points[:-1], points[1:]
        size = np.maximum(values[:-1], values[1:]) + np.log(high - low)
        counted = size >= max(np.max(size) - _NEGLIGIBLE, -1e300)
        counted[np.argmax(size)] = True  # so that there is one
        self.low, self.high, self.mass = self._settled(low[counted], high[counted])
        self.below = np.concatenate([[0.0], np.cumsum(self.mass)])
        self.above = np.concatenate([np.cumsum(self.mass[::-1])[::-1], [0.0]])
        self.total = float(self.below[-1])

    def _points(self, grid: Array, places: Sequence[tuple[float, float]]) -> Array:
        """Return the ends of the first panels, around the places and next to finite ends."""
        ends = [end for end in (self.support.low, self.support.high) if np.isfinite(end)]
        found = [np.array(ends), grid[[0, -1]]]
        for place, width in [*places, *((end, 0.0) for end in ends)]:
            nearest = max(_NEAREST, abs(place) * _ROUNDING, 0.1 * width)
            near, far = np.log10(nearest), np.log10(_FARTHEST)
            away = np.logspace(near, far, int(_A_DECADE * (far - near)))
            found += [place - away, np.array([place]), place + away]
        points = np.unique(np.concatenate(found))
        return points[(points >= self.support.low) & (points <= self.support.high)]

    def _integrals(self, low: Array, high: Array) -> Array:
        """Return the probabilities of intervals, of one panel each."""
        half = 0.5 * (high - low)
        nodes = (low + half)[:, None] + half[:, None] * _NODES
        log_q = self.log_q(nodes.ravel()).reshape(nodes.shape)
        log_q[np.isposinf(log_q)] = -np.inf  # of a node that is rounded to an end
        # By logarithms: next to a singularity densities are beyond the doubles.
        return np.exp(log_q + np.log(half)[:, None] + np.log(_WEIGHTS)).sum(axis=1)

    def _settled(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Return panels, from the left, and their probabilities, after halving those that need it.

        Those that are still open where rounding or a crowd stops the halving count as they are.
        """
        whole = self._integrals(low, high)
        done: list[tuple[Array, Array, Array]] = []
        for _ in range(_HALVINGS):
            middle = low + 0.5 * (high - low)
            left, right = self._integrals(low, middle), self._integrals(middle, high)
            total = whole.sum() + sum(mass.sum() for *_, mass in done)
            wide = high - low > _ROUNDING * np.maximum(np.abs(low), np.abs(high))
            bad = (np.abs(left + right - whole) > _AGREEMENT * total) & wide
            bad &= bad.sum() < _CROWD
            good = ~bad
            done += [(low[good], middle[good], left[good]), (middle[good], high[good], right[good])]
            if not bad.any():
                break
            low, high = (
                np.concatenate(pair) for pair in ((low[bad], middle[bad]), (middle[bad], high[bad]))
            )
            whole = np.concatenate([left[bad], right[bad]])
        else:
            done.append((low, high, whole))
        starts, ends, masses = (np.concatenate(each) for each in zip(*done, strict=True))
        order = np.argsort(starts, kind="stable")
        return starts[order], ends[order], masses[order]

    def _at_nodes(self) -> tuple[Array, Array, Array]:
        """Return the nodes of all panels, log q and the probability there, where it is finite."""
        half = 0.5 * (self.high - self.low)[:, None]
        nodes = (self.low[:, None] + half + half * _NODES).ravel()
        log_q = self.log_q(nodes)
        mass = np.exp(log_q + (np.log(half) + np.log(_WEIGHTS)).ravel())
        counted = np.isfinite(log_q) & (mass > 0.0)
        return nodes[counted], log_q[counted], mass[counted]

    def moment(self, centre: float, power: int) -> float:
        nodes, _, mass = self._at_nodes()
        found = float(mass @ (nodes - centre) ** power)
        if np.isinf(self.support.low):
            found += _beyond(self.log_q, self.low[0], self.low[0] - centre, power)
        if np.isinf(self.support.high):
            found += _beyond(self.log_q, self.high[-1], self.high[-1] - centre, power)
        return found

    def entropy(self) -> float:
        _, log_q, mass = self._at_nodes()
        return -float(mass @ log_q)

    def _panel(self, y: Array) -> NDArray[np.intp]:
        """Return the last panel that begins at y or below; the first, if none does."""
        return np.maximum(np.searchsorted(self.low, y, side="right") - 1, 0)

    def cdf(self, y: Array) -> Array:
        at = self._panel(y)
        to = np.clip(y, self.low[at], self.high[at])
        inside = np.where(to >= self.high[at], self.mass[at], self._integrals(self.low[at], to))
        return np.where(np.isnan(y), np.nan, self.below[at] + inside)

    def sf(self, y: Array) -> Array:
        at = self._panel(y)
        to = np.clip(y, self.low[at], self.high[at])
        inside = np.where(to <= self.low[at], self.mass[at], self._integrals(to, self.high[at]))
        return np.where(np.isnan(y), np.nan, self.above[at + 1] + inside)

    def quantile(self, q: Array) -> Array:
        last = len(self.mass) - 1
        at = np.clip(np.searchsorted(self.below[1:], q), 0, last)
        found = self._solved(at, lambda y: self._integrals(self.low[at], y) + self.below[at] - q)
        return _unknown(q, self.support, found, 0.0)

    def upper_quantile(self, q: Array) -> Array:
        last = len(self.mass) - 1
        at = np.clip(np.searchsorted(-self.above, -q, side="right") - 1, 0, last)
        more = self.above[at + 1]
        found = self._solved(at, lambda y: q - more - self._integrals(y, self.high[at]))
        return _unknown(q, self.support, found, 1.0)

    def _solved(self, at: NDArray[np.intp], lacks: Callable[[Array], Array]) -> Array:
        """Return where a rising function is zero in some panels, by Newton's steps or halves."""
        low, high = self.low[at], self.high[at]
        y = low + 0.5 * (high - low)
        for _ in range(_NEWTON):
            lack, density = lacks(y), np.exp(self.log_q(y))
            step = y - lack / density  # of a density that is infinite, or vanishes, it is no number
            low, high = np.where(lack < 0.0, y, low), np.where(lack < 0.0, high, y)
            moved = np.where((step > low) & (step < high), step, low + 0.5 * (high - low))
            moved = np.where(lack == 0.0, y, moved)
            still = np.abs(moved - y) <= _ROUNDING * np.abs(y)
            y = moved
            if still.all():
                break
        return y


class _Counts:
    """The table of a mass: whole numbers one after the other, with their probabilities."""

    def __init__(self, log_q: LogQ, support: Support, places: Sequence[float]) -> None:
        self.log_q, self.support = log_q, support
        low, high = max(support.low, -(2.0**53)), min(support.high, 2.0**53)
        sizes = np.concatenate([[0.0], np.logspace(0.0, 15.0, 361)])
        starts = [e for e in (support.low, support.high) if np.isfinite(e)] or [0.0]
        around = [start + sign * sizes for start in (*starts, *places) for sign in (-1.0, 1.0)]
        grid: Array = np.unique(np.round(np.concatenate(around)))
        grid = grid[(grid >= low) & (grid <= high)]
        peaks = [peak for peak, _ in _highest(log_q, grid, whole=True)] or [float(grid[0])]
        near = [peak for peak in peaks if abs(peak - peaks[0]) < _MOST]
        first, last = min(near), max(near)
        before, after = first, last
        size = _FIRST
        while True:
            first, last = max(before - size, low), min(after + size, high)
            counts = np.arange(first, last + 1.0)
            mass = np.exp(log_q(counts))
            ends = mass[counts < before - size / 2].sum() + mass[counts > after + size / 2].sum()
            if not ends > _LEFT * mass.sum() or size >= _MOST:
                break
            size *= 4
        self.counts, self.mass = counts, mass
        self.below = np.concatenate([[0.0], np.cumsum(mass)])
        self.above = np.concatenate([np.cumsum(mass[::-1])[::-1], [0.0]])
        self.total = float(self.below[-1])

    def _place(self, y: Array) -> NDArray[np.intp]:
        """Return how many of the counts are at y or below."""
        return np.searchsorted(self.counts, y, side="right")

    def cdf(self, y: Array) -> Array:
        return np.where(np.isnan(y), np.nan, self.below[self._place(y)])

    def sf(self, y: Array) -> Array:
        return np.where(np.isnan(y), np.nan, self.above[self._place(y)])

    def quantile(self, q: Array) -> Array:
        at = np.minimum(np.searchsorted(self.below[1:], q), len(self.counts) - 1)
        return _unknown(q, self.support, self.counts[at], 0.0)

    def upper_quantile(self, q: Array) -> Array:
        at = np.minimum(np.searchsorted(-self.above[1:], -q), len(self.counts) - 1)
        return _unknown(q, self.support, self.counts[at], 1.0)

    def moment(self, centre: float, power: int) -> float:
        found = float(self.mass @ (self.counts - centre) ** power)
        first, last = self.counts[[0, -1]]
        if first > self.support.low:
            found += _beyond(self.log_q, first, np.round(first - centre), power)
        if last < self.support.high:
            found += _beyond(self.log_q, last, np.round(last - centre), power)
        return found

    def entropy(self) -> float:
        log_q = np.log(np.where(self.mass > 0.0, self.mass, 1.0))
        return -float(self.mass @ log_q)
