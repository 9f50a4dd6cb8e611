"""The triangular law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skmle.families.base import IDENTITY, Array, Arrays, Family, Param, Rows, Shortcuts, Support
from skmle.families.law import ByLogTail, ByStd
from skmle.families.tools.special import log_complement

# Distances of the ends from the outermost observations, over their range, from which a search
# begins. Few rows have lesser maxima: of up to so many, the mode is tried at each.
_DISTANCES = (0.01, 0.1, 0.5)
_ALL = 30
_NEXT = 12  # modes that are tried at last
# Steps of a search for the ends, halvings of one, and nats that a step gains: so few that it needs
# no proof, and so few that it changes nothing.
_STEPS, _HALVINGS, _SURE, _CLOSE = 60, 40, 1e-8, 1e-20
_LONGEST = 2.0  # step
# Nats of a step at which a maximum is found roughly, of a difference between two such that is none,
# and how often a step is hoped to gain what it promises. Seen: the same maxima of 400 samples.
_ROUGH, _APART, _HOPED = 1e-6, 1e-4, 4.0
_NO_DISTANCE = -60.0  # its logarithm, from which an end is at an observation


class Triangular(ByStd, ByLogTail, Family):
    """Triangular law between `low` and `high`, with its peak at `mode`.

    The density rises as a line from 0 at `low` to 2/(high - low) at `mode`, and falls as a line to
    0 at `high`. It serves where little more than the ends and the most likely value is known.
    scipy: ``triang((mode - low)/(high - low), low, high - low)``; R: ``extraDistr::dtriang(y, low,
    high, mode)``.

    The most likely mode is an observation. The most likely ends lie beyond the outermost ones; that
    on the side of a mode which is the least or the largest is the mode itself. Non-regular: the
    support depends on the parameters, the mode is at a cusp, no standard errors in the usual sense
    exist, and it cannot be regressed. With known ends, ``ScipyFamily("triang", loc=low,
    scale=high - low)`` fits the mode alone.

    References
    ----------
    Oliver (1972), A maximum likelihood oddity, The American Statistician 26 (the mode).
    Johnson & Kotz (1999), Non-smooth sailing or triangular distributions revisited after some 50
    years, The Statistician 48.
    van Dorp & Kotz (2002), A novel extension of the triangular distribution and its parameter
    estimation, The Statistician 51.

    Examples
    --------
    >>> import warnings
    >>> from skmle import MLEDistribution
    >>> from skmle.exceptions import NonRegularWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", NonRegularWarning)
    ...     model = MLEDistribution("triangular").fit([1.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0])
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'low': 0.312, 'mode': 3.0, 'high': 5.688}
    """

    scipy_name = "triang"
    parameters = (Param("low", IDENTITY), Param("mode", IDENTITY), Param("high", IDENTITY))
    support = Support(fixed=False, smooth=False)
    shortcuts = Shortcuts(starts="final")

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        low, mode, high = eta
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = np.log(0.5 * (high - low)) - _log_height(statistics[0], low, mode, high)
        return Rows(np.where((low <= mode) & (mode <= high), rows, np.inf))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        y = np.asarray(statistics[0], float)
        counted = np.ones(len(y), bool) if weight is None else weight > 0.0
        values, index = np.unique(y[counted], return_inverse=True)
        own = np.ones(len(index)) if weight is None else weight[counted] / weight.max()
        totals = np.bincount(index, own)
        counts = np.asarray(totals * (len(index) / totals.sum()), float)
        if len(values) == 1:
            return [(float(values[0]),) * 3]
        least, spread = values[0], values[-1] - values[0]
        found = _most_likely(_Sample((values - least) / spread, counts))
        mode = float(values[found.place])
        low, high = least - spread * found.below, values[-1] + spread * found.above
        return [(min(float(low), mode), mode, max(float(high), mode))]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        y = statistics[0] if weight is None else statistics[0][weight > 0.0]
        low, high = float(y.min()), float(y.max())
        if low < high:
            return None
        return (
            low,
            low,
            float(np.nextafter(high, np.inf)),
        ), "all observations are equal, so the interval shrinks to a point"

    def ended(self, values: Mapping[str, float]) -> Family | None:
        raise ValueError(
            f"fixed={dict(values)!r}: Triangular is fitted by its ends and its mode, all at once. "
            "Allowed: fixed=None. With known ends, families.ScipyFamily('triang', loc=low, "
            "scale=high - low) fits the mode."
        )

    # ---------------------------------------------------------------- the law, whole

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        low, _, high = np.broadcast_arrays(*(np.asarray(value, float) for value in theta))
        return low, high

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import triang

        low, mode, high = theta
        scale = np.asarray(high, float) - low
        scale = np.where(low + scale < high, np.nextafter(scale, np.inf), scale)  # the ends agree
        return triang((mode - low) / scale, low, scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, loc + c * scale, loc + scale)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        low, mode, high = theta
        y = np.clip(y, low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(y <= mode, (y - low) / (mode - low), (high - y) / (high - mode))
            whole = np.where(y <= mode, mode - low, high - mode) / (high - low)
            smaller = 2.0 * np.log(share) + np.log(whole)
            own = (y > mode) == upper
            tail = np.where(own, smaller, log_complement(np.minimum(smaller, 0.0)))
        # Where the mode is an end, there is nothing on its other side.
        with np.errstate(divide="ignore"):
            rise = (mode - low) / (high - low)
            at_mode = np.log1p(-np.clip(rise, 0.0, 1.0)) if upper else np.log(rise)
        return np.where(y == mode, at_mode, tail)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at_level(np.asarray(q, float), theta, False)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at_level(np.asarray(q, float), theta, True)

    def about_quantile(self, q: Array, theta: Arrays) -> Array:
        # Averages are taken piece by piece between these: the nearest one is at the mode, where the
        # density is not smooth.
        y, mode = np.array(self.quantile(q, theta)), np.asarray(theta[1], float)
        nearest = np.abs(y - mode).argmin(axis=0)[None]
        np.put_along_axis(y, nearest, np.broadcast_to(mode, nearest.shape), axis=0)
        return y

    def _at_level(self, q: Array, theta: Arrays, upper: bool) -> Array:
        low, mode, high = theta
        below, above = (1.0 - q, q) if upper else (q, 1.0 - q)
        length = np.asarray(high) - low
        with np.errstate(invalid="ignore"):  # of levels outside 0..1
            rise = low + np.sqrt(below * length * (mode - low))
            fall = high - np.sqrt(above * length * (high - mode))
            y = np.where(below * length < mode - low, rise, fall)
            return np.where((q >= 0.0) & (q <= 1.0), y, np.nan)

    def mean(self, theta: Arrays) -> Array:
        low, mode, high = theta
        return low / 3.0 + mode / 3.0 + high / 3.0

    def std(self, theta: Arrays) -> Array:
        low, mode, high = theta
        length = np.asarray(high) - low
        with np.errstate(divide="ignore", invalid="ignore"):
            rise, fall = (mode - low) / length, (high - mode) / length
        return length * np.sqrt((1.0 - rise * fall) / 18.0)

    def known_entropy(self, theta: Arrays) -> Array:
        low, mode, high = theta
        known = 0.5 + np.log(0.5 * (np.asarray(high) - low))
        return np.where((low <= mode) & (mode <= high), known, np.nan)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.quantile(rng.random(size), theta)


def _log_height(y: Array, low: Array, mode: Array, high: Array) -> Array:
    """Return the log of the density over its largest value, -inf outside."""
    rising = y <= mode
    away, whole = np.where(rising, y - low, high - y), np.where(rising, mode - low, high - mode)
    height = np.log(np.maximum(away, 0.0)) - np.log(whole)
    return np.where(y == mode, 0.0, np.where((low <= y) & (y <= high), height, -np.inf))


# ---------------------------------------------------------------- the maximum


_LEAST = math.exp(_NO_DISTANCE)
_TINY = float(np.finfo(float).tiny)


class _Sample(NamedTuple):
    values: Array
    """Different ones in order, from 0 to 1."""
    counts: Array


class _Found(NamedTuple):
    value: float
    """The log-likelihood without a constant."""
    place: int
    """Which of the values is the mode."""
    below: float
    """How far the low end lies below 0, and the high one above 1."""
    above: float


def _most_likely(sample: _Sample) -> _Found:
    """Return the best maximum found over the places of the mode.

    Given the ends, all modes are compared; given the mode, the ends are found by Newton's method.
    The two take turns from several ends; then the next best modes are tried. Maxima are found
    roughly at first, and those that may be the best to the last digit.
    """
    n, middle = len(sample.values), _DISTANCES[1]
    if n <= _ALL:
        return max(_ends_beside(sample, place, middle, middle) for place in range(n))
    seen = {place: _ends_beside(sample, place, middle, middle, _ROUGH) for place in (0, n - 1)}
    for below, above in itertools.product(_DISTANCES, repeat=2):
        place = int(_profile(sample, below, above).argmax())
        while place not in seen:
            seen[place] = _ends_beside(sample, place, below, above, _ROUGH)
            below, above = seen[place].below, seen[place].above
            place = int(_profile(sample, below, above).argmax())
    best = max(seen.values())
    near = np.argsort(_profile(sample, best.below, best.above))[-_NEXT:]
    for place in near.tolist():
        if place not in seen:
            seen[place] = _ends_beside(
                sample, place, best.below, best.above, close=_ROUGH, best=best.value
            )
    least = max(seen.values()).value - _APART
    good = [one for one in seen.values() if one.value >= least]
    return max(_ends_beside(sample, one.place, one.below, one.above) for one in good)


def _profile(sample: _Sample, below: float, above: float) -> Array:
    """Return the log-likelihood with the mode at each value, beside these ends, less a constant."""
    values, counts = sample
    # Beside an end at an observation, all modes but that one are as good as impossible.
    least = np.finfo(float).tiny
    rise, fall = (np.log(np.maximum(x, least)) for x in (values + below, (1.0 - values) + above))
    before = np.cumsum(counts * rise) - np.cumsum(counts) * rise
    after = np.cumsum((counts * fall)[::-1])[::-1] - np.cumsum(counts[::-1])[::-1] * fall
    return before + after


def _ends_beside(
    sample: _Sample,
    place: int,
    below: float,
    above: float,
    close: float = _CLOSE,
    best: float = -np.inf,
) -> _Found:
    """Return the most likely ends beside a mode, by Newton's method in their log distances.

    The search ends where a step gains less than `close`, or where one would not come to `best` if
    it gained eight times what it promises.
    """
    jet = _Beside(sample, place)
    at = math.log(max(below, _LEAST)), math.log(max(above, _LEAST))
    now = jet(at)
    for _ in range(_STEPS):
        step = _ascent(now)
        gain = now.slopes[0] * step[0] + now.slopes[1] * step[1]
        # A step promises half of this, if the curvature stays as it is.
        if gain < close or now.value + _HOPED * gain < best:
            break
        share = min(1.0, _LONGEST / max(abs(step[0]), abs(step[1])))
        for _ in range(_HALVINGS):
            tried = (
                max(at[0] + share * step[0], _NO_DISTANCE),
                max(at[1] + share * step[1], _NO_DISTANCE),
            )
            trial = jet(tried)
            if trial.value >= now.value or gain < _SURE:
                break
            share *= 0.5
        else:
            break
        at, now = tried, trial
    return _Found(now.value, place, *jet.away(at))


class _Jet(NamedTuple):
    """A log-likelihood, without a constant, with derivatives in the log distances of the ends."""

    value: float
    slopes: tuple[float, float]
    curvatures: tuple[float, float, float]
    """Of the negative: both, and between them."""


class _Beside:
    """The log-likelihood of a sample beside a mode.

    Its few numbers are no arrays: a sample has so few rows that these would take most of the time.
    """

    def __init__(self, sample: _Sample, place: int) -> None:
        values, counts = sample
        mode = float(values[place])
        self.n = float(counts.sum())
        self.sides = (
            (values[:place], counts[:place], mode),
            (1.0 - values[place + 1 :], counts[place + 1 :], 1.0 - mode),
        )

    def away(self, at: tuple[float, float]) -> tuple[float, float]:
        """Return the distances of the ends; that on the side of a mode at an end is zero."""
        below, above = (
            math.exp(log) if len(side[0]) else 0.0 for log, side in zip(at, self.sides, strict=True)
        )
        return below, above

    def __call__(self, at: tuple[float, float]) -> _Jet:
        away = self.away(at)
        length = 1.0 + away[0] + away[1]
        value, each = -self.n * math.log(length), self.n / length
        slopes, curvatures = [0.0, 0.0], [0.0, 0.0]
        for j, (y, c, top) in enumerate(self.sides):
            if not len(y):
                continue
            own, peak = 1.0 / (y + away[j]), 1.0 / (top + away[j])
            excess = own - peak
            value -= float(c @ np.log(own / peak))
            slopes[j] = away[j] * (float(c @ excess) - each)
            second = float(c @ (excess * (own + peak))) - each / length
            curvatures[j] = away[j] ** 2 * second - slopes[j]
        between = -away[0] * away[1] * each / length
        return _Jet(value, (slopes[0], slopes[1]), (curvatures[0], curvatures[1], between))


def _ascent(at: _Jet) -> tuple[float, float]:
    """Return Newton's step; where the value is not concave, one along each coordinate."""
    (first, second), (a, c, b) = at.slopes, at.curvatures
    determinant = a * c - b * b
    if a > 0.0 and determinant > 0.0:
        return (c * first - b * second) / determinant, (a * second - b * first) / determinant
    return first / max(abs(a), _TINY), second / max(abs(c), _TINY)
