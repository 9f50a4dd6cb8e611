"""The normal-inverse-Gaussian law, and its limits: with the lightest tails, and the heaviest."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmle.families.algebra import constant_at
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
)
from skmle.families.chain_rules import through_matrix
from skmle.families.law import ByStd
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.expected import expected_curvature
from skmle.families.tools.inverse_gaussian_mixing import (
    HEAVIEST,
    beyond_end,
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
from skmle.families.tools.quantiles import centre_and_spread, weighted_quantile
from skmle.families.tools.screened import best_of_kinds
from skmle.families.tools.special import LOG_2PI
from skmle.families.tools.with_shapes import WithShapes

# Largest skewness of a start, and its least third of excess kurtosis beyond 5/3 skewness^2.
_SKEWED, _LEAST = 3.0, 0.1
# Skew of the starts of the heaviest laws.
_LEAN = 0.3
# Share of the way from the location to an end of the support that a start leaves beyond the data.
_ROOM = 0.3
# Distance of the nearest observation from the end of the support, in that of the mean, from which
# on a fit that has come to no maximum is on its way there. Chosen, not measured.
_NEAR_END = 0.02


class _Mixed(ByStd, ByTails, WithShapes):
    """Laws of a location, a scale and a skew, of which some have a tail to be fitted, too."""

    several_modes = True
    by_shapes: ClassVar[Array] = np.diag([1.0, 1.0 / 3.0, 1.0])[:, :2]
    """The derivatives of place, skew/3 and log tail in the place and the eta of the shapes."""

    @abstractmethod
    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        """Return skew/3 and tail from the eta of the shapes."""

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        own = self.shapes(*shapes)
        rows = through_matrix(density_jet(u, *own, order), self.by_shapes)
        outside = beyond_end(u, *own)
        return constant_at(outside, np.inf, rows) if outside.any() else rows

    def tail_in_shapes(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        rows = tail_jet(u, *self.shapes(*shapes), upper, order)
        return through_matrix(rows, self.by_shapes[1:, 1:])

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        rows, own = super().tail_jet(u, shapes, upper, order), self.shapes(*shapes)
        if not (outside := beyond_end(u, *own)).any():
            return rows
        all_of_it = (own[0] > 0.0) == upper  # the end is below
        return constant_at(outside, np.where(all_of_it, 0.0, np.inf), rows)

    def standard_curvature(self, eta: Arrays) -> Arrays:
        return expected_curvature(self, eta, _nodes)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        u, _ = self.places(statistics, eta)
        nearest = np.min(nearness(u, *self.shapes(*eta[2:])), initial=np.inf)
        return _TO_AN_END if nearest < _NEAR_END else None

    # ---------------------------------------------------------------- the law, whole

    def standard_shapes(self, theta: Arrays) -> tuple[Array, Array]:
        """Return skew/3 and tail."""
        with np.errstate(divide="ignore"):  # the logarithm of no tail
            return self.shapes(*self.chart(self.eta(theta))[2:])

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        third, tail = self.standard_shapes(theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            end = np.where(tail == 0.0, theta[0] - theta[1] / third, np.nan)
        return np.where(end < theta[0], end, -np.inf), np.where(end > theta[0], end, np.inf)

    def _inverse(self, q: Array, theta: Arrays, upper: bool) -> Array:
        low, high = self.ends(theta)
        at_ends = np.isin(q, (0.0, 1.0))
        known = np.where((np.asarray(q) == 0.0) == upper, high, low)
        between = super()._inverse(np.where(at_ends, 0.5, q), theta, upper)
        return np.where(at_ends, known, between)[()]

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        score = -ndtri(q) if upper else ndtri(q)
        return theta[0] + theta[1] * rough_quantile(score, *self.standard_shapes(theta))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return theta[0] + theta[1] * draws(*self.standard_shapes(theta), size, rng)

    def mean(self, theta: Arrays) -> Array:
        return theta[0] + theta[1] * moments(*self.standard_shapes(theta))[0]

    def std(self, theta: Arrays) -> Array:
        return theta[1] * moments(*self.standard_shapes(theta))[1] + 0.0 * np.asarray(theta[0])

    def known_entropy(self, theta: Arrays) -> Array:
        own = self.standard_shapes(theta)
        x, weights = nodes(*own)
        rows = density_jet(x, own[0][..., None], own[1][..., None], 0)
        value = np.where(weights > 0.0, weights * rows.value, 0.0).sum(axis=-1)
        return value + 0.5 * LOG_2PI + np.log(theta[1]) + 0.0 * np.asarray(theta[0])


def _nodes(family: Family, theta: Arrays) -> tuple[Array, Array]:
    """Return values of y and their weights for each law, as `expected_curvature` asks."""
    assert isinstance(family, _Mixed)
    x, weights = nodes(*family.standard_shapes(theta))
    return theta[0][..., None] + theta[1][..., None] * x, weights


class NormalInverseGaussian(_Mixed):
    """Barndorff-Nielsen's law with `loc`, which is next to the mode, `scale`, `skew` and `tail`.

    It is the law of a normal variable whose mean and variance are m + b V and V, V being inverse
    Gaussian: of returns of assets, of turbulence. With k = skew/3, D = 1 + tail, W = k^2 + tail/D,
    M = 1/D + 3/2 W and J^2 = 1/D^2 + 3/2 k^2 (3/2 W + 2/D),

        mean = loc + 3/2 k D scale         skewness = skew D M/(J sqrt(D))
        std = J D sqrt(D) scale            excess kurtosis = 3 tail/(J D)^2 + 5/3 skewness^2.

    So next to the normal law the scale is the standard deviation, the skew is the skewness, and the
    tail is a third of the excess kurtosis. As tail -> 0 it is the inverse Gaussian law from a free
    end on, which lies below for positive skew; with skew 0 it is normal there. Fits to data with
    lighter tails end at it (status "boundary"). As the tail grows, it becomes the law of a normal
    variable with a variance of Levy's law, which is Cauchy's if the skew is 0. Fits to censored or
    truncated data may end there; the likelihood of others has its maximum before.

    The four parameters of its textbooks, alpha, beta, mu and delta, run off together next to the
    normal law, along a ridge, and next to Cauchy's law no moments are told by data. The parameters
    here have errors of the usual size in both places. scipy: ``norminvgauss(J/sqrt(N W),
    beta, loc - scale k/W, scale sqrt(N)/W)`` with N = tail/D, beta = k D M/sqrt(N). In the
    shape triangle the steepness is sqrt(D W/(1 + D W)).

    The likelihood is unbounded if more than half of the observations are equal, or more than a
    third of them equal the least, or the largest. What a fit then returns is a local maximum away
    from there, if it finds one.

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
    parameters = (*LocationScale.parameters, Param("skew", IDENTITY), Param("tail", LOG))
    by_shapes = np.diag([1.0, 1.0 / 3.0, 1.0])

    @property
    def title(self) -> str:
        return "Normal-inverse Gaussian"  # a name keeps its capital

    @property
    def limits(self) -> tuple[Limit, ...]:
        links = self.links_of(("loc", "scale", "skew"))
        return (Limit("tail", 0.0, InverseGaussianFromEnd(links=links)),)

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        links = self.links_of(("loc", "scale", "skew"))
        return (Limit("tail", np.inf, NormalLevy(links=links)),)

    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        skew, log_tail = shapes
        return np.asarray(skew) / 3.0, np.exp(np.minimum(log_tail, np.log(HEAVIEST)))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # By the four moments; and by quantiles, for tails by which moments are not told: moderate
        # ones, and those that reach to the farthest observation.
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
        low, middle, high = (weighted_quantile(y, weight, q) for q in (0.125, 0.5, 0.875))
        slant = (low + high - 2.0 * middle) / (high - low) if high > low else 0.0
        reach = max(np.max(np.abs(y - centre)) / spread, 1.0)
        others = [(centre, np.log(spread), slant, np.log(tail)) for tail in (1.0, reach)]
        first = theta[0], np.log(theta[1]), theta[2], np.log(theta[3])
        starts = [tuple(float(e) for e in start) for start in (first, *others)]
        return best_of_kinds(self, statistics, weight, starts, lambda start: None)

    def saturated(self, statistics: Arrays) -> Saturated:
        limit = super().saturated(statistics)
        assert limit is not None
        return limit._replace(others=(limit.others[0], 0.0, 0.0))

    # ---------------------------------------------------------------- the law, whole

    def _inside(self, theta: Arrays) -> NDArray[np.bool_]:
        # The formulas hold without a tail, and of the largest.
        *others, tail = theta
        known = (np.asarray(tail) == 0.0) | (np.asarray(tail) == np.inf)
        return super()._inside((*others, np.where(known, 1.0, tail)))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        if self._inside(theta).all():
            return self.log_prob(y, self.eta(theta))
        return super().log_prob_at_edge(y, theta)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import norminvgauss

        loc, scale, *_ = theta
        with np.errstate(all="ignore"):
            a, b, at, delta = to_textbook(*self.standard_shapes(theta))
            return norminvgauss(a, b, loc + scale * at, scale * delta)

    @classmethod
    def from_scipy(
        cls, a: Array, b: Array, loc: Array, scale: Array
    ) -> tuple[Family, Arrays] | None:
        if not np.all(np.abs(b) < a):
            return None
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

    @property
    def title(self) -> str:
        return "Inverse Gaussian from an end"  # a name keeps its capital

    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        third = np.asarray(shapes[0]) / 3.0
        return third, np.zeros_like(third)

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


class NormalLevy(_Mixed):
    """Law of a normal variable whose variance is of Levy's law, with `loc`, `scale` and `skew`.

    With k = skew/3 and d = scale/(1 + k^2), y = loc + k d (3/2 V - 1) + d sqrt(V) Z, where Z and
    1/sqrt(V) are standard normal. So one tail is that of V, of a power of -1/2, and the other falls
    exponentially. With skew 0 it is Cauchy's law. It has no moments.
    """

    parameters = NormalInverseGaussian.parameters[:3]

    @property
    def title(self) -> str:
        return "Normal-Levy"

    def shapes(self, *shapes: Array) -> tuple[Array, Array]:
        third = np.asarray(shapes[0]) / 3.0
        return third, np.full_like(third, HEAVIEST)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # Of no skew its second derivative is infinite.
        centre, spread = centre_and_spread(statistics[0], weight)
        return [(centre, float(np.log(spread)), skew) for skew in (_LEAN, -_LEAN)]
