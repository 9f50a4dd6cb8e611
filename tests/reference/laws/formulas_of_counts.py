"""Laws of counts, and of sums of a random number of values."""

from __future__ import annotations

from functools import cache

import mpmath as mp
from make import Formula


def _nb1_log_mass(y, mean, dispersion):
    r = mean / dispersion
    whole = mp.loggamma(y + r) - mp.loggamma(r) - mp.loggamma(y + 1)
    return whole + y * mp.log(dispersion) - (y + r) * mp.log1p(dispersion)


def _generalized_poisson_log_mass(y, mean, dispersion):
    theta, share = mean / (1 + dispersion), dispersion / (1 + dispersion)
    w = theta + share * y
    return mp.log(theta) + (y - 1) * mp.log(w) - w - mp.loggamma(y + 1)


def _discrete_weibull_log_sf(y, scale, shape):
    return -(((y + 1) / scale) ** shape)


def _discrete_weibull_log_mass(y, scale, shape):
    before = mp.mpf(0) if y == 0 else -((y / scale) ** shape)
    return before + mp.log(-mp.expm1(_discrete_weibull_log_sf(y, scale, shape) - before))


_LOGS = [mp.mpf(0)]  # of 1, 2, ... in the digits at hand
_LAST = {"digits": 0, "log_rate": mp.mpf(0)}


def _com_poisson_masses(log_rate, nu):
    """Return log lambda^y/(y!)^nu of y = 0, 1, ..., the shares of the largest, and its log."""
    if _LAST["digits"] != mp.mp.dps:
        _LAST["digits"] = mp.mp.dps
        del _LOGS[1:]
    logs = [mp.mpf(0)]
    top = logs[0]
    while logs[-1] > top - 2.5 * mp.mp.dps:
        if len(logs) > len(_LOGS):
            _LOGS.append(mp.log(len(logs)))
        logs.append(logs[-1] + log_rate - nu * _LOGS[len(logs) - 1])
        top = max(top, logs[-1])
    return logs, [mp.exp(log - top) for log in logs], top


@cache
def _com_poisson(mean, nu):
    """Return log lambda, log Z, the variance and the entropy; the root is sought from the last."""
    near_poisson = nu * mp.log(mean + (nu - 1) / (2 * nu)) if mean * nu > 1 else -mp.log1p(1 / mean)
    known = _LAST.get("mean") is not None and abs(mean - _LAST["mean"]) < 1e-3 * mean
    log_rate = _LAST["log_rate"] if known and abs(nu - _LAST["nu"]) < 1e-3 * nu else near_poisson
    for _ in range(100):
        logs, masses, top = _com_poisson_masses(log_rate, nu)
        total = mp.fsum(masses)
        found = mp.fsum(y * mass for y, mass in enumerate(masses)) / total
        variance = mp.fsum((y - found) ** 2 * mass for y, mass in enumerate(masses)) / total
        step = mp.log(mean / found) * found / variance
        if abs(step) < mp.mpf(10) ** (10 - mp.mp.dps):
            break
        log_rate += max(min(step, mp.mpf(1)), mp.mpf(-1))
    _LAST.update(mean=mean, nu=nu, log_rate=log_rate)
    log_total = mp.log(total) + top
    entropy = log_total - mp.fsum(map(mp.fmul, logs, masses)) / total
    return log_rate, log_total, variance, entropy


def _com_poisson_log_mass(y, mean, nu):
    log_rate, log_total, _, _ = _com_poisson(mean, nu)
    return y * log_rate - nu * mp.loggamma(y + 1) - log_total


def _skellam_log_mass(y, mu1, mu2):
    bessel = mp.besseli(abs(y), 2 * mp.sqrt(mu1 * mu2))
    return y * mp.log(mu1 / mu2) / 2 - mu1 - mu2 + mp.log(bessel)


def _skellam_above(y, mu1, mu2):
    total, before, k = mp.mpf(0), mp.mpf(0), y + 1
    while True:
        mass = mp.exp(_skellam_log_mass(k, mu1, mu2))
        total += mass
        if mass < before and mass < mp.mpf(10) ** -mp.mp.dps * total * (1 - mass / before):
            return total
        before, k = mass, k + 1


def _skellam_log_sf(y, mu1, mu2):
    if y > mu1 - mu2:
        return mp.log(_skellam_above(y, mu1, mu2))
    return mp.log1p(-_skellam_above(-y - 1, mu2, mu1))


def _logarithmic_variance(shape):
    log = mp.log1p(-shape)
    return -shape * (shape + log) / ((1 - shape) * log) ** 2


def _zeta_log_sf(y, shape):
    """By Euler and Maclaurin's formula: mpmath's zeta of two arguments has ten digits in places."""
    after = y + 1 + 200
    rest = 1 / shape + 1 / (2 * after)
    for j in range(1, 30):
        rise = mp.rf(1 + shape, 2 * j - 1) / after ** (2 * j)
        rest += mp.bernoulli(2 * j) / mp.factorial(2 * j) * rise
    total = mp.fsum((y + 1 + j) ** (-1 - shape) for j in range(200)) + rest * after**-shape
    return mp.log(total) - mp.log(mp.zeta(1 + shape))


def _zeta_mean(shape):
    return mp.zeta(shape) / mp.zeta(1 + shape) if shape > 1 else mp.inf


def _zeta_variance(shape):
    square = mp.zeta(shape - 1) / mp.zeta(1 + shape) if shape > 2 else mp.inf
    return square - _zeta_mean(shape) ** 2 if shape > 2 else mp.inf


def _zeta_entropy(shape):
    log_mean = -mp.zeta(1 + shape, derivative=1) / mp.zeta(1 + shape)
    return mp.log(mp.zeta(1 + shape)) + (1 + shape) * log_mean


def _power_sum(first, last, exponent):
    """Return the sum of k^-exponent, of long ranges by Euler and Maclaurin's formula."""
    if last - first < 3000:
        return mp.fsum(mp.mpf(k) ** -exponent for k in range(int(first), int(last) + 1))
    low, high = mp.mpf(first) + 400, mp.mpf(last) - 400
    width, power = mp.log(high / low), 1 - exponent
    rest = width if power == 0 else low**power * mp.expm1(power * width) / power
    rest += (low**-exponent + high**-exponent) / 2
    for j in range(1, 30):
        rise = mp.bernoulli(2 * j) / mp.factorial(2 * j) * mp.rf(exponent, 2 * j - 1)
        rest += rise * (low ** (1 - 2 * j - exponent) - high ** (1 - 2 * j - exponent))
    ends = (_power_sum(first, low - 1, exponent), _power_sum(high + 1, last, exponent))
    return rest + sum(ends)


@mp.workdps(120)  # it may be small
def _zipfian_log_mass(y, ranks, exponent):
    return -exponent * mp.log(y) - mp.log(_power_sum(1, ranks, exponent))


def _zipfian_log_sf(y, ranks, exponent):
    if y == ranks:
        return -mp.inf
    above = _power_sum(y + 1, ranks, exponent) / _power_sum(1, ranks, exponent)
    if above < 0.5:
        return mp.log(above)
    return mp.log1p(-_power_sum(1, y, exponent) / _power_sum(1, ranks, exponent))


def _zipfian_mean(ranks, exponent):
    return _power_sum(1, ranks, exponent - 1) / _power_sum(1, ranks, exponent)


@mp.workdps(120)  # it may be a small difference
def _zipfian_variance(ranks, exponent):
    square = _power_sum(1, ranks, exponent - 2) / _power_sum(1, ranks, exponent)
    return square - _zipfian_mean(ranks, exponent) ** 2


@mp.workdps(120)
def _zipfian_entropy(ranks, exponent):
    def log_sum(exponent):
        return mp.log(_power_sum(1, ranks, exponent))

    return log_sum(exponent) - exponent * mp.diff(log_sum, exponent)


LAWS = [
    Formula(
        "generalized_poisson",
        [
            {"mean": 2.0, "dispersion": 0.5},
            {"mean": 0.01, "dispersion": 4.0},
            {"mean": 300.0, "dispersion": 1e-6},
        ],
        log_density=_generalized_poisson_log_mass,
        points=lambda mean, dispersion: [0, 1, 2, 5, 20, 100, 300, 700, 1500],
        ends=lambda mean, dispersion: [0],
        mean=lambda mean, dispersion: mean,
        variance=lambda mean, dispersion: mean * (1 + dispersion) ** 2,
        counts=True,
    ),
    Formula(
        "negative_binomial_1",
        [
            {"mean": 2.0, "dispersion": 1.5},
            {"mean": 0.01, "dispersion": 40.0},
            {"mean": 300.0, "dispersion": 1e-6},
        ],
        log_density=_nb1_log_mass,
        points=lambda mean, dispersion: [0, 1, 2, 5, 20, 100, 300, 700, 1500],
        ends=lambda mean, dispersion: [0],
        mean=lambda mean, dispersion: mean,
        variance=lambda mean, dispersion: mean * (1 + dispersion),
        counts=True,
    ),
    Formula(
        "discrete_weibull",
        [
            {"scale": 2.5, "shape": 0.8},
            {"scale": 0.01, "shape": 0.3},
            {"scale": 300.0, "shape": 40.0},
            {"scale": 1e6, "shape": 1.5},
        ],
        log_density=_discrete_weibull_log_mass,
        points=lambda scale, shape: [0, 1, 2, 5, 20, 100, 300, 353, 1500, 1e6, 8e7],
        log_sf=_discrete_weibull_log_sf,
        counts=True,
    ),
    Formula(
        "com_poisson",
        [
            {"mean": 2.5, "nu": 0.4},
            {"mean": 0.01, "nu": 5.0},
            {"mean": 7.0, "nu": 60.0},
            {"mean": 12.5, "nu": 0.003},
            {"mean": 300.0, "nu": 1.6},
            {"mean": 4000.0, "nu": 0.1},
        ],
        log_density=_com_poisson_log_mass,
        points=lambda mean, nu: [0, 1, 2, 5, 8, 20, 100, 300, 700, 4000, 7000],
        ends=lambda mean, nu: [0],
        mean=lambda mean, nu: mean,
        variance=lambda mean, nu: _com_poisson(mean, nu)[2],
        entropy=lambda mean, nu: _com_poisson(mean, nu)[3],
        counts=True,
    ),
    Formula(
        "skellam",
        [
            {"mu1": 2.0, "mu2": 0.7},
            {"mu1": 1e-3, "mu2": 5.0},
            {"mu1": 30.0, "mu2": 25.0},
            {"mu1": 200.0, "mu2": 1e-6},
        ],
        log_density=_skellam_log_mass,
        points=lambda mu1, mu2: [-130, -40, -12, -5, -1, 0, 1, 2, 5, 20, 150, 200, 400],
        log_cdf=lambda y, mu1, mu2: _skellam_log_sf(-y - 1, mu2, mu1),
        log_sf=_skellam_log_sf,
        mean=lambda mu1, mu2: mu1 - mu2,
        variance=lambda mu1, mu2: mu1 + mu2,
        counts=True,
    ),
    Formula(
        "logarithmic_series",
        [{"shape": 1e-3}, {"shape": 0.4}, {"shape": 0.98}],
        log_density=lambda y, shape: y * mp.log(shape) - mp.log(-y * mp.log1p(-shape)),
        points=lambda shape: [1, 2, 3, 5, 10, 30, 100, 1000, 10000],
        ends=lambda shape: [1],
        mean=lambda shape: -shape / ((1 - shape) * mp.log1p(-shape)),
        variance=_logarithmic_variance,
        counts=True,
    ),
    Formula(
        "zeta",
        [{"shape": 1e-9}, {"shape": 0.3}, {"shape": 1.1}, {"shape": 2.5}, {"shape": 40.0}],
        log_density=lambda y, shape: -(1 + shape) * mp.log(y) - mp.log(mp.zeta(1 + shape)),
        points=lambda shape: [1, 2, 3, 5, 10, 30, 100, 1000, 3e7, 1e15, 1e120, 1e290],
        log_sf=_zeta_log_sf,
        mean=_zeta_mean,
        variance=_zeta_variance,
        entropy=_zeta_entropy,
        counts=True,
    ),
    Formula(
        "zipfian",
        [
            {"ranks": 6, "exponent": 40.0},
            {"ranks": 6, "exponent": -90.0},
            {"ranks": 100, "exponent": 0.0},
            {"ranks": 1000, "exponent": 0.7},
            {"ranks": 1000, "exponent": 250.0},
            {"ranks": 10**6, "exponent": 1.1},
            {"ranks": 10**6, "exponent": -2.5},
            {"ranks": 10**6, "exponent": -3e5},
            {"ranks": 10**15, "exponent": 1.0},
        ],
        settings=("ranks",),
        log_density=_zipfian_log_mass,
        points=lambda ranks, exponent: sorted(
            {1, 2, 3, min(5, ranks), ranks // 7 + 1, ranks // 3, ranks // 2, ranks - 1, ranks}
        ),
        log_sf=_zipfian_log_sf,
        mean=_zipfian_mean,
        variance=_zipfian_variance,
        entropy=_zipfian_entropy,
        counts=True,
    ),
]
