"""Pareto's law of the first kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skmle.families.base import LOG, Array, Arrays, Family, Param, Rows, Shortcuts, Support, average
from skmle.families.distribution import Distribution
from skmle.families.law import ByExponent, ByLogTail, ByStd
from skmle.families.links import Link
from skmle.families.tools.divergences import gap
from skmle.families.tools.special import log_complement

# Shape on the way to that of equal observations, whose density is all at the scale.
_STEEP = 1e16


class Pareto(ByStd, ByLogTail, ByExponent, Family):
    """Pareto's law of y >= `scale` > 0 with `shape`, the power with which the tail falls.

    P(Y > y) = (y/scale)^-shape, and q(y) = shape scale^shape y^(-shape - 1). The most likely scale
    is the smallest observation, and the shape is the inverse of the mean of log(y/scale).
    Non-regular: the support depends on the scale, whose estimate approaches the truth at rate 1/n,
    no standard errors in the usual sense exist, and it cannot be regressed. With a known scale,
    ``fixed={"scale": 1.0}``, the law is regular, and its shape may depend on features. scipy:
    ``pareto(shape, scale=scale)``; R: ``EnvStats::dpareto(y, scale, shape)``. `Lomax` is the law
    that starts at 0.

    References
    ----------
    Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions 1, ch. 20.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("pareto", fixed={"scale": 1.0}).fit([[1.5], [2.0], [6.0]])
    >>> round(float(model.params_["shape"]), 3)
    1.038
    """

    scipy_name = "pareto"
    # The scale cannot depend on features.
    parameters = (Param("scale", LOG), Param("shape", LOG, modelled=True))
    support = Support(0.0, fixed=False, smooth=False)
    shortcuts = Shortcuts(starts="final", sums="base")

    def statistics(self, y: Array) -> Arrays:
        # The smallest, and the mean, of the logarithms that a row stands for.
        log_y = np.log(y)
        return log_y, log_y

    def base(self, statistics: Arrays) -> Array:
        return statistics[1]

    def restore(self, statistics: Arrays) -> Array:
        return np.exp(statistics[1])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        least, log_y = statistics
        log_scale, log_shape = eta
        with np.errstate(invalid="ignore"):
            value = np.exp(log_shape) * (log_y - log_scale) - log_shape
        return Rows(np.where(least >= log_scale, value, np.inf))

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        least, log_y = statistics
        return np.array([least.min()]), np.array([average(log_y, weight)])

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (least,), (middle,) = self.collapse(statistics, weight)
        with np.errstate(divide="ignore"):
            return [(float(least), -float(np.log(middle - least)))]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (least,), (middle,) = self.collapse(statistics, weight)
        if least < middle:
            return None
        reason = "all observations are equal, so the density grows without bound around them"
        return (float(least), float(np.log(_STEEP))), reason

    def ended(self, values: Mapping[str, float]) -> Family | None:
        return ParetoFrom(float(values["scale"]), links=self.links) if "scale" in values else None

    # ---------------------------------------------------------------- the law, whole

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import pareto

        scale, shape = theta
        return pareto(shape, scale=scale)

    @classmethod
    def from_scipy(cls, b: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, b))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        scale, shape = theta
        with np.errstate(divide="ignore"):
            above = -shape * np.log(np.maximum(y, scale) / scale)
            return above if upper else log_complement(above)

    def at_exponent(self, exponent: Array, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(over="ignore", invalid="ignore"):
            y = scale * np.exp(exponent / np.asarray(shape, float))
            return np.where(exponent >= 0.0, y, np.nan)

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta[0], np.asarray(theta[1], float)
        with np.errstate(divide="ignore"):
            return np.where(shape > 1.0, scale * (shape / np.abs(shape - 1.0)), np.inf)

    def std(self, theta: Arrays) -> Array:
        scale, shape = theta[0], np.asarray(theta[1], float)
        with np.errstate(divide="ignore", invalid="ignore"):
            std = scale / np.abs(shape - 1.0) * np.sqrt(shape / (shape - 2.0))
            return np.where(shape > 2.0, std, np.inf)

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return np.log(scale) - np.log(shape) + 1.0 / np.asarray(shape, float) + 1.0

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        # log y has an exponential law, from log scale on.
        (scale_p, shape_p), (scale_q, shape_q) = p, q
        away = shape_q * np.log(scale_p / scale_q)
        return np.where(scale_q <= scale_p, gap(shape_q / shape_p) + away, np.inf)


class ParetoFrom(Pareto):
    """Pareto's law whose scale is known to be `least`: its support is fixed, and it is regular."""

    title = "Pareto"
    scipy_name = ""
    shortcuts = Shortcuts(starts="maximum", sums="base")

    def __init__(self, least: float, *, links: Mapping[str, str | Link] | None = None) -> None:
        super().__init__(links=links)
        self.least = least

    @property
    def support(self) -> Support:  # type: ignore[override]
        return Support(self.least, closed=(True, False))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # Where the scale is held, that it is a bound does not matter to the derivatives.
        log_scale, log_shape = eta
        shape = np.exp(log_shape)
        away = shape * (statistics[1] - log_scale)
        rows = Rows(away - log_shape, (-shape, away - 1.0), (None, -shape, away))
        return rows.upto(order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        log_scale = float(np.log(self.least))
        with np.errstate(divide="ignore"):
            return [(log_scale, -float(np.log(average(statistics[1], weight) - log_scale)))]

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        return Family.collapse(self, statistics, weight)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        log_scale = float(np.log(self.least))
        if not np.all(statistics[1] <= log_scale):
            return None
        reason = "all observations are the known scale, so the density grows without bound there"
        return (log_scale, float(np.log(_STEEP))), reason

    def predicted(self, theta: Arrays) -> Distribution:
        return Distribution.of(Pareto(links=self.links), theta)
