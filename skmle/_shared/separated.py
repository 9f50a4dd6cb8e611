"""What runs off in a fit without a maximum, as users see it: by names, signs and row numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skmle._engine.problem import Coefs, Fit
from skmle._engine.verdict import BOUNDARY

Array = NDArray[np.float64]

# Row numbers that a fitted model keeps, at most: 1000 of them take 8 kB. Chosen, not measured.
_KEPT = 1000
_SHOWN = 3  # rows that a message names, at most; chosen for reading
# Share of the largest change of a coefficient that is rounding, where classes are centred.
_ROUNDING = 1e-9


def separated_of(
    fit: Fit,
    parameters: Sequence[Hashable],
    names: Sequence[Sequence[str]],
    mask: NDArray[np.bool_] | None,
) -> Bunch:
    """Return the attribute `separated_` of a fit.

    Parameters
    ----------
    fit : Fit
    parameters : sequence of hashable
        The parameters of a regression, or the classes: one, or all K, of which the engine has
        fitted all but the last.
    names : sequence of sequence of str
        For each, the names of its slopes.
    mask : ndarray of bool, optional
        Which of the user's rows were fitted; None: all.
    """
    if fit.separated is None:
        return Bunch(columns={}, rows=np.zeros(0, np.intp), n_rows=0)
    columns = {}
    way = ways(fit.separated.way, len(parameters))
    for parameter, own, (slopes, intercept) in zip(parameters, names, way, strict=True):
        labelled = [*zip(own, slopes, strict=True), ("intercept", intercept)]
        moving = {name: float(np.sign(w)) * np.inf for name, w in labelled if w != 0.0}
        if moving:
            columns[parameter] = moving
    rows = numbers_of(fit, mask)
    return Bunch(columns=columns, rows=rows[:_KEPT].copy(), n_rows=len(rows))


def numbers_of(fit: Fit, mask: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """Return the numbers of the rows that are predicted perfectly, among those of the user."""
    assert fit.separated is not None
    rows = fit.separated.rows
    return rows if mask is None else np.flatnonzero(mask)[rows]


def ways(way: Coefs, count: int) -> list[tuple[Array, float]]:
    """Return the directions of `count` parameters, or those of all classes, centred."""
    if len(way) == count:
        return [(slopes, intercept) for slopes, intercept in way]
    table = np.array([np.append(slopes, intercept) for slopes, intercept in way])
    table = np.vstack([table, np.zeros((1, table.shape[1]))])
    table -= table.mean(axis=0)
    table[np.abs(table) <= _ROUNDING * np.abs(table).max()] = 0.0
    return [(row[:-1], float(row[-1])) for row in table]


def beyond(fit: Fit, count: int) -> list[Array] | None:
    """Return what to add to the coefficients so that they show where they run to.

    It is infinite for those that run off, nan for others that the rest of the rows leaves open, and
    zero for all that are known; slopes, then intercept. None is returned if nothing runs off.
    """
    if fit.separated is None:
        return None
    loose = [np.append(slopes, intercept) for slopes, intercept in fit.separated.loose]
    if len(loose) < count:
        loose = [np.any(loose, axis=0)] * count
    result = []
    for unknown, (slopes, intercept) in zip(loose, ways(fit.separated.way, count), strict=True):
        runs = np.append(slopes, intercept)
        with np.errstate(invalid="ignore"):
            result.append(np.where(runs != 0.0, runs * np.inf, np.where(unknown, np.nan, 0.0)))
    return result


def rows_in_words(fit: Fit, y: Any, mask: NDArray[np.bool_] | None) -> str:
    """Return which rows are certain, with their outcome if they have the same; "" if none is.

    `y` has the outcomes of the rows that were fitted.
    """
    if fit.separated is None:
        return ""
    numbers = numbers_of(fit, mask)
    if not len(numbers):
        return ""
    listed = ", ".join(f"row {number}" for number in numbers[:_SHOWN])
    first = "" if len(numbers) <= _SHOWN else "first: "
    count = f"{len(numbers)} row{'s' if len(numbers) > 1 else ''} ({first}{listed})"
    outcomes = np.asarray(y)[fit.separated.rows]
    same = outcomes.ndim == 1 and bool((outcomes == outcomes[0]).all())
    value = f" with y = {_short(outcomes[0])}" if same else ""
    if fit.verdict.status == BOUNDARY:
        return count
    return f"{count}{value} {'are' if len(numbers) > 1 else 'is'} predicted perfectly"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
