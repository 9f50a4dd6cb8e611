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


def _check(z, level):
    return level * z if z > 0 else (level - 1) * z


def _asymmetric_tail(y, loc, scale, level):
    z = (y - loc) / scale
    if z > 0:
        return mp.log(1 - level) - level * z
    return mp.log1p(-level * mp.exp((1 - level) * z))


LAWS = [
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
]
