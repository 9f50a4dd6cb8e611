"""The law of a variable of which a transform has a known law."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Family, Limit, Observation, Rows, Saturated, Support
from skmle.families.links import Link, get_link
from skmle.families.wrappers.base import Derived, all_but_last


class Transformed(Derived):
    """The law of y where `transform` of y has the law `family`, with the Jacobian.

    Its log-likelihood is that of y itself, so that a model of log y and one of y compare: AIC and
    `score` speak of the same data. ``Transformed("normal", "log")`` is the lognormal law.

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        A continuous family of one column: the law of the transform.
    transform : str or Link, default="log"
        An increasing function of y: the name of a link, such as ``"log"``, ``"logit"`` or
        ``"sqrt"``, or a `Link` of your own, whose `forward` it is.

    References
    ----------
    Box & Cox (1964), An analysis of transformations, Journal of the Royal Statistical Society B 26.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> X = [[1.0], [2.0], [4.0], [9.0]]
    >>> logs = MLEDistribution(families.Transformed("normal", "log")).fit(X)
    >>> same = MLEDistribution("lognormal").fit(X)
    >>> round(logs.log_likelihood_ - same.log_likelihood_, 9)
    0.0
    """

    def __init__(self, family: Any = "normal", transform: str | Link = "log") -> None:
        super().__init__(family)
        self.transform = transform

    def around(self, family: Family) -> Transformed:
        return Transformed(family, self.transform)

    @property
    def _link(self) -> Link:
        return get_link(self.transform)

    # ---------------------------------------------------------------- what is observed

    def adapt(self, y: Array) -> Family:
        inner = self.inner
        if inner.observation != Observation() or inner.support.discrete or not inner.support.fixed:
            raise ValueError(
                f"Transformed: {inner.title} is no law of a continuous number. Allowed: continuous "
                "families of one column whose support is fixed. Choose one of them."
            )
        low, high = self._ends()
        if not low < high:
            raise ValueError(
                f"Transformed: the link {self._link.name!r} falls, or has no values in the support "
                f"of {inner.title}. Allowed: increasing functions, such as 'log' or 'logit'. "
                "Choose one of them."
            )
        with np.errstate(all="ignore"):  # What lies outside the support is refused in words.
            return self.around(inner.adapt(self._link.forward(np.asarray(y, float))))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(self._around_limit(limit) for limit in self.inner.limits_in_place)

    def _ends(self) -> tuple[float, float]:
        """Return between what y lies: where the link leads to the support of the law inside."""
        link, inner = self._link, self.inner.support
        ends = np.array([inner.low, inner.high])
        with np.errstate(all="ignore"):
            low, high = (float(end) for end in link.theta(ends))
        low = link.domain[0] if np.isnan(low) else max(low, link.domain[0])
        high = link.domain[1] if np.isnan(high) else min(high, link.domain[1])
        return low, high

    @property
    def support(self) -> Support:  # type: ignore[override]
        low, high = self._ends()
        return replace(self.inner.support, low=low, high=high)

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        return tuple(float(y) for y in self._link.theta(np.array(self.inner.breaks)))

    observations = Family.observations

    def contains(self, y: Array) -> NDArray[np.bool_]:
        inside = self.support.contains(y)
        with np.errstate(all="ignore"):
            transformed = self._link.forward(np.where(inside, y, np.nan))
        return inside & self.inner.contains(transformed)

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        """Return the inner statistics of the transform, and -log of its slope."""
        x = self._link.forward(np.asarray(y, float))
        return *self.inner.statistics(x), np.log(np.abs(self._link.slope(x)))

    def base(self, statistics: Arrays) -> Array:
        # A mass at a point has no Jacobian.
        jacobian = np.where(self.densities(statistics) > 0.0, statistics[-1], 0.0)
        return self.inner.base(statistics[:-1]) + jacobian

    def densities(self, statistics: Arrays) -> Array:
        return self.inner.densities(statistics[:-1])

    def alike(self, statistics: Arrays) -> Array | None:
        return self.inner.alike(statistics[:-1])

    def restore(self, statistics: Arrays) -> Array:
        return self._link.theta(self.inner.restore(statistics[:-1]))

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return self.inner.evaluate(statistics[:-1], eta, order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        return self.inner.tail(statistics[:-1], eta, upper, order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return self.inner.starts(statistics[:-1], weight)

    # ---------------------------------------------------------------- units and verdicts

    @property
    def movable(self) -> bool:  # type: ignore[override]
        return self.inner.movable

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        return self.inner.centre_and_spread(statistics[:-1], weight)

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        return *self.inner.standardise(statistics[:-1], origin, unit), statistics[-1]

    def saturated(self, statistics: Arrays) -> Saturated | None:
        return self.inner.saturated(statistics[:-1])

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        return self.inner.recession(statistics[:-1], delta)

    _at_limit = all_but_last

    # ---------------------------------------------------------------- the law

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self._share(y, theta, False)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self._share(y, theta, True)

    def _share(self, y: Array, theta: Arrays, upper: bool) -> Array:
        y, (low, high) = np.asarray(y, float), self._ends()
        with np.errstate(all="ignore"):
            x = self._link.forward(np.clip(y, low, high))
            inside = self.inner.sf(x, theta) if upper else self.inner.cdf(x, theta)
        below, above = (1.0, 0.0) if upper else (0.0, 1.0)
        return np.where(y <= low, below, np.where(y >= high, above, inside))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._link.theta(self.inner.quantile(q, theta))

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._link.theta(self.inner.upper_quantile(q, theta))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self._link.theta(self.inner.sample(theta, size, rng))
