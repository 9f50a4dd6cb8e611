"""The multivariate normal law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Rows,
    Shortcuts,
)
from skmle.families.tools.divergences import gap
from skmle.families.tools.factored import Factored
from skmle.families.tools.factors import covariance_root, diagonal, factor_of, upper_factor
from skmle.families.tools.special import LOG_2PI

# Share below which a law with this floor is shown in place of one that lives in fewer dimensions:
# the covariance is stored, and log q loses as many digits as the square of the floor has.
_FLOOR = 1e-3


class MultivariateNormal(Factored):
    """Normal law of d columns with a `mean` vector and a full `covariance` matrix.

    The coordinates are those in which -log q is convex: the lower triangle A of the Cholesky factor
    of the precision (covariance^-1 = A'A, logarithms on its diagonal) and v = A mean;
    ``-log q = |A y - v|^2/2 - log det A + d log(2 pi)/2``. scipy:
    ``multivariate_normal(mean, covariance)``; R: ``mvtnorm::dmvnorm(y, mean, covariance)``.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d; None: learnt from the data.
    frame : tuple of (origin, unit), optional
        How the coordinates measure each column of y; (0, 1) by default. It changes no law.
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

    shortcuts = Shortcuts(starts="final", sums="statistics")
    scipy_name = "multivariate_normal"
    seen = ("mean", "covariance")

    def statistics(self, y: Array) -> Arrays:
        # The second entry is a factor of the scatter around the first, R with R'R = scatter: zero
        # for a row, that of the data's covariance for their mean.
        return (y - self.origin) / self.unit, np.zeros((1, self.d, self.d))

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        mean, sd, rows = self._scaled(statistics, weight)
        return mean[None], (factor_of(rows) * sd)[None]

    def _scaled(self, statistics: Arrays, weight: Array | None) -> tuple[Array, Array, Array]:
        """Return means, spreads, and rows whose squares sum up to the correlation matrix."""
        y, roots = statistics
        weight = np.ones(len(y)) if weight is None else weight
        share = weight / weight.sum()
        mean = share @ y
        mean = mean + share @ (y - mean)  # without the rounding of the first sum
        away = y - mean
        with np.errstate(over="ignore", under="ignore"):
            largest = np.abs(away).max(axis=0)
            if roots.any():
                largest = np.maximum(largest, np.abs(roots).max(axis=(0, 1)))
            unit = np.where(largest > 0.0, largest, 1.0)
            rows = away / unit * np.sqrt(share)[:, None]
            if roots.any():
                inner = roots / unit * np.sqrt(share)[:, None, None]
                rows = np.concatenate([rows, inner.reshape(-1, self.d)])
            size = np.sqrt((rows * rows).sum(axis=0))
        size = np.where(size > 0.0, size, 1.0)
        return mean, unit * size, rows / size

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        y, root = statistics
        v, a = self.unpack(eta)
        residual = y @ a.T - v
        turned = root @ a.T  # (1 or n, d, d): its squares sum up to the trace of a scatter a'
        value = (
            0.5 * (residual**2).sum(axis=1)
            + 0.5 * (turned**2).sum(axis=(1, 2))
            - np.log(np.diag(a)).sum()
        )
        if order < 1:
            return Rows(value)
        lower = np.tril_indices(self.d)
        spread = turned.transpose(0, 2, 1) @ root  # a scatter
        in_a = residual[:, :, None] * y[:, None, :] + spread  # derivative in A
        diagonal = np.diag_indices(self.d)
        in_a[:, diagonal[0], diagonal[1]] = (
            in_a[:, diagonal[0], diagonal[1]] * np.diag(a) - 1.0
        )  # in log A_ii
        gradient = tuple(np.concatenate([-residual, in_a[:, *lower]], axis=1).T)
        if order < 2:
            return Rows(value, gradient)
        return Rows(value, gradient, self._curvature(y, root.transpose(0, 2, 1) @ root, a, in_a))

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
        mean, sd, rows = self._scaled(statistics, weight)
        values, vectors = np.linalg.svd(factor_of(rows))[1:]
        # The least singular value that rounding of the observations cannot have made of zero.
        noise = 8.0 * self.d * np.finfo(float).eps * (1.0 + np.max(np.abs(mean) / sd))
        if values[-1] > noise:
            return None
        rank = int((values > noise).sum())
        floored = upper_factor(np.maximum(values, _FLOOR)[:, None] * vectors) * sd
        reason = (
            f"the observations lie in a space of {rank} dimensions, so the density of their "
            f"{self.d} columns grows without bound on it"
        )
        return self.coordinates(mean, floored.T), reason

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (mean,), (root,) = self.collapse(statistics, weight)
        return [self.coordinates(mean, root.T)]

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import Covariance, multivariate_normal

        # By its factor: scipy looks at eigenvalues, which are of any size where units are.
        factor = Covariance.from_cholesky(covariance_root(np.asarray(theta[1], float), "law"))
        return multivariate_normal(np.asarray(theta[0], float), factor)

    @classmethod
    def from_scipy(cls, mean: Array, cov: Array) -> tuple[Family, Arrays]:
        return cls(len(mean)), (mean, cov)

    def mean(self, theta: Arrays) -> Array:
        return theta[0]

    def covariance(self, theta: Arrays) -> Array:
        return theta[1]

    def cdf(self, y: Array, theta: Arrays) -> Array:
        """Return the probability that no column exceeds its entry of y, by scipy's quadrature."""
        from scipy.stats import multivariate_normal

        mean, covariance = (np.asarray(value, float) for value in theta)
        sd = np.sqrt(diagonal(covariance))
        correlation = covariance / sd[:, None] / sd
        return np.asarray(multivariate_normal.cdf((y - mean) / sd, cov=correlation), float)

    def sf(self, y: Array, theta: Arrays) -> Array:
        """Return the probability that all columns exceed their entries of y."""
        mean, covariance = theta
        return self.cdf(-np.asarray(y, float), (-np.asarray(mean, float), covariance))

    def known_entropy(self, theta: Arrays) -> Array:
        root = covariance_root(theta[1], "p")
        return 0.5 * self.d * (LOG_2PI + 1.0) + np.log(diagonal(root)).sum(axis=-1)

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (mean_p, covariance_p), (mean_q, covariance_q) = p, q
        root_p, root_q = covariance_root(covariance_p, "p"), covariance_root(covariance_q, "q")
        turn = np.linalg.solve(root_q, root_p)  # triangular: its diagonal holds the determinant
        shift = np.linalg.solve(root_q, (mean_p - mean_q)[..., None])[..., 0]
        below = np.tril(turn, -1)
        spread = gap(diagonal(turn) ** 2).sum(axis=-1) + (below**2).sum(axis=(-2, -1))
        return 0.5 * ((shift**2).sum(axis=-1) + spread)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, covariance = theta
        return rng.multivariate_normal(mean, covariance, size=size, method="cholesky")
