"""What a family says of its parameters and its ends, where some parameters are held."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmle.families.algebra import pick
from skmle.families.base import Array, Arrays, Family, Limit, Param, Rows, Saturated
from skmle.families.links import Link
from skmle.families.wrappers.base import Wrapper

# By how much, relative, a held eta may miss that of equal observations: the rounding of a
# logarithm.
_SAME = 1e-12


class FreeParameters(Wrapper):
    """The base of a law some of whose natural parameters are held: what is left to the others.

    Parameters
    ----------
    family : Family
    values : dict of str to float
        Natural parameters held.
    """

    def __init__(self, family: Family, values: dict[str, float]) -> None:
        super().__init__(family)
        self.values = values

    # ---------------------------------------------------------------- which parameters

    @property
    def free(self) -> list[int]:
        """Indices of the parameters still to be fitted."""
        return [j for j, name in enumerate(self.inner.names) if name not in self.values]

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(self.inner.parameters[j] for j in self.free)

    @property
    def modelled(self) -> tuple[str, ...]:
        return tuple(name for name in self.inner.modelled if name not in self.values)

    def link(self, index: int) -> Link:
        return self.inner.link(self.free[index])

    def counted(self, index: int) -> bool:
        return self.inner.counted(self.free[index])

    def complete(self, entries: Arrays, held: Arrays) -> Arrays:
        """Return all k entries in order: those of the free parameters, and those held."""
        free, rest = iter(entries), iter(held)
        return tuple(next(rest) if name in self.values else next(free) for name in self.inner.names)

    def expected_curvature(self, statistics: Arrays, eta: Arrays) -> Any:
        eta = self.complete(eta, self._held)
        expected = self.inner.expected_curvature(statistics, eta)
        if expected is None:
            return None
        return pick(Rows(np.zeros(()), eta, expected), self.free).curvature

    @property
    def _held(self) -> Arrays:
        """Chart eta of the parameters held."""
        pairs = ((p, self.values[p.name]) for p in self.inner.parameters if p.name in self.values)
        return tuple(np.asarray(p.chart.forward(np.asarray(v, float)), float) for p, v in pairs)

    @property
    def dense(self) -> Family:
        whole = self.inner
        return self if whole.dense is whole else self.around(whole.dense)

    # ---------------------------------------------------------------- cusps

    def smoothings(self) -> tuple[Family, ...]:
        """Return the smooth laws around a location that is free: a law has its cusps there."""
        return () if self.inner.names[0] in self.values else super().smoothings()

    @property
    def kinked(self) -> bool:
        """Whether the location of the cusps is free."""
        return self.inner.kinked and self.inner.names[0] not in self.values

    # ---------------------------------------------------------------- verdicts

    @property
    def limits(self) -> tuple[Limit, ...]:
        return self._of_free(super().limits)

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        return self._of_free(super().limits_of_tails)

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return self._of_free(super().special_cases)

    def _of_free(self, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        """Return the limits that need none of the parameters held to move."""
        held = set(self.values)
        return tuple(
            limit._replace(constant=tuple(name for name in limit.constant if name not in held))
            for limit in limits
            if not {limit.parameter, *limit.places} & held
        )

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        still = tuple(np.zeros(()) for _ in self.values)
        return self.inner.recession(statistics, self.complete(delta, still))

    def saturated(self, statistics: Arrays) -> Saturated | None:
        limit = self.inner.saturated(statistics)
        first, *others = self.inner.names
        if limit is None or {first, limit.runs, *limit.beside} & set(self.values):
            return None
        return limit._replace(others=self._free_of(others, limit.others))

    def alone(self, statistics: Arrays) -> Array | None:
        """Return what the family inside does: the first eta reproduces y whatever the others are.

        None is returned if it is held.
        """
        return None if self.inner.names[0] in self.values else self.inner.alone(statistics)

    def beside(self, statistics: Arrays, first: Array, weight: Array | None) -> Arrays | None:
        """Return what the family inside does, less what is held.

        Its closed form finds the first eta whatever the others are.
        """
        if self.inner.names[0] in self.values:
            return None
        found = self.inner.beside(statistics, first, weight)
        return None if found is None else tuple(found[j] for j in self.free)

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return the way to an infinite likelihood.

        Equal observations have one around a held value, too.
        """
        first, *others = self.inner.names
        if (inside := self.inner.holding(self.values)) is not None:
            return inside.unbounded(statistics, weight)
        if first not in self.values:
            return super(Wrapper, self).unbounded(statistics, weight)
        known, limit = self.inner.unbounded(statistics, weight), self.inner.saturated(statistics)
        if known is None or limit is None or limit.runs in self.values:
            return None
        held, own = float(self._held[0]), known[0][0]
        # A location may be as small as it likes; the logarithm of a number near one may not.
        size = abs(own) + (not self.inner.parameters[0].chart.spans_zero)
        if abs(held - own) > _SAME * size:
            return None
        return self._free_of(others, known[0][1:]), known[1]

    def widened(self, eta: Arrays) -> Arrays:
        whole = self.inner.widened(self.complete(eta, self._held))
        return tuple(whole[j] for j in self.free)

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        found = self.inner.without_bound(statistics, self.complete(eta, self._held))
        return None if found is None or found[0] in self.values else found

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        found = self.inner.nonregular(self.complete(eta, self._held))
        return tuple(name for name in found if name not in self.values)

    def near_singular(self, eta: Arrays, size: float) -> tuple[str, str] | None:
        found = self.inner.near_singular(self.complete(eta, self._held), size)
        return None if found is None or found[0] in self.values else found

    def _free_of(self, names: list[str], entries: tuple[float, ...]) -> tuple[float, ...]:
        pairs = zip(names, entries, strict=True)
        return tuple(entry for name, entry in pairs if name not in self.values)
