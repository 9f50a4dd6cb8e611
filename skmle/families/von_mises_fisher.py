"""The von Mises-Fisher law of directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from skmle.families.base import (
    IDENTITY,
    LOG,
    Array,
    Arrays,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Support,
)
from skmle.families.links import Link
from skmle.families.tools.bessel import concentration, log_bessel
from skmle.families.tools.several import SeveralColumns
from skmle.families.tools.simplex import away_from_one

_POINT = 1e-31  # lack of the mean's length that rounding of equal rows may have made
_CLOSE = 1e16  # concentration of the law that is shown in place of a point
_LEAST = 1e-150  # concentration whose inverse is a number


class VonMisesFisher(SeveralColumns):
    """Von Mises-Fisher law of d-dimensional vectors of length one, that is, of directions.

    q(y) = exp(k m'y) k^(d/2 - 1) / ((2 pi)^(d/2) I_{d/2-1}(k)) on the unit sphere, with
    m = `mean_direction` and k = `concentration`; k = 0 is the uniform law of directions. Its
    coordinates are those of k m, in which log q is concave. scipy: ``vonmises_fisher(mu, kappa)``.
    R: ``movMF::dmovMF(x, theta = k m)``.

    Rows may miss the length one by rounding (1e-6); they are then divided by their length.

    Parameters
    ----------
    dimension : int or None, default=None
        Number of columns d, at least 2; None: learnt from the data.
    links : None
        The coordinates have no other links.

    References
    ----------
    Banerjee, Dhillon, Ghosh & Sra (2005), Clustering on the unit hypersphere using von
    Mises-Fisher distributions, JMLR 6. Sra (2012), A short note on parameter approximation for von
    Mises-Fisher distributions, Computational Statistics 27.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("von_mises_fisher").fit([[1.0, 0.0], [0.8, 0.6], [0.8, -0.6]])
    >>> model.params_["mean_direction"].round(3), round(model.params_["concentration"], 3)
    (array([1., 0.]), 4.084)
    """

    support = Support(-1.0, 1.0, closed=(True, True))
    shortcuts = Shortcuts(starts="maximum", sums="statistics")
    concave = True
    observation = Observation(columns=None, rowwise=True)
    fewest = 2
    title = "Von Mises-Fisher"

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(Param(f"pull[{j}]", IDENTITY, modelled=True) for j in range(self.d))

    @property
    def names(self) -> tuple[str, ...]:
        return ("mean_direction", "concentration")

    @property
    def observations(self) -> str:
        return f"rows of {self.many}numbers that are vectors of length 1"

    def check_parameters(self, *theta: Array) -> None:
        direction, concentration = theta
        sizes = np.linalg.norm(direction, axis=-1)
        if (off := away_from_one(sizes)).any():
            self.refuse("the length of mean_direction", float(sizes[off].flat[0]), "1")
        if not (np.isfinite(concentration) & (concentration >= 0.0)).all():
            self.refuse("concentration", float(concentration.min()), "finite numbers >= 0")

    def holds(self, y: Array) -> NDArray[np.bool_]:
        return ~away_from_one(np.linalg.norm(y, axis=-1))

    def amiss(self, y: Array) -> str:
        sizes = np.linalg.norm(y, axis=-1)
        cure = (
            "Remove vectors of length 0, which have no direction. " if (sizes == 0.0).any() else ""
        )
        return (
            f"The lengths of these rows are from {sizes.min():.9g} to {sizes.max():.9g}. {cure}"
            "Divide each row by its length, as X / numpy.linalg.norm(X, axis=1, keepdims=True), if "
            "its direction is what counts."
        )

    def statistics(self, y: Array) -> Arrays:
        # A row may stand for many: the direction of their mean, and by how much its length is less
        # than one.
        return y / np.linalg.norm(y, axis=-1, keepdims=True), np.zeros(y.shape[:-1])

    def base(self, statistics: Arrays) -> Array:
        half = 0.5 * self.d
        return np.asarray(np.log(2.0) + half * np.log(np.pi) - gammaln(half))  # the sphere's area

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        y, lack = statistics
        if len(y) == 1:
            return statistics
        share = np.full(len(y), 1.0 / len(y)) if weight is None else weight / weight.sum()
        mean = share @ (y * (1.0 - lack)[:, None])
        size = np.linalg.norm(mean)
        direction = mean / size if size > 0.0 else np.eye(self.d)[0]
        away = 0.5 * ((y - direction) ** 2).sum(axis=-1)  # 1 - cosine
        return direction[None], np.array([share @ (away + lack * (1.0 - away))])

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With log G of tools/bessel.py, -log q = (log G(k) - k) + k (1 - m'y) and the area.
        y, lack = statistics
        pull = np.stack(np.broadcast_arrays(*eta), axis=-1)
        size = np.linalg.norm(pull, axis=-1)
        some = np.maximum(size, _LEAST)[..., None]
        mean = np.where(size[..., None] > _LEAST, pull / some, y)
        bessel = log_bessel(0.5 * self.d - 1.0, size)
        away = 0.5 * ((mean - y) ** 2).sum(axis=-1)
        short = away + lack * (1.0 - away)  # 1 - m'y of the mean row
        value = bessel.value + size * short
        if order < 1:
            return Rows(value)
        slope = bessel.ratio[..., None] * mean - (1.0 - lack)[..., None] * y
        # Along the mean this is a difference of lacks, which have digits that it has not.
        slope = slope + mean * (short - bessel.lack - (slope * mean).sum(axis=-1))[..., None]
        gradient = tuple(np.moveaxis(slope, -1, 0))
        if order < 2:
            return Rows(value, gradient)
        across, along = bessel.over, bessel.slope - bessel.over
        curvature = tuple(
            float(i == j) * across + along * mean[..., i] * mean[..., j]
            for i in range(self.d)
            for j in range(i, self.d)
        )
        return Rows(value, gradient, curvature)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (direction,), (lack,) = self.collapse(statistics, weight)
        if lack > _POINT:
            return None
        reason = "all observations are equal, so the density grows without bound around them"
        return tuple(_CLOSE * direction), reason

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The mean direction is that of the mean, whose length tells the concentration.
        (direction,), (lack,) = self.collapse(statistics, weight)
        length = 1.0 - lack
        if not lack > 0.0 or not length > 0.0:
            return [tuple((0.0 if lack > 0.0 else np.inf) * np.abs(direction))]
        k = concentration(self.d, lack)
        return [tuple(float(e) for e in k * direction)]

    def natural(self, eta: Arrays) -> Arrays:
        pull = np.stack(np.broadcast_arrays(*map(np.asarray, eta)), axis=-1).astype(float)
        size = np.linalg.norm(pull, axis=-1)
        first = np.eye(self.d)[0]  # of the uniform law, one direction is as good as any
        direction = pull / np.maximum(size, _LEAST)[..., None]
        return np.where(size[..., None] > _LEAST, direction, first), size

    def natural_jacobian(self, eta: Arrays) -> NDArray[np.float64]:
        direction, size = self.natural(eta)
        turn = (np.eye(self.d) - np.outer(direction, direction)) / max(float(size), _LEAST)
        return np.vstack([turn, direction])

    def natural_labels(self, columns: Sequence[str] | None = None) -> tuple[str, ...]:
        names = range(self.d) if columns is None else columns
        return (*(f"mean_direction[{name}]" for name in names), "concentration")

    def natural_charts(self) -> tuple[Link, ...]:
        return (*(IDENTITY,) * self.d, LOG)

    def eta(self, theta: Arrays) -> Arrays:
        pull = np.asarray(theta[0], float) * np.asarray(theta[1], float)[..., None]
        return tuple(np.moveaxis(pull, -1, 0))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import uniform_direction, vonmises_fisher

        direction, concentration = theta
        if concentration == 0.0:
            return uniform_direction(self.d)
        return vonmises_fisher(direction, float(concentration))

    def _bessel(self, theta: Arrays) -> Any:
        return log_bessel(0.5 * self.d - 1.0, theta[1])

    def mean(self, theta: Arrays) -> Array:
        return theta[0] * self._bessel(theta).ratio[..., None]

    def covariance(self, theta: Arrays) -> Array:
        bessel, direction = self._bessel(theta), theta[0]
        across, along = bessel.over[..., None, None], (bessel.slope - bessel.over)[..., None, None]
        return across * np.eye(self.d) + along * direction[..., :, None] * direction[..., None, :]

    def known_entropy(self, theta: Arrays) -> Array:
        bessel = self._bessel(theta)
        return self.base(()) + bessel.value + theta[1] * bessel.lack

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        one, other = self._bessel(p), self._bessel(q)
        away = 0.5 * ((p[0] - q[0]) ** 2).sum(axis=-1)
        short = away + one.lack * (1.0 - away)
        return np.maximum(other.value - one.value + q[1] * short - p[1] * one.lack, 0.0)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw as Wood (1994), in terms of 1 - m'y, which has its digits next to the mean."""
        direction, k = theta[0], np.broadcast_to(theta[1], size).astype(float)
        m = self.d - 1.0
        b = m / (2.0 * k + np.hypot(2.0 * k, m))
        rest = 2.0 * b / (1.0 + b)  # 1 - x0
        fall, open_ = np.zeros(size), np.ones(size, bool)
        while open_.any():
            z = rng.beta(0.5 * m, 0.5 * m, size)
            tried = 2.0 * b * z / (1.0 - (1.0 - b) * z)
            odds = (rest + (1.0 - rest) * tried) / (rest * (2.0 - rest))
            kept = open_ & (k * (rest - tried) + m * np.log(odds) >= np.log1p(-rng.random(size)))
            fall = np.where(kept, tried, fall)
            open_ &= ~kept
        normal = rng.normal(size=(*size, self.d))
        normal = normal - (normal * direction).sum(axis=-1, keepdims=True) * direction
        normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        y = (1.0 - fall)[..., None] * direction + np.sqrt(fall * (2.0 - fall))[..., None] * normal
        return y / np.linalg.norm(y, axis=-1, keepdims=True)
