"""Values at which a law has a mass beside its density."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skmle.families.base import Family


def atoms_of(family: Family) -> tuple[float, ...]:
    """Return the values of `Family.breaks` that have a mass; none of laws of counts."""
    if family.support.discrete or family.observation.columns != 1:
        return ()
    values = np.unique([value for value in family.breaks if np.isfinite(value)])
    values = values[family.contains(values)]
    if not len(values):
        return ()
    dense = np.broadcast_to(family.densities(family.statistics(values)), values.shape)
    return tuple(float(value) for value in values[dense == 0.0])
