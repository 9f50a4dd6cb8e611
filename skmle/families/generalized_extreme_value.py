"""The generalised extreme-value law of the largest of many values."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import (
    IDENTITY,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Support,
    average,
)
from skmle.families.gumbel import Gumbel, OfMaxima
from skmle.families.law import ByStd
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.moving_ends import NEARLY_MET, Shaped, shaped_log, unshaped
from skmle.families.tools.quantiles import weighted_quantile
from skmle.families.tools.special import log_gamma_near_one, log_gamma_of_twice

# Shape up to which L-moments tell it: beyond, the mean is hardly there, and quantiles tell more.
# Chosen, not measured.
_TOLD = 0.5
_LEVELS = (0.1, 0.5, 0.9)
# The range of shapes in which quantiles find one, and halvings of it.
_WIDEST, _HALVINGS = 20.0, 40
# Shapes of a Weibull law whose density is infinite at its end.
_INFINITE_AT_END = np.geomspace(1e-2, 1.0, 50)


class GeneralizedExtremeValue(ByStd, Shaped, OfMaxima):
    """Generalised extreme-value law of maxima with `loc`, `scale` and `shape`.

    P(Y <= y) = exp(-t), and q(y) = t^(shape + 1) exp(-t)/scale, with
    t = (1 + shape (y - loc)/scale)^(-1/shape) where the bracket is positive: the law of the largest
    of many values (Frechet's for positive shapes, Gumbel's for 0, a mirrored Weibull law for
    negative ones, which ends at loc - scale/shape). The shape has the sign that it has in hydrology
    and in R; scipy's is the opposite: ``genextreme(-shape, loc, scale)``; R:
    ``evd::dgev(y, loc, scale, shape)``.

    The likelihood has no bound as the shape falls below -1 and the end of the support comes near to
    the largest observation. A fit is the local maximum away from there; where there is none, its
    status says so.

    References
    ----------
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, ch. 3. Hosking, Wallis
    & Wood (1985), Estimation of the generalized extreme-value distribution by the method of
    probability-weighted moments, Technometrics 27 (the starts). Buecher & Segers (2017), On the
    maximum likelihood estimator for the generalized extreme-value distribution, Extremes 20.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> floods = np.random.default_rng(0).gumbel(100.0, 20.0, size=(500, 1))
    >>> model = MLEDistribution("gev").fit(floods)
    >>> print({name: round(value, 2) for name, value in model.params_.items()})
    {'loc': 97.62, 'scale': 19.19, 'shape': 0.02}
    """

    scipy_name = "genextreme"
    parameters = (*LocationScale.parameters, Param("shape", IDENTITY))
    support = Support(fixed=False)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("shape", 0.0, Gumbel(links=self.links_of(("loc", "scale")))),)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        shape = _shape_by_moments(statistics[0], weight)
        quantiles = np.array([weighted_quantile(statistics[0], weight, q) for q in _LEVELS])
        if not shape < _TOLD:
            shape = _shape_by_quantiles(quantiles)
        for _ in range(_HALVINGS):
            loc, scale = _by_quantiles(quantiles, shape)
            ends = (np.array([statistics[0].min(), statistics[0].max()]) - loc) / scale
            if np.isfinite(shaped_log(ends, np.asarray(shape), 0).w).all():
                break
            shape *= 0.5
        return [(float(loc), float(np.log(scale)), float(shape))]

    def on_that_way(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...] | None:
        # The best law whose support ends there: its distance from the end has a Weibull law.
        y = statistics[0]
        end = y.max() + NEARLY_MET * np.ptp(y)
        log_away = np.log(end - y)
        middle, top = average(log_away, weight), log_away.max()
        log_means = np.array(
            [np.log(average(np.exp(k * (log_away - top)), weight)) for k in _INFINITE_AT_END]
        )
        gain = np.log(_INFINITE_AT_END) + _INFINITE_AT_END * (middle - top) - log_means
        best = gain.argmax()
        k, log_scale = float(_INFINITE_AT_END[best]), top + log_means[best] / _INFINITE_AT_END[best]
        loc = float(end - np.exp(log_scale))
        return loc, float(log_scale - np.log(k)), -1.0 / k

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        return None  # it does not exist for shapes from -1/2 down

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import genextreme

        loc, scale, shape = theta
        return genextreme(-np.asarray(shape), loc, scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale, -c)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.of_shaped_log(-np.log(-np.log(np.asarray(q, float))), theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.of_shaped_log(-np.log(-np.log1p(-np.asarray(q, float))), theta)

    def mean(self, theta: Arrays) -> Array:
        # loc + scale (Gamma(1 - shape) - 1)/shape.
        loc, scale, shape = theta
        with np.errstate(all="ignore"):
            rise = np.expm1(log_gamma_near_one(-np.asarray(shape))) / shape
            rise = np.where(np.abs(shape) < 1e-300, np.euler_gamma, rise)
            return np.where(np.asarray(shape) < 1.0, loc + scale * rise, np.inf)

    def std(self, theta: Arrays) -> Array:
        # The variance is (scale/shape)^2 (Gamma(1 - 2 shape) - Gamma(1 - shape)^2).
        _, scale, shape = theta
        with np.errstate(all="ignore"):
            x = -np.asarray(shape)
            ratio = np.sqrt(np.expm1(log_gamma_of_twice(x))) / np.abs(x)
            ratio = np.where(np.abs(x) < 1e-150, np.pi / np.sqrt(6.0), ratio)
            std = scale * np.exp(log_gamma_near_one(x)) * ratio
            return np.where(np.asarray(shape) < 0.5, std, np.inf)

    def known_entropy(self, theta: Arrays) -> Array:
        _, scale, shape = theta
        return np.log(scale) + np.euler_gamma * (1.0 + np.asarray(shape)) + 1.0

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.of_shaped_log(rng.gumbel(size=size), theta)


def _shape_by_moments(y: Array, weight: Array | None) -> float:
    """Return the shape of the law of the same L-skewness, nearly; nan if all y are equal."""
    order = np.argsort(y)
    y = y[order]
    weight = np.ones(len(y)) if weight is None or len(weight) == 1 else weight[order]
    share = np.concatenate([[0.0], np.cumsum(weight) / weight.sum()])
    b0, b1, b2 = (float(y @ np.diff(share**j)) / j for j in (1, 2, 3))
    with np.errstate(all="ignore"):
        skewness = np.divide(6.0 * b2 - 6.0 * b1 + b0, 2.0 * b1 - b0)
        c = 2.0 / (3.0 + skewness) - np.log(2.0) / np.log(3.0)
        return -float(7.8590 * c + 2.9554 * c * c)


def _shape_by_quantiles(quantiles: Array) -> float:
    """Return the shape at which the quantiles lie as far from each other as they do."""
    at = -np.log(-np.log(np.array(_LEVELS)))
    with np.errstate(all="ignore"):
        known = np.divide(*np.diff(quantiles)[::-1])
        low, high = -_WIDEST, _WIDEST
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            own = np.divide(*np.diff(unshaped(at, np.asarray(middle)))[::-1])
            low, high = (middle, high) if own < known else (low, middle)
    return 0.5 * (low + high)


def _by_quantiles(quantiles: Array, shape: float) -> tuple[float, float]:
    """Return location and scale of the law of a shape with these quantiles, nearly."""
    at = unshaped(-np.log(-np.log(np.array(_LEVELS))), np.asarray(shape))
    scale = (quantiles[2] - quantiles[0]) / (at[2] - at[0])
    return float(quantiles[1] - scale * at[1]), float(scale)
