"""The generalised Pareto law of excesses over a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.base import (
    IDENTITY,
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Stretch,
    Support,
    average,
)
from skmle.families.exponential import Exponential
from skmle.families.law import ByStd
from skmle.families.tools.moving_ends import Shaped
from skmle.families.tools.special import log_complement

# Rows of which starts are found, at most: the profile likelihood is asked at each place of a grid.
_ROWS = 2048
# The places, as multiples of shape/scale times the largest observation, from -1 on, where the end
# of the support meets it. Local maxima between two of them are missed; chosen, not measured.
_PLACES = np.concatenate(
    [
        -1.0 + np.geomspace(1e-9, 0.5, 18),
        np.linspace(-0.45, -0.05, 9),
        [0.0],
        np.geomspace(0.02, 1e4, 24),
        np.geomspace(1e5, 1e16, 12),
    ]
)
# Shape on the way to that of equal observations, whose density is all next to its end.
_STEEP = 1e8


class GeneralizedPareto(ByStd, Shaped):
    """Generalised Pareto law of y >= 0 with `scale` and `shape`.

    P(Y > y) = (1 + shape y/scale)^(-1/shape), and q(y) = (1 + shape y/scale)^(-1/shape - 1)/scale
    where 1 + shape y/scale > 0: the law of excesses over a high threshold. Tails are heavy for
    positive shapes, exponential for shape 0; for negative ones y ends at -scale/shape. scipy:
    ``genpareto(shape, scale=scale)``; R: ``evd::dgpd(y, 0, scale, shape)``. A threshold other than
    0 is subtracted first; it is chosen, not estimated.

    The likelihood has no bound as the shape falls below -1 and the end of the support comes near to
    the largest observation. A fit is the best local maximum away from there; where there is none,
    its status says so.

    References
    ----------
    Grimshaw (1993), Computing maximum likelihood estimates for the generalized Pareto distribution,
    Technometrics 35. Coles (2001), An Introduction to Statistical Modeling of Extreme Values.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> x = np.random.default_rng(0).pareto(4.0, size=(2000, 1))  # shape and scale are 1/4
    >>> model = MLEDistribution("gpd").fit(x)
    >>> print({name: round(value, 2) for name, value in model.params_.items()})
    {'scale': 0.25, 'shape': 0.27}
    """

    scipy_name = "genpareto"
    parameters = (Param("scale", LOG), Param("shape", IDENTITY))
    support = Support(0.0, closed=(True, False), fixed=False)
    stretch = Stretch((1.0, 0.0))

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        chosen = self.links_of(("scale",))
        links = None if chosen is None else {"mean": chosen["scale"]}
        return (Limit("shape", 0.0, Exponential(links=links), places=("scale",)),)

    # W is exponential.

    def standard(self, w: Array, order: int) -> tuple[Array, Array | None, Array | None]:
        return w, np.ones(()), np.zeros(())

    def log_sf(self, w: Array) -> Array:
        return -w

    def log_cdf(self, w: Array) -> Array:
        with np.errstate(divide="ignore"):
            return log_complement(-w)

    def tail_slopes(self, w: Array, value: Array, upper: bool) -> tuple[Array, Array]:
        if upper:
            return np.ones_like(w), np.zeros_like(w)
        hazard = 1.0 / np.expm1(w)
        return -hazard, hazard * (1.0 + hazard)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # All local maxima of the profile likelihood of t = shape/scale, in which the shape is the
        # mean of log(1 + t y). Towards the end of the support it rises for ever.
        step = -(-len(statistics[0]) // _ROWS)
        y = statistics[0][::step]
        weight = None if weight is None or len(weight) == 1 else weight[::step]
        largest = y.max()
        with np.errstate(all="ignore"):
            shape = np.array([average(np.log1p(p * (y / largest)), weight) for p in _PLACES])
            scale = np.where(_PLACES == 0.0, average(y / largest, weight), shape / _PLACES)
            loss = np.log(scale) + shape
            inner, before, after = loss[1:-1], loss[:-2], loss[2:]
            at = 1 + np.flatnonzero((inner <= before) & (inner < after))
            found: list[tuple[float, ...]] = [
                (float(np.log(scale[i] * largest)), float(shape[i])) for i in at
            ]
            return found or [(float(np.log(average(y, weight))), 0.0)]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        y = statistics[0]
        if not np.all(y == y[0]):
            return None
        with np.errstate(divide="ignore"):
            log_scale = float(np.log(y[0]) + np.log(_STEEP))
        reason = "all observations are equal, so the density grows without bound at its end there"
        return (log_scale, -_STEEP), reason

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # Smith (1984), Threshold methods for sample extremes.
        shape = np.asarray(eta[1])
        with np.errstate(divide="ignore"):
            wide = 1.0 / (1.0 + 2.0 * shape)
        wide = np.where(shape > -0.5, wide, np.nan)
        cross = wide / (1.0 + shape)
        return wide, cross, 2.0 * cross

    # ---------------------------------------------------------------- the law, whole

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import genpareto

        scale, shape = theta
        return genpareto(shape, scale=scale)

    @classmethod
    def from_scipy(cls, c: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(loc) else (cls(), (scale, c))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            w = -np.log1p(-np.asarray(q, float))
            return self.of_shaped_log(np.where(w >= 0.0, w, np.nan), theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            w = -np.log(np.asarray(q, float))
            return self.of_shaped_log(np.where(w >= 0.0, w, np.nan), theta)

    def mean(self, theta: Arrays) -> Array:
        scale, shape = theta
        with np.errstate(divide="ignore"):
            return np.where(shape < 1.0, scale / np.abs(1.0 - shape), np.inf)

    def std(self, theta: Arrays) -> Array:
        shape = theta[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(shape < 0.5, self.mean(theta) / np.sqrt(1.0 - 2.0 * shape), np.inf)

    def known_entropy(self, theta: Arrays) -> Array:
        scale, shape = theta
        return np.log(scale) + shape + 1.0

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.of_shaped_log(rng.standard_exponential(size), theta)
