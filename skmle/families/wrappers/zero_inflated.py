"""A law with more zeros than its own: some observations are zero whatever the law inside says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import alike, beside, constant_at, gather, mix, of_rows, replaced
from skmle.families.base import Array, Arrays, Family, Rows, Support
from skmle.families.law import ByStd
from skmle.families.links import Link
from skmle.families.tools.shares import logit_of_added, mass_of, share
from skmle.families.wrappers.base import check_plain
from skmle.families.wrappers.with_zeros import WithZeros


class ZeroInflated(ByStd, WithZeros):
    """The law `family`, with a share `zeros` of observations that are zero in any case.

    q(0) = zeros + (1 - zeros) q_inside(0), and q(y) = (1 - zeros) q_inside(y) elsewhere. Beside a
    density, zero is a point with the mass `zeros`: rain, claims, or costs that are often nothing.

    Parameters
    ----------
    family : str, Family class or Family, default="poisson"
        A family of one column of numbers.
    links : dict of str to str or Link, optional
        A link for ``"zeros"``; by default the logit.

    References
    ----------
    Lambert (1992), Zero-inflated Poisson regression, Technometrics 34.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> goals = [[0], [0], [0], [0], [3], [2], [0], [4], [1], [2]]
    >>> model = MLEDistribution(families.ZeroInflated("poisson")).fit(goals)
    >>> {name: round(value, 4) for name, value in model.params_.items()}
    {'mean': 2.1086, 'zeros': 0.4309}
    """

    def __init__(
        self, family: Any = "poisson", *, links: Mapping[str, str | Link] | None = None
    ) -> None:
        super().__init__(family, links=links)

    def around(self, family: Family) -> ZeroInflated:
        return type(self)(family, links=self.links)

    # ---------------------------------------------------------------- what is observed

    def adapt(self, y: Array) -> Family:
        check_plain(self.inner, f"{type(self).__name__}: zeros cannot be added to")
        # A law without zeros learns from the others alone.
        others = y if self._holds_zero else y[y != 0.0]
        return super().adapt(others if len(others) else np.array([self.inner.support.somewhere]))

    @property
    def support(self) -> Support:  # type: ignore[override]
        return self.inner.support.with_point(0.0)

    @property
    def observations(self) -> str:
        return f"0, or {self.inner.observations}"

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return (np.asarray(y) == 0.0) | self.inner.contains(y)

    # ---------------------------------------------------------------- the formula

    def statistics(self, y: Array) -> Arrays:
        """Return the inner statistics, at zeros maybe of another value; and y = 0."""
        zero = y == 0.0
        if not self._holds_zero:
            some = y[~zero][:1] if not zero.all() else np.array([self.inner.support.somewhere])
            y = np.where(zero, some[0], y)
        return *self.inner.statistics(y), zero.astype(float)

    def base(self, statistics: Arrays) -> Array:
        return self._or_zero(self.inner.base, statistics)

    def restore(self, statistics: Arrays) -> Array:
        return self._or_zero(self.inner.restore, statistics)

    def densities(self, statistics: Arrays) -> Array:
        return self._or_zero(self.inner.densities, statistics)

    def _or_zero(self, ask: Callable[[Arrays], Array], statistics: Arrays) -> Array:
        return np.where(statistics[-1] > 0.0, 0.0, ask(statistics[:-1]))

    def alike(self, statistics: Arrays) -> Array | None:
        return statistics[-1]

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        *own, zero = statistics
        n, k = len(zero), len(eta)
        if not self._counts_zero:
            parts = []
            for kind, at in alike(zero, (0.0, 1.0)):
                formula = self._added if kind else self._others
                some = of_rows(tuple(own), at), of_rows(eta, at, n)
                parts.append((at, formula(*some, order)))
            return gather(parts, n, k, order)
        rows = self._others(tuple(own), eta, order)
        # Zeros come from the law inside, too.
        base = self.inner.base(self.inner.statistics(np.zeros(1)))
        formula = partial(_with_added, base=base, k=k, order=order)
        return replaced(rows, zero > 0.0, eta[-1], formula)

    def _others(self, own: Arrays, eta: Arrays, order: int) -> Rows:
        return beside(self.inner.evaluate(own, eta[:-1], order), share(eta[-1], False, order))

    def _added(self, own: Arrays, eta: Arrays, order: int) -> Rows:
        return mix([(share(eta[-1], True, order), [len(eta) - 1])], len(eta), order=order)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        """Return the tails: the zeros that are added belong to one of both."""
        *own, zero = statistics
        k = len(eta)
        inside = self.inner.tail(tuple(own), eta[:-1], upper, order)
        if not self._holds_zero and zero.any():  # the law inside is all above it, or all below
            certain = 0.0 if upper == (self.inner.support.low >= 0.0) else np.inf
            inside = constant_at(zero > 0.0, certain, inside)
        both = beside(inside, share(eta[-1], False, order))
        with_zeros = (self.restore(statistics) < 0.0) == upper
        formula = partial(_with_added, base=0.0, k=k, order=order)
        return replaced(both, with_zeros, eta[-1], formula)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the inner starts on what is not zero, and the zeros that they leave over."""
        *own, zero = statistics
        zeros = float(np.average(zero, weights=weight))
        at = np.flatnonzero(zero == 0.0)
        if not len(at):  # zeros alone tell nothing of the law inside
            return [(*[0.0] * len(self.inner.parameters), np.inf)]
        some, weight = of_rows(tuple(own), at), None if weight is None else weight[at]
        found = []
        for start in self.inner.starts(some, weight):
            expected = mass_of(self.inner, 0.0, start) if self._counts_zero else 0.0
            found.append((*start, logit_of_added(zeros, expected)))
        return found

    # ---------------------------------------------------------------- the law

    def cdf(self, y: Array, theta: Arrays) -> Array:
        own, zeros = theta[:-1], theta[-1]
        return (1.0 - zeros) * self.inner.cdf(y, own) + zeros * (np.asarray(y) >= 0.0)

    def sf(self, y: Array, theta: Arrays) -> Array:
        own, zeros = theta[:-1], theta[-1]
        return (1.0 - zeros) * self.inner.sf(y, own) + zeros * (np.asarray(y) < 0.0)

    def mean(self, theta: Arrays) -> Array:
        return (1.0 - theta[-1]) * self.inner.mean(theta[:-1])

    def std(self, theta: Arrays) -> Array:
        own, zeros = theta[:-1], theta[-1]
        away = np.sqrt(zeros) * self.inner.mean(own)
        return np.sqrt(1.0 - zeros) * np.hypot(self.inner.std(own), away)

    def sample(self, theta: Arrays, size: tuple[int, ...], rng: np.random.Generator) -> Array:
        drawn = self.inner.sample(theta[:-1], size, rng)
        return np.where(rng.random(size) < theta[-1], 0.0, drawn)


def _with_added(inside: Rows, logit: Array, base: Array | float, k: int, order: int) -> Rows:
    """Return the rows of observations that come from the law inside, or are added to it."""
    inside = inside._replace(value=inside.value + base)
    return mix([(inside, range(k)), (share(logit, True, order), [k - 1])], k, order=order)
