"""The base of laws made of several laws side by side, whose parameters have numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial

import numpy as np

from skmle.families.base import LOGIT, Arrays, Family, Limit, Param
from skmle.families.links import Link, get_link
from skmle.families.wrappers.base import Derived


def number_of_statistics(part: Family) -> int:
    """Return how many statistics a family has, which those of a possible row tell."""
    columns = part.observation.columns or 0
    value = part.support.somewhere
    return len(part.statistics(np.full((1, columns) if columns > 1 else 1, value)))


class SeveralParts(Derived):
    """The base of laws made of several laws.

    The parameters of part c are those of its family with ``_c`` at their ends, from 1 on. Those
    that the whole has beside them follow.
    """

    @property
    def parts(self) -> tuple[Family, ...]:
        """The families of all parts, as objects."""
        from skmle.families import get_family  # it imports all families, wrappers among them

        if isinstance(self.family, (str, type, Family)):
            raise ValueError(
                f"{type(self).__name__}: family={self.family!r} is one family. Allowed: a list "
                "with one for each part. Give them, or the family itself without "
                f"{type(self).__name__}."
            )
        return tuple(get_family(part) for part in self.family)

    @property
    def inner(self) -> Family:
        """The family of the first part."""
        parts = self.parts
        if not parts:
            raise ValueError(
                f"{type(self).__name__}: no family is given. Allowed: one for each part. Give them."
            )
        return parts[0]

    @abstractmethod
    def of_parts(self, parts: Sequence[Family]) -> Family:
        """Return this law made of other parts."""

    def around(self, family: Family) -> Family:
        return self.of_parts((family, *self.parts[1:]))

    def measured(self, origin: float, unit: float) -> Family:
        parts = self.parts
        moved = [part.measured(origin, unit) for part in parts]
        same = all(one is other for one, other in zip(moved, parts, strict=True))
        return self if same else self.of_parts(moved)

    # ---------------------------------------------------------------- parameters

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        own = [
            param._replace(name=f"{param.name}_{c}")
            for c, part in enumerate(self.parts, 1)
            for param in part.parameters
        ]
        return (*own, *self.added)

    @property
    def modelled(self) -> tuple[str, ...]:
        return tuple(f"{n}_{c}" for c, part in enumerate(self.parts, 1) for n in part.modelled)

    def _within(self, index: int) -> tuple[Family | None, int]:
        """Return the part of a parameter, None of the whole, and its place among the part's."""
        for part in self.parts:
            if index < len(part.parameters):
                return part, index
            index -= len(part.parameters)
        return None, index

    def link(self, index: int) -> Link:
        part, place = self._within(index)
        if part is not None:
            return part.link(place)
        chosen = (self.links or {}).get(self.added[place].name)
        return LOGIT if chosen is None else get_link(chosen)

    def counted(self, index: int) -> bool:
        part, place = self._within(index)
        return self.support.discrete if part is None else part.counted(place)

    def split(self, entries: Arrays) -> tuple[list[Arrays], Arrays]:
        """Return the entries of each part, and those that the whole has beside them."""
        found, start = [], 0
        for part in self.parts:
            found.append(tuple(entries[start : start + len(part.parameters)]))
            start += len(part.parameters)
        return found, tuple(entries[start:])

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        each = ((part.support.low, part.support.high, *part.breaks) for part in self.parts)
        return tuple(value for own in each for value in own)

    # ---------------------------------------------------------------- limits

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(
            limit._replace(
                parameter=f"{limit.parameter}_{c + 1}",
                family=self.of_parts((*self.parts[:c], limit.family, *self.parts[c + 1 :])),
                observe=partial(self.observe_part, c, limit),
                places=self._places(c, limit),
            )
            for c, part in enumerate(self.parts)
            for limit in part.limits_in_place
        )

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        return ()

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        return ()

    def _places(self, c: int, limit: Limit) -> tuple[str, ...]:
        """Return in whose places the parameters stand where part c is at a limit law."""
        if not limit.places:
            return ()
        each = [[f"{name}_{j}" for name in part.names] for j, part in enumerate(self.parts, 1)]
        each[c] = [f"{name}_{c + 1}" for name in limit.places]
        return (*(name for own in each for name in own), *(param.name for param in self.added))

    @abstractmethod
    def observe_part(self, c: int, limit: Limit, statistics: Arrays) -> Arrays | None:
        """Return the statistics of this law of which part c is at a limit law; None if none are."""
