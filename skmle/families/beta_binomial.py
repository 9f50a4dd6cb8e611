"""The beta-binomial law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import LOG, LOGIT, Array, Arrays, Family, Limit, Param, Rows, average
from skmle.families.binomial import Binomial
from skmle.families.law import ByStd
from skmle.families.tools.by_sums import BySums
from skmle.families.tools.counts import LARGE, binomial_draws, has_large
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.of_trials import OfTrials, minus_log_choices, stirling_of_trials
from skmle.families.tools.special import binet, log_rising, log_rising_table

# Log dispersion below which the law is binomial to the last digit, and above which its inverse has
# no square.
_LEAST_LOG, _LARGEST_LOG = -600.0, 300.0
_ONE_EACH = 1e100  # dispersion from which all trials of a row end alike, to the last digit
_BINOMIAL = 1e-8  # dispersion below which scipy's law has lost its digits
# Expectations are sums over counts, but for tails of this probability. If both parameters of the
# beta law are so large, its density vanishes at both ends, and so many counts to a deviation do.
_TAIL, _SMOOTH, _TO_A_DEVIATION = 1e-17, 16.0, 16.0
# Trials up to which all counts are summed, and the longest sum.
_SHORT, _LONGEST = 256.0, 2**16
_LAWS = 64  # laws that are summed at once


class BetaBinomial(ByStd, BySums, OfTrials):
    """Beta-binomial law of counts of successes, with `probability` and `dispersion`.

    An observation is a row [successes, failures]. The rows' probabilities of success are drawn
    from a beta law with a = probability/dispersion and b = (1 - probability)/dispersion. So two
    trials of a row have the correlation rho = dispersion/(1 + dispersion), and the variance of n
    of them is n probability (1 - probability) (1 + (n - 1) rho). As dispersion -> 0 it is binomial,
    and a fit to counts no more dispersed than that ends there (status "boundary").

    scipy: ``betabinom(trials, a, b)``; R: gamlss ``BB`` with ``sigma`` = dispersion, VGAM
    ``betabinomial`` and aod ``betabin`` with ``rho``, ``phi`` = rho.

    Parameters
    ----------
    trials : int, default=2
        The number of trials of rows yet to be observed: of `sample`, `mean`, `cdf` and the like.
        One trial alone has no dispersion.
    links : dict of str to str or Link, optional
        A link for some parameters, in place of logit and log.

    References
    ----------
    Griffiths (1973), Maximum likelihood estimation for the beta-binomial distribution and an
    application to the household distribution of the total number of cases of a disease,
    Biometrics 29.
    Smith (1983), Algorithm AS 189, Applied Statistics 32.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("beta_binomial").fit([[9, 1], [2, 8], [5, 5], [7, 3]])
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'probability': 0.574, 'dispersion': 0.215}
    """

    scipy_name = "betabinom"
    parameters = (Param("probability", LOGIT), Param("dispersion", LOG))
    condensable = True  # to the distinct rows and how often they occur

    def __init__(self, trials: int = 2, *, links: Any = None) -> None:
        super().__init__(trials, links=links)

    @property
    def limits(self) -> tuple[Limit, ...]:
        links = self.links_of(("probability",))
        return (Limit("dispersion", 0.0, Binomial(self.trials, links=links)),)

    def base(self, statistics: Arrays) -> Array:
        return minus_log_choices(*statistics)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With D = log_rising and r = 1/dispersion, -log q without the binomial coefficient is
        # D(trials, r) - D(successes, p r) - D(failures, (1 - p) r) and the binomial law's.
        successes, trials = statistics
        failures = trials - successes
        logit, log_dispersion = eta
        log_dispersion = np.maximum(log_dispersion, _LEAST_LOG)
        log_p, log_p_bar = -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)
        p, p_bar = np.exp(log_p), np.exp(log_p_bar)
        rise, rise1, rise2 = _rising(successes, log_dispersion - log_p, order)
        fall, fall1, fall2 = _rising(failures, log_dispersion - log_p_bar, order)
        all_, all1, all2 = _rising(trials, log_dispersion, order)
        value = all_ - rise - fall - successes * log_p - failures * log_p_bar
        if has_large(trials):
            exact = _saddle(successes, trials, p, p_bar, np.exp(-log_dispersion))
            value = np.where(trials > LARGE, exact, value)
        if order < 1:
            return Rows(value)
        # Of y successes, y + rise1 is the sum of a/(a + i), a = p r, over i < y.
        gained, lost = successes + rise1, failures + fall1
        gradient = (p * lost - p_bar * gained, rise1 + fall1 - all1)
        if order < 2:
            return Rows(value, gradient)
        curvature = (
            p * p_bar * (gained + lost) - p_bar * p_bar * rise2 - p * p * fall2,
            p_bar * rise2 - p * fall2,
            all2 - rise2 - fall2,
        )
        return Rows(value, gradient, curvature)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        trials = statistics[1]
        shape = np.broadcast_shapes(np.shape(trials), *map(np.shape, eta))
        table = np.stack([np.broadcast_to(e, shape).ravel() for e in (trials, *eta)])
        laws, place = np.unique(table, axis=1, return_inverse=True)
        found = [
            self._expected(*laws[:, low : low + _LAWS])
            for low in range(0, max(laws.shape[1], 1), _LAWS)
        ]
        parts = [part for part in found if part is not None]
        if len(parts) < len(found):
            return None
        whole = np.concatenate(parts, axis=1)[:, place.ravel()]
        return tuple(entry.reshape(shape) for entry in whole)

    def _expected(self, trials: Array, logit: Array, log_dispersion: Array) -> Array | None:
        """Return the expected curvature of some laws by sums; None if these are too long."""
        law = self.of_trials(trials)
        p, dispersion = 1.0 / (1.0 + np.exp(-logit)), np.exp(log_dispersion)
        low, high = np.zeros(len(trials)), trials
        if trials.max() > _SHORT:
            tail, theta = np.asarray(_TAIL), (p, dispersion)
            low, high = law.quantile(tail, theta), law.upper_quantile(tail, theta)
        # Of a law that vanishes smoothly at both ends a part of the counts stands for all.
        smooth = np.minimum(p, 1.0 - p) > _SMOOTH * dispersion
        stride = np.floor(law.std((p, dispersion)) / _TO_A_DEVIATION)
        stride = np.where(smooth, np.maximum(stride, 1.0), 1.0)
        count = int(np.ceil(((high - low) / stride).max())) + 1
        if count > _LONGEST:
            return None
        y = low[:, None] + stride[:, None] * np.arange(count)
        inside = y <= trials[:, None]
        y = np.where(inside, y, 0.0)
        each = (np.repeat(value, count) for value in (trials, logit, log_dispersion))
        n, *eta = each
        rows = self.evaluate((y.ravel(), n), tuple(eta))
        mass = np.exp(-(rows.value + self.base((y.ravel(), n)))).reshape(y.shape)
        mass = np.where(inside, mass * stride[:, None], 0.0)
        entries = (np.asarray(entry).reshape(y.shape) for entry in rows.packed)
        return np.array([(mass * entry).sum(axis=1) for entry in entries])

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        successes, trials = self.statistics(y)
        if not has_large(trials):
            return None
        p, dispersion = theta
        exact = _saddle(successes, trials, p, 1.0 - p, 1.0 / dispersion)
        return -(exact + stirling_of_trials(successes, trials))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        successes, trials = statistics
        (logit,) = Binomial().starts(statistics, weight)[0]
        if not np.isfinite(logit):
            return [(logit, 0.0)]
        p = 1.0 / (1.0 + np.exp(-logit))
        # The squares are trials p (1 - p) (1 + (trials - 1) rho) on average.
        square = average((successes - trials * p) ** 2, weight) / (p * (1.0 - p))
        pairs = average(trials * (trials - 1.0), weight)
        rho = np.clip((square - average(trials, weight)) / max(pairs, 1.0), 1e-3, 0.9)
        return [(logit, float(np.log(rho / (1.0 - rho))))]

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        successes, trials = statistics
        failures = trials - successes
        logit, dispersion = delta
        up, down = np.maximum(logit, 0.0), np.minimum(logit, 0.0)
        slope = _slope(trials, -dispersion) - _slope(successes, down - dispersion)
        slope = slope - _slope(failures, -up - dispersion) - successes * down + failures * up
        # Of the dispersion alone -log q tends to that of the binomial law, which may be larger.
        towards = (logit == 0.0) & (dispersion < 0.0) & (trials > 1.0)
        return np.where(towards, np.inf, slope)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        p, dispersion = theta
        binomial = (dispersion == 0.0) | (p == 0.0) | (p == 1.0)
        alike = (dispersion == np.inf) & ~binomial
        inside = self.log_prob(
            y, self.eta((np.where(binomial, 0.5, p), np.where(binomial | alike, 1.0, dispersion)))
        )
        successes, trials = self.statistics(y)
        whole = (successes == 0.0) | (successes == trials)
        with np.errstate(divide="ignore"):
            one = np.where(trials == 0.0, 0.0, np.log(np.where(successes > 0.0, p, 1.0 - p)))
        at_inf = np.where(whole & self.contains(y), one, -np.inf)
        at_zero = Binomial().log_prob_at_edge(y, (p,))
        return np.where(binomial, at_zero, np.where(alike, at_inf, inside))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import betabinom, binom

        p, dispersion = theta
        if np.all((dispersion < _BINOMIAL) | (p == 0.0) | (p == 1.0)):
            return binom(self._count, p)
        r = 1.0 / np.clip(dispersion, _BINOMIAL, _ONE_EACH)
        return betabinom(self._count, p * r, (1.0 - p) * r)

    @classmethod
    def from_scipy(cls, n: Array, a: Array, b: Array, loc: Array) -> tuple[Family, Arrays] | None:
        # One family has one number of trials.
        if np.any(loc) or np.ndim(n):
            return None
        return cls(int(n)), (a / (a + b), 1.0 / (a + b))

    def std(self, theta: Arrays) -> Array:
        p, dispersion = theta
        rho = 1.0 / (1.0 + 1.0 / np.where(dispersion > 0.0, dispersion, np.inf))
        rho = np.where(dispersion > 0.0, rho, 0.0)
        n = self._count
        return np.sqrt(n * p * (1.0 - p) * (1.0 + (n - 1.0) * rho))

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        shape = np.broadcast_shapes(np.shape(self._count), *map(np.shape, theta))
        return np.zeros(shape), np.broadcast_to(self._count, shape)

    def settings(self, theta: Arrays) -> Arrays:
        return self._count, *theta

    def numbered(self, settings: Arrays) -> tuple[Any, Arrays]:
        return self.of_trials(settings[0]), settings[1:]

    def known_entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        p, dispersion = np.broadcast_arrays(*theta)
        edge = (dispersion == 0.0) | (p == 0.0) | (p == 1.0)
        inside = numerical.entropy(self, (np.where(edge, 0.5, p), np.where(edge, 1.0, dispersion)))
        at_edge = Binomial(self.trials).known_entropy((np.where(edge, p, 0.0),))
        return np.where(edge, at_edge, inside)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        p, dispersion = (np.broadcast_to(value, size) for value in theta)
        mixed = (dispersion > 0.0) & (dispersion < _ONE_EACH) & (p > 0.0) & (p < 1.0)
        r = 1.0 / np.where(mixed, dispersion, 1.0)
        a, b = np.where(mixed, p, 0.5) * r, np.where(mixed, 1.0 - p, 0.5) * r
        drawn = np.where(mixed, rng.beta(a, b), p)
        alike = dispersion >= _ONE_EACH
        drawn = np.where(alike, rng.random(size) < p, drawn)
        successes = binomial_draws(self._count, drawn, size, rng)
        return self.observation_of(successes)


def _slope(y: Array, slope: Array) -> Array:
    """Return the slope of `log_rising` of y where log r has a slope."""
    return np.where(y > 0.0, (1.0 - y) * np.minimum(slope, 0.0), 0.0)


def _rising(y: Array, minus_log_r: Array, order: int) -> tuple[Array, Any, Any]:
    """Return `log_rising` of y at r; one r serves few distinct whole numbers by a table."""
    beyond = np.maximum(minus_log_r - _LARGEST_LOG, 0.0)
    dispersion = np.exp(np.minimum(minus_log_r, _LARGEST_LOG))
    jet = None
    if dispersion.ndim == 0 and y.size and (top := float(y.max())) <= max(y.size, 64):
        codes = y.astype(np.intp)
        if np.array_equal(codes, y):
            table = log_rising_table(int(top), float(dispersion))
            jet = tuple(entry.take(codes) for entry in table[: order + 1])
    value, *slopes = log_rising(y, 1.0 / dispersion, order) if jet is None else jet
    if np.any(beyond):  # a line, to the last digit
        value = value + np.where(y > 0.0, y - 1.0, 0.0) * beyond
    first, second = (*slopes, None, None)[:2]
    return value, first, second


def _saddle(successes: Array, trials: Array, p: Any, p_bar: Any, r: Any) -> Array:
    """Return -log q - stirling_of_trials, in which nothing large cancels.

    With P = (a + successes)/(r + trials), a = p r, and K(p || q) the divergence of one trial, it is
    trials K(successes/trials || P) + r K(p || P), and a sum of logarithms and of Binet's functions.
    """
    with np.errstate(all="ignore"):  # of counts that are 0, and parameters far away
        total = r + trials
        away = (successes - trials * p) * (r / total)  # successes less trials P
        value = np.zeros(())
        for count, share, sign in ((successes, p, 1.0), (trials - successes, p_bar, -1.0)):
            prior = share * r
            middle = (prior + count) / total
            for own, size, off in ((count, trials, sign * away), (prior, r, -sign * away)):
                some = np.where(own > 0.0, own, 1.0)
                gap = own * gap_beside(-off / some, middle * size / some)
                value = value + np.where(own > 0.0, gap, middle * size)
            value = value + 0.5 * np.log1p(count / prior) + binet(prior, 0)[0]
            value = value - binet(prior + count, 0)[0]
        return value - 0.5 * np.log1p(trials / r) - binet(r, 0)[0] + binet(total, 0)[0]
