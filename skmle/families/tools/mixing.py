"""Mixtures: their rows, the runs of expectation and maximisation, and parts that shrink."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmle.families.algebra import beside, mix
from skmle.families.records import Array, Arrays, Rows
from skmle.families.tools.location_scale import SPREAD_SIGNS
from skmle.families.tools.shares import (
    blocks,
    by_rounds,
    first_guesses,
    share,
    sticks,
)

if TYPE_CHECKING:
    from skmle.families.base import Family

Part = tuple["Family", Array, Arrays]
"""A family, its base for each row, infinite outside its support, and its statistics."""
Run = tuple[float, list[tuple[float, ...]], Array]
"""The mean log-likelihood, the eta of each part, and the shares."""

_MOST_ROWS = 4096  # rows on which starts are looked for
_KEPT = 3  # runs that are kept
# Log-odds of the part that a row most likely comes from, above which the row may be of this part as
# well: a thousandth. Chosen, not measured.
_MEMBER = -7.0
# Absolute eta of a start of few rows, of which a scale or a mean may be zero. Chosen, not measured.
_FARTHEST = 30.0
_FEWEST = 3.0  # rows that a part needs beside those that its parameters take up


def mixed(rows: Sequence[Rows], logits: Arrays, order: int) -> Rows:
    """Return the rows of a mixture from those of its parts.

    Its etas are those of the parts, and then `logits`, those of the share that each part but the
    last takes of what the parts before it leave.
    """
    sizes = [len(row.gradient or ()) for row in rows]
    first, parts, start = sum(sizes), [], 0
    for c, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        shares = [share(logit, j == c, order) for j, logit in enumerate(logits[: c + 1])]
        index = [*range(start, start + size)]
        index += [first + j for j in range(min(c + 1, len(logits)))]
        parts.append((reduce(beside, shares, row), index))
        start += size
    return mix(parts, first + len(logits), order=order)


def best_runs(parts: Sequence[Part], y: Array, weight: Array | None) -> list[Run]:
    """Return the ends of the best runs of expectation and maximisation, the best first.

    They begin with several guesses. Runs in which a part that has a density shrinks to less rows
    than it needs are left out, so that there may be none.
    """
    some = slice(None, None, -(-len(y) // _MOST_ROWS))
    y = y[some]
    parts = [(part, base[some], tuple(e[some] for e in own)) for part, base, own in parts]
    each = np.ones(len(y)) if weight is None else weight[some]
    row = _weight_of_a_row(y, each)

    def maximise(weighted: Array) -> list[tuple[float, ...]] | None:
        found = []
        for (part, base, own), column in zip(parts, weighted.T, strict=True):
            at = np.flatnonzero((column > 0.0) & np.isfinite(base))
            taken = column[at]
            few = row * (_FEWEST + len(part.parameters)) * (taken**2 / each[at]).sum()
            shrunk = taken.sum() ** 2 < few and not part.support.discrete
            if not len(at) or shrunk:
                return None
            start = part.rough_start(tuple(entry[at] for entry in own), taken)
            if not np.isfinite(start).all():
                return None
            found.append(start)
        return found

    def logs(eta: list[tuple[float, ...]]) -> Array:
        pairs = zip(parts, eta, strict=True)
        return np.column_stack([_log(part, tuple(map(np.asarray, e))) for part, e in pairs])

    with np.errstate(all="ignore"):
        guesses = first_guesses(y, each, len(parts))
        runs = [by_rounds(guess, each, maximise, logs) for guess in guesses]
    return sorted((run for run in runs if run is not None), key=lambda run: -run[0])[:_KEPT]


def _weight_of_a_row(y: Array, weight: Array) -> float:
    """Return what counts as one row: the usual weight of a value, all rows that have it together.

    So a weight counts as so many equal rows, and other units of the weights change nothing.
    """
    _, code = np.unique(y, return_inverse=True)
    return float(np.median(np.bincount(code, weights=weight)))


def start_of_few(
    parts: Sequence[Part], y: Array, weight: Array | None, title: str
) -> tuple[float, ...]:
    """Return a start where rows are too few, or too much alike, for a part each.

    Each part starts from a stretch of the rows in their order, or from all. What comes of it is
    told by the verdict: parts shrink to single values, or are the same.
    """
    each = np.ones(len(y)) if weight is None else weight
    count = max(len(y), int(each.sum()))
    if count < len(parts):
        raise ValueError(
            f"{title}: {count} sample{'s are' if count > 1 else ' is'} too few for {len(parts)} "
            "parts. Allowed: a row a part at least. Choose fewer parts."
        )
    found: list[float] = []
    block, everything = blocks(y, each, len(parts)), np.arange(len(y))
    for c, part in enumerate(parts):
        stretch = np.flatnonzero(block == c)
        starts = (_start_of_part(part, at, each) for at in (stretch, everything))
        start = next((start for start in starts if not np.isnan(start).any()), None)
        if start is None:
            raise ValueError(
                f"{title}: {len(y)} rows are too few, or too much alike, for {len(parts)} parts. "
                "Allowed: several different rows a part. Choose fewer parts."
            )
        found += np.clip(start, -_FARTHEST, _FARTHEST).tolist()
    return (*found, *sticks(np.full(len(parts), 1.0 / len(parts))))


def _start_of_part(part: Part, rows: NDArray[np.intp], weight: Array) -> tuple[float, ...]:
    """Return the start of a part from those of some rows that it may have; nan if there is none."""
    family, base, own = part
    at = rows[np.isfinite(base[rows]) & (weight[rows] > 0.0)]
    if not len(at):
        return (np.nan,)
    with np.errstate(all="ignore"):
        return family.starts(tuple(entry[at] for entry in own), weight[at])[0]


def _log(part: Part, eta: Arrays) -> Array:
    """Return log q of each row under one part."""
    family, base, own = part
    return -(family.evaluate(own, eta, 0).value + base)


def shrunk_part(
    parts: Sequence[Part], y: Array, each: Sequence[Arrays], weights: Sequence[Array]
) -> tuple[str, str] | None:
    """Return the parameter of the part that has shrunk to a single value, and why; else None."""
    triples = zip(parts, each, weights, strict=True)
    logs = np.broadcast_arrays(*(np.log(w) + _log(part, eta) for part, eta, w in triples))
    top = np.maximum.reduce(logs)
    for c, ((family, _, _), log) in enumerate(zip(parts, logs, strict=True), 1):
        at = y[log - top > _MEMBER]
        shape = [param.name for param in family.parameters if param.unit in SPREAD_SIGNS]
        if shape and len(at) and np.all(at == at[0]):
            why = (
                f"part {c} shrinks to one value, that of {len(at)} of the {len(y)} rows, where its "
                "density grows without bound"
            )
            return f"{shape[0]}_{c}", why
    return None
