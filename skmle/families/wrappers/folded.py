"""The size of a variable whose sign is lost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from skmle.families.algebra import mix
from skmle.families.base import Array, Arrays, Family, Observation, Rows, Saturated, Support
from skmle.families.wrappers.base import Derived, Observe


class Folded(Derived):
    """The law of ``|Y|``, where Y has the law `family` on the real line.

    q(y) = q_inside(y) + q_inside(-y), for y >= 0. The sign of a location is lost with that of Y:
    both are equally likely, and either may be found.

    Parameters
    ----------
    family : str, Family class or Family, default="normal"
        A continuous family of one column, on the whole real line.

    References
    ----------
    Leone, Nelson & Nottingham (1961), The folded normal distribution, Technometrics 3.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> model = MLEDistribution(families.Folded("normal")).fit([0.3, 2.1, 1.7, 0.9, 2.4, 1.4])
    >>> {name: round(value, 2) for name, value in model.params_.items()}
    {'loc': 1.45, 'scale': 0.75}
    """

    def __init__(self, family: Any = "normal") -> None:
        super().__init__(family)

    def around(self, family: Family) -> Folded:
        return Folded(family)

    def adapt(self, y: Array) -> Family:
        inner = self.inner
        line = np.isinf([inner.support.low, inner.support.high]).all()
        if inner.observation != Observation() or inner.support.discrete or not line:
            raise ValueError(
                f"Folded: {inner.title} is no law of all real numbers. Allowed: continuous "
                "families of one column on the whole real line. Choose one of them."
            )
        return super().adapt(y)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return replace(self.inner.support, low=0.0, closed=(True, False))

    observations = Family.observations
    contains = Family.contains

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        ends = (self.inner.support.low, self.inner.support.high)
        return tuple(abs(y) for y in (*ends, *self.inner.breaks))

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        """Return the inner statistics of both values that y may come from."""
        return *self.inner.statistics(y), *self.inner.statistics(-y)

    def base(self, statistics: Arrays) -> Array:
        return np.zeros(())  # those of both are inside the sum

    def restore(self, statistics: Arrays) -> Array:
        return self.inner.restore(_both(statistics)[0])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        parts = []
        for own in _both(statistics):
            rows = self.inner.evaluate(own, eta, order)
            parts.append((rows._replace(value=rows.value + self.inner.base(own)), range(len(eta))))
        return mix(parts, len(eta), order=order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        above, below = _both(statistics)
        each = range(len(eta))
        one = self.inner.tail(above, eta, upper, order)
        # P(|Y| > y) = P(Y > y) + P(Y <= -y), and P(|Y| <= y) = P(Y <= y) - P(Y <= -y).
        other = self.inner.tail(below, eta, False, order)
        signs = (1.0, 1.0) if upper else (1.0, -1.0)
        return mix([(one, each), (other, each)], len(eta), signs, order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the starts of the law inside for y itself, and for a third of it turned round.

        Half of it would lead to a law around zero, where the likelihood has no slope to leave by.
        """
        above, below = _both(statistics)
        both = tuple(np.concatenate(pair) for pair in zip(above, below, strict=True))
        own = np.ones(len(above[0])) if weight is None else weight
        turned = np.concatenate([2.0 * own, own]) / 3.0
        return [*self.inner.starts(above, weight), *self.inner.starts(both, turned)]

    def saturated(self, statistics: Arrays) -> Saturated | None:
        return self.inner.saturated(_both(statistics)[0])

    def _at_limit(self, observe: Observe) -> Observe:
        return partial(_each_half, observe)

    # ---------------------------------------------------------------- the law

    def cdf(self, y: Array, theta: Arrays) -> Array:
        y = np.asarray(y, float)
        inside = self.inner.cdf(y, theta) - self.inner.cdf(-y, theta)
        return np.where(y > 0.0, inside, 0.0)

    def sf(self, y: Array, theta: Arrays) -> Array:
        y = np.asarray(y, float)
        inside = self.inner.sf(y, theta) + self.inner.cdf(-y, theta)
        return np.where(y > 0.0, inside, 1.0)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.abs(self.inner.sample(theta, size, rng))


def _both(statistics: Arrays) -> tuple[Arrays, Arrays]:
    """Return the inner statistics of y and of -y."""
    half = len(statistics) // 2
    return statistics[:half], statistics[half:]


def _each_half(observe: Observe, statistics: Arrays) -> Arrays | None:
    """Return statistics of which both halves are changed to those of a limit law."""
    one, other = (observe(own) for own in _both(statistics))
    return None if one is None or other is None else (*one, *other)
