"""What is asked of a user's log-probability before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from skmle.families.records import Array
from skmle.families.tools.by_tables import SAME
from skmle.families.tools.traced import double_precision

if TYPE_CHECKING:
    from skmle.families.from_log_prob import FromLogProb

_CHECKED = 5  # rows that are compared one by one with all at once


def check_log_prob(
    family: FromLogProb, function: Callable[..., Any], y: Array
) -> tuple[float, ...]:
    """Return the start of constant eta for observations y, if the function is right there.

    Raises
    ------
    ValueError
        If the function is no log-probability of rows.
    """
    what = family.named
    some, support = y[:_CHECKED], family.support
    theta = tuple(param.chart.theta(np.zeros(())) for param in family.parameters)
    try:
        with np.errstate(all="ignore"):
            shape = np.asarray(function(some, *theta), float).shape
    except Exception as error:
        raise ValueError(
            f"{what}: the function failed on y of shape {some.shape} ({type(error).__name__}: "
            f"{error}). Allowed: log_prob(y, {', '.join(family.names)}) of arrays and numbers. "
            "Write it with numpy's functions."
        ) from error
    if shape != some.shape:
        raise ValueError(
            f"{what}: the function returned an array of shape {shape} for y of shape "
            f"{some.shape}. Allowed: one value a row. Do not add the rows up."
        )
    start = family.starts((y,), None)[0]
    pairs = zip(family.parameters, start, strict=True)
    theta = tuple(param.chart.theta(np.asarray(e)) for param, e in pairs)
    shown = family.shown(theta)
    with double_precision():
        values = np.asarray(function(some, *theta), float)
        each = [np.asarray(function(y_i, *theta), float) for y_i in some[:, None]]
    alone = np.array(each)
    if not np.allclose(alone.ravel(), values, rtol=1e-9, atol=1e-12, equal_nan=True):
        raise ValueError(
            f"{what}: the value of a row depends on the other rows. Allowed: a function of "
            "each row alone. Take out what is computed from all of y."
        )
    if not np.isfinite(values).any():
        raise ValueError(
            f"{what}: the function is not finite for any of the first {len(some)} rows with "
            f"{shown}, the best that coarse grids found. Allowed: finite values inside the "
            "support. Mend the function or the support, or give start=."
        )
    total = family.table(theta).total
    if not abs(total - 1.0) < SAME:
        kind = "sum" if support.discrete else "integral"
        raise ValueError(
            f"{what}: the {kind} of exp(log_prob) over the support ({support}) is "
            f"{total:.6g} with {shown}. Allowed: 1. {_narrower(family, y)}Add the constant that "
            "is missing, or mend the support."
        )
    return start


def _narrower(family: FromLogProb, y: Array) -> str:
    """Return, as a sentence, the support that observations suggest where none was given."""
    if family.where != "real":
        return ""
    low, high = float(y.min()), float(y.max())
    if (y == np.floor(y)).all():
        name = "integers" if low < 0.0 else "counts"
    elif low < 0.0:
        return ""
    else:
        name = "nonnegative" if low == 0.0 else "unit" if high < 1.0 else "positive"
    return f"These y look like support={name!r}: say so if they are. "
