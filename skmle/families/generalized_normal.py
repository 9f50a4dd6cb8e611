"""The generalised normal law, between Laplace's and the uniform one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, gammainccinv, gammaln, zeta

from skmle.families.base import LOG, Array, Arrays, Family, Limit, Param, Rows, Saturated, average
from skmle.families.differences import differences
from skmle.families.laplace import Laplace
from skmle.families.law import ByStd
from skmle.families.normal import Normal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.quantiles import weighted_quantile
from skmle.families.tools.special import log_complement
from skmle.families.tools.tails import log_gamma_tail
from skmle.families.tools.with_shapes import WithShapes

# |log shape| up to which the formulas are asked: beyond, they would leave the numbers.
_LARGEST_ETA = 690.0
# |z| that counts as none, whose curvature is a number.
_NONE = 1e-100
# Shape from which a fit without a maximum has come near to the uniform law, and that of the law
# which stands for it.
_UNIFORM, _FAR_OUT = 1e3, 1e13
# Logarithms of the shapes between which a start lies.
_LOG_SHAPES = np.linspace(-2.0, 3.0, 51)


class GeneralizedNormal(ByStd, ByTails, WithShapes):
    """Generalised normal (exponential power) law with mean `loc`, `scale` and `shape`.

    q(y) = exp(-|z|^p/p) / (2 p^(1/p) Gamma(1 + 1/p) scale), z = (y - loc)/scale and p = 1 + shape,
    so that scale^p is the mean of |y - loc|^p. With shape 0 it is Laplace's law, with shape 1 the
    normal one, and as the shape grows it is uniform between loc - scale and loc + scale. A fit to
    data with heavier tails than Laplace's ends there (status "boundary"). scipy:
    ``gennorm(1 + shape, loc, scale * (1 + shape)**(1/(1 + shape)))``; R:
    ``normalp::dnormp(y, mu=loc, sigmap=scale, p=1 + shape)``.

    Below p = 1 there is no law here: -log q has a cusp at which it is concave on both sides, so
    that each observation is a local maximum in loc, and the likelihood has no bound as p vanishes
    around any of them. From p = 1 on it is convex in loc. Below p = 2 the curvature at loc has
    no bound, and errors are those of its expectation.

    The likelihood of the uniform law from the least to the largest observation is a finite
    supremum. Where it is likelier than the maximum inside, as of data without tails, the status is
    "no_maximum".

    References
    ----------
    Subbotin (1923), On the law of frequency of error, Matematicheskii Sbornik 31.
    Varanasi & Aazhang (1989), Parametric generalized Gaussian density estimation, Journal of the
    Acoustical Society of America 86.
    Mineo & Ruggieri (2005), A software tool for the exponential power distribution: the normalp
    package, Journal of Statistical Software 12 (these parameters).

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> x = np.random.default_rng(0).normal(3.0, 2.0, size=(5000, 1))
    >>> model = MLEDistribution("gennorm").fit(x)
    >>> print({name: round(value, 1) for name, value in model.params_.items()})
    {'loc': 3.0, 'scale': 2.0, 'shape': 1.0}
    """

    scipy_name = "gennorm"
    cusps = True
    parameters = (*LocationScale.parameters, Param("shape", LOG))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("shape", 0.0, Laplace(links=self.links_of(("loc", "scale")))),)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("shape", 1.0, Normal(links=self.links_of(("loc", "scale")))),)

    # ---------------------------------------------------------------- the formula

    @property
    def kinked(self) -> bool:
        return False  # the slope of -log q is steep at loc, and does not jump

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return _jet(u, np.maximum(np.abs(u), _NONE), shapes[0], order)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        rows = super().evaluate(statistics, eta, order)
        if rows.curvature is None:
            return rows
        # Below p = 2 a few rows next to loc have nearly all of the curvature in it: it is that of
        # the expectation, as Laplace's, which it meets at p = 2.
        along, *others = map(np.asarray, rows.packed)
        e, p = _shape_and_power(eta[2])
        mean = np.exp(-2.0 * np.asarray(eta[1])) * _expected_bend(p)
        return rows._replace(curvature=(np.where(e < 1.0, mean, along), *others))

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        # Differences in the shape alone: in z a tail falls by its hazard.
        own = differences(lambda moved: -_log_tail(u, moved[0], upper), (shapes[0],), order)
        if own.gradient is None:
            return own
        density = self.jet(u, shapes, 1)
        assert density.gradient is not None
        hazard = np.exp(own.value - density.value) * (1.0 if upper else -1.0)
        gradient = (hazard, own.gradient[0])
        if own.curvature is None:
            return Rows(own.value, gradient)
        bend, cross = (
            hazard * (one - other) for one, other in zip(gradient, density.gradient, strict=True)
        )
        return Rows(own.value, gradient, (bend, cross, own.packed[0]))

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # |z|^p/p has a gamma law of shape 1/p; weighted by itself, of shape 1 + 1/p.
        e, p = _shape_and_power(eta[2])
        bend = _constant(p)[2]
        rate, log_p = np.exp(-np.asarray(eta[1])), np.log(p)
        mean = digamma(1.0 + 1.0 / p) + log_p  # of p log|z|
        square = mean * mean + zeta(2.0, 1.0 + 1.0 / p)
        by_shape = (square - 2.0 * mean + 2.0) / p**3 + bend
        return rate * rate * _expected_bend(p), None, None, p, -e * mean / p, e * e * by_shape

    def smoothings(self) -> tuple[Family, ...]:
        return tuple(SmoothGeneralizedNormal(10.0**-k, links=self.links) for k in range(2, 17))

    # ---------------------------------------------------------------- starts and verdicts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        # The kurtosis tells the shape.
        (y,) = statistics
        mean = average(y, weight)
        square = np.square(y - mean)
        variance = np.float64(average(square, weight))
        with np.errstate(divide="ignore", invalid="ignore"):  # all observations are equal
            kurtosis = np.float64(average(square * square, weight)) / variance / variance
        a = 1.0 / (1.0 + np.exp(_LOG_SHAPES))
        known = np.exp(gammaln(5.0 * a) + gammaln(a) - 2.0 * gammaln(3.0 * a))
        found = float(kurtosis) if np.isfinite(kurtosis) else 3.0
        log_shape = float(np.interp(-found, -known, _LOG_SHAPES))
        p = 1.0 + float(np.exp(log_shape))
        loc = mean if p > 1.5 else float(weighted_quantile(y, weight, 0.5))
        away = np.abs(y - loc)
        largest = float(np.max(away))
        with np.errstate(divide="ignore", invalid="ignore"):
            log_size = np.log(average((away / largest) ** p, weight)) / p + np.log(largest)
        return [(loc, float(log_size), log_shape)]

    def saturated(self, statistics: Arrays) -> Saturated:
        limit = super().saturated(statistics)
        assert limit is not None
        return limit._replace(others=(limit.others[0], 0.0))

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        return ("shape", _TOWARDS_UNIFORM) if np.min(eta[2]) > np.log(_UNIFORM) else None

    def on_that_way(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...] | None:
        found = self.supremum(statistics, weight)
        return None if found is None else found[0]

    def supremum(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        (y,) = statistics if weight is None else (statistics[0][weight > 0.0],)
        low, high = float(y.min()), float(y.max())
        half = 0.5 * high - 0.5 * low
        if not half > 0.0:
            return None
        return (0.5 * low + 0.5 * high, float(np.log(half)), float(np.log(_FAR_OUT))), (
            _TOWARDS_UNIFORM
        )

    # ---------------------------------------------------------------- the law

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gennorm

        loc, scale, shape = theta
        return gennorm(1.0 + np.asarray(shape), loc, scale * _unit(_power(shape)))

    def at_end(self, theta: Arrays) -> Any:
        from scipy.stats import laplace, uniform

        loc, scale, shape = (np.asarray(value, float) for value in theta)
        return uniform(loc - scale, 2.0 * scale) if np.all(np.isinf(shape)) else laplace(loc, scale)

    @classmethod
    def from_scipy(cls, beta: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(beta < 1.0) else (cls(), (loc, scale / _unit(beta), beta - 1.0))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, shape = theta
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return _log_tail((y - loc) / scale, np.log(shape), upper)

    def rough_quantile(self, q: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, shape = theta
        p = _power(shape)
        least = np.minimum(q, 1.0 - q)
        size = np.exp(np.log(p * gammainccinv(1.0 / p, 2.0 * least)) / p)
        return loc + scale * np.where((q < 0.5) == upper, size, -size)

    def mean(self, theta: Arrays) -> Array:
        return np.broadcast_arrays(*map(np.asarray, theta))[0] + 0.0

    def std(self, theta: Arrays) -> Array:
        _, scale, shape = theta
        p = _power(shape)
        growth = gammaln(1.0 + 3.0 / p) - gammaln(1.0 + 1.0 / p)
        return scale * _unit(p) * np.exp(0.5 * growth) / np.sqrt(3.0)

    def known_entropy(self, theta: Arrays) -> Array:
        p = _power(theta[2])
        return np.log(theta[1]) + 1.0 / p + _constant(p)[0]

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        # A gamma variable of shape a is one of shape 1 + a times U^(1/a).
        loc, scale, shape = theta
        p = _power(shape)
        away = _unit(p) * rng.standard_gamma(1.0 + 1.0 / p, size) ** (1.0 / p)
        return loc + scale * away * rng.uniform(-1.0, 1.0, size)


class SmoothGeneralizedNormal(GeneralizedNormal):
    """The generalised normal law with its peak rounded off: |z| is sqrt(z^2 + radius^2).

    For p near 1 the slope of -log q rises steeply at each observation, where Newton's method would
    go to and fro.
    """

    def __init__(self, radius: float = 0.01, *, links: Any = None) -> None:
        super().__init__(links=links)
        self.radius = radius

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return _jet(u, np.hypot(u, self.radius), shapes[0], order)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        return WithShapes.evaluate(self, statistics, eta, order)

    def smoothings(self) -> tuple[Family, ...]:
        return ()

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        # Of a tail, the law itself has no peak that matters.
        return GeneralizedNormal().tail(statistics, eta, upper, order)

    def to_scipy(self, theta: Arrays) -> Any:
        raise NotImplementedError(
            "SmoothGeneralizedNormal is a step towards a law in a fit, not a law of its own."
        )


_TOWARDS_UNIFORM = (
    "the likelihood rises towards a finite supremum, that of the uniform law from the least to the "
    "largest observation, as shape tends to inf"
)


def _jet(u: Array, size: Array, log_shape: Array, order: int) -> Rows:
    """Return size^p/p + log(2 p^(1/p) Gamma(1 + 1/p)), with derivatives in u and in log shape.

    The size is |u|, or hypot(u, radius).
    """
    e, p = _shape_and_power(log_shape)
    constant, slope, bend = _constant(p)
    log_size = np.log(size)
    share = np.exp(p * log_size) / p
    value = share + constant
    if order < 1:
        return Rows(value)
    turned = log_size - 1.0 / p
    steep = np.exp((p - 2.0) * log_size)
    pull = u * steep
    by_p = share * turned + slope
    if order < 2:
        return Rows(value, (pull, e * by_p))
    own = e * by_p + e * (e * (share * (turned * turned + 1.0 / p / p) + bend))
    along = steep * (1.0 + (p - 2.0) * np.square(u / size))
    return Rows(value, (pull, e * by_p), (along, e * (pull * log_size), own))


def _shape_and_power(log_shape: Array) -> Arrays:
    shape = np.exp(np.clip(log_shape, -_LARGEST_ETA, _LARGEST_ETA))
    return shape, 1.0 + shape


def _constant(p: Array) -> Arrays:
    """Return log(2 p^(1/p) Gamma(1 + 1/p)) and two derivatives in p."""
    a, log_p = 1.0 / p, np.log(p)
    value = np.log(2.0) + a * log_p + gammaln(1.0 + a)
    left = 1.0 - log_p - digamma(1.0 + a)
    bend = (a * zeta(2.0, 1.0 + a) - 1.0 - 2.0 * left) * a**3
    return value, left * a * a, bend


def _power(shape: Array) -> Array:
    """Return p of natural shapes, of which an infinite one is a very large one."""
    return 1.0 + np.minimum(np.asarray(shape, float), np.exp(_LARGEST_ETA))


def _expected_bend(p: Array) -> Array:
    """Return the mean of the second derivative in z of |z|^p/p, that of |z|^(2p - 2)."""
    away = gammaln(2.0 - 1.0 / p) - gammaln(1.0 / p)
    return np.exp((2.0 - 2.0 / p) * np.log(p) + away)


def _unit(p: Array) -> Array:
    """Return p^(1/p), the scale in units of scipy's."""
    return np.exp(np.log(p) / p)


def _log_tail(u: Array, log_shape: Array, upper: bool) -> Array:
    """Return the logarithm of a tail of z: half that of a gamma law, or its complement."""
    _, p = _shape_and_power(log_shape)
    log_x = p * np.log(np.abs(u)) - np.log(p)
    half = log_gamma_tail(1.0 / p, np.exp(log_x), True, log_x) - np.log(2.0)
    return np.where((u > 0.0) == upper, half, log_complement(np.minimum(half, 0.0)))
