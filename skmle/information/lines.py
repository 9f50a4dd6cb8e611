"""Laws of one number whose parameters have rows: those of our families, and those of scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from skmle.families import Distribution
from skmle.families.tools.averages import FamilyRows, quantiles_of, support_of
from skmle.families.tools.cached import cached_property
from skmle.families.tools.expectation import Array
from skmle.information.laws import Line


class FamilyLine(Line):
    """A law of one of our families of one column."""

    def __init__(self, distribution: Distribution, rows: FamilyRows | None = None) -> None:
        self.distribution: Distribution = distribution
        self.discrete = distribution.discrete
        self.circular = distribution.family.observation.circular
        self.shape = distribution.shape
        self._rows = rows or FamilyRows(
            distribution.family,
            tuple(np.broadcast_to(v, self.shape).ravel() for v in distribution.theta),
        )

    def __str__(self) -> str:
        return repr(self.distribution)

    def take(self, rows: Any) -> Line:
        return self._of(self._rows.take(rows))

    def log_prob(self, y: Array) -> Array:
        return self._rows.log_prob(y)

    def tail(self, y: Array, upper: bool) -> Array:
        family, theta = self._rows.family, self._rows.theta
        return family.sf(y, theta) if upper else family.cdf(y, theta)

    def support(self) -> tuple[Array, Array]:
        return self._rows.support()

    def quantiles(self, levels: Sequence[float]) -> Array:
        return self._rows.quantiles(levels)

    def mirror(self) -> Line | None:
        mirrored = self._rows.mirror()
        return None if mirrored is None else self._of(mirrored)

    def atoms(self) -> tuple[float, ...]:
        return self._rows.atoms()

    def log_mass(self, y: Array) -> Array:
        return self._rows.log_mass(y)

    def _of(self, rows: FamilyRows) -> FamilyLine:
        return FamilyLine(Distribution.of(rows.family, rows.theta), rows)


class ScipyLine(Line):
    """A law of scipy's, or one of ours whose observation is more than its number (the binomial)."""

    def __init__(
        self, dist: Any, parameters: Mapping[str, Any], distribution: Distribution | None = None
    ) -> None:
        self.dist = dist
        self.discrete = isinstance(dist, stats.rv_discrete)
        self.distribution = distribution
        values = [np.asarray(value) for value in parameters.values()]
        self.shape = np.broadcast_shapes(*(value.shape for value in values))
        self._flat = {
            name: np.broadcast_to(value, self.shape).ravel()
            for name, value in zip(parameters, values, strict=True)
        }

    def __str__(self) -> str:
        return f"scipy.stats.{self.dist.name}"

    @cached_property
    def frozen(self) -> Any:
        """The frozen scipy distribution of the flat rows."""
        return self.dist(**self._flat)

    def take(self, rows: Any) -> Line:
        return ScipyLine(self.dist, {name: value[rows] for name, value in self._flat.items()})

    def log_prob(self, y: Array) -> Array:
        return np.asarray(self.frozen.logpmf(y) if self.discrete else self.frozen.logpdf(y), float)

    def tail(self, y: Array, upper: bool) -> Array:
        return np.asarray(self.frozen.sf(y) if upper else self.frozen.cdf(y), float)

    def support(self) -> tuple[Array, Array]:
        return support_of(self.frozen, self.size)

    def quantiles(self, levels: Sequence[float]) -> Array:
        return quantiles_of(self.frozen, levels, self.size, self.discrete)

    def mirror(self) -> None:
        return None

    def atoms(self) -> tuple[float, ...]:
        return ()

    def log_mass(self, y: Array) -> Array:
        return np.full(len(y), -np.inf)
