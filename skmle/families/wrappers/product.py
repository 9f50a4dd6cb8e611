"""Independent columns of different laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import beside
from skmle.families.base import Array, Arrays, Family, Observation, Rows, Support
from skmle.families.tools.concentrated import is_concentrated
from skmle.families.wrappers.independent_columns import IndependentColumns, total


class Product(IndependentColumns):
    """The law of rows whose columns are independent, each of a law of its own.

    q(y) = product of q_c(y_c). The parameters of part c are those of its family with ``_c`` at
    their ends, from 1 on: a normal and a Poisson law have ``loc_1``, ``scale_1`` and ``mean_2``.
    A part may take several columns, as a censored one takes two. Mean and variance are those of
    each column (of binomial rows, of the successes), and the cdf is the probability that no column
    exceeds its number.

    One family for all columns needs no product: `MLEDistribution` fits it to each column.

    Parameters
    ----------
    family : sequence of str, Family class or Family
        One for each column, or for each group of columns, in their order.

    Examples
    --------
    >>> from skmle import MLEDistribution, families
    >>> X = [[1.2, 0], [0.4, 2], [2.5, 1], [0.9, 0]]
    >>> model = MLEDistribution(families.Product(["exponential", "poisson"])).fit(X)
    >>> {name: round(value, 2) for name, value in model.params_.items()}
    {'mean_1': 1.25, 'mean_2': 0.75}
    """

    def __init__(self, family: Any = ("normal", "normal")) -> None:
        super().__init__(family)

    def of_parts(self, parts: Sequence[Family]) -> Product:
        return Product(tuple(parts))

    @property
    def title(self) -> str:
        return f"Product of {', '.join(part.title for part in self.parts)}"

    # ---------------------------------------------------------------- what is observed

    @property
    def observation(self) -> Observation:  # type: ignore[override]
        each = [part.observation for part in self.parts]
        # A row has infinite numbers where one part may; the others see to theirs in `contains`.
        columns = sum(one.columns or 0 for one in each)
        return Observation(columns, finite=all(one.finite for one in each))

    def adapt(self, y: Array) -> Family:
        parts = self.parts
        wrong = [p for p in parts if not (p.observation.columns and p.observation.numeric)]
        wrong = wrong or [p for p in parts if not p.support.fixed or p.shortcuts.starts == "final"]
        if wrong or len(parts) < 2:
            raise ValueError(
                f"Product: {wrong[0].title if wrong else 'one family'} cannot be a part beside "
                "others. Allowed: at least two families of numbers, each of so many columns, whose "
                "fit is by derivatives. Fit such columns apart."
            )
        pairs = zip(parts, self.columns_of(y), strict=True)
        return self.of_parts([part.adapt(own) for part, own in pairs])

    @property
    def support(self) -> Support:  # type: ignore[override]
        return Support(discrete=all(part.support.discrete for part in self.parts))

    @property
    def observations(self) -> str:
        return "rows of " + "; ".join(part.observations for part in self.parts)

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return self._inside(y, lambda part, own: part.contains(own))

    def takes(self, y: Array) -> NDArray[np.bool_]:
        return self._inside(y, lambda part, own: part.takes(own))

    def _inside(
        self, y: Array, ask: Callable[[Family, Array], NDArray[np.bool_]]
    ) -> NDArray[np.bool_]:
        found = []
        for part, own in zip(self.parts, self.columns_of(np.asarray(y, float)), strict=True):
            inside = ask(part, own)
            if part.observation.finite:
                finite = np.isfinite(own)
                inside = inside & (finite if finite.ndim == inside.ndim else finite.all(axis=-1))
            found.append(inside)
        return np.logical_and.reduce(found)

    # ---------------------------------------------------------------- the formula

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        pairs = zip(self.each_of(statistics), self.split(eta)[0], strict=True)
        return reduce(beside, [part.evaluate(own, e, order) for (part, own), e in pairs])

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the first starts of all parts, and further ones of each beside them."""
        each = [part.starts(own, weight) for part, own in self.each_of(statistics)]
        first = [starts[0] for starts in each]
        further = [
            [*first[:c], start, *first[c + 1 :]]
            for c, starts in enumerate(each)
            for start in starts[1:]
        ]
        return [tuple(e for start in starts for e in start) for starts in [first, *further]]

    # ---------------------------------------------------------------- verdicts

    def smoothings(self) -> tuple[Family, ...]:
        each = [part.smoothings() for part in self.parts]
        pairs = list(zip(self.parts, each, strict=True))
        return tuple(
            self.of_parts([laws[min(i, len(laws) - 1)] if laws else part for part, laws in pairs])
            for i in range(max(map(len, each)))
        )

    @property
    def kinked(self) -> bool:
        return any(part.kinked for part in self.parts)

    @property
    def cusps(self) -> bool:  # type: ignore[override]
        return any(part.cusps for part in self.parts)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        pairs = zip(self.each_of(statistics), self.split(delta)[0], strict=True)
        found = [part.recession(own, e) for (part, own), e in pairs]
        return None if any(rise is None for rise in found) else total(iter(found))  # type: ignore[arg-type]

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return the way to an infinite likelihood of the first part that has one."""
        each = self.each_of(statistics)
        for c, (part, own) in enumerate(each):
            if (found := part.unbounded(own, weight)) is not None:
                eta, why = found
                with np.errstate(all="ignore"):  # of other parts without spread
                    starts = [other.starts(entries, weight)[0] for other, entries in each]
                starts[c] = eta
                return tuple(e for start in starts for e in start), f"in part {c + 1}, {why}"
        return None

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        pairs = zip(self.each_of(statistics), self.split(eta)[0], strict=True)
        for c, ((part, own), e) in enumerate(pairs, 1):
            if (found := part.without_bound(own, e)) is not None:
                return f"{found[0]}_{c}", f"in part {c}, {found[1]}"
            if _has_shrunk(part, own, e):
                why = "shrinks to each observation, so the density grows without bound there"
                return f"{part.names[-1]}_{c}", f"in part {c}, the law {why}"
        return None

    @property
    def regular(self) -> bool:  # type: ignore[override]
        return all(part.regular for part in self.parts)

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        pairs = enumerate(zip(self.parts, self.split(eta)[0], strict=True), 1)
        return tuple(f"{name}_{c}" for c, (part, e) in pairs for name in part.nonregular(e))


def _has_shrunk(part: Family, statistics: Arrays, eta: Arrays) -> bool:
    """Return whether the law of one number that has a density has shrunk to its observations."""
    if part.observation.columns != 1 or not np.all(part.densities(statistics) > 0.0):
        return False
    y = np.asarray(part.restore(statistics), float)
    return is_concentrated(part.evaluate(statistics, eta, 0).value + part.base(statistics), y)
