"""Probabilities of sums of weighted chi-squares, and exact ones of a sign test."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import betainc

Array = NDArray[np.float64]

# Weights that are smaller, relative to the largest, are rounding.
_NONE = 1e-12
# Bend of the path to the right, in units of where it begins. Chosen, not measured.
_BEND = 0.25


def weighted_chi2_sf(x: float, weights: Array) -> float:
    """Return P(sum of w_i z_i^2 > x) of independent normal z and weights w >= 0.

    It is the integral of exp(-s x) prod (1 - 2 w_i s)^(-1/2) / s over 2 pi i, upwards through a
    point between 0 and the least 1/(2 w); through one below 0 it is that less 1. The point is the
    saddle of what is integrated, above 0 if x is above the mean, and the path bends to the right,
    where exp(-s x) falls like a Gaussian.

    References
    ----------
    Imhof (1961), Computing the distribution of quadratic forms in normal variables, Biometrika 48.
    """
    weights = np.asarray(weights, float)
    if not x > 0.0:
        return 1.0
    if not weights.max(initial=0.0) > 0.0:
        return 0.0
    largest = float(weights.max())
    weights, x = weights[weights > _NONE * largest] / largest, x / largest

    side = 1.0 if x > weights.sum() else -1.0
    far = 0.5 if side > 0.0 else 0.5 * len(weights) / x + 1.0 / x  # beyond the saddle

    def log_value(s: Any) -> Any:
        return -s * x - np.log(side * s) - 0.5 * np.log(1.0 - 2.0 * weights * s).sum()

    settings = {"method": "bounded", "bounds": (0.0, far), "options": {"xatol": 1e-6 * far}}
    size = float(minimize_scalar(lambda c: log_value(side * c), **settings).x)

    def value(t: float) -> float:
        s = size * (side + 1j * t + _BEND * t * t)
        slope = size * (1.0 - 2j * _BEND * t)  # of s in t, over i
        return float((np.exp(log_value(s)) * slope).real)

    total, _ = quad(value, 0.0, np.inf, epsabs=1e-14, epsrel=1e-9, limit=500)
    tail = total / np.pi if side > 0.0 else 1.0 - total / np.pi
    return float(np.clip(tail, 0.0, 1.0))


def sign_test(positive: float, count: float) -> float:
    """Return the two-sided p-value of so many positive signs among some that are as likely."""
    less = min(positive, count - positive)
    if 2.0 * less >= count:
        return 1.0
    return float(min(2.0 * betainc(count - less, less + 1.0, 0.5), 1.0))
