"""Upper triangles whose entries are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from skmle.families.records import Array, triangle


class Packed(Sequence[Array]):
    """The packed upper triangle of a curvature, which holds no entry.

    Of many parameters the entries of all rows would fill the memory; whoever sums them up needs one
    at a time.

    Parameters
    ----------
    k : int
        Number of parameters.
    entry : callable
        Of two positions a <= b, it returns the entry.
    """

    def __init__(self, k: int, entry: Callable[[int, int], Array]) -> None:
        self.places = triangle(k)
        self.entry = entry

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Array]:
        return (self.entry(a, b) for a, b in self.places)

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> list[Array]: ...
    def __getitem__(self, index: int | slice) -> Array | list[Array]:
        places = self.places[index]
        if isinstance(places, list):
            return [self.entry(a, b) for a, b in places]
        return self.entry(*places)
