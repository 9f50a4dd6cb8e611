"""A law with its parameters known: scipy's method names, vectorised over rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.families.base import Array, Arrays, Family
from skmle.families.moments import Moments
from skmle.families.tools.generators import generator_of
from skmle.families.tools.scipy_laws import arguments_of, is_frozen


def as_numbers(family: Family, name: str, values: ArrayLike) -> Array:
    """Return what a method was given as floats, or raise an error that says why it cannot be."""
    try:
        return np.asarray(values, float)
    except OverflowError:
        why = "holds a whole number that is too large for a float"
    except (TypeError, ValueError):
        why = f"is no array of real numbers: {values!r:.100}"
    raise ValueError(
        f"Distribution({type(family).__name__}): {name} {why}. Allowed: numbers up to 1.8e308 in "
        "size. Give such numbers."
    )


class Distribution(Moments):
    """A family with values for its natural parameters, one set or one a row.

    All methods broadcast: with parameters of shape (n,), ``logpdf(y)`` takes y of shape (n,), or
    one value for all rows. ``law[rows]`` are the laws of some rows.

    Parameters
    ----------
    family : str, Family class or Family
    params : mapping of str to array-like, optional
        Natural parameters by name, scalars or arrays of shape (n,); an end of the range is allowed
        (a mean of 0).
    **parameters : array-like
        The same as keywords: each parameter is given once.

    Raises
    ------
    TypeError
        If parameters are given without their names.
    ValueError
        If the names are not those of the family's parameters, or a value lies outside its
        parameter's range.

    Examples
    --------
    >>> from skmle import Distribution
    >>> law = Distribution("gamma", {"mean": [1.0, 2.0], "shape": 1.0})
    >>> law.sf(1.0).round(4)
    array([0.3679, 0.6065])
    >>> law.mean()
    array([1., 2.])
    >>> law[1]
    Gamma(mean=2, shape=1)
    >>> Distribution("normal", loc=0.0, scale=2.0).stats("mvsk")
    (array(0.), array(4.), array(0.), array(0.))
    """

    def __init__(
        self,
        family: str | type[Family] | Family,
        params: Mapping[str, ArrayLike] | None = None,
        /,
        *unnamed: ArrayLike,
        **parameters: ArrayLike,
    ) -> None:
        law = _family(family)
        if unnamed or not (params is None or isinstance(params, Mapping)):
            got = ", ".join(map(repr, (params, *unnamed)))
            raise TypeError(
                f"Distribution({type(law).__name__}): got {got} without names. Allowed: its "
                f"parameters by name, {', '.join(law.names)}. Write {law.names[0]}=... and so on."
            )
        twice = sorted(set(params or {}) & set(parameters))
        if twice:
            raise ValueError(
                f"Distribution({type(law).__name__}): {twice[0]} is given twice. Allowed: in the "
                "mapping or as a keyword. Give it once."
            )
        params = {**(params or {}), **parameters}
        if set(params) != set(law.names):
            got = f"got parameters {', '.join(sorted(params)) or 'none'}"
            advice = "Give each."
            if not params and is_frozen(family):
                advice = "Of a frozen law of scipy use Distribution.from_scipy(law)."
            raise ValueError(
                f"Distribution({type(law).__name__}): {got}. Allowed: exactly "
                f"{', '.join(law.names)}. {advice}"
            )
        self.params: dict[str, Array] = {
            name: as_numbers(law, name, params[name]) for name in law.names
        }
        self.family: Family = law.for_parameters(self.params)
        self._eta: Arrays | None = None
        self._check_range()

    @classmethod
    def from_scipy(cls, law: Any) -> Distribution:
        """Return a frozen law of ``scipy.stats`` of one number, with our parameters.

        It is a law of one of our families where that has it, and else of a `ScipyFamily`.

        Parameters
        ----------
        law : frozen scipy.stats distribution

        Examples
        --------
        >>> from scipy import stats
        >>> from skmle import Distribution
        >>> Distribution.from_scipy(stats.gamma(2.0, scale=3.0))
        Gamma(mean=6, shape=2)
        >>> Distribution.from_scipy(stats.moyal(1.0, 2.0))
        ScipyFamily(loc=1, scale=2)
        """
        # They import this module.
        from skmle.families import native_family
        from skmle.families.scipy_family import law_of

        if not is_frozen(law):
            raise TypeError(
                f"Distribution.from_scipy: {law!r} is not allowed. Allowed: frozen laws of "
                "scipy.stats of one number, such as scipy.stats.norm(0, 1). Give one."
            )
        native = native_family(law.dist.name)
        arguments = {name: np.asarray(value, float) for name, value in arguments_of(law).items()}
        family, theta = (None if native is None else native.from_scipy(**arguments)) or law_of(
            law.dist, arguments
        )
        return cls(family, dict(zip(family.names, theta, strict=True)))

    @classmethod
    def at(cls, family: Family, eta: Arrays) -> Distribution:
        """Return the law at linked `eta`, which it keeps if that is finer than its parameters."""
        law = cls.of(family, family.natural(eta))
        law._eta = eta if family.finer_eta else None
        return law

    @classmethod
    def of(cls, family: Family, theta: Arrays) -> Distribution:
        """Return the law with natural parameters that are known to be in their ranges."""
        law = cls.__new__(cls)
        law.family, law._eta = family, None
        law.params = {
            name: np.asarray(value, float) for name, value in zip(family.names, theta, strict=True)
        }
        return law

    def _check_range(self) -> None:
        family = self.family
        if family.names != tuple(p.name for p in family.parameters):
            return
        for param, value in zip(family.parameters, self.params.values(), strict=True):
            outside = param.chart.outside(value)
            if outside.any():
                what = f"{param.name}={value[outside].flat[0]:g} is out of range"
                raise ValueError(
                    f"Distribution({type(family).__name__}): {what}. "
                    f"Allowed: {param.chart.bounds(param.name)}. Give such values."
                )

    def _observed(self, y: ArrayLike) -> Array:
        """Return observations as numbers, if the family's are numbers."""
        return as_numbers(self.family, "y", y) if self.family.observation.numeric else np.asarray(y)

    def __repr__(self) -> str:
        def show(value: Array) -> str:
            return f"{float(value):.6g}" if value.ndim == 0 else f"<shape {value.shape}>"

        values = ", ".join(f"{name}={show(value)}" for name, value in self.params.items())
        return f"{type(self.family).__name__}({values})"

    @property
    def discrete(self) -> bool:
        """Whether the law gives single points positive probability."""
        return self.family.support.discrete

    def log_prob(self, y: ArrayLike) -> Array:
        """Return log q(y) in nats, a density or a mass; -inf outside the support."""
        y = self._observed(y)
        columns, observation = self.family.observation.columns, self.family.observation
        if columns != 1 and not observation.has((np.shape(y) or (0,))[-1]):
            raise ValueError(
                f"Distribution({type(self.family).__name__}): y has shape {np.shape(y)}. Allowed: "
                f"(..., {observation.widths}), the numbers of an observation last. Give them."
            )
        eta = self.family.eta(self.theta) if self._eta is None else self._eta
        if not _finite(eta) or not _finite(self.family.chart(eta)):
            return self.family.log_prob_at_edge(y, self.theta)
        with np.errstate(all="ignore"):  # of observations outside the support
            exact = self.family.log_prob_of(y, self.theta)
        if exact is not None:
            return np.where(self.family.contains(y), exact, -np.inf)[()]
        scalar = y.ndim == (0 if columns == 1 else 1)
        values = self.family.log_prob(y[None] if scalar else y, eta)
        return values[0] if scalar and values.shape == (1,) else values

    def logpdf(self, y: ArrayLike) -> Array:
        """Return the log-density in nats; an error for discrete laws."""
        return self._require(discrete=False).log_prob(y)

    def logpmf(self, y: ArrayLike) -> Array:
        """Return the log-mass in nats; an error for continuous laws."""
        return self._require(discrete=True).log_prob(y)

    def pdf(self, y: ArrayLike) -> Array:
        """Return the density; an error for discrete laws."""
        with np.errstate(over="ignore"):  # it may be beyond the numbers
            return np.exp(self.logpdf(y))

    def pmf(self, y: ArrayLike) -> Array:
        """Return the mass; an error for continuous laws."""
        return np.exp(self.logpmf(y))

    def _require(self, discrete: bool) -> Distribution:
        if self.discrete != discrete:
            name = type(self.family).__name__
            wrong, right = (
                ("logpmf/pmf", "logpdf/pdf") if discrete else ("logpdf/pdf", "logpmf/pmf")
            )
            raise AttributeError(
                f"{wrong}: {name} is {'continuous' if discrete else 'discrete'}. Allowed: {right}, "
                "or log_prob for both."
            )
        return self

    def cdf(self, y: ArrayLike) -> Array:
        """Return P(Y <= y)."""
        return self.family.cdf(self._observed(y), self.theta)

    def sf(self, y: ArrayLike) -> Array:
        """Return P(Y > y)."""
        return self.family.sf(self._observed(y), self.theta)

    def logcdf(self, y: ArrayLike) -> Array:
        """Return log P(Y <= y), a number also where the probability is too small for one."""
        return self._log_tail(y, False)

    def logsf(self, y: ArrayLike) -> Array:
        """Return log P(Y > y), a number also where the probability is too small for one."""
        return self._log_tail(y, True)

    def _log_tail(self, y: ArrayLike, upper: bool) -> Array:
        family, y = self.family, as_numbers(self.family, "y", y)
        with np.errstate(all="ignore"):  # of probabilities that are zero
            plain = np.log(self.sf(y) if upper else self.cdf(y))
            if not family.univariate or not _finite(family.eta(self.theta)):
                return plain
            exact = family.log_tail(y, self.theta, upper)
        inside = family.support.spans(y) & (y < family.support.high)
        return np.where(inside, exact, plain)[()]

    def ppf(self, q: ArrayLike) -> Array:
        """Return the smallest y with P(Y <= y) >= q."""
        return self.family.quantile(as_numbers(self.family, "q", q), self.theta)

    def isf(self, q: ArrayLike) -> Array:
        """Return the y that is exceeded with probability q."""
        return self.family.upper_quantile(as_numbers(self.family, "q", q), self.theta)

    def interval(self, confidence: float = 0.95) -> tuple[Array, Array]:
        """Return the central interval that holds y with the given probability."""
        if not 0.0 < confidence < 1.0:
            raise ValueError(
                f"interval: confidence={confidence!r} is not allowed; give a number between 0 and "
                "1, such as 0.95."
            )
        return self.ppf(0.5 - 0.5 * confidence), self.ppf(0.5 + 0.5 * confidence)

    def support(self) -> tuple[Array, Array]:
        """Return the least and the largest possible y; infinite where there is none."""
        return self.family.ends(self.theta)

    def median(self) -> Array:
        """Return the median."""
        return self.ppf(0.5)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the rows of parameters; () for a single law."""
        if self.family.names == tuple(p.name for p in self.family.parameters):
            return np.broadcast_shapes(*(value.shape for value in self.theta))
        pairs = zip(self.theta, self._dimensions(), strict=True)
        return np.broadcast_shapes(*(value.shape[: value.ndim - own] for value, own in pairs))

    def _dimensions(self) -> list[int]:
        """Return how many dimensions each parameter of a single law has.

        Laws of several columns have some that are vectors and matrices.
        """
        origin = tuple(np.asarray(0.0) for _ in self.family.parameters)
        return [np.ndim(value) for value in self.family.natural(origin)]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self!r} is a single law, which has no length")
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Distribution:
        """Return the laws of some rows: of a number, a slice, a mask or an array of numbers."""
        if not self.shape:
            raise IndexError(
                f"Distribution({type(self.family).__name__}): this is a single law. Allowed: rows "
                "of laws whose parameters are arrays. Use the law itself."
            )

        def some(value: Array, dimensions: int) -> Array:
            last = np.shape(value)[np.ndim(value) - dimensions :]
            return np.broadcast_to(value, (*self.shape, *last))[rows]

        own = tuple(map(some, self.theta, self._dimensions()))
        law = Distribution.of(self.family, own)
        law._eta = None if self._eta is None else tuple(some(eta, 0) for eta in self._eta)
        return law

    def rvs(
        self, size: int | tuple[int, ...] | None = None, random_state: Any = None
    ) -> NDArray[Any]:
        """Draw at random.

        Parameters
        ----------
        size : int or tuple of ints, optional
            Shape of the draws, in front of the rows of parameters: an array of shape
            ``(*size, *rows)``.
        random_state : int, numpy Generator, RandomState or None
            Source of randomness.
        """
        lead = (
            () if size is None else (size,) if isinstance(size, (int, np.integer)) else tuple(size)
        )
        rng = generator_of(random_state)
        return self.family.sample(self.theta, (*lead, *self.shape), rng)

    def to_scipy(self) -> Any:
        """Return the same law as a frozen scipy.stats distribution; None if scipy has none."""
        return self.family.to_scipy(self.theta)


def _finite(eta: Arrays) -> bool:
    return all(np.isfinite(e).all() for e in eta)


def _family(family: str | type[Family] | Family) -> Family:
    from skmle.families import get_family  # which imports this module

    return get_family(family)
