"""The Conway-Maxwell-Poisson law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Limit,
    Param,
    Rows,
    Shortcuts,
    Support,
    average,
)
from skmle.families.geometric import Geometric
from skmle.families.law import ByStd
from skmle.families.poisson import Poisson
from skmle.families.tools.by_sums import BySums, Cases
from skmle.families.tools.by_tails import ByLawAtEnd, ByTails
from skmle.families.tools.counts import has_large, least_of_neighbours
from skmle.families.tools.log_concave import log_concave_draws
from skmle.families.tools.power_of_factorial import Sums, offset, sums
from skmle.families.tools.special import log_complement
from skmle.families.tools.tails import complement

# Nats by which other counts are less likely than two neighbouring ones, where nothing else matters.
_APART = 80.0
_NARROW = 25.0  # the same, from which a law is told to be on its way there
_NARROWS = "the likelihood rises as nu tends to inf"
_LEAST, _LARGEST = 0.02, 50.0  # nu from which a fit starts
_TINY = 1e-300  # variance of a law of one value, to the last digit
# Of a smaller mean the inverse is no number; of a larger one, or nu, the product of both is none.
_LEAST_LOG, _LARGEST_LOG = -700.0, 300.0


class COMPoisson(ByStd, ByLawAtEnd, BySums):
    """Conway-Maxwell-Poisson law of counts with `mean` and `nu`, told by its mean.

    q(y) = lambda^y / (y!)^nu / Z, where lambda is such that the mean is `mean`. So the ratio of
    q(y) to q(y - 1) is lambda/y^nu. If nu is one, it is Poisson; if it is larger, the variance is
    less than the mean, about mean/nu where that is large; if it is smaller, the variance exceeds
    the mean. As nu -> 0 it is geometric, from zero on, and a fit to counts more dispersed than that
    ends there (status "boundary"). As nu -> inf it has the two whole numbers next to the mean
    alone; of counts of one value, or of two neighbouring ones, the likelihood rises all the way
    (status "no_maximum").

    It is told by its mean, after Huang, and not by lambda, or by lambda^(1/nu), which is a mean for
    large counts alone: features of a regression then act on the mean, as in a Poisson regression,
    and estimates of the mean and of nu are independent, about.

    R: mpcmp ``dcomp(y, mu=mean, nu=nu)``, spaMM ``COMPoisson(nu, link="log")``; COMPoissonReg
    ``dcmp(y, lambda, nu)``.

    References
    ----------
    Huang (2017), Mean-parametrized Conway-Maxwell-Poisson regression models for dispersed counts,
    Statistical Modelling 17.
    Shmueli, Minka, Kadane, Borle & Boatwright (2005), A useful distribution for fitting discrete
    data, Applied Statistics 54.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("com_poisson").fit([[2], [4], [3], [5], [4], [6], [4]])
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'mean': 4.0, 'nu': 2.993}
    """

    title = "Conway-Maxwell-Poisson"
    gradient_tells_mean = True
    parameters = (Param("mean", LOG), Param("nu", LOG))
    support = Support(0.0, closed=(True, False), discrete=True, whole=True)
    told_first = "mean"  # next to zero no observation depends on nu, either
    may_be_unbounded = True  # it rises without a maximum where counts have two neighbouring values

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("nu", 0.0, GeometricFromZero(links=self.links_of(("mean",)))),)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("nu", 1.0, Poisson(links=self.links_of(("mean",)))),)

    def settings(self, theta: Arrays) -> Arrays:
        # The sums of a law are found once for all of its tails.
        return (*theta, *sums(*theta))

    def numbered(self, settings: Arrays) -> tuple[Any, Arrays]:
        return self, settings[:2]

    def log_masses(self, y: Array, cases: Cases) -> Array:
        mean, nu, *found = cases.settings
        inside = np.floor(y) >= 0.0
        return np.where(inside, -_rows(y, mean, nu, Sums(*found), 0).value, -np.inf)

    def derivatives(self, y: Array, cases: Cases, order: int) -> tuple[Array, Array]:
        mean, nu, *found = cases.settings
        rows = _rows(y, mean, nu, Sums(*found), 2)
        curvature: Any = rows.packed[: 3 * (order > 1)]
        return np.stack(rows.gradient or ()), np.reshape(curvature, (len(curvature), len(y)))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        (y,) = statistics
        mean, nu = (np.exp(np.clip(e, _LEAST_LOG, _LARGEST_LOG)) for e in eta)
        with np.errstate(all="ignore"):  # far out
            return _rows(y, mean, nu, sums(mean, nu), order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # That of zero, which a law without zeros asks for, needs no sum beside that of all masses.
        (y,) = statistics
        if np.any(y != 0.0):
            return super().tail(statistics, eta, upper, order)
        zero = self.evaluate(statistics, eta, order)
        if not upper:
            return zero
        k = len(eta) if order > 0 else 0
        entries: list[Any] = [zero.value, *(zero.gradient or ())]
        entries += zero.packed if order > 1 else ()
        parts = np.broadcast_arrays(*entries)
        value, *rest = complement(np.stack(parts), k)
        return Rows(value, tuple(rest[:k]), tuple(rest[k:])).upto(order)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # Mean and nu are orthogonal.
        mean, nu = (np.exp(np.asarray(e)) for e in eta)
        found = sums(mean, nu)
        return mean * (mean / found.dd), None, nu * (nu * found.rr)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        if not has_large(y):
            return None
        with np.errstate(all="ignore"):
            mean, nu = theta
            return -_rows(np.asarray(y, float), mean, nu, sums(mean, nu), 0).value

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The most likely mean is that of the counts. For nu there is a line through its values of a
        # Poisson and of a geometric law in 1/variance, which has the right slope for large means.
        (y,) = statistics
        mean = average(y, weight)
        if mean == 0.0:
            return [(-np.inf, 0.0)]
        ratio = mean * average((y / mean - 1.0) ** 2, weight)  # of variance and mean
        least = 1.0 / (1.0 + mean)
        nu = (1.0 / max(ratio, 1.0 / _LARGEST) - least) / (1.0 - least)
        return [(np.log(mean), np.log(min(max(nu, _LEAST), _LARGEST)))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        # As the mean shrinks, all mass goes to zero, as of a Poisson law; as nu grows, too, that of
        # counts from two on vanishes faster. Which rows rise as nu grows alone, the mean tells.
        # Infinity stands for a limit as nu -> 0, which may be larger.
        (y,), (mean, nu) = statistics, delta
        shrinks = np.where((nu > 0.0) & (y > 1.0), np.inf, -y * mean)
        stays = np.where(nu > 0.0, np.nan, np.where(nu < 0.0, np.inf, 0.0))
        return np.where(mean < 0.0, shrinks, np.where(mean > 0.0, np.inf, stays))

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (y,) = statistics
        if (least := least_of_neighbours(y)) is None:
            return None
        mean = least + average(y - least, weight)
        nu = 2.0 * _APART / np.log1p(1.0 / (least + 1.0))
        return (np.log(mean), np.log(nu)), f"{_NARROWS}: there are no counts but neighbouring ones"

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        # Next to whole numbers the likelihood of a narrow law has a kink in the mean, so that a fit
        # comes to no rest on its way there.
        mean, nu = (np.exp(e) for e in eta)
        if not np.any(nu * np.log1p(1.0 / np.maximum(np.ceil(mean), 1.0)) > _NARROW):
            return None
        return "nu", f"{_NARROWS} in rows that have no counts but neighbouring ones"

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import binom, nbinom

        mean, nu = theta
        low = np.where(mean < np.inf, np.floor(mean), 0.0)
        pair = binom(1, np.where(mean < np.inf, mean - low, 0.5), loc=low)
        return _Either(nu == np.inf, pair, nbinom(1.0, 1.0 / (1.0 + mean)))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        inside = self._inside(theta)
        mean, nu = (np.where(inside, value, 1.0) for value in theta)
        with np.errstate(all="ignore"):
            return np.where(inside, np.sqrt(sums(mean, nu).dd), self.at_end(theta).std())

    def known_entropy(self, theta: Arrays) -> Array:
        inside = self._inside(theta)
        mean, nu = (np.where(inside, value, 1.0) for value in theta)
        found = sums(mean, nu)
        own = nu * found.offset - found.tilt * (mean - found.origin) + found.log_total
        at_end = self.at_end(tuple(np.where(inside, 1.0, value) for value in theta)).entropy()
        return np.where(inside, own, np.where(theta[0] == np.inf, np.nan, at_end))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        inside = self._inside(theta)
        mean, nu = (np.where(inside, value, 1.0) for value in theta)
        found = sums(mean, nu)

        def log_mass(y: Array, law: Arrays) -> Array:
            near, origin, tilt, log_total, nu = law
            with np.errstate(all="ignore"):
                return tilt * (y - origin) - nu * offset(y - near, near) - log_total

        mode = np.floor(found.near * np.exp(found.tilt / nu))
        law = (found.near, found.origin, found.tilt, found.log_total, nu)
        draws = log_concave_draws(log_mass, mode, law, self.support, size, rng)
        if not inside.all():
            ends = self.at_end(theta).ppf(rng.random(size))
            draws = np.where(inside, draws, np.where(self.runs_off(theta), np.inf, ends))
        return draws


class GeometricFromZero(ByStd, ByTails):
    """Geometric law of the failures before the first success, by their `mean`.

    It is the limit of Conway-Maxwell-Poisson laws.
    """

    title = "Geometric"
    gradient_tells_mean = True
    parameters = (Param("mean", LOG),)
    support = COMPoisson.support
    shortcuts = Shortcuts(starts="maximum", sums="statistics")

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # There is one trial more than failures, and the log odds are those of a failure.
        rows = Geometric().evaluate((statistics[0] + 1.0,), (-eta[0],), order)
        if rows.gradient is None:
            return rows
        return rows._replace(gradient=(-rows.gradient[0],))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        with np.errstate(divide="ignore"):
            return [(np.log(average(statistics[0], weight)),)]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        return Geometric().recession((statistics[0] + 1.0,), (-delta[0],))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import nbinom

        return nbinom(1.0, 1.0 / (1.0 + theta[0]))

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def std(self, theta: Arrays) -> Array:
        return np.sqrt(theta[0]) * np.sqrt(1.0 + theta[0])

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        log_sf = -np.maximum(np.floor(y) + 1.0, 0.0) * np.log1p(1.0 / theta[0])
        return log_sf if upper else log_complement(log_sf)


def _rows(y: Array, mean: Array, nu: Array, found: Sums, order: int) -> Rows:
    """Return -log q with its derivatives in the logarithms of the mean and of nu."""
    o = offset(y - found.near, found.near)
    value = nu * o - found.tilt * (y - found.origin) + found.log_total
    if order < 1:
        return Rows(value)
    # A change of nu changes the tilt by the slope of o on y, so that its derivative is the residual
    # of this regression.
    d = y - mean
    variance = np.maximum(found.dd, _TINY)
    ratio = mean / variance
    residual = o - found.offset - found.slope * d
    gradient = (-d * ratio, nu * residual)
    if order < 2:
        return Rows(value, gradient)
    curvature = (
        ratio * ratio * (variance + d * (found.ddd / variance)) - d * ratio,
        -nu * d * ratio * (found.ddr / variance),
        nu * (nu * (found.rr + d * (found.drr / variance)) + residual),
    )
    return Rows(value, gradient, curvature)


class _Either:
    """The first of two frozen laws of scipy where something holds, and the second elsewhere."""

    def __init__(self, where: Array, one: Any, other: Any) -> None:
        self.where, self.one, self.other = where, one, other

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        one, other = getattr(self.one, name), getattr(self.other, name)
        return lambda *y: np.where(self.where, one(*y), other(*y))
