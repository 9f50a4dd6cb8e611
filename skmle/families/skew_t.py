"""Jones and Faddy's skew-t law, and its limit without the lighter tail."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.special import betaincinv, ndtri

from skmle.families.algebra import constant_at, pick
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
from skmle.families.generalized_gamma import GeneralizedGamma, log_tail_of_log_gamma
from skmle.families.law import ByStd
from skmle.families.student_t import StudentT
from skmle.families.tools import skewed_t_whole as whole
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.expected import expected_curvature
from skmle.families.tools.johnson import normal_of, observed_at
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.moving_ends import shaped_log, unshaped
from skmle.families.tools.quantiles import centre_and_spread, tightest_half, weighted_quantile
from skmle.families.tools.skewed_t import density_jet
from skmle.families.tools.skewed_t_shapes import Shapes
from skmle.families.tools.special import LOG_2PI
from skmle.families.tools.with_shapes import WithShapes

# Degrees of freedom from which the law is that with infinitely many, to 1e-15 of its logarithm, and
# those of a beta law that scipy's quantiles take.
_ENDLESS, _MODERATE = 1e15, 1e8
_ASKEW = 1e-3  # least skewness of a start next to the normal law
# Levels whose quantiles tell the shapes of a start, and the shapes among which they choose.
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_DFS = (1.0, 3.0, 10.0, 100.0)
_SKEWS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


class SkewT(ByStd, ByTails, WithShapes):
    """Jones and Faddy's skew-t law with `loc` (the mode), `scale`, `df` and `skew`.

    With skew 0 it is Student's t law with this location, scale and df. Its tails fall like
    (-y)^(-2a) below and y^(-2b) above, with df = a + b and skew = (a - b)/sqrt(a b df): for
    skew > 0 the upper tail is the heavier one. At the mode the curvature of log q is that of
    Student's law with this scale and df. As df -> inf only the heavier tail is left, and the law
    begins at an end (or stops there): 1/(y - end)^2 has a gamma law of shape 1/skew^2. With skew 0
    it is normal there. Fits to data without a second heavy tail end there (status "boundary").

    With k = (a - b)/sqrt(df (2a + 1) (2b + 1)) and w = k^2 + 1/df, scipy:
    ``jf_skew_t(a, b, loc - scale * k/w, scale/(df * w))``; R: ``gamlss.dist::dST5(y, mu, sigma,
    nu=skew, tau=2/df)`` with this location and scale as mu and sigma. It is not the law of Azzalini
    and Capitanio (R: ``sn::dst``), whose tails have one index, nor the two halves of t laws of
    Fernandez and Steel (R: ``fGarch::dsstd``, ``skewt::dskt``).

    The likelihood is unbounded for any rows, as that of Student's t: as the scale shrinks around
    one of them and df vanishes. So what a fit returns is the best local maximum away from there
    that it finds.

    References
    ----------
    Jones & Faddy (2003), A skew extension of the t-distribution, with applications, Journal of the
    Royal Statistical Society B 65 (the law, and these df and skew).

    Examples
    --------
    >>> from scipy import stats
    >>> from skmle import MLEDistribution
    >>> x = stats.jf_skew_t(4.0, 2.0).rvs(5000, random_state=0)
    >>> model = MLEDistribution("skew_t").fit(x[:, None])
    >>> print({name: round(value, 1) for name, value in model.params_.items()})
    {'loc': 0.7, 'scale': 1.1, 'df': 6.6, 'skew': 0.3}
    """

    scipy_name = "jf_skew_t"
    several_modes = True
    parameters = (*LocationScale.parameters, Param("df", LOG), Param("skew", IDENTITY))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            Limit(
                "df", np.inf, InverseNakagamiFromEnd(links=self.links_of(("loc", "scale", "skew")))
            ),
        )

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("skew", 0.0, StudentT(links=self.links_of(("loc", "scale", "df")))),)

    # ---------------------------------------------------------------- the formula

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return density_jet(u, shapes[0], shapes[1], order)

    def log_tail_at(self, u: Array, shapes: Arrays, upper: bool) -> Array:
        log_df, skew = (np.asarray(e, float) for e in shapes)
        own = Shapes.at(log_df, skew)
        n = normal_of(u, (0.5 * log_df, own.lean), 0).value
        beta = whole.log_tail(n, own, upper)
        if not np.any(endless := log_df > np.log(_ENDLESS)):
            return beta
        return np.where(endless, _log_tail_from_end(n, skew, upper), beta)

    def tail_in_shapes(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        value = -self.log_tail_at(u, shapes, upper)
        return whole.tail_rows(value, u, shapes[0], shapes[1], upper, order)

    def standard_curvature(self, eta: Arrays) -> Arrays:
        return expected_curvature(self, eta, _nodes)

    # ---------------------------------------------------------------- starts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The first has five quantiles of the rows: their lean tells the skewness for each df, and
        # how far the outer ones are the df. The others are those of Student's t for outliers.
        (y,) = statistics
        far, low, middle, high, top = (weighted_quantile(y, weight, q) for q in _LEVELS)
        centre, spread = centre_and_spread(y, weight)
        starts = [(centre, np.log(1.3 * spread), np.log(5.0), 0.0)]
        if high > low and top > far:
            lean, reach = (top + far - 2.0 * middle) / (top - far), (top - far) / (high - low)
            found = []
            for log_df, leans, quantiles in _tables():
                skew = np.interp(lean, leans, _every_skew())
                z = [np.interp(skew, _every_skew(), column) for column in quantiles.T]
                found.append(((z[4] - z[0]) / (z[3] - z[1]), log_df, skew, z[2], z[3] - z[1]))
            reaches, *others = np.array(found[::-1]).T  # which fall with df
            log_df, skew, median, width = (np.interp(reach, reaches, other) for other in others)
            scale = (high - low) / width
            starts[0] = (middle - scale * median, np.log(scale), log_df, skew)
        at, length = tightest_half(y, weight)
        if length > 0.0:
            starts += [(at, np.log(length), np.log(df), 0.0) for df in (1.0, 0.3)]
        return [tuple(float(e) for e in start) for start in starts]

    def saturated(self, statistics: Arrays) -> Saturated:
        limit = super().saturated(statistics)
        assert limit is not None
        return limit._replace(others=(limit.others[0], float(np.log(5.0)), 0.0))

    # ---------------------------------------------------------------- the law, whole

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import jf_skew_t

        loc, scale, df, skew = theta
        with np.errstate(all="ignore"):
            own = Shapes.at(np.log(df), skew)
            w = np.square(own.h)
            at, unit = loc - scale * own.lean / w, scale * own.e / w
            return jf_skew_t(1.0 / own.over_a, 1.0 / own.over_b, at, unit)

    @classmethod
    def from_scipy(cls, a: Array, b: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        df = np.asarray(a + b)
        away = np.sqrt(2.0 * a + 1.0) * np.sqrt(2.0 * b + 1.0)
        at = loc + scale * ((a - b) / away * np.sqrt(df))
        skew = (a - b) / np.sqrt(a) / np.sqrt(b) / np.sqrt(df)
        return cls(), (at, scale * ((df + 1.0) / away) ** 2, df, skew)

    def _inside(self, theta: Arrays) -> Any:
        # The formulas hold at an infinite df, too.
        loc, scale, df, skew = theta
        return super()._inside((loc, scale, np.where(np.isinf(df), 1.0, df), skew))

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        loc, scale, df, skew = theta
        limit = InverseNakagamiFromEnd()
        eta = limit.eta((loc, scale, skew))
        if not np.all(np.isinf(df)) or not np.all(np.isfinite(np.hstack([*map(np.ravel, eta)]))):
            return super().log_prob_at_edge(y, theta)
        return limit.log_prob(y, eta)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, df, skew = theta
        own = Shapes.at(np.log(df), skew)
        beta = np.asarray(df) < _MODERATE
        a, b = (np.where(beta, 1.0 / over, 1.0) for over in (own.over_a, own.over_b))
        # From the end at which the share, or its rest, has digits.
        below, above = (1.0 - q, q) if upper else (q, 1.0 - q)
        share, rest = betaincinv(a, b, below), betaincinv(b, a, above)
        with np.errstate(divide="ignore"):
            odds = np.where(share < 0.5, share / (1.0 - share), (1.0 - rest) / rest)
            log_odds = np.log(odds)
        normal = -ndtri(q) if upper else ndtri(q)
        n = np.where(beta, whole.normal_at(log_odds, own), normal)
        return observed_at(n, (loc, scale, df, own.lean))

    def mean(self, theta: Arrays) -> Array:
        loc, scale, df, skew = theta
        with np.errstate(all="ignore"):
            return loc + scale * whole.mean(Shapes.at(np.log(df), skew))

    def std(self, theta: Arrays) -> Array:
        loc, scale, df, skew = theta
        with np.errstate(all="ignore"):
            return scale * whole.std(Shapes.at(np.log(df), skew)) + 0.0 * np.asarray(loc)

    def known_entropy(self, theta: Arrays) -> Array:
        loc, scale, df, skew = theta
        own = whole.entropy(Shapes.at(np.log(df), skew))
        return own + np.log(scale) + 0.0 * np.asarray(loc)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale, df, skew = theta
        with np.errstate(all="ignore"):
            own = Shapes.at(np.log(df), skew)
            return observed_at(whole.draw(own, size, rng), (loc, scale, df, own.lean))


class InverseNakagamiFromEnd(ByStd, WithShapes):
    """Inverse Nakagami law from an end on, with `loc` (the mode), `scale` and `skew`.

    1/(y - end)^2 has a gamma law of shape 1/skew^2, and end = loc - scale sqrt(2 + 4/skew^2), for
    skew > 0; for skew < 0 it is mirrored, and normal for skew 0. A skew-t law tends to it as its
    lighter tail vanishes. scipy, for skew > 0: ``gengamma(1/skew**2, -2, end, unit)`` with
    unit = (loc - end) sqrt(1/skew^2 + 1/2).
    """

    parameters = (*LocationScale.parameters, Param("skew", IDENTITY))
    support = Support(fixed=False)

    @property
    def title(self) -> str:
        return "Inverse Nakagami from an end"

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        rows = pick(density_jet(u, np.asarray(np.inf), shapes[0], order), (0, 2))
        outside = 1.0 + _lean(shapes[0]) * u <= 0.0
        return constant_at(outside, np.inf, rows) if np.any(outside) else rows

    def log_tail_at(self, u: Array, shapes: Arrays, upper: bool) -> Array:
        lean = _lean(shapes[0])
        tail = _log_tail_from_end(shaped_log(u, lean, 0).w, shapes[0], upper)
        beyond = np.where((lean > 0.0) == upper, 0.0, -np.inf)
        return np.where(1.0 + lean * u > 0.0, tail, beyond)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc, log_scale, _, skew = SkewT().starts(statistics, weight)[0]
        away = np.array([np.max(y), np.min(y)]) - loc
        least, most = -0.5 * np.exp(log_scale) / np.where(away == 0.0, 1e-300, away)
        # The normal law may be a saddle, which a little skewness leaves, to the side of moments.
        if abs(skew) < _ASKEW:
            skew = np.copysign(_ASKEW, average((y - average(y, weight)) ** 3, weight))
        lean = float(np.clip(_lean(np.asarray(skew)), least, most))
        return [(loc, log_scale, 2.0 * lean / float(np.sqrt(1.0 - 2.0 * lean * lean)))]

    def widened(self, eta: Arrays) -> Arrays:
        return (eta[0], eta[1] + np.log(2.0), 0.5 * eta[2])

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        return None  # the end of the support moves with eta

    # ---------------------------------------------------------------- the law, whole

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        loc, scale, skew = theta
        with np.errstate(divide="ignore", invalid="ignore"):
            end = loc - scale / _lean(skew)
        return np.where(skew > 0.0, end, -np.inf), np.where(skew < 0.0, end, np.inf)

    def mean(self, theta: Arrays) -> Array:
        return SkewT().mean((*theta[:2], np.asarray(np.inf), theta[2]))

    def std(self, theta: Arrays) -> Array:
        return SkewT().std((*theta[:2], np.asarray(np.inf), theta[2]))

    def known_entropy(self, theta: Arrays) -> Array:
        return SkewT().known_entropy((*theta[:2], np.asarray(np.inf), theta[2]))

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at(GeneralizedGamma().quantile(q, self._of_gamma(theta)), theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at(GeneralizedGamma().upper_quantile(q, self._of_gamma(theta)), theta)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self._at(GeneralizedGamma().sample(self._of_gamma(theta), size, rng), theta)

    def _of_gamma(self, theta: Arrays) -> Arrays:
        """Return the parameters of the generalised gamma law of exp(z), of which y is made."""
        return np.ones(()), np.ones(()), -np.asarray(theta[2], float)

    def _at(self, exponential: Array, theta: Arrays) -> Array:
        """Return y where exp(z) is this."""
        loc, scale, skew = (np.asarray(value, float) for value in theta)
        with np.errstate(all="ignore"):
            w = (np.log(exponential) + _shift(skew)) * np.sqrt(1.0 + 0.5 * skew * skew)
            z = np.where(skew == 0.0, w, unshaped(w, _lean(skew)))
            return loc + scale * z


def _nodes(family: Family, theta: Arrays) -> tuple[Array, Array]:
    """Return values of y and their weights for each law, as `expected_curvature` asks."""
    loc, scale, df, skew = (np.asarray(value)[..., None] for value in theta)
    own = Shapes.at(np.log(theta[2]), theta[3])
    n, weight = whole.nodes(own)
    lean = own.lean[..., None]
    y = observed_at(n, (loc, scale, df, lean))
    slope = scale * np.exp(normal_of((y - loc) / scale, (0.5 * np.log(df), lean), 0).root.value)
    return y, np.exp(family.log_prob(y, family.eta((loc, scale, df, skew)))) * slope * weight


def _lean(skew: Array) -> Array:
    """Return scale/(loc - end) of a law from an end."""
    return np.asarray(skew) / np.sqrt(4.0 + 2.0 * np.square(skew))


def _shift(skew: Array) -> Array:
    """Return log(1 + skew^2/2)/skew."""
    return 0.5 * skew * shaped_log(np.ones(()), 0.5 * np.square(skew), 0).w


def _log_tail_from_end(w: Array, skew: Array, upper: bool) -> Array:
    """Return the logarithm of a tail of w = log(1 + k z)/k, k = scale/(loc - end).

    A multiple of exp(-2 k w) has a gamma law of shape 1/skew^2.
    """
    z = w / np.sqrt(1.0 + 0.5 * np.square(skew)) - _shift(skew)
    return log_tail_of_log_gamma(z, -np.asarray(skew), upper)


@cache
def _tables() -> list[tuple[float, Array, Array]]:
    """Return, for each log df of a start, a measure of skewness and quantiles, by `_every_skew`."""
    levels, skews = np.array(_LEVELS), _every_skew()[:, None]
    found = []
    for df in _DFS:
        z = SkewT().rough_quantile(
            levels, (np.zeros(()), np.ones(()), np.asarray(df), skews), False
        )
        far, _, middle, _, top = z.T
        found.append((float(np.log(df)), (top + far - 2.0 * middle) / (top - far), z))
    return found


def _every_skew() -> Array:
    """Return the skewnesses among which a start chooses, in their order."""
    return np.concatenate([-np.array(_SKEWS[:0:-1]), _SKEWS])
