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
    Saturated,
    Shortcuts,
    Stretch,
    Support,
    average,
)
from skmle.families.exponential import Exponential
from skmle.families.law import ByExponent, ByStd
from skmle.families.tools.moving_ends import NEARLY_MET, Shaped
from skmle.families.tools.quantiles import weighted_quantile
from skmle.families.tools.special import log_complement

# Rows of which starts are found, at most: first those of which the profile likelihood is asked at
# each place of a grid, then those that lead near to the maximum of all rows. Chosen, not measured.
_ROWS = (2048, 65_536)
# The places: multiples of shape/scale times the largest observation from -1 on, where the end of
# the support meets it; and how many there are above zero, and how far they reach in multiples of
# shape/scale times the median. Local maxima between two of them are missed; chosen, not measured.
_BELOW_ZERO = np.concatenate([-1.0 + np.geomspace(1e-9, 0.5, 18), np.linspace(-0.45, -0.05, 9)])
_ABOVE_ZERO, _LEAST, _MOST = 36, 0.02, 1e4
_NEXT_TO_ZERO = 1e-3  # where Newton's method starts from zero
_BLOCK = 16_384  # rows that fit into the cache
# Newton steps at most; and the last of them relative to shape/scale: it squares the distance.
_STEPS, _LAST = 20, 1e-6
# Shape of a law that is nearly all at the end of its support, and how far an observation that it
# reproduces lies below that end, relative to it: far above rounding.
_STEEP, _BELOW = -1e7, 1e-11
_LEAST_END = 1e-290  # of observations at zero


class GeneralizedPareto(ByStd, ByExponent, Shaped):
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

    title = "Generalized Pareto"
    scipy_name = "genpareto"
    parameters = (Param("scale", LOG), Param("shape", IDENTITY))
    support = Support(0.0, closed=(True, False), fixed=False)
    shortcuts = Shortcuts(starts="maximum")
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
        found = local_maxima(statistics[0], weight)
        if found:
            return [maximum[:2] for maximum in found]
        with np.errstate(divide="ignore"):
            return [(float(np.log(average(statistics[0], weight))), 0.0)]

    def saturated(self, statistics: Arrays) -> Saturated:
        y = np.maximum(statistics[0], _LEAST_END)
        log_scale = np.log(y) + float(np.log(-_STEEP) + np.log1p(_BELOW))
        # The distance from the end grows e-fold.
        power = (np.e - 1.0) * _BELOW * -_STEEP
        return Saturated(log_scale, (_STEEP,), "shape", power=power, beside=("shape",))

    def on_that_way(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...] | None:
        # The best law whose support ends there.
        y = statistics[0]
        end = y.max() / (1.0 - NEARLY_MET)
        shape = average(np.log1p(-y / end), weight)
        return float(np.log(-shape) + np.log(end)), shape

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

    def at_exponent(self, exponent: Array, theta: Arrays) -> Array:
        return self.of_shaped_log(np.where(exponent >= 0.0, exponent, np.nan), theta)

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


def local_maxima(y: Array, weight: Array | None) -> list[tuple[float, float, float]]:
    """Return the local maxima of the likelihood of a density, the best one first.

    They are those of the profile likelihood of t = shape/scale, in which the shape is the mean of
    log(1 + t y). Towards the end of the support it rises for ever. Each is told by log scale, shape
    and the mean of -log q.
    """
    largest = max(y.max(), _LEAST_END)
    whole = y / largest
    weight = None if weight is None or len(weight) == 1 else weight
    steps = [-(-len(whole) // rows) for rows in _ROWS] + [1]
    samples = [
        (whole[::step], None if weight is None else weight[::step]) for step in dict.fromkeys(steps)
    ]
    few, few_weights = samples[0]
    mean, middle = average(few, few_weights), weighted_quantile(few, few_weights, 0.5)
    reach = _MOST / max(middle if middle > 0.0 else mean, _LEAST_END)
    places = np.concatenate([_BELOW_ZERO, [0.0], np.geomspace(_LEAST, reach, _ABOVE_ZERO)])
    found = []
    with np.errstate(all="ignore"):
        shape = np.array([average(np.log1p(t * few), few_weights) for t in places])
        loss = np.log(np.where(places == 0.0, mean, shape / places)) + shape
        inner, before, after = loss[1:-1], loss[:-2], loss[2:]
        for t in places[1:-1][(inner <= before) & (inner < after)]:
            maximum = (float(t) or _NEXT_TO_ZERO, 0.0, 0.0)
            for sample in samples:
                maximum = _profile_maximum(maximum[0], *sample)
            found.append(maximum)
    log_unit = float(np.log(largest))
    found.sort(key=lambda maximum: maximum[2])
    return [
        (nll - k + log_unit, k, nll + log_unit + 1.0) for _, k, nll in found if np.isfinite(nll)
    ]


def _shape_at(t: float, y: Array, weight: Array | None) -> tuple[float, float, float]:
    """Return the mean of log(1 + t y), and its two derivatives in t."""
    sums = np.zeros(3)
    for first in range(0, len(y), _BLOCK):
        rows = slice(first, first + _BLOCK)
        x = t * y[rows]
        reach = y[rows] / (1.0 + x)
        terms = np.log1p(x), reach, -reach * reach
        sums += [(term if weight is None else term * weight[rows]).sum() for term in terms]
    k, slope, bend = sums / (len(y) if weight is None else weight.sum())
    return float(k), float(slope), float(bend)


def _profile_maximum(t: float, y: Array, weight: Array | None) -> tuple[float, float, float]:
    """Return the maximum of the profile likelihood near t = shape/scale, by Newton's method.

    Observations are divided by the largest. With k(t), the mean of log(1 + t y), which is the
    shape, -log q is log(k/t) + k + 1 in the mean. Returned are t, the shape and log(k/t) + k.
    """
    for _ in range(_STEPS):
        k, slope, bend = _shape_at(t, y, weight)
        falls = slope / k - 1.0 / t + slope
        turns = bend / k - (slope / k) ** 2 + t**-2 + bend
        step = -falls / turns if turns > 0.0 else 0.0
        step = max(step, 0.5 * (-1.0 - t))  # the end of the support stays above all observations
        t, k = t + step, k + step * (slope + 0.5 * step * bend)
        if abs(step) <= _LAST * abs(t):
            break
    return t, k, float(np.log(k / t) + k)
