"""The Laplace (double exponential) law."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import Array, Arrays, Family, Rows, Shortcuts, average
from skmle.families.tools.divergences import gap, rise
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.quantiles import weighted_quantile


class SmoothLaplace(LocationScale):
    """Laplace's law with its cusp rounded off within `radius` scales: rho = sqrt(z^2 + radius^2).

    As a conditional law, Laplace's maximum is where p residuals vanish, at cusps, where no Newton
    step can confirm it. The rounded laws are smooth and convex in the location; their maxima lead
    to it as the radius shrinks.
    """

    cusps = True  # of its tails, which are Laplace's

    def __init__(self, radius: float = 1.0, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.radius = radius

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        rho = np.sqrt(z * z + self.radius**2)
        return rho, z / rho, self.radius**2 / rho**3

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return Laplace.starts(self, statistics, weight)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # Of a tail, Laplace's law has no cusp that matters.
        return Laplace().tail(statistics, eta, upper, order)

    def to_scipy(self, theta: Arrays) -> Any:
        raise NotImplementedError(
            "SmoothLaplace is a step towards Laplace in a fit, not a law of its own."
        )


class Laplace(LocationScale):
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

    shortcuts = Shortcuts(starts="final")
    cusps = True
    scipy_name = "laplace"

    def standard(self, z: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        # The curvature is that of the expectation: -log q has none but for its cusp.
        return np.abs(z), np.sign(z), np.ones(())

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Any:
        rows = super().evaluate(statistics, eta, order)
        if rows.curvature is None:
            return rows
        return rows._replace(curvature=self.expected_curvature(statistics, eta))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        rate = np.exp(-np.asarray(eta[1]))
        return rate * rate, None, np.ones(())

    def log_sf(self, z: Array) -> Array:
        return np.where(z > 0.0, -z - np.log(2.0), np.log1p(-0.5 * np.exp(np.minimum(z, 0.0))))

    def log_cdf(self, z: Array) -> Array:
        return self.log_sf(-z)

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(np.log(2.0))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc = weighted_quantile(y, weight, 0.5)
        with np.errstate(divide="ignore"):  # of equal observations
            return [(loc, float(np.log(average(np.abs(y - loc), weight))))]

    def smoothings(self) -> tuple[Family, ...]:
        return tuple(SmoothLaplace(10.0**-k, links=self.links) for k in range(13))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import laplace

        return laplace(*theta)

    @classmethod
    def from_scipy(cls, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale)

    def known_entropy(self, theta: Arrays) -> Array:
        return 1.0 + np.log(2.0 * theta[1])

    def divergence(self, p: Arrays, q: Arrays) -> Array:
        (loc_p, scale_p), (loc_q, scale_q) = p, q
        ratio = scale_p / scale_q
        return gap(ratio) + ratio * rise(-np.abs(loc_p - loc_q) / scale_p)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale = theta
        return rng.laplace(loc, scale, size=size)
