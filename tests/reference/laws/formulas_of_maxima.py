"""Laws of the largest and the smallest of many values, and of lives."""

from __future__ import annotations

import mpmath as mp
from make import Formula


def _weibull_log_density(y, scale, shape):
    z = shape * mp.log(y / scale)
    return mp.log(shape / y) + z - mp.exp(z)


def _weibull_variance(scale, shape):
    second = mp.gamma(1 + 2 / shape)
    return scale**2 * (second - mp.gamma(1 + 1 / shape) ** 2)


_MASSES = (mp.mpf("1e-300"), mp.mpf("1e-20"), 0.001, 0.1, 0.7, 1, 2, 5, 30, 690)


def _gumbel(name, side):
    """Gumbel's law of maxima (side 1) or of minima (side -1)."""

    def log_density(y, loc, scale):
        z = side * (y - loc) / scale
        return -mp.log(scale) - z - mp.exp(-z)

    def log_tail(y, loc, scale):
        return -mp.exp(-side * (y - loc) / scale)

    return Formula(
        name,
        [
            {"loc": 0.0, "scale": 1.0},
            {"loc": -3.0, "scale": 0.25},
            {"loc": 1e-6, "scale": 1e7},
        ],
        log_density=log_density,
        points=lambda loc, scale: [loc - side * scale * mp.log(t) for t in _MASSES],
        log_cdf=log_tail if side > 0 else None,
        log_sf=log_tail if side < 0 else None,
        mean=lambda loc, scale: loc + side * mp.euler * scale,
        variance=lambda loc, scale: (mp.pi * scale) ** 2 / 6,
        entropy=lambda loc, scale: 1 + mp.euler + mp.log(scale),
    )


def _frechet_log_density(y, scale, shape):
    z = shape * mp.log(y / scale)
    return mp.log(shape / y) - z - mp.exp(-z)


def _frechet_variance(scale, shape):
    if shape <= 2:
        return mp.inf
    return scale**2 * (mp.gamma(1 - 2 / shape) - mp.gamma(1 - 1 / shape) ** 2)


def _unshaped(w, shape):
    """Return z with w = log(1 + shape z)/shape."""
    return w if shape == 0 else mp.expm1(shape * w) / shape


def _shaped_log(z, shape):
    return z if shape == 0 else mp.log1p(shape * z) / shape


def _extreme_value_log_density(y, loc, scale, shape):
    w = _shaped_log((y - loc) / scale, shape)
    return -mp.log(scale) - (1 + shape) * w - mp.exp(-w)


def _extreme_value_mean(loc, scale, shape):
    if shape >= 1:
        return mp.inf
    return loc + scale * (mp.euler if shape == 0 else (mp.gamma(1 - shape) - 1) / shape)


def _extreme_value_variance(loc, scale, shape):
    if shape >= 0.5:
        return mp.inf
    if shape == 0:
        return (mp.pi * scale) ** 2 / 6
    return (scale / shape) ** 2 * (mp.gamma(1 - 2 * shape) - mp.gamma(1 - shape) ** 2)


def _excess_log_density(y, scale, shape):
    return -mp.log(scale) - (1 + shape) * _shaped_log(y / scale, shape)


def _excess_variance(scale, shape):
    return mp.inf if shape >= 0.5 else scale**2 / ((1 - shape) ** 2 * (1 - 2 * shape))


def _pareto_variance(scale, shape):
    return mp.inf if shape <= 2 else scale**2 * shape / ((shape - 1) ** 2 * (shape - 2))


def _power_function_variance(shape):
    return shape / ((shape + 1) ** 2 * (shape + 2))


_EXCESSES = (mp.mpf("1e-300"), mp.mpf("1e-20"), 0.001, 0.1, 0.7, 1, 2, 5, 30)
_SHAPES = (0.0, 0.2, -0.3, 1.5, 1e-9)


def _gompertz_hazard(y, scale, shape):
    return mp.expm1(shape * y / scale) / mp.expm1(shape)


def _gompertz_mean(scale, shape):
    c = 1 / mp.expm1(shape)
    return scale / shape * mp.exp(c) * mp.e1(c)


def _gompertz_variance(scale, shape):
    # Of u = shape y/scale, with P(U > u) = exp(-c (exp(u) - 1)).
    c = 1 / mp.expm1(shape)
    last = mp.log1p(120 / c)
    cuts = [last * k / 8 for k in range(9)]
    second = mp.quad(lambda u: 2 * u * mp.exp(-c * mp.expm1(u)), cuts)
    return (scale / shape) ** 2 * second - _gompertz_mean(scale, shape) ** 2


def _gompertz_entropy(scale, shape):
    growth = mp.log(mp.expm1(shape) / shape)
    return 1 - _gompertz_mean(scale, shape) * shape / scale + mp.log(scale) + growth


LAWS = [
    Formula(
        "generalized_extreme_value",
        [{"loc": 2.0, "scale": 0.5, "shape": shape} for shape in _SHAPES],
        log_density=_extreme_value_log_density,
        points=lambda loc, scale, shape: [
            loc + scale * _unshaped(-mp.log(t), shape) for t in _MASSES
        ],
        log_cdf=lambda y, loc, scale, shape: -mp.exp(-_shaped_log((y - loc) / scale, shape)),
        mean=_extreme_value_mean,
        variance=_extreme_value_variance,
        entropy=lambda loc, scale, shape: mp.log(scale) + mp.euler * (1 + shape) + 1,
    ),
    Formula(
        "pareto",
        [
            {"scale": 1.0, "shape": 2.5},
            {"scale": 3e-6, "shape": 0.4},
            {"scale": 2.0, "shape": 70.0},
        ],
        log_density=lambda y, scale, shape: mp.log(shape / y) - shape * mp.log(y / scale),
        points=lambda scale, shape: [
            scale * mp.exp(w / shape) for w in (0.001, 0.1, 0.7, 1, 2, 5, 30, min(690, 250 * shape))
        ],
        log_sf=lambda y, scale, shape: -shape * mp.log(y / scale),
        mean=lambda scale, shape: mp.inf if shape <= 1 else scale * shape / (shape - 1),
        variance=_pareto_variance,
        entropy=lambda scale, shape: mp.log(scale / shape) + 1 / shape + 1,
    ),
    Formula(
        "lomax",
        [{"scale": 1.0, "shape": 2.5}, {"scale": 3e-6, "shape": 0.4}, {"scale": 2.0, "shape": 1e9}],
        log_density=lambda y, scale, shape: _excess_log_density(y, scale, 1 / shape),
        points=lambda scale, shape: [
            scale * _unshaped(w, 1 / shape) for w in (*_EXCESSES, min(600, 250 * shape))
        ],
        log_sf=lambda y, scale, shape: -_shaped_log(y / scale, 1 / shape),
        mean=lambda scale, shape: mp.inf if shape <= 1 else scale / (1 - 1 / shape),
        variance=lambda scale, shape: _excess_variance(scale, 1 / shape),
        entropy=lambda scale, shape: mp.log(scale) + 1 / shape + 1,
    ),
    Formula(
        "generalized_pareto",
        [{"scale": 3.0, "shape": shape} for shape in _SHAPES],
        log_density=_excess_log_density,
        points=lambda scale, shape: [
            scale * _unshaped(w, shape) for w in (*_EXCESSES, 400 if shape >= 0 else 60)
        ],
        log_sf=lambda y, scale, shape: -_shaped_log(y / scale, shape),
        mean=lambda scale, shape: mp.inf if shape >= 1 else scale / (1 - shape),
        variance=_excess_variance,
        entropy=lambda scale, shape: mp.log(scale) + shape + 1,
    ),
    Formula(
        "power_function",
        [{"shape": 1.0}, {"shape": 0.02}, {"shape": 300.0}],
        log_density=lambda y, shape: mp.log(shape) + (shape - 1) * mp.log(y),
        points=lambda shape: [
            mp.exp(mp.log(p) / shape)
            for p in (mp.mpf("1e-5"), 0.001, 0.03, 0.1, 0.4, 0.7, 0.9, 0.99)
        ],
        log_cdf=lambda y, shape: shape * mp.log(y),
        mean=lambda shape: shape / (shape + 1),
        variance=_power_function_variance,
        entropy=lambda shape: 1 - 1 / shape - mp.log(shape),
    ),
    Formula(
        "frechet",
        [
            {"scale": 1.0, "shape": 1.5},
            {"scale": 2.0, "shape": 2.75},
            {"scale": 1e-6, "shape": 40.0},
        ],
        log_density=_frechet_log_density,
        points=lambda scale, shape: [scale * mp.exp(-mp.log(t) / shape) for t in _MASSES],
        log_cdf=lambda y, scale, shape: -mp.exp(-shape * mp.log(y / scale)),
        mean=lambda scale, shape: scale * mp.gamma(1 - 1 / shape) if shape > 1 else mp.inf,
        variance=_frechet_variance,
        entropy=lambda scale, shape: 1 + mp.euler * (1 + 1 / shape) + mp.log(scale / shape),
    ),
    _gumbel("gumbel", 1),
    _gumbel("gumbel_min", -1),
    Formula(
        "weibull",
        [
            {"scale": 1.0, "shape": 0.3},
            {"scale": 2.0, "shape": 1.7},
            {"scale": 1e-6, "shape": 40.0},
        ],
        log_density=_weibull_log_density,
        points=lambda scale, shape: [scale * mp.exp(mp.log(t) / shape) for t in _MASSES],
        log_sf=lambda y, scale, shape: -mp.exp(shape * mp.log(y / scale)),
        mean=lambda scale, shape: scale * mp.gamma(1 + 1 / shape),
        variance=_weibull_variance,
        entropy=lambda scale, shape: mp.euler * (1 - 1 / shape) + mp.log(scale / shape) + 1,
    ),
    Formula(
        "gompertz",
        [
            {"scale": 1.0, "shape": 1.5},
            {"scale": 3e5, "shape": 0.002},
            {"scale": 1e-6, "shape": 12.0},
        ],
        log_density=lambda y, scale, shape: (
            mp.log(shape / scale)
            + shape * y / scale
            - mp.log(mp.expm1(shape))
            - _gompertz_hazard(y, scale, shape)
        ),
        points=lambda scale, shape: [
            scale / shape * mp.log1p(t * mp.expm1(shape)) for t in _MASSES
        ],
        log_sf=lambda y, scale, shape: -_gompertz_hazard(y, scale, shape),
        mean=_gompertz_mean,
        variance=_gompertz_variance,
        entropy=_gompertz_entropy,
    ),
]
