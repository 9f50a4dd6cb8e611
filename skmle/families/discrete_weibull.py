"""The discrete Weibull law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaln

from skmle.families.algebra import add
from skmle.families.base import LOG, Array, Arrays, Param, Rows, Support, average
from skmle.families.gumbel import GumbelMin
from skmle.families.tools.by_hazard import tail_of_log_hazard
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.counts import has_large, least_of_neighbours
from skmle.families.tools.special import log_complement

_LOG_ZERO = -1e100  # for the logarithm of a count of zero: its square is a number
# Logs by which hazards differ from count to count where those that matter are 0, h and infinity.
_APART = 80.0
# Hazards below which all counts are survived, and from which none is; counts between that are added
# one by one; share of the mean square below which the variance is summed about the mean.
_SURE, _NOTHING = 1e-17, 45.0
_ONE_BY_ONE = np.arange(1.0, 257.0)
_NARROW = 1e-3
_LARGEST_RATIO = float(np.log(4.0))  # log of the shape over scale + 1 from which a fit starts


class DiscreteWeibull(ByTails):
    """Discrete Weibull law of counts y = 0, 1, 2, ... with `scale` and `shape`.

    P(Y >= y) = exp(-(y/scale)^shape), so that Y is a Weibull variable rounded down, and
    q(y) = P(Y >= y) - P(Y >= y + 1). It is Nakagawa and Osaki's law, whose q is P(Y >= 1) =
    exp(-scale^-shape) and whose beta is the shape. Of a shape below one the tail is heavier than
    that of a geometric law, which Y + 1 follows if the shape is one; of a shape above one it is
    lighter. So the variance may exceed the mean, or not. In a regression the features multiply the
    scale. Of counts of one value, or of two neighbouring ones, the likelihood rises as the shape
    runs off, towards that of a Bernoulli law of the two (status "no_maximum").

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

    title = "Discrete Weibull"
    parameters = (Param("scale", LOG), Param("shape", LOG))
    support = Support(0.0, closed=(True, False), discrete=True, whole=True)
    told_first = "scale"  # next to zero no observation depends on the shape, either
    may_be_unbounded = True  # it rises without a maximum where counts have two neighbouring values

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        # With A and B for the hazards (y/scale)^shape and ((y + 1)/scale)^shape,
        # -log q = A - log(1 - exp(A - B)).
        (y,) = statistics
        with np.errstate(all="ignore"):  # of counts that are 0, and parameters far away
            log_y = np.where(y > 0.0, np.log(y), _LOG_ZERO)
            survived = tail_of_log_hazard(_log_hazard(log_y, eta).upto(order), above=True)
            log_step = np.log(np.log1p(1.0 / y))
            died = _log_within(np.log1p(y), log_step, eta).upto(order)
            return add(survived, tail_of_log_hazard(died, above=False))

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

    def recession(self, statistics: Arrays, delta: Arrays) -> Array:
        # As the scale shrinks, all mass goes to zero. A row rises as the scale grows; where the
        # shape moves, too, it depends on where the scale is.
        (y,), (scale, shape) = statistics, delta
        zero = (y == 0.0) & (scale < 0.0)
        return np.where(shape == 0.0, np.where(zero | (scale == 0.0), 0.0, np.inf), np.nan)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (y,) = statistics
        if (least := least_of_neighbours(y)) is None:
            return None
        share = average(y - least, weight)  # of the larger of two neighbouring values
        hazard = -np.log(share) if share > 0.0 else np.exp(_APART)
        end = least + 1.0
        shape = 2.0 * _APART / np.log1p(1.0 / end)
        reason = "the likelihood rises as shape tends to inf: there are no counts but neighbouring"
        return (np.log(end) - np.log(hazard) / shape, np.log(shape)), f"{reason} ones"

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

    def mean(self, theta: Arrays) -> Array:
        return _moments(*theta)[0]

    def variance(self, theta: Arrays) -> Array:
        from skmle.families.tools import numerical  # not above: it imports all of the quadrature

        scale, shape = theta
        mean, second = _moments(scale, shape)
        with np.errstate(all="ignore"):
            found = np.where(np.isfinite(second), second - mean * mean, np.inf)
        narrow = (found < _NARROW * second) & np.isfinite(second)  # their difference has no digits
        if not narrow.any():
            return found
        some = (np.where(narrow, scale, 1.0), np.where(narrow, shape, 1.0))
        return np.where(narrow, numerical.variance(self, some), found)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        scale, shape = theta
        hazard = -np.log(q) if upper else -np.log1p(-q)
        return np.maximum(np.ceil(scale * hazard ** (1.0 / shape)) - 1.0, 0.0)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        scale, shape = theta
        with np.errstate(all="ignore"):
            return np.floor(scale * rng.exponential(size=size) ** (1.0 / shape))


def _moments(scale: Array, shape: Array) -> tuple[Array, Array]:
    """Return E[Y] and E[Y^2], the sums of P(Y >= k) and of (2k - 1) P(Y >= k) over k >= 1.

    Up to `first` those probabilities are 1. Those of the next counts are added one by one, and the
    rest by Euler and Maclaurin's formula, in which the integrals are incomplete gamma functions:
    if there is a rest, P(Y >= k) changes little from count to count.
    """
    with np.errstate(all="ignore"):  # at the ends of the parameters' range
        first = np.floor(scale * _SURE ** (1.0 / shape))
        first = np.where(np.isfinite(first), np.maximum(first, 0.0), 0.0)
        k = first[..., None] + _ONE_BY_ONE
        left = np.exp(-_power(k, scale[..., None], shape[..., None]))
        mean = first + left.sum(axis=-1)
        second = first * first + ((2.0 * k - 1.0) * left).sum(axis=-1)
        end = k[..., -1] + 0.5
        hazard = _power(end, scale, shape)
        # Derivatives of S = exp(-h) over S, from those of h; then those of (2 k - 1) S.
        h1 = shape * hazard / end
        h2 = (shape - 1.0) * h1 / end
        h3 = (shape - 2.0) * h2 / end
        one, two, three = -h1, h1 * h1 - h2, -(h1**3) + 3.0 * h1 * h2 - h3
        survived, a = np.exp(-hazard), 1.0 / shape
        whole = np.exp(np.log(scale) + gammaln(1.0 + a)) * gammaincc(a, hazard)
        square = np.exp(2.0 * np.log(scale) + gammaln(1.0 + 2.0 * a)) * gammaincc(2.0 * a, hazard)
        rest = whole + survived * (one / 24.0 - 7.0 / 5760.0 * three)
        line = 2.0 * end - 1.0
        slope, bend = 2.0 + line * one, 6.0 * two + line * three
        rest2 = square - whole + survived * (slope / 24.0 - 7.0 / 5760.0 * bend)
        more = hazard < _NOTHING
        return np.where(more, mean + rest, mean), np.where(more, second + rest2, second)


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
    assert bend is not None
    scale, shape = whole.gradient
    value = whole.value - share.value
    return Rows(value, (scale, shape - slope), (None, scale, shape - bend))
