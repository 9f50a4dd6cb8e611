"""The law of a threshold and a positive number above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Family, Param, Saturated, Stretch, Support
from skmle.families.links import Link
from skmle.families.tools.charts import Below, chart_below
from skmle.families.wrappers.base import Derived


class AboveThreshold(Derived):
    """The base of laws of threshold + X: the threshold, what is observed, and the whole law."""

    threshold = "threshold"
    """The name of the parameter; that of a location where the law is the limit of one with it."""

    # Learnt by `adapt`: the least observation, below which the threshold lies, and how far the mean
    # of all different ones lies above it: a weight is as good as so many equal rows.
    _least, _gap = 0.0, 1.0

    def around(self, family: Family) -> AboveThreshold:
        learnt = type(self)(family)
        learnt._least, learnt._gap = self._least, self._gap
        learnt.threshold = self.threshold
        return learnt

    @classmethod
    def from_location(cls, family: Family, name: str) -> AboveThreshold:
        """Return the limit law of laws with a location, whose name the threshold takes."""
        law = cls(family)
        law.threshold = name
        return law

    @property
    def _stretch(self) -> Stretch:
        stretch = self.inner.stretch
        if stretch is None or not self.inner.support.fixed:
            raise ValueError(
                f"Shifted: {self.inner.title} cannot be given a threshold. Allowed: laws of "
                "positive numbers that are still of their family in another unit, such as weibull, "
                "gamma, inverse_gaussian, lognormal, log_logistic and exponential; a family of "
                "your own that states `stretch`. Choose one of them."
            )
        return stretch

    # ---------------------------------------------------------------- what is observed

    def adapt(self, y: Array) -> Family:
        self._stretch  # noqa: B018 - it refuses other families
        learnt = self.around(self.inner)
        learnt._least = float(np.min(y))
        # Of observations that are all equal, any distance will do.
        learnt._gap = float(np.mean(np.unique(y) - learnt._least)) or 1.0
        return learnt

    def for_parameters(self, params: Mapping[str, Any]) -> Family:
        self._stretch  # noqa: B018 - it refuses other families
        highest = float(np.max(np.asarray(params[self.threshold], float)))
        learnt = self.around(self.inner)
        learnt._least = highest + 1.0 + abs(highest)
        return learnt

    @property
    def _chart(self) -> tuple[Link, Below]:
        return chart_below(self._least, self._gap)

    @property
    def added(self) -> tuple[Param, ...]:  # type: ignore[override]
        return (Param(self.threshold, self._chart[0]),)

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        own = (param._replace(unit="") for param in self.inner.parameters)
        return (*own, *self.added)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return replace(self.inner.support, low=-np.inf, closed=(False, False))

    breaks = ()  # they move with the threshold, which laws of one formula alone may have
    observations = Family.observations
    contains = Family.contains

    def statistics(self, y: Array) -> Arrays:
        return (y,)

    def restore(self, statistics: Arrays) -> Array:
        return statistics[0]

    base = Family.base
    densities = Family.densities
    beside = Family.beside
    several_modes = False

    def from_threshold(
        self, y: Array, away: Array
    ) -> tuple[Array, NDArray[np.bool_], tuple[Array, Array]]:
        """Return x = y - threshold, where it is possible, and two derivatives of log x in `away`.

        Elsewhere x is 1.
        """
        distance, slope, bend = self._chart[1].distance(np.asarray(away, float))
        x = (y - self._least) + distance
        inside = self.inner.contains(x)
        x = x if inside.all() else np.where(inside, x, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):  # a threshold at an observation
            share = slope / x
            return x, inside, (share, bend / x - share * share)

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Interpolate the distances from a threshold one mean distance below the least."""
        threshold = self._least - self._gap
        limit = self.inner.saturated(self.inner.statistics(statistics[0] - threshold))
        if limit is None:
            return None
        eta = float(self._chart[0].forward(np.asarray(threshold)))
        return limit._replace(others=(*limit.others, eta), beside=(*limit.beside, self.threshold))

    def alone(self, statistics: Arrays) -> Array | None:
        return None  # it depends on the threshold

    # ---------------------------------------------------------------- the law

    def cdf(self, y: Array, theta: Arrays) -> Array:
        *own, threshold = theta
        return self.inner.cdf(np.maximum(y - threshold, 0.0), tuple(own))

    def sf(self, y: Array, theta: Arrays) -> Array:
        *own, threshold = theta
        return self.inner.sf(np.maximum(y - threshold, 0.0), tuple(own))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return theta[-1] + self.inner.quantile(q, theta[:-1])

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return theta[-1] + self.inner.upper_quantile(q, theta[:-1])

    def mean(self, theta: Arrays) -> Array:
        return theta[-1] + self.inner.mean(theta[:-1])

    def variance(self, theta: Arrays) -> Array:
        return self.inner.variance(theta[:-1]) + np.zeros_like(theta[-1])

    def std(self, theta: Arrays) -> Array:
        return self.inner.std(theta[:-1]) + np.zeros_like(theta[-1])

    def known_entropy(self, theta: Arrays) -> Array | None:
        known = self.inner.known_entropy(theta[:-1])
        return None if known is None else known + np.zeros_like(theta[-1])

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return theta[-1] + self.inner.sample(theta[:-1], size, rng)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        return self.inner.log_prob_at_edge(y - theta[-1], theta[:-1])
