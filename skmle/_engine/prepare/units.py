"""The units of y in a fit: where the law moves with them, y is centred and scaled first."""

from __future__ import annotations

from typing import NamedTuple

from skmle._engine.problem import Problem
from skmle.families.base import Arrays, Family


class Units(NamedTuple):
    """y is fitted as (y - origin)/unit."""

    origin: float = 0.0
    unit: float = 1.0
    moves: tuple[str, ...] = ()
    """How each eta moves with them (`Param.unit`); () where y is fitted as it is."""

    @property
    def standardised(self) -> bool:
        """Whether y is fitted in units of its own spread."""
        return bool(self.moves)

    def located(self, j: int) -> bool:
        """Return whether eta of a parameter is measured like the y that the fit has standardised."""
        return self.standardised and self.moves[j] == "location"

    def of(self, family: Family, statistics: Arrays) -> Arrays:
        """Return the statistics in these units."""
        if not self.standardised:
            return statistics
        return family.standardise(statistics, self.origin, self.unit)


def units_of(problem: Problem) -> Units:
    """Return the units in which a problem's y is fitted."""
    family, observed = problem.family, problem.observed
    if not family.movable:
        return Units()
    pairs = list(zip(family.parameters, problem.terms, strict=True))
    scales = [term.intercept for param, term in pairs if param.unit in ("scale", "rate")]
    if not scales or not all(scales):
        return Units()
    origin, unit = family.centre_and_spread(observed.statistics, observed.weight)
    free = all(term.intercept for param, term in pairs if param.unit == "location")
    return Units(origin if free else 0.0, unit, tuple(p.unit for p in family.parameters))
