"""Zipf's law of ranks up to a known number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skmle.families.base import (
    IDENTITY,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Shortcuts,
    Support,
    average,
)
from skmle.families.tools.by_tails import ByLawAtEnd
from skmle.families.tools.power_sums import log_ratio, power_sums
from skmle.families.tools.tails import complement

_LARGEST = 2.0**53  # ranks: beyond, whole numbers are no longer told apart
# Share of a second moment that the variance is, at least, to have twelve digits of it.
_LEFT = 1e-3
# Power of x that those next to 0 are taken for, which draws and rough quantiles do not tell apart.
_FLAT = 1e-8
# Share of its value in the middle that the integral of a power of x over a unit has, at least: it
# is 0.989 of sqrt(x) about 1.
_AT_LEAST = 0.98


class _SupportOfRanks:
    """The support of a law by its number of ranks; of a law that does not know it yet, 1, 2, ..."""

    def __get__(self, law: Zipfian | None, owner: type[Zipfian]) -> Support:
        if law is None or law.ranks is None:
            return Support(1.0, closed=(True, False), discrete=True, whole=True)
        return Support(1.0, law.count, closed=(True, True), discrete=True, whole=True)


class Zipfian(ByLawAtEnd):
    """Zipf's law of ranks y = 1, 2, ..., `ranks`, with an `exponent` that may be any number.

    q(y) = y^-exponent / (1 + 2^-exponent + ... + ranks^-exponent). With an exponent of 0 all ranks
    are equally likely; if it is negative, the last one is the likeliest. Without a last rank, which
    takes an exponent above 1, the law is `zeta`; scipy calls that one zipf and this one zipfian. As
    the exponent -> inf all ranks are 1, as it -> -inf all are the last.

    scipy: ``zipfian(exponent, ranks)``, for exponents from 0 on; R: VGAM
    ``dzipf(y, N=ranks, shape=exponent)``, sads ``dzipf(y, N=ranks, s=exponent)``.

    Parameters
    ----------
    ranks : int or None, default=None
        The number of ranks, if it is known, from 2 on; None: the largest rank of the data. That is
        the most likely number, but too small where the last ranks are so rare that nobody saw them.
    links : dict of str to str or Link, optional
        A link for `exponent`, in place of the identity.

    References
    ----------
    Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, ch. 11.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> model = MLEDistribution(families.Zipfian(ranks=5)).fit([[1], [1], [1], [2], [5]])
    >>> round(float(model.params_["exponent"]), 4)
    1.4317
    """

    scipy_name = "zipfian"
    not_tried = "its number of ranks is a setting: name it if its observations are ranks"
    concave = True
    knows_curvature = True
    parameters = (Param("exponent", IDENTITY),)
    shortcuts = Shortcuts(sums="statistics")
    support = _SupportOfRanks()  # type: ignore[assignment]

    def __init__(self, ranks: int | None = None, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.ranks = ranks

    @property
    def count(self) -> float:
        """The number of ranks as a float."""
        if self.ranks is None:
            raise ValueError(
                "Zipfian(): ranks=None is learnt from data by fit. Allowed: a whole number from 2 "
                "to 9.0e15; give it to use it."
            )
        try:
            count = float(self.ranks)
        except (TypeError, ValueError, OverflowError):
            count = np.nan
        if not (2.0 <= count <= _LARGEST and count == np.floor(count)):
            raise ValueError(
                f"Zipfian(ranks={self.ranks!r:.100}) is not allowed. Allowed: a whole number from "
                "2 to 9.0e15. Give one."
            )
        return count

    def adapt(self, y: Array) -> Family:
        if self.ranks is not None:
            return self
        largest = np.clip(np.max(y, initial=2.0), 2.0, _LARGEST)
        return Zipfian(int(largest), links=self.links)

    def for_parameters(self, params: Mapping[str, Any]) -> Family:
        self.count  # noqa: B018 - it refuses a law that does not know its ranks
        return self

    def amiss(self, y: Array) -> str:
        if self.ranks is None or not (y > self.count).any():
            return ""
        if self.count == _LARGEST:
            return "Larger ranks are not told apart. Choose zeta, which has no last rank."
        return "There are more ranks than that. Give families.Zipfian(ranks=...) all of them."

    def statistics(self, y: Array) -> Arrays:
        return y, np.log(y)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        # The largest of the ranks is what the number of all of them is learnt from.
        y, log_y = statistics
        return np.array([y.max()]), np.array([average(log_y, weight)])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = exponent log(y/r) + log sum (k/r)^-exponent, with the rank r of `_sums`.
        (exponent,) = eta
        origin, total, *moments = _sums(1.0, self.count, exponent, order)
        away = statistics[1] - np.log(origin)
        rows = Rows(exponent * away + total)
        if order < 1:
            return rows
        rows = rows._replace(gradient=(away - moments[0],))
        return rows if order < 2 else rows._replace(curvature=(moments[1],))

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        # Next to the last of many ranks, log y has not the digits that a large exponent asks for.
        (exponent,) = theta
        origin, total = _sums(1.0, self.count, exponent, 0)
        return -(exponent * log_ratio(y, origin) + total)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        value, *derivatives = self._tails(statistics[0], eta[0], upper, order)
        return Rows(value, tuple(derivatives[:1]), tuple(derivatives[1:])).upto(order)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return -self._tails(y, theta[0], upper, 0)[0]

    def _tails(self, y: Array, exponent: Array, upper: bool, order: int) -> Array:
        """Return minus the logarithm of a tail and its derivatives, one below the other.

        Of the two tails the smaller one is summed, and the other is its complement.
        """
        y = np.clip(np.nan_to_num(np.floor(y), nan=1.0), 0.0, self.count)
        y, exponent = np.broadcast_arrays(y, exponent)
        whole = _sums(1.0, self.count, exponent, order)
        below = _share(whole, 1.0, y, exponent, order)
        above = _share(whole, y + 1.0, self.count, exponent, order)
        own, other = (above, below) if upper else (below, above)
        with np.errstate(all="ignore"):  # of what is certain
            return np.where(own[0] > np.log(2.0), own, complement(other, min(order, 1)))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The logarithm of a rank is about exponential, from both ends, but for the steps there.
        log_y, log_last = statistics[1], np.log(self.count)
        up, down = average(log_y, weight), average(log_last - log_y, weight)
        if up == 0.0 or down == 0.0:
            return [(np.inf if up == 0.0 else -np.inf,)]
        step = -np.log1p(-1.0 / self.count)
        falls, rises = np.log1p(np.log(2.0) / up) / np.log(2.0), np.log1p(step / down) / step
        return [(float(1.0 + falls - rises),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        (d,) = delta
        return np.where(d > 0.0, statistics[1], statistics[1] - np.log(self.count)) * d

    # ---------------------------------------------------------------- the law, whole

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import zipfian

        # scipy has no exponents below zero.
        return None if np.any(theta[0] < 0.0) else zipfian(theta[0], self.ranks)

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import randint

        (exponent,) = theta
        low, high = np.where(exponent == -np.inf, self.count, 1.0), self.count
        return randint(low, np.where(exponent == np.inf, 1.0, high) + 1.0)

    @classmethod
    def from_scipy(cls, a: Array, n: Array, loc: Array) -> tuple[Family, Arrays] | None:
        # One family has one number of ranks.
        if np.any(loc) or np.ndim(n) or not 2.0 <= n <= _LARGEST:
            return None
        return cls(int(n)), (a,)

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        shape = np.shape(theta[0])
        return np.ones(shape), np.full(shape, self.count)

    def mean(self, theta: Arrays) -> Array:
        origin, (rest, more) = self._beside_origin(theta, 2)
        return origin * (1.0 + more) / (1.0 + rest)

    def variance(self, theta: Arrays) -> Array:
        # From the moments about zero, or about the rank r that has more than half of the mass.
        origin, (rest, more, most) = self._beside_origin(theta, 3)
        near = rest < 1.0
        first = np.where(near, more - rest, 1.0 + more) / (1.0 + rest)
        second = np.where(near, most - 2.0 * more + rest, 1.0 + most) / (1.0 + rest)
        size = np.where(near, most + 2.0 * more + rest, 1.0 + most) / (1.0 + rest)
        variance = second - first * first
        found = np.asarray(origin * origin * variance)
        if (lost := (size > 0.0) & ~(variance > _LEFT * size)).any():
            from skmle.families.tools import numerical  # not above: it imports all of quadrature

            found[lost] = numerical.variance(self, (np.broadcast_to(theta[0], lost.shape)[lost],))
        return found

    def _beside_origin(self, theta: Arrays, count: int) -> tuple[Array, list[Array]]:
        """Return the rank r of `_sums`, and E[(Y/r)^j] without r, times a number, of j < count.

        The number is that by which the probability of r is one. At an end there is nothing beside.
        """
        inside = self._inside(theta)
        origin = np.where(theta[0] > 1.0, 1.0, self.count)
        exponent = np.where(inside, theta[0], 0.0)
        sums = (power_sums(1.0, self.count, origin, exponent - j, 0)[0] for j in range(count))
        return origin, [np.where(inside, total, 0.0) for total in sums]

    def known_entropy(self, theta: Arrays) -> Array:
        inside = self._inside(theta)
        exponent = np.where(inside, theta[0], 0.0)
        _, total, log_mean = _sums(1.0, self.count, exponent, 1)
        return np.where(inside, total + exponent * log_mean, 0.0)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        below, above = (1.0 - q, q) if upper else (q, 1.0 - q)
        found = _power_law(below, above, theta[0], (0.5, self.count + 0.5))
        return np.clip(np.rint(found), 1.0, self.count)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # After Hoermann & Derflinger (1996): the rank at one end by its probability, and the others
        # as powers of real numbers, rounded, of which some are drawn again.
        last = self.count
        origin, (rest,) = self._beside_origin(theta, 1)
        exponent = theta[0]
        exponent, draws, rest = (
            np.array(np.broadcast_to(x, size)).ravel() for x in (exponent, origin, rest)
        )
        ends = np.where(draws == 1.0, 1.5, 0.5), np.where(draws == 1.0, last, last - 1.0) + 0.5
        left = np.flatnonzero(rng.random(len(draws)) * (1.0 + rest) >= 1.0)
        while len(left):
            own, q = (ends[0][left], ends[1][left]), rng.random(len(left))
            x = _power_law(q, 1.0 - q, exponent[left], own)
            draws[left] = y = np.clip(np.rint(x), own[0] + 0.5, own[1] - 0.5)
            power = _not_zero(1.0 - exponent[left])
            up, down = (np.expm1(power * np.log1p(side / y)) for side in (0.5, -0.5))
            left = left[rng.random(len(left)) * y * (up - down) / power > _AT_LEAST]
        return draws.reshape(size)


def _sums(first: Any, last: Any, exponent: Array, order: int) -> tuple[Array, ...]:
    """Return a rank r at one end of some, and the log-normaliser of a law of these ranks beside it.

    It is the logarithm of the sum of (k/r)^-exponent. Then follow the mean and the variance of
    log(k/r), as many as the order says.
    """
    origin = np.where(exponent > 1.0, first, last)
    rest, *sums = power_sums(first, last, origin, exponent, order)
    moments = [total / (1.0 + rest) for total in sums]
    if order > 1:
        moments[1] = moments[1] - moments[0] * moments[0]
    return origin, np.log1p(rest), *moments


def _share(whole: tuple[Array, ...], first: Any, last: Any, exponent: Array, order: int) -> Array:
    """Return minus the logarithm of the probability of some ranks, and its derivatives.

    They are one below the other; `whole` are `_sums` of all ranks.
    """
    none = first > last
    some = np.where(none, 1.0, first), np.where(none, 1.0, last)
    origin, part, *own = _sums(*some, exponent, order)
    gap = log_ratio(origin, whole[0])
    found = [np.where(none, np.inf, exponent * gap + whole[1] - part)]
    if order > 0:
        found.append(np.where(none, 0.0, gap + own[0] - whole[2]))
    if order > 1:
        found.append(np.where(none, 0.0, whole[3] - own[1]))
    return np.stack(np.broadcast_arrays(*found))


def _not_zero(power: Array) -> Array:
    return np.where(np.abs(power) < _FLAT, _FLAT, power)


def _power_law(below: Array, above: Array, exponent: Array, ends: tuple[Any, Any]) -> Array:
    """Return the quantile of the density x^-exponent between two ends, of the level `below`."""
    power, (low, high) = _not_zero(1.0 - exponent), np.log(ends)
    fall = np.exp(-np.abs(power) * (high - low))
    with np.errstate(divide="ignore"):  # the end of a law that has nothing there
        up, down = np.log(below + above * fall), np.log(above + below * fall)
    found = np.where(power > 0.0, high + up / power, low + down / power)
    return np.exp(np.clip(found, low, high))
