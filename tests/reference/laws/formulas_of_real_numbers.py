"""Laws of real numbers and of angles."""

from __future__ import annotations

import mpmath as mp
from make import Formula, log_complement

STANDARD = [{"loc": 0.0, "scale": 1.0}, {"loc": -3.0, "scale": 1e-6}, {"loc": 1e4, "scale": 20.0}]


def at(*standard):
    """Return the points loc + scale * z."""
    return lambda loc, scale, **_: [loc + scale * mp.mpf(z) for z in standard]


def tails(smaller):
    """Return log_sf and log_cdf of a symmetric law, from log P(Z > z) for z > 0."""

    def log_sf(y, loc, scale, **shapes):
        z = (y - loc) / scale
        return smaller(z, **shapes) if z > 0 else log_complement(smaller(-z, **shapes))

    def log_cdf(y, loc, scale, **shapes):
        return log_sf(-y, -loc, scale, **shapes)

    return {"log_sf": log_sf, "log_cdf": log_cdf}


def _skew_normal(y, mean, std, skewness):
    r = mp.sign(skewness) * mp.cbrt(2 * abs(skewness) / (4 - mp.pi))
    scale = std * mp.sqrt(1 + r**2)
    shape = r * mp.sqrt(mp.pi / 2) / mp.sqrt(1 - (mp.pi / 2 - 1) * r**2)
    z = (y - mean + r * std) / scale
    return mp.log(2 / scale) - z * z / 2 - mp.log(2 * mp.pi) / 2 + log_normal_sf(-shape * z)


def _skew_normal_tail(y, sign, theta):
    """Return the logarithm of a tail, by integrals over pieces that grow outwards from y."""
    there, std = _skew_normal(y, **theta), theta["std"]
    pieces = [0, *(mp.mpf(4) ** k for k in range(-9, 4)), mp.inf]

    def share(t):
        return mp.exp(_skew_normal(y + sign * std * t, **theta) - there)

    with mp.workdps(25):
        log_tail = there + mp.log(std * mp.quad(share, pieces))
    if log_tail < -0.5:
        return log_tail
    return log_complement(_skew_normal_tail(y, -sign, theta))


def _triangular_density(y, low, mode, high):
    height = (y - low) / (mode - low) if y <= mode else (high - y) / (high - mode)
    return mp.log(2 * height / (high - low))


def _triangular_cdf(y, low, mode, high):
    if y <= mode:
        return mp.log((y - low) ** 2 / ((high - low) * (mode - low)))
    return mp.log1p(-((high - y) ** 2) / ((high - low) * (high - mode)))


def _generalized_normal_at(loc, scale, shape):
    """Return values at which |z|^p/p is about so much on both sides."""
    p = 2 / (1 + shape)
    sizes = [mp.mpf(x) for x in ("1e-9", "0.02", "0.5", 2, 20, 150, 680)]
    away = [(p * x) ** (1 / p) for x in sizes]
    return [loc + scale * z for z in (*(-z for z in away[1::2]), *away)]


def _generalized_normal_tail(z, shape):
    a = (1 + shape) / 2
    return mp.log(mp.gammainc(a, a * z ** (1 / a), mp.inf, regularized=True) / 2)


def _generalized_normal_height(shape):
    a = (1 + shape) / 2
    return mp.log(2 * a ** (-a) * mp.gamma(1 + a))


def _check(z, level):
    return level * z if z > 0 else (level - 1) * z


def _asymmetric_tail(y, loc, scale, level):
    z = (y - loc) / scale
    if z > 0:
        return mp.log(1 - level) - level * z
    return mp.log1p(-level * mp.exp((1 - level) * z))


def _von_mises_tail(y, loc, kappa):
    """Return log P(Y - loc > y - loc) on the turn around loc, by quadrature over its fall."""
    away = y - loc
    if away < 0:
        return log_complement(_von_mises_tail(loc - away, loc, kappa))

    def fall(t):
        return mp.exp(-2 * kappa * mp.sin(t / 2) * mp.sin(away + t / 2))

    turn = mp.pi - away
    reach = min(turn, 200 / kappa / mp.sin(away)) if away > 1e-9 else turn
    cuts = [turn if reach == turn else reach * 4, *(reach / mp.mpf(2) ** j for j in range(8)), 0]
    log_density = kappa * (mp.cos(away) - 1) - mp.log(2 * mp.pi) - mp.log(_bessel(0, kappa))
    return log_density + mp.log(mp.quad(fall, [min(c, turn) for c in reversed(cuts)]))


def _bessel(order, kappa):
    return mp.besseli(order, kappa) * mp.exp(-kappa)


def _scaled(rho):
    return (1 - rho) / (1 + rho)


def _wrapped_cauchy_tail(y, loc, concentration):
    half = (y - loc) / 2
    return mp.log(mp.atan2(_scaled(concentration) * mp.cos(half), mp.sin(half)) / mp.pi)


def _wrapped_cauchy_density(y, loc, concentration):
    rho = concentration
    square = (1 - rho) ** 2 + 4 * rho * mp.sin((y - loc) / 2) ** 2
    return mp.log((1 - rho**2) / (2 * mp.pi * square))


def _normal_of_johnson(y, loc, scale, shape, skew):
    """Return N of the S_U law, and dN/dy."""
    h, root = mp.sqrt(skew**2 + 1 / shape), mp.sqrt(shape)
    z = (y - loc) / scale
    n = (mp.asinh(root * (h * h * z + skew)) - mp.asinh(root * skew)) / h
    return n, 1 / (scale * mp.sqrt((1 + skew * z) ** 2 + z**2 / shape))


def log_normal_sf(n):
    return (
        mp.log(mp.erfc(n / mp.sqrt(2)) / 2) if n > -5 else mp.log1p(-mp.erfc(-n / mp.sqrt(2)) / 2)
    )


def _johnson_log_density(y, **theta):
    n, slope = _normal_of_johnson(y, **theta)
    return mp.log(slope) - n * n / 2 - mp.log(2 * mp.pi) / 2


def _johnson_variance(loc, scale, shape, skew):
    w = skew**2 + 1 / shape
    return scale**2 * (mp.expm1(2 * w) / (2 * w) + (skew * mp.expm1(w) / w) ** 2 / 2)


def _modified_sf(y, loc, scale, tail):
    z, k = (y - loc) / scale, scale / tail
    with mp.workdps(400):  # the two terms of the other tail cancel
        beside = mp.exp(k * k / 2 - k * z) * mp.erfc((k - z) / mp.sqrt(2)) / 2
        return mp.erfc(z / mp.sqrt(2)) / 2 + beside


def _modified_log_cdf(y, **theta):
    with mp.workdps(400):
        return mp.log(1 - _modified_sf(y, **theta))


LAWS = [
    Formula(
        "johnson_su",
        [
            law | {"shape": shape, "skew": skew}
            for law, shape, skew in zip(
                [*STANDARD, *STANDARD[:2]],
                (3.0, 0.5, 100.0, 1e6, 20.0),
                (0.3, -1.5, 0.0, -0.7, 2.0),
                strict=True,
            )
        ],
        log_density=_johnson_log_density,
        points=at("-1e9", -400, -30, -2, -0.3, 0.001, 1, 7, 22, 300, "1e7", "1e100"),
        log_sf=lambda y, **theta: log_normal_sf(_normal_of_johnson(y, **theta)[0]),
        log_cdf=lambda y, **theta: log_normal_sf(-_normal_of_johnson(y, **theta)[0]),
        mean=lambda loc, scale, shape, skew: (
            loc + scale * skew * mp.expm1((skew**2 + 1 / shape) / 2) / (skew**2 + 1 / shape)
        ),
        variance=_johnson_variance,
    ),
    Formula(
        "exponentially_modified_normal",
        [
            law | {"tail": tail}
            for law, tail in zip(
                [*STANDARD, *STANDARD[:2]], (1.0, 2e-5, 1.0, 1e-3, 0.1), strict=True
            )
        ],
        log_density=lambda y, loc, scale, tail: (
            (scale / tail) ** 2 / 2
            - (y - loc) / tail
            - mp.log(2 * tail)
            + mp.log(mp.erfc((scale / tail - (y - loc) / scale) / mp.sqrt(2)))
        ),
        points=at(-36, -20, -7, -2, -0.3, 0.001, 1, 2.1, 7, 22, 300),
        log_sf=lambda y, **theta: mp.log(_modified_sf(y, **theta)),
        log_cdf=_modified_log_cdf,
        mean=lambda loc, scale, tail: loc + tail,
        variance=lambda loc, scale, tail: scale**2 + tail**2,
    ),
    Formula(
        "skew_normal",
        [
            {"mean": mean, "std": std, "skewness": skewness}
            for mean, std, skewness in (
                (0.0, 1.0, 0.7),
                (-3.0, 1e-6, -0.02),
                (1e4, 20.0, 0.99),
                (0.0, 1.0, 1e-7),
                (1.0, 2.0, -0.5),
            )
        ],
        log_density=_skew_normal,
        points=lambda mean, std, **_: [
            mean + std * mp.mpf(u) for u in (-30, -9, -4, -2, -0.3, 0.001, 1, 3, 7, 13, 36)
        ],
        log_sf=lambda y, **theta: _skew_normal_tail(y, 1, theta),
        log_cdf=lambda y, **theta: _skew_normal_tail(y, -1, theta),
        mean=lambda mean, std, skewness: mean,
        variance=lambda mean, std, skewness: std**2,
    ),
    Formula(
        "generalized_normal",
        [
            law | {"shape": shape}
            for law, shape in zip(
                [*STANDARD, *STANDARD[:2]], (0.9, 0.25, 0.0, -0.75, -0.96875), strict=True
            )
        ],
        log_density=lambda y, loc, scale, shape: (
            -(abs((y - loc) / scale) ** (2 / (1 + shape))) * (1 + shape) / 2
            - mp.log(scale)
            - _generalized_normal_height(shape)
        ),
        points=_generalized_normal_at,
        **tails(_generalized_normal_tail),
        mean=lambda loc, scale, shape: loc,
        variance=lambda loc, scale, shape: (
            scale**2
            * (2 / (1 + shape)) ** (1 + shape)
            * mp.gamma(3 * (1 + shape) / 2)
            / mp.gamma((1 + shape) / 2)
        ),
        entropy=lambda loc, scale, shape: (
            mp.log(scale) + _generalized_normal_height(shape) + (1 + shape) / 2
        ),
    ),
    Formula(
        "von_mises",
        [
            {"loc": 0.0, "kappa": 1.5},
            {"loc": 2.5, "kappa": 1e-3},
            {"loc": -1.0, "kappa": 40.0},
            {"loc": 0.25, "kappa": 1500.0},
        ],
        log_density=lambda y, loc, kappa: (
            -2 * kappa * mp.sin((y - loc) / 2) ** 2 - mp.log(2 * mp.pi * _bessel(0, kappa))
        ),
        points=lambda loc, kappa: [
            float(loc + away)
            for away in (-3.1, -2.0, -0.9, -0.6, -0.1, -1e-3, 1e-3, 0.02, 0.3, 0.7, 1.5, 3.0)
            if kappa < 1000 or abs(away) < 0.95
        ],
        log_sf=lambda y, loc, kappa: _von_mises_tail(y, loc, kappa),
        log_cdf=lambda y, loc, kappa: _von_mises_tail(2 * loc - y, loc, kappa),
        mean=lambda loc, kappa: loc,
        variance=lambda loc, kappa: (
            mp.quad(
                lambda t: t * t * mp.exp(-2 * kappa * mp.sin(t / 2) ** 2),
                [0, *(mp.pi / 2**j for j in range(8, -1, -1))],
            )
            / (mp.pi * _bessel(0, kappa))
        ),
        entropy=lambda loc, kappa: (
            mp.log(2 * mp.pi * _bessel(0, kappa))
            + kappa * (1 - mp.besseli(1, kappa) / mp.besseli(0, kappa))
        ),
    ),
    Formula(
        "wrapped_cauchy",
        [
            {"loc": 0.0, "concentration": 0.5},
            {"loc": 2.5, "concentration": 1e-3},
            {"loc": -1.0, "concentration": 0.98},
            {"loc": 0.25, "concentration": 0.9999999},
        ],
        log_density=_wrapped_cauchy_density,
        points=lambda loc, **_: [
            float(loc + away)
            for away in (-3.1, -2.0, -0.9, -0.1, -1e-3, -1e-7, 1e-8, 0.02, 0.3, 1.5, 3.0)
        ],
        log_sf=_wrapped_cauchy_tail,
        log_cdf=lambda y, loc, concentration: _wrapped_cauchy_tail(2 * loc - y, loc, concentration),
        mean=lambda loc, concentration: loc,
        variance=lambda loc, concentration: mp.pi**2 / 3 + 4 * mp.polylog(2, -concentration).real,
        entropy=lambda loc, concentration: mp.log(2 * mp.pi * (1 - concentration**2)),
    ),
    Formula(
        "cauchy",
        STANDARD,
        log_density=lambda y, loc, scale: -mp.log(mp.pi * scale * (1 + ((y - loc) / scale) ** 2)),
        points=at("-1e299", "-1e9", -40, -2, -0.3, 0.001, 1, 7, "1e7", "1e160", "1e299"),
        **tails(lambda z: mp.log(mp.atan2(1, z) / mp.pi)),
        entropy=lambda loc, scale: mp.log(4 * mp.pi * scale),
    ),
    Formula(
        "asymmetric_laplace",
        settings=("level",),
        laws=[
            law | {"level": level} for law, level in zip(STANDARD, (0.3, 0.5, 0.999), strict=True)
        ],
        log_density=lambda y, loc, scale, level: (
            mp.log(level * (1 - level) / scale) - _check((y - loc) / scale, level)
        ),
        points=at(-600, -100, -30, -2, -0.3, 0.001, 1, 7, 22, 300, 680),
        log_sf=_asymmetric_tail,
        log_cdf=lambda y, loc, scale, level: _asymmetric_tail(-y, -loc, scale, 1 - level),
        mean=lambda loc, scale, level: loc + scale * (1 / level - 1 / (1 - level)),
        variance=lambda loc, scale, level: scale**2 * (1 / level**2 + 1 / (1 - level) ** 2),
        entropy=lambda loc, scale, level: 1 + mp.log(scale / (level * (1 - level))),
    ),
    Formula(
        "hyperbolic_secant",
        STANDARD,
        log_density=lambda y, loc, scale: mp.log(mp.sech((y - loc) / scale) / (mp.pi * scale)),
        points=at(-690, -100, -30, -2, -0.3, 0.001, 1, 7, 22, 300, 690),
        **tails(lambda z: mp.log(2 / mp.pi * mp.atan(mp.exp(-z)))),
        mean=lambda loc, scale: loc,
        variance=lambda loc, scale: (mp.pi * scale / 2) ** 2,
        entropy=lambda loc, scale: mp.log(2 * mp.pi * scale),
    ),
    Formula(
        "triangular",
        [
            {"low": 0.0, "mode": 0.25, "high": 1.0},
            {"low": -3.0, "mode": 2.5, "high": 4.0},
            {"low": 0.0, "mode": 1e-9, "high": 1e6},
        ],
        log_density=_triangular_density,
        points=lambda low, mode, high: [
            *(low + (mode - low) * mp.mpf(share) for share in ("1e-6", 0.125, 0.5, 0.875)),
            *(high - (high - mode) * mp.mpf(share) for share in (0.9375, 0.5, 0.125, "1e-6")),
        ],
        log_cdf=_triangular_cdf,
        log_sf=lambda y, low, mode, high: _triangular_cdf(-y, -high, -mode, -low),
        mean=lambda low, mode, high: (low + mode + high) / 3,
        variance=lambda low, mode, high: ((high - low) ** 2 - (mode - low) * (high - mode)) / 18,
        entropy=lambda low, mode, high: mp.mpf(1) / 2 + mp.log((high - low) / 2),
    ),
]
