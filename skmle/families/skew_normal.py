"""The skew-normal law by its mean, standard deviation and skewness, and its half-normal limits."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from skmle.families.base import (
    IDENTITY,
    LOG,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Shortcuts,
    Support,
    average,
)
from skmle.families.law import ByStd
from skmle.families.links import Link
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.gaussian import root_mean_square
from skmle.families.tools.probability_links import Jet
from skmle.families.tools.quantiles import centre_and_spread
from skmle.families.tools.screened import best_of_kinds
from skmle.families.tools.skewed_normal import (
    MOST_SKEWED,
    Skewing,
    density_jet,
    log_tail,
    tail_jet,
)
from skmle.families.tools.special import LOG_2PI
from skmle.families.tools.with_shapes import WithShapes

# The largest skewness of a start, and a small one; the skewness and spreads of one by quantiles; a
# multiple of the theory's bound up to which both signs are tried, as they are of few values.
_START, _OTHER, _BY_QUANTILES, _SPREADS = 0.9, 0.1, 0.6, 1.5
_BOTH, _FEW, _LOOKED_AT = 0.3, 100, 8192
# Eta of the skewness from which a fit is on its way to the half-normal law.
_FAR_OUT = 10.0
_ROOT = float(np.sqrt(2.0 / np.pi))
_SD = float(np.sqrt(1.0 - 2.0 / np.pi))  # of the half-normal law with the scale 1
_ROUNDING = 4.0 * float(np.finfo(float).eps)
_HALF_CONSTANT = 0.5 * LOG_2PI - float(np.log(2.0))


_NEAR_NONE = (
    "so near to skewness 0 the curvature of the likelihood, infinite there, does not tell how sure "
    "the skewness is (the likelihood-ratio test against the normal law does)"
)


def _to_chart(skewness: Array) -> Array:
    return np.arctanh(np.asarray(skewness, float) / MOST_SKEWED)


def _from_chart(eta: Array) -> Jet:
    share = np.tanh(np.asarray(eta, float))
    slope = MOST_SKEWED * (1.0 - share * share)
    return MOST_SKEWED * share, slope, -2.0 * share * slope


SKEWNESS = Link("skewness", _to_chart, _from_chart, domain=(-MOST_SKEWED, MOST_SKEWED))
"""The chart of the skewness: artanh(skewness/0.9953), as Fisher's z of a correlation."""


class SkewNormal(ByStd, ByTails, WithShapes):
    """Azzalini's skew-normal law with `mean`, standard deviation `std` and `skewness`.

    q(y) = 2/scale phi(z) Phi(shape z), z = (y - loc)/scale, with phi and Phi of the standard normal
    law. The skewness is between -0.9953 and 0.9953; with r^3 = skewness 2/(4 - pi),
    loc = mean - r std, scale = std sqrt(1 + r^2) and
    shape = r sqrt(pi/2)/sqrt(1 - (pi/2 - 1) r^2). With skewness 0 it is the normal law. scipy:
    ``skewnorm(shape, loc, scale)``; R: ``sn::dsn(y, dp=sn::cp2dp(c(mean, std, skewness), "SN"))``.

    The parameters are the *centred* ones, since loc, scale and shape cannot be told apart next to
    the normal law: at shape 0 the slopes of loc and shape are one, the information is singular, the
    likelihood is stationary there for any data, and the estimated shape, whose cube tells the
    skewness, has errors of the rate n^(-1/6) that are far from normal. Mean, standard deviation and
    skewness have errors of the usual size there, as everywhere. So `to_scipy` of a fitted law
    is how to see its shape, and an interval of the skewness how to get one of the shape. The second
    derivative in the skewness is yet infinite at 0, like skewness^(-2/3) times a number with the
    mean zero. Where that would decide about the error, for a skewness within about n^(-3/4), the
    status is "non_regular"; of normal samples so are a third of n^(-1/4), 6 % for n = 1000.

    With positive probability, which is large for few rows, the likelihood has no maximum: it rises
    as the skewness tends to its bound, where the law is half-normal from the least observation on,
    or up to the largest. A fit of a density ends there (status "boundary") if that is likelier than
    the maxima inside. A regression that runs there has no maximum. Data with both tails heavy have
    a maximum of either sign; a fit looks for both.

    References
    ----------
    Azzalini (1985), A class of distributions which includes the normal ones, Scandinavian Journal
    of Statistics 12.
    Arellano-Valle & Azzalini (2008), The centred parametrization for the multivariate skew-normal
    distribution, Journal of Multivariate Analysis 99.
    Azzalini & Arellano-Valle (2013), Maximum penalized likelihood estimation for skew-normal and
    skew-t distributions, Journal of Statistical Planning and Inference 143 (estimates at the end).

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle import MLEDistribution
    >>> x = stats.skewnorm(4.0, 10.0, 2.0).rvs(3000, random_state=0)
    >>> model = MLEDistribution("skewnorm").fit(x[:, None])
    >>> print({name: round(value, 2) for name, value in model.params_.items()})
    {'mean': 11.5, 'std': 1.22, 'skewness': 0.76}
    """

    scipy_name = "skewnorm"
    regular = False
    parameters = (
        Param("mean", IDENTITY, unit="location"),
        Param("std", LOG, unit="scale"),
        Param("skewness", SKEWNESS),
    )

    @property
    def limits(self) -> tuple[Limit, ...]:
        if self.links_of(("mean", "std")) is not None:
            return ()  # the end of the support is an observation, wherever a link ends
        # None of the two may be held either, as both say where the support ends.
        both = ("mean", "std")
        return tuple(
            Limit("skewness", end, HalfNormalFromEnd(end > 0.0), places=both, constant=both)
            for end in (MOST_SKEWED, -MOST_SKEWED)
        )

    def near_singular(self, eta: Arrays, size: float) -> tuple[str, str] | None:
        near = bool(np.all(np.abs(eta[2]) < size**-0.75))
        return ("skewness", _NEAR_NONE) if near else None

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        if not np.max(np.abs(eta[2]), initial=0.0) > _FAR_OUT:
            return None
        return "skewness", (
            "the likelihood rises towards a finite supremum as the skewness tends to its bound, "
            "where the law is half-normal from an observation on"
        )

    # ---------------------------------------------------------------- the formula

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return density_jet(u, shapes[0], order)

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        return tail_jet(-log_tail(u, shapes[0], upper), u, shapes[0], upper, order)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # By moments. Next to the normal law the log-likelihood of a skewness g is a row, to the
        # first orders, a g/6 + 0.0365 k |g|^(4/3) - g^2/12 with the skewness a and the excess
        # kurtosis k of the rows, so that there are maxima of both signs if |a| < 0.06 k^(3/2).
        (y,) = statistics
        mean = average(y, weight)
        away = y - mean
        sd = float(np.sqrt(average(away * away, weight)))
        if not sd > 0.0:
            return [(mean, -np.inf, 0.0)]
        z = away / sd
        square = z * z
        skewness, excess = average(z * square, weight), average(square * square, weight) - 3.0
        found = [(mean, np.log(sd), np.clip(skewness, -_START, _START))]
        few = len(np.unique(y[:_LOOKED_AT])) <= _FEW  # weights are repeats, in any unit
        both = few or abs(skewness) < _BOTH * max(excess, 0.0) ** 1.5
        if both:
            centre, spread = centre_and_spread(y, weight)
            log_wide = np.log(_SPREADS * spread)
            for sign in (1.0, -1.0):
                found.append((mean, np.log(sd), sign * _OTHER))
                found.append((centre, log_wide, sign * _BY_QUANTILES))
        starts: list[tuple[float, ...]] = [
            (float(m), float(s), float(_to_chart(g))) for m, s, g in found
        ]
        if not both:
            return starts
        return best_of_kinds(self, statistics, weight, starts, lambda start: start[2] > 0.0)

    # ---------------------------------------------------------------- the law, whole

    def _inside(self, theta: Arrays) -> Any:
        # At the ends of the skewness the formulas hold to the last digit next to them.
        return super()._inside((theta[0], theta[1], 0.0 * np.nan_to_num(theta[2])))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        mean, std, skewness = theta
        limit = HalfNormalFromEnd(bool(np.all(np.asarray(skewness) > 0.0)))
        if not np.isfinite(np.hstack([*map(np.ravel, limit.eta((mean, std)))])).all():
            return super().log_prob_at_edge(y, theta)
        return limit.log_prob(y, limit.eta((mean, std)))

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        return theta[0] + theta[1] * (-ndtri(q) if upper else ndtri(q))

    def mean(self, theta: Arrays) -> Array:
        return np.asarray(theta[0] + 0.0 * (np.asarray(theta[1]) + theta[2]))

    def std(self, theta: Arrays) -> Array:
        return np.asarray(theta[1] + 0.0 * (np.asarray(theta[0]) + theta[2]))

    def entropy(self, theta: Arrays) -> Array:
        mean, std, skewness = theta
        at_end = np.abs(skewness) == MOST_SKEWED
        inside = super().entropy((mean, std, np.where(at_end, 0.0, skewness)))
        return np.where(at_end, HalfNormalFromEnd().known_entropy((mean, std)), inside)

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import skewnorm

        mean, std, skewness = theta
        with np.errstate(divide="ignore", invalid="ignore"):
            own = Skewing.at(_to_chart(skewness))
        return skewnorm(own.shape, mean - own.away * std, std / own.s)

    @classmethod
    def from_scipy(cls, a: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        angle = np.arctan(np.asarray(a, float))  # an infinite one is the half-normal law's
        mean = _ROOT * np.sin(angle)
        std = np.sqrt(np.square(_SD * np.sin(angle)) + np.square(np.cos(angle)))
        skewness = (2.0 - 0.5 * np.pi) * (mean / std) ** 3
        skewness = np.clip(skewness, -MOST_SKEWED, MOST_SKEWED)
        return cls(), (loc + scale * mean, scale * std, skewness)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        mean, std, skewness = theta
        with np.errstate(divide="ignore", invalid="ignore"):
            own = Skewing.at(_to_chart(skewness))
        angle = np.arctan(own.shape)
        half, other = np.abs(rng.standard_normal(size)), rng.standard_normal(size)
        away = np.sin(angle) * half + np.cos(angle) * other
        return mean + std * (away / own.s - own.away)


class HalfNormalFromEnd(ByStd, Family):
    """Half-normal law from an end on, upwards or downwards, by its `mean` and its `std`.

    A skew-normal law tends to it as its skewness tends to a bound. Its most likely end is the
    least, or the largest, of the observations, and there are no errors in the usual sense. scipy,
    upwards: ``halfnorm(loc, scale)``.

    Parameters
    ----------
    upwards : bool
        Whether the end lies below all observations.

    References
    ----------
    Azzalini (1985), A class of distributions which includes the normal ones, Scandinavian Journal
    of Statistics 12.
    """

    parameters = SkewNormal.parameters[:2]
    support = Support(fixed=False)
    shortcuts = Shortcuts(starts="final")
    regular = False

    def __init__(self, upwards: bool = True, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.upwards = upwards

    @property
    def title(self) -> str:
        return "Half-normal"

    @property
    def _sign(self) -> float:
        return 1.0 if self.upwards else -1.0

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        mean, log_std = eta
        rate = self._sign * np.exp(-log_std)
        size = (statistics[0] - mean) * rate + _ROOT / _SD  # in standard deviations
        rounding = _ROUNDING * (1.0 + np.abs(mean * rate))  # has moved the end beyond a row
        value = 0.5 * np.square(_SD * size) + log_std - np.log(_SD)
        slope = _SD * _SD * size
        turn = slope - _ROOT * _SD
        own = (size - _ROOT / _SD) * (slope + _SD * _SD * size - _ROOT * _SD)
        rows = Rows(
            np.where(size >= -rounding, value, np.inf),
            (-rate * slope, 1.0 - (size - _ROOT / _SD) * slope),
            (rate * rate * _SD * _SD, rate * (slope + turn), own),
        )
        return rows.upto(order)

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(_HALF_CONSTANT)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        counted = y if weight is None else y[weight > 0.0]
        end = float(counted.min() if self.upwards else counted.max())
        scale = root_mean_square(y - end, weight)
        with np.errstate(divide="ignore"):  # of equal observations
            return [(end + self._sign * _ROOT * scale, float(np.log(_SD * scale)))]

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        return self.names

    # ---------------------------------------------------------------- the law, whole

    def _from_end(self, theta: Arrays) -> tuple[Array, Array]:
        """Return the end and the scale."""
        scale = np.asarray(theta[1]) / _SD
        return theta[0] - self._sign * _ROOT * scale, scale

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        end = np.asarray(self._from_end(theta)[0], float)
        far = np.full(end.shape, np.inf)
        return (end, far) if self.upwards else (-far, end)

    def mean(self, theta: Arrays) -> Array:
        return np.asarray(theta[0] + np.zeros_like(theta[1]))

    def std(self, theta: Arrays) -> Array:
        return np.asarray(theta[1] + np.zeros_like(theta[0]))

    def known_entropy(self, theta: Arrays) -> Array:
        _, scale = self._from_end(theta)
        return 0.5 + _HALF_CONSTANT + np.log(scale) + np.zeros_like(theta[0])

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import halfnorm

        return halfnorm(*self._from_end(theta)) if self.upwards else None

    def cdf(self, y: Array, theta: Arrays) -> Array:
        end, scale = self._from_end(theta)
        z = (y - end) / scale
        beyond = 2.0 * ndtr(-np.abs(z))
        if self.upwards:
            return np.where(z >= 0.0, 1.0 - beyond, 0.0)
        return np.where(z < 0.0, beyond, 1.0)
