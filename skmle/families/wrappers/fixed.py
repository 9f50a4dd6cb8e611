"""A family with some parameters known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from skmle.families.algebra import pick
from skmle.families.base import Array, Arrays, Density, Family, Rows, Shortcuts
from skmle.families.links import Link
from skmle.families.tools.coarse import improved_start
from skmle.families.tools.constructors import nearest
from skmle.families.wrappers.held_values import HeldValues

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution


def _mapped_by(first: Link, second: Link) -> str:
    """Return what two links map to a number, which may be the same link, in words."""
    low = max(first.domain[0], second.domain[0])
    high = min(first.domain[1], second.domain[1])
    above, below = [f"> {low:g}"] * (low > -np.inf), [f"< {high:g}"] * (high < np.inf)
    numbers = f"numbers {' and '.join(above + below)}" if above or below else "finite numbers"
    if first == second:
        return f"{numbers} that link {first.name!r} maps to a number"
    return f"{numbers} that link {first.name!r} and link {second.name!r} both map to a number"


def one_by_one(family: Family) -> bool:
    """Return whether the parameters of a family can be held, each without the others."""
    return family.names == tuple(param.name for param in family.parameters)


def fix(family: Family, values: Mapping[str, float]) -> Family:
    """Return `family` with the named natural parameters held at the given values.

    Raises
    ------
    ValueError
        If a name is unknown, a value lies outside the parameter's range, or the family's parameters
        cannot be held.
    """
    if not values:
        return family
    family, values = family.taking(values)
    if not values:
        return family
    if isinstance(family, Fixed):
        return fix(family.inner, {**family.values, **values})
    names = family.names
    if not one_by_one(family):
        raise ValueError(
            f"fixed={dict(values)!r}: the parameters of {type(family).__name__} cannot be held one "
            "by one. Allowed: fixed=None. Leave fixed out."
        )
    whole = family if family.support.smooth else family.ended(values)
    if whole is None:
        what = f"fixed={dict(values)!r}: {type(family).__name__} is fitted by its ends, all at once"
        raise ValueError(f"{what}. Allowed: regular families. Leave fixed out.")
    for name, value in values.items():
        if name not in names:
            from skmle.families.tools.scipy_names import in_our_words  # for this message alone

            near = nearest(name, names, "Rename the key.")
            raise ValueError(
                f"fixed: {type(family).__name__} has no parameter {name!r}. Allowed: "
                f"{', '.join(names)}. {in_our_words(family, name) or near}"
            )
        j = names.index(name)
        # A link may map numbers that are no values of the parameter, as the inverse maps -1.
        links, number = (family.parameters[j].chart, family.link(j)), np.asarray(value, float)
        with np.errstate(all="ignore"):
            inside = all(np.isfinite(link.forward(number)) for link in links)
        if not inside:
            what = (
                f"fixed: {name}={value!r} is outside the range of {type(family).__name__}'s {name}"
            )
            raise ValueError(f"{what}. Allowed: {_mapped_by(*links)}. Give one.")
    return Fixed(whole, dict(values))


def with_lead(family: Family) -> tuple[Family, float | None]:
    """Return the law with its first parameter among those free, and the eta at which it was held.

    The known part of the first linear predictor is added to that eta. The eta is None for a law
    whose first parameter is free already.
    """
    if not isinstance(family, Fixed) or (first := family.inner.names[0]) not in family.values:
        return family, None
    eta = family.inner.link(0).forward(np.asarray(family.values[first], float))
    rest = {name: value for name, value in family.values.items() if name != first}
    return Fixed(family.inner, rest) if rest else family.inner, float(eta)


class Fixed(HeldValues):
    """The law `family` with some natural parameters held at known values; only the rest is fitted.

    Parameters
    ----------
    family : Family
    values : dict of str to float
        Natural parameters held.
    """

    def around(self, family: Family) -> Family:
        held = {name: value for name, value in self.values.items() if name in family.names}
        return Fixed(family, held) if held else family

    @property
    def title(self) -> str:
        held = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        return f"{self.inner.title} ({held} fixed)"

    # ---------------------------------------------------------------- the formula

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        rows = self.inner.evaluate(statistics, self.complete(eta, self._held), order)
        return pick(rows, self.free)

    def tail(self, statistics: Arrays, eta: Arrays, upper: bool, order: int = 2) -> Rows:
        rows = self.inner.tail(statistics, self.complete(eta, self._held), upper, order)
        return pick(rows, self.free)

    @property
    def shortcuts(self) -> Shortcuts:  # type: ignore[override]
        return Shortcuts("final" if self._final else "near", self.inner.shortcuts.sums)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        """Return the starts of the family inside, moved to the best beside the parameters held.

        The free parameters of the family's own start can be far from any maximum beside the held
        ones: equal observations around another location than the one held have a scale of zero on
        their own. More starts, of a family that has several, are taken as they are.
        """
        if (inside := self.inner.holding(self.values)) is not None:
            return inside.starts(statistics, weight)
        # Of equal rows, the start of a scale may be zero; it is not used where the scale is held.
        with np.errstate(divide="ignore"):
            first, *others = self.inner.starts(statistics, weight)
        free = [tuple(start[j] for j in self.free) for start in others]
        own = tuple(first[j] for j in self.free)
        if self._final:  # a trial on some of the rows would better it for these alone
            return [own]
        stretch = self.inner.stretch
        moves = () if stretch is None else tuple(stretch.moves[j] for j in self.free)
        result = [improved_start(self, own, statistics, weight, moves)]
        result += [start for start in dict.fromkeys(free) if np.isfinite(start).all()]
        return result

    @property
    def _final(self) -> bool:
        """Whether the starts are final: the location of the cusps is the same for every spread."""
        return self.inner.shortcuts.starts == "final" and self.inner.names[0] not in self.values

    def for_density(
        self, statistics: Arrays, weight: Array | None, held: Mapping[str, float] | None = None
    ) -> Density | None:
        return self.inner.for_density(statistics, weight, {**self.values, **(held or {})})

    # ---------------------------------------------------------------- the law

    def predicted(self, theta: Arrays) -> Distribution:
        return self.inner.predicted(self._all_of(theta))

    def log_prob_of(self, y: Array, theta: Arrays) -> Array | None:
        return self.inner.log_prob_of(y, self._all_of(theta))

    def _all_of(self, theta: Arrays) -> Arrays:
        """Return all natural parameters, those held among them."""
        names = (name for name in self.inner.names if name in self.values)
        shape = np.shape(theta[0]) if theta else ()  # one value a row, as the others have
        held = tuple(np.full(shape, self.values[name], float) for name in names)
        return self.complete(theta, held)
