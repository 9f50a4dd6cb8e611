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

import numpy as np
from scipy.special import gammaln, xlogy

from skmle.families.records import Array
from skmle.families.tools.divergences import bregman
from skmle.families.tools.special import LOG_2PI, binet

# Counts from which the saddle-point form is used. Below, the plain form loses 1e-11 nats at most
# (lgamma(1e4) is 8e4, of which doubles keep sixteen digits), and takes half the time.
LARGE = 1e4


def stirling(y: Array) -> Array:
    """Return log y! - y log y + y, which is 0 at 0 and grows like log(2 pi y)/2."""
    y = np.asarray(y, float)
    some = np.where(y > 0.0, y, 1.0)
    return np.where(y > 0.0, 0.5 * (LOG_2PI + np.log(some)) + binet(some, 0)[0], 0.0)


def deviance(y: Array, mean: Array) -> Array:
    """Return y log(y/mean) - y + mean, half the deviance of a count, with all its digits."""
    with np.errstate(all="ignore"):  # of counts that are 0, and means far away
        return bregman(y, mean)


def log_factorial(y: Array) -> Array:
    """Return the part of log y! that stands in a law's base: all of it, or `stirling` if large."""
    y = np.asarray(y, float)
    if not has_large(y):
        return gammaln(y + 1.0)
    return np.where(y > LARGE, stirling(y), gammaln(np.minimum(y, LARGE) + 1.0))


def surplus(y: Array) -> Array:
    """Return what `log_factorial` has more than `stirling`, y log y - y of a small count.

    A formula in saddle-point form subtracts it, so that it has the base of the plain form.
    """
    return np.where(y > LARGE, 0.0, xlogy(y, y) - y)


def has_large(y: Array) -> bool:
    """Return whether some count is so large that its mass needs the saddle-point form."""
    return bool(np.size(y)) and bool(np.max(y) > LARGE)
