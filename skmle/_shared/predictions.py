"""What follows from each row's law: its mean, its quantiles, its intervals and draws from it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.families import Distribution

Array = NDArray[np.float64]


class Predictions:
    """The base of estimators that give each row a law of a number, by `predict_dist`."""

    def predict_dist(
        self, X: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Distribution:
        """Return each row's law: a `Distribution` with parameters of shape (n,)."""
        raise NotImplementedError

    def predict(
        self, X: Any, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> Array:
        """Return the conditional mean of each row, (n,); the median, for a law that has no mean."""
        law = self.predict_dist(X, offset, exposure)
        mean = np.asarray(law.mean(), float)
        return np.where(np.isnan(mean), law.median(), mean) if np.isnan(mean).any() else mean

    def predict_quantile(
        self,
        X: Any,
        q: ArrayLike,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Array:
        """Return quantiles of each row: (n,) for a number q, (n, m) for m of them."""
        levels = np.asarray(q, float)
        if not ((levels >= 0) & (levels <= 1)).all():
            raise ValueError(
                f"predict_quantile: q={q!r} is not allowed; give probabilities between 0 and 1."
            )
        law = self.predict_dist(X, offset, exposure)
        if levels.ndim == 0:
            return law.ppf(levels)
        return np.stack([law.ppf(level) for level in levels], axis=-1)

    def predict_interval(
        self,
        X: Any,
        coverage: float = 0.95,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> tuple[Array, Array]:
        """Return (low, high), each (n,): the central interval of each row's law.

        It is an interval for y, not for its mean.
        """
        return self.predict_dist(X, offset, exposure).interval(coverage)

    def sample(
        self,
        X: Any,
        n_samples: int | None = None,
        random_state: Any = None,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Draw y from each row's law: (n,), or (n_samples, n)."""
        return self.predict_dist(X, offset, exposure).rvs(n_samples, random_state)
