"""Independent columns: one law each, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.families.base import Array
from skmle.families.distribution import Distribution


def stack(values: Sequence[Array]) -> Any:
    """Return values as one array if they are of one shape, else as a list.

    Columns of labels, for one, may have different numbers of them.
    """
    return np.stack(values) if len({np.shape(v) for v in values}) == 1 else list(values)


class IndependentColumns:
    """The law of a row of independent columns, with the methods of `Distribution`.

    Results have a last axis of columns.

    Parameters
    ----------
    laws : sequence of Distribution
        One a column.
    """

    def __init__(self, laws: Sequence[Distribution]) -> None:
        self.laws = tuple(laws)

    def __repr__(self) -> str:
        return f"IndependentColumns({', '.join(map(repr, self.laws))})"

    def __len__(self) -> int:
        return len(self.laws)

    def __getitem__(self, column: int) -> Distribution:
        return self.laws[column]

    def _each(self, method: str, y: ArrayLike | None = None) -> Any:
        if y is None:
            return stack([getattr(law, method)() for law in self.laws])
        columns = np.moveaxis(
            np.broadcast_to(np.asarray(y), (*np.shape(y)[:-1], len(self.laws))), -1, 0
        )
        return np.stack(
            [getattr(law, method)(column) for law, column in zip(self.laws, columns, strict=True)],
            axis=-1,
        )

    def log_prob(self, y: ArrayLike) -> Array:
        """Return log q of each entry of y, (..., p), in nats.

        The sum over the last axis is that of the row.
        """
        return self._each("log_prob", y)

    def logpdf(self, y: ArrayLike) -> Array:
        """Return the log-density of each entry."""
        return self._each("logpdf", y)

    def logpmf(self, y: ArrayLike) -> Array:
        """Return the log-mass of each entry."""
        return self._each("logpmf", y)

    def pdf(self, y: ArrayLike) -> Array:
        """Return the density of each entry."""
        return self._each("pdf", y)

    def pmf(self, y: ArrayLike) -> Array:
        """Return the mass of each entry."""
        return self._each("pmf", y)

    def cdf(self, y: ArrayLike) -> Array:
        """Return P(Y <= y) of each entry."""
        return self._each("cdf", y)

    def sf(self, y: ArrayLike) -> Array:
        """Return P(Y > y) of each entry."""
        return self._each("sf", y)

    def ppf(self, q: ArrayLike) -> Array:
        """Return the quantile of each column at q, (..., p)."""
        return self._each("ppf", np.asarray(q, float)[..., None])

    def interval(self, confidence: float = 0.95) -> tuple[Array, Array]:
        """Return the central interval of each column."""
        ends = [law.interval(confidence) for law in self.laws]
        return np.stack([low for low, _ in ends]), np.stack([high for _, high in ends])

    def mean(self) -> Array:
        """Return the mean of each column, (p,)."""
        return self._each("mean")

    def median(self) -> Array:
        """Return the median of each column, (p,)."""
        return self._each("median")

    def var(self) -> Array:
        """Return the variance of each column, (p,)."""
        return self._each("var")

    def std(self) -> Array:
        """Return the standard deviation of each column, (p,)."""
        return self._each("std")

    def entropy(self) -> Array:
        """Return the entropy of each column in nats, (p,); their sum is that of the row."""
        return self._each("entropy")

    def rvs(
        self, size: int | tuple[int, ...] | None = None, random_state: Any = None
    ) -> NDArray[Any]:
        """Draw at random, an array of shape ``(*size, p)``."""
        rng = (
            random_state
            if isinstance(random_state, np.random.Generator)
            else np.random.default_rng(random_state)
        )
        return np.stack([law.rvs(size, rng) for law in self.laws], axis=-1)
