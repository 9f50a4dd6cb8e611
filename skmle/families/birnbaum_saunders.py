"""The Birnbaum-Saunders law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtri

from skmle.families.base import (
    LOG,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Saturated,
    Stretch,
    Support,
)
from skmle.families.law import ByLogTail, ByStd
from skmle.families.normal import Normal
from skmle.families.tools.quantiles import centre_and_spread
from skmle.families.tools.special import LOG_2PI
from skmle.families.tools.stretched import InGeometricMean

_QUARTILE = float(ndtri(0.75))


class BirnbaumSaunders(InGeometricMean, ByStd, ByLogTail, Family):
    """Birnbaum-Saunders (fatigue life) law of y > 0 with `scale`, the median, and `shape`.

    s = (sqrt(y/scale) - sqrt(scale/y))/shape is a standard normal variable: so is the time until
    a crack has grown, in steps, to a certain length. As the shape vanishes, it is normal around
    the scale. scipy: ``fatiguelife(c=shape, scale=scale)``; R:
    ``VGAM::dbisa(scale=scale, shape=shape)``.

    References
    ----------
    Birnbaum & Saunders (1969), Estimation for a family of life distributions with applications to
    fatigue, Journal of Applied Probability 6.
    Engelhardt, Bain & Wright (1981), Inferences on the parameters of the Birnbaum-Saunders fatigue
    life distribution based on maximum likelihood estimation, Technometrics 23 (its only maximum).
    Rieck & Nedelman (1991), A log-linear model for the Birnbaum-Saunders distribution,
    Technometrics 33 (its regression, which has one maximum below shape 2).

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("birnbaum_saunders").fit([[1.0], [2.0], [4.0]])
    >>> round(float(model.params_["scale"]), 6), round(float(model.params_["shape"]), 4)
    (2.0, 0.5774)
    """

    title = "Birnbaum-Saunders"
    scipy_name = "fatiguelife"
    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0)
    stretch = Stretch((1.0, 0.0), Normal)
    unit_moves = stretch.moves

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        return y, np.log(y)

    def base(self, statistics: Arrays) -> Array:
        return statistics[1] + 0.5 * LOG_2PI

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = s^2/2 + log shape - log cosh(w/2) + log y with w = log(y/scale) and
        # s = 2 sinh(w/2)/shape.
        sinh, cosh, inverse = self._of_half(statistics, eta)
        with np.errstate(over="ignore", invalid="ignore"):  # a density of zero
            root = sinh * inverse
            square = 4.0 * root * root
            value = 0.5 * square + eta[1] - np.log(cosh)
            if order < 1:
                return Rows(value)
            turn = 2.0 * root * (cosh * inverse)  # sinh(w)/shape^2
            bent = sinh / cosh  # tanh(w/2)
            gradient = (0.5 * bent - turn, 1.0 - square)
            if order < 2:
                return Rows(value, gradient)
            own = inverse * inverse + 0.5 * square - 0.25 / (cosh * cosh)
            return Rows(value, gradient, (own, 2.0 * turn, 2.0 * square))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # s is normal, so that the mean of 1/cosh(w/2)^2 = 1/(1 + (shape s/2)^2) is an integral of
        # Mills's kind.
        inverse = np.exp(-np.asarray(eta[1], float))
        bent = np.sqrt(2.0 * np.pi) * inverse * erfcx(np.sqrt(2.0) * inverse)
        return inverse * inverse + 0.5 - 0.25 * bent, None, np.asarray(2.0)

    def _of_half(self, statistics: Arrays, eta: Arrays) -> tuple[Array, Array, Array]:
        """Return sinh and cosh of half the logarithm of y/scale, and 1/shape."""
        log_scale, log_shape = eta
        with np.errstate(over="ignore"):
            growth = np.expm1(0.5 * (statistics[1] - log_scale))
        whole = 1.0 + growth
        inverse = 1.0 / np.maximum(whole, np.finfo(float).tiny)
        sinh = 0.5 * (growth + np.where(np.isinf(growth), 1.0, growth * inverse))
        return sinh, 0.5 * (whole + inverse), np.exp(-log_shape)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The median, and the shape by which a quarter of the normal variable is beyond 0.674. Of
        # moments, a few values next to zero would make a shape beyond all others.
        centre, spread = centre_and_spread(statistics[1], weight)
        equal = bool(np.all(statistics[1] == statistics[1][0]))
        with np.errstate(divide="ignore", over="ignore"):
            shape = 0.0 if equal else 2.0 * np.sinh(0.5 * spread) / _QUARTILE
            return [(float(centre), float(np.log(shape)))]

    def saturated(self, statistics: Arrays) -> Saturated:
        return Saturated(statistics[1], (float(np.log(1e-8)),), "shape", power=1.0)

    # ---------------------------------------------------------------- the law

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            s = self._normal(y, theta)
            return log_ndtr(-s if upper else s)

    def _normal(self, y: Array, theta: Arrays) -> Array:
        """Return the standard normal variable that belongs to y."""
        scale, shape = theta
        root = np.sqrt(np.maximum(y, 0.0) / scale)
        return np.where(np.isinf(root), np.inf, (root - 1.0 / root) / shape)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        sinh, cosh, inverse = self._of_half(statistics, eta)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            s, rise = 2.0 * sinh * inverse, cosh * inverse  # ds/dlog(y)
            value = -log_ndtr(-s if upper else s)
            if order < 1:
                return Rows(value)
            sign = 1.0 if upper else -1.0
            slope = sign * np.exp(value - 0.5 * s * s - 0.5 * LOG_2PI)
            gradient = (-slope * rise, -slope * s)
            if order < 2:
                return Rows(value, gradient)
            curve = slope * (slope - s)
            own = curve * rise * rise + 0.25 * slope * s
            curvature = (own, rise * (curve * s + slope), s * (curve * s + slope))
            return Rows(value, gradient, curvature)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at(ndtri(q), theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at(-ndtri(q), theta)

    def _at(self, s: Array, theta: Arrays) -> Array:
        """Return y whose standard normal variable is s."""
        scale, shape = theta
        with np.errstate(over="ignore", invalid="ignore"):
            return scale * np.exp(2.0 * np.arcsinh(0.5 * shape * s))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import fatiguelife

        scale, shape = theta
        return fatiguelife(c=shape, scale=scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, c))

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(over="ignore"):
            return scale * (1.0 + 0.5 * np.square(shape))

    def std(self, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(over="ignore"):
            return scale * (shape * np.sqrt(1.0 + 1.25 * np.square(shape)))

    def entropy(self, theta: Arrays) -> Array:
        from skmle.families.tools.numerical import entropy

        return entropy(self, theta)  # scipy's own integral has fewer digits

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self._at(rng.standard_normal(size), theta)
