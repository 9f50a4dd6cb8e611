"""The Laplace (double exponential) law, symmetric or not: median and quantile regression."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, Rows, Shortcuts, average
from skmle.families.tools.divergences import gap, rise
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.quantiles import weighted_quantile


class TwoExponentials(LocationScale):
    """The base of laws that fall exponentially on both sides of a cusp at `loc`.

    rho(z) is up z above zero and -down z below it. Of the law, down : up is the probability above
    the cusp to that below it.
    """

    shortcuts = Shortcuts(starts="final")
    cusps = True

    @property
    @abstractmethod
    def slopes(self) -> tuple[float, float]:
        """How -log q rises on both sides of the cusp, for each scale: (up, down)."""

    @property
    def _below(self) -> float:
        """The probability below the cusp."""
        up, down = self.slopes
        return up / (up + down)

    @property
    def _constant(self) -> float:
        up, down = self.slopes
        return float(np.log(1.0 / up + 1.0 / down))

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        # The curvature is that of the expectation: -log q has none but for its cusp.
        up, down = self.slopes
        slope = 0.5 * (up - down) + 0.5 * (up + down) * np.sign(z)
        return slope * z, slope, np.asarray(up * down)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Any:
        rows = super().evaluate(statistics, eta, order)
        if rows.curvature is None:
            return rows
        return rows._replace(curvature=self.expected_curvature(statistics, eta))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        up, down = self.slopes
        rate = np.exp(-np.asarray(eta[1]))
        return up * down * rate * rate, None, np.ones(())

    def log_sf(self, z: Array) -> Array:
        return _log_tail(z, *self.slopes)

    def log_cdf(self, z: Array) -> Array:
        return _log_tail(-z, *self.slopes[::-1])

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(self._constant)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc = weighted_quantile(y, weight, self._below)
        with np.errstate(divide="ignore"):  # of equal observations
            return [(loc, float(np.log(average(self.standard(y - loc, 0)[0], weight))))]

    def smoothings(self) -> tuple[Family, ...]:
        law = self.without_links()
        return tuple(SmoothLaplace(law, 10.0**-k, links=self.links) for k in range(13))

    @abstractmethod
    def without_links(self) -> Family:
        """Return this law under its own links."""

    def known_entropy(self, theta: Arrays) -> Array:
        return 1.0 + self._constant + np.log(theta[1])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (loc_p, scale_p), (loc_q, scale_q) = p, q
        up, down = self.slopes
        ratio, moved = scale_p / scale_q, (loc_p - loc_q) / scale_p
        above, below = rise(-down * np.maximum(moved, 0.0)), rise(up * np.minimum(moved, 0.0))
        return gap(ratio) + ratio * (up / down * above + down / up * below)


def _log_tail(z: Array, up: float, down: float) -> Array:
    """Return log P(Z > z)."""
    beyond = np.log(down / (up + down)) - up * z
    before = np.log1p(-up / (up + down) * np.exp(down * np.minimum(z, 0.0)))
    return np.where(z > 0.0, beyond, before)


class Laplace(TwoExponentials):
    """Laplace law with median `loc` and mean absolute deviation `scale`.

    ``q(y) = exp(-|z|) / (2 scale)``, z = (y - loc)/scale. A density's maximum is the (weighted)
    median; as a conditional law it is median regression. scipy: ``laplace(loc, scale)``; R:
    ``extraDistr::dlaplace(y, loc, scale)``.

    References
    ----------
    Kotz, Kozubowski & Podgorski (2001), The Laplace Distribution and Generalizations, ch. 2.
    Koenker & Bassett (1978), Regression quantiles, Econometrica 46 (the covariance of the
    conditional law).

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("laplace").fit([[0.0], [1.0], [5.0]])
    >>> float(model.params_["loc"]), round(float(model.params_["scale"]), 4)
    (1.0, 1.6667)
    """

    scipy_name = "laplace"
    slopes = (1.0, 1.0)

    def without_links(self) -> Family:
        return Laplace()

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import laplace

        return laplace(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return rng.laplace(loc, scale, size=size)


class AsymmetricLaplace(TwoExponentials):
    """Asymmetric Laplace law whose `loc` is a quantile, of a given level, with `scale`.

    q(y) = level (1 - level)/scale exp(-check(z)), z = (y - loc)/scale, where check(z) is level z
    for z > 0 and (level - 1) z for z < 0, of mean 1. So P(Y <= loc) = level, and the maximum of a
    density is at that (weighted) quantile of the observations. As a conditional law,
    ``MLERegressor("asymmetric_laplace", fixed={"quantile": 0.9})``, it *is* quantile regression,
    whatever the law of the data: `coef_` and `intercept_` are those of the quantile, and
    ``predict_quantile(X, 0.9)`` predicts it (`predict` is the mean of the law). The default errors
    are those of a sandwich.

    The level is a setting of the law and not fitted: the likelihood beside a free one has several
    maxima, or none. A density of three parameters is that of ``ScipyFamily("laplace_asymmetric")``,
    where scipy's ``laplace_asymmetric(kappa, loc, s)`` is this law with
    kappa^2 = level/(1 - level) and s = scale/sqrt(level (1 - level)). R: ``ald::dALD(mu, sigma,
    p)``.

    Parameters
    ----------
    level : float, default=0.5
        The probability below `loc`.
    links : dict of str to str or Link, optional

    References
    ----------
    Koenker & Bassett (1978), Regression quantiles, Econometrica 46.
    Yu & Zhang (2005), A three-parameter asymmetric Laplace distribution and its extension,
    Communications in Statistics - Theory and Methods 34.

    Examples
    --------
    >>> from skmle import MLERegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 1.5, 2.0, 5.0, 4.0]
    >>> model = MLERegressor("asymmetric_laplace", fixed={"quantile": 0.75}).fit(X, y)
    >>> print(model.coef_.round(3), round(model.intercept_, 3))
    [1.667] 0.0
    """

    not_tried = "its quantile is a setting: name it if you have one in mind"

    def __init__(self, level: float = 0.5, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.level = level

    @property
    def title(self) -> str:
        return f"Asymmetric Laplace (quantile {self.level:g})"

    @property
    def slopes(self) -> tuple[float, float]:  # type: ignore[override]
        level = float(self.level)
        if not 0.0 < level < 1.0:
            raise ValueError(
                f"AsymmetricLaplace: the quantile of level {level:g} is not allowed. Allowed: "
                "numbers between 0 and 1. Give one."
            )
        return level, 1.0 - level

    def taking(self, values: Mapping[str, float]) -> tuple[Family, dict[str, float]]:
        rest = dict(values)
        level = rest.pop("quantile", None)
        if level is None:
            return self, rest
        law = AsymmetricLaplace(level, links=self.links)
        return (law, rest) if law.slopes else (self, rest)

    def without_links(self) -> Family:
        return AsymmetricLaplace(self.level)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        loc, scale = theta
        return loc - scale * _isf(q, *self.slopes[::-1])

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        loc, scale = theta
        return loc + scale * _isf(q, *self.slopes)

    def mean(self, theta: Arrays) -> Array:
        up, down = self.slopes
        return theta[0] + theta[1] * (1.0 / up - 1.0 / down)

    def variance(self, theta: Arrays) -> Array:
        up, down = self.slopes
        return np.square(theta[1]) * (1.0 / up**2 + 1.0 / down**2)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # The difference of two exponential variables.
        (loc, scale), (up, down) = theta, self.slopes
        above, below = rng.standard_exponential(size), rng.standard_exponential(size)
        return loc + scale * (above / up - below / down)


def _isf(q: Array, up: float, down: float) -> Array:
    """Return the z with P(Z > z) = q."""
    q, above = np.asarray(q, float), down / (up + down)
    with np.errstate(all="ignore"):  # of levels outside 0..1
        z = np.where(q < above, -np.log(q / above) / up, np.log((1.0 - q) / (1.0 - above)) / down)
        return np.where((q >= 0.0) & (q <= 1.0), z, np.nan)


class SmoothLaplace(LocationScale):
    """A law of two exponentials with its cusp rounded off: |z| is sqrt(z^2 + radius^2).

    As a conditional law, its maximum is where p residuals vanish, at cusps, where no Newton step
    can confirm it. The rounded laws are smooth and convex in the location; their maxima lead to it
    as the radius shrinks.
    """

    cusps = True  # of its tails, which are those of the law itself

    def __init__(self, law: Any = None, radius: float = 1.0, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.law = law
        self.radius = radius

    @property
    def _sharp(self) -> TwoExponentials:
        return Laplace() if self.law is None else self.law

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        up, down = self._sharp.slopes
        half, tilt = 0.5 * (up + down), 0.5 * (up - down)
        size = np.sqrt(z * z + self.radius**2)
        return half * size + tilt * z, half * z / size + tilt, half * self.radius**2 / size**3

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return self._sharp.starts(statistics, weight)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # Of a tail, the law itself has no cusp that matters.
        return self._sharp.tail(statistics, eta, upper, order)

    def to_scipy(self, theta: Arrays) -> Any:
        raise NotImplementedError(
            "SmoothLaplace is a step towards a law in a fit, not a law of its own."
        )
