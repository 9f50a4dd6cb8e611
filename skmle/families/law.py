"""The law itself, by its natural parameters: what can be evaluated and sampled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmle.families.records import Array, Arrays, Observation, Support
from skmle.families.tools.special import log_probability


class Law(ABC):
    """A set of laws, told apart by theta, the tuple of natural parameters.

    All methods broadcast over theta. A law states `to_scipy`, where scipy has it, or `cdf`. All
    other methods follow: from scipy's, or from `cdf` and `log_prob` numerically, quantiles to the
    last digit, moments and entropies to about 1e-11.
    """

    support: Support
    observation: Observation

    def to_scipy(self, theta: Arrays) -> Any:
        """Return the frozen scipy.stats distribution; None if scipy has none of this kind."""
        return None

    @abstractmethod
    def contains(self, y: Array) -> NDArray[np.bool_]:
        """Return for each row of y whether it lies in the support."""

    def amiss(self, y: Array) -> str:
        """Return what is wrong with rows outside the support, and the cure, in two sentences.

        It is "" where the support in words says all.
        """
        return ""

    def ends(self, theta: Arrays) -> tuple[Array, Array]:
        """Return the ends of the support of each law."""
        support, own = self.support, self.observation
        # Those of counts depend on their trials, and those of labels on how many there are.
        plain = own.numeric and support.fixed and not support.discrete
        frozen = None if plain or own.columns is None else self.to_scipy(theta)
        low, high = (support.low, support.high) if frozen is None else frozen.support()
        shape = np.broadcast_shapes(*map(np.shape, theta))
        return np.broadcast_to(low, shape).astype(float), np.broadcast_to(high, shape).astype(float)

    def cdf(self, y: Array, theta: Arrays) -> Array:
        """Return P(Y <= y)."""
        frozen = self.to_scipy(theta)
        if frozen is None:
            raise NotImplementedError(f"{type(self).__name__} states neither `to_scipy` nor `cdf`.")
        with np.errstate(over="ignore"):  # far out a cumulative hazard is beyond the numbers
            return np.asarray(frozen.cdf(y), float)

    def sf(self, y: Array, theta: Arrays) -> Array:
        """Return P(Y > y), accurate in the upper tail where scipy's is."""
        frozen = self.to_scipy(theta)
        if frozen is None:
            return np.asarray(1.0 - self.cdf(y, theta), float)
        with np.errstate(over="ignore"):
            return np.asarray(frozen.sf(y), float)

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        """Return log P(Y > y) if `upper`, else log P(Y <= y)."""
        above, below = self.sf(y, theta), self.cdf(y, theta)
        with np.errstate(divide="ignore"):
            return log_probability(above, below) if upper else log_probability(below, above)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        """Return the smallest y with P(Y <= y) >= q."""
        frozen = self.to_scipy(theta)
        if frozen is not None:
            with np.errstate(over="ignore"):  # a quantile beyond the numbers is inf
                return np.asarray(frozen.ppf(q), float)
        from skmle.families.tools.numerical import quantile

        return quantile(self, q, theta)

    def about_quantile(self, q: Array, theta: Arrays) -> Array:
        """Return about where quantiles are, (levels, ...), as averages must know to begin.

        q has the shape (levels, 1). By default they are the quantiles themselves.
        """
        return self.quantile(q, theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        """Return the smallest y with P(Y > y) <= q, accurate for small q of continuous laws."""
        frozen = self.to_scipy(theta)
        if frozen is not None:
            with np.errstate(over="ignore"):
                return np.asarray(frozen.isf(q), float)
        from skmle.families.tools.numerical import upper_quantile

        return upper_quantile(self, q, theta)

    def mean(self, theta: Arrays) -> Array:
        """Return E[y]; nan or inf where it does not exist."""
        frozen = self.to_scipy(theta)
        if frozen is not None:
            return np.asarray(frozen.mean(), float)
        from skmle.families.tools.numerical import mean

        return mean(self, theta)

    def variance(self, theta: Arrays) -> Array:
        """Return Var[y]; nan or inf where it does not exist."""
        frozen = self.to_scipy(theta)
        if frozen is not None:
            return np.asarray(frozen.var(), float)
        from skmle.families.tools.numerical import variance

        return variance(self, theta)

    def covariance(self, theta: Arrays) -> Array:
        """Return the covariance matrix of the columns: of one, its variance as a matrix."""
        return self.variance(theta)[..., None, None]

    def std(self, theta: Arrays) -> Array:
        """Return the standard deviation; nan or inf where it does not exist."""
        return np.sqrt(self.variance(theta))

    def entropy(self, theta: Arrays) -> Array:
        """Return E[-log q(Y)] in nats: the known one, or scipy's, or the average itself."""
        with np.errstate(all="ignore"):  # of parameters at an end of their range
            known = self.known_entropy(theta)
        if known is not None:
            return np.asarray(known, float)
        frozen = self.to_scipy(theta)
        if frozen is not None:
            return np.asarray(frozen.entropy(), float)
        from skmle.families.tools.numerical import entropy

        return entropy(self, theta)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw an array of shape `size`, with which the parameters broadcast."""
        frozen = self.to_scipy(theta)
        if frozen is not None:
            return np.asarray(frozen.rvs(size=size, random_state=rng), float)
        return self.quantile(rng.random(size), theta)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        """Return log q(y) by theta itself, where eta does not have digits enough; else None.

        The logarithm of a mean of 1e15 has no more digits than tell it from its neighbours' by
        several counts. What is returned outside the support does not count.
        """
        return None

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        """Return log q(y) where some parameter stands at an end of its range.

        The formula in eta has no value there.
        """
        frozen = self.to_scipy(theta)
        if frozen is None:
            return np.full(np.broadcast_shapes(np.shape(y), *map(np.shape, theta)), np.nan)
        log_q = frozen.logpmf if self.support.discrete else frozen.logpdf
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.contains(y), log_q(y), -np.inf)

    def observation_of(self, y: Array) -> Array:
        """Return the observations of a univariate law that its numbers y stand for.

        They are y itself, but of a law whose number is completed by others: successes by failures.
        """
        return y

    def numbers_of(self, y: Array) -> tuple[Any, Array] | None:
        """Return the law of the numbers that tell observations, and these: `observation_of` undone.

        None is returned where no single number tells an observation: of several columns, where it
        is censored, or a label.
        """
        own = self.observation
        return (self, y) if own.columns == 1 and own.numeric else None

    def mirrored(self, eta: Arrays) -> Arrays | None:
        """Return eta, by the charts, of the law of 1 - Y, for laws on (0, 1).

        All others return None. Floating-point numbers are coarse next to 1 and fine next to 0, so
        that integrals up to 1 are taken of the mirror. The mirror of a mean next to 0 would be
        rounded; that of its logit is not.
        """
        return None

    @property
    def mirror(self) -> Any:
        """The family of the laws of 1 - Y with the eta of `mirrored`; by default it is this one."""
        return self

    # ---------------------------------------------------------------- what information measures ask

    turned: ClassVar[tuple[str, str] | None] = None
    """The two of scipy's parameters that change places in the law of 1 - Y."""

    def known_entropy(self, theta: Arrays) -> Array | None:
        """Return E[-log q(Y)] in nats where all its digits are known, None where it is averaged.

        `skmle.information` takes it as it is. Without it, it sums or integrates over log q. Where a
        parameter stands at an end of its range, the value is the limit; callers silence numpy.
        """
        return None

    def divergence(self, p: Arrays, q: Arrays) -> Array | None:
        """Return D(p || q) in nats of two laws of this family; None if no closed form is known.

        p and q are natural parameters, whose rows broadcast. Both laws have the settings of this
        family, such as its number of trials. A difference of large terms would lose the digits of a
        small divergence, so closed forms are sums of terms that vanish at p = q, of which
        `skmle.families.tools.divergences` has some. Limits and warnings are as of `known_entropy`.
        """
        return None

    def probabilities(self, theta: Arrays) -> tuple[Array, NDArray[Any] | None] | None:
        """Return the probabilities, (..., K), and the labels of a law of finitely many labels.

        The labels are None where they are the positions 0, 1, ..., K - 1. All other laws return
        None.
        """
        return None


class ByStd(Law):
    """The base of laws that state their standard deviation: its square may be no number."""

    @abstractmethod
    def std(self, theta: Arrays) -> Array:
        """Return the standard deviation; nan or inf where it does not exist."""

    def variance(self, theta: Arrays) -> Array:
        with np.errstate(over="ignore"):
            return np.square(self.std(theta))


class ByLogTail(Law):
    """The base of laws whose `log_tail` has all the digits of their probabilities, at any y."""

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self.log_tail(y, theta, False))

    def sf(self, y: Array, theta: Arrays) -> Array:
        return np.exp(self.log_tail(y, theta, True))


class ByExponent(Law):
    """The base of laws that know y from the exponent of its tail: quantiles and draws follow."""

    falling: ClassVar[bool] = False
    """Whether the exponent is that of P(Y <= y), and not that of P(Y > y)."""

    @abstractmethod
    def at_exponent(self, exponent: Array, theta: Arrays) -> Array:
        """Return y with P(Y > y) = exp(-exponent), a tail of no more than 1."""

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at_level(q, theta, False)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self._at_level(q, theta, True)

    def _at_level(self, q: Array, theta: Arrays, upper: bool) -> Array:
        q = np.asarray(q, float)
        with np.errstate(divide="ignore", invalid="ignore"):  # at the ends, and beyond
            exponent = -np.log(q) if upper != self.falling else -np.log1p(-q)
            return self.at_exponent(exponent, theta)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.at_exponent(rng.standard_exponential(size), theta)


class ByScore(Law):
    """The base of laws that are functions of a standard normal variable, the score of y."""

    @abstractmethod
    def at_score(self, score: Array, theta: Arrays) -> Array:
        """Return y whose score is this; y rises with it."""

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self.at_score(ndtri(np.asarray(q, float)), theta)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self.at_score(-ndtri(np.asarray(q, float)), theta)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.at_score(rng.standard_normal(size), theta)
