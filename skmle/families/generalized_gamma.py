"""The generalised gamma law."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import exprel, factorial, gammainccinv, gammaincinv, ndtri, polygamma

from skmle.families.base import IDENTITY, LOG, Array, Arrays, Family, Limit, Param, Rows, average
from skmle.families.frechet import Frechet
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.divergences import gap_beside
from skmle.families.tools.log_moments import mean_variance_skewness
from skmle.families.tools.log_shaped import LogShaped
from skmle.families.tools.special import LOG_2PI, binet
from skmle.families.tools.tails import log_gamma_tail, log_large_gamma_tail
from skmle.families.weibull import Weibull

# |v| below which the power series of (e^v - 1 - v)/v^2 and its derivatives take the place of the
# quotients, which lose two digits there, and how many of their terms have all digits.
_SERIES, _TERMS = 1.0, 20
_FACTORS = [
    np.polynomial.polynomial.polyder(1.0 / factorial(np.arange(2, _TERMS + 2)), order)[::-1]
    for order in range(3)
]
# |q| below which Binet's function of 1/q^2 is its asymptotic series, to the last digit.
_SMALL = 0.03
# |q| below which the gamma law has a shape above 1e5, whose tails are those of an expansion
# around the normal law.
_NEARLY_NORMAL = 3e-3
# |q| below which draws are those of a normal law with a skewness, but for q^2 = 1e-10.
_NEARLY_NONE = 1e-5
# |q| beyond which a fit without a maximum has come near to the law of a power of y: its gamma
# law has a shape of 1e-4, and n observations miss about n * 1e-4 nats. Chosen, not measured.
_POWER = 100.0
# |q| of the law that stands for that of a power: it misses about 1e-8 nats a row.
_FAR_OUT = 1e4
# |q| between which a start lies, with steps fine enough for one.
_SIZES = np.exp(np.linspace(-4.0, 1.2, 27))


class GeneralizedGamma(ByStd, ByTails, LogShaped):
    """Generalised gamma law of y > 0 in Prentice's form, with `scale`, `shape` and `q`.

    With z = shape log(y/scale) and a = 1/q^2, a exp(q z) has a gamma law of shape a and scale one.
    With q = 1 it is Weibull's law with this scale and shape, with q = 0 lognormal, with q = -1
    Frechet's, with q = 1/shape a gamma law; a negative q is that of the reciprocal. Around the
    lognormal law the likelihood has no flat ridge, as it has in Stacy's parameters. Far out
    the law tends to that of a power of y, below the largest observation or from the least one on:
    few observations are often likeliest there (status "no_maximum"; of 30 with q = 0 one sample of
    fifteen, of 300 none). A regression looks for its maximum inside. scipy:
    ``gengamma(a=1/q**2, c=q * shape, scale=scale * q**(2/(q * shape)))``; R:
    ``flexsurv::dgengamma(mu=log(scale), sigma=1/shape, Q=q)``.

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
    >>> bool(0.8 < model.params_["q"] < 1.2)
    True
    """

    scipy_name = "gengamma"
    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
        Param("q", IDENTITY),
    )

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        links = self.links_of(("scale", "shape"))
        return (Limit("q", 1.0, Weibull(links=links)), Limit("q", -1.0, Frechet(links=links)))

    # ---------------------------------------------------------------- the formula

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # With v = q u and h(v) = (e^v - 1 - v)/v^2, it is u^2 h(v) + mu(1/q^2) + log(2 pi)/2
        # with Binet's mu, which vanishes with q.
        q = np.asarray(shapes[0], float)
        v = q * u
        (h, h1, h2), (mu, mu1, mu2) = _gap(v, order), _binet_of_q(q, order)
        square = u * u
        value = square * h + (mu + 0.5 * LOG_2PI)
        if order < 1:
            return Rows(value)
        gradient = (u * exprel(v), square * u * h1 + mu1)
        if order < 2:
            return Rows(value, gradient)
        cross = square * (h + v * h1)
        return Rows(value, gradient, (np.exp(v), cross, square * square * h2 + mu2))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The skewness of log y is that of the logarithm of a gamma variable, which tells its shape.
        centre, variance, skewness = mean_variance_skewness(statistics[0], weight)
        a = _SIZES**-2.0
        known = -polygamma(2, a) / polygamma(1, a) ** 1.5  # rises with the size of q
        size = float(np.interp(abs(skewness), known, _SIZES, left=0.0))
        q = -float(np.sign(skewness)) * size
        spread = np.sqrt(polygamma(1, size**-2.0)) / size if size > 0.0 else 1.0
        mean = float(_mean_log(np.asarray(q)))
        sigma = np.sqrt(variance) / spread
        with np.errstate(divide="ignore"):
            return [(float(centre - sigma * mean), -float(np.log(sigma)), q)]

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        q = np.asarray(eta[2])
        far = [sign for sign in (1.0, -1.0) if np.min(sign * q) > _POWER]
        return ("q", _towards_power(far[0])) if far else None

    def supremum(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        # On the likelier of both sides: log y is exponential from its end on.
        log_y = statistics[0]
        mean, low, high = average(log_y, weight), float(log_y.min()), float(log_y.max())
        if not low < mean < high:
            return None
        sign, end = (1.0, high) if high - mean < mean - low else (-1.0, low)
        rate = _FAR_OUT / abs(end - mean)
        return (end, float(np.log(rate)), sign * _FAR_OUT), _towards_power(sign)

    # ---------------------------------------------------------------- the law

    def log_tail_at(self, u: Array, shapes: Arrays, upper: bool) -> Array:
        return log_tail_of_log_gamma(u, shapes[0], upper)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, sigma, q = _of_log(theta)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return log_tail_of_log_gamma((np.log(y) - loc) / sigma, q, upper)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        level, (loc, sigma, own) = np.asarray(q, float), _of_log(theta)
        near = np.abs(own) < _NEARLY_NORMAL
        some = np.where(near, 1.0, own)
        a = 1.0 / (some * some)
        above = (some > 0.0) == upper
        x = np.where(above, gammainccinv(a, level), gammaincinv(a, level))
        z = np.where(near, -ndtri(level) if upper else ndtri(level), np.log(x / a) / some)
        return np.exp(loc + sigma * z)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gengamma, lognorm

        loc, sigma, q = _of_log(theta)
        with np.errstate(all="ignore"):  # of parameters at an end of their range
            if np.all(q == 0.0):
                return lognorm(s=sigma, scale=np.exp(loc))
            unit = np.exp(loc + 2.0 * sigma * (np.log(np.abs(q)) / q))
            if not np.all((unit > 0.0) & np.isfinite(unit)):
                return None  # its scale is beyond the numbers
            return gengamma(a=1.0 / np.square(q), c=q / sigma, scale=unit)

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import lognorm

        loc, sigma, _ = _of_log(theta)
        return lognorm(s=sigma, scale=np.exp(loc))

    @classmethod
    def from_scipy(
        cls, a: Array, c: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if np.any(loc):
            return None
        q = np.copysign(1.0 / np.sqrt(a), c)
        return cls(), (scale * a ** (1.0 / c), c / q, q)

    def mean(self, theta: Arrays) -> Array:
        _, sigma, q = _of_log(theta)
        with np.errstate(over="ignore"):
            return theta[0] * np.exp(_log_moment(sigma, q))

    def std(self, theta: Arrays) -> Array:
        _, sigma, q = _of_log(theta)
        first, second = _log_moment(sigma, q), _log_moment(2.0 * sigma, q)
        with np.errstate(over="ignore"):
            ratio = np.expm1(second - 2.0 * np.where(np.isinf(first), 0.0, first))
            return np.where(np.isinf(second), np.inf, self.mean(theta) * np.sqrt(ratio))

    def known_entropy(self, theta: Arrays) -> Array:
        loc, sigma, q = _of_log(theta)
        mean = _mean_log(q)
        # The mean of z^2 h(q z) is -E[z]/q.
        bent = np.where(q == 0.0, 0.5, -mean / np.where(q == 0.0, 1.0, q))
        rest = bent + _binet_of_q(q, 0)[0] + 0.5 * LOG_2PI
        return np.log(sigma) + loc + sigma * mean + rest

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, sigma, q = _of_log(theta)
        near = np.abs(q) < _NEARLY_NONE
        some = np.where(near, 1.0, q)
        a = 1.0 / np.square(some)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            z = np.log(rng.standard_gamma(a, size) / a) / some
            if near.any():  # the normal law with this skewness
                n = rng.standard_normal(size)
                z = np.where(near, n - q * (n * n + 2.0) / 6.0, z)
            return np.exp(loc + sigma * z)


def _towards_power(sign: float) -> str:
    """Return where the likelihood rises to as |q| grows, in words.

    With q/shape = t and a shape a that vanishes, the law of a exp(q z) is that of (y/scale)^(1/t)
    below scale, with the density of a power, and nothing above.
    """
    end, side = ("inf", "below the largest") if sign > 0.0 else ("-inf", "above the least")
    return (
        f"the likelihood rises towards a finite supremum, that of a power of y {side} "
        f"observation, as q tends to {end} and shape to inf"
    )


def _of_log(theta: Arrays) -> Arrays:
    """Return location and scale of log y, and q."""
    scale, shape, q = (np.asarray(value, float) for value in theta)
    with np.errstate(divide="ignore"):
        return np.log(scale), 1.0 / shape, q


def log_tail_of_log_gamma(z: Array, q: Array, upper: bool) -> Array:
    """Return the logarithm of a tail of z, exp(q z)/q^2 having a gamma law of this shape.

    It is that of a gamma law, or around the normal law, of which q is 0.
    """
    z, q = np.broadcast_arrays(z, np.asarray(q, float))
    near, rising = np.abs(q) < _NEARLY_NORMAL, q >= 0.0
    v = q * z
    result = np.empty(z.shape)
    for side in (True, False):
        here = (rising == upper) == side
        if (rows := here & near).any():
            h, above = _gap(v[rows], 0)[0], np.where(rising[rows], z[rows] > 0.0, z[rows] < 0.0)
            root, square = np.sqrt(2.0 * h) * v[rows], np.square(z[rows]) * h
            result[rows] = log_large_gamma_tail(np.abs(q[rows]), root, square, above, side)
        if (rows := here & ~near).any():
            a = 1.0 / np.square(q[rows])
            result[rows] = log_gamma_tail(a, a * np.exp(v[rows]), side, v[rows] + np.log(a))
    return result


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
    return np.asarray(np.polyval(_FACTORS[order], v), float)


def _binet_of_q(q: Array, order: int) -> tuple[Array, Array, Array]:
    """Return mu(1/q^2) and two derivatives in q, of which some are not asked for."""
    small = np.abs(q) < _SMALL
    s = np.where(small, 1.0, q)
    a = 1.0 / (s * s)
    mu, mu1, mu2 = binet(a, order)
    square = np.where(small, q * q, 0.0)
    value = np.where(small, square * (1.0 / 12.0 - square * square / 360.0), mu)
    if order < 1:
        return value, value, value
    assert mu1 is not None
    near = q * (1.0 / 6.0 - square * square / 60.0)
    first = np.where(small, near, -2.0 * a * mu1 / s)
    if order < 2:
        return value, first, first
    assert mu2 is not None
    far = a * a * (4.0 * a * mu2 + 6.0 * mu1)
    return value, first, np.where(small, 1.0 / 6.0 - square * square / 12.0, far)


def _log_moment(growth: Array, q: Array) -> Array:
    """Return log E[exp(growth z)]; inf where it is endless."""
    s = growth * q
    known = s > -1.0
    s = np.where(known, s, 0.0)
    # (1 + s) log(1 + s) - s over s^2, which is 1/2 at zero
    some = np.where(np.abs(s) < 1e-8, 1.0, s)
    ratio = (1.0 + some) * gap_beside(-some / (1.0 + some), 1.0 / (1.0 + some)) / some**2
    ratio = np.where(np.abs(s) < 1e-8, 0.5 - s / 6.0, ratio)
    mu = _binet_of_q(q / np.sqrt(1.0 + s), 0)[0] - _binet_of_q(q, 0)[0]
    return np.where(known, growth * growth * ratio - 0.5 * np.log1p(s) + mu, np.inf)


def _mean_log(q: Array) -> Array:
    """Return E[z] = (digamma(a) - log a)/q with a = 1/q^2."""
    return -0.5 * (q + _binet_of_q(q, 1)[1] * np.square(q))
