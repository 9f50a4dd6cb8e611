"""Laws of lives with three parameters."""

from __future__ import annotations

import mpmath as mp
from formulas_of_positive_numbers import gamma_points, log_gamma_tail, log_normal_tail
from make import Formula


def _of_log(function):
    """Return a function of natural parameters from one of location and scale of log y, and q."""
    return lambda *y, scale, shape, q: function(*y, mp.log(scale), 1 / shape, q)


def _gengamma(loc, sigma, q):
    """Return the gamma shape, and by what log y becomes the log of the gamma variable."""
    a = 1 / q**2
    return a, lambda y: mp.log(a) + q * (mp.log(y) - loc) / sigma


def _gengamma_log_density(y, loc, sigma, q):
    if q == 0:
        z = (mp.log(y) - loc) / sigma
        return -(z**2) / 2 - mp.log(sigma * y) - mp.log(2 * mp.pi) / 2
    a, log_x = _gengamma(loc, sigma, q)
    x = log_x(y)
    return a * x - mp.exp(x) - mp.loggamma(a) + mp.log(abs(q) / (sigma * y))


def _gengamma_of_z(z, a, q):
    x = q * z
    return a * (x - mp.exp(x)) + a * mp.log(a) - mp.loggamma(a) + mp.log(abs(q))


def _integrated(log_density, z, sign):
    """Return the logarithm of the integral from z on outwards, where the density falls."""
    at, width = log_density(z), sign / (1 + abs(z))
    cuts = [z + width * t for t in (0, 1, 4, 10, 20, 40, 80, 160)]
    return at + mp.log(sign * mp.quad(lambda t: mp.exp(log_density(t) - at), cuts))


def _gengamma_tail(upper):
    def log_tail(y, loc, sigma, q):
        if q == 0:
            z = (mp.log(y) - loc) / sigma
            return log_normal_tail(z if upper else -z)
        a, log_x = _gengamma(loc, sigma, q)
        if a < 1000:
            return log_gamma_tail(a, mp.exp(log_x(y)), upper == (q > 0))
        # mpmath's incomplete gamma function does not come to an end.
        z = (mp.log(y) - loc) / sigma
        smaller = _integrated(lambda t: _gengamma_of_z(t, a, q), z, mp.sign(z) or 1)
        return smaller if upper == (z >= 0) else mp.log1p(-mp.exp(smaller))

    return log_tail


def _gengamma_points(loc, sigma, q):
    if abs(q) < 0.1:
        return [mp.exp(loc + sigma * t) for t in (-30, -8, -3, -1, 0, 0.2, 1, 4, 9, 30)]
    a, _ = _gengamma(loc, sigma, q)
    return [mp.exp(loc + sigma * mp.log(x / a) / q) for x in gamma_points(a)]


def _gengamma_moment(k, loc, sigma, q):
    if q == 0:
        return mp.exp(k * loc + (k * sigma) ** 2 / 2)
    a = 1 / q**2
    r = k * sigma / q
    if a + r <= 0:
        return mp.inf
    return mp.exp(k * loc + mp.loggamma(a + r) - mp.loggamma(a) - r * mp.log(a))


def _gengamma_variance(*theta):
    second = _gengamma_moment(2, *theta)
    return mp.inf if mp.isinf(second) else second - _gengamma_moment(1, *theta) ** 2


def _gengamma_entropy(loc, sigma, q):
    if q == 0:
        return loc + mp.log(2 * mp.pi * sigma**2) / 2 + mp.mpf(1) / 2
    a = 1 / q**2
    mean_log = mp.psi(0, a)  # of the gamma variable
    mean_log_y = loc + sigma * (mean_log - mp.log(a)) / q
    return a - a * mean_log + mp.loggamma(a) - mp.log(abs(q) / sigma) + mean_log_y


LAWS = [
    Formula(
        "generalized_gamma",
        [
            {"scale": 1.5, "shape": 2.0, "q": 1.6},
            {"scale": 6e-6, "shape": 1.5, "q": -0.4},
            {"scale": 7.0, "shape": 5.0, "q": 0.01},
            {"scale": 7.0, "shape": 0.6, "q": -1e-5},
            {"scale": 3e3, "shape": 4.0, "q": 0.0},
        ],
        log_density=_of_log(_gengamma_log_density),
        points=_of_log(_gengamma_points),
        log_cdf=_of_log(_gengamma_tail(False)),
        log_sf=_of_log(_gengamma_tail(True)),
        mean=_of_log(lambda *theta: _gengamma_moment(1, *theta)),
        variance=_of_log(_gengamma_variance),
        entropy=_of_log(_gengamma_entropy),
    ),
]
