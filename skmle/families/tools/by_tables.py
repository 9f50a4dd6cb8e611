"""A law of one number of which log q alone is known, and perhaps the cdf."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import Array, Arrays, Family
from skmle.families.tools.numerical import wide_grid
from skmle.families.tools.tables import Table, tabulate

SAME = 1e-3  # by how much the probability of everything may differ from one
_SEEN = 0.05  # the same, on a grid close enough to tell where the law is
# Whole numbers that are summed of all rows at once, at most and in a block; of other rows, one by
# one.
_SUMMED, _BLOCK = 4096, 128
_LEFT = 1e-13  # probability that a sum may leave out


class ByTables(Family):
    """A law whose probabilities, quantiles and moments come from tables of its log q.

    There is a table for each set of parameters, whatever the number of rows that share it.
    """

    cdf_function: Callable[..., Any] | None = None
    """``cdf(y, *params)``, if it is known."""

    def values(self, y: Array, theta: Arrays) -> Array:
        """Return log q of natural parameters; -inf where there is none."""
        raise NotImplementedError

    @property
    def named(self) -> str:
        """What messages call the law."""
        raise NotImplementedError

    def shown(self, theta: Arrays) -> str:
        """Return parameters as messages show them."""
        return ", ".join(f"{n}={float(t):.4g}" for n, t in zip(self.names, theta, strict=True))

    def cdf(self, y: Array, theta: Arrays) -> Array:
        if self.cdf_function is not None:
            return np.asarray(self.cdf_function(np.asarray(y, float), *theta), float)
        return np.clip(self._by_table(lambda law, y: law.cdf(y), y, theta), 0.0, 1.0)

    def sf(self, y: Array, theta: Arrays) -> Array:
        if self.cdf_function is not None:
            return 1.0 - self.cdf(y, theta)
        return np.clip(self._by_table(lambda law, y: law.sf(y), y, theta), 0.0, 1.0)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        if self.cdf_function is not None:
            return super().quantile(q, theta)
        return self._by_table(lambda law, q: law.quantile(q), q, theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        if self.cdf_function is not None:
            return super().upper_quantile(q, theta)
        return self._by_table(lambda law, q: law.upper_quantile(q), q, theta)

    def _by_table(
        self, ask: Callable[[Table, Array], Array | float], places: Array, theta: Arrays
    ) -> Array:
        """Return what the tables of the laws say about places, one of each set of parameters."""
        place, *values = np.broadcast_arrays(np.asarray(places, float), *theta)
        found = np.full(place.shape, np.nan)
        each = np.stack([value.ravel() for value in values], axis=1)
        laws, which = np.unique(each, axis=0, return_inverse=True)
        lacking: list[tuple[float, Arrays]] = []
        for i, law in enumerate(laws):
            own = tuple(map(np.asarray, law))
            if np.isfinite(law).all():
                rows = np.flatnonzero(which.ravel() == i)
                table = self.table(own)
                with np.errstate(all="ignore"):  # far out, where nothing is left
                    found.flat[rows] = ask(table, place.ravel()[rows])
                if not abs(table.total - 1.0) < SAME:
                    lacking.append((table.total, own))
        if lacking:
            total, own = lacking[0]
            warnings.warn(
                f"{self.named}: the probability of everything is {total:.6g} with "
                f"{self.shown(own)} ({len(lacking)} of {len(laws)} sets of parameters). "
                "Allowed: 1, as far as numbers tell. Probabilities and quantiles there are not to "
                "be trusted: mend the function or its support, or give cdf=.",
                UserWarning,
                stacklevel=3,
            )
        return found

    def table(self, theta: Arrays) -> Table:
        """Return the table of the law with these numbers as parameters."""
        places = [float(t) for t in theta if np.isfinite(t)]
        return tabulate(lambda y: self.values(y, theta), self.support, places)

    def about_quantile(self, q: Array, theta: Arrays) -> Array:
        if self.cdf_function is not None or self.support.discrete:
            return super().about_quantile(q, theta)
        level, *values = np.broadcast_arrays(q, *theta)
        found = np.empty(level.shape)
        for index in np.ndindex(level.shape[1:]):
            at = (slice(None), *index)
            own = tuple(np.asarray(value[at][0]) for value in values)
            grid, below = self._below(own)
            if abs(below[-1] - 1.0) < _SEEN:
                found[at] = grid[np.minimum(np.searchsorted(below, level[at]), len(grid) - 1)]
            else:  # the law lies between the points of the grid
                found[at] = self.quantile(level[at], own)
        return found

    def _below(self, theta: Arrays) -> tuple[Array, Array]:
        """Return a wide grid and, about, the probability below each of its points."""
        grid = wide_grid(self.support, [float(t) for t in theta if np.isfinite(t)])
        mass = np.exp(self.values(grid, theta)) * np.gradient(grid)
        return grid, np.cumsum(np.where(np.isfinite(mass), mass, 0.0))

    # ---------------------------------------------------------------- moments

    def mean(self, theta: Arrays) -> Array:
        return self._moment(theta, np.zeros(()), 1)

    def variance(self, theta: Arrays) -> Array:
        return self._moment(theta, self.mean(theta), 2)

    def entropy(self, theta: Arrays) -> Array:
        return self._by_table(lambda law, _: law.entropy(), np.zeros(()), theta)

    def _moment(self, theta: Arrays, centre: Array, power: int) -> Array:
        """Return E[(Y - centre)^power] by tables; of few whole numbers by sums of all rows."""

        def moment(law: Table, centres: Array) -> float:
            return law.moment(float(centres[0]), power)

        if not self.support.discrete:
            return self._by_table(moment, centre, theta)
        shape = np.broadcast_shapes(*(np.shape(t) for t in theta))
        values = tuple(np.broadcast_to(t, shape) for t in theta)
        total, settled = self._summed(values, centre, power)
        if settled.all():
            return total
        open_ = ~settled
        far = np.broadcast_to(centre, shape)[open_], tuple(value[open_] for value in values)
        total[open_] = self._by_table(moment, *far)
        return total

    def _summed(self, values: Arrays, centre: Array, power: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return sums over the first whole numbers, and where all of the mass is there."""
        shape = values[0].shape
        each = tuple(value[..., None] for value in values)
        away = np.broadcast_to(centre, shape)[..., None]
        low = self.support.low if np.isfinite(self.support.low) else -float(_BLOCK)
        total, mass, settled = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
        for first in np.arange(low, low + _SUMMED, _BLOCK):
            counts = np.arange(first, min(first + _BLOCK, self.support.high + 1.0))
            if not len(counts) or settled.all():
                break
            q = np.exp(self.values(np.broadcast_to(counts, (*shape, len(counts))), each))
            total += (q * (counts - away) ** power).sum(axis=-1)
            mass += q.sum(axis=-1)
            settled = (mass > 1.0 - _LEFT) & (q[..., -1] * abs(counts[-1]) <= _LEFT)
        return total, settled
