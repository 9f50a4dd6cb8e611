"""Slopes of predictions in a column by the chain rule, which all columns share.

A prediction moves with a column by way of the linear predictors: with v the slope of a row of X as
it arrives at the model in the column, and b the coefficients of a predictor eta,

    dy/dx = sum over predictors of dy/d eta (b'v).

So what is predicted is differentiated in the predictors, once for all columns, and the rows that
arrive in the column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from skmle.inference.estimates import Model, central_slope, directions

Array = NDArray[np.float64]
Values = Callable[[Sequence[float]], Array]

# Steps of the differences in a predictor, in its standard deviations over the rows: as those in x.
_STEP = 2e-3


class ByPredictors:
    """Predictions of n rows, k a row, as a function of the linear predictors.

    Parameters
    ----------
    values : callable
        What is added to each predictor -> (n, k).
    model : Model
    matrix : ndarray of shape (n, p)
        X as it arrives at the model.
    """

    def __init__(self, values: Values, model: Model, matrix: Array) -> None:
        sizes = [part.size + part.intercept for part in model.parts]
        ends = [0, *accumulate(sizes)]
        self._root, self._count = directions(model), len(sizes)
        self._columns = [part.columns if part.size else [] for part in model.parts]
        self._slopes = [
            model.coefs[a : a + p.size] for a, p in zip(ends, model.parts, strict=False)
        ]
        self._roots = [self._root[a:b] for a, b in pairwise(ends)]
        self._intercepts = [part.intercept for part in model.parts]
        self._x = [matrix[:, own] for own in self._columns]
        self._values = values
        pairs = zip(self._x, self._slopes, strict=True)
        spreads = [float(np.std(x @ own)) for x, own in pairs]
        self._steps = [_STEP * (spread or 1.0) for spread in spreads]
        self._first = lru_cache(maxsize=None)(self._slope)
        self._second = lru_cache(maxsize=None)(self._bend)

    def _moved(self, place: int, by: float) -> list[float]:
        return [by if j == place else 0.0 for j in range(self._count)]

    def _slope(self, one: int) -> Array:
        """Return the derivative in a predictor, (n, k)."""
        return central_slope(lambda by: self._values(self._moved(one, by)), self._steps[one])

    def _bend(self, one: int, two: int) -> Array:
        """Return the second derivative in two predictors, (n, k)."""

        def slope(by: float) -> Array:
            start = self._moved(two, by)

            def at(further: float) -> Array:
                moved = self._moved(one, further)
                return self._values([a + b for a, b in zip(start, moved, strict=True)])

            return central_slope(at, self._steps[one])

        return central_slope(slope, self._steps[two])

    def effect(self, slopes: Array) -> tuple[Array, Array]:
        """Return a weighted sum of slopes in a column, (k,), and a root of its covariance, (k, d).

        Parameters
        ----------
        slopes : ndarray of shape (n, p)
            Those of the rows as they arrive, times their weights.
        """
        value, root = np.zeros(()), np.zeros((1, self._root.shape[1]))
        for one, own in enumerate(self._columns):
            way = slopes[:, own]
            if not way.any():
                continue
            rate, first = way @ self._slopes[one], self._first(one)
            value = value + rate @ first
            root = root + first.T @ way @ self._roots[one][: way.shape[1]]
            for two, x in enumerate(self._x):
                bent = (rate[:, None] * self._second(min(one, two), max(one, two))).T
                root = root + bent @ x @ self._roots[two][: x.shape[1]]
                if self._intercepts[two]:
                    root = root + np.outer(bent.sum(axis=1), self._roots[two][-1])
        k = self._values([0.0] * self._count).shape[1] if np.ndim(value) == 0 else len(value)
        return np.broadcast_to(value, k), np.broadcast_to(root, (k, root.shape[1]))
