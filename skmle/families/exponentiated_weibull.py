"""The exponentiated Weibull law."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, average
from skmle.families.frechet import Frechet
from skmle.families.law import ByStd, Law
from skmle.families.tools import numerical
from skmle.families.tools.by_hazard import ByHazard
from skmle.families.tools.divergences import rise
from skmle.families.tools.log_moments import mean_variance_skewness
from skmle.families.weibull import Weibull

# Hazard of the Weibull law from which -log(1 - exp(-t)) is exp(-t) to the last digit, and back.
_LARGE = 40.0
# |log order| up to which the formulas are asked: beyond, they would leave the numbers.
_LARGEST_ETA = 690.0
_E1 = np.e - 1.0
# Order below which a fit without a maximum has come near to the law of a power of y, and that of
# the law that stands for it, which misses about 1e-11 nats a row. Chosen, not measured.
_POWER, _FAR_OUT = 1e-3, 1e-12
# Order from which moments are those of Frechet's law, to 1e-12; they are as endless as those.
_NO_MOMENTS = 1e12
# Logarithms of the orders between which a start lies, and levels at which their laws are looked at.
_LOG_ORDERS = np.linspace(-0.6, 4.0, 24)
_LEVELS, _SHARES = (0.5 * part for part in np.polynomial.legendre.leggauss(64))


class ExponentiatedWeibull(ByStd, ByHazard):
    """Exponentiated Weibull law of y > 0 with `scale`, `shape` and `order`.

    P(Y <= y) = (1 - exp(-t))^power, t = order (y/scale)^(shape/order) and
    power = order exp(order)/(order + e - 1): of a whole power it is the law of the largest of so
    many Weibull variables, and the order is about the logarithm of that number. The hazard may
    rise, fall, or do both. With order 1 it is Weibull's law with this scale and shape, as the order
    grows Frechet's: by the power itself, the way there would be a ridge along which the other two
    parameters leave the numbers.

    As the order vanishes it tends to the law of a power of y below the largest observation. Few
    observations are sometimes likeliest there (status "no_maximum"); a regression looks for its
    maximum inside. scipy: ``exponweib(a=power, c=shape/order,
    scale=scale * order**(-order/shape))``; R: ``reliaR::dexpo.weibull(y/s, shape/order, power)/s``,
    s = scale * order^(-order/shape).

    References
    ----------
    Mudholkar & Srivastava (1993), Exponentiated Weibull family for analyzing bathtub failure-rate
    data, IEEE Transactions on Reliability 42.
    Nadarajah, Cordeiro & Ortega (2013), The exponentiated Weibull distribution: a survey,
    Statistical Papers 54.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> largest_of_3 = np.random.default_rng(0).weibull(1.5, (2000, 3)).max(axis=1)
    >>> law = MLEDistribution("exponweib").fit(largest_of_3).distribution_.to_scipy()
    >>> power, shape = law.kwds["a"], law.kwds["c"]
    >>> bool(2.0 < power < 4.5 and 1.2 < shape < 1.8)
    True
    """

    scipy_name = "exponweib"
    falling = True
    parameters = (
        Param("scale", LOG, unit="location"),
        Param("shape", LOG, unit="rate"),
        Param("order", LOG),
    )

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("order", np.inf, Frechet(links=self.links_of(("scale", "shape")))),)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("order", 1.0, Weibull(links=self.links_of(("scale", "shape")))),)

    # ---------------------------------------------------------------- the formula

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # With the hazard H = power m, it is H - log H - log(d log H/du), where the logarithms are
        # that of the power and log(m S) = log(t/(e^t - 1)), in which nothing large cancels.
        p, log_p, x = _in_orders(u, shapes)
        at = _around(log_p - x, order)
        log_hazard = _log_hazard(p, x, at, order)
        hazard = np.exp(log_hazard.value)
        value = hazard + p * np.expm1(-x) + np.log1p(_E1 / p) + at.log_share + log_p
        if log_hazard.gradient is None:
            return Rows(value)
        # In u and log p; s is the slope of log S.
        (by_u, by_p), rest, s = log_hazard.gradient, hazard - 1.0, at.slope
        gradient = (rest * by_u + s / p, rest * by_p - s * (1.0 + x) + 1.0)
        if log_hazard.curvature is None:
            return Rows(value, gradient)
        along, cross, own = map(np.asarray, log_hazard.packed)
        return Rows(
            value,
            gradient,
            (
                hazard * by_u * by_u + rest * along - at.bend / p / p,
                hazard * by_u * by_p + rest * cross + (at.bend * (1.0 + x) - s) / p,
                hazard * by_p * by_p + rest * own - at.bend * np.square(1.0 + x) + s * x,
            ),
        )

    def log_hazard(self, u: Array, shapes: Arrays, order: int) -> Rows:
        p, log_p, x = _in_orders(u, shapes)
        return _log_hazard(p, x, _around(log_p - x, order), order)

    def at_hazard(self, hazard: Array, shapes: Arrays) -> Array:
        # With m = hazard/power, t is -log m and what is nothing for large t. So t - p has digits of
        # its own for large orders p.
        p = np.exp(_clipped(np.log(shapes[0])))
        with np.errstate(all="ignore"):  # at the ends, and beyond the numbers
            log_power = p - np.log1p(_E1 / p)
            log_m = np.log(hazard) - log_power
            m = np.exp(log_m)
            more = log_m > 0.0
            some = np.where(more | (log_m < -_LARGE), 1.0, m)
            beside = np.where(log_m < -_LARGE, 0.0, np.log(some) - np.log(-np.expm1(-some)))
            away = beside - np.log(hazard) - np.log1p(_E1 / p)  # t - p where m < 1
            # Where m is large, log t is -m.
            large = -m + np.where(m > _LARGE, 0.0, np.log(-np.log1p(-np.exp(-m)) * np.exp(m)))
            near = ~more & (np.abs(away) < 0.5 * p)
            log_t = np.where(more, large, np.log(np.where(more, 1.0, p + away)))
            ratio = np.where(near, np.log1p(np.where(near, away / p, 0.0)), log_t - np.log(p))
            return -p * ratio

    # ---------------------------------------------------------------- starts and verdicts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The skewness of log y tells the order.
        centre, variance, skewness = mean_variance_skewness(statistics[0], weight)
        mean, spread, known = _standard_moments()
        log_order = float(np.interp(skewness, known, _LOG_ORDERS))
        with np.errstate(divide="ignore"):
            log_shape = float(np.log(np.interp(log_order, _LOG_ORDERS, spread) / variance**0.5))
        away = np.interp(log_order, _LOG_ORDERS, mean) * np.exp(-log_shape)
        loc = centre - (away if np.isfinite(log_shape) else 0.0)
        return [(float(loc), log_shape, log_order)]

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        return ("order", _TOWARDS_POWER) if np.max(eta[2]) < np.log(_POWER) else None

    def supremum(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        # There log y is exponential from its upper end on downwards, with the rate shape/(e - 1).
        log_y = statistics[0]
        length = float(log_y.max()) - average(log_y, weight)
        if not length > 0.0:
            return None
        eta = (float(log_y.max()), float(np.log(_E1 / length)), float(np.log(_FAR_OUT)))
        return eta, _TOWARDS_POWER

    # ---------------------------------------------------------------- the law

    def mean(self, theta: Arrays) -> Array:
        far = np.asarray(theta[2]) >= _NO_MOMENTS
        own = self._in_scales(numerical.mean, theta)
        return np.where(far, Frechet().mean(theta[:2]), own)

    def std(self, theta: Arrays) -> Array:
        far = np.asarray(theta[2]) >= _NO_MOMENTS
        own = self._in_scales(lambda law, at: np.sqrt(numerical.variance(law, at)), theta)
        return np.where(far, Frechet().std(theta[:2]), own)

    def _in_scales(self, moment: Callable[[Law, Arrays], Array], theta: Arrays) -> Array:
        """Return a length of each law, averaged once for laws that differ in their scale alone."""
        scale, *shapes = np.broadcast_arrays(*theta)
        pairs, index = np.unique(np.reshape(shapes, (2, -1)), axis=1, return_inverse=True)
        shape, p = pairs[0], np.where(pairs[1] >= _NO_MOMENTS, 1.0, pairs[1])
        found = np.asarray(moment(self, (np.ones_like(shape), shape, p)))
        return scale * found[np.ravel(index)].reshape(np.shape(scale))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import exponweib

        scale, shape, p = (np.asarray(value, float) for value in theta)
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            if np.all(np.isinf(p)):
                return Frechet().to_scipy((scale, shape))
            power, unit = p * np.exp(p) / (p + _E1), scale * p ** (-p / shape)
        numbers = (power > 0.0) & np.isfinite(power) & (unit > 0.0) & np.isfinite(unit)
        return exponweib(a=power, c=shape / p, scale=unit) if np.all(numbers) else None

    @classmethod
    def from_scipy(
        cls, a: Array, c: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if np.any(loc):
            return None
        p = _order_of(np.asarray(a, float))
        return cls(), (scale * p ** (1.0 / c), c * p, p)


_TOWARDS_POWER = (
    "the likelihood rises towards a finite supremum, that of a power of y below the largest "
    "observation, as order tends to 0"
)


class _Around(NamedTuple):
    """What is known at log t of m = -log(1 - exp(-t)) and of S, minus the slope of log m.

    S is t for large t, and all that is not zero there is kept apart.
    """

    t: Array
    m_over: Array
    """log m + t."""
    log_share: Array
    """log of (1 - exp(-t))/t."""
    s_over: Array
    """S - t, and its derivative in log t."""
    turn: Array
    slope: Array
    """The first two derivatives of log S."""
    bend: Array


def _around(log_t: Array, order: int) -> _Around:
    t = np.exp(log_t)
    low, large = t < 1.0, t > _LARGE
    small, medium = np.where(low & (t > 0.0), t, 1.0), np.where(low | large, 1.0, t)
    share = np.where(t > 0.0, -np.expm1(-small) / small, 1.0)  # for small t
    log_share = np.where(low, np.log(share), np.log1p(-np.exp(-t)) - log_t)
    m = np.where(low, -log_t - np.log(share), -np.log1p(-np.exp(-medium)))
    m_over = np.where(large, 0.0, np.log(m) + np.where(large, 0.0, t))
    if order < 1:
        return _Around(t, m_over, log_share, *(t,) * 4)
    # g = t/(e^t - 1) is minus the slope of m.
    g = np.where(low, np.exp(-t) / share, np.where(large, 0.0, medium / np.expm1(medium)))
    rest = np.where(large, 0.0, t)  # what is multiplied by zero may be no number
    over = np.where(large, 0.0, g / m - rest)
    slope = 1.0 - g + over
    turn = rest * (over - g) + over * slope
    return _Around(t, m_over, log_share, over, turn, slope, turn - g * (1.0 - rest - g))


def _log_hazard(p: Array, x: Array, at: _Around, order: int) -> Rows:
    """Return the logarithm of power m, with derivatives in u and in log p, where x = u/p."""
    value = at.m_over - p * np.expm1(-x) - np.log1p(_E1 / p)
    if order < 1:
        return Rows(value)
    # p - t (1 + x), of which nothing is left for large p, is p times this.
    fall = np.exp(-x)
    lack = np.where(x > 1.0, 1.0 - fall * (1.0 + x), fall * rise(np.minimum(x, 1.0)))
    share = _E1 / (p + _E1)
    gradient = ((at.t + at.s_over) / p, p * lack + share - at.s_over * (1.0 + x))
    if order < 2:
        return Rows(value, gradient)
    turn = at.t + at.turn
    own = p * (lack - np.square(x) * fall) - share * (1.0 - share)
    own = own - at.turn * np.square(1.0 + x) + at.s_over * x
    return Rows(value, gradient, (-turn / p / p, (turn * (1.0 + x)) / p - gradient[0], own))


def _in_orders(u: Array, shapes: Arrays) -> Arrays:
    """Return the order p, its logarithm, and u/p."""
    log_p = _clipped(shapes[0])
    p = np.exp(log_p)
    return p, log_p, u / p


def _clipped(log_order: Array) -> Array:
    return np.clip(log_order, -_LARGEST_ETA, _LARGEST_ETA)


def _order_of(power: Array) -> Array:
    """Return the order of a law with this power, by Newton's method in its logarithm."""
    log_p = np.log(np.log1p(_E1 * power))
    for _ in range(20):
        p = np.exp(log_p)
        log_p = log_p - (p - np.log1p(_E1 / p) - np.log(power)) / (p + _E1 / (p + _E1))
    return np.exp(log_p)


@cache
def _standard_moments() -> Arrays:
    """Return mean, standard deviation and skewness of log y by order, at scale and shape one."""
    log_y = -ExponentiatedWeibull().at_hazard(
        -np.log(0.5 + _LEVELS)[:, None], (np.exp(_LOG_ORDERS),)
    )
    mean = _SHARES @ log_y
    away = log_y - mean
    spread = np.sqrt(_SHARES @ np.square(away))
    return mean, spread, _SHARES @ away**3 / spread**3
