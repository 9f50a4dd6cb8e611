"""The generalised normal law, between Laplace's and the uniform one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import digamma, expit, gammainccinv, gammaln, zeta

from skmle.families.algebra import constant_at
from skmle.families.base import Array, Arrays, Family, Limit, Param, Rows, Saturated, average
from skmle.families.laplace import Laplace
from skmle.families.law import ByStd
from skmle.families.normal import Normal
from skmle.families.tools.by_tails import ByTails
from skmle.families.tools.charts import chart_of
from skmle.families.tools.gamma_tails import tail_rows
from skmle.families.tools.location_scale import LocationScale
from skmle.families.tools.quantiles import weighted_quantile
from skmle.families.tools.special import log_complement
from skmle.families.tools.with_shapes import WithShapes
from skmle.families.wrappers.fixed import Fixed

# |eta| of the shape up to which the formulas are asked: beyond, they would leave the numbers.
_LARGEST_ETA = 690.0
# |z| that counts as none, whose curvature is a number; and a relative distance that does.
_NONE, _ROUNDED = 1e-100, 1e-14
# The power p from which a fit without a maximum has come near to the uniform law, and that of the
# law which stands for it.
_UNIFORM, _FAR_OUT = 1e3, 1e13
# Eta of the shapes between which a start lies, with their kurtosis, and from which the median is a
# better location than the mean.
_SHAPES = np.linspace(-3.0, 2.0, 51)
_KURTOSES = np.exp(gammaln(5.0 * expit(_SHAPES)) + gammaln(expit(_SHAPES)))
_KURTOSES = _KURTOSES / np.exp(2.0 * gammaln(3.0 * expit(_SHAPES)))
_PEAKED = 0.7


class GeneralizedNormal(ByStd, ByTails, WithShapes):
    """Generalised normal (exponential power) law with mean `loc`, `scale` and `shape`.

    q(y) = exp(-|z|^p/p) / (2 p^(1/p) Gamma(1 + 1/p) scale), z = (y - loc)/scale and
    p = 2/(1 + shape), so that scale^p is the mean of |y - loc|^p. The shape is between -1 and 1:
    towards 1 it is Laplace's law, at 0 the normal one, and towards -1 it is uniform between
    loc - scale and loc + scale. scipy: ``gennorm(p, loc, scale * p**(1/p))``; R:
    ``normalp::dnormp(y, mu=loc, sigmap=scale, p=p)``.

    Data with a sharper peak or heavier tails than Laplace's end at that law (status "boundary").
    There is none here with p < 1: each observation would be a local maximum in loc, and the
    likelihood has no bound as p vanishes around any of them. From p = 1 on -log q is convex in loc.
    Below p = 2 its curvature at loc has no bound, and errors are those of the expectation.

    The likelihood of the uniform law from the least to the largest observation is a finite
    supremum. Where it is likelier than the maximum inside, as of data without tails, the status is
    "no_maximum".

    References
    ----------
    Subbotin (1923), On the law of frequency of error, Matematicheskii Sbornik 31.
    Box & Tiao (1973), Bayesian Inference in Statistical Analysis, sec. 3.2 (this shape).
    Mineo & Ruggieri (2005), A software tool for the exponential power distribution: the normalp
    package, Journal of Statistical Software 12 (this scale).

    Examples
    --------
    >>> import numpy as np
    >>> from skmle import MLEDistribution
    >>> x = np.random.default_rng(0).laplace(3.0, 2.0, size=(5000, 1))
    >>> x += np.random.default_rng(1).normal(0.0, 2.0, size=(5000, 1))
    >>> model = MLEDistribution("gennorm").fit(x)
    >>> print({name: round(value, 1) for name, value in model.params_.items()})
    {'loc': 3.0, 'scale': 3.0, 'shape': 0.4}
    """

    scipy_name = "gennorm"
    cusps = True  # the curvature of -log q at loc has no bound
    parameters = (*LocationScale.parameters, Param("shape", chart_of(-1.0, 1.0)))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (Limit("shape", 1.0, Laplace(links=self.links_of(("loc", "scale")))),)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return (Limit("shape", 0.0, Normal(links=self.links_of(("loc", "scale")))),)

    # ---------------------------------------------------------------- the formula

    @property
    def kinked(self) -> bool:
        return False  # its slope is steep there, and does not jump

    def jet(self, u: Array, shapes: Arrays, order: int) -> Rows:
        return _jet(u, np.maximum(np.abs(u), _NONE), shapes[0], order)

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        rows = super().evaluate(statistics, eta, order)
        if rows.curvature is None:
            return rows
        # Below p = 2 a few rows next to loc have nearly all of the curvature in it: it is that of
        # the expectation, as Laplace's, and so it is zero between loc and the others.
        p = 1.0 + _excess(eta[2])
        along, turn, cross, *others = map(np.asarray, rows.packed)
        mean = np.exp(-2.0 * np.asarray(eta[1])) * _expected_bend(p)
        steep = p < 2.0
        first = np.where(steep, mean, along), *(np.where(steep, 0.0, c) for c in (turn, cross))
        return rows._replace(curvature=(*first, *others))

    def tail_jet(self, u: Array, shapes: Arrays, upper: bool, order: int) -> Rows:
        # In z a tail falls by its hazard. Where all of the law lies on one side, squares of what is
        # beyond are no numbers.
        own = _tail_by_shape(u, shapes[0], upper, order)
        if own.gradient is None:
            return own
        density = self.jet(u, shapes, 1)
        assert density.gradient is not None
        hazard = np.exp(own.value - density.value) * (1.0 if upper else -1.0)
        gradient = (hazard, own.gradient[0])
        whole = own.value == 0.0
        if own.curvature is None:
            return constant_at(whole, 0.0, Rows(own.value, gradient))
        bend, cross = (
            hazard * (one - other) for one, other in zip(gradient, density.gradient, strict=True)
        )
        rows = Rows(own.value, gradient, (bend, cross, own.packed[0]))
        return constant_at(whole, 0.0, rows)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        # |z|^p/p has a gamma law of shape 1/p; weighted by itself, of shape 1 + 1/p.
        e = _excess(eta[2])
        p = 1.0 + e
        bend = _constant(p)[2]
        rate, log_p = np.exp(-np.asarray(eta[1])), np.log(p)
        mean = digamma(1.0 + 1.0 / p) + log_p  # of p log|z|
        square = mean * mean + zeta(2.0, 1.0 + 1.0 / p)
        by_shape = (square - 2.0 * mean + 2.0) / p**3 + bend
        return rate * rate * _expected_bend(p), None, None, p, e * mean / p, e * e * by_shape

    def smoothings(self) -> tuple[Family, ...]:
        return tuple(SmoothGeneralizedNormal(10.0**-k, links=self.links) for k in range(2, 17, 2))

    # ---------------------------------------------------------------- starts and verdicts

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        (y,) = statistics
        loc = average(y, weight)
        log_size, shape = _size_and_shape(y - loc, weight)
        if shape > _PEAKED:
            loc = float(weighted_quantile(y, weight, 0.5))
            log_size, _ = _size_and_shape(y - loc, weight, shape)
        return [(loc, log_size, shape)]

    def holding(self, values: Mapping[str, float]) -> Family | None:
        return OfKnownLocation(self, dict(values)) if {*values} == {"loc"} else None

    def saturated(self, statistics: Arrays) -> Saturated:
        limit = super().saturated(statistics)
        assert limit is not None
        return limit._replace(others=(limit.others[0], 0.0))

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        return ("shape", _TOWARDS_UNIFORM) if np.min(eta[2]) < -np.log(_UNIFORM) else None

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
        return (0.5 * low + 0.5 * high, float(np.log(half)), -float(np.log(_FAR_OUT))), (
            _TOWARDS_UNIFORM
        )

    # ---------------------------------------------------------------- the law

    def to_scipy(self, theta: Arrays) -> Any:
        from scipy.stats import gennorm, laplace, uniform

        loc, scale, shape = (np.asarray(value, float) for value in theta)
        if np.all(np.abs(shape) == 1.0):
            flat = np.all(shape < 0.0)
            return uniform(loc - scale, 2.0 * scale) if flat else laplace(loc, scale)
        p = _power(shape)
        return gennorm(p, loc, scale * _unit(p))

    @classmethod
    def from_scipy(cls, beta: Array, loc: Array, scale: Array) -> tuple[Family, Arrays] | None:
        return None if np.any(beta < 1.0) else (cls(), (loc, scale / _unit(beta), 2.0 / beta - 1.0))

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        loc, scale, shape = theta
        with np.errstate(all="ignore"):  # beyond the floating-point numbers
            return _log_tail((y - loc) / scale, self.parameters[2].chart.forward(shape), upper)

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


class OfKnownLocation(Fixed):
    """The generalised normal law with its location held: scale and shape start beside it."""

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [_size_and_shape(statistics[0] - self.values["loc"], weight)]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        known = self.inner.unbounded(statistics, weight)
        if known is None or not np.isclose(known[0][0], self.values["loc"], _ROUNDED, 0.0):
            return None
        return known[0][1:], known[1]


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
    "largest observation, as shape tends to -1"
)


def _size_and_shape(
    away: Array, weight: Array | None, shape: float | None = None
) -> tuple[float, float]:
    """Return the most likely log scale of distances, and the shape that their kurtosis tells."""
    size = np.abs(away)
    largest = float(np.max(size))
    with np.errstate(divide="ignore", invalid="ignore"):  # all observations are equal
        z = size / largest
        square = z * z
        kurtosis = np.float64(average(square * square, weight)) / average(square, weight) ** 2
        if shape is None:
            found = float(kurtosis) if np.isfinite(kurtosis) else 3.0
            shape = float(np.interp(found, _KURTOSES, _SHAPES))
        p = 1.0 + float(np.exp(-shape))
        return float(np.log(average(z**p, weight)) / p + np.log(largest)), shape


def _jet(u: Array, size: Array, shape: Array, order: int) -> Rows:
    """Return size^p/p + log(2 p^(1/p) Gamma(1 + 1/p)), with derivatives in u and in eta of shape.

    The size is |u|, or hypot(u, radius).
    """
    e = _excess(shape)
    p = 1.0 + e
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
        return Rows(value, (pull, -e * by_p))
    own = e * by_p + e * (e * (share * (turned * turned + 1.0 / p / p) + bend))
    along = steep * (1.0 + (p - 2.0) * np.square(u / size))
    return Rows(value, (pull, -e * by_p), (along, -e * (pull * log_size), own))


def _excess(shape: Array) -> Array:
    """Return p - 1 at eta of the shape."""
    return np.exp(-np.clip(shape, -_LARGEST_ETA, _LARGEST_ETA))


def _constant(p: Array) -> Arrays:
    """Return log(2 p^(1/p) Gamma(1 + 1/p)) and two derivatives in p."""
    a, log_p = 1.0 / p, np.log(p)
    value = np.log(2.0) + a * log_p + gammaln(1.0 + a)
    left = 1.0 - log_p - digamma(1.0 + a)
    bend = (a * zeta(2.0, 1.0 + a) - 1.0 - 2.0 * left) * a**3
    return value, left * a * a, bend


def _power(shape: Array) -> Array:
    """Return p of natural shapes; that of the uniform law is a very large one."""
    with np.errstate(divide="ignore"):
        return np.minimum(2.0 / (1.0 + np.asarray(shape, float)), np.exp(_LARGEST_ETA))


def _expected_bend(p: Array) -> Array:
    """Return the mean of the second derivative in z of |z|^p/p, that of |z|^(2p - 2)."""
    away = gammaln(2.0 - 1.0 / p) - gammaln(1.0 / p)
    return np.exp((2.0 - 2.0 / p) * np.log(p) + away)


def _unit(p: Array) -> Array:
    """Return p^(1/p), the scale in units of scipy's."""
    return np.exp(np.log(p) / p)


def _log_tail(u: Array, shape: Array, upper: bool) -> Array:
    """Return the logarithm of a tail of z."""
    return -_tail_by_shape(u, shape, upper, 0).value


def _tail_by_shape(u: Array, shape: Array, upper: bool, order: int) -> Rows:
    """Return -log of a tail of z, with derivatives in eta of the shape.

    It is half that of a gamma law of mean and shape 1/p at |z|^p/p, or one less this half.
    """
    e = _excess(shape)
    p = 1.0 + e
    log_size = np.log(np.maximum(np.abs(u), _NONE))
    beyond = tail_rows(p * log_size, -np.log(p), True, order)
    half = beyond.value + np.log(2.0)
    own = (u > 0.0) == upper
    value = np.where(own, half, -log_complement(-half))
    if beyond.gradient is None:
        return Rows(value)
    # How the log of |z|^p over the mean moves with eta, and how the gamma law's log shape does.
    by_mean, by_shape = beyond.gradient
    move, turn = -e * log_size, e / p
    slope = turn * by_shape - move * by_mean
    odds = np.exp(value - half)
    one, other = np.where(own, 1.0, -odds), np.where(own, 0.0, odds * (1.0 + odds))
    if order < 2:
        return Rows(value, (one * slope,))
    mean_mean, mean_shape, shape_shape = map(np.asarray, beyond.packed)
    bend = move * (move * mean_mean - 2.0 * turn * mean_shape + by_mean)
    bend = bend + turn * (turn * shape_shape - by_shape / p)
    return Rows(value, (one * slope,), (one * bend + other * slope * slope,))
