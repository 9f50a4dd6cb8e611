"""The formulas of links on (0, 1) and their first two derivatives; the tails keep their digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Size of eta whose square is a number still. Beyond it, predictors count as this large.
_SQUARABLE = 1e150

Jet = tuple[Array, Array, Array]
"""A function's value and its first two derivatives, at the same points."""


def expit(eta: Array) -> Jet:
    """Return the inverse of the logit."""
    # t <= 1 never overflows; both tails keep their relative accuracy.
    t = np.exp(-np.abs(eta))
    theta = np.where(eta >= 0, 1.0, t) / (1.0 + t)
    slope = t / (1.0 + t) ** 2
    return theta, slope, slope * (1.0 - 2.0 * theta)


def log_logit(eta: Array) -> Jet:
    """Return the logit of exp(eta), for eta < 0."""
    above = -np.expm1(eta)  # 1 - exp(eta), with its digits also where the probability is near 1
    with np.errstate(divide="ignore", invalid="ignore"):  # from zero on there is no logit
        return eta - np.log(above), 1.0 / above, np.exp(eta) / (above * above)


def probit_inverse(eta: Array) -> Jet:
    """Return the normal distribution function."""
    from scipy.special import ndtr

    eta = np.clip(eta, -_SQUARABLE, _SQUARABLE)
    density = np.exp(-0.5 * eta * eta) / np.sqrt(2 * np.pi)
    return ndtr(eta), density, -eta * density


def probit_logit(eta: Array) -> Jet:
    """Return the logit of the normal distribution function."""
    from scipy.special import erfcx

    # With s = |eta| and half = exp(s^2/2) Phi(-s), nothing under- or overflows; the jet of the
    # other tail is its mirror.
    s = np.minimum(np.abs(eta), _SQUARABLE)
    half = 0.5 * erfcx(np.sqrt(0.5) * s)
    bell = np.exp(-0.5 * s * s)
    above = 1.0 - half * bell  # Phi(s)
    hazard = 1.0 / (np.sqrt(2 * np.pi) * half)  # phi(s)/Phi(-s)
    slope = hazard / above
    bend = slope * (hazard - s - bell / (np.sqrt(2 * np.pi) * above))
    return (
        np.copysign(np.log(above) - np.log(half) + 0.5 * s * s, eta),
        slope,
        np.copysign(bend, eta),
    )


def probit_forward(theta: Array) -> Array:
    """Return the normal quantile."""
    from scipy.special import ndtri

    return ndtri(theta)


def cloglog_inverse(eta: Array) -> Jet:
    """Return 1 - exp(-exp(eta))."""
    hazard = np.exp(np.minimum(eta, 700.0))
    slope = hazard * np.exp(-hazard)
    return -np.expm1(-hazard), slope, slope * (1.0 - hazard)


def cloglog_logit(eta: Array) -> Jet:
    """Return the logit of 1 - exp(-exp(eta))."""
    # theta = 1 - exp(-h), h = exp(eta): logit(theta) = log(expm1(h)) = h + log(1 - exp(-h)).
    hazard = np.exp(np.clip(eta, -700.0, 700.0))
    below = -np.expm1(-hazard)
    ratio = hazard / below
    value = np.where(
        eta < -30.0, eta + 0.5 * hazard, hazard + np.log(below)
    )  # the next term is h^2/24
    # 1 - ratio exp(-h) = h/2 - h^2/12 + h^4/720 - ..: the difference has no digits left where h is
    # small.
    small = np.minimum(hazard, 1e-3)
    gap = np.where(
        hazard < 1e-3,
        small * (0.5 - small / 12.0 * (1.0 - small * small / 60.0)),
        1.0 - ratio * np.exp(-hazard),
    )
    return value, ratio, ratio * gap


def loglog_inverse(eta: Array) -> Jet:
    """Return exp(-exp(-eta))."""
    hazard = np.exp(np.minimum(-eta, 700.0))
    theta = np.exp(-hazard)
    slope = hazard * theta
    return theta, slope, slope * (hazard - 1.0)


def loglog_logit(eta: Array) -> Jet:
    """Return the logit of exp(-exp(-eta))."""
    value, slope, curve = cloglog_logit(-eta)
    return -value, slope, -curve


def cauchit_inverse(eta: Array) -> Jet:
    """Return Cauchy's distribution function."""
    eta = np.clip(eta, -_SQUARABLE, _SQUARABLE)
    # arctan2(1, -eta) is the tail-accurate form of arctan(eta) + pi/2.
    slope = 1.0 / (np.pi * (1.0 + eta * eta))
    return np.arctan2(1.0, -eta) / np.pi, slope, -2.0 * np.pi * eta * slope**2


def cauchit_logit(eta: Array) -> Jet:
    """Return the logit of Cauchy's distribution function."""
    eta = np.clip(eta, -_SQUARABLE, _SQUARABLE)
    below, slope, curve = cauchit_inverse(eta)
    above = np.arctan2(1.0, eta) / np.pi
    odds = slope / (below * above)
    return np.log(below) - np.log(above), odds, curve / (below * above) + odds**2 * (below - above)


def cauchit_forward(theta: Array) -> Array:
    """Return Cauchy's quantile."""
    # -cot(pi theta), by the form whose argument is exact: of theta, of theta - 1/2 or of 1 - theta.
    theta = np.asarray(theta, float)
    with np.errstate(divide="ignore"):
        low, high = -1.0 / np.tan(np.pi * theta), 1.0 / np.tan(np.pi * (1.0 - theta))
    return np.where(theta < 0.25, low, np.where(theta > 0.75, high, np.tan(np.pi * (theta - 0.5))))
