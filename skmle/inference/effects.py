"""Effects of the columns of X on what a model predicts, averaged over rows, with their errors.

An effect is a derivative or a difference of predictions, in the columns as the user has them: the
column is changed before it enters the pipeline. It is a function of the coefficients like any
other, so that its errors are those of the delta method. The copies of the rows pass the pipeline
once, as their way through it depends on no coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmle.inference.changes import SLOPES, Change, change_of, column_of_level, is_slope
from skmle.inference.estimates import (
    Model,
    all_determined,
    check_determined,
    checked_numbers,
    value_and_root,
)
from skmle.inference.frames import (
    checked_frame,
    column_names,
    column_of,
    levels_of,
    numbers_of,
    rows_of,
    with_column,
)
from skmle.inference.predictors import as_matrix, root_by_predictors
from skmle.inference.quantities import Quantity, quantity_of
from skmle.inference.show import offered
from skmle.inference.straight import ByPredictors

Array = NDArray[np.float64]


class Effects(NamedTuple):
    """Effects, m of them, one below the other."""

    value: Array
    root: Array
    """A root of their covariance, (m, d)."""
    components: list[str]
    terms: list[str]
    contrasts: list[str]
    words: str


def effects_of(
    model: Model,
    X: Any,
    columns: Sequence[Hashable] | None,
    of: Any,
    at: Any,
    slope: str,
    change: Mapping[Hashable, Any],
    sample_weight: ArrayLike | None,
    beside: Mapping[str, ArrayLike],
) -> Effects:
    """Return the effects of columns; the parameters are those of `Inference.effects`.

    Raises
    ------
    ValueError
        If a setting is not known, or has no meaning for these columns.
    """
    X = checked_frame(X, "effects")
    if slope not in SLOPES:
        raise ValueError(
            f"effects: slope={slope!r} is not known. Allowed: {', '.join(map(repr, SLOPES))}. "
            "Choose one of them."
        )
    names = column_names(X)
    if columns is None:
        columns = names
    columns = [columns] if isinstance(columns, str) else list(columns)
    _check_known([*columns, *change, *(at if isinstance(at, Mapping) else [])], names)
    quantity = quantity_of(model.at(model.coefs), of, "effects")
    weight = _shares(sample_weight, X.shape[0])
    found: list[Effects] = []
    for place, rows, share in _places(X, at, weight):
        shown = {k: _broadcast(v, X.shape[0], share is not weight) for k, v in beside.items()}
        parts, relative = [], slope[0] == "e"
        # Asked for by the first slope, for all.
        chain = lru_cache(maxsize=1)(partial(_chain, model, quantity, rows, relative, shown))
        for name in columns:
            one = change_of(rows, X, name, slope, change.get(name), share)
            parts.append((one, *_effect(model, quantity, rows, one, relative, shown, chain)))
        found.append(_listed(parts, quantity, place))
    return Effects(
        np.concatenate([one.value for one in found]),
        np.concatenate([one.root for one in found]),
        [name for one in found for name in one.components],
        [name for one in found for name in one.terms],
        [name for one in found for name in one.contrasts],
        quantity.words,
    )


def _chain(
    model: Model, quantity: Quantity, rows: Any, relative: bool, beside: Mapping[str, Array]
) -> ByPredictors | None:
    """Return predictions as a function of linear predictors, which slopes share.

    None is returned where they are none or move otherwise, too, or the data do not determine all
    coefficients.
    """
    if not model.straight:
        return None
    arrived = model.arriving(rows)
    matrix = as_matrix(arrived)
    moving = None if model.moving is None else model.moving(arrived, beside)
    if not isinstance(matrix, np.ndarray) or moving is None or not all_determined(model):
        return None
    return ByPredictors(_moved(quantity, moving, relative), model, matrix)


def _moved(
    quantity: Quantity, moving: Callable[[Sequence[float]], Any], relative: bool
) -> Callable[[Sequence[float]], Array]:
    """Return the quantity, or its logarithm, as a function of what is added to predictors."""

    def moved(shifts: Sequence[float]) -> Array:
        with np.errstate(all="ignore"):  # what is not finite is refused
            y = quantity.read(moving(shifts))
            y = np.log(y) if relative else y
        return checked_numbers(y, "effects").reshape(y.shape)

    return moved


def _effect(
    model: Model,
    quantity: Quantity,
    rows: Any,
    change: Change,
    relative: bool,
    beside: Mapping[str, Array],
    chain: Callable[[], ByPredictors | None],
) -> tuple[Array, Array]:
    """Return the effects of a change of a column, (m, k), and a root of them, (m, k, d)."""
    n = rows.shape[0]
    repeated = rows_of(rows, np.tile(np.arange(n), change.copies))
    arrived = model.arriving(with_column(repeated, change.name, change.values))
    tiled = {name: np.tile(values, change.copies) for name, values in beside.items()}

    def values(at: Any) -> Array:
        y = quantity.ask(at, arrived, tiled)
        return np.log(y) if relative else y

    def function(at: Any) -> Array:
        return change.read(values(at))

    matrix = as_matrix(arrived)
    if is_slope(change.labels[0]) and (shared := chain()) is not None:
        value, root = shared.effect(change.arriving(matrix))
        return value[None], root[None]
    moving = None if model.moving is None else model.moving(arrived, tiled)
    if matrix is None or moving is None:
        whole, _, root = value_and_root(function, model, "effects")
        return whole, root.reshape(*whole.shape, -1)

    moved = _moved(quantity, moving, relative)
    whole = change.read(moved([0.0] * len(model.parts)))
    check_determined(function, model, whole.ravel(), "effects")
    return whole, root_by_predictors(moved, change.read_slopes, model, matrix)


def _listed(
    parts: Sequence[tuple[Change, Array, Array]], quantity: Quantity, place: str
) -> Effects:
    """Return the effects of all columns, class by class."""
    value = np.concatenate([value for _, value, _ in parts])  # (m, k)
    root = np.concatenate([root for *_, root in parts])
    k = value.shape[1]
    given = quantity.components if len(quantity.components) == k else range(k)
    components = [", ".join(filter(None, [place, str(name)])) for name in given]
    labels = [(_term(one.name), label) for one, *_ in parts for label in one.labels]
    return Effects(
        value.T.ravel(),
        np.moveaxis(root, 1, 0).reshape(value.size, -1),
        [name for name in components for _ in labels],
        [term for term, _ in labels] * k,
        [label for _, label in labels] * k,
        quantity.words,
    )


def _term(name: Hashable) -> str:
    """Return the name of a column; those without are called as in tables of coefficients."""
    return f"x{name}" if isinstance(name, int) else str(name)


def _places(X: Any, at: Any, weight: Array) -> Iterator[tuple[str, Any, Array]]:
    """Yield (words, rows, shares of the rows) for each place at which effects are taken."""
    if at is None:
        yield "", X, weight
    elif isinstance(at, Mapping):
        lists = [v if isinstance(v, (list, tuple, np.ndarray)) else [v] for v in at.values()]
        for values in product(*lists):
            rows = X
            for name, value in zip(at, values, strict=True):
                rows = with_column(rows, name, _constant(X, name, value))
            words = [f"{_term(name)} = {value}" for name, value in zip(at, values, strict=True)]
            yield ", ".join(words), rows, weight
    elif isinstance(at, str) and at in ("mean", "median"):
        yield "", _representative(X, at, weight), np.ones(1)
    else:
        raise ValueError(
            f"effects: at={at!r} is not known. Allowed: None for the average over rows, 'mean', "
            "'median', or values of columns such as {'age': [30, 60]}. Choose one."
        )


def _constant(X: Any, name: Hashable, value: Any) -> Any:
    """Return a column with one value in all rows."""
    column = column_of(X, name)
    if numbers_of(column) is not None:
        try:
            return np.full(X.shape[0], float(value))
        except (TypeError, ValueError):
            raise ValueError(
                f"effects: at has {value!r} for the column {name!r}, which holds numbers. Allowed: "
                "a number, or a list of them. Give one."
            ) from None
    levels = levels_of(column)
    if value not in levels:
        raise ValueError(
            f"effects: at has {value!r}, which is no level of the column {name!r}. Allowed: "
            f"{', '.join(map(repr, list(levels)[:8]))}, which X has. Give one of them."
        )
    return column_of_level(column, np.full(X.shape[0], levels[value]))


def _representative(X: Any, at: str, weight: Array) -> Any:
    """Return one row: numbers at their mean or median, levels at the most frequent."""
    if at == "median" and not np.all(weight == weight[0]):
        raise ValueError(
            "effects: at='median' with weights that differ. Allowed: 'mean', or no weights. Give "
            "the row at which effects are wanted as X."
        )
    row = rows_of(X, np.zeros(1, np.intp))
    for name in column_names(X):
        column = column_of(X, name)
        values = numbers_of(column)
        if values is not None:
            middle = weight @ values if at == "mean" else np.median(values)
            row = with_column(row, name, np.array([middle]))
            continue
        entries = np.asarray(column, object)
        levels = levels_of(column)
        if levels:
            often = max(levels, key=lambda level: float(weight[entries == level].sum()))
            taken = column_of_level(column, np.array([levels[often]]))
            row = with_column(row, name, taken)
    return row


def _shares(sample_weight: ArrayLike | None, n: int) -> Array:
    """Return the share of each row in an average."""
    if sample_weight is None:
        return np.full(n, 1.0 / n)
    weight = np.asarray(sample_weight, float)
    allowed = weight.shape == (n,) and np.isfinite(weight).all() and (weight >= 0.0).all()
    if not allowed or not weight.any():
        raise ValueError(
            f"effects: sample_weight of shape {weight.shape} for {n} rows. Allowed: a weight for "
            "each row, none negative, not all zero. Mend it, or leave it out."
        )
    return np.asarray(weight / weight.sum())


def _broadcast(values: ArrayLike, n: int, one_row: bool) -> Array:
    """Return what is given beside X for the rows at which effects are taken."""
    given = np.broadcast_to(np.asarray(values, float), (n,))
    if one_row and not (given == given[0]).all():
        raise ValueError(
            "effects: an offset or exposure that differs between rows, at one representative row. "
            "Allowed: one number for it. Give that number."
        )
    return given[:1] if one_row else given


def _check_known(asked: Sequence[Hashable], names: Sequence[Hashable]) -> None:
    unknown = [name for name in asked if name not in names]
    if unknown:
        have = offered(str(unknown[0]), [str(name) for name in names])
        raise ValueError(f"effects: X has no column {unknown[0]!r}. Allowed: {have}")
