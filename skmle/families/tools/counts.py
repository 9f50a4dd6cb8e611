"""The masses of counts with all their digits, for counts of any size.

lgamma(y + 1), y log(mean) and mean are each of the size of y log y, and -log q is their small sum:
at a count of 1e12 no digit behind the point is left. Loader's saddle-point form adds up small
terms instead,

    log y! = y log y - y + stirling(y),    -log q = bregman(y, mean) + stirling(y)

of a Poisson law, where bregman(y, mean) is half the `deviance`. The binomial and the negative
binomial laws are alike.

References
----------
Loader (2000), Fast and accurate computation of binomial probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, kl_div, xlogy

from skmle.families.records import Array
from skmle.families.tools.divergences import bregman
from skmle.families.tools.special import LOG_2PI, binet

# Counts from which the saddle-point form is used. Below, the plain form loses 1e-11 nats at most
# (lgamma(1e4) is 8e4, of which doubles keep sixteen digits), and takes half the time.
LARGE = 1e4
# Largest mean of which numpy draws counts: at 1e18 its spread is 24 % off, and above there is none.
# From here on what a normal draw with the right skewness leaves out is 1e-5 of a count.
_DRAWN = 1e10
_TRIALS = 9e18  # largest number of trials that numpy takes: it has 64 bits


def least_of_neighbours(y: Array) -> float | None:
    """Return the least count if all are it or the next one, but not all zero; None if not.

    A law that can be as narrow as whole numbers leave room for reproduces such counts.
    """
    least = float(y.min())
    return None if y.max() > least + 1.0 or not y.any() else least


def stirling(y: Array) -> Array:
    """Return log y! - y log y + y, which is 0 at 0 and grows like log(2 pi y)/2."""
    y = np.asarray(y, float)
    if not has_large(y):
        return gammaln(y + 1.0) - (xlogy(y, y) - y)
    some = np.where(y > 0.0, y, 1.0)
    return np.where(y > 0.0, 0.5 * (LOG_2PI + np.log(some)) + binet(some, 0)[0], 0.0)


def deviance(y: Array, mean: Array) -> Array:
    """Return y log(y/mean) - y + mean, half the deviance of a count, with its digits if large."""
    with np.errstate(all="ignore"):  # of counts that are 0, and means far away
        return bregman(y, mean) if has_large(y) else kl_div(y, mean)


def log_factorial(y: Array) -> Array:
    """Return the part of log y! that stands in a law's base: all of it, or `stirling` if large."""
    y = np.asarray(y, float)
    if not has_large(y):
        return _log_factorials(y)
    return np.where(y > LARGE, stirling(y), gammaln(np.minimum(y, LARGE) + 1.0))


def _log_factorials(y: Array) -> Array:
    """Return log y!, of whole numbers by a table where there are fewer of them than rows."""
    if 0.0 <= y.min(initial=np.inf) and y.max(initial=0.0) < y.size:
        code = y.astype(np.intp)
        if np.array_equal(code, y):
            return gammaln(np.arange(1.0, code.max() + 2.0)).take(code)
    return gammaln(y + 1.0)


def surplus(y: Array) -> Array:
    """Return what `log_factorial` has more than `stirling`, y log y - y of a small count.

    A formula in saddle-point form subtracts it, so that it has the base of the plain form.
    """
    return np.where(y > LARGE, 0.0, xlogy(y, y) - y)


def has_large(y: Array) -> bool:
    """Return whether some count is so large that its mass needs the saddle-point form."""
    return bool(np.asarray(y).max(initial=0.0) > LARGE)


def poisson_draws(mean: Array, size: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw from Poisson laws of any mean.

    Those of large means are normal draws with the law's skewness (Cornish & Fisher 1938).
    """
    mean = np.broadcast_to(np.asarray(mean, float), size)
    draws = np.asarray(rng.poisson(np.minimum(mean, _DRAWN)), float)
    if (large := mean > _DRAWN).any():
        draws = np.where(large, _skewed(mean, mean, 1.0, rng), draws)
    return draws


def binomial_draws(
    trials: Any, probability: Array, size: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Draw successes from binomial laws of any number of trials; see `poisson_draws`.

    The numbers of trials may be as many as there are laws.
    """
    p = np.broadcast_to(np.asarray(probability, float), size)
    mean, rest = trials * p, trials * (1.0 - p)
    large = np.minimum(mean, rest) > _DRAWN
    if np.max(trials) <= _TRIALS:
        whole = np.asarray(trials, np.int64)
        draws = np.asarray(rng.binomial(whole, np.where(large, 0.0, p)), float)
    else:  # of few successes among so many trials, or few failures, the law is that of Poisson
        few = poisson_draws(np.where(large, 0.0, np.minimum(mean, rest)), size, rng)
        draws = np.where(mean < rest, few, trials - few)
    if large.any():
        skewed = _skewed(mean, mean * (1.0 - p), 1.0 - 2.0 * p, rng)
        draws = np.where(large, skewed, draws)
    return np.clip(draws, 0.0, trials)


def _skewed(mean: Array, variance: Array, skew: Any, rng: np.random.Generator) -> Array:
    """Draw numbers whose skewness is skew/sd."""
    z = rng.standard_normal(mean.shape)
    return np.rint(mean + np.sqrt(variance) * z + skew * (z * z - 1.0) / 6.0)
