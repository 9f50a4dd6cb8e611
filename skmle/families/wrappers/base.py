"""A family around a family: whatever a wrapper does not state is that of the family inside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import (
    Array,
    Arrays,
    Density,
    Family,
    Limit,
    Observation,
    Param,
    Rows,
    Saturated,
    Shortcuts,
    Stretch,
    Support,
)
from skmle.families.links import Link
from skmle.families.wrappers.shown import ShowsInside

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution


Observe = Callable[[Arrays], Arrays | None]


def all_but_last(wrapper: Family, observe: Observe) -> Observe:
    """Return how statistics of which the last is a wrapper's own become those of a limit law."""
    return partial(_all_but_last, observe)


def _all_but_last(observe: Observe, statistics: Arrays) -> Arrays | None:
    changed = observe(statistics[:-1])
    return None if changed is None else (*changed, statistics[-1])


def check_plain(family: Family, what: str) -> None:
    """Raise ValueError if a family is none of one number a row that has derivatives."""
    if family.observation != Observation() or not family.support.smooth:
        raise ValueError(
            f"{what} {family.title}. Allowed: families of one column of numbers that are not "
            "fitted by their ends. Choose one of them."
        )


class Wrapper(ShowsInside):
    """The base of families around a family.

    It hands on every member of `Family` that the others do not follow from, one by one, so that a
    wrapper states only what differs. A wrapper must state `around`, `evaluate` and `starts`.
    Predictions speak of the law inside unless `predicted` says otherwise.

    Parameters
    ----------
    family : str, Family class or Family
        The family inside; its links are the wrapper's.
    """

    def __init__(self, family: Any) -> None:
        self.family = family

    @property
    def inner(self) -> Family:
        """The family inside, as an object."""
        if isinstance(self.family, Family):
            return self.family
        from skmle.families import get_family  # it imports all families, wrappers among them

        return get_family(self.family)

    @abstractmethod
    def around(self, family: Family) -> Family:
        """Return this wrapper around another family with the same parameters, or fewer."""

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        return None  # It depends on what is observed of the law.

    # ---------------------------------------------------------------- handed on: records

    @property
    def links(self) -> Any:  # type: ignore[override]
        """The links of the family inside, which are chosen there."""
        return self.inner.links

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return self.inner.parameters

    @property
    def observation(self) -> Observation:  # type: ignore[override]
        return self.inner.observation

    @property
    def support(self) -> Support:  # type: ignore[override]
        return self.inner.support

    @property
    def shortcuts(self) -> Shortcuts:  # type: ignore[override]
        return self.inner.shortcuts._replace(apart=False)

    @property
    def redundant(self) -> bool:  # type: ignore[override]
        return self.inner.redundant

    @property
    def several_modes(self) -> bool:  # type: ignore[override]
        return self.inner.several_modes

    @property
    def cusps(self) -> bool:  # type: ignore[override]
        return self.inner.cusps

    @property
    def repeats(self) -> bool:  # type: ignore[override]
        return self.inner.repeats

    @property
    def not_tried(self) -> str:  # type: ignore[override]
        return self.inner.not_tried

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        return self.inner.breaks

    @property
    def may_be_unbounded(self) -> bool:  # type: ignore[override]
        return self.inner.may_be_unbounded

    @property
    def regular(self) -> bool:  # type: ignore[override]
        return self.inner.regular

    @property
    def stretch(self) -> Stretch | None:  # type: ignore[override]
        return None  # a wrapper may hold numbers in units of y

    @property
    def least_squares(self) -> bool:  # type: ignore[override]
        return False  # a wrapper observes less, or fits less

    concave = False  # a wrapper has another formula

    moves_together = False  # a wrapper has other parameters, or holds some

    gradient_tells_mean = False  # a wrapper observes less, or has another mean

    @property
    def kinked(self) -> bool:
        return self.inner.kinked

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(self._around_limit(limit) for limit in self.inner.limits)

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        return tuple(self._around_limit(limit) for limit in self.inner.limits_of_tails)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return tuple(self._around_limit(limit) for limit in self.inner.special_cases)

    def _around_limit(self, limit: Limit) -> Limit:
        """Return a limit of the family inside as one of this wrapper."""
        family, observe = self.around(limit.family), self._at_limit(limit.observe)
        return limit._replace(family=family, observe=observe)

    def _at_limit(self, observe: Observe) -> Observe:
        """Return how the statistics of this wrapper become those around a limit law.

        `observe` is how those of the family inside become those of the limit law.
        """
        return observe

    # ---------------------------------------------------------------- handed on: the formula

    def statistics(self, y: Array) -> Arrays:
        return self.inner.statistics(y)

    def base(self, statistics: Arrays) -> Array:
        return self.inner.base(statistics)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        return self.inner.tail(statistics, eta, upper, order)

    def adapt(self, y: Array) -> Family:
        return self.around(self.inner.adapt(y))

    def for_density(
        self, statistics: Arrays, weight: Array | None, held: Mapping[str, float] | None = None
    ) -> Density | None:
        return None  # a law around a law is fitted by its own formula

    def taking(self, values: Mapping[str, float]) -> tuple[Family, dict[str, float]]:
        inner, rest = self.inner.taking(values)
        return (self, rest) if inner is self.inner else (self.around(inner), rest)

    def for_parameters(self, params: Mapping[str, Any]) -> Family:
        return self  # its parameters may be fewer than those of the family inside

    @property
    def observations(self) -> str:
        return self.inner.observations

    @property
    def univariate(self) -> bool:
        return self.inner.univariate

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return self.inner.contains(y)

    def takes(self, y: Array) -> NDArray[np.bool_]:
        return self.inner.takes(y)

    # ---------------------------------------------------------------- handed on: verdicts

    @property
    def told_first(self) -> str:  # type: ignore[override]
        return self.inner.told_first

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        return self.inner.recession(statistics, delta)

    def saturated(self, statistics: Arrays) -> Saturated | None:
        return self.inner.saturated(statistics)

    def beside(self, statistics: Arrays, first: Array, weight: Array | None) -> Arrays | None:
        return self.inner.beside(statistics, first, weight)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        return self.inner.unbounded(statistics, weight)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        return self.inner.collapse(statistics, weight)

    def alike(self, statistics: Arrays) -> Array | None:
        return self.inner.alike(statistics)

    def restore(self, statistics: Arrays) -> Array:
        return self.inner.restore(statistics)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        return self.inner.without_bound(statistics, eta)

    def on_that_way(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...] | None:
        return None

    def supremum(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        return None

    def widened(self, eta: Arrays) -> Arrays:
        return self.inner.widened(eta)

    def ended(self, values: Mapping[str, float]) -> Family | None:
        return None

    def holding(self, values: Mapping[str, float]) -> Family | None:
        return None

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        return self.inner.nonregular(eta)

    def near_singular(self, eta: Arrays, size: float) -> tuple[str, str] | None:
        return self.inner.near_singular(eta, size)

    def densities(self, statistics: Arrays) -> Array:
        return self.inner.densities(statistics)

    @property
    def movable(self) -> bool:
        return self.inner.movable

    unit_moves = ()  # a bound, or another law, may be a number of y

    def centre_and_spread(self, statistics: Arrays, weight: Array | None) -> tuple[float, float]:
        return self.inner.centre_and_spread(statistics, weight)

    def standardise(self, statistics: Arrays, origin: float | Array, unit: float) -> Arrays:
        return self.inner.standardise(statistics, origin, unit)

    def measured(self, origin: float, unit: float) -> Family:
        inner = self.inner
        moved = inner.measured(origin, unit)
        return self if moved is inner else self.around(moved)

    def smoothings(self) -> tuple[Family, ...]:
        return tuple(self.around(law) for law in self.inner.smoothings())

    # ---------------------------------------------------------------- handed on: parameters

    @property
    def title(self) -> str:
        return f"{super().title} {self.inner.title[0].lower()}{self.inner.title[1:]}"

    @property
    def modelled(self) -> tuple[str, ...]:
        return self.inner.modelled

    def link(self, index: int) -> Link:
        return self.inner.link(index)

    def check_links(self) -> None:
        self.inner.check_links()

    @property
    def relinked(self) -> bool:
        return self.inner.relinked

    # ---------------------------------------------------------------- handed on: the law

    def predicted(self, theta: Arrays) -> Distribution:
        return self.inner.predicted(theta)

    @property
    def predicted_names(self) -> tuple[str, ...]:
        return self.inner.predicted_names

    def to_scipy(self, theta: Arrays) -> Any:
        return self.predicted(theta).to_scipy()

    def mean(self, theta: Arrays) -> Array:
        return self.predicted(theta).mean()

    def variance(self, theta: Arrays) -> Array:
        return self.predicted(theta).var()

    def std(self, theta: Arrays) -> Array:
        return self.predicted(theta).std()

    def cdf(self, y: Array, theta: Arrays) -> Array:
        return self.predicted(theta).cdf(y)

    def sf(self, y: Array, theta: Arrays) -> Array:
        return self.predicted(theta).sf(y)

    def observation_of(self, y: Array) -> Array:
        return self.inner.observation_of(y)

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        return None  # a wrapper may observe less than the law inside

    def log_tail(self, y: Array, theta: Arrays, upper: bool) -> Array:
        law = self.predicted(theta)
        return law.family.log_tail(y, law.theta, upper)

    def quantile(self, q: Array, theta: Arrays) -> Array:
        return self.predicted(theta).ppf(q)

    def upper_quantile(self, q: Array, theta: Arrays) -> Array:
        return self.predicted(theta).isf(q)

    def entropy(self, theta: Arrays) -> Array:
        return self.predicted(theta).entropy()

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        law = self.predicted(theta)
        return law.family.sample(law.theta, size, rng)

    def log_prob_at_edge(self, y: Array, theta: Arrays) -> Array:
        law = self.predicted(theta)
        return law.family.log_prob_at_edge(y, law.theta)

    def mirrored(self, eta: Arrays) -> Arrays | None:
        return None

    @property
    def mirror(self) -> Any:
        return self


class Derived(Wrapper):
    """The base of wrappers whose law is another one than that of the family inside.

    Such a wrapper states `evaluate`, `starts`, `around`, `cdf` and `sf`. What else is asked of a
    law follows from these, unless it states more. It may have parameters after those of the family
    inside, with links of their own.

    Parameters
    ----------
    family : str, Family class or Family
        The family inside.
    links : dict of str to str or Link, optional
        Links of the parameters that the wrapper adds. Those of the family inside are chosen there.
    """

    links: Mapping[str, str | Link] | None = None  # type: ignore[assignment]
    added: tuple[Param, ...] = ()
    """The parameters that the wrapper has after those of the family inside."""

    def __init__(self, family: Any, *, links: Mapping[str, str | Link] | None = None) -> None:
        super().__init__(family)
        self.links = links

    # ---------------------------------------------------------------- its own parameters

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return (*self.inner.parameters, *self.added)

    def link(self, index: int) -> Link:
        inner = self.inner
        count = len(inner.parameters)
        return inner.link(index) if index < count else super(Wrapper, self).link(index)

    def check_links(self) -> None:
        self.inner.check_links()
        names = [param.name for param in self.added]
        if unknown := [name for name in self.links or {} if name not in names]:
            raise ValueError(
                f"{type(self).__name__}(links=...): {unknown[0]!r} is no parameter that it adds. "
                f"Allowed: {', '.join(names) or 'none'}; links of the family inside are given "
                "there. Move the key."
            )
        super(Wrapper, self).check_links()

    @property
    def relinked(self) -> bool:
        return self.inner.relinked or any(
            self.link(j) is not param.chart for j, param in enumerate(self.parameters)
        )

    # ---------------------------------------------------------------- its own law

    predicted = Family.predicted
    predicted_names = Family.predicted_names
    to_scipy = Family.to_scipy
    log_tail = Family.log_tail
    quantile = Family.quantile
    upper_quantile = Family.upper_quantile
    mean = Family.mean
    variance = Family.variance
    std = Family.std
    entropy = Family.entropy
    sample = Family.sample
    mirrored = Family.mirrored
    mirror = Family.mirror
    log_prob_at_edge = Family.log_prob_at_edge
    tail = Family.tail

    @abstractmethod
    def cdf(self, y: Array, theta: Arrays) -> Array:
        """Return P(Y <= y)."""

    @abstractmethod
    def sf(self, y: Array, theta: Arrays) -> Array:
        """Return P(Y > y)."""

    # ---------------------------------------------------------------- its own verdicts

    def _around_limit(self, limit: Limit) -> Limit:
        places = limit.places and (*limit.places, *(param.name for param in self.added))
        return super()._around_limit(limit)._replace(places=places)

    shortcuts = Shortcuts()
    saturated = Family.saturated
    unbounded = Family.unbounded
    may_be_unbounded = False
    regular = True
    without_bound = Family.without_bound
    nonregular = Family.nonregular
    collapse = Family.collapse
    alike = Family.alike
    movable = False
    takes = Family.takes

    recession = Family.recession
    told_first = ""
