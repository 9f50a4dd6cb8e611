"""One-hot columns as codes.

A group is a range of adjacent columns of which at most one is 1 in each row, all others being 0.
One number, the level, tells which one is 1. One number tells the levels of several groups, too: the
cell of their cross. Sums over rows by cell (`np.bincount`) then replace products with the columns,
which would be many times more work. Groups are proposed by some rows and then verified in all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmle._engine.evaluation import Array

Codes = NDArray[np.intp]

_CELLS = 2048  # of a cross, at most: a table of 16 kB of sums stays in the first-level cache
_JOINT_CELLS = 65_536  # of two crosses, at most: 512 kB of sums stay in the second-level cache
_FEWEST = 32  # with fewer one-hot columns, products are cheap as they are; chosen, not measured
# Entries of X' w X that a joint table must replace, at least, so that codes are used. In the time
# of one table, dense products formed 30 to 70 entries (one thread, 64 to 300 columns); the rest is
# margin for the pass that makes the codes.
_JOINT_COST = 400
_MOST_CROSSES = 16  # more take more passes over the rows than dense products; chosen, not measured


class Group(NamedTuple):
    """Adjacent one-hot columns.

    A row has level 0 if it has no 1 in them, and level i if its 1 is in the i-th of them.
    """

    first: int
    stop: int

    @property
    def levels(self) -> int:
        """Number of levels."""
        return self.stop - self.first + 1


class Cross:
    """Several groups as one code: there is a cell for each combination of their levels.

    Attributes
    ----------
    columns : ndarray of shape (q,)
        The columns of X.
    member : CSR array of shape (cells, q)
        The one-hot row of each cell.
    totals : CSR array of shape (q, cells)
        From sums by cell to sums by column: the transpose of `member`.
    pair_totals : CSR array of shape (q * q, cells)
        From sums by cell to sums of the products of two columns.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        sizes = [g.levels for g in groups]
        self.cells = _cells(groups)
        self.strides = np.cumprod([1, *sizes[:0:-1]])[::-1].astype(np.intp)
        self.levels = np.array(np.unravel_index(np.arange(self.cells), sizes))
        self.columns = np.concatenate([np.arange(g.first, g.stop) for g in groups])
        ends = np.cumsum([g.levels - 1 for g in groups])
        q = len(self.columns)
        ones = [
            np.where(level > 0, end - g.levels + level, -1)
            for g, end, level in zip(groups, ends, self.levels, strict=True)
        ]
        self.member = _indicator(ones, q)
        self.totals = self.member.T.tocsr()
        self.pair_totals = _indicator(
            [np.where((a < 0) | (b < 0), -1, a * q + b) for a in ones for b in ones], q * q
        ).T.tocsr()

    def code(self, levels: NDArray[np.intp]) -> Codes:
        """Return the cells of rows, from their levels, of shape (groups, rows)."""
        return self.strides @ levels


def _indicator(ones: Sequence[NDArray[np.intp]], width: int) -> sp.csr_array:
    """Return the array with a 1 in the given columns of each line; -1 means no column."""
    columns = np.column_stack(ones)
    lines, _ = np.nonzero(columns >= 0)
    return sp.csr_array(
        (np.ones(len(lines)), (lines, columns[columns >= 0])), shape=(len(columns), width)
    )


class Joint(NamedTuple):
    """A table of sums by the cells of two crosses, or of one and a part of the other."""

    first: int
    second: int
    part: Cross
    cell: Codes | None
    """The part's cell for each cell of the second cross; None if the part is that whole cross."""


@dataclass(frozen=True)
class Table:
    """How the columns of X are divided: crosses of groups, and the rest.

    Parameters
    ----------
    p : int
        Number of columns.
    crosses : tuple of Cross
    joints : tuple of Joint
        Tables from which the products of any two columns of different crosses follow.
    rest : ndarray of int
        Columns of no group.
    """

    p: int
    crosses: tuple[Cross, ...]
    joints: tuple[Joint, ...]
    rest: NDArray[np.intp]

    @classmethod
    def of(cls, p: int, groups: Sequence[Group]) -> Table | None:
        """Cross the groups as far as their tables stay small.

        None is returned if products with the columns are about as cheap.
        """
        lots = _packed(groups, _CELLS)
        q = sum(g.levels - 1 for g in groups)
        if q < max(_FEWEST, p / 2) or len(lots) > _MOST_CROSSES:
            return None
        pairs = [(i, j) for j in range(len(lots)) for i in range(j)]
        splits = [_packed(lots[j], _JOINT_CELLS // _cells(lots[i])) for i, j in pairs]
        if _JOINT_COST * sum(map(len, splits)) > q * q:
            return None
        crosses = tuple(map(Cross, lots))
        joints = [
            _joint(i, j, crosses[j], lot)
            for (i, j), split in zip(pairs, splits, strict=True)
            for lot in split
        ]
        coded = np.concatenate([cross.columns for cross in crosses])
        return cls(p, crosses, tuple(joints), np.setdiff1d(np.arange(p), coded))

    def encode(self, x: Array) -> tuple[list[Codes], NDArray[np.intp]]:
        """Return the codes of some rows of X for each cross, and the rows that have none.

        A row has none if one of the groups is not one-hot there; then no codes are returned.
        """
        groups = [g for cross in self.crosses for g in cross.groups]
        weights = np.zeros((self.p, len(groups) + 1), x.dtype)
        wrong = np.zeros(len(x), bool)
        for k, g in enumerate(groups):
            weights[g.first : g.stop, k] = np.arange(1, g.levels)
            weights[g.first : g.stop, -1] = 1.0
        for low, high in _runs(groups):
            part = x[:, low:high]
            binary = (part == 0.0) | (part == 1.0)
            if not binary.all():
                wrong |= ~binary.all(axis=1)
        # The last line of `levels` counts the ones of a row in all groups. Levels are sums over the
        # ones of a group, so as many levels are not zero as there are groups with a one: if the two
        # numbers agree, no group has more than one.
        levels = (x @ weights).T
        wrong |= np.count_nonzero(levels[:-1], axis=0) != levels[-1]
        if wrong.any():
            return [], np.flatnonzero(wrong)
        whole, codes, at = levels.astype(np.intp), [], 0
        for cross in self.crosses:
            codes.append(cross.code(whole[at : at + len(cross.groups)]))
            at += len(cross.groups)
        return codes, np.zeros(0, np.intp)


def _packed(groups: Sequence[Group], limit: int) -> list[list[Group]]:
    """Return the groups in lots of at most `limit` cells each; a larger group is a lot by itself.

    A greedy search makes the lots few.
    """
    lots: list[list[Group]] = []
    cells = limit + 1
    for group in sorted(groups, key=lambda g: g.levels):
        if cells * group.levels > limit:
            lots.append([])
            cells = 1
        lots[-1].append(group)
        cells *= group.levels
    return lots


def _cells(groups: Sequence[Group]) -> int:
    return int(np.prod([g.levels for g in groups]))


def _joint(first: int, second: int, cross: Cross, lot: list[Group]) -> Joint:
    """Return the table of one cross with the groups `lot` of a second one, which is `cross`."""
    if len(lot) == len(cross.groups):
        return Joint(first, second, cross, None)
    part, at = Cross(lot), dict(zip(cross.groups, cross.levels, strict=True))
    return Joint(first, second, part, part.code(np.array([at[g] for g in part.groups])))


def _runs(groups: Sequence[Group]) -> list[tuple[int, int]]:
    """Return the ranges of columns that the groups cover."""
    runs: list[tuple[int, int]] = []
    for first, stop in sorted(groups):
        if runs and runs[-1][1] == first:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((first, stop))
    return runs


def one_hot_groups(x: Array) -> list[Group]:
    """Return the groups of adjacent columns that are one-hot in these rows."""
    binary = ((x == 0.0) | (x == 1.0)).all(axis=0)
    ones = np.ascontiguousarray(x.T) == 1.0
    groups: list[Group] = []
    seen = np.ones(len(x), bool)
    for j in np.flatnonzero(binary):
        if groups and groups[-1].stop == j and not (ones[j] & seen).any():
            groups[-1] = Group(groups[-1].first, int(j) + 1)
            seen |= ones[j]
        else:
            groups.append(Group(int(j), int(j) + 1))
            seen = ones[j].copy()
    return groups


def in_both(a: Codes, b: Codes) -> tuple[Codes, Codes]:
    """Return where the numbers that are in both stand in each; none stands twice."""
    _, here, there = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    return here, there
