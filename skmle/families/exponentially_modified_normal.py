"""The exponentially modified normal law, of a normal plus an exponential variable."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, Saturated, average
from skmle.families.chain_rules import through_matrix
from skmle.families.exponential import ExponentialOfTail
from skmle.families.law import ByStd
from skmle.families.normal import Normal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.location_scale import NEARLY_NO_SCALE, LocationScale
from skmle.families.tools.normal_tails import normal_tail
from skmle.families.tools.special import LOG_2PI, log_complement
from skmle.families.tools.with_shapes import WithShapes
from skmle.families.wrappers.shifted import Shifted

# Gauss and Legendre's points on (0, 1): many for entropies, few for differences of nearly equal
# integrals.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_NODES, _WEIGHTS = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS
_FEW, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(24)
_FEW, _FEW_WEIGHTS = 0.5 * (1.0 + _FEW), 0.5 * _FEW_WEIGHTS
# z beyond which nothing is left of a normal law, and ratios of scale and tail, or their inverse,
# from which on one of them counts as none, both to the last digit.
_FAR, _END = 10.0, 1e17
# z up to which the lower tail is a difference of Mills' ratios; beyond, they may overflow.
_LOW = 2.0
# The skewness of a start: the law's is between 0 and 2. Of data that are not skewed to the right it
# is so small that nothing is left to be gained on the way to the normal law.
_SKEWNESS = 1e-20, 1.9
# Tails over the scale, and scales over the tail, next to the limit laws; chosen, not measured.
_NO_TAIL, _NO_SCALE = 1e-8, 1e-14
# The same scale, from which on a fit that has come to no maximum is on its way there.
_LITTLE_SCALE = 1e-5
# Nats a row by which that law may be less likely than the start by moments, which steps go on from.
_NEARLY = 0.1
# Scales by which the least observation lies above the location as the scale vanishes, about.
_LEAST = 7.0
# The derivatives of loc, log scale and log(scale/tail) in the own eta.
_RATIO = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, -1.0]])


class ExponentiallyModifiedNormal(ByStd, ByTails, WithShapes):
    """The law of loc + scale N + tail E, with N standard normal and E standard exponential.

    q(y) = 1/tail exp(k^2/2 - k z) Phi(z - k), z = (y - loc)/scale and k = scale/tail. The mean is
    loc + tail, the variance scale^2 + tail^2. It is the ex-Gaussian law of response times and of
    chromatography. As tail -> 0 it is normal, and a fit to data that are not skewed to the right
    ends there (status "boundary"). scipy: ``exponnorm(tail/scale, loc, scale)``; R:
    ``gamlss.dist::dexGAUS(y, mu=loc, sigma=scale, nu=tail)``.

    As scale -> 0 it is the exponential law from loc on, whose most likely loc is the least
    observation. A fit ends there (status "boundary") if that is likelier than the maxima inside.
    A regression of loc that runs there has no maximum, as it has no such limit law.

    References
    ----------
    Kalambet, Kozmin, Mikhailova, Nagaev & Tikhonov (2011), Reconstruction of chromatographic peaks
    using the exponentially modified Gaussian function, Journal of Chemometrics 25.

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(300.0, 40.0, size=(2000, 1)) + rng.exponential(100.0, size=(2000, 1))
    >>> model = MLEDistribution("exponnorm").fit(x)
    >>> print({name: round(value) for name, value in model.params_.items()})
    {'loc': 301, 'scale': 42, 'tail': 101}
    """

    scipy_name = "exponnorm"
    several_modes = True
    parameters = (*LocationScale.parameters, Param("tail", LOG, unit="scale"))

    @property
    def limits(self) -> tuple[Limit, ...]:
        normal = Limit("tail", 0.0, Normal(links=self.links_of(("loc", "scale"))))
        if self.links_of(("loc",)) is not None:
            return (normal,)
        exponential = ExponentialOfTail(links=self.links_of(("tail",)))
        from_loc = Shifted.from_location(exponential, "loc")
        return (normal, Limit("scale", 0.0, from_loc, constant=("loc",)))

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(0.5 * LOG_2PI)

    # ---------------------------------------------------------------- derivatives

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return through_matrix(super().evaluate(statistics, _in_ratio(eta), order), _RATIO)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        return through_matrix(super().tail(statistics, _in_ratio(eta), upper, order), _RATIO)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # Where z < k, exp(k^2/2 - k z) Phi(z - k) is the normal density times Mills' ratio.
        (log_k,) = shapes
        k = np.exp(log_k)
        x = u - k
        low = x < 0.0
        tail = normal_tail(x)
        value = np.where(low, 0.5 * u * u, k * (0.5 * k + x)) - tail.value - log_k - 0.5 * LOG_2PI
        if order < 1:
            return Rows(value)
        missing = -tail.left - tail.rest * tail.rest  # |x| rest - 1, about -2/x^2
        gradient = (
            np.where(low, u - tail.rest, k - tail.ratio),
            np.where(low, u * tail.rest + missing, k * tail.rest - 1.0),
        )
        if order < 2:
            return Rows(value, gradient)
        # k rest - k^2 left, of which both terms tend to one for large k.
        away = np.where(low, -x, 1.0)
        beyond, more = away * away * tail.left, u / away
        own = np.where(
            low,
            (1.0 + more) * (missing - (beyond - 1.0) - more * beyond),
            k * tail.rest - k * (k * tail.left),
        )
        return Rows(value, gradient, (tail.bend, k * tail.left, own))

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        # P(Z > z) = Phi(-z) + q(z)/k falls by q in z, and by q rest in log k.
        (log_k,) = shapes
        value = -_log_tail(u, log_k, upper)
        if order < 1:
            return Rows(value)
        sign, k = 1.0 if upper else -1.0, np.exp(log_k)
        tail, rho = normal_tail(u - k), self.jet(u, shapes, 1)
        assert rho.gradient is not None
        hazard = sign * np.exp(value - rho.value - self._constant)
        gradient = (hazard, hazard * tail.rest)
        if order < 2:
            return Rows(value, gradient)
        first, second = (t - r for t, r in zip(gradient, rho.gradient, strict=True))
        own = hazard * (second * tail.rest - k * tail.left)
        return Rows(value, gradient, (hazard * first, hazard * second, own))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        return super().expected_curvature(statistics, (*eta[:2], np.asarray(eta[2]) - eta[1]))

    # ---------------------------------------------------------------- starts and verdicts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # By moments: the skewness is 2 (tail/std)^3. And next to the exponential law from the least
        # observation on, if that is nearly as likely.
        (y,) = statistics
        mean = average(y, weight)
        away = y - mean
        std = float(np.sqrt(average(away * away, weight)))
        if not std > 0.0:
            return [(mean, -np.inf, -np.inf)]
        skewness = float(np.clip(average((away / std) ** 3, weight), *_SKEWNESS))
        share = np.cbrt(0.5 * skewness)
        scale = std * np.sqrt(1.0 - share * share)
        first = mean - std * float(share), float(np.log(scale)), float(np.log(std * share))
        least = float(np.min(y))
        tail = mean - least
        rows = self.evaluate(statistics, tuple(map(np.asarray, first)), 0).value
        if average(rows + self._constant, weight) < 1.0 + np.log(tail) - _NEARLY:
            return [first]
        scale = _NO_SCALE * tail
        return [first, (least - _LEAST * scale, float(np.log(scale)), float(np.log(tail)))]

    def saturated(self, statistics: Arrays) -> Saturated:
        _, spread = self.centre_and_spread(statistics, None)
        log_scale = float(np.log(NEARLY_NO_SCALE) + np.log(spread))
        etas = log_scale, log_scale + float(np.log(_NO_TAIL))
        return Saturated(statistics[0], etas, "scale", 1.0, spread=spread)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        if np.min(eta[2] - eta[1]) < -np.log(_LITTLE_SCALE):
            return None
        return "scale", (
            "the likelihood rises towards a finite supremum as the scale tends to 0, where the law "
            "is exponential from the loc on, which meets observations"
        )

    # ---------------------------------------------------------------- the law, whole

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import expon, exponnorm, norm

        loc, scale, tail = theta
        if not np.any(tail):
            return norm(loc, scale)
        if not np.any(scale):
            return expon(loc, tail)
        return exponnorm(tail / scale, loc, scale)

    @classmethod
    def from_scipy(cls, K: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale, K * scale)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        mean, std = self.mean(theta), self.std(theta)
        return mean + std * (-ndtri(q) if upper else ndtri(q))

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale, tail = theta
        return loc + scale * rng.standard_normal(size) + tail * rng.standard_exponential(size)

    def mean(self, theta: Arrays) -> Array:
        return theta[0] + theta[2]

    def std(self, theta: Arrays) -> Array:
        return np.hypot(theta[1], theta[2])

    def known_entropy(self, theta: Arrays) -> Array:
        # In z, by quadrature around the normal part; the exponential tail beyond is known.
        _, scale, tail = theta
        with np.errstate(divide="ignore", over="ignore"):
            k = np.clip(np.asarray(scale / tail), 1.0 / _END, _END)[..., None]
            unit = np.where(k[..., 0] < 1.0, np.log(tail) + np.log(k[..., 0]), np.log(scale))
        top = _FAR + np.minimum(k, _FAR)
        z = -_FAR + (top + _FAR) * _NODES
        rho = self.jet(z, (np.log(k),), 0).value + self._constant
        inner = (top[..., 0] + _FAR) * ((np.exp(-rho) * rho) @ _WEIGHTS)
        k, top = k[..., 0], top[..., 0]
        beyond = k * (top - 0.5 * np.minimum(k, _FAR))
        outer = np.where(k < _FAR, np.exp(-beyond) * (beyond - np.log(k) + 1.0), 0.0)
        return unit + inner + outer


def _in_ratio(eta: Arrays) -> Arrays:
    """Return eta with log(scale/tail) in place of log tail."""
    return eta[0], eta[1], np.asarray(eta[1]) - eta[2]


def _log_tail(z: Array, log_k: Array, upper: bool) -> Array:
    """Return log P(Z > z) if `upper`, else log P(Z <= z), Z = N + E/k."""
    k = np.exp(log_k)
    mills = normal_tail(z - k)
    # log of q/k: the probability that N <= z < N + E/k.
    low = z < k
    beside = mills.value - np.where(low, 0.5 * z * z, k * (z - 0.5 * k))
    above = np.logaddexp(log_ndtr(-z), beside)
    z, k = np.broadcast_arrays(z, k)
    below = _log_cdf(z, k, beside)
    tail, other = (above, below) if upper else (below, above)
    return np.where(tail > -np.log(2.0), log_complement(np.minimum(other, 0.0)), tail)


def _log_cdf(z: Array, k: Array, beside: Array) -> Array:
    """Return log P(Z <= z) as a sum of positive terms, where it is small."""
    a = np.maximum(-z, -_LOW)  # with Mills' ratio M, P(Z <= z) = phi(z) (M(a) - M(a + k))
    close = k < np.maximum(a, 1.0)
    step = np.where(close, k, 1.0)
    some = normal_tail(-(a[..., None] + step[..., None] * _FEW))
    falls = step * ((some.rest / some.ratio) @ _FEW_WEIGHTS)
    ratios = [
        np.exp(normal_tail(-b).value + np.where(b < 0.0, 0.5 * b * b, 0.0)) for b in (a, a + k)
    ]
    difference = np.where(close, falls, np.sqrt(2.0 * np.pi) * (ratios[0] - ratios[1]))
    lower = np.log(difference) - 0.5 * (z * z + LOG_2PI)
    # Farther up it is P(z - k < N <= z) + Phi(z - k) (1 - exp(k^2/2 - k z)) for small k.
    small = np.where(k < 1.0, k, 1.0)
    there = z[..., None] - small[..., None] * _FEW
    between = small * (np.exp(-0.5 * there * there) @ _FEW_WEIGHTS) / np.sqrt(2.0 * np.pi)
    rest = between - ndtr(z - small) * np.expm1(small * (0.5 * small - z))
    upper = np.where(k < 1.0, np.log(rest), np.log(ndtr(z) - np.exp(beside)))
    return np.where(z < _LOW, lower, upper)
