"""The law of several columns that are independent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from skmle.families.base import Array, Arrays, Family, Limit
from skmle.families.wrappers.parts import SeveralParts, number_of_statistics

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution


def total(terms: Iterable[Array]) -> Array:
    """Return the sum of arrays of any shape."""
    return sum(terms, np.zeros(()))


class IndependentColumns(SeveralParts):
    """The base of laws whose parts are of independent columns: statistics, and the whole law."""

    # ---------------------------------------------------------------- columns and statistics

    def columns_of(self, y: Array) -> Iterator[Array]:
        """Yield the columns of each part; (n,) of one."""
        start = 0
        for part in self.parts:
            stop = start + (part.observation.columns or 0)
            own = y[..., start:stop]
            yield own[..., 0] if stop == start + 1 else own
            start = stop

    def statistics(self, y: Array) -> Arrays:
        pairs = zip(self.parts, self.columns_of(y), strict=True)
        return tuple(entry for part, own in pairs for entry in part.statistics(own))

    def each_of(self, statistics: Arrays) -> list[tuple[Family, Arrays]]:
        """Return each part with its statistics."""
        found, start = [], 0
        for part in self.parts:
            stop = start + number_of_statistics(part)
            found.append((part, statistics[start:stop]))
            start = stop
        return found

    def observe_part(self, c: int, limit: Limit, statistics: Arrays) -> Arrays | None:
        each = [own for _, own in self.each_of(statistics)]
        if (changed := limit.observe(each[c])) is None:
            return None
        each[c] = changed
        return tuple(entry for own in each for entry in own)

    def base(self, statistics: Arrays) -> Array:
        return total(part.base(own) for part, own in self.each_of(statistics))

    def densities(self, statistics: Arrays) -> Array:
        return total(part.densities(own) for part, own in self.each_of(statistics))

    def restore(self, statistics: Arrays) -> Array:
        columns = [
            value[..., None] if part.observation.columns == 1 else value
            for part, own in self.each_of(statistics)
            for value in [part.restore(own)]
        ]
        return np.concatenate(columns, axis=-1)

    # ---------------------------------------------------------------- the law

    @property
    def univariate(self) -> bool:
        return False

    def predicted(self, theta: Arrays) -> Distribution:
        from skmle.families.distribution import Distribution

        pairs = zip(self.parts, self.split(theta)[0], strict=True)
        laws = [part.predicted(own) for part, own in pairs]
        theta = tuple(value for law in laws for value in law.theta)
        return Distribution.of(self.of_parts([law.family for law in laws]), theta)

    @property
    def predicted_names(self) -> tuple[str, ...]:
        pairs = enumerate(self.parts, 1)
        return tuple(f"{name}_{c}" for c, part in pairs for name in part.predicted_names)

    def _laws(self, theta: Arrays) -> list[Distribution]:
        from skmle.families.distribution import Distribution

        pairs = zip(self.parts, self.split(theta)[0], strict=True)
        return [Distribution.of(part, own) for part, own in pairs]

    def _of_columns(self, values: list[Array], single: list[bool]) -> Array:
        """Return values of all columns as a last axis, from those of each part.

        `single` says which parts have one number.
        """
        columns = [v[..., None] if one else v for v, one in zip(values, single, strict=True)]
        lead = np.broadcast_shapes(*(v.shape[:-1] for v in columns))
        return np.concatenate([np.broadcast_to(v, (*lead, v.shape[-1])) for v in columns], axis=-1)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        pairs = zip(self._laws(theta), self.columns_of(y), strict=True)
        return total(law.log_prob(own) for law, own in pairs)

    def cdf(self, y: Array, theta: Arrays) -> Array:
        pairs = zip(self._laws(theta), self.columns_of(np.asarray(y, float)), strict=True)
        return np.prod(np.broadcast_arrays(*(law.cdf(own) for law, own in pairs)), axis=0)

    def sf(self, y: Array, theta: Arrays) -> Array:
        """Return the probability that every column exceeds its number."""
        pairs = zip(self._laws(theta), self.columns_of(np.asarray(y, float)), strict=True)
        return np.prod(np.broadcast_arrays(*(law.sf(own) for law, own in pairs)), axis=0)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        raise AttributeError(
            "quantile: a law of several columns has none. Allowed: laws of one column. Take the "
            "quantiles of each part."
        )

    upper_quantile = quantile

    @property
    def _numbers(self) -> list[bool]:
        """Which parts have one mean: binomial rows are two numbers with one."""
        return [part.univariate for part in self.parts]

    def mean(self, theta: Arrays) -> Array:
        return self._of_columns(
            [np.asarray(law.mean()) for law in self._laws(theta)], self._numbers
        )

    def variance(self, theta: Arrays) -> Array:
        return self._of_columns([np.asarray(law.var()) for law in self._laws(theta)], self._numbers)

    def std(self, theta: Arrays) -> Array:
        return self._of_columns([np.asarray(law.std()) for law in self._laws(theta)], self._numbers)

    def entropy(self, theta: Arrays) -> Array:
        return total(np.asarray(law.entropy()) for law in self._laws(theta))

    def divergence(self, p: Arrays, q: Arrays) -> Array | None:
        triples = zip(self.parts, self.split(p)[0], self.split(q)[0], strict=True)
        found = [part.divergence(one, other) for part, one, other in triples]
        return None if any(value is None for value in found) else total(iter(found))  # type: ignore[arg-type]

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        pairs = zip(self.parts, self.split(theta)[0], strict=True)
        single = [part.observation.columns == 1 for part in self.parts]
        return self._of_columns([part.sample(own, size, rng) for part, own in pairs], single)
