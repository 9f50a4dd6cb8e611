"""Which parameters of a user's law are locations and scales, as the values of its function show.

A law whose location and scale are known is fitted in units of the data, starts at least squares,
and is seen to have no maximum where the location reproduces every observation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from skmle.families.records import Array, Arrays, Param
from skmle.families.tools.location_scale import SPREAD_SIGNS
from skmle.families.tools.quantiles import centre_and_spread

Value = Callable[[Array, Arrays], Array]
"""-log q of rows y at chart eta."""

_ENOUGH = 256  # rows on which all units are tried; those that fit are tried on all rows
_MOST = 4  # parameters of a law of which units are looked for: up to 81 ways; chosen
# Units beside those of the data, in which all must hold as well: generic numbers.
_AWAY, _WIDER, _ASIDE = 0.3, 1.7, 0.37
# By how much two values may differ, as a share of their size, and how many roundings of y in units
# of its spread they may differ by besides. Chosen, not measured.
_SAME, _ROUNDINGS = 1e-8, 100.0


def units_seen(
    value: Value, parameters: Sequence[Param], y: Array, start: Sequence[float]
) -> tuple[str, ...]:
    """Return `Param.unit` of each parameter of a law on the real line; () if none are seen.

    They are those with which the density of (y - origin)/unit is that of y times the unit, for
    all of the data in their own units, and in others.
    """
    choices = [_choices(param) for param in parameters]
    if len(choices) > _MOST or not len(y):
        return ()
    origin, unit = centre_and_spread(y, None)
    others = (origin + _AWAY * unit, _WIDER * unit)
    some = y[:: -(-len(y) // _ENOUGH)]
    for units in product(*choices):
        if "location" not in units or not set(units) & set(SPREAD_SIGNS):
            continue
        if all(
            _holds(value, units, rows, eta, to)
            for rows in (some, y)
            for eta in _places(parameters, start, unit)
            for to in ((origin, unit), others)
        ):
            return units
    return ()


def _choices(param: Param) -> tuple[str, ...]:
    if param.chart.name == "identity":
        return "location", ""
    return ("scale", "rate", "") if param.chart.name == "log" else ("",)


def _places(parameters: Sequence[Param], start: Sequence[float], unit: float) -> list[Array]:
    """Return where the law is looked at: at its start, and aside of it."""
    eta = np.asarray(start, float)
    aside = [_ASIDE * (unit if param.chart.name == "identity" else 1.0) for param in parameters]
    return [eta, eta + np.array(aside)]


def _holds(
    value: Value, units: Sequence[str], y: Array, eta: Array, to: tuple[float, float]
) -> bool:
    """Return whether -log q changes by the logarithm of the unit, and by nothing else."""
    origin, unit = to
    log_unit = float(np.log(unit))
    moved = [
        (e - origin) / unit if own == "location" else e - SPREAD_SIGNS.get(own, 0.0) * log_unit
        for own, e in zip(units, eta, strict=True)
    ]
    with np.errstate(all="ignore"):  # far out in the tails
        here = value(y, tuple(map(np.asarray, eta))) - log_unit
        there = value((y - origin) / unit, tuple(map(np.asarray, moved)))
        rounding = np.finfo(float).eps * float(np.max(np.abs(y))) / unit
        allowed = (_SAME + _ROUNDINGS * rounding) * (1.0 + np.abs(here))
        near = np.abs(here - there) <= allowed
    return bool(np.all(near | (here == there)) and np.isfinite(here).any())
