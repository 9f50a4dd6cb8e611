"""The multivariate normal law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from skmle.families.base import (
    IDENTITY,
    LOG,
    Array,
    Arrays,
    Family,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Support,
)
from skmle.families.links import Link
from skmle.families.tools.divergences import gap
from skmle.families.tools.special import LOG_2PI

# Smallest eigenvalue of a correlation matrix that rounding cannot have made of zero: d eps for
# d <= 1000 columns, with a margin.
_SINGULAR = 1e-12


class MultivariateNormal(Family):
    """Normal law of d columns with a `mean` vector and a full `covariance` matrix.

    The coordinates are those in which -log q is convex: the lower triangle A of the Cholesky factor
    of the precision (covariance^-1 = A'A, logarithms on its diagonal) and v = A mean;
    ``-log q = |A y - v|^2/2 - log det A + d log(2 pi)/2``.
    scipy: ``multivariate_normal(mean, covariance)``.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d; None: learnt from the data.
    links : None
        The coordinates have no other links.

    References
    ----------
    Anderson (2003), An Introduction to Multivariate Statistical Analysis, ch. 3.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("multivariate_normal").fit([[0.0, 0.0], [2.0, 1.0], [1.0, 2.0]])
    >>> model.params_["covariance"].round(3)
    array([[0.667, 0.333],
           [0.333, 0.667]])
    """

    observation = Observation(columns=None)
    shortcuts = Shortcuts(starts="final", sums="statistics")
    scipy_name = "multivariate_normal"
    support = Support()

    def __init__(self, dimension: int | None = None, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.dimension = dimension

    def adapt(self, y: Array) -> Family:
        if self.dimension is not None and y.shape[1] != self.dimension:
            have = f"the data have {y.shape[1]} columns"
            raise ValueError(
                f"MultivariateNormal(dimension={self.dimension}): {have}. Allowed: as many. Give "
                "them, or dimension=None."
            )
        return MultivariateNormal(y.shape[1])

    def check_links(self) -> None:
        if self.links:
            raise ValueError(
                f"MultivariateNormal(links={self.links!r}): its coordinates have no links. "
                "Allowed: None. Leave links out."
            )

    @property
    def d(self) -> int:
        """Number of columns."""
        if self.dimension is None:
            raise ValueError(
                "MultivariateNormal(): dimension=None is learnt from data by fit. Allowed: a "
                "number; give it to use it."
            )
        return self.dimension

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        pairs = zip(*np.tril_indices(self.d), strict=True)
        triangle = tuple(Param(f"factor[{i},{j}]", LOG if i == j else IDENTITY) for i, j in pairs)
        return tuple(Param(f"shift[{i}]", IDENTITY) for i in range(self.d)) + triangle

    @property
    def names(self) -> tuple[str, ...]:
        return ("mean", "covariance")

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(y).all(axis=-1))

    def statistics(self, y: Array) -> Arrays:
        # The second entry is the scatter around the first: none for a row, the covariance of the
        # data for their mean.
        return y, np.zeros((1, self.d, self.d))

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * self.d * LOG_2PI)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        y, scatter = statistics
        weight = np.ones(len(y)) if weight is None else weight
        mass = weight.sum()
        mean = weight @ y / mass
        root = (y - mean) * np.sqrt(weight / mass)[:, None]
        within = np.tensordot(weight, scatter, 1) / mass if len(scatter) == len(y) else scatter[0]
        return mean[None], (root.T @ root + within)[None]

    def _unpack(self, eta: Arrays) -> tuple[Array, Array]:
        e = np.asarray(eta, float)
        a = np.zeros((self.d, self.d))
        a[np.tril_indices(self.d)] = e[self.d :]
        a[np.diag_indices(self.d)] = np.exp(np.diag(a))
        return e[: self.d], a

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        y, scatter = statistics
        v, a = self._unpack(eta)
        residual = y @ a.T - v
        spread = a @ scatter  # (1 or n, d, d)
        value = (
            0.5 * (residual**2).sum(axis=1)
            + 0.5 * (spread * a).sum(axis=(1, 2))
            - np.log(np.diag(a)).sum()
        )
        if order < 1:
            return Rows(value)
        lower = np.tril_indices(self.d)
        in_a = residual[:, :, None] * y[:, None, :] + spread  # derivative in A
        diagonal = np.diag_indices(self.d)
        in_a[:, diagonal[0], diagonal[1]] = (
            in_a[:, diagonal[0], diagonal[1]] * np.diag(a) - 1.0
        )  # in log A_ii
        gradient = tuple(np.concatenate([-residual, in_a[:, *lower]], axis=1).T)
        return Rows(value, gradient, self._curvature(y, scatter, a, in_a) if order > 1 else None)

    def _curvature(self, y: Array, scatter: Array, a: Array, in_a: Array) -> tuple[Array, ...]:
        # Row i of (v, A) is a least-squares problem of its own: y_i on y_1, .., y_i; its block is
        # the second moments.
        d, n = self.d, len(y)
        first, offset = np.ones((n, 1, 1)), d
        moments = scatter + y[:, :, None] * y[:, None, :]
        h = np.zeros((n, *(2 * [d + d * (d + 1) // 2])))
        for i in range(d):
            block = np.block(
                [
                    [first, -y[:, None, : i + 1]],
                    [-y[:, : i + 1, None], moments[:, : i + 1, : i + 1]],
                ]
            )
            block[:, -1, :] *= a[i, i]
            block[:, :, -1] *= a[i, i]
            block[:, -1, -1] += in_a[:, i, i] + 1.0
            index = np.r_[i, offset : offset + i + 1]
            h[:, index[:, None], index] = block
            offset += i + 1
        return tuple(h[:, *np.triu_indices(h.shape[1])].T)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        mean, covariance = (s[0] for s in self.collapse(statistics, weight))
        sd = np.sqrt(np.diag(covariance))
        sd = np.where(sd > 0.0, sd, 1.0)
        values, vectors = np.linalg.eigh(covariance / np.outer(sd, sd))
        if values[0] > _SINGULAR:
            return None
        rank = int((values > _SINGULAR).sum())
        # The covariance is stored, so log q loses as many digits as the floor has: ten are left.
        floored = (vectors * np.maximum(values, 1e-6)) @ vectors.T * np.outer(sd, sd)
        reason = (
            f"the observations lie in a space of {rank} dimensions, so the density of their "
            f"{self.d} columns grows without bound on it"
        )
        return self._coordinates(mean, floored), reason

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        mean, covariance = (s[0] for s in self.collapse(statistics, weight))
        return [self._coordinates(mean, covariance)]

    def _coordinates(self, mean: Array, covariance: Array) -> tuple[float, ...]:
        factor = np.linalg.cholesky(covariance)
        a = solve_triangular(factor, np.eye(self.d), lower=True)
        v = a @ mean
        a[np.diag_indices(self.d)] = -np.log(np.diag(factor))
        return (*v, *a[np.tril_indices(self.d)])

    def natural(self, eta: Arrays) -> Arrays:
        v, a = self._unpack(eta)
        inverse = solve_triangular(a, np.eye(self.d), lower=True)
        return inverse @ v, inverse @ inverse.T

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        v, a = self._unpack(eta)
        inverse = solve_triangular(a, np.eye(self.d), lower=True)
        mean, covariance = inverse @ v, inverse @ inverse.T
        lower = np.tril_indices(self.d)
        columns = [np.r_[inverse[:, i], np.zeros(len(lower[0]))] for i in range(self.d)]
        for i, j in zip(*lower, strict=True):
            # dA = unit(i, j) (times A_ii on the diagonal): d mean = -A^-1 dA mean,
            # d cov = -(A^-1 dA cov + its transpose).
            step = a[i, i] if i == j else 1.0
            turn = -step * np.outer(inverse[:, i], covariance[j])
            columns.append(np.r_[-step * inverse[:, i] * mean[j], (turn + turn.T)[lower]])
        return np.array(columns).T

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        names = [str(i) for i in range(self.d)] if columns is None else list(columns)
        pairs = zip(*np.tril_indices(self.d), strict=True)
        return tuple(f"mean[{name}]" for name in names) + tuple(
            f"covariance[{names[i]},{names[j]}]" for i, j in pairs
        )

    def natural_charts(self) -> tuple[Link, ...]:
        return (IDENTITY,) * self.d + tuple(
            LOG if i == j else IDENTITY for i, j in zip(*np.tril_indices(self.d), strict=True)
        )

    def eta(self, theta: Arrays) -> Arrays:
        return tuple(
            np.asarray(e)
            for e in self._coordinates(np.asarray(theta[0], float), np.asarray(theta[1], float))
        )

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import multivariate_normal

        return multivariate_normal(*theta)

    @classmethod
    def from_scipy(cls, mean: Array, cov: Array) -> tuple[Family, Arrays]:
        return cls(len(mean)), (mean, cov)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def variance(self, theta: Arrays) -> Array:
        """Return the variance of each column."""
        return np.diag(theta[1])

    def sf(self, y: Array, theta: Arrays) -> Array:
        return 1.0 - self.cdf(y, theta)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        raise ValueError(
            "quantile: a law of several columns has none. Allowed: laws of one column. Take the "
            "marginal of a column first."
        )

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self.quantile(q, theta)

    def known_entropy(self, theta: Arrays) -> Array:
        root = _root(theta[1], "p")
        return 0.5 * self.d * (LOG_2PI + 1.0) + np.log(_diagonal(root)).sum(axis=-1)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (mean_p, covariance_p), (mean_q, covariance_q) = p, q
        root_p, root_q = _root(covariance_p, "p"), _root(covariance_q, "q")
        turn = np.linalg.solve(root_q, root_p)  # triangular: its diagonal holds the determinant
        shift = np.linalg.solve(root_q, (mean_p - mean_q)[..., None])[..., 0]
        below = np.tril(turn, -1)
        spread = gap(_diagonal(turn) ** 2).sum(axis=-1) + (below**2).sum(axis=(-2, -1))
        return 0.5 * ((shift**2).sum(axis=-1) + spread)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, covariance = theta
        return rng.multivariate_normal(mean, covariance, size=size, method="cholesky")


def _diagonal(matrix: NDArray[Any]) -> NDArray[Any]:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _root(covariance: Array, name: str) -> Array:
    """Return the lower Cholesky factor; ValueError, which names the law, if there is none."""
    try:
        return np.asarray(np.linalg.cholesky(covariance), float)
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(covariance).min()
        raise ValueError(
            f"{name}: a normal law whose covariance has the eigenvalue {smallest:.3g} lives in "
            "fewer dimensions than it has columns and has no density there. Allowed: positive "
            "definite covariances. Leave out the columns that the others determine."
        ) from None
