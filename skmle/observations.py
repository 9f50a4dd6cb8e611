"""Observations of which less than a number is known, in the form that families take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["censored"]

_SHOWN = 5  # rows named in a message


def censored(
    time: ArrayLike | None = None,
    event: ArrayLike | None = None,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    exit: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return rows [lower, upper] of observations of which only an interval is known.

    With `entry` or `exit` they are rows [lower, upper, entry, exit].

    `skmle.families.Censored` takes such rows, as y of a regression or X of a density. Ends that are
    equal are an exact observation; -inf or inf leaves a side open. The rows can be split, shuffled
    and sliced like any array.

    Parameters
    ----------
    time : array-like of shape (n,), optional
        Times or measurements.
    event : array-like of shape (n,), optional
        With `time`: 1 or True where it is exact, 0 or False where nothing had happened yet
        (censored on the right). Default: all are exact.
    lower, upper : float or array-like of shape (n,), optional
        With `time`, the limits of what could be measured: a value at or below `lower` is only known
        to lie below it, and one at or above `upper` only to lie above. Without `time`, the ends of
        the intervals themselves; one that is not given leaves its side open.
    entry, exit : float or array-like of shape (n,), optional
        The ends of what could be seen at all: a value at or below `entry`, such as a life that
        ended before its study began, or above `exit` would not be among the data.

    Returns
    -------
    ndarray of shape (n, 2), or (n, 4) with `entry` or `exit`

    Raises
    ------
    ValueError
        If shapes do not fit, an entry is NaN, an event is neither 0 nor 1, or a lower end is above
        its upper end.

    See Also
    --------
    skmle.families.Censored : The law of such observations.

    Examples
    --------
    >>> from skmle import censored
    >>> censored([2.0, 5.0, 5.0], event=[1, 0, 0])
    array([[ 2.,  2.],
           [ 5., inf],
           [ 5., inf]])
    >>> censored([0.3, -1.2, 4.0], lower=0.0)  # a measurement below the limit of detection
    array([[ 0.3,  0.3],
           [-inf,  0. ],
           [ 4. ,  4. ]])
    >>> censored(lower=[1.0, 2.0], upper=[2.0, 2.0])
    array([[1., 2.],
           [2., 2.]])
    >>> censored([3.0, 5.0], event=[1, 0], entry=[1.0, 2.0])  # seen from 1 and from 2 on
    array([[ 3.,  3.,  1., inf],
           [ 5., inf,  2., inf]])
    """
    given = {"time": time, "event": event, "lower": lower, "upper": upper}
    given |= {"entry": entry, "exit": exit}
    arrays = {name: _numbers(name, value) for name, value in given.items() if value is not None}
    if time is None and (event is not None or not {"lower", "upper"} & set(arrays)):
        found = "event was given without time" if event is not None else "nothing was given"
        raise ValueError(
            f"censored: {found}. Allowed: time, with event, lower and upper as needed, or lower "
            "and upper alone. Give time."
        )
    n = max(np.size(values) for values in arrays.values())
    wrong = {name: v.shape for name, v in arrays.items() if v.shape not in ((), (n,))}
    if wrong or all(values.ndim == 0 for values in arrays.values()):
        name, shape = next(iter(wrong.items()), (next(iter(arrays)), ()))
        raise ValueError(
            f"censored: {name} has shape {shape}. Allowed: ({n},), one value a row; for limits "
            "also one number for all rows. Mend the shape."
        )
    rows = _intervals(arrays, n) if time is None else _measured(arrays, n)
    return rows if entry is None and exit is None else _seen(rows, arrays)


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    kind = np.asarray(values).dtype.kind
    if kind in "mM" or isinstance(values, np.ma.MaskedArray):
        what = "is a masked array" if kind not in "mM" else "holds dates or durations"
        raise ValueError(
            f"censored: {name} {what}, whose meaning as a number is not clear. Allowed: numbers. "
            "Divide by a unit, as by numpy.timedelta64(1, 'D'), or fill in what is masked."
        )
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        first = np.ravel(np.asarray(values, object))[0]
        raise ValueError(
            f"censored: {name} is not made of numbers, as {first!r}. "
            "Allowed: numbers; for events 0, 1, False and True. Convert it."
        ) from None
    bad, allowed = np.isnan(numbers), "numbers, -inf and inf"
    if name == "event":
        bad, allowed = ~np.isin(numbers, (0.0, 1.0)), "0 (censored) and 1 (exact)"
    if name == "time":
        bad, allowed = ~np.isfinite(numbers), "finite numbers"
    if bad.any():
        raise ValueError(f"censored: {name} {_rows(bad, numbers)}. Allowed: {allowed}. Mend them.")
    return numbers


def _rows(bad: NDArray[np.bool_], values: NDArray[Any]) -> str:
    """Return which entries are bad, counted, with the first of them."""
    if not bad.ndim:
        return f"is {values}"
    index = np.flatnonzero(bad)
    shown = ", ".join(f"row {i}: {values[i]:g}" for i in index[:_SHOWN])
    more = ", ..." if len(index) > _SHOWN else ""
    return f"holds in {len(index)} of {len(bad)} rows what it must not ({shown}{more})"


def _intervals(arrays: dict[str, NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    return np.column_stack(_limits(arrays, n))


def _limits(
    arrays: dict[str, NDArray[np.float64]], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and the upper limit of each row, infinite where none is given."""
    low = np.broadcast_to(arrays.get("lower", np.float64(-np.inf)), (n,))
    high = np.broadcast_to(arrays.get("upper", np.float64(np.inf)), (n,))
    crossed = low > high
    if crossed.any():
        i = int(np.argmax(crossed))
        raise ValueError(
            f"censored: lower > upper in {int(crossed.sum())} of {n} rows (first: row {i}: "
            f"[{float(low[i])!r}, {float(high[i])!r}]). Allowed: lower <= upper. Exchange or mend "
            "them."
        )
    return low, high


def _measured(arrays: dict[str, NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    time = np.broadcast_to(arrays["time"], (n,))
    low, high = time.astype(float), time.astype(float)
    if "event" in arrays:
        high = np.where(np.broadcast_to(arrays["event"], (n,)) == 1.0, high, np.inf)
    least, most = _limits(arrays, n)
    below, above = time <= least, time >= most
    low, high = np.where(below, -np.inf, low), np.where(below, least, high)
    low, high = np.where(above, most, low), np.where(above, np.inf, high)
    return np.column_stack([low, high])


def _seen(rows: NDArray[np.float64], arrays: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the rows with the ends of what could be seen of each, which they have to meet."""
    n = len(rows)
    first = np.broadcast_to(arrays.get("entry", np.float64(-np.inf)), (n,))
    last = np.broadcast_to(arrays.get("exit", np.float64(np.inf)), (n,))
    exact = rows[:, 0] == rows[:, 1]
    # An interval may reach beyond the ends, a value may not.
    unseen = (first >= last) | (rows[:, 1] <= first) | np.where(exact, False, rows[:, 0] >= last)
    unseen |= exact & (rows[:, 0] > last)
    if unseen.any():
        i = int(np.argmax(unseen))
        raise ValueError(
            f"censored: {int(unseen.sum())} of {n} rows could not have been seen (first: row {i}: "
            f"{rows[i].tolist()} from entry {float(first[i])!r} to exit {float(last[i])!r}). "
            "Allowed: entry < exit, with the value, or a part of the interval, between them. Mend "
            "them, or leave them out."
        )
    return np.column_stack([rows, first, last])
