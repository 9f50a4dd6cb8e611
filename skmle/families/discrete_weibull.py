"""The discrete Weibull law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import LOG, Array, Arrays, Param, Rows, Support
from skmle.families.gumbel import GumbelMin
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.counts import has_large
from skmle.families.tools.special import log_complement

_LOG_ZERO = -1e100  # for the logarithm of a count of zero: its square is a number
_LARGEST_RATIO = float(np.log(4.0))  # log of the shape over scale + 1 from which a fit starts


class DiscreteWeibull(ByTails):
    """Discrete Weibull law of counts y = 0, 1, 2, ... with `scale` and `shape`.

    P(Y >= y) = exp(-(y/scale)^shape), so that Y is a Weibull variable rounded down, and
    q(y) = P(Y >= y) - P(Y >= y + 1). It is Nakagawa and Osaki's law, whose q is P(Y >= 1) =
    exp(-scale^-shape) and whose beta is the shape. Of a shape below one the tail is heavier than
    that of a geometric law, which Y + 1 follows if the shape is one; of a shape above one it is
    lighter. So the variance may exceed the mean, or not. In a regression the features multiply the
    scale. Counts of one value, or of two neighbouring ones, have no most likely shape.

    R: DWreg ``ddw(y, q=exp(-scale^-shape), beta=shape)``.

    References
    ----------
    Nakagawa & Osaki (1975), The discrete Weibull distribution, IEEE Transactions on Reliability 24.
    Klakattawi, Vinciotti & Yu (2018), A simple and adaptive dispersion regression model for count
    data, Entropy 20.

    Examples
    --------
    >>> from skmle import MLEDistribution
    >>> model = MLEDistribution("discrete_weibull").fit([[0], [1], [8], [3]])
    >>> {name: round(float(value), 3) for name, value in model.params_.items()}
    {'scale': 3.512, 'shape': 1.024}
    """

    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0, closed=(True, False), discrete=True, whole=True)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With A and B for the hazards (y/scale)^shape and ((y + 1)/scale)^shape,
        # -log q = A - log(1 - exp(A - B)).
        (y,) = statistics
        with np.errstate(all="ignore"):  # of counts that are 0, and parameters far away
            log_y = np.where(y > 0.0, np.log(y), _LOG_ZERO)
            survived = tail_of_log_hazard(_log_hazard(log_y, eta).upto(order), above=True)
            log_step = np.log(np.log1p(1.0 / y))
            died = _log_within(np.log1p(y), log_step, eta).upto(order)
            return _sum(survived, tail_of_log_hazard(died, above=False), order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        log_end = np.log1p(np.floor(statistics[0]))
        with np.errstate(all="ignore"):
            return tail_of_log_hazard(_log_hazard(log_end, eta).upto(order), above=upper)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        return self.log_prob_at_edge(y, theta) if has_large(y) else None

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        # All ends of the parameters' range are limits of this formula.
        y = np.asarray(y, float)
        scale, shape = theta
        with np.errstate(all="ignore"):
            some = np.where(y > 0.0, y, 1.0)
            survived = np.where(y > 0.0, _power(some, scale, shape), 0.0)
            died = _power(y + 1.0, scale, shape)
            left = np.where(y > 0.0, died * -np.expm1(-shape * np.log1p(1.0 / some)), died)
            left = np.where(np.isnan(left), died, left)
            value = np.where(survived == np.inf, -np.inf, log_complement(-left) - survived)
        return np.where(self.contains(y), value, -np.inf)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # Counts are half a unit below the values that were rounded down, about. Even equal counts
        # come from values that spread.
        (y,) = statistics
        if not y.any():
            return [(-np.inf, 0.0)]
        ((log_scale, log_spread),) = GumbelMin().starts((np.log(y + 0.5),), weight)
        return [(log_scale, min(-log_spread, np.logaddexp(0.0, log_scale) + _LARGEST_RATIO))]

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        scale, shape = theta
        with np.errstate(all="ignore"):
            log_sf = -_power(np.maximum(np.floor(y) + 1.0, 0.0), scale, shape)
            log_sf = np.where(y < 0.0, 0.0, log_sf)
            return log_sf if upper else log_complement(log_sf)

    def _inside(self, theta: Arrays) -> NDArray[np.bool_]:
        # The tails' formula holds at the ends of the parameters' range, too.
        return np.ones(np.broadcast_shapes(*map(np.shape, theta)), bool)

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import poisson

        return poisson(np.where(theta[0] == 0.0, 0.0, 1.0))

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        scale, shape = theta
        hazard = -np.log(q) if upper else -np.log1p(-q)
        return np.maximum(np.ceil(scale * hazard ** (1.0 / shape)) - 1.0, 0.0)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        with np.errstate(all="ignore"):
            return np.floor(scale * rng.exponential(size=size) ** (1.0 / shape))


def _power(end: Array, scale: Array, shape: Array) -> Array:
    """Return (end/scale)^shape, with the digits of its logarithm where the two are near."""
    ratio = end / scale
    near = np.abs(ratio - 1.0) < 0.5
    small = shape * np.log1p((end - scale) / np.where(near, scale, 1.0))
    return np.where(near & np.isfinite(shape), np.exp(small), ratio**shape)


def _log_hazard(log_end: Array, eta: Arrays) -> Rows:
    """Return log (end/scale)^shape with its derivatives."""
    log_scale, log_shape = eta
    shape = np.exp(log_shape)
    value = shape * (log_end - log_scale)
    return Rows(value, (-shape, value), (None, -shape, value))


def _log_within(log_end: Array, log_step: Array, eta: Arrays) -> Rows:
    """Return log(B - A) of the hazards at an end and `step` logs before it, with derivatives."""
    whole = _log_hazard(log_end, eta)
    one = np.ones(())
    share = tail_of_log_hazard(Rows(eta[1] + log_step, (one,), (None,)), above=False)
    assert share.gradient is not None and whole.gradient is not None
    (slope,), (bend,) = share.gradient, share.packed
    scale, shape = whole.gradient
    value = whole.value - share.value
    return Rows(value, (scale, shape - slope), (None, scale, shape - bend))


def _sum(one: Rows, other: Rows, order: int) -> Rows:
    """Return the sum of two terms of -log q with their derivatives."""
    value = one.value + other.value
    if order < 1:
        return Rows(value)
    assert one.gradient is not None and other.gradient is not None
    gradient = tuple(a + b for a, b in zip(one.gradient, other.gradient, strict=True))
    if order < 2:
        return Rows(value, gradient)
    packed = zip(one.packed, other.packed, strict=True)
    return Rows(value, gradient, tuple(np.asarray(a) + np.asarray(b) for a, b in packed))
