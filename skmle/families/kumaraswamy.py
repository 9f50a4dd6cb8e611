"""Kumaraswamy's law of shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from skmle.families.base import (
    LOG,
    LOGIT,
    Array,
    Arrays,
    Family,
    Param,
    Rows,
    Saturated,
    Support,
    average,
)
from skmle.families.law import ByExponent, ByLogTail, ByStd
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.quantiles import weighted_quantile
from skmle.families.tools.special import (
    binet,
    log_complement,
    log_gamma_of_twice,
    log_rising,
)

_LOG_2 = float(np.log(2.0))
_LOG_LOG_2 = float(np.log(_LOG_2))
# w from which -log(1 - exp(-w)) is exp(-w) to the last digit.
_LARGE = 40.0
# Logarithms of w at the median between which a start lies, with steps fine enough for one.
_LOG_PLACES = np.linspace(-8.0, 8.0, 65)
# A mean over exponential variables exp(s) by the trapezoidal rule in s, to fifteen digits.
_NODES = np.linspace(-46.0, 4.2, 252)
_WEIGHTS = np.exp(_NODES - np.exp(_NODES)) * (_NODES[1] - _NODES[0])
# A second shape that stands for larger ones where only its logarithm counts.
_LARGEST = 1e15


class Kumaraswamy(ByStd, ByLogTail, ByExponent, Family):
    """Kumaraswamy's law of 0 < y < 1 with `median` and `shape`.

    P(Y > y) = (1 - y^shape)^b, where b = -log 2/log(1 - median^shape): much like a beta law, with
    tails and quantiles in a closed form. With b = 1 it is the power-function law. R:
    ``extraDistr::dkumar(a=shape, b=b)``; scipy has none.

    References
    ----------
    Jones (2009), Kumaraswamy's distribution: a beta-type distribution with some tractability
    advantages, Statistical Methodology 6.
    Mitnik & Baek (2013), The Kumaraswamy distribution: median-dispersion re-parameterizations for
    regression modeling and simulation-based estimation, Statistical Papers 54.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("kumaraswamy").fit([[0.2], [0.4], [0.5]])
    >>> round(float(model.params_["median"]), 3)
    0.369
    """

    parameters = (Param("median", LOGIT), Param("shape", LOG))
    support = Support(0.0, 1.0)

    # With w = -shape log y, w0 that of the median and l(w) = log(-log(1 - exp(-w))), the cumulative
    # hazard -log P(Y > y) is H = log 2 exp(l(w) - l(w0)).

    def statistics(self, y: Array) -> Arrays:
        return (-np.log(y),)

    def base(self, statistics: Arrays) -> Array:
        return -statistics[0]

    def restore(self, statistics: Arrays) -> Array:
        return np.exp(-statistics[0])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # -log q = H + w + log(1 - exp(-w)) + l(w0) - log shape - log log 2 + log y
        logit, log_shape = eta
        with np.errstate(all="ignore"):  # a density of zero
            w, w0, away = _places(statistics[0], logit, log_shape)
            own, own1, own2 = _log_rest(w, order)
            mid, mid1, mid2 = _log_rest(w0, order)
            hazard = _LOG_2 * np.exp(own - mid - away)
            value = hazard + log_complement(-w) + away + mid - log_shape - _LOG_LOG_2
            if order < 1:
                return Rows(value)
            # In log w0, and in log shape, with which log H has the derivatives rise and bend.
            share, rest = _share(w), 1.0 - hazard
            fall, fall2 = mid1 - w0, mid2 - w0
            rise, bend = own1 - mid1 - away, own2 - mid2 - away
            move, turn = _move(logit)
            gradient = (rest * fall * move, hazard * rise + share + away + mid1 - 1.0)
            if order < 2:
                return Rows(value, gradient)
            shared = np.where(share > 0.0, share * (1.0 - w - share), 0.0)
            curvature = (
                (rest * fall2 + hazard * fall * fall) * move * move + rest * fall * turn,
                move * (rest * fall2 - hazard * rise * fall),
                hazard * (rise * rise + bend) + shared + away + mid2,
            )
            return Rows(value, gradient, curvature)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # Over the cumulative hazard, in which y next to one has all its digits.
        logit, log_shape = (np.asarray(e, float)[..., None] for e in eta)
        with np.errstate(all="ignore"):
            x = self._exponent(_NODES, logit, np.exp(log_shape))
            gradient = self.evaluate((x,), (logit, log_shape), 1).gradient
            assert gradient is not None
            first, second = gradient
            pairs = ((first, first), (first, second), (second, second))
            return tuple((a * b) @ _WEIGHTS for a, b in pairs)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            w, w0, away = _places(statistics[0], *eta)
            (own, own1, own2), (mid, mid1, mid2) = _log_rest(w, order), _log_rest(w0, order)
            value = _LOG_LOG_2 + (own - mid - away)
            (move, turn), fall, fall2 = _move(eta[0]), mid1 - w0, mid2 - w0
            slopes = (-fall * move, own1 - mid1 - away)
            bends = (-fall2 * move * move - fall * turn, -fall2 * move, own2 - mid2 - away)
            return tail_of_log_hazard(Rows(value, slopes, bends).upto(order), upper)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The median and the quarter of -log y, whose ratio tells w at the median.
        x = statistics[0]
        quarter, median = (weighted_quantile(x, weight, q) for q in (0.25, 0.5))
        logit = float(-median - log_complement(np.asarray(-median)))
        if np.all(x == x[0]):
            return [(logit, np.inf)]
        w0 = np.exp(_LOG_PLACES)
        level = _log_rest(w0, 0)[0] - w0
        if quarter < median:
            found, ratios = quarter / median, _inverse(level + _LOG_2) / w0
        else:  # of many equal observations: their deviation and mean, with the harmonic numbers
            b = np.exp(np.minimum(_LOG_LOG_2 - level, np.log(_LARGEST)))
            mean = average(x, weight)
            found = -np.sqrt(average(np.square(x - mean), weight)) / mean
            ratios = -np.sqrt(np.pi**2 / 6.0 - polygamma(1, b + 1.0))
            ratios = ratios / (digamma(b + 1.0) + np.euler_gamma)
        log_place = float(np.interp(found, ratios, _LOG_PLACES))
        return [(logit, log_place - float(np.log(median)))]

    def saturated(self, statistics: Arrays) -> Saturated:
        x = statistics[0]
        return Saturated(-x - log_complement(-x), (float(np.log(1e8)),), "shape", power=-1.0)

    # ---------------------------------------------------------------- the law

    def _second(self, theta: Arrays) -> tuple[Array, Array]:
        """Return the second shape b, and its logarithm."""
        median, shape = (np.asarray(value, float) for value in theta)
        w0 = -shape * np.log(median)
        log_b = _LOG_LOG_2 + w0 - _log_rest(w0, 0)[0]
        return np.exp(log_b), log_b

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        with np.errstate(all="ignore"):
            statistics, eta = self.statistics(np.clip(y, 0.0, 1.0)), self.chart(self.eta(theta))
            return -self.tail(statistics, eta, upper, 0).value

    def at_exponent(self, exponent: Array, theta: Arrays) -> Array:
        with np.errstate(all="ignore"):
            logit = self.chart(self.eta(theta))[0]
            shape = np.asarray(theta[1], float)
            return self.restore((self._exponent(np.log(exponent), logit, shape),))

    def _exponent(self, log_hazard: Array, logit: Array, shape: Array) -> Array:
        """Return -log y at which the logarithm of the cumulative hazard has a value."""
        w0 = shape * np.logaddexp(0.0, -np.asarray(logit))
        return _inverse(_log_rest(w0, 0)[0] - w0 + log_hazard - _LOG_LOG_2) / shape

    def _log_moment(self, r: Array, b: Array, log_b: Array) -> Array:
        """Return the logarithm of E[y^(r shape)]."""
        own = log_rising(r, np.minimum(b, _LARGEST) + 1.0, 0)[0]
        return gammaln(1.0 + r) - own - r * np.where(b < _LARGEST, np.log1p(b), log_b)

    def mean(self, theta: Arrays) -> Array:
        with np.errstate(all="ignore"):
            return np.exp(self._log_moment(1.0 / np.asarray(theta[1], float), *self._second(theta)))

    def std(self, theta: Arrays) -> Array:
        with np.errstate(all="ignore"):
            r, (b, _) = 1.0 / np.asarray(theta[1], float), self._second(theta)
            once, twice = (log_rising(k * r, np.minimum(b, _LARGEST) + 1.0, 0)[0] for k in (1, 2))
            return self.mean(theta) * np.sqrt(np.expm1(log_gamma_of_twice(r) - twice + 2.0 * once))

    def known_entropy(self, theta: Arrays) -> Array:
        shape = np.asarray(theta[1], float)
        b, log_b = self._second(theta)
        after = np.minimum(b, _LARGEST) + 1.0
        slope = binet(after, 1)[1]
        assert slope is not None
        # E[-log(y^shape)]/b = digamma(b + 1) + gamma, less log b
        rest = np.log1p(1.0 / b) - 0.5 / after + slope + np.euler_gamma
        known = 1.0 - 1.0 / b - np.log(shape) + rest - (rest + log_b) / shape
        point = np.isinf(shape) | (shape == 0.0) | (b == 0.0) | np.isinf(log_b)
        return np.where(point, -np.inf, known)

    def mirrored(self, eta: Arrays) -> Arrays:
        return eta

    @property
    def mirror(self) -> _Mirrored:
        return _Mirrored()


class _Mirrored(Kumaraswamy):
    """The laws of 1 - Y, by the same parameters."""

    def statistics(self, y: Array) -> Arrays:
        return (-np.log1p(-y),)

    def restore(self, statistics: Arrays) -> Array:
        return -np.expm1(-statistics[0])

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        return super().log_tail(y, theta, not upper)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return super().upper_quantile(q, theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return super().quantile(q, theta)

    def mean(self, theta: Arrays) -> Array:
        return 1.0 - super().mean(theta)

    @property
    def mirror(self) -> Kumaraswamy:
        return Kumaraswamy()


def _places(x: Array, logit: Array, log_shape: Array) -> tuple[Array, Array, Array]:
    """Return w, that of the median, and by how much the first is larger."""
    shape, middle = np.exp(log_shape), np.logaddexp(0.0, -np.asarray(logit))
    return shape * x, shape * middle, shape * (x - middle)


def _move(logit: Array) -> tuple[Array, Array]:
    """Return the first two derivatives of the log of -log(median) in the logit."""
    rest = np.exp(-np.logaddexp(0.0, logit))
    x = np.logaddexp(0.0, -np.asarray(logit))
    ratio = rest / x
    return -ratio, ratio * (1.0 - rest - ratio)


def _share(w: Array) -> Array:
    """Return w/(exp(w) - 1), which is 1 at zero and vanishes far out."""
    return np.where(w > 0.0, w / np.expm1(np.maximum(w, np.finfo(float).tiny)), 1.0)


def _log_rest(w: Array, order: int) -> tuple[Array, Array, Array]:
    """Return l(w) + w and two derivatives in log w, of which some are not asked for.

    All vanish for large w, of which l itself leaves only rounding.
    """
    far = w > _LARGE
    near = np.where(far, 1.0, w)
    rest = -log_complement(-near)
    value = np.where(far, 0.0, np.log(rest) + near)
    if order < 1:
        return value, value, value
    share = _share(near)
    ratio = share / rest
    bend = ratio * (near + share - 1.0 - ratio) + near
    return value, np.where(far, 0.0, near - ratio), np.where(far, 0.0, bend)


def _inverse(level: Array) -> Array:
    """Return w at which l(w) has a value."""
    far = level < -_LARGE
    return np.where(far, -level, -log_complement(-np.exp(np.where(far, 0.0, level))))
