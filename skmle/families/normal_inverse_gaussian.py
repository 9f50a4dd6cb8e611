"""The normal-inverse-Gaussian law, and its inverse Gaussian limit from an end."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmle.families.algebra import through_matrix
from skmle.families.base import (
    IDENTITY,
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Saturated,
    Support,
    average,
    triangle,
)
from skmle.families.distribution import Distribution
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.inverse_gaussian_mixing import (
    density_jet,
    draws,
    from_textbook,
    moments,
    nearness,
    nodes,
    rough_quantile,
    tail_jet,
    to_textbook,
)
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.quantiles import centre_and_spread
from skmle.families.tools.screened import best_of_kinds
from skmle.families.tools.special import LOG_2PI
from skmle.families.tools.with_shapes import WithShapes

# Eta of the tail beyond which nothing changes in the last digit of any double.
_LARGEST = 300.0
# Largest skewness of a start, and its least third of excess kurtosis beyond 5/3 skewness^2.
_SKEWED, _LEAST = 3.0, 0.1
# Tails of other starts, each with the scale in half interquartile ranges.
_OTHERS = ((1.0, 1.2), (30.0, 1.0))
# Share of the way from the location to an end of the support that a start leaves beyond the data.
_ROOM = 0.3
# Distance of the nearest observation from the end of the support, in that of the mean, from which
# on a fit that has come to no maximum is on its way there. Chosen, not measured.
_NEAR_END = 0.02


class _Mixed(ByStd, ByTails, WithShapes):
    """Laws of a location, a scale and a skew, of which some have a tail to be fitted, too."""

    by_shapes: ClassVar[Array]
    """The derivatives of place, skew/3 and log tail in the place and the eta of the shapes."""

    @abstractmethod
    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        """Return skew/3 and tail from the eta of the shapes."""

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return through_matrix(density_jet(u, *self.shapes(*shapes), order), self.by_shapes)

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        # The derivative in the place is the hazard, whose own are those of density and tail.
        own = self.shapes(*shapes)
        rows = tail_jet(u, *own, upper, order)
        if rows.gradient is None:
            return rows
        density = density_jet(u, *own, 1)
        assert density.gradient is not None
        hazard = np.exp(rows.value - density.value - self._constant) * (1.0 if upper else -1.0)
        gradient = (hazard, *rows.gradient)
        if rows.curvature is None:
            return through_matrix(Rows(rows.value, gradient), self.by_shapes)
        pairs = zip(gradient, density.gradient, strict=True)
        curvature = (*(hazard * (mine - other) for mine, other in pairs), *rows.packed)
        return through_matrix(Rows(rows.value, gradient, curvature), self.by_shapes)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        spread, shapes = np.asarray(eta[1]), np.broadcast_arrays(*eta[2:])
        still = (np.zeros(()), np.zeros(()), *(shape[..., None] for shape in shapes))
        with np.errstate(all="ignore"):  # of laws far out that a solver tries
            x, weights = nodes(*self.shapes(*shapes))
            g = self.evaluate((x,), still, 1).gradient
            rate = np.exp(-spread)
        assert g is not None
        return tuple(
            np.where(weights > 0.0, g[i] * g[j] * weights, 0.0).sum(axis=-1)
            * rate ** ((i == 0) + (j == 0))
            for i, j in triangle(len(eta))
        )

    # ---------------------------------------------------------------- the law, whole

    def _standard(self, theta: Arrays) -> tuple[Array, Array]:
        """Return skew/3 and tail."""
        return self.shapes(*self.chart(self.eta(theta))[2:])

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        score = -ndtri(q) if upper else ndtri(q)
        return theta[0] + theta[1] * rough_quantile(score, *self._standard(theta))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return theta[0] + theta[1] * draws(*self._standard(theta), size, rng)

    def mean(self, theta: Arrays) -> Array:
        return theta[0] + theta[1] * moments(*self._standard(theta))[0]

    def std(self, theta: Arrays) -> Array:
        return theta[1] * moments(*self._standard(theta))[1] + 0.0 * np.asarray(theta[0])

    def known_entropy(self, theta: Arrays) -> Array:
        own = self._standard(theta)
        x, weights = nodes(*own)
        rows = density_jet(x, own[0][..., None], own[1][..., None], 0)
        value = np.where(weights > 0.0, weights * rows.value, 0.0).sum(axis=-1)
        return value + 0.5 * LOG_2PI + np.log(theta[1]) + 0.0 * np.asarray(theta[0])


class NormalInverseGaussian(_Mixed):
    """Barndorff-Nielsen's law with `loc`, which is next to the mode, `scale`, `skew` and `tail`.

    It is the law of a normal variable whose mean and variance are m + b V and V, V being inverse
    Gaussian: of returns of assets, of turbulence. With k = skew/3, D = 1 + tail, W = k^2 + tail/D,
    M = 1/D + 3/2 W and J^2 = 1/D^2 + 3/2 k^2 (3/2 W + 2/D),

        mean = loc + 3/2 k D scale         skewness = skew D M/(J sqrt(D))
        std = J D sqrt(D) scale            excess kurtosis = 3 tail/(J D)^2 + 5/3 skewness^2.

    So next to the normal law the scale is the standard deviation, the skew is the skewness, and the
    tail is a third of the excess kurtosis. As tail -> 0 it is the inverse Gaussian
    law from a free end on, which lies below for positive skew; with skew 0 it is normal there. Fits
    to data with lighter tails end at it (status "boundary"). As the tail grows, it becomes Cauchy's
    law with this loc and scale if the skew is 0; but for samples of that, too, the likelihood has
    its maximum before.

    The four parameters of its textbooks, alpha, beta, mu and delta, run off together next to the
    normal law, along a ridge, and next to Cauchy's law no moments are told by data. The parameters
    here have errors of the usual size in both places. scipy: ``norminvgauss(J/sqrt(N W),
    beta, loc - scale k/W, scale sqrt(N)/W)`` with N = tail/D, beta = k D M/sqrt(N). In the
    shape triangle the steepness is sqrt(D W/(1 + D W)).

    The likelihood is unbounded if more than half of the observations are equal, or a third of them
    and the least or the largest. What a fit then returns is a local maximum away from there, if it
    finds one.

    References
    ----------
    Barndorff-Nielsen (1997), Normal inverse Gaussian distributions and stochastic volatility
    modelling, Scandinavian Journal of Statistics 24.
    Karlis (2002), An EM type algorithm for maximum likelihood estimation of the normal-inverse
    Gaussian distribution, Statistics & Probability Letters 57.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle import MLEDistribution
    >>> x = stats.norminvgauss(1.5, 0.5, 0.0, 2.0).rvs(3000, random_state=0)
    >>> model = MLEDistribution("norminvgauss").fit(x[:, None])
    >>> law = model.distribution_
    >>> print({name: round(value, 1) for name, value in model.params_.items()})
    {'loc': 0.3, 'scale': 1.2, 'skew': 0.3, 'tail': 0.8}
    >>> print(round(float(law.mean()), 1), round(float(law.std()), 1))
    0.7 1.7
    """

    scipy_name = "norminvgauss"
    several_modes = True
    parameters = (*LocationScale.parameters, Param("skew", IDENTITY), Param("tail", LOG))
    by_shapes = np.diag([1.0, 1.0 / 3.0, 1.0])

    @property
    def title(self) -> str:
        return "Normal-inverse Gaussian"  # a name keeps its capital

    @property
    def limits(self) -> tuple[Limit, ...]:
        links = self.links_of(("loc", "scale", "skew"))
        return (Limit("tail", 0.0, InverseGaussianFromEnd(links=links)),)

    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        skew, log_tail = shapes
        return np.asarray(skew) / 3.0, np.exp(np.clip(np.asarray(log_tail), -_LARGEST, _LARGEST))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # By the four moments; and by quantiles, for tails by which moments are not told.
        (y,) = statistics
        mean = average(y, weight)
        away = y - mean
        std = float(np.sqrt(average(away * away, weight)))
        if not std > 0.0:
            return [(mean, -np.inf, 0.0, 0.0)]
        z = away / std
        square = z * z
        lean = float(np.clip(average(z * square, weight), -_SKEWED, _SKEWED)) / 3.0
        excess = average(square * square, weight) - 3.0
        theta = _of_moments(mean, std, lean, max(excess / 3.0 - 5.0 * lean * lean, _LEAST))
        centre, spread = centre_and_spread(y, weight)
        others = [(centre, np.log(k * spread), 0.0, np.log(tail)) for tail, k in _OTHERS]
        first = theta[0], np.log(theta[1]), theta[2], np.log(theta[3])
        starts = [tuple(float(e) for e in start) for start in (first, *others)]
        return best_of_kinds(self, statistics, weight, starts, lambda start: None)

    def saturated(self, statistics: Arrays) -> Saturated:
        limit = super().saturated(statistics)
        assert limit is not None
        return limit._replace(others=(limit.others[0], 0.0, 0.0))

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        u, _ = self.places(statistics, eta)
        nearest = np.min(nearness(u, *self.shapes(*eta[2:])), initial=np.inf)
        return _TO_AN_END if nearest < _NEAR_END else None

    # ---------------------------------------------------------------- the law, whole

    def _inside(self, theta: Arrays) -> NDArray[np.bool_]:
        # The formulas hold without a tail, and of the largest.
        *others, tail = theta
        known = (np.asarray(tail) == 0.0) | (np.asarray(tail) == np.inf)
        return super()._inside((*others, np.where(known, 1.0, tail)))

    def at_end(self, theta: Arrays) -> Any:
        if np.all(np.asarray(theta[3]) == 0.0):
            return Distribution.of(InverseGaussianFromEnd(), theta[:3])
        return super().at_end(theta)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        limit = InverseGaussianFromEnd()
        eta = limit.eta(theta[:3])
        if not np.all(np.isfinite(np.hstack([*map(np.ravel, eta)]))):
            return super().log_prob_at_edge(y, theta)
        if not np.any(theta[3]):
            return limit.log_prob(y, eta)
        return self.log_prob(y, self.eta(theta))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import norminvgauss

        loc, scale, *_ = theta
        with np.errstate(all="ignore"):
            a, b, at, delta = to_textbook(*self._standard(theta))
            return norminvgauss(a, b, loc + scale * at, scale * delta)

    @classmethod
    def from_scipy(
        cls, a: Array, b: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        third, tail, at, size = from_textbook(np.asarray(a, float), np.asarray(b, float))
        return cls(), (loc + scale * at, scale * size, 3.0 * third, tail)


def _of_moments(mean: float, std: float, lean: float, rest: float) -> tuple[float, ...]:
    """Return loc, scale, skew and tail.

    They are those of a third of the skewness, and of what the excess kurtosis has more than
    5/3 skewness^2.
    """
    both = lean * lean + rest
    delta, root = float(np.sqrt(rest)) / both, float(np.sqrt(rest))
    alpha, beta = 1.0 / (root * np.sqrt(both)), lean / (root * both)
    third, tail, at, size = map(float, from_textbook(np.asarray(alpha), np.asarray(beta)))
    return mean + std * (delta * at - lean / both), std * delta * size, 3.0 * third, tail


_TO_AN_END = (
    "skew",
    "the end of the support comes near to an observation, around which the density grows without "
    "bound, and no local maximum was found away from there",
)


class InverseGaussianFromEnd(_Mixed):
    """Inverse Gaussian law from a free end, with `loc`, `scale` and `skew`.

    With k = skew/3, 1 + k (y - mean)/std is inverse Gaussian, with mean 1; mean = loc + 3/2 k scale
    and std = (1 + 3/2 k^2) scale. The skew is the skewness. The end, loc - scale/k, lies below for
    positive skew and above for negative. With skew 0 the law is normal. scipy, for positive skew:
    ``invgauss(k**2, loc - scale/k, std/k**3)``.

    References
    ----------
    Cheng & Amin (1981), Maximum likelihood estimation of parameters in the inverse Gaussian
    distribution, with unknown origin, Technometrics 23.
    """

    parameters = NormalInverseGaussian.parameters[:3]
    support = Support(fixed=False)
    by_shapes = NormalInverseGaussian.by_shapes[:, :2]

    @property
    def title(self) -> str:
        return "Inverse Gaussian from an end"  # a name keeps its capital

    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        third = np.asarray(shapes[0]) / 3.0
        return third, np.zeros_like(third)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return _inside(super().jet(u, shapes, order), u, shapes, np.inf)

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        whole = (np.asarray(shapes[0]) > 0.0) == upper  # beyond an end below
        rows = super().tail_jet(u, shapes, upper, order)
        return _inside(rows, u, shapes, np.where(whole, 0.0, np.inf))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc, log_scale, skew, _ = NormalInverseGaussian().starts(statistics, weight)[0]
        with np.errstate(divide="ignore", over="ignore"):
            ends = 3.0 * np.exp(log_scale) / np.array([loc - np.min(y), np.max(y) - loc])
        reach = (1.0 - _ROOM) * np.where(ends > 0.0, ends, np.inf)
        return [(loc, log_scale, float(np.clip(skew, -reach[1], reach[0])))]

    def widened(self, eta: Arrays) -> Arrays:
        loc, log_scale, skew = eta
        return loc, log_scale + np.log(2.0), 0.5 * skew

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        u, _ = self.places(statistics, eta)
        nearest = np.min(nearness(u, *self.shapes(*eta[2:])), initial=np.inf)
        return _TO_AN_END if nearest < _NEAR_END else None

    # ---------------------------------------------------------------- the law, whole

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        loc, scale, skew = (np.asarray(part, float) for part in theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            end = loc - 3.0 * scale / skew
        return np.where(skew > 0.0, end, -np.inf), np.where(skew < 0.0, end, np.inf)

    def _inverse(self, q: Array, theta: Arrays, upper: bool) -> Array:
        low, high = self.ends(theta)
        known = np.where((np.asarray(q) == 0.0) == upper, high, low)
        at_ends = np.isin(q, (0.0, 1.0))
        between = super()._inverse(np.where(at_ends, 0.5, q), theta, upper)
        return np.where(at_ends, known, between)


def _inside(rows: Rows, u: Array, shapes: Arrays, beyond: Any) -> Rows:
    """Return rows with a value for those beyond the end of the support, of which none moves."""
    outside = 1.0 + np.asarray(shapes[0]) / 3.0 * u <= 0.0
    if not outside.any():
        return rows
    value = np.where(outside, beyond, rows.value)
    if rows.gradient is None:
        return Rows(value)
    gradient = tuple(np.where(outside, 0.0, part) for part in rows.gradient)
    if rows.curvature is None:
        return Rows(value, gradient)
    packed = ((0.0 if part is None else part) for part in rows.packed)
    return Rows(value, gradient, tuple(np.where(outside, 0.0, part) for part in packed))
