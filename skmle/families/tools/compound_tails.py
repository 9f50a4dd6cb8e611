"""Tails of the sum of a Poisson number of gamma values, and its law where parameters have ends."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from skmle.families.base import Array
from skmle.families.tools.divergences import bregman
from skmle.families.tools.special import LOG_2PI, binet
from skmle.families.tools.tails import log_gamma_tail

# Terms of the sum in a tail, to each side of the largest: in standard deviations of a Poisson
# number. Where one stands for several, there are so many to a deviation of a term, and no more in
# all than `_MOST`.
_REACH, _TO_A_DEVIATION, _MOST = 9.0, 1.5, 4096.0
_LARGEST = 1e300


def parts_of(mean: Array, dispersion: Array, power: Array) -> tuple[Array, Array, Array]:
    """Return the rate of the values, their shape and their scale."""
    rate = mean ** (2.0 - power) / (dispersion * (2.0 - power))
    scale = dispersion * (power - 1.0) * mean ** (power - 1.0)
    return rate, (2.0 - power) / (power - 1.0), scale


def log_sum_of_tails(x: Array, rate: Array, a: Array, upper: bool) -> Array:
    """Return log P(X > x) if `upper`, else log P(0 < X <= x), (n,), of sums in the values' scale.

    It is the average of the gamma laws' tails over the number of values.
    """
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        # The number of values that is most likely beside this sum; the largest term lies between
        # it and the rate, at the end that the tail is on.
        typical = np.exp((np.log(rate) + a * (np.log(x) - np.log(a))) / (1.0 + a))
        place = np.maximum(rate, typical) if upper else np.minimum(rate, typical)
        place = np.minimum(place, _LARGEST)
        reach = _REACH * np.sqrt(place) + 8.0
        first = np.maximum(np.floor(place - reach), 1.0)
        length = place + reach - first
        stride = np.floor(np.sqrt(place / (1.0 + a)) / _TO_A_DEVIATION)
        stride = np.maximum(np.where(first > 1.0, stride, 1.0), np.ceil(length / _MOST))
        stride = np.maximum(stride, 1.0)
        terms = np.ceil(length / stride) + 1.0
        terms = np.where(np.isfinite(terms), terms, 1.0)  # of what is no law, one
        result = np.empty(x.shape)
        # Rows of about as many terms are summed together.
        size = np.ceil(np.log2(terms))
        for each in np.unique(size):
            at = np.flatnonzero(size == each)
            k = np.arange(terms[at].max())
            k = first[at, None] + stride[at, None] * k
            some, ka = rate[at, None], k * a[at, None]
            # log(rate^k exp(-rate)/k!), of which nothing large cancels.
            mass = -bregman(k, some) - binet(k, 0)[0] - 0.5 * (LOG_2PI + np.log(k))
            tails = log_gamma_tail(ka, np.broadcast_to(x[at, None], k.shape), upper)
            log_stride = np.log(stride[at, None])
            result[at] = logsumexp(mass + log_stride + tails, axis=-1)
        return result


class AtEnd:
    """Tweedie's law where parameters stand at an end of their range, as `ByTails` asks for it.

    It is the gamma law of power 2, Poisson's law in units of the dispersion of power 1, and else a
    point: at zero, or at the mean without dispersion.
    """

    def __init__(self, mean: Array, dispersion: Array, power: Array) -> None:
        self.mean, self.dispersion, self.power = np.broadcast_arrays(mean, dispersion, power)

    def _of(self, method: str, argument: Array) -> Array:
        from scipy.stats import gamma, poisson, uniform

        mean, unit = self.mean, self.dispersion
        proper = (mean > 0.0) & np.isfinite(mean) & (unit > 0.0) & np.isfinite(unit)
        some, one = np.where(proper, mean, 1.0), np.where(proper, unit, 1.0)
        point = np.where(unit == 0.0, mean, 0.0)
        places = method in ("ppf", "isf")
        counts = argument if places else np.floor(argument / one)
        of_counts = getattr(poisson(some / one), method)(counts)
        of_point = getattr(uniform(point, 0.0), method)(argument) if places else None
        if of_point is None:
            of_point = (argument >= point) == (method == "cdf")
        else:
            of_point = np.where((argument >= 0.0) & (argument <= 1.0), point, np.nan)
        of_values = getattr(gamma(1.0 / one, scale=one * some), method)(argument)
        return np.where(
            ~proper,
            of_point,
            np.where(self.power <= 1.0, of_counts * (one if places else 1.0), of_values),
        )

    def cdf(self, y: Array) -> Array:
        return self._of("cdf", y)

    def sf(self, y: Array) -> Array:
        return self._of("sf", y)

    def ppf(self, q: Array) -> Array:
        return self._of("ppf", q)

    def isf(self, q: Array) -> Array:
        return self._of("isf", q)
