"""The generalised gamma law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtri, polygamma

from skmle.families.base import IDENTITY, LOG, Array, Arrays, Family, Limit, Param, Rows, average
from skmle.families.law import ByStd
from skmle.families.lognormal import Lognormal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.log_shaped import LogShaped
from skmle.families.tools.special import LOG_2PI, binet
from skmle.families.tools.tails import log_gamma_tail, log_large_gamma_tail

# |v| below which the power series of (e^v - 1 - v)/v^2 and its derivatives take the place of the
# quotients, which lose two digits there, and how many of their terms have all digits.
_SERIES, _TERMS = 1.0, 20
# |shape| below which Binet's function of 1/shape^2 is its asymptotic series, to the last digit.
_SMALL = 0.03
# |shape| below which the gamma law has a shape above 1e5, whose tails are those of an expansion
# around the normal law.
_NEARLY_NORMAL = 3e-3
# |shape| beyond which a fit without a maximum has come near to the law of a power of y: its gamma
# law has a shape of 1e-4, and n observations miss about n * 1e-4 nats. Chosen, not measured.
_POWER = 100.0
# |shape| between which a start lies, with steps fine enough for one.
_SHAPES = np.exp(np.linspace(-4.0, 1.2, 27))


class GeneralizedGamma(ByStd, ByTails, LogShaped):
    """Generalised gamma law of y > 0 in Prentice's form, with `loc`, `scale` and `shape`.

    With z = (log y - loc)/scale and a = 1/shape^2, a exp(shape z) has a gamma law of shape a and
    scale one. With shape 0 it is lognormal with this loc and scale, with shape 1 Weibull, with
    shape = scale gamma; a negative shape is that of the reciprocal. Around the lognormal law the
    likelihood has no flat ridge, as it has in Stacy's parameters. That of few observations may be
    largest far out, where the law tends to that of a power of y below the largest one. scipy:
    ``gengamma(a=1/shape**2, c=shape/scale, scale=exp(loc) * abs(shape)**(2*scale/shape))``; R:
    ``flexsurv::dgengamma(mu=loc, sigma=scale, Q=shape)``.

    References
    ----------
    Prentice (1974), A log gamma model and its maximum likelihood estimation, Biometrika 61.
    Lawless (1980), Inference in the generalized gamma and log gamma distributions, Technometrics
    22.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> y = np.random.default_rng(0).weibull(2.0, 2000)
    >>> model = MLEDistribution("generalized_gamma").fit(y)
    >>> bool(0.8 < model.params_["shape"] < 1.2)
    True
    """

    scipy_name = "gengamma"
    parameters = (
        Param("loc", IDENTITY, unit="location"),
        Param("scale", LOG, unit="scale"),
        Param("shape", IDENTITY),
    )

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("shape", 0.0, Lognormal(links=self.links_of(("loc", "scale")))),)

    # ---------------------------------------------------------------- the formula

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # With v = shape u and h(v) = (e^v - 1 - v)/v^2, it is u^2 h(v) + mu(1/shape^2)
        # + log(2 pi)/2 with Binet's mu, which vanishes with the shape.
        shape = np.asarray(shapes[0], float)
        v = shape * u
        (h, h1, h2), (mu, mu1, mu2) = _gap(v, order), _binet_of_shape(shape, order)
        square = u * u
        value = square * h + (mu + 0.5 * LOG_2PI)
        if order < 1:
            return Rows(value)
        gradient = (u * (1.0 + v * h), square * u * h1 + mu1)
        if order < 2:
            return Rows(value, gradient)
        cross = square * (h + v * h1)
        return Rows(value, gradient, (1.0 + v + v * v * h, cross, square * square * h2 + mu2))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The skewness of log y is that of the logarithm of a gamma variable, which tells its shape.
        log_y = statistics[0]
        centre = average(log_y, weight)
        away = log_y - centre
        variance = np.float64(average(away * away, weight))
        with np.errstate(divide="ignore", invalid="ignore"):  # all observations are equal
            third = average(away**3, weight) / variance**1.5
        skewness = float(third) if np.isfinite(third) else 0.0
        a = _SHAPES**-2.0
        known = -polygamma(2, a) / polygamma(1, a) ** 1.5  # rises with the size of the shape
        size = float(np.interp(abs(skewness), known, _SHAPES, left=0.0))
        shape = -float(np.sign(skewness)) * size
        spread = np.sqrt(polygamma(1, size**-2.0)) / size if size > 0.0 else 1.0
        mean = float(_mean_log(np.asarray(shape)))
        scale = np.sqrt(variance) / spread
        with np.errstate(divide="ignore"):
            return [(float(centre - scale * mean), float(np.log(scale)), shape)]

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        # With scale * shape = t, a exp(shape z) of a shape a that vanishes is exp((log y - loc)/t)
        # below loc, with the density of a power, and nothing above.
        shape = np.asarray(eta[2])
        for sign, ends, side in (
            (1.0, "inf", "below the largest"),
            (-1.0, "-inf", "above the least"),
        ):
            if np.min(sign * shape) > _POWER:
                return "shape", (
                    f"the likelihood rises towards a finite supremum, that of a power of y "
                    f"{side} observation, as shape tends to {ends} and scale to 0"
                )
        return None

    # ---------------------------------------------------------------- the law

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, shape = (np.asarray(value, float) for value in theta)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            z = (np.log(y) - loc) / scale
            v = shape * z
            rising = shape >= 0.0
            near = np.abs(shape) < _NEARLY_NORMAL
            h = _gap(np.where(near, v, 0.0), 0)[0]
            above = np.where(rising, z > 0.0, z < 0.0)
            normal = {
                side: log_large_gamma_tail(
                    np.abs(shape), np.sqrt(2.0 * h) * v, z * z * h, above, side
                )
                for side in (False, True)
            }
            a = np.where(near, 1.0, 1.0 / (shape * shape))
            x = a * np.exp(np.where(near, 0.0, v))
            log_x = np.where(near, 0.0, v + np.log(a))
            gamma = {side: log_gamma_tail(a, x, side, log_x) for side in (False, True)}
            found = {side: np.where(near, normal[side], gamma[side]) for side in (False, True)}
            return np.where(rising, found[upper], found[not upper])

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, shape = (np.asarray(value, float) for value in theta)
        near = np.abs(shape) < _NEARLY_NORMAL
        some = np.where(near, 1.0, shape)
        a = 1.0 / (some * some)
        above = (some > 0.0) == upper
        x = np.where(above, gammainccinv(a, q), gammaincinv(a, q))
        z = np.where(near, -ndtri(q) if upper else ndtri(q), np.log(x / a) / some)
        return np.exp(loc + scale * z)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gengamma, lognorm

        loc, scale, shape = (np.asarray(value, float) for value in theta)
        with np.errstate(all="ignore"):  # of parameters at an end of their range
            if np.all(shape == 0.0):
                return lognorm(s=scale, scale=np.exp(loc))
            unit = np.exp(loc + 2.0 * scale * (np.log(np.abs(shape)) / shape))
            return gengamma(a=1.0 / np.square(shape), c=shape / scale, scale=unit)

    @classmethod
    def from_scipy(
        cls, a: Array, c: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if np.any(loc):
            return None
        shape = np.copysign(1.0 / np.sqrt(a), c)
        return cls(), (np.log(scale) + np.log(a) / c, shape / c, shape)

    def _log_moment(self, k: float, theta: Arrays) -> Array:
        """Return log E[exp(k scale z)]; inf where it is endless."""
        _, scale, shape = (np.asarray(value, float) for value in theta)
        growth = k * scale
        s = growth * shape
        known = s > -1.0
        s = np.where(known, s, 0.0)
        # (1 + s) log(1 + s) - s over s^2, which is 1/2 at zero
        some = np.where(np.abs(s) < 1e-8, 1.0, s)
        ratio = (1.0 + some) * gap_beside(-some / (1.0 + some), 1.0 / (1.0 + some)) / some**2
        ratio = np.where(np.abs(s) < 1e-8, 0.5 - s / 6.0, ratio)
        mu = _binet_of_shape(shape / np.sqrt(1.0 + s), 0)[0] - _binet_of_shape(shape, 0)[0]
        return np.where(known, growth * growth * ratio - 0.5 * np.log1p(s) + mu, np.inf)

    def mean(self, theta: Arrays) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(theta[0] + self._log_moment(1.0, theta))

    def std(self, theta: Arrays) -> Array:
        first, second = self._log_moment(1.0, theta), self._log_moment(2.0, theta)
        with np.errstate(over="ignore"):
            ratio = np.expm1(second - 2.0 * np.where(np.isinf(first), 0.0, first))
            return np.where(np.isinf(second), np.inf, self.mean(theta) * np.sqrt(ratio))

    def known_entropy(self, theta: Arrays) -> Array:
        loc, scale, shape = (np.asarray(value, float) for value in theta)
        mu = _binet_of_shape(shape, 0)[0]
        mean = _mean_log(shape)
        # -E[z]/shape = 1/2 - mu'(a) a
        fall = np.where(shape == 0.0, 0.5, -mean / np.where(shape == 0.0, 1.0, shape))
        return np.log(scale) + loc + scale * mean + fall + mu + 0.5 * LOG_2PI

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale, shape = (np.asarray(value, float) for value in theta)
        near = np.abs(shape) < _NEARLY_NORMAL
        if near.any():
            return super().sample(theta, size, rng)
        a = 1.0 / (shape * shape)
        with np.errstate(over="ignore", divide="ignore"):
            return np.exp(loc + scale * np.log(rng.standard_gamma(a, size) / a) / shape)


def _gap(v: Array, order: int) -> tuple[Array, Array, Array]:
    """Return h(v) = (e^v - 1 - v)/v^2 and two derivatives, of which some are not asked for."""
    near = np.abs(v) < _SERIES
    small, large = np.where(near, v, 0.0), np.where(near, 1.0, v)
    growth = np.expm1(large)
    h = np.where(near, _series(small, 0), (growth - large) / large / large)
    if order < 1:
        return h, h, h
    first = ((growth / large) - 2.0 * (growth - large) / large / large) / large
    first = np.where(near, _series(small, 1), first)
    if order < 2:
        return h, first, first
    rise = growth + 1.0
    second = (rise - (4.0 * rise + 2.0) / large + 6.0 * growth / large / large) / large / large
    return h, first, np.where(near, _series(small, 2), second)


def _series(v: Array, order: int) -> Array:
    """Return a derivative of the sum of v^k/(k + 2)!."""
    factors = [1.0 / 2.0]
    for k in range(1, _TERMS):
        factors.append(factors[-1] / (k + 2.0))
    derived = np.polynomial.polynomial.polyder(factors, order)
    return np.asarray(np.polyval(derived[::-1], v), float)


def _binet_of_shape(shape: Array, order: int) -> tuple[Array, Array, Array]:
    """Return mu(1/shape^2) and two derivatives in the shape, of which some are not asked for."""
    small = np.abs(shape) < _SMALL
    s = np.where(small, 1.0, shape)
    a = 1.0 / (s * s)
    mu, mu1, mu2 = binet(a, order)
    square = np.where(small, shape * shape, 0.0)
    value = np.where(small, square * (1.0 / 12.0 - square * square / 360.0), mu)
    if order < 1:
        return value, value, value
    assert mu1 is not None
    near = shape * (1.0 / 6.0 - square * square / 60.0)
    first = np.where(small, near, -2.0 * a * mu1 / s)
    if order < 2:
        return value, first, first
    assert mu2 is not None
    far = a * a * (4.0 * a * mu2 + 6.0 * mu1)
    return value, first, np.where(small, 1.0 / 6.0 - square * square / 12.0, far)


def _mean_log(shape: Array) -> Array:
    """Return E[z] = (digamma(a) - log a)/shape with a = 1/shape^2."""
    return -0.5 * (shape + _binet_of_shape(shape, 1)[1] * np.square(shape))
