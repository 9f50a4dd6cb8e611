"""What is changed in a column to see its effect: its slope, or a step from one level to another.

The effect is read off copies of the rows, in each of which the column has other values: a sum over
pairs of copies and over rows of r (y_ahead - y_behind). Copies in which y is the same give zero
exactly.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmle.inference.frames import column_of, is_binary, levels_of, numbers_of

Array = NDArray[np.float64]

# d and e stand for a change and for a relative one, of y and of x.
SLOPES = {"dydx": "dy/dx", "eydx": "ey/dx", "dyex": "dy/ex", "eyex": "ey/ex"}

# Steps of the differences in x, in standard deviations of the column, where they balance: with a
# predictor that moves by c in one of these, the rule of order 6 errs by (_STEP * c)^6/140, below
# 1e-9 up to c = 20, and rounding by 1e-16/(_STEP * c).
_STEP = 2e-3
# Each pair's share of the slope in central differences of order 6 (Fornberg 1988).
_PLACES, _SHARES = (1, 2, 3), (1.5, -0.6, 0.1)


class Change(NamedTuple):
    """Changes of one column: copies of the rows, and what is read off them.

    There are c copies of n rows, p pairs of copies and m effects.
    """

    name: Hashable
    labels: list[str]
    """What changes, for each of the m effects."""
    values: Any
    """The column in all copies, one below the other."""
    pairs: list[tuple[int, int]]
    """The copies (ahead, behind) of each pair."""
    rows: Array
    """Factors of the differences, (p, n)."""
    effects: Array
    """Which pairs make each effect, (m, p)."""
    copies: int

    def read(self, y: Array) -> Array:
        """Return the effects, (m, k), by k values of each row of each copy, (c n, k)."""
        y = y.reshape(self.copies, -1, y.shape[-1])
        ahead, behind = np.array(self.pairs).T
        sums = np.einsum("pn,pnk->pk", self.rows, y[ahead] - y[behind])
        return self.effects @ sums

    def arriving(self, x: Array) -> Array:
        """Return what the effect is of the rows themselves, each by itself, (n, q).

        `x` holds the copies as they arrive at the model, (c n, q).
        """
        x = x.reshape(self.copies, -1, x.shape[-1])
        pairs = zip(self.pairs, self.rows, self.effects[0], strict=True)
        return sum(share * row[:, None] * (x[a] - x[b]) for (a, b), row, share in pairs)

    def read_slopes(self, z: Array, x: Any) -> Array:
        """Return the slopes of the effects in q coefficients, (m, k, q).

        Parameters
        ----------
        z : ndarray of shape (c n, k)
            Slopes of the values in a linear predictor.
        x : array or sparse array of shape (c n, q)
            What each coefficient is multiplied by in it.
        """
        n = self.rows.shape[1]

        def product(copy: int, row: Array) -> Array:
            part = slice(copy * n, (copy + 1) * n)
            return np.asarray((row[:, None] * z[part]).T @ x[part])

        # The same product for the same copies: what is alike gives zero exactly.
        pairs = zip(self.pairs, self.rows, strict=True)
        each = np.array([product(a, row) - product(b, row) for (a, b), row in pairs])
        return np.tensordot(self.effects, each, axes=1)


def is_slope(label: str) -> bool:
    """Return whether the label of a change is that of a slope."""
    return label in SLOPES.values()


def change_of(
    X: Any, all_rows: Any, name: Hashable, slope: str, wanted: Any, weight: Array
) -> Change:
    """Return the changes of a column.

    Parameters
    ----------
    X : frame
        The rows at which the effect is taken.
    all_rows : frame
        Those that tell of which kind the column is, and how wide its values spread.
    name : hashable
    slope : str
        One of `SLOPES`.
    wanted : object
        What a user wants: None for what the column suggests, "slope", a number, a pair, or the
        level of reference.
    weight : ndarray of shape (n,)
        Those of the rows of X in the average.
    """
    column = column_of(all_rows, name)
    spread = numbers_of(column)
    if spread is None:
        return _levels(column, name, slope, wanted, weight)
    if not np.isfinite(spread).all():
        raise ValueError(
            f"effects: the column {name!r} has missing or infinite values. Allowed: finite ones, "
            "of which there is a slope. Leave these rows out."
        )
    if wanted is None:
        wanted = (0.0, 1.0) if is_binary(spread) else "slope"
    x = np.asarray(numbers_of(column_of(X, name)))
    if isinstance(wanted, str) and wanted == "slope":
        return _slope(x, name, slope, float(spread.std()), weight)
    _check_contrast(name, slope)
    if isinstance(wanted, (tuple, list)) and len(wanted) == 2:
        low, high = (np.full(len(x), _number(end, name)) for end in wanted)
        label = f"{wanted[1]:g} - {wanted[0]:g}"
    else:
        low, high = x, x + _number(wanted, name)
        label = f"{wanted:+g}"
    values = np.concatenate([low, high])
    return Change(name, [label], values, [(1, 0)], weight[None], np.ones((1, 1)), 2)


def _slope(x: Array, name: Hashable, slope: str, spread: float, weight: Array) -> Change:
    """Return the changes that give a derivative."""
    step = _STEP * (spread or float(np.abs(x).max()) or 1.0)
    ahead = [x + place * step for place in _PLACES]
    behind = [x - place * step for place in _PLACES]
    # By the steps as they were made: those of large numbers are rounded.
    factors = [
        share * weight * (x if slope.endswith("ex") else 1.0) / (a - b)
        for share, a, b in zip(_SHARES, ahead, behind, strict=True)
    ]
    many = len(_PLACES)
    pairs = [(j, many + j) for j in range(many)]
    values, rows = np.concatenate([*ahead, *behind]), np.array(factors)
    return Change(name, [SLOPES[slope]], values, pairs, rows, np.ones((1, many)), 2 * many)


def _levels(column: Any, name: Hashable, slope: str, wanted: Any, weight: Array) -> Change:
    """Return the changes from a level of reference to each other one, or from one to another."""
    _check_contrast(name, slope)
    first = levels_of(column)
    levels = list(first)
    if isinstance(wanted, (tuple, list)) and len(wanted) == 2:
        levels = [_level(level, first, name) for level in wanted]
    elif wanted is not None:
        reference = _level(wanted, first, name)
        levels = [reference, *(level for level in levels if level != reference)]
    if len(levels) < 2:
        raise ValueError(
            f"effects: the column {name!r} has one level, {levels}. Allowed: at least two. Leave "
            "it out of columns=[...]."
        )
    many, n = len(levels), len(weight)
    values = column_of_level(column, np.repeat([first[level] for level in levels], n))
    return Change(
        name,
        [f"{level} - {levels[0]}" for level in levels[1:]],
        values,
        [(j, 0) for j in range(1, many)],
        np.tile(weight, (many - 1, 1)),
        np.eye(many - 1),
        many,
    )


def column_of_level(column: Any, rows: NDArray[np.intp]) -> Any:
    """Return rows of a column, which keeps its type."""
    by_place = getattr(column, "iloc", None)  # pandas
    return column[rows] if by_place is None else by_place[rows]


def _level(level: Any, first: dict[Any, int], name: Hashable) -> Any:
    if level not in first:
        shown = ", ".join(map(repr, list(first)[:8]))
        raise ValueError(
            f"effects: {level!r} is no level of the column {name!r}. Allowed: {shown}"
            f"{', ...' if len(first) > 8 else ''}, which X has. Give one of them."
        )
    return level


def _number(value: Any, name: Hashable) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"effects: change={value!r} of the column {name!r}, which holds numbers. Allowed: "
            "'slope', a number to add, or a pair (from, to). Give one of these."
        ) from None


def _check_contrast(name: Hashable, slope: str) -> None:
    if slope.endswith("ex"):
        raise ValueError(
            f"effects: slope={slope!r}, but the column {name!r} changes from level to level and "
            "has no relative change. Allowed: 'dydx' and 'eydx' with levels. Choose columns=[...] "
            "of other numbers, or change={name: 'slope'} for zeros and ones."
        )
