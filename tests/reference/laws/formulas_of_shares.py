"""Laws of shares, between 0 and 1."""

from __future__ import annotations

import mpmath as mp
from make import Formula


def _second(median, shape):
    """Return the second shape of Kumaraswamy's law."""
    return -mp.log(2) / mp.log1p(-(median**shape))


def _kumaraswamy_log_density(y, median, shape):
    b = _second(median, shape)
    return mp.log(shape * b) + (shape - 1) * mp.log(y) + (b - 1) * mp.log1p(-(y**shape))


def _kumaraswamy_points(median, shape):
    b = _second(median, shape)
    hazards = [mp.mpf(h) for h in ("1e-300", "1e-80", "1e-9", "0.01", "0.3", 1, 3, 20, 100, 680)]
    points = [(-mp.expm1(-h / b)) ** (1 / shape) for h in hazards]
    return [y for y in points if float(y) < 1.0]


def _kumaraswamy_moment(k, median, shape):
    b = _second(median, shape)
    return b * mp.beta(1 + k / shape, b)


def _kumaraswamy_entropy(median, shape):
    b = _second(median, shape)
    harmonic = mp.psi(0, b + 1) + mp.euler
    return 1 - 1 / b + (1 - 1 / shape) * harmonic - mp.log(shape * b)


LAWS = [
    Formula(
        "kumaraswamy",
        [
            {"median": 0.4, "shape": 1.7},
            {"median": 0.02, "shape": 0.3},
            {"median": 0.9, "shape": 60.0},
        ],
        log_density=_kumaraswamy_log_density,
        points=_kumaraswamy_points,
        log_sf=lambda y, median, shape: _second(median, shape) * mp.log1p(-(y**shape)),
        mean=lambda median, shape: _kumaraswamy_moment(1, median, shape),
        variance=lambda median, shape: (
            _kumaraswamy_moment(2, median, shape) - _kumaraswamy_moment(1, median, shape) ** 2
        ),
        entropy=_kumaraswamy_entropy,
    ),
]
