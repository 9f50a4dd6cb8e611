"""A family with some parameters known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from skmle.families.algebra import pick
from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Limit,
    Param,
    Rows,
    Saturated,
    Shortcuts,
)
from skmle.families.links import Link
from skmle.families.wrappers.base import Wrapper

if TYPE_CHECKING:
    from skmle.families.distribution import Distribution

# Where the start of a free parameter is looked for, in chart eta: steps of two, from which Newton's
# method arrives, as far as a shape or a scale of data that are not in units of 1e30 times their own
# spread.
_GRID = np.arange(-70.0, 71.0, 2.0)
_SHARES = np.linspace(0.0, 1.0, 33)  # of the rows below a location's trials; chosen, not measured
_ROUNDS = 2  # of looking along each free parameter in turn
_ENOUGH = 256  # rows on which to look for a start
# By how much, relative, a held eta may miss that of equal observations: the rounding of a
# logarithm.
_SAME = 1e-12


def _mapped_by(first: Link, second: Link) -> str:
    """Return what two links map to a number, which may be the same link, in words."""
    if first == second:
        return f"what link {first.name!r} maps to a number"
    return f"what link {first.name!r} and link {second.name!r} both map to a number"


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
    if isinstance(family, Fixed):
        return fix(family.inner, {**family.values, **values})
    names = family.names
    if names != tuple(p.name for p in family.parameters):
        raise ValueError(
            f"fixed={dict(values)!r}: the parameters of {type(family).__name__} cannot be held one "
            "by one. Allowed: fixed=None. Leave fixed out."
        )
    if not family.support.fixed:
        what = f"fixed={dict(values)!r}: {type(family).__name__} is fitted by its ends, all at once"
        raise ValueError(f"{what}. Allowed: regular families. Leave fixed out.")
    for name, value in values.items():
        if name not in names:
            from skmle.families.tools.scipy_names import in_our_words  # for this message alone

            words = in_our_words(family, name)
            raise ValueError(
                f"fixed: {type(family).__name__} has no parameter {name!r}. Allowed: "
                f"{', '.join(names)}. {words + ' ' if words else ''}Rename the key."
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
    return Fixed(family, dict(values))


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


class Fixed(Wrapper):
    """The law `family` with some natural parameters held at known values; only the rest is fitted.

    Parameters
    ----------
    family : Family
    values : dict of str to float
        Natural parameters held.
    """

    def __init__(self, family: Family, values: dict[str, float]) -> None:
        super().__init__(family)
        self.values = values

    def around(self, family: Family) -> Family:
        held = {name: value for name, value in self.values.items() if name in family.names}
        return Fixed(family, held) if held else family

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

    @property
    def title(self) -> str:
        held = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        return f"{self.inner.title} ({held} fixed)"

    def link(self, index: int) -> Link:
        return self.inner.link(self.free[index])

    def complete(self, entries: Arrays, held: Arrays) -> Arrays:
        """Return all k entries in order: those of the free parameters, and those held."""
        free, rest = iter(entries), iter(held)
        return tuple(next(rest) if name in self.values else next(free) for name in self.inner.names)

    @property
    def _held(self) -> Arrays:
        """Chart eta of the parameters held."""
        pairs = ((p, self.values[p.name]) for p in self.inner.parameters if p.name in self.values)
        return tuple(np.asarray(p.chart.forward(np.asarray(v, float)), float) for p, v in pairs)

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
        result = [self._improved(first, statistics, weight)]
        result += [start for start in dict.fromkeys(free) if np.isfinite(start).all()]
        return result

    def _improved(
        self, start: tuple[float, ...], statistics: Arrays, weight: Array | None
    ) -> tuple[float, ...]:
        n = len(statistics[0])
        some = slice(None, None, -(-n // _ENOUGH))
        rows = tuple(s[some] if len(s) == n else s for s in statistics)
        share = None if weight is None else weight[some]
        best = [float(start[j]) if np.isfinite(start[j]) else 0.0 for j in self.free]
        for _ in range(_ROUNDS):
            for j, parameter in enumerate(self.parameters):
                # A location has the unit of the observations: with a scale held, there may be a
                # maximum near each of them.
                located = parameter.unit == "location"
                grid = np.quantile(rows[0], _SHARES) if located else _GRID
                trials = np.append(best[j], grid)
                eta = [np.asarray(e) for e in best]
                eta[j] = trials[:, None]
                with np.errstate(all="ignore"):  # most of the grid is far off
                    value = self.evaluate(rows, tuple(eta), 0).value
                    mean = np.average(value, axis=-1, weights=share)
                best[j] = float(trials[np.argmin(np.where(np.isfinite(mean), mean, np.inf))])
        # Data at an end of the law's range, such as counts that are all zero, keep a start at
        # infinity.
        far = {j: e for j, e in zip(self.free, best, strict=True) if abs(e) == _GRID[-1]}
        own = [start[j] if j in far and not np.isfinite(start[j]) else np.nan for j in self.free]
        return tuple(b if np.isnan(e) else float(e) for b, e in zip(best, own, strict=True))

    def smoothings(self) -> tuple[Family, ...]:
        """Return the smooth laws around a location that is free: a law has its cusps there."""
        return () if self.inner.names[0] in self.values else super().smoothings()

    @property
    def kinked(self) -> bool:
        """Whether the location of the cusps is free."""
        return self.inner.kinked and self.inner.names[0] not in self.values

    @property
    def _final(self) -> bool:
        """Whether the starts are final: the location of the cusps is the same for every spread."""
        return self.inner.shortcuts.starts == "final" and self.inner.names[0] not in self.values

    # ---------------------------------------------------------------- verdicts

    @property
    def limits(self) -> tuple[Limit, ...]:
        return self._of_free(super().limits)

    @property
    def limits_of_tails(self) -> tuple[Limit, ...]:
        return self._of_free(super().limits_of_tails)

    def _of_free(self, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        """Return the limits that need none of the parameters held to move."""
        held = set(self.values)
        return tuple(lim for lim in limits if not {lim.parameter, *lim.places} & held)

    def recession(self, statistics: Arrays, delta: Arrays) -> Array | None:
        still = tuple(np.zeros(()) for _ in self.values)
        return self.inner.recession(statistics, self.complete(delta, still))

    def saturated(self, statistics: Arrays) -> Saturated | None:
        limit = self.inner.saturated(statistics)
        first, *others = self.inner.names
        if limit is None or limit.runs in self.values or first in self.values:
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
        if abs(held - own) > _SAME * (1.0 + abs(own)):
            return None
        return self._free_of(others, known[0][1:]), known[1]

    def without_bound(self, statistics: Arrays, eta: Arrays) -> tuple[str, str] | None:
        found = self.inner.without_bound(statistics, self.complete(eta, self._held))
        return None if found is None or found[0] in self.values else found

    def nonregular(self, eta: Arrays) -> tuple[str, ...]:
        found = self.inner.nonregular(self.complete(eta, self._held))
        return tuple(name for name in found if name not in self.values)

    def _free_of(self, names: list[str], entries: tuple[float, ...]) -> tuple[float, ...]:
        pairs = zip(names, entries, strict=True)
        return tuple(entry for name, entry in pairs if name not in self.values)

    @property
    def movable(self) -> bool:
        """Whether y may be measured in another unit, as no value held is in units of y."""
        held = (p for p in self.inner.parameters if p.name in self.values)
        return self.inner.movable and not any(p.unit for p in held)

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
