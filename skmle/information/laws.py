"""Laws as an information measure sees them: of finitely many labels, of one number, of columns.

D(p || q) is the primary quantity and H(p, q) = H(p) + D(p || q), so that the identity between the
three holds by construction. Closed forms are the families' own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.families import Distribution, Family
from skmle.families.tools.divergences import bregman
from skmle.families.tools.expectation import Array, Gain, expectation

LOG_2 = float(np.log(2.0))
_ROUNDINGS = 2  # by how many units in the last place two ends that are the same may differ
DRAWS = 100_000  # of a Monte Carlo average: about 0.3 % of a standard deviation


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
    columns: int
    distribution: Distribution | None = None
    """The same law as a family with parameters, where it is one: the key to closed forms."""

    @abstractmethod
    def __str__(self) -> str:
        """Return how messages name it."""

    @abstractmethod
    def expect(self, other: Any, gain: Gain, seed: int) -> Estimate:
        """Return the average under this law of `gain` of its log-probabilities and the other's."""

    @abstractmethod
    def known_entropy(self) -> Array | None:
        """Return E[-log p] where no average need be taken."""

    @abstractmethod
    def known_divergence(self, other: Any) -> Array | None:
        """Return D(self || other) where no average need be taken."""

    def entropy(self, seed: int) -> Estimate:
        """Return E[-log p]."""
        known = self.known_entropy()
        return self.expect(self, surprise, seed) if known is None else _exactly(known)

    def divergence(self, other: Any, seed: int) -> Estimate:
        """Return D(self || other), for laws that have passed `check_comparable`."""
        known = self.known_divergence(other)
        value, error = self.expect(other, ratio, seed) if known is None else _exactly(known)
        return Estimate(
            np.maximum(value, 0.0), error
        )  # Gibbs' inequality, which rounding may miss by 1e-16


def _closed_entropy(p: Law) -> Array | None:
    if p.distribution is None:
        return None
    with np.errstate(all="ignore"):  # of parameters at an end of their range
        return p.distribution.family.known_entropy(p.distribution.theta)


def _closed_divergence(p: Law, q: Law) -> Array | None:
    one, two = p.distribution, q.distribution
    if one is None or two is None or not same_family(one.family, two.family):
        return None
    with np.errstate(all="ignore"):
        return one.family.divergence(one.theta, two.theta)


def same_family(one: Family, two: Family) -> bool:
    """Whether both are one set of laws: of one class with the same settings, links left aside."""
    if type(one) is not type(two):
        return False
    pairs = zip(
        one.get_params(deep=False).items(), two.get_params(deep=False).values(), strict=True
    )
    return all(name == "links" or np.array_equal(a, b) for (name, a), b in pairs)


def _exactly(value: Array) -> Estimate:
    return Estimate(np.asarray(value, float), np.zeros_like(value, dtype=float))


def sum_of(estimates: Iterable[Estimate]) -> Array:
    """Return the sum of values that are exact."""
    return np.sum([estimate.value for estimate in estimates], axis=0)


class OneColumn(Law):
    """A law of one number or label; pairs of them are told apart by asking both in turn."""

    columns = 1

    @abstractmethod
    def at(self, p: Finite) -> tuple[Array, Array]:
        """Return log p and this law's log-probabilities at the labels of p, (..., labels)."""

    @abstractmethod
    def under(self, p: Line, gain: Gain) -> Array:
        """Return the average of `gain` of log p and this law's log-probabilities under p."""


class Finite(OneColumn):
    """Probabilities of finitely many labels, (..., labels); without labels, of 0, 1, ..."""

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
                f"The labels of {self} are not numbers, the first is {self.labels[0]!r}. Allowed "
                "beside a law of numbers: numbers. Compare it with a categorical law, or recode "
                "the labels."
            ) from None

    def known_entropy(self) -> None:
        return None

    def known_divergence(self, other: Any) -> Array | None:
        if not isinstance(other, Finite):
            return None
        p, q = other.beside(self)
        with np.errstate(all="ignore"):  # of probabilities that are zero
            return bregman(p, q).sum(axis=-1)  # terms that vanish at p = q

    def expect(self, other: OneColumn, gain: Gain, seed: int) -> Estimate:
        log_p, log_q = other.at(self)
        with np.errstate(invalid="ignore", over="ignore"):
            terms = np.exp(log_p) * gain(log_p, log_q)
        return _exactly(np.where(np.isneginf(log_p), 0.0, terms).sum(axis=-1))  # 0 log 0 = 0

    def beside(self, p: Finite) -> tuple[Array, Array]:
        """Return the probabilities of p and of this law at the labels of both."""
        ours, theirs = self.probabilities, p.probabilities
        if (
            p.labels is not None
            and self.labels is not None
            and not np.array_equal(p.labels, self.labels)
        ):
            labels = np.union1d(p.labels, self.labels)
            ours = _spread(ours, np.searchsorted(labels, self.labels), len(labels))
            theirs = _spread(theirs, np.searchsorted(labels, p.labels), len(labels))
        return theirs, ours

    def at(self, p: Finite) -> tuple[Array, Array]:
        theirs, ours = self.beside(p)
        with np.errstate(divide="ignore"):
            return np.log(theirs), np.log(ours)

    def under(self, p: Line, gain: Gain) -> Array:
        points = self.points
        log_p = p.log_prob_at(points)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            terms = np.exp(log_p) * gain(log_p, np.log(self.probabilities))
            elsewhere = gain(
                np.zeros(()), np.asarray(-np.inf)
            )  # the same at all points outside the labels
        inside = np.where(np.isneginf(log_p), 0.0, terms).sum(axis=-1)
        # A mass outside may be too small for its complement to show; then the neighbours of the
        # labels have some of it.
        mass = np.maximum(1.0 - np.exp(log_p).sum(axis=-1), 0.0)
        neighbours = np.setdiff1d(np.concatenate([points - 1.0, points + 1.0]), points)
        escapes = (mass > 1e-9) | (p.log_prob_at(neighbours) > -np.inf).any(axis=-1)
        outside = np.full_like(mass, elsewhere) if np.isinf(elsewhere) else mass * elsewhere
        return inside + np.where(escapes, outside, 0.0)


def _spread(probabilities: Array, columns: NDArray[np.intp], size: int) -> Array:
    wide = np.zeros((*probabilities.shape[:-1], size))
    wide[..., columns] = probabilities
    return wide


class Line(OneColumn):
    """A law of one number; `take` gives its n rows of parameters one flat axis."""

    shape: tuple[int, ...]
    """The shape of the rows of parameters; () for a single law."""
    circular = False
    """Whether its numbers are angles: another turn than the law's own has the same density."""

    @abstractmethod
    def take(self, rows: Any) -> Line:
        """Return the law with these of its flat rows."""

    @abstractmethod
    def log_prob(self, y: Array) -> Array:
        """Return log q(y), one y a flat row."""

    @abstractmethod
    def tail(self, y: Array, upper: bool) -> Array:
        """Return P(Y > y) if `upper`, else P(Y <= y), one y a flat row."""

    @abstractmethod
    def support(self) -> tuple[Array, Array]:
        """Return the ends of the support of each row."""

    @abstractmethod
    def quantiles(self, levels: Sequence[float]) -> Array:
        """Return the quantiles of each row, (n, levels)."""

    @abstractmethod
    def mirror(self) -> Line | None:
        """Return the law of 1 - Y, if its density is as well known there."""

    @abstractmethod
    def atoms(self) -> tuple[float, ...]:
        """Return the values at which the law has a mass beside its density."""

    @abstractmethod
    def log_mass(self, y: Array) -> Array:
        """Return log P(Y = y) where y, one a flat row, is such a value; -inf if it is none."""

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(np.prod(self.shape))

    def known_entropy(self) -> Array | None:
        return _closed_entropy(self)

    def known_divergence(self, other: Any) -> Array | None:
        return _closed_divergence(self, other)

    def expect(self, other: OneColumn, gain: Gain, seed: int) -> Estimate:
        return _exactly(other.under(self, gain))

    def rows(self, shape: tuple[int, ...]) -> Line:
        """Return the law with a flat row for each entry of `shape`, to which its rows broadcast."""
        if shape == self.shape:
            return self
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
        one = p.rows(shape)
        if self is p:
            return expectation(one, one, gain).reshape(shape)
        two = self.rows(shape)
        elsewhere = gain(np.zeros(()), np.asarray(-np.inf))
        escapes = _escapes(one, two) if np.isinf(elsewhere) else np.zeros(one.size, bool)
        if not escapes.any():
            return expectation(one, two, gain).reshape(shape)
        value = np.full(one.size, elsewhere)
        if not escapes.all():
            value[~escapes] = expectation(one.take(~escapes), two.take(~escapes), gain)
        return value.reshape(shape)


def _escapes(p: Line, q: Line) -> NDArray[np.bool_]:
    """Return for each row whether p has mass outside the support of q."""
    (low_p, high_p), (low_q, high_q) = p.support(), q.support()
    if p.circular and q.circular:
        return np.zeros(p.size, bool)
    if not p.discrete:
        # Ends are sums, such as of a location and a scale, and carry their rounding error.
        size = np.nan_to_num(np.maximum(np.abs(low_q), np.abs(high_q)), posinf=0.0)
        room = _ROUNDINGS * np.spacing(size)
        return (low_p < low_q - room) | (high_p > high_q + room)
    with np.errstate(all="ignore"):
        off = np.isfinite(low_p) & np.isfinite(low_q) & ((low_p - low_q) % 1.0 != 0.0)
        # The support of a law at a limit (no successes at all) is smaller than scipy says, so the
        # masses decide; next to the ends they are asked in logarithms, which do not underflow.
        beyond = (p.tail(high_q, upper=True) > 0.0) | (
            p.log_prob(np.where(np.isfinite(high_q), high_q + 1.0, low_p - 1.0)) > -np.inf
        )
        before = (p.tail(low_q - 1.0, upper=False) > 0.0) | (
            p.log_prob(np.where(np.isfinite(low_q), low_q - 1.0, high_p + 1.0)) > -np.inf
        )
    return off | ((high_p > high_q) & beyond) | ((low_p < low_q) & before)


@dataclass
class Many(Law):
    """A law of several columns.

    Measures are known for the normal law and for independent columns, and for all others they are
    averages over random draws.
    """

    law: Any
    columns: int
    log_prob: Callable[[Array], Array]
    discrete: bool
    distribution: Distribution | None = None
    parts: tuple[Law, ...] = ()
    """The laws of the columns, if they are independent."""

    def __str__(self) -> str:
        return f"{type(self.law).__name__.removesuffix('_frozen')} of {self.columns} columns"

    def known_entropy(self) -> Array | None:
        if self.parts:
            return sum_of(part.entropy(0) for part in self.parts)
        own = getattr(self.law, "entropy", None)  # scipy's, for most of its laws
        return (
            _closed_entropy(self)
            if self.distribution is not None or own is None
            else np.asarray(own(), float)
        )

    def known_divergence(self, other: Many) -> Array | None:
        if self.parts and other.parts:
            return sum_of(
                one.divergence(two, 0) for one, two in zip(self.parts, other.parts, strict=True)
            )
        return _closed_divergence(self, other)

    def expect(self, other: Many, gain: Gain, seed: int) -> Estimate:
        draws = np.asarray(self.law.rvs(size=DRAWS, random_state=seed), float)
        with np.errstate(all="ignore"):
            values = gain(self.log_prob(draws), other.log_prob(draws))
            return Estimate(values.mean(), values.std() / np.sqrt(len(values)))
