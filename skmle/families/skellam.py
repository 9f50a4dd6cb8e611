"""The Skellam law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.algebra import constant_at
from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, Support, average
from skmle.families.poisson import Poisson
from skmle.families.tools.bessel_of_counts import difference
from skmle.families.tools.by_sums import BySums
from skmle.families.tools.by_tails import ByLawAtEnd
from skmle.families.tools.counts import poisson_draws
from skmle.families.tools.difference_tails import log_tail as summed_log_tail

# Variance up to which the masses of a tail are summed one by one.
_FEW = 1e3


class Skellam(ByLawAtEnd, BySums):
    """Skellam law of the difference of two Poisson counts with the means `mu1` and `mu2`.

    y = N1 - N2 is any whole number, as the difference of the goals of two teams. The mean is mu1 -
    mu2 and the variance mu1 + mu2. q(y) = exp(-mu1 - mu2) (mu1/mu2)^(y/2) I_|y|(2 sqrt(mu1 mu2)).
    As mu2 -> 0 it is the Poisson law of y, as mu1 -> 0 that of -y, and fits to numbers without a
    sign that vary no more than that end there (status "boundary"). In a regression the features act
    on mu1, and with ``features={"mu2": "all"}`` on mu2, too.

    scipy: ``skellam(mu1, mu2)``; R: skellam ``dskellam(y, mu1, mu2)``.

    References
    ----------
    Skellam (1946), The frequency distribution of the difference between two Poisson variates
    belonging to different populations, Journal of the Royal Statistical Society 109.
    Karlis & Ntzoufras (2009), Bayesian modelling of football outcomes: using the Skellam's
    distribution for the goal difference, IMA Journal of Management Mathematics 20.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("skellam").fit([[0], [2], [-1], [3], [1]])
    >>> {name: round(float(value), 4) for name, value in model.params_.items()}
    {'mu1': 1.6393, 'mu2': 0.6393}
    """

    scipy_name = "skellam"
    parameters = (Param("mu1", LOG), Param("mu2", LOG))
    support = Support(discrete=True, whole=True)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            Limit("mu2", 0.0, FirstCount(links=self.links_of(("mu1",))), _without_sign),
            Limit("mu1", 0.0, SecondCount(links=self.links_of(("mu2",))), _mirrored),
        )

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        (y,) = statistics
        first, second = np.exp(eta[0]), np.exp(eta[1])
        with np.errstate(all="ignore"):  # far out
            found = difference(y, first, second)
        # By what is expected of the counts, given their difference.
        gradient = (-found.above, -found.below)
        curvature = (first - found.variance, -found.variance, second - found.variance)
        return Rows(found.value, gradient, curvature).upto(order)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        with np.errstate(all="ignore"):
            return -difference(np.asarray(y, float), *theta).value

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # By the mean and the variance, which of large counts tell all. If the variance is too small
        # for that, the smaller mean begins at the error to which half of the variance is known.
        (y,) = statistics
        if not y.any():
            return [(-np.inf, -np.inf)]
        mean = average(y, weight)
        variance = average((y - mean) ** 2, weight)
        n = len(y) if weight is None else float(weight.sum())
        smaller = 0.5 * (variance - abs(mean))
        if smaller <= 0.0:
            smaller = 0.5 * abs(mean) / np.sqrt(n + 4.0)
        means = smaller + max(mean, 0.0), smaller + max(-mean, 0.0)
        return [(np.log(means[0]), np.log(means[1]))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        # A mean that shrinks allows no number of its sign, unless the other one grows, and then all
        # rows rise without end. Of two that grow alike it depends on how far they are apart, and
        # where one shrinks beside another, on the other, whether the rest of the rows rise.
        (y,), (first, second) = statistics, delta
        falls = np.where(y > 0.0, -y * first, y * second)
        beside = (falls == 0.0) & ((first < 0.0) != (second < 0.0))
        alike = (first == second) & (first > 0.0)
        grows = np.where(alike, np.nan, np.inf)
        falls = np.where(beside, np.nan, falls)
        return np.where((first > 0.0) | (second > 0.0), grows, falls)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        y, mu1, mu2 = np.broadcast_arrays(y, *theta)
        few = mu1 + mu2 <= _FEW
        result = np.empty(y.shape)
        with np.errstate(all="ignore"):  # far out in the tails
            if few.any():
                result[few] = summed_log_tail(y[few], mu1[few], mu2[few], upper)
            if not few.all():
                rest = (mu1[~few], mu2[~few])
                result[~few] = super().log_tail(y[~few], rest, upper)
        return result

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # One count more carries the mass at y over the cut above y, or that at y + 1 back.
        (y,), mu1, mu2 = statistics, np.exp(eta[0]), np.exp(eta[1])
        log_tail = self.log_tail(y, (mu1, mu2), upper)
        if order < 1:
            return Rows(-log_tail)
        with np.errstate(all="ignore"):  # far out in the tails
            at, over = difference(y, mu1, mu2), difference(y + 1.0, mu1, mu2)
            sign = 1.0 if upper else -1.0
            comes = -sign * np.exp(eta[0] - at.value - log_tail)
            goes = sign * np.exp(eta[1] - over.value - log_tail)
            curvature = (
                comes * (1.0 + at.above + comes),
                comes * (at.below + goes),
                goes * (1.0 + over.below + goes),
            )
        # What has no probability, or all of it, does not change.
        rows = Rows(-log_tail, (comes, goes), curvature).upto(order)
        return constant_at(np.isinf(y) | (log_tail == -np.inf), -log_tail, rows)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import skellam

        return skellam(*theta)

    def at_end(self, theta: Arrays) -> Any:
        return _OneCount(*theta)

    @classmethod
    def from_scipy(cls, mu1: Array, mu2: Array, loc: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (mu1, mu2))

    def mean(self, theta: Arrays) -> Array:
        with np.errstate(invalid="ignore"):
            return theta[0] - theta[1]

    def variance(self, theta: Arrays) -> Array:
        return theta[0] + theta[1]

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        from scipy.special import ndtri

        z = -ndtri(q) if upper else ndtri(q)
        return np.rint(self.mean(theta) + z * self.std(theta))

    def known_entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        inside = self._inside(theta)
        safe = tuple(np.where(inside, value, 1.0) for value in theta)
        alone = Poisson().known_entropy((theta[0] + theta[1],))  # of the count that is not zero
        return np.where(inside, numerical.entropy(self, safe), alone)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return poisson_draws(theta[0], size, rng) - poisson_draws(theta[1], size, rng)


class FirstCount(Poisson):
    """The law of y where the second count is zero."""

    title = "Poisson"
    parameters = (Param("mu1", LOG),)


class SecondCount(Poisson):
    """The law of y where the first count is zero: that of minus a Poisson count."""

    title = "Poisson's, of -y"
    parameters = (Param("mu2", LOG),)
    support = Support(high=0.0, closed=(False, True), discrete=True, whole=True)

    def statistics(self, y: Array) -> Arrays:
        return super().statistics(-y)

    def restore(self, statistics: Arrays) -> Array:
        return -super().restore(statistics)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        return super().log_prob_of(-y, theta)

    def to_scipy(self, theta: Arrays) -> Any:
        return None

    def at_end(self, theta: Arrays) -> Any:
        return _OneCount(np.zeros(()), theta[0])

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        return Poisson().log_prob_at_edge(-np.asarray(y), theta)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return super().log_tail(np.ceil(-y) - 1.0, theta, not upper)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        return -super().rough_quantile(q, theta, not upper)

    def mean(self, theta: Arrays) -> Array:
        return -theta[0]

    def known_entropy(self, theta: Arrays) -> Array:
        return Poisson().known_entropy(theta)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return -super().sample(theta, size, rng)


def _without_sign(statistics: Arrays) -> Arrays | None:
    return statistics if np.all(statistics[0] >= 0.0) else None


def _mirrored(statistics: Arrays) -> Arrays | None:
    return _without_sign((-statistics[0],))


class _OneCount:
    """The law of N1 - N2 where one of the counts is zero, under the names of scipy's methods."""

    def __init__(self, mu1: Array, mu2: Array) -> None:
        from scipy.stats import poisson

        self.second = np.asarray(mu2) > 0.0
        self.law = poisson(np.where(self.second, mu2, mu1))

    def logpmf(self, y: Array) -> Array:
        return self.law.logpmf(np.where(self.second, -y, y))

    def cdf(self, y: Array) -> Array:
        return np.where(self.second, self.law.sf(np.ceil(-y) - 1.0), self.law.cdf(y))

    def sf(self, y: Array) -> Array:
        return np.where(self.second, self.law.cdf(np.ceil(-y) - 1.0), self.law.sf(y))

    def ppf(self, q: Array) -> Array:
        return np.where(self.second, -self.law.isf(q), self.law.ppf(q))

    def isf(self, q: Array) -> Array:
        return np.where(self.second, -self.law.ppf(q), self.law.isf(q))
