"""The skew-normal law, and the half-normal law from a free end, its limit."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtr, owens_t

from skmle.families.base import (
    IDENTITY,
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    average,
)
from skmle.families.normal import Normal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.from_end import FromEnd
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.normal_tails import minus_log_normal_cdf
from skmle.families.tools.quantiles import centre_and_spread
from skmle.families.tools.screened import best_of_kinds
from skmle.families.tools.special import LOG_2PI, log_complement
from skmle.families.tools.tails import log_upper_integral
from skmle.families.tools.with_shapes import WithShapes

_CONSTANT = 0.5 * LOG_2PI - float(np.log(2.0))
# The largest skewness of the law is 0.9953; starts are those of a smaller one, with shape 6.
_MOST_SKEWED = 0.95
# Shape up to which the usual errors do not hold: the least eigenvalue of the information falls like
# shape^4, so that these need many more rows than shape^-6, a million here.
_SINGULAR = 0.1
# Standard errors by which a normal sample's skewness is told from none. In 120 samples each of
# shapes from 0.3 to 5 and of 100 to 3000 rows, at most 7 % of the fits had an interval that missed.
_TOLD = 2.0
_FAR_OUT = 1e4  # shape from which on a fit is on its way to the half-normal law; chosen
_HALF_NORMAL = 1e12  # shape from which the entropy is that of the limit law to the last digits
_HUGE = 1e200  # stands for a shape at an end of its range
# What is left of the larger term where the difference of two has lost three digits, and z from
# which a sum of tails is integrated, before it underflows.
_LOST, _FAR = 1e-3, 12.0
_ROOT = float(np.sqrt(2.0 / np.pi))


class SkewNormal(ByTails, WithShapes):
    """Skew-normal law with `loc`, `scale` and `shape`, Azzalini's direct parameters.

    q(y) = 2/scale phi(z) Phi(shape z), z = (y - loc)/scale, with phi and Phi of the standard normal
    law. The mean is loc + scale d sqrt(2/pi), d = shape/sqrt(1 + shape^2); the skewness lies
    between -0.9953 and 0.9953. scipy: ``skewnorm(shape, loc, scale)``. R: ``sn::dsn(xi, omega,
    alpha)``.

    With positive probability the likelihood has no maximum: it rises as the shape runs to infinity,
    where the law is half-normal from the least observation on, or up to the largest (status
    "boundary" of a density, "no_maximum" of a regression). At shape 0, the normal law, it is always
    stationary and the information singular: a fit that arrives there is compared with one from the
    other sign of the shape, and only where no skewness is left it ends there. Estimates near 0 have
    errors of the rate n^(-1/6) that are far from normal. Where the skewness of the fitted law is
    within two standard errors of none, sqrt(6/n) each, the status is "non_regular" and there are no
    standard errors; the likelihood-ratio test against the normal law is right there.

    References
    ----------
    Azzalini (1985), A class of distributions which includes the normal ones, Scandinavian Journal
    of Statistics 12.
    Azzalini & Arellano-Valle (2013), Maximum penalized likelihood estimation for skew-normal and
    skew-t distributions, Journal of Statistical Planning and Inference 143 (infinite estimates).
    Rotnitzky, Cox, Bottai & Robins (2000), Likelihood-based inference with singular information
    matrix, Bernoulli 6 (shape 0).

    Examples
    --------
    >>> from skmle import Distribution, MLEDistribution
    >>> law = Distribution("skewnorm", {"loc": 0.0, "scale": 1.0, "shape": 3.0})
    >>> model = MLEDistribution("skewnorm").fit(law.rvs(5000, random_state=0))
    >>> bool(2.5 < model.params_["shape"] < 3.5)
    True
    """

    scipy_name = "skewnorm"
    regular = False
    why_nonregular = (
        "the skewness is hardly told from that of a normal law, shape 0, where the information is "
        "singular"
    )
    parameters = (*LocationScale.parameters, Param("shape", IDENTITY))

    @property
    def limits(self) -> tuple[Limit, ...]:
        if self.links_of(("loc",)) is not None:
            return ()  # the end of the support is an observation, wherever a link ends
        links = self.links_of(("scale",))
        return tuple(
            Limit("shape", end, HalfNormalFromEnd(end > 0.0, links=links), constant=("loc",))
            for end in (np.inf, -np.inf)
        )

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("shape", 0.0, Normal(links=self.links_of(("loc", "scale")))),)

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        return ("shape",) if np.all(np.abs(eta[2]) < _SINGULAR) else ()

    def near_singular(self, eta: Arrays, size: float) -> tuple[str, ...]:
        # The skewness of normal samples has the variance 6/n.
        told = np.abs(_skewness(np.asarray(eta[2], float))) * np.sqrt(size / 6.0) >= _TOLD
        return () if np.all(told) else ("shape",)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        if not np.min(np.abs(eta[2])) > _FAR_OUT:
            return None
        return "shape", (
            "the likelihood rises towards a finite supremum, that of a half-normal law that begins "
            "or ends at an observation, as shape runs to infinity"
        )

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(_CONSTANT)

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        # With L(x) = -log Phi(x) at x = shape u, rho = u^2/2 + L.
        (shape,) = shapes
        below, slope, bend = minus_log_normal_cdf(shape * u)
        value, gradient = 0.5 * u * u + below, (u + shape * slope, u * slope)
        if order < 2:
            return Rows(value, gradient if order else None)
        turn = u * bend
        return Rows(value, gradient, (1.0 + shape * shape * bend, slope + shape * turn, u * turn))

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # By moments and by quantiles, with both signs of the shape: the best one of each sign.
        (y,) = statistics
        mean = average(y, weight)
        away = y - mean
        sd = float(np.sqrt(average(away * away, weight)))
        skewness = average((away / sd) ** 3, weight) if sd > 0.0 else 0.0
        size = min(abs(skewness), _MOST_SKEWED) ** (2.0 / 3.0)
        d = np.sqrt(0.5 * np.pi * size / (size + (2.0 - 0.5 * np.pi) ** (2.0 / 3.0)))
        d = float(np.copysign(d, skewness))
        centre, spread = centre_and_spread(y, weight)
        starts = [_of_moments(centre, 1.5 * spread, d) for d in (0.9, -0.9)]
        if sd > 0.0:
            starts += [_of_moments(mean, sd, d), _of_moments(mean, sd, float(np.copysign(0.6, -d)))]
        return [*best_of_kinds(self, statistics, weight, starts, lambda eta: eta[2] > 0.0)]

    def _inside(self, theta: Arrays) -> Any:
        # At an infinite shape the formulas hold with a huge one.
        return super()._inside((theta[0], theta[1], np.nan_to_num(theta[2])))

    def entropy(self, theta: Arrays) -> Array:
        loc, scale, shape = theta
        inside = super().entropy((loc, scale, np.clip(shape, -_HALF_NORMAL, _HALF_NORMAL)))
        half_normal = HalfNormalFromEnd().known_entropy((loc, scale))
        return np.where(np.abs(shape) < _HALF_NORMAL, inside, half_normal)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        loc, scale, shape = theta
        finite = (loc, scale, np.clip(shape, -_HUGE, _HUGE))
        if np.isfinite(self.eta(finite)).all():
            return self.log_prob(y, self.eta(finite))
        return super().log_prob_at_edge(y, theta)

    def _log_tail_of(self, z: Array, shapes: Arrays, upper: bool) -> Array:
        (shape,) = shapes
        sign = 1.0 if upper else -1.0
        z, shape = np.broadcast_arrays(sign * z, sign * np.clip(shape, -_HUGE, _HUGE))
        # Both tails are sums or differences of these; that of a sum has all its digits.
        own, cut = ndtr(-z), 2.0 * owens_t(z, shape)
        tail = own + cut
        with np.errstate(all="ignore"):
            whole = tail > 0.5
            rest = ndtr(z) - cut
            result = np.where(whole, log_complement(np.log(rest)), np.log(tail))
            poor = ~whole & (((shape < 0.0) & (tail < _LOST * own)) | (z > _FAR))
            if poor.any():
                result[poor] = _integrated(z[poor], shape[poor])
            poor = whole & (((shape > 0.0) & (rest < _LOST * ndtr(z))) | (z < -_FAR))
            if poor.any():
                result[poor] = log_complement(_integrated(-z[poor], -shape[poor]))
        return result

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        # P(Z > u) rises with the shape by exp(-u^2 (1 + shape^2)/2)/(pi (1 + shape^2)), which is
        # twice the derivative of Owen's function.
        (shape,) = shapes
        value = -self._log_tail_of(u, shapes, upper)
        if order < 1:
            return Rows(value)
        sign = 1.0 if upper else -1.0
        rho = self.jet(u, shapes, 1)
        assert rho.gradient is not None
        hazard = np.exp(value - rho.value - _CONSTANT)
        square = 1.0 + shape * shape
        moved = np.exp(value - 0.5 * u * u * square) / (np.pi * square)
        gradient = (sign * hazard, -sign * moved)
        if order < 2:
            return Rows(value, gradient)
        slope, turn = rho.gradient
        curvature = (
            hazard * (hazard - sign * slope),
            -hazard * (sign * turn + moved),
            moved * (moved + sign * shape * (u * u + 2.0 / square)),
        )
        return Rows(value, gradient, curvature)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        from scipy.special import ndtri

        mean, std = self.mean(theta), self.std(theta)
        return mean + std * (-ndtri(q) if upper else ndtri(q))

    def mean(self, theta: Arrays) -> Array:
        loc, scale, shape = theta
        return loc + scale * _ROOT * _share(shape)

    def variance(self, theta: Arrays) -> Array:
        _, scale, shape = theta
        # 1 - 2/pi d^2 without the rounding of d^2.
        return np.square(scale) * (1.0 - 2.0 / np.pi * np.square(_share(shape)))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import skewnorm

        loc, scale, shape = theta
        return skewnorm(shape, loc, scale)

    @classmethod
    def from_scipy(cls, a: Array, loc: Array, scale: Array) -> tuple[Family, Arrays]:
        return cls(), (loc, scale, a)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        loc, scale, shape = theta
        d = _share(shape)
        half, other = np.abs(rng.standard_normal(size)), rng.standard_normal(size)
        return loc + scale * (d * half + np.sqrt(1.0 - d * d) * other)


def _share(shape: Array) -> Array:
    """Return shape/sqrt(1 + shape^2), also of infinite shapes."""
    return np.sin(np.arctan(shape))


def _skewness(shape: Array) -> Array:
    mean = _ROOT * _share(shape)  # in scales
    return (2.0 - 0.5 * np.pi) * mean**3 / (1.0 - mean * mean) ** 1.5


def _of_moments(mean: float, sd: float, d: float) -> tuple[float, ...]:
    scale = sd / np.sqrt(1.0 - 2.0 / np.pi * d * d)
    shape = d / np.sqrt(1.0 - d * d)
    return float(mean - scale * _ROOT * d), float(np.log(scale)), float(shape)


def _integrated(z: Array, shape: Array) -> Array:
    """Return log P(Z > z) where the density falls from z on."""

    def rho(t: Array) -> Array:
        return 0.5 * t * t - log_ndtr(shape[:, None] * t) + _CONSTANT

    slope = SkewNormal().jet(z, (shape,), 1).gradient
    assert slope is not None
    return log_upper_integral(rho, z, 1.0 / np.maximum(slope[0], 1.0))


class HalfNormalFromEnd(FromEnd):
    """Half-normal law from an end `loc` on, upwards or downwards, with `scale`.

    A skew-normal law tends to it as its shape runs to infinity. scipy: ``halfnorm(loc, scale)``.

    References
    ----------
    Azzalini (1985), A class of distributions which includes the normal ones, Scandinavian Journal
    of Statistics 12.
    """

    @property
    def title(self) -> str:
        return "Half-normal"

    def rho(self, size: Array) -> tuple[Array, Array, Array]:
        return 0.5 * size * size, size, np.ones(())

    def base(self, statistics: Arrays) -> Array:
        return np.asarray(_CONSTANT)

    def mean(self, theta: Arrays) -> Array:
        return theta[0] + (_ROOT if self.upwards else -_ROOT) * theta[1]

    def variance(self, theta: Arrays) -> Array:
        return np.square(theta[1]) * (1.0 - 2.0 / np.pi)

    def known_entropy(self, theta: Arrays) -> Array:
        return 0.5 + _CONSTANT + np.log(theta[1])

    def most_likely_scale(self, size: Array, weight: Array | None) -> float:
        return float(np.sqrt(average(size * size, weight)))

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import halfnorm

        return halfnorm(*theta) if self.upwards else None

    def cdf(self, y: Array, theta: Arrays) -> Array:
        z = (y - theta[0]) / theta[1]
        both = 2.0 * ndtr(-np.abs(z))
        return np.where(z >= 0.0, 1.0 - both, 0.0) if self.upwards else np.where(z < 0.0, both, 1.0)
