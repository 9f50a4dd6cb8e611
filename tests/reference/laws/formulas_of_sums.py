"""Laws of sums of a random number of values: they have a mass at 0, the others are positive."""

from __future__ import annotations

import mpmath as mp
from make import Formula

_TWEEDIE = [
    {"mean": 2.0, "dispersion": 1.25, "power": 1.375},
    {"mean": 5.0, "dispersion": 0.25, "power": 1.75},
    {"mean": 0.5, "dispersion": 2.0, "power": 1.125},
    {"mean": 100.0, "dispersion": 0.015625, "power": 1.5},
]


def _parts(mean, dispersion, power):
    """Return the rate of the values, their shape and their scale."""
    rate = mean ** (2 - power) / (dispersion * (2 - power))
    return rate, (2 - power) / (power - 1), dispersion * (power - 1) * mean ** (power - 1)


def _sum(rate, shape, y, term):
    """Return the sum over numbers of values of Poisson masses times `term`, both tails of it."""
    about = [rate, (rate * (y / shape) ** shape) ** (1 / (1 + shape)) if y else 0]
    last = int(max(about) + 40 * mp.sqrt(max(about)) + 200)
    first = max(1, int(min(about) - 40 * mp.sqrt(min(about)) - 200))
    return mp.fsum(
        mp.exp(k * mp.log(rate) - rate - mp.loggamma(k + 1)) * term(k * shape)
        for k in range(first, last + 1)
    )


def _log_density(y, **theta):
    rate, shape, scale = _parts(**theta)
    if y == 0:
        return -rate
    x = y / scale

    def term(k):
        a = k * shape
        number = k * mp.log(rate) - rate - mp.loggamma(k + 1)
        return mp.exp(number + (a - 1) * mp.log(x) - x - mp.loggamma(a)) / scale

    # From about the largest term outwards, until no digit changes.
    first = max(1, int((rate * (x / shape) ** shape) ** (1 / (1 + shape))))
    total = mp.mpf(0)
    for step in (1, -1):
        k = first if step > 0 else first - 1
        while k >= 1 and (part := term(k)) > mp.eps * total:
            total += part
            k += step
    return mp.log(total)


def _log_tail(upper):
    def log_tail(y, **theta):
        rate, shape, scale = _parts(**theta)
        x = y / scale

        def above(a):
            return mp.gammainc(a, x, mp.inf, regularized=True)

        def below(a):
            return mp.gammainc(a, 0, x, regularized=True)

        tails = _sum(rate, shape, x, above), _sum(rate, shape, x, below) + mp.exp(-rate)
        own, other = tails if upper else tails[::-1]
        return mp.log(own) if own < 0.5 else mp.log1p(-other)  # from the smaller one

    return log_tail


def _points(mean, dispersion, power):
    spread = mp.sqrt(dispersion * mean**power)
    low = [mean * mp.mpf(share) for share in ("1e-9", "1e-3", "0.1", "0.6", "1")]
    return low + [mean + spread * t for t in (0.5, 2, 6, 15, 30)]


LAWS = [
    Formula(
        "tweedie",
        _TWEEDIE,
        log_density=_log_density,
        points=_points,
        log_cdf=_log_tail(False),
        log_sf=_log_tail(True),
        mean=lambda mean, dispersion, power: mean,
        variance=lambda mean, dispersion, power: dispersion * mean**power,
    )
]
