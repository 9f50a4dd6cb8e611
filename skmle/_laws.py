"""What an information measure is taken of: one face for probability vectors, scipy's laws, ours and fitted models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtri

from skmle import _divergence, families
from skmle._expectation import Array, Gain, expectation
from skmle.families import Distribution

LOG_2 = float(np.log(2.0))
DRAWS = 100_000  # of a Monte Carlo average: about 0.3 % of a standard deviation
_SUM = 1e-8  # by how much probabilities may miss one: rounding, not percentages or counts
_ALLOWED = (
    "Allowed: probability vectors, frozen scipy distributions such as scipy.stats.norm(0, 1), skmle Distributions and fitted skmle "
    "estimators of a density"
)


class Estimate(NamedTuple):
    """A value in nats with its standard error, which is zero but for Monte Carlo averages."""

    value: Array
    error: Array


def surprise(log_p: Array, log_q: Array) -> Array:
    """Average to the entropy of p."""
    return -log_p


def ratio(log_p: Array, log_q: Array) -> Array:
    """Average to D(p || q)."""
    return log_p - log_q


def mixture(log_p: Array, log_q: Array) -> Array:
    """Average to D(p || (p + q)/2); it is bounded."""
    return LOG_2 - np.logaddexp(0.0, log_q - log_p)


class Law(ABC):
    """A law of which log q is known and under which averages can be taken."""

    discrete: bool
    columns: int = 1
    distribution: Distribution | None = None
    """The same law as a family with parameters, where it is one: the key to closed forms."""

    @abstractmethod
    def __str__(self) -> str:
        """Return how messages name it."""

    @abstractmethod
    def expect(self, other: Any, gain: Gain, seed: int) -> Estimate:
        """Return the average under this law of `gain` of its own log-probabilities and the other's."""

    def entropy(self, seed: int) -> Estimate:
        """Return E[-log p]."""
        closed = None if self.distribution is None else _divergence.entropy(self.distribution)
        return self.expect(self, surprise, seed) if closed is None else _exactly(closed)

    def divergence(self, other: Any, seed: int) -> Estimate:
        """Return D(self || other), for laws that have passed `check_comparable`."""
        ours, theirs = self.distribution, other.distribution
        closed = None if ours is None or theirs is None else _divergence.divergence(ours, theirs)
        value, error = self.expect(other, ratio, seed) if closed is None else _exactly(closed)
        return Estimate(np.maximum(value, 0.0), error)  # Gibbs' inequality, which rounding may miss by 1e-16


def _exactly(value: Array) -> Estimate:
    return Estimate(np.asarray(value, float), np.zeros_like(value, dtype=float))


class OneColumn(Law):
    """A law of one number or label; pairs of them are told apart by asking both in turn."""

    @abstractmethod
    def at(self, p: Finite) -> tuple[Array, Array]:
        """Return log p and this law's log-probabilities at the labels of p, of shape (..., labels)."""

    @abstractmethod
    def under(self, p: Line, gain: Gain) -> Array:
        """Return the average of `gain` of log p and this law's log-probabilities under p."""


class Finite(OneColumn):
    """Probabilities of finitely many labels, of shape (..., labels); without labels, of positions 0, 1, ..."""

    discrete = True

    def __init__(self, probabilities: Array, labels: NDArray[Any] | None = None) -> None:
        self.probabilities = probabilities
        self.labels = labels

    def __str__(self) -> str:
        kind = "probability vector" if self.labels is None else "categorical law"
        return f"a {kind} of {self.probabilities.shape[-1]} entries"

    @property
    def points(self) -> Array:
        """The labels as numbers."""
        if self.labels is None:
            return np.arange(self.probabilities.shape[-1], dtype=float)
        try:
            return self.labels.astype(float)
        except (TypeError, ValueError):
            raise ValueError(
                f"The labels of {self} are not numbers: {self.labels[:3].tolist()}. Allowed beside a law of numbers: labels that are numbers. "
                "Compare categorical laws, or recode the labels."
            ) from None

    def expect(self, other: OneColumn, gain: Gain, seed: int) -> Estimate:
        log_p, log_q = other.at(self)
        with np.errstate(invalid="ignore", over="ignore"):
            terms = np.exp(log_p) * gain(log_p, log_q)
        return _exactly(np.where(np.isneginf(log_p), 0.0, terms).sum(axis=-1))  # 0 log 0 = 0

    def at(self, p: Finite) -> tuple[Array, Array]:
        ours, theirs = self.probabilities, p.probabilities
        if p.labels is not None and self.labels is not None and not np.array_equal(p.labels, self.labels):
            labels = np.union1d(p.labels, self.labels)
            ours, theirs = (_spread(law.probabilities, np.searchsorted(labels, law.labels), len(labels)) for law in (self, p))
        with np.errstate(divide="ignore"):
            return np.log(theirs), np.log(ours)

    def under(self, p: Line, gain: Gain) -> Array:
        points = self.points
        log_p = p.log_prob_at(points)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            terms = np.exp(log_p) * gain(log_p, np.log(self.probabilities))
            elsewhere = gain(np.zeros(()), np.asarray(-np.inf))  # the same at all points outside the labels
        inside = np.where(np.isneginf(log_p), 0.0, terms).sum(axis=-1)
        # A mass outside may be too small for its complement to show; then the neighbours of the labels have some of it.
        mass = np.maximum(1.0 - np.exp(log_p).sum(axis=-1), 0.0)
        neighbours = np.setdiff1d(np.concatenate([points - 1.0, points + 1.0]), points)
        escapes = (mass > 1e-9) | (p.log_prob_at(neighbours) > -np.inf).any(axis=-1)
        return inside + np.where(escapes, np.where(np.isinf(elsewhere), elsewhere, mass * elsewhere), 0.0)


def _spread(probabilities: Array, columns: NDArray[np.intp], size: int) -> Array:
    wide = np.zeros((*probabilities.shape[:-1], size))
    wide[..., columns] = probabilities
    return wide


class Line(OneColumn):
    """A law of one number; `take` gives its n rows of parameters one flat axis."""

    shape: tuple[int, ...]
    """The shape of the rows of parameters; () for a single law."""

    @property
    @abstractmethod
    def frozen(self) -> Any:
        """The frozen scipy distribution of the flat rows."""

    @abstractmethod
    def take(self, rows: Any) -> Line:
        """Return the law with these of its flat rows."""

    @abstractmethod
    def log_prob(self, y: Array) -> Array:
        """Return log q(y), one y a flat row."""

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(np.prod(self.shape))

    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each row."""
        low, high = (np.broadcast_to(np.asarray(end, float), (self.size,)) for end in self.frozen.support())
        return low, high

    def quantile(self, level: float) -> Array:
        """Return a quantile of each row; about it, where scipy has none (counts beyond 1e9)."""
        value = np.broadcast_to(np.asarray(self.frozen.ppf(level), float), (self.size,))
        if not np.isnan(value).any():
            return value
        rough = np.clip(self.frozen.mean() + ndtri(level) * self.frozen.std(), *self.support())
        return np.where(np.isnan(value), np.floor(rough) if self.discrete else rough, value)

    def expect(self, other: OneColumn, gain: Gain, seed: int) -> Estimate:
        return _exactly(other.under(self, gain))

    def rows(self, shape: tuple[int, ...]) -> Line:
        """Return the law with as many flat rows as `shape` has entries, to which its own rows broadcast."""
        return self.take(np.broadcast_to(np.arange(self.size).reshape(self.shape), shape).ravel())

    def log_prob_at(self, points: Array) -> Array:
        """Return log q of each row at all points, of shape (*rows, points)."""
        law = self.take(np.repeat(np.arange(self.size), len(points)))
        with np.errstate(all="ignore"):
            return law.log_prob(np.tile(points, self.size)).reshape(*self.shape, len(points))

    def at(self, p: Finite) -> tuple[Array, Array]:
        with np.errstate(divide="ignore"):
            return np.log(p.probabilities), self.log_prob_at(p.points)

    def under(self, p: Line, gain: Gain) -> Array:
        shape = np.broadcast_shapes(p.shape, self.shape)
        one, two = p.rows(shape), (self if self is not p else p).rows(shape)
        if self is p:
            return expectation(one, one, gain).reshape(shape)
        elsewhere = gain(np.zeros(()), np.asarray(-np.inf))
        escapes = _escapes(one, two) if np.isinf(elsewhere) else np.zeros(one.size, bool)
        value = np.full(one.size, elsewhere)
        if not escapes.all():
            value[~escapes] = expectation(one.take(~escapes), two.take(~escapes), gain)
        return value.reshape(shape)


def _escapes(p: Line, q: Line) -> NDArray[np.bool_]:
    """Return for each row whether p has mass outside the support of q."""
    (low_p, high_p), (low_q, high_q) = p.support(), q.support()
    if not p.discrete:
        return (low_p < low_q) | (high_p > high_q)
    with np.errstate(all="ignore"):
        off = np.isfinite(low_p) & np.isfinite(low_q) & ((low_p - low_q) % 1.0 != 0.0)
        # The support of a law at a limit (no successes at all) is smaller than scipy says, so the masses decide; next to
        # the ends they are asked in logarithms, which do not underflow.
        beyond = (p.frozen.sf(high_q) > 0.0) | (p.log_prob(np.where(np.isfinite(high_q), high_q + 1.0, low_p - 1.0)) > -np.inf)
        before = (p.frozen.cdf(low_q - 1.0) > 0.0) | (p.log_prob(np.where(np.isfinite(low_q), low_q - 1.0, high_p + 1.0)) > -np.inf)
    return off | ((high_p > high_q) & beyond) | ((low_p < low_q) & before)


class FamilyLine(Line):
    """A law of one of our families of one column."""

    def __init__(self, distribution: Distribution) -> None:
        self.distribution: Distribution = distribution
        self.discrete = distribution.discrete
        self.shape = distribution.shape
        self._flat = {name: np.broadcast_to(value, self.shape).ravel() for name, value in distribution.params.items()}

    def __str__(self) -> str:
        return repr(self.distribution)

    @cached_property
    def frozen(self) -> Any:
        return self.distribution.family.to_scipy(tuple(self._flat.values()))

    def take(self, rows: Any) -> Line:
        return FamilyLine(Distribution(self.distribution.family, {name: value[rows] for name, value in self._flat.items()}))

    def log_prob(self, y: Array) -> Array:
        return np.asarray(self.distribution.log_prob(y), float)


class ScipyLine(Line):
    """A law of scipy's, or one of ours whose observation is more than its number (the binomial)."""

    def __init__(self, dist: Any, parameters: Mapping[str, Any], distribution: Distribution | None = None) -> None:
        self.dist = dist
        self.discrete = isinstance(dist, stats.rv_discrete)
        self.distribution = distribution
        values = [np.asarray(value) for value in parameters.values()]
        self.shape = np.broadcast_shapes(*(value.shape for value in values))
        self._flat = {name: np.broadcast_to(value, self.shape).ravel() for name, value in zip(parameters, values, strict=True)}

    def __str__(self) -> str:
        return f"scipy.stats.{self.dist.name}"

    @cached_property
    def frozen(self) -> Any:
        return self.dist(**self._flat)

    def take(self, rows: Any) -> Line:
        return ScipyLine(self.dist, {name: value[rows] for name, value in self._flat.items()})

    def log_prob(self, y: Array) -> Array:
        return np.asarray(self.frozen.logpmf(y) if self.discrete else self.frozen.logpdf(y), float)


class Many(Law):
    """A law of several columns: closed forms for the normal, averages over random draws for the others."""

    def __init__(self, law: Any, draws: Array, log_prob: Callable[[Array], Array], *, discrete: bool, distribution: Distribution | None = None) -> None:
        self.law = law
        self.discrete = discrete
        self.columns = draws.shape[1]
        self.log_prob = log_prob
        self.distribution = distribution

    def __str__(self) -> str:
        return f"{type(self.law).__name__.removesuffix('_frozen')} of {self.columns} columns"

    def entropy(self, seed: int) -> Estimate:
        own = getattr(self.law, "entropy", None) if self.distribution is None else None
        return super().entropy(seed) if own is None else _exactly(own())

    def expect(self, other: Many, gain: Gain, seed: int) -> Estimate:
        draws = np.asarray(self.law.rvs(size=DRAWS, random_state=seed), float)
        with np.errstate(all="ignore"):
            values = gain(self.log_prob(draws), other.log_prob(draws))
            return Estimate(values.mean(), values.std() / np.sqrt(len(values)))


# ---------------------------------------------------------------- from what users give


def as_law(value: Any, name: str) -> Law:
    """Return the law that `value` stands for; TypeError if none, ValueError if it is not one."""
    fitted = getattr(value, "distribution_", None)
    if isinstance(fitted, Distribution):
        value = fitted
    if isinstance(value, Distribution):
        return _from_distribution(value)
    if isinstance(value, (stats.rv_continuous, stats.rv_discrete)):
        if value.numargs:
            raise TypeError(f"{name}: scipy.stats.{value.name} without its parameters {value.shapes}. {_ALLOWED}. Freeze it: call it with them.")
        value = value()
    if isinstance(getattr(value, "dist", None), (stats.rv_continuous, stats.rv_discrete)):
        return _from_scipy(value, name)
    if isinstance(value, (list, tuple, np.ndarray)) or hasattr(value, "__array__"):
        return Finite(checked_probabilities(value, name))
    if any(callable(getattr(value, method, None)) for method in ("logpdf", "logpmf")) and callable(getattr(value, "rvs", None)):
        return _from_columns(value, name)
    hint = "Fit it first, or see empirical_cross_entropy for a conditional model" if hasattr(value, "get_params") else "Convert it to one of them"
    raise TypeError(f"{name}: got {value!r} of type {type(value).__name__}, which is not a law. {_ALLOWED}. {hint}.")


def checked_probabilities(value: Any, name: str, axes: int = 1) -> Array:
    """Return `value` as floats, after checking that its last `axes` axes hold probabilities that sum to one."""
    try:
        p = np.asarray(value, float)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: got {value!r}, which is no array of numbers. {_ALLOWED}. Give an array of probabilities.") from None
    table = "vector" if axes == 1 else "table"
    if p.ndim < axes or 0 in p.shape:
        raise ValueError(
            f"{name}: an array of shape {p.shape} holds no probability {table}. Allowed: {axes} or more axes, none of length 0. Reshape it."
        )
    bad = ~(np.isfinite(p) & (p >= 0.0))
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name}: {int(bad.sum())} of {p.size} entries are no probabilities, the first {p[first]!r} at {first}. "
            "Allowed: finite numbers >= 0. Correct the entries."
        )
    sums = p.sum(axis=tuple(range(-axes, 0)))
    off = np.abs(sums - 1.0) > _SUM
    if off.any():
        worst = float(np.atleast_1d(sums)[np.atleast_1d(off)][0])
        raise ValueError(
            f"{name}: {int(off.sum())} of {sums.size} probability {table}s do not sum to 1; the first sums to {worst:.10g}. "
            f"Allowed: a sum within {_SUM:g} of 1. Normalise: divide by the sum, in double precision."
        )
    return p


def _from_distribution(law: Distribution) -> Law:
    for limit in law.family.limits:
        if np.all(law.params[limit.parameter] == limit.value):
            rest = {name: value for name, value in law.params.items() if name != limit.parameter}
            law = Distribution(limit.family(), dict(zip(rest, np.broadcast_arrays(*rest.values(), law.params[limit.parameter]), strict=False)))
            break
    family = law.family
    if isinstance(family, families.Categorical):
        return Finite(law.theta[0], None if isinstance(family.categories, (int, np.integer)) else family.labels)
    if isinstance(family, families.Binomial):  # as the number of successes, which the number of failures completes
        parameters = {"n": family.trials, "p": law.params["probability"], "loc": 0}
        return ScipyLine(stats.binom, parameters, law)
    if family.columns == 1:
        return FamilyLine(law)
    return Many(law, law.rvs(2, random_state=0), law.log_prob, discrete=law.discrete, distribution=law)


def _from_scipy(frozen: Any, name: str) -> Law:
    dist = frozen.dist
    names = [part.strip() for part in (dist.shapes or "").split(",") if part.strip()] + ["loc"]
    names += [] if isinstance(dist, stats.rv_discrete) else ["scale"]
    parameters = {"loc": 0.0, "scale": 1.0} | dict(zip(names, frozen.args, strict=False)) | frozen.kwds
    parameters = {key: parameters[key] for key in names}
    if np.isnan(frozen.support()).any():
        given = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
        raise ValueError(f"{name}: scipy.stats.{dist.name} does not exist with {given}. Allowed: see its documentation. Correct the parameters.")
    if getattr(dist, "xk", None) is not None:
        order = np.argsort(dist.xk)
        return Finite(np.asarray(dist.pk, float)[order], np.asarray(dist.xk)[order] + parameters["loc"])
    known = SCIPY[dist.name](**parameters) if dist.name in SCIPY else None
    return ScipyLine(dist, parameters) if known is None else _from_distribution(known)


def _from_columns(frozen: Any, name: str) -> Law:
    if type(frozen).__name__ == "multivariate_normal_frozen":
        mean, covariance = np.asarray(frozen.mean, float), np.asarray(frozen.cov, float)
        return _from_distribution(Distribution(families.MultivariateNormal(len(mean)), {"mean": mean, "covariance": covariance}))
    discrete = callable(getattr(frozen, "logpmf", None))
    log_prob = frozen.logpmf if discrete else frozen.logpdf
    if type(frozen).__name__ == "dirichlet_frozen":  # scipy's only law whose observations are columns
        log_prob = lambda x: frozen.logpdf(x.T)  # noqa: E731
    draws = np.asarray(frozen.rvs(size=5, random_state=0), float)
    if draws.ndim != 2 or np.shape(log_prob(draws)) != (5,):
        raise TypeError(f"{name}: an observation of {type(frozen).__name__} is an array of shape {draws.shape[1:]}. {_ALLOWED}. Give a law of vectors.")
    return Many(frozen, draws, log_prob, discrete=discrete)


def _law(family: families.Family, /, **parameters: Any) -> Distribution:
    return Distribution(family, parameters)


# scipy's laws that are ours, by their parameters; None where a location shifts the support of one that has a fixed support.
SCIPY: dict[str, Callable[..., Distribution | None]] = {
    "norm": lambda loc, scale: _law(families.Normal(), loc=loc, scale=scale),
    "laplace": lambda loc, scale: _law(families.Laplace(), loc=loc, scale=scale),
    "logistic": lambda loc, scale: _law(families.Logistic(), loc=loc, scale=scale),
    "t": lambda df, loc, scale: _law(families.StudentT(), loc=loc, scale=scale, df=df),
    "uniform": lambda loc, scale: _law(families.Uniform(), low=loc, high=np.add(loc, scale)),
    "lognorm": lambda s, loc, scale: _law(families.Lognormal(), loc=np.log(scale), scale=s) if np.all(loc == 0) else None,
    "expon": lambda loc, scale: _law(families.Exponential(), mean=scale) if np.all(loc == 0) else None,
    "gamma": lambda a, loc, scale: _law(families.Gamma(), mean=np.multiply(a, scale), shape=a) if np.all(loc == 0) else None,
    "weibull_min": lambda c, loc, scale: _law(families.Weibull(), scale=scale, shape=c) if np.all(loc == 0) else None,
    "invgauss": lambda mu, loc, scale: _law(families.InverseGaussian(), mean=np.multiply(mu, scale), shape=scale) if np.all(loc == 0) else None,
    "beta": lambda a, b, loc, scale: (
        _law(families.Beta(), mean=np.divide(a, np.add(a, b)), precision=np.add(a, b)) if np.all(loc == 0) and np.all(scale == 1) else None
    ),
    "poisson": lambda mu, loc: _law(families.Poisson(), mean=mu) if np.all(loc == 0) else None,
    "nbinom": lambda n, p, loc: (
        _law(families.NegativeBinomial(), mean=np.multiply(n, np.subtract(1.0, p) / p), dispersion=np.divide(1.0, n)) if np.all(loc == 0) else None
    ),
    "geom": lambda p, loc: _law(families.Geometric(), probability=p) if np.all(loc == 0) else None,
    "bernoulli": lambda p, loc: _law(families.Bernoulli(), probability=p) if np.all(loc == 0) else None,
    "binom": lambda n, p, loc: _law(families.Binomial(int(n)), probability=p) if np.all(loc == 0) and np.ndim(n) == 0 else None,
}


def check_comparable(p: Law, q: Law) -> None:
    """Raise ValueError unless p and q are laws of the same kind of observation."""
    if p.discrete != q.discrete:
        kinds = ["discrete" if law.discrete else "continuous" for law in (p, q)]
        raise ValueError(
            f"p is {kinds[0]} ({p}) and q is {kinds[1]} ({q}): masses and densities have no common measure. "
            "Allowed: both discrete or both continuous. Compare it with a law of its own kind, or bin the continuous one."
        )
    if p.columns != q.columns or isinstance(p, Many) != isinstance(q, Many):
        raise ValueError(
            f"p is a law of {p.columns} columns ({p}) and q of {q.columns} ({q}). Allowed: as many columns of both. Take the marginal of the columns in common."
        )
    if isinstance(p, Finite) and isinstance(q, Finite) and (p.labels is None or q.labels is None):
        sizes = p.probabilities.shape[-1], q.probabilities.shape[-1]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"p has {sizes[0]} entries and q has {sizes[1]}. Allowed: one probability of each for every category. Give categories that never occur the probability 0."
            )
    _check_rows(p, q)


def _check_rows(p: Law, q: Law) -> None:
    shapes = [law.probabilities.shape[:-1] if isinstance(law, Finite) else getattr(law, "shape", ()) for law in (p, q)]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(
            f"p has rows of shape {shapes[0]} and q of shape {shapes[1]}. Allowed: shapes that broadcast, such as (n,) with (n,) or (). Select the rows in common."
        ) from None
