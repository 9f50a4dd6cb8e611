"""Where the likelihood of a law ends: at limit laws, without bound, along separating directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from skmle.families.records import Array, Arrays, Saturated

if TYPE_CHECKING:
    from skmle.families.base import Family

T = TypeVar("T")


def _as_they_are(statistics: Arrays) -> Arrays:
    return statistics


class Limit(NamedTuple):
    """The law that a family tends to where one parameter runs to an end of its range.

    It may lack other parameters, too, on which nothing depends there.
    """

    parameter: str
    value: float
    """The parameter's limit on its own scale, such as 0 or inf."""
    family: Family
    """The limit law; its parameters have the names of the rest of this family's."""
    observe: Callable[[Arrays], Arrays | None] = _as_they_are
    """The limit law's statistics from those of this family; None if it does not allow a row."""
    places: tuple[str, ...] = ()
    """The parameters of this family that become those of the limit law, if these have other names.

    They are in the order of the limit law's.
    """
    then: Limit | None = None
    """The end at which another parameter of the limit law itself stands, if one does."""
    constant: tuple[str, ...] = ()
    """Parameters of this family that are the same for all rows; else the limit is another law.

    So is a location that becomes the end of the support: the limit law's chart of it is another.
    """

    @property
    def ends(self) -> dict[str, float]:
        """The values of all parameters that stand at an end of their range."""
        return {self.parameter: self.value} | ({} if self.then is None else self.then.ends)


def place(family: Family, name: str) -> int:
    """Return the position among the parameters of the one that a limit names."""
    return [param.name for param in family.parameters].index(name)


def places(family: Family, limit: Limit) -> list[int]:
    """Return the positions of those of a family's parameters that its limit law has, too."""
    own = limit.places or [param.name for param in limit.family.parameters]
    return [place(family, name) for name in own]


def eta_at(family: Family, limit: Limit) -> float:
    """Return the linked eta of the parameter that a limit names, where it stands at its end."""
    with np.errstate(all="ignore"):
        link = family.link(place(family, limit.parameter))
        return float(link.forward(np.asarray(limit.value, float)))


def with_end(family: Family, limit: Limit, entries: Sequence[T], end: T) -> tuple[T, ...] | None:
    """Return an entry for each parameter: those of the limit law, and `end` of the one beside.

    None is returned if a parameter has neither, as no observation depends on it at the limit.
    """
    known = dict(zip(places(family, limit), entries, strict=True))
    known[place(family, limit.parameter)] = end
    whole = range(len(family.parameters))
    return tuple(known[j] for j in whole) if known.keys() == {*whole} else None


def towards_limits(family: Family, delta: Arrays) -> NDArray[np.bool_]:
    """Return the rows that a change of chart eta moves towards a limit law, and in no other way.

    There -log q tends to that of another law, be it larger or smaller.
    """
    moves = np.broadcast_arrays(*(np.asarray(e != 0.0) for e in delta))
    result = np.zeros(np.shape(moves[0]) if moves else (), bool)
    for limit in family.limits:
        j = place(family, limit.parameter)
        with np.errstate(all="ignore"):
            end = float(family.parameters[j].chart.forward(np.asarray(limit.value, float)))
        alone = moves[j] & (np.sum(moves, axis=0) == 1)
        result |= alone & (np.sign(end) * delta[j] > 0.0)
    return result


class Ends:
    """What a family says of where its likelihood has no maximum inside."""

    may_be_unbounded: ClassVar[bool] = False
    """Whether a likelihood may have no bound, or of counts no maximum, although they differ.

    A density's fit then asks `unbounded` whatever the data are.
    """

    regular: ClassVar[bool] = True
    """Whether the usual errors hold at every maximum; if not, `nonregular` is asked there."""

    told_first: ClassVar[str] = ""
    """The parameter that a verdict names where rows run off along it as well as along others."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limit laws, under the links of this one, in the order in which they are tried."""
        return ()

    @property
    def limits_in_place(self) -> tuple[Limit, ...]:
        """The limit laws from no free end, as wrappers need that transform or join laws."""
        return tuple(
            limit for limit in self.limits if limit.family.support.fixed and not limit.constant
        )

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        """Laws at an end of the parameters' range to which whole observed values never lead.

        They may have no density there. Intervals of values, and values in a window, may lead there.
        """
        return ()

    @property
    def special_cases(self) -> tuple[Limit, ...]:
        """The laws that this one is where a parameter has a value inside of its range."""
        return ()

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        """Return lim f(eta + t delta)/t of each row as t -> inf, f = -log q.

        It is nan for rows of which it is not known, and None if it is known of none. Zero says that
        the row never rises on its way, or falls to the least f there is: infinity stands for the
        limit zero of a row that rises. Along a direction in which no row rises and some fall there
        is no maximum at a finite place: this is separation.
        """
        return None

    def saturated(self, statistics: Arrays) -> Saturated | None:
        """Return parameters that nearly interpolate y, where the density grows without bound.

        None is returned if the density is bounded.
        """
        return None

    def alone(self, statistics: Arrays) -> Array | None:
        """Return for each row the chart eta of the first parameter that reproduces it, (n,).

        None is returned if there is none, or if it is not known.
        """
        limit = self.saturated(statistics)
        return None if limit is None else limit.first

    def unbounded(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return constant chart eta on the way to an infinite likelihood of a density, and why.

        That of masses has a bound, but may come to it at no parameters. None is returned if there
        is no such way.
        """
        first = statistics[0]
        if first.ndim > 1 or not np.all(first == first[0]):
            return None
        limit = self.saturated(statistics)
        reason = "all observations are equal, so the density grows without bound around them"
        return None if limit is None else ((float(limit.first[0]), *limit.others), reason)

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        """Return the parameters whose estimates do not have the usual errors at chart `eta`.

        Such are ends of the support to which the density does not fall smoothly.
        """
        return ()

    def near_singular(self, eta: Arrays, size: float) -> tuple[str, str] | None:
        """Return a parameter whose error so many rows do not tell by the curvature, and why.

        It is asked at chart `eta` of laws that are not `regular`: the information may be singular
        near by, or a second derivative infinite. None is returned elsewhere.
        """
        return None

    def widened(self, eta: Arrays) -> Arrays:
        """Return constant chart eta of a law whose support is wider, if it moves with them.

        A fit asks for it, again and again, where its start leaves some observations outside.
        """
        return eta

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        """Return a parameter on whose way on from chart `eta` the likelihood has no bound, and why.

        It is asked where a fit has come to no maximum. None is returned if no such way is known.
        """
        return None

    def on_that_way(self, statistics: Arrays, weight: Array | None) -> tuple[float, ...] | None:
        """Return constant chart eta far on the way of `without_bound`, which the data alone tell.

        The fit of a density returns them, so that its answer does not depend on its steps. They are
        those of its `supremum`, if it knows one. None is returned if they do not matter.
        """
        found = self.supremum(statistics, weight)
        return None if found is None else found[0]

    def supremum(
        self, statistics: Arrays, weight: Array | None
    ) -> tuple[tuple[float, ...], str] | None:
        """Return constant chart eta next to a finite supremum far out of a density, and why.

        Where it is likelier than the maximum inside, there is no maximum. None is returned if no
        such supremum is known.
        """
        return None

    def ended(self, values: Mapping[str, float]) -> Family | None:
        """Return the smooth law of a known support, if the values held tell all ends that move.

        It is asked for laws that are fitted by their ends. None is returned if some are free.
        """
        return None

    def holding(self, values: Mapping[str, float]) -> Family | None:
        """Return this law with some natural parameters held, whose starts and bound are right.

        None is returned for those of which `Fixed` finds the starts, as of most laws.
        """
        return None
