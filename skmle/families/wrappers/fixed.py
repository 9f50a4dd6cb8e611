"""A family with some parameters known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmle.families.base import (
    Array,
    Arrays,
    Family,
    Limit,
    Observation,
    Param,
    Rows,
    Shortcuts,
    Softmax,
    Support,
)


def fix(family: Family, values: Mapping[str, float]) -> Family:
    """Return `family` with the named natural parameters held at the given values.

    Raises
    ------
    ValueError
        If a name is unknown, a value lies outside the parameter's range, or the family's parameters cannot be held.
    """
    if not values:
        return family
    names = family.names
    if names != tuple(p.name for p in family.parameters):
        what = f"fixed={dict(values)!r}: the parameters of {type(family).__name__} cannot be held one by one"
        raise ValueError(f"{what}. Allowed: fixed=None. Leave fixed out.")
    if not family.support.fixed:
        what = f"fixed={dict(values)!r}: {type(family).__name__} is fitted by its ends, all at once"
        raise ValueError(f"{what}. Allowed: regular families. Leave fixed out.")
    for name, value in values.items():
        if name not in names:
            raise ValueError(
                f"fixed: {type(family).__name__} has no parameter {name!r}. Allowed: {', '.join(names)}. Rename the key."
            )
        with np.errstate(all="ignore"):
            eta = family.link(names.index(name)).forward(np.asarray(value, float))
        if not np.isfinite(eta):
            what = (
                f"fixed: {name}={value!r} is outside the range of {type(family).__name__}'s {name}"
            )
            raise ValueError(
                f"{what}. Allowed: what link {family.link(names.index(name)).name!r} maps to a number. Give one."
            )
    return Fixed(family, dict(values))


class Fixed(Family):
    """The law `family` with some natural parameters held at known values; only the rest is fitted.

    Parameters
    ----------
    family : Family
    values : dict of str to float
        Natural parameters held.
    """

    def __init__(self, family: Family, values: dict[str, float], *, links: Any = None) -> None:
        super().__init__(links=links)
        self.family = family
        self.values = values

    @property
    def free(self) -> list[int]:
        """Indices of the parameters still to be fitted."""
        return [j for j, name in enumerate(self.family.names) if name not in self.values]

    @property
    def parameters(self) -> tuple[Param, ...]:  # type: ignore[override]
        return tuple(self.family.parameters[j] for j in self.free)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return self.family.support

    @property
    def observation(self) -> Observation:  # type: ignore[override]
        return self.family.observation

    @property
    def shortcuts(self) -> Shortcuts:  # type: ignore[override]
        return Shortcuts(starts="near", sums=self.family.shortcuts.sums)

    @property
    def limits(self) -> tuple[Limit, ...]:  # type: ignore[override]
        return ()

    @property
    def title(self) -> str:
        held = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        return f"{self.family.title} ({held} fixed)"

    @property
    def relinked(self) -> bool:
        return self.family.relinked

    @property
    def modelled(self) -> tuple[str, ...]:
        return tuple(name for name in self.family.modelled if name not in self.values)

    def link(self, index: int) -> Any:
        return self.family.link(self.free[index])

    def complete(self, entries: Arrays, held: Arrays) -> Arrays:
        """Return all k entries in order: those of the free parameters, and those held."""
        free = iter(entries)
        rest = iter(held)
        return tuple(
            next(rest) if name in self.values else next(free) for name in self.family.names
        )

    @property
    def _held(self) -> Arrays:
        """Chart eta of the parameters held."""
        pairs = ((p, self.values[p.name]) for p in self.family.parameters if p.name in self.values)
        return tuple(np.asarray(p.chart.forward(np.asarray(v, float)), float) for p, v in pairs)

    def statistics(self, y: Array) -> Arrays:
        return self.family.statistics(y)

    def base(self, statistics: Arrays) -> Array:
        return self.family.base(statistics)

    def contains(self, y: Array) -> NDArray[np.bool_]:
        return self.family.contains(y)

    def collapse(self, statistics: Arrays, weight: Array | None) -> Arrays:
        return self.family.collapse(statistics, weight)

    def unbounded(self, statistics: Arrays, weight: Array | None) -> None:
        return None

    def evaluate(self, statistics: Arrays, eta: Arrays, order: int = 2) -> Rows:
        rows = self.family.evaluate(statistics, self.complete(eta, self._held), order)
        gradient = None if rows.gradient is None else tuple(rows.gradient[j] for j in self.free)
        if rows.curvature is None or isinstance(rows.curvature, Softmax):
            return Rows(rows.value, gradient)
        k = len(self.family.names)
        pairs = [(a, b) for a in range(k) for b in range(a, k)]
        kept = tuple(
            w
            for (a, b), w in zip(pairs, rows.curvature, strict=True)
            if a in self.free and b in self.free
        )
        return Rows(rows.value, gradient, kept)

    def starts(self, statistics: Arrays, weight: Array | None) -> list[tuple[float, ...]]:
        return [
            tuple(start[j] for j in self.free) for start in self.family.starts(statistics, weight)
        ]

    def law(self, theta: Arrays) -> tuple[Family, dict[str, Array]]:
        held = tuple(
            np.asarray(self.values[name], float)
            for name in self.family.names
            if name in self.values
        )
        return self.family.law(self.complete(theta, held))

    def to_scipy(self, theta: Arrays) -> Any:
        family, params = self.law(theta)
        return family.to_scipy(tuple(params.values()))
